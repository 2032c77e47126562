import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from vec2gpt.seq2seq import BidirectionalEncoder, Seq2SeqConfig

CONFIG = Seq2SeqConfig(source_vocab=9, target_vocab=8, width=4, hidden=6)
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0], [5, 5, 4, 0, 0]])  # padded with 0


def encoder():
    torch.manual_seed(0)
    return BidirectionalEncoder(CONFIG).eval()


def test_the_encoder_is_torchs_bidirectional_gru_on_packed_sequences():
    ours = encoder()
    gru = nn.GRU(CONFIG.width, CONFIG.hidden, batch_first=True, bidirectional=True)
    cells = {"_l0": ours.rightward, "_l0_reverse": ours.leftward}
    gru.load_state_dict(
        {name + end: weight for end, cell in cells.items() for name, weight in cell.state_dict().items()}
    )
    lengths = torch.tensor([5, 2, 3])
    packed = pack_padded_sequence(ours.embedding(SOURCE), lengths, batch_first=True, enforce_sorted=False)
    states, last = gru(packed)
    states, _ = pad_packed_sequence(states, batch_first=True)

    memory, state, mask = ours(SOURCE)
    assert torch.equal(mask, torch.arange(5) < lengths[:, None])
    torch.testing.assert_close(memory[mask], ours.memory(states)[mask], atol=1e-6, rtol=0)
    torch.testing.assert_close(state.h, ours.bridge(torch.cat([*last], -1)).tanh(), atol=1e-6, rtol=0)


def test_padding_changes_nothing():
    ours = encoder()
    memory, state, _ = ours(SOURCE)
    alone_memory, alone_state, _ = ours(SOURCE[1:2, :2])
    torch.testing.assert_close(memory[1:2, :2], alone_memory)
    torch.testing.assert_close(state.h[1:2], alone_state.h)


def test_every_state_knows_both_sides():
    ours = encoder()
    before = ours(SOURCE)[0][0]
    changed = SOURCE.clone()
    changed[0, 2] = 8
    moved = (ours(changed)[0][0] - before).abs().amax(-1)  # (S,)
    assert (moved > 1e-6).all()


def test_a_source_outside_the_vocabulary_is_named():
    with pytest.raises(ValueError, match="source_ids hold 9"):
        encoder()(torch.tensor([[9]]))
