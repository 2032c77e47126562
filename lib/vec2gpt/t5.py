"""T5: every task as text that turns into text, for an encoder-decoder that is a little plainer.

Raffel et al. 2020. "translate English to German: …", "summarize: …", "stsb sentence1: …" are all sources; the
answer is a text, even where it is a number. The network is `transformer`, but

    where tokens stand    is no part of their vectors: a number b for each distance and head joins the scores
    scores                e = q · k + b, not divided by √K: the first queries are drawn that much smaller
    norms                 RMS (Zhang & Sennrich 2019), before each sublayer and at the end of each stack
    biases                none, in any layer
    output                the table of the tokens' vectors, after a division by √D

Distances are sorted into `buckets` (`bucket`): near ones have one each, farther ones share one, on a
logarithmic scale, and all from `farthest` on share the last. The table of numbers is one for all layers of a
stack; the cross-attention has none. T5 v1.1 (Shazeer 2020; Roberts, Raffel & Shazeer 2020) has a gated
feed-forward, and an output of its own, undivided.

Left out: dropout of attention weights and inside the feed-forward; how it was pretrained, see
`objectives.spans`.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend, dot
from vec2gpt.blocks import (
    ACTIVATIONS,
    FEED_FORWARDS,
    NORMS,
    Block,
    CrossAttention,
    DecoderBlock,
    SelfAttention,
    empty_cache,
)
from vec2gpt.checks import check_marks, check_names, check_shares, check_sizes
from vec2gpt.transformer import Attends, Embedding, Looks, Transformer, TransformerConfig, TransformerState


@dataclass(frozen=True)
class T5Config:
    vocab_size: int  # of source and target, who share a table
    context: int = 512  # the most tokens of a source, and of a target
    width: int = 512
    heads: int = 8
    head_width: int = 64  # K, of a query; heads · K need not be the width
    inner: int = 2048  # of a feed-forward
    encoder_layers: int = 6
    decoder_layers: int = 6
    buckets: int = 32  # of distances; half of them for each direction where a token looks both ways
    farthest: int = 128  # the distance from which on all are one
    feed_forward: str = "plain"  # one of FEED_FORWARDS; "gated" in v1.1
    activation: str = "relu"  # one of ACTIVATIONS; "gelu tanh" in v1.1
    tied: bool = True  # the output's table is the input's
    divided: bool = True  # what the output gets is divided by √width
    epsilon: float = 1e-6  # of the norms
    pad: int = 0  # fills a source, and what the decoder reads
    bos: int = 0  # the decoder's first input
    eos: int = 1  # its last output
    dropout: float = 0.1  # of a token's vector, and of what each sublayer adds
    label_smoothing: float = 0.0  # as of a Transformer

    def __post_init__(self):
        names = "vocab_size context width heads head_width inner encoder_layers decoder_layers farthest"
        check_sizes(**{name: getattr(self, name) for name in names.split()})
        check_sizes(4, buckets=self.buckets)
        check_names(self, feed_forward=FEED_FORWARDS, activation=ACTIVATIONS)
        check_marks(self)
        check_shares(dropout=self.dropout, label_smoothing=self.label_smoothing)
        if self.farthest <= self.buckets // 2:
            raise ValueError(
                f"farthest is {self.farthest}, but the first {self.buckets // 2} of {self.buckets} buckets "
                "have one distance each: give more than that"
            )

    @property
    def source_vocab(self):
        return self.vocab_size

    @property
    def target_vocab(self):
        return self.vocab_size


V1_1 = {"feed_forward": "gated", "activation": "gelu tanh", "tied": False, "divided": False}


# ---- how far apart ----


def bucket(distances, *, both_ways, buckets=32, farthest=128):
    """The bucket 0 … buckets − 1 of each distance: the place that is looked at, minus that of who looks.

    both_ways: distances above 0 have the upper half of the buckets; else they are in bucket 0, with the
    distance 0. Of the n buckets of a direction the first n / 2 hold one distance each.

    >>> bucket(torch.tensor([0, -1, -15, -16, -20, -500]), both_ways=False).tolist()
    [0, 1, 15, 16, 17, 31]
    """
    start = 0
    if both_ways:
        buckets //= 2
        start, distances = (distances > 0) * buckets, distances.abs()
    else:
        distances = (-distances).clamp(min=0)
    near = buckets // 2
    share = (distances.clamp(min=near).float() / near).log() / math.log(farthest / near)  # 0 … 1, and more
    far = (near + (share * (buckets - near)).long()).clamp(max=buckets - 1)
    return start + torch.where(distances < near, distances, far)


class DistanceBias(nn.Module):
    """A number for each bucket of distances and each head, which is learned."""

    def __init__(self, config, *, both_ways):
        super().__init__()
        self.options = {"both_ways": both_ways, "buckets": config.buckets, "farthest": config.farthest}
        self.table = nn.Embedding(config.buckets, config.heads)

    def forward(self, places, seen):
        """Of who stands at places (T,) or (B, T) and looks at those seen (S,): (1 or B, H, T, S)."""
        distances = seen - places[..., None]  # ([B,] T, S)
        found = self.table(bucket(distances, **self.options)).movedim(-1, -3)  # ([B,] H, T, S)
        return found if found.dim() == 4 else found[None]


def attend_biased(q, k, v, mask=None, *, bias=None):
    """softmax(q · k + b) v without the weights: q (B, H, T, K) -> (B, H, T, K); bias (1 or B, H, T, S)."""
    if bias is not None:
        mask = bias if mask is None else torch.where(mask, bias, -torch.inf)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0)


FUSED = Attends(attend_biased, attend_biased, attend_biased)  # (q, k, v, mask, *, bias) -> out


# ---- blocks ----


class _Wide:
    """Heads of any width."""

    def __init__(self, width, *, heads, head_width):
        inner = heads * head_width
        super().__init__(inner, heads=heads, key_width=width, value_width=width)
        self.query, self.output = nn.Linear(width, inner), nn.Linear(inner, width)


class WideSelfAttention(_Wide, SelfAttention):
    """`SelfAttention` whose heads are of any width."""


class WideCrossAttention(_Wide, CrossAttention):
    """`CrossAttention` whose heads are of any width."""


def _block(kind, config):
    """A Block or a DecoderBlock as T5 has it."""
    c = config
    style = {name: getattr(c, name) for name in ("inner", "dropout", "activation", "feed_forward")}
    block = kind(c.width, heads=1, norm="rms", **style)
    block.attention = block.added(WideSelfAttention(c.width, heads=c.heads, head_width=c.head_width))
    if kind is DecoderBlock:
        block.cross = block.added(WideCrossAttention(c.width, heads=c.heads, head_width=c.head_width))
    return block


class Head(nn.Linear):
    """From the last vectors (…, D) to logits (…, V)."""

    def __init__(self, config):
        super().__init__(config.width, config.vocab_size)
        self.scale = config.width**-0.5 if config.divided else 1.0

    def forward(self, x):
        return super().forward(x * self.scale)


# ---- the model ----


class T5(Transformer):
    """Reads a source and writes a target; what it can do is what a `Transformer` can."""

    Config = T5Config

    def __init__(self, config):
        nn.Module.__init__(self)
        self.config = c = config
        self.source = self.target = Embedding(_plain(c), c.vocab_size)  # one table
        self.encoder = nn.ModuleList(_block(Block, c) for _ in range(c.encoder_layers))
        self.encoder_bias = DistanceBias(c, both_ways=True)
        self.encoded = NORMS["rms"](c.width)
        self.decoder = nn.ModuleList(_block(DecoderBlock, c) for _ in range(c.decoder_layers))
        self.decoder_bias = DistanceBias(c, both_ways=False)
        self.decoded = NORMS["rms"](c.width)
        self.head = Head(c)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                part.bias = None
            elif isinstance(part, nn.RMSNorm):
                part.eps = c.epsilon
        self._initialise()

    # ---- all at once ----

    def forward(self, source_ids, decoder_ids, targets=None, *, attends=FUSED):
        """As of `Transformer`; attends have one more argument, `bias`, see `attend_biased`."""
        places = torch.arange(decoder_ids.shape[-1], device=decoder_ids.device)
        attends = self._decoding(attends, places, places)
        return super().forward(source_ids, decoder_ids, targets, attends=attends)

    def remember(self, source_ids, *, attends=FUSED):
        """Read source_ids (B, S), padded with `config.pad`: the decoder's Memory of it."""
        places = torch.arange(source_ids.shape[-1], device=source_ids.device)
        encoder = partial(attends.encoder, bias=self.encoder_bias(places, places))
        return super().remember(source_ids, attends=attends._replace(encoder=encoder))

    def look(self, source_ids, decoder_ids):
        """As of `Transformer`: `Looks`, each row of which sums to 1, without gradients."""
        watched = Attends(*([] for _ in Attends._fields))

        def watching(seen):
            def watch(q, k, v, mask, *, bias=0.0):
                out, weights = attend(q, k, v, mask, score=lambda q, k: dot(q, k) + bias)
                seen.append(weights.detach())
                return out

            return watch

        self(source_ids, decoder_ids, attends=Attends(*map(watching, watched)))
        return Looks(*(torch.stack(seen, 1) for seen in watched))

    # ---- token by token ----

    def encode(self, source_ids, *, attends=FUSED):
        """Read source_ids (B, S); return the decoder's first state."""
        memory, c = self.remember(source_ids, attends=attends), self.config
        keys = memory.keys[0].transpose(1, 2).flatten(2)  # (B, S, H · K)
        room = {"layers": c.decoder_layers, "heads": c.heads, "context": c.context}
        return TransformerState(empty_cache(keys, batch=len(source_ids), **room), memory)

    def read(self, ids, state, *, attends=FUSED):
        """Read the target's ids (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        places = state.cache.positions(ids.shape[-1])  # (B, T)
        room = torch.arange(self.config.context, device=ids.device)
        return super().read(ids, state, attends=self._decoding(attends, places, room))

    # ---- shared ----

    def _decoding(self, attends, places, seen):
        bias = self.decoder_bias(places, seen)
        return attends._replace(decoder=partial(attends.decoder, bias=bias))

    def _initialise(self):
        """T5's first weights: what n numbers go into has σ = 1 / √n, a query's 1 / √(n K), a token's 1."""
        for name, part in self.named_modules():
            if isinstance(part, nn.Linear):
                scale = self.config.head_width**-0.5 if name.endswith(".query") else 1.0
                nn.init.normal_(part.weight, std=scale * part.in_features**-0.5)
            elif isinstance(part, DistanceBias):
                nn.init.normal_(part.table.weight, std=self.config.width**-0.5)
        nn.init.normal_(self.source.table.weight)
        self.tie()

    def tie(self):
        """Input and output share their table, if they are to."""
        if self.config.tied:
            self.head.weight = self.source.table.weight
        return self


def _plain(config):
    """What an Embedding wants to know: tokens' vectors as they are, with no places."""
    v, style = config.vocab_size, {"positions": "none", "scaled": False, "dropout": config.dropout}
    return TransformerConfig(v, v, width=config.width, heads=1, pad=config.pad, bos=0, eos=0, **style)
