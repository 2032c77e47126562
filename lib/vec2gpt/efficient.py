"""Attention that does not store, or does not even compute, all n² scores.

Attention compares every query with every key: a text twice as long costs four times as much. What helps:

    attend_chunked   the same answer, a tile of the scores at a time: time n² as before, memory n.
                     Milakov & Gimelshein 2018; Rabe & Staats 2021; Dao et al. 2022 (FlashAttention)
    attend_local     look at w neighbours only: n · w. Child et al. 2019; Beltagy, Peters & Cohan 2020
    attend_strided   and at every √n-th token: n · √n. Child et al. 2019

Each is a function `(q, k, v, mask) -> out` like `attend_fused`, and goes to a model in its place. All rest on
one fact: a softmax over all keys can be put together from softmaxes over some of them, `join`. What can be
had without a softmax is in `linear_attention`.

A mask over n² pairs costs n² itself. So here it may also be a *rule* `mask(i, j)`, asked only for the pairs
that are compared: i and j are the places of queries and keys, whole numbers that broadcast, the answer True
where i may look at j. `causal` is one; `lambda i, j: tokens[..., j]` is padding, for tokens (B, 1, S).

Left out: patterns that are random or learned (Zaheer et al. 2020; Kitaev et al. 2020); autocast in the way
back of attend_chunked, which makes its scores a second time outside of it, so in another precision.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from vec2gpt.attention import check_mask, scaled_dot
from vec2gpt.checks import check_one_text, check_shapes, check_sizes

# ---- where one may look, as a rule of places ----


def causal(i, j):
    """A token sees itself and what came before: `causal_mask` as a rule."""
    return j <= i


def window(before, after):
    """The rule: so many tokens before, oneself, and so many after."""
    return lambda i, j: (i - before <= j) & (j <= i + after)


def strides(stride):
    """The rule: the nearest tokens, fewer than `stride` away, and those a multiple of `stride` away."""
    return lambda i, j: ((i - j).abs() < stride) | ((i - j) % stride == 0)


def _rule(mask, q, k, v):
    """Any mask as a rule: None, boolean and broadcast to (…, T, S), or a rule already."""
    check_shapes(q, k, v, mask)
    if callable(mask):
        return mask
    if mask is None:
        return lambda i, j: torch.ones_like(i + j, dtype=torch.bool)
    check_mask(mask)
    mask = mask.expand(*mask.shape[:-2], q.shape[-2], k.shape[-2])  # a view, it takes no memory
    return lambda i, j: mask[..., i, j]


# ---- a softmax in parts ----


class Part(NamedTuple):
    """What queries see of some of their keys, and how much that weighs beside the other keys."""

    out: torch.Tensor  # (…, T, V), the average of these values
    log_sum: torch.Tensor  # (…, T, 1), log Σ exp(scores), the lowest number where no key is allowed


def attend_part(q, k, v, allowed):
    """Part of q (…, T, K) looking at k (…, S, K), v (…, S, V), where allowed, boolean (…, T, S)."""
    scores = _scores(q, k, allowed)
    top = scores.detach().amax(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).min)
    weights = (scores - top).exp()  # at most 1, however large the scores
    total = weights.sum(-1, keepdim=True)
    total = total.masked_fill(total == 0, 1.0)  # who may look nowhere sees 0
    return Part(weights @ v / total, top + total.log())


def join(a, b):
    """The Part of two Parts that share no key: an average of their averages.

    Averages 3 and 6 with the sums of weights e^0 and e^ln 2 = 2 become (1 · 3 + 2 · 6) / 3 = 5.
    """
    log_sum = torch.logaddexp(a.log_sum, b.log_sum)
    return Part(a.out * (a.log_sum - log_sum).exp() + b.out * (b.log_sum - log_sum).exp(), log_sum)


def _scores(q, k, allowed):
    return scaled_dot(q, k).masked_fill(~allowed, float("-inf"))


# ---- all keys, a tile of the scores at a time ----


def attend_chunked(q, k, v, mask=None, *, chunk=256):
    """`attend` without its weights: the same output and gradients, in memory that grows with T + S.

    Scores are made for `chunk` queries and `chunk` keys at a time, joined and forgotten; the way back makes
    them again. Tiles that the mask closes are passed over: nearly half of them, where it is causal. What
    `attend_fused` calls does the same, compiled.
    """
    check_sizes(chunk=chunk)
    return _Chunked.apply(q, k, v, _rule(mask, q, k, v), chunk)


class _Chunked(torch.autograd.Function):
    """Dao et al. 2022: of all the weights, the way back is left only what they were divided by."""

    @staticmethod
    def forward(ctx, q, k, v, rule, chunk):
        out = q.new_zeros(*q.shape[:-1], v.shape[-1])
        log_sum = q.new_full((*q.shape[:-1], 1), torch.finfo(q.dtype).min)
        for rows, columns, allowed in _tiles(q, k, rule, chunk):
            before = Part(out[..., rows, :], log_sum[..., rows, :])
            here = attend_part(q[..., rows, :], k[..., columns, :], v[..., columns, :], allowed)
            out[..., rows, :], log_sum[..., rows, :] = join(before, here)
        ctx.save_for_backward(q, k, v, out, log_sum)
        ctx.rule, ctx.chunk = rule, chunk
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out):
        q, k, v, out, log_sum = ctx.saved_tensors
        d_q, d_k, d_v = (torch.zeros_like(x) for x in (q, k, v))
        common = (d_out * out).sum(-1, keepdim=True)  # what a softmax takes off all its gradients, (…, T, 1)
        for rows, columns, allowed in _tiles(q, k, ctx.rule, ctx.chunk):
            q_, d_ = q[..., rows, :], d_out[..., rows, :]
            k_, v_ = k[..., columns, :], v[..., columns, :]
            weights = (_scores(q_, k_, allowed) - log_sum[..., rows, :]).exp()
            d_scores = weights * (d_ @ v_.mT - common[..., rows, :]) / q.shape[-1] ** 0.5
            d_v[..., columns, :] += weights.mT @ d_
            d_q[..., rows, :] += d_scores @ k_
            d_k[..., columns, :] += d_scores.mT @ q_
        return d_q, d_k, d_v, None, None


def _tiles(q, k, rule, chunk):
    """Rows and columns of each tile in which anyone may look, and who may look where in it."""
    i, j = (torch.arange(x.shape[-2], device=x.device) for x in (q, k))
    for rows in i.split(chunk):
        for columns in j.split(chunk):
            allowed = rule(rows[:, None], columns[None])
            if allowed.any():
                yield slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1), allowed


# ---- some of the keys ----


def attend_local(q, k, v, mask=None, *, before, after=0):
    """`attend` of one text under `mask` and `window(before, after)`: n tokens cost 2 n · (before + after).

    Half of it is for nothing: whole blocks of w = before + after queries meet the 2 w keys of all of them.
    """
    check_one_text(q, k)
    check_sizes(0, before=before, after=after)
    return _attend_near(q, k, v, _rule(mask, q, k, v), before, after).out


def attend_strided(q, k, v, mask=None, *, stride):
    """`attend` of one text under `mask` and `strides(stride)`: n tokens cost n · (4 stride + n / stride).

    With a stride of about √n that is 5 n · √n, and two looks lead from any token to any other: along the
    stride, then to a neighbour.
    """
    check_one_text(q, k)
    check_sizes(stride=stride)
    rule = _rule(mask, q, k, v)
    near = _attend_near(q, k, v, rule, stride - 1, stride - 1)
    return join(near, _attend_along_strides(q, k, v, rule, stride)).out


def _attend_near(q, k, v, rule, before, after):
    """Part of a window. The text is cut in blocks; each looks at itself and at what reaches into it."""
    T = q.shape[-2]
    before, after = min(before, T - 1), min(after, T - 1)
    size = min(T, max(before + after, 16))  # c: with smaller blocks the bookkeeping costs more than it saves
    starts = torch.arange(0, T, size, device=q.device)[:, None, None]
    i = starts + torch.arange(size, device=q.device)[:, None]  # (N, c, 1)
    j = starts + torch.arange(-before, size + after, device=q.device)  # (N, 1, c + w)
    allowed = window(before, after)(i, j) & _within(rule, i, j, T)
    fill = -T % size
    q = F.pad(q, (0, 0, 0, fill)).unflatten(-2, (-1, size))  # (…, N, c, K)
    k, v = (F.pad(x, (0, 0, before, after + fill)).unfold(-2, j.shape[-1], size).mT for x in (k, v))
    return Part(*(x.flatten(-3, -2)[..., :T, :] for x in attend_part(q, k, v, allowed)))


def _attend_along_strides(q, k, v, rule, stride):
    """Part of the others a multiple of `stride` away: written in rows of `stride`, each column is a text."""
    T = q.shape[-2]
    stride = min(stride, T)
    fill = -T % stride
    places = torch.arange(T + fill, device=q.device).view(-1, stride).T  # (stride, N)
    i, j = places[:, :, None], places[:, None, :]
    allowed = (i != j) & _within(rule, i, j, T)
    q, k, v = (F.pad(x, (0, 0, 0, fill)).unflatten(-2, (-1, stride)).transpose(-3, -2) for x in (q, k, v))
    return Part(*(x.transpose(-3, -2).flatten(-3, -2)[..., :T, :] for x in attend_part(q, k, v, allowed)))


def _within(rule, i, j, T):
    """What the rule says of places in the text; nobody looks at those before it or behind it."""
    return (j >= 0) & (j < T) & rule(i.clamp(max=T - 1), j.clamp(0, T - 1))
