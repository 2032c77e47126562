"""How word vectors grow with their text: three ways to make them, on an eighth of a text and on more of it.

The text is the encyclopedia and the news, half a million words. Vectors are judged on pairs of words that
have one, and a smaller part of the text knows fewer words. So there are two figures: of all pairs that the
part itself covers, and of those that the smallest part covers too (`…_common`). These are always the same,
but so few, 51 and 89, that their correlation is uncertain by more than a tenth.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from vec2gpt import corpora
from vec2gpt.recipes.table import Experiment
from vec2gpt.text import Vocab, words
from vec2gpt.threads import one_thread
from vec2gpt.training import fit, linear_decay, seed_everything
from vec2gpt.vectors import WordVectors, agreement, analogy_accuracy, cooccurrence, ppmi, svd
from vec2gpt.word2vec import CBOW, SkipGram, lines

DIM, WINDOW, RARE = 50, 5, 5  # a word that comes less than RARE times is left out
SIZE, LENGTH = 4, 96  # lines in a batch, words in a line
SHARES = (0.125, 0.25, 0.5, 1.0)
SEEDS = (0, 1, 2)

# --------------------------------------------------------------------------------------------------- the text


class Numbered(NamedTuple):
    """A text in numbers."""

    vocab: Vocab  # frequent words first
    ids: Tensor  # (N,) the text; rare words are left out
    counts: Tensor  # (V,)


def everything() -> list[str]:
    """All words of the encyclopedia and the news, their texts mixed, so that one part is like another."""
    texts = [*corpora.encyclopedia().values(), *corpora.news()]
    random.Random(0).shuffle(texts)
    return [word for text in texts for word in words(text)]


def number(text: list[str], *, rare: int = RARE) -> Numbered:
    """Number the words that come at least `rare` times."""
    counts = Counter(text).most_common()
    vocab = Vocab((word for word, count in counts if count >= rare), specials=())
    ids = torch.tensor([vocab[word] for word in text if word in vocab])
    return Numbered(vocab, ids, ids.bincount())


# --------------------------------------------------------------------------------------------------- the ways


class Way(NamedTuple):
    """From a text to vectors."""

    vectors: Callable[..., WordVectors]  # (text, steps=…, seed=…)
    epochs: int  # passes over the text
    settings: str  # what of this file decides them, for the table: a row of others is measured anew

    def steps(self, text: Numbered) -> int:
        return self.epochs * len(text.ids) // (SIZE * LENGTH)


def counted(text: Numbered, *, steps: int, seed: int) -> WordVectors:
    seed_everything(seed)
    counts = cooccurrence(text.ids, len(text.vocab), window=WINDOW)
    return WordVectors(text.vocab, svd(ppmi(counts), dim=DIM))


@one_thread()
def learned(text: Numbered, *, steps: int, seed: int, model: type, lr: float) -> WordVectors:
    seed_everything(seed)
    model = model(len(text.vocab), dim=DIM)
    draw = lines(text.ids, text.counts, window=WINDOW, size=SIZE, length=LENGTH)
    decay = linear_decay(steps)
    history = fit(model, draw, steps=steps, lr=lr, schedule=decay, update=model.update, seed=seed)
    if history.interrupted:
        raise KeyboardInterrupt
    return WordVectors(text.vocab, model.input)


COUNTED = f"dim={DIM} window={WINDOW} rare={RARE}"


def learning(model: type, *, lr: float, epochs: int) -> Way:
    settings = f"{COUNTED} size={SIZE} length={LENGTH} lr={lr} epochs={epochs}"
    return Way(partial(learned, model=model, lr=lr), epochs, settings)


WAYS = {
    "PPMI+SVD": Way(counted, epochs=0, settings=COUNTED),
    "CBOW": learning(CBOW, lr=0.1, epochs=10),
    "skip-gram": learning(SkipGram, lr=0.025, epochs=15),
}
AXES = {"model": tuple(WAYS), "share": SHARES, "seed": SEEDS}

# --------------------------------------------------------------------------------------------- the experiment


def experiment() -> Experiment:
    """Rows of the table: `share` of the text, `words` of it, and what the vectors of `model` reach."""
    text = everything()
    parts = {share: text[: round(share * len(text))] for share in SHARES}
    numbered = {share: number(part) for share, part in parts.items()}
    common = numbered[min(SHARES)].vocab

    def settings(*, model: str, share: float, seed: int, steps: int | None = None) -> dict:
        planned = WAYS[model].steps(numbered[share])
        steps = planned if steps is None or not planned else steps  # who takes no steps takes none
        place = {"model": model, "share": share, "words": len(parts[share]), "seed": seed, "steps": steps}
        return place | {"settings": WAYS[model].settings}

    def measure(*, model: str, share: float, seed: int, steps: int, **_: object) -> dict:
        return judge(WAYS[model].vectors(numbered[share], steps=steps, seed=seed), common=common)

    made = hashlib.sha256(" ".join(text).encode()).hexdigest()
    return Experiment(settings, measure, data=corpora.corpus("word-benchmarks").sha256, text=made)


def judge(vectors: WordVectors, *, common: Vocab) -> dict:
    """The figures of a row."""
    figures = {}
    for name in ("wordsim353", "simlex999"):
        pairs = corpora.word_pairs(name)
        figures[name], figures[f"{name}_covered"], _ = agreement(vectors, pairs)
        figures[f"{name}_common"], *_ = agreement(
            vectors, [p for p in pairs if p[0] in common and p[1] in common]
        )
    questions = [question for category in corpora.analogies().values() for question in category]
    figures["analogies_right"], figures["analogies_covered"], _ = analogy_accuracy(vectors, questions)
    return {name: round(value, 4) for name, value in figures.items()}
