"""Drawings of ideas, where `plotting` draws data: the pictures with which the field teaches itself.

Each takes the axes of a `plotting.figure`, and the words or numbers to draw. `words` has those of texts,
`networks` those of recurrent networks in time, `cells` the insides of gated cells; `pen` is what they share.
"""

from vec2gpt.drawings.cells import gru_cell, lstm_cell, valve
from vec2gpt.drawings.networks import adding, backward, bidirectional, stacked, unrolled
from vec2gpt.drawings.words import guesses, window

__all__ = [
    "adding",
    "backward",
    "bidirectional",
    "gru_cell",
    "guesses",
    "lstm_cell",
    "stacked",
    "unrolled",
    "valve",
    "window",
]
