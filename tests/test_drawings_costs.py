"""vec2gpt.drawings.costs: who is worked on when, and what is kept, read from the filled cells."""

from functools import partial
from itertools import pairwise

import pytest
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from test_drawings import labels

from vec2gpt import drawings
from vec2gpt.plotting import COLOURS

WORDS = ["the", "man", "sees", "the", "car"]
SIZES = {
    "waiting": (partial(drawings.waiting, words=WORDS), (7.6, 2.6), 3),
    "tiles": (drawings.tiles, (6.4, 2.8), 2),
}


@pytest.fixture
def axes():
    return Figure().subplots(1, 3)


def filled(ax, concept):
    """(column, row) of every cell in a concept's colour, rows counted from the top."""
    return {
        (round(patch.get_x() + patch.get_width() / 2, 3), -round(patch.get_y() + patch.get_height() / 2, 3))
        for patch in ax.patches
        if isinstance(patch, Rectangle)
        and patch.get_facecolor()[3] > 0
        and same_color(patch.get_edgecolor(), COLOURS[concept])
    }


@pytest.mark.parametrize("name", SIZES)
def test_letters_are_large_apart_and_on_the_paper(name):
    check_legible(*SIZES[name])


def test_a_recurrent_network_reads_one_word_a_moment_each_after_the_one_before(axes):
    drawings.waiting(axes, WORDS)
    diagonal = [(t, t) for t in range(5)]
    assert filled(axes[0], "hidden") == set(diagonal)
    ends = [text.xy for text in axes[0].texts if isinstance(text, Annotation) and text.arrowprops]
    assert [(x, round(-y)) for x, y in ends] == [after for _, after in pairwise(diagonal)]


@pytest.mark.parametrize("count", [2, 5])
def test_a_block_reads_all_words_in_three_moments(axes, count):
    drawings.waiting(axes, WORDS[:count])
    assert filled(axes[1], "hidden") == {(moment, t) for moment in range(3) for t in range(count)}


def test_who_writes_works_on_one_word_a_moment_and_looks_at_those_before(axes):
    drawings.waiting(axes, WORDS)
    assert filled(axes[2], "hidden") == {(t, t) for t in range(5)}
    assert filled(axes[2], "key") == {(t, s) for t in range(5) for s in range(t)}
    assert labels(axes[2])["k, v"] == 10


def test_all_scores_are_kept_or_one_tile_and_two_numbers_a_row(axes):
    drawings.tiles(axes[:2], count=6, tile=3)
    stored, tiled = axes[:2]
    assert filled(stored, "query") == {(j, i) for i in range(6) for j in range(6)}
    assert filled(tiled, "query") == {(j, i) for i in range(3) for j in range(3, 6)}
    assert len(filled(tiled, "value")) == len(filled(tiled, "key")) == 6


@pytest.mark.parametrize("tile", [0, 4, 6])
def test_tiles_that_do_not_part_the_square_are_refused(axes, tile):
    with pytest.raises(ValueError, match=f"tiles of {tile} do not part 6 rows"):
        drawings.tiles(axes[:2], tile=tile)
    assert not axes[0].texts
