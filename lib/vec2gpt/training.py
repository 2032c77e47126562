"""One training loop for every model of the book.

A chapter is about a model, not about its loop, so the loop stands here once: it draws a batch, asks the
model for its loss, clips the gradient and takes a step of AdamW (Loshchilov and Hutter, 2019). A run can be
interrupted, killed and taken up again, and ends with the same weights to the last bit.

The contract: `model(*batch)` returns `(logits, loss)`, and a batch is drawn by a function of a random
generator, so that the seed alone decides which batches come in which order. Started in several `processes`,
each takes its share of every batch, and all together do what one would do. Left out: gradient accumulation
and mixed precision.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vec2gpt import processes
from vec2gpt.progress import Progress
from vec2gpt.schedules import linear_decay, warmup_cosine  # noqa: F401  the chapters import them from here
from vec2gpt.stepping import Run, scheduled
from vec2gpt.thawing import Groups

Batch = tuple[Tensor, ...]
Draw = Callable[[torch.Generator], Batch]


def seed_everything(seed: int) -> None:
    """Set every random number generator that the book uses: Python's, NumPy's and torch's."""
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}, but NumPy takes 0 to 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


# ---------------------------------------------------------------------------------------- batches


def windows(ids: Tensor, *, length: int, size: int) -> Draw:
    """Batches for a language model: windows of a text, and the same windows one token later.

    ids: (N,) the text. length: T, tokens in a window. size: B, windows in a batch.
    The function returned draws `(ids, targets)`, both (B, T), each window starting at a random place.

    >>> draw = windows(torch.arange(4), length=3, size=1)
    >>> draw(torch.Generator())
    (tensor([[0, 1, 2]]), tensor([[1, 2, 3]]))
    """
    if min(length, size) < 1:
        raise ValueError(f"length and size must be at least 1, not {length} and {size}")
    if len(ids) <= length:
        raise ValueError(f"a window of {length} and its targets need {length + 1} tokens, got {len(ids)}")

    def draw(generator: torch.Generator) -> Batch:
        start = torch.randint(len(ids) - length, (size, 1), generator=generator)  # (B, 1)
        window = ids[start + torch.arange(length + 1)]  # (B, T + 1)
        return window[:, :-1], window[:, 1:]

    return draw


def rows(*tensors: Tensor, size: int) -> Draw:
    """Batches of examples: `size` random rows, the same ones from every tensor (with replacement).

    tensors: each (N, ...), N examples. The function returned draws a tuple of (B, ...), B = size.
    """
    lengths = {len(tensor) for tensor in tensors}
    if lengths in (set(), {0}):
        raise ValueError("there is nothing to draw from: rows() got no examples")
    if len(lengths) > 1:
        raise ValueError(f"every tensor needs the same number of rows, got {sorted(lengths)}")
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")

    def draw(generator: torch.Generator) -> Batch:
        chosen = torch.randint(len(tensors[0]), (size,), generator=generator)  # (B,)
        return tuple(tensor[chosen] for tensor in tensors)

    return draw


# ---------------------------------------------------------------------------------------- the run


@dataclass
class History:
    """What happened in a run: plain numbers, small enough to pickle or to plot.

    losses: the loss of every step's batch. validations: pairs (step, value).
    seconds: time spent, over all parts of a resumed run. interrupted: stopped by hand before the end.
    """

    losses: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses)

    def __repr__(self) -> str:
        losses = f", loss {self.losses[0]:.2f} → {self.losses[-1]:.2f}" if self.losses else ""
        return f"History({self.steps} steps{losses}{', interrupted' if self.interrupted else ''})"


def fit(
    model: nn.Module,
    draw: Draw,
    *,
    steps: int,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    clip: float = 1.0,
    schedule: Callable[[int], float | dict[str, float]] | None = None,
    groups: Groups | None = None,
    update: Callable[..., Tensor] | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int | None = None,
    resume: str | Path | None = None,
    save_every: int = 100,
    seed: int = 0,
) -> History:
    """Train `model` for `steps` steps and leave it in evaluation mode, whatever happens.

    draw: takes a torch.Generator and returns a batch, a tuple of tensors; see `windows` and `rows`.
    lr: AdamW's learning rate, times `schedule(step)` (step counts from 0; None: constant; see `schedules`).
    groups: lists of parameters by name, such as `thawing.layer_groups` gives; then the schedule may say a
        factor for each group. One with the factor 0 is frozen for that step, and costs no gradient.
    clip: the largest norm of the gradient; `math.inf` for no limit.
    update: takes a step itself, as `update(*batch, lr=…)`, and returns the loss, instead of AdamW: for models
        that write their gradient out, such as word2vec's. Weight decay and clipping are then its own affair.
    validate: called as `validate(model)` every `validate_every` steps and after the last one.
    resume: a file for the state of the run, written every `save_every` steps. Where it exists, the run
        goes on from it; a finished run removes it.
    seed: decides the batches. Dropout follows torch's own generator: see `seed_everything`.

    Ctrl-C ends the run early and keeps what was learnt. FloatingPointError: the loss or its gradient is
    no longer finite; the weights are those before that step. An `update` has taken its step by then: the
    weights are those after it, and the model must be made anew.

    In several processes (see `processes`) a batch's rows must divide among them, losses are those of whole
    batches, and only process 0 shows progress, validates and keeps the state. Ctrl-C stops all together.

    >>> fit(model, windows(ids, length=64, size=32), steps=600)  # doctest: +SKIP
    History(600 steps, loss 4.17 → 1.83)
    """
    _check(draw, steps=steps, lr=lr, clip=clip, validate_every=validate_every, save_every=save_every)
    _check_ways(schedule, steps=steps, groups=groups, update=update)
    style = {"steps": steps, "lr": lr, "weight_decay": weight_decay, "clip": clip, "seed": seed}
    run = Run(model, draw, update, groups, **style)
    history = History(run.losses)
    state, first = Path(resume) if resume else None, processes.is_first()
    if state and processes.from_first(state.exists):
        history = History(**run.restore(state))
        if first:
            print(f"going on from step {history.steps} of {steps} ({state.name})")
    progress = Progress(f"{steps} training steps", steps) if first else None
    started = time.perf_counter() - history.seconds
    try:
        with processes.interruptible() as check:
            while history.steps < steps:
                check()
                run.step(scheduled(lr, schedule, history.steps, run.groups))
                history.seconds = time.perf_counter() - started
                if validate and _due(history.steps, validate_every or steps, steps):
                    value = processes.from_first(partial(_evaluate, validate, model))
                    history.validations.append((history.steps, value))
                if first and state and history.steps % save_every == 0:
                    run.save(state, asdict(history))
                if first:
                    progress.show(history.steps, f"loss {history.losses[-1]:.2f}")
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        run.thaw()
        model.eval()
        if first:
            progress.close(f"interrupted after {history.steps}" if history.interrupted else "")
    if first and state and not history.interrupted:
        state.unlink(missing_ok=True)
    return history


def _due(step: int, every: int, steps: int) -> bool:
    return step == steps or step % every == 0


@torch.no_grad()
def _evaluate(validate: Callable[[nn.Module], float], model: nn.Module) -> float:
    model.eval()
    return float(validate(model))


def _check(draw, *, steps, lr, clip, validate_every, save_every) -> None:
    if not callable(draw):
        raise ValueError(
            "the batches come from a function of a torch.Generator, such as "
            f"windows(ids, length=64, size=32), not from a {type(draw).__name__}"
        )
    for name, value in {"steps": steps, "validate_every": validate_every, "save_every": save_every}.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr must be a positive number, not {lr}; 1e-3 is a good first try")
    if not clip > 0:
        raise ValueError(f"clip must be positive, not {clip}; math.inf switches clipping off")


def _check_ways(schedule, *, steps, groups, update) -> None:
    made_for = getattr(schedule, "steps", None)
    if made_for not in (None, steps):
        raise ValueError(
            f"the schedule is of {made_for} steps, but the training of {steps}: make it for {steps}"
        )
    if groups is not None and update is not None:
        raise ValueError("an update of the model's own knows no groups of parameters: leave one of them out")
