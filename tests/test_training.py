import itertools
import math
import pickle
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vec2gpt.training import History, fit, linear_decay, rows, seed_everything, warmup_cosine, windows

TEXT = torch.arange(200) % 5


class Next(nn.Module):
    """Guesses the next of five tokens from the present one, with dropout: a run that needs all its state."""

    def __init__(self, dropout=0.2):
        super().__init__()
        self.layers = nn.Sequential(nn.Embedding(5, 8), nn.Dropout(dropout), nn.Linear(8, 5))

    def forward(self, ids, targets=None):
        logits = self.layers(ids)
        if targets is None:
            return logits, None
        return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def fresh(**settings):
    seed_everything(0)
    return Next(**settings)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def interrupting(draw, *, after):
    """The reader presses Ctrl-C in the step that follows `after` steps."""
    count = itertools.count()

    def wrapped(generator):
        if next(count) == after:
            raise KeyboardInterrupt
        return draw(generator)

    return wrapped


def test_seed_everything_repeats_all_three_generators():
    def numbers():
        return random.random(), np.random.rand(), torch.rand(1).item()

    seed_everything(3)
    first = numbers()
    seed_everything(3)
    assert numbers() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(numbers(), first, strict=True))
    with pytest.raises(ValueError, match="seed is -1"):
        seed_everything(-1)


def test_windows_are_pieces_of_the_text_and_targets_come_one_later():
    ids = torch.arange(50) ** 2  # every window shows where it comes from
    inputs, targets = windows(ids, length=7, size=200)(torch.Generator().manual_seed(0))
    start = inputs[:, :1].sqrt().long()
    assert torch.equal(inputs, (start + torch.arange(7)) ** 2)
    assert torch.equal(targets, (start + 1 + torch.arange(7)) ** 2)
    assert set(start.flatten().tolist()) == set(range(43)), "every start occurs, the first and last too"


def test_rows_keep_examples_together():
    x = torch.arange(10.0)
    a, b = rows(x, x**2, size=100)(torch.Generator().manual_seed(0))
    assert torch.equal(a**2, b)
    assert set(a.tolist()) == set(x.tolist())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: windows(TEXT[:8], length=8, size=1), "need 9 tokens, got 8"),
        (lambda: windows(TEXT[:0], length=8, size=1), "got 0"),
        (lambda: windows(TEXT, length=0, size=1), "at least 1"),
        (lambda: rows(size=1), "no examples"),
        (lambda: rows(TEXT[:0], size=1), "no examples"),
        (lambda: rows(TEXT, TEXT[:3], size=1), r"\[3, 200\]"),
        (lambda: rows(TEXT, size=0), "at least 1"),
    ],
)
def test_nothing_to_draw_from(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_warmup_cosine_by_hand():
    factor = warmup_cosine(100, warmup=10, floor=0.1)
    assert [factor(step) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert factor(55) == pytest.approx(0.55)  # half-way down: the mean of 1 and 0.1
    assert 0.1 < factor(99) < 0.102
    assert warmup_cosine(10, warmup=0)(0) == 1
    with pytest.raises(ValueError, match="warmup is 10"):
        warmup_cosine(10, warmup=10)


def test_linear_decay_by_hand():
    factor = linear_decay(5)
    assert [factor(step) for step in range(5)] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])


def test_fit_is_torchs_own_adamw_with_clipping():
    """The oracle is the loop every torch tutorial shows, on the same batches."""
    draw = windows(TEXT, length=8, size=4)
    ours = fresh(dropout=0.0)
    history = fit(
        ours, draw, steps=20, lr=0.01, weight_decay=0.1, clip=0.3, schedule=lambda step: 1 / (step + 1)
    )

    theirs = fresh(dropout=0.0)
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1))
    generator, losses = torch.Generator().manual_seed(0), []
    for _ in range(20):
        optimizer.zero_grad()
        _, loss = theirs(*draw(generator))
        loss.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.3)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())

    assert torch.equal(weights(ours), weights(theirs))
    assert history.losses == losses


class Descending(Next):
    """Takes its steps itself: plain gradient descent."""

    @torch.no_grad()
    def update(self, ids, targets, *, lr):
        with torch.enable_grad():
            _, loss = self(ids, targets)
            gradients = torch.autograd.grad(loss, list(self.parameters()))
        for parameter, gradient in zip(self.parameters(), gradients, strict=True):
            parameter -= lr * gradient
        return loss.detach()


def descending():
    seed_everything(0)
    return Descending(dropout=0.2)


def test_an_update_of_the_models_own_takes_the_place_of_adamw():
    """The oracle is torch's SGD on the same batches, at learning rates that fall along the schedule."""
    draw = windows(TEXT, length=8, size=4)
    ours = descending()
    history = fit(ours, draw, steps=20, lr=0.5, schedule=linear_decay(20), update=ours.update)

    theirs = fresh()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, linear_decay(20))
    generator, losses = torch.Generator().manual_seed(0), []
    for _ in range(20):
        optimizer.zero_grad()
        _, loss = theirs(*draw(generator))
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    torch.testing.assert_close(weights(ours), weights(theirs))
    assert history.losses == pytest.approx(losses) and not ours.training


def test_an_update_that_explodes_is_told():
    model = descending()
    with pytest.raises(
        FloatingPointError, match=r"step \d+: at lr 1e\+30 the loss is nan.*Make the model anew"
    ):
        fit(model, windows(TEXT, length=8, size=4), steps=9, lr=1e30, update=model.update)
    assert not model.training


def test_a_run_with_its_own_update_goes_on_to_the_same_bits(tmp_path):
    state, draw = tmp_path / "run.pt", windows(TEXT, length=8, size=4)
    settings = {"steps": 40, "lr": 0.5, "schedule": linear_decay(40)}
    whole = descending()
    expected = fit(whole, draw, update=whole.update, **settings)

    model = descending()
    settings |= {"resume": state, "save_every": 10}
    assert fit(model, interrupting(draw, after=25), update=model.update, **settings).interrupted
    seed_everything(99)
    model = Descending()
    assert fit(model, draw, update=model.update, **settings).losses == expected.losses
    assert torch.equal(weights(model), weights(whole)) and not state.exists()


def test_fit_learns_and_says_so_in_one_line(capsys):
    model = fresh()
    history = fit(model, windows(TEXT, length=8, size=8), steps=150, lr=0.03)
    assert history.losses[0] > 1 and np.mean(history.losses[-20:]) < 0.2
    assert capsys.readouterr().out == "150 training steps\n"
    assert history.steps == 150 and history.seconds > 0 and not history.interrupted
    assert not model.training, "ready to use: dropout is off"
    assert repr(history).startswith("History(150 steps, loss 1.")
    assert pickle.loads(pickle.dumps(history)) == history


def test_validation_runs_on_time_without_dropout_and_gradient():
    seen = []

    def validate(model):
        seen.append((model.training, torch.is_grad_enabled()))
        return torch.tensor(2.5)

    draw = windows(TEXT, length=8, size=4)
    history = fit(fresh(), draw, steps=7, validate=validate, validate_every=3)
    assert history.validations == [(3, 2.5), (6, 2.5), (7, 2.5)]
    assert set(seen) == {(False, False)}
    assert fit(fresh(), draw, steps=7, validate=validate).validations == [(7, 2.5)]


def test_frozen_parameters_stay():
    model = fresh()
    model.layers[0].weight.requires_grad_(False)
    before = model.layers[0].weight.clone()
    fit(model, windows(TEXT, length=8, size=4), steps=3)
    assert torch.equal(model.layers[0].weight, before)


def test_an_exploding_loss_stops_with_the_weights_unharmed():
    model = fresh()
    calls = []

    def draw(generator):
        calls.append(weights(model).clone())
        if len(calls) == 4:
            model.layers[2].register_forward_hook(lambda module, args, out: out * math.nan)
        return windows(TEXT, length=8, size=4)(generator)

    with pytest.raises(
        FloatingPointError, match=r"step 4: at lr .* the loss is nan.* last good loss was \d.*Lower lr"
    ):
        fit(model, draw, steps=10)
    assert torch.equal(weights(model), calls[-1])
    assert not model.training


def test_an_infinite_gradient_of_a_finite_loss_stops_too():
    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x, (self.w * x).sqrt().sum()  # 0, with slope infinity

    with pytest.raises(FloatingPointError, match="no step before"):
        fit(Root(), rows(torch.ones(3), size=1), steps=5)


def test_ctrl_c_keeps_what_was_learnt(capsys):
    model = fresh()
    start = weights(model).clone()
    draw = interrupting(windows(TEXT, length=8, size=4), after=5)
    history = fit(model, draw, steps=100)
    assert history.interrupted and history.steps == 5
    assert not torch.equal(weights(model), start)
    assert capsys.readouterr().out == "100 training steps: interrupted after 5\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"lr": 0}, "lr must be a positive number, not 0"),
        ({"lr": math.nan}, "lr must be a positive number"),
        ({"clip": 0}, "clip must be positive"),
        ({"validate_every": 0}, "validate_every must be at least 1"),
        ({"draw": (TEXT, TEXT)}, "not from a tuple"),
        ({"draw": lambda generator: TEXT}, "a batch must be a tuple of tensors, not Tensor"),
        ({"draw": lambda generator: (TEXT,)}, "needs the targets"),
        ({"model": nn.Identity()}, "no parameter to train"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(settings, message):
    usual = {"model": fresh(), "draw": windows(TEXT, length=8, size=4), "steps": 2}
    with pytest.raises(ValueError, match=message):
        fit(**usual | settings)


KILLED = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from test_training import *
from vec2gpt.training import fit

def draw(generator, calls=[]):
    calls.append(1)
    if len(calls) > {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    return windows(TEXT, length=8, size=4)(generator)

fit(fresh(), draw, steps=60, resume={state!r}, save_every=20)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_goes_on_to_the_same_weights_to_the_last_bit(tmp_path, capsys):
    state = tmp_path / "run.pt"
    draw = windows(TEXT, length=8, size=4)
    whole = fresh()
    expected = fit(whole, draw, steps=60)
    after = torch.rand(1), np.random.rand(), random.random()

    code = KILLED.format(folder=str(Path(__file__).parent), after=33, state=str(state))
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    capsys.readouterr()

    seed_everything(99)  # another process, another random state
    model = Next()
    history = fit(model, draw, steps=60, resume=state, save_every=20)
    assert capsys.readouterr().out.startswith("going on from step 20 of 60 (run.pt)\n")
    assert torch.equal(weights(model), weights(whole))
    assert history.losses == expected.losses
    assert (torch.rand(1), np.random.rand(), random.random()) == after
    assert not list(tmp_path.iterdir()), "a finished run leaves no state behind"


def test_an_interrupted_run_goes_on_from_its_last_save(tmp_path):
    state = tmp_path / "folder" / "run.pt"
    draw = windows(TEXT, length=8, size=4)
    model = fresh()
    assert fit(model, interrupting(draw, after=25), steps=40, resume=state, save_every=10).interrupted
    assert state.exists()
    history = fit(model, draw, steps=40, resume=state, save_every=10)
    whole = fresh()
    assert history.losses == fit(whole, draw, steps=40).losses and not history.interrupted
    assert torch.equal(weights(model), weights(whole))


def test_histories_compare_by_value():
    assert History([1.0], [(1, 2.0)]) == History([1.0], [(1, 2.0)]) != History([1.5])
    assert repr(History(interrupted=True)) == "History(0 steps, interrupted)"
