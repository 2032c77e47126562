import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const [softmax, valves, arithmetic, training, gradient, tree] = await Promise.all(["softmax", "valves", "arithmetic", "training_map", "gradient", "tree"].map(load));

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

// ---- valves ----

const LSTM = {
  text: "abca", alphabet: ["a", "b", "c", " "], unit: 2, units: { small: 8, large: 20 }, limit: 100,
  gates: [["f", "forget"], ["i", "input"], ["o", "output"]], states: [["g", "candidate"], ["c", "cell"], ["h", "hidden"]],
  presets: [["keep", [1, 0, 1]], ["replace", [0, 1, 1]], ["add", [1, 1, 0]]],
};
const GRU = {
  ...LSTM, gates: [["z", "update"], ["r", "reset"]], states: [["n", "candidate"], ["h", "hidden"]],
  presets: [["keep", [1, null]], ["replace", [0, 1]], ["anew", [0, 0]]],
};

/** A widget that is asked by nobody: its state, and answers that a model could have given. */
function valvesContext(settings, wish = {}) {
  const { view } = valves, state = { ...view.start(settings), ...wish }, random = dice(5);
  const answer = (text) => {
    const n = text.length, width = settings.gates.length + settings.states.length, many = (dims, one) => tensor(dims, Array.from({ length: dims.reduce((a, b) => a * b) }, one));
    const surprise = many([2, n], (_, k) => (k % n ? 1 + 2 * (k >= n) : 0));      // free 1 bit a letter, held 3
    return { trace: many([2, n, width], random), surprise, guesses: many([2, n, 5], (_, k) => k % 4), probabilities: many([2, n, 5], () => 0.2) };
  };
  return { c: { settings, w: view.words.en, state, result: { ...answer([...state.text]), of: state } }, answer };
}

/** What a gesture or a button makes of the state, mended as the kit does. */
const mended = (c, state) => valves.view.accept({ ...c, state });
const moved = (c, gesture) => { const state = valves.view.act(c, gesture); return state && mended(c, state); };
const pressed = (c, name) => mended(c, valves.view.controls(c).find((control) => control.name === name).act(c));

test("valves: looking at a letter holds nothing, however the pointer moves", () => {
  const { c } = valvesContext(LSTM, { held: { 0: [1, 0, 1] }, at: 0 }), from = { x: 6, y: 24 + 54 * 4 };
  const looked = moved(c, { kind: "press", ...from, from });
  assert.deepEqual(looked.held, c.state.held);
  assert.equal(moved({ ...c, state: looked }, { kind: "drag", x: 6, y: 30, from }), undefined);
  assert.equal(moved(c, { kind: "press", x: -10, y: 30 }), undefined);
  assert.equal(moved(c, { kind: "press", x: 10, y: 30, target: "labels" }), undefined);
  assert.equal(moved(c, { kind: "press", x: 10, y: 24 + 54 * 7 + 1 }), undefined);
});

test("valves: a drag holds the gate where it began, and the other gates and letters stay", () => {
  const { c } = valvesContext(LSTM, { held: { 3: [1, 0, 1] } }), from = { x: 13 * 1 + 2, y: 24 + 54 + 22 };
  const down = moved(c, { kind: "press", ...from, from });
  assert.deepEqual(down.held, { 1: [null, 0.5, null], 3: [1, 0, 1] });
  const far = moved({ ...c, state: down }, { kind: "drag", x: 300, y: -50, from });
  assert.deepEqual(far.held, { 1: [null, 1, null], 3: [1, 0, 1] });
  assert.equal(far.at, 1);
});

test("valves: the buttons hold and free the chosen letter, or every letter", () => {
  const { c } = valvesContext(LSTM, { at: 2 }), here = pressed(c, "replace");
  assert.deepEqual([here.held, here.every], [{ 2: [0, 1, 1] }, [null, null, null]]);
  const all = pressed({ ...c, state: { ...here, where: "all" } }, "keep");
  assert.deepEqual([all.held, all.every], [{}, [1, 0, 1]]);
  assert.equal(valves.touched(all), 4);
  const hole = pressed({ ...c, state: { ...all, where: "here" } }, "free");
  assert.deepEqual(hole.held, { 2: [null, null, null] });         // free at one letter, though held at every other
  assert.equal(valves.touched(hole), 3);
  const none = pressed({ ...c, state: { ...hole, where: "all" } }, "free");
  assert.deepEqual([none.held, none.every], [{}, [null, null, null]]);
});

test("valves: one gate held at every letter leaves the others of each letter as they were", () => {
  const { c } = valvesContext(LSTM, { held: { 1: [null, 0.5, null] }, where: "all", at: 0, gate: 2 });
  const up = moved(c, { kind: "key", key: "ArrowUp" });
  assert.deepEqual([up.every, up.held], [[null, null, 0.6], { 1: [null, 0.5, 0.6] }]);
});

test("valves: keys choose a letter and a gate, hold it and free it", () => {
  const { c } = valvesContext(GRU, { at: 1 }), key = (name, state = c.state) => moved({ ...c, state }, { kind: "key", key: name });
  assert.deepEqual(["ArrowLeft", "ArrowRight", "Home", "End"].map((name) => key(name).at), [0, 2, 0, 3]);
  assert.deepEqual([key("PageDown").gate, key("PageUp").gate], [1, 1]);
  const down = key("ArrowDown");
  assert.deepEqual(down.held, { 1: [0.4, null] });
  assert.deepEqual(key("Delete", down).held, {});
  assert.equal(key("x"), undefined);
});

test("valves: the presets of a kind, each in words and with its values", () => {
  const labels = (settings) => settings.presets.map(([name, values]) => valves.presetLabel(name, values, settings.gates, valves.view.words.en));
  assert.deepEqual(labels(LSTM), ["Keep: (f, i, o) = (1, 0, 1)", "Replace: (f, i, o) = (0, 1, 1)", "Add and hide: (f, i, o) = (1, 1, 0)"]);
  assert.deepEqual(labels(GRU), ["Keep: z = 1", "Replace: (z, r) = (0, 1)", "Start anew: (z, r) = (0, 0)"]);
});

test("valves: the model is asked for the values held, and for -1 where a gate is free", async () => {
  const { c } = valvesContext(LSTM, { held: { 1: [null, 0.25, null] }, every: [null, null, 1] }), asked = await asks(valves.view, c);
  assert.deepEqual(asked.ids, { dims: [1, 4], data: [0, 1, 2, 0] });
  assert.deepEqual(asked.held, { dims: [1, 4, 3], data: [-1, -1, 1, -1, 0.25, -1, -1, -1, 1, -1, -1, 1] });
  assert.deepEqual(asked.unit.data, [2]);
  assert.deepEqual((await asks(valves.view, valvesContext(GRU, { held: { 3: [0, 1] } }).c)).held, { dims: [1, 4, 2], data: [-1, -1, -1, -1, -1, -1, 0, 1] });
});

test("valves: without a text nothing is asked, and the page says what to do", async () => {
  const { c } = valvesContext(LSTM, { at: 2 }), empty = { ...c, state: mended(c, { ...c.state, text: "" }) };
  assert.equal(await asks(valves.view, empty), undefined);
  assert.match(valves.view.advice(empty).text, /Type a text/);
  assert.equal(valves.view.advice(c), null);
  assert.equal(moved(empty, { kind: "press", x: 5, y: 30 }), undefined);
  assert.equal(valves.view.sentence(empty), valves.view.sentence(c));   // the last picture stays
});

test("valves: a single letter has no cost, and says so", () => {
  const { c } = valvesContext({ ...LSTM, text: "a" });
  assert.equal(valves.costs(c), null);
  assert.match(valves.view.sentence(c), /^After letter 1 \(“a”\).*type a second one\.$/);
  assert.doesNotMatch(valves.view.picture(c), /NaN|bits a letter/);
});

test("valves: the cost of the text is told with all gates free, and with the change that a hand makes", () => {
  const alone = valvesContext(LSTM).c, held = valvesContext(LSTM, { held: { 1: [1, 0, 1] }, at: 1 }).c;
  assert.match(valves.view.sentence(alone), /with all gates free, .* The text: 3\.00 bits a letter\.$/);
  assert.deepEqual(valves.costs(held), [1, 3]);
  assert.match(valves.view.sentence(held), /forget 1\.00, input 0\.00, output 1\.00 held by hand, .* 1\.00 → 3\.00 bits a letter: \+2\.00\.$/);
  assert.match(valves.view.sentence({ ...held, state: { ...held.state, at: 0 } }), /gates held by hand at 1 other letter,/);
});

test("valves: the unit's numbers at the chosen letter, free and held where the two differ", () => {
  const numbers = (c) => [...valves.view.picture(c).split('data-key="numbers"')[1].split("</div>")[0].matchAll(/<strong>(.*?)<\/strong> (.*?)<\/span>/g)].map(([, ...row]) => row.join(" "));
  const expected = [
    [LSTM, ["f 0.00 → −1.00", "i 0.10", "o 0.20 → −1.20", "c̃ 0.30", "c 0.40 → −1.40", "h 0.50"], "cell −1.40 (free: 0.40), hidden 0.50"],
    [GRU, ["z 0.00 → −1.00", "r 0.10", "n 0.20 → −1.20", "h 0.30"], "hidden 0.30"],
  ];
  for (const [settings, rows, memory] of expected) {
    const { c } = valvesContext(settings, { at: 2, held: { 1: settings.presets[0][1] } }), width = rows.length;
    const before = rows.map((_, k) => k / 10), after = before.map((x, k) => (k % 2 ? x : -x - 1)), { data } = c.result.trace;
    data.splice(2 * width, width, ...before);                     // of the free reading, at the third of four letters
    data.splice((4 + 2) * width, width, ...after);
    assert.deepEqual(numbers(c), rows);
    assert.ok(valves.view.sentence(c).includes(` Unit 2: ${memory}. The text:`), valves.view.sentence(c));
    const free = { ...c.state, held: {} };
    assert.deepEqual(numbers({ ...c, state: free, result: { ...c.result, of: free } }), rows.map((row) => row.replace(/ .* → /, " ")));
  }
});

test("valves: a gate stands at once where it is held, before the answer, and in the colour of its concept", () => {
  const colours = [["forget", "input", "output", "candidate", "cell", "hidden"], ["forget", "input", "candidate", "hidden"]];
  for (const [k, settings] of [LSTM, GRU].entries()) {
    const { c } = valvesContext(settings, { at: 1 }), bar = "M14 68v-44.0h11V68z", before = valves.view.picture(c);
    const after = valves.view.picture({ ...c, state: pressed(c, "keep") });
    assert.ok(!before.includes(`${bar}" fill`) && after.includes(bar), "the first gate at letter 2, full");
    const used = [...after.matchAll(/<path d="[^"]*" fill="var\(--(\w+)\)"/g)].map(([, name]) => name);
    assert.deepEqual([...new Set(used)].filter((name) => name !== "line"), [...colours[k], "soft"]);
  }
});

test("valves: a link cannot hold gates outside the text or outside 0 to 1, nor a unit that the model lacks", () => {
  const { c } = valvesContext(LSTM), mend = (wish) => mended(c, { ...c.state, ...wish });
  const wild = mend({ held: { 1: [2, -1, "x"], 9: [1, 1, 1], x: [0, 0, 0], 2: 5 }, every: "abc", at: 99, gate: "x" });
  assert.deepEqual([wild.held, wild.every, wild.at, wild.gate], [{ 1: [1, 0, null] }, [null, null, null], 3, 0]);
  assert.deepEqual([mend({ unit: 15, model: "small" }).unit, mend({ unit: 15, model: "large" }).unit], [7, 15]);
});

test("valves: a link brings the held gates back", () => {
  const { c } = valvesContext(GRU), there = mended(c, { ...c.state, held: { 2: [1, null] }, every: [null, 0.5], where: "all", at: 3, gate: 1 });
  assert.deepEqual(valves.fromLink(valves.toLink("valves", there, c.state), "valves", c, valves.view), there);
});

test("valves: a point of the picture is a letter and a band, a height a value", () => {
  assert.deepEqual(valves.place(13 * 4 + 1, 24 + 54 + 1, 10), { t: 4, row: 1 });
  assert.equal(valves.place(1e6, 30, 10).t, 9);
  assert.deepEqual([24, 46, 68, 500].map((y) => valves.valueAt(y, 0)), [1, 0.5, 0, 0]);
});

test("valves: a thousand random states of both kinds, typed and from links, are answered or left alone, and drawn", async () => {
  const random = dice(11), keys = ["text", "held", "every", "where", "at", "gate", "unit"];
  for (const settings of [LSTM, GRU]) {
    const { c, answer } = valvesContext(settings), start = c.state;
    for (let n = 0; n < 500; n++) {
      const own = () => ({ text: anything(random), held: { [Math.floor(random() * 9)]: [random() * 3 - 1, null, random()] }, every: [random(), null], where: "all" });
      const wish = Object.fromEntries(keys.filter(() => random() > 0.3).map((key) => [key, random() > 0.5 ? own()[key] : rubbish(random)]));
      c.state = valves.fromLink(`#${new URLSearchParams({ valves: JSON.stringify(wish) })}`, "valves", { ...c, state: start }, valves.view);
      for await (const result of valves.view.compute(c, async ({ ids, held }) => {
        assert.ok(ids.data.every((id) => id >= 0 && id < 4) && held.data.length === ids.data.length * settings.gates.length && held.data.every((v) => v >= -1 && v <= 1));
        return answer(ids.data);
      })) c.result = { ...result, of: c.state };
      sane(valves.view, c);
    }
  }
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

const all = (view, c) => (view.above?.(c) ?? "") + view.picture(c) + (view.below?.(c) ?? "");
const sane = (view, c) => {
  const html = all(view, c) + softmax.esc(view.sentence(c) + (view.advice?.(c)?.text ?? ""));   // the kit sets these as text
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

// ---- gradient through time ----

const gradientSettings = { tokens: [..."to be <b> or not to be!"], ids: Array.from({ length: 23 }, (_, k) => k), scale: 1, scales: [0.1, 3], activation: "tanh", activations: ["tanh", "relu", "none"], length: 4 };

/** Answers as a model could have given them; `norms` in the order of time, the last step last. */
function gradientContext(norms = [0.001, 0.01, 0.1, 1], { slopes = norms.map(() => 0.5), shares = norms.map(() => 1 / norms.length), sizes = [2, 2], spectrum = [0.2, 1.5, 0.8], ...wish } = {}) {
  const state = { ...gradient.view.start({ ...gradientSettings, length: norms.length }), ...wish }, row = (data) => tensor([1, data.length], data);
  const result = { norms: row(norms), slopes: row(slopes), shares: row(shares), sizes: tensor([2], sizes), spectrum: tensor([3], spectrum), of: state };
  return { settings: gradientSettings, w: gradient.view.words.en, state, result };
}

test("gradient: numbers of any size in three digits", () => {
  for (const [x, text] of [[0, "0"], [0.01234, "0.0123"], [1234, "1230"], [9.996e-4, "1·10⁻³"], [1.5e-12, "1.5·10⁻¹²"], [3e38, "3·10³⁸"], [Infinity, "∞"], [NaN, "not a number"]])
    assert.equal(gradient.number(x), text);
});

test("gradient: the axis shows what there is to see, and changes only by steps", () => {
  assert.deepEqual(gradient.range([1, 0.5]), [-2, 1]);
  assert.deepEqual(gradient.range([1, 1e-5, 200]), [-8, 4]);
  assert.deepEqual(gradient.range([1, 0, Infinity, NaN, 1e-90, 1e60]), [-64, 64]);
});

/** Twelve steps, of which the first two, more than ten steps back, have these shares. */
function farContext(first, second, more) {
  const norms = Array.from({ length: 12 }, (_, t) => 2 ** (t - 11));
  return gradientContext(norms, { shares: [first, second, ...Array(10).fill((1 - first - second) / 10)], ...more });
}

test("gradient: an answer is told step by step back, with the share of the steps before the last ten", () => {
  const told = gradient.summary(farContext(0.375, 0.125, { sizes: [8, 2] }).result);
  assert.deepEqual(told.gains.slice(0, 3), [1, 0.5, 0.25]);
  assert.equal(told.far, 0.5);
  assert.equal(told.factor, 0.25);
});

test("gradient: a share below nothing, of steps that pull against the others, is told as what it is", () => {
  const picture = (...answer) => gradient.view.picture(farContext(...answer));
  assert.match(picture(0.375, 0.125), /the last 10 steps bring 50 % of it and those before 50 %, clipped or not\.</);
  assert.match(picture(-0.5, 0.25), /bring 125 % of it and those before −25 %, clipped or not\. Less than 0 %: they pull/);
  assert.match(picture(1, 0.5), /bring −50 % of it and those before 150 %, clipped or not\. Less than 0 %: they pull/);
  assert.match(gradient.view.sentence(farContext(-0.5, 0.25, { sizes: [8, 2] })), /by 0\.25: .* keep their share of it, −25 %\.$/);
});

test("gradient: clipping comes after the way back, and the picture says so", () => {
  assert.match(gradient.view.picture(farContext(0, 0, { sizes: [8, 2] })), /8, clipped to 2: each step still counts × 0\.25 .* itself stays/);
  assert.doesNotMatch(gradient.view.picture(farContext(0, 0)), /clipped to|opacity/);
});

test("gradient: letters that cannot be seen have a sign under the bars", () => {
  const c = gradientContext(), tokens = [..."a \nb?"];
  const feet = gradient.view.picture({ ...c, settings: { ...c.settings, tokens } });
  for (const sign of "a␣↵b") assert.ok(feet.includes(`>${sign}</text>`), sign);
});

test("gradient: the model reads as many letters as asked, up to the last, which it must guess", async () => {
  const c = gradientContext(), asked = await asks(gradient.view, { ...c, state: { ...c.state, length: 3, activation: "relu", scale: 0.7, clip: -1 } });
  assert.deepEqual(asked.ids, { dims: [1, 3], data: [19, 20, 21] });
  assert.deepEqual([asked.target, asked.scale, asked.activation, asked.threshold].map(({ data }) => data[0]), [22, 0.7, 1, 0.1]);
  assert.equal((await asks(gradient.view, c)).threshold.data[0], Infinity);      // without clipping
});

test("gradient: the sentence tells what becomes of the gradient", () => {
  const say = (...answer) => gradient.view.sentence(gradientContext(...answer));
  assert.equal(say(), "3 steps back, at “o”, the norm is 0.001: 0.001 times the last one's, on average × 0.1 a step. Over 3 steps the gradient vanishes.");
  assert.match(say([900, 30, 1], { spectrum: [1, 99, 30] }), /^2 steps back, .* × 30 a step\. Over 2 steps the gradient explodes\.$/);
  assert.match(say([0.5, 0.7, 1], { at: 0 }), /^At the last step the norm of the gradient is 1\. Over 2 steps the gradient neither/);
  assert.match(say([0.001, 3, 9, 1]), /the gradient vanishes\. 1 step back it had grown to 9 times the last one's, although ρ = 0\.8 is below 1\.$/);
  assert.match(say([0.001, 0.1, 1], { sizes: [8, 2] }), /by 0\.25: the steps before the last 10 keep their share of it, 0 %\.$/);
});

test("gradient: where it is 0 the sentence says whether it faded or was stopped", () => {
  const say = (...answer) => gradient.view.sentence(gradientContext(...answer));
  assert.match(say([0, 0, 1e-44, 1]), /the gradient is 0: too small for float32\./);
  assert.match(say([0, 0, 1e-44, 1], { activation: "relu" }), /the gradient is 0: too small for float32\./);
  assert.match(say([0, 0, 0.1, 1], { activation: "relu" }), /the gradient is 0: every way back to it meets a unit that is off\./);
  assert.match(say([0, 0, 1e-44, 1], { activation: "relu", slopes: [1, 1, 0, 1] }), /meets a unit that is off\./);
  assert.match(say([0, 0.1, 1], { slopes: [1, 0, 1] }), /meets a slope φ′ of 0\./);      // a tanh as flat as float32 can tell
});

test("gradient: what is no number, or no gradient, is told in words and drawn without breaking", () => {
  const cases = [
    [[NaN, NaN, NaN], { sizes: [NaN, NaN] }, /^The states themselves grew/], [[Infinity, 1e30, 1], { sizes: [NaN, NaN] }, /^On its way back/],
    [[1e30, 1e20, 1], { sizes: [Infinity, NaN] }, /^On its way back/], [[0, 0, 0], { sizes: [0, 0] }, /sends nothing back/], [[1], { sizes: [0, 0] }, /^One step/],
    [[1, 1, 1], { spectrum: [0, 0, 0] }, /neither/],
  ];
  for (const [norms, more, words] of cases) {
    const c = gradientContext(norms, more);
    assert.match(gradient.view.sentence(c), words);
    sane(gradient.view, c);
  }
});

test("gradient: the bound starts at the last step and ends where it leaves the axis", () => {
  const lines = (c) => [...gradient.view.picture(c).matchAll(/<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" stroke="var\(--ink\)" stroke-width="1.5" stroke-dasharray="([\d. ]+)"\/>/g)];
  const [bound, run] = lines(gradientContext([1, 1, 1, 1], { spectrum: [0.1, 10, 0.5] })).map((match) => match.slice(1, 5).map(Number));
  assert.deepEqual([bound[0], bound[1]], [run[0], run[1]]);
  assert.ok(Math.abs(bound[3] - 20) < 0.1 && Math.abs(bound[0] - bound[2] - 83.5) < 0.2);   // × 10: at the top after one step
  assert.ok(run[3] > run[1] && Math.abs(run[0] - run[2] - 3 * 83.5) < 0.2);
});

test("gradient: a press chooses a step, arrows walk in time and scale the matrix", () => {
  const c = gradientContext(), act = (gesture, wish) => gradient.view.act({ ...c, state: { ...c.state, ...wish } }, gesture), key = (name, wish) => act({ kind: "key", key: name }, wish);
  assert.equal(act({ kind: "press", x: 370, y: 100 }).at, 0);
  assert.equal(act({ kind: "drag", x: 45, y: 400 }).at, 3);
  for (const [x, y] of [[10, 100], [100, 5], [379, 100]]) assert.equal(act({ kind: "press", x, y }), undefined);
  assert.equal(key("ArrowRight").at, 2);                          // the cursor began at the first of the four letters
  assert.equal(key("ArrowLeft", { at: 1 }).at, 2);
  assert.deepEqual([key("Home", { at: 1 }).at, key("End").at], [3, 0]);
  assert.equal(key("ArrowUp").scale, 1.05);
  assert.equal(key("PageDown", { scale: 0.3 }).scale, 0.1);
  assert.equal(key("Enter"), undefined);
});

test("gradient: a thousand random states, from links and of answers of any size, are drawn", async () => {
  const random = dice(11), { view } = gradient, start = gradientContext(), model = { kind: "choice", name: "model", options: [["random U"], ["<b>"]] };
  const anySize = () => [0, Infinity, NaN, 10 ** (random() * 76 - 38), random()][Math.floor(random() * 9)] ?? random();
  for (let n = 0; n < 1000; n++) {
    const wish = Object.fromEntries(["scale", "length", "activation", "clip", "at", "model"].filter(() => random() > 0.3).map((key) => [key, random() > 0.5 ? random() * 120 - 10 : rubbish(random)]));
    const state = gradient.fromLink(`#${new URLSearchParams({ gradient: JSON.stringify(wish) })}`, "gradient", start, view, [model, ...view.controls(start)]);
    let asked;
    for await (const _ of view.compute({ ...start, state }, async (inputs) => (asked = inputs)));
    assert.ok(asked.ids.dims[1] === state.length && state.length >= 1 && state.length <= 22 && asked.activation.data[0] >= 0 && asked.scale.data[0] >= 0.1 && asked.scale.data[0] <= 3);
    const many = Array.from({ length: state.length }, anySize), c = gradientContext(many, { sizes: [anySize(), anySize()], spectrum: [random(), random() * 3, random() * 2] });
    sane(view, { ...c, state: { ...state, length: many.length } });
  }
});

// ---- say any word ----

const say = await load("say");
const saySettings = {
  word: "cat", alphabet: "abcdefghijklmnopqrstuvwxyz", limit: 6,
  models: {   // of other letters, other phonemes and other marks
    ours: { source: ["<pad>", "<bos>", "<eos>", ..."abcdefghijklmnopqrstuvwxyz"], target: ["<pad>", "<bos>", "<eos>", "AE", "K", "T", "AH"], end: 2, eos: 2 },
    theirs: { source: [..."zyxwvutsrqponmlkjihgfedcba", "</s>"], target: ["T", "AE1", "K", "AH0", "</s>", "<b>"], end: 26, eos: 4 },
  },
  sounds: { AE: ["æ", "at"], AE1: ["æ", "at"], K: ["k", "key"], T: ["t", "tea"], AH: ["ə", "about"], AH0: ["ə", "about"] },
  dictionary: { cat: [["K", "AH", "T"], ["K", "AE", "T"]], tact: [["T", "AE", "K", "T"]], blick: [] },
  curve: { ours: [[2, 0.9], [3, 0.755], [5, 0.1]] },
};

/** What a model could have answered: the sounds `ids`, and at each step its number as the first of three choices. */
const sayAnswer = (ids) => {
  const all = Array.from({ length: 6 }, (_, t) => ids[t] ?? ids.at(-1));
  return { ids: tensor([1, 6], all), choices: tensor([1, 6, 3], all.flatMap((id) => [id, 0, 1])), probabilities: tensor([1, 6, 3], all.flatMap(() => [0.7, 0.2, 0.1])) };
};

/** A widget that is asked by nobody, in which `ours` said K AE T. */
function sayContext(wish = {}, ids = [4, 3, 5, 2], settings = saySettings) {
  const state = { ...say.view.start(settings), model: "ours", ...wish };
  return { settings, w: say.view.words.en, state, result: { ...sayAnswer(ids), of: state } };
}

test("say: an answer ends before the end mark of its own model, and may have none", () => {
  const { ours, theirs } = saySettings.models;
  assert.deepEqual(say.utterance(sayAnswer([4, 3, 5, 2]), ours), { sounds: ["K", "AE", "T"], ended: true });
  assert.deepEqual(say.utterance(sayAnswer([2, 1, 0, 4]), theirs), { sounds: ["K", "AE1", "T"], ended: true });
  assert.deepEqual(say.utterance(sayAnswer([5]), ours), { sounds: Array(6).fill("T"), ended: false });
  assert.deepEqual(say.utterance(sayAnswer([2]), ours), { sounds: [], ended: true });
});

test("say: two pronunciations stand side by side with the fewest differences, a vowel against a vowel", () => {
  const pairs = (a, b) => say.aligned(a.split(" ").filter(Boolean), b.split(" ").filter(Boolean)).map(([x, y]) => `${x ?? "·"}${y ?? "·"}`).join(" ");
  assert.equal(pairs("K AE T", "K AE T"), "KK AEAE TT");
  assert.equal(pairs("K AE1 T", "K AE T"), "KK AE1AE TT");
  assert.equal(pairs("S AH0 L", "S AY K L"), "SS AH0AY ·K LL");
  assert.equal(pairs("", "K T"), "·K ·T");
  assert.equal(pairs("K T", ""), "K· T·");
  assert.equal(pairs("", ""), "");
});

test("say: alignments are as short as the edit distance, and lose no sound", () => {
  const random = dice(3), word = () => Array.from({ length: Math.floor(random() * 7) }, () => ["B", "D", "G", "K"][Math.floor(random() * 4)]);
  const far = (a, b) => (!a.length || !b.length ? a.length + b.length : Math.min(far(a.slice(1), b) + 1, far(a, b.slice(1)) + 1, far(a.slice(1), b.slice(1)) + (a[0] !== b[0])));
  for (let n = 0; n < 100; n++) {
    const a = word(), b = word(), pairs = say.aligned(a, b);
    assert.equal(pairs.filter(([x, y]) => x !== y).length, far(a, b));
    assert.deepEqual([0, 1].map((k) => pairs.map((pair) => pair[k]).filter((x) => x !== null)), [a, b]);
  }
});

test("say: any listed pronunciation counts, without stress, but only to its end; what is not listed is not judged", () => {
  const ways = saySettings.dictionary.cat, said = (text, ended = true) => say.judged({ sounds: text.split(" "), ended }, ways);
  assert.deepEqual([said("K AE1 T").right, said("K AH T").right, said("K AE K").right, said("K AE").right], [true, true, false, false]);
  assert.equal(said("K AE T", false).right, false);
  assert.deepEqual(said("K AE K").way, ways[1]);                  // the nearest
  assert.equal(say.judged({ sounds: ["K"], ended: true }, []), null);
});

test("say: a listed sound that was left out has a column without a step, and the end is a step", () => {
  const of = (sounds, ended, way) => say.columns({ sounds, ended, verdict: way && say.judged({ sounds, ended }, [way]) }).map(({ t, sound }) => [t, sound]);
  assert.deepEqual(of(["K", "T"], true, ["K", "AE", "T"]), [[0, "K"], [null, null], [1, "T"], [2, null]]);
  assert.deepEqual(of(["K", "T"], true, null), [[0, "K"], [1, "T"], [2, null]]);
  assert.deepEqual(of(["K", "T"], false, null), [[0, "K"], [1, "T"]]);
  assert.deepEqual(of([], true, null), [[0, null]]);
});

test("say: each model is asked in its own letters", async () => {
  assert.deepEqual((await asks(say.view, sayContext({ word: "back" }))).source_ids, { dims: [1, 5], data: [4, 3, 5, 13, 2] });
  assert.deepEqual((await asks(say.view, sayContext({ word: "back", model: "theirs" }))).source_ids, { dims: [1, 5], data: [24, 25, 23, 15, 26] });
});

test("say: what cannot be read is not asked, and the page offers what can", async () => {
  for (const [word, text, offer] of [
    ["", /Type a word/, undefined], ["café", /letters a to z can be read:/, "cafe"], ["ice 2", /a to z can be read:/, "ice"], ["你好", /Type such a word/, undefined],
    ["abcdefg", /At most 6 letters/, "abcdef"], ["ünabcdef", /a to z can be read/, "unabcd"], ["__proto__", /a to z/, "proto"],
  ]) {
    const c = sayContext({ word }), advice = say.view.advice(c);
    assert.equal(await asks(say.view, c), undefined, word);
    assert.match(advice.text, text);
    assert.deepEqual(advice.offers, offer ? [{ name: "word", value: offer }] : []);
    if (offer) assert.equal(say.view.advice(sayContext({ word: offer })), null);
  }
  assert.equal(say.view.advice(sayContext({ word: "cat" })), null);
});

test("say: capitals are lowered, spaces around a word dropped", () => {
  assert.equal(say.view.accept(sayContext({ word: " CaT " })).word, "cat");
  assert.deepEqual([99, -7, 1.5, "1", null].map((at) => say.view.accept(sayContext({ at })).at), [5, -1, -1, -1, -1]);
});

test("say: what other models said of a word is kept while the word stays, and shown beside", async () => {
  const c = sayContext(), next = async (wish, ids) => {
    const state = { ...c.state, ...wish };
    for await (const result of say.view.compute({ ...c, state }, async () => sayAnswer(ids))) Object.assign(c, { state, result: { ...result, of: state } });
    return all(say.view, c);
  };
  assert.match(say.view.below(c), /theirs<\/th><td>choose it to hear it/);
  const both = await next({ model: "theirs" }, [2, 0, 4]);          // K T: AE is missing
  assert.match(both, /ours<\/th><td>✓ K AE T <span class="v2g-ipa">\/kæt\//);
  assert.match(both, /<strong>theirs<\/strong><\/th><td>✗ K T /);
  assert.match(both, /class="lost"><strong>A[EH]<\/strong><small>✗ missing/);
  assert.match(await next({ model: "ours" }, [4, 3, 5, 2]), /theirs<\/th><td>✗ K T/);
  assert.match(await next({ word: "tact" }, [5, 2]), /theirs<\/th><td>choose it to hear it/);
});

test("say: the sentence tells the whole word, or the chosen step", () => {
  const tell = (wish, ids, settings) => say.view.sentence(sayContext(wish, ids, settings)), { ours } = saySettings.models;
  assert.equal(tell(), "The model “ours” says “cat” as K AE T /kæt/; right, as listed. Of words of 3 letters it says 76% right.");
  assert.equal(tell({}, [4, 3, 4, 2]), "The model “ours” says “cat” as K AE K /kæk/; listed: K AH T /kət/, or K AE T /kæt/. Of words of 3 letters it says 76% right.");
  assert.equal(tell({ word: "blick" }, [2], { ...saySettings, models: { ours }, curve: {} }), "The model says “blick” as nothing; not in this page’s list: you decide.");
  assert.equal(tell({ word: "back" }, [4]), "The model “ours” says “back” as K K K K K K /kkkkkk/; no end after 6 sounds: the model has lost the thread.");
  assert.equal(tell({ at: 2 }, [4, 3, 4, 2]), "Step 3: K (k as in key) with probability 0.70, before <pad> 0.20, <bos> 0.10; not T.");
  assert.equal(tell({ at: 3 }), "Step 4: the end with probability 0.70, before <pad> 0.20, <bos> 0.10.");
});

test("say: only the steps take keys; what is said, compared and explained is read around them", () => {
  const { above, picture, below } = say.view, c = sayContext();
  assert.match(above(c), /<strong>K AE T<\/strong>.*right, as listed/);
  assert.match(picture(c), /^<ol class="v2g-steps">.*<\/ol>$/);
  assert.match(below(c), /<table.*<figure/);
});

test("say: a word that is a name in JavaScript is a word like others", () => {
  assert.match(say.view.sentence(sayContext({ word: "constructor" })), /“constructor” as K AE T .* you decide/);
});

test("say: a press chooses a step or lets it go, arrows walk, delete leaves the steps", () => {
  const c = sayContext(), act = (gesture, wish) => say.view.act({ ...c, state: { ...c.state, ...wish } }, gesture), key = (name, at = -1) => act({ kind: "key", key: name }, { at })?.at;
  assert.equal(act({ kind: "click", target: "1" }).at, 1);
  assert.equal(act({ kind: "click", target: "1" }, { at: 1 }).at, -1);
  assert.equal(act({ kind: "click" }), undefined);
  assert.deepEqual([key("ArrowRight"), key("ArrowRight", 3), key("ArrowLeft", 0), key("ArrowLeft", 2), key("Home", 3), key("End"), key("Delete", 2), key("x")], [0, 3, 0, 1, 0, 3, -1, undefined]);
});

test("say: an example is typed, a control that moves leaves the steps", () => {
  const c = sayContext({ at: 2 }), example = say.view.controls(c).find(({ name }) => name === "example");
  assert.deepEqual(example.options.map(([word]) => word), ["cat", "tact", "blick"]);
  assert.deepEqual(example.act(c, "tact"), { ...c.state, word: "tact", at: -1 });
  assert.equal(say.view.moved(c.state).at, -1);
});

test("say: a curve is drawn from its first length to its last, and only measured lengths have a share", () => {
  assert.deepEqual([say.spot(2, 1, 2, 12), say.spot(12, 0, 2, 12)], [[40, 8], [322, 110]]);
  assert.deepEqual(say.spot(4, 0.5, 4, 4), [40, 59]);              // a single length has no width
  assert.deepEqual([3, 4].map((n) => say.shareAt(saySettings.curve.ours, n)), [0.755, undefined]);
  assert.equal(say.shareAt(undefined, 3), undefined);
});

test("say: a thousand random states, typed and from links, are answered or left alone, and drawn", async () => {
  const random = dice(13), { view } = say, start = sayContext(), c = { ...start }, model = { kind: "choice", name: "model", options: [["ours"], ["theirs"]] };
  const words = ["cat", "TACT", "blick", "constructor", "toString", "a", "hello", "zzzzzz"];
  for (let n = 0; n < 1000; n++) {
    const value = () => (random() > 0.5 ? words[Math.floor(random() * words.length)] : random() > 0.5 ? Math.floor(random() * 8) - 1 : rubbish(random));
    const wish = Object.fromEntries(["word", "at", "model"].filter(() => random() > 0.3).map((key) => [key, value()]));
    const state = say.fromLink(`#${new URLSearchParams({ say: JSON.stringify(wish) })}`, "say", start, view, [model, ...view.controls(start)]);
    for await (const result of view.compute({ ...c, state }, async ({ source_ids: { dims, data } }) => {
      const { source } = saySettings.models[state.model];
      assert.ok(dims[1] === data.length && data.length <= 7 && data.every((id) => Number.isInteger(id) && id >= 0 && id < source.length));
      return sayAnswer(Array.from({ length: 6 }, () => Math.floor(random() * 6)));
    })) c.result = { ...result, of: state };
    c.state = state;
    sane(view, c);
  }
});

// ---- the search tree ----

const GOLDEN = JSON.parse(readFileSync(new URL("golden/tree.json", import.meta.url)));   // tests/widgets/test_tree.py wrote it
const treeSettings = {
  word: "abacab", alphabet: "abc", limit: 32, dictionary: { abacab: [["S", "K"]], cab: [] },
  models: { model: { source: ["<pad>", "<bos>", "<eos>", "a", "b", "c"], target: ["<pad>", "<bos>", "<eos>", "AA", "B", "K", "S"], end: 2, eos: 2 } },
  start: { width: 3, alpha: 1, temperature: 1, top_k: 7, top_p: 1 },
  ranges: { width: [1, 8], alpha: [0, 2], temperature: [0.1, 2], top_p: [0.05, 1], top_k: [1, 7] },
};
const treeContext = ({ answer, width = 3 }, wish = {}) => {
  const { view } = tree, of = { ...view.start(treeSettings), width };
  return { settings: treeSettings, w: view.words.en, state: { ...of, ...wish }, result: { ...answer, of } };
};
const texts = (nodes) => nodes.map((node) => tree.path(node).map(({ token }) => token));

test("tree: grown from the steps of a search, it ends in the texts and scores that Python found", () => {
  for (const { answer, eos, width, ids, score } of GOLDEN) {
    const { columns, beams } = tree.grow(answer, eos), last = beams.at(-1);
    assert.deepEqual(texts(last), ids);
    last.forEach((node, k) => assert.ok(Math.abs(node.score - score[k]) < 1e-3));
    assert.ok(beams.every((beam) => beam.length <= width));
    for (const node of columns.flat()) {
      const sum = tree.path(node).reduce((total, { chance }) => total + Math.log(chance), 0);
      assert.ok(Math.abs(sum - node.logP) < 0.02 * node.logP ** 2 + 0.01, `${sum} ${node.logP}`);   // chances are rounded
    }
    assert.equal(columns.flat().filter(({ token, t }) => token === eos && t === 0).length, columns[0].filter(({ ended }) => ended).length);
  }
});

test("tree: another token or another parent in a search's steps makes another tree", () => {
  const { answer, eos, ids } = GOLDEN[2], [, width] = answer.token.dims;
  for (const [name, at] of [["token", 0], ["parent", width]]) {     // of the first slot, at the first and the second step
    const data = [...answer[name].data];
    data[at] += 1;
    assert.notDeepEqual(texts(tree.grow({ ...answer, [name]: { ...answer[name], data } }, eos).beams.at(-1)), ids);
  }
});

test("tree: what a beam keeps for good, what falls later, what is pruned at once", () => {
  let fell = 0;
  for (const { answer, eos } of GOLDEN) {
    const { columns, beams } = tree.grow(answer, eos), end = columns.length - 1, best = new Set(tree.path(beams.at(-1)[0]));
    for (const [t, column] of columns.entries())
      for (const node of column) {
        const grew = (other) => tree.path(other).includes(node), until = beams.findLastIndex((beam) => beam.some(grew));
        assert.equal(node.until, until);
        const expected = best.has(node) ? "best" : until < 0 ? "pruned" : until < end ? "fell" : "kept";
        assert.equal(tree.fate(node, end, best), expected);
        if (expected === "fell") assert.equal(tree.fate(node, t, new Set()), "kept");   // it had not fallen yet
        fell += expected === "fell";
      }
  }
  assert.ok(fell > 5);
});

test("tree: nodes of a step stand in the order of their parents, the likeliest child first, each in a row of its own", () => {
  for (const { answer, eos } of GOLDEN) {
    const grown = tree.grow(answer, eos), { place, tall } = tree.places(grown);
    for (const column of grown.columns) {
      const sorted = [...column].sort((a, b) => place.get(a) - place.get(b));
      sorted.slice(1).forEach((node, k) => {
        const before = sorted[k];
        assert.equal(place.get(node) - place.get(before), 1);
        if (node.parent === before.parent) assert.ok(node.chance <= before.chance);
        else assert.ok(place.get(node.parent) > place.get(before.parent));
      });
      assert.ok(place.get(sorted[0]) >= 0 && place.get(sorted.at(-1)) <= tall - 1);
    }
  }
});

test("tree: samples share their beginnings, and every one of them is counted", () => {
  for (const { answer, eos } of GOLDEN) {
    const { columns, beams: [ends] } = tree.joined(answer, eos), [many, steps] = answer.drawn.dims;
    const rows = Array.from({ length: many }, (_, n) => Array.from({ length: steps }, (_, t) => (n + 1) * steps + t).filter((at) => answer.said.data[at]).map((at) => answer.texts.data[at]));
    const drawn = ends.flatMap((node) => Array(node.times).fill(texts([node])[0].join()));
    assert.deepEqual(drawn.sort(), rows.map((row) => row.join()).sort());
    for (const node of columns.flat()) assert.equal(node.times, rows.filter((row) => row.slice(0, node.t + 1).join() === texts([node])[0].join()).length);
    assert.deepEqual(ends.map(({ logP }) => logP), ends.map(({ logP }) => logP).sort((a, b) => b - a));
    assert.equal(columns[0].reduce((sum, { times }) => sum + times, 0), many);
  }
});

test("tree: the greedy text is followed through the tree as far as the beam knows it", () => {
  const { answer, eos } = GOLDEN.find(({ width }) => width === 1), grown = tree.grow(answer, eos);
  const { ids: [ids] } = GOLDEN.find(({ width }) => width === 1);
  assert.deepEqual(tree.along(grown, ids), tree.path(grown.beams.at(-1)[0]));   // a beam of 1 is greedy
  assert.deepEqual(tree.along(grown, [ids[0], -5, ids[2]]).length, 1);
});

test("tree: buttons go through the search step by step, and a new word shows the whole of it", () => {
  const c = treeContext(GOLDEN[2]), press = (name, state) => tree.view.accept({ ...c, state: tree.view.controls(c).find((one) => one.name === name).act({ ...c, state }, "cab") });
  const { columns } = tree.grow(c.result, 2), back = press("back", c.state);
  assert.equal(back.step, columns.length - 1);
  assert.match(tree.view.sentence({ ...c, state: back }), /^Step \d+ of \d+: the beam keeps .+\. (What fell: .+|Nothing fell)\.$/);
  const first = Array.from({ length: 40 }).reduce((state) => press("back", state), back);
  assert.equal(first.step, 1);
  assert.equal(press("next", first).step, 2);
  assert.ok(tree.view.picture({ ...c, state: first }).match(/<g /g).length === columns[0].length);   // later steps are not shown yet
  assert.match(tree.view.sentence({ ...c, state: press("all", first) }), /^For “abacab” a beam of/);
  assert.deepEqual([press("example", first).step, press("example", first).word], [32, "cab"]);
  assert.deepEqual([press("again", first).draw, press("again", first).mode], [1, "sampling"]);
});

test("tree: a press chooses a node, pruned ones too, or lets it go, and the sentence tells its numbers", () => {
  const c = treeContext(GOLDEN[2]), { columns } = tree.grow(c.result, 2), press = (target, state = c.state) => tree.view.act({ ...c, state }, { kind: "click", target });
  const tell = (node) => tree.view.sentence({ ...c, state: press(node) });
  for (const [t, column] of columns.entries()) column.forEach(({ chance, logP, until }, k) => {
    const [, percent, sum] = tell(`${t},${k}`).match(/: probability \D?(\d+)% after what stands before it; log p (\S+) in all/);
    assert.ok(Math.abs(percent - 100 * chance) <= 1 && Math.abs(+sum.replace("−", "-") - logP) < 0.0051);
    assert.equal(/ pruned\.$/.test(tell(`${t},${k}`)), until < 0);
    assert.equal(tree.view.picture({ ...c, state: press(`${t},${k}`) }).match(/class="cursor"/g).length, 1);
  });
  assert.equal(press("0,1", press("0,1")).node, "");
  assert.equal(press(undefined), undefined);
  assert.match(tree.view.sentence({ ...c, state: press("99,0") }), /^For “abacab”/);   // none of this tree's
  assert.match(tree.view.sentence(treeContext(GOLDEN[2], { mode: "sampling", node: "0,0" })), /; \d samples? goe?s? this way\.$/);
});

test("tree: arrows go along a text and through a column, no further than what is shown", () => {
  const c = treeContext(GOLDEN[2]), grown = tree.grow(c.result, 2), { columns } = grown, last = columns.length - 1;
  const key = (name, state) => tree.view.act({ ...c, state }, { kind: "key", key: name }), at = ({ node }) => columns[node.split(",")[0]][node.split(",")[1]];
  const first = key("ArrowRight", c.state), end = key("End", first);
  assert.deepEqual([at(first).t, at(first).until], [0, last]);       // the first key only enters the tree
  assert.deepEqual([at(end).until, at(key("Home", end))], [last, at(first)]);
  assert.equal(key("ArrowRight", end).node, end.node);
  assert.equal(at(key("ArrowLeft", end)), at(end).parent);
  assert.equal(key("ArrowLeft", first).node, first.node);
  const column = Array.from({ length: 20 }).reduce(([state, ...seen]) => [key("ArrowUp", state), ...seen, state.node], [first])[0], seen = new Set();
  for (let state = column, n = 0; n < 20; n++, state = key("ArrowDown", state)) seen.add(state.node);
  assert.equal(seen.size, columns[0].length);
  assert.equal(at(key("End", { ...first, step: 2 })).t, 1);
  assert.equal(key("Delete", first).node, "");
  for (const other of [" ", "Enter", "PageUp"]) assert.equal(key(other, first), undefined);
  assert.equal(tree.view.moved(first).node, "");
});

test("tree: the list is read beside the tree, and a text that is sure has no sign before its 0.00", () => {
  const c = treeContext(GOLDEN[2]), sure = { ...c.result, text_log_p: tensor([7], Array(7).fill(-0.001)) };
  assert.doesNotMatch(tree.view.picture(c), /<table/);
  assert.match(tree.view.below(c), /<table/);
  assert.match(tree.view.below({ ...c, result: sure }), /greedy<\/th><td>[^<]*<\/td><td>0\.00</);
});

test("tree: a link brings the word, the sliders, the step and the node back", () => {
  const c = treeContext(GOLDEN[2]), there = { ...c.state, word: "cab", mode: "sampling", width: 7, alpha: 0.6, temperature: 1.4, top_k: 3, top_p: 0.35, draw: 12, step: 4, node: "1,2" };
  assert.deepEqual(tree.fromLink(tree.toLink("tree", there, c.state), "tree", c, tree.view), there);
});

test("tree: the list says of every text whether it is listed; of what has no list, the reader decides", () => {
  const c = treeContext(GOLDEN.find(({ ids, eos }) => ids.every((text) => text.at(-1) === eos))), rows = tree.texts(c);
  const dictionary = (ways) => ({ ...c, settings: { ...treeSettings, dictionary: { abacab: ways } } });
  assert.ok(rows.every(({ right }) => right === false));
  assert.equal(tree.texts(dictionary([rows[0].text.split(" ")]))[0].right, true);
  assert.ok(tree.texts(dictionary([])).every(({ right }) => right === null));
});

test("tree: what is asked, and that nothing is for a word that cannot be read", async () => {
  const c = treeContext(GOLDEN[0], { word: "cab", width: 5, top_k: 2, draw: 7 }), asked = await asks(tree.view, c);
  assert.deepEqual(asked.source_ids, { dims: [1, 4], data: [5, 3, 4, 2] });
  assert.deepEqual(Object.fromEntries(Object.entries(asked).slice(1).map(([name, { dims, data }]) => [name, [...dims, ...data]])),
    { width: [1, 5], alpha: [1, 1], temperature: [1, 1], top_p: [1, 1], top_k: [1, 2], draw: [1, 7] });
  for (const word of ["", "cat", "caé", "a b", "你好", "a".repeat(33)]) {
    assert.equal(await asks(tree.view, { ...c, state: { ...c.state, word } }), undefined);
    assert.ok(tree.view.advice({ ...c, state: { ...c.state, word } }).text);
  }
});

test("tree: a thousand random states, typed and from links, are answered or left alone, and drawn", async () => {
  const random = dice(17), { view } = tree, start = treeContext(GOLDEN[0]), c = { ...start }, { ranges } = treeSettings;
  for (let n = 0; n < 1000; n++) {
    const value = () => (random() > 0.6 ? ["cab", "CAB", "sampling", "beam", "1,2"][Math.floor(random() * 5)] : random() > 0.5 ? random() * 12 - 2 : rubbish(random));
    const wish = Object.fromEntries(["word", "mode", "step", "node", "draw", ...Object.keys(ranges)].filter(() => random() > 0.4).map((key) => [key, value()]));
    c.state = view.accept({ ...c, state: tree.fromLink(`#${new URLSearchParams({ tree: JSON.stringify(wish) })}`, "tree", start, view) });
    for await (const result of view.compute(c, async (inputs) => {
      for (const [name, [low, high]] of Object.entries(ranges)) assert.ok(inputs[name].data[0] >= low && inputs[name].data[0] <= high, name);
      for (const name of ["width", "top_k", "draw"]) assert.ok(Number.isInteger(inputs[name].data[0]), name);
      assert.ok(inputs.source_ids.data.every((id) => id >= 0));
      return GOLDEN[n % GOLDEN.length].answer;
    })) c.result = { ...result, of: c.state };
    sane(view, c);
  }
});
