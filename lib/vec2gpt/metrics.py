"""How results are judged: numbers that the field agreed on, each small enough to work by hand."""

import torch
from torch import Tensor


def spearman(first: Tensor, second: Tensor) -> float:
    """Rank correlation of two lists of numbers (N,): 1 same order, 0 unrelated, −1 reversed.

    The correlation of the ranks; equal numbers share the mean of their ranks. (Spearman, 1904) Where all of a
    list are equal there is no order, and the answer is nan. ValueError for nan, which has no rank.

    >>> spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 30.0, 20.0]))
    0.5
    """
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"an order is compared of two lists, equally long, of two numbers or more; "
            f"got the shapes {tuple(first.shape)} and {tuple(second.shape)}"
        )
    if first.isnan().any() or second.isnan().any():
        raise ValueError("nan has no rank: leave out the pairs of numbers that hold one")
    return torch.corrcoef(torch.stack([_ranks(first), _ranks(second)]))[0, 1].item()


def _ranks(values: Tensor) -> Tensor:
    """1 for the smallest … N for the largest; of equal ones, each the mean."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0)  # the rank of the last of each group of equal ones
    return (last - (count - 1) / 2).double()[place]
