"""Pairs of sentences that belong together or do not: a task that a text sets by itself.

Devlin et al. 2019 ask BERT whether the second sentence follows the first in its document, or comes from
another one (next sentence prediction). That can often be told from the topic alone, so Lan et al. 2020 take
two sentences that follow each other, in the right order or the wrong one (sentence order prediction). Liu et
al. 2019 drop the task.

    [CLS] first sentence [SEP] second sentence [SEP]        segments 0 0 0 0 1 1 1

Left out: BERT's pairs of several sentences each; cutting a long one at either end by chance.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from vec2gpt.bert import FOLLOWS

MARKS = 3  # [CLS], and a [SEP] behind each sentence


class Pair(NamedTuple):
    """Two sentences, and whether the second belongs behind the first: FOLLOWS, 0, or OTHER, 1."""

    first: Any
    second: Any
    label: int


# ---- two tasks ----


def next_sentence(documents: Sequence[Sequence], generator: torch.Generator) -> list[Pair]:
    """A pair for every sentence but the last of each document; half of them go on elsewhere.

    documents: of sentences each, which may be strings or ids. Where the label is OTHER, the second sentence
    is a random one of another random document. A document of one sentence makes no pair, but may lend it.
    """
    places = _places(documents)
    if len(documents) < 2:
        raise ValueError(
            "one document has no other one to take a sentence from: give two or more, or ask for the order"
        )
    pairs = []
    for (d, s), label in zip(places, _coins(len(places), generator), strict=True):
        second = documents[d][s + 1] if label == FOLLOWS else _elsewhere(documents, d, generator)
        pairs.append(Pair(documents[d][s], second, label))
    return pairs


def sentence_order(documents: Sequence[Sequence], generator: torch.Generator) -> list[Pair]:
    """A pair for every sentence but the last of each document; half of them stand the other way round."""
    places = _places(documents)
    pairs = []
    for (d, s), label in zip(places, _coins(len(places), generator), strict=True):
        two = documents[d][s], documents[d][s + 1]
        pairs.append(Pair(*(two if label == FOLLOWS else reversed(two)), label))
    return pairs


def _places(documents):
    """(document, sentence) of every sentence that another one follows."""
    for d, sentences in enumerate(documents):
        if isinstance(sentences, str):
            raise ValueError(f"document {d} is a string: give a list of its sentences")
        if not all(len(sentence) for sentence in sentences) or not len(sentences):
            raise ValueError(f"document {d} is empty, or a sentence of it is: leave those out")
    places = [(d, s) for d, sentences in enumerate(documents) for s in range(len(sentences) - 1)]
    if not places:
        raise ValueError(
            f"none of the {len(documents)} documents has two sentences, so there is no pair: "
            "give longer ones, or cut them into sentences"
        )
    return places


def _coins(count, generator):
    """FOLLOWS or OTHER, each with a chance of one half."""
    return torch.randint(2, (count,), generator=generator).tolist()


def _elsewhere(documents, own, generator):
    """A random sentence of a random document, which is not the own one."""
    d = _below(len(documents) - 1, generator)
    other = documents[d + (d >= own)]
    return other[_below(len(other), generator)]


def _below(limit, generator):
    return torch.randint(limit, (), generator=generator).item()


# ---- as a model reads them ----


def packed(
    first: Sequence[int], second: Sequence[int], *, cls: int, sep: int, length: int
) -> tuple[list[int], list[int]]:
    """ids and segments of [CLS] first [SEP] second [SEP], at most `length` of each.

    first, second: ids. While both are too long together, the longer one loses its last token, the second
    where they are equally long.

    >>> packed([5, 6], [7, 8, 9], cls=1, sep=2, length=7)
    ([1, 5, 6, 2, 7, 8, 2], [0, 0, 0, 0, 1, 1, 1])
    """
    if not len(first) or not len(second):
        raise ValueError("a sentence has no tokens: give at least one of each")
    if length < MARKS + 2:
        raise ValueError(f"length is {length}: give {MARKS + 2} or more, for 3 marks and a token of each")
    first, second = shortened(first, second, room=length - MARKS)
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return [cls, *first, sep, *second, sep], segments


def shortened(first: Sequence[int], second: Sequence[int], *, room: int) -> tuple[Sequence, Sequence]:
    """The beginnings of both that fit in `room` together: the longer one is cut first.

    >>> shortened("abcdef", "xy", room=5), shortened("abcdef", "uvwxyz", room=5)
    (('abc', 'xy'), ('abc', 'uv'))
    """
    least = room // 2  # what the second may keep whatever the first has
    kept = min(len(first), max(room - least, room - len(second)))
    return first[:kept], second[: room - kept]
