"""The language ladder: models of Shakespeare's plays on the same small budget, judged on plays held out.

Five tables. `climb`: every model, the neural ones with equal steps, worth about a minute for the LSTM on two
cores. `clock`: some of them with equal time. `styles`: its GPT, changed as GPTs have been since GPT-2.
`orders`: n-grams of each order on parts of the training plays. `climb` again, on `DATA`: the same small LSTM
on the same parts. Bits per character on all of the held-out plays; recurrent models carry their state through
the text, for GPTs see `metrics.window_loss`.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from vec2gpt import corpora
from vec2gpt.blocks import even_std
from vec2gpt.bpe import BPE
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.language import (
    LanguageModelConfig,
    RecurrentLanguageModel,
    WindowConfig,
    WindowLanguageModel,
    open_forget_gates,
)
from vec2gpt.metrics import bits, reading_loss, rows, window_loss
from vec2gpt.ngrams import NGram
from vec2gpt.recipes.language import shakespeare
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import size, train
from vec2gpt.training import seed_everything, windows

STEPS, SIZE, LENGTH, LR, HIDDEN, WINDOW, ORDER = 600, 32, 64, 5e-3, 256, 8, 7
SHARES = (1 / 64, 1 / 16, 1 / 4, 1.0)
SEEDS = (0, 1, 2)
# of a GPT with about as many numbers as the LSTM, and first weights for its width
SHAPE = {"layers": 3, "heads": 4, "width": 96, "std": round(even_std(96), 4)}
SUBWORDS = 1024  # tokens of the BPE, the 256 bytes included
TRAINED = f"size={SIZE} length={LENGTH} lr={LR} hidden={HIDDEN}"


class Way(NamedTuple):
    """How a model comes about: counted, or trained."""

    make: Callable[[Tensor, int], object]  # (text (N,), vocabulary size) -> model
    learns: bool
    settings: str
    subwords: bool = False  # it reads the plays by subword instead of by character


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


def gpt(*, subwords: bool = False, **style: object) -> Way:
    """style: what its configuration has besides the sizes."""
    told = " ".join(f"{name}={value}" for name, value in (SHAPE | style).items())
    settings = f"size={SIZE} length={LENGTH} lr={LR} {told}" + f" subwords={SUBWORDS}" * subwords

    def make(text, size):
        return GPT(GPTConfig(size, context=LENGTH, **SHAPE | style))

    return Way(make, learns=True, settings=settings, subwords=subwords)


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
    "gpt": gpt(),
    "gpt today": gpt(**TODAY),
    "gpt subwords": gpt(subwords=True, **TODAY),
}

CHANGES = {  # what has changed since GPT-2, each alone and all together
    "gpt-2": {},
    "σ = 0.02": {"std": 0.02},  # as GPT-2 itself starts, at eight times the width
    "rotary": {"positions": "rotary"},
    "rms norm": {"norm": "rms"},
    "gated": {"feed_forward": "gated", "activation": "swish"},
    "two groups": {"groups": 2},
    "one group": {"groups": 1},
    "today": TODAY,
    "experts": {"experts": 4, "active": 1},  # as much work a token, and nearly three times the numbers
}

# steps in the time of the LSTM's 600, by the processor's seconds of one thread: 69 ms a step, 22, 55, 71, 74
STEPS_IN_TIME = {"rnn": 1880, "lstm": STEPS, "gru": 755, "gpt": 580, "gpt today": 555}

CLIMB = {"model": tuple(WAYS), "seed": SEEDS}
ORDERS = {"order": tuple(range(1, 9)), "share": SHARES}
DATA = {"model": ("lstm",), "share": SHARES[:-1], "seed": SEEDS}  # all of it: see CLIMB
STYLES = {"seed": SEEDS, "style": tuple(CHANGES)}
CLOCK = {"seed": SEEDS, "model": tuple(STEPS_IN_TIME)}


def climb() -> Experiment:
    """Rows: a model, a seed and perhaps a share of the plays; what is counted has no chance in it."""
    return _experiment(WAYS)


def clock() -> Experiment:
    """Rows: a seed, and a model that takes as many steps as there is time for."""
    whole = _experiment(WAYS)

    def settings(*, seed: int, model: str, steps: int | None = None) -> dict:
        return whole.settings(seed=seed, model=model, steps=STEPS_IN_TIME[model] if steps is None else steps)

    return whole._replace(settings=settings)


def styles() -> Experiment:
    """Rows: a seed, and how the GPT of the ladder is made."""
    return _experiment({name: gpt(**style) for name, style in CHANGES.items()}, name="style")


def orders() -> Experiment:
    """Rows: an order, and the share of the training plays that was counted."""
    return _experiment({order: counted(order) for order in ORDERS["order"]}, name="order")


def _experiment(ways: dict, *, name: str = "model") -> Experiment:
    def settings(*, share: float = 1.0, seed: int = 0, steps: int | None = None, **place: object) -> dict:
        way = ways[place[name]]
        taken = (STEPS if steps is None else steps) if way.learns else 0
        return {**place, "share": share, "seed": seed, "steps": taken, "settings": way.settings}

    def measure(*, share: float, seed: int, steps: int, **place: object) -> dict:
        way = ways[place[name]]
        plays = _subwords() if way.subwords else _plays()
        text = plays.train[: round(share * len(plays.train))]
        seed_everything(seed)
        model = way.make(text, plays.size)
        if way.learns:
            train(model, windows(text, length=LENGTH, size=SIZE), steps=steps, lr=LR, seed=seed)
        return {
            "parameters": size(model) if way.learns else _kept(model),
            **{
                f"{part}_bits": round(bits(_loss(model, rows)) * plays.density[part], 4)
                for part, rows in plays.held_out.items()
            },
        }

    return Experiment(settings, measure, data=corpora.corpus("shakespeare").sha256, text=shakespeare.digest())


def _loss(model, rows: Tensor) -> float:
    if isinstance(model, NGram):
        return model.loss(rows)
    return window_loss(model, rows) if isinstance(model, GPT) else reading_loss(model, rows)


def _kept(model: NGram) -> int:
    """What an n-gram model keeps instead of parameters: a count for every n-gram."""
    return sum(len(level.grams) for level in model.levels)


# ---- the plays, as a model reads them ----


class Plays(NamedTuple):
    train: Tensor  # (N,) ids
    held_out: dict[str, Tensor]  # validation and test, (64, N // 64) each
    density: dict[str, float]  # tokens a character there: 1, where they are the characters
    size: int  # V, of the vocabulary


@cache
def _plays() -> Plays:
    train, validation, test = shakespeare.numbered()
    held_out = {"validation": validation, "test": test}
    return Plays(train, held_out, dict.fromkeys(held_out, 1.0), len(shakespeare.characters()))


@cache
def _subwords() -> Plays:
    """By a BPE that was trained on the plays that models learn from."""
    texts = corpora.plays()
    bpe = BPE.train([texts.train], size=SUBWORDS)
    ids = {part: torch.tensor(bpe.encode(text)) for part, text in texts._asdict().items()}
    density = {part: len(ids[part]) / len(text) for part, text in texts._asdict().items()}
    held_out = {part: rows(ids[part]) for part in ("validation", "test")}
    return Plays(ids["train"], held_out, density, len(bpe))
