"""The texts that chapter 11 tunes on: clear, once, balanced, and nothing of what is asked among them."""

import pytest
import torch

from vec2gpt import cleaning, corpora, minhash
from vec2gpt.recipes import recorded
from vec2gpt.recipes.understanding import opinions
from vec2gpt.splits import Split

NAMES = "ash birch cedar date elm fir gorse hazel iris jay kale lime maple nut oak pine quince rose sage tea"


def made(domain):
    """600 short texts of different words, four ratings among them that take no side."""
    names = NAMES.split()
    texts = [
        f"{domain} {a} {b} was seen by {b} near {c}" for a in names for b in names[:15] for c in names[:2]
    ]
    return [(text, (-1) ** n * (2.0 if n % 150 else 0.3)) for n, text in enumerate(texts)]


@pytest.fixture
def ratings(monkeypatch):
    """Rated texts that the project made, by domain; a test may add to them before they are split."""
    found = {domain: made(domain) for domain in opinions.DOMAINS}
    monkeypatch.setattr(corpora, "sentiment", found.__getitem__)
    monkeypatch.setattr(opinions, "copies", lambda pairs: set())  # made texts are all alike
    caches = opinions.split, opinions._clear, opinions._held_out
    for one in caches:
        one.cache_clear()
    yield found
    for one in caches:
        one.cache_clear()


def part(text):
    parts = Split([], [], [])
    parts.part_of(text, held=opinions.HELD).append(text)
    return next(name for name, texts in parts._asdict().items() if texts)


def test_a_rating_near_0_takes_no_side_and_the_sign_is_the_label(ratings):
    signs = {text: rating > 0 for text, rating in ratings["tweets"] if abs(rating) >= 0.5}
    found = {text: label for some in opinions.split("tweets") for text, label in told(some)}
    assert found == signs and len(signs) == 596


def told(rated):
    return zip(rated.texts, map(bool, rated.labels), strict=True)


def test_every_text_lies_where_its_hash_says(ratings):
    for name, rated in opinions.split("movies")._asdict().items():
        assert {part(text) for text in rated.texts} == {name}
        assert abs(len(rated) / 596 - {"train": 0.6}.get(name, 0.2)) < 0.06


def test_what_any_domain_holds_out_is_not_learnt_from(ratings):
    held = next(text for text, _ in ratings["editorials"] if part(text) == "test")
    wrapped = next(
        text for n in range(99) if part(text := f"{held}, number {n} of those told again") == "train"
    )
    ratings["movies"].append((wrapped, 3.0))
    assert wrapped in opinions.split("movies").train.texts  # it is longer than what is held out
    opinions.split.cache_clear(), opinions._clear.cache_clear(), opinions._held_out.cache_clear()
    long = " ".join(NAMES.split()[:14])
    ratings["editorials"] += [(next(text for n in range(99) if part(text := f"{n} {long}") == "test"), 1.0)]
    leak = next(text for n in range(99) if part(text := f"Said {n}: {long}!") == "train")
    ratings["movies"].append((leak, 1.0))
    assert leak not in opinions.split("movies").train.texts


def test_a_draw_is_balanced_repeatable_and_grows(ratings):
    few, many = (opinions.draw("movies", count, seed=1) for count in (20, 100))
    assert many.labels.sum() == 50 and len(set(many.texts)) == 100
    assert few.texts == many.texts[:20] and torch.equal(few.labels, many.labels[:20])
    assert set(opinions.draw("movies", 20, seed=2).texts) != set(few.texts)
    assert set(many.texts) <= set(opinions.split("movies").train.texts)


@pytest.mark.parametrize("count", [0, -2, 51, 100_000])
def test_a_count_that_cannot_be_balanced_is_refused(ratings, count):
    with pytest.raises(ValueError, match=rf"count is {count}: of tweets give an even number from 2 to \d+"):
        opinions.draw("tweets", count, seed=0)


def test_where_there_is_one_class_only_nothing_can_be_drawn(ratings):
    ratings["movies"][:] = [(text, abs(rating)) for text, rating in ratings["movies"]]
    with pytest.raises(ValueError, match="count is 2: movies has no text of the class 'against'"):
        opinions.draw("movies", 2, seed=0)


def test_some_are_the_same_ones_every_time_of_both_classes_and_no_more_than_there_are(ratings):
    test = opinions.split("movies").test
    few, more, all_of_them = (test.some(count) for count in (20, 40, 10_000))
    assert few.texts == test.some(20).texts == more.texts[:20] and torch.equal(few.labels, more.labels[:20])
    assert len(few) == 20 and 0 < few.labels.sum() < 20
    assert set(told(more)) <= set(told(test)) and len(set(more.texts)) == 40
    assert set(told(all_of_them)) == set(told(test)) and len(all_of_them) == len(test)


@pytest.mark.parametrize("count", [0, -3, 2.5])
def test_some_are_a_whole_number_of_them(count):
    with pytest.raises(ValueError, match=f"count is {count}: give "):
        opinions.Rated(("text",), torch.tensor([1])).some(count)


def test_some_of_texts_that_are_sorted_by_class_are_of_both():
    sorted_by_class = opinions.Rated(tuple(f"text {n}" for n in range(100)), torch.arange(100) // 50)
    assert sorted_by_class.labels[:20].sum() == 0 and 0 < sorted_by_class.some(20).labels.sum() < 20


def test_nothing_shows_a_text(ratings):
    shown = repr(opinions.split("movies")) + repr(opinions.draw("movies", 4, seed=0))
    assert "Rated(4 texts, 2 of them for)" in shown and not any(name in shown for name in NAMES.split())


def test_the_digest_changes_with_a_text_or_a_label_of_its_domains(ratings):
    before = opinions.digest("movies")
    ratings["movies"][1] = ratings["movies"][1][0], -ratings["movies"][1][1]
    opinions.split.cache_clear(), opinions._clear.cache_clear()
    assert opinions.digest("movies") != before != opinions.digest("movies", "tweets")


def test_a_domain_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no rated texts are called 'films'; there are movies"):
        opinions.draw("films", 50, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("domain", opinions.DOMAINS)
def test_the_real_texts_stand_there_once_and_no_part_knows_another(domain):
    train, validation, test = opinions.split(domain)
    texts = [text for some in (train, validation, test) for text in some.texts]
    assert not minhash.near_duplicates(texts, **opinions.ALIKE)
    assert sum(cleaning.leakage(opinions._held_out(), train.texts)) == 0
    assert sum(cleaning.leakage(test.texts, validation.texts)) == 0
    assert min(len(validation), len(test)) > 500 and all(text.strip() for text in texts)
    assert len(opinions.draw(domain, 800, seed=0)) == 800


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "domains"),
    [
        ("understanding-ladder", ("movies",)),
        ("tuning-ways", ("movies",)),
        ("domains", opinions.DOMAINS),
        ("two-tasks", opinions.DOMAINS),
        ("pseudo-labels", ("movies",)),
    ],
)
def test_the_recorded_tables_are_of_these_texts(name, domains):
    assert recorded(name)["text"].unique().tolist() == [opinions.digest(*domains)[:12]]
