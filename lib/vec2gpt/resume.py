"""The state of a training run on disk, so that a killed run goes on and ends with the very same weights.

That takes more than the weights: the optimizer's running averages, the generator that draws the batches, the
global generators that dropout and the reader's own code use, and the history so far.

Of several `processes`, the first writes and reads the state and tells it to the others. How many there are is
no part of it: a run may go on with more of them, or fewer.
"""

import random
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from vec2gpt import processes
from vec2gpt.files import replacing


def save_run(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    batches: torch.Generator,
    *,
    settings: dict,
    history: dict,
) -> None:
    """Write the state in one piece: a kill at any moment leaves the last whole one.

    settings: what must be the same in the run that goes on. history: plain numbers and lists.
    """
    state = {
        "settings": settings,
        "history": history,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "batches": batches.get_state(),
        "random": random_state(),
    }
    with replacing(path) as draft:
        torch.save(state, draft)


def restore_run(
    path: Path, model: nn.Module, optimizer: Optimizer, batches: torch.Generator, *, settings: dict
) -> dict:
    """Set model, optimizer and generators to the state at `path`; return its history.

    ValueError: the file is damaged, or holds another run.
    """
    way_out = f"Delete {path} to start afresh, or name another file in resume."
    state = processes.from_first(partial(_read, path, way_out))
    if state["settings"] != settings:
        raise ValueError(f"{path} holds another run, {state['settings']}, not {settings}. {way_out}")
    try:
        model.load_state_dict(state["model"])
    except RuntimeError as error:
        raise ValueError(f"{path} holds a run of another model: {error}. {way_out}") from error
    optimizer.load_state_dict(state["optimizer"])
    batches.set_state(state["batches"])
    set_random_state(state["random"])
    return state["history"]


def _read(path: Path, way_out: str) -> dict:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch tells a damaged file in many ways: zip, pickle, runtime
        raise ValueError(f"{path} does not hold a run that can go on. {way_out}") from error


def random_state() -> dict:
    """Where Python's, NumPy's and torch's generators stand."""
    kind, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (kind, keys.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict) -> None:
    """Set them back to where `random_state` found them."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available():
        here = torch.cuda.device_count()  # there may have been more where the state was written
        torch.cuda.set_rng_state_all(state["cuda"][:here])
