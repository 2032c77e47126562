"""A Transformer that reads with any mask: one model for every objective.

Dong et al. 2019 (UniLM) showed that what tells a GPT from a BERT is who may look at whom, not the network:
here the mask is an input, so that objectives (`objectives`) can be compared with everything else held equal.
With two masks it reads in two streams, as XLNet (Yang et al. 2019): a *content* stream of tokens, and a
*query* stream that starts from the places alone, looks at the contents and says which token belongs there.

    query:    g ← Block(g looks at h by `mask`)
    content:  h ← Block(h looks at h by `content`), the same weights

Laid out as `gpt`, learned positions and pre-norm blocks. Left out: relative positions, which XLNet has.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend, check_mask
from vec2gpt.blocks import Block, even_std, start
from vec2gpt.checks import check_context, check_ids, check_shares, check_sizes
from vec2gpt.language import next_token_loss
from vec2gpt.positions import Learned
from vec2gpt.unrolling import is_exporting


@dataclass(frozen=True)
class ReaderConfig:
    vocab_size: int
    context: int = 64  # the most tokens it can see
    width: int = 128
    heads: int = 4
    layers: int = 2
    dropout: float = 0.0

    def __post_init__(self):
        names = "vocab_size context width heads layers"
        check_sizes(**{name: getattr(self, name) for name in names.split()})
        check_shares(dropout=self.dropout)


class Reader(nn.Module):
    """Says a token at each place, from what the mask lets it see. No mask: all see all."""

    Config = ReaderConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.width)  # also the output layer
        head_width = config.width // config.heads
        self.positions = Learned(config.width, context=config.context, head_width=head_width)
        self.query = nn.Parameter(torch.zeros(config.width))  # stands for a token that is not known
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(config.width, heads=config.heads, dropout=config.dropout, activation="gelu tanh")
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        start(self, layers=config.layers, std=even_std(config.width))

    def forward(self, inputs, targets=None, mask=None, content=None):
        """inputs (B, T) -> logits (B, T, V), and the mean loss in nats when targets (B, T) are given.

        mask: (T, T), (1, 1, T, T) or (B, 1, T, T), True = may look; a token that may look nowhere goes by
        itself. content: a mask too; then there are two streams, and the logits are of the query stream, of
        the token at each place itself, which `mask` must not open.
        """
        check_ids(inputs, self.config.vocab_size, name="inputs")
        check_context(inputs, self.config.context, name="inputs")
        _check_masks(inputs, mask=mask, content=content)
        x, mask = self._streams(inputs, mask, content)
        for block in self.blocks:
            x = block(x, look=_looking(mask, inputs.shape[1]))
        x = x[:, -inputs.shape[1] :]  # of two streams the second
        logits = F.linear(self.norm(x), self.token.weight)  # (B, T, V)
        return logits, next_token_loss(logits, targets)

    def _streams(self, inputs, mask, content):
        """Where reading starts: x (B, T, D) and who may look; of two streams both, (B, 2 T, D)."""
        places = torch.arange(inputs.shape[1], device=inputs.device)
        x = self.positions(self.token(inputs), places)  # (B, T, D)
        if content is not None:
            x = torch.cat([x, self.positions(self.query, places).expand_as(x)], 1)
            mask = torch.cat(torch.broadcast_tensors(content, mask), -2)  # (…, 2 T, T)
        return self.dropout(x), mask


def _looking(mask, length):
    """A `look` at the first `length` keys: of two streams, nobody looks at the query stream.

    By `attend`, whose weights are 0 where one may look nowhere; other ways to compute it give NaN there.
    """
    return lambda q, k, v: attend(q, k[:, :, :length], v[:, :, :length], mask)[0]


def _check_masks(inputs, **masks):
    """Each mask is (T, T), or (1 or B, 1, T, T); a content mask comes with a mask."""
    if masks["content"] is not None and masks["mask"] is None:
        raise ValueError("content is given without mask: two streams need both, as objectives.permuted makes")
    if is_exporting():
        return
    B, T = inputs.shape
    for name, mask in masks.items():
        if mask is None:
            continue
        check_mask(mask)
        if mask.shape not in {(T, T), (1, 1, T, T), (B, 1, T, T)}:
            raise ValueError(
                f"{name} has the shape {tuple(mask.shape)}, and inputs ({B}, {T}): give ({T}, {T}) for all, "
                f"or ({B}, 1, {T}, {T}), whose second axis is the heads"
            )
