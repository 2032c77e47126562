"""Our word2vec beside gensim's: the same words, dimension, window, negatives and epochs.

Each learns at its own rate: we at our recipe's, gensim at its default.

Gensim has two workers, we have one thread: our matrices are too small to be shared.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import mean, median
from typing import NamedTuple

from gensim.models import Word2Vec
from gensim.models.word2vec import FAST_VERSION

from benchmarks.row import Row, Unmeasured
from vec2gpt import corpora
from vec2gpt.recipes.words.word_vectors import DIM, SEEDS, WAYS, WINDOW, Numbered, everything, number
from vec2gpt.vectors import WordVectors, agreement

WORKERS = 2
LONGEST = 10_000  # words in a sentence: gensim leaves out what goes beyond
PEERS = {"skip-gram": {"sg": 1}, "CBOW": {"sg": 0, "cbow_mean": 1}}


class Beside(NamedTuple):
    """One of us and one of gensim's, of the same seed."""

    speed: float  # ours / gensim's
    rho: float
    peer_rho: float


def rows() -> Iterator[Row]:
    if FAST_VERSION < 0:
        raise Unmeasured(
            "gensim came without its compiled part; in plain Python it is a hundred times slower"
        )
    text = number(everything())
    written = sentences(text)
    for name in PEERS:
        speeds, rhos, peer_rhos = zip(
            *(beside(name, text, written, seed=seed) for seed in SEEDS), strict=True
        )
        if name == "skip-gram":  # of the two the slower; CBOW is over in seconds
            yield Row(f"{name}: words a second, ours / gensim's", median(speeds), "×", "≥ 0.5")
        rho, peer_rho = mean(rhos), mean(peer_rhos)
        what = f"{name}: WordSim-353, ours − gensim's at its default rate, {rho:.3f} − {peer_rho:.3f}"
        yield Row(what, rho - peer_rho, "ρ", "≥ -0.02")


def beside(name: str, text: Numbered, written: list[list[str]], *, seed: int) -> Beside:
    """In turn for every seed, so that a slow moment of the machine hits both."""
    made, took = timed(partial(ours, name, text, seed=seed))
    peer, peer_took = timed(partial(gensims, name, written, seed=seed))
    pairs = corpora.word_pairs("wordsim353")
    return Beside(peer_took / took, agreement(made, pairs).rho, agreement(peer, pairs).rho)


def timed(work: Callable[[], WordVectors]) -> tuple[WordVectors, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def ours(name: str, text: Numbered, *, seed: int) -> WordVectors:
    return WAYS[name].vectors(text, steps=WAYS[name].steps(text), seed=seed)


def sentences(text: Numbered) -> list[list[str]]:
    """The text as gensim reads it."""
    words = text.vocab.decode(text.ids.tolist())
    return [words[start : start + LONGEST] for start in range(0, len(words), LONGEST)]


def gensims(name: str, written: list[list[str]], *, seed: int) -> WordVectors:
    """With gensim's defaults; the original program has them too, but a rate of 0.05 for CBOW."""
    model = Word2Vec(
        written,
        vector_size=DIM,
        window=WINDOW,
        negative=5,
        sample=1e-3,
        alpha=0.025,
        epochs=WAYS[name].epochs,
        min_count=1,  # rare words are left out already
        workers=WORKERS,
        seed=seed,
        **PEERS[name],
    )
    return WordVectors(model.wv.index_to_key, model.wv.vectors)
