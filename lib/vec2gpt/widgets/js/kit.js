// kit.js: what every widget shares: controls, drawing, keyboard, links to a state, words.
//
// A view is a plain object of pure functions over one context `c = {state, result, settings, w}`:
//   words     {en: {title, hint, picture, ...}}: every text of the view, by language
//   start     (settings) => state: plain JSON, all that the reader can change and a link can hold
//   controls  (c) => list of {kind: "range" | "text" | "choice" | "switch" | "button", name, label, ...}
//   compute   async function* (c, ask): yields results; ask(inputs) answers with the model's outputs
//   picture   (c) => SVG or HTML
//   sentence  (c) => what the picture shows now, in a sentence
//   act       (c, gesture) => new state or undefined; gesture {kind: "press" | "drag" | "key", x, y, key, target}
//   accept    (c) => state: mends what a link made of a state (optional)
//   quiet     names of the parts of the state that only the picture needs, such as a cursor (optional)
// A result holds, as `of`, the state it answers: while a new one is computed the two differ.
// state → compute → result → picture and sentence: a view never touches the page.

const KIT_WORDS = {
  en: {
    reset: "Reset", link: "Copy link", linked: "The link to this state is copied.",
    noCopy: "Copying is not allowed here; the link stands in the address bar.",
    page: "computed in this page", kernel: "computed by the Python kernel",
    nobody: "waiting for a Python kernel: run the cell, or open the chapter online",
    loading: (mb) => `loading the model, ${mb.toFixed(1)} MB`,
    ms: (ms) => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`,
    problem: (why) => `The model did not answer: ${why}. The picture shows its last answer; try again, or reload the page.`,
    dropped: (chars) => `The model does not know ${chars}: left out.`,
    cut: (max) => `Cut to ${max} characters, as many as this widget reads.`,
    model: "Model",
  },
};

/** Text made safe to stand in HTML. */
export const esc = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

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

/** The value a control accepts for what a link, or a hand, gave it; undefined if it is none. */
export function accepted(control, value) {
  if (control.kind === "range")
    return Number.isFinite(+value) && value !== null && value !== "" ? clamp(+value, control.min, control.max) : undefined;
  if (control.kind === "text") return typeof value === "string" ? clean(value, control.alphabet, control.max).text : undefined;
  if (control.kind === "choice") return control.options.some(([name]) => name === value) ? value : undefined;
  if (control.kind === "switch") return typeof value === "boolean" ? value : undefined;
}

/** What a link's fragment holds for the widget `name`, on top of `state`; rubbish is ignored. */
export function fromLink(fragment, name, c, view) {
  let wish;
  try { wish = JSON.parse(new URLSearchParams(fragment.replace(/^#/, "")).get(name)); } catch { return c.state; }
  if (!wish || typeof wish !== "object" || Array.isArray(wish)) return c.state;
  const controls = Object.fromEntries(view.controls(c).map((control) => [control.name, control]));
  const state = { ...c.state };
  for (const key of Object.keys(state)) {
    if (!(key in wish)) continue;
    const value = key in controls ? accepted(controls[key], wish[key]) : wish[key];
    if (value !== undefined) state[key] = value;
  }
  return view.accept ? view.accept({ ...c, state }) : state;
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
  return `<section class="v2g" aria-label="${esc(c.w.title)}"><p class="v2g-head"><strong>${esc(c.w.title)}</strong></p>` +
    `<p class="v2g-hint">${esc(c.w.hint)}</p><div class="v2g-picture">${view.picture(c)}</div>` +
    `<p class="v2g-sentence">${esc(view.sentence(c))}</p></section>`;
}

/** A labelled control as HTML; `id` ties the label to it. */
export function controlHTML(control, value, id) {
  const label = `<label for="${id}">${esc(control.label)}</label>`, name = `id="${id}" name="${esc(control.name)}"`;
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
  return `<button type="button" ${name}>${esc(control.label)}</button>`;
}

/** Keys that a picture may answer; the others (Tab, shortcuts) stay the browser's. */
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", " ", "Enter", "Delete", "Backspace"]);

let widgets = 0;

/** A view made into an anywidget module. */
export function widget(view) {
  return {
    render({ model, el }) {
      const c = begin(view, (name) => model.get(name)), first = c.result, start = c.state;
      const k = speak(KIT_WORDS), id = `v2g-${++widgets}`, name = c.settings.name ?? view.name;
      const models = Object.keys(model.get("spec").models), onPage = Boolean(globalThis.VEC2GPT_PAGE);
      const modelChoice = { kind: "choice", name: "model", label: k.model, options: models.map((m) => [m, m]) };
      const controls = () => [...(models.length > 1 ? [modelChoice] : []), ...view.controls(c)];
      if (models.length > 1) start.model = c.state.model = models[0];

      el.innerHTML = `<section class="v2g" aria-label="${esc(c.w.title)}">
        <p class="v2g-head"><strong>${esc(c.w.title)}</strong> <span class="v2g-who"></span></p>
        <p class="v2g-hint" id="${id}-hint">${esc(c.w.hint)}</p>
        <form class="v2g-controls" onsubmit="return false"></form>
        <div class="v2g-picture"${view.act ? ` tabindex="0" role="application" aria-label="${esc(c.w.picture)}" aria-describedby="${id}-hint"` : ""}></div>
        <p class="v2g-note" role="status"></p>
        <p class="v2g-sentence" aria-live="polite"></p>
        <p class="v2g-foot"><button type="button" class="v2g-reset">${esc(k.reset)}</button>${
          onPage ? ` <button type="button" class="v2g-link">${esc(k.link)}</button>` : ""}</p></section>`;
      const $ = (part) => el.querySelector(`.v2g-${part}`);
      const root = $("picture").parentElement, form = $("controls"), picture = $("picture");
      root.context = c;                            // for the curious, and for the browser tests

      let who = "nobody", timing = "";
      const status = (news) => {
        if (news.who) who = news.who;
        $("who").textContent = news.loading ? k.loading(news.loading) : k[who] + (timing && `, ${timing}`);
        root.dataset.who = who;
      };
      const note = (text) => { if ($("note").textContent !== text) $("note").textContent = text; };

      const drawControls = () => {
        form.innerHTML = controls().map((control) => controlHTML(control, c.state[control.name], `${id}-${control.name}`)).join("");
      };
      const syncControls = (typing) => {
        for (const control of controls()) {
          const input = form.elements.namedItem(control.name), value = c.state[control.name];
          if (!input || control.kind === "button") continue;
          if (control.kind === "switch") input.checked = value;
          else if (input !== typing && input.value !== String(value)) input.value = value;
          if (control.kind === "range") {
            const text = String(control.show?.(value) ?? value);
            input.nextElementSibling.textContent = text;
            input.setAttribute("aria-valuetext", text);
          }
        }
      };
      const draw = () => {
        const t0 = performance.now();
        picture.innerHTML = view.picture(c);
        root.dataset.drawn = (performance.now() - t0).toFixed(2);
      };
      const tell = () => { $("sentence").textContent = view.sentence(c); };

      const machine = live(model, status);
      const ask = (inputs) => machine.ask(c.state.model ?? models[0], inputs);
      const recompute = latest(async (stale) => {
        const t0 = performance.now(), of = c.state;
        try {
          for await (const result of view.compute({ ...c }, ask)) {
            c.result = { ...result, of };
            draw();
            if (stale()) return;
          }
          root.dataset.ms = (performance.now() - t0).toFixed(2);
          timing = k.ms(performance.now() - t0);
          if (root.dataset.problem) { delete root.dataset.problem; note(""); }
          status({});
          tell();
        } catch (error) {
          root.dataset.problem = error.message;
          status({});
          note(k.problem(error.message));
        }
        root.dataset.answers = +(root.dataset.answers ?? 0) + 1;
      });
      const question = (state) => JSON.stringify(state, (key, value) => (view.quiet?.includes(key) ? undefined : value));
      const change = (state, typing) => {
        const asks = question(state) !== question(c.state);
        c.state = state;
        syncControls(typing);
        draw();                                    // at once, with the last result; then with the new one
        if (asks) recompute(); else tell();
      };

      form.addEventListener("input", (event) => {
        const input = event.target, control = controls().find(({ name }) => name === input.name);
        if (!control) return;
        if (control.kind === "text") note(clean(input.value, control.alphabet, control.max, k).notes.join(" "));
        const value = accepted(control, control.kind === "switch" ? input.checked : input.value);
        if (value !== undefined) change({ ...c.state, [control.name]: value }, input);
      });
      form.addEventListener("focusout", () => syncControls());
      form.addEventListener("click", (event) => {
        const control = controls().find(({ kind, name }) => kind === "button" && name === event.target.name);
        if (control) change(control.act(c));
      });

      const gesture = (kind, event) => {
        const svg = picture.querySelector("svg"), key = event.key;
        let at = { x: 0, y: 0 };
        if (svg && kind !== "key") at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        const state = view.act(c, { kind, x: at.x, y: at.y, key, target: event.target?.dataset?.key });
        if (state) change(state);
        return Boolean(state);
      };
      if (view.act) {
        let held = false;
        picture.addEventListener("pointerdown", (event) => {
          if (event.button !== 0) return;
          held = gesture("press", event);
          if (held) picture.setPointerCapture(event.pointerId);
        });
        picture.addEventListener("pointermove", (event) => { if (held) gesture("drag", event); });
        for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => { held = false; });
        picture.addEventListener("keydown", (event) => {
          if (event.ctrlKey || event.metaKey || event.altKey || !KEYS.has(event.key)) return;
          if (gesture("key", event)) event.preventDefault();
        });
      }
      $("reset").addEventListener("click", () => {
        c.state = start; c.result = first;
        note("");
        drawControls(); syncControls(); draw(); tell();
        recompute();
      });
      $("link")?.addEventListener("click", async () => {
        const url = location.href.replace(/#.*/, "") + toLink(name, c.state, start);
        history.replaceState(null, "", url);
        note(await navigator.clipboard?.writeText(url).then(() => k.linked, () => k.noCopy) ?? k.noCopy);
      });

      if (onPage) c.state = fromLink(location.hash, name, c, view);
      drawControls(); syncControls(); draw(); tell();
      if (c.state !== start) recompute();
      return () => machine.close();
    },
  };
}
