// schedules.js: our schedules and plans, step for step as schedules.py and thawing.py have them, and what they refuse in the
// same sentences. A schedule is a function of the step; a plan gives for a step a factor for each group, by name.

// ---- what can be wrong ----

const refuse = (text) => { throw new RangeError(text); };

/** A number as Python writes one that need not be whole. */
const decimal = (x) => (Number.isInteger(x) ? `${x}.0` : String(x));
const twoDigits = (x) => String(Number(x.toPrecision(2)));

const sized = (sizes, least = 1) => Object.entries(sizes).forEach(([name, size]) => size >= least || refuse(`${name} is ${size}: give at least ${least}`));
const isFactor = (factors, least) => Object.entries(factors).forEach(([name, x]) => (x > 0 && x <= 1) || x === least || refuse(`${name} is ${decimal(x)}: give a share of the learning rate, above 0 and at most 1`));
const isShare = (shares) => Object.entries(shares).forEach(([name, x]) => (x > 0 && x < 1) || refuse(`${name} is ${decimal(x)}: give a share of the steps, between 0 and 1`));

function warms(steps, warmup) {
  sized({ steps });
  if (!(warmup >= 0 && warmup < steps)) refuse(`warmup is ${warmup}, but must lie between 0 and steps - 1 = ${steps - 1}`);
}

// ---- schedules ----

/** From 0 to 1 along a cosine, as `way` goes from 0 to 1. */
const swing = (way) => (1 - Math.cos(Math.PI * way)) / 2;

/** By their names in Python: (steps, options) → (step) → factor. */
export const SCHEDULES = {
  constant(steps) {
    sized({ steps });
    return () => 1;
  },
  step_decay(steps, { every, factor = 0.1 }) {
    sized({ steps, every }); isFactor({ factor });
    if (every >= steps) refuse(`in ${steps} steps nothing falls after ${every}: give every = 1 … ${steps - 1}`);
    return (step) => factor ** Math.floor(step / every);
  },
  exponential(steps, { end = 0.01 } = {}) {
    sized({ steps }); isFactor({ end });
    return (step) => end ** (step / steps);
  },
  linear_decay(steps) {
    sized({ steps });
    return (step) => 1 - step / steps;
  },
  warmup_linear(steps, { warmup }) {
    warms(steps, warmup);
    return (step) => (step < warmup ? (step + 1) / warmup : (steps - step) / (steps - warmup));
  },
  warmup_cosine(steps, { warmup, floor = 0 }) {
    warms(steps, warmup); isFactor({ floor }, 0);
    return (step) => (step < warmup ? (step + 1) / warmup : floor + ((1 - floor) * (1 + Math.cos((Math.PI * (step - warmup)) / (steps - warmup)))) / 2);
  },
  slanted_triangular(steps, { cut = 0.1, ratio = 32 } = {}) {
    sized({ steps }); isShare({ cut });
    const top = Math.trunc(steps * cut);
    if (!top) refuse(`cut is ${decimal(cut)}, which of ${steps} steps is less than one: give ${twoDigits(1 / steps)} or more`);
    if (!(ratio >= 1 && ratio < Infinity)) refuse(`ratio is ${decimal(ratio)}: give 1 or more, such as 32`);
    return (step) => (1 + (step < top ? step / top : 1 - (step - top) / (steps - top)) * (ratio - 1)) / ratio;
  },
  one_cycle(steps, { peak = 0.3, first = 1 / 25, last = 4e-6 } = {}) {
    sized({ steps }, 2); isFactor({ first, last }); isShare({ peak });
    const top = peak * steps - 1;
    if (!(top > 0)) refuse(`peak is ${decimal(peak)}, so nothing rises in ${steps} steps: give more than ${twoDigits(1 / steps)}`);
    return (step) => (step <= top ? first + (1 - first) * swing(step / top) : last + (1 - last) * swing((steps - 1 - step) / (steps - 1 - top)));
  },
  cyclical(steps, { period, low = 0.1 }) {
    sized({ steps }); sized({ period }, 2); isFactor({ low });
    if (period > steps) refuse(`a period of ${period} is longer than ${steps} steps: give 2 … ${steps}`);
    return (step) => low + (1 - low) * (1 - Math.abs((2 * (step % period)) / period - 1));
  },
};

// ---- plans; groups: names from below to the top ----

const byName = (groups, factor) => Object.fromEntries(groups.map((name, n) => [name, factor(name, n)]));

/** The factor of each group: 1 at the top, and times `decay` with each group below. */
export function discriminative(groups, { decay }) {
  if (!(decay > 0 && decay <= 1)) refuse(`decay is ${decimal(decay)}: give a factor above 0 and at most 1; to divide by 2.6, 1 / 2.6`);
  return byName(groups, (_, n) => decay ** (groups.length - 1 - n));
}

/** At first the top group learns alone, and every `every` steps one more below it. */
export function gradual(groups, { every }) {
  sized({ every });
  return (step) => byName(groups, (_, n) => Number(groups.length - 1 - n <= Math.floor(step / every)));
}

/** The groups `still` stay as they are, all others learn. */
export function frozen(groups, still) {
  if (groups.every((name) => still.includes(name))) refuse("all groups would be frozen: leave one that learns");
  const factors = byName(groups, (name) => Number(!still.includes(name)));
  return () => factors;
}

/** The product of a schedule and plans: step → the factor of each group, in their order. */
export const combined = (groups, schedule, ...plans) => (step) => {
  const plain = schedule(step), factors = plans.map((plan) => (typeof plan === "function" ? plan(step) : plan));
  return groups.map((name) => plain * factors.reduce((product, factor) => product * factor[name], 1));
};
