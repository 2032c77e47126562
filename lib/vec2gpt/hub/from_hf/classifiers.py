"""BERTs with a head for classes: BertForSequenceClassification and BertForTokenClassification.

The first becomes a `Classifier` whose first token speaks for all, the second a `Tagger`. Most models of the
first kind that others share are for sentiment, most of the second for names.

Left out: those of RoBERTa, DistilBERT and ALBERT, whose heads are made in other ways; a head that says a
number instead of a class, or several classes at once.
"""

from vec2gpt.classifiers import Classifier, Tagger
from vec2gpt.hub.from_hf.bert import BLOCKS, configuration
from vec2gpt.hub.from_hf.shared import opened

WORDS = BLOCKS | {"pool.linear.": "bert.pooler.dense.", "head.": "classifier."}


def _sequence(model):
    if (kind := model.config.problem_type) not in (None, "single_label_classification"):
        raise ValueError(f"problem_type is {kind!r}, but ours says one class: give a model that does")
    return _head(model, Classifier, pool="cls")


def _token(model):
    return _head(model, Tagger)


def _head(model, kind, **style):
    dropout = model.config.classifier_dropout
    dropout = model.config.hidden_dropout_prob if dropout is None else dropout
    config = kind.Config(configuration(model.config), model.config.num_labels, dropout=dropout, **style)
    return opened(kind.from_config, config, model.state_dict(), WORDS)


FAMILIES = {"BertForSequenceClassification": _sequence, "BertForTokenClassification": _token}
