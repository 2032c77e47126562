// valves.js: hold any gate of an LSTM or a GRU, at a letter or at all; the text is read anew (chapter 3).
//
// Which gates, states and presets there are is told by Python (settings), so that one view serves both kinds of cell.

const LEFT = 84, STEP = 13, TALL = 44, GAP = 10, TOP = 24;      // layout, in SVG units; LEFT is the labels' width
const ROUND = [1, 2, 4, 8, 16, 32, 64, 128];                    // where an axis may end
const HUES = { update: "forget", reset: "input", surprise: "soft" };   // a GRU's gates take the colours of those most like them
const SYMBOLS = { g: "c̃" };                                     // the book's name for what code, as torch.nn, calls g
const MEMORY = ["cell", "hidden"];                              // the states proper, of which the sentence tells
const ALL = "all", HERE = "here";                               // where a gate is held
const FREE = 0, HELD = 1;                                       // the two readings in an answer

const band = (k) => TOP + k * (TALL + GAP);
const chars = (state) => [...state.text];
const same = (a, b) => a.every((v, k) => v === b[k]);
const colour = (name) => `var(--${HUES[name] ?? name})`;
const fixed = (x) => (Math.abs(x) < 0.005 ? "0.00" : x.toFixed(2).replace("-", "−"));
const signed = (x) => `${+x.toFixed(2) < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;

// ---- what is held: at each letter its own values, or those of every letter; null is free ----

/** The values held at letter `t`. */
export const at = (state, t) => state.held[t] ?? state.every;

/** Changes what is held, where the reader chose to: at the chosen letter, or at all. */
export function hold(state, change) {
  if (state.where === HERE) return { ...state, held: { ...state.held, [state.at]: change(at(state, state.at)) } };
  return { ...state, every: change(state.every), held: Object.fromEntries(Object.entries(state.held).map(([t, values]) => [t, change(values)])) };
}

const setGate = (state, gate, value) => hold({ ...state, gate }, (values) => values.map((old, k) => (k === gate ? value : old)));
const free = (state) => hold(state, (values) => values.map(() => null));

/** At how many letters a gate is held. */
export const touched = (state) => chars(state).filter((_, t) => at(state, t).some((v) => v !== null)).length;

/** A preset in words: "Keep: (f, i, o) = (1, 0, 1)", "Keep: z = 1". */
export function presetLabel(name, values, gates, w) {
  const held = values.flatMap((v, k) => (v === null ? [] : [[gates[k][0], v]])), column = (k) => held.map((pair) => pair[k]).join(", ");
  return `${w[name]}: ${held.length > 1 ? `(${column(0)}) = (${column(1)})` : `${column(0)} = ${column(1)}`}`;
}

// ---- what the answer says ----

const parts = ({ settings }) => [...settings.gates, ...settings.states];

/** The value of part `k` of the unit after letter `t`, in one of the two readings. */
const traced = ({ result: { trace: { data, dims } } }, reading, t, k) => data[(reading * dims[1] + t) * dims[2] + k];

/** All parts of the unit after letter `t`: {symbol, name, now, before: if all gates were free, or null where that is the same}. */
function values(c, t) {
  const of = ([symbol, name], k) => {
    const [before, now] = [FREE, HELD].map((reading) => fixed(traced(c, reading, t, k)));
    return { symbol: SYMBOLS[symbol] ?? symbol, name, now, before: touched(c.result.of) && before !== now ? before : null };
  };
  return parts(c).map(of);
}

/** The bits that letter `t` cost. */
const bitsAt = ({ result: { surprise: { data, dims } } }, reading, t) => data[reading * dims[1] + t];

/** Bits a letter that the text costs in the two readings; null for a single letter, which nothing predicts. */
export function costs(c) {
  const seen = chars(c.result.of), n = seen.length, mean = (reading) => seen.reduce((sum, _, t) => sum + bitsAt(c, reading, t), 0) / (n - 1);
  return n > 1 ? [mean(FREE), mean(HELD)] : null;
}

/** What is expected after letter `t`, the likeliest first: [id, letter, probability]. */
function guesses({ result, settings }, reading, t) {
  const [, length, count] = result.guesses.dims, from = (reading * length + t) * count;
  return Array.from(result.guesses.data.slice(from, from + count), (id, k) => [id, settings.alphabet[id], result.probabilities.data[from + k]]);
}

// ---- the picture ----

/** The bands from top to bottom: {name, label, value(reading, t), low: whether it hangs on its middle, reach: its end}. */
function bands(c) {
  const seen = chars(c.result.of), reading = touched(c.result.of) ? [FREE, HELD] : [HELD], { gates } = c.settings;
  const reach = (value, least) => {
    const top = Math.max(...reading.flatMap((r) => seen.map((_, t) => Math.abs(value(r, t)))));
    return ROUND.find((end) => end >= least && end >= top) ?? top;
  };
  const of = ([symbol, name], k) => {
    const value = (r, t) => traced(c, r, t, k), end = k < gates.length ? 1 : reach(value, 1);
    return { name, label: `${c.w[name]} ${SYMBOLS[symbol] ?? symbol}`, value, low: k >= gates.length, reach: end, unit: k < gates.length ? "" : `±${end}` };
  };
  const bits = (r, t) => bitsAt(c, r, t), most = reach(bits, 8);
  return [...parts(c).map(of), { name: "surprise", label: c.w.surprise, value: bits, low: false, reach: most, unit: c.w.upTo(most) }];
}

/** The y of a band's zero line: signed values hang on the middle, the others stand on the floor. */
const zero = ({ low }, k) => band(k) + (low ? TALL / 2 : TALL);

const lift = ({ low, reach }, value) => (value / reach) * (low ? TALL / 2 : TALL);

/** Bars of one band as a path: `heights` by letter, null for none. */
const barPath = (y, heights) => heights.map((tall, t) => (tall === null ? "" : `M${t * STEP + 1} ${y}v${(-tall).toFixed(1)}h${STEP - 2}V${y}z`)).join("");

/** Where bars would end that end elsewhere, as a path of short lines. */
const markPath = (y, would, ends) => would.map((tall, t) => (Math.abs(tall - ends[t]) < 0.75 ? "" : `M${t * STEP} ${(y - tall).toFixed(1)}h${STEP}`)).join("");

function drawBand(c, one, k, state) {
  const y = zero(one, k), isGate = k < c.settings.gates.length, seen = chars(c.result.of), fill = `fill="${colour(one.name)}"`;
  const byHand = seen.map((_, t) => (isGate ? at(state, t)[k] : null)), tall = (reading) => seen.map((_, t) => lift(one, one.value(reading, t)));
  const own = tall(HELD).map((h, t) => (byHand[t] === null ? h : null)), held = byHand.map((v) => v && lift(one, v));
  const wash = barPath(band(k) + TALL, byHand.map((v) => (v === null ? null : TALL)));
  const marks = touched(c.result.of) ? markPath(y, tall(FREE), own.map((h, t) => h ?? held[t])) : "";
  return `<line class="axis" x1="0" x2="${seen.length * STEP}" y1="${y}" y2="${y}"/><path d="${barPath(y, own)}" ${fill}/>` +
    (wash && `<path d="${wash}" fill="var(--line)" opacity=".6"/><path d="${barPath(y, held)}" ${fill} stroke="var(--ink)" stroke-width="2"/>`) +
    (marks && `<path d="${marks}" stroke="var(--ink)" stroke-width="1.5"/>`) +
    (isGate ? `<rect class="grip" x="0" y="${band(k)}" width="${seen.length * STEP}" height="${TALL}" fill="transparent"/>` : "");
}

/** The chosen letter and gate. */
const cursor = (state, high) => [[2, high - 4], [band(state.gate), TALL]].map(([y, tall]) =>
  `<rect class="cursor" x="${state.at * STEP - 1}" y="${y}" width="${STEP + 2}" height="${tall}" rx="2"/>`).join("");

function strip(c) {
  const all = bands(c), high = band(all.length), here = c.state.text === c.result.of.text, state = here ? c.state : c.result.of;
  const seen = chars(c.result.of), wide = seen.length * STEP + 2;
  const row = seen.map((ch, t) => `<text x="${(t + 0.5) * STEP}" y="14" text-anchor="middle">${esc(glyph(ch))}</text>`).join("");
  const label = ({ label, unit }, k) => `<text x="${LEFT - 8}" y="${band(k) + TALL / 2}" text-anchor="end">${esc(label)}</text>` +
    `<text class="soft" x="${LEFT - 8}" y="${band(k) + TALL / 2 + 14}" text-anchor="end">${esc(unit)}</text>`;
  return `<div style="display:flex;width:max-content">` +
    `<svg style="order:1" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" role="img" aria-label="${esc(view.sentence(c))}">${row}` +
    `${all.map((one, k) => drawBand(c, one, k, state)).join("")}${here ? cursor(c.state, high) : ""}</svg>` +
    `<svg style="position:sticky;left:0;background:var(--paper)" data-key="labels" width="${LEFT}" height="${high}" aria-hidden="true">` +
    `${all.map(label).join("")}</svg></div>`;
}

/** The letter of the answer at which the reader looks. */
const looked = (c) => Math.min(c.state.at, chars(c.result.of).length - 1);

/** The unit at the chosen letter in numbers; the columns leave room for both readings, so that nothing jumps. */
function numbers(c) {
  const t = looked(c), row = ({ symbol, name, now, before }) =>
    `<span style="border-left:.3em solid ${colour(name)};padding-left:.4em;white-space:nowrap"><strong>${esc(symbol)}</strong> ${before === null ? "" : `${before} → `}${now}</span>`;
  return `<p>${esc(c.w.unitAt(c.result.of.unit, t + 1, glyph(chars(c.result.of)[t]), touched(c.result.of)))}</p><div data-key="numbers" ` +
    `style="display:grid;grid-template-columns:repeat(auto-fill,minmax(9.2rem,1fr));gap:.2rem .5rem;font-variant-numeric:tabular-nums">${values(c, t).map(row).join("")}</div>`;
}

/** What is expected after the chosen letter, framed what comes; beside it the same with all gates free. */
function expected(c) {
  const seen = chars(c.result.of), t = looked(c), next = seen[t + 1] && c.settings.alphabet.indexOf(seen[t + 1]);
  const list = (reading, heading) => {
    const rows = guesses(c, reading, t).map(([id, ch, p]) => [id, glyph(ch), p]);
    return `<div style="flex:1 1 12rem;max-width:22rem"><p>${esc(heading)}</p>${bars(rows, rows.findIndex(([id]) => id === next))}</div>`;
  };
  const after = c.w.expected(spoken(seen[t]), next === undefined ? null : spoken(seen[t + 1]));
  return list(HELD, after) + (touched(c.result.of) ? list(FREE, c.w.ifFree) : "");
}

/** The cost of the text in numbers. */
function price(c) {
  const cost = costs(c);
  if (!cost) return c.w.single;
  const [before, now] = cost;
  return touched(c.result.of) ? c.w.change(before.toFixed(2), now.toFixed(2), signed(now - before)) : c.w.cost(now.toFixed(2));
}

// ---- gestures ----

/** The letter and the band under a point of the picture. */
export const place = (x, y, length) => ({ t: clamp(Math.floor(x / STEP), 0, length - 1), row: Math.floor((y - TOP) / (TALL + GAP)) });

/** The gate value at height `y` of band `row`. */
export const valueAt = (y, row) => Math.round(clamp((band(row) + TALL - y) / TALL, 0, 1) * 20) / 20;

function press({ state, settings }, { x, y, target }) {
  const { t, row } = place(x, y, chars(state).length), there = { ...state, at: t };
  if (target === "labels" || x < 0 || y > band(settings.gates.length + settings.states.length + 1)) return;
  return settings.gates[row] ? setGate(there, row, valueAt(y, row)) : there;
}

function drag({ state, settings }, { y, from }) {               // stays with the gate where it began
  const { row } = place(from.x, from.y, chars(state).length);
  return settings.gates[row] && setGate(state, row, valueAt(y, row));
}

function typed({ state, settings }, key) {
  const last = chars(state).length - 1, count = settings.gates.length;
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -last, End: last }[key], gate = { PageUp: -1, PageDown: 1 }[key];
  const raise = { ArrowUp: 0.1, ArrowDown: -0.1 }[key];
  if (step !== undefined) return { ...state, at: clamp(state.at + step, 0, last) };
  if (gate) return { ...state, gate: (state.gate + gate + count) % count };
  if (raise) return setGate(state, state.gate, clamp(Math.round(((at(state, state.at)[state.gate] ?? 0.5) + raise) * 10) / 10, 0, 1));
  if (key === "Delete" || key === "Backspace") return free(state);
}

export const view = {
  name: "valves",
  quiet: ["at", "gate", "where"],
  words: {
    en: {
      title: "The valves",
      hint: "Drag a gate at any letter: it is held there, for all units of the cell, and the text is read anew.",
      picture: "Gates and memory of one unit at every letter. Left and right choose the letter, page up and page down the gate, " +
        "up and down hold it at a value, delete frees it.",
      text: "Text", unit: "Unit shown", where: "Hold", here: "at this letter", all: "at every letter", free: "Free",
      forget: "forget", input: "input", output: "output", update: "update", reset: "reset",
      candidate: "candidate", cell: "cell", hidden: "hidden", surprise: "surprise", upTo: (bits) => `0–${bits} bits`,
      keep: "Keep", replace: "Replace", add: "Add and hide", anew: "Start anew",
      empty: "Type a text for the model to read.",
      single: "Nothing comes before a single letter to predict it: type a second one.",
      cost: (bits) => `${bits} bits a letter`,
      change: (free, held, more) => `${free} → ${held} bits a letter: ${more}`,
      expected: (letter, next) => `Expected after “${letter}”${next ? `, where “${next}” comes` : ""}`, ifFree: "With all gates free (the thin lines)",
      sentence: (letter, n, gates, guess, p) => `After letter ${n} (“${letter}”), with ${gates}, the model expects “${guess}” (${p}).`,
      unitAt: (unit, n, letter, held) => `Unit ${unit}, letter ${n} (“${letter}”)${held ? ", free → held" : ""}:`,
      memory: (unit, states) => `Unit ${unit}: ${states}.`, state: (name, now, before) => `${name} ${now}${before === null ? "" : ` (free: ${before})`}`,
      price: (text) => `The text: ${text}.`,
      heldHere: (names) => `${names} held by hand`, heldThere: (n) => `gates held by hand at ${n} other letter${n > 1 ? "s" : ""}`, heldNone: "all gates free",
    },
  },
  start: ({ text, unit, gates }) => ({ text, unit, held: {}, every: gates.map(() => null), where: HERE, at: Math.min(12, [...text].length - 1), gate: 0 }),
  controls: ({ settings, w }) => [
    { kind: "text", name: "text", label: w.text, alphabet: settings.alphabet, max: settings.limit },
    { kind: "range", name: "unit", label: w.unit, min: 0, max: Math.max(...Object.values(settings.units)) - 1, step: 1 },
    { kind: "choice", name: "where", label: w.where, options: [[HERE, w.here], [ALL, w.all]], row: "where" },
    { kind: "button", name: "free", label: w.free, row: "where", act: ({ state }) => free(state) },
    ...settings.presets.map(([name, values]) =>
      ({ kind: "button", name, label: presetLabel(name, values, settings.gates, w), row: "presets", act: ({ state }) => hold(state, () => values) })),
  ],
  accept: ({ state, settings, result }) => {
    const last = chars(state.text ? state : result.of).length - 1, most = settings.units[state.model] ?? Math.max(...Object.values(settings.units));
    const mend = (values) => settings.gates.map((_, k) => (Number.isFinite(values?.[k]) ? clamp(values[k], 0, 1) : null));
    const every = mend(state.every), own = Object.entries(state.held ?? {}).filter(([t, values]) => /^\d+$/.test(t) && +t <= last && Array.isArray(values));
    const held = Object.fromEntries(own.map(([t, values]) => [t, mend(values)]).filter(([, values]) => !same(values, every)));
    return { ...state, held, every, at: index(state.at, last + 1), gate: index(state.gate, settings.gates.length), unit: index(state.unit, most) };
  },
  advice: ({ state, w }) => (state.text ? null : { text: w.empty, offers: [] }),
  async *compute({ state, settings }, ask) {
    const ids = chars(state).map((ch) => settings.alphabet.indexOf(ch)), { length } = ids;
    if (!length) return;                                         // nothing to read: the last picture stays
    yield await ask({
      ids: { dims: [1, length], data: ids },
      held: { dims: [1, length, settings.gates.length], data: ids.flatMap((_, t) => at(state, t).map((v) => v ?? -1)) },
      unit: { dims: [1], data: [state.unit] },
    });
  },
  act: (c, gesture) => {
    if (!c.state.text || gesture.kind === "click") return;
    if (gesture.kind === "press") return press(c, gesture);
    return gesture.kind === "drag" ? drag(c, gesture) : typed(c, gesture.key);
  },
  picture: (c) => strip(c) + `<div style="position:sticky;left:0">${numbers(c)}<p><strong>${esc(price(c))}</strong></p>` +
    `<div style="display:flex;flex-wrap:wrap;gap:.2rem 1.5rem">${expected(c)}</div></div>`,
  sentence: (c) => {
    const { of } = c.result, seen = chars(of), t = looked(c), [[, guess, p]] = guesses(c, HELD, t);
    const names = at(of, t).flatMap((v, k) => (v === null ? [] : `${c.w[c.settings.gates[k][1]]} ${v.toFixed(2)}`)), others = touched(of);
    const gates = names.length ? c.w.heldHere(names.join(", ")) : others ? c.w.heldThere(others) : c.w.heldNone;
    const states = values(c, t).filter(({ name }) => MEMORY.includes(name)).map(({ name, now, before }) => c.w.state(c.w[name], now, before));
    return `${c.w.sentence(spoken(seen[t]), t + 1, gates, spoken(guess), p.toFixed(2))} ${c.w.memory(of.unit, states.join(", "))} ${costs(c) ? c.w.price(price(c)) : price(c)}`;
  },
};

export default widget(view);
