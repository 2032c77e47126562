"""GPT: a stack of Transformer blocks that predicts the next token.

Radford et al. 2018, laid out as GPT-2 (Radford et al. 2019): the Transformer's decoder without
cross-attention, with learned positions, pre-norm blocks and a last norm, and one table of token vectors for
input and output. A recurrent network must read a text token by token; here all tokens of a passage are read,
and learned from, at once, for each sees only what came before it.

Left out: dropout on attention weights; sliding the context once it is full.
"""

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend_fused, causal_mask
from vec2gpt.blocks import Block, CachedLook, empty_cache
from vec2gpt.checks import check_context, check_ids, check_shares, check_sizes
from vec2gpt.language import next_token_loss


@dataclass(frozen=True)
class GPTConfig:
    vocab_size: int
    context: int = 64  # the most tokens it can see, the prompt included
    layers: int = 4
    heads: int = 4
    width: int = 128
    dropout: float = 0.0

    def __post_init__(self):
        names = "vocab_size context layers heads width"
        check_sizes(**{name: getattr(self, name) for name in names.split()})
        check_shares(dropout=self.dropout)


class GPT(nn.Module):
    """A decoder-only Transformer language model."""

    Config = GPTConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.width)  # also the output layer
        self.position = nn.Embedding(config.context, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(config.width, heads=config.heads, dropout=config.dropout, activation="gelu tanh")
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self._initialise()

    def forward(self, ids, targets=None):
        """ids (B, T) -> logits (B, T, V), and the mean loss in nats when targets (B, T) are given."""
        self._check(ids)
        length = ids.shape[1]
        mask = causal_mask(length, device=ids.device)
        positions = torch.arange(length, device=ids.device)
        logits = self._logits(ids, positions, partial(attend_fused, mask=mask))
        return logits, next_token_loss(logits, targets)

    def initial(self, batch):
        """The empty Cache, for `batch` sequences."""
        c = self.config
        return empty_cache(self.token.weight, batch=batch, layers=c.layers, heads=c.heads, context=c.context)

    def read(self, ids, cache):
        """Read ids (B, T) after what `cache` holds; return logits (B, T, V) and the Cache after them."""
        self._check(ids, cache.length.max())
        positions = cache.positions(ids.shape[1])  # (B, T)
        look = CachedLook(cache, positions)
        return self._logits(ids, positions, look), look.cache()

    def step(self, ids, cache):
        """Read one token a sequence, ids (B,); return logits (B, V) and the Cache after it."""
        logits, cache = self.read(ids[:, None], cache)
        return logits[:, 0], cache

    def _logits(self, ids, positions, look):
        x = self.dropout(self.token(ids) + self.position(positions))  # (B, T, D)
        for block in self.blocks:
            x = block(x, look=look)
        return F.linear(self.norm(x), self.token.weight)  # (B, T, V)

    def _check(self, ids, before=0):
        """Raise ValueError for ids that it does not know, or that its context has no room for."""
        check_ids(ids, self.config.vocab_size)
        check_context(ids, self.config.context, before=before)

    def _initialise(self):
        """GPT-2's start: σ = 0.02; what adds to the residual stream less, for 2 L layers add to it."""
        for name, weight in self.named_parameters():
            if "norm" in name:
                continue
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            else:
                scale = (2 * self.config.layers) ** -0.5 if ".output." in name else 1.0
                nn.init.normal_(weight, std=0.02 * scale)
