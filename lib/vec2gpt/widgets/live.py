"""One widget, two homes: the kernel computes where there is one, the page where there is none.

A `LiveModel` is a question and its answer: named input tensors go through a torch module and come
out as named output tensors. The view (JavaScript) only draws. `js/live.js` decides who computes:

* in Jupyter or Colab it sends the inputs here, and this module answers: edit the model, run the
  cell again, and the widget shows the edited model;
* while the book is built (the environment variable VEC2GPT_SITE names a folder) the same module is
  exported there as an ONNX file, and the page runs that file.

The answer to the first question is computed here in both cases and travels with the widget, so a
true picture stands on the page before anything is loaded.
"""

import os
import re
from functools import cache
from importlib import resources

import anywidget
import numpy as np
import torch
import traitlets
from torch import Tensor

from vec2gpt.widgets.export import publish

FILES = resources.files("vec2gpt.widgets") / "js"
PARTS = ("live", "words", "layout", "controls", "kit")  # what all views share, in js/
SITE = "VEC2GPT_SITE"


@cache
def source(view: str) -> str:
    """The ES module of one view: shared parts, its own and the view in one file, as Jupyter needs it."""
    return "\n".join(map(_code, [*PARTS, *own_parts(view), f"views/{view}"]))


def own_parts(view: str) -> list[str]:
    """The parts in js/ that only some views need: those that a line `// parts: spelling, painting` names."""
    named = re.search("^// parts: (.+)$", _code(f"views/{view}"), re.MULTILINE)
    return named[1].split(", ") if named else []


def _code(part: str) -> str:
    return (FILES / f"{part}.js").read_text(encoding="utf-8")


@cache
def style() -> str:
    """The style sheet of all widgets."""
    return (FILES / "kit.css").read_text(encoding="utf-8")


def views() -> list[str]:
    """The names of all views, in alphabetical order."""
    return sorted(file.name.removesuffix(".js") for file in (FILES / "views").iterdir())


class LiveModel(anywidget.AnyWidget):
    """A torch module that the reader operates.

    view: the name of a file in `js/views/`.
    module: a module whose `forward` takes the tensors of `example` in order and returns a tuple of
        tensors, one for each name in `outputs`; or a dict of such modules ("trained here",
        "long run"), between which the reader chooses; or none, {}, where the view itself answers.
    example: the first question, name → tensor (float32 or int64); without a module, the first answer.
    lengths: name → axes whose length may change, e.g. `{"ids": [1]}`.
    settings: plain data that the view needs (an alphabet, labels, limits).

    >>> LiveModel("softmax", module, {"logits": torch.zeros(1, 3)}, ["probabilities"])
    LiveModel(softmax: logits → probabilities)
    """

    view = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)

    def __init__(self, view, module, example, outputs, *, lengths=None, settings=None):
        self.modules = module if isinstance(module, dict) else {"model": module}
        for one in self.modules.values():
            one.eval()
        site = os.environ.get(SITE)
        # A page loads views and style as files of its own, so that the state in it stays small
        # and an edited view needs no new execution.
        self._esm, self._css = ("export default {}", "") if site else (source(view), style())
        if both := set(example) & set(outputs):
            raise ValueError(f"{', '.join(both)} names an input and an output: give each its own name")
        self._types = {name: value.dtype for name, value in example.items()}
        self._outputs = list(outputs)
        spec = {
            "inputs": {name: _name(dtype) for name, dtype in self._types.items()},
            "outputs": self._outputs,
            "order": list(self.modules),  # a notebook's cache sorts the keys of every object
            "models": {
                name: publish(site, f"{view}-{name}", one, example, outputs, lengths or {}) if site else ""
                for name, one in self.modules.items()
            },
        }
        answer = self.answer(next(iter(self.modules)), example) if self.modules else example
        first = {name: _plain(value) for name, value in answer.items()}
        super().__init__(view=view, spec=spec, settings=settings or {}, first=first)
        self.on_msg(self._heard)

    def answer(self, model: str, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """What `model` says to `inputs`: output name → tensor."""
        with torch.no_grad():
            values = self.modules[model](*(inputs[name] for name in self._types))
        if not isinstance(values, tuple) or len(values) != len(self._outputs):
            raise ValueError(
                f"the module must return a tuple of {len(self._outputs)}: {', '.join(self._outputs)}"
            )
        return dict(zip(self._outputs, values, strict=True))

    def _heard(self, _widget, message: dict, buffers: list) -> None:
        """Answer the view: `ping` with `pong`, a question with its answer or with what went wrong."""
        if message["type"] == "ping":
            self.send({"type": "pong"})
        elif message["type"] == "ask":
            try:
                answer = self.answer(message["model"], self._unpack(message["shapes"], buffers))
            except Exception as error:  # whatever a reader's edited model raises is shown in the widget
                self.send({"type": "error", "n": message["n"], "message": f"{type(error).__name__}: {error}"})
            else:
                self.send(*_pack(message["n"], answer))

    def _unpack(self, shapes: dict[str, list[int]], buffers: list) -> dict[str, Tensor]:
        return {
            name: torch.frombuffer(bytearray(data), dtype=self._types[name]).reshape(shape)
            if len(data)
            else torch.empty(shape, dtype=self._types[name])
            for (name, shape), data in zip(shapes.items(), buffers, strict=True)
        }

    def __repr__(self) -> str:  # anywidget's own holds an address, which differs at every run
        return f"LiveModel({self.view}: {', '.join(self._types)} → {', '.join(self._outputs)})"


def _name(dtype: torch.dtype) -> str:
    if dtype not in (torch.float32, torch.int64):
        raise ValueError(f"a widget's inputs are float32 or int64, not {dtype}: convert the example")
    return str(dtype).removeprefix("torch.")


def _plain(value: Tensor) -> dict:
    """A tensor as JSON: four significant digits are enough for a picture."""
    flat = value.flatten().tolist()
    data = [float(f"{x:.4g}") for x in flat] if value.is_floating_point() else flat
    return {"dims": list(value.shape), "data": data}


def _pack(n: int, answer: dict[str, Tensor]) -> tuple[dict, list[bytes]]:
    """A message and its buffers: float32 and int32, which JavaScript reads without copying."""
    kinds = {name: np.float32 if value.is_floating_point() else np.int32 for name, value in answer.items()}
    content = {
        "type": "answer",
        "n": n,
        "outputs": {
            name: {"dtype": kinds[name].__name__, "dims": list(v.shape)} for name, v in answer.items()
        },
    }
    return content, [np.ascontiguousarray(v.numpy(), kinds[name]).tobytes() for name, v in answer.items()]
