"""Drawings of fine-tuning: what a task adds to BERT, which layers learn when, and a change of low rank.

What a task adds or trains has one colour, the paler the smaller its steps are; what was there before, or is
frozen, is an outline. Arrows go upwards, the way of a token through the layers. What is drawn is
`vec2gpt.classifiers`, `vec2gpt.thawing` and `vec2gpt.lora`.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from vec2gpt.checks import check_sizes
from vec2gpt.drawings.bert import FIRST, HIDDEN, SECOND
from vec2gpt.drawings.pen import SMALL, Point, arrow, box, letter, line, sheet
from vec2gpt.plotting import COLOURS, INK
from vec2gpt.thawing import Plan, combined

LEARNS = COLOURS["input"]

# ---- heads ----

PITCH, CELL, LOW = 0.52, 0.44, 0.4  # from token to token; a token's box and a layer's: how wide, how tall
POOLED = 1.65  # as wide is a layer of one vector
READS, STATES, POOL, LINEAR, SAID = 0.6, 1.75, 2.6, 3.5, 4.35  # heights, from BERT to what is said


def heads(ax: Axes) -> None:
    """One BERT and what three tasks put on it; 7.6 × 4.8 inches.

    At the arrows stand the shapes: of B texts of T tokens, D wide, each of C classes. A mark gets no tag.
    """
    tasks = {
        "a text": ["[CLS]", "fine", "film", "[SEP]"],
        "each token": ["[CLS]", "Ann", "sang", "[SEP]"],
        "a pair": ["[CLS]", "why", "[SEP]", "so", "[SEP]"],
    }
    places = _columns(*tasks.values())
    text, tokens, pair = places
    ends = text[0] - CELL / 2, pair[-1] + CELL / 2
    box(ax, (sum(ends) / 2, READS), "BERT: one for all tasks", wide=ends[1] - ends[0], tall=0.5)
    for (title, words), columns in zip(tasks.items(), places, strict=True):
        letter(ax, (_middle(columns), SAID + 0.45), title, weight="bold")
        _read(ax, words, columns)
    for shape, y in {"(B, T)": 0.0, "(B, T, D)": (READS + STATES) / 2}.items():
        letter(ax, (ends[0] - 0.08, y), shape, size=SMALL, ha="right")
    _pooled(ax, text, "for")
    _each(ax, tokens, {tokens[1]: "noun", tokens[2]: "verb"})
    _pooled(ax, pair, "an answer")
    for name, colour, columns in (("text A", FIRST, pair[:3]), ("text B", SECOND, pair[3:])):
        line(ax, (columns[0] - 0.2, -0.55), (columns[-1] + 0.2, -0.55), colour=colour, width=2)
        letter(ax, (_middle(columns), -0.75), name, size=SMALL)
    sheet(ax, (ends[0] - 0.85, ends[1] + 0.1), (-0.95, SAID + 0.65))


def _columns(*texts: Sequence[str]) -> list[list[float]]:
    """Where each text's tokens stand, with some room between two texts."""
    found, start = [], 0.0
    for words in texts:
        found.append([start + PITCH * t for t in range(len(words))])
        start = found[-1][-1] + 1.45 * PITCH
    return found


def _middle(columns: Sequence[float]) -> float:
    return (columns[0] + columns[-1]) / 2


def _read(ax: Axes, words: Sequence[str], columns: Sequence[float]) -> None:
    """From words through BERT to a vector each."""
    for x, word in zip(columns, words, strict=True):
        letter(ax, (x, -0.3), word, size=SMALL)
        arrow(ax, (x, -0.15), (x, READS - 0.25))
        arrow(ax, (x, READS + 0.25), (x, STATES - LOW / 2))
        box(ax, (x, STATES), "", HIDDEN, wide=CELL, tall=LOW)


def _pooled(ax: Axes, columns: Sequence[float], said: str) -> None:
    """All vectors become one, and that one says a class."""
    x = _middle(columns)
    box(ax, (x, POOL), "", wide=POOLED, tall=LOW)
    letter(ax, (x, POOL), "mean, or [CLS]", size=SMALL)
    for column in columns:
        arrow(ax, (column, STATES + LOW / 2), (x + 0.7 * (column - x), POOL - LOW / 2))
    arrow(ax, (x, POOL + LOW / 2), (x, LINEAR - LOW / 2), label="(B, D)")
    _linear(ax, x, POOLED)
    arrow(ax, (x, LINEAR + LOW / 2), (x, SAID - 0.17), label="(B, C)")
    letter(ax, (x, SAID), said, size=SMALL)


def _each(ax: Axes, columns: Sequence[float], said: Mapping[float, str]) -> None:
    """Every vector says a class, whatever the others say; those at marks are not asked."""
    _linear(ax, _middle(columns), columns[-1] - columns[0] + CELL)
    for x in columns:
        arrow(ax, (x, STATES + LOW / 2), (x, LINEAR - LOW / 2))
    for x, tag in said.items():
        arrow(ax, (x, LINEAR + LOW / 2), (x, SAID - 0.17))
        letter(ax, (x, SAID), tag, size=SMALL)
    letter(ax, (max(said) + 0.1, (LINEAR + SAID) / 2), "(B, T, C)", size=SMALL, ha="left")


def _linear(ax: Axes, x: float, wide: float) -> None:
    box(ax, (x, LINEAR), "", LEARNS, wide=wide, tall=LOW)
    letter(ax, (x, LINEAR), "linear, softmax", size=SMALL)


# ---- thawing ----

WIDE, TALL = 1.0, 0.8  # of a cell


def thawing(
    axes: Sequence[Axes], plans: Mapping[str, Plan | dict[str, float]], *, steps: Sequence[int]
) -> None:
    """What each group's rate is multiplied by, a column for each of these steps; the head is on top.

    figure(…, columns=2, width=7.6, height=3) for two plans of six groups at six steps. plans: by name, as
    `thawing` makes them. 0 is frozen: an empty cell.
    """
    if not len(steps):
        raise ValueError("steps are empty: give those to show, such as range(0, 60, 10)")
    told = {name: [combined(plan)(step) for step in steps] for name, plan in plans.items()}
    if plain := [name for name, columns in told.items() if not isinstance(columns[0], dict)]:
        raise ValueError(f"{plain[0]!r} is one factor for all groups: give a plan, which tells them apart")
    for ax, (name, columns) in zip(axes, told.items(), strict=True):
        _plan(ax, name, columns, steps)


def _plan(ax: Axes, title: str, columns: Sequence[dict[str, float]], steps: Sequence[int]) -> None:
    groups = list(columns[0])
    last, high = WIDE * (len(steps) - 1), TALL * (len(groups) - 1)
    for n, group in enumerate(groups):
        letter(ax, (-0.7 * WIDE, TALL * n), group, size=SMALL, ha="right")
        for t, factors in enumerate(columns):
            _factor(ax, (WIDE * t, TALL * n), factors[group])
    for t, step in enumerate(steps):
        letter(ax, (WIDE * t, -TALL), str(step), size=SMALL)
    letter(ax, (-0.7 * WIDE, -TALL), "step", size=SMALL, ha="right")
    letter(ax, (last / 2, high + TALL), title)
    sheet(ax, (-3.2, last + 0.6), (-1.5 * TALL, high + 1.5 * TALL))


def _factor(ax: Axes, at: Point, factor: float) -> None:
    corner = at[0] - 0.46 * WIDE, at[1] - 0.46 * TALL
    cell = Rectangle(corner, 0.92 * WIDE, 0.92 * TALL, edgecolor=INK, linewidth=0.6)
    cell.set_facecolor(to_rgba(LEARNS, 0.1 + 0.4 * min(factor, 1)) if factor else "none")
    ax.add_patch(cell)
    if factor:
        letter(ax, at, f"{factor:.2g}" if factor >= 0.1 else f"{factor:.1g}", size=9)


# ---- LoRA ----

LONG, THIN = 1.9, 0.22  # the longer side of W; what stands for a rank, which would be too thin to see
APART = 1.6  # from one matrix's middle to the next one's at least: the numbers below them need it


def low_rank(ax: Axes, *, inputs: int = 384, outputs: int = 384, rank: int = 4) -> None:
    """W (out, in), which stays, and beside it thin B and flat A, which learn; 6.4 × 3.4 inches.

    Under each stands how many numbers it has. W's sides are to scale, a small rank is drawn thicker.
    """
    check_sizes(inputs=inputs, outputs=outputs, rank=rank)
    if rank > (most := min(inputs, outputs)):
        raise ValueError(f"rank is {rank}, but no matrix here has more than {most}: give 1 … {most}")
    scale = LONG / max(inputs, outputs)
    wide, tall, thin = inputs * scale, outputs * scale, max(THIN, rank * scale)
    foot, step = -tall / 2 - 0.3, max(APART, wide / 2 + thin / 2 + 0.75)
    _matrix(ax, (0, 0), "$W$", (wide, tall), INK)
    _matrix(ax, (step, 0), "$B$", (thin, tall), LEARNS)
    _matrix(ax, (2 * step, 0), "$A$", (wide, thin), LEARNS)
    letter(ax, ((wide / 2 + step - thin / 2) / 2, 0), r"$+\;\frac{\alpha}{r}$", size=15)
    letter(ax, (-wide / 2 - 0.2, 0), f"{outputs} out", size=SMALL, rotation=90)
    letter(ax, (2 * step - wide / 2 - 0.08, 0), f"$r$ = {rank}", size=SMALL, ha="right")
    for n, (side, high) in enumerate(
        ((f"{inputs} in", tall), (f"$r$ = {rank}", tall), (f"{inputs} in", thin))
    ):
        letter(ax, (n * step, high / 2 + 0.15), side, size=SMALL)
    counts = outputs * inputs, outputs * rank, rank * inputs
    for n, (count, name) in enumerate(zip(counts, ("stays", "learns", "learns"), strict=True)):
        letter(ax, (n * step, foot), f"{count:,}", size=SMALL)
        letter(ax, (n * step, foot - 0.25), name, size=SMALL)
    trained = counts[1] + counts[2]
    told = f"{trained:,} numbers learn: {trained / counts[0]:.1%} of what $W$ has"
    letter(ax, (step, foot - 0.65), told)
    sheet(ax, (-max(wide / 2, 0.6) - 0.4, 2 * step + max(wide / 2, 0.6) + 0.1), (foot - 0.85, tall / 2 + 0.3))


def _matrix(ax: Axes, at: Point, name: str, size: tuple[float, float], colour: str) -> None:
    """A box of this width and height, and its name."""
    box(ax, at, "", colour, wide=size[0], tall=size[1])
    letter(ax, at, name)
