"""Live widgets: a torch module the reader can operate, in a notebook and in a page without a kernel.

`live.py` is the base (who computes, what is sent), `export.py` turns a module into the ONNX file
that a page runs, and each other file is one widget: a small torch module whose inputs are what the
reader can change, and a function that makes the widget. What it looks like stands in `js/views/`.
"""

from vec2gpt.widgets.live import LiveModel

__all__ = ["LiveModel"]
