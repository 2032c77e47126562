import assert from "node:assert/strict";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const calculator = await load("calculator"), { view } = calculator;
const W = view.words.en, KINDS = ["LSTM", "plain", "thrifty", "local", "linear"], LENGTHS = [16, 64, 256, 1024, 4096];
const POWERS = { read: [1, 2, 2, 1, 1], write: [0, 2, 1, 0, 0], look: [1, 2, 1, 1, 1], keep: [0, 2, 1, 0, 0] };   // of n, for each kind
const settings = {
  kinds: KINDS, lengths: LENGTHS, limits: { length: [16, 4096], width: [8, 512], heads: [1, 8], layers: [1, 9], batch: [1, 9], window: [1, 4096] },
  start: { length: 256, width: 32, heads: 4, layers: 1, batch: 1, window: 64 }, examples: [["large", { length: 1024, width: 512, heads: 8, layers: 9 }]],
  even: "6 · D", formulas: Object.fromEntries(Object.keys(POWERS).map((what) => [what, ["B · N × 16 · n · D²", "B · N × (24 · n · D² + 4 · n² · D)", "2 · n · D", "4 · min(n, w) · D", "D · (D / H + 1)"]])),
  measured: {
    read: {
      LSTM: { points: [[64, 0.64], [256, 2.56]], exponent: 1, middle: [128, 1.28], rates: [100, 100] },
      plain: { points: [[64, 4.096], [256, 32.768]], exponent: 1.5, middle: [128, 11.585], rates: [1000, 2000] },
    },
    look: { plain: { points: [[64, 8192], [256, 131072]], exponent: 2, middle: [128, 32768] } },
  },
};

/** What a model could have given: every kind costs a power of n; without a cache nothing is kept. */
function answer({ lengths: { data } }) {
  const all = [...LENGTHS, ...data], one = (what) => KINDS.flatMap((kind, k) => all.map((n) => (what === "keep" && kind === "plain" ? 0 : n ** POWERS[what][k])));
  return { ...Object.fromEntries(Object.keys(POWERS).map((what) => [what, tensor([KINDS.length, all.length], one(what))])), share: tensor([1], [0.25]), even: tensor([1], [192]) };
}

async function context(wish = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), ...wish } };
  c.state = view.accept(c);
  const first = { ...answer({ lengths: { data: [256, 512] } }), of: view.start(settings) };
  for await (const result of view.compute({ ...c, result: first }, async (question) => ((c.question = question), answer(question)))) c.result = { ...result, of: c.state };
  return c;
}

const after = (c, state) => view.accept({ ...c, state }), key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const line = (c, colour) => view.picture(c).match(new RegExp(`<polyline points="([^"]+)" fill="none" stroke="var\\(--${colour}\\)`))[1].split(" ").map((point) => point.split(",").map(Number));

test("calculator: what is asked are a length, twice that, and the shape; a field that cannot be keeps the last answer", async () => {
  assert.deepEqual((await context({ length: "1,000", layers: "3" })).question, { lengths: { dims: [2], data: [1000, 2000] }, shape: { dims: [5], data: [32, 4, 3, 1, 64] } });
  const c = await context({ length: "1000", heads: "5" });
  assert.deepEqual([c.question.lengths.data, c.question.shape.data], [[256, 512], [32, 4, 1, 1, 64]]);
  assert.equal(c.result.asked.length, 256);
});

test("calculator: a field outside its limits says them, and offers what would do", async () => {
  const said = async (wish) => { const { text, offers } = view.advice(await context(wish)); return [text, ...offers.map(({ name, value }) => `${name} ${value}`)]; };
  assert.deepEqual(await said({ width: "4" }), ["Width D: give a whole number from 8 to 512:", "width 8"]);
  assert.deepEqual(await said({ width: "9999" }), ["Width D: give a whole number from 8 to 512:", "width 512"]);
  assert.deepEqual(await said({ length: "many" }), ["n: give a whole number from 16 to 4,096:", "length 256"]);
  assert.deepEqual(await said({ heads: "5" }), ["5 heads do not share a width of 32; these do:", "heads 4", "heads 8"]);
  assert.deepEqual(await said({ width: "34", heads: "8" }), ["8 heads do not share a width of 34; these do:", "heads 2"]);
  assert.equal(view.advice(await context()), null);
});

test("calculator: slider and field are one length, and an example changes the model and leaves the rest", async () => {
  const c = await context({ layers: "2", window: "16" });
  assert.equal(after(c, view.moved({ ...c.state, power: 9.5 }, c)).length, "724");
  assert.equal(after(c, view.moved({ ...c.state, length: "512" }, c)).power, 9);
  assert.equal(after(c, view.moved({ ...c.state, length: "5" }, c)).power, 8);              // not yet a length
  const examples = view.controls(c).find(({ name }) => name === "example"), { length, width, heads, layers, batch, window } = examples.act(c, "large");
  assert.deepEqual([length, width, heads, layers, batch, window], ["1024", "512", "8", "9", "1", "16"]);
  assert.deepEqual(Object.keys(settings.start).map((name) => examples.act(c, "")[name]), Object.values(settings.start).map(String));
});

test("calculator: powers of n are straight lines, one unit of the axis apart where the costs are", async () => {
  const c = await context(), [[x0, y0], [x1, y1], , , [x4, y4]] = line(c, "minus"), [[, l0], , , , [, l4]] = line(c, "cell");
  assert.ok(Math.abs((y1 - y0) / (x1 - x0) - (y4 - y0) / (x4 - x0)) < 2e-3);
  assert.ok(Math.abs((y4 - y0) / (l4 - l0) - 2) < 0.01);                                   // n² falls twice as steeply as n
  assert.deepEqual([calculator.span(c), calculator.span(await context({ what: "look" }))], [[0, 3], [0, 3]]);
  assert.equal(line(await context({ what: "keep" }), "weight").length, 5);
  assert.equal(view.picture(await context({ what: "keep" })).match(/<polyline/g).length, 4);   // nothing has no logarithm
});

test("calculator: seconds lie on the axis of operations at the best rate, bytes on that of bytes", async () => {
  const c = await context(), mark = (d, kind) => [...view.picture(d).matchAll(/translate\(([\d.]+) ([\d.]+)\)" fill="var\(--(\w+)\)/g)].filter(([, , , colour]) => colour === kind).map(([, x, y]) => [+x, +y]);
  assert.equal(calculator.best(c), 2000);
  const [, dot] = mark(c, "minus"), at = line(c, "minus")[2];                              // of 256, where the best rate was measured: 256² / 2000 s
  assert.ok(Math.abs(dot[0] - at[0]) < 0.1 && Math.abs(dot[1] - at[1]) < 0.1, `${dot} ${at}`);
  assert.ok(mark(c, "cell")[1][1] < line(c, "cell")[2][1] - 20);                             // twenty times as slow as the best
  assert.equal(mark(await context({ what: "look" }), "minus").length, 2);
  assert.match(view.picture(c), /time at 2 thousand a second/);
  assert.doesNotMatch(view.picture(await context({ what: "look" })), /a second/);
});

test("calculator: a time is measured where it was, and else goes by the rate nearest to it", async () => {
  assert.match(view.sentence(await context())[0], /^Plain attention \(weights stored\): to read 256 tokens takes 65.5 thousand operations; measured 32.8 s\.$/);
  const far = await context({ length: "1024" }), near = await context({ length: "32" });
  assert.deepEqual([calculator.estimate(far, "plain", 2000), calculator.estimate(near, "plain", 2000), calculator.estimate(far, "local", 1)], [1, 2, undefined]);
  assert.match(view.sentence(await context({ width: "64" }))[0], /; about 32.8 s\.$/);       // another model
  assert.doesNotMatch(view.sentence(await context({ at: 3 }))[0], /about|measured/);
  assert.match(view.sentence(await context({ what: "look" }))[0], /holds 64 KiB; measured 128 KiB/);
});

test("calculator: the sentence compares, doubles, and tells which part is attention", async () => {
  const [, beside, twice, share] = view.sentence(await context());
  assert.equal(beside, "That is 256 times the cost of the cheapest other line, LSTM.");
  assert.equal(twice, "At twice the length it costs 4 times as much.");
  assert.match(share, /Attention itself is 25% of it: at n\s=\s6\sD\s=\s192 it overtook/);
  assert.match(view.sentence(await context({ length: "64" }))[3], /up to n\s=\s6\sD\s=\s192 the projections/);
  const lstm = view.sentence(await context({ at: 0 }));
  assert.deepEqual([lstm.length, lstm[1]], [3, "The cheapest other line, local attention, costs the same."]);
  assert.equal(view.sentence(await context({ at: 0, local: false, linear: false }))[1], "The cheapest other line, plain attention (weights stored), costs 256 times as much.");
  assert.equal(view.sentence(await context({ at: 0, what: "keep" }))[2], "At twice the length it costs the same.");
  assert.deepEqual(view.sentence(await context({ what: "keep" })), ["Plain attention (no cache): it keeps nothing, and reads the whole text again for each token."]);
});

test("calculator: below stand all kinds that are drawn, their formulas, and whose the dots are", async () => {
  const rows = (c) => view.below(c).match(/<tr>/g)?.length ?? 0, c = await context();
  assert.deepEqual([rows(c), rows(await context({ LSTM: false, local: false })), rows(await context(Object.fromEntries(KINDS.map((kind) => [kind, false]))))], [6, 4, 0]);
  assert.match(view.below(c), /B N × \(24 n D² \+ 4 n² D\)<br>= \(24 · 256 · 32² \+ 4 · 256² · 32\)/);
  assert.match(view.below(c), /width 32, 4 heads, 1 layer, batch 1, window 64\. “About”/);
  assert.match(view.below(await context({ layers: "2" })), /lines move, dots stay/);
  assert.match(view.below(await context({ what: "write" })), /no cost was measured/);
});

test("calculator: arrows move the length and choose a kind that is drawn, and stop at the ends", async () => {
  const c = await context(), length = (name, d = c) => key(d, name).length;
  assert.deepEqual(["ArrowRight", "ArrowLeft", "PageUp", "PageDown", "Home", "End"].map((name) => length(name)), ["279", "235", "512", "128", "16", "4096"]);
  assert.deepEqual([length("ArrowLeft", await context({ length: "16" })), length("ArrowRight", await context({ length: "4096" })), length("ArrowRight", await context({ length: "x" }))], ["16", "4096", "279"]);
  assert.deepEqual([key(c, "ArrowUp").at, key(c, "ArrowDown").at, key(await context({ thrifty: false }), "ArrowDown").at, key(await context({ at: 4 }), "ArrowDown").at], [0, 2, 3, 0]);
  assert.equal(view.act(c, { kind: "key", key: "Enter" }), undefined);
  assert.equal((await context({ plain: false })).state.at, 0);                              // who is no longer drawn is not told of
});

test("calculator: a press moves the length and chooses the line it meets; a drag moves the length alone", async () => {
  const c = await context(), [x, y] = line(c, "cell")[3], press = (px, py) => view.act(c, { kind: "press", x: px, y: py });
  assert.deepEqual([press(x, y).length, press(x, y).at, press(x, 50).at], ["1024", 0, 1]);
  for (const [px, py] of [[10, 100], [380, 100], [x, 5]]) assert.equal(press(px, py), undefined);
  const drag = (px) => after(c, view.act(c, { kind: "drag", x: px, y })).length;
  assert.deepEqual([drag(-500), drag(x), drag(5000), view.act(c, { kind: "drag", x, y }).at], ["16", "1024", "4096", 1]);
});

test("calculator: a link brings the state back, and mends what it cannot be", async () => {
  const c = await context(), there = { ...c.state, what: "keep", length: "1024", power: 10, width: "64", at: 2, local: false };
  assert.deepEqual(calculator.fromLink(calculator.toLink("calculator", there, c.state), "calculator", c, view), there);
  for (const wish of [{ what: 5, at: "x", length: {}, power: "y" }, { at: 99, width: [], heads: null }, { at: -3, length: "9".repeat(50), LSTM: 1 }, Object.fromEntries(KINDS.map((kind) => [kind, false]))]) {
    const state = calculator.fromLink(`#${new URLSearchParams({ calculator: JSON.stringify(wish) })}`, "calculator", c, view), d = { ...c, state };
    view.advice(d);
    assert.doesNotMatch(view.picture(d) + view.sentence(d).join(" ") + view.below(d), /NaN|undefined|Infinity/, JSON.stringify(wish));
  }
});

test("calculator: only the length and the shape ask the model", () => {
  assert.deepEqual(Object.keys(view.start(settings)).filter((name) => !view.quiet.includes(name)), ["length", "width", "heads", "layers", "batch", "window"]);
});
