"""Drawings of GPT: what is left of the Transformer, what a prompt does, and what stands in a block today.

Arrows go upwards, the way of a token through the layers. A network that learns has one colour, and one whose
weights stay is an outline, as in `drawings.tuning`. What is drawn is `vec2gpt.gpt`, `vec2gpt.in_context`,
`vec2gpt.induction` and `vec2gpt.processes`; `drawings.blocks` has what came after GPT-2.
"""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from vec2gpt.checks import check_sizes
from vec2gpt.drawings.pen import SMALL, TALL, Point, arrow, box, letter, sheet
from vec2gpt.drawings.transformer import DECODER, KEY, LAYER, LOW, frame, height, tower
from vec2gpt.drawings.tuning import LEARNS
from vec2gpt.plotting import COLOURS, INK, VERMILLION

HIDDEN, QUERY = COLOURS["hidden"], COLOURS["query"]

# ---- what is left of the Transformer ----

APART = 3.6  # from the Transformer's decoder to GPT


def decoder_only(ax: Axes) -> None:
    """The Transformer's decoder, and GPT: the same without cross-attention; 7.4 × 7.2 inches.

    Shapes stand at GPT's arrows: of B texts of T tokens, D wide, of a vocabulary of V. Norms stand behind
    the sums, as the Transformer and the first GPT have them.
    """
    sublayers = ["masked self-attention", "cross-attention", "feed-forward"]
    _decoder(ax, 0, "the Transformer's decoder", sublayers, "target, as far as it is")
    _decoder(ax, APART, "GPT", [sublayers[0], "", sublayers[2]], "token ids, (B, T)")
    arrow(ax, (-1.95, height(1)), (-LAYER / 2, height(1)), colour=KEY, width=2)
    letter(ax, (-2.0, height(1)), "encoder's\nkeys and\nvalues", size=SMALL, ha="right")
    middle = APART, height(1) + LOW / 2
    gap = FancyBboxPatch((middle[0] - LAYER / 2, middle[1] - LOW), LAYER, 2 * LOW)
    gap.set(boxstyle="round,pad=0,rounding_size=0.1", facecolor="none", edgecolor=INK, alpha=0.6)
    gap.set_linestyle((0, (3, 3)))
    ax.add_patch(gap)
    letter(ax, (middle[0] + 0.08, middle[1]), "nothing to\nlook at", size=SMALL, ha="left")
    for shape, y in {"(B, T, D)": height(0) - 0.75, "(B, T, V)": height(2) + 1.77}.items():
        letter(ax, (APART + 0.1, y), shape, size=SMALL, ha="left")
    sheet(ax, (-2.95, APART + 1.65), (-0.75, height(2) + 2.8))


def _decoder(ax: Axes, x: float, title: str, sublayers: Sequence[str], below: str) -> None:
    """A tower, from what it reads to what it says."""
    top = tower(ax, x, DECODER, sublayers)
    letter(ax, (x, -0.56), below)
    arrow(ax, (x, top), (x, top + 0.45))
    box(ax, (x, top + 0.45 + LOW / 2), "linear, softmax", wide=LAYER, tall=LOW)
    arrow(ax, (x, top + 0.45 + LOW), (x, top + 1.4))
    letter(ax, (x, top + 1.55), "probabilities of the next token")
    letter(ax, (x, top + 1.98), title, weight="bold")


# ---- prompts ----

TASK, ASKED, ANSWER = "opposite:", ("big", "→"), "small"
PAIRS = ("hot", "→", "cold"), ("up", "→", "down"), ("wet", "→", "dry")
SHOTS = {"zero-shot": 0, "one-shot": 1, "few-shot": len(PAIRS)}  # so many examples stand in the prompt
CELL = 0.36  # how tall a token's box is
MODEL, LOWER = 6.55, -1.4  # where the model stands, from the left; where fine-tuning does, below the prompts


def shots(ax: Axes) -> None:
    """Examples in the prompt, whose weights stay, and examples that move the weights; 7.6 × 4.6 inches.

    θ are the weights. Above, each strip is one prompt, read at once; below, each is a step of training.
    """
    box(ax, (MODEL, 1), "", wide=1.0, tall=2.6)
    letter(ax, (MODEL, 1), "GPT, $θ_0$\n\nweights\nfrozen", size=SMALL)
    for (name, count), y in zip(SHOTS.items(), (2, 1, 0), strict=True):
        letter(ax, (0, y + 0.38), name, ha="left", weight="bold")
        end = _strip(ax, (0, y), [TASK])
        for words in [*PAIRS[:count], ASKED]:
            end = _strip(ax, (end + 0.07, y), words)
        arrow(ax, (end, y), (MODEL - 0.5, y))
        _answers(ax, MODEL + 0.5, y)
    title = "fine-tuning: a step for each example, and the weights move"
    letter(ax, (0, LOWER + 0.55), title, ha="left", weight="bold")
    places = [0.65 + 1.85 * n for n in range(len(PAIRS) + 1)]
    for n, (x, words) in enumerate(zip(places, [*PAIRS, ASKED], strict=True)):
        box(ax, (x, LOWER), f"$θ_{n}$", LEARNS if n else INK, wide=0.9)
        _strip(ax, (x - sum(map(_wide, words)) / 2, LOWER - 0.85), words)
        arrow(ax, (x, LOWER - 0.85 + CELL / 2), (x, LOWER - TALL / 2))
    for before, after in pairwise(places):
        arrow(ax, (before + 0.45, LOWER), (after - 0.45, LOWER), label="step", colour=LEARNS, width=2)
    _answers(ax, places[-1] + 0.45, LOWER)
    sheet(ax, (-0.1, MODEL + 1.5), (LOWER - 1.1, 2.6))


def _answers(ax: Axes, x: float, y: float) -> None:
    """From a border at x to the answer."""
    arrow(ax, (x, y), (MODEL + 0.8, y))
    letter(ax, (MODEL + 1.1, y), ANSWER)


def _wide(word: str) -> float:
    """Of a token's box, by its letters."""
    return 0.2 + 0.09 * len(word)


def _strip(ax: Axes, start: Point, words: Sequence[str]) -> float:
    """Tokens beside each other, from the left; where they end. What is asked is tinted."""
    x, y = start
    for word in words:
        middle = x + _wide(word) / 2, y
        colour = QUERY if word == ASKED[0] else INK
        box(ax, middle, "", colour, wide=_wide(word) - 0.03, tall=CELL)
        letter(ax, middle, word, size=SMALL)
        x += _wide(word)
    return x - 0.015


# ---- induction ----


def induction(ax: Axes, *, first: str = "A", second: str = "B") -> None:
    """Two heads, one above the other, that write B after A because it was so before; 7.4 × 4.4 inches.

    The boxes are what a token knows. The first head tells each token what stood before it; the second looks
    for the one that has this token before it, and copies that one. Thin arrows: what goes round the heads.
    """
    low, high, said = 1.2, 2.6, 3.6
    before, there, here = 1.5, 3.0, 6.0
    for x, word in ((0, "…"), (before, first), (there, second), (4.5, "…"), (here, first)):
        if word == "…":
            letter(ax, (x, 0), word)
        else:
            box(ax, (x, 0), word, HIDDEN, wide=0.8)
    box(ax, (there, low), f"{second}, after {first}", HIDDEN, wide=1.4)
    box(ax, (here, high), f"next: {second}", HIDDEN, wide=1.4)
    for x, y in ((there, low), (here, high)):
        arrow(ax, (x, TALL / 2), (x, y - TALL / 2))
    arrow(ax, (before, TALL / 2), (there - 0.5, low - TALL / 2), colour=KEY, width=2.2)
    arrow(ax, (there + 0.5, low + TALL / 2), (here - 0.5, high - TALL / 2), colour=QUERY, width=2.2)
    arrow(ax, (here, high + TALL / 2), (here, said - 0.2))
    letter(ax, (here, said), second, weight="bold")
    letter(ax, (before - 0.1, 0.75), "previous-token\nhead", size=SMALL, ha="right")
    letter(ax, (there + 0.75, 2.2), f"induction head:\nwhat came after {first}?", size=SMALL, ha="right")
    for name, y in {"tokens": 0, "layer 1": low, "layer 2": high, "next token": said}.items():
        letter(ax, (-1.4, y), name, ha="left")
    sheet(ax, (-1.5, here + 0.9), (-0.4, said + 0.3))


# ---- past one machine ----


def data_parallel(ax: Axes, *, processes: int = 2, texts: int = 4) -> None:
    """One batch, cut; a gradient each, averaged; one step; 6 × 5 inches for two processes.

    texts: so many of the batch each process has. θ are the weights, the same in all before and after.
    """
    check_sizes(2, processes=processes)
    check_sizes(texts=texts)
    pitch, each = 2.9, 2.0
    places = [pitch * n for n in range(processes)]
    middle = (places[0] + places[-1]) / 2
    letter(ax, (middle, -0.95), f"one batch of {processes * texts} texts, cut")
    frame(ax, middle, (-0.7, 0.35), wide=places[-1] + each + 0.4)
    for n, x in enumerate(places):
        for text in range(texts):
            at = x + each / texts * (text - (texts - 1) / 2), 0.05
            box(ax, at, "", wide=0.8 * each / texts, tall=0.36)
        letter(ax, (x, -0.4), f"{texts} for process {n}", size=SMALL)
        box(ax, (x, 1.1), r"model, $\theta$", wide=each)
        box(ax, (x, 2.05), f"gradient $g_{n}$", VERMILLION, wide=each)
        box(ax, (x, 4.0), r"$\theta - \eta\,\bar g$", LEARNS, wide=each)
        arrow(ax, (x, 0.35), (x, 1.1 - TALL / 2))
        arrow(ax, (x, 1.1 + TALL / 2), (x, 2.05 - TALL / 2))
        lean = middle + (x - middle) * 0.9 / (places[-1] - middle)
        arrow(ax, (x, 2.05 + TALL / 2), (lean, 3.05 - TALL / 2))
        arrow(ax, (lean, 3.05 + TALL / 2), (x, 4.0 - TALL / 2))
    box(ax, (middle, 3.05), r"their mean, $\bar g$", VERMILLION, wide=2.6)
    letter(ax, (middle, 4.5), "the same step in each")
    sheet(ax, (-1.3, places[-1] + 1.3), (-1.2, 4.7))
