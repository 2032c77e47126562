"""Short texts that are for or against something, of four domains: what chapter 11 tunes on and is judged on.

Twenty people rated each text from −4 to 4 (`corpora.sentiment`). Those within half a point of 0 are left out:
of the movie reviews one in twenty, of the editorials, which seldom take sides so openly, four in ten. Near
copies are taken out, and the rest is split by the hash of the text: of twenty 12 to learn from, 4 and 4 held
out. What training shares with anything held out, in any of the domains, is taken out of it too.

The texts are third parties'. Nothing here shows one: a `Rated` prints how many it has.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from vec2gpt import corpora
from vec2gpt.checks import check_sizes
from vec2gpt.cleaning import leakage
from vec2gpt.minhash import copies, near_duplicates
from vec2gpt.splits import Split

DOMAINS = tuple(corpora.SNIPPETS)
DATA = corpora.corpus("sentiment").sha256
CLEAR = 0.5  # ratings nearer to 0 take no side
HELD = 4  # twentieths for validation, and as many for the test: fewer would be 150 tweets
ALIKE = {"size": 3, "threshold": 0.6}  # texts are short: one word changed in ten is a near copy
CLASSES = ("against", "for")


@dataclass(frozen=True, repr=False, eq=False)
class Rated:
    """Texts, and whether each is for (1) or against (0) what it speaks of."""

    texts: tuple[str, ...]
    labels: Tensor  # (N,)

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"Rated({len(self):,} texts, {int(self.labels.sum()):,} of them {CLASSES[1]})"

    @classmethod
    def joined(cls, parts: Sequence["Rated"]) -> "Rated":
        """All of several, one after another."""
        texts = tuple(text for part in parts for text in part.texts)
        return cls(texts, torch.cat([part.labels for part in parts]))

    def only(self, places: Tensor) -> "Rated":
        """Those at these places, in their order."""
        return Rated(tuple(self.texts[n] for n in places.tolist()), self.labels[places])

    def some(self, count: int) -> "Rated":
        """So many of them, the same ones every time, or all; the first would be of one class."""
        check_sizes(count=count)
        return self.only(torch.randperm(len(self), generator=torch.Generator().manual_seed(0))[:count])


@cache
def split(domain: str) -> Split:
    """Three parts, each a `Rated`: some 6,000, 2,000 and 2,000 movie reviews, a third of it of the others.

    KeyError for a domain that is not there.
    """
    rows = _clear(domain)
    drop = copies(near_duplicates([text for text, _ in rows], **ALIKE))
    parts = Split([], [], [])
    for place, (text, label) in enumerate(rows):
        if place not in drop:
            parts.part_of(text, held=HELD).append((text, label))
    train, validation, test = parts
    return Split(_unknown(train, _held_out()), _unknown(validation, [text for text, _ in test]), _rated(test))


def draw(domain: str, count: int, *, seed: int) -> Rated:
    """So many texts to learn from, half of them of each class, in random order.

    Of one seed, those of a smaller count are among those of a larger. ValueError for an odd count, for less
    than 2, and for more than there are of the rarer class.
    """
    known = split(domain).train
    least, rarer = known.labels.bincount(minlength=2).min(0)
    if not least:
        raise ValueError(f"count is {count}: {domain} has no text of the class {CLASSES[rarer]!r} to draw")
    most = 2 * int(least)
    if count % 2 or not 2 <= count <= most:
        raise ValueError(f"count is {count}: of {domain} give an even number from 2 to {most}, half a class")
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(known), generator=generator)
    halves = [order[known.labels[order] == label][: count // 2] for label in (0, 1)]
    return known.only(torch.stack(halves).T.flatten())  # a text of each class in turn


def digest(*domains: str) -> str:
    """sha256 of all parts of these domains: how they were chosen and split decides every figure."""
    told = hashlib.sha256()
    for part in (part for domain in domains for part in split(domain)):
        told.update("\0".join((*part.texts, str(part.labels.tolist()))).encode())
    return told.hexdigest()


@cache
def _clear(domain: str) -> list[tuple[str, int]]:
    return [(text, int(rating > 0)) for text, rating in corpora.sentiment(domain) if abs(rating) >= CLEAR]


@cache
def _held_out() -> list[str]:
    """What is held out of any domain."""
    parts = Split([], [], [])
    for text in (text for domain in DOMAINS for text, _ in _clear(domain)):
        parts.part_of(text, held=HELD).append(text)
    return [*parts.validation, *parts.test]


def _unknown(rows: list[tuple[str, int]], known: list[str]) -> Rated:
    """Those that share no run of 13 words with what is known; a shorter one shares all of it or nothing."""
    shares = leakage(known, [text for text, _ in rows])
    return _rated([row for row, share in zip(rows, shares, strict=True) if not share])


def _rated(rows: list[tuple[str, int]]) -> Rated:
    texts, labels = zip(*rows, strict=True)
    return Rated(texts, torch.tensor(labels))
