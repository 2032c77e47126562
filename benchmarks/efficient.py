"""Attention against length: a step of training on n = 256 … 4096 tokens, 4 heads of 32, time and memory."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch

from benchmarks.row import Row
from vec2gpt.attention import attend, attend_fused
from vec2gpt.costs import fitted_exponent, peak_bytes, processor_seconds
from vec2gpt.efficient import attend_chunked, attend_local, attend_strided
from vec2gpt.linear_attention import attend_linear, attend_linear_causal

LENGTHS = (256, 512, 1024, 2048, 4096)
HEADS, WIDTH = 4, 32
WINDOW = 32  # to both sides


def stored(q, k, v):
    return attend(q, k, v)[0]


def strided(q, k, v):
    return attend_strided(q, k, v, stride=int(q.shape[-2] ** 0.5))


class Kind(NamedTuple):
    """How it attends, and what it is held to."""

    attend: Callable
    time: str  # its power of n
    memory: str  # its power of n
    faster: str = "≥ 2"  # than stored scores, at the longest


KINDS = {
    "stored scores": Kind(stored, "≥ 1.7", "≥ 1.8"),
    "fused": Kind(attend_fused, "≥ 1.5", "≤ 1.1"),
    "chunked": Kind(attend_chunked, "≤ 2.1", "≤ 1.1", "≥ 0.67"),
    f"local, ±{WINDOW}": Kind(partial(attend_local, before=WINDOW, after=WINDOW), "≤ 1.2", "≤ 1.1"),
    "strided, every √n": Kind(strided, "≤ 1.7", "≤ 1.6"),
    "linear": Kind(attend_linear, "≤ 1.2", "≤ 1.1"),
    "linear, causal": Kind(attend_linear_causal, "≤ 1.2", "≤ 1.1"),
}


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    longest = {}
    for name, kind in KINDS.items():
        works = [training(kind.attend, n) for n in LENGTHS]
        seconds, held = list(map(processor_seconds, works)), list(map(peak_bytes, works))
        yield Row(f"{name}: time grows as n to the power", fitted_exponent(LENGTHS, seconds), "", kind.time)
        yield Row(f"{name}: memory grows as n to the power", fitted_exponent(LENGTHS, held), "", kind.memory)
        longest[name] = seconds[-1], held[-1]
    seconds, held = longest.pop("stored scores")
    for name, (less_seconds, less_held) in longest.items():
        what = f"stored scores / {name}, {LENGTHS[-1]} tokens"
        yield Row(f"{what}: time", seconds / less_seconds, "×", KINDS[name].faster)
        yield Row(f"{what}: memory", held / less_held, "×", "≥ 5")


def training(attend: Callable, length: int) -> Callable[[], None]:
    """One look of a text at itself, the way back included."""
    q, k, v = (torch.randn(1, HEADS, length, WIDTH, requires_grad=True) for _ in range(3))
    return lambda: torch.autograd.grad(attend(q, k, v).sum(), (q, k, v))
