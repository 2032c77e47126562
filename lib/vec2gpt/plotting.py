"""The figures of the book: one style, one colour a concept, readable in light and in dark.

    with figure("Two bars: the second is twice as high.") as ax:
        bars(ax, ["one", "two"], [1, 2])

`figure` sets the style, and shows what was drawn when the block ends. Its first argument says in words what
there is to see, for readers who cannot see it. On the book's pages a figure is part of the page (inline SVG):
its ink is the page's own text colour, whichever theme is on, and its words are text. In Jupyter and Colab it
is a picture on white. A notebook without its pictures keeps the words.
"""

import base64
import html
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import matplotlib
import numpy as np
import torch
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from vec2gpt.training import History
from vec2gpt.widgets.live import SITE

# Okabe and Ito's palette, seen apart by colour-blind readers; the widgets' kit.css holds the same.
BLUE, VERMILLION, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
OCHRE = "#B8860B"  # the palette's orange, darkened until a line of it stands out on white
PALETTE = [BLUE, VERMILLION, GREEN, PURPLE, OCHRE, SKY]  # for what has no colour of its own, in this order

COLOURS = {
    "hidden": SKY,
    "cell": OCHRE,
    "forget": VERMILLION,
    "input": GREEN,
    "output": BLUE,
    "candidate": PURPLE,
    "query": VERMILLION,
    "key": BLUE,
    "value": GREEN,
    "encoder": BLUE,  # where the keys come from
    "decoder": VERMILLION,  # where the queries come from
}
SEQUENTIAL = LinearSegmentedColormap.from_list("weight", ["#FFFFFF", "#0B5CAD"])  # 0 to 1: attention
DIVERGING = LinearSegmentedColormap.from_list("signed", [VERMILLION, "#FFFFFF", BLUE])  # minus, 0, plus

LINES = "stroke-linejoin:round;stroke-linecap:butt;"  # how matplotlib means its lines
INK = "#1f2328"  # text and axes; stands for the page's own text colour there
STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=PALETTE)
    + cycler(linestyle=["-", "--", "-.", ":", "-", "--"]),  # never by colour alone
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib; a page falls back on the browser's own
    "legend.frameon": False,
    "lines.linewidth": 2,
    "svg.fonttype": "none",  # words stay words: they can be read aloud, found and copied
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def figure(alt: str, *, columns: int = 1, width: float = 6.4, height: float = 3.2) -> Iterator[Axes]:
    """Draw a figure and show it at the end: gives its axes, or an array of them for several columns.

    alt: what there is to see, in a sentence or two. width, height: in inches.
    """
    if not alt.strip():
        raise ValueError("a figure needs a text that says what there is to see: figure('The loss falls …')")
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(width, height), layout="constrained")
        yield drawn.subplots(1, columns)
        display(Picture(drawn, " ".join(alt.split())))


class Picture:
    """A finished figure and its words, in the form that the place where it is shown can use."""

    def __init__(self, drawn: Figure, alt: str):
        self.drawn, self.alt = drawn, alt

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        """IPython asks for this: one answer while the book is built, another for the notebook."""
        if os.environ.get(SITE):
            return {"text/plain": repr(self), "text/html": self.svg()}, {}
        png = base64.b64encode(self.png()).decode()
        return {"text/plain": repr(self), "image/png": png}, {"image/png": {"alt": self.alt}}

    def png(self) -> bytes:
        """The picture on white, for a screen of high resolution."""
        file = io.BytesIO()
        self.drawn.savefig(file, format="png", dpi=150)
        return file.getvalue()

    def svg(self) -> str:
        """An <svg> element to stand in a page; the same figure gives the same text."""
        file = io.StringIO()
        nothing = dict.fromkeys(["Creator", "Date", "Format", "Type"])
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": self.alt}):  # ids that no other figure has
            self.drawn.savefig(file, format="svg", transparent=True, metadata=nothing)
        svg = file.getvalue()
        svg = svg[svg.index("<svg ") :]  # without what only a file of its own needs
        svg = re.sub(r"<style.*?</style>", "", svg)  # would hold for the whole page; see LINES
        svg = re.sub(r' id="([\w.]+_\d+|image\w+)"', "", svg)  # names that nothing refers to
        head = (
            f'<svg role="img" aria-label="{html.escape(self.alt)}" style="{LINES}max-width:100%;height:auto" '
        )
        return svg.replace("<svg ", head, 1).replace(INK, "currentColor")


def bars(ax: Axes, labels: Sequence[str], values: Sequence[float] | Tensor, *, colour: str = BLUE) -> None:
    """A bar for each label, its value above it."""
    values = _numbers(values)
    if values.shape != (len(labels),):
        raise ValueError(f"{len(labels)} labels need as many values, got shape {values.shape}")
    drawn = ax.bar(labels, values, color=colour)
    ax.bar_label(drawn, labels=[f"{value:.2f}" for value in values])
    ax.margins(y=0.15)


def heatmap(
    ax: Axes,
    matrix: Tensor,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    colours: LinearSegmentedColormap = SEQUENTIAL,
    limits: tuple[float, float] = (0.0, 1.0),
    digits: int = 2,
) -> None:
    """A matrix as coloured cells with their numbers: probabilities, attention weights.

    matrix: (rows, columns). For signed values take `colours=DIVERGING, limits=(-1, 1)`.
    digits: after the decimal point.
    """
    matrix = _numbers(matrix)
    if matrix.shape != (len(rows), len(columns)):
        raise ValueError(
            f"{len(rows)} row and {len(columns)} column labels need such a matrix, got shape {matrix.shape}"
        )
    image = ax.imshow(
        matrix, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="none"
    )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    for (row, column), value in np.ndenumerate(matrix):
        ink = _readable_on(image.cmap(image.norm(value)))
        ax.text(column, row, f"{value:.{digits}f}", ha="center", va="center", color=ink)


def curves(ax: Axes, histories: dict[str, History], *, window: int = 20) -> None:
    """Training curves by name: the mean loss of the last `window` steps; validations as dots."""
    for name, history in histories.items():
        if history.steps < window:
            raise ValueError(f"{name} has {history.steps} steps, too few for a mean over window={window}")
        mean = np.convolve(history.losses, np.full(window, 1 / window), mode="valid")
        (line,) = ax.plot(range(window, history.steps + 1), mean, label=name)
        if history.validations:
            ax.plot(
                *zip(*history.validations, strict=True),
                "o",
                color=line.get_color(),
                label=f"{name}, held out",
            )
    ax.set(xlabel="step", ylabel="loss (nats)")
    ax.legend()


def descent(ax: Axes, loss: Callable[[Tensor], Tensor], path: Sequence[float] | Tensor) -> None:
    """A walk downhill: the curve of a loss of one number, and the points of `path` on it."""
    path = torch.as_tensor(path, dtype=torch.float32)
    margin = 0.1 * (path.max() - path.min()) + 0.1
    line = torch.linspace(path.min() - margin, path.max() + margin, 200)
    ax.plot(line, _numbers(loss(line)))
    ax.plot(path, _numbers(loss(path)), "o--", linewidth=1)
    for step in (0, len(path) - 1):
        ax.annotate(f"step {step}", (path[step], loss(path[step])), xytext=(6, 6), textcoords="offset points")
    ax.set(xlabel="weight", ylabel="loss")


def places(
    ax: Axes, points: Tensor, words: Sequence[str], *, label: str = "", colour: str = BLUE, marker: str = "o"
) -> None:
    """Words at their places in the plane: points (N, 2). A group has a colour and a marker of its own."""
    points = _numbers(points)
    if points.shape != (len(words), 2):
        raise ValueError(f"{len(words)} words need as many places (x, y), got shape {points.shape}")
    ax.scatter(*points.T, color=colour, marker=marker, s=18, label=label)
    for word, point in zip(words, points, strict=True):
        ax.annotate(word, point, xytext=(4, 3), textcoords="offset points", fontsize=8)
    ax.margins(0.12)


def _numbers(values: Sequence[float] | Tensor) -> np.ndarray:
    return torch.as_tensor(values).detach().cpu().float().numpy()


def _readable_on(colour: tuple[float, ...]) -> str:
    """Black or white, whichever has the higher contrast: black from a luminance of 0.18 (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return "black" if np.dot(linear, [0.2126, 0.7152, 0.0722]) > 0.179 else "white"
