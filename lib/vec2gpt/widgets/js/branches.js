// branches.js: a beam search, or samples, as a tree of the beginnings that they share: what the view tree draws.
//
// Nodes are {t, token, chance, logP, score, parent, until}; `until`: the last step after which it, or what grew from it, was kept
// (−1: never). A tree is {columns: nodes by step, beams: after each step what is kept, best first; of samples only after the last}.

/** The tree of a beam search, of the answer's branches: first the slots of every step, best first, then pruned ones. */
export function grow({ parent, token, chance, log_p, score }, eos) {
  const [steps, width] = token.dims, slots = score.dims[1], columns = [], beams = [];
  for (let t = 0, before = [{ t: -1, until: -1, parent: null }]; t < steps; t++) {
    const column = [], kept = [];
    for (let k = 0; k < width; k++) {
      const at = t * width + k, from = before[parent.data[at]];
      if (!chance.data[at]) continue;
      const node = { t, token: token.data[at], chance: chance.data[at], logP: log_p.data[at], parent: from, until: -1, ended: token.data[at] === eos };
      if (k < slots) kept[k] = from.ended ? from : Object.assign(node, { score: score.data[t * slots + k] });
      if (!from.ended) column.push(node);                      // what has ended only keeps its slot
    }
    if (!kept.length) break;
    for (let node of kept) for (; node && node.until < t; node = node.parent) node.until = t;
    columns.push(column);
    beams.push(kept);
    before = kept;
  }
  return { columns, beams };
}

/** The samples as a tree of the beginnings they share; `times`: how many go through a node. Only whole texts have log p. */
export function joined({ texts, said, drawn, text_log_p, text_score }, eos) {
  const [many, steps] = drawn.dims, columns = [], last = Array(many).fill({ t: -1, parent: null, children: new Map() });
  for (let t = 0; t < steps; t++) {
    const column = [];
    for (let n = 0; n < many; n++) {
      const at = (n + 1) * steps + t, token = texts.data[at], { children } = last[n];   // row 0 is the greedy text
      if (!said.data[at]) continue;
      const node = children.get(token) ?? { t, token, chance: drawn.data[n * steps + t], parent: last[n], times: 0, until: steps, ended: token === eos, children: new Map() };
      if (!node.times++) column.push(node);
      children.set(token, node);
      last[n] = node;
    }
    if (!column.length) break;
    columns.push(column);
  }
  last.forEach((node, n) => Object.assign(node, { logP: text_log_p.data[n + 1], score: text_score.data[n + 1] }));
  return { columns, beams: [[...new Set(last)].sort((a, b) => b.logP - a.logP)] };
}

/** The nodes from the first token to `node`. */
export function path(node) {
  const nodes = [];
  for (; node?.parent; node = node.parent) nodes.unshift(node);
  return nodes;
}

/** The tokens to say, up to the end. */
export const tokens = (node) => path(node).filter(({ ended }) => !ended).map(({ token }) => token);

/** Every node's place from the top, in rows; children stand in their parents' order, the likeliest first. */
export function places({ columns }) {
  const tall = Math.max(...columns.map((column) => column.length)), place = new Map();
  for (const column of columns) {
    const sorted = [...column].sort((a, b) => (place.get(a.parent) ?? 0) - (place.get(b.parent) ?? 0) || b.chance - a.chance);
    sorted.forEach((node, k) => place.set(node, k + (tall - column.length) / 2));
  }
  return { place, tall };
}

/** The nodes of a text as far as the tree has them. */
export function along({ columns }, ids) {
  const nodes = [];
  for (const [t, column] of columns.entries()) {
    const node = column.find(({ token, parent }) => token === ids[t] && (t === 0 || parent === nodes[t - 1]));
    if (!node) break;
    nodes.push(node);
  }
  return nodes;
}
