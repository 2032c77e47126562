"""Between what people write and what models read: strings ↔ tokens ↔ ids.

A model multiplies matrices; it never sees a letter. Somebody must cut the text into tokens (characters,
words, phonemes) and number them, and number them the same way tomorrow. `Vocab` is that numbering. It does
not cut: for characters a string is already a sequence of tokens, for words there is `words`.
"""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

SPECIALS = ("<pad>", "<bos>", "<eos>")  # padding, begin and end of a sequence: marks that no text contains


def words(text: str) -> list[str]:
    """The words of a text in lower case: its runs of letters. Numbers, hyphens and apostrophes are lost.

    >>> words("Don't panic: it's 42.")
    ['don', 't', 'panic', 'it', 's']
    """
    return re.findall(r"[^\W\d_]+", text.lower())


class Vocab:
    """A numbering of tokens: token `tokens[i]` has id `i`.

    `tokens` is the whole numbering in id order, specials included, so `Vocab(vocab.tokens)` is the same
    vocabulary again: a checkpoint keeps that plain list. To number the tokens of a text, use `Vocab.build`.

    `specials` are those of the tokens that are marks and not text. `unknown` is the special that stands for
    every token outside the vocabulary; without one, such a token is an error.

    >>> vocab = Vocab.build("hello")
    >>> vocab.tokens
    ['<pad>', '<bos>', '<eos>', 'e', 'h', 'l', 'o']
    >>> vocab.encode("hole")
    [4, 6, 5, 3]
    >>> "".join(vocab.decode([4, 6, 5, 3]))
    'hole'
    """

    def __init__(
        self, tokens: Iterable[str], *, specials: Iterable[str] = SPECIALS, unknown: str | None = None
    ) -> None:
        self._tokens = list(tokens)
        self.specials = tuple(specials)
        self.unknown = unknown
        _check_tokens(self._tokens)
        _check_specials(self._tokens, self.specials, unknown)
        self._ids = {token: id for id, token in enumerate(self._tokens)}

    @classmethod
    def build(
        cls,
        tokens: Iterable[str],
        *,
        specials: Iterable[str] = SPECIALS,
        unknown: str | None = None,
        min_count: int = 1,
    ) -> "Vocab":
        """Numbers every token that occurs at least `min_count` times.

        Specials come first, in the order given, so padding is id 0; then the rest sorted by code point: the
        order depends on which tokens occur, never on how often or where.
        """
        if min_count < 1:
            raise ValueError(f"min_count is {min_count}; a token occurs at least 1 time: give 1 or more")
        counts, specials = Counter(tokens), tuple(specials)
        kept = {token for token, count in counts.items() if count >= min_count} - set(specials)
        if not kept:
            raise ValueError(
                f"none of the {len(counts)} distinct tokens occurs {min_count} or more times: "
                "a vocabulary needs some text to be built from (or a smaller min_count)"
            )
        return cls([*specials, *sorted(kept)], specials=specials, unknown=unknown)

    @property
    def tokens(self) -> list[str]:
        """All tokens in id order: a fresh plain list, ready for JSON."""
        return list(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __getitem__(self, token: str) -> int:
        """The id of one token; KeyError for an unknown one, naming the nearest known."""
        if token in self._ids:
            return self._ids[token]
        if self.unknown is not None:
            return self._ids[self.unknown]
        raise KeyError(f"{_shown(token)} is not among the {len(self)} tokens known; {self._way_out(token)}")

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """tokens → ids. A string counts as the sequence of its characters; the empty one gives []."""
        known = self._ids.get
        return [id if (id := known(token)) is not None else self[token] for token in tokens]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """ids → tokens, specials included. ValueError for an id outside 0 … len − 1."""
        ids = list(ids)
        for id in ids:
            if not 0 <= id < len(self):  # Python would read −1 as the last token
                raise ValueError(f"id {id} is outside this vocabulary: ids run from 0 to {len(self) - 1}")
        return [self._tokens[id] for id in ids]

    def nearest(self, token: str, *, count: int = 3) -> list[str]:
        """Up to `count` known tokens spelled most like `token`, best first; case and accents weigh nothing.

        Compares with every token: about a second on a vocabulary of 400,000.
        """
        spelled: dict[str, list[str]] = {}
        for known in self._tokens:
            if known not in self.specials:
                spelled.setdefault(_plain(known), []).append(known)
        close = difflib.get_close_matches(_plain(token), spelled, n=count)
        return [known for plain in close for known in spelled[plain]][:count]

    def _way_out(self, token: str) -> str:
        near = ", ".join(map(repr, self.nearest(token)))
        hint = f"use one near it: {near}" if near else "nothing known is near it"
        return f"{hint}; or build the vocabulary from text that has it, or with an unknown='<unk>' special"


def _plain(token: str) -> str:
    """A token without case and accents: 'É' → 'e'."""
    if token.isascii():  # most are, and a large vocabulary has many
        return token.casefold()
    decomposed = unicodedata.normalize("NFKD", token.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def _shown(token: str) -> str:
    """A token for an error message: a pasted page is cut, an invisible character gets its name."""
    if len(token) == 1:
        return f"{token!r} ({unicodedata.name(token, f'U+{ord(token):04X}')})"
    return repr(token) if len(token) <= 40 else f"{token[:40]!r}… ({len(token)} characters)"


def _check_tokens(tokens: list[str]) -> None:
    for token in tokens:
        if not isinstance(token, str):
            raise ValueError(f"token {token!r} is a {type(token).__name__}; a vocabulary holds strings")
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        raise ValueError(
            f"token {twice[0]!r} is listed more than once; Vocab takes the numbering itself, "
            "Vocab.build takes a text and numbers it"
        )


def _check_specials(tokens: list[str], specials: tuple[str, ...], unknown: str | None) -> None:
    missing = [special for special in specials if special not in tokens]
    if missing:
        raise ValueError(
            f"special {missing[0]!r} is not among the {len(tokens)} tokens; Vocab takes the whole numbering, "
            "specials included (specials=() when there are none), Vocab.build adds them by itself"
        )
    if unknown is not None and unknown not in specials:
        raise ValueError(f"unknown={unknown!r} is not among the specials {specials}; name it there too")
