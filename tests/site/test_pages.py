"""Every page of the book: quiet, alone, light enough, and fit for everybody."""

import gzip
import json

import pytest

from tasks.links import LIMIT
from tasks.places import HTML, ROOT

PAGES = sorted(str(p.relative_to(HTML)) for p in HTML.glob("book/*.html"))
CHAPTERS = [page for page in PAGES if page.startswith(("book/0", "book/1"))]
WITH_WIDGETS = [page for page in PAGES if "v2g-host" in (HTML / page).read_text()]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def test_there_are_pages():
    assert CHAPTERS and WITH_WIDGETS and "book/index.html" in PAGES


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(visit, path, theme):
    page = visit(color_scheme=theme, reduced_motion="reduce").open(path)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    report = [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes'][:3]]}" for v in found]
    assert not report, "\n".join(report)


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_it_without_sideways_scrolling(visit, path):
    page = visit(viewport={"width": 360, "height": 780}, has_touch=True).open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_before_the_first_touch(visit, site, path):
    v = visit()
    v.open(path)
    v.page.wait_for_load_state("networkidle")
    files = {
        HTML / url.removeprefix(site).split("?")[0].split("#")[0]
        for url in v.requests
        if url.startswith(site)
    }
    assert not [f for f in files if f.suffix in (".wasm", ".onnx")], "a model is loaded before it is asked"
    wire = sum(len(gzip.compress(f.read_bytes())) for f in files)
    assert wire <= LIMIT, json.dumps({str(f.relative_to(HTML)): f.stat().st_size for f in files}, indent=1)


@pytest.mark.parametrize("path", WITH_WIDGETS)
def test_the_first_picture_stands_without_javascript(visit, site, path):
    page = visit(java_script_enabled=False).page
    page.goto(site + path)
    hosts = page.locator(".v2g-host")
    for k in range(hosts.count()):
        picture = hosts.nth(k).locator(".v2g-picture")
        assert picture.bounding_box()["height"] > 40
        assert hosts.nth(k).locator(".v2g-sentence").inner_text().strip()


@pytest.mark.parametrize("path", WITH_WIDGETS)
def test_the_first_picture_is_the_one_the_living_widget_starts_with(visit, site, path):
    still = visit(java_script_enabled=False).page
    still.goto(site + path)
    alive = visit().open(path)
    for part in ("picture", "sentence"):
        before = still.locator(f".v2g-{part}").all_inner_texts()
        assert before == alive.locator(f".v2g-{part}").all_inner_texts()


@pytest.mark.parametrize("path", CHAPTERS)
def test_answers_to_the_quiz_are_judged_and_kept(visit, path):
    v = visit()
    page = v.open(path)
    group = page.locator("section#quiz fieldset").first
    options = group.locator("input")
    verdicts = set()
    for k in range(options.count()):
        options.nth(k).check()
        verdicts.add(group.locator("[aria-live]").inner_text().split(".")[0])
    assert verdicts == {"Right", "Not that one"}
    last = options.count() - 1
    page.reload()
    assert page.locator("section#quiz fieldset").first.locator("input").nth(last).is_checked()


@pytest.mark.parametrize("path", CHAPTERS)
def test_an_exercise_can_be_ticked_off_and_stays_so(visit, path):
    v = visit()
    page = v.open(path)
    page.locator(".done input").first.check()
    page.reload()
    assert page.locator(".done input").first.is_checked()


def test_the_picture_for_the_readme(visit):
    """A reader's first look at the repository: a widget of chapter 0, as this browser shows it."""
    v = visit(viewport={"width": 1200, "height": 760})
    page = v.open("book/00_before_you_start.html")
    w = v.widget("softmax").slide("temperature", 0.5)
    w.root.evaluate("root => root.scrollIntoView({block: 'center'})")
    shot = HTML.parent / "screenshot.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 20_000
