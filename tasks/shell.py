"""Running other programs so that a reader sees what happens: a title, a sign of life, a clear end.

The whole output goes to a log under `.cache/logs`; the screen gets one moving line, or what `show` picks.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from tasks.places import LOGS, ROOT, environment

NOISE = re.compile(  # said again and again, and never the reason of anything
    r"IPKernelApp\] WARNING"  # every kernel talks without encryption, to us alone
    r"|^WARNING: Location .* is ignored|^WARNING: Running pip as the 'root' user|^\[notice\]|^Looking in "
    r"|^debconf: |^Selecting previously |^\(Reading database|^Preparing to unpack "
)
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TRY_AGAIN = "mend the cause, then run the same command again: it continues where it stopped"


class Failed(Exception):
    """A step that did not work: what failed, why, what to do. `tasks.__main__` prints it and exits 1."""

    def __init__(self, what: str, *, why: str, fix: str = TRY_AGAIN):
        super().__init__(f"{what} · {why} · {fix}")
        self.what, self.why, self.fix = what, why, fix

    def report(self) -> str:
        why = "\n       ".join(self.why.splitlines())
        return f"✗ {self.what}\n  why: {why}\n  do:  {self.fix}"


class Heartbeat:
    """A line that says how long a step has run and what it last said: rewritten on a terminal, else rare."""

    def __init__(self):
        self.last, self.started, self.stopped = "", time.monotonic(), threading.Event()
        self.alive = sys.stdout.isatty()
        self.screen = threading.Lock()

    def __enter__(self) -> "Heartbeat":
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.stopped.set()
        self.say("")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def say(self, text: str) -> None:
        """Print a line that stays."""
        with self.screen:
            print(("\r\x1b[K" if self.alive else "") + text, end="\n" if text else "", flush=True)

    def _beat(self) -> None:
        while not self.stopped.wait(1 if self.alive else 20):
            width = shutil.get_terminal_size().columns - 1
            line = f"  {self.seconds:4.0f} s  {self.last}"[:width]
            with self.screen:
                print(f"\r\x1b[K{line}" if self.alive else line, end="" if self.alive else "\n", flush=True)


def nothing(line: str) -> None:
    """Show no line of the output (the default)."""


def everything(line: str) -> str:
    """Show each line as it comes: for test runners."""
    return line


def tail(output: str, lines: int = 12) -> str:
    """The last lines that hold anything."""
    written = [line for line in output.splitlines() if line.strip()]
    return "\n".join(written[-lines:]) or "it printed nothing"


def telling(output: str) -> str:
    """Without the lines that say nothing."""
    return "\n".join(line for line in output.splitlines() if not NOISE.search(line))


def run(
    title: str,
    command: list,
    *,
    about: str = "",
    fix: str = TRY_AGAIN,
    show: Callable[[str], str | None] = nothing,
    why: Callable[[str], str] = tail,
    done: str = "✓",
    **variables: str,
) -> float:
    """Run `command` in the repository's root; return its seconds.

    Raises Failed with what `why` finds in the whole output: its last lines, if nothing better is known.
    `done` stands before the seconds at a good end.
    """
    print(f"→ {title}" + (f" (about {about})" if about else ""), flush=True)
    log = LOGS / (re.sub(r"\W+", "-", title.lower()).strip("-") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file, Heartbeat() as heart:
        code = _follow(command, variables, file, heart, show)
    if code:
        reason = why(telling(log.read_text(encoding="utf-8")))
        where = f"(exit code {code}; all of it: {os.path.relpath(log, ROOT)})"
        raise Failed(title, why=f"{reason}\n{where}", fix=fix)
    print(f"  {done} {heart.seconds:.0f} s", flush=True)
    return heart.seconds


def _follow(command: list, variables: dict[str, str], log, heart: Heartbeat, show) -> int:
    """Copy the child's output to the log and the screen until it ends; end it when the reader stops us."""
    try:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        log.write(f"{command[0]} could not be started: {error}\n")
        return 127
    try:
        for line in child.stdout:
            line = COLOURS.sub("", line).rstrip()
            log.write(line + "\n")
            if NOISE.search(line):
                continue
            heart.last = line.strip() or heart.last
            if (text := show(line)) is not None:
                heart.say(text or " ")
        return child.wait()
    except BaseException:
        child.terminate()
        child.wait(timeout=10)
        raise


def answer(command: list, **variables: str) -> str | None:
    """What a quick question to another program prints, or None when it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
