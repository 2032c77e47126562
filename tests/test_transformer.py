import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend, causal_mask
from vec2gpt.hub import from_torch
from vec2gpt.transformer import Block, FeedForward, PreNorm, SelfAttention

B, T, D, H = 2, 4, 12, 3


def test_self_attention_is_multi_head_attention_of_x_by_x():
    torch.manual_seed(0)
    theirs, x = nn.MultiheadAttention(D, H, batch_first=True), torch.randn(B, T, D)
    ours = SelfAttention(D, heads=H)
    ours.load_state_dict(from_torch(theirs).state_dict())
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0], atol=1e-6, rtol=0)


def test_a_block_is_torchs_pre_norm_encoder_layer():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(D, H, 4 * D, dropout=0.0, batch_first=True, norm_first=True)
    ours = Block(D, heads=H)
    ours.attention.sublayer.load_state_dict(from_torch(theirs.self_attn).state_dict())
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
