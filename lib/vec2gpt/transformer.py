"""The Transformer: an encoder-decoder of attention alone.

Vaswani et al. 2017. What a recurrent encoder-decoder learns one token after another (`seq2seq`, `attentive`),
this one learns at all places at once: nothing waits for a state, and only writing goes step by step.

    encoder: every token of the source looks at every other
    decoder: every token of the target looks at those before it, then at the source

A decoder that writes keeps the keys and values of what it wrote (`Cache`), so that a step costs one token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.attention import attend, attend_fused, causal_mask, padding_mask
from vec2gpt.blocks import (
    ACTIVATIONS,
    NORMS,
    RESIDUALS,
    Block,
    Cache,
    CachedLook,
    DecoderBlock,
    empty_cache,
)
from vec2gpt.checks import (
    check_batch,
    check_context,
    check_ids,
    check_marks,
    check_names,
    check_shares,
    check_sizes,
    check_tokens,
)
from vec2gpt.language import next_token_loss
from vec2gpt.positions import POSITIONS
from vec2gpt.seq2seq import EncoderDecoder


@dataclass(frozen=True)
class TransformerConfig:
    source_vocab: int
    target_vocab: int
    context: int = 64  # the most tokens of a source, and of a target
    width: int = 128
    heads: int = 4
    inner: int = 512  # of a feed-forward
    encoder_layers: int = 2
    decoder_layers: int = 2
    positions: str = "sinusoidal"  # one of POSITIONS
    residual: str = "pre"  # one of RESIDUALS
    norm: str = "layer"  # one of NORMS
    activation: str = "relu"  # one of ACTIVATIONS
    scaled: bool = True  # a token's vector is multiplied by √width
    embedding_norm: bool = False  # what the first block gets is normalised, as BART has it
    tied: bool = False  # source, target and output share one table of vectors
    pad: int = 0  # fills a source, and what the decoder reads
    bos: int = 1  # the decoder's first input
    eos: int = 2  # its last output
    dropout: float = 0.1  # of a token's vector, and of what each sublayer adds
    label_smoothing: float = 0.0  # in training, so much of the target's probability is spread over all tokens

    def __post_init__(self):
        names = "source_vocab target_vocab context width heads inner encoder_layers decoder_layers"
        check_sizes(**{name: getattr(self, name) for name in names.split()})
        check_names(self, positions=POSITIONS, residual=RESIDUALS, norm=NORMS, activation=ACTIVATIONS)
        check_marks(self)
        check_shares(dropout=self.dropout, label_smoothing=self.label_smoothing)
        if self.tied and self.source_vocab != self.target_vocab:
            raise ValueError(
                f"vocabularies of {self.source_vocab} and {self.target_vocab} cannot share a table: "
                "give one vocabulary for both, or tied=False"
            )


BLOCK_OPTIONS = ("heads", "inner", "dropout", "activation", "residual", "norm")  # told to every block


class Memory(NamedTuple):
    """What the decoder looks back at: keys and values of the source for each of its layers, batch first."""

    keys: tuple  # of each layer, (B, H, S, K)
    values: tuple  # of each layer, (B, H, S, K)
    mask: torch.Tensor  # (B, 1, 1, S), True = a token


class TransformerState(NamedTuple):
    """All that a decoder carries from step to step, batch first, so that a beam can reorder it."""

    cache: Cache
    memory: Memory


class Attends(NamedTuple):
    """How each kind of attention is computed, `(q, k, v, mask) -> out`: to watch it, or to change it."""

    encoder: Callable = attend_fused
    decoder: Callable = attend_fused
    cross: Callable = attend_fused


FUSED = Attends()


class Looks(NamedTuple):
    """Every attention weight of one reading, of each layer and each head."""

    encoder: torch.Tensor  # (B, L, H, S, S)
    decoder: torch.Tensor  # (B, L, H, T, T)
    cross: torch.Tensor  # (B, L, H, T, S)


class Embedding(nn.Module):
    """The vectors of one side's tokens, which know where they stand."""

    def __init__(self, config, vocab_size):
        super().__init__()
        c, head_width = config, config.width // config.heads
        self.scale = c.width**0.5 if c.scaled else 1.0
        self.table = nn.Embedding(vocab_size, c.width)
        self.positions = POSITIONS[c.positions](c.width, context=c.context, head_width=head_width)
        self.norm = NORMS[c.norm if c.embedding_norm else "none"](c.width)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, ids, places):
        """ids (B, T) of tokens at places (T,) or (B, T) -> (B, T, D)."""
        return self.dropout(self.norm(self.positions(self.table(ids) * self.scale, places)))


class Transformer(EncoderDecoder, nn.Module):
    """Reads a source and writes a target; see `EncoderDecoder` for `start` and `step`."""

    Config = TransformerConfig

    def __init__(self, config):
        super().__init__()
        self.config = c = config
        style = {name: getattr(c, name) for name in BLOCK_OPTIONS}
        last = NORMS[c.norm if c.residual == "pre" else "none"]  # the others end normalised, or as they are
        self.source, self.target = Embedding(c, c.source_vocab), Embedding(c, c.target_vocab)
        self.encoder = nn.ModuleList(Block(c.width, **style) for _ in range(c.encoder_layers))
        self.encoded = last(c.width)
        self.decoder = nn.ModuleList(DecoderBlock(c.width, **style) for _ in range(c.decoder_layers))
        self.decoded = last(c.width)
        self.head = nn.Linear(c.width, c.target_vocab)
        self._initialise()

    # ---- all at once ----

    def forward(self, source_ids, decoder_ids, targets=None, *, attends=FUSED):
        """Logits (B, T, V) of the token after each of decoder_ids (B, T), given source_ids (B, S).

        decoder_ids start with `config.bos`; targets are the same shifted by one, padded with −100; with
        targets, the mean loss in nats too.
        """
        memory = self.remember(source_ids, attends=attends)
        self._check(decoder_ids, self.config.target_vocab, name="decoder_ids")
        places = torch.arange(decoder_ids.shape[1], device=decoder_ids.device)
        look = partial(attends.decoder, mask=causal_mask(len(places), device=places.device))
        logits = self._decode(decoder_ids, places, memory, look=look, cross=attends.cross)
        smoothing = self.config.label_smoothing if self.training else 0.0
        return logits, next_token_loss(logits, targets, smoothing=smoothing)

    def remember(self, source_ids, *, attends=FUSED):
        """Read source_ids (B, S), padded with `config.pad`: the decoder's Memory of it."""
        self._check(source_ids, self.config.source_vocab, name="source_ids")
        check_tokens(source_ids != self.config.pad, self.config.pad)
        mask = padding_mask(source_ids, self.config.pad)[:, None]  # (B, 1, 1, S)
        places = torch.arange(source_ids.shape[1], device=source_ids.device)
        x = self.source(source_ids, places)
        look = self.source.positions.told(partial(attends.encoder, mask=mask), places)
        for block in self.encoder:
            x = block(x, look=look)  # (B, S, D)
        x = self.encoded(x)
        keys, values = zip(*(block.remember(x) for block in self.decoder), strict=True)
        return Memory(keys, values, mask)

    def look(self, source_ids, decoder_ids):
        """Where each head of each layer looks: `Looks`, each row of which sums to 1, without gradients.

        It reads as the model would: in training mode with dropout, so call `eval()` first.
        """
        watched = Attends(*([] for _ in Attends._fields))

        def watching(seen):
            def watch(q, k, v, mask):
                out, weights = attend(q, k, v, mask)
                seen.append(weights.detach())
                return out

            return watch

        self(source_ids, decoder_ids, attends=Attends(*map(watching, watched)))
        return Looks(*(torch.stack(seen, 1) for seen in watched))

    # ---- token by token ----

    def encode(self, source_ids, *, attends=FUSED):
        """Read source_ids (B, S); return the decoder's first state."""
        memory, c = self.remember(source_ids, attends=attends), self.config
        room = {"layers": c.decoder_layers, "heads": c.heads, "context": c.context}
        return TransformerState(empty_cache(self.head.weight, batch=len(source_ids), **room), memory)

    def read(self, ids, state, *, attends=FUSED):
        """Read the target's ids (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        self._check(ids, self.config.target_vocab, before=state.cache.length.max(), name="ids")
        places = state.cache.positions(ids.shape[1])  # (B, T)
        look = CachedLook(state.cache, places, attend=attends.decoder)
        logits = self._decode(ids, places, state.memory, look=look, cross=attends.cross)
        return logits, state._replace(cache=look.cache())

    # ---- shared ----

    def _decode(self, ids, places, memory, *, look, cross):
        check_batch(ids, len(memory.mask))
        x = self.target(ids, places)  # (B, T, D)
        look, look_back = self.target.positions.told(look, places), partial(cross, mask=memory.mask)
        for block, *remembered in zip(self.decoder, memory.keys, memory.values, strict=True):
            x = block(x, remembered, look=look, look_back=look_back)
        return self.head(self.decoded(x))  # (B, T, V)

    def _check(self, ids, size, *, name, before=0):
        check_ids(ids, size, name=name)
        check_context(ids, self.config.context, before=before, name=name)

    def _initialise(self):
        """Matrices as Glorot & Bengio 2010, so that numbers keep their size.

        Vectors of tokens, and of places where these are learned, of length 1.
        """
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
        for table in (part for part in self.modules() if isinstance(part, nn.Embedding)):
            nn.init.normal_(table.weight, std=self.config.width**-0.5)
        if self.config.tied:
            self.source.table.weight = self.head.weight = self.target.table.weight
