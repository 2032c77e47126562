"""GPT: a stack of Transformer blocks that predicts the next token.

Radford et al. 2018, laid out as GPT-2 (Radford et al. 2019): the Transformer's decoder without
cross-attention, with learned positions, pre-norm blocks and a last norm, and one table of token vectors for
input and output. A recurrent network must read a text token by token; here all tokens of a passage are read,
and learned from, at once, for each sees only what came before it.

What has changed since GPT-2 is a choice in the configuration; `TODAY` is how LLaMA (Touvron et al. 2023) and
most after it choose: rotary positions, RMS norm, a gated feed-forward; and, since the larger Llama 2, heads
that share keys and values.

Left out: dropout on attention weights; sliding the context once it is full.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend, attend_fused, causal_mask, shared
from vec2gpt.blocks import ACTIVATIONS, FEED_FORWARDS, NORMS, Block, CachedLook, empty_cache, start
from vec2gpt.checks import check_context, check_ids, check_names, check_shares, check_sizes
from vec2gpt.language import next_token_loss
from vec2gpt.positions import POSITIONS


@dataclass(frozen=True)
class GPTConfig:
    vocab_size: int
    context: int = 64  # the most tokens it can see, the prompt included
    layers: int = 4
    heads: int = 4
    width: int = 128
    dropout: float = 0.0
    positions: str = "learned"  # one of POSITIONS
    norm: str = "layer"  # one of NORMS
    feed_forward: str = "plain"  # one of FEED_FORWARDS
    activation: str = "gelu tanh"  # one of ACTIVATIONS
    groups: int | None = None  # so many heads' worth of keys and values, shared by all; None: no two share
    experts: int | None = None  # so many feed-forwards in a block; None: one, through which all tokens go
    active: int = 2  # so many of the experts for each token
    std: float = 0.02  # of the first weights: GPT-2's; a narrow model starts better at `blocks.even_std`

    def __post_init__(self):
        names = ["vocab_size", "context", "layers", "heads", "width", "active"]
        names += [name for name in ("groups", "experts") if getattr(self, name) is not None]
        check_sizes(**{name: getattr(self, name) for name in names})
        check_names(self, positions=POSITIONS, norm=NORMS, feed_forward=FEED_FORWARDS, activation=ACTIVATIONS)
        check_shares(dropout=self.dropout)
        if not 0 < self.std < math.inf:
            raise ValueError(f"std is {self.std}: give a positive number, such as GPT-2's 0.02")


# what every block is told
BLOCK_OPTIONS = ("heads", "groups", "dropout", "activation", "feed_forward", "experts", "active", "norm")
TODAY = {"positions": "rotary", "norm": "rms", "feed_forward": "gated", "activation": "swish", "groups": 2}


class GPT(nn.Module):
    """A decoder-only Transformer language model."""

    Config = GPTConfig

    def __init__(self, config):
        super().__init__()
        self.config = c = config
        style = {name: getattr(c, name) for name in BLOCK_OPTIONS}
        self.token = nn.Embedding(c.vocab_size, c.width)  # also the output layer
        head_width = c.width // c.heads
        self.positions = POSITIONS[c.positions](c.width, context=c.context, head_width=head_width)
        self.dropout = nn.Dropout(c.dropout)
        self.blocks = nn.ModuleList(Block(c.width, **style) for _ in range(c.layers))
        self.norm = NORMS[c.norm](c.width)
        start(self, layers=c.layers, std=c.std)

    def forward(self, ids, targets=None, *, attend=attend_fused):
        """ids (B, T) -> logits (B, T, V), and the mean loss in nats when targets (B, T) are given.

        attend(q, k, v, mask) -> out: how every head looks, to watch it or to change it.
        """
        self._check(ids)
        length = ids.shape[1]
        mask = causal_mask(length, device=ids.device)
        places = torch.arange(length, device=ids.device)
        logits = self._logits(ids, places, lambda q, k, v: attend(q, *shared(q, k, v), mask))
        return logits, next_token_loss(logits, targets)

    def look(self, ids):
        """Where each head of each layer looks: (B, L, H, T, T), rows that sum to 1, without gradients.

        It reads as the model would: in training mode with dropout, so call `eval()` first.
        """
        seen = []

        def watch(q, k, v, mask):
            out, weights = attend(q, k, v, mask)
            seen.append(weights.detach())
            return out

        self(ids, attend=watch)
        return torch.stack(seen, 1)

    def initial(self, batch):
        """The empty Cache, for `batch` sequences."""
        c = self.config
        sizes = {"layers": c.layers, "heads": c.heads, "groups": c.groups, "context": c.context}
        return empty_cache(self.token.weight, batch=batch, **sizes)

    def read(self, ids, cache):
        """Read ids (B, T) after what `cache` holds; return logits (B, T, V) and the Cache after them."""
        self._check(ids, cache.length.max())
        places = cache.positions(ids.shape[1])  # (B, T)
        look = CachedLook(cache, places)
        return self._logits(ids, places, look), look.cache()

    def step(self, ids, cache):
        """Read one token a sequence, ids (B,); return logits (B, V) and the Cache after it."""
        logits, cache = self.read(ids[:, None], cache)
        return logits[:, 0], cache

    def _logits(self, ids, places, look):
        x = self.dropout(self.positions(self.token(ids), places))  # (B, T, D)
        for block in self.blocks:
            x = block(x, look=self.positions.told(look, places))
        return F.linear(self.norm(x), self.token.weight)  # (B, T, V)

    def _check(self, ids, before=0):
        """Raise ValueError for ids that it does not know, or that its context has no room for."""
        check_ids(ids, self.config.vocab_size)
        check_context(ids, self.config.context, before=before)
