"""The learning-rate finder: a short training whose rate rises until the loss explodes.

Smith 2017. Too small a rate learns nothing, too large a one destroys what was learnt, and in between lie
several powers of ten. One run of a hundred steps tries them all:

    rate_k = low · (high / low)^(k / (steps − 1))          k = 0 … steps − 1

The loss stays, falls, then explodes. A rate is picked within the steep fall and well below the lowest loss.
What it is not: the best rate. A loss falls by the sum of all rates so far, so twice as many steps put the
fall at about half the rate; and it knows nothing of the loss on other data, or of a schedule.

For gradient descent the upper end is exact: on λw²/2 each step multiplies w by 1 − λ · rate, so the loss
grows from 2 / λ on, with λ the largest curvature. AdamW divides by the gradient's size: its steps are about
as long as the rate, whatever λ is, and there is no rate from which on it must diverge. So there the reading
is a rule of thumb.

Left out: the search for a good momentum.
"""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vec2gpt.checks import check_sizes
from vec2gpt.progress import Progress
from vec2gpt.resume import random_state, set_random_state
from vec2gpt.stepping import Run

EXPLODED = 4  # times the lowest loss so far, both smoothed: the test ends (as in fastai)
MEMORY = 0.9  # of the running mean that is watched for that
BELOW = 10  # the suggestion is at most this fraction of the rate with the lowest loss
FEWEST = 10  # steps


@dataclass(frozen=True)
class Found:
    """What the test saw: plain numbers, one for each rate that was tried.

    losses: of the batch after the step. smooth: their means over a tenth of the steps to either side.
    steepest, lowest: the rates where `smooth` falls fastest, and where it ends falling.
    suggestion: a rate to begin with. exploded: whether the loss did, or the test came to `high`.
    """

    rates: list[float]
    losses: list[float]
    smooth: list[float]
    steepest: float
    lowest: float
    suggestion: float
    exploded: bool

    def __repr__(self) -> str:
        end = "exploded" if self.exploded else "did not explode"
        return f"Found(suggestion {self.suggestion:.1e}; at {self.rates[-1]:.1e} the loss {end})"


def find_rate(
    model: nn.Module,
    draw,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    seed: int = 0,
    **style,
) -> Found:
    """Try the rates from `low` to `high` in one training, and leave everything as it was.

    draw, seed: as of `fit`. style: its weight_decay, clip and update, which should be those to come.
    Weights, buffers, the generators and the model's mode are restored, even when it is interrupted.

    ValueError: the loss falls nowhere between, or explodes before there is something to see.
    FloatingPointError: it is no number even before the first step.
    """
    check_sizes(FEWEST, steps=steps)
    if not 0 < low < high < math.inf:
        raise ValueError(f"low and high are {low} and {high}: give rates, 0 < low < high")
    before = _Before(model)
    try:
        rates, losses, exploded = _rise(model, draw, low=low, high=high, steps=steps, seed=seed, style=style)
    finally:
        before.restore()
    return read(rates, losses, exploded=exploded, half=max(1, steps // 10))


def _rise(model, draw, *, low, high, steps, seed, style):
    """Rates, the loss after a step at each, and whether it exploded."""
    style = {"update": None, "groups": None, "weight_decay": 0.0, "clip": 1.0} | style
    run = Run(model, draw, steps=steps, lr=low, seed=seed, **style)
    rates = [low * (high / low) ** (k / (steps - 1)) for k in range(steps)]
    mean = best = math.inf
    exploded, progress = False, Progress(f"{steps} steps at rising rates", steps)
    for k, rate in enumerate([*rates, rates[-1]]):  # a step shows the loss before it, so one more
        try:
            loss = run.step(rate)
        except FloatingPointError:
            if not run.losses:  # no rate is to blame
                raise
            exploded = True
            break
        mean = loss if k == 0 else MEMORY * mean + (1 - MEMORY) * loss
        best = min(best, mean)
        if exploded := mean > EXPLODED * best:
            break
        progress.show(k, f"rate {rate:.1e}, loss {loss:.2f}")
    progress.close()
    losses = run.losses[1:]
    return rates[: len(losses)], losses, exploded


# ---- how it is read ----


def read(rates: list[float], losses: list[float], *, half: int, exploded: bool = False) -> Found:
    """The Found of losses at rising rates; `half`: how many values to either side are taken together.

    The steep fall is where it is at least half as steep as at its steepest. The suggestion is the steepest
    place, or a tenth of the rate with the lowest loss where that is less, but never before the steep fall.
    """
    if len(losses) <= 2 * half + 1:
        than = f" than {rates[0]:.1e}" if rates else ""  # none, where the very first step was too long
        raise ValueError(f"the loss exploded after {len(losses)} steps: give a smaller low{than}")
    y = torch.tensor(losses, dtype=torch.float64)
    smooth = _means(y, half)
    lowest = int(smooth.argmin())
    slopes = _slopes(y, half)[: max(lowest, 1)]
    steepest = int(slopes.argmin())
    if not slopes[steepest] < 0 or lowest <= half:
        raise ValueError(
            f"the loss falls nowhere between {rates[0]:.1e} and {rates[-1]:.1e}: give other bounds, or a "
            "model that can learn"
        )
    first = steepest
    while first > 0 and slopes[first - 1] <= slopes[steepest] / 2:
        first -= 1
    suggestion = max(rates[first], min(rates[steepest], rates[lowest] / BELOW))
    return Found(rates, losses, smooth.tolist(), rates[steepest], rates[lowest], suggestion, exploded)


def _means(y: Tensor, half: int) -> Tensor:
    """Of each (N,) and up to `half` on either side, equally many, so that a line stays a line."""
    reach = [min(half, n, len(y) - 1 - n) for n in range(len(y))]
    return torch.stack([y[n - r : n + r + 1].mean() for n, r in enumerate(reach)])


def _slopes(y: Tensor, half: int) -> Tensor:
    """Of the line through each (N,) and `half` on either side (least squares); inf where some are missing."""
    x = torch.arange(-half, half + 1, dtype=y.dtype)
    inner = y.unfold(0, len(x), 1) @ x / (x @ x)  # (N − 2 half,)
    return nn.functional.pad(inner, (half, half), value=math.inf)


class _Before:
    """Everything that a training changes, as it is now."""

    def __init__(self, model: nn.Module):
        self.tensors = [(t, t.detach().clone()) for t in itertools.chain(model.parameters(), model.buffers())]
        self.gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
        self.modes = [(part, part.training) for part in model.modules()]
        self.random = random_state()

    @torch.no_grad()
    def restore(self) -> None:
        for tensor, value in self.tensors:
            tensor.copy_(value)
        for parameter, gradient in self.gradients:
            parameter.grad = gradient
        for part, training in self.modes:
            part.training = training
        set_random_state(self.random)
