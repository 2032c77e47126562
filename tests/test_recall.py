"""The recall experiment: what it draws, what it asks, and that its table is of these settings."""

import dataclasses

import pytest
import torch
from torch import nn

from vec2gpt.language import IGNORED
from vec2gpt.recipes import RECIPES, recall, recorded, run


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


def test_the_bias_is_raised_at_the_forget_gates_and_nowhere_else():
    torch.manual_seed(0)
    plain = recall.make("lstm").state_dict()
    torch.manual_seed(0)
    raised = recall.make("lstm, bias 3").state_dict()
    differences = {name: raised[name] - plain[name] for name in plain}
    hidden = recall.HIDDEN
    forget = differences.pop("stack.cells.0.bias_ih")
    assert not any(difference.any() for difference in differences.values())
    torch.testing.assert_close(forget[hidden : 2 * hidden], torch.full((hidden,), 3.0))
    assert forget.count_nonzero() == hidden


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
