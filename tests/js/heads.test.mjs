import assert from "node:assert/strict";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const heads = await load("heads"), { view } = heads;
const W = view.words.en;
const LETTERS = ["<pad>", "<bos>", "<eos>", "a", "b", "c", "t"], ENGLISH = ["<pad>", "<bos>", "<eos>", "the", "cat", "sees"];
const sounds = { target: ["<pad>", "<bos>", "<eos>", "AE", "B", "K", "T"], end: 2, eos: 2 }, french = { target: ["<pad>", "<bos>", "<eos>", "le", "chat", "voit"], end: 2, eos: 2 };
const settings = {
  models: {
    first: { ...sounds, source: LETTERS, reads: "letters", known: "abct", layers: { encoder: 1, decoder: 2, cross: 2 }, heads: 3 },
    french: { ...french, source: ENGLISH, reads: "words", known: ["the", "cat", "sees"], layers: { encoder: 1, decoder: 1, cross: 1 }, heads: 2 },
  },
  texts: { letters: "cat", words: "the cat" }, examples: ["tab", "the cat sees"], limit: 6, size: [2, 3],
};
const STEPS = 7, SPOKEN = [5, 3, 6, 2, 2, 2, 2];                // K AE T, end
const KINDS = ["encoder", "decoder", "cross"];

/** An answer that a model could have given: each head looks at one place of a row, head 0 at the first, head 1 at the next … */
function answer(kind, { source_ids: { dims: [, size] } }, { spoken = [SPOKEN, SPOKEN], guesses = spoken } = {}) {
  const shapes = { encoder: [size, size], decoder: [STEPS, STEPS], cross: [STEPS, size] };
  const weights = (name) => {
    const [tall, wide] = shapes[name], dims = [kind.layers[name], kind.heads, tall, wide], one = (h, t, s) => (s === h % wide ? 0.75 : s === (h + 1) % wide ? 0.25 : 0);
    const data = [...Array(dims[0])].flatMap(() => [...Array(dims[1])].flatMap((_, h) => [...Array(tall)].flatMap((_, t) => [...Array(wide)].map((_, s) => one(h, t, s)))));
    return tensor(dims, data);
  };
  return { ids: tensor([2, STEPS], spoken.flat()), guesses: tensor([2, STEPS], guesses.flat()), probabilities: tensor([2, STEPS], Array(2 * STEPS).fill(0.5)), ...Object.fromEntries(KINDS.map((name) => [name, weights(name)])) };
}

const asks = async (c) => { let inputs; for await (const _ of view.compute(c, async (question) => (inputs = question))) return inputs; };

/** A widget that is asked by nobody: its state, and an answer to it. */
async function context(wish = {}, spoken = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "first" } };
  c.state = { ...view.moved({ ...c.state, model: wish.model ?? "first" }, c), ...wish };
  c.state = view.accept(c);
  return { ...c, result: { ...answer(settings.models[c.state.model], await asks(c), spoken), of: c.state } };
}

const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const click = (c, target) => after(c, view.act(c, { kind: "click", target }));
const button = (c, name, value) => after(c, view.controls(c).find((one) => one.name === name).act(c, value));
const sentence = (c) => view.sentence(c).join(" ");

test("heads: a map's rows and columns are named after what looks and what is looked at", async () => {
  const c = await context(), names = (kind) => Object.values(heads.namesOf(c, { kind })).map((one) => one.join(" "));
  assert.deepEqual(names("encoder"), ["c a t end", "c a t end"]);
  assert.deepEqual(names("cross"), ["K AE T end", "c a t end"]);
  assert.deepEqual(names("decoder"), ["K AE T end", "start K AE T"]);   // what is read when the next is said
});

test("heads: a map is cut out of its layer and head, as long as what is said", async () => {
  const c = await context(), { data, dims } = c.result.cross;
  data[((1 * 3 + 2) * dims[2] + 1) * dims[3] + 3] = 0.125;              // layer 2, head 3, second row, fourth column
  assert.deepEqual(heads.mapOf(c, "cross", 1, 2), [[0, 0, 0.75, 0.25], [0, 0, 0.75, 0.125], [0, 0, 0.75, 0.25], [0, 0, 0.75, 0.25]]);
  assert.deepEqual(heads.mapOf(c, "decoder", 0, 0)[3], [0.75, 0.25, 0, 0]);
});

test("heads: a small map is chosen by a press, a row of the large one too; nothing is asked", async () => {
  const c = await context(), there = click(click(c, "head1.2"), "row3"), asked = (d) => JSON.stringify({ ...d.state, ...Object.fromEntries(view.quiet.map((name) => [name, 0])) });
  assert.deepEqual([there.state.at, there.state.row], [[1, 2], 3]);
  assert.equal(asked(there), asked(c));
  for (const target of [undefined, "", "head", "row", "other3"]) assert.equal(view.act(c, { kind: "click", target }), undefined);
  assert.equal(view.act(c, { kind: "press", x: 3, y: 3 }), undefined);
});

test("heads: keys choose a head, a row, and switch the head off and on", async () => {
  const c = await context({ at: [0, 1] });
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((name) => key(c, name).state.at), [[0, 0], [0, 2], [0, 1], [1, 1]]);
  assert.deepEqual(["PageUp", "PageDown", "Home", "End"].map((name) => key(c, name).state.row), [0, 1, 0, 3]);
  assert.deepEqual([key(c, " "), key(c, "Enter"), key(key(c, " "), "Enter")].map(({ state }) => state.off), [["cross.0.1"], ["cross.0.1"], []]);
  assert.equal(view.act(c, { kind: "key", key: "Delete" }), undefined);
});

test("heads: the buttons switch this head, all others of its kind, and all on", async () => {
  const c = await context({ kind: "decoder", at: [1, 2], off: ["cross.0.0"] });
  assert.deepEqual(button(c, "toggle").state.off, ["cross.0.0", "decoder.1.2"]);
  const only = button(button(c, "toggle"), "only");
  assert.deepEqual(only.state.off, ["cross.0.0", "decoder.0.0", "decoder.0.1", "decoder.0.2", "decoder.1.0", "decoder.1.1"]);
  assert.deepEqual(button(only, "allOn").state.off, []);
});

test("heads: a model is asked with its switches, as many as the largest has, and the mask", async () => {
  const c = await context({ off: ["encoder.0.2", "cross.1.0"], masked: false }), asked = await asks(c);
  assert.deepEqual(asked.source_ids, { dims: [1, 4], data: [5, 3, 6, 2] });
  assert.deepEqual(asked.encoder_on, { dims: [2, 3], data: [1, 1, 0, 1, 1, 1] });
  assert.deepEqual(asked.decoder_on, { dims: [2, 3], data: [1, 1, 1, 1, 1, 1] });
  assert.deepEqual(asked.cross_on, { dims: [2, 3], data: [1, 1, 1, 0, 1, 1] });
  assert.deepEqual(asked.causal, { dims: [1], data: [0] });
  assert.deepEqual((await asks(await context())).causal.data, [1]);
});

test("heads: another model keeps the heads that it has, and brings a text of its own", async () => {
  const c = await context({ off: ["cross.0.1", "cross.1.2", "encoder.0.2"], at: [1, 2] }), other = after(c, view.moved({ ...c.state, model: "french" }, c));
  assert.deepEqual([other.state.off, other.state.text, other.state.other], [["cross.0.1"], "the cat", "cat"]);
  assert.match(sentence(other), /“cat” becomes/);                       // the last answer stands until the new one comes
  assert.doesNotMatch(view.picture(other), /NaN|undefined/);
  assert.equal(view.picture(await context({ model: "french", at: [1, 2] })).match(/data-key="head/g).length, 2);
});

test("heads: the sentence tells where a row looks, what is said, and what the model alone says", async () => {
  const c = await context({ at: [0, 1], row: 1 });
  assert.equal(sentence(c), "Layer 1, head 2 (on): from “AE” it looks at “a” 75%, “t” 25%. “cat” becomes K AE T, with probability 0.063; the model alone says the same.");
  const other = await context({ at: [1, 0], off: ["cross.1.0"] }, { spoken: [SPOKEN, [5, 4, 2, 2, 2, 2, 2]] });
  assert.equal(sentence(other), "Layer 2, head 1 (off): from “K” it looks at “c” 75%, “a” 25%. “cat” becomes K B, with probability 0.13; the model alone says K AE T (0.063).");
  assert.match(view.above(other), /K <small>0\.50<\/small> · <strong>B<\/strong>/);
  assert.match(view.below(other), /off: 1 head \(decoder to encoder, layer 2, head 1\)/);
  assert.match(view.below(c), /All heads are on/);
});

test("heads: without the mask it tells where something else is likelier than what is said", async () => {
  const guesses = [SPOKEN, [5, 4, 2, 2, 0, 0, 0]], c = await context({ masked: false, kind: "decoder" }, { guesses });
  assert.deepEqual(heads.otherGuesses(c), { 1: "B", 2: "end" });         // and nothing behind the end
  assert.match(sentence(c), /Without the mask, what is said is still the likeliest at 2 of 4 places\./);
  assert.match(view.above(c), /AE <small>0\.50 ≠ B<\/small>.*T <small>0\.50 ≠ end<\/small>/);
  assert.match(view.below(c) + view.picture(c), /In training it never saw ahead.*all that the decoder reads/s);
  const masked = await context({ kind: "decoder" }, { guesses });
  assert.doesNotMatch(view.above(masked) + view.below(masked) + sentence(masked) + view.picture(masked), /≠|Without the mask|without a mask/);
  assert.doesNotMatch(sentence(after(masked, { ...masked.state, masked: false })), /Without the mask/);   // not before the answer to it
});

test("heads: a head that is off is pale and struck through at once, in its own kind alone", async () => {
  const c = await context({ at: [1, 1] }), off = key(c, " "), pale = (d) => view.picture(d).split('data-key="head').slice(1).filter((one) => /opacity="0.35".*var\(--minus\)/.test(one.split("v2g-hint")[0])).map((one) => one.slice(0, 3));
  assert.deepEqual([pale(c), pale(off), pale({ ...off, state: { ...off.state, kind: "decoder" } })], [[], ["1.1"], []]);
  assert.equal(view.picture(off).match(/opacity="0.35"/g).length, 2);    // the small map and the large one
});

test("heads: a text that cannot be read says why, and is not asked", async () => {
  const c = await context(), typed = (text) => after(c, { ...c.state, text });
  assert.deepEqual(view.advice(typed("cxt")).offers, [{ name: "text", value: "ct" }]);
  assert.deepEqual(view.advice(typed("the cat")).offers, [{ name: "model", value: "french" }]);
  assert.match(view.advice(typed("")).text, /Type a word/);
  assert.equal(await asks(typed("cxt")), undefined);
  assert.equal(view.advice(c), null);
  const example = button(c, "example", "the cat sees");
  assert.deepEqual([example.state.model, example.state.text, example.state.row], ["french", "the cat sees", 0]);
});

test("heads: while a text cannot be read, one can still look round in the last answer", async () => {
  const c = await context(), unread = after(key(after(c, { ...c.state, kind: "encoder" }), "ArrowRight"), { ...c.state, kind: "encoder", at: [0, 1], text: "cx" });
  assert.match(sentence(unread), /^Layer 1, head 2 \(on\): from “c” it looks at “a” 75%/);
  assert.equal(key(key(unread, "ArrowLeft"), "ArrowRight").state.at[1], 1);
  assert.match(sentence(click(unread, "head0.2")), /^Layer 1, head 3 /);
  assert.deepEqual([button(unread, "toggle"), key(unread, " ")].map(({ state }) => state.off), [["encoder.0.1"], ["encoder.0.1"]]);
  assert.match(sentence(unread), /“cat” becomes/);
});

test("heads: a link brings text, model, kind, heads and mask back", async () => {
  const c = await context(), there = after(c, { ...c.state, text: "tab", kind: "decoder", at: [1, 2], row: 2, off: ["cross.0.1", "decoder.1.2"], masked: false }).state;
  assert.deepEqual(heads.fromLink(heads.toLink("heads", there, c.state), "heads", c, view), there);
});

/** Numbers in [0, 1) that are the same at every run. */
const dice = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

test("heads: five hundred random states, from links and by hand, are answered or left alone, and drawn", async () => {
  const random = dice(7), pick = (list) => list[Math.floor(random() * list.length)], start = await context();
  const models = { kind: "choice", name: "model", options: Object.keys(settings.models).map((name) => [name, name]) };
  const texts = ["", "cat", "CAB", "the cat", "cat sees", "dog", "你好", "a".repeat(300), "<img src=x>", "__proto__"];
  const rubbish = () => pick([null, 7, -1.5, "x", [1, "a"], { x: 1 }, true, ["cross.9.9", "cross.0.1", "cross.0.1", "__proto__.0.0", 5, "cross.0.x"]]);
  const own = { text: () => pick(texts), other: () => pick(texts), kind: () => pick(KINDS), at: () => [pick([0, 1, 99]), pick([0, 2, -4])], row: () => pick([0, 3, 99]), masked: () => random() > 0.5, model: () => pick(Object.keys(settings.models)),
    off: () => [pick(KINDS), pick(KINDS)].map((kind) => `${kind}.${pick([0, 1])}.${pick([0, 1, 2])}`), list: () => true };
  const hands = [(c) => click(c, pick(["head0.1", "head1.2", "head7.7", "row0", "row9"])), (c) => key(c, pick([" ", "ArrowDown", "ArrowRight", "End", "PageUp"])), (c) => button(c, pick(["toggle", "only", "allOn"])),
    (c) => button(c, "example", pick(settings.examples)), (c) => after(c, view.moved({ ...c.state, model: pick(Object.keys(settings.models)) }, c))];
  let c = start;
  for (let n = 0; n < 500; n++) {
    const wish = Object.fromEntries(Object.keys(own).filter(() => random() > 0.5).map((name) => [name, random() > 0.3 ? own[name]() : rubbish()]));
    if (n % 3 === 0) c = { ...c, state: heads.fromLink(`#${new URLSearchParams({ heads: JSON.stringify(wish) })}`, "heads", { ...c, state: start.state }, view, [models, ...view.controls(c)]) };
    c = pick(hands)(c);
    const inputs = await asks(c), mine = settings.models[c.state.model];
    assert.ok(c.state.off.every((name) => { const [kind, layer, head] = name.split("."); return +layer < mine.layers[kind] && +head < mine.heads; }), JSON.stringify(c.state));
    if (inputs) {
      for (const kind of KINDS) assert.equal(inputs[`${kind}_on`].data.filter((on) => !on).length, c.state.off.filter((name) => name.startsWith(kind)).length);
      const spoken = () => Array.from({ length: STEPS }, () => pick([2, 3, 4, 5]));
      c = { ...c, result: { ...answer(mine, inputs, { spoken: [spoken(), spoken()], guesses: [spoken(), spoken()] }), of: c.state } };
    }
    const html = view.above(c) + view.picture(c) + view.below(c) + heads.esc(sentence(c) + (view.advice(c)?.text ?? ""));
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object|<img/, JSON.stringify(c.state));
  }
});
