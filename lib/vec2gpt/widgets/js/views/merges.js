// merges.js: the merges of a byte-level BPE, applied one after another to the reader's text (chapter 9).
//
// A token is a box, with its id; boxes that touch are of one pretoken, over whose edge no merge reaches. There is no model:
// bpe.js cuts the text as Python does.
// parts: bpe

const COLOURS = 6, NONE = -1;                                   // of boxes; and the cursor where no token is chosen
const PLAY = 12;                                                // seconds from no merge to all

// ---- what the merges make of a text ----

/** The text's pretokens, each as its tokens by the merges allowed. */
const pretokens = ({ settings }, { text, merges }) => gptCut(text).map((one) => encode(one, settings, merges));

/** All tokens of the text, one after the other. */
const tokens = (c, state) => pretokens(c, state).flat();

/** The merges that change this text, by their place from 1, in order. */
export function turns({ settings, state: { text } }) {
  const places = gptCut(text).flatMap((one) => bpeSteps(one, settings).map(({ merges }) => merges));
  return [...new Set(places)].filter(Boolean).sort((a, b) => a - b);
}

/** The last merge that has changed the text, and the next that will; undefined where there is none. */
const around = (c) => { const all = turns(c); return [all.findLast((place) => place <= c.state.merges), all.find((place) => place > c.state.merges)]; };

/** The state with so many merges. */
const allowed = (c, merges) => ({ ...c.state, merges, at: NONE });

/** The state one change of the text further, or back. */
const onward = (c) => allowed(c, around(c)[1] ?? c.settings.merges.length);
const backward = (c) => allowed(c, turns(c).findLast((place) => place < (around(c)[0] ?? 0)) ?? 0);

const counts = (c) => ({ characters: [...c.state.text].length, bytes: tokens(c, { ...c.state, merges: 0 }).length, tokens: tokens(c, c.state).length });

/** The place of a token among the merges, from 1; 0 or less for a byte. */
const placeOf = (id, { specials }) => id - specials.length - 255;

// ---- how a token is written ----

const hex = (byte) => byte.toString(16).toUpperCase().padStart(2, "0");

const isBroken = (id, settings) => tokenParts(id, settings).some((one) => typeof one === "number");

/** A token as it stands in its box: bytes that are no whole character in hexadecimal. */
export const label = (id, settings) => tokenParts(id, settings).reduce((text, one, k, { [k - 1]: before }) =>
  text + (typeof one === "number" ? `${typeof before === "number" ? "\u00a0" : ""}${hex(one)}` : asSeen(one)), "");

const quoted = (id, settings) => `“${label(id, settings)}”`;

/** How a token was made, as a sum; "" for a byte. */
function sum(id, settings) {
  const pair = settings.merges[placeOf(id, settings) - 1];
  return pair ? pair.map((one) => quoted(one, settings)).join(" + ") : "";
}

// ---- the picture ----

/** A token's box; `k`: its place in the text; isNew: the last merge made it. */
function box(c, id, k, isNew) {
  const { settings, state: { at }, w } = c, colour = `var(--group${(id % COLOURS) + 1})`;
  const frame = `border:1px ${isBroken(id, settings) ? "dashed" : "solid"} ${colour};border-bottom:4px solid ${colour};background:color-mix(in srgb,${colour} ${isNew ? 45 : 15}%,transparent)`;
  return `<span data-key="${k}"${k === at ? ' class="cursor"' : ""} style="${frame};border-radius:4px;padding:0 .2em;text-align:center;cursor:pointer;overflow-wrap:anywhere${k === at ? ";outline:2px solid var(--ink)" : ""}"` +
    `${isNew ? ` title="${esc(w.fresh)}"` : ""}><span style="font:15px/1.5 ui-monospace,monospace${isNew ? ";font-weight:700" : ""}">${esc(label(id, settings))}</span>` +
    `<small style="display:block;line-height:1.2;font-size:.7em;font-variant-numeric:tabular-nums">${id}</small></span>`;
}

function picture(c) {
  let k = 0;
  const [last] = around(c), boxes = (ids) => ids.map((id) => box(c, id, k++, placeOf(id, c.settings) === last)).join("");
  const words = pretokens(c, c.state).map((ids) => `<span style="display:inline-flex;flex-wrap:wrap;max-width:100%">${boxes(ids)}</span>`);
  if (!words.length) return `<p class="v2g-nothing">${esc(c.w.nothing)}</p>`;
  return `<div style="display:flex;flex-wrap:wrap;gap:.4rem;padding:3px;min-height:7rem;align-content:flex-start">${words.join("")}</div>`;
}

function below(c) {
  const { w } = c, { characters, bytes, tokens: size } = counts(c), cell = (tag, text) => `<${tag}>${esc(text)}</${tag.split(" ")[0]}>`;
  const numbers = [characters, bytes, size, size ? (characters / size).toFixed(2) : "–"];
  return `<table class="v2g-table"><thead><tr>${w.counts.map((text) => cell('th scope="col"', text)).join("")}</tr></thead>` +
    `<tbody><tr>${numbers.map((number) => cell("td", number)).join("")}</tr></tbody></table><p class="v2g-hint">${esc(w.legend)}</p>`;
}

// ---- sentences ----

/** What the last merge did, or that there was none. */
function lastMerge(c) {
  const { settings, state, w } = c, [place, next] = around(c);
  if (!place) return next ? w.bytes : w.never;
  const [before, after] = [place - 1, place].map((merges) => tokens(c, { ...state, merges }).length), id = settings.specials.length + 255 + place;
  return w.merged(place, sum(id, settings), quoted(id, settings), before, after);
}

function chosen(c) {
  const { settings, state, w } = c, id = tokens(c, state)[state.at], place = placeOf(id, settings);
  return place > 0 ? w.token(state.at + 1, quoted(id, settings), id, place, sum(id, settings)) : w.byte(state.at + 1, quoted(id, settings), id, hex(tokenBytes(id, settings)[0]));
}

export const view = {
  name: "merges",
  quiet: ["at"],
  words: {
    en: {
      title: "From bytes to tokens, merge by merge",
      hint: "Type a text in any script, and move the slider: from single bytes to all the merges that were learned. Press a token to see what it was made of.",
      picture: "The tokens of the text. Left and right choose a token, up allows the next merge that changes the text, down takes the last one back, home and end none and all.",
      text: "Text", examples: "Examples", merges: "Merges allowed", back: "Last merge back", next: "Next merge", none: "None", all: "All",
      empty: "Type a text: any script will do.", nothing: "no text, no tokens", fresh: "made by the last merge",
      counts: ["Characters", "Bytes", "Tokens", "Characters a token"],
      legend: "Boxes that touch are one word to the tokenizer, over whose edge no merge reaches. ␣ is a space; a dashed box holds bytes that are no whole character, in hexadecimal.",
      now: (allowed, all, tokens, characters) => `With ${allowed} of ${all} merges, ${characters} ${characters === 1 ? "character is" : "characters are"} ${tokens} ${tokens === 1 ? "token" : "tokens"}.`,
      bytes: "No merge has joined anything yet: every token is one byte.", never: "No merge that was learned joins anything in this text: every token stays one byte.",
      merged: (place, sum, whole, before, after) => `Merge ${place} changed the text last: ${sum} became ${whole}, and ${before} tokens became ${after}.`,
      token: (k, name, id, place, sum) => `Token ${k} is ${name}, id ${id}: merge ${place}, of ${sum}.`,
      byte: (k, name, id, hex) => `Token ${k} is ${name}, id ${id}: the single byte ${hex}.`,
    },
  },
  start: ({ text, merges }) => ({ text, merges: merges.length, at: NONE }),
  controls: ({ settings: { examples, merges, limit }, w }) => {
    const button = (name, act) => ({ kind: "button", name, label: w[name], row: "step", act });
    return [
      { kind: "text", name: "text", label: w.text, max: limit },
      ...(examples.length ? [{ kind: "examples", name: "example", label: w.examples, options: examples.map((text) => [text, text]), act: ({ state }, text) => ({ ...state, text, at: NONE }) }] : []),
      { kind: "range", name: "merges", label: w.merges, min: 0, max: merges.length, step: 1, play: PLAY, show: (count) => Math.round(count) },
      button("none", (c) => allowed(c, 0)), button("back", backward), button("next", onward), button("all", (c) => allowed(c, c.settings.merges.length)),
    ];
  },
  accept: (c) => {
    const { state, settings } = c, text = clean(String(state.text ?? ""), undefined, settings.limit).text, merges = clamp(Math.round(+state.merges) || 0, 0, settings.merges.length);
    const mended = { ...state, text, merges }, at = Number.isInteger(state.at) ? clamp(state.at, NONE, tokens(c, mended).length - 1) : NONE;
    return { ...mended, at };
  },
  moved: (state) => ({ ...state, at: NONE }),
  advice: ({ state: { text }, w }) => (text ? null : { text: w.empty, offers: [] }),
  async *compute(c) {
    const data = tokens(c, c.state);
    yield { ids: { dims: [1, data.length], data } };
  },
  act: (c, { kind, key, target }) => {
    const { state } = c, choose = (at) => ({ ...state, at });
    if (kind === "click" && target !== undefined) return choose(+target === state.at ? NONE : +target);
    if (kind !== "key") return;
    if (key === "Delete" || key === "Backspace") return choose(NONE);
    if (key === "ArrowLeft" || key === "ArrowRight") return choose(Math.max(0, state.at + (key === "ArrowLeft" ? -1 : 1)));
    return { ArrowUp: onward, ArrowDown: backward, Home: (d) => allowed(d, 0), End: (d) => allowed(d, d.settings.merges.length) }[key]?.(c);
  },
  picture,
  below,
  sentence: (c) => {
    const { settings, state, w } = c, { characters, tokens: size } = counts(c);
    if (!size) return [w.empty];
    return [w.now(state.merges, settings.merges.length, size, characters), lastMerge(c), ...(state.at === NONE ? [] : [chosen(c)])];
  },
};

export default widget(view);
