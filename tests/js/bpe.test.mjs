import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const merges = await load("merges"), { view, encode, decode, gptCut, bpeSteps, tokenBytes, tokenName, asCharacters } = merges;
const { settings: tokenizer, cases, tokens, steps, decoded } = JSON.parse(readFileSync(new URL("golden/bpe.json", import.meta.url)));   // tests/widgets/test_merges.py wrote it

// ---- bpe.js ----

test("bpe: every text is cut as Python cuts it, and read by all merges and by few", () => {
  for (const { text, pretokens, ids, few } of cases) {
    assert.deepEqual(gptCut(text), pretokens, JSON.stringify(text));
    assert.deepEqual(encode(text, tokenizer), ids, JSON.stringify(text));
    for (const [most, expected] of Object.entries(few)) assert.deepEqual(encode(text, tokenizer, +most), expected, `${most} ${JSON.stringify(text)}`);
    assert.equal(decode(ids, tokenizer), text);
  }
});

test("bpe: the steps of a word, and the names of all tokens, are Python's", () => {
  assert.deepEqual(tokens.map((_, id) => tokenName(id, tokenizer)), tokens);
  for (const [word, expected] of Object.entries(steps))
    assert.deepEqual(bpeSteps(word, tokenizer).map(({ ids }) => ids.map((id) => tokenName(id, tokenizer))), expected);
});

test("bpe: bytes that are no whole character are decoded as Python does", () => {
  for (const [ids, text] of decoded) assert.equal(decode(ids, tokenizer), text);
  assert.deepEqual(asCharacters([0xe4, 0xb8, 0x41, 0xc3, 0xa9, 0x80, 0xff]), [0xe4, 0xb8, "A", "é", 0x80, 0xff]);
});

test("bpe: half a surrogate pair, which a field can hold, is read as �", () => {
  assert.deepEqual(encode("a\ud800", tokenizer), encode("a\ufffd", tokenizer));
});

// ---- the view ----

const settings = { ...tokenizer, text: "understanding 中文", examples: ["understanding 中文", "l'été"], limit: 200 };
const W = view.words.en, ALL = settings.merges.length;

function context(wish = {}) {
  const c = { settings, w: W, state: { ...view.start(settings), ...wish } };
  c.state = view.accept(c);
  return { ...c, result: { of: c.state } };
}

const after = (c, state) => (state ? context({ ...state }) : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name }));
const press = (c, name, value) => after(c, view.controls(c).find((one) => one.name === name).act(c, value));
const boxes = (c) => [...view.picture(c).matchAll(/<span data-key="\d+".*?><span.*?>(.*?)<\/span><small.*?>(\d+)<\/small>/g)].map(([, text, id]) => [text, +id]);
const shown = (c) => boxes(c).map(([text]) => text);
const sentence = (c) => view.sentence(c).join(" ");

test("merges: at first a long word is few tokens, and each token has its id", () => {
  const c = context(), { ids } = cases.find(({ text }) => text.startsWith("understanding"));
  assert.equal(shown(c)[0], "understanding");
  assert.equal(boxes(c)[0][1], ids[0]);
  assert.match(sentence(c), new RegExp(`^With ${ALL} of ${ALL} merges, 16 characters are ${shown(c).length} tokens\\.`));
});

test("merges: without any merge every token is a byte, in hexadecimal where it is no whole character", () => {
  const c = key(context({ text: "a 中" }), "Home");
  assert.deepEqual(shown(c), ["a", "␣", "E4", "B8", "AD"]);
  assert.match(sentence(c), /^With 0 of \d+ merges, 3 characters are 5 tokens\. No merge has joined anything yet/);
  assert.equal(view.picture(c).match(/dashed/g).length, 3);
  assert.match(view.below(c), /<td>3<\/td><td>5<\/td><td>5<\/td><td>0.60<\/td>/);
});

test("merges: up allows the next merge that changes the text, down takes it back, one by one", () => {
  let c = context({ merges: 0 });
  const seen = [shown(c).join("|")], places = merges.turns(c);
  for (const place of places) {
    c = key(c, "ArrowUp");
    assert.equal(c.state.merges, place);
    assert.match(sentence(c), new RegExp(`Merge ${place} changed the text last: “.*” \\+ “.*” became “.*”, and \\d+ tokens became \\d+\\.`));
    seen.push(shown(c).join("|"));
  }
  assert.equal(new Set(seen).size, places.length + 1);
  assert.equal(key(c, "ArrowUp").state.merges, ALL);
  for (const before of seen.slice(0, -1).reverse()) { c = key(c, "ArrowDown"); assert.equal(shown(c).join("|"), before); }
  assert.deepEqual([c.state.merges, key(c, "ArrowDown").state.merges, key(c, "End").state.merges], [0, 0, ALL]);
});

test("merges: the buttons are the keys, and an example resets the cursor and not the slider", () => {
  const c = context({ merges: 12, at: 1 });
  for (const [name, same] of [["none", "Home"], ["back", "ArrowDown"], ["next", "ArrowUp"], ["all", "End"]]) assert.deepEqual(press(c, name).state, key(c, same).state);
  assert.deepEqual(press(c, "example", "l'été").state, { text: "l'été", merges: 12, at: -1 });
});

test("merges: a token that is pressed tells its id and what it was made of, and pressed again no more", () => {
  const c = context(), at = after(c, view.act(c, { kind: "click", target: "0" })), whole = boxes(c)[0][1];
  assert.match(sentence(at), new RegExp(`Token 1 is “understanding”, id ${whole}: merge ${whole - 257}, of “.+” \\+ “.+”\\.$`));
  assert.equal(view.act(at, { kind: "click", target: "0" }).at, -1);
  assert.equal(view.act(at, { kind: "click" }), undefined);
  assert.match(sentence(context({ text: "é", merges: 0, at: 1 })), /Token 2 is “A9”, id \d+: the single byte A9\.$/);
  const walk = ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Delete"].reduce((all, name) => [...all, key(all.at(-1), name)], [c]);
  assert.deepEqual(walk.map(({ state }) => state.at), [-1, 0, 1, 1, 0, -1]);
});

test("merges: what cannot be seen is written so that it can", () => {
  assert.deepEqual(shown(context({ text: "\u200b\u0301\n\u3000", merges: 0 })).slice(-4), ["↵", "E3", "80", "80"]);
  assert.deepEqual([..."\u200b\u0301\t"].map((ch) => merges.label(0, { merges: [], specials: [ch] })), ["U+200B", "◌\u0301", "U+0009"]);
});

test("merges: no text is no token, and a foreign text that no merge joins says so", () => {
  const c = context({ text: "" });
  assert.match(view.picture(c), /no text/);
  assert.match(view.advice(c).text, /Type a text/);
  assert.match(sentence(context({ text: "ж" })), /No merge that was learned joins anything/);
});

test("merges: nobody is asked, and the answer is Python's", async () => {
  for (const { text, ids } of cases.filter(({ text }) => [...text].length <= 200))
    for await (const result of view.compute(context({ text }), () => assert.fail("asked"))) assert.deepEqual(result.ids, { dims: [1, ids.length], data: ids });
});

test("merges: without a model no kernel is waited for", () => {
  const news = [], none = () => assert.fail("the kernel was called");
  merges.live({ get: () => ({ order: [], models: {}, inputs: {}, outputs: [] }), send: none, on: none }, (one) => news.push(one)).close();
  assert.deepEqual(news, [{ who: "page" }]);
});

test("merges: a link brings the state back, and rubbish does no harm", () => {
  const c = context({ merges: 7, text: "l'été 中", at: 2 }), start = context();
  assert.deepEqual(merges.fromLink(merges.toLink("merges", c.state, start.state), "merges", start, view), c.state);
  for (const wish of [{ merges: "x", text: 5, at: "y" }, { merges: -3, at: 1e9 }, { merges: 1e9, at: -7 }, { text: "\ud83d", merges: null }, { text: "<b>&\"'" }]) {
    const d = { ...start, state: merges.fromLink(`#${new URLSearchParams({ merges: JSON.stringify(wish) })}`, "merges", start, view) };
    assert.ok(d.state.merges >= 0 && d.state.merges <= ALL && d.state.at < merges.encode(d.state.text, settings, d.state.merges).length);
    assert.doesNotMatch(view.picture(d) + view.below(d) + merges.esc(sentence(d)), /NaN|undefined|<b>|\[object/);
  }
});

test("merges: an edit of 200 characters is read and drawn within a frame, of the processor's time", () => {
  const now = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  const texts = ["中".repeat(200), "understanding ".repeat(14), [...Array(200).keys()].map((k) => String.fromCodePoint(0x4e00 + 37 * k)).join("")];
  for (const text of texts) {
    view.picture(context({ text: text.slice(1) }));               // warm
    const times = [0, 1, 2, 3, 4].map((k) => {
      const t0 = now(), c = context({ text: text.slice(0, -1) + k });
      view.picture(c); view.below(c); view.sentence(c);
      return now() - t0;
    });
    assert.ok(Math.min(...times) < 16, `${Math.min(...times)} ms`);
  }
});
