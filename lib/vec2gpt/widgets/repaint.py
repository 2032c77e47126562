"""Attention under the reader's hand: repaint a row of the matrix and see the output decoded anew."""

import torch
from torch import Tensor, nn

from vec2gpt.attentive import AttentionSeq2Seq
from vec2gpt.text import Vocab
from vec2gpt.unrolling import unroll
from vec2gpt.widgets.live import LiveModel

CHOICES = 5
LIMIT = 24  # letters read, and steps decoded


class Repaint(nn.Module):
    """Greedy decoding while some rows of attention weights are painted by hand.

    source_ids (1, S), painted (1, T, S): weights of step t, a negative row = free →
    ids (1, T), weights (1, T, S), choices (1, T, 5) and their probabilities (1, T, 5). What follows
    the end token is to be ignored.
    """

    def __init__(self, model: AttentionSeq2Seq):
        super().__init__()
        self.model = model

    def forward(self, source_ids: Tensor, painted: Tensor) -> tuple[Tensor, ...]:
        def step(carry, by_hand):
            ids, state = carry

            def paint(weights):  # (1, 1, S)
                return torch.where(by_hand[:, None] < 0, weights, by_hand[:, None])

            logits, weights, state = self.model.decoder(ids[:, None], state, change=paint)
            best = logits[:, 0].softmax(-1).topk(CHOICES)
            ids = best.indices[:, 0]
            return (ids, state), (ids, weights[:, 0], best.indices, best.values)

        _, outputs = unroll(step, self.model.start(source_ids), painted)
        return outputs


def repaint_widget(model: AttentionSeq2Seq, letters: Vocab, phonemes: Vocab, word: str) -> LiveModel:
    """A word to type, its pronunciation, and the attention matrix to paint on."""
    if not 1 <= len(word) <= LIMIT:
        raise ValueError(f"the word has {len(word)} letters; give 1 to {LIMIT}")
    ids = torch.tensor([[*letters.encode(list(word)), model.config.eos]])
    return LiveModel(
        "repaint",
        Repaint(model),
        {"source_ids": ids, "painted": torch.full((1, LIMIT, ids.shape[1]), -1.0)},
        ["ids", "weights", "choices", "probabilities"],
        lengths={"source_ids": [1], "painted": [1, 2]},
        settings={
            "word": word,
            "letters": letters.tokens,
            "phonemes": phonemes.tokens,
            "eos": model.config.eos,
            "limit": LIMIT,
        },
    )
