// composer.js: a schedule and a thawing plan to compose: the rate of each group of layers at each step, and the Python that
// trains a model so (chapter 11).
//
// There is no model: schedules.js has the schedules and plans of Python, compositions.js puts them together.
// parts: schedules, compositions

const LEFT = 80, WIDE = 256, RIGHT = 58, TOP = 18, HIGH = 62, MAP = TOP + HIGH + 24, ROW = 19;   // layout, in SVG units
const FAINT = 1e-3;                                             // of the highest rate: what is lower is shaded no less
const HATCH = 6;                                                // from one stroke to the next

// ---- what is shown: the composition; while it does not go together, the last that did ----

const known = new WeakMap();                                    // settings → what came of the last few compositions

function found(c, composition) {
  const before = known.get(c.settings) ?? [], key = JSON.stringify(composition), old = before.find(([name]) => name === key);
  if (old) return old[1];
  const value = composed(c, composition);
  known.set(c.settings, [[key, value], ...before].slice(0, 30));
  return value;
}

const ownOf = (c) => found(c, compositionOf(c, c.state));

/** {composition, groups, rates, at, group}: the last two where the cursor is. */
export function shown(c) {
  const own = ownOf(c), composition = compositionOf(c, own.fault ? c.result.of : c.state), { groups, rates } = own.fault ? found(c, composition) : own;
  return { composition, groups, rates, at: index(c.state.at, composition.steps), group: index(c.state.group, groups.length) };
}

const equal = (a, b) => Math.abs(a - b) <= 1e-12 * Math.max(a, b);

/** The way that trains just so, of those that can be measured; "" for none. */
export function wayOf(c, state) {
  const { rates, groups } = found(c, compositionOf(c, state));
  const isSame = ([, way]) => way.steps === state.steps && way.layers === +state.layers && found(c, way).rates.every((row, g) => row.every((x, t) => equal(x, rates[g][t])));
  return rates && groups ? c.settings.ways.find(isSame)?.[0] ?? "" : "";
}

/** The step from which a group learns; -1 for never. */
const firstStep = (row) => row.findIndex((rate) => rate > 0);

// ---- numbers in words ----

const exact = (x) => x.toLocaleString("en");

/** A rate in two digits. */
export const brief = (x) => (x === 0 ? "0" : x >= 0.0095 ? String(Number(x.toPrecision(2))) : x.toExponential(1).replace(".0e", "e"));
const sum = (row) => row.reduce((a, b) => a + b, 0);
const percent = (x) => (x > 0 && x < 0.005 ? "under 1%" : x < 1 && x >= 0.995 ? "over 99%" : `${Math.round(100 * x)}%`);
const ratio = (x) => (x >= 0.995 && x < 1 ? "nearly 1" : x >= 0.095 ? x.toFixed(2) : brief(x));

/** What the chosen number does, for each kind of schedule. */
function numbered(c, share) {
  const { kind, steps } = c.state, { takes, whole } = kindOf(c, kind);
  return takes ? c.w.numbers[takes](whole ? optionsOf(c, { kind, share, steps })[takes] : share) : c.w.noNumber;
}

const upperFirst = (text) => text[0].toUpperCase() + text.slice(1);

// ---- the picture ----

const write = (x, y, text, anchor, look = 'class="soft"') => `<text ${look} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${esc(text)}</text>`;

/** Where the runs of frozen steps of a row begin and end. */
export function frozenRuns(row) {
  const edges = [];
  row.forEach((rate, t) => { if ((rate === 0) !== (edges.length % 2 === 1)) edges.push(t); });
  if (edges.length % 2) edges.push(row.length);
  return edges.flatMap((from, k) => (k % 2 ? [] : [[from, edges[k + 1]]]));
}

/** Strokes from below left to above right over a rectangle, cut at its edges; as a path. */
export function hatched(x0, x1, y, high) {
  let path = "";
  for (let x = Math.ceil((x0 - high) / HATCH) * HATCH; x < x1; x += HATCH) {
    const from = Math.max(x, x0), to = Math.min(x + high, x1);
    if (to > from) path += `M${from.toFixed(1)} ${(y + high - (from - x)).toFixed(1)}L${to.toFixed(1)} ${(y + high - (to - x)).toFixed(1)}`;
  }
  return path;
}

/** The rates between which shades differ. */
export function shadeRange(rates) {
  const all = rates.flat().filter((rate) => rate > 0), high = Math.max(...all);
  return [Math.min(high / 10, Math.max(Math.min(...all), high * FAINT)), high];
}

/** Rates as numbers for `shaded`: at least the palest of its shades, 0 where a group is frozen. */
function depths(rates) {
  const [low, high] = shadeRange(rates), depth = (rate) => (rate > 0 ? 1 / 8 + (7 / 8) * clamp(Math.log(rate / low) / Math.log(high / low), 0, 1) : 0);
  return rates.map((row) => row.map(depth));
}

/** A row's rates as a line of stairs. */
function stairs(row, most) {
  const wide = WIDE / row.length, y = (rate) => (TOP + HIGH * (1 - rate / most)).toFixed(1);
  return row.map((rate, t) => `${t ? "V" : `M${LEFT} `}${y(rate)}H${(LEFT + (t + 1) * wide).toFixed(1)}`).join("");
}

function curve(c, { rates, groups, group, composition: { lr } }) {
  const isHead = group === groups.length - 1, top = c.w.curve(groups[group]);
  return write(LEFT, TOP - 6, top, "start", "") + write(LEFT - 5, TOP + 5, brief(lr), "end") + write(LEFT - 5, TOP + HIGH + 4, "0", "end") +
    `<path class="axis" fill="none" d="M${LEFT} ${TOP}h${WIDE}M${LEFT} ${TOP + HIGH}h${WIDE}"/>` +
    (isHead ? "" : `<path d="${stairs(rates.at(-1), lr)}" fill="none" stroke="var(--soft)" stroke-dasharray="3 3"/>`) +
    `<path d="${stairs(rates[group], lr)}" fill="none" stroke="var(--input)" stroke-width="2.5"/>`;
}

function chart(c, { rates, groups, group, at, composition: { steps } }) {
  const upward = [...rates].reverse(), wide = WIDE / steps, high = ROW * groups.length;
  const strokes = upward.flatMap((row, r) => frozenRuns(row).map(([from, to]) => hatched(from * wide, to * wide, r * ROW, ROW))).join("");
  const lines = upward.map((_, r) => `M0 ${r * ROW}h${WIDE}`).join("") + `M0 ${high}h${WIDE}`;
  const named = upward.map((row, r) => {
    const g = groups.length - 1 - r, y = MAP + r * ROW + 14, look = g === group ? 'font-weight="700"' : "";
    return write(LEFT - 5, y, groups[g], "end", look) + write(LEFT + WIDE + 6, y, brief(sum(row)), "start", look || 'class="soft"');
  });
  return write(LEFT + WIDE + RIGHT, MAP - 6, c.w.sum, "end") + named.join("") +
    `<g transform="translate(${LEFT} ${MAP})">${shaded(depths(upward), wide, ROW, "var(--input)")}<path d="${strokes}" stroke="var(--soft)" stroke-opacity=".7" fill="none"/><path class="axis" d="${lines}" fill="none"/></g>` +
    (at < steps / 5 ? "" : write(LEFT, MAP + high + 15, "1", "start")) + (at > 0.7 * steps ? "" : write(LEFT + WIDE, MAP + high + 15, String(steps), "end"));
}

function pointer(c, { groups, group, at, composition: { steps } }) {
  const wide = WIDE / steps, x = LEFT + (at + 0.5) * wide, low = MAP + ROW * groups.length, row = MAP + (groups.length - 1 - group) * ROW, box = Math.max(wide, 5);
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP}" y2="${low}" stroke="var(--ink)" stroke-width="1.2"/>` +
    `<rect class="cursor" x="${(x - box / 2).toFixed(1)}" y="${row}" width="${box.toFixed(1)}" height="${ROW}" rx="2"/>` +
    write(clamp(x, LEFT + 30, LEFT + WIDE - 30), low + 15, c.w.step(at + 1), "middle", 'font-weight="600"');
}

function picture(c) {
  const all = shown(c), high = MAP + ROW * all.groups.length + 22;
  return `<svg viewBox="0 0 ${LEFT + WIDE + RIGHT} ${high}" width="100%" style="max-width:36rem;touch-action:pan-y pinch-zoom" role="img" aria-label="${esc(view.sentence(c).join(" "))}">` +
    curve(c, all) + chart(c, all) + pointer(c, all) + "</svg>";
}

function below(c) {
  const { w, settings } = c, { composition, rates, groups, group } = shown(c), [low, high] = shadeRange(rates), swatch = (drawing, text, wide = 18) => `<li><svg width="${wide}" height="14" aria-hidden="true">${drawing}</svg><span>${esc(text)}</span></li>`;
  const steps = Array.from({ length: 8 }, (_, k) => `<rect x="${k * 7}" width="7" height="14" fill="var(--input)" fill-opacity="${(k + 1) / 8}"/>`).join("");
  const dashes = '<path d="M0 7h18" stroke="var(--soft)" stroke-dasharray="3 3"/>', legend = [
    swatch(steps, w.shades(brief(low), brief(high)), 56), swatch(`<path d="${hatched(0, 18, 0, 14)}" stroke="var(--soft)"/>`, w.isFrozen),
    ...(group === groups.length - 1 ? [] : [swatch(dashes, w.isHead)]),
  ];
  return `<ul class="v2g-legend">${legend.join("")}</ul><p class="v2g-hint">${esc(w.sums)} ${esc(w.task(settings.task.labels))}</p><p class="v2g-hint">${esc(w.code)}</p>` +
    `<pre style="background:var(--wash);color:var(--ink);border:1px solid var(--line);border-radius:5px;padding:.5em .7em;margin:.3rem 0;font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere">${esc(codeOf(c, composition))}</pre>`;
}

// ---- sentences ----

/** What the chosen group does at the chosen step. */
function learning({ w }, { rates, groups, group, at }) {
  const name = w.group(groups[group]), row = rates[group], rate = row[at], start = firstStep(row), head = rates.at(-1)[at];
  if (start < 0) return w.never(upperFirst(name));
  if (!rate) return w.until(upperFirst(name), start + 1);
  return group === groups.length - 1 ? w.alone(upperFirst(name), brief(rate)) : rate === head ? w.same(upperFirst(name), brief(rate)) : w.learns(upperFirst(name), brief(rate), ratio(rate / head));
}

/** What a measured way has reached; or that nobody has measured this. */
function verdict({ settings: { measured, task }, w }, way) {
  const one = measured[way];
  if (!one) return w.unmeasured;
  return w.measured(one.mean.toFixed(3), one.spread === null ? "" : one.spread.toFixed(3), exact(task.asked), w.seeds[one.seeds] ?? w.manySeeds(one.seeds));
}

function sentence(c) {
  const { w, state } = c, all = shown(c), { rates, groups, group, at, composition: { steps } } = all, total = sum(rates[group]);
  const learn = rates.filter((row) => row[at] > 0).length, saved = savedShare(all);
  return [
    ...(ownOf(c).fault ? [w.stays] : []),
    w.now(at + 1, steps, learn, groups.length), learning(c, all), ...(total ? [w.total(brief(total))] : []),
    saved ? w.saved(percent(saved)) : w.none, ...(ownOf(c).fault ? [] : [verdict(c, state.way)]),
  ];
}

// ---- gestures ----

/** The state with the cursor at a place of the picture. */
function moveTo(c, { x, y, from }) {
  const { groups, composition: { steps } } = shown(c), at = index(Math.floor(((x - LEFT) / WIDE) * steps), steps), row = Math.floor((y - MAP) / ROW);
  const group = from.y < MAP ? c.state.group : index(groups.length - 1 - row, groups.length);
  return { ...c.state, group, ...(from.x < LEFT || from.x > LEFT + WIDE ? {} : { at }) };
}

const isInside = (c, { x, y }) => x >= 0 && x <= LEFT + WIDE + RIGHT && y >= TOP && y < MAP + ROW * shown(c).groups.length && (y < TOP + HIGH || y >= MAP);

function keyed(c, key) {
  const { at, group, groups, composition: { steps } } = shown(c), far = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -steps, End: steps }[key], turn = { ArrowUp: 1, ArrowDown: -1 }[key];
  if (far) return { ...c.state, at: clamp(at + far, 0, steps - 1), group };
  if (turn) return { ...c.state, at, group: clamp(group + turn, 0, groups.length - 1) };
}

// ---- the state ----

/** A number within limits, from whatever a link or a hand has given; `other` for what is none. */
function between(value, [low, high], other) {
  const x = ["number", "string"].includes(typeof value) ? parseFloat(value) : NaN;
  return Number.isFinite(x) ? clamp(x, low, high) : other;
}

function mended(c) {
  const { settings, state } = c, { limits, rates, layers: sizes, kinds } = settings, start = { ...stateOf(settings, settings.start), at: 0, group: 0 };
  const layers = sizes.includes(String(state.layers)) ? String(state.layers) : start.layers, size = +layers + 2, within = (name, ends = limits[name]) => Math.round(between(state[name], ends, start[name]));
  const steps = within("steps"), mended = {
    kind: kinds.some(([name]) => name === state.kind) ? state.kind : start.kind, share: within("share"), rate: within("rate", [0, rates.length - 1]), steps,
    decay: between(state.decay, limits.decay, start.decay), every: within("every"), still: within("still", [0, size]), layers, at: within("at", [0, steps - 1]), group: within("group", [0, size - 1]),
  };
  return { way: wayOf({ ...c, state: mended }, mended), ...mended };
}

/** What a control takes with it: a way the whole composition, a kind its usual number, other layers the cursor, which keeps its place from the top. */
function moved(state, c) {
  const { settings } = c, chosen = state.way === c.state.way ? undefined : settings.ways.find(([name]) => name === state.way)?.[1];
  const next = chosen ? { ...state, ...stateOf(settings, chosen) } : state.kind === c.state.kind ? state : { ...state, share: kindOf(c, state.kind).usual };
  return { ...next, group: Math.max(0, state.group + Number(next.layers) - Number(c.state.layers)) };
}

export const view = {
  name: "composer",
  quiet: ["at", "group"],
  words: {
    en: {
      title: "Which layers learn, when, and how fast",
      hint: "Begin with a way that was measured, or compose your own. Press or drag in the map: what does this group of layers do at this step?",
      picture: "Map of the groups of layers, the head on top, over the steps. Left and right move the step, page up and down by ten, home and end to the first and the last; up and down choose the group.",
      way: "Ways", own: "your own", kind: "Schedule", rate: "Highest rate", share: "Its number", steps: "Steps", decay: "Rate of the next group below", every: "Thawing", still: "Frozen throughout", layers: "Blocks",
      kinds: { constant: "constant", step: "step", exponential: "exponential", linear: "linear", "warm-up, linear": "warm-up, then linear", "warm-up, cosine": "warm-up, then cosine", "slanted triangle": "slanted triangle", "one cycle": "one cycle", cyclical: "cyclical" },
      numbers: {
        every: (n) => `falls every ${n} ${n === 1 ? "step" : "steps"}`, end: (share) => `falls to ${share}%`, warmup: (n) => `rises for ${n} ${n === 1 ? "step" : "steps"}`,
        cut: (share) => `rises for ${share}% of the steps`, peak: (share) => `rises for ${share}% of the steps`, period: (n) => `a cycle is ${n} ${n === 1 ? "step" : "steps"}`,
      },
      noNumber: "it has none", below: (decay) => (decay === 1 ? "the same" : `× ${decay}`), thaws: (n) => (n ? `one more every ${n} ${n === 1 ? "step" : "steps"}` : "all at once"),
      none: "No backward pass through a block is saved: something learns in block 1 or below it at every step.",
      stillNow: (groups) => (!groups.length ? "none" : groups.length === 1 ? groups[0] : `${groups[0]} … ${groups.at(-1)}`),
      sum: "sum of rates", step: (n) => `step ${n}`, curve: (name) => `rate of: ${name}`,
      shades: (low, high) => `rate, ${low} or less … ${high}`, isFrozen: "frozen", isHead: "the head's rate, above",
      sums: "Beside each group stands the sum of its rates: with AdamW a number moves about its rate at each step, so it ends no further than about that from where it began.",
      task: (labels) => `Measured is which share of other texts MiniLM puts in the right class when it is tuned so on ${labels}; ± is the standard deviation over the seeds.`,
      code: "The Python that does the same to your own model, with a function draw that gives batches:",
      group: (name) => (name.startsWith("block") ? name : `the ${name}`),
      now: (step, steps, learn, all) => `Step ${step} of ${steps}: ${learn} of ${all} groups ${learn === 1 ? "learns" : "learn"}.`,
      learns: (name, rate, ratio) => `${name} learns at ${rate}, ${ratio} of the head's rate.`, same: (name, rate) => `${name} learns at ${rate}, like the head.`, alone: (name, rate) => `${name} learns at ${rate}.`,
      until: (name, step) => `${name} is frozen, and learns from step ${step} on.`, never: (name) => `${name} is frozen throughout.`, total: (total) => `Its rates add up to ${total}.`,
      saved: (share) => `${upperFirst(share)} of the backward passes through blocks are never computed: at those steps nothing learns in the block or below it.`,
      measured: (mean, spread, asked, seeds) => `Measured: ${mean}${spread && ` ± ${spread}`} of ${asked} texts, ${seeds}.`, unmeasured: "Not measured.",
      seeds: ["no seed", "one seed", "two seeds", "three seeds", "four seeds", "five seeds", "six seeds", "seven seeds", "eight seeds", "nine seeds", "ten seeds"], manySeeds: (n) => `${n} seeds`,
      stays: "Picture and code are of the last composition that goes together.",
    },
  },
  start: (settings) => {
    const { layers, steps } = settings.start;
    return mended({ settings, state: { ...stateOf(settings, settings.start), at: Math.floor(steps / 2), group: layers - 1 } });
  },
  controls: (c) => {
    const { settings: { kinds, layers, limits, measured, rates, ways }, w, state } = c, range = (name, step, show) => ({ kind: "range", name, label: w[name], min: limits[name][0], max: limits[name][1], step, show });
    return [
      { kind: "choice", name: "way", label: w.way, options: [["", w.own], ...ways.map(([name]) => [name, name + (measured[name] ? ` · ${measured[name].mean.toFixed(3)}` : "")])] },
      { kind: "choice", name: "kind", label: w.kind, row: "kind", options: kinds.map(([name]) => [name, w.kinds[name] ?? name]) },
      { ...range("share", 1, (share) => numbered(c, Math.round(share))), row: "kind" },
      { kind: "range", name: "rate", label: w.rate, min: 0, max: rates.length - 1, step: 1, show: (rate) => brief(rates[Math.round(rate)]) },
      range("steps", 10, (steps) => Math.round(steps)),
      range("decay", 0.01, w.below), range("every", 1, (every) => w.thaws(Math.round(every))),
      { kind: "range", name: "still", label: w.still, min: 0, max: Math.max(...layers) + 2, step: 1, show: (still) => w.stillNow(groupsOf({ layers: +state.layers }).slice(0, Math.round(still))) },
      { kind: "choice", name: "layers", label: w.layers, options: layers.map((size) => [size, size]) },
    ];
  },
  accept: mended,
  moved,
  advice: (c) => ownOf(c).fault ?? null,
  async *compute(c) {
    const { rates, groups } = ownOf(c);
    if (rates) yield { rates: { dims: [groups.length, rates[0].length], data: rates.flat() } };
  },
  act: (c, gesture) => {
    if (gesture.kind === "key") return keyed(c, gesture.key);
    if (gesture.kind === "press" && isInside(c, gesture)) return moveTo(c, { ...gesture, from: gesture });
    if (gesture.kind === "drag") return moveTo(c, gesture);
  },
  picture, below, sentence,
};

export default widget(view);
