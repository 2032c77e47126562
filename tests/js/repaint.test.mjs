import assert from "node:assert/strict";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const repaint = await load("repaint"), { view } = repaint;
const W = view.words.en;
const LETTERS = ["<pad>", "<bos>", "<eos>", "a", "b", "c", "t"], ENGLISH = ["<pad>", "<bos>", "<eos>", "the", "cat", "sees", "cats"];
const sounds = { phonemes: ["<pad>", "<bos>", "<eos>", "AE", "B", "K", "T"], end: 2, eos: 2 }, french = { phonemes: ["<pad>", "<bos>", "<eos>", "le", "chat", "voit"], end: 2, eos: 2 };
const settings = {
  models: {
    first: { ...sounds, letters: LETTERS, reads: "letters", known: "abct" }, second: { ...sounds, letters: [...LETTERS].reverse(), end: 4, reads: "letters", known: "abct" },
    french: { ...french, letters: ENGLISH, reads: "words", known: ["the", "cat", "sees", "cats"] },
  },
  texts: { letters: "cat", words: "the cat" }, examples: ["tab", "the cat sees"], temperature: 1, limit: 6, steps: 8,
  gold: { "the cat": { target: ["le", "chat"], links: [[0, 0], [1, 1]] } },
};
const SPOKEN = [5, 3, 6, 2, 2, 2, 2, 2];                        // K AE T, end

/** An answer that a model could have given to `inputs`: the weights of free rows lean to the diagonal. */
function answer({ source_ids: { dims: [, size] }, painted }, spoken = [SPOKEN, SPOKEN]) {
  const { steps } = settings, own = (t) => repaint.shares(Array.from({ length: size }, (_, s) => (s === Math.min(t, size - 1) ? 8 : 1)));
  const rows = [...Array(steps)].map((_, t) => painted.data.slice(t * size, (t + 1) * size));
  return {
    ids: tensor([2, steps], spoken.flat()), weights: tensor([2, steps, size], [...rows.map((_, t) => own(t)), ...rows.map((row, t) => (row[0] < 0 ? own(t) : row))].flat()),
    choices: tensor([2, steps, 5], spoken.flat().flatMap((id) => [id, 0, 1, 3, 4])), probabilities: tensor([2, steps, 5], Array(2 * steps).fill([0.5, 0.2, 0.1, 0.1, 0.1]).flat()),
  };
}

/** A widget that is asked by nobody: its state, and an answer to it. */
function context(wish = {}, spoken = undefined) {
  const c = { settings, w: W }, state = { ...view.start(settings), model: "first", ...wish };
  const asks = async (one) => { let inputs; for await (const _ of view.compute(one, async (question) => (inputs = question))); return inputs; };
  c.state = state;
  c.result = { of: state };
  c.state = view.accept(c);
  return asks(c).then((inputs) => ({ c: { ...c, result: { ...answer(inputs, spoken), of: c.state } }, asks }));
}

/** What a gesture, or a button, makes of the context, mended as the kit does. */
const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const gesture = (c, kind, more = {}) => after(c, view.act(c, { kind, ...more }));
const key = (c, name) => gesture(c, "key", { key: name });
const button = (c, name, value) => after(c, view.controls(c).find((one) => one.name === name).act(c, value));
const spot = (t, s) => ({ x: 28 * s + 14, y: 22 + 28 * t + 14 });
const press = (c, t, s) => gesture(c, "press", spot(t, s)), drag = (c, t, s) => gesture(c, "drag", spot(t, s)), drop = (c) => gesture(c, "drop");
const rows = (c) => c.state.paint.rows, locked = (c) => c.state.paint.locked;

test("rows: weights are renormalised, and a brush that comes back to a cell makes it heavier", () => {
  assert.deepEqual(repaint.shares([1, 3, 0]), [0.25, 0.75, 0]);
  assert.deepEqual(repaint.brushed([1, 0, 0, 0], 0, 3), [1, 1, 1, 1]);
  assert.deepEqual(repaint.brushed([1, 1, 1, 0], 2, 1), [1, 2, 1, 0]);
  assert.deepEqual(repaint.brushed([1, 0], 0, 0), [1, 0]);
  assert.deepEqual(repaint.heavier([2, 4, 0], 2), [2, 4, 3]);
  assert.deepEqual(repaint.lighter([2, 4, 0], 1), [2, 0, 0]);
  assert.equal(repaint.lighter([0, 4, 0], 1), null);
});

test("rows: the alignment error rate of a hand-worked case, and probabilities in few digits", () => {
  assert.equal(repaint.errorRate([[1, 0, 0], [0.2, 0.5, 0.3], [0.6, 0, 0.4]], [[0, 0], [1, 1], [2, 2]]), 1 - 4 / 6);
  assert.equal(repaint.errorRate([[1, 0], [0, 1]], [[0, 0], [1, 1]]), 0);
  assert.deepEqual([1, 0.954, 0.05, 0.001, 0.0004, 3.6e-12, 0].map(repaint.chance), ["1.00", "0.95", "0.050", "0.001", "4·10⁻⁴", "4·10⁻¹²", "0.000"]);
});

test("repaint: a press paints when it is let go, and not where it went over into scrolling", async () => {
  const { c } = await context(), pressed = press(c, 1, 2);
  assert.deepEqual([rows(pressed), pressed.state.at], [{}, [1, 2]]);
  assert.deepEqual(rows(drop(pressed)), { 1: [0, 0, 1, 0] });
  assert.deepEqual(rows(drop(press(drop(pressed), 1, 0))), { 1: [1, 0, 0, 0] });      // each stroke starts the row anew
  assert.equal(drop(pressed).state.brush, "");
});

test("repaint: a drag shares the weight out, skips no cell, stays in its row, and is lifted far from it", async () => {
  const { c } = await context(), start = press(c, 1, 0);
  const along = drag(start, 1, 3);
  assert.deepEqual(rows(along), { 1: [1, 1, 1, 1] });
  assert.deepEqual(rows(drag(along, 2, 2)), { 1: [1, 1, 2, 1] });                      // a finger is not exact
  assert.equal(drag(along, 1, 3), along);
  const beside = drag(drag(start, 1, 1), 4, 3);
  assert.deepEqual(rows(beside), { 1: [1, 1, 0, 0] });
  assert.deepEqual(rows(drag(beside, 1, 3)), { 1: [1, 1, 0, 1] });                     // two places apart
  assert.deepEqual(rows(drop(drag(beside, 1, 3))), { 1: [1, 1, 0, 1] });
});

test("repaint: a press beside the matrix, or on the labels that lie over it, paints nothing", async () => {
  const { c } = await context();
  for (const place of [{ x: -5, y: 40 }, { x: 40, y: 10 }, spot(0, 4), spot(4, 0), { ...spot(1, 1), target: "labels" }, { ...spot(1, 1), target: "lock1" }])
    assert.equal(view.act(c, { kind: "press", ...place }), undefined);
});

test("repaint: a padlock keeps a row as it looks now, whatever is done to it, and gives back what was there before", async () => {
  const { c } = await context(), painted = drop(press(c, 0, 3)), click = (d, t) => gesture(d, "click", { target: `lock${t}` });
  const shut = click(click(painted, 0), 2);
  assert.deepEqual(locked(shut), { 0: [0, 0, 0, 1], 2: [0.0909, 0.0909, 0.7273, 0.0909] });
  const tried = [drop(drag(press(shut, 2, 0), 2, 1)), button({ ...shut, state: { ...shut.state, where: "all" } }, "even"), key(press(shut, 2, 1), "Delete"), key(press(shut, 2, 1), " ")];
  for (const one of tried) assert.deepEqual(locked(one), locked(shut));
  for (const one of tried) assert.deepEqual([0, 2].map((t) => repaint.heldRows(one.state, 4)[t]), Object.values(locked(shut)));
  const open = click(click(shut, 0), 2);
  assert.deepEqual([locked(open), rows(open)], [{}, { 0: [0, 0, 0, 1] }]);
  assert.equal(view.act(c, { kind: "click", target: "labels" }), undefined);
});

test("repaint: the buttons act on the row of the cursor, or on every row", async () => {
  const { c } = await context({ at: [2, 1] }), all = (d) => ({ ...d, state: { ...d.state, where: "all" } });
  assert.deepEqual(rows(button(c, "even")), { 2: [1, 1, 1, 1] });
  assert.deepEqual(rows(button(c, "sharp")), { 2: [0, 0, 1, 0] });
  assert.deepEqual(rows(button(button(c, "sharp"), "free")), {});
  assert.equal(Object.keys(rows(button(all(c), "even"))).length, 8);                   // also of what may be said then
  assert.deepEqual(rows(button(all(c), "sharp")), Object.fromEntries([0, 1, 2, 3].map((t) => [t, [0, 1, 2, 3].map((s) => +(s === t))])));
  assert.deepEqual(Object.keys(locked(button(all(c), "lock"))), ["0", "1", "2", "3"]);
  assert.deepEqual(locked(button(button(all(c), "lock"), "lock")), {});
  assert.deepEqual(rows(button(button(all(c), "even"), "free")), {});
});

test("repaint: keys choose a cell, give it weight and take it away, lock the row and give it back", async () => {
  const { c } = await context({ at: [1, 1] }), keys = (...names) => names.reduce(key, c);
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].map((name) => key(c, name).state.at), [[1, 0], [1, 2], [0, 1], [2, 1], [1, 0], [1, 3]]);
  assert.deepEqual(keys("ArrowDown", "ArrowDown", "ArrowDown").state.at, [3, 1]);        // no further than the end
  assert.deepEqual(rows(keys(" ")), { 1: [0, 1, 0, 0] });
  assert.deepEqual(rows(keys(" ", "ArrowRight", " ", " ")), { 1: [0, 1, 2, 0] });
  assert.deepEqual(rows(keys(" ", "ArrowRight", " ", "Backspace")), { 1: [0, 1, 0, 0] });
  assert.deepEqual(rows(keys(" ", "Backspace")), {});
  assert.deepEqual(rows(keys("Backspace")), { 1: [0.0909, 0, 0.0909, 0.0909] });          // of the model's own weights
  assert.deepEqual(rows(keys(" ", "Delete")), {});
  assert.deepEqual(Object.keys(locked(keys("Enter"))), ["1"]);
  assert.deepEqual(locked(keys("Enter", "Enter")), {});
  assert.equal(view.act(c, { kind: "key", key: "PageUp" }), undefined);
});

test("repaint: a model is asked in its own numbers, painted rows renormalised, free ones as -1", async () => {
  const { c, asks } = await context({ paint: { text: "cat", rows: { 1: [0, 1, 3, 0] }, locked: { 0: [1, 0, 0, 0] } }, temperature: 0.5 }), asked = await asks(c);
  assert.deepEqual(asked.source_ids, { dims: [1, 4], data: [5, 3, 6, 2] });
  assert.deepEqual(asked.painted.dims, [1, 8, 4]);
  assert.deepEqual(asked.painted.data.slice(0, 12), [1, 0, 0, 0, 0, 0.25, 0.75, 0, -1, -1, -1, -1]);
  assert.deepEqual(asked.temperature, { dims: [1], data: [0.5] });
  assert.deepEqual((await asks({ ...c, state: { ...c.state, model: "second" } })).source_ids.data, [1, 3, 0, 4]);
});

test("repaint: another text forgets what was painted; locked rows outlast it where they fit, and come back where it does", async () => {
  const { c, asks } = await context({ paint: { text: "cat", rows: { 1: [0, 1, 3, 0] }, locked: { 0: [1, 0, 0, 0] } } }), held = async (text) => {
    const { painted: { data, dims: [, , size] } } = await asks(after(c, { ...c.state, text }));
    return [0, 1].map((t) => data[t * size] >= 0);
  };
  assert.deepEqual([await held("bat"), await held("ca"), await held("cat")], [[true, false], [false, false], [true, true]]);
  const { c: other } = await context({ ...c.state, text: "bat" }), painted = drop(press(other, 2, 0));
  assert.deepEqual(painted.state.paint, { text: "bat", rows: { 2: [1, 0, 0, 0] }, locked: { 0: [1, 0, 0, 0] } });
});

test("repaint: another model keeps what is painted and locked; one that reads words brings its own text, and back", async () => {
  const { c } = await context(), painted = key(drop(press(c, 1, 2)), "Enter"), model = (d, name) => after(d, { ...d.state, model: name });
  assert.deepEqual(repaint.heldRows(model(painted, "second").state, 4), { 1: [0, 0, 1, 0] });
  const words = model(painted, "french");
  assert.deepEqual([words.state.text, words.state.reads, words.state.other], ["the cat", "words", "cat"]);
  assert.equal(view.act(words, { kind: "press", ...spot(1, 1) }), undefined);            // while the answer to it is awaited
  const back = model(words, "first");
  assert.deepEqual([back.state.text, back.state.paint], ["cat", painted.state.paint]);
});

test("repaint: an example is read by the model that is chosen, or by the first that can", async () => {
  const { c } = await context({ model: "second" }), tab = button(c, "example", "tab"), sentence = button(c, "example", "the cat sees");
  assert.deepEqual([tab.state.text, tab.state.model], ["tab", "second"]);
  assert.deepEqual([sentence.state.text, sentence.state.model, sentence.state.other], ["the cat sees", "french", "cat"]);
});

test("repaint: a text that cannot be read says why, offers what can, and is not asked", async () => {
  const { c, asks } = await context(), { c: words } = await context({ model: "french" });
  const told = async (d, text) => {
    const there = after(d, { ...d.state, text }), advice = view.advice(there);
    assert.equal(await asks(there), undefined, text);
    assert.match(view.sentence(there), /becomes/);
    return [advice.text, ...advice.offers.map(({ name, value }) => `${name}=${value}`)];
  };
  assert.equal(view.advice(c), null);
  assert.match((await told(c, ""))[0], /Type a word/);
  assert.deepEqual((await told(c, "c t")).slice(1), ["text=ct"]);
  assert.deepEqual((await told(c, "abababab")).slice(1), ["text=ababab"]);
  assert.deepEqual(await told(words, "the ct sees"), ["“ct” is none of its words. It knows:", "text=the cat sees"]);
  assert.deepEqual(await told(words, "the xylophone"), ["“xylophone” is none of its words."]);
  assert.deepEqual(await told(words, "the ca"), ["“ca” is none of its words. It knows:", "text=the cat", "text=the cats"]);
  assert.match((await told(words, "cat ".repeat(7)))[0], /At most 6 words/);
  assert.match((await told(words, "  "))[0], /Type a sentence/);
  assert.deepEqual((await asks(after(words, { ...words.state, text: " THE  cats " }))).source_ids.data, [3, 6, 2]);
});

test("repaint: the sentence tells the cell, its row, what is said and what the model alone says", async () => {
  const { c } = await context({ at: [1, 1] });
  assert.equal(view.sentence(c), "Step 2, “a”: 73% of the weight, as the model has it. It says AE (0.50). “cat” becomes K AE T, with probability 0.063; the model alone says the same.");
  const other = [SPOKEN, [5, 4, 2, 2, 2, 2, 2, 2]], { c: changed } = await context({ at: [1, 0], paint: { text: "cat", rows: { 1: [1, 1, 0, 0] }, locked: {} } }, other);
  assert.equal(view.sentence(changed), "Step 2, “c”: 50% of the weight, painted by hand. It says B (0.50), the model alone AE 0.50. “cat” becomes K B, with probability 0.13; the model alone says K AE T (0.063).");
  assert.match(view.picture(changed), /≠ AE 0\.50/);
  assert.match(view.above(changed), /<td>K <strong>B<\/strong><\/td>/);
  assert.match(view.sentence(key(changed, "Enter")), /50% of the weight, locked\./);
  const { c: endless } = await context({}, [SPOKEN, Array(8).fill(3)]);
  assert.match(view.sentence(endless), /becomes AE AE AE AE AE AE AE AE …, with/);
});

test("repaint: a row stands as it is painted before the answer comes", async () => {
  const { c } = await context(), painted = drop(press(c, 0, 3)), at = (s) => `<rect x="${28 * s}" y="22" width="28" height="28" fill="var(--weight)" fill-opacity="1.000"/>`;
  assert.deepEqual([c, painted].map((one) => view.picture(one).includes(at(3))), [false, true]);
});

test("repaint: gold links are marked, and the error rate told, where what is said is the right translation", async () => {
  const right = [3, 4, 2, 2, 2, 2, 2, 2], { c } = await context({ model: "french" }, [right, right]), { c: wrong } = await context({ model: "french" }, [right, [4, 3, 2, 2, 2, 2, 2, 2]]);
  assert.equal(view.picture(c).match(/l4 4-4 4-4-4z/g).length, 2);
  assert.match(view.below(c), /alignment error rate of the largest weights: 0%/);
  assert.match(view.below(drop(press({ ...c, state: { ...c.state } }, 0, 1))), /gold/);
  assert.doesNotMatch(view.picture(wrong) + view.below(wrong), /4-4-4z|gold/);
});

test("repaint: the words that can be typed are listed where a model reads words", async () => {
  const list = async (wish) => view.below((await context({ list: true, ...wish })).c).includes("the cat sees cats");
  assert.deepEqual([await list({ model: "french" }), await list({ model: "first" }), await list({ model: "french", list: false })], [true, false, false]);
});

test("repaint: a link brings text, model, rows, locks and temperature back", async () => {
  const { c } = await context(), there = after(c, { ...c.state, text: "tab", paint: { text: "tab", rows: { 0: [1, 0, 2, 0] }, locked: { 3: [0.25, 0.25, 0.25, 0.25] } }, temperature: 0.4, at: [2, 3], where: "all" }).state;
  assert.deepEqual(repaint.fromLink(repaint.toLink("repaint", there, c.state), "repaint", c, view), there);
  const words = after(c, { ...c.state, model: "french", text: "the cats see", reads: "words", other: "tab" }).state, models = { kind: "choice", name: "model", options: Object.keys(settings.models).map((name) => [name, name]) };
  assert.deepEqual(repaint.fromLink(repaint.toLink("repaint", words, c.state), "repaint", c, view, [models, ...view.controls(c)]), words);
});

test("repaint: a link cannot paint what is no row", async () => {
  const { c } = await context(), mend = (rows) => after(c, { ...c.state, paint: { text: "cat", rows, locked: rows } }).state.paint;
  const wild = mend({ 1: [1, -1, 0, 0], 2: [0, 0, 0, 0], 3: ["a", 1, 1, 1], 9: [1, 1, 1, 1], x: [1, 1], 4: 7, 5: [1, 0], 6: Array(50).fill(1), 7: [1e9, 1, 1, 1] });
  assert.deepEqual([wild.rows, wild.locked], [{ 5: [1, 0] }, { 5: [1, 0] }]);
  assert.deepEqual(repaint.heldRows({ text: "cat", paint: wild }, 4), {});                 // kept, but it fits no text of three letters
});

/** Numbers in [0, 1) that are the same at every run. */
const dice = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

test("repaint: a thousand random states, typed and from links, moved by hand, are answered or left alone, and drawn", async () => {
  const random = dice(23), pick = (list) => list[Math.floor(random() * list.length)], { c: start, asks } = await context();
  const models = { kind: "choice", name: "model", options: Object.keys(settings.models).map((name) => [name, name]) };
  const texts = ["", "cat", "CAB", "the cat", "The  cats", "cat sees", "dog", "你好", "a".repeat(300), "<img src=x onerror=alert(1)>", "__proto__", "c t", "\u0000"];
  const rubbish = () => pick([null, 7, -1.5, "x", [1, "a"], { x: 1 }, true, { 1: [1, 2, 3, 4] }, pick(texts)]), row = () => Array.from({ length: pick([2, 3, 4, 4]) }, () => pick([0, 1, 0.3, -1]));
  const own = { text: () => pick(texts), other: () => pick(texts), reads: () => pick(["letters", "words"]), temperature: () => random() * 7 - 1, where: () => pick(["row", "all"]), list: () => true, brush: () => pick(["fresh", "down", "off"]),
    paint: () => ({ text: pick(texts), rows: { [pick([0, 1, 7, 8])]: row() }, locked: { [pick([0, 2])]: row() } }), at: () => [pick([0, 3, 99, -1]), pick([0, 2, 99])], model: () => pick(Object.keys(settings.models)) };
  const hands = [(c) => press(c, pick([0, 1, 3]), pick([0, 2, 5])), (c) => drag(c, pick([0, 1, 5]), pick([0, 3])), drop, (c) => gesture(c, "click", { target: pick(["lock0", "lock2", "labels"]) }),
    (c) => key(c, pick([" ", "Enter", "Delete", "Backspace", "ArrowDown", "End"])), (c) => button(c, pick(["even", "sharp", "lock", "free"])), (c) => button(c, "example", pick(settings.examples))];
  let c = start;
  for (let n = 0; n < 1000; n++) {
    const wish = Object.fromEntries(Object.keys(own).filter(() => random() > 0.5).map((name) => [name, random() > 0.3 ? own[name]() : rubbish()]));
    if (n % 3 === 0) c = { ...c, state: repaint.fromLink(`#${new URLSearchParams({ repaint: JSON.stringify(wish) })}`, "repaint", { ...c, state: start.state }, view, [models, ...view.controls(c)]) };
    c = pick(hands)(c);
    const inputs = await asks(c);
    if (inputs) {
      const { source_ids: { data: ids }, painted: { data, dims } } = inputs;
      assert.ok(ids.length > 1 && ids.length <= settings.limit + 1 && ids.every((id) => id >= 0 && id < 7), JSON.stringify(c.state));
      assert.equal(data.length, dims[1] * ids.length);
      for (let t = 0; t < dims[1]; t++) {
        const one = data.slice(t * ids.length, (t + 1) * ids.length), sum = one.reduce((a, b) => a + b, 0);
        assert.ok(one.every((w) => w === -1) || (one.every((w) => w >= 0) && Math.abs(sum - 1) < 1e-9), JSON.stringify(one));
      }
      const spoken = () => Array.from({ length: 8 }, () => pick([2, 3, 4, 5]));
      c = { ...c, result: { ...answer(inputs, [spoken(), spoken()]), of: c.state } };
    }
    const html = view.above(c) + view.picture(c) + view.below(c) + repaint.esc(view.sentence(c) + (view.advice(c)?.text ?? ""));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
  }
});
