"""Decoding: turn a model's next-token probabilities into text.

Everything here works over two functions that every model has: `read(ids (B, T), state)` for several tokens
and `step(ids (B,), state)` for one. Both return logits and the next state. Top-k: Fan, Lewis & Dauphin 2018;
top-p, or nucleus: Holtzman et al. 2020.

Chance comes from outside, as uniform numbers u: the same numbers give the same text wherever the model runs.

Left out: beam search.
"""

import torch

from vec2gpt.recurrent import unroll


def restrict(logits, temperature=1.0, top_k=None, top_p=1.0):
    """Probabilities (…, V) of logits (…, V) at a temperature, cut to the likeliest tokens and renormalised.

    temperature > 0 divides the logits; top_k ≥ 1 keeps that many tokens (None: all); of these, top_p in
    (0, 1] keeps the likeliest until their probabilities add up to top_p. At least one token stays. Each may
    be a number or a tensor without axes, as in an exported graph.

    Probabilities ½, ¼, ⅛, ⅛ become ⅔, ⅓, 0, 0 at top_k = 2, and at any top_p above ½ and up to ¾.
    """
    top_k = logits.shape[-1] if top_k is None else top_k
    _check_limits(temperature, top_k, top_p)
    probabilities, order = torch.sort((logits / temperature).softmax(-1), dim=-1, descending=True)
    rank = torch.arange(logits.shape[-1], device=logits.device)
    kept = _normalise(probabilities * (rank < top_k))
    before = kept.cumsum(-1) - kept  # what the likelier tokens add up to
    kept = _normalise(kept * (before < top_p))
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
    u = torch.rand(ids.shape[0], n, generator=generator).to(ids.device)
    written, _ = continue_with(model, ids, u, temperature=temperature, top_k=top_k, top_p=top_p)
    return written


@torch.no_grad()
def continue_with(model, ids, u, *, temperature=1.0, top_k=None, top_p=1.0):
    """Continue each row of ids (B, T) as the uniform numbers u (B, n) in [0, 1) decide.

    Returns the ids written (B, n), and the probabilities (B, n, V) that each was picked from.
    """

    def write(carry, u):
        logits, state = carry
        probabilities = restrict(logits, temperature, top_k, top_p)
        ids = sample(probabilities, u)
        return model.step(ids, state), (ids, probabilities)

    logits, state = model.read(ids, model.initial(ids.shape[0]))
    _, (written, probabilities) = unroll(write, (logits[:, -1], state), u)
    return written, probabilities


@torch.no_grad()
def greedy(model, source_ids, *, limit):
    """Translate source_ids (B, S), always saying the likeliest token; return (B, limit) ids.

    After its `eos` a row is filled with `pad`; a row without one was cut at the limit. The model is used in
    the mode it is in: call `model.eval()` first.
    """
    if limit < 1:
        raise ValueError(f"cannot write {limit} tokens: give a limit of at least 1")
    config = model.config

    def write(carry, _):
        ids, going, state = carry
        logits, state = model.step(ids, state)
        ids = torch.where(going, logits.argmax(-1), config.pad)
        return (ids, going & (ids != config.eos), state), ids

    first = torch.full_like(source_ids[:, 0], config.bos)
    clock = source_ids.new_zeros(source_ids.shape[0], limit)  # one column a step
    _, written = unroll(write, (first, first == config.bos, model.encode(source_ids)), clock)
    return written


def _normalise(weights):
    return weights / weights.sum(-1, keepdim=True)


def _check_limits(temperature, top_k, top_p):
    """Raise ValueError for a number out of range; a tensor is an input of a graph and cannot be asked."""
    if not isinstance(temperature, torch.Tensor) and not 0 < temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: choose a number above 0, such as 0.8")
    if not isinstance(top_k, torch.Tensor) and top_k < 1:
        raise ValueError(f"top_k is {top_k}: keep at least 1 token, or give None to keep all")
    if not isinstance(top_p, torch.Tensor) and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: choose a number above 0 and up to 1, which keeps all")
