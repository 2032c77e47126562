"""vec2gpt.drawings.gpt and .blocks: what is left out, shared, sent and averaged, read from the arrows."""

from collections import Counter
from functools import partial
from itertools import pairwise

import pytest
import torch
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from test_drawings import boxes, edges, labels, nodes

from vec2gpt import drawings
from vec2gpt.blocks import empty_cache
from vec2gpt.drawings.tuning import LEARNS
from vec2gpt.gpt import TODAY
from vec2gpt.plotting import COLOURS, VERMILLION

ROUTES = {"a": {1: 0.5, 3: 0.5}, "b": {3: 0.9, 2: 0.1}}
SIZES = {
    "decoder_only": (drawings.decoder_only, (7.4, 7.2), 1),
    "shots": (drawings.shots, (7.6, 4.6), 1),
    "induction": (drawings.induction, (7.4, 4.4), 1),
    "induction, words": (partial(drawings.induction, first="Romeo", second="and"), (7.4, 4.4), 1),
    "data_parallel": (drawings.data_parallel, (6, 5), 1),
    "three processes": (partial(drawings.data_parallel, processes=3, texts=2), (7.6, 4.4), 1),
    "today": (drawings.today, (7.6, 7.4), 2),
    "grouped": (drawings.grouped, (7.6, 3.2), 3),
    "grouped, eight": (partial(drawings.grouped, heads=8, groups=4, head_width=128), (7.6, 3.2), 3),
    "experts": (drawings.experts, (7.6, 4.6), 1),
    "four experts": (partial(drawings.experts, routes=ROUTES, count=4), (7.6, 4.6), 1),
}


@pytest.fixture
def axes():
    return Figure().subplots(1, 3)


@pytest.fixture
def ax(axes):
    return axes[0]


@pytest.mark.parametrize("name", SIZES)
def test_letters_are_large_apart_and_on_the_paper(name):
    check_legible(*SIZES[name])


# ---- what is left of the Transformer ----


def test_gpt_is_the_decoder_without_what_looks_at_the_encoder(ax):
    drawings.decoder_only(ax)
    written, middle = labels(ax), sum(ax.get_xlim()) / 2
    assert written["masked self-attention"] == written["feed-forward"] == written["embedding"] == 2
    assert written["cross-attention"] == 1 and written["add & norm"] == 5
    sides = [{name for name, left, *_ in nodes(ax) if (left > middle) == right} for right in (False, True)]
    assert sides[0] - sides[1] == {"cross-attention"} and not sides[1] - sides[0]
    assert edges(ax, COLOURS["key"]) == [(None, "cross-attention")]
    assert Counter(edges(ax))["add & norm", "feed-forward"] == 2  # the way goes on where it was


# ---- prompts ----


def strips(ax):
    """Rows of tokens from above, each from the left."""
    known = {"opposite:", "hot", "cold", "up", "down", "wet", "dry", "big", "→"}
    tokens = [text for text in ax.texts if text.get_text() in known]
    rows = sorted({text.get_position()[1] for text in tokens}, reverse=True)
    return [
        " ".join(
            t.get_text()
            for t in sorted(tokens, key=lambda t: t.get_position()[0])
            if t.get_position()[1] == y
        )
        for y in rows
    ]


def test_each_prompt_asks_the_same_and_shows_more_examples(ax):
    drawings.shots(ax)
    zero, one, few, steps = strips(ax)
    assert zero == "opposite: big →" and one == "opposite: hot → cold big →"
    assert few == "opposite: hot → cold up → down wet → dry big →"
    assert steps == "hot → cold up → down wet → dry big →"  # the same examples, without the instruction
    assert labels(ax)["small"] == 4


def test_only_fine_tuning_moves_the_weights(ax):
    drawings.shots(ax)
    weights = [f"$θ_{n}$" for n in range(4)]
    assert edges(ax, LEARNS) == list(pairwise(weights))
    learns = [patch for patch in boxes(ax) if same_color(patch.get_edgecolor(), LEARNS)]
    assert len(learns) == 3  # the first are what was there before
    assert sum("frozen" in text and "$θ_0$" in text for text in labels(ax)) == 1


# ---- induction ----


def test_two_arrows_lead_from_a_to_b_and_from_b_to_what_is_said(ax):
    drawings.induction(ax, first="x", second="y")
    assert edges(ax, COLOURS["key"]) == [("x", "y, after x")]
    assert edges(ax, COLOURS["query"]) == [("y, after x", "next: y")]
    assert Counter(edges(ax)) == {
        ("x", "y, after x"): 1,
        ("y", "y, after x"): 1,
        ("y, after x", "next: y"): 1,
        ("x", "next: y"): 1,  # the last token, which asks
        ("next: y", None): 1,
    }


def test_a_token_is_told_only_what_stands_before_it(ax):
    drawings.induction(ax)
    for arrow in (text for text in ax.texts if getattr(text, "arrowprops", None)):
        assert arrow.get_position()[0] <= arrow.xy[0] and arrow.get_position()[1] < arrow.xy[1]


# ---- past one machine ----


@pytest.mark.parametrize(("processes", "texts"), [(2, 4), (3, 1)])
def test_gradients_meet_once_and_each_process_makes_the_same_step(ax, processes, texts):
    drawings.data_parallel(ax, processes=processes, texts=texts)
    model, mean, step = r"model, $\theta$", r"their mean, $\bar g$", r"$\theta - \eta\,\bar g$"
    found = Counter(edges(ax))
    gradients = [f"gradient $g_{n}$" for n in range(processes)]
    assert [found[model, gradient] for gradient in gradients] == [1] * processes
    assert [found[gradient, mean] for gradient in gradients] == [1] * processes
    assert found[mean, step] == processes and found.total() == 4 * processes
    assert [name for name, *_ in nodes(ax)].count("") == processes * texts
    assert labels(ax)[f"one batch of {processes * texts} texts, cut"] == 1
    tinted = [patch for patch in boxes(ax) if same_color(patch.get_edgecolor(), VERMILLION)]
    assert len(tinted) == processes + 1


# ---- a block today ----


def test_today_s_block_has_what_the_library_chooses(axes):
    drawings.today(axes[:2])
    plain, now = map(labels, axes[:2])
    assert (TODAY["norm"], TODAY["positions"]) == ("rms", "rotary")
    assert (TODAY["feed_forward"], TODAY["activation"]) == ("gated", "swish")
    assert plain["LayerNorm"] == now["RMS norm"] == 2 and not plain["RMS norm"] and not now["LayerNorm"]
    assert plain["learned\npositions"] == now["rotary"] == 1
    assert plain["GELU"] == now["linear, swish"] == now["×"] == 1
    assert [plain[f"H × ${name}$"] for name in "qkv"] == [1] * 3
    assert [now[name] for name in ("H × $q$", "G × $k$", "G × $v$")] == [1] * 3


def test_positions_turn_queries_and_keys_and_no_values(axes):
    drawings.today(axes[:2])
    plain, now = (set(edges(ax)) for ax in axes[:2])
    assert {("H × $q$", "↻"), ("G × $k$", "↻"), ("↻", "masked attention")} < now
    assert ("G × $v$", "masked attention") in now and ("G × $k$", "masked attention") not in now
    assert {(f"H × ${name}$", "masked attention") for name in "qkv"} < plain
    assert {("linear, swish", "×"), ("linear", "×"), ("×", "linear")} < now


def test_both_are_pre_norm_with_two_ways_round(axes):
    drawings.today(axes[:2])
    for ax in axes[:2]:
        assert edges(ax, COLOURS["hidden"]) == [(None, "+")] * 2
        norm = "LayerNorm" if ax is axes[0] else "RMS norm"
        assert edges(ax).count(("+", norm)) == (
            2 if ax is axes[0] else 1
        )  # places are added before the first


# ---- keys and values that are shared ----


@pytest.mark.parametrize(("heads", "groups", "head_width"), [(6, 2, 32), (8, 4, 128), (4, 1, 3)])
def test_the_numbers_kept_are_those_of_the_cache(axes, heads, groups, head_width):
    drawings.grouped(axes, heads=heads, groups=groups, head_width=head_width)
    for ax, count in zip(axes, (heads, groups, 1), strict=True):
        like = torch.zeros(heads * head_width)
        cache = empty_cache(like, batch=1, layers=1, heads=heads, context=1, groups=count)
        kept = cache.keys[0].numel() + cache.values[0].numel()
        assert labels(ax)[f"2 · {count} · {head_width} = {kept:,}"] == 1


@pytest.mark.parametrize(("heads", "groups"), [(6, 2), (6, 3), (4, 4)])
def test_neighbours_ask_the_same_keys(axes, heads, groups):
    drawings.grouped(axes, heads=heads, groups=groups)
    for ax, count in zip(axes, (heads, groups, 1), strict=True):
        size = heads // count  # as `attention.shared` has it: heads 0 … size − 1 ask the first keys
        assert edges(ax) == [(f"$q_{{{h + 1}}}$", f"$k_{{{h // size + 1}}}$") for h in range(heads)]


# ---- experts ----


def test_each_token_goes_to_its_experts_and_comes_back(ax):
    drawings.experts(ax, ROUTES, count=4)
    [router] = [name for name, *_ in nodes(ax) if name.startswith("router")]
    assert Counter(edges(ax)) == {
        (None, router): 2,
        (router, "$F_{1}$"): 1,
        (router, "$F_{2}$"): 1,
        (router, "$F_{3}$"): 2,
        ("$F_{1}$", "+"): 1,
        ("$F_{2}$", "+"): 1,
        ("$F_{3}$", "+"): 2,
        ("+", None): 2,
    }
    assert {"0.5 $F_{1}$ + 0.5 $F_{3}$", "0.9 $F_{3}$ + 0.1 $F_{2}$"} < set(labels(ax))
    tinted = [patch for patch in boxes(ax) if same_color(patch.get_edgecolor(), COLOURS["hidden"])]
    assert len(tinted) == 3  # the fourth rests


def test_the_experts_shown_are_two_of_eight_and_weigh_one_together(ax):
    drawings.experts(ax)
    assert [f"$F_{{{n}}}$" in labels(ax) for n in range(1, 10)] == [True] * 8 + [False]
    sums = [text for text in labels(ax) if " + " in text]
    shares = [[float(part.split()[0]) for part in text.split(" + ")] for text in sums]
    assert [len(parts) for parts in shares] == [2] * 3 and [sum(parts) for parts in shares] == [1] * 3


# ---- what cannot be drawn ----


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda axes: drawings.data_parallel(axes[0], processes=1), "processes is 1: give at least 2"),
        (lambda axes: drawings.data_parallel(axes[0], texts=0), "texts is 0"),
        (partial(drawings.grouped, heads=0), "heads is 0"),
        (partial(drawings.grouped, groups=4), "6 heads do not make 4 equal groups"),
        (lambda axes: drawings.experts(axes[0], ROUTES, count=2), "expert 3 is not one of 2"),
        (lambda axes: drawings.experts(axes[0], {"a": {0: 1.0}}), "expert 0 is not"),
        (lambda axes: drawings.experts(axes[0], {}), "sent nowhere"),
        (lambda axes: drawings.experts(axes[0], {"a": {}}), "sent nowhere"),
        (lambda axes: drawings.experts(axes[0], ROUTES, count=0), "count is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(axes, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(axes)
    assert not axes[0].texts
