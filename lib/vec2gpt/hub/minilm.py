"""A sentence encoder that others trained and that opens in our BERT: all-MiniLM-L6-v2.

MiniLM (Wang et al. 2020) is a BERT of 6 layers of width 384 that learned to look where a larger one looks.
Reimers & Gurevych (2019) had BERTs give a text one vector, the mean of its tokens', and trained them on pairs
until those of texts that belong together pointed the same way; this one was trained so on a billion pairs
from the web. It has no head that fills in gaps.

    first, second = minilm.embed(["A cat sleeps.", "The kitten naps."])
    first @ second                                                           the cosine of their angle
"""

import json
from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from vec2gpt import corpora
from vec2gpt.bert import Bert
from vec2gpt.checks import check_sizes
from vec2gpt.classifiers import token_mean
from vec2gpt.hub.from_hf.bert import BERT, configuration
from vec2gpt.hub.from_hf.shared import opened
from vec2gpt.pairs import padded
from vec2gpt.wordpiece import WordPiece


class MiniLM(NamedTuple):
    model: Bert  # in evaluation mode
    tokens: WordPiece


def load() -> MiniLM:
    """A model of your own with its vocabulary; the weights are fetched when they are not here (84 MB).

    DataError when they cannot be had.
    """
    config = json.loads(corpora.member("minilm", "config.json").read_text(encoding="utf-8"))
    weights = load_file(corpora.member("minilm", "model.safetensors"))
    model = opened(Bert, configuration(SimpleNamespace(**config)), weights, BERT)
    return MiniLM(model.eval(), WordPiece.load(corpora.member("minilm", "vocab.txt")))


def embed(
    texts: Sequence[str], *, encoder: MiniLM | None = None, limit: int | None = None, batch: int = 32
) -> Tensor:
    """A vector of length 1 for each text, (N, 384), without gradients; so that a · b is a cosine.

    encoder: as `load` gave it, or tuned since then; None: the original. batch: texts that are read at once.
    limit: as of `rows`; the reference cuts at 256 tokens, and our numbers are its at limit=256.

    Errors as of `rows`.
    """
    check_sizes(batch=batch)
    model, tokens = _original() if encoder is None else encoder
    read = rows(texts, tokens, context=model.config.context, limit=limit)
    order = sorted(range(len(read)), key=lambda n: len(read[n]))  # alike in length, so little is padded
    found = torch.empty(len(read), model.config.width)
    with torch.no_grad():
        for some in (order[n : n + batch] for n in range(0, len(order), batch)):
            found[some] = vectors(model, padded((read[n] for n in some), model.config.pad)).cpu()
    return found


def rows(
    texts: Sequence[str], tokens: WordPiece, *, context: int = 512, limit: int | None = None
) -> list[list[int]]:
    """The ids of each text between [CLS] and [SEP].

    limit: of a longer text only so many tokens are read, the two marks included; None: it is an error.

    ValueError for no texts, for one without tokens, for one longer than `context`, and for a limit beyond it.
    """
    if isinstance(texts, str) or not len(texts):
        raise ValueError(f"texts are {texts!r}: give a list of one text or more")
    if limit is not None and limit not in range(3, context + 1):
        raise ValueError(f"limit is {limit!r}: give 3 … {context} tokens, [CLS] and [SEP] among them")
    found = []
    for number, text in enumerate(texts):
        ids = tokens.encode(text)
        if not ids:
            raise ValueError(f"text {number} has no tokens: {text[:20]!r}; leave it out")
        if limit is None and len(ids) + 2 > context:
            raise ValueError(
                f"text {number} has {len(ids) + 2} tokens, too long for this model's context of {context}: "
                f"give it in parts, or say limit={context} to have only its beginning read"
            )
        found.append([tokens["[CLS]"], *ids[: (limit or context) - 2], tokens["[SEP]"]])
    return found


def vectors(model: Bert, ids: Tensor) -> Tensor:
    """The mean of the tokens' vectors, padding left out, scaled to length 1: ids (B, T) -> (B, D)."""
    ids = ids.to(model.embedding.token.weight.device)
    return F.normalize(token_mean(model(ids), ids != model.config.pad), dim=-1)


@cache  # half a second to read
def _original() -> MiniLM:
    return load()
