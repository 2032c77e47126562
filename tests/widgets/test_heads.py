"""Heads to look at and to switch off: all on, it is the model; one off, it is the model without it."""

import json

import pytest
import torch

from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.decoding import greedy
from vec2gpt.text import Vocab
from vec2gpt.transformer import Transformer, TransformerConfig
from vec2gpt.widgets.heads import LIMIT, OUTPUTS, STEPS, Heads, heads_widget

LETTERS, PHONEMES = Vocab.build("abcdeknt"), Vocab.build(["AE", "B", "K", "T", "N", "EH"])
ENGLISH, FRENCH = Vocab.build(["the", "a", "cat", "sees"]), Vocab.build(["le", "un", "chat", "voit"])
L, H, K = 2, 3, 4
KINDS = ["encoder", "decoder", "cross"]


def a_model(source=LETTERS, target=PHONEMES, **options):
    """A model that is sure of little, so that it says something else without a head."""
    torch.manual_seed(2)
    sizes = {"context": 24, "width": H * K, "heads": H, "inner": 16, "encoder_layers": L, "decoder_layers": L}
    model = Transformer(TransformerConfig(len(source), len(target), **sizes | options))
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data *= 2
    return model.eval()


def source(word="cabdatnek"):
    return torch.tensor([[*LETTERS.encode(word), LETTERS["<eos>"]]])


@torch.no_grad()
def ask(model, causal=1, ids=None, **off):
    """The answer, by name; off: kind → (layer, head) pairs."""
    ids = source() if ids is None else ids
    on = {kind: torch.ones(L, H) for kind in KINDS}
    for kind, heads in off.items():
        for layer, head in heads:
            on[kind][layer, head] = 0
    return dict(zip(OUTPUTS, Heads(model)(ids, *on.values(), torch.tensor([causal])), strict=True))


def without(model, **off):
    """The same model, whose W_O no longer hears some heads: what switching them off must mean."""
    rows = {
        "encoder": [block.attention.sublayer for block in model.encoder],
        "decoder": [block.attention.sublayer for block in model.decoder],
        "cross": [block.cross.sublayer for block in model.decoder],
    }
    for kind, heads in off.items():
        for layer, head in heads:
            rows[kind][layer].output.weight.data[:, head * K : (head + 1) * K] = 0
    return model


def spoken(row, model):
    ids = row.tolist()
    return ids[: ids.index(model.config.eos) + 1] if model.config.eos in ids else ids


def reads(model, ids):
    """What the decoder reads to say ids (1, T)."""
    return torch.cat([torch.tensor([[model.config.bos]]), ids[:, :-1]], 1)


POSITIONS = pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])


@torch.no_grad()
@POSITIONS
def test_with_all_heads_on_both_readings_are_the_model(positions):
    model = a_model(positions=positions)
    answer = ask(model)
    said = greedy(model.step, *model.start(source()), eos=model.config.eos, limit=STEPS)
    for row in answer["ids"]:
        assert spoken(row, model) == spoken(said[0], model)
    read = reads(model, answer["ids"][:1])
    looks, logits = model.look(source(), read), model(source(), read)[0]
    for kind, weights in looks._asdict().items():
        assert torch.allclose(answer[kind], weights[0], atol=1e-5), kind
    p = logits.softmax(-1).gather(-1, answer["ids"][:1, :, None])[..., 0]
    assert torch.allclose(answer["probabilities"], p.expand(2, -1), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(
    "off",
    [
        {"encoder": [(0, 1)]},
        {"decoder": [(1, 2)]},
        {"cross": [(0, 0), (1, 1)]},
        {"encoder": [(1, 0)], "decoder": [(0, 0)], "cross": [(0, 2)]},
        {kind: [(layer, head) for layer in range(L) for head in range(H)] for kind in KINDS},
    ],
)
def test_a_head_that_is_off_is_one_that_the_output_matrix_no_longer_hears(off):
    answer, other = ask(a_model(), **off), without(a_model(), **off)
    expected = ask(other)
    for name in OUTPUTS:
        ours, theirs = answer[name], expected[name]
        if name in OUTPUTS[:3]:  # of both readings the changed one
            ours, theirs = ours[1], theirs[0]
        assert torch.allclose(ours, theirs, atol=1e-5), name
    said = greedy(other.step, *other.start(source()), eos=other.config.eos, limit=STEPS)
    assert spoken(answer["ids"][1], other) == spoken(said[0], other)


def test_a_head_that_is_off_leaves_the_model_alone_as_it_was():
    answer, whole = ask(a_model(), decoder=[(0, 0)], cross=[(0, 1), (1, 1)]), ask(a_model())
    assert torch.equal(answer["ids"][0], whole["ids"][0])
    assert torch.allclose(answer["probabilities"][0], whole["probabilities"][0], atol=1e-6)
    assert not torch.allclose(answer["probabilities"][1], whole["probabilities"][1], atol=1e-3)


def test_switches_beyond_the_models_own_heads_do_nothing():
    larger = torch.ones(L + 2, H + 1)
    larger[L:], larger[:, H:] = 0, 0
    with torch.no_grad():
        given = Heads(a_model())(source(), larger, larger, larger, torch.tensor([1]))
    for ours, expected in zip(given, ask(a_model()).values(), strict=True):
        assert torch.allclose(ours, expected, atol=1e-6)


@pytest.mark.parametrize("off", [{}, {"cross": [(0, 0)]}])
def test_with_the_mask_what_is_said_is_the_likeliest_when_all_is_read_at_once(off):
    model = a_model()
    answer = ask(model, **off)
    for ids, guesses in zip(answer["ids"], answer["guesses"], strict=True):
        length = len(spoken(ids, model))
        assert torch.equal(ids[:length], guesses[:length])
    assert not answer["decoder"].triu(1).any()


@torch.no_grad()
def test_without_the_mask_the_decoder_is_one_that_sees_all_that_was_said():
    model, read = a_model(eos=6), source("bbt")  # by chance it says 6 in the middle, which ends it
    masked, answer = ask(model, ids=read), ask(model, causal=0, ids=read)
    assert torch.equal(answer["ids"], masked["ids"])  # nothing is there yet to be seen while it is said
    length = len(spoken(answer["ids"][1], model))
    assert 2 < length < STEPS
    x = model.target(reads(model, answer["ids"][:1, :length]), torch.arange(length))
    memory = model.remember(read)
    for block, *remembered in zip(model.decoder, memory.keys, memory.values, strict=True):
        x = block(x, remembered)  # `attend_fused` without a mask
    p = model.head(model.decoded(x)).softmax(-1)
    said = p.gather(-1, answer["ids"][:1, :length, None])[0, :, 0]
    assert torch.allclose(answer["probabilities"][1, :length], said, atol=1e-5)
    assert torch.equal(answer["guesses"][1, :length], p.argmax(-1)[0])
    assert torch.allclose(answer["probabilities"][0], masked["probabilities"][0], atol=1e-6)
    assert answer["decoder"][:, :, :length, :length].triu(1).any()
    assert not answer["decoder"][:, :, :length, length:].any()  # what fills up behind the end is not there


# ---- the widget ----

BOTH = {"letters": a_model(), "words": a_model(ENGLISH, FRENCH, encoder_layers=1, heads=2)}
VOCABS = {"letters": (LETTERS, PHONEMES), "words": (ENGLISH, FRENCH)}


def test_one_widget_shows_models_of_several_sizes_that_read_letters_or_words():
    widget = heads_widget(BOTH, VOCABS, "cat", examples=["tank", "a cat sees"])
    kinds, settings = widget.settings["models"], widget.settings
    assert [kind["reads"] for kind in kinds.values()] == ["letters", "words"]
    assert kinds["letters"]["layers"] == {"encoder": 2, "decoder": 2, "cross": 2}
    assert kinds["words"]["layers"] == {"encoder": 1, "decoder": 2, "cross": 2}
    assert [kind["heads"] for kind in kinds.values()] == [3, 2] and settings["size"] == [2, 3]
    assert settings["texts"] == {"letters": "cat", "words": "a cat sees"} and settings["limit"] == LIMIT
    assert widget.first["ids"]["data"] == ask(BOTH["letters"], ids=source("cat"))["ids"].flatten().tolist()
    asked = {
        "source_ids": torch.tensor([[*ENGLISH.encode(["the", "cat"]), ENGLISH["<eos>"]]]),
        **{f"{kind}_on": torch.ones(2, 3) for kind in KINDS},
        "causal": torch.tensor([1]),
    }
    answer = widget.answer("words", asked)
    assert answer["encoder"].shape == (1, 2, 3, 3) and answer["cross"].shape == (2, 2, STEPS, 3)
    json.dumps([settings, widget.first], allow_nan=False)


LONE = a_model()


@pytest.mark.parametrize(
    ("models", "vocabs", "text", "options", "said"),
    [
        ({}, VOCABS, "cat", {}, "no model"),
        (
            AttentionSeq2Seq(AttentionConfig(11, 9, width=4, hidden=4)),
            (LETTERS, PHONEMES),
            "cat",
            {},
            "model is a AttentionSeq2Seq, without heads: give a Transformer",
        ),
        (
            a_model(context=12),
            (LETTERS, PHONEMES),
            "cat",
            {},
            "room for 12 tokens: .* at least 17",
        ),
        (LONE, (LETTERS, PHONEMES), "a" * 17, {}, "has 17 letters; give 1 to 16"),
        (BOTH, VOCABS, "cat", {}, "words reads words, and no text is of such: give an example"),
    ],
)
def test_the_widget_says_what_it_takes(models, vocabs, text, options, said):
    with pytest.raises(ValueError, match=said):
        heads_widget(models, vocabs, text, **options)
