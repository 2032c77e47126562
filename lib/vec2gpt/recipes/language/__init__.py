"""The language ladder: Shakespeare by character; and what a memory can hold."""

from functools import partial

from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.recipes.checkpoint import CheckpointRecipe
from vec2gpt.recipes.language import ladder, mappings, recall, scaling, shakespeare
from vec2gpt.recipes.table import TableRecipe


def recurrent(vocabs, *, cell):
    return RecurrentLanguageModel(LanguageModelConfig(len(vocabs["text"]), cell=cell, width=64, hidden=320))


def gpt(vocabs):
    return GPT(GPTConfig(len(vocabs["text"]), context=256, layers=4, heads=6, width=192, **TODAY))


RECIPES = {
    **{
        f"shakespeare-{cell}": CheckpointRecipe(
            about=f"Shakespeare's plays by character: one {cell.upper()} layer of 320",
            task=partial(shakespeare.reading, length=100, size=32),
            model=partial(recurrent, cell=cell),
            takes_text=True,
            steps=9000,
            lr=3e-3,
        )
        for cell in ("rnn", "lstm", "gru")
    },
    "shakespeare-gpt": CheckpointRecipe(
        about="Shakespeare's plays by character: 4 blocks of 192 as they are made today, 1.6 million numbers",
        task=partial(shakespeare.seeing, length=256, size=16),
        model=gpt,
        takes_text=True,
        steps=8000,
        lr=2e-3,
    ),
    "language-ladder": TableRecipe(
        about="Shakespeare's plays by character: counting and small neural models, three seeds",
        axes=ladder.CLIMB,
        experiment=ladder.climb,
    ),
    "language-time": TableRecipe(
        about="the same with equal time: as long as the LSTM's steps take",
        axes=ladder.CLOCK,
        experiment=ladder.clock,
    ),
    "gpt-styles": TableRecipe(
        about="the ladder's GPT as GPT-2 is made, with each change since then, and with all",
        axes=ladder.STYLES,
        experiment=ladder.styles,
    ),
    "scaling": TableRecipe(
        about="small GPTs of four sizes on five budgets of characters: how the loss falls",
        axes=scaling.AXES,
        experiment=scaling.experiment,
    ),
    "ngram-orders": TableRecipe(
        about="n-grams of the plays: by order, and by how much was counted",
        axes=ladder.ORDERS,
        experiment=ladder.orders,
    ),
    "language-data": TableRecipe(
        about="the ladder's LSTM on parts of the plays",
        axes=ladder.DATA,
        experiment=ladder.climb,
    ),
    "recall": TableRecipe(
        about="recurrent cells asked for the first token of a text, after so many others",
        axes=recall.AXES,
        experiment=recall.experiment,
    ),
    "in-context": TableRecipe(
        about="a small GPT told mappings by examples: accuracy by their number, and what prompts change",
        axes=mappings.AXES,
        experiment=mappings.experiment,
    ),
}
