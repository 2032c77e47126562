"""Shared by the tests of drawings: can one read what is written?"""

from itertools import combinations

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vec2gpt.plotting import STYLE


def check_legible(draw, size, columns=1):
    """What draw(axes) writes on a paper of `size` is of 9 points or more, apart, and on the paper."""
    with matplotlib.rc_context(STYLE):
        paper = Figure(figsize=size, layout="constrained")
        canvas = FigureCanvasAgg(paper)
        draw(paper.subplots(1, columns))
        canvas.draw()
    texts = [text for ax in paper.axes for text in ax.texts if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 9
    places = {text: text.get_window_extent(canvas.get_renderer()) for text in texts}
    assert not [text.get_text() for text, place in places.items() if not contains(paper.bbox, place)]
    pairs = combinations(texts, 2)
    assert not [(a.get_text(), b.get_text()) for a, b in pairs if places[a].overlaps(places[b])]


def contains(outer, inner):
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and inner.x1 <= outer.x1 and inner.y1 <= outer.y1
