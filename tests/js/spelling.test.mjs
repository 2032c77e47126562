import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const kit = await load("say");                                // which names this part
const settings = {
  alphabet: "abcdef", limit: 4, dictionary: { cab: [["K", "AE", "B"]], bad: [] },
  models: { ours: { source: [..."abcdef", "</s>"], end: 6 }, theirs: { source: ["<s>", ..."fedcba"], end: 0 } },
};

test("what keeps a word from being read, and the nearest that can be", () => {
  const wrong = (word) => kit.misspelling(word, settings);
  assert.deepEqual(["", "abc", "abcd", "abcde", "abx", "ABC", "bé", "a b"].map(wrong), ["empty", null, null, "long", "strange", "strange", "strange", "strange"]);
  assert.deepEqual(["bé", "a b", "abcdef", "你", "x1"].map((word) => kit.respelled(word, settings)), ["be", "ab", "abcd", "", ""]);
});

test("letters are told by the first and the last, or one by one where some are missing", () => {
  assert.deepEqual(["abcdefghijklmnopqrstuvwxyz", "bcd", "abd", "az"].map(kit.lettersNamed), ["a to z", "b to d", "a, b, d", "a, z"]);
});

test("a word is kept in small letters, and an example resets what the view names", () => {
  assert.equal(kit.asTyped(" CaB "), "cab");
  const [field, examples] = kit.wordControls({ settings, w: {} }, { at: -1 });
  assert.deepEqual([field.kind, field.name, examples.options.map(([word]) => word)], ["word", "word", ["cab", "bad"]]);
  assert.deepEqual(examples.act({ state: { word: "a", at: 3, step: 2 } }, "bad"), { word: "bad", at: -1, step: 2 });
  assert.equal(kit.wordControls({ settings: { ...settings, dictionary: {} }, w: {} }, {}).length, 1);
});

test("a word is asked in the numbers of the model that is chosen, of the first if none is", () => {
  const asked = (model) => kit.sourceIds({ settings, state: { word: "bed", model } });
  assert.deepEqual(asked("ours"), { dims: [1, 4], data: [1, 4, 3, 6] });
  assert.deepEqual(asked("theirs"), { dims: [1, 4], data: [5, 2, 3, 0] });
  assert.deepEqual(asked(), asked("ours"));
  assert.equal(kit.modelKind({ settings, state: { model: "ours" }, result: { of: { model: "theirs" } } }), settings.models.theirs);
});

test("any listed pronunciation counts, stress aside; of what has none nobody knows", () => {
  const says = (text, word) => kit.isListed(text.split(" "), kit.waysOf(settings, word));
  assert.deepEqual([says("K AE B", "cab"), says("K AE1 B", "cab"), says("K AE", "cab"), says("K AEB", "cab")], [true, true, false, false]);
  assert.deepEqual(["bad", "abba", "constructor"].map((word) => says("K", word)), [null, null, null]);
  assert.equal(kit.isListed(["AE", "B"], [["AE0", "B"], ["B"]]), true);
  assert.deepEqual(["AH0", "AH", "ER2", "K"].map(kit.unstressed), ["AH", "AH", "ER", "K"]);
});

test("only what is impossible is 0%, only what is certain 100%", () => {
  assert.deepEqual([0, 0.001, 0.006, 0.755, 0.994, 0.995, 1].map(kit.percentage), ["0%", "<1%", "1%", "76%", "99%", ">99%", "100%"]);
});
