"""The pages that are no chapters: the cover's story, the notation, the glossary, and what dresses them."""

import importlib.util
import re
from types import SimpleNamespace

import pytest
from chapters import CHAPTERS, blocks, words
from docutils import nodes
from docutils.core import publish_doctree
from myst_parser.parsers.docutils_ import Parser

from tasks.places import BOOK
from vec2gpt.plotting import COLOURS

LAST_CHAPTER = 14


def part(name):
    """A module of book/site, which the build finds by its folder."""
    spec = importlib.util.spec_from_file_location(name, BOOK / "site" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


dress, lean, story = part("dress"), part("lean"), part("story")


def parsed(text):
    """Markdown as the build reads it, more or less."""
    settings = {"doctitle_xform": False, "report_level": 5, "myst_enable_extensions": ["dollarmath"]}
    return publish_doctree(text, parser=Parser(), settings_overrides=settings)


def page(name):
    return (BOOK / f"{name}.md").read_text(encoding="utf-8")


def rows(text):
    """The first column of every table, heading included."""
    tables = (block for block in blocks(text) if block.type == "table")
    return [
        [row.children[0].children[0].content for row in table.walk() if row.type == "tr"] for table in tables
    ]


# ---- the cover -------------------------------------------------------------------------------------------

ENTRY = re.compile(r"\*\*(.+?)\*\* \([\d–]+\)\. .+ \*(Chapters? \d+(?:, \d+)*)\*")


def entries():
    (listed,) = [block for block in blocks(page("index")) if block.type == "ordered_list"]
    return [words(item.children[0]) for item in listed.children]


def test_the_story_has_eight_entries_of_one_form_in_the_order_of_their_years():
    assert len(entries()) == 8
    assert [entry for entry in entries() if not ENTRY.fullmatch(entry)] == []
    years = [int(re.search(r"\((\d{4})", entry)[1]) for entry in entries()]
    assert years == sorted(years)


def test_each_entry_has_its_drawing_and_no_drawing_is_left_over():
    drawn = [story.drawing(ENTRY.fullmatch(entry)[1]) for entry in entries()]
    assert len(set(drawn)) == len(list(story.PANELS.glob("*.svg"))) == 8
    assert all(svg.startswith('<svg aria-hidden="true" ') for svg in drawn)


def test_the_story_names_chapters_that_the_book_is_to_have():
    named = [int(n) for entry in entries() for n in re.findall(r"\d+", ENTRY.fullmatch(entry)[2])]
    assert all(1 <= n <= LAST_CHAPTER for n in named)


def test_the_cover_lists_every_chapter_that_there_is_once_and_in_order():
    there = re.findall(r"^- \[.+?\]\((\d+\w+\.ipynb)\)", page("index"), flags=re.MULTILINE)
    assert there == [chapter.name for chapter in CHAPTERS]


def panels(text):
    """The entries of a story, made panels as the build does where no chapter stands yet."""
    document = parsed(text)
    for named in list(document.findall(nodes.emphasis)):
        if story.NAMED.fullmatch(named.astext()):
            named.replace_self(story.Chapters.line(None, named.astext(), {}))
    listed = next(iter(document.findall(nodes.enumerated_list)))
    for entry in listed:
        story.panel(entry)
    return listed


def test_every_entry_of_the_story_becomes_a_panel():
    made = panels(page("index"))
    assert [entry[2].astext() for entry in made] == [ENTRY.fullmatch(entry)[1] for entry in entries()]
    assert all(entry[-1].astext().endswith(" · in writing") for entry in made)


@pytest.mark.parametrize(
    "entry",
    [
        "**Word vectors**",
        "Word vectors (1990). It solved much. *Chapter 1*",
        "**Word vectors** in 1990. It solved much. *Chapter 1*",
        "**Word vectors** (1990). It solved much.",
        "**Word vectors** (1990). It solved much. *Chapter 1*\n\n   And more.",
    ],
)
def test_an_entry_of_another_form_is_named_with_the_form(entry):
    with pytest.raises(ValueError, match=r"entry 'Word vectors.*of the form \*\*Name\*\* \(1990–2013\)"):
        panels(f"1. {entry}\n")


# ---- the notation ----------------------------------------------------------------------------------------


def test_the_axes_are_the_alphabet():
    assert [letter.strip("$") for letter in rows(page("notation"))[0][1:]] == list("BTSDHKV")


def test_every_colour_of_the_figures_is_on_the_page_and_no_other():
    concepts, maps = [table[1:] for table in rows(page("notation")) if table[0] == "concept"]
    assert sorted(name.split()[0] for name in concepts) == sorted(COLOURS)
    assert maps == list(dress.MAPS)


def test_what_shares_a_colour_on_the_page_shares_it_in_the_figures():
    assert dress.SAME.keys() == {"encoder", "decoder"}
    assert all(COLOURS[name] == COLOURS[other] for name, other in dress.SAME.items())
    assert "var(--concept-key)" in dress.swatch("encoder")
    assert "var(--concept-forget)" in dress.swatch("forget gate")


# ---- the glossary ----------------------------------------------------------------------------------------

TERM = re.compile(r"\*\*[^*]*[一-鿿][^*]*\*\* · [A-Z].+\. \*Chapter (\d+)\*")


def problems(text):
    """What is wrong with a glossary: terms under their letters, in order, one paragraph of one form each."""
    _, _, *parts = blocks(text)
    found, terms, letter = [], [], ""
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if part.type == "heading" and part.tag == "h2":
            letter = words(part)
        elif part.type == "heading":
            terms.append(words(part))
            found += [] if terms[-1][0].upper() == letter else [f"{terms[-1]} stands under {letter}"]
            found += entry_problems(terms[-1], words(after) if after else "")
    found += (
        [] if terms == sorted(set(terms), key=str.casefold) else ["the terms are not in order, once each"]
    )
    return found + ([f"{len(parts)} blocks"] if len(parts) != 2 * len(terms) + letters(text) else [])


def entry_problems(term, said):
    match = TERM.fullmatch(said)
    if not match:
        return [f"{term}: not of the form **中文** · Sentence. *Chapter 1*"]
    return [] if int(match[1]) <= LAST_CHAPTER else [f"{term}: there is no chapter {match[1]}"]


def letters(text):
    return len(re.findall(r"^## ", text, re.MULTILINE))


def test_the_glossary_is_in_order_and_of_one_form():
    assert problems(page("glossary")) == []
    assert page("glossary").count("\n### ") >= 60


GOOD = """# Glossary

Terms.

## A

### Analogy

**类比** · A question. *Chapter 1*

### Attention

**注意力机制** · An average. *Chapter 6*

## B

### Batch

**批量** · Some examples. *Chapter 0*
"""


def test_a_good_glossary_passes():
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("### Analogy", "### Zebra", "stands under A"),
        ("### Analogy", "### Auto", "not in order"),
        ("### Attention", "### Analogy", "not in order"),
        ("## B\n", "## C\n", "stands under C"),
        ("**类比**", "**analogy**", "form"),
        ("A question.", "A question", "form"),
        ("*Chapter 1*", "", "form"),
        ("*Chapter 6*", "*Chapter 60*", "no chapter 60"),
        ("**类比** · A question. *Chapter 1*\n", "", "form"),
        ("*Chapter 0*\n", "*Chapter 0*\n\nMore.\n", "blocks"),
    ],
)
def test_a_spoilt_glossary_does_not(old, new, complaint):
    assert old in GOOD
    assert any(complaint in problem for problem in problems(GOOD.replace(old, new)))


# ---- the line under a chapter's title --------------------------------------------------------------------


def test_the_facts_say_what_was_measured_and_only_that():
    cost = {"seconds": 30, "gigabytes": 0.8, "megabytes": 6}
    line = "About 20 minutes to read. To run: 30 seconds, 0.8 GB of memory, 6 MB to download. "
    assert dress.facts(20, cost) == line
    assert dress.facts(20, cost | {"megabytes": 0}) == line.replace(", 6 MB to download", "")
    assert dress.facts(20, None) == "About 20 minutes to read. "


READ = """# A chapter

Three words here.

> Two words.

## Further: more

Beyond.

- A list
- of things

> **Note.** A quote.

### Deeper

> - A list in a quote.

## Again

Five.
"""


def test_reading_time_leaves_out_all_that_goes_further_lists_and_quotes_included():
    paragraphs = parsed(READ).findall(nodes.paragraph)
    assert [text.astext() for text in paragraphs if dress.is_core(text)] == [
        "Three words here.",
        "Two words.",
        "Five.",
    ]


def test_a_term_that_looks_like_html_stays_text(monkeypatch):
    document = parsed("# Glossary\n\n**<类&比>** · A question.\n")
    monkeypatch.setattr(dress.Glossary, "env", SimpleNamespace(docname=dress.GLOSSARY))
    dress.Glossary(document).run()
    (term,) = document.findall(nodes.raw)
    assert term.astext() == '<b lang="zh-Hans">&lt;类&amp;比&gt;</b>'


# ---- what is not loaded ----------------------------------------------------------------------------------

HEAD = """<link rel="stylesheet" href="_static/book.css"/>
<script defer src="_static/scripts/fontawesome.js?digest=1"></script>
<script src="searchindex.js"></script><script>let kept = 1;</script>"""


def test_a_head_loses_what_is_unused_and_nothing_else():
    assert lean.lean(HEAD).split() == re.sub(r"<script[^>]*src.*?</script>", "", HEAD).split()
    assert "fontawesome" in HEAD and "searchindex" in HEAD


OURS = "document.body.classList.toggle('design'); // thebe, mathjax, MathJax"
STATE = '{"text": "window.MathJax"}'
LISTED = {  # file name, or code in the page → whether a page without formulas loads it
    "togglebutton.js": False,
    "design-tabs.js": False,
    "mathjax/tex-chtml.js": False,
    "page.mjs": True,
    "let toggleHintShow = 'Show';": False,
    "var togglebuttonSelector = '.toggle';": False,
    'window.MathJax = {"options": {}}': False,
    "let toggled = 1;": True,
    OURS: True,
    STATE: True,
}


def listed(*, formulas):
    """What is left of LISTED on a page."""
    files = [
        SimpleNamespace(filename=one, attributes={}) if one.endswith("js") else code(one) for one in LISTED
    ]
    context = {"script_files": files, "css_files": []}
    document = parsed("A formula: $x$.\n" if formulas else "None.\n")
    lean.unload(None, "page", "page.html", context, document)
    return [one.filename or one.attributes["body"] for one in files]


def code(body):
    return SimpleNamespace(filename=None, attributes={"body": body})


def test_files_go_by_their_names_and_code_in_the_page_only_where_it_is_known():
    kept = [one for one, stays in LISTED.items() if stays]
    assert listed(formulas=False) == kept
    assert {one for one in listed(formulas=True)} - set(kept) == {
        "mathjax/tex-chtml.js",
        'window.MathJax = {"options": {}}',
    }
