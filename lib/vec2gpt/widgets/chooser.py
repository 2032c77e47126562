"""Which should I use? The flow chart of `choosing`, answered by the reader (chapter 14).

There is no model. What the scoreboards have measured of an advice is read when the widget is made.
"""

import torch

from vec2gpt.choosing import ADVICE, QUESTIONS, START, measured
from vec2gpt.widgets.live import LiveModel


def chooser_widget() -> LiveModel:
    """A few questions on a task, down to a model, its chapter and the baseline that it must beat.

    >>> chooser_widget()
    LiveModel(chooser: answers → )
    """
    questions = {
        name: {"asks": one.asks, "why": one.why, "options": list(map(list, one.options.items()))}
        for name, one in QUESTIONS.items()
    }
    advice = {name: one._asdict() | {"measured": measured(one)} for name, one in ADVICE.items()}
    return LiveModel(
        "chooser",
        {},
        {"answers": torch.zeros(0, dtype=torch.int64)},
        [],
        settings={"start": START, "questions": questions, "advice": advice},
    )
