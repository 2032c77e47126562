// valves.js: hold any gate of an LSTM at any step; the rest of the text is read anew (chapter 3).

const GATES = ["forget", "input", "output"];                    // the order of `held` and of the bands
const LEFT = 74, STEP = 13, TALL = 44, GAP = 10, TOP = 24;      // layout, in SVG units
const SIGNED = ["candidate", "cell", "hidden"];
const band = (k) => TOP + k * (TALL + GAP);
const PRESETS = { keep: [1, 0, 1], replace: [0, 1, 1], addHide: [1, 1, 0] };

/** What happens when the gates at step `t` are set to `values` (null: freed), in forget, input, output order. */
export function hold(held, t, values) {
  const next = { ...held };
  if (values) next[t] = values; else delete next[t];
  return next;
}

/** The values held at step `t`, or nulls. */
const at = (state, t) => state.held[t] ?? [null, null, null];

/** Sets one gate of one step. */
const setGate = (state, t, gate, value) =>
  ({ ...state, at: t, gate, held: hold(state.held, t, at(state, t).map((old, k) => (k === gate ? value : old))) });

/** The step and the band under a point of the picture. */
export const place = (x, y, length) =>
  ({ t: clamp(Math.floor((x - LEFT) / STEP), 0, length - 1), row: Math.floor((y - TOP) / (TALL + GAP)) });

export const view = {
  name: "valves",
  quiet: ["at", "gate"],
  words: {
    en: {
      title: "The valves of an LSTM",
      hint: "Drag a gate at any letter: it is held there, for all units, and the rest of the text is read anew.",
      picture: "Gates and memory of one unit at every letter. Left and right choose the letter, page up and page down the gate, up and down hold it at a value, delete frees it.",
      text: "Text", unit: "Unit shown", step: "At the chosen letter",
      forget: "forget", input: "input", output: "output", candidate: "candidate", cell: "cell", hidden: "hidden", surprise: "surprise",
      keep: "Keep the memory (1, 0, 1)", replace: "Replace it (0, 1, 1)", addHide: "Add, show nothing (1, 1, 0)", free: "Free this letter",
      sentence: (letter, n, gates, guess, bits) =>
        `After letter ${n} (“${letter}”) ${gates}; the model expects “${guess}”. The text costs ${bits} bits a letter.`,
      heldAt: (names) => `${names} held by hand`, heldNone: "all gates are free",
    },
  },
  start: (settings) => ({ text: settings.text, held: {}, at: Math.min(12, settings.text.length - 1), gate: 0, unit: settings.unit }),
  controls: (c) => [
    { kind: "text", name: "text", label: c.w.text, alphabet: c.settings.alphabet, max: c.settings.limit },
    { kind: "range", name: "unit", label: c.w.unit, min: 0, max: c.settings.units - 1, step: 1 },
    ...Object.entries(PRESETS).map(([name, values]) =>
      ({ kind: "button", name, label: c.w[name], act: ({ state }) => ({ ...state, held: hold(state.held, state.at, values) }) })),
    { kind: "button", name: "free", label: c.w.free, act: ({ state }) => ({ ...state, held: hold(state.held, state.at, null) }) },
  ],
  accept: ({ state }) => {
    const held = {}, last = Math.max(0, state.text.length - 1);
    for (const [t, values] of Object.entries(state.held ?? {}))
      if (/^\d+$/.test(t) && +t <= last && Array.isArray(values) && values.length === 3)
        held[t] = values.map((v) => (Number.isFinite(v) ? clamp(v, 0, 1) : null));
    return { ...state, held, at: clamp(Math.trunc(+state.at) || 0, 0, last), gate: clamp(Math.trunc(+state.gate) || 0, 0, 2), unit: Math.round(state.unit) };
  },
  async *compute({ state, settings }, ask) {
    const ids = [...state.text].map((ch) => settings.alphabet.indexOf(ch));
    if (!ids.length) return;                                     // nothing to read: the last picture stays
    yield await ask({
      ids: { dims: [1, ids.length], data: ids },
      held: { dims: [1, ids.length, 3], data: ids.flatMap((_, t) => at(state, t).map((v) => v ?? -1)) },
      unit: { dims: [1], data: [state.unit] },
    });
  },
  act: ({ state }, { kind, x, y, from, key }) => {
    const n = state.text.length;
    if (!n) return;
    if (kind === "press") {
      const { t, row } = place(x, y, n);
      if (x < LEFT || y > band(7)) return;
      return row < 0 || row > 2 ? { ...state, at: t } : setGate(state, t, row, valueAt(y, row));
    }
    if (kind === "drag") {                                       // stays with the gate where it began
      const { row } = place(from.x, from.y, n);
      return row < 0 || row > 2 ? undefined : setGate(state, state.at, row, valueAt(y, row));
    }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key], gate = { PageUp: -1, PageDown: 1 }[key], lift = { ArrowUp: 0.1, ArrowDown: -0.1 }[key];
    if (step) return { ...state, at: clamp(state.at + step, 0, n - 1) };
    if (key === "Home" || key === "End") return { ...state, at: key === "Home" ? 0 : n - 1 };
    if (gate) return { ...state, gate: (state.gate + gate + 3) % 3 };
    if (lift) return setGate(state, state.at, state.gate, clamp(Math.round(((at(state, state.at)[state.gate] ?? 0.5) + lift) * 10) / 10, 0, 1));
    if (key === "Delete" || key === "Backspace") return { ...state, held: hold(state.held, state.at, null) };
  },
  picture: (c) => {
    const { of } = c.result, text = [...of.text], here = c.state.text === of.text, trace = c.result.trace.data, width = LEFT + STEP * text.length + 4;
    const labels = [...GATES, ...SIGNED, "surprise"].map((name, k) =>
      `<text x="${LEFT - 8}" y="${band(k) + TALL / 2 + 4}" text-anchor="end">${c.w[name]}</text>` +
      `<line class="axis" x1="${LEFT}" x2="${width}" y1="${base(k)}" y2="${base(k)}"/>`).join("");
    const steps = text.map((ch, t) => {
      const x = LEFT + t * STEP, parts = [`<text x="${x + STEP / 2}" y="14" text-anchor="middle">${esc(glyph(ch))}</text>`];
      GATES.forEach((name, k) => {
        const byHand = here ? at(c.state, t)[k] : null, tall = (byHand ?? trace[t * 6 + k]) * TALL;
        parts.push(`<rect class="grip" x="${x}" y="${band(k)}" width="${STEP}" height="${TALL}" fill="${byHand === null ? "transparent" : "var(--wash)"}"/>`,
          `<rect x="${x + 1}" y="${band(k) + TALL - tall}" width="${STEP - 2}" height="${tall}" fill="var(--${name})"${byHand === null ? "" : ` stroke="var(--ink)" stroke-width="2"`} pointer-events="none"/>`);
      });
      SIGNED.forEach((name, k) => {
        const v = trace[t * 6 + 3 + k], tall = (Math.min(1, Math.abs(v) / (name === "cell" ? 3 : 1)) * TALL) / 2, y = base(3 + k);
        parts.push(`<rect x="${x + 1}" y="${v > 0 ? y - tall : y}" width="${STEP - 2}" height="${tall}" fill="var(--${name})"/>`);
      });
      const bits = Math.min(1, c.result.surprise.data[t] / 8) * TALL;
      parts.push(`<rect x="${x + 1}" y="${base(6) - bits}" width="${STEP - 2}" height="${bits}" fill="var(--soft)"/>`);
      return parts.join("");
    });
    const cursor = here ? `<rect class="cursor" x="${LEFT + c.state.at * STEP - 1}" y="2" width="${STEP + 2}" height="${band(7) - 4}" rx="3"/>` +
      `<rect class="cursor" x="${LEFT + c.state.at * STEP - 1}" y="${band(c.state.gate)}" width="${STEP + 2}" height="${TALL}"/>` : "";
    return `<svg width="${width}" height="${band(7)}" viewBox="0 0 ${width} ${band(7)}" role="img" aria-label="${esc(view.sentence(c))}">${labels}${steps.join("")}${cursor}</svg>`;
  },
  sentence: (c) => {
    const { of } = c.result, text = [...of.text], t = Math.min(c.state.at, text.length - 1), bits = c.result.surprise.data;
    const held = at(c.state, t).map((v, k) => (v === null ? null : `${c.w[GATES[k]]} ${v.toFixed(2)}`)).filter(Boolean);
    const mean = text.length > 1 ? [...bits].reduce((a, b) => a + b, 0) / (text.length - 1) : 0;
    return c.w.sentence(spoken(text[t]), t + 1, held.length ? c.w.heldAt(held.join(", ")) : c.w.heldNone,
      spoken(c.settings.alphabet[c.result.guesses.data[t * 5]]), mean.toFixed(2));
  },
};

/** The y of a band's zero line: gates and surprise stand on the floor, signed values hang on the middle. */
const base = (k) => band(k) + (k >= 3 && k < 6 ? TALL / 2 : TALL);
/** The gate value at height `y` of band `row`. */
const valueAt = (y, row) => Math.round(clamp((band(row) + TALL - y) / TALL, 0, 1) * 20) / 20;
const glyph = (ch) => ({ " ": "␣", "\n": "↵" })[ch] ?? ch;

export default widget(view);
