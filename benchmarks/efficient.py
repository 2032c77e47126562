"""Attention against length: a step of training on n = 256 … 4096 tokens, 4 heads of 32, time and memory."""

from collections.abc import Callable, Iterator
from functools import partial

import torch

from benchmarks.row import Row
from vec2gpt.attention import attend, attend_fused
from vec2gpt.costs import fitted_exponent, peak_bytes, processor_seconds
from vec2gpt.efficient import (
    attend_chunked,
    attend_linear,
    attend_linear_causal,
    attend_local,
    attend_strided,
)

LENGTHS = (256, 512, 1024, 2048, 4096)
HEADS, WIDTH = 4, 32
WINDOW = 32  # to both sides


def stored(q, k, v):
    return attend(q, k, v)[0]


def strided(q, k, v):
    return attend_strided(q, k, v, stride=int(q.shape[-2] ** 0.5))


KINDS = {  # how it attends, and the powers of n that its time and its memory are held to
    "stored scores": (stored, "≥ 1.7", "≥ 1.8"),
    "fused": (attend_fused, "≥ 1.5", "≤ 1.1"),
    "chunked": (attend_chunked, "≤ 2.1", "≤ 1.1"),
    f"local, ±{WINDOW}": (partial(attend_local, before=WINDOW, after=WINDOW), "≤ 1.2", "≤ 1.1"),
    "strided, every √n": (strided, "≤ 1.7", "≤ 1.6"),
    "linear": (attend_linear, "≤ 1.2", "≤ 1.1"),
    "linear, causal": (attend_linear_causal, "≤ 1.2", "≤ 1.1"),
}


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    longest = {}
    for name, (kind, time, memory) in KINDS.items():
        works = [training(kind, n) for n in LENGTHS]
        seconds, held = list(map(processor_seconds, works)), list(map(peak_bytes, works))
        yield Row(f"{name}: time grows as n to the power", fitted_exponent(LENGTHS, seconds), "", time)
        yield Row(f"{name}: memory grows as n to the power", fitted_exponent(LENGTHS, held), "", memory)
        longest[name] = seconds[-1], held[-1]
    seconds, held = longest.pop("stored scores")
    for name, (less_seconds, less_held) in longest.items():
        what = f"stored scores / {name}, {LENGTHS[-1]} tokens"
        yield Row(f"{what}: time", seconds / less_seconds, "×", "≥ 0.67" if name == "chunked" else "≥ 2")
        yield Row(f"{what}: memory", held / less_held, "×", "≥ 5")


def training(kind, length: int) -> Callable[[], None]:
    """One look of a text at itself, the way back included."""
    q, k, v = (torch.randn(1, HEADS, length, WIDTH, requires_grad=True) for _ in range(3))
    return lambda: torch.autograd.grad(kind(q, k, v).sum(), (q, k, v))
