import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend
from vec2gpt.transformer import Block, FeedForward, MultiHeadAttention, PreNorm, SelfAttention, causal_mask

B, T, S, D, H = 2, 4, 6, 12, 3


def with_weights_of(theirs, ours):
    """Give ours the weights of a torch.nn.MultiheadAttention."""
    weights, biases = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)
    for layer, weight, bias in zip((ours.query, ours.key, ours.value), weights, biases, strict=True):
        layer.load_state_dict({"weight": weight, "bias": bias})
    ours.output.load_state_dict(theirs.out_proj.state_dict())
    return ours


def multi_head():
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(D, H, batch_first=True)
    nn.init.normal_(theirs.in_proj_bias)  # torch starts it at zero, which would hide a mistake
    return theirs, with_weights_of(theirs, MultiHeadAttention(D, heads=H))


@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_is_that_of_torch(masked):
    theirs, ours = multi_head()
    query, key, value = torch.randn(B, T, D), torch.randn(B, S, D), torch.randn(B, S, D)
    mask = torch.rand(T, S) > 0.4 if masked else None
    if masked:
        mask[:, 0] = True
    expected, _ = theirs(query, key, value, attn_mask=None if mask is None else ~mask)
    torch.testing.assert_close(ours(query, key, value, mask=mask), expected, atol=1e-6, rtol=0)


def test_the_weights_of_each_head_can_be_had():
    theirs, ours = multi_head()
    x = torch.randn(B, T, D)
    expected, weights = theirs(x, x, x, average_attn_weights=False)
    out, ours_weights = attend(*ours.project(x, x, x))
    torch.testing.assert_close(ours_weights, weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.merge(out), expected, atol=1e-6, rtol=0)


def test_self_attention_is_multi_head_attention_of_x_by_x():
    theirs, ours = multi_head()
    x = torch.randn(B, T, D)
    alone = SelfAttention(D, heads=H)
    alone.load_state_dict(ours.state_dict())
    torch.testing.assert_close(alone(x), theirs(x, x, x)[0], atol=1e-6, rtol=0)


def test_a_block_is_torchs_pre_norm_encoder_layer():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(D, H, 4 * D, dropout=0.0, batch_first=True, norm_first=True)
    ours = Block(D, heads=H)
    with_weights_of(theirs.self_attn, ours.attention.sublayer)
    ours.attention.norm.load_state_dict(theirs.norm1.state_dict())
    ours.feed_forward.norm.load_state_dict(theirs.norm2.state_dict())
    ours.feed_forward.sublayer.inner.load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward.sublayer.output.load_state_dict(theirs.linear2.state_dict())
    x, mask = torch.randn(B, T, D), causal_mask(T)
    got = ours(x, look=lambda q, k, v: attend(q, k, v, mask)[0])
    torch.testing.assert_close(got, theirs(x, src_mask=~mask), atol=1e-5, rtol=0)


def test_pre_norm_adds_the_sublayer_to_what_comes_in():
    layer, x = PreNorm(nn.Identity(), width=D), torch.randn(B, T, D)
    torch.testing.assert_close(layer(x), x + F.layer_norm(x, (D,)))


def test_feed_forward_treats_each_token_by_itself():
    layer, x = FeedForward(D), torch.randn(B, T, D)
    torch.testing.assert_close(layer(x)[:, 2], layer(x[:, 2]))


def test_the_causal_mask_keeps_the_diagonal():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_a_width_that_does_not_divide_is_named():
    with pytest.raises(ValueError, match="width 12 does not split into 5 heads"):
        MultiHeadAttention(12, heads=5)
