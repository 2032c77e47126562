import pytest
import torch

from vec2gpt.pairs import bucketed, padded, teacher_forced

PAIRS = [([3], [5, 6]), ([4], [7]), ([3, 4], [8, 8, 9])]


def test_rows_are_filled_up_behind():
    assert padded([[5], [6, 7, 8]], 0).tolist() == [[5, 0, 0], [6, 7, 8]]
    torch.testing.assert_close(padded(([], [1]), 3), torch.tensor([[3], [1]]))  # its type, too


@pytest.mark.parametrize("rows", [[], iter([])])
def test_no_rows_are_no_batch(rows):
    with pytest.raises(ValueError, match="there are no rows"):
        padded(rows, 0)


def test_the_decoder_reads_what_it_said_before_and_says_what_comes_next():
    source, decoder, targets = teacher_forced(PAIRS, bos=1, eos=2, pad=0)
    assert source.tolist() == [[3, 0], [4, 0], [3, 4]]
    assert decoder.tolist() == [[1, 5, 6, 0], [1, 7, 0, 0], [1, 8, 8, 9]]
    assert targets.tolist() == [[5, 6, 2, -100], [7, 2, -100, -100], [8, 8, 9, 2]]


def test_every_pair_is_drawn_whole_and_with_its_equals():
    draw = bucketed(PAIRS, size=4, bos=1, eos=2, pad=0)
    expected = {
        (3,): ([1, 5, 6], [5, 6, 2]),
        (4,): ([1, 7], [7, 2]),
        (3, 4): ([1, 8, 8, 9], [8, 8, 9, 2]),
    }
    generator, seen = torch.Generator().manual_seed(0), []
    for _ in range(300):
        source, decoder, targets = draw(generator)
        assert (targets != -100).any(0).all() and decoder.shape == targets.shape  # no longer than it must be
        for letters, said, wanted in zip(source.tolist(), decoder, targets, strict=True):
            real = wanted != -100
            assert (said[real].tolist(), wanted[real].tolist()) == expected[tuple(letters)]
            assert not said[~real].any()
            seen.append(tuple(letters))
    for letters in expected:  # each is as likely as any other; a batch of one length counts as one draw
        assert seen.count(letters) / len(seen) == pytest.approx(1 / 3, abs=0.12)


@pytest.mark.parametrize(
    ("pairs", "size", "message"),
    [([], 1, "there are no pairs"), ([([], [3])], 1, "no token"), (PAIRS, 0, "size is 0")],
)
def test_what_cannot_be_drawn_is_refused(pairs, size, message):
    with pytest.raises(ValueError, match=message):
        bucketed(pairs, size=size, bos=1, eos=2, pad=0)
