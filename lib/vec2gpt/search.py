"""Search for the most probable text: by a beam, which may miss it, and best first, which may take long.

Beam search: Lowerre 1976, in translation Sutskever, Vinyals & Le 2014. The likeliest token now can lead to an
unlikely text, so `decoding.greedy` may miss a better one. A beam keeps the K best beginnings and goes on from
all of them; the others are pruned, and the best text may be among them: a *search error*. Best-first search
(Dijkstra 1959) prunes nothing, so it tells search errors from the model's own, as Stahlberg & Byrne (2019)
did: the most probable text need not be a good one.

Everything works over `step(ids (B,), state) -> (logits (B, V), state)`, as in `decoding`.

Left out: coverage penalties, diverse beams, a beam that samples.
"""

import heapq
from functools import partial
from itertools import count
from typing import NamedTuple

import torch
from torch.utils import _pytree as pytree

from vec2gpt.decoding import check_eos, check_limit, check_logits, clock, many
from vec2gpt.unrolling import unroll

CANDIDATES = 5  # continuations of a slot that are told at least


class Trace(NamedTuple):
    """A beam search step by step: the slots at each step, best first, and what every slot could go on with.

    Row t of `parent`, `token`, `log_p`, `score` and `ended` are the hypotheses that survived step t. Row t of
    `candidates` and `chances` are the likeliest continuations of the slots of step t − 1, pruned ones too; at
    t = 0 slot 0 holds `first`, and the others nothing. All that survives is among them.
    """

    parent: torch.Tensor  # the slot of step t − 1 that it continues, (B, T, K)
    token: torch.Tensor  # by what; eos again where it had ended, (B, T, K)
    log_p: torch.Tensor  # log-probability of all its tokens, in nats; −∞: nothing in this slot, (B, T, K)
    score: torch.Tensor  # log_p / length ** alpha, (B, T, K)
    ended: torch.Tensor  # whether it has said eos, or holds nothing, (B, T, K)
    candidates: torch.Tensor  # tokens, likeliest first; C is at least K and CANDIDATES, up to V, (B, T, K, C)
    chances: torch.Tensor  # log-probability of each after its slot; −∞ where there is none, (B, T, K, C)


class Beam(NamedTuple):
    """What a beam search found: the K best texts of every row, best first."""

    ids: torch.Tensor  # filled up with eos, (B, K, T)
    log_p: torch.Tensor  # log-probability in nats, that of eos included; −∞: no such text, (B, K)
    score: torch.Tensor  # what they are ranked by: log_p / length ** alpha, (B, K)
    trace: Trace


class _Slots(NamedTuple):
    """K hypotheses of every row, and the model's state after all but their last token."""

    ids: torch.Tensor  # their last tokens, (B, K)
    log_p: torch.Tensor  # (B, K)
    length: torch.Tensor  # tokens said, eos included, (B, K)
    ended: torch.Tensor  # (B, K)
    state: object  # the model's, slots folded into the batch: tensors (B · K, …)


@torch.no_grad()
def beam_search(step, first, state, *, eos, width, limit, alpha=1.0, slots=None):
    """Keep the `width` best hypotheses of each row, from first (B,) on; return a Beam of up to `limit` steps.

    Hypotheses compete by log_p / length ** alpha, where the length counts eos: at alpha = 0 by plain
    probability, which favours short texts, for every token costs; at 1 by the mean over tokens. One that
    has ended keeps its slot, and may lose it to a better one: the slots are all there is to follow, where the
    pool of ended texts of GNMT (Wu et al. 2016) needs books of its own, and a rule when to stop. Search stops
    when every slot has ended. What never says eos is cut at the limit, and competes as it is.

    slots: room for hypotheses, at least the width. It is needed where `width` is a tensor of one, () or (1,),
    as in an exported graph; alpha may be one too. Without it there are as many as the width.

    Of probabilities 0.6 for a and 0.4 for b, where eos follows a with 0.5 and b with 0.9, greedy search says
    "a" (0.30), and a beam of 2 finds "b" (0.36).
    """
    slots = width if slots is None else slots
    _check_beam(width, slots, alpha)
    state = many(slots, state)
    widen = partial(_widen, step, eos=eos, width=width, limit=limit, alpha=alpha)
    opened = _open(first, state, slots)
    _, trace = unroll(widen, opened, clock(first, limit), until=lambda slots: slots.ended.all())
    return Beam(_read_off(trace), trace.log_p[:, -1], trace.score[:, -1], trace)


def _open(first, state, slots):
    """Before the first step: slot 0 holds `first`, with probability 1, and the others nothing."""
    ids = first[:, None].repeat(1, slots)  # (B, K)
    empty = torch.arange(slots, device=first.device).expand_as(ids) > 0
    log_p = torch.zeros(ids.shape, device=first.device).masked_fill(empty, -torch.inf)
    return _Slots(ids, log_p, torch.zeros_like(ids), empty, state)


def _widen(step, slots, _, *, eos, width, limit, alpha):
    """One step of the beam: what every slot could go on with, and the best of it, as slots and a Trace."""
    logits, state = step(slots.ids.flatten(), slots.state)  # (B · K, V)
    check_eos(eos, logits)
    check_logits(logits)
    _check_room(width, limit, logits.shape[-1])
    chances, candidates = _continuations(logits, slots, eos=eos)  # (B, K, C)
    length = slots.length + ~slots.ended
    log_p = slots.log_p[..., None] + chances
    score = log_p / (length.to(log_p.dtype) ** alpha)[..., None]

    best, chosen = score.flatten(1).topk(slots.ids.shape[1])  # (B, K)
    rank = torch.arange(best.shape[1], device=best.device)
    empty = (best == -torch.inf) | (rank >= width)
    parent = torch.where(empty, rank, chosen // candidates.shape[2])
    token = torch.where(empty, eos, candidates.flatten(1).gather(1, chosen))
    log_p = log_p.flatten(1).gather(1, chosen).masked_fill(empty, -torch.inf)
    ended = empty | (token == eos)

    slots = _Slots(token, log_p, length.gather(1, parent), ended, _reorder(state, parent))
    return slots, Trace(parent, token, log_p, best.masked_fill(empty, -torch.inf), ended, candidates, chances)


def _continuations(logits, slots, *, eos):
    """The likeliest tokens after each slot: their log-probabilities (B, K, C), best first, and ids (B, K, C).

    No slot can fill more than all K slots, so its K best are enough. After its end a hypothesis goes on with
    eos alone, for free.
    """
    size, room = logits.shape[-1], slots.ids.shape[1]
    log_p = _log_softmax(logits).unflatten(0, slots.ids.shape)  # (B, K, V)
    tokens = torch.arange(size, device=logits.device)
    silent = torch.where(tokens == eos, 0.0, -torch.inf)  # (V,)
    log_p = torch.where(slots.ended[..., None], silent, log_p)
    return log_p.topk(min(size, max(room, CANDIDATES)))


def _reorder(state, parent):
    """Let every slot have its parent's state; parent (B, K)."""
    rows = torch.arange(len(parent), device=parent.device)[:, None]
    index = (rows * parent.shape[1] + parent).flatten()  # (B · K,)
    return pytree.tree_map(lambda leaf: leaf.index_select(0, index), state)


def _read_off(trace):
    """The ids (B, K, T) that end in each slot, followed from the last step to the first."""

    def back(slot, inputs):
        parent, token = inputs  # (B, K)
        return parent.gather(1, slot), token.gather(1, slot)

    last = torch.arange(trace.token.shape[2], device=trace.token.device).expand_as(trace.token[:, 0])
    _, ids = unroll(back, last, (trace.parent.flip(1), trace.token.flip(1)))
    return ids.flip(1).transpose(1, 2)


# ---- exact ----


class Found(NamedTuple):
    """What a best-first search found: the most probable text there is."""

    ids: torch.Tensor  # (T,), ending with eos, or cut at the limit
    log_p: float  # log-probability in nats, that of eos included
    expanded: int  # hypotheses that were gone on from, one step of the model each


class BudgetSpent(ValueError):
    """A best-first search took more steps than it was allowed."""


@torch.no_grad()
def best_first(step, first, state, *, eos, limit, budget=10_000):
    """Find the most probable of all texts up to `limit` long from first (1,) on; return it as Found.

    Always goes on from the most probable hypothesis. Every token costs some probability, so the first
    hypothesis to come up that is finished is the best there is: no other can overtake it. That is Dijkstra's
    algorithm, with −log p for a distance. What it finds is what a beam of unlimited width would at alpha = 0.

    BudgetSpent, a ValueError, after `budget` steps: an unsure model may need one for every text there is.
    """
    _check_exact(first, budget)
    check_limit(limit)
    order = count()  # of two equally probable hypotheses, the older one
    heap = [(0.0, next(order), (), state)]
    for expanded in count():
        cost, _, ids, state = heapq.heappop(heap)
        if len(ids) == limit or ids[-1:] == (eos,):
            return Found(first.new_tensor(ids), -cost, expanded)
        if expanded == budget:
            raise BudgetSpent(f"{budget} steps do not find the best text for sure: give a larger budget")
        last = first.new_tensor(ids[-1:]) if ids else first
        costs, state = _costs(step, last, state, eos=eos)
        for token, more in enumerate(costs):
            heapq.heappush(heap, (cost + more, next(order), (*ids, token), state))


def _costs(step, ids, state, *, eos):
    """−log p of every token after ids (1,), a list of V numbers, and the state after them."""
    logits, state = step(ids, state)
    check_eos(eos, logits)
    check_logits(logits)
    return (-_log_softmax(logits[0])).tolist(), state


# ---- shared ----


def _log_softmax(logits):
    """In float32 at least, for many of them are added up."""
    return logits.log_softmax(-1, dtype=torch.promote_types(logits.dtype, torch.float32))


def _check_beam(width, slots, alpha):
    """Raise ValueError for a number out of range; a tensor is an input of a graph and cannot be asked."""
    if not isinstance(alpha, torch.Tensor) and not 0 <= alpha < torch.inf:
        raise ValueError(f"alpha is {alpha}: give 0 for plain probability, 1 for the mean over tokens")
    if not isinstance(slots, int):
        raise ValueError(f"width is {width}: give a whole number, and slots, a whole number, beside a tensor")
    if not isinstance(width, torch.Tensor) and not 1 <= width <= slots:
        raise ValueError(f"width is {width}: keep at least 1 hypothesis, and up to {slots}, one a slot")


def _check_room(width, limit, size):
    """Raise ValueError for a beam wider than all the texts there could be."""
    if not isinstance(width, torch.Tensor) and width > size**limit:
        raise ValueError(
            f"width is {width}, but {size} tokens make no more than {size**limit} texts of {limit}: "
            "give a smaller width"
        )


def _check_exact(first, budget):
    """Raise ValueError for more than one text at a time, or no step allowed."""
    if len(first) != 1:
        raise ValueError(f"best-first search takes one text at a time, not {len(first)}: give a batch of 1")
    if budget < 1:
        raise ValueError(f"the budget is {budget}: allow at least 1 step")
