// gradient.js: scale the recurrent matrix, and watch the gradient vanish or explode on its way back (chapter 2).

const W = 380, LEFT = 40, RIGHT = 374;                          // layout, in SVG units
const TOP = 20, FLOOR = 168, SLOPES = 190, DEEP = 218, BOTTOM = 236;
const NEAR = 10;                                               // steps that count as near the loss
const OFF = 2.25;                                              // of the clipping slider, in powers of ten: never clipped
const REACH = [1, 2, 4, 8, 16, 32, 64];                        // powers of ten up and down that the axis may show
const FAINT = 1e-30;                                           // one step back from here may end below float32's 1e-45
const DASHES = { bound: "6 3", run: "1.5 3" };

const power = (n) => `10${[...String(n)].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]).join("")}`;

/** A number of any size, in three digits: 0.0123, 1230, 1.23·10⁻¹². */
export function number(x, w = view.words.en) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? w.none : "∞";
  if (x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4)) return String(Number(x.toPrecision(3)));
  const [digits, exponent] = x.toExponential(2).split("e");
  return `${Number(digits)}·${power(+exponent)}`;
}

const percent = (share) => `${number(100 * share).replace("-", "−")} %`;
const threshold = (clip) => (clip >= OFF ? Infinity : 10 ** clip);
const farthest = (c) => Math.min(c.state.at, c.result.of.length - 1);   // steps back, where the cursor stands

/** What the picture and the sentence need of an answer; step k is k steps back. */
export function summary({ norms, slopes, shares, sizes, spectrum }) {
  const back = (tensor) => Array.from(tensor.data).reverse(), sum = (list) => list.reduce((a, b) => a + b, 0);
  const norm = back(norms), gains = norm.map((x) => (norm[0] === 0 ? 0 : x / norm[0]));
  const [whole, clipped] = sizes.data, [least, most, radius] = spectrum.data;
  const far = sum(back(shares).slice(NEAR)), factor = whole ? clipped / whole : 1;
  return { norm, gains, slopes: back(slopes), far, whole, clipped, factor, least, most, radius };
}

/** Whether the gradient is 0 because slopes of 0 stop it, and not because it faded below what float32 holds. */
function stopped({ norm, slopes }) {
  const last = norm.indexOf(0) - 1;                              // how far back it still is something
  return slopes[last] === 0 || norm[last] > FAINT;
}

/** How many powers of ten down and up the axis shows, for the numbers to be seen on it. */
export function range(numbers) {
  const logs = numbers.filter((x) => x > 0 && Number.isFinite(x)).map(Math.log10);
  const fit = (need) => REACH.find((n) => n >= need) ?? REACH.at(-1);
  return [-fit(-Math.min(-2, ...logs)), fit(Math.max(0, ...logs))];
}

/** The picture's scales: x of a step back (its left edge), y of a gain. */
function frame(length, [low, high]) {
  const wide = (RIGHT - LEFT) / length;
  return { wide, x: (back) => RIGHT - (back + 1) * wide, y: (log) => FLOOR - ((clamp(log, low, high) - low) / (high - low)) * (FLOOR - TOP) };
}

/** From the last step on, what is multiplied by `rate` at every step back; it ends where it leaves the axis. */
function line(rate, kind, length, [low, high], { wide, x, y }) {
  if (!rate) return "";
  const slope = Math.log10(rate), end = Math.min(length - 1, slope ? (slope > 0 ? high : low) / slope : Infinity);
  return `<line x1="${(x(0) + wide / 2).toFixed(1)}" y1="${y(0).toFixed(1)}" x2="${(x(end) + wide / 2).toFixed(1)}" y2="${y(slope * end).toFixed(1)}" ` +
    `stroke="var(--ink)" stroke-width="1.5" stroke-dasharray="${DASHES[kind]}"/>`;
}

const bar = (x, top, wide, floor, look) =>
  `<rect x="${x.toFixed(2)}" y="${top.toFixed(1)}" width="${(wide * 0.86).toFixed(2)}" height="${Math.max(0, floor - top).toFixed(1)}" ${look}/>`;

function axis([low, high], { y }) {
  const ticks = [...new Set([low, low / 2, 0, ...(high > 1 ? [high] : [])])];
  return ticks.map((n) => `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${y(n)}" y2="${y(n)}"/>` +
    `<text class="soft" x="${LEFT - 5}" y="${y(n) + 4}" text-anchor="end">${n ? power(n) : "1"}</text>`).join("");
}

/** Under the bars the characters that were read, or, where they would not fit, how far back they are. */
function feet({ tokens }, length, { wide, x }) {
  const write = (text, back, look) => `<text x="${(x(back) + wide / 2).toFixed(1)}" y="${BOTTOM - 4}" text-anchor="middle" ${look}>${esc(text)}</text>`;
  if (wide > 6) return tokens.slice(-1 - length, -1).map((token, t) => write(glyph(token), length - 1 - t, 'style="font:10px ui-monospace,monospace"')).join("");
  return Array.from({ length: Math.ceil(length / 10) }, (_, k) => write(k ? `−${10 * k}` : "0", 10 * k, 'class="soft"')).join("");
}

function drawing(c, told) {
  const { gains, slopes, factor, most, radius } = told, { length } = c.result.of;
  const reach = range([...gains, ...gains.map((gain) => gain * factor)]), at = frame(length, reach), { wide, x, y } = at;
  const bars = gains.map((gain, k) => {
    if (!Number.isFinite(gain)) return bar(x(k), TOP, wide, FLOOR, 'fill="var(--minus)" opacity="0.35"');
    if (!gain) return "";
    const whole = bar(x(k), y(Math.log10(gain)), wide, FLOOR, `fill="var(--hidden)"${factor < 1 ? ' opacity="0.35"' : ""}`);
    return whole + (factor > 0 && factor < 1 ? bar(x(k), y(Math.log10(gain * factor)), wide, FLOOR, 'fill="var(--hidden)"') : "");
  });
  const steep = slopes.map((slope, k) => (Number.isFinite(slope) ? bar(x(k), DEEP - slope * (DEEP - SLOPES), wide, DEEP, 'fill="var(--soft)"') : ""));
  const cursor = `<rect class="cursor" x="${(x(farthest(c)) - 1).toFixed(1)}" y="${TOP - 2}" width="${(wide * 0.86 + 2).toFixed(1)}" height="${DEEP - TOP + 4}" rx="2"/>`;
  return `<svg viewBox="0 0 ${W} ${BOTTOM}" width="100%" role="img" aria-label="${esc(view.sentence(c))}">` +
    `<text class="soft" x="2" y="12">${esc(c.w.axis)}</text>${axis(reach, at)}${bars.join("")}` +
    (gains[0] === 1 ? line(most, "bound", length, reach, at) + line(radius, "run", length, reach, at) : "") +
    `<text class="soft" x="${LEFT - 5}" y="${(SLOPES + DEEP) / 2 + 4}" text-anchor="end">${esc(c.w.slope)}</text>` +
    `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${DEEP}" y2="${DEEP}"/>${steep.join("")}${feet(c.settings, length, at)}${cursor}</svg>`;
}

const sample = (mark) => `<svg width="22" height="12" viewBox="0 0 22 12" aria-hidden="true" style="flex:none">${mark}</svg>`;
const dashed = (kind) => sample(`<line x1="0" x2="22" y1="6" y2="6" stroke="var(--ink)" stroke-width="1.5" stroke-dasharray="${DASHES[kind]}"/>`);
const block = (colour) => sample(`<rect x="4" y="1" width="14" height="10" fill="var(--${colour})"/>`);

const steps = (n) => `${n} ${n === 1 ? "step" : "steps"}`;

export const view = {
  name: "gradient",
  quiet: ["at"],
  words: {
    en: {
      title: "Gradient through time",
      hint: "The loss of the next letter is sent back through the letters before it. Scale the recurrent matrix U, read more or fewer letters, change the activation, clip.",
      picture: "The norm of the gradient at every step, the last on the right. Left and right choose a step, up and down scale the recurrent matrix.",
      model: "Recurrent matrix", scale: "U ×", length: "Steps", activation: "Activation", clip: "Clip ‖∂L/∂U‖ at",
      activations: { tanh: "tanh", relu: "ReLU", none: "none" }, never: "never",
      axis: "‖∂L/∂hₜ‖, as a multiple of the last one's", slope: "φ′", none: "not a number",
      bound: (least, most) => `σmaxᵏ: in k steps U makes no more than this of it (σ from ${least} to ${most})`,
      run: (radius) => `ρᵏ: what U does in the long run (ρ = ${radius})`,
      slopes: (mean) => `φ′(aₜ): the slope that each step multiplies by as well (${mean} on average)`,
      size: (whole) => `‖∂L/∂U‖ = ${whole}`,
      cut: (whole, clipped, factor) => `‖∂L/∂U‖ = ${whole}, clipped to ${clipped}: each step still counts × ${factor} (the solid bars). ` +
        "∂L/∂hₜ itself stays (the pale ones), for clipping comes after the way back. U stands here for all parameters.",
      share: (near, far) => `Measured along its direction, the last ${NEAR} steps bring ${near} of it and those before ${far}, clipped or not.`,
      against: "Less than 0 %: they pull the other way.",
      single: "One step: the state before it is empty, so there is no way back and no gradient of U.",
      silent: "The model is so sure of the right letter that its loss sends nothing back: the gradient is 0.",
      states: "The states themselves grew beyond what float32 holds (3.4·10³⁸): loss and gradient are not numbers, and a training would be lost here.",
      lost: "On its way back the gradient grows beyond what float32 holds (3.4·10³⁸): a training would be lost here. Clipping does not help, for it divides by ∞.",
      end: (norm) => `At the last step the norm of the gradient is ${norm}.`,
      here: (back, token, norm, gain, rate) => `${steps(back)} back, at “${token}”, the norm is ${norm}: ${gain} times the last one's, on average × ${rate} a step.`,
      zero: (back, token, why) => `${steps(back)} back, at “${token}”, the gradient is 0: ${why}.`,
      faded: "too small for float32", stopped: "every way back to it meets a slope φ′ of 0", off: "every way back to it meets a unit that is off",
      vanishes: (length) => `Over ${steps(length)} the gradient vanishes.`,
      explodes: (length) => `Over ${steps(length)} the gradient explodes.`,
      holds: (length) => `Over ${steps(length)} the gradient neither vanishes nor explodes.`,
      hump: (gain, back, radius) => `${steps(back)} back it had grown to ${gain} times the last one's, although ρ = ${radius} is below 1.`,
      clips: (factor, far) => `Clipping scales ∂L/∂U as a whole, by ${factor}: the steps before the last ${NEAR} keep their share of it, ${far}.`,
    },
  },
  start: ({ scale, length, activation }) => ({ scale, length, activation, clip: OFF, at: 99 }),
  controls: ({ w, settings }) => [
    { kind: "range", name: "scale", label: w.scale, min: settings.scales[0], max: settings.scales[1], step: 0.05, show: (scale) => (+scale).toFixed(2) },
    { kind: "range", name: "length", label: w.length, min: 1, max: settings.tokens.length - 1, step: 1 },
    { kind: "choice", name: "activation", label: w.activation, options: settings.activations.map((name) => [name, w.activations[name]]) },
    { kind: "range", name: "clip", label: w.clip, min: -2, max: OFF, step: 0.25, show: (clip) => (clip >= OFF ? w.never : number(threshold(clip))) },
  ],
  accept: ({ state }) => ({ ...state, length: Math.round(state.length), at: index(state.at, 100) }),
  async *compute({ state, settings: { ids, activations } }, ask) {
    const one = (x) => ({ dims: [1], data: [x] }), read = ids.slice(-1 - state.length, -1);
    yield await ask({
      ids: { dims: [1, read.length], data: read }, target: one(ids.at(-1)), scale: one(state.scale),
      activation: one(activations.indexOf(state.activation)), threshold: one(threshold(state.clip)),
    });
  },
  act: (c, { kind, key, x, y }) => {
    const { state, settings } = c, { length } = c.result.of, at = farthest(c);
    if (kind === "press" && (x < LEFT || x > RIGHT || y < TOP || y > BOTTOM)) return;
    if (kind === "press" || kind === "drag") return { ...state, at: clamp(Math.floor(((RIGHT - x) / (RIGHT - LEFT)) * length), 0, length - 1) };
    if (kind !== "key") return;
    const along = { ArrowLeft: 1, ArrowRight: -1, Home: 1e3, End: -1e3 }[key], lift = { ArrowUp: 0.05, ArrowDown: -0.05, PageUp: 0.5, PageDown: -0.5 }[key];
    if (along) return { ...state, at: clamp(at + along, 0, length - 1) };
    if (lift) return { ...state, scale: clamp(Math.round((state.scale + lift) * 100) / 100, ...settings.scales) };
  },
  picture: (c) => {
    const told = summary(c.result), { slopes, whole, clipped, factor, far, least, most, radius } = told, { w } = c;
    const mean = slopes.reduce((a, b) => a + b, 0) / slopes.length, show = (x) => number(x, w);
    const legend = [[dashed("bound"), w.bound(show(least), show(most))], [dashed("run"), w.run(show(radius))], [block("soft"), w.slopes(show(mean))]];
    const size = factor === 1 ? w.size(show(whole)) : w.cut(show(whole), show(clipped), show(factor));
    const share = [w.share(percent(1 - far), percent(far)), far < 0 || far > 1 ? w.against : ""].filter(Boolean).join(" ");
    return `<div class="v2g-pair"><figure>${drawing(c, told)}</figure><div>` +
      `<ul class="v2g-legend">${legend.map(([mark, text]) => `<li>${mark}<span>${esc(text)}</span></li>`).join("")}</ul>` +
      `<p>${esc(size)}</p>${whole > 0 && Number.isFinite(whole) ? `<p>${esc(share)}</p>` : ""}</div></div>`;
  },
  sentence: (c) => {
    const told = summary(c.result), { norm, gains, radius, whole, factor, far } = told, { w } = c, { length, activation } = c.result.of, back = farthest(c);
    const token = spoken(c.settings.tokens[c.settings.tokens.length - 2 - back]), first = gains.at(-1), highest = Math.max(...gains);
    if (Number.isNaN(norm[0])) return w.states;
    if (!Number.isFinite(whole)) return w.lost;
    if (norm[0] === 0) return w.silent;
    if (length === 1) return w.single;
    const here = back === 0 ? w.end(number(norm[0])) : norm[back] === 0 ? w.zero(back, token, !stopped(told) ? w.faded : activation === "relu" ? w.off : w.stopped)
      : w.here(back, token, number(norm[back]), number(gains[back]), number(gains[back] ** (1 / back)));
    return [
      here, (first < 1e-2 ? w.vanishes : first > 1e2 ? w.explodes : w.holds)(length - 1),
      radius < 1 && highest > 1.5 ? w.hump(number(highest), gains.indexOf(highest), number(radius)) : "",
      factor < 1 ? w.clips(number(factor), percent(far)) : "",
    ].filter(Boolean).join(" ");
  },
};

export default widget(view);
