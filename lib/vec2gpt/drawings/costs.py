"""Drawings of what attention costs: who has to wait for whom, and how much must be kept at one time.

A cell is one token at one moment, or one score. Filled in the colour of the hidden state it is being worked
on; in the key's colour it is only looked at. What is drawn is `vec2gpt.recurrent`, `vec2gpt.blocks` and
`vec2gpt.efficient`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from vec2gpt.drawings.pen import SMALL, arrow, letter, sheet, tint
from vec2gpt.plotting import COLOURS, INK

HIDDEN, KEY, QUERY, VALUE = (COLOURS[name] for name in ("hidden", "key", "query", "value"))
SIDE = 0.84  # of a cell; one unit from cell to cell
STAGES = ("project", "look", "think")  # what a block does, whatever the length of the text


def waiting(axes: Sequence[Axes], words: Sequence[str]) -> None:
    """Who works when: figure(…, columns=3, width=7.6, height=2.6) for five words; a column is a moment.

    A recurrent network reads one word a moment, a block works on all at once, and whoever writes goes one
    word after the other again, looking at what it has kept.
    """
    count = len(words)
    recurrent, block, writing = axes
    _panel(recurrent, "a recurrent network reads", words, range(1, count + 1))
    _panel(block, "a block reads", words, STAGES)
    _panel(writing, "a block writes", words, range(1, count + 1))
    for t in range(count):
        for moment in range(len(STAGES)):
            _cell(block, (moment, -t), HIDDEN)
        for ax in (recurrent, writing):
            _cell(ax, (t, -t), HIDDEN)
        for seen in range(t):
            _cell(writing, (t, -seen), KEY, "k, v")
        if t:
            arrow(recurrent, (t - 1 + SIDE / 2, 1 - t), (t, 1 - t), (t, -t + SIDE / 2))
    for ax in (recurrent, writing):
        letter(ax, ((count - 1) / 2, -count - 0.65), "moment", size=SMALL, va="top")
    letter(writing, (1.2, 1.5 - count), "k, v: kept", size=SMALL)


def _panel(ax: Axes, title: str, words: Sequence[str], moments: Sequence) -> None:
    """Words down the side, moments along the foot."""
    last, foot = len(moments) - 1, -len(words) + 0.15
    letter(ax, (last / 2, 0.85), title)
    for t, word in enumerate(words):
        letter(ax, (-0.6, -t), word, size=SMALL, ha="right")
    for x, moment in enumerate(moments):
        is_name = isinstance(moment, str)
        style = {"rotation": 90, "va": "top"} if is_name else {"va": "top"}
        letter(ax, (x, foot), str(moment), size=SMALL, **style)
    sheet(ax, (-2.4, max(last, 4) + 0.7), (foot - 2.2, 1.2))


def tiles(axes: Sequence[Axes], *, count: int = 6, tile: int = 2) -> None:
    """Scores stored, and a tile at a time: figure(…, columns=2, width=6.4, height=2.8).

    Left, all count² scores are kept. Right, one tile of them; beside it, for each row, what is kept of the
    tiles before: an average and how much it weighs.
    """
    if tile < 1 or count % tile or tile == count:
        raise ValueError(f"tiles of {tile} do not part {count} rows: choose a divisor below {count}")
    stored, tiled = axes
    for i in range(count):
        for j in range(count):
            _cell(stored, (j, -i), QUERY)
            _cell(tiled, (j, -i), QUERY if i < tile and tile <= j < 2 * tile else None)
        for x, colour in ((count + 0.6, VALUE), (count + 1.6, KEY)):
            _cell(tiled, (x, -i), colour)
    middle = (count - 1) / 2
    for ax, title in ((stored, "all scores are stored"), (tiled, "a tile at a time")):
        letter(ax, (middle, 1.9), title)
        letter(ax, (middle, 1.0), "keys", size=SMALL)
        letter(ax, (-1.0, -middle), "queries", size=SMALL, rotation=90)
        sheet(ax, (-1.6, count + 3.4), (-count + 0.2, 2.4))
    letter(tiled, (count + 1.1, 1.0), "kept", size=SMALL)


def _cell(ax: Axes, at: tuple[float, float], colour: str | None, text: str = "") -> None:
    """A square, filled in a colour, or empty and thin."""
    corner = at[0] - SIDE / 2, at[1] - SIDE / 2
    shape = Rectangle(corner, SIDE, SIDE, edgecolor=colour or INK, linewidth=1 if colour else 0.4)
    shape.set_facecolor(tint(colour) if colour else "none")
    ax.add_patch(shape)
    if text:
        letter(ax, at, text, size=9)
