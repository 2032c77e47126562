"""Every page of the book: quiet, alone, light enough, and fit for everybody."""

import gzip
import json
import re

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
    right = "(part) => part.getBoundingClientRect().right"
    over = f"all => all.map((m) => ({right})(m) - ({right})(m.closest('.v2g')))"
    outside = page.locator(".v2g select").evaluate_all(over)
    assert all(pixels <= 0 for pixels in outside)  # long names of models: a widget hides what sticks out


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


# ---- the frame -------------------------------------------------------------------------------------------

ICONS = """() => [...document.querySelectorAll("[class*=' fa-'], [class^=fa-]")].map((e) => {
  const drawn = getComputedStyle(e, "::before");
  return [e.className, drawn.maskImage.startsWith("url(") && parseFloat(drawn.width) > 8];
})"""
COVER = "book/index.html"


@pytest.mark.parametrize("path", PAGES)
def test_every_icon_is_drawn_and_the_theme_s_own_are_not_loaded(visit, path):
    v = visit()
    icons = v.open(path).evaluate(ICONS)
    assert len(icons) > 8 and [name for name, drawn in icons if not drawn] == []
    assert [url for url in v.requests if "fontawesome" in url] == []


@pytest.mark.parametrize("path", [COVER, CHAPTERS[0]])
def test_every_button_of_the_frame_has_a_name(visit, path):
    page = visit().open(path)
    shown = ".bd-header-article button:visible, .search-button-field"
    for button in page.locator(shown).all():
        assert button.evaluate("b => b.ariaLabel || b.title || b.innerText.trim()")


def test_the_theme_can_be_switched_and_stays_switched(visit):
    page = visit(color_scheme="light").open(CHAPTERS[0])
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    button = page.get_by_role("button", name="Color mode").first
    while page.evaluate("document.documentElement.dataset.theme") != "dark":
        button.click()
    assert page.evaluate(ground) != before
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_contents_can_be_put_away_and_a_phone_opens_them(visit):
    page = visit().open(CHAPTERS[0])
    page.locator(".primary-toggle").click()
    page.locator("#pst-primary-sidebar").wait_for(state="hidden")
    phone = visit(viewport={"width": 360, "height": 780}).open(CHAPTERS[0])
    phone.locator(".primary-toggle").click()
    phone.locator("#pst-primary-sidebar-modal[open] nav a").first.wait_for()


def test_paper_is_white_whatever_the_theme(visit):
    page = visit(color_scheme="dark").open(CHAPTERS[0])
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    assert page.evaluate(f"dispatchEvent(new Event('beforeprint')), {theme}") == "light"
    assert page.evaluate(f"dispatchEvent(new Event('afterprint')), {theme}") == "dark"


def test_a_search_finds_a_word(visit):
    page = visit().open(CHAPTERS[0])
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog[open] input").fill("softmax")
    page.keyboard.press("Enter")
    page.locator("#search-results li a", has_text="Before you start").first.wait_for()


def test_a_menu_opens_and_leads_to_colab_but_not_from_the_cover(visit):
    v = visit()
    page = v.open(CHAPTERS[0])
    page.get_by_role("button", name="Launch interactive content").click()
    assert "colab" in page.get_by_role("link", name="Colab").get_attribute("href")
    assert v.open(COVER).get_by_role("button", name="Launch interactive content").count() == 0


def test_code_can_be_copied(visit):
    v = visit()
    v.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = v.open(CHAPTERS[0])
    cell = page.locator(".cell_input .highlight").first
    cell.hover()
    cell.locator(".copybtn").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('import torch')")


def test_text_is_set_in_the_book_s_letters(visit):
    page = visit().open(CHAPTERS[0])
    page.wait_for_function("document.fonts.check('18px \"Source Serif\"')")
    assert page.evaluate(
        "[...document.fonts].some(f => f.family.includes('Source Serif') && f.status === 'loaded')"
    )


@pytest.mark.parametrize("path", CHAPTERS)
def test_lines_stay_readable_on_the_widest_screen(visit, path):
    """Running text has some 70 letters a line, as the paragraphs themselves count them."""
    page = visit(viewport={"width": 1920, "height": 1000}).open(path)
    letters = page.locator(".bd-article > section > section > p").evaluate_all("""all => all.flatMap((p) => {
      const lines = Math.round(p.offsetHeight / parseFloat(getComputedStyle(p).lineHeight));
      return lines > 3 && !p.querySelector("mjx-container") ? p.innerText.length / (lines - .5) : [];
    })""")
    assert len(letters) > 3
    assert 60 <= sum(letters) / len(letters) <= 78


# ---- the cover, the notation ------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height", "shown"), [(1200, 900, 250), (360, 780, 150)])
def test_the_cover_shows_a_widget_before_the_first_scroll(visit, width, height, shown):
    page = visit(viewport={"width": width, "height": height}).open(COVER)
    assert page.locator(".v2g-host > .v2g").first.bounding_box()["y"] <= height - shown


def test_the_cover_says_the_title_once(visit):
    assert visit().open(COVER).title() == "From Word Vectors to GPT"


def test_the_story_links_the_chapters_that_stand_and_says_of_the_others_that_they_do_not(visit):
    page = visit().open(COVER)
    panels = page.locator(".panels > li")
    assert panels.count() == 8
    for panel in panels.all():
        line = panel.locator(".chapters")
        assert (line.locator("a").count() > 0) != ("in writing" in line.inner_text())
    standing = {int(path.split("/")[1][:2]) for path in CHAPTERS}
    linked = {int(text.split()[-1]) for text in page.locator(".panels .chapters a").all_inner_texts()}
    named = {
        int(n)
        for text in page.locator(".panels .chapters").all_inner_texts()
        for n in re.findall(r"\d+", text)
    }
    assert linked == standing & named


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_notation_shows_the_widgets_own_colours(visit, theme):
    page = visit(color_scheme=theme).open("book/notation.html")
    colours = page.evaluate("""() => {
      const widget = Object.assign(document.createElement("div"), { className: "v2g" });
      document.body.append(widget);
      const colour = (name) => {
        widget.style.background = `var(--${name})`;
        return getComputedStyle(widget).backgroundColor;
      };
      return [...document.querySelectorAll(".swatch:not(.wide)")].map((swatch) => {
        const word = swatch.parentElement.innerText.trim().split(" ")[0];
        const name = { encoder: "key", decoder: "query" }[word] ?? word;
        return [word, getComputedStyle(swatch).backgroundColor, colour(name)];
      });
    }""")
    assert len(colours) == 11
    assert [one for one in colours if one[1] != one[2] or one[1] == "rgba(0, 0, 0, 0)"] == []


# ---- widgets ---------------------------------------------------------------------------------------------


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
