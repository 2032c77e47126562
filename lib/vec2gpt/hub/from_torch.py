"""The layers of torch.nn as ours, with the same weights: what was trained there can be opened here.

Ours computes the same, gradients included, and its gates can be looked at and changed. To teach `from_torch`
another layer, register a function for that layer's class.

Left out: projections of an LSTM's state (`proj_size`) and the additional keys of attention (`add_bias_kv`,
`add_zero_attn`), which ours do not have.
"""

from copy import deepcopy
from functools import singledispatch

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import MultiHeadAttention
from vec2gpt.blocks import Block, DecoderBlock
from vec2gpt.recurrent import Cell, GRUCell, LSTMCell, ReLUCell, RNNCell, Stack

BY_MODE = {"RNN_TANH": RNNCell, "RNN_RELU": ReLUCell, "LSTM": LSTMCell, "GRU": GRUCell}  # torch's `mode`


@singledispatch
def from_torch(module: nn.Module) -> nn.Module:
    """Our module with copies of the weights of one of torch.nn, on the same device and of the same dtype.

    nn.RNN, nn.LSTM and nn.GRU become a `Stack`; nn.RNNCell, nn.LSTMCell and nn.GRUCell a `Cell`, whose biases
    are 0 where `module` has none; nn.MultiheadAttention a `MultiHeadAttention`, whose masks say where one may
    look, not where not; nn.TransformerEncoderLayer a `Block`, nn.TransformerDecoderLayer a `DecoderBlock`.
    Dropout of attention weights and inside the feed-forward is left out. Ours always reads batch first,
    (B, T, width). ValueError for what has no equal here.

    >>> theirs = nn.LSTM(3, 5, num_layers=2)
    >>> torch.equal(from_torch(theirs).cells[1].weight_hh, theirs.weight_hh_l1)
    True
    """
    raise ValueError(
        f"{type(module).__name__} has no equal here: give an nn.RNN, nn.LSTM, nn.GRU, a cell of these, "
        "an nn.MultiheadAttention, or a layer of a Transformer's encoder or decoder"
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
    return _attention(module, MultiHeadAttention, key_width=module.kdim, value_width=module.vdim)


@from_torch.register
def _(module: nn.TransformerEncoderLayer) -> Block:
    return _block(module, Block, {"attention": (module.self_attn, module.norm1)}, module.norm2)


@from_torch.register
def _(module: nn.TransformerDecoderLayer) -> DecoderBlock:
    attentions = {
        "attention": (module.self_attn, module.norm1),
        "cross": (module.multihead_attn, module.norm2),
    }
    return _block(module, DecoderBlock, attentions, module.norm3)


def _block(module: nn.Module, kind: type[Block], attentions: dict, last: nn.LayerNorm) -> Block:
    """Our block; `attentions` has, by our names, torch's attention and its norm, `last` is the last norm."""
    with torch.device("meta"):
        ours = kind(
            module.self_attn.embed_dim,
            heads=module.self_attn.num_heads,
            inner=module.linear1.out_features,
            dropout=module.dropout1.p,
            activation=_activation(module.activation),
            residual="pre" if module.norm_first else "post",
        )
    for name, (theirs, norm) in attentions.items():
        added = getattr(ours, name)
        added.sublayer, added.norm = _attention(theirs, type(added.sublayer)), deepcopy(norm)
    sublayer = ours.feed_forward.sublayer
    sublayer.inner, sublayer.output = deepcopy(module.linear1), deepcopy(module.linear2)
    ours.feed_forward.norm = deepcopy(last)
    return ours.train(module.training)


def _activation(theirs) -> str:
    """Our name of what torch has as a function or as a module."""
    if isinstance(theirs, nn.GELU) and theirs.approximate == "tanh":
        return "gelu tanh"
    known = {"relu": (F.relu, nn.ReLU), "gelu": (F.gelu, nn.GELU), "swish": (F.silu, nn.SiLU)}
    for name, (function, module) in known.items():
        if theirs is function or isinstance(theirs, module):
            return name
    raise ValueError(f"the activation {theirs} has no equal here: give one of relu, gelu, silu")


def _attention(module: nn.MultiheadAttention, kind: type, **widths) -> MultiHeadAttention:
    if module.bias_k is not None or module.add_zero_attn:
        raise ValueError("add_bias_kv and add_zero_attn add keys that no text has; ours has none: give False")
    bias = module.in_proj_bias is not None
    with torch.device("meta"):
        ours = kind(module.embed_dim, heads=module.num_heads, bias=bias, **widths)
    weights = _projections(module)
    weights |= {f"output.{name}": weight for name, weight in module.out_proj.named_parameters()}
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
