"""Where things lie. Everything a command makes is under one of these; git ignores them all."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
LIBRARY = ROOT / "lib" / "vec2gpt"
CONSTRAINTS = ROOT / "constraints.txt"

WINDOWS = os.name == "nt"
VENV = ROOT / ".venv"
PROGRAMS = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = PROGRAMS / ("python.exe" if WINDOWS else "python")
NODE_MODULES = ROOT / "node_modules"

CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"
EXECUTION = CACHE / "execution"  # outputs of executed notebooks (jupyter-cache); `_config.yml` names it too
EXPORTS = CACHE / "site"  # models that the widgets exported while notebooks ran
STATIC = CACHE / "static"  # the site's own static files, staged; `_config.yml` names it too
BUILD = ROOT / "_build"
HTML = BUILD / "html"


def environment(**extra: str) -> dict[str, str]:
    """The variables every child process gets: the environment's programs first, text in UTF-8."""
    path = os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")])
    return os.environ | {"PATH": path, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"} | extra
