"""Judging by edits: how many tokens must be changed until what was said is what was meant.

Levenshtein, 1966. Two words or sentences of unequal length cannot be compared place by place: one token too
many at the front, and every later one would count as wrong. The edit distance finds the pairing that needs
the fewest changes. Speech recognition counts its errors with it, and so do models that pronounce.

Left out: swapping two neighbours as one edit (Damerau), and edits of unequal cost: "d" for "t" is as wrong
here as "d" for "a".
"""

import reprlib
from collections.abc import Sequence
from typing import NamedTuple

Tokens = Sequence[str]


class Edit(NamedTuple):
    """One column of an alignment: the token that was said and the one that was meant; None for neither."""

    said: str | None
    meant: str | None

    @property
    def kind(self) -> str:
        """One of "match", "substitution", "insertion" (said, not meant) and "deletion" (meant, not said)."""
        if self.said == self.meant:
            return "match"
        if self.meant is None:
            return "insertion"
        return "deletion" if self.said is None else "substitution"


def edit_table(hypothesis: Tokens, reference: Tokens) -> list[list[int]]:
    """The edits between all beginnings: `table[i][j]` from the first i tokens said to the first j meant.

    >>> for row in edit_table("AB", "ACB"):
    ...     print(row)
    [0, 1, 2, 3]
    [1, 0, 1, 2]
    [2, 1, 1, 1]
    """
    _check_sequence("hypothesis", hypothesis)
    _check_sequence("reference", reference)
    table = [list(range(len(reference) + 1))]  # nothing was said: each token meant is missing
    for i, said in enumerate(hypothesis):
        above, row = table[i], [i + 1]
        for j, meant in enumerate(reference):
            row.append(min(above[j] + (said != meant), above[j + 1] + 1, row[j] + 1))
        table.append(row)
    return table


def edit_distance(hypothesis: Tokens, reference: Tokens) -> int:
    """The fewest tokens to substitute, insert or delete that turn one list of tokens into the other.

    A string is a list of its letters. ValueError for what is no list.

    >>> edit_distance("kitten", "sitting")  # s for k, i for e, g at the end
    3
    """
    return edit_table(hypothesis, reference)[-1][-1]


def shortest_edits(hypothesis: Tokens, reference: Tokens) -> list[Edit]:
    """The edits of which `edit_distance` counts those that are no match, from left to right.

    Often several ways are equally short; of these the one that is found from the end, pairing if it can.

    >>> [edit.kind for edit in shortest_edits(["R", "EH", "D"], ["B", "R", "EH", "T"])]
    ['deletion', 'match', 'match', 'substitution']
    """
    table, found = edit_table(hypothesis, reference), []
    i, j = len(hypothesis), len(reference)
    while i or j:
        here = table[i][j]
        if i and j and here == table[i - 1][j - 1] + (hypothesis[i - 1] != reference[j - 1]):
            i, j = i - 1, j - 1
            found.append(Edit(hypothesis[i], reference[j]))
        elif i and here == table[i - 1][j] + 1:
            i -= 1
            found.append(Edit(hypothesis[i], None))
        else:
            j -= 1
            found.append(Edit(None, reference[j]))
    return found[::-1]


def token_error_rate(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Edits for each token meant: 0 for all right; above 1 where much is said that was not meant.

    For each hypothesis there is a list of references, any of which would do; the nearest counts, the shortest
    of those equally near. All edits are summed before they are divided by the length of all these references.
    Over phonemes it is the phoneme error rate; over the words of spoken sentences, what speech recognition
    calls its word error rate. ValueError as in `check_corpus`.

    >>> said = [["R", "EH", "T"], ["K", "AE", "T"]]
    >>> listed = [[["R", "IY", "D"], ["R", "EH", "D"]], [["K", "AE", "T"]]]  # read, cat
    >>> round(token_error_rate(said, listed), 4)  # 1 / 6
    0.1667
    """
    check_corpus(hypotheses, references)
    nearest = [
        min((edit_distance(hypothesis, reference), len(reference)) for reference in listed)
        for hypothesis, listed in zip(hypotheses, references, strict=True)
    ]
    return sum(distance for distance, _ in nearest) / sum(length for _, length in nearest)


phoneme_error_rate = token_error_rate  # by its usual name, where the tokens are phonemes


def word_error_rate(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """The share of words, each a list of phonemes, said in none of the listed ways.

    This is the word error rate of models that pronounce. That of speech recognition counts the words edited
    in a sentence instead: `token_error_rate` over words. ValueError as in `check_corpus`.

    >>> said = [["R", "EH", "T"], ["K", "AE", "T"]]
    >>> listed = [[["R", "IY", "D"], ["R", "EH", "D"]], [["K", "AE", "T"]]]  # read, cat
    >>> word_error_rate(said, listed)
    0.5
    """
    check_corpus(hypotheses, references)
    wrong = [
        list(hypothesis) not in map(list, listed)
        for hypothesis, listed in zip(hypotheses, references, strict=True)
    ]
    return sum(wrong) / len(wrong)


# ---- what a reader can get wrong ----


def check_corpus(hypotheses, references, *, kinds=(list, tuple), wanted="a list of tokens"):
    """Raise ValueError unless there are hypotheses, and for each a list of references that are not empty.

    A hypothesis may be empty: a model may say nothing. `kinds` are the types that a text may have, and
    `wanted` says so.
    """
    for name, texts in (("hypotheses", hypotheses), ("references", references)):
        if not isinstance(texts, list | tuple):
            raise ValueError(f"{name} are {type(texts).__name__}, not a list with an entry for each sentence")
    if not hypotheses:
        raise ValueError("hypotheses are empty: there is nothing to judge; give at least one")
    if len(hypotheses) != len(references):
        raise ValueError(
            f"{len(hypotheses)} hypotheses, but references for {len(references)}: give as many of each"
        )
    for place, (hypothesis, listed) in enumerate(zip(hypotheses, references, strict=True)):
        _check_text(f"hypotheses[{place}]", hypothesis, kinds, wanted)
        if not isinstance(listed, list | tuple) or not listed:
            raise ValueError(
                f"references[{place}] is {reprlib.repr(listed)}: give a list of one reference or more"
            )
        for number, reference in enumerate(listed):
            _check_text(f"references[{place}][{number}]", reference, kinds, wanted)
            if not (reference.strip() if isinstance(reference, str) else reference):
                raise ValueError(f"references[{place}][{number}] is empty: there is nothing to compare with")


def _check_text(name, text, kinds, wanted):
    if not isinstance(text, kinds):
        raise ValueError(
            f"{name} is {reprlib.repr(text)}, not {wanted}: "
            "each hypothesis is one, and has a list of references"
        )


def _check_sequence(name, tokens):
    if not isinstance(tokens, list | tuple | str):
        raise ValueError(f"{name} is {type(tokens).__name__}, not a list of tokens or a string")
