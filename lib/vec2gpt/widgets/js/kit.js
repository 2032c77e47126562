// kit.js: what makes a view a widget: its frame, its keyboard, links to its state. Controls are in controls.js, words that
// are found in a list in words.js, what views draw with in layout.js. Python joins all of them and a view to one file, and
// what only some views need: those name it in a line `// parts: spelling, painting`.
//
// A view is a plain object of pure functions over one context `c = {state, result, settings, w}`:
//   words     {en: {title, hint, picture, ...}}: every text of the view, by language
//   start     (settings) => state: plain JSON, all that the reader can change and a link can hold
//   controls  (c) => list of {kind, name, label, ...}, kind one of
//             "range" (play: seconds from one end to the other, if it can run by itself), "text", "choice", "switch",
//             "number" (a whole number as it was typed, a string that the view judges: it has the limits),
//             "word" (one of the list `words`; sign: what stands before it), "button", "examples" (a row of
//             buttons, options: [[value, text]], act(c, value)), "shown" (no control: what show(c) says);
//             neighbours with the same `row` stay in one line
//   compute   async function* (c, ask): yields results; ask(inputs) answers with the model's outputs
//   picture   (c) => SVG or HTML
//   sentence  (c) => what the picture shows now, in a sentence, which stands under it and is read aloud; or a list of
//             such, of which only those that changed are
//   above, below  (c) => HTML that is only read, above the picture and below its sentence: a table, a legend (optional).
//             Where a view has an `act`, the picture's keys are its own: screen readers cannot browse what stands there
//   act       (c, gesture) => new state or undefined; gesture {kind, x, y, from, key, target}, kind one of "press", "drag",
//             "drop" (of a press that `act` answered: let go, and not gone over into scrolling), "click" (a press that it
//             did not answer, ended where it began) and "key"; x, y in the picture's units, `from` where a drag or drop
//             began, target the data-key that was pressed (optional)
//   advice    (c) => null, or what keeps the state from being answered and what to try instead:
//             {text, offers: [{name, value}]}, values of controls (optional)
//   accept    (c) => state: mends a state that a link or a control made, such as a cursor beyond the text (optional)
//   moved     (state, c) => state: what a control takes with it when it is moved, such as a cursor among answers; `c` as it
//             was before (optional)
//   quiet     names of the parts of the state that only the picture needs, such as a cursor (optional)
//   passing   names of the parts of the state that last no longer than a gesture: no link holds them (optional)
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

/** Where in a list of `size` entries a cursor stands that may be anything: the nearest entry, the first for what is no number. */
export const index = (x, size) => clamp(Math.trunc(+x) || 0, 0, size - 1);

/** A character as words speak of it. */
export const spoken = (ch, k = speak(KIT_WORDS)) => ({ " ": k.space, "\n": k.newline })[ch] ?? ch;

/** A character as pictures write it: none is invisible. */
export const glyph = (ch) => ({ " ": "␣", "\n": "↵" })[ch] ?? ch;

/** The words of `table` in the page's language. */
const speak = (table, lang = globalThis.document?.documentElement.lang) => table[(lang ?? "").slice(0, 2)] ?? table.en;

/** The part of `text` that `alphabet` can spell (none: all of it), at most `max` characters, and notes on the rest. */
export function clean(text, alphabet, max, say = KIT_WORDS.en) {
  const chars = [...text], known = new Set(alphabet ?? chars);
  const fits = chars.filter((ch) => known.has(ch)), strange = [...new Set(chars.filter((ch) => !known.has(ch)))];
  const notes = [];
  if (strange.length) notes.push(say.dropped(strange.slice(0, 5).map((ch) => `“${ch}”`).join(" ") + (strange.length > 5 ? " …" : "")));
  if (fits.length > max) notes.push(say.cut(max));
  return { text: fits.slice(0, max).join(""), notes };
}

// ---- links to a state ----

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
    if (!(key in wish) || view.passing?.includes(key)) continue;
    const control = controls.find((one) => one.name === key), value = control ? accepted(control, wish[key]) : wish[key];
    if (value !== undefined) state[key] = value;
  }
  try { return view.accept?.({ ...c, state }) ?? state; } catch { return c.state; }
}

/** The fragment that brings `state` back: only what differs from the start, and lasts. */
export function toLink(name, state, start, passing = []) {
  const changed = Object.entries(state).filter(([key, value]) => !passing.includes(key) && JSON.stringify(value) !== JSON.stringify(start[key]));
  return changed.length ? `#${new URLSearchParams({ [name]: JSON.stringify(Object.fromEntries(changed)) })}` : "";
}

/** Settings whose objects by model have the models in their `order`: a page may have them from a cache that sorts all keys. */
export function inOrder(order, settings) {
  const isByModel = (value) => value?.constructor === Object && order.length > 1 && order.every((name) => name in value);
  const sorted = (value) => (isByModel(value) ? Object.fromEntries(order.map((name) => [name, value[name]])) : value);
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, sorted(value)]));
}

/** The first context of a widget: `get` reads a trait. */
function begin(view, get, lang) {
  const settings = inOrder(get("spec")?.order ?? [], get("settings"));
  const state = view.start(settings);
  return { settings, w: speak(view.words, lang), state, result: { ...get("first"), of: state } };
}

/** What a view says, in one or more sentences. */
const sentencesOf = (view, c) => [view.sentence(c)].flat();

/** What a view draws, part by part: the picture, and what is read around it. */
const showing = (view, c) => Object.fromEntries(["above", "picture", "below"].map((part) => [part, view[part]?.(c) ?? ""]));

/** The widget's first picture as HTML, for a page before (or without) JavaScript. */
export function still(view, traits, lang) {
  const c = begin(view, (name) => traits[name], lang), { above, picture, below } = showing(view, c);
  return `<div class="v2g" role="group" aria-label="${esc(c.w.title)}"><p class="v2g-head"><strong>${esc(c.w.title)}</strong></p>` +
    `<p class="v2g-hint">${esc(c.w.hint)}</p><div class="v2g-above">${above}</div><div class="v2g-picture">${picture}</div>` +
    `<p class="v2g-sentence">${esc(sentencesOf(view, c).join(" "))}</p><div class="v2g-below">${below}</div></div>`;
}

// ---- the widget ----

/** Keys that a picture may answer; the others (Tab, shortcuts) stay the browser's. */
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", " ", "Enter", "Delete", "Backspace"]);

let widgets = 0;                                   // for ids
const taken = {};                                  // for links: a page's second softmax is called softmax-2

/** The frame of a widget; the parts are found by their classes. */
export const frameHTML = (view, c, k, id, onPage) => `<div class="v2g" role="group" aria-label="${esc(c.w.title)}">
  <p class="v2g-head"><strong>${esc(c.w.title)}</strong> <span class="v2g-who"></span></p>
  <p class="v2g-hint" id="${id}-hint">${esc(c.w.hint)}</p>
  <form class="v2g-controls" onsubmit="return false"></form>
  <div class="v2g-above"></div>
  <div class="v2g-picture"${view.act ? ` tabindex="0" role="application" aria-label="${esc(c.w.picture)}" aria-describedby="${id}-hint"` : ""}></div>
  <p class="v2g-note" role="status"></p>
  <p class="v2g-sentence" aria-live="polite"></p>
  <div class="v2g-below"></div>
  <p class="v2g-foot"><button type="button" class="v2g-reset">${esc(k.reset)}</button>${
  onPage ? ` <button type="button" class="v2g-link">${esc(k.link)}</button>` : ""}</p></div>`;

/** Writes sentences, each an element of its own, and only those that changed: of a live region nothing else is read aloud. */
export function setSentences(place, sentences) {
  if (place.children.length !== sentences.length) place.innerHTML = sentences.map(() => "<span></span>").join(" ");
  sentences.forEach((text, n) => { if (place.children[n].textContent !== text) place.children[n].textContent = text; });
}

/** Mouse, finger and keys on the picture, told to `view.act` in the picture's own units. */
export function connectPicture(picture, view, c, change) {
  let drag = null;                                 // the pointer that holds the picture, where it began, and the state before
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
    const from = place(event), before = c.state;
    if (!act({ kind: "press", ...from, from, target: key(event) })) return;
    drag = { id: event.pointerId, from, before };
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (drag?.id === event.pointerId) act({ kind: "drag", ...place(event), from: drag.from });
  });
  picture.addEventListener("pointerup", (event) => {
    if (drag?.id === event.pointerId) act({ kind: "drop", ...place(event), from: drag.from });
  });
  picture.addEventListener("pointercancel", (event) => {         // it went over into scrolling: nothing was meant
    if (drag?.id === event.pointerId) change(drag.before);
  });
  picture.addEventListener("click", (event) => { act({ kind: "click", ...place(event), target: key(event) }); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
    picture.addEventListener(end, (event) => { if (drag?.id === event.pointerId) drag = null; });
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS.has(event.key)) return;
    if (!act({ kind: "key", key: event.key })) return;
    event.preventDefault();
    picture.querySelector(".cursor")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

/** A view made into an anywidget module. */
export function widget(view) {
  return {
    render({ model, el }) {
      const c = begin(view, (name) => model.get(name)), first = c.result, start = c.state;
      const k = speak(KIT_WORDS), id = `v2g-${++widgets}`, onPage = Boolean(globalThis.VEC2GPT_PAGE);
      const count = (taken[view.name] = (taken[view.name] ?? 0) + 1), name = count > 1 ? `${view.name}-${count}` : view.name;
      const models = model.get("spec").order;
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
        for (const [part, html] of Object.entries(showing(view, c))) $(part).innerHTML = html;
        root.dataset.drawn = (performance.now() - t0).toFixed(2);
      };
      let afresh = false;                          // what was written while it played was not read aloud
      const tell = () => {
        if (afresh) $("sentence").replaceChildren();
        afresh = false;
        setSentences($("sentence"), sentencesOf(view, c)); sync(document.activeElement);
      };

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
      const move = (name, value, typing) => {      // a control, by whatever hand
        const state = { ...c.state, [name]: value };
        change(view.moved?.(state, c) ?? state, typing);
      };
      const playing = (on) => {
        $("sentence").ariaLive = on ? "off" : "polite";
        afresh = !on;
        if (!on && question(c.result.of) === question(c.state)) tell();   // else the answer that is awaited is told
      };
      const sync = connectControls($("controls"), controls, c, id, k, { change, move, note });
      const advise = connectAdvice($("advice"), $("controls"), view, c, move);
      const stop = connectPlay($("controls"), controls, c, k, move, playing);
      if (view.act) connectPicture($("picture"), view, c, change);

      $("reset").addEventListener("click", () => {
        stop();
        c.state = start; c.result = first;
        note(""); sync(); advise(); draw(); tell();
        recompute();
      });
      $("link")?.addEventListener("click", async () => {
        const url = location.href.replace(/#.*/, "") + toLink(name, c.state, start, view.passing);
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
