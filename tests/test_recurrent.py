import math
import subprocess
import sys

import pytest
import torch
from exporting import check_export
from torch import nn

from vec2gpt.decoding import continue_with
from vec2gpt.recurrent import (
    GRUCell,
    GRUState,
    LanguageModelConfig,
    LSTMCell,
    LSTMLanguageModel,
    LSTMState,
    next_token_loss,
    unroll,
)

B, T, WIDTH, HIDDEN, V = 3, 5, 4, 6, 11
PAIRS = [(LSTMCell, nn.LSTMCell), (GRUCell, nn.GRUCell)]


def language_model():
    torch.manual_seed(0)
    return LSTMLanguageModel(LanguageModelConfig(V, width=WIDTH, hidden=HIDDEN)).eval()


# ---- unroll ----


def test_unroll_is_the_loop_over_axis_1():
    inputs = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    total, sums = unroll(lambda total, x: (total + x, total + x), torch.zeros(2), inputs)
    assert total.tolist() == [6, 15]
    assert torch.equal(sums, inputs.cumsum(1))


def test_unroll_walks_nested_tuples_together():
    def step(state, inputs):
        x, (keep, _) = inputs
        h = torch.where(keep, x, state.h)
        return GRUState(h), (h, {"twice": 2 * h})

    x = torch.tensor([[1.0, 2.0, 3.0]])
    keep = torch.tensor([[True, False, True]])
    state, (h, named) = unroll(step, GRUState(torch.zeros(1)), (x, (keep, keep)))
    assert h.tolist() == [[1, 1, 3]]
    assert named["twice"].tolist() == [[2, 2, 6]]
    assert isinstance(state, GRUState) and state.h.tolist() == [3]


def test_unroll_of_nothing_says_so():
    with pytest.raises(ValueError, match="length 0"):
        unroll(lambda state, x: (state, x), torch.zeros(2), torch.zeros(2, 0))


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


# ---- language model ----


def test_the_model_is_embedding_lstm_and_head_of_torch():
    model = language_model()
    lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True)
    lstm.load_state_dict({f"{name}_l0": weight for name, weight in model.cell.state_dict().items()})
    ids = torch.randint(V, (B, T))
    expected = model.head(lstm(model.embedding(ids))[0])
    torch.testing.assert_close(model(ids)[0], expected, atol=1e-6, rtol=0)


def test_reading_in_parts_and_by_steps_is_reading_at_once():
    model, ids = language_model(), torch.randint(V, (B, T))
    whole, end = model.read(ids, model.initial(B))
    first, state = model.read(ids[:, :2], model.initial(B))
    rest = []
    for t in range(2, T):
        logits, state = model.step(ids[:, t], state)
        rest.append(logits)
    torch.testing.assert_close(torch.cat([first, torch.stack(rest, 1)], 1), whole)
    torch.testing.assert_close(state, end)


def test_the_loss_of_knowing_nothing_is_ln_v():
    targets = torch.randint(V, (B, T))
    assert next_token_loss(torch.zeros(B, T, V), targets).item() == pytest.approx(math.log(V))
    assert next_token_loss(torch.zeros(B, T, V), None) is None


def test_ignored_targets_do_not_count():
    logits, targets = torch.randn(B, T, V), torch.randint(V, (B, T))
    masked = targets.masked_fill(torch.arange(T) >= 3, -100)
    torch.testing.assert_close(
        next_token_loss(logits, masked), next_token_loss(logits[:, :3], targets[:, :3])
    )


@pytest.mark.parametrize("bad", [-1, V])
def test_ids_outside_the_vocabulary_are_named(bad):
    model, ids = language_model(), torch.tensor([[0, bad]])
    with pytest.raises(ValueError, match=f"ids hold {bad}, but the model knows the ids 0 … {V - 1}"):
        model(ids)
    with pytest.raises(ValueError, match=f"targets hold {bad}"):
        model(torch.zeros_like(ids), ids)


def test_one_text_without_a_batch_is_answered_with_the_way_out():
    with pytest.raises(
        ValueError, match=r"ids have the shape \(5,\), not \(B, T\): for one text give ids\[None\]"
    ):
        language_model()(torch.zeros(5, dtype=torch.long))


# ---- elsewhere ----


@pytest.mark.slow
def test_the_exported_model_reads_any_length():
    check_export(
        language_model(),
        lambda model, ids: model(ids)[0],
        lambda n: (torch.randint(V, (2, n)),),
        [1, 2, 7, 100],
        axes=((1,),),
    )


@pytest.mark.slow
def test_the_exported_model_writes_the_same_text():
    check_export(
        language_model(),
        lambda model, ids, u, *limits: continue_with(
            model, ids, u, **dict(zip(("temperature", "top_k", "top_p"), limits, strict=True))
        ),
        lambda n: (
            torch.randint(V, (2, n)),
            torch.rand(2, n),
            torch.tensor(0.8),
            torch.tensor(5),
            torch.tensor(0.9),
        ),
        [1, 2, 7, 100],
        axes=((1,), (1,), (), (), ()),
    )


@pytest.mark.slow
def test_the_module_runs_where_torch_cannot_be_asked_whether_it_exports():
    """torch before 2.7 has no torch.compiler.is_exporting."""
    code = """
import torch
del torch.compiler.is_exporting
from vec2gpt.recurrent import unroll
print(unroll(lambda s, x: (s + x, s), torch.zeros(1), torch.ones(1, 3))[0].item())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3.0"
