// spelling.js: a word of any kind, spelled with the letters that a model knows, and how models say it: what views share
// whose settings spelling.py makes, {word, alphabet, limit, models: {name: {source, target, end, eos}}, dictionary}.

// The advice stands in one line of a phone, so that the picture below keeps its place.
const SPELLING = {
  en: {
    word: "Spelling", examples: "Examples", empty: ({ alphabet }) => `Type a word: letters ${lettersNamed(alphabet)}.`,
    strange: ({ alphabet }, value) => `Only the letters ${lettersNamed(alphabet)} can be read${value ? ":" : ". Type such a word."}`,
    long: ({ limit }) => `At most ${limit} letters can be read:`,
  },
};

/** An alphabet in words: from its first letter to its last, or, where it has gaps, every letter. */
export function lettersNamed(alphabet) {
  const [first, last] = [alphabet[0], alphabet.at(-1)], gaps = last.charCodeAt() - first.charCodeAt() >= alphabet.length;
  return gaps ? [...alphabet].join(", ") : `${first} to ${last}`;
}

// ---- the word that is typed: state.word ----

/** A field for the word, and a row of examples where there are any; `fresh`: the parts of the state that an example resets. */
export function wordControls({ settings: { dictionary }, w }, fresh) {
  const options = Object.keys(dictionary).map((word) => [word, word]), act = ({ state }, word) => ({ ...state, word, ...fresh });
  const field = { kind: "word", name: "word", label: w.word, sign: w.word, words: [] };
  return [field, ...(options.length ? [{ kind: "examples", name: "example", label: w.examples, options, act }] : [])];
}

/** A word as it is kept, however it was typed. */
export const asTyped = (word) => spelled([], String(word)).toLowerCase();

/** What keeps a word from being read, as the name of the words that say so; null if nothing does. */
export function misspelling(word, { alphabet, limit }) {
  if (!word) return "empty";
  if ([...word].some((ch) => !alphabet.includes(ch))) return "strange";
  return word.length > limit ? "long" : null;
}

/** The nearest word that can be read: letters without their accents, nothing else, no more than fit. */
export const respelled = (word, { alphabet, limit }) =>
  [...word.normalize("NFD")].filter((ch) => alphabet.includes(ch)).slice(0, limit).join("");

/** A view's advice on `c.state.word`; `c.w` holds the words of SPELLING. */
export function spellingAdvice({ state: { word }, settings, w }) {
  const wrong = misspelling(word, settings), value = respelled(word, settings);
  return wrong && { text: w[wrong](settings, value), offers: value ? [{ name: "word", value }] : [] };
}

// ---- the model that reads it ----

/** The name of the model that a state chooses, or of the only one. */
export const modelName = ({ settings }, state) => state.model ?? Object.keys(settings.models)[0];

/** The vocabularies and marks of the model that a state chooses, by default of the one that answered. */
export const modelKind = (c, state = c.result.of) => c.settings.models[modelName(c, state)];

/** The word in numbers of its model, the end mark last: a tensor (1, S). */
export function sourceIds(c) {
  const { source: known, end } = modelKind(c, c.state), ids = [...[...c.state.word].map((ch) => known.indexOf(ch)), end];
  return { dims: [1, ids.length], data: ids };
}

// ---- what it says ----

export const SIGNS = { right: "✓", wrong: "✗" };

/** A phoneme without its digit of stress. */
export const unstressed = (sound) => sound.replace(/[012]$/, "");

/** The listed pronunciations of a word; none of one that is not in the dictionary ("constructor" is a word too). */
export const waysOf = ({ dictionary }, word) => (Object.hasOwn(dictionary, word) ? dictionary[word] : []);

/** Whether `sounds` are one of the listed `ways`, stress aside; null where none is listed. */
export function isListed(sounds, ways) {
  const plain = (all) => all.map(unstressed).join(" ");
  return ways.length ? ways.some((way) => plain(way) === plain(sounds)) : null;
}

/** A share or probability in words: only what is nothing at all is 0%, only what is certain 100%. */
export const percentage = (p) => (p > 0 && p < 0.005 ? "<1%" : p >= 0.995 && p < 1 ? ">99%" : `${Math.round(100 * p)}%`);
