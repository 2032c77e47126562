"""Words as vectors: from one number a word to a place among the others.

One-hot vectors tell words apart and say nothing else of them. "You shall know a word by the company it
keeps" (Firth, 1957): so count the company (`cooccurrence`), weigh what is surprising in it (`ppmi`: Church
and Hanks, 1990; smoothed as by Levy, Goldberg and Dagan, 2015), and keep the directions that matter (`svd`:
Deerwester and others, 1990). `vec2gpt.word2vec` learns such vectors by predicting instead.

`WordVectors` is what all of them end in: words, their vectors, and what one asks of them: neighbours,
analogies (Mikolov, Yih and Zweig, 2013), and how well they agree with people.

Left out: words in pieces (fastText), so that a word never seen has no vector here; and vectors that depend on
the sentence, which are the rest of the book.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vec2gpt.metrics import spearman
from vec2gpt.text import Vocab
from vec2gpt.threads import one_thread

# ------------------------------------------------------------------------------------- from text to vectors


def one_hot(ids: Tensor, size: int) -> Tensor:
    """ids (...) -> vectors (..., V), V = size: 1 at the place of the id, 0 elsewhere.

    >>> one_hot(torch.tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    _check_ids(ids, size)
    return (ids[..., None] == torch.arange(size, device=ids.device)).float()


def cooccurrence(ids: Tensor, size: int, *, window: int) -> Tensor:
    """How often two words stand at most `window` places apart: text ids (N,) -> counts (V, V), symmetric.

    >>> cooccurrence(torch.tensor([0, 1, 0]), 2, window=2).tolist()  # 0 meets 0 once, seen from both sides
    [[2.0, 2.0], [2.0, 0.0]]
    """
    _check_ids(ids, size)
    if window < 1:
        raise ValueError(f"window is {window}; a word's company begins 1 place away")
    counts = torch.zeros(size * size, device=ids.device)
    for distance in range(1, window + 1):
        left, right = ids[:-distance], ids[distance:]
        for pair in (left * size + right, right * size + left):
            counts.index_add_(0, pair, torch.ones(len(pair), device=ids.device))
    return counts.view(size, size)


def ppmi(counts: Tensor, *, smoothing: float = 0.75) -> Tensor:
    """Positive pointwise mutual information: counts (V, V) -> max(0, ln p(w, c) / (p(w) p(c))), (V, V), nats.

    smoothing: contexts are counted to this power, so that rare ones surprise less; 1 for none.

    >>> ppmi(torch.tensor([[0.0, 2.0], [2.0, 4.0]]), smoothing=1).exp()[0, 1].item()  # 2/8 / (2/8 · 6/8)
    1.3333...
    """
    counts = counts.float()
    words = counts.sum(1, keepdim=True)  # (V, 1)
    contexts = counts.sum(0) ** smoothing  # (V,)
    ratio = counts * contexts.sum()
    ratio /= (words * contexts).clamp_min_(1e-30)  # a word without company has an empty row
    return ratio.log_().clamp_min_(0)  # ln 0 = −∞ becomes 0: a pair not seen says nothing


def svd(matrix: Tensor, *, dim: int) -> Tensor:
    """A row in `dim` numbers: (V, C) -> U √Σ, (V, D), D = dim, where U Σ Wᵀ is the nearest matrix of rank D.

    So a word's entry for a context is about the inner product of two short rows, one of U √Σ and one of W √Σ.
    The singular vectors are found at random and refined (Halko and others, 2011): set the seed.
    """
    if not 1 <= dim <= min(matrix.shape):
        raise ValueError(f"dim is {dim}; a matrix of shape {tuple(matrix.shape)} has {min(matrix.shape)}")
    spare = min(dim + 10, *matrix.shape)  # a few more than wanted make the wanted ones accurate
    u, s, _ = torch.svd_lowrank(matrix, q=spare, niter=4)
    return u[:, :dim] * s[:dim].sqrt()


def principal_components(vectors: Tensor, *, dim: int = 2) -> Tensor:
    """The `dim` directions in which vectors (N, D) differ most, of unit length: (dim, D)."""
    return torch.linalg.svd(vectors - vectors.mean(0), full_matrices=False).Vh[:dim]


def unit(vectors: Tensor) -> Tensor:
    """Vectors (..., D) scaled to length 1: the dot product of two such is their cosine. Zeros stay zeros."""
    return F.normalize(vectors, dim=-1)


def _check_ids(ids: Tensor, size: int) -> None:
    if ids.numel() and not 0 <= ids.min() <= ids.max() < size:
        raise ValueError(f"ids run from {ids.min()} to {ids.max()}, but the vocabulary has 0 to {size - 1}")


# -------------------------------------------------------------------------------------- what one asks of them


class Neighbour(NamedTuple):
    word: str
    cosine: float


class Agreement(NamedTuple):
    rho: float  # Spearman's rank correlation with people, −1 … 1
    covered: int  # pairs of which both words are known …
    of: int  # … of so many


class Accuracy(NamedTuple):
    right: int
    covered: int  # questions of which all four words are known …
    of: int  # … of so many

    @property
    def share(self) -> float:
        """Right answers among those that could be asked."""
        return self.right / self.covered if self.covered else float("nan")


class WordVectors:
    """Words and their vectors: row i of `matrix` (V, D) is the vector of `words[i]`, frequent words first.

    >>> vectors = WordVectors(["north", "east", "northeast"], torch.tensor([[0.0, 1], [1, 0], [1, 1]]))
    >>> vectors.neighbours("north", count=1)
    [Neighbour(word='northeast', cosine=0.7071...)]
    """

    def __init__(self, words: Sequence[str] | Vocab, matrix) -> None:
        self.vocab = words if isinstance(words, Vocab) else Vocab(words, specials=())
        matrix = torch.as_tensor(matrix)
        learning = matrix.requires_grad  # then it will move, and these vectors must not
        self.matrix = matrix.detach().to(torch.float32, copy=learning)  # (V, D)
        if self.matrix.ndim != 2 or len(self.matrix) != len(self.vocab):
            raise ValueError(
                f"{len(self.vocab)} words need as many rows, got the shape {tuple(self.matrix.shape)}"
            )
        self.directions = unit(self.matrix)  # (V, D)

    def __len__(self) -> int:
        return len(self.vocab)

    def __contains__(self, word: object) -> bool:
        return word in self.vocab

    def __getitem__(self, word: str) -> Tensor:
        """The vector (D,) of a word; KeyError for an unknown one, naming the nearest known."""
        return self.matrix[self.vocab[word]]

    def __repr__(self) -> str:
        return f"WordVectors({len(self):,} words, {self.matrix.shape[1]} dimensions)"

    def first(self, count: int) -> "WordVectors":
        """The vectors of the `count` first, most frequent, words alone."""
        if not 1 <= count <= len(self):
            raise ValueError(f"count is {count}, but there are 1 to {len(self)} words to take")
        return self.only(self.vocab.tokens[:count])

    def only(self, words: Iterable[str]) -> "WordVectors":
        """The vectors of these words alone, in their order; KeyError for an unknown one."""
        words = list(words)
        return WordVectors(words, self.matrix[self.vocab.encode(words)])

    def cosine(self, first: str, second: str) -> float:
        """The cosine of the angle between two words: 1 same direction, 0 right angle, −1 opposite."""
        a, b = self.vocab.encode([first, second])
        return (self.directions[a] @ self.directions[b]).item()

    def neighbours(
        self, query: str | Tensor, *, count: int = 10, leave_out: Iterable[str] = ()
    ) -> list[Neighbour]:
        """The `count` words whose directions are nearest to a word's, or to that of a vector (D,).

        The word asked for and those of `leave_out`, a list, are not among them.
        """
        if count < 1:
            raise ValueError(f"count is {count}; ask for 1 neighbour or more")
        if isinstance(leave_out, str):
            raise ValueError(f"leave_out is a list of words: [{leave_out!r}]")
        if isinstance(query, str):
            query, leave_out = self[query], [query, *leave_out]
        cosines = self.directions @ unit(self._checked(query))  # (V,)
        left_out = self.vocab.encode(leave_out)
        cosines[left_out] = -torch.inf
        best = cosines.topk(min(count, len(self) - len(set(left_out))))
        return list(map(Neighbour, self.vocab.decode(best.indices.tolist()), best.values.tolist()))

    def _checked(self, query: Tensor) -> Tensor:
        if query.shape != self.matrix.shape[1:]:
            raise ValueError(
                f"a vector here has the shape {tuple(self.matrix.shape[1:])}, got {tuple(query.shape)}"
            )
        if not query.isfinite().all():
            raise ValueError("the vector asked about holds nan or inf, which are nowhere near anything")
        return query.float()

    def analogy(self, a: str, b: str, c: str, *, count: int = 5) -> list[Neighbour]:
        """a is to b as c is to …: the words nearest to b − a + c, each of length 1, the three left out."""
        a_, b_, c_ = self.directions[self.vocab.encode([a, b, c])]
        return self.neighbours(b_ - a_ + c_, count=count, leave_out=[a, b, c])


# ------------------------------------------------------------------------------------------ how good they are


def agreement(vectors: WordVectors, pairs: Iterable[tuple[str, str, float]]) -> Agreement:
    """How well the cosines of word pairs are ordered as people order them.

    pairs: (word, word, how alike people find them), such as `corpora.word_pairs("wordsim353")`.
    """
    pairs = list(pairs)
    known = [pair for pair in pairs if pair[0] in vectors and pair[1] in vectors]
    if len(known) < 2:
        raise ValueError(
            f"of {len(pairs)} pairs, {len(known)} have two known words; an order needs two pairs"
        )
    cosines = torch.tensor([vectors.cosine(a, b) for a, b, _ in known])
    return Agreement(spearman(cosines, torch.tensor([score for *_, score in known])), len(known), len(pairs))


def analogy_accuracy(
    vectors: WordVectors, questions: Sequence[tuple[str, ...]], *, leave_out_asked: bool = True
) -> Accuracy:
    """How many questions (a, b, c, d) have d nearest to b − a + c, each vector of length 1.

    leave_out_asked: a, b and c may not be the answer, as is customary. Questions with an unknown word are
    left aside: see `Accuracy.covered`. The W distinct words asked are compared with all V at once, in a
    matrix (W, V): 900 words and 400,000 take 1.4 GB; `WordVectors.first` makes V smaller.
    """
    for question in questions:
        if isinstance(question, str) or len(question) != 4:
            raise ValueError(f"a question is four words (a, b, c, d), not {question!r}")
    known = [question for question in questions if all(word in vectors for word in question)]
    ids = [vectors.vocab.encode(question) for question in known]
    asked = torch.tensor(ids, dtype=torch.long).view(-1, 4)  # (Q, 4)
    words, place = asked.unique(return_inverse=True)  # (W,), (Q, 4)
    cosines = vectors.directions[words] @ vectors.directions.T  # (W, V)
    right = 0
    with one_thread():
        for question, (a, b, c, d) in zip(asked, place, strict=True):
            scores = cosines[b] - cosines[a] + cosines[c]  # (V,), of the sum: the sum of the scores
            if leave_out_asked:
                scores[question[:3]] = -torch.inf
            right += int(scores.argmax() == words[d])
    return Accuracy(right, len(known), len(questions))
