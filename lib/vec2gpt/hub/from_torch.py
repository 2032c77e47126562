"""The layers of torch.nn as ours, with the same weights: what was trained there can be opened here.

Ours computes the same, gradients included, and its gates can be looked at and changed. To teach `from_torch`
another layer, register a function for that layer's class.

Left out: projections of an LSTM's state (`proj_size`) and the additional keys of attention (`add_bias_kv`,
`add_zero_attn`), which ours do not have.
"""

from functools import singledispatch

import torch
from torch import nn

from vec2gpt.attention import MultiHeadAttention
from vec2gpt.recurrent import Cell, GRUCell, LSTMCell, ReLUCell, RNNCell, Stack

BY_MODE = {"RNN_TANH": RNNCell, "RNN_RELU": ReLUCell, "LSTM": LSTMCell, "GRU": GRUCell}  # torch's `mode`


@singledispatch
def from_torch(module: nn.Module) -> nn.Module:
    """Our module with copies of the weights of one of torch.nn, on the same device and of the same dtype.

    nn.RNN, nn.LSTM and nn.GRU become a `Stack`; nn.RNNCell, nn.LSTMCell and nn.GRUCell a `Cell`, whose biases
    are 0 where `module` has none; nn.MultiheadAttention a `MultiHeadAttention`, which has no dropout and
    whose masks say where one may look, not where not. Ours always reads batch first, (B, T, width).
    ValueError for what has no equal here.

    >>> theirs = nn.LSTM(3, 5, num_layers=2)
    >>> torch.equal(from_torch(theirs).cells[1].weight_hh, theirs.weight_hh_l1)
    True
    """
    raise ValueError(
        f"{type(module).__name__} has no equal here: give an nn.RNN, nn.LSTM, nn.GRU, a cell of these, or "
        "an nn.MultiheadAttention"
    )


@from_torch.register
def _(module: nn.RNNBase) -> Stack:
    if module.proj_size:
        raise ValueError(f"proj_size is {module.proj_size}: our cells do not project their state; give 0")
    with torch.device("meta"):  # no weights yet, and no random numbers drawn for them
        stack = Stack(
            BY_MODE[module.mode],
            module.input_size,
            module.hidden_size,
            layers=module.num_layers,
            bidirectional=module.bidirectional,
            dropout=module.dropout,
        )
    for cell, weights in zip(stack.cells, module.all_weights, strict=True):
        _fill(cell, weights)
    return stack.train(module.training)


@from_torch.register
def _(module: nn.RNNCell) -> RNNCell:
    return _like(module, BY_MODE[f"RNN_{module.nonlinearity.upper()}"])


@from_torch.register
def _(module: nn.LSTMCell) -> LSTMCell:
    return _like(module, LSTMCell)


@from_torch.register
def _(module: nn.GRUCell) -> GRUCell:
    return _like(module, GRUCell)


@from_torch.register
def _(module: nn.MultiheadAttention) -> MultiHeadAttention:
    if module.bias_k is not None or module.add_zero_attn:
        raise ValueError("add_bias_kv and add_zero_attn add keys that no text has; ours has none: give False")
    widths = {"key_width": module.kdim, "value_width": module.vdim}
    bias = module.in_proj_bias is not None
    with torch.device("meta"):
        ours = MultiHeadAttention(module.embed_dim, heads=module.num_heads, bias=bias, **widths)
    weights = _projections(module)
    weights |= {f"output.{kind}": weight for kind, weight in module.out_proj.named_parameters()}
    ours.load_state_dict({name: weight.detach().clone() for name, weight in weights.items()}, assign=True)
    return ours.train(module.training)


def _projections(module: nn.MultiheadAttention) -> dict[str, torch.Tensor]:
    """What makes queries, keys and values, by our names: torch stacks the weights of equally wide ones."""
    separate = module.q_proj_weight, module.k_proj_weight, module.v_proj_weight
    parts = {"weight": separate if module.in_proj_weight is None else module.in_proj_weight.chunk(3)}
    if module.in_proj_bias is not None:
        parts["bias"] = module.in_proj_bias.chunk(3)
    return {
        f"{name}.{kind}": weight
        for kind, three in parts.items()
        for name, weight in zip(("query", "key", "value"), three, strict=True)
    }


def _like(module: nn.RNNCellBase, kind: type[Cell]) -> Cell:
    with torch.device("meta"):
        cell = kind(module.input_size, module.hidden_size)
    return _fill(cell, module.parameters()).train(module.training)


def _fill(cell: Cell, weights) -> Cell:
    """Give a cell copies of torch's weights: two matrices, and two biases or none."""
    w_ih, w_hh, *biases = (weight.detach().clone() for weight in weights)
    biases = biases or [w_hh.new_zeros(len(w_hh)), w_hh.new_zeros(len(w_hh))]
    names = [name for name, _ in cell.named_parameters()]
    cell.load_state_dict(dict(zip(names, [w_ih, w_hh, *biases], strict=True)), assign=True)
    return cell
