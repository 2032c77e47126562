"""vec2gpt.drawings.bert: what adds up, who is asked, and what is said from where, read back from the axes."""

from collections import Counter
from functools import partial

import pytest
from legible import check_legible
from matplotlib.figure import Figure
from test_drawings import edges, labels, nodes

from vec2gpt import drawings
from vec2gpt.plotting import COLOURS

FIRST, SECOND = ["the", "cat"], ["it", "slept"]
STACK = partial(drawings.bert_stack, first=["the", "[MASK]"], second=SECOND, word="cat")
TREE = partial(drawings.masking_tree, words=["the", "cat", "slept"], place=1, other="river")
SIZES = {
    "sum_of_embeddings": (partial(drawings.sum_of_embeddings, first=FIRST, second=SECOND), (7.6, 4.2)),
    "masking_tree": (TREE, (7.6, 3.6)),
    "bert_stack": (STACK, (7.6, 4.6)),
    "a gap beside the first token": (
        partial(drawings.bert_stack, first=["[MASK]", "[MASK]"], second=["it", "is"], word="cat"),
        (7.6, 4.6),
    ),
}


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.mark.parametrize("name", SIZES)
def test_letters_are_large_apart_and_on_the_paper(name):
    check_legible(*SIZES[name])


def test_token_segment_and_position_add_up_for_each_token(ax):
    drawings.sum_of_embeddings(ax, FIRST, SECOND)
    columns = {}
    for name, left, *_ in nodes(ax):
        columns.setdefault(left, []).append(name.strip("$"))
    found = [columns[left] for left in sorted(columns)]
    tokens, sentences = [0, 1, 2, 3, 4, 5, 3], [0, 0, 0, 0, 1, 1, 1]  # [SEP] has one vector, twice
    assert found == [
        [f"E_{{{token}}}", f"S_{{{sentence}}}", f"P_{{{t}}}", f"x_{{{t}}}"]
        for t, (token, sentence) in enumerate(zip(tokens, sentences, strict=True))
    ]
    assert labels(ax)["+"] == 2 * 7
    assert Counter(edges(ax)) == Counter(
        [(None, f"$E_{{{token}}}$") for token in tokens]
        + [(f"$P_{{{t}}}$", f"$x_{{{t}}}$") for t in range(7)]
    )


def test_the_tree_counts_as_the_paper_does(ax):
    TREE(ax)
    asked = "15 asked"
    leaves = ["the [MASK] slept", "the river slept", "the cat slept"]
    assert edges(ax) == [("100 tokens", asked)] + [(asked, leaf) for leaf in leaves] + [
        ("100 tokens", "the cat slept")
    ]
    written = labels(ax)
    assert [written[number] for number in ("12", "1.5", "85")] == [1, 2, 1]
    assert [written[share] for share in ("15%", "85%", "80%", "10%")] == [1, 1, 1, 2]


def test_the_tree_follows_other_shares(ax):
    TREE(ax, share=0.4, keep=0, swap=0.25)
    written = labels(ax)
    assert written["40 asked"] == 1 and [written[number] for number in ("30", "10", "0", "60")] == [
        1,
        1,
        1,
        1,
    ]


def test_only_the_gap_and_the_first_token_are_asked(ax):
    STACK(ax)
    found = edges(ax)
    assert [edge for edge in found if "head" in str(edge[1])] == [
        ("$h_{2}$", "gap head"),
        ("$h_{0}$", "pair head"),
    ]
    assert edges(ax, COLOURS["query"]) == []
    stack = "$L$ blocks self-attention over all tokens, feed-forward"
    assert all((f"$x_{{{t}}}$", stack) in found and (stack, f"$h_{{{t}}}$") in found for t in range(7))
    assert labels(ax)["cat"] == 1


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (partial(drawings.sum_of_embeddings, first=[], second=["it"]), "no words"),
        (partial(drawings.bert_stack, first=["a"], second=[], word="b"), "no words"),
        (partial(drawings.bert_stack, first=["a"], second=["b"], word="b"), r"no word is \[MASK\]"),
        (partial(TREE, place=3), "place is 3"),
        (partial(TREE, share=2), "share is 2"),
        (partial(TREE, keep=0.6, swap=0.6), "more than all"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ax, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(ax)
    assert not ax.texts
