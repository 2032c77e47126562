"""The pipeline of the real small corpus: what each step is said to do, it has done."""

from itertools import pairwise

import pytest

from vec2gpt import cleaning, minhash, personal_data
from vec2gpt.recipes.pretraining import prose
from vec2gpt.splits import Split


def test_every_step_leaves_no_more_than_there_was():
    stages = prose.stages()
    assert [stage.name for stage in stages][:3] == ["collected", *list(prose.STEPS)[:2]]
    for before, after in pairwise(stages):
        assert after.documents <= before.documents and after.words <= before.words
    assert stages[-1].words > 0.75 * stages[0].words


def test_what_is_left_breaks_no_rule_and_stands_there_once():
    texts = [text for part in prose.split() for text in part]
    assert cleaning.exact_duplicates(texts) == {} and minhash.near_duplicates(texts) == []
    assert [text for text in texts if personal_data.find(text)] == []
    assert sum(map(bool, map(cleaning.why_not, texts))) <= 0.01 * len(texts)  # what lost lines since


def test_no_part_knows_anything_of_another():
    train, validation, test = prose.split()
    assert max(cleaning.leakage(train, [*validation, *test])) == 0
    assert len(train) > 10 * len(validation) and min(len(validation), len(test)) > 10


def test_a_line_that_is_known_is_taken_out_and_the_others_stay():
    known = "It is a truth universally acknowledged, that a single man in possession of a good fortune"
    mine = ["A line of my own.", f"He read: {known}.", "Another line."]
    assert prose.unknown(["\n".join(mine), known], [known]) == ["A line of my own.\nAnother line."]


def test_a_document_stays_in_its_part_whatever_else_there_is():
    whole = Split([], [], [])
    for part, texts in zip(Split._fields, prose.split(), strict=True):
        if part != "train":  # these are as they were; training texts have lost what others know
            assert all(whole.part_of(text) is getattr(whole, part) for text in texts)


@pytest.mark.parametrize("part", Split._fields)
@pytest.mark.parametrize("length", [16, 64])
def test_passages_hold_a_document_s_text_between_their_marks(part, length):
    bpe = prose.tokens()
    rows = prose.rows(part, length=length)
    assert len(bpe) == prose.VOCABULARY and rows.shape[1] == length
    assert (rows[:, 0] == bpe["[CLS]"]).all() and ((rows == bpe["[SEP]"]).sum(1) == 1).all()
    assert (rows < len(bpe)).all() and not (rows == bpe["[MASK]"]).any()
