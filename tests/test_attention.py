import math

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from vec2gpt.attention import (
    AttentionConfig,
    AttentionSeq2Seq,
    BidirectionalEncoder,
    attend,
    attend_fused,
    attention_weights,
)
from vec2gpt.decoding import greedy

B, T, S, K = 2, 3, 5, 4
CONFIG = AttentionConfig(source_vocab=9, target_vocab=8, width=4, hidden=6)
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0]])
IDS = torch.tensor([[1, 3, 4, 5], [1, 6, 7, 0]])


def qkv():
    torch.manual_seed(0)
    return torch.randn(B, T, K), torch.randn(B, S, K), torch.randn(B, S, K)


def translator():
    torch.manual_seed(0)
    return AttentionSeq2Seq(CONFIG).eval()


# ---- the encoder ----

SENTENCES = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0], [5, 5, 4, 0, 0]])  # padded with 0


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
    packed = pack_padded_sequence(ours.embedding(SENTENCES), lengths, batch_first=True, enforce_sorted=False)
    states, last = gru(packed)
    states, _ = pad_packed_sequence(states, batch_first=True)

    memory, state, mask = ours(SENTENCES)
    assert torch.equal(mask, torch.arange(5) < lengths[:, None])
    torch.testing.assert_close(memory[mask], ours.memory(states)[mask], atol=1e-6, rtol=0)
    torch.testing.assert_close(state.h, ours.bridge(torch.cat([*last], -1)).tanh(), atol=1e-6, rtol=0)


def test_padding_changes_nothing():
    ours = encoder()
    memory, state, _ = ours(SENTENCES)
    alone_memory, alone_state, _ = ours(SENTENCES[1:2, :2])
    torch.testing.assert_close(memory[1:2, :2], alone_memory)
    torch.testing.assert_close(state.h[1:2], alone_state.h)


def test_every_state_knows_both_sides():
    ours = encoder()
    before = ours(SENTENCES)[0][0]
    changed = SENTENCES.clone()
    changed[0, 2] = 8
    moved = (ours(changed)[0][0] - before).abs().amax(-1)  # (S,)
    assert (moved > 1e-6).all()


def test_a_source_outside_the_vocabulary_is_named():
    with pytest.raises(ValueError, match="source_ids hold 9"):
        encoder()(torch.tensor([[9]]))


# ---- attend ----


def test_attend_by_hand():
    q = torch.tensor([[math.sqrt(2) * math.log(3), 0.0]])
    k, v = torch.eye(2), torch.tensor([[4.0], [8.0]])
    out, weights = attend(q, k, v)
    torch.testing.assert_close(weights, torch.tensor([[0.75, 0.25]]))
    torch.testing.assert_close(out, torch.tensor([[5.0]]))


@pytest.mark.parametrize("masked", [False, True])
def test_attend_is_torchs_scaled_dot_product_attention(masked):
    q, k, v = qkv()
    mask = torch.rand(B, T, S) > 0.5 if masked else None
    if masked:
        mask[..., 0] = True  # each row may look somewhere
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(attend(q, k, v, mask)[0], expected)
    torch.testing.assert_close(attend_fused(q, k, v, mask), expected)


def test_weights_add_up_to_1_and_nothing_looks_behind_the_mask():
    q, k, _ = qkv()
    mask = torch.arange(S) < 2
    weights = attention_weights(q, k, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, T))
    assert (weights[..., 2:] == 0).all()


@pytest.mark.parametrize("attend", [lambda *x: attend(*x)[0], attend_fused])
def test_who_may_look_nowhere_sees_zeros_and_passes_finite_gradients(attend):
    q, k, v = (x.requires_grad_() for x in qkv())
    mask = torch.ones(B, T, S, dtype=torch.bool)
    mask[0, 1] = False
    out = attend(q, k, v, mask)
    assert (out[0, 1] == 0).all() and out.isfinite().all()
    torch.testing.assert_close(out[1], attend(q, k, v, None)[1])
    out.square().sum().backward()
    assert all(x.grad.isfinite().all() for x in (q, k, v))
    assert not q.grad[0, 1].any()


# ---- the decoder and the model ----


def test_decoding_begins_with_the_first_input_and_the_encoders_answer():
    first, state = translator().start(SOURCE)
    assert torch.equal(first, IDS[:, 0])
    for got, expected in zip(state, translator().encode(SOURCE), strict=True):
        torch.testing.assert_close(got, expected)
    with pytest.raises(ValueError, match="source_ids are empty"):
        translator().start(SOURCE[:, :0])
    with pytest.raises(ValueError, match=r"source_ids have the shape \(5,\)"):
        translator().start(SOURCE[0])


def test_writing_by_steps_is_writing_at_once():
    model = translator()
    logits, _ = model(SOURCE, IDS)
    state, steps = model.encode(SOURCE), []
    for ids in IDS.unbind(1):
        step, state = model.step(ids, state)
        steps.append(step)
    torch.testing.assert_close(torch.stack(steps, 1), logits)


def test_the_loss_is_the_cross_entropy_of_the_targets():
    model = translator()
    targets = torch.tensor([[3, 4, 5, 2], [6, 7, 2, -100]])
    logits, loss = model(SOURCE, IDS, targets)
    expected = F.cross_entropy(logits.transpose(1, 2), targets)
    torch.testing.assert_close(loss, expected)


def test_what_is_said_does_not_depend_on_the_padding():
    model = translator()
    logits, _ = model(SOURCE, IDS)
    alone, _ = model(SOURCE[1:, :2], IDS[1:])
    torch.testing.assert_close(logits[1:], alone)


def test_weights_changed_between_look_and_write_change_what_is_said():
    model = translator()
    decoder, state = model.decoder, model.encode(SOURCE)
    hidden, _ = decoder.advance(IDS, state.hidden)
    weights = decoder.look(hidden, state.memory, state.mask)
    torch.testing.assert_close(decoder.write(hidden, weights, state.memory), model(SOURCE, IDS)[0])

    only_first = F.one_hot(torch.zeros_like(IDS), SOURCE.shape[1]).float()  # (B, T, S)
    context = state.memory[:, :1].expand_as(hidden)
    expected = decoder.head(decoder.combine(torch.cat([context, hidden], -1)).tanh())
    torch.testing.assert_close(decoder.write(hidden, only_first, state.memory), expected)


def test_a_beam_may_reorder_the_state():
    model = translator()
    order = torch.tensor([1, 0, 1])
    state = model.encode(SOURCE)
    moved = torch.utils._pytree.tree_map(lambda x: x.index_select(0, order), state)
    expected, _ = model.step(IDS[:, 0], state)
    got, _ = model.step(IDS[order, 0], moved)
    torch.testing.assert_close(got, expected[order])


@pytest.mark.slow
def test_the_exported_model_translates_any_length():
    def sentences(n):
        source = torch.randint(3, 9, (2, n))
        source[1, (n + 1) // 2 :] = CONFIG.pad
        return source, torch.randint(3, 8, (2, n + 2))

    def translate(model, source, ids):
        spoken = greedy(model.step, *model.start(source), eos=CONFIG.eos, limit=9)
        filled = F.pad(spoken, (0, 9 - spoken.shape[1]), value=CONFIG.eos)  # the graph takes all 9 steps
        return model(source, ids)[0], filled

    check_export(
        translator(),
        translate,
        sentences,
        [1, 2, 7, 40],
        axes=((1,), (1,)),
    )
