"""The phonemes of American English: what CMUdict writes, what a linguist writes, and a word to hear it in.

ARPAbet (1970s) writes each with one or two capitals, which any keyboard has; a vowel may carry a digit:
1 main stress, 2 second stress, 0 none. The example words are CMUdict's own, but for two unstressed vowels
("about", "letter"). The signs of the International Phonetic Alphabet are those usual for ARPAbet, as in
Jurafsky & Martin, *Speech and Language Processing*.

Left out: marks of stress, which IPA sets before a syllable; ARPAbet does not say where a syllable begins.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Phoneme(NamedTuple):
    ipa: str
    example: str  # a word in which it is heard


# fmt: off
CONSONANTS = {
    "B": ("b", "be"), "CH": ("tʃ", "cheese"), "D": ("d", "dee"), "DH": ("ð", "thee"), "F": ("f", "fee"),
    "G": ("ɡ", "green"), "HH": ("h", "he"), "JH": ("dʒ", "gee"), "K": ("k", "key"), "L": ("l", "lee"),
    "M": ("m", "me"), "N": ("n", "knee"), "NG": ("ŋ", "ping"), "P": ("p", "pee"), "R": ("ɹ", "read"),
    "S": ("s", "sea"), "SH": ("ʃ", "she"), "T": ("t", "tea"), "TH": ("θ", "theta"), "V": ("v", "vee"),
    "W": ("w", "we"), "Y": ("j", "yield"), "Z": ("z", "zee"), "ZH": ("ʒ", "seizure"),
}
VOWELS = {
    "AA": ("ɑ", "odd"), "AE": ("æ", "at"), "AH": ("ʌ", "hut"), "AO": ("ɔ", "ought"), "AW": ("aʊ", "cow"),
    "AY": ("aɪ", "hide"), "EH": ("ɛ", "Ed"), "ER": ("ɝ", "hurt"), "EY": ("eɪ", "ate"), "IH": ("ɪ", "it"),
    "IY": ("i", "eat"), "OW": ("oʊ", "oat"), "OY": ("ɔɪ", "toy"), "UH": ("ʊ", "hood"), "UW": ("u", "two"),
}
UNSTRESSED = {"AH": ("ə", "about"), "ER": ("ɚ", "letter")}  # the two that sound otherwise without stress
# fmt: on


def _table() -> dict[str, Phoneme]:
    """Every way to write one. AH and ER without a digit count as unstressed: in CMUdict 89% and 82% are."""
    rows = CONSONANTS | VOWELS | UNSTRESSED
    rows |= {vowel + "0": rows[vowel] for vowel in VOWELS}
    rows |= {vowel + digit: row for vowel, row in VOWELS.items() for digit in "12"}
    return {name: Phoneme(*row) for name, row in rows.items()}


PHONEMES = _table()  # "TH" → ("θ", "theta"), "AH" and "AH0" → ("ə", "about"), "AH1" → ("ʌ", "hut")


def phoneme(name: str) -> Phoneme:
    """The phoneme that ARPAbet writes `name`, such as "TH" or "AH0"; KeyError where it writes none so."""
    if name not in PHONEMES:
        raise KeyError(
            f"{name!r} is none of the 39 phonemes of ARPAbet: write {', '.join(CONSONANTS | VOWELS)}, "
            "in capitals, vowels with or without a stress digit 0, 1 or 2"
        )
    return PHONEMES[name]


def unstressed(name: str) -> str:
    """A phoneme without its digit of stress, if it has one: "AH0" and "AH" → "AH"."""
    return name.rstrip("012")


def ipa(phonemes: Iterable[str]) -> str:
    """ARPAbet in the International Phonetic Alphabet, without marks of stress; KeyError for no phoneme.

    >>> ipa(["TH", "R", "UW"])
    'θɹu'
    >>> ipa(["AH0", "B", "AW1", "T"])
    'əbaʊt'
    """
    return "".join(phoneme(name).ipa for name in phonemes)
