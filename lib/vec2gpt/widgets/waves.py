"""How a token is told its place: the waves that are added to it, or the angles it is turned by (chapter 7).

What does a place look like to the model, and what do two places have to do with each other? The same question
is put to every `Positions` of the library: let the same query stand at each place, and the same key, and see
what they have become. Waves alone, and turned queries and keys, know how far apart two places are.
"""

import torch
from torch import Tensor, nn

from vec2gpt.checks import check_sizes
from vec2gpt.positions import Positions, Rotary, Sinusoidal, angles
from vec2gpt.widgets.live import LiveModel

FEWEST, MOST = 4, 128  # places shown, and numbers of a vector


class Waves(nn.Module):
    """A query and a key, put at each of `places` places.

    query and key (1, D), before they are told where they are → told (C, D), the query at each place, and
    scores (C, C), how well the query at place p and the key at place r go together: q_p · k_r.
    """

    def __init__(self, positions: Positions, places: int):
        super().__init__()
        self.positions = positions
        self.places = places

    def forward(self, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        places = torch.arange(self.places)
        query, key = (
            self.positions.turn(self.positions(x.expand(1, self.places, -1), places), places)[0]
            for x in (query[None], key[None])
        )  # (C, D) each; to tell the places is to add or to turn: one of the two does nothing
        return query, query @ key.T


def waves_widget(
    positions: dict[str, Positions], *, width: int, places: int = 64, place: int = 20, pair: int = 4
) -> LiveModel:
    """The table of each way to tell places, one pair of its numbers, and the dot product of any two places.

    positions: by name, ways to tell the places of vectors of `width` numbers (of a rotary one head_width is
    that width), such as those of a trained model: `model.target.positions`.
    places: how many are shown. place and pair: where the reader begins, counted from 0.

    >>> waves_widget({"sinusoidal": Sinusoidal(64, context=64, head_width=64)}, width=64)
    LiveModel(waves: query, key → told, scores)
    """
    _check(positions, width, places, place, pair)
    generator = torch.Generator().manual_seed(0)
    of_its_own = (
        torch.randn(2, 1, width, generator=generator) / 2
    )  # a token's content, beside waves of up to 1
    kinds = {name: _kind(one, width) for name, one in positions.items()}
    plain = torch.tensor([next(iter(kinds.values()))["plain"]])
    return LiveModel(
        "waves",
        {name: Waves(one, places) for name, one in positions.items()},
        {"query": plain, "key": plain},
        ["told", "scores"],
        settings={
            "models": kinds,
            "content": [[round(x, 2) for x in one[0].tolist()] for one in of_its_own],
            "angles": angles(2, width)[1].tolist(),
            "places": places,
            "place": place,
            "pair": pair,
        },
    )


def _kind(positions: Positions, width: int) -> dict:
    """What a view must know of a way to tell places: whether it turns, whether it consists of waves, and the
    vector that brings nothing of its own: 0; or, as 0 cannot be turned, every pair at the angle 0."""
    turns = isinstance(positions, Rotary)
    plain = [1.0, 0.0] * (width // 2) if turns else [0.0] * width
    return {"turns": turns, "waves": turns or isinstance(positions, Sinusoidal), "plain": plain}


def _check(positions: dict[str, Positions], width: int, places: int, place: int, pair: int) -> None:
    if not positions:
        raise ValueError("there is nothing to show: give at least one of POSITIONS, by its name")
    check_sizes(0, width=width, places=places, place=place, pair=pair)
    for what, value in {"width": width, "places": places}.items():
        if not FEWEST <= value <= MOST or value % 2:
            raise ValueError(f"{what} is {value}: give an even number from {FEWEST} to {MOST}")
    for what, value, size in (("place", place, places), ("pair", pair, width // 2)):
        if value >= size:
            raise ValueError(f"{what} is {value}: they are counted from 0 to {size - 1}")
    for name, one in positions.items():
        if not isinstance(one, Positions):
            raise ValueError(f"{name} is a {type(one).__name__}: give one of POSITIONS, or a model's")
        _check_fits(name, one, width, places)


def _check_fits(name: str, positions: Positions, width: int, places: int) -> None:
    table = positions.cos if isinstance(positions, Rotary) else getattr(positions, "table", None)
    if table is None:
        raise ValueError(f"{name} tells no places: there is nothing to show")
    table = getattr(table, "weight", table)
    context, knows = len(table), table.shape[1] * (2 if isinstance(positions, Rotary) else 1)
    if knows != width:
        raise ValueError(
            f"{name} is for vectors of {knows} numbers, not of {width}: give a widget to each width"
        )
    if context < places:
        raise ValueError(f"{name} knows {context} places: show at most as many, not {places}")
    if not table.isfinite().all():
        raise ValueError(f"{name} holds NaN or ∞: its training diverged; give one from before that")
