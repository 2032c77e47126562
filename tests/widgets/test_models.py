"""What the widgets refuse of a recurrent language model, and that they say why."""

import math

import pytest
import torch

from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.widgets.models import check_models


def model(cell="rnn", **options):
    return RecurrentLanguageModel(LanguageModelConfig(12, cell, width=5, hidden=9, **options))


def holding(number):
    one = model()
    with torch.no_grad():
        one.head.weight[0, 0] = number
    return one


def test_models_that_fit_pass():
    check_models({"a": model(), "b": model("gru")}, 12, cells=("rnn", "gru"))


@pytest.mark.parametrize(
    ("models", "vocab_size", "problem"),
    [
        ({}, 12, "no model: give at least one"),
        ({"a": model(), "b": model("lstm")}, 12, "b is made of lstm cells; this widget shows rnn or relu"),
        ({"a": model(layers=2)}, 12, "a has 2 layers; this widget shows one"),
        ({"a": model()}, 7, "a knows 12 characters, but the vocabulary has 7: give its own"),
        ({"a": holding(math.nan)}, 12, "a holds NaN or ∞: its training diverged"),
        ({"a": holding(-math.inf)}, 12, "a holds NaN or ∞"),
    ],
)
def test_the_first_that_does_not_fit_is_named_with_the_way_out(models, vocab_size, problem):
    with pytest.raises(ValueError, match=problem):
        check_models(models, vocab_size, cells=("rnn", "relu"))
