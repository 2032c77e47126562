"""The composer: its rates are those of `thawing` and of `recipes.ways`, and its code trains with them."""

import dataclasses
import doctest
import json
import pathlib
import random

import pandas as pd
import pytest
import torch

import vec2gpt.training
import vec2gpt.widgets.composer as module
from vec2gpt import schedules
from vec2gpt.bert import Bert, BertConfig
from vec2gpt.classifiers import Classifier
from vec2gpt.recipes.understanding import ways
from vec2gpt.stepping import scheduled
from vec2gpt.thawing import layer_groups
from vec2gpt.training import fit, rows
from vec2gpt.widgets.composer import (
    KINDS,
    LAYERS,
    LIMITS,
    PRESETS,
    RATES,
    Composition,
    composer_widget,
    summary,
)

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "schedules.json"
NUMBERS = {  # what each kind's number can be, here; the last of each is refused in 12 steps, if any is
    "step": ("every", [1, 4, 11, 12]),
    "exponential": ("end", [0.01, 0.5, 1.0, 0.0]),
    "warm-up, linear": ("warmup", [0, 3, 11, 12]),
    "warm-up, cosine": ("warmup", [0, 5, 11, 12]),
    "slanted triangle": ("cut", [0.1, 0.35, 0.99, 0.05]),
    "one cycle": ("peak", [0.1, 0.3, 0.99, 0.08]),
    "cyclical": ("period", [2, 5, 12, 13]),
}
OTHERS = [  # options that the reader cannot choose, and lengths at the edge
    ("constant", 1, {}),
    ("linear_decay", 1, {}),
    ("linear_decay", 7, {}),
    ("step_decay", 9, {"every": 2, "factor": 0.7}),
    ("warmup_linear", 1, {"warmup": 0}),
    ("warmup_cosine", 1, {"warmup": 0}),
    ("warmup_cosine", 20, {"warmup": 2, "floor": 0.25}),
    ("slanted_triangular", 30, {"cut": 0.29, "ratio": 7.5}),
    ("one_cycle", 21, {"peak": 11 / 21, "first": 0.2, "last": 0.1}),
    ("cyclical", 17, {"period": 7, "low": 1.0}),
    ("one_cycle", 1, {}),
    ("step_decay", 9, {"every": 0}),
    ("step_decay", 9, {"every": 3, "factor": 1.5}),
    ("warmup_cosine", 20, {"warmup": 2, "floor": -0.5}),
    ("slanted_triangular", 30, {"ratio": 0.5}),
    ("slanted_triangular", 30, {"cut": 1.0}),
    ("cyclical", 17, {"period": 1}),
    ("cyclical", 0, {"period": 2}),
]
BROKEN = [
    Composition("warm-up, cosine", 100),
    Composition("warm-up, linear", 99, steps=40),
    Composition("step", 100),
    Composition("step", 0),
    Composition("cyclical", 1),
    Composition("exponential", 0),
    Composition("slanted triangle", 0),
    Composition("slanted triangle", 3, steps=30),
    Composition("slanted triangle", 100),
    Composition("one cycle", 2, steps=30),
    Composition("one cycle", 100, still=8),
    Composition(still=8),
    Composition(still=6, layers=4, every=7),
    Composition(every=9),
    Composition(every=100, still=6, steps=50),
    Composition(every=3, steps=10),
    Composition(every=1, steps=13, layers=12),
]


def some(count, *, seed=0, steps=(10, 25)):
    """Compositions of every kind, that go together."""
    draw, found = random.Random(seed), []
    while len(found) < count:
        one = Composition(
            kind=[*KINDS][len(found) % len(KINDS)],
            share=draw.choice([*range(0, 101)]),
            lr=draw.choice(sorted(RATES)),
            steps=draw.randint(*steps),
            decay=draw.choice([1.0, 1.0, 0.3, 0.8, 0.95, 0.57]),
            every=draw.choice([0, 0, 1, 2, 3, 40]),
            still=draw.choice([0, 0, 1, 2, 5]),
            layers=draw.choice(LAYERS),
        )
        try:
            one.schedule()
        except ValueError:
            continue
        found.append(one)
    return found


def refusal(make):
    with pytest.raises(ValueError) as refused:
        make()
    return str(refused.value)


def schedule(function, steps, options):
    case = {"function": function, "steps": steps, "options": options}
    try:
        made = getattr(schedules, function)(steps, **options)
    except ValueError as error:
        return case | {"refused": str(error)}
    return case | {"factors": [made(step) for step in range(steps)]}


def golden():
    """Factors, rates, code and refusals: what the page's own are held to."""
    numbers = [(KINDS[kind].function, 12, {name: x}) for kind, (name, xs) in NUMBERS.items() for x in xs]
    told = [
        dataclasses.asdict(one) | {"code": one.code(), "saved": one.saved(), "rates": one.rates().tolist()}
        for one in some(18, steps=(10, 20))
    ]
    return {
        "settings": {
            "kinds": [[name, kind._asdict()] for name, kind in KINDS.items()],
            "rates": sorted(RATES),
            "layers": [str(size) for size in LAYERS],
            "limits": LIMITS,
        },
        "schedules": [schedule(*case) for case in [*numbers, *OTHERS]],
        "compositions": told,
        "refused": [dataclasses.asdict(one) | {"said": refusal(one.schedule)} for one in BROKEN],
    }


def alike(one, other):
    """Equal, numbers to the last digits but one: a processor's library decides of those."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == (pytest.approx(other, rel=1e-13, abs=0) if isinstance(other, float) else other)


def test_the_golden_rates_that_the_view_is_tested_with_are_those_of_today():
    """After a change of the schedules or plans: python -m tests.widgets.test_composer writes them anew."""
    stored, today = json.loads(GOLDEN.read_text()), json.loads(json.dumps(golden()))
    for part in today:
        assert alike(stored[part], today[part]), part


def test_every_kind_has_numbers_that_are_tested_and_one_that_is_refused():
    assert set(NUMBERS) == {name for name, kind in KINDS.items() if kind.takes}
    for kind, (name, numbers) in NUMBERS.items():
        assert name == KINDS[kind].takes
        refused = [x for x in numbers if "refused" in schedule(KINDS[kind].function, 12, {name: x})]
        assert refused == numbers[-1:]


# ---- the code that the page shows ----


def a_model(layers, *, context=4):
    torch.manual_seed(0)
    return Classifier(Bert(BertConfig(7, context=context, width=4, heads=1, inner=4, layers=layers)), 2)


@pytest.fixture
def ran(monkeypatch):
    """What the code gives to `fit`: a model is not trained, only asked for its groups."""
    calls = []
    monkeypatch.setattr(vec2gpt.training, "fit", lambda *models, **told: calls.append((models, told)))
    models = {layers: a_model(layers) for layers in LAYERS}

    def run(one):
        exec(one.code(), {"model": models[one.layers], "draw": "draw"})
        return models[one.layers], calls.pop()

    return run


@pytest.mark.parametrize("seed", range(3))
def test_the_code_trains_each_group_at_the_rate_that_is_shown(ran, seed):
    for one in [*some(40, seed=seed, steps=(10, 60)), *PRESETS.values()]:
        model, ((given, draw), told) = ran(one)
        assert (given, draw, told["steps"]) == (model, "draw", one.steps)
        assert told["schedule"].steps == one.steps  # so that `fit` would refuse another length
        groups = told.get("groups")  # without them `fit` trains all at one rate
        assert list(groups or layer_groups(model)) == one.groups
        for step, shown in enumerate(one.rates().T.tolist()):
            rates = scheduled(told["lr"], told["schedule"], step, groups)
            assert list(rates.values() if groups else [rates] * len(one.groups)) == shown, (one, step)


def test_the_code_of_all_parts_by_hand():
    told = Composition("warm-up, linear", 10, lr=2e-4, steps=50, decay=0.8, every=5, still=2).code()
    assert told.splitlines() == [
        "from vec2gpt.schedules import warmup_linear",
        "from vec2gpt.thawing import combined, discriminative, frozen, gradual, layer_groups",
        "from vec2gpt.training import fit",
        "",
        "groups = layer_groups(model)",
        "schedule = combined(",
        "    warmup_linear(50, warmup=5),",
        "    discriminative(groups, decay=0.8),",
        "    gradual(groups, every=5),",
        "    frozen(groups, *list(groups)[:2]),",
        ")",
        "fit(model, draw, steps=50, lr=2e-4, groups=groups, schedule=schedule)",
    ]
    assert Composition("constant", lr=0.01).code().splitlines()[-2:] == [
        "schedule = constant(60)",
        "fit(model, draw, steps=60, lr=0.01, schedule=schedule)",
    ]


# ---- what frozen groups save ----


@pytest.mark.parametrize(
    "one",
    [
        Composition(steps=10, layers=4),
        Composition(steps=10, layers=4, still=1),
        Composition(steps=12, layers=4, every=2),
        Composition(steps=10, layers=4, still=5, every=3, decay=0.5),
        Composition("one cycle", 30, steps=11, layers=4, still=3, every=2),
    ],
)
def test_so_many_backward_passes_are_spared_when_a_model_is_trained_so(one):
    model, passed = a_model(4), []
    for block in model.modules():
        if type(block).__name__ == "Block":
            block.register_forward_hook(lambda *told: passed.append(told[2].requires_grad))
    draw = rows(torch.randint(1, 7, (9, 4)), torch.randint(0, 2, (9,)), size=2)
    fit(model, draw, steps=one.steps, lr=one.lr, groups=layer_groups(model), schedule=one.schedule())
    assert len(passed) == 4 * one.steps
    assert passed.count(False) / len(passed) == pytest.approx(one.saved(), abs=1e-6)


# ---- the ways that are measured ----


def test_a_preset_trains_as_the_recipe_does():
    assert set(ways.WAYS) - set(PRESETS) == {"layers: LoRA", "rate: found"}
    for name, one in PRESETS.items():
        way, factors = ways.WAYS[name], one.schedule()
        expected = ways.rates(way, dict.fromkeys(one.groups), steps=ways.STEPS)
        assert (one.lr, one.steps) == (way.lr, ways.STEPS)
        for step in range(ways.STEPS):
            assert factors(step) == expected(step), name


def a_table(*found):
    columns = "seed", "way", "steps", "lr", "accuracy"
    return pd.DataFrame(
        [
            [seed, way, ways.STEPS, ways.WAYS[way].lr or 0.01, share]
            for way, shares in found
            for seed, share in enumerate(shares)
        ],
        columns=columns,
    )


def test_what_was_measured_is_told_by_way():
    table = a_table(
        ("thawing: both", [0.7, 0.72, 0.74]),
        ("layers: LoRA", [0.9]),
        ("rate: found", [0.8]),
        ("layers: head", [0.5]),
    )
    assert summary(table) == {
        "thawing: both": {"mean": pytest.approx(0.72), "spread": pytest.approx(0.02), "seeds": 3},
        "layers: head": {"mean": 0.5, "spread": None, "seeds": 1},
    }
    table.loc[0, "accuracy"] = float("nan")
    assert summary(table)["thawing: both"]["seeds"] == 2
    assert summary(None) == summary(a_table()) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"way": "thawing: none"}, "'thawing: none' that recipes.ways does not know"),
        ({"steps": 61}, "not measured with 60 steps"),
        ({"lr": 7e-3}, "do it anew"),
        ({"seed": 0}, "has a seed twice"),
    ],
)
def test_a_table_of_other_settings_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        summary(a_table(("thawing: both", [0.7, 0.72])).assign(**change))


# ---- the widget ----


def test_the_widget_holds_what_its_view_needs():
    widget = composer_widget(a_table(("layers: head", [0.5, 0.6])))
    settings, begin = widget.settings, PRESETS["thawing: both"]
    assert {name: Composition(**one) for name, one in settings["ways"]} == PRESETS
    assert Composition(**settings["start"]) == begin
    assert list(settings["measured"]) == ["layers: head"]
    assert {one.lr for one in PRESETS.values()} <= set(settings["rates"]) == set(sorted(settings["rates"]))
    first = widget.first["rates"]
    assert first["dims"] == [8, 60]
    assert first["data"] == pytest.approx(begin.rates().flatten().tolist(), rel=1e-3)
    json.dumps([settings, widget.first, widget.spec], allow_nan=False)


def test_another_start():
    own = Composition("one cycle", 30, lr=1.23e-4, layers=12, steps=40)
    widget = composer_widget(start=own)
    assert widget.settings["start"] == dataclasses.asdict(own) and 1.23e-4 in widget.settings["rates"]
    assert composer_widget(start="layers: head").settings["start"]["still"] == 7
    with pytest.raises(ValueError, match="start is 'layers: LoRA': choose one of as in the ladder"):
        composer_widget(start="layers: LoRA")
    with pytest.raises(ValueError, match="all groups would be frozen"):
        composer_widget(start=Composition(still=8))


def test_no_model_is_exported(monkeypatch, tmp_path):
    monkeypatch.setenv("VEC2GPT_SITE", str(tmp_path))
    widget = composer_widget()
    assert widget.spec["order"] == [] and widget.spec["models"] == {} and not list(tmp_path.iterdir())


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(module)
    assert failed == 0 and tried == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "cosine"}, "kind is 'cosine': choose one of constant, step"),
        ({"layers": 5}, "layers is '5': choose one of 4, 6, 12"),
        ({"share": 101}, "share is 101: give a whole number from 0 to 100"),
        ({"share": 0.5}, "share is 0.5: give a whole number"),
        ({"steps": 9}, "steps is 9: give a whole number from 10 to 500"),
        ({"decay": 0.2}, "decay is 0.2: give a number from 0.3 to 1"),
        ({"decay": float("nan")}, "decay is nan"),
        ({"every": -1}, "every is -1"),
        ({"still": 9}, "still is 9: give a whole number from 0 to 8"),
        ({"lr": 0.0}, "lr is 0.0: give a number from 1e-06 to 0.1"),
        ({"lr": "1e-3"}, "lr is '1e-3'"),
    ],
)
def test_what_cannot_be_chosen_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Composition(**options)


def test_what_does_not_go_together_says_what_would():
    said = {one: refusal(one.schedule) for one in BROKEN}
    assert said[Composition("warm-up, cosine", 100)].startswith("warmup is 60, but must lie between 0 and")
    assert said[Composition("step", 100)].startswith("in 60 steps nothing falls after 60")
    assert said[Composition(still=8)] == "all groups would be frozen: leave one that learns"
    late = said[Composition(every=9)]
    assert late == (
        "every is 9: embedding would thaw after 63 steps, but there are 60: "
        "give 1 … 8, or 0, which thaws all at once"
    )
    Composition(every=8).schedule()
    assert said[Composition(every=1, steps=13, layers=12)].endswith(
        "there are 13: give 0, which thaws all at once"
    )
    Composition(every=1, steps=14, layers=12).schedule()


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), separators=(",", ":")) + "\n")
