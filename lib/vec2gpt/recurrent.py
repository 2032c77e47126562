"""Recurrent cells, and the layers made of them: networks that read a sequence and keep a memory.

RNN: Elman 1990. LSTM: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins
2000. GRU: Cho et al. 2014. Both directions: Schuster & Paliwal 1997. A model that sees a fixed number of
tokens forgets all before them; a recurrent network carries a state from token to token, however many there
are. The plain one multiplies its memory by the same matrix at every step, so what it knew fades or blows up.
A gated cell *adds* to its memory, and learns when to keep it, write to it and show it.

A cell is cut in two, so that one may look at the gates, or change them, before they act:

    gates = cell.gates(x, state)       # what each gate decides
    state = cell.update(gates, state)  # what becomes of the memory
    state = cell(x, state)             # both at once

Left out: peepholes, layer normalisation inside the cell, projections of the state.
"""

from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from vec2gpt.unrolling import is_exporting, unroll

# ---- cells ----


class RNNState(NamedTuple):
    h: torch.Tensor  # (B, hidden)


class RNNGates(NamedTuple):
    a: torch.Tensor  # no gate, only what input and memory say together, before the activation, (B, hidden)


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
    State: type  # a NamedTuple of tensors (B, hidden), the first of them h

    def __init__(self, width, hidden):
        super().__init__()
        self.width, self.hidden = width, hidden
        self.weight_ih = nn.Parameter(torch.empty(self.blocks * hidden, width))
        self.weight_hh = nn.Parameter(torch.empty(self.blocks * hidden, hidden))
        self.bias_ih = nn.Parameter(torch.empty(self.blocks * hidden))
        self.bias_hh = nn.Parameter(torch.empty(self.blocks * hidden))
        for weight in self.parameters():
            nn.init.uniform_(weight, -(hidden**-0.5), hidden**-0.5)

    def seen(self, x):
        """What the input says to all gates, (…, blocks · hidden): for one step, or for all steps at once."""
        return nn.functional.linear(x, self.weight_ih, self.bias_ih)

    def kept(self, h):
        """What the memory says to all gates, (B, blocks · hidden)."""
        return nn.functional.linear(h, self.weight_hh, self.bias_hh)

    def gates(self, x, state):
        """What each gate decides on reading x (B, width) in `state`."""
        return self.decide(self.seen(x), state)

    def forward(self, x, state):
        """Read x (B, width) in `state`; return the next state."""
        return self.update(self.gates(x, state), state)

    def initial(self, batch):
        """An empty memory for `batch` sequences."""
        return self.State(*(self.weight_hh.new_zeros(batch, self.hidden) for _ in self.State._fields))


class RNNCell(Cell):
    """The plain recurrent network, h' = tanh(W x + U h + b). Equal to torch.nn.RNNCell."""

    blocks, State = 1, RNNState
    activation = staticmethod(torch.tanh)

    def decide(self, seen, state):
        return RNNGates(seen + self.kept(state.h))

    def update(self, gates, state):
        return RNNState(self.activation(gates.a))


class ReLUCell(RNNCell):
    """The plain recurrent network with h' = max(0, W x + U h + b), which has no ceiling."""

    activation = staticmethod(torch.relu)


class LSTMCell(Cell):
    """Long short-term memory. Equal to torch.nn.LSTMCell.

    With the gates (f, i, o) held at (1, 0, 1) the memory stays as it was; at (0, 1, 1) it becomes the
    candidate; at (1, 1, 0) the candidate is added to it and nothing is shown.
    """

    blocks, State = 4, LSTMState

    def decide(self, seen, state):
        i, f, g, o = (seen + self.kept(state.h)).chunk(4, -1)
        return LSTMGates(i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid())

    def update(self, gates, state):
        c = gates.f * state.c + gates.i * gates.g
        return LSTMState(gates.o * c.tanh(), c)


class GRUCell(Cell):
    """Gated recurrent unit: one state, two gates. Equal to torch.nn.GRUCell.

    Cho et al. multiply h by r before U; here, as in torch, r multiplies U h + b. So `gates` returns the
    candidate in two halves and `update` joins them: whoever changes r in between changes the candidate too.
    """

    blocks, State = 3, GRUState

    def decide(self, seen, state):
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (half.chunk(3, -1) for half in (seen, self.kept(state.h)))
        return GRUGates((r_x + r_h).sigmoid(), (z_x + z_h).sigmoid(), n_x, n_h)

    def update(self, gates, state):
        return GRUState((1 - gates.z) * gates.n + gates.z * state.h)


# ---- layers of cells ----


def run(cell, x, state, *, mask=None):
    """Let `cell` read x (B, T, width) from `state` on; return every h, (B, T, hidden), and the last state.

    mask (B, T): True for a token. At padding, whatever x holds, the state stays as it was, and h is 0.
    """
    if mask is None:
        state, h = unroll(partial(_step, cell), state, cell.seen(x))
        return h, state
    token = mask[..., None]  # (B, T, 1)
    state, h = unroll(partial(_step_at_tokens, cell), state, (cell.seen(x.masked_fill(~token, 0)), token))
    return h * token, state


def _step(cell, state, seen):
    state = cell.update(cell.decide(seen, state), state)
    return state, state.h


def _step_at_tokens(cell, state, inputs):
    seen, token = inputs
    after, _ = _step(cell, state, seen)
    state = cell.State(*(torch.where(token, new, old) for new, old in zip(after, state, strict=True)))
    return state, state.h


def run_back(cell, x, state, *, mask=None):
    """As `run`, from the last token to the first; h stays at the place of its token."""
    h, state = run(cell, x.flip(1), state, mask=None if mask is None else mask.flip(1))
    return h.flip(1), state


def check_state(state, initial, batch):
    """Raise ValueError unless `state` is made as `initial(batch)` is; an exported graph does not ask."""
    if not is_exporting() and (got := _form(state)) != (wanted := _form(initial(batch))):
        raise ValueError(f"state is {got}, but must be {wanted}: see `initial`")


def _form(state):
    """How a state is made, down to the shapes of its tensors: tuple(LSTMState((3, 6), (3, 6)))."""
    if isinstance(state, tuple):
        return f"{type(state).__name__}({', '.join(map(_form, state))})"
    return str(tuple(getattr(state, "shape", ())))


class Stack(nn.Module):
    """Layers of cells, each reading what the one below shows. Equal to torch.nn.RNN, LSTM and GRU.

    cell: the class, such as LSTMCell. bidirectional: two cells a layer, the second of which reads from the
    last token to the first; their h are joined. dropout: of what a layer hands to the next, while training.
    A state is a tuple of cell states: for each layer one, or two where there are two directions.
    """

    def __init__(self, cell, width, hidden, *, layers=1, bidirectional=False, dropout=0.0):
        super().__init__()
        if min(width, hidden, layers) < 1:
            raise ValueError(f"width {width}, hidden {hidden} and layers {layers} must be at least 1")
        self.width, self.directions = width, 2 if bidirectional else 1
        widths = [width] + [self.directions * hidden] * (layers - 1)
        self.cells = nn.ModuleList(cell(w, hidden) for w in widths for _ in range(self.directions))
        self.dropout = nn.Dropout(dropout)

    def initial(self, batch):
        """The state before the first token, for `batch` sequences."""
        return tuple(cell.initial(batch) for cell in self.cells)

    def forward(self, x, state=None, *, mask=None):
        """Read x (B, T, width); return what the last layer shows, (B, T, directions · hidden), and the state.

        mask (B, T): True for a token, False for padding, which changes no state and shows 0. A state of two
        directions is where each of them ended: at the last token, and at the first.
        """
        state, after = self.initial(len(x)) if state is None else state, []
        self._check(x, state, mask)
        for first in range(0, len(self.cells), self.directions):
            x, shown = self.dropout(x) if first else x, []
            for n, read in zip(range(first, first + self.directions), (run, run_back), strict=False):
                h, last = read(self.cells[n], x, state[n], mask=mask)
                shown.append(h)
                after.append(last)
            x = torch.cat(shown, -1)  # (B, T, directions · hidden)
        return x, tuple(after)

    def _check(self, x, state, mask):
        """Raise ValueError for what does not fit."""
        if x.dim() != 3 or x.shape[-1] != self.width:
            raise ValueError(f"x has the shape {tuple(x.shape)}, not (B, T, {self.width})")
        check_state(state, self.initial, len(x))
        if mask is not None and (mask.shape != x.shape[:2] or mask.dtype != torch.bool):
            raise ValueError(f"mask is {mask.dtype} {tuple(mask.shape)}, not torch.bool {tuple(x.shape[:2])}")
