"""A Sphinx extension for what the book says about itself: its chapters, and its story on the cover.

A chapter that is named in italics, *Chapter 3*, becomes a link as soon as the table of contents holds it:
nobody keeps that state by hand. In index.md the story is a plain list, as GitHub shows it:

    2. **Word vectors** (1990–2013). What it solved, in a sentence or two. *Chapter 1*

On the page each entry is a panel with the drawing panels/word-vectors.svg; where no chapter of an entry
stands yet, the panel says so.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

COVER = "book/index"
PANELS = Path(__file__).parent / "panels"
NAMED = re.compile(r"Chapters? \d+(?:, \d+)*")
YEAR = re.compile(r"\s*\(([\d–]+)\)\.\s*")
FORM = "**Name** (1990–2013). What it solved. *Chapter 1*"


def chapters(env) -> dict[int, str]:
    """The chapters that stand in the table of contents: number → document."""
    listed = [name for names in env.toctree_includes.values() for name in names]
    return {int(found[1]): name for name in listed if (found := re.fullmatch(r"book/(\d\d)_\w+", name))}


class Chapters(SphinxPostTransform):
    """On every page, *Chapter 3* or *Chapters 10, 12* in italics: those that stand become links."""

    default_priority = 402

    def run(self, **_) -> None:
        there = chapters(self.env)
        for named in list(self.document.findall(nodes.emphasis)):
            if NAMED.fullmatch(named.astext()):
                named.replace_self(self.line(named.astext(), there))

    def line(self, text: str, there: dict[int, str]) -> nodes.inline:
        """The same words, with links in them."""
        line = nodes.inline(classes=["chapters"])
        for piece in re.split(r"((?:Chapters? )?\d+)", text):
            number = int(piece.split()[-1]) if piece.strip(", ") else None
            line += self.link(piece, there[number]) if number in there else nodes.Text(piece)
        return line

    def link(self, piece: str, document: str) -> nodes.reference:
        """A chapter's number, which leads there and says its title when pointed at."""
        uri = self.app.builder.get_relative_uri(self.env.docname, document)
        title = self.env.titles[document].astext()
        return nodes.reference("", piece, refuri=uri, internal=True, reftitle=title)


class Cover(SphinxPostTransform):
    """The opening and the story of the start page."""

    default_priority = 403

    def run(self, **_) -> None:
        if self.env.docname != COVER:
            return
        first = next(iter(self.document.findall(nodes.section)))
        first["classes"].append("cover")
        for paragraph in first.findall(lambda node: isinstance(node, nodes.paragraph) and _is_link(node)):
            paragraph["classes"].append("start")
        story = next(iter(self.document.findall(nodes.enumerated_list)))
        story["classes"] = ["panels"]
        for entry in story:
            panel(entry)


def panel(entry: nodes.list_item) -> None:
    """Drawing, year, name, what it solved, chapters: from the one paragraph that an entry is."""
    name, years, *said, numbers = parts(entry)
    if not any(numbers.findall(nodes.reference)):
        numbers += nodes.Text(" · in writing")
    entry.children = []
    entry += nodes.raw("", drawing(name.astext()), format="html")
    entry += nodes.inline("", YEAR.match(years.astext())[1], classes=["year"])
    entry += name
    entry += nodes.paragraph("", "", nodes.Text(YEAR.sub("", years.astext())), *said)
    entry += nodes.paragraph("", "", numbers)


def parts(entry: nodes.list_item) -> list[nodes.Node]:
    """Name, years and what it solved, more of that, chapters; ValueError for an entry of another form."""
    match entry.children:
        case [nodes.paragraph() as line]:
            found = [part for part in line.children if part.astext()]  # MyST leaves an empty one in front
            match found:
                case [nodes.strong(), nodes.Text() as years, *_, nodes.inline()] if YEAR.match(years):
                    return found
    raise ValueError(f"the story's entry {entry.astext()!r} is not of the form {FORM}")


def drawing(name: str) -> str:
    """The drawing of a panel as part of the page, where it takes the page's ink and colours."""
    slug = re.sub(r"\W+", "-", name.lower())
    svg = (PANELS / f"{slug}.svg").read_text(encoding="utf-8")
    return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _is_link(paragraph: nodes.paragraph) -> bool:
    return len(paragraph) == 1 and isinstance(paragraph[0], nodes.reference)


def alone(app, doctree) -> None:
    """The cover has no contents of its own beside it: the widget takes the room."""
    if app.env.docname == COVER:
        app.env.metadata[COVER]["html_theme.sidebar_secondary.remove"] = True


def no_rocket(app, pagename, templatename, context, doctree) -> None:
    """The cover is no notebook that Colab could open, though it has a cell."""
    if pagename == COVER:
        buttons = context.get("header_buttons", [])
        buttons[:] = [button for button in buttons if button.get("label") != "launch-buttons"]


def setup(app) -> dict:
    """Called by Sphinx."""
    app.add_post_transform(Chapters)
    app.add_post_transform(Cover)
    app.connect("doctree-read", alone, priority=900)
    app.connect("html-page-context", no_rocket, priority=600)  # after the theme has made its buttons
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
