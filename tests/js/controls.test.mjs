import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const kit = await load("softmax");                            // every view holds all parts

test("controls accept only what they could have produced", () => {
  const range = { kind: "range", min: 0, max: 1 };
  assert.equal(kit.accepted(range, "0.5"), 0.5);
  assert.equal(kit.accepted(range, 7), 1);
  for (const bad of ["x", NaN, null, undefined, {}, ""]) assert.equal(kit.accepted(range, bad), undefined);
  assert.equal(kit.accepted({ kind: "text", alphabet: ["a"], max: 3 }, "aab😀aa"), "aaa");
  assert.equal(kit.accepted({ kind: "text", alphabet: ["a"], max: 3 }, 5), undefined);
  assert.equal(kit.accepted({ kind: "choice", options: [["a", "A"]] }, "b"), undefined);
  assert.equal(kit.accepted({ kind: "switch" }, "true"), undefined);
});

test("a field for a number keeps what was typed, for the view to judge, as a short text", () => {
  const number = { kind: "number", name: "n", label: "N" };
  assert.deepEqual(["1,024", "x", "", 7, "1".repeat(50)].map((typed) => kit.accepted(number, typed)), ["1,024", "x", "", "7", "1".repeat(12)]);
  for (const bad of [null, undefined, {}, [], true]) assert.equal(kit.accepted(number, bad), undefined);
  assert.match(kit.controlHTML(number, '"><b>', "id"), /<label for="id">N<\/label><input id="id" name="n" type="text" inputmode="numeric" value="&quot;&gt;&lt;b&gt;"/);
});

test("a field of one line shows line breaks, and gives them back", () => {
  const text = { kind: "text", name: "t", label: "T", alphabet: ["a", "\n"], max: 9 };
  assert.match(kit.controlHTML(text, "a\na", "id"), /value="a↵a"/);
  assert.equal(kit.accepted(text, "a↵a"), "a\na");
});

test("what is typed and what lists hold stays text in every control", () => {
  const bad = '"><script>';
  for (const control of [{ kind: "word", name: "a", label: bad, sign: bad, words: [] }, { kind: "examples", name: "e", label: bad, options: [[bad, bad]] }])
    assert.doesNotMatch(kit.controlHTML(control, bad, "id"), /<script/, control.kind);
  assert.doesNotMatch(kit.bars([[bad, bad, 0.5]]), /<script/);
});

/** A slider that plays from 0 to 4 in 4 s, on a clock that the test winds; `play()` presses its button. */
function playing(position, { still = false } = {}) {
  const c = { state: { position } }, said = [], handlers = {};
  const button = { value: "position", textContent: "Play", addEventListener: (_, f) => { handlers.press = f; } };
  const form = { querySelectorAll: () => [button], addEventListener: (kind, f) => { handlers[kind] = f; } };
  let waiting = null, now = 0;
  Object.assign(globalThis, { requestAnimationFrame: (f) => { waiting = f; return 1; }, cancelAnimationFrame: () => { waiting = null; }, matchMedia: () => ({ matches: still }) });
  const control = { kind: "range", name: "position", min: 0, max: 4, play: 4 };
  kit.connectPlay(form, () => [control], c, { play: "Play", pause: "Pause" }, (name, value) => { c.state = { ...c.state, [name]: value }; }, (on) => said.push([on, c.state.position]));
  const pass = (seconds) => { const due = waiting; waiting = null; now += seconds * 1000; due?.(now); };
  return { c, button, said, pass, play: () => { handlers.press(); pass(0); }, hand: () => handlers.input(), runs: () => waiting !== null };
}

test("a slider plays from where it stands to the end, and says when it begins and ends", () => {
  const { c, button, said, pass, play, runs } = playing(1);
  play();
  assert.equal(button.textContent, "Pause");
  pass(0.5);
  assert.equal(c.state.position, 1.5);
  pass(9);
  assert.deepEqual([c.state.position, runs(), button.textContent], [4, false, "Play"]);
  assert.deepEqual(said, [[true, 1], [false, 4]]);                // the end is set before it is told
  play();
  assert.equal(c.state.position, 0);                              // from the end it begins again
});

test("whoever moves a slider that plays stops it, and keeps what was set", () => {
  const { c, button, said, pass, play, runs } = playing(1);
  play(); pass(0.5);
  c.state = { ...c.state, word: "money" };                        // another part of the state may change
  pass(0.25);
  assert.deepEqual(c.state, { position: 1.75, word: "money" });
  c.state = { ...c.state, position: 0 };                          // a key on the picture
  pass(0.25);
  assert.deepEqual([c.state.position, runs(), button.textContent, said.at(-1)], [0, false, "Play", [false, 0]]);
});

test("pressed again, or by a hand on any control, it pauses; without motion it hops", () => {
  const one = playing(1, { still: true });
  one.play(); one.pass(0.5);
  assert.equal(one.c.state.position, 1);
  one.pass(0.7);
  assert.equal(one.c.state.position, 2);
  one.hand();
  assert.equal(one.runs(), false);
  one.play(); one.play();
  assert.deepEqual([one.runs(), one.button.textContent], [false, "Play"]);
});
