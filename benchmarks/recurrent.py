"""Our recurrent cells beside torch.nn's fused layers: forward and backward, B 64, T 64, width 256."""

from collections.abc import Iterator

import torch
from torch import nn

from benchmarks.row import Row, ratio
from vec2gpt.recurrent import GRUCell, LSTMCell, unroll

BATCH, TIME, WIDTH = 64, 64, 256


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    x = torch.randn(BATCH, TIME, WIDTH)
    for cell, layer in ((LSTMCell, nn.LSTM), (GRUCell, nn.GRU)):
        ours, peer = cell(WIDTH, WIDTH), layer(WIDTH, WIDTH, batch_first=True)

        def one(ours=ours):
            def step(state, x_t):
                state = ours(x_t, state)
                return state, state.h

            unroll(step, ours.initial(BATCH), x)[1].sum().backward()

        def other(peer=peer):
            peer(x)[0].sum().backward()

        yield Row(f"{cell.__name__} against {layer.__name__}", ratio(one, other), "×", "≤ 1.2")
