"""Pretraining: articles and news, and tokens taken out of them."""

from functools import partial

from vec2gpt.bert import BertConfig, MaskedLM
from vec2gpt.recipes.checkpoint import CheckpointRecipe
from vec2gpt.recipes.pretraining import gaps
from vec2gpt.recipes.table import TableRecipe


def bert(vocabs, **config):
    tokens = vocabs["text"]
    size = {"width": 128, "heads": 4, "inner": 512, "layers": 4, "segments": 0}
    return MaskedLM(BertConfig(len(tokens), pad=tokens["[PAD]"], **size, **config))


RECIPES = {
    "prose-bert": CheckpointRecipe(
        about="articles and news by subword, gaps to fill: a BERT of 4 layers of 128, 1.2 million numbers",
        task=partial(gaps.task, length=64, size=32, share=0.3),
        model=partial(bert, context=64),
        steps=10_000,
        lr=1.5e-3,
    ),
    "gaps": TableRecipe(
        about="a token taken out of a text: guessed by counting, from the left, and from both sides",
        axes=gaps.AXES,
        experiment=gaps.experiment,
    ),
}
