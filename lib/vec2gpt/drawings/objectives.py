"""Drawings of objectives: of the same text, who may look at whom, and what is asked where.

A row is a token that looks, a column one that is seen, as in `drawings.mask`; an arrow leads from a row to
what is asked there. What is drawn is `vec2gpt.objectives`.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from vec2gpt.drawings.pen import SMALL, arrow, letter, sheet
from vec2gpt.drawings.transformer import mask
from vec2gpt.language import IGNORED
from vec2gpt.objectives import Example
from vec2gpt.plotting import COLOURS, INK

ASKED = COLOURS["query"]
ROOM = 3.3  # for a word beside the cells, in cells


def objective(ax: Axes, example: Example, names: Sequence[str], *, title: str, row: int = 0) -> None:
    """What is read, seen and asked in one row of an example: 2.6 × 2.6 inches for five short words.

    names: of each id, such as a vocabulary's tokens. A dot: only the content stream of two may look there.
    """
    words = [names[token] for token in example.inputs[row].tolist()]
    mask(ax, example.may_look(row), words, words, title=title)
    _dots(ax, example, row)
    last = len(words) - 1
    for t, token in enumerate(example.targets[row].tolist()):
        if token != IGNORED:
            ax.add_patch(Rectangle((-0.5, -t - 0.5), last + 1, 1, fill=False, edgecolor=ASKED, linewidth=1.5))
            arrow(ax, (last + 0.55, -t), (last + 1.1, -t), colour=ASKED)
            letter(ax, (last + 1.25, -t), names[token], size=SMALL, ha="left", weight="bold")
    sheet(ax, (-ROOM, last + 1 + ROOM), (-len(words) - 0.8, ROOM))


def mask_shapes(axes: Sequence[Axes], examples: Mapping[str, Example], names: Sequence[str]) -> None:
    """Objectives side by side, by name: figure(…, columns=3, width=7.6, height=2.3) for three."""
    for ax, (name, example) in zip(axes, examples.items(), strict=True):
        objective(ax, example, names, title=name)


def _dots(ax: Axes, example: Example, row: int) -> None:
    """Where a token of the content stream may look and one of the query stream may not: no cross, a dot."""
    if example.content is None:
        return
    content = example.content if example.content.dim() == 2 else example.content[row, 0]
    only = {(s, -t) for t, s in (content & ~example.may_look(row)).nonzero().tolist()}
    for text in ax.texts:
        if text.get_text() == "×" and text.get_position() in only:
            text.set(text="•", color=INK)
