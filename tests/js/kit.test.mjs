import assert from "node:assert/strict";
import { test } from "node:test";
import { load, names, tensor } from "./load.mjs";

const kit = await load("softmax");
const settings = { labels: ["mat", "roof"], logits: [2, 1], temperature: 1, limit: 5 };
const context = () => ({ settings, w: kit.view.words.en, state: kit.view.start(settings), result: { probabilities: tensor([1, 2], [0.73, 0.27]), entropy: tensor([1], [0.84]) } });

test("clean keeps what the alphabet can spell and says what it left out", () => {
  assert.deepEqual(kit.clean("abc", ["a", "b", "c"], 10), { text: "abc", notes: [] });
  const { text, notes } = kit.clean("a😀b你", ["a", "b"], 10);
  assert.equal(text, "ab");
  assert.match(notes[0], /“😀” “你”/);
  const long = kit.clean("a".repeat(10000), ["a"], 100);
  assert.equal(long.text.length, 100);
  assert.match(long.notes[0], /100/);
  assert.equal(kit.clean("", ["a"], 10).text, "");
});

test("a cursor that may be anything stands at the nearest entry of its list", () => {
  assert.deepEqual([2, -1, 9, 1.9, "1", "x", null, undefined, NaN, Infinity, [], {}].map((x) => kit.index(x, 3)), [2, 0, 2, 1, 1, 0, 0, 0, 0, 2, 0, 0]);
});

test("a character that cannot be seen is spoken of by its name, and drawn as a sign", () => {
  assert.deepEqual([..." \nb"].map((ch) => kit.spoken(ch)), ["space", "line break", "b"]);
  assert.deepEqual([..." \nb"].map(kit.glyph), ["␣", "↵", "b"]);
});

test("a link brings a state back, and holds only what changed", () => {
  const c = context(), state = { ...c.state, temperature: 0.5, logits: [1, 3] };
  assert.equal(kit.toLink("softmax", c.state, c.state), "");
  const link = kit.toLink("softmax", state, c.state);
  assert.doesNotMatch(link, /"at"/);
  assert.deepEqual(kit.fromLink(link, "softmax", c, kit.view), state);
  assert.deepEqual(kit.fromLink(link, "another", c, kit.view), c.state);
});

test("what lasts no longer than a gesture is in no link, and comes from none", () => {
  const c = context(), state = { ...c.state, at: 1 }, view = { ...kit.view, passing: ["at"] };
  assert.equal(kit.toLink("softmax", state, c.state, view.passing), "");
  assert.equal(kit.fromLink(kit.toLink("softmax", state, c.state), "softmax", c, view).at, c.state.at);
  assert.equal(kit.fromLink(kit.toLink("softmax", state, c.state), "softmax", c, kit.view).at, 1);
});

test("a broken link leaves the widget at its start", () => {
  const c = context();
  for (const rubbish of ["", "#section", "#softmax=", "#softmax={", "#softmax=[1]", "#softmax=null", "#softmax=7",
    `#softmax=${encodeURIComponent('{"temperature":"hot","logits":"none","at":{"x":1},"new":1}')}`])
    assert.deepEqual(kit.fromLink(rubbish, "softmax", c, kit.view), c.state, rubbish);
});

test("text is made safe before it stands in HTML", () => {
  assert.equal(kit.esc(`<img src=x onerror="1">&'`), "&lt;img src=x onerror=&quot;1&quot;&gt;&amp;&#39;");
  assert.match(kit.controlHTML({ kind: "text", name: "t", label: "<b>" }, `"><script>`, "id"), /&quot;&gt;&lt;script&gt;/);
});

test("latest runs one at a time and keeps only the newest of the waiting", async () => {
  let n = 0, most = 0, now = 0;
  const release = [];
  const run = kit.latest(async () => {
    n += 1; most = Math.max(most, ++now);
    await new Promise((done) => release.push(done));
    now -= 1;
  });
  const first = run();
  for (let k = 0; k < 50; k++) run();                        // fifty questions while the first is answered
  for (let k = 0; k < 5; k++) { release.shift()?.(); await new Promise((r) => setTimeout(r, 1)); }
  await first;
  assert.equal(most, 1);
  assert.equal(n, 2);                                        // the first, and the newest of the fifty
});

test("latest goes on after a question that failed", async () => {
  let n = 0;
  const run = kit.latest(async () => { if (++n === 1) throw new Error("no"); });
  await assert.rejects(run());
  await run();
  assert.equal(n, 2);
});

test("tensors travel as the types the model wants", () => {
  assert.deepEqual(kit.pack("int64", [1, 2]), BigInt64Array.of(1n, 2n));
  assert.deepEqual(kit.pack("float32", [0.5]), Float32Array.of(0.5));
  assert.deepEqual(kit.unpack([2], BigInt64Array.of(3n, -1n)), { dims: [2], data: Int32Array.of(3, -1) });
});

test("every view has its words, and the same ones in every language", async () => {
  for (const name of names) {
    const { view } = await load(name), [first, ...others] = Object.values(view.words).map((words) => Object.keys(words).sort());
    assert.equal(view.name, name);
    for (const words of others) assert.deepEqual(words, first, name);
    for (const word of ["title", "hint", "picture"]) assert.ok(view.words.en[word], `${name} has no ${word}`);
  }
});

test("still gives the picture and the sentence as HTML", () => {
  const { settings, result } = context();
  const html = kit.still(kit.view, { settings, first: result }, "en");
  assert.match(html, /<svg/);
  assert.match(html, /“mat” with probability 0\.73/);
});

test("what is only read stands around the picture, outside what takes the keys", () => {
  const { settings, result, ...c } = context(), view = { ...kit.view, above: () => "<h4>said</h4>", below: () => "<table></table>" };
  assert.match(kit.still(view, { settings, first: result }, "en"), /<div class="v2g-above"><h4>said<\/h4><\/div><div class="v2g-picture"><svg.*<\/svg><\/div><p class="v2g-sentence">[^<]+<\/p><div class="v2g-below"><table><\/table><\/div>/s);
  const frame = kit.frameHTML(view, c, {}, "id", false);
  assert.match(frame, /<div class="v2g-above"><\/div>\s*<div class="v2g-picture" tabindex="0" role="application" [^>]*><\/div>.*<p class="v2g-sentence" [^>]*><\/p>\s*<div class="v2g-below"><\/div>/s);
  assert.doesNotMatch(kit.frameHTML({ ...view, act: undefined }, c, {}, "id", false), /application|tabindex/);
});

test("of several sentences only those that changed are written anew, for what is written is read aloud", () => {
  const written = [], span = () => ({ text: "", get textContent() { return this.text; }, set textContent(text) { written.push(this.text = text); } });
  const place = { children: [], set innerHTML(html) { this.children = html.match(/<span>/g).map(span); } }, say = (...sentences) => { written.length = 0; kit.setSentences(place, sentences); return [...written]; };
  assert.deepEqual(say("Cell 1.", "It says a."), ["Cell 1.", "It says a."]);
  assert.deepEqual(say("Cell 2.", "It says a."), ["Cell 2."]);
  assert.deepEqual(say("Cell 2.", "It says a."), []);
  assert.deepEqual(say("All."), ["All."]);
});

test("a view that says several sentences says them one after the other before it is live", () => {
  const { settings, result } = context();
  assert.match(kit.still({ ...kit.view, sentence: () => ["One <b>.", "Two."] }, { settings, first: result }, "en"), /<p class="v2g-sentence">One &lt;b&gt;\. Two\.<\/p>/);
});

/** A picture without a page, on which a hand can be laid; the gestures it tells, as far as the view `answers` them. */
function touched(t, answers) {
  const told = [], picture = Object.assign(new EventTarget(), { querySelector: () => null, setPointerCapture() {} });
  globalThis.DOMPoint = class { constructor(x, y) { Object.assign(this, { x, y }); } };
  t.after(() => delete globalThis.DOMPoint);
  kit.connectPicture(picture, { act: (_, gesture) => (told.push(gesture), answers(gesture) ? { told } : undefined) }, {}, () => {});
  const hand = (type, x, y, id = 1) => picture.dispatchEvent(Object.assign(new Event(type), { clientX: x, clientY: y, pointerId: id, button: 0 }));
  return { told, hand };
}

test("a press that is answered is followed to where it is let go; another finger beside it is not", (t) => {
  const { told, hand } = touched(t, () => true);
  for (const [type, ...place] of [["pointerdown", 1, 2], ["pointermove", 3, 4], ["pointerdown", 9, 9, 2], ["pointermove", 9, 9, 2], ["pointerup", 9, 9, 2], ["pointerup", 5, 6], ["pointermove", 7, 8]]) hand(type, ...place);
  const from = { x: 1, y: 2 };
  assert.deepEqual(told.map(({ target, ...gesture }) => gesture), [{ kind: "press", ...from, from }, { kind: "drag", x: 3, y: 4, from }, { kind: "drop", x: 5, y: 6, from }]);
});

test("a press that went over into scrolling, or that nobody answered, is not let go", (t) => {
  const scrolled = touched(t, () => true), ignored = touched(t, () => false);
  for (const [type, ...place] of [["pointerdown", 1, 2], ["pointercancel", 1, 2], ["pointerup", 1, 9]]) scrolled.hand(type, ...place);
  for (const [type, ...place] of [["pointerdown", 1, 2], ["pointermove", 1, 5], ["pointerup", 1, 9], ["click", 1, 9]]) ignored.hand(type, ...place);
  assert.deepEqual([scrolled, ignored].map(({ told }) => told.map(({ kind }) => kind)), [["press"], ["press", "click"]]);
});

test("a label that looks like HTML stays text", () => {
  const { settings, result } = context(), labels = ["<img src=x onerror=alert(1)>", "b"];
  assert.doesNotMatch(kit.still(kit.view, { settings: { ...settings, labels }, first: result }, "en"), /<img/);
});

test("a link cannot name a model that is not there, nor break the widget", () => {
  const c = context(), choice = { kind: "choice", name: "model", options: [["a", "a"], ["b", "b"]] };
  c.state.model = "a";
  const follow = (wish) => kit.fromLink(`#${new URLSearchParams({ softmax: JSON.stringify(wish) })}`, "softmax", c, kit.view, [choice]);
  assert.equal(follow({ model: "b" }).model, "b");
  assert.equal(follow({ model: "nope" }).model, "a");
  assert.deepEqual(follow({ at: { valueOf: 0, toString: 0 } }), c.state);
});

/** A model on the kernel's side of anywidget that hears and can answer. */
function kernel() {
  const hears = new Set(), sent = [];
  return {
    sent,
    get: () => ({ inputs: { x: "float32" }, outputs: ["y"], models: { model: "" } }),
    on: (_, f) => hears.add(f), off: (_, f) => hears.delete(f), send: (...message) => sent.push(message),
    say: (message, buffers) => hears.forEach((f) => f(message, buffers)),
    hears,
  };
}

test("a kernel is asked, and its answers find their questions in any order", async () => {
  const model = kernel(), heard = [], { ask, close } = kit.live(model, (news) => heard.push(news.who));
  assert.deepEqual(model.sent[0], [{ type: "ping" }]);
  model.say({ type: "pong" });
  assert.deepEqual(heard, ["nobody", "kernel"]);
  const first = ask("model", { x: tensor([1], [1]) }), second = ask("model", { x: tensor([1], [2]) });
  const answer = (n, value) => model.say({ type: "answer", n, outputs: { y: { dtype: "float32", dims: [1] } } }, [new DataView(Float32Array.of(value).buffer)]);
  answer(2, 20); answer(1, 10);
  assert.deepEqual([...(await first).y.data, ...(await second).y.data], [10, 20]);
  const third = ask("model", { x: tensor([1], [3]) });
  model.say({ type: "error", n: 3, message: "ValueError: too long" });
  await assert.rejects(third, /too long/);
  close();
  assert.equal(model.hears.size, 0);
});

test("a kernel that keeps us waiting is said to be busy, until it answers", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const model = kernel(), heard = [], { ask } = kit.live(model, (news) => heard.push(news.who));
  const question = ask("model", { x: tensor([1], [1]) });
  t.mock.timers.tick(5000);
  assert.equal(heard.at(-1), "busy");
  model.say({ type: "answer", n: 1, outputs: { y: { dtype: "float32", dims: [1] } } }, [new DataView(Float32Array.of(1).buffer)]);
  await question;
  assert.equal(heard.at(-1), "kernel");
});

test("models keep their order, though a notebook's cache sorts the keys of every object", () => {
  const settings = { models: { b: 1, c: 2, a: 3 }, units: { a: 320, b: 8, c: 1 }, list: ["c", "a"], texts: { b: "x" }, text: "abc", none: null };
  const back = kit.inOrder(["c", "a", "b"], settings);
  assert.deepEqual([back.models, back.units].map((one) => Object.entries(one)), [[["c", 2], ["a", 3], ["b", 1]], [["c", 1], ["a", 320], ["b", 8]]]);
  assert.deepEqual({ ...back, models: settings.models, units: settings.units }, settings);
});
