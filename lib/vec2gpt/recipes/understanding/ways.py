"""One small training in many ways: which layers learn, when, how fast, and at which rate.

The ladder's MiniLM is tuned on 200 movie reviews. The first way is the ladder's own: all layers, warm-up and
a cosine down. Each other way changes what its name says. Where fewer numbers learn, or more slowly, larger
steps suit them: those rates were the better of two on 500 validation texts, for one seed.
"""

import statistics
from dataclasses import dataclass

from vec2gpt import schedules
from vec2gpt.finder import find_rate
from vec2gpt.lora import adapt
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import warmup
from vec2gpt.recipes.understanding import opinions, understanding
from vec2gpt.recipes.understanding.understanding import TRAINED, Network
from vec2gpt.schedules import Schedule
from vec2gpt.thawing import Groups, combined, discriminative, frozen, gradual, layer_groups
from vec2gpt.training import fit, seed_everything

MODEL, DOMAIN, LABELS, STEPS = "minilm, tuned", "movies", 200, 60
ASKED = 1000  # of the test texts
SEEDS = (0, 1, 2, 3, 4)
RATE = TRAINED[MODEL].lr
TRIED = 50  # steps of the finder, which come on top


@dataclass(frozen=True)
class Way:
    """What is done, and all that decides it; None is nothing of the kind.

    lr: the highest rate; None: what the finder suggests. schedule: of `SCHEDULES`. upper: so many groups of
    layers learn, from the top. every: steps until one more group thaws. decay: of the rate with each group
    below. rank: of LoRA.
    """

    lr: float | None = RATE
    schedule: str = "warm-up, cosine"
    upper: int | None = None
    every: int | None = None
    decay: float | None = None
    rank: int | None = None


SCHEDULES = {
    "constant": schedules.constant,
    "step": lambda steps: schedules.step_decay(steps, every=max(1, steps // 3), factor=0.3),
    "exponential": lambda steps: schedules.exponential(steps, end=0.01),
    "cyclical": lambda steps: schedules.cyclical(steps, period=max(2, steps // 3), low=0.1),
    "warm-up, linear": lambda steps: schedules.warmup_linear(steps, warmup=warmup(steps)),
    "warm-up, cosine": lambda steps: schedules.warmup_cosine(steps, warmup=warmup(steps)),
    "slanted triangle": lambda steps: schedules.slanted_triangular(steps, cut=max(0.1, 1 / steps)),
    "one cycle": schedules.one_cycle,
}
BASE = Way()
WAYS = {
    "as in the ladder": BASE,
    "layers: head": Way(lr=1e-2, upper=1),
    "layers: head, 1 block": Way(lr=5e-4, upper=2),
    "layers: head, 3 blocks": Way(lr=2e-4, upper=4),
    "layers: LoRA": Way(lr=3e-3, rank=4),
    "thawing: gradual": Way(lr=3e-4, every=STEPS // 10),
    "thawing: discriminative": Way(lr=2e-4, decay=0.8),
    "thawing: both": Way(lr=3e-4, every=STEPS // 10, decay=0.8),
    **{f"schedule: {name}": Way(schedule=name) for name in SCHEDULES if name != BASE.schedule},
    **{f"rate: {lr}": Way(lr=lr) for lr in (1e-5, 3e-5, 3e-4, 1e-3)},
    "rate: found": Way(lr=None),
}
AXES = {"seed": SEEDS, "way": tuple(WAYS)}


def rates(way: Way, groups: Groups, *, steps: int) -> Schedule:
    """What each group's rate is multiplied by at each of so many steps."""
    parts = [SCHEDULES[way.schedule](steps)]
    if way.upper is not None:
        parts.append(frozen(groups, *list(groups)[: -way.upper]))
    if way.every is not None:
        parts.append(gradual(groups, every=way.every))
    if way.decay is not None:
        parts.append(discriminative(groups, decay=way.decay))
    return combined(*parts)


def tune(way: Way, known: opinions.Rated, *, steps: int, seed: int) -> tuple[Network, dict[str, float]]:
    """The tuned network; its rate, how many numbers learn at some step, and the loss of the last ten."""
    seed_everything(seed)
    network = _begun(way)
    groups = layer_groups(network.model)
    draw = understanding.batches(network.rows(known.texts), known.labels, pad=network.model.pad)
    lr = way.lr or find_rate(network.model, draw, low=1e-6, high=0.1, steps=TRIED, seed=seed).suggestion
    schedule = rates(way, groups, steps=steps)
    apart = groups if isinstance(schedule(0), dict) else None
    style = {"lr": lr, "schedule": schedule, "groups": apart, "seed": seed}
    ran = fit(network.model, draw, steps=steps, **style)
    if ran.interrupted:
        raise KeyboardInterrupt
    loss = round(statistics.fmean(ran.losses[-10:]), 4)
    return network, {"lr": float(f"{lr:.3g}"), "trained": _learning(way, groups), "loss": loss}


def _begun(way: Way) -> Network:
    """The network before its first step."""
    network = TRAINED[MODEL].make()
    if way.rank is None:
        return network
    return network._replace(model=adapt(network.model, rank=way.rank, alpha=2 * way.rank, also=("head",)))


def _learning(way: Way, groups: Groups) -> int:
    """How many numbers a step changes at most."""
    learning = list(groups.values())[-way.upper if way.upper else 0 :]
    return sum(weight.numel() for some in learning for weight in some if weight.requires_grad)


def experiment() -> Experiment:
    """Rows: a seed, which decides the texts and their order, and a way."""

    def settings(*, seed: int, way: str, steps: int | None = None) -> dict:
        taken = STEPS if steps is None else steps
        told = f"{WAYS[way]} model={MODEL} domain={DOMAIN} labels={LABELS} asked={ASKED} tried={TRIED}"
        return {
            "seed": seed,
            "way": way,
            "steps": taken,
            "settings": f"{told} {understanding.told(MODEL, taken)}",
        }

    def measure(*, seed: int, way: str, steps: int, **_: object) -> dict:
        known = opinions.draw(DOMAIN, LABELS, seed=seed)
        network, found = tune(WAYS[way], known, steps=steps, seed=seed)
        return found | understanding.judge(network.guess, opinions.split(DOMAIN).test.some(ASKED))

    return Experiment(settings, measure, data=opinions.DATA, text=opinions.digest(DOMAIN))
