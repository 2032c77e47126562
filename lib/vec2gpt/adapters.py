"""Many tunings of one model in one small file: what `lora` learned of each, without the model itself.

A model of 1.6 million numbers that is tuned in six ways need not be kept six times. Of each tuning A and B
are kept, 14,000 numbers, and they are laid on top of each other, so that one number picks a tuning:

    y = W x + b + (α / r) B[n] A[n] x        A (N, r, in), B (N, out, r), at each place of the model

One of them may be a reward's, with the line that it ends in.
"""

from dataclasses import dataclass

import torch
from torch import nn

from vec2gpt.checks import check_sizes
from vec2gpt.lora import LoRA, adapt, restore
from vec2gpt.preferences import RewardModel

REWARD = "reward"  # the name of the tuning that belongs to the head


@dataclass(frozen=True)
class AdaptersConfig:
    base: str  # the checkpoint that they were made for
    names: tuple[str, ...]  # of the tunings
    places: tuple[str, ...]  # of the linear layers, as paths in the model
    shapes: tuple[tuple[int, int], ...]  # of each place, (out, in)
    vocab_size: int
    rank: int = 2
    alpha: float = 4.0
    where: tuple[str, ...] = ("query", "value", "output")  # the layers' names, as `lora.adapt` is told

    def __post_init__(self):
        check_sizes(rank=self.rank, vocab_size=self.vocab_size)
        for name in ("names", "places", "shapes", "where"):  # a card brings lists
            value = getattr(self, name)
            object.__setattr__(self, name, tuple(tuple(v) if isinstance(v, list) else v for v in value))
        if len(set(self.names)) < len(self.names) or not self.names:
            raise ValueError(f"names are {self.names}: give at least one, each once")
        if len(self.places) != len(self.shapes):
            raise ValueError(f"{len(self.places)} places have {len(self.shapes)} shapes: give one for each")


class Adapters(nn.Module):
    """The A and B of N tunings, and a reward's head."""

    Config = AdaptersConfig

    def __init__(self, config: AdaptersConfig):
        super().__init__()
        self.config = c = config
        count, rank = len(c.names), c.rank
        self.A = nn.ParameterList(torch.zeros(count, rank, wide) for _, wide in c.shapes)
        self.B = nn.ParameterList(torch.zeros(count, out, rank) for out, _ in c.shapes)
        self.head = nn.Linear(c.vocab_size, 1)

    @classmethod
    def of(cls, tunings: dict[str, nn.Module], *, base: str, where: tuple[str, ...]) -> "Adapters":
        """What was learned by models that `lora.adapt` made alike, by name; a `RewardModel` among them is
        called "reward"."""
        if not tunings:
            raise ValueError("there are no tunings: give at least one")
        bodies = {name: model.body if name == REWARD else model for name, model in tunings.items()}
        loras = {name: _loras(body) for name, body in bodies.items()}
        first = next(iter(loras.values()))
        (rank,), (scale,) = {len(lora.A) for lora in first.values()}, {lora.scale for lora in first.values()}
        shapes = tuple((len(lora.B), lora.A.shape[1]) for lora in first.values())
        size = next(iter(bodies.values())).config.vocab_size
        told = {"rank": rank, "alpha": scale * rank, "where": tuple(where), "vocab_size": size}
        kept = cls(AdaptersConfig(base, tuple(tunings), tuple(first), shapes, **told))
        with torch.no_grad():
            for row, found in enumerate(loras.values()):
                for n, lora in enumerate(found.values()):
                    kept.A[n][row], kept.B[n][row] = lora.A, lora.B
            if REWARD in tunings:
                kept.head.load_state_dict(tunings[REWARD].head.state_dict())
        return kept

    @torch.no_grad()
    def policy(self, name: str, base: nn.Module) -> nn.Module:
        """The base so tuned: a copy with a `LoRA` at each place, which `lora.merge` adds to it."""
        row = self._row(name)
        model = adapt(base, rank=self.config.rank, alpha=self.config.alpha, where=self.config.where)
        told = {}
        for n, place in enumerate(self.config.places):
            told |= {f"{place}.A": self.A[n][row], f"{place}.B": self.B[n][row]}
        restore(model, told)
        return model.eval()

    def reward(self, base: nn.Module) -> RewardModel:
        """The reward model: its body is the base, tuned as "reward"."""
        model = RewardModel(self.policy(REWARD, base), vocab_size=self.config.vocab_size)
        model.head.load_state_dict(self.head.state_dict())
        return model.eval()

    def _row(self, name: str) -> int:
        if name not in self.config.names:
            raise KeyError(f"no tuning is called {name!r}; there are {', '.join(self.config.names)}")
        return self.config.names.index(name)


def _loras(model: nn.Module) -> dict[str, LoRA]:
    found = {path: part for path, part in model.named_modules() if isinstance(part, LoRA)}
    if not found:
        raise ValueError(f"{type(model).__name__} has no LoRA: give a model that `lora.adapt` made")
    return found
