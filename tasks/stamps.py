"""Doing a step once: a stamp is a small file that holds a digest of what the step depended on.

A stamp lies inside what its step made (`.venv`, `node_modules`), so that deleting the one deletes the other.
It is written last: an interrupted step has none and is done again.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path


def digest(*parts: str | Path) -> str:
    """sha256 over texts and files' contents, in order; a missing file counts as absent, not as empty."""
    total = hashlib.sha256()
    for part in parts:
        data = _bytes(part)
        total.update(b"-" if data is None else f"{len(data)}:".encode() + data)
    return total.hexdigest()


def _bytes(part: str | Path) -> bytes | None:
    if isinstance(part, str):
        return part.encode()
    return part.read_bytes() if part.is_file() else None


def tree(folder: Path, patterns: Iterable[str]) -> list[str | Path]:
    """Every file under `folder` that matches, with its relative name: renaming a file changes the digest."""
    files = sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
    return [part for file in files for part in (file.relative_to(folder).as_posix(), file)]


def once(stamp: Path, key: str, action: Callable[[], None]) -> bool:
    """Run `action` unless `stamp` holds `key`; True when it ran."""
    return together([stamp], key, lambda _: action())


def together(stamps: list[Path], key: str, action: Callable[[list[Path]], None]) -> bool:
    """Run `action` once, on those of `stamps` that do not hold `key`; True when there were any."""
    stale = [stamp for stamp in stamps if not (stamp.is_file() and stamp.read_text() == key)]
    for stamp in stale:
        stamp.unlink(missing_ok=True)
    if stale:
        action(stale)
    for stamp in stale:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(key)
    return bool(stale)
