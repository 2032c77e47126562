// calculator.js: what a text costs each kind of model, the longer it gets: lines by formula, dots as measured (chapter 8).
//
// Both axes are logarithmic, so that a power of n is a straight line. No formula stands here: what they give comes from the
// model, and how they read from the settings.
// parts: amounts

const LEFT = 44, WIDE = 300, RIGHT = 56, TOP = 34, HIGH = 240;  // layout, in SVG units
const STEP = 1 / 8;                                             // of the slider and the arrow keys, in powers of two
const NEAR = 14;                                                // a press so near to a line chooses it
const LOOKS = {                                                 // of each kind: colour, dashes, width, and the mark of its dots
  LSTM: ["cell", "", 2, '<circle r="4"/>'],
  plain: ["minus", "", 5, '<rect x="-3.6" y="-3.6" width="7.2" height="7.2"/>'],   // the next may lie on it
  thrifty: ["weight", "", 2, '<path d="M0-5 4.6 3.6H-4.6z"/>'],
  local: ["value", "7 3", 2, '<path d="M0-5.4 5.4 0 0 5.4-5.4 0z"/>'],
  linear: ["candidate", "2 3", 2.5, '<path d="M0 5 4.6-3.6H-4.6z"/>'],
};
const FIELDS = { length: "n", width: "D", heads: "H", layers: "N", batch: "B", window: "w" };   // and as formulas call them

// ---- what is typed ----

/** The fields as numbers. */
const typed = (state) => Object.fromEntries(Object.keys(FIELDS).map((name) => [name, whole(state[name])]));

/** The first field that cannot be answered: {name, offers}; null if there is none. */
export function fault({ state, settings: { limits, start } }) {
  const numbers = typed(state);
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = numbers[name];
    if (!(value >= least && value <= most)) return { name, offers: [Number.isNaN(value) ? start[name] : clamp(value, least, most)] };
  }
  const { width, heads } = numbers, fits = divisors(width, limits.heads[1]), below = fits.filter((k) => k < heads).at(-1), above = fits.find((k) => k > heads);
  return width % heads ? { name: "heads", shares: true, offers: [below, above].filter(Boolean) } : null;
}

/** The numbers of the last answer. */
const asked = (c) => c.result.asked ?? typed(c.result.of);

// ---- what the answer says ----

const isTime = (what) => what === "read" || what === "write";
const unitOf = (what) => (isTime(what) ? 1000 : 1024);           // from one tick of the axis, or name of a size, to the next
const amount = (what, x, w) => (isTime(what) ? w.operations(scaled(x, 1000, w.sizes)) : scaled(x, 1024, w.bytes));

/** The costs of a kind: those of its line, and those of the length asked and of twice that. */
export function costs(c, kind, what = c.state.what) {
  const { dims: [, size], data } = c.result[what], at = c.settings.kinds.indexOf(kind), all = Array.from(data.slice(at * size, (at + 1) * size));
  return { line: all.slice(0, -2), here: all.at(-2), twice: all.at(-1) };
}

const shown = (c) => c.settings.kinds.filter((kind) => c.state[kind]);
const chosen = (c) => c.settings.kinds[c.state.at];
const measured = (c) => c.settings.measured[c.state.what] ?? {};

/** Whether the shape is the one that was measured. */
const same = (c) => Object.entries(c.settings.start).every(([name, value]) => name === "length" || asked(c)[name] === value);

/** The most operations a second that any kind reached, which ties the axis of time to that of operations; 0 if none was timed. */
export const best = (c) => Math.max(0, ...Object.values(measured(c)).flatMap(({ rates }) => rates ?? []));

/** A measured cost as a place on the axis of the lines. */
const onAxis = (c, cost) => (isTime(c.state.what) ? cost * best(c) : cost);

// ---- the picture ----

/** The powers of `unit` between which all costs lie that are drawn. */
export function span(c) {
  const drawn = shown(c).flatMap((kind) => [...costs(c, kind).line, ...(measured(c)[kind]?.points ?? []).map(([, cost]) => onAxis(c, cost))]).filter((x) => x > 0);
  const logs = (drawn.length ? drawn : [1]).map((x) => Math.log(x) / Math.log(unitOf(c.state.what))), low = Math.floor(Math.min(...logs) + 1e-9);
  return [low, Math.max(low + 1, Math.ceil(Math.max(...logs) - 1e-9))];
}

/** The scales: x of a length, y of a cost. */
function scales(c) {
  const [least, most] = c.settings.limits.length, [low, high] = span(c), unit = unitOf(c.state.what);
  return {
    low, high, unit,
    x: (n) => LEFT + (Math.log(n / least) / Math.log(most / least)) * WIDE,
    y: (cost) => TOP + HIGH - ((Math.log(cost) / Math.log(unit) - low) / (high - low)) * HIGH,
  };
}

const write = (x, y, text, anchor, look = 'class="soft"') => `<text ${look} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
const points = (list, { x, y }) => list.map(([n, cost]) => `${x(n).toFixed(1)},${y(cost).toFixed(1)}`).join(" ");

function axes(c, at) {
  const { low, high, unit, x, y } = at, { what } = c.state, [least, most] = c.settings.limits.length, rate = best(c), ticks = [];
  for (let k = low; k <= high; k++) {
    const name = isTime(what) ? `10<tspan dy="-4" style="font-size:9px">${3 * k}</tspan>` : `1 ${esc(c.w.bytes[k] ?? "")}`;
    ticks.push(`<line class="axis" x1="${LEFT}" x2="${LEFT + WIDE}" y1="${y(unit ** k)}" y2="${y(unit ** k)}"/>${write(LEFT - 5, y(unit ** k) + 4, name, "end")}`);
  }
  for (let n = least; n <= most; n *= 16) ticks.push(`<line class="axis" x1="${x(n)}" x2="${x(n)}" y1="${TOP}" y2="${TOP + HIGH}"/>${write(x(n), TOP + HIGH + 15, exact(n), "middle")}`);
  const times = isTime(what) && rate ? TIMES.map((time, k) => [y(time * rate), c.w.time("1", k)]).filter(([height]) => height >= TOP && height <= TOP + HIGH) : [];
  return ticks.join("") + times.map(([height, text]) => `<line x1="${LEFT + WIDE}" x2="${LEFT + WIDE + 4}" y1="${height}" y2="${height}" stroke="var(--soft)"/>${write(LEFT + WIDE + 7, height + 4, esc(text), "start")}`).join("");
}

/** A kind's line by formula, its dots, and the line that fits them. */
function drawn(c, kind, at) {
  const [colour, dashes, wide, mark] = LOOKS[kind], line = costs(c, kind).line.map((cost, k) => [c.settings.lengths[k], cost]).filter(([, cost]) => cost > 0), found = measured(c)[kind];
  const stroke = (width, dash, more = "") => `fill="none" stroke="var(--${colour})" stroke-width="${width}"${dash ? ` stroke-dasharray="${dash}"` : ""}${more}`;
  const formula = line.length ? `<polyline points="${points(line, at)}" ${stroke(wide + (kind === chosen(c)), dashes, kind === "plain" ? ' stroke-opacity="0.55"' : "")}/>` : "";
  if (!found) return formula;
  const [n, cost] = found.middle, ends = [found.points[0][0], found.points.at(-1)[0]].map((end) => [end, onAxis(c, cost * (end / n) ** found.exponent)]);
  const dots = found.points.map(([length, value]) => `<g transform="translate(${at.x(length).toFixed(1)} ${at.y(onAxis(c, value)).toFixed(1)})" fill="var(--${colour})" stroke="var(--paper)"${same(c) ? "" : ' opacity="0.5"'}>${mark}</g>`);
  return `${formula}<polyline points="${points(ends, at)}" ${stroke(1.5, "1 2")}/>${dots.join("")}`;
}

function cursor(c, at) {
  const { state, w } = c, n = fault(c) ? asked(c).length : whole(state.length), here = costs(c, chosen(c)).here, place = at.x(n), end = place > LEFT + WIDE - 40 ? "end" : place < LEFT + 40 ? "start" : "middle";
  return `<line x1="${place.toFixed(1)}" x2="${place.toFixed(1)}" y1="${TOP}" y2="${TOP + HIGH}" stroke="var(--ink)" stroke-width="1.5"/>${write(place, TOP - 6, esc(w.at(exact(n))), end, 'font-weight="600"')}` +
    (state[chosen(c)] && here > 0 ? `<circle class="cursor" cx="${at.x(asked(c).length).toFixed(1)}" cy="${at.y(here).toFixed(1)}" r="7"/>` : "");
}

/** From which length on attention is most of a block, as a formula. */
const evenLength = ({ settings }) => `n = ${settings.even.replaceAll(" · ", " ")}`.replaceAll(" ", "\u00a0");

/** Where attention comes to be half of a block. */
function even(c, { x }) {
  const n = c.result.even.data[0], [least, most] = c.settings.limits.length;
  if (!isTime(c.state.what) || n < least || n > most || !(c.state.plain || c.state.thrifty)) return "";
  const left = x(n) > LEFT + WIDE - 50 || (x(asked(c).length) > x(n) && x(asked(c).length) < x(n) + 50);   // not under the cursor
  return `<line x1="${x(n)}" x2="${x(n)}" y1="${TOP}" y2="${TOP + HIGH}" stroke="var(--soft)" stroke-dasharray="3 3"/>${write(x(n) + (left ? -4 : 4), TOP + 13, esc(evenLength(c)), left ? "end" : "start", 'class="soft haloed"')}`;
}

function picture(c) {
  const at = scales(c), { what } = c.state, rate = isTime(what) && best(c);
  return `<svg viewBox="0 0 ${LEFT + WIDE + RIGHT} ${TOP + HIGH + 20}" width="100%" style="max-width:36rem" role="img" aria-label="${esc(view.sentence(c).join(" "))}">` +
    write(2, 12, esc(c.w.axes[what]), "start", "") + (rate ? write(LEFT + WIDE + RIGHT, 12, esc(c.w.rate(scaled(rate, 1000, c.w.sizes))), "end") : "") +
    axes(c, at) + even(c, at) + shown(c).map((kind) => drawn(c, kind, at)).join("") + cursor(c, at) + "</svg>";
}

// ---- beside the picture: each kind in words and numbers ----

const sample = (kind) => { const [colour, dashes, wide, mark] = LOOKS[kind]; return `<svg width="30" height="12" viewBox="0 0 30 12" aria-hidden="true"><line x1="0" x2="30" y1="6" y2="6" stroke="var(--${colour})" stroke-width="${Math.min(wide, 4)}"${dashes ? ` stroke-dasharray="${dashes}"` : ""}${kind === "plain" ? ' stroke-opacity="0.55"' : ""}/><g transform="translate(15 6)" fill="var(--${colour})">${mark}</g></svg>`; };

/** What a kind's cost was, measured for this very model and length; undefined if it was not. */
const dotOf = (c, kind) => (same(c) ? measured(c)[kind]?.points.find(([length]) => length === asked(c).length)?.[1] : undefined);

/** A kind's operations as time, at the rate that was measured for it nearest to this length; undefined where nothing was timed. */
export function estimate(c, kind, operations) {
  const { points: list = [], rates } = measured(c)[kind] ?? {}, far = ([n]) => Math.abs(Math.log(n / asked(c).length));
  return rates && operations / rates[list.reduce((a, point, k) => (far(point) < far(list[a]) ? k : a), 0)];
}

/** Measured seconds or bytes, or if there are none the time that is to be expected; "" for neither. */
function told(c, kind, cost) {
  const { w, state: { what } } = c, dot = dotOf(c, kind), time = estimate(c, kind, cost);
  if (dot !== undefined) return w.measured(isTime(what) ? duration(dot, w.time) : amount(what, dot, w));
  return time ? w.about(duration(time, w.time)) : "";
}

const signed = (x) => x.toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", "−");

function row(c, kind) {
  const { state: { what }, settings: { formulas, kinds }, w } = c, { here } = costs(c, kind), formula = formulas[what][kinds.indexOf(kind)], found = measured(c)[kind];
  const value = here > 0 ? [amount(what, here, w), told(c, kind, here)].filter(Boolean).map(esc).join("<br>") : esc(w.nothing);
  const name = esc(w.kinds[what][kind]), grows = found ? `<br>${esc(w.grows(signed(found.exponent)))}` : "";
  const reads = here > 0 ? `${esc(formula.replaceAll(" · ", " "))}<br>= ${esc(filled(formula, Object.fromEntries(Object.entries(FIELDS).map(([name, letter]) => [letter, asked(c)[name]]))))}` : "0";
  return `<tr><th scope="row">${sample(kind)} ${kind === chosen(c) ? `<strong>${name}</strong>` : name}${grows}</th><td>${value}</td><td style="overflow-wrap:anywhere">${reads}</td></tr>`;
}

function below(c) {
  const { settings: { start }, w } = c, all = shown(c), has = all.some((kind) => measured(c)[kind]);
  const head = [w.kind, w.here(exact(asked(c).length)), w.formula].map((text) => `<th scope="col"><strong>${esc(text)}</strong></th>`).join("");
  return (all.length ? `<table class="v2g-table"><thead><tr>${head}</tr></thead><tbody>${all.map((kind) => row(c, kind)).join("")}</tbody></table>` : "") +
    `<p class="v2g-hint">${esc(has ? [w.dots(start), same(c) ? "" : w.stay, best(c) ? w.rates : ""].filter(Boolean).join(" ") : w.noDots)}</p>`;
}

// ---- sentences ----

/** How the chosen kind stands beside the cheapest other that is drawn. */
function beside(c) {
  const own = costs(c, chosen(c)).here, others = shown(c).filter((kind) => kind !== chosen(c)).map((kind) => [kind, costs(c, kind).here]).filter(([, cost]) => cost > 0);
  if (!others.length || !(own > 0)) return "";
  const [kind, least] = others.reduce((a, b) => (b[1] < a[1] ? b : a)), name = c.w.kinds[c.state.what][kind], ratio = own / least;
  return ratio > 1.005 ? c.w.more(name, digits(ratio)) : ratio < 0.995 ? c.w.less(name, digits(1 / ratio)) : c.w.equal(name);
}

const upper = (text) => text[0].toUpperCase() + text.slice(1);

function sentence(c) {
  const { state: { what }, w, result } = c, kind = chosen(c), name = w.kinds[what][kind], n = asked(c).length, { here, twice } = costs(c, kind);
  if (!(here > 0)) return [w.free(upper(name))];
  const first = w.says[what](exact(n), upper(name), amount(what, here, w)), more = told(c, kind, here), both = isTime(what) && (kind === "plain" || kind === "thrifty");
  return [
    `${first}${more && `; ${more}`}.`, beside(c), twice / here < 1.005 ? w.steady : w.twice(digits(twice / here)),
    both ? w.share(`${digits(100 * result.share.data[0])}%`, `${evenLength(c)}\u00a0=\u00a0${exact(result.even.data[0])}`, n >= result.even.data[0]) : "",
  ].filter(Boolean);
}

// ---- gestures ----

/** The state at a length. */
const moveTo = (c, n) => ({ ...c.state, length: String(Math.round(clamp(n, ...c.settings.limits.length))) });

/** The length at a place of the picture, on a step of the slider. */
export function lengthAt(c, px) {
  const [least, most] = c.settings.limits.length, power = Math.log2(least) + ((px - LEFT) / WIDE) * Math.log2(most / least);
  return 2 ** (Math.round(power / STEP) * STEP);
}

/** Where in the kinds the one stands whose line a press meets; the chosen one if it meets none. */
function meets(c, px, py) {
  const { x, y } = scales(c), { lengths, kinds } = c.settings, k = lengths.reduce((a, n, b) => (Math.abs(x(n) - px) < Math.abs(x(lengths[a]) - px) ? b : a), 0);
  const far = (kind) => { const cost = costs(c, kind).line[k]; return cost > 0 ? Math.abs(y(cost) - py) : Infinity; };
  const nearest = shown(c).reduce((a, b) => (a !== undefined && far(a) <= far(b) ? a : b), undefined);
  return nearest !== undefined && far(nearest) < NEAR ? kinds.indexOf(nearest) : c.state.at;
}

function keyed(c, key) {
  const { state, settings: { kinds, limits } } = c, power = Math.log2(whole(state.length) || asked(c).length), all = shown(c);
  const far = { ArrowLeft: -STEP, ArrowRight: STEP, PageUp: 1, PageDown: -1 }[key], end = { Home: limits.length[0], End: limits.length[1] }[key], turn = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (far) return moveTo(c, 2 ** ((far > 0 ? Math.floor(power / STEP + 1e-3) : Math.ceil(power / STEP - 1e-3)) * STEP + far));
  if (end) return moveTo(c, end);
  if (turn && all.length) return { ...state, at: kinds.indexOf(all[(all.indexOf(chosen(c)) + turn + all.length) % all.length]) };
}

export const view = {
  name: "calculator",
  quiet: ["what", "at", "power", "LSTM", "plain", "thrifty", "local", "linear"],
  words: {
    en: {
      title: "What a text costs",
      hint: "Move the length, press a line, and type another model. Each kind of model is a line by its formula; dots were measured on the machine that built this page.",
      picture: "Costs over the length of a text, both in powers. Left and right move the length, page up doubles it and page down halves it; up and down choose a kind.",
      what: "Cost", whats: { read: "operations to read a text", write: "operations to write a token", look: "memory of a layer that reads", keep: "memory to go on writing" },
      power: "Length", tokens: (n) => `${n} tokens`, fields: { length: "n =", width: "Width D", heads: "Heads H", layers: "Layers N", batch: "Batch B", window: "Window w" },
      examples: "Models", own: "as measured here", shown: { LSTM: "LSTM", plain: "plain attention", thrifty: "thrifty attention", local: "local", linear: "linear" },
      kinds: {
        read: { LSTM: "LSTM", plain: "plain attention (weights stored)", thrifty: "thrifty attention (fused)", local: "local attention", linear: "linear attention" },
        write: { LSTM: "LSTM", plain: "plain attention (no cache)", thrifty: "thrifty attention (cache)", local: "local attention", linear: "linear attention" },
        look: { LSTM: "LSTM", plain: "plain attention (weights stored)", thrifty: "thrifty attention (fused)", local: "local attention", linear: "linear attention" },
        keep: { LSTM: "LSTM", plain: "plain attention (no cache)", thrifty: "thrifty attention (cache)", local: "local attention", linear: "linear attention" },
      },
      axes: { read: "operations", write: "operations", look: "memory", keep: "memory" }, rate: (rate) => `time at ${rate} a second`, at: (n) => `n = ${n}`,
      sizes: ["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion"], bytes: ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"],
      time: (x, k) => `${x} ${["ns", "µs", "ms", "s", "min", "h", "day", "year", "thousand years", "million years"][k]}${x !== "1" && (k === 6 || k === 7) ? "s" : ""}`, operations: (x) => `${x} operations`,
      kind: "Kind", here: (n) => `At ${n} tokens`, formula: "By the formula", about: (time) => `about ${time}`, nothing: "nothing", grows: (p) => `dots: as n to the power ${p}`,
      dots: ({ width, heads, layers, batch, window }) => `The dots are measured, the dotted lines fit them: width ${width}, ${heads} ${heads === 1 ? "head" : "heads"}, ${layers} ${layers === 1 ? "layer" : "layers"}, batch ${batch}, window ${window}.`,
      rates: "“About” stands before times at the rate that was measured nearest to this length.",
      stay: "That is another model than the one in the fields: lines move, dots stay.", noDots: "Of these no cost was measured here: all lines are formulas.",
      says: {
        read: (n, kind, cost) => `${kind}: to read ${n} tokens takes ${cost}`, write: (n, kind, cost) => `${kind}: to write token ${n} takes ${cost}`,
        look: (n, kind, cost) => `${kind}: a layer that reads ${n} tokens holds ${cost}`, keep: (n, kind, cost) => `${kind}: to go on after ${n} tokens, it keeps ${cost}`,
      },
      measured: (told) => `measured ${told}`, free: (kind) => `${kind}: it keeps nothing, and reads the whole text again for each token.`,
      more: (kind, ratio) => `That is ${ratio} times the cost of the cheapest other line, ${kind}.`, less: (kind, ratio) => `The cheapest other line, ${kind}, costs ${ratio} times as much.`, equal: (kind) => `The cheapest other line, ${kind}, costs the same.`,
      twice: (ratio) => `At twice the length it costs ${ratio} times as much.`, steady: "At twice the length it costs the same.",
      share: (share, even, most) => (most ? `Attention itself is ${share} of it: at ${even} it overtook the projections and the feed-forward.` : `Attention itself is ${share} of it: up to ${even} the projections and the feed-forward cost more.`),
      outside: (field, [least, most]) => `${field}: give a whole number from ${least} to ${most}:`, shares: (heads, width) => `${heads} heads do not share a width of ${width}; these do:`,
    },
  },
  start: ({ start, kinds }) => ({
    what: "read", at: 1, power: Math.log2(start.length), ...Object.fromEntries(Object.keys(FIELDS).map((name) => [name, String(start[name])])),
    ...Object.fromEntries(kinds.map((kind) => [kind, true])),
  }),
  controls: ({ settings: { limits, kinds, examples, start }, w }) => [
    { kind: "choice", name: "what", label: w.what, options: Object.entries(w.whats) },
    { kind: "range", name: "power", row: "n", label: w.power, min: Math.log2(limits.length[0]), max: Math.log2(limits.length[1]), step: STEP, show: (power) => w.tokens(exact(Math.round(2 ** power))) },
    { kind: "number", name: "length", row: "n", label: w.fields.length },
    ...Object.keys(FIELDS).slice(1).map((name) => ({ kind: "number", name, row: "shape", label: w.fields[name] })),
    {
      kind: "examples", name: "example", label: w.examples, options: [["", w.own], ...examples.map(([name]) => [name, name])],
      act: ({ state }, name) => ({ ...state, ...Object.fromEntries(Object.entries(examples.find(([one]) => one === name)?.[1] ?? start).map(([field, value]) => [field, String(value)])) }),
    },
    ...kinds.map((kind) => ({ kind: "switch", name: kind, label: w.shown[kind] })),
  ],
  moved: (state, c) => (state.power === c.state.power ? state : { ...state, length: String(Math.round(2 ** state.power)) }),
  accept: ({ state, settings: { kinds, limits } }) => {
    const n = whole(state.length), [least, most] = limits.length, at = index(state.at, kinds.length), on = state[kinds[at]] ? at : kinds.findIndex((kind) => state[kind]);
    const text = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, String(state[name]).slice(0, 12)]));
    return { ...state, ...text, at: on < 0 ? at : on, power: n >= least && n <= most ? Math.log2(n) : state.power };
  },
  advice: (c) => {
    const wrong = fault(c), { state, settings: { limits }, w } = c;
    if (!wrong) return null;
    const text = wrong.shares ? w.shares(exact(whole(state.heads)), exact(whole(state.width))) : w.outside(w.fields[wrong.name].replace(" =", ""), limits[wrong.name].map(exact));
    return { text, offers: wrong.offers.map((value) => ({ name: wrong.name, value: String(value) })) };
  },
  async *compute(c, ask) {
    const now = fault(c) ? asked(c) : typed(c.state), { length, ...shape } = now, row = (data) => ({ dims: [data.length], data });
    yield { ...(await ask({ lengths: row([length, 2 * length]), shape: row(Object.values(shape)) })), asked: now };
  },
  act: (c, { kind, x, y, key }) => {
    if (kind === "key") return keyed(c, key);
    if (kind === "press" && x >= LEFT - 4 && x <= LEFT + WIDE + 4 && y >= TOP - 20 && y <= TOP + HIGH + 20) return { ...moveTo(c, lengthAt(c, x)), at: meets(c, x, y) };
    if (kind === "drag") return moveTo(c, lengthAt(c, x));
  },
  picture, below, sentence,
};

export default widget(view);
