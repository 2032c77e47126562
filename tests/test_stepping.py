"""`fit` with groups of parameters; without them it is tested in test_training.py."""

import itertools
import math

import pytest
import torch
from test_training import TEXT, Next, fresh, interrupting, weights

from vec2gpt.schedules import linear_decay
from vec2gpt.thawing import combined, frozen, gradual
from vec2gpt.training import fit, windows

DRAW = windows(TEXT, length=8, size=4)


def groups_of(model):
    return {"lower": [model.layers[0].weight], "upper": list(model.layers[2].parameters())}


def test_one_rate_for_all_groups_is_a_training_without_groups():
    style = {"steps": 20, "lr": 0.01, "weight_decay": 0.1, "clip": 0.3, "schedule": linear_decay(20)}
    plain = fresh()  # which sets the seed of dropout too
    expected = fit(plain, DRAW, **style).losses
    grouped = fresh()
    assert fit(grouped, DRAW, groups=groups_of(grouped), **style).losses == expected
    factors = fresh()
    style["schedule"] = combined(linear_decay(20), frozen(["lower", "upper"]))
    assert fit(factors, DRAW, groups=groups_of(factors), **style).losses == expected
    assert torch.equal(weights(plain), weights(grouped)) and torch.equal(weights(plain), weights(factors))


@pytest.fixture(scope="module")
def expected():
    """The oracle: the loop of a tutorial, the lower group at a tenth of the rate, from step 5."""
    model = fresh(dropout=0.0)
    groups = groups_of(model)
    optimizer = torch.optim.AdamW([{"params": some} for some in groups.values()], weight_decay=0.1)
    generator, losses = torch.Generator().manual_seed(0), []
    for step in range(20):
        optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = 0.001, 0.01
        optimizer.zero_grad()
        _, loss = model(*DRAW(generator))
        loss.backward()
        if step < 5:
            model.layers[0].weight.grad = None
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        optimizer.step()
        losses.append(loss.item())
    return losses, weights(model)


def thawing(step):
    return {"upper": 1.0, "lower": 0.1 * (step >= 5)}  # in whatever order


STYLE = {"steps": 20, "lr": 0.01, "weight_decay": 0.1, "clip": 0.3, "schedule": thawing}


def test_groups_have_their_own_rates_and_thaw(expected):
    model = fresh(dropout=0.0)
    assert fit(model, DRAW, groups=groups_of(model), **STYLE).losses == expected[0]
    assert torch.equal(weights(model), expected[1])


@pytest.mark.parametrize("after", [3, 13])  # while the lower group is frozen, and later
def test_a_run_with_groups_goes_on_to_the_same_bits(expected, tmp_path, after):
    state = tmp_path / "run.pt"
    model = fresh(dropout=0.0)
    style = STYLE | {"resume": state, "save_every": 2}
    assert fit(model, interrupting(DRAW, after=after), groups=groups_of(model), **style).interrupted
    model = Next(dropout=0.0)
    assert fit(model, DRAW, groups=groups_of(model), **style).losses == expected[0]
    assert torch.equal(weights(model), expected[1]) and not state.exists()


def test_a_run_with_other_groups_is_another_run(tmp_path):
    state = tmp_path / "run.pt"
    model = fresh()
    style = {"steps": 9, "resume": state, "save_every": 2}
    assert fit(model, interrupting(DRAW, after=5), groups=groups_of(model), **style).interrupted
    others = {name: groups_of(model)[name] for name in ("upper", "lower")}
    for groups in (None, others, {"all": list(model.parameters())}):
        with pytest.raises(ValueError, match=r"holds another run.*groups"):
            fit(model, DRAW, groups=groups, **style)


def test_a_frozen_group_is_not_touched_and_can_learn_afterwards():
    """Neither weight decay nor what AdamW remembers of earlier steps moves it."""
    model, seen = fresh(), []

    def watch(model):
        seen.append(model.layers[0].weight.detach().clone())
        return 0.0

    def schedule(step):
        return {"lower": float(step < 5), "upper": 1.0}

    style = {"lr": 0.1, "weight_decay": 0.5, "validate": watch, "validate_every": 1}
    fit(model, DRAW, steps=9, groups=groups_of(model), schedule=schedule, **style)
    moved = [not torch.equal(a, b) for a, b in itertools.pairwise(seen)]
    assert moved == [True] * 4 + [False] * 4
    assert all(weight.requires_grad for weight in model.parameters())


def test_what_was_frozen_before_stays_frozen():
    model = fresh()
    model.layers[0].weight.requires_grad_(False)
    before = model.layers[0].weight.clone()
    fit(model, DRAW, steps=3, groups=groups_of(model), schedule=gradual(["lower", "upper"], every=1))
    assert torch.equal(model.layers[0].weight, before) and not model.layers[0].weight.requires_grad


def test_after_an_error_and_an_interruption_all_can_learn_again():
    def explode(generator):
        assert not model.layers[0].weight.requires_grad or not calls
        calls.append(1)
        return (TEXT,) if len(calls) > 2 else DRAW(generator)

    model, calls, plan = fresh(), [], frozen(["lower", "upper"], "lower")
    with pytest.raises(ValueError, match="needs the targets"):
        fit(model, explode, steps=3, groups=groups_of(model), schedule=plan)
    assert len(calls) == 3 and all(weight.requires_grad for weight in model.parameters())
    draw = interrupting(DRAW, after=1)
    assert fit(model, draw, steps=3, groups=groups_of(model), schedule=plan).interrupted
    assert all(weight.requires_grad for weight in model.parameters())


def changed(change):
    model = fresh()
    groups = groups_of(model)
    change(groups)
    return {"model": model, "groups": groups}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (changed(lambda g: g.pop("lower")), r"layers.0.weight is in no group: put it in one"),
        (changed(lambda g: g.clear()), r"layers.0.weight is in no group"),
        (
            changed(lambda g: g["lower"].append(g["upper"][0])),
            r"layers.2.weight is in the groups 'lower' and 'upper'",
        ),
        (
            changed(lambda g: g["lower"].append(torch.nn.Parameter(torch.ones(1)))),
            "group 'lower' holds a parameter that is not the model's",
        ),
        (
            {"schedule": lambda step: {"lower": 1.0, "upper": 1.0, "uper": 1.0}},
            "step 0: the schedule speaks of 'uper'; the groups are lower, upper",
        ),
        ({"schedule": lambda step: {"lower": 1.0}}, "step 0: the schedule says nothing of 'upper'"),
        ({"schedule": lambda step: {"lower": 0.0, "upper": 1.0 - step}}, "step 1: all groups are frozen"),
        ({"schedule": lambda step: 0.0}, "step 0: all groups are frozen"),
        ({"schedule": lambda step: {"lower": -1.0, "upper": 1.0}}, "step 0: the schedule says -1.0"),
        ({"schedule": lambda step: math.nan, "groups": None}, "step 0: the schedule says nan"),
        ({"schedule": lambda step: 0.5 - step, "groups": None}, "step 1: the schedule says -0.5"),
        ({"schedule": gradual(["lower", "upper"], every=1), "groups": None}, "give groups too"),
        ({"schedule": linear_decay(3)}, "schedule is of 3 steps, but the training of 2: make it for 2"),
        ({"schedule": linear_decay(1)}, "schedule is of 1 steps, but the training of 2"),
        ({"update": lambda *batch, lr: torch.tensor(1.0)}, "knows no groups"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(settings, message):
    model = fresh()
    usual = {"model": model, "groups": groups_of(model), "draw": DRAW, "steps": 2}
    with pytest.raises(ValueError, match=message):
        fit(**usual | settings)
