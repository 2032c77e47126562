"""One training in several processes: on the cores or GPUs of a machine, or on several machines.

A large batch is slow in one process. So each has the whole model and a share of every batch, works out the
gradient of that share, the gradients are averaged (torch's DistributedDataParallel: Li et al. 2020), and all
take the same step. So p processes of B / p rows are one process of B rows: the same losses and weights, but
for the last digits, since sums are taken in another order.

    torchrun --nproc_per_node 2 -m vec2gpt.recipes shakespeare-gpt --out runs

`torchrun` starts the processes and tells each through its environment who it is; `joined` reads that. Where
nobody started several, all of this does nothing. What is said between processes goes through gloo, the
gradients of a model on a GPU through nccl.

Dropout: each process draws its own, in each step from a seed of its own (`seed_step`). So a run that is taken
up again draws the same, and one that goes on with more processes, or fewer, draws others.

Left out: models too large for one device (sharding, pipelines), and gradients averaged less than every step.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vec2gpt.language import IGNORED

Result = TypeVar("Result")
PATIENCE = timedelta(days=1)  # the others wait while process 0 fetches data, or validates

# ---- who is there ----


class Place(NamedTuple):
    """What torchrun tells a process: which of all it is, of how many, and which on its machine."""

    rank: int
    world_size: int
    local_rank: int


def place() -> Place | None:
    """This process's place, from the environment; None where nobody started several.

    ValueError: only some of torchrun's variables are set, or one makes no sense.
    """
    names = [name.upper() for name in Place._fields]
    given = {name: os.environ[name] for name in (*names, "MASTER_ADDR", "MASTER_PORT") if name in os.environ}
    if not given.keys() & {*names}:
        return None
    if missing := [name for name in (*names, "MASTER_ADDR", "MASTER_PORT") if name not in given]:
        raise ValueError(
            f"the environment has {', '.join(given)}, but not {', '.join(missing)}: start the processes with "
            "torchrun, which sets all of them, or unset these"
        )
    with suppress(ValueError):
        found = Place(*(int(given[name]) for name in names))
        if 0 <= found.local_rank <= found.rank < found.world_size:
            return found
    told = ", ".join(f"{name}={given[name]}" for name in names)
    raise ValueError(
        f"the environment says {told}, which is no place among processes: start them with torchrun"
    )


@contextmanager
def joined() -> Iterator[None]:
    """In here the processes that torchrun started work together; afterwards they part, whatever happened."""
    here = place()
    if here is None or here.world_size == 1 or count() > 1:
        yield
        return
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(device())
        backend = "cpu:gloo,cuda:nccl" if dist.is_nccl_available() else backend
    dist.init_process_group(backend, rank=here.rank, world_size=here.world_size, timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def count() -> int:
    """How many processes work together: 1 outside of `joined`."""
    return dist.get_world_size() if _together() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if _together() else 0


def is_first() -> bool:
    """Whether this is process 0, who shows, judges and writes."""
    return rank() == 0


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def device() -> torch.device:
    """Where this process computes: on a GPU of its own where there are GPUs, else on the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    here, gpus = place(), torch.cuda.device_count()
    number = here.local_rank if here else 0
    if number >= gpus:
        raise ValueError(
            f"process {number} of this machine has no GPU of its own, there are {gpus}: start {gpus} with "
            "--nproc_per_node, or set CUDA_VISIBLE_DEVICES to nothing and compute on the CPU"
        )
    return torch.device("cuda", number)


# ---- what they say to each other ----


def from_first(make: Callable[[], Result]) -> Result:
    """`make()` is called in process 0; all of them get what it returns, or the error that it raises."""
    if count() == 1:
        return make()
    said = [None, None]
    if is_first():
        try:
            said[0] = make()
        except Exception as error:
            said[1] = error
    dist.broadcast_object_list(said, src=0, device=torch.device("cpu"))
    if said[1] is not None:
        raise said[1]
    return said[0]


@contextmanager
def one_first() -> Iterator[None]:
    """On each machine one process goes through this block, such as a fetch, before the others may."""
    waits = count() > 1 and place().local_rank > 0
    if waits:
        _wait()
    yield
    if count() > 1 and not waits:
        _wait()


def _wait() -> None:
    """Until all processes are here."""
    dist.all_reduce(torch.zeros(1))


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Gives a function for each step to begin with: after Ctrl-C it raises KeyboardInterrupt, in all of them.

    They must stop before the same step, for a process that goes on alone waits for the others in vain.
    """
    if count() == 1 or threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    asked = []

    def check() -> None:
        stop = torch.tensor(len(asked))
        dist.all_reduce(stop)
        if stop:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, lambda *_: asked.append(1))
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


# ---- a step of all ----


def spread(model: nn.Module, *, partly: bool = False) -> nn.Module:
    """The model, with its gradients averaged over the processes; it begins as in process 0 everywhere.

    partly: not all of its parameters are asked in every step.
    """
    if count() == 1:
        return model
    return DistributedDataParallel(model, find_unused_parameters=partly)


class Share(NamedTuple):
    """A process's rows of a batch, and what their loss weighs: 1 in the mean over the processes."""

    batch: tuple[Tensor, ...]
    weight: float


def share(batch: tuple[Tensor, ...]) -> Share:
    """Process r of p takes rows r B / p … (r + 1) B / p of every tensor (B, …) in the batch, drawn by all.

    A loss that is the mean over its targets must weigh what the share has of them. So where the last tensor
    holds ids, it is taken for the targets, and the weight is the share's part of those that are not −100,
    times p: of 6 targets, 4 in one share of two, it weighs 4/3 and the other 2/3. Other shares weigh 1. A
    model that adds a mean over something else, such as all tokens of the source, or the loss of a second
    task, is then trained on a slightly different mean than in one process.

    ValueError, in all of them: the batch has a number of rows that the processes do not divide, or a share of
    it has no targets.
    """
    if count() == 1:
        return Share(batch, 1.0)
    sizes = {len(tensor) for tensor in batch}
    if len(sizes) > 1 or min(sizes) % count():
        raise ValueError(
            f"a batch of {' and '.join(map(str, sorted(sizes)))} rows does not divide among {count()} "
            f"processes: draw a multiple of {count()} rows, or start another number of processes"
        )
    mine = tuple(tensor.chunk(count())[rank()] for tensor in batch)
    targets = [_targets(rows) for rows in batch[-1].chunk(count())]
    if not all(targets):
        raise ValueError(
            f"of a batch, process {targets.index(0)} has rows whose targets are all {IGNORED}: draw more "
            "rows, or start fewer processes"
        )
    return Share(mine, targets[rank()] / sum(targets) * count())


def _targets(targets: Tensor) -> int:
    """How many count; of what is no ids, the rows."""
    return len(targets) if targets.is_floating_point() else int((targets != IGNORED).sum())


def mean(value: Tensor) -> Tensor:
    """The mean of a number () over the processes, the same to the last bit in each."""
    if count() == 1:
        return value
    total = value.detach().double().cpu()
    dist.all_reduce(total)
    return total / count()


def seed_step(seed: int, step: int) -> None:
    """Of several processes, each draws the dropout of this step from a seed of its own."""
    if count() > 1:
        numbers = np.random.SeedSequence([seed, step, rank()]).generate_state(1, np.uint64)
        torch.manual_seed(int(numbers[0]))
