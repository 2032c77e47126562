"""vec2gpt.cleaning: each rule at its limit, copies however they are written, no leak that passes as clean."""

import doctest
from itertools import pairwise

import pytest

from vec2gpt import cleaning, corpora
from vec2gpt.cleaning import (
    RULES,
    STOP_WORDS,
    Stage,
    exact_duplicates,
    leakage,
    quality,
    sentences_only,
    stage,
    terms,
    why_not,
    without_repeated_lines,
)

PROSE = "\n".join(f"The town of number {i} grew, and people came to live with it." for i in range(10))
CHINESE = "阿尔贝托是一种反射光的比例。它没有单位。" * 20


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(cleaning)
    assert (failed, tried > 5) == (0, True)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: stage("collected", PROSE),
        lambda: exact_duplicates(PROSE),
        lambda: without_repeated_lines(PROSE),
        lambda: leakage(PROSE, [PROSE]),  # letters share no run with a text: it would pass as clean
        lambda: leakage([PROSE], PROSE),
    ],
)
def test_one_string_is_no_list_of_texts(ask):
    with pytest.raises(ValueError, match="is one string; give an iterable of texts"):
        ask()


# --------------------------------------------------------------------------------------------------- counting


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n ", []),
        ("Zoë's 2nd CAFÉ", ["zoë", "s", "2nd", "café"]),
        ("ﬁne", ["fine"]),  # a ligature is the two letters
        ("他说GPT很好", ["他", "说", "gpt", "很", "好"]),
        ("Привет, МИР!", ["привет", "мир"]),
        (":-) !!", [":-)", "!!"]),
        ("😀", ["😀"]),
    ],
)
def test_terms(text, found):
    assert terms(text) == found


def test_a_stage_counts_what_says_something():
    assert stage("none", []) == stage("none", ["", " \n"]) == Stage("none", 0, 0)
    assert stage("news", iter(["a b", "c"])) == Stage("news", 2, 3)


# ---------------------------------------------------------------------------------------------------- quality


def test_prose_breaks_no_rule():
    assert why_not(PROSE) == []


def test_every_number_is_the_one_worked_by_hand():
    seen = quality("Red and blue.\n* 12 #tags …\nRed and blue.\nThe end")
    assert seen.words == 12  # the bullet stands alone, and so does the ellipsis
    assert seen.word_length == pytest.approx((3 + 3 + 5) * 2 / 12 + (1 + 2 + 5 + 1) / 12 + (3 + 3) / 12)
    assert seen.wordlike == pytest.approx(9 / 12)
    assert seen.stop_words == 2  # and, the
    assert seen.symbols == pytest.approx(2 / 12)  # # and …
    assert (seen.bullets, seen.repeated) == (0.25, 0.25)
    assert seen.unfinished == pytest.approx(2 / 12)  # an ellipsis ends a sentence, "The end" ends none


BROKEN = {  # each breaks its rule and no other, and its limit is met by the text beside it
    "too few words": ("The town of them all. " * 9, "The town of them all. " * 10),
    "too many words": ("The town of them all. " * 20_001, "The town of them all. " * 20_000),
    "odd word length": ("To be is to do. " * 20, "The sea and us. " * 20),
    "few letters": ("The towns of 1234 5678. " * 20, "The towns of all 1234. " * 20),
    "few stop words": ("The end comes soon. " * 20, "The end comes to us. " * 20),
    "many symbols": (
        "The towns # of them there. " * 20,
        "The towns # of them all were here in winter. " * 20,
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_holds_at_its_limit_and_not_beyond(rule):
    broken, kept = BROKEN[rule]
    assert why_not(broken) == [rule]
    assert why_not(kept) == []


def test_the_rules_about_lines():
    lines = [f"We have waited there until the end of each year {i}." for i in range(10)]
    assert why_not("\n".join(f"- {line}" for line in lines)) == ["mostly bullets"]
    assert why_not("\n".join([lines[0], *(f"{i}. {line}" for i, line in enumerate(lines[1:]))])) == []
    assert why_not("\n".join(line.rstrip(".") for line in lines)) == ["mostly unfinished"]
    assert why_not("\n".join(lines[:7] + lines[:3])) == []
    assert why_not("\n".join(lines[:6] + lines[:4])) == ["repeated lines"]


def test_every_rule_is_tried_above():
    about_lines = {"mostly bullets", "mostly unfinished", "repeated lines"}
    assert set(RULES) == set(BROKEN) | about_lines
    assert all(rule.__doc__ for rule in RULES.values())


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "😀", "...", CHINESE, "\ud800", "a" * 1_000_000])
def test_what_is_no_english_prose_is_answered_with_rules(text):
    assert "too few words" in why_not(text)


def test_other_scripts_are_thrown_out_by_rules_for_english():
    assert "few stop words" in why_not("Дом стоял у самой реки, и вода была видна из окна. " * 10)


def test_stop_words_are_those_of_the_paper():
    assert len(STOP_WORDS) == 8 and {"the", "be", "have", "with"} <= STOP_WORDS


def test_sentences_only_keeps_whole_lines_in_their_order():
    kept = sentences_only(f"Contents\n{PROSE}\nRead this.\nAnd then nothing ended it")
    assert kept == PROSE
    assert sentences_only("") == sentences_only("Menu\nHome") == ""
    assert sentences_only("他说了很多话。", words=1) == "他说了很多话。"


def test_the_filter_finds_out_the_pages_that_are_no_articles():
    pages = corpora.encyclopedia_pages()
    broken = {title: why_not(text) for title, text in pages}
    for title, text in pages:
        if text.upper().startswith("REDIRECT") or title.endswith("(disambiguation)"):
            assert broken[title], title
    kept = [title for title, rules in broken.items() if not rules]
    assert len(kept) == 96 and "Albedo" in kept
    assert "mostly unfinished" in broken["List of anthropologists"]


# ----------------------------------------------------------------------------------------------------- copies


def test_copies_are_found_however_they_are_written():
    texts = ["A rose, is a rose!", "b", "a  ROSE is\na rose", "", "A rose is", "", "a rose is a rose"]
    assert exact_duplicates(texts) == {2: 0, 6: 0}
    assert exact_duplicates([]) == {}
    assert exact_duplicates(["😀", "😃", "😀"]) == {2: 0}  # no word in them, and yet two are different


def test_numbers_tell_texts_apart():
    assert exact_duplicates(["In 1984 it was.", "In 1985 it was."]) == {}


def test_seven_news_stories_stand_there_twice():
    news = corpora.news()
    assert len(exact_duplicates(news)) == len(news) - len(set(news)) == 7


def test_a_line_stands_once_in_the_whole_collection():
    one, two = "The first line is this.", "The second line is that."
    texts = [f"Heading\n{one}\n{two}\n{two}", f"Heading\n{two.upper()}", f"{one} And more."]
    assert without_repeated_lines(texts) == [f"Heading\n{one}\n{two}", "Heading", texts[2]]
    assert without_repeated_lines([]) == []
    assert without_repeated_lines(["", one, one]) == ["", one, ""]


# ---------------------------------------------------------------------------------------------------- leakage


def by_hand(train: list[str], test: str, n: int) -> float:
    """As defined, by comparing each run with each."""
    asked = terms(test)
    n = min(n, len(asked))
    runs = [asked[i : i + n] for i in range(len(asked) - n + 1)]
    there = [terms(text)[i : i + n] for text in train for i in range(len(terms(text)))]
    return sum(run in there for run in runs) / len(runs)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13, 100])
def test_leakage_is_the_share_of_runs_that_were_there(n):
    train = ["the cat sat on the mat and the dog ran after it all day long till dusk", "a rose is a rose"]
    test = [
        "The cat sat on the mat; a dog ran after it, all day long till dusk!",
        "a rose is red",
        "rose is a",
    ]
    assert leakage(train, test, n=n) == [by_hand(train, text, n) for text in test]


def test_a_short_text_is_compared_whole():
    train = ["He said that it was a very good film, all in all."]
    assert leakage(train, ["A very good film!", "a very bad film", "film", "good very"]) == [
        1.0,
        0.0,
        1.0,
        0.0,
    ]


def test_runs_do_not_reach_from_one_text_into_the_next():
    assert leakage(["one two", "three four"], ["two three"]) == [0.0]


def test_a_copy_leaks_whole_and_a_stranger_not_at_all():
    first, second, *_ = corpora.news()
    assert leakage([first], [first, second]) == [1.0, 0.0]
    half = " ".join(terms(first)[:100])
    assert leakage([half], [" ".join(terms(first)[:200])]) == [88 / 188]  # runs of 13 in 100 and in 200 words


def test_leakage_of_nothing():
    assert leakage([], ["a b"]) == [0.0]
    assert leakage(["a b"], []) == []
    assert leakage(["", "a"], ["", " \n"]) == [0.0, 0.0]
    assert leakage([":-)"], [":-)", ":-("]) == [1.0, 0.0]


def test_leakage_in_other_scripts():
    assert leakage([CHINESE], ["一种反射光的比例", "一种反射水的比例"]) == [1.0, 0.0]


def test_leakage_falls_as_runs_grow():
    news = corpora.news()[:100]
    means = [sum(leakage(news[:80], news[80:], n=n)) for n in (1, 2, 4, 8)]
    assert all(long < short for short, long in pairwise(means))


@pytest.mark.parametrize("n", [0, -1])
def test_a_run_has_a_term(n):
    with pytest.raises(ValueError, match=f"n is {n}, but a run has at least 1 term"):
        leakage(["a"], ["a"], n=n)
