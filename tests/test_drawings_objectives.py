"""vec2gpt.drawings.objectives: the cells are the mask, and each arrow leads to what is asked in its row."""

from functools import partial

import pytest
import torch
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from vec2gpt import drawings
from vec2gpt.language import IGNORED
from vec2gpt.objectives import OBJECTIVES, backward, causal, masked, permuted, prefix, spans
from vec2gpt.plotting import COLOURS

NAMES = ["[M]", "<X>", "<Y>", "the", "cat", "sat", "down", "here"]
IDS = torch.tensor([[4, 5, 6, 7, 3], [3, 4, 5, 6, 7]])


def examples():
    dice = torch.Generator().manual_seed(2)
    return {
        "causal": causal(IDS),
        "backward": backward(IDS),
        "masked": masked(IDS, dice, mask=0, vocab_size=8, specials=3, share=0.3, keep=0, swap=0),
        "prefix": prefix(IDS, lengths=2),
        "permuted": permuted(IDS, order=[2, 4, 0, 3, 1], share=0.4),
        "spans": spans(IDS, dice, sentinels=[1, 2], share=0.4),
    }


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.mark.parametrize("half", [slice(0, 3), slice(3, 6)])
def test_letters_are_large_apart_and_on_the_paper(half):
    three = dict(list(examples().items())[half])
    check_legible(partial(drawings.mask_shapes, examples=three, names=NAMES), (7.6, 2.3), 3)


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_cells_show_who_may_look_and_arrows_what_is_asked(ax, name, row):
    example = examples()[name]
    drawings.objective(ax, example, NAMES, title=name, row=row)
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_width() < 1]
    opened = [patch.get_facecolor()[3] > 0 for patch in cells]
    assert opened == example.may_look(row).flatten().tolist()
    asked = {t: NAMES[i] for t, i in enumerate(example.targets[row].tolist()) if i != IGNORED}
    framed = [patch for patch in ax.patches if same_color(patch.get_edgecolor(), COLOURS["query"])]
    assert [-patch.get_y() - 0.5 for patch in framed] == list(asked)
    bold = {-text.get_position()[1]: text.get_text() for text in ax.texts if text.get_weight() == "bold"}
    assert bold == asked
    tips = [-text.xy[1] for text in ax.texts if isinstance(text, Annotation) and not text.get_text()]
    assert tips == list(asked)
    words = [NAMES[i] for i in example.inputs[row].tolist()]
    beside = [text.get_text() for text in ax.texts if text.get_ha() == "right"]
    assert beside == words


def test_what_the_content_stream_alone_may_see_is_a_dot(ax):
    drawings.objective(ax, examples()["permuted"], NAMES, title="permuted")
    dots = sorted(text.get_position() for text in ax.texts if text.get_text() == "•")
    assert dots == [(t, -t) for t in range(5)]
    assert sum(text.get_text() == "×" for text in ax.texts) == 10


def test_there_is_a_place_for_each(ax):
    with pytest.raises(ValueError, match="zip"):
        drawings.mask_shapes([ax], examples(), NAMES)
