"""Who is named in a speech? Labels for names that nobody wrote: a play says itself who its persons are.

Each speech of Shakespeare's plays stands under its speaker's name. So wherever that word stands in a speech
of the same play, written as a name, it is labelled as one: *weak* labels, by a rule (Mintz et al. 2009 made
such of a database). The rule errs: who is named but never speaks, Jove or Cupid, gets no label. So some
sentences were labelled by hand as well, and the rule is judged too.

The split is by plays, whole ones, so most names of the test were never met in training.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from itertools import dropwhile
from typing import NamedTuple

import pandas as pd

from vec2gpt import corpora
from vec2gpt.metrics import spans
from vec2gpt.metrics.spans import Span
from vec2gpt.pretokens import gpt_cut
from vec2gpt.splits import Split

TAGS = "O", "B-PER", "I-PER"
ODD = "hamlet", "henry_iv_part_1", "lear", "midsummer_nights_dream", "romeo_and_juliet"  # other headings
HEADING = re.compile(r"([A-Z][A-Z'\- ]+)\.\s*")
BREAK = re.compile(r"(ACT|SCENE|INDUCTION|EPILOGUE|PROLOGUE)\b", re.IGNORECASE)
DIRECTION = re.compile(r"\[[^\[\]]*[\]}]")
BEFORE_A_THING = "a", "an", "the"
# What people are called besides their names, peoples, and what else speaks.
TITLES = frozenset(
    """
    abbot admiral archbishop athenian bastard bishop boy brother captain cardinal chamberlain chancellor
    chief chorus citizens clown conspirators constable count countess dauphin doctor don duchess duke earl
    english french friar gentleman gentlemen goth guard holy host hostess justice king knight la lady le
    lieutenant lord lords madam marshal master mistress mother murderers myrmidon nurse officer old prince
    princess queen roman romans rumour sergeant servant servants signior sir soldier soldiers son spirit
    tyrian widow worthy young
    """.split()  # noqa: SIM905  seventy pairs of quotes are no help
)
LONGEST = 32  # pretokens of a sentence; what is longer is cut


# ---- a play ----


class Sentence(NamedTuple):
    """Pretokens, which joined are the text, and a tag for each: a place in TAGS."""

    words: tuple[str, ...]
    tags: tuple[int, ...]

    @property
    def spans(self) -> list[Span]:
        return spans([TAGS[tag] for tag in self.tags])


def speeches(text: str) -> list[tuple[str, str]]:
    """(speaker, what is said) in order, from the first act on, without directions for the stage.

    A speaker is a line of capitals that ends in a full stop.
    """
    found: list[tuple[str, list[str]]] = []
    said: list[str] | None = None
    lines = iter(DIRECTION.sub(" ", text).splitlines())
    for line in dropwhile(lambda line: not BREAK.match(line), lines):
        if BREAK.match(line):
            said = None  # what follows says where the scene is
        elif heading := HEADING.fullmatch(line):
            said = []
            found.append((heading[1], said))
        elif said is not None:
            said.append(line.strip())
    return [(speaker, " ".join(filter(None, lines))) for speaker, lines in found]


def names(said: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The words of a play's speakers that are names there: Page is one in one play, and a page in others.

    Written small, or behind *a* or *the*, a word means a thing; within a sentence with a capital, a name.
    A name is meant as one twice as often, is no title, and no land behind *of*.
    """
    heads = {word for speaker, _ in said for word in re.findall(r"[A-Z]+", speaker.split(" OF ")[0])}
    words = [word for _, speech in said for word in re.findall(r"[A-Za-z]+|[.?!]", speech)]
    named, thing = Counter(), Counter()
    for before, word in zip([".", *words], words, strict=False):
        as_thing = word.islower() or before.lower() in BEFORE_A_THING
        if as_thing or before not in ".?!":
            (thing if as_thing else named)[word.lower()] += 1
    known = {head.lower() for head in heads} - TITLES
    return frozenset(w.capitalize() for w in known if len(w) > 2 and named[w] >= max(1, 2 * thing[w]))


def marked(words: Sequence[str], named: Callable[[int, str], bool]) -> tuple[int, ...]:
    """Tags: each word of which `named(place, word)` is true is a name's; neighbours are of one name."""
    found = [named(place, word.strip()) for place, word in enumerate(words)]
    return tuple(int(now) + int(now and before) for before, now in zip([False, *found], found, strict=False))


def sentences(text: str) -> list[Sentence]:
    """All that is said in a play, labelled with the names of its speakers."""
    said = speeches(text)
    known = names(said)
    cut = (part for _, speech in said for part in re.split(r"(?<=[.?!])\s+(?=[A-Z'])", speech))
    pretokens = (gpt_cut(" " + " ".join(part.split())) for part in cut if part.strip())
    parts = (tuple(words[n : n + LONGEST]) for words in pretokens for n in range(0, len(words), LONGEST))
    return [Sentence(words, marked(words, lambda _, word: word in known)) for words in parts]


# ---- all plays ----


@cache
def split() -> Split:
    """26 plays to learn from, 3 and 3 held out: lists of `Sentence`s."""
    plays = [path.removesuffix("_gut.txt") for path in corpora.members("shakespeare")]
    known = [name for name in plays if name not in (*corpora.POEMS, *corpora.VALIDATION, *corpora.TEST, *ODD)]
    return Split(*(_all(names) for names in (known, corpora.VALIDATION, corpora.TEST)))


def _all(plays: Sequence[str]) -> list[Sentence]:
    paths = [corpora.member("shakespeare", f"{name}_gut.txt") for name in plays]
    return [one for path in paths for one in sentences(path.read_text(encoding="ascii"))]


@cache
def known_names() -> frozenset[str]:
    """Every word that is labelled in training."""
    parts = split().train
    return frozenset(
        word.strip() for part in parts for word, tag in zip(part.words, part.tags, strict=True) if tag
    )


@cache
def small_words() -> frozenset[str]:
    """Every word that training has in small letters."""
    return frozenset(word.strip() for part in split().train for word in part.words if word.strip().islower())


# ---- by hand ----


@cache
def by_hand() -> list[Sentence]:
    """60 sentences of the test plays, labelled by one reader: every name of a person or a god.

    They were drawn from those that have a rarer word with a capital behind the first. A land's name counts
    where a title goes before it and its lord is meant, *the Duke of York*; a title itself never does.
    """
    table = pd.read_csv(files(__package__) / "names_by_hand.csv", keep_default_na=False)
    return [
        _named(sentence, list(filter(None, names.split(";"))))
        for names, sentence in zip(table["names"], table["sentence"], strict=True)
    ]


def _named(sentence: str, names: Sequence[str]) -> Sentence:
    """A sentence in which these names stand, in this order."""
    words, place = tuple(gpt_cut(sentence)), 0
    tags = [0] * len(words)
    for name in names:
        parts = gpt_cut(" " + name)
        while [word.strip() for word in words[place : place + len(parts)]] != [
            part.strip() for part in parts
        ]:
            if (place := place + 1) >= len(words):
                raise ValueError(f"{name!r} does not stand in {sentence!r}, or not in this order")
        tags[place : place + len(parts)] = [1, *[2] * (len(parts) - 1)]
        place += len(parts)
    return Sentence(words, tuple(tags))


def digest() -> str:
    """sha256 of all sentences with their labels, and of those by hand: the rules decide every figure."""
    told = hashlib.sha256()
    for part in (part for some in (*split(), by_hand()) for part in some):
        told.update(f"{part.words}{part.tags}".encode())
    return told.hexdigest()
