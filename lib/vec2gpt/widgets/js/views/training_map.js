// training_map.js: scrub through the training of word vectors, and see whose neighbours a word has when (chapter 1).

const W = 380, H = 280, MARGIN = [30, 16], SIZE = 12;           // the map and its letters, in SVG units
const PLAY = 9;                                                // seconds from the first step to the last
const SHAPES = [                                               // of the groups' marks, each about 9 units across
  '<circle r="4.5"/>', '<rect x="-4" y="-4" width="8" height="8"/>', '<path d="M0-5.5 5 4H-5z"/>',
  '<path d="M0-6 6 0 0 6-6 0z"/>', '<path d="M0 5.5 5-4H-5z"/>', '<path d="M-2-5H2V-2H5V2H2V5H-2V2H-5V-2H-2z"/>',
];
const shape = (group) => `<g fill="var(--group${group + 1})">${SHAPES[group]}</g>`;

/** The training step at a position between snapshots. */
export function stepAt(steps, position) {
  const before = clamp(Math.floor(position), 0, steps.length - 2);
  return Math.round(steps[before] + (position - before) * (steps[before + 1] - steps[before]));
}

/** The words on the map, group by group: {id, group}. */
const shown = ({ groups }) => groups.flatMap(([, ids], group) => ids.map((id) => ({ id, group })));

const pairs = (data) => Array.from({ length: data.length / 2 }, (_, k) => [data[2 * k], data[2 * k + 1]]);
const last = (settings) => settings.steps.length - 1;
const show = (c, position) => stepAt(c.settings.steps, position).toLocaleString("en");
const frame = (settings) => fitted(settings.corners, W, H, MARGIN);

/** On which side each label stands, decided for the last step and then kept: labels must not jump while words travel. */
function sides(settings) {
  const into = frame(settings), points = settings.final.map(into);
  return labelled(shown(settings).map(({ id }, k) => ({ x: points[k][0], y: points[k][1], text: settings.words[id] })), W, H, SIZE).map(({ side }) => side);
}

/** The id of the word followed: the one typed, or while that is none, the one before. */
const followed = ({ result, settings }) => result.followed ?? lookup(settings.words, result.of.word);

/** The path of the word followed, up to a position. */
export function path(trail, position) {
  const before = Math.floor(position), whole = trail.slice(0, before + 1), share = position - before;
  return share ? [...whole, trail[before].map((x, k) => x + share * (trail[before + 1][k] - x))] : whole;
}

/** A word beside its mark, the paler the more of it is covered. */
function written(word, label, look) {
  if (label.covered >= 0.5) return "";
  return `<text opacity="${clamp(1.2 - 2.4 * label.covered, 0, 1).toFixed(2)}" x="${label.dx.toFixed(1)}" y="${label.dy.toFixed(1)}" ` +
    `text-anchor="${label.anchor}" class="${look}">${esc(word)}</text>`;
}

const placed = (x, y) => `transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"`;

function map(c) {
  const { places, here, trail, of } = c.result, into = frame(c.settings), me = followed(c);
  const inside = ([x, y]) => [clamp(x, 6, W - 6), clamp(y, 6, H - 6)];
  const at = pairs(places.data).map(into), [x, y] = inside(into(pairs(here.data)[0]));
  const name = (id) => c.settings.words[id], side = sides(c.settings);
  const words = shown(c.settings).map((one, k) => ({ ...one, text: name(one.id), x: at[k][0], y: at[k][1], side: side[k] }));
  const own = words.find(({ id }) => id === me), others = words.filter((one) => one !== own);
  const labels = labelled([{ x, y, text: name(me), side: own?.side }, ...others], W, H, SIZE);
  const marks = others.map(({ id, group, text, x, y }, k) =>
    `<g data-key="${id}" ${placed(x, y)}><circle r="12" fill="transparent"/>${shape(group)}${written(text, labels[k + 1], "")}</g>`);
  const way = path(pairs(trail.data), of.position).map(into).map(inside).map((p) => p.map((x) => x.toFixed(1)).join()).join(" ");
  return `<svg viewBox="0 0 ${W} ${H}" width="100%" style="font-size:${SIZE}px" role="img" aria-label="${esc(c.w.map)}">${marks.join("")}` +
    `<polyline points="${way}" fill="none" stroke="var(--ink)" stroke-width="1.5" stroke-dasharray="2 3" pointer-events="none"/>` +
    `<g ${placed(x, y)}>${own ? shape(own.group) : '<circle r="4.5" fill="var(--ink)"/>'}<circle class="cursor" r="9"/>` +
    `${written(name(me), labels[0], "asked")}</g></svg>`;
}

export const view = {
  name: "training_map",
  words: {
    en: {
      title: "Words find their places",
      hint: "Play the training, or drag to any step. Press a word, or type one, to follow it.",
      picture: "A map of words, and the nearest words of one of them. Left and right go through the training; up and down choose the next word on the map.",
      position: "Step", word: "Follow",
      map: "Words on the two directions in which they differ most at the end; the dotted line is the way of the word followed.",
      neighbours: (word, step) => `Nearest to ${word} at step ${step}`,
      unknown: (word) => `No “${word}” here.`, offer: "Near it:", noOffer: "Nothing is spelled like it.",
      empty: "Type a word to follow.",
      sentence: (step, word, list) => `At step ${step} the words nearest to ${word} are ${list}.`,
      start: (word, list) => `Before training, every vector is random, and so are the words nearest to ${word}: ${list}.`,
    },
  },
  start: (settings) => ({ position: last(settings), word: settings.word }),
  controls: (c) => [
    { kind: "range", name: "position", label: c.w.position, min: 0, max: last(c.settings), step: 0.05, play: PLAY, show: (position) => show(c, position) },
    { kind: "word", name: "word", label: c.w.word, sign: c.w.word, words: c.settings.words },
  ],
  accept: ({ state, settings }) => ({
    ...state,
    position: clamp(Math.round((+state.position || 0) * 100) / 100, 0, last(settings)),
    word: spelled(settings.words, String(state.word ?? "")),
  }),
  advice: ({ state: { word }, settings: { words }, w }) => {
    if (lookup(words, word) >= 0) return null;
    const offers = near(words, word).map((value) => ({ name: "word", value }));
    return { text: word ? `${w.unknown(word)} ${offers.length ? w.offer : w.noOffer}` : w.empty, offers };
  },
  async *compute({ state, settings, result }, ask) {
    const known = lookup(settings.words, state.word), id = known < 0 ? followed({ result, settings }) : known;
    yield { ...(await ask({ position: { dims: [1], data: [state.position] }, word: { dims: [1], data: [id] } })), followed: id };
  },
  act: (c, { kind, key, target }) => {
    const { state, settings } = c, words = shown(settings).map(({ id }) => settings.words[id]);
    if (kind === "click") return target === undefined ? undefined : { ...state, word: settings.words[target] };
    if (kind !== "key") return;
    const along = { ArrowLeft: -0.25, ArrowRight: 0.25, PageUp: -1, PageDown: 1, Home: -1e3, End: 1e3 }[key], step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (along) return { ...state, position: clamp(state.position + along, 0, last(settings)) };
    const from = words.indexOf(state.word);                    // -1: it is not on the map
    if (step) return { ...state, word: words.at(step < 0 ? Math.max(from, 0) - 1 : (from + 1) % words.length) };
  },
  picture: (c) => {
    const { nearest, cosines, of } = c.result, rows = Array.from(nearest.data, (id, k) => [id, c.settings.words[id], cosines.data[k]]);
    const heading = c.w.neighbours(c.settings.words[followed(c)], show(c, of.position));
    const legend = c.settings.groups.map(([label], group) =>
      `<li><svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">${shape(group)}</svg>${esc(label)}</li>`);
    return `<div class="v2g-pair"><figure>${map(c)}</figure><div><p>${esc(heading)}</p>${bars(rows)}` +
      `<ul class="v2g-legend">${legend.join("")}</ul></div></div>`;
  },
  sentence: (c) => {
    const { nearest, cosines, of } = c.result, { words, steps } = c.settings, word = words[followed(c)];
    const list = Array.from(nearest.data.slice(0, 3), (id, k) => `${words[id]} (${cosines.data[k].toFixed(2)})`).join(", ");
    return stepAt(steps, of.position) === 0 ? c.w.start(word, list) : c.w.sentence(show(c, of.position), word, list);
  },
};

export default widget(view);
