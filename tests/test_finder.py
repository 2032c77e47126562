import itertools
import math
import random

import numpy as np
import pytest
import torch
from test_training import TEXT, fresh, interrupting
from torch import nn

from vec2gpt import finder
from vec2gpt.finder import find_rate
from vec2gpt.training import fit, seed_everything, windows


class Quadratic(nn.Module):
    """Σ λw²/2, whose gradient descent is known: each step multiplies w by 1 − λ · rate."""

    def __init__(self, *curvatures, scale=1.0):
        super().__init__()
        self.curvatures = scale * torch.tensor(curvatures, dtype=torch.float64)
        self.w = nn.Parameter(torch.ones(len(curvatures), dtype=torch.float64))

    def forward(self, x):
        return x, (self.curvatures * self.w**2).sum() / 2

    @torch.no_grad()
    def update(self, x, *, lr):
        loss = self(x)[1]
        self.w -= lr * self.curvatures * self.w
        return loss


def nothing(generator):
    return (torch.zeros(1),)


def descending(*curvatures, steps=100):
    model = Quadratic(*curvatures)
    return find_rate(model, nothing, low=1e-6, high=100, steps=steps, update=model.update)


@pytest.mark.parametrize("curvature", [1.0, 25.0, 1000.0])
def test_gradient_descent_diverges_from_2_over_the_curvature(curvature):
    """Exact: the loss after a step is larger than before it where the rate is above 2 / λ, nowhere else."""
    found = descending(curvature)
    assert found.exploded
    grows = [after > before for before, after in itertools.pairwise(found.losses)]
    assert grows == [rate > 2 / curvature for rate in found.rates[1:]]
    assert 0 < found.suggestion <= found.steepest < found.lowest < 2.5 / curvature
    assert found.suggestion <= 0.2 / curvature, "well below"
    expected = curvature / 2
    for rate, loss in zip(found.rates, found.losses, strict=True):
        expected *= (1 - curvature * rate) ** 2
        assert loss == pytest.approx(expected, rel=1e-6)


def test_the_largest_curvature_decides():
    found = descending(1.0, 10.0, 1000.0)
    assert found.suggestion < found.lowest < 2.5 / 1000


def test_the_suggestion_lies_in_the_fall():
    found = descending(1.0)
    place = found.rates.index(found.suggestion)
    assert 0.2 * found.losses[0] < found.losses[place] < 0.8 * found.losses[0]


def test_twice_as_many_steps_halve_the_reading():
    """The loss falls by the sum of the rates so far, so the finder's answer is one for its length."""
    few, many = descending(1.0, steps=100), descending(1.0, steps=200)
    assert few.steepest / many.steepest == pytest.approx(2, rel=0.2)


def test_adamw_does_not_see_the_size_of_the_loss():
    """Gradient descent needs a thousandth of the rate for a thousandfold loss, AdamW the same one."""
    style = {"low": 1e-6, "high": 100, "clip": math.inf}
    one, thousand = (find_rate(Quadratic(1.0, scale=scale), nothing, **style) for scale in (1, 1000))
    assert thousand.suggestion == pytest.approx(one.suggestion, rel=1e-6)
    assert thousand.losses == pytest.approx([1000 * loss for loss in one.losses], rel=1e-3)
    assert one.exploded and one.suggestion < one.lowest < 1, "1 is the distance to the minimum"


def test_the_suggestion_trains_a_model_on_noisy_batches():
    draw = windows(TEXT, length=8, size=4)
    model = fresh()
    found = find_rate(model, draw, low=1e-5, high=10)
    assert found.rates[0] == pytest.approx(1e-5) and len(found.rates) == len(found.losses) == len(
        found.smooth
    )
    assert found.suggestion < found.lowest / 5
    assert np.mean(fit(model, draw, steps=150, lr=found.suggestion).losses[-20:]) < 0.5  # ln 5 is 1.6


def state_of(model):
    return [tensor.clone() for tensor in (*model.parameters(), *model.buffers())]


def numbers():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize("stop", [False, True])
def test_everything_is_as_it_was(stop):
    model = fresh().eval()
    model.register_buffer("seen", torch.zeros(1), persistent=False)

    def count(module, given):
        module.seen += 1

    model.register_forward_pre_hook(count)
    model.layers[1].train()
    draw, before = windows(TEXT, length=8, size=4), state_of(model)
    seed_everything(5)
    expected = numbers()
    seed_everything(5)
    if stop:
        with pytest.raises(KeyboardInterrupt):
            find_rate(model, interrupting(draw, after=20), high=10)
    else:
        find_rate(model, draw, high=10)
    assert numbers() == expected
    assert all(map(torch.equal, state_of(model), before))
    assert not model.training and model.layers[1].training and not model.layers[2].training
    assert all(weight.grad is None for weight in model.parameters())


def test_the_same_seed_finds_the_same():
    first, again = (find_rate(fresh(), windows(TEXT, length=8, size=4), high=10) for _ in range(2))
    assert first == again and repr(first).startswith("Found(suggestion ")


def test_a_loss_that_is_no_number_ends_the_test():
    model = Quadratic(1.0)
    calls = []

    def update(x, *, lr):
        calls.append(lr)
        return model.update(x, lr=lr) * (math.nan if lr > 1 else 1)

    found = find_rate(model, nothing, low=1e-6, high=100, update=update)
    assert found.exploded and found.rates[-1] < 1 and all(map(math.isfinite, found.losses))


def test_a_loss_that_is_no_number_before_any_step_is_told_as_fit_tells_it():
    model = Quadratic(1.0, scale=math.nan)
    for update in (None, model.update):
        with pytest.raises(FloatingPointError, match="there was no step before it"):
            find_rate(model, nothing, update=update)


def test_a_first_step_that_is_too_long_is_told_too():
    with pytest.raises(ValueError, match=r"exploded after 0 steps: give a smaller low$"):
        finder.read([], [], half=3, exploded=True)


def test_a_straight_line_is_smoothed_to_itself():
    line = torch.arange(20, dtype=torch.float64)
    torch.testing.assert_close(finder._means(line, 4), line)
    slopes = finder._slopes(3 * line, 4)
    torch.testing.assert_close(slopes[4:-4], torch.full((12,), 3.0, dtype=torch.float64))
    assert slopes[:4].isinf().all() and slopes[-4:].isinf().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low": 0}, "low and high are 0 and"),
        ({"low": 1, "high": 0.1}, "low and high are 1 and 0.1"),
        ({"high": math.inf}, "high are .* inf"),
        ({"steps": 9}, "steps is 9: give at least 10"),
        ({"low": 1e3, "high": 1e9}, "exploded after .* steps: give a smaller low than 1.0e\\+03"),
        ({"draw": lambda generator: 3}, "a batch must be a tuple"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(settings, message):
    model = Quadratic(1.0)
    usual = {"model": model, "draw": nothing, "update": model.update}
    with pytest.raises(ValueError, match=message):
        find_rate(**usual | settings)


def test_a_model_that_cannot_learn_is_told():
    with pytest.raises(ValueError, match="the loss falls nowhere between"):
        find_rate(Quadratic(0.0), nothing)
