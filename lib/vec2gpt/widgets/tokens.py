"""What widgets share that let a reader type a text, which a byte-level BPE cuts into tokens (js/bpe.js)."""

import re

from torch import nn

from vec2gpt.bpe import BPE
from vec2gpt.pretokens import SPACE, gpt_cut
from vec2gpt.widgets.models import check_finite

LONGEST = 400  # characters of a text, where tokens are what limits it


def tokenizer(vocab: BPE) -> dict:
    """The settings that js/bpe.js reads."""
    return {"merges": [list(pair) for pair in vocab.merges], "specials": list(vocab.specials)}


def cut(text: str, bpe: BPE, *, room: int, nothing: str) -> list[list[int]]:
    """A text as the ids of its words, [[…], […], …]; a word is what `gpt_cut` cuts, its space included.

    ValueError for a text without words, which says `nothing`, and for one of more than `room` tokens, in the
    words of the page.

    >>> [bpe.decode(word) for word in cut("The sea, still.", bpe, room=30, nothing="Type a sentence.")]
    ['The', ' sea', ',', ' still', '.']
    """
    if not is_word(text):
        raise ValueError(nothing)
    found = [bpe.encode(word) for word in gpt_cut(text)]
    size = sum(map(len, found))
    if size > room:
        raise ValueError(f"The text has {size} tokens, and the model reads at most {room}: shorten it.")
    return found


def is_word(text: str) -> bool:
    """Whether it holds more than space, as the page has it."""
    return bool(re.search(f"[^{SPACE}]", text))


def check_length(text: str, most: int = LONGEST) -> None:
    """Raise ValueError unless a text has 1 to `most` characters: the page would cut it."""
    if not 1 <= len(text) <= most:
        raise ValueError(f"{text[:20]!r} has {len(text)} characters; give 1 to {most}")


def check_reader(name: str, model: nn.Module, vocab: BPE) -> None:
    """Raise ValueError for a model of another vocabulary, and for one that holds NaN or ∞, by its name."""
    if model.config.vocab_size != len(vocab):
        raise ValueError(
            f"{name} knows {model.config.vocab_size} tokens, but the vocabulary has {len(vocab)}: give "
            "its own"
        )
    check_finite(name, model)
