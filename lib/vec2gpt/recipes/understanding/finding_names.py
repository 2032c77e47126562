"""Names found in the plays: looked up, by their capitals, and by a BERT that answers for each word.

All are judged on sentences of plays that nothing was learnt from, by whole names: those whose words training
knows, and the others, which are most. The labels are those of a rule (`persons`), so whoever finds a name
that the rule misses is told that it is wrong; the sentences labelled by hand say how often that is so.
"""

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import torch

from vec2gpt import corpora
from vec2gpt.bert import Bert
from vec2gpt.classifiers import Tagger, predict
from vec2gpt.hub import checkpoints
from vec2gpt.labelled import in_pieces
from vec2gpt.language import IGNORED
from vec2gpt.metrics import span_f1
from vec2gpt.metrics.spans import Span
from vec2gpt.pairs import padded
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import train, warmup
from vec2gpt.recipes.understanding import understanding
from vec2gpt.recipes.understanding.persons import (
    LONGEST,
    TAGS,
    TITLES,
    Sentence,
    by_hand,
    digest,
    known_names,
    marked,
    small_words,
    split,
)
from vec2gpt.training import Draw, seed_everything

CONTEXT = 64  # tokens that prose-bert reads at once
DRAWN = 4000  # sentences to learn from, half of them with a name
ASKED = 1500  # of the test sentences
STEPS, SIZE, RATE = 250, 16, 1e-3
SEEDS = (0, 1, 2, 3, 4)

# ---- who finds them ----

Find = Callable[[Sequence[Sequence[str]]], list[tuple[int, ...]]]  # words of sentences -> their tags


def by_list(texts: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
    """Looked up among the names that training has."""
    return [marked(words, lambda _, word: word in known_names()) for words in texts]


def by_capitals(texts: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
    """Written with a capital, and not the first word."""
    return [
        marked(words, lambda place, word: place > 0 and word[:1].isupper() and word != "I") for words in texts
    ]


def by_new_capitals(texts: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
    """Written with a capital, and never with a small letter in the plays of training; nor a title."""
    small = small_words() | TITLES

    def named(_, word):
        return word[:1].isupper() and word != "I" and word.lower() not in small

    return [marked(words, named) for words in texts]


class Finder(NamedTuple):
    """A tagger and how it gets its ids: each word in pieces, asked at the first."""

    model: Tagger
    capitals: bool = True

    def row(self, words: Sequence[str], tags: Sequence[int]) -> tuple[list[int], list[int]]:
        """Ids and targets between the marks, of CONTEXT tokens at most."""
        tokens = _prose_bert().vocabs["text"]
        read = words if self.capitals else [word.lower() for word in words]
        ids, targets = in_pieces(read, tags, tokens.encode)
        ids, targets = ids[: CONTEXT - 2], targets[: CONTEXT - 2]
        return [tokens["[CLS]"], *ids, tokens["[SEP]"]], [IGNORED, *targets, IGNORED]

    def __call__(self, texts: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
        given = [self.row(words, [0] * len(words)) for words in texts]
        said = predict(self.model, [ids for ids, _ in given])
        found = []
        for words, (_, asked), each in zip(texts, given, said, strict=True):
            tags = each.argmax(-1)[[target != IGNORED for target in asked]].tolist()
            found.append(tuple([*tags, *[0] * (len(words) - len(tags))]))  # what was cut off is not found
        return found


@cache
def _prose_bert() -> checkpoints.Checkpoint:
    return checkpoints.load("prose-bert")


def tune(model: str, known: Sequence[Sentence], *, steps: int, seed: int) -> Finder:
    """One of NETWORKS, trained on labelled sentences."""
    seed_everything(seed)
    reader = _prose_bert().model
    start, capitals = NETWORKS[model]
    finder = Finder(Tagger(reader if start else Bert(reader.config), len(TAGS)), capitals)
    rows, tags = zip(*(finder.row(part.words, part.tags) for part in known), strict=True)
    train(finder.model, batches(rows, tags, pad=finder.model.pad), steps=steps, lr=RATE, seed=seed)
    return finder


def batches(rows: Sequence[list[int]], tags: Sequence[list[int]], *, pad: int) -> Draw:
    """As `understanding.batches`, with a class or −100 for each token."""
    drawn = understanding.batches(rows, torch.arange(len(rows)), pad=pad, size=SIZE)

    def draw(generator):
        ids, places = drawn(generator)
        return ids, padded((tags[n] for n in places), IGNORED)

    return draw


RULES: dict[str, Find] = {
    "names of training": by_list,
    "capital letter": by_capitals,
    "capital letter, never a small one": by_new_capitals,
}
NETWORKS = {  # has it read before; does it see capitals
    "bert from scratch": (False, True),
    "prose-bert": (True, True),
    "prose-bert, no capitals": (True, False),
}
AXES = {"seed": SEEDS, "model": (*RULES, *NETWORKS)}


# ---- how well ----


def judge(find: Find, asked: Sequence[Sentence]) -> dict[str, float]:
    """Shares of whole names: precision, recall and F1; F1 of those that training knows, and of others."""
    tags = find([part.words for part in asked])
    said = [Sentence(part.words, own) for part, own in zip(asked, tags, strict=True)]
    found, gold = _things(said), _things(asked)
    total = span_f1(found, gold)
    shares = {"precision": total.precision, "recall": total.recall, "f1": total.f1}
    for name, seen in {"seen": True, "unseen": False}.items():
        parts = ([thing[0] for thing in some.items() if thing[1] == seen] for some in (found, gold))
        shares[f"f1_{name}"] = span_f1(*parts).f1
    return {name: round(share, 4) for name, share in shares.items()}


def _things(parts: Sequence[Sentence]) -> dict[tuple[int, Span], bool]:
    """Every name by the number of its sentence, and whether training knows all of its words."""
    return {
        (n, span): all(word.strip() in known_names() for word in part.words[span.start : span.end])
        for n, part in enumerate(parts)
        for span in part.spans
    }


def drawn(count: int, *, seed: int) -> list[Sentence]:
    """So many sentences to learn from, half of them with a name: of all, one in seven has it."""
    known, draw = split().train, random.Random(seed)
    named, others = ([part for part in known if bool(part.spans) == yes] for yes in (True, False))
    return [*draw.sample(named, count // 2), *draw.sample(others, count - count // 2)]


def asked() -> list[Sentence]:
    """The test sentences that all are judged on."""
    return random.Random(0).sample(split().test, ASKED)


def experiment() -> Experiment:
    """Rows: a seed, which decides the sentences, first weights and batches; and who finds."""

    def settings(*, seed: int, model: str, steps: int | None = None) -> dict:
        taken = 0 if model in RULES else STEPS if steps is None else steps
        read = _prose_bert().card["sha256"][:12]
        pace = f"size={SIZE} alike={understanding.ALIKE} lr={RATE} warmup={warmup(taken)}"
        learns = f" drawn={DRAWN} {pace} read={read}"
        told = f"longest={LONGEST} asked={ASKED}" + (learns if taken else "")
        return {"seed": seed, "model": model, "steps": taken, "settings": told}

    def measure(*, seed: int, model: str, steps: int, **_: object) -> dict:
        known = drawn(DRAWN, seed=seed)
        find = RULES[model] if model in RULES else tune(model, known, steps=steps, seed=seed)
        hand = judge(find, by_hand())
        return judge(find, asked()) | {f"hand_{name}": hand[name] for name in ("precision", "recall", "f1")}

    return Experiment(settings, measure, data=corpora.corpus("shakespeare").sha256, text=digest())
