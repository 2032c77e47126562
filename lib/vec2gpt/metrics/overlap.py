"""Judging by overlap: how much of what was said stands in what people said, wherever it stands.

A sentence has many good translations, so its words cannot be expected in their places. BLEU (Papineni et al.,
2002) counts how many of its n-grams occur in a reference, ROUGE (Lin, 2004) asks the same of summaries, in
both directions, and chrF (Popović, 2015) of characters, so that a wrong ending does not cost the whole word.
The error rate of alignments (Och & Ney, 2003) compares sets of links between words.

They are equal to the field's packages, sacrebleu and rouge-score, and in their units. Left out: what those
do before, cutting a text into tokens; ROUGE's stemming, and its sentence-wise variant, ROUGE-Lsum; chrF++.
None of them knows what a word means: "big" for "large" is as wrong as "small".
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial, reduce
from operator import or_
from typing import NamedTuple

from vec2gpt.metrics.edits import Tokens, check_corpus


class Match(NamedTuple):
    """How many n-grams were found, of how many."""

    found: int
    total: int


def ngram_counts(tokens: Tokens, n: int) -> Counter:
    """How often each run of n tokens occurs.

    >>> ngram_counts("banana", 2)
    Counter({('a', 'n'): 2, ('n', 'a'): 2, ('b', 'a'): 1})
    """
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))


# ---- BLEU: n-gram precision ----

LONGEST = 4  # BLEU counts n-grams of 1 to 4 tokens


def clipped_matches(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> list[Match]:
    """BLEU's modified precisions, for n = 1 … 4: of all n-grams said, those that also stand in a reference.

    An n-gram counts at most as often as in the reference that has most of it, so that "the the the" is not
    right three times. ValueError as in `edits.check_corpus`.

    >>> clipped_matches([["the", "the", "the", "cat"]], [[["the", "cat", "is", "on", "the", "mat"]]])
    [Match(found=3, total=4), Match(found=1, total=3), Match(found=0, total=2), Match(found=0, total=1)]
    """
    check_corpus(hypotheses, references)
    return [_clipped(hypotheses, references, n) for n in range(1, LONGEST + 1)]


def _clipped(hypotheses, references, n):
    found = total = 0
    for hypothesis, listed in zip(hypotheses, references, strict=True):
        said = ngram_counts(hypothesis, n)
        allowed = reduce(or_, (ngram_counts(reference, n) for reference in listed))  # the most of each
        found += (said & allowed).total()  # the least of each
        total += said.total()
    return Match(found, total)


def brevity_penalty(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """BLEU's substitute for recall: 1, or where less was said than is meant, e^(1 − r / c).

    c tokens were said in all; r are meant, of each sentence's references the one whose length is closest, the
    shorter of two. ValueError as in `edits.check_corpus`.

    >>> round(brevity_penalty([["la", "voiture"]], [[["la", "voiture", "bleue"]]]), 4)  # e^(1 − 3/2)
    0.6065
    """
    check_corpus(hypotheses, references)
    said, meant = sum(map(len, hypotheses)), 0
    for hypothesis, listed in zip(hypotheses, references, strict=True):
        meant += min(map(len, listed), key=lambda length: (abs(length - len(hypothesis)), length))
    if said >= meant:
        return 1.0
    return math.exp(1 - meant / said) if said else 0.0


def bleu(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """BLEU of a corpus, 0 to 100: the geometric mean of the `clipped_matches`, times the `brevity_penalty`.

    Give for each hypothesis its list of references. Where no n-gram of a length is found, the first such
    length counts as half of one, the next as a quarter: sacrebleu's default. It is 0 where nothing said is as
    long as 4 tokens. ValueError as in `edits.check_corpus`.

    >>> said, meant = "la voiture bleue est grande".split(), "la voiture bleue est petite".split()
    >>> round(bleu([said], [[meant]]), 2)  # 4/5 · 3/4 · 2/3 · 1/2 = 1/5, whose fourth root is 0.6687
    66.87
    """
    matches = clipped_matches(hypotheses, references)
    if not all(match.total for match in matches):
        return 0.0
    return 100 * brevity_penalty(hypotheses, references) * _geometric_mean(matches)


def sentence_bleu(hypothesis: Tokens, references: Sequence[Tokens]) -> float:
    """BLEU of one sentence, 0 to 100: as `bleu`, but of a sentence of 3 tokens, n-grams up to 3.

    BLEU was made for a corpus, and on one sentence it is rough. ValueError as in `edits.check_corpus`.

    >>> round(sentence_bleu(["la", "voiture", "rouge"], [["la", "voiture", "bleue"]]), 2)  # 2/3 · 1/2 · ½/1
    55.03
    """
    matches = [match for match in clipped_matches([hypothesis], [references]) if match.total]
    return 100 * brevity_penalty([hypothesis], [references]) * _geometric_mean(matches)


def _geometric_mean(matches):
    """Of the precisions, smoothed; 0 where not one token is right."""
    if not any(match.found for match in matches):
        return 0.0
    product, smoothed = 1.0, 1.0
    for found, total in matches:
        if not found:
            smoothed /= 2
        product *= (found or smoothed) / total
    return product ** (1 / len(matches))


# ---- ROUGE: n-grams and subsequences, in both directions ----


class Rouge(NamedTuple):
    """From 0 to 1: how much of what was said is meant, how much of what is meant was said, and both."""

    precision: float
    recall: float
    f1: float


def rouge(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> dict[str, Rouge]:
    """ROUGE-1 and ROUGE-2, of n-grams, and ROUGE-L, of the longest common subsequence, each 0 to 1.

    Give for each hypothesis its list of references: the one with the best F1 counts, for each measure its
    own. Returned is the mean over all hypotheses. ValueError as in `edits.check_corpus`.

    >>> scores = rouge([["the", "car", "is", "blue"]], [[["the", "blue", "car"]]])
    >>> scores["rouge1"]  # 3 of 4, 3 of 3
    Rouge(precision=0.75, recall=1.0, f1=0.8571428571428571)
    >>> scores["rougeL"]  # "the car": 2 of 4, 2 of 3
    Rouge(precision=0.5, recall=0.6666666666666666, f1=0.5714285714285715)
    """
    check_corpus(hypotheses, references)
    means = {}
    for name, measure in _ROUGE.items():
        best = [
            max((measure(hypothesis, reference) for reference in listed), key=lambda score: score.f1)
            for hypothesis, listed in zip(hypotheses, references, strict=True)
        ]
        means[name] = Rouge(*(sum(column) / len(best) for column in zip(*best, strict=True)))
    return means


def longest_common_subsequence(first: Tokens, second: Tokens) -> int:
    """How many tokens both have in the same order, with any others between them.

    >>> longest_common_subsequence("chocolate", "hot")
    3
    """
    above = [0] * (len(second) + 1)
    for x in first:
        row = [0]
        for j, y in enumerate(second):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
        above = row
    return above[-1]


def _rouge_n(hypothesis, reference, *, n):
    said, meant = ngram_counts(hypothesis, n), ngram_counts(reference, n)
    return _rouge((said & meant).total(), said.total(), meant.total())


def _rouge_l(hypothesis, reference):
    return _rouge(longest_common_subsequence(hypothesis, reference), len(hypothesis), len(reference))


def _rouge(found, said, meant):
    precision, recall = found / max(said, 1), found / max(meant, 1)
    return Rouge(precision, recall, 2 * precision * recall / (precision + recall) if found else 0.0)


_ROUGE = {"rouge1": partial(_rouge_n, n=1), "rouge2": partial(_rouge_n, n=2), "rougeL": _rouge_l}


# ---- chrF: characters ----


def chrf(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """chrF of a corpus of strings, 0 to 100: F2 of n-grams of 1 to 6 characters, spaces left out.

    Precision and recall are the means over n of those of each length; F2 weighs recall four times as much.
    Give for each hypothesis its list of references: the nearest counts. The counts of all are summed before
    they are divided. ValueError as in `edits.check_corpus`.

    >>> round(chrf(["abc"], [["abd"]]), 2)  # (2/3 + 1/2 + 0/1) / 3, there and back
    38.89
    """
    check_corpus(hypotheses, references, kinds=str, wanted="a string")
    nearest = [
        max((_character_counts(hypothesis, reference) for reference in listed), key=_f2)
        for hypothesis, listed in zip(hypotheses, references, strict=True)
    ]
    lengths = zip(*nearest, strict=True)  # for each n, the counts of all sentences
    return _f2([tuple(map(sum, zip(*counts, strict=True))) for counts in lengths])


def _character_counts(hypothesis, reference):
    """For n = 1 … 6: how many n-grams both have, how many were said, how many are meant."""
    hypothesis, reference = "".join(hypothesis.split()), "".join(reference.split())
    counts = []
    for n in range(1, 7):
        said, meant = ngram_counts(hypothesis, n), ngram_counts(reference, n)
        # a reference shorter than n cannot judge n-grams
        counts.append(((said & meant).total(), said.total() if meant else 0, meant.total()))
    return counts


def _f2(counts):
    judged = [(found / said, found / meant) for found, said, meant in counts if said and meant]
    if not any(precision for precision, _ in judged):
        return 0.0
    precision, recall = (sum(column) / len(judged) for column in zip(*judged, strict=True))
    return 100 * (5 * precision * recall / (4 * precision + recall))


# ---- alignments: links ----


def alignment_error_rate(found: Iterable, sure: Iterable, possible: Iterable = ()) -> float:
    """1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|): 0 when every sure link is found, and no impossible one.

    found: the links A, each a tuple (source, target) of places. sure: the links S that people agree on.
    possible: the others that some would draw; P is these and the sure ones. For a corpus, put the number of
    the sentence in front, (sentence, source, target), and give all links at once. ValueError where no link is
    sure, or one is no tuple.

    >>> sure = {(0, 0), (1, 2), (2, 1)}  # the blue car, la voiture bleue
    >>> round(alignment_error_rate({(0, 0), (1, 1), (2, 2)}, sure), 4)  # 1 − (1 + 1) / 6
    0.6667
    """
    found, sure = _links("found", found), _links("sure", sure)
    possible = _links("possible", possible) | sure
    if not sure:
        raise ValueError("sure is empty: there is no link to be found; give at least one")
    return 1 - (len(found & sure) + len(found & possible)) / (len(found) + len(sure))


def _links(name, links):
    links = list(links)
    for link in links:
        if not isinstance(link, tuple):
            raise ValueError(f"{name} hold {link!r}: a link is a tuple of places, (source, target)")
    return set(links)
