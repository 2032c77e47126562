// kit.js: what every widget shares: controls, drawing, keyboard, links to a state, words.
//
// A view is a plain object of pure functions over one context `c = {state, result, settings, w}`:
//   words     {en: {title, hint, picture, ...}}: every text of the view, by language
//   start     (settings) => state: plain JSON, all that the reader can change and a link can hold
//   controls  (c) => list of {kind, name, label, ...}, kind one of
//             "range" (play: seconds from one end to the other, if it can run by itself), "text", "choice", "switch",
//             "word" (one of the list `words`; sign: what stands before it), "button", "examples" (a row of
//             buttons, options: [[value, text]], act(c, value)), "shown" (no control: what show(c) says);
//             neighbours with the same `row` stay in one line
//   compute   async function* (c, ask): yields results; ask(inputs) answers with the model's outputs
//   picture   (c) => SVG or HTML
//   sentence  (c) => what the picture shows now, in a sentence
//   act       (c, gesture) => new state or undefined; gesture {kind, x, y, from, key, target}, kind one of "press", "drag",
//             "click" (a press that ended where it began, and was no scrolling) and "key"; x, y in the picture's
//             units, `from` where a drag began, target the data-key that was pressed (optional)
//   advice    (c) => null, or what keeps the state from being answered and what to try instead:
//             {text, offers: [{name, value}]}, values of controls (optional)
//   accept    (c) => state: mends a state that a link or a control made, such as a cursor beyond the text (optional)
//   quiet     names of the parts of the state that only the picture needs, such as a cursor (optional)
// A result holds, as `of`, the state it answers: while a new one is computed the two differ.
// state → compute → result → picture and sentence: a view never touches the page.

const KIT_WORDS = {
  en: {
    reset: "Reset", link: "Copy link", linked: "The link to this state is copied.",
    noCopy: "Copying is not allowed here; the link stands in the address bar.",
    page: "computed in this page", kernel: "computed by the Python kernel",
    nobody: "waiting for a Python kernel: run the cell, or open the chapter online",
    busy: "waiting for the Python kernel: it is busy, or gone (then run the cell again)",
    loading: (mb) => `loading the model, ${mb.toFixed(1)} MB`,
    ms: (ms) => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`,
    problem: (why) => `The model did not answer: ${why}. The picture shows its last answer; try again, or reload the page.`,
    dropped: (chars) => `The model does not know ${chars}: left out.`,
    cut: (max) => `Cut to ${max} characters, as many as this widget reads.`,
    model: "Model", space: "space", newline: "line break", play: "Play", pause: "Pause",
  },
};

/** Text made safe to stand in HTML. */
export const esc = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

/** A character as words speak of it. */
export const spoken = (ch, k = speak(KIT_WORDS)) => ({ " ": k.space, "\n": k.newline })[ch] ?? ch;

/** The words of `table` in the page's language. */
const speak = (table, lang = globalThis.document?.documentElement.lang) => table[(lang ?? "").slice(0, 2)] ?? table.en;

/** The part of `text` that `alphabet` can spell, at most `max` characters, and notes on the rest. */
export function clean(text, alphabet, max, say = KIT_WORDS.en) {
  const known = new Set(alphabet), chars = [...text];
  const fits = chars.filter((ch) => known.has(ch)), strange = [...new Set(chars.filter((ch) => !known.has(ch)))];
  const notes = [];
  if (strange.length) notes.push(say.dropped(strange.slice(0, 5).map((ch) => `“${ch}”`).join(" ") + (strange.length > 5 ? " …" : "")));
  if (fits.length > max) notes.push(say.cut(max));
  return { text: fits.slice(0, max).join(""), notes };
}

// ---- words that a reader types ----

const lexicons = new WeakMap();

/** The letters that a word has, as bits: letters that one word has and another lacks cost an edit each. */
function letters(word) {
  let set = 0;
  for (let i = 0; i < word.length; i++) set |= 1 << (word.charCodeAt(i) & 31);
  return set;
}

/** How many bits are set. */
function count(bits) {
  let n = 0;
  for (; bits; bits &= bits - 1) n += 1;
  return n;
}

/** A list of words made quick to search: what each is in lower case, its letters, and where a word stands in any case. */
function lexicon(words) {
  if (!lexicons.has(words)) {
    const folded = words.map((word) => word.toLowerCase()), ids = new Map();
    for (let k = words.length; k--;) ids.set(folded[k], k);        // of equals the first, which is the most frequent
    words.forEach((word, k) => ids.set(word, k));
    lexicons.set(words, { folded, ids, sets: folded.map(letters) });
  }
  return lexicons.get(words);
}

/** Where in `words` a typed word stands, whatever its case; -1 for nowhere. */
export function lookup(words, text) {
  const { ids } = lexicon(words);
  return ids.get(text) ?? ids.get(text.toLowerCase()) ?? -1;
}

/** A typed word as `words` spells it, or, if it is none of them, as it was typed, at most 40 letters. */
export function spelled(words, text) {
  const bare = [...text.trim()].slice(0, 40).join("");
  return words[lookup(words, bare)] ?? bare;
}

/** How many letters to insert, drop, replace or swap with the next, to make `b` of `a`; `most + 1` for more than `most`. */
export function edits(a, b, most) {
  const far = most + 1, m = a.length, n = b.length;
  if (Math.abs(m - n) > most) return far;
  let older, old, row = Array.from({ length: n + 1 }, (_, j) => j);
  for (let i = 1; i <= m; i++) {
    [older, old, row] = [old, row, new Array(n + 1).fill(far)];
    row[0] = i;
    let least = i;
    for (let j = Math.max(1, i - most); j <= Math.min(n, i + most); j++) {
      row[j] = Math.min(old[j - 1] + (a[i - 1] !== b[j - 1]), old[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], older[j - 2] + 1);
      least = Math.min(least, row[j]);
    }
    if (least > most) return far;
  }
  return Math.min(row[n], far);
}

/** The words that a typed one may have been meant for: first those that begin so, then those one or two edits away. */
export function near(words, text, atMost = 4) {
  const typed = text.toLowerCase(), most = typed.length < 4 ? 1 : 2, mine = letters(typed), found = [[], [], []];
  const { folded, sets } = lexicon(words), distance = (word, set) => {
    if (word.startsWith(typed)) return 0;
    return count(mine & ~set) > most || count(set & ~mine) > most ? most + 1 : edits(typed, word, most);
  };
  if (typed) folded.forEach((word, k) => found[distance(word, sets[k])]?.push(words[k]));   // frequent ones first
  return found.slice(0, most + 1).flat().slice(0, atMost);
}

// ---- controls and links ----

/** The value a control accepts for what a link, or a hand, gave it; undefined if it is none. */
export function accepted(control, value) {
  if (control.kind === "range")
    return Number.isFinite(+value) && value !== null && value !== "" ? clamp(+value, control.min, control.max) : undefined;
  if (control.kind === "text") return typeof value === "string" ? clean(value, control.alphabet, control.max).text : undefined;
  if (control.kind === "word") return typeof value === "string" ? spelled(control.words, value) : undefined;
  if (control.kind === "choice") return control.options.some(([name]) => name === value) ? value : undefined;
  if (control.kind === "switch") return typeof value === "boolean" ? value : undefined;
}

/** What a link's fragment wishes for the widget `name`: a plain object, or null. */
export function wished(fragment, name) {
  try {
    const wish = JSON.parse(new URLSearchParams(fragment.replace(/^#/, "")).get(name));
    return wish && typeof wish === "object" && !Array.isArray(wish) ? wish : null;
  } catch { return null; }
}

/** `c.state` with what a link wishes, as far as the view's controls and `accept` let it; rubbish is ignored. */
export function fromLink(fragment, name, c, view, controls = view.controls(c)) {
  const wish = wished(fragment, name), state = { ...c.state };
  if (!wish) return c.state;
  for (const key of Object.keys(state)) {
    if (!(key in wish)) continue;
    const control = controls.find((one) => one.name === key), value = control ? accepted(control, wish[key]) : wish[key];
    if (value !== undefined) state[key] = value;
  }
  try { return view.accept?.({ ...c, state }) ?? state; } catch { return c.state; }
}

/** The fragment that brings `state` back: only what differs from the start. */
export function toLink(name, state, start) {
  const changed = Object.entries(state).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(start[key]));
  return changed.length ? `#${new URLSearchParams({ [name]: JSON.stringify(Object.fromEntries(changed)) })}` : "";
}

/** The first context of a widget: `get` reads a trait. */
function begin(view, get, lang) {
  const settings = get("settings");
  const state = view.start(settings);
  return { settings, w: speak(view.words, lang), state, result: { ...get("first"), of: state } };
}

/** The widget's first picture as HTML, for a page before (or without) JavaScript. */
export function still(view, traits, lang) {
  const c = begin(view, (name) => traits[name], lang);
  return `<div class="v2g" role="group" aria-label="${esc(c.w.title)}"><p class="v2g-head"><strong>${esc(c.w.title)}</strong></p>` +
    `<p class="v2g-hint">${esc(c.w.hint)}</p><div class="v2g-picture">${view.picture(c)}</div>` +
    `<p class="v2g-sentence">${esc(view.sentence(c))}</p></div>`;
}

/** A labelled control as HTML; `id` ties the label to it. */
export function controlHTML(control, value, id, k = KIT_WORDS.en) {
  const label = `<label for="${id}">${esc(control.label)}</label>`, name = `id="${id}" name="${esc(control.name)}"`;
  if (control.kind === "range" && control.play)
    return `<div class="v2g-control v2g-wide"><button type="button" class="v2g-play" value="${esc(control.name)}">${esc(k.play)}</button>${label}` +
      `<input ${name} type="range" min="${control.min}" max="${control.max}" step="${control.step}" value="${value}"><output for="${id}" aria-live="off"></output></div>`;
  if (control.kind === "range")
    return `<div class="v2g-control">${label}<input ${name} type="range" min="${control.min}" max="${control.max}" step="${control.step}" value="${value}">` +
      `<output for="${id}">${esc(control.show?.(value) ?? value)}</output></div>`;
  if (control.kind === "text")
    return `<div class="v2g-control v2g-wide">${label}<input ${name} type="text" value="${esc(value)}" autocomplete="off" autocapitalize="off" spellcheck="false"></div>`;
  if (control.kind === "choice")
    return `<div class="v2g-control">${label}<select ${name}>` +
      control.options.map(([key, text]) => `<option value="${esc(key)}"${key === value ? " selected" : ""}>${esc(text)}</option>`).join("") + "</select></div>";
  if (control.kind === "switch")
    return `<div class="v2g-control"><input ${name} type="checkbox"${value ? " checked" : ""}>${label}</div>`;
  if (control.kind === "word")
    return `<div class="v2g-control v2g-word">${control.sign ? `<span aria-hidden="true">${esc(control.sign)}</span>` : ""}<input ${name} type="text" value="${esc(value)}" ` +
      `aria-label="${esc(control.label)}" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" enterkeyhint="done"></div>`;
  if (control.kind === "examples")
    return `<div class="v2g-examples" role="group" aria-label="${esc(control.label)}">` +
      control.options.map(([key, text]) => `<button type="button" name="${esc(control.name)}" value="${esc(key)}">${esc(text)}</button>`).join("") + "</div>";
  if (control.kind === "shown") return `<span class="v2g-shown" aria-hidden="true" data-shown="${esc(control.name)}"></span>`;
  return `<button type="button" ${name}>${esc(control.label)}</button>`;
}

// ---- drawing ----

/** Words and numbers from 0 to 1 as bars: rows of [key, word, number]; the one at place `at` is marked. */
export const bars = (rows, at) => `<ol class="v2g-bars">${rows.map(([key, word, x], k) =>
  `<li data-key="${esc(key)}"${k === at ? ' class="at"' : ""}><span>${esc(word)}</span><i style="--x:${clamp(x, 0, 1).toFixed(3)}"></i><span>${x.toFixed(2)}</span></li>`).join("")}</ol>`;

/** A function that brings points [x, y], y upwards, into a picture so that all of `points` fit, both axes on one scale. */
export function fitted(points, width, height, [across, down]) {
  const [x, y] = [0, 1].map((k) => points.map((point) => point[k])).map((all) => [Math.min(...all), Math.max(...all)]);
  const scale = Math.min((width - 2 * across) / Math.max(x[1] - x[0], 1e-6), (height - 2 * down) / Math.max(y[1] - y[0], 1e-6));
  return (point) => [width / 2 + (point[0] - (x[0] + x[1]) / 2) * scale, height / 2 - (point[1] - (y[0] + y[1]) / 2) * scale];
}

const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];
const common = ([a, b, c, d], [e, f, g, h]) => Math.max(0, Math.min(c, g) - Math.max(a, e)) * Math.max(0, Math.min(d, h) - Math.max(b, f));

/** Where beside its point each label stands so that they cover each other least: points {x, y, text}, important ones
    first, → {dx, dy, anchor, side, covered}, covered the share of it that something covers. A point's own `side`,
    [right, down] of -1, 0 or 1, is kept. */
export function labelled(points, width, height, size) {
  const taken = points.map(({ x, y }) => [x - 5, y - 5, x + 5, y + 5]);
  return points.map(({ x, y, text, side }) => {
    const w = text.length * size * 0.55, h = size, spots = (side ? [side] : SIDES).map(([right, down]) => {
      const cx = right * (w / 2 + (down ? 3 : 8)), cy = down * (h / 2 + 6), box = [x + cx - w / 2, y + cy - h / 2, x + cx + w / 2, y + cy + h / 2];
      const covered = taken.reduce((sum, other) => sum + common(box, other), 3 * (w * h - common(box, [0, 0, width, height]))) / (w * h || 1);
      return { box, dx: cx - (right * w) / 2, dy: cy + size * 0.35, anchor: ["end", "middle", "start"][right + 1], side: [right, down], covered };
    });
    const { box, ...spot } = spots.reduce((a, b) => (b.covered < a.covered - 0.01 ? b : a));
    if (spot.covered < 0.5) taken.push(box);
    return spot;
  });
}

// ---- the widget ----

/** Keys that a picture may answer; the others (Tab, shortcuts) stay the browser's. */
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", " ", "Enter", "Delete", "Backspace"]);

let widgets = 0;                                   // for ids
const taken = {};                                  // for links: a page's second softmax is called softmax-2

/** The frame of a widget; the parts are found by their classes. */
const frameHTML = (view, c, k, id, onPage) => `<div class="v2g" role="group" aria-label="${esc(c.w.title)}">
  <p class="v2g-head"><strong>${esc(c.w.title)}</strong> <span class="v2g-who"></span></p>
  <p class="v2g-hint" id="${id}-hint">${esc(c.w.hint)}</p>
  <form class="v2g-controls" onsubmit="return false"></form>
  <div class="v2g-picture"${view.act ? ` tabindex="0" role="application" aria-label="${esc(c.w.picture)}" aria-describedby="${id}-hint"` : ""}></div>
  <p class="v2g-note" role="status"></p>
  <p class="v2g-sentence" aria-live="polite"></p>
  <p class="v2g-foot"><button type="button" class="v2g-reset">${esc(k.reset)}</button>${
  onPage ? ` <button type="button" class="v2g-link">${esc(k.link)}</button>` : ""}</p></div>`;

/** Controls in `form`: drawn, kept in step with the state, and heard: `change(state, input)`, `note(text)`. */
function connectControls(form, controls, c, id, k, change, note) {
  const sync = (typing) => {
    for (const control of controls()) {
      const input = form.elements.namedItem(control.name), value = c.state[control.name];
      if (control.kind === "shown") form.querySelector(`[data-shown="${control.name}"]`).textContent = control.show(c);
      if (!(control.name in c.state) || !input) continue;
      if (control.kind === "switch") input.checked = value;
      else if (input !== typing && input.value !== String(value)) input.value = value;
      if (control.kind !== "range") continue;
      const text = String(control.show?.(value) ?? value);
      input.nextElementSibling.textContent = text;
      input.setAttribute("aria-valuetext", text);
    }
  };
  form.addEventListener("input", ({ target }) => {
    const control = controls().find(({ name }) => name === target.name);
    if (!control) return;
    const value = accepted(control, control.kind === "switch" ? target.checked : target.value);
    if (value !== undefined) change({ ...c.state, [control.name]: value }, target);
    if (control.kind === "text") note(clean(target.value, control.alphabet, control.max, k).notes.join(" "));
  });
  form.addEventListener("focusout", () => sync());
  form.addEventListener("click", ({ target }) => {
    const control = controls().find(({ act, name }) => act && name === target.name);
    if (control) change(control.act(c, target.value));
  });
  form.innerHTML = controls().map((control, n, { [n - 1]: before, [n + 1]: next }) =>
    (control.row && control.row !== before?.row ? '<div class="v2g-row">' : "") + controlHTML(control, c.state[control.name], `${id}-${control.name}`, k) +
    (control.row && control.row !== next?.row ? "</div>" : "")).join("") + '<p class="v2g-advice" role="status"></p>';
  sync();
  return sync;
}

/** Lets the sliders that can play run by themselves, from where they stand to the end; `stop` stops what runs.
    For readers who want no motion they hop from one whole number to the next. */
function connectPlay(form, controls, c, k, change, playing) {
  const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)"), buttons = form.querySelectorAll(".v2g-play");
  let frame = 0;
  const stop = () => {
    if (!frame) return;
    cancelAnimationFrame(frame);
    frame = 0;
    buttons.forEach((button) => { button.textContent = k.play; });
    playing(false);
  };
  const start = ({ name, min, max, play }) => {
    let at = c.state[name] < max ? c.state[name] : min, before;
    const tick = (now) => {
      at = Math.min(max, at + ((max - min) * (now - (before ?? now))) / (play * 1000));
      before = now;
      const value = still?.matches ? Math.floor(at) : Math.round(at * 100) / 100;
      if (at < max) frame = requestAnimationFrame(tick); else stop();
      if (value !== c.state[name]) change({ ...c.state, [name]: value });
    };
    frame = requestAnimationFrame(tick);
    playing(true);
  };
  buttons.forEach((button) => button.addEventListener("click", () => {
    if (frame) return stop();
    button.textContent = k.pause;
    start(controls().find(({ name }) => name === button.value));
  }));
  form.addEventListener("input", stop);            // a hand on any control takes over
  return stop;
}

/** What the view advises, with buttons that follow the advice; drawn only when it changes, for it is read aloud. */
function connectAdvice(place, form, view, c, change) {
  let said = "";
  place.addEventListener("click", ({ target: { dataset: { name }, value } }) => {
    if (!name) return;
    form.elements.namedItem(name)?.focus();
    change({ ...c.state, [name]: value });
  });
  return () => {
    const advice = view.advice?.(c), html = advice ? `<span>${esc(advice.text)}</span> ` + advice.offers.map(({ name, value }) =>
      `<button type="button" data-name="${esc(name)}" value="${esc(value)}">${esc(value)}</button>`).join(" ") : "";
    if (html !== said) place.innerHTML = said = html;
  };
}

/** Mouse, finger and keys on the picture, told to `view.act` in the picture's own units. */
function connectPicture(picture, view, c, change) {
  let drag = null;                                 // the pointer that holds the picture, and where it began
  const place = ({ clientX, clientY }) => {
    const svg = picture.querySelector("svg"), point = new DOMPoint(clientX, clientY);
    const { x, y } = svg ? point.matrixTransform(svg.getScreenCTM().inverse()) : point;
    return { x, y };
  };
  const key = ({ target }) => target?.closest?.("[data-key]")?.dataset.key;
  const act = (gesture) => {
    const state = view.act(c, gesture);
    if (state) change(state);
    return Boolean(state);
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drag) return;
    const from = place(event);
    if (!act({ kind: "press", ...from, from, target: key(event) })) return;
    drag = { id: event.pointerId, from };
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (drag?.id === event.pointerId) act({ kind: "drag", ...place(event), from: drag.from });
  });
  picture.addEventListener("click", (event) => { act({ kind: "click", ...place(event), target: key(event) }); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
    picture.addEventListener(end, (event) => { if (drag?.id === event.pointerId) drag = null; });
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS.has(event.key)) return;
    if (act({ kind: "key", key: event.key })) event.preventDefault();
  });
}

/** A view made into an anywidget module. */
export function widget(view) {
  return {
    render({ model, el }) {
      const c = begin(view, (name) => model.get(name)), first = c.result, start = c.state;
      const k = speak(KIT_WORDS), id = `v2g-${++widgets}`, onPage = Boolean(globalThis.VEC2GPT_PAGE);
      const count = (taken[view.name] = (taken[view.name] ?? 0) + 1), name = count > 1 ? `${view.name}-${count}` : view.name;
      const models = Object.keys(model.get("spec").models);
      const modelChoice = { kind: "choice", name: "model", label: c.w.model ?? k.model, options: models.map((m) => [m, m]) };
      const controls = () => [...(models.length > 1 ? [modelChoice] : []), ...view.controls(c)];
      if (models.length > 1) start.model = models[0];

      el.innerHTML = frameHTML(view, c, k, id, onPage);
      const $ = (part) => el.querySelector(`.v2g-${part}`), root = $("picture").parentElement;
      root.context = c;                            // for the curious, and for the browser tests

      let who = "nobody", timing = "", clock = 0;
      const status = (news) => {
        if (news.who) root.dataset.who = who = news.who;
        if (news.loading) clock = performance.now();               // a download is not the model's time
        $("who").textContent = news.loading ? k.loading(news.loading) : k[who] + (timing && `, ${timing}`);
      };
      const note = (text) => { if ($("note").textContent !== text) $("note").textContent = text; };
      const draw = () => {
        const t0 = performance.now();
        $("picture").innerHTML = view.picture(c);
        root.dataset.drawn = (performance.now() - t0).toFixed(2);
      };
      const tell = () => { $("sentence").textContent = view.sentence(c); sync(document.activeElement); };

      const machine = live(model, status);
      const ask = (inputs) => machine.ask(c.state.model ?? models[0], inputs);
      const recompute = latest(async (stale) => {
        const of = c.state;
        clock = performance.now();
        try {
          for await (const result of view.compute({ ...c }, ask)) {
            c.result = { ...result, of };
            draw();
            if (stale()) return;
          }
          root.dataset.ms = (performance.now() - clock).toFixed(2);
          timing = k.ms(+root.dataset.ms);
          if (root.dataset.problem) { delete root.dataset.problem; note(""); }
          tell();
        } catch (error) {
          root.dataset.problem = error.message;
          note(k.problem(error.message));
        }
        status({});
        root.dataset.answers = +(root.dataset.answers ?? 0) + 1;
      });
      const question = (state) => JSON.stringify(state, (key, value) => (view.quiet?.includes(key) ? undefined : value));
      const change = (wish, typing) => {
        const state = view.accept?.({ ...c, state: wish }) ?? wish, asks = question(state) !== question(c.state);
        c.state = state;
        if (!root.dataset.problem) note("");
        sync(typing); advise();
        draw();                                    // at once, with the last result; then with the new one
        if (asks || root.dataset.problem) recompute(); else tell();
      };
      const sync = connectControls($("controls"), controls, c, id, k, change, note);
      const advise = connectAdvice($("advice"), $("controls"), view, c, change);
      const stop = connectPlay($("controls"), controls, c, k, change, (on) => { $("sentence").ariaLive = on ? "off" : "polite"; });
      if (view.act) connectPicture($("picture"), view, c, change);

      $("reset").addEventListener("click", () => {
        stop();
        c.state = start; c.result = first;
        note(""); sync(); advise(); draw(); tell();
        recompute();
      });
      $("link")?.addEventListener("click", async () => {
        const url = location.href.replace(/#.*/, "") + toLink(name, c.state, start);
        history.replaceState(null, "", url);
        note(await navigator.clipboard?.writeText(url).then(() => k.linked, () => k.noCopy) ?? k.noCopy);
      });
      const follow = () => {                       // a link to a state of this widget: on arrival, or within the page
        if (!wished(location.hash, name)) return;
        c.state = fromLink(location.hash, name, { ...c, state: start }, view, controls());
        stop(); sync(); advise(); draw(); tell();
        recompute();
        root.scrollIntoView({ block: "center" });
      };
      draw(); tell();
      if (onPage) { follow(); addEventListener("hashchange", follow); }
      return () => { stop(); machine.close(); removeEventListener("hashchange", follow); };
    },
  };
}
