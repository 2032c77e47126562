"""The tables of the language ladder: whole, of these settings, and measured again in a thin slice."""

import dataclasses

import pytest

from vec2gpt.recipes import RECIPES, ladder, recorded, shakespeare, table
from vec2gpt.recipes.__main__ import main

TABLES = {"language-ladder": ladder.CLIMB, "ngram-orders": ladder.ORDERS, "language-data": ladder.DATA}


@pytest.mark.parametrize("name", TABLES)
def test_a_recorded_table_is_whole_and_of_these_plays(name):
    rows, axes = recorded(name), TABLES[name]
    places = rows[list(axes)]
    assert len(places) == len(places.drop_duplicates())
    assert {axis: tuple(places[axis].unique()) for axis in places} == axes
    assert rows.notna().all(axis=None)
    assert set(rows.text) == {shakespeare.digest()[:12]}


@pytest.mark.parametrize("name", ["language-ladder", "language-data"])
def test_a_recorded_table_is_of_these_settings(name):
    for _, row in recorded(name).iterrows():
        way = ladder.WAYS[row.model]
        assert row.settings == way.settings and row.steps == (ladder.STEPS if way.learns else 0)


def test_the_order_of_the_ladder_is_the_best_on_validation():
    orders = recorded("ngram-orders")
    whole = orders[orders.share == 1].sort_values("validation_bits")
    assert whole.validation_bits.iloc[0] >= whole[whole.order == ladder.ORDER].validation_bits.item() - 5e-4


@pytest.mark.slow
def test_counting_again_gives_the_same_bits(tmp_path, monkeypatch):
    axes = {"order": (1, ladder.ORDER), "share": ladder.SHARES[:1]}
    monkeypatch.setitem(RECIPES, "ngram-orders", dataclasses.replace(RECIPES["ngram-orders"], axes=axes))
    assert main(["ngram-orders", "--out", str(tmp_path)]) == 0
    before = recorded("ngram-orders").set_index(["order", "share"])
    for _, row in table.read("ngram-orders", tmp_path).iterrows():
        same = before.loc[row.order, row.share]
        assert row.parameters == same.parameters
        assert row.test_bits == pytest.approx(same.test_bits, abs=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("model", [model for model, way in ladder.WAYS.items() if way.learns])
def test_a_thin_slice_learns_something(model, tmp_path, monkeypatch):
    train, validation, test = shakespeare.numbered()
    monkeypatch.setattr(ladder, "_plays", lambda: (train, validation[:, :200], test[:, :200]))
    axes = {"model": (model,), "seed": (0,)}
    monkeypatch.setitem(
        RECIPES, "language-ladder", dataclasses.replace(RECIPES["language-ladder"], axes=axes)
    )
    assert main(["language-ladder", "--steps", "30", "--out", str(tmp_path)]) == 0
    [row] = table.read("language-ladder", tmp_path).itertuples()
    full = recorded("language-ladder")
    assert row.parameters == full[full.model == model].parameters.iloc[0]
    assert full[full.model == model].test_bits.max() < row.test_bits < 4.8, (
        "worse than at the end, better than counts"
    )
