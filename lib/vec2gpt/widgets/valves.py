"""The valves of an LSTM or GRU under the reader's hand: hold a gate, see the text read anew (chapter 3)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt.language import RecurrentLanguageModel
from vec2gpt.text import Vocab
from vec2gpt.unrolling import is_exporting, unroll
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.models import check_models

GUESSES = 5
LIMIT = 100  # characters the widget reads


class Kind(NamedTuple):
    """What is shown of a kind of cell, from top to bottom (symbol → name), and settings of its gates."""

    gates: dict[str, str]  # these can be held
    candidate: dict[str, str]
    states: dict[str, str]
    presets: dict[str, tuple]  # a value for each gate, None: left free


KINDS = {
    "lstm": Kind(
        gates={"f": "forget", "i": "input", "o": "output"},
        candidate={"g": "candidate"},
        states={"c": "cell", "h": "hidden"},
        presets={"keep": (1, 0, 1), "replace": (0, 1, 1), "add": (1, 1, 0)},
    ),
    "gru": Kind(
        gates={"z": "update", "r": "reset"},
        candidate={"n": "candidate"},
        states={"h": "hidden"},
        presets={"keep": (1, None), "replace": (0, 1), "anew": (0, 0)},
    ),
}


class Valves(nn.Module):
    """Read a text twice side by side: with all gates free, and with some held by hand.

    ids (1, T); held (1, T, G): the G gates of the cell's kind at each step, for all units, negative = free;
    unit (1,), of which the trace tells → trace (2, T, P): the unit's gates, candidate and states; surprise
    (2, T): bits that each character cost, 0 for the first, which nothing predicts; guesses (2, T, 5): what is
    expected next, and their probabilities (2, T, 5); fewer of a smaller vocabulary. Row 0: the free reading.
    """

    def __init__(self, model: RecurrentLanguageModel):
        super().__init__()
        self.model, self.kind = model, KINDS[model.config.cell]

    def forward(self, ids: Tensor, held: Tensor, unit: Tensor) -> tuple[Tensor, ...]:
        _check_held(held)
        cell, kind = self.model.stack.cells[0], self.kind

        def step(state, inputs):
            seen, by_hand = inputs
            gates = hold(cell.decide(seen, state), kind.gates, by_hand)
            state = cell.update(gates, state)
            told = _parts(gates, kind.gates, kind.candidate) + _parts(state, kind.states)
            return state, (state.h, torch.cat([part.index_select(1, unit) for part in told], -1))

        seen = cell.seen(self.model.embedding(ids)).expand(2, -1, -1)  # (2, T, blocks · hidden)
        both = torch.cat([torch.full_like(held, -1.0), held])  # (2, T, G)
        _, (h, trace) = unroll(step, cell.initial(2), (seen, both))
        log_p = self.model.head(h).log_softmax(-1)  # (2, T, V)
        best = log_p.exp().topk(min(GUESSES, log_p.shape[-1]))
        return trace, surprise(log_p, ids), best.indices, best.values


def hold(gates: NamedTuple, names: list[str], by_hand: Tensor) -> NamedTuple:
    """The gates, those of `names` replaced for every unit by by_hand (B, G) where that is not negative."""
    held = {
        name: torch.where(value[:, None] < 0, getattr(gates, name), value[:, None])  # (B, hidden)
        for name, value in zip(names, by_hand.unbind(-1), strict=True)
    }
    return gates._replace(**held)


def surprise(log_p: Tensor, ids: Tensor) -> Tensor:
    """Bits (B, T) that each of ids (1, T) cost, where log_p (B, T, V) is expected to come after it."""
    before = torch.cat([torch.zeros_like(log_p[:, :1]), log_p[:, :-1]], 1)  # (B, T, V): of the first nothing
    return before.gather(2, ids.expand(len(log_p), -1)[..., None])[..., 0] / -math.log(2)


def _parts(values: NamedTuple, *names: dict[str, str]) -> list[Tensor]:
    return [getattr(values, name) for some in names for name in some]


def valves_widget(
    models: RecurrentLanguageModel | dict[str, RecurrentLanguageModel],
    vocab: Vocab,
    text: str,
    *,
    unit: int = 0,
) -> LiveModel:
    """A text to type, read by a model character by character, and valves to hold: at one of them, or at all.

    models: an LSTM or a GRU of one layer, or a dict of such by name ("trained here", "long run"), between
    which the reader chooses, all of one kind and one vocabulary. text: 1 to 100 characters of `vocab`.
    unit: of the first model, whose gates and memory are shown to begin with.
    """
    models = models if isinstance(models, dict) else {"model": models}
    kind = _kind(models, vocab)
    units = {name: model.config.hidden for name, model in models.items()}
    first = next(iter(units.values()))
    if not 1 <= len(text) <= LIMIT:
        raise ValueError(f"the text has {len(text)} characters; give 1 to {LIMIT}")
    if not 0 <= unit < first:
        raise ValueError(f"unit is {unit}; this model has the units 0 to {first - 1}")
    ids = torch.tensor([vocab.encode(text)])
    return LiveModel(
        "valves",
        {name: Valves(model) for name, model in models.items()},
        {"ids": ids, "held": torch.full((1, len(text), len(kind.gates)), -1.0), "unit": torch.tensor([unit])},
        ["trace", "surprise", "guesses", "probabilities"],
        lengths={"ids": [1], "held": [1]},
        settings={
            "text": text,
            "alphabet": vocab.tokens,
            "unit": unit,
            "units": units,
            "limit": LIMIT,
            **_settings(kind),
        },
    )


def _settings(kind: Kind) -> dict:
    """A kind of cell as the view needs it, in lists because their order counts."""
    return {
        "gates": list(map(list, kind.gates.items())),
        "states": list(map(list, (kind.candidate | kind.states).items())),
        "presets": [[name, list(values)] for name, values in kind.presets.items()],
    }


def _kind(models: dict[str, RecurrentLanguageModel], vocab: Vocab) -> Kind:
    """The kind that all models are of; ValueError where they are not what the widget can show."""
    check_models(models, len(vocab), cells=tuple(KINDS))
    if len(kinds := {model.config.cell for model in models.values()}) > 1:
        raise ValueError(f"the models are of the kinds {', '.join(sorted(kinds))}: give a widget to each")
    return KINDS[kinds.pop()]


def _check_held(held: Tensor) -> None:
    """Raise ValueError unless gate values are at most 1. An exported graph does not ask."""
    if not is_exporting() and not (held <= 1).all():
        raise ValueError(f"held has {held.max().item():g}; a gate is held at 0 to 1, or free where negative")
