"""A table to sort and to filter: families of models, and the three scoreboards (chapter 14).

There is no model: the rows are data, and the page sorts them.
"""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import pandas as pd
import torch

from vec2gpt.checks import chosen
from vec2gpt.scoreboard import LADDERS, SPREAD, scoreboard
from vec2gpt.widgets.live import LiveModel

MOST = 500  # rows: a page holds them all
FEW = 8  # different values of a column that a reader chooses between
BETTER = ("low", "high")


def table_widget(
    frame: pd.DataFrame,
    caption: str = "",
    *,
    by: str | None = None,
    better: Mapping[str, str] | None = None,
    choices: Sequence[str] | None = None,
    digits: Mapping[str, int] | None = None,
) -> LiveModel:
    """The rows of a table, to sort by any column and to filter by text.

    frame: texts and numbers, the first column says what a row is. A column "± X" is the spread of X, and is
        shown beside it. NaN: nothing is known. Columns called "year" and "chapter" are shown as such.
    by: the column that they are sorted by at first; without it by the first that has a better, or by the
        first of all. better: column -> "low" or "high": where the best stands.
    choices: columns with a list of their values to choose from; without them, columns of text, the first
        apart, of 2 to 8 different values that repeat. digits: column -> digits behind the point; without
        them 3, of whole numbers 0.

    ValueError: no rows or more than 500; names that are no columns; infinite numbers.

    >>> table_widget(pd.DataFrame({"model": ["n-gram", "gpt"], "bits": [2.11, 1.98]}), better={"bits": "low"})
    LiveModel(table: rows → )
    """
    if not 0 < len(frame) <= MOST:
        raise ValueError(f"the table has {len(frame)} rows: give 1 … {MOST}")
    better, digits = dict(better or {}), dict(digits or {})
    names = [str(name) for name in frame.columns if not str(name).startswith(SPREAD)]
    spreads = [str(name).removeprefix(SPREAD) for name in frame.columns if str(name).startswith(SPREAD)]
    asked = [*better, *digits, *(choices or []), *spreads, *([] if by is None else [by])]
    if unknown := [name for name in asked if name not in names]:
        raise ValueError(f"no column is called {unknown[0]!r}: there are {', '.join(map(repr, names))}")
    columns = [_column(frame[name], name, better, digits) for name in names]
    if choices is None:
        choices = [name for name in names[1:] if _repeats(frame[name])]
    for name in choices:
        columns[names.index(name)]["choices"] = _different(frame[name])
    first = names.index(by if by is not None else next(iter(better), names[0]))
    return LiveModel(
        "table",
        {},
        {"rows": torch.tensor([len(frame)])},
        [],
        settings={
            "caption": caption,
            "columns": columns,
            "rows": [list(row) for row in zip(*(_cells(frame, name) for name in names), strict=True)],
            "by": first,
            "down": columns[first]["better"] == "high",
        },
    )


def scoreboard_widget(ladder: str) -> LiveModel:
    """A ladder's scoreboard, the best on top.

    >>> scoreboard_widget("language")
    LiveModel(table: rows → )
    """
    one = chosen(LADDERS, ladder=ladder)
    table = scoreboard(ladder)
    if table["budget"].nunique() == 1:
        table = table.drop(columns="budget")
    choices = [name for name in ("budget", *one.cases) if name in table]
    return table_widget(table, one.task, better=dict.fromkeys(one.scores, one.better), choices=choices)


def _column(values: pd.Series, name: str, better: dict, digits: dict) -> dict:
    """What the view needs to know of a column."""
    isnt_text = all(isinstance(value, Real) for value in values)
    is_whole = isnt_text and all(math.isnan(value) or float(value).is_integer() for value in values)
    kind = name if name in ("year", "chapter") and isnt_text else "number" if isnt_text else "text"
    if name in better and better[name] not in BETTER:
        raise ValueError(f"better is {better[name]!r} for {name!r}: say low or high")
    return {
        "label": name,
        "kind": kind,
        "digits": int(digits.get(name, 0 if is_whole else 3)),
        "better": better.get(name, ""),
        "choices": None,
    }


def _different(values: pd.Series) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if not _is_unknown(value)))


def _repeats(values: pd.Series) -> bool:
    """Whether there is something to choose: a few texts, each of several rows."""
    is_text = all(isinstance(value, str) or _is_unknown(value) for value in values)
    return is_text and 2 <= len(_different(values)) <= min(FEW, len(values) // 2)


def _cells(frame: pd.DataFrame, name: str) -> list:
    """A column's cells as plain data: text, a number, a number and its spread, None."""
    spreads = frame[SPREAD + name] if SPREAD + name in frame else [None] * len(frame)
    return [_cell(value, spread, name) for value, spread in zip(frame[name], spreads, strict=True)]


def _cell(value, spread, name: str):
    if _is_unknown(value):
        return None
    if not isinstance(value, Real):
        return str(value)
    if math.isinf(value):
        raise ValueError(f"{name!r} has the number {value}: only finite ones can be sorted and shown")
    number = int(value) if isinstance(value, Integral) else float(f"{value:.6g}")
    return number if _is_unknown(spread) else [number, float(f"{spread:.3g}")]


def _is_unknown(value) -> bool:
    return value is None or value is pd.NA or (isinstance(value, Real) and math.isnan(value))
