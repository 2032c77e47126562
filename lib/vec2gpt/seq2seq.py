"""Sequence to sequence: read a whole sequence first, then write another.

Sutskever, Vinyals & Le 2014; Cho et al. 2014. A recurrent network answers each input with one output. Where
the two differ in length or order, an *encoder* reads all of the source, and a *decoder* writes the target as
a language model that starts from what the encoder understood. The encoder here reads in both directions
(Schuster & Paliwal 1997), so that each of its states knows what stands before and after.

Left out: stacked layers, and the decoder without attention.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.language import check_ids
from vec2gpt.recurrent import GRUCell, GRUState, run, run_back


@dataclass(frozen=True)
class Seq2SeqConfig:
    source_vocab: int
    target_vocab: int
    width: int = 128  # of a token's vector
    hidden: int = 192  # of encoder and decoder states
    pad: int = 0
    bos: int = 1  # the decoder's first input
    eos: int = 2  # its last output
    dropout: float = 0.1


class Encoding(NamedTuple):
    memory: torch.Tensor  # one state a source token, (B, S, hidden)
    state: GRUState  # the decoder's first state
    mask: torch.Tensor  # (B, S), True = a token, False = padding


class BidirectionalEncoder(nn.Module):
    """Two GRUs, one reading forwards and one backwards; padding leaves both states as they were."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.source_vocab, config.width)
        self.rightward = GRUCell(config.width, config.hidden)
        self.leftward = GRUCell(config.width, config.hidden)
        self.memory = nn.Linear(2 * config.hidden, config.hidden)
        self.bridge = nn.Linear(2 * config.hidden, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, source_ids):
        """source_ids (B, S), padded with `config.pad` -> Encoding."""
        check_ids(source_ids, self.config.source_vocab, name="source_ids")
        mask = source_ids != self.config.pad  # (B, S)
        x = self.dropout(self.embedding(source_ids))  # (B, S, width)
        right, last = run(self.rightward, x, self.rightward.initial(len(x)), mask=mask)
        left, first = run_back(self.leftward, x, self.leftward.initial(len(x)), mask=mask)
        memory = self.memory(torch.cat([right, left], -1))  # (B, S, hidden)
        state = GRUState(torch.tanh(self.bridge(torch.cat([last.h, first.h], -1))))
        return Encoding(memory, state, mask)
