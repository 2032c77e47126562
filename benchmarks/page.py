"""Widgets on the finished page (build it first: make book), in Chromium: from a change to the new picture."""

import pathlib
import statistics
import sys
from collections.abc import Iterator

from benchmarks.row import Row

ROOT = pathlib.Path(__file__).parents[1]
WORKBENCH = "book/workbench.html"

# In the page: do something twenty times, and read how long each answer, or each drawing, took.
CHANGE = """async ([root, field, values, read]) => {
  const times = [], input = root.querySelector(`[name=${field}]`);
  for (const value of values) {
    const before = +(root.dataset.answers ?? 0);
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    while (+(root.dataset.answers ?? 0) === before) await new Promise((r) => setTimeout(r, 0));
    times.push(+root.dataset[read]);
  }
  return times;
}"""
PRESS = """async ([root, points]) => {
  const times = { ms: [], drawn: [] }, picture = root.querySelector(".v2g-picture");
  for (const [x, y] of points) {
    const box = picture.querySelector("svg").getBoundingClientRect();
    const before = +(root.dataset.answers ?? 0);
    const at = { clientX: box.x + x, clientY: box.y + y, pointerId: 1, bubbles: true };
    picture.dispatchEvent(new PointerEvent("pointerdown", at));
    times.drawn.push(+root.dataset.drawn);
    picture.dispatchEvent(new PointerEvent("pointerup", at));
    while (+(root.dataset.answers ?? 0) === before) await new Promise((r) => setTimeout(r, 0));
    times.ms.push(+root.dataset.ms);
  }
  return times;
}"""


def rows() -> Iterator[Row]:
    sys.path.insert(0, str(ROOT / "tests" / "site"))
    from conftest import Visit, serve, start_browser

    address, server = serve(ROOT / "_build" / "html")
    with start_browser() as browser:
        visit = Visit(browser, address)
        visit.open(WORKBENCH)

        def root(name):
            found = visit.widget(name).root
            found.scroll_into_view_if_needed()
            return found.element_handle()

        def change(name, field, values, read="ms"):
            return visit.page.evaluate(CHANGE, [root(name), field, values, read])

        def press(name, points):
            return visit.page.evaluate(PRESS, [root(name), points])

        first = change("softmax", "temperature", [2])[0]
        yield Row("first touch, cold: runtime and a small model", first, "ms", "≤ 1500")
        yield Row(
            "softmax: one answer",
            statistics.median(change("softmax", "temperature", [k / 10 for k in range(1, 41)])),
            "ms",
            "≤ 16",
        )
        change("valves", "unit", [1])
        gates = press("valves", [[74 + 13 * t + 6, 24 + 10] for t in range(0, 100, 5)])
        yield Row(
            "LSTM: a gate held, 100 characters read anew", statistics.median(gates["ms"]), "ms", "≤ 100"
        )
        change("repaint", "word", ["attention"])
        rows = press("repaint", [[60 + 15 + 30 * (k % 9), 28 + 15 + 30 * (k % 7)] for k in range(20)])
        yield Row("attention: a painted row, drawn", statistics.median(rows["drawn"]), "ms", "≤ 16")
        yield Row("attention: the output decoded anew", statistics.median(rows["ms"]), "ms", "≤ 100")
        change("writer", "topK", [40])
        times = change("writer", "topP", [0.8, 0.85, 0.9, 0.95])
        length = visit.widget("writer").context("state.length")
        yield Row(
            "GPT: tokens a second, with sampling", length / statistics.median(times) * 1000, "/s", "≥ 100"
        )
    server.shutdown()
