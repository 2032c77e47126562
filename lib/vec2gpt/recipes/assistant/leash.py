"""The leash, measured: a GPT that is tuned to please a judge, and what comes of it when the judge is copied.

"shakespeare-gpt" writes passages of 64 characters. The judge has a taste that everybody can check by eye, and
that none of the models is told: two points for each *different* kind word, a point off for each word that was
said before. It chooses between pairs of passages, with the noise of `preferences.chooses_first`; a reward
model learns from the choices; policies are tuned to that reward, on leashes of several strengths. In what the
base writes hardly a kind word comes twice. So what is wrong with saying one again and again is hard to learn
from the choices, and the reward is wrong there, where it has never been.

Each figure is measured twice: by the reward (`proxy`), and by the taste that it stands for (`taste`).
"""

import hashlib
import shutil
from dataclasses import dataclass
from functools import lru_cache, partial
from math import nan
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor, nn

from vec2gpt.adapters import REWARD, Adapters
from vec2gpt.hub import checkpoints
from vec2gpt.lora import adapt, merge
from vec2gpt.preferences import RewardModel, best_of, best_of_kl, kl_of_samples
from vec2gpt.recipes import table
from vec2gpt.recipes.assistant.judge import KIND, marks
from vec2gpt.recipes.assistant.passages import BASE, LENGTH, PROMPTS, base, in_parts, log_p, vocab, write
from vec2gpt.recipes.assistant.policies import (
    BATCH,
    FEW,
    LORA,
    LR,
    MANY,
    PAIRS,
    REWARD_LR,
    REWARD_STEPS,
    STEPS,
    Seen,
    Tuned,
    by_dpo,
    by_gradient,
    choices,
    reward_of,
)
from vec2gpt.recipes.table import Experiment, Recorded, TableRecipe

# ---- what they reach ----

ASKED = 256  # passages that each policy is judged on
HELD_OUT = 512  # passages of the base that rewards are judged on
LOOKS = 9  # so often is a policy looked at on its way


def judged(policy: nn.Module, reward: RewardModel) -> dict[str, float]:
    """proxy, taste and nats from the base, a passage; how many kind words are in it, and how many words are
    said again; the share of passages that are different; of pairs that the taste tells apart, the share in
    which the reward agrees with it."""
    passages = write(_plain(policy), ASKED, torch.Generator().manual_seed(99))
    proxy, tastes = in_parts(reward, passages), passages.tastes()
    away = kl_of_samples(in_parts(log_p(policy), passages), in_parts(log_p(base()), passages))
    why = [[mark.why for mark in marks(text)] for text in passages.texts()]
    return {
        "proxy": proxy.mean().item(),
        "taste": tastes.mean().item(),
        "nats": away.mean().item(),
        "kind_words": mean(found.count("kind") for found in why),
        "words_again": mean(found.count("again") for found in why),
        "distinct": len(set(passages.texts())) / ASKED,
        "agrees": agreement(proxy, tastes),
    }


def agreement(proxy: Tensor, tastes: Tensor) -> float:
    """Of all pairs that differ in taste, the share that the reward orders alike; nan if none does."""
    differ = (tastes[:, None] - tastes).sign()
    alike = (proxy[:, None] - proxy).sign() == differ
    return alike[differ != 0].float().mean().item()


@lru_cache(maxsize=4)
def of_base(pairs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Rewards and tastes of passages that the base wrote, none of them among the choices."""
    passages = write(base(), HELD_OUT, torch.Generator().manual_seed(98))
    return in_parts(reward_of(pairs, seed), passages), passages.tastes()


def picked(proxy: Tensor, tastes: Tensor, *, n: int) -> dict[str, float]:
    """What the best of n of the base's passages has: `best_of` reads it off those that were written once."""
    weights = best_of(proxy, n=n)
    return {"proxy": (weights * proxy).sum().item(), "taste": (weights * tastes).sum().item()}


def _plain(policy: nn.Module) -> nn.Module:
    return policy if policy is base() else merge(policy).eval()


# ---- the table and the checkpoint ----


@dataclass(frozen=True)
class Way:
    kind: str  # "gradient", "dpo", "best of", "base"
    beta: float = nan  # of the leash
    pairs: int = MANY
    n: int = 1  # of "best of"


BETAS = 2.0, 1.0, 0.5, 0.25, 0.1, 0.0
WAYS = {
    "base": Way("base"),
    **{f"best of {n}": Way("best of", n=n) for n in (4, 16, 64)},
    **{f"gradient {beta:g}": Way("gradient", beta) for beta in BETAS},
    **{f"dpo {beta:g}": Way("dpo", beta) for beta in (0.5, 0.1)},
    **{f"gradient {beta:g}, few": Way("gradient", beta, FEW) for beta in (0.25, 0.0)},
}
KEPT = *(f"gradient {beta:g}" for beta in BETAS), "dpo 0.5", "dpo 0.1"  # in the checkpoint
SEEDS = (0,)
AXES = {"seed": SEEDS, "way": tuple(WAYS)}


def tuned(way: Way, *, seed: int, steps: int) -> Tuned:
    """The policy of a way that trains one; the base of those that do not."""
    if way.kind == "gradient":
        return by_gradient(reward_of(way.pairs, seed), beta=way.beta, steps=steps, seed=seed)
    if way.kind == "dpo":
        return by_dpo(choices(way.pairs, seed), beta=way.beta, steps=steps, seed=seed)
    return Tuned(base(), [])


def figures(way: Way, made: Tuned, *, seed: int) -> dict[str, float]:
    """What a row says. agrees_base: as `agrees`, of what the base writes; proxy_1, taste_1, nats_1 … 9: the
    means over a ninth of the training each."""
    held_out = of_base(way.pairs, seed)
    if way.kind == "best of":
        found = picked(*held_out, n=way.n) | {"nats": best_of_kl(way.n)}
    else:
        found = judged(made.policy, reward_of(way.pairs, seed))
    found["agrees_base"] = agreement(*held_out)
    size = max(1, len(made.way) // LOOKS)
    for look in range(min(LOOKS, len(made.way))):
        seen = made.way[look * size :][:size]
        for name, values in zip(Seen._fields, zip(*seen, strict=True), strict=True):
            found[f"{name}_{look + 1}"] = mean(values)
    return found


def experiment(parts: Path | None = None) -> Experiment:
    """Rows: a seed, which decides choices, reward, first weights and passages, and a way.

    parts: a folder for what the first seed learns in the ways `KEPT`. nats of "best of" are `best_of_kl`.
    """

    def settings(*, seed: int, way: str, steps: int | None = None) -> dict:
        trains = WAYS[way].kind in ("gradient", "dpo")
        taken = (STEPS if steps is None else steps) if trains else 0
        told = f"batch={BATCH} lr={LR} reward={REWARD_STEPS}x{PAIRS}@{REWARD_LR} {LORA} asked={ASKED}"
        return {"seed": seed, "way": way, "steps": taken, "settings": told}

    def measure(*, seed: int, way: str, steps: int, **_: object) -> dict:
        chosen = WAYS[way]
        made = tuned(chosen, seed=seed, steps=steps)
        found = figures(chosen, made, seed=seed)
        if parts and seed == SEEDS[0] and way in KEPT:
            _keep(parts, way, made.policy, found)
            _keep(parts, REWARD, reward_of(MANY, seed), {})
        about = {"kind": chosen.kind, "beta": chosen.beta, "pairs": chosen.pairs, "n": chosen.n}
        one = "" if chosen.kind == "best of" else _one(made)
        return about | {name: round(value, 4) for name, value in found.items()} | {"passage": one}

    data = checkpoints.load(BASE).card["sha256"]
    rule = f"{sorted(KIND)} {PROMPTS} {LENGTH} {MANY} {FEW}"
    return Experiment(settings, measure, data=data, text=hashlib.sha256(rule.encode()).hexdigest())


@dataclass(frozen=True)
class LeashRecipe(TableRecipe):
    """A table, and the policies of its first seed as a checkpoint."""

    def run(self, name: str, *, steps: int | None = None, out: str | Path | None = None) -> Recorded:
        """As every table's; the checkpoint of the same name is written when all that it keeps is there."""
        parts = table.file(name, out).with_suffix(".parts")
        whole = TableRecipe(self.about, self.axes, partial(self.experiment, parts))
        recorded = whole.run(name, steps=steps, out=out)
        if all((parts / f"{kept}.pt").exists() for kept in (*KEPT, REWARD)):
            gather(parts, name if out is None else Path(out) / name, steps=STEPS if steps is None else steps)
            shutil.rmtree(parts)
        return recorded


def _one(made: Tuned) -> str:
    """A passage, as it comes, in one line."""
    [text] = write(_plain(made.policy), 1, torch.Generator().manual_seed(97)).texts()
    return " ".join(text.split())


def _keep(parts: Path, name: str, model: nn.Module, found: dict[str, float]) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    torch.save({"learned": model.state_dict(), "found": found}, parts / f"{name}.pt")


def gather(parts: Path, target: str | Path, *, steps: int) -> Path:
    """Write the checkpoint of all that was kept; its metrics are what the table says of each way."""
    tunings, metrics = {}, {}
    for name in (*KEPT, REWARD):
        part = torch.load(parts / f"{name}.pt", weights_only=True)
        model = adapt(base(), **LORA)
        if name == REWARD:
            model = RewardModel(model, vocab_size=model.config.vocab_size)
        model.load_state_dict(part["learned"])
        tunings[name] = model
        metrics |= {f"{name} {key}": part["found"][key] for key in Seen._fields if key in part["found"]}
    kept = Adapters.of(tunings, base=BASE, where=LORA["where"])
    data = checkpoints.load(BASE).card["sha256"]
    told = {"seed": SEEDS[0], "steps": steps, "data": data, "metrics": metrics}
    return checkpoints.save(kept, target, vocabs={"text": vocab()}, **told)


RECIPE = LeashRecipe(
    about="a GPT tuned to please a judge: by a reward model on leashes of several strengths, and by DPO",
    axes=AXES,
    experiment=experiment,
)
