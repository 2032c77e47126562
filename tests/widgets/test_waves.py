"""How a token is told its place: the widget shows what a model is told, and what it claims of it holds."""

import json

import pytest
import torch

from vec2gpt.positions import POSITIONS, Positions, angles, sinusoids
from vec2gpt.widgets.waves import Waves, waves_widget

WIDTH, PLACES = 16, 24


def of(name, width=WIDTH, context=PLACES):
    torch.manual_seed(0)
    return POSITIONS[name](width, context=context, head_width=width)


@torch.no_grad()
def ask(name, query, key=None):
    key = query if key is None else key
    return Waves(of(name), PLACES)(query, key)


def uneven(scores):
    """The most by which two scores of one distance differ."""
    diagonals = (scores.diagonal(far) for far in range(1 - len(scores), len(scores)))
    return max((one.max() - one.min()).item() for one in diagonals)


def test_what_stands_at_a_place_alone_is_the_table_of_the_paper():
    told, scores = ask("sinusoidal", torch.zeros(1, WIDTH))
    assert torch.equal(told, sinusoids(PLACES, WIDTH))
    assert scores[3, 3].item() == pytest.approx(WIDTH / 2)  # sin² + cos² of each pair
    expected = angles(PLACES, WIDTH)[5].cos().sum()  # cos of what lies between, 5 places apart
    assert scores[2, 7] == pytest.approx(expected.item(), abs=1e-5)


def test_the_learned_table_is_the_models_own():
    told, _ = ask("learned", torch.zeros(1, WIDTH))
    assert torch.equal(told, of("learned").table.weight)


def test_waves_alone_and_turned_pairs_know_the_same_distances():
    _, added = ask("sinusoidal", torch.zeros(1, WIDTH))
    told, turned = ask("rotary", torch.tensor([[1.0, 0.0] * (WIDTH // 2)]))
    assert torch.allclose(added, turned, atol=1e-5)
    assert torch.allclose(told[:, 0::2], angles(PLACES, WIDTH).cos()) and uneven(added) < 1e-5


def test_with_a_content_only_what_is_turned_depends_on_the_distance_alone():
    query, key = torch.randn(2, 1, WIDTH, generator=torch.Generator().manual_seed(1))
    spreads = {name: uneven(ask(name, query, key)[1]) for name in ("sinusoidal", "learned", "rotary")}
    assert spreads["rotary"] < 1e-4 < 1 < min(spreads["sinusoidal"], spreads["learned"])
    _, scores = ask("rotary", query, key)
    assert scores[4, 4] == pytest.approx((query @ key.T).item(), abs=1e-4)


def test_the_widget_begins_with_the_first_and_says_what_each_is():
    ways = {name: of(name) for name in ("rotary", "sinusoidal", "learned")}
    widget = waves_widget(ways, width=WIDTH, places=20, place=3, pair=2)
    kinds = widget.settings["models"]
    assert [kind["turns"] for kind in kinds.values()] == [True, False, False]
    assert [kind["waves"] for kind in kinds.values()] == [True, True, False]
    assert kinds["rotary"]["plain"][:4] == [1, 0, 1, 0] and not any(kinds["learned"]["plain"])
    assert widget.settings["angles"] == pytest.approx(angles(2, WIDTH)[1].tolist())
    assert widget.first["told"]["dims"] == [20, WIDTH] and widget.first["scores"]["dims"] == [20, 20]
    assert widget.first["told"]["data"][0] == 1  # the cos of the angle 0
    assert [len(one) for one in widget.settings["content"]] == [WIDTH, WIDTH]
    json.dumps([widget.settings, widget.first], allow_nan=False)


def broken():
    one = of("learned")
    one.table.weight.data[0, 0] = torch.nan
    return one


@pytest.mark.parametrize(
    ("ways", "options", "said"),
    [
        ({}, {}, "nothing to show"),
        ({"a": of("sinusoidal")}, {"width": 15}, "width is 15: give an even number from 4 to 128"),
        ({"a": of("sinusoidal")}, {"places": 200}, "places is 200"),
        ({"a": of("sinusoidal")}, {"place": 24}, "place is 24: they are counted from 0 to 23"),
        ({"a": of("sinusoidal")}, {"place": 2.5}, "place is 2.5: give a whole number"),
        ({"a": of("sinusoidal")}, {"width": 8.0}, "width is 8.0: give a whole number"),
        ({"a": of("sinusoidal")}, {"pair": 8}, "pair is 8: they are counted from 0 to 7"),
        ({"a": of("sinusoidal")}, {"places": 32}, "a knows 24 places: show at most as many, not 32"),
        ({"a": of("rotary")}, {"width": 8}, "a is for vectors of 16 numbers, not of 8"),
        ({"a": of("learned"), "b": of("learned", 32)}, {}, "b is for vectors of 32 numbers, not of 16"),
        ({"a": torch.nn.Linear(3, 3)}, {}, "a is a Linear: give one of POSITIONS"),
        ({"a": Positions(WIDTH, context=PLACES, head_width=4)}, {}, "a tells no places"),
        ({"a": broken()}, {}, "a holds NaN"),
    ],
)
def test_the_widget_says_what_it_takes(ways, options, said):
    with pytest.raises(ValueError, match=said):
        waves_widget(ways, **{"width": WIDTH, "places": PLACES, "place": 2, "pair": 1} | options)
