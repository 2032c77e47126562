"""One token taken out of a text: who can say what stood there?

Taylor (1953) measured so how readable a text is, and called it the cloze procedure. Here models are asked:
those that count, that read from the left, and that read both sides. They learn from the same passages; those
that are trained are as wide and as deep, and take as many steps. The passages asked about are of documents
that none of them has seen.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt.bert import AskedOnly, BertConfig, MaskedLM
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import IGNORED
from vec2gpt.ngrams import NGram
from vec2gpt.objectives import masked
from vec2gpt.recipes.pretraining import prose
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import Task, device, size, train, warmup
from vec2gpt.training import Draw, rows, seed_everything

LENGTH, SIZE, STEPS, LR = 32, 32, 1000, 2e-3
WIDTH, LAYERS, HEADS = 128, 2, 4
SEEDS = (0, 1, 2)
AROUND = 2  # tokens on either side that the counting model looks at
TOGETHER = 64  # passages that are read at once when a model is judged
GLANCE = 4  # every fourth validation passage is asked about for a quick look

# ---- what is asked ----


class Gaps(NamedTuple):
    """Passages with one token taken out of each; the token may be any but a mark."""

    whole: Tensor  # (N, T) the passages as they were
    asked: Tensor  # (N, T) with [MASK] at the gap
    place: Tensor  # (N,) where the gap is
    answer: Tensor  # (N,) what stood there


def gaps(ids: Tensor, *, seed: int = 0) -> Gaps:
    """One gap in each of the passages ids (N, T), the same ones every time."""
    generator = torch.Generator().manual_seed(seed)
    plain = ids >= marks()  # (N, T)
    place = torch.where(plain, torch.rand(ids.shape, generator=generator), -1).argmax(1)  # (N,)
    answer = ids.gather(1, place[:, None])
    return Gaps(ids, ids.scatter(1, place[:, None], prose.tokens()["[MASK]"]), place, answer[:, 0])


def marks() -> int:
    """How many ids are marks and not text: those below."""
    return len(prose.tokens().specials)


Guess = Callable[[Gaps], Tensor]  # logits (N, V) of what stands in each gap


@torch.no_grad()
def judge(guess: Guess, asked: Gaps) -> dict[str, float]:
    """Of all answers, the share that is guessed first, or among five, and the mean nats of the right one.

    Marks are no answers: probabilities are shared out among the tokens of text.
    """
    parts = zip(*(part.split(TOGETHER) for part in asked), strict=True)
    found = torch.cat([guess(Gaps(*part)).cpu()[:, marks() :].log_softmax(1) for part in parts])  # (N, V')
    right = (asked.answer - marks())[:, None]
    rank = (found > found.gather(1, right)).sum(1)
    return {
        "accuracy": (rank == 0).double().mean().item(),
        "top_five": (rank < 5).double().mean().item(),
        "nats": -found.gather(1, right).double().mean().item(),
    }


# ---- who guesses ----


def from_both_sides(model: nn.Module, asked: Gaps) -> Tensor:
    """A masked model reads the passage with its gap."""
    at = torch.arange(len(asked.place))
    return model(asked.asked.to(device(model)))[0][at, asked.place]


def from_the_left(model: nn.Module, asked: Gaps) -> Tensor:
    """A causal model reads up to the gap, and says what comes next."""
    at = torch.arange(len(asked.place))
    return model(asked.whole.to(device(model)))[0][at, asked.place - 1]


def by_counts(model: NGram, asked: Gaps, *, right: int) -> Tensor:
    """Every token is tried: ln p of it and of so many tokens to its `right`, after those on its left.

    By the product rule that is ln p of the token given both sides, but for a constant.
    """
    guesses = []
    for whole, place in zip(asked.whole, asked.place.tolist(), strict=True):
        tried = torch.arange(len(prose.tokens()))[:, None]  # (V, 1)
        left, after = whole[max(0, place - AROUND) : place], whole[place + 1 : place + 1 + right]
        texts = torch.cat([left.expand(len(tried), -1), tried, after.expand(len(tried), -1)], 1)
        guesses.append(model.scores(texts)[:, len(left) - 1 :].sum(1))
    return torch.stack(guesses)


# ---- how they learn ----


def masked_batches(ids: Tensor, *, size: int, **share: float) -> Draw:
    """Batches of `size` passages out of ids (N, T), other tokens masked each time; `share` as in `masked`."""
    tokens, draw = prose.tokens(), rows(ids, size=size)
    hidden = {"mask": tokens["[MASK]"], "vocab_size": len(tokens), "specials": len(tokens.specials)}

    def batch(generator):
        example = masked(draw(generator)[0], generator, **hidden, **share)
        return example.inputs, example.targets

    return batch


def causal_batches(ids: Tensor, *, size: int) -> Draw:
    """The same passages for a model that says what comes next; padding is not asked for."""
    draw = rows(ids, size=size)

    def batch(generator):
        [chosen] = draw(generator)
        following = chosen[:, 1:]
        return chosen[:, :-1], following.where(following != prose.tokens()["[PAD]"], IGNORED)

    return batch


class Way(NamedTuple):
    """A kind of model that is trained, and how."""

    model: type[nn.Module]
    config: dict
    batches: Callable[..., Draw]
    share: dict
    guess: Callable


BERT = {"width": WIDTH, "heads": HEADS, "layers": LAYERS, "inner": 4 * WIDTH, "segments": 0, "dropout": 0.0}
WAYS = {
    "gpt": Way(GPT, {"width": WIDTH, "heads": HEADS, "layers": LAYERS}, causal_batches, {}, from_the_left),
    "bert": Way(MaskedLM, BERT, masked_batches, {}, from_both_sides),
    "bert: always [MASK]": Way(MaskedLM, BERT, masked_batches, {"keep": 0, "swap": 0}, from_both_sides),
    "bert: 40%": Way(MaskedLM, BERT, masked_batches, {"share": 0.4}, from_both_sides),
    "albert": Way(MaskedLM, BERT | {"factors": 32, "shared": True}, masked_batches, {}, from_both_sides),
}
COUNTED = {"unigram": (1, 0), "trigram": (3, 0), "trigram: both sides": (3, 2)}  # order, tokens to the right
AXES = {"model": (*COUNTED, *WAYS), "seed": SEEDS}


def config(model: str, *, length: int = LENGTH) -> GPTConfig | BertConfig:
    way = WAYS[model]
    padding = {"pad": prose.tokens()["[PAD]"]} if way.model is MaskedLM else {}
    return way.model.Config(vocab_size=len(prose.tokens()), context=length, **way.config, **padding)


# ---- the table, and the long run ----


def _chosen(config) -> dict:
    """What a configuration says that its defaults do not: a choice that comes later changes no row."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {field.name: values[field.name] for field in fields(config) if values[field.name] != field.default}


def experiment() -> Experiment:
    """Rows: a model and a seed, which decides its first weights and its batches; what it guesses right."""

    def settings(*, model: str, seed: int, steps: int | None = None) -> dict:
        place, steps = {"model": model, "seed": seed}, STEPS if steps is None else steps
        learned, asked = (_hash(_passages(part).tolist()) for part in ("train", "test"))
        shared = f"length={LENGTH} tokens={_hash(prose.tokens().merges)} passages={learned} {asked}"
        if model in COUNTED:
            return place | {"steps": 0, "settings": f"{shared} order, right={COUNTED[model]}"}
        told = f"size={SIZE} lr={LR} warmup={warmup(steps)} {WAYS[model].share} {_chosen(config(model))}"
        return place | {"steps": steps, "settings": f"{shared} {told}"}

    def measure(*, model: str, seed: int, steps: int, **_: object) -> dict:
        asked = gaps(_passages("test"))
        guess, parameters = _counted(model) if model in COUNTED else _trained(model, seed=seed, steps=steps)
        judged = {name: round(value, 4) for name, value in judge(guess, asked).items()}
        return {"parameters": parameters, "gaps": len(asked.place), **judged}

    return Experiment(settings, measure, data=prose.DATA, text=prose.digest())


def _counted(model: str) -> tuple[Guess, int]:
    order, right = COUNTED[model]
    text = _passages("train")
    counts = NGram(text[text != prose.tokens()["[PAD]"]], len(prose.tokens()), order=order)
    return partial(by_counts, counts, right=right), sum(len(level.grams) for level in counts.levels)


def _trained(model: str, *, seed: int, steps: int) -> tuple[Guess, int]:
    seed_everything(seed)
    way = WAYS[model]
    network = way.model(config(model))
    learner = AskedOnly(network) if way.model is MaskedLM else network  # the same gradient, sooner
    train(learner, way.batches(_passages("train"), size=SIZE, **way.share), steps=steps, lr=LR, seed=seed)
    return partial(way.guess, network), size(network)


def task(*, length: int, size: int, share: float) -> Task:
    """For a masked model of the long run: batches of passages, and how well it fills one gap."""
    ids = {part: _passages(part, length=length) for part in ("train", "validation", "test")}

    def validate(model):
        return judge(partial(from_both_sides, model), gaps(ids["validation"][::GLANCE]))["nats"]

    def measure(model):
        judged = judge(partial(from_both_sides, model), gaps(ids["test"]))
        return {f"test_{name}": value for name, value in judged.items()}

    draw = masked_batches(ids["train"], size=size, share=share)
    return Task({"text": prose.tokens()}, draw, measure, prose.DATA, validate)


@cache
def _passages(part: str, *, length: int = LENGTH) -> Tensor:
    return prose.rows(part, length=length)


def _hash(numbers: list) -> str:
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:12]
