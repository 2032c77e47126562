// amounts.js: numbers of any size, as a reader types them, as they are told, and in a formula.

const TIMES = [1e-9, 1e-6, 1e-3, 1, 60, 3600, 86400, 31557600, 31557600e3, 31557600e6];   // in seconds: ns … a million years

/** What a reader typed as a whole number: 1,024 and 1 024 too; NaN if it is none. */
export function whole(text) {
  const bare = String(text).replace(/[\s,_]/g, "");
  return /^\d+$/.test(bare) ? Number(bare) : NaN;
}

const exact = (x) => x.toLocaleString("en");
const digits = (x) => exact(Number(x.toPrecision(3)));

/** In three digits, with the name of its size: sizes grow by `unit` from one name to the next. */
export function scaled(x, unit, names) {
  const size = clamp(Math.floor(Math.log(Math.max(x, 1) * 1.0005) / Math.log(unit)), 0, names.length - 1);
  return `${digits(x / unit ** size)} ${names[size]}`.trim();
}

/** Seconds as they are spoken of, in three digits; `say(digits, k)` names the unit TIMES[k]. */
export function duration(x, say) {
  const k = Math.max(0, TIMES.findLastIndex((size) => x >= size * 0.9995));
  return say(digits(x / TIMES[k]), k);
}

/** The numbers by which `size` can be divided, up to `most`. */
export const divisors = (size, most) => Array.from({ length: Math.min(size, most) }, (_, k) => k + 1).filter((k) => size % k === 0);

/** A formula with numbers in place of its letters, {n: 1024, …}; factors of 1 are left out. */
export const filled = (formula, numbers) =>
  formula.replace(/(?<![a-z])[A-Za-z](?![a-z])/g, (letter) => numbers[letter] ?? letter).replace(/(?<![\d.])1 [·×] /g, "");
