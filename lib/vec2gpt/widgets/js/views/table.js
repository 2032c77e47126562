// table.js: rows to sort and to filter: the models of a family, or what each of them reached (chapter 14).
//
// A cell is a text, a number, [mean, spread], or null where nothing is known; such rows stand last, however they are sorted.
// parts: chapters

const LONGEST = 40;                                             // characters of what is looked for

const isNumber = ({ kind }) => kind !== "text";
const amount = (cell) => (Array.isArray(cell) ? cell[0] : cell);

/** A cell's number as it is read. */
const decimal = (x, digits) => x.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const grouped = (x, { kind, digits }) => (kind === "year" || kind === "chapter" ? String(x) : decimal(x, digits));

/** A cell as text: "0.801 ± 0.006". */
export function cellText(cell, column, w) {
  if (cell === null) return w.unknown;
  if (!isNumber(column)) return cell;
  const [mean, spread = null] = [cell].flat();
  return grouped(mean, column) + (spread === null ? "" : ` ± ${decimal(spread, column.digits)}`);
}

/** The places of the rows that are shown, in their order. */
export function order({ settings: { columns, rows }, state }) {
  const wanted = state.find.trim().toLowerCase(), column = columns[state.by], sign = state.down ? -1 : 1;
  const has = (row) => !wanted || row.some((cell, k) => cell !== null && columns[k].kind !== "number" && String(cell).toLowerCase().includes(wanted));
  const isKept = (row) => has(row) && columns.every(({ choices }, k) => !choices || !state[`only${k}`] || String(amount(row[k])) === state[`only${k}`]);
  const compare = (a, b) => (isNumber(column) ? a - b : a.localeCompare(b, "en", { numeric: true }));
  return [...rows.keys()].filter((k) => isKept(rows[k])).sort((a, b) => {
    const [x, y] = [a, b].map((k) => amount(rows[k][state.by]));
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    return sign * compare(x, y) || a - b;
  });
}

/** Whether a column is first sorted downwards: by what is better, else from A to Z and from few to many. */
export const downFirst = ({ better }) => better === "high";

/** The best number of a column among these rows; undefined where none is better. */
function best({ settings: { columns, rows } }, k, places) {
  const numbers = places.map((n) => amount(rows[n][k])).filter((x) => x !== null);
  return columns[k].better && numbers.length > 1 ? Math[columns[k].better === "low" ? "min" : "max"](...numbers) : undefined;
}

// ---- what is drawn ----

function headHTML(c) {
  const { w, state, settings: { columns } } = c;
  return columns.map((column, k) => {
    const isBy = k === state.by, sort = isBy ? (state.down ? "descending" : "ascending") : "none";
    return `<th scope="col" aria-sort="${sort}"${isNumber(column) ? ' class="number"' : ""}><button type="button" data-name="by" value="${k}">${esc(column.label || w.row)}<span aria-hidden="true">${isBy ? (state.down ? " ▼" : " ▲") : ""}</span></button></th>`;
  }).join("");
}

function cellHTML(c, cell, column, isBest) {
  const { w } = c, text = cellText(cell, column, w);
  if (cell !== null && column.kind === "chapter") return chapterHTML(cell, w.chapter(cell));
  return isBest ? `<strong>${esc(text)}</strong>` : esc(text);
}

function picture(c) {
  const { w, settings: { columns, rows, caption } } = c, places = order(c), tops = columns.map((_, k) => best(c, k, places));
  const body = places.map((n) => `<tr>${rows[n].map((cell, k) => {
    const html = cellHTML(c, cell, columns[k], cell !== null && tops[k] !== undefined && amount(cell) === tops[k]);
    return k ? `<td${isNumber(columns[k]) ? ' class="number"' : ""}>${html}</td>` : `<th scope="row">${html}</th>`;
  }).join("")}</tr>`);
  return `${caption ? `<p class="v2g-hint">${esc(caption)}</p>` : ""}<div class="v2g-scroll" tabindex="0" role="region" aria-label="${esc(caption || w.title)}">` +
    `<table class="v2g-table v2g-sorted"><thead><tr>${headHTML(c)}</tr></thead><tbody>${body.join("") || `<tr><td colspan="${columns.length}">${esc(w.none)}</td></tr>`}</tbody></table></div>`;
}

function sentence(c) {
  const { w, state, settings: { columns, rows } } = c, places = order(c), column = columns[state.by];
  if (!places.length) return w.nothing(rows.length);
  const first = rows[places[0]], value = first[state.by] === null || !state.by ? "" : cellText(first[state.by], column, w);
  return w.said(places.length, rows.length, column.label || w.row, state.down, isNumber(column), cellText(first[0], columns[0], w), value);
}

const chosenOf = (columns, state) => Object.fromEntries(columns.flatMap(({ choices }, k) => (choices ? [[`only${k}`, choices.includes(state[`only${k}`]) ? state[`only${k}`] : ""]] : [])));

export const view = {
  name: "table",
  words: {
    en: {
      title: "A table to sort",
      hint: "Press a column's head to sort by it, once more to turn the order round.",
      picture: "Table", find: "Find", all: "all", row: "what", unknown: "·", none: "No row fits.", chapter: (n) => `Chapter ${n}`,
      nothing: (all) => `None of ${all} rows fits: find something shorter, or choose “all”.`,
      said: (n, all, by, down, isNumber, first, value) =>
        `${n === all ? `${all} rows` : `${n} of ${all} rows`}, by ${by}, ${isNumber ? (down ? "highest" : "lowest") : down ? "Z" : "A"} first: ${first}${value ? `, ${value}` : ""}.`,
    },
  },
  start: ({ columns, by, down }) => ({ by, down, find: "", ...chosenOf(columns, {}) }),
  controls: ({ w, settings: { columns } }) => [
    { kind: "text", name: "find", label: w.find, max: LONGEST },
    ...columns.flatMap(({ choices, label }, k) => (choices ? [{ kind: "choice", name: `only${k}`, label, options: [["", w.all], ...choices.map((one) => [one, one])] }] : [])),
  ],
  moved(state, c) {
    if (typeof state.by !== "string") return state;             // a column's head was pressed
    const by = index(state.by, c.settings.columns.length);
    return { ...state, by, down: by === c.state.by ? !c.state.down : downFirst(c.settings.columns[by]) };
  },
  accept({ settings: { columns }, state }) {
    const find = typeof state.find === "string" ? [...state.find].slice(0, LONGEST).join("") : "";
    return { by: index(state.by, columns.length), down: Boolean(state.down), find, ...chosenOf(columns, state) };
  },
  async *compute() { yield {}; },
  picture,
  sentence,
};
view.quiet = ["by", "down", "find", ...Array.from({ length: 20 }, (_, k) => `only${k}`)];   // nothing is computed elsewhere

export default widget(view);
