// tree.js: what a beam keeps and prunes on its way to a word's pronunciation, or what chance draws (chapter 5).
//
// The search itself is torch code (tree.py): here its steps only become a tree (branches.js), and the tree a picture.
// parts: spelling, branches

const BEAM = "beam", SAMPLING = "sampling";
const ROW = 24, HIGH = 20, TOP = 22, GAP = 30;                  // layout, in SVG units
const BOX = { [BEAM]: 66, [SAMPLING]: 92 };                     // a box's width; samples are counted in theirs

// ---- what an answer says ----

const trees = new WeakMap();

/** The tree on which the picture stands, made once an answer and mode. */
function treeOf(c) {
  const { mode } = c.state, known = trees.get(c.result) ?? {}, make = mode === BEAM ? grow : joined;
  if (!known[mode]) trees.set(c.result, { ...known, [mode]: make(c.result, modelKind(c).eos) });
  return trees.get(c.result)[mode];
}

/** The step that is shown, counted from 0. */
const shown = (c, { columns }) => clamp(c.state.step, 1, columns.length) - 1;

const whole = (c, tree) => shown(c, tree) === tree.columns.length - 1;

/** The greedy text: {ids, logP, ended}, the end apart. */
function greedyOf(c) {
  const { texts, said, text_log_p } = c.result, all = [...texts.data.slice(0, texts.dims[1])].filter((_, t) => said.data[t]), { eos } = modelKind(c);
  return { all, ids: all.filter((id) => id !== eos), logP: text_log_p.data[0], ended: all.at(-1) === eos };
}

const sounds = (c, ids) => ids.map((id) => modelKind(c).target[id]);
const inWords = (c, ids) => sounds(c, ids).join(" ") || c.w.nothing;

/** Whether tokens are as the word that was asked for is listed: true, false, or null where nothing is. */
const listed = (c, ids) => isListed(sounds(c, ids), waysOf(c.settings, c.result.of.word));

const fixed = (x) => (Math.abs(x) < 0.005 ? "0.00" : x.toFixed(2).replace("-", "−"));

/** The rows of the list, best first: the texts that the step shown kept, or all samples. */
export function texts(c) {
  const tree = treeOf(c), kept = c.state.mode === BEAM ? tree.beams[shown(c, tree)] : tree.beams[0];
  return kept.map((node) => ({ node, text: inWords(c, tokens(node)), right: node.ended ? listed(c, tokens(node)) : null }));
}

// ---- the node under the reader's hand: state.node, its step and its place in that step's column ----

const keyOf = ({ columns }, node) => `${node.t},${columns[node.t].indexOf(node)}`;

/** The node that is chosen; undefined if none is, or none of the steps shown. */
function chosen(c, tree) {
  const [t, k] = c.state.node.split(",");
  return t && t <= shown(c, tree) ? tree.columns[t]?.[k] : undefined;
}

/** Of the nodes of one step, that which lasts longest, the likeliest of equals; undefined of none. */
const foremost = ([...nodes]) => nodes.sort((a, b) => b.until - a.until || b.chance - a.chance)[0];

/** Where a key leads from `node`, within the steps to `last`: to what it continues or what continues it, to the first or
    the last of them, or to its neighbour in the column; to itself where there is nothing, undefined for other keys. */
export function walked(tree, node, key, last) {
  const { place } = places(tree), next = (from) => foremost((tree.columns[from.t + 1] ?? []).filter(({ t, parent }) => t <= last && parent === from));
  const beside = (rows) => tree.columns[node.t].find((other) => place.get(other) === place.get(node) + rows);
  const end = (from) => (next(from) ? end(next(from)) : from);
  const ways = { ArrowUp: () => beside(-1), ArrowDown: () => beside(1), ArrowLeft: () => path(node).at(-2), ArrowRight: () => next(node), Home: () => path(node)[0], End: () => end(node) };
  return ways[key] && (ways[key]() ?? node);
}

// ---- the picture ----

const LOOKS = {                                                 // of the box, of the edge to it, and how faint both are
  best: { box: 'stroke="var(--ink)" stroke-width="2.5"', edge: 'stroke="var(--weight)" stroke-width="4"', fade: 1 },
  kept: { box: 'stroke="var(--soft)"', edge: 'stroke="var(--soft)" stroke-width="1.5"', fade: 1 },
  fell: { box: 'stroke="var(--soft)" stroke-dasharray="3 3"', edge: 'stroke="var(--soft)" stroke-width="1"', fade: 0.8 },
  pruned: { box: 'stroke="none"', edge: 'stroke="var(--soft)" stroke-width="1" stroke-dasharray="1 3"', fade: 0.7 },
};

/** What became of a node by step `at`: one of LOOKS. */
export function fate(node, at, best) {
  if (best.has(node)) return "best";
  return node.until < 0 ? "pruned" : node.until < at ? "fell" : "kept";
}

/** Where a step's boxes begin. */
const x = (c, t) => 4 + t * (BOX[c.state.mode] + GAP);

function drawNode(c, node, y, look) {
  const text = node.ended ? c.w.stop : modelKind(c).target[node.token], { box, fade } = LOOKS[look], p = percentage(node.chance), wide = BOX[c.state.mode];
  const scored = c.state.mode === BEAM && node.ended && node.until >= 0, tail = scored ? fixed(node.score) : node.times > 1 ? `${p} ×${node.times}` : p, left = x(c, node.t);
  return `<g data-key="${keyOf(treeOf(c), node)}" opacity="${fade}"><title>${esc(told(c, node, look))}</title>` +
    `<rect x="${left}" y="${y - HIGH / 2}" width="${wide}" height="${HIGH}" rx="${node.ended ? 0 : 5}" fill="var(--${look === "pruned" ? "paper" : "wash"})" ${box}/>` +
    `<text x="${left + 5}" y="${y + 4}"${look === "best" ? ' font-weight="700"' : ""}>${esc(text)}</text>` +
    `<text${fade === 1 ? ' class="soft"' : ""} x="${left + wide - 4}" y="${y + 4}" text-anchor="end">${esc(tail)}</text></g>`;
}

/** The frame around the node that is chosen. */
const frame = (c, node, y) => `<rect class="cursor" x="${x(c, node.t) - 3}" y="${y - HIGH / 2 - 3}" width="${BOX[c.state.mode] + 6}" height="${HIGH + 6}" rx="7"/>`;

function drawEdge(c, node, y, from, look, dashed) {
  const right = x(c, node.t), left = right - GAP, middle = (left + right) / 2, { edge, fade } = LOOKS[look];
  if (node.t === 0) return "";
  const curve = `<path d="M${left} ${from}C${middle} ${from} ${middle} ${y} ${right} ${y}" fill="none" `;
  return `${curve}${edge} opacity="${fade}"/>` + (dashed ? `${curve}stroke="var(--minus)" stroke-width="2" stroke-dasharray="6 4"/>` : "");
}

/** The best text of the step shown, as a set of nodes; none among samples, which nobody ranks. */
const bestOf = (c, tree) => new Set(c.state.mode === BEAM ? path(tree.beams[shown(c, tree)][0]) : []);

function drawing(c) {
  const tree = treeOf(c), at = shown(c, tree), { place, tall } = places(tree), best = bestOf(c, tree), here = chosen(c, tree), greedy = new Set(c.state.mode === BEAM ? along(tree, greedyOf(c).all) : []);
  const wide = x(c, tree.columns.length) - GAP + 6, high = TOP + tall * ROW + 4, y = (node) => TOP + (place.get(node) + 0.5) * ROW;
  const nodes = tree.columns.slice(0, at + 1).flat().map((node) => [node, fate(node, at, best)]).sort(([, a], [, b]) => (a === "best") - (b === "best"));
  const heads = tree.columns.map((_, t) => `<text class="soft" x="${x(c, t) + BOX[c.state.mode] / 2}" y="13" text-anchor="middle">${t + 1}</text>`).join("");
  return `<svg width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" role="img" aria-label="${esc(view.sentence(c))}">${heads}` +
    nodes.map(([node, look]) => drawEdge(c, node, y(node), y(node.parent), look, greedy.has(node))).join("") +
    `${nodes.map(([node, look]) => drawNode(c, node, y(node), look)).join("")}${here ? frame(c, here, y(here)) : ""}</svg>`;
}

const sample = (edge) => `<svg width="26" height="12" viewBox="0 0 26 12" aria-hidden="true" style="flex:none"><line x1="0" x2="26" y1="6" y2="6" ${edge}/></svg>`;

function legend(c) {
  const greedy = 'stroke="var(--minus)" stroke-width="2" stroke-dasharray="6 4"', { best, kept, fell, pruned } = LOOKS, { w } = c;
  const lines = c.state.mode === BEAM ? [[best.edge, w.bestLine], [kept.edge, w.keptLine], [fell.edge, w.fellLine], [pruned.edge, w.prunedLine], [greedy, w.greedyLine]] : [];
  const items = lines.map(([edge, text]) => `<li>${sample(edge)}<span>${esc(text)}</span></li>`).join("");
  return `<ul class="v2g-legend">${items}<li><span>${esc(c.state.mode === BEAM ? w.stopScore(c.result.of.alpha.toFixed(1)) : w.stopTimes)}</span></li></ul>`;
}

const verdict = (c, right) => (right === null ? c.w.unlisted : right ? `${SIGNS.right} ${c.w.right}` : `${SIGNS.wrong} ${c.w.wrong}`);

/** The list: the texts kept, or drawn, and below them what greedy search says. */
function list(c) {
  const { w } = c, sampled = c.state.mode === SAMPLING, { ids, logP, ended } = greedyOf(c), said = inWords(c, ids);
  const row = (head, text, numbers, right) => `<tr><th scope="row">${esc(head)}</th><td>${esc(text)}</td>${numbers.map((n) => `<td>${n}</td>`).join("")}<td>${esc(right)}</td></tr>`;
  const rows = texts(c).map(({ node, text, right }, k) =>
    row(sampled ? `${node.times} ×` : k + 1, text + (node.ended ? "" : " …"), [fixed(node.logP), fixed(node.score)], node.ended ? verdict(c, right) : w.unfinished));
  const greedy = row(w.greedy, said + (ended ? "" : " …"), [fixed(logP), fixed(c.result.text_score.data[0])], ended ? verdict(c, listed(c, ids)) : w.unfinished);
  const heads = [sampled ? w.times : w.rank, w.text, w.logP, w.score, w.listed].map((head) => `<th scope="col">${esc(head)}</th>`).join("");
  return `<table class="v2g-table" style="font-variant-numeric:tabular-nums"><thead><tr>${heads}</tr></thead><tbody>${rows.join("")}${greedy}</tbody></table>`;
}

// ---- in words ----

const few = (c, nodes) => nodes.slice(0, 4).map((node) => c.w.sounded(inWords(c, tokens(node)), node.ended)).join(", ") + (nodes.length > 4 ? c.w.more(nodes.length - 4) : "");

/** All that is known of a node. */
function told(c, node, look = fate(node, shown(c, treeOf(c)), bestOf(c, treeOf(c)))) {
  const { w } = c, score = node.ended && node.until >= 0 ? fixed(node.score) : "";
  const rest = c.state.mode === BEAM ? w.status(fixed(node.logP), score, w[look]) : w.shared(node.times);
  return w.node(w.sounded(inWords(c, tokens(node)), node.ended), percentage(node.chance), rest);
}

/** What a step of the search kept, and what fell. */
function stepped(c, tree, at) {
  const fell = [...(tree.beams[at - 1] ?? []).filter((node) => node.until === at - 1), ...tree.columns[at].filter(({ until }) => until < 0)];
  return c.w.step(at + 1, tree.columns.length, few(c, tree.beams[at]), fell.length ? few(c, fell) : "");
}

function found(c, [best]) {
  const { word, width, alpha } = c.result.of, greedy = greedyOf(c), other = inWords(c, greedy.ids), judged = (right) => (right === null ? "" : right ? c.w.isRight : c.w.isWrong);
  const said = c.w.found(word, width, alpha.toFixed(1), best.text + judged(best.right), fixed(best.node.logP));
  return `${said} ${other === best.text ? c.w.alike : c.w.unlike(other + judged(listed(c, greedy.ids)), fixed(greedy.logP))}`;
}

function sampled(c, rows) {
  const { word, temperature, top_k: topK, top_p: topP } = c.result.of, right = rows.filter((row) => row.right).reduce((sum, { node }) => sum + node.times, 0);
  const all = c.result.drawn.dims[0], judged = rows.some((row) => row.right !== null) ? c.w.rightOf(right) : "";
  return c.w.sampled(all, word, temperature.toFixed(1), topK, topP.toFixed(2), rows.length) + judged;
}

export const view = {
  name: "tree",
  quiet: ["mode", "step", "node"],
  words: {
    en: {
      ...SPELLING.en,
      title: "The search tree",
      hint: "Type a word. The tree is how its pronunciation is searched for, sound by sound, with the probability of each; make the beam wider, or let chance decide. Press a sound to read its numbers below the tree.",
      picture: "The tree of beginnings, a column for each sound. Left and right go along a text, up and down through a column, delete leaves the tree.",
      mode: "Write by", beam: "beam search", sampling: "sampling", width: "Beam width", alpha: "Length penalty α",
      temperature: "Temperature", top_k: "Top-k", top_p: "Top-p", again: "Draw again",
      back: "Previous step", next: "Next step", all: "Whole tree", at: (t, n) => `step ${t} of ${n}`,
      stop: "■", nothing: "(nothing)", best: "the best of this step", kept: "kept", fell: "kept, and fell later", pruned: "pruned",
      node: (text, p, rest) => `${text}: probability ${p} after what stands before it; ${rest}.`,
      status: (logP, score, look) => `log p ${logP} in all${score && `, score ${score}`}; ${look}`,
      shared: (n) => `${n} ${n === 1 ? "sample goes" : "samples go"} this way`,
      bestLine: "best", keptLine: "kept", fellLine: "fell later", prunedLine: "pruned at once (the likeliest four)", greedyLine: "greedy search",
      stopScore: (alpha) => `■ end, with its score: log p / length^${alpha}`, stopTimes: "■ end; ×2: two samples go this way",
      rank: "Rank", times: "Drawn", text: "Pronunciation", logP: "log p", score: "score", listed: "Listed", greedy: "greedy",
      right: "yes", wrong: "no", unlisted: "you decide", unfinished: "goes on",
      sounded: (text, ended) => (ended ? `${text} (end)` : text), more: (n) => ` and ${n} more`,
      step: (t, n, kept, fell) => `Step ${t} of ${n}: the beam keeps ${kept}.${fell ? ` What fell: ${fell}.` : " Nothing fell."}`,
      isRight: ", as listed", isWrong: ", which is not listed",
      found: (word, width, alpha, text, logP) => `For “${word}” a beam of ${width} with α = ${alpha} finds ${text} (log p ${logP}).`,
      alike: "Greedy search finds the same.", unlike: (text, logP) => `Greedy search says ${text} (log p ${logP}).`,
      sampled: (n, word, temperature, k, p, different) => `${n} samples for “${word}” at temperature ${temperature}, top-k ${k}, top-p ${p}: ${different} different${different === 1 ? " text" : " texts"}.`,
      rightOf: (n) => ` ${n} of the samples ${n === 1 ? "is" : "are"} as listed.`,
    },
  },
  start: ({ word, start, limit }) => ({ word, mode: BEAM, ...start, draw: 0, step: limit, node: "" }),
  controls: (c) => {
    const { settings: { ranges, limit }, w } = c;
    const range = (name, step, digits, row) => ({ kind: "range", name, label: w[name], min: ranges[name][0], max: ranges[name][1], step, show: (v) => (+v).toFixed(digits), row });
    const to = (name, label, step) => ({ kind: "button", name, label, row: "step", act: (d) => ({ ...d.state, step: step(shown(d, treeOf(d)) + 1), node: "" }) });
    return [
      ...wordControls(c, { step: limit, node: "" }),
      { kind: "choice", name: "mode", label: w.mode, options: [[BEAM, w.beam], [SAMPLING, w.sampling]] },
      range("width", 1, 0, "beam"), range("alpha", 0.1, 1, "beam"),
      range("temperature", 0.1, 1, "chance"), range("top_k", 1, 0, "chance"), range("top_p", 0.05, 2, "chance"),
      { kind: "button", name: "again", label: w.again, row: "chance", act: ({ state }) => ({ ...state, mode: SAMPLING, draw: (state.draw + 1) % 1000, node: "" }) },
      to("back", w.back, (t) => Math.max(1, t - 1)), to("next", w.next, (t) => Math.min(limit, t + 1)), to("all", w.all, () => limit),
      { kind: "shown", name: "at", row: "step", show: (d) => w.at(shown(d, treeOf(d)) + 1, treeOf(d).columns.length) },
    ];
  },
  accept: ({ state, settings: { start, ranges, limit } }) => {
    const number = (name) => (Number.isFinite(state[name]) ? clamp(state[name], ...ranges[name]) : start[name]);
    const numbers = Object.fromEntries(Object.keys(ranges).map((name) => [name, number(name)])), count = (n, most, other) => (Number.isInteger(n) ? clamp(n, 0, most) : other);
    return {
      ...state, ...numbers, width: Math.round(numbers.width), top_k: Math.round(numbers.top_k), word: asTyped(state.word),
      draw: count(state.draw, 999, 0), step: Math.max(1, count(state.step, limit, limit)), node: /^\d+,\d+$/.test(state.node) ? String(state.node) : "",
    };
  },
  moved: (state) => ({ ...state, node: "" }),
  advice: spellingAdvice,
  async *compute(c, ask) {
    if (misspelling(c.state.word, c.settings)) return;          // the last answer stays
    const numbers = [...Object.keys(c.settings.ranges), "draw"].map((name) => [name, { dims: [1], data: [c.state[name]] }]);
    yield await ask({ source_ids: sourceIds(c), ...Object.fromEntries(numbers) });
  },
  act: (c, { kind, key, target }) => {
    const tree = treeOf(c), node = chosen(c, tree), choose = (key) => ({ ...c.state, node: key });
    if (kind === "click" && target !== undefined) return choose(target === c.state.node ? "" : target);
    if (kind !== "key") return;
    if (key === "Delete" || key === "Backspace") return choose("");
    const first = foremost(tree.columns[0]), to = walked(tree, node ?? first, key, shown(c, tree));
    return to && choose(keyOf(tree, node ? to : first));            // the first key only enters the tree
  },
  picture: drawing,
  below: (c) => legend(c) + list(c),
  sentence: (c) => {
    const tree = treeOf(c), node = chosen(c, tree);
    if (node) return told(c, node);
    if (c.state.mode === SAMPLING) return whole(c, tree) ? sampled(c, texts(c)) : c.w.at(shown(c, tree) + 1, tree.columns.length);
    return whole(c, tree) ? found(c, texts(c)) : stepped(c, tree, shown(c, tree));
  },
};

export default widget(view);
