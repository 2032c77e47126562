"""A visitor to the built site, in a real browser that reaches no other host. The benchmarks use it too."""

import os
import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


@contextmanager
def start_browser():
    """The Chromium that `make test` found, or one on the PATH, or Playwright's own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def mounted(page):
    """Wait until the page's widgets stand: before that, each is a still picture that will be replaced."""
    page.wait_for_function("document.documentElement.dataset.widgets === 'ready'")


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
            mounted(self.page)
        return self.page

    def widget(self, name: str, nth: int = 0):
        return Widget(self.page, name, nth)


class Widget:
    """One widget of a page, found by the name of its view: the first of that view, or the nth after it."""

    def __init__(self, page, name: str, nth: int = 0):
        self.page, self.name = page, name
        self.root = page.locator(f".v2g-host[data-view*='/{name}.mjs'] > .v2g").nth(nth)

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
