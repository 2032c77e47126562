"""What a text costs, the longer it gets: by the formulas of `costs`, and as this build measured (chapter 8).

Four costs, two of reading a text and two of writing one: the operations, and the memory. Each is drawn over
the length for five kinds of layer, of one width D:

    LSTM      n steps, one after the other, D units
    plain     attention as it is written down: all weights stored; to write a token, all is read again
    thrifty   the same attention, fused; to write a token, keys and values lie in a cache
    local     each token looks at w tokens, itself included
    linear    attention without a softmax, which keeps a matrix instead of tokens

The graph that a page runs is the formulas themselves, in double precision: nothing of them is written anew.
"""

import math
from collections.abc import Callable, Mapping
from statistics import geometric_mean
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt.costs import (
    attention_operations,
    block_operations,
    cache_numbers,
    even_length,
    fitted_exponent,
    linear_keys,
    linear_state_numbers,
    recurrent_operations,
    score_numbers,
    state_numbers,
)
from vec2gpt.widgets.live import LiveModel

KINDS = ("LSTM", "plain", "thrifty", "local", "linear")
LENGTHS = [round(2 ** (k / 2)) for k in range(8, 41)]  # where lines are drawn: 16 … 1,048,576
LIMITS = {  # of what a reader can type: the least and the most
    "length": (LENGTHS[0], LENGTHS[-1]),
    "width": (8, 16_384),
    "heads": (1, 128),
    "layers": (1, 128),
    "batch": (1, 1024),
    "window": (1, LENGTHS[-1]),
}
EXAMPLES = {  # Radford et al. 2019, the smallest; Brown et al. 2020, the largest
    "GPT-2 small": {"length": 1024, "width": 768, "heads": 12, "layers": 12},
    "GPT-3": {"length": 2048, "width": 12_288, "heads": 96, "layers": 96},
}


class Shape(NamedTuple):
    """A model, and the text that it reads; each a tensor that broadcasts, in double precision."""

    n: Tensor
    width: Tensor
    heads: Tensor
    layers: Tensor
    batch: Tensor
    window: Tensor

    @property
    def seen(self):
        """How many tokens one of them looks at through the window."""
        return torch.minimum(self.n, self.window)

    @property
    def linear(self):
        """How many keys cost as much as linear attention."""
        return linear_keys(self.width, heads=self.heads)


class Cost(NamedTuple):
    """Of one kind: the formula as a reader sees it, and as it is computed."""

    formula: str  # in n, D, H, N, B and w
    of: Callable[[Shape], Tensor]


def _lstm(n, s: Shape):
    return recurrent_operations(n, s.width, hidden=s.width, gates=4)


# Operations of one layer that reads a text …
READ = {
    "LSTM": Cost("16 · n · D²", lambda s: _lstm(s.n, s)),
    "plain": Cost("24 · n · D² + 4 · n² · D", lambda s: block_operations(s.n, s.width)),
    "thrifty": Cost("24 · n · D² + 4 · n² · D", lambda s: block_operations(s.n, s.width)),
    "local": Cost(
        "24 · n · D² + 4 · n · min(n, w) · D", lambda s: block_operations(s.n, s.width, keys=s.seen)
    ),
    "linear": Cost(
        "24 · n · D² + 4 · n · (D / H + 1) · D", lambda s: block_operations(s.n, s.width, keys=s.linear)
    ),
}
# … or its n-th token alone, after the others.
WRITE = {
    "LSTM": Cost("16 · D²", lambda s: _lstm(1, s)),
    "plain": Cost("24 · n · D² + 4 · n² · D", lambda s: block_operations(s.n, s.width)),
    "thrifty": Cost("24 · D² + 4 · n · D", lambda s: block_operations(1, s.width, keys=s.n)),
    "local": Cost("24 · D² + 4 · min(n, w) · D", lambda s: block_operations(1, s.width, keys=s.seen)),
    "linear": Cost("24 · D² + 4 · (D / H + 1) · D", lambda s: block_operations(1, s.width, keys=s.linear)),
}
# Numbers that one layer makes while it looks: the weights or state that it stores, and n · D that come out …
LOOK = {
    "LSTM": Cost("2 · D + n · D", lambda s: state_numbers(s.width, layers=1, parts=2) + s.n * s.width),
    "plain": Cost("H · n² + n · D", lambda s: score_numbers(s.n, s.heads) + s.n * s.width),
    "thrifty": Cost("H · n + n · D", lambda s: score_numbers(s.n, s.heads, keys=1) + s.n * s.width),
    "local": Cost(
        "H · n · min(n, w) + n · D", lambda s: score_numbers(s.n, s.heads, keys=s.seen) + s.n * s.width
    ),
    "linear": Cost(
        "D · (D / H + 1) + n · D",
        lambda s: linear_state_numbers(s.width, heads=s.heads, layers=1) + s.n * s.width,
    ),
}
# … and those that one layer keeps from token to token while it writes.
KEEP = {
    "LSTM": Cost("2 · D", lambda s: state_numbers(s.width, layers=1, parts=2)),
    "plain": Cost("0", lambda s: 0 * s.n),
    "thrifty": Cost("2 · n · D", lambda s: cache_numbers(s.n, s.width, layers=1)),
    "local": Cost("2 · min(n, w) · D", lambda s: cache_numbers(s.seen, s.width, layers=1)),
    "linear": Cost("D · (D / H + 1)", lambda s: linear_state_numbers(s.width, heads=s.heads, layers=1)),
}


class Quantity(NamedTuple):
    """One of the four costs: what multiplies it (texts, layers, bytes), and each kind's own."""

    times: Cost
    kinds: dict[str, Cost]

    def formula(self, kind: str) -> str:
        own = self.kinds[kind].formula
        if own == "0":
            return own
        return f"{self.times.formula} × ({own})" if "+" in own else f"{self.times.formula} × {own}"

    def of(self, s: Shape) -> Tensor:
        """The cost of every kind, (kinds, N), for N lengths n."""
        return torch.stack([self.times.of(s) * cost.of(s).expand_as(s.n) for cost in self.kinds.values()])


QUANTITIES = {
    "read": Quantity(Cost("B · N", lambda s: s.batch * s.layers), READ),
    "write": Quantity(Cost("B · N", lambda s: s.batch * s.layers), WRITE),
    "look": Quantity(Cost("4 · B", lambda s: 4 * s.batch), LOOK),
    "keep": Quantity(Cost("4 · B · N", lambda s: 4 * s.batch * s.layers), KEEP),
}
TIMED = ("read", "write")  # measured in seconds; the others are bytes, 4 to a number
EVEN = Cost("6 · D", lambda s: even_length(s.width))  # from this length on attention is most of a block


class Calculator(nn.Module):
    """The formulas, asked for whole numbers.

    lengths (2,); shape (5,): width, heads, layers, batch and window → for each of QUANTITIES the cost of
    every kind at LENGTHS and then at `lengths`, (kinds, len(LENGTHS) + 2); which part of a block attention is
    at the first of `lengths`, share (1,), and from which length on it is most, even (1,).
    """

    def forward(self, lengths: Tensor, shape: Tensor) -> tuple[Tensor, ...]:
        drawn = torch.tensor(LENGTHS, dtype=torch.double)
        s = Shape(torch.cat([drawn, lengths.double()]), *shape.double().split(1))
        n = s.n[-2:-1]
        share = attention_operations(n, s.width) / block_operations(n, s.width)
        costs = [quantity.of(s) for quantity in QUANTITIES.values()]
        return tuple(answer.float() for answer in (*costs, share, EVEN.of(s)))


OUTPUTS = [*QUANTITIES, "share", "even"]


def calculator_widget(
    points: Mapping[str, Mapping[str, Mapping[int, float]]],
    *,
    width: int,
    heads: int,
    layers: int = 1,
    batch: int = 1,
    window: int = 64,
    length: int = 1024,
) -> LiveModel:
    """Lines of the four costs over the length of a text, by formula, and points that were measured.

    points: cost → kind → {n: what was measured}, such as {"read": {"LSTM": {64: 0.004, 256: 0.015}}}: seconds
    for "read" and "write" (`processor_seconds`), bytes for "look" and "keep" (`peak_bytes`); each of two
    lengths or more, and all of one model, whose shape is given here. The reader begins with it, at `length`.

    >>> calculator_widget({}, width=128, heads=4)
    LiveModel(calculator: lengths, shape → read, write, look, keep, share, even)
    """
    shape = {"width": width, "heads": heads, "layers": layers, "batch": batch, "window": window}
    start = {"length": length, **shape}
    _check_start(start)
    _check_points(points)
    return LiveModel(
        "calculator",
        Calculator(),
        {"lengths": torch.tensor([length, 2 * length]), "shape": torch.tensor([*shape.values()])},
        OUTPUTS,
        settings={
            "kinds": list(KINDS),
            "lengths": LENGTHS,
            "limits": LIMITS,
            "start": start,
            "examples": [[name, shape] for name, shape in EXAMPLES.items()],
            "even": EVEN.formula,
            "formulas": {name: [one.formula(kind) for kind in KINDS] for name, one in QUANTITIES.items()},
            "measured": {
                name: {kind: _measured(name, kind, costs, shape) for kind, costs in kinds.items()}
                for name, kinds in points.items()
            },
        },
    )


def _measured(name: str, kind: str, costs: Mapping[int, float], shape: Mapping[str, int]) -> dict:
    """Points of one kind in order; the power law that fits them, as its exponent and one of its points; and
    for seconds, how many operations were done in one of them at each point."""
    lengths, values = zip(*sorted(costs.items()), strict=True)
    told = {"points": [*zip(lengths, values, strict=True)], "exponent": fitted_exponent(lengths, values)}
    told["middle"] = [geometric_mean(lengths), geometric_mean(values)]
    if name in TIMED:
        numbers = (torch.tensor(one, dtype=torch.double) for one in (lengths, *shape.values()))
        operations = QUANTITIES[name].of(Shape(*numbers))[KINDS.index(kind)]
        told["rates"] = (operations / torch.tensor(values, dtype=torch.double)).tolist()
    return told


def _check_start(start: dict[str, int]) -> None:
    for name, value in start.items():
        least, most = LIMITS[name]
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{name} is {value}: give a whole number from {least:,} to {most:,}")
    if start["width"] % start["heads"]:
        raise ValueError(f"{start['heads']} heads do not share a width of {start['width']}: give a divisor")


def _check_points(points: Mapping[str, Mapping[str, Mapping[int, float]]]) -> None:
    least, most = LIMITS["length"]
    for name, kinds in points.items():
        if name not in QUANTITIES:
            raise KeyError(f"there is no cost {name!r}: give {', '.join(QUANTITIES)}")
        for kind, costs in kinds.items():
            if kind not in KINDS:
                raise KeyError(f"there is no kind {kind!r}: give {', '.join(KINDS)}")
            if len(costs) < 2:
                raise ValueError(f"{name}, {kind}: {len(costs)} lengths make no line: give two or more")
            for n, cost in costs.items():
                if not isinstance(n, int) or not least <= n <= most or not 0 < cost < math.inf:
                    raise ValueError(
                        f"{name}, {kind}: {cost} at length {n!r}: give a cost above 0, at a whole number of "
                        f"tokens from {least} to {most:,}"
                    )
