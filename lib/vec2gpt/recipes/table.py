"""A recipe of the second kind: it trains many small models and writes a table, a row for each.

The table is a CSV file, from which a chapter plots. It is written when all its rows are there; until then
they are kept beside it, in a file that ends in `.run`, and a run that was stopped goes on behind the last.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from itertools import product
from math import prod
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from vec2gpt.files import replacing

SHIPPED = Path(str(resources.files("vec2gpt"))) / "results"


class Experiment(NamedTuple):
    """What a table needs to know of its data."""

    settings: Callable[..., dict]  # of a row, from its place on the axes: all that decides its figures
    measure: Callable[..., dict]  # the figures, from the settings
    data: str  # sha256 of the package that the data comes from
    text: str  # sha256 of the text that was made of it, for its cleaning matters too


class Recorded(NamedTuple):
    table: pd.DataFrame
    path: Path
    measured: int  # so many of its rows are new; the others were there

    def __str__(self) -> str:
        return f"{self.path}: {len(self.table)} rows, {self.measured} of them new"


@dataclass(frozen=True)
class TableRecipe:
    about: str
    axes: dict[str, tuple]  # a row for each combination of their values
    experiment: Callable[[], Experiment]

    @property
    def size(self) -> str:
        return f"{prod(map(len, self.axes.values()))} rows"

    def run(self, name: str, *, steps: int | None = None, out: str | Path | None = None) -> Recorded:
        """Measure the rows that are missing and write the table; arguments and errors as for `recipes.run`.

        A row that is there with the same settings and data is taken as it is: to measure anew, delete the
        table. ValueError for `steps` without `out`: the package's table is of whole runs.
        """
        if steps is not None and out is None:
            raise ValueError(f"steps={steps} would replace the table that came with the book: name out too")
        rows, experiment = _Rows(file(name, out)), self.experiment()
        plan = [experiment.settings(**place, steps=steps) for place in self._places()]
        source = {"data": experiment.data[:12], "text": experiment.text[:12]}
        keys = [_text(settings | source) for settings in plan]
        missing = [n for n, key in enumerate(keys) if rows.find(key) is None]
        for n in missing:
            print(f"row {n + 1} of {len(plan)}:", *map(plan[n].get, self.axes), flush=True)
            try:
                rows.add(_text(plan[n] | experiment.measure(**plan[n])) | keys[n] | {"machine": machine()})
            except KeyboardInterrupt:
                raise KeyboardInterrupt(f"stopped at row {n + 1}: run it again to go on") from None
        rows.finish(keys)
        return Recorded(read(name, out), rows.path, len(missing))

    def _places(self) -> list[dict]:
        return [dict(zip(self.axes, values, strict=True)) for values in product(*self.axes.values())]


def read(name: str, out: str | Path | None = None) -> pd.DataFrame:
    """The table that a recipe has written; FileNotFoundError, with the command that writes it."""
    path = file(name, out)
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; write it with: python -m vec2gpt.recipes {name}")
    return pd.read_csv(path, dtype={"data": str, "text": str})  # a hash may look like a number: 12e456


def file(name: str, out: str | Path | None = None) -> Path:
    """Where a recipe writes its table."""
    return Path(out or SHIPPED) / f"{name.replace('-', '_')}.csv"


def machine() -> str:
    """What a figure may depend on besides its settings."""
    return f"{os.cpu_count()} CPUs; torch {torch.__version__}"


# --------------------------------------------------------------------------------------- rows, as in the file

Row = dict[str, str]


class _Rows:
    """What has been measured so far, on disk after each row."""

    def __init__(self, path: Path):
        self.path, self.state = path, path.with_suffix(".run")
        self.rows = [*_rows(self.path), *_rows(self.state)]

    def find(self, key: Row) -> Row | None:
        """The row that agrees with the key in all that the key names."""
        return next((row for row in self.rows if key.items() <= row.items()), None)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        _write(self.state, self.rows)

    def finish(self, keys: list[Row]) -> None:
        """Write the table: a row for each key, in their order."""
        _write(self.path, [self.find(key) for key in keys])
        self.state.unlink(missing_ok=True)


def _rows(path: Path) -> list[Row]:
    return pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records") if path.exists() else []


def _write(path: Path, rows: list[Row]) -> None:
    with replacing(path) as draft:
        pd.DataFrame(rows).to_csv(draft, index=False)


def _text(values: dict) -> Row:
    return {name: str(value) for name, value in values.items()}
