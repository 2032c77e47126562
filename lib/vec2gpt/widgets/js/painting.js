// painting.js: rows of weights that are painted and locked: what the heat map to repaint is made of, apart from its picture
// and the text that stands in texts.js.

const SHARP = 1e4;                                              // weights that are locked are kept to 1 / SHARP

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

// ---- how good they are ----

/** The alignment error rate of the largest weight of each row, all gold links [s, t] being sure. */
export function errorRate(rows, links) {
  const words = rows.map((row) => row.slice(0, -1));            // the last place, the end, is no word: no link leads there
  const right = links.filter(([s, t]) => largest(words[t]) === s).length;
  return 1 - (2 * right) / (rows.length + links.length);
}
