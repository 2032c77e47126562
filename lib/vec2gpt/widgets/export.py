"""From a torch module to the ONNX file that a page runs. Used only while the book is built.

What has to be watched (each of these was seen to go wrong silently, so every exported graph is
compared with torch at several lengths): a Python loop over time freezes the length, hence
`unrolling.unroll`; a branch on a length exports one branch; an example of length 1 freezes that
axis unless it is marked as free; one tensor as the example of two inputs makes one input of them.
"""

import hashlib
import logging
import pathlib
import re
import warnings

import torch
from torch import Tensor, nn

from vec2gpt.files import replacing

SMALL = 1024  # weights of fewer numbers stay float32: they cost little and often matter more


def to_onnx(module: nn.Module, example: dict[str, Tensor], outputs: list[str], lengths: dict) -> bytes:
    """`module` as an ONNX file, its weights stored as float16 and computed with as float32.

    The same module and example give the same bytes: names of files and stack traces are left out.
    """
    free = torch.export.Dim.DYNAMIC
    shapes = tuple({axis: free for axis in lengths.get(name, [])} or None for name in example)
    for chatter in ("torch.onnx", "torch.export"):  # torchvision is absent, a scan is a prototype
        logging.getLogger(chatter).setLevel(logging.CRITICAL)
    torch._dynamo.reset()  # what it remembers of an earlier export can break this one
    with warnings.catch_warnings(), torch.no_grad():  # a scan with gradients cannot be exported
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            tuple(tensor.clone() for tensor in example.values()),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
    proto = program.model_proto
    _forget_origins(proto.graph)
    _forget(proto)
    _drop_unused(proto.graph)
    _halve(proto.graph)
    return proto.SerializeToString(deterministic=True)


def publish(site, name: str, module: nn.Module, example: dict, outputs: list, lengths: dict) -> str:
    """Write `module` under `site/models`; return the file's name, which holds a hash of its content.

    Browsers may keep such a file for good: another model has another name.
    """
    content = to_onnx(module, example, outputs, lengths)
    slug = re.sub(r"\W+", "-", name.lower())
    file = f"{slug}-{hashlib.sha256(content).hexdigest()[:12]}.onnx"
    with replacing(pathlib.Path(site, "models", file)) as draft:
        draft.write_bytes(content)
    return file


def _forget(message) -> None:
    """Drop what holds stack traces, and with them paths of the machine that exported."""
    message.ClearField("doc_string")
    message.ClearField("metadata_props")


def _forget_origins(graph) -> None:
    for part in [graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]:
        _forget(part)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _forget_origins(attribute.g)


def _drop_unused(graph) -> None:
    """Leave out constants that nothing reads: the page's runtime would complain of each on the console."""
    read = _read(graph)
    kept = [constant for constant in graph.initializer if constant.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _read(graph) -> set[str]:
    """The names that a graph's nodes and outputs read, and those within its loops."""
    names = {output.name for output in graph.output}
    for node in graph.node:
        names.update(node.input)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names |= _read(attribute.g)
    return names


def _halve(graph) -> None:
    """Store large float32 weights as float16 and let the runtime widen them once, when it loads."""
    import onnx
    from onnx import helper, numpy_helper

    casts = []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or numpy_helper.to_array(weight).size < SMALL:
            continue
        name = weight.name
        half = numpy_helper.from_array(numpy_helper.to_array(weight).astype("float16"), f"{name}.half")
        weight.CopyFrom(half)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
