"""The three ladders read off: what each model reached, out of what the recipes recorded.

Nothing here is typed: the rows are means over the seeds of `recipes.recorded` tables, and the long runs what
the cards of their checkpoints say. A spread is the sample's standard deviation over the seeds; a long run has
one seed, and no spread. Left out: models whose test texts may have been in what they were trained on.

    >>> scoreboard("language").loc[lambda rows: rows["model"] == "n-gram", "bits"].round(2).tolist()
    [2.11]
"""

import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vec2gpt.checks import chosen
from vec2gpt.files import replacing
from vec2gpt.hub import checkpoints
from vec2gpt.recipes import recorded

SPREAD = "± "  # a column of this and another's name holds the other's spread


class Ladder(NamedTuple):
    """One task on held-out data, climbed by every model in turn."""

    task: str
    budgets: dict[str, str]  # what a model was given -> the table
    scores: dict[str, str]  # name here -> column of the tables
    better: str  # "low" or "high"
    size: str = "parameters"  # column of the tables: how many numbers the task trained
    cases: tuple[str, ...] = ()  # columns of the tables that part rows of one model
    long: tuple[str, ...] = ()  # checkpoints that learned longer from the same data
    cards: dict[str, str] | None = None  # name of a score here -> metric of the cards


LADDERS = {
    "language": Ladder(
        task="Shakespeare's plays by character: bits a character on held-out plays",
        budgets={"equal steps": "language-ladder", "equal time": "language-time"},
        scores={"bits": "test_bits"},
        better="low",
        long=("shakespeare-rnn", "shakespeare-lstm", "shakespeare-gru", "shakespeare-gpt"),
        cards={"bits": "test_bits_per_character"},
    ),
    "translation": Ladder(
        task="From spelling to sounds, CMUdict: the share of held-out words, and of sounds, that are wrong",
        budgets={"equal steps": "translation-ladder"},
        scores={"word errors": "test_wer", "sound errors": "test_per"},
        better="low",
        long=("cmudict-gru", "cmudict-attention", "cmudict-transformer"),
        cards={"word errors": "test_word_error_rate", "sound errors": "test_phoneme_error_rate"},
    ),
    "understanding": Ladder(
        task="For or against, sentences on films: the share of held-out ones that is right, by labels seen",
        budgets={"few labels": "understanding-ladder"},
        scores={"accuracy": "accuracy"},
        better="high",
        size="trained",
        cases=("labels",),
    ),
}


def scoreboard(ladder: str) -> pd.DataFrame:
    """What each model reached on a ladder, in the order in which they came up.

    Columns: model, of a long run the checkpoint's name; those of `cases`; for each score its mean and, called
    "± " and its name, the spread (NaN where there is one seed); budget; steps; seeds; trained, how many
    numbers learned (of a pretrained model those that the task changed).

    FileNotFoundError: a table has not been recorded. ValueError: no such ladder; a seed stands twice in a
    table; a checkpoint learned from other data than the table's rows.
    """
    one = chosen(LADDERS, ladder=ladder)
    tables = {budget: recorded(name) for budget, name in one.budgets.items()}
    parts = [_means(table, one).assign(budget=budget) for budget, table in tables.items()]
    parts += [_long_runs(one, set(tables[next(iter(tables))]["data"]))] if one.long else []
    scores = [name for score in one.scores for name in (score, SPREAD + score)]
    columns = ["model", *one.cases, *scores, "budget", "steps", "seeds", "trained"]
    return pd.concat(parts, ignore_index=True)[columns]


def whole() -> pd.DataFrame:
    """All three, a row for each score: what `python -m tasks scoreboard` writes."""
    return pd.concat([_long_form(name) for name in LADDERS], ignore_index=True)


def _means(table: pd.DataFrame, one: Ladder) -> pd.DataFrame:
    """A row for each model and case."""
    rows = []
    for names, group in table.groupby(["model", *one.cases], sort=False):
        if group["seed"].duplicated().any():
            raise ValueError(f"{', '.join(map(str, names))} has a seed twice: write the table anew")
        row = dict(zip(["model", *one.cases], names, strict=True))
        row |= {"steps": round(group["steps"].mean()), "seeds": len(group)}
        row |= {"trained": round(group[one.size].mean())}
        for score, column in one.scores.items():
            row |= {score: group[column].mean(), SPREAD + score: group[column].std(ddof=1)}
        rows.append(row)
    return pd.DataFrame(rows)


def _long_runs(one: Ladder, data: set[str]) -> pd.DataFrame:
    """A row for each checkpoint: its card's figures, and how many numbers the model has."""
    rows = []
    for name in one.long:
        found = checkpoints.load(name)
        if found.card["data"][:12] not in data:
            raise ValueError(f"{name} learned from other data than the table's rows: train it anew")
        row = {"model": name, "budget": "long run", "steps": found.card["steps"], "seeds": 1}
        row |= {"trained": sum(weight.numel() for weight in found.model.parameters())}
        for score, metric in one.cards.items():
            row |= {score: found.card["metrics"][metric], SPREAD + score: float("nan")}
        rows.append(row)
    return pd.DataFrame(rows)


def _long_form(ladder: str) -> pd.DataFrame:
    one, table = LADDERS[ladder], scoreboard(ladder)
    parts = []
    for score in one.scores:
        kept = table[["model", "budget", "steps", "seeds", "trained"]].copy()
        kept.insert(0, "ladder", ladder)
        kept.insert(2, "labels", table.get("labels", pd.NA))
        parts.append(
            kept.assign(score=score, mean=table[score].round(4), spread=table[SPREAD + score].round(4))
        )
    return pd.concat(parts, ignore_index=True).astype({"labels": "Int64"})


def write(path: str | Path) -> Path:
    """Write all three as a CSV file, whole or not at all."""
    with replacing(Path(path)) as file:
        whole().to_csv(file, index=False)
    return Path(path)


if __name__ == "__main__":
    for _name in LADDERS:
        print(f"{_name}: {LADDERS[_name].task}\n{scoreboard(_name).round(3).to_string(index=False)}\n")
    for _path in sys.argv[1:]:
        print(f"written to {write(_path)}")
