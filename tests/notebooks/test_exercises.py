"""Every exercise of every chapter: its check sends the stub back, and lets the folded solution pass.

An exercise is a heading (### Exercise 0.1: …), a cell with a stub, a cell with the check, and, folded away in
the Markdown that follows, the solution. The chapter's own code runs first, as far as its exercises.
"""

import functools
import re
from dataclasses import dataclass

import nbformat
import pytest
from chapters import CHAPTERS, plain_python
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tasks import notebooks
from vec2gpt.notebook import STRICT

HEADING = re.compile(r"^### Exercise ([\d.]+): .+$", re.MULTILINE)
SOLUTION = re.compile(
    r"^<details><summary>Solution</summary>\n\n```python\n(.*?)^```\n.*?^</details>$",
    re.MULTILINE | re.DOTALL,
)
PARTS = re.compile(f"{HEADING.pattern}|{SOLUTION.pattern}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    name: str
    stub: str
    check: str
    solution: str


def parts(nb) -> list[tuple[str, str]]:
    """What a chapter consists of, in order: ("name" | "solution" | "code", text)."""
    found = []
    for cell in nb.cells:
        if cell.cell_type == "code":
            found.append(("code", plain_python(cell.source)))
        for match in PARTS.finditer(cell.source if cell.cell_type == "markdown" else ""):
            found.append(("name", match[1]) if match[1] else ("solution", match[2]))
    return found


def exercises(nb) -> tuple[list[str], list[Exercise]]:
    """(the code before the first exercise, the exercises); ValueError when one is not whole."""
    found = parts(nb)
    kinds = [kind for kind, _ in found]
    start = kinds.index("name") if "name" in kinds else len(kinds)
    form = ["name", "code", "code", "solution"]
    if kinds[start:] != form * (len(kinds[start:]) // 4):
        raise ValueError(f"an exercise has a heading, stub, check and solution, but here is {kinds[start:]}")
    texts = [text for _, text in found]
    rows = [Exercise(*texts[n : n + 4]) for n in range(start, len(texts), 4)]
    return texts[:start], rows


@functools.cache
def namespace(path) -> dict:
    """What the chapter has defined when its exercises begin."""
    names = {}
    for code in exercises(notebooks.load(path))[0]:
        exec(code, names)
    return names


def prove(path, name) -> None:
    """AssertionError when the check of an exercise lets the stub pass, or not the solution."""
    names = dict(namespace(path))
    for exercise in exercises(notebooks.load(path))[1]:
        if exercise.name == name:
            return prove_one(exercise, names)
        exec(exercise.solution, names)  # a later exercise may build on it
    raise KeyError(f"{path.name} has no exercise {name}")


def prove_one(exercise, names) -> None:
    exec(exercise.stub, names)
    with pytest.raises(AssertionError, match=f"Exercise {exercise.name}: not yet: there is nothing to check"):
        exec(exercise.check, names)
    exec(exercise.solution, names)
    exec(exercise.check, names)


# ---- the chapters' exercises -----------------------------------------------------------------------------

EXERCISES = [(path, exercise.name) for path in CHAPTERS for exercise in exercises(notebooks.load(path))[1]]


@pytest.fixture(autouse=True)
def strict(monkeypatch, tmp_path):
    """A check that fails raises; and a chapter depends on no folder."""
    monkeypatch.setenv(STRICT, "strict")
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow  # the chapter runs as far as its exercises
@pytest.mark.parametrize(("path", "name"), EXERCISES, ids=[name for _, name in EXERCISES])
def test_the_stub_fails_and_the_solution_passes(path, name):
    prove(path, name)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_exercises_are_numbered(path):
    names = [exercise.name for exercise in exercises(notebooks.load(path))[1]]
    assert names == [f"{int(path.stem[:2])}.{n}" for n in range(1, len(names) + 1)] != []


# ---- proved on small chapters ----------------------------------------------------------------------------

BEFORE = "from vec2gpt.notebook import exercise\n\ntwo = 2"
STUB = "def double(x):\n    raise NotImplementedError"
CHECK = 'with exercise("7.1"):\n    assert double(3) == 6, "3 should give 6"'
RIGHT = "def double(x):\n    return two * x\n"
WRONG = "def double(x):\n    return x + two\n"


def written(folder, *, stub=STUB, check=CHECK, solution=RIGHT):
    """The path of a chapter with one exercise."""
    folded = f"<details><summary>Solution</summary>\n\n```python\n{solution}```\n\nDone.\n\n</details>"
    cells = [
        new_code_cell(BEFORE),
        new_markdown_cell("## Exercises\n\n### Exercise 7.1: Twice\n\nDouble it."),
        new_code_cell(stub),
        new_code_cell(check),
        new_markdown_cell(folded),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "07_small.ipynb")
    return folder / "07_small.ipynb"


def test_a_good_exercise_passes(tmp_path):
    prove(written(tmp_path), "7.1")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"stub": RIGHT},  # there is nothing to do
        {"stub": "pass"},  # what the check calls is not there
        {"solution": WRONG},
        {"solution": STUB + "\n"},
        {"check": 'with exercise("7.1"):\n    assert two == 2'},  # checks nothing of the reader's
        {"check": 'with exercise("7.2"):\n    assert double(3) == 6'},  # speaks of another exercise
        {"check": "assert True"},
    ],
)
def test_a_spoilt_exercise_does_not(tmp_path, spoilt):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        prove(written(tmp_path, **spoilt), "7.1")


@pytest.mark.parametrize("missing", [2, 3, 4])
def test_an_exercise_that_is_not_whole_is_seen(tmp_path, missing):
    nb = notebooks.load(written(tmp_path))
    del nb.cells[missing]
    with pytest.raises(ValueError, match="heading, stub, check and solution"):
        exercises(nb)
