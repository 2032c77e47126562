"""What a recipe needs to know of its data."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from vec2gpt.text import Vocab
from vec2gpt.training import Draw


class Task(NamedTuple):
    vocabs: dict[str, Vocab]  # by role
    draw: Draw  # batches to train on
    measure: Callable[[nn.Module], dict[str, float]]  # what a model reaches on data it never saw
    data: str  # sha256 of the package that the data comes from
    validate: Callable[[nn.Module], float] | None = None  # a quick look on the way
