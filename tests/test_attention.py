"""vec2gpt.attention: the look-up, its scores and masks, and several looks at once."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import (
    SCORES,
    Additive,
    Concat,
    MultiHeadAttention,
    attend,
    attend_fused,
    attention_weights,
    causal_mask,
    dot,
    padding_mask,
    scaled_dot,
    shared,
)
from vec2gpt.hub import from_torch

B, T, S, K, V = 2, 3, 5, 4, 6
D, H = 12, 3  # of several heads


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def qkv(query_width=K, key_width=K):
    sizes = (B, T, query_width), (B, S, key_width), (B, S, V)
    return [torch.randn(size, dtype=torch.double, requires_grad=True) for size in sizes]


def some_open():
    """Where one may look, at random; every query at one place at least."""
    mask = torch.rand(B, T, S) > 0.5
    mask[..., 0] = True
    return mask


# ---- the look-up ----


def test_attend_by_hand():
    q = torch.tensor([[math.sqrt(2) * math.log(3), 0.0]])
    k, v = torch.eye(2), torch.tensor([[4.0], [8.0]])
    out, weights = attend(q, k, v)
    torch.testing.assert_close(weights, torch.tensor([[0.75, 0.25]]))
    torch.testing.assert_close(out, torch.tensor([[5.0]]))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("ours", [lambda *given: attend(*given)[0], attend_fused])
def test_attend_is_torchs_scaled_dot_product_attention(ours, masked):
    given, mask = qkv(), some_open() if masked else None
    expected, got = F.scaled_dot_product_attention(*given, attn_mask=mask), ours(*given, mask)
    torch.testing.assert_close(got, expected)
    gradients = [torch.autograd.grad(out.sin().sum(), given) for out in (got, expected)]
    torch.testing.assert_close(*gradients)


def test_the_weights_of_every_query_add_up_to_1():
    q, k, v = qkv()
    for mask in (None, some_open()):
        _, weights = attend(q, k, v, mask)
        assert weights.min() >= 0
        torch.testing.assert_close(weights.sum(-1), torch.ones(B, T, dtype=torch.double))


def test_what_is_masked_could_as_well_not_be_there():
    q, k, v = qkv()
    out, weights = attend(q, k, v, torch.arange(S) < 2)
    assert (weights[..., 2:] == 0).all()
    torch.testing.assert_close((out, weights[..., :2]), attend(q, k[:, :2], v[:, :2]))


@pytest.mark.parametrize("ours", [lambda *given: attend(*given)[0], attend_fused])
def test_who_may_look_nowhere_sees_zeros_and_passes_finite_gradients(ours):
    q, k, v = qkv()
    mask = torch.ones(B, T, S, dtype=torch.bool)
    mask[0, 1] = False
    out = ours(q, k, v, mask)
    assert (out[0, 1] == 0).all()
    torch.testing.assert_close(out[1], ours(q, k, v)[1])
    out.square().sum().backward()
    assert all(x.grad.isfinite().all() and x.grad.any() for x in (q, k, v))
    assert not q.grad[0, 1].any()


# ---- another place to look ----


def test_weights_on_one_place_give_its_value():
    q, k, v = qkv()
    out, weights = attend(q, k, v, change=lambda w: F.one_hot(torch.full((B, T), 3), S).to(w))
    assert weights[..., 3].min() == 1
    torch.testing.assert_close(out, v[:, 3:4].expand(B, T, V))


def test_equal_weights_give_the_mean():
    q, k, v = qkv()
    out, _ = attend(q, k, v, change=lambda w: torch.full_like(w, 1 / S))
    torch.testing.assert_close(out, v.mean(1, keepdim=True).expand(B, T, V))


def test_a_change_that_changes_nothing_changes_nothing():
    given = qkv()
    assert all(map(torch.equal, attend(*given, change=lambda w: w), attend(*given)))


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_the_temperature_of_the_softmax_is_a_power_of_its_weights(temperature):
    q, k, v = qkv()
    powered = attend(q, k, v, change=lambda w: F.normalize(w ** (1 / temperature), p=1, dim=-1))
    cooled = attend(q, k, v, score=lambda q, k: scaled_dot(q, k) / temperature)
    torch.testing.assert_close(powered, cooled)


# ---- masks ----


def test_nobody_looks_at_padding():
    mask = padding_mask(torch.tensor([[5, 7, 7], [3, 7, 2]]), 7)
    assert mask.tolist() == [[[True, False, False]], [[True, False, True]]]
    weights = attention_weights(torch.zeros(2, 4, 3), mask)
    torch.testing.assert_close(weights[:, 3], torch.tensor([[1, 0, 0], [0.5, 0, 0.5]]))


def test_no_score_is_so_low_that_masked_places_are_seen():
    weights = attention_weights(torch.tensor([-1e5, 0.0, -1e5]), torch.tensor([True, False, True]))
    assert weights.tolist() == [0.5, 0, 0.5]


def test_the_causal_mask_keeps_the_diagonal():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


@pytest.mark.parametrize("ours", [attend, attend_fused])
def test_a_mask_of_numbers_is_refused(ours):
    with pytest.raises(ValueError, match=r"mask is torch\.float32: give torch\.bool, True = may look"):
        ours(*qkv(), torch.zeros(T, S))


# ---- scores ----

EQUATIONS = {  # of a query q (D_q,) and a key k (D_k,), and what the score learned
    "dot": lambda q, k: q @ k,
    "scaled dot": lambda q, k: q @ k / math.sqrt(len(k)),
    "general": lambda q, k, W: q @ (W @ k),
    "additive": lambda q, k, W, U, v: v[0] @ torch.tanh(W @ q + U @ k),
    "concat": lambda q, k, W, v: v[0] @ torch.tanh(W @ torch.cat([q, k])),
}
PARAMETERS = {"general": 7 * 5, "additive": 7 * (7 + 5) + 7, "concat": 7 * (7 + 5) + 7}  # queries 7, keys 5


def test_every_score_is_tried_below():
    assert set(SCORES) == set(EQUATIONS) == {"dot", "scaled dot", *PARAMETERS}


@pytest.mark.parametrize(
    ("name", "key_width"), [*((name, 7) for name in SCORES), *((n, 5) for n in PARAMETERS)]
)
def test_a_score_is_its_equation_for_every_query_and_every_key(name, key_width):
    score = SCORES[name](7, key_width).double()
    q, k, _ = qkv(7, key_width)
    expected = torch.empty(B, T, S, dtype=torch.double)
    for b in range(B):
        for t in range(T):
            for s in range(S):
                expected[b, t, s] = EQUATIONS[name](q[b, t], k[b, s], *score.parameters())
    torch.testing.assert_close(score(q, k), expected)


@pytest.mark.parametrize("name", SCORES)
def test_keys_prepared_once_serve_every_query(name):
    score = SCORES[name](K, K).double()
    q, k, _ = qkv()
    prepared = score.prepare(k)
    steps = [score.compare(q[:, t : t + 1], prepared) for t in range(T)]
    torch.testing.assert_close(torch.cat(steps, 1), score(q, k))


def test_concat_is_additive_with_its_two_matrices_side_by_side():
    additive, concat = Additive(7, 5).double(), Concat(7, 5).double()
    side_by_side = torch.cat([additive.query.weight, additive.key.weight], 1)
    concat.load_state_dict({"pair.weight": side_by_side, "score.weight": additive.score.weight})
    q, k, _ = qkv(7, 5)
    torch.testing.assert_close(concat(q, k), additive(q, k))


@pytest.mark.parametrize("name", SCORES)
def test_what_a_score_learns_is_counted(name):
    score = SCORES[name](7, 5 if name in PARAMETERS else 7)
    assert sum(weight.numel() for weight in score.parameters()) == PARAMETERS.get(name, 0)


@pytest.mark.parametrize(
    "compare",
    [
        lambda: SCORES["dot"](7, 5),
        lambda: SCORES["scaled dot"](7, 5),
        lambda: dot(*qkv(7, 5)[:2]),
        lambda: attend(*qkv(7, 5)),
    ],
)
def test_unequal_widths_have_no_dot_product(compare):
    message = "a query of 7 numbers and a key of 5 have no dot product: project one .*'general'"
    with pytest.raises(ValueError, match=message):
        compare()


@pytest.mark.parametrize("name", SCORES)
def test_a_score_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match="the widths are 4 and 0: give at least 1"):
        SCORES[name](4, 0)


# ---- several looks at once ----


def test_every_head_looks_by_itself():
    """Each with its rows of the projections, and the answers side by side before the last."""
    ours, mask = MultiHeadAttention(D, heads=H, key_width=5, value_width=6), some_open()
    query, key, value = torch.randn(B, T, D), torch.randn(B, S, 5), torch.randn(B, S, 6)

    def head(n):
        rows = slice(n * D // H, (n + 1) * D // H)
        parts = (ours.query, query), (ours.key, key), (ours.value, value)
        return attend(*(x @ layer.weight[rows].T + layer.bias[rows] for layer, x in parts), mask)[0]

    expected = ours.output(torch.cat([head(n) for n in range(H)], -1))
    torch.testing.assert_close(ours(query, key, value, mask=mask[:, None]), expected)


def test_the_weights_of_each_head_can_be_had():
    theirs = nn.MultiheadAttention(D, H, batch_first=True)
    ours, x = from_torch(theirs), torch.randn(B, T, D)
    expected, weights = theirs(x, x, x, average_attn_weights=False)
    out, ours_weights = attend(*ours.project(x, x, x))
    torch.testing.assert_close(ours_weights, weights)
    torch.testing.assert_close(ours.merge(out), expected)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups_are_heads_whose_keys_and_values_are_the_same(groups):
    """As without groups, where each head has the rows of its group's key and value."""
    heads, width = 4, 20
    few = MultiHeadAttention(width, heads=heads, groups=groups).double()
    all_of = MultiHeadAttention(width, heads=heads).double()
    weights = few.state_dict()
    for name in ("key.weight", "key.bias", "value.weight", "value.bias"):
        rows = weights[name].unflatten(0, (groups, width // heads))
        weights[name] = rows.repeat_interleave(heads // groups, 0).flatten(0, 1)
    all_of.load_state_dict(weights)
    x, memory = torch.randn(B, T, width).double(), torch.randn(B, S, width).double()
    given, mask = (x, memory, memory), some_open()[:, None]
    torch.testing.assert_close(few(*given, mask=mask), all_of(*given, mask=mask))
    q, k, v = few.project(*given)
    assert q.shape[1] == heads and k.shape == v.shape == (B, groups, S, width // heads)
    expected = attend(*all_of.project(*given), mask)
    torch.testing.assert_close(attend(q, *shared(q, k, v), mask), expected)


def test_as_many_groups_as_heads_are_no_groups():
    torch.manual_seed(1)
    plain = MultiHeadAttention(D, heads=H)
    torch.manual_seed(1)
    grouped, x = MultiHeadAttention(D, heads=H, groups=H), torch.randn(B, T, D)
    assert torch.equal(grouped(x, x, x), plain(x, x, x))


def test_one_group_is_one_key_for_all_heads():
    one, x = MultiHeadAttention(D, heads=H, groups=1), torch.randn(B, T, D)
    k, v = one.key(x), one.value(x)  # (B, T, K), asked by each head
    heads = [attend(q, k, v)[0] for q in one.query(x).split(D // H, -1)]
    torch.testing.assert_close(one(x, x, x), one.output(torch.cat(heads, -1)))


@pytest.mark.parametrize("groups", [0, 2, 6])
def test_groups_that_heads_do_not_make_are_refused(groups):
    with pytest.raises(ValueError, match=f"3 heads do not make {groups} equal groups: choose a divisor of 3"):
        MultiHeadAttention(D, heads=H, groups=groups)


@pytest.mark.parametrize(("width", "heads"), [(12, 5), (12, 0), (0, 3)])
def test_a_width_that_does_not_split_is_named(width, heads):
    with pytest.raises(ValueError, match=f"width {width} does not split into {heads} heads"):
        MultiHeadAttention(width, heads=heads)


@pytest.mark.parametrize("widths", [{"key_width": 0}, {"value_width": 0}])
def test_keys_or_values_of_nothing_are_refused(widths):
    with pytest.raises(ValueError, match=r"keys of \d+ and values of \d+ numbers: give at least 1"):
        MultiHeadAttention(D, heads=H, **widths)


def test_a_text_without_its_batch_is_refused():
    ours, x = MultiHeadAttention(D, heads=H), torch.randn(B, T, D)
    with pytest.raises(ValueError, match=r"key has the shape \(3, 12\): give a batch, \(B, length, width\)"):
        ours(x, x[0], x)


def test_a_mask_that_would_be_taken_for_one_of_the_heads_is_refused():
    ours, x = MultiHeadAttention(D, heads=H), torch.randn(H, T, D)
    mask = padding_mask(torch.ones(H, T), 0)  # (B, 1, S), and B is as large as H
    with pytest.raises(ValueError, match=r"mask has the shape \(3, 1, 3\): give \(B, 1, T, S\)"):
        ours(x, x, x, mask=mask)
    torch.testing.assert_close(ours(x, x, x, mask=mask[:, None]), ours(x, x, x))
