"""The reader's own text, for the recipes whose language models read characters."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from vec2gpt.metrics import rows
from vec2gpt.text import Vocab

HELD_OUT = 20  # its last two twentieths are held out: one to validate, one to test
ROWS, LONG = 64, 4  # as many rows to judge by as there may be of so many windows' length


@dataclass(frozen=True)
class OwnText:
    """A text, and the sha256 of the file that it stood in.

    Its vocabulary is all its characters, those held out included, so none of them is unknown. Line ends are
    one character, whatever the file has, and a byte order mark is none.
    """

    name: str
    characters: str
    sha256: str

    @classmethod
    def read(cls, path: str | Path) -> "OwnText":
        """From a UTF-8 file; ValueError for one that is not there, not UTF-8, or empty."""
        path = Path(path)
        try:
            content = path.read_bytes()
            text = content.decode("utf-8-sig")
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror}): name a text file") from error
        except UnicodeDecodeError as error:
            where = f"its byte {error.start} is {content[error.start]:#04x}"
            raise ValueError(f"{path} is not UTF-8 ({where}): save it as UTF-8 text") from error
        if not text:
            raise ValueError(f"{path} is empty: name a file with some text")
        ends = text.replace("\r\n", "\n").replace("\r", "\n")
        return cls(path.name, ends, hashlib.sha256(content).hexdigest())

    def __str__(self) -> str:
        return f"{self.name}: {len(self.characters):,} characters, a vocabulary of {len(self.vocab)}"

    @cached_property
    def vocab(self) -> Vocab:
        return Vocab.build(self.characters, specials=())

    @property
    def start(self) -> str:
        """Its first word, to begin writing with."""
        return (self.characters.split() or self.characters)[0]

    def numbered(self, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """The first 90% as ids (N,), then twice 5% as (R, …), in up to 64 rows of four windows or more.

        length: of a window. ValueError: a part that is held out has not one, with the character after it.
        """
        ids = torch.tensor(self.vocab.encode(self.characters))
        part = len(ids) // HELD_OUT
        if part <= length:
            raise ValueError(
                f"{self.name} has {len(ids):,} characters, too short for windows of {length}: give at least "
                f"{HELD_OUT * (length + 1):,}, of which a tenth is held out"
            )
        count = min(ROWS, max(1, part // (LONG * length)))
        validation, test = ids[-2 * part : -part], ids[-part:]
        return ids[: -2 * part], rows(validation, count=count), rows(test, count=count)
