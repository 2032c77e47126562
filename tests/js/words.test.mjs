import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const kit = await load("softmax");                            // every view holds all parts

/** The whole table of edits (insert, drop, replace, swap neighbours), as the textbook has it. */
function table(a, b) {
  const d = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => (i && j ? 0 : i + j)));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] !== b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.length][b.length];
}

test("edits counts as the whole table does, up to its limit", () => {
  for (const [a, b, n] of [["king", "kign", 1], ["king", "kings", 1], ["paris", "prais", 1], ["", "ab", 2], ["rome", "rome", 0], ["abcd", "wxyz", 3]])
    assert.equal(kit.edits(a, b, 2), n, `${a} ${b}`);
  let seed = 1;
  const dice = (n) => (seed = (seed * 48271) % 2147483647) % n, word = () => Array.from({ length: dice(9) }, () => "abc"[dice(3)]).join("");
  for (let k = 0; k < 5000; k++) {
    const a = word(), b = word(), most = dice(4);
    assert.equal(kit.edits(a, b, most), Math.min(table(a, b), most + 1), `${a} ${b} ${most}`);
  }
});

test("near offers words that begin so, then the nearest in spelling, frequent ones first", () => {
  const words = ["the", "king", "kind", "France", "kingdom", "in", "ring", "frame"];
  assert.deepEqual(kit.near(words, "kin"), ["king", "kind", "kingdom", "in"]);
  assert.deepEqual(kit.near(words, "KIGN"), ["king", "kind", "in", "ring"]);
  assert.deepEqual(kit.near(words, "frnace"), ["France", "frame"]);
  for (const text of ["", "qqqqqq", "\u0000", "😀😀😀😀"]) assert.deepEqual(kit.near(words, text), [], text);
});

test("a word is found whatever its case, and spelled as the list spells it", () => {
  const words = ["Turkey", "turkey", "King", "__proto__x"];
  assert.equal(kit.lookup(words, "turkey"), 1);
  assert.equal(kit.lookup(words, "Turkey"), 0);
  assert.equal(kit.lookup(words, "kING"), 2);
  assert.equal(kit.spelled(words, " king "), "King");
  assert.equal(kit.spelled(words, " Qat"), "Qat");
  assert.equal(kit.spelled(words, "x".repeat(1000)).length, 40);
  for (const none of ["__proto__", "constructor", ""]) assert.equal(kit.lookup(words, none), -1);
  assert.equal(kit.accepted({ kind: "word", words }, "KING"), "King");
  assert.equal(kit.accepted({ kind: "word", words }, 5), undefined);
});
