// compositions.js: a schedule and a thawing plan together, as composer.py has them: the rates that come of them, what does not go
// together, and the Python that trains a model so.
//
// A composition is {kind, share, lr, steps, decay, every, still, layers}, as in Python; the reader's state holds the place of its
// rate among those that can be chosen. The schedules and plans themselves stand in schedules.js.

export const groupsOf = ({ layers }) => ["embedding", ...Array.from({ length: layers }, (_, n) => `block ${n + 1}`), "head"];

/** What the reader has chosen. */
export function compositionOf({ settings: { rates } }, { kind, share, rate, steps, decay, every, still, layers }) {
  return { kind, share, lr: rates[rate], steps, decay, every, still, layers: +layers };
}

/** The state of a composition. */
const stateOf = ({ rates }, { lr, layers, ...others }) => ({ ...others, rate: rates.indexOf(lr), layers: String(layers) });

const kindOf = ({ settings: { kinds } }, name) => kinds.find(([one]) => one === name)[1];

/** The options of the schedule's function. */
export function optionsOf(c, { kind, share, steps }) {
  const { takes, whole, fixed } = kindOf(c, kind);
  return { ...(takes ? { [takes]: whole ? Math.floor((share * steps + 50) / 100) : share / 100 } : {}), ...Object.fromEntries(fixed) };
}

function notInTime({ steps, every, still }, groups) {
  const waiting = groups.length - 1 - still, most = Math.floor((steps - 1) / waiting);
  if (every * waiting < steps) return null;
  const text = `every is ${every}: ${groups[still]} would thaw after ${every * waiting} steps, but there are ${steps}: give ${most ? `1 … ${most}, or ` : ""}0, which thaws all at once`;
  return refusal(text, "every", most);
}

/** What does not go together, and the value of a control that would. */
const refusal = (text, name, value) => ({ text, offers: [{ name, value: String(value) }] });

/** What `make()` makes; `fault(text)` if it is refused. */
function orFault(make, fault) {
  try { return make(); } catch (error) { if (error instanceof RangeError) return { fault: fault(error.message) }; throw error; }
}

/** What comes of a composition: {groups, rates}, a row of rates for each group from below; or {fault: {text, offers}}. */
export function composed(c, composition) {
  const { kind, lr, steps, decay, every, still } = composition, groups = groupsOf(composition), plans = [], { function: name, usual } = kindOf(c, kind);
  const schedule = orFault(() => SCHEDULES[name](steps, optionsOf(c, composition)), (text) => refusal(text, "share", `${usual}%`));
  if (schedule.fault) return schedule;
  if (decay !== 1) plans.push(discriminative(groups, { decay }));
  if (every) plans.push(gradual(groups, { every }));
  if (still) plans.push(orFault(() => frozen(groups, groups.slice(0, still)), (text) => refusal(text, "still", groups.length - 1)));
  const fault = plans.at(-1)?.fault ?? notInTime(composition, groups);
  if (fault) return { fault };
  const factors = combined(groups, schedule, ...plans), columns = Array.from({ length: steps }, (_, step) => factors(step));
  return { groups, rates: groups.map((_, g) => columns.map((column) => lr * column[g])) };
}

/** A number as the code has it. */
const written = (x, isWhole) => (isWhole ? String(x) : x < 0.01 ? x.toExponential() : decimal(x));

/** The Python that trains a model so. */
export function codeOf(c, composition) {
  const { kind, lr, steps, decay, every, still } = composition, { function: name, whole, takes } = kindOf(c, kind);
  const options = Object.entries(optionsOf(c, composition)).map(([key, value]) => `, ${key}=${written(value, whole && key === takes)}`).join("");
  const schedule = `${name}(${steps}${options})`, told = `fit(model, draw, steps=${steps}, lr=${written(lr)}, `;
  const plans = [decay === 1 ? "" : `discriminative(groups, decay=${written(decay)})`, every ? `gradual(groups, every=${every})` : "", still ? `frozen(groups, *list(groups)[:${still}])` : ""].filter(Boolean);
  const start = [`from vec2gpt.schedules import ${name}`], end = ["from vec2gpt.training import fit", ""];
  if (!plans.length) return [...start, ...end, `schedule = ${schedule}`, `${told}schedule=schedule)`].join("\n");
  const names = ["combined", ...plans.map((plan) => plan.split("(")[0]), "layer_groups"].sort();
  return [
    ...start, `from vec2gpt.thawing import ${names.join(", ")}`, ...end, "groups = layer_groups(model)", "schedule = combined(",
    ...[schedule, ...plans].map((part) => `    ${part},`), ")", `${told}groups=groups, schedule=schedule)`,
  ].join("\n");
}

/** The share of the blocks' backward passes that is never computed: a gradient goes down as far as something learns. */
export function savedShare({ groups, rates }) {
  const steps = rates[0].length, spared = (step) => Math.max(0, rates.findIndex((row) => row[step] > 0) - 1);
  return Array.from({ length: steps }, (_, step) => spared(step)).reduce((a, b) => a + b, 0) / (steps * (groups.length - 2));
}
