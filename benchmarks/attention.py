"""Attention: several heads beside torch.nn's, B 64, T 64, width 256, 8 heads; and what each score costs."""

import statistics
from collections.abc import Iterator

import torch
from torch import nn

from benchmarks.row import Row, ratio, seconds
from vec2gpt.attention import SCORES, MultiHeadAttention, attend
from vec2gpt.threads import one_thread

BATCH, TIME, WIDTH, HEADS = 64, 64, 256, 8
SPOKEN = READ = 24  # phonemes and letters of a long word: the questions, and the keys
ROUNDS = 41  # of the heads, whose two sides are so close that noise would decide
LIMITS = {"scaled dot": 1.3, "general": 5, "additive": 50, "concat": 200}  # times the dot product's cost


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    with one_thread():
        yield from heads()
        yield from scores()


def heads() -> Iterator[Row]:
    """x looks at itself, in training mode."""
    x = torch.randn(BATCH, TIME, WIDTH, requires_grad=True)
    ours, peer = MultiHeadAttention(WIDTH, heads=HEADS), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def one():
        return ours(x, x, x).sum()

    def other():
        return peer(x, x, x, need_weights=False)[0].sum()

    what = "several heads / nn.MultiheadAttention"
    yield Row(f"{what}: forward", ratio(one, other, rounds=ROUNDS), "×", "≤ 1.1")
    both = ratio(lambda: one().backward(), lambda: other().backward(), rounds=ROUNDS)
    yield Row(f"{what}: forward and backward", both, "×", "≤ 1.1")


def scores() -> Iterator[Row]:
    """A batch of words looks at a batch of words once, the way back included."""
    q = torch.randn(BATCH, SPOKEN, WIDTH, requires_grad=True)
    k = torch.randn(BATCH, READ, WIDTH, requires_grad=True)

    def looking(name):
        score = SCORES[name](WIDTH, WIDTH)
        return lambda: attend(q, k, k, score=score)[0].sum().backward()

    plain = looking("dot")
    plain()  # warm
    yield Row("dot: forward and backward", 1000 * statistics.median(map(seconds, [plain] * 15)), "ms", "≤ 15")
    for name, limit in LIMITS.items():
        yield Row(f"{name} / dot", ratio(looking(name), plain, rounds=9), "×", f"≤ {limit}")
