"""Texts with labels: as batches for what learns from them, and what its answers cost.

One class for a text, or one for each of its tokens (`classifiers`). Labels of tokens are mostly labels of
words; a tokenizer that cuts words into pieces then has one label for several. Devlin et al. 2019 ask at the
first piece, and ignore the others:

    pieces      New   York   has   sky  ##scrap  ##ers
    targets      1     2      0     0    −100     −100

Left out: one pass over all texts before any comes again; these are drawn at random.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vec2gpt.checks import check_sizes
from vec2gpt.language import IGNORED
from vec2gpt.pairs import padded

Draw = Callable[[torch.Generator], tuple[Tensor, ...]]

# ---- batches ----


def labelled(
    rows: Sequence[Sequence[int]],
    labels: Sequence[int],
    *,
    size: int,
    pad: int,
    segments: Sequence[Sequence[int]] | None = None,
) -> Draw:
    """Batches for `training.fit`: `size` random texts, with replacement, and their classes.

    rows: the ids of each text. The function returned draws ids (B, T), padded to the longest drawn, and
    targets (B,); with segments of each row, these too, (B, T).

    ValueError for no texts, an empty one, and labels of one class alone, from which nothing can be learnt.
    """
    _check(rows, labels, size)
    if segments is not None and list(map(len, segments)) != list(map(len, rows)):
        raise ValueError("segments are not as long as the texts: give one for each token")
    labels = torch.as_tensor(labels)
    if labels.is_floating_point():
        raise ValueError(f"labels are {labels.dtype}: give whole numbers, 0 for the first class")
    if len(classes := labels.unique().tolist()) < 2:
        raise ValueError(
            f"all {len(rows)} texts are of the class {classes[0]}, so there is nothing to tell apart: "
            "give texts of two classes or more"
        )

    def draw(generator):
        drawn = torch.randint(len(rows), (size,), generator=generator)
        batch = padded((rows[n] for n in drawn), pad), labels[drawn].long()
        return batch if segments is None else (*batch, padded((segments[n] for n in drawn), 0))

    return draw


def tagged(rows: Sequence[Sequence[int]], tags: Sequence[Sequence[int]], *, size: int, pad: int) -> Draw:
    """As `labelled`, with a class or −100 for each token: ids and targets, both (B, T)."""
    _check(rows, tags, size)
    for number, (row, own) in enumerate(zip(rows, tags, strict=True)):
        if len(row) != len(own):
            raise ValueError(f"text {number} has {len(row)} tokens and {len(own)} tags: give one for each")

    def draw(generator):
        drawn = torch.randint(len(rows), (size,), generator=generator)
        return padded((rows[n] for n in drawn), pad), padded((tags[n] for n in drawn), IGNORED)

    return draw


def in_pieces(
    words: Sequence[str], tags: Sequence[int], encode: Callable[[str], list[int]]
) -> tuple[list[int], list[int]]:
    """Ids of all pieces, and targets: a word's tag at its first piece, −100 at the others.

    encode: a word -> its ids. A word without any is left out, and its tag with it.

    >>> in_pieces(["ab", "c"], [1, 0], lambda word: [ord(letter) for letter in word])
    ([97, 98, 99], [1, -100, 0])
    """
    if len(words) != len(tags):
        raise ValueError(f"there are {len(words)} words and {len(tags)} tags: give one for each")
    ids, targets = [], []
    for word, tag in zip(words, tags, strict=True):
        if pieces := encode(word):
            ids += pieces
            targets += [tag, *[IGNORED] * (len(pieces) - 1)]
    return ids, targets


def _check(rows, labels, size):
    """Raise ValueError unless there are texts, none of them empty, with a label each."""
    check_sizes(size=size)
    if len(rows) != len(labels) or not len(rows):
        raise ValueError(
            f"there are {len(rows)} texts and {len(labels)} labels: give texts, and a label for each"
        )
    for number, row in enumerate(rows):
        if not len(row):
            raise ValueError(f"text {number} has no tokens: leave it out")


# ---- the loss ----


def class_loss(logits, targets):
    """Mean cross-entropy in nats of classes (…) under logits (…, C); None without targets.

    Targets that are −100 are ignored, but not all may be. Who knows nothing of 2 classes scores ln 2, 0.69.
    """
    if targets is None:
        return None
    _check_targets(targets, logits)
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)


def _check_targets(targets, logits):
    """Raise ValueError unless there is a class, or −100, for each of logits (…, C)."""
    classes = logits.shape[-1]
    if targets.shape != logits.shape[:-1] or targets.dtype != torch.long:
        raise ValueError(
            f"targets are {targets.dtype} {tuple(targets.shape)}, but the model answers for "
            f"{tuple(logits.shape[:-1])}: give one torch.long for each"
        )
    asked = targets[targets != IGNORED]
    if not len(asked):
        raise ValueError(f"all targets are {IGNORED}, so there is no loss: give at least one class")
    for label in (asked.min().item(), asked.max().item()):
        if label not in range(classes):
            raise ValueError(
                f"targets hold {label}, but the classes are 0 … {classes - 1}: number them from 0, or make "
                "the model with more"
            )
