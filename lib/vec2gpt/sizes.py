"""How large BERT, GPT and their relatives are: parameters counted from the configuration, part by part.

Devlin et al. 2019 say 110M and 340M for the two sizes of BERT. What that is made of follows from a few
numbers: the vocabulary V, the context C, the width D, the width of a feed-forward, and the layers L. RoBERTa
(Liu et al. 2019) enlarges V; DistilBERT (Sanh et al. 2019) and MiniLM (Wang et al. 2020) take fewer or
narrower layers; ALBERT (Lan et al. 2020) makes the vectors of tokens narrow, and uses one layer L times.

Radford et al. 2018 and 2019 and Brown et al. 2020 made one network, GPT, larger by a factor of 1,500. The
figures of GPT-2's paper are too small: its authors' README says that they were counted wrongly.

Left out: which of them are worth it. ALBERT's layers are stored once, and computed L times.
"""

from collections.abc import Sequence
from typing import NamedTuple

from vec2gpt.bert import BertConfig
from vec2gpt.checks import chosen
from vec2gpt.gpt import GPTConfig

# ---- counted ----


def linear(inputs: int, outputs: int) -> int:
    """Numbers of a linear layer: a matrix and a bias."""
    return inputs * outputs + outputs


def embedding(config: BertConfig) -> dict[str, int]:
    """Numbers of what the first block gets, by part."""
    c, width = config, config.narrow
    return {
        "tokens": c.vocab_size * width,
        "positions": c.context * width,
        "segments": c.segments * width,
        "first norm": 2 * width,
        "widening": 0 if c.factors is None else linear(width, c.width),
    }


def block(config: BertConfig) -> dict[str, int]:
    """Numbers of one layer, by part: D = 768 and inner = 3072 make 7,087,872."""
    width, inner = config.width, config.inner
    return {
        "attention": 4 * linear(width, width),  # query, key, value, output
        "feed-forward": linear(width, inner) + linear(inner, width),
        "norms": 2 * 2 * width,
    }


HEADS = {  # beside what reads: what it is asked; the table of tokens is counted where it is read
    "gaps": lambda c: linear(c.width, c.narrow) + 2 * c.narrow + c.vocab_size,
    "pooler": lambda c: linear(c.width, c.width),
    "pairs": lambda c: linear(c.width, 2),
}


def parameters(config: BertConfig, *, heads: Sequence[str] = ()) -> dict[str, int]:
    """Numbers that are learned, by part; the sum of the values is all there are.

    heads: which of HEADS are counted with it. None is a `Bert`, "gaps" alone a `MaskedLM`, all three a
    `Pretraining`; the papers' figures are nearest to "pooler" alone. A part that is not there has 0.

    BERT's 109,482,240 are 30,522 · 768 for the tokens, 12 · 7,087,872 for the layers, and little else.
    """
    layers = 1 if config.shared else config.layers
    asked = {name: chosen(HEADS, head=name)(config) for name in heads}
    return embedding(config) | {name: layers * count for name, count in block(config).items()} | asked


def gpt_parameters(config: GPTConfig) -> dict[str, int]:
    """Numbers that a GPT learns, by part; the sum of the values is all there are, the output's table once.

    GPT-2 small's 124,439,808 are 50,257 · 768 for the tokens, 1024 · 768 for their places, and 12 · 7,087,872
    for the blocks, as large as BERT's, and a last norm. Each choice of `GPTConfig` is counted as it is made.
    """
    c = config
    width, kept = c.width, c.width * (c.groups or c.heads) // c.heads  # kept: of keys, and of values
    norm = {"layer": 2 * width, "batch": 2 * width, "rms": width, "none": 0}[c.norm]
    inner = 8 * width // 3 if c.feed_forward == "gated" else 4 * width
    ways_in = 2 if c.feed_forward == "gated" else 1
    feed_forward = ways_in * linear(width, inner) + linear(inner, width)
    return {
        "tokens": c.vocab_size * width,
        "positions": c.context * width if c.positions == "learned" else 0,
        "attention": c.layers * (2 * linear(width, width) + 2 * linear(width, kept)),
        "feed-forward": c.layers * feed_forward * (c.experts or 1),
        "routers": c.layers * width * (c.experts or 0),
        "norms": c.layers * 2 * norm,
        "last norm": norm,
    }


# ---- published ----


class Size(NamedTuple):
    """A model that was published: how it is made, and how large it is said to be."""

    config: BertConfig
    said: float  # millions of parameters, as published
    source: str  # by whom
    heads: tuple[str, ...] = ("pooler",)  # that come with it

    def counted(self) -> int:
        """All its parameters."""
        return sum(parameters(self.config, heads=self.heads).values())


LARGE = {"width": 1024, "heads": 16, "inner": 4096, "layers": 24}


def _albert(said: float, **size: int) -> Size:
    """The vectors of tokens have 128 numbers, one block is all layers."""
    size = BertConfig(30_000, factors=128, shared=True, activation="gelu tanh", **size)
    return Size(size, said, "Lan et al. 2020")


BERT_BASE = Size(BertConfig(30_522), 110, "Devlin et al. 2019")
BERT_LARGE = Size(BertConfig(30_522, **LARGE), 340, "Devlin et al. 2019")
ROBERTA_BASE = Size(BertConfig(50_265, segments=1, pad=1, epsilon=1e-5), 125, "its authors' README")
DISTILBERT = Size(BertConfig(30_522, layers=6, segments=0), 66, "Sanh et al. 2019", heads=())
MINILM_L6 = Size(BertConfig(30_522, width=384, inner=1536, layers=6), 22, "Wang et al. 2020")
ALBERT_BASE = _albert(12)
ALBERT_LARGE = _albert(18, **LARGE)
ALBERT_XLARGE = _albert(60, width=2048, heads=16, inner=8192, layers=24)
ALBERT_XXLARGE = _albert(235, width=4096, heads=64, inner=16_384, layers=12)

SIZES = {
    "BERT base": BERT_BASE,
    "BERT large": BERT_LARGE,
    "RoBERTa base": ROBERTA_BASE,
    "DistilBERT": DISTILBERT,
    "MiniLM-L6": MINILM_L6,
    "ALBERT base": ALBERT_BASE,
    "ALBERT large": ALBERT_LARGE,
    "ALBERT xlarge": ALBERT_XLARGE,
    "ALBERT xxlarge": ALBERT_XXLARGE,
}


class GPTSize(NamedTuple):
    """A GPT that was published: how it is made, and how large it is said to be."""

    config: GPTConfig
    said: float  # millions of parameters, as published
    source: str  # by whom
    without: tuple[str, ...] = ()  # parts of ours that it does not have

    def parts(self) -> dict[str, int]:
        """All its parameters, by part; what it does not have is 0."""
        return gpt_parameters(self.config) | dict.fromkeys(self.without, 0)

    def counted(self) -> int:
        """All its parameters."""
        return sum(self.parts().values())


def _gpt2(said: float, **size: int) -> GPTSize:
    return GPTSize(GPTConfig(50_257, context=1024, **size), said, "Radford et al. 2019")


# GPT-1's norms follow its sublayers, so that a last one has nothing to do
_GPT_1 = GPTConfig(40_478, context=512, layers=12, heads=12, width=768)
_GPT_3 = GPTConfig(50_257, context=2048, layers=96, heads=96, width=12_288)

GPT_SIZES = {
    "GPT-1": GPTSize(_GPT_1, 117, "Radford et al. 2019", ("last norm",)),
    "GPT-2 small": _gpt2(117, layers=12, heads=12, width=768),
    "GPT-2 medium": _gpt2(345, layers=24, heads=16, width=1024),
    "GPT-2 large": _gpt2(762, layers=36, heads=20, width=1280),
    "GPT-2 XL": _gpt2(1542, layers=48, heads=25, width=1600),
    "GPT-3": GPTSize(_GPT_3, 175_000, "Brown et al. 2020"),
}
