// painter.js: an objective's mask to repaint, tokens to ask, and what a model says with that mask and with the objective's own
// (chapter 9).
//
// A row of the grid is a token that looks, a column one that is seen. What is asked of which text stands in objectives.js.
// parts: spelling, bpe, objectives

const NAME = 10;                                                // characters of a name beside the grid
const CELL = 18, RIGHT = 178;                                   // layout, in SVG units; RIGHT: for what is asked
const UP = -1;                                                  // the brush; down it is 1 or 0: what it makes of a cell
const OWN = 0, PAINTED = 1;                                     // the two readings in an answer

// ---- the text, and what is asked of it ----

const kept = new WeakMap();                                     // settings → what was found last, by what was looked for

/** `find()` once for each `key`, of which the last few are kept. */
function once(settings, key, find) {
  const known = kept.get(settings) ?? [], found = known.find(([name]) => name === key);
  if (found) return found[1];
  const value = find();
  kept.set(settings, [[key, value], ...known].slice(0, 8));
  return value;
}

/** A text as it is read: {ids, plain, size}; ids with the marks, plain the places of tokens, size as many as it has. */
export function readText(settings, text) {
  return once(settings, `text ${text}`, () => {
    const { around: [before, behind], limit, around } = settings, all = encode(text, settings), found = all.slice(0, limit - around.length);
    const ids = before === undefined ? found : [before, ...found, behind], start = +(before !== undefined);
    return { ids, plain: found.map((_, k) => k + start), size: all.length };
  });
}

/** The places that a state asks. */
export function askedOf({ settings }, state) {
  const { ids, plain } = readText(settings, state.text);
  return state.asked ?? usual(modelName({ settings }, state), plain, { ...settings, length: ids.length, draw: state.draw });
}

/** What a state reads and asks: an example, as objectives.js makes them. */
export function exampleOf(c, state) {
  const { settings } = c, objective = modelName(c, state), asked = askedOf(c, state);
  return once(settings, JSON.stringify(["example", objective, state.text, asked, state.draw]),
    () => example(objective, readText(settings, state.text).ids, asked, { ...settings, draw: state.draw }));
}

/** The mask as it is painted: rows of 1 and 0. */
export const openOf = ({ open }, { painted }) => open.map((row, t) => row.map((may, s) => painted[`${t}.${s}`] ?? may));

/** The state that the picture shows: the reader's; while another question is answered, that of the answer. */
function shown(c) {
  const { state, result: { of } } = c, same = JSON.stringify(exampleOf(c, of)) === JSON.stringify(exampleOf(c, state)) && modelName(c, of) === modelName(c, state);
  return same ? state : { ...of, at: state.at };
}

/** The row and column under the cursor, as far as there are such. */
const looked = ({ inputs: { length } }, { at: [t, s] }) => [Math.min(t, length - 1), Math.min(s, length - 1)];

// ---- what the answer says ----

/** What one reading says in row `t`: {own, rank, guesses: [[id, p]]}, own: the probability of what is asked. */
export function saidIn({ result: { guesses, probabilities, own, ranks } }, t, reading) {
  const { dims: [, T, most] } = guesses, row = reading * T + t;
  return { own: own.data[row], rank: ranks.data[row], guesses: upTo(most).map((k) => [guesses.data[row * most + k], probabilities.data[row * most + k]]) };
}

/** The rows where something is asked. */
const rowsAsked = ({ truth }) => truth.flatMap((id, t) => (id < 0 ? [] : [t]));

/** Of all that is asked, how much one reading guesses first, and what it costs in nats on average. */
export function scoreOf(c, reading, rows = rowsAsked(exampleOf(c, c.result.of))) {
  const all = rows.map((t) => saidIn(c, t, reading));
  return { right: all.filter(({ rank }) => rank === 1).length, of: all.length, nats: all.reduce((sum, { own }) => sum - Math.log(Math.max(own, 1e-30)), 0) / all.length };
}

/** A token as the picture names it: short, and visible. */
function named({ settings }, id) {
  const name = [...tokenName(id, settings).replace(/^ (?=.)/, "")].map(asSeen).join("");
  return [...name].length > NAME ? [...name].slice(0, NAME - 1).join("") + "…" : name;
}

/** A probability in a few letters. */
const rough = (p) => (p >= 0.9995 ? ">.999" : p >= 0.001 ? p.toFixed(3).slice(1) : "<.001");

// ---- the picture ----

function layout(c, { inputs }) {
  const names = inputs.map((id) => named(c, id)), longest = Math.max(...names.map((name) => [...name].length));
  return { names, left: 14 + longest * 7, top: 18 + Math.round(longest * 5.4), size: inputs.length * CELL };
}

const outline = (cells) => cells.map(([t, s]) => `M${s * CELL + 1} ${t * CELL + 1}h${CELL - 2}v${CELL - 2}h${2 - CELL}z`).join("");
const filled = (cells) => cells.map(([t, s]) => `M${s * CELL} ${t * CELL}h${CELL}v${CELL}h${-CELL}z`).join("");
const crosses = (cells) => cells.map(([t, s]) => `M${s * CELL + 6} ${t * CELL + 6}l6 6m0-6l-6 6`).join("");
const dots = (cells) => cells.map(([t, s]) => `<circle cx="${(s + 0.5) * CELL}" cy="${(t + 0.5) * CELL}" r="2.5" fill="var(--ink)"/>`).join("");

/** The cells of a mask by what they are: may be seen, may not, by the content stream alone, painted. */
function sorted({ open, content }, painted) {
  const all = open.flatMap((row, t) => row.map((_, s) => [t, s])), only = ([t, s]) => content?.[t][s] && !painted[t][s];
  return {
    seen: all.filter(([t, s]) => painted[t][s]), shut: all.filter(([t, s]) => !painted[t][s] && !only([t, s])),
    only: all.filter(only), changed: all.filter(([t, s]) => painted[t][s] !== open[t][s]),
  };
}

/** What is asked in a row, and its probability with the painted mask; beside it that with the objective's own. */
function verdict(c, ex, t, x, isPainted) {
  if (ex.truth[t] < 0) return "";
  const now = saidIn(c, t, PAINTED), own = saidIn(c, t, OWN), y = t * CELL + 13, best = now.guesses[0][0];
  const other = now.rank === 1 ? "" : ` <tspan class="soft">≠ ${esc(named(c, best))}</tspan>`;
  return `<text x="${x + 8}" y="${y}"><tspan font-weight="700">${esc(named(c, ex.truth[t]))}</tspan> ${rough(now.own)}` +
    `${isPainted ? ` <tspan class="soft">(${rough(own.own)})</tspan>` : ""}${other}</text>`;
}

function grid(c) {
  const state = shown(c), ex = exampleOf(c, state), painted = openOf(ex, state), { names, left, top, size } = layout(c, ex), [t, s] = looked(ex, state);
  const { seen, shut, only, changed } = sorted(ex, painted), rows = rowsAsked(ex), wide = left + size + RIGHT;
  const side = (name, row) => `<g data-key="row${row}"><rect x="${-left}" y="${row * CELL}" width="${left}" height="${CELL}" fill="transparent"/><text x="-6" y="${row * CELL + 13}" text-anchor="end"${row === t ? ' font-weight="700"' : ""}>${esc(name)}</text></g>`;
  const head = (name, column) => `<text transform="translate(${(column + 0.5) * CELL + 3} -6) rotate(-52)"${column === s ? ' font-weight="700"' : ""}>${esc(name)}</text>`;
  const lines = names.map((_, k) => `M0 ${k * CELL}h${size}M${k * CELL} 0v${size}`).join("") + `M0 ${size}h${size}V0`;
  return `<svg viewBox="${-left} ${-top} ${wide} ${top + size + 4}" width="${wide}" height="${top + size + 4}" style="touch-action:pan-y pinch-zoom" role="img" aria-label="${esc(view.sentence(c).join(" "))}">` +
    `<rect width="${size}" height="${size}" fill="var(--wash)"/><path d="${filled(seen)}" fill="var(--key)" fill-opacity=".4"/>` +
    `<path d="${crosses(shut)}" stroke="var(--soft)" stroke-opacity=".5" fill="none"/>${dots(only)}<path class="axis" d="${lines}" fill="none"/>` +
    `<path d="${outline(changed)}" fill="none" stroke="var(--minus)" stroke-width="2" stroke-dasharray="4 2"/>` +
    rows.map((row) => `<rect x="-1" y="${row * CELL}" width="${size + 2}" height="${CELL}" fill="none" stroke="var(--query)" stroke-width="1.5"/>`).join("") +
    `${names.map(side).join("")}${names.map(head).join("")}${upTo(names.length).map((row) => verdict(c, ex, row, size, changed.length > 0)).join("")}` +
    `<rect class="cursor" x="${s * CELL}" y="${t * CELL}" width="${CELL}" height="${CELL}" rx="3"/></svg>`;
}

/** The text, token by token, each to be asked or not; what is asked is framed and bold. */
function chips(c) {
  const state = shown(c), { ids, plain } = readText(c.settings, state.text), asked = new Set(askedOf(c, state)), can = new Set(askable(modelName(c, state), plain, ids.length));
  const chip = (id, at) => `<span${can.has(at) ? ` data-key="token${at}"` : ""} style="display:inline-block;padding:.05em .4em;margin:.1em;border-radius:4px;border:2px ${asked.has(at) ? "solid var(--query)" : "dotted var(--line)"};` +
    `cursor:${can.has(at) ? "pointer" : "default"}${asked.has(at) ? ";font-weight:700" : ""}${can.has(at) ? "" : ";color:var(--soft)"}">${esc(named(c, id))}</span>`;
  return `<div style="margin-bottom:.4rem">${ids.map(chip).join("")}</div>`;
}

/** What the marks mean, and the likeliest tokens in the chosen row, with the painted mask and the objective's own. */
function guessesOf(c) {
  const state = shown(c), ex = exampleOf(c, state), [t] = looked(ex, state), { w } = c;
  const list = (title, reading) => { const { guesses } = saidIn(c, t, reading); return `<div><p class="v2g-hint">${esc(title)}</p>${bars(guesses.map(([id, p], k) => [`guess${k}`, named(c, id), p]), guesses.findIndex(([id]) => id === ex.truth[t]))}</div>`; };
  const mark = (drawing, text) => `<li><svg width="18" height="18" aria-hidden="true">${drawing}</svg><span>${esc(text)}</span></li>`, one = [[0, 0]];
  const legend = [
    mark(`<path d="${filled(one)}" fill="var(--key)" fill-opacity=".4"/>`, w.isSeen), mark(`<path d="${crosses(one)}" stroke="var(--soft)" fill="none"/>`, w.isShut),
    ...(ex.content ? [mark(dots(one), w.isContent)] : []), mark(`<path d="${outline(one)}" fill="none" stroke="var(--minus)" stroke-width="2" stroke-dasharray="4 2"/>`, w.isPainted),
    mark(`<rect x="1" y="2" width="16" height="14" fill="none" stroke="var(--query)" stroke-width="1.5"/>`, w.isAsked), `<li>${esc(w.numbers)}</li>`,
  ];
  return `<ul class="v2g-legend">${legend.join("")}</ul><p class="v2g-hint">${esc(w.about[modelName(c, state)])}</p>` +
    `<div class="v2g-pair">${list(w.withPaint(named(c, ex.inputs[t])), PAINTED)}${list(w.withOwn, OWN)}</div>`;
}

// ---- gestures ----

const NOTHING = { painted: {}, brush: UP, fresh: false };

/** A state in which the token at a place of the text is asked, or no longer; undefined if it cannot be. */
export function toggled(c, place, state = c.state) {
  const { settings } = c, objective = modelName(c, state), { ids, plain } = readText(settings, state.text), asked = askedOf(c, state), can = askable(objective, plain, ids.length);
  if (!can.includes(place)) return;
  const after = objective === "prefix" ? can.filter((at) => at >= place) : asked.includes(place) ? asked.filter((at) => at !== place) : [...asked, place].sort((a, b) => a - b);
  if (!after.length || (objective === "spans" && runs(after).length > settings.sentinels.length - 1)) return;
  const moves = objective === "spans" || objective === "prefix"; // the rows, or what each may see
  return { ...state, ...(moves ? NOTHING : {}), asked: after };
}

/** A state with some cells painted, each as the brush has it; what is as the objective has it needs no paint. */
export function withCells(c, cells, value, state = c.state) {
  const { open } = exampleOf(c, state), painted = { ...state.painted };
  for (const [t, s] of cells) if (open[t][s] === value) delete painted[`${t}.${s}`]; else painted[`${t}.${s}`] = value;
  return { ...state, painted };
}

/** The cells on the way from one to another, both included. */
export function between([t0, s0], [t1, s1]) {
  const steps = Math.max(Math.abs(t1 - t0), Math.abs(s1 - s0), 1);
  return upTo(steps + 1).map((k) => [Math.round(t0 + ((t1 - t0) * k) / steps), Math.round(s0 + ((s1 - s0) * k) / steps)]);
}

function cellAt(c, { x, y }) {
  const t = Math.floor(y / CELL), s = Math.floor(x / CELL), { length } = exampleOf(c, c.state).inputs;
  return t >= 0 && s >= 0 && t < length && s < length ? [t, s] : undefined;
}

const isOpen = (c, [t, s]) => openOf(exampleOf(c, c.state), c.state)[t][s];

function press(c, gesture) {
  const at = gesture.target === undefined ? cellAt(c, gesture) : undefined;
  return at && { ...c.state, at, brush: 1 - isOpen(c, at), fresh: true };
}

function drag(c, gesture) {
  const { state } = c, at = state.brush === UP ? undefined : cellAt(c, gesture);
  if (!at || String(at) === String(state.at)) return;
  return { ...withCells(c, between(state.at, at), state.brush), at, fresh: false };
}

function drop(c, gesture) {                                     // a press alone paints only now, and where it was
  const { state } = c, isThere = state.fresh && String(cellAt(c, gesture)) === String(state.at);
  return state.brush === UP ? undefined : { ...(isThere ? withCells(c, [state.at], state.brush) : state), brush: UP, fresh: false };
}

function click(c, { target = "" }) {
  if (target.startsWith("token")) return toggled(c, +target.slice(5));
  if (target.startsWith("row")) return { ...c.state, at: [+target.slice(3), c.state.at[1]] };
}

function typed(c, key) {
  const { state } = c, ex = exampleOf(c, state), [t, s] = looked(ex, state), last = ex.inputs.length - 1, rows = rowsAsked(ex);
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -last], End: [0, last] }[key];
  if (step) return { ...state, at: [clamp(t + step[0], 0, last), clamp(s + step[1], 0, last)] };
  if (key === " " || key === "Enter") return withCells(c, [[t, s]], 1 - isOpen(c, [t, s]));
  if (key === "PageUp") return { ...state, at: [rows.findLast((row) => row < t) ?? t, s] };
  if (key === "PageDown") return { ...state, at: [rows.find((row) => row > t) ?? t, s] };
  if (key === "Delete") return { ...state, painted: Object.fromEntries(Object.entries(state.painted).filter(([cell]) => !cell.startsWith(`${t}.`))) };
  if (key === "Backspace") return askedHere(c);
}

/** The token of the chosen row is asked, or no longer. */
function askedHere(c) {
  const ex = exampleOf(c, c.state), place = ex.token[looked(ex, c.state)[0]];
  return place === null ? undefined : toggled(c, place);
}

/** The whole mask painted as a rule has it. */
const ruled = (c, rule) => {
  const cells = exampleOf(c, c.state).open.flatMap((row, t) => row.map((_, s) => [t, s])), of = (value) => cells.filter(([t, s]) => +rule(t, s) === value);
  return withCells(c, of(0), 0, withCells(c, of(1), 1));
};

// ---- what a link may wish for ----

const isPlace = (x) => Number.isInteger(x) && x >= 0;

function mended(c) {
  const { settings } = c, { text, asked, draw, painted, at, brush, fresh } = c.state;
  const state = { ...c.state, text: typeof text === "string" ? clean(text, undefined, settings.longest).text : settings.text, draw: Number.isInteger(draw) && draw > 0 && draw < 1000 ? draw : 1, asked: null, painted: {} };
  const { ids, plain } = readText(settings, state.text), objective = modelName(c, state);
  if (plain.length < 2) return { ...state, at: [0, 0], brush: UP, fresh: false };
  const can = askable(objective, plain, ids.length), wished = Array.isArray(asked) ? can.filter((place) => asked.includes(place)) : [];
  const fits = objective !== "spans" || runs(wished).length < settings.sentinels.length;
  if (wished.length && fits) state.asked = objective === "prefix" ? can.filter((place) => place >= wished[0]) : wished;
  const { open } = exampleOf(c, state), { length } = open, isObject = painted && typeof painted === "object" && !Array.isArray(painted);
  const isCell = ([cell, value]) => /^\d{1,2}\.\d{1,2}$/.test(cell) && cell.split(".").every((k) => +k < length && String(+k) === k) && [0, 1].includes(value);
  const cells = Object.entries(isObject ? painted : {}).filter(isCell).filter(([cell, value]) => open[cell.split(".")[0]][cell.split(".")[1]] !== value);
  return { ...state, painted: Object.fromEntries(cells), at: [0, 1].map((k) => (isPlace(at?.[k]) ? Math.min(at[k], length - 1) : 0)), brush: [0, 1].includes(brush) ? brush : UP, fresh: fresh === true };
}

export const view = {
  name: "painter",
  quiet: ["at", "brush", "fresh"],
  passing: ["brush", "fresh"],
  words: {
    en: {
      title: "The mask painter",
      hint: "Choose an objective. A row of the grid is a token that looks, a column one it may see. Drag over cells to open or shut them, press a token of the text to ask it or not: the model answers anew.",
      picture: "A mask: rows look, columns are seen. Arrow keys choose a cell, space opens or shuts it, delete gives the row its own mask back, backspace asks the token of the row or not, page up and page down go to the rows that are asked.",
      model: "Objective", text: "Text", examples: "Examples", ask: "Ask this row’s token / not", ownMask: "The objective’s own mask", usual: "The usual questions", all: "Open all", past: "Open the past only", another: "Another order",
      isSeen: "may be seen", isShut: "may not", isContent: "only the content stream may", isPainted: "painted by you", isAsked: "a row that is asked", numbers: "bold: what is asked, and its probability (with the objective’s own mask); ≠ what is likelier",
      about: {
        causal: "Causal: each row is asked for the next token, and sees itself and what came before.",
        backward: "Backward: each row is asked for the token before it, and sees itself and what comes after.",
        masked: "Masked: a row that is asked reads [MASK] in place of its token, and all see all.",
        prefix: "Prefix: the beginning sees itself both ways; from its last token on each row is asked for the next. Press a token to begin the questions there.",
        permuted: "Permuted: a row is asked for the token of its own place, and sees what is said earlier in a drawn order. The row begins without its token (the query stream); those it sees know theirs (the content stream).",
        spans: "Spans: what is asked is cut out of the text, a mark in its place; behind the text stands each mark with what was there, told token by token.",
      },
      withPaint: (name) => `In row “${name}”, with the mask as it is now`, withOwn: "With the objective’s own mask",
      row: (name, seen, of, truth) => `Row “${name}” sees ${seen} of ${of} tokens${truth === null ? "; nothing is asked there." : ` and is asked for “${truth}”.`}`,
      says: (truth, p, rank, best) => `It gives “${truth}” the probability ${p}${rank === 1 ? ", its first guess" : `; ${rank - 1} ${rank === 2 ? "token is" : "tokens are"} likelier, first “${best}”`}.`,
      ownSays: (p) => `With the objective’s own mask: ${p}.`,
      whole: (right, of, nats, own) => `Of ${of} asked, ${right} guessed first, at ${nats} nats a token${own === null ? "." : `; with the objective’s own mask ${own}.`}`,
      leak: (n, of) => `At ${n} of ${of} rows the answer itself can now be seen, at once or through other rows: that is no question any more.`,
      short: (size) => `A question needs at least 2 tokens, and the text has ${size}: type more.`,
      cut: (size, room) => `The text has ${size} tokens; the first ${room} are read.`,
    },
  },
  start: ({ text }) => ({ text, asked: null, draw: 1, painted: {}, at: [0, 0], brush: UP, fresh: false }),
  controls: (c) => {
    const { w, settings: { examples } } = c, button = (name, act) => ({ kind: "button", name, label: w[name], row: "paint", act: (d) => (view.advice(d) ? d.state : act(d) ?? d.state) });
    const again = modelName(c, c.state) === "permuted" || Object.keys(c.settings.models).includes("permuted");
    return [
      { kind: "text", name: "text", label: w.text, max: c.settings.longest },
      ...(examples.length ? [{ kind: "examples", name: "example", label: w.examples, options: examples.map((text) => [text, text]), act: (d, text) => ({ ...d.state, ...NOTHING, text, asked: null, at: [0, 0] }) }] : []),
      button("ask", askedHere), button("usual", (d) => ({ ...d.state, ...NOTHING, asked: null })),
      button("ownMask", (d) => ({ ...d.state, ...NOTHING })), button("all", (d) => ruled(d, () => true)), button("past", (d) => ruled(d, (t, s) => s <= t)),
      ...(again ? [button("another", (d) => (modelName(d, d.state) === "permuted" ? { ...d.state, ...NOTHING, asked: null, draw: (d.state.draw % 999) + 1 } : undefined))] : []),
    ];
  },
  accept: mended,
  moved: (state) => ({ ...state, ...NOTHING, asked: null }),    // another text or objective has other cells
  advice: (c) => {
    const { size } = readText(c.settings, c.state.text);
    return size < 2 ? { text: c.w.short(size), offers: [] } : null;
  },
  async *compute(c, ask) {
    if (view.advice(c)) return;                                  // the last right answer stays
    const ex = exampleOf(c, c.state), { length } = ex.inputs, row = (data) => ({ dims: [1, length], data });
    const masks = [ex.open, openOf(ex, c.state), ex.content ?? ex.open];
    yield await ask({ ids: row(ex.inputs), truth: row(ex.truth.map((id) => Math.max(id, 0))), masks: { dims: [3, length, length], data: masks.flat(2) } });
  },
  act: (c, gesture) => {
    if (view.advice(c)) return;
    return { press, drag, drop, click, key: () => typed(c, gesture.key) }[gesture.kind]?.(c, gesture);
  },
  picture: (c) => chips(c) + grid(c),
  below: guessesOf,
  sentence: (c) => {
    const { w, settings } = c, state = shown(c), ex = exampleOf(c, state), [t] = looked(ex, state), painted = openOf(ex, state), rows = rowsAsked(ex), { of } = c.result;
    const isPainted = Object.keys(of.painted).length > 0, name = named(c, ex.inputs[t]), truth = ex.truth[t] < 0 ? null : named(c, ex.truth[t]);
    const now = saidIn(c, t, PAINTED), score = scoreOf(c, PAINTED), caught = leaks(ex, painted, modelKind(c, state).layers), { size } = readText(settings, state.text), room = settings.limit - settings.around.length;
    return [
      w.row(name, painted[t].filter(Boolean).length, ex.inputs.length, truth),
      ...(truth === null ? [] : [w.says(truth, rough(now.own), now.rank, named(c, now.guesses[0][0]))]), ...(truth === null || !isPainted ? [] : [w.ownSays(rough(saidIn(c, t, OWN).own))]),
      w.whole(score.right, score.of, score.nats.toFixed(2), isPainted ? scoreOf(c, OWN).nats.toFixed(2) : null),
      ...(caught.length ? [w.leak(caught.length, rows.length)] : []), ...(size > room ? [w.cut(size, room)] : []),
    ];
  },
};

export default widget(view);
