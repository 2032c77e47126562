"""What is asked of the models that a widget starts with, and what a view is told of their vocabularies."""

import pytest
import torch

from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import Vocab
from vec2gpt.widgets.vocabularies import by_name, kind

LETTERS, PHONEMES = Vocab.build("abcé"), Vocab(["<eos>", "<bos>", "<pad>", "AA", "B"])


@pytest.fixture
def model():
    return Seq2Seq(Seq2SeqConfig(len(LETTERS), len(PHONEMES), width=3, hidden=4, eos=0, pad=2))


def test_one_model_and_one_pair_of_vocabularies_get_names(model):
    assert by_name(model, (LETTERS, PHONEMES)) == ({"model": model}, {"model": (LETTERS, PHONEMES)})
    models, vocabs = by_name({"a": model, "b": model}, (LETTERS, PHONEMES))
    assert list(models) == list(vocabs) == ["a", "b"]


def test_a_view_is_told_both_numbers_of_the_end(model):
    told = kind(model, LETTERS, PHONEMES)
    assert (told["source"], told["target"]) == (LETTERS.tokens, PHONEMES.tokens)
    assert (told["end"], told["eos"]) == (LETTERS["<eos>"], PHONEMES["<eos>"]) == (2, 0)


def test_a_source_that_lacks_the_mark_of_the_end_is_refused_even_if_it_has_an_unknown_token(model):
    letters = Vocab([*"abcdef", "<unk>"], specials=("<unk>",), unknown="<unk>")
    with pytest.raises(ValueError, match="ends with '<eos>', which its source lacks: give both one end mark"):
        kind(model, letters, PHONEMES)


def test_models_that_do_not_fit_are_refused(model):
    with pytest.raises(ValueError, match="there is no model"):
        by_name({}, (LETTERS, PHONEMES))
    with pytest.raises(ValueError, match="b has no vocabularies"):
        by_name({"b": model}, {"a": (LETTERS, PHONEMES)})
    with pytest.raises(ValueError, match="reads 7 tokens and writes 5, but its vocabularies have 7 and 7"):
        by_name(model, (LETTERS, LETTERS))
    with torch.no_grad():
        model.decoder.head.bias[0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        by_name(model, (LETTERS, PHONEMES))


def test_every_encoder_decoder_is_shown_and_nothing_else():
    attentive = AttentionSeq2Seq(AttentionConfig(len(LETTERS), len(PHONEMES), width=3, hidden=4))
    assert by_name(attentive, (LETTERS, PHONEMES))[0] == {"model": attentive}
    with pytest.raises(ValueError, match="a is a GPT, without a source: give an encoder-decoder"):
        by_name({"a": GPT(GPTConfig(5))}, (LETTERS, PHONEMES))
