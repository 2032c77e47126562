"""Byte-level BPE: the most frequent pair becomes a token, then the next, until there are enough.

Words are too many and letters too few. Gage (1994) compressed files by giving the most frequent pair of bytes
a byte of its own, again and again; Sennrich et al. (2016) learned subwords so, and a rare word fell into
frequent parts; GPT-2 (Radford et al. 2019) began from the 256 bytes, so no text is unknown. A merge never
reaches over the edge of a pretoken (`pretokens.gpt_cut`).

Left out: dropout of merges (Provilkov et al. 2020) and the other criterion, likelihood (Kudo 2018).
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from vec2gpt.checks import check_texts
from vec2gpt.pretokens import gpt_cut

Pair = tuple[int, int]

# The 256 bytes in GPT-2's order: those that Latin-1 prints first.
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = PRINTABLE + [byte for byte in range(256) if byte not in PRINTABLE]

REMEMBERED, LONG = 2**16, 64  # how many pretokens encode remembers, and of how many characters at most


class BPE:
    """A tokenizer: any text ↔ ids, without loss.

    Ids number the specials first, in order; then the 256 bytes, in GPT-2's order; then one token a merge.
    merges: (left id, right id) in the order learned, each of tokens that there are before it.
    specials: marks that no text contains; `bpe["[MASK]"]` is the id of one.

    >>> bpe = BPE.train(["low lower lowest"], size=259)
    >>> bpe.pieces("lowly")  # merged: l o, lo w, Ġ low
    ['low', 'l', 'y']
    """

    def __init__(self, merges: Iterable[Pair], *, specials: Iterable[str] = ()):
        self.specials = _checked_specials(specials)
        self.merges = [(int(left), int(right)) for left, right in merges]
        self._special_ids = {name: id for id, name in enumerate(self.specials)}
        self._first = len(self.specials)  # the id of the first byte
        self._byte_ids = [self._first + BYTES.index(byte) for byte in range(256)]
        self._bytes = [name.encode() for name in self.specials] + [bytes([byte]) for byte in BYTES]
        for pair in self.merges:
            self._check_merge(pair)
            self._bytes.append(self._bytes[pair[0]] + self._bytes[pair[1]])
        self._ranks = {pair: self._first + 256 + rank for rank, pair in enumerate(self.merges)}
        if len(self._ranks) < len(self.merges):
            [(twice, _)] = Counter(self.merges).most_common(1)
            raise ValueError(f"the merge {twice} is given twice: give each once")
        self._known: dict[str, list[int]] = {}

    @classmethod
    def train(cls, texts: Iterable[str], *, size: int, specials: Iterable[str] = ()) -> "BPE":
        """Learn merges from texts until there are `size` tokens, specials and the 256 bytes included.

        The most frequent pair goes first; of several, the one whose ids are smallest. It stops early, with
        fewer tokens, when every pretoken is one token: so small a text has no more to give.
        """
        check_texts(texts)
        empty = cls([], specials=specials)
        if size < len(empty):
            raise ValueError(
                f"size is {size}; {len(empty)} tokens are there before the first merge (256 bytes and "
                f"{len(empty.specials)} specials): give at least {len(empty)}"
            )
        counts = Counter(pretoken for text in texts for pretoken in gpt_cut(text))
        if not counts:
            raise ValueError("the texts are empty: merges are learned from at least one character")
        words = [empty._spelled(word) for word in counts]
        merges = learned(words, list(counts.values()), first=len(empty), most=size - len(empty))
        return cls(merges, specials=empty.specials)

    def __len__(self) -> int:
        return len(self._bytes)

    def __getitem__(self, special: str) -> int:
        """The id of a special."""
        if special not in self._special_ids:
            raise KeyError(f"{special!r} is not a special; there are {', '.join(self.specials) or 'none'}")
        return self._special_ids[special]

    @property
    def tokens(self) -> list[str]:
        """A readable name of each id; bytes that are no whole character as \\xe4."""
        return [_readable(token) for token in self._bytes]

    def encode(self, text: str) -> list[int]:
        """text → ids, never a special. ValueError for half a surrogate pair, which has no bytes."""
        ids, known = [], self._known
        for pretoken in gpt_cut(text):
            if (found := known.get(pretoken)) is None:
                found = merged(self._spelled(pretoken), self._ranks)
                if len(pretoken) <= LONG:
                    if len(known) >= REMEMBERED:
                        known.clear()
                    known[pretoken] = found
            ids += found
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """ids → text; specials by their names, and bytes that are no whole character as �."""
        return b"".join(self._bytes[self._checked(id)] for id in ids).decode(errors="replace")

    def pieces(self, text: str) -> list[str]:
        """The tokens of a text, readable: bytes that are no whole character as \\xe4."""
        return [_readable(self._bytes[id]) for id in self.encode(text)]

    def steps(self, word: str) -> list[list[str]]:
        """A word as bytes, and after each merge that changes it. Spaces split it no more than letters do.

        >>> BPE.train(["low lower lowest"], size=259).steps("low")
        [['l', 'o', 'w'], ['lo', 'w'], ['low']]
        """
        ids = self._spelled(word)
        steps = [ids]
        while (pair := min(pairwise(ids), key=self._rank, default=None)) in self._ranks:
            ids = joined(ids, pair, self._ranks[pair])
            steps.append(ids)
        return [[_readable(self._bytes[id]) for id in ids] for ids in steps]

    def _rank(self, pair: Pair) -> int:
        return self._ranks.get(pair, len(self))

    def _spelled(self, word: str) -> list[int]:
        """The ids of its bytes."""
        try:
            return [self._byte_ids[byte] for byte in word.encode()]
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{word[error.start]!r} is half a surrogate pair and no character: decode the text as "
                "UTF-16, or read it with errors='replace'"
            ) from None

    def _checked(self, id: int) -> int:
        if not 0 <= id < len(self):  # Python would read −1 as the last token
            raise ValueError(f"id {id} is outside this vocabulary: ids run from 0 to {len(self) - 1}")
        return id

    def _check_merge(self, pair: Pair) -> None:
        for id in pair:
            if not self._first <= id < len(self):
                raise ValueError(
                    f"the merge {pair} is of ids outside {self._first} … {len(self) - 1}, the bytes and the "
                    "merges before it: give merges in the order they were learned, with the same specials"
                )


def _readable(token: bytes) -> str:
    return token.decode(errors="backslashreplace")


def _checked_specials(specials: Iterable[str]) -> tuple[str, ...]:
    if isinstance(specials, str):
        raise ValueError(f"specials is the one string {specials!r}; give a tuple of names")
    for name, count in Counter(specials := tuple(specials)).items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"{name!r} is no name of a special: give strings that are not empty")
        if count > 1:
            raise ValueError(f"the special {name!r} is given {count} times: give each once")
    return specials


# ---- merging ----


def joined(word: Sequence[int], pair: Pair, new: int) -> list[int]:
    """A word with `pair`, from the left, replaced by the id `new`.

    >>> joined([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    left, right = pair
    out, i, last = [], 0, len(word) - 1
    while i <= last:
        if word[i] == left and i < last and word[i + 1] == right:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def merged(word: list[int], ranks: dict[Pair, int]) -> list[int]:
    """A word after all its merges, the earliest learned first, and from the left.

    ranks: pair → the id of its token; ids grow in the order learned. A heap holds the merges to come, so that
    a run of N letters takes N · log N steps and not N².
    """
    ids, end = list(word), len(word)
    after, before = list(range(1, end + 1)), list(range(-1, end - 1))
    heap = [(ranks[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]
    heapq.heapify(heap)
    while heap:
        new, i = heapq.heappop(heap)
        j = after[i]
        if j == end or ids[i] is None or ranks.get((ids[i], ids[j])) != new:
            continue  # one of the two has been merged with another since
        ids[i], ids[j] = new, None
        after[i] = j = after[j]
        if j < end:
            before[j] = i
        for left, right in ((before[i], i), (i, j)):
            if left >= 0 and right < end and (rank := ranks.get((ids[left], ids[right]))):
                heapq.heappush(heap, (rank, left))
    return [id for id in ids if id is not None]


# ---- learning ----


def learned(words: list[list[int]], counts: list[int], *, first: int, most: int) -> list[Pair]:
    """Up to `most` merges; the tokens that they make are numbered from `first` on.

    words: as ids, changed on the way; counts: how often each occurs. A merge visits only the words that hold
    its pair. The heap keeps outdated counts, each set right when it comes to the top: a count can only have
    fallen, as a pair that gained was pushed anew.
    """
    totals, places = _counted(words, counts)
    heap = [(-total, pair) for pair, total in totals.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < most:
        total, pair = heapq.heappop(heap)
        if -total != totals[pair]:
            if totals[pair] > 0:
                heapq.heappush(heap, (-totals[pair], pair))
            continue
        new = first + len(merges)
        merges.append(pair)
        for made in _merge_everywhere(words, counts, pair, new, totals, places):
            heapq.heappush(heap, (-totals[made], made))
    return merges


def _counted(words, counts):
    """How often each pair occurs, and in which words."""
    totals, places = Counter(), defaultdict(set)
    for i, (word, count) in enumerate(zip(words, counts, strict=True)):
        for pair in pairwise(word):
            totals[pair] += count
            places[pair].add(i)
    return totals, places


def _merge_everywhere(words, counts, pair, new, totals, places) -> set[Pair]:
    """Merge a pair in all words that hold it, keep totals and places right, and return the pairs made."""
    made = set()
    for i in places.pop(pair):
        old, count = words[i], counts[i]
        words[i] = word = joined(old, pair, new)
        if len(word) == len(old):
            continue  # it held the pair once, before another merge
        for lost in pairwise(old):
            totals[lost] -= count
        for kept in pairwise(word):
            totals[kept] += count
            if new in kept:
                places[kept].add(i)
                made.add(kept)
    del totals[pair]
    return made
