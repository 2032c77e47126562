"""Which layers learn, when, and how fast.

A pretrained model's lower layers know what is common to all texts, the upper ones what they were trained on.
A task of 200 texts can teach the upper ones, and ruin the lower ones. ULMFiT (Howard & Ruder 2018) therefore
thaws a model from the top, one layer after another, and gives lower layers smaller rates. Whether BERT needs
that is to be measured: Sun et al. (2019) found the smaller rates useful.

    groups = layer_groups(model)                                      its parameters, from below to the top
    rates = combined(warmup_linear(600, warmup=60), discriminative(groups), gradual(groups, every=100))
    fit(model, draw, steps=600, lr=1e-3, groups=groups, schedule=rates)

A *plan* says for a step what each group's learning rate is multiplied by; 0 is frozen, and costs no gradient.
Left out: thawing one layer at a time while all others freeze again (Felbo et al. 2017).
"""

import math
from collections.abc import Callable, Iterable
from numbers import Real

from torch import nn

from vec2gpt.checks import check_sizes
from vec2gpt.schedules import Schedule

Groups = dict[str, list[nn.Parameter]]
Plan = Callable[[int], dict[str, float]]

# ---- the layers ----


def layer_groups(model: nn.Module) -> Groups:
    """Its parameters from below to the top: "embedding", "block 1" … "block L", "head".

    model: a stack of blocks, such as a `Bert` or a `GPT`, or what is built on one. The embedding is what
    stands in front of the blocks, the head all else: what a task adds, and the last norm of a GPT. A table
    that is also the output layer belongs to the embedding; a block that serves as all layers is "block 1".
    A group without parameters is left out: a bare `Bert` has no head.

    ValueError: the model has no blocks, or several stacks of them.
    """
    stack = _stack(model)
    parts = {"embedding": [], **{f"block {n}": [block] for n, block in enumerate(stack.blocks, 1)}}
    for name, part in stack.named_children():
        if name == "blocks":
            break
        parts["embedding"].append(part)
    parts["head"] = [model]  # what is left of it

    seen: set[int] = set()
    groups = {name: _unseen(some, seen) for name, some in parts.items()}
    return {name: parameters for name, parameters in groups.items() if parameters}


def _unseen(parts: list[nn.Module], seen: set[int]) -> list[nn.Parameter]:
    found = {id(weight): weight for part in parts for weight in part.parameters() if id(weight) not in seen}
    seen.update(found)
    return list(found.values())


def _stack(model: nn.Module) -> nn.Module:
    """The one module in it that has blocks."""
    stacks = [part for part in model.modules() if isinstance(getattr(part, "blocks", None), nn.ModuleList)]
    if len(stacks) != 1:
        found = f"{len(stacks)} stacks of blocks" if stacks else "no blocks"
        raise ValueError(
            f"{type(model).__name__} has {found}, not one stack: write its groups yourself, "
            'as {"lower": list(part.parameters()), "upper": …}'
        )
    return stacks[0]


# ---- plans ----


def discriminative(groups: Iterable[str], *, decay: float = 1 / 2.6) -> dict[str, float]:
    """The factor of each group: 1 at the top, and times `decay` with each group below.

    groups: their names from below to the top, such as a dict of them. ULMFiT divides by 2.6; BERTs take a
    gentler decay, such as 0.95 (Sun et al. 2019).

    >>> discriminative(["embedding", "block 1", "head"], decay=0.5)
    {'embedding': 0.25, 'block 1': 0.5, 'head': 1.0}
    """
    if not isinstance(decay, Real) or not 0 < decay <= 1:
        raise ValueError(
            f"decay is {decay!r}: give a factor above 0 and at most 1; to divide by 2.6, 1 / 2.6"
        )
    names = _names(groups)
    return {name: float(decay) ** (len(names) - n) for n, name in enumerate(names, 1)}


def gradual(groups: Iterable[str], *, every: int) -> Plan:
    """Gradual unfreezing: at first the top group learns alone, and every `every` steps one more below it.

    All learn from step (G − 1) · every on, where G is the number of groups.

    >>> plan = gradual(["embedding", "block 1", "head"], every=10)
    >>> plan(9), plan(10)
    ({'embedding': 0.0, 'block 1': 0.0, 'head': 1.0}, {'embedding': 0.0, 'block 1': 1.0, 'head': 1.0})
    """
    check_sizes(every=every)
    names = _names(groups)
    return lambda step: {name: float(len(names) - n <= step // every) for n, name in enumerate(names, 1)}


def frozen(groups: Iterable[str], *still: str) -> Plan:
    """These groups stay as they are, all others learn, at every step.

    >>> frozen(["embedding", "block 1", "head"], "embedding")(0)
    {'embedding': 0.0, 'block 1': 1.0, 'head': 1.0}
    """
    names = _names(groups)
    if unknown := [name for name in still if name not in names]:
        raise ValueError(f"there is no group {unknown[0]!r} to freeze: the groups are {', '.join(names)}")
    if len(set(still)) == len(names):
        raise ValueError("all groups would be frozen: leave one that learns")
    return lambda step: {name: float(name not in still) for name in names}


def combined(*parts: Callable[[int], float | dict] | dict[str, float]) -> Schedule:
    """The product of schedules, plans and fixed factors of groups.

    >>> schedule = combined(lambda step: 1 / (step + 1), {"block 1": 0.5, "head": 1.0})
    >>> schedule(0), schedule(1)
    ({'block 1': 0.5, 'head': 1.0}, {'block 1': 0.25, 'head': 0.5})

    ValueError: the parts name different groups, or are schedules of different lengths.
    """
    if not parts:
        raise ValueError("there is nothing to combine: give a schedule or a plan")
    told = [set(found) for part in parts if isinstance(found := _at(part, 0), dict)]
    if odd := set().union(*told).difference(*([set.intersection(*told)] if told else [])):
        raise ValueError(f"not all parts name the group {min(odd)!r}: make them of the same groups")
    lengths = {part.steps for part in parts if getattr(part, "steps", None) is not None}
    if len(lengths) > 1:
        raise ValueError(f"the schedules are of {sorted(lengths)} steps: make them of one length")

    def factors(step: int) -> float | dict[str, float]:
        values = [_at(part, step) for part in parts]
        plain = math.prod(value for value in values if not isinstance(value, dict))
        by_group = [value for value in values if isinstance(value, dict)]
        if not by_group:
            return plain
        return {name: plain * math.prod(value[name] for value in by_group) for name in by_group[0]}

    return Schedule(factors, lengths.pop() if lengths else None)


def _at(part, step: int) -> float | dict[str, float]:
    return part if isinstance(part, dict) else part(step)


def _names(groups: Iterable[str]) -> list[str]:
    names = list(groups)
    if isinstance(groups, str) or not names or len(set(names)) < len(names):
        raise ValueError(f"groups are {groups!r}: give their names, each once, from below to the top")
    return names
