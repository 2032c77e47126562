"""n-gram language models: predict the next token from how often it followed the last few.

Markov (1913) counted letters in Pushkin; Shannon (1948) wrote English from such counts. Most contexts of any
length were never seen, so the counts must be smoothed: here by Kneser and Ney (1995), in the interpolated
form, and with the three discounts, of Chen and Goodman (1999). Left out: any way in which contexts that are
alike could help each other; that is what neural models add.

It has the interface of every language model of the book, so it can be measured and can write.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vec2gpt.checks import check_ids
from vec2gpt.language import LanguageModel
from vec2gpt.recurrent import check_state


class Level(NamedTuple):
    """What was counted of n-grams of one length. An n-gram is one number: its ids are the digits."""

    grams: Tensor  # (G,) those that were seen, in order
    kept: Tensor  # (G,) how often, less a discount; below the longest: after how many different tokens
    contexts: Tensor  # (C,) the same n-grams without their last token, in order
    totals: Tensor  # (C,) the sum of their counts
    left: Tensor  # (C,) the sum of their discounts

    def probability(self, contexts: Tensor, grams: Tensor, shorter: Tensor) -> Tensor:
        """What was kept of the count, and what is left over shared out as the `shorter` context says.

        A context seen four times, followed by a, a, a, b, at a discount of ½ each: a 2.5 / 4, b 0.5 / 4, and
        the 1 / 4 that is left is shared out over all tokens.
        """
        total = _find(self.contexts, self.totals, contexts)
        kept, left = _find(self.grams, self.kept, grams), _find(self.contexts, self.left, contexts)
        mixed = (kept + left * shorter) / total.clamp(min=1)
        return torch.where(total > 0, mixed, shorter)  # a context never seen leaves it to the shorter one


class NGram(LanguageModel):
    """Smoothed counts of all n-grams of up to `order` tokens in ids (N,).

    An order of 1 looks at nothing: it knows how frequent each token is. The counts stay on the device of ids.
    ValueError for an order that is no whole number, below 1, or so large that an n-gram is no 64-bit number
    (from 10 on for 84 characters).

    >>> model = NGram(torch.tensor([0, 1, 0, 1, 0, 0]), 2, order=2)
    >>> model(torch.tensor([[0]]))[0].exp()  # after 0 came 1, 1, 0
    tensor([[[0.4157, 0.5843]]])
    """

    def __init__(self, ids: Tensor, vocab_size: int, *, order: int):
        if ids.dim() != 1 or len(ids) < 2:
            raise ValueError(f"ids have the shape {tuple(ids.shape)}, not (N,) of two tokens or more")
        check_ids(ids[None], vocab_size)
        self.vocab_size, self.order, self.device = vocab_size, order, ids.device
        self.base = vocab_size + 1  # one digit more, for what stands before the text
        longest = int(63 / math.log2(self.base))
        if not isinstance(order, int) or not 1 <= order <= longest:
            raise ValueError(
                f"order is {order!r}; with {vocab_size} tokens give a whole number from 1 to {longest}"
            )
        contexts = self._contexts(ids[None, :-1], self.initial(1))  # of every token but the first
        grams, counts = (contexts * self.base + ids[1:]).unique(return_counts=True)
        self.levels = [self._level(grams, counts)]
        for length in range(order - 1, 0, -1):
            # a shorter n-gram counts once for each token before it: "Angeles" is frequent, after one word
            grams, counts = (grams % self.base**length).unique(return_counts=True)
            self.levels.insert(0, self._level(grams, counts))

    __call__ = LanguageModel.forward  # nothing here is an nn.Module, which would see to it

    def initial(self, batch):
        """The order − 1 tokens before the first: nothing, as ids (B, order − 1)."""
        return torch.full((batch, self.order - 1), self.vocab_size, device=self.device)

    def read(self, ids, state):
        """Read ids (B, T) after the tokens `state`; return ln p (B, T, V) and the last order − 1 tokens."""
        check_ids(ids, self.vocab_size)
        check_state(state, self.initial, len(ids))
        contexts = self._contexts(ids, state)[..., None]  # (B, T, 1)
        tokens = torch.arange(self.vocab_size, device=self.device)
        logits = self._probability(contexts, tokens).log().float()  # (B, T, V)
        return logits, torch.cat([state, ids], 1)[:, ids.shape[1] :]

    def loss(self, rows):
        """Mean nats of every token but the first of each row (B, N), without asking for the other tokens."""
        return -self.scores(rows).mean().item()

    def scores(self, rows):
        """ln p of every token but the first of each row (B, N), given those before it: (B, N − 1)."""
        check_ids(rows, self.vocab_size)
        if rows.shape[1] < 2:
            raise ValueError("rows of one token: there is nothing to predict; give two or more")
        contexts = self._contexts(rows[:, :-1], self.initial(len(rows)))
        return self._probability(contexts, rows[:, 1:]).log()

    def _contexts(self, ids, state):
        """The order − 1 tokens up to each of ids (B, T), as numbers (B, T)."""
        text, code = torch.cat([state, ids], 1), torch.zeros_like(ids)
        for first in range(1, self.order):
            code = code * self.base + text[:, first : first + ids.shape[1]]
        return code

    def _level(self, grams, counts):
        contexts, place = (grams // self.base).unique_consecutive(return_inverse=True)
        discount = discounts(counts)[counts.clamp(max=3)]  # (G,)
        totals = torch.zeros_like(contexts, dtype=torch.double).scatter_add(0, place, counts.double())
        left = torch.zeros_like(totals).scatter_add(0, place, discount)
        return Level(grams, counts - discount, contexts, totals, left)

    def _probability(self, contexts, tokens):
        p = torch.full((), 1 / self.vocab_size, dtype=torch.double, device=self.device)
        for length, level in enumerate(self.levels):
            short = contexts % self.base**length
            p = level.probability(short, short * self.base + tokens, p)
        return p


def discounts(counts):
    """What to take off a count of 0, 1, 2 and of 3 or more: (4,), from how many counts are 1, 2, 3 and 4.

    D_k = k − (k + 1) Y n_{k+1} / n_k with Y = n_1 / (n_1 + 2 n_2) (Chen and Goodman, 1999). Where a text
    is so small that this is not defined, or not between 0 and k, we take off ½: that is ours, not theirs.
    """
    n = [(counts == times).sum().item() for times in range(5)]
    found = [0.0]
    for k in (1, 2, 3):
        d = k - (k + 1) * n[1] / (n[1] + 2 * n[2]) * n[k + 1] / n[k] if n[1] and n[k] else 0.0
        found.append(d if 0 < d < k else 0.5)
    return torch.tensor(found, dtype=torch.double, device=counts.device)


def _find(keys, values, wanted):
    """The values that stand beside the wanted keys, which are in order; 0 for those that are not there."""
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == wanted, values[place], 0)
