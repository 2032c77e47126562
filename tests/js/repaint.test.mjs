import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const repaint = await load("repaint"), { view } = repaint;
const W = view.words.en;
const LETTERS = ["<pad>", "<bos>", "<eos>", "a", "b", "c", "t"], ENGLISH = ["<pad>", "<bos>", "<eos>", "the", "cat", "sees", "cats"];
const sounds = { target: ["<pad>", "<bos>", "<eos>", "AE", "B", "K", "T"], end: 2, eos: 2 }, french = { target: ["<pad>", "<bos>", "<eos>", "le", "chat", "voit"], end: 2, eos: 2 };
const settings = {
  models: {
    first: { ...sounds, source: LETTERS, reads: "letters", known: "abct" }, second: { ...sounds, source: [...LETTERS].reverse(), end: 4, reads: "letters", known: "abct" },
    french: { ...french, source: ENGLISH, reads: "words", known: ["the", "cat", "sees", "cats"] },
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
    probabilities: tensor([2, steps], Array(2 * steps).fill(0.5)),
  };
}

/** A widget that is asked by nobody: its state, and an answer to it. */
function context(wish = {}, spoken = undefined) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "first" } }, { model } = { ...c.state, ...wish }, state = { ...view.moved({ ...c.state, model }, c), ...wish };
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
const spot = (t, s) => ({ x: 28 * s + 14, y: 28 * t + 14 });
const press = (c, t, s) => gesture(c, "press", spot(t, s)), drag = (c, t, s) => gesture(c, "drag", spot(t, s)), lift = (c, t, s) => gesture(c, "drop", spot(t, s));
const drop = (c) => lift(c, ...c.state.at), all = (c) => ({ ...c, state: { ...c.state, where: "all" } }), sentence = (c) => view.sentence(c).join(" ");
const switched = (c, model) => after(c, view.moved({ ...c.state, model }, c));
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
  const rows = [[1, 0, 0], [0.2, 0.5, 0.3], [0.6, 0, 0.4]], links = [[0, 0], [1, 1], [2, 2]];
  assert.equal(repaint.errorRate(rows.map((row) => [...row, 0]), links), 1 - 4 / 6);
  assert.equal(repaint.errorRate(rows.map((row) => [...row, 7]), links), 1 - 4 / 6);    // however much looks at the end
  assert.equal(repaint.errorRate([[1, 0, 0], [0, 1, 0]], [[0, 0], [1, 1]]), 0);
  assert.deepEqual([1, 0.954, 0.05, 0.001, 0.0004, 3.6e-12, 0].map(repaint.chance), ["1.00", "0.95", "0.050", "0.001", "4·10⁻⁴", "4·10⁻¹²", "0.000"]);
  assert.deepEqual([0.994, 0.996, 0.9994, 0.9996].map(repaint.chance), ["0.99", "0.996", "0.999", ">0.999"]);   // only what is certain is 1
});

test("repaint: a press paints when it is let go, and not where it went over into scrolling", async () => {
  const { c } = await context(), pressed = press(c, 1, 2);
  assert.deepEqual([rows(pressed), pressed.state.at], [{}, [1, 2]]);
  assert.deepEqual(rows(drop(pressed)), { 1: [0, 0, 1, 0] });
  assert.deepEqual(rows(drop(press(drop(pressed), 1, 0))), { 1: [1, 0, 0, 0] });      // each stroke starts the row anew
  assert.equal(drop(pressed).state.brush, "");
  for (const elsewhere of [lift(pressed, 0, 2), lift(pressed, 2, 2), lift(pressed, 1, 9)]) assert.deepEqual([rows(elsewhere), elsewhere.state.brush], [{}, ""]);
});

test("repaint: a drag shares the weight out, skips no cell, stays in its row, and is lifted far from it", async () => {
  const { c } = await context(), start = press(c, 1, 0);
  const along = drag(start, 1, 3);
  assert.deepEqual(rows(along), { 1: [1, 1, 1, 1] });
  assert.deepEqual(rows(drag(along, 2, 2)), { 1: [1, 1, 2, 1] });                      // a finger is not exact
  assert.equal(drag(along, 1, 3), along);
  assert.deepEqual(rows(gesture(along, "drag", { x: 14, y: 28 * 1.5 + 41 })), { 1: [2, 2, 2, 1] });   // nor is a row and a half
  assert.deepEqual([43, -43].map((far) => gesture(along, "drag", { x: 14, y: 28 * 1.5 + far }).state.brush), ["off", "off"]);
  const beside = drag(drag(start, 1, 1), 4, 3);
  assert.deepEqual(rows(beside), { 1: [1, 1, 0, 0] });
  assert.deepEqual(rows(drag(beside, 1, 3)), { 1: [1, 1, 0, 1] });                     // two places apart
  assert.deepEqual(rows(drop(drag(beside, 1, 3))), { 1: [1, 1, 0, 1] });
});

test("repaint: a press beside the matrix, or on the labels that lie over it, paints nothing", async () => {
  const { c } = await context();
  for (const place of [{ x: -5, y: 40 }, { x: 40, y: -10 }, spot(0, 4), spot(4, 0), { ...spot(1, 1), target: "labels" }, { ...spot(1, 1), target: "lock1" }])
    assert.equal(view.act(c, { kind: "press", ...place }), undefined);
});

test("repaint: a padlock keeps a row as it looks now, whatever is done to it, and gives back what was there before", async () => {
  const { c } = await context(), painted = drop(press(c, 0, 3)), click = (d, t) => gesture(d, "click", { target: `lock${t}` });
  const shut = click(click(painted, 0), 2);
  assert.deepEqual(locked(shut), { 0: [0, 0, 0, 1], 2: [0.0909, 0.0909, 0.7273, 0.0909] });
  const tried = [drop(drag(press(shut, 2, 0), 2, 1)), button(all(shut), "even"), button(all(shut), "free"), key(press(shut, 2, 1), "Delete"), key(press(shut, 2, 1), " ")];
  for (const one of tried) assert.deepEqual(locked(one), locked(shut));
  for (const one of tried) assert.deepEqual([0, 2].map((t) => repaint.heldRows(one.state, 4)[t]), Object.values(locked(shut)));
  const open = click(click(shut, 0), 2);
  assert.deepEqual([locked(open), rows(open)], [{}, { 0: [0, 0, 0, 1] }]);
  assert.equal(view.act(c, { kind: "click", target: "labels" }), undefined);
});

test("repaint: the buttons act on the row of the cursor, or on every row", async () => {
  const { c } = await context({ at: [2, 1] });
  assert.deepEqual(rows(button(c, "even")), { 2: [1, 1, 1, 1] });
  assert.deepEqual(rows(button(c, "sharp")), { 2: [0, 0, 1, 0] });
  assert.deepEqual(rows(button(button(c, "sharp"), "free")), {});
  assert.deepEqual(rows(button(all(c), "even")), Object.fromEntries([0, 1, 2, 3].map((t) => [t, [1, 1, 1, 1]])));   // of what is said then the model decides
  assert.deepEqual(rows(button(all(c), "sharp")), Object.fromEntries([0, 1, 2, 3].map((t) => [t, [0, 1, 2, 3].map((s) => +(s === t))])));
  assert.deepEqual(Object.keys(locked(button(all(c), "lock"))), ["0", "1", "2", "3"]);
  assert.deepEqual(locked(button(button(all(c), "lock"), "lock")), {});
  assert.deepEqual(rows(button(button(all(c), "even"), "free")), {});
  const { c: kept } = await context({ paint: { text: "cat", rows: {}, locked: { 2: [1, 2, 1, 0] } } });
  assert.deepEqual(locked(button(all(kept), "lock"))[2], [1, 2, 1, 0]);                // what is locked is not locked anew
});

test("repaint: rows held beyond what is said are told of, and undone with all others", async () => {
  const row = [0, 1, 0, 0], held = { text: "cat", rows: { 1: row, 6: row }, locked: { 5: row } }, { c } = await context({ paint: held, at: [1, 0] });
  assert.match(view.below(c), /though nothing is said there now: step 6, 7</);
  assert.deepEqual(Object.keys(rows(button(c, "free"))), ["6"]);                       // of this row only
  assert.deepEqual([rows(button(all(c), "free")), locked(button(all(c), "free"))], [{}, { 5: row }]);
  const shut = button(all(c), "lock");
  assert.deepEqual(Object.keys(locked(shut)), ["0", "1", "2", "3", "5"]);
  assert.deepEqual(locked(button(shut, "lock")), {});
  assert.deepEqual(Object.keys(locked(button(button(c, "lock"), "lock"))), ["5"]);
  assert.doesNotMatch(view.below((await context()).c), /nothing is said there/);
});

test("repaint: while another text is read, no button paints what still stands there", async () => {
  const { c } = await context(), waiting = after(c, { ...c.state, text: "bat" });
  for (const name of ["even", "sharp", "lock", "free"]) assert.deepEqual(button(waiting, name).state.paint, waiting.state.paint, name);
  assert.notDeepEqual(button(c, "even").state.paint, c.state.paint);
});

test("repaint: a cursor, a brush and a list of words ask the model nothing", async () => {
  const { c } = await context(), asked = (d) => JSON.stringify({ ...d.state, ...Object.fromEntries(view.quiet.map((name) => [name, 0])) });
  for (const one of [key(c, "ArrowDown"), press(c, 1, 2), all(c), after(c, { ...c.state, list: true })]) {
    assert.notDeepEqual(one.state, c.state);
    assert.equal(asked(one), asked(c));
  }
  assert.notEqual(asked(drop(press(c, 1, 2))), asked(c));
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
  const { c } = await context(), painted = key(drop(press(c, 1, 2)), "Enter"), model = switched;
  assert.deepEqual(repaint.heldRows(model(painted, "second").state, 4), { 1: [0, 0, 1, 0] });
  const words = model(painted, "french");
  assert.deepEqual([words.state.text, words.state.other], ["the cat", "cat"]);
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
    assert.match(sentence(there), /becomes/);
    return [advice.text, ...advice.offers.map(({ name, value }) => `${name}=${value}`)];
  };
  assert.equal(view.advice(c), null);
  assert.match((await told(c, ""))[0], /Type a word/);
  assert.deepEqual((await told(c, "cxt")).slice(1), ["text=ct"]);
  assert.deepEqual((await told(c, " cat ")).slice(1), ["text=cat"]);
  assert.deepEqual((await told(c, "abababab")).slice(1), ["text=ababab"]);
  assert.deepEqual(await told(words, "the ct sees"), ["“ct” is none of its words. It knows:", "text=the cat sees"]);
  assert.deepEqual(await told(words, "the xylophone"), ["“xylophone” is none of its words: the switch below shows them all."]);
  assert.deepEqual(await told(words, "the ca"), ["“ca” is none of its words. It knows:", "text=the cat", "text=the cats"]);
  assert.match((await told(words, "cat ".repeat(7)))[0], /At most 6 words/);
  assert.match((await told(words, "  "))[0], /Type a sentence/);
  assert.deepEqual((await asks(after(words, { ...words.state, text: " THE  cats " }))).source_ids.data, [3, 6, 2]);
});

test("repaint: a sentence that a speller cannot read, or a word that a translator does not know, is offered to the other and stays", async () => {
  const { c } = await context(), { c: words } = await context({ model: "french", text: "the cat", other: "cat" }), typed = (d, text) => after(d, { ...d.state, text });
  const advised = (d) => view.advice(d), follow = (d) => switched(d, view.advice(d).offers[0].value);
  const sentence = typed(c, "the cats"), misspelled = typed(c, "the ctas"), word = typed(words, "tabb");
  assert.deepEqual(advised(sentence), { text: "A sentence is read by:", offers: [{ name: "model", value: "french" }] });
  assert.deepEqual(advised(word), { text: "A single word is read by:", offers: [{ name: "model", value: "first" }] });
  assert.deepEqual([sentence, misspelled, word].map(follow).map(({ state }) => [state.model, state.text, state.other]),
    [["french", "the cats", "cat"], ["french", "the ctas", "cat"], ["first", "tabb", "the cat"]]);
  assert.equal(advised(follow(sentence)), null);
  assert.match(advised(follow(misspelled)).text, /“ctas” is none of its words\. It knows:/);
  assert.deepEqual(advised(typed(words, "ca")).offers.map(({ value }) => value), ["cat", "cats"]);   // first what is near
  assert.match(advised(typed(words, "the tabb")).text, /“tabb” is none/);               // a sentence, for words only
  const only = { ...c, settings: { ...settings, models: { first: settings.models.first } } };
  assert.deepEqual(advised(typed(only, "a b")).offers, [{ name: "text", value: "ab" }]);
});

test("repaint: the sentence tells the cell, its row, what is said and what the model alone says", async () => {
  const { c } = await context({ at: [1, 1] });
  assert.equal(sentence(c), "Step 2, “a”: 73% of the weight, as the model has it. It says AE (0.50). “cat” becomes K AE T, with probability 0.063; the model alone says the same.");
  const other = [SPOKEN, [5, 4, 2, 2, 2, 2, 2, 2]], { c: changed } = await context({ at: [1, 0], paint: { text: "cat", rows: { 1: [1, 1, 0, 0] }, locked: {} } }, other);
  assert.equal(sentence(changed), "Step 2, “c”: 50% of the weight, painted by hand. It says B (0.50), the model alone AE 0.50. “cat” becomes K B, with probability 0.13; the model alone says K AE T (0.063).");
  assert.match(view.picture(changed), /≠ AE 0\.50/);
  assert.match(view.above(changed), /<td>K <strong>B<\/strong><\/td>/);
  assert.match(sentence(key(changed, "Enter")), /50% of the weight, locked\./);
  const { c: endless } = await context({}, [SPOKEN, Array(8).fill(3)]);
  assert.match(sentence(endless), /becomes AE AE AE AE AE AE AE AE …, with/);
});

test("repaint: an arrow key changes nothing but the sentence on its cell, and in another row that on its step", async () => {
  const { c } = await context({ at: [1, 1] }), changed = (d) => view.sentence(d).map((one, n) => one !== view.sentence(c)[n]);
  assert.deepEqual(changed(key(c, "ArrowLeft")), [true, false, false]);
  assert.deepEqual(changed(key(c, "ArrowUp")), [true, true, false]);
});

test("repaint: a frame is dashed of a painted row, solid of a locked one; a padlock is shut where it locks", async () => {
  const row = [1, 0, 0, 0], { c } = await context({ paint: { text: "cat", rows: { 0: row }, locked: { 2: row } } }), picture = view.picture(c);
  const frames = picture.match(/<rect x="1" y="\d+"[^>]*stroke="var\(--minus\)"[^>]*>/g);
  assert.deepEqual(frames.map((one) => [+one.match(/y="(\d+)"/)[1], one.includes("dasharray")]), [[1, true], [57, false]]);
  const shackles = [0, 1, 2, 3].map((t) => picture.match(new RegExp(`data-key="lock${t}".*?<path d="M(\\d+) 12v-3`))[1]);
  assert.deepEqual(shackles, ["2", "2", "6", "2"]);                                    // its foot in the middle of the body
  assert.deepEqual([0, 2].map((t) => picture.match(new RegExp(`data-key="lock${t}"[^>]*><title>(.*?)<`))[1]), ["Lock this row", "Unlock this row"]);
});

test("repaint: there is room beside the matrix for what the model alone says, and for the names of the last columns", async () => {
  for (const model of ["first", "french"]) {
    const { c } = await context({ model, text: model === "french" ? "the cat" : "cat" }, [Array(8).fill(4), SPOKEN]), picture = view.picture(c);
    const [wide] = picture.match(/<svg style="grid-area:2\/2[^>]* width="(\d+)"/).slice(1), [at, text] = picture.match(/<text class="soft" x="(\d+)" y="\d+">(≠[^<]*)</).slice(1);
    assert.ok(+at + 7 * text.length <= +wide, `${at} ${text} ${wide}`);
    assert.equal(picture.match(/data-key="heads" width="(\d+)"/)[1], wide);
  }
});

/** The contrast of two colours, each [r, g, b] of 0 to 255: 1 to 21 (WCAG 2). */
function contrast(one, other) {
  const light = (colour) => colour.map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)).reduce((sum, x, n) => sum + x * [0.2126, 0.7152, 0.0722][n], 0);
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

test("repaint: the number in a cell is easy to read on any weight, in light and dark, for it brings its own ground", async () => {
  const css = readFileSync(new URL("../../lib/vec2gpt/widgets/js/kit.css", import.meta.url), "utf8"), [, light] = css.match(/^\.v2g \{(.*?)\}/ms), [, dark] = css.match(/data-theme="dark"\] \.v2g[^{]*\{(.*?)\}/s);
  const colour = (theme, name) => { const hex = theme.match(new RegExp(`--${name}: #(\\w+)`))[1]; return [0, 1, 2].map((k) => parseInt(hex.length === 3 ? hex[k] + hex[k] : hex.slice(2 * k, 2 * k + 2), 16)); };
  for (const theme of [light, dark]) {
    const [ink, paper, weight, wash] = ["ink", "paper", "weight", "wash"].map((name) => colour(theme, name));
    const cells = [0.03, 0.3, 0.5, 0.7, 1].map((w) => weight.map((x, k) => w * x + (1 - w) * wash[k]));
    assert.ok(Math.min(...cells.map((cell) => Math.max(contrast(ink, cell), contrast(paper, cell)))) < 4.5);   // neither would do by itself
    assert.ok(contrast(ink, paper) >= 4.5);
  }
  assert.match(css, /svg \.haloed \{ paint-order: stroke; stroke: var\(--paper\); stroke-width: 3px/);
  const { c } = await context(), numbers = view.picture(c).match(/<text[^>]*>\d+<\/text>/g);
  assert.ok(numbers.length === 16 && numbers.every((number) => number.includes('class="haloed"') && !number.includes("fill:")));
});

test("repaint: a row stands as it is painted before the answer comes", async () => {
  const { c } = await context(), painted = drop(press(c, 0, 3)), at = (s) => `<rect x="${28 * s}" y="0" width="28" height="28" fill="var(--weight)" fill-opacity="1.000"/>`;
  assert.deepEqual([c, painted].map((one) => view.picture(one).includes(at(3))), [false, true]);
});

test("repaint: gold links are marked, and the error rate told, where what is said is the right translation", async () => {
  const right = [3, 4, 2, 2, 2, 2, 2, 2], { c } = await context({ model: "french" }, [right, right]), { c: wrong } = await context({ model: "french" }, [right, [4, 3, 2, 2, 2, 2, 2, 2]]);
  assert.equal(view.picture(c).match(/l4 4-4 4-4-4z/g).length, 2);
  assert.match(view.below(c), /alignment error rate of the largest weights, the end apart: 0%/);
  assert.match(view.below(drop(press(c, 0, 1))), /the end apart: 50%/);                   // of two links one
  assert.match(view.below(drop(press(c, 1, 2))), /the end apart: 50%/);                   // the end has the weight of “chat”, and is no word
  assert.doesNotMatch(view.picture(wrong) + view.below(wrong), /4-4-4z|gold/);
});

test("repaint: the words that can be typed are listed where a model reads words", async () => {
  const list = async (wish) => view.below((await context({ list: true, ...wish })).c).includes("the cat sees cats");
  assert.deepEqual([await list({ model: "french" }), await list({ model: "first" }), await list({ model: "french", list: false })], [true, false, false]);
});

test("repaint: a link brings text, model, rows, locks and temperature back", async () => {
  const { c } = await context(), there = after(c, { ...c.state, text: "tab", paint: { text: "tab", rows: { 0: [1, 0, 2, 0] }, locked: { 3: [0.25, 0.25, 0.25, 0.25] } }, temperature: 0.4, at: [2, 3], where: "all" }).state;
  assert.deepEqual(repaint.fromLink(repaint.toLink("repaint", there, c.state), "repaint", c, view), there);
  const held = { ...there, brush: "fresh" }, link = repaint.toLink("repaint", held, c.state, view.passing);       // a brush belongs to the hand
  assert.equal(link, repaint.toLink("repaint", there, c.state));
  assert.deepEqual(repaint.fromLink(repaint.toLink("repaint", held, c.state), "repaint", c, view), there);
  const words = after(c, { ...c.state, model: "french", text: "the cats see", other: "tab" }).state, models = { kind: "choice", name: "model", options: Object.keys(settings.models).map((name) => [name, name]) };
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
  const own = { text: () => pick(texts), other: () => pick(texts), temperature: () => random() * 7 - 1, where: () => pick(["row", "all"]), list: () => true, brush: () => pick(["fresh", "down", "off"]),
    paint: () => ({ text: pick(texts), rows: { [pick([0, 1, 7, 8])]: row() }, locked: { [pick([0, 2])]: row() } }), at: () => [pick([0, 3, 99, -1]), pick([0, 2, 99])], model: () => pick(Object.keys(settings.models)) };
  const hands = [(c) => press(c, pick([0, 1, 3]), pick([0, 2, 5])), (c) => drag(c, pick([0, 1, 5]), pick([0, 3])), drop, (c) => gesture(c, "click", { target: pick(["lock0", "lock2", "labels"]) }),
    (c) => key(c, pick([" ", "Enter", "Delete", "Backspace", "ArrowDown", "End"])), (c) => button(c, pick(["even", "sharp", "lock", "free"])), (c) => button(c, "example", pick(settings.examples)), (c) => switched(c, pick(Object.keys(settings.models)))];
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
    const html = view.above(c) + view.picture(c) + view.below(c) + repaint.esc(sentence(c) + (view.advice(c)?.text ?? ""));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
  }
});
