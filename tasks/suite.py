"""The tests, step by step: a failed step does not hide the next one, and the end says how each went."""

import time
from collections.abc import Callable

from tasks import site
from tasks.places import BOOK, PYTHON, ROOT
from tasks.setup import node, setup
from tasks.shell import Failed, everything, run
from tasks.system import chromium

PYTEST = [PYTHON, "-m", "pytest"]
OWN = ["--ignore=tests/site"]  # the browser tests need the finished site: they come last
PARALLEL = ["-n", "auto", "--dist", "loadfile"]  # a process for each core; each test has one thread

Steps = dict[str, Callable[[], object]]


def test() -> None:
    """all that must hold: style, units, JavaScript, every chapter's outputs, the site in a browser"""
    setup("test")
    browser = chromium()
    finish(
        {
            "style": style,
            "unit tests": lambda: units("not soak"),
            "JavaScript": javascript,
            "chapters": lambda: chapters("Chapters against their stored outputs"),
            "book": site.build,
            "browser": lambda: pages(browser),
        }
    )


def test_fast() -> None:
    """the same without chapters, site and slow tests: a minute or two"""
    setup("test")
    finish({"style": style, "unit tests": lambda: units("not slow and not soak"), "JavaScript": javascript})


def soak() -> None:
    """what is too long for every day: chapters three times with one and two threads, long tests"""
    setup("test")
    browser = chromium()
    runs = {
        f"chapters {n} ({threads} thread{'s'[: threads - 1]})": lambda n=n, threads=threads: chapters(
            f"Chapters, run {n}", OMP_NUM_THREADS=str(threads)
        )
        for n, threads in enumerate((1, 2, 2), start=1)
    }
    finish(runs | {"book": site.build, "long tests": lambda: long(browser)})


def finish(steps: Steps) -> None:
    """Run every step, then say how each went. Raises Failed when one did not pass."""
    results = {name: attempt(step) for name, step in steps.items()}
    print("\nSummary")
    for name, (passed, seconds) in results.items():
        print(f"  {'✓' if passed else '✗'} {name:24} {seconds:5.0f} s")
    bad = [name for name, (passed, _) in results.items() if not passed]
    print(f"steps: {len(steps) - len(bad)} passed, {len(bad)} failed", flush=True)
    if bad:
        fix = "what each said stands above, whole in .cache/logs"
        raise Failed(f"{len(bad)} of {len(steps)} steps", why=", ".join(bad), fix=fix)


def attempt(step: Callable[[], object]) -> tuple[bool, float]:
    """Whether a step passed, and its seconds; what went wrong is said at once."""
    started = time.monotonic()
    try:
        step()
    except Failed as failure:
        print(failure.report(), flush=True)
        return False, time.monotonic() - started
    return True, time.monotonic() - started


def style() -> None:
    ruff, mend = [PYTHON, "-m", "ruff"], ".venv/bin/python -m ruff"
    run("Style (ruff check)", [*ruff, "check", "."], fix=f"{mend} check --fix . mends most of it")
    run("Layout (ruff format)", [*ruff, "format", "--check", "."], fix=f"{mend} format . mends it")


def units(marks: str) -> None:
    command = [*PYTEST, "tests", *OWN, *PARALLEL, "-m", marks]
    run(f"Unit tests ({marks})", command, about="1 to 20 min", show=everything)


def long(browser: str) -> None:
    """In tests/site too; pytest fails by itself where no test at all carries the mark."""
    command = [*PYTEST, "tests", "-m", "soak"]
    run("Long tests (soak)", command, about="10 min", show=everything, CHROMIUM=browser)


def javascript() -> None:
    files = sorted((ROOT / "tests" / "js").glob("*.test.mjs"))
    if not files:
        raise Failed("JavaScript tests", why="tests/js holds no *.test.mjs", fix="a view has its test there")
    run("JavaScript tests", [node(), "--test", "--test-reporter=spec", *files], about="5 s", show=everything)


def chapters(title: str, **variables: str) -> None:
    """Run every notebook from a fresh kernel and compare what it prints with what it holds."""
    files = sorted(BOOK.glob("*.ipynb"))
    if not files:
        raise Failed(title, why="book/ holds no notebook", fix="write one")
    fix = "if the new output is right: make notebooks, and review what git diff shows"
    run(
        title,
        [*PYTEST, "-p", "tasks.counted", "--nbval", *files],
        about="10 min",
        show=everything,
        fix=fix,
        **variables,
    )


def pages(browser: str) -> None:
    title = "The site in a browser, all other hosts blocked"
    command = [*PYTEST, "tests/site", "-m", "not soak"]
    run(title, command, about="10 to 20 min", show=everything, CHROMIUM=browser)
