// leash.js: policies on leashes of several lengths write passages; the reward, the judge's rule and the distance from the base, beside
// what was measured (chapter 13).
// parts: writing

const FULL = 3;                                                 // nats that fill a character's bar
const LEAST = 0.05;                                             // nats below which the policy is as the base
const WIDE = 360, HIGH = 200, PLOT = { left: 34, right: 12, top: 12, bottom: 34 };   // of the curve, in SVG units
const NATS = [0, 1, 5, 20, 50, 100, 200, 500, 1000], STEPS = [1, 2, 5, 10, 20, 50, 100];   // where an axis may be marked
const SERIES = { proxy: ["minus", "6 3"], taste: ["plus", "none"] };   // a colour and a dash each

// ---- what is answered ----

/** The words of a passage that count, as recipes/assistant/judge.py has it: [{from, to, why}], why "kind" or "again". */
export function marks(passage, { kind }) {
  const found = [], said = new Set();
  for (const { 0: match, index: from } of passage.matchAll(/[a-z']+/gi)) {
    const word = match.toLowerCase(), isAgain = said.has(word);
    if (isAgain || kind.includes(word)) found.push({ from, to: from + match.length, why: isAgain ? "again" : "kind" });
    said.add(word);
  }
  return found;
}

/** What marks are worth to the judge. */
export const worth = (found, { forKind, forAgain }) => found.reduce((sum, { why }) => sum + (why === "kind" ? forKind : forAgain), 0);

const textOf = ({ settings: { tokens } }, ids) => Array.from(ids, (id) => tokens[id]).join("");
const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Which prompt stands before passage `n`. */
const promptOf = ({ settings: { prompts } }, { speaker }, n) => prompts[+speaker < 0 ? n % prompts.length : +speaker];

/** The passages of an answer: {prompt, text, ratios (log π / π₀ by character), nats, reward, found, taste}. */
export function passages(c) {
  const { result: { written, own, base, reward, of }, settings: { rule } } = c, [count, length] = written.dims;
  return Array.from({ length: count }, (_, n) => {
    const row = (tensor) => Array.from(tensor.data.slice(n * length, (n + 1) * length)), text = textOf(c, row(written)), before = row(base);
    const ratios = row(own).map((p, k) => p - before[k]), found = marks(text, rule);
    return { prompt: textOf(c, promptOf(c, of, n)), text, ratios, nats: ratios.reduce((sum, x) => sum + x, 0), reward: reward.data[n], found, taste: worth(found, rule) };
  });
}

/** What a chapter measured of a name; undefined where it did not. */
const measured = ({ settings: { curve } }, name) => curve.find((point) => point.name === name);
const nameOf = ({ settings: { policies } }, { policy }) => policies[policy];

/** What a name is without its last number: "gradient" of "gradient 0.5". */
export const kindOf = (name) => name.replace(/\s*[\d.]+$/, "") || name;

/** The measured points in lines, each from the nearest to the base on: Map kind → points. */
export function lines(curve) {
  const found = new Map();
  for (const point of [...curve].sort((a, b) => a.nats - b.nats)) found.set(kindOf(point.name), [...(found.get(kindOf(point.name)) ?? []), point]);
  return found;
}

// ---- how it is written ----

const signed = (x, digits = 2) => { const text = Math.abs(x).toFixed(digits); return `${x < 0 && +text ? "−" : "+"}${text}`; };
/** How many times as likely, with two digits that count: 1.3, 24, 5100; from a million on no more is said. */
const times = (ratio) => String(Number(Math.min(Math.exp(Math.abs(ratio)), 1e6).toPrecision(2)));

/** A character with a bar above it where the policy made it likelier, below where less likely, and its mark. */
function characterHTML(c, n, k, { text, ratios, found }, length) {
  const ratio = ratios[k], size = Math.min(1, Math.abs(ratio) / FULL), colour = ratio < 0 ? "var(--minus)" : "var(--plus)";
  const mark = found.find(({ from, to }) => k >= from && k < to), place = n * length + k, isHere = place === c.state.at;
  const style = `padding:.3em 0;background:linear-gradient(${colour} 0 0) 0 ${ratio < 0 ? "100%" : "0"}/100% calc(${size.toFixed(2)}*.4em) no-repeat;background-color:color-mix(in srgb,${colour} ${(25 * size).toFixed(0)}%,transparent)` +
    (mark ? `;font-weight:700;text-decoration:${mark.why === "kind" ? "underline" : "underline wavy"} 2px` : "");
  const { forKind, forAgain } = c.settings.rule, note = mark?.to === k + 1 ? `<sup style="font-weight:700">${signed(mark.why === "kind" ? forKind : forAgain, 0)}</sup>` : "";
  return `<span data-key="at${place}"${isHere ? ' class="here cursor"' : ""} style="${style}">${esc(text[k]).replace("\n", '<span style="color:var(--soft)">↵</span>\n')}</span>${note}`;
}

function passageHTML(c, one, n, length) {
  const { w } = c, head = `<strong>${esc(one.prompt.trim())}</strong> <span style="color:var(--soft)">${esc(w.judged(signed(one.reward, 1), signed(one.taste, 0), one.nats.toFixed(1)))}</span>`;
  return `<div style="flex:1 1 17rem;min-width:0"><p style="margin:.2rem 0;font-size:.9em">${head}</p>` +
    `<div class="v2g-text" style="line-height:1.9">${Array.from(one.text, (_, k) => characterHTML(c, n, k, one, length)).join("")}</div></div>`;
}

// ---- the curve ----

/** Where numbers stand in the picture: x by the root of the nats, so that the first few have room. */
export function scale(curve) {
  const points = curve.flatMap(({ proxy, taste }) => [proxy, taste]), far = Math.max(1, ...curve.map(({ nats }) => nats)), low = Math.min(0, ...points), high = Math.max(1, ...points);
  const x = (nats) => PLOT.left + Math.sqrt(Math.max(0, nats) / far) * (WIDE - PLOT.left - PLOT.right), y = (value) => PLOT.top + ((high - value) / (high - low)) * (HIGH - PLOT.top - PLOT.bottom);
  const step = STEPS.find((size) => (high - low) / size <= 6) ?? STEPS.at(-1), first = Math.ceil(low / step);
  return { x, y, nats: NATS.filter((n) => n <= far), levels: Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => (first + k) * step) };
}

/** The curves: of each kind of tuning the reward and the taste by the nats; dots where the chosen policy stands. */
function curvesSVG(c) {
  const { w, settings: { curve }, state } = c, { x, y, nats, levels } = scale(curve), here = measured(c, nameOf(c, state)), chosen = here && kindOf(here.name);
  const grid = levels.map((v) => `<line class="axis" x1="${PLOT.left}" x2="${WIDE - PLOT.right}" y1="${y(v).toFixed(1)}" y2="${y(v).toFixed(1)}"/><text class="soft" x="${PLOT.left - 5}" y="${(y(v) + 4).toFixed(1)}" text-anchor="end">${v < 0 ? `−${-v}` : v}</text>`).join("") +
    nats.map((n) => `<text class="soft" x="${x(n).toFixed(1)}" y="${HIGH - PLOT.bottom + 15}" text-anchor="middle">${n}</text>`).join("") + `<text class="soft" x="${(WIDE + PLOT.left) / 2}" y="${HIGH - 4}" text-anchor="middle">${esc(w.away)}</text>`;
  const one = (series, [kind, points]) => {
    const [colour, dash] = SERIES[series], isChosen = kind === chosen || chosen === undefined, at = (point) => `${x(point.nats).toFixed(1)},${y(point[series]).toFixed(1)}`;
    const begun = kind === "base" || !measured(c, "base") ? points : [measured(c, "base"), ...points];
    return `<polyline points="${begun.map(at).join(" ")}" fill="none" stroke="var(--${colour})" stroke-width="${isChosen ? 2.5 : 1}" stroke-dasharray="${dash}"/>` +
      points.map((point) => { const [px, py] = at(point).split(","); return `<circle cx="${px}" cy="${py}" r="${isChosen ? 3 : 2}" fill="var(--${colour})"/>`; }).join("");
  };
  const dot = (series) => { const [px, py] = [x(here.nats), y(here[series])]; return `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="6.5" fill="var(--${SERIES[series][0]})" stroke="var(--ink)" stroke-width="2"/>`; };
  const rows = [...lines(curve)], drawn = Object.keys(SERIES).map((series) => rows.map((row) => one(series, row)).join("") + (here ? dot(series) : "")).join("");
  return `<figure><svg viewBox="0 0 ${WIDE} ${HIGH}" width="100%" role="img" aria-label="${esc(w.curve)}">${grid}${drawn}</svg><figcaption>${esc(w.curve)}</figcaption></figure>`;
}

const sample = (series) => { const [colour, dash] = SERIES[series]; return `<svg width="30" height="8" aria-hidden="true"><line x1="1" x2="29" y1="4" y2="4" stroke="var(--${colour})" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>`; };

/** All that was measured, the chosen policy in bold. */
function tableHTML(c) {
  const { w, settings: { curve }, state } = c, chosen = nameOf(c, state), bold = (text, isIt) => (isIt ? `<strong>${text}</strong>` : text);
  const row = ({ name, nats, proxy, taste }) => `<tr><th scope="row">${bold(esc(name), name === chosen)}</th>${[nats.toFixed(1).replace("-", "−"), signed(proxy, 1), signed(taste, 1)].map((text) => `<td>${bold(text, name === chosen)}</td>`).join("")}</tr>`;
  const heads = [esc(w.policy), esc(w.nats), `${sample("proxy")} ${esc(w.reward)}`, `${sample("taste")} ${esc(w.taste)}`];
  return `<table class="v2g-table" style="flex:1 1 15rem;width:auto"><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead><tbody>${[...lines(curve).values()].flat().map(row).join("")}</tbody></table>`;
}

function legendHTML({ w, settings: { rule } }) {
  const bar = (below) => `display:inline-block;width:1.1em;height:1.2em;border:1px solid var(--line);background:linear-gradient(var(--${below ? "minus" : "plus"}) 0 0) 0 ${below ? "100%" : "0"}/100% .4em no-repeat`;
  const entry = (sign, text) => `<li>${sign} ${esc(text)}</li>`, line = (look) => `<span style="font-weight:700;text-decoration:${look} 2px">abc</span>`;
  return `<ul class="v2g-legend">${entry(`<i style="${bar(false)}"></i>`, w.likelier)}${entry(`<i style="${bar(true)}"></i>`, w.rarer)}` +
    `${entry(line("underline"), w.kind(signed(rule.forKind, 0)))}${entry(line("underline wavy"), w.again(signed(rule.forAgain, 0)))}</ul>`;
}

// ---- words ----

const called = (c, name) => (name === "base" ? c.w.base : `“${name}”`);

/** What the chosen passages are worth, on the average. */
function told(c, all) {
  const { w, result: { of } } = c, [reward, taste, nats] = ["reward", "taste", "nats"].map((key) => mean(all.map((one) => one[key])));
  return w.told(called(c, nameOf(c, of)), all.length, signed(reward, 1), signed(taste, 1), nats.toFixed(1).replace("-", "−"));
}

/** What was measured of the policy, and what that says of the leash. */
function recordedOf(c) {
  const { w, result: { of } } = c, name = nameOf(c, of), point = measured(c, name), from = measured(c, "base");
  if (!point) return "";
  const said = w.measured(signed(point.proxy, 1), signed(point.taste, 1), Math.max(0, point.nats).toFixed(1));
  if (!from || point === from) return said;
  const up = point.proxy > from.proxy, better = point.taste > from.taste;
  return `${said} ${up === better ? w.together(up) : w.apart(up)}`;
}

/** The character in focus. */
function focus(c, all, length) {
  const { w, state: { at } } = c, n = Math.floor(at / length), k = at % length, one = all[n], ratio = one.ratios[k], name = w.place(n + 1, k + 1, spoken(one.text[k]));
  const mark = one.found.find(({ from, to }) => k >= from && k < to), word = mark && one.text.slice(mark.from, mark.to);
  const said = Math.abs(ratio) < LEAST ? w.same(name) : ratio > 0 ? w.more(name, times(ratio)) : w.less(name, times(ratio));
  return mark ? `${said} ${mark.why === "kind" ? w.isKind(word) : w.isAgain(word)}` : said;
}

export const view = {
  name: "leash",
  quiet: ["at"],
  words: {
    en: {
      title: "The leash",
      hint: "Choose how a policy was tuned: it writes, and is judged twice. A bar above a character says that the tuning made it likelier, below, less likely.",
      picture: "The passages. Left and right choose a character, up and down a passage.",
      policy: "Policy", speaker: "Who speaks", each: "each in turn", again_: "Write again", base: "the base, not tuned",
      reward: "reward", taste: "taste", nats: "nats",
      judged: (reward, taste, nats) => `reward ${reward}, taste ${taste}, ${nats} nats from the base`,
      told: (name, n, reward, taste, nats) => `${n === 1 ? "One passage" : `${n} passages`} by ${name}: on average the reward is ${reward}, the judge's true taste ${taste}, and log π/π₀ ${nats} nats.`,
      measured: (reward, taste, nats) => `Measured on many passages: reward ${reward}, taste ${taste}, ${nats} nats.`,
      together: (up) => `Against the base both are ${up ? "higher" : "lower"}.`,
      apart: (up) => (up ? "Against the base the reward is higher and the taste is not: what was tuned for is no longer what was meant." : "Against the base the taste is higher, and the reward is not."),
      place: (n, k, ch) => `Passage ${n}, character ${k}, “${ch}”`,
      more: (name, x) => `${name}: ${x} times as likely as for the base.`, less: (name, x) => `${name}: ${x} times less likely than for the base.`, same: (name) => `${name}: as likely as for the base.`,
      isKind: (word) => `“${word}” is a kind word.`, isAgain: (word) => `“${word}” was said before.`,
      likelier: "likelier than for the base", rarer: "less likely", kind: (points) => `a kind word: ${points}`, again: (points) => `said before: ${points}`,
      away: "nats from the base a passage", curve: "What was measured: the reward (dashed) and the true taste, by how far a policy went",
    },
  },
  start: ({ begin }) => ({ policy: begin, speaker: "-1", seed: 0, at: 0 }),
  controls: ({ settings: { policies, prompts, tokens }, w }) => [
    { kind: "range", name: "policy", label: w.policy, min: 0, max: policies.length - 1, step: 1, show: (k) => policies[k] },
    ...(prompts.length > 1 ? [{
      kind: "choice", name: "speaker", label: w.speaker, options: [["-1", w.each], ...prompts.map((ids, n) => [String(n), ids.map((id) => tokens[id]).join("").trim() || String(n + 1)])],
    }] : []),
    { kind: "button", name: "again", label: w.again_, act: ({ state }) => ({ ...state, seed: state.seed + 1 }) },
  ],
  accept: ({ state, settings: { policies, prompts, passages: count, length } }) => ({
    policy: clamp(Math.round(+state.policy) || 0, 0, policies.length - 1),
    speaker: String(clamp(Math.trunc(+state.speaker) || 0, -1, prompts.length - 1)),   // as a select has it
    seed: Math.abs(Math.trunc(+state.seed)) % 1e6 || 0,
    at: clamp(Math.trunc(+state.at) || 0, 0, count * length - 1),
  }),
  async *compute(c, ask) {
    const { state, settings: { passages: count, length, uniform } } = c, ids = Array.from({ length: count }, (_, n) => promptOf(c, state, n));
    yield await ask({
      which: { dims: [1], data: [state.policy] }, ids: { dims: [count, ids[0].length], data: ids.flat() }, u: { dims: [count, length], data: turn(uniform, state.seed) },
    });
  },
  act: ({ state, settings: { passages: count, length } }, { kind, key, target = "" }) => {
    if (kind === "click") return target.startsWith("at") ? { ...state, at: +target.slice(2) } : undefined;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -length, ArrowDown: length, Home: -(state.at % length), End: length - 1 - (state.at % length), PageUp: -length, PageDown: length }[key];
    if (kind !== "key" || step === undefined) return;
    const at = state.at + step;
    return { ...state, at: at < 0 || at >= count * length ? state.at : at };
  },
  picture: (c) => `<div style="display:flex;flex-wrap:wrap;gap:.6rem 1.5rem;padding:3px">${passages(c).map((one, n) => passageHTML(c, one, n, c.result.written.dims[1])).join("")}</div>`,
  below: (c) => legendHTML(c) + (c.settings.curve.length ? `<div class="v2g-pair" style="margin-top:.5rem">${curvesSVG(c)}${tableHTML(c)}</div>` : ""),
  sentence: (c) => { const all = passages(c); return [told(c, all), recordedOf(c), focus(c, all, c.result.written.dims[1])].filter(Boolean); },
};

export default widget(view);
