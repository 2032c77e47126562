"""The table of domains: what a route is, what it is tuned on, and that a row is itself alone."""

import copy
import dataclasses
import doctest

import pytest
import torch
from rated import SMALL, check_recorded, parts

from vec2gpt.recipes import RECIPES, table
from vec2gpt.recipes.understanding import domains, opinions, understanding
from vec2gpt.recipes.understanding.domains import AWAY, FEW, HOME, MANY, ROUTES, STEPS, Stop, stops
from vec2gpt.recipes.understanding.opinions import DOMAINS

ALONE, ON = "movies:20", "movies:20 > tweets:8"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Few texts, which differ from domain to domain, and a small network."""
    monkeypatch.setattr(opinions, "split", parts)
    monkeypatch.setattr(domains, "MODEL", "small")
    monkeypatch.setattr(domains, "STEPS", {20: 6, 8: 4})
    monkeypatch.setitem(understanding.TRAINED, "small", SMALL)
    domains._settled.cache_clear()
    yield
    domains._settled.cache_clear()


def network(route, *, seed=0):
    way = stops(route)
    return domains.travelled(way, [domains.STEPS[stop.labels] for stop in way], seed=seed)


def same(one, other):
    others = other.model.state_dict()
    return all(torch.equal(weight, others[name]) for name, weight in one.model.state_dict().items())


# ---- routes ----


def test_the_example_of_the_docstring_is_true():
    assert tuple(doctest.testmod(domains)) == (0, 1)


def test_several_domains_are_one_stop():
    assert stops("movies+tweets:800") == [Stop(("movies", "tweets"), 800)]


@pytest.mark.parametrize("route", ROUTES)
def test_every_stop_can_be_made(route):
    for stop in stops(route):
        assert set(stop.domains) <= set(DOMAINS) and stop.labels in (MANY, FEW) and set(STEPS) == {MANY, FEW}
        assert stop.labels % (2 * len(stop.domains)) == 0  # as many of each domain and class


def test_every_domain_is_gone_to_with_few_and_many_texts_from_home_and_without():
    ways = [stops(route) for route in ROUTES]
    assert len(set(ROUTES)) == len(ROUTES)
    for domain in AWAY:
        for count in (MANY, FEW):
            there = Stop((domain,), count)
            assert [there] in ways and [Stop((HOME,), MANY), there] in ways
    assert [Stop((HOME,), MANY)] in ways and [Stop(DOMAINS, MANY)] in ways
    assert len(ways) == 2 + 4 * len(AWAY)


def test_the_routes_from_home_follow_each_other():
    """So that home is tuned once a seed."""
    from_home = [stops(route)[0] == Stop((HOME,), MANY) for route in ROUTES]
    assert from_home == sorted(from_home, reverse=True)


# ---- a stop ----


def test_a_stop_of_four_domains_draws_as_many_of_each_half_a_class():
    found = Stop(DOMAINS, 40).texts(seed=1)
    rows = list(zip(found.texts, found.labels.tolist(), strict=True))
    assert len(found) == 40 == len(set(found.texts))
    for domain in DOMAINS:
        labels = [label for text, label in rows if f"this {domain} " in text]
        assert (len(labels), sum(labels)) == (10, 5)
        drawn = opinions.draw(domain, 10, seed=1)
        assert set(zip(drawn.texts, drawn.labels.tolist(), strict=True)) <= set(rows)


def test_a_stop_is_tuned_on_its_own_texts_for_its_own_steps(monkeypatch):
    seen = []
    monkeypatch.setattr(
        understanding, "tune", lambda network, known, **style: seen.append((known.texts, style))
    )
    network("movies:20 > tweets:8", seed=3)
    (first, home), (second, away) = seen
    assert first == opinions.draw("movies", 20, seed=3).texts
    assert second == opinions.draw("tweets", 8, seed=3).texts
    assert home == {"steps": 6, "lr": SMALL.lr, "seed": 3} and away == home | {"steps": 4}


# ---- from home ----


def test_a_route_from_home_is_the_same_with_and_without_what_was_kept():
    network(ALONE)
    with_it = network(ON)
    domains._settled.cache_clear()
    torch.rand(7)  # whatever was computed before
    assert same(with_it, network(ON))
    assert domains._settled.cache_info().misses == 1


def test_home_is_tuned_once_and_stays_as_it_was():
    before = copy.deepcopy(network(ALONE))
    away = network(ON)
    assert not same(before, away)
    assert same(before, network(ALONE)) and domains._settled.cache_info().misses == 1


def test_going_on_begins_where_home_ended():
    away, there = network(ON), network("tweets:8")
    home = network(ALONE)

    def far(one, other):
        others = other.model.state_dict()
        return sum((w - others[name]).square().sum() for name, w in one.model.state_dict().items())

    assert far(away, home) < far(away, there)


def test_what_was_kept_of_another_seed_or_stop_is_not_taken():
    first = network(ALONE)
    assert not same(first, network(ALONE, seed=1))
    assert not same(first, network("tweets:20"))
    assert same(first, network(ALONE))


# ---- rows ----


def measured(route, *, seed=0):
    experiment = domains.experiment()
    return experiment.measure(**experiment.settings(seed=seed, route=route))


def test_a_row_is_judged_on_so_many_texts_of_each_domain(monkeypatch):
    asked = []

    def judge(guess, some):
        asked.append(some.texts)
        return {"accuracy": len(asked)}

    monkeypatch.setattr(understanding, "judge", judge)
    monkeypatch.setattr(domains, "ASKED", 6)
    assert measured(ALONE) == {f"{domain}_accuracy": n for n, domain in enumerate(DOMAINS, 1)}
    assert asked == [parts(domain).test.some(6).texts for domain in DOMAINS]


def test_what_is_learnt_at_home_is_known_there(monkeypatch):
    monkeypatch.setattr(domains, "STEPS", {20: 60})
    assert measured(ALONE)["movies_accuracy"] > 0.7


def test_a_seed_decides_a_row():
    def weights(seed):
        domains._settled.cache_clear()
        return network(ON, seed=seed)

    assert same(weights(0), weights(0)) and not same(weights(0), weights(1))
    assert measured(ON) == measured(ON)


def test_every_row_says_what_decides_its_figures(monkeypatch):
    def told(route=ON, **place):
        return domains.experiment().settings(**{"seed": 0, "route": route} | place)

    assert told()["steps"] == "6 > 4" and told(steps=3)["steps"] == "3 > 3" and told(ALONE)["steps"] == "6"
    assert told()["route"] == ON and told(seed=1)["seed"] == 1
    changes = [(understanding, name, 9) for name in ("LENGTH", "SIZE", "ALIKE")]
    changes += [(domains, "ASKED", 9), (domains, "MODEL", "lstm")]
    changes += [(domains, "STEPS", {20: 60, 8: 40})]  # the warm-up is longer
    for module, name, value in changes:
        before = told()
        with monkeypatch.context() as changed:
            changed.setattr(module, name, value)
            assert told()["settings"] != before["settings"]


def test_the_recorded_table_is_whole_and_of_these_settings(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(opinions, "digest", lambda *domains: "")  # test_opinions has the time for it
    check_recorded("domains", domains.AXES, domains.experiment())


@pytest.mark.slow
def test_a_thin_slice_of_the_domains(tmp_path, monkeypatch):
    monkeypatch.setattr(domains, "MODEL", "prose-bert, tuned")
    routes = (ALONE, ON, f"{'+'.join(DOMAINS)}:8")
    recipe = dataclasses.replace(RECIPES["domains"], axes={"seed": (0,), "route": routes})
    recipe.run("domains", steps=3, out=tmp_path)
    rows = table.read("domains", tmp_path).set_index("route")
    assert rows["steps"].tolist() == ["3", "3 > 3", "3"]
    for name in ("accuracy", "balanced"):
        assert rows[[f"{domain}_{name}" for domain in DOMAINS]].stack().between(0, 1).all()
    assert recipe.run("domains", steps=3, out=tmp_path).measured == 0
