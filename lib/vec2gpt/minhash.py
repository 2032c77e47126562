"""Which texts are nearly the same, without comparing each with each (MinHash: Broder, 1997).

The web holds the same text over and over: with another date, another footer, one word corrected. Broder had
to find such copies among 30 million pages. Cut a text into its runs of w words, its shingles; two texts are
as alike as the Jaccard similarity of their sets of shingles,

    J(A, B) = |A ∩ B| / |A ∪ B|.

Put all shingles in a random order. The first of A ∪ B lies in both with probability J, and then both sets
begin with the same one. So keep, for each of k orders, which shingle comes first: k numbers a text, its
signature. The share of places at which two signatures agree estimates J without bias, with the variance
J (1 − J) / k.

To find the pairs without trying them all, cut a signature into b bands of r rows: two texts are compared when
one of their bands agrees in full (Indyk and Motwani, 1998). That has the probability 1 − (1 − Jʳ)ᵇ, an
S-shaped curve.

The random orders are permutations of the 64-bit numbers, x → a x + b (mod 2⁶⁴) with a odd. They and the
numbers of the shingles come from BLAKE2, not from Python's `hash`: signatures are the same on every machine.

Left out: keeping the signatures of more texts than fit in memory.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from vec2gpt.checks import check_sizes, check_texts
from vec2gpt.cleaning import terms

# --------------------------------------------------------------------------------------------------- shingles


def shingles(text: str, *, size: int = 5) -> set[tuple[str, ...]]:
    """The runs of `size` words of a text; a shorter text is one run, an empty one has none.

    >>> sorted(shingles("A rose is a rose.", size=3))
    [('a', 'rose', 'is'), ('is', 'a', 'rose'), ('rose', 'is', 'a')]
    """
    check_sizes(size=size)
    found = terms(text)
    count = max(len(found) - size + 1, 1) if found else 0
    return {tuple(found[start : start + size]) for start in range(count)}


def jaccard(one: set, other: set) -> float:
    """|one ∩ other| / |one ∪ other|, and 0 where one is empty: nothing is a copy of nothing.

    >>> jaccard({1, 2, 3}, {2, 3, 4})
    0.5
    """
    return len(one & other) / len(one | other) if one and other else 0.0


# ------------------------------------------------------------------------------------------------- signatures


PIECE = 512  # items at a time: what is worked on stays in the processor's cache


def signature(items: Iterable[tuple[str, ...]], *, hashes: int = 128, seed: int = 0) -> np.ndarray:
    """(hashes,) uint64: the number of the item that comes first, in each order. ValueError for no items."""
    check_sizes(hashes=hashes)
    numbers = np.array([_number("\0".join(item)) for item in items], dtype=np.uint64)
    if not len(numbers):
        raise ValueError("an empty text has no signature: leave it out")
    factors, shifts = _orders(hashes, seed)
    first = np.full(hashes, np.iinfo(np.uint64).max)
    for start in range(0, len(numbers), PIECE):
        ordered = numbers[start : start + PIECE, None] * factors + shifts  # (items, hashes), mod 2⁶⁴
        first = np.minimum(first, ordered.min(axis=0))
    return first


def _number(text: str) -> int:
    """64 bits that depend on the text alone."""
    data = text.encode("utf-8", "surrogatepass")  # half a character pasted from elsewhere is no error
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def _orders(hashes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(factors, shifts), each (hashes,) uint64. Odd factors have an inverse mod 2⁶⁴: no two numbers meet."""
    factors = [_number(f"factor {seed} {index}") | 1 for index in range(hashes)]
    shifts = [_number(f"shift {seed} {index}") for index in range(hashes)]
    return np.array(factors, dtype=np.uint64), np.array(shifts, dtype=np.uint64)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The estimate of J: the share of places at which two signatures agree."""
    if one.shape != other.shape:
        raise ValueError(f"signatures of {one.size} and {other.size} hashes: make both with as many")
    return float((one == other).mean())


# ------------------------------------------------------------------------------------------------------ bands


def chance(similar: float, *, bands: int, rows: int) -> float:
    """That two texts so similar agree in at least one band: 1 − (1 − Jʳ)ᵇ.

    >>> round(chance(0.8, bands=25, rows=5), 4), round(chance(0.3, bands=25, rows=5), 4)
    (1.0, 0.059)
    """
    check_sizes(bands=bands, rows=rows)
    return 1 - (1 - similar**rows) ** bands


def rows_for(threshold: float, *, hashes: int = 128, missed: float = 1e-3) -> int:
    """The most rows a band may have if at most this share of the pairs at the threshold is to be missed.

    More rows are fewer pairs to look at. `rows_for(0.8)` is 5: 25 bands, which miss 5 pairs in 100,000.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}: give a similarity above 0, and at most 1")
    enough = [
        rows
        for rows in range(1, hashes + 1)
        if 1 - chance(threshold, bands=hashes // rows, rows=rows) <= missed
    ]
    if not enough:
        raise ValueError(
            f"{hashes} hashes miss more than {missed:.1%} of the pairs as similar as {threshold}: give more "
            "hashes, or a higher threshold"
        )
    return max(enough)


def candidates(signatures: Sequence[np.ndarray], *, rows: int) -> set[tuple[int, int]]:
    """The pairs (first, second) of indices that agree in all rows of one band."""
    if not len(signatures):
        return set()
    check_sizes(rows=rows)
    if rows > len(signatures[0]):
        raise ValueError(f"bands of {rows} rows do not fit in signatures of {len(signatures[0])}: give fewer")
    pairs = set()
    for start in range(0, len(signatures[0]) - rows + 1, rows):
        buckets = defaultdict(list)
        for index, row in enumerate(signatures):
            buckets[row[start : start + rows].tobytes()].append(index)
        pairs.update(pair for alike in buckets.values() for pair in combinations(alike, 2))
    return pairs


# ------------------------------------------------------------------------------------------------ near copies


class Pair(NamedTuple):
    """Two texts by their indices, first < second, and their exact Jaccard similarity."""

    first: int
    second: int
    similarity: float


def near_duplicates(
    texts: Sequence[str], *, threshold: float = 0.8, size: int = 5, hashes: int = 128, seed: int = 0
) -> list[Pair]:
    """The pairs of texts whose Jaccard similarity is at least the threshold, in order of their indices.

    Bands propose, the exact similarity decides: nothing is found that is not there, and of pairs at the
    threshold itself one in a thousand may be missed. Empty texts are nobody's copies.
    """
    check_texts(texts)
    rows = rows_for(threshold, hashes=hashes)
    sets = {index: found for index, text in enumerate(texts) if (found := shingles(text, size=size))}
    indices = list(sets)
    signatures = [signature(found, hashes=hashes, seed=seed) for found in sets.values()]
    proposed = sorted(candidates(signatures, rows=rows))
    pairs = (
        Pair(a := indices[one], b := indices[other], jaccard(sets[a], sets[b])) for one, other in proposed
    )
    return [pair for pair in pairs if pair.similarity >= threshold]


def clusters(pairs: Iterable[tuple[int, int] | Pair]) -> list[list[int]]:
    """Texts that are linked by pairs, one list a group, the earliest first: keep that one, drop the others.

    A chain is one group, even where its ends are not alike.

    >>> clusters([(0, 3), (3, 5), (1, 2)])
    [[0, 3, 5], [1, 2]]
    """
    leader: dict[int, int] = {}

    def lead(index: int) -> int:
        while leader.setdefault(index, index) != index:
            leader[index] = leader[leader[index]]  # halve the way for the next who asks
            index = leader[index]
        return index

    for first, second, *_ in pairs:
        low, high = sorted((lead(first), lead(second)))
        leader[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for index in sorted(leader):
        groups[lead(index)].append(index)
    return sorted(groups.values())


def copies(pairs: Iterable[tuple[int, int] | Pair]) -> set[int]:
    """The indices to drop: of each group all but the earliest."""
    return {index for group in clusters(pairs) for index in group[1:]}
