"""metrics.edits beside the recursion that defines the distance, its properties, and hand-worked numbers."""

import doctest
import random
from functools import cache

import pytest
import torch

from vec2gpt.metrics import edits
from vec2gpt.metrics.edits import (
    edit_distance,
    edit_table,
    phoneme_error_rate,
    shortest_edits,
    token_error_rate,
    word_error_rate,
)


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(edits)
    assert (failed, tried > 0) == (0, True)


def lists(count, *, longest=7, kinds="abc", seed=0):
    """Short lists of few different tokens, so that many are equal or nearly so; some are empty."""
    choose = random.Random(seed)
    return [choose.choices(kinds, k=choose.randrange(longest + 1)) for _ in range(count)]


# ---- the distance ----


@cache
def by_definition(first, second):
    if not first or not second:
        return len(first) + len(second)
    if first[0] == second[0]:
        return by_definition(first[1:], second[1:])
    substitute = by_definition(first[1:], second[1:])
    return 1 + min(substitute, by_definition(first[1:], second), by_definition(first, second[1:]))


def test_the_distance_is_that_of_the_recursion():
    words = lists(40)
    assert [] in words
    for first in words:
        for second in words:
            assert edit_distance(first, second) == by_definition(tuple(first), tuple(second))


def test_the_distance_is_a_metric():
    words = lists(16, seed=1)
    for a in words:
        for b in words:
            assert (edit_distance(a, b) == 0) == (a == b)
            assert edit_distance(a, b) == edit_distance(b, a)
            assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
            for c in words:
                assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("intention", "execution", 5),
        ("saturday", "sunday", 3),
        ("", "abc", 3),
        ("", "", 0),
        ("été", "ete", 2),
    ],
)
def test_distances_known_from_textbooks(first, second, distance):
    assert edit_distance(first, second) == distance
    assert edit_distance(list(first), tuple(second)) == distance


def test_a_token_too_many_at_the_front_is_one_edit():
    """Place by place, every token of this pair differs."""
    assert edit_distance(["AH", *"KAETS"], list("KAETS")) == 1


def test_the_table_holds_the_distances_of_all_beginnings():
    first, second = "kitten", "sitting"
    table = edit_table(first, second)
    assert (len(table), len(table[0])) == (7, 8)
    for i in range(7):
        for j in range(8):
            assert table[i][j] == edit_distance(first[:i], second[:j])


# ---- which edits ----


def test_the_edits_turn_the_one_into_the_other_and_are_as_few_as_can_be():
    words = lists(30, seed=2)
    for said in words:
        for meant in words:
            found = shortest_edits(said, meant)
            assert [edit.said for edit in found if edit.kind != "deletion"] == said
            assert [edit.meant for edit in found if edit.kind != "insertion"] == meant
            assert sum(edit.kind != "match" for edit in found) == edit_distance(said, meant)
            assert all((edit.kind == "match") == (edit.said == edit.meant) for edit in found)


def test_the_edits_of_a_pronunciation():
    found = shortest_edits(["K", "N", "AY", "T"], ["N", "AY", "T", "S"])  # "knights", spoken as it is spelt
    assert found == [("K", None), ("N", "N"), ("AY", "AY"), ("T", "T"), (None, "S")]
    assert [edit.kind for edit in found] == ["insertion", "match", "match", "match", "deletion"]
    assert [edit.kind for edit in shortest_edits("d", "t")] == ["substitution"]


# ---- error rates ----

READ = [["R", "IY", "D"], ["R", "EH", "D"]]
CAT = [["K", "AE", "T"]]


def test_any_listed_pronunciation_is_right():
    for said in READ:
        assert token_error_rate([said, *CAT], [READ, CAT]) == word_error_rate([said, *CAT], [READ, CAT]) == 0


def test_errors_are_summed_before_they_are_divided():
    """1 edit in 3 and 0 in 6: 1 in 9, where the mean of the two would be 1 in 6."""
    said = [["K", "AE"], ["P", "L", "AE", "N", "IH", "T"]]
    assert token_error_rate(said, [CAT, [said[1]]]) == pytest.approx(1 / 9)
    assert word_error_rate(said, [CAT, [said[1]]]) == 0.5


def test_the_nearest_reference_counts_and_the_shorter_of_two_equally_near():
    for listed in ([["a", "b"], ["a", "b", "c", "d"]], [["a", "b", "c", "d"], ["a", "b"]]):
        assert token_error_rate([["a", "b", "c"]], [listed]) == 1 / 2
    assert token_error_rate([["a", "b", "c"]], [[["a"], ["a", "b", "c", "d"]]]) == 1 / 4


def test_saying_nothing_is_all_wrong_and_saying_too_much_worse():
    assert token_error_rate([[]], [CAT]) == word_error_rate([[]], [CAT]) == 1
    assert token_error_rate([list("babbling")], [CAT]) == pytest.approx(8 / 3)


def test_one_reference_each_gives_total_distance_by_total_length():
    said = lists(100, seed=3)
    meant = [tokens or ["a"] for tokens in lists(100, seed=4)]
    listed = [[tokens] for tokens in meant]
    distance = sum(by_definition(tuple(a), tuple(b)) for a, b in zip(said, meant, strict=True))
    assert token_error_rate(said, listed) == pytest.approx(distance / sum(map(len, meant)))
    assert word_error_rate(said, listed) == pytest.approx(
        sum(a != b for a, b in zip(said, meant, strict=True)) / 100
    )


def test_more_listed_pronunciations_never_make_a_word_wrong():
    said = lists(60, seed=5)
    one = [[tokens or ["b"]] for tokens in lists(60, seed=6)]
    two = [[*listed, tokens or ["c"]] for listed, tokens in zip(one, lists(60, seed=7), strict=True)]
    assert 0 < word_error_rate(said, two) < word_error_rate(said, one)


def test_tuples_are_as_good_as_lists():
    assert word_error_rate([("K", "AE", "T")], [CAT]) == word_error_rate(CAT, [[("K", "AE", "T")]]) == 0


def test_phonemes_are_tokens():
    assert phoneme_error_rate([["R", "EH", "T"], *CAT], [READ, CAT]) == pytest.approx(1 / 6)


# ---- what a reader can get wrong ----

CAT_IDS = torch.tensor([1, 2, 3])


@pytest.mark.parametrize("rate", [token_error_rate, word_error_rate])
@pytest.mark.parametrize(
    ("hypotheses", "references", "complaint"),
    [
        ([], [], "hypotheses are empty"),
        ([*CAT, *CAT], [CAT], "2 hypotheses, but references for 1"),
        ("cat", [CAT], "hypotheses are str, not a list"),
        (CAT, {"cat": CAT}, "references are dict, not a list"),
        (["K AE T"], [CAT], r"hypotheses\[0\] is 'K AE T', not a list of tokens"),
        ([CAT_IDS], [CAT], r"hypotheses\[0\] is tensor\(\[1, 2, 3\]\), not a list of tokens"),
        ([*CAT, *CAT], [CAT, []], r"references\[1\] is \[\]: give a list of one reference or more"),
        (CAT, ["K AE T"], r"references\[0\] is 'K AE T': give a list of one reference or more"),
        (CAT, CAT, r"references\[0\]\[0\] is 'K', not a list of tokens"),
        (CAT, [[CAT[0], []]], r"references\[0\]\[1\] is empty"),
    ],
)
def test_what_cannot_be_judged_is_refused(rate, hypotheses, references, complaint):
    with pytest.raises(ValueError, match=complaint):
        rate(hypotheses, references)


@pytest.mark.parametrize("distance", [edit_distance, shortest_edits])
def test_a_distance_is_one_of_tokens(distance):
    with pytest.raises(ValueError, match="hypothesis is Tensor, not a list of tokens or a string"):
        distance(CAT_IDS, CAT[0])
    with pytest.raises(ValueError, match="reference is NoneType"):
        distance(CAT[0], None)
