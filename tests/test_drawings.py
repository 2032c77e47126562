"""vec2gpt.drawings: what is drawn, read back from the axes."""

from collections import Counter
from functools import partial
from itertools import pairwise
from math import dist

import pytest
from legible import check_legible
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.text import Annotation

from vec2gpt import drawings
from vec2gpt.drawings import guesses, window
from vec2gpt.plotting import BLUE, COLOURS, VERMILLION

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


# ---- networks and cells: a drawing is a graph, read back from where its arrows start and end ----

SIZES = {
    "unrolled": (partial(drawings.unrolled, words=WORDS[:4]), (6.2, 2.9)),
    "backward": (partial(drawings.backward, words=WORDS[:4]), (4.9, 3)),
    "bidirectional": (partial(drawings.bidirectional, words=WORDS[:3]), (5.6, 3.4)),
    "stacked": (partial(drawings.stacked, words=WORDS[:4]), (4.6, 3.9)),
    "adding": (partial(drawings.adding, first=478, second=756), (4.2, 2.5)),
    "lstm_cell": (drawings.lstm_cell, (5.6, 3.3)),
    "gru_cell": (drawings.gru_cell, (5.6, 3.3)),
    "sequence_to_sequence": (
        partial(drawings.sequence_to_sequence, source=["t", "w", "o"], target=["T", "UW"]),
        (7.2, 2.8),
    ),
}


def boxes(ax):
    """The frame round a cell is paler, and no box."""
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch) and patch.get_alpha() is None]


def nodes(ax):
    """(what stands in it, left, bottom, right, top) of every box and joint; no frame, no fork."""
    for patch in ax.patches:
        if patch in boxes(ax):
            left, bottom = patch.get_x(), patch.get_y()
            right, top = left + patch.get_width(), bottom + patch.get_height()
        elif isinstance(patch, Circle) and patch.radius > 0.1:
            (x, y), r = patch.center, patch.radius
            left, bottom, right, top = x - r, y - r, x + r, y + r
        else:
            continue
        inside = [
            text.get_text()
            for text in ax.texts
            if not isinstance(text, Annotation)
            and left < text.get_position()[0] < right
            and bottom < text.get_position()[1] < top
        ]
        yield " ".join(inside), left, bottom, right, top


def node_at(ax, point):
    """The node on whose border a point lies, or None."""
    x, y = point
    for name, left, bottom, right, top in nodes(ax):
        within = left - 1e-9 <= x <= right + 1e-9 and bottom - 1e-9 <= y <= top + 1e-9
        if within and min(abs(x - left), abs(x - right), abs(y - bottom), abs(y - top)) < 1e-9:
            return name
    return None


def edges(ax, colour=None):
    """From what to what each arrow leads, round its corners; None where there is no node."""
    found = []
    for arrow in (t for t in ax.texts if isinstance(t, Annotation) and t.arrowprops):
        if colour is None or same_color(arrow.arrowprops["color"], colour):
            start = tuple(arrow.get_position())
            for line in ax.lines:
                if (line.get_xdata()[-1], line.get_ydata()[-1]) == start:
                    start = line.get_xdata()[0], line.get_ydata()[0]
            found.append((node_at(ax, start), node_at(ax, arrow.xy)))
    return found


def labels(ax):
    """How often each text is written."""
    return Counter(text.get_text() for text in ax.texts if text.get_text())


@pytest.mark.parametrize("name", SIZES)
def test_letters_are_large_apart_and_on_the_paper(name):
    check_legible(*SIZES[name])


@pytest.mark.parametrize("name", SIZES)
def test_arrows_end_at_borders_or_beside_letters(ax, name):
    SIZES[name][0](ax)
    within = {word for inside, *_ in nodes(ax) for word in inside.split(" ")}
    free = [t for t in ax.texts if not isinstance(t, Annotation) and t.get_text() not in within]
    letters = [text.get_position() for text in free]
    tips = [t.xy for t in ax.texts if isinstance(t, Annotation) and t.arrowprops]
    loose = [tip for tip in tips if node_at(ax, tip) is None and all(dist(tip, at) > 0.25 for at in letters)]
    assert tips and not loose


def test_unrolled_every_step_has_the_same_weights(ax):
    drawings.unrolled(ax, WORDS[:4])
    written = labels(ax)
    assert [written[weights] for weights in ("$W$", "$U$", "$W_y$")] == [5, 5, 5]  # folded, and four words
    assert set(WORDS[:4]) < set(written)
    steps = [(a, b) for a, b in edges(ax) if a and b]
    assert steps == [("$h_t$", "$h_t$")] + [(f"$h_{{{t}}}$", f"$h_{{{t + 1}}}$") for t in (1, 2, 3)]
    assert all(same_color(box.get_edgecolor(), COLOURS["hidden"]) for box in ax.patches)


def test_the_gradient_goes_back_from_the_loss_through_every_state(ax):
    drawings.backward(ax, WORDS[:3])
    way = ["$L$", "$h_{3}$", "$h_{2}$", "$h_{1}$"]
    assert edges(ax, VERMILLION) == list(pairwise(way))
    assert ("$h_{3}$", "$L$") in edges(ax)  # and the loss came from the last state
    assert r"$\partial h_{2} / \partial h_{1}$" in labels(ax)


def test_bidirectional_reads_from_both_ends_and_joins_what_was_read(ax):
    drawings.bidirectional(ax, WORDS[:3])
    right, left = ([rf"$\over{way}arrow{{h}}_{{{t}}}$" for t in (1, 2, 3)] for way in ("right", "left"))
    steps = [(a, b) for a, b in edges(ax) if a and b]
    assert steps == [*pairwise(right), *pairwise(left[::-1])]
    fed = Counter(b for a, b in edges(ax) if a is None)
    assert fed == Counter(right + left) + Counter(
        [right[0], left[-1]]
    )  # a word each; an empty state at the end
    assert {f"[{a}; {b}]" for a, b in zip(right, left, strict=True)} < set(labels(ax))


def test_stacked_reads_the_layer_below_and_the_step_before(ax):
    drawings.stacked(ax, WORDS[:2], layers=3)
    into = Counter((a, b) for a, b in edges(ax) if a and b)
    across = [(f"$h_{{1}}^{{({n})}}$", f"$h_{{2}}^{{({n})}}$") for n in (1, 2, 3)]
    up = [(f"$h_{{{t}}}^{{({n})}}$", f"$h_{{{t}}}^{{({n + 1})}}$") for t in (1, 2) for n in (1, 2)]
    assert into == Counter(across + up)
    assert [labels(ax)[f"${w}^{{({n})}}$"] for n in (1, 2, 3) for w in "WU"] == [2] * 6


@pytest.mark.parametrize(("first", "second"), [(478, 256), (478, 756), (999, 1), (5, 470), (0, 0)])
def test_adding_writes_the_sum(ax, first, second):
    drawings.adding(ax, first, second)
    digits = [(text.get_position(), text.get_text()) for text in ax.texts if text.get_text().isdigit()]
    rows = {}
    for (x, y), digit in digits:
        rows.setdefault(y, []).append((x, digit))
    numbers = [int("".join(digit for _, digit in sorted(rows[y]))) for y in sorted(rows, reverse=True)]
    assert numbers == [first, second, first + second]


def test_adding_carries_as_by_hand(ax):
    drawings.adding(ax, 478, 256)
    carries = [(text.xy[0], text.get_text()) for text in ax.texts if text.get_text().startswith("carry")]
    assert [text for _, text in sorted(carries, reverse=True)] == ["carry 0", "carry 1", "carry 1"]


def test_inside_an_lstm(ax):
    drawings.lstm_cell(ax)
    inside = Counter((a, b) for a, b in edges(ax) if a and b)
    assert inside == {
        ("×", "+"): 2,  # what is kept of the memory, and what is written
        ("σ forget", "×"): 1,
        ("σ input", "×"): 1,
        ("tanh candidate", "×"): 1,
        ("σ output", "×"): 1,
        ("tanh", "×"): 1,  # the memory, shown
    }
    assert Counter(b for _, b in edges(ax) if b in ("×", "+")) == {"×": 6, "+": 2}  # a joint joins two


def test_inside_a_gru(ax):
    drawings.gru_cell(ax)
    inside = Counter((a, b) for a, b in edges(ax) if a and b)
    assert inside == {
        ("×", "+"): 2,
        ("σ update", "×"): 1,  # how much of the memory stays
        ("1 −", "×"): 1,  # how much of the candidate comes
        ("tanh candidate", "×"): 1,
        ("σ reset", "×"): 1,
        ("×", "tanh candidate"): 1,  # the reset gate stands before the candidate
    }
    assert Counter(b for _, b in edges(ax) if b in ("×", "+")) == {"×": 6, "+": 2}
    assert [name for name, *_ in nodes(ax)].count("×") == 3


@pytest.mark.parametrize(
    ("draw", "concepts"),
    [
        (drawings.lstm_cell, {name: name for name in ("forget", "input", "candidate", "output")}),
        (drawings.gru_cell, {"update": "forget", "reset": "input", "candidate": "candidate"}),
    ],
)
def test_gates_have_their_colours(ax, draw, concepts):
    draw(ax)
    for name, concept in concepts.items():
        [place] = [text.get_position() for text in ax.texts if text.get_text() == name]
        [gate] = [
            box for box in boxes(ax) if box.get_window_extent().contains(*ax.transData.transform(place))
        ]
        assert same_color(gate.get_edgecolor(), COLOURS[concept])


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_a_valve_lets_through_what_it_is_open_by(ax, value):
    drawings.valve(ax, value, label="forget", colour=VERMILLION)
    before, after, plate = ax.patches
    assert after.get_height() / before.get_height() == pytest.approx(value)
    assert plate.get_y() - before.get_y() == pytest.approx(after.get_height())  # it stands on the water
    assert f"forget = {value}" in labels(ax)
    assert len(edges(ax)) == (1 if value == 0 else 2)  # nothing flows behind a shut one


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_valve_is_open_by_a_share(ax, value):
    with pytest.raises(ValueError, match=r"0 \(shut\) to 1"):
        drawings.valve(ax, value, label="f", colour=BLUE)


READ, WRITTEN = ([rf"${symbol}_{{{t}}}$" for t in (1, 2, 3)] for symbol in (r"\bar h", "h"))


@pytest.fixture
def axes():
    return Figure().subplots(1, 3)


def test_what_is_said_is_what_is_read_next(ax):
    drawings.sequence_to_sequence(ax, ["t", "w", "o"], ["T", "UW"])
    assert [(a, b) for a, b in edges(ax) if a and b] == [
        *pairwise(READ),
        *pairwise(WRITTEN),
        (READ[-1], "$c$"),  # the only way from the one to the other
        ("$c$", WRITTEN[0]),
    ]
    words = {text.get_position(): text.get_text() for text in ax.texts if text.get_text().isascii()}
    line = {y: [words[place] for place in sorted(words) if place[1] == y] for y in (-0.9, 0.9)}
    assert line == {-0.9: ["t", "w", "o", "<bos>", "T", "UW"], 0.9: ["T", "UW", "<eos>"]}
    for concept in ("encoder", "decoder"):
        assert same_color(said(ax)[concept].get_color(), COLOURS[concept])


def test_a_thought_is_handed_over_in_three_ways(axes):
    drawings.handing_over(axes)
    thoughts = [[edge for edge in edges(ax) if "$c$" in edge] for ax in axes]
    (gives, takes), every, mean = thoughts[0], thoughts[1], thoughts[2]
    assert (gives, takes) == ((READ[-1], "$c$"), ("$c$", WRITTEN[0]))
    assert every == [gives] + [("$c$", state) for state in WRITTEN]
    assert mean == [(state, "$c$") for state in READ] + [takes]


def test_taught_it_reads_the_truth_and_alone_what_it_said(axes):
    taught, alone = axes[:2]
    drawings.teacher_forcing(axes[:2])
    truth, own = [f"$y_{{{t}}}$" for t in (1, 2)], [rf"$\hat y_{{{t}}}$" for t in (1, 2, 3)]
    assert set(truth) < set(said(taught)) and not set(truth) & set(said(alone))
    assert [labels(alone)[word] for word in own] == [2, 2, 1]  # said, and then read
    assert len(edges(alone)) == len(edges(taught)) + 2  # from what was said to what is read


@pytest.mark.parametrize(("source", "target"), [([], ["T"]), (["t"], [])])
def test_nothing_to_read_or_to_write_is_no_drawing(ax, source, target):
    with pytest.raises(ValueError, match="at least one token"):
        drawings.sequence_to_sequence(ax, source, target)
    assert not ax.texts


@pytest.mark.parametrize(
    "draw", [drawings.unrolled, drawings.backward, drawings.bidirectional, drawings.stacked]
)
def test_no_word_is_no_drawing(ax, draw):
    with pytest.raises(ValueError, match="no word"):
        draw(ax, [])
    assert not ax.texts


def test_what_cannot_be_drawn(ax):
    with pytest.raises(ValueError, match="at least 1"):
        drawings.stacked(ax, WORDS, layers=0)
    for first, second in [(-1, 5), (5, -1), (1.5, 2)]:
        with pytest.raises(ValueError, match="whole numbers"):
            drawings.adding(ax, first, second)
    assert not ax.texts
