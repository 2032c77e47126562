"""vec2gpt.quantisation: weights rounded to a few bits."""

import copy

import pytest
import torch
from torch import nn

from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.quantisation import quantised, rounded


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_a_row_by_hand():
    found = rounded(torch.tensor([[0.5, -1.75, 0.1], [0.0, 0.0, 0.0]]), bits=4)
    assert found.codes.tolist() == [[2, -7, 0], [0, 0, 0]] and found.scales.tolist() == [[0.25], [0.0]]
    assert found.weights().tolist() == [[0.5, -1.75, 0.0], [0.0, 0.0, 0.0]]


def test_two_bits_are_ternary():
    found = rounded(torch.randn(20, 30), bits=2)
    assert found.codes.unique().tolist() == [-1, 0, 1]


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("group", [None, 1, 4, 7, 10, 99])
def test_no_weight_is_further_off_than_half_a_step(bits, group):
    weight = torch.randn(6, 10) * torch.logspace(-3, 3, 6)[:, None]
    found = rounded(weight, bits=bits, group=group)
    most = 2 ** (bits - 1) - 1
    assert found.codes.dtype == torch.int8 and found.codes.abs().max() == most
    size = -(-10 // found.scales.shape[1])
    assert size <= (group or 10)
    steps = found.scales.float().repeat_interleave(size, 1)[:, :10]
    # the scale is rounded too, to 11 bits or by half of its smallest step, and the largest code may not grow
    own = weight.abs() * 2**-10 + most * 2**-25
    assert ((found.weights() - weight).abs() <= steps * 0.5 + own).all()


def test_smaller_groups_and_more_bits_come_nearer():
    weight = torch.randn(50, 64)

    def error(**style):
        return (rounded(weight, **style).weights() - weight).square().mean().item()

    assert error(bits=4, group=8) < error(bits=4, group=32) < error(bits=4)
    assert error(bits=8) < error(bits=4) < error(bits=3) < error(bits=2)


@pytest.mark.parametrize("dtype", [torch.double, torch.half, torch.bfloat16])
def test_other_floats_and_weights_next_to_nothing_stay_finite(dtype):
    weight = torch.tensor([[1e-30, -1e-30], [1.0, -0.5]]).to(dtype)
    found = rounded(weight, bits=8).weights()
    assert found.isfinite().all() and found[0].tolist() == [0, 0]
    assert found[1].tolist() == pytest.approx([1, -0.5], abs=0.01)


def test_a_model_is_copied_and_its_bytes_are_counted():
    model = GPT(GPTConfig(30, context=8, layers=2, heads=4, width=16, **TODAY)).eval()
    before = copy.deepcopy(model.state_dict())
    small = quantised(model, bits=4, group=8)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    matrices = [weight for weight in model.parameters() if weight.dim() == 2]
    vectors = [weight for weight in model.parameters() if weight.dim() == 1]
    codes, scales = (sum(w.numel() // part for w in matrices) for part in (2, 8))
    rows = [w for w in matrices if w.shape[1] % 8]  # of the inner width, 42, six groups of 7
    scales += sum(w.shape[0] * 6 - w.numel() // 8 for w in rows)
    assert small.bytes == codes + 2 * scales + 4 * sum(w.numel() for w in vectors)
    for name, weight in small.model.named_parameters():
        same = torch.equal(weight, before[name])
        assert same == (weight.dim() == 1)


def test_eight_bits_hardly_change_what_a_model_says_and_two_do():
    model = GPT(GPTConfig(30, context=8, layers=2, heads=4, width=32)).eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.2)
    ids = torch.randint(30, (4, 8))
    expected = model(ids)[0].log_softmax(-1)

    def distance(bits):
        found = quantised(model, bits=bits).model(ids)[0].log_softmax(-1)
        return (expected.exp() * (expected - found)).sum(-1).mean().item()

    assert distance(8) < 0.01 < distance(2) and distance(8) < distance(4) < distance(2)


def test_a_table_that_is_used_twice_counts_once():
    first = nn.Linear(8, 8, bias=False)
    second = nn.Linear(8, 8, bias=False)
    second.weight = first.weight
    both = quantised(nn.Sequential(first, second), bits=8)
    assert both.bytes == 64 + 8 * 2 and both.model[0].weight is both.model[1].weight


@pytest.mark.parametrize(
    ("weight", "style", "message"),
    [
        (torch.ones(2, 2), {"bits": 1}, r"bits is 1: give 2 \(ternary\) to 8"),
        (torch.ones(2, 2), {"bits": 16}, r"bits is 16: give 2 \(ternary\) to 8"),
        (torch.ones(2, 2), {"bits": 1.58}, "bits is 1.58: give a whole number"),
        (torch.ones(2, 2), {"bits": 8, "group": 0}, "group is 0: give at least 1"),
        (torch.ones(2), {"bits": 8}, r"weight is \(2,\), torch.float32: give a matrix"),
        (torch.ones(2, 0), {"bits": 8}, r"weight is \(2, 0\), torch.float32: give a matrix"),
        (torch.ones(2, 2, dtype=torch.long), {"bits": 8}, r"weight is \(2, 2\), torch.int64: give a matrix"),
        (
            torch.tensor([[1.0, torch.nan]]),
            {"bits": 8},
            "the largest weight is nan: a scale in half",
        ),
        (torch.tensor([[1.0, torch.inf]]), {"bits": 8}, "the largest weight is inf"),
    ],
    ids=str,
)
def test_what_cannot_be_rounded_is_refused(weight, style, message):
    with pytest.raises(ValueError, match=message):
        rounded(weight, **style)
