"""vec2gpt.positions: each scheme by its definition, and by what it is for."""

import math

import pytest
import torch

from vec2gpt.positions import POSITIONS, Rotary, sinusoids

D, K, C, T = 12, 6, 9, 5


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def made(name):
    return POSITIONS[name](D, context=C, head_width=K)


def test_the_waves_are_the_papers():
    waves = sinusoids(C, D)
    for place in range(C):
        for i in range(D // 2):
            angle = place / 10000 ** (2 * i / D)
            expected = torch.tensor([math.sin(angle), math.cos(angle)])
            torch.testing.assert_close(waves[place, 2 * i : 2 * i + 2], expected)


def test_a_step_ahead_is_the_same_turn_of_the_waves_wherever_one_stands():
    """Sine and cosine of p + 1 are a fixed rotation of those of p: distances are easy to learn."""
    waves = sinusoids(C, D).view(C, -1, 2).double()
    a, b = waves[:-1].unbind(-1)
    for i in range(D // 2):
        step = 1 / 10000 ** (2 * i / D)
        turned = torch.stack(
            [a * math.cos(step) + b * math.sin(step), b * math.cos(step) - a * math.sin(step)], -1
        )
        torch.testing.assert_close(turned[:, i], waves[1:, i], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["sinusoidal", "learned"])
def test_an_added_position_is_added(name):
    positions, x = made(name), torch.randn(2, T, D)
    places = torch.tensor([[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]])
    table = sinusoids(C, D) if name == "sinusoidal" else positions.table.weight
    torch.testing.assert_close(positions(x, places), x + table[places])
    torch.testing.assert_close(positions(x, places[0]), x + table[:T])
    assert positions.turn(x, places) is x


def test_rotary_dot_products_depend_on_the_distance_alone():
    rotary = made("rotary").double()
    q, k = torch.randn(2, 1, 1, 1, K, dtype=torch.double)

    def score(p, r):
        return (rotary.turn(q, torch.tensor([p])) * rotary.turn(k, torch.tensor([r]))).sum()

    torch.testing.assert_close(score(2, 5), score(4, 7))
    torch.testing.assert_close(score(3, 3), (q * k).sum())
    assert abs(score(2, 5) - score(2, 6)) > 1e-3


def test_rotary_turns_each_pair_by_its_angle():
    """(1, 0) at place p becomes (cos, sin) of p / 10000^(2i/K); vectors keep their length."""
    rotary = Rotary(D, context=C, head_width=K)
    x = torch.tensor([1.0, 0.0]).repeat(K // 2).expand(1, 1, T, K)
    turned = rotary.turn(x, torch.arange(T)).view(T, K // 2, 2)
    angle = torch.arange(T)[:, None] / 10000 ** (2 * torch.arange(K // 2) / K)
    torch.testing.assert_close(turned, torch.stack([angle.cos(), angle.sin()], -1))


def test_rotary_places_may_differ_from_row_to_row():
    rotary, x, places = made("rotary"), torch.randn(2, 3, T, K), torch.arange(2 * T).view(2, T) % C
    turned = rotary.turn(x, places)
    torch.testing.assert_close(turned[1], rotary.turn(x[1:], places[1])[0])


@pytest.mark.parametrize("name", ["none", "rotary"])
def test_what_adds_nothing_adds_nothing(name):
    x = torch.randn(2, T, D)
    assert made(name)(x, torch.arange(T)) is x


@pytest.mark.parametrize("name", ["sinusoidal", "rotary"])
def test_an_odd_width_has_no_pairs(name):
    with pytest.raises(ValueError, match=r"7 numbers are no pairs: choose an even width; .* that of a head"):
        POSITIONS[name](7, context=C, head_width=7)


def test_only_what_is_learned_is_saved():
    assert [name for name in POSITIONS if made(name).state_dict()] == ["learned"]
