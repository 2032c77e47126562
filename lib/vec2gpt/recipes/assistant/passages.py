"""Passages that "shakespeare-gpt" writes behind the names of eight speakers."""

import dataclasses
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt.decoding import continue_with
from vec2gpt.gpt import GPT
from vec2gpt.hub import checkpoints
from vec2gpt.preferences import log_likelihood
from vec2gpt.recipes.assistant.judge import taste

BASE = "shakespeare-gpt"
NAMES = "BRUTUS", "ANTONY", "CAESAR", "PORTIA", "PISTOL", "ANGELO", "HELENA", "IMOGEN"
PROMPTS = tuple(f"{name}.\n" for name in NAMES)  # of one length, so that a batch may mix them
LENGTH = 64  # characters of a passage


class Passages(NamedTuple):
    ids: Tensor  # (B, T), each a prompt and a passage
    answers: Tensor  # (B, T), True where the passage is

    def texts(self) -> list[str]:
        """The passages without their prompts."""
        return ["".join(vocab().decode(row[len(PROMPTS[0]) :])) for row in self.ids.tolist()]

    def tastes(self) -> Tensor:
        return torch.tensor([float(taste(text)) for text in self.texts()])

    def rows(self, which: Tensor | slice) -> "Passages":
        return Passages(self.ids[which], self.answers[which])


@cache
def vocab():
    return checkpoints.load(BASE).vocabs["text"]


@cache
def base() -> GPT:
    """The base, with room for no more than a passage: a shorter cache is a faster one."""
    model = checkpoints.load(BASE).model
    room = type(model)(dataclasses.replace(model.config, context=len(PROMPTS[0]) + LENGTH))
    room.load_state_dict(model.state_dict())  # rotary positions hold no numbers
    return room.requires_grad_(False).eval()


def write(model: GPT, count: int, generator: torch.Generator) -> Passages:
    """So many passages, behind each prompt in turn, at temperature 1: samples of the model itself."""
    prompts = torch.tensor([vocab().encode(PROMPTS[n % len(PROMPTS)]) for n in range(count)])
    u = torch.rand(count, LENGTH, generator=generator)
    written = [
        continue_with(model, few, some)[0] for few, some in zip(prompts.split(64), u.split(64), strict=True)
    ]
    ids = torch.cat([prompts, torch.cat(written)], 1)
    return Passages(ids, _answers(ids))


def _answers(ids: Tensor) -> Tensor:
    return (torch.arange(ids.shape[1]) >= len(PROMPTS[0])).expand_as(ids)


@torch.no_grad()
def in_parts(judge: Callable[[Tensor, Tensor], Tensor], passages: Passages) -> Tensor:
    """What it says to passages, (B,), a few at a time."""
    return torch.cat([judge(*part) for part in zip(*(whole.split(64) for whole in passages), strict=True)])


def log_p(model: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    return partial(log_likelihood, model)
