// objectives.js: what is asked of a text, and who may look at whom, for tokens that the reader chooses: what objectives.py and
// painter.py do, held to them by tests/js/golden/objectives.json.
//
// An example is {inputs, truth, open, content, token, answer}, each a list over the rows of what is read: ids; the id that is
// asked there, or -1; which columns may be seen, 1 or 0; the same of the content stream, null if there is none; the place in the
// text of the token that the row asks, or stands for, null of none; and where among the inputs its answer stands, null if it
// stands nowhere.

const upTo = (length) => [...Array(length).keys()];
const masked = (length, mayLook) => upTo(length).map((t) => upTo(length).map((s) => +mayLook(t, s)));

/** An order of the places 0 … length - 1, another one for each draw. */
export function scrambled(length, draw) {
  const most = 2 ** 31 - 1, numbers = [];
  for (let seed = (1000003 * draw) % most; numbers.length < length;) numbers.push(seed = (seed * 48271) % most);
  return upTo(length).sort((a, b) => numbers[a] - numbers[b]);
}

/** The places that can be asked, among those of plain tokens. */
export const askable = (objective, plain, length) =>
  plain.filter((at) => !(at === 0 && ["causal", "prefix"].includes(objective)) && !(at === length - 1 && objective === "backward"));

/** The places that are asked before the reader chooses, among those of plain tokens. */
export function usual(objective, plain, { length, sentinels, draw }) {
  const or = (list) => (list.length ? list : plain.slice(-1));
  if (objective === "prefix") return plain.filter((at) => at >= Math.floor(length / 2));
  if (objective === "permuted") {
    const late = scrambled(length, draw).slice(-Math.max(1, Math.floor(length / 3)));
    return or(plain.filter((at) => late.includes(at)));
  }
  if (objective === "masked") return or(plain.filter((_, k) => k % 6 === 2));
  if (objective === "spans") return or(plain.filter((_, k) => [2, 3].includes(k % 6) && Math.floor(k / 6) < sentinels.length - 1));
  return askable(objective, plain, length);
}

/** Runs of neighbours in a rising list of places: [[3, 4], [7]]. */
export function runs(places) {
  const found = [];
  for (const at of places) if (found.at(-1)?.at(-1) === at - 1) found.at(-1).push(at); else found.push([at]);
  return found;
}

/** The example of one text, `ids`, in which the tokens at the places `asked` are asked for. */
export function example(objective, ids, asked, { mask, sentinels, draw }) {
  const length = ids.length, is = new Set(asked);
  const told = (way, mayLook) => {                              // the row that tells a token stands `way` before it
    const at = (t) => (t + way >= 0 && t + way < length ? t + way : null), truth = (t) => (is.has(at(t)) ? ids[at(t)] : -1);
    return { inputs: ids, truth: upTo(length).map(truth), open: masked(length, mayLook), content: null, token: upTo(length).map(at), answer: upTo(length).map(at) };
  };
  if (objective === "causal") return told(1, (t, s) => s <= t);
  if (objective === "backward") return told(-1, (t, s) => s >= t);
  if (objective === "prefix") return told(1, (t, s) => s <= t || s < Math.min(...asked));
  if (objective === "spans") return cutOut(ids, asked, sentinels);
  if (objective === "masked") return { ...told(0, () => true), inputs: ids.map((id, t) => (is.has(t) ? mask : id)), answer: Array(length).fill(null) };
  const rank = [];
  scrambled(length, draw).forEach((at, k) => { rank[at] = k; });
  return { ...told(0, (t, s) => rank[s] < rank[t]), content: masked(length, (t, s) => rank[s] <= rank[t]) };
}

/** Span corruption: the text with a sentinel for each run of what is asked, then each sentinel and what stood there. */
function cutOut(ids, asked, sentinels) {
  const spans = runs(asked), first = new Map(spans.map((span, k) => [span[0], sentinels[k]])), is = new Set(asked), row = [];
  ids.forEach((id, at) => { if (!is.has(at)) row.push([id, at]); else if (first.has(at)) row.push([first.get(at), at]); });
  const start = row.length;
  spans.forEach((span, k) => row.push([sentinels[k], span[0]], ...span.map((at) => [ids[at], at])));
  row.push([sentinels[spans.length], null]);
  const next = (t) => (t >= start - 1 && t + 1 < row.length ? t + 1 : null), inputs = row.map(([id]) => id);
  return {
    inputs, truth: upTo(row.length).map((t) => (next(t) === null ? -1 : inputs[next(t)])), open: masked(row.length, (t, s) => s <= t || s < start), content: null,
    token: row.map(([, at]) => at), answer: upTo(row.length).map(next),
  };
}

/** The rows where the answer itself can come to the place that is asked for it, within so many layers. */
export function leaks({ truth, answer, content }, open, layers) {
  const sees = (rows, t) => rows[t].flatMap((may, s) => (may ? [s] : []));
  return truth.flatMap((id, t) => {
    if (id < 0 || answer[t] === null) return [];
    const reached = new Set(content ? sees(open, t) : [t]);     // a query stream looks once, at contents that look at contents
    for (let layer = content ? 1 : 0, before = -1; layer < layers && reached.size > before; layer++) {
      before = reached.size;
      for (const from of [...reached]) for (const s of sees(content ?? open, from)) reached.add(s);
    }
    return reached.has(answer[t]) ? [t] : [];
  });
}
