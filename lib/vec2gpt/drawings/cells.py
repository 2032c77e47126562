"""Drawings of gated cells: what is multiplied with what, and which way the memory goes.

A gate is a box with σ, a candidate one with tanh, in their concepts' colours; each weighs all that reaches it
from below with a W and a U of its own. × and + work number by number. `vec2gpt.recurrent` has the equations.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from vec2gpt.drawings.pen import ROUND, SMALL, arrow, box, fork, joint, letter, line, sheet, tint
from vec2gpt.plotting import COLOURS, INK

WIDE, TALL = 0.8, 0.56  # a gate: its function, and its name below
THICK = 2.5  # the line of a memory
HIDDEN, CELL = COLOURS["hidden"], COLOURS["cell"]


def lstm_cell(ax: Axes) -> None:
    """Inside an LSTM: the cell state runs straight through, on top; 5.6 × 3.3 inches.

    c_t = f_t ⊙ c_{t−1} + i_t ⊙ c̃_t and h_t = o_t ⊙ tanh(c_t).
    """
    forget, write, candidate, show, shown = 1.2, 2.15, 3.1, 4.05, 4.9  # from left to right
    seen, gate, product, memory = 0.35, 1.05, 1.85, 2.5  # from the bottom up
    top = gate + TALL / 2
    _frame(ax, (0.5, 5.35), (0, 2.85))

    _carried(ax, "c", memory, (0.4, forget, candidate, 5.55), CELL)
    letter(ax, (0.15, seen), "$h_{t-1}$")
    line(ax, (0.4, seen), (0.75, seen), colour=HIDDEN, width=THICK)
    letter(ax, (0.75, -0.33), "$x_t$")
    line(ax, (0.75, -0.2), (0.75, seen), (show, seen))
    for x in (0.75, forget, write, candidate):
        fork(ax, (x, seen))
    for x in (forget, write, candidate, show):
        arrow(ax, (x, seen), (x, gate - TALL / 2))
    _gate(ax, (forget, gate), "σ", "forget", COLOURS["forget"])
    _gate(ax, (write, gate), "σ", "input", COLOURS["input"])
    _gate(ax, (candidate, gate), "tanh", "candidate", COLOURS["candidate"])
    _gate(ax, (show, gate), "σ", "output", COLOURS["output"])

    arrow(ax, (forget, top), (forget, memory - ROUND), label="$f_t$")
    arrow(ax, (write, top), (write, product), (candidate - ROUND, product), label="$i_t$")
    arrow(ax, (candidate, top), (candidate, product - ROUND), label=r"$\tilde{c}_t$")
    joint(ax, (candidate, product), "×")
    arrow(ax, (candidate, product + ROUND), (candidate, memory - ROUND))

    fork(ax, (shown, memory), CELL)
    arrow(ax, (shown, memory), (shown, product + 0.16))
    box(ax, (shown, product), "tanh", wide=0.54, tall=0.32)
    arrow(ax, (shown, product - 0.16), (shown, gate + ROUND))
    arrow(ax, (show + WIDE / 2, gate), (shown - ROUND, gate), label="$o_t$")
    joint(ax, (shown, gate), "×")
    arrow(ax, (shown, gate - ROUND), (shown, seen), (5.55, seen), colour=HIDDEN, width=THICK)
    letter(ax, (5.73, seen), "$h_t$")
    sheet(ax, (-0.1, 5.9), (-0.5, 2.95))


def gru_cell(ax: Axes) -> None:
    """Inside a GRU: one memory, on top; z keeps of it what 1 − z does not replace; 5.6 × 3.3 inches.

    h_t = z_t ⊙ h_{t−1} + (1 − z_t) ⊙ n_t, with the candidate n_t = tanh(W x_t + b + r_t ⊙ (U h_{t−1} + b')):
    the reset gate stands between the memory and the candidate, behind U, as in torch.nn.
    The update gate has the forget gate's colour and the reset gate the input gate's, as in the widgets.
    """
    keep, reset, behind, candidate = 1.45, 2.45, 3.2, 4.2  # from left to right
    x, h, gate, product, memory = 0.1, 0.35, 1.05, 1.85, 2.5  # from the bottom up
    top, bottom = gate + TALL / 2, gate - TALL / 2
    _frame(ax, (0.5, 5.1), (-0.1, 2.85))

    _carried(ax, "h", memory, (0.4, keep, candidate, 5.3), HIDDEN)
    fork(ax, (0.75, memory), HIDDEN)
    line(ax, (0.75, memory), (0.75, h), (behind, h), colour=HIDDEN, width=1.8)
    letter(ax, (1, -0.33), "$x_t$")
    line(ax, (1, -0.2), (1, x), (candidate, x))
    for place in (keep, reset):
        fork(ax, (place - 0.15, h), HIDDEN)
        arrow(ax, (place - 0.15, h), (place - 0.15, bottom), colour=HIDDEN, width=1.8)
        fork(ax, (place + 0.15, x))
        arrow(ax, (place + 0.15, x), (place + 0.15, bottom))
    _gate(ax, (keep, gate), "σ", "update", COLOURS["forget"])
    _gate(ax, (reset, gate), "σ", "reset", COLOURS["input"])
    _gate(ax, (candidate, gate), "tanh", "candidate", COLOURS["candidate"])

    arrow(ax, (behind, h), (behind, gate - ROUND), colour=HIDDEN, width=1.8, label="$U$")
    arrow(ax, (reset + WIDE / 2, gate), (behind - ROUND, gate), label="$r_t$")
    joint(ax, (behind, gate), "×")
    arrow(ax, (behind + ROUND, gate), (candidate - WIDE / 2, gate))
    arrow(ax, (candidate, x), (candidate, bottom), label="$W$")

    fork(ax, (keep, product))
    arrow(ax, (keep, top), (keep, memory - ROUND))
    letter(ax, (keep + 0.06, 1.6), "$z_t$", size=SMALL, ha="left")
    arrow(ax, (keep, product), (reset + 0.2, product))
    box(ax, (reset + 0.43, product), "1 −", wide=0.46, tall=0.32)
    arrow(ax, (reset + 0.66, product), (candidate - ROUND, product), label="$1-z_t$")
    arrow(ax, (candidate, top), (candidate, product - ROUND), label="$n_t$")
    joint(ax, (candidate, product), "×")
    arrow(ax, (candidate, product + ROUND), (candidate, memory - ROUND))
    sheet(ax, (-0.1, 5.65), (-0.5, 2.95))


def valve(ax: Axes, value: float, *, label: str, colour: str) -> None:
    """One gate as a valve in a pipe, open by `value` from 0 to 1: so much of what comes from the left passes.

    Three beside each other, as the three gates of an LSTM: figure(…, columns=3, height=1.9).
    """
    if not 0 <= value <= 1:
        raise ValueError(f"a gate is open by 0 (shut) to 1 (open), not by {value}")
    bore, floor = 0.8, -0.4
    slide = floor + bore * value  # the lower end of the plate
    ax.add_patch(Rectangle((-1.5, floor), 1.5, bore, color=tint(colour), linewidth=0))
    ax.add_patch(Rectangle((0, floor), 1.5, bore * value, color=tint(colour), linewidth=0))
    for y in (floor, floor + bore):
        line(ax, (-1.5, y), (1.5, y))
    ax.add_patch(Rectangle((-0.09, slide), 0.18, bore, facecolor=colour, edgecolor=INK))
    wheel = slide + bore + 0.3
    line(ax, (0, slide + bore), (0, wheel))
    line(ax, (-0.3, wheel), (0.3, wheel), width=4)
    arrow(ax, (-1.2, 0), (-0.5, 0))
    if value > 0:
        arrow(ax, (0.5, (floor + slide) / 2), (1.2, (floor + slide) / 2))
    letter(ax, (0, floor - 0.35), f"{label} = {value:.2g}")
    sheet(ax, (-1.6, 1.6), (floor - 0.6, floor + 2.3 * bore + 0.2))


def _frame(ax: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """The outline of the whole cell."""
    style = {"boxstyle": "round,pad=0,rounding_size=0.2", "fill": False, "edgecolor": INK, "alpha": 0.4}
    ax.add_patch(FancyBboxPatch((x[0], y[0]), x[1] - x[0], y[1] - y[0], **style))


def _carried(ax: Axes, symbol: str, y: float, stops: Sequence[float], colour: str) -> None:
    """The way of a memory: where it comes in, what is kept of it, what is added to it, where it goes out."""
    left, keep, add, right = stops
    letter(ax, (left - 0.25, y), f"${symbol}_{{t-1}}$")
    joint(ax, (keep, y), "×")
    joint(ax, (add, y), "+")
    for start, end in ((left, keep - ROUND), (keep + ROUND, add - ROUND), (add + ROUND, right)):
        arrow(ax, (start, y), (end, y), colour=colour, width=THICK)
    letter(ax, (right + 0.18, y), f"${symbol}_t$")


def _gate(ax: Axes, at: tuple[float, float], function: str, name: str, colour: str) -> None:
    """A gate or a candidate."""
    box(ax, at, "", colour, wide=WIDE, tall=TALL)
    letter(ax, (at[0], at[1] + 0.11), function)
    letter(ax, (at[0], at[1] - 0.13), name, size=9)
