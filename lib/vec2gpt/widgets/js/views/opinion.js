// opinion.js: for or against: what a classifier makes of the reader's sentence, and what each of its words does to it (chapter 11).
//
// The sentence is read as it is, then once more for each word without it; by how much the log-odds change is what the word
// weighs. A bar above a word draws towards the second class, one below it towards the first. Words that are pressed are left
// out, and the rest is read again; such a word weighs what it would change if it came back.
// parts: spelling, bpe, sentences

const TOGETHER = 8;                                             // texts that are read between two looks at what is typed
const FULL = 3;                                                 // log-odds that fill a bar
const LISTED = 6, TOLD = 3;                                     // words in the list, and in the sentence
const LEAST = 0.05;                                             // log-odds that are worth telling

// ---- the question ----

/** The words that can be switched one at a time without all being left out: their places. */
export function switchable(words, off) {
  const places = placesOf(words), left = places.filter((k) => !off.includes(k));
  return left.length > 1 ? places : places.filter((k) => !left.includes(k));
}

/** All that is asked: the ids of the text, and of the text with each word switched that can be. */
export function rowsOf(c, { text, off } = c.state) {
  const words = wordsOf(c, text), [cls, sep] = ["[CLS]", "[SEP]"].map((name) => c.settings.specials.indexOf(name));
  const row = (out) => [cls, ...words.flatMap(({ ids }, k) => (out.includes(k) ? [] : ids)), sep];
  return [row(off), ...switchable(words, off).map((k) => row(switched(off, k)))];
}

/** Rows as a tensor (N, T), filled up behind with the model's padding. */
export function batched(rows, pad) {
  const T = Math.max(...rows.map((row) => row.length));
  return { dims: [rows.length, T], data: rows.flatMap((row) => [...row, ...Array(T - row.length).fill(pad)]) };
}

/** What keeps a state from being read. */
function hindrance(c, { text, off } = c.state) {
  const words = wordsOf(c, text);
  return obstacle(c, text) ?? (placesOf(words).every((k) => off.includes(k)) ? { text: c.w.allOff, offers: [] } : null);
}

/** What the words of a text weigh until they are read: what the same words weighed in the text before. */
function assumed(c) {
  const { state, result: { of } } = c;
  if (modelName(c, state) !== modelName(c, of)) return [];
  const before = wordsOf(c, of.text), after = wordsOf(c, state.text), old = weightsOf(c), places = [...before.keys()];
  const found = [];
  places.forEach((k) => { const [to] = carried([k], before, after); if (to !== undefined) found[to] = old[k]; });
  return found;
}

// ---- what the answer says ----

/** The state that the picture shows: the reader's; while another text is read, that of the answer. */
function shown(c) {
  const { state, result: { of } } = c, words = wordsOf(c, of.text), isHere = state.text === of.text;
  return { text: of.text, words, off: isHere ? state.off : of.off, isHere, at: nearest(words, state.at) };
}

/** What each word weighs, by place: log-odds with it minus log-odds without it; undefined where that is not known. */
export function weightsOf(c) {
  const { of, log_odds: { data }, before = [] } = c.result, words = wordsOf(c, of.text), weights = [];
  switchable(words, of.off).forEach((k, n) => {
    weights[k] = n + 1 < data.length ? (of.off.includes(k) ? 1 : -1) * (data[n + 1] - data[0]) : before[k];
  });
  return weights;
}

/** The probability of the second class. */
export const chance = (logOdds) => 1 / (1 + Math.exp(-logOdds));

/** A class and how probable it is: that which log-odds speak for. */
function verdict(c, logOdds) {
  const isSecond = logOdds >= 0, p = chance(Math.abs(logOdds));
  return c.w.verdict(c.settings.classes[+isSecond], percentage(p));
}

const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;

/** The places of the words that weigh most, heaviest first. */
const heaviest = (weights, most) => Object.keys(weights).map(Number).filter((k) => Math.abs(weights[k]) >= LEAST)
  .sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a])).slice(0, most);

// ---- the picture ----

/** The colour of a class, and as much of it as a weight fills. */
const coloured = (weight) => (weight < 0 ? "var(--minus)" : "var(--plus)");
const filling = (weight) => Math.min(1, Math.abs(weight) / FULL);

/** How probable both classes are, as one bar: the first from the left, hatched, the second from the right. */
function gauge(c, logOdds) {
  const { settings: { classes: [first, second] } } = c, p = chance(logOdds), edge = `${(100 * (1 - p)).toFixed(1)}%`;
  const label = (name, share, isMore) => `<span style="${isMore ? "font-weight:700" : ""}">${esc(name)} ${percentage(share)}</span>`;
  const bar = `linear-gradient(var(--ink) 0 0) 50%/2px 100% no-repeat,linear-gradient(90deg,transparent ${edge},var(--plus) 0),` +
    "repeating-linear-gradient(135deg,var(--minus) 0 5px,transparent 5px 8px)";
  return `<p style="display:flex;flex-wrap:wrap;gap:0 .7em;align-items:center;font-variant-numeric:tabular-nums">${label(first, 1 - p, p < 0.5)}` +
    `<i style="flex:1 1 6rem;height:1.1em;border:1px solid var(--ink);border-radius:3px;background:${bar}"></i>${label(second, p, p >= 0.5)}</p>`;
}

/** A word with what it weighs; one that is left out is struck through. */
function wordHTML(c, k, { words, at, off }, known) {
  const weight = known ?? 0, size = filling(weight), colour = coloured(weight), isOff = off.includes(k);
  const bar = `linear-gradient(${colour} 0 0) 0 ${weight < 0 ? "100%" : "0"}/100% calc(${size.toFixed(3)}*.42em) no-repeat`;
  const tint = isOff ? "" : `;background-color:color-mix(in srgb,${colour} ${(30 * size).toFixed(0)}%,transparent)`;
  const style = `display:inline-block;padding:.42em 1px;line-height:1.25;cursor:pointer;background:${bar}${tint}` +
    (isOff ? ";text-decoration:line-through;color:var(--soft);border:1px dashed var(--soft);border-radius:4px" : "");
  return `${esc(spaceOf(words[k]))}<span data-key="word${k}" ${known === undefined ? "" : `title="${signed(known)}" `}style="${style}"${k === at ? ' class="here cursor"' : ""}>${esc(bareOf(words[k]))}</span>`;
}

function sentenceHTML(c, now, weights) {
  const parts = now.words.map((word, k) => (isWord(word) ? wordHTML(c, k, now, weights[k]) : esc(word.text)));
  return `<p class="v2g-text" style="font-family:inherit;font-size:1.1rem;line-height:2.2;margin:.5rem 3px">${parts.join("")}</p>`;
}

/** The words that weigh most, each with a bar from the middle: to the right towards the second class. */
function listHTML(c, now, weights) {
  const { settings: { classes: [first, second] }, w } = c, row = (k) => {
    const reach = 50 * filling(weights[k]), [from, to] = weights[k] < 0 ? [50 - reach, 50] : [50, 50 + reach], colour = coloured(weights[k]);
    const bar = `linear-gradient(90deg,transparent ${from.toFixed(1)}%,${colour} 0 ${to.toFixed(1)}%,transparent 0),linear-gradient(var(--soft) 0 0) 50%/1px 100% no-repeat,var(--wash)`;
    const name = `<span style="${now.off.includes(k) ? "text-decoration:line-through;color:var(--soft)" : ""}">${esc(bareOf(now.words[k]))}</span>`;
    return `<li data-key="weight${k}" style="grid-template-columns:minmax(5.5em,30%) 1fr 3.2em"${k === now.at ? ' class="at"' : ""}>${name}<i style="background:${bar}"></i><span>${signed(weights[k])}</span></li>`;
  };
  const places = heaviest(weights, LISTED);
  if (!places.length) return `<p class="v2g-hint">${esc(w.noWeight)}</p>`;
  return `<p class="v2g-hint" style="font-size:.85em">${esc(w.list(first, second))}</p><ol class="v2g-bars" style="max-width:34rem">${places.map(row).join("")}</ol>`;
}

// ---- gestures ----

/** A state with a word left out, or read again, and chosen. */
const toggled = ({ state }, k) => ({ ...state, at: k, off: switched(state.off, k) });

function keyed(c, key) {
  const now = shown(c), to = stepped(now.words, now.at, key);
  if (to !== undefined) return { ...c.state, at: to };
  if (["Enter", " ", "Delete", "Backspace"].includes(key) && now.isHere) return toggled(c, now.at);
}

function click(c, target = "") {
  const [, kind, place] = target.match(/^(word|weight)(\d+)$/) ?? [];
  if (kind === "weight") return { ...c.state, at: +place };
  if (kind === "word" && shown(c).isHere) return toggled(c, +place);
}

/** The state without the word that the verdict owes most; the same one where there is none, or its answer has not come. */
function weakened(c) {
  const { state, result: { of, log_odds: { data: [logOdds] } } } = c, weights = weightsOf(c);
  if (state.text !== of.text || String(state.off) !== String(of.off)) return state;
  const [k] = Object.keys(weights).map(Number).filter((n) => !of.off.includes(n) && weights[n] * logOdds > 0).sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]));
  return k === undefined ? state : toggled(c, k);
}

// ---- words ----

/** What the chosen word does. */
function told(c, now, weights) {
  const { w, settings: { classes }, result: { of, log_odds: { data: [logOdds] } } } = c, word = bareOf(now.words[now.at]), weight = weights[now.at];
  if (!placesOf(now.words).length) return "";
  const isOff = of.off.includes(now.at);
  if (weight === undefined) return w.alone(word);
  const other = verdict(c, isOff ? logOdds + weight : logOdds - weight), side = Math.abs(weight) < LEAST ? w.neither(word) : w.draws(word, classes[+(weight > 0)], Math.abs(weight).toFixed(2));
  return `${isOff ? w.again(word, other) : w.without(word, other)} ${side}`;
}

export const view = {
  name: "opinion",
  quiet: ["at"],
  words: {
    en: {
      title: "For or against?",
      hint: "Type a sentence. A bar above a word draws the model's answer one way, a bar below the other; press a word to leave it out.",
      picture: "Your sentence and what the model makes of it. Left and right choose a word, enter or space leaves it out or reads it again.",
      text: "Sentence", examples: "Examples", every: "Read all words", weaken: "Leave out the word that helps it most",
      noWord: "There is no word to judge: type a sentence.",
      allOff: "All words are left out: press one to read it again.",
      long: (size, room) => `The text has ${size} tokens, and the model reads at most ${room}: shorten it.`,
      verdict: (name, p) => `“${name}”, ${p}`,
      says: (verdict, logOdds) => `The model says ${verdict} (log-odds ${logOdds}).`,
      out: (n) => `${n} ${n === 1 ? "word is" : "words are"} left out.`,
      without: (word, verdict) => `Without “${word}” it says ${verdict}.`, again: (word, verdict) => `With “${word}” again it says ${verdict}.`,
      draws: (word, name, size) => `So “${word}” draws towards “${name}”, by ${size}.`, neither: (word) => `So “${word}” does next to nothing.`,
      alone: (word) => `“${word}” is the only word that is read: without it there is nothing to judge.`,
      heaviest: (list) => `The heaviest words: ${list}.`, weight: (word, size) => `“${word}” ${size}`,
      noWeight: "No word by itself changes the answer.",
      list: (first, second) => `What a word adds to the log-odds: left towards “${first}”, right towards “${second}”`,
      above: (name) => `bar above: towards “${name}”`, below: (name) => `bar below: towards “${name}”`, struck: "struck through: left out",
      strange: (words) => `${words}: cut into bytes, which are less than letters. The model has hardly met such text.`,
    },
  },
  start: ({ examples: [text] }) => ({ text, off: [], at: 0 }),
  controls: ({ settings: { examples, longest }, w }) => [
    { kind: "text", name: "text", label: w.text, max: longest },
    ...(examples.length > 1 ? [{
      kind: "examples", name: "example", label: w.examples, options: examples.map((text) => [text, shortened(text)]), act: ({ state }, text) => ({ ...state, text, off: [], at: 0 }),
    }] : []),
    { kind: "button", name: "weaken", label: w.weaken, row: "off", act: weakened },
    { kind: "button", name: "every", label: w.every, row: "off", act: ({ state }) => ({ ...state, off: [] }) },
  ],
  accept: (c) => {
    const text = typedIn(c, c.state.text, c.settings.examples[0]), { off, at } = c.state;
    return { ...c.state, text, off: chosenOf(wordsOf(c, text), off), at: index(at, c.settings.longest) };
  },
  moved: (state, c) => {
    if (state.text === c.state.text) return state;
    const before = wordsOf(c, c.state.text), after = wordsOf(c, state.text);
    return { ...state, off: carried(c.state.off, before, after), at: carried([c.state.at], before, after)[0] ?? c.state.at };
  },
  advice: (c) => hindrance(c),
  async *compute(c, ask) {
    if (hindrance(c)) return;                                    // the last right answer stays
    const rows = rowsOf(c), { pad } = modelKind(c, c.state), before = assumed(c), data = [];
    const read = async (some) => { data.push(...(await ask({ ids: batched(some, pad) })).log_odds.data); return { log_odds: { dims: [data.length], data: [...data] }, before }; };
    yield await read(rows.slice(0, 1));                          // the answer at once, then what each word does
    for (let n = 1; n < rows.length; n += TOGETHER) yield await read(rows.slice(n, n + TOGETHER));
  },
  act: (c, { kind, target, key }) => ({ click: () => click(c, target), key: () => keyed(c, key) })[kind]?.(),
  picture: (c) => {
    const now = shown(c), weights = weightsOf(c);
    return gauge(c, c.result.log_odds.data[0]) + sentenceHTML(c, now, weights) + listHTML(c, now, weights);
  },
  below: (c) => {
    const { w, settings: { classes: [first, second] } } = c, note = strange(c, shown(c).words), sample = (weight) => `display:inline-block;width:1.6em;height:1.1em;background:linear-gradient(${coloured(weight)} 0 0) 0 ${weight < 0 ? "100%" : "0"}/100% .35em no-repeat,var(--wash)`;
    const entry = (style, text, inside = "") => `<li><span style="${style}" aria-hidden="true">${inside}</span>${esc(text)}</li>`;
    return `<ul class="v2g-legend">${entry(sample(1), w.above(second))}${entry(sample(-1), w.below(first))}${entry("text-decoration:line-through;color:var(--soft)", w.struck, "abc")}</ul>` +
      (note && `<p class="v2g-hint">${esc(note)}</p>`);
  },
  sentence: (c) => {
    const { w, result: { of, log_odds: { data: [logOdds] } } } = c, now = shown(c), weights = weightsOf(c), top = heaviest(weights, TOLD);
    return [
      w.says(verdict(c, logOdds), signed(logOdds)) + (of.off.length ? ` ${w.out(of.off.length)}` : ""), told(c, now, weights),
      top.length ? w.heaviest(top.map((k) => w.weight(bareOf(now.words[k]), signed(weights[k]))).join(", ")) : w.noWeight,
    ];
  },
};

export default widget(view);
