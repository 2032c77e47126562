"""How results are judged: numbers that the field agreed on, each small enough to work by hand.

What a model predicts, and the order in which it puts things, are judged here. What it says is compared with
what people say: token by token in `edits`, by what both have in common in `overlap`. Names found in a text
are compared with those that are there, in `spans`. The scores of all four can be had from here.
"""

import math

import torch
from torch import Tensor

from vec2gpt.language import next_token_loss
from vec2gpt.metrics.edits import (
    edit_distance,
    phoneme_error_rate,
    shortest_edits,
    token_error_rate,
    word_error_rate,
)
from vec2gpt.metrics.overlap import alignment_error_rate, bleu, chrf, rouge, sentence_bleu
from vec2gpt.metrics.spans import span_f1, spans

__all__ = [
    "alignment_error_rate",
    "balanced_accuracy",
    "bits",
    "bleu",
    "chrf",
    "edit_distance",
    "perplexity",
    "phoneme_error_rate",
    "reading_loss",
    "rouge",
    "rows",
    "sentence_bleu",
    "shortest_edits",
    "span_f1",
    "spans",
    "spearman",
    "token_error_rate",
    "window_loss",
    "word_error_rate",
]


def perplexity(loss: float) -> float:
    """Of a loss in nats a token: among how many equally likely tokens one would guess as badly. e^loss.

    >>> round(perplexity(math.log(84)), 6)  # knowing nothing of 84 characters
    84.0
    """
    return math.exp(loss)


def bits(loss: float) -> float:
    """A loss in nats as bits: per character, where the tokens are characters. bits(ln 2) is 1."""
    return loss / math.log(2)


def rows(ids: Tensor, *, count: int = 64) -> Tensor:
    """A text (N,) cut into `count` rows of equal length, to be read side by side: (count, N // count)."""
    if ids.dim() != 1:
        raise ValueError(f"ids have the shape {tuple(ids.shape)}, not (N,): give one text")
    if not 1 <= count <= len(ids) // 2:
        raise ValueError(f"{len(ids)} tokens make no {count} rows of two or more: give at least {2 * count}")
    return ids[: len(ids) // count * count].view(count, -1)


@torch.no_grad()
def reading_loss(model, ids: Tensor, *, piece: int = 256) -> float:
    """Mean loss in nats of a model that reads each row of ids (B, N) from its first token to its last.

    It goes on from its own state, so that it may use all that it has read, however long ago; `piece`: tokens
    read at once. The first token of a row is given, not predicted. The model is used in the mode it is in:
    call `model.eval()` first.
    """
    _check_rows(ids)
    if piece < 1:
        raise ValueError(f"piece is {piece}: at least 1 token must be read at once")
    state, total = model.initial(len(ids)), 0.0
    for start in range(0, ids.shape[1] - 1, piece):
        targets = ids[:, start + 1 : start + 1 + piece]
        logits, state = model.read(ids[:, start : start + targets.shape[1]], state)
        total += next_token_loss(logits, targets).item() * targets.shape[1]
    return total / (ids.shape[1] - 1)


@torch.no_grad()
def window_loss(model, ids: Tensor, *, stride: int | None = None) -> float:
    """`reading_loss` of a model that carries no state, but sees `model.config.context` tokens at once.

    It reads windows that move on by `stride` (None: half the context), and of each only those predictions
    count that no window before it made: all but the first have at least context − stride tokens to go by.
    Row by row the same tokens count as in `reading_loss`: each of ids (B, N) but the first.
    """
    context = model.config.context
    stride = max(context // 2, 1) if stride is None else stride
    _check_rows(ids)
    if not 1 <= stride <= context:
        raise ValueError(
            f"stride is {stride}: give 1 to {context}, the context, so that no token is left out"
        )
    last, total, judged = ids.shape[1] - 1, 0.0, 0
    while judged < last:
        start = 0 if judged == 0 else judged - (context - stride)
        end = min(start + context, last)
        logits, _ = model(ids[:, start:end])
        new = slice(judged - start, None)
        total += next_token_loss(logits[:, new], ids[:, judged + 1 : end + 1]).item() * (end - judged)
        judged = end
    return total / last


def _check_rows(ids: Tensor) -> None:
    """Raise ValueError for ids of which nothing can be predicted."""
    if ids.dim() != 2 or ids.shape[1] < 2:
        raise ValueError(f"ids have the shape {tuple(ids.shape)}, not (B, N) of two tokens or more")


def balanced_accuracy(found: Tensor, targets: Tensor) -> float:
    """The mean over the classes of the share of each that is found, both (N,): 1 / C for who says but one.

    >>> balanced_accuracy(torch.tensor([1, 1, 1, 1]), torch.tensor([1, 1, 1, 0]))
    0.5
    """
    if found.shape != targets.shape or targets.dim() != 1 or not len(targets):
        raise ValueError(
            f"answers and targets have the shapes {tuple(found.shape)} and {tuple(targets.shape)}: give (N,) "
            "of both, of one text or more"
        )
    right = (found == targets).double()
    return torch.stack([right[targets == one].mean() for one in targets.unique()]).mean().item()


def spearman(first: Tensor, second: Tensor) -> float:
    """Rank correlation of two lists of numbers (N,): 1 same order, 0 unrelated, −1 reversed.

    The correlation of the ranks; equal numbers share the mean of their ranks. (Spearman, 1904) Where all of a
    list are equal there is no order, and the answer is nan. ValueError for nan, which has no rank.

    >>> spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 30.0, 20.0]))
    0.5
    """
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"an order is compared of two lists, equally long, of two numbers or more; "
            f"got the shapes {tuple(first.shape)} and {tuple(second.shape)}"
        )
    if first.isnan().any() or second.isnan().any():
        raise ValueError("nan has no rank: leave out the pairs of numbers that hold one")
    return torch.corrcoef(torch.stack([_ranks(first), _ranks(second)]))[0, 1].item()


def _ranks(values: Tensor) -> Tensor:
    """1 for the smallest … N for the largest; of equal ones, each the mean."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0)  # the rank of the last of each group of equal ones
    return (last - (count - 1) / 2).double()[place]
