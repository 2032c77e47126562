import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const amounts = await load("calculator");                      // which names this part
const W = amounts.view.words.en;

test("amounts: numbers are read as people write them, and told in words", () => {
  assert.deepEqual(["1024", " 1,024", "1 024", "1_024"].map(amounts.whole), [1024, 1024, 1024, 1024]);
  for (const text of ["", "x", "-4", "1.5", "1e3", null, {}]) assert.ok(Number.isNaN(amounts.whole(text)), String(text));
  assert.deepEqual([7, 999, 1000, 1234567, 999_999_999, 3.02e9].map((x) => amounts.scaled(x, 1000, W.sizes)), ["7", "999", "1 thousand", "1.23 million", "1 billion", "3.02 billion"]);
  assert.deepEqual([512, 1536, 1024 ** 3].map((x) => amounts.scaled(x, 1024, W.bytes)), ["512 bytes", "1.5 KiB", "1 GiB"]);
  assert.deepEqual([2e-5, 0.0204, 1, 59.99, 90, 7200, 86400, 200000, 3.2e7, 7e7].map((x) => amounts.duration(x, W.time)), ["20 µs", "20.4 ms", "1 s", "1 min", "1.5 min", "2 h", "1 day", "2.31 days", "1.01 years", "2.22 years"]);
});

test("amounts: a formula takes the reader's numbers, and factors of 1 go", () => {
  assert.equal(amounts.filled("B · L × (24 · n · D² + 4 · n² · D)", { n: 1024, D: 128, H: 4, L: 1, B: 2, w: 64 }), "2 · (24 · 1024 · 128² + 4 · 1024² · 128)");
  assert.equal(amounts.filled("4 · H · n · min(n, w) · D", { n: 11, D: 21, H: 1, w: 1 }), "4 · 11 · min(11, 1) · 21");
});

test("amounts: a size is divided by its divisors alone, up to the most that is wanted", () => {
  assert.deepEqual([amounts.divisors(12, 8), amounts.divisors(7, 128), amounts.divisors(1, 9)], [[1, 2, 3, 4, 6], [1, 7], [1]]);
});
