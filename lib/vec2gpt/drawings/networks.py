"""Drawings of recurrent networks in time: one column a word, and the same weights in every column.

The hidden state has its colour; W stands at the arrows from the input, U at those from state to state, W_y at
those to the output. What is drawn is `vec2gpt.recurrent`. Up to four words fit beside each other.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import copysign

from matplotlib.axes import Axes

from vec2gpt.drawings.pen import SMALL, TALL, WIDE, arc, arrow, box, letter, sheet
from vec2gpt.plotting import COLOURS, VERMILLION

HIDDEN, BACK = COLOURS["hidden"], VERMILLION  # a state; the way of the gradient
PITCH = 0.95  # from column to column
RISE = 1.0  # from row to row


def unrolled(ax: Axes, words: Sequence[str]) -> None:
    """A recurrent network folded, one cell with a loop, and unrolled, a cell a word; 6.2 × 2.9 inches.

    Of h_t = tanh(W x_t + U h_{t−1} + b) and logits z_t = W_y h_t + b_y.

        with figure("Left, …", width=6.2, height=2.9) as ax:
            unrolled(ax, "two glasses of cold".split())
    """
    columns = _columns(words, left=1.5)
    _folded(ax, 0)
    letter(ax, (1.05, 0), "=", size=20)
    _memory(ax, columns, 0, _states("h", range(len(columns))), "$U$")
    _inputs(ax, columns, words)
    for t, x in enumerate(columns[1:], 1):
        _output(ax, x, 0, f"$z_{{{t}}}$")
    sheet(ax, (-0.5, columns[-1] + 0.45), (-1.6, 1.2))


def backward(ax: Axes, words: Sequence[str]) -> None:
    """Backpropagation through time: the loss at the end, and the gradient's way back; 4.9 × 3 inches.

    At each dashed arrow stands what the gradient is multiplied by there.
    """
    columns = _columns(words)
    last, end, top = len(words), columns[-1], TALL / 2
    _memory(ax, columns, 0, _states("h", range(len(columns))), "$U$")
    _inputs(ax, columns, words)
    box(ax, (end, RISE), "$L$")
    arrow(ax, (end - 0.1, top), (end - 0.1, RISE - top))
    arc(ax, (end + 0.1, RISE - top), (end + 0.1, top), colour=BACK, bend=-0.2)
    letter(ax, (end + 0.25, RISE / 2), rf"$\partial L / \partial h_{{{last}}}$", size=SMALL, ha="left")
    for t in range(last, 1, -1):
        after, before = columns[t] - 0.15, columns[t - 1] + 0.15
        arc(ax, (after, top), (before, top), colour=BACK)
        there = ((after + before) / 2, top + 0.27)
        letter(ax, there, rf"$\partial h_{{{t}}} / \partial h_{{{t - 1}}}$", size=SMALL)
    sheet(ax, (columns[0] - 0.1, end + 0.9), (-1.5, RISE + 0.3))


def bidirectional(ax: Axes, words: Sequence[str]) -> None:
    """Two networks, one from each end; a word's two states are joined; 5.6 × 3.4 inches for three words.

    The arrow over a letter says which way its network reads. They share no weights.
    """
    _check(words)
    last, aside = len(words), 0.33  # how far each network stands from the middle of a word's column
    columns = [1.5 * t for t in range(last)]
    ahead, back = [x - aside for x in columns], [x + aside for x in reversed(columns)]
    right, left = (
        _states(r"\overrightarrow{h}", range(last + 1)),
        _states(r"\overleftarrow{h}", range(last + 2)),
    )
    _memory(ax, [ahead[0] - PITCH, *ahead], 0, right, r"$\overrightarrow{U}$")
    _memory(ax, [back[0] + PITCH, *back], RISE, left[:0:-1], r"$\overleftarrow{U}$")
    low, high = -TALL / 2, TALL / 2
    for t, (x, word) in enumerate(zip(columns, words, strict=True), 1):
        _input(ax, x, f"$x_{{{t}}}$", word)
        arrow(ax, (x - 0.1, -0.85), (x - aside, low))
        arrow(ax, (x + 0.1, -0.85), (x + aside, RISE + low))
        arrow(ax, (x - aside, high), (x - 0.1, RISE + 0.85))
        arrow(ax, (x + aside, RISE + high), (x + 0.1, RISE + 0.85))
        letter(ax, (x, RISE + 1), f"[{right[t]}; {left[t]}]")
    sheet(ax, (ahead[0] - PITCH - 0.1, back[0] + PITCH + 0.1), (-1.5, RISE + 1.2))


def stacked(ax: Axes, words: Sequence[str], *, layers: int = 2) -> None:
    """Layers of cells: each reads the states of the one below, with weights of its own; 4.6 × 3.9 inches."""
    if layers < 1:
        raise ValueError(f"{layers} layers cannot be drawn: give at least 1")
    columns, times = _columns(words), range(len(words) + 1)
    _inputs(ax, columns, words, weights="$W^{(1)}$")
    for layer in range(1, layers + 1):
        y = RISE * (layer - 1)
        _memory(ax, columns, y, _states("h", times, f"({layer})"), f"$U^{{({layer})}}$")
        for x in columns[1:] if layer > 1 else []:
            arrow(ax, (x, y - RISE + TALL / 2), (x, y - TALL / 2), label=f"$W^{{({layer})}}$")
    for t, x in enumerate(columns[1:], 1):
        _output(ax, x, y, f"$z_{{{t}}}$")
    sheet(ax, (columns[0] - 0.3, columns[-1] + 0.45), (-1.6, y + 1.2))


def adding(ax: Axes, first: int, second: int) -> None:
    """Two numbers added by hand, from the right: one rule in every column; 4.2 × 2.5 inches for three digits.

    What goes from column to column is the carry: the state of a network in time. adding(ax, 478, 256) writes
    4, 3 and 7, from the right, and carries 1, 1 and 0.
    """
    if not (isinstance(first, int) and isinstance(second, int) and min(first, second) >= 0):
        raise ValueError(f"{first} and {second} cannot be added by hand here: give whole numbers from 0 on")
    pitch, length = 1.2, max(len(str(first)), len(str(second)))
    carry = 0
    for place in range(length):
        x, one, two = -pitch * place, first // 10**place % 10, second // 10**place % 10
        arrow(ax, (x + pitch - WIDE / 2, 0), (x + WIDE / 2, 0), label=f"carry {carry}")
        letter(ax, (x, 1.05), str(one))
        letter(ax, (x, 0.75), str(two))
        arrow(ax, (x, 0.6), (x, TALL / 2))
        box(ax, (x, 0), "+", HIDDEN)
        arrow(ax, (x, -TALL / 2), (x, -0.6))
        carry, digit = divmod(one + two + carry, 10)
        letter(ax, (x, -0.77), str(digit))
    left = x
    if carry:  # nothing else stands in the next column
        left = x - 0.8
        arrow(ax, (x - WIDE / 2, 0), (left, 0), (left, -0.6))
        letter(ax, (left, -0.77), str(carry))
    sheet(ax, (left - 0.4, pitch), (-1, 1.25))


def _check(words: Sequence[str]) -> None:
    if not words:
        raise ValueError("there is no word to draw: give at least one, such as ['two', 'glasses']")


def _states(symbol: str, times: Iterable[int], layer: str = "") -> list[str]:
    """The names of a state after each of these steps; after step 0 nothing has been read."""
    return [f"${symbol}_{{{t}}}{f'^{{{layer}}}' if layer else ''}$" for t in times]


def _columns(words: Sequence[str], *, left: float = 0) -> list[float]:
    """Where the empty state stands, and then each word."""
    _check(words)
    return [left + PITCH * t for t in range(len(words) + 1)]


def _folded(ax: Axes, x: float) -> None:
    """One cell that hands its state to itself."""
    box(ax, (x, 0), "$h_t$", HIDDEN)
    right, far = x + WIDE / 2, x + WIDE / 2 + 0.3
    arrow(ax, (right, 0.14), (far, 0.14), (far, -0.14), (right, -0.14))
    letter(ax, (far + 0.13, 0), "$U$", size=SMALL)
    arrow(ax, (x, -0.85), (x, -TALL / 2), label="$W$")
    _input(ax, x, "$x_t$")
    _output(ax, x, 0, "$z_t$")


def _memory(ax: Axes, places: Sequence[float], y: float, states: Sequence[str], weights: str) -> None:
    """The empty state, then a box a state, and from each to the next an arrow with the same weights."""
    letter(ax, (places[0] + copysign(0.04, places[1] - places[0]), y), states[0])
    for x, state in zip(places[1:], states[1:], strict=True):
        box(ax, (x, y), state, HIDDEN)
    for before, after in pairwise(places):
        edge = copysign(WIDE / 2, after - before)
        arrow(ax, (before + edge, y), (after - edge, y), label=weights)


def _inputs(ax: Axes, columns: Sequence[float], words: Sequence[str], *, weights: str = "$W$") -> None:
    """Below each cell its input, and the word that it stands for."""
    for t, (x, word) in enumerate(zip(columns[1:], words, strict=True), 1):
        arrow(ax, (x, -0.85), (x, -TALL / 2), label=weights)
        _input(ax, x, f"$x_{{{t}}}$", word)


def _input(ax: Axes, x: float, text: str, word: str = "") -> None:
    letter(ax, (x, -1), text)
    letter(ax, (x, -1.32), word, size=SMALL)


def _output(ax: Axes, x: float, y: float, text: str) -> None:
    arrow(ax, (x, y + TALL / 2), (x, y + 0.85), label="$W_y$")
    letter(ax, (x, y + 1), text)
