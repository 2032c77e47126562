import assert from "node:assert/strict";
import { test } from "node:test";
import { load, tensor } from "./load.mjs";

const waves = await load("waves"), { view } = waves;
const W = view.words.en, PLACES = 12, WIDTH = 6, ANGLES = [1, 0.1, 0.01];
const settings = {
  models: { waves: { turns: false, waves: true, plain: [0, 0, 0, 0, 0, 0] }, turned: { turns: true, waves: true, plain: [1, 0, 1, 0, 1, 0] }, learned: { turns: false, waves: false, plain: [0, 0, 0, 0, 0, 0] } },
  content: [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]], angles: ANGLES, places: PLACES, place: 3, pair: 1,
};

const range = (n) => [...Array(n).keys()];

/** What waves of these angles give: sin and cos of each; `lift` spoils the scores of one distance. */
function answer(lift = 0) {
  const told = range(PLACES).flatMap((p) => ANGLES.flatMap((angle) => [Math.sin(p * angle), Math.cos(p * angle)]));
  const scores = range(PLACES).flatMap((p) => range(PLACES).map((r) => ANGLES.reduce((sum, angle) => sum + Math.cos((p - r) * angle), 0) + (p === 2 && r === 5 ? lift : 0)));
  return { told: tensor([PLACES, WIDTH], told), scores: tensor([PLACES, PLACES], scores) };
}

function context(wish = {}, lift = 0) {
  const c = { settings, w: W, state: { ...view.start(settings), model: "waves", ...wish } };
  c.state = view.accept(c);
  return { ...c, result: { ...answer(lift), of: c.state } };
}

const asks = async (c) => { for await (const inputs of view.compute(c, async (question) => question)) return inputs; };
const after = (c, state) => (state ? { ...c, state: view.accept({ ...c, state }) } : c);
const key = (c, name) => after(c, view.act(c, { kind: "key", key: name })).state;

test("waves: scores of equal distance that differ are found, however few", () => {
  assert.ok(waves.unevenness(context()) < 1e-9);
  assert.ok(Math.abs(waves.unevenness(context({}, 0.6)) - 0.2) < 1e-9);   // of the largest, which is 3
  assert.deepEqual(waves.scoresOf(context({}, 1), 2).map((x) => +x.toFixed(2)).slice(2, 6), [3, 2.54, 1.56, +(answer().scores.data[29] + 1).toFixed(2)]);
});

test("waves: what is asked is a vector of nothing, of pairs at the angle 0, or of the tokens' own", async () => {
  assert.deepEqual(await asks(context()), { query: { dims: [1, 6], data: [0, 0, 0, 0, 0, 0] }, key: { dims: [1, 6], data: [0, 0, 0, 0, 0, 0] } });
  assert.deepEqual((await asks(context({ model: "turned" }))).query.data, [1, 0, 1, 0, 1, 0]);
  const { query, key: keys } = await asks(context({ model: "turned", own: true }));
  assert.deepEqual([query.data, keys.data], settings.content);
});

test("waves: arrows move the place and choose the pair, and stop at the ends", () => {
  const c = context();
  assert.deepEqual(["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"].map((name) => key(c, name).place), [2, 4, 0, 11, 0, 11]);
  assert.deepEqual([key(c, "ArrowUp").pair, key(c, "ArrowDown").pair, key(context({ pair: 2 }), "ArrowDown").pair], [0, 2, 2]);
  assert.equal(view.act(c, { kind: "key", key: "Enter" }), undefined);
});

test("waves: a press looks at a place, in the table at a pair too; a drag goes on with the place alone", () => {
  const c = context(), wide = 320 / PLACES, x = (p) => 30 + (p + 0.5) * wide, press = (px, py, d = c) => view.act(d, { kind: "press", x: px, y: py });
  const { place, pair } = press(x(7), 20 + 132 - 2);
  assert.deepEqual([place, pair], [7, 2]);
  assert.deepEqual([press(x(11), 230).place, press(x(11), 230).pair], [11, 1]);          // on the wave below
  for (const px of [10, 30 + 320 + 2]) assert.equal(press(px, 100), undefined);
  assert.equal(press(x(2), 330, context({ distance: true })), undefined);                  // there the axis has no places
  const drag = (px) => view.act(c, { kind: "drag", x: px, y: 25 });
  assert.deepEqual([drag(x(5)).place, drag(-50).place, drag(900).place, drag(x(5)).pair], [5, 0, 11, 1]);
});

test("waves: place, pair and axis ask the model nothing", () => {
  assert.deepEqual(view.quiet, ["place", "pair", "distance"]);
});

test("waves: the sentence tells the pair, how long its wave is, the scores, and whether distance alone decides", () => {
  assert.equal(view.sentence(context()).join(" "), "At place 3 pair 1 stands at 0.30 and 0.96; it goes round once in 62.8 places. " +
    "The dot product of place 3 with itself is 3.0, with place 0 1.0. Places equally far apart have the same dot product, wherever they stand.");
  assert.match(view.sentence(context({}, 0.6))[2], /differ in their dot product, by up to 20% of the largest/);
  assert.match(view.sentence(context({}, 0.02))[2], /up to 1%/);
  assert.match(view.sentence(context({ model: "learned" }))[0], /no wave/);
  assert.match(view.sentence(context({ pair: 2 }))[0], /in 628 places/);
});

test("waves: the picture has a table of all numbers, two curves of the pair, one of scores, and by distance others behind it", () => {
  const c = context(), lines = (d) => view.picture(d).match(/<polyline/g).length;
  assert.deepEqual([lines(c), lines(context({ distance: true }))], [3, 5]);               // of the places 0 and 8
  assert.match(view.picture(c), /fill="var\(--plus\)".*fill="var\(--minus\)"/s);
  assert.equal(view.picture(c).match(/<circle/g).length, 2);
  assert.match(view.picture(context({ model: "turned" })), /the query, turned at each place/);
});

test("waves: a curve by distance stands still while the place moves", () => {
  const curve = (place) => view.picture(context({ place, distance: true })).match(/<polyline points="([^"]*)" fill="none" stroke="var\(--weight\)/)[1].split(" ");
  const [one, other] = [curve(3), curve(8)], common = one.filter((point) => other.includes(point));
  assert.equal(common.length, PLACES - 5);                                                 // the same points, where both reach
});

test("waves: a link brings the state back, and mends what it cannot be", () => {
  const c = context(), there = { ...c.state, place: 7, pair: 2, distance: true, own: true };
  assert.deepEqual(waves.fromLink(waves.toLink("waves", there, c.state), "waves", c, view), there);
  for (const wish of [{ place: "x", pair: [1], distance: 1, own: "yes" }, { place: 1e9, pair: -4 }, { place: null, pair: {} }, { place: 2.7 }]) {
    const state = waves.fromLink(`#${new URLSearchParams({ waves: JSON.stringify(wish) })}`, "waves", c, view), html = view.picture({ ...c, state }) + view.sentence({ ...c, state }).join(" ");
    assert.ok(Number.isInteger(state.place) && state.place < PLACES && Number.isInteger(state.pair), JSON.stringify(state));
    assert.doesNotMatch(html, /NaN|undefined|Infinity/);
  }
});
