"""What words do to a verdict: what the widget says is the model with and without them."""

import doctest
import json
import math
import pathlib
from random import Random

import numpy as np
import onnxruntime
import pytest
import torch

import vec2gpt.widgets.opinion as module
from vec2gpt.bert import Bert, BertConfig
from vec2gpt.bpe import BPE
from vec2gpt.classifiers import Bag, Classifier, predict
from vec2gpt.widgets.opinion import LIMIT, Opinion, asked, opinion_widget, read

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "opinion.json"
LEARNED = ["She loved the good old film.", "Not a good film at all.", "The film was a bad one, not good."]
SPECIALS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
VOCAB = BPE.train(LEARNED * 3, size=4 + 256 + 16, specials=SPECIALS)
TEXTS = ["Not a good film.", "She loved it, all of it!"]
CONTEXT = 24
ROOM = CONTEXT - 2
CASES = [
    *TEXTS,
    "Copenhagen",
    "  two  spaces,\n\na line; it's 1½ o'clock ",
    "你好  a\n 🙂",
    "мир",
    "byte \0 and \x1c\x85",
    "\ufeffa",
    "[PAD] <b>&amp;</b>",
    "",
    " \n\t",
    "\xa0\u3000\x85",
    "\x1c",
    "...",
    "a " * 30,
    "漢" * 40,
    "film" * 20,
]
STATES = [  # texts, what is left out of them
    (TEXTS[0], []),
    (TEXTS[0], [0, 2]),
    (TEXTS[1], [1]),
    (TEXTS[1], [0, 1, 3, 4, 5, 6]),
    ("a  good  one,\nnot", [2]),
    ("film", []),
    (CASES[4], []),
]


def a_model(seed=1, classes=2, **options):
    """A model that is sure of itself; its numbers are not torch's, which may change."""
    sizes = {"context": CONTEXT, "width": 12, "heads": 3, "inner": 16, "layers": 2, "segments": 0}
    bert = Bert(BertConfig(len(VOCAB), **sizes | {"dropout": 0.0} | options))
    model, dice = Classifier(bert, classes).eval(), Random(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.copy_(
                    torch.tensor([dice.gauss(0, 0.6) for _ in range(weight.numel())]).view_as(weight)
                )
    return model


@torch.no_grad()
def judged(model, ids):
    return Opinion(model)(ids)[0]


# ---- the model ----


@torch.no_grad()
@pytest.mark.parametrize(("text", "off"), STATES)
def test_log_odds_are_those_of_what_the_model_says_to_each_text_by_itself(text, off):
    """Each text alone, without padding: the reference is `classifiers.predict`."""
    model, bpe = a_model(), VOCAB
    words = read(text, bpe, room=ROOM)
    places = [k for k, ids in enumerate(words) if bpe.decode(ids).strip()]

    def probability(out):
        ids = [id for k, word in enumerate(words) if k not in out for id in word]
        return predict(model, [[bpe["[CLS]"], *ids, bpe["[SEP]"]]])[0, 1].item()

    sets = [set(off), *({*off} ^ {k} for k in places)]
    expected = [probability(out) for out in sets if out != set(places)]
    found = judged(model, asked(text, off, bpe, room=ROOM, pad=0)).sigmoid()
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_log_odds_of_three_are_a_probability_of_95_percent():
    model = a_model()
    torch.nn.init.zeros_(model.head.weight)
    model.head.bias.data = torch.tensor([-1.0, 2.0])
    assert judged(model, torch.tensor([[1, 9, 2]])).item() == pytest.approx(3)
    assert 1 / (1 + math.exp(-3)) == pytest.approx(0.95, abs=0.005)


def test_a_word_that_is_left_out_leaves_no_gap_and_takes_all_its_pieces_along():
    words = read("Not a mood, film", VOCAB, room=ROOM)
    assert [VOCAB.decode(word) for word in words] == ["Not", " a", " mood", ",", " film"]
    assert len(words[2]) > 1
    rows = asked("Not a mood, film", [2], VOCAB, room=ROOM, pad=0)
    texts = [VOCAB.decode([id for id in row.tolist() if id > 3]) for row in rows]
    assert texts == ["Not a, film", " a, film", "Not, film", "Not a mood, film", "Not a film", "Not a,"]
    assert (rows[:, 0] == VOCAB["[CLS]"]).all() and ((rows == VOCAB["[SEP]"]).sum(1) == 1).all()


def test_the_only_word_that_is_read_stays():
    assert len(asked("film", [], VOCAB, room=ROOM, pad=0)) == 1
    rows = asked("Not good", [1], VOCAB, room=ROOM, pad=0)
    assert [VOCAB.decode([id for id in row.tolist() if id > 3]) for row in rows] == ["Not", "Not good"]


def test_places_that_are_no_words_are_not_left_out():
    text = "a  b"  # the two spaces are cut into one of their own, and one of b's
    assert (
        asked(text, [1, 99], VOCAB, room=ROOM, pad=0).tolist()
        == asked(text, [], VOCAB, room=ROOM, pad=0).tolist()
    )


@pytest.mark.parametrize("text", ["", " \n\t", "\xa0\u3000\x85"])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(ValueError, match=r"There is no word to judge: type a sentence\."):
        asked(text, [], VOCAB, room=ROOM, pad=0)


def test_a_text_of_which_nothing_is_left_and_one_that_is_too_long_are_refused():
    with pytest.raises(ValueError, match=r"All words are left out: press one to read it again\."):
        asked("Not good", [0, 1], VOCAB, room=ROOM, pad=0)
    with pytest.raises(ValueError, match="has 30 tokens, and the model reads at most 22: shorten it"):
        asked("z" * 30, [], VOCAB, room=ROOM, pad=0)


# ---- the widget ----


def test_the_examples_of_the_docstrings_are_true():
    assert doctest.testmod(module, extraglobs={"model": a_model(context=LIMIT), "bpe": VOCAB}) == (0, 1)


def test_the_first_answer_is_to_the_first_text():
    first, second = a_model(), a_model(2, layers=1, pad=3)
    widget = opinion_widget({"one": first, "two": second}, VOCAB, TEXTS, classes=("bad", "good"))
    expected = judged(first, asked(TEXTS[0], [], VOCAB, room=ROOM, pad=0))
    assert widget.first["log_odds"]["data"] == pytest.approx(expected.tolist(), rel=1e-3)
    settings = widget.settings
    assert settings["examples"] == TEXTS and settings["classes"] == ["bad", "good"]
    assert settings["models"] == {"one": {"pad": 0}, "two": {"pad": 3}} and settings["limit"] == CONTEXT
    assert opinion_widget(a_model(context=500), VOCAB, TEXTS).settings["limit"] == LIMIT
    assert opinion_widget(first, VOCAB, TEXTS[0]).settings["examples"] == TEXTS[:1]
    json.dumps([settings, widget.first], allow_nan=False)
    assert repr(widget) == "LiveModel(opinion: ids → log_odds)"


def diverged():
    model = a_model()
    model.head.bias.data[1] = float("nan")
    return model


@pytest.mark.parametrize(
    ("models", "texts", "said"),
    [
        ({}, TEXTS, "there is no model"),
        (a_model(), [], "there is no text"),
        (Bag(torch.nn.Embedding(9, 4), 2), TEXTS, "model is a Bag: give a Classifier"),
        (a_model(classes=3), TEXTS, "model tells 3 classes apart: give a Classifier of 2"),
        ({"small": Classifier(Bert(BertConfig(7, 9, 4, 1, 4, 1)), 2)}, TEXTS, "small knows 7 tokens, .* 276"),
        (diverged(), TEXTS, "model holds NaN or ∞"),
        (a_model(pad=1), TEXTS, r"takes \[CLS\] for padding"),
        (a_model(pad=50), TEXTS, "takes O for padding"),
        (a_model(), ["film", " "], "no word to judge"),
        (a_model(), "", "no word to judge"),
        (a_model(), ["z" * 30], "has 30 tokens, and the model reads at most 22"),
    ],
)
def test_the_widget_says_what_it_takes(models, texts, said):
    with pytest.raises(ValueError, match=said):
        opinion_widget(models, VOCAB, texts)


@pytest.mark.parametrize("classes", [(), ("for",), ("for", "for"), ("", "for"), ("a", "b", "c")])
def test_classes_have_two_names(classes):
    with pytest.raises(ValueError, match="give the names of both"):
        opinion_widget(a_model(), VOCAB, TEXTS, classes=classes)


def test_a_text_that_the_field_would_cut_is_refused():
    text = "sea" * 150
    vocab = BPE.train([text], size=4 + 256 + 9, specials=SPECIALS)  # of few tokens, and long ones
    model = Classifier(Bert(BertConfig(len(vocab), CONTEXT, 4, 1, 4, 1)), 2)
    with pytest.raises(ValueError, match="has 450 characters; give 1 to 400"):
        opinion_widget(model, vocab, [text])


# ---- the page ----


@pytest.mark.slow
@pytest.mark.parametrize(("options", "text"), [({}, TEXTS[0]), ({"factors": 5, "shared": True}, "film")])
def test_the_graph_answers_as_torch_does_for_every_number_of_texts_and_length(
    options, text, tmp_path, monkeypatch
):
    model, dice = a_model(**options), np.random.default_rng(3)
    for weight in model.parameters():
        weight.data = weight.data.half().float()  # as a page keeps them

    def tokens(rows, length):
        ids = torch.from_numpy(dice.integers(1, len(VOCAB), (rows, length)))
        return ids.where(torch.arange(length) < torch.from_numpy(dice.integers(1, length + 1, (rows, 1))), 0)

    monkeypatch.setenv("VEC2GPT_SITE", str(tmp_path))
    widget = opinion_widget(model, VOCAB, [text])  # in the second case of a word that stands alone
    session = onnxruntime.InferenceSession(tmp_path / "models" / widget.spec["models"]["model"])
    for rows, length in ((3, 7), (1, 1), (1, CONTEXT), (23, CONTEXT), (8, 3), (2, 2)):
        ids = tokens(rows, length)
        [answer] = session.run(None, {"ids": ids.numpy()})
        assert answer.shape == (rows,)
        assert np.abs(answer - judged(model, ids).numpy()).max() < 1e-4


def golden():
    """What the view is held to: the words of texts or why there are none, and answers with what was asked."""
    model, cases = a_model(), []
    for text in CASES:
        try:
            words = read(text, VOCAB, room=ROOM)
        except ValueError as problem:
            cases.append({"text": text, "problem": str(problem)})
        else:
            cases.append({"text": text, "words": words})
    widget, readings = opinion_widget({"one": model, "two": a_model(2, pad=3)}, VOCAB, TEXTS), []
    for text, off in STATES:
        ids = asked(text, off, VOCAB, room=ROOM, pad=0)
        log_odds = [round(x, 4) for x in judged(model, ids).tolist()]
        readings.append({"text": text, "off": off, "ids": ids.tolist(), "log_odds": log_odds})
    return {"settings": widget.settings, "cases": cases, "readings": readings, "tokens": len(VOCAB)}


def test_the_golden_answers_that_the_view_is_tested_with_are_those_of_today():
    """After a change: python -m tests.widgets.test_opinion writes them anew."""
    stored, today = json.loads(GOLDEN.read_text()), json.loads(json.dumps(golden()))
    for before, now in zip(stored["readings"], today["readings"], strict=True):
        assert before.pop("log_odds") == pytest.approx(now.pop("log_odds"), abs=2e-4)
    assert stored == today


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden()) + "\n")
