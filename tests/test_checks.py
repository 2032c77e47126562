"""vec2gpt.checks: what fits passes, what does not is named, with the limit and the way out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vec2gpt import checks
from vec2gpt.seq2seq import Seq2SeqConfig

IDS = torch.tensor([[3, 0], [4, 5]])
Q, K, V = torch.zeros(2, 3, 4, 6), torch.zeros(2, 3, 5, 6), torch.zeros(2, 3, 5, 7)


def mask(*size):
    return torch.ones(size, dtype=torch.bool)


MASKS = [(5,), (4, 1), (1, 5), (2, 1, 4, 5), (2, 3, 1, 5)]
CHOICE = SimpleNamespace(cell="gru")
MARKS = Seq2SeqConfig(9, 6)

FITS = {
    "ids": lambda: checks.check_ids(IDS, 6),
    "targets": lambda: checks.check_targets(torch.tensor([[3, -100]]), torch.zeros(1, 2, 6), ignored=-100),
    "tokens": lambda: checks.check_tokens(IDS != 0, 0),
    "context": lambda: checks.check_context(IDS, 9, before=7),
    "batch": lambda: checks.check_batch(IDS, 2),
    "shapes": lambda: checks.check_shapes(Q, K, V, lambda i, j: i < j),
    "masks": lambda: [
        checks.check_shapes(Q, K, V, mask(*size))
        for size in [(5,), (4, 1), (1, 5), (2, 1, 4, 5), (2, 3, 1, 5)]
    ],
    "one text": lambda: checks.check_one_text(Q, Q),
    "sizes": lambda: checks.check_sizes(width=1, heads=np.int64(9)),
    "sizes of 0": lambda: checks.check_sizes(0, before=0),
    "shares": lambda: checks.check_shares(dropout=0, own=np.float32(0.5)),
    "names": lambda: checks.check_names(CHOICE, cell={"rnn": 1, "gru": 2}),
    "marks": lambda: checks.check_marks(MARKS),
}
BREAKS = [
    (
        lambda: checks.check_ids(IDS[0], 6),
        r"the shape \(2,\), not \(B, T\): for one text give ids\[None\]",
    ),
    (lambda: checks.check_ids(IDS[:, :0], 6), "ids are empty"),
    (lambda: checks.check_ids(IDS, 5, name="read"), "read hold 5, but the model knows the ids 0 … 4"),
    (lambda: checks.check_ids(-IDS, 6), "ids hold -5"),
    (
        lambda: checks.check_targets(IDS, torch.zeros(2, 3, 6), ignored=-100),
        r"targets have the shape \(2, 2\), but the ids \(2, 3\)",
    ),
    (lambda: checks.check_targets(0 * IDS, torch.zeros(2, 2, 6), ignored=0), "all targets are 0"),
    (lambda: checks.check_tokens(IDS[:, 1:] != 0, 0), r"source 0 is padding alone \(0\)"),
    (lambda: checks.check_context(IDS, 9, before=8), "10 tokens are too long for this model's context of 9"),
    (lambda: checks.check_batch(IDS, 3), "2 targets do not go with 3 sources"),
    (lambda: checks.check_shapes(Q, K[..., 1:], V), r"\(2, 3, 5, 5\), \(2, 3, 5, 7\): give"),
    (lambda: checks.check_shapes(Q, K, V[..., 1:, :]), "q, k and v have the shapes"),
    (lambda: checks.check_shapes(Q[0], K, V), "q, k and v have the shapes"),
    (lambda: checks.check_shapes(Q[..., :0, :], K, V), "of one token or more"),
    (lambda: checks.check_shapes(Q, K, V, mask(4, 4)), r"mask has the shape \(4, 4\): .* to \(2, 3, 4, 5\)"),
    (lambda: checks.check_shapes(Q, K, V, mask(3, 1, 4, 5)), "mask has the shape"),
    (lambda: checks.check_shapes(Q, K, V, mask(1, 2, 3, 4, 5)), "mask has the shape"),
    (lambda: checks.check_one_text(Q, K), "4 queries and 5 keys are not one text"),
    (lambda: checks.check_sizes(width=0), "width is 0: give at least 1"),
    (lambda: checks.check_sizes(0, before=-1), "before is -1: give at least 0"),
    (lambda: checks.check_sizes(width=4.0), "width is 4.0: give a whole number"),
    (lambda: checks.check_sizes(width=True), "width is True: give a whole number"),
    (lambda: checks.check_shares(dropout=1), "dropout is 1: give a share from 0 to below 1"),
    (lambda: checks.check_shares(dropout=float("nan")), "dropout is nan"),
    (lambda: checks.check_shares(dropout="x"), "dropout is 'x'"),
    (
        lambda: checks.chosen({"relu": 1, "gelu": 2}, activation="tanh"),
        "activation is 'tanh': choose one of relu, gelu",
    ),
    (lambda: checks.check_names(CHOICE, cell=["rnn", "lstm"]), "cell is 'gru': choose one of rnn, lstm"),
    (lambda: Seq2SeqConfig(9, 6, bos=6), "bos is 6, but the target vocabulary has the ids 0 … 5"),
    (lambda: Seq2SeqConfig(9, 12, pad=9), "pad is 9, but the source vocabulary has the ids 0 … 8"),
]


@pytest.mark.parametrize("name", FITS)
def test_what_fits_passes(name):
    FITS[name]()


@pytest.mark.parametrize(("ask", "message"), BREAKS)
def test_what_does_not_fit_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_what_is_chosen_is_what_is_known_by_that_name():
    assert checks.chosen({"a": 1, "b": 2}, what="b") == 2
