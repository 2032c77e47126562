"""The table of ways to tune: each does what its name says, on texts that the project made."""

import dataclasses

import pytest
import torch
from rated import SMALL, check_recorded, parts

from vec2gpt import lora
from vec2gpt.finder import find_rate
from vec2gpt.recipes import RECIPES, table
from vec2gpt.recipes.understanding import opinions, understanding, ways
from vec2gpt.recipes.understanding.ways import SCHEDULES, WAYS, Way, rates
from vec2gpt.thawing import layer_groups
from vec2gpt.training import seed_everything

GROUPS = ["embedding", "block 1", "block 2", "block 3", "head"]
LAYERS = {name: way for name, way in WAYS.items() if name.startswith(("layers", "thawing"))}
MINILM = ["embedding", *(f"block {n}" for n in range(1, 7)), "head"]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Few texts, which differ from domain to domain, and a small network."""
    monkeypatch.setattr(opinions, "split", parts)
    monkeypatch.setattr(ways, "MODEL", "small")
    monkeypatch.setattr(ways, "LABELS", 40)
    monkeypatch.setitem(understanding.TRAINED, "small", SMALL)


def tuned(way, *, steps, seed=0):
    return ways.tune(way, opinions.draw("movies", 40, seed=seed), steps=steps, seed=seed)


def moved(way, *, steps):
    """How far the farthest number of each group has gone from where it began; LoRA is merged."""
    seed_everything(0)
    before = layer_groups(SMALL.make().model)
    model = tuned(way, steps=steps)[0].model
    after = layer_groups(lora.merge(model) if way.rank else model)
    return {
        name: max((a - b).abs().max().item() for a, b in zip(after[name], weights, strict=True))
        for name, weights in before.items()
    }


# ---- what a name says ----


MAY = {
    "as in the ladder": set(),
    "layers": {"upper", "rank", "lr"},
    "thawing": {"every", "decay", "lr"},
    "schedule": {"schedule"},
    "rate": {"lr"},
}


@pytest.mark.parametrize("name", WAYS)
def test_a_way_differs_from_the_ladder_s_in_what_its_name_says_alone(name):
    kind, _, said = name.partition(": ")
    way, base = (dataclasses.asdict(one) for one in (WAYS[name], WAYS["as in the ladder"]))
    changed = {field for field in way if way[field] != base[field]}
    assert changed <= MAY[kind] and bool(changed) == (kind != "as in the ladder")
    if kind == "schedule":
        assert way["schedule"] == said
    if kind == "rate":
        assert way["lr"] == (None if said == "found" else float(said))


def test_there_is_a_way_for_each_schedule_and_no_two_are_the_same():
    assert {way.schedule for way in WAYS.values()} == set(SCHEDULES)
    assert len(set(WAYS.values())) == len(WAYS)


# ---- which weights change ----


@pytest.mark.parametrize(
    ("name", "learning"),
    {
        "layers: head": {"head"},
        "layers: head, 1 block": {"head", "block 3"},
        "layers: head, 3 blocks": {"head", "block 3", "block 2", "block 1"},
        "layers: LoRA": {"head", "block 3", "block 2", "block 1"},
        "as in the ladder": set(GROUPS),
        "thawing: discriminative": set(GROUPS),
    }.items(),
)
def test_what_a_name_leaves_out_stays_to_the_last_bit(name, learning):
    far = moved(WAYS[name], steps=3)
    assert list(far) == GROUPS
    assert {group for group, distance in far.items() if distance} == learning


@pytest.mark.parametrize(("name", "steps", "thawed"), [("gradual", 6, 1), ("gradual", 7, 2), ("both", 13, 3)])
def test_thawing_has_come_so_far_down(name, steps, thawed):
    assert WAYS[f"thawing: {name}"].every == 6
    far = moved(WAYS[f"thawing: {name}"], steps=steps)
    assert [group for group, distance in far.items() if distance] == GROUPS[-thawed:]


@pytest.mark.parametrize("name", [name for name, way in LAYERS.items() if not way.rank])
def test_a_first_step_is_as_long_as_the_rate_of_its_group(name):
    """AdamW divides the first gradient by its own size, so each number goes by its rate."""
    way = WAYS[name]
    factors = rates(way, dict.fromkeys(GROUPS), steps=1)(0)
    for group, far in moved(way, steps=1).items():
        assert far == pytest.approx(way.lr * factors[group], rel=1e-2)


def test_lora_learns_beside_query_and_value_and_the_head_as_it_is():
    network, found = tuned(WAYS["layers: LoRA"], steps=3)
    learnt = {name for name, weight in network.model.named_parameters() if weight.requires_grad}
    assert {name.rpartition(".")[2] for name in learnt} == {"A", "B", "weight", "bias"}
    assert all(name.startswith("head") for name in learnt if not name.endswith((".A", ".B")))
    assert sum("query" in name for name in learnt) == sum("value" in name for name in learnt) == 2 * 3
    assert found["trained"] == lora.count(network.model).trained == 3 * 2 * 4 * (16 + 16) + 2 * 16 + 2


def test_what_learns_is_counted():
    counts = {name: tuned(way, steps=1)[1]["trained"] for name, way in LAYERS.items()}
    whole = sum(weight.numel() for weight in SMALL.make().model.parameters())
    assert counts["layers: head"] == 2 * 16 + 2
    assert counts["layers: head"] < counts["layers: head, 1 block"] < counts["layers: head, 3 blocks"] < whole
    assert {count for name, count in counts.items() if name.startswith("thawing")} == {whole}


# ---- when, and how fast ----


def shape(name, steps=ways.STEPS):
    return [SCHEDULES[name](steps)(step) for step in range(steps)]


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_reaches_the_rate_and_never_more_however_few_the_steps(name):
    assert max(shape(name)) == pytest.approx(1, abs=2e-3)  # a peak between two steps is met by neither
    assert min(shape(name)) >= 0
    for steps in range(5 if name == "one cycle" else 3, 12):
        assert all(0 <= factor <= 1 + 1e-9 for factor in shape(name, steps))


def test_each_schedule_has_the_shape_of_its_name():
    assert set(shape("constant")) == {1}
    assert [shape("step").count(pytest.approx(factor)) for factor in (1, 0.3, 0.09)] == [20, 20, 20]
    falls = [b / a for a, b in zip(shape("exponential"), shape("exponential")[1:], strict=False)]
    assert falls == pytest.approx([0.01 ** (1 / 60)] * 59)
    assert shape("cyclical")[:20] == shape("cyclical")[20:40] and min(shape("cyclical")) == pytest.approx(0.1)
    assert [shape(name).index(1) for name in ("warm-up, linear", "warm-up, cosine")] == [2, 2]
    assert shape("slanted triangle").index(1) == 6
    assert shape("one cycle")[-1] < 1e-5 and 16 <= shape("one cycle").index(max(shape("one cycle"))) <= 18


def test_rates_are_the_schedule_times_the_plan():
    schedule = SCHEDULES["warm-up, cosine"](60)
    both = rates(WAYS["thawing: both"], dict.fromkeys(MINILM), steps=60)
    for step in range(60):
        for depth, group in enumerate(reversed(MINILM)):
            expected = schedule(step) * 0.8**depth * (step >= 6 * depth)
            assert both(step)[group] == pytest.approx(expected, abs=1e-12)
    assert rates(WAYS["as in the ladder"], dict.fromkeys(MINILM), steps=60)(7) == schedule(7)


def test_all_of_minilm_has_thawed_before_the_end():
    last = rates(WAYS["thawing: gradual"], dict.fromkeys(MINILM), steps=ways.STEPS)(50)
    assert all(factor > 0 for factor in last.values())


def test_the_rate_that_is_found_is_the_finder_s_and_nothing_else_is_changed_by_finding():
    network, told = tuned(WAYS["rate: found"], steps=5)
    seed_everything(0)
    fresh = SMALL.make()
    known = opinions.draw("movies", 40, seed=0)
    draw = understanding.batches(fresh.rows(known.texts), known.labels, pad=0)
    rate = find_rate(fresh.model, draw, low=1e-6, high=0.1, steps=ways.TRIED, seed=0).suggestion
    assert told["lr"] == float(f"{rate:.3g}") and 1e-6 < rate < 0.1
    same = tuned(Way(lr=rate), steps=5)[0].model.state_dict()
    assert all(torch.equal(weight, same[name]) for name, weight in network.model.state_dict().items())


# ---- rows ----


def measured(name, *, seed=0, steps=8):
    experiment = ways.experiment()
    return experiment.measure(**experiment.settings(seed=seed, way=name, steps=steps))


@pytest.mark.parametrize("name", ["as in the ladder", "layers: LoRA", "thawing: both"])
def test_a_seed_decides_a_row(name):
    first = measured(name)
    torch.rand(7)  # whatever was computed before
    assert measured(name) == first
    assert measured(name, seed=1)["loss"] != first["loss"]


def test_a_row_is_judged_on_so_many_of_the_test_texts(monkeypatch):
    asked = []

    def judge(guess, some):
        asked.append(some)
        return {"accuracy": guess(some.texts).double().mean().item()}

    monkeypatch.setattr(understanding, "judge", judge)
    monkeypatch.setattr(ways, "ASKED", 6)
    found = measured("layers: head")
    assert list(found) == ["lr", "trained", "loss", "accuracy"]
    assert asked[0].texts == parts("movies").test.some(6).texts


def test_the_loss_is_that_of_the_last_ten_steps():
    known = opinions.draw("movies", 40, seed=0)
    seed_everything(0)
    network, losses = SMALL.make(), []
    model = network.model
    model.register_forward_hook(lambda model, given, out: losses.append(out[1].item()))
    draw = understanding.batches(network.rows(known.texts), known.labels, pad=0)
    understanding.train(model, draw, steps=20, lr=ways.RATE, seed=0)
    assert tuned(WAYS["as in the ladder"], steps=20)[1]["loss"] == pytest.approx(
        sum(losses[10:]) / 10, abs=1e-4
    )


def test_a_way_that_is_stopped_by_hand_leaves_no_row(monkeypatch):
    def stopped(generator):
        raise KeyboardInterrupt

    monkeypatch.setattr(understanding, "batches", lambda *rows, **style: stopped)
    with pytest.raises(KeyboardInterrupt):
        tuned(WAYS["layers: head"], steps=2)


def test_every_row_says_what_decides_its_figures(monkeypatch):
    def told(way="layers: LoRA", **place):
        return ways.experiment().settings(**{"seed": 0, "way": way} | place)

    assert len({told(way)["settings"] for way in WAYS}) == len(WAYS)
    assert told(steps=3)["steps"] == 3 and told()["steps"] == ways.STEPS
    assert told()["seed"] == 0 != told(seed=1)["seed"]
    changes = [(ways, name, 9) for name in ("LABELS", "ASKED", "TRIED")] + [(ways, "DOMAIN", "tweets")]
    changes += [(understanding, name, 9) for name in ("LENGTH", "SIZE", "ALIKE")] + [(ways, "MODEL", "lstm")]
    for module, name, value in changes:
        before = told()
        with monkeypatch.context() as changed:
            changed.setattr(module, name, value)
            assert told()["settings"] != before["settings"]
    for field in dataclasses.fields(Way):
        before = told("as in the ladder")
        with monkeypatch.context() as changed:
            changed.setitem(WAYS, "as in the ladder", dataclasses.replace(ways.BASE, **{field.name: 0.123}))
            assert told("as in the ladder")["settings"] != before["settings"]


def test_the_recorded_table_is_whole_and_of_these_settings(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(opinions, "digest", lambda *domains: "")  # test_opinions has the time for it
    check_recorded("tuning-ways", ways.AXES, ways.experiment())


@pytest.mark.slow
def test_a_thin_slice_of_the_ways(tmp_path, monkeypatch):
    monkeypatch.setattr(ways, "MODEL", "prose-bert, tuned")
    names = ("as in the ladder", "layers: head", "layers: LoRA", "thawing: both", "rate: found")
    recipe = dataclasses.replace(RECIPES["tuning-ways"], axes={"seed": (0,), "way": names})
    recipe.run("tuning-ways", steps=5, out=tmp_path)
    rows = table.read("tuning-ways", tmp_path).set_index("way")
    assert rows["accuracy"].between(0, 1).all() and rows["loss"].between(0.1, 2).all()
    assert (rows["steps"] == 5).all() and rows.loc["layers: head", "trained"] == 2 * 128 + 2
    assert rows.loc["as in the ladder", "trained"] == rows.loc["thawing: both", "trained"] > 1e6
    assert recipe.run("tuning-ways", steps=5, out=tmp_path).measured == 0
