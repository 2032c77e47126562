"""Names in a text as spans, and how many of them are found."""

import itertools

import pytest

from vec2gpt.metrics import span_f1, spans


def test_spans_of_the_example():
    tags = ["O", "O", "B-PER", "I-PER", "O", "B-PER"]  # Then Lady Jane Grey met Ada
    assert spans(tags) == [("PER", 2, 4), ("PER", 5, 6)]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], []),
        (["O", "O"], []),
        (["I-PER", "I-PER"], [("PER", 0, 2)]),  # nothing goes before it: it begins
        (["B-PER", "B-PER"], [("PER", 0, 1), ("PER", 1, 2)]),
        (["B-PER", "O", "I-PER"], [("PER", 0, 1), ("PER", 2, 3)]),
        (["B-PER", "I-LOC", "I-LOC"], [("PER", 0, 1), ("LOC", 1, 3)]),
    ],
)
def test_spans_at_the_edges(tags, expected):
    assert spans(tags) == expected


def test_every_tagging_is_what_its_spans_say():
    """Well-formed tags can be had back from the spans: all of five words and two kinds."""
    kinds = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    checked = 0
    for tags in itertools.product(kinds, repeat=5):
        if any(t[0] == "I" and before[2:] != t[2:] for before, t in zip(("O", *tags), tags, strict=False)):
            continue
        again = ["O"] * 5
        for kind, start, end in spans(tags):
            again[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
        assert again == list(tags)
        checked += 1
    assert checked > 500


@pytest.mark.parametrize("tag", ["", "B", "B-", "PER", "X-PER", "b-PER"])
def test_a_tag_of_no_known_form_is_named(tag):
    with pytest.raises(ValueError, match="tag 1 is"):
        spans(["O", tag])


def test_f1_by_hand():
    assert span_f1("ab", "acd") == (1 / 2, 1 / 3, 0.4)
    assert span_f1("ab", "ab") == (1, 1, 1)


@pytest.mark.parametrize(("found", "gold"), [("", ""), ("a", ""), ("", "a"), ("a", "b")])
def test_f1_of_nothing_right_is_0(found, gold):
    assert span_f1(found, gold) == (0, 0, 0)


def test_f1_is_the_harmonic_mean():
    found, gold = {*range(30)}, {*range(20, 95)}
    precision, recall, f1 = span_f1(found, gold)
    assert (precision, recall) == (10 / 30, 10 / 75)
    assert f1 == pytest.approx(2 / (1 / precision + 1 / recall))


def test_half_a_name_is_two_errors():
    gold, half = spans(["B-PER", "I-PER"]), spans(["B-PER", "O"])
    assert span_f1(half, gold) == (0, 0, 0)


def test_the_same_thing_twice_is_refused():
    with pytest.raises(ValueError, match="gold has a thing twice"):
        span_f1("a", "aa")
