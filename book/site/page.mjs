// page.mjs: what a page of the book does by itself, with no kernel and no other host.
//
// 1. Widgets: MyST-NB leaves each widget's state in two standard script tags; pictures.mjs has put a
//    first picture beside each. Here the view is loaded and takes the picture's place.
// 2. Quizzes, predictions and exercises: plain Markdown lists become something to answer, and the
//    reader's answers are kept in this browser only.

const at = (path) => new URL(path, import.meta.url).href;
globalThis.VEC2GPT_PAGE = { ort: at("./ort-1.30.0/"), models: at("./models/") };

/** The part of an anywidget model that views use, over a plain state. */
class Model {
  constructor(state) { this.state = state; }
  get(name) { return this.state[name]; }
  on() {}
  off() {}
  send() {}
}

/** The states that MyST-NB left in the page, by widget. */
const readStates = () => {
  const tags = document.querySelectorAll('script[type="application/vnd.jupyter.widget-state+json"]');
  return Object.assign({}, ...[...tags].map((tag) => JSON.parse(tag.textContent).state));
};

async function mountWidgets() {
  let states;
  for (const host of document.querySelectorAll(".v2g-host")) {
    const still = host.innerHTML;
    try {
      const { default: view } = await import(new URL(host.dataset.view, document.baseURI).href);
      states ??= readStates();
      view.render({ model: new Model(states[host.dataset.model].state), el: host });
    } catch (error) {
      console.error(error);
      host.innerHTML = still;
      const why = Object.assign(document.createElement("p"), { className: "v2g-note", role: "alert" });
      why.textContent = `This widget could not start (${error.message}). Its first picture stays; reload the page to try again.`;
      host.append(why);
    }
  }
}

/** What this reader has answered or finished, by page; without storage it lasts as long as the page. */
const shelf = {
  key: `vec2gpt:${location.pathname}`,
  read() { try { return JSON.parse(localStorage.getItem(this.key)) ?? {}; } catch { return this.now ?? {}; } },
  write(name, value) {
    this.now = { ...this.read(), [name]: value };
    try { localStorage.setItem(this.key, JSON.stringify(this.now)); } catch { /* private window */ }
  },
};

/** An ordered list becomes radio buttons; `judge(choice)` says what follows, if anything. */
function choices(list, name, judge) {
  const group = document.createElement("fieldset"), said = document.createElement("p");
  group.className = "choices";
  said.setAttribute("aria-live", "polite");
  const legend = document.createElement("legend");
  legend.className = "visually-hidden";
  legend.textContent = "Your answer";
  group.append(legend);
  [...list.children].forEach((item, k) => {
    const label = document.createElement("label"), input = Object.assign(document.createElement("input"), { type: "radio", name, value: k + 1 });
    const text = document.createElement("span");
    text.append(...item.childNodes);
    label.append(input, text);
    group.append(label);
  });
  group.addEventListener("change", ({ target }) => { shelf.write(name, +target.value); said.innerHTML = judge(+target.value); });
  list.replaceWith(group);
  group.append(said);
  const before = shelf.read()[name], input = before && group.querySelector(`input[value="${before}"]`);
  if (input) { input.checked = true; said.innerHTML = judge(before); }
}

/** A quiz question is an ordered list with a folded answer after it, which begins with the right number in bold. */
function quizzes() {
  document.querySelectorAll("section#quiz > ol").forEach((list, k) => {
    const answer = list.nextElementSibling;
    if (answer?.tagName !== "DETAILS") return;
    const right = parseInt(answer.querySelector("strong")?.textContent, 10);
    choices(list, `quiz-${k + 1}`, (choice) => (choice === right ? "<strong>Right.</strong> The explanation is below." : "<strong>Not that one.</strong> Try again, or open the answer."));
  });
  document.querySelectorAll(".callout-predict ol").forEach((list, k) =>
    choices(list, `predict-${k + 1}`, () => "Noted. Read on and see."));
}

/** Every exercise gets a box to tick. */
function exercises() {
  for (const heading of document.querySelectorAll("section#exercises section[id^=exercise] > h3")) {
    const name = heading.parentElement.id, label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: Boolean(shelf.read()[name]) });
    box.ariaLabel = `done: ${heading.firstChild.textContent}`;
    box.addEventListener("change", () => shelf.write(name, box.checked));
    label.className = "done";
    label.append(box, " done");
    heading.after(label);
  }
}

/** What the theme leaves unclear to screen readers. */
function mendTheme() {
  for (const button of document.querySelectorAll(".search-button-field, summary[aria-label]")) button.removeAttribute("aria-label");
  for (const logo of document.querySelectorAll(".sidebar-primary-items__start > .sidebar-primary-item:first-child"))
    Object.assign(logo, { role: "navigation", ariaLabel: "Title" });
  for (const entry of document.querySelectorAll(".citation-list, .citation-list [role]")) entry.removeAttribute("role");
  for (const cell of document.querySelectorAll("th"))
    if (!cell.textContent.trim()) cell.replaceWith(document.createElement("td"));
}

/** Paper is white: while a page is printed, the dark theme steps aside. */
function paper() {
  const page = document.documentElement.dataset;
  let theme;
  addEventListener("beforeprint", () => { theme = page.theme; page.theme = "light"; });
  addEventListener("afterprint", () => { page.theme = theme; });
}

mendTheme();
paper();
quizzes();
exercises();
await mountWidgets();
document.documentElement.dataset.widgets = "ready";
