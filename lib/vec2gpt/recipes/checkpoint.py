"""A recipe of the first kind: it trains one model and writes its checkpoint."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from torch import nn

from vec2gpt.hub import checkpoints
from vec2gpt.recipes.task import Task, warmup
from vec2gpt.text import Vocab
from vec2gpt.training import History, fit, seed_everything, warmup_cosine

SEED = 0
LOOKS = 30  # validations on the way


class Trained(NamedTuple):
    model: nn.Module
    history: History
    card: Path  # of its checkpoint

    def __str__(self) -> str:
        """Where the checkpoint is, what it reached and how long it took."""
        metrics = json.loads(self.card.read_text(encoding="utf-8"))["metrics"]
        reached = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
        return f"{self.card}: {reached} ({self.history.seconds:.0f} s)"


@dataclass(frozen=True)
class CheckpointRecipe:
    about: str
    task: Callable[[], Task]
    model: Callable[[dict[str, Vocab]], nn.Module]  # from the task's vocabularies
    steps: int
    lr: float
    learner: Callable[[nn.Module], nn.Module] = lambda model: model  # the model, in what has its loss

    @property
    def size(self) -> str:
        return f"{self.steps} steps"

    def run(self, name: str, *, steps: int | None = None, out: str | Path | None = None) -> Trained:
        """Train the model and write its checkpoint; arguments and errors as for `recipes.run`."""
        steps = self.steps if steps is None else steps
        target = Path(out or checkpoints.SHIPPED) / name
        target.parent.mkdir(parents=True, exist_ok=True)

        seed_everything(SEED)
        task = self.task()
        model = self.model(task.vocabs)
        history = fit(
            self.learner(model),
            task.draw,
            steps=steps,
            lr=self.lr,
            schedule=warmup_cosine(steps, warmup=warmup(steps)),
            validate=task.validate,
            validate_every=max(1, steps // LOOKS),
            resume=target.with_name(f"{name}.run"),
            seed=SEED,
        )
        if history.interrupted:
            raise KeyboardInterrupt(f"stopped at step {history.steps}: run it again to go on")
        facts = {"vocabs": task.vocabs, "data": task.data, "seed": SEED, "steps": steps}
        save = partial(checkpoints.save, model, target, **facts, curve=history.validations)
        save(metrics={})  # hours of training, out of danger before minutes of judging
        return Trained(model, history, save(metrics=task.measure(model)))
