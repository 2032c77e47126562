"""Labels from a teacher: which are taken, and who learns from them."""

import dataclasses

import pytest
import torch
from rated import check_recorded

from vec2gpt.recipes import RECIPES, table
from vec2gpt.recipes.understanding import opinions, pseudo_labels
from vec2gpt.recipes.understanding.opinions import Rated
from vec2gpt.recipes.understanding.pseudo_labels import Way, accept
from vec2gpt.splits import Split

SAID = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])


@pytest.mark.parametrize(
    ("threshold", "places", "classes"),
    [(0.7, [0, 2], [0, 1]), (0.5, [0, 1, 2], [0, 1, 1]), (0.95, [], []), (0, [0, 1, 2], [0, 1, 1])],
)
def test_what_is_sure_enough_is_taken(threshold, places, classes):
    found = accept(SAID, threshold)
    assert found[0].tolist() == places and found[1].tolist() == classes


def test_exactly_the_threshold_is_enough():
    assert accept(torch.tensor([[0.25, 0.75]]), 0.75)[0].tolist() == [0]


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(ValueError, match="threshold is"):
        accept(SAID, threshold)


@pytest.fixture
def few(monkeypatch):
    """Texts that the project made; of half of them the teacher is sure."""
    words = [("bad", "dull"), ("good", "fine")]
    texts = tuple(f"a {words[n % 2][n // 2 % 2]} film, number {n}" for n in range(120))
    train = Rated(texts, torch.arange(120) % 2)
    test = Rated(("a bad one", "a good one", "a dull one", "a fine one"), torch.tensor([0, 1, 0, 1]))
    monkeypatch.setattr(opinions, "split", lambda domain: Split(train, test, test))
    monkeypatch.setattr(pseudo_labels, "LABELS", 8)
    monkeypatch.setattr(pseudo_labels, "UNRATED", 60)
    monkeypatch.setattr(pseudo_labels, "ASKED", 4)

    def vectors(texts):
        """What the teacher sees: good or bad, and a weaker sign of fine or dull."""
        value = {"bad": -1.0, "good": 1.0, "dull": -0.1, "fine": 0.1}
        said = [next(value[word] for word in value if word in text) for text in texts]
        return torch.tensor([[value] for value in said])

    monkeypatch.setattr(pseudo_labels, "vectors", vectors)
    return train


def test_what_is_known_is_not_taken_as_unrated(few):
    known = opinions.draw("movies", 8, seed=0)
    others = pseudo_labels.unrated(known)
    assert len(others) == 60 and not set(others.texts) & set(known.texts)
    assert len(set(others.texts)) == 60


def test_the_student_gets_what_the_teacher_is_sure_of_and_no_true_label_of_it(few, monkeypatch):
    given = []
    monkeypatch.setattr(
        pseudo_labels, "student", lambda name, known, **_: given.append(known) or (lambda texts: None)
    )
    sure = pseudo_labels.learn(Way("tf-idf", 0.7), steps=1, seed=0)[1]
    everything = pseudo_labels.learn(Way("tf-idf", 0.5), steps=1, seed=0)[1]
    assert 0 < sure["accepted"] < everything["accepted"] == 60 and sure["right"] == 1
    assert all(("good" in text) or ("bad" in text) for text in given[0].texts[8:])
    assert len(given[1]) == 68
    pseudo_labels.learn(Way("tf-idf"), steps=1, seed=0)
    assert len(given[2]) == 8 and given[2].texts == given[0].texts[:8]
    wrong = few.only(torch.arange(120))
    object.__setattr__(wrong, "labels", 1 - few.labels)  # the true labels of all but the 8 known turn round
    monkeypatch.setattr(opinions, "split", lambda domain: Split(wrong, wrong, wrong))
    monkeypatch.setattr(opinions, "draw", lambda *_, **__: given[2])
    assert pseudo_labels.learn(Way("tf-idf", 0.5), steps=1, seed=0)[1]["right"] < 0.5
    assert torch.equal(given[3].labels, given[1].labels)  # what is learnt from is the same
    pseudo_labels.learn(Way("tf-idf", 0.5, true=True), steps=1, seed=0)
    assert not torch.equal(given[4].labels, given[1].labels)


def test_the_teacher_answers_itself(few):
    guess, figures = pseudo_labels.learn(Way("teacher"), steps=1, seed=0)
    assert guess(["a good one", "a bad one"]).tolist() == [1, 0] and figures["accepted"] == 0


def test_the_recorded_table_is_whole_and_of_these_settings(monkeypatch):
    monkeypatch.setattr(opinions, "digest", lambda *domains: "")  # test_opinions has the time for it
    nobody = [name for name, way in pseudo_labels.WAYS.items() if way.threshold is None]
    found = check_recorded("pseudo-labels", pseudo_labels.AXES, pseudo_labels.experiment(), but=["right"])
    assert (found["right"].isna() == found["way"].isin(nobody)).all()  # of no label no share is right


@pytest.mark.slow
def test_a_thin_slice_of_the_table(few, tmp_path):
    axes = {"seed": (0,), "way": ("teacher", "tf-idf", "tf-idf, 0.5", "prose-bert, 0.7")}
    recipe = dataclasses.replace(RECIPES["pseudo-labels"], axes=axes)
    recipe.run("pseudo-labels", steps=3, out=tmp_path)
    rows = table.read("pseudo-labels", tmp_path).set_index("way")
    assert rows.loc["tf-idf, 0.5", "accepted"] == 60 and rows.loc["tf-idf", "accepted"] == 0
    assert rows["accuracy"].between(0, 1).all() and rows.loc["tf-idf, 0.5", "right"] > 0.6
    assert rows.loc["prose-bert, 0.7", "steps"] == 3 and rows.loc["tf-idf", "steps"] == 0
    assert recipe.run("pseudo-labels", steps=3, out=tmp_path).measured == 0
