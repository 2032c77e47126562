"""Labels from a stronger model: it reads what nobody rated, and a student learns from what it is sure of.

Teacher: MiniLM's vectors and logistic regression, on 200 reviews that people rated. It says of other reviews
how probable each class is, and where its surer class reaches a threshold, that is taken for the label. The
students learn from the 200 and from what was taken. Their true labels are known here, but only the figures
see them: how many of those taken are right, and what a student would reach had they all been (Scudder 1965
and Yarowsky 1995 let a model teach itself so; Lee 2013 named the labels).
"""

from dataclasses import dataclass
from functools import cache, partial

import torch

from vec2gpt.bags import logistic_regression
from vec2gpt.hub import minilm
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.understanding import opinions, understanding
from vec2gpt.recipes.understanding.opinions import Rated
from vec2gpt.recipes.understanding.understanding import DENSE, TRAINED, Guess
from vec2gpt.training import seed_everything

DOMAIN, LABELS, UNRATED = "movies", 200, 2000
ASKED = 1000  # of the test texts
STEPS, SEEDS = 200, (0, 1, 2, 3, 4)
NETWORK = "prose-bert, tuned"


@dataclass(frozen=True)
class Way:
    """student: who answers at the end. threshold: from which probability on a label is taken; None: none is.

    true: the labels taken are those of people.
    """

    student: str
    threshold: float | None = None
    true: bool = False


WAYS = {
    "teacher": Way("teacher"),
    "tf-idf": Way("tf-idf"),
    **{f"tf-idf, {threshold}": Way("tf-idf", threshold) for threshold in (0.5, 0.6, 0.7, 0.8)},
    "tf-idf, true labels": Way("tf-idf", 0.5, true=True),
    "prose-bert": Way("prose-bert"),
    "prose-bert, 0.7": Way("prose-bert", 0.7),
}
AXES = {"seed": SEEDS, "way": tuple(WAYS)}


def unrated(known: Rated) -> Rated:
    """Texts to learn from that are not among those known, the same for everybody as far as that goes."""
    taken, all_of = set(known.texts), opinions.split(DOMAIN).train
    order = torch.randperm(len(all_of), generator=torch.Generator().manual_seed(0)).tolist()
    rest = [place for place in order if all_of.texts[place] not in taken]
    return all_of.only(torch.tensor(rest[:UNRATED]))


def vectors(texts: tuple[str, ...]) -> torch.Tensor:
    """MiniLM's, each text read once however often it is asked for."""
    return torch.stack([_vectors()[text] for text in texts])


@cache
def _vectors() -> dict[str, torch.Tensor]:
    """Of every text that any seed needs."""
    drawn = [opinions.draw(DOMAIN, LABELS, seed=seed) for seed in SEEDS]
    needed = {text for known in drawn for some in (known, unrated(known)) for text in some.texts}
    needed = sorted(needed.union(asked().texts))
    return dict(zip(needed, minilm.embed(needed, limit=understanding.LENGTH), strict=True))


def asked() -> Rated:
    """The test texts that all are judged on."""
    return opinions.split(DOMAIN).test.some(ASKED)


def teacher(known: Rated):
    """Texts -> probabilities (N, 2)."""
    found = logistic_regression(vectors(known.texts), known.labels, strength=DENSE)
    return lambda texts: found(vectors(tuple(texts))).softmax(1)


def accept(probabilities: torch.Tensor, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The places (M,) of those texts whose surer class reaches the threshold, and these classes (M,).

    Of 0.9 and 0.1, 0.4 and 0.6, 0.2 and 0.8 at 0.7: places 0 and 2, classes 0 and 1.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}: give a probability from 0 to 1")
    sure, classes = probabilities.max(-1)
    places = (sure >= threshold).nonzero().flatten()
    return places, classes[places]


def student(name: str, known: Rated, *, steps: int, seed: int) -> Guess:
    """Who learnt from these texts."""
    if name == "tf-idf":
        return understanding.by_words(known).guess
    seed_everything(seed)
    network = TRAINED[NETWORK].make()
    return understanding.tune(network, known, steps=steps, lr=TRAINED[NETWORK].lr, seed=seed).guess


def learn(way: Way, *, steps: int, seed: int) -> tuple[Guess, dict[str, object]]:
    """Who answers, how many labels were taken, and which share of them is right."""
    known = opinions.draw(DOMAIN, LABELS, seed=seed)
    say = teacher(known)
    none = {"accepted": 0, "right": float("nan")}
    if way.student == "teacher":
        return lambda texts: say(texts).argmax(1), none
    if way.threshold is None:
        return student(way.student, known, steps=steps, seed=seed), none
    others = unrated(known)
    places, said = accept(say(others.texts), way.threshold)
    taken = others.only(places)
    right = (said == taken.labels).double().mean().item()
    both = Rated.joined([known, taken if way.true else Rated(taken.texts, said)])
    figures = {"accepted": len(taken), "right": round(right, 4)}
    return student(way.student, both, steps=steps, seed=seed), figures


def experiment() -> Experiment:
    """Rows: a seed, which decides the 200 texts, first weights and batches, and a way."""

    def settings(*, seed: int, way: str, steps: int | None = None) -> dict:
        taken = 0 if WAYS[way].student != "prose-bert" else STEPS if steps is None else steps
        told = partial(understanding.told, steps=taken)
        read = f"{told('minilm, frozen')}; {told('tf-idf' if not taken else NETWORK)}"
        data = f"{WAYS[way]} labels={LABELS} unrated={UNRATED} asked={ASKED}"
        return {"seed": seed, "way": way, "steps": taken, "settings": f"domain={DOMAIN} {data} {read}"}

    def measure(*, seed: int, way: str, steps: int, **_: object) -> dict:
        guess, taken = learn(WAYS[way], steps=steps, seed=seed)
        return taken | understanding.judge(guess, asked())

    return Experiment(settings, measure, data=opinions.DATA, text=opinions.digest(DOMAIN))
