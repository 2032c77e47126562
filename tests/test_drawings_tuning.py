"""vec2gpt.drawings.tuning: what a head reads, the plans' own factors, and the numbers that LoRA counts."""

from collections import Counter
from functools import partial
from itertools import product

import pytest
import torch
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from test_drawings import boxes, edges, labels
from torch import nn

from vec2gpt import drawings
from vec2gpt.bert import Bert, BertConfig
from vec2gpt.classifiers import Classifier, Tagger
from vec2gpt.drawings.tuning import LEARNS
from vec2gpt.lora import adapt, count
from vec2gpt.schedules import constant
from vec2gpt.thawing import combined, discriminative, gradual

SMALL = BertConfig(9, width=8, heads=2, inner=8, layers=2, context=8)
GROUPS = ["embedding", *(f"block {n}" for n in range(1, 5)), "head"]
PLANS = {"gradual": gradual(GROUPS, every=10), "discriminative": discriminative(GROUPS)}
MANY = [*GROUPS[:-1], "block 5", "block 6", "head"]
WAYS = {"gradual": gradual(MANY, every=6), "discriminative": discriminative(MANY, decay=0.8)}
SIZES = {
    "heads": (drawings.heads, (7.6, 4.8), 1),
    "thawing": (partial(drawings.thawing, plans=PLANS, steps=range(0, 60, 10)), (7.6, 3.0), 2),
    "eight groups": (partial(drawings.thawing, plans=WAYS, steps=range(0, 48, 6)), (7.6, 3.4), 2),
    "low_rank": (drawings.low_rank, (6.4, 3.4), 1),
    "a wide matrix": (partial(drawings.low_rank, inputs=1536, rank=8), (6.4, 3.4), 1),
    "a tall matrix": (partial(drawings.low_rank, inputs=128, outputs=512, rank=128), (6.4, 3.4), 1),
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


# ---- heads ----


def test_a_text_and_a_pair_become_one_vector_and_tokens_stay_many(ax):
    drawings.heads(ax)
    bert, pool, head = "BERT: one for all tasks", "mean, or [CLS]", "linear, softmax"
    assert Counter(edges(ax)) == {
        (None, bert): 4 + 4 + 5,  # one BERT reads all three
        (bert, ""): 4 + 4 + 5,
        ("", pool): 4 + 5,
        ("", head): 4,
        (pool, head): 2,
        (head, None): 1 + 2 + 1,  # a class, a tag for each word, a class
    }
    written = labels(ax)
    assert [written[tag] for tag in ("for", "noun", "verb", "an answer")] == [1] * 4
    assert written["[CLS]"] == 3 and written["[SEP]"] == 4


def test_the_shapes_are_those_of_the_library(ax):
    drawings.heads(ax)
    sizes = {"B": 2, "T": 5, "D": SMALL.width, "C": 3}
    bert, ids = Bert(SMALL), torch.randint(1, 9, (2, 5))
    classes = Classifier(bert, 3)
    made = [ids, bert(ids), classes.pool(bert(ids), ids > 0), classes(ids)[0], Tagger(bert, 3)(ids)[0]]
    found = [
        tuple(sizes[axis] for axis in shape[1:-1].split(", ")) for shape in labels(ax) if shape[0] == "("
    ]
    assert sorted(found) == sorted(tuple(some.shape) for some in made)


def test_only_the_heads_are_new(ax):
    drawings.heads(ax)
    new = [patch for patch in boxes(ax) if same_color(patch.get_edgecolor(), LEARNS)]
    assert len(new) == 3 == labels(ax)["linear, softmax"]


# ---- thawing ----


def cells(ax):
    """(step's column, group's row) -> its cell and what is written in it."""
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    middles = [(cell.get_x() + cell.get_width() / 2, cell.get_y() + cell.get_height() / 2) for cell in found]
    rows, columns = (sorted({round(place[n], 6) for place in middles}) for n in (1, 0))
    near = {
        place: next((t for at, t in texts.items() if at == pytest.approx(place)), "") for place in middles
    }
    return {
        (columns.index(round(x, 6)), rows.index(round(y, 6))): (cell, near[x, y])
        for cell, (x, y) in zip(found, middles, strict=True)
    }


@pytest.mark.parametrize("every", [10, 25])
def test_each_cell_is_the_plan_s_own_factor(axes, every):
    plans = {"a": gradual(GROUPS, every=every), "b": combined(discriminative(GROUPS, decay=0.8))}
    steps = [0, 9, 10, 49, 50]
    drawings.thawing(axes, plans, steps=steps)
    for ax, plan in zip(axes, plans.values(), strict=True):
        drawn = cells(ax)
        assert set(drawn) == set(product(range(5), range(6)))
        for (column, row), (cell, text) in drawn.items():
            factor = plan(steps[column])[GROUPS[row]]  # the embedding stands lowest
            assert float(text or 0) == pytest.approx(factor, rel=0.06)
            assert (cell.get_facecolor()[3] > 0) == (factor > 0)


def test_a_smaller_factor_is_paler(axes):
    drawings.thawing(axes, PLANS, steps=[0])
    shades = [cells(axes[1])[0, row][0].get_facecolor()[3] for row in range(6)]
    assert shades == sorted(shades) and len(set(shades)) == 6


def test_groups_and_steps_are_named(axes):
    drawings.thawing(axes, PLANS, steps=[0, 30])
    for ax, title in zip(axes, PLANS, strict=True):
        assert {*GROUPS, "0", "30", "step", title} <= set(labels(ax))


# ---- LoRA ----


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.query = nn.Linear(inputs, outputs, bias=False)


@pytest.mark.parametrize(("inputs", "outputs", "rank"), [(384, 384, 4), (96, 512, 8), (5, 3, 3)])
def test_the_numbers_are_those_that_lora_counts(ax, inputs, outputs, rank):
    drawings.low_rank(ax, inputs=inputs, outputs=outputs, rank=rank)
    trained, of = count(adapt(Layer(inputs, outputs), rank=rank, alpha=1, where=["query"]))
    written = " ".join(labels(ax))
    assert f"{trained:,} numbers learn: {trained / (of - trained):.1%} of what" in written
    assert labels(ax)[f"{of - trained:,}"] >= 1 and labels(ax)["stays"] == 1 and labels(ax)["learns"] == 2
    assert labels(ax)[f"$r$ = {rank}"] == 2


def test_a_matrix_is_as_wide_as_what_goes_in_and_as_tall_as_what_comes_out(ax):
    drawings.low_rank(ax, inputs=600, outputs=300, rank=60)
    whole, thin, flat = boxes(ax)
    assert whole.get_width() == pytest.approx(2 * whole.get_height())
    assert (thin.get_height(), flat.get_width()) == (whole.get_height(), whole.get_width())
    assert thin.get_width() == flat.get_height() < 0.25 * whole.get_height()
    assert [same_color(patch.get_edgecolor(), LEARNS) for patch in (whole, thin, flat)] == [False, True, True]


# ---- what cannot be drawn ----


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (partial(drawings.thawing, plans=PLANS, steps=[]), "steps are empty"),
        (partial(drawings.thawing, plans={"flat": constant(9)}, steps=[0]), "'flat' is one factor"),
        (lambda axes: drawings.low_rank(axes[0], rank=0), "rank is 0"),
        (lambda axes: drawings.low_rank(axes[0], outputs=2), r"rank is 4, .* 1 … 2"),
    ],
)
def test_what_cannot_be_drawn_is_refused(axes, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(axes)
    assert not axes[0].texts


def test_there_is_a_place_for_each_plan(ax):
    with pytest.raises(ValueError, match="zip"):
        drawings.thawing([ax], PLANS, steps=[0])
