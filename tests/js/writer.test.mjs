import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const writer = await load("writer"), { view } = writer, W = view.words.en;
const { settings, prompt, ids: PROMPT, texts: [FIRST, BRANCH], encoded } = JSON.parse(readFileSync(new URL("golden/writer.json", import.meta.url)));   // tests/widgets/test_writer.py wrote it
const { one: KIND, two: PIECES } = settings.models, ROOM = KIND.context - 1, WIDE = 8, NOBODY = { written: tensor([1, 0], []), of: {} };

/** Where Python begins to read for a place: as slowly as it does. */
function slowStart(place) { let start = 0; while (place - start >= ROOM) start += (ROOM + 1) / 2; return start; }

/** A model that writes what Python wrote, if it is asked as Python asked; `asked` keeps the questions. */
function python({ text, own }, state, asked = []) {
  const chance = writer.turn(settings.uniform, state.seed);
  return async ({ ids: { data: ids, dims }, u: { data: u } }) => {
    const starts = (ahead) => Array.from(text.keys()).findLast((k) => k === slowStart(k + ids.length - ahead) && ids.every((id, n) => text[k + n] === id)) ?? -1;
    const writes = starts(0) >= 0, from = writes ? starts(0) : starts(1), to = from + ids.length;   // or it only judges what is given
    assert.deepEqual(dims, [1, ids.length]);
    assert.ok(from >= 0 && ids.length + u.length <= KIND.context, "a part of the text, with room to write");
    const size = PROMPT.length, last = to + u.length - 1;
    if (asked.push({ from, to, count: u.length }) && writes) u.forEach((x, k) => assert.equal(x, chance[(to + k - size + settings.uniform.length) % settings.uniform.length]));
    const places = Array.from({ length: last - from }, (_, k) => from + 1 + k), m = places.length, n = u.length, grid = (rows, fill) => tensor([1, rows, WIDE], Array.from({ length: rows * WIDE }, (_, k) => fill(k % WIDE)));
    return {
      written: tensor([1, n], u.map((_, k) => text[to + k] ?? 0)), chance: tensor([1, n], u.map(() => 0.5)), drawn: grid(n, (k) => (k < 3 ? 0.3 : 0)),
      own: tensor([1, m], places.map((place) => own[place - 1] ?? 1)), choices: grid(m, (k) => k), likely: grid(m, (k) => 0.3 / (k + 1)),
    };
  };
}

/** A widget after it was asked for what `wish` says. */
async function context(golden = FIRST, wish = {}, result = NOBODY, asked = []) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "one", prompt, length: 48, ...wish }, result };
  c.state = view.accept(c);
  for await (const answer of view.compute({ ...c }, python(golden, c.state, asked))) c.result = { ...answer, of: c.state };
  return c;
}

const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const click = (c, target) => after(c, view.act(c, { kind: "click", target }));
const button = (c, name, value) => after(c, view.controls(c).find((control) => control.name === name).act(c, value));
const move = (c, wish) => after(c, view.moved({ ...c.state, ...wish }, c));
const sentence = (c) => view.sentence(c).join(" ");
const written = (c) => writer.shown(c).ids.map((id) => KIND.tokens[id]).join("");

test("writer: a text is written and judged in a few questions as Python writes it token by token", async () => {
  const asked = [], c = await context(FIRST, {}, NOBODY, asked), { ids, given } = writer.shown(c);
  assert.deepEqual([ids, given], [FIRST.text, PROMPT.length]);
  assert.deepEqual(c.result.own.data, FIRST.own);
  assert.deepEqual(c.result.choices.dims, [1, FIRST.text.length - 1, WIDE]);
  assert.deepEqual([c.result.written.dims, c.result.drawn.dims], [[1, 48], [1, 48, WIDE]]);
  assert.ok(asked.length < 8, `${asked.length} questions`);
});

test("writer: a branch keeps what stood before it, and the text goes on as Python's does", async () => {
  const first = await context(), place = BRANCH.given.length - 1, there = click(click(first, `token${place - PROMPT.length}`), `pick${BRANCH.given[place]}`);
  assert.deepEqual(there.state.taken, [{ from: PROMPT.length, ids: BRANCH.given.slice(PROMPT.length), was: FIRST.text[place] }]);
  const c = await context(BRANCH, there.state, there.result), { ids, places } = writer.shown(c);
  assert.deepEqual([ids, places], [BRANCH.text, [place]]);
  assert.deepEqual(c.result.own.data, BRANCH.own);
  assert.match(sentence(c), /was put there by you for/);
  assert.match(view.below(c), /Branches you took.*<strong>/);
  assert.deepEqual([key(c, "Backspace").state.taken, button(c, "undo").state.taken], [[], []]);
});

test("writer: what was there already, taken as a branch, changes nothing", async () => {
  const taken = [{ from: PROMPT.length, ids: FIRST.text.slice(PROMPT.length, 30), was: 2 }], asked = [];
  assert.deepEqual(writer.shown(await context(FIRST, { taken }, NOBODY, asked)).ids, FIRST.text);
  const c = await context();
  assert.equal(view.act(c, { kind: "key", key: "Enter" }), c.state);
});

test("writer: branches at earlier places, also in the prompt, take the later ones with them; undo brings each back", async () => {
  const state = { ...(await context()).state, taken: [{ from: 5, ids: [...FIRST.text.slice(5, 20), 3], was: 1 }, { from: 9, ids: [4], was: 1 }, { from: 2, ids: [6], was: 1 }] };
  const c = { settings, w: W, state, result: { of: state } }, texts = [3, 2, 1, 0].map((n) => writer.givenOf(c, { ...state, taken: state.taken.slice(0, n) }));
  assert.deepEqual(texts.map(({ given, places }) => [given.length, places]), [[3, [2]], [10, [9]], [21, [20]], [5, []]]);
});

test("writer: the first token that is read is Python's at every place, and leaves room", () => {
  for (let place = 1; place < 300; place++) assert.equal(writer.windowStart(place, ROOM), slowStart(place));
  for (const room of [16, 63, 255]) for (let place = 1; place < 900; place++) { const seen = place - writer.windowStart(place, room); assert.ok(seen >= 1 && seen < room, `${place} of ${room}`); }
});

test("writer: a prompt longer than the context is judged whole and its last part is written on from, and it says so", async () => {
  const text = KIND.tokens.slice(2, 9).join("").repeat(9), c = { settings, w: W, state: view.accept({ settings, w: W, state: { ...view.start(settings), model: "one", prompt: text } }), result: NOBODY }, sizes = [];
  for await (const answer of view.compute({ ...c }, async ({ ids: { data: ids }, u: { data: u } }) => {
    const n = u.length, m = ids.length + n - 1, grid = (rows) => tensor([1, rows, WIDE], Array(rows * WIDE).fill(0.1));
    assert.ok(sizes.push(ids.length + n) && ids.length + n <= KIND.context);
    return { written: tensor([1, n], Array(n).fill(3)), chance: tensor([1, n], Array(n).fill(0.1)), drawn: grid(n), own: tensor([1, m], Array(m).fill(0.5)), choices: tensor([1, m, WIDE], Array.from({ length: m * WIDE }, (_, k) => k % WIDE)), likely: grid(m) };
  })) c.result = { ...answer, of: c.state };
  assert.equal(c.result.own.data.length, 63 + c.state.length - 1);
  assert.match(sentence(c), /The prompt has 63 characters and the model has room for 24: it reads the last \d+ and writes on\./);
});

test("writer: an empty prompt begins after a line break, and says so", async () => {
  const c = { settings, w: W, state: { ...view.start(settings), model: "one", prompt: "" } };
  assert.deepEqual(writer.promptIds(KIND, ""), [0]);
  const shown = { ...c, result: { ...(await context()).result, of: { ...c.state } } };
  assert.match(sentence(shown), /Nothing is typed: the text begins after a line break\./);
});

test("writer: subwords are encoded as Python encodes them", () => {
  for (const [text, ids] of encoded) assert.deepEqual(writer.promptIds(PIECES, text), ids.length ? ids : [PIECES.begin]);
});

test("writer: looking asks nothing; a longer text goes on, a shorter one is cut, and other settings write it again", async () => {
  const c = await context(FIRST, { length: 32 }), look = ({ state }) => JSON.stringify({ ...state, at: 0, pick: 0 }), asked = [];
  for (const other of [key(c, "ArrowRight"), key(c, "ArrowDown"), click(c, "token3")]) assert.equal(look(other), look(c));
  const long = await context(FIRST, { length: 48 }, c.result, asked);
  assert.ok(asked.length && asked.every(({ to }) => to >= PROMPT.length + 32));
  assert.deepEqual(writer.shown(long).ids, FIRST.text);
  assert.equal((await context(FIRST, { length: 16 }, long.result, asked)).result.own.data.length, PROMPT.length + 15);
  const hot = [];
  await context(FIRST, { length: 32, temperature: 1.5 }, long.result, hot);
  assert.equal(hot[0].to, PROMPT.length);                                  // the same numbers, from the prompt on: python() holds it to that
});

test("writer: a prompt, or a model of another vocabulary, leaves the branches; write again and knobs keep them", () => {
  const c = { settings, w: W, state: { ...view.start(settings), model: "one", prompt, taken: [{ from: 5, ids: [3], was: 1 }], at: 4 } };
  assert.deepEqual([move(c, { prompt: "sea" }).state.taken, move(c, { model: "two" }).state.taken], [[], []]);
  for (const other of [move(c, { temperature: 1 }), button(c, "again")]) assert.equal(other.state.taken.length, 1);
  assert.equal(button(c, "again").state.seed, c.state.seed + 1);
});

test("writer: keys walk the text and its choices; a token that is ruled out says so and can still be taken", async () => {
  const c = await context(), now = writer.shown(c);
  assert.deepEqual(["Home", "End", "ArrowLeft", "PageDown"].map((name) => writer.shown(key(c, name)).at), [1, now.ids.length - 1, now.at - 1, now.at + 10]);
  const last = key(key(c, "ArrowUp"), "ArrowUp");
  assert.match(sentence(last), /Enter puts “.*” \(.*\) here, and the model writes on from it\./);
  assert.match(view.picture(c), />out</);
  assert.equal(key(last, "Enter").state.taken.length, 1);
  for (const target of ["", "token", "pick", "word3", undefined]) assert.equal(view.act(c, { kind: "click", target }), undefined);
  assert.equal(view.act(c, { kind: "key", key: "Backspace" }), undefined);
});

test("writer: costs are bits for each character, of the prompt and of what is written", async () => {
  const c = await context(), mean = (list) => list.reduce((sum, p) => sum - Math.log2(p), 0) / list.length;
  const now = writer.shown(c), close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9);
  close(writer.bitsEach(c, now, 5, 53), mean(FIRST.own.slice(4)));
  close(writer.bitsEach(c, now, 1, 5), mean(FIRST.own.slice(0, 4)));
  assert.match(sentence(c), new RegExp(`48 characters written; to the model they cost ${mean(FIRST.own.slice(4)).toFixed(2)} bits a character, your prompt ${mean(FIRST.own.slice(0, 4)).toFixed(2)}\\.`));
});

test("writer: a seed turns the same uniform numbers, and they stay in [0, 1)", () => {
  assert.deepEqual(writer.turn(settings.uniform, 0), settings.uniform);
  for (const seed of [1, 7, 123456]) assert.ok(writer.turn(settings.uniform, seed).every((u, k) => u >= 0 && u < 1 && u !== settings.uniform[k]));
});

test("writer: top-k goes up to the vocabulary, or to a hundred and then all", () => {
  const of = (...sizes) => writer.mostK({ models: Object.fromEntries(sizes.map((size, k) => [k, { size }])) });
  assert.deepEqual([of(84), of(100), of(101), of(84, 3000)], [84, 100, 101, 101]);
});

test("writer: a nonsense link does no harm, and a good one brings the state back", async () => {
  const c = await context(), start = c.state, link = (wish) => writer.fromLink(`#${new URLSearchParams({ writer: JSON.stringify(wish) })}`, "writer", { ...c, state: start }, view);
  for (const bad of [5, "x", [7], [null], [{ from: 0, ids: [1], was: 1 }], [{ from: 99, ids: [1], was: 1 }], [{ from: 1, ids: [999], was: 1 }], [{ from: 1, ids: [], was: 1 }], [{ from: 5, ids: Array(900).fill(1), was: 1 }], [{ from: 1.5, ids: [1], was: 1 }]])
    assert.deepEqual(link({ taken: bad }).taken, [], JSON.stringify(bad));
  const wild = link({ prompt: null, temperature: 99, topK: {}, topP: "x", length: 17, seed: -3.5, at: "?", pick: "x" });
  assert.deepEqual([wild.prompt, wild.temperature, wild.topK, wild.topP, wild.length, wild.seed, wild.at, wild.pick], [prompt, 2, start.topK, 1, 16, 3, 0, -1]);
  const good = view.accept({ ...c, state: { ...start, prompt: "the sea", taken: [{ from: 7, ids: [1, 2], was: 4 }], at: 1, temperature: 1.2, seed: 4 } });
  assert.deepEqual(writer.fromLink(writer.toLink("writer", good, start), "writer", { ...c, state: start }, view), good);
});

test("writer: whatever a token holds stands as text", async () => {
  const c = await context(), tokens = KIND.tokens.map((token, k) => (k === FIRST.text[6] ? "<b>" : token));
  const strange = { ...c, settings: { ...settings, models: { one: { ...KIND, tokens } } } };
  strange.state = strange.result.of = { ...c.state, prompt: "" };
  assert.ok(!view.picture(strange).includes("<b>") && view.picture(strange).includes("&lt;b&gt;"));
  assert.doesNotMatch(view.picture(strange) + sentence(strange), /NaN|undefined/);
});
