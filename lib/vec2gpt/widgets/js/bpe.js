// bpe.js: text ↔ ids by byte-level BPE, as bpe.py does it: what views share whose settings hold a tokenizer,
// {merges: [[left id, right id], …], specials: [name, …]}. Ids: the specials, the 256 bytes in GPT-2's order, the merges.

const PRETOKEN = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const REMEMBERED = 4096;                                        // pretokens, so that typing cuts only what is new
const UTF8 = new TextEncoder(), TEXT = new TextDecoder("utf-8", { ignoreBOM: true }), STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const isFirst = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);   // those that Latin-1 prints
const ALL_BYTES = [...Array(256).keys()], BYTE_ORDER = [...ALL_BYTES.filter(isFirst), ...ALL_BYTES.filter((byte) => !isFirst(byte))];

const tokenizers = new WeakMap();                               // merges → what is made of them once

/** A tokenizer made quick: the bytes of each token, the id of each byte, and which token a pair becomes. */
function tokenizer({ merges, specials }) {
  if (!tokenizers.has(merges)) {
    const bytes = [...specials.map((name) => [...UTF8.encode(name)]), ...BYTE_ORDER.map((byte) => [byte])];
    for (const [left, right] of merges) bytes.push([...bytes[left], ...bytes[right]]);
    const size = bytes.length, first = size - merges.length, byteIds = [];
    BYTE_ORDER.forEach((byte, k) => { byteIds[byte] = specials.length + k; });
    tokenizers.set(merges, { bytes, byteIds, size, first, made: new Map(merges.map(([left, right], k) => [left * size + right, first + k])), known: new Map(), parts: [] });
  }
  return tokenizers.get(merges);
}

/** The pretokens of GPT-2: pretokens.py's gpt_cut. */
export const gptCut = (text) => text.match(PRETOKEN) ?? [];

/** A pretoken as the ids of its bytes, and after each merge that changes it: [{merges, ids}], merges: how many there are up to
    that one. */
export function bpeSteps(pretoken, settings) {
  const { byteIds, size, first, made, known } = tokenizer(settings);
  if (known.has(pretoken)) return known.get(pretoken);
  let ids = Array.from(UTF8.encode(pretoken), (byte) => byteIds[byte]);
  const steps = [{ merges: 0, ids }];
  for (;;) {
    let next = Infinity;
    for (let i = 1; i < ids.length; i++) next = Math.min(next, made.get(ids[i - 1] * size + ids[i]) ?? Infinity);
    if (next === Infinity) break;
    const [left, right] = settings.merges[next - first], joined = [];
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === left && ids[i + 1] === right) { joined.push(next); i++; } else joined.push(ids[i]);
    }
    ids = joined;
    steps.push({ merges: next - first + 1, ids });
  }
  if (known.size >= REMEMBERED) known.clear();
  known.set(pretoken, steps);
  return steps;
}

/** text → ids, by the first `most` merges. */
export const encode = (text, settings, most = settings.merges.length) =>
  gptCut(text).flatMap((pretoken) => bpeSteps(pretoken, settings).findLast(({ merges }) => merges <= most).ids);

/** The bytes of a token. */
export const tokenBytes = (id, settings) => tokenizer(settings).bytes[id];

/** ids → text; bytes that are no whole character as �. */
export const decode = (ids, settings) => TEXT.decode(Uint8Array.from(ids.flatMap((id) => tokenBytes(id, settings))));

/** Bytes as the characters that they write, strings, and between them the bytes that are no whole character, numbers. */
export function asCharacters(bytes) {
  const found = [];
  for (let k = 0; k < bytes.length;) {
    const size = bytes[k] < 0xc0 ? 1 : bytes[k] < 0xe0 ? 2 : bytes[k] < 0xf0 ? 3 : 4;
    let one = bytes[k];
    try { one = STRICT.decode(Uint8Array.from(bytes.slice(k, k + size))); } catch { /* stays a byte */ }
    found.push(one);
    k += typeof one === "number" ? 1 : size;
  }
  return found;
}

/** A token as the characters and bytes that it writes. */
export function tokenParts(id, settings) {
  const { parts, bytes } = tokenizer(settings);
  return (parts[id] ??= asCharacters(bytes[id]));
}

/** A token's readable name, as BPE.tokens has it: bytes that are no whole character as \xe4. */
export const tokenName = (id, settings) =>
  tokenParts(id, settings).map((one) => (typeof one === "number" ? `\\x${one.toString(16).padStart(2, "0")}` : one)).join("");

/** A character of a token as pictures write it: none is invisible. */
export function asSeen(ch) {
  if (ch === " " || ch === "\n") return glyph(ch);
  if (/[\p{C}\p{Z}]/u.test(ch)) return `U+${ch.codePointAt().toString(16).toUpperCase().padStart(4, "0")}`;
  return /\p{M}/u.test(ch) ? `◌${ch}` : ch;
}
