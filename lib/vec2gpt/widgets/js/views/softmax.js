// softmax.js: drag the scores, turn the temperature, watch the probabilities (chapter 0).

const STEP = 0.1;                                              // of a score
const W = 340, TOP = 14, HIGH = 110, GAP = 52, LOW = 90;       // the two panels, in SVG units
const zero = TOP + HIGH / 2, floor = TOP + HIGH + GAP + LOW;

const columns = (c) => W / c.settings.labels.length;
const probability = (c, k) => c.result.probabilities.data[k];
const round = (x) => Math.round(x / STEP) * STEP;

/** The score that a pointer at height `y` asks for. */
export const scoreAt = (y, limit) => clamp(round(((zero - y) / (HIGH / 2)) * limit), -limit, limit);

export const view = {
  name: "softmax",
  words: {
    en: {
      title: "Softmax: from scores to probabilities",
      hint: "Drag a score up or down (or use the arrow keys), then turn the temperature.",
      picture: "Scores and probabilities. Left and right choose a word, up and down change its score.",
      scores: "scores", probabilities: "probabilities", temperature: "Temperature",
      sentence: (word, p, t, bits) =>
        `At temperature ${t} the next word is “${word}” with probability ${p}; the choice holds ${bits} bits of surprise on average.`,
    },
  },
  start: (settings) => ({ logits: settings.logits, temperature: settings.temperature, at: 0 }),
  controls: (c) => [
    { kind: "range", name: "temperature", label: c.w.temperature, min: 0.1, max: 5, step: 0.1, show: (t) => (+t).toFixed(1) },
  ],
  accept: ({ state, settings }) => {
    const logits = settings.logits.map((x, k) => (Number.isFinite(state.logits?.[k]) ? clamp(state.logits[k], -settings.limit, settings.limit) : x));
    return { ...state, logits, at: index(state.at, logits.length) };
  },
  async *compute({ state }, ask) {
    yield await ask({
      logits: { dims: [1, state.logits.length], data: state.logits },
      temperature: { dims: [1], data: [state.temperature] },
    });
  },
  act: ({ state, settings }, { kind, x, y, from, key }) => {
    const n = settings.labels.length, { limit } = settings, set = (at, score) =>
      ({ ...state, at, logits: state.logits.map((old, k) => (k === at ? score : old)) });
    if (kind === "press" && (x < 0 || x >= W || y > TOP + HIGH + GAP / 2)) return;   // not on a score
    if (kind === "press") return set(Math.floor((x / W) * n), y > TOP + HIGH ? state.logits[Math.floor((x / W) * n)] : scoreAt(y, limit));
    if (kind === "drag") return from.y > TOP + HIGH ? undefined : set(state.at, scoreAt(y, limit));
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key], lift = { ArrowUp: STEP, ArrowDown: -STEP, PageUp: 1, PageDown: -1 }[key];
    if (step) return { ...state, at: (state.at + step + n) % n };
    if (lift) return set(state.at, clamp(round(state.logits[state.at] + lift), -limit, limit));
  },
  picture: (c) => {
    const wide = columns(c), bars = c.settings.labels.map((label, k) => {
      const x = k * wide + wide / 2, score = c.state.logits[k], p = probability(c, k), tall = (score / c.settings.limit) * (HIGH / 2);
      return `<rect class="grip" x="${k * wide}" y="0" width="${wide}" height="${TOP + HIGH}" fill="transparent"/>` +
        `<rect x="${x - 14}" y="${Math.min(zero, zero - tall)}" width="28" height="${Math.max(1, Math.abs(tall))}" fill="var(--hidden)" pointer-events="none"/>` +
        `<text x="${x}" y="${tall >= 0 ? zero - tall - 4 : zero - tall + 12}" text-anchor="middle" pointer-events="none">${score.toFixed(1)}</text>` +
        `<text x="${x}" y="${TOP + HIGH + 22}" text-anchor="middle" font-weight="600">${esc(label)}</text>` +
        `<rect x="${x - 14}" y="${floor - p * LOW}" width="28" height="${Math.max(1, p * LOW)}" fill="var(--weight)"/>` +
        `<text x="${x}" y="${floor - p * LOW - 4}" text-anchor="middle">${p.toFixed(2)}</text>` +
        (k === c.state.at ? `<rect class="cursor" x="${x - 18}" y="${TOP + HIGH + 8}" width="36" height="19" rx="4"/>` : "");
    });
    return `<svg viewBox="0 -2 ${W} ${floor + 6}" width="100%" style="max-width:34rem" role="img" aria-label="${esc(view.sentence(c))}">` +
      `<text class="soft" x="2" y="10">${c.w.scores}</text><text class="soft" x="2" y="${floor - LOW - 6}">${c.w.probabilities}</text>` +
      `<line class="axis" x1="0" x2="${W}" y1="${zero}" y2="${zero}"/><line class="axis" x1="0" x2="${W}" y1="${floor}" y2="${floor}"/>${bars.join("")}</svg>`;
  },
  sentence: (c) => {
    const p = [...c.result.probabilities.data], best = p.indexOf(Math.max(...p));
    return c.w.sentence(c.settings.labels[best], p[best].toFixed(2), (+c.state.temperature).toFixed(1), c.result.entropy.data[0].toFixed(2));
  },
};

export default widget(view);
