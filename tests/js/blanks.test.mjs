import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const blanks = await load("blanks"), { view } = blanks;
const W = view.words.en;
const { settings, cases, readings, tokens } = JSON.parse(readFileSync(new URL("golden/blanks.json", import.meta.url)));   // tests/widgets/test_blanks.py wrote it
const [SEA, LAND, NONE] = readings, ROOM = settings.limit - 2;

const asks = async (c) => { let inputs; for await (const _ of view.compute(c, async (question) => (inputs = question))) return inputs; };

/** A widget that is asked by nobody: its state, and what Python's model answered to it. */
function context({ text, blanks, answer } = SEA, wish = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "one", text, blanks, at: blanks[0] ?? 0, ...wish } };
  c.state = view.accept(c);
  return { ...c, result: { ...answer, of: { ...c.state, text, blanks } } };
}

const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const click = (c, target) => after(c, view.act(c, { kind: "click", target }));
const button = (c, name, value) => after(c, view.controls(c).find((one) => one.name === name).act(c, value));
const typed = (c, text) => after(c, view.moved({ ...c.state, text }, c));
const sentence = (c) => view.sentence(c).join(" ");
const words = (c, text = c.state.text) => blanks.wordsOf(c, text).map((word) => word.text);
const blank = (c) => c.state.blanks.map((k) => words(c)[k].trim());

// ---- the text ----

test("blanks: every text is cut into the words and ids that Python cuts it into, or refused in the same sentence", () => {
  for (const { text, words: ids, problem } of cases) {
    const c = after(context(), { ...context().state, text }), said = view.advice(c);
    assert.equal(said?.text ?? null, problem ?? null, JSON.stringify(text));
    if (ids) assert.deepEqual(blanks.wordsOf(c, text).map((word) => word.ids), ids, JSON.stringify(text));
    assert.equal(words(c, text).join(""), text);
  }
});

test("blanks: what is asked is what Python asks", async () => {
  for (const reading of readings) {
    const asked = await asks(context(reading));
    assert.deepEqual([asked.ids, asked.truth], [reading.ids, reading.truth].map((data) => ({ dims: [1, data.length], data })));
  }
});

test("blanks: of a text that is too long as much is offered as can be read, and no more", () => {
  for (const { text, problem } of cases.filter(({ problem }) => /has \d+ tokens/.test(problem))) {
    const c = typed(context(), text), [offer] = view.advice(c).offers;
    if (!offer) { assert.equal(words(c).filter((word) => word.trim()).length, 1); continue; }   // one long word
    assert.ok(text.startsWith(offer.value) && offer.name === "text");
    assert.equal(view.advice(typed(c, offer.value)), null);
    assert.ok(blanks.wordsOf(c, offer.value).reduce((sum, { ids }) => sum + ids.length, 0) > ROOM - 4);
  }
});

test("blanks: a text that cannot be read is not asked, and the last answer stands", async () => {
  const c = context();
  for (const text of ["", "  ", "x ".repeat(40)]) {
    const unread = typed(c, text);
    assert.equal(await asks(unread), undefined);
    assert.ok(view.advice(unread).text);
    assert.match(view.picture(unread), /data-key="word2"/);
    assert.equal(sentence(unread), sentence(c));
    assert.equal(view.act(unread, { kind: "click", target: "word2" }), undefined);   // those words are not in the field any more
    assert.equal(view.act(unread, { kind: "key", key: " " }), undefined);
    assert.deepEqual(click(unread, "head1.2").state.head, [1, 2]);
  }
});

// ---- the blanks ----

test("blanks: a press blanks a word and shows it again, and chooses it", () => {
  const c = context(), two = click(c, "word4");
  assert.deepEqual([two.state.blanks, two.state.at], [[1, 4], 4]);
  assert.deepEqual(click(two, "word1").state.blanks, [4]);
  assert.deepEqual([click(two, "card1").state.at, click(two, "card1").state.blanks], [1, [1, 4]]);
  for (const target of [undefined, "", "word", "words1", "other3"]) assert.equal(view.act(c, { kind: "click", target }), undefined);
  assert.equal(view.act(c, { kind: "press", x: 3, y: 3 }), undefined);
});

test("blanks: keys choose a word that can be blank, blank it, and choose a head", () => {
  const c = context({ ...NONE, blanks: [] }, { at: 0 }), places = words(c).flatMap((word, k) => (word.trim() ? [k] : []));
  assert.ok(places.length < words(c).length);                           // it holds spaces by themselves
  const walk = Array.from({ length: places.length + 2 }).reduce((seen) => [...seen, key(seen.at(-1), "ArrowRight")], [key(c, "Home")]).map(({ state }) => state.at);
  assert.deepEqual([...new Set(walk)], places);
  assert.equal(key(c, "End").state.at, places.at(-1));
  assert.equal(key(key(c, "End"), "ArrowLeft").state.at, places.at(-2));
  assert.deepEqual([key(key(c, "Home"), " ").state.blanks, key(key(key(c, "Home"), " "), "Enter").state.blanks], [[places[0]], []]);
  const heads = Array.from({ length: 8 }).reduce((seen) => [...seen, key(seen.at(-1), "ArrowDown")], [c]).map(({ state }) => state.head.join("."));
  assert.deepEqual(heads, ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2", "1.2", "1.2", "1.2"]);
  assert.deepEqual(key(c, "ArrowUp").state.head, [0, 0]);
  assert.equal(view.act(c, { kind: "key", key: "Delete" }), undefined);
});

test("blanks: looking round asks nothing; a blank, a text and a model do", () => {
  const c = context(), asked = ({ state }) => JSON.stringify({ ...state, ...Object.fromEntries(view.quiet.map((name) => [name, 0])) });
  for (const other of [key(c, "ArrowRight"), key(c, "ArrowDown"), click(c, "card1"), click(c, "head1.1")]) assert.equal(asked(other), asked(c));
  for (const other of [click(c, "word2"), typed(c, "The sea"), after(c, { ...c.state, model: "two" })]) assert.notEqual(asked(other), asked(c));
});

test("blanks: buttons blank all words, and none; spaces are no words", () => {
  const c = context({ ...NONE, blanks: [] }), all = button(c, "every");
  assert.deepEqual(blank(all), words(c).map((word) => word.trim()).filter(Boolean));
  assert.deepEqual(button(all, "clear").state.blanks, []);
});

test("blanks: blanks stay at their words while the text around them is edited", () => {
  const c = after(context(), { ...context().state, blanks: [1, 4], at: 4 });
  assert.deepEqual(blank(c), ["sailor", "sea"]);
  const same = ["So The sailor saw the sea.", "The sailor once saw the sea.", "The sailor saw the sea. Then he left.", "The old sailor saw, and knew, the sea."];
  for (const text of same.slice(0, 3)) assert.deepEqual([blank(typed(c, text)), words(typed(c, text))[typed(c, text).state.at].trim()], [["sailor", "sea"], "sea"], text);
  assert.deepEqual(blank(typed(c, "The sailor saw the seas.")), ["sailor", "seas"]);   // a letter more in the word itself
  assert.deepEqual(blank(typed(c, "The saw the sea.")), ["sea"]);       // it is gone
  assert.deepEqual(blank(typed(c, "")), []);
  let typing = typed(c, "");                                            // letter by letter, nothing goes wrong
  for (const letter of same[3]) typing = typed(typing, typing.state.text + letter);
  assert.equal(typing.state.text, same[3]);
  assert.deepEqual(typing.state.blanks, []);
});

test("blanks: an example brings its own blank", () => {
  const c = button(context(), "example", settings.examples[1][0]);
  assert.deepEqual([c.state.text, blank(c), c.state.at], [LAND.text, ["land"], 5]);
});

// ---- the answer ----

test("blanks: how much words look at words is the mean over who looks and the sum over whom, as Python has it", () => {
  for (const reading of readings) {
    const c = context(reading), { data, dims: [L, H, N] } = reading.look, places = words(c).flatMap((word, k) => (word.trim() ? [k] : []));
    assert.equal(blanks.unitsOf(c).length, N);
    for (let l = 0; l < L; l++) for (let h = 0; h < H; h++) for (const k of places)
      blanks.look(c, l, h, k).forEach((x, s) => assert.ok(Math.abs(x - data[((l * H + h) * N + k + 1) * N + s]) < 1e-3));
  }
});

test("blanks: the guesses of a word are those at its pieces, with the rank of what stands there", () => {
  for (const reading of readings) {
    const c = context(reading), all = words(c).flatMap((_, k) => blanks.said(c, k)), { guesses, ranks, own } = reading.answer, inside = (data) => data.slice(1, -1);
    assert.deepEqual(all.map(({ id }) => id), inside(reading.truth));
    assert.deepEqual([all.map(({ rank }) => rank), all.map(({ own: p }) => p)], [inside(ranks.data), inside(own.data)]);
    assert.deepEqual(all.flatMap(({ guesses }) => guesses.map(([id]) => id)), guesses.data.slice(5, -5));
  }
});

/** An answer in which the model is sure of what stands there, or of what stands one id behind it. */
function sure({ text, blanks: places, truth, answer }, shift, p = 0.5) {
  const guesses = truth.flatMap((id) => [(id + shift) % tokens.length, 5, 6, 7, 8]), T = truth.length;
  return { text, blanks: places, truth, answer: { ...answer, guesses: tensor([1, T, 5], guesses), probabilities: tensor([1, T, 5], truth.flatMap(() => [p, 0.2, 0.1, 0.05, 0.01])), own: tensor([1, T], truth.map(() => (shift ? 0.25 : p))), ranks: tensor([1, T], truth.map(() => (shift ? 1234 : 1))) } };
}

test("blanks: the sentence tells what the model puts, and what the word's rank is", () => {
  const right = context(sure(LAND, 0), { at: 5, head: [1, 0] }), wrong = context(sure(LAND, 1), { at: 3 });
  assert.deepEqual(blank(right), ["They", "there", "land"]);
  assert.match(sentence(right), /^“land” is blank, \d pieces.* The model puts “land”; .*50%.*From there layer 2, head 1 looks at “.*” \d+%.*3 of 7 words are blank; the model has 3 of 3 right\.$/);
  assert.match(view.picture(right), /<em>land<\/em> ✓/);
  assert.match(sentence(wrong), /the model has 0 of 3 right\.$/);
  assert.match(view.picture(wrong), /rank 1,234 of 276, 25%/);
  assert.doesNotMatch(view.picture(wrong), /✓/);
});

test("blanks: a word of several pieces has a list for each, and is right only if all are", () => {
  const right = sure(SEA, 0), c = context(right), at = 1, pieces = blanks.said(c, at);
  assert.ok(pieces.length > 1);
  assert.equal(view.picture(c).match(/<ol/g).length, Math.min(4, pieces.length));
  assert.match(sentence(c), new RegExp(`“sailor” is blank, ${pieces.length} pieces, each guessed by itself. The model puts “sailor”; for the first piece`));
  const { guesses } = right.answer, from = blanks.unitsOf(c)[at + 1].from, data = [...guesses.data];
  data[from * 5] += 1;                                                  // the first piece alone is wrong
  const half = context({ ...right, answer: { ...right.answer, guesses: { ...guesses, data } } });
  assert.match(sentence(half), /the model has 0 of 1 right\.$/);
});

test("blanks: of a word that is not blank it is told that the model sees it", () => {
  assert.match(sentence(context(sure(LAND, 0), { at: 1 })), /^“saw” is not blank: the model sees it.* and puts “saw” there/);
});

test("blanks: nothing blank, and everything, is said", () => {
  const none = context({ ...LAND, blanks: [] }), all = button(none, "every"), answered = { ...all, result: { ...all.result, of: all.state } };
  assert.match(sentence(none), /Nothing is blank: press a word\.$/);
  assert.match(view.picture(none), /Nothing is blank: press a word\./);
  assert.match(sentence(answered), /All words are blank: what is left is how many there are, and where\. The model has \d of 7 right\.$/);
});

test("blanks: a word cut into bytes is told", () => {
  assert.match(view.below(context(NONE)), /“你好”, “🙂”: cut into bytes|“你好”, “мир”, “🙂”: cut into bytes/);
  assert.equal(view.below(context()), "");
});

test("blanks: a new blank stands there at once, and its guesses when they come", () => {
  const c = context(sure(LAND, 0)), more = click(c, "word1");
  assert.match(view.picture(more).split('data-key="word1"')[1], /^[^>]*>…</);
  assert.equal(view.picture(more).match(/data-key="card\d+" style/g).length, view.picture(c).match(/data-key="card\d+" style/g).length);
  assert.match(sentence(more), /3 of 7 words are blank; the model has 3 of 3 right/);
});

test("blanks: of many blanks those nearest to the chosen word have their guesses listed", () => {
  const all = button(context({ ...LAND, blanks: [] }), "every"), c = { ...all, result: { ...all.result, of: all.state } };
  const listed = (d) => [...view.picture(d).matchAll(/data-key="card(\d+)" style/g)].map(([, k]) => +k);
  assert.deepEqual([listed(key(c, "Home")), listed(key(c, "End"))], [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]);
  assert.match(view.picture(c), /1 more blank:/);
});

test("blanks: the marks at both ends are looked at too", () => {
  const c = context(), bars = [...view.picture(c).matchAll(/calc\(([\d.]+)\*/g)].map(([, x]) => +x);
  blanks.look(c, 0, 0, c.state.at).forEach((x, k) => assert.ok(Math.abs(x - bars[k]) < 1e-3));
  assert.equal(bars.length, words(c).length + 2);
});

test("blanks: a model with fewer heads takes the nearest, and the map has its rows", async () => {
  const c = context(SEA, { head: [1, 2] }), other = after(c, { ...c.state, model: "two" });
  assert.deepEqual(other.state.head, [0, 1]);
  assert.equal(view.picture(c).match(/data-key="head/g).length, 6);
  assert.doesNotMatch(view.picture(other), /NaN|undefined/);            // the other's answer has not come
});

test("blanks: what begins a word is named without its space, what goes on behind a dot; not so where a text begins", () => {
  const c = context(), names = (text, isFirst) => blanks.named(c, tokens.indexOf(text), isFirst);
  assert.deepEqual([" the", "ea", "T", ".", " ", "[MASK]", "\\xe4", "\0", "\n"].map((name) => names(name)), ["the", "·ea", "·T", ".", "␣", "[MASK]", "\\xe4", "\\x00", "↵"]);
  assert.deepEqual([" the", "ea", "T", ".", " "].map((name) => names(name, true)), ["␣the", "ea", "T", ".", "␣"]);
});

test("blanks: a link brings text, blanks, head and place back", () => {
  const c = context(), there = after(c, { ...c.state, model: "one", text: LAND.text, blanks: [1, 5], at: 5, head: [1, 2] }).state;
  assert.deepEqual(blanks.fromLink(blanks.toLink("blanks", there, c.state), "blanks", c, view), there);
});

/** Numbers in [0, 1) that are the same at every run. */
const dice = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

/** Any answer to a question. */
function answer(random, { ids: { dims: [, T] } }, { layers, heads }) {
  const many = (dims, one) => tensor(dims, Array.from({ length: dims.reduce((a, b) => a * b) }, one)), id = () => Math.floor(random() * tokens.length);
  return { guesses: many([1, T, 5], id), probabilities: many([1, T, 5], random), own: many([1, T], random), ranks: many([1, T], () => 1 + id()), weights: many([layers, heads, T, T], () => 1 / T) };
}

test("blanks: five hundred random states, from links and by hand, are answered or left alone, and drawn", async () => {
  const random = dice(7), pick = (list) => list[Math.floor(random() * list.length)], start = context();
  const models = { kind: "choice", name: "model", options: Object.keys(settings.models).map((name) => [name, name]) };
  const texts = [...cases.map(({ text }) => text), "<img src=x>", "__proto__", "\ud800 half", "sea ".repeat(200), "\u0000\u0007"];
  const rubbish = () => pick([null, 7, -1.5, "x", [1, "a"], { x: 1 }, true, [-1, 0.5, 99, "1", null]]);
  const own = { text: () => pick(texts), blanks: () => [pick([0, 1, 2]), pick([3, 5, 40])], at: () => pick([0, 3, 99, -1]), head: () => [pick([0, 1, 99]), pick([0, 2, -4])], model: () => pick(Object.keys(settings.models)) };
  const hands = [(c) => click(c, pick(["word0", "word1", "word3", "word99", "card1", "card77", "head0.1", "head7.7"])), (c) => key(c, pick([" ", "Enter", "ArrowDown", "ArrowRight", "ArrowLeft", "End"])), (c) => button(c, pick(["every", "clear"])),
    (c) => button(c, "example", pick(settings.examples)[0]), (c) => typed(c, pick(texts)), (c) => after(c, view.moved({ ...c.state, model: pick(Object.keys(settings.models)) }, c))];
  let c = start;
  for (let n = 0; n < 500; n++) {
    const wish = Object.fromEntries(Object.keys(own).filter(() => random() > 0.5).map((name) => [name, random() > 0.3 ? own[name]() : rubbish()]));
    if (n % 3 === 0) c = { ...c, state: blanks.fromLink(`#${new URLSearchParams({ blanks: JSON.stringify(wish) })}`, "blanks", { ...c, state: start.state }, view, [models, ...view.controls(c)]) };
    c = pick(hands)(c);
    const inputs = random() > 0.2 ? await asks(c) : undefined;
    if (inputs) {
      assert.ok(inputs.ids.dims[1] <= settings.limit && inputs.ids.data.every((id) => Number.isInteger(id) && id > 0 && id < tokens.length), JSON.stringify(c.state));
      assert.equal(inputs.truth.data.length, inputs.ids.data.length);
      c = { ...c, result: { ...answer(random, inputs, settings.models[c.state.model]), of: c.state } };
    }
    const html = view.picture(c) + view.below(c) + blanks.esc(sentence(c) + (view.advice(c)?.text ?? ""));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
  }
});
