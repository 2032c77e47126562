"""vec2gpt.pretokens: the cuts of GPT-2 and BERT, character for character."""

import doctest
import random
import unicodedata

import pytest
from tokenizers import normalizers, pre_tokenizers

from vec2gpt import pretokens
from vec2gpt.pretokens import bert_cut, bert_plain, gpt_cut

TEXTS = [
    "",
    " ",
    "  \n\n ",
    "It's 42,  isn't it?  I'LL they'll we'd''s",
    "tabs\tand\r\nlines \n  indented,\x0b\x0c page \x85 next",
    "snake_case __init__ _ 3rd x2 ½ Ⅳ ٣٤ 三 〇",
    "naïve Zoë — l’été, «voilà» ΟΔΥΣΣΕΎΣ İstanbul Straße ﬁn",
    "中文没有空格。日本語のテキスト、한국어 ไทย हिन्दी עברית العربية",
    "👩‍🚀🇫🇷 ❤️ e\u0301 \u200b\ufeff\x00\ufffd\x1c\xa0\u3000\u2028",
    "a" * 5000,
]
OLD = unicodedata.ucd_3_2_0  # characters as old as this are the same to every library


def known_characters():
    """Those whose category has not changed since: newer ones depend on each library's version of Unicode."""
    every = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    return [mark for mark in every if OLD.category(mark) == unicodedata.category(mark) != "Cn"]


@pytest.fixture(scope="module")
def random_texts():
    draw, characters = random.Random(0), known_characters()
    return [
        "".join(draw.choice(characters if draw.random() < 0.3 else "abé ,.中\t'_1") for _ in range(80))
        for _ in range(1000)
    ]


def gpt_peer(text):
    cut = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return [text[start:end] for _, (start, end) in cut.pre_tokenize_str(text)]


NORMALIZER = normalizers.BertNormalizer(lowercase=True)


def bert_peer(text):
    return [
        word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(NORMALIZER.normalize_str(text))
    ]


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(pretokens)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_in_many_scripts_are_cut_as_the_peers_cut_them(text):
    assert gpt_cut(text) == gpt_peer(text)
    assert bert_cut(text) == bert_peer(text)


def test_random_texts_are_cut_as_the_peers_cut_them(random_texts):
    for text in random_texts:
        assert gpt_cut(text) == gpt_peer(text)
        assert bert_cut(text) == bert_peer(text)


@pytest.mark.slow
def test_every_kind_of_character_is_cut_as_the_peers_cut_it():
    """Among letters, digits and marks. Of those without case or of private use, one in 40: there are many."""
    characters = known_characters()
    many = [mark for mark in characters if unicodedata.category(mark) in ("Lo", "Co")]
    chosen = sorted(set(characters).difference(many)) + many[::40]
    for start in range(0, len(chosen), 20):
        text = " ".join(f"a{mark}1 {mark}b.{mark}" for mark in chosen[start : start + 20])
        assert gpt_cut(text) == gpt_peer(text)
        assert bert_cut(text) == bert_peer(text)


def test_gpt_loses_nothing_and_bert_what_it_says(random_texts):
    for text in random_texts:
        assert "".join(gpt_cut(text)) == text
        assert "".join(bert_cut(text)) == "".join(bert_plain(text).split())
        assert all(bert_cut(text))


def test_half_a_surrogate_pair_is_cut_like_any_sign():
    assert gpt_cut("a\ud800b") == ["a", "\ud800", "b"]
    assert bert_cut("a\ud800b") == ["ab"], "BERT drops what is no character"


def test_chinese_is_letters_to_one_and_single_characters_to_the_other():
    assert gpt_cut("我爱巴黎") == ["我爱巴黎"]
    assert bert_cut("我爱巴黎") == list("我爱巴黎")
