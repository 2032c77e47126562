// writer.js: a GPT writes from the reader's prompt; every token shows what else it could have been, and can be replaced (chapter 12).
//
// What the text is made of, and what a model is asked for it, stands in writing.js.
// parts: spelling, bpe, writing

const TOLD = 3;                                                 // other choices in the sentence
const FULL = 8;                                                 // bits that fill the bar under a token
const HURRY = 4;                                                // so many times more tokens in every question but the first
const MOST_K = 100;                                             // top-k beyond which all tokens are kept

// ---- what the answer says ----

/** The text that the picture shows: its tokens, what of them was given, and where the reader looks. */
export function shown(c) {
  const { state, result } = c, { given, places, size } = givenOf(c), ids = [...given, ...result.written.data], kind = modelKind(c), last = ids.length - 1;
  return { kind, ids, given: given.length, places, size, at: clamp(size + state.at, Math.min(1, last), last), hidden: result.of.prompt === "" ? 1 : 0 };
}

/** Whether the prompt, branches and model that stand in the controls are those of the answer. */
const here = ({ state, result: { of } }) => ["prompt", "model", "taken"].every((name) => JSON.stringify(state[name]) === JSON.stringify(of[name]));

/** What the model made of the token at a place: {id, own, chance, options: [{id, own, drawn}]}; chance and drawn are null of what
    was given. The token itself is one of the options. */
export function judged(c, { ids, given, at }) {
  const { own, choices, likely, chance, drawn } = c.result, wide = choices.dims[2], row = (at - 1) * wide, n = at - given, isDrawn = n >= 0;
  const id = ids[at], options = Array.from({ length: wide }, (_, k) => ({ id: choices.data[row + k], own: likely.data[row + k], drawn: isDrawn ? drawn.data[n * wide + k] : null }));
  const one = { id, own: own.data[at - 1], drawn: isDrawn ? chance.data[n] : null };
  if (!options.some((option) => option.id === id)) options.push(one);
  return { ...one, options };
}

/** What tokens at the places from … to − 1 cost: bits for each character. */
export function bitsEach(c, { kind, ids }, from, to) {
  const bits = c.result.own.data.slice(from - 1, to - 1).reduce((sum, p) => sum + surprise(p), 0), some = ids.slice(from, to);
  const size = kind.tokens ? some.reduce((sum, id) => sum + [...kind.tokens[id]].length, 0) : [...decode(some, kind)].length;
  return bits / Math.max(size, 1);
}

const surprise = (p) => -Math.log2(Math.max(p, 1e-30));

// ---- branches ----

/** The state in which `id` stands at the place that is shown, and the text goes on from there. */
function branchTo(c, id) {
  const { state } = c, { ids, given, at, size } = shown(c);
  if (!here(c) || id === undefined || id === ids[at] || at < 1) return;
  const branch = at < given ? { from: at, ids: [id] } : { from: given, ids: [...ids.slice(given, at), id] };
  return { ...state, taken: [...state.taken, { ...branch, was: ids[at] }], at: at - size, pick: -1 };
}

/** The state before the last branch, which the reader sees where it was. */
function undone(c) {
  const { state } = c, last = state.taken.at(-1);
  if (!last) return state;
  return { ...state, taken: state.taken.slice(0, -1), at: last.from + last.ids.length - 1 - promptIds(modelKind(c, state), state.prompt).length, pick: -1 };
}

/** The branches of a state as far as they make sense, whatever a link made of them. */
function branchesOf(c, state) {
  const kind = modelKind(c, state), isId = (id) => Number.isInteger(id) && id >= 0 && id < kind.size, found = [];
  const size = promptIds(kind, state.prompt).length, most = size + c.settings.uniform.length;
  for (const { from, ids, was } of Array.isArray(state.taken) ? state.taken.map(Object) : []) {
    const { given } = givenOf(c, { ...state, taken: found }), isWhole = Array.isArray(ids) && ids.length && ids.every(isId) && isId(was);
    if (!isWhole || !Number.isInteger(from) || from < 1 || from > given.length || from + ids.length > most) break;
    found.push({ from, ids, was });
  }
  return found;
}

// ---- the controls ----

/** Whether two models read the same tokens. */
const alike = (one, other) => JSON.stringify([one.tokens, one.merges, one.specials]) === JSON.stringify([other.tokens, other.merges, other.specials]);

/** What a model's tokens are called. */
const unitOf = ({ w }, { tokens }) => (tokens?.every((token) => [...token].length === 1) ? w.character : w.subword);

/** The characters that a model can read; undefined where that is any. */
const alphabetOf = ({ tokens }) => tokens?.filter((token) => [...token].length === 1);

/** The largest top-k that can be chosen: from there on all tokens are kept. */
export const mostK = ({ models }) => { const most = Math.max(...Object.values(models).map(({ size }) => size)); return most > MOST_K ? MOST_K + 1 : most; };

const shortened = (text) => { const line = text.replaceAll("\n", glyph("\n")); return [...line].length > 30 ? `${[...line].slice(0, 28).join("").trimEnd()}…` : line; };

/** A token as it is spoken of: no space is invisible. */
const called = (kind, id) => { const text = written(kind, id); return [...text].length === 1 ? spoken(text) : text.replace(/[ \n]/g, glyph); };

// ---- the picture ----

/** A token of the text, with its bar; line breaks can be seen, and pressed. */
function tokenHTML(c, s, { kind, ids, size, places, at }) {
  const text = esc(written(kind, ids[s])).replaceAll("\n", '<span style="color:var(--soft)">↵</span>\n'), isBranch = places.includes(s);
  const bits = s ? Math.min(1, surprise(c.result.own.data[s - 1]) / FULL) : 0, name = [s === at && "here cursor", s < size && isOwn(c, s) && "given"].filter(Boolean).join(" ");
  const style = `--doubt:${bits.toFixed(2)}${isBranch ? ";border:1px dashed var(--ink);border-radius:4px;font-weight:700" : ""}`;
  return `<span data-key="token${s - size}"${name && ` class="${name}"`} style="${style}">${text}</span>`;
}

/** Whether what stands at a place is still the prompt's: no branch began before it. */
const isOwn = (c, s) => c.result.of.taken.every(({ from }) => s < from);

const GRID = "display:grid;grid-template-columns:minmax(3.6em,20%) 1fr 3em 1fr 3em;gap:.4em;align-items:center;padding:0 .3em";

/** What else a token could have been: the model's probabilities, and those that it was drawn with. */
function choicesHTML(c, now) {
  const { w } = c, { id, options } = judged(c, now), pick = pickOf(c, now, options), bar = (p, colour) => `<i style="--x:${p.toFixed(3)};background:linear-gradient(var(--${colour}) 0 0) 0/calc(100%*var(--x)) no-repeat,var(--wash)"></i>`;
  const two = (p, colour) => (p === null ? `<i></i><span>${esc(w.notDrawn)}</span>` : `${bar(p, colour)}<span>${p === 0 ? esc(w.out) : percentage(p)}</span>`);
  const row = (one, k) => `<li data-key="pick${one.id}" class="${k === pick ? "at" : ""}" style="${GRID};cursor:pointer${one.id === id ? ";font-weight:700" : ""}"><span>${esc(called(now.kind, one.id))}</span>${two(one.own, "weight")}${two(one.drawn, "plus")}</li>`;
  const head = `<div style="${GRID};color:var(--soft);font-size:.85em;line-height:1.2"><span>${esc(w.token)}</span><span style="grid-column:span 2">${esc(w.byModel)}</span><span style="grid-column:span 2">${esc(w.drawnAt)}</span></div>`;
  return `${head}<ol class="v2g-bars">${options.map(row).join("")}</ol>`;
}

/** Which of the options the keyboard is on: by default the token itself. */
const pickOf = (c, { ids, at }, options) => { const k = options.findIndex(({ id }) => id === c.state.pick); return k >= 0 ? k : options.findIndex(({ id }) => id === ids[at]); };

/** The branches, in the order in which they were taken. */
function branchList(c) {
  const { w, state, result: { of } } = c, kind = modelKind(c), { places } = givenOf(c);
  if (!of.taken.length || !here(c)) return "";
  let text = promptIds(kind, of.prompt);
  const row = (branch) => {
    text = branched(text, branch);
    const place = text.length - 1, before = text.slice(Math.max(0, place - 12), place).map((id) => written(kind, id)).join("").replaceAll("\n", glyph("\n"));
    return { place, html: w.branch(`…${esc(before)}`, `<strong>${esc(called(kind, text[place]))}</strong>`, esc(called(kind, branch.was))) };
  };
  const rows = state.taken.map(row), isLeft = ({ place }, k) => !places.includes(place) || rows.slice(k + 1).some((other, n) => state.taken[k + 1 + n].from <= place);
  return `<p class="v2g-hint">${esc(w.branches)}</p><ol style="margin:.2rem 0;padding-left:1.6em">${rows.map((one, k) => `<li${isLeft(one, k) ? ' style="color:var(--soft)"' : ""}>${one.html}${isLeft(one, k) ? ` (${esc(w.left)})` : ""}</li>`).join("")}</ol>`;
}

// ---- words ----

/** What the token in focus is, and what else there was. */
function told(c, now) {
  const { w } = c, { kind, at, given, places, size, hidden } = now, { id, own, drawn, options } = judged(c, now), name = called(kind, id), place = w.place(unitOf(c, kind), at + 1 - hidden, name);
  const others = options.filter((one) => one.id !== id).slice(0, TOLD).map((one) => w.other(called(kind, one.id), percentage(one.own))).join(", ");
  if (places.includes(at)) {
    const was = c.result.of.taken.findLast(({ from, ids: put }) => from + put.length - 1 === at)?.was;
    return `${w.branchToken(place, called(kind, was), percentage(own))} ${w.others(others)}`;
  }
  const sort = at < size && isOwn(c, at) ? w.promptToken(place, percentage(own)) : at < given ? w.keptToken(place, percentage(own)) : w.drawnToken(place, percentage(own), percentage(drawn));
  return `${sort} ${w.others(others)}`;
}

/** What Enter would do, where the keyboard is on another choice. */
function offered(c, now) {
  const { options } = judged(c, now), one = options[pickOf(c, now, options)];
  return one.id === now.ids[now.at] ? "" : c.w.offer(called(now.kind, one.id), percentage(one.own));
}

/** What the text costs, and the prompt. */
function costs(c, now) {
  const { w } = c, { ids, size, kind } = now, start = Math.min(size, ...c.result.of.taken.map(({ from }) => from)), each = (from, to) => bitsEach(c, now, from, to).toFixed(2);
  const prompt = start > 1 ? w.promptCosts(each(1, start)) : "";
  return w.costs(ids.length - start, unitOf(c, kind), each(start, ids.length)) + prompt;
}

/** What is not as the reader may think: an empty prompt, one that is too long, a context that was full. */
export function notes(c, { kind, ids, given, size }) {
  const { w, result: { of } } = c, room = kind.context - 1, unit = unitOf(c, kind), found = [];
  const begun = given - windowStart(given, room);
  if (of.prompt === "") found.push(w.empty(called(kind, kind.begin)));
  if (begun < given) found.push(w.long(size > room ? w.yours : w.whole, given, unit, begun, kind.context));
  else if (ids.length > room) found.push(w.slid(kind.context, unit, room - windowStart(room, room)));
  return found;
}

export const view = {
  name: "writer",
  quiet: ["at", "pick"],
  words: {
    en: {
      title: "Write with it",
      hint: "Type a prompt; the model goes on. The taller the bar under a token, the less the model expected it. Press one to see what else it could have been, and press one of those to take that branch.",
      picture: "The text, and the choices for one token of it. Left and right go from token to token, up and down through its choices, enter takes a branch, backspace leaves the last one.",
      prompt: "Prompt", prompts: "Prompts", temperature: "Temperature", topK: "Top-k", topP: "Top-p", length: "Length", again: "Write again", undo: "Undo the last branch", all: "all",
      token: "Token", byModel: "the model", drawnAt: "at your settings", notDrawn: "–", out: "out", yours: "prompt", whole: "text",
      character: "character", subword: "token",
      place: (unit, n, name) => `${unit[0].toUpperCase()}${unit.slice(1)} ${n}, “${name}”`,
      drawnToken: (place, own, drawn) => `${place}: the model gave it ${own}, your settings made that ${drawn}.`,
      keptToken: (place, own) => `${place}, stands before a branch that you took: the model gives it ${own}.`,
      branchToken: (place, was, own) => `${place}, was put there by you for “${was}”: the model gives it ${own}.`,
      promptToken: (place, own) => `${place}, is of your prompt: the model gives it ${own}.`,
      other: (name, p) => `“${name}” ${p}`, others: (list) => `Other choices: ${list || "none"}.`,
      offer: (name, own) => `Enter puts “${name}” (${own}) here, and the model writes on from it.`,
      costs: (n, unit, bits) => `${n} ${unit}s written; to the model they cost ${bits} bits a character`, promptCosts: (bits) => `, your prompt ${bits}`,
      empty: (name) => `Nothing is typed: the text begins after a ${name}.`,
      long: (what, n, unit, m, room) => `The ${what} has ${n} ${unit}s and the model has room for ${room}: it reads the last ${m} and writes on.`,
      slid: (n, unit, m) => `The model has room for ${n} ${unit}s. Here they were full: it read the last ${m} again and wrote on.`,
      branches: "Branches you took, in this order:", branch: (before, now, was) => `${before} ${now}, not ${was}`, left: "left again",
      speed: (n, unit) => `${n} ${unit}s a second`,
    },
  },
  start: ({ prompts: [prompt], temperature, topK, topP, length, ...settings }) => ({ prompt, temperature, topK: Math.min(topK ?? Infinity, mostK(settings)), topP, length, seed: 0, taken: [], at: 0, pick: -1 }),
  controls: (c) => {
    const { settings, w } = c, most = mostK(settings);
    return [
      { kind: "text", name: "prompt", label: w.prompt, alphabet: alphabetOf(modelKind(c, c.state)), max: settings.longest },
      ...(settings.prompts.length > 1 ? [{
        kind: "examples", name: "example", label: w.prompts, options: settings.prompts.map((text) => [text, shortened(text)]), act: ({ state }, text) => ({ ...state, prompt: text, taken: [], at: 0, pick: -1 }),
      }] : []),
      { kind: "range", name: "temperature", label: w.temperature, min: 0.1, max: 2, step: 0.1, show: (t) => (+t).toFixed(1) },
      { kind: "range", name: "topK", label: w.topK, min: 1, max: most, step: 1, show: (k) => (+k >= most ? w.all : k) },
      { kind: "range", name: "topP", label: w.topP, min: 0.05, max: 1, step: 0.05, show: (p) => (+p).toFixed(2) },
      { kind: "range", name: "length", label: w.length, min: settings.stride, max: settings.uniform.length, step: settings.stride },
      { kind: "button", name: "again", label: w.again, row: "text", act: ({ state }) => ({ ...state, seed: state.seed + 1, pick: -1 }) },
      { kind: "button", name: "undo", label: w.undo, row: "text", act: undone },
    ];
  },
  accept: (c) => {
    const { state, settings } = c, kind = modelKind(c, state), { stride, uniform, longest } = settings, number = (x, low, high, other) => (Number.isFinite(x) ? clamp(x, low, high) : other);
    const prompt = typeof state.prompt === "string" ? clean(state.prompt, alphabetOf(kind), longest).text : settings.prompts[0];
    const mended = { ...state, prompt, taken: state.taken };
    return {
      ...mended,
      taken: branchesOf(c, mended),
      temperature: number(state.temperature, 0.1, 2, settings.temperature),
      topK: Math.round(number(state.topK, 1, mostK(settings), mostK(settings))),
      topP: number(state.topP, 0.05, 1, settings.topP),
      length: clamp(Math.round(number(state.length, stride, uniform.length, settings.length) / stride) * stride, stride, uniform.length),
      seed: Math.abs(Math.trunc(+state.seed)) % 1e6 || 0,
      at: clamp(Math.trunc(+state.at) || 0, -longest, 2 * uniform.length),
      pick: Number.isInteger(state.pick) ? state.pick : -1,
    };
  },
  moved: (state, c) => {                                        // branches belong to their prompt, and to what a model's numbers mean
    const isOther = state.prompt !== c.state.prompt || (state.model !== c.state.model && !alike(modelKind(c, state), modelKind(c, c.state)));
    return isOther ? { ...state, taken: [], at: 0, pick: -1 } : state;
  },
  async *compute(c, ask) {
    const { state, settings } = c, { stride, uniform } = settings, kind = modelKind(c, state), { given, size } = givenOf(c, state);
    const end = Math.max(size + state.length, given.length + 1), chance = turn(uniform, state.seed), one = (x) => ({ dims: [1], data: [x] });
    let result = decided(state) === decided(c.result.of) ? part(c.result, [0, Math.max(0, end - given.length)], [0, end - 1]) : null, began, counted = 0;
    if (result) yield result;                                    // longer or shorter, but the same text
    const text = [...given, ...(result?.written.data ?? [])];
    for (let known = result ? text.length : 1; text.length < end;) {
      const { from, to, count } = nextQuestion({ length: text.length, judged: known, given: given.length, end, stride: began ? HURRY * stride : stride, context: kind.context });
      const numbers = Array.from({ length: Math.max(count, 1) }, (_, k) => chance[(text.length + k - size + uniform.length) % uniform.length]);
      const seen = text.slice(from, to);
      const more = await ask({
        ids: { dims: [1, seen.length], data: seen }, u: { dims: [1, numbers.length], data: numbers },
        temperature: one(state.temperature), top_k: one(state.topK >= mostK(settings) ? kind.size : Math.min(state.topK, kind.size)), top_p: one(state.topP),
      });
      result = part(more, [0, count], [known - from - 1, to + count - from - 1], result);
      text.push(...more.written.data.slice(0, count));
      known = to + count;
      if (!count) continue;
      if (began) counted += count;
      began ??= performance.now();                               // the first part may have waited for a download
      yield { ...result, speed: counted && (counted * 1000) / (performance.now() - began) };
    }
  },
  act: (c, { kind, key, target = "" }) => {
    const { state } = c, now = shown(c), [, what, number] = target.match(/^(token|pick)(-?\d+)$/) ?? [];
    if (kind === "click" && what === "token") return { ...state, at: +number, pick: -1 };
    if (kind === "click" && what === "pick") return branchTo(c, +number);
    if (kind !== "key") return;
    const { options } = judged(c, now), pick = pickOf(c, now, options), first = now.hidden || 1;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[key], other = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (step) return { ...state, at: clamp(now.at + step, first, now.ids.length - 1) - now.size, pick: -1 };
    if (other) return { ...state, pick: options[clamp(pick + other, 0, options.length - 1)].id };
    if (key === "Enter" || key === " ") return branchTo(c, options[pick].id) ?? state;
    if ((key === "Backspace" || key === "Delete") && state.taken.length) return undone(c);
  },
  picture: (c) => {
    const now = shown(c), tokens = now.ids.map((_, s) => (s < now.hidden ? "" : tokenHTML(c, s, now))).join("");
    return `<div class="v2g-pair"><div class="v2g-text" style="flex:2 1 19rem">${tokens}</div><div>${choicesHTML(c, now)}</div></div>`;
  },
  below: (c) => branchList(c) + (c.result.speed ? `<p class="v2g-hint">${esc(c.w.speed(Math.round(c.result.speed), unitOf(c, modelKind(c))))}</p>` : ""),
  sentence: (c) => {
    const now = shown(c);
    return [told(c, now), offered(c, now), `${costs(c, now)}.`, ...notes(c, now)].filter(Boolean);
  },
};

export default widget(view);
