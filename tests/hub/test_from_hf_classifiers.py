"""vec2gpt.hub.from_hf.classifiers: ours judge as BERTs with a head of `transformers` do."""

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertForTokenClassification

from vec2gpt.classifiers import Classifier, Tagger
from vec2gpt.hub import from_hf

PAD = 3
SIZES = {
    "vocab_size": 11,
    "hidden_size": 15,
    "num_hidden_layers": 2,
    "num_attention_heads": 5,
    "intermediate_size": 7,
    "max_position_embeddings": 12,
    "pad_token_id": PAD,
    "initializer_range": 0.3,
    "num_labels": 4,
}
IDS = torch.tensor([[4, 5, 6, 7, 0, 1, 10], [8, 4, PAD, PAD, PAD, PAD, PAD], [5, 5, 4, 2, 9, PAD, PAD]])
SEGMENTS = torch.tensor([[0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 1, 1]])
TOKENS = IDS != PAD


def theirs(kind, **other):
    """Of random weights, in float64, in evaluation mode; no bias is 0."""
    torch.manual_seed(0)
    model = kind(BertConfig(**SIZES | other)).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight += 0.3 * torch.randn_like(weight)
    return model


def read(model, labels):
    given = {"input_ids": IDS, "attention_mask": TOKENS.long(), "token_type_ids": SEGMENTS}
    with torch.no_grad():
        return model(**given, labels=labels)


def assert_same(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=0)


def test_texts_are_judged_as_theirs_are():
    model, labels = theirs(BertForSequenceClassification), torch.tensor([1, 3, 0])
    ours, expected = from_hf(model), read(model, labels)
    logits, loss = ours(IDS, labels, SEGMENTS)
    assert type(ours) is Classifier and not ours.training
    assert_same(logits, expected.logits)
    assert_same(loss, expected.loss)


def test_tokens_are_judged_as_theirs_are():
    model = theirs(BertForTokenClassification)
    labels = torch.where(TOKENS & (IDS % 3 > 0), IDS % 4, -100)
    ours, expected = from_hf(model), read(model, labels)
    logits, loss = ours(IDS, labels, SEGMENTS)
    assert type(ours) is Tagger and not ours.training
    assert_same(logits[TOKENS], expected.logits[TOKENS])
    assert_same(loss, expected.loss)


@pytest.mark.parametrize("kind", [BertForSequenceClassification, BertForTokenClassification])
def test_all_weights_the_mode_the_dropout_and_the_configuration_are_theirs(kind):
    for given, expected in ((None, 0.25), (0.4, 0.4)):
        model = theirs(kind, hidden_dropout_prob=0.25, classifier_dropout=given)
        state = torch.get_rng_state()
        ours = from_hf(model.train())
        assert torch.equal(torch.get_rng_state(), state) and ours.training
        assert (ours.config.dropout, ours.config.bert.dropout) == (expected, 0.25)
        assert (ours.config.classes, ours.config.bert.pad, ours.config.bert.width) == (4, PAD, 15)
        counts = [sum(weight.numel() for weight in m.parameters()) for m in (ours, model)]
        assert counts[0] == counts[1]
        assert all(weight.requires_grad and weight.dtype == torch.double for weight in ours.parameters())


def test_heads_that_have_no_equal():
    with pytest.raises(ValueError, match="problem_type is 'multi_label_classification', but ours says one"):
        from_hf(theirs(BertForSequenceClassification, problem_type="multi_label_classification"))
    with pytest.raises(ValueError, match="classes is 1: give at least 2"):
        from_hf(theirs(BertForSequenceClassification, num_labels=1))
