"""The leash: passages that tuned policies write, what the reward and the judge make of them (chapter 13).

A policy that is tuned to please a reward goes as far from its base as its leash lets it (Ouyang et al. 2022),
and further than the reward can be trusted (Gao, Schulman & Hilton 2023). The reader chooses the leash: that
policy writes, the reward model reads what it wrote, the judge's rule is counted word by word, and each
character shows how much likelier the tuning made it.

The base is in the graph once. Of each policy, and of the reward's body, there are A and B (see `lora`); the
chosen ones are added to the base's matrices before the first character, and then cost nothing.
"""

import copy
from collections.abc import Mapping, Sequence
from math import isfinite

import torch
from torch import Tensor, nn
from torch.func import functional_call

from vec2gpt.adapters import REWARD, Adapters
from vec2gpt.checks import check_sizes
from vec2gpt.decoding import sample
from vec2gpt.gpt import GPT
from vec2gpt.lora import LoRA
from vec2gpt.preferences import RewardModel
from vec2gpt.recipes.assistant.judge import FOR_AGAIN, FOR_KIND, KIND
from vec2gpt.recipes.assistant.passages import LENGTH, PROMPTS
from vec2gpt.text import Vocab
from vec2gpt.unrolling import unroll
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.models import check_finite

PASSAGES = 4  # written at a time
MOST = 16
BASE = "base"  # what the policy is called that no one tuned
OUTPUTS = ["written", "own", "base", "reward"]


class Leash(nn.Module):
    """Write with a policy, and judge: which (1,), ids (B, P), u (B, N) in [0, 1) →

    written (B, N): what `decoding.continue_with` writes at temperature 1. own, base (B, N): log π of each
    character that is written, and log π₀, in nats. reward (B,): of the passages without their prompts.

    which: 0 for the base itself, then the policies in their order, with A and B as `lora.adapt` made them.
    """

    def __init__(self, policies: Mapping[str, nn.Module], reward: RewardModel):
        super().__init__()
        places = [path for path, part in reward.body.named_modules() if isinstance(part, LoRA)]
        where = tuple({path.rpartition(".")[2]: None for path in places})
        self.kept = Adapters.of({**policies, REWARD: reward}, base=BASE, where=where)
        base = _plain(reward.body)
        self.writing = _Writing(base)
        self.judging = RewardModel(base, vocab_size=reward.head.in_features)
        self.judging.head = copy.deepcopy(reward.head)
        self.requires_grad_(False)

    def forward(self, which: Tensor, ids: Tensor, u: Tensor):
        tuned = self._tuned((which - 1).clamp(min=0), (which > 0).to(u.dtype))
        written, own = functional_call(self.writing, _under("model", tuned), (ids, u))
        text = torch.cat([ids, written], 1)  # (B, P + N)
        logits, _ = self.writing.model(text[:, :-1])
        base = _of(logits[:, ids.shape[1] - 1 :].log_softmax(-1), written)
        answers = torch.cat([torch.zeros_like(ids), torch.ones_like(written)], 1).bool()
        last = torch.full_like(which, len(self.kept.config.names) - 1)
        judge = _under("body", self._tuned(last, torch.ones_like(u[0, :1])))
        return written, own, base, functional_call(self.judging, judge, (text, answers))

    def _tuned(self, row: Tensor, much: Tensor) -> dict[str, Tensor]:
        """The matrices W + (α / r) B A of a row (1,), by place; `much` (1,) is 0 for W alone."""
        c, found = self.kept.config, {}
        for place, A, B in zip(c.places, self.kept.A, self.kept.B, strict=True):
            change = B.index_select(0, row)[0] @ A.index_select(0, row)[0]
            weight = self.writing.model.get_submodule(place).weight
            found[f"{place}.weight"] = weight + much * (c.alpha / c.rank) * change
        return found


class _Writing(nn.Module):
    """As `continue_with` at temperature 1, but tells log π of what is written not all probabilities."""

    def __init__(self, model: GPT):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        def write(carry, u):
            logits, state = carry
            log_p = logits.log_softmax(-1)
            token = sample(log_p.exp(), u)
            return self.model.step(token, state), (token, _of(log_p, token))

        read, state = self.model.read(ids, self.model.initial(len(ids)))
        return unroll(write, (read[:, -1], state), u)[1]


def _of(log_p: Tensor, ids: Tensor) -> Tensor:
    """log p of ids (…) among all, log_p (…, V)."""
    return log_p.gather(-1, ids[..., None])[..., 0]


def _under(part: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{part}.{name}": weight for name, weight in weights.items()}


def _plain(model: nn.Module) -> nn.Module:
    """A copy of an adapted model as it was before: each LoRA's own layer in its place."""
    model = copy.deepcopy(model)
    for path in [path for path, part in model.named_modules() if isinstance(part, LoRA)]:
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, model.get_submodule(path).linear)
    return model.eval()


Point = tuple[float, float, float]  # nats from the base, reward, taste; means of a passage


def leash_widget(
    policies: Mapping[str, nn.Module],
    reward: RewardModel,
    vocab: Vocab,
    *,
    curve: Mapping[str, Point] | None = None,
    prompts: Sequence[str] = PROMPTS,
    length: int = LENGTH,
    passages: int = PASSAGES,
    begin: str | None = None,
    seed: int = 0,
) -> LiveModel:
    """A slider over policies, the base first; what the chosen one writes, and how it is judged.

    policies: GPTs that `lora.adapt` made of one base, by name, in the slider's order; reward: a model whose
    body was made of the same base in the same way. From the checkpoint: `Adapters.policy` and `.reward`.
    curve: what was measured, by name: (nats, reward, taste); names that are no policies, such as "best of 4",
    are shown beside. Names that differ in a last number alone, such as "gradient 0.5", make one line.
    prompts: of one length; length: characters that are written; passages: how many, 1 to 16. begin: the
    policy to begin with, "base" by default. seed: of the random numbers.

    >>> leash_widget({"gradient 1": tuned}, reward, vocab, curve={"base": (0.0, 0.0, 0.3)})
    LiveModel(leash: which, ids, u → written, own, base, reward)
    """
    names = [BASE, *policies]
    _check_models(policies, reward, vocab)
    check_sizes(length=length, passages=passages)
    room = reward.body.config.context
    asked = _check_prompts([prompts] if isinstance(prompts, str) else list(prompts), length, room, vocab)
    if passages > MOST:
        raise ValueError(f"passages is {passages}: give 1 to {MOST}, which a page writes in a second or two")
    begin = BASE if begin is None else begin
    if begin not in names:
        raise KeyError(f"no policy is called {begin!r}; there are {', '.join(names)}")
    u = torch.rand(passages, length, generator=torch.Generator().manual_seed(seed))
    uniform = [min(round(x, 4), 0.9999) for x in u.flatten().tolist()]
    return LiveModel(
        "leash",
        Leash(policies, reward),
        {
            "which": torch.tensor([names.index(begin)]),
            "ids": torch.tensor([asked[n % len(asked)] for n in range(passages)]),
            "u": torch.tensor(uniform).view(passages, length),
        },
        OUTPUTS,
        settings={
            "policies": names,
            "begin": names.index(begin),
            "tokens": vocab.tokens,
            "prompts": asked,
            "length": length,
            "passages": passages,
            "uniform": uniform,
            "rule": {"kind": sorted(KIND), "forKind": FOR_KIND, "forAgain": FOR_AGAIN},
            "curve": [_point(name, point) for name, point in (curve or {}).items()],
        },
    )


def _point(name: str, point: Point) -> dict:
    values = [float(value) for value in point]
    if len(values) != 3 or not all(map(isfinite, values)):
        raise ValueError(f"the curve has {point} for {name}: give nats, reward and taste, three numbers")
    return {"name": name} | dict(zip(("nats", "proxy", "taste"), (round(x, 4) for x in values), strict=True))


# ---- bad input ----


def _check_models(policies: Mapping[str, nn.Module], reward: RewardModel, vocab: Vocab) -> None:
    """Raise ValueError unless all are tunings of one base, whose tokens the vocabulary names."""
    if not policies:
        raise ValueError("there is no policy: give at least one, by its name")
    if not isinstance(reward, RewardModel):
        raise ValueError(f"reward is a {type(reward).__name__}: give a RewardModel")
    if odd := {BASE, REWARD} & set(policies):
        raise ValueError(f"a policy is called {odd.pop()!r}, which has its own place: call it otherwise")
    form = _form("reward", reward.body)
    for name, model in policies.items():
        if _form(name, model) != form:
            raise ValueError(f"{name} is not adapted as the reward's body is: give tunings of one form")
        if not _same(_plain(model), _plain(reward.body)):
            raise ValueError(f"{name} and the reward's body have different bases: tune one model")
        check_finite(name, model)
    check_finite("reward", reward)
    if (size := reward.body.config.vocab_size) != len(vocab):
        raise ValueError(f"the models know {size} tokens, but the vocabulary has {len(vocab)}: give its own")


def _form(name: str, model: nn.Module) -> list:
    """Where a model's LoRAs are, and of what shapes and scale."""
    if not isinstance(model, GPT):
        raise ValueError(f"{name} is a {type(model).__name__}: give a GPT that `lora.adapt` made")
    parts = [(path, part) for path, part in model.named_modules() if isinstance(part, LoRA)]
    if not parts:
        raise ValueError(f"{name} has no LoRA: give a model that `lora.adapt` made, before `merge`")
    return [(path, part.A.shape, part.B.shape, part.scale) for path, part in parts]


def _same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return one.config == other.config and all(torch.equal(a, b) for a, b in pairs)


def _check_prompts(prompts: list[str], length: int, room: int, vocab: Vocab) -> list[list[int]]:
    """The prompts in numbers; ValueError where none is, they differ in length or leave no room."""
    if not prompts:
        raise ValueError("there is no prompt: give at least one")
    ids = [vocab.encode(prompt) for prompt in prompts]
    for prompt, one in zip(prompts, ids, strict=True):
        if not one or len(one) != len(ids[0]):
            raise ValueError(f"the prompt {prompt!r} has {len(one)} tokens; give all of one length")
    if len(ids[0]) + length > room:
        raise ValueError(f"{len(ids[0])} tokens and {length} more are too many for a context of {room}")
    return ids
