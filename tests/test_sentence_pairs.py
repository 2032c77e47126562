"""vec2gpt.sentence_pairs: every pair is looked up in its documents; cutting is done again token by token."""

import doctest
import itertools

import pytest
import torch

from vec2gpt import sentence_pairs
from vec2gpt.bert import FOLLOWS, OTHER
from vec2gpt.sentence_pairs import next_sentence, packed, sentence_order, shortened

DOCUMENTS = [[f"{name}{n}" for n in range(12)] for name in "abcdefghij"]  # a sentence knows its place
DOCUMENTS.append(["k0"])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def place(sentence):
    return sentence[0], int(sentence[1:])


@pytest.mark.parametrize("task", [next_sentence, sentence_order])
def test_there_is_a_pair_for_each_neighbourhood_and_half_of_them_are_right(task):
    labels = [pair.label for seed in range(10) for pair in task(DOCUMENTS, generator(seed))]
    count = 10 * 10 * 11
    assert len(labels) == count
    assert abs(sum(labels) - count / 2) < 3 * (count / 4) ** 0.5  # three standard deviations


def test_the_next_sentence_is_the_next_or_of_another_document():
    pairs, lenders = next_sentence(DOCUMENTS, generator()), set()
    firsts = [sentence for document in DOCUMENTS for sentence in document[:-1]]
    assert [pair.first for pair in pairs] == firsts
    for first, second, label in pairs:
        (one, at), (two, there) = place(first), place(second)
        assert (one, at + 1) == (two, there) if label == FOLLOWS else one != two
        lenders |= {two} if label == OTHER else set()
    assert lenders == set("abcdefghijk")  # that of one sentence, the first and the last as well


def test_the_order_is_that_of_the_text_or_the_other_way_round():
    pairs = sentence_order(DOCUMENTS, generator())
    assert {pair.label for pair in pairs} == {FOLLOWS, OTHER}
    for first, second, label in pairs:
        (one, at), (two, there) = place(first), place(second)
        assert one == two and there - at == (1 if label == FOLLOWS else -1)


@pytest.mark.parametrize("task", [next_sentence, sentence_order])
def test_the_generator_alone_decides(task):
    assert task(DOCUMENTS, generator(3)) == task(DOCUMENTS, generator(3))
    assert task(DOCUMENTS, generator(3)) != task(DOCUMENTS, generator(4))


def test_one_document_has_an_order_but_no_other_document():
    assert len(sentence_order(DOCUMENTS[:1], generator())) == 11
    with pytest.raises(ValueError, match="one document has no other one"):
        next_sentence(DOCUMENTS[:1], generator())


@pytest.mark.parametrize("task", [next_sentence, sentence_order])
@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([["one"], ["two"]], "none of the 2 documents has two sentences"),
        ([], "none of the 0 documents"),
        ([["one", "two"], []], "document 1 is empty"),
        ([["one", ""], ["two"]], "document 0 is empty, or a sentence"),
        (["One. Two.", "Three."], "document 0 is a string"),
    ],
)
def test_what_makes_no_pairs_is_refused(task, documents, message):
    with pytest.raises(ValueError, match=message):
        task(documents, generator())


# ---- as a model reads them ----


def cut(first, second, room):
    """BERT's rule: one token after another, from the longer one."""
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


def test_the_longer_one_is_cut_until_both_fit():
    for a, b, room in itertools.product(range(1, 9), range(1, 9), range(2, 18)):
        first, second = list(range(a)), list(range(b))
        assert shortened(first, second, room=room) == cut(first, second, room), (a, b, room)


def test_marks_stand_around_and_segments_change_behind_the_first_sep():
    ids, segments = packed([5, 6], [7], cls=1, sep=2, length=99)
    assert ids == [1, 5, 6, 2, 7, 2] and segments == [0, 0, 0, 0, 1, 1]
    ids, segments = packed(range(10, 1000), range(2000, 3000), cls=1, sep=2, length=8)
    assert ids == [1, 10, 11, 12, 2, 2000, 2001, 2] and segments == [0] * 5 + [1] * 3


@pytest.mark.parametrize(
    ("first", "second", "length", "message"),
    [([], [1], 9, "no tokens"), ([1], [], 9, "no tokens"), ([1], [1], 4, "length is 4: give 5 or more")],
)
def test_what_cannot_be_packed_is_refused(first, second, length, message):
    with pytest.raises(ValueError, match=message):
        packed(first, second, cls=1, sep=2, length=length)


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(sentence_pairs)
    assert (failed, tried > 0) == (0, True)
