"""What must be true of the finished site. Each check is a function: site's folder → list of problems.

- every link and anchor inside the site leads somewhere;
- every model, view and file that a page names is there;
- no page loads anything from another host;
- before the first touch of a widget a page is at most 1.5 MB on the wire.
"""

import gzip
import json
import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LIMIT = 1_500_000  # bytes, gzipped: a page and all that it loads by itself
POINTERS = {"canonical", "alternate", "author", "license", "next", "prev", "index", "search", "help", "edit"}
OUTSIDE = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
CSS_URL = re.compile(r"""url\(\s*(["']?)(.*?)\1\s*\)""")
CSS_IMPORT = re.compile(r"""@import\s+(?:url\(\s*)?(["']?)([^"')\s;]+)\1""")
JS_IMPORT = re.compile(r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w*{},$\s]+?\s*from\s*)?["']([^"'\n]+)["']""")
JS_OUTSIDE = re.compile(r"""\b(?:import|fetch|importScripts)\s*\(?\s*["'`]((?:https?:)?//[^"'`\s]+)""")


@dataclass
class Page(HTMLParser):
    """One page as read: its anchors, links, and what it loads."""

    path: Path
    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)  # where a reader can go
    loads: set[str] = field(default_factory=set)  # what the browser fetches by itself
    later: set[str] = field(default_factory=set)  # what it fetches when it is scrolled into view
    models: set[str] = field(default_factory=set)
    views: set[str] = field(default_factory=set)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)
        self.inside = self.text = ""  # "style", "script" or "state" while in the text of one
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        self.loads |= style_urls(given.get("style", ""))
        if tag in ("a", "area") and "href" in given:
            self.links.add(given["href"])
        elif tag == "link" and not POINTERS & set(given.get("rel", "").lower().split()):
            self.loads.add(given.get("href", ""))
        else:
            self._loads(tag, given)
        self.loads |= {given["data-view"]} if "data-view" in given else set()  # page.mjs loads it
        self.inside, self.text = self._kind(tag, given), ""

    def _loads(self, tag: str, given: dict[str, str]) -> None:
        named = {given[name] for name in ("src", "poster") if name in given}
        named |= {choice.split()[0] for choice in given.get("srcset", "").split(",") if choice.split()}
        named |= {given["data"]} if tag == "object" and "data" in given else set()
        (self.later if given.get("loading") == "lazy" else self.loads).update(named)

    def _kind(self, tag: str, given: dict[str, str]) -> str:
        if tag == "script" and given.get("type", "").startswith("application/vnd.jupyter.widget-state"):
            return "state"
        return tag if tag in ("script", "style") else ""

    def handle_data(self, text: str) -> None:
        if self.inside:
            self.text += text  # the parser may hand over one script in several pieces

    def handle_endtag(self, tag: str) -> None:
        if self.inside == "style":
            self.loads |= style_urls(self.text)
        elif self.inside == "script":
            self.loads |= set(JS_OUTSIDE.findall(self.text))
        elif self.inside == "state":
            self._widgets(json.loads(self.text)["state"].values())
        self.inside = self.text = ""

    def _widgets(self, entries) -> None:
        """The model files and views that live widgets will ask for (`vec2gpt/widgets/live.py`)."""
        for state in (entry["state"] for entry in entries if "view" in entry["state"]):
            self.views.add(state["view"])
            self.models |= set(state.get("spec", {}).get("models", {}).values())


def style_urls(css: str) -> set[str]:
    """Everything that a piece of CSS names, imported sheets included."""
    return {url for _, url in CSS_URL.findall(css) + CSS_IMPORT.findall(css)}


def source(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def read(site: Path) -> dict[Path, Page]:
    """Every page; the theme leaves a few templates of its own under _static, which nobody reads."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]
    return {path: Page(path) for path in paths}


def check(site: Path) -> list[str]:
    """Every problem of every kind; an empty list for a good site."""
    checks = (no_pages, broken_links, missing_parts, other_hosts, heavy_pages)
    return [problem for look in checks for problem in look(site)]


def no_pages(site: Path) -> list[str]:
    return [] if (site / "index.html").is_file() else [f"{site.name} has no index.html"]


def broken_links(site: Path) -> list[str]:
    """Links and anchors that lead nowhere, and files that a page or a style sheet loads but are not there."""
    pages = read(site)
    found = []
    for page in pages.values():
        for url in sorted(page.links | page.loads | page.later):
            if reason := _broken(url, page.path, site, pages):
                found.append(f"{page.path.relative_to(site)}: {url} {reason}")
    for sheet in sorted(site.rglob("*.css")):
        for url in sorted(style_urls(source(sheet))):
            if _inside(url) and not target(url, sheet, site).is_file():
                found.append(f"{sheet.relative_to(site)}: {url} is not there")
    return found


def _broken(url: str, origin: Path, site: Path, pages: dict[Path, Page]) -> str:
    if not _inside(url):
        return ""
    if url.startswith("/"):
        return "starts at the host's root: the site may lie in a folder"
    file, anchor = target(url, origin, site), unquote(urlsplit(url).fragment)
    if not file.is_file():
        return "is not there"
    if anchor and file in pages and anchor != "top" and anchor not in pages[file].ids:
        return f"has no anchor {anchor}"
    return ""


def _inside(url: str) -> bool:
    return not OUTSIDE.match(url) and not urlsplit(url).scheme  # mailto:, data: and the like have a scheme


def target(url: str, origin: Path, site: Path) -> Path:
    """The file that `url`, written in the file `origin`, stands for."""
    path = unquote(urlsplit(url).path)
    file = (site / path.lstrip("/") if path.startswith("/") else origin.parent / path) if path else origin
    file = Path(*file.parts).resolve()
    return file / "index.html" if file.is_dir() else file


def missing_parts(site: Path) -> list[str]:
    """Models and views that a page's widgets will ask for, and are not in the site."""
    static, found = site / "_static", []
    for page in read(site).values():
        wanted = [static / "models" / name for name in page.models]
        wanted += [static / "views" / f"{name}.mjs" for name in page.views]
        missing = sorted(part.relative_to(site).as_posix() for part in wanted if not part.is_file())
        found += [f"{page.path.relative_to(site)}: {part} is not in the site" for part in missing]
    return found


def other_hosts(site: Path) -> list[str]:
    """Anything that a page, a style sheet or a module would load from another host. Links may go there."""
    found = []
    for page in read(site).values():
        urls = sorted(url for url in page.loads | page.later if OUTSIDE.match(url))
        found += [f"{page.path.relative_to(site)} loads {url} from another host" for url in urls]
    for file in sorted([*site.rglob("*.css"), *site.rglob("*.mjs")]):
        urls = style_urls(source(file)) if file.suffix == ".css" else JS_OUTSIDE.findall(source(file))
        found += [
            f"{file.relative_to(site)} loads {url} from another host" for url in urls if OUTSIDE.match(url)
        ]
    return found


def heavy_pages(site: Path) -> list[str]:
    """Pages above the limit. Fonts count where a page asks for them; what waits for a touch does not."""
    weights = {page.path.relative_to(site): weight(page, site) for page in read(site).values()}
    return [
        f"{path}: {size / 1e6:.2f} MB on the wire, more than {LIMIT / 1e6} MB"
        for path, size in weights.items()
        if size > LIMIT
    ]


def weight(page: Page, site: Path) -> int:
    """Bytes on the wire, gzipped, of a page and of all that it loads by itself."""
    parts, waiting = set(), [page.path] + [target(url, page.path, site) for url in page.loads if _inside(url)]
    while waiting:
        part = waiting.pop()
        if part.is_file() and part not in parts:
            parts.add(part)
            waiting += [target(url, part, site) for url in _imports(part) if _inside(url)]
    return sum(_wire(part) for part in parts)


@cache
def _wire(part: Path) -> int:
    return len(gzip.compress(part.read_bytes(), 6))


@cache
def _imports(part: Path) -> list[str]:
    """What a style sheet or a module pulls in at once."""
    if part.suffix == ".css":
        return [url for _, url in CSS_IMPORT.findall(source(part))]
    return JS_IMPORT.findall(source(part)) if part.suffix == ".mjs" else []
