"""The translation ladder's second task: generated English into French, and how it goes with longer sentences.

Cho, van Merriënboer, Bahdanau & Bengio (2014) saw an encoder-decoder's BLEU fall as sentences grow; with
attention it no longer did (Bahdanau, Cho & Bengio 2015). On generated sentences (`vec2gpt.grammar`) nothing
else grows with them: all lengths have the same words, the same rules, and as many pairs to learn from. And
which word renders which is known, so that one can ask whether attention looks there.
"""

from functools import cache, lru_cache
from hashlib import sha256
from math import nan
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt import grammar
from vec2gpt.attentive import AttentionSeq2Seq
from vec2gpt.decoding import greedy, until_end
from vec2gpt.metrics import alignment_error_rate, bleu
from vec2gpt.pairs import bucketed, padded, teacher_forced
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import Task, device, size, train, warmup
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.training import seed_everything
from vec2gpt.transformer import Transformer

LENGTH, COUNT = (4, 21), 36_000  # English words, and pairs of all parts together
BANDS = {4: 6, 7: 9, 10: 12, 13: 15, 16: 18, 19: 21}  # from … to so many words
CONTEXT = 64  # room for the longest sentences, and for twice as much French
STEPS, SIZE, LR = 600, 128, 3e-3
SEEDS = (0, 1, 2)
TOGETHER = 128  # sentences whose weights are asked for at once: the additive score holds D numbers a pair
GLANCE = 5  # every fifth validation sentence is translated for a quick look


class Way(NamedTuple):
    """A kind of model, and its configuration beside the vocabularies."""

    model: type[nn.Module]
    config: dict


WAYS = {
    "gru": Way(Seq2Seq, {"handover": "concat", "bidirectional": True}),
    "attention": Way(AttentionSeq2Seq, {}),
    "transformer": Way(Transformer, {"context": CONTEXT, "dropout": 0.0}),
}
AXES = {"model": tuple(WAYS), "seed": SEEDS, "shortest": tuple(BANDS)}


def read(sentence, vocab):
    """The ids of a sentence's words and of the <eos> behind them."""
    return [*vocab.encode(sentence), vocab["<eos>"]]


def batches(pairs, *, size):
    """Draw `size` pairs whose English is equally long, as `pairs.bucketed` does."""
    return bucketed(numbered(pairs), size=size, **marks())


def numbered(pairs):
    """The ids of each pair's English and of its French."""
    english, french = grammar.vocabularies()
    return [(read(pair.source, english), french.encode(pair.target)) for pair in pairs]


def marks():
    """What `pairs.bucketed` and `pairs.teacher_forced` want to know: the ids of bos, eos and pad."""
    _, french = grammar.vocabularies()
    return {name: french[f"<{name}>"] for name in ("bos", "eos", "pad")}


def task(*, size):
    """Batches of `size` pairs, and how well unseen sentences are translated and their words aligned."""
    english, french = grammar.vocabularies()

    def validate(model):
        return judge(model, split().validation[::GLANCE])["exact"]

    def measure(model):
        return {f"test_{name}": value for name, value in judge(model, split().test).items()}

    vocabs = {"source": english, "target": french}
    return Task(vocabs, batches(split().train, size=size), measure, _digest(), validate)


def translate(model, sentences):
    """What the model says greedily for each English sentence, a list of French words each."""
    english, french = grammar.vocabularies()
    source = padded([read(sentence, english) for sentence in sentences], english["<pad>"]).to(device(model))
    ids = greedy(model.step, *model.start(source), eos=model.config.eos, limit=2 * source.shape[1] + 5)
    return [french.decode(row) for row in until_end(ids, eos=model.config.eos)]


@torch.no_grad()
def look(model, pairs):
    """Where an attentive model looks as it reads the true French: weights (T, S) of each pair, no ends."""
    looks = []
    for some in (pairs[start : start + TOGETHER] for start in range(0, len(pairs), TOGETHER)):
        source, decoder, _ = (part.to(device(model)) for part in teacher_forced(numbered(some), **marks()))
        looks += zip(model.look(source, decoder).cpu(), some, strict=True)
    return [weights[: len(pair.target), : len(pair.source)] for weights, pair in looks]


def aligned(weights):
    """One link for each French word: (place in the source, place in the target) of its largest weight."""
    return {(s, t) for t, s in enumerate(weights.argmax(-1).tolist())}


def judge(model, pairs):
    """BLEU, 0 … 100, the share of translations wholly right; with attention and recurrence, the AER too."""
    spoken = translate(model, [pair.source for pair in pairs])
    right = sum(said == list(pair.target) for said, pair in zip(spoken, pairs, strict=True))
    judged = {"bleu": bleu(spoken, [[list(pair.target)] for pair in pairs]), "exact": right / len(pairs)}
    return judged | ({"aer": misaligned(model, pairs)} if isinstance(model, AttentionSeq2Seq) else {})


def misaligned(model, pairs):
    """The alignment error rate of all pairs, every link of the grammar being sure."""
    found = {(n, *link) for n, w in enumerate(look(model, pairs)) for link in aligned(w)}
    return alignment_error_rate(
        found, {(n, *link) for n, pair in enumerate(pairs) for link in pair.alignment}
    )


def experiment() -> Experiment:
    """Rows: a model, a seed and a band of lengths; what it reaches on the test's sentences of that band."""

    def settings(*, model: str, seed: int, shortest: int, steps: int | None = None) -> dict:
        steps = STEPS if steps is None else steps
        told = f"pairs={COUNT} length={LENGTH} size={SIZE} lr={LR} warmup={warmup(steps)} {config(model)}"
        place = {"model": model, "seed": seed, "shortest": shortest, "longest": BANDS[shortest]}
        return place | {"steps": steps, "settings": told}

    def measure(*, model: str, seed: int, shortest: int, longest: int, steps: int, **_: object) -> dict:
        network = _trained(model, seed=seed, steps=steps)
        band = [pair for pair in split().test if shortest <= len(pair.source) <= longest]
        judged = judge(network, band)
        return {
            "parameters": size(network),
            "sentences": len(band),
            "bleu": round(judged["bleu"], 2),
            "exact": round(judged["exact"], 4),
            "aer": round(judged.get("aer", nan), 4),
        }

    return Experiment(settings, measure, data=_digest(), text=_digest())


def _digest() -> str:
    """No package ships these sentences: their own hash says which they are."""
    pairs = [[(pair.source, pair.target) for pair in part] for part in split()]
    return sha256(str(pairs).encode()).hexdigest()


def config(model: str) -> Seq2SeqConfig:
    return WAYS[model].model.Config(*map(len, grammar.vocabularies()), **WAYS[model].config)


@cache
def split():
    return grammar.split(COUNT, length=LENGTH)


@lru_cache(maxsize=1)  # the bands of a model come one after the other
def _trained(model: str, *, seed: int, steps: int) -> nn.Module:
    seed_everything(seed)
    network = WAYS[model].model(config(model))
    train(network, batches(split().train, size=SIZE), steps=steps, lr=LR, seed=seed)
    return network
