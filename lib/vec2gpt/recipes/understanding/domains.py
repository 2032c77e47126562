"""From domain to domain: what carries over, what a few texts of the new one add, what of the old is lost.

The ladder's MiniLM goes a route. At each stop it is tuned on texts of one domain, or of several at once; at
the end it is judged on the same held-out texts of all four.

    movies:800                    reviews of movies alone: what the other domains have of it
    movies:800 > tweets:100       and then few tweets: adapted, and what it still knows of movies
    tweets:100                    those tweets alone
"""

import copy
from functools import lru_cache
from typing import NamedTuple

from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.understanding import opinions, understanding
from vec2gpt.recipes.understanding.opinions import DOMAINS, Rated
from vec2gpt.recipes.understanding.understanding import TRAINED, Network
from vec2gpt.training import seed_everything

MODEL = "minilm, tuned"
MANY, FEW = 800, 100  # labels at a stop
STEPS = {MANY: 60, FEW: 40}
ASKED = 400  # of the test texts of each domain
SEEDS = (0, 1, 2, 3, 4)
HOME = "movies"
AWAY = tuple(domain for domain in DOMAINS if domain != HOME)
ROUTES = (
    f"{HOME}:{MANY}",
    *(f"{HOME}:{MANY} > {domain}:{FEW}" for domain in AWAY),
    *(f"{HOME}:{MANY} > {domain}:{MANY}" for domain in AWAY),
    *(f"{domain}:{MANY}" for domain in AWAY),
    *(f"{domain}:{FEW}" for domain in AWAY),
    f"{'+'.join(DOMAINS)}:{MANY}",
)
AXES = {"seed": SEEDS, "route": ROUTES}


class Stop(NamedTuple):
    domains: tuple[str, ...]
    labels: int  # of all of them together

    def texts(self, seed: int) -> Rated:
        """As many of each domain."""
        each = self.labels // len(self.domains)
        return Rated.joined([opinions.draw(domain, each, seed=seed) for domain in self.domains])


def stops(route: str) -> list[Stop]:
    """
    >>> stops("movies:800 > tweets:100")
    [Stop(domains=('movies',), labels=800), Stop(domains=('tweets',), labels=100)]
    """
    parts = (stop.split(":") for stop in route.split(" > "))
    return [Stop(tuple(domains.split("+")), int(labels)) for domains, labels in parts]


def experiment() -> Experiment:
    """Rows: a seed, which decides texts and batches, and a route."""

    def settings(*, seed: int, route: str, steps: int | None = None) -> dict:
        taken = [STEPS[stop.labels] if steps is None else steps for stop in stops(route)]
        told = [understanding.told(MODEL, each) for each in taken]
        place = {"seed": seed, "route": route, "steps": " > ".join(map(str, taken))}
        return place | {"settings": f"model={MODEL} asked={ASKED} {' > '.join(told)}"}

    def measure(*, seed: int, route: str, steps: str, **_: object) -> dict:
        network = travelled(stops(route), [int(taken) for taken in steps.split(" > ")], seed=seed)
        asked = {domain: opinions.split(domain).test.some(ASKED) for domain in DOMAINS}
        judged = {domain: understanding.judge(network.guess, some) for domain, some in asked.items()}
        return {f"{domain}_{name}": value for domain, row in judged.items() for name, value in row.items()}

    return Experiment(settings, measure, data=opinions.DATA, text=opinions.digest(*DOMAINS))


def travelled(route: list[Stop], steps: list[int], *, seed: int) -> Network:
    """A network that has been at all stops, so many steps at each."""
    (first, taken), *further = zip(route, steps, strict=True)
    settled = _settled(first, seed=seed, steps=taken)
    network = settled._replace(model=copy.deepcopy(settled.model))  # others go on from it too
    for stop, more in further:
        _stay(network, stop, seed=seed, steps=more)
    return network


@lru_cache(maxsize=1)  # the routes from home follow each other
def _settled(first: Stop, *, seed: int, steps: int) -> Network:
    """What all routes that begin so go on from."""
    seed_everything(seed)
    network = TRAINED[MODEL].make()
    _stay(network, first, seed=seed, steps=steps)
    return network


def _stay(network: Network, stop: Stop, *, seed: int, steps: int) -> None:
    seed_everything(seed)  # for dropout, whatever was computed before
    understanding.tune(network, stop.texts(seed), steps=steps, lr=TRAINED[MODEL].lr, seed=seed)
