"""What a GPT writes, and what else it could have written, as the model has it."""

import doctest
import json
import pathlib
from random import Random

import pytest
import torch

import vec2gpt.widgets.writer as module
from vec2gpt.bpe import BPE
from vec2gpt.decoding import continue_with, restrict
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.reader import Reader, ReaderConfig
from vec2gpt.text import Vocab
from vec2gpt.widgets.writer import CHOICES, OUTPUTS, Writer, writer_widget

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "writer.json"
VOCAB = Vocab(list("\n abdehilnorstuw"), specials=())
PIECES = BPE.train(["the sea and the shore " * 3], size=256 + 8)
CONTEXT = 24


def a_model(vocab=VOCAB, seed=1, context=CONTEXT, **options):
    """A model that is sure of itself; its numbers are not torch's, which may change."""
    sizes = {"context": context, "layers": 2, "heads": 2, "width": 12} | TODAY | {"groups": 1}
    model, dice = GPT(GPTConfig(len(vocab), **sizes | options)).eval(), Random(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                numbers = [dice.gauss(0, 0.5) for _ in range(weight.numel())]
                weight.copy_(torch.tensor(numbers).view_as(weight))
    return model


@torch.no_grad()
def told(model, ids, u, *, temperature=0.8, top_k=9, top_p=0.95):
    limits = torch.tensor([temperature]), torch.tensor([top_k]), torch.tensor([top_p])
    answer = Writer(model)(torch.tensor([ids]), torch.tensor([u]), *limits)
    return dict(zip(OUTPUTS, answer, strict=True))


def numbers(n, seed=0):
    dice = Random(seed)
    return [round(dice.random() * 0.9999, 4) for _ in range(n)]


# ---- the model ----


@pytest.mark.parametrize(("read", "count"), [(1, 1), (1, 12), (7, 5), (23, 1), (8, 16)])
def test_what_is_written_is_what_the_library_writes(read, count):
    model, ids, u = a_model(), [k % len(VOCAB) for k in range(read)], numbers(count)
    answer = told(model, ids, u)
    limits = {"temperature": 0.8, "top_k": 9, "top_p": 0.95}
    written, p = continue_with(model, torch.tensor([ids]), torch.tensor([u]), **limits)
    assert answer["written"].tolist() == written.tolist()
    torch.testing.assert_close(answer["chance"], p.gather(2, written[..., None])[..., 0])


@torch.no_grad()
def test_probabilities_are_those_of_one_reading_of_the_whole_text():
    model, ids, u = a_model(), VOCAB.encode("the shore"), numbers(9)
    answer = told(model, ids, u)
    text = torch.tensor([ids + answer["written"][0].tolist()])
    logits = model(text)[0][:, :-1]
    p = logits.softmax(-1)
    torch.testing.assert_close(answer["own"], p.gather(2, text[:, 1:, None])[..., 0])
    torch.testing.assert_close(answer["likely"], p.topk(CHOICES).values)
    torch.testing.assert_close(p.gather(2, answer["choices"]), answer["likely"])
    drawn = restrict(logits, 0.8, 9, 0.95).gather(2, answer["choices"])[:, -9:]
    torch.testing.assert_close(answer["drawn"], drawn)


def test_top_k_1_leaves_no_choice_and_the_model_s_own_opinion_stays():
    answer = told(a_model(), VOCAB.encode("the "), numbers(8), top_k=1)
    assert answer["chance"].tolist() == [[1.0] * 8]
    assert (answer["drawn"][0, :, 1:] == 0).all() and (answer["likely"][0, :, 1:] > 0).all()
    assert answer["written"].tolist() == answer["choices"][:, -8:, 0].tolist()


def test_a_vocabulary_of_fewer_tokens_than_choices_has_that_many():
    assert told(a_model(Vocab(list("abc"), specials=())), [0], [0.5])["choices"].shape == (1, 1, 3)


# ---- the widget ----


def test_the_examples_of_the_docstrings_are_true():
    names = {"model": a_model(), "vocab": VOCAB}
    assert doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS) == (0, 1)


def test_the_first_answer_fills_the_context_and_no_more():
    widget = writer_widget(a_model(), VOCAB, ["the sea", "a"], length=64, seed=3)
    assert widget.first["written"]["dims"] == [1, CONTEXT - 7]
    assert widget.first["own"]["dims"] == [1, CONTEXT - 1]
    longer = writer_widget(a_model(context=64), VOCAB, "the sea", length=32)
    assert longer.first["written"]["dims"] == [1, 32]


def test_each_model_may_have_a_vocabulary_of_its_own():
    models = {"letters": a_model(), "pieces": a_model(PIECES, 2)}
    kinds = writer_widget(models, {"letters": VOCAB, "pieces": PIECES}, "the sea").settings["models"]
    assert kinds["letters"] == {"context": CONTEXT, "size": len(VOCAB), "begin": 0, "tokens": VOCAB.tokens}
    assert PIECES.decode([kinds["pieces"]["begin"]]) == "\n"
    assert len(kinds["pieces"]["merges"]) == 8 and "tokens" not in kinds["pieces"]


@pytest.mark.parametrize(
    ("tokens", "specials", "begin"),
    [("ab \n", (), "\n"), (["<bos>", "a", " "], ("<bos>",), "<bos>"), ("a ", (), " "), ("ba", (), "b")],
)
def test_an_empty_prompt_has_a_beginning_in_every_vocabulary(tokens, specials, begin):
    vocab = Vocab(list(tokens), specials=specials)
    [kind] = writer_widget(a_model(vocab), vocab, "a").settings["models"].values()
    assert vocab.tokens[kind["begin"]] == begin


BAD = [
    ({"prompts": ""}, "has 0 tokens; give 1 to 8"),
    ({"prompts": ["the sea", "the sea and"]}, "'the sea and' has 11 tokens; give 1 to 8 for model"),
    ({"prompts": []}, "no prompt"),
    ({"models": {}}, "no model"),
    ({"models": a_model(PIECES)}, "model knows 264 tokens, but the vocabulary has 16"),
    ({"models": Reader(ReaderConfig(16, context=8, width=8))}, "is a Reader: give a GPT"),
    ({"models": a_model(context=16)}, "context of 16; give one of more than 16"),
    ({"models": {"one": a_model()}, "vocabs": {"two": VOCAB}}, "one has no vocabulary"),
    ({"length": 17}, "length is 17; give a multiple of 16 up to 400"),
    ({"length": 800}, "length is 800"),
    ({"temperature": 0}, "temperature is 0; the slider goes from 0.1 to 2.0"),
    ({"temperature": float("nan")}, "temperature is nan"),
    ({"top_p": 1.5}, "top_p is 1.5; the slider goes from 0.05 to 1.0"),
    ({"top_k": 0}, "top_k is 0; give a whole number of at least 1"),
    ({"top_k": 2.5}, "top_k is 2.5"),
]


@pytest.mark.parametrize(("wrong", "problem"), BAD)
def test_what_does_not_go_is_refused_by_name(wrong, problem):
    given = {"models": a_model(), "vocabs": VOCAB, "prompts": "the sea"} | wrong
    with pytest.raises(ValueError, match=problem):
        writer_widget(given.pop("models"), given.pop("vocabs"), given.pop("prompts"), **given)


def test_a_character_that_no_model_knows_and_weights_that_are_none_are_refused():
    with pytest.raises(KeyError, match="GRINNING"):
        writer_widget(a_model(), VOCAB, "😀")
    broken = a_model()
    broken.token.weight.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match="model holds NaN"):
        writer_widget(broken, VOCAB, "a")


# ---- what the view is held to ----


def slowly(model, given, end, u):
    """A text written and judged token by token, each from the part that is read where it stands.

    Places 0 … 22 of a context of 24 are read from the start, then from 12 on up to 34, and so on.
    """
    text, own, room = list(given), [], CONTEXT - 1
    half = (room + 1) // 2
    for place in range(1, end):
        start = 0
        while place - start >= room:
            start += half
        answer = told(model, text[start:place], [u[(place - 5) % len(u)]])
        if place >= len(text):
            text += answer["written"][0].tolist()
        p = model(torch.tensor([text[start : place + 1]]))[0][0, -2].softmax(-1)
        own.append(round(p[text[place]].item(), 4))
    return {"given": given, "text": text, "own": own}


@torch.no_grad()
def golden():
    """Settings; texts, written slowly; and what the model answers to the questions that make them quickly."""
    model, prompt = a_model(), "the s"
    widget = writer_widget({"one": model, "two": a_model(PIECES, 2)}, {"one": VOCAB, "two": PIECES}, prompt)
    settings = widget.settings | {"uniform": numbers(64)}
    ids = VOCAB.encode(prompt)
    first = slowly(model, ids, 5 + 48, settings["uniform"])
    branch = slowly(model, [*first["text"][:40], 3], 5 + 48, settings["uniform"])
    encoded = [[text, PIECES.encode(text)] for text in ("the shore", "", "sea\n 🙂 the")]
    return {"settings": settings, "prompt": prompt, "ids": ids, "texts": [first, branch], "encoded": encoded}


def test_the_golden_texts_that_the_view_is_tested_with_are_those_of_today():
    """After a change: python -m tests.widgets.test_writer writes them anew."""
    stored, today = json.loads(GOLDEN.read_text()), json.loads(json.dumps(golden()))
    for before, now in zip(stored["texts"], today["texts"], strict=True):
        assert before.pop("own") == pytest.approx(now.pop("own"), abs=2e-4)
    assert stored == today


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden()) + "\n")
