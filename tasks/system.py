"""What may have to come from outside Python and npm: Debian packages, a Chromium for the browser tests."""

import os
import shutil

from tasks.places import PYTHON
from tasks.shell import Failed, answer, run

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
OWN = "from playwright.sync_api import sync_playwright as p; print(p().start().chromium.executable_path)"


def install(package: str, what: str) -> None:
    """Install a Debian package where we may without a password; else say what to type."""
    todo = f"install {what}; on Debian or Ubuntu: sudo apt-get install {package}. Then run this again"
    if shutil.which("apt-get") is None:
        raise Failed(
            f"Find {what}", why="it is not here, and there is no apt-get to install it with", fix=todo
        )
    if (sudo := _privilege()) is None:
        raise Failed(f"Install {package}", why="that needs the administrator's password", fix=todo)
    run("Read the list of system packages", [*sudo, "apt-get", "update"], about="10 s", fix=todo)
    command = [*sudo, "apt-get", "install", "-y", package]
    run(f"Install {package}", command, about="1 min", fix=todo, DEBIAN_FRONTEND="noninteractive")


def _privilege() -> list[str] | None:
    """What to put before a command to run it as the administrator; None when a password would be asked."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if answer(["sudo", "-n", "true"]) is not None else None


def chromium() -> str:
    """A Chromium that starts: $CHROMIUM, else one on PATH, else Playwright's, else the system's."""
    if chosen := os.environ.get("CHROMIUM"):
        if starts(chosen):
            return chosen
        raise Failed(
            "Start Chromium", why=f"CHROMIUM={chosen} does not start", fix="name one that does, or none"
        )
    return _on_path() or _playwrights() or _from_system()


def starts(browser: str) -> bool:
    return answer([browser, "--version"]) is not None


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name)) and starts(path)), None)


def _playwrights() -> str | None:
    """Playwright's own build, fetched first if need be; None where it cannot be had or lacks libraries."""
    path = answer([PYTHON, "-c", OWN])
    if path and not os.path.exists(path):
        try:
            run("Fetch Chromium", [PYTHON, "-m", "playwright", "install", "chromium"], about="1 min")
        except Failed:
            print("  Playwright's Chromium cannot be had here: trying the system's packages", flush=True)
    return path if path and starts(path) else None


def _from_system() -> str:
    install("chromium", "Chromium (or set CHROMIUM to the path of one)")
    if path := _on_path():
        return path
    raise Failed(
        "Start Chromium", why="it was installed but does not start", fix="set CHROMIUM to one that does"
    )
