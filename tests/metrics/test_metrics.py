"""vec2gpt.metrics beside another library and numbers worked by hand."""

import doctest
import math

import pandas as pd
import pytest
import torch

from vec2gpt import metrics
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.metrics import balanced_accuracy, bits, perplexity, reading_loss, rows, spearman, window_loss


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(metrics)
    assert (failed, tried > 0) == (0, True)


# ---- language models ----


def test_a_choice_among_k_has_perplexity_k_and_log2_k_bits():
    for k in (1, 2, 84):
        assert perplexity(math.log(k)) == pytest.approx(k)
        assert bits(math.log(k)) == pytest.approx(math.log2(k))


def test_a_text_is_cut_into_rows_and_its_end_left_out():
    assert rows(torch.arange(11), count=3).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert rows(torch.arange(128)).tolist() == [[2 * row, 2 * row + 1] for row in range(64)]


@pytest.mark.parametrize(("length", "count"), [(127, 64), (0, 1), (1, 1), (10, 0), (10, -1), (10, 6)])
def test_rows_too_short_or_none_are_refused(length, count):
    with pytest.raises(ValueError, match=f"^{length} tokens make no {count} rows of two or more"):
        rows(torch.arange(length), count=count)


@pytest.mark.parametrize("shape", [(), (4, 200)])
def test_rows_are_cut_from_one_text(shape):
    with pytest.raises(ValueError, match=r"ids have the shape .*, not \(N,\)"):
        rows(torch.zeros(shape, dtype=torch.long))


def language_model():
    torch.manual_seed(0)
    return RecurrentLanguageModel(LanguageModelConfig(7, width=4, hidden=6)).eval()


@pytest.mark.parametrize("piece", [1, 4, 18, 256])
def test_reading_in_pieces_is_reading_at_once(piece):
    """19 tokens to predict, so that most of these pieces do not fit."""
    model, text = language_model(), torch.randint(7, (3, 20))
    _, loss = model(text[:, :-1], text[:, 1:])
    assert reading_loss(model, text, piece=piece) == pytest.approx(loss.item(), rel=1e-6)


def test_the_loss_of_reading_is_the_mean_of_all_rows():
    model, text = language_model(), torch.randint(7, (3, 20))
    alone = [reading_loss(model, row[None]) for row in text]
    assert reading_loss(model, text) == pytest.approx(sum(alone) / 3, rel=1e-6)


@pytest.mark.parametrize("shape", [(5,), (3, 1), (3, 0)])
def test_nothing_to_predict_is_refused(shape):
    with pytest.raises(ValueError, match=r"ids have the shape .*, not \(B, N\) of two tokens or more"):
        reading_loss(language_model(), torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("piece", [0, -1])
def test_reading_nothing_at_once_is_refused(piece):
    with pytest.raises(ValueError, match=f"piece is {piece}: at least 1"):
        reading_loss(language_model(), torch.zeros(2, 5, dtype=torch.long), piece=piece)


def seeing(context):
    """A GPT that is far from knowing nothing, and what it reads, (3, 20)."""
    torch.manual_seed(0)
    model = GPT(GPTConfig(7, context=context, layers=2, heads=2, width=8)).double().eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return model, torch.randint(7, (3, 20))


def test_a_text_of_one_window_has_its_mean_loss():
    model, ids = seeing(19)
    _, loss = model(ids[:, :-1], ids[:, 1:])
    assert window_loss(model, ids) == pytest.approx(loss.item(), rel=1e-9)


@pytest.mark.parametrize("stride", [1, 2, 3, 6, None])
def test_each_token_but_the_first_is_predicted_once_from_as_much_as_its_window_shows(stride):
    model, ids = seeing(6)
    moved, losses = 3 if stride is None else stride, []
    for place in range(1, 20):
        window = max(0, -(-(place - 6) // moved))  # the first that reaches so far
        start = min(window * moved, place - 1)
        logits, _ = model(ids[:, start:place])
        losses.append(torch.nn.functional.cross_entropy(logits[:, -1], ids[:, place]))
    assert window_loss(model, ids, stride=stride) == pytest.approx(
        torch.stack(losses).mean().item(), rel=1e-9
    )


def test_as_many_tokens_count_as_for_a_model_that_reads():
    """Who knows nothing scores the same; who knows one place scores a 19th of it."""

    class Knowing(torch.nn.Module):
        config = GPTConfig(7, context=6)

        def forward(self, ids):
            return torch.nn.functional.one_hot((ids + 1) % 7, 7) * 1000.0, None

    for place in range(1, 20):
        ids = torch.arange(20)[None] % 7
        ids[:, place:] = (ids[:, place:] + 1) % 7  # one step of two
        assert window_loss(Knowing(), ids, stride=4) == pytest.approx(1000 / 19)


@pytest.mark.parametrize("stride", [0, 7, -1])
def test_windows_that_stand_still_or_leave_tokens_out_are_refused(stride):
    model, ids = seeing(6)
    with pytest.raises(ValueError, match=f"stride is {stride}: give 1 to 6, the context, so that no token"):
        window_loss(model, ids, stride=stride)


@pytest.mark.parametrize("shape", [(20,), (3, 1), (3, 0)])
def test_a_text_without_two_tokens_has_no_windows(shape):
    with pytest.raises(ValueError, match=r"not \(B, N\) of two tokens or more"):
        window_loss(seeing(6)[0], torch.zeros(shape, dtype=torch.long))


# ---- ranks ----


def test_spearman_by_hand():
    """With all ranks different, 1 − 6 Σd² / (n(n² − 1)), d the difference of two ranks."""
    first, second = torch.tensor([10.0, 20, 30, 40, 50]), torch.tensor([1.0, 3, 2, 6, 5])  # d = 0 1 1 1 1
    assert spearman(first, second) == pytest.approx(1 - 6 * 4 / 120)
    second = torch.tensor([1.0, 3, 2, 9, 0])  # ranks 2 4 3 5 1, d = 1 2 0 1 4
    assert spearman(first, second) == pytest.approx(1 - 6 * 22 / 120)


def test_equal_numbers_share_their_ranks():
    """Ranks 1.5, 1.5, 3, 4 against 1, 2, 3.5, 3.5: products sum to 4, squares to 4.5 and 4.5."""
    rho = spearman(torch.tensor([5.0, 5, 6, 7]), torch.tensor([1.0, 2, 3, 3]))
    assert rho == pytest.approx(4 / 4.5)


@pytest.mark.parametrize("kinds", [2, 5, 1000])  # distinct numbers: almost all equal, many, none
def test_spearman_is_that_of_pandas(kinds):
    torch.manual_seed(0)
    first, second = torch.randint(kinds, (2, 60)).float()
    frame = pd.DataFrame({"first": first, "second": second})
    assert spearman(first, second) == pytest.approx(frame.rank().corr().loc["first", "second"])


def test_only_the_order_counts():
    torch.manual_seed(0)
    x, y = torch.randn(2, 50)
    assert spearman(x, y) == pytest.approx(spearman(x.exp(), y**3))
    assert spearman(x, x.exp()) == pytest.approx(1) and spearman(x, -x) == pytest.approx(-1)


def test_a_list_without_any_order_has_no_correlation():
    assert math.isnan(spearman(torch.ones(4), torch.arange(4.0)))


@pytest.mark.parametrize("place", [0, 1])
def test_what_has_no_rank_is_refused(place):
    lists = torch.arange(8.0).view(2, 4)
    lists[place, 2] = math.nan
    with pytest.raises(ValueError, match="nan has no rank"):
        spearman(*lists)


@pytest.mark.parametrize(("first", "second"), [((3,), (4,)), ((1,), (1,)), ((2, 2), (2, 2))])
def test_lists_that_cannot_be_compared_are_refused(first, second):
    with pytest.raises(ValueError, match="got the shapes"):
        spearman(torch.ones(first), torch.ones(second))


def test_the_balanced_share_is_the_mean_over_the_classes():
    """Of three of class 0 two are found, of one of class 5 none: (2/3 + 0) / 2."""
    found, targets = torch.tensor([0, 0, 5, 0]), torch.tensor([0, 0, 0, 5])
    assert balanced_accuracy(found, targets) == pytest.approx(1 / 3)
    assert balanced_accuracy(targets, targets) == 1


@pytest.mark.parametrize(("found", "targets"), [((2,), (3,)), ((0,), (0,)), ((2, 2), (2, 2))])
def test_answers_that_do_not_go_with_the_targets_are_refused(found, targets):
    with pytest.raises(ValueError, match="answers and targets have the shapes"):
        balanced_accuracy(torch.ones(found), torch.ones(targets))
