"""vec2gpt.linear_attention: its definition, all at once, in chunks and token by token."""

from functools import partial

import pytest
import torch
from test_efficient import LENGTHS, B, H, K, S, T, assert_same, bytes_of_training, exact, qkv

from vec2gpt.attention import causal_mask
from vec2gpt.blocks import Block
from vec2gpt.costs import fitted_exponent
from vec2gpt.efficient import causal
from vec2gpt.linear_attention import attend_linear, attend_linear_causal, linear_initial, linear_step
from vec2gpt.transformer import Attends, Transformer, TransformerConfig


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pairwise(q, k, v, mask):
    """Linear attention as its definition says it: weights φ(q) · φ(k) over their sum."""
    q, k = (torch.where(x > 0, x + 1, x.exp()) for x in (q, k))
    weights = q @ k.mT * mask
    total = weights.sum(-1, keepdim=True)
    return weights @ v / torch.where(total > 0, total, 1)


@pytest.mark.parametrize("size", [(T, S), (1, S), (T, 1)])
def test_linear_attention_is_its_definition(size):
    tokens = torch.rand(B, 1, 1, size[1]) > 0.4
    tokens[0] = False  # one text is padding alone
    for mask in (None, tokens):
        expected = partial(pairwise, mask=1 if mask is None else mask)
        assert_same(partial(attend_linear, mask=mask), expected, qkv(*size))


@pytest.mark.parametrize("chunk", [1, 5, 64])
@pytest.mark.parametrize("length", LENGTHS)
def test_causal_linear_attention_is_its_definition(length, chunk):
    tokens = torch.rand(B, 1, 1, length) > 0.4
    for mask in (None, tokens):
        expected = partial(pairwise, mask=causal_mask(length) & (True if mask is None else mask))
        assert_same(partial(attend_linear_causal, mask=mask, chunk=chunk), expected, qkv(length))


def test_token_by_token_it_is_a_recurrent_network():
    q, k, v = qkv()
    first = state = linear_initial(k[..., 0, :], v[..., 0, :])
    outs = []
    for t in range(T):
        out, state = linear_step(q[..., t, :], k[..., t, :], v[..., t, :], state)
        outs.append(out)
    torch.testing.assert_close(torch.stack(outs, -2), attend_linear_causal(q, k, v, chunk=5))
    assert [x.shape for x in state] == [x.shape for x in first]
    assert not any(x.any() for x in first)  # and it is left as it was


def test_a_token_whose_features_are_0_gets_0():
    """In float32 elu + 1 is 0 below −17 or so; what comes after is not spoilt by it."""
    q, k, v = torch.randn(3, 2, K)
    q[0] = k[0] = -20
    first, state = linear_step(q[0], k[0], v[0], linear_initial(k[0], v[0]))
    second, _ = linear_step(q[1], k[1], v[1], state)
    assert not first.any()
    torch.testing.assert_close(torch.stack([first, second]), attend_linear_causal(q, k, v))
    torch.testing.assert_close(second, v[1])


def test_linear_attention_is_not_softmax_attention():
    q, k, v = qkv()
    assert (attend_linear(q, k, v) - exact(q, k, v)).abs().max() > 0.1


# ---- in a model ----


@pytest.mark.parametrize("t", [0, 9])
def test_a_block_that_looks_like_this_sees_no_later_token(t):
    block, x = Block(12, heads=H).double(), torch.randn(B, T, 12, dtype=torch.double)
    changed = x.clone()
    changed[:, t] += 1
    before, after = (block(y, look=attend_linear_causal) for y in (x, changed))
    torch.testing.assert_close(before[:, :t], after[:, :t])
    assert not torch.isclose(before[:, t], after[:, t]).all()


def test_a_transformer_of_linear_attention_learns_in_every_weight():
    model = Transformer(TransformerConfig(9, 9, width=12, heads=3, inner=8, dropout=0.0))
    source, target = torch.tensor([[4, 5, 6, 7], [3, 4, 0, 0]]), torch.tensor([[1, 5, 6], [1, 3, 4]])
    decoder = lambda q, k, v, mask: attend_linear_causal(q, k, v)  # noqa: E731
    attends = Attends(attend_linear, decoder, attend_linear)
    model(source, target, target, attends=attends)[1].backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters())
    assert all(weight.grad.any() for name, weight in model.named_parameters() if name.endswith("weight"))


@pytest.mark.parametrize("attend", [attend_linear, partial(attend_linear_causal, chunk=16)])
def test_memory_of_a_step_of_training_grows_with_the_text(attend):
    assert 0.9 < fitted_exponent((128, 512), [bytes_of_training(attend, n) for n in (128, 512)]) < 1.1


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("attend", "message"),
    {
        "chunk": (partial(attend_linear_causal, chunk=0), "chunk is 0: give at least 1"),
        "numbers": (partial(attend_linear, mask=torch.ones(1, T)), "give torch.bool"),
        "causal": (partial(attend_linear, mask=causal_mask(T)), r"give \(…, 1, S\)"),
        "a rule": (partial(attend_linear, mask=causal), r"give \(…, 1, S\)"),
        "causal twice": (partial(attend_linear_causal, mask=causal_mask(T)), "without any"),
        "too long": (partial(attend_linear, mask=torch.ones(1, T + 1) > 0), r"shape \(1, 24\)"),
    }.values(),
)
def test_bad_input_says_so(attend, message):
    with pytest.raises(ValueError, match=message):
        attend(*qkv())


def test_two_texts_are_not_one():
    with pytest.raises(ValueError, match="23 queries and 17 keys are not one text"):
        attend_linear_causal(*qkv(T, S))
