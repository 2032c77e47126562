"""What the recipes share: what one needs to know of its data, and how the small models are trained."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.text import Vocab
from vec2gpt.training import Draw, fit, warmup_cosine


class Task(NamedTuple):
    vocabs: dict[str, Vocab]  # by role
    draw: Draw  # batches to train on
    measure: Callable[[nn.Module], dict[str, float]]  # what a model reaches on data it never saw
    data: str  # sha256 of the package that the data comes from, or of the reader's own file
    validate: Callable[[nn.Module], float] | None = None  # a quick look on the way


def warmup(steps: int) -> int:
    """Steps on which the learning rate rises: a twentieth of all."""
    return steps // 20


def train(model: nn.Module, draw: Draw, *, steps: int, lr: float, seed: int) -> None:
    """Train a rung of a ladder; KeyboardInterrupt when stopped by hand: there is nothing to judge."""
    schedule = warmup_cosine(steps, warmup=warmup(steps))
    if fit(model, draw, steps=steps, lr=lr, schedule=schedule, seed=seed).interrupted:
        raise KeyboardInterrupt


def size(model: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(weight.numel() for weight in model.parameters())


def device(model: nn.Module) -> torch.device:
    """Where it computes."""
    return next((weight.device for weight in model.parameters()), torch.device("cpu"))
