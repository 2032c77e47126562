"""vec2gpt.blocks: sublayers, and what is put round them. That blocks are torch's: hub/test_from_torch."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend, attend_fused, causal_mask, shared
from vec2gpt.blocks import (
    ACTIVATIONS,
    NORMS,
    RESIDUALS,
    BatchNorm,
    Block,
    CachedLook,
    CrossAttention,
    DecoderBlock,
    FeedForward,
    GatedFeedForward,
    SelfAttention,
    empty_cache,
)
from vec2gpt.hub import from_torch

B, T, S, D, H = 2, 4, 5, 12, 3


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


# ---- sublayers ----


def test_self_attention_is_multi_head_attention_of_x_by_x():
    theirs, x = nn.MultiheadAttention(D, H, batch_first=True), torch.randn(B, T, D)
    ours = SelfAttention(D, heads=H)
    ours.load_state_dict(from_torch(theirs).state_dict())
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("groups", [1, 2])
def test_heads_that_share_need_no_look_of_their_own(groups):
    block, x = Block(D, heads=4, groups=groups), torch.randn(B, T, D)
    everywhere = block(x, look=lambda q, k, v: attend(q, *shared(q, k, v))[0])
    torch.testing.assert_close(block(x), everywhere)


def test_cross_attention_asks_what_was_remembered():
    theirs = nn.MultiheadAttention(D, H, batch_first=True)
    ours, x, memory = CrossAttention(D, heads=H), torch.randn(B, T, D), torch.randn(B, S, D)
    ours.load_state_dict(from_torch(theirs).state_dict())
    expected = theirs(x, memory, memory)[0]
    torch.testing.assert_close(ours(x, remembered=ours.remember(memory)), expected, atol=1e-6, rtol=0)


def test_without_places_and_mask_shuffled_tokens_get_the_same_answers_shuffled():
    block, x, order = Block(D, heads=H), torch.randn(B, T, D), torch.randperm(T)
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order])


def test_feed_forward_treats_each_token_by_itself():
    layer, x = FeedForward(D), torch.randn(B, T, D)
    torch.testing.assert_close(layer(x)[:, 2], layer(x[:, 2]))


def test_the_inner_width_is_four_times_the_outer_unless_it_is_said():
    assert FeedForward(D).inner.out_features == 4 * D and FeedForward(D, inner=5).inner.out_features == 5


def test_a_gate_is_its_equation_and_has_as_many_numbers_as_none():
    layer, x = GatedFeedForward(D).double(), torch.randn(B, T, D, dtype=torch.double)
    a, b = (x @ part.weight.T + part.bias for part in (layer.gate, layer.inner))
    expected = (a / (1 + (-a).exp()) * b) @ layer.output.weight.T + layer.output.bias  # swish is a σ(a)
    torch.testing.assert_close(layer(x), expected)
    plain, gated = (sum(w.numel() for w in kind(D).parameters()) for kind in (FeedForward, GatedFeedForward))
    assert layer.inner.out_features == 8 * D // 3 and gated == pytest.approx(plain, rel=0.02)


def test_a_shut_gate_lets_nothing_through():
    layer = GatedFeedForward(D)
    nn.init.zeros_(layer.gate.weight)
    nn.init.zeros_(layer.gate.bias)
    assert torch.equal(layer(torch.randn(B, D)), layer.output.bias.expand(B, D))


@pytest.mark.parametrize(
    ("name", "theirs"),
    {"relu": nn.ReLU(), "gelu": nn.GELU(), "gelu tanh": nn.GELU("tanh"), "swish": nn.SiLU()}.items(),
)
def test_an_activation_is_torchs(name, theirs):
    x = torch.linspace(-3, 3, 50)
    torch.testing.assert_close(ACTIVATIONS[name](x), theirs(x))


# ---- norms and residuals ----


def test_layer_norm_is_of_each_token_and_batch_norm_of_each_number():
    x = 3 * torch.randn(B, T, D) + 2
    layer, batch = NORMS["layer"](D)(x), BatchNorm(D)(x)
    for normal, over in ((layer, (2,)), (batch, (0, 1))):
        torch.testing.assert_close(normal.mean(over), torch.zeros_like(normal.mean(over)), atol=1e-6, rtol=0)
        deviation = normal.std(over, correction=0)
        torch.testing.assert_close(deviation, torch.ones_like(deviation), atol=1e-4, rtol=0)
    torch.testing.assert_close(layer[0, 1], NORMS["layer"](D)(x[0, 1]))  # whoever stands beside it


def test_layer_norm_of_two_numbers_is_plus_and_minus_1():
    x = torch.tensor([[3.0, 1.0], [50.0, 80.0], [-4.0, -3.0]])
    torch.testing.assert_close(
        NORMS["layer"](2)(x), torch.tensor([[1.0, -1], [-1, 1], [-1, 1]]), atol=1e-3, rtol=0
    )


def test_rms_norm_leaves_the_mean_and_makes_the_mean_square_1():
    x = torch.tensor([[3.0, 4.0], [-6.0, 8.0]])
    root = 12.5**0.5  # of (9 + 16) / 2
    expected = torch.tensor([[3 / root, 4 / root], [-3 / root, 4 / root]])
    torch.testing.assert_close(NORMS["rms"](2)(x), expected)
    assert [name for name, _ in NORMS["rms"](2).named_parameters()] == ["weight"]


@pytest.mark.parametrize(
    ("name", "equation"),
    {
        "pre": lambda x, f, norm: x + f(norm(x)),
        "post": lambda x, f, norm: norm(x + f(x)),
        "none": lambda x, f, norm: f(norm(x)),
    }.items(),
)
def test_a_residual_is_its_equation(name, equation):
    layer, x = RESIDUALS[name](nn.Linear(D, D), width=D), torch.randn(B, T, D)
    nn.init.normal_(layer.norm.weight)
    torch.testing.assert_close(layer(x), equation(x, layer.sublayer, layer.norm))


@pytest.mark.parametrize("name", RESIDUALS)
def test_dropout_is_of_what_the_sublayer_adds(name):
    layer, x = RESIDUALS[name](nn.Linear(D, D), width=D, dropout=0.999999), torch.randn(B, T, D)
    left = {"pre": x, "post": F.layer_norm(x, (D,)), "none": torch.zeros_like(x)}[name]
    torch.testing.assert_close(layer(x), left)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("residual", RESIDUALS)
def test_every_sublayer_of_a_block_has_its_style(norm, residual):
    block = DecoderBlock(D, heads=H, residual=residual, norm=norm, dropout=0.25)
    for part in (block.attention, block.cross, block.feed_forward):
        assert type(part) is RESIDUALS[residual] and isinstance(part.norm, NORMS[norm])
        assert part.dropout.p == 0.25


# ---- a cache of earlier tokens ----


def test_reading_in_parts_is_reading_at_once():
    blocks, x = [Block(D, heads=H) for _ in range(2)], torch.randn(B, T, D)

    def read(x, look):
        for block in blocks:
            x = block(x, look=look)
        return x

    expected = read(x, lambda q, k, v: attend(q, k, v, causal_mask(T))[0])
    cache, got = empty_cache(x, batch=B, layers=2, heads=H, context=T + 1), []
    for part in x.split([2, 1, 1], 1):
        look = CachedLook(cache, cache.positions(part.shape[1]))
        got.append(read(part, look))
        cache = look.cache()
    torch.testing.assert_close(torch.cat(got, 1), expected)
    assert cache.length.tolist() == [T] * B and not any(keys[..., T:, :].any() for keys in cache.keys)


def test_a_cache_holds_only_the_groups():
    block, x = Block(D, heads=H, groups=1), torch.randn(B, T, D)
    cache = empty_cache(x, batch=B, layers=1, heads=H, groups=1, context=T)
    assert cache.keys[0].shape == cache.values[0].shape == (B, 1, T, D // H)
    look = CachedLook(cache, cache.positions(T))
    expected = block(x, look=lambda q, k, v: attend(q, k, v, causal_mask(T))[0])
    torch.testing.assert_close(block(x, look=look), expected)
    assert look.cache().keys[0].shape == (B, 1, T, D // H)


def test_the_cache_that_was_read_from_stays_as_it_was():
    block, x = Block(D, heads=H), torch.randn(B, T, D)
    cache = empty_cache(x, batch=B, layers=1, heads=H, context=T)
    block(x, look=CachedLook(cache, cache.positions(T)))
    assert not any(part.any() for part in (*cache.keys, *cache.values, cache.length))


def test_every_layer_must_have_looked():
    block, x = Block(D, heads=H), torch.randn(B, T, D)
    cache = empty_cache(x, batch=B, layers=2, heads=H, context=T)
    block(x, look=(look := CachedLook(cache, cache.positions(T))))
    with pytest.raises(ValueError, match="only 1 layers have looked"):
        look.cache()


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ({"activation": "tanh"}, "activation is 'tanh': choose one of relu, gelu, gelu tanh, swish"),
        ({"residual": "both"}, "residual is 'both': choose one of pre, post, none"),
        ({"norm": "group"}, "norm is 'group': choose one of layer, batch, rms, none"),
        ({"feed_forward": "wide"}, "feed_forward is 'wide': choose one of plain, gated"),
    ],
)
def test_a_style_that_there_is_not_is_refused(style, message):
    with pytest.raises(ValueError, match=message):
        Block(D, heads=H, **style)


def test_look_back_is_what_the_memory_is_asked_with():
    block, x, memory = DecoderBlock(D, heads=H), torch.randn(B, T, D), torch.randn(B, S, D)
    remembered = block.remember(memory)
    one = block(x, remembered, look_back=lambda q, k, v: attend_fused(q, k, v, torch.arange(S)[None] < 2))
    torch.testing.assert_close(one, block(x, block.remember(memory[:, :2])))
