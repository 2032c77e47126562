// The views without a model of chapter 14: the chooser, the timeline, the table; and what they share.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const chooser = await load("chooser"), timeline = await load("timeline"), table = await load("table");

/** A context as the kit makes it: the wish mended by the view. */
function context({ view }, settings, wish = {}) {
  const c = { settings, w: view.words.en, state: { ...view.start(settings), ...wish }, result: {} };
  return { ...c, state: view.accept(c) };
}

/** A control of that name moved, by a button in the picture or by hand. */
const moved = ({ view }, c, name, value) => {
  const state = { ...c.state, [name]: value };
  return { ...c, state: view.accept({ ...c, state: view.moved?.(state, c) ?? state }) };
};

const said = ({ view }, c) => [view.sentence(c)].flat().join(" ");
const page = (...hrefs) => ({ querySelectorAll: () => hrefs.map((href) => ({ getAttribute: () => href })) });

// ---- links into the book ----

test("chapters: a link as soon as the page's contents have the chapter, its own page none", () => {
  const there = page("../book/01_word_vectors.html", "#", "10_bert.html", "bibliography.html", "10_bert.html#further");
  assert.equal(table.addressOf("10_", there), "10_bert.html");
  assert.equal(table.chapterHTML(1, "Chapter 1", there), '<a href="../book/01_word_vectors.html">Chapter 1</a>');
  assert.equal(table.chapterHTML(14, "Chapter 14", there), "Chapter 14");
  assert.equal(table.chapterHTML(10, "10", undefined), "10");
  assert.equal(timeline.paperHTML("elman1990", "Elman 1990", there), '<a href="bibliography.html#elman1990">Elman 1990</a>');
  assert.equal(timeline.paperHTML("elman1990", "<Elman>", undefined), "&lt;Elman&gt;");
});

// ---- buttons in what is drawn ----

test("kit: a pressed button is a control moved, but not one of the form", () => {
  const heard = [], root = { addEventListener: (kind, hear) => { root.press = (button) => hear({ target: { closest: () => button } }); } };
  table.connectButtons(root, (...move) => heard.push(move));
  root.press({ dataset: { name: "by" }, value: "2", form: null });
  root.press({ dataset: { name: "by" }, value: "3", form: {} });
  root.press(null);
  assert.deepEqual(heard, [["by", "2"]]);
});

test("kit: what had the focus is found again when it is drawn anew", () => {
  const root = { contains: (at) => at.inside };
  assert.equal(table.focused(root, { dataset: { name: "by" }, value: "2", inside: true }), 'button[data-name="by"][value="2"]:not(form *)');
  assert.equal(table.focused(root, { dataset: { next: "" }, inside: true }), "[data-next]");
  assert.equal(table.focused(root, { dataset: { name: "by" }, value: "2", inside: true, form: {} }), "");
  assert.equal(table.focused(root, { dataset: { name: "by" }, value: "2", inside: false }), "");
  assert.equal(table.focused(root, { dataset: {}, inside: true }), "");
  assert.equal(table.focused(root, undefined), "");
});

// ---- the chooser ----

const advice = (use, measured = []) => ({ use, why: "Because.", chapter: 11, beat: "counting", beat_chapter: 2, mind: "Mind it.", measured });
const CHART = {
  start: "what",
  questions: {
    what: { asks: "What?", why: "It matters.", options: [["A class", "labels"], ["A <text>", "writer"]] },
    labels: { asks: "How many?", why: "They are dear.", options: [["None", "prompt"], ["Some", "tuned"]] },
  },
  advice: {
    prompt: advice("A prompt"), writer: advice("A writer"),
    tuned: advice("An encoder", [
      { model: "minilm", score: "accuracy", mean: 0.8012, spread: 0.0056, seeds: 5, labels: 800, budget: "few labels" },
      { model: "long", score: "bits", mean: 1.9756, spread: null, seeds: 1, labels: null, budget: "long run" },
    ]),
  },
};

test("chooser: questions lead to advice, and an answer that is pressed is asked again", () => {
  let c = context(chooser, CHART);
  assert.equal(said(chooser, c), "Question 1: What? There are 2 answers.");
  c = moved(chooser, c, "path", "0");
  assert.match(said(chooser, c), /^Question 2: How many\?/);
  c = moved(chooser, c, "path", "01");
  assert.equal(said(chooser, c), "Advice: An encoder (Chapter 11). It must beat counting.");
  const html = chooser.view.picture(c);
  assert.match(html, /data-name="path" value=""[^>]*>A class<.*data-name="path" value="0"[^>]*>Some</s);
  assert.match(html, /minilm 0\.801 ± 0\.006 <small>\(5 seeds\)<\/small>; long 1\.98 <small>\(long run, one seed\)<\/small>/);
  assert.match(html, /accuracy on held-out data, 800 labels/);
  assert.match(said(chooser, moved(chooser, c, "path", "")), /^Question 1/);
});

test("chooser: buttons hold the path that they lead to, and names are text", () => {
  const html = chooser.view.picture(context(chooser, CHART));
  assert.match(html, /<button type="button" data-name="path" value="0">A class<\/button>/);
  assert.match(html, /value="1">A &lt;text&gt;</);
});

test("chooser: a link to a path that does not exist goes as far as it can", () => {
  const path = (wish) => context(chooser, CHART, { path: wish }).state.path;
  assert.deepEqual(["", "0", "01", "011", "09", "7", "x0", " ", null, 1, {}, []].map(path), ["", "0", "01", "01", "0", "", "", "", "", "1", "", ""]);
  assert.equal(context(chooser, CHART, { chart: "yes" }).state.chart, true);
});

test("chooser: the chart has each question above what it leads to", () => {
  const rows = chooser.chart({ settings: CHART });
  assert.deepEqual(rows.map(({ name, path, depth }) => [name, path, depth]),
    [["what", "", 0], ["labels", "0", 1], ["prompt", "00", 2], ["tuned", "01", 2], ["writer", "1", 1]]);
  assert.equal(chooser.view.below(context(chooser, CHART)), "");
  const svg = chooser.view.below(context(chooser, CHART, { chart: true, path: "01" }));
  assert.equal(svg.match(/var\(--weight\)" stroke-width="2.5"/g).length, 2);
  assert.match(svg, /font-weight="700"[^>]*>tuned</);
});

// ---- the timeline ----

const event = (year, name, thread) => ({ year, name, thread, what: `It was ${name}.`, by: `Someone ${year}`, paper: `someone${year}`, chapter: 2 });
const STORY = {
  threads: [["counting", "counts"], ["words", "vectors"]], start: 2,
  events: [event(1913, "Markov", "counting"), event(1948, "Shannon", "counting"), event(2013, "word2vec", "words"), event(2014, "GloVe", "words"), event(2023, "Last", "counting")],
};
const keyed = (c, key) => ({ ...c, state: timeline.view.act(c, { kind: "key", key }) ?? c.state });
const name = (c) => c.settings.events[c.state.at].name;

test("timeline: keys step in time and between threads", () => {
  let c = context(timeline, STORY);
  assert.equal(said(timeline, c), "2013, words: word2vec. It was word2vec.");
  assert.equal(name(keyed(c, "ArrowRight")), "GloVe");
  assert.equal(name(keyed(c, "ArrowLeft")), "Shannon");
  assert.equal(name(keyed(c, "ArrowUp")), "Last");                      // the nearest in time
  assert.equal(name(keyed(c, "ArrowDown")), "word2vec");
  assert.equal(name(keyed(c, "Home")), "Markov");
  assert.equal(name(keyed(keyed(c, "End"), "ArrowRight")), "Last");
  assert.equal(timeline.view.act(c, { kind: "key", key: " " }), undefined);
});

test("timeline: a thread shows its own events, and the cursor goes to the nearest of them", () => {
  let c = moved(timeline, context(timeline, STORY), "thread", "counting");
  assert.deepEqual([timeline.shown(c), name(c)], [[0, 1, 4], "Last"]);
  assert.equal(name(keyed(c, "ArrowLeft")), "Shannon");
  assert.equal(name(keyed(c, "ArrowDown")), "Last");
  assert.equal(timeline.view.picture(c).match(/opacity="\.2"/g).length, 2);
});

test("timeline: the nearest dot is pressed, and buttons go on", () => {
  const c = context(timeline, STORY), spots = timeline.places(STORY);
  const press = (x, y) => name({ ...c, state: timeline.view.act(c, { kind: "press", x, y }) });
  spots.forEach(({ x, y }, k) => assert.equal(press(x + 1, y - 1), STORY.events[k].name));
  assert.equal(press(-1e4, 0), "Markov");
  const [, earlier, later] = timeline.view.controls(c);
  assert.equal(name({ ...c, state: earlier.act(c) }), "Shannon");
  assert.equal(name({ ...c, state: later.act(c) }), "GloVe");
});

test("timeline: years grow to the right on all three scales, and those of one year and thread do not lie on each other", () => {
  const years = [1913, 1914, 1989, 1990, 1991, 2009, 2010, 2011, 2023, 2024].map(timeline.shareOf);
  years.slice(1).forEach((share, k) => assert.ok(share > years[k], `${k}`));
  assert.deepEqual([years[0], years.at(-1)], [0, 1]);
  const same = { ...STORY, events: Array.from({ length: 7 }, (_, k) => event(2019, `n${k}`, "words")) }, spots = timeline.places(same);
  spots.forEach((a, k) => spots.slice(k + 1).forEach((b) => assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= 7.2)));
});

test("timeline: the list has the shown events, each a button; rubbish in a link does no harm", () => {
  const html = timeline.view.below(context(timeline, STORY, { list: true, thread: "words" }));
  assert.equal(html.match(/<button type="button" data-name="at"/g).length, 2);
  assert.match(html, /aria-current="true"><td>2013/);
  assert.equal(name(moved(timeline, context(timeline, STORY), "at", "3")), "GloVe");
  for (const wish of [{ at: 1e9 }, { at: -4 }, { at: "x" }, { at: null }, { thread: "magic" }, { thread: 3 }, { list: "no" }])
    assert.ok(said(timeline, context(timeline, STORY, wish)), JSON.stringify(wish));
});

// ---- the table ----

const column = (label, kind = "number", rest = {}) => ({ label, kind, digits: 2, better: "", choices: null, ...rest });
const ROWS = {
  caption: "Bits", by: 1, down: false,
  columns: [column("model", "text"), column("bits", "number", { better: "low" }), column("year", "year", { digits: 0 }), column("family", "text", { choices: ["counts", "nets"] })],
  rows: [["n-gram", [2.11, 0], 1948, "counts"], ["gpt", 1.98, 2018, "nets"], ["rnn", null, 1990, "nets"], ["gpt 10", 2.4, 2019, "nets"], ["gpt 9", [2.4, 0.1], 2019, "nets"]],
};
const names = (c) => table.order(c).map((k) => c.settings.rows[k][0]);

test("table: sorted by a number, by text, and turned round; what is unknown stands last both ways", () => {
  let c = context(table, ROWS);
  assert.deepEqual(names(c), ["gpt", "n-gram", "gpt 10", "gpt 9", "rnn"]);
  assert.equal(said(table, c), "5 rows, by bits, lowest first: gpt, 1.98.");
  c = moved(table, c, "by", "1");
  assert.deepEqual(names(c), ["gpt 10", "gpt 9", "n-gram", "gpt", "rnn"]);
  c = moved(table, c, "by", "0");
  assert.deepEqual(names(c), ["gpt", "gpt 9", "gpt 10", "n-gram", "rnn"]);      // 9 before 10
  assert.equal(said(table, c), "5 rows, by model, A first: gpt.");
});

test("table: the head says how it is sorted", () => {
  const sorts = (c) => [...table.view.picture(c).matchAll(/aria-sort="(\w+)"/g)].map(([, sort]) => sort), c = context(table, ROWS);
  assert.deepEqual(sorts(c), ["none", "ascending", "none", "none"]);
  assert.deepEqual(sorts(moved(table, c, "by", "1")), ["none", "descending", "none", "none"]);
  const high = { ...ROWS, columns: ROWS.columns.map((one, k) => (k === 1 ? { ...one, better: "high" } : one)) };
  assert.deepEqual(sorts(moved(table, context(table, high, { by: 0 }), "by", "1")), ["none", "descending", "none", "none"]);
});

test("table: found by text and by year, not by digits of numbers, and chosen by a list", () => {
  const c = context(table, ROWS), found = (find) => names(moved(table, c, "find", find));
  assert.deepEqual(found("GPT"), ["gpt", "gpt 10", "gpt 9"]);
  assert.deepEqual(found("1948"), ["n-gram"]);
  assert.deepEqual(found("2.11"), []);
  assert.equal(said(table, moved(table, c, "find", "zzz")), "None of 5 rows fits: find something shorter, or choose “all”.");
  assert.match(table.view.picture(moved(table, c, "find", "<b>")), /No row fits\./);
  const nets = moved(table, c, "only3", "nets");
  assert.deepEqual(names(nets), ["gpt", "gpt 10", "gpt 9", "rnn"]);
  assert.match(said(table, nets), /^4 of 5 rows, by bits/);
  assert.deepEqual(table.view.controls(c).map(({ name }) => name), ["find", "only3"]);
});

test("table: a number with its spread, an unknown one, a year; the best of those that are shown is marked", () => {
  const w = table.view.words.en, [, bits, year] = ROWS.columns;
  assert.deepEqual([[2.114, 0.05], 1.9756, null].map((cell) => table.cellText(cell, bits, w)), ["2.11 ± 0.05", "1.98", "·"]);
  assert.equal(table.cellText(1997, year, w), "1997");
  assert.equal(table.cellText(562000, { kind: "number", digits: 0 }, w), "562,000");
  assert.equal(table.cellText([2.11, 0], bits, w), "2.11 ± 0.00");
  const marked = (c) => table.view.picture(c).match(/<strong>([^<]*)/)[1], c = context(table, ROWS);
  assert.equal(marked(c), "1.98");
  assert.equal(marked(moved(table, c, "find", "2019")), "2.40");
});

test("table: texts are text, and rubbish in a link does no harm", () => {
  const nasty = { ...ROWS, rows: [["<i>&", 1, 2000, "counts"]] };
  assert.match(table.view.picture(context(table, nasty)), /&lt;i&gt;&amp;/);
  for (const wish of [{ by: 99 }, { by: "x" }, { by: null }, { down: "a" }, { find: 3 }, { find: "x".repeat(999) }, { only3: "stars" }, { only3: 1 }]) {
    const c = context(table, ROWS, wish);
    assert.ok(said(table, c), JSON.stringify(wish));
    assert.ok(c.state.find.length <= 40);
  }
});
