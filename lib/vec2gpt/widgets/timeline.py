"""How the field came here: the events of `vec2gpt.timeline` on lanes, one a thread (chapter 14)."""

import torch

from vec2gpt.timeline import EVENTS, THREADS
from vec2gpt.widgets.live import LiveModel


def timeline_widget(start: str = "Transformer") -> LiveModel:
    """Events from n-grams to assistants, each with a sentence, its chapter and its paper.

    start: the name of the event that is told first. ValueError: there is no such event.

    >>> timeline_widget()
    LiveModel(timeline: event → )
    """
    names = [event.name for event in EVENTS]
    if start not in names:
        raise ValueError(f"start is {start!r}: choose one of {', '.join(names)}")
    at = names.index(start)
    return LiveModel(
        "timeline",
        {},
        {"event": torch.tensor([at])},
        [],
        settings={
            "events": [event._asdict() for event in EVENTS],
            "threads": list(map(list, THREADS.items())),
            "start": at,
        },
    )
