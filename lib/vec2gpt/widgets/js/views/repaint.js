// repaint.js: a heat map of attention to repaint; what is said is decoded anew from there (chapter 6).
//
// A row is a step of the decoder, a column what it may look at. A stroke of the brush starts its row anew, for mostly one
// wants the decoder to look elsewhere: a press gives one cell all the weight, a drag equal shares, and rubbing over a cell
// makes it heavier. The keyboard adds to a row instead. How rows are held stands in painting.js.
// parts: spelling, texts, painting

const CELL = 28, LOCK = 20;                                     // layout, in SVG units; LOCK is the padlocks' width
const SEEN = 0.004, TOLD = 0.05;                                // the least weight that is drawn, and written in its cell
const ROW = "row", ALL = "all";                                 // where the buttons act
const UP = "", FRESH = "fresh", DOWN = "down", OFF = "off";     // the brush: up; on a cell, not yet painting; painting; off its row
const ALONE = 0, CHANGED = 1;                                   // the two readings in an answer

// ---- what the answer says ----

/** How many places a model sees: the pieces of the text, and the end. */
const sizeOf = (c, state = c.result.of) => pieces(state.text, modelKind(c, state)).length + 1;

/** The state that the picture shows: the reader's, or, while another text is read, that of the answer. */
const shown = (c) => (here(c) ? c.state : c.result.of);

/** The weights of row `t` as they are shown: held ones at once, before the answer to them. */
export function weightsAt(c, t, held = heldRows(shown(c), sizeOf(c))) {
  const { data, dims: [, most, size] } = c.result.weights, from = (CHANGED * most + t) * size;
  return held[t] ? shares(held[t]) : Array.from(data.slice(from, from + size));
}

/** The row and column under the cursor, as far as the answer has them. */
const looked = (c) => [Math.min(c.state.at[0], said(c, CHANGED).steps.length - 1), Math.min(c.state.at[1], sizeOf(c) - 1)];

/** What the columns stand for. */
const names = (c) => [...pieces(c.result.of.text, modelKind(c)), c.w.end];

/** The right translation and its links, if one is known and it is what is said; else null. */
function goldOf(c) {
  const text = tidy(c.result.of.text), gold = Object.hasOwn(c.settings.gold, text) ? c.settings.gold[text] : null, { tokens, ended } = said(c, CHANGED);
  return gold && ended && gold.target.join(" ") === tokens.join(" ") ? gold : null;
}

/** What the model alone says at step `t`, where that is something else; else nothing. */
function differing(c, t, { steps }, alone) {
  const one = alone.steps[t];
  return one && one.token !== steps[t].token ? `${one.token ?? c.w.end} ${chance(one.p)}` : "";
}

// ---- the picture ----

/** Where things stand. The labels have room for whatever may be said, so that nothing moves under the brush. */
function layout(c) {
  const kind = modelKind(c), words = kind.reads === WORDS, heads = names(c), rows = said(c, CHANGED).steps.length;
  const longest = (list) => Math.max(...list.map((name) => name.length)), top = words ? 18 + Math.round(longest(heads) * 5.2) : 22;
  return { heads, rows, words, top, left: LOCK + 12 + longest(kind.target) * 7, wide: heads.length * CELL, high: rows * CELL + 2, right: words ? 150 : 84 };
}

/** The cell under a point of the matrix; undefined beside it. */
export function cellAt(x, y, { rows, heads }) {
  const t = Math.floor(y / CELL), s = Math.floor(x / CELL);
  return t >= 0 && s >= 0 && t < rows && s < heads.length ? [t, s] : undefined;
}

const drawHead = (name, s, { words, top }) => (words
  ? `<text transform="translate(${(s + 0.5) * CELL + 3} ${top - 6}) rotate(-52)">${esc(name)}</text>`
  : `<text x="${(s + 0.5) * CELL}" y="${top - 8}" text-anchor="middle">${esc(name)}</text>`);

function drawCell(w, s, y) {                                    // its number is ink on a halo of paper, and so as easy to read on any weight
  const number = w < TOLD ? "" : `<text class="haloed" x="${(s + 0.5) * CELL}" y="${y + 18}" text-anchor="middle" style="font-size:10px">${Math.round(100 * w)}</text>`;
  return w < SEEN ? "" : `<rect x="${s * CELL}" y="${y}" width="${CELL}" height="${CELL}" fill="var(--weight)" fill-opacity="${w.toFixed(3)}"/>${number}`;
}

/** The frame of a row that is held: dashed of a painted one. */
const frame = (y, wide, isLocked) =>
  `<rect x="1" y="${y + 1}" width="${wide - 2}" height="${CELL - 2}" fill="none" stroke="var(--minus)" stroke-width="2"${isLocked ? "" : ' stroke-dasharray="4 3"'}/>`;

const diamond = (x, y) => `<path d="M${x} ${y}l4 4-4 4-4-4z" fill="var(--paper)" stroke="var(--ink)"/>`;

const padlock = (y, isLocked) => `<path d="M${isLocked ? 6 : 2} ${y}v-3a3 3 0 0 1 6 0v3" fill="none" stroke="var(--${isLocked ? "ink" : "soft"})" stroke-width="1.5"/>` +
  `<rect x="4" y="${y}" width="10" height="8" rx="1.5" fill="var(--${isLocked ? "ink" : "paper"})" stroke="var(--${isLocked ? "ink" : "soft"})"/>`;

/** What the columns are called. A finger scrolls a wide matrix here, for on the matrix it paints. */
const headings = ({ heads, words, top, wide, right }) =>
  `<svg style="grid-area:1/2" data-key="heads" width="${wide + right}" height="${top}" aria-hidden="true">${heads.map((name, s) => drawHead(name, s, { words, top })).join("")}</svg>`;

/** What is said at each step, and its padlock; they stay beside a matrix that is scrolled. */
function labels(c, { top, left, high }, locked) {
  const label = ({ token, p }, t) => `<g data-key="lock${t}" transform="translate(0 ${top + t * CELL})"><title>${esc(t in locked ? c.w.unlockRow : c.w.lockRow)}</title>` +
    `<rect width="${left}" height="${CELL}" fill="transparent"/>${padlock(12, t in locked)}<text x="${left - 6}" y="13" text-anchor="end" font-weight="600">${esc(token ?? c.w.end)}</text>` +
    `<text class="soft" x="${left - 6}" y="24" text-anchor="end" style="font-size:10px">${chance(p)}</text></g>`;
  return `<svg style="grid-area:1/1/3/2;position:sticky;left:0;background:var(--paper)" data-key="labels" width="${left}" height="${top + high}" aria-hidden="true">${said(c, CHANGED).steps.map(label).join("")}</svg>`;
}

function heatMap(c) {
  const place = layout(c), { heads, rows, wide, high, right } = place, state = shown(c), held = heldRows(state, heads.length), locked = lockedRows(state, heads.length);
  const now = said(c, CHANGED), alone = said(c, ALONE), [t, s] = looked(c), y = (row) => row * CELL, tall = rows * CELL;
  const drawRow = (_, row) => weightsAt(c, row, held).map((w, k) => drawCell(w, k, y(row))).join("") + (held[row] ? frame(y(row), wide, row in locked) : "") +
    `<text class="soft" x="${wide + 8}" y="${y(row) + 18}">${esc(differing(c, row, now, alone).replace(/^./, "≠ $&"))}</text>`;
  const lines = `<path class="axis" fill="none" d="${now.steps.map((_, row) => `M0 ${y(row)}h${wide}`).join("")}${heads.map((_, k) => `M${k * CELL} 0v${tall}`).join("")}"/>`;
  const matrix = `<svg style="grid-area:2/2;overflow:visible;touch-action:pan-y pinch-zoom" width="${wide + right}" height="${high}" viewBox="0 0 ${wide + right} ${high}" role="img" aria-label="${esc(view.sentence(c).join(" "))}">` +
    `<rect width="${wide}" height="${tall}" fill="var(--wash)"/>${lines}${now.steps.map(drawRow).join("")}` +
    `${(goldOf(c)?.links ?? []).map(([from, to]) => diamond((from + 1) * CELL - 6, y(to) + 2)).join("")}<rect class="cursor" x="${s * CELL}" y="${y(t)}" width="${CELL}" height="${CELL}" rx="3"/>` +
    `<rect width="${wide}" height="${tall}" fill="transparent"/></svg>`;
  return `<div style="display:grid;width:max-content">${matrix}${headings(place)}${labels(c, place, locked)}</div>`;
}

/** Both readings as a table; what the model alone does not say at that step is bold. */
function outputs(c) {
  const alone = said(c, ALONE), word = (token, t, isNew) => (isNew && token !== alone.tokens[t] ? `<strong>${esc(token)}</strong>` : esc(token));
  const line = (name, { tokens, ended, p }, isNew) => `<tr><th scope="row">${esc(name)}</th>` +
    `<td>${tokens.map((token, t) => word(token, t, isNew)).join(" ") || esc(c.w.nothing)}${ended ? "" : " …"}</td><td>${chance(p)}</td></tr>`;
  return `<table class="v2g-table"><thead><tr><td></td><th scope="col">${esc(c.w.says)}</th><th scope="col">${esc(c.w.probability)}</th></tr></thead>` +
    `<tbody>${line(c.w.changed, said(c, CHANGED), true)}${line(c.w.alone, alone, false)}</tbody></table>`;
}

/** The steps whose weights are held, though nothing is said there now. */
const unseen = (c) => Object.keys(heldRows(shown(c), sizeOf(c))).map(Number).filter((t) => t >= said(c, CHANGED).steps.length);

/** What the marks mean, how well the alignment is that is shown, and, if wanted, the words that can be typed. */
function legend(c) {
  const gold = goldOf(c), hidden = unseen(c), rate = gold && errorRate(gold.target.map((_, t) => weightsAt(c, t)), gold.links);
  const mark = (drawing, text) => `<li><svg width="20" height="16" aria-hidden="true">${drawing}</svg><span>${esc(text)}</span></li>`;
  const box = (dashes) => `<rect x="1" y="2" width="18" height="12" fill="none" stroke="var(--minus)" stroke-width="2" stroke-dasharray="${dashes}"/>`;
  const marks = [mark(box("4 3"), c.w.byBrush), mark(box("none"), c.w.byLock), `<li>≠ ${esc(c.w.isDifferent)}</li>`, ...(gold ? [mark(diamond(10, 4), c.w.isGold(percentage(rate)))] : []),
    ...(hidden.length ? [`<li>${esc(c.w.unseen(hidden.map((t) => t + 1)))}</li>`] : [])];
  return `<ul class="v2g-legend">${marks.join("")}</ul>` + wordList(c);
}

// ---- gestures ----

function press(c, { x, y, target }) {
  const at = target === undefined ? cellAt(x, y, layout(c)) : undefined;
  return at && { ...c.state, at, brush: at[0] in lockedRows(c.state, sizeOf(c)) ? UP : FRESH };
}

function drag(c, { x, y }) {                                    // stays with its row, and is off it where it leaves that far behind
  const { state } = c, [t, last] = state.at, size = sizeOf(c), row = state.brush === FRESH ? oneHot(size, last) : paintedRows(state, size)[t];
  const s = clamp(Math.floor(x / CELL), 0, size - 1), isOff = Math.abs(y - (t + 0.5) * CELL) > 1.5 * CELL;
  if (isOff) return state.brush === DOWN ? { ...state, brush: OFF } : undefined;
  if (state.brush === UP || !row || (s === last && state.brush !== OFF)) return;
  return { ...repainted(state, size, { [t]: state.brush === OFF ? brushed(row, s - 1, s) : brushed(row, last, s) }), at: [t, s], brush: DOWN };
}

function drop(c, { x, y }) {                                    // a press alone paints only now, and where it was: one may think better of it
  const { state } = c, [t, s] = state.at, size = sizeOf(c), isThere = String(cellAt(x, y, layout(c))) === String(state.at);
  return { ...(state.brush === FRESH && isThere ? repainted(state, size, { [t]: oneHot(size, s) }) : state), brush: UP };
}

function click(c, { target = "" }) {
  const row = +target.slice(4);
  return target.startsWith("lock") ? { ...locks(c, [row]), at: [row, c.state.at[1]] } : undefined;
}

function typed(c, key) {
  const { state } = c, size = sizeOf(c), [t, s] = looked(c), row = paintedRows(state, size)[t], change = (after) => repainted(state, size, { [t]: after });
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -size], End: [0, size] }[key];
  if (step) return { ...state, at: [clamp(t + step[0], 0, said(c, CHANGED).steps.length - 1), clamp(s + step[1], 0, size - 1)] };
  if (key === "Enter") return locks(c, [t]);
  if (key === " ") return change(row ? heavier(row, s) : oneHot(size, s));
  if (key === "Backspace") return change(lighter(row ?? weightsAt(c, t).map((w) => +w.toFixed(4)), s));
  if (key === "Delete") return change(null);
}

const locks = (c, steps, opened) => lockedOrNot(c.state, sizeOf(c), steps, (t) => weightsAt(c, t), opened);

/** The rows on which the buttons act: that of the cursor, or all up to step `most`, by default all that are said. */
const rowsMeant = (c, most = said(c, CHANGED).steps.length) => (c.state.where === ROW ? [looked(c)[0]] : Array.from({ length: most }, (_, t) => t));

/** The rows on which undoing acts: where all are meant, also those beyond what is said. */
const rowsUndone = (c) => rowsMeant(c, c.settings.steps);

/** What a button makes of the rows that are meant: `weights(t)`, null for the model's own. */
const fill = (c, weights, steps) => repainted(c.state, sizeOf(c), Object.fromEntries(steps.map((t) => [t, weights(t)])));

export const view = {
  name: "repaint",
  quiet: ["at", "brush", "where", "list"],
  passing: ["brush"],
  words: {
    en: {
      ...SPELLING.en, ...TEXTS.en,
      title: "The heat map you can repaint",
      hint: "Drag along a row to decide where the decoder looks at that step: from there on its output is decoded anew. Press a padlock to keep a row as it is. A finger scrolls a wide map by the names of its columns.",
      picture: "Attention weights in percent, a row for each step. Arrow keys choose a cell, space gives it weight, backspace takes its weight away, " +
        "enter locks or unlocks the row, delete gives the row back to the model.",
      model: "Model", temperature: "Temperature τ",
      where: "Change", row: "this row", all: "every row shown", even: "Uniform", sharp: "One-hot", lock: "Lock / unlock", free: "Give back",
      lockRow: "Lock this row", unlockRow: "Unlock this row",
      says: "says", probability: "probability", changed: "With your changes", alone: "The model alone",
      byBrush: "painted by hand", byLock: "locked", isDifferent: "what the model alone says at this step", isGold: (rate) => `gold link; alignment error rate of the largest weights, the end apart: ${rate}`,
      unseen: (steps) => `also painted or locked, though nothing is said there now: step ${steps.join(", ")}`,
      cell: (t, name, share, how) => `Step ${t}, “${name}”: ${share} of the weight, ${how}.`, isFree: "as the model has it", isPainted: "painted by hand", isLocked: "locked",
      step: (token, p, alone) => `It says ${token} (${p})${alone && `, the model alone ${alone}`}.`,
      whole: (text, output, p) => `“${text}” becomes ${output}, with probability ${p}`, same: "the model alone says the same", other: (output, p) => `the model alone says ${output} (${p})`,
    },
  },
  start: (settings) => ({ ...textStart(settings), temperature: settings.temperature, paint: { text: "", rows: {}, locked: {} }, where: ROW, list: false, at: [0, 0], brush: UP }),
  controls: (c) => {
    const { w } = c, button = (name, act) => ({ kind: "button", name, label: w[name], row: "rows", act: (d) => (here(d) ? act(d) : d.state) });
    return [
      ...textControls(c, { at: [0, 0] }),
      { kind: "range", name: "temperature", label: w.temperature, min: 0.1, max: 5, step: 0.1, show: (v) => (+v).toFixed(1) },
      { kind: "choice", name: "where", label: w.where, options: [[ROW, w.row], [ALL, w.all]], row: "rows" },
      button("even", (d) => fill(d, () => Array(sizeOf(d)).fill(1), rowsMeant(d))),
      button("sharp", (d) => fill(d, (t) => oneHot(sizeOf(d), largest(weightsAt(d, t))), rowsMeant(d))),
      button("lock", (d) => locks(d, rowsMeant(d), rowsUndone(d))),
      button("free", (d) => fill(d, () => null, rowsUndone(d))),
      ...listControl(c),
    ];
  },
  accept: (c) => {
    const { settings: { steps, limit } } = c, { at, paint, brush, other } = c.state, most = limit + 1;
    const line = (text) => lineOf(text, c.settings);
    return {
      ...c.state, text: line(c.state.text), other: line(other), brush: [FRESH, DOWN, OFF].includes(brush) ? brush : UP,
      where: c.state.where === ALL ? ALL : ROW, list: c.state.list === true,
      paint: { text: line(paint?.text), rows: mendedRows(paint?.rows, steps, most), locked: mendedRows(paint?.locked, steps, most) },
      at: [index(at?.[0], steps), index(at?.[1], most)],
    };
  },
  moved: turned,
  advice: textAdvice,
  async *compute(c, ask) {
    if (view.advice(c)) return;                                  // the last right answer stays
    const ids = numbered(c.state.text, modelKind(c, c.state)), { length } = ids, { steps } = c.settings, held = heldRows(c.state, length);
    yield await ask({
      source_ids: { dims: [1, length], data: ids },
      painted: { dims: [1, steps, length], data: Array.from({ length: steps }, (_, t) => (held[t] ? shares(held[t]) : Array(length).fill(-1))).flat() },
      temperature: { dims: [1], data: [c.state.temperature] },
    });
  },
  act: (c, gesture) => {
    if (!here(c)) return;                                        // another text is being read
    return { press, drag, drop, click, key: () => typed(c, gesture.key) }[gesture.kind](c, gesture);
  },
  above: outputs,
  picture: heatMap,
  below: legend,
  sentence: (c) => {
    const [t, s] = looked(c), now = said(c, CHANGED), alone = said(c, ALONE), size = sizeOf(c), { w } = c, line = (reading) => lineSaid(reading, w);
    const how = t in lockedRows(shown(c), size) ? w.isLocked : t in paintedRows(shown(c), size) ? w.isPainted : w.isFree, { token, p } = now.steps[t];
    const rest = line(alone) === line(now) ? w.same : w.other(line(alone), chance(alone.p));
    return [
      w.cell(t + 1, names(c)[s], percentage(weightsAt(c, t)[s]), how), w.step(token ?? w.end, chance(p), differing(c, t, now, alone)),
      `${w.whole(tidy(c.result.of.text), line(now), chance(now.p))}; ${rest}.`,
    ];
  },
};

export default widget(view);
