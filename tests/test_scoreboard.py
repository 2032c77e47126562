"""The scoreboards are the recorded tables and the cards, and nothing else."""

import json
import statistics
from pathlib import Path

import pandas as pd
import pytest

import vec2gpt.scoreboard as module
from vec2gpt.hub import checkpoints
from vec2gpt.recipes import recorded
from vec2gpt.scoreboard import LADDERS, scoreboard, whole, write

FILE = Path(__file__).parents[1] / "book" / "scoreboard.csv"


@pytest.fixture(scope="module")
def boards():
    return {name: scoreboard(name) for name in LADDERS}


@pytest.mark.parametrize(
    ("ladder", "table", "model", "column", "score"),
    [
        ("language", "language-ladder", "gru", "test_bits", "bits"),
        ("translation", "translation-ladder", "attention: dot", "test_wer", "word errors"),
    ],
)
def test_a_row_is_the_mean_over_its_seeds_and_their_spread(boards, ladder, table, model, column, score):
    rows = recorded(table)
    values = rows.loc[rows["model"] == model, column].tolist()
    board = boards[ladder]
    [found] = board[(board["model"] == model) & (board["budget"] == "equal steps")].to_dict("records")
    assert found[score] == pytest.approx(statistics.fmean(values))
    assert found["± " + score] == pytest.approx(statistics.stdev(values))
    assert found["seeds"] == len(values) == 3


def test_labels_part_the_rows_of_a_model(boards):
    board, rows = boards["understanding"], recorded("understanding-ladder")
    [found] = board[(board["model"] == "minilm, tuned") & (board["labels"] == 800)].to_dict("records")
    values = rows[(rows["model"] == "minilm, tuned") & (rows["labels"] == 800)]["accuracy"]
    assert found["accuracy"] == pytest.approx(values.mean()) and found["seeds"] == 5
    assert not board.duplicated(["model", "labels"]).any()


@pytest.mark.parametrize("ladder", ["language", "translation"])
def test_a_long_run_is_what_its_card_says(boards, ladder):
    board = boards[ladder].set_index("model")
    for name in LADDERS[ladder].long:
        card = json.loads((checkpoints.SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
        row = board.loc[name]
        assert (row["budget"], row["seeds"], row["steps"]) == ("long run", 1, card["steps"])
        for score, metric in LADDERS[ladder].cards.items():
            assert row[score] == card["metrics"][metric] and pd.isna(row["± " + score])


def test_all_that_was_recorded_is_there(boards):
    for name, ladder in LADDERS.items():
        for budget, table in ladder.budgets.items():
            there = set(boards[name].loc[boards[name]["budget"] == budget, "model"])
            assert there == set(recorded(table)["model"])


def test_the_book_s_file_is_of_today():
    """After a recipe has written a table anew: python -m tasks scoreboard."""
    there = pd.read_csv(FILE, dtype={"labels": "Int64"})
    pd.testing.assert_frame_equal(there, whole(), check_dtype=False)


def test_it_is_written_whole(tmp_path):
    path = write(tmp_path / "deep" / "board.csv")
    assert path.read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["board.csv"]


def test_what_does_not_fit_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="ladder is 'speech': choose one of language, translation, und"):
        scoreboard("speech")
    table = recorded("language-ladder")
    monkeypatch.setattr(module, "recorded", lambda name: table.assign(seed=0))
    with pytest.raises(ValueError, match="unigram has a seed twice: write the table anew"):
        scoreboard("language")
    monkeypatch.setattr(module, "recorded", lambda name: table.assign(data="other"))
    with pytest.raises(ValueError, match="shakespeare-rnn learned from other data than the table's rows"):
        scoreboard("language")
