"""An encoder-decoder that looks back: the decoder sees every state of the encoder, not only the last.

Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015. `seq2seq` hands over one vector for a source of any
length. Here the encoder's states stay as a memory, and the decoder looks into it before each word it says. It
asks with a state h, and gets a context, the average of the memory by its attention weights:

    Bahdanau: looks with h_{t−1}; the context joins the input of the step that makes h_t
    Luong:    makes h_t first, and looks with it; the context joins h_t before the output

So Luong's cells never learn where the decoder looked, and can read a whole target before it looks at all.

Left out: Luong's input feeding and local attention, and Bahdanau's maxout layer: both write with Luong's
tanh, so that they differ only in who asks and where the context goes. Bahdanau keeps the states of two
directions as they are; here they are joined to the decoder's width, so that every score can compare them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.attention import SCORES, attend, padding_mask
from vec2gpt.checks import check_ids, check_names
from vec2gpt.language import CELLS
from vec2gpt.recurrent import Stack
from vec2gpt.seq2seq import HANDOVERS, Encoder, EncoderDecoder, Seq2SeqConfig
from vec2gpt.unrolling import unroll


@dataclass(frozen=True)
class AttentionConfig(Seq2SeqConfig):
    bidirectional: bool = True
    handover: str = "concat"  # the decoder still begins with a state; one of HANDOVERS
    score: str = "scaled dot"  # one of SCORES
    attention: str = "luong"  # one of DECODERS

    def __post_init__(self):
        super().__post_init__()
        check_names(self, score=SCORES, attention=DECODERS)
        if self.handover == "every step":
            raise ValueError(
                "handover is 'every step', but what joins each step here is what attention saw: "
                "choose 'state', or 'concat', which fits all encoders"
            )


class AttentionState(NamedTuple):
    """All that a decoder carries from step to step, batch first, so that a beam can reorder it."""

    hidden: tuple  # the states of its cells
    keys: torch.Tensor  # what its questions are compared with, (B, S, …), as the score prepared it
    memory: torch.Tensor  # what it gets for an answer, (B, S, hidden)
    mask: torch.Tensor  # (B, 1, S), True = may look


class AttentiveDecoder(nn.Module):
    """A recurrent language model that looks into a memory; who extends it says when, in `forward`.

    change(weights) -> weights (B, T, S): where to look instead, for experiments; of one step, T is 1.
    """

    def __init__(self, config, *, context=0):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.target_vocab, config.width)
        self.stack = Stack(
            CELLS[config.decoder],
            config.width + context,
            config.hidden,
            layers=config.decoder_layers,
            dropout=config.dropout,
        )
        self.score = SCORES[config.score](config.hidden, config.hidden)
        self.combine = nn.Linear(2 * config.hidden, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, config.target_vocab)

    def embed(self, ids):
        check_ids(ids, self.config.target_vocab, name="decoder_ids")
        return self.dropout(self.embedding(ids))  # (B, T, width)

    def look(self, h, state, change=None):
        """Where h (B, T, hidden) looks, and what it sees: context (B, T, hidden), weights (B, T, S)."""
        return attend(h, state.keys, state.memory, state.mask, score=self.score.compare, change=change)

    def logits(self, h, context):
        """What h and what was seen say together: (B, T, V)."""
        return self.head(self.dropout(torch.tanh(self.combine(torch.cat([context, h], -1)))))


class BahdanauDecoder(AttentiveDecoder):
    """Looks with the state before, and reads what it saw."""

    def __init__(self, config):
        super().__init__(config, context=config.hidden)

    def forward(self, ids, state, *, change=None):
        """Read ids (B, T) on from the AttentionState: logits (B, T, V), weights (B, T, S), the state."""

        def step(hidden, x):
            context, weights = self.look(hidden[-1].h[:, None], state, change)  # (B, 1, …)
            h, hidden = self.stack(torch.cat([x[:, None], context], -1), hidden)
            return hidden, (h[:, 0], context[:, 0], weights[:, 0])

        hidden, (h, context, weights) = unroll(step, state.hidden, self.embed(ids))
        return self.logits(h, context), weights, state._replace(hidden=hidden)


class LuongDecoder(AttentiveDecoder):
    """Reads first, and looks with the state that it has then."""

    def forward(self, ids, state, *, change=None):
        """Read ids (B, T) on from the AttentionState: logits (B, T, V), weights (B, T, S), the state."""
        h, hidden = self.stack(self.embed(ids), state.hidden)  # (B, T, hidden)
        context, weights = self.look(h, state, change)
        return self.logits(h, context), weights, state._replace(hidden=hidden)


DECODERS = {"bahdanau": BahdanauDecoder, "luong": LuongDecoder}


class AttentionSeq2Seq(EncoderDecoder, nn.Module):
    """Encoder, memory, attentive decoder: what goes in and what comes out may differ in length and order."""

    Config = AttentionConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.handover = HANDOVERS[config.handover](config)
        two = config.bidirectional
        self.join = nn.Linear(2 * config.hidden, config.hidden) if two else nn.Identity()
        self.decoder = DECODERS[config.attention](config)

    def encode(self, source_ids):
        """Read source_ids (B, S), padded with `config.pad`; return the decoder's first state."""
        encoding = self.encoder(source_ids)
        memory = self.join(encoding.memory)  # (B, S, hidden)
        keys, mask = self.decoder.score.prepare(memory), padding_mask(source_ids, self.config.pad)
        return AttentionState(self.handover(encoding).hidden, keys, memory, mask)

    def read(self, ids, state, *, change=None):
        """Read the target's ids (B, T) from `state` on; return logits (B, T, V) and the state after them.

        change(weights (B, T, S)) -> weights: where to look instead.
        """
        logits, _, state = self.decoder(ids, state, change=change)
        return logits, state

    def look(self, source_ids, decoder_ids, *, change=None):
        """Where the decoder looks as it reads decoder_ids (B, T) of source_ids (B, S): weights (B, T, S)."""
        _, weights, _ = self.decoder(decoder_ids, self.encode(source_ids), change=change)
        return weights
