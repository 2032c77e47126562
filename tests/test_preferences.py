"""Preferences: losses against numbers worked by hand, two ways of learning against the exact optimum."""

import itertools
import math

import pytest
import torch
from torch import nn

from vec2gpt.preferences import (
    RewardModel,
    best_of,
    best_of_base,
    best_of_kl,
    chooses_first,
    clipped_loss,
    dpo_loss,
    implied_reward,
    kl,
    kl_of_samples,
    leashed,
    leave_one_out,
    log_likelihood,
    policy_gradient_loss,
    positive_kl_of_samples,
    preference_loss,
    tilted,
)

LETTERS, LENGTH = 3, 3
BETA = 0.5


class Table(nn.Module):
    """A language model of which every text can be listed: logits by the token before, and by the place."""

    def __init__(self, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.logits = nn.Parameter(torch.randn(LENGTH, LETTERS, LETTERS, generator=generator).double())

    def forward(self, ids):
        return self.logits[torch.arange(ids.shape[1]), ids], None


def every():
    """All 27 texts of three letters, behind a prompt of one."""
    texts = list(itertools.product(range(LETTERS), repeat=LENGTH))
    ids = torch.tensor([(0, *text) for text in texts])
    return ids, (torch.arange(LENGTH + 1) > 0).expand_as(ids)


def distribution(model):
    return log_likelihood(model, *every())


def rewards(ids):
    """Such that the optimum is no surprise to a table: a sum over neighbours."""
    worth = torch.tensor([[0.0, 1.0, -1.0], [0.5, -1.0, 2.0], [1.5, 0.0, -0.5]]).double()
    return worth[ids[:, :-1], ids[:, 1:]].sum(1)


# ---- likelihood ----


def test_all_texts_together_are_certain():
    assert distribution(Table()).exp().sum().item() == pytest.approx(1)


def test_only_the_answer_is_judged():
    model, ids = Table(), torch.tensor([[0, 2, 1, 1], [1, 0, 2, 2]])
    log_p = model.logits.log_softmax(-1)
    answers = torch.tensor([[False, False, True, False], [False, True, True, False]])
    by_hand = torch.stack([log_p[1, 2, 1], log_p[0, 1, 0] + log_p[1, 0, 2]])
    torch.testing.assert_close(log_likelihood(model, ids, answers), by_hand)


def test_who_knows_nothing_says_t_log_v():
    model = Table()
    nn.init.zeros_(model.logits)
    torch.testing.assert_close(distribution(model), torch.full((27,), -3 * math.log(3)).double())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ids, answers: (ids[0], answers[0]), r"\(4,\) and \(4,\): give \(B, T\)"),
        (lambda ids, answers: (ids, answers[:, 1:]), r"\(27, 4\) and \(27, 3\)"),
        (lambda ids, answers: (ids, answers.long()), "torch.int64: give True"),
        (lambda ids, answers: (ids, answers & False), "text 0 has no answer"),
        (lambda ids, answers: (ids, answers | True), "begins with its text: put a prompt"),
        (lambda ids, answers: (ids[:0], answers[:0]), "no text"),
    ],
)
def test_answers_that_cannot_be_judged(change, message):
    with pytest.raises(ValueError, match=message):
        log_likelihood(Table(), *change(*every()))


# ---- rewards from choices ----


def test_choices_by_hand():
    loss = preference_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 0.0]))
    assert loss.item() == pytest.approx((math.log(1 + math.exp(-1)) + math.log(2)) / 2)
    shifted = preference_loss(torch.tensor([8.0, 7.0]), torch.tensor([7.0, 7.0]))
    assert shifted.item() == pytest.approx(loss.item(), abs=1e-6)  # only differences count


def test_a_judge_chooses_by_chance_as_often_as_bradley_and_terry_say():
    u = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    said = chooses_first(torch.ones(20_000), torch.zeros(20_000), u)
    assert said.float().mean().item() == pytest.approx(0.731, abs=0.01)


def test_a_reward_begins_at_nothing_and_finds_what_is_chosen():
    """A judge without noise likes letter 2, whatever stands around it."""
    torch.manual_seed(0)
    ids, answers = (part[:, 1:] for part in every())
    model = RewardModel(Table().float(), vocab_size=LETTERS)
    assert (model(ids, answers) == 0).all()
    worth = (ids == 2).sum(1)
    first, second = (worth[:, None] > worth).nonzero(as_tuple=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(60):
        reward = model(ids, answers)
        optimizer.zero_grad()
        preference_loss(reward[first], reward[second]).backward()
        optimizer.step()
    assert (reward[first] > reward[second]).float().mean() == 1


def test_padding_does_not_change_a_reward():
    model = RewardModel(Table().float(), vocab_size=LETTERS)
    nn.init.ones_(model.head.weight)
    with torch.no_grad():
        model.head.weight[0, 1] = 3
    ids = torch.tensor([[0, 2, 1], [0, 2, 0]])
    answers = torch.tensor([[False, True, False]]).expand(2, 3)
    one, other = model(ids, answers).tolist()
    assert one == other != 0


def test_a_reward_of_no_answer():
    ids, answers = every()
    with pytest.raises(ValueError, match="text 0 has no answer"):
        RewardModel(Table(), vocab_size=LETTERS)(ids[:, 1:], answers[:, 1:] & False)


# ---- policy gradient ----


def test_the_advantage_is_over_the_mean_of_the_others():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(3, 7, generator=generator).double()
    others = torch.stack([torch.cat([values[:, :n], values[:, n + 1 :]], 1).mean(1) for n in range(7)], 1)
    torch.testing.assert_close(leave_one_out(values), values - others)
    with pytest.raises(ValueError, match="give 2 or more"):
        leave_one_out(values[:, :1])


def test_the_gradient_is_that_of_the_expected_reward():
    """Over all texts, each weighed by its probability, the sampled gradient is exact."""
    model, ids = Table(), every()[0]
    log_p = distribution(model)
    (log_p.exp() * rewards(ids)).sum().backward()
    exact, model.logits.grad = model.logits.grad, None
    log_p = distribution(model)
    advantage = rewards(ids) - 0.3  # any baseline will do
    policy_gradient_loss(log_p, 27 * log_p.exp() * advantage).backward()
    torch.testing.assert_close(-model.logits.grad, exact)


def test_a_clipped_ratio_is_the_policy_gradient_at_first_and_nothing_once_it_is_far():
    log_old, advantage = torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([1.0, -2.0, 0.5])
    log_p = log_old.clone().requires_grad_()
    clipped_loss(log_p, log_old, advantage).backward()
    torch.testing.assert_close(log_p.grad, -advantage / 3)
    far = (log_old + torch.tensor([0.3, -0.3, -0.3])).requires_grad_()
    clipped_loss(far, log_old, advantage).backward()
    assert far.grad[:2].tolist() == [0, 0]  # far enough where it should go
    assert far.grad[2].item() == pytest.approx(-0.5 * math.exp(-0.3) / 3)  # but it may come back
    for clip in (0, 1, -0.2):
        with pytest.raises(ValueError, match=f"clip is {clip}"):
            clipped_loss(log_p, log_old, advantage, clip=clip)


# ---- the optimum, and who reaches it ----


def test_tilted_by_hand():
    found = tilted(torch.tensor([0.5, 0.5]).log(), torch.tensor([0.0, 1.0]), beta=1).exp()
    assert found.tolist() == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])


def objective(log_p, log_base, reward):
    return (log_p.exp() * reward).sum() - BETA * kl(log_p, log_base)


def test_nothing_is_better_than_tilted_and_its_worth_is_known():
    """The maximum is β log Σ π₀ exp(r / β)."""
    ids, _ = every()
    log_base, reward = distribution(Table()).detach(), rewards(ids)
    best = objective(tilted(log_base, reward, beta=BETA), log_base, reward)
    assert best.item() == pytest.approx((BETA * (log_base + reward / BETA).logsumexp(0)).item())
    for seed in range(20):
        noise = torch.randn(27, generator=torch.Generator().manual_seed(seed)).double()
        other = (tilted(log_base, reward, beta=BETA) + 0.3 * noise).log_softmax(0)
        assert objective(other, log_base, reward) < best


def test_the_reward_that_the_optimum_implies_is_the_reward():
    ids, _ = every()
    log_base, reward = distribution(Table()).detach(), rewards(ids)
    implied = implied_reward(tilted(log_base, reward, beta=BETA), log_base, beta=BETA)
    torch.testing.assert_close(implied - implied[0], reward - reward[0])


def learned(loss, steps=400):
    model = Table()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(distribution(model)).backward()
        optimizer.step()
    return distribution(model).detach()


@pytest.fixture(scope="module")
def wanted():
    ids, _ = every()
    log_base, reward = distribution(Table()).detach(), rewards(ids)
    return log_base, reward, tilted(log_base, reward, beta=BETA)


def test_the_policy_gradient_reaches_tilted(wanted):
    """In expectation: every text is weighed by how often it would be written."""
    log_base, reward, best = wanted

    def loss(log_p):
        worth = leashed(reward, log_p, log_base, beta=BETA)
        expected = (log_p.detach().exp() * worth).sum()
        return policy_gradient_loss(log_p, 27 * log_p.detach().exp() * (worth - expected))

    assert kl(learned(loss), best).item() < 1e-3


def test_dpo_reaches_tilted_from_choices_alone(wanted):
    """Every pair is asked, as often each way as the judge says."""
    log_base, reward, best = wanted
    first, second = torch.triu_indices(27, 27, offset=1)
    chosen = torch.sigmoid(reward[first] - reward[second])

    def loss(log_p):
        pairs = ((first, second, chosen), (second, first, 1 - chosen))
        return sum(
            (p * torch.stack([_dpo(log_p, log_base, a, b) for a, b in zip(x, y, strict=True)])).mean()
            for x, y, p in pairs
        )

    # one pair at a time is slow, so the same sum is written out, and the two are compared once
    def fast(log_p):
        implied = implied_reward(log_p, log_base, beta=BETA)
        margin = implied[first] - implied[second]
        sigmoid = nn.functional.logsigmoid
        return -(chosen * sigmoid(margin) + (1 - chosen) * sigmoid(-margin)).mean()

    begin = distribution(Table(1))
    torch.testing.assert_close(loss(begin), fast(begin))
    assert kl(learned(fast), best).item() < 1e-3


def _dpo(log_p, log_base, a, b):
    return dpo_loss(log_p[a, None], log_p[b, None], log_base[a, None], log_base[b, None], beta=BETA)


def test_dpo_moves_nothing_in_the_base():
    base = torch.tensor([-1.0, -2.0], requires_grad=True)
    log_p = torch.tensor([-1.0, -2.0], requires_grad=True)
    dpo_loss(log_p, log_p - 1, base, base, beta=0.1).backward()
    assert base.grad is None and log_p.grad is not None


# ---- how far ----


def test_samples_tell_the_divergence():
    """Over all texts, weighed, both estimates are the divergence itself."""
    log_p, log_base = (distribution(Table(seed)).detach() for seed in (1, 2))
    exact = kl(log_p, log_base)
    plain, positive = kl_of_samples(log_p, log_base), positive_kl_of_samples(log_p, log_base)
    for each in (plain, positive):
        torch.testing.assert_close((log_p.exp() * each).sum(), exact)
    assert plain.min() < 0 <= positive.min()
    near = (log_p + 0.05 * (log_base - log_p)).log_softmax(0)  # close by the positive one varies less
    assert positive_kl_of_samples(near, log_p).std() < kl_of_samples(near, log_p).std()


def test_what_is_never_said_costs_nothing():
    assert kl(torch.tensor([0.0, -math.inf]), torch.tensor([0.5, 0.5]).log()).item() == pytest.approx(
        math.log(2)
    )


# ---- the best of n ----


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_best_of_n_by_all_draws(n):
    values = torch.tensor([3.0, 1.0, 4.0, 1.5, 9.0])
    draws = list(itertools.combinations(range(5), n))
    best = [max(draw, key=values.tolist().__getitem__) for draw in draws]
    wanted = [best.count(text) / len(draws) for text in range(5)]
    assert best_of(values, n=n).tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_best_of_n_of_a_base_by_all_draws(n):
    log_base = torch.tensor([0.5, 0.2, 0.3]).double().log()
    reward = torch.tensor([1.0, 3.0, 2.0]).double()
    wanted = [0.0, 0.0, 0.0]
    for draw in itertools.product(range(3), repeat=n):
        wanted[max(draw, key=reward.tolist().__getitem__)] += math.prod(
            log_base.exp()[text].item() for text in draw
        )
    assert best_of_base(log_base, reward, n=n).exp().tolist() == pytest.approx(wanted)


def test_log_n_less_something_is_a_bound_and_near_it_only_where_texts_are_rare():
    generator = torch.Generator().manual_seed(0)
    for count, near in [(4, False), (20_000, True)]:
        log_base = torch.zeros(count).double().log_softmax(0)
        reward = torch.randn(count, generator=generator).double()
        exact = kl(best_of_base(log_base, reward, n=8), log_base).item()
        assert exact <= best_of_kl(8) + 1e-9
        assert (exact > best_of_kl(8) - 0.01) == near
    assert best_of_kl(1) == 0 and best_of_kl(16) == pytest.approx(1.835, abs=1e-3)


# ---- bad input ----


@pytest.mark.parametrize("beta", [-1, math.inf, math.nan])
def test_a_leash_of_no_strength(beta):
    one = torch.zeros(1)
    with pytest.raises(ValueError, match="beta is"):
        leashed(one, one, one, beta=beta)
    for wrong in (beta, 0):
        for ask in (tilted, implied_reward):
            with pytest.raises(ValueError, match="beta is"):
                ask(one, one, beta=wrong)
    assert leashed(one + 2, one + 9, one, beta=0).item() == 2  # 0 is no leash


def test_numbers_that_do_not_go_together():
    two, three = torch.zeros(2), torch.zeros(3)
    for call in (
        lambda: preference_loss(two, three),
        lambda: preference_loss(two, two[:1]),
        lambda: policy_gradient_loss(two, three[:, None]),
        lambda: clipped_loss(two, three, two),
        lambda: dpo_loss(two, two, three, two, beta=1),
        lambda: leashed(two, three[:, None], two, beta=1),
        lambda: kl_of_samples(two, three[:, None]),
        lambda: tilted(two, three, beta=1),
        lambda: kl(two, three),
    ):
        with pytest.raises(ValueError, match="do not go together"):
            call()


@pytest.mark.parametrize(("n", "message"), [(0, "at least 1"), (1.5, "whole"), (4, "N ≥ n")])
def test_a_best_of_none_or_of_more_than_there_are(n, message):
    with pytest.raises(ValueError, match=message):
        best_of(torch.zeros(3), n=n)


def test_a_best_is_of_one_list_of_texts():
    for wrong in (torch.zeros(2, 3), torch.zeros(0), torch.tensor(1.0)):
        with pytest.raises(ValueError, match=r"give one number for each text, \(N,\)"):
            best_of(wrong, n=1)
        with pytest.raises(ValueError, match=r"give one number for each text, \(N,\)"):
            best_of_base(wrong, wrong, n=1)
