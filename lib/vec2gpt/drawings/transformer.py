"""Drawings of the Transformer: all tokens ask all others at once, and what it takes to stack that.

Attention is tinted as the part that asks, encoder or decoder; what a token does by itself is an outline.
Arrows go upwards, the way of a token through the layers. What is drawn is `vec2gpt.attention`,
`vec2gpt.blocks` and `vec2gpt.transformer`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from vec2gpt.drawings.pen import ROUND, SMALL, TALL, arrow, box, fork, joint, letter, sheet, tint
from vec2gpt.drawings.transduction import PITCH, TOP, row
from vec2gpt.plotting import COLOURS, INK

QUERY, KEY, VALUE = COLOURS["query"], COLOURS["key"], COLOURS["value"]
ENCODER, DECODER, HIDDEN = COLOURS["encoder"], COLOURS["decoder"], COLOURS["hidden"]
LAYER, LOW = 2.3, 0.42  # a sublayer's box: how wide, how tall
ASIDE = 0.25  # how far beside the boxes a residual goes


def step_by_step_and_at_once(axes: Sequence[Axes], words: Sequence[str]) -> None:
    """A recurrent network and self-attention: figure(…, columns=2, width=7.2, height=2.8) for four words.

    Left a state waits for the one before; right the last word's new vector is made of all, and so is each
    other's, with thin arrows, at the same time.
    """
    columns, high = [PITCH * t for t in range(len(words))], 1.25
    chain, web = axes
    for ax, title in ((chain, "one step after the other"), (web, "all at once")):
        for x, word in zip(columns, words, strict=True):
            letter(ax, (x, -0.95), word)
        letter(ax, (columns[-1] / 2, high + 0.6), title)
        sheet(ax, (-0.5, columns[-1] + 0.5), (-1.15, high + 0.8))
    row(chain, columns, "h", HIDDEN)
    for t, x in enumerate(columns, 1):
        arrow(chain, (x, -0.78), (x, -TOP))
        box(web, (x, 0), f"$x_{{{t}}}$")
        box(web, (x, high), rf"$\hat{{x}}_{{{t}}}$", HIDDEN)
        arrow(web, (x, -0.78), (x, -TOP))
        for source in columns:
            last = t == len(columns)
            ends = (source, TOP), (x + 0.07 * (source - x) / PITCH, high - TOP)
            arrow(web, *ends, colour=QUERY if last else INK, width=1.8 if last else 0.5)


def multi_head(ax: Axes, *, heads: int = 2) -> None:
    """Each head projects all of x, looks, and brings back a part; 6.4 × 4.2 inches for two heads."""
    if heads < 1:
        raise ValueError(f"heads is {heads}: draw at least 1")
    pitch, gap = 0.8, 0.35  # from projection to projection, and more between heads
    width = heads * 3 * pitch + (heads - 1) * gap
    middle, project, look, join = (width - pitch) / 2, 1.15, 2.1, 2.9
    box(ax, (middle, 0), "$X$", HIDDEN, wide=1.2)
    joined = "; ".join(f"$O_{{{h}}}$" for h in range(1, heads + 1))
    box(ax, (middle, join), f"[{joined}]", VALUE, wide=1.6, tall=0.4)
    for h in range(heads):
        left = h * (3 * pitch + gap)
        centre = left + pitch
        box(ax, (centre, look), f"attention {h + 1}", wide=1.5, tall=0.4)
        for n, (name, colour) in enumerate({"Q": QUERY, "K": KEY, "V": VALUE}.items()):
            x = left + n * pitch
            box(ax, (x, project), f"${name}_{{{h + 1}}}$", colour)
            arrow(ax, (middle, TALL / 2), (x, project - TALL / 2))
            arrow(ax, (x, project + TALL / 2), (centre + 0.45 * (n - 1), look - 0.2))
        arrow(ax, (centre, look + 0.2), (middle + 0.5 * (centre - middle) / (width / 2), join - 0.2))
    arrow(ax, (middle, join + 0.2), (middle, join + 0.62), label="$W_O$")
    letter(ax, (middle, join + 0.8), "the answer, as wide as $X$")
    sheet(ax, (-0.6, width - pitch + 0.6), (-0.35, join + 1.0))


def mask(ax: Axes, may_look, queries: Sequence[str], keys: Sequence[str], *, title: str) -> None:
    """Who may look at whom, a row a query: 2.4 × 2.6 inches for five of each.

    may_look: boolean (T, S), True = may look: a filled cell. A shut one is empty, with a cross.
    """
    if tuple(may_look.shape) != (len(queries), len(keys)):
        raise ValueError(
            f"{len(queries)} queries and {len(keys)} keys need such a mask, got shape {tuple(may_look.shape)}"
        )
    for t, s in ((t, s) for t in range(len(queries)) for s in range(len(keys))):
        is_open = bool(may_look[t, s])
        cell = Rectangle((s - 0.45, -t - 0.45), 0.9, 0.9, edgecolor=INK, linewidth=0.8)
        cell.set_facecolor(tint(KEY) if is_open else "none")
        ax.add_patch(cell)
        if not is_open:
            letter(ax, (s, -t), "×", size=9, color="0.5")
    for t, word in enumerate(queries):
        letter(ax, (-0.65, -t), word, size=SMALL, ha="right")
    for s, word in enumerate(keys):
        letter(ax, (s, 0.65), word, size=SMALL, rotation=90, va="bottom")
    letter(ax, ((len(keys) - 1) / 2, -len(queries) - 0.1), title)
    sheet(ax, (-2.6, len(keys) - 0.4), (-len(queries) - 0.6, 2.6))


def pre_and_post_norm(axes: Sequence[Axes]) -> None:
    """A norm behind the sum, or before the sublayer: figure(…, columns=2, width=5.6, height=3.2)."""
    ways = {
        "post-norm: the paper": ["sublayer", "+", "norm"],
        "pre-norm: most since 2019": ["norm", "sublayer", "+"],
    }
    for ax, (title, parts) in zip(axes, ways.items(), strict=True):
        _added(ax, parts)
        letter(ax, (0, -0.28), "$x$")
        letter(ax, (0.1, 2.95), title)
        sheet(ax, (-1.8, 1.8), (-0.45, 3.15))


def _added(ax: Axes, parts: Sequence[str]) -> None:
    """What x goes through, from the bottom up; what comes in goes round, and is added at the +."""
    start, below = 0.05, -0.1
    for n, name in enumerate(parts):
        middle, half = 0.5 + 0.72 * n, ROUND if name == "+" else LOW / 2
        arrow(ax, (0, below), (0, middle - half))
        if name == "+":
            joint(ax, (0, middle), "+")
            out = LAYER / 2 + ASIDE
            way = (0, start), (out, start), (out, middle), (ROUND, middle)
            arrow(ax, *way, colour=HIDDEN, width=2)
        else:
            box(ax, (0, middle), name, wide=LAYER, tall=LOW)
        below = middle + half
    fork(ax, (0, start))
    arrow(ax, (0, below), (0, 2.65))


def full_transformer(ax: Axes) -> None:
    """The whole of it, as in the paper: encoder left, decoder right; 7.4 × 6.8 inches.

    "add & norm": what goes round a sublayer is added to what it made, and the sum is normalised.
    """
    encoder, decoder = 0.0, 4.2
    memory = tower(ax, encoder, ENCODER, ["self-attention", "feed-forward"])
    top = tower(ax, decoder, DECODER, ["masked self-attention", "cross-attention", "feed-forward"])
    for x, below in ((encoder, "source"), (decoder, "target, as far as it is")):
        letter(ax, (x, -0.55), below)
    letter(ax, (encoder - LAYER / 2 - 0.5, height(0.5)), "$N$ ×", ha="right")
    letter(ax, (decoder + LAYER / 2 + 0.5, height(1)), "× $N$", ha="left")
    turn, high, low = (encoder + decoder) / 2, memory + 0.45, height(1)
    way = (encoder, memory), (encoder, high), (turn, high), (turn, low), (decoder - LAYER / 2, low)
    arrow(ax, *way, colour=KEY, width=2)
    letter(ax, ((encoder + turn) / 2, high + 0.2), "keys and values", size=SMALL)
    arrow(ax, (decoder, top), (decoder, top + 0.4))
    box(ax, (decoder, top + 0.4 + LOW / 2), "linear, softmax", wide=LAYER, tall=LOW)
    arrow(ax, (decoder, top + 0.4 + LOW), (decoder, top + 1.05))
    letter(ax, (decoder, top + 1.2), "the next token")
    sheet(ax, (-2.3, 6.5), (-0.75, top + 1.4))


def height(sublayer: float) -> float:
    """The middle of a tower's n-th sublayer, counted from 0."""
    return 1.75 + 1.35 * sublayer


def tower(ax: Axes, x: float, colour: str, sublayers: Sequence[str]) -> float:
    """Embedding, positions, and a layer of sublayers, each with what goes round it; where it ends.

    A sublayer without a name is left out, and its place stays empty.
    """
    box(ax, (x, 0), "embedding", wide=LAYER, tall=LOW)
    arrow(ax, (x, -0.4), (x, -LOW / 2))
    arrow(ax, (x, LOW / 2), (x, 0.55 - ROUND))
    joint(ax, (x, 0.55), "+")
    letter(ax, (x - 0.75, 0.55), "positions", size=SMALL, ha="right")
    arrow(ax, (x - 0.7, 0.55), (x - ROUND, 0.55))
    before, side = 0.55 + ROUND, 1 if colour == DECODER else -1
    for n, name in ((n, name) for n, name in enumerate(sublayers) if name):
        middle = height(n)
        added = middle + LOW
        box(ax, (x, middle), name, colour if "attention" in name else INK, wide=LAYER, tall=LOW)
        box(ax, (x, added), "add & norm", wide=LAYER, tall=LOW)
        arrow(ax, (x, before), (x, middle - LOW / 2))
        split, border, out = middle - 0.42, x + side * LAYER / 2, x + side * (LAYER / 2 + ASIDE)
        fork(ax, (x, split), HIDDEN)
        arrow(ax, (x, split), (out, split), (out, added), (border, added), colour=HIDDEN, width=2)
        before = added + LOW / 2
    frame(ax, x, (height(0) - 0.6, before + 0.12))
    return before


def frame(ax: Axes, x: float, y: tuple[float, float], *, wide: float = LAYER + 2 * ASIDE + 0.3) -> None:
    """Round a layer, of which there are N."""
    shape = FancyBboxPatch((x - wide / 2, y[0]), wide, y[1] - y[0], boxstyle="round,pad=0,rounding_size=0.15")
    shape.set(facecolor="none", edgecolor=INK, linewidth=1, alpha=0.5)
    ax.add_patch(shape)
