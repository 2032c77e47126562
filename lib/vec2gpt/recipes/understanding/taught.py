"""A small reader of opinions, taught by a larger one: what the live widget of chapter 11 runs.

The rated texts of four domains are few for a BERT that has read little. MiniLM, held fast under a logistic
regression, tells them apart better; but it is ten times too large to come with the book. So the small one
learns from both (`distillation`; Hinton, Vinyals & Dean 2015): from each text's rating, and from how sure
MiniLM is of it.

    loss = share · T² KL(teacher ‖ student) + (1 − share) · cross-entropy of the rating

A teacher can also judge what nobody has rated. So two more are made of each text, as TinyBERT makes some
(Jiao et al. 2020) by replacing words: here a part is cut out of it, and about every fifth word is dropped.

Left out: a teacher that is tuned itself, which would take an hour of a core.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vec2gpt.bags import logistic_regression
from vec2gpt.classifiers import Classifier
from vec2gpt.distillation import distil
from vec2gpt.hub import checkpoints, minilm
from vec2gpt.language import IGNORED
from vec2gpt.pretokens import gpt_cut
from vec2gpt.recipes.task import Task
from vec2gpt.recipes.understanding import opinions, understanding
from vec2gpt.recipes.understanding.opinions import DOMAINS, Rated
from vec2gpt.recipes.understanding.understanding import Network

SHARE, TEMPERATURE = 0.8, 2.0
DROPPED = 0.2  # of the words of a thinned text
GLANCE = 200  # validation texts of each domain for a quick look


class Taught(nn.Module):
    """A student, and a loss for what a teacher said; what is trained is the student alone."""

    def __init__(self, student: Classifier):
        super().__init__()
        self.student = student

    @property
    def pad(self) -> int:
        return self.student.pad

    def forward(self, ids: Tensor, targets: Tensor | None = None, said: Tensor | None = None):
        """ids (B, T) -> logits (B, C), and the loss, where the teacher's logits said (B, C) are given.

        targets (B,): the classes, −100 where nobody knows; such a text counts, but only by its teacher.
        """
        logits, _ = self.student(ids)
        if said is None:
            return logits, None
        known = F.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum") / len(ids)
        return logits, SHARE * distil(logits, said, temperature=TEMPERATURE) + (1 - SHARE) * known


# ---- what it learns from ----


def part(text: str, dice: Random) -> str:
    """Some of a text's words in a row, about a quarter to half of them."""
    words = gpt_cut(text)
    size = max(1, dice.randint(len(words) // 4, len(words) // 2 + 1))
    start = dice.randint(0, len(words) - size)
    return "".join(words[start : start + size])


def thinned(text: str, dice: Random) -> str:
    """A text without a share of DROPPED of its words, in the mean."""
    return "".join(word for word in gpt_cut(text) if dice.random() > DROPPED)


def made(texts: Sequence[str]) -> list[str]:
    """A part of each text, then each text thinned; where no word is left, the text as it was."""
    dice = Random(0)
    found = [(way(text, dice), text) for way in (part, thinned) for text in texts]
    return [new if new.strip() else text for new, text in found]


def lesson() -> tuple[list[str], Tensor, Tensor]:
    """Texts, their classes (N,), −100 where nobody rated them, and the teacher's logits (N, C)."""
    known = [opinions.split(domain).train for domain in DOMAINS]
    texts = [text for some in known for text in some.texts]
    labels = torch.cat([some.labels for some in known])
    more = made(texts)
    with torch.random.fork_rng(devices=[]):  # what is loaded begins at random; the student's chance stays
        seen, others = (minilm.embed(some, limit=understanding.LENGTH) for some in (texts, more))
    teacher = logistic_regression(seen, labels, strength=understanding.DENSE)
    unrated = torch.full((len(more),), IGNORED)
    return [*texts, *more], torch.cat([labels, unrated]), teacher(torch.cat([seen, others])).float()


# ---- the recipe ----


def model(vocabs) -> Classifier:
    """The BERT that chapter 10 has trained, with a head."""
    return understanding.from_prose().model


def task(*, size: int) -> Task:
    """Batches of texts with ratings and what MiniLM says; judged on each domain's own test."""
    tokens = checkpoints.load("prose-bert").vocabs["text"]

    @cache
    def batched():  # at the first batch: MiniLM takes minutes, and who only judges needs no lesson
        texts, labels, said = lesson()
        rows = _network().rows(texts)
        return understanding.batches_with(rows, labels, said, size=size, pad=tokens["[PAD]"])

    def draw(generator):
        return batched()(generator)

    def validate(student):
        held = (opinions.split(domain).validation.some(GLANCE) for domain in DOMAINS)
        shares = [_judge(student, some)["accuracy"] for some in held]
        return sum(shares) / len(shares)

    def measure(student):
        tests = {domain: _judge(student, opinions.split(domain).test) for domain in DOMAINS}
        return {f"test_{domain}_{name}": x for domain, row in tests.items() for name, x in row.items()}

    return Task({"text": tokens}, draw, measure, opinions.DATA, validate)


@cache
def _network() -> Network:
    """How a text becomes ids, with a model that is only a placeholder."""
    with torch.random.fork_rng(devices=[]):
        return understanding.from_prose()


def _judge(student: nn.Module, asked: Rated) -> dict[str, float]:
    return understanding.judge(_network()._replace(model=student).guess, asked)
