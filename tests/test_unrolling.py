"""vec2gpt.unrolling: the one loop over time."""

import doctest
import subprocess
import sys

import pytest
import torch

from vec2gpt import unrolling
from vec2gpt.recurrent import GRUState
from vec2gpt.unrolling import unroll


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(unrolling)
    assert (failed, tried > 0) == (0, True)


def test_unroll_is_the_loop_over_axis_1():
    inputs = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    total, sums = unroll(lambda total, x: (total + x, total + x), torch.zeros(2), inputs)
    assert total.tolist() == [6, 15]
    assert torch.equal(sums, inputs.cumsum(1))


def test_unroll_walks_nested_tuples_together():
    def step(state, inputs):
        x, (keep, _) = inputs
        h = torch.where(keep, x, state.h)
        return GRUState(h), (h, {"twice": 2 * h})

    x = torch.tensor([[1.0, 2.0, 3.0]])
    keep = torch.tensor([[True, False, True]])
    state, (h, named) = unroll(step, GRUState(torch.zeros(1)), (x, (keep, keep)))
    assert h.tolist() == [[1, 1, 3]]
    assert named["twice"].tolist() == [[2, 2, 6]]
    assert isinstance(state, GRUState) and state.h.tolist() == [3]


def test_unroll_of_nothing_says_so():
    with pytest.raises(ValueError, match="length 0"):
        unroll(lambda state, x: (state, x), torch.zeros(2), torch.zeros(2, 0))


def test_no_step_follows_one_after_which_until_is_true():
    def step(total, x):
        return total + x, total + x

    numbers = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    for enough, expected in ((2, [1, 3]), (3, [1, 3]), (3.5, [1, 3, 6]), (99, [1, 3, 6, 10])):
        total, sums = unroll(
            step, torch.zeros(1), numbers, until=lambda total, enough=enough: total >= enough
        )
        assert sums.tolist() == [expected] and total.tolist() == expected[-1:]


@pytest.mark.slow
def test_the_module_runs_where_torch_cannot_be_asked_whether_it_exports():
    """torch before 2.7 has no torch.compiler.is_exporting."""
    code = """
import torch
del torch.compiler.is_exporting
from vec2gpt.unrolling import unroll
print(unroll(lambda s, x: (s + x, s), torch.zeros(1), torch.ones(1, 3))[0].item())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3.0"
