"""The translation ladder's second task: generated English into French, and how it goes with longer sentences.

Cho, van Merriënboer, Bahdanau & Bengio (2014) saw an encoder-decoder's BLEU fall as sentences grow. On
generated sentences (`vec2gpt.grammar`) nothing else grows with them: all lengths have the same words, the
same rules, and as many pairs to learn from.
"""

from functools import lru_cache
from hashlib import sha256

from torch import nn

from vec2gpt import grammar
from vec2gpt.decoding import greedy, until_end
from vec2gpt.metrics import bleu
from vec2gpt.pairs import bucketed, padded
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import device, size, train, warmup
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.training import seed_everything

LENGTH, COUNT = (4, 21), 36_000  # English words, and pairs of all parts together
BANDS = {4: 6, 7: 9, 10: 12, 13: 15, 16: 18, 19: 21}  # from … to so many words
STEPS, SIZE, LR = 600, 128, 3e-3
SEEDS = (0, 1, 2)
WAYS = {"gru": {"handover": "concat", "bidirectional": True}}
AXES = {"model": tuple(WAYS), "seed": SEEDS, "shortest": tuple(BANDS)}


def read(sentence, vocab):
    """The ids of a sentence's words and of the <eos> behind them."""
    return [*vocab.encode(sentence), vocab["<eos>"]]


def batches(pairs, *, size):
    """Draw `size` pairs whose English is equally long, as `pairs.bucketed` does."""
    english, french = grammar.vocabularies()
    numbered = [(read(pair.source, english), french.encode(pair.target)) for pair in pairs]
    marks = {name: french[f"<{name}>"] for name in ("bos", "eos", "pad")}
    return bucketed(numbered, size=size, **marks)


def translate(model, sentences):
    """What the model says greedily for each English sentence, a list of French words each."""
    english, french = grammar.vocabularies()
    source = padded([read(sentence, english) for sentence in sentences], english["<pad>"]).to(device(model))
    ids = greedy(model.step, *model.start(source), eos=model.config.eos, limit=2 * source.shape[1] + 5)
    return [french.decode(row) for row in until_end(ids, eos=model.config.eos)]


def judge(model, pairs):
    """BLEU, 0 … 100, and the share of translations that are right to the last word."""
    spoken = translate(model, [pair.source for pair in pairs])
    right = sum(said == list(pair.target) for said, pair in zip(spoken, pairs, strict=True))
    return {"bleu": bleu(spoken, [[list(pair.target)] for pair in pairs]), "exact": right / len(pairs)}


def experiment() -> Experiment:
    """Rows: a model, a seed and a band of lengths; what it reaches on the test's sentences of that band."""

    def settings(*, model: str, seed: int, shortest: int, steps: int | None = None) -> dict:
        steps = STEPS if steps is None else steps
        told = f"pairs={COUNT} length={LENGTH} size={SIZE} lr={LR} warmup={warmup(steps)} {config(model)}"
        place = {"model": model, "seed": seed, "shortest": shortest, "longest": BANDS[shortest]}
        return place | {"steps": steps, "settings": told}

    def measure(*, model: str, seed: int, shortest: int, longest: int, steps: int, **_: object) -> dict:
        network = _trained(model, seed=seed, steps=steps)
        band = [pair for pair in _split().test if shortest <= len(pair.source) <= longest]
        judged = judge(network, band)
        return {
            "parameters": size(network),
            "sentences": len(band),
            "bleu": round(judged["bleu"], 2),
            "exact": round(judged["exact"], 4),
        }

    return Experiment(settings, measure, data=_digest(), text=_digest())


def _digest() -> str:
    """No package ships these sentences: their own hash says which they are."""
    pairs = [[(pair.source, pair.target) for pair in part] for part in _split()]
    return sha256(str(pairs).encode()).hexdigest()


def config(model: str) -> Seq2SeqConfig:
    return Seq2SeqConfig(*map(len, grammar.vocabularies()), **WAYS[model])


@lru_cache(maxsize=1)
def _split():
    return grammar.split(COUNT, length=LENGTH)


@lru_cache(maxsize=1)  # the bands of a model come one after the other
def _trained(model: str, *, seed: int, steps: int) -> nn.Module:
    seed_everything(seed)
    network = Seq2Seq(config(model))
    train(network, batches(_split().train, size=SIZE), steps=steps, lr=LR, seed=seed)
    return network
