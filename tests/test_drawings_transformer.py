"""vec2gpt.drawings.transformer: who sees whom, and what goes round what, read from where the arrows lead."""

from collections import Counter
from functools import partial
from itertools import pairwise, product

import pytest
import torch
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from test_drawings import boxes, edges, labels

from vec2gpt import drawings
from vec2gpt.attention import causal_mask, padding_mask
from vec2gpt.plotting import COLOURS

WORDS = ["the", "blue", "car", "stops"]
TOKENS = ["le", "chat", "<pad>"]


def masks(axes):
    padded = padding_mask(torch.tensor([5, 6, 0]), 0).expand(3, 3)
    for ax, (title, shape) in zip(axes, {"padding": padded, "causal": causal_mask(3)}.items(), strict=True):
        drawings.mask(ax, shape, TOKENS, TOKENS, title=title)


SIZES = {
    "step_by_step_and_at_once": (partial(drawings.step_by_step_and_at_once, words=WORDS), (7.2, 2.8), 2),
    "multi_head": (drawings.multi_head, (6.4, 4.2), 1),
    "mask": (masks, (4.8, 2.6), 2),
    "pre_and_post_norm": (drawings.pre_and_post_norm, (5.6, 3.2), 2),
    "full_transformer": (drawings.full_transformer, (7.4, 6.8), 1),
}


@pytest.fixture
def axes():
    return Figure().subplots(1, 2)


@pytest.fixture
def ax(axes):
    return axes[0]


@pytest.mark.parametrize("name", SIZES)
def test_letters_are_large_apart_and_on_the_paper(name):
    check_legible(*SIZES[name])


def test_a_state_waits_for_the_one_before_and_a_token_asks_all(axes):
    drawings.step_by_step_and_at_once(axes, WORDS)
    chain, web = ([edge for edge in edges(ax) if None not in edge] for ax in axes)
    assert chain == list(pairwise(f"$h_{{{t}}}$" for t in (1, 2, 3, 4)))
    old, new = ([f"${x}_{{{t}}}$" for t in (1, 2, 3, 4)] for x in ("x", r"\hat{x}"))
    assert Counter(web) == Counter(product(old, new))
    assert edges(axes[1], COLOURS["query"]) == [(x, new[-1]) for x in old]


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_each_head_projects_all_of_x_and_the_answers_are_joined(ax, heads):
    drawings.multi_head(ax, heads=heads)
    found = Counter(edges(ax))
    joined = "[" + "; ".join(f"$O_{{{h}}}$" for h in range(1, heads + 1)) + "]"
    for h in range(1, heads + 1):
        for name in "QKV":
            projected = f"${name}_{{{h}}}$"
            assert found[("$X$", projected)] == found[(projected, f"attention {h}")] == 1
        assert found[(f"attention {h}", joined)] == 1
    assert found[(joined, None)] == 1 and labels(ax)["$W_O$"] == 1
    assert found.total() == 7 * heads + 1


def test_no_heads_are_refused(ax):
    with pytest.raises(ValueError, match="heads is 0"):
        drawings.multi_head(ax, heads=0)
    assert not ax.texts


def test_a_cell_is_filled_where_one_may_look(axes):
    masks(axes)
    padding, causal = ([patch for patch in ax.patches if isinstance(patch, Rectangle)] for ax in axes)
    is_open = [[patch.get_facecolor()[3] > 0 for patch in cells] for cells in (padding, causal)]
    assert is_open == [[True, True, False] * 3, causal_mask(3).flatten().tolist()]
    assert [labels(ax)["×"] for ax in axes] == [3, 3]


def test_a_mask_needs_a_row_a_query_and_a_column_a_key(ax):
    with pytest.raises(ValueError, match="2 queries and 3 keys"):
        drawings.mask(ax, causal_mask(3), TOKENS[:2], TOKENS, title="causal")
    assert not ax.texts


def test_post_norm_normalises_the_sum_and_pre_norm_what_the_sublayer_gets(axes):
    drawings.pre_and_post_norm(axes)
    post, pre = ([edge for edge in edges(ax) if None not in edge] for ax in axes)
    assert post == [("sublayer", "+"), ("+", "norm")]
    assert pre == [("norm", "sublayer"), ("sublayer", "+")]
    for ax in axes:  # and round it goes what came in
        assert edges(ax, COLOURS["hidden"]) == [(None, "+")]


def test_the_transformer_is_two_towers_and_one_way_between_them(ax):
    drawings.full_transformer(ax)
    assert edges(ax, COLOURS["key"]) == [("add & norm", "cross-attention")]
    assert edges(ax, COLOURS["hidden"]) == [(None, "add & norm")] * 5
    written = labels(ax)
    assert [written[name] for name in ("self-attention", "masked self-attention", "cross-attention")] == [
        1
    ] * 3
    assert written["feed-forward"] == written["embedding"] == written["positions"] == 2
    borders = [box.get_edgecolor() for box in boxes(ax)]
    for name, count in {"encoder": 1, "decoder": 2}.items():
        assert sum(same_color(border, COLOURS[name]) for border in borders) == count
