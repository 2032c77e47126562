"""Blanks in a sentence: what the widget says is the model, and what it cuts is what the tokenizer cuts."""

import doctest
import json
import pathlib
from itertools import chain
from random import Random

import numpy as np
import onnxruntime
import pytest
import torch

import vec2gpt.widgets.blanks as module
from vec2gpt.bert import BertConfig, MaskedLM
from vec2gpt.bpe import BPE
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.widgets.blanks import LIMIT, OUTPUTS, Blanks, asked, blanks_widget, read
from vec2gpt.widgets.export import to_onnx

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "blanks.json"
LEARNED = [
    "The sailor saw the sea.",
    "She sailed over the sea to the land.",
    "They said the sea was over there.",
]
SPECIALS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
VOCAB = BPE.train(LEARNED * 3, size=4 + 256 + 16, specials=SPECIALS)
TEXTS = {"The sailor saw the sea.": "sailor", "They saw, there, land!": "land"}
CONTEXT, L, H = 24, 2, 3
ROOM = CONTEXT - 2
CASES = [
    *TEXTS,
    "  two  spaces,\n\na line; it's 1½ o'clock ",
    "你好  a\n 🙂",
    "мир",
    "byte \0 and \x1c\x85",
    "\ufeffa",
    "[MASK] <b>&amp;</b>",
    "",
    " \n\t",
    "\xa0\u3000\x85",
    "\x1c",
    "...",
    "a " * 30,
    "漢" * 40,
    "sea" * 20,
]


def a_model(seed=1, **options):
    """A model that is sure of something else at each place; its numbers are not torch's, which may change."""
    sizes = {
        "context": CONTEXT,
        "width": 12,
        "heads": H,
        "inner": 16,
        "layers": L,
        "segments": 0,
        "dropout": 0.0,
    }
    model, dice = MaskedLM(BertConfig(len(VOCAB), **sizes | options)).eval(), Random(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.copy_(
                    torch.tensor([dice.gauss(0, 0.6) for _ in range(weight.numel())]).view_as(weight)
                )
    return model


@torch.no_grad()
def ask(model, ids, truth):
    return dict(zip(OUTPUTS, Blanks(model)(ids, truth), strict=True))


# ---- the model ----


@torch.no_grad()
@pytest.mark.parametrize("blanks", [[], [1], [0, 3], range(9)])
def test_guesses_ranks_and_weights_are_the_models_own(blanks):
    model = a_model()
    ids, truth = asked("The sailor saw the sea.", blanks, VOCAB, room=ROOM)
    answer = ask(model, ids, truth)
    p = model(ids)[0].softmax(-1)
    order = p.argsort(-1, descending=True)
    assert torch.equal(answer["guesses"], order[..., :5])
    assert torch.allclose(answer["probabilities"], p.gather(-1, order)[..., :5], atol=1e-6)
    for t, token in enumerate(truth[0].tolist()):
        assert answer["own"][0, t] == pytest.approx(p[0, t, token].item(), abs=1e-6)
        assert answer["ranks"][0, t] == order[0, t].tolist().index(token) + 1
    assert torch.allclose(answer["weights"], model.look(ids)[0], atol=1e-5)


def test_a_blank_hides_all_pieces_of_its_word_and_the_truth_keeps_them():
    text = "The sailor saw"
    words = read(text, VOCAB, room=ROOM)
    assert [VOCAB.decode(word) for word in words] == ["The", " sailor", " saw"]
    mask, (ids, truth) = VOCAB["[MASK]"], asked(text, [1], VOCAB, room=ROOM)
    begin, end = 1 + len(words[0]), 1 + len(words[0]) + len(words[1])
    assert end - begin > 1  # the word has pieces
    assert truth.tolist() == [[VOCAB["[CLS]"], *VOCAB.encode(text), VOCAB["[SEP]"]]]
    assert (ids[0, begin:end] == mask).all() and (ids != truth).sum() == end - begin


@pytest.mark.parametrize("text", CASES)
def test_words_joined_are_the_text_and_their_ids_the_tokenizers(text):
    try:
        words = read(text, VOCAB, room=1000)
    except ValueError as problem:
        assert str(problem) == "There is no word to blank: type a sentence." and not text.strip(
            " \n\t\xa0\u3000\x85"
        )
    else:
        assert [*chain(*words)] == VOCAB.encode(text) and "".join(map(VOCAB.decode, words)) == text


# ---- the widget ----


def test_the_examples_of_the_docstrings_are_true():
    model = a_model(context=LIMIT)
    failed, tried = doctest.testmod(module, extraglobs={"model": model, "bpe": VOCAB})
    assert (failed, tried) == (0, 2)


def test_the_first_answer_is_to_the_first_text_with_its_word_blank():
    first, second = a_model(), a_model(2, heads=2, layers=1)
    widget = blanks_widget({"one": first, "two": second}, VOCAB, TEXTS)
    ids, truth = asked("The sailor saw the sea.", [1], VOCAB, room=ROOM)
    assert widget.first["guesses"]["data"] == ask(first, ids, truth)["guesses"].flatten().tolist()
    settings = widget.settings
    assert settings["examples"] == [["The sailor saw the sea.", 1], ["They saw, there, land!", 5]]
    assert settings["models"] == {"one": {"layers": 2, "heads": 3}, "two": {"layers": 1, "heads": 2}}
    assert settings["limit"] == CONTEXT and settings["specials"] == list(SPECIALS)
    assert BPE(settings["merges"], specials=settings["specials"]).tokens == VOCAB.tokens
    assert widget.answer("two", {"ids": ids, "truth": truth})["weights"].shape[:2] == (1, 2)
    assert blanks_widget(a_model(context=500), VOCAB, TEXTS).settings["limit"] == LIMIT
    json.dumps([settings, widget.first], allow_nan=False)
    assert repr(widget) == "LiveModel(blanks: ids, truth → guesses, probabilities, own, ranks, weights)"


def diverged():
    model = a_model()
    model.head.bias.data[7] = float("nan")
    return model


@pytest.mark.parametrize(
    ("models", "texts", "said"),
    [
        ({}, TEXTS, "there is no model"),
        (a_model(), {}, "there is no text"),
        (GPT(GPTConfig(len(VOCAB), width=4, heads=1, layers=1)), TEXTS, "model is a GPT: give a MaskedLM"),
        ({"small": MaskedLM(BertConfig(7, 9, 4, 1, 4, 1))}, TEXTS, "small knows 7 tokens, .* has 276"),
        (diverged(), TEXTS, "model holds NaN or ∞"),
        (a_model(pad=1), TEXTS, r"takes \[CLS\] for padding"),
        (a_model(pad=50), TEXTS, "takes O for padding"),
        (a_model(), {"The sea.": "see"}, "'see' is no word of 'The sea.': choose one of 'The', 'sea', '.'"),
        (a_model(), {"The  sea.": ""}, "'' is no word of"),
        (a_model(), {" ": "sea"}, "no word to blank"),
        (a_model(), {"a " * 30: "a"}, "has 60 tokens, and the model reads at most 22"),
    ],
)
def test_the_widget_says_what_it_takes(models, texts, said):
    with pytest.raises(ValueError, match=said):
        blanks_widget(models, VOCAB, texts)


@pytest.mark.parametrize("head", [(0, 1), (L + 1, 1), (1, 0), (1, H + 1)])
def test_a_head_that_the_model_lacks_is_refused(head):
    with pytest.raises(ValueError, match="layers 1 to 2 of heads 1 to 3"):
        blanks_widget(a_model(), VOCAB, TEXTS, head=head)
    assert blanks_widget(a_model(), VOCAB, TEXTS, head=(L, H)).settings["head"] == [L - 1, H - 1]


def test_a_text_that_the_field_would_cut_is_refused():
    text = "sea" * 150
    vocab = BPE.train([text], size=4 + 256 + 9, specials=SPECIALS)  # of few tokens, and long ones
    assert len(vocab.encode(text)) < ROOM
    with pytest.raises(ValueError, match="has 450 characters; give 1 to 400"):
        blanks_widget(MaskedLM(BertConfig(len(vocab), CONTEXT, 4, 1, 4, 1)), vocab, {text: text})


def test_a_vocabulary_without_a_mask_is_refused():
    vocab = BPE(VOCAB.merges, specials=("[PAD]", "[CLS]", "[SEP]", "[UNK]"))
    with pytest.raises(KeyError, match=r"\[MASK\]"):
        blanks_widget(a_model(), vocab, TEXTS)


# ---- the page ----


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"factors": 5, "shared": True}])
def test_the_graph_answers_as_torch_does_at_every_length(options):
    model, dice = a_model(**options), np.random.default_rng(3)
    for weight in model.parameters():
        weight.data = weight.data.half().float()  # as a page keeps them; no ties among the guesses

    def tokens(length):
        return torch.from_numpy(dice.integers(1, len(VOCAB), (1, length)))

    example = {"ids": tokens(7), "truth": tokens(7)}
    lengths = {"ids": [1], "truth": [1]}
    session = onnxruntime.InferenceSession(to_onnx(Blanks(model), example, OUTPUTS, lengths))
    for length in (3, 1, 2, 7, CONTEXT):
        ids, truth = tokens(length), tokens(length)
        answers = session.run(None, {"ids": ids.numpy(), "truth": truth.numpy()})
        for (name, value), answer in zip(ask(model, ids, truth).items(), answers, strict=True):
            assert answer.shape == tuple(value.shape), name
            assert np.abs(answer - value.numpy()).max() < (1e-4 if value.is_floating_point() else 0.5), name


def by_words(weights, sizes):
    """Weights between tokens (…, T, T) -> between words (…, W, W): a mean over who looks, a sum over whom."""
    belongs = torch.eye(len(sizes)).repeat_interleave(torch.tensor(sizes), 1)  # (W, T)
    return belongs @ weights @ belongs.T / torch.tensor(sizes)[:, None]


def golden():
    """What the view is held to: the words of texts or why there are none, and an answer with what it says."""
    model, cases = a_model(), []
    for text in CASES:
        try:
            words = read(text, VOCAB, room=ROOM)
        except ValueError as problem:
            cases.append({"text": text, "problem": str(problem)})
        else:
            cases.append({"text": text, "words": words})
    widget, readings = blanks_widget({"one": model, "two": a_model(2, heads=2, layers=1)}, VOCAB, TEXTS), []
    for text, blanks in [
        ("The sailor saw the sea.", [1]),
        ("They saw, there, land!", [0, 3, 5]),
        (CASES[3], []),
    ]:
        ids, truth = asked(text, blanks, VOCAB, room=ROOM)
        answer, words = ask(model, ids, truth), read(text, VOCAB, room=ROOM)
        look = by_words(answer["weights"], [1, *map(len, words), 1])  # (L, H, W, W)
        plain = {name: _plain(value) for name, value in answer.items()}
        readings.append({"text": text, "blanks": blanks, "ids": ids[0].tolist(), "truth": truth[0].tolist()})
        readings[-1] |= {"answer": plain, "look": _plain(look)}
    return {"settings": widget.settings, "cases": cases, "readings": readings, "tokens": VOCAB.tokens}


def _plain(value):
    flat = value.flatten().tolist()
    return {"dims": list(value.shape), "data": [round(x, 4) for x in flat]}


def test_the_golden_answers_that_the_view_is_tested_with_are_those_of_today():
    """After a change: python -m tests.widgets.test_blanks writes them anew."""
    stored, today = json.loads(GOLDEN.read_text()), json.loads(json.dumps(golden()))
    for name in ("settings", "cases", "tokens"):
        assert stored[name] == today[name], name
    for before, now in zip(stored["readings"], today["readings"], strict=True):
        tensors = before.pop("answer") | {"look": before.pop("look")}
        today_tensors = now.pop("answer") | {"look": now.pop("look")}
        assert before == now
        for name, value in tensors.items():
            assert value["dims"] == today_tensors[name]["dims"]
            assert value["data"] == pytest.approx(today_tensors[name]["data"], abs=2e-4), name


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden()) + "\n")
