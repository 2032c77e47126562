"""Fixtures of the browser tests: the finished site, a browser, and visitors to it."""

import pytest
from browsing import Visit, start_browser

from tasks.places import HTML
from tasks.server import serving


@pytest.fixture(scope="session")
def site():
    """The address of the finished book."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book` first (make test does)")
    with serving(HTML) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with start_browser() as browser:
        yield browser


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
