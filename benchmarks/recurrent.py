"""Our recurrent layers beside torch.nn's: forward and backward, B 64, T 64, width 256, time and memory."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from benchmarks.row import Row, ratio
from vec2gpt.recurrent import GRUCell, LSTMCell, RNNCell, Stack

BATCH, TIME, WIDTH = 64, 64, 256
PAIRS = ((RNNCell, nn.RNN), (LSTMCell, nn.LSTM), (GRUCell, nn.GRU))


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    x = torch.randn(BATCH, TIME, WIDTH)
    for cell, layer in PAIRS:
        ours, peer = Stack(cell, WIDTH, WIDTH), layer(WIDTH, WIDTH, batch_first=True)

        def one(ours=ours):
            return ours(x)[0].sum()

        def other(peer=peer):
            return peer(x)[0].sum()

        what = f"{cell.__name__} stack / nn.{layer.__name__}"
        speed = ratio(lambda one=one: one().backward(), lambda other=other: other().backward(), rounds=15)
        yield Row(f"{what}: forward and backward", speed, "×", "≤ 1.2")
        yield Row(f"{what}: kept for the way back", kept(one) / kept(other), "×", "≤ 1.5")


def kept(forward) -> int:
    """Bytes that autograd keeps between `forward` and its backward, every storage counted once.

    That is what fills the memory of a training: all else is freed on the way.
    """
    storages = {}

    def count(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(count, lambda tensor: tensor):
        end = forward()  # held until all is counted, so that no storage is given away and used again
    del end
    return sum(storages.values())
