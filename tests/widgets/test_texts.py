"""What is asked of a text that a widget starts with, for models that read letters or words."""

import pytest
from test_spelling import LETTERS, PHONEMES

from vec2gpt.grammar import Pair
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import Vocab
from vec2gpt.widgets.texts import opening, pieces, reading_kind

WORDS = Vocab.build(["the", "a", "cat"])
VOCABS = {"letters": (LETTERS, PHONEMES), "words": (WORDS, PHONEMES)}
MODELS = {
    name: Seq2Seq(Seq2SeqConfig(len(source), len(target), width=3, hidden=4, eos=0, pad=2))
    for name, (source, target) in VOCABS.items()
}


def test_a_widget_opens_with_its_text_in_the_numbers_of_the_first_model():
    source_ids, about = opening(MODELS, VOCABS, "cab", ["the cat", "b", "a cat"], limit=4)
    assert source_ids.tolist() == [[*LETTERS.encode("cab"), LETTERS["<eos>"]]]
    assert about["texts"] == {"letters": "cab", "words": "the cat"}  # the first example that words can be
    assert about["examples"] == ["the cat", "b", "a cat"] and about["limit"] == 4
    assert about["models"] == {name: reading_kind(model, *VOCABS[name]) for name, model in MODELS.items()}


def test_a_pair_of_the_grammar_is_an_example_by_its_source():
    one = Pair(("a", "cat"), ("un", "chat"), frozenset())
    assert opening(MODELS, VOCABS, "cab", [one], limit=4)[1]["examples"] == ["a cat"]


@pytest.mark.parametrize(("name", "known"), {"letters": "abc", "words": ["a", "cat", "the"]}.items())
def test_a_model_whose_tokens_are_single_letters_reads_letters(name, known):
    kind = reading_kind(MODELS[name], *VOCABS[name])
    assert kind["reads"] == name and sorted(kind["known"]) == sorted(known)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [("letters", "cab", ["c", "a", "b"]), ("words", " the  cat ", ["the", "cat"])],
)
def test_a_text_is_its_letters_or_its_words(name, text, found):
    assert pieces(text, reading_kind(MODELS[name], *VOCABS[name]), limit=3) == found


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("letters", "", "'' has 0 letters; give 1 to 3"),
        ("letters", "abcc", "has 4 letters"),
        ("letters", "ax1", "'ax1' holds '1', 'x'; the model knows abc"),
        ("words", "  ", "has 0 words; give 1 to 3"),
        ("words", "the dog", "holds 'dog'; the model knows 3 words"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(name, text, said):
    with pytest.raises(ValueError, match=said):
        pieces(text, reading_kind(MODELS[name], *VOCABS[name]), limit=3)


def test_every_sort_of_model_needs_a_text_and_every_example_a_model():
    with pytest.raises(ValueError, match="words reads words, and no text is of such: give an example"):
        opening(MODELS, VOCABS, "cab", ["b"], limit=4)
    with pytest.raises(ValueError, match=r"'zoo' holds 'o', 'z'.*'zoo' holds 'zoo'"):
        opening(MODELS, VOCABS, "cab", ["the cat", "zoo"], limit=4)
