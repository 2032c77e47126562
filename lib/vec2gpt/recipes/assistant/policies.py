"""What is trained for the leash: a reward model from a judge's choices, and policies that please it.

Reward, policies and base are one model with a few numbers beside it (`lora`).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt.lora import adapt, merge
from vec2gpt.preferences import (
    RewardModel,
    chooses_first,
    dpo_loss,
    kl_of_samples,
    leashed,
    leave_one_out,
    log_likelihood,
    policy_gradient_loss,
    preference_loss,
)
from vec2gpt.recipes.assistant.passages import PROMPTS, Passages, base, in_parts, write
from vec2gpt.training import seed_everything

# ---- choices, and the reward learned from them ----

MANY, FEW = 2000, 100  # pairs
BALANCED = 256  # pairs by which the reward's constant is set
PAIRS = 32  # in a batch
REWARD_STEPS, REWARD_LR = 100, 5e-3
LORA = {"rank": 2, "alpha": 4.0, "where": ("query", "value", "output")}


class Choices(NamedTuple):
    better: Passages
    worse: Passages

    def some(self, generator: torch.Generator) -> tuple["Choices", Tensor]:
        """A batch of pairs, and which."""
        which = torch.randint(len(self.better.ids), (PAIRS,), generator=generator)
        return Choices(self.better.rows(which), self.worse.rows(which)), which


@lru_cache(maxsize=2)  # the rows of one seed follow each other
def choices(pairs: int, seed: int) -> Choices:
    """Pairs that the base writes, both behind one prompt, as the judge chooses."""
    generator = torch.Generator().manual_seed(1000 + seed)
    passages = write(base(), 2 * MANY, generator)
    order = torch.arange(2 * MANY).view(-1, 2, len(PROMPTS))  # of two rounds of prompts, one behind the other
    first, second = (passages.rows(order[:, n].flatten()[:pairs]) for n in (0, 1))
    said = chooses_first(first.tastes(), second.tastes(), torch.rand(pairs, generator=generator))
    return Choices(*(_either(said if n == 0 else ~said, first, second) for n in (0, 1)))


def _either(which: Tensor, one: Passages, other: Passages) -> Passages:
    return Passages(torch.where(which[:, None], one.ids, other.ids), one.answers)


@lru_cache(maxsize=2)
def reward_of(pairs: int, seed: int) -> RewardModel:
    """A reward model that has seen so many of the judge's choices; of passages of the base the mean is 0, for
    the choices say nothing of that."""
    seed_everything(seed)
    body = adapt(base(), **LORA)
    model = RewardModel(body, vocab_size=body.config.vocab_size)
    generator = torch.Generator().manual_seed(seed)

    def loss() -> Tensor:
        some, _ = choices(pairs, seed).some(generator)
        return preference_loss(*model(*_both(some)).chunk(2))

    _learn(model, loss, steps=REWARD_STEPS, lr=REWARD_LR)
    passages = choices(pairs, seed).better.rows(slice(BALANCED))
    others = choices(pairs, seed).worse.rows(slice(BALANCED))
    model.requires_grad_(False).eval()
    model.head.bias -= (in_parts(model, passages).mean() + in_parts(model, others).mean()) / 2
    return model


def _both(some: Choices) -> Passages:
    """The better passages, and behind them the worse."""
    return Passages(*(torch.cat(both) for both in zip(*some, strict=True)))


def _learn(model: nn.Module, loss: Callable[[], Tensor], *, steps: int, lr: float) -> None:
    """AdamW without decay, at an even rate; the batches are drawn, or written, by the loss."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=lr, weight_decay=0)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()


# ---- policies ----

STEPS, BATCH, LR = 90, 32, 5e-3


class Seen(NamedTuple):
    """What a batch showed on the way, the means over its passages."""

    proxy: float
    taste: float
    nats: float


class Tuned(NamedTuple):
    policy: nn.Module
    way: list[Seen]  # one a step; empty where nothing is written while it learns


def by_gradient(reward: RewardModel, *, beta: float, steps: int, seed: int) -> Tuned:
    """Write, let the reward judge, make likelier what was better than the others."""
    seed_everything(seed)
    policy, generator, seen = adapt(base(), **LORA), torch.Generator().manual_seed(seed), []

    def loss() -> Tensor:
        passages = write(merge(policy).eval(), BATCH, generator)
        with torch.no_grad():
            proxy, of_base = reward(*passages), log_likelihood(base(), *passages)
        of_policy = log_likelihood(policy, *passages)
        worth = leashed(proxy, of_policy, of_base, beta=beta)
        nats = kl_of_samples(of_policy.detach(), of_base)
        seen.append(Seen(*(value.mean().item() for value in (proxy, passages.tastes(), nats))))
        return policy_gradient_loss(of_policy, leave_one_out(worth))

    _learn(policy, loss, steps=steps, lr=LR)
    return Tuned(policy.eval(), seen)


def by_dpo(given: Choices, *, beta: float, steps: int, seed: int) -> Tuned:
    """Fit the reward that the policy implies to the choices; no reward model, and nothing is written."""
    seed_everything(seed)
    policy, generator = adapt(base(), **LORA), torch.Generator().manual_seed(seed)

    def loss() -> Tensor:
        some, _ = given.some(generator)
        both = _both(some)
        with torch.no_grad():
            of_base = log_likelihood(base(), *both).chunk(2)
        return dpo_loss(*log_likelihood(policy, *both).chunk(2), *of_base, beta=beta)

    _learn(policy, loss, steps=steps, lr=LR)
    return Tuned(policy.eval(), [])
