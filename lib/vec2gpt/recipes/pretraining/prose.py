"""The prose that chapters 9 and 10 learn from: an encyclopedia's pages and a newspaper's stories.

What was collected is no text to learn from yet. It goes through the steps that the texts of large models
go through: lines that are sentences, documents that are proper ones, each of them once, nobody's address in
them. Then it is split by document, and what training shares with the rest is taken out of it. At the end it
is cut into subwords, and into passages.
"""

import hashlib
from collections.abc import Callable
from functools import cache

from torch import Tensor

from vec2gpt import corpora, passages, personal_data
from vec2gpt.bpe import BPE
from vec2gpt.cleaning import (
    Stage,
    exact_duplicates,
    leakage,
    sentences_only,
    stage,
    text_lines,
    why_not,
    without_repeated_lines,
)
from vec2gpt.minhash import copies, near_duplicates
from vec2gpt.splits import Split

MARKS = "[PAD]", "[CLS]", "[SEP]", "[MASK]"  # the first is what fills a passage
VOCABULARY = 3000
DATA = corpora.corpus("word-benchmarks").sha256  # of the package that ships both


def collected() -> list[str]:
    """Every page, redirects and lists among them, and every story."""
    return [*(text for _, text in corpora.encyclopedia_pages()), *corpora.news()]


def _once(texts: list[str]) -> list[str]:
    return _without(texts, exact_duplicates(texts))


def _not_nearly(texts: list[str]) -> list[str]:
    return _without(texts, copies(near_duplicates(texts)))


def _without(texts: list[str], places) -> list[str]:
    return [text for place, text in enumerate(texts) if place not in places]


STEPS: dict[str, Callable[[list[str]], list[str]]] = {
    "lines that are sentences": lambda texts: [sentences_only(text) for text in texts],
    "documents of quality": lambda texts: [text for text in texts if not why_not(text)],
    "each document once": _once,
    "no near copies": _not_nearly,
    "each line once": without_repeated_lines,
    "no personal data": lambda texts: [personal_data.remove(text)[0] for text in texts],
}


@cache
def _left() -> dict[str, list[str]]:
    """The texts after each step, by its name."""
    left = {"collected": collected()}
    for name, step in STEPS.items():
        left[name] = step(list(left.values())[-1])
    return left


def stages() -> list[Stage]:
    """What is left after each step, from what was collected to what is trained on."""
    counted = [stage(name, texts) for name, texts in _left().items()]
    return [*counted, stage("split: to train on", _parts().train), stage("no leaks", split().train)]


@cache
def split() -> Split:
    """Whole documents, by the hash of their text: 90% to train on, without any line that the others know."""
    parts = _parts()
    return parts._replace(train=unknown(parts.train, [*parts.validation, *parts.test]))


def _parts() -> Split:
    parts = Split([], [], [])
    *_, cleaned = _left().values()
    for text in filter(None, cleaned):
        parts.part_of(text).append(text)
    return parts


def unknown(texts: list[str], known: list[str]) -> list[str]:
    """The texts without the lines that share a run of 13 words with what is known."""
    lines = [text_lines(text) for text in texts]
    shared = iter(leakage(known, [line for text in lines for line in text]))
    kept = ("\n".join(line for line in text if not next(shared)) for text in lines)
    return [text for text in kept if text]


def digest() -> str:
    """sha256 of the three parts: the cleaning decides every figure."""
    return hashlib.sha256("\0".join(text for part in split() for text in part).encode()).hexdigest()


@cache
def tokens() -> BPE:
    """3,000 subwords of the training part, the marks among them."""
    return BPE.train(split().train, size=VOCABULARY, specials=MARKS)


def rows(part: str, *, length: int) -> Tensor:
    """A part ("train", "validation" or "test") as passages of so many tokens, (N, T)."""
    return passages.passages(getattr(split(), part), tokens(), length=length)
