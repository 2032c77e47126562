// repaint.js: paint a row of the attention matrix; the output is decoded anew from there (chapter 6).

const LEFT = 60, TOP = 28, CELL = 30;                          // layout, in SVG units

/** How many rows of the matrix are output: up to the end token, that row included. */
export const rowsOf = (ids, eos) => { const end = [...ids].indexOf(eos); return end < 0 ? ids.length : end + 1; };

/** The painted columns of row `t` as weights: equal shares of one. */
export const shares = (columns, length) => Array.from({ length }, (_, s) => (columns.includes(s) ? 1 / columns.length : 0));

/** What is painted, if it was painted on this word. */
const painted = (state) => (state.paint.word === state.word ? state.paint.rows : {});

const paint = (state, t, columns) => {
  const rows = { ...painted(state) };
  if (columns?.length) rows[t] = [...columns].sort((a, b) => a - b); else delete rows[t];
  return { ...state, paint: { word: state.word, rows } };
};

/** The cell under a point of the picture, or the nearest. */
export const cellAt = (x, y, rows, columns) =>
  ({ t: clamp(Math.floor((y - TOP) / CELL), 0, rows - 1), s: clamp(Math.floor((x - LEFT) / CELL), 0, columns - 1) });

/** Whether a point lies on the matrix, and not on its letters, sounds or margins. */
const onMatrix = (x, y, rows, columns) => x >= LEFT && y >= TOP && x < LEFT + columns * CELL && y < TOP + rows * CELL;

export const view = {
  name: "repaint",
  quiet: ["at"],
  words: {
    en: {
      title: "The attention matrix you can repaint",
      hint: "Press or drag along a row to decide where the decoder looks at that step. What it says from there on is computed anew.",
      picture: "Attention weights, a row for each sound spoken. Arrow keys move, space paints or clears a letter of the row, delete gives the row back to the model.",
      word: "Word", free: "Give this row back", freeAll: "Give all rows back", even: "Spread this row evenly", end: "end",
      sentence: (word, sounds, row, sound, where, p) =>
        `“${word}” is said ${sounds}. At step ${row} the decoder looks at ${where} and says ${sound} with probability ${p}.`,
      byHand: (letters) => `${letters} (painted by hand)`, most: (letter, w) => `“${letter}” most (${w})`, nothing: "nothing",
    },
  },
  start: (settings) => ({ word: settings.word, paint: { word: settings.word, rows: {} }, at: [0, 0] }),
  controls: (c) => {
    const row = ({ state }) => clamp(state.at[0], 0, c.settings.limit - 1);
    return [
      { kind: "text", name: "word", label: c.w.word, alphabet: c.settings.letters, max: c.settings.limit },
      { kind: "button", name: "even", label: c.w.even, act: (d) => paint(d.state, row(d), [...d.state.word, 0].map((_, s) => s)) },
      { kind: "button", name: "free", label: c.w.free, act: (d) => paint(d.state, row(d), null) },
      { kind: "button", name: "freeAll", label: c.w.freeAll, act: ({ state }) => ({ ...state, paint: { word: state.word, rows: {} } }) },
    ];
  },
  accept: ({ state, settings }) => {
    const rows = {}, length = state.word.length + 1, wish = state.paint?.word === state.word ? state.paint.rows : {};
    for (const [t, columns] of Object.entries(wish ?? {}))
      if (/^\d+$/.test(t) && +t < settings.limit && Array.isArray(columns)) {
        const inside = [...new Set(columns.filter((s) => Number.isInteger(s) && s >= 0 && s < length))];
        if (inside.length) rows[t] = inside;
      }
    const [t, s] = Array.isArray(state.at) ? state.at.map((v) => Math.trunc(+v) || 0) : [0, 0];
    return { ...state, paint: { word: state.word, rows }, at: [clamp(t, 0, settings.limit - 1), clamp(s ?? 0, 0, length - 1)] };
  },
  async *compute({ state, settings }, ask) {
    const ids = [...[...state.word].map((ch) => settings.letters.indexOf(ch)), settings.eos], rows = painted(state);
    if (ids.length < 2) return;
    yield await ask({
      source_ids: { dims: [1, ids.length], data: ids },
      painted: {
        dims: [1, settings.limit, ids.length],
        data: Array.from({ length: settings.limit }, (_, t) => (rows[t] ? shares(rows[t], ids.length) : Array(ids.length).fill(-1))).flat(),
      },
    });
  },
  act: (c, { kind, x, y, key }) => {
    const { state, result, settings } = c, columns = state.word.length + 1, rows = rowsOf(result.ids.data, settings.eos);
    if (state.word !== result.of.word) return;                  // a new word is being read
    if (kind === "press" || kind === "drag") {
      const { t, s } = cellAt(x, y, rows, columns);
      if (kind === "press" && !onMatrix(x, y, rows, columns)) return;
      if (kind === "press") return { ...paint(state, t, [s]), at: [t, s] };
      const row = state.at[0], before = painted(state)[row] ?? [];  // a drag stays in its row
      return before.includes(s) ? undefined : { ...paint(state, row, [...before, s]), at: [row, s] };
    }
    const [t, s] = state.at, move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -99], End: [0, 99] }[key];
    if (move) return { ...state, at: [clamp(t + move[0], 0, rows - 1), clamp(s + move[1], 0, columns - 1)] };
    if (key === " " || key === "Enter") {
      const before = painted(state)[t] ?? [];
      return paint(state, t, before.includes(s) ? before.filter((old) => old !== s) : [...before, s]);
    }
    if (key === "Delete" || key === "Backspace") return paint(state, t, null);
  },
  picture: (c) => {
    const { of } = c.result, letters = [...of.word, c.w.end], S = letters.length, T = rowsOf(c.result.ids.data, c.settings.eos);
    const here = c.state.word === of.word, rows = here ? painted(c.state) : {};
    const width = LEFT + S * CELL + 78, height = TOP + T * CELL + 6;
    const head = letters.map((ch, s) => `<text x="${LEFT + s * CELL + CELL / 2}" y="${TOP - 10}" text-anchor="middle">${esc(ch)}</text>`).join("");
    const body = Array.from({ length: T }, (_, t) => {
      const y = TOP + t * CELL, weights = rows[t] ? shares(rows[t], S) : c.result.weights.data.slice(t * S, (t + 1) * S);
      const cells = Array.from(weights, (w, s) =>
        `<rect class="grip" x="${LEFT + s * CELL + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" fill="var(--wash)"/>` +
        `<rect x="${LEFT + s * CELL + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" fill="var(--weight)" fill-opacity="${w.toFixed(3)}" pointer-events="none"/>`).join("");
      const frame = rows[t] ? `<rect x="${LEFT}" y="${y}" width="${S * CELL}" height="${CELL}" fill="none" stroke="var(--minus)" stroke-width="2" stroke-dasharray="4 2" pointer-events="none"/>` : "";
      return `<text x="${LEFT - 8}" y="${y + CELL / 2 + 4}" text-anchor="end" font-weight="600">${esc(sound(c, t))}</text>${cells}${frame}` +
        `<text class="soft" x="${LEFT + S * CELL + 8}" y="${y + CELL / 2 + 4}">${c.result.probabilities.data[t * 5].toFixed(2)} ${rows[t] ? "✎" : ""}</text>`;
    }).join("");
    const [t, s] = c.state.at, cursor = here && t < T && s < S ? `<rect class="cursor" x="${LEFT + s * CELL}" y="${TOP + t * CELL}" width="${CELL}" height="${CELL}" rx="3" pointer-events="none"/>` : "";
    return `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${esc(view.sentence(c))}">${head}${body}${cursor}</svg>`;
  },
  sentence: (c) => {
    const { of } = c.result, T = rowsOf(c.result.ids.data, c.settings.eos), t = clamp(c.state.at[0], 0, T - 1), letters = [...of.word, c.w.end], S = letters.length;
    const sounds = Array.from({ length: T }, (_, k) => k).filter((k) => c.result.ids.data[k] !== c.settings.eos).map((k) => sound(c, k)).join(" ");
    const row = c.state.word === of.word ? painted(c.state)[t] : undefined, weights = [...c.result.weights.data.slice(t * S, (t + 1) * S)];
    const best = weights.indexOf(Math.max(...weights));
    const where = row ? c.w.byHand(row.map((s) => `“${letters[s]}”`).join(" ")) : c.w.most(letters[best], weights[best].toFixed(2));
    return c.w.sentence(of.word, sounds || c.w.nothing, t + 1, sound(c, t), where, c.result.probabilities.data[t * 5].toFixed(2));
  },
};

/** What step `t` says. */
const sound = (c, t) => (c.result.ids.data[t] === c.settings.eos ? c.w.end : c.settings.phonemes[c.result.ids.data[t]]);

export default widget(view);
