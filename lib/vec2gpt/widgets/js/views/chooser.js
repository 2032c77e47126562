// chooser.js: which should I use? A flow chart that the reader answers, question by question, down to a model, the chapter that builds it,
// and the baseline it must beat (chapter 14).
//
// There is no model: questions and advice are data. The state is the answers' places, one digit each: "02" is the first answer, then the third.
// parts: chapters

const STEP = 17, INDENT = 20, TOP = 8;                          // of the chart, in SVG units

// ---- the way through the chart ----

/** What the answers lead past: [{name, question, answer}], and where they end: the name of a question or of an advice. */
export function walked({ settings: { start, questions } }, path) {
  const past = [];
  let name = start;
  for (const digit of path) {
    const question = questions[name], option = question?.options[+digit];
    if (!option) break;
    past.push({ name, question, answer: option[0] });
    name = option[1];
  }
  return { past, name };
}

/** A path as far as the chart goes. */
export function trodden(c, path) {
  const digits = String(path ?? "").match(/^\d*/)[0];
  return digits.slice(0, walked(c, digits).past.length);
}

// ---- numbers ----

const figure = ({ mean, spread, score }) => `${mean.toFixed(score === "bits" ? 2 : 3)}${spread ? ` ± ${spread.toFixed(score === "bits" ? 2 : 3)}` : ""}`;

/** What a ladder measured, as a phrase: "minilm, tuned 0.801 ± 0.006". */
export const measuredRow = (row) => `${row.model} ${figure(row)}`;

// ---- what is drawn ----

const button = (path, text, look = "") => `<button type="button" data-name="path" value="${path}"${look}>${esc(text)}</button>`;

function pastHTML({ w }, { past }, path) {
  if (!past.length) return "";
  return `<ol class="v2g-flow">${past.map(({ question, answer }, k) =>
    `<li><span>${esc(question.asks)}</span> ${button(path.slice(0, k), answer, ` title="${esc(w.again)}" aria-label="${esc(w.answered(question.asks, answer))}"`)}</li>`).join("")}</ol>`;
}

function questionHTML({ w }, question, path) {
  const options = question.options.map(([text], k) => `<li>${button(path + k, text)}</li>`).join("");
  return `<div class="v2g-ask"><p tabindex="-1" data-next><strong>${esc(question.asks)}</strong></p><p class="v2g-hint">${esc(question.why)}</p><ul aria-label="${esc(w.answers)}">${options}</ul></div>`;
}

function adviceHTML({ w }, advice) {
  const entry = (term, html) => `<dt>${esc(term)}</dt><dd>${html}</dd>`, { measured } = advice;
  const told = measured.length ? entry(w.measured, `${measured.map((row) => `${esc(measuredRow(row))} <small>(${esc(w.run(row))})</small>`).join("; ")}<br><small>${esc(w.of(measured[0]))}</small>`) : "";
  return `<div class="v2g-ask v2g-advised"><p tabindex="-1" data-next><strong>${esc(advice.use)}</strong></p><p>${esc(advice.why)} ${chapterHTML(advice.chapter, w.chapter(advice.chapter))}</p>` +
    `<dl>${entry(w.beat, `${esc(advice.beat)} (${chapterHTML(advice.beat_chapter, w.chapter(advice.beat_chapter))})`)}${told}${entry(w.mind, esc(advice.mind))}</dl></div>`;
}

function picture(c) {
  const { state: { path }, settings: { questions, advice } } = c, way = walked(c, path), question = questions[way.name];
  return pastHTML(c, way, path) + (question ? questionHTML(c, question, path) : adviceHTML(c, advice[way.name]));
}

/** The whole chart as rows from top to bottom: {name, depth, path, question}, each question above what it leads to. */
export function chart({ settings: { start, questions } }) {
  const rows = [], visit = (name, depth, path) => {
    rows.push({ name, depth, path, isQuestion: name in questions });
    questions[name]?.options.forEach(([, next], k) => visit(next, depth + 1, path + k));
  };
  visit(start, 0, "");
  return rows;
}

function below(c) {
  if (!c.state.chart) return "";
  const { w, state: { path }, settings: { questions } } = c, rows = chart(c), place = new Map(rows.map((row, k) => [row.path, k]));
  const x = (row) => 8 + row.depth * INDENT, y = (k) => TOP + k * STEP + 4, isOn = (row) => path.startsWith(row.path);
  const line = (row, k) => {
    const from = place.get(row.path.slice(0, -1)), [colour, wide] = isOn(row) ? ["var(--weight)", 2.5] : ["var(--line)", 1.2];
    return `<path d="M${x(row) - INDENT} ${y(from)}V${y(k)}H${x(row)}" fill="none" stroke="${colour}" stroke-width="${wide}"/>`;
  };
  const lines = [...rows.keys()].slice(1).sort((a, b) => isOn(rows[a]) - isOn(rows[b])).map((k) => line(rows[k], k));   // the way that was taken on top
  const marks = rows.map((row, k) => {
    const colour = isOn(row) ? "var(--weight)" : "var(--soft)", text = row.isQuestion ? questions[row.name].asks : row.name;
    const look = row.path === path ? 'font-weight="700"' : row.isQuestion ? 'class="soft"' : "";
    const mark = row.isQuestion ? `<circle cx="${x(row)}" cy="${y(k)}" r="3.5" fill="${colour}"/>` : `<rect x="${x(row) - 4}" y="${y(k) - 4}" width="8" height="8" fill="${colour}"/>`;
    return `${mark}<text ${look} x="${x(row) + 9}" y="${y(k) + 4}">${esc(text)}</text>`;
  });
  return `<svg viewBox="0 0 394 ${TOP * 2 + rows.length * STEP}" width="100%" style="max-width:36rem" role="img" aria-label="${esc(w.chart)}">${lines.join("")}${marks.join("")}</svg>`;
}

// ---- the sentence ----

function sentence(c) {
  const { w, state: { path }, settings: { questions, advice } } = c, { past, name } = walked(c, path), question = questions[name];
  if (question) return [w.asked(past.length, question.asks, question.options.length)];
  const { use, beat, chapter } = advice[name];
  return [w.advised(use, chapter, beat)];
}

export const view = {
  name: "chooser",
  words: {
    en: {
      title: "Which should I use?",
      hint: "Answer the questions about your task. An answer that was given can be pressed to give another.",
      picture: "Questions and advice", answers: "Answers", again: "Answer this again",
      answered: (asks, answer) => `${asks} You answered: ${answer}. Answer again`,
      chapter: (n) => `Chapter ${n}`,
      beat: "It must beat", measured: "Measured here", mind: "Mind",
      of: ({ score, labels }) => `${score} on held-out data${labels ? `, ${labels.toLocaleString("en")} labels` : ""}`,
      run: ({ labels, budget, seeds }) => `${labels ? "" : `${budget}, `}${seeds > 1 ? `${seeds} seeds` : "one seed"}`,
      whole: "show the whole chart",
      chart: "The whole flow chart as a tree, with the way you took",
      asked: (n, asks, options) => `Question ${n + 1}: ${asks} There are ${options} answers.`,
      advised: (use, chapter, beat) => `Advice: ${use} (Chapter ${chapter}). It must beat ${beat}.`,
    },
  },
  start: () => ({ path: "", chart: false }),
  quiet: ["path", "chart"],
  controls: ({ w }) => [{ kind: "switch", name: "chart", label: w.whole }],
  accept: (c) => ({ path: trodden(c, c.state.path), chart: Boolean(c.state.chart) }),
  async *compute() { yield {}; },
  picture,
  below,
  sentence,
};

export default widget(view);
