"""Shared by the tests: is the exported graph of a model the model, at every length?"""

import logging
import warnings

import pytest
import torch
from torch import nn

ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

FREE = torch.export.Dim.DYNAMIC


class Call(nn.Module):
    """`function(model, *tensors)` as a module, for the exporter takes nothing else."""

    def __init__(self, model, function):
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *tensors):
        return self.function(self.model, *tensors)


@torch.no_grad()
def check_export(model, function, example, lengths, *, axes, atol=1e-4):
    """Export `function(model, *example(7))`; onnxruntime must say what torch says at each length.

    example: length -> tuple of tensors. axes: for each tensor the axes that are free, such as ((1,), ()).
    """
    module = Call(model.eval(), function)
    session = ort.InferenceSession(_onnx(module, example(7), axes))
    names = [node.name for node in session.get_inputs()]
    for length in lengths:
        tensors = example(length)
        ours = torch.utils._pytree.tree_leaves(module(*tensors))
        values = (tensor.numpy() for tensor in tensors)
        theirs = session.run(None, dict(zip(names, values, strict=True)))
        for our, their in zip(ours, theirs, strict=True):
            torch.testing.assert_close(torch.from_numpy(their), our, atol=atol, rtol=0)


def _onnx(module, example, axes):
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    shapes = tuple({axis: FREE for axis in free} or None for free in axes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(module, example, dynamo=True, dynamic_shapes=(shapes,), verbose=False)
    return program.model_proto.SerializeToString()
