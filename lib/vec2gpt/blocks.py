"""Transformer blocks: attention without recurrence.

Vaswani et al. 2017. A recurrent network reads one token after another; attention alone reads all at once,
and any two tokens are one step apart. A block is a few *sublayers*: the tokens ask each other
(self-attention), or a memory (cross-attention), then each thinks for itself (feed-forward). What comes in is
added to what a sublayer makes of it (a *residual* connection: He et al. 2016), and normalised (Ba, Kiros &
Hinton 2016): in the paper after the sum, in most models since 2019 before the sublayer, `RESIDUALS`.

How the heads look is handed in as a function `look(q, k, v) -> out`, so that masks, a cache of earlier
tokens, a trace of the weights or an override of them need no change in a model:

    block(x, look=lambda q, k, v: attend_fused(q, k, v, causal_mask(T)))

Left out: dropout of attention weights and inside the feed-forward.
"""

from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import MultiHeadAttention, attend_fused, shared
from vec2gpt.checks import chosen
from vec2gpt.experts import Experts

ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,  # Hendrycks & Gimpel 2016
    "gelu tanh": partial(F.gelu, approximate="tanh"),  # as GPT-2 computes it
    "swish": F.silu,  # Ramachandran, Zoph & Le 2017
}

# ---- what is done ----


class SelfAttention(MultiHeadAttention):
    """Multi-head attention where queries, keys and values all come from x."""

    def forward(self, x, *, look=attend_fused):
        """x (B, T, D) -> (B, T, D); `look(q, k, v) -> out` works on (B, H, T, K), of groups on fewer k, v."""
        return self.merge(look(*self.project(x, x, x)))


class CrossAttention(MultiHeadAttention):
    """Multi-head attention where the queries come from x, and what they ask is another text."""

    def remember(self, memory):
        """Keys and values (B, H, S, K) of a memory (B, S, D): made once, asked at every step."""
        return self._split(self.key(memory)), self._split(self.value(memory))

    def forward(self, x, *, remembered, look=attend_fused):
        """x (B, T, D) -> (B, T, D); remembered: as `remember` made it."""
        return self.merge(look(self._split(self.query(x)), *remembered))


class FeedForward(nn.Module):
    """Two linear layers with a bend between them, applied to each token by itself."""

    def __init__(self, width, *, inner=None, activation="relu"):
        super().__init__()
        inner = 4 * width if inner is None else inner
        self.inner = nn.Linear(width, inner)
        self.output = nn.Linear(inner, width)
        self.activation = chosen(ACTIVATIONS, activation=activation)

    def forward(self, x):
        return self.output(self.activation(self.inner(x)))


class GatedFeedForward(FeedForward):
    """One more layer, whose bend is a gate for the first: with swish it is SwiGLU (Shazeer 2020).

    inner: two thirds of what `FeedForward` has, so that three matrices hold as many numbers as two.
    """

    def __init__(self, width, *, inner=None, activation="swish"):
        inner = 8 * width // 3 if inner is None else inner
        super().__init__(width, inner=inner, activation=activation)
        self.gate = nn.Linear(width, inner)

    def forward(self, x):
        return self.output(self.activation(self.gate(x)) * self.inner(x))


FEED_FORWARDS = {"plain": FeedForward, "gated": GatedFeedForward}

# ---- how it is normalised, and added to what was there ----


class BatchNorm(nn.BatchNorm1d):
    """Each of the D numbers, over all tokens of the batch (Ioffe & Szegedy 2015), padding included."""

    def forward(self, x):
        return super().forward(x.flatten(0, -2)).view_as(x)


NORMS = {  # each of a width D
    "layer": nn.LayerNorm,
    "batch": BatchNorm,
    "rms": nn.RMSNorm,  # Zhang & Sennrich 2019: the mean is not taken off
    "none": nn.Identity,
}


class Residual(nn.Module):
    """A sublayer, a norm, and a way of their own to put them together; see `RESIDUALS`."""

    def __init__(self, sublayer, *, width, dropout=0.0, norm="layer"):
        super().__init__()
        self.norm = chosen(NORMS, norm=norm)(width)
        self.sublayer = sublayer
        self.dropout = nn.Dropout(dropout)


class PreNorm(Residual):
    """x + sublayer(norm(x)): what comes in passes through untouched (Baevski & Auli 2019)."""

    def forward(self, x, **given):
        return x + self.dropout(self.sublayer(self.norm(x), **given))


class PostNorm(Residual):
    """norm(x + sublayer(x)), as in the paper."""

    def forward(self, x, **given):
        return self.norm(x + self.dropout(self.sublayer(x, **given)))


class NoResidual(Residual):
    """sublayer(norm(x)), to see what is lost."""

    def forward(self, x, **given):
        return self.dropout(self.sublayer(self.norm(x), **given))


RESIDUALS = {"pre": PreNorm, "post": PostNorm, "none": NoResidual}


# ---- blocks ----


class Block(nn.Module):
    """Self-attention, then feed-forward: a layer of an encoder, and, with a causal mask, of a GPT.

    experts: so many feed-forwards instead of one, `active` of them for each token; see `experts`.
    """

    def __init__(
        self,
        width,
        *,
        heads,
        groups=None,
        inner=None,
        dropout=0.0,
        activation="relu",
        feed_forward="plain",
        experts=None,
        active=2,
        residual="pre",
        norm="layer",
    ):
        super().__init__()
        kind = chosen(FEED_FORWARDS, feed_forward=feed_forward)
        make = partial(kind, width, inner=inner, activation=activation)
        self.added = partial(chosen(RESIDUALS, residual=residual), width=width, dropout=dropout, norm=norm)
        self.attention = self.added(SelfAttention(width, heads=heads, groups=groups))
        thinks = make() if experts is None else Experts(make, width=width, experts=experts, active=active)
        self.feed_forward = self.added(thinks)

    def forward(self, x, *, look=attend_fused):
        """x (B, T, D) -> (B, T, D)."""
        return self.feed_forward(self.attention(x, look=look))


class DecoderBlock(Block):
    """Self-attention, cross-attention, feed-forward: a layer of the Transformer's decoder."""

    def __init__(self, width, *, heads, **style):
        super().__init__(width, heads=heads, **style)
        self.cross = self.added(CrossAttention(width, heads=heads))

    def remember(self, memory):
        """What `forward` wants of a memory (B, S, D): keys and values (B, H, S, K)."""
        return self.cross.sublayer.remember(memory)

    def forward(self, x, remembered, *, look=attend_fused, look_back=attend_fused):
        """x (B, T, D) -> (B, T, D); `look` at x itself, `look_back` at what is remembered."""
        x = self.attention(x, look=look)
        return self.feed_forward(self.cross(x, remembered=remembered, look=look_back))


def even_std(width):
    """σ = 0.02 at GPT-2's width of 768, and at every other as much a token, Σ x² = 0.31: 0.049 at 128.

    With 0.02 in a narrow model the tokens are lost in the norm's and the positions' noise, and for a small
    budget it learns little more than how frequent they are.
    """
    return 0.02 * (768 / width) ** 0.5


def start(model, *, layers, std=0.02):
    """Draw a model's first weights as GPT-2 does: σ = 0.02, no bias, norms that change nothing.

    What adds to the residual stream starts smaller, by √(2 L): 2 L sublayers add to it.
    """
    for name, weight in model.named_parameters():
        if "norm" in name:
            continue
        if name.endswith("bias"):
            nn.init.zeros_(weight)
        else:
            scale = (2 * layers) ** -0.5 if ".output." in name else 1.0
            nn.init.normal_(weight, std=std * scale)


# ---- a cache of earlier tokens ----


class Cache(NamedTuple):
    """Keys and values of the tokens read so far, in room for a whole context C; batch first."""

    keys: tuple  # of each layer, (B, H, C, K)
    values: tuple  # of each layer, (B, H, C, K)
    length: torch.Tensor  # (B,) tokens read so far

    def positions(self, count):
        """Where the next `count` tokens of each row stand: (B, T)."""
        return self.length[:, None] + torch.arange(count, device=self.length.device)


def empty_cache(like, *, batch, layers, heads, context, groups=None):
    """A Cache that holds nothing yet, of the width, dtype and device of `like` (…, D).

    groups: where heads share keys and values, so many are kept: H in `Cache`.
    """
    shape = batch, groups or heads, context, like.shape[-1] // heads

    def room():
        return tuple(like.new_zeros(shape) for _ in range(layers))

    return Cache(room(), room(), like.new_zeros(batch, dtype=torch.long))


class CachedLook:
    """A `look` for reading on from a Cache: call it once a layer, from the first to the last.

    Each call puts the new tokens' keys and values at their places and looks at all tokens up to each query,
    by `attend(q, k, v, mask) -> out`. `cache()` is what is remembered afterwards; the Cache it started from
    is left as it was.
    """

    def __init__(self, cache, positions, *, attend=attend_fused):
        self.attend = attend
        self.layers = zip(cache.keys, cache.values, strict=True)
        self.positions = positions  # (B, T)
        places = torch.arange(cache.keys[0].shape[2], device=positions.device)  # (C,)
        self.mask = (places <= positions[..., None])[:, None]  # (B, 1, T, C)
        self.keys, self.values = [], []

    def __call__(self, q, k, v):
        keys, values = next(self.layers)  # (B, H, C, K)
        at = self.positions[:, None, :, None].expand_as(k)  # (B, H, T, K)
        self.keys.append(keys.scatter(2, at, k))
        self.values.append(values.scatter(2, at, v))
        return self.attend(q, *shared(q, self.keys[-1], self.values[-1]), self.mask)

    def cache(self):
        """The Cache after all layers were called."""
        if next(self.layers, None) is not None:
            raise ValueError(f"only {len(self.keys)} layers have looked: call it once for each")
        return Cache(tuple(self.keys), tuple(self.values), self.positions[:, -1] + 1)
