// words.js: words that a reader types: found in a long list, whatever their case, and others offered for what is in none.

const lexicons = new WeakMap();

/** The letters that a word has, as bits: letters that one word has and another lacks cost an edit each. */
function letters(word) {
  let set = 0;
  for (let i = 0; i < word.length; i++) set |= 1 << (word.charCodeAt(i) & 31);
  return set;
}

/** How many bits are set. */
function count(bits) {
  let n = 0;
  for (; bits; bits &= bits - 1) n += 1;
  return n;
}

/** A list of words made quick to search: what each is in lower case, its letters, and where a word stands in any case. */
function lexicon(words) {
  if (!lexicons.has(words)) {
    const folded = words.map((word) => word.toLowerCase()), ids = new Map();
    for (let k = words.length; k--;) ids.set(folded[k], k);        // of equals the first, which is the most frequent
    words.forEach((word, k) => ids.set(word, k));
    lexicons.set(words, { folded, ids, sets: folded.map(letters) });
  }
  return lexicons.get(words);
}

/** Where in `words` a typed word stands, whatever its case; -1 for nowhere. */
export function lookup(words, text) {
  const { ids } = lexicon(words);
  return ids.get(text) ?? ids.get(text.toLowerCase()) ?? -1;
}

/** A typed word as `words` spells it, or, if it is none of them, as it was typed, at most 40 letters. */
export function spelled(words, text) {
  const bare = [...text.trim()].slice(0, 40).join("");
  return words[lookup(words, bare)] ?? bare;
}

/** How many letters to insert, drop, replace or swap with the next, to make `b` of `a`; `most + 1` for more than `most`. */
export function edits(a, b, most) {
  const far = most + 1, m = a.length, n = b.length;
  if (Math.abs(m - n) > most) return far;
  let older, old, row = Array.from({ length: n + 1 }, (_, j) => j);
  for (let i = 1; i <= m; i++) {
    [older, old, row] = [old, row, new Array(n + 1).fill(far)];
    row[0] = i;
    let least = i;
    for (let j = Math.max(1, i - most); j <= Math.min(n, i + most); j++) {
      row[j] = Math.min(old[j - 1] + (a[i - 1] !== b[j - 1]), old[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], older[j - 2] + 1);
      least = Math.min(least, row[j]);
    }
    if (least > most) return far;
  }
  return Math.min(row[n], far);
}

/** The words that a typed one may have been meant for: first those that begin so, then those one or two edits away. */
export function near(words, text, atMost = 4) {
  const typed = text.toLowerCase(), most = typed.length < 4 ? 1 : 2, mine = letters(typed), found = [[], [], []];
  const { folded, sets } = lexicon(words), distance = (word, set) => {
    if (word.startsWith(typed)) return 0;
    return count(mine & ~set) > most || count(set & ~mine) > most ? most + 1 : edits(typed, word, most);
  };
  if (typed) folded.forEach((word, k) => found[distance(word, sets[k])]?.push(words[k]));   // frequent ones first
  return found.slice(0, most + 1).flat().slice(0, atMost);
}
