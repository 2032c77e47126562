"""The recall experiment: what it draws, what it asks, and that its table is of these settings."""

import dataclasses

import pytest
import torch
from torch import nn

from vec2gpt.language import IGNORED
from vec2gpt.recipes import RECIPES, recorded, run
from vec2gpt.recipes.language import recall


def test_a_text_is_a_letter_then_noise_and_only_the_letter_is_asked_for():
    ids, targets = recall.texts(distance=7, size=500)(torch.Generator().manual_seed(0))
    letter, noise = ids[:, 0], ids[:, 1:]
    assert ids.shape == targets.shape == (500, 8)
    assert letter.unique().tolist() == [*range(8)] and noise.unique().tolist() == [8, 9]
    assert (targets[:, :-1] == IGNORED).all() and (targets[:, -1] == letter).all()


@pytest.mark.parametrize("wrong", [{"distance": 0, "size": 1}, {"distance": 1, "size": 0}])
def test_nothing_to_remember_is_answered(wrong):
    with pytest.raises(ValueError, match="distance and size must be at least 1, not"):
        recall.texts(**wrong)


class Reads(nn.Module):
    """Says the token at one place of the text, at every place of it."""

    def __init__(self, place):
        super().__init__()
        self.place = place

    def forward(self, ids):
        said = ids[:, self.place, None].expand_as(ids)
        return nn.functional.one_hot(said, 10).float(), None


def test_accuracy_of_a_perfect_memory_is_1_and_of_none_0():
    assert recall.accuracy(Reads(0), distance=5) == 1
    assert recall.accuracy(Reads(-1), distance=5) == 0  # what it sees last is noise, never a letter


def test_accuracy_of_always_the_same_letter_is_chance():
    class Stubborn(Reads):
        def forward(self, ids):
            return super().forward(torch.zeros_like(ids))

    assert recall.accuracy(Stubborn(0), distance=5) == pytest.approx(1 / 8, abs=0.04)


@pytest.mark.parametrize(("name", "opened"), [("lstm", 0), ("lstm, bias 1", 1), ("lstm, bias 3", 3)])
def test_a_name_says_how_far_the_forget_gates_are_opened(name, opened):
    def bias(name):
        torch.manual_seed(0)
        return recall.make(name).stack.cells[0].bias_ih.sum().item()

    assert bias(name) - bias("lstm") == pytest.approx(opened * recall.HIDDEN, abs=1e-3)


def test_an_unknown_cell_is_answered_with_those_there_are():
    with pytest.raises(KeyError, match="'elman'; there are rnn; lstm; lstm, bias 1; lstm, bias 3; gru"):
        recall.make("elman")


def test_the_recorded_table_is_whole_and_of_these_settings():
    table = recorded("recall")
    places = table[list(recall.AXES)]
    assert {axis: tuple(places[axis].unique()) for axis in places} == recall.AXES
    assert len(places) == len(places.drop_duplicates()) == 75
    assert set(table.settings) == {recall.SETTINGS} and set(table.steps) == {recall.STEPS}
    assert set(table.data) == {recall.experiment().data[:12]}, "is the table older than the recipe?"
    assert table.accuracy.between(0, 1).all()


@pytest.mark.slow
def test_a_thin_slice_reaches_what_the_table_says(monkeypatch, tmp_path):
    axes = {"cell": ("lstm", "gru"), "distance": (5,), "seed": (0,)}
    monkeypatch.setitem(RECIPES, "recall", dataclasses.replace(RECIPES["recall"], axes=axes))
    again, whole = run("recall", out=tmp_path).table, recorded("recall")
    for _, row in again.iterrows():
        same = whole[(whole[list(axes)] == row[list(axes)]).all(axis=1)].iloc[0]
        assert row.accuracy == pytest.approx(same.accuracy, abs=0.05)
