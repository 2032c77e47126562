"""Arithmetic with words under the reader's hand: king − man + woman, on a map (chapter 1)."""

import torch
from torch import Tensor, nn

from vec2gpt.vectors import WordVectors, unit
from vec2gpt.widgets.live import LiveModel

SHOWN = 10  # neighbours
SMALLEST, LARGEST = SHOWN + 3, 10_000  # words: a page lists them all
SQUARINGS = 6  # of a matrix: 2⁶ steps of the power method
FLAT = 1e-3  # shorter than this, a difference of two words has no direction
EXAMPLES = [  # the last two fail, each in its own way; Python keeps those whose words are known
    ("king", "man", "woman"),
    ("paris", "france", "italy"),
    ("apple", "fruit", ""),
    ("bank", "", "river"),
    ("java", "", ""),
    ("walking", "walk", "swim"),
    ("doctor", "man", "woman"),
    ("bigger", "big", "small"),
    ("hot", "cold", "tall"),
]


class Arithmetic(nn.Module):
    """The words nearest to a − b + c, and a plane to see them in.

    ids (3,): a, b and c, −1 for an empty slot, which counts as the vector 0. allowed (1,): 1 if the words
    asked may answer, else 0. → nearest (10,): ids, and their cosines (10,); the cosines of a, b and c (3,);
    then for a, b, c, the sum and the ten: their places in the plane (14, 2) and distances from it (14,).

    Three words span a plane that also holds a − b + c: there the sum is a parallelogram, x from b to a. Where
    there are fewer, the plane is that of the two principal components of the words shown, and the sum has
    length 1 as they have.
    """

    def __init__(self, vectors: WordVectors):
        super().__init__()
        # Rounded as a page keeps them, so that near ties come in the same order in both homes.
        self.register_buffer("directions", vectors.directions.half().float())  # (V, D)

    def forward(self, ids: Tensor, allowed: Tensor) -> tuple[Tensor, ...]:
        there = ids >= 0  # (3,)
        asked = self.directions[ids.clamp_min(0)] * there[:, None]  # (3, D)
        a, b, c = asked
        total = a - b + c  # (D,)
        cosines = self.directions @ unit(total)  # (V,)
        same = (torch.arange(len(cosines), device=ids.device) == ids[:, None]).any(0)  # (V,)
        best = cosines.masked_fill(same & (allowed == 0), -torch.inf).topk(SHOWN)
        near, all_three = self.directions[best.indices], there.all()  # (10, D)
        shown = torch.cat([there, torch.ones_like(best.indices, dtype=torch.bool)])  # (13,)
        centre, spread = _centred(torch.cat([asked, near]), shown)
        axes = plane(torch.where(all_three, a - b, 0), torch.where(all_three, c - b, 0), spread)  # (2, D)
        rows = torch.cat([asked, torch.where(all_three, total, unit(total))[None], near])  # (14, D)
        rows = rows - torch.where(all_three, b, centre)
        places = rows @ axes.T  # (14, 2)
        return best.indices, best.values, asked @ unit(total), places, (rows - places @ axes).norm(dim=1)


def _centred(rows: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (D,) of those rows (N, D) that are there (N,), and each row's distance from it, else 0."""
    weight = there[:, None].float()
    centre = (rows * weight).sum(0) / weight.sum()
    return centre, (rows - centre) * weight


def plane(across: Tensor, up: Tensor, spread: Tensor) -> Tensor:
    """Two axes (2, D) of length 1 at right angles: x along `across` (D,), y along what is left of `up` (D,).

    Where one of them has no direction, its place is taken by that in which the rows of `spread` (N, D) are
    longest.
    """
    x = torch.where(across.norm() > FLAT, unit(across), main_direction(spread))
    up, spread = up - (up @ x) * x, spread - (spread @ x)[:, None] * x
    return torch.stack([x, torch.where(up.norm() > FLAT, unit(up), main_direction(spread))])


def main_direction(spread: Tensor) -> Tensor:
    """The direction (D,), of length 1, along which the rows of `spread` (N, D) are longest: the power method.

    It starts from a fixed vector, so that equal questions give equal pictures, sign included.
    """
    power = spread.mT @ spread  # (D, D)
    for _ in range(SQUARINGS):
        power = power @ power
        power = power / power.norm().clamp_min(1e-30)
    return unit(power.sum(1))


def word_arithmetic_widget(
    vectors: WordVectors | dict[str, WordVectors], a: str = "king", b: str = "man", c: str = "woman"
) -> LiveModel:
    """Three words to type, the neighbours of a − b + c, and their map; "" leaves a slot empty.

    vectors: up to 10,000 words, or a dict of such by name ("GloVe", "trained here"), between which the
    reader chooses; a, b and c are words of the first.
    """
    vectors = vectors if isinstance(vectors, dict) else {"model": vectors}
    if not vectors:
        raise ValueError("there are no vectors: give WordVectors, or a dict of such by name")
    for name, one in vectors.items():
        if not SMALLEST <= len(one) <= LARGEST:
            raise ValueError(
                f"{name} has {len(one):,} words; give {SMALLEST} to {LARGEST:,}, as vectors.first(…) does"
            )
    if not any((a, b, c)):
        raise ValueError("all three words are empty; give at least one")
    vocab = next(iter(vectors.values())).vocab
    ids = [vocab[word] if word else -1 for word in (a, b, c)]
    examples = [example for example in EXAMPLES if all(not word or word in vocab for word in example)]
    return LiveModel(
        "arithmetic",
        {name: Arithmetic(one) for name, one in vectors.items()},
        {"ids": torch.tensor(ids), "allowed": torch.tensor([0])},
        ["nearest", "cosines", "asked", "places", "off"],
        settings={
            "asked": [a, b, c],
            "examples": examples,
            "words": {name: one.vocab.tokens for name, one in vectors.items()},
        },
    )
