// say.js: type a spelling; an encoder-decoder says it sound by sound, and forgets the more the longer it is (chapter 4).
//
// Each model has vocabularies of its own (settings.models), so that the stress digits of one meet those without of another.
// parts: spelling

const WIDE = 330, HIGH = 132, PLOT = { left: 40, right: 8, top: 8, bottom: 22 };   // of the curves, in SVG units
const DASHES = ["none", "6 3", "2 3", "9 3 2 3"];              // one for each model, for lines are not told by colour alone

// ---- what is answered ----

const names = (c) => Object.keys(c.settings.models);
const isVowel = (sound) => /^[AEIOU]/.test(sound);
const alike = ([a, b]) => a !== null && b !== null && unstressed(a) === unstressed(b);

/** The sounds of an answer, and whether the model came to an end. */
export function utterance({ ids }, { target, eos }) {
  const all = [...ids.data], end = all.indexOf(eos);
  return { sounds: (end < 0 ? all : all.slice(0, end)).map((id) => target[id]), ended: end >= 0 };
}

/** How far two sounds are apart, where a sound too many or too few costs 1: a vowel rather stands for a vowel. */
const distance = (a, b) => (alike([a, b]) ? 0 : isVowel(a) === isVowel(b) ? 1 : 1.5);

/** Two lists of sounds side by side as near as they come: pairs [a, b], null where one has nothing. */
export function aligned(a, b) {
  const cost = [...a, null].map((_, i) => [...b, null].map((_, j) => i + j));
  const apart = (i, j) => cost[i - 1][j - 1] + distance(a[i - 1], b[j - 1]);
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) cost[i][j] = Math.min(apart(i, j), cost[i - 1][j] + 1, cost[i][j - 1] + 1);
  const pairs = [];
  for (let i = a.length, j = b.length; i || j; ) {
    if (i && j && cost[i][j] === apart(i, j)) pairs.unshift([a[--i], b[--j]]);
    else if (i && cost[i][j] === cost[i - 1][j] + 1) pairs.unshift([a[--i], null]);
    else pairs.unshift([null, b[--j]]);
  }
  return pairs;
}

/** An utterance beside the nearest of the listed pronunciations: {way, pairs, right}; null if none is listed. */
export function judged({ sounds, ended }, ways) {
  const wrong = ({ pairs }) => pairs.filter((pair) => !alike(pair)).length;
  const [nearest] = ways.map((way) => ({ way, pairs: aligned(sounds, way) })).sort((p, q) => wrong(p) - wrong(q));
  return nearest ? { ...nearest, right: ended && isListed(sounds, ways) } : null;
}

/** The answer on which the picture stands: {word, model, sounds, ended, verdict}. */
function answer(c) {
  const { word } = c.result.of, said = utterance(c.result, modelKind(c));
  return { word, model: modelName(c, c.result.of), ...said, verdict: judged(said, waysOf(c.settings, word)) };
}

/** The columns from left to right: {t, sound, listed}; t is null where a listed sound was left out, sound where the model ends. */
export function columns({ sounds, ended, verdict }) {
  let t = 0;
  const pairs = verdict ? verdict.pairs : sounds.map((sound) => [sound, undefined]);
  return [...pairs.map(([sound, listed]) => ({ t: sound === null ? null : t++, sound, listed })), ...(ended ? [{ t, sound: null }] : [])];
}

/** What the model thought of at step `t`, the likeliest first: [sound, or null for the end; probability]. */
function thoughts(c, t) {
  const { target, eos } = modelKind(c), { choices, probabilities } = c.result, many = choices.dims[2];
  return Array.from({ length: many }, (_, k) => t * many + k)
    .map((k) => [choices.data[k] === eos ? null : target[choices.data[k]], probabilities.data[k]]);
}

/** The share of words of this length that a model says right; undefined where it was not measured. */
export const shareAt = (curve, length) => curve?.find(([n]) => n === length)?.[1];

const inIPA = (c, sounds) => `/${sounds.map((sound) => c.settings.sounds[sound]?.[0] ?? "").join("")}/`;
const both = (c, sounds) => (sounds.length ? `${sounds.join(" ")} ${inIPA(c, sounds)}` : c.w.nothing);
const marked = (right, text) => `${right ? SIGNS.right : SIGNS.wrong} ${text}`;
const unmarked = (text) => text.replace(/^[✓✗] /, "");        // for a sentence, which is read aloud

// ---- the picture ----

/** Text with what stands between slashes in one piece. */
const unbroken = (text) => esc(text).replace(/\/\S+\//g, '<span class="v2g-ipa">$&</span>');

/** What there is to say of an answer beside its list. */
function judgement(c, { word, verdict, ended }) {
  if (!ended) return marked(false, c.w.endless(c.settings.limit));
  if (!verdict) return c.w.unlisted;
  return marked(verdict.right, verdict.right ? c.w.asListed : c.w.listed(waysOf(c.settings, word).map((way) => both(c, way)).join(c.w.or)));
}

const loud = (c, said) =>
  `<p class="v2g-said"><strong>${esc(said.sounds.join(" ") || c.w.nothing)}</strong> ${said.sounds.length ? unbroken(inIPA(c, said.sounds)) : ""}</p>` +
  `<p>${unbroken(judgement(c, said))}</p>`;

/** What is wrong or right about a column, in a few words; nothing where nothing is listed. */
function remark(c, { t, sound, listed }) {
  if (t === null) return marked(false, c.w.missing);
  if (sound === null || listed === undefined) return "";
  if (alike([sound, listed])) return marked(true, c.w.right);
  return marked(false, listed === null ? c.w.tooMuch : c.w.instead(listed));
}

function column(c, one) {
  const note = remark(c, one), small = note && `<small>${esc(note)}</small>`;
  if (one.t === null) return `<li class="lost"><strong>${esc(one.listed)}</strong>${small}</li>`;
  const rows = thoughts(c, one.t).map(([sound, p]) => `<div style="--x:${p.toFixed(3)}"><span>${esc(sound ?? c.w.end)}</span><span>${p.toFixed(2)}</span></div>`);
  return `<li data-key="${one.t}" title="${esc(stepped(c, one))}"${one.t === c.state.at ? ' class="at cursor"' : ""}>${rows.join("")}${small}</li>`;
}

/** One step in words. */
function stepped(c, one) {
  const [[, p], ...others] = thoughts(c, one.t), rest = others.map(([sound, q]) => `${sound ?? c.w.end} ${q.toFixed(2)}`).join(", ");
  const [sign, example] = c.settings.sounds[one.sound] ?? [], name = one.sound === null ? c.w.theEnd : sign ? c.w.heard(one.sound, sign, example) : one.sound;
  return c.w.step(one.t + 1, name, p.toFixed(2), rest, unmarked(remark(c, one)));
}

/** Every model on the word that is shown: what it said, if it was asked, and its share of words so long. */
function comparison(c, { word, model }) {
  const length = word.length, rows = names(c).map((name, k) => {
    const said = name === model ? answer(c) : c.result.heard?.[name], verdict = said && judged(said, waysOf(c.settings, word));
    const share = shareAt(c.settings.curve[name], length), text = said ? both(c, said.sounds) : c.w.unasked;
    const line = c.settings.curve[name] ? `<svg width="30" height="8" aria-hidden="true">${stroke([[1, 4], [29, 4]], k, name === model)}</svg> ` : "";
    return `<tr><th scope="row">${line}${name === model ? `<strong>${esc(name)}</strong>` : esc(name)}</th><td>${unbroken(verdict ? marked(verdict.right, text) : text)}</td>` +
      (drawable(c) ? `<td>${share === undefined ? "–" : percentage(share)}</td>` : "") + "</tr>";
  });
  const heads = [c.w.model, c.w.says, ...(drawable(c) ? [c.w.soLong(length)] : [])].map((head) => `<th scope="col">${esc(head)}</th>`);
  return `<table class="v2g-table"><thead><tr>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

// ---- where it forgets ----

const drawable = (c) => names(c).some((name) => c.settings.curve[name]?.length);

const stroke = (points, k, chosen) => `<polyline points="${points.map((point) => point.map((x) => x.toFixed(1)).join()).join(" ")}" fill="none" ` +
  `stroke="var(--${chosen ? "weight" : "soft"})" stroke-width="${chosen ? 2.5 : 1.5}" stroke-dasharray="${DASHES[k % DASHES.length]}"/>`;

/** The place in the picture of a length and a share, where the lengths run from `least` to `most`. */
export const spot = (length, share, least, most) => [
  PLOT.left + ((length - least) / Math.max(most - least, 1)) * (WIDE - PLOT.left - PLOT.right),
  PLOT.top + (1 - share) * (HIGH - PLOT.top - PLOT.bottom),
];

/** Levels and lengths: the first, the last, and the word's own, where it is one of those between. */
function axes(least, most, length) {
  const at = (n, share) => spot(n, share, least, most), [here, foot] = at(length, 0), within = length >= least && length <= most;
  const level = (y) => `<line class="axis" x1="${PLOT.left}" x2="${WIDE - PLOT.right}" y1="${at(least, y)[1]}" y2="${at(least, y)[1]}"/>` +
    `<text class="soft" x="${PLOT.left - 5}" y="${at(least, y)[1] + 4}" text-anchor="end">${percentage(y)}</text>`;
  const below = (n, look) => `<text ${look} x="${at(n, 0)[0].toFixed(1)}" y="${HIGH - 6}" text-anchor="middle">${n}</text>`;
  const ends = [least, most].filter((n) => !within || Math.abs(at(n, 0)[0] - here) > 18);
  const line = `<line x1="${here}" x2="${here}" y1="${PLOT.top}" y2="${foot}" stroke="var(--ink)" stroke-dasharray="1 3"/>`;
  return [0, 0.5, 1].map(level).join("") + ends.map((n) => below(n, 'class="soft"')).join("") + (within ? line + below(length, 'font-weight="700"') : "");
}

/** The share of words said right by their length, a line a model; a dot is the chosen model at the word's length. */
function curves(c, { word: { length }, model }) {
  const measured = names(c).flatMap((name) => c.settings.curve[name] ?? []).map(([n]) => n), least = Math.min(...measured), most = Math.max(...measured);
  const at = (n, share) => spot(n, share, least, most), share = shareAt(c.settings.curve[model], length);
  const lines = names(c).map((name, k) => stroke((c.settings.curve[name] ?? []).map(([n, y]) => at(n, y)), k, name === model));
  const [x, y] = at(length, share), dot = share === undefined ? "" : `<circle cx="${x}" cy="${y}" r="4.5" fill="var(--weight)" stroke="var(--paper)" stroke-width="1.5"/>`;
  return `<figure><svg viewBox="0 0 ${WIDE} ${HIGH}" width="100%" role="img" aria-label="${esc(c.w.curves)}">` +
    `${axes(least, most, length)}${lines.join("")}${dot}</svg><figcaption>${esc(c.w.curves)}</figcaption></figure>`;
}

/** The sounds that occur, those that are heard alike together: [names, IPA, example]. */
function sorted(c, { sounds, verdict }) {
  const all = [...new Set([...sounds, ...(verdict?.way ?? [])])].filter((sound) => c.settings.sounds[sound]).sort(), groups = new Map();
  for (const sound of all) {
    const [sign, example] = c.settings.sounds[sound], key = `${sign} ${example}`;
    groups.set(key, [[...(groups.get(key)?.[0] ?? []), sound], sign, example]);
  }
  return [...groups.values()];
}

const legend = (c, said) => `<ul class="v2g-legend">${sorted(c, said).map(([sounds, sign, example]) =>
  `<li><strong>${esc(sounds.join(" "))}</strong> ${esc(c.w.asIn(sign, example))}</li>`).join("")}</ul>`;

export const view = {
  name: "say",
  quiet: ["at"],
  words: {
    en: {
      ...SPELLING.en,
      title: "Say any word",
      hint: "Type a spelling, a name or a word of your own making. Press a step to read it in words.",
      picture: "What the model thought of at each step. Left and right choose a step, delete leaves the steps.",
      model: "Model", says: "says", end: "end", theEnd: "the end", nothing: "nothing", or: ", or ",
      asListed: "right, as listed", listed: (ways) => `listed: ${ways}`, unlisted: "not in this page’s list: you decide",
      endless: (limit) => `no end after ${limit} sounds: the model has lost the thread`,
      right: "right", missing: "missing", tooMuch: "not listed", instead: (sound) => `not ${sound}`, unasked: "choose it to hear it",
      heard: (sound, sign, example) => `${sound} (${sign} as in ${example})`, asIn: (sign, example) => `${sign} as in ${example}`,
      soLong: (n) => `right at ${n} letters`, curves: "Words said right, by their number of letters",
      whole: (model, word, said, judgement) => `The model ${model ? `“${model}” ` : ""}says “${word}” as ${said}; ${judgement}.`,
      share: (share, n) => ` Of words of ${n} letters it says ${share} right.`,
      step: (n, sound, p, rest, note) => `Step ${n}: ${sound} with probability ${p}${rest ? `, before ${rest}` : ""}${note ? `; ${note}` : ""}.`,
    },
  },
  start: ({ word }) => ({ word, at: -1 }),
  controls: (c) => wordControls(c, { at: -1 }),
  accept: ({ state, settings }) => {
    const at = Number.isInteger(state.at) ? clamp(state.at, -1, settings.limit - 1) : -1;
    return { ...state, word: asTyped(state.word), at };
  },
  moved: (state) => ({ ...state, at: -1 }),
  advice: spellingAdvice,
  async *compute(c, ask) {
    const { word } = c.state, { of: before } = c.result;
    if (misspelling(word, c.settings)) return;                       // the last right answer stays
    const heard = before.word === word ? { ...c.result.heard, [modelName(c, before)]: answer(c) } : {};
    yield { ...(await ask({ source_ids: sourceIds(c) })), heard };
  },
  act: (c, { kind, key, target }) => {
    const said = answer(c), last = said.sounds.length - !said.ended, { at } = c.state;
    if (kind === "click" && target !== undefined) return { ...c.state, at: +target === at ? -1 : +target };
    if (kind !== "key") return;
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: last - at }[key];
    if (step !== undefined) return { ...c.state, at: clamp(at + step, 0, last) };
    if (key === "Delete" || key === "Backspace") return { ...c.state, at: -1 };
  },
  above: (c) => loud(c, answer(c)),
  picture: (c) => `<ol class="v2g-steps">${columns(answer(c)).map((one) => column(c, one)).join("")}</ol>`,
  below: (c) => {
    const said = answer(c), compared = names(c).length > 1 || drawable(c) ? `<div style="flex:2 1 24rem">${comparison(c, said)}</div>` : "";
    return `${legend(c, said)}<div class="v2g-pair">${compared}${drawable(c) ? curves(c, said) : ""}</div>`;
  },
  sentence: (c) => {
    const said = answer(c), step = columns(said).find(({ t }) => t !== null && t === c.state.at), share = shareAt(c.settings.curve[said.model], said.word.length);
    if (step) return stepped(c, step);
    return c.w.whole(names(c).length > 1 && said.model, said.word, both(c, said.sounds), unmarked(judgement(c, said))) + (share === undefined ? "" : c.w.share(percentage(share), said.word.length));
  },
};

export default widget(view);
