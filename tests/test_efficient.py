"""vec2gpt.efficient: exact where it says so, masked as it says, and of a memory that grows as it says."""

import math
from functools import partial

import pytest
import torch

from vec2gpt.attention import attend, attend_fused, causal_mask
from vec2gpt.blocks import Block
from vec2gpt.costs import fitted_exponent, peak_bytes
from vec2gpt.efficient import (
    Part,
    attend_chunked,
    attend_local,
    attend_part,
    attend_strided,
    causal,
    join,
    strides,
    window,
)
from vec2gpt.linear_attention import attend_linear, attend_linear_causal
from vec2gpt.transformer import Attends, Transformer, TransformerConfig

B, H, T, S, K, V = 2, 3, 23, 17, 4, 5
LENGTHS = (1, 2, 16, 23, 50)  # one token; fewer than a block; a block; no multiple of one; several


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def qkv(T=T, S=None):
    S = T if S is None else S
    sizes = (B, H, T, K), (B, H, S, K), (B, H, S, V)
    return [torch.randn(size, dtype=torch.double, requires_grad=True) for size in sizes]


def table(rule, T, S=None):
    """A rule as a mask (T, S)."""
    return rule(torch.arange(T)[:, None], torch.arange(T if S is None else S))


def some_open(*size):
    """Where one may look, at random: some rows nowhere."""
    mask = torch.rand(*size) > 0.6
    mask[..., :1, :] = False
    return mask


def exact(q, k, v, mask=None):
    return attend(q, k, v, mask)[0]


def assert_same(ours, expected, given):
    """Outputs and gradients agree to 1e-10."""
    ours, expected = ours(*given), expected(*given)
    close = partial(torch.testing.assert_close, atol=1e-10, rtol=0)
    close(ours, expected)
    close(*(torch.autograd.grad(out.sin().sum(), given) for out in (ours, expected)))


# ---- rules ----


def test_rules_are_masks():
    assert torch.equal(table(causal, T), causal_mask(T))
    assert table(window(2, 1), 4).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 1]]
    assert table(strides(2), 5)[0].tolist() == [True, True, True, False, True]


def test_the_causal_rule_of_strides_is_the_papers():
    """Child et al. 2019: A¹ = {max(0, i − l) … i} and A² = {j ≤ i: (i − j) mod l = 0}."""
    stride, ours = 4, table(strides(4), T) & causal_mask(T)
    for i in range(T):
        near = set(range(max(0, i - stride), i + 1))
        far = {j for j in range(i + 1) if (i - j) % stride == 0}
        assert set(ours[i].nonzero().flatten().tolist()) == near | far


# ---- a softmax in parts ----


def test_join_by_hand():
    a, b = Part(torch.tensor([[3.0]]), torch.zeros(1, 1)), Part(torch.tensor([[6.0]]), torch.ones(1, 1))
    out, log_sum = join(a, b._replace(log_sum=math.log(2) * b.log_sum))
    torch.testing.assert_close((out, log_sum), (torch.tensor([[5.0]]), torch.tensor([[math.log(3)]])))


@pytest.mark.parametrize("times", [1, 1000])  # scores that exp alone could not bear
def test_parts_joined_in_any_order_are_the_whole(times):
    q, k, v = qkv(T, S)
    q, allowed = times * q, some_open(T, S)
    first, second, third = (
        attend_part(q, k[..., cut, :], v[..., cut, :], allowed[:, cut])
        for cut in (slice(0, 1), slice(1, 9), slice(9, S))
    )
    whole = attend_part(q, k, v, allowed)
    torch.testing.assert_close(whole.out, exact(q, k, v, allowed))
    torch.testing.assert_close(join(join(first, second), third), whole)
    torch.testing.assert_close(join(third, join(first, second)), whole)


def test_the_log_sum_is_of_the_scores():
    q, k, v = qkv(T, S)
    expected = (q @ k.mT / K**0.5).logsumexp(-1, keepdim=True)
    torch.testing.assert_close(attend_part(q, k, v, torch.ones(T, S, dtype=torch.bool)).log_sum, expected)


# ---- all keys, a tile at a time ----


@pytest.mark.parametrize("chunk", [1, 5, 64])
@pytest.mark.parametrize("size", [(T, S), (1, S), (T, 1)])
def test_chunked_is_exact(size, chunk):
    assert_same(partial(attend_chunked, chunk=chunk), exact, qkv(*size))


@pytest.mark.parametrize("chunk", [1, 5, 64])
@pytest.mark.parametrize("size", [(T, S), (B, 1, T, S), (B, 1, 1, S), (B, H, T, S)])
def test_chunked_is_exact_under_a_mask_with_blind_rows(size, chunk):
    mask = some_open(*size)
    assert_same(partial(attend_chunked, mask=mask, chunk=chunk), partial(exact, mask=mask), qkv(T, S))


@pytest.mark.parametrize("rule", [causal, window(2, 1), strides(3), lambda i, j: i + j < 0])
def test_a_rule_is_as_good_as_its_mask(rule):
    ours = partial(attend_chunked, mask=rule, chunk=5)
    assert_same(ours, partial(exact, mask=table(rule, T, S)), qkv(T, S))


def test_a_rule_can_know_of_padding():
    tokens = torch.rand(B, 1, T) > 0.3
    mask = causal_mask(T) & tokens[:, :, None]
    ours = partial(attend_chunked, mask=lambda i, j: causal(i, j) & tokens[..., j], chunk=5)
    assert_same(ours, partial(exact, mask=mask), qkv())
    ours = partial(attend_local, mask=lambda i, j: tokens[..., j], before=6)
    assert_same(ours, partial(exact, mask=table(window(6, 0), T) & tokens[:, :, None]), qkv())


def test_tiles_that_nobody_looks_at_are_passed_over():
    q, k, v = qkv()
    k[..., 10:, :].data.fill_(math.nan)  # what is compared with these becomes nan
    out = attend_chunked(q, k, v, causal, chunk=5)
    assert out[..., :10, :].isfinite().all() and out[..., 10:, :].isnan().all()


# ---- some of the keys ----


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 2), (3, 4), (20, 0), (100, 100)])
@pytest.mark.parametrize("length", LENGTHS)
def test_local_is_exact_attention_in_a_window(length, before, after, masked):
    mask = some_open(B, 1, length, length) if masked else torch.tensor(True)
    near = table(window(before, after), length) & mask
    ours = partial(attend_local, mask=mask if masked else None, before=before, after=after)
    assert_same(ours, partial(exact, mask=near), qkv(length))


@pytest.mark.parametrize("mask", [None, causal, some_open(B, 1, 1, 50)])
@pytest.mark.parametrize("stride", [1, 2, 7, 23, 100])
@pytest.mark.parametrize("length", LENGTHS)
def test_strided_is_exact_attention_under_its_rule(length, stride, mask):
    mask = mask[..., :length] if torch.is_tensor(mask) else mask
    expected = table(mask, length) if callable(mask) else torch.tensor(True) if mask is None else mask
    expected = partial(exact, mask=table(strides(stride), length) & expected)
    assert_same(partial(attend_strided, mask=mask, stride=stride), expected, qkv(length))


# ---- in a model ----

CAUSAL = {
    "chunked": partial(attend_chunked, mask=causal, chunk=5),
    "local": partial(attend_local, before=3),
    "strided": partial(attend_strided, mask=causal, stride=5),
}


@pytest.mark.parametrize("name", CAUSAL)
def test_a_block_with_a_causal_look_sees_no_later_token(name):
    block, x = Block(12, heads=H).double(), torch.randn(B, T, 12, dtype=torch.double)
    changed = x.clone()
    changed[:, 9] += 1
    before, after = (block(y, look=CAUSAL[name]) for y in (x, changed))
    torch.testing.assert_close(before[:, :9], after[:, :9])
    assert not torch.isclose(before[:, 9], after[:, 9]).all()


@pytest.mark.parametrize(
    "attend",
    {"chunked": attend_chunked, "local": partial(attend_local, before=99, after=99)}.values(),
)
def test_a_transformer_takes_them_and_says_the_same(attend):
    model = Transformer(TransformerConfig(9, 9, width=12, heads=3, inner=8, dropout=0.0))
    source, target = torch.tensor([[4, 5, 6, 7], [3, 4, 0, 0]]), torch.tensor([[1, 5, 6], [1, 3, 4]])
    attends = Attends(encoder=attend, decoder=attend, cross=attend_chunked)
    torch.testing.assert_close(model(source, target, attends=attends)[0], model(source, target)[0])


# ---- what it is for ----


def bytes_of_training(attend, length):
    given = [x.detach().requires_grad_() for x in qkv(length)]
    return peak_bytes(lambda: attend(*given).sum().backward())


@pytest.mark.parametrize(
    ("attend", "low", "high"),
    {
        "stored": (exact, 1.9, 2.1),
        "chunked": (partial(attend_chunked, chunk=32), 0.5, 1.1),
        "local": (partial(attend_local, before=8, after=8), 0.9, 1.1),
        "strided": (lambda q, k, v: attend_strided(q, k, v, stride=int(q.shape[-2] ** 0.5)), 1.3, 1.6),
    }.values(),
)
def test_memory_of_a_step_of_training_grows_as_it_says(attend, low, high):
    assert low < fitted_exponent((128, 512), [bytes_of_training(attend, n) for n in (128, 512)]) < high


@pytest.mark.parametrize(
    ("attend", "message"),
    {
        "before": (partial(attend_local, before=-1), "before is -1: give at least 0"),
        "after": (partial(attend_local, before=1, after=-2), "after is -2: give at least 0"),
        "stride": (partial(attend_strided, stride=0), "stride is 0: give at least 1"),
        "chunk": (partial(attend_chunked, chunk=0), "chunk is 0: give at least 1"),
        "half a stride": (partial(attend_strided, stride=T**0.5), "stride is 4.79.*: give a whole number"),
        "numbers": (partial(attend_chunked, mask=torch.ones(T, T)), "torch.float32: give torch.bool"),
        "another length": (partial(attend_chunked, mask=torch.ones(T, T + 1) > 0), r"shape \(23, 24\): give"),
        "another batch": (
            partial(attend_local, mask=torch.ones(5, 1, 1, T) > 0, before=1),
            r"\(5, 1, 1, 23\)",
        ),
    }.values(),
)
def test_bad_input_says_so(attend, message):
    with pytest.raises(ValueError, match=message):
        attend(*qkv())


ONE_TEXT = [partial(attend_local, before=1), partial(attend_strided, stride=2)]


@pytest.mark.parametrize("attend", ONE_TEXT)
def test_two_texts_are_not_one(attend):
    with pytest.raises(ValueError, match="23 queries and 17 keys are not one text"):
        attend(*qkv(T, S))


@pytest.mark.parametrize("attend", [attend_chunked, attend_linear])
def test_shapes_that_do_not_fit_say_so(attend):
    q, k, v = qkv(T, S)
    for given in ((q, k, v[..., 1:, :]), (q[0], k, v), (q, k[:1], v[:1]), (q, k[..., 1:], v)):
        with pytest.raises(ValueError, match=r"give \(…, T, K\), \(…, S, K\) and \(…, S, V\)"):
            attend(*given)


@pytest.mark.parametrize("attend", [attend_chunked, *ONE_TEXT, attend_linear_causal])
def test_an_empty_text_says_so(attend):
    with pytest.raises(ValueError, match="of one token or more"):
        attend(*qkv(0))


@pytest.mark.parametrize(
    ("attend", "rule"),
    [(ONE_TEXT[0], window(1, 0)), (ONE_TEXT[1], strides(2)), (partial(attend_chunked, mask=causal), causal)],
)
def test_under_autocast_it_is_as_near_as_attention_itself(attend, rule):
    """There scores are of another type than what they are made of."""
    given = [x.detach().float().requires_grad_() for x in qkv()]
    plain = partial(exact, mask=table(rule, T))
    truth = plain(*given)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = ((f(*given) - truth).abs().max() for f in (attend, plain))
    assert ours < 4 * theirs
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(ours, given))


def test_in_float32_it_is_as_near_as_the_fused_one():
    given = [x.detach().float() for x in qkv(200)]
    truth = exact(*(x.double() for x in given))
    ours, fused = ((f(*given) - truth).abs().max() for f in (attend_chunked, attend_fused))
    assert ours < 4 * fused + 1e-6
