"""A Sphinx extension that dresses plain Markdown for the page.

Chapters are read in three places: the book, Colab and GitHub. The last two know no MyST, so the
chapters use plain Markdown only, and what looks plain there is dressed here:

* a block quote that begins with a bold label (`> **Predict first.** …`) becomes a callout;
* a link into the bibliography (`[Elman (1990)](bibliography.md#elman1990)`) becomes a citation;
* a chapter gets a line under its title: how long it takes to read, what it costs to run, and
  where to report an error;
* a section whose title begins with "Further:" goes beyond the core, and is folded;
* on the notation page the name of a concept gets its colour beside it;
* in the glossary the Chinese terms are marked as Chinese, for the letters and for the voice that reads them.

What the cover gets is in story.py; what the pages do not load, in lean.py.
"""

import html
import json
import re
from pathlib import Path

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
NOTATION, GLOSSARY = "book/notation", "book/glossary"
SAME = {"encoder": "key", "decoder": "query"}  # keys come from the encoder, queries from the decoder
MAPS = {
    "weight": "#fff, var(--concept-weight)",
    "signed": "var(--concept-minus), #fff, var(--concept-plus)",
}
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


def is_further(section: nodes.Element) -> bool:
    return isinstance(section, nodes.section) and section[0].astext().startswith("Further: ")


def is_core(node: nodes.Node) -> bool:
    """Whether a node stands outside all sections that go further, however deep in lists and quotes."""
    while node.parent:
        node = node.parent
        if is_further(node):
            return False
    return True


class Further(SphinxPostTransform):
    """What goes beyond the core stands folded under its title."""

    default_priority = 402

    def run(self, **_) -> None:
        for section in filter(is_further, list(self.document.findall(nodes.section))):
            opening = '<details class="further"><summary>Beyond the core: read on</summary>'
            section.insert(1, nodes.raw("", opening, format="html"))
            section.append(nodes.raw("", "</details>", format="html"))


class Facts(SphinxPostTransform):
    """The line under a chapter's title."""

    default_priority = 401

    def run(self, **_) -> None:
        chapter = re.match(r"book/\d\d_", self.env.docname)
        title = next(iter(self.document.findall(nodes.title)), None)
        if not chapter or title is None:
            return
        core = filter(is_core, self.document.findall(nodes.paragraph))
        prose = sum(len(text.astext().split()) for text in core)
        minutes = max(5, 5 * round(prose / WORDS_A_MINUTE / 5))
        notebook = json.loads(Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8"))
        line = nodes.paragraph("", facts(minutes, notebook["metadata"].get("measured")), classes=["facts"])
        issues = f"{self.config.html_theme_options['repository_url']}/issues/new"
        line += nodes.reference("", "Report an error", refuri=issues)
        title.parent.insert(title.parent.index(title) + 1, line)


def facts(minutes: int, cost: dict | None) -> str:
    """Sentences on how long a chapter takes, and what running it costs (tasks/notebooks.py measures that).

    >>> facts(20, {"seconds": 30, "gigabytes": 0.8, "megabytes": 6})
    'About 20 minutes to read. To run: 30 seconds, 0.8 GB of memory, 6 MB to download. '
    """
    read = f"About {minutes} minutes to read. "
    if not cost:
        return read
    download = f", {cost['megabytes']} MB to download" if cost["megabytes"] else ""
    return f"{read}To run: {cost['seconds']} seconds, {cost['gigabytes']} GB of memory{download}. "


class Swatches(SphinxPostTransform):
    """On the notation page, tables that begin with *concept* show each concept's colour beside its name.

    The colours are those of the widgets' kit.css, by the name's first word: "forget gate" is --forget.
    """

    default_priority = 403

    def run(self, **_) -> None:
        if self.env.docname != NOTATION:
            return
        for table in self.document.findall(nodes.table):
            names = [next(iter(row.findall(nodes.paragraph))) for row in table.findall(nodes.row)]
            if names[0].astext() == "concept":
                for name in names[1:]:
                    name.insert(0, nodes.raw("", swatch(name.astext()), format="html"))


def swatch(name: str) -> str:
    """A patch of a concept's colour; of a map, a strip."""
    if name in MAPS:
        return f'<span class="swatch wide" style="background: linear-gradient(90deg, {MAPS[name]})"></span>'
    colour = name.split()[0]
    return f'<span class="swatch" style="background: var(--concept-{SAME.get(colour, colour)})"></span>'


class Glossary(SphinxPostTransform):
    """The entries of the glossary: what is bold in them is Chinese."""

    default_priority = 403

    def run(self, **_) -> None:
        if self.env.docname != GLOSSARY:
            return
        next(iter(self.document.findall(nodes.section)))["classes"].append("terms")
        for term in list(self.document.findall(nodes.strong)):
            chinese = html.escape(term.astext())
            term.replace_self(nodes.raw("", f'<b lang="zh-Hans">{chinese}</b>', format="html"))


def quieten(app, config) -> None:
    """Settings of the theme that Jupyter Book's own file has no word for."""
    config.html_context["default_mode"] = "auto"  # light or dark as the reader's system is
    config.html_theme_options["navbar_persistent"] = []  # one search box is enough


def apart(app, doctree) -> None:
    """The workbench is built, but neither listed nor found by the search."""
    if app.env.docname == WORKBENCH:
        app.env.metadata[WORKBENCH].update(orphan="", nosearch="")


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", quieten)
    app.connect("source-read", cite)
    app.connect("doctree-read", apart, priority=900)  # after Sphinx has collected the page's own metadata
    app.add_post_transform(Callouts)
    app.add_post_transform(Facts)
    app.add_post_transform(Further)
    app.add_post_transform(Swatches)
    app.add_post_transform(Glossary)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
