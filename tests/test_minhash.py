"""vec2gpt.minhash: the estimate has no bias, the bands follow their curve, all that is there is found."""

import doctest
import random
from itertools import combinations

import numpy as np
import pytest

from vec2gpt import corpora, minhash
from vec2gpt.cleaning import terms
from vec2gpt.minhash import (
    candidates,
    chance,
    clusters,
    copies,
    jaccard,
    near_duplicates,
    rows_for,
    shingles,
    signature,
    similarity,
)


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(minhash)
    assert (failed, tried > 3) == (0, True)


def overlapping(common: int, own: int) -> tuple[set, set]:
    """Two sets of items with so many in common, and so many each has for itself."""
    shared = {(f"both {i}",) for i in range(common)}
    return shared | {(f"one {i}",) for i in range(own)}, shared | {(f"other {i}",) for i in range(own)}


# --------------------------------------------------------------------------------------------------- shingles


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("a", 1), ("a b c d e", 1), ("a b c d e f", 2), ("a " * 9, 1)]
)
def test_shingles_are_the_runs_of_five(text, count):
    assert len(shingles(text)) == count


def test_a_text_shorter_than_a_shingle_is_one():
    assert shingles("A rose, a rose") == {("a", "rose", "a", "rose")}
    assert shingles("反射光", size=2) == {("反", "射"), ("射", "光")}
    with pytest.raises(ValueError, match="size is 0"):
        shingles("a", size=0)


def test_nothing_is_a_copy_of_nothing():
    assert jaccard(set(), set()) == jaccard({1}, set()) == 0
    assert jaccard({1}, {1}) == 1


# ------------------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize(("common", "own"), [(5, 45), (30, 35), (80, 10), (3, 1), (2000, 500)])
def test_the_estimate_is_without_bias_and_as_sure_as_the_formula_says(common, own):
    one, other = overlapping(common, own)
    exact = jaccard(one, other)
    seeds, hashes = 40, 128
    estimates = np.array(
        [
            similarity(signature(one, hashes=hashes, seed=seed), signature(other, hashes=hashes, seed=seed))
            for seed in range(seeds)
        ]
    )
    deviation = (exact * (1 - exact) / hashes) ** 0.5
    assert abs(estimates.mean() - exact) < 3 * deviation / seeds**0.5
    assert 0.6 * deviation < estimates.std() < 1.5 * deviation


def test_a_signature_is_the_first_of_each_order():
    items = shingles("a rose is a rose is a flower", size=2)
    each = np.stack([signature([item]) for item in items])
    assert np.array_equal(signature(items), each.min(axis=0))
    assert similarity(signature(items), signature(items)) == 1.0


def test_no_order_lets_two_items_meet():
    each = np.stack([signature([(str(i),)], hashes=8) for i in range(1000)])
    assert all(len(set(column)) == 1000 for column in each.T)


def test_each_item_comes_first_as_often_as_any_other():
    items = [(str(i),) for i in range(10)]
    each = np.stack([signature([item], hashes=5000) for item in items])
    counts = np.bincount(each.argmin(axis=0), minlength=10)
    assert abs(counts - 500).max() < 4.5 * (5000 * 0.1 * 0.9) ** 0.5


def test_a_long_text_is_taken_in_pieces_and_gives_the_same():
    items = [(str(i),) for i in range(10_000)]
    halves = [signature(half, hashes=16) for half in (items[:5_001], items[5_001:])]
    assert np.array_equal(signature(items, hashes=16), np.minimum(*halves))


def test_signatures_are_the_same_in_every_run_and_on_every_machine():
    """Python's own hash() would give each run of it another signature."""
    first = signature(shingles("A rose is a rose, 玫瑰"), hashes=2)
    assert first.tolist() == [1_980_069_164_118_136_943, 6_119_634_139_634_560_632]


def test_bad_signatures_are_refused():
    with pytest.raises(ValueError, match="empty text has no signature"):
        signature([])
    with pytest.raises(ValueError, match="hashes is 0"):
        signature([("a",)], hashes=0)
    with pytest.raises(ValueError, match="4 and 8 hashes"):
        similarity(signature([("a",)], hashes=4), signature([("a",)], hashes=8))


# ------------------------------------------------------------------------------------------------------ bands


def test_bands_propose_as_often_as_their_curve_says():
    bands, rows, seeds = 8, 3, 400
    for common, own in [(20, 40), (40, 30), (60, 20)]:
        one, other = overlapping(common, own)
        expected = chance(jaccard(one, other), bands=bands, rows=rows)
        met = 0
        for seed in range(seeds):
            pair = [signature(items, hashes=bands * rows, seed=seed) for items in (one, other)]
            met += candidates(pair, rows=rows) == {(0, 1)}
        assert abs(met / seeds - expected) < 3 * (expected * (1 - expected) / seeds) ** 0.5


def test_candidates_agree_in_a_whole_band():
    signatures = np.array([[1, 2, 3, 4, 9], [0, 2, 3, 0, 9], [0, 0, 3, 4, 9], [1, 2, 0, 0, 0]])
    assert candidates(signatures, rows=2) == {(0, 3), (0, 2)}  # the fifth number belongs to no band
    assert candidates(signatures, rows=1) == set(combinations(range(4), 2)) - {(2, 3)}
    assert candidates([], rows=2) == set()
    with pytest.raises(ValueError, match="bands of 6 rows do not fit in signatures of 5"):
        candidates(signatures, rows=6)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_bands_have_as_many_rows_as_they_may(threshold):
    rows = rows_for(threshold)
    missed = [1 - chance(threshold, bands=128 // r, rows=r) for r in (rows, rows + 1)]
    assert missed[0] <= 1e-3 < missed[1]
    assert rows_for(1) == 128


def test_thresholds_out_of_reach_are_refused():
    for threshold in (0, -0.1, 1.1):
        with pytest.raises(ValueError, match=f"threshold is {threshold}: give a similarity above 0"):
            near_duplicates(["a"], threshold=threshold)
    with pytest.raises(ValueError, match=r"128 hashes miss more than 0\.1%.*give more hashes"):
        rows_for(0.01)
    assert rows_for(0.01, hashes=1000) == 1


# ------------------------------------------------------------------------------------------------ near copies


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Stories, and copies of some of them that differ by more and more words."""
    stories, chooser = corpora.news()[:60], random.Random(0)
    changed = []
    for index, story in enumerate(stories[:30]):
        words = terms(story)
        for place in chooser.sample(range(len(words)), index):
            words[place] = "else"
        changed.append(" ".join(words))
    return [*stories, "", *changed, "", "short", "Short!"]


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8, 1])
def test_what_is_found_is_what_comparing_each_with_each_finds(texts, threshold):
    sets = [shingles(text) for text in texts]
    exact = [
        (one, other, likeness)
        for one, other in combinations(range(len(texts)), 2)
        if (likeness := jaccard(sets[one], sets[other])) >= threshold
    ]
    assert near_duplicates(texts, threshold=threshold) == exact
    assert len(exact) > 1 and exact[-1][:2] == (len(texts) - 2, len(texts) - 1)


def test_of_no_texts_none_is_a_copy():
    assert near_duplicates([]) == near_duplicates(["", ""]) == near_duplicates(["alone"]) == []
    assert near_duplicates(["😀 😀", "", "😀 😀", "\ud800"]) == [(0, 2, 1.0)]


def test_chains_are_one_group():
    assert clusters([]) == [] and copies([]) == set()
    assert clusters([(4, 5), (1, 2), (2, 4), (7, 9)]) == [[1, 2, 4, 5], [7, 9]]
    assert copies([(4, 5), (1, 2), (2, 4), (7, 9)]) == {2, 4, 5, 9}
    long = [(i, i + 1) for i in range(50_000)]
    random.Random(0).shuffle(long)
    assert len(clusters(long)) == 1


def test_one_string_is_no_list_of_texts():
    with pytest.raises(ValueError, match="texts is one string"):
        near_duplicates("one text")
