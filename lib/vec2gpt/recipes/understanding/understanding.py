"""The understanding ladder: from a few rated texts, who tells best what speaks for a thing and what against?

The rungs are the book's: words counted, their vectors averaged or read in order, a BERT, and the same BERT
after it has read; at the top a larger one that has read the web (MiniLM), held fast or tuned. All get the
same texts, half for and half against, drawn anew by each seed, and answer for the same test texts. What
MiniLM read is not known: some of the texts may have been among it, though without their ratings.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt import corpora
from vec2gpt.bags import TfIdf, logistic_regression, mean_vectors
from vec2gpt.bert import Bert
from vec2gpt.classifiers import Classifier, RecurrentClassifier, predict
from vec2gpt.hub import checkpoints, minilm
from vec2gpt.labelled import labelled
from vec2gpt.metrics import balanced_accuracy
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import train, warmup
from vec2gpt.recipes.understanding import opinions
from vec2gpt.recipes.understanding.opinions import CLASSES, Rated
from vec2gpt.text import words
from vec2gpt.training import Draw, seed_everything
from vec2gpt.vectors import WordVectors

LABELS, SEEDS = (50, 200, 800, 2400), (0, 1, 2, 3, 4)
DOMAIN = "movies"  # of the ladder
LENGTH, SIZE, ALIKE = 64, 16, 4  # tokens of a text that are read; texts in a batch; see `batches`
TFIDF, DENSE = 5.0, 1.0  # strength of logistic regression; of 1 to 100, best on the validation texts
GLOVE = 100_000  # most frequent words that have a vector
HIDDEN = 64

Guess = Callable[[Sequence[str]], Tensor]  # texts -> their classes (N,)
Row = list[int]  # the ids of a text


class Learned(NamedTuple):
    guess: Guess
    trained: int  # numbers that were found or trained


class Network(NamedTuple):
    """What is trained by steps: a model with a `pad`, and how it gets its ids."""

    model: nn.Module
    rows: Callable[[Sequence[str]], list[Row]]

    def guess(self, texts: Sequence[str]) -> Tensor:
        return predict(self.model, self.rows(texts)).argmax(1)


class Steps(NamedTuple):
    """How a network is trained: steps by the number of labels, and the highest learning rate."""

    make: Callable[[], Network]
    steps: dict[int, int]
    lr: float


# ---- what is found ----


def by_words(known: Rated) -> Learned:
    """tf-idf of words and pairs of words, logistic regression."""
    weigh = TfIdf(known.texts)
    return _regression(weigh, known, strength=TFIDF)


def by_vectors(known: Rated) -> Learned:
    """The mean of GloVe's vectors, logistic regression."""
    return _regression(partial(mean_vectors, vectors=glove()), known, strength=DENSE)


def by_minilm(known: Rated) -> Learned:
    """MiniLM's vector of the text, logistic regression."""
    return _regression(_embedded, known, strength=DENSE)


def _regression(features: Callable, known: Rated, *, strength: float) -> Learned:
    found = logistic_regression(features(known.texts), known.labels, strength=strength)
    numbers = found.weight.numel() + found.bias.numel()
    return Learned(lambda texts: found(features(texts)).argmax(1), numbers)


def _embedded(texts: Sequence[str]) -> Tensor:
    return _embedded_once(tuple(texts))


@lru_cache(maxsize=4)  # every row asks for the same test texts
def _embedded_once(texts: tuple[str, ...]) -> Tensor:
    return minilm.embed(texts, limit=LENGTH)


@cache
def glove() -> WordVectors:
    return WordVectors(*corpora.glove(GLOVE))


# ---- what is trained ----


def by_recurrence() -> Network:
    """An LSTM reads GloVe's vectors, which stay as they are, in both directions."""
    vectors = glove()
    spare = torch.stack([torch.zeros(vectors.matrix.shape[1]), vectors.matrix.mean(0)])  # padding, unknown
    table = nn.Embedding.from_pretrained(torch.cat([spare, vectors.matrix]))  # held fast
    return Network(RecurrentClassifier(table, len(CLASSES), hidden=HIDDEN), _word_rows)


def _word_rows(texts: Sequence[str]) -> list[Row]:
    vocab = glove().vocab
    found = ([vocab[word] + 2 if word in vocab else 1 for word in words(text)] for text in texts)
    return [ids[:LENGTH] or [1] for ids in found]


def from_scratch() -> Network:
    """A BERT of prose-bert's shape that has read nothing yet."""
    return Network(Classifier(Bert(_prose_bert().model.config), len(CLASSES)), _subword_rows)


def from_prose() -> Network:
    """The BERT that chapter 10 has trained."""
    return Network(Classifier(_prose_bert().model, len(CLASSES)), _subword_rows)


def _subword_rows(texts: Sequence[str]) -> list[Row]:
    tokens = _prose_bert().vocabs["text"]
    first, last = tokens["[CLS]"], tokens["[SEP]"]
    return [[first, *tokens.encode(text)[: LENGTH - 2], last] for text in texts]


@cache
def _prose_bert() -> checkpoints.Checkpoint:
    return checkpoints.load("prose-bert")


def from_minilm() -> Network:
    encoder = minilm.load()
    return Network(
        Classifier(encoder, len(CLASSES)), lambda texts: minilm.rows(texts, encoder.tokens, limit=LENGTH)
    )


def batches(rows: list[Row], labels: Tensor, *, pad: int, size: int = SIZE) -> Draw:
    """As `labelled`, of texts alike in length: four batches at once, cut by length, and one of them taken.

    Each text is as likely as any other, and of a batch of MiniLM's a third less is padding.
    """
    several = labelled(rows, labels, size=ALIKE * size, pad=pad)

    def draw(generator):
        ids, targets = several(generator)
        order = (ids != pad).sum(1).argsort(stable=True).view(ALIKE, size)
        chosen = order[torch.randint(ALIKE, (1,), generator=generator).item()]
        needed = (ids[chosen] != pad).any(0)
        return ids[chosen][:, needed], targets[chosen]

    return draw


def batches_with(rows: list[Row], *along: Tensor, pad: int, size: int = SIZE) -> Draw:
    """As `batches`, with all that goes along with a text: ids (B, T), and of each (N, …) a (B, …)."""
    drawn = batches(rows, torch.arange(len(rows)), pad=pad, size=size)

    def draw(generator):
        ids, places = drawn(generator)
        return ids, *(some[places] for some in along)

    return draw


def tune(network: Network, known: Rated, *, steps: int, lr: float, seed: int) -> Learned:
    """Train all of the network that is not held fast, in place."""
    draw = batches(network.rows(known.texts), known.labels, pad=network.model.pad)
    train(network.model, draw, steps=steps, lr=lr, seed=seed)
    learned = sum(weight.numel() for weight in network.model.parameters() if weight.requires_grad)
    return Learned(network.guess, learned)


FOUND = {
    "tf-idf": (by_words, f"strength={TFIDF}"),
    "glove": (by_vectors, f"strength={DENSE} words={GLOVE}"),
    "minilm, frozen": (by_minilm, f"strength={DENSE}"),
}
TRAINED = {
    "lstm": Steps(by_recurrence, {50: 100, 200: 200, 800: 300, 2400: 600}, 2e-3),
    "bert from scratch": Steps(from_scratch, {50: 100, 200: 200, 800: 300, 2400: 600}, 1e-3),
    "prose-bert, tuned": Steps(from_prose, {50: 100, 200: 200, 800: 300, 2400: 600}, 1e-3),
    "minilm, tuned": Steps(from_minilm, {50: 40, 200: 80, 800: 150, 2400: 300}, 1e-4),
}
MODELS = (
    "tf-idf",
    "glove",
    "lstm",
    "bert from scratch",
    "prose-bert, tuned",
    "minilm, frozen",
    "minilm, tuned",
)
AXES = {"seed": SEEDS, "labels": LABELS, "model": MODELS}


def judge(guess: Guess, asked: Rated) -> dict[str, float]:
    """The share of the texts whose class is found, and the mean of that of each class (chance: a half)."""
    found = guess(asked.texts)
    right = (found == asked.labels).double().mean().item()
    return {"accuracy": round(right, 4), "balanced": round(balanced_accuracy(found, asked.labels), 4)}


# ---- the table ----


def experiment() -> Experiment:
    """Rows: a model, so many labels, and a seed, which decides the texts, first weights and batches."""

    def settings(*, model: str, labels: int, seed: int, steps: int | None = None) -> dict:
        taken = 0 if model in FOUND else TRAINED[model].steps[labels] if steps is None else steps
        place = {"model": model, "labels": labels, "seed": seed, "steps": taken}
        return place | {"settings": f"domain={DOMAIN} {told(model, taken)}"}

    def measure(*, model: str, labels: int, seed: int, steps: int, **_: object) -> dict:
        known, asked = opinions.draw(DOMAIN, labels, seed=seed), opinions.split(DOMAIN).test
        seed_everything(seed)
        if model in FOUND:
            learned = FOUND[model][0](known)
        else:
            way = TRAINED[model]
            learned = tune(way.make(), known, steps=steps, lr=way.lr, seed=seed)
        return {"trained": learned.trained, "texts": len(asked), **judge(learned.guess, asked)}

    return Experiment(settings, measure, data=opinions.DATA, text=opinions.digest(DOMAIN))


def told(model: str, steps: int) -> str:
    """All that decides a row's figures besides its place, its texts and its steps."""
    weights = {"minilm": corpora.corpus("minilm").sha256, "glove": corpora.corpus("glove").sha256}
    weights |= {"lstm": weights["glove"]} | dict.fromkeys(
        ("bert from scratch", "prose-bert"), _prose_bert().card["sha256"]
    )
    read = weights.get(model.partition(",")[0], "")[:12]
    if model in FOUND:
        return f"length={LENGTH} read={read} {FOUND[model][1]}"
    common = f"length={LENGTH} size={SIZE} alike={ALIKE} lr={TRAINED[model].lr} warmup={warmup(steps)}"
    return f"{common} read={read}" + (f" words={GLOVE} hidden={HIDDEN}" if model == "lstm" else "")
