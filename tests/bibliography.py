"""Shared by the tests of facts: who wrote what, and when, as book/references.bib has it."""

import re
import unicodedata
from pathlib import Path

BIB = Path(__file__).parents[1] / "book" / "references.bib"
LATEX = {r"{\"u}": "ü", r"{\"e}": "ë"}


def entries() -> dict[str, tuple[list[str], int]]:
    """Key -> the authors' family names, and the year."""
    text = BIB.read_text(encoding="utf-8")
    for code, letter in LATEX.items():
        text = text.replace(code, letter)
    found = re.findall(r"@\w+\{([^,]+),\s+author = \{(.+?)\},\n.*?year = \{(\d+)\}", text, re.DOTALL)
    return {key: (_families(authors), int(year)) for key, authors, year in found}


def _families(authors: str) -> list[str]:
    if authors.startswith("{"):  # an organisation
        return [authors.strip("{}")]
    return [author.split(",")[0] for author in authors.split(" and ")]


def cited(key: str) -> str:
    """How the book names a paper in passing: "Kneser and Ney 1995"; KeyError for an unknown key."""
    names, year = entries()[key]
    names = [unicodedata.normalize("NFC", name) for name in names]
    who = {1: names[0], 2: " and ".join(names)}.get(len(names), f"{names[0]} et al.")
    return f"{who} {year}"
