"""The long runs behind what comes with the book, checkpoints and tables: anyone can repeat them.

    python -m vec2gpt.recipes                     what there is
    python -m vec2gpt.recipes shakespeare-gpt     train it and write its checkpoint
    python -m vec2gpt.recipes word-vectors        train them all and write what they reached

A recipe that makes a checkpoint names a task (data, batches, what is measured), a model and how long to
train; one that makes a table names its axes and the experiment that each row repeats. A run that is stopped
goes on where it was when it is started again. To add one, add a row.
"""

from functools import partial
from pathlib import Path

import pandas as pd

from vec2gpt.attentive import AttentionSeq2Seq
from vec2gpt.bert import BertConfig, MaskedLM
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.recipes import (
    domains,
    finding_names,
    gaps,
    ladder,
    pronunciation,
    pseudo_labels,
    recall,
    sentences,
    shakespeare,
    table,
    taught,
    translation,
    two_tasks,
    understanding,
    ways,
    word_vectors,
)
from vec2gpt.recipes.checkpoint import CheckpointRecipe, Trained
from vec2gpt.recipes.table import Recorded, TableRecipe
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.transformer import Transformer


def recurrent(vocabs, *, cell):
    return RecurrentLanguageModel(LanguageModelConfig(len(vocabs["text"]), cell=cell, width=64, hidden=320))


def encoder_decoder(vocabs):
    sizes = len(vocabs["source"]), len(vocabs["target"])
    return Seq2Seq(Seq2SeqConfig(*sizes, hidden=320, handover="concat", bidirectional=True, dropout=0.1))


def attention(vocabs, **config):
    return AttentionSeq2Seq(AttentionSeq2Seq.Config(len(vocabs["source"]), len(vocabs["target"]), **config))


def transformer(vocabs, **config):
    return Transformer(Transformer.Config(len(vocabs["source"]), len(vocabs["target"]), **config))


def bert(vocabs, **config):
    tokens = vocabs["text"]
    size = {"width": 128, "heads": 4, "inner": 512, "layers": 4, "segments": 0}
    return MaskedLM(BertConfig(len(tokens), pad=tokens["[PAD]"], **size, **config))


def gpt(vocabs):
    return GPT(GPTConfig(len(vocabs["text"]), context=128, layers=4, heads=4, width=128))


RECIPES = {
    **{
        f"shakespeare-{cell}": CheckpointRecipe(
            about=f"Shakespeare's plays by character: one {cell.upper()} layer of 320",
            task=partial(shakespeare.reading, length=100, size=32),
            model=partial(recurrent, cell=cell),
            steps=9000,
            lr=3e-3,
        )
        for cell in ("rnn", "lstm", "gru")
    },
    "cmudict-gru": CheckpointRecipe(
        about="from spelling to pronunciation: GRU encoder-decoder of 320, one vector between them",
        task=partial(pronunciation.task, size=256),
        model=encoder_decoder,
        steps=7000,
        lr=3e-3,
    ),
    "cmudict-attention": CheckpointRecipe(
        about="from spelling to pronunciation: a GRU reads in both directions, one speaks, with attention",
        task=partial(pronunciation.task, size=256),
        model=partial(attention, dropout=0.2),
        steps=6000,
        lr=3e-3,
    ),
    **{
        f"cmudict-{config['score']}": CheckpointRecipe(
            about=f"the same, half as wide: {config['attention'].title()}'s decoder, score {config['score']}",
            task=partial(pronunciation.task, size=256),
            model=partial(attention, hidden=128, **config),
            steps=600,
            lr=3e-3,
        )
        for config in ({"score": "dot", "attention": "luong"}, {"score": "additive", "attention": "bahdanau"})
    },
    "grammar-attention": CheckpointRecipe(
        about="generated English into French: GRU encoder-decoder of 256 with attention",
        task=partial(sentences.task, size=128),
        model=attention,
        steps=600,
        lr=3e-3,
    ),
    "cmudict-transformer": CheckpointRecipe(
        about="from spelling to pronunciation: a Transformer of 4 + 4 layers of 128, 1.9 million numbers",
        task=partial(pronunciation.task, size=256),
        model=partial(
            transformer,
            context=pronunciation.CONTEXT,
            encoder_layers=4,
            decoder_layers=4,
            positions="rotary",
            label_smoothing=0.1,
        ),
        steps=10_000,
        lr=1.5e-3,
    ),
    "grammar-transformer": CheckpointRecipe(
        about="generated English into French: a Transformer of 2 + 2 layers of 128",
        task=partial(sentences.task, size=128),
        model=partial(transformer, context=sentences.CONTEXT, dropout=0.0),
        steps=600,
        lr=3e-3,
    ),
    "shakespeare-gpt": CheckpointRecipe(
        about="Shakespeare by character: 4 blocks, 4 heads, 128 wide, context 128",
        task=partial(shakespeare.task, length=128, size=16),
        model=gpt,
        steps=1000,
        lr=3e-3,
    ),
    "prose-bert": CheckpointRecipe(
        about="articles and news by subword, gaps to fill: a BERT of 4 layers of 128, 1.2 million numbers",
        task=partial(gaps.task, length=64, size=32, share=0.3),
        model=partial(bert, context=64),
        steps=10_000,
        lr=1.5e-3,
    ),
    "opinions-bert": CheckpointRecipe(
        about="for or against: prose-bert tuned on the opinions of four domains, with MiniLM for a teacher",
        task=partial(taught.task, size=32),
        model=taught.model,
        learner=taught.Taught,
        steps=3000,
        lr=1e-3,
    ),
    "word-vectors": TableRecipe(
        about="PPMI and SVD, CBOW, skip-gram on parts of a text: how well they agree with people",
        axes=word_vectors.AXES,
        experiment=word_vectors.experiment,
    ),
    "language-ladder": TableRecipe(
        about="Shakespeare's plays by character: counting and small neural models, three seeds",
        axes=ladder.CLIMB,
        experiment=ladder.climb,
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
    "translation-ladder": TableRecipe(
        about="from spelling to pronunciation: encoder-decoders, what they hand over and how, three seeds",
        axes=translation.AXES,
        experiment=translation.experiment,
    ),
    "grammar-lengths": TableRecipe(
        about="generated English into French, without attention and with: BLEU by the length of the sentence",
        axes=sentences.AXES,
        experiment=sentences.experiment,
    ),
    "gaps": TableRecipe(
        about="a token taken out of a text: guessed by counting, from the left, and from both sides",
        axes=gaps.AXES,
        experiment=gaps.experiment,
    ),
    "understanding-ladder": TableRecipe(
        about="reviews for or against, told apart after 50 to 2,400 of them: word counts to MiniLM",
        axes=understanding.AXES,
        experiment=understanding.experiment,
    ),
    "domains": TableRecipe(
        about="MiniLM tuned on the opinions of one domain or more, then of another, and judged on all four",
        axes=domains.AXES,
        experiment=domains.experiment,
    ),
    "tuning-ways": TableRecipe(
        about="MiniLM tuned on 200 reviews: which layers learn, when, how fast, and at which rate",
        axes=ways.AXES,
        experiment=ways.experiment,
    ),
    "names": TableRecipe(
        about="who is named in Shakespeare's plays: looked up, by capitals, and by BERTs; plays held out",
        axes=finding_names.AXES,
        experiment=finding_names.experiment,
    ),
    "two-tasks": TableRecipe(
        about="one BERT with two heads, opinion and domain: each alone, and both together",
        axes=two_tasks.AXES,
        experiment=two_tasks.experiment,
    ),
    "pseudo-labels": TableRecipe(
        about="200 rated reviews, and labels that MiniLM gives others: how many are right, what they bring",
        axes=pseudo_labels.AXES,
        experiment=pseudo_labels.experiment,
    ),
    "recall": TableRecipe(
        about="recurrent cells asked for the first token of a text, after so many others",
        axes=recall.AXES,
        experiment=recall.experiment,
    ),
}


def run(name: str, *, steps: int | None = None, out: str | Path | None = None) -> Trained | Recorded:
    """Train what the recipe of that name trains and write its checkpoint or table.

    steps: instead of the recipe's own. out: a folder instead of the package's.
    KeyError for an unknown name; ValueError for steps below 1, or a table of other steps than the recipe's
    without `out`; KeyboardInterrupt when stopped by hand: nothing is written but the state from which the
    same call goes on.
    """
    if name not in RECIPES:
        raise KeyError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    if steps is not None and steps < 1:
        raise ValueError(f"steps is {steps}: train at least 1")
    return RECIPES[name].run(name, steps=steps, out=out)


def recorded(name: str) -> pd.DataFrame:
    """The table that came with the book, as the recipe of that name wrote it.

    KeyError for a recipe that makes no table, FileNotFoundError for one that has not been run.
    """
    tables = [known for known, recipe in RECIPES.items() if isinstance(recipe, TableRecipe)]
    if name not in tables:
        raise KeyError(f"no recipe called {name!r} makes a table; there are {', '.join(tables)}")
    return table.read(name)
