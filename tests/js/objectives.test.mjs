import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const rules = await load("painter");
const GOLDEN = JSON.parse(readFileSync(new URL("golden/objectives.json", import.meta.url)));   // tests/widgets/test_painter.py wrote it
const { marks, cases } = GOLDEN, rows = (mask) => mask && mask.map((row) => row.join(""));

test("objectives: every question is the one that Python asks", () => {
  assert.ok(cases.length > 90);
  for (const { objective, ids, plain, asked, draw, first, ...python } of cases) {
    const where = JSON.stringify({ objective, ids, asked, draw }), found = rules.example(objective, ids, asked, { ...marks, draw });
    assert.deepEqual(rules.usual(objective, plain, { ...marks, length: ids.length, draw }), first, where);
    assert.deepEqual({ inputs: found.inputs, truth: found.truth, open: rows(found.open), content: rows(found.content) }, python, where);
  }
});

test("objectives: each row knows which token it asks, and where its answer stands", () => {
  for (const { objective, ids, asked, draw } of cases) {
    const { inputs, truth, token, answer } = rules.example(objective, ids, asked, { ...marks, draw });
    truth.forEach((id, t) => {
      if (id < 0) return;
      if (answer[t] !== null) assert.equal(inputs[answer[t]], id);
      if (objective !== "spans") assert.deepEqual([ids[token[t]], asked.includes(token[t])], [id, true]);
    });
    assert.deepEqual([inputs.length, truth.length, token.length], [answer.length, answer.length, answer.length]);
  }
  const { token } = rules.example("spans", [10, 11, 12, 13, 14], [1, 2, 4], { ...marks, draw: 1 });
  assert.deepEqual(token, [0, 1, 3, 4, 1, 1, 2, 4, 4, null]);            // 10 <X> 13 <Y> | <X> 11 12 <Y> 14 <Z>
});

test("objectives: no objective's own mask lets an answer through, however many layers there are", () => {
  for (const { objective, ids, asked, draw } of cases) {
    const one = rules.example(objective, ids, asked, { ...marks, draw });
    assert.deepEqual(rules.leaks(one, one.open, 50), [], objective);
  }
});

test("objectives: an answer leaks at once, or in as many steps as there are layers", () => {
  const one = rules.example("causal", [10, 11, 12, 13], [1, 2, 3], { ...marks, draw: 1 }), painted = one.open.map((row) => [...row]);
  painted[1][2] = 1;                                             // row 1 is asked for what stands at 2
  assert.deepEqual(rules.leaks(one, painted, 1), [1]);
  painted[1][2] = 0;
  painted[0][3] = painted[1][3] = 1;                             // row 0 sees 3, which sees 1 and 2; row 2 sees row 0, which sees 3
  assert.deepEqual([1, 2].map((layers) => rules.leaks(one, painted, layers)), [[], [0, 1, 2]]);
  const two = rules.example("permuted", [10, 11, 12], [0, 1, 2], { ...marks, draw: 1 }), open = two.open.map((row) => [...row]), order = rules.scrambled(3, 1);
  open[order[1]][order[1]] = 1;                                  // a query that sees its own content
  assert.deepEqual(rules.leaks(two, open, 1), [order[1]]);
  open[order[1]][order[1]] = 0;
  open[order[0]][order[2]] = 1;                                  // the first sees the last, whose content has seen the first
  assert.deepEqual([1, 2].map((layers) => rules.leaks(two, open, layers)), [[], [order[0]]]);
});

test("objectives: places that no row can be asked for cannot be asked", () => {
  const can = (objective) => rules.askable(objective, [0, 1, 2, 3], 4);
  assert.deepEqual(["causal", "backward", "masked", "prefix", "permuted", "spans"].map(can), [[1, 2, 3], [0, 1, 2], [0, 1, 2, 3], [1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]);
  assert.deepEqual(rules.runs([0, 1, 4, 6, 7]), [[0, 1], [4], [6, 7]]);
});
