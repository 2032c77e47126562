"""Texts as bags of words, and the plain classifier that every other one has to beat.

Nothing here knows the order of the words. A word says the more of a text the fewer others have it (Spärck
Jones, 1972), so its count is weighed by that (tf-idf: Salton and Buckley, 1988, in the form that scikit-learn
computes). Or the vectors of its words are averaged, and what is said in other words is near it.

    w(t, d) = (1 + ln n(t, d)) · (1 + ln (1 + N) / (1 + N(t)))    each text then scaled to length 1

n counts t in the text d, N the texts, and N(t) those that have t. On such features a linear classifier
(Cox, 1958) is found, not trained: its loss has one minimum,

    Σ −ln softmax(W x + b)[y] + |W|² / 2C,

and LBFGS (Liu and Nocedal, 1989) goes there without a learning rate.

Left out: stemming, stop words, and the order of more than `longest` words.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vec2gpt.checks import check_ids, check_sizes, check_texts
from vec2gpt.text import Vocab, words
from vec2gpt.vectors import WordVectors

# ------------------------------------------------------------------------------------------- texts as numbers


def runs(text: str, *, longest: int = 2) -> list[str]:
    """The words of a text, then its pairs of neighbours, and so on up to runs of `longest` words.

    >>> runs("Not good at all")
    ['not', 'good', 'at', 'all', 'not good', 'good at', 'at all']
    """
    check_sizes(longest=longest)
    found = words(text)
    lengths = range(1, longest + 1)
    return [" ".join(found[n : n + size]) for size in lengths for n in range(len(found) - size + 1)]


class TfIdf:
    """What the words of some texts weigh, and by it any text as a row of numbers.

    texts: those that are learnt from. longest: of the runs of words that count as one.
    ValueError for one string, and for texts without a single word.
    """

    def __init__(self, texts: Iterable[str], *, longest: int = 2) -> None:
        check_texts(texts)
        self.longest = longest
        inside = [set(runs(text, longest=longest)) for text in texts]
        having = Counter(run for found in inside for run in found)  # N(t)
        if not having:
            raise ValueError(f"the {len(inside)} texts have no word: give some text to learn from")
        self.vocab = Vocab.build(having, specials=())
        self.idf = [1 + math.log((1 + len(inside)) / (1 + having[run])) for run in self.vocab.tokens]

    def __len__(self) -> int:
        return len(self.vocab)

    def __call__(self, texts: Iterable[str]) -> Tensor:
        """(N, V), sparse, float64, each row of length 1; of a text without a known word all is 0."""
        check_texts(texts)
        rows = [self._row(text) for text in texts]
        places = [(n, id) for n, row in enumerate(rows) for id in row]
        weights = [weight for row in rows for weight in row.values()]
        at = torch.tensor(places, dtype=torch.long).view(-1, 2).T
        values = torch.tensor(weights, dtype=torch.float64)
        return torch.sparse_coo_tensor(at, values, (len(rows), len(self)), check_invariants=True).coalesce()

    def _row(self, text: str) -> dict[int, float]:
        """id → weight of the runs of a text that are known."""
        counts = Counter(run for run in runs(text, longest=self.longest) if run in self.vocab)
        row = {id: (1 + math.log(n)) * self.idf[id] for run, n in counts.items() for id in [self.vocab[run]]}
        length = math.hypot(*row.values())
        return {id: weight / length for id, weight in row.items()}


def mean_vectors(texts: Iterable[str], vectors: WordVectors) -> Tensor:
    """The mean of the vectors of each text's known words, (N, D); zeros where it has none."""
    check_texts(texts)
    known = [vectors.vocab.encode(word for word in words(text) if word in vectors) for text in texts]
    means = [vectors.matrix[ids].mean(0) if ids else vectors.matrix.new_zeros(()) for ids in known]
    width = vectors.matrix.shape[1]
    return torch.stack([mean.expand(width) for mean in means]) if means else torch.empty(0, width)


# --------------------------------------------------------------------------------------- the plain classifier


class Linear(NamedTuple):
    """logits = x W + b."""

    weight: Tensor  # (V, C)
    bias: Tensor  # (C,)

    def __call__(self, x: Tensor) -> Tensor:
        """x (N, V), sparse or not -> logits (N, C)."""
        return x.to(self.weight.dtype) @ self.weight + self.bias


def logistic_regression(
    x: Tensor, targets: Tensor, *, strength: float = 1.0, classes: int | None = None, steps: int = 500
) -> Linear:
    """The one minimum of the loss above: x (N, V), sparse or not, targets (N,) of 0 … C − 1.

    strength: C of the equation, what a text weighs against small weights; the larger, the closer the fit.
    classes: how many there are; None: as many as the targets name. steps: of LBFGS, at most.

    It is scikit-learn's `LogisticRegression(C=strength)` of three classes or more. Of two, that one has a
    single column, W[:, 1] − W[:, 0], and its C is 2 strength. Texts −1 of class 0 and 1 of class 1, at
    strength 1: W is (−0.5213, 0.5213), and b is 0.
    ValueError for one class only, for targets that do not go with x, and for an x that holds NaN or ∞.
    """
    classes = _checked(x, targets, classes)
    if not 0 < strength < math.inf:
        raise ValueError(f"strength is {strength}: give a positive number, such as 1")
    x = x.double()
    weight = torch.zeros(x.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias], max_iter=steps, line_search_fn="strong_wolfe", tolerance_grad=1e-6, tolerance_change=0
    )

    def loss() -> Tensor:
        search.zero_grad()
        missed = F.cross_entropy(x @ weight + bias, targets, reduction="sum")
        value = missed + weight.square().sum() / (2 * strength)
        value.backward()
        return value

    with torch.enable_grad():
        search.step(loss)
    return Linear(weight.detach(), bias.detach())


def _checked(x: Tensor, targets: Tensor, classes: int | None) -> int:
    """How many classes there are."""
    if x.dim() != 2 or targets.shape != x.shape[:1] or not len(targets):
        shapes = f"{tuple(x.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"x and targets have the shapes {shapes}: give (N, V) and (N,), of one text or more")
    if not (x.coalesce().values() if x.is_sparse else x).isfinite().all():
        raise ValueError("x holds NaN or ∞, for which there is no minimum: look where its numbers come from")
    classes = int(targets.max()) + 1 if classes is None else classes
    check_ids(targets[None], classes, name="targets")
    if len(targets.unique()) < 2:
        raise ValueError(
            f"all {len(targets)} targets are {targets[0].item()}: what is to be told apart needs two classes"
        )
    return classes
