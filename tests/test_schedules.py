import math

import pytest
import torch
from torch.optim import lr_scheduler
from transformers import get_linear_schedule_with_warmup

from vec2gpt import schedules, training
from vec2gpt.schedules import (
    constant,
    cyclical,
    exponential,
    linear_decay,
    one_cycle,
    slanted_triangular,
    step_decay,
    warmup_cosine,
    warmup_linear,
)


def theirs(make, *, steps):
    """The rates that one of torch's schedulers gives for a rate of 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (constant(30), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
        (step_decay(30, every=7, factor=0.3), lambda o: lr_scheduler.StepLR(o, 7, gamma=0.3)),
        (exponential(30, end=0.02), lambda o: lr_scheduler.ExponentialLR(o, 0.02 ** (1 / 30))),
        (linear_decay(30), lambda o: lr_scheduler.LinearLR(o, 1.0, end_factor=1e-12, total_iters=30)),
        (warmup_cosine(30, warmup=0), lambda o: lr_scheduler.CosineAnnealingLR(o, 30)),
        (warmup_cosine(30, warmup=0, floor=0.2), lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.2)),
        (
            cyclical(30, period=8, low=0.1),
            lambda o: lr_scheduler.CyclicLR(o, base_lr=0.1, max_lr=1.0, step_size_up=4, cycle_momentum=False),
        ),
        (
            cyclical(30, period=7, low=0.5),
            lambda o: lr_scheduler.CyclicLR(
                o, base_lr=0.5, max_lr=1.0, step_size_up=3.5, cycle_momentum=False
            ),
        ),
        (
            one_cycle(30),
            lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=30, cycle_momentum=False),
        ),
        (
            one_cycle(30, peak=0.45, first=0.1, last=0.01),
            lambda o: lr_scheduler.OneCycleLR(
                o, 1.0, 30, pct_start=0.45, div_factor=10, final_div_factor=10, cycle_momentum=False
            ),
        ),
    ],
)
def test_schedules_are_torchs(ours, make):
    assert ours.steps == 30
    steps = 30 if "one_cycle" not in ours.factor.__qualname__ else 29  # torch's has no step after the last
    assert [ours(step) for step in range(steps)] == pytest.approx(theirs(make, steps=steps), abs=1e-9)


def test_one_cycle_ends_low():
    schedule = one_cycle(30, last=1e-3)
    assert schedule(29) == pytest.approx(1e-3) and max(map(schedule, range(30))) == 1


def test_warmup_linear_is_that_of_transformers_but_for_a_first_step_of_0():
    """Theirs begins at 0, so that its first step does nothing; ours is one step ahead on the way up."""
    rates = theirs(lambda o: get_linear_schedule_with_warmup(o, 6, 30), steps=30)
    ours = warmup_linear(30, warmup=6)
    assert [ours(step) for step in range(6)] == pytest.approx(rates[1:7])
    assert [ours(step) for step in range(6, 30)] == pytest.approx(rates[6:])
    assert warmup_linear(30, warmup=0)(3) == linear_decay(30)(3)


def test_slanted_triangular_is_the_papers_formula():
    T, cut_frac, ratio = 200, 0.1, 32
    cut = math.floor(T * cut_frac)
    schedule = slanted_triangular(T, cut=cut_frac, ratio=ratio)
    for t in range(T):
        p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
        assert schedule(t) == pytest.approx((1 + p * (ratio - 1)) / ratio)
    assert min(map(slanted_triangular(15), range(15))) == 1 / 32, "where the paper's would be negative"
    assert {slanted_triangular(20, ratio=1)(step) for step in range(20)} == {1.0}


EVERY = {
    "constant": {},
    "step_decay": {"every": 3},
    "exponential": {},
    "linear_decay": {},
    "warmup_linear": {"warmup": 4},
    "warmup_cosine": {"warmup": 4},
    "slanted_triangular": {},
    "one_cycle": {},
    "cyclical": {"period": 6},
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("steps", [10, 11, 97])
def test_all_are_shares_of_the_rate_and_never_freeze(name, steps):
    schedule = getattr(schedules, name)(steps, **EVERY[name])
    factors = [schedule(step) for step in range(steps)]
    assert all(isinstance(factor, float) and 0 < factor <= 1 for factor in factors)
    assert schedule.steps == steps


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("steps", [0, -5, 2.5, None])
def test_steps_are_a_whole_number_from_1(name, steps):
    with pytest.raises(ValueError, match=f"steps is {steps}"):
        getattr(schedules, name)(steps, **EVERY[name])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: warmup_linear(10, warmup=10), "warmup is 10, but must lie between 0 and steps - 1 = 9"),
        (lambda: warmup_linear(10, warmup=-1), "warmup is -1"),
        (lambda: warmup_cosine(10, warmup=3, floor=-0.1), "floor is -0.1: give a share"),
        (lambda: warmup_cosine(10, warmup=3, floor=2), "floor is 2"),
        (lambda: step_decay(10, every=10), r"nothing falls after 10: give every = 1 … 9"),
        (lambda: step_decay(10, every=0), "every is 0"),
        (lambda: step_decay(10, every=3, factor=-0.5), "factor is -0.5"),
        (lambda: exponential(10, end=0), "end is 0"),
        (lambda: exponential(10, end=math.nan), "end is nan"),
        (lambda: cyclical(10, period=20), "period of 20 is longer than 10 steps"),
        (lambda: cyclical(10, period=1), "period is 1"),
        (lambda: cyclical(10, period=4, low=-1), "low is -1"),
        (lambda: slanted_triangular(10, cut=0.05), r"cut is 0.05.*less than one: give 0.1 or more"),
        (lambda: slanted_triangular(10, cut=1), "cut is 1"),
        (lambda: slanted_triangular(10, ratio=0.5), "ratio is 0.5"),
        (lambda: one_cycle(10, peak=0.1), "nothing rises in 10 steps: give more than 0.1"),
        (lambda: one_cycle(10, first=-0.1), "first is -0.1"),
        (lambda: one_cycle(10, last="0"), "last is '0'"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_chapters_find_the_first_two_where_they_were():
    assert training.linear_decay is linear_decay and training.warmup_cosine is warmup_cosine
