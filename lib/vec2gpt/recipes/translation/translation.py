"""The translation ladder: encoder-decoders on the same small budget, judged on words they never saw.

Every model gets the same steps, worth about a minute for the plain GRU on two cores. The first models differ
in cells and depth, then come the ways of handing over, and two ways of training: the spelling read from its
end to its beginning (Sutskever, Vinyals & Le 2014), and some inputs of the decoder drawn by itself. Then some
look back: one score after the other, then Bahdanau's decoder, then an encoder that reads in one direction.
The last are Transformers: one as in the paper, but pre-norm, and others with one thing changed or taken away.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from vec2gpt import corpora
from vec2gpt.attention import attend_fused
from vec2gpt.attentive import AttentionSeq2Seq
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import size, train, warmup
from vec2gpt.recipes.translation import pronunciation
from vec2gpt.scheduled_sampling import ScheduledSampling
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.training import seed_everything
from vec2gpt.transformer import FUSED, Transformer

STEPS, SIZE, LR, OWN = 600, 256, 3e-3, 0.25
SEEDS = (0, 1, 2)
SHORT, LONG = 6, 10  # letters: up to the one, from the other on


def backwards(word, vocab):
    """As `pronunciation.spell`, the last letter first."""
    return pronunciation.spell(word[::-1], vocab)


class Way(NamedTuple):
    """How a model comes about."""

    config: dict  # what differs from the configuration's own
    spell: Callable = pronunciation.spell
    own: float = 0.0  # the share of the decoder's inputs that it draws itself, in the end
    model: type[nn.Module] = Seq2Seq


def layers(cell, count, **other):
    return Way({"encoder": cell, "decoder": cell, "encoder_layers": count, "decoder_layers": count} | other)


def attention(**config):
    return Way(config, model=AttentionSeq2Seq)


def transformer(model=Transformer, **config):
    return Way({"context": pronunciation.CONTEXT, "dropout": 0.0} | config, model=model)


class SeesAhead(Transformer):
    """It learns without a causal mask, so that each word to be said stands before its eyes."""

    def forward(self, source_ids, decoder_ids, targets=None):
        open_eyed = FUSED._replace(decoder=lambda q, k, v, mask: attend_fused(q, k, v))
        return super().forward(source_ids, decoder_ids, targets, attends=open_eyed)


WAYS = {
    "gru": layers("gru", 1),
    "lstm": layers("lstm", 1),
    "gru, 2 layers": layers("gru", 2),
    "lstm, 2 layers": layers("lstm", 2),
    "lstm to gru": Way({"encoder": "lstm", "decoder": "gru", "handover": "concat"}),
    "reversed": Way({}, spell=backwards),
    "every step": Way({"handover": "every step"}),
    "sum": Way({"handover": "sum"}),
    "mean": Way({"handover": "mean"}),
    "concat": Way({"handover": "concat", "bidirectional": True}),
    "own words": Way({}, own=OWN),
    "attention: dot": attention(score="dot"),
    "attention: scaled dot": attention(score="scaled dot"),
    "attention: general": attention(score="general"),
    "attention: additive": attention(score="additive"),
    "attention: bahdanau": attention(score="additive", attention="bahdanau"),
    "attention: one direction": attention(bidirectional=False, handover="state"),
    "transformer": transformer(),
    "transformer: 4 layers": transformer(encoder_layers=4, decoder_layers=4),
    "transformer: 1 head": transformer(heads=1),
    "transformer: learned positions": transformer(positions="learned"),
    "transformer: rotary positions": transformer(positions="rotary"),
    "transformer: no positions": transformer(positions="none"),
    "transformer: post-norm": transformer(residual="post"),
    "transformer: no residual": transformer(residual="none"),
    "transformer: batch norm": transformer(norm="batch"),
    "transformer: no norm": transformer(norm="none"),
    "transformer: smooth labels": transformer(label_smoothing=0.1),
    "transformer: sees ahead": transformer(SeesAhead),
}
AXES = {"model": tuple(WAYS), "seed": SEEDS}


def experiment() -> Experiment:
    """Rows: a model and a seed; the error rates on validation and test words, and on the test's by length."""

    def settings(*, model: str, seed: int, steps: int | None = None) -> dict:
        way = WAYS[model]
        steps = STEPS if steps is None else steps
        told = f"size={SIZE} lr={LR} warmup={warmup(steps)} spell={way.spell.__name__} own={way.own}"
        return {"model": model, "seed": seed, "steps": steps, "settings": f"{told} {config(way)}"}

    def measure(*, model: str, seed: int, steps: int, **_: object) -> dict:
        way = WAYS[model]
        seed_everything(seed)
        network = way.model(config(way))
        taught = ScheduledSampling(network, own=way.own, steps=steps) if way.own else network
        train(taught, pronunciation.batches(size=SIZE, spell=way.spell), steps=steps, lr=LR, seed=seed)
        return {"parameters": size(network), **_judge(network, way)}

    digest = corpora.corpus("cmudict").sha256
    return Experiment(settings, measure, data=digest, text=digest)


def config(way: Way) -> Seq2SeqConfig:
    return way.model.Config(*map(len, pronunciation.vocabs()), **way.config)


def _judge(model: nn.Module, way: Way) -> dict:
    words = corpora.cmudict_split()
    parts = {
        "validation": words.validation,
        "test": words.test,
        "test_short": [word for word in words.test if len(word) <= SHORT],
        "test_medium": [word for word in words.test if SHORT < len(word) < LONG],
        "test_long": [word for word in words.test if len(word) >= LONG],
    }
    judged = {part: pronunciation.judge(model, some, spell=way.spell) for part, some in parts.items()}
    return {
        f"{part}_{short}": round(rates[name], 4)
        for part, rates in judged.items()
        for short, name in {"wer": "word_error_rate", "per": "phoneme_error_rate"}.items()
    }
