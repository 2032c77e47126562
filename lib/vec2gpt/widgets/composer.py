"""A schedule and a thawing plan, composed by the reader: which layers learn, when, and how fast (chapter 11).

There is no model: what each layer's rate is at each step is arithmetic (`schedules`, `thawing`), which the
page does as Python does. What a composition is good for is no arithmetic: it is told where `recipes.ways` has
measured it, and of all others that nobody has.
"""

import statistics
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vec2gpt import schedules
from vec2gpt.checks import chosen
from vec2gpt.recipes.understanding import ways
from vec2gpt.recipes.understanding.ways import WAYS, Way
from vec2gpt.schedules import Schedule
from vec2gpt.thawing import combined, discriminative, frozen, gradual
from vec2gpt.widgets.live import LiveModel


class Kind(NamedTuple):
    """A kind of schedule, and the one number of it that the reader chooses."""

    function: str  # in `schedules`
    takes: str = ""  # the number's name there; "": it has none
    whole: bool = False  # the number is of steps, not a share
    usual: int = 0  # in percent: of the steps, for "exponential" of the rate
    fixed: tuple[tuple[str, float], ...] = ()  # what the reader does not choose


KINDS = {  # by the names of `ways.SCHEDULES`; as usual each is what was measured there
    "constant": Kind("constant"),
    "step": Kind("step_decay", "every", True, 33, (("factor", 0.3),)),
    "exponential": Kind("exponential", "end", False, 1),
    "linear": Kind("linear_decay"),
    "warm-up, linear": Kind("warmup_linear", "warmup", True, 5),
    "warm-up, cosine": Kind("warmup_cosine", "warmup", True, 5),
    "slanted triangle": Kind("slanted_triangular", "cut", False, 10),
    "one cycle": Kind("one_cycle", "peak", False, 30),
    "cyclical": Kind("cyclical", "period", True, 33, (("low", 0.1),)),
}
LAYERS = (4, 6, 12)  # of prose-bert, MiniLM, BERT
MEASURED = 6  # MiniLM's
LIMITS = {"share": (0, 100), "steps": (10, 500), "decay": (0.3, 1.0), "every": (0, 100)}
RATES = {float(f"{digits}e{power}") for power in range(-6, -1) for digits in (1, 1.5, 2, 3, 5, 7)} | {0.1}
WHOLE = ("share", "steps", "every", "still", "layers")


@dataclass(frozen=True)
class Composition:
    """All that the reader chooses.

    kind: of KINDS. share: its number, in percent. lr: the highest rate. decay: of the rate with each group
    below. every: steps until one more group thaws; 0: all learn at once. still: so many groups, from below,
    are frozen throughout. layers: L, the model's blocks.

    ValueError: a value is none that the page can choose. What does not go together, `schedule` tells.
    """

    kind: str = "warm-up, cosine"
    share: int = 5
    lr: float = 1e-4
    steps: int = 60
    decay: float = 1.0
    every: int = 0
    still: int = 0
    layers: int = MEASURED

    def __post_init__(self):
        chosen(KINDS, kind=self.kind)
        chosen({str(size): size for size in LAYERS}, layers=str(self.layers))
        for name, (least, most) in (LIMITS | {"still": (0, len(self.groups)), "lr": (1e-6, 0.1)}).items():
            value, kind = getattr(self, name), Integral if name in WHOLE else Real
            if not isinstance(value, kind) or not least <= value <= most:
                what = "a whole number" if name in WHOLE else "a number"
                raise ValueError(f"{name} is {value!r}: give {what} from {least} to {most}")

    @property
    def groups(self) -> list[str]:
        """As `layer_groups` names those of a model with a head."""
        return ["embedding", *(f"block {n}" for n in range(1, self.layers + 1)), "head"]

    @property
    def options(self) -> dict[str, float]:
        """Of the schedule's function: the reader's number as it takes it, and what is fixed.

        >>> Composition("warm-up, linear", 5, steps=60).options, Composition("exponential", 1).options
        ({'warmup': 3}, {'end': 0.01})
        """
        _, takes, whole, _, fixed = KINDS[self.kind]
        number = (self.share * self.steps + 50) // 100 if whole else self.share / 100
        return ({takes: number} if takes else {}) | dict(fixed)

    def schedule(self) -> Schedule:
        """What each group's rate is multiplied by; where that is the same for all, one factor.

        ValueError: what was composed does not go together, and what would.
        """
        parts = [getattr(schedules, KINDS[self.kind].function)(self.steps, **self.options)]
        if self.decay != 1:
            parts.append(discriminative(self.groups, decay=self.decay))
        if self.every:
            parts.append(gradual(self.groups, every=self.every))
        if self.still:
            parts.append(frozen(self.groups, *self.groups[: self.still]))
        self._check_thawing()
        return combined(*parts)

    def _check_thawing(self) -> None:
        waiting = len(self.groups) - 1 - self.still  # groups that are to thaw, one after another
        if self.every * waiting >= self.steps:
            name, most = self.groups[self.still], (self.steps - 1) // waiting
            raise ValueError(
                f"every is {self.every}: {name} would thaw after {self.every * waiting} steps, but there are "
                f"{self.steps}: give {f'1 … {most}, or ' if most else ''}0, which thaws all at once"
            )

    def rates(self) -> Tensor:
        """Each group's rate at each step: (G, steps), from the embedding to the head, in double precision."""
        factors = map(self.schedule(), range(self.steps))
        rows = [f.values() if isinstance(f, dict) else [f] * len(self.groups) for f in factors]
        return torch.tensor([[self.lr * factor for factor in row] for row in rows], dtype=torch.double).T

    def code(self) -> str:
        """The Python that trains a model so."""
        function = KINDS[self.kind].function
        options = "".join(f", {name}={written(value)}" for name, value in self.options.items())
        schedule, plans = f"{function}({self.steps}{options})", []
        if self.decay != 1:
            plans.append(f"discriminative(groups, decay={written(self.decay)})")
        if self.every:
            plans.append(f"gradual(groups, every={self.every})")
        if self.still:
            plans.append(f"frozen(groups, *list(groups)[:{self.still}])")
        start, end = [f"from vec2gpt.schedules import {function}"], ["from vec2gpt.training import fit", ""]
        told = f"fit(model, draw, steps={self.steps}, lr={written(self.lr)}, "
        if not plans:
            return "\n".join([*start, *end, f"schedule = {schedule}", f"{told}schedule=schedule)"])
        names = sorted(["combined", *(plan.partition("(")[0] for plan in plans), "layer_groups"])
        start += [f"from vec2gpt.thawing import {', '.join(names)}", *end, "groups = layer_groups(model)"]
        product = [f"    {part}," for part in (schedule, *plans)]
        fitted = f"{told}groups=groups, schedule=schedule)"
        return "\n".join([*start, "schedule = combined(", *product, ")", fitted])

    def saved(self) -> float:
        """The share of the blocks' backward passes that is never computed.

        A gradient goes down as far as something learns: what is frozen below costs none (see `stepping`).

        >>> Composition(still=4).saved()  # the embedding and blocks 1, 2, 3 of 6
        0.5
        """
        lowest = (self.rates() > 0).int().argmax(0)  # (steps,) the lowest group that learns
        return ((lowest - 1).clamp(min=0).sum() / (self.layers * self.steps)).item()


def written(value: float) -> str:
    """A number as the code has it, short and exact, and as JavaScript can write it too.

    >>> written(0.00015), written(0.3), written(20)
    ('1.5e-4', '0.3', '20')
    """
    if isinstance(value, Integral) or value >= 0.01:
        return repr(value)
    return np.format_float_scientific(value, trim="-", exp_digits=1)


# ---- what was measured ----


def composition(way: Way) -> Composition | None:
    """What a way of `recipes.ways` is here; None where it needs more: LoRA, or a rate to be found."""
    if way.rank is not None or way.lr is None:
        return None
    groups = MEASURED + 2
    return Composition(
        kind=way.schedule,
        share=KINDS[way.schedule].usual,
        lr=way.lr,
        steps=ways.STEPS,
        decay=1.0 if way.decay is None else way.decay,
        every=way.every or 0,
        still=0 if way.upper is None else groups - way.upper,
    )


PRESETS = {name: found for name, way in WAYS.items() if (found := composition(way)) is not None}


def summary(table: pd.DataFrame | None) -> dict[str, dict]:
    """Of each way that was measured: its mean accuracy, the standard deviation over the seeds, and how many
    these are; of one seed the deviation is None.

    table: as the recipe "tuning-ways" writes it, whole or not; None: nothing was measured.
    ValueError: a row is of other settings than today's, or a seed is there twice.
    """
    found = {}
    for name, rows in () if table is None else table.dropna(subset=["accuracy"]).groupby("way", sort=False):
        if name not in WAYS:
            raise ValueError(f"the table has a way {name!r} that recipes.ways does not know: write it anew")
        if name not in PRESETS:
            continue
        told, measured = PRESETS[name], rows["accuracy"].tolist()
        if set(rows["steps"]) != {told.steps} or set(rows["lr"]) != {told.lr}:
            raise ValueError(f"{name!r} was not measured with {told.steps} steps at lr {told.lr}: do it anew")
        if rows["seed"].duplicated().any():
            raise ValueError(f"{name!r} has a seed twice: give each of its rows once")
        spread = statistics.stdev(measured) if len(measured) > 1 else None
        found[name] = {"mean": statistics.fmean(measured), "spread": spread, "seeds": len(measured)}
    return found


# ---- the widget ----


def composer_widget(
    measured: pd.DataFrame | None = None, *, start: str | Composition = "thawing: both"
) -> LiveModel:
    """A schedule and a thawing plan to compose, every group's rate at every step, and the code that does it.

    measured: `recorded("tuning-ways")`, or as many of its rows as there are; without it, nothing is said to
    be measured. start: what the reader begins with, a way of `PRESETS` or a `Composition`.

    >>> composer_widget()
    LiveModel(composer: rates → )
    """
    begin = start if isinstance(start, Composition) else chosen(PRESETS, start=start)
    return LiveModel(
        "composer",
        {},
        {"rates": begin.rates().float()},
        [],
        settings={
            "kinds": [[name, kind._asdict()] for name, kind in KINDS.items()],
            "rates": sorted(RATES | {found.lr for found in (*PRESETS.values(), begin)}),
            "layers": [str(size) for size in LAYERS],
            "limits": LIMITS,
            "ways": [[name, asdict(found)] for name, found in PRESETS.items()],
            "measured": summary(measured),
            "task": {"labels": ways.LABELS, "asked": ways.ASKED},
            "start": asdict(begin),
        },
    )
