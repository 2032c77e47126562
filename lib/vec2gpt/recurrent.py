"""Recurrent cells with gates, and the language model built on them.

LSTM: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000.
GRU: Cho et al. 2014. A plain recurrent network multiplies its memory by the same matrix at every step, so
what it knew fades or blows up. A gated cell *adds* to its memory, and learns when to keep it, write to it and
show it.

A cell is cut in two, so that one may look at the gates, or change them, before they act:

    gates = cell.gates(x, state)       # what each gate decides
    state = cell.update(gates, state)  # what becomes of the memory
    state = cell(x, state)             # both at once

Left out: peepholes, layer normalisation inside the cell, stacks of layers.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils import _pytree as pytree

IGNORED = -100  # a target with this id counts in no loss

# torch before 2.7 has no such question, and cannot export a loop either
is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)


# ---- one loop over time ----


def unroll(step, state, inputs):
    """Apply `step(state, x_t) -> (state, out_t)` along axis 1 of every tensor in `inputs`.

    `state`, `inputs` and the `out_t` are tensors, or nested tuples of them, batch first.
    Returns the last state, and the outputs stacked along axis 1.

    This is the only loop over time in the library. While a model is exported it becomes one scan operator, so
    that the graph serves any length, not only the length of the example. Export under `torch.no_grad()`.

    >>> unroll(lambda total, x: (total + x, total + x), torch.zeros(1), torch.tensor([[1.0, 2.0, 3.0]]))
    (tensor([6.]), tensor([[1., 3., 6.]]))
    """
    leaves, tree = pytree.tree_flatten(inputs)
    length = leaves[0].shape[1]
    if is_exporting() and not (isinstance(length, int) and length == 1):  # a single step needs no operator
        return _scan(step, state, leaves, tree)
    if length == 0:
        raise ValueError("there is no step to take: the inputs have length 0 along axis 1; give at least one")
    outputs = []
    for x in zip(*(leaf.unbind(1) for leaf in leaves), strict=True):
        state, out = step(state, pytree.tree_unflatten(list(x), tree))
        outputs.append(out)
    return state, pytree.tree_map(lambda *steps: torch.stack(steps, 1), *outputs)


def _scan(step, state, inputs, inputs_tree):
    """The loop of `unroll` as one operator of a graph, which works on flat lists of tensors, time first."""
    from torch._higher_order_ops.scan import scan  # a prototype, needed here alone

    state, state_tree = pytree.tree_flatten(state)

    def pure(state, x):  # the operator forbids that an output is also an input or another output
        state, out = step(pytree.tree_unflatten(state, state_tree), pytree.tree_unflatten(x, inputs_tree))
        return pytree.tree_map(torch.clone, (pytree.tree_leaves(state), pytree.tree_leaves(out)))

    first = pytree.tree_unflatten([leaf[:, 0] for leaf in inputs], inputs_tree)
    _, example = step(pytree.tree_unflatten(state, state_tree), first)  # its structure; the graph drops it
    # cloned, not .contiguous(): a batch of 1 counts as contiguous whatever its strides, and strides that
    # depend on a free length cannot be exported
    fresh = partial(torch.clone, memory_format=torch.contiguous_format)
    state, out = scan(pure, [fresh(leaf) for leaf in state], [fresh(leaf.transpose(0, 1)) for leaf in inputs])
    out = pytree.tree_unflatten([leaf.transpose(0, 1) for leaf in out], pytree.tree_structure(example))
    return pytree.tree_unflatten(state, state_tree), out


# ---- cells ----


class LSTMState(NamedTuple):
    h: torch.Tensor  # what the cell shows, (B, hidden)
    c: torch.Tensor  # what it remembers, (B, hidden)


class LSTMGates(NamedTuple):
    i: torch.Tensor  # input gate: how much of the candidate to write, 0 … 1
    f: torch.Tensor  # forget gate: how much of the memory to keep, 0 … 1
    g: torch.Tensor  # candidate: what could be written, −1 … 1
    o: torch.Tensor  # output gate: how much of the memory to show, 0 … 1


class GRUState(NamedTuple):
    h: torch.Tensor  # (B, hidden)


class GRUGates(NamedTuple):
    """The two gates, and the two halves of the candidate that the reset gate stands between."""

    r: torch.Tensor  # reset gate: how much of the memory the candidate sees, 0 … 1
    z: torch.Tensor  # update gate: how much of the memory stays, 0 … 1
    n_x: torch.Tensor  # what the input says to the candidate
    n_h: torch.Tensor  # what the memory says to it

    @property
    def n(self):
        """The candidate. It follows r: `gates._replace(r=…).n` is the candidate under another reset gate."""
        return torch.tanh(self.n_x + self.r * self.n_h)


class Cell(nn.Module):
    """Weights of a cell of `blocks` gates and candidates, named, ordered and initialised as in torch.nn."""

    blocks: int

    def __init__(self, width, hidden):
        super().__init__()
        self.width, self.hidden = width, hidden
        self.weight_ih = nn.Parameter(torch.empty(self.blocks * hidden, width))
        self.weight_hh = nn.Parameter(torch.empty(self.blocks * hidden, hidden))
        self.bias_ih = nn.Parameter(torch.empty(self.blocks * hidden))
        self.bias_hh = nn.Parameter(torch.empty(self.blocks * hidden))
        for weight in self.parameters():
            nn.init.uniform_(weight, -(hidden**-0.5), hidden**-0.5)

    def halves(self, x, h):
        """What the input and the memory say to all gates: two tensors (B, blocks · hidden)."""
        return F.linear(x, self.weight_ih, self.bias_ih), F.linear(h, self.weight_hh, self.bias_hh)

    def forward(self, x, state):
        """Read x (B, width) in `state`; return the next state."""
        return self.update(self.gates(x, state), state)

    def zeros(self, batch):
        return self.weight_hh.new_zeros(batch, self.hidden)


class LSTMCell(Cell):
    """Long short-term memory. Equal to torch.nn.LSTMCell.

    With the gates (f, i, o) held at (1, 0, 1) the memory stays as it was; at (0, 1, 1) it becomes the
    candidate; at (1, 1, 0) the candidate is added to it and nothing is shown.
    """

    blocks = 4

    def gates(self, x, state):
        """x (B, width), state -> LSTMGates, each (B, hidden)."""
        seen, kept = self.halves(x, state.h)
        i, f, g, o = (seen + kept).chunk(4, -1)
        return LSTMGates(i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid())

    def update(self, gates, state):
        c = gates.f * state.c + gates.i * gates.g
        return LSTMState(gates.o * c.tanh(), c)

    def initial(self, batch):
        """An empty memory for `batch` sequences."""
        return LSTMState(self.zeros(batch), self.zeros(batch))


class GRUCell(Cell):
    """Gated recurrent unit: one state, two gates. Equal to torch.nn.GRUCell.

    The reset gate acts inside the candidate, so `gates` returns the candidate in two halves and `update`
    joins them: whoever changes r in between changes the candidate too.
    """

    blocks = 3

    def gates(self, x, state):
        """x (B, width), state -> GRUGates, each (B, hidden)."""
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (half.chunk(3, -1) for half in self.halves(x, state.h))
        return GRUGates((r_x + r_h).sigmoid(), (z_x + z_h).sigmoid(), n_x, n_h)

    def update(self, gates, state):
        return GRUState((1 - gates.z) * gates.n + gates.z * state.h)

    def initial(self, batch):
        """An empty memory for `batch` sequences."""
        return GRUState(self.zeros(batch))


# ---- language model ----


def next_token_loss(logits, targets):
    """Mean cross-entropy in nats of `targets` (B, T) under `logits` (B, T, V); None without targets.

    Targets that are −100 are ignored. A model that knows nothing scores ln V: 4.25 for 70 characters.
    """
    if targets is None:
        return None
    check_ids(torch.where(targets == IGNORED, 0, targets), logits.shape[-1], name="targets")
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def check_ids(ids, vocab_size, *, name="ids"):
    """Raise ValueError unless ids are (B, T), at least one, and within 0 … vocab_size − 1.

    An exported graph does not ask.
    """
    if ids.dim() != 2:
        raise ValueError(
            f"{name} have the shape {tuple(ids.shape)}, not (B, T): for one text give {name}[None]"
        )
    if is_exporting():
        return
    if not ids.numel():
        raise ValueError(f"{name} are empty: give at least one token")
    low, high = ids.min().item(), ids.max().item()
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"{name} hold {low if low < 0 else high}, but the model knows the ids 0 … {vocab_size - 1}: "
            "encode the text with the vocabulary the model was made for"
        )


@dataclass(frozen=True)
class LanguageModelConfig:
    vocab_size: int
    width: int = 64  # of a token's vector
    hidden: int = 256  # of the cell's state


class LSTMLanguageModel(nn.Module):
    """Predicts the next token from all tokens before it: embedding, one LSTM layer, linear head."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.cell = LSTMCell(config.width, config.hidden)
        self.head = nn.Linear(config.hidden, config.vocab_size)

    def forward(self, ids, targets=None):
        """ids (B, T) -> logits (B, T, V), and the mean loss in nats when targets (B, T) are given."""
        logits, _ = self.read(ids, self.initial(ids.shape[0]))
        return logits, next_token_loss(logits, targets)

    def initial(self, batch):
        """The state before the first token, for `batch` sequences."""
        return self.cell.initial(batch)

    def read(self, ids, state):
        """Read ids (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        check_ids(ids, self.config.vocab_size)
        state, h = unroll(self._step, state, self.embedding(ids))  # h: (B, T, hidden)
        return self.head(h), state

    def step(self, ids, state):
        """Read one token a sequence, ids (B,); return logits (B, V) and the next state."""
        logits, state = self.read(ids[:, None], state)
        return logits[:, 0], state

    def _step(self, state, x):
        state = self.cell(x, state)
        return state, state.h
