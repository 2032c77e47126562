"""One step of training, and all that a run needs to take it: the model, its optimizer, its batches.

`training.fit` takes as many steps as it is told, `finder.find_rate` until the loss explodes. Parameters can
be in groups, each with its own learning rate. A group whose rate is 0 is frozen for that step: no gradient is
computed for it, and neither weight decay nor AdamW's averages touch it.

Of several `processes`, each takes its share of a batch, and all take the same step.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from vec2gpt import processes
from vec2gpt.resume import restore_run, save_run
from vec2gpt.thawing import Groups

Rate = float | dict[str, float]  # one for all parameters, or one for each group


class Run:
    """It can take a step, be saved and be restored; after the last step, `thaw` it."""

    def __init__(self, model, draw, update, groups, *, steps, lr, weight_decay, clip, seed):
        self.model, self.draw, self.clip = model, draw, clip
        if update and processes.count() > 1:
            raise ValueError("an update of the model's own knows one process only: do not start several")
        self.update = partial(self._by_hand, update) if update else self._adamw
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        if not self.parameters:
            raise ValueError("the model has no parameter to train: all are frozen, or there are none")
        self.groups = check_groups(groups, model) if groups is not None else None
        kinds = [{"params": some} for some in self.groups.values()] if self.groups else self.parameters
        self.optimizer = torch.optim.AdamW(kinds, lr=lr, weight_decay=weight_decay)
        self.spread = processes.spread(model, partly=groups is not None)
        self.generator = torch.Generator().manual_seed(seed)
        self.losses: list[float] = []  # of every step's batch
        self._parts = model, self.optimizer, self.generator
        self.settings = dict(steps=steps, lr=lr, weight_decay=weight_decay, clip=clip, seed=seed)
        if self.groups:
            self.settings["groups"] = [[name, len(some)] for name, some in self.groups.items()]

    def step(self, lr: Rate) -> float:
        """One step on a fresh batch; the loss before it, which is added to `losses` too."""
        batch = self.draw(self.generator)
        if not isinstance(batch, tuple | list):
            raise ValueError(f"a batch must be a tuple of tensors, not {type(batch).__name__}")
        self.model.train()
        share, device = processes.share(batch), self.parameters[0].device
        processes.seed_step(self.settings["seed"], len(self.losses))
        mine = (tensor.to(device) for tensor in share.batch)
        self.losses.append(self.update(*mine, lr=lr, weight=share.weight).item())
        return self.losses[-1]

    def thaw(self) -> None:
        """What the groups' rates froze can be trained again."""
        for parameter in self.parameters if self.groups else ():
            parameter.requires_grad_(True)

    def _by_hand(self, update, *batch: Tensor, lr: float, weight: float) -> Tensor:
        loss = update(*batch, lr=lr)
        if not loss.isfinite():
            raise FloatingPointError(self._explosion(loss.item(), lr) + "Make the model anew; lower lr.")
        return loss

    def _adamw(self, *batch: Tensor, lr: Rate, weight: float) -> Tensor:
        rates = self._set(lr)
        _, loss = self.spread(*batch)
        if loss is None:
            raise ValueError("the model returned no loss: its batch needs the targets as well")
        self.optimizer.zero_grad()
        loss = loss * weight
        loss.backward()
        loss = processes.mean(loss)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip)
        if not (loss.isfinite() and norm.isfinite()):
            raise FloatingPointError(
                f"{self._explosion(loss.item(), max(rates))}Its gradient's norm is {norm.item():.3g}; the "
                f"weights are as they were. Lower lr or clip (now {self.clip:g}); in the first steps, look "
                "for nan and inf in the data."
            )
        self.optimizer.step()
        return loss

    def _set(self, lr: Rate) -> list[float]:
        """Set the groups' rates, and freeze those at 0."""
        rates = list(lr.values()) if isinstance(lr, dict) else [lr] * len(self.optimizer.param_groups)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
            for parameter in group["params"] if self.groups else ():
                parameter.requires_grad_(rate > 0)
        return rates

    def _explosion(self, loss: float, lr: float) -> str:
        losses = self.losses
        before = f"the last good loss was {losses[-1]:.3g}" if losses else "there was no step before it"
        return f"step {len(losses) + 1}: at lr {lr:.3g} the loss is {loss:.3g}; {before}. "

    def save(self, path: Path, history: dict) -> None:
        save_run(path, *self._parts, settings=self.settings, history=history)

    def restore(self, path: Path) -> dict:
        """The history that was saved; its losses are the run's."""
        history = restore_run(path, *self._parts, settings=self.settings)
        self.losses = history["losses"]
        return history


# ---- groups of parameters ----


def check_groups(groups: Groups, model: nn.Module) -> Groups:
    """The groups, without what was frozen before; each parameter that learns is in exactly one of them."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = {group: list(dict.fromkeys(parameters)) for group, parameters in groups.items()}
    owners: dict[nn.Parameter, str] = {}
    for group, parameters in groups.items():
        for parameter in parameters:
            if parameter not in names:
                raise ValueError(f"group {group!r} holds a parameter that is not the model's: group its own")
            if parameter in owners:
                both = f"{owners[parameter]!r} and {group!r}"
                raise ValueError(f"{names[parameter]} is in the groups {both}: put it in one")
            owners[parameter] = group
    for parameter, name in names.items():
        if parameter.requires_grad and parameter not in owners:
            raise ValueError(f"{name} is in no group: put it in one, which a plan can freeze")
    return {group: [p for p in parameters if p.requires_grad] for group, parameters in groups.items()}


def scheduled(lr: float, schedule: Callable | None, step: int, groups: Groups | None) -> Rate:
    """lr times what the schedule says for this step: one rate, or one for each of the groups.

    ValueError: a factor is negative or not finite, a group is unknown or left out, all of them are frozen.
    """
    factor = schedule(step) if schedule else 1.0
    if groups is None:
        if isinstance(factor, dict):
            raise ValueError(
                "the schedule has factors by group: give groups too, such as layer_groups(model)"
            )
        return lr * _checked(factor, step)
    factors = factor if isinstance(factor, dict) else dict.fromkeys(groups, factor)
    if odd := factors.keys() ^ groups.keys():
        what = "speaks of" if min(odd) in factors else "says nothing of"
        raise ValueError(f"step {step}: the schedule {what} {min(odd)!r}; the groups are {', '.join(groups)}")
    rates = {group: lr * _checked(factors[group], step) for group in groups}
    if not any(rate for group, rate in rates.items() if groups[group]):
        raise ValueError(
            f"step {step}: all groups are frozen, so nothing would be learnt: leave one that does"
        )
    return rates


def _checked(factor: float, step: int) -> float:
    if not 0 <= factor < math.inf:
        raise ValueError(f"step {step}: the schedule says {factor}: give factors of 0 or more, and finite")
    return factor
