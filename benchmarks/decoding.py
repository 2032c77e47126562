"""3,000 words of CMUdict pronounced: greedily and by a beam of 5, beside a plain loop, word by word."""

import random
from collections.abc import Iterator

import torch

from benchmarks.row import Row, seconds
from vec2gpt import corpora
from vec2gpt.decoding import greedy
from vec2gpt.hub import checkpoints
from vec2gpt.pairs import padded
from vec2gpt.recipes.translation.pronunciation import LONGEST, spell
from vec2gpt.search import beam_search
from vec2gpt.threads import one_thread

MODEL = "cmudict-gru"
WORDS, BATCH, WIDTH = 3000, 256, 5
SLOW = 150  # of the words go through the plain loops, which are held against as many of ours, by the word


def rows() -> Iterator[Row]:
    model, vocabs, _ = checkpoints.load(MODEL)
    eos = model.config.eos
    words = random.Random(0).sample(list(corpora.cmudict_split().test), WORDS)
    sources = [spell(word, vocabs["source"]) for word in words]

    def greedily(first, state):
        return greedy(model.step, first, state, eos=eos, limit=LONGEST)

    def by_beam(first, state):
        return beam_search(model.step, first, state, eos=eos, width=WIDTH, limit=LONGEST)

    for what, ours, plain, target in (
        ("greedily", greedily, plain_greedy, "≤ 5"),
        (f"beam {WIDTH}", by_beam, plain_beam, "≤ 20"),
    ):
        with one_thread():
            batched(model, sources[:BATCH], ours)  # warm
            time = seconds(lambda ours=ours: batched(model, sources, ours))
            loop = seconds(lambda plain=plain: one_by_one(model, sources[:SLOW], plain)) * WORDS / SLOW
        yield Row(f"{MODEL}: {WORDS} words, {what}", time, "s", target)
        yield Row(f"{what}: a plain loop, scaled from {SLOW} words, / ours", loop / time, "×", "≥ 5")


def batched(model, sources, decode) -> None:
    """Words of one length side by side: little padding, and rows that end at about the same step."""
    sources = sorted(sources, key=len)
    for start in range(0, len(sources), BATCH):
        decode(*model.start(padded(sources[start : start + BATCH], model.config.pad)))


# ---- the same, as one would write it first ----


@torch.no_grad()
def one_by_one(model, sources, decode) -> None:
    for source in sources:
        decode(model, *model.start(torch.tensor([source])))


def plain_greedy(model, ids, state):
    said = []
    while len(said) < LONGEST and said[-1:] != [model.config.eos]:
        logits, state = model.step(ids, state)
        ids = logits.argmax(-1)
        said.append(ids.item())
    return said


def plain_beam(model, ids, state):
    """Every hypothesis by itself: its tokens, its log-probability, the state before its last token."""
    beam, ended = [([ids.item()], 0.0, state)], []
    for _ in range(LONGEST):
        going = [one for one in beam if one[0][-1] != model.config.eos]
        beam = ended + [longer for one in going for longer in grow(model, *one)]
        beam = sorted(beam, key=lambda one: one[1] / (len(one[0]) - 1), reverse=True)[:WIDTH]
        ended = [one for one in beam if one[0][-1] == model.config.eos]
        if len(ended) == WIDTH:
            break
    return beam


def grow(model, ids, log_p, state):
    logits, state = model.step(torch.tensor(ids[-1:]), state)
    best = logits[0].log_softmax(-1).topk(WIDTH)
    for chance, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        yield [*ids, token], log_p + chance, state
