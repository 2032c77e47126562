"""`python3 -m tasks NAME [ARGUMENTS]`: the door to every command; the Makefile's targets come here too."""

import inspect
import sys

if sys.version_info < (3, 11):  # noqa: UP036 (a reader may well start this with an older Python)
    sys.exit("vec2gpt needs Python 3.11 or later; this is {}.{}.".format(*sys.version_info[:2]))

from tasks import colab, site, suite
from tasks.clean import clean
from tasks.places import PYTHON
from tasks.setup import setup
from tasks.shell import Failed, everything, run
from tasks.system import chromium


def notebooks(*names: str) -> None:
    """run the chapters and write them back in the form that git keeps; NAMES: only these"""
    setup("book")
    run(
        "Execute and rewrite notebooks",
        [PYTHON, "-m", "tasks.notebooks", *names],
        about="10 min",
        show=everything,
    )


def checkpoints(*names: str) -> None:
    """train again every model that ships with the library; NAMES: only these"""
    setup("book")
    run("Train", [PYTHON, "-m", "vec2gpt.recipes", *(names or ["all"])], about="hours", show=everything)


def bench(*names: str) -> None:
    """measure the library beside its peers, and the widgets on the page; NAMES: only these (page, …)"""
    setup("bench")
    page = {}
    if not names or "page" in names:
        page = {"CHROMIUM": chromium()}
        site.build()
    command = [PYTHON, "-m", "benchmarks", *names]
    run("Benchmarks", command, about="2 min", show=everything, done="measured in", **page)


COMMANDS = {
    "serve": site.serve,
    "book": site.book,
    "test": suite.test,
    "test-fast": suite.test_fast,
    "soak": suite.soak,
    "notebooks": notebooks,
    "checkpoints": checkpoints,
    "bench": bench,
    "colab": colab.colab,
    "setup": setup,
    "clean": clean,
}


def usage() -> str:
    lines = [f"  {name:12} {command.__doc__.splitlines()[0]}" for name, command in COMMANDS.items()]
    return "\n".join(["python3 -m tasks NAME   (or: make NAME)", "", *lines])


def check_arguments(name: str, arguments: list[str]) -> None:
    try:
        inspect.signature(COMMANDS[name]).bind(*arguments)
    except TypeError:
        why = f"it takes no {' '.join(arguments)}"
        raise Failed(name, why=why, fix="python3 -m tasks lists every command with its arguments") from None


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console that lacks a sign shows ? instead of failing
    name, *rest = arguments or ["help"]
    if name not in COMMANDS:
        print(usage())
        return 0 if name in ("help", "--help", "-h") else 2
    try:
        check_arguments(name, rest)
        COMMANDS[name](*rest)
    except Failed as failure:
        print("\n" + failure.report(), flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command continues where this one was.", flush=True)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
