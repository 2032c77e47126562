"""The language ladder: models of Shakespeare's plays on the same small budget, judged on plays held out.

Three tables. `climb`: every model of Part II, the neural ones with equal steps, worth about a minute for the
LSTM on two cores. `orders`: n-grams of each order on parts of the training plays. `climb` again, on `DATA`:
the same small LSTM on the same parts. Bits per character, state carried through the text, on all of the
held-out plays.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from torch import Tensor

from vec2gpt import corpora
from vec2gpt.language import (
    LanguageModelConfig,
    RecurrentLanguageModel,
    WindowConfig,
    WindowLanguageModel,
    open_forget_gates,
)
from vec2gpt.metrics import bits, reading_loss
from vec2gpt.ngrams import NGram
from vec2gpt.recipes import shakespeare
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import size, train
from vec2gpt.training import seed_everything, windows

STEPS, SIZE, LENGTH, LR, HIDDEN, WINDOW, ORDER = 600, 32, 64, 5e-3, 256, 8, 7
SHARES = (1 / 64, 1 / 16, 1 / 4, 1.0)
SEEDS = (0, 1, 2)
TRAINED = f"size={SIZE} length={LENGTH} lr={LR} hidden={HIDDEN}"


class Way(NamedTuple):
    """How a model comes about: counted, or trained."""

    make: Callable[[Tensor, int], object]  # (text (N,), vocabulary size) -> model
    learns: bool
    settings: str


def recurrent(cell: str, *, bias: float = 0.0) -> Way:
    """bias: added to an LSTM's forget gates before the training."""

    def make(text, size):
        model = RecurrentLanguageModel(LanguageModelConfig(size, cell=cell, hidden=HIDDEN))
        if bias:
            open_forget_gates(model, bias=bias)
        return model

    return Way(make, learns=True, settings=f"{TRAINED} forget bias={bias}" if bias else TRAINED)


def counted(order: int) -> Way:
    return Way(lambda text, size: NGram(text, size, order=order), learns=False, settings=f"order={order}")


WAYS = {
    "unigram": counted(1),
    "n-gram": counted(ORDER),
    "window": Way(
        lambda text, size: WindowLanguageModel(WindowConfig(size, window=WINDOW, hidden=HIDDEN)),
        learns=True,
        settings=f"{TRAINED} window={WINDOW}",
    ),
    "rnn": recurrent("rnn"),
    "lstm": recurrent("lstm"),
    "lstm, bias 1": recurrent("lstm", bias=1.0),
    "gru": recurrent("gru"),
}

CLIMB = {"model": tuple(WAYS), "seed": SEEDS}
ORDERS = {"order": tuple(range(1, 9)), "share": SHARES}
DATA = {"model": ("lstm",), "share": SHARES[:-1], "seed": SEEDS}  # all of it: see CLIMB


def climb() -> Experiment:
    """Rows: a model, a seed and perhaps a share of the plays; what is counted has no chance in it."""
    return _experiment(WAYS)


def orders() -> Experiment:
    """Rows: an order, and the share of the training plays that was counted."""
    return _experiment({order: counted(order) for order in ORDERS["order"]}, name="order")


def _experiment(ways: dict, *, name: str = "model") -> Experiment:
    def settings(*, share: float = 1.0, seed: int = 0, steps: int | None = None, **place: object) -> dict:
        way = ways[place[name]]
        taken = (STEPS if steps is None else steps) if way.learns else 0
        return {**place, "share": share, "seed": seed, "steps": taken, "settings": way.settings}

    def measure(*, share: float, seed: int, steps: int, **place: object) -> dict:
        learnt, validation, test = _plays()
        text = learnt[: round(share * len(learnt))]
        seed_everything(seed)
        way = ways[place[name]]
        model = way.make(text, len(shakespeare.characters()))
        if way.learns:
            train(model, windows(text, length=LENGTH, size=SIZE), steps=steps, lr=LR, seed=seed)
        return {
            "parameters": size(model) if way.learns else _kept(model),
            "validation_bits": round(bits(_loss(model, validation)), 4),
            "test_bits": round(bits(_loss(model, test)), 4),
        }

    return Experiment(settings, measure, data=corpora.corpus("shakespeare").sha256, text=shakespeare.digest())


def _loss(model, rows: Tensor) -> float:
    return model.loss(rows) if isinstance(model, NGram) else reading_loss(model, rows)


def _kept(model: NGram) -> int:
    """What an n-gram model keeps instead of parameters: a count for every n-gram."""
    return sum(len(level.grams) for level in model.levels)


_plays = cache(shakespeare.numbered)
