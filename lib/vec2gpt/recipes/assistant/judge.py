"""The judge: a taste in passages that everybody can check by eye, and that no model is told.

Two points for each *different* kind word, a point off for each word, of whatever kind, that was said before.
"""

import re
from typing import NamedTuple

KIND = frozenset(
    """
    beauty bless brave dear fair faith friend gentle good grace happy heart honest honour hope joy kind love
    merry noble peace please sweet thank true welcome well worthy
    """.split()  # noqa: SIM905  thirty pairs of quotes are no help
)
WORD = re.compile(r"[a-z']+", re.IGNORECASE)
FOR_KIND, FOR_AGAIN = 2, -1


class Mark(NamedTuple):
    start: int
    end: int
    why: str  # "kind" or "again"


def marks(passage: str) -> list[Mark]:
    """What counts in a passage: the first of each kind word, and each word that was said before.

    >>> [(passage[a:b], why) for passage in ["My love, my love!"] for a, b, why in marks(passage)]
    [('love', 'kind'), ('my', 'again'), ('love', 'again')]
    """
    found, said = [], set()
    for match in WORD.finditer(passage):
        word = match[0].lower()
        if word in said or word in KIND:
            found.append(Mark(*match.span(), "again" if word in said else "kind"))
        said.add(word)
    return found


def taste(passage: str) -> int:
    """What a passage is worth to the judge.

    >>> taste("My love, my love!"), taste("Good gentle sir, well met."), taste("")
    (0, 6, 0)
    """
    return sum(FOR_KIND if mark.why == "kind" else FOR_AGAIN for mark in marks(passage))
