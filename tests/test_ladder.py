"""The tables of the language ladder: whole, of these settings, and measured again in a thin slice."""

import dataclasses

import pytest

from vec2gpt.recipes import RECIPES, recorded, table
from vec2gpt.recipes.__main__ import main
from vec2gpt.recipes.language import ladder, scaling, shakespeare

TABLES = {
    "language-ladder": ladder.CLIMB,
    "language-time": ladder.CLOCK,
    "gpt-styles": ladder.STYLES,
    "scaling": scaling.AXES,
    "ngram-orders": ladder.ORDERS,
    "language-data": ladder.DATA,
}
SLICE = 200  # tokens of each held-out row that a thin slice is judged by


@pytest.mark.parametrize("name", TABLES)
def test_a_recorded_table_is_whole_and_of_these_plays(name):
    rows, axes = recorded(name), TABLES[name]
    places = rows[list(axes)]
    assert len(places) == len(places.drop_duplicates())
    assert {axis: tuple(places[axis].unique()) for axis in places} == axes
    assert rows.notna().all(axis=None)
    assert set(rows.text) == {shakespeare.digest()[:12]}


@pytest.mark.parametrize("name", TABLES)
def test_a_recorded_table_is_of_these_settings(name):
    settings = RECIPES[name].experiment().settings
    for _, row in recorded(name).iterrows():
        expected = settings(**{axis: row[axis] for axis in TABLES[name]})
        assert {key: row[key] for key in expected} == expected


def test_equal_time_is_the_time_of_the_lstm():
    """Its own steps are the ladder's, so the two tables hold one figure twice."""
    time, steps = (
        recorded(name).set_index(["model", "seed"]) for name in ("language-time", "language-ladder")
    )
    assert (time.test_bits["lstm"] == steps.test_bits["lstm"]).all()


def test_gpt_2_and_today_are_those_of_the_ladder():
    styles = recorded("gpt-styles").set_index(["style", "seed"]).test_bits
    models = recorded("language-ladder").set_index(["model", "seed"]).test_bits
    for style, model in {"gpt-2": "gpt", "today": "gpt today"}.items():
        found = styles[style]
        assert found.tolist() == pytest.approx(models[model][found.index].tolist(), abs=2e-3)


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


def sliced(plays):
    held_out = {part: ids[:, :SLICE] for part, ids in plays.held_out.items()}
    return plays._replace(held_out=held_out)


def slice_of(name, place, folder, monkeypatch, *, steps):
    """One row of a table, measured again: trained less, and judged on a part."""
    plays, subwords = sliced(ladder._plays()), sliced(ladder._subwords())
    monkeypatch.setattr(ladder, "_plays", lambda: plays)
    monkeypatch.setattr(ladder, "_subwords", lambda: subwords)
    axes = {axis: (value,) for axis, value in place.items()}
    monkeypatch.setitem(RECIPES, name, dataclasses.replace(RECIPES[name], axes=axes))
    assert main([name, "--steps", str(steps), "--out", str(folder)]) == 0
    [row] = table.read(name, folder).itertuples()
    whole = recorded(name)
    for axis, value in place.items():
        whole = whole[whole[axis] == value]
    return row, whole


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "place"),
    [
        *(("language-ladder", {"model": model}) for model, way in ladder.WAYS.items() if way.learns),
        ("language-time", {"model": "rnn"}),
        ("gpt-styles", {"style": "experts"}),
    ],
)
def test_a_thin_slice_learns_something(name, place, tmp_path, monkeypatch):
    row, whole = slice_of(name, place | {"seed": 0}, tmp_path, monkeypatch, steps=30)
    assert row.parameters == whole.parameters.iloc[0]
    assert whole.test_bits.max() < row.test_bits < 4.8, "worse than at the end, better than counts"


@pytest.mark.slow
def test_a_thin_slice_of_scaling_learns_something(tmp_path, monkeypatch):
    numbered = shakespeare.numbered()
    monkeypatch.setattr(
        shakespeare, "numbered", lambda: (numbered[0], *(ids[:, :SLICE] for ids in numbered[1:]))
    )
    place = {"seed": 0, "width": 32, "characters": scaling.BUDGETS[0]}
    row, whole = slice_of("scaling", place, tmp_path, monkeypatch, steps=60)
    assert (row.parameters, row.in_blocks) == (whole.parameters.item(), whole.in_blocks.item())
    assert whole.test_bits.item() < row.test_bits < 4.8
