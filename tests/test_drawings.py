"""vec2gpt.drawings: what is drawn, read back from the axes."""

import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from vec2gpt.drawings import guesses, window
from vec2gpt.plotting import BLUE, VERMILLION

WORDS = ["two", "glasses", "of", "cold", "marrel"]


@pytest.fixture
def ax():
    return Figure().subplots()


def said(ax):
    """Word → what draws it; the arrows are annotations without a word."""
    return {text.get_text(): text for text in ax.texts if text.get_text()}


def arrows(ax):
    """(from, to), each a point."""
    return [(text.get_position(), text.xy) for text in ax.texts if isinstance(text, Annotation)]


@pytest.mark.parametrize(
    ("middle", "reach", "near", "bracket"),
    [
        (2, 1, {"glasses", "cold"}, (0.6, 3.4)),
        (2, 2, {"two", "glasses", "cold", "marrel"}, (-0.4, 4.4)),
        (0, 2, {"glasses", "of"}, (-0.4, 2.4)),  # no further than the sentence goes
        (4, 3, {"glasses", "of", "cold"}, (0.6, 4.4)),
        (2, 9, {"two", "glasses", "cold", "marrel"}, (-0.4, 4.4)),
    ],
)
def test_a_window_marks_its_word_and_spans_its_company(ax, middle, reach, near, bracket):
    window(ax, WORDS, middle=middle, reach=reach)
    texts = said(ax)
    assert list(texts) == [*WORDS, f"company, m = {reach}"]
    assert [texts[word].get_position() for word in WORDS] == [(place, 0) for place in range(5)]
    assert same_color(texts[WORDS[middle]].get_color(), VERMILLION)
    assert {word for word in WORDS if texts[word].get_weight() == "bold"} == {WORDS[middle]}
    assert {word for word in WORDS if same_color(texts[word].get_color(), BLUE)} == near
    [line] = ax.lines
    assert (min(line.get_xdata()), max(line.get_xdata())) == pytest.approx(bracket)
    left, right = ax.get_xlim()
    assert left <= min(line.get_xdata()) and max(line.get_xdata()) <= right


@pytest.mark.parametrize("outward", [True, False])
def test_arrows_go_from_what_is_given_to_what_is_guessed(ax, outward):
    guesses(ax, WORDS, outward=outward, title="a title")
    texts = said(ax)
    assert list(texts) == WORDS and ax.get_title() == "a title"
    assert [texts[word].get_position() for word in WORDS] == [(0, 1), (1, 1), (2, 0), (3, 1), (4, 1)]
    assert same_color(texts["of"].get_color(), VERMILLION)
    middle, others = [(2, 0.15)] * 4, [(place, 0.85) for place in (0, 1, 3, 4)]
    pairs = zip(middle, others, strict=True) if outward else zip(others, middle, strict=True)
    assert arrows(ax) == list(pairs)
    heads = [text.arrowprops["arrowstyle"] for text in ax.texts if isinstance(text, Annotation)]
    assert heads == ["->"] * 4  # the head is at the end
