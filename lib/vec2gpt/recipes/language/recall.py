"""How long does a memory last? Recall the first token of a text after so many others.

Hochreiter and Schmidhuber (1997) tested their LSTM on such tasks, because nothing between the first token and
the last helps: what is recalled has been kept. The text is one of eight letters, then `distance` tokens of
noise; at the last of them the model has to say the letter. One in eight is chance. Every cell gets the same
number of steps at each distance, and a small model; larger ones, or more steps, reach further.
"""

from hashlib import sha256

import torch
from torch import nn

from vec2gpt.language import IGNORED, LanguageModelConfig, RecurrentLanguageModel, open_forget_gates
from vec2gpt.recipes.table import Experiment
from vec2gpt.training import Batch, Draw, fit, seed_everything

LETTERS, NOISE = 8, 2  # how many different tokens of each kind: ids 0 … 7, and 8 and 9
STEPS, SIZE, LR, WIDTH, HIDDEN = 600, 32, 5e-3, 16, 32
ASKED = 1000  # texts that the accuracy is measured on

MEMORIES = {  # name: the cell, and what is added to its forget gate's bias before the training
    "rnn": ("rnn", 0.0),
    "lstm": ("lstm", 0.0),
    "lstm, bias 1": ("lstm", 1.0),
    "lstm, bias 3": ("lstm", 3.0),
    "gru": ("gru", 0.0),
}
AXES = {"cell": tuple(MEMORIES), "distance": (5, 10, 20, 40, 80), "seed": (0, 1, 2)}
SETTINGS = f"letters={LETTERS} noise={NOISE} size={SIZE} lr={LR} width={WIDTH} hidden={HIDDEN}"


def texts(*, distance: int, size: int) -> Draw:
    """Batches of `size` texts: a letter and `distance` tokens of noise; ids and targets (B, 1 + distance).

    The last target is the letter, and all others are ignored.
    """
    if min(distance, size) < 1:
        raise ValueError(f"distance and size must be at least 1, not {distance} and {size}")

    def draw(generator: torch.Generator) -> Batch:
        letter = torch.randint(LETTERS, (size, 1), generator=generator)  # (B, 1)
        noise = LETTERS + torch.randint(NOISE, (size, distance), generator=generator)  # (B, distance)
        ignored = torch.full_like(noise, IGNORED)
        return torch.cat([letter, noise], 1), torch.cat([ignored, letter], 1)

    return draw


def make(name: str) -> RecurrentLanguageModel:
    """A model of one small layer of the cells of that name."""
    if name not in MEMORIES:
        raise KeyError(f"no cells are called {name!r}; there are {'; '.join(MEMORIES)}")
    cell, bias = MEMORIES[name]
    config = LanguageModelConfig(LETTERS + NOISE, cell=cell, width=WIDTH, hidden=HIDDEN)
    model = RecurrentLanguageModel(config)
    if bias:
        open_forget_gates(model, bias=bias)
    return model


@torch.no_grad()
def accuracy(model: nn.Module, *, distance: int) -> float:
    """How many of 1,000 letters the model recalls, as a share: chance is 0.125."""
    ids, targets = texts(distance=distance, size=ASKED)(torch.Generator().manual_seed(99))
    logits, _ = model(ids)  # (B, T, V)
    return (logits[:, -1].argmax(-1) == targets[:, -1]).float().mean().item()


def experiment() -> Experiment:
    """Rows of the table: a cell, a distance and a seed, and the `accuracy` after so many steps."""

    def settings(*, steps: int | None = None, **place: object) -> dict:
        return {**place, "steps": STEPS if steps is None else steps, "settings": SETTINGS}

    def measure(*, cell: str, distance: int, seed: int, steps: int, **_: object) -> dict:
        seed_everything(seed)
        model = make(cell)
        draw = texts(distance=distance, size=SIZE)
        if fit(model, draw, steps=steps, lr=LR, seed=seed).interrupted:
            raise KeyboardInterrupt
        return {"accuracy": round(accuracy(model, distance=distance), 3)}

    return Experiment(settings, measure, data=_digest(), text=_digest())


def _digest() -> str:
    """There is no text to name: the batches are drawn. The first of them stands for the rule that draws."""
    ids, _ = texts(distance=10, size=SIZE)(torch.Generator().manual_seed(0))
    return sha256(str(ids.tolist()).encode()).hexdigest()
