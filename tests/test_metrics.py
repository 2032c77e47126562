"""vec2gpt.metrics beside another library and numbers worked by hand."""

import doctest
import math

import pandas as pd
import pytest
import torch

from vec2gpt import metrics
from vec2gpt.metrics import spearman


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(metrics)
    assert (failed, tried > 0) == (0, True)


def test_spearman_by_hand():
    """With all ranks different, 1 − 6 Σd² / (n(n² − 1)), d the difference of two ranks."""
    first, second = torch.tensor([10.0, 20, 30, 40, 50]), torch.tensor([1.0, 3, 2, 6, 5])  # d = 0 1 1 1 1
    assert spearman(first, second) == pytest.approx(1 - 6 * 4 / 120)
    second = torch.tensor([1.0, 3, 2, 9, 0])  # ranks 2 4 3 5 1, d = 1 2 0 1 4
    assert spearman(first, second) == pytest.approx(1 - 6 * 22 / 120)


def test_equal_numbers_share_their_ranks():
    """Ranks 1.5, 1.5, 3, 4 against 1, 2, 3.5, 3.5: products sum to 4, squares to 4.5 and 4.5."""
    rho = spearman(torch.tensor([5.0, 5, 6, 7]), torch.tensor([1.0, 2, 3, 3]))
    assert rho == pytest.approx(4 / 4.5)


@pytest.mark.parametrize("kinds", [2, 5, 1000])  # distinct numbers: almost all equal, many, none
def test_spearman_is_that_of_pandas(kinds):
    torch.manual_seed(0)
    first, second = torch.randint(kinds, (2, 60)).float()
    frame = pd.DataFrame({"first": first, "second": second})
    assert spearman(first, second) == pytest.approx(frame.rank().corr().loc["first", "second"])


def test_only_the_order_counts():
    torch.manual_seed(0)
    x, y = torch.randn(2, 50)
    assert spearman(x, y) == pytest.approx(spearman(x.exp(), y**3))
    assert spearman(x, x.exp()) == pytest.approx(1) and spearman(x, -x) == pytest.approx(-1)


def test_a_list_without_any_order_has_no_correlation():
    assert math.isnan(spearman(torch.ones(4), torch.arange(4.0)))


@pytest.mark.parametrize("place", [0, 1])
def test_what_has_no_rank_is_refused(place):
    lists = torch.arange(8.0).view(2, 4)
    lists[place, 2] = math.nan
    with pytest.raises(ValueError, match="nan has no rank"):
        spearman(*lists)


@pytest.mark.parametrize(("first", "second"), [((3,), (4,)), ((1,), (1,)), ((2, 2), (2, 2))])
def test_lists_that_cannot_be_compared_are_refused(first, second):
    with pytest.raises(ValueError, match="got the shapes"):
        spearman(torch.ones(first), torch.ones(second))
