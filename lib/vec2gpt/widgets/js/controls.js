// controls.js: what a reader moves beside the picture: sliders, switches, words to type, and the advice on them.

/** A text in a field of one line, which would drop its line breaks, and what such a field's text means. */
const inLine = (text) => text.replaceAll("\n", "↵"), broken = (text) => text.replaceAll("↵", "\n");

/** The value a control accepts for what a link, or a hand, gave it; undefined if it is none. */
export function accepted(control, value) {
  if (control.kind === "range")
    return Number.isFinite(+value) && value !== null && value !== "" ? clamp(+value, control.min, control.max) : undefined;
  if (control.kind === "text") return typeof value === "string" ? clean(broken(value), control.alphabet, control.max).text : undefined;
  if (control.kind === "word") return typeof value === "string" ? spelled(control.words, value) : undefined;
  if (control.kind === "number") return ["string", "number"].includes(typeof value) ? String(value).slice(0, 12) : undefined;
  if (control.kind === "choice") return control.options.some(([name]) => name === value) ? value : undefined;
  if (control.kind === "switch") return typeof value === "boolean" ? value : undefined;
}

/** A labelled control as HTML; `id` ties the label to it. */
export function controlHTML(control, value, id, k = KIT_WORDS.en) {
  const label = `<label for="${id}">${esc(control.label)}</label>`, name = `id="${id}" name="${esc(control.name)}"`;
  if (control.kind === "range" && control.play)
    return `<div class="v2g-control v2g-wide"><button type="button" class="v2g-play" value="${esc(control.name)}">${esc(k.play)}</button>${label}` +
      `<input ${name} type="range" min="${control.min}" max="${control.max}" step="${control.step}" value="${value}">` +
      `<output for="${id}" aria-live="off"></output></div>`;
  if (control.kind === "range")
    return `<div class="v2g-control">${label}<input ${name} type="range" min="${control.min}" max="${control.max}" step="${control.step}" value="${value}">` +
      `<output for="${id}">${esc(control.show?.(value) ?? value)}</output></div>`;
  if (control.kind === "text")
    return `<div class="v2g-control v2g-wide">${label}<input ${name} type="text" value="${esc(inLine(value))}" ` +
      `autocomplete="off" autocapitalize="off" spellcheck="false"></div>`;
  if (control.kind === "number")
    return `<div class="v2g-control v2g-number">${label}<input ${name} type="text" inputmode="numeric" value="${esc(value)}" autocomplete="off"></div>`;
  if (control.kind === "choice")
    return `<div class="v2g-control">${label}<select ${name}>` +
      control.options.map(([key, text]) => `<option value="${esc(key)}"${key === value ? " selected" : ""}>${esc(text)}</option>`).join("") + "</select></div>";
  if (control.kind === "switch")
    return `<div class="v2g-control"><input ${name} type="checkbox"${value ? " checked" : ""}>${label}</div>`;
  if (control.kind === "word")
    return `<div class="v2g-control v2g-word">${control.sign ? `<span aria-hidden="true">${esc(control.sign)}</span>` : ""}` +
      `<input ${name} type="text" value="${esc(value)}" ` +
      `aria-label="${esc(control.label)}" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" enterkeyhint="done"></div>`;
  if (control.kind === "examples")
    return `<div class="v2g-examples" role="group" aria-label="${esc(control.label)}">` +
      control.options.map(([key, text]) => `<button type="button" name="${esc(control.name)}" value="${esc(key)}">${esc(text)}</button>`).join("") + "</div>";
  if (control.kind === "shown") return `<span class="v2g-shown" aria-hidden="true" data-shown="${esc(control.name)}"></span>`;
  return `<button type="button" ${name}>${esc(control.label)}</button>`;
}

/** Controls in `form`: drawn, kept in step with the state, and heard: `move(name, value, input)` one of them,
    `change(state)` all that a button changes, `note(text)`. */
function connectControls(form, controls, c, id, k, { change, move, note }) {
  const sync = (typing) => {
    for (const control of controls()) {
      const input = form.elements.namedItem(control.name), value = c.state[control.name];
      if (control.kind === "shown") form.querySelector(`[data-shown="${control.name}"]`).textContent = control.show(c);
      if (!(control.name in c.state) || !input) continue;
      if (control.kind === "switch") input.checked = value;
      else if (input !== typing && input.value !== inLine(String(value))) input.value = inLine(String(value));
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
    if (value !== undefined) move(control.name, value, target);
    if (control.kind === "text") note(clean(broken(target.value), control.alphabet, control.max, k).notes.join(" "));
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

/** Lets the sliders that can play run by themselves, from where they stand to the end; `stop` stops what runs, and
    so does whoever else moves that slider. For readers who want no motion they hop from one whole number to the next. */
export function connectPlay(form, controls, c, k, move, playing) {
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
    let at = c.state[name] < max ? c.state[name] : min, last = c.state[name], before;
    const tick = (now) => {
      if (c.state[name] !== last) return stop();   // a key on the picture, for one
      at = Math.min(max, at + ((max - min) * (now - (before ?? now))) / (play * 1000));
      before = now;
      const value = still?.matches ? Math.floor(at) : Math.round(at * 100) / 100;
      if (value !== last) move(name, value);
      last = c.state[name];
      if (at < max) frame = requestAnimationFrame(tick); else stop();
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
function connectAdvice(place, form, view, c, move) {
  let said = "";
  place.addEventListener("click", ({ target: { dataset: { name }, value } }) => {
    if (!name) return;
    form.elements.namedItem(name)?.focus();
    move(name, value);
  });
  return () => {
    const advice = view.advice?.(c), html = advice ? `<span>${esc(advice.text)}</span> ` + advice.offers.map(({ name, value }) =>
      `<button type="button" data-name="${esc(name)}" value="${esc(value)}">${esc(value)}</button>`).join(" ") : "";
    if (html !== said) place.innerHTML = said = html;
  };
}
