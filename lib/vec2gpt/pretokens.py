"""The first cut: a text becomes pretokens, and no token reaches over the edge of one.

Subwords are learned inside words, so somebody must say what a word is. Two answers, both in daily use:

    gpt_cut     GPT-2 (Radford et al. 2019): loses nothing; a word keeps the space before it
    bert_cut    BERT, uncased (Devlin et al. 2019): lower case, no accents, no spaces; each Chinese character
                and each punctuation mark by itself

What counts as a letter is Unicode's, in the version that Python brings. Left out: languages that write no
spaces. Thai or Japanese stays in long runs, which a later cut has to break up.
"""

import re
import sys
import unicodedata
from functools import cache

# Unicode's White_Space. Python's \s has U+001C … U+001F besides, which Unicode takes for control marks.
SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# What BERT takes for Chinese: the blocks of CJK ideographs.
CHINESE = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b73f"
    "\U0002b740-\U0002b81f\U0002b820-\U0002ceaf\U0002f800-\U0002fa1f"
)


def gpt_cut(text: str) -> list[str]:
    r"""The pretokens of GPT-2; joined they are the text again.

    Its pattern is 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+.

    >>> gpt_cut("It's 42,  isn't it?")
    ['It', "'s", ' 42', ',', ' ', ' isn', "'t", ' it', '?']
    """
    return _gpt_pattern().findall(text)


def bert_cut(text: str) -> list[str]:
    """The pretokens of BERT's uncased models. The text cannot be had back from them.

    >>> bert_cut("Déjà vu: 中文!")
    ['deja', 'vu', ':', '中', '文', '!']
    """
    return _bert_pattern().findall(bert_plain(text))


def bert_plain(text: str) -> str:
    """A text as BERT's uncased models read it: no control marks, lower case, no accents.

    >>> bert_plain("Œuvre\\tÉlan")
    'œuvre elan'
    """
    text = unicodedata.normalize("NFD", text.translate(_cleaned()))
    text = text if text.isascii() else "".join(mark for mark in text if unicodedata.category(mark) != "Mn")
    return text.replace("Σ", "σ").lower()  # by itself, Python's lower() ends a word on ς


# ---- the patterns, each built once ----


def _in_category(*kinds: str) -> list[str]:
    """All characters of these Unicode categories, such as Nd, the decimal digits."""
    return [mark for mark in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(mark) in kinds]


def _span(marks: list[str]) -> str:
    """Characters in order as the inside of a regular expression's […]: runs as "a-z"."""
    runs: list[list[str]] = []
    for mark in marks:
        if runs and ord(mark) == ord(runs[-1][-1]) + 1:
            runs[-1][1:] = [mark]
        else:
            runs.append([mark])
    return "".join("-".join(map(re.escape, run)) for run in runs)


@cache
def _gpt_pattern() -> re.Pattern:
    """Python has no \\p{L}; but a letter is what \\w is, save numbers and the underscore."""
    number = _span(_in_category("Nd", "Nl", "No"))
    letters, numbers, others = rf"[^\W_{number}]+", f"[{number}]+", rf"(?:[^{SPACE}\w]|_)+"
    endings = "'s|'t|'re|'ve|'m|'ll|'d"
    return re.compile(f"{endings}| ?{letters}| ?{numbers}| ?{others}|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+")


@cache
def _bert_pattern() -> re.Pattern:
    symbols = set("$+<=>^`|~")  # ASCII that Unicode calls symbols and BERT punctuation
    punctuation = symbols.union(_in_category("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"))
    alone = _span(sorted(punctuation)) + CHINESE
    return re.compile(f"[{alone}]|[^{SPACE}{alone}]+")


@cache
def _cleaned() -> dict[int, str]:
    """For str.translate: what is nothing, and what is a space, to BERT."""
    nothing = [*_in_category("Cc", "Cf", "Co", "Cs"), "\ufffd"]
    return dict.fromkeys(map(ord, nothing), "") | dict.fromkeys(map(ord, "\t\n\r"), " ")
