"""vec2gpt.drawings.attention: who asks whom, and what comes back, read from where the arrows lead."""

from itertools import pairwise

import pytest
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from test_drawings import boxes, edges, labels

from vec2gpt import drawings
from vec2gpt.plotting import COLOURS

READ = [rf"$\bar h_{{{s}}}$" for s in (1, 2, 3)]
WRITTEN = [f"$h_{{{t}}}$" for t in (1, 2, 3)]
MEMORY = r"$\bar h_1\ \bar h_2\ \dots\ \bar h_S$"


def lookup(ax, weights=(0.4, 0.2, 0.4)):
    drawings.soft_lookup(ax, ["k1", "k2", "k3"], weights, ["v1", "v2", "v3"], query="q", answer="c")


SIZES = {
    "bottleneck_and_memory": (drawings.bottleneck_and_memory, (6.4, 3.4), 2),
    "soft_lookup": (lookup, (6.2, 2.6), 1),
    "two_decoders": (drawings.two_decoders, (7.2, 3.6), 2),
}


@pytest.fixture
def axes():
    return Figure().subplots(1, 2)


@pytest.fixture
def ax(axes):
    return axes[0]


def widths(ax):
    """The thickness of each arrow, by where it leads from and to."""
    thick = [t.arrowprops["linewidth"] for t in ax.texts if isinstance(t, Annotation) and t.arrowprops]
    return dict(zip(edges(ax), thick, strict=True))


@pytest.mark.parametrize("name", SIZES)
def test_letters_are_large_apart_and_on_the_paper(name):
    check_legible(*SIZES[name])


def test_one_vector_comes_from_the_last_state_and_a_look_back_from_all(axes):
    drawings.bottleneck_and_memory(axes)
    one, many = ([edge for edge in edges(ax) if edge not in across()] for ax in axes)
    assert one == [(READ[-1], "$c$"), ("$c$", WRITTEN[0])]
    asks, after = (WRITTEN[1], "$c_2$"), r"$\tilde h_{2}$"
    assert many == [*((state, "$c_2$") for state in READ), asks, ("$c_2$", after), (WRITTEN[1], after)]
    assert edges(axes[1], COLOURS["query"]) == [asks]
    looks = [widths(axes[1])[state, "$c_2$"] for state in READ]
    assert looks[1] > looks[2] > looks[0]


def across():
    return [pair for row in (READ, WRITTEN) for pair in pairwise(row)]


def test_a_look_up_asks_every_key_and_mixes_every_value(ax):
    lookup(ax)
    triples = [("k1", "v1"), ("k2", "v2"), ("k3", "v3")]
    asked = [("q", key) for key, _ in triples]
    mixed = [(value, "c") for _, value in triples]
    assert sorted(edges(ax)) == sorted([*asked, *triples, *mixed])
    assert labels(ax)["0.40"] == 2 and labels(ax)["0.20"] == 1
    for way in (triples, mixed):
        thick = [widths(ax)[edge] for edge in way]
        assert thick[0] == thick[2] > thick[1]
    borders = [box.get_edgecolor() for box in boxes(ax)]
    for name, count in {"query": 1, "key": 3, "value": 4}.items():
        assert sum(same_color(border, COLOURS[name]) for border in borders) == count


def test_weights_must_be_as_many_as_keys(ax):
    with pytest.raises(ValueError, match="3 keys, 2 weights and 3 values"):
        lookup(ax, weights=(0.5, 0.5))
    assert not ax.texts


def test_bahdanau_asks_with_the_state_before_and_luong_with_the_state_now(axes):
    drawings.two_decoders(axes)
    bahdanau, luong = axes
    asks = {"$h_{t-1}$": bahdanau, "$h_t$": luong}
    for state, ax in asks.items():
        assert edges(ax, COLOURS["query"]) == [(state, MEMORY)]
    joined = [[edge[1] for edge in edges(ax) if edge[0] == "$c_t$"] for ax in axes]
    assert sorted(joined[0]) == sorted([r"$\tilde h_t$", "$h_t$"])  # the step reads it, and the output
    assert joined[1] == [r"$\tilde h_t$"]  # the output alone
    common = {("$h_{t-1}$", "$h_t$"), (MEMORY, "$c_t$"), ("$h_t$", r"$\tilde h_t$"), (None, "$h_t$")}
    assert all(common < set(edges(ax)) for ax in axes)
