// arithmetic.js: king − man + woman, the words nearest to it, and a map of what was done (chapter 1).

const SLOTS = ["a", "b", "c"];                                 // a − b + c
const W = 360, H = 216, MARGIN = [42, 24], SIZE = 13;           // the map and its letters, in SVG units
const SUM = 3, NEAR = 4;                                       // places: of a, b and c, then of the sum, then of the neighbours

/** What was asked, as a formula: king − man + woman. */
export const formula = ([a, b, c]) => `${a}${b ? (a ? ` − ${b}` : `−${b}`) : ""}${c ? (a || b ? ` + ${c}` : c) : ""}`;

/** The vectors chosen in a state, and their words. */
const modelOf = (c, state) => state.model ?? Object.keys(c.settings.words)[0];
const vocabulary = (c, state = c.state) => c.settings.words[modelOf(c, state)];

const typed = (state) => SLOTS.map((slot) => state[slot]);
const unknown = (c) => SLOTS.find((slot) => c.state[slot] && lookup(vocabulary(c), c.state[slot]) < 0);

/** What a result says, in words: those asked, as [word, place among a, b and c], and the neighbours. */
function answer(c) {
  const { of, nearest, cosines, asked } = c.result, words = vocabulary(c, of);
  return {
    text: formula(typed(of)),
    asked: SLOTS.map((slot, k) => ({ word: of[slot], cosine: asked.data[k], k })).filter(({ word }) => word),
    near: Array.from(nearest.data, (id, k) => ({ id, word: words[id], cosine: cosines.data[k], k: NEAR + k })),
    nothing: Array.from(cosines.data).every((x) => x === 0),     // the words asked cancel each other out
    allowed: of.allowed,
  };
}

/** How solid a mark is: the further off the plane, the paler. */
const solid = (off) => clamp(1.3 - off, 0.35, 1);
const READABLE = 0.68;                                         // of a word's ink: no paler

/** Everything on the map, the important first: {k, id, word, kind}. */
function marks(c, { asked, near }) {
  const words = vocabulary(c, c.result.of), names = new Set(asked.map(({ word }) => word));
  const once = asked.filter(({ word }, k) => asked.findIndex((one) => one.word === word) === k);
  return [
    ...once.map(({ word, k }) => ({ k, id: lookup(words, word), word, kind: "asked" })),
    ...(asked.length > 1 ? [{ k: SUM, word: c.w.sum, kind: "sum" }] : []),
    ...near.filter(({ word }) => !names.has(word)).map(({ k, id, word }) => ({ k, id, word, kind: k === NEAR ? "best" : "near" })),
  ];
}

const show = (points) => points.map((point) => point.map((x) => x.toFixed(1)).join()).join(" ");

/** A step from one point to another; its tip ends where the mark of the other begins. */
function arrow([x, y], [u, v], dashes) {
  const length = Math.hypot(u - x, v - y), [i, j] = [(u - x) / length, (v - y) / length];
  if (length < 16) return "";
  const tip = [u - 7 * i, v - 7 * j], foot = [tip[0] - 8 * i, tip[1] - 8 * j], side = (k) => [foot[0] - 4 * k * j, foot[1] + 4 * k * i];
  return `<polyline points="${show([[x, y], foot])}" stroke="var(--plus)" stroke-width="2" stroke-dasharray="${dashes}"/>` +
    `<polygon points="${show([tip, side(1), side(-1)])}" fill="var(--plus)"/>`;
}

/** The parallelogram of three words: the step from b to c, and the same step from a. */
const parallelogram = ([a, b, c, sum]) =>
  `<polygon class="axis" points="${show([a, b, c, sum])}" fill="var(--wash)"/>${arrow(b, c, "none")}${arrow(a, sum, "5 4")}`;

const MARKS = {
  asked: '<rect x="-4.5" y="-4.5" width="9" height="9" fill="var(--ink)"/>', sum: '<path d="M-5-5 5 5M-5 5 5-5" stroke="var(--plus)" stroke-width="2.5"/>',
  best: '<circle r="6" fill="var(--weight)"/>', near: '<circle r="4.5" fill="var(--weight)"/>',
};

/** One mark with its label; a word can be pressed. */
function drawn({ id, word, kind }, [x, y], label, chosen, opacity) {
  const text = `<text class="${kind}" fill-opacity="${Math.max(opacity, READABLE).toFixed(2)}" ` +
    `x="${label.dx.toFixed(1)}" y="${label.dy.toFixed(1)}" text-anchor="${label.anchor}">${esc(word)}</text>`;
  return `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"${kind === "sum" ? "" : ` data-key="${id}"`}><circle r="12" fill="transparent"/>` +
    `<g opacity="${opacity.toFixed(2)}">${MARKS[kind]}</g>${chosen ? '<circle class="cursor" r="9"/>' : ""}${label.covered < 0.3 ? text : ""}</g>`;
}

function map(c, said) {
  const { places, off } = c.result, point = (k) => [places.data[2 * k], places.data[2 * k + 1]], all = marks(c, said), three = said.asked.length === 3;
  const into = fitted(all.map(({ k }) => point(k)), W, H, MARGIN), at = all.map(({ k }) => into(point(k)));
  const outside = ({ k }, [, y]) => (three && k < NEAR ? [0, y < H / 2 ? -1 : 1] : undefined);   // of the parallelogram
  const labels = labelled(all.map((one, n) => ({ x: at[n][0], y: at[n][1], text: one.word, side: outside(one, at[n]) })), W, H, SIZE);
  const chosen = NEAR + c.state.at, opacity = ({ k, kind }) => (kind === "best" ? 1 : solid(off.data[k]));
  const shapes = all.map((one, n) => drawn(one, at[n], labels[n], one.k >= NEAR && one.k === chosen, opacity(one)));
  return `<svg viewBox="0 0 ${W} ${H}" width="100%" style="font-size:${SIZE}px" role="img" aria-label="${esc(caption(c, said))}">` +
    `${three ? parallelogram([0, 1, 2, SUM].map((k) => into(point(k)))) : ""}${shapes.reverse().join("")}</svg>`;
}

/** What the map is. */
const caption = (c, { asked }) => (asked.length === 3 ? c.w.plane(asked.map(({ word }) => word)) : c.w.spread);

export const view = {
  name: "arithmetic",
  quiet: ["at"],
  words: {
    en: {
      title: "Arithmetic with words",
      hint: "Type words of your own, or press an example. Press an answer to walk on from it.",
      picture: "The ten nearest words, and a map of them. Up and down choose one, enter puts it into the first place.",
      model: "Vectors", a: "First word", b: "Word taken away", sum: "sum", c: "Word added", examples: "Examples", allowed: "the words asked may answer",
      plane: ([a, b, c]) => `The plane through ${a}, ${b}, ${c}; paler words lie off it.`,
      spread: "Where these words differ most; paler words lie off this plane.",
      empty: "Type a word, and its neighbours appear.",
      unknown: (word) => `No “${word}” here.`, offer: "Near it:", noOffer: "Nothing is spelled like it.",
      sentence: (text, word, x) => `${text} ≈ ${word}, with a cosine of ${x}.`,
      alone: (text, [first, ...others]) => `Nearest to ${text}: ${first}, then ${others.join(", ")}.`,
      hidden: (word, x) => ` Left out because it was asked: ${word} itself would be nearer (${x}).`,
      itself: (text, word, x, other, y) => `The word nearest to ${text} is ${word} itself (${x}). Most accounts leave out the words asked, and so arrive at ${other} (${y}).`,
      nothing: (text) => `${text} leaves nothing: it has no direction, so no word is near it.`,
      chosen: (n, word, x) => `Number ${n} is ${word}, with a cosine of ${x}. Enter walks on from it.`,
    },
  },
  start: (settings) => ({ ...Object.fromEntries(SLOTS.map((slot, k) => [slot, settings.asked[k]])), allowed: false, at: -1 }),
  controls: (c) => [
    ...SLOTS.map((name, k) => ({ kind: "word", name, label: c.w[name], row: "sum", sign: ["", "−", "+"][k], words: vocabulary(c) })),
    { kind: "shown", name: "best", row: "sum", show: (d) => `≈ ${unknown(d) || answer(d).nothing ? "?" : answer(d).near[0].word}` },
    { kind: "switch", name: "allowed", label: c.w.allowed },
    {
      kind: "examples", name: "example", label: c.w.examples, options: c.settings.examples.map((words, k) => [k, formula(words)]),
      act: ({ state, settings }, k) => ({ ...state, ...Object.fromEntries(SLOTS.map((slot, n) => [slot, settings.examples[k][n]])), at: -1 }),
    },
  ],
  accept: (c) => {
    const words = vocabulary(c), mended = SLOTS.map((slot) => [slot, spelled(words, String(c.state[slot] ?? ""))]);
    const at = Number.isInteger(c.state.at) ? clamp(c.state.at, -1, c.result.nearest.data.length - 1) : -1;
    return { ...c.state, ...Object.fromEntries(mended), at };
  },
  moved: (state) => ({ ...state, at: -1 }),                    // another question has another list
  advice: (c) => {
    const slot = unknown(c), words = vocabulary(c);
    if (!slot) return typed(c.state).some(Boolean) ? null : { text: c.w.empty, offers: [] };
    const offers = near(words, c.state[slot]).map((value) => ({ name: slot, value }));
    return { text: `${c.w.unknown(c.state[slot])} ${offers.length ? c.w.offer : c.w.noOffer}`, offers };
  },
  async *compute(c, ask) {
    const ids = typed(c.state).map((word) => (word ? lookup(vocabulary(c), word) : -1));
    if (unknown(c) || ids.every((id) => id < 0)) return;         // the last right answer stays
    yield await ask({ ids: { dims: [3], data: ids }, allowed: { dims: [1], data: [+c.state.allowed] } });
  },
  act: (c, { kind, key, target }) => {
    const { near: list } = answer(c), walk = (word) => ({ ...c.state, a: word, at: -1 });
    if (kind === "click") return target === undefined ? undefined : walk(vocabulary(c, c.result.of)[target]);
    if (kind !== "key") return;
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -10, End: 10 }[key];
    if (step) return { ...c.state, at: clamp(c.state.at + step, 0, list.length - 1) };
    if (key === "Enter" && c.state.at >= 0) return walk(list[c.state.at].word);
  },
  picture: (c) => {
    const said = answer(c);
    if (said.nothing) return `<p class="v2g-nothing">${esc(said.text)} = 0</p>`;
    return `<div class="v2g-pair"><div>${bars(said.near.map(({ id, word, cosine }) => [id, word, cosine]), c.state.at)}</div>` +
      `<figure>${map(c, said)}<figcaption>${esc(caption(c, said))}</figcaption></figure></div>`;
  },
  sentence: (c) => {
    const { text, asked, near: list, nothing, allowed } = answer(c), two = (x) => x.toFixed(2), [best] = list, { at } = c.state;
    if (nothing) return c.w.nothing(text);
    if (at >= 0) return c.w.chosen(at + 1, list[at].word, two(list[at].cosine));
    if (asked.length === 1) return c.w.alone(text, list.slice(0, 3).map(({ word, cosine }) => `${word} (${two(cosine)})`));
    const isAsked = (word) => asked.some((one) => one.word === word), other = list.find(({ word }) => !isAsked(word));
    if (allowed && isAsked(best.word)) return c.w.itself(text, best.word, two(best.cosine), other.word, two(other.cosine));
    const nearer = asked.reduce((a, b) => (b.cosine > a.cosine ? b : a));
    return c.w.sentence(text, best.word, two(best.cosine)) + (!allowed && nearer.cosine > best.cosine ? c.w.hidden(nearer.word, two(nearer.cosine)) : "");
  },
};

export default widget(view);
