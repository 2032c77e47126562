"""Preferences: a model is taught by what people like, where no one can write down the right answer.

Christiano et al. 2017; of texts Stiennon et al. 2020 and Ouyang et al. 2022 (InstructGPT). Which of two
answers is better is easily said, and what *good* means is not. So one asks for choices, fits a reward to them
(Bradley & Terry 1952),

    P(a is preferred to b) = σ(r(a) − r(b))

and tunes the model π to write what is rewarded. A reward that is fitted is wrong somewhere, and what is tuned
finds out where. So the model is kept on a leash to what it was, π₀, of a strength β:

    maximise  E r(y) − β KL(π ‖ π₀)           the best there is:  π(y) ∝ π₀(y) exp(r(y) / β)

It is reached by trial, with a policy gradient (Williams 1992, here with the baseline of Kool et al. 2019), or
from the choices at once, as DPO does (Rafailov et al. 2023): the optimum, solved for r, says what reward a
model implies, β log π(y) / π₀(y), and that is fitted to the choices in r's place.

A text is rewarded as a whole. Left out: a value for each token, which PPO learns beside the policy.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vec2gpt.checks import check_sizes
from vec2gpt.unrolling import is_exporting

# ---- a text, and how likely it is ----


def log_likelihood(model: nn.Module, ids: Tensor, answers: Tensor) -> Tensor:
    """log π(answer | prompt) in nats, (B,), of texts ids (B, T): the sum over the tokens of the answer.

    answers: (B, T), True where a token is of the answer. What is False is read and not judged: the prompt
    before the answer, and padding behind it. A model that knows nothing says −T log V of T tokens.

    ValueError for an answer that begins with the text: nothing comes before it that could foretell it.
    """
    _check_answers(ids, answers)
    if not is_exporting() and answers[:, 0].any():
        raise ValueError("an answer begins with its text: put a prompt before it, of one token at least")
    logits, _ = model(ids[:, :-1])
    log_p = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]  # (B, T − 1)
    return log_p.where(answers[:, 1:], 0).sum(1)


# ---- choices and the reward that explains them ----


class RewardModel(nn.Module):
    """How good a text is, one number: a line through what a language model says to it.

    body: a GPT, or what else returns logits (B, T, V) first; tune it with the line. The logits are averaged
    over the answer, where most take the last token's state. The first reward of all texts is 0.
    """

    def __init__(self, body: nn.Module, *, vocab_size: int):
        super().__init__()
        self.body = body
        self.head = nn.Linear(vocab_size, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, answers: Tensor) -> Tensor:
        """ids, answers (B, T), as for `log_likelihood` -> rewards (B,)."""
        _check_answers(ids, answers)
        of = answers[..., None].to(self.head.weight.dtype)  # (B, T, 1)
        logits, _ = self.body(ids)
        return self.head((logits * of).sum(1) / of.sum(1))[:, 0]


def preference_loss(better: Tensor, worse: Tensor) -> Tensor:
    """How surprised a reward is by choices: −log σ(r(better) − r(worse)), the mean in nats.

    Of rewards that do not differ log 2 = 0.693. Only differences count: r + 1 explains what r does.
    """
    _check_alike(better=better, worse=worse)
    return -F.logsigmoid(better - worse).mean()


def chooses_first(first: Tensor, second: Tensor, u: Tensor) -> Tensor:
    """What a judge says to whom texts are worth so much, if the first is the better: (B,) of bool.

    u (B,): uniform numbers in [0, 1), for the judge is no rule: of worths 1 and 0 the first is chosen in 73
    of 100 cases.
    """
    return u < torch.sigmoid(first - second)


# ---- by trial: the policy gradient ----


def leashed(reward: Tensor, log_p: Tensor, log_base: Tensor, *, beta: float) -> Tensor:
    """r(y) − β (log π(y) − log π₀(y)): the reward less what it costs to have left the base, (B,).

    Its mean over texts that π wrote is what π maximises. At β = 0 there is no leash.
    """
    _check_beta(beta, least=0)
    _check_alike(reward=reward, log_p=log_p, log_base=log_base)
    return (reward - beta * (log_p - log_base)).detach()


def leave_one_out(rewards: Tensor) -> Tensor:
    """How much better each of rewards (…, B) is than the mean of the others: its advantage.

    That baseline does not know the text it is for, so the gradient stays right, and is far less noisy.

    >>> leave_one_out(torch.tensor([1.0, 2.0, 6.0])).tolist()
    [-3.0, -1.5, 4.5]
    """
    if (count := rewards.shape[-1]) < 2:
        raise ValueError(f"{count} text has no others to be compared with: give 2 or more")
    return (rewards - rewards.mean(-1, keepdim=True)) * count / (count - 1)


def policy_gradient_loss(log_p: Tensor, advantage: Tensor) -> Tensor:
    """−mean of A log π(y): its gradient makes likelier what was better than the others. Both (B,)."""
    _check_alike(log_p=log_p, advantage=advantage)
    return -(advantage.detach() * log_p).mean()


def clipped_loss(log_p: Tensor, log_old: Tensor, advantage: Tensor, *, clip: float = 0.2) -> Tensor:
    """PPO's (Schulman et al. 2017), for several steps on texts that an older policy wrote; all (B,).

    The ratio ρ = π / π_old weighs each text; once it is clip away from 1, in the direction that is rewarded,
    there is nothing more to gain. At ρ = 1 its gradient is that of `policy_gradient_loss`.
    """
    if not 0 < clip < 1:
        raise ValueError(f"clip is {clip}: give a share between 0 and 1, such as 0.2")
    _check_alike(log_p=log_p, log_old=log_old, advantage=advantage)
    ratio, advantage = (log_p - log_old.detach()).exp(), advantage.detach()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()


# ---- from the choices at once: DPO ----


def implied_reward(log_p: Tensor, log_base: Tensor, *, beta: float) -> Tensor:
    """β log π(y) / π₀(y): the reward, but for a constant, of which π would be the leash's optimum."""
    _check_beta(beta)
    _check_alike(log_p=log_p, log_base=log_base)
    return beta * (log_p - log_base)


def dpo_loss(
    better: Tensor, worse: Tensor, base_better: Tensor, base_worse: Tensor, *, beta: float
) -> Tensor:
    """`preference_loss` of the rewards that π implies; log-likelihoods (B,) of π, then of the base."""
    _check_alike(better=better, worse=worse, base_better=base_better, base_worse=base_worse)
    of_better, of_worse = (
        implied_reward(log_p, log_base.detach(), beta=beta)
        for log_p, log_base in [(better, base_better), (worse, base_worse)]
    )
    return preference_loss(of_better, of_worse)


# ---- what can be had: exactly, where all texts can be listed ----


def tilted(log_base: Tensor, reward: Tensor, *, beta: float) -> Tensor:
    """log π of the leash's optimum, π ∝ π₀ exp(r / β), over all texts there are, (…, N).

    Of two texts as likely, of rewards 0 and 1, at β = 1: 0.27 and 0.73. As β grows π₀ comes back.
    """
    _check_beta(beta)
    _check_alike(log_base=log_base, reward=reward)
    return (log_base + reward / beta).log_softmax(-1)


def kl(log_p: Tensor, log_base: Tensor) -> Tensor:
    """KL(π ‖ π₀) in nats, (…), of two distributions over all texts there are, (…, N). 0 log 0 is 0."""
    _check_alike(log_p=log_p, log_base=log_base)
    return torch.where(log_p > -math.inf, log_p.exp() * (log_p - log_base), 0).sum(-1)


# ---- and from samples, where they cannot ----


def kl_of_samples(log_p: Tensor, log_base: Tensor) -> Tensor:
    """For texts that π wrote, one number each whose mean is KL(π ‖ π₀): log π / π₀. Some are below 0."""
    _check_alike(log_p=log_p, log_base=log_base)
    return log_p - log_base


def positive_kl_of_samples(log_p: Tensor, log_base: Tensor) -> Tensor:
    """The same mean, of numbers that are never below 0 (Schulman 2020): ρ − 1 − log ρ with ρ = π₀ / π.

    The mean of ρ is 1, if π can write all that π₀ does, so it is added for nothing. It varies less where π is
    near π₀, and far more where it is not.
    """
    _check_alike(log_p=log_p, log_base=log_base)
    log_ratio = log_base - log_p
    return log_ratio.expm1() - log_ratio


# ---- with no training at all: the best of n ----


def best_of(values: Tensor, *, n: int) -> Tensor:
    """How likely each of N texts is to be the best of n that are drawn of them without repeats, (N,).

    values (N,): by which is chosen; of equal ones the later counts as better. The mean of anything, so
    weighed, is what the best of n has of it: from N = 256 samples one reads off every n at once.

    >>> best_of(torch.tensor([5.0, 1.0, 3.0]), n=2).tolist()
    [0.6666666865348816, 0.0, 0.3333333432674408]
    """
    check_sizes(n=n)
    _check_list(values=values)
    if n > len(values):
        raise ValueError(f"n is {n}, but there are {len(values)} values: give N ≥ n")
    rank = values.argsort(stable=True).argsort()  # so many texts are worse
    count = len(values)
    ways = [math.comb(worse, n - 1) / math.comb(count, n) for worse in range(count)]
    return torch.tensor(ways, device=values.device)[rank]


def best_of_base(log_base: Tensor, reward: Tensor, *, n: int) -> Tensor:
    """log-probabilities (N,) of the best of n texts that π₀ writes, over all texts there are.

    The best is text y, if none is better and not all are worse: P(r ≤ r(y))ⁿ − P(r < r(y))ⁿ, where no two
    rewards are equal; of equal ones the later counts as better.
    """
    check_sizes(n=n)
    _check_alike(log_base=log_base, reward=reward)
    _check_list(reward=reward)
    order = reward.argsort(stable=True)
    up_to = log_base.exp()[order].cumsum(-1).clamp(max=1)
    below = F.pad(up_to, (1, 0))[:-1]
    return torch.zeros_like(log_base).scatter(-1, order, (up_to**n - below**n).log())


def best_of_kl(n: int) -> float:
    """log n − (n − 1) / n nats: the most that the best of n can be away from what writes them.

    It is often given as *the* KL. It comes near it where rewards differ and every text is rare; where few
    texts are likely the best of n is nearer (Beirami et al. 2024). Of 16 it is 1.835.
    """
    check_sizes(n=n)
    return math.log(n) - (n - 1) / n


# ---- bad input ----


def _check_answers(ids: Tensor, answers: Tensor) -> None:
    """Each text has an answer; an exported graph does not ask."""
    if is_exporting():
        return
    if not ids.numel():
        raise ValueError("there is no text: give at least one")
    if ids.dim() != 2 or ids.shape != answers.shape:
        shapes = tuple(ids.shape), tuple(answers.shape)
        raise ValueError("ids and answers have the shapes {} and {}: give (B, T) both".format(*shapes))
    if answers.dtype != torch.bool:
        raise ValueError(f"answers are of {answers.dtype}: give True where a token is of the answer")
    if not answers.any(1).all():
        row = answers.any(1).tolist().index(False)
        raise ValueError(f"text {row} has no answer: mark at least one of its tokens")


def _check_alike(**tensors: Tensor) -> None:
    """They are of one shape, for a number too many would be spread over all without a word."""
    if len({value.shape for value in tensors.values()}) > 1:
        told = ", ".join(f"{name} {tuple(value.shape)}" for name, value in tensors.items())
        raise ValueError(f"these do not go together: {told}; give one number for each text")


def _check_list(**given: Tensor) -> None:
    [(name, values)] = given.items()
    if values.dim() != 1 or not len(values):
        raise ValueError(f"{name} has the shape {tuple(values.shape)}: give one number for each text, (N,)")


def _check_beta(beta: float, least: float | None = None) -> None:
    if not (math.isfinite(beta) and (beta > 0 or beta == least)):
        raise ValueError(f"beta is {beta}: give a number above 0, such as 0.1")
