"""Induction heads: a head that finds where a token stood before, and looks at what came after it.

Elhage et al. 2021 found them in models of two layers, Olsson et al. 2022 in large ones: with A B … A in the
text they make B likely, whatever A and B are. It takes two heads, in two layers: one looks at the token
before it and writes down which it was, the other looks for who wrote down the token that it has itself.

A *pattern* (B, T, T) marks places where a kind of head would look. A head's score is its weight on them:

    score(h) = mean over t of Σ_s α_h(t, s) · pattern(t, s)       from 0 to 1

Looking is not yet using. What a head does for the loss shows when it is switched off.

Left out: heads that look for tokens alike and not equal; what a head adds when its input is held fixed.
"""

import torch

from vec2gpt.attention import attend_fused
from vec2gpt.checks import check_ids, check_sizes

# ---- where a head would look ----


def after_the_same(ids):
    """True at [b, t, s] if the token before s is the one at t, and s ≤ t: what an induction head looks at.

    For the ids a b a, the last a marks the b.
    """
    _check(ids)
    pattern = torch.zeros(*ids.shape, ids.shape[1], dtype=torch.bool, device=ids.device)
    pattern[:, :, 1:] = ids[:, :, None] == ids[:, None, :-1]
    return pattern.tril()


def just_before(ids):
    """True at [b, t, t − 1]: what a previous-token head looks at; of ids (B, T) only the shape matters."""
    _check(ids)
    length = ids.shape[1]
    places = torch.arange(length, device=ids.device)
    return (places[:, None] - 1 == places).expand(len(ids), -1, -1)


def _check(ids):
    """Of any vocabulary: ids are (B, T), at least one, and none is negative."""
    check_ids(ids, int(ids.max()) + 1 if ids.numel() else 1)


def score(weights, pattern):
    """The weight that each head gives to the pattern: weights (B, L, H, T, T), pattern (B, T, T) -> (L, H).

    The mean over all t of all texts for which the pattern has a place; ValueError where there is none.
    """
    if weights.dim() != 5 or weights.shape[0] != len(pattern) or weights.shape[3:] != pattern.shape[1:]:
        shapes = f"{tuple(weights.shape)} and {tuple(pattern.shape)}"
        raise ValueError(f"weights and pattern have the shapes {shapes}: give (B, L, H, T, T) and (B, T, T)")
    rows = pattern.any(-1)  # (B, T)
    if not rows.any():
        raise ValueError("the pattern has no place in these texts: give longer ones, in which tokens recur")
    given = (weights * pattern[:, None, None]).sum(-1)  # (B, L, H, T)
    return given.permute(0, 3, 1, 2)[rows].mean(0)


# ---- a text that only what came before can help with ----


def repeated(vocab_size, *, length, size, generator):
    """`size` texts of `length` tokens drawn alone, each said twice: ids (size, 2 · length)."""
    check_sizes(2, vocab_size=vocab_size)
    check_sizes(length=length, size=size)
    once = torch.randint(vocab_size, (size, length), generator=generator)
    return torch.cat([once, once], 1)


# ---- what a head is good for ----


class Without:
    """Attention for `GPT.forward(…, attend=)` in which some heads answer 0.

    heads: pairs (layer, head). layers: how many call it in turn; after the last comes the first again.
    """

    def __init__(self, heads, *, layers):
        check_sizes(layers=layers)
        if odd := [layer for layer, _ in heads if not 0 <= layer < layers]:
            raise ValueError(f"there is no layer {odd[0]}: give 0 … {layers - 1}")
        self.heads, self.layers, self.called = frozenset(heads), layers, 0

    def __call__(self, q, k, v, mask):
        layer, self.called = self.called % self.layers, self.called + 1
        off = [head for at, head in self.heads if at == layer]
        if any(not 0 <= head < q.shape[1] for head in off):
            raise ValueError(f"heads {sorted(off)} are not all there: layer {layer} has 0 … {q.shape[1] - 1}")
        answers = torch.ones(q.shape[1], 1, 1, dtype=q.dtype, device=q.device)
        answers[off] = 0
        return attend_fused(q, k, v, mask) * answers


@torch.no_grad()
def rises(model, ids, targets):
    """How much higher the loss of a GPT is when each head is switched off: (L, H), in nats.

    targets (B, T): −100 where the loss does not count, such as in the first half of a text said twice. The
    model is used in the mode it is in: call `eval()` first.
    """
    layers, heads = model.config.layers, model.config.heads
    _, whole = model(ids, targets)

    def rise(layer, head):
        _, loss = model(ids, targets, attend=Without({(layer, head)}, layers=layers))
        return (loss - whole).item()

    return torch.tensor([[rise(layer, head) for head in range(heads)] for layer in range(layers)])
