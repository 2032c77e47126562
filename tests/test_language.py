"""vec2gpt.language: what all language models share, the window's and the memory's."""

import math

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch import nn

from vec2gpt.decoding import continue_with
from vec2gpt.hub import from_torch
from vec2gpt.language import (
    LanguageModelConfig,
    RecurrentLanguageModel,
    WindowConfig,
    WindowLanguageModel,
    check_ids,
    next_token_loss,
    open_forget_gates,
)

B, T, WIDTH, HIDDEN, WINDOW, V = 3, 7, 4, 6, 3, 11
CELLS = {
    "rnn": nn.RNN,
    "relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


def recurrent(cell="lstm", **options):
    torch.manual_seed(0)
    config = LanguageModelConfig(V, cell=cell, width=WIDTH, hidden=HIDDEN, **options)
    return RecurrentLanguageModel(config).eval()


def window(size=WINDOW):
    torch.manual_seed(0)
    return WindowLanguageModel(WindowConfig(V, window=size, width=WIDTH, hidden=HIDDEN)).eval()


MODELS = {"window": window, "window of 1": lambda: window(1)} | {
    cell: lambda cell=cell: recurrent(cell) for cell in CELLS
}


# ---- what all language models share ----


def test_the_loss_of_knowing_nothing_is_ln_v():
    targets = torch.randint(V, (B, T))
    assert next_token_loss(torch.zeros(B, T, V), targets).item() == pytest.approx(math.log(V))
    assert next_token_loss(torch.zeros(B, T, V), None) is None


def test_the_loss_is_the_mean_of_what_each_target_was_given():
    logits, targets = torch.randn(B, T, V), torch.randint(V, (B, T))
    given = [logits[b, t].log_softmax(0)[targets[b, t]] for b in range(B) for t in range(T)]
    torch.testing.assert_close(next_token_loss(logits, targets), -torch.stack(given).mean())


def test_ignored_targets_do_not_count():
    logits, targets = torch.randn(B, T, V), torch.randint(V, (B, T))
    masked = targets.masked_fill(torch.arange(T) >= 3, -100)
    torch.testing.assert_close(
        next_token_loss(logits, masked), next_token_loss(logits[:, :3], targets[:, :3])
    )


@pytest.mark.parametrize("shape", [(T, B), (B, T - 1), (1, B * T)])
def test_targets_of_another_shape_are_refused(shape):
    """Flattened, the first and the last would fit, and be compared with what they do not follow."""
    with pytest.raises(ValueError, match=rf"targets have the shape \({shape[0]}, {shape[1]}\), but the ids"):
        next_token_loss(torch.zeros(B, T, V), torch.zeros(shape, dtype=torch.long))


def test_a_loss_of_nothing_is_refused():
    with pytest.raises(ValueError, match="all targets are -100, so there is no loss"):
        next_token_loss(torch.zeros(B, T, V), torch.full((B, T), -100))


@pytest.mark.parametrize("bad", [-1, V])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_ids_outside_the_vocabulary_are_named(make, bad):
    model, ids = make(), torch.tensor([[0, bad]])
    with pytest.raises(ValueError, match=f"ids hold {bad}, but the model knows the ids 0 … {V - 1}"):
        model(ids)
    with pytest.raises(ValueError, match=f"targets hold {bad}"):
        model(torch.zeros_like(ids), ids)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_what_is_no_batch_of_texts_is_answered_with_the_way_out(make):
    with pytest.raises(
        ValueError, match=r"ids have the shape \(5,\), not \(B, T\): for one text give ids\[None\]"
    ):
        make()(torch.zeros(5, dtype=torch.long))
    with pytest.raises(ValueError, match="ids are empty: give at least one token"):
        make()(torch.zeros(1, 0, dtype=torch.long))


def test_an_id_is_checked_under_the_name_it_was_given():
    check_ids(torch.tensor([[0, V - 1]]), V)
    with pytest.raises(ValueError, match="source_ids hold 11"):
        check_ids(torch.tensor([[V]]), V, name="source_ids")


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_model_says_what_it_predicts_and_how_well(make):
    model, ids, targets = make(), torch.randint(V, (B, T)), torch.randint(V, (B, T))
    logits, loss = model(ids, targets)
    assert logits.shape == (B, T, V) and model(ids)[1] is None
    torch.testing.assert_close(loss, F.cross_entropy(logits.mT, targets))


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_nothing_is_known_of_the_tokens_to_come(make):
    model, ids = make(), torch.randint(V, (B, T))
    changed = ids.clone()
    changed[:, 4] = (ids[:, 4] + 1) % V
    before, after = model(ids)[0], model(changed)[0]
    assert torch.equal(before[:, :4], after[:, :4]) and not torch.equal(before[:, 4], after[:, 4])


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_reading_in_parts_and_by_steps_is_reading_at_once(make):
    model, ids = make(), torch.randint(V, (B, T))
    whole, end = model.read(ids, model.initial(B))
    first, state = model.read(ids[:, :2], model.initial(B))
    rest = []
    for t in range(2, T):
        logits, state = model.step(ids[:, t], state)
        rest.append(logits)
    torch.testing.assert_close(torch.cat([first, torch.stack(rest, 1)], 1), whole)
    torch.testing.assert_close(state, end)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_state_for_another_number_of_texts_is_refused(make):
    model, ids = make(), torch.randint(V, (B, T))
    for ask, text in ((model.read, ids), (model.step, ids[:, 0])):
        with pytest.raises(ValueError, match=r"state is .*\b2, .*, but must be .*\b3, .*: see `initial`"):
            ask(text, model.initial(2))


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_weight_learns_in_double_precision_too(make):
    model = make().double()
    logits, loss = model(torch.arange(V)[None], torch.arange(V)[None])
    assert logits.dtype == torch.double
    loss.backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.parameters())


# ---- a fixed window ----


@pytest.mark.parametrize("size", [1, 2, WINDOW, T + 2])
def test_the_window_model_is_a_plain_loop(size):
    """Token by token: the vectors of the last few, one behind the other, through both layers."""
    model, ids = window(size), torch.randint(V, (B, T))
    logits, _ = model(ids)
    for b in range(B):
        seen = [V] * size
        for t in range(T):
            seen = [*seen[1:], ids[b, t].item()]
            vectors = torch.cat([model.embedding.weight[token] for token in seen])
            h = torch.tanh(model.layer.weight @ vectors + model.layer.bias)
            torch.testing.assert_close(logits[b, t], model.head.weight @ h + model.head.bias)


def test_beyond_its_window_it_sees_nothing():
    model, ids = window(), torch.randint(V, (B, T))
    changed = ids.clone()
    changed[:, 0] = (ids[:, 0] + 1) % V
    before, after = model(ids)[0], model(changed)[0]
    differs = (before != after).any(-1).any(0)
    assert differs.tolist() == [True] * WINDOW + [False] * (T - WINDOW)


@pytest.mark.parametrize("size", [{"window": 0}, {"width": 0}, {"hidden": -2}, {"vocab_size": 0}])
def test_a_window_model_needs_sizes(size):
    [(name, value)] = size.items()
    with pytest.raises(ValueError, match=f"{name} is {value}: give at least 1"):
        WindowConfig(**{"vocab_size": V} | size)


@pytest.mark.parametrize("length", [WINDOW - 2, WINDOW])
def test_a_state_of_another_window_is_refused(length):
    with pytest.raises(ValueError, match=rf"state is \(3, {length}\), but must be \(3, {WINDOW - 1}\)"):
        window().read(torch.randint(V, (B, T)), torch.full((B, length), V))


@pytest.mark.parametrize("name", ["vocab_size", "window", "width", "hidden"])
def test_the_sizes_of_a_window_model_are_whole(name):
    with pytest.raises(ValueError, match=f"{name} is 8.0: give a whole number"):
        WindowConfig(**{"vocab_size": V} | {name: 8.0})


# ---- a memory ----


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_recurrent_model_is_embedding_layers_and_head_of_torch(cell, layers):
    model = recurrent(cell, layers=layers)
    layer = CELLS[cell](WIDTH, HIDDEN, num_layers=layers, batch_first=True)
    model.stack.load_state_dict(from_torch(layer).state_dict())
    ids = torch.randint(V, (B, T))
    expected = model.head(layer(model.embedding(ids))[0])
    torch.testing.assert_close(model(ids)[0], expected, atol=1e-6, rtol=0)


def test_dropout_acts_in_training_alone():
    model, ids = recurrent(dropout=0.5), torch.randint(V, (B, T))
    assert torch.equal(model(ids)[0], model(ids)[0])
    model.train()
    assert not torch.equal(model(ids)[0], model(ids)[0])


def test_an_unknown_cell_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="cell is 'LSTM': choose one of rnn, relu, lstm, gru"):
        LanguageModelConfig(V, cell="LSTM")


@pytest.mark.parametrize("size", [{"width": 0}, {"hidden": 0}, {"layers": 0}, {"vocab_size": 0}])
def test_a_recurrent_model_needs_sizes(size):
    [(name, value)] = size.items()
    with pytest.raises(ValueError, match=f"{name} is {value}: give at least 1"):
        LanguageModelConfig(**{"vocab_size": V} | size)


@pytest.mark.parametrize("name", ["vocab_size", "width", "hidden", "layers"])
def test_the_sizes_of_a_recurrent_model_are_whole(name):
    with pytest.raises(ValueError, match=f"{name} is 8.0: give a whole number"):
        LanguageModelConfig(**{"vocab_size": V} | {name: 8.0})


@pytest.mark.parametrize("dropout", [-0.1, 1.0, math.nan, math.inf])
def test_dropout_is_a_share_that_leaves_something(dropout):
    with pytest.raises(ValueError, match=f"dropout is {dropout}: give a share from 0 to below 1"):
        LanguageModelConfig(V, dropout=dropout)


def test_forget_gates_are_opened_and_nothing_else():
    model, plain = recurrent(layers=2), recurrent(layers=2)
    open_forget_gates(model, bias=3.0)
    x, state = torch.randn(B, WIDTH), plain.initial(B)[0]
    before, after = plain.stack.cells[0].gates(x, state), model.stack.cells[0].gates(x, state)
    torch.testing.assert_close(after.f.logit(), before.f.logit() + 3)
    torch.testing.assert_close(after._replace(f=before.f), before)
    for name, weight in model.state_dict().items():
        moved = weight - plain.state_dict()[name]
        assert moved.sum().item() == pytest.approx(3 * HIDDEN if name.endswith("bias_ih") else 0, abs=1e-5)


@pytest.mark.parametrize("cell", ["rnn", "relu", "gru"])
def test_cells_without_a_forget_gate_have_none_to_open(cell):
    with pytest.raises(ValueError, match=f"cell is '{cell}', which has no forget gate"):
        open_forget_gates(recurrent(cell), bias=1.0)


# ---- elsewhere ----


@pytest.mark.slow
@pytest.mark.parametrize("make", [window, recurrent, lambda: recurrent("gru")], ids=["window", "lstm", "gru"])
def test_the_exported_model_reads_any_length(make):
    check_export(
        make(),
        lambda model, ids: model(ids)[0],
        lambda n: (torch.randint(V, (2, n)),),
        [1, 2, 7, 100],
        axes=((1,),),
    )


@pytest.mark.slow
def test_the_exported_model_writes_the_same_text():
    check_export(
        recurrent(),
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
