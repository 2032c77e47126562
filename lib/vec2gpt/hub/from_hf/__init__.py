"""The models of the package `transformers` as ours: what others trained, opened in our classes.

    from_hf(BertForMaskedLM.from_pretrained("bert-base-uncased"))       our MaskedLM, with the same logits

`transformers` itself is not needed here: a model brings its weights and its configuration along. One small
file a family says how the fields of the one and the names of the other are to be read.
"""

from torch import nn

from vec2gpt.hub.from_hf import bert, classifiers, gpt, translators
from vec2gpt.hub.from_hf.translators import forbid

# name of their class → what makes ours of it
FAMILIES = translators.FAMILIES | bert.FAMILIES | classifiers.FAMILIES | gpt.FAMILIES


def from_hf(model: nn.Module) -> nn.Module:
    """Our model with copies of the weights of one of `FAMILIES`: same outputs, device, dtype and mode.

    A MarianMTModel or BartForConditionalGeneration becomes a `Transformer`, see `translators`. A BertModel
    becomes a `Bert`, a BertForMaskedLM a `MaskedLM`, a BertForPreTraining a `Pretraining`; so do those of
    RoBERTa, DistilBERT and ALBERT, see `bert`. A BertForSequenceClassification becomes a `Classifier`, a
    BertForTokenClassification a `Tagger`, see `classifiers`. A GPT2LMHeadModel becomes a `GPT`, see `gpt`.

    ValueError for a model, or a part of one, that has no equal here.
    """
    name = type(model).__name__
    if name not in FAMILIES:
        raise ValueError(f"{name} has no equal here: give one of {', '.join(FAMILIES)}")
    return FAMILIES[name](model).train(model.training)


__all__ = ["FAMILIES", "forbid", "from_hf"]
