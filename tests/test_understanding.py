"""The understanding ladder, on texts that the project made."""

import dataclasses

import pytest
import torch
from rated import check_recorded

from vec2gpt.recipes import RECIPES, table
from vec2gpt.recipes.understanding import opinions, understanding
from vec2gpt.recipes.understanding.opinions import CLASSES, Rated
from vec2gpt.splits import Split

LIKED, DISLIKED = "a good and lovely film", "a bad and dreadful film"


def made(count, ending=""):
    texts = tuple(f"{(DISLIKED, LIKED)[n % 2]}{ending}" for n in range(count))
    return Rated(texts, torch.arange(count) % 2)


@pytest.fixture
def few(monkeypatch):
    """Every domain has the same few texts; what a seed draws are the first of them."""
    parts = Split(made(40, ", they said"), made(8), made(12, " to see"))
    monkeypatch.setattr(opinions, "split", lambda domain: parts)
    return parts


# ---- batches ----


ROWS = [[2] * (1 + n) for n in range(40)]


def test_a_batch_is_of_texts_alike_in_length_without_a_column_of_padding():
    draw = understanding.batches(ROWS, torch.arange(40) % 2, pad=0, size=8)
    generator, spread, width = torch.Generator().manual_seed(0), [], []
    for _ in range(50):
        ids, targets = draw(generator)
        lengths = (ids != 0).sum(1)
        assert len(ids) == len(targets) == 8 and lengths.max() == ids.shape[1]
        assert torch.equal(targets, (lengths - 1) % 2)  # each text has kept its own label
        spread.append(lengths.double().std().item())
        width.append(ids.shape[1])
    assert sum(spread) / 50 < 0.5 * torch.arange(40.0).std()
    assert min(width) < 15 and max(width) > 35


def test_each_text_is_as_likely_as_any_other():
    draw = understanding.batches(ROWS, torch.arange(40) % 2, pad=0, size=8)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.cat([(draw(generator)[0] != 0).sum(1) for _ in range(1000)])
    counts = drawn.bincount(minlength=41)[1:]
    assert (counts - 200).abs().max() < 5 * 200**0.5 * 2  # batches of alike texts vary more than single draws


# ---- rungs ----


@pytest.mark.parametrize("learn", [understanding.by_words, understanding.by_vectors])
def test_what_is_found_tells_good_from_bad(learn):
    learned = learn(made(20))
    assert learned.guess(["lovely", "dreadful", "good to see", "bad to see"]).tolist() == [1, 0, 1, 0]
    assert learned.guess([""]).shape == (1,)  # of an empty text only the bias speaks
    assert understanding.judge(learned.guess, made(10)) == {"accuracy": 1, "balanced": 1}


def test_a_balanced_share_is_no_better_for_who_says_always_the_same():
    many = made(12).only(torch.tensor([1, 3, 5, 0]))
    always = understanding.judge(lambda texts: torch.ones(len(texts), dtype=torch.long), many)
    assert always == {"accuracy": 0.75, "balanced": 0.5}


@pytest.mark.parametrize(
    "make", [understanding.by_recurrence, understanding.from_scratch, understanding.from_prose]
)
def test_what_is_trained_answers_for_any_text(make):
    network = make()
    texts = ["", "good", "γνῶθι σεαυτόν 🐘", "word " * 500]
    rows = network.rows(texts)
    assert all(0 < len(row) <= understanding.LENGTH for row in rows)
    assert set(network.guess(texts).tolist()) <= set(range(len(CLASSES)))


def test_words_that_glove_does_not_know_are_one_token_and_the_known_have_their_vectors():
    network = understanding.by_recurrence()
    [row] = network.rows(["Good xqzzy"])
    assert row[1] == 1 and network.model.pad == 0
    assert torch.equal(network.model.table.weight[row[0]], understanding.glove()["good"])
    assert not network.model.table.weight.requires_grad


@pytest.mark.parametrize("way", [understanding.by_words, understanding.by_vectors])
def test_one_class_only_is_refused_by_what_is_found(way):
    with pytest.raises(ValueError, match="all 5 targets are 1"):
        way(made(10).only(torch.arange(1, 10, 2)))


def test_one_class_only_is_refused_by_what_is_trained_and_no_text_is_shown():
    with pytest.raises(ValueError, match="class 1") as refused:
        understanding.tune(
            understanding.from_scratch(), made(10).only(torch.arange(1, 10, 2)), steps=1, lr=1e-3, seed=0
        )
    assert "film" not in str(refused.value)


# ---- the table ----


def test_every_row_says_what_decides_its_figures(few, monkeypatch):
    def told(model, **place):
        return understanding.experiment().settings(model=model, **{"labels": 50, "seed": 0} | place)

    assert len({told(model)["settings"] for model in understanding.MODELS}) == len(understanding.MODELS) - 1
    assert told("bert from scratch") != told("prose-bert, tuned")  # of one shape, and one place each
    assert told("tf-idf")["steps"] == 0 and told("tf-idf", steps=3)["steps"] == 0
    assert told("lstm", labels=2400)["steps"] > told("lstm")["steps"] and told("lstm", steps=3)["steps"] == 3
    for name, value in {"LENGTH": 9, "SIZE": 9, "HIDDEN": 9, "GLOVE": 9, "DOMAIN": "tweets"}.items():
        before = told("lstm")["settings"]
        with monkeypatch.context() as changed:
            changed.setattr(understanding, name, value)
            assert told("lstm")["settings"] != before


def test_all_rungs_have_steps_for_all_counts_of_labels():
    assert {*understanding.FOUND, *understanding.TRAINED} == set(understanding.MODELS)
    assert all(set(way.steps) == set(understanding.LABELS) for way in understanding.TRAINED.values())


def test_the_recorded_table_is_whole_and_of_these_settings(monkeypatch):
    monkeypatch.setattr(opinions, "digest", lambda *domains: "")  # test_opinions has the time for it
    check_recorded("understanding-ladder", understanding.AXES, understanding.experiment())


@pytest.mark.slow
def test_a_thin_slice_of_the_ladder(few, tmp_path):
    recipe = dataclasses.replace(
        RECIPES["understanding-ladder"], axes={"model": understanding.MODELS, "labels": (20,), "seed": (0,)}
    )
    recipe.run("understanding-ladder", steps=3, out=tmp_path)
    rows = table.read("understanding-ladder", tmp_path).set_index("model")
    assert (rows["texts"] == 12).all() and rows["accuracy"].between(0, 1).all()
    assert rows.loc["tf-idf", "accuracy"] == 1 and rows.loc["minilm, frozen", "trained"] == 2 * 384 + 2
    assert rows.loc["bert from scratch", "trained"] == rows.loc["prose-bert, tuned", "trained"]
    assert rows.loc["minilm, tuned", "trained"] > 20e6 > rows.loc["prose-bert, tuned", "trained"]
    assert recipe.run("understanding-ladder", steps=3, out=tmp_path).measured == 0
