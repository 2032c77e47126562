"""A tiny recipe that several processes run together; test_processes.py starts this file with torchrun.

What each process has in the end is written beside the checkpoint. JOINT says what happens on the way:
`kill` kills process 1, `stop` presses Ctrl-C.
"""

import itertools
import os
import signal
import sys
import time
from pathlib import Path

import torch

from vec2gpt import processes
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import IGNORED
from vec2gpt.recipes import RECIPES, __main__, checkpoint
from vec2gpt.recipes.checkpoint import CheckpointRecipe
from vec2gpt.recipes.task import Task
from vec2gpt.text import Vocab
from vec2gpt.training import fit, windows

TEXT = torch.arange(300) ** 2 % 7
STEPS, KILLED, STOPPED, SAVED = 24, 13, 8, 5


def task():
    """Windows of which some targets do not count: never as many in one share as in the other."""
    windowed, drawn = windows(TEXT, length=8, size=6), itertools.count(1)

    def draw(generator):
        disturb(next(drawn))
        ids, targets = windowed(generator)
        counted = (
            torch.rand(targets.shape, generator=generator)
            < torch.tensor([0.2, 0.2, 0.2, 0.9, 0.9, 0.9])[:, None]
        )
        counted[:, 0] = True
        return ids, targets.where(counted, IGNORED)

    def validate(model):
        assert processes.is_first() and not model.training
        return model(TEXT[None, :8], TEXT[None, 1:9])[1].item()

    vocab = Vocab.build("abcdefg", specials=())
    return Task({"text": vocab}, draw, lambda model: {"loss": validate(model)}, "0" * 64, validate)


def disturb(step):
    way = os.environ.get("JOINT")
    if way == "kill" and processes.rank() == 1 and step == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "stop" and step >= STOPPED:
        if processes.is_first() and step == STOPPED:
            os.kill(os.getppid(), signal.SIGINT)  # torchrun tells all
        time.sleep(0.5)


def model(vocabs):
    return GPT(GPTConfig(len(vocabs["text"]), context=8, layers=1, heads=2, width=8))


TINY = CheckpointRecipe(about="tiny", task=task, model=model, steps=STEPS, lr=0.01)


def recorded(model, draw, *, resume, **settings):
    history = fit(model, draw, resume=resume, save_every=SAVED, **settings)
    seen = {"losses": history.losses, "validations": history.validations, "weights": model.state_dict()}
    torch.save(seen, Path(resume).with_name(f"process {processes.rank()}.pt"))
    return history


if __name__ == "__main__":
    RECIPES["tiny"], checkpoint.fit = TINY, recorded
    sys.exit(__main__.main(sys.argv[1:]))
