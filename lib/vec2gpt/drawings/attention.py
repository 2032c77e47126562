"""Drawings of attention: a look back at every state of the encoder, where there was one vector before.

Who asks has the colour of queries, what is asked that of keys, what comes back that of values; a line is as
thick as the weight it stands for. What is drawn is `vec2gpt.attention` and `vec2gpt.attentive`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes

from vec2gpt.drawings.pen import arrow, box, letter, sheet
from vec2gpt.drawings.transduction import DECODER, ENCODER, PITCH, SIDE, TOP, row
from vec2gpt.plotting import COLOURS

QUERY, KEY, VALUE = COLOURS["query"], COLOURS["key"], COLOURS["value"]
GLANCE = [0.1, 0.7, 0.2]  # where the second state of the decoder looks, for a picture
THIN, THICK = 0.6, 5.0  # a line of weight 0, and what weight 1 adds to it, in points


def bottleneck_and_memory(axes: Sequence[Axes]) -> None:
    """All through one vector, or a look back: figure(…, columns=2, width=6.4, height=3.4).

    Right, one step of Luong's decoder: each of the others looks back too, with weights of its own.
    """
    columns, middle, high, out = [PITCH * t for t in range(3)], 0.85, 1.7, 2.55
    for ax, title in zip(axes, ("one vector for all", "a look back, at each step"), strict=True):
        row(ax, columns, r"\bar h", ENCODER)
        row(ax, columns, "h", DECODER, y=high)
        letter(ax, (PITCH, 3.05), title)
        sheet(ax, (-0.4, columns[-1] + 0.4), (-0.3, 3.25))
    one, many = axes
    box(one, (PITCH, middle), "$c$", tall=0.36)
    arrow(one, (columns[2], TOP), (PITCH + 0.15, middle - 0.18))
    arrow(one, (PITCH - 0.15, middle + 0.18), (columns[0], high - TOP))
    context = PITCH / 2
    box(many, (context, middle), "$c_2$", VALUE, tall=0.36)
    box(many, (PITCH, out), r"$\tilde h_{2}$", DECODER)
    for column, weight, side in zip(columns, GLANCE, (-1, 0, 1), strict=True):
        arrow(many, (column, TOP), (context + 0.15 * side, middle - 0.18), width=THIN + THICK * weight)
    arrow(many, (PITCH, high - TOP), (context + SIDE, middle), label="asks", colour=QUERY)
    arrow(many, (context, middle + 0.18), (context, out), (PITCH - SIDE, out))
    arrow(many, (PITCH, high + TOP), (PITCH, out - TOP))


def soft_lookup(
    ax: Axes, keys: Sequence[str], weights: Sequence[float], values: Sequence[str], *, query: str, answer: str
) -> None:
    """A query is compared with all keys, and the answer mixes all values; 6.2 × 2.6 inches for three.

    With weights 0 and one 1 it is a dictionary: one key fits, and its value is the answer.
    """
    counts = len(keys), len(weights), len(values)
    if len(set(counts)) > 1:
        raise ValueError("there are {} keys, {} weights and {} values: give one of each".format(*counts))
    rows = [0.62 * place for place in range(len(keys))][::-1]
    columns = {"query": 0.0, "keys": 1.7, "weights": 2.65, "values": 3.6, "answer": 5.3}
    asks, offers, _, holds, gives = columns.values()
    side, middle = 0.45, rows[0] / 2
    for name, x in columns.items():
        letter(ax, (x, rows[0] + 0.6), name)
    box(ax, (asks, middle), query, QUERY, wide=2 * side)
    box(ax, (gives, middle), answer, VALUE, wide=2 * side)
    for y, key, weight, value in zip(rows, keys, weights, values, strict=True):
        width = THIN + THICK * weight
        box(ax, (offers, y), key, KEY, wide=2 * side)
        box(ax, (holds, y), value, VALUE, wide=2 * side)
        arrow(ax, (asks + side, middle), (offers - side, y))
        arrow(ax, (offers + side, y), (holds - side, y), label=f"{weight:.2f}", width=width)
        arrow(ax, (holds + side, y), (gives - side, middle), width=width)
    sheet(ax, (asks - 0.55, gives + 0.55), (-0.35, rows[0] + 0.8))


def two_decoders(axes: Sequence[Axes]) -> None:
    """Which state asks, and where the context joins: figure(…, columns=2, width=7.2, height=3.6).

    Left Bahdanau's, right Luong's, both at step t.
    """
    bahdanau, luong = axes
    for ax, title in ((bahdanau, "Bahdanau: look, then step"), (luong, "Luong: step, then look")):
        _decoder(ax)
        letter(ax, (1.15, 3.5), title)
    before, now, context = 0.2, 1.9, 1.05
    arrow(bahdanau, (before, 1.5 - TOP), (before, TOP), label="asks", colour=QUERY)
    arrow(bahdanau, (context + SIDE, 0.85), (now, 0.85), (now, 1.5 - TOP))
    arrow(luong, (now, 1.5 - TOP), (now, TOP), label="asks", colour=QUERY)


def _decoder(ax: Axes) -> None:
    """What the two have in common: a step, a memory, a context, and an output that both lead to."""
    before, now, context = 0.2, 1.9, 1.05
    box(ax, (1.05, 0), r"$\bar h_1\ \bar h_2\ \dots\ \bar h_S$", ENCODER, wide=2.3)
    box(ax, (before, 1.5), "$h_{t-1}$", DECODER)
    box(ax, (now, 1.5), "$h_t$", DECODER)
    box(ax, (context, 0.85), "$c_t$", VALUE)
    box(ax, (now, 2.35), r"$\tilde h_t$", DECODER)
    arrow(ax, (before + SIDE, 1.5), (now - SIDE, 1.5))
    arrow(ax, (context, TOP), (context, 0.85 - TOP))
    arrow(ax, (context, 0.85 + TOP), (context, 2.35), (now - SIDE, 2.35))
    arrow(ax, (now, 1.5 + TOP), (now, 2.35 - TOP))
    arrow(ax, (now, 2.35 + TOP), (now, 2.87))
    letter(ax, (now, 3.04), r"$\hat y_t$")
    arrow(ax, (2.55, 1.5), (now + SIDE, 1.5))
    letter(ax, (2.83, 1.5), "$y_{t-1}$")
    sheet(ax, (-0.25, 3.15), (-0.35, 3.7))
