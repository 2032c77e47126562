"""In-context learning, measured: a GPT that is told a mapping by its prompt, and never by its weights.

`TRAINED` says on which mappings it was trained: on any table, a new one in every prompt; on a few tables, the
same again and again; on mappings that follow a feature. It is asked about mappings of the same kind that no
training prompt had (but for any table: there are no others). On few mappings a model learns them by heart,
and fails on new ones; on many it learns to learn (Kirsch et al. 2022). What else a prompt can be is measured
with the same weights: `CHANGED`.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import torch
from torch import Tensor

from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.in_context import Notation, Prompts, examples, features, mislabelled, reordered, tables
from vec2gpt.induction import after_the_same, just_before, rises, score
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import size, train
from vec2gpt.training import Batch, Draw, seed_everything

NOTATION = Notation()
SHOWN = 16  # examples before the last question
STEPS, SIZE, LR = 600, 64, 2e-3
LONGER = {"a feature": 1500}  # after 600 steps two seeds of three have not found them all
ASKED = 1000  # prompts that each figure is measured on
LOOKED = 200  # prompts that the heads are watched on
ORDERS = 8  # in which the same examples are shown
GPT_OPTIONS = {"layers": 2, "heads": 2, "width": 64, "positions": "rotary"}
START = GPT_OPTIONS["width"] ** -0.5  # the standard deviation of its first weights

# ---- what it is trained on ----

Mappings = Callable[[int, torch.Generator], Tensor]  # so many mappings (count, K)


class Trained(NamedTuple):
    own: Mappings  # those of the training
    new: Mappings  # those held out of it


def any_table(seed: int) -> Trained:
    """Any of all 4,096 tables, none held out: in 600 steps of 64 prompts each comes about nine times."""

    def fresh(count, generator):
        return tables(count, NOTATION, generator)

    return Trained(fresh, fresh)


def few_tables(seed: int, *, count: int) -> Trained:
    """The same few tables, which the seed decides (two may be alike); held out are all others."""
    few = tables(count, NOTATION, torch.Generator().manual_seed(1000 + seed))
    known = {tuple(mapping) for mapping in few.tolist()}

    def new(count, generator):
        drawn = tables(2 * count, NOTATION, generator)
        return torch.stack([row for row in drawn if tuple(row.tolist()) not in known][:count])

    return Trained(_any_of(few), new)


def some_features(seed: int) -> Trained:
    """Three quarters of the mappings that follow a feature; held out is the rest."""
    every = features(NOTATION)
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(1000 + seed))
    own, new = every[order].tensor_split([3 * len(every) // 4])
    return Trained(_any_of(own), _any_of(new))


def _any_of(mappings: Tensor) -> Mappings:
    def some(count, generator):
        return mappings[torch.randint(len(mappings), (count,), generator=generator)]

    return some


def counted(count: int) -> Callable[[int], Trained]:
    return lambda seed: few_tables(seed, count=count)


TRAINED = {  # name: from a seed, the mappings of the training and those held out
    "1 table": counted(1),
    "4 tables": counted(4),
    "16 tables": counted(16),
    "64 tables": counted(64),
    "256 tables": counted(256),
    "any table": any_table,
    "a feature": some_features,
}
AXES = {"trained": tuple(TRAINED), "seed": (0, 1, 2)}


def batches(mappings: Mappings, *, size: int = SIZE, shown: int = SHOWN) -> Draw:
    """Batches of `size` prompts for `fit`; each example's label is asked for, after those before it."""

    def draw(generator: torch.Generator) -> Batch:
        keys, labels = examples(mappings(size, generator), shown + 1, generator)
        prompts = NOTATION.write(keys, labels)
        return prompts.ids, prompts.targets

    return draw


def make() -> GPT:
    """The small GPT, with room for a longer template than it is trained on.

    It starts with numbers of 1 / √width: in short trials, GPT-2's 0.02 took it nowhere in as many steps.
    """
    model = GPT(GPTConfig(len(NOTATION.tokens), context=4 * (SHOWN + 1), **GPT_OPTIONS))
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=START)
    return model


# ---- what it is asked ----


@torch.no_grad()
def answers(model: GPT, keys: Tensor, labels: Tensor, *, template: str = "k l") -> Tensor:
    """The label it names for each key, after the examples before that: (B, N); weights stay as they are."""
    prompts = NOTATION.write(keys, labels, template=template)
    return NOTATION.answers(model(prompts.ids)[0], prompts)


def accuracy(model: GPT, mappings: Mappings, *, shown: int = SHOWN) -> list[float]:
    """How often it is right after 0, 1, … `shown` examples, of 1,000 prompts."""
    keys, labels = _asked(mappings, shown)
    return (answers(model, keys, labels) == labels).float().mean(0).tolist()


def changed(model: GPT, mappings: Mappings) -> dict[str, float]:
    """How often it is right about the last key where the prompt is another: see `CHANGED` for the names."""
    keys, labels = _asked(mappings, SHOWN)
    return {name: value(model, mappings, keys, labels) for name, value in CHANGED.items()}


def order_matters(model: GPT, mappings: Mappings, keys: Tensor, labels: Tensor) -> float:
    """The share of prompts whose answer is not the same in each of 8 orders of the examples."""
    generator = torch.Generator().manual_seed(1)
    orders = [reordered(keys, labels, generator) for _ in range(ORDERS)]
    said = torch.stack([answers(model, *order)[:, -1] for order in orders])  # (8, B)
    return (said != said[0]).any(0).float().mean().item()


def with_wrong(share: float) -> Callable[..., float]:
    """Right about the mapping, where so many of the examples say a wrong label."""

    def right(model, mappings, keys, labels):
        told = mislabelled(labels, share, NOTATION, torch.Generator().manual_seed(1))
        return _last(answers(model, keys, told), labels)

    return right


def in_template(template: str) -> Callable[..., float]:
    return lambda model, mappings, keys, labels: _last(
        answers(model, keys, labels, template=template), labels
    )


def of_two_mappings(which: int) -> Callable[..., float]:
    """Where the first half of the examples is of one mapping and the second of another: who is believed?

    Of prompts that show the asked key in both halves, with two labels: the share that answers as the first
    mapping (0) or as the second (1) has it.
    """

    def share(model, mappings, keys, labels):
        others = mappings(len(keys), torch.Generator().manual_seed(2)).gather(1, keys)
        first = torch.arange(keys.shape[1]) < SHOWN // 2
        shown = keys[:, :-1] == keys[:, -1:]
        both = shown[:, : SHOWN // 2].any(1) & shown[:, SHOWN // 2 :].any(1) & (labels != others)[:, -1]
        said = answers(model, keys, torch.where(first, labels, others))[:, -1]
        wanted = (labels, others)[which][:, -1]
        return (said == wanted)[both].float().mean().item()

    return share


CHANGED = {
    "order_matters": order_matters,
    "wrong_25": with_wrong(0.25),
    "wrong_50": with_wrong(0.5),
    "wrong_all": with_wrong(1.0),
    "arrow": in_template("k → l"),  # marks that no training prompt had
    "arrow_and_stop": in_template("k → l ;"),
    "first_mapping": of_two_mappings(0),
    "second_mapping": of_two_mappings(1),
}

# ---- how it does it ----


def heads(model: GPT, mappings: Mappings) -> dict[str, float]:
    """Its best induction head and its best previous-token head, and how the loss rises without each, in nats.

    The induction head is looked for where a label is asked for: it should look at the labels of that key.
    """
    prompts = _prompts(mappings)
    few = prompts.ids[:LOOKED]
    with torch.no_grad():
        weights = model.look(few)
    asked = torch.zeros(few.shape[1], 1, dtype=torch.bool)
    asked[prompts.asked] = True
    induction = score(weights, after_the_same(few) & asked)  # (L, H)
    before = score(weights, just_before(few) & ~asked)
    rise = rises(model, few, prompts.targets[:LOOKED])
    return {
        "induction": induction.max().item(),
        "induction_rise": rise.flatten()[induction.argmax()].item(),
        "before": before.max().item(),
        "before_rise": rise.flatten()[before.argmax()].item(),
    }


# ---- the table ----


def experiment() -> Experiment:
    """Rows: what a model was trained on and a seed, which decides its mappings, first weights and batches.

    new_n, own_n: right after n examples, about mappings held out and about those of the training.
    """

    def settings(*, trained: str, seed: int, steps: int | None = None) -> dict:
        told = f"{NOTATION} shown={SHOWN} size={SIZE} lr={LR} {GPT_OPTIONS} start={START}"
        return {
            "trained": trained,
            "seed": seed,
            "steps": LONGER.get(trained, STEPS) if steps is None else steps,
            "settings": told,
        }

    def measure(*, trained: str, seed: int, steps: int, **_: object) -> dict:
        seed_everything(seed)
        model, mappings = make(), TRAINED[trained](seed)
        train(model, batches(mappings.own), steps=steps, lr=LR, seed=seed)
        figures = {
            **_numbered("new", accuracy(model, mappings.new)),
            **_numbered("own", accuracy(model, mappings.own)),
            **changed(model, mappings.new),
            **heads(model, mappings.new),
        }
        return {"parameters": size(model)} | {name: round(value, 4) for name, value in figures.items()}

    return Experiment(settings, measure, data=_digest(), text=_digest())


def _numbered(name: str, values: list[float]) -> dict[str, float]:
    return {f"{name}_{n}": value for n, value in enumerate(values)}


def _asked(mappings: Mappings, shown: int) -> tuple[Tensor, Tensor]:
    """The keys and labels that every model is asked for, the same ones every time: (1000, shown + 1) each."""
    generator = torch.Generator().manual_seed(99)
    return examples(mappings(ASKED, generator), shown + 1, generator)


def _prompts(mappings: Mappings) -> Prompts:
    return NOTATION.write(*_asked(mappings, SHOWN))


def _last(said: Tensor, labels: Tensor) -> float:
    return (said == labels)[:, -1].float().mean().item()


def _digest() -> str:
    """There is no text to name: the batches are drawn. The first of them stands for the rule that draws."""
    ids, _ = batches(any_table(0).own)(torch.Generator().manual_seed(0))
    return sha256(str(ids.tolist()).encode()).hexdigest()
