// heads.js: where every head of every layer of a Transformer looks, on the reader's text; heads to switch off, and the
// decoder's causal mask to take away (chapter 7).
//
// Small maps of all heads of one kind of attention, a row for each layer; the chosen one is drawn large, with names. In a
// map a row is what looks, a column what it looks at.
// parts: spelling, texts

const KINDS = ["encoder", "decoder", "cross"];                  // of attention, as the outputs are called
const THUMB = 52, SPACE = 8, MARGIN = 16, CELL = 20;            // layout, in SVG units
const TOLD = 0.05;                                              // the least weight that the sentence tells
const ALONE = 0, CHANGED = 1;                                   // the two readings in an answer

// ---- what the answer says ----

/** The state that the picture shows: the reader's; while another text or model is read, that of the answer, where the
    reader chooses what to look at as before. */
function shown(c) {
  const { state, result: { of } } = c, { kind, at, row } = state;
  return here(c) && modelName(c, state) === modelName(c, of) ? state : { ...of, kind, at, row };
}

/** How many layers and heads there are of the kind that is shown. */
const sizeOf = (c, state = shown(c)) => { const { layers, heads } = modelKind(c, state); return [layers[state.kind], heads]; };

const headName = (kind, layer, head) => `${kind}.${layer}.${head}`;
const isOff = ({ off }, kind, layer, head) => off.includes(headName(kind, layer, head));

/** What the rows and the columns of a map stand for: {rows, columns}. */
export function namesOf(c, { kind } = shown(c)) {
  const { w } = c, source = [...pieces(c.result.of.text, modelKind(c)), w.end], spoken = said(c, CHANGED).steps.map(({ token }) => token ?? w.end);
  const rows = kind === "encoder" ? source : spoken, read = [w.begin, ...spoken.slice(0, -1)];
  return { rows, columns: kind === "decoder" ? read : source };
}

/** The weights of a head as rows: as many as there are names. */
export function mapOf(c, kind, layer, head, { rows, columns } = namesOf(c, { kind })) {
  const { data, dims: [, heads, tall, wide] } = c.result[kind], from = (layer * heads + head) * tall * wide;
  return rows.map((_, t) => Array.from({ length: columns.length }, (_, s) => data[from + t * wide + s]));
}

/** Layer, head and row that are looked at, as far as the answer has them. */
function looked(c) {
  const { at: [layer, head], row } = shown(c), [layers, heads] = sizeOf(c);
  return [Math.min(layer, layers - 1), Math.min(head, heads - 1), Math.min(row, namesOf(c).rows.length - 1)];
}

/** At which steps of what is said something else is likeliest, when all is read at once: step → that token. */
export function otherGuesses(c) {
  const { guesses: { data, dims: [, most] } } = c.result, { target, eos } = modelKind(c), { ids } = c.result;
  const differ = said(c, CHANGED).steps.map((_, t) => [t, data[CHANGED * most + t], ids.data[CHANGED * most + t]]).filter(([, guess, id]) => guess !== id);
  return Object.fromEntries(differ.map(([t, guess]) => [t, guess === eos ? c.w.end : target[guess]]));
}

// ---- the picture ----

/** A head that is off is struck through, and pale. */
const strike = (size) => `<path d="M2 2L${size - 2} ${size - 2}M${size - 2} 2L2 ${size - 2}" stroke="var(--minus)" stroke-width="2"/>`;

function thumbnail(c, layer, head, isHere) {
  const { kind } = shown(c), names = namesOf(c), map = mapOf(c, kind, layer, head, names), off = isOff(c.state, kind, layer, head);
  return `<g data-key="head${layer}.${head}" transform="translate(${MARGIN + head * (THUMB + SPACE)} ${MARGIN + layer * (THUMB + SPACE)})">` +
    `<title>${esc(c.w.head(layer + 1, head + 1) + (off ? `, ${c.w.isOff}` : ""))}</title><rect width="${THUMB}" height="${THUMB}" fill="var(--wash)" stroke="var(--line)"/>` +
    `<g opacity="${off ? 0.35 : 1}">${shaded(map, THUMB / names.columns.length, THUMB / names.rows.length, "var(--weight)")}</g>${off ? strike(THUMB) : ""}` +
    (isHere ? `<rect class="cursor" x="-2" y="-2" width="${THUMB + 4}" height="${THUMB + 4}" rx="3"/>` : "") + "</g>";
}

/** All heads of one kind, a row for each layer. */
function thumbnails(c) {
  const [layers, heads] = sizeOf(c), [layer, head] = looked(c), wide = MARGIN + heads * (THUMB + SPACE), high = MARGIN + layers * (THUMB + SPACE);
  const range = (n) => [...Array(n).keys()], middle = (k) => MARGIN + k * (THUMB + SPACE) + THUMB / 2;
  return `<svg viewBox="0 0 ${wide} ${high}" width="100%" style="max-width:${wide}px" role="img" aria-label="${esc(c.w.all(layers, heads, c.w.kinds[shown(c).kind]))}">` +
    range(heads).map((k) => `<text class="soft" x="${middle(k)}" y="11" text-anchor="middle">${k + 1}</text>`).join("") +
    range(layers).map((k) => `<text class="soft" x="2" y="${middle(k) + 4}">${k + 1}</text>`).join("") +
    range(layers).map((l) => range(heads).map((h) => thumbnail(c, l, h, l === layer && h === head)).join("")).join("") + "</svg>";
}

/** The chosen head, with the names of what looks and what is looked at. */
function large(c) {
  const [layer, head, row] = looked(c), { kind } = shown(c), names = namesOf(c), { rows, columns } = names, map = mapOf(c, kind, layer, head, names);
  const longest = (list) => Math.max(...list.map((name) => name.length)), isSteep = longest(columns) > 2, off = isOff(c.state, kind, layer, head);
  const left = 12 + longest(rows) * 7, top = isSteep ? 18 + Math.round(longest(columns) * 5.2) : 20, right = isSteep ? 6 + longest(columns) * 4 : 4;
  const wide = columns.length * CELL, high = rows.length * CELL;
  const name = (text, s) => (isSteep ? `<text transform="translate(${left + (s + 0.5) * CELL + 3} ${top - 6}) rotate(-52)">${esc(text)}</text>`
    : `<text x="${left + (s + 0.5) * CELL}" y="${top - 7}" text-anchor="middle">${esc(text)}</text>`);
  const line = (text, t) => `<g data-key="row${t}"><rect y="${top + t * CELL}" width="${left + wide}" height="${CELL}" fill="transparent"/>` +
    `<text x="${left - 6}" y="${top + t * CELL + 14}" text-anchor="end"${t === row ? ' class="asked"' : ""}>${esc(text)}</text></g>`;
  const grid = `M0 0${rows.map((_, t) => `M0 ${(t + 1) * CELL}h${wide}`).join("")}${columns.map((_, s) => `M${(s + 1) * CELL} 0v${high}`).join("")}`;
  return `<svg viewBox="0 0 ${left + wide + right} ${top + high + 2}" width="100%" style="max-width:${left + wide + right}px" role="img" aria-label="${esc(view.sentence(c)[0])}">` +
    `${columns.map(name).join("")}<g transform="translate(${left} ${top})"><rect width="${wide}" height="${high}" fill="var(--wash)"/><g opacity="${off ? 0.35 : 1}">${shaded(map, CELL, CELL, "var(--weight)")}</g>` +
    `<path class="axis" d="${grid}" fill="none"/><rect class="cursor" y="${row * CELL}" width="${wide}" height="${CELL}"/></g>${rows.map(line).join("")}</svg>`;
}

function maps(c) {
  const [layer, head] = looked(c), { kind } = shown(c), { w } = c, how = kind === "decoder" && !c.result.of.masked ? "ahead" : kind;
  return `<div class="v2g-pair"><div>${thumbnails(c)}<p class="v2g-hint">${esc(w.grid)}</p></div>` +
    `<figure>${large(c)}<figcaption>${esc(`${w.head(layer + 1, head + 1)}: ${w.reads[how]}`)}</figcaption></figure></div>`;
}

/** Both readings as a table, each token with its probability; what the model alone does not say at that step is bold. */
function outputs(c) {
  const { w } = c, alone = said(c, ALONE), others = otherGuesses(c), open = !c.result.of.masked;
  const token = ({ token, p }, t, reading) => {
    const name = esc(token ?? w.end), isNew = reading === CHANGED && token !== alone.steps[t]?.token, guess = reading === CHANGED && open && others[t];
    return `${isNew ? `<strong>${name}</strong>` : name} <small>${chance(p)}${guess ? ` ≠ ${esc(guess)}` : ""}</small>`;
  };
  const line = (name, reading) => { const { steps, ended, p } = said(c, reading); return `<tr><th scope="row">${esc(name)}</th><td>${steps.map((one, t) => token(one, t, reading)).join(" · ")}${ended ? "" : " …"}</td><td>${chance(p)}</td></tr>`; };
  return `<table class="v2g-table"><thead><tr><td></td><th scope="col">${esc(w.says)}</th><th scope="col">${esc(w.probability)}</th></tr></thead>` +
    `<tbody>${line(w.changed, CHANGED)}${line(w.alone, ALONE)}</tbody></table>`;
}

/** What the marks mean, which heads are off, what it is to see without a mask. */
function legend(c) {
  const { w } = c, open = !c.result.of.masked, off = KINDS.flatMap((kind) => c.state.off.filter((name) => name.startsWith(`${kind}.`)).map((name) => {
    const [, layer, head] = name.split(".");
    return `${w.kinds[kind]}, ${w.head(+layer + 1, +head + 1)}`;
  }));
  const mark = `<svg width="16" height="16" style="flex:none" aria-hidden="true">${strike(16)}</svg>`;
  return `<ul class="v2g-legend"><li>${mark}<span>${esc(off.length ? w.areOff(off.length, off.slice(0, 6).join("; ") + (off.length > 6 ? " …" : "")) : w.noneOff)}</span></li></ul>` +
    (open ? `<p class="v2g-hint">${esc(w.open)}</p>` : "") + wordList(c);
}

// ---- gestures ----

/** A state with one head switched off, or on again. */
const switched = (state, name) => ({ ...state, off: state.off.includes(name) ? state.off.filter((one) => one !== name) : [...state.off, name] });

/** The names of all heads of the kind that is shown. */
function headsOf(c) {
  const [layers, heads] = sizeOf(c), { kind } = shown(c);
  return Array.from({ length: layers * heads }, (_, n) => headName(kind, Math.floor(n / heads), n % heads));
}

const chosenHead = (c) => headName(shown(c).kind, ...looked(c).slice(0, 2));

/** All heads of this kind off but the chosen one. */
const onlyThis = (c) => ({ ...c.state, off: [...new Set([...c.state.off, ...headsOf(c)])].filter((name) => name !== chosenHead(c)) });

function keyed(c, key) {
  const { state } = c, [layer, head, row] = looked(c), [layers, heads] = sizeOf(c), last = namesOf(c).rows.length - 1;
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key], to = { PageUp: row - 1, PageDown: row + 1, Home: 0, End: last }[key];
  if (step) return { ...state, at: [clamp(layer + step[0], 0, layers - 1), clamp(head + step[1], 0, heads - 1)] };
  if (to !== undefined) return { ...state, row: clamp(to, 0, last) };
  if (key === "Enter" || key === " ") return switched(state, chosenHead(c));
}

function click(c, target = "") {
  const { state } = c, head = target.match(/^head(\d+)\.(\d+)$/), row = target.match(/^row(\d+)$/);
  if (head) return { ...state, at: [+head[1], +head[2]] };
  if (row) return { ...state, row: +row[1] };
}

/** The switches of one kind as the model takes them, 1 = on. */
function switches(c, kind) {
  const [layers, heads] = c.settings.size, size = Array.from({ length: layers * heads });
  return { dims: [layers, heads], data: size.map((_, n) => +!isOff(c.state, kind, Math.floor(n / heads), n % heads)) };
}

export const view = {
  name: "heads",
  quiet: ["kind", "at", "row", "list"],
  words: {
    en: {
      ...SPELLING.en, ...TEXTS.en,
      title: "Every head of every layer",
      hint: "Type something, choose which attention to see, and press a small map to see it large. Then switch that head off: what is said is computed anew.",
      picture: "Maps of attention weights. Arrow keys choose a head: left and right in its layer, up and down among layers. Page up and page down choose a row of the large map. Enter or space switches the head off or on.",
      kind: "Attention", kinds: { encoder: "encoder", decoder: "decoder", cross: "decoder to encoder" }, masked: "Causal mask in the decoder",
      toggle: "This head off / on", only: "Others of its kind off", allOn: "All on", begin: "start",
      grid: "A row for each layer, a column for each head.",
      reads: { encoder: "a row for each token that is read, which looks at all of them", decoder: "a row for each token that is said, which looks at what the decoder has read so far",
        cross: "a row for each token that is said, which looks at what was read", ahead: "a row for each token that is said, which looks at all that the decoder reads, without a mask" },
      head: (layer, head) => `layer ${layer}, head ${head}`, isOff: "off", isOn: "on", all: (layers, heads, kind) => `Attention, ${kind}: ${layers} × ${heads} small maps, layers by heads.`,
      says: "says", probability: "probability", changed: "With your changes", alone: "The model alone",
      noneOff: "a head that is off: its answer becomes 0. All heads are on.", areOff: (n, names) => `off: ${n === 1 ? "1 head" : `${n} heads`} (${names})`,
      open: "Without the mask each place of the decoder also sees the tokens after it, even the one it is to say. In training it never saw ahead, so it has not learned to copy: the number beside a token is its probability now, ≠ what is likelier.",
      row: (layer, head, how, name, places) => `Layer ${layer}, head ${head} (${how}): from “${name}” it looks at ${places}.`, place: (name, share) => `“${name}” ${share}`,
      whole: (text, output, p) => `“${text}” becomes ${output}, with probability ${p}`, same: "the model alone says the same", sameBut: (p) => `the model alone says the same, with ${p}`, other: (output, p) => `the model alone says ${output} (${p})`,
      ahead: (right, of) => `Without the mask, what is said is still the likeliest at ${right} of ${of} places.`,
    },
  },
  start: (settings) => ({ ...textStart(settings), kind: "cross", at: [0, 0], row: 0, off: [], masked: true, list: false }),
  controls: (c) => {
    const { w } = c, button = (name, act) => ({ kind: "button", name, label: w[name], row: "heads", act });
    return [
      ...textControls(c, { row: 0 }),
      { kind: "choice", name: "kind", label: w.kind, options: KINDS.map((kind) => [kind, w.kinds[kind]]) },
      { kind: "switch", name: "masked", label: w.masked },
      button("toggle", (d) => switched(d.state, chosenHead(d))), button("only", onlyThis), button("allOn", ({ state }) => ({ ...state, off: [] })),
      ...listControl(c),
    ];
  },
  accept: (c) => {
    const { settings: { limit, size: [layers, heads] } } = c, { at, row, off, kind, masked } = c.state, mine = modelKind(c, c.state);
    const isHead = (name) => KINDS.some((one) => typeof name === "string" && name.startsWith(`${one}.`) && /^\w+\.\d\d?\.\d\d?$/.test(name) && +name.split(".")[1] < mine.layers[one] && +name.split(".")[2] < mine.heads);
    return {
      ...c.state, text: lineOf(c.state.text, c.settings), other: lineOf(c.state.other, c.settings), kind: KINDS.includes(kind) ? kind : "cross", masked: masked !== false, list: c.state.list === true,
      at: [index(at?.[0], layers), index(at?.[1], heads)], row: index(row, limit + 1), off: Array.isArray(off) ? [...new Set(off.filter(isHead))].sort() : [],
    };
  },
  moved: turned,
  advice: textAdvice,
  async *compute(c, ask) {
    if (view.advice(c)) return;                                  // the last right answer stays
    const ids = numbered(c.state.text, modelKind(c, c.state));
    yield await ask({
      source_ids: { dims: [1, ids.length], data: ids }, ...Object.fromEntries(KINDS.map((kind) => [`${kind}_on`, switches(c, kind)])),
      causal: { dims: [1], data: [+c.state.masked] },
    });
  },
  act: (c, { kind, target, key }) => ({ click: () => click(c, target), key: () => keyed(c, key) })[kind]?.(),
  above: outputs,
  picture: maps,
  below: legend,
  sentence: (c) => {
    const { w } = c, [layer, head, row] = looked(c), { kind } = shown(c), names = namesOf(c), now = said(c, CHANGED), alone = said(c, ALONE);
    const weights = mapOf(c, kind, layer, head, names)[row].map((p, s) => [p, names.columns[s]]).sort(([a], [b]) => b - a).slice(0, 3).filter(([p], k) => !k || p >= TOLD);
    const places = weights.map(([p, name]) => w.place(name, percentage(p))).join(", "), how = isOff(c.state, kind, layer, head) ? w.isOff : w.isOn;
    const isSame = lineSaid(now, w) === lineSaid(alone, w), rest = isSame ? (chance(now.p) === chance(alone.p) ? w.same : w.sameBut(chance(alone.p))) : w.other(lineSaid(alone, w), chance(alone.p));
    return [
      w.row(layer + 1, head + 1, how, names.rows[row], places), `${w.whole(tidy(c.result.of.text), lineSaid(now, w), chance(now.p))}; ${rest}.`,
      ...(c.result.of.masked ? [] : [w.ahead(now.steps.length - Object.keys(otherGuesses(c)).length, now.steps.length)]),
    ];
  },
};

export default widget(view);
