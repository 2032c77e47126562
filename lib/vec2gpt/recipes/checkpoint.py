"""A recipe of the first kind: it trains one model and writes its checkpoint."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from torch import nn

from vec2gpt import processes
from vec2gpt.hub import checkpoints
from vec2gpt.recipes.own_text import OwnText
from vec2gpt.recipes.task import Task, warmup
from vec2gpt.text import Vocab
from vec2gpt.training import History, fit, seed_everything, warmup_cosine

SEED = 0
LOOKS = 30  # validations on the way
USE = """

Write with it:
    import torch
    from vec2gpt.decoding import generate
    from vec2gpt.hub import checkpoints

    model, vocabs, card = checkpoints.load({path!r})
    start = {start!r}
    written = generate(model, torch.tensor([vocabs["text"].encode(start)]), 200, temperature=0.8)
    print(start + "".join(vocabs["text"].decode(written[0].tolist())))"""


class Trained(NamedTuple):
    model: nn.Module
    history: History
    card: Path  # of its checkpoint, which process 0 writes
    text: OwnText | None = None  # that it was trained on, instead of what its recipe names

    def __str__(self) -> str:
        """Where the checkpoint is, what it reached, how long it took; of the reader's text, how to use it."""
        metrics = json.loads(self.card.read_text(encoding="utf-8"))["metrics"]
        reached = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
        told = f"{self.card}: {reached} ({self.history.seconds:.0f} s)"
        return told + (USE.format(path=_loadable(self.card), start=self.text.start) if self.text else "")


@dataclass(frozen=True)
class CheckpointRecipe:
    about: str
    task: Callable[..., Task]
    model: Callable[[dict[str, Vocab]], nn.Module]  # from the task's vocabularies
    steps: int
    lr: float
    learner: Callable[[nn.Module], nn.Module] = lambda model: model  # the model, in what has its loss
    takes_text: bool = False  # its task can be asked of the reader's own text, as `task(text)`

    @property
    def size(self) -> str:
        return f"{self.steps} steps"

    def run(
        self,
        name: str,
        *,
        steps: int | None = None,
        out: str | Path | None = None,
        text: OwnText | None = None,
    ) -> Trained:
        """Train the model and write its checkpoint; arguments and errors as for `recipes.run`.

        In several processes, each returns the model; process 0 judges it and writes.
        """
        steps = self.steps if steps is None else steps
        target, state = Path(out or checkpoints.SHIPPED) / name, _state(name, text)
        seed_everything(SEED)
        with processes.one_first():  # who fetches the data, which the others then find
            task = self.task(text) if text else self.task()
        processes.from_first(partial(_prepare, target, task.data if out else None))
        if text and processes.is_first():
            print(f"{text}; {steps} steps on the first nine tenths", flush=True)
        model = self.model(task.vocabs).to(processes.device())
        history = fit(
            self.learner(model),
            task.draw,
            steps=steps,
            lr=self.lr,
            schedule=warmup_cosine(steps, warmup=warmup(steps)),
            validate=task.validate,
            validate_every=max(1, steps // LOOKS),
            resume=target.with_name(state),
            seed=SEED,
        )
        if history.interrupted:
            raise KeyboardInterrupt(f"stopped at step {history.steps}: run it again to go on")
        card = target.with_name(f"{name}.json")
        if processes.is_first():
            facts = {"vocabs": task.vocabs, "data": task.data, "seed": SEED, "steps": steps}
            save = partial(checkpoints.save, model, target, **facts, curve=history.validations)
            save(metrics={})  # hours of training, out of danger before minutes of judging
            card = save(metrics=task.measure(model))
        return Trained(model, history, card, text)


def _state(name: str, text: OwnText | None) -> str:
    """The file of a run's state: one for each text, so that none goes on with the weights of another."""
    return f"{name}.{text.sha256[:12]}.run" if text else f"{name}.run"


def _prepare(target: Path, data: str | None) -> None:
    """Make the folder; ValueError where a checkpoint of other data than these would be lost."""
    target.parent.mkdir(parents=True, exist_ok=True)
    card = target.with_name(f"{target.name}.json")
    if data and card.exists() and json.loads(card.read_text(encoding="utf-8"))["data"] != data:
        raise ValueError(
            f"{card} is there, trained on other data, and would be lost: name another folder in --out, or "
            "remove it"
        )


def _loadable(card: Path) -> str:
    """What `checkpoints.load` takes for a path, and not for the name of one that comes with the book."""
    path = card.with_suffix("").as_posix()
    return path if "/" in path else f"./{path}"
