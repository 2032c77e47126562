"""What a benchmark yields, and how two things are timed side by side."""

import statistics
import time
from typing import NamedTuple


class Unmeasured(Exception):
    """What was to be timed did not happen; the message says what, in a sentence."""


class Row(NamedTuple):
    """One measured line: a value with its unit, and the target it is held to."""

    what: str
    value: float
    unit: str  # "×" for a ratio of times, ours / the peer's
    target: str  # such as "≤ 1.2"

    @property
    def met(self) -> bool:
        sign, limit = self.target.split()
        return self.value <= float(limit) if sign == "≤" else self.value >= float(limit)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours, peer, *, rounds: int = 7) -> float:
    """Median of ours / peer, the two timed in turn, so that a slow moment of the machine hits both."""
    ours(), peer()
    return statistics.median(seconds(ours) / seconds(peer) for _ in range(rounds))
