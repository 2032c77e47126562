import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from nbclient import NotebookClient

from vec2gpt import plotting, widgets
from vec2gpt.plotting import COLOURS, DIVERGING, INK, SEQUENTIAL, bars, curves, descent, figure, heatmap
from vec2gpt.training import History
from vec2gpt.widgets.live import SITE

TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.fixture
def shown(monkeypatch):
    """The pictures that were shown."""
    pictures = []
    monkeypatch.setattr(plotting, "display", pictures.append)
    return pictures


def words(svg):
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(TEXT)]


def luminance(colour):
    """WCAG 2's relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(a, b):
    light, dark = sorted([luminance(a), luminance(b)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_page_gets_a_figure_that_wears_its_colours_and_can_be_read_aloud(shown, monkeypatch):
    monkeypatch.setenv(SITE, "somewhere")
    with figure('"Mat" & sofa:\n   mat is <likely>.') as ax:
        bars(ax, ["mat", "sofa"], torch.tensor([2.0, 0.25]))
    data, _ = shown[0]._repr_mimebundle_()
    svg = ET.fromstring(data["text/html"])
    assert svg.get("role") == "img" and svg.get("aria-label") == '"Mat" & sofa: mat is <likely>.'
    assert {"mat", "sofa", "2.00", "0.25"} <= set(words(data["text/html"]))
    assert "currentColor" in data["text/html"] and INK not in data["text/html"]
    assert "<style" not in data["text/html"], "it would hold for the whole page"
    assert "image/png" not in data


def test_figures_on_one_page_share_no_id_and_keep_their_references(shown):
    for alt in ("one", "two"):
        with figure(alt, columns=2) as axes:
            for ax in axes:
                heatmap(ax, torch.eye(2), ["a", "b"], ["c", "d"])
    svgs = [picture.svg() for picture in shown]
    ids = [re.findall(r'\bid="([^"]+)"', svg) for svg in svgs]
    assert ids[0] and not set(ids[0]) & set(ids[1])
    for svg, own in zip(svgs, ids, strict=True):
        assert len(set(own)) == len(own)
        assert set(re.findall(r'(?:url\(|href=")#(\w+)', svg)) <= set(own)


def test_the_same_figure_gives_the_same_text(shown):
    for _ in range(2):
        with figure("The same.") as ax:
            bars(ax, ["a"], [1])
    assert shown[0].svg() == shown[1].svg()


@pytest.mark.slow
def test_a_notebook_gets_a_picture_and_keeps_the_words():
    source = "from vec2gpt.plotting import *\nwith figure('One bar.') as ax:\n    bars(ax, ['a'], [1])"
    cell = nbformat.v4.new_code_cell(source)
    NotebookClient(nbformat.v4.new_notebook(cells=[cell]), kernel_name="python3").execute()
    (output,) = cell.outputs
    assert set(output["data"]) == {"text/plain", "image/png"}
    assert output["data"]["text/plain"] == "Figure: One bar."
    assert output["metadata"]["image/png"]["alt"] == "One bar."


def test_the_style_ends_with_the_figure(shown):
    before = dict(matplotlib.rcParams)
    with figure("Nothing to see."):
        assert matplotlib.rcParams["text.color"] == INK
    assert dict(matplotlib.rcParams) == before


def test_a_figure_needs_words_and_an_unfinished_one_is_not_shown(shown):
    with pytest.raises(ValueError, match="what there is to see"), figure(" "):
        pass
    with pytest.raises(ZeroDivisionError), figure("Half of it."):
        1 / 0  # noqa: B018
    assert not shown


def test_heatmap_shows_every_number_readably(shown):
    matrix = torch.linspace(-1, 1, 35).reshape(5, 7)
    with figure("Numbers.") as ax:
        heatmap(ax, matrix, list("abcde"), list("ABCDEFG"), colours=DIVERGING, limits=(-1, 1), digits=3)
    cells = {text.get_position(): text for text in ax.texts}
    assert len(cells) == 35
    for (row, column), value in np.ndenumerate(matrix.numpy()):
        text = cells[(column, row)]
        assert float(text.get_text()) == pytest.approx(value, abs=5e-4)
        assert contrast(text.get_color(), DIVERGING((value + 1) / 2)) >= 4.5
    assert [label.get_text() for label in ax.get_yticklabels()] == list("abcde")
    assert [label.get_text() for label in ax.get_xticklabels()] == list("ABCDEFG")


def test_every_shade_can_carry_a_number():
    for colours in (SEQUENTIAL, DIVERGING):
        for value in np.linspace(0, 1, 101):
            assert contrast(plotting._readable_on(colours(value)), colours(value)) >= 4.5
    shades = [luminance(SEQUENTIAL(value)) for value in np.linspace(0, 1, 50)]
    assert shades == sorted(shades, reverse=True), "more is darker, in grey too"


def test_curves_are_running_means(shown):
    history = History([4.0, 2.0, 6.0, 1.0], [(2, 3.5), (4, 3.0)])
    with figure("The loss.") as ax:
        curves(ax, {"LSTM": history}, window=2)
    mean, dots = (np.array(line.get_xydata()).tolist() for line in ax.lines)
    assert mean == [[2, 3.0], [3, 4.0], [4, 3.5]]
    assert dots == [[2, 3.5], [4, 3.0]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["LSTM", "LSTM, held out"]


def test_descent_puts_the_steps_on_the_curve(shown):
    with figure("Downhill.") as ax:
        descent(ax, lambda w: (w - 1) ** 2, [-1.0, 0.0, 0.5])
    curve, path = (np.array(line.get_xydata()) for line in ax.lines)
    assert path.tolist() == [[-1, 4], [0, 1], [0.5, 0.25]]
    assert curve[0, 0] < -1 and curve[-1, 0] > 0.5
    assert np.allclose(curve[:, 1], (curve[:, 0] - 1) ** 2, atol=1e-5)
    assert [text.get_text() for text in ax.texts] == ["step 0", "step 2"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: bars(ax, ["a", "b"], [1]), "2 labels need as many values"),
        (lambda ax: heatmap(ax, torch.ones(2, 3), list("abc"), list("ab")), r"3 row and 2 column .*\(2, 3\)"),
        (lambda ax: heatmap(ax, torch.ones(3), list("abc"), list("a")), "such a matrix"),
        (lambda ax: curves(ax, {"GRU": History([1.0])}), "GRU has 1 steps, too few"),
    ],
)
def test_wrong_shapes(shown, draw, message):
    with pytest.raises(ValueError, match=message), figure("Wrong.") as ax:
        draw(ax)


def test_figures_and_widgets_share_their_colours():
    css = (Path(widgets.__file__).parent / "js" / "kit.css").read_text(encoding="utf-8")
    light = dict(reversed(re.findall(r"--(\w+): (#\w+);", css)))  # the first mention counts: the light theme
    shared = {name: colour.lower() for name, colour in COLOURS.items() if name in light}
    assert len(shared) >= 9
    assert shared == {name: light[name].lower() for name in shared}
    assert light["ink"] == INK
