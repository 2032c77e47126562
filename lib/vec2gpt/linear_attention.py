"""Attention without a softmax, which sums the keys up before anyone asks: n tokens cost n.

Katharopoulos et al. 2020. The weights of softmax attention are exp(q · k / √K), so each query must meet each
key. Let them be φ(q) · φ(k) instead, and the order of multiplying is free:

    (φ(q) φ(k)ᵀ) v = φ(q) (φ(k)ᵀ v)        T · S weights, or a matrix (K, V) that all queries share

Each is a function `(q, k, v, mask) -> out` like `attend_fused`, and goes to a model in its place. Token by
token it is a recurrent network, with a state of one size: `linear_step`.

Left out: other feature maps φ.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from vec2gpt.attention import check_mask
from vec2gpt.checks import check_one_text, check_shapes, check_sizes

# ---- all at once ----


def attend_linear(q, k, v, mask=None):
    """The average of the values v (…, S, V) whose weights are φ(q) · φ(k): q (…, T, K), k (…, S, K).

    It is *not* what `attend` computes, so a model must be trained with it. mask: which keys count, (…, 1, S).
    """
    check_shapes(q, k, v)
    q, k, v = _features(q), _counted(_features(k), mask), _with_ones(v)
    return _divided(q @ (k.mT @ v))


def attend_linear_causal(q, k, v, mask=None, *, chunk=64):
    """`attend_linear` of one text, each query asking only the keys up to its own place.

    It adds what the chunks before have summed up, and the pairs inside one's own chunk.
    """
    check_shapes(q, k, v)
    check_one_text(q, k)
    check_sizes(chunk=chunk)
    T = q.shape[-2]
    q, k, v = (
        F.pad(x, (0, 0, 0, -T % chunk)).unflatten(-2, (-1, chunk))  # (…, N, c, K)
        for x in (_features(q), _counted(_features(k), mask), _with_ones(v))
    )
    sums = (k.mT @ v).cumsum(-3)  # (…, N, K, V + 1), up to the end of each chunk
    before = F.pad(sums[..., :-1, :, :], (0, 0, 0, 0, 1, 0))
    return _divided(q @ before + (q @ k.mT).tril() @ v).flatten(-3, -2)[..., :T, :]


# ---- token by token ----


class LinearState(NamedTuple):
    """All that linear attention keeps of a text, however long: it is a recurrent network."""

    values: torch.Tensor  # (…, K, V), Σ φ(k) vᵀ
    weights: torch.Tensor  # (…, K), Σ φ(k)


def linear_initial(k, v):
    """The state before the first token, for keys like k (…, K) and values like v (…, V)."""
    return LinearState(k.new_zeros(*k.shape, v.shape[-1]), torch.zeros_like(k))


def linear_step(q, k, v, state):
    """One token of `attend_linear_causal`: q, k (…, K), v (…, V) -> (out (…, V), state)."""
    q, k = _features(q), _features(k)
    values = state.values + k[..., :, None] * v[..., None, :]
    weights = state.weights + k
    sums = (q[..., None, :] @ values).squeeze(-2), (q * weights).sum(-1, keepdim=True)
    return _divided(torch.cat(sums, -1)), LinearState(values, weights)


# ---- shared ----


def _features(x):
    """φ(x) = elu(x) + 1: above 0, so that weights are."""
    return F.elu(x) + 1


def _with_ones(v):
    """Values with a last number 1: its sum is what the sums of the others are divided by."""
    return F.pad(v, (0, 1), value=1.0)


def _divided(sums):
    """Averages of sums (…, V + 1), 0 where no key counted."""
    total = sums[..., -1:]
    return sums[..., :-1] / total.masked_fill(total == 0, 1.0)


def _counted(k, mask):
    """Features of keys (…, S, K), 0 where they do not count."""
    if mask is None:
        return k
    if callable(mask) or mask.dim() < 2 or mask.shape[-2] != 1:
        raise ValueError(
            "linear attention sums up the keys before anyone asks, so its mask must be one for all queries: "
            "give (…, 1, S); instead of a causal mask, use attend_linear_causal without any"
        )
    check_mask(mask)
    check_shapes(k[..., :1, :], k, k, mask)  # one query stands for all
    return k * mask.mT
