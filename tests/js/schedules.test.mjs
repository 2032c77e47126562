import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const rules = await load("composer"), { SCHEDULES, discriminative, gradual, frozen, combined } = rules;
const GOLDEN = JSON.parse(readFileSync(new URL("golden/schedules.json", import.meta.url)));   // tests/widgets/test_composer.py wrote it

/** Equal to 1e-12 of the larger one. */
const close = (found, expected, where) => {
  assert.equal(found.length, expected.length, where);
  found.forEach((x, k) => assert.ok(Math.abs(x - expected[k]) <= 1e-12 * Math.max(Math.abs(x), Math.abs(expected[k])), `${where}: ${k}: ${x}, not ${expected[k]}`));
};

test("schedules: every one is Python's at every step, or refused in the same sentence", () => {
  const seen = new Set(), refused = new Set();
  for (const { function: name, steps, options, factors, refused: said } of GOLDEN.schedules) {
    const where = JSON.stringify({ name, steps, options });
    if (said) { assert.throws(() => SCHEDULES[name](steps, options), { name: "RangeError", message: said }, where); refused.add(name); continue; }
    close(Array.from({ length: steps }, (_, step) => SCHEDULES[name](steps, options)(step)), factors, where);
    seen.add(name);
  }
  assert.deepEqual([...seen].sort(), Object.keys(SCHEDULES).sort());
  assert.equal(refused.size, 7);                                 // all whose options can be wrong
});

test("schedules: without options they are as Python's without", () => {
  for (const [name, options] of [["exponential", { end: 0.01 }], ["slanted_triangular", { cut: 0.1, ratio: 32 }], ["one_cycle", { peak: 0.3, first: 1 / 25, last: 4e-6 }]])
    close([0, 7, 29].map(SCHEDULES[name](30)), [0, 7, 29].map(SCHEDULES[name](30, options)), name);
  assert.equal(SCHEDULES.step_decay(9, { every: 3 })(3), 0.1);
  assert.equal(SCHEDULES.cyclical(9, { period: 3 })(3), 0.1);
});

test("schedules: plans by hand", () => {
  const groups = ["embedding", "block 1", "head"];
  assert.deepEqual(discriminative(groups, { decay: 0.5 }), { embedding: 0.25, "block 1": 0.5, head: 1 });
  assert.deepEqual([9, 10, 20, 1000].map((step) => Object.values(gradual(groups, { every: 10 })(step)).join("")), ["001", "011", "111", "111"]);
  assert.deepEqual(frozen(groups, ["embedding"])(7), { embedding: 0, "block 1": 1, head: 1 });
  const rates = combined(groups, (step) => 1 / (step + 1), discriminative(groups, { decay: 0.5 }), gradual(groups, { every: 1 }));
  assert.deepEqual([rates(0), rates(1), rates(3)], [[0, 0, 1], [0, 0.25, 0.5], [1 / 16, 1 / 8, 1 / 4]]);
  assert.deepEqual(combined(groups, () => 0.5)(0), [0.5, 0.5, 0.5]);
  assert.throws(() => gradual(groups, { every: 0 }), { message: "every is 0: give at least 1" });
  assert.throws(() => frozen(groups, groups), { message: "all groups would be frozen: leave one that learns" });
  assert.throws(() => discriminative(groups, { decay: 0 }), { message: /^decay is 0\.0: give a factor above 0 and at most 1/ });
});

test("composer: every rate is Python's, and so are the code and what is saved", () => {
  const c = { settings: GOLDEN.settings };
  for (const { rates, code, saved, ...composition } of GOLDEN.compositions) {
    const where = JSON.stringify(composition), found = rules.composed(c, composition);
    found.rates.forEach((row, g) => close(row, rates[g], `${where} ${found.groups[g]}`));
    assert.equal(rules.codeOf(c, composition), code, where);
    assert.ok(Math.abs(rules.savedShare(found) - saved) < 1e-6, where);
  }
});

test("composer: what does not go together is refused in Python's sentence, and what is offered does", () => {
  const c = { settings: GOLDEN.settings };
  assert.ok(GOLDEN.refused.length > 15);
  for (const { said, ...composition } of GOLDEN.refused) {
    const { fault, rates } = rules.composed(c, composition), [{ name, value }] = fault.offers;
    assert.deepEqual([fault.text, rates], [said, undefined], JSON.stringify(composition));
    const mended = { ...composition, [name]: parseFloat(value) }, { fault: another } = rules.composed(c, mended);
    if (another) assert.notEqual(another.offers[0].name, name, JSON.stringify(mended));       // two things were wrong
  }
});
