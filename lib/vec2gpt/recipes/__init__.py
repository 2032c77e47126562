"""The long runs behind what comes with the book, checkpoints and tables: anyone can repeat them.

    python -m vec2gpt.recipes                     what there is
    python -m vec2gpt.recipes shakespeare-gpt     train it and write its checkpoint
    python -m vec2gpt.recipes word-vectors        train them all and write what they reached
    python -m vec2gpt.recipes shakespeare-gpt --text mine.txt --out runs     the same on a text of your own
    torchrun --nproc_per_node 2 -m vec2gpt.recipes shakespeare-gpt           in two processes together

A recipe that makes a checkpoint names a task (data, batches, what is measured), a model and how long to
train; one that makes a table names its axes and the experiment that each row repeats. A run that is stopped
goes on where it was when it is started again. To add one, add a row to its part's RECIPES.
"""

from functools import partial
from pathlib import Path

import pandas as pd

from vec2gpt import processes
from vec2gpt.recipes import assistant, language, pretraining, table, translation, understanding, words
from vec2gpt.recipes.checkpoint import Trained
from vec2gpt.recipes.own_text import OwnText
from vec2gpt.recipes.table import Recorded, TableRecipe

PARTS = words, language, translation, pretraining, understanding, assistant
RECIPES = {name: recipe for part in PARTS for name, recipe in part.RECIPES.items()}


def run(
    name: str,
    *,
    steps: int | None = None,
    out: str | Path | None = None,
    text: str | Path | None = None,
) -> Trained | Recorded:
    """Train what the recipe of that name trains and write its checkpoint or table.

    steps: instead of the recipe's own. out: a folder instead of the package's. text: a UTF-8 file to train a
    language model on, instead of Shakespeare; it needs `out`.

    KeyError for an unknown name; ValueError for steps below 1, for a table of other steps than the recipe's
    without `out`, for a text that cannot be had or is too short, for a checkpoint of other data that lies in
    `out` already, for a table in several processes. KeyboardInterrupt when stopped by hand: nothing is
    written but the state from which the same call goes on.
    """
    if name not in RECIPES:
        raise KeyError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    if steps is not None and steps < 1:
        raise ValueError(f"steps is {steps}: train at least 1")
    recipe = RECIPES[name]
    if processes.count() > 1 and isinstance(recipe, TableRecipe):
        raise ValueError(f"{name} makes a table, of many small models: run it in one process")
    if text is None:
        return recipe.run(name, steps=steps, out=out)
    readers = [known for known, recipe in RECIPES.items() if getattr(recipe, "takes_text", False)]
    if name not in readers:
        raise ValueError(f"{name} takes no text; {', '.join(readers)} do")
    if out is None:
        raise ValueError("a model of your own text does not belong in the package: name a folder in --out")
    return recipe.run(name, steps=steps, out=out, text=processes.from_first(partial(OwnText.read, text)))


def recorded(name: str) -> pd.DataFrame:
    """The table that came with the book, as the recipe of that name wrote it.

    KeyError for a recipe that makes no table, FileNotFoundError for one that has not been run.
    """
    tables = [known for known, recipe in RECIPES.items() if isinstance(recipe, TableRecipe)]
    if name not in tables:
        raise KeyError(f"no recipe called {name!r} makes a table; there are {', '.join(tables)}")
    return table.read(name)
