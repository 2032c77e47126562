"""vec2gpt.attentive: Bahdanau's and Luong's decoders, and the model around them."""

import dataclasses
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch.utils import _pytree as pytree

from vec2gpt.attention import SCORES
from vec2gpt.attentive import DECODERS, AttentionConfig, AttentionSeq2Seq
from vec2gpt.decoding import greedy
from vec2gpt.hub import checkpoints
from vec2gpt.search import beam_search
from vec2gpt.seq2seq import Seq2Seq
from vec2gpt.text import Vocab

CONFIG = AttentionConfig(source_vocab=9, target_vocab=8, width=4, hidden=6)
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0], [5, 5, 4, 0, 0]])  # padded with 0
LENGTHS = torch.tensor([5, 2, 3])
IDS = torch.tensor([[1, 3, 4, 5], [1, 6, 7, 0], [1, 3, 3, 3]])
B, S, T = 3, 5, 4

ONE_WAY = {"bidirectional": False, "handover": "state"}
ENCODERS = {
    "one way": ONE_WAY,
    "one way, 2 layers": {**ONE_WAY, "encoder_layers": 2, "decoder_layers": 2},
    "both ways": {},
    "both ways, 2 layers": {"decoder_layers": 2},
    "both ways, lstm": {"encoder": "lstm", "decoder": "lstm"},
}
ALL = {
    f"{attention}, {score}, {encoder}": {"attention": attention, "score": score, **ENCODERS[encoder]}
    for attention, score, encoder in product(DECODERS, SCORES, ENCODERS)
}
SOME = [name for name in ALL if "scaled dot" in name or name.endswith("both ways")]
every_model = pytest.mark.parametrize("name", ALL)
some_models = pytest.mark.parametrize("name", SOME)  # every score once, every encoder once
both_decoders = pytest.mark.parametrize("attention", DECODERS)


def model(**other):
    """A model so small that its equations can be followed; float64 shows what rounding would hide."""
    torch.manual_seed(0)
    return AttentionSeq2Seq(dataclasses.replace(CONFIG, **other)).double().eval()


def only(place):
    """Look at one place, whatever the weights."""
    return lambda weights: F.one_hot(torch.full(weights.shape[:-1], place), weights.shape[-1]).to(weights)


def gru(cell, x, h):
    """Torch's own step, without a batch."""
    return torch.gru_cell(x[None], h[None], *cell.parameters())[0]


# ---- the equations ----


def test_bahdanau_step_by_step():
    ours = model(attention="bahdanau", score="additive")
    W, U, v = (
        layer.weight for layer in (ours.decoder.score.query, ours.decoder.score.key, ours.decoder.score.score)
    )
    combine, head = ours.decoder.combine, ours.decoder.head
    for n, length in enumerate(LENGTHS):  # each sentence alone, without padding
        states = ours.join(ours.encoder(SOURCE[n : n + 1, :length]).memory)[0]  # (S, hidden)
        s = ours.encode(SOURCE)[0][0].h[n]
        logits, weights = [], []
        for y in ours.decoder.embedding(IDS[n]):
            e = torch.stack([v[0] @ torch.tanh(W @ s + U @ h) for h in states])
            alpha = e.exp() / e.exp().sum()
            c = sum(a * h for a, h in zip(alpha, states, strict=True))
            s = gru(ours.decoder.stack.cells[0], torch.cat([y, c]), s)
            logits.append(head(torch.tanh(combine(torch.cat([c, s])))))
            weights.append(alpha)
        torch.testing.assert_close(ours(SOURCE, IDS)[0][n], torch.stack(logits))
        torch.testing.assert_close(ours.look(SOURCE, IDS)[n, :, :length], torch.stack(weights))


def test_luong_step_by_step():
    ours = model(attention="luong", score="general")
    W = ours.decoder.score.key.weight
    combine, head = ours.decoder.combine, ours.decoder.head
    for n, length in enumerate(LENGTHS):
        states = ours.join(ours.encoder(SOURCE[n : n + 1, :length]).memory)[0]  # (S, hidden)
        h = ours.encode(SOURCE)[0][0].h[n]
        logits, weights = [], []
        for y in ours.decoder.embedding(IDS[n]):
            h = gru(ours.decoder.stack.cells[0], y, h)
            e = torch.stack([h @ W @ state for state in states])
            alpha = e.exp() / e.exp().sum()
            c = sum(a * state for a, state in zip(alpha, states, strict=True))
            logits.append(head(torch.tanh(combine(torch.cat([c, h])))))
            weights.append(alpha)
        torch.testing.assert_close(ours(SOURCE, IDS)[0][n], torch.stack(logits))
        torch.testing.assert_close(ours.look(SOURCE, IDS)[n, :, :length], torch.stack(weights))


@pytest.mark.parametrize("layers", [1, 2])
@both_decoders
def test_bahdanau_looks_before_it_reads_and_luong_after(attention, layers):
    """Another token at step 1 moves Luong's weights from there on, Bahdanau's from the next step on."""
    ours, other = model(attention=attention, decoder_layers=layers), IDS.clone()
    other[:, 1] = 2
    moved = (ours.look(SOURCE, other) - ours.look(SOURCE, IDS)).abs().amax((0, 2)) > 1e-9  # (T,)
    assert (
        moved.tolist()
        == {"bahdanau": [False, False, True, True], "luong": [False, True, True, True]}[attention]
    )


def test_of_several_layers_the_last_one_asks():
    ours = model(attention="bahdanau", decoder_layers=2)
    state = ours.encode(SOURCE)
    _, before, _ = ours.decoder(IDS[:, :1], state)
    for layer, asks in enumerate((False, True)):
        hidden = list(state.hidden)
        hidden[layer] = hidden[layer]._replace(h=-hidden[layer].h)
        _, after, _ = ours.decoder(IDS[:, :1], state._replace(hidden=tuple(hidden)))
        assert torch.equal(before, after) == (not asks)


@both_decoders
def test_only_bahdanaus_cells_learn_where_it_looked(attention):
    ours = model(attention=attention)
    state = ours.encode(SOURCE)
    (_, free), (_, held) = ours.read(IDS, state), ours.read(IDS, state, change=only(0))
    told = not torch.equal(free.hidden[0].h, held.hidden[0].h)
    assert told == (attention == "bahdanau")


# ---- another place to look ----


@pytest.mark.parametrize("place", [0, 1])
@both_decoders
def test_who_must_look_at_one_place_sees_its_state(attention, place):
    ours = model(attention=attention)
    state = ours.encode(SOURCE)
    seen = state._replace(memory=state.memory[:, place : place + 1].expand(B, S, -1))  # the same everywhere
    held, _ = ours.read(IDS, state, change=only(place))
    torch.testing.assert_close(held, ours.read(IDS, seen)[0])
    assert not torch.allclose(held, ours.read(IDS, state)[0])
    assert (ours.look(SOURCE, IDS, change=only(place))[..., place] == 1).all()


@both_decoders
def test_a_change_that_changes_nothing_changes_nothing(attention):
    ours = model(attention=attention)
    state = ours.encode(SOURCE)
    assert torch.equal(ours.read(IDS, state, change=lambda weights: weights)[0], ours.read(IDS, state)[0])


@both_decoders
def test_the_change_sees_every_weight_there_is(attention):
    ours, seen = model(attention=attention), []

    def note(weights):
        seen.append(weights)
        return weights

    weights = ours.look(SOURCE, IDS, change=note)
    assert torch.equal(torch.cat(seen, 1), weights)  # Luong's at once, Bahdanau's step by step


# ---- every model ----


@every_model
def test_writing_by_steps_is_writing_at_once(name):
    ours = model(**ALL[name])
    state = ours.encode(SOURCE)
    logits, weights, last = ours.decoder(IDS, state)
    torch.testing.assert_close(ours(SOURCE, IDS)[0], logits)
    for t in range(T):
        (looked, state_), said = ours.decoder(IDS[:, t : t + 1], state)[1:], ours.step(IDS[:, t], state)
        torch.testing.assert_close(said[0], logits[:, t])
        torch.testing.assert_close(looked[:, 0], weights[:, t])
        torch.testing.assert_close(said[1], state_)
        state = state_
    torch.testing.assert_close(state, last)


@some_models
def test_padding_changes_nothing_and_is_not_looked_at(name):
    ours = model(**ALL[name])
    logits, weights = ours(SOURCE, IDS)[0], ours.look(SOURCE, IDS)
    torch.testing.assert_close(ours(SOURCE[1:2, :2], IDS[1:2])[0], logits[1:2])
    torch.testing.assert_close(ours.look(SOURCE[1:2, :2], IDS[1:2]), weights[1:2, :, :2])
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, T, dtype=torch.double))
    assert not weights[1, :, 2:].any() and not weights[2, :, 3:].any()


@some_models
def test_every_parameter_learns(name):
    ours = model(**ALL[name]).train()
    targets = torch.tensor([[3, 4, 5, 2], [6, 7, 2, -100], [3, 3, 3, 2]])
    ours(SOURCE, IDS, targets)[1].backward()
    assert [name for name, weight in ours.named_parameters() if not weight.grad.abs().max() > 1e-9] == []


@some_models
def test_a_beam_may_reorder_the_state(name):
    ours, order = model(**ALL[name]), torch.tensor([1, 0, 1])
    state = ours.encode(SOURCE)
    moved = pytree.tree_map(lambda leaf: leaf.index_select(0, order), state)
    torch.testing.assert_close(ours.step(IDS[order, 0], moved)[0], ours.step(IDS[:, 0], state)[0][order])


# ---- the memory ----


@pytest.mark.parametrize("encoder", ["one way", "both ways"])
def test_what_a_state_in_memory_knows(encoder):
    """Of one direction what came before, of two both sides. Another token at place 2 tells which."""
    ours, other = model(**ENCODERS[encoder]), SOURCE.clone()
    other[0, 2] = 8
    moved = (ours.encode(other).memory - ours.encode(SOURCE).memory)[0].abs().amax(-1) > 1e-9  # (S,)
    assert moved.tolist() == [encoder == "both ways"] * 2 + [True] * 3


def test_what_attention_adds_is_counted():
    """To the same encoder-decoder without it: two directions joined, the context joined, the score."""
    config = dataclasses.replace(CONFIG, score="dot")
    D, sizes = config.hidden, []
    for kind in (AttentionSeq2Seq, Seq2Seq):
        sizes.append(sum(weight.numel() for weight in kind(config).parameters()))
    assert sizes[0] - sizes[1] == 2 * (2 * D * D + D)


def test_dropout_forgets_parts_of_vectors_and_of_what_the_head_reads():
    ours = model(dropout=0.5).train()
    torch.manual_seed(1)
    logits, _ = ours(SOURCE, IDS)
    torch.manual_seed(1)
    state = ours.encode(SOURCE)
    h, _ = ours.decoder.stack(F.dropout(ours.decoder.embedding(IDS), 0.5), state.hidden)
    context, _ = ours.decoder.look(h, state)
    said = torch.tanh(ours.decoder.combine(torch.cat([context, h], -1)))
    torch.testing.assert_close(logits, ours.decoder.head(F.dropout(said, 0.5)))


# ---- in use ----


@both_decoders
def test_greedy_says_what_is_likeliest_after_what_it_said(attention):
    ours = model(attention=attention)
    said = greedy(ours.step, *ours.start(SOURCE), eos=CONFIG.eos, limit=9)
    read = torch.cat([torch.ones_like(said[:, :1]), said[:, :-1]], 1)
    likeliest = ours(SOURCE, read)[0].argmax(-1)
    ended = (read == CONFIG.eos).cumsum(1) > 0
    assert torch.equal(torch.where(ended, CONFIG.eos, likeliest), said)


@both_decoders
def test_a_beam_knows_how_likely_its_texts_are(attention):
    ours, width, limit = model(attention=attention), 4, 5
    beam = beam_search(ours.step, *ours.start(SOURCE), eos=CONFIG.eos, width=width, limit=limit)
    for n, k in product(range(B), range(width)):
        said = beam.ids[n, k]
        end = (said == CONFIG.eos).int().argmax() + 1 if (said == CONFIG.eos).any() else limit
        read = torch.cat([torch.tensor([CONFIG.bos]), said[: end - 1]])[None]
        log_p = ours(SOURCE[n : n + 1], read)[0].log_softmax(-1)[0]
        torch.testing.assert_close(log_p.gather(1, said[:end, None]).sum(), beam.log_p[n, k])


@both_decoders
def test_a_checkpoint_brings_it_back(attention, tmp_path):
    ours = model(attention=attention, score="additive", decoder_layers=2)
    vocabs = {"source": Vocab.build("abcdef"), "target": Vocab.build("uvwxy")}
    checkpoints.save(ours, tmp_path / "one", vocabs=vocabs, seed=0, steps=1, data="sha256:0", metrics={})
    back = checkpoints.load(tmp_path / "one").model
    assert back.config == ours.config
    for got, expected in (
        (back(SOURCE, IDS)[0], ours(SOURCE, IDS)[0]),
        (back.look(SOURCE, IDS), ours.look(SOURCE, IDS)),
    ):
        torch.testing.assert_close(got.double(), expected, atol=1e-2, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize(("attention", "score"), [("luong", "scaled dot"), ("bahdanau", "additive")])
def test_the_exported_model_looks_and_translates_at_any_length(attention, score):
    def sentences(n):
        source = torch.randint(3, 9, (2, n))
        source[1, (n + 1) // 2 :] = CONFIG.pad
        return source, torch.randint(3, 8, (2, n + 2))

    def answer(ours, source, ids):
        said = greedy(ours.step, *ours.start(source), eos=2, limit=9)  # torch stops early, a graph does not
        return ours(source, ids)[0], ours.look(source, ids), F.pad(said, (0, 9 - said.shape[1]), value=2)

    check_export(
        model(attention=attention, score=score).float(), answer, sentences, [1, 2, 7, 40], axes=((1,), (1,))
    )


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"score": "cosine"}, "score is 'cosine': choose one of dot, scaled dot, general, additive, concat"),
        ({"attention": "away"}, "attention is 'away': choose one of bahdanau, luong"),
        ({"handover": "every step"}, "handover is 'every step', .* choose 'state', or 'concat'"),
        ({"handover": "state"}, "2 gru cells of the encoder cannot hand their states to 1 gru"),
        ({"hidden": 0}, "hidden is 0"),
    ],
)
def test_what_does_not_fit_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        model(**other)


@both_decoders
def test_ids_that_it_cannot_read_are_named(attention):
    ours = model(attention=attention)
    for source, message in (
        (torch.tensor([[9]]), "source_ids hold 9"),
        (SOURCE[:, :0], "source_ids are empty"),
        (SOURCE[0], r"source_ids have the shape \(5,\)"),
        (torch.tensor([[3], [0]]), "source 1 is padding alone"),
    ):
        with pytest.raises(ValueError, match=message):
            ours.start(source)
    with pytest.raises(ValueError, match="decoder_ids hold 8"):
        ours.look(SOURCE[:1], torch.tensor([[8]]))
