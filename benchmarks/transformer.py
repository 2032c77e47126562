"""The Transformer beside torch.nn's: 2 + 2 layers × 128, S = T = 32, B 64; and what a cache saves a GPT."""

import warnings
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.row import Row, ratio
from vec2gpt.costs import processor_seconds
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.positions import sinusoids
from vec2gpt.threads import one_thread
from vec2gpt.transformer import Transformer, TransformerConfig

BATCH, TIME, VOCAB = 64, 32, 64
SHAPE = TransformerConfig(VOCAB, VOCAB, context=TIME, dropout=0.0)
WRITTEN = 64  # tokens, from an empty context
ROUNDS = 41  # of the training, whose two sides are so close that noise would decide


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    yield from training()
    yield from writing()


# ---- learning ----


def training() -> Iterator[Row]:
    """Loss and gradients of one batch, no padding in it."""
    source, target = (torch.randint(3, VOCAB, (BATCH, TIME)) for _ in range(2))

    def learning(model):
        return lambda: model(source, target, target)[1].backward()

    ours, peer = learning(Transformer(SHAPE)), learning(Peer(SHAPE))
    with one_thread():
        yield Row("Transformer / nn.Transformer: training", ratio(ours, peer, rounds=ROUNDS), "×", "≤ 1")
    speed = 2 * BATCH * TIME / processor_seconds(ours)
    yield Row("Transformer: tokens of both texts, training", speed, "/s", "≥ 10000")


class Peer(nn.Module):
    """torch.nn.Transformer with what ours has around it: tokens' vectors, their places, logits, the loss."""

    def __init__(self, config):
        super().__init__()
        self.config = c = config
        self.source, self.target = (nn.Embedding(VOCAB, c.width) for _ in range(2))
        self.register_buffer("places", sinusoids(c.context, c.width))
        layers = c.encoder_layers, c.decoder_layers, c.inner
        with warnings.catch_warnings():  # that it cannot use nested tensors, which only eval would
            warnings.simplefilter("ignore")
            self.layers = nn.Transformer(
                c.width, c.heads, *layers, dropout=c.dropout, norm_first=True, batch_first=True
            )
        self.head = nn.Linear(c.width, VOCAB)

    def forward(self, source_ids, decoder_ids, targets):
        x, y = self.source(source_ids) + self.places, self.target(decoder_ids) + self.places
        padding = source_ids == self.config.pad
        masks = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding}
        causal = nn.Transformer.generate_square_subsequent_mask(TIME)
        logits = self.head(self.layers(x, y, tgt_mask=causal, tgt_is_causal=True, **masks))
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


# ---- writing ----


@torch.no_grad()
def writing() -> Iterator[Row]:
    """The likeliest tokens one after another, with a cache and without."""
    model = GPT(GPTConfig(VOCAB, context=WRITTEN)).eval()
    for batch, target in ((32, "≥ 5"), (1, "≥ 1")):
        first = torch.randint(VOCAB, (batch, 1))
        assert torch.equal(cached(model, first), uncached(model, first))
        slow, fast = (
            processor_seconds(lambda f=f, x=first: f(model, x), rounds=7) for f in (uncached, cached)
        )
        yield Row(f"uncached / cached writing of {WRITTEN} tokens, batch {batch}", slow / fast, "×", target)


def cached(model, ids):
    """Read each token once."""
    cache = model.initial(len(ids))
    while ids.shape[1] < WRITTEN:
        logits, cache = model.step(ids[:, -1], cache)
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], 1)
    return ids


def uncached(model, ids):
    """Read all that was written again for each token."""
    while ids.shape[1] < WRITTEN:
        logits, _ = model(ids)
        ids = torch.cat([ids, logits[:, -1].argmax(-1, keepdim=True)], 1)
    return ids
