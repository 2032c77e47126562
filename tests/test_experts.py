"""vec2gpt.experts: each token through a few of many feed-forwards."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.blocks import FeedForward, GatedFeedForward
from vec2gpt.experts import BALANCE, Experts, Routing, also, imbalance, numbers
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.training import fit, windows

D, E = 6, 5


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def experts(active, *, kind=FeedForward, count=E):
    layer = Experts(partial(kind, D, inner=7), width=D, experts=count, active=active).double().eval()
    nn.init.normal_(layer.router.weight)
    return layer


def some(*shape):
    return torch.randn(*shape, D, dtype=torch.double)


@pytest.mark.parametrize("active", [1, 2, E])
def test_each_token_gets_the_answers_of_those_most_probable(active):
    layer, x = experts(active), some(2, 4)
    for token, got in zip(x.flatten(0, 1), layer(x).flatten(0, 1), strict=True):
        p = (layer.router.weight @ token).softmax(0)
        asked = p.sort(descending=True).indices[:active]
        total = 1 if active == 1 else sum(p[n] for n in asked)
        torch.testing.assert_close(got, sum(p[n] / total * layer.experts[n](token) for n in asked))


@pytest.mark.slow
def test_two_of_some_are_those_of_mixtral():
    transformers = pytest.importorskip("transformers")
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    theirs = MixtralSparseMoeBlock(
        transformers.MixtralConfig(
            hidden_size=D, intermediate_size=7, num_local_experts=E, num_experts_per_tok=2, hidden_act="silu"
        )
    ).double()
    layer, x = experts(2, kind=GatedFeedForward), some(3, 8)
    with torch.no_grad():
        theirs.gate.weight.copy_(layer.router.weight)
        for n, expert in enumerate(layer.experts):
            for part in (expert.gate, expert.inner, expert.output):
                part.bias.zero_()
            theirs.experts.gate_up_proj[n] = torch.cat([expert.gate.weight, expert.inner.weight])
            theirs.experts.down_proj[n] = expert.output.weight
    found = theirs(x)
    found = found[0] if isinstance(found, tuple) else found
    torch.testing.assert_close(layer(x), found, atol=1e-6, rtol=0)  # their router computes in float32


@pytest.mark.slow
def test_the_balancing_loss_is_theirs():
    modeling = pytest.importorskip("transformers.models.mixtral.modeling_mixtral")
    layer, x = experts(2), some(30)
    theirs = modeling.load_balancing_loss_func((layer.router(x),), E, 2) / 2  # theirs sums over both choices
    torch.testing.assert_close(imbalance(layer.route(x)), theirs.double(), atol=1e-6, rtol=0)


def test_balance_is_1_and_one_for_all_is_e():
    even = Routing(torch.full((E, E), 1 / E), torch.arange(E)[:, None], torch.ones(E, 1))
    assert imbalance(even).item() == pytest.approx(1)
    one = torch.zeros(4, dtype=torch.long)
    assert imbalance(Routing(F.one_hot(one, E).float(), one[:, None], torch.ones(4, 1))).item() == E


def test_an_expert_that_nobody_asks_computes_nothing_and_has_the_gradient_0():
    layer, x = experts(1), some(1)
    (asked,) = layer.route(x).experts[0].tolist()
    layer(x).sum().backward()
    for n, expert in enumerate(layer.experts):
        assert all(weight.grad.any() == (n == asked) for weight in expert.parameters())


def test_the_router_learns_from_the_answer_even_of_one():
    layer = experts(1)
    layer(some(8)).square().sum().backward()
    assert layer.router.weight.grad.abs().max() > 1e-3


def test_also_adds_a_gradient_and_changes_no_number():
    x, w = some(3).requires_grad_(), torch.tensor(2.0, dtype=torch.double, requires_grad=True)
    y = also(x, w**2)
    assert torch.equal(y, x)
    (5 * y).sum().backward()
    assert (x.grad == 5).all() and w.grad == 4  # of w², whatever y is multiplied by


def test_in_training_the_router_is_pulled_to_balance_and_otherwise_not():
    layer, x = experts(2), some(40)
    gradients = []
    for training in (False, True):
        layer.train(training).zero_grad()
        layer(x).sum().backward()
        gradients.append(layer.router.weight.grad.clone())
    (pull,) = torch.autograd.grad(BALANCE * imbalance(layer.route(x)), layer.router.weight)
    torch.testing.assert_close(gradients[1] - gradients[0], pull)


def test_the_loss_of_a_gpt_is_that_of_its_tokens():
    model = GPT(GPTConfig(9, experts=4, width=16, heads=2, layers=1))
    ids = torch.randint(9, (2, 5))
    logits, loss = model.train()(ids, ids)
    torch.testing.assert_close(loss, F.cross_entropy(logits.flatten(0, 1), ids.flatten()))


def test_a_gpt_of_experts_learns_and_keeps_all_of_them_in_work():
    text = torch.arange(7).repeat(60)
    model = GPT(GPTConfig(7, experts=4, active=1, width=16, heads=2, layers=1, context=8))
    history = fit(model, windows(text, length=8, size=16), steps=60, lr=1e-2)
    assert history.losses[-1] < 0.5 < history.losses[0]


@pytest.mark.parametrize("active", [1, 3])
def test_numbers_are_all_and_those_that_one_token_meets(active):
    style = {"width": 16, "heads": 2, "layers": 3, "context": 8}
    plain, many = GPT(GPTConfig(9, **style)), GPT(GPTConfig(9, experts=4, active=active, **style))
    (all_of, same), (total, met) = numbers(plain), numbers(many)
    feed_forward = sum(weight.numel() for weight in FeedForward(16).parameters())
    assert all_of == same == sum(weight.numel() for weight in plain.parameters())
    assert total == all_of + 3 * (3 * feed_forward + 16 * 4)
    assert met == all_of + 3 * ((active - 1) * feed_forward + 16 * 4)


@pytest.mark.parametrize("active", [0, 6])
def test_more_than_there_are_cannot_be_asked(active):
    with pytest.raises(ValueError, match=f"active is {active}: give 1 to 5, of so many experts"):
        experts(active)
