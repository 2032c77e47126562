"""The built site, served on this machine and opened in a real browser that reaches no other host."""

import os
import pathlib
import shutil
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from tasks.server import server

ROOT = pathlib.Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


def serve(folder: pathlib.Path):
    """Serve `folder` on a free port; the server's address and the server."""
    running = server(folder, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{running.server_port}/", running


@pytest.fixture(scope="session")
def site():
    """The address of the finished book."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book` first (make test does)")
    address, running = serve(HTML)
    yield address
    running.shutdown()


@contextmanager
def start_browser():
    """The Chromium that `make test` found, or one on the PATH, or Playwright's own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser():
    with start_browser() as browser:
        yield browser


class Visit:
    """A page and what went wrong on it: messages on its console, and requests to other hosts."""

    def __init__(self, browser, site: str, **options):
        self.context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
        self.page = self.context.new_page()
        self.site, self.problems, self.requests = site, [], []
        self.page.route("**/*", self._only_here)
        self.page.on("requestfinished", lambda request: self.requests.append(request.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))

    def _only_here(self, route):
        url = route.request.url
        if url.startswith((self.site, "data:", "blob:")):
            route.continue_()
        else:
            self.problems.append(f"asks another host: {url}")
            route.abort()

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def open(self, path: str):
        """Go to a page and wait until its widgets stand."""
        self.page.goto(self.site + path)
        if self.page.locator(".v2g-host").count():
            self.page.wait_for_function("document.documentElement.dataset.widgets === 'ready'")
        return self.page

    def widget(self, name: str):
        return Widget(self.page, name)


class Widget:
    """One widget of a page, found by the name of its view."""

    def __init__(self, page, name: str):
        self.page, self.name = page, name
        self.root = page.locator(f".v2g-host[data-view*='/{name}.mjs'] > .v2g").first

    def part(self, name: str):
        return self.root.locator(f".v2g-{name}")

    def control(self, name: str):
        return self.root.locator(f"[name={name}]")

    def answers(self) -> int:
        return int(self.root.get_attribute("data-answers") or 0)

    def after(self, action):
        """Do `action` and wait for the answer that it causes."""
        before = self.answers()
        action()
        self.page.wait_for_function(
            "([root, n]) => +(root.dataset.answers ?? 0) > n",
            arg=[self.root.element_handle(), before],
            timeout=60_000,
        )
        return self

    def slide(self, name: str, value: float):
        """Move a slider, as a hand does: the value, then the event."""
        return self.after(lambda: self.control(name).fill(str(value)))

    def context(self, path: str):
        """A part of what the widget holds: `state.text`, `result.ids.data` …"""
        js = f"root => {{ const v = root.context.{path}; return ArrayBuffer.isView(v) ? [...v] : v; }}"
        return self.root.evaluate(js)

    def sentence(self) -> str:
        return self.part("sentence").inner_text()


@pytest.fixture
def visit(browser, site):
    """A fresh visitor; a message on the console or a request to another host fails the test."""
    visits = []

    def start(*, forgive: str = "", **options) -> Visit:
        visits.append((Visit(browser, site, **options), forgive))
        return visits[-1][0]

    yield start
    problems = [p for v, forgive in visits for p in v.problems if not (forgive and forgive in p)]
    for one, _ in visits:
        one.context.close()
    assert not problems, "\n".join(problems)
