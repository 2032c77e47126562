"""vec2gpt.drawings.search: the tree that is drawn is the search that was made."""

import math

import matplotlib
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from vec2gpt.drawings import Branch, branches, search_tree
from vec2gpt.plotting import STYLE
from vec2gpt.search import beam_search

# after "start", and after every token; the last is the end
TABLE = torch.tensor(
    [
        [0.0, 0.5, 0.4, 0.1, 0.0],
        [0.0, 0.0, 0.4, 0.2, 0.4],
        [0.0, 0.8, 0.0, 0.1, 0.1],
        [0.0, 0.1, 0.1, 0.0, 0.8],
        [0.2, 0.2, 0.2, 0.2, 0.2],
    ]
)
EOS = 4
TREE = [Branch(-1, "a", 0.5), Branch(-1, "b", 0.4, best=True), Branch(1, "c", 0.8, best=True)]


def step(ids, state):
    return TABLE[ids].log(), state


@pytest.fixture
def ax():
    return Figure().subplots()


def search(width, *, least=0.0):
    found = beam_search(step, torch.tensor([0]), (), eos=EOS, width=width, limit=4, alpha=0.0)
    return found, branches(found.trace, str, least=least)


def text(tree, place):
    """The tokens up to a branch, and their probability."""
    tokens, p = [], 1.0
    while place >= 0:
        branch = tree[place]
        tokens, p, place = [branch.token, *tokens], p * branch.p, branch.before
    return tokens, p


def leaves(tree):
    return [place for place in range(len(tree)) if place not in {branch.before for branch in tree}]


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_texts_found_are_in_the_tree(width):
    found, tree = search(width)
    drawn = {tuple(tokens): p for tokens, p in (text(tree, place) for place in leaves(tree))}
    for ids, log_p in zip(found.ids[0].tolist(), found.log_p[0].tolist(), strict=True):
        said = ids[: ids.index(EOS) + 1] if EOS in ids else ids
        assert drawn[tuple(map(str, said))] == pytest.approx(math.exp(log_p))


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_best_branches_are_the_best_text(width):
    found, tree = search(width)
    best = [place for place, branch in enumerate(tree) if branch.best]
    tokens, p = text(tree, best[-1])
    assert len(tokens) == len(best) and all(tree[place].kept for place in best)
    assert list(map(int, tokens)) == found.ids[0, 0, : len(tokens)].tolist()
    assert p == pytest.approx(math.exp(found.log_p[0, 0]))


def test_no_more_is_kept_than_the_beam_is_wide():
    for width in (1, 2, 3):
        _, tree = search(width)
        columns = [len(text(tree, place)[0]) for place in range(len(tree)) if tree[place].kept]
        assert max(columns.count(column) for column in columns) == width


def test_what_is_improbable_is_left_out_but_what_was_found_stays():
    _, whole = search(2)
    _, tree = search(2, least=0.11)
    dropped = {tuple(text(whole, n)[0]) for n in range(len(whole))} - {
        tuple(text(tree, n)[0]) for n in range(len(tree))
    }
    assert dropped and all(
        text(whole, n)[1] < 0.11 for n in range(len(whole)) if tuple(text(whole, n)[0]) in dropped
    )
    _, bare = search(2, least=1.0)
    assert len(leaves(bare)) == 2 and all(branch.kept for branch in bare)


def test_the_drawing_says_every_probability_and_boxes_what_was_kept(ax):
    _, tree = search(2, least=0.02)
    search_tree(ax, tree)
    said = [label.get_text() for label in ax.texts]
    for branch in tree:
        assert branch.token in said and f"{branch.p:.2f}" in said
    for place in leaves(tree):
        assert f"= {text(tree, place)[1]:.2g}" in said
    boxed = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxed) == sum(branch.kept for branch in tree)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert len(dashed) == sum(not branch.kept for branch in tree)


def test_letters_are_apart_and_on_the_paper():
    _, tree = search(2, least=0.02)
    columns, rows = max(len(text(tree, place)[0]) for place in leaves(tree)), len(leaves(tree))
    with matplotlib.rc_context(STYLE):
        paper = Figure(figsize=(1.15 * columns + 1.2, 0.4 * rows + 0.3), layout="constrained")
        canvas = FigureCanvasAgg(paper)
        ax = paper.subplots()
        search_tree(ax, tree)
        canvas.draw()
    places = [label.get_window_extent(canvas.get_renderer()) for label in ax.texts]
    assert min(label.get_fontsize() for label in ax.texts) >= 9
    assert not [1 for n, one in enumerate(places) for other in places[:n] if one.overlaps(other)]
    assert all(paper.bbox.x0 <= at.x0 and at.x1 <= paper.bbox.x1 for at in places)


@pytest.mark.parametrize(("tree", "complaint"), [([], "no branch"), (TREE[2:], "stands before it")])
def test_what_cannot_be_drawn(ax, tree, complaint):
    with pytest.raises(ValueError, match=complaint):
        search_tree(ax, tree)
    assert not ax.texts
