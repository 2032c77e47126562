"""LoRA: a large model is tuned by small matrices beside its large ones, which stay as they are.

Hu et al. 2021. Fine-tuning changes every number of a model, so every task needs a whole model of its own.
The change that a task asks for is simple, they found: a matrix of low rank r does, the product of a thin one
and a flat one.

    W x + b  →  W x + b + (α / r) B A x        W (out, in), A (r, in), B (out, r)

W is frozen. A begins at random and B at 0, so the tuned model begins as the one it was. What is learned is
r (in + out) numbers a matrix instead of in · out, and can be added to W afterwards (`merge`): then it costs
nothing at all.

    model = adapt(classifier, rank=4, alpha=8, also=("head",))
    fit(model, …)                       trains A, B and the head
    learned(model)                      what to keep of it

Left out: dropout before A; biases that are trained.
"""

import copy
import math
from collections.abc import Collection
from numbers import Real
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vec2gpt.checks import check_sizes


class LoRA(nn.Module):
    """A linear layer, frozen, and a low way around it: W x + b + (α / r) B A x."""

    def __init__(self, linear: nn.Linear, *, rank: int, alpha: float):
        super().__init__()
        wide = min(linear.in_features, linear.out_features)
        check_sizes(rank=rank)
        if rank > wide:
            raise ValueError(f"rank is {rank}, but no matrix here has more than {wide}: give 1 … {wide}")
        if not isinstance(alpha, Real) or not 0 < alpha < math.inf:
            raise ValueError(f"alpha is {alpha!r}: give a number above 0, such as the rank")
        self.linear = linear.requires_grad_(False)
        self.scale = alpha / rank
        new = linear.weight.new_empty  # of the same type, on the same device
        self.A = nn.Parameter(nn.init.normal_(new(rank, linear.in_features), std=linear.in_features**-0.5))
        self.B = nn.Parameter(new(linear.out_features, rank).zero_())

    def forward(self, x: Tensor) -> Tensor:
        """x (…, in) -> (…, out). The product B A is never made."""
        return self.linear(x) + self.scale * F.linear(F.linear(x, self.A), self.B)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A linear layer W + (α / r) B A that does the same, and can be trained."""
        linear = copy.deepcopy(self.linear)
        linear.weight += self.scale * self.B @ self.A
        return linear.requires_grad_()


# ---- a whole model ----


def adapt(
    model: nn.Module,
    *,
    rank: int,
    alpha: float,
    where: Collection[str] = ("query", "value"),
    also: Collection[str] = (),
) -> nn.Module:
    """A copy of a model in which layers are `LoRA`s, and nothing can be trained but A and B.

    where: the linear layers' names in the parts that they belong to, such as "query" in each attention. also:
    parts of the model that are trained as they are, such as the new "head" of a `Classifier`.

    ValueError for a model without such layers or parts, and for one that is adapted already.
    """
    _check(model, where, also)
    model = copy.deepcopy(model).requires_grad_(False)
    for name in also:
        model.get_submodule(name).requires_grad_()
    _replace(model, _linear(model, where), lambda layer: LoRA(layer, rank=rank, alpha=alpha))
    return model


def merge(model: nn.Module) -> nn.Module:
    """A copy of an adapted model with plain layers that do the same; all of it can be trained.

    It is again what it was made as: a checkpoint can hold it. ValueError where no layer is a `LoRA`.
    """
    model = copy.deepcopy(model)
    found = _places(model, LoRA)
    if not found:
        raise ValueError(f"{type(model).__name__} has no LoRA to merge: give a model that `adapt` made")
    _replace(model, found, LoRA.merged)
    return model.requires_grad_()


def _places(model, kind):
    """Every place of a layer of this kind, one layer at several places included."""
    return [path for path, part in model.named_modules(remove_duplicate=False) if isinstance(part, kind)]


def _linear(model, where):
    """The places of linear layers that are called so."""
    return [path for path in _places(model, nn.Linear) if path.rpartition(".")[2] in where]


def _replace(model, places, make):
    """Put make(layer) at each of the places; a layer that stands at several of them is made once."""
    made = {}
    for path in places:
        parent, _, name = path.rpartition(".")
        layer = model.get_submodule(path)
        if layer not in made:
            made[layer] = make(layer).train(layer.training)
        setattr(model.get_submodule(parent), name, made[layer])


def _check(model, where, also):
    """Raise ValueError unless the model has the layers and parts of these names, and no LoRA."""
    for name, given in {"where": where, "also": also}.items():
        if isinstance(given, str):
            raise ValueError(f"{name} is one string; give a tuple of names, such as ({given!r},)")
    if _places(model, LoRA):
        raise ValueError(f"this {type(model).__name__} is adapted already: merge it first")
    known = {path.rpartition(".")[2]: None for path in _places(model, nn.Linear) if path}  # in order
    for name in where:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "it has none of any name"
            raise ValueError(f"{type(model).__name__} has no linear layer {name!r}: {there}")
    if not len(where):
        raise ValueError(f"where is empty: give the names of layers, such as {next(iter(known), 'query')!r}")
    parts = dict(model.named_modules())
    for name in also:
        if name not in parts:
            own = ", ".join(child for child, _ in model.named_children())
            raise ValueError(f"{type(model).__name__} has no part {name!r}: there are {own}")


# ---- what is learned, and kept ----


class Count(NamedTuple):
    """How many numbers of a model can be trained, and how many it has."""

    trained: int
    of: int


def count(model: nn.Module) -> Count:
    """Numbers that can be trained, of so many; those of tied weights count once.

    A layer of 768 numbers to 768 has 590,592; as a `LoRA` of rank 8 it trains 8 · (768 + 768) = 12,288.
    """
    weights = list(model.parameters())
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    return Count(trained, sum(weight.numel() for weight in weights))


def learned(model: nn.Module) -> dict[str, Tensor]:
    """Copies of what can be trained, by name: of an adapted model small, and all there is to keep."""
    found = {name: weight.detach().clone() for name, weight in _trainable(model).items()}
    if not found:
        raise ValueError(f"nothing of this {type(model).__name__} can be trained: all is frozen")
    return found


@torch.no_grad()
def restore(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put what `learned` kept into a model that was adapted in the same way."""
    own = _trainable(model)
    if own.keys() != weights.keys():
        odd = sorted(own.keys() ^ weights.keys())[0]
        raise ValueError(
            f"{odd} is in {'the model' if odd in own else 'what was learned'} alone: adapt the model as then"
        )
    for name, weight in own.items():
        if weight.shape != weights[name].shape:
            shapes = tuple(weight.shape), tuple(weights[name].shape)
            raise ValueError("{} is {} here, but was {}: adapt the model as then".format(name, *shapes))
    for name, weight in own.items():
        weight.copy_(weights[name])


def _trainable(model):
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
