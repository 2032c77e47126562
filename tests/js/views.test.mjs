import assert from "node:assert/strict";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const [softmax, valves, repaint, writer, arithmetic, training] = await Promise.all(["softmax", "valves", "repaint", "writer", "arithmetic", "training_map"].map(load));

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

// ---- arithmetic ----

/** Numbers in [0, 1) that are the same at every run. */
function dice(seed = 1) {
  return () => (seed = (seed * 48271) % 2147483647) / 2147483647;
}

const KNOWN = ["the", "king", "queen", "man", "woman", "prince", "paris", "france", "rome", "italy", "bank", "river", "shore", "<b>", "king's"];
const OTHERS = ["a", "b", "rome", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const arithmeticSettings = { asked: ["king", "man", "woman"], examples: [["paris", "france", "italy"], ["bank", "", ""]], words: { large: KNOWN, small: OTHERS } };

/** A widget that is asked by nobody: its state, and answers that a model could have given. */
function arithmeticContext(random = dice()) {
  const state = { ...arithmetic.view.start(arithmeticSettings), model: "large" };
  const answer = (length) => ({
    nearest: tensor([10], Array.from({ length: 10 }, (_, k) => (k + 2) % length)), cosines: tensor([10], Array.from({ length: 10 }, (_, k) => 0.9 - k / 20)),
    asked: tensor([3], [0.95, 0.3, 0.4]), places: tensor([14, 2], Array.from({ length: 28 }, () => random() * 2 - 1)), off: tensor([14], Array.from({ length: 14 }, random)),
  });
  return { c: { settings: arithmeticSettings, w: arithmetic.view.words.en, state, result: { ...answer(KNOWN.length), of: state } }, answer };
}

const asks = async (view, c) => {
  let asked;
  for await (const _ of view.compute(c, async (inputs) => { asked = inputs; return c.result; }));
  return asked;
};

test("arithmetic: what is asked, as a formula", () => {
  for (const [words, text] of [[["a", "b", "c"], "a − b + c"], [["a", "", "c"], "a + c"], [["a", "b", ""], "a − b"], [["", "b", "c"], "−b + c"], [["", "", "c"], "c"], [["", "b", ""], "−b"]])
    assert.equal(arithmetic.formula(words), text);
});

test("arithmetic: empty slots are asked as -1; an unknown word, or none, is not asked at all", async () => {
  const { c } = arithmeticContext(), ask = (words) => asks(arithmetic.view, { ...c, state: { ...c.state, ...words } });
  assert.deepEqual((await ask({ b: "" })).ids, { dims: [3], data: [1, -1, 4] });
  assert.deepEqual((await ask({ allowed: true })).allowed.data, [1]);
  assert.equal(await ask({ b: "mna" }), undefined);
  assert.equal(await ask({ a: "", b: "", c: "" }), undefined);
  assert.equal(await ask({ model: "small" }), undefined);          // where nobody knows a king
});

test("arithmetic: the advice names words near an unknown one, in the vocabulary that is shown", () => {
  const { c } = arithmeticContext(), advice = (words) => arithmetic.view.advice({ ...c, state: { ...c.state, ...words } });
  assert.equal(advice({}), null);
  assert.deepEqual(advice({ b: "mna" }).offers, [{ name: "b", value: "man" }]);
  assert.match(advice({ a: "", b: "", c: "" }).text, /Type a word/);
  assert.deepEqual(advice({ a: "zzzzzz", model: "small", b: "", c: "" }).offers, []);
});

test("arithmetic: the sentence tells when a word that was asked would win, and when it does", () => {
  const { c } = arithmeticContext();
  assert.match(arithmetic.view.sentence(c), /≈ queen, with a cosine of 0\.90\..*king itself would be nearer \(0\.95\)/);
  const result = { ...c.result, nearest: tensor([10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), of: { ...c.state, allowed: true } };
  assert.match(arithmetic.view.sentence({ ...c, result }), /is king itself \(0\.90\).*arrive at queen \(0\.85\)/);
  const zero = { ...c.result, cosines: tensor([10], Array(10).fill(0)), of: { ...c.state, a: "king", b: "king", c: "" } };
  assert.match(arithmetic.view.sentence({ ...c, result: zero }), /king − king leaves nothing/);
  assert.doesNotMatch(arithmetic.view.picture({ ...c, result: zero }), /<svg/);
});

test("arithmetic: a press or enter walks on, arrows choose, a press beside the words does nothing", () => {
  const { c } = arithmeticContext(), act = (gesture, state = c.state) => arithmetic.view.act({ ...c, state }, gesture);
  assert.equal(act({ kind: "click", target: "2" }).a, "queen");
  assert.equal(act({ kind: "click", target: undefined }), undefined);
  assert.equal(act({ kind: "press", x: 1, y: 1, target: "2" }), undefined);      // a press may become a scroll
  assert.equal(act({ kind: "key", key: "Enter" }), undefined);
  const down = act({ kind: "key", key: "ArrowDown" });
  assert.equal(down.at, 0);
  assert.equal(act({ kind: "key", key: "End" }, down).at, 9);
  assert.deepEqual(act({ kind: "key", key: "Enter" }, down), { ...c.state, a: "queen", at: -1 });
});

test("arithmetic: an example fills all slots", () => {
  const { c } = arithmeticContext(), control = arithmetic.view.controls(c).find(({ kind }) => kind === "examples");
  assert.deepEqual(control.act(c, "1"), { ...c.state, a: "bank", b: "", c: "", at: -1 });
});

test("arithmetic: a link brings back the words and the cursor; a control that is moved takes the cursor back", () => {
  const { c } = arithmeticContext(), { view } = arithmetic, model = { kind: "choice", name: "model", options: [["large"], ["small"]] };
  const there = { ...c.state, a: "paris", b: "france", c: "italy", allowed: true, at: 3 };
  const back = (state) => arithmetic.fromLink(arithmetic.toLink("arithmetic", state, c.state), "arithmetic", c, view, [model, ...view.controls(c)]);
  assert.deepEqual(back(there), there);
  assert.deepEqual(back({ ...c.state, model: "small", a: "rome", at: 9 }), { ...c.state, model: "small", a: "rome", at: 9 });
  assert.equal(back({ ...there, at: 99 }).at, 9);
  for (const bad of ["3", null, 1.5, {}]) assert.equal(back({ ...there, at: bad }).at, -1);
  assert.deepEqual(view.moved(there), { ...there, at: -1 });
});

/** Strings of all kinds: known words, parts of them, and rubbish. */
function anything(random) {
  const pick = (list) => list[Math.floor(random() * list.length)], word = pick([...KNOWN, ...OTHERS]);
  return pick(["", word, word.toUpperCase(), ` ${word} `, word.slice(1), word + "x", "__proto__", "constructor", "\ud800", "你好", "\u0000\u202e", "a".repeat(1e4), "<img src=x onerror=alert(1)>",
    String.fromCodePoint(...Array.from({ length: 5 }, () => 1 + Math.floor(random() * 0x2fff)))]);
}

/** Anything that a link can hold. */
const rubbish = (random) => [() => anything(random), () => random() * 100 - 50, () => null, () => ({ x: 1 }), () => [1, "a"], () => random() > 0.5][Math.floor(random() * 6)]();

const sane = (view, c) => {
  const html = view.picture(c) + softmax.esc(view.sentence(c) + (view.advice(c)?.text ?? ""));   // the kit sets these as text
  assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img|<b>/, JSON.stringify(c.state));
  assert.ok(view.picture(c).length > 20);
};

test("arithmetic: a thousand random states, typed and from links, are answered or left alone, and drawn", async () => {
  const random = dice(7), { c, answer } = arithmeticContext(random), { view } = arithmetic, start = c.state;
  for (let n = 0; n < 1000; n++) {
    const wish = Object.fromEntries(["a", "b", "c", "allowed", "at", "model"].filter(() => random() > 0.3).map((key) => [key, random() > 0.3 ? anything(random) : rubbish(random)]));
    const link = `#${new URLSearchParams({ arithmetic: JSON.stringify(wish) })}`, model = { kind: "choice", name: "model", options: [["large"], ["small"]] };
    c.state = arithmetic.fromLink(link, "arithmetic", { ...c, state: start }, view, [model, ...view.controls(c)]);
    for await (const result of view.compute(c, async ({ ids }) => {
      assert.ok(ids.data.every((id) => Number.isInteger(id) && id >= -1 && id < c.settings.words[c.state.model].length) && ids.data.some((id) => id >= 0));
      return answer(c.settings.words[c.state.model].length);
    })) c.result = { ...result, of: c.state };
    sane(view, c);
  }
});

// ---- the training map ----

const trainingSettings = { words: KNOWN, steps: [0, 100, 500], word: "paris", groups: [["places", [6, 7, 8]], ["people", [1, 2]]], corners: [[-1, -1], [1, 1]], final: [[0.5, 0.5], [0.6, 0.5], [0.5, 0.4], [-0.5, 0], [-0.6, 0]] };

function trainingContext(random = dice()) {
  const state = training.view.start(trainingSettings), numbers = (n) => Array.from({ length: n }, () => random() * 2 - 1);
  const answer = () => ({ places: tensor([5, 2], numbers(10)), here: tensor([1, 2], numbers(2)), trail: tensor([3, 2], numbers(6)), nearest: tensor([5], [8, 7, 13, 1, 0]), cosines: tensor([5], [0.9, 0.8, 0.7, 0.1, -0.2]) });
  return { c: { settings: trainingSettings, w: training.view.words.en, state, result: { ...answer(), of: state } }, answer };
}

test("training map: positions between snapshots are steps between them, and cut a path there", () => {
  assert.deepEqual([0, 0.5, 1, 1.25, 2].map((position) => training.stepAt([0, 100, 500], position)), [0, 50, 100, 200, 500]);
  const trail = [[0, 0], [2, 0], [2, 4]];
  assert.deepEqual(training.path(trail, 0), [[0, 0]]);
  assert.deepEqual(training.path(trail, 1.5), [[0, 0], [2, 0], [2, 2]]);
  assert.deepEqual(training.path(trail, 2), trail);
});

test("training map: the model is asked for a place in time and a word; while the word is unknown, for the last one", async () => {
  const { c } = trainingContext(), ask = (wish) => asks(training.view, { ...c, state: { ...c.state, ...wish } });
  assert.deepEqual(await ask({ position: 1.25, word: "king" }), { position: { dims: [1], data: [1.25] }, word: { dims: [1], data: [1] } });
  assert.deepEqual((await ask({ word: "kign" })).word.data, [6]);
});

test("training map: a press follows a word, arrows go through the training and from word to word", () => {
  const { c } = trainingContext(), act = (gesture, state = c.state) => training.view.act({ ...c, state }, gesture);
  assert.equal(act({ kind: "click", target: "13" }).word, "<b>");
  assert.equal(act({ kind: "key", key: "Home" }).position, 0);
  assert.equal(act({ kind: "key", key: "ArrowRight" }).position, 2);
  assert.equal(act({ kind: "key", key: "ArrowLeft" }).position, 1.75);
  assert.equal(act({ kind: "key", key: "ArrowUp" }).word, "queen");              // round the end
  assert.equal(act({ kind: "key", key: "ArrowDown" }, { ...c.state, word: "queen" }).word, "paris");
  for (const [key, word] of [["ArrowDown", "paris"], ["ArrowUp", "queen"]])      // from a word off the map: its first, its last
    assert.equal(act({ kind: "key", key }, { ...c.state, word: "bank" }).word, word);
});

test("training map: only step 0 is before training, wherever the first snapshot stands", () => {
  const { c } = trainingContext(), { view } = training, told = (steps) =>
    view.sentence({ ...c, settings: { ...c.settings, steps }, result: { ...c.result, of: { ...c.state, position: 0 } } });
  assert.match(told([0, 100, 500]), /^Before training/);
  assert.match(told([5, 100, 500]), /^At step 5 /);
});

test("training map: a thousand random states are drawn", async () => {
  const random = dice(3), { c, answer } = trainingContext(random), { view } = training, start = c.state;
  for (let n = 0; n < 1000; n++) {
    const wish = Object.fromEntries(["position", "word"].filter(() => random() > 0.2).map((key) => [key, key === "position" && random() > 0.5 ? random() * 3 : random() > 0.3 ? anything(random) : rubbish(random)]));
    c.state = training.fromLink(`#${new URLSearchParams({ training_map: JSON.stringify(wish) })}`, "training_map", { ...c, state: start }, view);
    for await (const result of view.compute(c, async ({ position, word }) => {
      assert.ok(position.data[0] >= 0 && position.data[0] <= 2 && word.data[0] >= 0 && word.data[0] < KNOWN.length);
      return answer();
    })) c.result = { ...result, of: c.state };
    sane(view, c);
  }
});
