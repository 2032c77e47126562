"""The commands: what can be known without a network. Each check of the site goes red on a spoilt copy."""

import ast
import gzip
import importlib.metadata
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib
import urllib.request
from functools import cache, partial
from itertools import chain

import nbformat
import pytest
from packaging.requirements import Requirement

from tasks import __main__ as door
from tasks import colab, links, notebooks, shell, site, suite, system
from tasks import setup as installing
from tasks.places import ROOT, WINDOWS
from tasks.server import server, serving
from tasks.setup import pinned
from tasks.shell import Failed, run
from tasks.stamps import digest, once, tree

# ---- stamps ----------------------------------------------------------------------------------------------


def test_a_step_runs_once_and_again_when_what_it_depends_on_changes(tmp_path):
    done = []
    ran = [once(tmp_path / "made" / "stamp", key, lambda: done.append(1)) for key in ("a", "a", "b", "b")]
    assert ran == [True, False, True, False]
    assert len(done) == 2


def test_an_interrupted_step_leaves_no_stamp(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    once(tmp_path / "stamp", "a", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        once(tmp_path / "stamp", "b", interrupted)
    assert once(tmp_path / "stamp", "a", lambda: None), "the older stamp must be gone too"


def test_a_digest_tells_apart_parts_contents_and_absence(tmp_path):
    (file := tmp_path / "file").write_text("")
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(file) != digest(tmp_path / "absent")
    before = digest(file)
    file.write_text("more")
    assert digest(file) != before


def test_a_tree_sees_a_file_that_moved(tmp_path):
    (tmp_path / "a.py").write_text("x")
    before = digest(*tree(tmp_path, ["*.py"]))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert digest(*tree(tmp_path, ["*.py"])) != before


def test_what_one_purpose_installed_the_next_one_finds(tmp_path, monkeypatch):
    installed = []
    monkeypatch.setattr(installing, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(installing, "pip", lambda title, *arguments, about: installed.append(arguments[-1]))
    for purpose in ("test", "book", "bench", "test"):
        installing.install_package(installing.EXTRAS[purpose])
    assert installed == [f"{ROOT}[book,test]", f"{ROOT}[bench]"]
    (tmp_path / "stamps" / "extra-test").unlink()
    installing.install_package(installing.EXTRAS["test"])
    assert installed[2:] == [f"{ROOT}[test]"]


# ---- running programs ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    monkeypatch.setattr(shell, "LOGS", tmp_path / "logs")
    return tmp_path / "logs"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_run_logs_everything_and_shows_what_is_asked_for(capsys, logs):
    run("Two words", python("print('one'); print('two')"), show=lambda line: line if line == "two" else None)
    assert (logs / "two-words.log").read_text() == "one\ntwo\n"
    shown = capsys.readouterr().out
    assert "→ Two words" in shown and "two\n" in shown and "one" not in shown


def test_a_failed_step_says_what_why_and_what_to_do():
    with pytest.raises(Failed) as failure:
        run("Break", python("print('the reason'); raise SystemExit(3)"), fix="try it so")
    report = failure.value.report()
    assert report.startswith("✗ Break") and "the reason" in report and "exit code 3" in report
    assert report.endswith("do:  try it so")


def test_noise_is_in_the_log_and_neither_on_the_screen_nor_in_the_reason(capsys, logs):
    noise = "WARNING: Location 'file:///there' is ignored: it is neither a file nor a directory."
    with pytest.raises(Failed) as failure:
        run(
            "Install",
            python(f"print('the reason'); [print({noise!r}) for _ in range(20)]; raise SystemExit(1)"),
            show=str,
        )
    assert (logs / "install.log").read_text().count(noise) == 20
    assert "the reason" in failure.value.why and "Location" not in failure.value.why
    shown = capsys.readouterr().out
    assert "the reason" in shown and "Location" not in shown


def test_a_program_that_is_not_there_is_a_failed_step():
    with pytest.raises(Failed, match="could not be started"):
        run("Start nothing", ["no-such-program-here"])


@pytest.mark.skipif(WINDOWS, reason="Windows has no SIGINT to send to another program")
def test_an_interrupt_ends_the_child_too(tmp_path):
    child = "import os, pathlib, time; pathlib.Path({!r}).write_text(str(os.getpid())); time.sleep(60)"
    child = child.format(str(tmp_path / "pid"))
    code = (
        f"import pathlib, sys; from tasks import shell; shell.LOGS = pathlib.Path({str(tmp_path)!r});"
        f"shell.run('Sleep', [sys.executable, '-c', {child!r}])"
    )
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # also where the tests themselves ignore it
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    parent = subprocess.Popen(python(code), cwd=ROOT, preexec_fn=heard, **quiet)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    parent.send_signal(signal.SIGINT)
    assert parent.wait(timeout=15) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def wait_until(true, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# ---- the door --------------------------------------------------------------------------------------------


def test_every_make_target_is_a_command_and_has_a_line_of_help(capsys):
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^COMMANDS = (.*)$", makefile, re.MULTILINE)[1].split()
    assert set(targets) == set(door.COMMANDS)
    assert door.main([]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\w.{{10,}}$", shown, re.MULTILINE) for name in door.COMMANDS)


def test_unknown_commands_and_arguments_are_refused(capsys):
    assert door.main(["sevre"]) == 2
    assert door.main(["test", "faster"]) == 1
    assert "it takes no faster" in capsys.readouterr().out


def test_expected_failures_end_without_a_traceback(capsys, monkeypatch):
    def fail():
        """fail"""
        raise Failed("It", why="because", fix="do so")

    monkeypatch.setitem(door.COMMANDS, "fail", fail)
    assert door.main(["fail"]) == 1
    assert capsys.readouterr().out == "\n✗ It\n  why: because\n  do:  do so\n"


def test_all_steps_run_and_the_failed_ones_are_named(capsys):
    ran = []

    def bad():
        ran.append("bad")
        raise Failed("Second", why="it broke")

    with pytest.raises(Failed, match="1 of 3 steps · bad"):
        suite.finish({"good": lambda: ran.append("good"), "bad": bad, "last": lambda: ran.append("last")})
    assert ran == ["good", "bad", "last"]
    shown = capsys.readouterr().out
    assert re.search(r"✓ good .*\n  ✗ bad .*\n  ✓ last", shown)
    assert "\nsteps: 2 passed, 1 failed\n" in shown


# ---- versions --------------------------------------------------------------------------------------------


def test_a_pin_is_read_by_its_whole_name():
    assert pinned("torch", "torchvision==9.9\ntorch==2.13.0\n") == "2.13.0"
    with pytest.raises(Failed, match="no line torchaudio=="):
        pinned("torchaudio", "torch==2.13.0\n")


def test_constraints_are_exact_and_sorted_and_cover_what_we_ask_for():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert lines == sorted(lines, key=str.lower)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {re.match(r"[\w-]+", one)[0].lower() for one in asked}
    assert names <= {line.split("==")[0].lower() for line in lines}


MAY = {  # the extras that must be there when a folder's modules are imported
    "lib": [],
    "tasks": ["book", "test"],
    "tests": ["book", "test"],
    "benchmarks": ["book", "test", "bench"],
}
LATER = {"lib": ["book"]}  # and when its functions are called: what exports a model is for those who build
OURS = {"vec2gpt", *MAY, *(file.stem for file in (ROOT / "tests").rglob("*.py"))}
PACKAGES = cache(importlib.metadata.packages_distributions)  # what is imported -> the packages that bring it


def imported(source: str, *, later: bool) -> set[str]:
    """What a module imports, in its functions too if `later`; what is of Python or ours is left out."""
    found, rest = set(), [ast.parse(source)]
    while rest:
        node = rest.pop()
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
        if later or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            rest += ast.iter_child_nodes(node)
    return {name.partition(".")[0] for name in found} - OURS - sys.stdlib_module_names


@cache
def brought(*extras: str) -> set[str]:
    """The packages that an installation with these extras brings: those asked for, and what they need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rest = [*project["dependencies"], *chain(*(project["optional-dependencies"][extra] for extra in extras))]
    found = set()
    while rest:
        one = Requirement(rest.pop())
        name = canonical(one.name)
        if name not in found and (not one.marker or one.marker.evaluate({"extra": ""})):
            found.add(name)
            try:
                rest += importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:  # of an extra that is not installed here
                continue
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def missing(source: str, extras: list[str], *, later: bool) -> set[str]:
    """What a module imports that an installation with these extras does not bring."""
    there, packages = brought(*extras), PACKAGES()
    bringing = {name: packages.get(name, [name]) for name in imported(source, later=later)}
    return {name for name, some in bringing.items() if not there & {canonical(one) for one in some}}


@pytest.mark.parametrize("folder", MAY)
def test_what_is_imported_is_asked_for(folder):
    """A package that happens to be here would be missing where only this was installed."""
    for file in (ROOT / folder).rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert not missing(source, MAY[folder], later=folder not in LATER), file
        assert not missing(source, LATER.get(folder, MAY[folder]), later=True), file


@pytest.mark.parametrize(
    ("source", "folder", "gone"),
    [
        ("import scipy.stats", "tests", {"scipy"}),  # comes with gensim, which only the benchmarks ask for
        ("def test():\n    from gensim import models", "tests", {"gensim"}),
        ("from gensim import models", "benchmarks", set()),
        ("if True:\n    import onnx", "lib", {"onnx"}),
        ("class C:\n    import pytest", "lib", {"pytest"}),
        ("import IPython, numpy as np\nfrom . import pytest", "lib", set()),
        ("import json, nbformat, legible\nfrom tests.js import x", "tests", set()),
        ("import no_such_package", "tasks", {"no_such_package"}),
    ],
)
def test_an_import_that_nobody_asked_for_is_found(source, folder, gone):
    assert missing(source, MAY[folder], later=folder not in LATER) == gone


def test_what_a_function_of_the_library_imports_is_needed_only_when_it_is_called():
    source = "def export():\n    import onnx"
    assert not missing(source, MAY["lib"], later=False) and not missing(source, LATER["lib"], later=True)
    assert missing("def f():\n    import gensim", LATER["lib"], later=True) == {"gensim"}


def test_conda_takes_the_same_torch():
    assert f"pytorch-cpu ={pinned('torch')} " in (ROOT / "environment.yml").read_text()


def test_the_page_runtime_is_pinned_and_its_lock_names_no_registry():
    package = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in (package["dependencies"] | package["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert locked[f"node_modules/{name}"]["version"] == version
    assert not [name for name, entry in locked.items() if "resolved" in entry]
    assert all("integrity" in entry for name, entry in locked.items() if name)


# ---- Chromium --------------------------------------------------------------------------------------------


def program(path, exit_code: int):
    path.write_text(f"#!/bin/sh\necho Chromium 1.0\nexit {exit_code}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


@pytest.mark.skipif(WINDOWS, reason="a shell script is no program on Windows")
def test_a_chromium_must_start(tmp_path, monkeypatch):
    good, bad = program(tmp_path / "good", 0), program(tmp_path / "chromium", 1)
    monkeypatch.setenv("CHROMIUM", good)
    assert system.chromium() == good
    monkeypatch.setenv("CHROMIUM", bad)
    with pytest.raises(Failed, match="does not start"):
        system.chromium()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system._on_path() is None
    second = program(tmp_path / "google-chrome", 0)
    assert system._on_path() == second


# ---- the site's parts ------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A repository in small: a library, a book and what a build left behind."""
    for name in ("lib/js", "book", "execution", "exports/models"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("lib/model.py", "lib/js/view.js", "book/results.csv", "constraints.txt", "execution/x"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(site, "LIBRARY", tmp_path / "lib")
    monkeypatch.setattr(site, "BOOK", tmp_path / "book")
    monkeypatch.setattr(site, "CONSTRAINTS", tmp_path / "constraints.txt")
    monkeypatch.setattr(site, "EXECUTION", tmp_path / "execution")
    monkeypatch.setattr(site, "EXPORTS", tmp_path / "exports")
    return tmp_path


@pytest.mark.parametrize("file", ["lib/model.py", "lib/new.py", "book/results.csv", "constraints.txt"])
def test_what_outputs_depend_on_drops_outputs_and_models_together(house, file):
    site.forget_if_changed()
    (house / "execution" / "cached").write_text("")
    (house / "exports" / "models").mkdir(parents=True)
    site.forget_if_changed()
    assert (house / "execution" / "cached").exists() and (house / "exports").exists()
    (house / file).write_text("changed")
    site.forget_if_changed()
    assert not (house / "execution" / "cached").exists() and not (house / "exports").exists()


def test_an_edited_view_executes_nothing_again(house):
    before = site.execution_key()
    (house / "lib" / "js" / "view.js").write_text("changed")
    assert site.execution_key() == before


def test_a_page_that_looks_for_another_runtime_is_refused():
    page = (ROOT / "book" / "site" / "page.mjs").read_text()
    site.check_runtime(page, f"ort-{site.version('onnxruntime-web')}")
    with pytest.raises(Failed, match=r"does not look in \./ort-0\.0\.1/"):
        site.check_runtime(page, "ort-0.0.1")


def test_the_page_gets_the_colours_of_the_widgets():
    kit = """/* kit */
.v2g { --paper: #fff; --key: #0072b2;
  --size: 3px; }
html[data-theme="dark"] .v2g, body .v2g { --key: #4ba3e3; }
.v2g p { --key: #000000; }"""
    light, dark = site.colours(kit).splitlines()
    assert light == "html { --concept-paper: #fff; --concept-key: #0072b2; }"
    assert dark == 'html[data-theme="dark"] { --concept-key: #4ba3e3; }'
    with pytest.raises(Failed, match="no rule for"):
        site.colours(".w { --key: #000 }")


def test_the_builder_s_lines_are_told_in_short():
    assert site.chapter("/x/01_a.ipynb: Executed notebook in 6.20 seconds [mystnb]") == "  01_a.ipynb: 6 s"
    assert site.chapter("/x/01_a.ipynb: Using cached notebook: ID=1 [mystnb]") == "  01_a.ipynb: not changed"
    assert site.chapter("reading sources... [ 20%] 01_a") is None
    assert site.chapter("[IPKernelApp] WARNING | Kernel is running over TCP without encryption.") is None
    assert "undefined label" in site.chapter("/x/index.md:3: WARNING: undefined label: 'y'")


def test_a_failed_build_names_the_cell_or_else_the_warnings():
    cell = "Error while executing the following cell:\n---\n1 / 0\n---\nZeroDivisionError: no\n"
    log = f"reading\n/x/a.md:3: WARNING: old\n{cell}\n\nThe above exception was the direct cause of\nmore"
    assert site.first_cause(log) == "---\n1 / 0\n---\nZeroDivisionError: no"
    assert (
        site.first_cause("reading\n/x/a.md:3: WARNING: undefined\nfinished")
        == "/x/a.md:3: WARNING: undefined"
    )
    assert site.first_cause("one\n\ntwo\n") == "one\ntwo"


# ---- checks of a finished site ---------------------------------------------------------------------------

INDEX = """<!doctype html><html><head>
<link rel="stylesheet" href="_static/book.css?v=1"><link rel="canonical" href="https://example.org/index.html">
<script type="module" src="_static/page.mjs"></script></head><body>
<h1 id="top-of-it">A</h1><a href="book/one.html#second">one</a> <a href="#top-of-it">up</a>
<a href="https://example.org/">away</a> <a href="mailto:a@example.org">mail</a> <a href="book/">folder</a>
<img src="data:image/gif;base64,AA=="><img src="_static/a%20b.svg" alt="a"></body></html>"""
STATE = {
    "state": {"id": {"state": {"view": "lstm", "spec": {"models": {"model": "lstm-0123456789ab.onnx"}}}}}
}
ONE = f"""<html><head><style>p {{ background: url("../_static/a b.svg") }}</style></head><body>
<h2 id="second">B</h2><a href="../index.html">back</a>
<script type="application/vnd.jupyter.widget-state+json">{json.dumps(STATE)}</script>
<div data-view="../_static/views/lstm.mjs?v=2"></div></body></html>"""
FILES = {
    "index.html": INDEX,
    "book/one.html": ONE,
    "book/index.html": "<html><body><a href='one.html'>one</a></body></html>",
    "_static/book.css": '@import "more.css"; p { background: url(a%20b.svg) }',
    "_static/more.css": "p { color: red }",
    "_static/a b.svg": "<svg/>",
    "_static/page.mjs": 'import { a } from "./part.mjs";\nexport const go = () => import("./heavy.mjs");\n',
    "_static/part.mjs": "export const a = 1;",
    "_static/heavy.mjs": "",
    "_static/views/lstm.mjs": "export default {};",
    "_static/models/lstm-0123456789ab.onnx": "model",
    "_static/template.html": "<script src='{{ theme }}'></script>",
}


@pytest.fixture
def pages(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "html" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "html" / name).write_text(content)
    links._wire.cache_clear()
    links._imports.cache_clear()
    return tmp_path / "html"


def test_a_good_site_passes(pages):
    assert links.check(pages) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("index.html", "book/one.html#second", "book/two.html", "book/two.html is not there"),
        ("index.html", "#second", "#third", "has no anchor third"),
        ("index.html", 'href="#top-of-it"', 'href="#gone"', "has no anchor gone"),
        ("index.html", "a%20b.svg", "c.svg", "_static/c.svg is not there"),
        ("index.html", 'href="book/"', 'href="/book/"', "the site may lie in a folder"),
        ("index.html", 'src="_static/page.mjs"', 'src="_static/gone.mjs"', "_static/gone.mjs is not there"),
        ("book/one.html", '"../_static/a b.svg"', '"../_static/b.svg"', "../_static/b.svg is not there"),
        ("book/one.html", "views/lstm.mjs", "views/gru.mjs", "views/gru.mjs?v=2 is not there"),
        ("book/one.html", "0123456789ab", "ba9876543210", "models/lstm-ba9876543210.onnx is not in the site"),
        ("book/one.html", '"view": "lstm"', '"view": "gru"', "views/gru.mjs is not in the site"),
        ("_static/book.css", "a%20b.svg", "gone.woff2", "gone.woff2 is not there"),
        ("index.html", 'src="_static/page.mjs"', 'src="https://cdn.example/x.mjs"', "from another host"),
        ("index.html", 'href="_static/book.css?v=1"', 'href="//cdn.example/x.css"', "from another host"),
        ("index.html", "_static/a%20b.svg", "HTTP://cdn.example/x.svg", "from another host"),
        ("index.html", "<h1", '<iframe src="https://x.example/"></iframe><h1', "from another host"),
        ("index.html", "<h1", '<script>import("https://cdn.example/x.js")</script><h1', "from another host"),
        ("index.html", "<h1", '<p style="background: url(https://x.example/p.png)"><h1', "from another host"),
        ("_static/more.css", "red", "red; background: url('https://x.example/p.png')", "from another host"),
        ("_static/part.mjs", "export", 'import "https://cdn.example/x.mjs";\nexport', "from another host"),
    ],
)
def test_each_fault_of_a_site_is_found(pages, file, old, new, problem):
    text = (pages / file).read_text()
    assert old in text
    (pages / file).write_text(text.replace(old, new))
    assert any(problem in found for found in links.check(pages)), links.check(pages)


def test_an_empty_site_is_no_good_site(tmp_path):
    assert links.check(tmp_path) == [f"{tmp_path.name} has no index.html"]


def test_a_page_weighs_what_it_loads_by_itself(pages):
    parts = ["index.html", "_static/book.css", "_static/more.css", "_static/a b.svg", "_static/page.mjs"]
    wire = sum(len(gzip.compress((pages / part).read_bytes(), 6)) for part in [*parts, "_static/part.mjs"])
    assert links.weight(links.read(pages)[pages / "index.html"], pages) == wire


def test_a_heavy_page_is_found_and_what_waits_for_a_touch_is_not_counted(pages):
    (pages / "_static" / "heavy.mjs").write_bytes(os.urandom(links.LIMIT))
    assert links.heavy_pages(pages) == []
    (pages / "_static" / "part.mjs").write_bytes(os.urandom(links.LIMIT))
    links._wire.cache_clear()
    assert [line.split(":")[0] for line in links.heavy_pages(pages)] == ["index.html"]


def test_only_models_that_a_page_names_are_published(pages, tmp_path):
    (exports := tmp_path / "models").mkdir()
    for name in ("lstm-0123456789ab.onnx", "lstm-older0000000.onnx", "key.json"):
        (exports / name).write_text("new")
    (pages / "_static" / "models" / "lstm-0123456789ab.onnx").unlink()
    site.publish_models(pages, exports)
    assert [file.name for file in (pages / "_static" / "models").iterdir()] == ["lstm-0123456789ab.onnx"]


# ---- serving ---------------------------------------------------------------------------------------------


def test_modules_and_models_are_served_with_their_types(pages):
    (pages / "_static" / "x.wasm").write_bytes(b"\0asm")
    with serving(pages) as address:
        types = {name: served_type(address, name) for name in ("page.mjs", "x.wasm", "book.css")}
    assert types["x.wasm"] == "application/wasm"
    assert types["page.mjs"].startswith("text/javascript") and types["book.css"].startswith("text/css")


def served_type(address: str, name: str) -> str:
    with urllib.request.urlopen(f"{address}_static/{name}") as response:
        return response.headers["Content-Type"]


def test_a_taken_port_gives_the_next_and_none_left_says_so(pages):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with server(pages, port) as running:
            assert running.server_port > port
        with pytest.raises(Failed, match="are taken"):
            server(pages, port, tries=1)


# ---- notebooks -------------------------------------------------------------------------------------------


def dirty():
    """A chapter as an editor leaves it."""
    nb = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "mine", "display_name": "Mine"}})
    code = nbformat.v4.new_code_cell("1 + 1\n\n", execution_count=3, id="kept")
    code.metadata = {"tags": ["hide-input"], "execution": {"iopub.status.busy": "now"}}
    picture = {"image/png": "AAAA", "text/plain": "<Figure>"}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}
    code.outputs = [
        nbformat.v4.new_output("stream", text="a\n"),
        nbformat.v4.new_output("stream", name="stderr", text="fetching"),
        nbformat.v4.new_output("stream", text="b\n"),
        nbformat.v4.new_output("display_data", picture, metadata={"image/png": {"width": 3}}),
        nbformat.v4.new_output("display_data", view),
        nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=3),
    ]
    nb.cells = [nbformat.v4.new_markdown_cell("text", id="kept"), code]
    return nb


def test_the_kept_form_holds_text_and_nothing_else():
    nb = notebooks.canonical(dirty())
    assert nb.metadata == notebooks.METADATA
    assert nb.cells[1].metadata == {"tags": ["hide-input"]}
    assert nb.cells[1].execution_count is None and nb.cells[1].source == "1 + 1"
    assert nb.cells[1].outputs == [
        {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
        {"output_type": "display_data", "data": {"text/plain": "<Figure>"}, "metadata": {}},
        {
            "output_type": "execute_result",
            "data": {"text/plain": "2"},
            "metadata": {},
            "execution_count": None,
        },
    ]
    nbformat.validate(nb)


def test_ids_are_kept_and_new_ones_follow_from_the_content():
    first, second = notebooks.canonical(dirty()), notebooks.canonical(dirty())
    assert first.cells[0].id == "kept" and first.cells[1].id != "kept"
    assert first.cells[1].id == second.cells[1].id


def test_the_kept_form_is_kept(tmp_path):
    once_over = notebooks.text(notebooks.canonical(dirty()))
    (tmp_path / "a.ipynb").write_text(once_over)
    again = notebooks.load(tmp_path / "a.ipynb")
    assert notebooks.text(notebooks.canonical(again)) == once_over
    assert once_over.endswith("}\n") and not once_over.endswith("\n\n")
    assert notebooks.problems(again) == []


def test_every_departure_from_the_kept_form_is_named():
    found = notebooks.problems(dirty())
    assert found[0].startswith("the notebook's metadata")
    named = {line.split(": ")[1].split()[0] for line in found[1:]}
    assert named == {"id", "metadata", "execution_count", "outputs", "source"}


def test_a_chapter_is_executed_elsewhere_and_rewritten_and_a_failing_one_is_left_alone(tmp_path, monkeypatch):
    def cell(number):
        return nbformat.v4.new_code_cell(f"import os; print(os.listdir()); 1 / {number}", id="a")

    for name, number in (("01_good", "4"), ("02_bad", "0")):
        nb = nbformat.v4.new_notebook(cells=[cell(number)])
        (tmp_path / f"{name}.ipynb").write_text(notebooks.text(nb))
    monkeypatch.setattr(notebooks, "BOOK", tmp_path)
    before = (tmp_path / "02_bad.ipynb").read_text()
    assert notebooks.main([]) == 1
    good = notebooks.load(tmp_path / "01_good.ipynb")
    assert [o.get("text") or o.data["text/plain"] for o in good.cells[0].outputs] == ["[]\n", "0.25"]
    assert notebooks.problems(good) == []
    assert (tmp_path / "02_bad.ipynb").read_text() == before


def test_what_a_chapter_costs_is_measured_and_kept(tmp_path, monkeypatch):
    reads = """from vec2gpt import fetching
some = b"x" * 300_000_000
row = fetching.Corpus(name="a", requirement="a==1", sha256="0", download=4_200_000, folder="", keep=(),
                      unpacked=1, licence="")
try:
    fetching.member(row, "b")
except fetching.DataError:
    print("not there")"""
    monkeypatch.setenv("VEC2GPT_DATA", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(reads, id="a")])
    fresh = notebooks.canonical(notebooks.execute(nb))
    assert [cell.id for cell in fresh.cells] == ["a"]
    assert fresh.cells[0].outputs[-1].text.endswith("not there\n")
    measured = fresh.metadata.pop("measured")
    assert fresh.metadata == notebooks.METADATA
    assert measured["megabytes"] == 5 and 0.3 < measured["gigabytes"] < 1.5
    assert measured["seconds"] >= 10 and measured["seconds"] % 10 == 0


def test_costs_are_rounded_up_and_do_not_flicker():
    seen = {"seconds": 12.3, "memory": 780_000_000, "download": 5_416_192}
    fresh = {"seconds": 20, "gigabytes": 0.8, "megabytes": 6}
    assert notebooks.cost(seen, {}) == fresh
    near = {"seconds": 30, "gigabytes": 0.9, "megabytes": 5}
    assert notebooks.cost(seen, near) == near
    far = {"seconds": 40, "gigabytes": 1.0, "megabytes": 80}
    assert notebooks.cost(seen, far) == fresh
    assert notebooks.cost(seen | {"memory": None}, far)["gigabytes"] == 1.0


@pytest.mark.parametrize(
    "measured", [{"seconds": 10}, "10 s", {"seconds": 1, "gigabytes": 1, "megabytes": 1, "by": 1}]
)
def test_a_cost_of_another_form_is_no_part_of_the_kept_form(measured):
    nb = notebooks.canonical(dirty())
    nb.metadata["measured"] = measured
    assert notebooks.problems(nb)[0].startswith("the notebook's metadata")
    nb.metadata["measured"] = {"seconds": 10, "gigabytes": 0.8, "megabytes": 6}
    assert notebooks.problems(nb) == []


def test_chapters_are_chosen_by_how_their_names_start(tmp_path, monkeypatch):
    for name in ("01_a.ipynb", "02_b.ipynb"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(notebooks, "BOOK", tmp_path)
    assert [path.stem for path in notebooks.chosen(["02"])] == ["02_b"]
    assert len(notebooks.chosen([])) == 2
    with pytest.raises(ValueError, match="no chapter starts with '03'"):
        notebooks.chosen(["03"])


# ---- Colab -----------------------------------------------------------------------------------------------


def test_git_reads_this_checkout_where_a_chapter_names_the_public_address():
    for address in (colab.address(), colab.address() + ".git"):
        command = ["git", "ls-remote", "--get-url", address]
        answer = subprocess.run(
            command, env=os.environ | colab.this_checkout(), capture_output=True, text=True
        )
        assert answer.stdout.strip() == ROOT.as_uri()
