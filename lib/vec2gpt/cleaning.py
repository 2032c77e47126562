"""From what was collected to what is learnt from: rules of quality, exact copies, leaks into the test.

The web has more text than anybody can train on, and most of it is menus, lists, repetitions and copies. Rules
that need no model throw out the worst. Those here follow C4 (Raffel and others, 2020), which kept lines that
look like sentences, and MassiveText (Rae and others, 2021, "Gopher"), which judged documents by a few counts.
What is there twice is learnt twice, and is then recited (Lee and others, 2022). What stands both in the test
and in the training text makes a test of memory: Brown and others (2020) looked for shared runs of 13 words.

The rules are made for English. A text in another language breaks several of them, which is a decision and no
accident: look at what a filter throws away before you trust it.

Left out: telling languages apart, filters that are themselves trained models, lists of bad words. Near copies
are found in `vec2gpt.minhash`, personal data in `vec2gpt.personal_data`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from vec2gpt.checks import check_texts

# --------------------------------------------------------------------------------------------------- counting

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # Japanese and Chinese put no spaces between words
WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


class Stage(NamedTuple):
    """What is left after one step of a pipeline."""

    name: str
    documents: int
    words: int


def stage(name: str, texts: Iterable[str]) -> Stage:
    """Counts the texts that say something, and their words, as they stand between spaces.

    >>> stage("collected", ["To be or not.", "", "That is all."])
    Stage(name='collected', documents=2, words=7)
    """
    check_texts(texts)
    lengths = [len(text.split()) for text in texts]
    return Stage(name, sum(length > 0 for length in lengths), sum(lengths))


def terms(text: str) -> list[str]:
    """What copies are compared by: words and numbers in lower case; in Chinese and Japanese each character.

    Where there is no word at all (":-)"), whatever stands between spaces: it too can be a copy.

    >>> terms("It's ＨＡＬＦ past 10!")
    ['it', 's', 'half', 'past', '10']
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return WORD.findall(plain) or plain.split()


# ---------------------------------------------------------------------------------------------------- quality

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})  # Gopher's eight
ENDS = tuple(".!?\"'”’。！？…")  # how a sentence ends, and what may close it


class Quality(NamedTuple):
    """What the rules look at. Shares are between 0 and 1, and 0 where there is nothing to share."""

    words: int  # between spaces
    word_length: float  # characters, on average
    wordlike: float  # share of words with a letter in them
    stop_words: int  # how many different ones of Gopher's eight
    symbols: float  # signs like # { } | < > and … per word
    bullets: float  # share of lines that begin with a bullet or a number
    unfinished: float  # share of words on lines that do not end as a sentence does
    repeated: float  # share of lines that have stood there before


def quality(text: str) -> Quality:
    """Counts what the rules look at; for a text without words all is 0.

    >>> quality("The cat sat on the mat.\\nThe cat sat on the mat.").repeated
    0.5
    """
    words, lines = text.split(), text_lines(text)
    tails = [line for line in lines if not line.endswith(ENDS)]
    return Quality(
        words=len(words),
        word_length=_share(map(len, words), words),
        wordlike=_share((any(map(str.isalpha, word)) for word in words), words),
        stop_words=len(STOP_WORDS & set(terms(text))),
        symbols=_share([len(re.findall(r"[#{}|<>\\^~=•…]|\.\.\.", text))], words),
        bullets=_share((bool(re.match(r"[-*•–·‣▪]|\d+[.)] ", line)) for line in lines), lines),
        unfinished=_share((len(line.split()) for line in tails), words),
        repeated=_share([len(lines) - len(set(lines))], lines),
    )


def text_lines(text: str) -> list[str]:
    """The lines of a text that are not empty, without the spaces around them."""
    return [line for line in map(str.strip, text.splitlines()) if line]


def _share(counts: Iterable[float], whole: Sequence) -> float:
    return sum(counts) / len(whole) if whole else 0.0


def too_few_words(seen: Quality) -> bool:
    """Below 50 (Gopher): a redirect, a stub, a caption."""
    return seen.words < 50


def too_many_words(seen: Quality) -> bool:
    """Above 100,000 (Gopher): a dump of a database rather than a text."""
    return seen.words > 100_000


def odd_word_length(seen: Quality) -> bool:
    """The mean is not 3 to 10 characters (Gopher): codes, tables, or a script without spaces."""
    return not 3 <= seen.word_length <= 10


def few_letters(seen: Quality) -> bool:
    """Fewer than 80% of the words have a letter (Gopher): prices, scores, telephone lists."""
    return seen.wordlike < 0.8


def few_stop_words(seen: Quality) -> bool:
    """Fewer than two of the, be, to, of, and, that, have, with (Gopher): key words, or not English."""
    return seen.stop_words < 2


def many_symbols(seen: Quality) -> bool:
    """More than one sign in ten words (Gopher, of # and … alone): code, mark-up, hash tags."""
    return seen.symbols > 0.1


def mostly_bullets(seen: Quality) -> bool:
    """More than 90% of the lines are points of a list (Gopher)."""
    return seen.bullets > 0.9


def mostly_unfinished(seen: Quality) -> bool:
    """More than half of the words stand on lines that do not end like a sentence (after C4): a list."""
    return seen.unfinished > 0.5


def repeated_lines(seen: Quality) -> bool:
    """More than 30% of the lines have stood there before (Gopher)."""
    return seen.repeated > 0.3


Rule = Callable[[Quality], bool]
RULES: dict[str, Rule] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        *(too_few_words, too_many_words, odd_word_length, few_letters, few_stop_words),
        *(many_symbols, mostly_bullets, mostly_unfinished, repeated_lines),
    )
}


def why_not(text: str) -> list[str]:
    """The names of the rules that a text breaks, in the order of `RULES`; a text to keep breaks none.

    >>> why_not("Menu | Home | Contact")
    ['too few words', 'few letters', 'few stop words', 'many symbols', 'mostly unfinished']
    """
    seen = quality(text)
    return [name for name, broken in RULES.items() if broken(seen)]


def sentences_only(text: str, *, words: int = 5) -> str:
    """The lines of at least so many words that end like a sentence (C4): headings, menus and lists go.

    >>> sentences_only("History\\nThe town grew fast in those years.\\nSee also\\nRome")
    'The town grew fast in those years.'
    """
    kept = [line for line in text_lines(text) if line.endswith(ENDS) and len(line.split()) >= words]
    return "\n".join(kept)


# ----------------------------------------------------------------------------------------------------- copies


def exact_duplicates(texts: Sequence[str]) -> dict[int, int]:
    """Index of each text that was there before → index of its first copy. Equal means: the same `terms`.

    Empty texts are nobody's copies.

    >>> exact_duplicates(["To be.", "Or not?", "to  be"])
    {2: 0}
    """
    check_texts(texts)
    first: dict[tuple[str, ...], int] = {}
    met = ((index, first.setdefault(tuple(terms(text)), index)) for index, text in enumerate(texts))
    return {index: before for index, before in met if before != index and terms(texts[index])}


def without_repeated_lines(texts: Iterable[str], *, words: int = 5) -> list[str]:
    """The texts without the lines that stood before, in the same text or in an earlier one.

    A line is a paragraph here. One of fewer words (a heading, "Yes.") may stand in many texts and stays. A
    text of which nothing is left becomes "".
    """
    check_texts(texts)
    met: set[tuple[str, ...]] = set()
    return ["\n".join(_new_lines(text, met, words)) for text in texts]


def _new_lines(text: str, met: set[tuple[str, ...]], words: int) -> Iterator[str]:
    for line in text_lines(text):
        key = tuple(terms(line))
        if len(key) < words or key not in met:
            yield line
        met.add(key)


# ---------------------------------------------------------------------------------------------------- leakage


def leakage(train: Iterable[str], test: Sequence[str], *, n: int = 13) -> list[float]:
    """For each text of the test the share of its runs of n terms that stand in the training text.

    1: all of it was there to be learnt. 0: no run was. A text of fewer than n terms is compared whole, so
    that it does not pass as clean for being short; an empty one has nothing that could leak, and gives 0.

    >>> leakage(["A rose is a rose."], ["rose is a", "Rose is red"], n=3)
    [1.0, 0.0]
    """
    check_texts(train, name="train")
    check_texts(test, name="test")
    if n < 1:
        raise ValueError(f"n is {n}, but a run has at least 1 term: give 13, or fewer for stricter")
    asked = [list(_runs(found := terms(text), min(n, len(found)))) for text in test]
    wanted = {run for runs in asked for run in runs}
    lengths = sorted({len(run) for run in wanted})
    seen: set[tuple[str, ...]] = set()
    for text in train:  # read once, whatever its size: only what the test asks for is remembered
        found = terms(text)
        seen.update(run for length in lengths for run in _runs(found, length) if run in wanted)
    return [_share((run in seen for run in runs), runs) for runs in asked]


def _runs(found: list[str], length: int) -> Iterator[tuple[str, ...]]:
    """All runs of so many terms; of an empty text none."""
    return zip(*(islice(found, start, None) for start in range(length)), strict=False)
