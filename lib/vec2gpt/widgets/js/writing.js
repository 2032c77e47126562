// writing.js: a text that a GPT writes from a prompt and from the branches that a reader took: what of it is given, and which
// questions a model is asked for the rest.
//
// A text is the prompt, as the branches that the reader took have changed it and gone beyond it: that much is given. The rest is
// drawn, by a uniform number for each place, so that the same numbers and settings give the same text. It is written in questions
// of a few tokens. A model sees no more than its context: once that is full, the last half of it is read again and writing goes on.
// Which part is read depends on the place of a token alone, so that a text goes on as before if a branch puts what was there.

const GOLDEN = 0.6180339887;

// ---- the text ----

/** The uniform numbers of a seed: the widget's own, turned around the circle [0, 1) by the golden ratio. */
export const turn = (numbers, seed) => numbers.map((u) => (u + seed * GOLDEN) % 1);

/** The first token that is read when the one at place `n` is written or judged, of which `room` can be read. */
export const windowStart = (n, room) => (n < room ? 0 : Math.ceil((n + 1 - room) / Math.ceil(room / 2)) * Math.ceil(room / 2));

/** A token as it is written. */
export const written = (kind, id) => (kind.tokens ? kind.tokens[id] : tokenName(id, kind));

/** A prompt in numbers of a model; of an empty one what the model begins after. */
export function promptIds(kind, prompt) {
  const ids = kind.tokens ? [...prompt].map((ch) => kind.tokens.indexOf(ch)) : encode(prompt, kind);
  return ids.length ? ids : [kind.begin];
}

/** A text after a branch {from, ids}: what stood before place `from` stays, then come ids. */
const branched = (ids, branch) => [...ids.slice(0, branch.from), ...branch.ids];

/** What a state gives the model: {ids, given; size, of the prompt; places, of the branches that still stand}. */
export function givenOf(c, state = c.result.of) {
  const ids = promptIds(modelKind(c, state), state.prompt);
  let given = ids, places = [];
  for (const branch of state.taken) {
    given = branched(given, branch);
    places = [...places.filter((place) => place < branch.from), given.length - 1];
  }
  return { given, places, size: ids.length };
}

// ---- the questions ----

/** All that decides a text, but for how long it is and where the reader looks. */
const decided = ({ length, at, pick, ...rest }) => JSON.stringify(rest);

const WRITTEN = ["written", "chance", "drawn"], JUDGED = ["own", "choices", "likely"];   // of tokens drawn; of all but the first

/** Rows of a tensor (1, N) or (1, N, …), after those of another. */
function rows(tensor, from, to, before) {
  const [, , width = 1] = tensor.dims, data = [...(before?.data ?? []), ...tensor.data.slice(from * width, to * width)];
  return { dims: [1, data.length / width, ...tensor.dims.slice(2)], data };
}

/** Outputs, each by its own rows: `drawn` and `judged` are [from, to]. */
const part = (outputs, drawn, judged, before) => Object.fromEntries([
  ...WRITTEN.map((name) => [name, rows(outputs[name], ...drawn, before?.[name])]), ...JUDGED.map((name) => [name, rows(outputs[name], ...judged, before?.[name])]),
]);

/** What is asked next of a text of `length` tokens, the first `judged` of which are known: {from, to, count}, the tokens that are
    read, and how many are written after them. Until all that is given is judged, none is. */
export function nextQuestion({ length, judged, given, end, stride, context }) {
  const room = context - 1, from = windowStart(judged, room), last = from + room - 1;   // the last place that has this window
  if (last < given) return { from, to: last + 1, count: 0 };
  return { from, to: length, count: Math.min(stride, last + 1 - length, end - length) };
}
