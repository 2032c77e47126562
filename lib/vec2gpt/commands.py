"""A small command language: what a model that only goes on with texts can be taught to obey.

*Instruction tuning* (Wei et al. 2021, Sanh et al. 2021, Ouyang et al. 2022): tasks are written as commands in
plain words, each with a good answer, and a language model learns to go on from the one to the other. What it
is for are commands that it has never met. Here they are made, so that it is known what was met:

    Take thou: write it backwards.                              uoht
    Take love: leave out its vowels, then put it in capitals.   LV
    The hat is long. The rose is wild. What is the hat?         long
    Add 27 and 48.                                              75
    With the calculator, add 27 and 48.                         [27 & 48]

Held out of the training are words, one wording of every kind, some pairs of kinds, and whole kinds: `ASKED`
draws commands of each. A text is a command, a line break, the answer, a line break.

Left out: answers that are a matter of taste; chapter 13 goes on to those.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

END = "\n"  # of a command, and of an answer


class Command(NamedTuple):
    kind: str
    prompt: str  # without the line break
    answer: str  # likewise

    @property
    def text(self) -> str:
        """What a model reads: both, each with its line break."""
        return self.prompt + END + self.answer + END


class Act(NamedTuple):
    """What can be done to one word, and how one asks for it; the last wording is held out."""

    do: Callable[[str], str]
    wordings: tuple[str, ...]


ACTS = {
    "copy": Act(str, ("say it", "write it", "repeat it", "say it again")),
    "backwards": Act(
        lambda word: word[::-1],
        ("write it backwards", "turn it round", "reverse it", "say it backwards"),
    ),
    "twice": Act(
        lambda word: f"{word} {word}",
        ("write it twice", "double it", "repeat it twice", "say it twice"),
    ),
    "capitals": Act(
        str.upper,
        ("put it in capitals", "write it in capitals", "make it large", "say it in capitals"),
    ),
    "without vowels": Act(
        lambda word: "".join(letter for letter in word if letter not in "aeiouAEIOU"),
        ("leave out its vowels", "write it without vowels", "drop the vowels", "say it without vowels"),
    ),
    "apart": Act(
        "-".join,
        ("spell it", "write its letters apart", "put a hyphen between its letters", "say its letters apart"),
    ),
    "beheaded": Act(
        lambda word: word[1:],
        (
            "leave out its first letter",
            "write it without its first letter",
            "drop the first letter",
            "say it without its first letter",
        ),
    ),
    "first letter": Act(
        lambda word: word[0],
        ("write its first letter", "name its first letter", "give the first letter", "say its first letter"),
    ),
    "last letter": Act(
        lambda word: word[-1],
        ("write its last letter", "name its last letter", "give the last letter", "say its last letter"),
    ),
    "length": Act(
        lambda word: str(len(word)),
        ("count its letters", "write how long it is", "give its length", "say how long it is"),
    ),
    # never trained on: each is near to others that are
    "three times": Act(
        lambda word: f"{word} {word} {word}",
        ("write it three times", "repeat it three times", "say it three times"),
    ),
    "without the last letter": Act(
        lambda word: word[:-1],
        ("leave out its last letter", "write it without its last letter", "drop the last letter"),
    ),
    "second letter": Act(
        lambda word: word[1],
        ("write its second letter", "name its second letter", "give the second letter"),
    ),
}
NEW_ACTS = ("three times", "without the last letter", "second letter")
KNOWN_ACTS = tuple(name for name in ACTS if name not in NEW_ACTS)

# acts that leave a word, so that another can follow; each begins one pair that is held out, and ends one
LINKS = ("backwards", "twice", "capitals", "without vowels", "apart", "beheaded")
PAIRS = tuple((first, then) for first in LINKS for then in LINKS if first != then)
NEW_PAIRS = tuple((LINKS[k], LINKS[(k + 2) % len(LINKS)]) for k in range(len(LINKS)))
KNOWN_PAIRS = tuple(pair for pair in PAIRS if pair not in NEW_PAIRS)

# ---- one command of each kind ----


def act(kind: str, words: Sequence[str], dice: Random, *, new_wording: bool = False) -> Command:
    """Something done to one word."""
    word, [do, wordings] = dice.choice(words), ACTS[kind]
    return Command(kind, f"Take {word}: {_wording(kind, wordings, dice, new_wording)}.", do(word))


def pair(kinds: tuple[str, str], words: Sequence[str], dice: Random) -> Command:
    """Two things done to one word, one after the other."""
    word = dice.choice(words)
    first, then = (ACTS[kind] for kind in kinds)
    asked = [_wording(kind, ACTS[kind].wordings, dice, False) for kind in kinds]
    return Command(", then ".join(kinds), f"Take {word}: {', then '.join(asked)}.", then.do(first.do(word)))


def swap(words: Sequence[str], dice: Random) -> Command:
    one, other = dice.sample(words, 2)
    return Command("swap", f"Take {one} and {other}: change their order.", f"{other} {one}")


def look_up(words: Sequence[str], dice: Random) -> Command:
    """What a note says, two facts or three: the answer is in the prompt."""
    facts = list(zip(*[iter(dice.sample(words, 2 * dice.choice((2, 3))))] * 2, strict=True))
    return Command("look up", *_asked_of(facts, dice.choice(facts)))


def add(words: Sequence[str], dice: Random) -> Command:
    one, other = _numbers(dice)
    return Command("add", f"Add {one} and {other}.", str(one + other))


def call(words: Sequence[str], dice: Random) -> Command:
    """The same with a tool: the answer is what a calculator is to be given."""
    one, other = _numbers(dice)
    return Command("call", f"With the calculator, add {one} and {other}.", f"[{one} & {other}]")


def note(facts: Sequence[tuple[str, str]], thing: str) -> str:
    """A prompt that tells facts, pairs of a thing and what it is, and asks for one thing."""
    return _asked_of(facts, (thing, ""))[0]


def _asked_of(facts, fact):
    told = " ".join(f"The {thing} is {quality}." for thing, quality in facts)
    return f"{told} What is the {fact[0]}?", fact[1]


def _numbers(dice):
    return dice.randint(10, 99), dice.randint(10, 99)


def _wording(kind, wordings, dice, new):
    if kind in NEW_ACTS:
        return dice.choice(wordings)
    return wordings[-1] if new else dice.choice(wordings[:-1])


# ---- what is trained on, and what is asked ----

Draw = Callable[[Sequence[str], Random], Command]  # a command about some of these words

PAIRED = tuple(partial(pair, kinds) for kinds in KNOWN_PAIRS)
SINGLE = (*(partial(act, kind) for kind in KNOWN_ACTS), swap, look_up, add, call)
ASKED: dict[str, tuple[Draw, ...]] = {  # always about words that are in no training command
    "known": SINGLE,
    "new wordings": tuple(partial(act, kind, new_wording=True) for kind in KNOWN_ACTS),
    "known pairs": PAIRED,
    "new pairs": tuple(partial(pair, kinds) for kinds in NEW_PAIRS),
    "new kinds": tuple(partial(act, kind) for kind in NEW_ACTS),
}


def commands(draws: Sequence[Draw], words: Sequence[str], count: int, *, seed: int) -> list[Command]:
    """So many commands about these words, the kinds in turn, so that each is asked as often.

    >>> commands([partial(act, "backwards")], ["thou"] * 6, 1, seed=0)[0].answer
    'uoht'

    ValueError for no kinds, for fewer than 6 words (a note takes so many), for a count below 1.
    """
    if not draws:
        raise ValueError("there is no kind of command to draw: give one or more, such as SINGLE")
    if count < 1:
        raise ValueError(f"count is {count}: ask for at least 1")
    if len(words) < 6:
        raise ValueError(f"{len(words)} words: give at least 6, for a note takes so many")
    dice = Random(seed)
    return [draws[k % len(draws)](words, dice) for k in range(count)]
