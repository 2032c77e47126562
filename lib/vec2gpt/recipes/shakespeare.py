"""The language ladder's task: Shakespeare's plays by character, in bits per character on plays held out."""

import hashlib
from functools import cache

import torch

from vec2gpt import corpora
from vec2gpt.metrics import bits, reading_loss, rows
from vec2gpt.recipes.task import Task
from vec2gpt.text import Vocab
from vec2gpt.training import windows

WINDOW = 128  # characters a model reads from a cold start when it is measured
GLANCE = 800  # characters of each row that are read for a quick look: 51,200 of the 64 rows


@cache
def characters():
    """The vocabulary: all 84 characters of all works, whichever of them one trains on."""
    return Vocab.build(corpora.shakespeare(), specials=())


def numbered():
    """The plays as ids: those to train on (N,), and of validation and test 64 rows each, (64, N // 64)."""
    train, *held_out = (torch.tensor(characters().encode(part)) for part in corpora.plays())
    return train, *(rows(part) for part in held_out)


def digest():
    """sha256 of the three parts of the plays: which play is where decides every figure."""
    return hashlib.sha256("\0".join(corpora.plays()).encode()).hexdigest()


def reading(*, length, size):
    """For models that carry a state through a text: they read the held-out plays from end to end."""
    train, validation, test = numbered()

    def validate(model):
        return bits(reading_loss(model, validation[:, :GLANCE]))

    def measure(model):
        parts = {"validation": validation, "test": test}
        return {f"{part}_bits_per_character": bits(reading_loss(model, ids)) for part, ids in parts.items()}

    draw = windows(train, length=length, size=size)
    data = corpora.corpus("shakespeare").sha256
    return Task({"text": characters()}, draw, measure, data, validate)


def task(*, length, size):
    """For models that see a window: batches of `size` windows of `length` characters.

    The GPT's stand-in still trains on the quick budget, which contains one of the validation plays: that is
    why it is not on the ladder.
    """
    train, held_out = (torch.tensor(characters().encode(text)) for text in corpora.shakespeare_budget())

    def measure(model):
        return {"bits_per_character": bits_per_character(model, held_out)}

    draw = windows(train, length=length, size=size)
    return Task({"text": characters()}, draw, measure, corpora.corpus("shakespeare").sha256)


@torch.no_grad()
def bits_per_character(model, ids, *, length=WINDOW):
    """Mean bits a character of the text ids (N,), read in whole windows one after another.

    A model that knows nothing needs log2 V: 6.39 for 84 characters.
    """
    text = ids.unfold(0, length + 1, length)  # (windows, T + 1): the last target begins the next window
    nats = [model(part[:, :-1], part[:, 1:])[1] * len(part) for part in text.split(64)]
    return bits((sum(nats) / len(text)).item())
