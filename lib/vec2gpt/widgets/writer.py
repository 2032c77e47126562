"""A GPT that writes under the reader's hand: prompt, temperature, top-k, top-p, and every choice it had."""

import torch
from torch import Tensor, nn

from vec2gpt.decoding import continue_with
from vec2gpt.gpt import GPT
from vec2gpt.text import Vocab
from vec2gpt.widgets.live import LiveModel

CHOICES = 5
LONGEST = 400  # tokens the widget writes at most
TEMPERATURE = 0.8  # to begin with
STRIDE = 16  # tokens written per question: enough to be fast, few enough to be seen coming


class Writer(nn.Module):
    """Read a prompt, then write as many tokens as there are uniform numbers, with a cache.

    ids (1, T), u (1, N) in [0, 1), temperature (1,), top_k (1,), top_p (1,) →
    written (1, N): ids, the probability each token had (1, N), the likeliest choices (1, N, 5) and their
    probabilities (1, N, 5), after temperature, top-k and top-p. T + N is at most the context.
    """

    def __init__(self, model: GPT):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, u: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor):
        written, p = continue_with(self.model, ids, u, temperature=temperature, top_k=top_k, top_p=top_p)
        chosen = p.gather(2, written[..., None])[..., 0]  # (1, N)
        best = p.topk(CHOICES)
        return written, chosen, best.indices, best.values


def writer_widget(
    model: GPT, vocab: Vocab, prompt: str, *, length: int = 12 * STRIDE, seed: int = 0
) -> LiveModel:
    """A prompt to type and a text that continues it, token by token."""
    if length % STRIDE or not STRIDE <= length <= LONGEST:
        raise ValueError(f"length is {length}; give a multiple of {STRIDE} up to {LONGEST}")
    room = model.config.context - STRIDE
    if not 1 <= len(prompt) <= room:
        raise ValueError(f"the prompt has {len(prompt)} characters; give 1 to {room}")
    u = torch.rand(1, LONGEST, generator=torch.Generator().manual_seed(seed)).round(decimals=4)
    return LiveModel(
        "writer",
        Writer(model),
        {
            "ids": torch.tensor([vocab.encode(prompt)]),
            "u": u[:, :STRIDE],
            "temperature": torch.tensor([TEMPERATURE]),
            "top_k": torch.tensor([len(vocab)]),
            "top_p": torch.tensor([1.0]),
        },
        ["written", "chosen", "choices", "probabilities"],
        lengths={"ids": [1], "u": [1]},
        settings={
            "prompt": prompt,
            "alphabet": vocab.tokens,
            "context": model.config.context,
            "stride": STRIDE,
            "length": length,
            "temperature": TEMPERATURE,
            "uniform": [round(x, 4) for x in u[0].tolist()],
        },
    )
