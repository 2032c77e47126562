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

test("labels stand free where there is room, keep a given side, and tell where they are covered", () => {
  const free = kit.labelled([{ x: 50, y: 50, text: "one" }, { x: 50, y: 66, text: "two" }], 200, 100, 12);
  for (const { covered } of free) assert.ok(Math.abs(covered) < 1e-9);
  const [right] = kit.labelled([{ x: 190, y: 50, text: "word" }], 200, 100, 12);
  assert.equal(right.anchor, "end");                           // no room to the right
  assert.deepEqual(kit.labelled([{ x: 50, y: 50, text: "one", side: [0, 1] }], 200, 100, 12)[0].side, [0, 1]);
  const heap = kit.labelled(Array.from({ length: 20 }, () => ({ x: 50, y: 50, text: "heap" })), 200, 100, 12);
  assert.ok(heap[0].covered < 0.3 && heap[19].covered > 0.5);
});
