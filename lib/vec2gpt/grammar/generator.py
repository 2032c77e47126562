"""English texts of a line and their French translations, generated, with the gold alignment of their words.

In real translations nobody knows for certain which word renders which. Here a text begins as a tree that is
said in both languages (see `syntax`), so its alignment is a fact, and we choose its length: what Bahdanau,
Cho and Bengio (2015) asked of an encoder-decoder, how well it does on long sentences and where it looks, can
be asked here of a small one.

French is not English word by word, for the reasons it never is: order (the blue car, la voiture bleue),
agreement (which "the"? le, la, les), one word for several (looks at, regarde; of the, du) and several for one
(saw, a vu), and a negation in two halves (does not see, ne voit pas). The English words decide the French
ones, so a translation is right or wrong: there is no second one.

    split(20_000, length=(4, 12))          pairs to learn from, to choose by, to be judged on
    pair(rng, length=(30, 30))             one pair, of 30 English words
    pair_of(tree)                          what a tree of one's own says
    vocabularies()                         the numberings of all English words and all French words

Left out: pronouns, questions, commands, punctuation, all tenses but a present and a past. That it makes sense
is seen to only so far that a table does not sleep and nobody buys a king.
"""

import itertools
import random
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from vec2gpt.grammar import lexicon
from vec2gpt.grammar.lexicon import Adjective, Kind, Noun, Verb
from vec2gpt.grammar.syntax import (
    CONTRACTED,
    ELIDED,
    Action,
    Being,
    Both,
    Clause,
    Joined,
    Node,
    NounPhrase,
    ObjectRelative,
    Prepositional,
    SubjectRelative,
    written,
)
from vec2gpt.splits import Split
from vec2gpt.text import Vocab

SHORTEST, LONGEST = 3, 40  # English words
TRIES = 200  # draws without a new pair before all are taken to be drawn


class Pair(NamedTuple):
    """A text and its translation, in lower case, and which word renders which."""

    source: tuple[str, ...]  # English
    target: tuple[str, ...]  # French; what is elided is a word of its own: l' homme
    alignment: frozenset[tuple[int, int]]  # (place in source, place in target) from 0; no word is without


def pair_of(tree: Node) -> Pair:
    """What a tree says in both languages: words that say the same part of it are aligned.

    "does not see" and "ne voit pas" are linked 0-0, 0-2, 1-0, 1-2 (does not, ne … pas) and 2-1 (see, voit).
    """
    english, french = tree.english(), written(tree.french())
    places: dict[tuple[Node, str], list[int]] = {}  # of the French words that say a part
    for t, word in enumerate(french):
        for part in word.says:
            places.setdefault(part, []).append(t)
    return Pair(
        tuple(word.text for word in english),
        tuple(word.text for word in french),
        frozenset((s, t) for s, word in enumerate(english) for part in word.says for t in places[part]),
    )


def pair(rng: random.Random, *, length: tuple[int, int] = (5, 9)) -> Pair:
    """A random pair whose English has from length[0] to length[1] words, each length equally likely.

    A sentence; of up to six words, sometimes a noun phrase only, as under a picture: the blue car. ValueError
    for lengths outside 3 … 40.
    """
    _check(length)
    size, writer = rng.randint(*length), _Writer(rng)
    caption = size <= 6 and rng.random() < 0.15
    return pair_of(writer.noun_phrase(size, Kind.ANY) if caption else writer.sentence(size))


def split(count: int, *, length: tuple[int, int] = (4, 12), seed: int = 0) -> Split:
    """`count` different pairs, as many of each length: 90% to train on, 5% for validation, 5% for the test.

    The part of a pair follows from the sha256 of its English alone. So what one call has for its test, no
    call has for training, whatever their lengths and seeds. Each part is in the order in which its pairs were
    drawn: shortest, …, longest, shortest, … ValueError where there are not so many pairs.
    """
    _check(length)
    if count < 1:
        raise ValueError(f"count is {count}: ask for at least 1 pair")
    rng, parts, seen = random.Random(seed), Split([], [], []), set()
    sizes = itertools.cycle(range(length[0], length[1] + 1))
    for size in itertools.islice(sizes, count):
        new = _unseen(rng, size, seen)
        seen.add(new.source)
        parts.part_of(" ".join(new.source)).append(new)
    return parts


def vocabularies() -> tuple[Vocab, Vocab]:
    """(English, French): numberings of all words that a pair can have, be they ever so rare.

    Built from pairs, a vocabulary could lack a participle that the test then has.
    """
    french = [*lexicon.french_words(), *ELIDED.values(), *CONTRACTED.values()]
    return Vocab.build(lexicon.english_words()), Vocab.build(french)


def _check(length: tuple[int, int]) -> None:
    shortest, longest = length
    if not SHORTEST <= shortest <= longest <= LONGEST:
        raise ValueError(f"length is {length}: give (shortest, longest) within {SHORTEST} … {LONGEST} words")


def _unseen(rng: random.Random, size: int, seen: set[tuple[str, ...]]) -> Pair:
    for _ in range(TRIES):
        if (new := pair(rng, length=(size, size))).source not in seen:
            return new
    raise ValueError(
        f"after {len(seen)} pairs no new one of {size} words was found: ask for fewer, or for greater lengths"
    )


# ----------------------------------------------------------------------------------- what suits and what fits


@cache
def _nouns(kinds: Kind) -> list[Noun]:
    return [noun for noun in lexicon.NOUNS if noun.kind in kinds]


@cache
def _adjectives(part: str, kind: Kind) -> list[Adjective]:
    """Those that suit; "front" or "behind" the noun."""
    of = {"front": lexicon.FRONT, "behind": lexicon.BEHIND, "": lexicon.FRONT + lexicon.BEHIND}[part]
    return [adjective for adjective in of if kind in adjective.suits]


def _group(verb: Verb, negated: bool) -> int:
    """English words of a verb without its object: sees, looks at, does not look at."""
    return 1 + bool(verb.particle) + 2 * negated


def _room(size: int, sizes: range) -> list[int]:
    """The sizes that leave, of `size` words, none or enough for what may follow, a prepositional phrase."""
    return [own for own in sizes if size - own == 0 or size - own >= 3]


@cache
def _actions(size: int, kind: Kind, negated: bool) -> list[tuple[Verb, int]]:
    """(verb, size of its object, 0 for none) of predicates of `size` words; what is left over is a place."""
    ways = []
    for verb in lexicon.INTRANSITIVE + lexicon.TRANSITIVE:
        rest = size - _group(verb, negated)
        objects = range(2, rest + 1) if verb.objects else range(1)
        if kind in verb.subjects and rest >= 0:
            ways += [(verb, own) for own in _room(rest, objects)]
    return ways


@cache
def _object_relatives(size: int, kind: Kind) -> list[tuple[Verb, bool, int]]:
    """(verb, negated, size of its subject) of "that … sees" of `size` words, after a noun of that kind."""
    return [
        (verb, negated, own)
        for verb in lexicon.TRANSITIVE
        for negated in (False, True)
        if kind in verb.objects
        and not verb.preposition  # à and de would not be said with "que"
        and (own := size - 1 - _group(verb, negated)) in (2, 3, 4)
    ]


class _Writer:
    """Grows random trees that say exactly `size` English words, in one tense.

    A clause about a noun follows the nearest noun, and what stands before a verb is short: a reader of the
    English knows then what belongs to what, without which the French could not agree.
    """

    def __init__(self, rng: random.Random):
        self.rng, self.past = rng, rng.random() < 0.4

    def sentence(self, size: int) -> Clause | Joined:
        """A clause, or several: those of more than twelve words are always several."""
        if size <= 12 and (size < 7 or self.rng.random() < 0.75):
            return self.clause(size)
        first = self.rng.randint(3, min(size - 4, 12))
        conjunction = self.rng.choice(list(lexicon.CONJUNCTIONS))
        return Joined(self.clause(first), conjunction, self.sentence(size - first - 1))

    def clause(self, size: int) -> Clause:
        own = self.rng.randint(2, min(size - 1, 7))
        subject = self.subject(own)
        return Clause(subject, self.predicate(size - own, subject.noun.kind))

    def subject(self, size: int) -> NounPhrase | Both:
        if size < 5 or self.rng.random() < 0.6:
            return self.noun_phrase(size, self.rng.choices([Kind.LIVING, Kind.THING], [4, 1])[0])
        kind = self.rng.choice([Kind.ADULT, Kind.CHILD, Kind.ANIMAL])  # one for both: a verb suits both
        first = self.rng.choice([own for own in (2, 3, 4) if 2 <= size - 1 - own <= 4])
        return Both(self.plain(first, kind), self.plain(size - 1 - first, kind))

    def noun_phrase(self, size: int, kinds: Kind) -> NounPhrase:
        own = self.rng.choice([own for own in (2, 3, 4) if size - own == 0 or size - own >= 2])
        phrase = self.plain(own, kinds)
        return phrase if own == size else replace(phrase, after=self.modifier(size - own, phrase))

    def plain(self, size: int, kinds: Kind) -> NounPhrase:
        """Of two to four words: the car, the blue car, the beautiful blue car."""
        noun = self.rng.choice(_nouns(kinds))
        parts = {2: [], 3: [self.rng.choice(["front", "behind"])], 4: ["front", "behind"]}[size]
        adjectives = {part: self.rng.choice(_adjectives(part, noun.kind)) for part in parts}
        determiner = self.rng.choices(list(lexicon.DETERMINERS), lexicon.DETERMINERS.values())[0]
        one, many = determiner.english
        plural = bool(many) and (not one or self.rng.random() < 0.4)
        return NounPhrase(determiner, noun, plural, adjectives)

    def modifier(self, size: int, phrase: NounPhrase) -> Prepositional | SubjectRelative | ObjectRelative:
        """What follows a noun, two words or more."""
        kind, antecedent = phrase.noun.kind, phrase.agreement
        if (ways := _object_relatives(size, kind)) and self.rng.random() < 0.7:
            verb, negated, own = self.rng.choice(ways)
            action = Action(self.past, negated, None, verb)
            return ObjectRelative(antecedent, self.plain(own, verb.subjects), action)
        if size >= 3 and self.rng.random() < 0.5:
            return self.prepositional(size, *([] if kind in Kind.PERSON else [lexicon.OF] * 6))
        return SubjectRelative(antecedent, self.predicate(size - 1, kind))

    def prepositional(self, size: int, *more: lexicon.Preposition) -> Prepositional:
        preposition = self.rng.choice([*lexicon.PREPOSITIONS, *more])
        return Prepositional(preposition, self.noun_phrase(size - 1, preposition.before))

    def place(self, size: int) -> Prepositional | None:
        return self.prepositional(size) if size else None

    def predicate(self, size: int, kind: Kind) -> Being | Action:
        """sees the dog, is old: what may be said of that kind of noun, one word or more."""
        negated = self.rng.random() < 0.3
        if not (ways := _actions(size, kind, negated)):  # some sizes have room for the other only
            negated, ways = not negated, _actions(size, kind, not negated)
        if not ways or (size > 1 and self.rng.random() < 0.25):
            return self.being(size, kind)
        verb, own = self.rng.choice(ways)
        object = self.noun_phrase(own, verb.objects) if own else None
        return Action(self.past, negated, self.place(size - _group(verb, negated) - own), verb, object)

    def being(self, size: int, kind: Kind) -> Being:
        """is old, is not very old, is in the garden: two words or more."""
        negated = size >= 3 and self.rng.random() < 0.3
        rest = size - 1 - negated
        own = self.rng.choice(_room(rest, range(3)))  # very old, old, or nothing
        adjective = self.rng.choice(_adjectives("", kind)) if own else None
        return Being(self.past, negated, self.place(rest - own), adjective, very=own == 2)
