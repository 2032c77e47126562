"""The pen of all drawings: boxes, joints, arrows and letters, in ink that suits a light page and a dark one.

The unit is an inch on paper of the size that a drawing's docstring names; on larger paper all but the letters
grows. Nothing is opaque: a box is a tint, so that the page shows through, with its letters in ink.
"""

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Circle, FancyBboxPatch

from vec2gpt.plotting import INK

Point = tuple[float, float]

WIDE, TALL = 0.52, 0.46  # a box, unless it says otherwise
ROUND = 0.13  # the radius of a joint
SIZE, SMALL = 12, 10.5  # letters, and labels of arrows, in points
HEAD = {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 0, "shrinkB": 0}  # ends where it says
ABOVE = {"xytext": (0, 3), "ha": "center", "va": "bottom"}
RIGHT = {"xytext": (4, 0), "ha": "left", "va": "center"}


def sheet(ax: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Show this part of the plane, to scale, without axes."""
    ax.set(xlim=x, ylim=y, aspect="equal")
    ax.set_axis_off()


def letter(ax: Axes, at: Point, text: str, *, size: float = SIZE, **style) -> None:
    """Text whose middle is at a point."""
    ax.text(*at, text, **{"ha": "center", "va": "center", "fontsize": size} | style)


def box(ax: Axes, at: Point, text: str, colour: str = INK, *, wide: float = WIDE, tall: float = TALL) -> None:
    """A thing that computes or remembers, tinted in its concept's colour; without one, an outline."""
    corner = at[0] - wide / 2, at[1] - tall / 2
    shape = FancyBboxPatch(corner, wide, tall, boxstyle="round,pad=0,rounding_size=0.08")
    shape.set(facecolor=tint(colour) if colour != INK else "none", edgecolor=colour, linewidth=1.5)
    ax.add_patch(shape)
    if text:
        letter(ax, at, text)


def tint(colour: str) -> tuple[float, ...]:
    """The colour, thin enough that ink is readable on it, on white and on black."""
    return to_rgba(colour, 0.25)


def joint(ax: Axes, at: Point, sign: str) -> None:
    """Where two arrows meet, number by number: × or +."""
    ax.add_patch(Circle(at, ROUND, facecolor="none", edgecolor=INK, linewidth=1.2))
    letter(ax, at, sign)


def fork(ax: Axes, at: Point, colour: str = INK) -> None:
    """Where lines meet. Those that cross without it do not touch."""
    ax.add_patch(Circle(at, 0.035, facecolor=colour, edgecolor="none", zorder=3))


def line(ax: Axes, *points: Point, colour: str = INK, width: float = 1.2) -> None:
    """Straight from each point to the next."""
    ax.plot(*zip(*points, strict=True), color=colour, linewidth=width, linestyle="-")


def arrow(ax: Axes, *points: Point, label: str = "", colour: str = INK, width: float = 1.2) -> None:
    """Straight from each point to the next, with the head at the last. The label stands at the last leg."""
    start, end = points[-2:]
    if len(points) > 2:
        line(ax, *points[:-1], colour=colour, width=width)
    ax.annotate("", end, start, arrowprops=HEAD | {"color": colour, "linewidth": width})
    if label:
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        place = ABOVE if start[1] == end[1] else RIGHT
        ax.annotate(label, middle, textcoords="offset points", fontsize=SMALL, **place)


def arc(ax: Axes, start: Point, end: Point, *, colour: str = INK, bend: float = 0.4) -> None:
    """A dashed arrow on a bow, which leaves the straight way free; below 0 it bends the other way."""
    way = {"connectionstyle": f"arc3,rad={bend}", "color": colour, "linewidth": 1.5}
    ax.annotate("", end, start, arrowprops=HEAD | way | {"linestyle": (0, (3, 2))})
