"""The comparison of outputs is strict: what `make test` runs on the chapters fails where it should.

One notebook, in the form that git keeps, holds a cell for each thing that can go wrong, so that one kernel
tells all. The suite's own step runs it.
"""

import xml.etree.ElementTree as ET

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tasks import notebooks, shell, suite
from tasks.shell import Failed

pytestmark = pytest.mark.slow  # each test starts a kernel

PROGRESS = "from vec2gpt.progress import Progress\nProgress('9 steps', 9).close()"
FIGURE = (
    "from vec2gpt.plotting import bars, figure\nwith figure('{}') as ax:\n    bars(ax, ['a', 'b'], [1, 2])"
)


def cell(source, stored="", *tags):
    """A cell and the text it is said to print."""
    outputs = [new_output("stream", name="stdout", text=stored)] if stored else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def showing(source, stored):
    """A cell and the words of what it is said to display."""
    return new_code_cell(source, outputs=[new_output("display_data", data={"text/plain": stored})])


RIGHT = {
    "prints what is stored": cell("print(6 * 7)", "42\n"),
    "prints nothing": cell("x = 1"),
    "its output is not compared": cell("import time\nprint(time.time())", "0\n", "nbval-ignore-output"),
    "a progress line": showing(PROGRESS, "9 steps"),
    "a figure without its picture": showing(FIGURE.format("Two bars."), "Figure: Two bars."),
}
WRONG = {
    "prints another number": cell("print(6 * 7)", "41\n"),
    "prints what is not stored": cell("print(6 * 7)"),
    "prints less than is stored": cell("x = 1", "42\n"),
    "raises": cell("1 / 0"),
    "raises, its output not compared": cell("assert 1 > 2", "", "nbval-ignore-output"),
    "warns": cell("import sys\nprint('no', file=sys.stderr)"),
    "a figure with other words": showing(FIGURE.format("Three bars."), "Figure: Two bars."),
}


@pytest.fixture
def book(tmp_path, monkeypatch):
    """An empty book, and nothing of these runs among the real logs."""
    monkeypatch.setattr(suite, "BOOK", tmp_path)
    monkeypatch.setattr(shell, "LOGS", tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--junitxml={tmp_path / 'report.xml'}")
    return tmp_path


def run(book, cells):
    """The suite's own step, on a book with these cells; raises Failed as it does."""
    nb = notebooks.canonical(new_notebook(cells=list(cells.values())))
    (book / "00_small.ipynb").write_text(notebooks.text(nb), encoding="utf-8")
    suite.chapters("Small chapter")


def failed(book, cells):
    """The names of the cells that failed in the run before."""
    cases = ET.parse(book / "report.xml").iter("testcase")
    return [name for name, case in zip(cells, cases, strict=True) if case.find("failure") is not None]


def test_a_right_notebook_passes(book):
    run(book, RIGHT)
    assert failed(book, RIGHT) == []


def test_every_wrong_cell_fails_and_no_other(book):
    with pytest.raises(Failed, match="Small chapter"):
        run(book, RIGHT | WRONG)
    assert failed(book, RIGHT | WRONG) == list(WRONG)
