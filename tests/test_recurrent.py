"""vec2gpt.recurrent: the cells beside torch.nn's, and properties of the layers made of them.

That a `Stack` computes what torch.nn's layers compute is the matter of tests/hub/test_from_torch.py.
"""

from functools import partial

import pytest
import torch
from exporting import check_export
from torch import nn

from vec2gpt.recurrent import (
    GRUCell,
    GRUState,
    LSTMCell,
    LSTMState,
    ReLUCell,
    RNNCell,
    RNNGates,
    RNNState,
    Stack,
    run,
    run_back,
)
from vec2gpt.unrolling import unroll

B, T, WIDTH, HIDDEN = 3, 5, 4, 6
CELLS = [RNNCell, ReLUCell, LSTMCell, GRUCell]
PAIRS = [
    (RNNCell, nn.RNNCell),
    (ReLUCell, partial(nn.RNNCell, nonlinearity="relu")),
    (LSTMCell, nn.LSTMCell),
    (GRUCell, nn.GRUCell),
]
MASK = torch.tensor([[True] * 5, [True] * 2 + [False] * 3, [False] * 5])  # rows of 5, 2 and 0 tokens


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def some(cell):
    """A state that is not empty, for B sequences."""
    return cell.State(*torch.randn(len(cell.State._fields), B, HIDDEN))


# ---- cells ----


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_cell_starts_with_the_weights_of_torch(ours, theirs):
    torch.manual_seed(7)
    expected = theirs(WIDTH, HIDDEN).state_dict()
    torch.manual_seed(7)
    got = ours(WIDTH, HIDDEN).state_dict()
    assert got.keys() == expected.keys()
    assert all(torch.equal(got[name], expected[name]) for name in expected)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_cell_is_that_of_torch_gradients_included(ours, theirs):
    ours, theirs = ours(WIDTH, HIDDEN), theirs(WIDTH, HIDDEN)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(B, T, WIDTH)
    state = ours.initial(B)._replace(h=torch.randn(B, HIDDEN))

    expected = tuple(state) if len(state) == 2 else state.h
    for t in range(T):
        expected = theirs(x[:, t], expected)
    state, _ = unroll(lambda state, x: (ours(x, state), state.h), state, x)

    for got, wanted in zip(state, expected if isinstance(expected, tuple) else (expected,), strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-6, rtol=0)
    state.h.square().sum().backward()
    (expected[0] if isinstance(expected, tuple) else expected).square().sum().backward()
    for got, wanted in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(got.grad, wanted.grad, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("f", "i", "o", "remembers"),
    [
        (1, 0, 1, lambda c, g: c),
        (0, 1, 1, lambda c, g: g),
        (1, 1, 0, lambda c, g: c + g),
    ],
)
def test_the_three_settings_of_the_lstm_valves(f, i, o, remembers):
    cell = LSTMCell(WIDTH, HIDDEN)
    state = LSTMState(torch.randn(B, HIDDEN), torch.randn(B, HIDDEN))
    gates = cell.gates(torch.randn(B, WIDTH), state)
    held = gates._replace(
        **{name: torch.full_like(gates.f, v) for name, v in {"f": f, "i": i, "o": o}.items()}
    )
    after = cell.update(held, state)
    assert torch.equal(after.c, remembers(state.c, gates.g))
    assert torch.equal(after.h, o * after.c.tanh())


def test_a_changed_reset_gate_changes_the_candidate():
    cell = GRUCell(WIDTH, HIDDEN)
    x, state = torch.randn(B, WIDTH), GRUState(torch.randn(B, HIDDEN))
    closed = cell.gates(x, state)._replace(r=torch.zeros(B, HIDDEN))  # the candidate sees no memory
    forgot = cell.gates(x, GRUState(torch.zeros(B, HIDDEN)))
    bias = cell.bias_hh.chunk(3)[2]
    torch.testing.assert_close(closed.n, torch.tanh(forgot.n_x))
    torch.testing.assert_close(forgot.n_h, bias.expand(B, HIDDEN))
    after = cell.update(closed._replace(z=torch.zeros(B, HIDDEN)), state)  # nothing of the memory stays
    assert torch.equal(after.h, closed.n)


def test_an_open_update_gate_keeps_the_memory():
    cell = GRUCell(WIDTH, HIDDEN)
    state = GRUState(torch.randn(B, HIDDEN))
    gates = cell.gates(torch.randn(B, WIDTH), state)
    assert torch.equal(cell.update(gates._replace(z=torch.ones(B, HIDDEN)), state).h, state.h)


def test_the_plain_cell_by_hand():
    """h' = tanh(2 · 3 − 1 · 0.5 + 0.25 − 0.75) = tanh(5), and without a ceiling 5."""
    cell = RNNCell(1, 1)
    for weight, value in zip(cell.parameters(), (2.0, -1.0, 0.25, -0.75), strict=True):
        nn.init.constant_(weight, value)
    x, state = torch.tensor([[3.0]]), RNNState(torch.tensor([[0.5]]))
    assert cell.gates(x, state) == RNNGates(torch.tensor([[5.0]]))
    assert cell(x, state).h.item() == pytest.approx(0.9999092)
    limitless = ReLUCell(1, 1)
    limitless.load_state_dict(cell.state_dict())
    assert limitless(x, state).h.item() == 5
    assert limitless(-x, state).h.item() == 0


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_its_gates_and_what_becomes_of_them(kind):
    cell, x = kind(WIDTH, HIDDEN), torch.randn(B, T, WIDTH)
    state = some(cell)
    gates = cell.gates(x[:, 2], state)
    seen = cell.seen(x)  # of all steps at once
    torch.testing.assert_close(tuple(cell.decide(seen[:, 2], state)), tuple(gates))
    torch.testing.assert_close(tuple(cell.update(gates, state)), tuple(cell(x[:, 2], state)))


@pytest.mark.parametrize("kind", CELLS)
def test_an_empty_memory_is_zeros_of_the_weights_kind(kind):
    state = kind(WIDTH, HIDDEN).double().initial(B)
    assert isinstance(state, kind.State)
    assert all(torch.equal(part, torch.zeros(B, HIDDEN, dtype=torch.double)) for part in state)


# ---- layers of cells ----


@pytest.mark.parametrize("kind", CELLS)
def test_run_is_the_cell_at_every_step(kind):
    cell, x = kind(WIDTH, HIDDEN), torch.randn(B, T, WIDTH)
    first = state = some(cell)
    shown = []
    for t in range(T):
        state = cell(x[:, t], state)
        shown.append(state.h)
    h, last = run(cell, x, first)
    torch.testing.assert_close(h, torch.stack(shown, 1))
    torch.testing.assert_close(last, state)


@pytest.mark.parametrize("read", [run, run_back])
@pytest.mark.parametrize("kind", CELLS)
def test_padding_changes_no_state_and_shows_nothing(kind, read):
    """Every row is read as it would be by itself; the row without a token keeps the state it came with."""
    cell, x = kind(WIDTH, HIDDEN), torch.randn(B, T, WIDTH)
    state = some(cell)
    h, last = read(cell, x, state, mask=MASK)
    for row, length in enumerate((5, 2)):
        own = cell.State(*(part[row : row + 1] for part in state))
        alone, end = read(cell, x[row : row + 1, :length], own)
        torch.testing.assert_close(h[row, :length], alone[0])
        torch.testing.assert_close([part[row] for part in last], [part[0] for part in end])
    assert not h[~MASK].any()
    assert all(torch.equal(after[2], before[2]) for after, before in zip(last, state, strict=True))


def test_padding_may_stand_anywhere():
    cell, x = GRUCell(WIDTH, HIDDEN), torch.randn(1, T, WIDTH)
    mask = torch.tensor([[False, True, False, True, True]])
    h, last = run(cell, x, cell.initial(1), mask=mask)
    alone, end = run(cell, x[:, mask[0]], cell.initial(1))
    torch.testing.assert_close(h[mask], alone[0])
    torch.testing.assert_close(last, end)


@pytest.mark.parametrize("unknown", [torch.inf, torch.nan])
@pytest.mark.parametrize("read", [run, run_back])
@pytest.mark.parametrize("kind", CELLS)
def test_what_stands_at_padding_reaches_no_gradient(kind, read, unknown):
    cell, x = kind(WIDTH, HIDDEN), torch.randn(B, T, WIDTH)

    def gradients(x):
        x = x.clone().requires_grad_()
        h, last = read(cell, x, cell.initial(B), mask=MASK)
        return torch.autograd.grad(h.sum() + last.h.sum(), [x, *cell.parameters()])

    poisoned = x.masked_fill(~MASK[..., None], unknown)
    torch.testing.assert_close(gradients(poisoned), gradients(x))


def test_reading_back_is_reading_the_reversed_text():
    cell, x = LSTMCell(WIDTH, HIDDEN), torch.randn(B, T, WIDTH)
    h, last = run_back(cell, x, cell.initial(B))
    reversed_h, same = run(cell, x.flip(1), cell.initial(B))
    assert torch.equal(h, reversed_h.flip(1)) and torch.equal(last.c, same.c)
    assert torch.equal(h[:, 0], last.h), "it ends at the first token"


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", CELLS)
def test_reading_in_parts_is_reading_at_once(kind, layers):
    stack, x = Stack(kind, WIDTH, HIDDEN, layers=layers), torch.randn(B, T, WIDTH)
    whole, end = stack(x)
    parts, state = [], stack.initial(B)
    for part in (x[:, :2], x[:, 2:3], x[:, 3:]):
        h, state = stack(part, state)
        parts.append(h)
    torch.testing.assert_close(torch.cat(parts, 1), whole)
    torch.testing.assert_close(state, end)


@pytest.mark.parametrize("kind", CELLS)
def test_a_padded_row_is_the_row_alone(kind):
    stack = Stack(kind, WIDTH, HIDDEN, layers=2, bidirectional=True)
    x = torch.randn(B, T, WIDTH)
    h, state = stack(x, mask=MASK)
    alone, end = stack(x[1:2, :2])
    torch.testing.assert_close(h[1, :2], alone[0])
    torch.testing.assert_close([p[1] for cell in state for p in cell], [p[0] for cell in end for p in cell])
    assert not h[~MASK].any() and not any(part[2].any() for cell in state for part in cell)


def test_dropout_is_between_layers_and_only_in_training():
    stack, x = Stack(GRUCell, WIDTH, HIDDEN, layers=2, dropout=0.9), torch.randn(B, T, WIDTH)
    (h, state), (again, other) = stack(x), stack(x)
    assert torch.equal(state[0].h, other[0].h) and not torch.equal(h, again)
    stack.eval()
    assert torch.equal(stack(x)[0], stack(x)[0])


@pytest.mark.parametrize("sizes", [{"width": 0}, {"hidden": -1}, {"layers": 0}])
def test_sizes_below_one_are_refused(sizes):
    [(name, size)] = sizes.items()
    with pytest.raises(ValueError, match=rf"{name} {size}\b.* must be at least 1"):
        Stack(LSTMCell, **{"width": WIDTH, "hidden": HIDDEN} | sizes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": torch.zeros(T, WIDTH)}, r"x has the shape \(5, 4\), not \(B, T, 4\)"),
        ({"x": torch.zeros(B, T, 7)}, r"x has the shape \(3, 5, 7\), not \(B, T, 4\)"),
        ({"x": torch.zeros(B, 0, WIDTH)}, "length 0"),
        ({"mask": MASK[0]}, r"mask is torch.bool \(5,\), not torch.bool \(3, 5\)"),
        ({"mask": MASK[:2]}, r"mask is torch.bool \(2, 5\), not"),
        ({"mask": MASK.float()}, r"mask is torch.float32 \(3, 5\), not torch.bool \(3, 5\)"),
    ],
)
def test_what_does_not_fit_is_named(change, said):
    stack = Stack(LSTMCell, WIDTH, HIDDEN, layers=2)
    with pytest.raises(ValueError, match=said):
        stack(**{"x": torch.randn(B, T, WIDTH)} | change)


NO_STATES = {  # of two layers of LSTM cells
    "of another cell": 2 * (GRUCell(WIDTH, HIDDEN).initial(B),),
    "of a plain cell": 2 * (RNNCell(WIDTH, HIDDEN).initial(B),),
    "of one layer": (LSTMCell(WIDTH, HIDDEN).initial(B),),
    "of no layer": (),
    "for two sequences": 2 * (LSTMCell(WIDTH, HIDDEN).initial(2),),
    "of another size": 2 * (LSTMCell(WIDTH, HIDDEN + 1).initial(B),),
    "bare": LSTMCell(WIDTH, HIDDEN).initial(B),
    "as in torch": (torch.zeros(2, B, HIDDEN), torch.zeros(2, B, HIDDEN)),
    "a tensor": torch.zeros(2, B, HIDDEN),
    "a list": 2 * [LSTMCell(WIDTH, HIDDEN).initial(B)],
}


@pytest.mark.parametrize("state", NO_STATES.values(), ids=NO_STATES)
def test_what_is_no_state_of_the_stack_is_answered_with_what_is(state):
    one = r"LSTMState\(\(3, 6\), \(3, 6\)\)"
    with pytest.raises(ValueError, match=rf"state is .*, but must be tuple\({one}, {one}\): see `initial`"):
        Stack(LSTMCell, WIDTH, HIDDEN, layers=2)(torch.randn(B, T, WIDTH), state)


@pytest.mark.parametrize("state", [GRUState(torch.zeros(B, HIDDEN)), torch.zeros(1, B, HIDDEN)])
def test_a_state_of_one_layer_is_still_a_tuple(state):
    with pytest.raises(ValueError, match=r"but must be tuple\(GRUState\(\(3, 6\)\)\): see `initial`"):
        Stack(GRUCell, WIDTH, HIDDEN)(torch.randn(B, T, WIDTH), state)


# ---- elsewhere ----


@pytest.mark.slow
@pytest.mark.parametrize("kind", CELLS)
def test_the_exported_stack_reads_any_length(kind):
    check_export(
        Stack(kind, WIDTH, HIDDEN, layers=2, bidirectional=True),
        lambda model, x, mask: model(x, mask=mask),
        lambda n: (torch.randn(2, n, WIDTH), torch.rand(2, n) < 0.7),
        [1, 2, 7, 100],
        axes=((1,), (1,)),
    )
