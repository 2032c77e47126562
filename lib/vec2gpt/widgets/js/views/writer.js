// writer.js: a GPT writes from your prompt; every token shows what else it could have been (chapter 12).

/** The uniform numbers of a seed: the widget's own, turned around the circle [0, 1) by the golden ratio. */
export const turn = (numbers, seed) => numbers.map((u) => (u + seed * 0.6180339887) % 1);

/** Results one after the other, joined into one. */
export const join = (a, b) => Object.fromEntries(Object.keys(b).map((key) => [key, { data: [...(a?.[key]?.data ?? []), ...b[key].data] }]));

export const view = {
  name: "writer",
  quiet: ["at"],
  words: {
    en: {
      title: "Write with it",
      hint: "Type a prompt; the model continues it. The taller the bar under a letter, the less likely it was; choose one (click or arrow keys) to see what else it could have been.",
      picture: "The written text. Left and right move from letter to letter.",
      prompt: "Prompt", temperature: "Temperature", topK: "Top-k", topP: "Top-p", length: "Letters", again: "Write again",
      sentence: (n, ch, p, others) => `Letter ${n} is “${ch}”, chosen with probability ${p}. Likeliest: ${others}.`,
      speed: (n) => `${n} letters a second`,
    },
  },
  start: (settings) => ({ prompt: settings.prompt, temperature: settings.temperature, topK: settings.alphabet.length, topP: 1, length: settings.length, seed: 0, at: 0 }),
  controls: (c) => [
    { kind: "text", name: "prompt", label: c.w.prompt, alphabet: c.settings.alphabet, max: c.settings.context - c.settings.stride },
    { kind: "range", name: "temperature", label: c.w.temperature, min: 0.1, max: 2, step: 0.1, show: (t) => (+t).toFixed(1) },
    { kind: "range", name: "topK", label: c.w.topK, min: 1, max: c.settings.alphabet.length, step: 1 },
    { kind: "range", name: "topP", label: c.w.topP, min: 0.05, max: 1, step: 0.05, show: (p) => (+p).toFixed(2) },
    { kind: "range", name: "length", label: c.w.length, min: 16, max: c.settings.uniform.length, step: 16 },
    { kind: "button", name: "again", label: c.w.again, act: ({ state }) => ({ ...state, seed: state.seed + 1, at: 0 }) },
  ],
  accept: ({ state, settings }) => ({
    ...state,
    topK: Math.round(clamp(state.topK, 1, settings.alphabet.length)),
    length: Math.round(state.length / settings.stride) * settings.stride,
    seed: Math.abs(Math.trunc(+state.seed)) % 1e6 || 0,
    at: index(state.at, 400),
  }),
  async *compute({ state, settings }, ask) {
    const { stride, context, alphabet } = settings, one = (x) => ({ dims: [1], data: [x] });
    const text = [...state.prompt].map((ch) => alphabet.indexOf(ch)), chance = turn(settings.uniform, state.seed);
    if (!text.length) return;                                    // nothing to continue: the last text stays
    for (let n = 0, result, began; n < state.length; n += stride) {
      const seen = text.slice(-(context - stride));
      const more = await ask({
        ids: { dims: [1, seen.length], data: seen }, u: { dims: [1, stride], data: chance.slice(n, n + stride) },
        temperature: one(state.temperature), top_k: one(state.topK), top_p: one(state.topP),
      });
      result = join(result, more);
      text.push(...more.written.data);
      began ??= performance.now();                               // the first part may have waited for a download
      yield { ...result, speed: n && (n * 1000) / (performance.now() - began) };
    }
  },
  act: ({ state, result }, { kind, key, target }) => {
    const n = result.written.data.length;
    if (kind === "press" && target) return { ...state, at: +target };
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10, Home: -1e9, End: 1e9 }[key];
    if (step) return { ...state, at: clamp(state.at + step, 0, n - 1) };
  },
  picture: (c) => {
    const { written, chosen } = c.result, here = Math.min(c.state.at, written.data.length - 1), letters = c.settings.alphabet;
    const tokens = Array.from(written.data, (id, n) =>
      `<span data-key="${n}" class="${n === here ? "here" : ""}" style="--doubt:${(1 - chosen.data[n]).toFixed(2)}">${esc(letters[id])}</span>`).join("");
    const others = options(c, here).map(([ch, p]) =>
      `<li><span class="bar" style="width:${(p * 100).toFixed(1)}%"></span>${esc(spoken(ch))} ${p.toFixed(2)}</li>`).join("");
    return `<div class="v2g-text"><span class="given">${esc(c.result.of.prompt)}</span>${tokens}</div><ul class="v2g-choices">${others}</ul>` +
      `<p class="v2g-who">${c.result.speed ? c.w.speed(Math.round(c.result.speed)) : ""}</p>`;
  },
  sentence: (c) => {
    const n = Math.min(c.state.at, c.result.written.data.length - 1), ch = c.settings.alphabet[c.result.written.data[n]];
    return c.w.sentence(n + 1, spoken(ch), c.result.chosen.data[n].toFixed(2), options(c, n).map(([ch, p]) => `${spoken(ch)} ${p.toFixed(2)}`).join(", "));
  },
};

/** The likeliest tokens at place `n`, with their probabilities; those that were ruled out are left out. */
const options = (c, n) => Array.from({ length: 5 }, (_, k) => [c.settings.alphabet[c.result.choices.data[n * 5 + k]], c.result.probabilities.data[n * 5 + k]]).filter(([, p]) => p > 0);

export default widget(view);
