// painting.js: a text that a model reads by letters or by words, and rows of weights that are painted and locked: what the
// heat map to repaint is made of, apart from its picture. Settings as repaint.py makes them.

const WORDS = "words";                                          // what a model reads, if not letters
const SHARP = 1e4;                                              // weights that are locked are kept to 1 / SHARP

// ---- the text ----

/** The letters or words of a text. */
export const pieces = (text, { reads }) => (reads === WORDS ? text.split(/\s+/).filter(Boolean) : [...text]);

/** A text without the spaces that mean nothing. */
export const tidy = (text) => text.trim().replace(/\s+/g, " ");

/** What keeps a model from reading a text, and texts that it could read: {text, offers}; null if nothing does. */
export const obstacle = (text, kind, limit, w) => (kind.reads === WORDS ? wordsObstacle(text, kind, limit, w) : lettersObstacle(text, kind, limit, w));

function lettersObstacle(text, { known }, limit, w) {
  const advice = spellingAdvice({ state: { word: text }, settings: { alphabet: known, limit }, w });
  return advice && { ...advice, offers: advice.offers.map(({ value }) => ({ name: "text", value })) };
}

function wordsObstacle(text, kind, limit, w) {
  const found = pieces(text, kind), strange = found.find((word) => lookup(kind.known, word) < 0);
  const offers = (texts) => texts.map((words) => ({ name: "text", value: words.join(" ") }));
  if (!found.length) return { text: w.noWords, offers: [] };
  if (strange === undefined) return found.length > limit ? { text: w.manyWords(limit), offers: offers([found.slice(0, limit)]) } : null;
  const meant = near(kind.known, strange, 3);
  return { text: w.unknownWord(strange, meant.length > 0), offers: offers(meant.map((word) => found.map((one) => (one === strange ? word : one)))) };
}

/** A text in numbers of its model, the end mark last. */
export function numbered(text, kind) {
  const token = (piece) => (kind.reads === WORDS ? kind.known[lookup(kind.known, piece)] : piece);
  return [...pieces(text, kind).map((piece) => kind.source.indexOf(token(piece))), kind.end];
}

/** Whether a text that models of one `kind` do not read is meant for those of another: words with spaces between them are. */
const isMeantFor = (text, kind, other, limit, w) =>
  (other.reads === WORDS ? tidy(text).includes(" ") : obstacle(text, kind, limit, w) && !obstacle(text, other, limit, w));

/** What keeps the text that stands in the field from being read, and what to try: another text, or another model. */
export function textAdvice(c) {
  const { settings: { models, limit }, state: { text }, w } = c, kind = modelKind(c, c.state), found = obstacle(text, kind, limit, w);
  const isOther = (one) => one.reads !== kind.reads && isMeantFor(text, kind, one, limit, w);
  const name = found && !(kind.reads === WORDS && found.offers.length) && Object.keys(models).find((one) => isOther(models[one]));
  return name ? { text: w.readBy[models[name].reads], offers: [{ name: "model", value: name }] } : found;
}

/** A state of another model: where that reads words instead of letters, or letters instead of words, its text comes back
    and the one that stands there waits; unless that is meant for it. `c`: before. */
export function turned(state, c) {
  const { texts, limit } = c.settings, before = modelKind(c, c.state), now = modelKind(c, state);
  if (now.reads === before.reads) return state;
  return isMeantFor(state.text, before, now, limit, c.w) ? { ...state, other: texts[before.reads] } : { ...state, text: state.other, other: state.text };
}

// ---- rows of weights ----

/** Weights in any proportion, renormalised. */
export const shares = (row) => { const total = row.reduce((a, b) => a + b, 0); return row.map((w) => w / total); };

export const oneHot = (size, at) => Array.from({ length: size }, (_, s) => +(s === at));
export const largest = (row) => row.indexOf(Math.max(...row));

/** A row over which the brush went on from one cell to another: each cell it came to weighs a share more. */
export function brushed(row, from, to) {
  const after = [...row];
  for (let s = from; s !== to;) after[s += Math.sign(to - from)] += 1;
  return after;
}

/** A row with one more share, as large as the others are on average, in a cell. */
export function heavier(row, at) {
  const share = row.reduce((a, b) => a + b, 0) / row.filter(Boolean).length;
  return row.map((w, s) => w + (s === at ? share : 0));
}

/** A row without its weight in a cell; null if it had no other. */
export function lighter(row, at) {
  const rest = row.map((w, s) => (s === at ? 0 : w));
  return rest.some(Boolean) ? rest : null;
}

const rounded = (row) => row.map((w) => Math.round(w * SHARP) / SHARP);

// ---- rows that are held: state.paint.rows belong to the text they were painted on, state.paint.locked to all as long ----

const fitting = (rows, size) => Object.fromEntries(Object.entries(rows).filter(([, row]) => row.length === size));

/** The painted rows of a source of `size` places: step → weights. */
export const paintedRows = ({ text, paint }, size) => (paint.text === tidy(text) ? fitting(paint.rows, size) : {});

/** The locked rows. */
export const lockedRows = ({ paint }, size) => fitting(paint.locked, size);

/** All rows that do not look where the model would. */
export const heldRows = (state, size) => ({ ...paintedRows(state, size), ...lockedRows(state, size) });

/** A state with other weights in some rows, null for the model's own; locked rows stay as they are. */
export function repainted(state, size, changes) {
  const locked = lockedRows(state, size), open = Object.entries(changes).filter(([t]) => !(t in locked));
  const rows = Object.entries({ ...paintedRows(state, size), ...Object.fromEntries(open) }).filter(([, row]) => row);
  return { ...state, paint: { text: tidy(state.text), rows: Object.fromEntries(rows), locked } };
}

/** A state with the rows `steps` locked as they look, `weights(t)`; if they all are, with `opened` unlocked. */
export function lockedOrNot(state, size, steps, weights, opened = steps) {
  const before = lockedRows(state, size), locked = { ...before };
  if (steps.every((t) => t in before)) for (const t of opened) delete locked[t];
  else for (const t of steps) locked[t] ??= rounded(weights(t));
  return { ...state, paint: { text: tidy(state.text), rows: paintedRows(state, size), locked } };
}

/** Rows that a link wishes for, as far as they are some: at most `steps`, of at most `most` weights each. */
export function mendedRows(rows, steps, most) {
  const isRow = (row) => Array.isArray(row) && row.length > 1 && row.length <= most && row.every((w) => Number.isFinite(w) && w >= 0 && w <= 1e6) && row.some((w) => w > 1e-6);
  return Object.fromEntries(Object.entries(rows ?? {}).filter(([t, row]) => /^\d+$/.test(t) && +t < steps && isRow(row)));
}

// ---- in words and numbers ----

/** The alignment error rate of the largest weight of each row, all gold links [s, t] being sure. */
export function errorRate(rows, links) {
  const words = rows.map((row) => row.slice(0, -1));            // the last place, the end, is no word: no link leads there
  const right = links.filter(([s, t]) => largest(words[t]) === s).length;
  return 1 - (2 * right) / (rows.length + links.length);
}

/** A probability; a tiny one as a power of ten: 4·10⁻⁶. Only what is certain is 1. */
export function chance(p) {
  if (p >= 0.9995 && p < 1) return ">0.999";
  const [digit, power] = p.toExponential(0).split("e-");
  if (p >= 0.001 || !power) return p.toFixed(p < 0.0995 || (p >= 0.995 && p < 1) ? 3 : 2);
  return `${digit}·10⁻${[...power].map((n) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[n]).join("")}`;
}
