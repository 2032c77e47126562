"""What every chapter keeps to, whatever it teaches. A rule is a function: notebook → what is wrong with it.

Each rule is proved as well: a small chapter, written to a file, passes them all; spoil one thing and the rule
that guards it objects.
"""

import ast
import importlib.util
import re

import nbformat
import pytest
from chapters import CHAPTERS, blocks, code_cells, plain_python, prose, words
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbval.plugin import find_comment_markers, find_metadata_tags
from pybtex.database import Entry, parse_file, parse_string

from tasks import notebooks
from tasks.colab import address
from tasks.places import BOOK

PAGES = sorted(BOOK.glob("*.md"))
LAST_SECTIONS = ["What it still cannot do", "Exercises", "Quiz", "Sources"]
IGNORED_SHARE = 0.3  # of the code cells: as many may print what nbval does not compare
OUTPUT_LINES = 40

_spec = importlib.util.spec_from_file_location("dress", BOOK / "site" / "dress.py")
dress = importlib.util.module_from_spec(_spec)  # what the page does with plain Markdown
_spec.loader.exec_module(dress)


# ---- the rules -------------------------------------------------------------------------------------------


def first_cell(nb):
    if not code_cells(nb) or code_cells(nb)[0].source != BOOTSTRAP:
        return [f"the first code cell is not the one of {CHAPTERS[0].name}"]
    return []


def addresses(nb):
    """What is installed or cloned comes from where _config.yml says."""
    return wrong_addresses("\n".join(cell.source for cell in nb.cells))


def wrong_addresses(text):
    named = re.findall(r"(?:git\+|git clone )([^\s\"'`]+)", text)
    return [f"{url} is not the address in _config.yml, {address()}" for url in named if url != address()]


def raw_myst(nb):
    """Colab and GitHub would show it as it stands."""
    pattern = r"\{[a-zA-Z][\w:.-]*\}`|^[ >]*(?:```|~~~)\{|^[ >]*:::|^\([\w-]+\)=$"
    return [f"{match[0]!r} is MyST" for match in re.finditer(pattern, prose(nb), re.MULTILINE)]


def ignored_outputs(nb):
    """Where an output is not compared, that cell, or the next one with code, ends in an assertion."""
    cells = code_cells(nb)
    ignored = [n for n, cell in enumerate(cells) if is_ignored(cell)]
    found = [
        f"cell {cells[n].id} is not compared, and no assertion stands at its end or that of the next one"
        for n in ignored
        if not any(ends_in_assertion(cell.source) for cell in cells[n : n + 2])
    ]
    if len(ignored) > IGNORED_SHARE * len(cells):
        found.append(f"{len(ignored)} of {len(cells)} cells are not compared; {IGNORED_SHARE:.0%} may be")
    return found


def is_ignored(cell):
    marks = {**dict(find_comment_markers(cell.source)), **dict(find_metadata_tags(cell.metadata))}
    return "skip" in marks or marks.get("check") is False


def ends_in_assertion(source):
    body = ast.parse(plain_python(source)).body
    return bool(body) and isinstance(body[-1], ast.Assert)


def citations(nb):
    text = prose(nb)
    cited = [(match[0], match[1]) for match in dress.CITATION.finditer(text)]
    found = [problem for link, key in cited for problem in citation_problems(link, key)]
    if len(cited) != text.count("bibliography.md#"):
        found.append("a link into the bibliography is not of the form [Name (year)](bibliography.md#key)")
    return found


def citation_problems(link, key):
    if key not in BIBLIOGRAPHY:
        return [f"{key} is not in references.bib"]
    entry = BIBLIOGRAPHY[key]
    name = " ".join(entry.persons["author"][0].last_names).strip("{}")
    as_printed = name in link and f"({entry.fields['year']})" in link
    return missing_fields(key, entry) + ([] if as_printed else [f"{link} is not by {name} of that year"])


def missing_fields(key: str, entry: Entry) -> list[str]:
    place = {"article": "journal", "book": "publisher", "phdthesis": "school"}
    place |= dict.fromkeys(["inproceedings", "incollection"], "booktitle")
    wanted = ["title", "year", place.get(entry.type, "howpublished")]
    lacks = [field for field in wanted if not entry.fields.get(field)]
    return [f"{key} in references.bib has no {field}" for field in lacks] + (
        [] if entry.persons.get("author") else [f"{key} in references.bib has no author"]
    )


def links(nb):
    """A relative link leads to a file of the book."""
    inside = [link for link in targets(prose(nb)) if not re.match(r"[a-z]+:", link)]
    return [f"{link} leads nowhere" for link in inside if not (BOOK / link.partition("#")[0]).is_file()]


def targets(text):
    nodes = (node for block in blocks(text) for node in block.walk())
    return [
        node.attrs.get("href") or node.attrs.get("src") for node in nodes if node.type in ("link", "image")
    ]


def headings(nb):
    found = [block for block in blocks(prose(nb)) if block.type == "heading"]
    sections = [words(heading) for heading in found if heading.tag == "h2"]
    problems = []
    if [heading.tag for heading in found].count("h1") != 1 or found[0].tag != "h1":
        problems.append("a chapter begins with its title and has one only")
    if sections[-len(LAST_SECTIONS) :] != LAST_SECTIONS:
        problems.append(f"the last sections are {sections[-len(LAST_SECTIONS) :]}, not {LAST_SECTIONS}")
    return problems


def formulas(nb):
    """A formula ends in the block where it began: a line of it that begins with + or - would begin a list."""
    texts = [node.content for block in blocks(prose(nb)) for node in block.walk() if node.type == "inline"]
    odd = (text for text in texts if re.sub(r"`[^`]*`", "", text).count("$") % 2)
    return [f"a $ has no partner: {text[:60]}" for text in odd]


def callouts(nb):
    """A bold label is one that the page knows; a prediction has choices; there is one at least."""
    problems, predictions = [], 0
    for quote in (block for block in blocks(prose(nb)) if block.type == "blockquote"):
        label = re.match(r"\*\*(.+?)\*\*", words(quote.children[0]))
        if label and label[1] not in dress.CALLOUTS:
            problems.append(f"{label[1]!r} is not among {', '.join(dress.CALLOUTS)}")
        if label and label[1] == "Predict first.":
            predictions += 1
            if [block.type for block in quote.children].count("ordered_list") != 1:
                problems.append("a prediction needs one ordered list of choices")
    return problems + ([] if predictions else ["the reader is asked for no prediction"])


def paths(nb):
    """Nothing that is true on one machine only."""
    pattern = r"(?<![\w.:/])/(?:home|Users|root|tmp|content|mnt|opt|srv|var|usr|work)/\S*|\b[A-Z]:\\\S*"
    texts = [*(cell.source for cell in nb.cells), *(text for _, text in outputs(nb))]
    return [f"{match[0]} is a path of one machine" for text in texts for match in re.finditer(pattern, text)]


def tidy_outputs(nb):
    """Short, and without what went wrong."""
    problems = [
        f"an output has {text.count(chr(10)) + 1} lines; {OUTPUT_LINES} are enough"
        for _, text in outputs(nb)
        if text.strip().count("\n") >= OUTPUT_LINES
    ]
    return problems + [f"{kind} is stored" for kind, _ in outputs(nb) if kind in ("error", "stderr")]


def outputs(nb):
    """(kind, text) of every output: its stream, or the plain words of what is displayed."""
    for cell in code_cells(nb):
        for output in cell.outputs:
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            yield output.get("name", output.output_type), text


RULES = {
    rule.__name__: rule
    for rule in (
        first_cell,
        addresses,
        raw_myst,
        ignored_outputs,
        citations,
        links,
        headings,
        formulas,
        callouts,
        paths,
        tidy_outputs,
    )
} | {"canonical_form": notebooks.problems}

BOOTSTRAP = code_cells(notebooks.load(CHAPTERS[0]))[0].source
BIBLIOGRAPHY = parse_file(str(BOOK / "references.bib")).entries


# ---- the chapters keep to them ---------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter(path, rule):
    assert RULES[rule](notebooks.load(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page(path):
    text = path.read_text(encoding="utf-8")
    page = new_notebook(cells=[new_markdown_cell(text)])
    assert wrong_addresses(text) + links(page) + citations(page) + paths(page) == []


def test_the_bibliography_is_complete():
    assert [problem for key, entry in BIBLIOGRAPHY.items() for problem in missing_fields(key, entry)] == []


# ---- and the rules do object -----------------------------------------------------------------------------

TEXT = """# A chapter

[Shannon (1948)](bibliography.md#shannon1948) counted. So do we; see the [cover](index.md).

> **Predict first.** Which one?
>
> 1. this
> 2. that

## What it still cannot do

## Exercises

## Quiz

**1.** Which one?

1. this
2. that

<details><summary>Answer</summary>

**2.** Because it is.

</details>

## Sources
"""


def chapter():
    measured = new_code_cell("x = 0.1\nprint(x)\nassert x < 1", metadata={"tags": ["nbval-ignore-output"]})
    printed = new_code_cell("print(1)", outputs=[new_output("stream", name="stdout", text="1\n")])
    cells = [new_markdown_cell(TEXT), new_code_cell(BOOTSTRAP), measured, printed, new_code_cell("y = 2")]
    return notebooks.canonical(new_notebook(cells=cells))


def through_a_file(nb, folder):
    nbformat.write(nb, folder / "chapter.ipynb", version=nbformat.NO_CONVERT)
    return notebooks.load(folder / "chapter.ipynb")


def test_a_good_chapter_passes(tmp_path):
    nb = through_a_file(chapter(), tmp_path)
    assert {name: rule(nb) for name, rule in RULES.items()} == {name: [] for name in RULES}


def reword(old, new):
    def spoil(nb):
        assert old in nb.cells[0].source
        nb.cells[0].source = nb.cells[0].source.replace(old, new)

    return spoil


def set_source(cell, source):
    return lambda nb: nb.cells[cell].update(source=source)


def set_output(**stream):
    return lambda nb: nb.cells[3].update(outputs=[new_output(**{"output_type": "stream", **stream})])


SPOILT = [
    ("canonical_form", lambda nb: nb.cells[3].update(execution_count=7)),
    ("first_cell", set_source(1, "import torch")),
    ("addresses", set_source(4, "%pip install git+https://example.org/somebody/vec2gpt")),
    ("addresses", reword("So do we", "`git clone https://example.org/fork`")),
    ("raw_myst", reword("counted", "counted {cite:t}`shannon1948`")),
    ("raw_myst", reword("So do we", "\n```{note}\nSo do we\n```\n")),
    ("raw_myst", reword("So do we", "\n:::{note}\nSo do we\n:::\n")),
    ("raw_myst", reword("## Quiz", "(quiz)=\n## Quiz")),
    ("ignored_outputs", set_source(2, "x = 0.1\nprint(x)")),
    ("ignored_outputs", set_source(3, "# NBVAL_IGNORE_OUTPUT\nassert True")),  # two of four are too many
    ("citations", reword("#shannon1948", "#shannon1984")),
    ("citations", reword("Shannon (1948)", "Shannon (1951)")),
    ("citations", reword("Shannon (1948)", "Markov (1948)")),
    ("citations", reword("Shannon (1948)", "Shannon\n(1948)")),
    ("links", reword("index.md", "intro.md")),
    ("headings", reword("## Sources", "### Sources")),
    ("headings", reword("## Quiz", "## Questions")),
    ("headings", reword("## Exercises", "# Exercises")),
    ("formulas", reword("So do we", "So do $1\n+ x$ of us")),
    ("callouts", reword("Predict first.", "Predict.")),
    ("callouts", reword("> 1. this\n> 2. that", "> this or that")),
    ("paths", set_output(name="stdout", text="saved as /home/me/a.txt")),
    ("paths", set_source(4, r"open('C:\\Users\\me')")),
    ("tidy_outputs", set_output(name="stdout", text="1\n" * (OUTPUT_LINES + 1))),
    ("tidy_outputs", set_output(name="stderr", text="warning: no")),
    ("tidy_outputs", set_output(output_type="error", ename="E", evalue="e", traceback=[])),
]


@pytest.mark.parametrize(("rule", "spoil"), SPOILT, ids=[f"{name}-{n}" for n, (name, _) in enumerate(SPOILT)])
def test_a_spoilt_chapter_does_not(tmp_path, rule, spoil):
    nb = chapter()
    spoil(nb)
    assert RULES[rule](through_a_file(nb, tmp_path))


def test_every_rule_is_proved():
    assert {name for name, _ in SPOILT} == set(RULES)


def test_an_incomplete_entry_is_seen():
    (entry,) = parse_string(
        "@article{a, title = {On}, author = {A, B}, year = {1}}", "bibtex"
    ).entries.values()
    assert missing_fields("a", entry) == ["a in references.bib has no journal"]
