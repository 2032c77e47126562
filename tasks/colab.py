"""A chapter as Colab runs it: other versions, no vec2gpt until the chapter's own first cell installs it.

The install line reads the repository's public address. Git is told to take this checkout instead, so that
what runs is the commit at hand, with or without a network.
"""

import os
import re
import sys
import tempfile

from tasks.places import BOOK, CACHE, PYTHON, ROOT, VENV
from tasks.shell import Failed, answer, everything, run
from tasks.stamps import digest, once

REQUIREMENTS = ROOT / ".github" / "colab-requirements.txt"
COLAB = CACHE / "colab"
COLAB_PYTHON = COLAB / PYTHON.relative_to(VENV)


def colab(*names: str) -> None:
    """run one chapter (its name or number) with versions like Colab's, its install line included"""
    found = [
        path for path in sorted(BOOK.glob("*.ipynb")) if len(names) == 1 and path.name.startswith(names[0])
    ]
    if len(found) != 1:
        known = ", ".join(path.stem for path in sorted(BOOK.glob("*.ipynb")))
        raise Failed(
            f"colab {' '.join(names)}", why="that names not exactly one chapter", fix=f"one of: {known}"
        )
    make_environment()
    run(
        "Make sure that vec2gpt is not there yet",
        [COLAB_PYTHON, "-m", "pip", "uninstall", "-y", "vec2gpt"],
        about="1 s",
    )
    run_chapter(found[0])
    if answer([COLAB_PYTHON, "-c", "import vec2gpt"]) is None:
        raise Failed(
            f"Run {found[0].stem}", why="its first cell did not install vec2gpt", fix="mend the install line"
        )


def make_environment() -> None:
    once(COLAB / "stamp", digest(sys.version, REQUIREMENTS), _create_environment)


def _create_environment() -> None:
    run("Make a Colab-like environment", [sys.executable, "-m", "venv", "--clear", COLAB], about="10 s")
    run(
        "Install versions like Colab's",
        [COLAB_PYTHON, "-m", "pip", "install", "-r", REQUIREMENTS],
        about="3 min",
    )


def run_chapter(notebook) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [COLAB_PYTHON, ROOT / "tasks" / "chapter.py", notebook, folder]
        run(f"Run {notebook.stem} as in Colab", command, about="2 min", show=everything, **this_checkout())


def this_checkout() -> dict[str, str]:
    """Variables that make git read this repository where the public address is written."""
    rules = [address() + ending for ending in ("", ".git")]
    count = int(os.environ.get("GIT_CONFIG_COUNT", 0))
    variables = {"GIT_CONFIG_COUNT": str(count + len(rules))}
    for n, rule in enumerate(rules, start=count):
        variables |= {f"GIT_CONFIG_KEY_{n}": f"url.{ROOT.as_uri()}.insteadOf", f"GIT_CONFIG_VALUE_{n}": rule}
    return variables


def address() -> str:
    """The repository's public address, as `_config.yml` has it."""
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    if found := re.search(
        r"^repository:\s*\n(?:[ \t]+.*\n)*?[ \t]+url:\s*[\"']?([^\s\"']+)", config, re.MULTILINE
    ):
        return found[1].rstrip("/")
    raise Failed(
        "Read the repository's address", why="_config.yml has no repository: url:", fix="write it there"
    )
