import assert from "node:assert/strict";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const [softmax, valves, repaint, writer] = await Promise.all(["softmax", "valves", "repaint", "writer"].map(load));

test("softmax: a height is a score, the middle is zero, and scores stay in range", () => {
  assert.equal(softmax.scoreAt(69, 5), 0);                       // 14 + 110 / 2
  assert.equal(softmax.scoreAt(-1000, 5), 5);
  assert.equal(softmax.scoreAt(1000, 5), -5);
});

test("softmax: arrows walk round the words and lift the chosen one", () => {
  const settings = { labels: ["a", "b", "c"], logits: [0, 0, 0], temperature: 1, limit: 5 }, state = softmax.view.start(settings);
  const left = softmax.view.act({ state, settings }, { kind: "key", key: "ArrowLeft" });
  assert.equal(left.at, 2);
  assert.deepEqual(softmax.view.act({ state: left, settings }, { kind: "key", key: "ArrowUp" }).logits, [0, 0, 0.1]);
  assert.equal(softmax.view.act({ state, settings }, { kind: "key", key: "x" }), undefined);
});

test("softmax: a press beside the scores does nothing, one on a word only chooses it", () => {
  const settings = { labels: ["a", "b"], logits: [1, 2], temperature: 1, limit: 5 }, state = softmax.view.start(settings);
  const act = (gesture) => softmax.view.act({ state, settings }, { from: gesture, ...gesture });
  assert.equal(act({ kind: "press", x: 100, y: 230 }), undefined);
  assert.equal(act({ kind: "press", x: 900, y: 50 }), undefined);
  assert.deepEqual(act({ kind: "press", x: 300, y: 140 }), { ...state, at: 1 });
  assert.equal(act({ kind: "drag", x: 300, y: 20, from: { x: 300, y: 140 } }), undefined);
});

test("valves: looking at a letter holds nothing, however the pointer moves", () => {
  const state = { text: "abc", held: { 0: [1, 0, 1] }, at: 0, gate: 0, unit: 0 }, from = { x: 80, y: 24 + 54 * 4 };
  const looked = valves.view.act({ state }, { kind: "press", ...from, from });
  assert.deepEqual(looked.held, state.held);
  assert.equal(valves.view.act({ state: looked }, { kind: "drag", x: 80, y: 30, from }), undefined);
  assert.equal(valves.view.act({ state }, { kind: "press", x: 10, y: 30 }), undefined);
});

test("valves: holding and freeing leaves the other steps alone", () => {
  const held = valves.hold({ 3: [1, 0, 1] }, 5, [0, 1, 1]);
  assert.deepEqual(held, { 3: [1, 0, 1], 5: [0, 1, 1] });
  assert.deepEqual(valves.hold(held, 3, null), { 5: [0, 1, 1] });
});

test("valves: the model is asked for the values held, and for -1 where a gate is free", async () => {
  const settings = { text: "abca", alphabet: ["a", "b", "c"], unit: 2, units: 8, limit: 100 };
  const state = { ...valves.view.start(settings), held: { 1: [null, 0.25, null] } };
  let asked;
  for await (const _ of valves.view.compute({ state, settings }, async (inputs) => (asked = inputs)));
  assert.deepEqual(asked.ids, { dims: [1, 4], data: [0, 1, 2, 0] });
  assert.deepEqual(asked.held.data, [-1, -1, -1, -1, 0.25, -1, -1, -1, -1, -1, -1, -1]);
  assert.deepEqual(asked.unit.data, [2]);
});

test("valves: a link cannot hold gates outside the text or outside 0 to 1", () => {
  const settings = { text: "abc", alphabet: ["a", "b", "c"], unit: 0, units: 8, limit: 100 };
  const state = { ...valves.view.start(settings), held: { 1: [2, -1, "x"], 9: [1, 1, 1], x: [0, 0, 0], 2: 5 }, at: 99 };
  const mended = valves.view.accept({ state, settings });
  assert.deepEqual(mended.held, { 1: [1, 0, null] });
  assert.equal(mended.at, 2);
});

test("valves: a point of the picture is a letter and a band", () => {
  assert.deepEqual(valves.place(74 + 13 * 4 + 1, 24 + 54 + 1, 10), { t: 4, row: 1 });
  assert.equal(valves.place(1e6, 30, 10).t, 9);
});

test("repaint: painted cells share the row equally", () => {
  assert.deepEqual(repaint.shares([1, 3], 4), [0, 0.5, 0, 0.5]);
  assert.equal(repaint.rowsOf([5, 7, 2, 9], 2), 3);
  assert.equal(repaint.rowsOf([5, 7, 9], 2), 3);
});

const repaintSettings = { word: "ab", letters: ["<pad>", "<bos>", "<eos>", "a", "b"], phonemes: ["<pad>", "<bos>", "<eos>", "AE", "B"], eos: 2, limit: 4 };
const repaintContext = () => {
  const state = repaint.view.start(repaintSettings);
  const result = { ids: tensor([1, 4], [3, 4, 2, 2]), weights: tensor([1, 4, 3], Array(12).fill(1 / 3)), probabilities: tensor([1, 4, 5], Array(20).fill(0.2)), choices: tensor([1, 4, 5], Array(20).fill(3)), of: state };
  return { settings: repaintSettings, w: repaint.view.words.en, state, result };
};

test("repaint: a press paints one cell, a drag stays in its row, delete gives the row back", () => {
  const c = repaintContext();
  const pressed = repaint.view.act(c, { kind: "press", x: 60 + 31, y: 28 + 31 });
  assert.deepEqual(pressed.paint.rows, { 1: [1] });
  const dragged = repaint.view.act({ ...c, state: pressed }, { kind: "drag", x: 60 + 1, y: 28 + 70 });
  assert.deepEqual(dragged.paint.rows, { 1: [0, 1] });
  const freed = repaint.view.act({ ...c, state: dragged }, { kind: "key", key: "Delete" });
  assert.deepEqual(freed.paint.rows, {});
});

test("repaint: a press beside the matrix paints nothing", () => {
  const c = repaintContext();
  for (const [x, y] of [[10, 40], [70, 10], [60 + 31 * 4, 40], [70, 28 + 31 * 4]])
    assert.equal(repaint.view.act(c, { kind: "press", x, y }), undefined);
});

test("repaint: a shorter word leaves no cursor and no paint behind its end", () => {
  const state = { word: "a", paint: { word: "ab", rows: { 1: [2] } }, at: [3, 2] };
  const mended = repaint.view.accept({ state, settings: repaintSettings });
  assert.deepEqual(mended, { word: "a", paint: { word: "a", rows: {} }, at: [3, 1] });
});

test("repaint: only the painted rows are sent as weights, and a new word forgets the paint", async () => {
  const c = repaintContext();
  c.state = { ...c.state, paint: { word: "ab", rows: { 1: [0, 2] } } };
  let asked;
  for await (const _ of repaint.view.compute(c, async (inputs) => (asked = inputs)));
  assert.deepEqual(asked.source_ids.data, [3, 4, 2]);
  assert.deepEqual(asked.painted.data.slice(0, 6), [-1, -1, -1, 0.5, 0, 0.5]);
  for await (const _ of repaint.view.compute({ ...c, state: { ...c.state, word: "ba" } }, async (inputs) => (asked = inputs)));
  assert.ok(asked.painted.data.every((w) => w === -1));
});

test("writer: a seed turns the same uniform numbers, and they stay in [0, 1)", () => {
  const numbers = [0, 0.25, 0.9999];
  assert.deepEqual(writer.turn(numbers, 0), numbers);
  for (const seed of [1, 7, 123456]) assert.ok(writer.turn(numbers, seed).every((u) => u >= 0 && u < 1));
  assert.notDeepEqual(writer.turn(numbers, 1), numbers);
});

test("writer: it writes stride by stride, never asks beyond the context, and shows each part", async () => {
  const settings = { prompt: "ab", alphabet: ["a", "b"], context: 8, stride: 4, length: 16, uniform: Array(16).fill(0.5) };
  const state = { ...writer.view.start(settings), length: 16 }, seen = [];
  const results = [];
  for await (const result of writer.view.compute({ state, settings }, async (inputs) => {
    seen.push(inputs.ids.data.length + inputs.u.data.length);
    return { written: tensor([1, 4], [0, 1, 0, 1]), chosen: tensor([1, 4], [0.5, 0.5, 0.5, 0.5]), choices: tensor([1, 4, 5], Array(20).fill(0)), probabilities: tensor([1, 4, 5], Array(20).fill(0.2)) };
  })) results.push(result.written.data.length);
  assert.deepEqual(results, [4, 8, 12, 16]);
  assert.ok(Math.max(...seen) <= settings.context);
});
