// waves.js: the places 0, 1, 2 … as a model is told them: the table of all numbers, the wave of one pair, and how well a
// place goes together with every other (chapter 7).
//
// Three panels, one below the other, over one axis of places; the place that is looked at is a line through all of them.
// parts: spelling

const LEFT = 30, WIDE = 320, HEAD = 20;                         // layout, in SVG units; HEAD: of a panel's title
const TABLE = 132, WAVE = 70, SCORES = 92, GAP = 10;            // heights
const TOPS = [HEAD, 2 * HEAD + TABLE + GAP, 3 * HEAD + TABLE + WAVE + 2 * GAP];
const EVEN = 0.005;                                             // scores that differ by less, of the largest, are the same
const EVERY = 8;                                                // of so many places one has its curve behind that of the chosen

// ---- what the answer says ----

const sizes = (c) => ({ places: c.result.told.dims[0], width: c.result.told.dims[1] });

/** Column `k` of the table: a number for each place. */
const column = (c, k) => { const { places, width } = sizes(c), { data } = c.result.told; return Array.from({ length: places }, (_, p) => data[p * width + k]); };

/** The scores of a place with each other place. */
export const scoresOf = (c, p) => { const { places } = sizes(c), { data } = c.result.scores; return Array.from(data.slice(p * places, (p + 1) * places)); };

/** By how much two scores of one distance differ, at most, as a share of the largest score. */
export function unevenness(c) {
  const { places } = sizes(c), { data } = c.result.scores, least = {}, most = {};
  for (let p = 0; p < places; p++) for (let r = 0; r < places; r++) {
    const x = data[p * places + r], far = r - p;
    least[far] = Math.min(least[far] ?? x, x);
    most[far] = Math.max(most[far] ?? x, x);
  }
  return Math.max(...Object.keys(least).map((far) => most[far] - least[far])) / Math.max(...data.map(Math.abs), 1e-9);
}

// ---- the picture ----

const x = (c, p) => LEFT + ((p + 0.5) * WIDE) / sizes(c).places;   // of the middle of a place
const ahead = (c, far) => LEFT + WIDE / 2 + (far * WIDE) / (2 * sizes(c).places);   // of a distance

const tables = new WeakMap();                                   // told → its table: a large one is drawn once, not at each step of the line

function table(c) {
  const { told } = c.result, { places, width } = sizes(c);
  if (!tables.has(told)) {
    const rows = Array.from({ length: width }, (_, k) => column(c, k)), most = Math.max(...told.data.map(Math.abs), 1e-9);
    const signed = (sign, colour) => shaded(rows.map((row) => row.map((value) => Math.max(0, (sign * value) / most))), WIDE / places, TABLE / width, colour);
    tables.set(told, signed(1, "var(--plus)") + signed(-1, "var(--minus)"));
  }
  const high = TABLE / width, { pair } = c.state;
  return `<g transform="translate(${LEFT} ${TOPS[0]})"><rect width="${WIDE}" height="${TABLE}" fill="var(--paper)" stroke="var(--line)"/>${tables.get(told)}` +
    `<rect class="cursor" y="${2 * pair * high - 1}" x="-1" width="${WIDE + 2}" height="${2 * high + 2}"/></g>` +
    [0, width / 2 - 1].map((i) => `<text class="soft" x="${LEFT - 5}" y="${TOPS[0] + (2 * i + 1) * high + 4}" text-anchor="end">${i}</text>`).join("");
}

/** A curve through points [x, y], the y from `low` to `high` in a panel `tall` high that begins at `top`. */
function curve(points, [low, high], top, tall, style) {
  const y = (value) => top + tall - ((value - low) / (high - low || 1)) * tall;
  return `<polyline points="${points.map(([at, value]) => `${at.toFixed(1)},${y(value).toFixed(1)}`).join(" ")}" fill="none" ${style}/>`;
}

/** A panel's frame: its lowest and highest number, and the line of zero. */
function frame([low, high], top, tall) {
  const zero = top + tall - (-low / (high - low || 1)) * tall, digits = high - low < 20 ? 1 : 0;
  return `<rect x="${LEFT}" y="${top}" width="${WIDE}" height="${tall}" fill="none" stroke="var(--line)"/><line class="axis" x1="${LEFT}" x2="${LEFT + WIDE}" y1="${zero}" y2="${zero}"/>` +
    `<text class="soft" x="${LEFT - 5}" y="${top + 9}" text-anchor="end" style="font-size:10px">${high.toFixed(digits)}</text>` +
    `<text class="soft" x="${LEFT - 5}" y="${top + tall}" text-anchor="end" style="font-size:10px">${low.toFixed(digits)}</text>`;
}

/** The least and the largest of some numbers, and 0. */
function spread(numbers) {
  let [low, high] = [0, 0];
  for (const one of numbers) { low = Math.min(low, one); high = Math.max(high, one); }
  return [low, high];
}

function wave(c) {
  const { place, pair } = c.state, both = [column(c, 2 * pair), column(c, 2 * pair + 1)], range = spread([...both.flat(), 0.05, -0.05]);
  const y = (value) => TOPS[1] + WAVE - ((value - range[0]) / (range[1] - range[0])) * WAVE, styles = ['stroke="var(--key)" stroke-width="2"', 'stroke="var(--query)" stroke-width="2" stroke-dasharray="5 3"'];
  return frame(range, TOPS[1], WAVE) + both.map((one, k) => curve(one.map((value, p) => [x(c, p), value]), range, TOPS[1], WAVE, styles[k]) +
    `<circle cx="${x(c, place)}" cy="${y(one[place])}" r="4" fill="var(--${k ? "query" : "key"})" stroke="var(--paper)"/>`).join("");
}

function scores(c) {
  const { state: { place, distance }, result } = c, { places } = sizes(c), range = spread(result.scores.data);
  const points = (p) => scoresOf(c, p).map((score, r) => [distance ? ahead(c, r - p) : x(c, r), score]), strong = 'stroke="var(--weight)" stroke-width="2"';
  const others = distance ? Array.from({ length: Math.ceil(places / EVERY) }, (_, k) => k * EVERY) : [];
  return frame(range, TOPS[2], SCORES) + others.map((p) => curve(points(p), range, TOPS[2], SCORES, 'stroke="var(--soft)" stroke-width="1" opacity="0.6"')).join("") + curve(points(place), range, TOPS[2], SCORES, strong);
}

function picture(c) {
  const { state: { place, pair, distance }, w } = c, { places } = sizes(c), { turns } = modelKind(c), bottom = TOPS[2] + SCORES, last = distance ? TOPS[1] + WAVE : bottom;
  const title = (text, k) => `<text x="${LEFT}" y="${TOPS[k] - 6}">${esc(text)}</text>`, tick = (at, text, anchor = "middle") => `<text class="soft" x="${at}" y="${bottom + 14}" text-anchor="${anchor}">${text}</text>`;
  const ticks = distance ? [tick(LEFT, 1 - places, "start"), tick(ahead(c, 0), 0), tick(LEFT + WIDE, `+${places - 1}`, "end")] : [tick(x(c, 0), 0), tick(LEFT + WIDE, places - 1, "end")];
  return `<svg viewBox="0 0 ${LEFT + WIDE + 4} ${bottom + 20}" width="100%" style="max-width:32rem" role="img" aria-label="${esc(view.sentence(c).join(" "))}">` +
    title(turns ? w.tableTurned : w.table, 0) + title(w.wave(pair), 1) + title(distance ? w.scoresByDistance : w.scores(place), 2) + table(c) + wave(c) + scores(c) +
    `<line x1="${x(c, place)}" x2="${x(c, place)}" y1="${TOPS[0]}" y2="${last}" stroke="var(--ink)" stroke-width="1.5"/>${distance ? `<line x1="${ahead(c, 0)}" x2="${ahead(c, 0)}" y1="${TOPS[2]}" y2="${bottom}" stroke="var(--ink)" stroke-width="1.5"/>` : ""}` +
    `${ticks.join("")}</svg>`;
}

// ---- gestures ----

/** What a press at a point looks at: a place, and in the table a pair too. */
function at(c, px, py) {
  const { places, width } = sizes(c), { state } = c, place = Math.floor(((px - LEFT) / WIDE) * places), row = Math.floor(((py - TOPS[0]) / TABLE) * width);
  if (place < 0 || place >= places || (state.distance && py > TOPS[1] + WAVE)) return;
  return { ...state, place, pair: row >= 0 && row < width ? Math.floor(row / 2) : state.pair };
}

function keyed({ state }, key) {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 }[key], other = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step) return { ...state, place: state.place + step };
  if (other) return { ...state, pair: state.pair + other };
}

/** How many places a pair takes to go round once. */
const period = (c) => (2 * Math.PI) / c.settings.angles[c.state.pair];

export const view = {
  name: "waves",
  quiet: ["place", "pair", "distance"],
  words: {
    en: {
      title: "How a token knows its place",
      hint: "Move the line over the places, and choose a pair of numbers. Then see the scores by distance, and give the tokens vectors of their own.",
      picture: "Three panels over the places: the table of all pairs of numbers, one pair as curves, and scores. Left and right move the place, page up and page down by ten; up and down choose the pair.",
      model: "Places are told by", place: "Place", pair: "Pair", distance: "Scores by distance", own: "Tokens with vectors of their own",
      table: "what stands at each place (row: a pair of numbers)", tableTurned: "the query, turned at each place (row: a pair)", wave: (pair) => `pair ${pair}: its first number, and its second (dashed)`,
      scores: (p) => `dot product of place ${p} with every place`, scoresByDistance: "dot products by distance: this place, others in grey",
      at: (p, pair, a, b) => `At place ${p} pair ${pair} stands at ${a} and ${b}`, goes: (places) => `it goes round once in ${places} places`, learned: "no wave: each number was learned for itself",
      score: (p, own, far, other) => `The dot product of place ${p} with itself is ${own}, with place ${far} ${other}.`,
      even: "Places equally far apart have the same dot product, wherever they stand.", uneven: (share) => `Places equally far apart differ in their dot product, by up to ${share} of the largest.`,
    },
  },
  start: ({ place, pair }) => ({ place, pair, distance: false, own: false }),
  controls: ({ settings: { places, angles }, w }) => [
    { kind: "range", name: "place", label: w.place, min: 0, max: places - 1, step: 1 },
    { kind: "range", name: "pair", label: w.pair, min: 0, max: angles.length - 1, step: 1 },
    { kind: "switch", name: "distance", label: w.distance },
    { kind: "switch", name: "own", label: w.own },
  ],
  accept: ({ state, settings: { places, angles } }) =>
    ({ ...state, place: index(state.place, places), pair: index(state.pair, angles.length), distance: state.distance === true, own: state.own === true }),
  async *compute(c, ask) {
    const { plain } = modelKind(c, c.state), [query, key] = c.state.own ? c.settings.content : [plain, plain], row = (data) => ({ dims: [1, data.length], data });
    yield await ask({ query: row(query), key: row(key) });
  },
  act: (c, { kind, x: px, y: py, key }) => {
    if (kind === "key") return keyed(c, key);
    if (kind === "press") return at(c, px, py);
    if (kind === "drag") return { ...c.state, place: at({ ...c, state: { ...c.state, distance: false } }, clamp(px, LEFT, LEFT + WIDE - 1), py).place };
  },
  picture,
  sentence: (c) => {
    const { state: { place, pair }, w } = c, { places } = sizes(c), far = place + 10 < places ? place + 10 : Math.max(0, place - 10), mine = scoresOf(c, place), share = unevenness(c);
    const [a, b] = [2 * pair, 2 * pair + 1].map((k) => column(c, k)[place].toFixed(2).replace("-", "−")), turn = period(c), digits = turn < 100 ? 1 : 0, number = (value) => value.toFixed(1).replace("-", "−");
    return [
      `${w.at(place, pair, a, b)}; ${modelKind(c).waves ? w.goes(turn.toFixed(digits)) : w.learned}.`, w.score(place, number(mine[place]), far, number(mine[far])),
      share < EVEN ? w.even : w.uneven(`${Math.max(1, Math.round(100 * share))}%`),
    ];
  },
};

export default widget(view);
