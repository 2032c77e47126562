"""A GPT that writes from the reader's prompt, and everything that it could have written instead (chapter 12).

Every token of a text is one of many that were possible. The widget shows what the model thought of them, what
temperature, top-k and top-p (Fan, Lewis & Dauphin 2018; Holtzman et al. 2020) make of that, and lets another
be put in its place, from where the model writes on.

A question is what is to be read and a few uniform numbers, one for each token to write; the same numbers give
the same text. The loop of questions, and what is read again once the context is full, are the view's part.
"""

from math import isfinite

import torch
from torch import Tensor, nn

from vec2gpt.bpe import BPE
from vec2gpt.decoding import restrict, sample
from vec2gpt.gpt import GPT
from vec2gpt.text import Vocab
from vec2gpt.unrolling import unroll
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.models import check_finite
from vec2gpt.widgets.tokens import tokenizer

CHOICES = 8
LONGEST = 400  # tokens written at most
PROMPT = 1000  # characters of a prompt at most
STRIDE = 16  # tokens written per question: enough to be fast, few enough to be seen coming
BEGINNINGS = ("\n", "<bos>", " ")  # what a text without a prompt begins after: the first of these there is
RANGES = {"temperature": (0.1, 2.0), "top_p": (0.05, 1.0)}
OUTPUTS = ["written", "chance", "drawn", "own", "choices", "likely"]


class Writer(nn.Module):
    """Read a text, write on, and tell of every token what the model made of it.

    ids (1, T); u (1, N) in [0, 1), one for each token to write; temperature (1,), top_k (1,), top_p (1,).
    T + N is at most the context →

    written (1, N): what `decoding.continue_with` writes. chance (1, N): the probability each was drawn with.
    Of all tokens but the first, M = T + N − 1: own (1, M), the model's probability for it, before temperature
    and the cuts; choices (1, M, 8), the likeliest tokens there, and likely (1, M, 8), their probabilities.
    drawn (1, N, 8): what temperature, top-k and top-p make of the last N of these.
    """

    def __init__(self, model: GPT):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, u: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor):
        def write(carry, u):  # as `continue_with`, which does not tell the logits
            logits, state = carry
            p = restrict(logits, temperature, top_k, top_p)
            token = sample(p, u)
            after, state = self.model.step(token, state)
            return (after, state), (token, p, after)

        read, state = self.model.read(ids, self.model.initial(1))  # (1, T, V)
        _, (written, p, after) = unroll(write, (read[:, -1], state), u)

        own = torch.cat([read, after], 1)[:, :-1].softmax(-1)  # (1, M, V)
        text = torch.cat([ids, written], 1)[:, 1:]  # (1, M)
        best = own.topk(min(CHOICES, own.shape[-1]))
        drawn = p.gather(2, best.indices[:, -u.shape[1] :])  # (1, N, 8)
        return written, _of(p, written), drawn, _of(own, text), best.indices, best.values


def _of(p: Tensor, ids: Tensor) -> Tensor:
    """The probabilities (1, N) of ids (1, N) among all, p (1, N, V)."""
    return p.gather(2, ids[..., None])[..., 0]


Vocabulary = Vocab | BPE


def writer_widget(
    models: GPT | dict[str, GPT],
    vocabs: Vocabulary | dict[str, Vocabulary],
    prompts: str | list[str],
    *,
    length: int = 12 * STRIDE,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> LiveModel:
    """A prompt to type and a text that continues it, token by token; each can be replaced by another.

    models: a GPT, or a dict of such by name ("trained here", "long run"), between which the reader chooses.
    vocabs: of all models, or of each by its name; characters (a Vocab) or subwords (a BPE).
    prompts: what is offered; the widget begins with the first. Each has room in every model's context, beside
    the 16 tokens that are written at a time.
    length: tokens to write, a multiple of 16 up to 400. temperature 0.1 to 2, top_k at least 1 (None: all),
    top_p 0.05 to 1: of `decoding.restrict`, to begin with. seed: of the random numbers.

    >>> writer_widget(model, vocab, "the sea ")
    LiveModel(writer: ids, u, temperature, top_k, top_p → written, chance, drawn, own, choices, likely)
    """
    models = models if isinstance(models, dict) else {"model": models}
    vocabs = vocabs if isinstance(vocabs, dict) else dict.fromkeys(models, vocabs)
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    if not models or not prompts:
        raise ValueError(f"there is no {'prompt' if models else 'model'}: give at least one")
    for name, model in models.items():
        _check_model(name, model, vocabs)
        for prompt in prompts:
            _check_prompt(prompt, name, model, vocabs[name])
    _check_start(length, temperature, top_k, top_p)

    name, model = next(iter(models.items()))
    ids = torch.tensor([vocabs[name].encode(prompts[0])])
    u = torch.rand(1, LONGEST, generator=torch.Generator().manual_seed(seed))
    uniform = [min(round(x, 4), 0.9999) for x in u[0].tolist()]
    at_first = min(length, model.config.context - ids.shape[1])  # what is written without a second question
    return LiveModel(
        "writer",
        {name: Writer(model) for name, model in models.items()},
        {
            "ids": ids,
            "u": torch.tensor([uniform[:at_first]]),
            "temperature": torch.tensor([float(temperature)]),
            "top_k": torch.tensor([min(top_k or len(vocabs[name]), len(vocabs[name]))]),
            "top_p": torch.tensor([float(top_p)]),
        },
        OUTPUTS,
        lengths={"ids": [1], "u": [1]},
        settings={
            "models": {name: _kind(model, vocabs[name]) for name, model in models.items()},
            "prompts": prompts,
            "longest": PROMPT,
            "stride": STRIDE,
            "length": length,
            "temperature": float(temperature),
            "topK": top_k,
            "topP": float(top_p),
            "uniform": uniform,
        },
    )


def _kind(model: GPT, vocab: Vocabulary) -> dict:
    """What the view must know of a model: its context, its vocabulary, what an empty prompt begins with."""
    about = {"context": model.config.context, "size": len(vocab), "begin": _beginning(vocab)}
    return about | (tokenizer(vocab) if isinstance(vocab, BPE) else {"tokens": vocab.tokens})


def _beginning(vocab: Vocabulary) -> int:
    """The id that is read where there is no prompt, for a model says nothing to nothing."""
    if isinstance(vocab, BPE):
        return vocab.encode("\n")[0]
    return next((vocab[token] for token in BEGINNINGS if token in vocab), 0)


def _check_model(name: str, model, vocabs: dict[str, Vocabulary]) -> None:
    if not isinstance(model, GPT):
        raise ValueError(f"{name} is a {type(model).__name__}: give a GPT, which writes")
    if name not in vocabs:
        raise ValueError(f"{name} has no vocabulary: give one by that name")
    if (size := len(vocabs[name])) != model.config.vocab_size:
        raise ValueError(
            f"{name} knows {model.config.vocab_size} tokens, but the vocabulary has {size}: give its own"
        )
    if model.config.context <= STRIDE:
        raise ValueError(f"{name} has a context of {model.config.context}; give one of more than {STRIDE}")
    check_finite(name, model)


def _check_prompt(prompt: str, name: str, model: GPT, vocab: Vocabulary) -> None:
    """Raise ValueError for a prompt without room, and KeyError for a character that is not known."""
    room, size = model.config.context - STRIDE, len(vocab.encode(prompt))
    if not 1 <= size <= room:
        raise ValueError(f"the prompt {prompt[:20]!r} has {size} tokens; give 1 to {room} for {name}")
    if len(prompt) > PROMPT:
        raise ValueError(f"the prompt {prompt[:20]!r} has {len(prompt)} characters; give 1 to {PROMPT}")


def _check_start(length: int, temperature: float, top_k: int | None, top_p: float) -> None:
    if length % STRIDE or not STRIDE <= length <= LONGEST:
        raise ValueError(f"length is {length}; give a multiple of {STRIDE} up to {LONGEST}")
    for name, value in {"temperature": temperature, "top_p": top_p}.items():
        least, most = RANGES[name]
        if not (isfinite(value) and least <= value <= most):
            raise ValueError(f"{name} is {value}; the slider goes from {least} to {most}")
    if top_k is not None and not (isinstance(top_k, int) and top_k >= 1):
        raise ValueError(f"top_k is {top_k}; give a whole number of at least 1, or None to keep all tokens")
