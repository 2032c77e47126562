"""Drawings of a search: the tree of beginnings, which of them were kept, and which one won.

A text grows from left to right, one column a token. What was pruned stays in the picture, without a box and
on a dashed line. What is drawn is `vec2gpt.search`, or a tree made by hand.
"""

from collections.abc import Callable, Sequence
from math import exp, inf, prod
from typing import NamedTuple

from matplotlib.axes import Axes

from vec2gpt.drawings.pen import SMALL, box, letter, line, sheet
from vec2gpt.plotting import INK, VERMILLION
from vec2gpt.search import Trace

WIDE, TALL = 0.52, 0.32  # a token's box
PITCH, RISE = 1.15, 0.4  # from column to column, from row to row
ELBOW = 0.12  # how far from a box its lines part
ROOT = -1  # what the tokens of the first column go on from


class Branch(NamedTuple):
    """One token of a tree, after all that stands before it."""

    before: int  # place in the list of the branch that it goes on from, or ROOT
    token: str
    p: float  # after what stands before it
    kept: bool = True  # or pruned
    best: bool = False  # part of the text that won


def branches(trace: Trace, name: Callable[[int], str], *, row: int = 0, least: float = 0.02) -> list[Branch]:
    """The tree of one row of a beam search, pruned branches too; name: from a token's id to what is written.

    Left out is what is less probable than `least`, all its tokens together, unless it became one of the texts
    that were found.
    """
    tree, holds = [], {0: ROOT}  # slot → the branch that it holds
    for t in range(trace.token.shape[1]):
        holds = _grow(tree, holds, trace, name, row, t)
    winner = _path(tree, holds[0])
    found = {one for place in holds.values() for one in _path(tree, place)}
    tree = [branch._replace(best=place in winner) for place, branch in enumerate(tree)]
    return _subtree(tree, [n for n in range(len(tree)) if n in found or _product(tree, n) >= least])


def search_tree(ax: Axes, tree: Sequence[Branch]) -> None:
    """A tree from left to right: tokens in boxes were kept, others pruned; the thick line led to the winner.

    Every branch stands in the list behind the one that it goes on from. At a line stands the probability of
    its token; behind a last token, the product of all on the way. Letters fit on paper of 1.15 inches for
    each column and 1.2 more, and 0.4 for each row.
    """
    _check(tree)
    places = _places(tree)
    first = [y for (_, y), branch in zip(places, tree, strict=True) if branch.before == ROOT]
    root = -PITCH + WIDE / 2, (first[0] + first[-1]) / 2
    line(ax, (root[0] - 0.1, root[1]), root)
    inner = {branch.before for branch in tree}
    for place, branch in sorted(enumerate(tree), key=lambda numbered: numbered[1].best):  # the winner on top
        x, y = places[branch.before] if branch.before != ROOT else root
        _branch(ax, branch, (x + (WIDE / 2 if branch.before != ROOT else 0), y), places[place])
        if place not in inner:
            aside = places[place][0] + WIDE / 2 + 0.05, places[place][1]
            letter(ax, aside, f"= {_product(tree, place):.2g}", size=SMALL, ha="left")
    right, bottom = max(x for x, _ in places), min(y for _, y in places)
    sheet(ax, (root[0] - 0.15, right + WIDE / 2 + 0.75), (bottom - 0.25, 0.35))


def _branch(ax: Axes, branch: Branch, start: tuple[float, float], end: tuple[float, float]) -> None:
    """The line to a token with its probability, and the token."""
    (left, y), (x, level) = start, end
    parts = left + ELBOW
    style = {"colour": VERMILLION, "width": 2.5} if branch.best else {}
    drawn = ax.lines
    line(ax, start, (parts, y), (parts, level), (x - WIDE / 2, level), **style)
    if not branch.kept:
        drawn[-1].set(linestyle=(0, (3, 2)), alpha=0.6)
    letter(ax, (parts + 0.04, level + 0.08), f"{branch.p:.2f}", size=9, ha="left")
    if branch.kept:
        box(ax, end, branch.token, VERMILLION if branch.best else INK, wide=WIDE, tall=TALL)
    else:
        letter(ax, end, branch.token, size=SMALL, alpha=0.75)


def _places(tree: Sequence[Branch]) -> list[tuple[float, float]]:
    """The middle of every token: last tokens a row each, depth first, the others level with their middle."""
    after: dict[int, list[int]] = {}
    for place, branch in enumerate(tree):
        after.setdefault(branch.before, []).append(place)
    places, rows = {}, 0

    def put(place, column):
        nonlocal rows
        heights = [put(one, column + 1) for one in after.get(place, [])]
        if not heights:
            heights, rows = [-RISE * rows], rows + 1
        places[place] = PITCH * column, (heights[0] + heights[-1]) / 2
        return places[place][1]

    put(ROOT, -1)
    return [places[place] for place in range(len(tree))]


def _grow(tree: list[Branch], holds: dict[int, int], trace: Trace, name, row: int, t: int) -> dict[int, int]:
    """Add what step t tried to the tree; return which branch each slot holds now."""
    survivors, after = _survivors(trace, row, t), {}
    for slot, before in holds.items():
        if t and trace.ended[row, t - 1, slot]:  # it goes on with ends alone, which are no branches
            after |= {new: before for (old, _), new in survivors.items() if old == slot}
            continue
        for token, p in _continuations(trace, row, t, slot):
            new = survivors.get((slot, token))
            after |= {} if new is None else {new: len(tree)}
            tree.append(Branch(before, name(token), p, kept=new is not None))
    return after


def _survivors(trace: Trace, row: int, t: int) -> dict[tuple[int, int], int]:
    """(slot before, token) → slot, of all that were kept at step t."""
    parts = (part[row, t].tolist() for part in (trace.parent, trace.token, trace.log_p))
    kept = enumerate(zip(*parts, strict=True))
    return {(parent, token): slot for slot, (parent, token, log_p) in kept if log_p > -inf}


def _continuations(trace: Trace, row: int, t: int, slot: int) -> list[tuple[int, float]]:
    """What a slot could go on with at step t, and the probability of each."""
    tokens, chances = trace.candidates[row, t, slot].tolist(), trace.chances[row, t, slot].tolist()
    return [(token, exp(chance)) for token, chance in zip(tokens, chances, strict=True)]


def _path(tree: Sequence[Branch], place: int) -> list[int]:
    """The places of a branch and of all that it goes on from."""
    way = []
    while place != ROOT:
        way.append(place)
        place = tree[place].before
    return way


def _product(tree: Sequence[Branch], place: int) -> float:
    """The probability of a branch and all that stands before it."""
    return prod(tree[one].p for one in _path(tree, place))


def _subtree(tree: Sequence[Branch], places: Sequence[int]) -> list[Branch]:
    """These branches alone, among which is for each the one that it goes on from."""
    moved = {ROOT: ROOT} | {place: n for n, place in enumerate(places)}
    return [tree[place]._replace(before=moved[tree[place].before]) for place in places]


def _check(tree: Sequence[Branch]) -> None:
    if not tree:
        raise ValueError("there is no branch to draw: give at least one, such as Branch(-1, 'a', 0.5)")
    for place, branch in enumerate(tree):
        if not ROOT <= branch.before < place:
            raise ValueError(
                f"branch {place}, {branch.token!r}, goes on from {branch.before}: give the place of one that "
                f"stands before it in the list, or {ROOT} for the first column"
            )
