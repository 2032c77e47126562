// texts.js: a text that a model reads by letters or by words, and what it says: what views share whose settings texts.py makes,
// {models: {name: {source, target, end, eos, reads, known}}, texts, examples, limit}. It stands on spelling.js.

const WORDS = "words";                                          // what a model reads, if not letters

const TEXTS = {
  en: {
    letters: "Word", words: "Sentence", both: "Word or sentence", list: "Show the words it knows", end: "end", nothing: "nothing",
    noWords: "Type a sentence, or press an example.", manyWords: (n) => `At most ${n} words can be read:`,
    unknownWord: (word, offers) => `“${word}” is none of its words${offers ? ". It knows:" : ": the switch below shows them all."}`,
    readBy: { letters: "A single word is read by:", words: "A sentence is read by:" },
  },
};

// ---- the text ----

/** The letters or words of a text. */
export const pieces = (text, { reads }) => (reads === WORDS ? text.split(/\s+/).filter(Boolean) : [...text]);

/** A text without the spaces that mean nothing. */
export const tidy = (text) => text.trim().replace(/\s+/g, " ");

/** What keeps a model from reading a text, and texts that it could read: {text, offers}; null if nothing does. */
export const obstacle = (text, kind, limit, w) => (kind.reads === WORDS ? wordsObstacle(text, kind, limit, w) : lettersObstacle(text, kind, limit, w));

function lettersObstacle(text, { known }, limit, w) {
  const advice = spellingAdvice({ state: { word: text }, settings: { alphabet: known, limit }, w });
  return advice && { ...advice, offers: advice.offers.map(({ value }) => ({ name: "text", value })) };
}

function wordsObstacle(text, kind, limit, w) {
  const found = pieces(text, kind), strange = found.find((word) => lookup(kind.known, word) < 0);
  const offers = (texts) => texts.map((words) => ({ name: "text", value: words.join(" ") }));
  if (!found.length) return { text: w.noWords, offers: [] };
  if (strange === undefined) return found.length > limit ? { text: w.manyWords(limit), offers: offers([found.slice(0, limit)]) } : null;
  const meant = near(kind.known, strange, 3);
  return { text: w.unknownWord(strange, meant.length > 0), offers: offers(meant.map((word) => found.map((one) => (one === strange ? word : one)))) };
}

/** A text in numbers of its model, the end mark last. */
export function numbered(text, kind) {
  const token = (piece) => (kind.reads === WORDS ? kind.known[lookup(kind.known, piece)] : piece);
  return [...pieces(text, kind).map((piece) => kind.source.indexOf(token(piece))), kind.end];
}

/** Whether a text that models of one `kind` do not read is meant for those of another: words with spaces between them are. */
const isMeantFor = (text, kind, other, limit, w) =>
  (other.reads === WORDS ? tidy(text).includes(" ") : obstacle(text, kind, limit, w) && !obstacle(text, other, limit, w));

/** What keeps the text that stands in the field from being read, and what to try: another text, or another model. */
export function textAdvice(c) {
  const { settings: { models, limit }, state: { text }, w } = c, kind = modelKind(c, c.state), found = obstacle(text, kind, limit, w);
  const isOther = (one) => one.reads !== kind.reads && isMeantFor(text, kind, one, limit, w);
  const name = found && !(kind.reads === WORDS && found.offers.length) && Object.keys(models).find((one) => isOther(models[one]));
  return name ? { text: w.readBy[models[name].reads], offers: [{ name: "model", value: name }] } : found;
}

/** A state of another model: where that reads words instead of letters, or letters instead of words, its text comes back
    and the one that stands there waits; unless that is meant for it. `c`: before. */
export function turned(state, c) {
  const { texts, limit } = c.settings, before = modelKind(c, c.state), now = modelKind(c, state);
  if (now.reads === before.reads) return state;
  return isMeantFor(state.text, before, now, limit, c.w) ? { ...state, other: texts[before.reads] } : { ...state, text: state.other, other: state.text };
}

// ---- the field it is typed into: state.text, and state.other for models of the other kind ----

/** What a state begins with. */
export function textStart({ models, texts }) {
  const [{ reads }] = Object.values(models), other = Object.entries(texts).find(([sort]) => sort !== reads)?.[1] ?? "";
  return { text: texts[reads], other };
}

/** A field for the text, and a row of examples where there are any; `fresh`: the parts of the state that an example resets. */
export function textControls({ settings: { models, texts, examples, limit }, w }, fresh) {
  const known = Object.values(models).flatMap((kind) => [...kind.known]).join(""), sorts = Object.keys(texts), hasWords = WORDS in texts;
  const act = (c, text) => ({ ...chosenText(c, text), ...fresh });
  return [
    { kind: "text", name: "text", label: sorts.length > 1 ? w.both : w[sorts[0]], alphabet: known + known.toUpperCase() + (hasWords ? " " : ""), max: hasWords ? 10 * limit : limit },
    ...(examples.length ? [{ kind: "examples", name: "example", label: w.examples, options: examples.map((text) => [text, text]), act }] : []),
  ];
}

/** A switch that shows the words that can be typed, where a model reads words. */
export const listControl = ({ settings: { texts }, w }) => (WORDS in texts ? [{ kind: "switch", name: "list", label: w.list }] : []);

/** The words that can be typed, if they are wanted. */
export function wordList(c) {
  const { known, reads } = modelKind(c, c.state);
  return c.state.list && reads === WORDS ? `<p class="v2g-hint">${esc(known.join(" "))}</p>` : "";
}

/** A line of text that a link wishes for, or a hand types. */
export const lineOf = (text, { limit }) => (typeof text === "string" ? text.toLowerCase().slice(0, 10 * limit) : "");

/** An example is read by the model that is chosen, or else by the first that can. */
function chosenText(c, text) {
  const { settings: { models, limit }, state, w } = c, mine = modelName(c, state), name = [mine, ...Object.keys(models)].find((one) => !obstacle(text, models[one], limit, w));
  return { ...turned(name === mine ? state : { ...state, model: name }, c), text };
}

// ---- what the answer says ----

/** Whether the answer is to the text that stands in the field. */
export const here = (c) => tidy(c.state.text) === tidy(c.result.of.text) && modelKind(c, c.state).reads === modelKind(c).reads;

/** All that a reading says, the row `reading` of the ids and probabilities (2, T) of an answer: {steps: [{token, null of the
    end; p}], tokens; ended; p, of all of them}. */
export function said(c, reading) {
  const { ids, probabilities: { data, dims: [, most] } } = c.result, { target, eos } = modelKind(c);
  const spoken = Array.from(ids.data.slice(reading * most, (reading + 1) * most)), end = spoken.indexOf(eos), ended = end >= 0;
  const steps = spoken.slice(0, ended ? end + 1 : most).map((id, t) => ({ token: id === eos ? null : target[id], p: data[reading * most + t] }));
  return { steps, ended, tokens: steps.slice(0, ended ? -1 : most).map(({ token }) => token), p: steps.reduce((p, one) => p * one.p, 1) };
}

/** What is said, in a line. */
export const lineSaid = ({ tokens, ended }, w) => (tokens.join(" ") || w.nothing) + (ended ? "" : " …");

/** A probability; a tiny one as a power of ten: 4·10⁻⁶. Only what is certain is 1. */
export function chance(p) {
  if (p >= 0.9995 && p < 1) return ">0.999";
  const [digit, power] = p.toExponential(0).split("e-");
  if (p >= 0.001 || !power) return p.toFixed(p < 0.0995 || (p >= 0.995 && p < 1) ? 3 : 2);
  return `${digit}·10⁻${[...power].map((n) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[n]).join("")}`;
}
