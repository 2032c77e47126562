"""Masks to repaint: unpainted it is the reader, painted the reader with that mask; the page asks the same."""

import doctest
import json
import math
import pathlib
import warnings

import onnxruntime
import pytest
import torch

import vec2gpt.widgets.painter as module
from vec2gpt.bpe import BPE
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import IGNORED
from vec2gpt.objectives import OBJECTIVES, backward, causal, prefix
from vec2gpt.reader import Reader, ReaderConfig
from vec2gpt.widgets.export import to_onnx
from vec2gpt.widgets.painter import (
    CUT,
    LIMIT,
    OUTPUTS,
    SHORT,
    Marks,
    Painter,
    TwoStreamPainter,
    asking,
    painter_widget,
    places,
    question,
    read,
    scrambled,
)
from vec2gpt.widgets.tokens import LONGEST

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "objectives.json"
SPECIALS = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "<X>", "<Y>", "<Z>"]
TEXT = "the cat sat on the mat and the dog sat on the log; the cat and the dog sat there too"
VOCAB = BPE.train([TEXT], size=290, specials=SPECIALS)
MARKS = Marks((1, 2), 3, (4, 5, 6))
AROUND = {"around": ("[CLS]", "[SEP]"), "sentinels": ("<X>", "<Y>", "<Z>")}


def a_model(context=40, **options):
    """A model that is sure of little and minds its mask."""
    torch.manual_seed(2)
    sizes = {"context": context, "width": 12, "heads": 2, "layers": 2}
    model = Reader(ReaderConfig(len(VOCAB), **sizes | options)).eval()
    for weight in model.parameters():
        weight.data = torch.randn_like(weight).half().float() * 0.5  # as a page keeps them
    return model


MODELS = {name: a_model() for name in OBJECTIVES}
EVERY = pytest.mark.parametrize("name", OBJECTIVES)


def a_row(text="the cat sat on the mat and there"):
    """What is read of a text, marks included, and the places of its tokens."""
    ids = [1, *VOCAB.encode(text), 2]
    return ids, list(range(1, len(ids) - 1))


def an_example(name, text="the cat sat on the mat and there"):
    ids, plain = a_row(text)
    return asking(name, ids, places(name, plain, length=len(ids), marks=MARKS), marks=MARKS)


def painter(name):
    return (TwoStreamPainter if name == "permuted" else Painter)(MODELS[name]).eval()


@torch.no_grad()
def answers(name, inputs):
    return dict(zip(OUTPUTS, painter(name)(*inputs.values()), strict=True))


@EVERY
@torch.no_grad()
def test_unpainted_both_readings_are_the_model(name):
    example = an_example(name)
    answer = answers(name, question(example))
    p = MODELS[name](example.inputs, None, example.mask, example.content)[0][0].softmax(-1)
    asked = example.targets[0] != IGNORED
    for row in range(2):
        own = p[asked].gather(-1, example.targets[0][asked, None])[:, 0]
        assert torch.allclose(answer["own"][row, asked], own, atol=1e-6)
        ranks = 1 + (p[asked] > own[:, None]).sum(-1)
        assert torch.equal(answer["ranks"][row, asked], ranks)
        assert torch.equal(answer["guesses"][row], p.topk(5).indices)
        assert torch.allclose(answer["probabilities"][row], p.topk(5).values, atol=1e-6)


@EVERY
@torch.no_grad()
def test_painted_the_second_reading_is_the_model_with_that_mask(name):
    example = an_example(name)
    inputs = question(example)
    plain = answers(name, inputs)
    T = example.inputs.shape[1]
    painted = torch.rand(T, T, generator=torch.Generator().manual_seed(1)) > 0.5
    painted[3] = False  # a row that may look nowhere
    inputs["masks"][1] = painted
    answer = answers(name, inputs)
    p = MODELS[name](example.inputs, None, painted, example.content)[0][0].softmax(-1)
    assert torch.allclose(answer["probabilities"][1], p.topk(5).values, atol=1e-6)
    assert torch.allclose(answer["own"][0], plain["own"][0], atol=1e-6)
    assert not torch.allclose(answer["probabilities"][1], plain["probabilities"][1], atol=1e-3)


# ---- what is asked first ----


@EVERY
def test_what_is_asked_first_is_the_objectives_own_question(name):
    ids, plain = a_row()
    asked = places(name, plain, length=len(ids), marks=MARKS)
    example, row = an_example(name), torch.tensor([ids])
    whole = {"causal": causal, "backward": backward, "prefix": lambda row: prefix(row, lengths=len(ids) // 2)}
    if name in whole:
        full = whole[name](row)
        assert torch.equal(example.mask, full.mask)
        here = example.targets != IGNORED
        assert torch.equal(example.targets[here], full.targets[here])
        assert here.sum() == len(asked) and (full.targets != IGNORED).sum() - here.sum() <= 1  # but the marks
    elif name == "masked":
        assert example.mask.all() and [ids[at] for at in asked] == [
            t for t in example.targets[0].tolist() if t >= 0
        ]
        assert [at for at, t in enumerate(example.inputs[0].tolist()) if t == 3] == asked
    elif name == "permuted":
        order = scrambled(len(ids), 1)
        assert set(asked) <= set(order[-(len(ids) // 3) :])
        assert example.mask[0, 0].sum(-1).argsort().tolist() == order
        assert example.content is not None
    else:
        told = example.inputs[0].tolist()
        assert [t for t in told if t in MARKS.sentinels] == [4, 4, 5] or len(asked) > 2
        assert [t for t in example.targets[0].tolist() if t > 6] == [ids[at] for at in asked]
    assert asked and set(asked) <= set(plain)


@EVERY
def test_the_shortest_text_can_be_asked(name):
    for around in ([], [1]):
        ids = [*around, 100, 101, *(2 for _ in around)]
        plain = [at for at, token in enumerate(ids) if token > 6]
        asked = places(name, plain, length=len(ids), marks=MARKS)
        example = asking(name, ids, asked, marks=MARKS)
        assert (example.targets != IGNORED).any()
        assert all(value.isfinite().all() for value in answers(name, question(example)).values())


def test_every_order_is_one_and_another_draw_another():
    orders = [tuple(scrambled(24, draw)) for draw in range(1, 200)]
    assert all(sorted(order) == list(range(24)) for order in orders) and len(set(orders)) == 199
    firsts = torch.tensor([order[0] for order in orders]).bincount(minlength=24)
    assert firsts.max() < 25  # no place is a favourite


# ---- the page, which is held to what Python makes ----


def plain(example):
    def rows(mask):
        return ["".join(map(str, row)) for row in mask.int().tolist()]

    content = None if example.content is None else rows(example.content[0, 0])
    return {
        "inputs": example.inputs[0].tolist(),
        "truth": example.targets[0].clamp(min=-1).tolist(),
        "open": rows(example.may_look()),
        "content": content,
    }


def golden():
    """Questions as Python makes them, in numbers, and what both say of a text."""
    cases = []
    for name in OBJECTIVES:
        for length, around in ((2, 0), (3, 1), (9, 1), (24, 0)):
            ids = [1] * around + list(range(50, 50 + length)) + [2] * around
            tokens = list(range(around, around + length))
            for draw in (1, 5):
                first = places(name, tokens, length=len(ids), marks=MARKS, draw=draw)
                asked = [first] if draw > 1 else [first, first[:1], first[1:3] or first]
                for one in asked:
                    example = plain(asking(name, ids, one, marks=MARKS, draw=draw))
                    case = {"objective": name, "ids": ids, "plain": tokens, "asked": one, "draw": draw}
                    cases.append(case | {"first": first} | example)
    long = " ".join([TEXT] * 2)
    ids, note = read(long, VOCAB, room=LIMIT - 2)
    text = {"text": long, "ids": [1, *ids, 2], "size": len(VOCAB.encode(long)), "cut": note}
    settings = {"merges": VOCAB.merges, "specials": list(VOCAB.specials), "limit": LIMIT, "around": [1, 2]}
    settings["longest"] = LONGEST
    marks = {"mask": MARKS.mask, "sentinels": list(MARKS.sentinels)}
    return {"marks": marks, "cases": cases, "settings": settings, "text": text, "short": SHORT.format(size=1)}


def test_the_golden_questions_that_the_view_is_tested_with_are_those_of_today():
    """After a change of an objective: python -m tests.widgets.test_painter writes them anew."""
    assert json.loads(GOLDEN.read_text()) == json.loads(json.dumps(golden()))


# ---- the widget ----


def test_the_example_of_the_docstring_is_true():
    failed, tried = doctest.testmod(module, extraglobs={"reader": a_model(), "bpe": VOCAB})
    assert (failed, tried) == (0, 1)


def test_the_widget_holds_what_its_view_needs():
    widget = painter_widget(MODELS, VOCAB, "the cat sat on the mat", examples=["the dog sat"], **AROUND)
    settings = widget.settings
    assert list(settings["models"]) == widget.spec["order"] == list(OBJECTIVES)
    assert settings["models"]["causal"] == {"layers": 2} and settings["limit"] == LIMIT
    assert settings["around"] == [1, 2] and settings["mask"] == 3 and settings["sentinels"] == [4, 5, 6]
    assert BPE([tuple(pair) for pair in settings["merges"]], specials=settings["specials"]).encode(
        TEXT
    ) == VOCAB.encode(TEXT)
    expected = answers("causal", question(an_example("causal", "the cat sat on the mat")))
    assert widget.first["ranks"]["data"] == expected["ranks"].flatten().tolist()
    assert repr(widget) == "LiveModel(painter: ids, truth, masks → guesses, probabilities, own, ranks)"
    json.dumps([settings, widget.first], allow_nan=False)
    answer = widget.answer("permuted", question(an_example("permuted")))
    assert torch.equal(answer["guesses"][0], answer["guesses"][1])


def test_marks_are_wanted_of_those_who_need_them_alone():
    bare = BPE.train([TEXT + " her hen then than that chat that dot dog that this"], size=len(VOCAB))
    assert len(bare) == len(VOCAB) and not bare.specials
    widget = painter_widget({"causal": a_model()}, bare, "the cat sat")
    assert widget.settings["mask"] == -1 and widget.settings["sentinels"] == widget.settings["around"] == []
    with pytest.raises(KeyError, match="MASK"):
        painter_widget({"masked": a_model()}, bare, "the cat sat")
    with pytest.raises(KeyError, match="CLS"):
        painter_widget({"causal": a_model()}, bare, "the cat sat", around=("[CLS]", "[SEP]"))


def test_a_long_text_is_cut_and_a_warning_says_so():
    text = " ".join([TEXT] * 4)
    size = len(VOCAB.encode(text))
    with pytest.warns(UserWarning, match=f"The text has {size} tokens; the first 24 are read"):
        widget = painter_widget({"causal": a_model()}, VOCAB, text)
    assert widget.first["ranks"]["dims"] == [2, 24]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fits = VOCAB.decode(VOCAB.encode(text)[:LIMIT])
        assert painter_widget({"causal": a_model()}, VOCAB, fits).first["ranks"]["dims"] == [2, 24]
    assert CUT.format(size=size, room=24) == read(text, VOCAB, room=24)[1]


@pytest.mark.parametrize(
    ("context", "limit", "sentinels"), [(40, 24, 3), (27, 24, 2), (12, 9, 2), (29, 24, 3)]
)
def test_a_small_model_shows_less_text_and_fewer_spans(context, limit, sentinels):
    models = {"causal": a_model(), "spans": a_model(context)}
    with pytest.warns(UserWarning):
        widget = painter_widget(models, VOCAB, f"{TEXT} {TEXT}", **AROUND)
    assert (widget.settings["limit"], len(widget.settings["sentinels"])) == (limit, sentinels)
    ids = [1, *range(50, 48 + limit), 2]
    asked = [at for at in range(1, limit - 1) if at % 2][: sentinels - 1]  # as many spans as there may be
    marks = Marks((1, 2), 3, tuple(widget.settings["sentinels"]))
    answer = widget.answer("spans", question(asking("spans", ids, asked, marks=marks)))
    assert answer["own"].isfinite().all()


@pytest.mark.parametrize("text", ["你好，世界", "🙂🙃", "a\x00b", "Ω≈ç√", "\n\n  x"])
def test_any_script_can_be_read(text):
    widget = painter_widget({"causal": a_model()}, VOCAB, text)
    assert all(math.isfinite(x) for x in widget.first["own"]["data"])


def holding(number):
    model = a_model()
    with torch.no_grad():
        model.query[0] = number
    return model


@pytest.mark.parametrize(
    ("models", "text", "options", "said"),
    [
        ({}, "the cat", {}, "there is no model: give at least one, by the name of its objective"),
        ({"clm": a_model()}, "the cat", {}, "'clm' is no objective: name each model one of causal, backward"),
        ({"causal": GPT(GPTConfig(len(VOCAB)))}, "the cat", {}, "causal is a GPT: give a Reader"),
        ({"causal": Reader(ReaderConfig(9))}, "the cat", {}, "knows 9 tokens, but the vocabulary has"),
        ({"causal": holding(math.nan)}, "the cat", {}, "causal holds NaN or ∞"),
        ({"causal": holding(-math.inf)}, "the cat", {}, "causal holds NaN or ∞"),
        (
            {"causal": a_model(3)},
            "the cat",
            {},
            "causal has room for 3 tokens: give one with a context of at l",
        ),
        ({"spans": a_model(6)}, "the cat", AROUND, "spans has room for 6 tokens"),
        ({"spans": a_model()}, "the cat", {"sentinels": ("<X>",)}, "1 sentinels mark no span and its end"),
        ({"causal": a_model()}, "the cat", {"around": ("[CLS]",)}, "give none, or one mark before the text"),
        ({"causal": a_model()}, "", {}, "A question needs at least 2 tokens, and the text has 0: type more."),
        ({"causal": a_model()}, "t", {}, "A question needs at least 2 tokens, and the text has 1: type"),
        ({"causal": a_model()}, "the " * 101, {}, "has 404 characters; give 1 to 400"),
        ({"causal": a_model()}, "the cat", {"examples": [""]}, "'' has 0 characters"),
    ],
)
def test_the_widget_says_what_it_takes(models, text, options, said):
    with pytest.raises(ValueError, match=said):
        painter_widget(models, VOCAB, text, **options)


# ---- the graph ----


@pytest.mark.slow
@pytest.mark.parametrize("name", ["causal", "permuted"])
def test_the_graph_answers_as_torch_does_at_every_length(name):
    module = painter(name)
    dice = torch.Generator().manual_seed(3)

    def a_question(length):
        example = {
            "ids": torch.randint(len(VOCAB), (1, length), generator=dice),
            "truth": torch.randint(len(VOCAB), (1, length), generator=dice),
            "masks": (torch.rand(3, length, length, generator=dice) > 0.5).float(),
        }
        example["masks"][1, 0] = 0  # a row that may look nowhere
        return example

    lengths = {"ids": [1], "truth": [1], "masks": [1, 2]}
    graph = to_onnx(module, a_question(7), OUTPUTS, lengths)
    session = onnxruntime.InferenceSession(graph)
    for length in (7, 1, 2, LIMIT, 40):
        inputs = a_question(length)
        theirs = session.run(None, {key: value.numpy() for key, value in inputs.items()})
        ours = answers(name, inputs)
        for key, their in zip(OUTPUTS, theirs, strict=True):
            torch.testing.assert_close(torch.from_numpy(their), ours[key], atol=1e-4, rtol=0)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden()) + "\n")
