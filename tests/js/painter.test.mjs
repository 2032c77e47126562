import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const painter = await load("painter"), { view } = painter, W = view.words.en, CELL = 18;
const GOLDEN = JSON.parse(readFileSync(new URL("golden/objectives.json", import.meta.url)));   // tests/widgets/test_painter.py wrote it
const NAMES = ["causal", "backward", "masked", "prefix", "permuted", "spans"];
const settings = { ...GOLDEN.settings, ...GOLDEN.marks, models: Object.fromEntries(NAMES.map((name) => [name, { layers: 2 }])), text: "the cat sat on the mat", examples: ["the dog sat there", "the log"] };
const SIZE = settings.specials.length + 256 + settings.merges.length, KEEP = new Set(view.quiet);

/** An answer that a model could have given: in row t of reading r token t + r is likeliest, and what is asked has the rank 1 + r. */
const answer = ({ ids: { dims: [, T] } }) => {
  const all = (one) => [0, 1].flatMap((r) => [...Array(T).keys()].flatMap((t) => one(r, t)));
  return {
    guesses: tensor([2, T, 5], all((r, t) => [0, 1, 2, 3, 4].map((k) => (20 + t + r + k) % SIZE))), probabilities: tensor([2, T, 5], all(() => [0.5, 0.2, 0.1, 0.05, 0.01])),
    own: tensor([2, T], all((r) => [[0.5, 0.125][r]])), ranks: tensor([2, T], all((r) => [1 + r])),
  };
};

const asks = async (c) => { let inputs; for await (const _ of view.compute(c, async (question) => (inputs = question))) return inputs; return inputs; };
const answered = async (c) => { const inputs = await asks(c); return inputs ? { ...c, result: { ...answer(inputs), of: c.state } } : c; };

/** A widget that is asked by nobody: its state, and an answer to it. */
function context(wish = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "causal", ...wish } };
  c.state = view.accept(c);
  return answered(c);
}

const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const act = (c, gesture) => after(c, view.act(c, gesture));
const key = (c, name) => act(c, { kind: "key", key: name });
const click = (c, target) => act(c, { kind: "click", target });
const middle = ([t, s]) => ({ x: (s + 0.5) * CELL, y: (t + 0.5) * CELL });
const drag = (c, ...cells) => {
  const [first, ...more] = cells.map(middle);
  return more.reduce((d, at) => act(d, { kind: "drag", ...at, from: first }), act(c, { kind: "press", ...first, from: first }));
};
const stroke = (c, ...cells) => act(drag(c, ...cells), { kind: "drop", ...middle(cells.at(-1)) });
const button = (c, name, value) => after(c, view.controls(c).find((one) => one.name === name).act(c, value));
const moved = (c, change) => after(c, view.moved({ ...c.state, ...change }, c));
const sentence = (c) => view.sentence(c).join(" ");
const question = (c) => JSON.stringify(c.state, (name, value) => (KEEP.has(name) ? undefined : value));
const masks = ({ masks: { dims: [, T], data } }) => [0, 1, 2].map((k) => Array.from({ length: T }, (_, t) => data.slice((k * T + t) * T, (k * T + t + 1) * T).join("")));

test("painter: a text is read as Python reads it, and a long one is cut with the same sentence", async () => {
  const { text: { text, ids, size, cut } } = GOLDEN;
  assert.deepEqual([painter.readText(settings, text).ids, painter.readText(settings, text).size], [ids, size]);
  assert.ok((await context({ text })).result.own.dims[1] === settings.limit);
  assert.ok(view.sentence(await context({ text })).includes(cut));
  assert.ok(!sentence(await context()).includes("are read"));
  assert.equal(view.advice({ settings, w: W, state: { text: "t" } }).text, GOLDEN.short);
});

test("painter: every objective is asked with its own mask, twice, and its content stream's", async () => {
  for (const model of NAMES) {
    const c = await context({ model }), asked = await asks(c), ex = painter.exampleOf(c, c.state), own = ex.open.map((row) => row.join(""));
    assert.deepEqual(masks(asked), [own, own, (ex.content ?? ex.open).map((row) => row.join(""))], model);
    assert.deepEqual(asked.ids, { dims: [1, ex.inputs.length], data: ex.inputs });
    assert.deepEqual(asked.truth.data, ex.truth.map((id) => Math.max(id, 0)));
    assert.doesNotMatch(view.picture(c) + view.below(c) + sentence(c), /NaN|undefined/);
  }
});

test("painter: a press paints one cell when it is let go, and a drag every cell it comes over, with no gaps", async () => {
  const c = await context(), down = drag(c, [1, 3]);
  assert.deepEqual(down.state.painted, {});
  assert.deepEqual(stroke(c, [1, 3]).state.painted, { "1.3": 1 });
  assert.deepEqual(stroke(c, [1, 3], [1, 6]).state.painted, { "1.3": 1, "1.4": 1, "1.5": 1, "1.6": 1 });
  const shut = stroke(c, [4, 2], [4, 0]);
  assert.deepEqual([shut.state.painted, shut.state.brush, shut.state.fresh], [{ "4.2": 0, "4.1": 0, "4.0": 0 }, -1, false]);
  assert.deepEqual(masks(await asks(shut))[1][4], "00011000".slice(0, 8));
  assert.deepEqual(masks(await asks(shut))[0], masks(await asks(c))[0]);
  assert.deepEqual(stroke(shut, [4, 0], [4, 2]).state.painted, {});                  // what is as it was needs no paint
  assert.deepEqual(stroke(c, [2, 5], [4, 7]).state.painted, { "2.5": 1, "3.6": 1, "4.7": 1 });
  assert.equal(act(drag(c, [1, 3]), { kind: "drop", ...middle([5, 5]) }).state.painted["1.3"], undefined);   // one may think better of it
  for (const gesture of [{ kind: "press", x: -4, y: 20 }, { kind: "press", x: 5, y: 999 }, { kind: "press", ...middle([1, 1]), target: "row1" }, { kind: "drag", ...middle([1, 1]) }, { kind: "drop", ...middle([1, 1]) }])
    assert.equal(view.act(c, gesture), undefined);
});

test("painter: cells between two points touch each other", () => {
  for (const [from, to] of [[[0, 0], [5, 2]], [[3, 3], [3, 3]], [[4, 1], [0, 9]]]) {
    const way = painter.between(from, to);
    assert.deepEqual([way[0], way.at(-1)], [from, to]);
    way.slice(1).forEach(([t, s], k) => assert.ok(Math.abs(t - way[k][0]) <= 1 && Math.abs(s - way[k][1]) <= 1));
  }
});

test("painter: keys choose a cell, open or shut it, and give a row back", async () => {
  const c = await context({ at: [2, 2] });
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"].map((name) => key(c, name).state.at),
    [[2, 1], [2, 3], [1, 2], [3, 2], [2, 0], [2, 7], [1, 2], [3, 2]]);
  assert.equal(question(key(c, "ArrowLeft")), question(c));
  const painted = key(key(key(c, " "), "ArrowRight"), "Enter");
  assert.deepEqual(painted.state.painted, { "2.2": 0, "2.3": 1 });
  assert.deepEqual(key(painted, "Delete").state.painted, {});
  assert.deepEqual(key(key(painted, "ArrowDown"), "Delete").state.painted, painted.state.painted);
});

test("painter: a token is asked or not by a press, a button or a key; what cannot be asked stays", async () => {
  const c = await context(), asked = (d) => painter.askedOf(d, d.state);
  assert.deepEqual(asked(c), [1, 2, 3, 4, 5, 6]);                                    // [CLS] the cat sat on the mat [SEP]
  assert.deepEqual(asked(click(c, "token3")), [1, 2, 4, 5, 6]);
  assert.deepEqual(asked(click(click(c, "token3"), "token3")), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(asked(key({ ...c, state: { ...c.state, at: [2, 0] } }, "Backspace")), [1, 2, 4, 5, 6]);   // row 2 tells token 3
  assert.deepEqual(asked(button({ ...c, state: { ...c.state, at: [0, 0] } }, "ask")), [2, 3, 4, 5, 6]);
  for (const target of ["token0", "token7", "token99", "", undefined, "guess1"]) assert.equal(view.act(c, { kind: "click", target }), undefined);
  assert.equal(view.act(await context({ asked: [4] }), { kind: "click", target: "token4" }), undefined);     // something is always asked
  assert.deepEqual(asked(button(click(c, "token3"), "usual")), [1, 2, 3, 4, 5, 6]);
  const masked = await context({ model: "masked", asked: [2], painted: { "1.1": 0 } });
  assert.deepEqual((await asks(click(masked, "token4"))).ids.data.map((id) => id === settings.mask), [false, false, true, false, true, false, false, false]);
  assert.deepEqual(click(masked, "token4").state.painted, { "1.1": 0 });             // rows and masks are as they were
});

test("painter: a press begins the questions of a prefix, and cuts out or gives back a span", async () => {
  const prefix = await context({ model: "prefix", painted: { "1.7": 1 } }), there = click(prefix, "token5");
  assert.deepEqual([there.state.asked, there.state.painted], [[5, 6], {}]);          // another mask: what was painted goes
  assert.deepEqual(masks(await asks(there))[0][0], "11111000");
  const spans = await context({ model: "spans", asked: [2, 3] }), two = click(spans, "token5");
  assert.deepEqual(two.state.asked, [2, 3, 5]);
  assert.equal(view.act(two, { kind: "click", target: "token1" })?.asked.join(), "1,2,3,5");    // a longer span
  assert.equal(view.act(await context({ model: "spans", asked: [1, 3] }), { kind: "click", target: "token5" }), undefined);   // a third: no mark for it
  assert.match(view.picture(two), /&lt;X&gt;/);
});

test("painter: buttons open all, the past, give the mask back, and draw another order", async () => {
  const c = await context({ model: "permuted" }), open = button(c, "all");
  assert.ok(masks(await asks(open))[1].every((row) => row === "11111111"));
  assert.deepEqual(masks(await asks(open))[2], masks(await asks(c))[2]);              // the content stream keeps its own
  assert.deepEqual(masks(await asks(button(open, "past")))[1].slice(0, 3), ["10000000", "11000000", "11100000"]);
  assert.deepEqual(button(open, "ownMask").state.painted, {});
  assert.deepEqual(button(await context(), "past").state.painted, {});               // it is causal's own
  const other = button(open, "another");
  assert.deepEqual([other.state.draw, other.state.painted], [2, {}]);
  assert.notDeepEqual(masks(await asks(other))[0], masks(await asks(c))[0]);
  assert.equal(button(await context(), "another").state.draw, 1);                       // a causal model has no order
});

test("painter: another text or objective begins anew; an example is a text", async () => {
  const c = await context({ painted: { "1.5": 1 }, asked: [3] }), other = moved(c, { model: "backward" });
  assert.deepEqual([other.state.painted, other.state.asked], [{}, null]);
  assert.equal(moved(c, { text: "the dog" }).state.text, "the dog");
  assert.deepEqual([button(c, "example", "the log").state.text, button(c, "example", "the log").state.asked], ["the log", null]);
  assert.doesNotMatch(view.picture(other) + sentence(other), /NaN|undefined/);        // the last answer stands until the new one comes
  assert.match(sentence(other), /sees 1 of 8/);
});

test("painter: the sentence tells what a row sees, what is said there, and the whole", async () => {
  const c = await context({ at: [1, 0] });
  assert.equal(sentence(c), "Row “the” sees 2 of 8 tokens and is asked for “cat”. It gives “cat” the probability .125; 1 token is likelier, first “\\x16”. Of 6 asked, 0 guessed first, at 2.08 nats a token.".replace("\\x16", painter.tokenName(22, settings) && sentence(c).match(/first “(.*?)”/)[1]));
  const painted = await answered(stroke(c, [1, 0])), all = sentence(painted);
  assert.match(all, /^Row “the” sees 1 of 8/);
  assert.match(all, /With the objective’s own mask: \.500\. Of 6 asked, 0 guessed first, at 2\.08 nats a token; with the objective’s own mask 0\.69\./);
  assert.match(sentence(await context({ at: [7, 0] })), /nothing is asked there/);
});

test("painter: an answer that can be seen is told, at once and through other rows", async () => {
  const c = await context(), seen = stroke(c, [2, 3]);
  assert.doesNotMatch(sentence(c), /no question/);
  assert.match(sentence(seen), /At 1 of 6 rows the answer itself can now be seen/);
  assert.match(sentence(stroke(c, [0, 7])), /At 1 of 6 rows/);                       // row 0 sees the end, which sees all; two layers lead no further
  assert.doesNotMatch(sentence(button(await context({ model: "masked" }), "all")), /no question/);
});

test("painter: a text that is too short says why, is not asked, and cannot be painted", async () => {
  const c = moved(await context(), { text: "" });
  assert.equal(await asks(c), undefined);
  assert.match(view.advice(c).text, /the text has 0: type more/);
  assert.equal(view.act(c, { kind: "press", ...middle([1, 1]) }), undefined);
  assert.deepEqual(button(c, "all").state, c.state);
  assert.match(sentence(c), /Of 6 asked/);                                           // the last answer
  assert.doesNotMatch(view.picture(c) + view.below(c), /NaN|undefined/);
});

test("painter: a token that nobody could see is written out", async () => {
  const c = await context({ text: "a\u0000b the" }), text = view.picture(c) + view.below(c) + sentence(c);
  assert.match(text, /U\+0000/);
  assert.ok(!text.includes("\u0000"));
});

test("painter: a link brings text, objective, questions and paint back", async () => {
  const c = await context(), models = { kind: "choice", name: "model", options: NAMES.map((name) => [name, name]) };
  const there = view.accept({ ...c, state: { ...c.state, model: "permuted", text: "the dog sat on the log", asked: [2, 4], draw: 3, painted: { "1.1": 1 }, at: [2, 3] } });
  assert.deepEqual(painter.fromLink(painter.toLink("painter", there, c.state, view.passing), "painter", c, view, [models, ...view.controls(c)]), there);
});

/** Numbers in [0, 1) that are the same at every run. */
const dice = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

test("painter: five hundred random states, from links and by hand, are answered or left alone, and drawn", async () => {
  const random = dice(11), pick = (list) => list[Math.floor(random() * list.length)], start = await context(), any = (n) => Math.floor(random() * n);
  const models = { kind: "choice", name: "model", options: NAMES.map((name) => [name, name]) };
  const texts = ["", "t", "the cat", "你好，世界", "🙂🙃 the", "a".repeat(700), "<img src=x onerror=1>", "__proto__", "\u0000\u0007 the", "the cat sat on the mat ".repeat(30), "\n\n"];
  const rubbish = () => pick([null, 7, -1.5, "x", [1, "a"], { x: 1 }, true, { "1.1": 5, "99.0": 1, "0.1": 1, __proto__: 1 }, [99, 3, 3, -1], NaN]);
  const own = { text: () => pick(texts), asked: () => [any(9), any(9), any(20)], draw: () => any(2000), at: () => [any(40), any(40)], model: () => pick(NAMES), brush: () => pick([0, 1, -1]), painted: () => ({ [`${any(9)}.${any(9)}`]: any(2) }), fresh: () => true };
  const hands = [(c) => click(c, pick([`token${any(26)}`, `row${any(20)}`, "row99"])), (c) => key(c, pick([" ", "ArrowDown", "ArrowRight", "End", "PageUp", "PageDown", "Delete", "Backspace", "Enter"])), (c) => stroke(c, [any(9), any(9)], [any(30), any(30)]),
    (c) => button(c, pick(["ask", "usual", "ownMask", "all", "past", "another"])), (c) => button(c, "example", pick(settings.examples)), (c) => moved(c, { model: pick(NAMES) }), (c) => moved(c, { text: pick(texts) })];
  let c = start, answers = 0;
  for (let n = 0; n < 500; n++) {
    const wish = Object.fromEntries(Object.keys(own).filter(() => random() > 0.5).map((name) => [name, random() > 0.3 ? own[name]() : rubbish()]));
    if (n % 3 === 0) c = { ...c, state: painter.fromLink(`#${new URLSearchParams({ painter: JSON.stringify(wish) })}`, "painter", { ...c, state: start.state }, view, [models, ...view.controls(c)]) };
    c = pick(hands)(c);
    const before = view.picture(c), inputs = await asks(c);
    assert.doesNotMatch(before, /NaN|undefined/);
    if (inputs) {
      const { ids: { dims: [, T], data } } = inputs;
      assert.ok(T >= 2 && T <= 33 && data.length === T && data.every((id) => id >= 0 && id < SIZE) && inputs.truth.data.length === T, JSON.stringify(c.state));
      assert.ok(inputs.masks.data.length === 3 * T * T && inputs.masks.data.every((one) => one === 0 || one === 1));
      assert.ok(painter.exampleOf(c, c.state).truth.some((id) => id >= 0), JSON.stringify(c.state));
      c = { ...c, result: { ...answer(inputs), of: c.state } };
      answers++;
    }
    assert.deepEqual(view.accept(c), c.state);                                       // what is accepted is accepted again
    const html = view.picture(c) + view.below(c) + painter.esc(sentence(c) + (view.advice(c)?.text ?? ""));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
  }
  assert.ok(answers > 300);
});
