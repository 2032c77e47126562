"""Sentences as trees without words, and how each is said in English and in French.

A node knows who does what to whom; `english` and `french` put its parts into words, in the order and with the
agreement of either: one abstract syntax, two linearisations (Ranta, 2004). The words of both languages that
say the same part of the same node are translations of each other, which is where gold alignments come from.

    node = NounPhrase(THE, CAR, plural=False, adjectives={"behind": BLUE})     of rows of the lexicon
    node.english()                                                            the blue car
    written(node.french())                                                    la voiture bleue

Sizes, and which words suit each other, are no concern of the trees: `vec2gpt.grammar.generator` draws them.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from vec2gpt.grammar import lexicon
from vec2gpt.grammar.lexicon import MASCULINE, Adjective, Agreement, Determiner, Noun, Preposition, Verb


class Word(NamedTuple):
    """A word, and the parts of the tree that it says: pairs of a node and what that calls the part."""

    text: str
    says: frozenset[tuple["Node", str]]


class Node:
    """A part of a sentence, that can be said in English and in French: lists of Words."""

    def say(self, part: str, text: str) -> list[Word]:
        """The words of `text`, all of them saying this part of the node; none for ''."""
        return [Word(word, frozenset([(self, part)])) for word in text.split()]


@dataclass(frozen=True, eq=False)
class NounPhrase(Node):
    """the beautiful blue car [that the woman sees]."""

    determiner: Determiner
    noun: Noun
    plural: bool
    adjectives: dict[str, Adjective] = field(default_factory=dict)  # "front", "behind": where French has them
    after: "Prepositional | SubjectRelative | ObjectRelative | None" = None

    @property
    def agreement(self) -> Agreement:
        return Agreement(self.noun.feminine, self.plural)

    def english(self) -> list[Word]:
        words = [word for part, each in self.adjectives.items() for word in self.say(part, each.english)]
        words += self.say("noun", self.noun.english[self.plural])
        determiner = self.determiner.english[self.plural]
        if determiner == "a" and words[0].text[0] in "aeiou":
            determiner = "an"
        return [*self.say("determiner", determiner), *words, *(self.after.english() if self.after else [])]

    def french(self, *, denied: bool = False) -> list[Word]:
        """`denied`: as the direct object of a negated verb, where "un" becomes "de": pas de chat."""
        words = self.say("noun", self.noun.french[self.plural])
        for part, adjective in self.adjectives.items():
            form = self.say(part, adjective.french(self.agreement, before=words[0].text))
            words = [*form, *words] if part == "front" else [*words, *form]
        determiner = self.determiner.french(self.agreement, before=words[0].text)
        if denied and self.determiner is lexicon.A:
            determiner = "de"
        return [*self.say("determiner", determiner), *words, *(self.after.french() if self.after else [])]


@dataclass(frozen=True, eq=False)
class Both(Node):
    """the man and the woman: a subject only."""

    first: NounPhrase
    second: NounPhrase

    @property
    def noun(self) -> Noun:
        return self.second.noun

    @property
    def agreement(self) -> Agreement:
        return Agreement(self.first.noun.feminine and self.second.noun.feminine, plural=True)

    def english(self) -> list[Word]:
        return [*self.first.english(), *self.say("and", "and"), *self.second.english()]

    def french(self) -> list[Word]:
        return [*self.first.french(), *self.say("and", "et"), *self.second.french()]


@dataclass(frozen=True, eq=False)
class Prepositional(Node):
    """in the garden; near [près de] has two words in French."""

    preposition: Preposition
    complement: NounPhrase

    def english(self) -> list[Word]:
        return [*self.say("preposition", self.preposition.english), *self.complement.english()]

    def french(self) -> list[Word]:
        return [*self.say("preposition", self.preposition.french), *self.complement.french()]


@dataclass(frozen=True, eq=False)
class Predicate(Node):
    """What is said of a subject; `place`: where, or with whom."""

    past: bool
    negated: bool
    place: Prepositional | None

    def _around(self, verb: list[Word]) -> list[Word]:
        """French negates around the first verb: ne … pas."""
        return [*self.say("not", "ne"), *verb, *self.say("not", "pas")] if self.negated else verb


@dataclass(frozen=True, eq=False)
class Being(Predicate):
    """is not very old; is in the garden."""

    adjective: Adjective | None
    very: bool

    def english(self, subject: Agreement) -> list[Word]:
        words = self.say("be", lexicon.TO_BE[self.past][subject.plural])
        words += self.say("not", "not" if self.negated else "") + self.say(
            "very", "very" if self.very else ""
        )
        words += self.say("adjective", self.adjective.english if self.adjective else "")
        return [*words, *(self.place.english() if self.place else [])]

    def french(self, subject: Agreement) -> list[Word]:
        words = self._around(self.say("be", lexicon.ETRE[self.past][subject.plural]))
        words += self.say("very", "très" if self.very else "")
        words += self.say("adjective", self.adjective.french(subject) if self.adjective else "")
        return [*words, *(self.place.french() if self.place else [])]


@dataclass(frozen=True, eq=False)
class Action(Predicate):
    """sleeps; does not look at the dog; saw the cat in the garden."""

    verb: Verb
    object: NounPhrase | None = None

    def english(self, subject: Agreement) -> list[Word]:
        """The words; a past is said by one word (saw) or, negated, by two (did … see)."""
        verb = self.verb
        if self.negated:  # "did" says the past, "do" nothing but that a "not" is coming
            words = (
                self.say("past", "did") if self.past else self.say("not", "do" if subject.plural else "does")
            )
            words += self.say("not", "not") + self.say("verb", verb.english)
        else:
            words = self.say("verb", verb.past if self.past else verb.present[subject.plural])
        words += self.say(self._link, verb.particle)
        return words + [word for part in (self.object, self.place) if part for word in part.english()]

    def french(self, subject: Agreement, *, earlier: Agreement = MASCULINE) -> list[Word]:
        """The words; `earlier`: of a direct object that has been said before: la voiture qu'il a vue."""
        verb = self.verb
        words = self._around(self._tensed(subject)) + (
            self._participle(subject, earlier) if self.past else []
        )
        words += self.say(self._link, verb.preposition)
        words += self.object.french(denied=self.negated and not verb.preposition) if self.object else []
        return [*words, *(self.place.french() if self.place else [])]

    @property
    def _link(self) -> str:
        """What joins verb and object: a part of its own where both languages have it (talks to, parle à)."""
        return "link" if self.verb.particle and self.verb.preposition else "verb"

    def _tensed(self, subject: Agreement) -> list[Word]:
        if not self.past:
            return self.say("verb", self.verb.french[subject.plural])
        auxiliary = lexicon.AUXILIARIES[self.verb.auxiliary][subject.plural]
        return self.say("past" if self.negated else "verb", auxiliary)

    def _participle(self, subject: Agreement, earlier: Agreement) -> list[Word]:
        """With être it agrees with the subject, with avoir with an object that stands before it."""
        participle = self.verb.participle
        agreement = subject if self.verb.auxiliary == "être" else earlier
        return self.say("verb", lexicon.agreeing(participle, participle + "e", agreement))


@dataclass(frozen=True, eq=False)
class Clause(Node):
    """the dog does not see the cat."""

    subject: NounPhrase | Both
    predicate: Being | Action

    def english(self) -> list[Word]:
        return [*self.subject.english(), *self.predicate.english(self.subject.agreement)]

    def french(self) -> list[Word]:
        return [*self.subject.french(), *self.predicate.french(self.subject.agreement)]


@dataclass(frozen=True, eq=False)
class SubjectRelative(Node):
    """[the dog] that sees the cat: the noun is the subject of its clause."""

    antecedent: Agreement
    predicate: Being | Action

    def english(self) -> list[Word]:
        return [*self.say("that", "that"), *self.predicate.english(self.antecedent)]

    def french(self) -> list[Word]:
        return [*self.say("that", "qui"), *self.predicate.french(self.antecedent)]


@dataclass(frozen=True, eq=False)
class ObjectRelative(Node):
    """[the cat] that the dog sees: the noun is the direct object of its clause."""

    antecedent: Agreement
    subject: NounPhrase
    action: Action

    def english(self) -> list[Word]:
        subject = self.subject.agreement
        return [*self.say("that", "that"), *self.subject.english(), *self.action.english(subject)]

    def french(self) -> list[Word]:
        action = self.action.french(self.subject.agreement, earlier=self.antecedent)
        return [*self.say("that", "que"), *self.subject.french(), *action]


@dataclass(frozen=True, eq=False)
class Joined(Node):
    """the dog sleeps because the man works."""

    first: Clause
    conjunction: str  # the English one
    second: "Clause | Joined"

    def english(self) -> list[Word]:
        return [*self.first.english(), *self.say("and", self.conjunction), *self.second.english()]

    def french(self) -> list[Word]:
        conjunction = self.say("and", lexicon.CONJUNCTIONS[self.conjunction])
        return [*self.first.french(), *conjunction, *self.second.french()]


ELIDED = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'", "que": "qu'"}
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


def written(words: list[Word]) -> list[Word]:
    """French words as they are written beside each other: l' homme, du roi, but de l' homme.

    A contracted word says what both its words say.
    """
    done: list[Word] = []  # from the end to the front: a word looks at what follows it
    for word in reversed(words):
        follower = done[-1] if done else Word(" ", frozenset())
        if word.text in ELIDED and lexicon.opens_with_vowel(follower.text):
            word = Word(ELIDED[word.text], word.says)
        elif (word.text, follower.text) in CONTRACTED:
            word = Word(CONTRACTED[word.text, done.pop().text], word.says | follower.says)
        done.append(word)
    return done[::-1]
