"""Decoding: turn a model's next-token probabilities into text, one token after the other.

Two ways in. `generate` and `continue_with` take a language model and the beginning of a text, which it reads
at once, and write as many tokens as are wanted. `greedy` and `sampling` write to the end token, and work over
one function that every model has, `step(ids (B,), state) -> (logits (B, V), state)`, from a first token and a
first state on; for a model of two sequences `model.start(source_ids)` gives both. A state is a nested tuple
of tensors, batch first. Top-k: Fan, Lewis & Dauphin 2018; top-p, or nucleus: Holtzman et al. 2020.

Chance comes from outside, as uniform numbers u: the same numbers give the same text wherever the model runs.
Many samples of one source are a batch that repeats it.

Left out: what keeps several beginnings of a text alive (see `search`).
"""

from itertools import takewhile

import torch
from torch.utils import _pytree as pytree

from vec2gpt.unrolling import is_exporting, unroll


def restrict(logits, temperature=1.0, top_k=None, top_p=1.0):
    """Probabilities (…, V) of logits (…, V) at a temperature, cut to the likeliest tokens and renormalised.

    temperature > 0 divides the logits; top_k ≥ 1 keeps that many tokens (None: all); of these, top_p in
    (0, 1] keeps the likeliest until their probabilities add up to top_p, and 1 keeps all. At least one token
    stays. Each may be a number or, as in an exported graph, a tensor of one: () or (1,).

    Probabilities ½, ¼, ⅛, ⅛ become ⅔, ⅓, 0, 0 at top_k = 2, and at any top_p above ½ and up to ¾.
    """
    _check_limits(temperature, top_k, top_p)
    top_k = logits.shape[-1] if top_k is None else top_k
    probabilities, order = torch.sort((logits / temperature).softmax(-1), dim=-1, descending=True)
    rank = torch.arange(logits.shape[-1], device=logits.device)
    kept = _normalise(probabilities * (rank < top_k))
    before = kept.cumsum(-1) - kept  # what the likelier tokens add up to
    # 1 is asked for by itself: rounding may bring `before` to 1 while tokens are left
    kept = _normalise(kept * ((before < top_p) | (top_p >= 1)))
    return torch.zeros_like(kept).scatter(-1, order, kept)


def sample(probabilities, u):
    """Pick a token from probabilities (B, V) by uniform numbers u (B,) in [0, 1); return ids (B,).

    The tokens lie side by side on [0, 1), each as wide as its probability; u falls on one of them.
    Of probabilities ½, ¼, ¼ the number 0.6 picks token 1.
    """
    ends = probabilities.cumsum(-1)  # where each token's piece ends
    total = ends[..., -1:]  # 1, but for rounding
    # `ends < total` stops at the last token that has any probability, should rounding carry u beyond it
    return ((ends <= u[..., None] * total) & (ends < total)).sum(-1)


def generate(model, ids, n, *, temperature=1.0, top_k=None, top_p=1.0, generator=None):
    """Continue each row of ids (B, T) by n sampled tokens; return them, (B, n). Limits as in `restrict`."""
    if n < 1:
        raise ValueError(f"cannot write {n} tokens: ask for at least 1")
    u = torch.rand(ids.shape[0], n, generator=generator)
    written, _ = continue_with(model, ids, u, temperature=temperature, top_k=top_k, top_p=top_p)
    return written


@torch.no_grad()
def continue_with(model, ids, u, *, temperature=1.0, top_k=None, top_p=1.0):
    """Continue each row of ids (B, T) as the uniform numbers u (B, n) in [0, 1) decide.

    Returns the ids written (B, n), and the probabilities (B, n, V) that each was picked from.
    """
    draw = _drawing(temperature, top_k, top_p)

    def write(carry, u):  # the text is read already, so each step begins with what follows it
        logits, state = carry
        check_logits(logits)
        ids, probabilities = draw(logits, u)
        return model.step(ids, state), (ids, probabilities)

    logits, state = model.read(ids, model.initial(ids.shape[0]))
    _, written = unroll(write, (logits[:, -1], state), u.to(ids.device))
    return written


# ---- from a first token to the end token ----


@torch.no_grad()
def greedy(step, first, state, *, eos, limit):
    """Say the likeliest token, again and again, from first (B,) on; return ids (B, T), T ≤ limit.

    A row ends with `eos` and is filled up with it; one without was cut at the limit. Writing stops when all
    rows have ended. A model is used in the mode it is in: call `model.eval()` first.

        ids = greedy(model.step, *model.start(source_ids), eos=model.config.eos, limit=30)
    """
    (ids,) = _write(step, first, state, clock(first, limit), eos=eos, pick=_likeliest)
    return ids


@torch.no_grad()
def sampling(step, first, state, u, *, eos, temperature=1.0, top_k=None, top_p=1.0):
    """As `greedy`, but each token is drawn as the uniform numbers u (B, limit) in [0, 1) decide.

    Limits as in `restrict`. Returns ids (B, T), T ≤ limit, and the probabilities (B, T, V) that each was
    picked from.
    """
    if u.dim() != 2 or len(u) != len(first):
        raise ValueError(f"u has the shape {tuple(u.shape)}: give a row of numbers for each of {len(first)}")
    check_limit(u.shape[1])
    pick = _drawing(temperature, top_k, top_p)
    return _write(step, first, state, u.to(first.device), eos=eos, pick=pick)


def until_end(ids, *, eos):
    """What each row of ids (B, T) says up to its end token, which is dropped: B lists of ids.

    >>> until_end(torch.tensor([[5, 2, 2], [3, 4, 5]]), eos=2)
    [[5], [3, 4, 5]]
    """
    return [list(takewhile(lambda token: token != eos, row)) for row in ids.tolist()]


def _write(step, first, state, inputs, *, eos, pick):
    """Read a token, pick the next, and so on, once for each column of inputs (B, limit), or until all end.

    `pick(logits (B, V), column (B,))` returns ids (B,), and whatever is to be kept beside them. Returns all
    that it did, stacked along axis 1.
    """

    def write(carry, column):
        ids, ended, state = carry
        logits, state = step(ids, state)
        check_eos(eos, logits)
        check_logits(logits)
        ids, *beside = pick(logits, column)
        ids = torch.where(ended, eos, ids)
        return (ids, ended | (ids == eos), state), (ids, *beside)

    carry = first, torch.zeros_like(first, dtype=torch.bool), state
    _, written = unroll(write, carry, inputs, until=_all_ended)
    return written


def _all_ended(carry):
    return carry[1].all()


# ---- two ways to pick ----


def _likeliest(logits, _):
    return (logits.argmax(-1),)


def _drawing(temperature, top_k, top_p):
    """What picks a token by logits (B, V) and uniform numbers u (B,): ids (B,), drawn from (B, V)."""

    def draw(logits, u):
        probabilities = restrict(logits, temperature, top_k, top_p)
        return sample(probabilities, u), probabilities

    return draw


# ---- shared with `search` ----


def clock(first, limit):
    """One column a step, (B, limit), for `unroll` to count by; ValueError for a limit below 1."""
    check_limit(limit)
    return first.new_zeros(len(first), limit)


def many(count, tensors):
    """Nested tensors (B, …), such as a state, with each row `count` times, side by side: (B · count, …).

    >>> many(2, torch.tensor([[5], [7]])).tolist()
    [[5], [5], [7], [7]]
    """
    return pytree.tree_map(lambda leaf: leaf.repeat_interleave(count, 0), tensors)


def check_limit(limit):
    """Raise ValueError if not even one token may be written."""
    if limit < 1:
        raise ValueError(f"cannot write {limit} tokens: give a limit of at least 1")


def check_eos(eos, logits):
    """Raise ValueError if the end token is no column of logits (B, V)."""
    size = logits.shape[-1]
    if not 0 <= eos < size:
        raise ValueError(
            f"eos is {eos}, but the model knows the ids 0 … {size - 1}: give that of the end token"
        )


def check_logits(logits):
    """Raise ValueError if one of them is nan; an exported graph does not ask."""
    if not is_exporting() and logits.isnan().any():
        raise ValueError(
            "the model's logits are nan, so are its weights or its state: load it, or train it, again"
        )


def _normalise(weights):
    return weights / weights.sum(-1, keepdim=True)


def _check_limits(temperature, top_k, top_p):
    """Raise ValueError for a number out of range; a tensor is an input of a graph and cannot be asked."""
    if not isinstance(temperature, torch.Tensor) and not 0 < temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: choose a number above 0, such as 0.8")
    if not isinstance(top_k, torch.Tensor | None) and not (isinstance(top_k, int) and top_k >= 1):
        raise ValueError(f"top_k is {top_k}: give a whole number of at least 1, or None to keep all tokens")
    if not isinstance(top_p, torch.Tensor) and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: choose a number above 0 and up to 1, which keeps all")
