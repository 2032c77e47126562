"""The language ladder's task: Shakespeare's plays by character, in bits per character on plays held out.

The same is asked of the reader's own text, where one is given.
"""

import hashlib
from functools import cache

import torch

from vec2gpt import corpora
from vec2gpt.metrics import bits, reading_loss, rows, window_loss
from vec2gpt.recipes.own_text import OwnText
from vec2gpt.recipes.task import Task, device
from vec2gpt.text import Vocab
from vec2gpt.training import windows

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


def reading(text: OwnText | None = None, *, length, size):
    """For models that carry a state through a text: they read the held-out plays from end to end."""
    return _task(reading_loss, text, length=length, size=size)


def seeing(text: OwnText | None = None, *, length, size):
    """For models that see a window: it moves through the held-out plays by half its length."""
    return _task(window_loss, text, length=length, size=size)


def _task(loss, text, *, length, size):
    train, validation, test = text.numbered(length) if text else numbered()

    def judge(model, ids):
        return bits(loss(model, ids.to(device(model))))

    def validate(model):
        return judge(model, validation[:, :GLANCE])

    def measure(model):
        parts = {"validation": validation, "test": test}
        return {f"{part}_bits_per_character": judge(model, ids) for part, ids in parts.items()}

    draw = windows(train, length=length, size=size)
    vocab, data = (text.vocab, text.sha256) if text else (characters(), corpora.corpus("shakespeare").sha256)
    return Task({"text": vocab}, draw, measure, data, validate)
