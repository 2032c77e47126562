"""The flow chart: every way ends in one advice, and what it says was measured is so."""

import doctest

import pytest

import vec2gpt.choosing as module
from vec2gpt.choosing import ADVICE, QUESTIONS, START, Advice, Question, Row, follow, measured
from vec2gpt.scoreboard import LADDERS


def ways(at=START, answers=()):
    """All ways through the chart: the answers, and the advice's name."""
    if at in ADVICE:
        return [(answers, at)]
    return [way for answer, after in QUESTIONS[at].options.items() for way in ways(after, (*answers, answer))]


def test_every_way_ends_and_every_question_and_advice_is_on_one():
    ends = [name for _, name in ways()]
    assert sorted(ends) == sorted(ADVICE)  # each by exactly one way
    assert max(len(answers) for answers, _ in ways()) <= 4
    passed = {START} | {after for one in QUESTIONS.values() for after in one.options.values()}
    assert passed == QUESTIONS.keys() | ADVICE.keys() and not QUESTIONS.keys() & ADVICE.keys()


def test_the_answers_are_few_and_different():
    for one in QUESTIONS.values():
        assert 2 <= len(one.options) <= 9 and one.asks.endswith("?") and one.why.endswith(".")
    for one in ADVICE.values():
        assert 1 <= one.chapter <= 14 and 1 <= one.beat_chapter <= 14 and one.mind.endswith(".")


@pytest.mark.parametrize("name", [name for name, one in ADVICE.items() if one.rows])
def test_what_is_advised_beats_its_baseline_where_both_were_measured(name):
    """By more than the larger spread, where there is one."""
    best, baseline = measured(ADVICE[name])
    sign = 1 if LADDERS[best["ladder"]].better == "high" else -1
    margin = max(best["spread"] or 0, baseline["spread"] or 0)
    assert sign * (best["mean"] - baseline["mean"]) > margin
    assert best["score"] == baseline["score"]


def test_following_answers():
    assert isinstance(follow(), Question)
    for answers, name in ways():
        assert follow(*answers) is ADVICE[name]
        assert isinstance(follow(*answers), Advice)


def test_answers_that_are_none():
    first = next(iter(QUESTIONS[START].options))
    with pytest.raises(ValueError, match=r"What should come out\? 'money' is none of 'A class"):
        follow("money")
    with pytest.raises(ValueError, match="'more' answers nothing"):
        follow(first, "None", "more")


def test_a_row_that_is_not_there():
    wrong = ADVICE["tf-idf"]._replace(rows=(Row("language", "equal steps", "bert"),))
    with pytest.raises(KeyError, match="has 0 rows for"):
        measured(wrong)


def test_the_example_is_true():
    assert doctest.testmod(module) == (0, 1)
