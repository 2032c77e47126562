"""Mixture of experts: many feed-forwards, of which each token is sent through a few.

Shazeer et al. 2017 put thousands of them between two LSTM layers, Fedus, Zoph & Shazeer 2021 (Switch) one for
each token into a Transformer, Jiang et al. 2024 (Mixtral) two of eight. A layer then holds far more numbers
than it computes with: it grows in what it can know, not in what a token costs.

    p = softmax(W x)                  how well each of E experts suits a token           (N, E)
    y = Σ p_e / Σ p · Expert_e(x)     over the k most probable, the others never run     (N, D)

An expert that is chosen learns, so it is chosen more: left alone, a few take all. The balancing loss of
Switch, E · Σ f_e P̄_e with f the share of choices and P̄ the mean probability, is 1 where all are asked alike
and up to E where one is asked for all. Its gradient joins the way back (`also`), so that a model's loss stays
that of its tokens.

Left out: the noise of Shazeer et al.; a limit of tokens per expert, which drops those beyond; one expert a
machine, for which all this was made.
"""

from typing import NamedTuple

import torch
from torch import nn

BALANCE = 0.01  # of the balancing loss, as in Switch: the weight that it has beside the model's own


class Routing(NamedTuple):
    """Where N tokens go."""

    probabilities: torch.Tensor  # (N, E) of every expert
    experts: torch.Tensor  # (N, k) those asked, the most probable first
    weights: torch.Tensor  # (N, k) of their answers


class Experts(nn.Module):
    """So many feed-forwards, `active` of which each token is sent through.

    make: a function that makes one of them, as `partial(FeedForward, width)`. With one active its answer is
    taken p times, as in Switch: divided by itself, p would teach the router nothing. With more, their weights
    add up to 1.
    """

    def __init__(self, make, *, width, experts, active):
        super().__init__()
        if not 1 <= active <= experts:
            raise ValueError(f"active is {active}: give 1 to {experts}, of so many experts")
        self.active = active
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(make() for _ in range(experts))

    def forward(self, x):
        """x (…, D) -> (…, D), each token by itself; in training the router also learns to balance."""
        tokens = x.flatten(0, -2)  # (N, D)
        routing = self.route(tokens)
        out = torch.zeros_like(tokens)
        for n, expert in enumerate(self.experts):
            token, rank = (routing.experts == n).nonzero(as_tuple=True)  # (M,) each, perhaps none
            answer = routing.weights[token, rank, None] * expert(tokens[token])
            out = out.index_add(0, token, answer)
        if self.training:
            out = also(out, BALANCE * imbalance(routing))
        return out.view_as(x)

    def route(self, tokens):
        """Where tokens (N, D) go, as a `Routing`.

        Of p = 0.6, 0.3, 0.1 two are asked, with the weights 2/3 and 1/3.
        """
        p = self.router(tokens).softmax(-1)  # (N, E)
        weights, experts = p.topk(self.active)  # (N, k)
        if self.active > 1:
            weights = weights / weights.sum(-1, keepdim=True)
        return Routing(p, experts, weights)


def imbalance(routing):
    """E · Σ f_e P̄_e: 1 where all experts are asked alike, E where one is asked for all, and surely.

    f cannot be learned through, for it is counted: P̄ is lowered where f is high.
    """
    p = routing.probabilities
    asked = routing.experts.flatten().bincount(minlength=p.shape[1])
    return p.shape[1] * (asked / asked.sum() * p.mean(0)).sum()


def numbers(model):
    """How many numbers a model learns, and how many of them one token meets: (all, active)."""
    idle = 0
    for layer in model.modules():
        if isinstance(layer, Experts):
            each = sum(weight.numel() for weight in layer.experts[0].parameters())
            idle += (len(layer.experts) - layer.active) * each
    total = sum(weight.numel() for weight in model.parameters())
    return total, total - idle


# ---- a second loss ----


class _Also(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, loss):
        ctx.save_for_backward(loss)
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient, torch.ones_like(ctx.saved_tensors[0])


def also(x, loss):
    """x as it is; who goes back through it goes back through `loss` () too, as if that had been added.

    `model(ids, targets)` can so return the loss of its tokens alone. The second loss has the weight 1,
    however the first is scaled before its `backward`.
    """
    return _Also.apply(x, loss)
