"""Sequence to sequence: read a whole sequence first, then write another.

Kalchbrenner & Blunsom 2013; Cho et al. 2014; Sutskever, Vinyals & Le 2014. A recurrent network answers each
input with one output. Where the two differ in length or order, an *encoder* reads all of the source,

    c = F(x₁ … x_S)

and a *decoder*, a language model with that thought in mind, writes the target until it says `eos`:

    p(y_i | y₁ … y_{i−1}, c)

How the thought is handed over has been tried in many ways: `HANDOVERS`. All of them hand over as many numbers
for a long source as for a short one.

Left out: the deep output layer of Cho et al., and ensembles.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.checks import check_ids, check_marks, check_names, check_shares, check_sizes, check_tokens
from vec2gpt.language import CELLS, LanguageModel, next_token_loss
from vec2gpt.recurrent import Stack

# ---- what all models of two sequences share ----


class EncoderDecoder:
    """What every model of two sequences can do, once it says how it encodes and how it reads.

    Who extends it has a `config` with bos, and gives two methods: `encode(source_ids)`, from ids (B, S) to
    the decoder's first state, and `read(ids, state)`, from the target's ids (B, T) to the logits (B, T, V)
    and the state after them. It extends nn.Module too, behind this class.
    """

    def forward(self, source_ids, decoder_ids, targets=None):
        """Logits (B, T, V) of the token after each of decoder_ids (B, T), given source_ids (B, S).

        decoder_ids start with `config.bos`; targets are the same shifted by one, padded with −100. What the
        decoder reads is thus the truth, not what it said itself: *teacher forcing*.
        """
        logits, _ = self.read(decoder_ids, self.encode(source_ids))
        return logits, next_token_loss(logits, targets)

    def start(self, source_ids):
        """What decoding begins with: `bos` for every source (B,), and the decoder's first state."""
        state = self.encode(source_ids)  # which checks the ids
        return source_ids.new_full((len(source_ids),), self.config.bos), state

    step = LanguageModel.step  # a decoder is a language model: one token, and the state goes on


# ---- the encoder ----


@dataclass(frozen=True)
class Seq2SeqConfig:
    source_vocab: int
    target_vocab: int
    width: int = 128  # of a token's vector
    hidden: int = 256  # of a state, in the encoder and in the decoder
    encoder: str = "gru"  # one of CELLS
    encoder_layers: int = 1
    bidirectional: bool = False  # the encoder reads in both directions
    decoder: str = "gru"
    decoder_layers: int = 1
    handover: str = "state"  # one of HANDOVERS
    pad: int = 0  # fills a source, and what the decoder reads
    bos: int = 1  # the decoder's first input
    eos: int = 2  # its last output
    dropout: float = 0.0  # of a token's vector, between layers and before the head

    def __post_init__(self):
        names = "source_vocab target_vocab width hidden encoder_layers decoder_layers"
        check_sizes(**{name: getattr(self, name) for name in names.split()})
        check_names(self, encoder=CELLS, decoder=CELLS, handover=HANDOVERS)
        check_marks(self)
        check_shares(dropout=self.dropout)

    @property
    def directions(self):
        return 2 if self.bidirectional else 1


class Encoding(NamedTuple):
    """What the encoder understood."""

    memory: torch.Tensor  # every h of its last layer, (B, S, directions · hidden), 0 at padding
    state: tuple  # where its cells ended
    mask: torch.Tensor  # (B, S), True = a token, False = padding


class Encoder(nn.Module):
    """Reads the source; padding changes no state."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.source_vocab, config.width)
        self.stack = Stack(
            CELLS[config.encoder],
            config.width,
            config.hidden,
            layers=config.encoder_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, source_ids):
        """source_ids (B, S), padded behind with `config.pad` -> Encoding."""
        check_ids(source_ids, self.config.source_vocab, name="source_ids")
        mask = source_ids != self.config.pad  # (B, S)
        check_tokens(mask, self.config.pad)
        x = self.dropout(self.embedding(source_ids))  # (B, S, width)
        return Encoding(*self.stack(x, mask=mask), mask)


# ---- handing over ----


class DecoderState(NamedTuple):
    """All that a decoder carries from step to step, batch first, so that a beam can reorder it."""

    hidden: tuple  # the states of its cells
    context: tuple  # (c,), c (B, C) joins every input; or () for nothing


class State(nn.Module):
    """The encoder's last states become the decoder's first, layer by layer: of an LSTM, h and c."""

    context = 0  # numbers that join every input of the decoder

    def __init__(self, config):
        super().__init__()
        cells = f"{config.directions * config.encoder_layers} {config.encoder}"
        wanted = f"{config.decoder_layers} {config.decoder}"
        if cells != wanted or config.bidirectional:
            raise ValueError(
                f"{cells} cells of the encoder cannot hand their states to {wanted} cells of the decoder: "
                "choose equals, in one direction, or a handover with a bridge, such as 'concat'"
            )

    def forward(self, encoding):
        return DecoderState(encoding.state, ())


class EveryStep(State):
    """As `State`, and the last layer's h joins every input, for a decoder may forget (Cho et al. 2014)."""

    def __init__(self, config):
        super().__init__(config)
        self.context = config.hidden

    def forward(self, encoding):
        return DecoderState(encoding.state, (encoding.state[-1].h,))


class Bridge(nn.Module):
    """Makes the decoder's first states, of whatever kind and number, from one vector: tanh(W c + b)."""

    context = 0

    def __init__(self, config):
        super().__init__()
        self.State, self.layers = CELLS[config.decoder].State, config.decoder_layers
        parts = self.layers * len(self.State._fields)
        self.bridge = nn.Linear(self.width(config), parts * config.hidden)

    def forward(self, encoding):
        made = torch.tanh(self.bridge(self.thought(encoding))).chunk(self.layers, -1)
        fields = len(self.State._fields)
        return DecoderState(tuple(self.State(*one.chunk(fields, -1)) for one in made), ())


class Sum(Bridge):
    """The sum of every h of the encoder's last layer: word order is kept only as far as each h keeps it."""

    def width(self, config):
        return config.directions * config.hidden

    def thought(self, encoding):
        return encoding.memory.sum(1)


class Mean(Sum):
    """Their mean, which does not grow with the source."""

    def thought(self, encoding):
        return encoding.memory.sum(1) / encoding.mask.sum(1, keepdim=True)


class Concat(Bridge):
    """Where every layer and direction ended, joined into one vector."""

    def width(self, config):
        return config.directions * config.encoder_layers * config.hidden

    def thought(self, encoding):
        return torch.cat([state.h for state in encoding.state], -1)


HANDOVERS = {"state": State, "every step": EveryStep, "sum": Sum, "mean": Mean, "concat": Concat}


# ---- the decoder ----


class Decoder(nn.Module):
    """A recurrent language model of the target that begins with the thought instead of an empty memory."""

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
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, config.target_vocab)

    def forward(self, ids, state):
        """Read ids (B, T) from the DecoderState on; return logits (B, T, V) and the state after them."""
        check_ids(ids, self.config.target_vocab, name="decoder_ids")
        x = self.dropout(self.embedding(ids))  # (B, T, width)
        contexts = [c[:, None].expand(-1, x.shape[1], -1) for c in state.context]
        h, hidden = self.stack(torch.cat([x, *contexts], -1), state.hidden)
        return self.head(self.dropout(h)), state._replace(hidden=hidden)


class Seq2Seq(EncoderDecoder, nn.Module):
    """Encoder, handover, decoder: what goes in and what comes out may differ in length and vocabulary."""

    Config = Seq2SeqConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.handover = HANDOVERS[config.handover](config)
        self.decoder = Decoder(config, context=self.handover.context)

    def encode(self, source_ids):
        """Read source_ids (B, S), padded with `config.pad`; return the decoder's first state."""
        return self.handover(self.encoder(source_ids))

    def read(self, ids, state):
        """Read the target's ids (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        return self.decoder(ids, state)
