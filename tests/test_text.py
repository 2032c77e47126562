"""vec2gpt.text: the numbering of tokens is complete, stable, and says clearly what it does not know."""

import doctest
import json
import random

import pytest

from vec2gpt import text
from vec2gpt.text import Vocab, words

TOLD = "the cat sat on the mat"
# accents, scripts, emoji (one of them three code points), invisible characters, half a surrogate pair
ANY_SCRIPT = "naïve 中文 αβγ \U0001f600 👩‍🚀 \u200b \x00 \ud800"


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(text)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("The cat, the CAT.", ["the", "cat", "the", "cat"]),
        ("naïve Zoë—or 中文 αβγ", ["naïve", "zoë", "or", "中文", "αβγ"]),
        ("state-of-the-art x2 snake_case 3rd", ["state", "of", "the", "art", "x", "snake", "case", "rd"]),
        ("l'été, don’t", ["l", "été", "don", "t"]),
        (" 42 \n__ --", []),
    ],
)
def test_words_are_runs_of_letters_in_lower_case(written, found):
    assert words(written) == found


def test_specials_come_first_then_code_point_order():
    vocab = Vocab.build("ba中Z", specials=("<pad>", "<eos>"))
    assert vocab.tokens == ["<pad>", "<eos>", "Z", "a", "b", "中"]
    assert [vocab[token] for token in vocab.tokens] == list(range(6))


def test_order_depends_on_neither_frequency_nor_position():
    words = TOLD.split() * 3
    random.Random(0).shuffle(words)
    assert Vocab.build(words).tokens == Vocab.build(TOLD.split()).tokens


@pytest.mark.parametrize("written", [TOLD, ANY_SCRIPT, "x", "ab" * 5_000])
def test_decode_inverts_encode(written):
    vocab = Vocab.build(written)
    ids = vocab.encode(written)
    assert "".join(vocab.decode(ids)) == written
    assert len(ids) == len(written)
    assert set(ids) == set(range(3, len(vocab)))  # every id is used, the three specials never


def test_nothing_encodes_to_nothing():
    vocab = Vocab.build(TOLD)
    assert vocab.encode("") == vocab.decode([]) == []


def test_json_gives_the_same_vocabulary_back():
    vocab = Vocab.build(ANY_SCRIPT, specials=("<pad>", "<unk>"), unknown="<unk>")
    again = Vocab(json.loads(json.dumps(vocab.tokens)), specials=("<pad>", "<unk>"), unknown="<unk>")
    assert again.tokens == vocab.tokens
    assert again.encode(ANY_SCRIPT + "Q") == vocab.encode(ANY_SCRIPT + "Q")


def test_the_token_list_cannot_be_changed_from_outside():
    vocab = Vocab.build("ab")
    vocab.tokens.append("c")
    assert "c" not in vocab.tokens and len(vocab) == 5


def test_min_count_drops_rare_tokens():
    assert Vocab.build(TOLD.split(), specials=(), min_count=2).tokens == ["the"]


def test_membership():
    vocab = Vocab.build(TOLD.split())
    assert "cat" in vocab and "<pad>" in vocab
    assert "dog" not in vocab and 3 not in vocab


def test_a_mark_in_the_text_is_numbered_once():
    assert Vocab.build(["a", "<eos>", "b", "<eos>"]).tokens == ["<pad>", "<bos>", "<eos>", "a", "b"]


def test_unknown_words_take_the_unknown_id():
    vocab = Vocab.build(TOLD.split(), specials=("<pad>", "<unk>"), unknown="<unk>")
    assert vocab.decode(vocab.encode(["the", "dog", "sat"])) == ["the", "<unk>", "sat"]
    assert vocab["dog"] == 1


def test_an_unknown_word_names_the_nearest_known_and_the_way_out():
    vocab = Vocab.build(["king", "queen", "man", "woman"])
    with pytest.raises(KeyError) as caught:
        vocab.encode(["king", "quene"])
    for part in ("'quene'", "the 7 tokens", "'queen'", "unknown='<unk>'"):
        assert part in str(caught.value)


def test_an_unknown_character_is_named():
    with pytest.raises(KeyError, match=r"EM DASH.*nothing known is near"):
        Vocab.build(TOLD).encode("the—cat")
    with pytest.raises(KeyError, match=r"U\+0001"):
        Vocab.build(TOLD).encode("\x01")


def test_a_pasted_page_is_cut_in_the_message():
    with pytest.raises(KeyError) as caught:
        Vocab.build(TOLD.split()).encode(["x" * 10_000])
    assert "10000 characters" in str(caught.value) and len(str(caught.value)) < 400


def test_nearest_ignores_case_and_accents_and_specials():
    vocab = Vocab.build(["café", "Cafe", "tree"])
    assert sorted(vocab.nearest("CAFÉ")) == ["Cafe", "café"]
    assert vocab.nearest("<pad>") == []
    assert len(Vocab.build(["aa", "ab", "ac", "ad"]).nearest("a", count=2)) == 2
    assert Vocab.build("abc").nearest("C") == ["c"]


@pytest.mark.parametrize("id", [-1, 7, 10**9])
def test_an_id_outside_the_vocabulary_is_refused(id):
    with pytest.raises(ValueError, match=rf"id {id} is outside .* 0 to 6"):
        Vocab.build("abcd").decode([0, id])


def test_ids_may_come_as_a_tensor():
    torch = pytest.importorskip("torch")
    vocab = Vocab.build("abcd")
    assert vocab.decode(torch.tensor([3, 6])) == ["a", "d"]


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Vocab.build(""), "needs some text"),
        (lambda: Vocab.build("abc", min_count=2), "none of the 3 distinct tokens occurs 2"),
        (lambda: Vocab.build("abc", min_count=0), "min_count is 0"),
        (lambda: Vocab("hello", specials=()), "'l' is listed more than once"),
        (lambda: Vocab(["a", 3], specials=()), "token 3 is a int"),
        (lambda: Vocab(["a", "b"]), "'<pad>' is not among the 2 tokens"),
        (lambda: Vocab.build("ab", unknown="<unk>"), "'<unk>' is not among the specials"),
        (lambda: Vocab.build("ab", specials=("<pad>", "<pad>")), "'<pad>' is listed more than once"),
    ],
)
def test_a_wrong_vocabulary_is_refused(build, said):
    with pytest.raises(ValueError, match=said):
        build()
