"""Drawings of BERT: what it reads, what becomes of the words it is asked for, and what it says.

Arrows go upwards, the way of a token through the layers; in the tree of choices they go to the right. What a
token knows has the hidden state's colour, what is asked the query's. What is drawn is `vec2gpt.bert`,
`vec2gpt.objectives` and `vec2gpt.sentence_pairs`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes

from vec2gpt.checks import check_shares
from vec2gpt.drawings.pen import SMALL, TALL, arrow, box, letter, line, sheet
from vec2gpt.plotting import COLOURS, INK, PALETTE

HIDDEN, ASKED = COLOURS["hidden"], COLOURS["query"]
FIRST, SECOND = PALETTE[:2]  # two sentences
PITCH, CELL = 1.0, 0.88  # from column to column, and a column's box
TOP = TALL / 2


def sum_of_embeddings(ax: Axes, first: Sequence[str], second: Sequence[str]) -> None:
    """Token, segment and position of each token add up; 7.6 × 4.2 inches for two and two words.

    E is the token's vector, wherever it stands, S that of its sentence, P that of its place. Their sum is
    normalised to x.
    """
    words, segments = _packed(first, second)
    step, out, shown = 1.05, 3.4, [(FIRST, SECOND)[segment] for segment in segments]
    for t, (word, segment, colour) in enumerate(zip(words, segments, shown, strict=True)):
        x = PITCH * t
        letter(ax, (x, -0.85), word)
        arrow(ax, (x, -0.65), (x, -TOP))
        rows = (f"$E_{{{words.index(word)}}}$", INK), (f"$S_{{{segment}}}$", colour), (f"$P_{{{t}}}$", INK)
        for n, (name, tint) in enumerate(rows):
            box(ax, (x, step * n), name, tint, wide=CELL)
        for n in (0.5, 1.5):
            letter(ax, (x, step * n), "+")
        box(ax, (x, out), f"$x_{{{t}}}$", HIDDEN, wide=CELL)
        arrow(ax, (x, 2 * step + TOP), (x, out - TOP))
    for n, name in enumerate(("token", "segment", "position")):
        letter(ax, (-0.65, step * n), name, ha="right")
    letter(ax, (-0.65, (2 * step + out) / 2), "norm", ha="right")
    letter(ax, (-0.65, out), "first block", ha="right")
    sheet(ax, (-2.0, PITCH * (len(words) - 1) + 0.5), (-1.1, out + 0.35))


def masking_tree(
    ax: Axes,
    words: Sequence[str],
    place: int,
    other: str,
    *,
    share: float = 0.15,
    keep: float = 0.1,
    swap: float = 0.1,
) -> None:
    """What becomes of 100 tokens, and of one word of a text among them; 7.6 × 3.6 inches for three words.

    place: which of the words is asked. other: the one that stands there where it is swapped. The shares are
    those of `objectives.masked`: of the asked `keep` stay, `swap` become any word, the others are hidden.
    """
    check_shares(share=share, keep=keep, swap=swap)
    if keep + swap > 1:
        raise ValueError(f"keep {keep} and swap {swap} are more than all: give shares of 1 together")
    if place not in range(len(words)):
        raise ValueError(f"place is {place}, but the words stand at 0 … {len(words) - 1}: give one of those")
    hide, (root, asked, leaf) = 1 - keep - swap, (0, 2.6, 6.2)
    leaves = (("[MASK]", hide, 2.1), (other, swap, 1.05), (words[place], keep, 0.0))
    box(ax, (root, 0.2), "100 tokens", wide=1.7)
    box(ax, (asked, 1.05), f"{100 * share:.3g} asked", ASKED, wide=1.5)
    _branch(ax, (root + 0.85, 0.2), (asked - 0.75, 1.05), share)
    for word, part, y in leaves:
        box(ax, (leaf, y), " ".join([*words[:place], word, *words[place + 1 :]]), ASKED, wide=2.6)
        _branch(ax, (asked + 0.75, 1.05), (leaf - 1.3, y), part)
        letter(ax, (leaf + 1.45, y), f"{100 * share * part:.3g}", ha="left")
    box(ax, (leaf, -1.05), " ".join(words), wide=2.6)
    _branch(ax, (root + 0.85, 0.2), (leaf - 1.3, -1.05), 1 - share)
    letter(ax, (leaf + 1.45, -1.05), f"{100 * (1 - share):.3g}", ha="left")
    letter(ax, (leaf, 2.75), "what the model reads")
    letter(ax, (leaf + 1.65, 2.75), "tokens", ha="left")
    sheet(ax, (-1.0, leaf + 2.6), (-1.45, 3.05))


def _branch(ax: Axes, start: tuple[float, float], end: tuple[float, float], share: float) -> None:
    """To the right, over a corner, with how many of all go there above its end."""
    corner = (start[0] + 0.45, start[1]), (start[0] + 0.45, end[1])
    arrow(ax, start, *corner, end)
    letter(ax, (end[0] - 0.55, end[1] + 0.2), f"{100 * share:.3g}%", size=SMALL)


def bert_stack(ax: Axes, first: Sequence[str], second: Sequence[str], *, word: str) -> None:
    """All tokens go through L blocks; 7.6 × 4.6 inches for two and two words.

    A gap, written [MASK], is filled with `word`; the first token says whether the sentences belong together.
    """
    words, segments = _packed(first, second)
    if "[MASK]" not in words:
        raise ValueError("no word is [MASK], so nothing is asked: hide at least one")
    last, stack, above, head, out = PITCH * (len(words) - 1), 1.45, 2.6, 3.7, 4.55
    box(ax, (last / 2, stack), "", wide=last + 1.1, tall=1.0)
    letter(ax, (last / 2, stack + 0.2), "$L$ blocks")
    letter(ax, (last / 2, stack - 0.2), "self-attention over all tokens, feed-forward", size=SMALL)
    for t, name in enumerate(words):
        x = PITCH * t
        letter(ax, (x, -0.6), name, **{"color": ASKED, "weight": "bold"} if name == "[MASK]" else {})
        box(ax, (x, 0.2), f"$x_{{{t}}}$", wide=CELL)
        box(ax, (x, above), f"$h_{{{t}}}$", HIDDEN, wide=CELL)
        arrow(ax, (x, -0.4), (x, 0.2 - TOP))
        arrow(ax, (x, 0.2 + TOP), (x, stack - 0.5))
        arrow(ax, (x, stack + 0.5), (x, above - TOP))
        if name == "[MASK]":
            _head(ax, x, (above, head, out), "gap", word, ASKED)
    _head(ax, 0, (above, head, out), "pair", "a pair?", INK)
    for segment, colour in enumerate((FIRST, SECOND)):
        at = [PITCH * t for t, its in enumerate(segments) if its == segment]
        line(ax, (at[0] - 0.4, -0.9), (at[-1] + 0.4, -0.9), colour=colour, width=2)
        letter(ax, (sum(at) / len(at), -1.15), f"sentence {'AB'[segment]}", size=SMALL)
    sheet(ax, (-0.8, last + 0.8), (-1.4, out + 0.25))


def _head(ax: Axes, x: float, heights: Sequence[float], name: str, said: str, colour: str) -> None:
    """From a token's vector to what is said of it."""
    above, head, out = heights
    box(ax, (x, head), "", colour, wide=PITCH - 0.05)
    letter(ax, (x, head), f"{name} head", size=SMALL)
    arrow(ax, (x, above + TOP), (x, head - TOP))
    arrow(ax, (x, head + TOP), (x, out - 0.2))
    letter(ax, (x, out), said, size=SMALL)


def _packed(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], list[int]]:
    """The words with their marks, and the sentence each belongs to."""
    if not first or not second:
        raise ValueError("a sentence has no words: give at least one of each")
    words = ["[CLS]", *first, "[SEP]", *second, "[SEP]"]
    return words, [0] * (len(first) + 2) + [1] * (len(second) + 1)
