"""The widgets without a model of chapter 14: what their views are given."""

import json
import math

import pandas as pd
import pytest

from vec2gpt.choosing import ADVICE, QUESTIONS, START
from vec2gpt.families import bert_and_gpt, families, models
from vec2gpt.scoreboard import LADDERS, scoreboard
from vec2gpt.timeline import EVENTS, THREADS
from vec2gpt.widgets.chooser import chooser_widget
from vec2gpt.widgets.table import scoreboard_widget, table_widget
from vec2gpt.widgets.timeline import timeline_widget

BOARD = pd.DataFrame(
    {"model": ["n-gram", "gpt", "rnn"], "bits": [2.11, 1.98, None], "± bits": [0.0, math.nan, 0.1]}
)


@pytest.fixture(params=[chooser_widget, timeline_widget, lambda: table_widget(BOARD)])
def widget(request):
    return request.param()


def test_no_model_is_exported_and_all_is_plain_data(widget):
    assert widget.spec["order"] == [] and widget.spec["models"] == {}
    json.dumps([widget.settings, widget.first, widget.spec], allow_nan=False)


def test_nothing_is_written_into_a_site(monkeypatch, tmp_path):
    monkeypatch.setenv("VEC2GPT_SITE", str(tmp_path))
    for make in (chooser_widget, timeline_widget, lambda: scoreboard_widget("language")):
        make()
    assert not list(tmp_path.iterdir())


# ---- the chooser ----


def test_the_chooser_holds_the_whole_chart_and_what_was_measured():
    settings = chooser_widget().settings
    assert settings["start"] == START
    assert {name: dict(one["options"]) for name, one in settings["questions"].items()} == {
        name: one.options for name, one in QUESTIONS.items()
    }
    assert settings["advice"].keys() == ADVICE.keys()
    best, baseline = settings["advice"]["tuned encoder"]["measured"]
    assert (best["model"], baseline["model"], best["labels"]) == ("minilm, tuned", "tf-idf", 800)
    assert best["mean"] > baseline["mean"]


# ---- the timeline ----


def test_the_timeline_holds_every_event_and_starts_where_it_is_told():
    settings = timeline_widget("BERT").settings
    assert [event["name"] for event in settings["events"]] == [event.name for event in EVENTS]
    assert dict(settings["threads"]) == THREADS
    assert settings["events"][settings["start"]]["name"] == "BERT"
    with pytest.raises(ValueError, match=r"start is 'ELIZA': choose one of Markov's chains, n-grams"):
        timeline_widget("ELIZA")


# ---- tables ----


def test_spreads_stand_beside_their_numbers_and_what_is_unknown_is_none():
    settings = table_widget(BOARD, "Bits", better={"bits": "low"}).settings
    assert [column["label"] for column in settings["columns"]] == ["model", "bits"]
    assert settings["rows"] == [["n-gram", [2.11, 0.0]], ["gpt", 1.98], ["rnn", None]]
    assert (settings["by"], settings["down"], settings["caption"]) == (1, False, "Bits")
    assert table_widget(BOARD).settings["by"] == 0
    assert table_widget(BOARD, by="bits", better={"bits": "high"}).settings["down"] is True


def test_the_kinds_of_columns():
    frame = pd.DataFrame({"model": list("abcd"), "year": [1997, 2017, 2018, 2018], "chapter": [3, 7, 10, 12]})
    frame = frame.assign(kind=["x", "y", "x", "y"], size=[1, 2, 3, 4], loss=0.5, remark=list("efgh"))
    columns = {
        column["label"]: column for column in table_widget(frame, digits={"loss": 1}).settings["columns"]
    }
    assert [one["kind"] for one in columns.values()] == [
        "text",
        "year",
        "chapter",
        "text",
        "number",
        "number",
        "text",
    ]
    assert (columns["size"]["digits"], columns["loss"]["digits"]) == (0, 1)
    assert {name for name, one in columns.items() if one["choices"]} == {"kind"}
    asked = table_widget(frame, choices=["chapter"]).settings["columns"]
    assert [one["choices"] for one in asked if one["choices"]] == [["3", "7", "10", "12"]]


@pytest.mark.parametrize("ladder", LADDERS)
def test_a_scoreboard_begins_with_the_best(ladder):
    settings, table = scoreboard_widget(ladder).settings, scoreboard(ladder)
    column = settings["columns"][settings["by"]]
    assert column["label"] == next(iter(LADDERS[ladder].scores)) and column["better"]
    assert settings["down"] == (LADDERS[ladder].better == "high")
    assert [row[0] for row in settings["rows"]] == table["model"].tolist()
    choices = {one["label"]: one["choices"] for one in settings["columns"] if one["choices"]}
    assert choices.keys() == ({"labels"} if ladder == "understanding" else {"budget"})


@pytest.mark.parametrize("make", [models, families, bert_and_gpt])
def test_the_families_tables_can_be_shown(make):
    frame = make()
    assert len(table_widget(frame).settings["rows"]) == len(frame)


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        (BOARD[:0], {}, "the table has 0 rows: give 1 … 500"),
        (pd.concat([BOARD] * 200), {}, "the table has 600 rows"),
        (BOARD, {"by": "loss"}, "no column is called 'loss': there are 'model', 'bits'"),
        (BOARD, {"better": {"losses": "low"}}, "no column is called 'losses'"),
        (BOARD, {"better": {"bits": "small"}}, "better is 'small' for 'bits': say low or high"),
        (BOARD, {"choices": ["kind"]}, "no column is called 'kind'"),
        (BOARD.rename(columns={"± bits": "± loss"}), {}, "no column is called 'loss'"),
        (BOARD.assign(bits=math.inf), {}, "'bits' has the number inf: only finite ones"),
    ],
)
def test_what_a_table_cannot_show_is_told(frame, options, said):
    with pytest.raises(ValueError, match=said):
        table_widget(frame, **options)
