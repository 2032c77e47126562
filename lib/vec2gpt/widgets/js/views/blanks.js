// blanks.js: words of the reader's sentence made blank, what a masked model puts there, and where it looks (chapter 10).
//
// A word is blanked whole, all its pieces, and each piece is guessed by itself. The sentence stands with the likeliest tokens
// at its blanks; a bar under each word tells how much the chosen head looks at it from the chosen word. In the map below a
// row is a head, a column a word. Where a word looks is the mean over its pieces, how much it is looked at the sum.
// parts: spelling, bpe, sentences

const CARDS = 6, PIECES = 4;                                    // blanks whose guesses are listed, and pieces of each
const TOLD = 0.05;                                              // the least weight that the sentence tells
const CELL = 16, LINE = 12;                                     // layout of the map, in SVG units

// ---- the question ----

/** What is asked: the ids with [MASK] at the blanks, and without; each (1, T). */
export function question(c, { text, blanks } = c.state) {
  const { specials } = c.settings, [cls, sep, mask] = ["[CLS]", "[SEP]", "[MASK]"].map((name) => specials.indexOf(name)), words = wordsOf(c, text);
  const row = (pieces) => { const data = [cls, ...words.flatMap(pieces), sep]; return { dims: [1, data.length], data }; };
  return { ids: row(({ ids }, k) => (blanks.includes(k) ? ids.map(() => mask) : ids)), truth: row(({ ids }) => ids) };
}

// ---- what the answer says ----

/** The state that the picture shows: the reader's; while another text or model is read, that of the answer. */
function shown(c) {
  const { state, result: { of } } = c, words = wordsOf(c, of.text), kind = modelKind(c);
  const { at, head: [layer, head] } = state, isHere = state.text === of.text;
  return { text: of.text, words, blanks: isHere ? state.blanks : of.blanks, isHere, at: nearest(words, at), layer: Math.min(layer, kind.layers - 1), head: Math.min(head, kind.heads - 1) };
}

/** Where the pieces of each word stand in what the model read, marks included: [{name, from, size}]. */
export function unitsOf(c) {
  let from = 0;
  const unit = (name, size) => ({ name, size, from: (from += size) - size });
  return [unit("[CLS]", 1), ...wordsOf(c, c.result.of.text).map((word) => unit(bareOf(word), word.ids.length)), unit("[SEP]", 1)];
}

/** How much each unit is looked at from the word at place `at` by one head; 1 in all. */
export function look(c, layer, head, at, units = unitsOf(c)) {
  const { data, dims: [, heads, T] } = c.result.weights, { from, size } = units[at + 1], start = (layer * heads + head) * T * T;
  const sum = (unit, t) => { let total = 0; for (let s = unit.from; s < unit.from + unit.size; s++) total += data[start + t * T + s]; return total; };
  return units.map((unit) => Array.from({ length: size }, (_, k) => sum(unit, from + k)).reduce((a, b) => a + b) / size);
}

/** What is said at each piece of a word: [{id, isFirst, own, rank, guesses: [[id, p]]}], own: the probability of what stands
    there. */
export function said(c, at, units = unitsOf(c)) {
  const { guesses, probabilities, own, ranks } = c.result, { from, size } = units[at + 1], most = guesses.dims[2], { text, ids } = wordsOf(c, c.result.of.text)[at];
  return Array.from({ length: size }, (_, k) => {
    const t = from + k, list = Array.from({ length: most }, (_, n) => [guesses.data[t * most + n], probabilities.data[t * most + n]]);
    return { id: ids[k], isFirst: !k && text[0] !== " ", own: own.data[t], rank: ranks.data[t], guesses: list };
  });
}

const isRight = (pieces) => pieces.every(({ id, guesses: [[best]] }) => id === best);

const sizeOfVocab = ({ settings: { specials, merges } }) => specials.length + 256 + merges.length;

/** The likeliest token of each piece, in one word. */
const filled = (c, pieces) => decode(pieces.map(({ guesses: [[best]] }) => best), c.settings).trim() || "␣";

/** A token as guesses name it: what begins a word without its space, what goes on with one behind a dot; where `isFirst`,
    in front of a word without a space, the other way round. */
export function named({ settings }, id, isFirst) {
  const name = visible(tokenName(id, settings));
  if (name[0] === " ") return isFirst || name === " " ? name.replace(" ", "␣") : name.slice(1);
  return !isFirst && /^[\p{L}\p{N}]/u.test(name) ? `·${name}` : name;
}

/** The words of the answer that are blank, in the answer and in the picture. */
const blanksOf = (c, { blanks } = shown(c)) => blanks.filter((k) => c.result.of.blanks.includes(k));

// ---- the picture ----

/** The style of a word under which a bar tells how much it is looked at. */
const barred = (weight) => `display:inline-block;padding:0 1px .5em;line-height:1.3;background:linear-gradient(var(--weight) 0 0) 0 100%/100% calc(${weight.toFixed(3)}*.45em) no-repeat`;

/** A word of the sentence; a blank in a frame of dashes, filled with the likeliest. */
function wordHTML(c, k, { words, at, blanks }, weight, answers) {
  const space = spaceOf(words[k]), isBlank = blanks.includes(k), pieces = answers.includes(k) ? said(c, k) : null;
  const inside = isBlank ? (pieces ? `<em>${esc(filled(c, pieces))}</em> ${isRight(pieces) ? SIGNS.right : SIGNS.wrong}` : "…") : esc(bareOf(words[k]));
  const style = `${barred(weight)};cursor:pointer${isBlank ? ";border:1px dashed var(--ink);border-radius:4px;padding:0 .3em .5em" : ""}`;
  return `${esc(space)}<span data-key="word${k}" style="${style}"${k === at ? ' class="here cursor"' : ""}>${inside}</span>`;
}

function sentenceHTML(c, now, weights) {
  const answers = blanksOf(c, now), parts = now.words.map((word, k) => (isWord(word) ? wordHTML(c, k, now, weights[k + 1], answers) : esc(word.text)));
  const mark = (name, weight) => `<small style="${barred(weight)};color:var(--soft)">${name}</small>`;
  return `<p class="v2g-text" style="font-family:inherit;font-size:1.1rem;line-height:2.1;margin:.5rem 3px">${mark("[CLS]", weights[0])} ${parts.join("")} ${mark("[SEP]", weights.at(-1))}</p>`;
}

/** The guesses for each piece of a blank word. */
function card(c, k, n, at) {
  const { w } = c, pieces = said(c, k), word = bareOf(wordsOf(c, c.result.of.text)[k]), list = pieces.slice(0, PIECES).map(({ id, isFirst, own, rank, guesses }) =>
    `<p class="v2g-hint" style="font-size:.85em">${esc(w.rank(named(c, id, isFirst), rank, sizeOfVocab(c), percentage(own)))}</p>` +
    bars(guesses.map(([id, p]) => [`card${k}`, named(c, id, isFirst), p]), guesses.findIndex(([guess]) => guess === id)));
  const more = pieces.length > PIECES ? `<p class="v2g-hint">${esc(w.more(pieces.length - PIECES))}</p>` : "";
  return `<div data-key="card${k}" style="flex:1 1 11rem;max-width:19rem;min-width:0"><p><strong${k === at ? ' style="text-decoration:underline"' : ""}>${n + 1}. ${esc(word)}</strong></p>${list.join("")}${more}</div>`;
}

/** Guesses for the blanks that are nearest to the chosen word. */
function cards(c, now) {
  const answers = blanksOf(c, now), far = (k) => Math.abs(k - now.at), near = [...answers].sort((a, b) => far(a) - far(b)).slice(0, CARDS);
  if (!answers.length) return now.blanks.length ? "" : `<p class="v2g-hint">${esc(c.w.none)}</p>`;
  const rest = answers.length - near.length;
  return answers.map((k, n) => (near.includes(k) ? card(c, k, n, now.at) : "")).join("") + (rest ? `<p class="v2g-hint">${esc(c.w.others(rest))}</p>` : "");
}

/** Where every head looks from one word. */
function map(c, { at, layer, head, words }) {
  const { layers, heads } = modelKind(c), units = unitsOf(c), rows = [...Array(layers * heads).keys()], columns = units.map(({ name }) => ([...name].length > 11 ? `${[...name].slice(0, 10).join("")}…` : name));
  const left = 30, top = 14 + Math.round(Math.max(...columns.map((name) => name.length)) * 5.2), wide = units.length * CELL, high = rows.length * LINE, right = 40;
  const name = (text, s) => `<text transform="translate(${left + (s + 0.5) * CELL + 3} ${top - 5}) rotate(-52)"${s === at + 1 ? ' class="asked"' : ""}>${esc(text)}</text>`;
  const line = (n) => `<g data-key="head${Math.floor(n / heads)}.${n % heads}"><title>${esc(c.w.head(Math.floor(n / heads) + 1, (n % heads) + 1))}</title><rect y="${top + n * LINE}" width="${left + wide}" height="${LINE}" fill="transparent"/>` +
    `<text class="soft" style="font-size:10px" x="${left - 5}" y="${top + n * LINE + 9.5}" text-anchor="end">${Math.floor(n / heads) + 1}.${(n % heads) + 1}</text></g>`;
  const weights = rows.map((n) => look(c, Math.floor(n / heads), n % heads, at, units)), grid = [...Array(layers + 1).keys()].map((n) => `M0 ${n * heads * LINE}h${wide}`).join("");
  const caption = c.w.map(bareOf(words[at]));
  return `<figure><svg viewBox="0 0 ${left + wide + right} ${top + high + 2}" width="100%" style="max-width:${left + wide + right}px" role="img" aria-label="${esc(caption)}">${columns.map(name).join("")}` +
    `<g transform="translate(${left} ${top})"><rect width="${wide}" height="${high}" fill="var(--wash)"/>${shaded(weights, CELL, LINE, "var(--weight)")}<path class="axis" d="${grid}" fill="none"/>` +
    `<rect y="${(layer * heads + head) * LINE}" width="${wide}" height="${LINE}" fill="none" stroke="var(--ink)" stroke-width="2"/></g>${rows.map(line).join("")}</svg><figcaption>${esc(caption)}</figcaption></figure>`;
}

// ---- gestures ----

/** A state with a word blank, or read again, and chosen. */
const toggled = ({ state }, k) => ({ ...state, at: k, blanks: switched(state.blanks, k) });

function keyed(c, key) {
  const { state } = c, now = shown(c), { layers, heads } = modelKind(c), to = stepped(now.words, now.at, key), step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (to !== undefined) return { ...state, at: to };
  if (step) { const n = clamp(now.layer * heads + now.head + step, 0, layers * heads - 1); return { ...state, head: [Math.floor(n / heads), n % heads] }; }
  if ((key === "Enter" || key === " ") && now.isHere) return toggled(c, now.at);
}

function click(c, target = "") {
  const [, kind, first, second] = target.match(/^(word|card|head)(\d+)(?:\.(\d+))?$/) ?? [];
  if (kind === "head") return { ...c.state, head: [+first, +second] };
  if (kind === "card") return { ...c.state, at: +first };
  if (kind === "word" && shown(c).isHere) return toggled(c, +first);
}

// ---- words ----

/** What stands at the chosen word, and what the model says there. */
function told(c, now) {
  const { w } = c, pieces = said(c, now.at), word = bareOf(now.words[now.at]), isBlank = blanksOf(c, now).includes(now.at);
  const guesses = ({ guesses, isFirst }) => guesses.slice(0, 3).map(([id, p]) => w.place(named(c, id, isFirst), percentage(p))).join(", ");
  if (!isBlank) return w.open(word, filled(c, pieces), percentage(pieces[0].guesses[0][1]), pieces.length);
  if (pieces.length > 1) return w.pieces(word, pieces.length, filled(c, pieces), guesses(pieces[0]));
  return w.blank(word, guesses(pieces[0]), pieces[0].rank, sizeOfVocab(c), percentage(pieces[0].own));
}

/** How many words are blank, and how many of them the model has right. */
function counted(c, now) {
  const { w } = c, all = placesOf(now.words).length, answers = blanksOf(c, now), right = answers.filter((k) => isRight(said(c, k))).length;
  if (!answers.length) return w.none;
  return answers.length === all ? w.all(right, all) : w.some(answers.length, all, right);
}

export const view = {
  name: "blanks",
  quiet: ["at", "head"],
  words: {
    en: {
      title: "Blank any word",
      hint: "Type a sentence and press words to blank them. The model fills the blanks; the bars under the words show where the chosen head looks from the chosen word.",
      picture: "Your sentence, with its blanks filled in. Left and right choose a word, enter or space blanks it or shows it again, up and down choose a head.",
      text: "Sentence", examples: "Examples", every: "Blank all", clear: "Blank none",
      noWord: "There is no word to blank: type a sentence.",
      long: (size, room) => `The text has ${size} tokens, and the model reads at most ${room}: shorten it.`,
      rank: (name, rank, size, p) => `“${name}”: rank ${rank.toLocaleString("en")} of ${size.toLocaleString("en")}, ${p}`, more: (n) => `… and ${n} more ${n === 1 ? "piece" : "pieces"}`, others: (n) => `${n} more ${n === 1 ? "blank" : "blanks"}: choose a word to see the guesses near it.`,
      head: (layer, head) => `layer ${layer}, head ${head}`, map: (word) => `Where each head looks from “${word}”: a row for each head (layer.head), a column for each word`,
      place: (name, share) => `“${name}” ${share}`,
      blank: (word, guesses, rank, size, p) => `“${word}” is blank. The model puts ${guesses}; “${word}” has rank ${rank.toLocaleString("en")} of ${size.toLocaleString("en")}, with ${p}.`,
      pieces: (word, n, best, guesses) => `“${word}” is blank, ${n} pieces, each guessed by itself. The model puts “${best}”; for the first piece ${guesses}.`,
      open: (word, best, p, n) => `“${word}” is not blank: the model sees it${n > 1 ? `, in ${n} pieces,` : ""} and puts “${best}” there${n > 1 ? "" : `, with ${p}`}.`,
      looks: (layer, head, places) => `From there layer ${layer}, head ${head} looks at ${places}.`,
      none: "Nothing is blank: press a word.", all: (right, of) => `All words are blank: what is left is how many there are, and where. The model has ${right} of ${of} right.`,
      some: (n, of, right) => `${n} of ${of} words ${n === 1 ? "is" : "are"} blank; the model has ${right} of ${n} right.`,
      strange: (words) => `${words}: cut into bytes, which are less than letters. The model has hardly met such text.`,
    },
  },
  start: ({ examples: [[text, place]], head }) => ({ text, blanks: [place], at: place, head }),
  controls: (c) => {
    const { settings: { examples, longest }, w } = c, every = (d) => ({ ...d.state, blanks: placesOf(wordsOf(d, d.state.text)) });
    return [
      { kind: "text", name: "text", label: w.text, max: longest },
      ...(examples.length > 1 ? [{
        kind: "examples", name: "example", label: w.examples, options: examples.map(([text]) => [text, shortened(text)]),
        act: ({ state }, text) => { const place = examples.find(([one]) => one === text)[1]; return { ...state, text, blanks: [place], at: place }; },
      }] : []),
      { kind: "button", name: "every", label: w.every, row: "blanks", act: every },
      { kind: "button", name: "clear", label: w.clear, row: "blanks", act: ({ state }) => ({ ...state, blanks: [] }) },
    ];
  },
  accept: (c) => {
    const text = typedIn(c, c.state.text, c.settings.examples[0][0]), words = wordsOf(c, text), { blanks, at, head } = c.state, { layers, heads } = modelKind(c, c.state);
    return { ...c.state, text, blanks: chosenOf(words, blanks), at: index(at, c.settings.longest), head: [index(head?.[0], layers), index(head?.[1], heads)] };
  },
  moved: (state, c) => {
    if (state.text === c.state.text) return state;
    const before = wordsOf(c, c.state.text), after = wordsOf(c, state.text);
    return { ...state, blanks: carried(c.state.blanks, before, after), at: carried([c.state.at], before, after)[0] ?? c.state.at };
  },
  advice: (c) => obstacle(c, c.state.text),
  async *compute(c, ask) {
    if (obstacle(c, c.state.text)) return;                       // the last right answer stays
    yield await ask(question(c));
  },
  act: (c, { kind, target, key }) => ({ click: () => click(c, target), key: () => keyed(c, key) })[kind]?.(),
  picture: (c) => {
    const now = shown(c);
    return `${sentenceHTML(c, now, look(c, now.layer, now.head, now.at))}<div class="v2g-pair"><div class="v2g-pair" style="flex-basis:${blanksOf(c, now).length > 2 ? "100%" : "13rem"}">${cards(c, now)}</div>${map(c, now)}</div>`;
  },
  below: (c) => { const note = strange(c, shown(c).words); return note && `<p class="v2g-hint">${esc(note)}</p>`; },
  sentence: (c) => {
    const { w } = c, now = shown(c), units = unitsOf(c);
    const seen = look(c, now.layer, now.head, now.at, units).map((p, k) => [p, units[k].name]).sort(([a], [b]) => b - a).slice(0, 3).filter(([p], k) => !k || p >= TOLD);
    return [told(c, now), w.looks(now.layer + 1, now.head + 1, seen.map(([p, name]) => w.place(name, percentage(p))).join(", ")), counted(c, now)];
  },
};

export default widget(view);
