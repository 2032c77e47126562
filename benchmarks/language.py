"""A GPT of 4 layers × 128 beside transformers' GPT-2: learning Shakespeare by character, and writing.

The text is `shakespeare_budget`, the measure the loss on all of its validation text, in windows of 64 that do
not overlap. The peer learns as nanoGPT (Karpathy 2022) has it learn on a processor. Ours has as many layers,
heads and numbers a token, and sees as much; what else it is, and how it learns, is `LESSONS`.

Times are those of one core at work, so that a busy machine says what a quiet one would.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.row import Row, Unmeasured, ratio
from vec2gpt import corpora
from vec2gpt.blocks import even_std
from vec2gpt.costs import processor_seconds
from vec2gpt.decoding import greedy
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.hub.from_hf import from_hf
from vec2gpt.metrics import rows as cut
from vec2gpt.metrics import window_loss
from vec2gpt.schedules import warmup_cosine
from vec2gpt.stepping import Run
from vec2gpt.text import Vocab
from vec2gpt.threads import one_thread
from vec2gpt.training import fit, windows

CONTEXT, LAYERS, HEADS, WIDTH = 64, 4, 4, 128
END = "<eos>"  # no text has it, so no model says it: what is written is as long as was asked for
EOS = 0
PROMPT = 16  # characters, which are continued until the context is full
ROUNDS = 41  # of the training steps, whose two sides are so close that noise would decide


class Lesson(NamedTuple):
    """How one learns: so many steps on batches of so many windows, up to a peak rate and down to a floor."""

    steps: int
    batch: int
    peak: float
    floor: float = 0.1  # as a share of the peak
    warmup: int = 100
    weight_decay: float = 0.1

    @property
    def schedule(self):
        return warmup_cosine(self.steps, warmup=self.warmup, floor=self.floor)


NANO = Lesson(steps=2000, batch=12, peak=1e-3)
LESSONS = {  # the choices of a GPTConfig, GPT-2's with first weights for its width → how it learns
    "today's blocks": (TODAY, Lesson(steps=900, batch=12, peak=4e-3, floor=0.02)),
    "GPT-2's layout": ({"std": even_std(WIDTH)}, Lesson(steps=960, batch=12, peak=4e-3, floor=0.02)),
}


def rows() -> Iterator[Row]:
    with one_thread():
        text = Text.read()
        peer, limit, took = learned_by_peer(text)
        yield Row("transformers' GPT-2, nanoGPT's recipe: validation loss", limit, "nats", "≤ 1.95")
        yield from learning(text, limit, took)
        yield from steps(text)
        yield from writing(peer, text)


class Text(NamedTuple):
    """The text as ids: (N,) to learn from, (64, M) to be judged by."""

    size: int  # of the vocabulary
    train: torch.Tensor
    validation: torch.Tensor

    @classmethod
    def read(cls) -> "Text":
        parts = corpora.shakespeare_budget()
        vocab = Vocab.build("".join(parts), specials=[END])
        train, validation = (torch.tensor(vocab.encode(part)) for part in parts)
        return cls(len(vocab), train, cut(validation))

    def draw(self, batch: int) -> Callable:
        return windows(self.train, length=CONTEXT, size=batch)


class Peer(nn.Module):
    """GPT2LMHeadModel, called as our models are; its first weights are those of the paper, as nanoGPT's."""

    def __init__(self, size: int):
        super().__init__()
        style = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "bos_token_id": EOS}
        shape = {"n_positions": CONTEXT, "n_layer": LAYERS, "n_head": HEADS, "n_embd": WIDTH}
        self.model = GPT2LMHeadModel(GPT2Config(vocab_size=size, eos_token_id=None, **shape, **style))
        self.config = GPTConfig(size, context=CONTEXT, layers=LAYERS, heads=HEADS, width=WIDTH)

    def forward(self, ids, targets=None):
        logits = self.model(ids, use_cache=False).logits
        return logits, None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def ours(size: int, **choices) -> GPT:
    return GPT(GPTConfig(size, context=CONTEXT, layers=LAYERS, heads=HEADS, width=WIDTH, **choices))


# ---- learning ----


def learning(text: Text, limit: float, took: float) -> Iterator[Row]:
    """Ours beside what the peer got to, and beside the time that it took."""
    for name, (choices, lesson) in LESSONS.items():
        loss, seconds = learned(text, choices, lesson)
        yield Row(f"{name}: validation loss / the peer's", loss / limit, "×", "≤ 1")
        yield Row(f"{name}: its training / the peer's", seconds / took, "×", "≤ 0.5")


def learned(text: Text, choices: dict, lesson: Lesson) -> tuple[float, float]:
    """The validation loss of ours in nats, and the seconds of its training."""
    torch.manual_seed(0)
    model = ours(text.size, **choices)
    style = {"lr": lesson.peak, "weight_decay": lesson.weight_decay, "schedule": lesson.schedule}
    began = time.process_time()
    fit(model, text.draw(lesson.batch), steps=lesson.steps, **style)
    seconds = time.process_time() - began
    return judged(model, text), seconds


def learned_by_peer(text: Text) -> tuple[Peer, float, float]:
    """The peer, its validation loss in nats, and the seconds of its training."""
    torch.manual_seed(0)
    peer, draw, generator = Peer(text.size), text.draw(NANO.batch), torch.Generator().manual_seed(0)
    step = nano_step(peer)
    began = time.process_time()
    for number in range(NANO.steps):
        step(draw(generator), NANO.peak * NANO.schedule(number))
    seconds = time.process_time() - began
    return peer.eval(), judged(peer, text), seconds


def nano_step(model: nn.Module) -> Callable:
    """What takes a step as nanoGPT does: AdamW, weight decay for matrices alone, clipping at 1."""
    kinds = [{"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": NANO.weight_decay}]
    kinds += [{"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(kinds, betas=(0.9, 0.99))

    def step(batch, lr):
        for kind in optimizer.param_groups:
            kind["lr"] = lr
        _, loss = model(*batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def judged(model: nn.Module, text: Text) -> float:
    return window_loss(model.eval(), text.validation, stride=CONTEXT)


# ---- one step ----


def steps(text: Text) -> Iterator[Row]:
    """A step of `fit` beside one of the peer's loop, on batches of the same size."""
    draw, generator = text.draw(NANO.batch), torch.Generator().manual_seed(0)
    step = nano_step(Peer(text.size).train())

    def theirs():
        step(draw(generator), NANO.peak)

    for name, choices in (("GPT-2's layout", {}), ("today's blocks", TODAY)):
        run = Run(ours(text.size, **choices), draw, None, None, lr=NANO.peak, **FIT)
        speed = ratio(theirs, lambda run=run: run.step(NANO.peak), rounds=ROUNDS)
        yield Row(f"{name}: training, tokens/s, ours / transformers'", speed, "×", "≥ 0.95")


FIT = {"steps": NANO.steps, "weight_decay": NANO.weight_decay, "clip": 1.0, "seed": 0}


# ---- writing ----


@torch.no_grad()
def writing(peer: Peer, text: Text) -> Iterator[Row]:
    """The likeliest characters after a beginning, by the peer's weights, until the context is full."""
    model = from_hf(peer.model.eval())
    limit = CONTEXT - PROMPT

    def written(ids):
        _, state = model.read(ids[:, :-1], model.initial(len(ids)))
        return greedy(model.step, ids[:, -1], state, eos=EOS, limit=limit)

    def by_peer(ids):
        return peer.model.generate(ids, do_sample=False, max_new_tokens=limit, pad_token_id=EOS)[:, PROMPT:]

    for batch in (1, 32):
        ids = text.validation[:batch, :PROMPT]
        if not torch.equal(written(ids), by_peer(ids)):
            raise Unmeasured("our GPT and transformers' write different texts, so their times say nothing")
        slow, fast = (processor_seconds(lambda f=f, x=ids: f(x), rounds=7) for f in (by_peer, written))
        yield Row(f"cached writing, batch {batch}: tokens/s, ours / transformers'", slow / fast, "×", "≥ 1")
