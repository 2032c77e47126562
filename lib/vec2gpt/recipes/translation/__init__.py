"""The translation ladder: spelling into pronunciation, and generated English into French."""

from functools import partial

from vec2gpt.attentive import AttentionSeq2Seq
from vec2gpt.recipes.checkpoint import CheckpointRecipe
from vec2gpt.recipes.table import TableRecipe
from vec2gpt.recipes.translation import pronunciation, sentences, translation
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.transformer import Transformer


def encoder_decoder(vocabs):
    sizes = len(vocabs["source"]), len(vocabs["target"])
    return Seq2Seq(Seq2SeqConfig(*sizes, hidden=320, handover="concat", bidirectional=True, dropout=0.1))


def attention(vocabs, **config):
    return AttentionSeq2Seq(AttentionSeq2Seq.Config(len(vocabs["source"]), len(vocabs["target"]), **config))


def transformer(vocabs, **config):
    return Transformer(Transformer.Config(len(vocabs["source"]), len(vocabs["target"]), **config))


RECIPES = {
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
}
