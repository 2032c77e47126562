"""What a computation costs: counted by a formula, and measured.

A formula says how a cost grows, a measurement whether that is what one pays. Counted are *operations* in
floating point, a product and a sum being two, of the matrix products alone (nearly all there are); and
*numbers* that must be kept, of 4 bytes each in float32. Both are for one text of n tokens: multiply by the
batch, by the layers, and operations by 3 for a step of training, whose way back costs twice the way forward.

Left out: what softmax, norms and activations cost; how fast memory is, which often decides; the time of a
GPU, of which a processor's seconds show only how long it takes to give it work.
"""

import math
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from vec2gpt.threads import one_thread

# ---- counted: n tokens, width D; plain arithmetic, so tensors of lengths do as well as whole numbers ----


def attention_operations(n: int, width: int, *, keys: int | None = None) -> int:
    """Scores of n queries and `keys` keys (n, if not said), and the averages, of all heads: 4 n · keys · D.

    The heads share the width, so however many they are, it is the same. A window of w tokens has w keys, a
    new token beside a cache of n tokens is one query with n; and see `linear_keys`.
    """
    return 4 * n * (n if keys is None else keys) * width


def linear_keys(width: int, *, heads: int) -> int:
    """How many keys cost as much as linear attention: K + 1, with K = D / H the width of a head.

    A head sums φ(k)ᵀ v up to a matrix (K, K + 1), the 1 for what the others are divided by, in 2 n K (K + 1)
    operations, and asks it in as many. All H heads: 4 n D (K + 1), `attention_operations` of K + 1 keys.
    """
    return width // heads + 1


def block_operations(n: int, width: int, *, inner: int | None = None, keys: int | None = None) -> int:
    """Of a `Block`: four projections 8 n D², attention 4 n · keys · D, feed-forward 4 n D · inner.

    With inner = 4 D and keys = n, which hold if nothing is said, that is 24 n D² + 4 n² D. The next token
    after n − 1 others costs a block of one token and n keys, 24 D² + 4 n D, where those were kept; where they
    were not, all is read again.

    >>> block_operations(768, 128) == 2 * 768 * 24 * 128**2  # at n = 6 D, half of it is attention
    True
    """
    inner = 4 * width if inner is None else inner
    return 8 * n * width**2 + attention_operations(n, width, keys=keys) + 4 * n * width * inner


def even_length(width: int, *, inner: int | None = None) -> int:
    """The length n = 2 D + inner, 6 D if inner is not said, from which on attention is most of a block.

    There 4 n² D = 8 n D² + 4 n D · inner. With a width of 128 that is 768 tokens.
    """
    return 2 * width + (4 * width if inner is None else inner)


def recurrent_operations(n: int, width: int, *, hidden: int, gates: int) -> int:
    """Of a layer of cells: 2 n · gates · hidden · (D + hidden), `gates` being 1 RNN, 3 GRU, 4 LSTM.

    They grow with n alone, but n steps follow one another; a block takes the same few however long the text.
    """
    return 2 * n * gates * hidden * (width + hidden)


def score_numbers(n: int, heads: int, *, keys: int | None = None) -> int:
    """The weights of one layer, if they are stored: each head has n · keys, or n² if not said.

    Fused attention stores one number a row instead, what its weights were divided by: as if of one key.
    """
    return heads * n * (n if keys is None else keys)


def cache_numbers(n: int, width: int, *, layers: int, heads: int = 1, groups: int | None = None) -> int:
    """Keys and values of n tokens in every layer: 2 n D · layers, what a `Cache` grows to.

    Where H heads share the keys and values of G groups, G / H of that. A GPT of 4 layers and width 128
    remembers 64 tokens as 65,536 numbers, or 256 KiB in float32; with 2 groups for its 4 heads, half.
    """
    groups = heads if groups is None else groups
    if groups < 1 or heads % groups:
        raise ValueError(f"{heads} heads do not make {groups} equal groups: choose a divisor of {heads}")
    return 2 * n * (width // (heads // groups)) * layers


def state_numbers(hidden: int, *, layers: int, parts: int) -> int:
    """What cells remember of a text, however long: hidden · parts · layers, `parts` being 2 for an LSTM.

    An LSTM's h and c are as many numbers as keys and values of a single token.
    """
    return hidden * parts * layers


def linear_state_numbers(width: int, *, heads: int, layers: int) -> int:
    """The matrix and the weights of a `LinearState` in every layer: D (K + 1) · layers, after any text.

    That is a cache of (K + 1) / 2 tokens.
    """
    return width * linear_keys(width, heads=heads) * layers


# ---- measured ----


def processor_seconds(work: Callable[[], object], *, rounds: int = 3) -> float:
    """The least seconds that one core works on `work()`, of some rounds, after one that is not counted.

    On a quiet machine that is what a clock shows. On a busy one a clock also counts the time in which other
    programs had the core.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}: give at least 1")
    with one_thread():
        work()
        return min(_processor_seconds_once(work) for _ in range(rounds))


def _processor_seconds_once(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def peak_bytes(work: Callable[[], object]) -> int:
    """The most bytes of tensors that `work()` holds at one moment, beyond those that were there before.

    Counted is what operators return, the way back included; not what one of them needs while it computes.
    The first call may make what later ones reuse, such as gradients: warm up if that should not count.
    """
    with _Held() as held:
        work()
    return held.peak


class _Held(TorchDispatchMode):
    """Follows the memory of every tensor that an operator makes, until it is freed."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.known = WeakIdKeyDictionary()  # by memory, not by tensor: many tensors can be views of one

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for storage in _storages((args, kwargs)):
            self.known.setdefault(storage, None)  # it was there before
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            if storage not in self.known:
                self.known[storage] = _Bytes(self, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result


class _Bytes:
    """So many bytes, counted as held for as long as this object lives."""

    def __init__(self, held: _Held, size: int):
        self.held, self.size = held, size
        held.now += size

    def __del__(self):
        self.held.now -= self.size


def _storages(tensors) -> list[torch.UntypedStorage]:
    return [x.untyped_storage() for x in pytree.tree_leaves(tensors) if isinstance(x, Tensor)]


def fitted_exponent(lengths: Sequence[float], costs: Sequence[float]) -> float:
    """The p with which costs ≈ c · length^p fits best: the slope of log cost over log length.

    >>> round(fitted_exponent([1, 2, 4], [3, 12, 48]), 6)  # twice as long, four times the cost
    2.0
    """
    if len(lengths) != len(costs) or len(set(lengths)) < 2:
        raise ValueError(
            f"{len(lengths)} lengths and {len(costs)} costs have no slope: give as many of both, of two "
            "different lengths or more"
        )
    for value in (*lengths, *costs):
        if not 0 < value < math.inf:
            raise ValueError(f"{value} has no logarithm: lengths and costs must be finite, above 0")
    x, y = (torch.tensor(values, dtype=torch.double).log() for values in (lengths, costs))
    x = x - x.mean()
    return (x @ y / (x @ x)).item()
