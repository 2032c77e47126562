"""Runs of words that are one thing, such as a person's name, and how many of them are found.

Tags say of each word whether it begins a thing, is within one, or outside of all (Ramshaw and Marcus 1995):

    words    Then   Lady   Jane   Grey   met   Ada
    tags      O      O    B-PER  I-PER    O   B-PER

A thing counts as found only when its kind, its first and its last word are right, as in the shared task of
CoNLL (Tjong Kim Sang and De Meulder 2003). So half a name is one error of each sort: a thing that is not
there was found, and one that is there was not.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    kind: str
    start: int
    end: int  # the first word behind it


class Found(NamedTuple):
    """Shares: of what was found that is there; of what is there that was found; their harmonic mean."""

    precision: float
    recall: float
    f1: float


def spans(tags: Sequence[str]) -> list[Span]:
    """The things in a text, from the tags of its words, such as "O", "B-PER" and "I-PER".

    An "I-" that continues nothing begins a thing, as the shared task counts it.

    >>> spans(["O", "B-PER", "I-PER", "B-PER"])
    [Span(kind='PER', start=1, end=3), Span(kind='PER', start=3, end=4)]
    """
    found: list[Span] = []
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if tag != "O" and (mark not in ("B", "I") or not kind):
            raise ValueError(f"tag {place} is {tag!r}: give 'O', or 'B-' or 'I-' and a kind, such as 'B-PER'")
        if tag == "O":
            continue
        goes_on = mark == "I" and found and found[-1].end == place and found[-1].kind == kind
        if goes_on:
            found[-1] = found[-1]._replace(end=place + 1)
        else:
            found.append(Span(kind, place, place + 1))
    return found


def span_f1(found: Iterable[object], gold: Iterable[object]) -> Found:
    """How well things found agree with those that are there; each is told from all others, by text too.

    Of nothing at all, precision or recall is 0, and so is F1.

    >>> span_f1([(0, 1, 3), (0, 3, 4)], [(0, 1, 3), (0, 4, 5), (1, 0, 1)])  # one is right, of 2, of 3
    Found(precision=0.5, recall=0.3333333333333333, f1=0.4)
    """
    sets = []
    for name, given in {"found": list(found), "gold": list(gold)}.items():
        if len(once := set(given)) < len(given):
            raise ValueError(f"{name} has a thing twice: name the text in each, such as (text, *span)")
        sets.append(once)
    said, there = sets
    right = len(said & there)
    shares = (right / len(some) if some else 0.0 for some in sets)
    return Found(*shares, 2 * right / (len(said) + len(there)) if right else 0.0)
