"""Gradient through time: the recursion written out is autograd's, and what is said of each U holds."""

import json
import math

import pytest
import torch

from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel, next_token_loss
from vec2gpt.recurrent import ReLUCell, RNNCell
from vec2gpt.text import Vocab
from vec2gpt.widgets.gradient import (
    ACTIVATIONS,
    LIMIT,
    GradientThroughTime,
    divide,
    fresh_models,
    gradient_widget,
    norm,
    spectrum,
)

SIZE = 12
VOCAB = Vocab(list("abcdefghijkl"), specials=())
TEXT = "abcdefghijkl" * 3
SLOPES = {
    "tanh": lambda a, h: 1 - h**2,
    "relu": lambda a, h: (a > 0).float(),
    "none": lambda a, h: torch.ones_like(a),
}


def model(cell="rnn", *, hidden=9, vocab_size=SIZE):
    torch.manual_seed(0)
    return RecurrentLanguageModel(LanguageModelConfig(vocab_size, cell, width=5, hidden=hidden))


def answer(model, length, *, scale=1.0, activation="tanh", threshold=math.inf, seed=1):
    """The letters, the one after them, and what the module says."""
    ids = torch.randint(SIZE, (1, length + 1), generator=torch.Generator().manual_seed(seed))
    kind = ACTIVATIONS.index(activation)
    with torch.no_grad():
        told = GradientThroughTime(model)(
            ids[:, :-1], ids[0, -1:], torch.tensor([scale]), torch.tensor([kind]), torch.tensor([threshold])
        )
    return ids, told


def by_autograd(model, ids, scale, activation):
    """The same forward pass as a plain loop; what autograd says of every h, of every use of U, and of U.

    A step's share is what a step of descent along ∂L/∂U, by its use of U alone, would gain of the whole.
    """
    cell = model.stack.cells[0]
    phi = {"tanh": torch.tanh, "relu": torch.relu, "none": lambda a: a}[activation]
    U = (scale * cell.weight_hh).detach().requires_grad_()
    h, states, uses, slopes = torch.zeros(1, cell.hidden), [], [], []
    for x in model.embedding(ids[:, :-1]).unbind(1):
        uses.append(U.clone())  # one leaf a step: its gradient is what this step adds
        uses[-1].retain_grad()
        a = x @ cell.weight_ih.T + cell.bias_ih + h @ uses[-1].T + cell.bias_hh
        h = phi(a)
        h.retain_grad()
        states.append(h)
        slopes.append(SLOPES[activation](a, h).mean())
    next_token_loss(model.head(h)[:, None], ids[:, -1:]).backward()
    norms = torch.stack([one.grad.norm() for one in states])
    shares = torch.stack([(one.grad * U.grad).sum() for one in uses]) / (U.grad**2).sum().clamp(min=1e-30)
    return norms, torch.stack(slopes), shares, U.grad.norm()


@pytest.mark.parametrize("length", [1, 2, 7, 30])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_it_is_what_autograd_says(length, activation, scale):
    ids, (norms, slopes, shares, sizes, _) = answer(model(), length, scale=scale, activation=activation)
    expected = by_autograd(model(), ids, scale, activation)
    for ours, theirs in zip((norms[0], slopes[0], shares[0], sizes[0]), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6 if ours is shares[0] else 1e-9)
    assert sizes[0] == sizes[1]  # without a threshold nothing is clipped


def test_shares_by_hand():
    """Three steps add the numbers 3, 2 and −1 to a U of one unit, 4 in all."""
    size, shares = divide(torch.tensor([[[3.0], [1.0], [-1.0]]]), torch.tensor([[[1.0], [2.0], [1.0]]]))
    assert (size.item(), shares[0].tolist()) == (4.0, [0.75, 0.5, -0.25])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
def test_the_shares_are_together_one_and_clipping_leaves_them(activation, scale):
    _, (_, _, shares, *_) = answer(model(), 40, scale=scale, activation=activation)
    assert shares.sum().item() == pytest.approx(1, rel=1e-4)
    _, (_, _, clipped, sizes, _) = answer(model(), 40, scale=scale, activation=activation, threshold=1e-4)
    assert sizes[1] < sizes[0] and torch.equal(clipped, shares)


def test_where_no_step_adds_anything_every_share_is_zero():
    _, (_, _, shares, sizes, _) = answer(model(), 1)  # the state before the only step is empty
    assert shares.tolist() == [[0.0]] and sizes.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("name", "cell"), [("tanh", RNNCell), ("relu", ReLUCell)])
def test_the_states_are_those_of_the_librarys_cell(name, cell):
    ours = model("rnn" if cell is RNNCell else "relu")
    assert isinstance(ours.stack.cells[0], cell)
    ids, (norms, *_) = answer(ours, 6, activation=name)
    h, _ = ours.stack(ours.embedding(ids[:, :-1]))
    h.retain_grad()
    next_token_loss(ours.head(h)[:, -1:], ids[:, -1:]).backward()
    assert norms[0, -1].item() == pytest.approx(h.grad[0, -1].norm().item(), rel=1e-4)


def test_clipping_is_torchs():
    ids, (*_, sizes, _) = answer(model(), 20, threshold=0.01)
    *_, whole = by_autograd(model(), ids, 1.0, "tanh")
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = whole[None].clone()
    torch.nn.utils.clip_grad_norm_([weight], 0.01)
    assert sizes[1].item() == pytest.approx(weight.grad.item(), rel=1e-3) == pytest.approx(0.01, rel=1e-3)
    _, (*_, unclipped, _) = answer(model(), 20, threshold=100.0)
    assert unclipped[0] == unclipped[1] > 0.01


def test_no_norm_outgrows_the_largest_singular_value():
    for one in fresh_models(SIZE).values():
        for activation in ACTIVATIONS:
            _, (norms, *_, bounds) = answer(one, 40, scale=0.9, activation=activation)
            grown = norms[0, :-1] / norms[0, 1:]
            assert (grown <= bounds[1] * 1.001).all()


def test_an_orthogonal_matrix_keeps_the_norm_and_tanh_takes_from_it():
    one = fresh_models(SIZE)["orthogonal U"]
    _, (linear, *_) = answer(one, 60, activation="none")
    assert linear.max() / linear.min() < 1.02
    _, (norms, slopes, *_) = answer(one, 60, activation="tanh")
    assert (norms[0, :-1] <= norms[0, 1:] * 1.001).all() and (slopes < 1).all()


def test_a_chain_grows_first_and_fades_in_the_long_run():
    _, (norms, *_, bounds) = answer(fresh_models(SIZE)["chained U"], 60, activation="none", seed=3)
    gains = norms[0].flip(0) / norms[0, -1]
    assert bounds[2] < 0.61 and gains.max() > 5 and 3 < gains.argmax() < 20
    assert gains[-1] < 1e-3


def test_fresh_models_differ_in_nothing_but_the_recurrent_matrix():
    before = torch.get_rng_state()
    first, *others = fresh_models(SIZE).values()
    assert torch.equal(torch.get_rng_state(), before)  # the reader's random numbers stay
    for other in others:
        differ = [
            name
            for (name, a), b in zip(first.named_parameters(), other.parameters(), strict=True)
            if not torch.equal(a, b)
        ]
        assert differ == ["stack.cells.0.weight_hh"]
    for one, (least, most, radius) in {
        "random U": (0.03, 1.84, 1.0),
        "orthogonal U": (1.0, 1.0, 1.0),
        "chained U": (0.03, 1.55, 0.6),
    }.items():
        U = fresh_models(SIZE)[one].stack.cells[0].weight_hh.detach()
        assert spectrum(U).tolist() == pytest.approx([least, most, radius], abs=6e-3)


def test_the_spectrum_of_a_shear_by_hand():
    shear = torch.tensor([[1.0, 1.0], [0.0, 1.0]])  # the golden ratio, its inverse, and 1
    assert spectrum(shear).tolist() == pytest.approx([0.618, 1.618, 1.0], abs=1e-3)


@pytest.mark.parametrize("size", [1e-38, 1e-30, 1.0, 1e30])
def test_a_norm_needs_no_squares_that_float32_could_hold(size):
    assert norm(torch.tensor([[3.0, 4.0]]) * size).item() == pytest.approx(5 * size, rel=1e-4)


def test_a_norm_of_zero_infinity_and_nan_is_just_that():
    rows = torch.tensor([[0.0, 0.0], [1.0, math.inf], [1.0, math.nan]])
    assert norm(rows)[:2].tolist() == [0.0, math.inf] and norm(rows)[2].isnan()


def test_it_computes_where_its_model_is():
    module = GradientThroughTime(model()).to("meta")  # a device that any machine has
    one, place = torch.ones(1, device="meta"), torch.zeros(1, dtype=torch.long, device="meta")
    told = module(place[None], place, one, place, one)
    assert {value.device.type for value in told} == {"meta"}


def test_the_widget_holds_what_its_view_needs():
    widget = gradient_widget({"a": model()}, VOCAB, TEXT, scale=0.7, activation="relu", length=9)
    settings = widget.settings
    assert settings["tokens"] == list(TEXT) and VOCAB.decode(settings["ids"]) == list(TEXT)
    assert (settings["scale"], settings["activation"], settings["length"]) == (0.7, "relu", 9)
    asked = VOCAB.encode(TEXT)
    told = GradientThroughTime(model())(
        torch.tensor([asked[-10:-1]]), torch.tensor(asked[-1:]), *map(torch.tensor, ([0.7], [1], [math.inf]))
    )
    assert widget.first["norms"]["data"] == pytest.approx(told[0][0].tolist(), rel=1e-3)
    json.dumps(widget.get_state()["first"], allow_nan=False)


def test_without_a_length_it_reads_fifty_letters_or_all():
    assert gradient_widget({"a": model()}, VOCAB, TEXT[:21]).settings["length"] == 20
    assert gradient_widget({"a": model()}, VOCAB, (TEXT * 3)[: LIMIT + 1]).settings["length"] == 50


def diverged():
    one = model()
    with torch.no_grad():
        one.head.weight[0, 0] = math.nan
    return one


def stacked():
    return RecurrentLanguageModel(LanguageModelConfig(SIZE, "rnn", width=5, hidden=9, layers=2))


@pytest.mark.parametrize(
    ("models", "text", "options", "problem"),
    [
        ({}, TEXT, {}, "no model: give at least one"),
        ({"a": model()}, "", {}, "0 characters; give 2 to 101"),
        ({"a": model()}, "a", {}, "1 characters; give 2 to 101"),
        ({"a": model()}, TEXT * 3, {}, "108 characters; give 2 to 101"),
        ({"a": model()}, "abc?", {}, r"QUESTION MARK\) is not among"),
        ({"a": model()}, TEXT, {"scale": 0}, "scale is 0; the slider goes from 0.1 to 3"),
        ({"a": model()}, TEXT, {"scale": math.nan}, "scale is nan"),
        ({"a": model()}, TEXT, {"activation": "sigmoid"}, "'sigmoid'; there are tanh, relu, none"),
        ({"a": model()}, TEXT, {"length": 0}, "length is 0; the text has 1 to 35 steps"),
        ({"a": model()}, TEXT, {"length": 36}, "length is 36; the text has 1 to 35 steps"),
        (
            {"a": model(), "b": model("lstm")},
            TEXT,
            {},
            "b is made of lstm cells; this widget shows rnn or relu",
        ),
        ({"a": stacked()}, TEXT, {}, "a has 2 layers; this widget shows one"),
        ({"a": model(vocab_size=7)}, TEXT, {}, "a knows 7 characters, but the vocabulary has 12"),
        ({"a": diverged()}, TEXT, {}, "a holds NaN or ∞"),
        (
            {"a": fresh_models(SIZE)["random U"]},
            (TEXT * 3)[:101],
            {"scale": 3, "length": 100, "activation": "none"},
            "beyond float32",
        ),
    ],
)
def test_the_widget_says_what_it_takes(models, text, options, problem):
    with pytest.raises((ValueError, KeyError), match=problem):
        gradient_widget(models, VOCAB, text, **options)
