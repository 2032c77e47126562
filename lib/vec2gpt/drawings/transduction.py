"""Drawings of encoder and decoder: one network reads, another writes, and a thought goes between them.

What belongs to the encoder has its colour, and so has what belongs to the decoder; the thought is an outline.
A bar marks the encoder's states. What is drawn is `vec2gpt.seq2seq`.
"""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes

from vec2gpt.drawings.pen import TALL, WIDE, arrow, box, letter, sheet
from vec2gpt.plotting import COLOURS

ENCODER, DECODER = COLOURS["encoder"], COLOURS["decoder"]
PITCH = 0.95  # from column to column
SIDE, TOP = WIDE / 2, TALL / 2  # from a box's middle to its border
FEED = 0.9  # from a box to the middle of the letters above and below it


def sequence_to_sequence(ax: Axes, source: Sequence[str], target: Sequence[str]) -> None:
    """A source is read, then a target written, each word the next input; 7.2 × 2.8 inches for three and two.

    Below the decoder stands what it is given, <bos> and then the target; above, what it shall say: the target
    and then <eos>.
    """
    if not source or not target:
        raise ValueError(
            "give at least one token to read and one to write, such as ['t', 'w', 'o'], ['T', 'UW']"
        )
    read = [PITCH * s for s in range(len(source))]
    thought = read[-1] + PITCH
    write = [thought + PITCH * t for t in range(1, len(target) + 2)]
    row(ax, read, r"\bar h", ENCODER)
    row(ax, write, "h", DECODER)
    box(ax, (thought, 0), "$c$")
    for before, after in ((read[-1], thought), (thought, write[0])):
        arrow(ax, (before + SIDE, 0), (after - SIDE, 0))
    for x, word in zip(read, source, strict=True):
        _fed(ax, x, word)
    for x, given, said in zip(write, ["<bos>", *target], [*target, "<eos>"], strict=True):
        _fed(ax, x, given)
        _says(ax, x, said)
    letter(ax, ((read[0] + read[-1]) / 2, -1.3), "encoder", color=ENCODER)
    letter(ax, ((write[0] + write[-1]) / 2, -1.3), "decoder", color=DECODER)
    sheet(ax, (-0.45, write[-1] + 0.45), (-1.5, 1.1))


def handing_over(axes: Sequence[Axes]) -> None:
    """Three ways from encoder to decoder: figure(…, columns=3, width=7.5, height=2.8).

    As the decoder's first state; at every step; made of all states of the encoder.
    """
    last, every = [2], [0, 1, 2]
    ways = {
        "the last, as first state": (last, [0]),
        "at every step": (last, every),
        "the mean of all": (every, [0]),
    }
    for ax, (title, (givers, takers)) in zip(axes, ways.items(), strict=True):
        _handing(ax, givers, takers)
        letter(ax, (PITCH, 2.15), title)


def teacher_forcing(axes: Sequence[Axes]) -> None:
    """What the decoder reads, taught and alone: figure(…, columns=2, width=7, height=2.8)."""
    taught, alone = axes
    columns = [1.2 * t for t in range(3)]
    for ax, title in ((taught, "taught: it reads the truth"), (alone, "alone: it reads its own words")):
        row(ax, columns, "h", DECODER)
        for t, x in enumerate(columns):
            _says(ax, x, rf"$\hat y_{{{t + 1}}}$")
        _fed(ax, columns[0], "<bos>")
        letter(ax, (columns[1], 1.35), title)
        sheet(ax, (-0.5, columns[-1] + 0.5), (-1.15, 1.5))
    for t, (before, after) in enumerate(pairwise(columns), 1):
        _fed(taught, after, f"$y_{{{t}}}$")
        _fed(alone, after, rf"$\hat y_{{{t}}}$")
        between = (before + after) / 2
        arrow(alone, (before + 0.2, FEED), (between, FEED), (between, -FEED), (after - 0.2, -FEED))


def _handing(ax: Axes, givers: Sequence[int], takers: Sequence[int]) -> None:
    """Encoder below, decoder above; the states `givers` make the thought, the states `takers` get it."""
    columns, middle, high = [PITCH * t for t in range(3)], 0.85, 1.7
    row(ax, columns, r"\bar h", ENCODER)
    row(ax, columns, "h", DECODER, y=high)
    box(ax, (PITCH, middle), "$c$", tall=0.36)
    for giver in givers:
        arrow(ax, (columns[giver], TOP), (PITCH + 0.15 * (giver - 1), middle - 0.18))
    for taker in takers:
        arrow(ax, (PITCH + 0.15 * (taker - 1), middle + 0.18), (columns[taker], high - TOP))
    sheet(ax, (-0.4, columns[-1] + 0.4), (-0.3, 2.3))


def row(ax: Axes, columns: Sequence[float], symbol: str, colour: str, *, y: float = 0) -> None:
    """States beside each other, each handed to the next."""
    for t, x in enumerate(columns, 1):
        box(ax, (x, y), f"${symbol}_{{{t}}}$", colour)
    for before, after in pairwise(columns):
        arrow(ax, (before + SIDE, y), (after - SIDE, y))


def _fed(ax: Axes, x: float, word: str) -> None:
    """What a state reads."""
    letter(ax, (x, -FEED), word)
    arrow(ax, (x, -FEED + 0.17), (x, -TOP))


def _says(ax: Axes, x: float, word: str) -> None:
    """What a state leads to."""
    letter(ax, (x, FEED), word)
    arrow(ax, (x, TOP), (x, FEED - 0.17))
