// timeline.js: how the field came here: an event a dot, a thread of the story a lane, years from left to right (chapter 14, and the cover).
//
// There is no model. The years are on three scales, for most of the events are of the last ten.
// parts: chapters

const LEFT = 84, WIDE = 296, RIGHT = 14, TOP = 8, LANE = 25, DOT = 3.6, APART = 7.6, HIGH = 3;   // in SVG units; HIGH: dots above each other
const SCALES = [[1913, 0], [1990, 0.17], [2010, 0.33], [2024, 1]], TICKS = [1913, 1990, 2010, 2015, 2020];

/** How far from the left a year stands, from 0 to 1. */
export function shareOf(year) {
  const k = clamp(SCALES.findIndex(([end]) => year < end), 1, SCALES.length - 1) || 1, [[a, x], [b, y]] = year >= SCALES.at(-1)[0] ? SCALES.slice(-2) : [SCALES[k - 1], SCALES[k]];
  return x + ((year - a) / (b - a)) * (y - x);
}

/** Where each event stands: those of one year and lane beside and below each other. */
export function places({ events, threads }) {
  return events.map((event, k) => {
    const same = events.map((other, n) => n).filter((n) => events[n].year === event.year && events[n].thread === event.thread), at = same.indexOf(k);
    const rows = Math.min(HIGH, same.length), columns = Math.ceil(same.length / HIGH), lane = threads.findIndex(([name]) => name === event.thread);
    const x = LEFT + WIDE * shareOf(event.year) + (Math.floor(at / HIGH) - (columns - 1) / 2) * APART;
    return { x, y: TOP + lane * LANE + LANE / 2 + ((at % HIGH) - (rows - 1) / 2) * APART };
  });
}

const isShown = ({ state }, { thread }) => !state.thread || thread === state.thread;

/** The places of the events that are shown. */
export const shown = (c) => [...c.settings.events.keys()].filter((k) => isShown(c, c.settings.events[k]));

/** The shown event that is nearest in time to that at place `at`. */
function nearest(c, at) {
  const { events } = c.settings, among = shown(c), far = (k) => Math.abs(events[k].year - events[at].year) + Math.abs(k - at) / 1000;
  return among.includes(at) ? at : among.reduce((a, b) => (far(b) < far(a) ? b : a));
}

/** So many shown events later. */
function later(c, by) {
  const among = shown(c);
  return { ...c.state, at: among[clamp(among.indexOf(c.state.at) + by, 0, among.length - 1)] };
}

/** The event of the lane above or below that is nearest in time. */
function across(c, by) {
  const { events, threads } = c.settings, lane = threads.findIndex(([name]) => name === events[c.state.at].thread) + by;
  if (c.state.thread || !threads[lane]) return c.state;
  const far = (k) => Math.abs(events[k].year - events[c.state.at].year), among = shown(c).filter((k) => events[k].thread === threads[lane][0]);
  return { ...c.state, at: among.reduce((a, b) => (far(b) < far(a) ? b : a)) };
}

// ---- what is drawn ----

const write = (x, y, text, anchor, look = 'class="soft"') => `<text ${look} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${esc(text)}</text>`;

function picture(c) {
  const { settings: { events, threads }, state } = c, spots = places(c.settings), low = TOP + threads.length * LANE, here = spots[state.at], { name, year } = events[state.at];
  const lanes = threads.map(([thread], k) => {
    const isOn = !state.thread || thread === state.thread, look = thread === events[state.at].thread ? 'font-weight="700"' : 'class="soft"';
    return `<rect x="${LEFT - 6}" y="${TOP + k * LANE}" width="${WIDE + RIGHT}" height="${LANE - 1}" fill="var(--wash)" opacity="${isOn ? 1 : 0.4}"/>` + write(LEFT - 10, TOP + k * LANE + 16, thread, "end", look);
  });
  const ticks = TICKS.map((tick) => { const x = LEFT + WIDE * shareOf(tick); return `<path class="axis" d="M${x.toFixed(1)} ${TOP}V${low}"/>` + write(x, low + 14, tick, "middle"); });
  const dots = spots.map(({ x, y }, k) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${DOT}" fill="var(--weight)"${isShown(c, events[k]) ? "" : ' opacity=".2"'}/>`);
  const text = `${year} ${name}`, half = text.length * 3.3 + 4, x = clamp(here.x, LEFT + half - 6, LEFT + WIDE + RIGHT - half), y = here.y < TOP + LANE ? here.y + 20 : here.y - 9;
  return `<svg viewBox="0 0 ${LEFT + WIDE + RIGHT} ${low + 20}" width="100%" style="max-width:36rem;touch-action:pan-y pinch-zoom" role="img" aria-label="${esc(sentence(c))}">${lanes.join("")}${ticks.join("")}${dots.join("")}` +
    `<circle class="cursor" cx="${here.x.toFixed(1)}" cy="${here.y.toFixed(1)}" r="${DOT + 2.4}"/>${write(x, y, text, "middle", 'class="haloed" font-weight="700"')}</svg>`;
}

const linksHTML = ({ w }, { chapter, paper, by }) => `${chapterHTML(chapter, w.chapter(chapter))} · ${paperHTML(paper, by)}`;

function below(c) {
  const { w, settings: { events }, state: { at, list } } = c;
  const rows = list ? shown(c).map((k) => {
    const { year, name, what } = events[k];
    return `<tr${k === at ? ' aria-current="true"' : ""}><td>${year}</td><th scope="row"><button type="button" data-name="at" value="${k}">${esc(name)}</button></th><td>${esc(what)} <small>${linksHTML(c, events[k])}</small></td></tr>`;
  }) : [];
  return `<p>${linksHTML(c, events[at])}</p>` + (list ? `<table class="v2g-table"><thead><tr>${w.columns.map((text) => `<th scope="col">${esc(text)}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>` : "");
}

function sentence({ w, settings: { events }, state: { at } }) {
  const { year, name, thread, what } = events[at];
  return w.said(year, thread, name, what);
}

function act(c, { kind, key, x, y, target }) {
  if (kind === "key") {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -5, PageDown: 5, Home: -1e6, End: 1e6 }[key];
    return by ? later(c, by) : { ArrowUp: across(c, -1), ArrowDown: across(c, 1) }[key];
  }
  if (!["press", "drag"].includes(kind)) return undefined;
  const spots = places(c.settings), far = (k) => Math.hypot(spots[k].x - x, spots[k].y - y);
  return { ...c.state, at: shown(c).reduce((a, b) => (far(b) < far(a) ? b : a)) };
}

export const view = {
  name: "timeline",
  words: {
    en: {
      title: "How the field came here",
      hint: "Press a dot, or step with the arrow keys: left and right in time, up and down to another thread.",
      picture: "Timeline, a dot an event", thread: "Thread", all: "all", list: "as a list", earlier: "Earlier", later: "Later",
      chapter: (n) => `Chapter ${n}`, columns: ["Year", "What", "It was"],
      said: (year, thread, name, what) => `${year}, ${thread}: ${name}. ${what}`,
    },
  },
  start: ({ start }) => ({ at: start, thread: "", list: false }),
  quiet: ["at", "thread", "list"],
  controls: ({ w, settings: { threads } }) => [
    { kind: "choice", name: "thread", label: w.thread, options: [["", w.all], ...threads.map(([name, what]) => [name, `${name}: ${what}`])] },
    { kind: "button", name: "earlier", label: w.earlier, act: (c) => later(c, -1) },
    { kind: "button", name: "later", label: w.later, act: (c) => later(c, 1) },
    { kind: "switch", name: "list", label: w.list },
  ],
  accept(c) {
    const { settings: { events, threads }, state } = c, thread = threads.some(([name]) => name === state.thread) ? state.thread : "";
    const next = { at: index(state.at, events.length), thread, list: Boolean(state.list) };
    return { ...next, at: nearest({ ...c, state: next }, next.at) };
  },
  async *compute() { yield {}; },
  picture,
  below,
  sentence,
  act,
};

export default widget(view);
