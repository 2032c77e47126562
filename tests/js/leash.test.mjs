import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const leash = await load("leash"), { view } = leash, W = view.words.en;
const { settings, answers, judged } = JSON.parse(readFileSync(new URL("golden/leash.json", import.meta.url)));   // tests/widgets/test_leash.py wrote it
const LENGTH = settings.length;

/** A widget after it was asked for what `wish` says; `asked` keeps the questions. */
async function context(wish = {}, asked = [], given = settings) {
  const c = { settings: given, w: W, state: { ...view.start(given), ...wish }, result: {} };
  c.state = view.accept(c);
  for await (const answer of view.compute(c, async (question) => { asked.push(question); return answers[question.which.data[0]]; })) c.result = { ...answer, of: c.state };
  return c;
}

const key = (c, name) => view.act(c, { kind: "key", key: name });
const sentence = (c) => view.sentence(c).join(" ");

test("leash: what counts in a passage, and what it is worth, is as the judge in Python has it", () => {
  for (const [text, found, taste] of judged) {
    const here = leash.marks(text, settings.rule);
    assert.deepEqual(here.map(({ from, to, why }) => [from, to, why]), found);
    assert.equal(leash.worth(here, settings.rule), taste);
  }
});

test("leash: a question is the policy, a prompt for each passage, and the numbers of the seed", async () => {
  const asked = [], u = settings.uniform;
  await context({ policy: 2 }, asked);
  await context({ policy: 1, speaker: "1", seed: 3 }, asked);
  const [first, second] = asked;
  assert.deepEqual([first.which.data, first.ids.dims, first.u.dims], [[2], [3, 5], [3, LENGTH]]);
  assert.deepEqual(first.ids.data, [0, 1, 0].flatMap((n) => settings.prompts[n]));
  assert.deepEqual(first.u.data, u);
  assert.deepEqual(second.ids.data, [1, 1, 1].flatMap((n) => settings.prompts[n]));
  assert.ok(second.u.data.every((x, k) => x >= 0 && x < 1 && x !== u[k]));
});

test("leash: the base is no way from itself; of a policy the characters' ratios add up to its distance", async () => {
  for (const one of leash.passages(await context())) assert.ok(Math.abs(one.nats) < 0.05);
  const c = await context({ policy: 2 }), { own, base, reward } = answers[2];
  leash.passages(c).forEach((one, n) => {
    const sum = own.data.slice(n * LENGTH, (n + 1) * LENGTH).reduce((s, x, k) => s + x - base.data[n * LENGTH + k], 0);
    assert.ok(Math.abs(one.nats - sum) < 1e-9);
    assert.equal(one.reward, reward.data[n]);
    assert.equal([...one.text].length, LENGTH);
    assert.equal(one.prompt, ["Anna\n", "Adam\n"][n % 2]);
  });
});

test("leash: the measured points make a line a kind, in the order of their distance, and stay in the picture", () => {
  const lines = leash.lines(settings.curve), { x, y, levels, nats } = leash.scale(settings.curve);
  assert.deepEqual([...lines].map(([kind, points]) => [kind, points.map(({ name }) => name)]), [["base", ["base"]], ["best of", ["best of 4"]], ["gradient", ["gradient 1", "gradient 0"]]]);
  for (const point of settings.curve) for (const value of [point.proxy, point.taste]) assert.ok(x(point.nats) >= 0 && x(point.nats) <= 360 && y(value) >= 0 && y(value) <= 200);
  assert.deepEqual([levels, nats], [[-10, -5, 0, 5, 10, 15], [0, 1, 5, 20, 50]]);
  assert.equal(x(-0.1), x(0));                                   // a mean of few samples may be below 0
  const { x: only } = leash.scale([]);
  assert.ok(Number.isFinite(only(0)));
});

test("leash: it says when the reward rose and the taste fell, and nothing of what was not measured", async () => {
  assert.match(sentence(await context({ policy: 2 })), /reward \+16\.8, taste −10\.0, 80\.0 nats\. Against the base the reward is higher and the taste is not/);
  assert.match(sentence(await context({ policy: 1 })), /both are higher/);
  assert.doesNotMatch(sentence(await context({ policy: 3 })), /Measured/);
  assert.doesNotMatch(sentence(await context({ policy: 0 })), /Against/);
});

test("leash: keys walk characters and passages and stop at the ends; a press chooses", async () => {
  const c = await context({ policy: 1 }), at = (state) => state.at;
  assert.equal(at(key(c, "ArrowRight")), 1);
  assert.equal(at(key(c, "ArrowLeft")), 0);
  assert.equal(at(key(c, "ArrowDown")), LENGTH);
  assert.equal(at(key(c, "End")), LENGTH - 1);
  assert.equal(at(key({ ...c, state: { ...c.state, at: 2 * LENGTH + 3 } }, "ArrowDown")), 2 * LENGTH + 3);
  assert.equal(at(view.act(c, { kind: "click", target: `at${LENGTH + 2}` })), LENGTH + 2);
  assert.equal(view.act(c, { kind: "click" }), undefined);
  assert.equal(key(c, "Enter"), undefined);
  const there = { ...c, state: { ...c.state, at: LENGTH + 2 } };
  assert.match(sentence(there), /Passage 2, character 3, /);
  assert.equal(view.picture(there).match(/here cursor/g).length, 1);
});

test("leash: whatever a link brings, the state is one that can be asked", () => {
  for (const wish of [{ policy: 99, speaker: "7", seed: -1e9, at: 1e9 }, { policy: "x", speaker: null, seed: NaN, at: {} }, { policy: -4, speaker: "-9", seed: "7", at: -1 }]) {
    const { policy, speaker, seed, at } = view.accept({ settings, state: { ...view.start(settings), ...wish } });
    assert.ok(settings.policies[policy] && Number.isInteger(seed) && seed >= 0 && at >= 0 && at < 3 * LENGTH, JSON.stringify(wish));
    assert.ok(["-1", "0", "1"].includes(speaker));
  }
});

test("leash: words that count are marked with their points, text is text, and no curve is no figure", async () => {
  const tokens = settings.tokens, id = (ch) => tokens.indexOf(ch), text = "a love, love".padEnd(LENGTH).slice(0, LENGTH);
  const c = await context({ policy: 1 });
  c.result = { ...c.result, written: { dims: [3, LENGTH], data: [text, text, text].flatMap((one) => [...one].map(id)) } };
  const html = view.picture(c);
  assert.equal(html.match(/<sup[^>]*>\+2<\/sup>/g).length, 3);
  assert.equal(html.match(/<sup[^>]*>−1<\/sup>/g).length, 3);
  const strange = { ...c, settings: { ...settings, tokens: tokens.map((ch) => (ch === "l" ? "<" : ch)), curve: [] } };
  assert.ok(view.picture(strange).includes("&lt;") && !view.picture(strange).includes("><<"));
  assert.ok(!view.below(strange).includes("<figure") && view.below(c).includes("<figure"));
});
