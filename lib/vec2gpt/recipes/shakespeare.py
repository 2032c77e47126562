"""The language ladder's task: Shakespeare by character, in bits per character on held-out plays."""

import math

import torch

from vec2gpt import corpora
from vec2gpt.recipes.task import Task
from vec2gpt.text import Vocab
from vec2gpt.training import windows

WINDOW = 128  # characters a model reads from a cold start when it is measured


def task(*, length, size):
    """Batches of `size` windows of `length` characters; the vocabulary has all characters of all works."""
    vocab = Vocab.build(corpora.shakespeare(), specials=())
    train, held_out = (torch.tensor(vocab.encode(text)) for text in corpora.shakespeare_budget())

    def measure(model):
        return {"bits_per_character": bits_per_character(model, held_out)}

    draw = windows(train, length=length, size=size)
    return Task({"text": vocab}, draw, measure, corpora.corpus("shakespeare").sha256)


@torch.no_grad()
def bits_per_character(model, ids, *, length=WINDOW):
    """Mean bits a character of the text ids (N,), read in whole windows one after another.

    A model that knows nothing needs log2 V: 6.39 for 84 characters.
    """
    text = ids.unfold(0, length + 1, length)  # (windows, T + 1): the last target begins the next window
    nats = [model(part[:, :-1], part[:, 1:])[1] * len(part) for part in text.split(64)]
    return (sum(nats) / len(text)).item() / math.log(2)
