"""Schedules: how large the learning rate is at each step, as a share of the rate that `fit` is given.

Far from a minimum large steps get on, near it they only jump about: Robbins and Monro (1951) proved that
steps which shrink, but not too fast, arrive. Adam's first steps are taken on averages of a few gradients, so
Transformers begin with small ones (*warm-up*: Vaswani et al. 2017). Each function here gives a `Schedule`:

    rate at step t  =  lr · schedule(t)           t = 0 … steps − 1

Left out: schedules that look at the loss; warm restarts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

from vec2gpt.checks import check_sizes


@dataclass(frozen=True)
class Schedule:
    """A function of the step, which knows how long it is.

    steps: of the training that it is made for, so that `fit` can refuse another; None: of any length.
    """

    factor: Callable[[int], float]
    steps: int | None = None

    def __call__(self, step: int) -> float:
        return self.factor(step)


# ---- one level, and falls ----


def constant(steps: int) -> Schedule:
    """1 at every step."""
    check_sizes(steps=steps)
    return Schedule(lambda step: 1.0, steps)


def step_decay(steps: int, *, every: int, factor: float = 0.1) -> Schedule:
    """Times `factor` after each `every` steps.

    >>> schedule = step_decay(30, every=10)
    >>> schedule(9), schedule(10), round(schedule(29), 3)
    (1.0, 0.1, 0.01)
    """
    check_sizes(steps=steps, every=every)
    _check_factors(factor=factor)
    if every >= steps:
        raise ValueError(f"in {steps} steps nothing falls after {every}: give every = 1 … {steps - 1}")
    return Schedule(lambda step: float(factor) ** (step // every), steps)


def exponential(steps: int, *, end: float = 0.01) -> Schedule:
    """From 1, by the same factor each step, towards `end`, where it would be one step after the last.

    >>> schedule = exponential(4, end=1 / 16)
    >>> schedule(0), schedule(1), schedule(3)
    (1.0, 0.5, 0.125)
    """
    check_sizes(steps=steps)
    _check_factors(end=end)
    return Schedule(lambda step: float(end) ** (step / steps), steps)


def linear_decay(steps: int) -> Schedule:
    """From 1 in a straight line towards 0, which it never reaches.

    >>> schedule = linear_decay(4)
    >>> schedule(0), schedule(3)
    (1.0, 0.25)
    """
    check_sizes(steps=steps)
    return Schedule(lambda step: 1 - step / steps, steps)


# ---- up, then down ----


def warmup_linear(steps: int, *, warmup: int) -> Schedule:
    """Up to 1 in a straight line, then in another towards 0, as BERT was trained (Devlin et al. 2019).

    steps, warmup: of the whole training and of the way up.

    >>> schedule = warmup_linear(10, warmup=2)
    >>> schedule(0), schedule(1), schedule(2), schedule(6), schedule(9)
    (0.5, 1.0, 1.0, 0.5, 0.125)
    """
    _check_warmup(steps, warmup)
    return Schedule(
        lambda step: (step + 1) / warmup if step < warmup else (steps - step) / (steps - warmup), steps
    )


def warmup_cosine(steps: int, *, warmup: int, floor: float = 0.0) -> Schedule:
    """Up to 1 in a straight line, then down to `floor` along a cosine (Loshchilov & Hutter 2017).

    steps, warmup: of the whole training and of the way up.

    >>> schedule = warmup_cosine(100, warmup=10)
    >>> schedule(0), schedule(9), round(schedule(55), 3)
    (0.1, 1.0, 0.5)
    """
    _check_warmup(steps, warmup)
    _check_factors(0, floor=floor)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        way = (step - warmup) / (steps - warmup)
        return floor + (1 - floor) * (1 + math.cos(math.pi * way)) / 2

    return Schedule(factor, steps)


def slanted_triangular(steps: int, *, cut: float = 0.1, ratio: float = 32.0) -> Schedule:
    """A short way up and a long one down, for fine-tuning (ULMFiT: Howard & Ruder 2018).

    cut: the share of the steps on which it rises. ratio: how much smaller the first rate is than the largest.
    The paper's formula, but that its last step would be below 0 where cut · steps is not whole.

    >>> schedule = slanted_triangular(100)
    >>> schedule(0) == 1 / 32, schedule(10), round(schedule(55), 4)
    (True, 1.0, 0.5156)
    """
    check_sizes(steps=steps)
    top = int(steps * _share(cut=cut))
    if not top:
        raise ValueError(
            f"cut is {cut}, which of {steps} steps is less than one: give {1 / steps:.2g} or more"
        )
    if not 1 <= ratio < math.inf:
        raise ValueError(f"ratio is {ratio}: give 1 or more, such as 32")

    def factor(step: int) -> float:
        p = step / top if step < top else 1 - (step - top) / (steps - top)
        return (1 + p * (ratio - 1)) / ratio

    return Schedule(factor, steps)


def one_cycle(steps: int, *, peak: float = 0.3, first: float = 1 / 25, last: float = 4e-6) -> Schedule:
    """From `first` to 1 along a cosine, then to `last` along another (Smith & Topin 2018).

    peak: the share of the steps on which it rises. As in the paper's code, a rate is reached *at* the last
    step of each part.

    >>> schedule = one_cycle(21, peak=11 / 21, first=0.2)
    >>> schedule(0), round(schedule(5), 3), schedule(10), round(schedule(20), 6)
    (0.2, 0.6, 1.0, 4e-06)
    """
    check_sizes(2, steps=steps)
    _check_factors(first=first, last=last)
    top = _share(peak=peak) * steps - 1
    if not top > 0:
        raise ValueError(f"peak is {peak}, so nothing rises in {steps} steps: give more than {1 / steps:.2g}")

    def factor(step: int) -> float:
        low, way = (first, step / top) if step <= top else (last, (steps - 1 - step) / (steps - 1 - top))
        return low + (1 - low) * (1 - math.cos(math.pi * way)) / 2

    return Schedule(factor, steps)


# ---- up and down, again and again ----


def cyclical(steps: int, *, period: int, low: float = 0.1) -> Schedule:
    """From `low` to 1 and back in straight lines, every `period` steps (triangular: Smith 2017).

    >>> schedule = cyclical(40, period=20, low=0.2)
    >>> schedule(0), round(schedule(5), 3), schedule(10), schedule(20)
    (0.2, 0.6, 1.0, 0.2)
    """
    check_sizes(steps=steps)
    check_sizes(2, period=period)
    _check_factors(low=low)
    if period > steps:
        raise ValueError(f"a period of {period} is longer than {steps} steps: give 2 … {steps}")

    def factor(step: int) -> float:
        down = abs(2 * (step % period) / period - 1)  # 1 at the ends of a period, 0 in its middle
        return low + (1 - low) * (1 - down)

    return Schedule(factor, steps)


# ---- what can be wrong ----


def _check_warmup(steps: int, warmup: int) -> None:
    check_sizes(steps=steps)
    if not 0 <= warmup < steps:
        raise ValueError(f"warmup is {warmup}, but must lie between 0 and steps - 1 = {steps - 1}")


def _check_factors(least: float | None = None, /, **factors: float) -> None:
    """Each is a share of the rate, from above 0 (or from `least`) to 1."""
    for name, factor in factors.items():
        if not isinstance(factor, Real) or not (0 < factor <= 1 or factor == least):
            raise ValueError(
                f"{name} is {factor!r}: give a share of the learning rate, above 0 and at most 1"
            )


def _share(**share: float) -> float:
    [(name, value)] = share.items()
    if not isinstance(value, Real) or not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}: give a share of the steps, between 0 and 1")
    return value
