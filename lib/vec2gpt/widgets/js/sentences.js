// sentences.js: a sentence that the reader types, and its words, which presses and keys choose: what views share that read it
// by the tokens of bpe.js. A word is what BPE never cuts across, with its space; settings: {limit, longest, …}.

// ---- the text: words, each with its space ----

const readings = new WeakMap();                                 // settings → the last texts that were cut

/** The words of a text: [{text, ids}], spaces by themselves included. */
export function wordsOf({ settings }, text) {
  const kept = readings.get(settings) ?? [], known = kept.find((one) => one.text === text);
  if (known) return known.words;
  const words = gptCut(text).map((word) => ({ text: word, ids: encode(word, settings) }));
  readings.set(settings, [{ text, words }, ...kept].slice(0, 4));
  return words;
}

/** A text whose control characters can be seen. */
const visible = (text) => text.replace(/\p{Cc}/gu, (ch) => (ch === "\n" ? glyph(ch) : `\\x${ch.charCodeAt().toString(16).padStart(2, "0")}`));

/** A word as it is spoken of, without its space. */
export const bareOf = ({ text }) => visible(text.trim() || text);

const isWord = ({ text }) => /\P{White_Space}/u.test(text);
const sizeOf = (words) => words.reduce((sum, { ids }) => sum + ids.length, 0);

/** The space in front of a word. */
const spaceOf = ({ text }) => text.slice(0, text.search(/\P{White_Space}/u));

/** The places of what can be chosen. */
export const placesOf = (words) => [...words.keys()].filter((k) => isWord(words[k]));

/** The place of a word nearest to `at`, of those that can be chosen. */
const nearest = (words, at) => placesOf(words).reduce((best, k) => (Math.abs(k - at) < Math.abs(best - at) ? k : best), placesOf(words)[0] ?? 0);

/** A text as the state keeps it, whatever a link made of it. */
const typedIn = ({ settings: { longest } }, text, instead) => (typeof text === "string" ? clean(text, undefined, longest).text : instead);

/** Places of words, whatever a link made of them, in order. */
function chosenOf(words, places) {
  const can = new Set(placesOf(words));
  return Array.isArray(places) ? [...new Set(places.filter((k) => can.has(k)))].sort((a, b) => a - b) : [];
}

/** What keeps a text from being read, and as much of it as could be: {text, offers}; null if nothing does. `c.w` has `noWord`
    and `long`. */
export function obstacle(c, text) {
  const { settings: { limit }, w } = c, words = wordsOf(c, text), room = limit - 2, size = sizeOf(words);
  if (!words.some(isWord)) return { text: w.noWord, offers: [] };
  if (size <= room) return null;
  const fitting = words.slice(0, words.findIndex((_, k) => sizeOf(words.slice(0, k + 1)) > room)).map((word) => word.text).join("").trimEnd();
  return { text: w.long(size, room), offers: fitting ? [{ name: "text", value: fitting }] : [] };
}

// ---- what a text's edit and a key do to the places that are chosen ----

/** How many words at the start and at the end of a text stayed as they were: [start, end]. */
function unedited(before, after) {
  const same = (a, b) => a?.text === b?.text, most = Math.min(before.length, after.length);
  let start = 0, end = 0;
  while (start < most && same(before[start], after[start])) start++;
  while (end < most - start && same(before.at(-1 - end), after.at(-1 - end))) end++;
  return [start, end];
}

/** The chosen places of a text that was edited: those before the edit stay, those behind it move along. */
export function carried(chosen, before, after) {
  const [start, end] = unedited(before, after), moved = after.length - before.length;
  return chosen.filter((k) => k < start || k >= before.length - end || !moved).map((k) => (k >= before.length - end ? k + moved : k));
}

/** The place to which a key goes from a word, undefined if it goes nowhere. */
export function stepped(words, at, key) {
  const places = placesOf(words), place = places.indexOf(at);
  const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: places.length - 1 }[key];
  return to === undefined ? undefined : places[clamp(to, 0, places.length - 1)];
}

/** A list of places with one more of them, or without it. */
const switched = (places, k) => (places.includes(k) ? places.filter((one) => one !== k) : [...places, k].sort((a, b) => a - b));

// ---- words for it ----

/** A text as buttons name it. */
const shortened = (text) => ([...text].length > 30 ? `${[...text].slice(0, 28).join("").trimEnd()}…` : text);

/** Words that were cut into parts of letters, which the model has hardly met; `c.w` has `strange`. */
export function strange(c, words) {
  const cut = words.filter((word) => word.ids.length > 1 && word.ids.some((id) => decode([id], c.settings).includes("\ufffd")));
  return cut.length ? c.w.strange(cut.slice(0, 3).map((word) => `“${[...bareOf(word)].slice(0, 12).join("")}”`).join(", ") + (cut.length > 3 ? " …" : "")) : "";
}
