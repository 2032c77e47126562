"""A Sphinx extension that dresses plain Markdown for the page.

Chapters are read in three places: the book, Colab and GitHub. The last two know no MyST, so the
chapters use plain Markdown only, and what looks plain there is dressed here:

* a block quote that begins with a bold label (`> **Predict first.** …`) becomes a callout;
* a link into the bibliography (`[Elman (1990)](bibliography.md#elman1990)`) becomes a citation;
* a chapter gets a line under its title: how long it takes to read, and where to report an error.

It also keeps from the pages what would ask another host (thebe) or do nothing here.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

CALLOUTS = {
    "Predict first.": "predict",
    "Often said.": "folklore",
    "Why it matters.": "why",
    "Definition.": "definition",
    "Note.": "note",
    "Warning.": "warning",
}
CITATION = re.compile(r"\[[^\[\]\n]+\]\(bibliography\.md#([\w:-]+)\)")
WORDS_A_MINUTE = 200
WORKBENCH = "book/workbench"  # the widgets' own test page, on purpose outside the table of contents


class Callouts(SphinxPostTransform):
    """Block quotes with a known bold label become callouts; the label stays, as its title."""

    default_priority = 400

    def run(self, **_) -> None:
        for quote in list(self.document.findall(nodes.block_quote)):
            label = next(iter(quote.findall(nodes.strong)), None)
            kind = CALLOUTS.get(label.astext()) if label else None
            if kind and quote.astext().startswith(label.astext()):
                box = nodes.container("", *quote.children, classes=["callout", f"callout-{kind}"])
                quote.replace_self(box)


def cite(_app, _docname: str, source: list[str]) -> None:
    """Turn links into the bibliography into citations, before MyST reads the text."""
    source[0] = CITATION.sub(r"{cite:t}`\1`", source[0])


class Facts(SphinxPostTransform):
    """The line under a chapter's title."""

    default_priority = 401

    def run(self, **_) -> None:
        chapter = re.match(r"book/\d\d_", self.env.docname)
        title = next(iter(self.document.findall(nodes.title)), None)
        if not chapter or title is None:
            return
        prose = sum(len(text.astext().split()) for text in self.document.findall(nodes.paragraph))
        minutes = max(5, 5 * round(prose / WORDS_A_MINUTE / 5))
        line = nodes.paragraph("", f"About {minutes} minutes to read. ", classes=["facts"])
        issues = f"{self.config.html_theme_options['repository_url']}/issues/new"
        line += nodes.reference("", "Report an error", refuri=issues)
        title.parent.insert(title.parent.index(title) + 1, line)


def quieten(app, config) -> None:
    """Settings of the theme that Jupyter Book's own file has no word for."""
    config.html_context["default_mode"] = "auto"  # light or dark as the reader's system is
    config.html_theme_options["navbar_persistent"] = []  # one search box is enough


def without_thebe(app) -> None:
    """Jupyter Book loads sphinx-thebe whether wanted or not; its script fails on every page."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]
    for files in (app.registry.css_files, app.registry.js_files):
        files[:] = [one for one in files if "thebe" not in str(one[0])]


def apart(app, doctree) -> None:
    """The workbench is built, but neither listed nor found by the search."""
    if app.env.docname == WORKBENCH:
        app.env.metadata[WORKBENCH].update(orphan="", nosearch="")


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", quieten)
    app.connect("builder-inited", without_thebe, priority=0)
    app.connect("source-read", cite)
    app.connect("doctree-read", apart, priority=900)  # after Sphinx has collected the page's own metadata
    app.add_post_transform(Callouts)
    app.add_post_transform(Facts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
