"""The heat map to repaint: nothing painted changes nothing, what is painted is where the decoder looks."""

import json

import pytest
import torch

from vec2gpt import grammar
from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.decoding import greedy
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.hub import checkpoints
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import Vocab
from vec2gpt.widgets.repaint import STEPS, Repaint, repaint_widget, sharpened

LETTERS, PHONEMES = Vocab.build("abcdeknt"), Vocab.build(["AE", "B", "K", "T", "N", "EH"])
ENGLISH, FRENCH = Vocab.build(["the", "a", "cat", "sees"]), Vocab.build(["le", "un", "chat", "voit"])
KINDS = [
    {},
    {"score": "dot"},
    {"score": "additive", "attention": "bahdanau"},
    {"decoder": "lstm", "encoder": "lstm"},
]


def a_model(source=LETTERS, target=PHONEMES, **options):
    """A model that is sure of little, so that looking elsewhere changes what it says."""
    torch.manual_seed(1)
    model = AttentionSeq2Seq(AttentionConfig(len(source), len(target), **{"width": 6, "hidden": 8} | options))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.8)
    return model.eval()


def source(word="cabdatnek"):
    return torch.tensor([[*LETTERS.encode(word), LETTERS["<eos>"]]])


@torch.no_grad()
def ask(model, painted=None, temperature=1.0, ids=None):
    ids = source() if ids is None else ids
    painted = torch.full((1, STEPS, ids.shape[1]), -1.0) if painted is None else painted
    return Repaint(model)(ids, painted, torch.tensor([temperature]))


def free(size=10):
    return torch.full((1, STEPS, size), -1.0)


@torch.no_grad()
@pytest.mark.parametrize("options", KINDS)
def test_with_nothing_painted_both_readings_are_greedy_decoding_and_the_models_own_weights(options):
    model = a_model(**options)
    ids, weights, probabilities = ask(model)
    assert torch.equal(ids[0], ids[1]) and torch.allclose(weights[0], weights[1], atol=1e-6)
    said = greedy(model.step, *model.start(source()), eos=model.config.eos, limit=STEPS)[0]
    assert ids[0, : len(said)].tolist() == said.tolist()
    read = torch.cat([torch.tensor([[model.config.bos]]), ids[:1, :-1]], 1)
    logits, own, _ = model.decoder(read, model.encode(source()))
    assert torch.allclose(weights[0], own[0], atol=1e-5)
    assert torch.allclose(probabilities[0], logits[0].softmax(-1).amax(-1), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("options", KINDS)
def test_the_decoder_sees_what_is_painted_and_goes_on_from_what_it_says_then(options):
    model, painted = a_model(**options), free()
    painted[0, 2] = torch.eye(10)[7]
    painted[0, 4] = 0.1
    ids, weights, probabilities = ask(model, painted)
    assert torch.equal(weights[1, 2], torch.eye(10)[7]) and torch.allclose(weights[1, 4], torch.tensor(0.1))
    assert torch.equal(ids[0, :2], ids[1, :2])  # nothing before changes
    state, last = model.encode(source()), torch.tensor([model.config.bos])
    for t in range(STEPS):  # a plain loop that knows nothing of the widget
        row = painted[:, t : t + 1]
        change = (lambda w, row=row: row) if (row >= 0).all() else None
        logits, own, state = model.decoder(last[:, None], state, change=change)
        p, last = logits[:, 0].softmax(-1).max(-1)
        assert last == ids[1, t] and torch.allclose(own[0, 0], weights[1, t], atol=1e-5)
        assert p.item() == pytest.approx(probabilities[1, t].item(), abs=1e-5)


def test_painting_changes_what_is_said():
    painted = free()
    painted[0, 0] = torch.eye(10)[9]
    ids, _, probabilities = ask(a_model(), painted)
    assert not torch.equal(ids[0], ids[1]) or not torch.allclose(probabilities[0], probabilities[1])


@torch.no_grad()
@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0, 5.0])
def test_a_temperature_is_that_of_the_softmax_over_the_scores(temperature):
    model = a_model()
    _, weights, *_ = ask(model, temperature=temperature)
    first = torch.tensor([[model.config.bos]])
    state = model.encode(source())
    hidden, _ = model.decoder.stack(model.decoder.embed(first), state.hidden)
    scores = model.decoder.score.compare(hidden, state.keys)
    assert torch.allclose(weights[1, 0], (scores / temperature).softmax(-1)[0, 0], atol=1e-5)
    assert torch.allclose(weights[0, 0], scores.softmax(-1)[0, 0], atol=1e-5)  # the model alone


def test_a_temperature_leaves_painted_rows_alone():
    painted = free()
    painted[0, 1] = torch.tensor([0.5, 0.5] + [0.0] * 8)
    _, weights, *_ = ask(a_model(), painted, temperature=3.0)
    assert torch.equal(weights[1, 1], painted[0, 1])


def test_weights_are_sharpened_by_a_power():
    assert sharpened(torch.tensor([0.75, 0.25]), 2).tolist() == pytest.approx([0.9, 0.1])
    flat = sharpened(torch.tensor([1.0, 0.0, 0.0]), 10)
    assert flat.tolist() == [1, 0, 0]


def test_weights_as_sharp_as_can_be_still_sum_to_1():
    small = sharpened(torch.tensor([[0.34, 0.33, 0.33], [0.5, 0.5, 0.0]]), 100)  # 0.34¹⁰⁰ is no float32
    assert small[0].tolist() == pytest.approx([0.9082, 0.0459, 0.0459], abs=1e-4)
    assert small[1].tolist() == [0.5, 0.5, 0]
    _, weights, _ = ask(a_model(), temperature=0.01)
    assert torch.allclose(weights.sum(-1), torch.tensor(1.0))


def test_a_row_with_one_negative_number_is_free_as_a_whole():
    painted = free()
    painted[0, 1] = torch.tensor([0.5, -1.0, 0.5] + [0.0] * 7)
    for one, alone in zip(ask(a_model(), painted), ask(a_model()), strict=True):
        assert torch.equal(one, alone)


@pytest.mark.parametrize(
    ("row", "temperature", "said"),
    [
        ([0.5] + [0.0] * 9, 1.0, "sums to 0.500"),
        ([2.0] * 10, 1.0, "sums to 20"),
        ([torch.nan] + [0.1] * 9, 1.0, "sums to nan"),
        (None, 0.0, "temperature is 0"),
    ],
)
def test_what_is_no_average_is_refused(row, temperature, said):
    painted = free()
    if row:
        painted[0, 3] = torch.tensor(row)
    with pytest.raises(ValueError, match=said):
        ask(a_model(), painted, temperature)


# ---- the widget ----

PAIR = grammar.Pair(("the", "cat", "sees"), ("le", "chat", "voit"), frozenset({(1, 1), (0, 0), (2, 2)}))
BOTH = {"letters": a_model(), "words": a_model(ENGLISH, FRENCH)}
VOCABS = {"letters": (LETTERS, PHONEMES), "words": (ENGLISH, FRENCH)}


def test_one_widget_shows_models_that_read_letters_and_models_that_read_words():
    widget = repaint_widget(BOTH, VOCABS, "cat", examples=["tank", "a cat sees", PAIR], temperature=2)
    kinds, settings = widget.settings["models"], widget.settings
    assert [kind["reads"] for kind in kinds.values()] == ["letters", "words"]
    assert kinds["letters"]["known"] == "abcdeknt" and sorted(kinds["words"]["known"]) == sorted(
        ENGLISH.tokens[3:]
    )
    assert settings["texts"] == {"letters": "cat", "words": "a cat sees"}
    assert settings["examples"] == ["tank", "a cat sees", "the cat sees"]
    assert settings["gold"] == {
        "the cat sees": {"target": ["le", "chat", "voit"], "links": [[0, 0], [1, 1], [2, 2]]}
    }
    assert widget.first["weights"]["dims"] == [2, STEPS, 4] and settings["temperature"] == 2
    json.dumps([settings, widget.first], allow_nan=False)


def test_it_begins_with_words_where_the_first_model_reads_them():
    widget = repaint_widget(dict(reversed(BOTH.items())), VOCABS, "the cat", examples=["cat", "tank"])
    assert widget.settings["texts"] == {"words": "the cat", "letters": "cat"}
    asked = torch.tensor([[ENGLISH["the"], ENGLISH["cat"], ENGLISH["<eos>"]]])
    expected, *_ = ask(BOTH["words"], free(3), ids=asked)
    assert widget.first["ids"]["data"] == expected.flatten().tolist()


def test_the_trained_models_are_shown():
    model, vocabs, _ = checkpoints.load("grammar-attention")
    pair = grammar.split(60, length=(5, 5)).train[0]
    widget = repaint_widget(
        model, (vocabs["source"], vocabs["target"]), " ".join(pair.source), examples=[pair]
    )
    said = vocabs["target"].decode(widget.first["ids"]["data"])
    assert said[: len(pair.target) + 1] == [*pair.target, "<eos>"]


LONE = a_model()


@pytest.mark.parametrize(
    ("models", "vocabs", "text", "options", "said"),
    [
        ({}, VOCABS, "cat", {}, "no model"),
        (
            Seq2Seq(Seq2SeqConfig(11, 9)),
            (LETTERS, PHONEMES),
            "cat",
            {},
            "model is a Seq2Seq, without attention",
        ),
        (GPT(GPTConfig(5)), (LETTERS, PHONEMES), "cat", {}, "model is a GPT, without a source"),
        (LONE, (LETTERS, PHONEMES), "", {}, "'' has 0 letters; give 1 to 24"),
        (LONE, (LETTERS, PHONEMES), "a" * 25, {}, "has 25 letters; give 1 to 24"),
        (LONE, (LETTERS, PHONEMES), "cat!", {}, "holds '!'; the model knows abcdeknt"),
        (LONE, (LETTERS, PHONEMES), "Cat", {}, "holds 'C'"),
        (BOTH["words"], (ENGLISH, FRENCH), "the dog", {}, "holds 'dog'; the model knows 4 words"),
        (BOTH["words"], (ENGLISH, FRENCH), "<eos>", {}, "holds '<eos>'"),
        (BOTH["words"], (ENGLISH, FRENCH), " ".join(["cat"] * 25), {}, "has 25 words"),
        (BOTH, VOCABS, "cat", {}, "words reads words, and no text is of such: give an example"),
        (BOTH, VOCABS, "cat", {"examples": ["the cat", "zoo"]}, "'zoo' holds 'o', 'z'.*'zoo' holds 'zoo'"),
        (
            LONE,
            (LETTERS, PHONEMES),
            "cat",
            {"temperature": 0},
            "temperature is 0; the slider goes from 0.1 to 5",
        ),
        (LONE, (LETTERS, PHONEMES), "cat", {"temperature": float("nan")}, "temperature is nan"),
    ],
)
def test_the_widget_says_what_it_takes(models, vocabs, text, options, said):
    with pytest.raises(ValueError, match=said):
        repaint_widget(models, vocabs, text, **options)
