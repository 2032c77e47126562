"""vec2gpt.wordpiece: BERT's uncased tokenizer, id for id."""

import doctest
import random

import pytest
from tokenizers import BertWordPieceTokenizer

from vec2gpt import corpora, wordpiece
from vec2gpt.wordpiece import WordPiece

TEXTS = [
    "",
    " \t\n ",
    "Unaffable people won't tokenise; state-of-the-art (2019)!",
    "Été à l'Œuvre: ÇA COÛTE 5 €, naïve Zoë, Straße",
    "我爱巴黎。日本語のテキスト 한국어",
    "😀 👩‍🚀 ❤️ ☃",
    "a\x00b\ufffdc\u200bd\x1ce\u3000f",
    "[MASK] [CLS] ##ing",
    "x" * 100 + " " + "x" * 101,
    "ΟΔΥΣΣΕΎΣ İstanbul ﬁn",
]


@pytest.fixture(scope="module")
def vocabulary():
    return corpora.member("minilm", "vocab.txt")


@pytest.fixture(scope="module")
def wp(vocabulary):
    return WordPiece.load(vocabulary)


@pytest.fixture(scope="module")
def peer(vocabulary):
    return BertWordPieceTokenizer(str(vocabulary), lowercase=True)


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(wordpiece)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_in_many_scripts_get_the_ids_of_the_peer(wp, peer, text):
    """Specials off: our text never makes one, while the peer takes [MASK] in a text for the mark."""
    if "[" in text:
        assert wp.pieces(text) == ["[", "mask", "]", "[", "cl", "##s", "]", "#", "#", "ing"]
        return
    told = peer.encode(text, add_special_tokens=False)
    assert wp.encode(text) == told.ids
    assert wp.pieces(text) == told.tokens


def test_real_text_and_random_text_get_the_ids_of_the_peer(wp, peer):
    draw, letters = random.Random(0), [chr(code) for code in [*range(32, 0x250), *range(0x370, 0x530)]]
    noise = ["".join(draw.choices(letters, k=200)) for _ in range(100)]
    for text in [corpora.shakespeare()[:50_000], *noise]:
        assert wp.encode(text) == peer.encode(text, add_special_tokens=False).ids


def test_the_vocabulary_is_whole(wp, peer):
    assert len(wp) == 30_522 and wp["[PAD]"] == 0 and wp["[MASK]"] == 103
    assert {token: id for id, token in enumerate(wp.tokens)} == peer.get_vocab()


def test_decode_joins_the_pieces(wp):
    assert (
        wp.decode([wp["[CLS]"], *wp.encode("Déjà unaffable!"), wp["[SEP]"]]) == "[CLS] deja unaffable ! [SEP]"
    )
    assert wp.decode([]) == ""


def test_the_longest_piece_goes_first():
    wp = WordPiece(["[UNK]", "a", "ab", "##b", "##bc", "##c"], specials=("[UNK]",))
    assert wp.pieces("abc") == ["ab", "##c"]
    assert wp.pieces("acb") == ["a", "##c", "##b"]
    assert wp.pieces("abd c") == ["[UNK]", "[UNK]"], "no piece for d; and c only continues"


def test_what_is_wrong_is_said(wp):
    with pytest.raises(KeyError, match=r"'\[mask\]' is not among the 30522 tokens; marks: \[PAD\], \[UNK\]"):
        wp["[mask]"]
    for id in (-1, 30_522):
        with pytest.raises(ValueError, match=f"id {id} is outside this vocabulary: ids run from 0 to 30521"):
            wp.decode([id])
    with pytest.raises(ValueError, match="'a' is listed more than once"):
        WordPiece(["[UNK]", "a", "a"], specials=("[UNK]",))
    with pytest.raises(ValueError, match=r"'\[PAD\]' is not among the 2 tokens"):
        WordPiece(["[UNK]", "a"])
    with pytest.raises(ValueError, match=r"'<unk>' is not among"):
        WordPiece(["[UNK]"], specials=(), unknown="<unk>")
