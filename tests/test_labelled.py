"""vec2gpt.labelled: what is drawn, how labels of words become those of pieces, labels that cannot be."""

import doctest
import math

import pytest
import torch

import vec2gpt.labelled as module
from vec2gpt.labelled import class_loss, in_pieces, labelled, tagged

ROWS, LABELS, PAD = [[5, 6, 7], [8], [9, 4]], [1, 0, 2], 3


def test_the_example_of_the_docstring_is_true():
    assert tuple(doctest.testmod(module)) == (0, 1)


def drawn(draw, times=40):
    generator = torch.Generator().manual_seed(0)
    return [draw(generator) for _ in range(times)]


def test_a_text_keeps_its_label_and_all_are_drawn():
    seen = set()
    for ids, targets in drawn(labelled(ROWS, LABELS, size=2, pad=PAD)):
        assert len(ids) == len(targets) == 2 and (ids != PAD).any(0).all()  # as wide as the longest drawn
        for row, label in zip(ids.tolist(), targets.tolist(), strict=True):
            assert [token for token in row if token != PAD] == ROWS[LABELS.index(label)]
            seen.add(label)
    assert seen == {0, 1, 2}


def test_the_generator_alone_decides():
    draw = labelled(ROWS, torch.tensor(LABELS), size=3, pad=PAD)
    for (ids, targets), (again, labels) in zip(drawn(draw), drawn(draw), strict=True):
        assert torch.equal(ids, again) and torch.equal(targets, labels)


def test_segments_go_with_their_texts():
    segments = [[0, 0, 1], [1], [0, 1]]
    for ids, targets, kinds in drawn(labelled(ROWS, LABELS, segments=segments, size=2, pad=PAD)):
        assert ids.shape == kinds.shape
        for row, label, own in zip(ids.tolist(), targets.tolist(), kinds.tolist(), strict=True):
            expected = segments[LABELS.index(label)]
            assert own == expected + [0] * (len(row) - len(expected))


def test_tags_go_with_their_tokens_and_padding_has_none():
    tags = [[token % 2 for token in row] for row in ROWS]
    for ids, targets in drawn(tagged(ROWS, tags, size=2, pad=PAD)):
        assert torch.equal(targets, torch.where(ids == PAD, -100, ids % 2))


def test_a_words_label_stands_at_its_first_piece():
    def encode(word):
        return [ord(letter) for letter in word]

    assert in_pieces(["ab", "", "c"], [1, 9, 0], encode) == ([97, 98, 99], [1, -100, 0])
    assert in_pieces([], [], encode) == ([], [])
    with pytest.raises(ValueError, match="there are 1 words and 2 tags"):
        in_pieces(["ab"], [1, 2], encode)


def test_who_knows_nothing_scores_ln_of_the_classes():
    assert class_loss(torch.zeros(4, 2), torch.tensor([0, 1, 1, -100])).item() == pytest.approx(math.log(2))
    assert class_loss(torch.zeros(1, 3, 5), torch.tensor([[0, 4, -100]])).item() == pytest.approx(math.log(5))


@pytest.mark.parametrize(
    ("rows", "labels", "more", "message"),
    [
        ([], [], {}, "there are 0 texts and 0 labels"),
        (ROWS, [0, 1], {}, "there are 3 texts and 2 labels"),
        ([[5], []], [0, 1], {}, "text 1 has no tokens: leave it out"),
        (ROWS, [1, 1, 1], {}, "all 3 texts are of the class 1, so there is nothing to tell apart"),
        (ROWS, [0.0, 0.5, 1.0], {}, "labels are torch.float32: give whole numbers"),
        (ROWS, LABELS, {"size": 0}, "size is 0: give at least 1"),
        (ROWS, LABELS, {"segments": [[0], [0], [0]]}, "segments are not as long as the texts"),
    ],
)
def test_texts_and_labels_that_cannot_be(rows, labels, more, message):
    with pytest.raises(ValueError, match=message):
        labelled(rows, labels, **{"size": 2, "pad": PAD} | more)


def test_tags_that_do_not_fit():
    with pytest.raises(ValueError, match="text 1 has 1 tokens and 2 tags"):
        tagged(ROWS, [[0, 0, 0], [1, 1], [0, 1]], size=2, pad=PAD)
    with pytest.raises(ValueError, match="there are 3 texts and 1 labels"):
        tagged(ROWS, [[0, 0, 0]], size=2, pad=PAD)
