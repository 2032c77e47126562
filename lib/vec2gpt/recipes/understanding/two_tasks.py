"""One reader, two heads: does a text's domain help to tell whether it is for or against, or the reverse?

Caruana 1997: tasks that are learnt together share what reads, so each is practice for the others. The loss is
a weighted sum,

    loss = (1 − share) · loss(for or against) + share · loss(of which domain),

and at a share of 0 or 1 one of the tasks is alone. All see the same texts, in the same batches.
"""

import torch
from torch import Tensor, nn

from vec2gpt.classifiers import Classifier, predict
from vec2gpt.labelled import class_loss
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import train
from vec2gpt.recipes.understanding import opinions, understanding
from vec2gpt.recipes.understanding.opinions import DOMAINS, Rated
from vec2gpt.training import seed_everything

MODEL = "prose-bert, tuned"
SHARES, SEEDS = (0.0, 0.5, 1.0), (0, 1, 2, 3, 4)
EACH = 200  # texts of each domain
STEPS, RATE = 200, understanding.TRAINED[MODEL].lr
ASKED = 250  # of the test texts of each domain
AXES = {"seed": SEEDS, "share": SHARES}


class Together(nn.Module):
    """Two classifiers that read with the first one's reader; share: of the second's loss.

    Each of them can be used by itself afterwards.
    """

    def __init__(self, first: Classifier, second: Classifier, *, share: float):
        super().__init__()
        if not 0 <= share <= 1:
            raise ValueError(f"share is {share}: give a share from 0 to 1, of the second task")
        self.first, self.second, self.share = first, second, share
        second.bert = first.bert

    def forward(self, ids: Tensor, targets: Tensor, others: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """ids (B, T), classes (B,) for each head -> the logits of both, and their losses' weighted sum."""
        x, tokens = self.first.bert(ids), ids != self.first.pad
        logits = tuple(one.head(one.dropout(one.pool(x, tokens))) for one in (self.first, self.second))
        losses = map(class_loss, logits, (targets, others))
        return logits, sum(
            weight * loss for weight, loss in zip((1 - self.share, self.share), losses, strict=True)
        )


def texts(count: int, *, seed: int) -> tuple[Rated, Tensor]:
    """So many of each domain, half of them of each class, and the domain of each."""
    parts = [opinions.draw(name, count, seed=seed) for name in DOMAINS]
    return _joined(parts)


def asked() -> tuple[Rated, Tensor]:
    """The test texts of all domains that all are judged on."""
    return _joined([opinions.split(name).test.some(ASKED) for name in DOMAINS])


def _joined(parts: list[Rated]) -> tuple[Rated, Tensor]:
    return Rated.joined(parts), torch.cat([torch.full((len(part),), n) for n, part in enumerate(parts)])


def tune(share: float, *, steps: int, seed: int) -> Together:
    """Both heads on prose-bert, trained on `texts`."""
    known, domains = texts(EACH, seed=seed)
    seed_everything(seed)
    network = understanding.TRAINED[MODEL].make()
    model = Together(network.model, Classifier(network.model, len(DOMAINS)), share=share)
    rows = network.rows(known.texts)
    draw = understanding.batches_with(rows, known.labels, domains, pad=model.first.pad)
    train(model, draw, steps=steps, lr=RATE, seed=seed)
    return model


def experiment() -> Experiment:
    """Rows: a seed, which decides the texts, the heads' first weights and the batches, and a share."""

    def settings(*, seed: int, share: float, steps: int | None = None) -> dict:
        taken = STEPS if steps is None else steps
        told = f"each={EACH} asked={ASKED} rate={RATE} {understanding.told(MODEL, taken)}"
        return {"seed": seed, "share": share, "steps": taken, "settings": told}

    def measure(*, seed: int, share: float, steps: int, **_: object) -> dict:
        model = tune(share, steps=steps, seed=seed)
        known, domains = asked()
        rows = understanding.TRAINED[MODEL].make().rows(known.texts)
        answers = {"opinion": (model.first, known.labels), "domain": (model.second, domains)}
        return {
            name: round((predict(one, rows).argmax(1) == labels).double().mean().item(), 4)
            for name, (one, labels) in answers.items()
        }

    return Experiment(settings, measure, data=opinions.DATA, text=opinions.digest(*DOMAINS))
