"""The search tree under the reader's hand: what a beam keeps and prunes, what sampling draws (chapter 5).

The search is `search.beam_search` itself, and the samples are those of `decoding.sampling`: the view only
draws what they did. So are the uniform numbers that decide a sample: they are part of the graph, and each
draw turns them around the circle [0, 1) by the golden ratio.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vec2gpt.decoding import greedy, many, sampling
from vec2gpt.search import Trace, beam_search
from vec2gpt.seq2seq import Seq2Seq
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.spelling import LIMIT, opening
from vec2gpt.widgets.vocabularies import Vocabs, by_name

WIDEST = 8  # hypotheses that a beam can keep
PRUNED = 4  # of the continuations that fell at a step, the best that are shown
SAMPLES = 6
RANGES = {"width": (1, WIDEST), "alpha": (0, 2), "temperature": (0.1, 2), "top_p": (0.05, 1)}
WHOLE = "width", "top_k"  # numbers that are counted
OUTPUTS = ["parent", "token", "chance", "log_p", "score"]  # the search
OUTPUTS += ["texts", "said", "text_log_p", "text_score", "drawn"]
GOLDEN = 0.6180339887


class SearchTree(nn.Module):
    """Read a word, and write what it may be: by beam search, greedily, and six times by chance.

    source_ids (1, S); width (1,), up to 8, and alpha (1,) of the search; temperature (1,), top_k (1,), top_p
    (1,) and draw (1,), which draw it is, of the sampling →

    parent, token, chance, log_p (T, 12): the `Branches` of every step, the 8 slots and 4 that were pruned;
    score (T, 8) of the slots, 0 where nothing is.
    texts (7, T): the greedy one, then the samples; said (7, T): whether a token is one of the text, end
    included; text_log_p and text_score (7,), by the model itself; drawn (6, T): the probability that each
    token of a sample was drawn with, after temperature, top-k and top-p.
    """

    def __init__(self, model: Seq2Seq, *, limit: int = LIMIT, seed: int = 0):
        super().__init__()
        self.model, self.eos, self.limit = model, model.config.eos, limit
        self.register_buffer("u", torch.rand(SAMPLES, limit, generator=torch.Generator().manual_seed(seed)))

    def forward(self, source_ids, width, alpha, temperature, top_k, top_p, draw) -> tuple[Tensor, ...]:
        first, state = self.model.start(source_ids)
        tree = self.search(first, state, width=width, alpha=alpha)
        best = greedy(self.model.step, first, state, eos=self.eos, limit=self.limit)
        samples, drawn = self.sample(first, state, draw, temperature=temperature, top_k=top_k, top_p=top_p)
        texts = torch.cat([self.whole(best, self.eos), samples])  # (7, T)
        ended = texts == self.eos
        said = ended.cumsum(-1) - ended.long() == 0  # up to the end, that included
        log_p = (self.log_p(texts, first, state) * said).sum(-1)
        score = log_p / said.sum(-1).to(log_p.dtype) ** alpha
        return *tree, texts, said.long(), log_p, score, drawn * said[1:]

    def search(self, first, state, *, width, alpha) -> tuple[Tensor, ...]:
        """The tree of a beam search: its branches, and the scores of its slots."""
        options = {"eos": self.eos, "width": width, "limit": self.limit, "alpha": alpha, "slots": WIDEST}
        trace = beam_search(self.model.step, first, state, **options).trace
        trace = Trace(*(part[0] for part in trace))
        grown = branches(trace)
        score = torch.where(grown.chance[:, :WIDEST] > 0, trace.score, 0.0)
        return tuple(self.whole(part.mT, 0).mT for part in (*grown, score))

    def sample(self, first, state, draw, **limits) -> tuple[Tensor, Tensor]:
        """The samples (6, T), and the probabilities (6, T) that their tokens were drawn with."""
        u = self.u + draw * GOLDEN
        first, state = many(SAMPLES, (first, state))
        ids, p = sampling(self.model.step, first, state, u - u.floor(), eos=self.eos, **limits)
        return self.whole(ids, self.eos), self.whole(p.gather(2, ids[..., None])[..., 0], 0)

    def log_p(self, texts, first, state) -> Tensor:
        """The log-probability (7, T) of every token of texts (7, T) after those before it."""
        first, state = many(len(texts), (first, state))
        logits, _ = self.model.read(torch.cat([first[:, None], texts[:, :-1]], 1), state)  # (7, T, V)
        return logits.log_softmax(-1).gather(2, texts[..., None])[..., 0]

    def whole(self, steps, filling) -> Tensor:
        """Steps (…, T) up to the limit: a search stops when nothing is left to say, a graph never does."""
        return pad(steps, (0, self.limit - steps.shape[-1]), value=filling)


# ---- what of a search's trace is drawn ----


class Branches(NamedTuple):
    """What a step goes on with, N branches of every step of one text; chance 0 where there is none."""

    parent: Tensor  # the slot of the step before that it continues, (T, N)
    token: Tensor  # (T, N)
    chance: Tensor  # the token's probability after that slot, (T, N)
    log_p: Tensor  # of all its tokens, (T, N)


def branches(trace: Trace) -> Branches:
    """What survived each step (K, best first), and the likeliest of what did not (PRUNED).

    A text that has ended keeps its slot with chance 1, until all have.
    """
    alone = torch.arange(trace.log_p.shape[1], device=trace.log_p.device)[None] > 0  # slot 0 holds the root
    log_p = torch.cat([torch.zeros_like(trace.log_p[:1]).masked_fill(alone, -torch.inf), trace.log_p[:-1]])
    ended = torch.cat([alone, trace.ended[:-1]])
    kept, fallen = survivors(trace, log_p, ended), pruned(trace, log_p, ended)
    both = Branches(*(torch.cat(pair, 1) for pair in zip(kept, fallen, strict=True)))
    return Branches(*(torch.where(both.chance > 0, part, 0) for part in both))


def survivors(trace: Trace, log_p: Tensor, ended: Tensor) -> Branches:
    """The branches to what survived, where log_p and ended (T, K) are those of the slots before."""
    chance = (trace.log_p - log_p.gather(1, trace.parent)).exp()
    there = (trace.log_p > -torch.inf) & ~ended.all(1, keepdim=True)
    return Branches(trace.parent, trace.token, torch.where(there, chance, 0.0), trace.log_p)


def pruned(trace: Trace, log_p: Tensor, ended: Tensor) -> Branches:
    """The likeliest branches to what did not survive."""
    count = trace.candidates.shape[2]
    slots = torch.arange(trace.parent.shape[1], device=log_p.device)[:, None, None]
    parent, token, there = (
        part[:, None, None] for part in (trace.parent, trace.token, trace.log_p > -torch.inf)
    )
    survives = ((parent == slots) & (token == trace.candidates[..., None]) & there).any(-1)  # (T, K, C)
    total = (log_p[..., None] + trace.chances).masked_fill(survives | ended[..., None], -torch.inf)
    best, chosen = total.flatten(1).topk(PRUNED)  # (T, 4)
    token, chance = (part.flatten(1).gather(1, chosen) for part in (trace.candidates, trace.chances))
    return Branches(chosen // count, token, torch.where(best > -torch.inf, chance.exp(), 0.0), best)


# ---- the widget ----


def tree_widget(
    models: Seq2Seq | dict[str, Seq2Seq],
    vocabs: Vocabs | dict[str, Vocabs],
    word: str,
    *,
    dictionary: dict[str, list[list[str]]] | None = None,
    width: int = 3,
    alpha: float = 1.0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
) -> LiveModel:
    """A word to type, and the tree of the search for its pronunciation; or six samples as a tree.

    models: an encoder-decoder, or a dict of such by name ("trained here", "long run"), between which the
    reader chooses. vocabs: (letters, phonemes), of all models or of each by its name.
    word: 1 to 32 letters a–z, shown to begin with.
    dictionary: words offered as examples, in this order → their listed pronunciations, of which any counts as
    right, stress aside; an invented word has none: [].
    width, alpha, temperature, top_k and top_p are those to begin with: of `search.beam_search`, 1 to 8 and 0
    to 2, and of `decoding.restrict`, 0.1 to 2, at least 1 (None: all) and 0.05 to 1.

    >>> tree_widget(model, (letters, phonemes), "through", dictionary={"through": [["TH", "R", "UW"]]})
    LiveModel(tree: source_ids, width, alpha, temperature, top_k, top_p, draw → parent, token, ...)
    """
    models, vocabs = by_name(models, vocabs)
    source_ids, about = opening(models, vocabs, word, dictionary or {})
    most = max(model.config.target_vocab for model in models.values())
    ranges = {**RANGES, "top_k": (1, most)}
    top_k = most if top_k is None else top_k
    start = {"width": width, "alpha": alpha, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    _check_start(start, ranges)
    numbers = {
        name: torch.tensor([value if name in WHOLE else float(value)]) for name, value in start.items()
    }
    return LiveModel(
        "tree",
        {name: SearchTree(model) for name, model in models.items()},
        {"source_ids": source_ids, **numbers, "draw": torch.tensor([0])},
        OUTPUTS,
        lengths={"source_ids": [1]},
        settings={
            **about,
            "start": start,
            "ranges": {name: list(ends) for name, ends in ranges.items()},
        },
    )


def _check_start(start: dict[str, float], ranges: dict[str, tuple[float, float]]) -> None:
    for name, value in start.items():
        least, most = ranges[name]
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}; the slider goes from {least} to {most}")
        if name in WHOLE and value != int(value):
            raise ValueError(f"{name} is {value}; give a whole number")
