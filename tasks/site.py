"""The book as a website: stage its static files, execute and build it, draw first pictures, check, serve.

Executed notebooks and the models that their widgets exported are kept together under one key; an edit of a
view, a style or a text costs a build, an edit of the library costs an execution.
"""

import json
import platform
import re
import shutil
from pathlib import Path

from tasks.links import check, read
from tasks.places import (
    BOOK,
    BUILD,
    CONSTRAINTS,
    EXECUTION,
    EXPORTS,
    HTML,
    LIBRARY,
    NODE_MODULES,
    PROGRAMS,
    PYTHON,
    ROOT,
    STATIC,
)
from tasks.server import serve_folder
from tasks.setup import node, setup
from tasks.shell import Failed, answer, run, tail
from tasks.stamps import digest, once, tree

RUNTIME = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]
# MathJax with HTML output: 0.26 MB on the wire and the fonts a page uses; its SVG twin is 0.68 MB.
MATHJAX = ["tex-chtml.js", "output/chtml/fonts", "input/tex/extensions", "a11y"]
MATHJAX += ["sre/mathmaps/base.json", "sre/mathmaps/en.json"]  # formulas spoken, for readers who listen
FONTS = [f"source-serif-4-latin-wght-{style}.woff2" for style in ("normal", "italic")]
PICTURES = BOOK / "site" / "pictures.mjs"


def book() -> Path:
    """build the site into _build/html and check it"""
    setup("book")
    return build()


def serve(*options: str) -> None:
    """build the site and serve it on this machine; --port N to choose the port (8000)"""
    port = 8000
    if options:
        if options[0] != "--port" or len(options) != 2 or not options[1].isdigit():
            raise Failed(
                "serve", why=f"what is {' '.join(options)}?", fix="python3 -m tasks serve --port 8000"
            )
        port = int(options[1])
    serve_folder(book(), port)


def build() -> Path:
    """The finished, checked site. What setup installs must be there."""
    forget_if_changed()
    stage()
    # What was built before says nothing about this build: a page kept from it would hide its warnings.
    shutil.rmtree(BUILD, ignore_errors=True)
    run(
        "Execute and build the book",
        [PROGRAMS / "jupyter-book", "build", ".", "-W", "-n", "--keep-going", "--all"],
        about="10 min the first time, 1 min afterwards",
        fix="mend what is named above, then run: python3 -m tasks book",
        show=chapter,
        why=first_cause,
        VEC2GPT_SITE=str(EXPORTS),
    )
    publish_models(HTML, EXPORTS / "models")
    draw_pictures()
    verify(HTML)
    return HTML


def execution_key() -> str:
    """What the outputs of a chapter and its exported models depend on, the chapter's own text apart."""
    return digest(
        *tree(LIBRARY, ["**/*.py", "**/*.csv", "checkpoints/**/*.json", "checkpoints/**/*.safetensors"]),
        *tree(BOOK, ["**/*.csv"]),
        CONSTRAINTS,
        answer([PYTHON, "--version"]) or platform.python_version(),
        "export=1",
    )


def forget_if_changed() -> None:
    """Drop outputs and models, always both, when what they depend on has changed."""
    once(EXECUTION / "key", execution_key(), _forget)


def _forget() -> None:
    for folder in (EXECUTION, EXPORTS):
        shutil.rmtree(folder, ignore_errors=True)


def stage() -> None:
    """Lay out what `html_static_path` names: the pages' own files, every widget's view, the two runtimes."""
    shutil.rmtree(STATIC, ignore_errors=True)
    STATIC.mkdir(parents=True)
    for file in [*BOOK.glob("site/*.mjs"), *BOOK.glob("site/*.css")]:
        if file != PICTURES:
            shutil.copy(file, STATIC)
    run("Write the widgets' views", [PYTHON, "-m", "vec2gpt.widgets", STATIC / "views"], about="5 s")
    shutil.move(STATIC / "views" / "kit.css", STATIC)
    # Browsers keep the runtime for good: another version must have another address.
    runtime = f"ort-{version('onnxruntime-web')}"
    check_runtime((STATIC / "page.mjs").read_text(encoding="utf-8"), runtime)
    _copy(NODE_MODULES / "onnxruntime-web" / "dist", RUNTIME, STATIC / runtime)
    _copy(NODE_MODULES / "mathjax" / "es5", MATHJAX, STATIC / "mathjax")
    _copy(NODE_MODULES / "@fontsource-variable" / "source-serif-4" / "files", FONTS, STATIC / "fonts")
    kit = (STATIC / "kit.css").read_text(encoding="utf-8")
    (STATIC / "colours.css").write_text(colours(kit), encoding="utf-8")


def colours(kit: str) -> str:
    """A style sheet that gives the whole page the colours that kit.css gives a widget, in light and dark.

    >>> print(colours('.v2g { --key: #0072b2; } html[data-theme="dark"] .v2g, … { --key: #4ba3e3; }'), end="")
    html { --concept-key: #0072b2; }
    html[data-theme="dark"] { --concept-key: #4ba3e3; }
    """
    rules = []
    for page, widget in (
        ("html", r"^\.v2g"),
        ('html[data-theme="dark"]', r'html\[data-theme="dark"\] \.v2g'),
    ):
        found = re.search(rf"{widget}\b[^{{]*{{(.*?)}}", kit, re.DOTALL | re.MULTILINE)
        if not found:
            why = f"kit.css has no rule for {widget}: the pages would have no colours for the concepts"
            raise Failed("Stage the page's files", why=why, fix="see colours() in tasks/site.py")
        named = re.findall(r"--(\w+): (#\w+)", found[1])
        rules.append(f"{page} {{ " + " ".join(f"--concept-{name}: {value};" for name, value in named) + " }")
    return "\n".join(rules) + "\n"


def check_runtime(page: str, folder: str) -> None:
    """Raise Failed unless page.mjs looks for the runtime in `folder`: no page would compute anything."""
    if f'"./{folder}/"' not in page:
        why = f"page.mjs does not look in ./{folder}/, where package.json's version of ONNX Runtime Web goes"
        raise Failed("Stage the page's files", why=why, fix="write that folder in book/site/page.mjs")


def version(package: str) -> str:
    """The version of one of the page's own packages, as package.json pins it."""
    return json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"][package]


def _copy(source: Path, names: list[str], target: Path) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, target / name)


def chapter(line: str) -> str | None:
    """Of the builder's many lines, those about chapters, and what is wrong."""
    name = re.search(r"[^/\\]+\.(?:ipynb|md)(?=:)", line)
    if name and (ran := re.search(r"Executed notebook in ([\d.]+) seconds", line)):
        return f"  {name[0]}: {float(ran[1]):.0f} s"
    if name and "Using cached notebook" in line:
        return f"  {name[0]}: not changed"
    return f"  {line}" if re.search(r"\b(WARNING|ERROR|CRITICAL): |^Traceback", line) else None


def first_cause(output: str) -> str:
    """Why a build failed: the cell that did and what it said, else every warning, else the last lines."""
    if found := re.search(r"while executing the following cell:\n(.*?)\n\s*\nThe above", output, re.DOTALL):
        return found[1].strip()
    warnings = [line for line in output.splitlines() if chapter(line) == f"  {line}"]
    return "\n".join(warnings) or tail(output)


def publish_models(html: Path, exports: Path) -> None:
    """Copy the models that pages name; what older exports left behind stays out of the site."""
    target = html / "_static" / "models"
    target.mkdir(parents=True, exist_ok=True)
    for page in read(html).values():
        for model in page.models & {file.name for file in exports.glob("*.onnx")}:
            shutil.copy(exports / model, target)


def draw_pictures() -> None:
    """Put each widget's first picture into its page, for readers without JavaScript."""
    run("Draw the widgets' first pictures", [node(), PICTURES, HTML], about="5 s")


def verify(html: Path) -> None:
    """Raise Failed with everything that is wrong with the site."""
    print("→ Check links, models, hosts and weights of the pages", flush=True)
    if problems := check(html):
        raise Failed(
            "Check the site", why="\n".join(problems), fix="mend these, then run: python3 -m tasks book"
        )
    print("  ✓")
