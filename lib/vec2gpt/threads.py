"""How many cores torch uses: all of them, unless the work is too small to share."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one core for a while: for many small steps, whose threads wait longer than they work.

    A step of word2vec takes twice as long on two idle cores as on one, ten times as long on two busy ones.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
