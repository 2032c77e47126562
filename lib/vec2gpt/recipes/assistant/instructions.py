"""Instruction tuning: the GPT that has read the plays learns to obey commands, and is asked for new ones.

The commands are made (see `commands`), so it is known which words, wordings, pairs and kinds were in no
training command. Right is what is right to the last letter, written greedily. `WAYS` says what is changed:
whether the plays were read before, what the loss counts, and how many pairs of acts are in the training.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt import corpora
from vec2gpt.blocks import even_std
from vec2gpt.commands import ASKED, PAIRED, SINGLE, Command, commands, look_up
from vec2gpt.gpt import GPT
from vec2gpt.hub import checkpoints
from vec2gpt.language import IGNORED
from vec2gpt.metrics import bits, window_loss
from vec2gpt.recipes.language import shakespeare
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import Task, train
from vec2gpt.training import Batch, Draw, seed_everything

BASE = "shakespeare-gpt"
LENGTHS = 3, 7  # letters of a word
OFTEN = 5  # a word stands so often in the training plays
HELD = 10  # every tenth word is held out
STEPS, SIZE, LR = 1200, 32, 2e-3
TOGETHER, LOOKED_UP = 1 / 3, 1 / 6  # of the training commands: pairs, and questions about a note
JUDGED = 400  # commands of each sort
GLANCE = 100


class Way(NamedTuple):
    pairs: int = len(PAIRED)  # of the pairs of acts, so many are in the training
    read: bool = True  # has it read the plays?
    answers: bool = True  # does the loss count the answers alone?
    tuned: bool = True


WAYS = {
    "the plays alone": Way(tuned=False),
    "tuned": Way(),
    "loss on all": Way(answers=False),
    "nothing read": Way(read=False),
    "no pairs": Way(pairs=0),
    "12 pairs": Way(pairs=12),
}
AXES = {"seed": (0,), "way": tuple(WAYS)}

# ---- commands as batches ----


@cache
def words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The plays' words for training commands, and those held out: 4,404 and 490."""
    shortest, longest = LENGTHS
    counts = Counter(re.findall(rf"\b[a-z]{{{shortest},{longest}}}\b", corpora.plays().train))
    known = sorted(word for word, count in counts.items() if count >= OFTEN)
    Random(0).shuffle(known)
    cut = len(known) // HELD
    return tuple(known[cut:]), tuple(known[:cut])


def batch(some: Sequence[Command], *, answers: bool = True) -> Batch:
    """Commands as ids (B, T) and targets (B, T), shorter ones padded with what no loss counts.

    answers: targets are the answers alone, with their line break.
    """
    encode = shakespeare.characters().encode
    texts = [torch.tensor(encode(command.text)) for command in some]
    whole = nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=IGNORED)
    ids, targets = whole[:, :-1].clamp_min(0), whole[:, 1:].clone()
    if answers:
        for row, command in zip(targets, some, strict=True):
            row[: len(command.prompt)] = IGNORED
    return ids, targets


def batches(pairs: int = len(PAIRED), *, size: int = SIZE, answers: bool = True) -> Draw:
    """Batches of new commands for `fit`: a third are pairs, of so many pairs; a sixth ask about a note.

    To look something up is the hardest of the kinds: with a share like that of the others it was a guess
    among the note's facts after 3,000 steps.
    """
    known, _ = words()
    paired = PAIRED[:: len(PAIRED) // pairs] if pairs else SINGLE
    sorts = (paired, TOGETHER), ((look_up,), LOOKED_UP), (SINGLE, 1 - TOGETHER - LOOKED_UP)
    kinds, shares = zip(*sorts, strict=True)

    def draw(generator: torch.Generator) -> Batch:
        dice = Random(int(torch.randint(2**62, (1,), generator=generator)))
        some = [dice.choice(sort) for sort in dice.choices(kinds, shares, k=size)]
        return batch([kind(known, dice) for kind in some], answers=answers)

    return draw


# ---- how many are right ----


@torch.no_grad()
def right(model: nn.Module, some: Sequence[Command]) -> Tensor:
    """Which of the commands a greedy writer answers to the last letter: (N,), boolean.

    It would write exactly the wanted answer just where each of its letters is the likeliest after those
    before it, so one pass over commands with their answers tells.
    """
    ids, targets = batch(some)
    guessed = torch.cat([model(part)[0].argmax(-1) for part in ids.split(100)])
    return ((guessed == targets) | (targets == IGNORED)).all(1)


def judge(model: nn.Module, count: int = JUDGED) -> dict[str, float]:
    """Percent right of every sort of command, always about words held out."""
    _, held = words()
    asked = {sort: commands(draws, held, count, seed=1) for sort, draws in ASKED.items()}
    return {_column(sort): 100 * right(model, some).double().mean().item() for sort, some in asked.items()}


def _column(sort):
    return sort.replace(" ", "_")


# ---- the recipes ----


def base(read: bool = True) -> GPT:
    """The GPT of the plays, or one of its shape that has read nothing."""
    model = checkpoints.load(BASE).model
    if read:
        return model
    width = model.config.width
    return GPT(replace(model.config, std=even_std(width)))


def task(*, size: int) -> Task:
    """Commands of all known kinds for the long run, judged on all sorts."""

    def validate(model):
        return judge(model, GLANCE)["new_pairs"]

    def measure(model):
        return {f"{sort}_percent": value for sort, value in judge(model, 1000).items()}

    data = corpora.corpus("shakespeare").sha256
    return Task({"text": shakespeare.characters()}, batches(size=size), measure, data, validate)


def experiment() -> Experiment:
    """Rows: a seed, and a way."""

    def settings(*, seed: int, way: str, steps: int | None = None) -> dict:
        taken = (STEPS if steps is None else steps) * WAYS[way].tuned
        told = (
            f"size={SIZE} lr={LR:g} together={TOGETHER:.3g} looked_up={LOOKED_UP:.3g} {WAYS[way]._asdict()}"
        )
        return {"seed": seed, "way": way, "steps": taken, "settings": told}

    def measure(*, seed: int, way: str, steps: int, **_: object) -> dict:
        seed_everything(seed)
        chosen = WAYS[way]
        model = base(chosen.read)
        draw = batches(chosen.pairs, answers=chosen.answers)
        if steps:
            train(model, draw, steps=steps, lr=LR, seed=seed)
        model.eval()
        _, _, test = shakespeare.numbered()
        told = {sort: round(value, 1) for sort, value in judge(model).items()}
        return {**told, "plays_bits": round(bits(window_loss(model, test[:16, :2000])), 3)}

    return Experiment(settings, measure, data=corpora.corpus("shakespeare").sha256, text=shakespeare.digest())
