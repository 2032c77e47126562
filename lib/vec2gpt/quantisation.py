"""Quantisation: weights rounded to few bits, so that a model takes a part of its bytes.

Dettmers et al. 2022 run large models in 8 bits, Frantar et al. 2023 store them in 4 or 3. The simplest way,
*absmax*: the largest of a few weights becomes the largest whole number that the bits can say, and the others
are rounded on the same scale.

    s = max |w| / (2^(bits − 1) − 1)      one for each row, or for each group of a row
    w ≈ s · round(w / s)                  8 bits: −127 … 127;  4: −7 … 7;  2: −1, 0, 1, or ternary

Here the rounded weights are computed with as before (*fake quantisation*), which shows what rounding costs in
quality; the bytes are counted. Left out: faster arithmetic with whole numbers; activations, which stay as
they are; columns whose activations are so large that Dettmers et al. leave them in 16 bits; choosing each
rounding so that it makes up for those before, as Frantar et al. do; training with rounded weights.
"""

import copy
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.checks import check_sizes

SCALE_BYTES = 2  # a scale is kept in half precision


class Rounded(NamedTuple):
    """A matrix (R, C) as whole numbers and scales."""

    codes: torch.Tensor  # (R, C), int8
    scales: torch.Tensor  # (R, groups), float16

    def weights(self):
        """The matrix (R, C) that they stand for, in float32."""
        columns = self.codes.shape[1]
        size = -(-columns // self.scales.shape[1])  # of a group; the last may be shorter
        return self.codes * self.scales.float().repeat_interleave(size, 1)[:, :columns]


class Quantised(NamedTuple):
    """A model whose matrices are rounded, and the bytes that it would take on disk."""

    model: nn.Module
    bytes: int


def rounded(weight, *, bits, group=None):
    """A matrix (R, C) of floats as `Rounded`, in 2 to 8 bits.

    group: at most so many numbers of a row share a scale; None: all of it. Where groups do not divide a row,
    the last is shorter. Row [0.5, −1.75, 0.1] at 4 bits: the scale is 1.75 / 7 = 0.25, the codes are 2, −7
    and 0, so 0.1 has become 0.
    """
    _check(weight, bits, group)
    most = 2 ** (bits - 1) - 1
    codes, scales = zip(*(_absmax(part, most) for part in weight.split(_size(weight, group), 1)), strict=True)
    return Rounded(torch.cat(codes, 1), torch.cat(scales, 1))


@torch.no_grad()
def quantised(model, *, bits, group=None):
    """A copy of a model whose matrices and tables are rounded, and what it would take: `Quantised`.

    Vectors, such as biases and norms, stay as they are. A matrix that is used twice counts once.
    """
    model, total = copy.deepcopy(model), 0
    for weight in model.parameters():
        if weight.dim() == 2:
            codes, scales = found = rounded(weight, bits=bits, group=group)
            weight.copy_(found.weights())
            total += -(-codes.numel() * bits // 8) + SCALE_BYTES * scales.numel()
        else:
            total += weight.nbytes
    return Quantised(model, total)


def _absmax(part, most):
    """Codes and scale (R, 1) of a group of each row; a row of zeros has the scale 0."""
    scale = (part.abs().amax(1, keepdim=True) / most).half()
    codes = (part / scale.to(part)).nan_to_num(0, 0, 0).round()
    return codes.clamp(-most, most).to(torch.int8), scale


def _size(weight, group):
    """Numbers of a group: as even a share of the row as can be, at most what was asked for."""
    columns = weight.shape[1]
    groups = -(-columns // (group or columns))
    return -(-columns // groups)


def _check(weight, bits, group):
    check_sizes(bits=bits, group=1 if group is None else group)
    if not 2 <= bits <= 8:
        raise ValueError(f"bits is {bits}: give 2 (ternary) to 8")
    if weight.dim() != 2 or not weight.is_floating_point() or not weight.numel():
        raise ValueError(f"weight is {tuple(weight.shape)}, {weight.dtype}: give a matrix (R, C) of floats")
    largest = weight.abs().max().item()
    if not largest <= torch.finfo(torch.half).max:
        raise ValueError(f"the largest weight is {largest}: a scale in half precision ends at 65504")
