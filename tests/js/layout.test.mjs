import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const kit = await load("softmax");                            // every view holds all parts

test("fitted keeps one scale on both axes, and all points inside", () => {
  const points = [[0, 0], [2, 1], [1, 3]], into = kit.fitted(points, 200, 100, [10, 20]), at = points.map(into);
  for (const [x, y] of at) assert.ok(x >= 10 && x <= 190 && y >= 19.99 && y <= 80.01);
  assert.ok(Math.abs(at[1][0] - at[0][0] - 2 * (at[0][1] - at[1][1])) < 1e-9);   // 2 to the right, 1 up
  assert.deepEqual(kit.fitted([[5, 5]], 200, 100, [10, 20])([5, 5]), [100, 50]);
});

test("a matrix is shaded by a path for each shade, equal neighbours in one piece, and nearly nothing stays blank", () => {
  const html = kit.shaded([[0, 0.01, 1, 1], [0.5, 1, 0.5, 0.5]], 10, 5, "red"), paths = [...html.matchAll(/d="([^"]*)" fill="red" fill-opacity="([^"]*)"/g)].map(([, d, opacity]) => [opacity, d]);
  assert.deepEqual(paths, [["0.5", "M0 5h10v5H0zM20 5h20v5H20z"], ["1", "M20 0h20v5H20zM10 5h10v5H10z"]]);
  assert.equal(kit.shaded([[0, 0]], 10, 5, "red"), "");
  assert.match(kit.shaded([[0.04]], 1, 1, "red"), /fill-opacity="0.125"/);   // a little is drawn
});

test("labels stand free where there is room, keep a given side, and tell where they are covered", () => {
  const free = kit.labelled([{ x: 50, y: 50, text: "one" }, { x: 50, y: 66, text: "two" }], 200, 100, 12);
  for (const { covered } of free) assert.ok(Math.abs(covered) < 1e-9);
  const [right] = kit.labelled([{ x: 190, y: 50, text: "word" }], 200, 100, 12);
  assert.equal(right.anchor, "end");                           // no room to the right
  assert.deepEqual(kit.labelled([{ x: 50, y: 50, text: "one", side: [0, 1] }], 200, 100, 12)[0].side, [0, 1]);
  const heap = kit.labelled(Array.from({ length: 20 }, () => ({ x: 50, y: 50, text: "heap" })), 200, 100, 12);
  assert.ok(heap[0].covered < 0.3 && heap[19].covered > 0.5);
});
