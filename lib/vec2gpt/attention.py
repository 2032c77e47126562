"""Attention: look at every state of the encoder, not only at its last one.

Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015. An encoder that hands over one vector must press a
sentence of any length into it. Attention keeps all its states as a memory: a query is compared with every
key, the scores become weights through a softmax, and the answer is the weighted average of the values.

The decoder here is Luong's: it moves on first and looks with its *current* state; the score is the dot
product, scaled as in the Transformer. It is cut in three, so that one may look at the weights, or change
them, before they act:

    hidden, state = decoder.advance(ids, state)          # move on
    weights = decoder.look(hidden, memory, mask)         # where to look
    logits = decoder.write(hidden, weights, memory)      # what to say

Left out: Bahdanau's additive score and Luong's input feeding.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.language import check_ids
from vec2gpt.recurrent import GRUCell, GRUState, run, run_back
from vec2gpt.seq2seq import EncoderDecoder
from vec2gpt.unrolling import unroll


def attention_weights(q, k, mask=None):
    """softmax(q kᵀ / √d): q (…, T, K), k (…, S, K) -> weights (…, T, S); each row sums to 1.

    `mask` is boolean, True = may look, and broadcasts to the weights. A row that may look nowhere is all 0.
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is None:
        return scores.softmax(-1)
    # the lowest number instead of −∞: a row without any open place stays finite, and becomes 0 afterwards
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(-1) * mask


def attend(q, k, v, mask=None):
    """Average the values v (…, S, K) by the attention weights; return (out (…, T, K), weights (…, T, S)).

    Keys [[1, 0], [0, 1]] and a query [√2 · ln 3, 0] give scores ln 3 and 0, so weights 3/4 and 1/4.
    """
    weights = attention_weights(q, k, mask)
    return weights @ v, weights


def attend_fused(q, k, v, mask=None):
    """`attend` where the weights are not wanted: the same output, and they are never stored."""
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v)
    blind = ~mask.any(-1, keepdim=True)  # such a row looks everywhere, and its answer is dropped
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask | blind).masked_fill(blind, 0.0)


@dataclass(frozen=True)
class AttentionConfig:
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


class DecoderState(NamedTuple):
    """All a decoder carries from step to step, batch first, so that a beam can reorder it."""

    hidden: GRUState
    memory: torch.Tensor  # (B, S, hidden)
    mask: torch.Tensor  # (B, S), True = may look


class AttentiveDecoder(nn.Module):
    """A GRU that looks back at the encoder's memory before each word it says. `config`: AttentionConfig."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.target_vocab, config.width)
        self.cell = GRUCell(config.width, config.hidden)
        self.combine = nn.Linear(2 * config.hidden, config.hidden)
        self.head = nn.Linear(config.hidden, config.target_vocab)
        self.dropout = nn.Dropout(config.dropout)

    def advance(self, ids, state):
        """Read ids (B, T) from the GRUState on; return the hidden states (B, T, hidden) and the last one."""
        check_ids(ids, self.config.target_vocab, name="decoder_ids")
        state, hidden = unroll(self._advance, state, self.dropout(self.embedding(ids)))
        return hidden, state

    def look(self, hidden, memory, mask):
        """Where each hidden state looks: weights (B, T, S)."""
        return attention_weights(hidden, memory, mask[:, None])

    def write(self, hidden, weights, memory):
        """Say the next token from the hidden states and what they saw: logits (B, T, V)."""
        context = weights @ memory  # (B, T, hidden)
        attentional = torch.tanh(self.combine(torch.cat([context, hidden], -1)))
        return self.head(self.dropout(attentional))

    def forward(self, ids, state):
        """Read ids (B, T) from the DecoderState on; return logits (B, T, V) and the state after them."""
        hidden, last = self.advance(ids, state.hidden)
        weights = self.look(hidden, state.memory, state.mask)
        return self.write(hidden, weights, state.memory), state._replace(hidden=last)

    def _advance(self, state, x):
        state = self.cell(x, state)
        return state, state.h


class AttentionSeq2Seq(EncoderDecoder, nn.Module):
    """Encoder-decoder with attention: what goes in and what comes out may differ in length and vocabulary."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder = BidirectionalEncoder(config)
        self.decoder = AttentiveDecoder(config)

    def encode(self, source_ids):
        """Read source_ids (B, S), padded with `config.pad`; return the decoder's first state."""
        memory, hidden, mask = self.encoder(source_ids)
        return DecoderState(hidden, memory, mask)

    def read(self, ids, state):
        """Read the target's ids (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        return self.decoder(ids, state)
