"""word2vec: word vectors learned by guessing neighbours (Mikolov and others, 2013).

Nothing is counted in advance. A window slides over the text, and two tables of vectors are nudged so that the
words in it fit each other better than words drawn at random: negative sampling, which replaces a softmax over
the whole vocabulary. `SkipGram` guesses each neighbour from the word in the middle, `CBOW` the word in the
middle from the mean of its neighbours.

The gradients are written out, as in the original program: each touches a few hundred rows of the tables,
where an optimizer of all parameters would touch every one at every step. `fit(…, update=model.update)` trains
them; `forward` gives the loss, so that autograd can be asked whether the gradients are right.

Unlike the original, a step takes a few lines of text at once and lets them share their negative samples,
which turns loops into products of matrices; a sample may then be the true word too, which the original skips.
CBOW's gradient is the true one: the original forgets to divide it by the number of neighbours (İrsoy, Benton
and Stratos, 2021). Left out: hierarchical softmax, phrases.

Axes: B lines, T words a line, M negative samples, V vocabulary, D width.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# ---------------------------------------------------------------------------------------------- what is drawn


def keep_probability(counts: Tensor, *, threshold: float = 1e-3) -> Tensor:
    """With what probability an occurrence of each word is kept: counts (V,) -> (V,).

    Frequent words say little of their neighbours. With f the word's share of the text, √(t/f) + t/f, at most
    1, as in the original program (the paper has √(t/f) alone). threshold: t; math.inf keeps everything.

    >>> keep_probability(torch.tensor([16, 4]), threshold=0.2)  # shares .8 and .2: √¼ + ¼, and 1 + 1 cut to 1
    tensor([0.7500, 1.0000])
    """
    _check_counts(counts)
    if not threshold > 0:
        raise ValueError(f"threshold is {threshold}, which keeps no word at all; math.inf keeps every word")
    share = counts / counts.sum()
    return ((threshold / share).sqrt() + threshold / share).clamp_max(1)


def noise_probability(counts: Tensor, *, power: float = 0.75) -> Tensor:
    """With what probability each word is drawn as a negative sample: counts (V,) -> (V,), sum 1.

    Between uniform (power 0) and as frequent as in the text (1).

    >>> noise_probability(torch.tensor([16, 1]))  # 16^¾ = 8 and 1, of 9
    tensor([0.8889, 0.1111])
    """
    _check_counts(counts)
    weights = counts.float() ** power
    return weights / weights.sum()


def _check_counts(counts: Tensor) -> None:
    if not ((counts >= 0).all() and counts.sum() > 0):
        raise ValueError("counts must be 0 or more each, and not all 0: they are of the words of a text")


def lines(
    ids: Tensor,
    counts: Tensor,
    *,
    window: int = 5,
    size: int = 4,
    length: int = 96,
    noise: int = 64,
    threshold: float = 1e-3,
) -> Callable[[torch.Generator], tuple[Tensor, Tensor, Tensor]]:
    """Batches for word2vec: a few lines of the text, who is whose neighbour in them, and negative samples.

    ids: (N,) the text. counts: (V,) of its words. window: how far neighbours reach at most; each word's own
    reach is drawn from 1 to that, so that near ones count more. size, length: B lines of so many words of
    text, at random places; so a pass over the text takes N / (size · length) steps. noise: M.

    The function returned draws `(ids (B, T), near (B, T, T), noise (M,))`: the T words of a line that are
    left when frequent ones have been thinned out, and near[b, t, s] = 1 where s is a neighbour of t, else 0.
    """
    if min(window, size, noise) < 1 or length < 2:
        raise ValueError("window, size and noise must be at least 1, and length at least 2")
    if len(ids) < length:
        raise ValueError(f"a line of {length} words needs a longer text than {len(ids)}")
    if ids.min() < 0:
        raise ValueError(f"id {ids.min()} of the text is negative: ids count from 0")
    if ids.max() >= len(counts):
        raise ValueError(f"id {ids.max()} of the text has no count: there are {len(counts)} counts")
    keep, reached = keep_probability(counts, threshold=threshold), noise_probability(counts).cumsum(0)
    place = torch.arange(length)
    apart = (place[:, None] - place).abs()  # (length, length)

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        start = torch.randint(len(ids) - length + 1, (size, 1), generator=generator)
        text = ids[start + place]  # (B, length)
        kept = torch.rand(text.shape, generator=generator) < keep[text]
        first = kept.byte().argsort(dim=1, descending=True, stable=True)  # the kept ones, in their order
        first = first[:, : int(kept.sum(1).max().clamp_min(2))]
        text, kept = text.gather(1, first), kept.gather(1, first)  # (B, T)
        reach = torch.randint(1, window + 1, (*text.shape, 1), generator=generator)
        near = (apart[: text.shape[1], : text.shape[1]] <= reach) & kept[:, :, None] & kept[:, None, :]
        near.diagonal(dim1=1, dim2=2).fill_(False)  # a word is not its own neighbour
        drawn = torch.searchsorted(reached, torch.rand(noise, generator=generator)).clamp_max(len(counts) - 1)
        return text, near.float(), drawn

    return draw


# ------------------------------------------------------------------------------------------------- the models


class Word2Vec(nn.Module):
    """Two tables: what a word says as input, and as output. The input table becomes the word vectors.

    size: V. dim: D. negatives: K, so many negative samples weigh against a true pair.
    """

    def __init__(self, size: int, *, dim: int = 50, negatives: int = 5):
        super().__init__()
        if min(size, dim, negatives) < 1:
            raise ValueError(f"size, dim and negatives must be positive, not {size}, {dim} and {negatives}")
        self.input = nn.Parameter((torch.rand(size, dim) - 0.5) / dim)  # (V, D)
        self.output = nn.Parameter(torch.zeros(size, dim))  # (V, D)
        self.negatives = negatives

    def _move(self, table: nn.Parameter, ids: Tensor, gradient: Tensor, lr: float) -> None:
        """One step downhill for the rows `ids` of a table; a row that stands there twice moves twice."""
        table.data.index_add_(0, ids.flatten(), gradient.reshape(-1, table.shape[1]), alpha=-lr)


class SkipGram(Word2Vec):
    """From the word in the middle, guess each neighbour.

    Loss of a pair (w, c): −ln σ(u_w·v_c) − Σ over K samples n of ln σ(−u_w·v_n), u input, v output vectors.
    """

    def forward(self, ids: Tensor, near: Tensor, noise: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """ids (B, T), near (B, T, T), noise (M,) -> (scores (B, T, T), (B, T, M)), loss: mean of a pair."""
        u, v, n = self.input[ids], self.output[ids], self.output[noise]  # (B, T, D), (B, T, D), (M, D)
        scores = u @ v.mT, u @ n.T  # (B, T, T), (B, T, M)
        return scores, self._loss(*scores, near)

    @torch.no_grad()
    def update(self, ids: Tensor, near: Tensor, noise: Tensor, *, lr: float) -> Tensor:
        """Moves the vectors of one batch downhill, by lr times the gradient of each pair's loss; the loss."""
        u, v, n = self.input[ids], self.output[ids], self.output[noise]  # (B, T, D), (B, T, D), (M, D)
        true, false = u @ v.mT, u @ n.T  # (B, T, T), (B, T, M)
        loss = self._loss(true, false, near)
        true = near * (true.sigmoid() - 1)  # ∂loss/∂score: how far σ is from 1 …
        false = self._weight(near, false) * false.sigmoid()  # … and from 0
        self._move(self.input, ids, true @ v + false @ n, lr)
        self._move(self.output, ids, true.mT @ u, lr)
        self._move(self.output, noise, (false.mT @ u).sum(0), lr)
        return loss

    def _weight(self, near: Tensor, false: Tensor) -> Tensor:
        """(B, T, 1): each word's M samples count as K for each of its neighbours."""
        return near.sum(-1, keepdim=True) * (self.negatives / false.shape[-1])

    def _loss(self, true: Tensor, false: Tensor, near: Tensor) -> Tensor:
        pairs = (near * F.softplus(-true)).sum() + (self._weight(near, false) * F.softplus(false)).sum()
        return pairs / near.sum().clamp_min(1)


class CBOW(Word2Vec):
    """From the mean of the neighbours (a continuous bag of words), guess the word in the middle.

    Loss of a word w with context h: −ln σ(h·v_w) − Σ over K samples n of ln σ(−h·v_n), h the mean of the
    neighbours' input vectors.
    """

    def forward(self, ids: Tensor, near: Tensor, noise: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """ids (B, T), near (B, T, T), noise (M,) -> (scores (B, T, 1), (B, T, M)), loss: mean of a word."""
        some, share = _shares(near)
        h, v, n = share @ self.input[ids], self.output[ids], self.output[noise]  # (B, T, D), …, (M, D)
        scores = (h * v).sum(-1, keepdim=True), h @ n.T  # (B, T, 1), (B, T, M)
        return scores, self._loss(*scores, some)

    @torch.no_grad()
    def update(self, ids: Tensor, near: Tensor, noise: Tensor, *, lr: float) -> Tensor:
        """Moves the vectors of one batch downhill, by lr times the gradient of each word's loss; the loss."""
        some, share = _shares(near)
        h, v, n = share @ self.input[ids], self.output[ids], self.output[noise]  # (B, T, D), …, (M, D)
        true, false = (h * v).sum(-1, keepdim=True), h @ n.T  # (B, T, 1), (B, T, M)
        loss = self._loss(true, false, some)
        true = some * (true.sigmoid() - 1)
        false = some * false.sigmoid() * (self.negatives / len(noise))
        self._move(self.input, ids, share.mT @ (true * v + false @ n), lr)  # each neighbour by its share in h
        self._move(self.output, ids, true * h, lr)
        self._move(self.output, noise, (false.mT @ h).sum(0), lr)
        return loss

    def _loss(self, true: Tensor, false: Tensor, some: Tensor) -> Tensor:
        samples = F.softplus(false).sum(-1, keepdim=True) * (self.negatives / false.shape[-1])  # (B, T, 1)
        return (some * (F.softplus(-true) + samples)).sum() / some.sum().clamp_min(1)


def _shares(near: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T, 1): 1 where a word has neighbours, else 0; (B, T, T): each neighbour's share in their mean."""
    count = near.sum(-1, keepdim=True)
    return (count > 0).float(), near / count.clamp_min(1)
