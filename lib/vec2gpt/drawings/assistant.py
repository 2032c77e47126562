"""From a model that goes on to one that answers: what is counted, and who judges whom."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from vec2gpt.drawings.pen import INK, SMALL, TALL, arrow, box, letter, sheet
from vec2gpt.drawings.tuning import LEARNS
from vec2gpt.plotting import COLOURS, VERMILLION

QUERY = COLOURS["query"]
CELL = 0.42  # of a token

# ---- instruction tuning ----


def answer_only(ax: Axes, command: Sequence[str], answer: Sequence[str]) -> None:
    """A command and its answer, token by token; below, what is asked for, and where; 7.6 × 2.8 inches.

    The loss counts where the next token is of the answer. Elsewhere the target is −100.
    """
    if not command or not answer:
        raise ValueError("give at least one token of a command, and one of its answer")
    words = [*command, *answer]
    for x, word in enumerate(words):
        of_answer = x >= len(command)
        box(ax, (x, 1.5), word, QUERY if of_answer else INK, wide=0.94, tall=CELL)
        if x + 1 == len(words):
            break
        counts = x + 1 >= len(command)
        target = words[x + 1] if counts else "−100"
        arrow(ax, (x, 1.5 - CELL / 2), (x, 0.35 + CELL / 2), colour=VERMILLION if counts else INK)
        box(ax, (x, 0.35), target, VERMILLION if counts else INK, wide=0.94, tall=CELL)
    middle = (len(command) - 1) / 2
    letter(ax, (middle, 2.0), "the command: read", size=SMALL)
    letter(ax, (len(command) - 0.5 + len(answer) / 2, 2.0), "the answer: learned", size=SMALL)
    letter(ax, (middle - 0.5, -0.2), "targets that count in no loss", size=SMALL)
    sheet(ax, (-0.7, len(words) - 0.3), (-0.45, 2.3))


# ---- from preferences ----


def from_preferences(ax: Axes) -> None:
    """Choices make a reward, the reward makes a policy, and a leash holds it; 7.6 × 4.6 inches.

    What learns is tinted. Below, DPO: from the same choices to a policy, with no reward in between.
    """
    wide = 1.9
    box(ax, (0, 3), "base, $π_0$", wide=wide)
    box(ax, (3, 3), "two texts", wide=wide)
    box(ax, (6, 3), "a person\nchooses", QUERY, wide=wide, tall=1.4 * TALL)
    box(ax, (6, 1.5), "reward, $r$", LEARNS, wide=wide)
    box(ax, (3, 1.5), "reward − leash", VERMILLION, wide=wide)
    box(ax, (0, 1.5), "policy, $π$", LEARNS, wide=wide)
    half = wide / 2
    arrow(ax, (half, 3), (3 - half, 3), label="writes")
    arrow(ax, (3 + half, 3), (6 - half, 3))
    arrow(ax, (6, 3 - 0.7 * TALL), (6, 1.5 + TALL / 2), label="fitted")
    arrow(ax, (6 - half, 1.5), (3 + half, 1.5), label="judges")
    arrow(ax, (3 - half, 1.5 + 0.12), (half, 1.5 + 0.12), label="a step")
    arrow(ax, (half, 1.5 - 0.12), (3 - half, 1.5 - 0.12))
    arrow(ax, (0, 3 - TALL / 2), (0, 1.5 + TALL / 2), label="starts as")
    box(ax, (3, 0.2), "policy by DPO", LEARNS, wide=wide)
    arrow(ax, (6 + half, 3), (7.3, 3), (7.3, 0.2), (3 + half, 0.2), label="the same choices, at once")
    sheet(ax, (-1.2, 7.6), (-0.3, 3.6))
