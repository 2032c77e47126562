"""What is asked of the words that a widget starts with."""

import pytest

from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import Vocab
from vec2gpt.widgets.spelling import LIMIT, alphabet, check_words, opening
from vec2gpt.widgets.vocabularies import kind

LETTERS, PHONEMES = Vocab.build("abcé"), Vocab(["<eos>", "<bos>", "<pad>", "AA", "B"])


@pytest.fixture
def model():
    return Seq2Seq(Seq2SeqConfig(len(LETTERS), len(PHONEMES), width=3, hidden=4, eos=0, pad=2))


def test_a_widget_opens_with_its_word_in_the_numbers_of_the_first_model(model):
    pairs = {"a": (LETTERS, PHONEMES), "b": (Vocab.build("cbxé"), PHONEMES)}
    source_ids, about = opening({"a": model, "b": model}, pairs, "cb", {"b": [["B"]], "c": []})
    assert source_ids.tolist() == [[*LETTERS.encode("cb"), LETTERS["<eos>"]]]
    assert (about["word"], about["alphabet"], about["limit"]) == ("cb", "bc", LIMIT)
    assert about["models"] == {name: kind(model, *pair) for name, pair in pairs.items()}
    assert about["dictionary"] == {"b": [["B"]], "c": []}


def test_what_no_model_can_read_and_what_is_no_phoneme_does_not_open_a_widget(model):
    models, pairs = {"a": model}, {"a": (LETTERS, PHONEMES)}
    with pytest.raises(ValueError, match="'xa' holds 'x'"):
        opening(models, pairs, "a", {"xa": []})
    with pytest.raises(KeyError, match="'Æ' is none of the 39 phonemes"):
        opening(models, pairs, "a", {"ab": [["AA"], ["B", "Æ"]]})


def test_only_letters_that_every_model_knows_can_be_typed():
    assert alphabet([(LETTERS, PHONEMES), (Vocab.build("bcd"), PHONEMES)]) == "bc"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("", "has 0 letters; give 1 to 32"),
        ("a" * (LIMIT + 1), "has 33 letters"),
        ("aé1", "holds '1', 'é'; the models know the letters abc"),
        ("a b", "holds ' '"),
        ("Ab", "holds 'A'"),
    ],
)
def test_a_word_that_cannot_be_read_is_refused(word, said):
    check_words(["a" * LIMIT, "cab"], "abc")
    with pytest.raises(ValueError, match=said):
        check_words(["cab", word], "abc")
