"""Pairs of a source and a target, as batches for an encoder-decoder.

A batch is a rectangle, sequences are not: the shorter ones are padded, and padding costs time. So a batch
takes its sources from one bucket, where all are equally long (Khomenko et al. 2016 measured what it saves).
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

import torch
from torch import Tensor

from vec2gpt.language import IGNORED

Pair = tuple[Sequence[int], Sequence[int]]


def padded(rows: Iterable[Sequence[int]], fill: int) -> Tensor:
    """Rows of ids as one tensor (B, S), the shorter ones filled up behind. ValueError where there is no row.

    >>> padded([[5, 6], [7]], 0)
    tensor([[5, 6],
            [7, 0]])
    """
    rows = list(rows)
    if not rows:
        raise ValueError("there are no rows: give at least one")
    columns = list(zip_longest(*rows, fillvalue=fill))
    return torch.tensor(columns, dtype=torch.long).view(-1, len(rows)).T.contiguous()


def teacher_forced(pairs: Sequence[Pair], *, bos: int, eos: int, pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sources (N, S), decoder inputs `bos` y₁ … yₙ and targets y₁ … yₙ `eos`, both (N, T).

    Sources and inputs are padded with `pad`, targets with −100, which no loss counts.
    """
    return (
        padded((source for source, _ in pairs), pad),
        padded(([bos, *target] for _, target in pairs), pad),
        padded(([*target, eos] for _, target in pairs), IGNORED),
    )


def bucketed(
    pairs: Iterable[Pair], *, size: int, bos: int, eos: int, pad: int
) -> Callable[[torch.Generator], tuple[Tensor, Tensor, Tensor]]:
    """Batches for `training.fit`: `teacher_forced`, `size` pairs from one bucket of equally long sources.

    A length comes up as often as it has pairs, so every pair is as likely as any other. ValueError where
    there is no pair, or a source without a token.
    """
    if size < 1:
        raise ValueError(f"size is {size}: draw at least 1 pair")
    buckets: dict[int, list[Pair]] = {}
    for source, target in pairs:
        buckets.setdefault(len(source), []).append((source, target))
    if not buckets or 0 in buckets:
        raise ValueError(
            "there are no pairs" if not buckets else "a source has no token: leave such pairs out"
        )
    tensors = [teacher_forced(bucket, bos=bos, eos=eos, pad=pad) for bucket in buckets.values()]
    sizes = torch.tensor([float(len(bucket)) for bucket in buckets.values()])

    def draw(generator):
        bucket = tensors[torch.multinomial(sizes, 1, generator=generator).item()]
        chosen = torch.randint(len(bucket[0]), (size,), generator=generator)
        source, decoder, targets = (tensor[chosen] for tensor in bucket)
        needed = (targets != IGNORED).any(0)  # the longest target drawn decides T
        return source, decoder[:, needed], targets[:, needed]

    return draw
