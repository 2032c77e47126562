"""WordPiece: a word is cut into the longest pieces that the vocabulary has, from the left.

Schuster and Nakajima (2012) learned pieces for Japanese and Korean voice search; BERT (Devlin et al. 2019)
reads by such a vocabulary. A piece that continues a word is written with ## before it; where no piece fits,
the whole word is one unknown. What is cut cannot be put together exactly again, unlike with byte-level BPE:
case, accents and spaces are gone (`pretokens.bert_cut`).

Left out: learning the pieces. It goes like BPE with another score; the program that made BERT's pieces was
not published.
"""

from collections.abc import Iterable
from pathlib import Path

from vec2gpt.pretokens import bert_cut

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUES = "##"
LONGEST = 100  # characters; a longer word is unknown


class WordPiece:
    """BERT's uncased tokenizer: text → ids.

    tokens: the whole vocabulary in id order, marks included.
    specials: the marks among them. unknown: the one that stands for a word that no pieces make up.

    >>> wp = WordPiece(["[UNK]", "un", "##able", "##aff"], specials=("[UNK]",))
    >>> wp.pieces("Unaffable, able")
    ['un', '##aff', '##able', '[UNK]', '[UNK]']
    """

    def __init__(self, tokens: Iterable[str], *, specials: Iterable[str] = MARKS, unknown: str = "[UNK]"):
        self.tokens, self.specials, self.unknown = list(tokens), tuple(specials), unknown
        self._ids = {token: id for id, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = next(token for id, token in enumerate(self.tokens) if self._ids[token] != id)
            raise ValueError(f"token {twice!r} is listed more than once: give each once, in id order")
        for special in (*self.specials, unknown):
            if special not in self._ids:
                raise ValueError(
                    f"{special!r} is not among the {len(self.tokens)} tokens: give the whole vocabulary, and "
                    "as specials= and unknown= marks that stand in it"
                )
        self._longest = max(map(len, self.tokens))

    @classmethod
    def load(cls, path: str | Path) -> "WordPiece":
        """The vocabulary of a vocab.txt: one token a line, the first with id 0."""
        return cls(Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n"))

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, token: str) -> int:
        """The id of a mark or of any other token; KeyError for one that is not in the vocabulary."""
        if token not in self._ids:
            raise KeyError(
                f"{token!r} is not among the {len(self)} tokens; marks: {', '.join(self.specials)}"
            )
        return self._ids[token]

    def encode(self, text: str) -> list[int]:
        """text → ids, without [CLS] and [SEP]. A mark's name in a text is text: [MASK] is three words."""
        return [self._ids[piece] for piece in self.pieces(text)]

    def pieces(self, text: str) -> list[str]:
        return [piece for word in bert_cut(text) for piece in self.cut(word)]

    def cut(self, word: str) -> list[str]:
        """The pieces of one pretoken: the longest that fits, then the longest of what is left."""
        if len(word) > LONGEST:
            return [self.unknown]
        pieces: list[str] = []
        while word:
            mark = CONTINUES if pieces else ""
            ends = range(min(len(word), self._longest), 0, -1)
            end = next((end for end in ends if mark + word[:end] in self._ids), None)
            if end is None:
                return [self.unknown]
            pieces.append(mark + word[:end])
            word = word[end:]
        return pieces

    def decode(self, ids: Iterable[int]) -> str:
        """ids → words with one space between them, marks by their names. ValueError for an unknown id.

        >>> WordPiece(["[UNK]", "un", "##able", "!"], specials=("[UNK]",)).decode([1, 2, 3])
        'unable !'
        """
        return " ".join(self.tokens[self._checked(id)] for id in ids).replace(f" {CONTINUES}", "")

    def _checked(self, id: int) -> int:
        if not 0 <= id < len(self):  # Python would read −1 as the last token
            raise ValueError(f"id {id} is outside this vocabulary: ids run from 0 to {len(self) - 1}")
        return id
