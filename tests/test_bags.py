"""Texts as bags, and the plain classifier on them."""

import math

import pytest
import torch
import torch.nn.functional as F

from vec2gpt.bags import TfIdf, logistic_regression, mean_vectors, runs
from vec2gpt.vectors import WordVectors

TEXTS = ["good good film", "bad film"]


def test_runs_are_words_and_their_neighbours():
    assert runs("It's not good.", longest=3) == [
        *["it", "s", "not", "good"],
        *["it s", "s not", "not good"],
        *["it s not", "s not good"],
    ]
    assert runs("Yes") == ["yes"] and runs("?! 42") == []


def test_weights_are_those_worked_by_hand():
    """N = 2. Of film, in both: 1 + ln(3/3). Of good and bad, in one: 1 + ln(3/2); good twice: × 1 + ln 2."""
    weigh = TfIdf(TEXTS, longest=1)
    rare = 1 + math.log(1.5)
    rows = torch.tensor([[0, 1, (1 + math.log(2)) * rare], [rare, 1, 0]])
    assert weigh.vocab.tokens == ["bad", "film", "good"] and len(weigh) == 3
    assert torch.allclose(weigh(TEXTS).to_dense().float(), F.normalize(rows, dim=1))


def test_a_row_has_length_1_and_one_without_a_known_word_is_0():
    found = TfIdf(TEXTS)(["a bad bad film", "nothing known", "", "γ ?"]).to_dense()
    assert found.norm(dim=1).tolist() == pytest.approx([1, 0, 0, 0])
    assert TfIdf(TEXTS)([]).shape == (0, len(TfIdf(TEXTS)))


@pytest.mark.parametrize("texts", [[], [""], ["?", "42"]])
def test_texts_without_a_word_are_refused_and_not_shown(texts):
    with pytest.raises(ValueError, match=f"the {len(texts)} texts have no word") as refused:
        TfIdf(texts)
    assert "42" not in str(refused.value)


def test_one_string_is_no_list_of_texts():
    for call in (TfIdf, TfIdf(TEXTS), lambda text: mean_vectors(text, vectors())):
        with pytest.raises(ValueError, match="one string"):
            call("good film")


def vectors():
    return WordVectors(["good", "bad"], torch.tensor([[1.0, 0.0], [0.0, 3.0]]))


def test_the_mean_is_of_the_known_words():
    found = mean_vectors(["Good, good: BAD film!", "film", ""], vectors())
    assert torch.allclose(found, torch.tensor([[2 / 3, 1], [0, 0], [0, 0]]))
    assert mean_vectors([], vectors()).shape == (0, 2)


# ---- logistic regression ----


def test_the_classifier_of_two_numbers_is_the_one_worked_by_hand():
    """Where the slope of 2 ln(1 + e^−2w) + w² is 0: w = 2 / (1 + e^2w)."""
    found = logistic_regression(torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
    w = found.weight[0, 1].item()
    assert w == pytest.approx(2 / (1 + math.exp(2 * w)), abs=1e-6) == pytest.approx(0.5213, abs=1e-4)
    assert found.weight[0, 0].item() == pytest.approx(-w) and found.bias.tolist() == pytest.approx([0, 0])


@pytest.mark.parametrize(("classes", "strength"), [(2, 1.0), (3, 0.1), (3, 20.0)])
def test_at_the_minimum_the_loss_is_flat(classes, strength):
    """A convex loss is least where its slopes are 0: of W, xᵀ(p − y) + W / C; of b, the sum of p − y."""
    generator = torch.Generator().manual_seed(classes)
    x = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    targets = torch.randint(classes, (40,), generator=generator)
    found = logistic_regression(x, targets, strength=strength)
    off = found(x).softmax(1) - F.one_hot(targets, classes)
    assert (x.T @ off + found.weight / strength).abs().max() < 1e-5
    assert off.sum(0).abs().max() < 1e-5
    assert found.weight.abs().max() > 0.1 * min(strength, 1)  # at 0 nothing was learnt


def test_sparse_and_dense_rows_give_the_same_classifier():
    x, targets = TfIdf(TEXTS)([*TEXTS, "good", "bad"]), torch.tensor([1, 0, 1, 0])
    sparse, dense = (logistic_regression(rows, targets) for rows in (x, x.to_dense()))
    assert torch.allclose(sparse.weight, dense.weight, atol=1e-6)
    assert torch.equal(sparse(x).argmax(1), targets)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused(odd, sparse):
    x = torch.tensor([[1.0], [odd]])
    with pytest.raises(ValueError, match="x holds NaN or ∞"):
        logistic_regression(x.to_sparse() if sparse else x, torch.tensor([0, 1]))


def test_it_learns_where_gradients_are_off():
    with torch.no_grad():
        found = logistic_regression(torch.eye(2), torch.tensor([0, 1]))
    assert found(torch.eye(2)).argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (torch.tensor([1, 1]), "all 2 targets are 1"),
        (torch.tensor([0, -1]), "targets hold -1"),
        (torch.tensor([0, 1, 1]), r"shapes \(2, 2\) and \(3,\)"),
    ],
)
def test_targets_that_say_nothing_or_do_not_fit_are_refused(targets, told):
    with pytest.raises(ValueError, match=told):
        logistic_regression(torch.eye(2), targets)
    with pytest.raises(ValueError, match="give a positive number"):
        logistic_regression(torch.eye(2), torch.tensor([0, 1]), strength=0)
    with pytest.raises(ValueError, match="targets hold 5"):
        logistic_regression(torch.eye(2), torch.tensor([0, 5]), classes=3)
    with pytest.raises(ValueError, match="of one text or more"):
        logistic_regression(torch.empty(0, 2), torch.empty(0, dtype=torch.long))
