"""The runs behind the checkpoints that come with the book: anyone can repeat them.

    python -m vec2gpt.recipes                     what there is
    python -m vec2gpt.recipes shakespeare-gpt     train it and write its checkpoint

A recipe names a task (data, batches, what is measured), a model and how long to train. A run that is stopped
goes on where it was when it is started again. To add one, add a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from torch import nn

from vec2gpt.attention import AttentionSeq2Seq
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.hub import checkpoints
from vec2gpt.recipes import pronunciation, shakespeare
from vec2gpt.recipes.task import Task
from vec2gpt.recurrent import LanguageModelConfig, LSTMLanguageModel
from vec2gpt.seq2seq import Seq2SeqConfig
from vec2gpt.text import Vocab
from vec2gpt.training import History, fit, seed_everything, warmup_cosine

SEED = 0


@dataclass(frozen=True)
class Recipe:
    about: str
    task: Callable[[], Task]
    model: Callable[[dict[str, Vocab]], nn.Module]  # from the task's vocabularies
    steps: int
    lr: float


def lstm(vocabs):
    return LSTMLanguageModel(LanguageModelConfig(len(vocabs["text"]), width=64, hidden=256))


def attention(vocabs):
    return AttentionSeq2Seq(Seq2SeqConfig(len(vocabs["source"]), len(vocabs["target"])))


def gpt(vocabs):
    return GPT(GPTConfig(len(vocabs["text"]), context=128, layers=4, heads=4, width=128))


RECIPES = {
    "shakespeare-lstm": Recipe(
        about="Shakespeare by character: one LSTM layer of 256",
        task=partial(shakespeare.task, length=64, size=64),
        model=lstm,
        steps=800,
        lr=5e-3,
    ),
    "cmudict-attention": Recipe(
        about="from spelling to pronunciation: GRU encoder-decoder of 192 with attention",
        task=partial(pronunciation.task, size=256),
        model=attention,
        steps=700,
        lr=3e-3,
    ),
    "shakespeare-gpt": Recipe(
        about="Shakespeare by character: 4 blocks, 4 heads, 128 wide, context 128",
        task=partial(shakespeare.task, length=128, size=16),
        model=gpt,
        steps=1000,
        lr=3e-3,
    ),
}


class Trained(NamedTuple):
    model: nn.Module
    history: History
    card: Path  # of its checkpoint


def run(name: str, *, steps: int | None = None, out: str | Path | None = None) -> Trained:
    """Train the recipe of that name and write its checkpoint.

    steps: instead of the recipe's own. out: a folder instead of the package's.
    KeyError for an unknown name; KeyboardInterrupt when stopped by hand: nothing is written but the state
    from which the same call goes on.
    """
    if name not in RECIPES:
        raise KeyError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    steps = recipe.steps if steps is None else steps
    target = Path(out or checkpoints.SHIPPED) / name
    target.parent.mkdir(parents=True, exist_ok=True)

    seed_everything(SEED)
    task = recipe.task()
    model = recipe.model(task.vocabs)
    history = fit(
        model,
        task.draw,
        steps=steps,
        lr=recipe.lr,
        schedule=warmup_cosine(steps, warmup=steps // 20),
        resume=target.with_name(f"{name}.run"),
        seed=SEED,
    )
    if history.interrupted:
        raise KeyboardInterrupt(f"stopped at step {history.steps}: run it again to go on")
    facts = {"vocabs": task.vocabs, "data": task.data, "metrics": task.measure(model)}
    return Trained(model, history, checkpoints.save(model, target, seed=SEED, steps=steps, **facts))
