"""What a text costs: the widget computes by the formulas that it shows, and tells what was measured."""

import json
from functools import partial

import pytest
import torch

from vec2gpt.attention import attend, attend_fused
from vec2gpt.costs import block_operations, cache_numbers, even_length, peak_bytes, recurrent_operations
from vec2gpt.widgets.calculator import EVEN, EXAMPLES, KINDS, LENGTHS, LIMITS, OUTPUTS, QUANTITIES, Calculator
from vec2gpt.widgets.calculator import calculator_widget as widget

SHAPE = {"width": 96, "heads": 3, "layers": 2, "batch": 5, "window": 700}
POINTS = {"read": {"LSTM": {512: 0.2, 64: 0.025}}, "look": {"plain": {64: 2**14, 256: 2**18}}}


def ask(n, **shape):
    shape = SHAPE | shape
    answer = Calculator()(torch.tensor([n, 2 * n]), torch.tensor([*shape.values()]))
    return dict(zip(OUTPUTS, answer, strict=True))


def by_formula(formula: str, n: int, shape: dict[str, int]) -> int:
    """What a formula means, read as Python reads it."""
    letters = dict(zip("nDHNBw", (n, *shape.values()), strict=True))
    code = formula.replace("·", "*").replace("×", "*").replace("²", " ** 2").replace("/", "//")
    return eval(code, {"min": min} | letters)


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize("n", [16, 512, 2048])
@pytest.mark.parametrize("layers", [1, 7])
def test_a_formula_that_is_shown_is_what_is_computed(name, n, layers):
    shape = SHAPE | {"layers": layers}
    costs = ask(n, layers=layers)[name]
    for kind, own in zip(KINDS, costs, strict=True):
        formula = QUANTITIES[name].formula(kind)
        expected = [by_formula(formula, at, shape) for at in (*LENGTHS, n, 2 * n)]
        torch.testing.assert_close(own, torch.tensor(expected).float(), rtol=1e-6, atol=0)


def test_costs_are_those_of_the_library():
    answer = ask(1024, width=128, heads=4, layers=4, batch=32)
    lstm, plain, thrifty, *_ = answer["read"][:, -2].tolist()
    assert plain == thrifty == 32 * 4 * block_operations(1024, 128)
    assert lstm == 32 * 4 * recurrent_operations(1024, 128, hidden=128, gates=4)
    assert answer["keep"][2, -1] == 4 * 32 * cache_numbers(2048, 128, layers=4)
    assert answer["even"] == even_length(128) == by_formula(EVEN.formula, 1024, SHAPE | {"width": 128}) == 768
    assert answer["share"].item() == pytest.approx(4 * 1024 / (4 * 1024 + 24 * 128))


def test_one_kind_is_another_where_they_must_agree():
    """A window of the whole text is exact attention, and linear attention one of D / H + 1 tokens."""
    for name in QUANTITIES:
        costs = ask(1024, window=2**20)[name]
        if name == "look":  # in a window the weights are stored
            assert torch.equal(costs[KINDS.index("local")], costs[KINDS.index("plain")])
        else:
            assert torch.equal(costs[KINDS.index("local")], costs[KINDS.index("thrifty")])
    costs = ask(1024, window=33)
    for name in ("read", "write"):
        local, linear = costs[name][3:, 6:]  # texts longer than the window
        assert torch.equal(local, linear)


def test_what_a_look_holds_is_what_is_measured():
    """Fused attention to the byte; the softmax of plain attention makes a second copy of its weights."""
    q, k, v = torch.randn(3, 5, 3, 64, 32)
    costs = ask(64)["look"][:, -2]
    assert peak_bytes(partial(attend_fused, q, k, v)) == costs[KINDS.index("thrifty")]
    plain = costs[KINDS.index("plain")].item()
    assert plain < peak_bytes(partial(attend, q, k, v)) < 2 * plain


def test_sums_beyond_what_float32_counts_are_exact_before_they_are_rounded():
    n, width, layers, batch = LENGTHS[-1], *(LIMITS[name][1] for name in ("width", "layers", "batch"))
    costs = ask(n, width=width, heads=128, layers=layers, batch=batch)
    exact = batch * layers * block_operations(n, width)
    assert exact > 10**21 and costs["read"][1, -2].item() == pytest.approx(exact, rel=1e-7)
    assert all(value.isfinite().all() for value in costs.values())


def test_the_examples_are_the_papers():
    """Brown et al. 2020: 175 billion weights, so 2 · 175 billion operations a token, and attention on top."""
    shape = SHAPE | EXAMPLES["GPT-3"] | {"batch": 1}
    n = shape.pop("length")
    assert ask(n, **shape)["read"][1, -2] / n == pytest.approx(2 * 175e9, rel=0.05)
    for example in EXAMPLES.values():
        assert example["width"] % example["heads"] == 0
        assert all(LIMITS[name][0] <= value <= LIMITS[name][1] for name, value in example.items())


def test_the_widget_tells_what_was_measured():
    made = widget(POINTS, width=96, heads=3, window=700, length=256)
    read, look = (made.settings["measured"][name] for name in ("read", "look"))
    assert read["LSTM"]["points"] == [(64, 0.025), (512, 0.2)]
    assert read["LSTM"]["exponent"] == pytest.approx(1) and look["plain"]["exponent"] == pytest.approx(2)
    assert look["plain"]["middle"] == pytest.approx([128, 2**16]) and "rates" not in look["plain"]
    per_token = recurrent_operations(1, 96, hidden=96, gates=4)
    assert read["LSTM"]["rates"] == pytest.approx([64 * per_token / 0.025, 512 * per_token / 0.2])
    assert made.settings["start"] == SHAPE | {"layers": 1, "batch": 1, "length": 256}
    assert made.first["read"]["dims"] == [len(KINDS), len(LENGTHS) + 2]
    json.dumps([made.settings, made.first], allow_nan=False)


def test_lines_alone_are_drawn_where_nothing_was_measured():
    assert widget({}, width=128, heads=4).settings["measured"] == {}


@pytest.mark.parametrize(
    ("points", "options", "error", "said"),
    [
        ({"time": {}}, {}, KeyError, "there is no cost 'time': give read, write, look, keep"),
        ({"read": {"GRU": {}}}, {}, KeyError, "there is no kind 'GRU': give LSTM, plain, thrifty"),
        ({"read": {"LSTM": {64: 0.0, 128: 1}}}, {}, ValueError, "LSTM: 0.0 at length 64: give a cost"),
        ({"read": {"LSTM": {64: float("nan"), 128: 1}}}, {}, ValueError, "nan at length 64"),
        ({"read": {"LSTM": {8: 1, 128: 1}}}, {}, ValueError, "1 at length 8: .* from 16 to 1,048,576"),
        ({"read": {"LSTM": {"64": 1, 128: 1}}}, {}, ValueError, "1 at length '64': .* a whole number"),
        ({"read": {"LSTM": {}}}, {}, ValueError, "0 lengths make no line: give two or more"),
        ({"read": {"LSTM": {64: 1}}}, {}, ValueError, "1 lengths make no line"),
        ({}, {"width": 4}, ValueError, "width is 4: give a whole number from 8 to 16,384"),
        ({}, {"batch": 0}, ValueError, "batch is 0: give a whole number from 1 to 1,024"),
        ({}, {"length": 5}, ValueError, "length is 5: give a whole number from 16 to 1,048,576"),
        ({}, {"length": 1024.5}, ValueError, "length is 1024.5: give a whole number"),
        ({}, {"heads": 5}, ValueError, "5 heads do not share a width of 96: give a divisor"),
    ],
)
def test_the_widget_says_what_it_takes(points, options, error, said):
    with pytest.raises(error, match=said):
        widget(points, **{"width": 96, "heads": 3} | options)
