"""The Transformer: attention without recurrence.

Vaswani et al. 2017. A recurrent network reads one token after another; attention alone reads all at once, and
any two tokens are one step apart. Each head compares the tokens in a projection of its own. The blocks here
are normalised first (pre-norm: Baevski & Auli 2019, Xiong et al. 2020), which trains without long warm-up.

How the heads look is handed in as a function `look(q, k, v) -> out`, so that masks, a memory of earlier
tokens, a trace of the weights or an override of them need no change in the model:

    block(x, look=lambda q, k, v: attend_fused(q, k, v, causal_mask(T)))

Left out: dropout on attention weights, positional encodings, the encoder-decoder.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import MultiHeadAttention, attend_fused

# ---- layers ----


class SelfAttention(MultiHeadAttention):
    """Multi-head attention where queries, keys and values all come from x."""

    def forward(self, x, *, look=attend_fused):
        """x (B, T, D) -> (B, T, D); `look(q, k, v) -> out` works on (B, H, T, K)."""
        return self.merge(look(*self.project(x, x, x)))


class FeedForward(nn.Module):
    """Two linear layers with a bend between them, applied to each token by itself."""

    def __init__(self, width, *, inner=None, activation=F.relu):
        super().__init__()
        inner = inner or 4 * width
        self.inner = nn.Linear(width, inner)
        self.output = nn.Linear(inner, width)
        self.activation = activation

    def forward(self, x):
        return self.output(self.activation(self.inner(x)))


class PreNorm(nn.Module):
    """x + sublayer(norm(x)): what comes in passes through untouched, the sublayer adds to it."""

    def __init__(self, sublayer, *, width, dropout=0.0):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.sublayer = sublayer
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, **kwargs):
        return x + self.dropout(self.sublayer(self.norm(x), **kwargs))


class Block(nn.Module):
    """Self-attention, then feed-forward: tokens first talk to each other, then each thinks for itself."""

    def __init__(self, width, *, heads, dropout=0.0, activation=F.relu):
        super().__init__()
        self.attention = PreNorm(SelfAttention(width, heads=heads), width=width, dropout=dropout)
        self.feed_forward = PreNorm(FeedForward(width, activation=activation), width=width, dropout=dropout)

    def forward(self, x, *, look=attend_fused):
        return self.feed_forward(self.attention(x, look=look))


# ---- memory of earlier tokens ----


class Cache(NamedTuple):
    """Keys and values of the tokens read so far, in room for a whole context C; batch first."""

    keys: torch.Tensor  # (B, L, H, C, K), L layers
    values: torch.Tensor  # (B, L, H, C, K)
    length: torch.Tensor  # (B,) tokens read so far

    def positions(self, count):
        """Where the next `count` tokens of each row stand: (B, T)."""
        return self.length[:, None] + torch.arange(count, device=self.length.device)


class CachedLook:
    """A `look` for reading on from a Cache: call it once a layer, from the first to the last.

    Each call puts the new tokens' keys and values at their places and looks at all tokens up to each query.
    `cache()` is what is remembered afterwards; the Cache it started from is left as it was.
    """

    def __init__(self, cache, positions):
        self.layers = zip(cache.keys.unbind(1), cache.values.unbind(1), strict=True)
        self.positions = positions  # (B, T)
        places = torch.arange(cache.keys.shape[3], device=positions.device)  # (C,)
        self.mask = (places <= positions[..., None])[:, None]  # (B, 1, T, C)
        self.keys, self.values = [], []

    def __call__(self, q, k, v):
        keys, values = next(self.layers)  # (B, H, C, K)
        at = self.positions[:, None, :, None].expand_as(k)  # (B, H, T, K)
        self.keys.append(keys.scatter(2, at, k))
        self.values.append(values.scatter(2, at, v))
        return attend_fused(q, self.keys[-1], self.values[-1], self.mask)

    def cache(self):
        """The Cache after all layers were called."""
        return Cache(torch.stack(self.keys, 1), torch.stack(self.values, 1), self.positions[:, -1] + 1)
