"""Widgets on the finished page, in Chromium: from a change until the new picture's markup stands.

"Drawn" is the view's own work, until the picture's markup is replaced; the browser's painting comes on top.
`make bench` builds the site first. Changes and gestures are chosen so that each differs from the last
one: an equal question is not asked again, and its answer would be waited for in vain.
"""

import sys
from collections.abc import Iterator
from random import Random
from statistics import median

from playwright.sync_api import Error

from benchmarks.row import Row, Unmeasured
from tasks.places import HTML, ROOT
from tasks.server import serving
from vec2gpt.grammar import pair

WORKBENCH = "book/workbench.html"
CHARACTERS = ("To be, or not to be, that is the question: " * 3)[:100]

# In the page: `read` does something, waits for its answer, and says how long that and the drawing took (ms);
# `acted` is what is done at once, before the answer: the last picture drawn with the new state, and advice.
READ = """const fail = (root, why) => { throw new Error(`${root.ariaLabel}: ${why}`); };
const read = async (root, act) => {
  const answers = () => +(root.dataset.answers ?? 0), before = answers(), end = performance.now() + 60_000;
  const began = performance.now();
  act();
  const acted = performance.now() - began, drawn = +root.dataset.drawn;
  while (answers() === before) {
    if (performance.now() > end) fail(root, "no answer came within a minute");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  if (root.dataset.problem) fail(root, root.dataset.problem);
  return { answered: +root.dataset.ms, drawn, acted };
};"""
CHANGE = f"""async ([root, field, values]) => {{
  {READ}
  const times = [], input = root.querySelector(`[name=${{field}}]`);
  for (const value of values) {{
    if (input.value === String(value)) fail(root, `${{field}} is ${{value}} already`);
    times.push(await read(root, () => {{
      input.value = value;
      input.dispatchEvent(new Event("input", {{ bubbles: true }}));
    }}));
  }}
  return times;
}}"""
PRESS = f"""async ([root, points, answered]) => {{
  {READ}
  const times = [], picture = root.querySelector(".v2g-picture");
  for (const [x, y] of points) {{
    const place = new DOMPoint(x, y).matrixTransform(picture.querySelector("svg").getScreenCTM());
    const at = {{ clientX: place.x, clientY: place.y, pointerId: 1, bubbles: true }};
    const send = (kind) => picture.dispatchEvent(new PointerEvent(kind, at));
    if (answered === "pointerup") {{
      send("pointerdown");
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }}
    times.push(await read(root, () => send(answered)));
    if (answered === "pointerdown") send("pointerup");
  }}
  return times;
}}"""


class Widget:
    """One widget of the workbench, moved from inside the page so that nothing else is timed."""

    def __init__(self, visit, name: str):
        self.page, self.found = visit.page, visit.widget(name)
        self.found.root.scroll_into_view_if_needed()

    def change(self, field: str, *values) -> list[dict[str, float]]:
        """Give a control one value after the other; the milliseconds of each."""
        return self._do(CHANGE, field, values)

    def press(self, *points: tuple[float, float], answered: str = "pointerdown") -> list[dict[str, float]]:
        """Press the picture at one point after the other, in its own units; the milliseconds of each.

        answered: the event that the widget answers, "pointerdown" or "pointerup".
        """
        return self._do(PRESS, points, answered)

    def _do(self, script: str, *arguments) -> list[dict[str, float]]:
        return self.page.evaluate(script, [self.found.root.element_handle(), *arguments])


def rows() -> Iterator[Row]:
    sys.path.insert(0, str(ROOT / "tests" / "site"))  # the browser tests' own visitor
    from browsing import Visit, start_browser

    with serving(HTML) as address, start_browser() as browser:
        visit = Visit(browser, address)
        try:
            visit.open(WORKBENCH)
            for part in (softmax, arithmetic, training_map, gradient, valves, say, tree, repaint, writer):
                yield from part(Widget(visit, part.__name__))
        except Error as error:
            visit.problems.insert(0, error.message.splitlines()[0])
        if visit.problems:
            raise Unmeasured("the page complained: " + "; ".join(visit.problems))


def typical(times: list[dict[str, float]], what: str = "answered") -> float:
    return median(one[what] for one in times)


def softmax(widget: Widget) -> Iterator[Row]:
    (first,) = widget.change("temperature", 2)
    yield Row("first touch, cold: runtime and a small model", first["answered"], "ms", "≤ 1500")
    times = widget.change("temperature", *(k / 10 for k in range(1, 41)))
    yield Row("softmax: one answer", typical(times), "ms", "≤ 16")


def arithmetic(widget: Widget) -> Iterator[Row]:
    """One first word after the other, among ten thousand; then words in no list, which are searched for."""
    words = widget.found.context("settings.words.GloVe")[500:560]
    times = widget.change("a", *words)
    yield Row("word arithmetic: neighbours and their map", typical(times), "ms", "≤ 16")
    times = widget.change("a", *(f"{word[1:]}{word}" for word in words))
    yield Row("word arithmetic: offers for an unknown word", typical(times, "acted"), "ms", "≤ 16")


def training_map(widget: Widget) -> Iterator[Row]:
    """Words travel between two snapshots of a training."""
    times = widget.change("position", *(k / 4 for k in range(24)))
    yield Row("training map: a moment's words and neighbours", typical(times), "ms", "≤ 16")


def gradient(widget: Widget) -> Iterator[Row]:
    """The recurrent matrix is scaled, over a hundred steps there and back."""
    widget.change("length", 100)
    times = widget.change("scale", *(k / 20 for k in range(2, 42)))
    yield Row("gradient through time: a hundred steps and back", typical(times), "ms", "≤ 16")


def valves(widget: Widget) -> Iterator[Row]:
    """A gate is held at every fifth of a hundred characters."""
    widget.change("text", CHARACTERS)
    times = widget.press(*((13 * t + 6, 24 + 10) for t in range(0, 100, 5)))
    yield Row("LSTM: a held gate, until its bar stands", typical(times, "acted"), "ms", "≤ 16")
    yield Row("LSTM: a gate held, 100 characters read anew", typical(times), "ms", "≤ 100")


WORDS = ("through", "extraordinary", "knight", "responsibilities", "colonel", "misunderstanding")


def say(widget: Widget) -> Iterator[Row]:
    """One word after the other, the first of them for the model to load."""
    widget.change("word", "begin")
    times = widget.change("word", *WORDS)
    yield Row("encoder-decoder: a word said", typical(times), "ms", "≤ 100")


def tree(widget: Widget) -> Iterator[Row]:
    """The beam is made wider and narrower; every answer holds the search, greedy search and six samples."""
    widget.change("word", "begin", "extraordinary")
    times = widget.change("width", 1, 8, 2, 7, 4, 6, 5)
    yield Row("search tree: another width", typical(times), "ms", "≤ 100")


SENTENCE = pair(Random(0), length=(24, 24)).source  # the longest that is read


def repaint(widget: Widget) -> Iterator[Row]:
    """The first row is painted, so that every step is decoded anew, at one letter or word after the other."""
    widget.change("text", "translate")
    times = widget.press(*((28 * (k % 9) + 14, 22 + 14) for k in range(20)), answered="pointerup")
    yield Row("attention: a painted row, until its markup stands", typical(times, "acted"), "ms", "≤ 16")
    yield Row("attention: the output decoded anew", typical(times), "ms", "≤ 100")
    widget.change("model", "English to French")
    widget.change("text", " ".join(SENTENCE))
    top = 18 + round(5.2 * max(map(len, SENTENCE)))
    times = widget.press(*((28 * k + 14, top + 14) for k in range(20)), answered="pointerup")
    yield Row("attention: a sentence of 24 words decoded anew", typical(times), "ms", "≤ 100")


def writer(widget: Widget) -> Iterator[Row]:
    widget.change("topK", 40)
    times = widget.change("topP", 0.8, 0.85, 0.9, 0.95)
    length = widget.found.context("state.length")
    yield Row("GPT: tokens a second, with sampling", length / typical(times) * 1000, "/s", "≥ 100")
