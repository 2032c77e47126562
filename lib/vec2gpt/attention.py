"""Attention: a look-up in a memory, made soft, so that one can learn where to look.

Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015; Vaswani et al. 2017. A dictionary compares a *query*
with its *keys* and returns the *value* of the one that is equal. Here every key fits more or less:

    e = score(q, k)        how well each query and each key go together     (…, T, S)
    α = softmax(e)         as weights, which sum to 1 over the keys         (…, T, S)
    c = α v                the average of the values, by their weights      (…, T, V)

Scores differ in what they can compare and in what they must learn: `SCORES`. What looks, and at what, is not
said here: a decoder at the states of an encoder (`attentive`), or a text at itself (`transformer`).

Left out: local and hard attention, which look at a part of the memory, or at one place; and dropout of the
weights.
"""

import torch
import torch.nn.functional as F
from torch import nn

# ---- the look-up ----


def dot(q, k):
    """q · k of every query and every key: q (…, T, K), k (…, S, K) -> scores (…, T, S)."""
    _check_widths(q.shape[-1], k.shape[-1])
    return q @ k.transpose(-2, -1)


def scaled_dot(q, k):
    """q · k / √K, which stays of size 1 however wide the vectors are, if their numbers are."""
    return dot(q, k) / q.shape[-1] ** 0.5


def attention_weights(scores, mask=None):
    """softmax of the scores (…, T, S) over the keys; each row sums to 1.

    `mask` is boolean, True = may look, and broadcasts to the scores. A row that may look nowhere is all 0.
    """
    if mask is None:
        return scores.softmax(-1)
    check_mask(mask)
    # the lowest number instead of −∞: a row without any open place stays finite, and becomes 0 afterwards
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(-1) * mask


def attend(q, k, v, mask=None, *, score=scaled_dot, change=None):
    """Average the values v (…, S, V) by the attention weights; return (out (…, T, V), weights (…, T, S)).

    score(q, k) -> (…, T, S). change(weights) -> weights: another place to look, for experiments.

    Keys [[1, 0], [0, 1]] and a query [√2 · ln 3, 0] give scores ln 3 and 0, so weights 3/4 and 1/4.
    """
    weights = attention_weights(score(q, k), mask)
    weights = weights if change is None else change(weights)
    return weights @ v, weights


def attend_fused(q, k, v, mask=None):
    """`attend` where the weights are not wanted: the same output, and they are never stored.

    Of q (B, H, T, K), groups of heads may share k and v (B, G, S, K), as in `shared`.
    """
    if mask is not None:
        check_mask(mask)
    if q.dim() == 4:
        k, v = shared(q, k, v)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


# ---- where one may look ----


def padding_mask(ids, pad):
    """(…, 1, S) boolean, True where ids (…, S) are tokens: nobody looks at padding."""
    return (ids != pad).unsqueeze(-2)


def causal_mask(length, *, device=None):
    """(T, T) boolean, True on the diagonal and below: a token sees itself and what came before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


# ---- how well a query and a key go together ----


class Score(nn.Module):
    """score(q, k): queries (…, T, query_width) and keys (…, S, key_width) -> scores (…, T, S).

    It is cut in two, for a decoder asks the same keys again at every step: `prepare(k)` is done once for all
    queries, `compare(q, prepared)` for each.
    """

    def __init__(self, query_width, key_width):
        super().__init__()
        if min(query_width, key_width) < 1:
            raise ValueError(f"the widths are {query_width} and {key_width}: give at least 1")

    def forward(self, q, k):
        return self.compare(q, self.prepare(k))

    def prepare(self, k):
        return k


class Dot(Score):
    """q · k. It learns nothing of its own, and is undefined where the widths differ (Luong et al. 2015)."""

    compare = staticmethod(dot)

    def __init__(self, query_width, key_width):
        super().__init__(query_width, key_width)
        _check_widths(query_width, key_width)


class ScaledDot(Dot):
    """q · k / √K (Vaswani et al. 2017)."""

    compare = staticmethod(scaled_dot)


class General(Score):
    """q · W k: a dot product behind a matrix that is learned, of any two widths (Luong et al. 2015)."""

    compare = staticmethod(dot)

    def __init__(self, query_width, key_width):
        super().__init__(query_width, key_width)
        self.key = nn.Linear(key_width, query_width, bias=False)

    def prepare(self, k):
        return self.key(k)


class Additive(Score):
    """v · tanh(W q + U k): a network with one hidden layer, as wide as the query (Bahdanau et al. 2015)."""

    def __init__(self, query_width, key_width):
        super().__init__(query_width, key_width)
        self.query = nn.Linear(query_width, query_width, bias=False)
        self.key = nn.Linear(key_width, query_width, bias=False)
        self.score = nn.Linear(query_width, 1, bias=False)

    def prepare(self, k):
        return self.key(k)

    def compare(self, q, prepared):
        hidden = torch.tanh(self.query(q).unsqueeze(-2) + prepared.unsqueeze(-3))  # (…, T, S, D)
        return self.score(hidden).squeeze(-1)


class Concat(Score):
    """v · tanh(W [q; k]): the same function as `Additive`, its two matrices side by side (Luong et al. 2015).

    Written like this every pair is joined before it meets the matrix: T · S products instead of T + S.
    """

    def __init__(self, query_width, key_width):
        super().__init__(query_width, key_width)
        self.pair = nn.Linear(query_width + key_width, query_width, bias=False)
        self.score = nn.Linear(query_width, 1, bias=False)

    def compare(self, q, k):
        T, S = q.shape[-2], k.shape[-2]
        q = q.unsqueeze(-2).expand(*q.shape[:-1], S, -1)
        k = k.unsqueeze(-3).expand(*k.shape[:-2], T, S, -1)
        return self.score(torch.tanh(self.pair(torch.cat([q, k], -1)))).squeeze(-1)


SCORES = {"dot": Dot, "scaled dot": ScaledDot, "general": General, "additive": Additive, "concat": Concat}


# ---- several looks at once ----


class MultiHeadAttention(nn.Module):
    """Several small attentions side by side, each on its own projection (Vaswani et al. 2017).

    The function is that of torch.nn.MultiheadAttention, the first weights are nn.Linear's.
    width: of queries and answers; keys and values may have other widths. groups: so many heads' worth of keys
    and values, each shared by heads / groups queries (Ainslie et al. 2023; one: Shazeer 2019). None: no two
    share.
    """

    def __init__(self, width, *, heads, groups=None, key_width=None, value_width=None, bias=True):
        super().__init__()
        key_width = width if key_width is None else key_width
        value_width = width if value_width is None else value_width
        if min(width, heads) < 1 or width % heads:
            raise ValueError(
                f"width {width} does not split into {heads} heads: choose a multiple of 1 head or more"
            )
        if min(key_width, value_width) < 1:
            raise ValueError(f"keys of {key_width} and values of {value_width} numbers: give at least 1")
        groups = heads if groups is None else groups
        if groups < 1 or heads % groups:
            raise ValueError(f"{heads} heads do not make {groups} equal groups: choose a divisor of {heads}")
        self.heads, self.head_width = heads, width // heads
        self.query = nn.Linear(width, width, bias=bias)
        self.key = nn.Linear(key_width, width * groups // heads, bias=bias)
        self.value = nn.Linear(value_width, width * groups // heads, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)

    def forward(self, query, key, value, *, mask=None):
        """query (B, T, D), key and value (B, S, …) -> (B, T, D); mask broadcasts to (B, H, T, S)."""
        for name, x in {"query": query, "key": key, "value": value}.items():
            if x.dim() != 3:
                raise ValueError(f"{name} has the shape {tuple(x.shape)}: give a batch, (B, length, width)")
        if mask is not None and mask.dim() == 3:  # its first axis would be taken for the heads
            raise ValueError(f"mask has the shape {tuple(mask.shape)}: give (B, 1, T, S), or (T, S) for all")
        q, k, v = self.project(query, key, value)
        return self.merge(attend_fused(q, k, v, mask))

    def project(self, query, key, value):
        """What each head asks, offers and holds: q (B, H, T, K), k and v (B, H, S, K); of groups fewer."""
        return self._split(self.query(query)), self._split(self.key(key)), self._split(self.value(value))

    def merge(self, out):
        """Join the heads' answers: (B, H, T, K) -> (B, T, D)."""
        return self.output(out.transpose(1, 2).flatten(2))

    def _split(self, x):
        return x.unflatten(-1, (-1, self.head_width)).transpose(1, 2)  # (B, T, D) -> (B, H, T, K)


def shared(q, k, v):
    """Keys and values for every head of q (B, H, T, K), where groups of heads share them.

    k and v (B, G, S, K) -> (B, H, S, K): heads 0 … H / G − 1 ask the first keys, and so on.
    """
    if q.shape[1] == k.shape[1]:
        return k, v
    times = max(q.shape[1] // k.shape[1], 1)
    return k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)


# ---- what does not fit ----


def _check_widths(query_width, key_width):
    """Raise ValueError where there is no dot product."""
    if query_width != key_width:
        raise ValueError(
            f"a query of {query_width} numbers and a key of {key_width} have no dot product: project one to "
            "the other's width, as the score 'general' does"
        )


def check_mask(mask):
    """Raise ValueError for a mask that is no answer to: may it look there?"""
    if mask.dtype != torch.bool:
        raise ValueError(f"mask is {mask.dtype}: give torch.bool, True = may look")
