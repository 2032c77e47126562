"""Softmax under the reader's hand: scores and a temperature in, probabilities out (chapter 0)."""

import torch
from torch import Tensor, nn

from vec2gpt.widgets.live import LiveModel

LIMIT = 5  # of a score, up and down


class Softmax(nn.Module):
    """p = softmax(z / τ), and its entropy H = −Σ p log₂ p in bits."""

    def forward(self, logits: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        p = torch.softmax(logits / temperature, dim=-1)  # (1, K)
        surprise = -p * torch.log2(p.clamp_min(1e-30))  # 0 log 0 = 0
        return p, surprise.sum(-1)  # (1, K), (1,)


def softmax_widget(scores: dict[str, float], temperature: float = 1.0) -> LiveModel:
    """Bars to drag, one for each name in `scores`."""
    if not scores:
        raise ValueError("softmax needs at least one score: give a dict such as {'mat': 2.0, 'roof': 1.0}")
    if not 0.1 <= temperature <= 5:
        raise ValueError(f"temperature is {temperature}; the slider goes from 0.1 to 5 (1 changes nothing)")
    logits = list(map(float, scores.values()))
    if not all(-LIMIT <= z <= LIMIT for z in logits):
        raise ValueError(f"the scores are {logits}; the bars reach from {-LIMIT} to {LIMIT}")
    return LiveModel(
        "softmax",
        Softmax(),
        {"logits": torch.tensor([logits]), "temperature": torch.tensor([float(temperature)])},
        ["probabilities", "entropy"],
        lengths={"logits": [1]},
        settings={"labels": list(scores), "logits": logits, "temperature": temperature, "limit": LIMIT},
    )
