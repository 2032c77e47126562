"""Training under the reader's hand: words on a map, from the random start to the last step (chapter 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vec2gpt.text import Vocab
from vec2gpt.vectors import principal_components, unit
from vec2gpt.widgets.live import LiveModel

NEAREST = 5
GROUPS = 6  # as many as there are colours and shapes of marks
LARGEST = 1_000_000  # numbers in all snapshots: 2 MB for the page to fetch


class TrainingMap(nn.Module):
    """Where words stand at any moment of a training, and who is whose neighbour then.

    position (1,): 0 … N − 1, between two snapshots in a straight line from one to the other; word (1,): an id
    → places of the shown words (P, 2), of the word (1, 2), and its place in each snapshot (N, 2); the ids of
    its neighbours (5,) and their cosines (5,).

    The map's axes are the principal components of the shown words at the end, so they stay while words
    travel. What is mapped is each vector's direction, for that is all that a cosine sees.
    """

    def __init__(self, snapshots: Tensor, shown: Tensor):
        super().__init__()
        # Rounded as a page keeps them, so that near ties come in the same order in both homes.
        self.register_buffer("snapshots", snapshots.half().float())  # (N, V, D)
        self.register_buffer("shown", shown)  # (P,)
        final = unit(self.snapshots[-1, shown])  # (P, D)
        self.register_buffer("centre", final.mean(0))  # (D,)
        axes = principal_components(final)  # (2, D)
        places = (final - self.centre) @ axes.T  # (P, 2)
        farthest = places.gather(0, places.abs().argmax(0, keepdim=True))  # (1, 2)
        self.register_buffer("axes", axes * farthest.sign().T)  # an axis points to its farthest word

    def place(self, vectors: Tensor) -> Tensor:
        """Vectors (..., D) → their places on the map (..., 2)."""
        return (unit(vectors) - self.centre) @ self.axes.T

    def forward(self, position: Tensor, word: Tensor) -> tuple[Tensor, ...]:
        before = position.long().clamp(0, len(self.snapshots) - 2)  # (1,)
        start, end = self.snapshots[before][0], self.snapshots[before + 1][0]  # (V, D)
        now = start + (position - before) * (end - start)  # (V, D)
        directions = unit(now)
        cosines = directions @ directions[word][0]  # (V,)
        itself = torch.arange(len(cosines), device=word.device) == word
        best = cosines.masked_fill(itself, -torch.inf).topk(NEAREST)
        trail = self.place(self.snapshots[:, word][:, 0])  # (N, 2)
        return self.place(now[self.shown]), self.place(now[word]), trail, best.indices, best.values


def training_map_widget(
    snapshots: Sequence[tuple[int, Tensor]],
    words: Sequence[str],
    groups: dict[str, Sequence[str]],
    *,
    word: str | None = None,
) -> LiveModel:
    """A training to scrub through, its words on a map, and the neighbours of one of them.

    snapshots: (step, vectors (V, D)), first to last; 16 of 1,000 words in 50 dimensions are 1.6 MB.
    words: the V words. groups: label → those of the words that the map shows, two or more in all and each
    once. word: whose neighbours are listed first; if none is named, the first of the first group.
    """
    steps = [step for step, _ in snapshots]
    if sorted(set(steps)) != steps or len(steps) < 2:
        raise ValueError(f"the steps are {steps}; give two or more snapshots, earlier ones first")
    vectors = _stacked([vectors for _, vectors in snapshots])  # (N, V, D)
    if len(words) != vectors.shape[1]:
        raise ValueError(f"there are {vectors.shape[1]} vectors for {len(words)} words: give as many")
    if not 1 <= len(groups) <= GROUPS or not all(groups.values()):
        raise ValueError(f"there are {len(groups)} groups; give 1 to {GROUPS}, each with a word")
    vocab = Vocab(words, specials=())
    _check_shown([word for group in groups.values() for word in group])
    shown = [vocab.encode(list(group)) for group in groups.values()]
    word = next(iter(groups.values()))[0] if word is None else word
    model = TrainingMap(vectors, torch.tensor([id for group in shown for id in group]))
    travelled = model.place(model.snapshots[:, model.shown])  # (N, P, 2)
    corners = [travelled.amin((0, 1)), travelled.amax((0, 1))]
    return LiveModel(
        "training_map",
        model,
        {"position": torch.tensor([len(steps) - 1.0]), "word": torch.tensor([vocab[word]])},
        ["places", "here", "trail", "nearest", "cosines"],
        settings={
            "words": vocab.tokens,
            "steps": steps,
            "word": word,
            "groups": [[label, ids] for label, ids in zip(groups, shown, strict=True)],
            "corners": [_rounded(corner) for corner in corners],
            "final": [_rounded(place) for place in travelled[-1]],
        },
    )


def _check_shown(words: list[str]) -> None:
    """Each word once, and enough of them for a map."""
    if twice := [word for word in dict.fromkeys(words) if words.count(word) > 1]:
        raise ValueError(f"{', '.join(twice)} would be on the map twice: give each word once, in one group")
    if len(words) < 2:
        raise ValueError(f"the map would show {words[0]} alone: give two words or more")


def _rounded(place: Tensor) -> list[float]:
    return [round(x, 4) for x in place.tolist()]


def _stacked(vectors: list[Tensor]) -> Tensor:
    """Equally many vectors a step, as one tensor (N, V, D) that a page can carry."""
    shapes = {tuple(one.shape) for one in vectors}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(f"snapshots have the shapes {sorted(shapes)}: give (V, D) tensors, all of one shape")
    stacked = torch.stack([one.detach().float() for one in vectors])
    if stacked.shape[1] <= NEAREST or stacked.numel() > LARGEST:
        raise ValueError(
            f"{len(vectors)} snapshots of {stacked.shape[1]} words × {stacked.shape[2]} are "
            f"{stacked.numel():,} numbers; give more than {NEAREST} words and at most {LARGEST:,} numbers"
        )
    if stacked.shape[2] < 2:
        raise ValueError(f"vectors of {stacked.shape[2]} number make no map: give two dimensions or more")
    if not (finite := stacked.half().isfinite().all(2).all(1)).all():
        raise ValueError(
            f"snapshot {finite.tolist().index(False)} of {len(vectors)} (from 0) holds NaN or a number "
            "beyond 65,504, the largest that a page keeps: give one from before the training diverged"
        )
    return stacked
