"""Drawings of what changed in a block since GPT-2: its parts, keys and values that are shared, and experts.

Arrows go upwards, the way of a token through the layers. What is drawn is `vec2gpt.gpt.TODAY`,
`vec2gpt.attention`, `vec2gpt.blocks` and `vec2gpt.experts`.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from vec2gpt.checks import check_sizes
from vec2gpt.drawings.pen import ROUND, SMALL, arrow, box, fork, joint, letter, sheet
from vec2gpt.drawings.transformer import HIDDEN, KEY, QUERY, VALUE, frame
from vec2gpt.plotting import COLOURS, INK, PALETTE

NEW = COLOURS["candidate"]

# ---- a block ----

WIDE, LOW, SIDE = 2.5, 0.38, 0.85  # a box: how wide, how tall; how far from the middle are q and v
PLACE, NORM, ASK, LOOK, ADD = 0.55, 1.3, 1.9, 2.95, 3.45  # heights, from where places are added upwards
AGAIN, INNER, BEND, OUT, SUM, END = 4.1, 4.75, 5.35, 5.9, 6.4, 6.95


def today(axes: Sequence[Axes]) -> None:
    """GPT-2's block, and today's: figure(…, columns=2, width=7.6, height=7.4).

    Today's norms and gate are tinted. Of a token H queries, keys and values are made; today G keys and
    values. ↻ turns a query or a key by its place.
    """
    plain, now = axes
    _block(plain, "GPT-2, 2019", "LayerNorm", groups="H", new=INK)
    joint(plain, (0, PLACE), "+")
    letter(plain, (-0.8, PLACE), "learned\npositions", size=SMALL, ha="right")
    arrow(plain, (-0.75, PLACE), (-ROUND, PLACE))
    arrow(plain, (0, 0), (0, PLACE - ROUND))
    arrow(plain, (0, PLACE + ROUND), (0, NORM - LOW / 2))
    for x in (-SIDE, 0, SIDE):
        _up(plain, (x, ASK), (x, LOOK))
    box(plain, (0, BEND), "GELU", wide=WIDE, tall=LOW)
    box(plain, (0, INNER), "linear", wide=WIDE, tall=LOW)
    for low, high in ((AGAIN, INNER), (INNER, BEND), (BEND, OUT)):
        _up(plain, (0, low), (0, high))
    _block(now, "LLaMA, 2023, and most since", "RMS norm", groups="G", new=NEW)
    arrow(now, (0, 0), (0, NORM - LOW / 2))
    for x in (-SIDE, 0):
        _turned(now, x)
    letter(now, (-SIDE / 2, (ASK + LOOK) / 2), "rotary", size=SMALL)
    _up(now, (SIDE, ASK), (SIDE, LOOK))
    _gate(now)


def _block(ax: Axes, title: str, norm: str, *, groups: str, new: str) -> None:
    """What both have: what is asked, looked at, added and normalised."""
    letter(ax, (0, -0.2), "token vectors")
    letter(ax, (0, END + 0.55), title, weight="bold")
    for y in (NORM, AGAIN):
        box(ax, (0, y), norm, new, wide=WIDE, tall=LOW)
    parts = ("q", "H", QUERY), ("k", groups, KEY), ("v", groups, VALUE)
    for x, (name, count, colour) in zip((-SIDE, 0, SIDE), parts, strict=True):
        box(ax, (x, ASK), f"{count} × ${name}$", colour, wide=0.75, tall=LOW)
        arrow(ax, (x / 2, NORM + LOW / 2), (x, ASK - LOW / 2))
    box(ax, (0, LOOK), "masked attention", wide=WIDE, tall=LOW)
    box(ax, (0, OUT), "linear", wide=WIDE, tall=LOW)
    for before, start, add in ((LOOK, NORM - 0.37, ADD), (OUT, AGAIN - 0.37, SUM)):
        joint(ax, (0, add), "+")
        fork(ax, (0, start), HIDDEN)
        out = WIDE / 2 + 0.25
        arrow(ax, (0, start), (out, start), (out, add), (ROUND, add), colour=HIDDEN, width=2)
        arrow(ax, (0, before + LOW / 2), (0, add - ROUND))
    arrow(ax, (0, ADD + ROUND), (0, AGAIN - LOW / 2))
    arrow(ax, (0, SUM + ROUND), (0, END + 0.3))
    frame(ax, 0, (NORM - 0.5, SUM + 0.25), wide=WIDE + 0.8)
    sheet(ax, (-2.0, 1.8), (-0.4, END + 0.75))


def _up(ax: Axes, below: tuple[float, float], above: tuple[float, float]) -> None:
    """From one box's upper border to another's lower one."""
    arrow(ax, (below[0], below[1] + LOW / 2), (above[0], above[1] - LOW / 2))


def _turned(ax: Axes, x: float) -> None:
    middle = (ASK + LOOK) / 2
    joint(ax, (x, middle), "↻")
    arrow(ax, (x, ASK + LOW / 2), (x, middle - ROUND))
    arrow(ax, (x, middle + ROUND), (x, LOOK - LOW / 2))


def _gate(ax: Axes) -> None:
    """Two linear layers, one of which is a gate for the other."""
    apart = 0.7
    for x, name, colour in ((-apart, "linear, swish", NEW), (apart, "linear", INK)):
        box(ax, (x, INNER), "", colour, wide=1.3, tall=LOW)
        letter(ax, (x, INNER), name, size=SMALL)
        arrow(ax, (x / 2, AGAIN + LOW / 2), (x, INNER - LOW / 2))
        side = -ROUND if x < 0 else ROUND
        arrow(ax, (x, INNER + LOW / 2), (x, BEND), (side, BEND))
    joint(ax, (0, BEND), "×")
    arrow(ax, (0, BEND + ROUND), (0, OUT - LOW / 2))


# ---- keys and values that are shared ----


def grouped(axes: Sequence[Axes], *, heads: int = 6, groups: int = 2, head_width: int = 32) -> None:
    """Which query asks which key and value: figure(…, columns=3, width=7.6, height=3.2) for six heads.

    No two heads share, `groups` of them do, all do. Below stands what a cache keeps of each token in a layer.
    """
    check_sizes(heads=heads, groups=groups, head_width=head_width)
    if heads % groups:
        raise ValueError(f"{heads} heads do not make {groups} equal groups: choose a divisor of {heads}")
    ways = {"multi-head": heads, "grouped-query": groups, "multi-query": 1}
    for ax, (title, count) in zip(axes, ways.items(), strict=True):
        _asks(ax, heads, count)
        middle = (heads - 1) / 2
        numbers = 2 * count * head_width
        letter(ax, (middle, 4.35), title, weight="bold")
        letter(ax, (middle, -1.4), f"2 · {count} · {head_width} = {numbers:,}", size=SMALL)
        kept = "numbers kept a token" if title == "multi-head" else f"1/{heads // count} of that"
        letter(ax, (middle, -2.1), kept, size=SMALL)
        sheet(ax, (-0.8, heads - 0.2), (-2.5, 4.75))


def _asks(ax: Axes, heads: int, count: int) -> None:
    """Queries above, so many keys and values below, each amid those that ask it."""
    size, high = heads // count, 3.3
    for group in range(count):
        x = group * size + (size - 1) / 2
        wide = 0.8 if size == 1 else 1.3
        box(ax, (x, 0.45), "", KEY, wide=wide, tall=0.75)
        box(ax, (x, -0.4), "", VALUE, wide=wide, tall=0.75)
        for name, y in (("k", 0.45), ("v", -0.4)):
            letter(ax, (x, y), f"${name}_{{{group + 1}}}$", size=SMALL)
        for head in range(group * size, (group + 1) * size):
            box(ax, (head, high), "", QUERY, wide=0.8, tall=0.75)
            letter(ax, (head, high), f"$q_{{{head + 1}}}$", size=SMALL)
            arrow(ax, (head, high - 0.375), (x + 0.3 * (head - x) / size, 0.825))


# ---- experts ----

ROUTES = {"the": {1: 0.7, 4: 0.3}, "bank": {2: 0.6, 7: 0.4}, "closed": {4: 0.8, 5: 0.2}}


def experts(ax: Axes, routes: Mapping[str, Mapping[int, float]] = ROUTES, *, count: int = 8) -> None:
    """A router sends each token to a few of so many feed-forwards; 7.6 × 4.6 inches for three tokens.

    routes: of each token, the experts that it is sent to, from 1, and how much each one's answer weighs. An
    expert that is asked is tinted; the others rest.
    """
    check_sizes(count=count)
    if wrong := [n for parts in routes.values() for n in parts if n not in range(1, count + 1)]:
        raise ValueError(f"expert {wrong[0]} is not one of {count}: give 1 … {count}")
    if not routes or not all(routes.values()):
        raise ValueError("a token is sent nowhere: give each of one token or more an expert")
    asked = {n for parts in routes.values() for n in parts}
    width, route, think, add, said = 0.9 * (count - 1), 0.75, 2.15, 3.45, 3.95
    for n in range(1, count + 1):
        box(ax, (0.9 * (n - 1), think), f"$F_{{{n}}}$", HIDDEN if n in asked else INK, wide=0.7)
    box(ax, (width / 2, route), "router: a score for each expert, the best go on", wide=width + 0.7)
    for t, (word, parts) in enumerate(routes.items()):
        x, colour = width * (2 * t + 1) / (2 * len(routes)), PALETTE[t % len(PALETTE)]
        letter(ax, (x, 0), word, weight="bold")
        arrow(ax, (x, 0.17), (x, route - 0.23))
        joint(ax, (x, add), "+")
        for n in parts:
            expert = 0.9 * (n - 1)
            side = 1 if x > expert else -1  # arrows of two tokens at one expert stand beside each other
            door, end = expert + 0.12 * side, (x - 0.05 * side, add - ROUND)
            arrow(ax, (x, route + 0.23), (door, think - 0.23), colour=colour, width=1.6)
            arrow(ax, (door, think + 0.23), end, colour=colour, width=1.6)
        arrow(ax, (x, add + ROUND), (x, said - 0.12))
        sums = " + ".join(f"{weight:.1f} $F_{{{n}}}$" for n, weight in parts.items())
        letter(ax, (x, said + 0.05), sums, size=SMALL)
    sheet(ax, (-0.5, width + 0.5), (-0.25, said + 0.3))
