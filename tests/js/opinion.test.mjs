import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const opinion = await load("opinion"), { view } = opinion;
const W = view.words.en;
const { settings, cases, readings, tokens } = JSON.parse(readFileSync(new URL("golden/opinion.json", import.meta.url)));   // tests/widgets/test_opinion.py wrote it
const [FILM, WITHOUT] = readings, STRANGE = readings.at(-1), ROOM = settings.limit - 2;

/** What a question of many texts is answered in parts, and the results that come of it. */
async function answered(c, ask) {
  const results = [];
  for await (const result of view.compute(c, ask)) results.push(result);
  return results;
}

/** A widget that is asked by nobody: its state, and what Python's model answered to it. */
function context({ text, off, log_odds: data } = FILM, wish = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "one", text, off, ...wish } };
  c.state = view.accept(c);
  return { ...c, result: { log_odds: tensor([data.length], data), of: { ...c.state, text, off } } };
}

const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const click = (c, target) => after(c, view.act(c, { kind: "click", target }));
const button = (c, name, value) => after(c, view.controls(c).find((one) => one.name === name).act(c, value));
const typed = (c, text) => after(c, view.moved({ ...c.state, text }, c));
const sentence = (c) => view.sentence(c).join(" ");
const words = (c, text = c.state.text) => opinion.wordsOf(c, text).map((word) => word.text);
const off = (c) => c.state.off.map((k) => words(c)[k].trim());
const drawn = (c) => view.picture(c) + view.below(c);

/** The answer in which each word of a text weighs so much by itself, on top of `base`. */
function weighing(text, out, base, weights) {
  const c = context({ text, off: out, log_odds: [0] }), at = (gone) => base + weights.reduce((sum, x, k) => sum + (gone.includes(k) ? 0 : x), 0);
  const found = opinion.switchable(opinion.wordsOf(c, text), out);
  return context({ text, off: out, log_odds: [at(out), ...found.map((k) => at(out.includes(k) ? out.filter((n) => n !== k) : [...out, k]))] });
}

// ---- the text ----

test("opinion: every text is cut into the words and ids that Python cuts it into, or refused in the same sentence", () => {
  for (const { text, words: ids, problem } of cases) {
    const c = after(context(), { ...context().state, text });
    assert.equal(view.advice(c)?.text ?? null, problem ?? null, JSON.stringify(text));
    if (ids) assert.deepEqual(opinion.wordsOf(c, text).map((word) => word.ids), ids, JSON.stringify(text));
  }
});

test("opinion: what is asked is what Python asks, each text with a word switched, and its answers are put together", async () => {
  for (const reading of readings) {
    const c = context(reading), { pad } = settings.models.one;
    assert.deepEqual(opinion.batched(opinion.rowsOf(c), pad), { dims: [reading.ids.length, reading.ids[0].length], data: reading.ids.flat() });
    let n = 0;
    const asked = [], results = await answered(c, async ({ ids: { dims: [size], data } }) => {
      asked.push(size);
      assert.ok(data.length % size === 0);
      return { log_odds: tensor([size], reading.log_odds.slice(n, (n += size))) };
    });
    assert.equal(asked[0], 1);                                          // the answer comes first, then what words do
    assert.ok(asked.every((size) => size <= 8));
    assert.deepEqual(results.at(-1).log_odds, tensor([reading.log_odds.length], reading.log_odds));
    assert.deepEqual(results[0].log_odds, tensor([1], reading.log_odds.slice(0, 1)));
  }
});

test("opinion: another model gets its own padding", async () => {
  const c = context(readings[2], { model: "two" }), seen = [];
  await answered(c, async ({ ids: { dims: [size], data } }) => { seen.push(...data); return { log_odds: tensor([size], Array(size).fill(0)) }; });
  assert.deepEqual([seen.includes(settings.models.one.pad), seen.includes(settings.models.two.pad)], [false, true]);
});

test("opinion: a text that cannot be read, or of which nothing is left, is not asked, and the last answer stands", async () => {
  const c = context();
  for (const text of ["", "  ", "x ".repeat(40)]) {
    const unread = typed(c, text);
    assert.deepEqual(await answered(unread, () => assert.fail()), []);
    assert.ok(view.advice(unread).text);
    assert.equal(sentence(unread), sentence(c));
    assert.equal(view.act(unread, { kind: "click", target: "word2" }), undefined);   // those words are not in the field any more
    assert.equal(view.act(unread, { kind: "key", key: " " }), undefined);
  }
  const none = after(c, { ...c.state, off: [0, 1, 2, 3, 4] });
  assert.deepEqual(await answered(none, () => assert.fail()), []);
  assert.equal(view.advice(none).text, "All words are left out: press one to read it again.");
  assert.equal(view.advice(click(none, "word2")), null);
});

test("opinion: of a text that is too long as much is offered as can be read", () => {
  const long = typed(context(), "good film ".repeat(20)), [offer] = view.advice(long).offers, short = typed(long, offer.value);
  assert.ok(long.state.text.startsWith(offer.value));
  assert.equal(view.advice(short), null);
  assert.ok(opinion.rowsOf(short)[0].length <= ROOM + 2 && opinion.rowsOf(short)[0].length > ROOM - 4);
});

// ---- words that are left out ----

test("opinion: a press leaves a word out and reads it again, and chooses it; one on the list only chooses", () => {
  const c = context(), two = click(click(c, "word0"), "word2");
  assert.deepEqual([two.state.off, two.state.at, off(two)], [[0, 2], 2, ["Not", "good"]]);
  assert.deepEqual(click(two, "word0").state.off, [2]);
  assert.deepEqual([click(two, "weight3").state.at, click(two, "weight3").state.off], [3, [0, 2]]);
  assert.deepEqual(button(two, "every").state.off, []);
  for (const target of [undefined, "", "word", "words1", "other3"]) assert.equal(view.act(c, { kind: "click", target }), undefined);
  assert.equal(view.act(c, { kind: "press", x: 3, y: 3 }), undefined);
});

test("opinion: keys choose a word, leave it out and read it again", () => {
  const c = context();
  assert.deepEqual(["ArrowRight", "End", "Home"].map((name) => key(c, name).state.at), [1, 4, 0]);
  for (const name of [" ", "Enter", "Delete", "Backspace"]) assert.deepEqual([key(c, name).state.off, key(key(c, name), name).state.off], [[0], []]);
  for (const name of ["ArrowUp", "PageDown"]) assert.equal(view.act(c, { kind: "key", key: name }), undefined);
});

test("opinion: looking round asks nothing; a word, a text and a model do", () => {
  const c = context(), asked = ({ state }) => JSON.stringify({ ...state, ...Object.fromEntries(view.quiet.map((name) => [name, 0])) });
  for (const other of [key(c, "ArrowRight"), click(c, "weight1")]) assert.equal(asked(other), asked(c));
  for (const other of [click(c, "word2"), typed(c, "A film"), after(c, { ...c.state, model: "two" })]) assert.notEqual(asked(other), asked(c));
});

test("opinion: words stay left out while the text around them is edited, and an example is read whole", () => {
  const c = click(click(context(), "word0"), "word3");
  assert.deepEqual(off(c), ["Not", "film"]);
  for (const [text, left] of [["Not a very good film.", ["Not", "film"]], ["Not a good film. Really.", ["Not", "film"]], ["A good film.", ["film"]], ["", []]]) assert.deepEqual(off(typed(c, text)), left, text);
  const example = button(c, "example", settings.examples[1]);
  assert.deepEqual([example.state.text, example.state.off, example.state.at], [settings.examples[1], [], 0]);
});

test("opinion: the word that the answer owes most is left out, one after the other", () => {
  const c = weighing("Not a good film", [], 0.5, [-1, 0.1, 2, 0.3]);       // 1.9 in all: good helps, Not hinders
  const first = button(c, "weaken");
  assert.deepEqual([off(first), first.state.at], [["good"], 2]);
  assert.deepEqual(button(first, "weaken").state, first.state);             // its answer has not come
  const second = weighing("Not a good film", [2], 0.5, [-1, 0.1, 2, 0.3]);   // -0.1 in all
  assert.deepEqual(off(button(second, "weaken")), ["Not", "good"]);
  const last = weighing("film", [], 1, [3]);
  assert.deepEqual(button(last, "weaken").state, last.state);               // nothing would be left
});

// ---- the answer ----

test("opinion: a word weighs the log-odds with it minus those without it, left out or not", () => {
  const weights = [-1, 0.1, 2, 0.3];
  for (const out of [[], [0], [1, 2], [0, 1, 2]]) {
    const c = weighing("Not a good film", out, 0.5, weights), found = opinion.weightsOf(c);
    weights.forEach((x, k) => { if (out.length < 3 || k < 3) assert.ok(Math.abs(found[k] - x) < 1e-9, `${out} ${k}`); });
    if (out.length === 3) assert.equal(found[3], undefined);             // it is the only word that is read
  }
});

test("opinion: the sentence tells the answer, what it is without the chosen word, and which words weigh most", () => {
  const c = weighing("Not a good film", [], 0.5, [-1, 0.01, 2, 0.3]);
  assert.equal(sentence(c), "The model says “for”, 86% (log-odds +1.81). Without “Not” it says “for”, 94%. So “Not” draws towards “against”, by 1.00. The heaviest words: “good” +2.00, “Not” −1.00, “film” +0.30.");
  assert.match(sentence(key(c, "ArrowRight")), /Without “a” it says “for”, 86%\. So “a” does next to nothing\./);
  const out = weighing("Not a good film", [0, 2], 0.5, [-1, 0.01, 2, 0.3]);
  assert.match(sentence(out), /^The model says “for”, 69% .*2 words are left out\. With “Not” again it says “against”, 55%\. So “Not” draws towards “against”, by 1\.00\./);
  assert.match(sentence(weighing("film", [], 1, [-3])), /^The model says “against”, 88% \(log-odds −2\.00\)\. “film” is the only word that is read: without it there is nothing to judge\. No word by itself changes the answer\.$/);
});

test("opinion: what draws one way has its bar above, what draws the other way below; one that is left out is struck through", () => {
  const html = view.picture(weighing("Not a good film", [1], 0.5, [-1.5, 0.6, 3, 0.3])), style = (k) => html.match(new RegExp(`data-key="word${k}" title="([^"]*)" style="([^"]*)"`)).slice(1);
  assert.deepEqual([0, 1, 2, 3].map((k) => style(k)[0]), ["−1.50", "+0.60", "+3.00", "+0.30"]);
  assert.match(style(0)[1], /var\(--minus\).* 0 100%\/100% calc\(0\.500\*/);
  assert.match(style(2)[1], /var\(--plus\).* 0 0\/100% calc\(1\.000\*/);
  assert.deepEqual([0, 1, 2, 3].map((k) => /line-through/.test(style(k)[1])), [false, true, false, false]);
  assert.equal(html.match(/class="here cursor"/g).length, 1);
  assert.deepEqual([...html.matchAll(/data-key="weight(\d)"/g)].map(([, k]) => +k), [2, 0, 1, 3]);   // heaviest first
});

test("opinion: classes go by their names", () => {
  const c = weighing("Not a good film", [], 0.5, [-1, 0, 2, 0.3]), named = { ...c, settings: { ...settings, classes: ["<dull>", "fun"] } };
  assert.match(sentence(named), /says “fun”, 86%.*towards “<dull>”/);
  assert.match(drawn(named), /&lt;dull&gt; 14%.*fun 86%/s);
  assert.doesNotMatch(drawn(named), /<dull>/);
});

test("opinion: probabilities are the logistic function of log-odds", () => {
  for (const [x, p] of [[0, 0.5], [3, 0.9526], [-3, 0.0474], [800, 1], [-800, 0]]) assert.ok(Math.abs(opinion.chance(x) - p) < 1e-4);
});

test("opinion: until its answer comes, a word weighs what it weighed in the text before; after that, what it weighs", async () => {
  const c = weighing("Not a good film", [], 0.5, [-1, 0.1, 2, 0.3]), more = typed(c, "Not a very good film");
  const close = (a, b) => Array.from({ length: b.length }, (_, k) => assert.ok(b[k] === undefined ? a[k] === undefined : Math.abs(a[k] - b[k]) < 1e-9, `${k}`));
  const [first, last] = await answered(more, async ({ ids: { dims: [size] } }) => ({ log_odds: tensor([size], Array.from({ length: size }, (_, n) => n / 8)) }));
  close(opinion.weightsOf({ ...more, result: { ...first, of: more.state } }), [-1, 0.1, undefined, 2, 0.3]);
  close(opinion.weightsOf({ ...more, result: { ...last, of: more.state } }), [0, -1, -2, -3, -4].map((n) => n / 8));
  const other = after(c, { ...c.state, model: "two" }), [fresh] = await answered(other, async () => ({ log_odds: tensor([1], [0]) }));
  assert.deepEqual(opinion.weightsOf({ ...other, result: { ...fresh, of: other.state } }).filter((x) => x !== undefined), []);   // another model's say nothing
  assert.doesNotMatch(drawn({ ...other, result: { ...fresh, of: other.state } }), /NaN|undefined/);
});

test("opinion: words cut into bytes are told, and what the bars mean", () => {
  assert.match(view.below(context(STRANGE)), /cut into bytes/);
  assert.doesNotMatch(view.below(context()), /cut into bytes/);
  assert.match(view.below(context()), /bar above: towards “for”.*bar below: towards “against”.*struck through: left out/s);
});

test("opinion: a link brings text, words left out and place back", () => {
  const c = context(), there = after(c, { ...c.state, text: WITHOUT.text, off: [0, 2], at: 3 }).state;
  assert.deepEqual(opinion.fromLink(opinion.toLink("opinion", there, c.state), "opinion", c, view), there);
});

/** Numbers in [0, 1) that are the same at every run. */
const dice = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

test("opinion: five hundred random states, from links and by hand, are answered or left alone, and drawn", async () => {
  const random = dice(11), pick = (list) => list[Math.floor(random() * list.length)], start = context();
  const models = { kind: "choice", name: "model", options: Object.keys(settings.models).map((name) => [name, name]) };
  const texts = [...cases.map(({ text }) => text), "<img src=x>", "__proto__", "\ud800 half", "film ".repeat(200), "\u0000\u0007"];
  const rubbish = () => pick([null, 7, -1.5, "x", [1, "a"], { x: 1 }, true, [-1, 0.5, 99, "1", null]]);
  const own = { text: () => pick(texts), off: () => [pick([0, 1, 2]), pick([3, 5, 40])], at: () => pick([0, 3, 99, -1]), model: () => pick(Object.keys(settings.models)) };
  const hands = [(c) => click(c, pick(["word0", "word1", "word3", "word99", "weight1", "weight77"])), (c) => key(c, pick([" ", "Enter", "ArrowRight", "ArrowLeft", "End"])), (c) => button(c, pick(["every", "weaken"])),
    (c) => button(c, "example", pick(settings.examples)), (c) => typed(c, pick(texts)), (c) => after(c, view.moved({ ...c.state, model: pick(Object.keys(settings.models)) }, c))];
  let c = start;
  for (let n = 0; n < 500; n++) {
    const wish = Object.fromEntries(Object.keys(own).filter(() => random() > 0.5).map((name) => [name, random() > 0.3 ? own[name]() : rubbish()]));
    if (n % 3 === 0) c = { ...c, state: opinion.fromLink(`#${new URLSearchParams({ opinion: JSON.stringify(wish) })}`, "opinion", { ...c, state: start.state }, view, [models, ...view.controls(c)]) };
    c = pick(hands)(c);
    const results = random() < 0.2 ? [] : await answered(c, async ({ ids: { dims: [size, T], data } }) => {
      assert.ok(T <= settings.limit && data.length === size * T && data.every((id) => Number.isInteger(id) && id >= 0 && id < tokens), JSON.stringify(c.state));
      return { log_odds: tensor([size], Array.from({ length: size }, () => 20 * random() - 10)) };
    });
    if (results.length) c = { ...c, result: { ...pick(results), of: c.state } };
    const html = drawn(c) + opinion.esc(sentence(c) + (view.advice(c)?.text ?? ""));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
  }
});
