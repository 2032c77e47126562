import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const composer = await load("composer"), { view } = composer, W = view.words.en;
const GOLDEN = JSON.parse(readFileSync(new URL("golden/schedules.json", import.meta.url)));   // tests/widgets/test_composer.py wrote it
const way = (change) => ({ kind: "warm-up, cosine", share: 5, lr: 1e-4, steps: 60, decay: 1, every: 0, still: 0, layers: 6, ...change });
const settings = {
  ...GOLDEN.settings, start: way({ every: 6, decay: 0.8 }), task: { labels: 200, asked: 1000 },
  ways: [["plain", way()], ["head", way({ lr: 0.01, still: 7 })], ["both", way({ every: 6, decay: 0.8 })], ["flat", way({ kind: "constant", share: 0 })]],
  measured: { both: { mean: 0.71249, spread: 0.0181, seeds: 5 }, head: { mean: 0.6, spread: null, seeds: 1 } },
};
const LEFT = 80, WIDE = 256, TOP = 18, MAP = 104, ROW = 19;

function context(wish = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), ...wish } };
  c.state = view.accept(c);
  return { ...c, result: { of: view.start(settings) } };
}

async function answered(c) {
  for await (const result of view.compute(c, () => assert.fail("asked"))) c = { ...c, result: { ...result, of: c.state } };
  return c;
}

const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const turned = (c, change) => after(c, view.moved({ ...c.state, ...change }, c));             // a control, moved
const sentence = (c) => view.sentence(c).join(" ");
const control = (c, name) => view.controls(c).find((one) => one.name === name);
const told = (c, name) => String(control(c, name).show(c.state[name]));
const question = ({ state }) => JSON.stringify(state, (name, value) => (view.quiet.includes(name) ? undefined : value));
const place = (step, row, steps = 60) => ({ x: LEFT + ((step - 0.5) * WIDE) / steps, y: MAP + (row + 0.5) * ROW });

test("composer: the first sentence says who learns, how fast, what is saved and what was measured", () => {
  const c = context(), { rates } = composer.shown(c);
  assert.deepEqual([c.state.way, c.state.at, c.state.group], ["both", 30, 5]);
  assert.match(sentence(c), /^Step 31 of 60: 6 of 8 groups learn\. Block 5 learns at \d\.\de-5, 0\.64 of the head's rate\. Its rates add up to \d\.\de-\d\./);
  assert.match(sentence(c), / 35% of the backward passes through blocks are never computed: .*\. Measured: 0\.712 ± 0\.018 of 1,000 texts, five seeds\.$/);
  assert.ok(Math.abs(rates[5][30] / rates[7][30] - 0.64) < 1e-12);
});

test("composer: nobody is asked, and the answer are the rates", async () => {
  const c = await answered(context()), { dims, data } = c.result.rates;
  assert.deepEqual([dims, data.length], [[8, 60], 480]);
  assert.deepEqual(data.slice(-60), composer.shown(c).rates[7]);
});

test("composer: keys and presses move the cursor, and what is asked stays", () => {
  const c = context(), at = (d) => [d.state.at, d.state.group];
  assert.deepEqual(["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"].map((name) => at(key(c, name))),
    [[29, 5], [31, 5], [20, 5], [40, 5], [0, 5], [59, 5], [30, 6], [30, 4]]);
  assert.deepEqual([at(key(key(c, "End"), "ArrowRight")), at(key(context({ group: 7 }), "ArrowUp")), at(key(context({ group: 0 }), "ArrowDown"))], [[59, 5], [30, 7], [30, 0]]);
  assert.equal(view.act(c, { kind: "key", key: "Enter" }), undefined);
  const press = after(c, view.act(c, { kind: "press", ...place(12, 0) })), from = place(12, 0);
  assert.deepEqual(at(press), [11, 7]);                                              // the head is on top
  assert.deepEqual(at(after(press, view.act(press, { kind: "drag", ...place(40, 7), from }))), [39, 0]);
  assert.deepEqual(at(after(press, view.act(press, { kind: "drag", x: 9999, y: -50, from }))), [59, 7]);
  assert.deepEqual(at(after(c, view.act(c, { kind: "press", x: 20, y: place(1, 2).y }))), [30, 5]);        // a name chooses its group
  assert.deepEqual(at(after(c, view.act(c, { kind: "press", x: place(7, 0).x, y: TOP + 20 }))), [6, 5]);   // the curve, a step
  assert.deepEqual(at(after(c, view.act(c, { kind: "drag", x: place(7, 0).x, y: 150, from: { x: 100, y: TOP + 20 } }))), [6, 5]);
  for (const [x, y] of [[100, 5], [100, MAP - 5], [100, MAP + 8 * ROW + 3], [-4, 150], [500, 150]]) assert.equal(view.act(c, { kind: "press", x, y }), undefined);
  assert.equal(question(press), question(c));
  assert.equal(question(c), question({ state: view.start(settings) }));               // neither does the first look ask
});

test("composer: each group says whether it learns, is frozen for a while, or throughout", () => {
  const c = context({ still: 1 }), said = (at, group) => sentence({ ...c, state: { ...c.state, at, group } });
  assert.match(said(0, 7), /1 of 8 groups learns\. The head learns at 3\.3e-5\. Its rates/);
  assert.match(said(0, 1), /Block 1 is frozen, and learns from step 37 on\. Its rates/);
  assert.match(said(36, 1), /Block 1 learns at/);
  assert.match(said(59, 0), /7 of 8 groups learn\. The embedding is frozen throughout\. \d/);
  assert.match(sentence(context({ decay: 1, every: 0 })), /Block 5 learns at 5\.\de-5, like the head\./);
  assert.match(sentence(turned(c, { way: "head" })), /^Step 31 of 60: 1 of 8 groups learns\. Block 5 is frozen throughout\. 100% of the backward/);
  assert.match(sentence(turned(c, { way: "plain" })), /No backward pass through a block is saved/);
  assert.match(sentence(context({ still: 1, every: 0 })), /No backward pass through a block is saved: something learns in block 1 or below it/);
});

test("composer: a way brings its whole composition; another kind its usual number", () => {
  const far = context({ kind: "cyclical", share: 50, steps: 100, layers: "12", group: 13, decay: 0.5 }), head = turned(far, { way: "head" });
  assert.deepEqual({ ...head.state }, { way: "head", kind: "warm-up, cosine", share: 5, rate: settings.rates.indexOf(0.01), steps: 60, decay: 1, every: 0, still: 7, layers: "6", at: 30, group: 7 });
  assert.deepEqual(Object.keys(W.kinds).map((kind) => turned(far, { kind }).state.share), [0, 33, 1, 0, 5, 5, 10, 30, 50]);
  assert.equal(turned(far, { layers: "4" }).state.group, 5);                         // the head stays the head
  assert.equal(turned(context({ layers: "12", group: 2 }), { layers: "4" }).state.group, 0);
  assert.deepEqual(turned(context({ at: 59 }), { steps: 20 }).state.at, 19);
});

test("composer: measured is what trains just so, however it was composed; all else is not", () => {
  const verdict = (c) => view.sentence(c).at(-1), c = context({ every: 0, decay: 1 });
  assert.deepEqual([c.state.way, verdict(c)], ["plain", "Not measured."]);
  assert.equal(context({ every: 0, decay: 1, share: 4 }).state.way, "");             // 2 steps
  assert.equal(context({ every: 3, decay: 0.5, still: 7, rate: settings.rates.indexOf(0.01) }).state.way, "head");   // the head alone knows no others
  assert.equal(verdict(turned(c, { way: "head" })), "Measured: 0.600 of 1,000 texts, one seed.");
  assert.equal(context({ kind: "constant", share: 77, every: 0, decay: 1 }).state.way, "flat");
  for (const change of [{ steps: 70 }, { rate: 3 }, { decay: 0.81 }, { layers: "4" }, { still: 1 }]) assert.deepEqual([turned(context(), change).state.way, verdict(turned(context(), change))], ["", "Not measured."]);
  const [[, own], , , [, both]] = control(c, "way").options;
  assert.deepEqual([own, both], ["your own", "both · 0.712"]);
});

test("composer: controls say in words what their numbers do", () => {
  const number = (kind, share) => told(context({ kind, share, every: 0 }), "share");
  assert.deepEqual([number("warm-up, linear", 5), number("step", 33), number("exponential", 1), number("slanted triangle", 10), number("cyclical", 33), number("constant", 5)],
    ["rises for 3 steps", "falls every 20 steps", "falls to 1%", "rises for 10% of the steps", "a cycle is 20 steps", "it has none"]);
  const c = context({ still: 2 });
  assert.deepEqual([told(c, "rate"), told(c, "steps"), told(c, "decay"), told(c, "every"), told(c, "still")], ["1e-4", "60", "× 0.8", "one more every 6 steps", "embedding … block 1"]);
  assert.deepEqual([told(context({ decay: 1 }), "decay"), told(context({ every: 0 }), "every"), told(context({ still: 1 }), "still"), told(context(), "still")], ["the same", "all at once", "embedding", "none"]);
  assert.deepEqual([0, 1e-6, 3.24e-5, 9.99e-3, 0.012, 0.1].map(composer.brief), ["0", "1e-6", "3.2e-5", "0.01", "0.012", "0.1"]);
});

test("composer: what does not go together is said, with what would; picture and code stay with the last that did", async () => {
  const before = await answered(context({ steps: 100, every: 0 })), broken = await answered(after(before, { ...before.state, share: 100 }));
  assert.deepEqual(view.advice(broken), { text: "warmup is 100, but must lie between 0 and steps - 1 = 99", offers: [{ name: "share", value: "5%" }] });
  assert.equal(view.sentence(broken)[0], "Picture and code are of the last composition that goes together.");
  assert.ok(!/easured/.test(sentence(broken)));
  assert.equal(view.below(broken), view.below(before));
  assert.equal(view.picture(broken).replace(/aria-label="[^"]*"/, ""), view.picture(before).replace(/aria-label="[^"]*"/, ""));
  const mended = turned(broken, { share: "5%" });                                    // as the button of the offer has it
  assert.deepEqual([mended.state.share, view.advice(mended)], [5, null]);
  const late = turned(context(), { every: 30 });
  assert.match(view.advice(late).text, /^every is 30: embedding would thaw after 210 steps, but there are 60: give 1 … 8, or 0/);
  assert.equal(turned(late, { every: view.advice(late).offers[0].value }).state.every, 8);
  assert.equal(view.advice(turned(context(), { still: 8 })).text, "all groups would be frozen: leave one that learns");
});

test("composer: frozen cells are hatched, not coloured, and only they", () => {
  assert.deepEqual([[0, 0, 1, 1], [1, 1], [0, 0], [1, 0, 1, 0], []].map(composer.frozenRuns), [[[0, 2]], [], [[0, 2]], [[1, 2], [3, 4]], []]);
  const strokes = [...composer.hatched(10, 31, 40, 19).matchAll(/M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)/g)].map((found) => found.slice(1).map(Number));
  assert.ok(strokes.length > 4);
  for (const [x0, y0, x1, y1] of strokes) {
    assert.ok(x0 >= 10 && x1 <= 31 && y0 <= 59 && y1 >= 40 && x1 > x0, String([x0, y0, x1, y1]));
    assert.ok(Math.abs(x1 - x0 - (y0 - y1)) < 0.21);
  }
  assert.equal(composer.hatched(10, 10, 0, 19), "");
  const plain = view.picture(context({ every: 0, decay: 1 })), both = view.picture(context());
  assert.match(plain, /<path d="" stroke="var\(--soft\)"/);
  assert.match(both, /<path d="M[^"]+" stroke="var\(--soft\)"/);
});

test("composer: shades go from the highest rate three powers of ten down, and at least one", () => {
  assert.deepEqual(composer.shadeRange([[0, 1, 0.5]]), [0.1, 1]);
  assert.deepEqual(composer.shadeRange([[0, 1, 0.02]]), [0.02, 1]);
  assert.deepEqual(composer.shadeRange([[1e-9, 1]]), [1e-3, 1]);
  const c = context({ decay: 1, every: 0, kind: "constant" });
  assert.match(view.picture(c), /fill="var\(--input\)" fill-opacity="1"/);
  assert.doesNotMatch(view.picture(c), /fill-opacity="0\./);                          // one rate, one shade
});

test("composer: the picture's cursor stands on the cell, and the curve is the group's", () => {
  const c = context({ at: 0, group: 0 }), box = view.picture(c).match(/<rect class="cursor" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/).slice(1).map(Number);
  assert.ok(Math.abs(box[0] + box[2] / 2 - (LEFT + WIDE / 120)) < 0.2);
  assert.equal(box[1], MAP + 7 * ROW);
  assert.match(view.picture(c), /rate of: embedding/);
  assert.equal(view.picture(c).match(/stroke-dasharray/g).length, 1);                // the head's rate beside it
  assert.doesNotMatch(view.picture(context({ group: 7 })), /stroke-dasharray/);
  const sums = [...view.picture(c).matchAll(/x="342\.0" y="[\d.]+" text-anchor="start">([^<]+)</g)].map(([, text]) => Number(text));
  assert.equal(sums.length, 8);
  assert.deepEqual(sums, [...sums].sort((a, b) => b - a));                           // the head goes furthest
});

test("composer: a link brings the state back", () => {
  const start = context(), there = context({ kind: "one cycle", share: 41, rate: 9, steps: 110, decay: 0.95, every: 3, still: 2, layers: "12", at: 77, group: 9 });
  assert.deepEqual(composer.fromLink(composer.toLink("composer", there.state, start.state), "composer", start, view), there.state);
});

/** Numbers in [0, 1) that are the same at every run. */
const dice = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

test("composer: a thousand random states, from links and by hand, are drawn or refused", async () => {
  const random = dice(13), pick = (list) => list[Math.floor(random() * list.length)], start = context(), whole = (n) => Math.floor(random() * n);
  const rubbish = () => pick([null, 7, -1.5, "x", [1, "a"], { x: 1 }, true, "<img src=x>", 1e9, "__proto__", NaN]);
  const own = {
    way: () => pick(["", "plain", "both", "none"]), kind: () => pick(settings.kinds)[0], share: () => whole(101), rate: () => whole(settings.rates.length), steps: () => 10 + whole(200),
    decay: () => 0.3 + 0.7 * random(), every: () => pick([0, 0, 1, 5, 40]), still: () => whole(15), layers: () => pick(["4", "6", "12"]), at: () => whole(600), group: () => whole(15),
  };
  let c = start, refused = 0;
  for (let n = 0; n < 1000; n++) {
    const wish = Object.fromEntries(Object.keys(own).filter(() => random() > 0.5).map((name) => [name, random() > 0.2 ? own[name]() : rubbish()]));
    if (n % 3 === 0) c = { ...c, state: composer.fromLink(`#${new URLSearchParams({ composer: JSON.stringify(wish) })}`, "composer", { ...c, state: start.state }, view) };
    else if (n % 3 === 1) c = turned(c, (([name]) => ({ [name]: own[name]() }))([pick(Object.keys(own))]));
    else c = key(c, pick(["ArrowLeft", "ArrowUp", "End", "PageDown", "ArrowDown"]));
    c = await answered(c);
    refused += view.advice(c) !== null;
    const html = view.picture(c) + view.below(c) + composer.esc(sentence(c) + (view.advice(c)?.text ?? "") + view.controls(c).map(({ name, show }) => show?.(c.state[name]) ?? "").join(" "));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
    const { at, group, groups, composition } = composer.shown(c);
    assert.ok(at < composition.steps && group < groups.length && Number.isInteger(at + group));
  }
  assert.ok(refused > 50 && refused < 800);
});

test("composer: the longest training of the most groups is composed and drawn within two frames", () => {
  const now = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  const times = Array.from({ length: 9 }, (_, k) => {
    const before = now(), c = context({ steps: 500, layers: "12", every: 20, decay: 0.5 + k / 100 });
    assert.ok(view.picture(c).length > 1000 && view.below(c) && sentence(c));
    return now() - before;
  }).sort((a, b) => a - b);
  assert.ok(times[4] < 33, `${times[4]} ms`);
});
