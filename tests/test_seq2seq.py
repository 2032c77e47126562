import dataclasses

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from vec2gpt.decoding import greedy
from vec2gpt.seq2seq import HANDOVERS, Seq2Seq, Seq2SeqConfig

CONFIG = Seq2SeqConfig(source_vocab=9, target_vocab=8, width=4, hidden=6)
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0], [5, 5, 4, 0, 0]])  # padded with 0
LENGTHS = torch.tensor([5, 2, 3])
IDS = torch.tensor([[1, 3, 4, 5], [1, 6, 7, 0], [1, 3, 3, 3]])
TARGETS = torch.tensor([[3, 4, 5, 2], [6, 7, 2, -100], [3, 3, 3, 2]])

EQUALS = {"state": {}, "every step": {"handover": "every step"}}
BRIDGED = {
    name: {
        "handover": name,
        "bidirectional": True,
        "encoder": "lstm",
        "encoder_layers": 2,
        "decoder_layers": 3,
    }
    for name in ("sum", "mean", "concat")
}
ALL = {**EQUALS, **BRIDGED, "lstm": {"encoder": "lstm", "decoder": "lstm"}}


def model(**other):
    torch.manual_seed(0)
    return Seq2Seq(dataclasses.replace(CONFIG, **other)).eval()


def torchs(stack, kind):
    """torch.nn's layers with the weights of ours."""
    directions, cells = stack.directions, list(stack.cells)
    theirs = kind(
        stack.width,
        cells[0].hidden,
        len(cells) // directions,
        batch_first=True,
        bidirectional=directions == 2,
    )
    for n, cell in enumerate(cells):
        end = f"_l{n // directions}" + ("_reverse" if n % directions else "")
        for name, weight in cell.named_parameters():
            getattr(theirs, name + end).data = weight.data
    return theirs


@pytest.mark.parametrize(("name", "kind"), [("gru", nn.GRU), ("lstm", nn.LSTM)])
@pytest.mark.parametrize("layers", [1, 2])
def test_two_networks_of_torch_one_after_the_other_say_the_same(name, kind, layers):
    """Packed sequences through torch's encoder, its last states into torch's decoder."""
    ours = model(encoder=name, decoder=name, encoder_layers=layers, decoder_layers=layers)
    encoder, decoder = torchs(ours.encoder.stack, kind), torchs(ours.decoder.stack, kind)
    x = pack_padded_sequence(ours.encoder.embedding(SOURCE), LENGTHS, batch_first=True, enforce_sorted=False)
    _, state = encoder(x)
    h, _ = decoder(ours.decoder.embedding(IDS), state)
    torch.testing.assert_close(ours(SOURCE, IDS)[0], ours.decoder.head(h), atol=1e-6, rtol=0)


def test_the_loss_is_the_log_perplexity_of_all_targets():
    logits, loss = model()(SOURCE, IDS, TARGETS)
    log_p = logits.log_softmax(-1)
    told = [log_p[b, t, y] for b, row in enumerate(TARGETS.tolist()) for t, y in enumerate(row) if y >= 0]
    assert len(told) == 11
    torch.testing.assert_close(loss, -sum(told) / 11)


def test_every_step_reads_the_thought_beside_the_word():
    ours = model(handover="every step", encoder_layers=2, decoder_layers=2)
    memory, state, _ = ours.encoder(SOURCE)
    thought = memory[torch.arange(3), LENGTHS - 1]  # where the last layer ended
    x = torch.cat([ours.decoder.embedding(IDS), thought[:, None].expand(-1, 4, -1)], -1)
    h, _ = ours.decoder.stack(x, state)
    torch.testing.assert_close(ours(SOURCE, IDS)[0], ours.decoder.head(h))


def test_dropout_forgets_parts_of_vectors_and_of_what_the_head_reads():
    ours = model(dropout=0.5).train()
    torch.manual_seed(1)
    logits, _ = ours(SOURCE, IDS)
    torch.manual_seed(1)
    x = F.dropout(ours.encoder.embedding(SOURCE), 0.5)
    _, state = ours.encoder.stack(x, mask=SOURCE != 0)
    h, _ = ours.decoder.stack(F.dropout(ours.decoder.embedding(IDS), 0.5), state)
    torch.testing.assert_close(logits, ours.decoder.head(F.dropout(h, 0.5)))


def test_what_crosses_the_bridge():
    lone = SOURCE[1:2, :2]
    memory = {name: model(**kw).encoder(lone) for name, kw in BRIDGED.items()}
    thoughts = {name: model(**kw).handover.thought(memory[name]) for name, kw in BRIDGED.items()}
    h = memory["sum"].memory[0]  # (2, 12): two tokens, two directions of 6
    torch.testing.assert_close(thoughts["sum"][0], h[0] + h[1])
    torch.testing.assert_close(thoughts["mean"][0], (h[0] + h[1]) / 2)
    # the last layer ends rightward at the last token and leftward at the first
    ends = torch.cat([h[1, :6], h[0, 6:]])
    torch.testing.assert_close(thoughts["concat"][0, 12:], ends)
    made = model(**BRIDGED["concat"])
    first = made.encode(lone).hidden
    assert len(first) == 3
    torch.testing.assert_close(
        torch.cat([state.h for state in first], -1), made.handover.bridge(thoughts["concat"]).tanh()
    )


def test_a_bridge_to_an_lstm_brings_h_and_c_layer_by_layer():
    ours = model(handover="concat", decoder="lstm", decoder_layers=2)
    (ended,) = ours.encoder(SOURCE).state
    bridged = torch.tanh(ended.h @ ours.handover.bridge.weight.T + ours.handover.bridge.bias)
    h, c = bridged.unflatten(1, (2, 2, 6)).permute(2, 1, 0, 3)  # (B, layer, h or c, H), as torch takes them
    decoder = torchs(ours.decoder.stack, nn.LSTM)
    out, _ = decoder(ours.decoder.embedding(IDS), (h.contiguous(), c.contiguous()))
    torch.testing.assert_close(ours(SOURCE, IDS)[0], ours.decoder.head(out), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ALL)
def test_padding_changes_nothing(name):
    ours = model(**ALL[name])
    torch.testing.assert_close(ours(SOURCE[1:2, :2], IDS[1:2])[0], ours(SOURCE, IDS)[0][1:2])


@pytest.mark.parametrize("name", ALL)
def test_a_step_is_a_read_of_one(name):
    ours = model(**ALL[name])
    first, state = ours.start(SOURCE)
    assert first.tolist() == [1, 1, 1]
    whole, _ = ours.read(IDS, state)
    for t in range(4):
        logits, state = ours.step(IDS[:, t], state)
        torch.testing.assert_close(logits, whole[:, t])


@pytest.mark.parametrize("name", ALL)
def test_a_beam_may_reorder_the_state(name):
    ours, order = model(**ALL[name]), torch.tensor([1, 0, 1])
    state = ours.encode(SOURCE)
    moved = torch.utils._pytree.tree_map(lambda x: x.index_select(0, order), state)
    torch.testing.assert_close(
        ours.step(IDS[order, 0], moved)[0], ours.step(IDS[:, 0], state)[0].index_select(0, order)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", HANDOVERS)
def test_the_exported_model_translates_any_length(name):
    def sentences(n):
        source = torch.randint(3, 9, (2, n))
        source[1, (n + 1) // 2 :] = CONFIG.pad
        return source, torch.randint(3, 8, (2, n + 2))

    def answer(ours, source, ids):
        said = greedy(ours.step, *ours.start(source), eos=2, limit=9)  # torch stops early, a graph does not
        return ours(source, ids)[0], F.pad(said, (0, 9 - said.shape[1]), value=2)

    check_export(model(**ALL[name]), answer, sentences, [1, 2, 7, 40], axes=((1,), (1,)))


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"encoder": "lstm"}, "1 lstm cells of the encoder cannot hand their states to 1 gru cells"),
        ({"decoder_layers": 2}, "choose equals"),
        ({"bidirectional": True}, "2 gru cells of the encoder"),
        ({"handover": "smoke"}, "handover is 'smoke': choose one of state"),
        ({"decoder": "elman"}, "decoder is 'elman'"),
        ({"encoder": "elman"}, "encoder is 'elman'"),
        ({"hidden": 0}, "hidden is 0"),
        ({"decoder_layers": 1.5}, "decoder_layers is 1.5: give a whole number"),
        ({"dropout": 1}, "dropout is 1"),
        ({"pad": -1}, "pad is -1"),
        ({"pad": 5, "source_vocab": 5}, "pad is 5, but the source vocabulary has the ids 0 … 4"),
        ({"pad": 8}, "pad is 8, but the target vocabulary has the ids 0 … 7"),
        ({"bos": 8}, "bos is 8, but the target vocabulary has the ids 0 … 7"),
        ({"eos": 8}, "eos is 8, but the target vocabulary has the ids 0 … 7"),
    ],
)
def test_what_does_not_fit_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        model(**other)


def test_ids_outside_the_vocabulary_are_named():
    with pytest.raises(ValueError, match="source_ids hold 9"):
        model()(torch.tensor([[9]]), IDS[:1])
    with pytest.raises(ValueError, match="decoder_ids hold 8"):
        model()(SOURCE[:1], torch.tensor([[8]]))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (torch.tensor([[3, 4], [0, 0]]), r"source 1 is padding alone \(0\)"),
        (torch.zeros(1, 0, dtype=torch.long), "source_ids are empty"),
        (torch.tensor([3, 4]), r"source_ids have the shape \(2,\), not \(B, T\)"),
    ],
)
@pytest.mark.parametrize("name", ["state", "mean"])
def test_a_source_without_a_token_or_a_batch_is_refused(name, source, message):
    for read in (model(**ALL[name]).start, model(**ALL[name]).encode):
        with pytest.raises(ValueError, match=message):
            read(source)


def test_every_way_is_tried_above():
    assert set(HANDOVERS) == set(EQUALS) | set(BRIDGED)
