"""Drawings of texts: a word and its company, and what is guessed from what."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from vec2gpt.plotting import BLUE, VERMILLION


def window(ax: Axes, words: Sequence[str], *, middle: int, reach: int) -> None:
    """A sentence, one word of it marked, and a bracket over the words at most `reach` places away.

    At the ends of the sentence the bracket is as short as what is there.
    """
    for place, word in enumerate(words):
        near = 0 < abs(place - middle) <= reach
        colour = VERMILLION if place == middle else BLUE if near else None
        weight = "bold" if place == middle else "normal"
        ax.text(place, 0, word, ha="center", va="center", color=colour, weight=weight)
    left, right = max(middle - reach, 0) - 0.4, min(middle + reach, len(words) - 1) + 0.4
    ax.plot([left, left, right, right], [0.35, 0.6, 0.6, 0.35], color=BLUE, linewidth=1, linestyle="-")
    ax.text(middle, 0.7, f"company, m = {reach}", ha="center", va="bottom", color=BLUE)
    ax.set(xlim=(-0.6, len(words) - 0.4), ylim=(-0.5, 1.3))
    ax.set_axis_off()


def guesses(ax: Axes, words: Sequence[str], *, outward: bool, title: str) -> None:
    """The word in the middle below, its neighbours above; arrows from what is given to what is guessed."""
    middle = len(words) // 2
    for place, word in enumerate(words):
        if place == middle:
            ax.text(place, 0, word, ha="center", va="center", color=VERMILLION, weight="bold")
            continue
        ax.text(place, 1, word, ha="center", va="center", color=BLUE)
        ends = [(middle, 0.15), (place, 0.85)]
        start, end = ends if outward else ends[::-1]
        ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.5"})
    ax.set(title=title, xlim=(-0.6, len(words) - 0.4), ylim=(-0.3, 1.3))
    ax.set_axis_off()
