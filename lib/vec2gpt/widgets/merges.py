"""Byte-level BPE on the reader's own text: the merges apply one after another, as far as a slider lets them
(chapter 9).

There is no model: a tokenizer is a list of merges, and the page applies them as `bpe.BPE` does.
"""

from collections.abc import Iterable

import torch

from vec2gpt.bpe import BPE
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.tokens import check_length, tokenizer

LIMIT = 200  # characters of a text


def merges_widget(bpe: BPE, text: str, *, examples: Iterable[str] = ()) -> LiveModel:
    """A text to type in any script, its tokens with their ids, and how many merges are allowed.

    text: shown to begin with, by all merges; examples: texts offered besides. Each of 1 to 200 characters;
    the first state shows most with a long word that has few tokens, and a script that falls into bytes.

    >>> merges_widget(bpe, "Understanding 明白", examples=["l'été"])
    LiveModel(merges: ids → )
    """
    if not bpe.merges:
        raise ValueError("the tokenizer has no merges to show: train it to more tokens")
    examples = list(examples)
    for offered in (text, *examples):
        check_length(offered, LIMIT)
    return LiveModel(
        "merges",
        {},
        {"ids": torch.tensor([bpe.encode(text)])},
        [],
        settings={
            "text": text,
            "examples": [example for example in dict.fromkeys((text, *examples)) if examples],
            "limit": LIMIT,
            **tokenizer(bpe),
        },
    )
