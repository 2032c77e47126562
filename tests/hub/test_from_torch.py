"""vec2gpt.hub.from_torch: ours computes what torch.nn computes, gradients included."""

import doctest
import itertools
import sys
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import vec2gpt.hub.from_torch  # noqa: F401  its name is the function's too, so that sys.modules is asked
from vec2gpt.attention import attend_fused, causal_mask
from vec2gpt.hub import from_torch
from vec2gpt.recurrent import ReLUCell

B, T, WIDTH, HIDDEN = 4, 7, 3, 5
LENGTHS = [3, 7, 1, 5]
KINDS = {
    "tanh": nn.RNN,
    "relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
}
SHAPES = [
    {"num_layers": layers, "bidirectional": both, "bias": bias}
    for layers, both, bias in itertools.product((1, 3), (False, True), (True, False))
]
CLOSE = [(torch.float32, 1e-5), (torch.float64, 1e-9)]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pair(kind, dtype=torch.float32, **options):
    """A module of torch.nn, batch first, and ours made of it."""
    theirs = KINDS[kind](WIDTH, HIDDEN, batch_first=True, dtype=dtype, **options)
    return theirs, from_torch(theirs)


def ends(state):
    """Torch's last states as ours come: for each layer and direction (h,) or (h, c)."""
    return tuple(zip(*(state if isinstance(state, tuple) else (state,)), strict=True))


def assert_same(ours, theirs, *, x, expected, got, atol):
    """The same outputs (tuples of tensors), and the same gradients of x and all weights."""

    def gradients(outputs, module):
        weights = [weight for cell in module.all_weights for weight in cell] if module is theirs else given
        return torch.autograd.grad(sum(out.sin().sum() for out in outputs), [x, *weights])

    given = [weight for cell in ours.cells for weight in list(cell.parameters())[: 4 if theirs.bias else 2]]
    torch.testing.assert_close(got, expected, atol=atol, rtol=0)
    torch.testing.assert_close(gradients(got, ours), gradients(expected, theirs), atol=atol, rtol=atol)


@pytest.mark.parametrize(("dtype", "atol"), CLOSE)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_states_and_gradients_are_torchs(kind, shape, dtype, atol):
    theirs, ours = pair(kind, dtype, **shape)
    x = torch.randn(B, T, WIDTH, dtype=dtype, requires_grad=True)
    expected, state = theirs(x)
    h, last = ours(x)
    assert h.dtype == dtype
    expected, got = (expected, *sum(ends(state), ())), (h, *sum(map(tuple, last), ()))
    assert_same(ours, theirs, x=x, expected=expected, got=got, atol=atol)


@pytest.mark.parametrize(("dtype", "atol"), CLOSE)
@pytest.mark.parametrize("shape", SHAPES[::2])
@pytest.mark.parametrize("kind", KINDS)
def test_padded_batches_are_torchs_packed_ones(kind, shape, dtype, atol):
    """What stands at padding does not matter: here it is large, and different for each of the two."""
    theirs, ours = pair(kind, dtype, **shape)
    x = torch.randn(B, T, WIDTH, dtype=dtype, requires_grad=True)
    mask = torch.arange(T) < torch.tensor(LENGTHS)[:, None]
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, state = theirs(packed)
    expected, _ = pad_packed_sequence(expected, batch_first=True, total_length=T)
    h, last = ours(torch.where(mask[..., None], x, 100.0), mask=mask)
    expected, got = (expected, *sum(ends(state), ())), (h, *sum(map(tuple, last), ()))
    assert_same(ours, theirs, x=x, expected=expected, got=got, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_that_reads_time_first_becomes_one_that_reads_batch_first(kind):
    theirs = KINDS[kind](WIDTH, HIDDEN)
    x = torch.randn(B, T, WIDTH)
    torch.testing.assert_close(from_torch(theirs)(x)[0], theirs(x.transpose(0, 1))[0].transpose(0, 1))


def test_a_state_is_continued_as_torch_continues_it():
    theirs, ours = pair("LSTM", num_layers=2, bidirectional=True)
    x, h, c = torch.randn(B, T, WIDTH), torch.randn(4, B, HIDDEN), torch.randn(4, B, HIDDEN)
    state = tuple(cell.State(*of_cell) for cell, of_cell in zip(ours.cells, ends((h, c)), strict=True))
    torch.testing.assert_close(ours(x, state)[0], theirs(x, (h, c))[0])


def test_dropout_and_mode_come_along():
    """At a dropout of 1 nothing reaches the second layer: it reads zeros, in training alone."""
    theirs, ours = pair("GRU", num_layers=2, dropout=1.0)
    x = torch.randn(B, T, WIDTH)
    dropped = ours(x)[0]
    torch.testing.assert_close(dropped, theirs(x)[0])
    kept = from_torch(theirs.eval())
    assert not kept.training
    torch.testing.assert_close(kept(x)[0], theirs(x)[0])
    assert not torch.allclose(kept(x)[0], dropped)


def test_the_weights_are_copies_that_can_learn_and_no_chance_is_drawn():
    theirs = nn.LSTM(WIDTH, HIDDEN, bias=False)
    before = torch.get_rng_state()
    ours = from_torch(theirs)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(weight.requires_grad for weight in ours.parameters())
    with torch.no_grad():
        ours.cells[0].weight_ih.zero_()
    assert theirs.weight_ih_l0.abs().min() > 0


def test_the_device_is_kept():
    ours = from_torch(nn.GRU(WIDTH, HIDDEN, device="meta", dtype=torch.float64))
    h, state = ours(torch.randn(B, T, WIDTH, device="meta", dtype=torch.float64))
    assert (h.device.type, h.dtype, h.shape) == ("meta", torch.float64, (B, T, HIDDEN))
    assert state[0].h.device.type == "meta"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("theirs", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_cells_are_torchs(theirs, bias):
    theirs = theirs(WIDTH, HIDDEN, bias=bias, dtype=torch.float64)
    ours = from_torch(theirs)
    x = torch.randn(B, WIDTH, dtype=torch.float64)
    state = ours.State(*torch.randn(len(ours.State._fields), B, HIDDEN, dtype=torch.float64))
    expected = theirs(x, tuple(state) if len(state) == 2 else state.h)
    got = ours(x, state)
    torch.testing.assert_close(tuple(got) if len(got) == 2 else got.h, expected, atol=1e-9, rtol=0)


def test_a_relu_cell_is_a_relu_cell():
    assert type(from_torch(nn.RNNCell(WIDTH, HIDDEN, nonlinearity="relu"))) is ReLUCell


# ---- several looks at once ----

D, H, S = 12, 3, 6
ORDER = [f"{part}.{kind}" for kind in ("weight", "bias") for part in ("query", "key", "value")]  # as torch's
ORDER += ["output.weight", "output.bias"]
HERE_AND_THERE = torch.arange(T * S).view(T, S) % 5 != 1
TOKENS = torch.arange(S) < torch.tensor(LENGTHS)[:, None]  # (B, S)
MASKS = {  # where one may look, and how torch is told where one may not
    "none": (None, {}),
    "here and there": (HERE_AND_THERE, {"attn_mask": ~HERE_AND_THERE}),
    "padding": (TOKENS[:, None, None], {"key_padding_mask": ~TOKENS}),
}


def attention(dtype=torch.float32, **options):
    """A layer of torch.nn whose biases are not 0, as they begin, for that would hide a mistake."""
    theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=dtype, **options)
    for bias in (theirs.in_proj_bias, theirs.out_proj.bias):
        if bias is not None:
            nn.init.normal_(bias)
    return theirs, from_torch(theirs)


@pytest.mark.parametrize(("dtype", "atol"), CLOSE)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [{}, {"kdim": 5, "vdim": 4}, {"kdim": D, "vdim": 4}])
def test_answers_and_gradients_of_many_heads_are_torchs(widths, bias, mask, dtype, atol):
    theirs, ours = attention(dtype, bias=bias, **widths)
    sizes = (T, D), (S, theirs.kdim), (S, theirs.vdim)
    given = [torch.randn(B, *size, dtype=dtype, requires_grad=True) for size in sizes]
    may, may_not = MASKS[mask]
    expected, got = theirs(*given, need_weights=False, **may_not)[0], ours(*given, mask=may)
    torch.testing.assert_close(got, expected, atol=atol, rtol=0)

    named = dict(ours.named_parameters())
    assert set(named) == set(ORDER if bias else [name for name in ORDER if "bias" not in name])
    sets = [*theirs.parameters()], [named[name] for name in ORDER if name in named]
    gradients = [
        torch.cat([found.flatten() for found in torch.autograd.grad(out.sin().sum(), [*given, *weights])])
        for out, weights in zip((expected, got), sets, strict=True)
    ]
    torch.testing.assert_close(*gradients, atol=atol, rtol=atol)


def test_heads_that_read_time_first_become_heads_that_read_batch_first():
    theirs = nn.MultiheadAttention(D, H)
    x = torch.randn(B, T, D)
    said = theirs(*[x.transpose(0, 1)] * 3, need_weights=False)[0].transpose(0, 1)
    torch.testing.assert_close(from_torch(theirs)(x, x, x), said)


@pytest.mark.parametrize("widths", [{}, {"kdim": 5}])
def test_the_heads_weights_are_copies_that_can_learn_and_the_mode_is_kept(widths):
    theirs, ours = attention(**widths)
    assert ours.training and not from_torch(theirs.eval()).training
    assert all(weight.requires_grad for weight in ours.parameters())
    with torch.no_grad():
        for weight in ours.parameters():
            weight.zero_()
    assert all(weight.any() for weight in theirs.parameters())


# ---- blocks ----


def layer(kind, dtype=torch.float64, **options):
    """A layer of torch's Transformer with no 0 bias and no norm that does nothing, and ours."""
    theirs = kind(D, H, 4 * D + 1, dropout=0.0, batch_first=True, dtype=dtype, **options)
    for weight in theirs.parameters():
        if weight.dim() == 1:
            nn.init.normal_(weight)
    return theirs, from_torch(theirs)


def gradients_of(out, given):
    return torch.autograd.grad(out.sin().sum(), given)


BLOCKS = pytest.mark.parametrize(
    "options",
    [
        {"norm_first": first, "activation": bend, "bias": bias}
        for first, bend, bias in itertools.product((True, False), ("relu", "gelu", nn.SiLU()), (True, False))
    ]
    + [{"activation": nn.GELU("tanh"), "layer_norm_eps": 0.1}],
    ids=str,
)


@BLOCKS
@pytest.mark.parametrize(("dtype", "atol"), CLOSE)
def test_a_block_of_the_encoder_is_torchs(options, dtype, atol):
    theirs, ours = layer(nn.TransformerEncoderLayer, dtype, **options)
    x = torch.randn(B, S, D, dtype=dtype, requires_grad=True)
    expected = theirs(x, src_key_padding_mask=~TOKENS)
    got = ours(x, look=partial(attend_fused, mask=TOKENS[:, None, None]))
    torch.testing.assert_close(got, expected, atol=atol, rtol=0)
    torch.testing.assert_close(gradients_of(got, x), gradients_of(expected, x), atol=10 * atol, rtol=atol)


@BLOCKS
@pytest.mark.parametrize(("dtype", "atol"), CLOSE)
def test_a_block_of_the_decoder_is_torchs(options, dtype, atol):
    theirs, ours = layer(nn.TransformerDecoderLayer, dtype, **options)
    x = torch.randn(B, T, D, dtype=dtype, requires_grad=True)
    memory = torch.randn(B, S, D, dtype=dtype, requires_grad=True)
    causal = causal_mask(T)
    expected = theirs(x, memory, tgt_mask=~causal, memory_key_padding_mask=~TOKENS)
    got = ours(
        x,
        ours.remember(memory),
        look=partial(attend_fused, mask=causal),
        look_back=partial(attend_fused, mask=TOKENS[:, None, None]),
    )
    torch.testing.assert_close(got, expected, atol=atol, rtol=0)
    both = x, memory
    torch.testing.assert_close(
        gradients_of(got, both), gradients_of(expected, both), atol=10 * atol, rtol=atol
    )


@pytest.mark.parametrize("kind", [nn.TransformerEncoderLayer, nn.TransformerDecoderLayer])
def test_the_weights_of_a_block_are_copies_and_the_mode_is_kept(kind):
    theirs, ours = layer(kind)
    assert ours.training and not from_torch(theirs.eval()).training
    with torch.no_grad():
        for weight in ours.parameters():
            weight.zero_()
    assert all(weight.any() for weight in theirs.parameters())


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match=r"the activation Tanh.* has no equal here: give one of relu"):
        from_torch(nn.TransformerEncoderLayer(D, H, activation=nn.Tanh()))


def test_what_has_no_equal_is_refused():
    with pytest.raises(ValueError, match="proj_size is 2: our cells do not project"):
        from_torch(nn.LSTM(WIDTH, HIDDEN, proj_size=2))
    for extra in ("add_bias_kv", "add_zero_attn"):
        with pytest.raises(ValueError, match=r"add keys that no text has; ours has none: give False"):
            from_torch(nn.MultiheadAttention(D, H, **{extra: True}))
    with pytest.raises(ValueError, match=r"Linear has no equal here: give an nn\.RNN"):
        from_torch(nn.Linear(2, 2))


def test_the_example_of_the_docstring_is_true():
    failed, tried = doctest.testmod(sys.modules["vec2gpt.hub.from_torch"])
    assert (failed, tried > 0) == (0, True)
