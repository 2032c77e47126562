"""A Sphinx extension that keeps from the pages what they would load and never use.

The theme and its companions are made for every book. To each page of this one they would send 0.54 MB of
icons (icons.css draws the few that are shown), the search's whole index for results while one types (which
is switched off), tabs, cards and toggles that no chapter has, and MathJax where there is no formula.
"""

import re

from docutils import nodes

UNUSED = ("fontawesome", "searchtools", "language_data", "searchindex", "design", "togglebutton", "thebe")
MATHS = ("mathjax",)
CODE = {  # settings that stand in the page itself: how they begin
    "togglebutton": re.compile(r"(let|var) toggle(HintShow|HintHide|OpenOnPrint|buttonSelector)\b"),
    "mathjax": re.compile(r"window\.MathJax\b"),
}
TAG = re.compile(r'<script[^>]*\ssrc="[^"]*"[^>]*></script>|<link\s[^>]*href="[^"]*"[^>]*>')


def lean(html: str) -> str:
    """A piece of a page's head without the scripts and links to what is unused."""
    return TAG.sub(lambda tag: "" if any(name in tag[0] for name in UNUSED) else tag[0], html)


def unload(app, pagename, templatename, context, doctree) -> None:
    """Drop from a page's own list of files what no page uses, or this one does not."""
    unused = UNUSED if doctree is not None and _has_formulas(doctree) else UNUSED + MATHS
    for kind in ("script_files", "css_files"):
        context[kind][:] = [one for one in context[kind] if not any(_is_of(name, one) for name in unused)]
    context["lean"] = lean


def _has_formulas(doctree) -> bool:
    return any(any(doctree.findall(kind)) for kind in (nodes.math, nodes.math_block))


def _is_of(name: str, asset) -> bool:
    """Whether a file is called so, or code in the page begins as that one's settings do."""
    code = asset.attributes.get("body", "")
    return name in str(asset.filename) or (name in CODE and CODE[name].match(code) is not None)


def without_thebe(app) -> None:
    """Jupyter Book loads sphinx-thebe whether wanted or not; its script fails on every page."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("builder-inited", without_thebe, priority=0)
    app.connect("html-page-context", unload, priority=900)  # after all who add something
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
