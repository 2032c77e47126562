"""One task cast three ways: a word's spelling into its sounds, by a reader, a writer, and both together.

A Transformer of two texts need not have two stacks. Letters x₁ … x_S and sounds y₁ … y_T can stand one behind
the other in a single stack of blocks, and who may look at whom says what kind of model it is:

    encoder             all look at all; where sounds belong stand masks, all filled in one pass (BERT)
    decoder             each looks at what came before it, letters too (GPT)
    decoder, prefix     letters look at all letters, sounds at what came before them (UniLM: Dong et al. 2019)
    encoder-decoder     two stacks, as in the paper (Vaswani et al. 2017)

The data, the score and the losses are the translation ladder's: the sounds alone are asked, to the end mark.
All get the same steps and about as many numbers, 0.94 million; so the one stack, where letters and sounds
pass through all of them, computes about twice as much a word (as Raffel et al. 2020 say in section 3.2).

Left out: a loss on the letters; filling the masks in several rounds (Ghazvininejad et al. 2019).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt import corpora
from vec2gpt.attention import attend_fused
from vec2gpt.blocks import Block, Cache, CachedLook, empty_cache
from vec2gpt.checks import check_batch, check_context, check_ids, check_names, check_tokens
from vec2gpt.language import next_token_loss
from vec2gpt.pairs import bucketed
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import size, train, warmup
from vec2gpt.recipes.translation import pronunciation
from vec2gpt.seq2seq import EncoderDecoder
from vec2gpt.training import Draw, seed_everything
from vec2gpt.transformer import BLOCK_OPTIONS, Embedding, Transformer, TransformerConfig

STEPS, SIZE, LR = 400, 128, 3e-3
SEEDS = (0, 1, 2)
ROOM = 4  # the reader has so many masks more than letters; nine words of the dictionary need more


# ---- who may look at whom: letters (S) before sounds (T), (S + T, S + T) boolean ----


def causal(letters: int, sounds: int) -> Tensor:
    """What came before."""
    return torch.ones(letters + sounds, letters + sounds, dtype=torch.bool).tril()


def prefix(letters: int, sounds: int) -> Tensor:
    """What came before, and all letters."""
    mask = causal(letters, sounds)
    mask[:, :letters] = True
    return mask


def everywhere(letters: int, sounds: int) -> Tensor:
    """All."""
    return torch.ones(letters + sounds, letters + sounds, dtype=torch.bool)


MASKS = {"causal": causal, "prefix": prefix, "everywhere": everywhere}


# ---- one stack ----


@dataclass(frozen=True)
class OneStackConfig(TransformerConfig):
    """As of a Transformer, whose layers, of both stacks, are one; the context is that of each text."""

    mask: str = "causal"  # one of MASKS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_names(self, mask=MASKS)
        if self.positions == "rotary":
            raise ValueError(
                "positions are 'rotary', but two texts that each count from 0 need vectors: choose "
                "'sinusoidal' or 'learned'"
            )


class Written(NamedTuple):
    """What a writer carries from step to step, batch first."""

    cache: Cache  # of letters and sounds
    letters: Tensor  # (B,) how many of them are letters


class Filled(NamedTuple):
    """What a reader has said already, batch first."""

    logits: Tensor  # (B, R, V), of every mask
    said: Tensor  # (B,) how many of them were taken


class OneStack(EncoderDecoder, nn.Module):
    """Letters and sounds in one stack of blocks; each counts its places from 0, and has its own table.

    Sources have one length in a batch, so there is no padding in between.
    """

    Config = OneStackConfig

    def __init__(self, config: OneStackConfig):
        super().__init__()
        self.config = c = config
        style = {name: getattr(c, name) for name in BLOCK_OPTIONS}
        self.source, self.target = Embedding(c, c.source_vocab), Embedding(c, c.target_vocab)
        self.blocks = nn.ModuleList(Block(c.width, **style) for _ in range(self.layers))
        self.norm = nn.LayerNorm(c.width)
        self.head = nn.Linear(c.width, c.target_vocab)
        Transformer._initialise(self)

    @property
    def layers(self) -> int:
        return self.config.encoder_layers + self.config.decoder_layers

    def all_at_once(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        """Logits (B, T, V) at the places of target_ids (B, T), behind source_ids (B, S)."""
        letters, sounds = self._letters(source_ids), self._sounds(target_ids)
        check_batch(target_ids, len(source_ids))
        mask = MASKS[self.config.mask](letters.shape[1], sounds.shape[1]).to(letters.device)
        x = torch.cat([letters, sounds], 1)  # (B, S + T, D)
        return self._think(x, partial(attend_fused, mask=mask))[:, letters.shape[1] :]

    def _letters(self, ids: Tensor) -> Tensor:
        check_ids(ids, self.config.source_vocab, name="source_ids")
        check_context(ids, self.config.context, name="source_ids")
        check_tokens(ids != self.config.pad, self.config.pad)
        if (ids == self.config.pad).any():
            raise ValueError("a source is padded, but sounds follow it: give sources of one length a batch")
        return self.source(ids, torch.arange(ids.shape[1], device=ids.device))

    def _sounds(self, ids: Tensor, before: Tensor | None = None) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        places = places if before is None else before[:, None] + places
        check_ids(ids, self.config.target_vocab, name="ids")
        check_context(ids, self.config.context, before=0 if before is None else before.max(), name="ids")
        return self.target(ids, places)

    def _think(self, x: Tensor, look: Callable) -> Tensor:
        for block in self.blocks:
            x = block(x, look=look)
        return self.head(self.norm(x))


class Writer(OneStack):
    """Decoder-only: one sound after the other."""

    def forward(self, source_ids, decoder_ids, targets=None):
        logits = self.all_at_once(source_ids, decoder_ids)
        return logits, next_token_loss(logits, targets)

    def encode(self, source_ids: Tensor) -> Written:
        """Read the letters (B, S): the state before the first sound."""
        x, c = self._letters(source_ids), self.config
        room = {"layers": self.layers, "heads": c.heads, "context": 2 * c.context}
        cache = empty_cache(self.head.weight, batch=len(x), **room)
        attend = attend_fused if c.mask == "causal" else partial(_all_of, x.shape[1])
        look = CachedLook(cache, cache.positions(x.shape[1]), attend=attend)
        self._think(x, look)
        cache = look.cache()
        return Written(cache, cache.length)

    def read(self, ids: Tensor, state: Written) -> tuple[Tensor, Written]:
        """Read sounds (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        x = self._sounds(ids, before=state.cache.length - state.letters)
        look = CachedLook(state.cache, state.cache.positions(ids.shape[1]))
        return self._think(x, look), state._replace(cache=look.cache())


def _all_of(count: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Look at the first `count` keys, whatever the mask says."""
    return attend_fused(q, k[:, :, :count], v[:, :, :count])


class Reader(OneStack):
    """Encoder-only: as many masks as letters and `ROOM` more, all filled at once; `bos` is the mask."""

    def forward(self, source_ids, decoder_ids, targets=None):
        """What decoder_ids (B, T) say is not read, only how many are asked."""
        logits, _ = self.read(decoder_ids, self.encode(source_ids))
        return logits, next_token_loss(logits, targets)

    def encode(self, source_ids: Tensor) -> Filled:
        """Fill every mask behind the letters (B, S)."""
        count, room = source_ids.shape
        masks = source_ids.new_full((count, room + ROOM), self.config.bos)
        return Filled(self.all_at_once(source_ids, masks), source_ids.new_zeros(count))

    def read(self, ids: Tensor, state: Filled) -> tuple[Tensor, Filled]:
        """Take the next T logits (B, T, V), whatever the ids (B, T) say; behind the last mask is the end."""
        check_ids(ids, self.config.target_vocab, name="ids")
        places = state.said[:, None] + torch.arange(ids.shape[1], device=ids.device)  # (B, T)
        last = state.logits.shape[1] - 1
        taken = state.logits[torch.arange(len(ids), device=ids.device)[:, None], places.clamp(max=last)]
        end = torch.full_like(taken, -1e9).index_fill_(-1, ids.new_tensor([self.config.eos]), 0.0)
        taken = torch.where((places > last)[..., None], end, taken)
        return taken, state._replace(said=state.said + ids.shape[1])


# ---- the table ----


class Way(NamedTuple):
    model: type[EncoderDecoder]
    config: dict


ONE = {"encoder_layers": 2, "decoder_layers": 3, "inner": 464}  # as many numbers as two stacks of 2, and 512
WAYS = {
    "encoder": Way(Reader, ONE | {"mask": "everywhere"}),
    "decoder": Way(Writer, ONE | {"mask": "causal"}),
    "decoder, prefix": Way(Writer, ONE | {"mask": "prefix"}),
    "encoder-decoder": Way(Transformer, {}),
}
AXES = {"seed": SEEDS, "way": tuple(WAYS)}


def experiment() -> Experiment:
    """Rows: a seed and a way; word and phoneme error rates, and seconds of one core.

    `seconds` to train, `saying` to say and judge the test words: those of the processor, so that other work
    on the machine matters little. A step of the writers copies caches of 96 places in 5 layers, one of the
    encoder-decoder such of 48 in 2.
    """

    def settings(*, seed: int, way: str, steps: int | None = None) -> dict:
        steps = STEPS if steps is None else steps
        told = f"size={SIZE} lr={LR} warmup={warmup(steps)} {config(way)}"
        return {"seed": seed, "way": way, "steps": steps, "settings": told}

    def measure(*, seed: int, way: str, steps: int, **_: object) -> dict:
        seed_everything(seed)
        model = WAYS[way].model(config(way))
        _, seconds = timed(lambda: train(model, batches(), steps=steps, lr=LR, seed=seed))
        words = corpora.cmudict_split()
        judged = {"validation": pronunciation.judge(model, words.validation)}
        judged["test"], saying = timed(lambda: pronunciation.judge(model, words.test))
        return {"parameters": size(model), "seconds": seconds, "saying": saying} | {
            f"{part}_{short}": round(rates[name], 4)
            for part, rates in judged.items()
            for short, name in {"wer": "word_error_rate", "per": "phoneme_error_rate"}.items()
        }

    digest = corpora.corpus("cmudict").sha256
    return Experiment(settings, measure, data=digest, text=digest)


def config(way: str) -> TransformerConfig:
    """The configuration of a way."""
    shared = {"context": pronunciation.CONTEXT, "dropout": 0.0}
    return WAYS[way].model.Config(*map(len, pronunciation.vocabs()), **shared | WAYS[way].config)


def batches() -> Draw:
    """Draw `SIZE` training words of one length, of those whose sounds have room."""
    _, target = pronunciation.vocabs()
    marks = {name: target[f"<{name}>"] for name in ("bos", "eos", "pad")}
    pairs = pronunciation.pairs(corpora.cmudict_split().train)
    fitting = [(spelt, said) for spelt, said in pairs if len(said) < len(spelt) + ROOM]
    return bucketed(fitting, size=SIZE, **marks)


def timed(work: Callable) -> tuple[object, float]:
    """What the work gives, and the seconds of processor time that it took, of all threads together."""
    start = time.process_time()
    return work(), round(time.process_time() - start, 1)
