"""BERT: a stack of Transformer blocks that reads a text from both sides, and fills in its gaps.

Devlin, Chang, Lee & Toutanova 2019. A model that predicts the next token may look at nothing behind it, so
what it knows of a word comes from the left alone. Hide some words instead, and ask for those: then every
token may look at all others, and its vector knows both sides. The blocks are those of the Transformer's
encoder.

    x = norm(token + position + segment)       what the first block gets      (B, T, D)
    p = softmax(E norm(gelu(W h)) + b)         what stands at a gap           (B, T, V), E the tokens' vectors

`Bert` reads, `MaskedLM` fills in gaps, `Pretraining` also says whether two sentences belong together.
RoBERTa (Liu et al. 2019) is the same network without pairs. ALBERT (Lan et al. 2020) is smaller: its vectors
of tokens are narrow (`factors`), and one block serves as all layers (`shared`).

Left out: dropout of attention weights; padding in front of a text.
"""

from dataclasses import dataclass
from functools import partial
from numbers import Real

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.attention import attend, attend_fused, padding_mask
from vec2gpt.blocks import ACTIVATIONS, Block
from vec2gpt.checks import check_context, check_ids, check_names, check_shares, check_sizes, check_tokens
from vec2gpt.language import IGNORED, next_token_loss
from vec2gpt.unrolling import is_exporting

FOLLOWS, OTHER = 0, 1  # the second sentence belongs behind the first, or it does not; numbered as BERT does


@dataclass(frozen=True)
class BertConfig:
    vocab_size: int
    context: int = 512  # the most tokens it can see
    width: int = 768
    heads: int = 12
    inner: int = 3072  # of a feed-forward
    layers: int = 12
    segments: int = 2  # kinds of sentence that have a vector each; 0: no such vectors, as in DistilBERT
    pad: int = 0  # fills a text
    factors: int | None = None  # width E of a token's vector before it is widened to D; None: E = D
    shared: bool = False  # one block is all the layers
    dropout: float = 0.1  # of what the first block gets, and of what each sublayer adds
    epsilon: float = 1e-12  # keeps a norm from dividing by 0
    activation: str = "gelu"  # one of ACTIVATIONS

    def __post_init__(self):
        names = "vocab_size context width heads inner layers"
        check_sizes(**{name: getattr(self, name) for name in names.split()}, factors=self.narrow)
        check_sizes(0, segments=self.segments)
        check_shares(dropout=self.dropout)
        check_names(self, activation=ACTIVATIONS)
        if self.pad not in range(self.vocab_size):
            last = self.vocab_size - 1
            raise ValueError(f"pad is {self.pad}, but the vocabulary has the ids 0 … {last}: give the mark's")
        if not isinstance(self.epsilon, Real) or not self.epsilon > 0:
            raise ValueError(f"epsilon is {self.epsilon!r}: give a small number above 0, such as 1e-12")

    @property
    def narrow(self):
        """E, the width of a token's vector in the table."""
        return self.width if self.factors is None else self.factors


class BertEmbedding(nn.Module):
    """token + position + segment, normalised; where they are narrower than D, then widened."""

    def __init__(self, config):
        super().__init__()
        c, width = config, config.narrow
        self.token = nn.Embedding(c.vocab_size, width)  # also the output layer
        self.position = nn.Embedding(c.context, width)
        self.segment = nn.Embedding(c.segments, width) if c.segments else None
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(c.dropout)
        self.up = nn.Identity() if c.factors is None else nn.Linear(width, c.width)

    def forward(self, ids, segments=None):
        """ids (B, T), segments (B, T) or None, which is all 0 -> (B, T, D)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.token(ids) + self.position(places)  # (B, T, E)
        if self.segment is not None:
            x = x + (self.segment.weight[0] if segments is None else self.segment(segments))
        return self.up(self.dropout(self.norm(x)))


# ---- what reads ----


class Bert(nn.Module):
    """Reads a text: a vector for each token, made of all the others."""

    Config = BertConfig

    def __init__(self, config):
        super().__init__()
        self.config = c = config
        style = {"inner": c.inner, "dropout": c.dropout, "activation": c.activation, "residual": "post"}
        self.embedding = BertEmbedding(c)
        self.blocks = nn.ModuleList(
            Block(c.width, heads=c.heads, **style) for _ in range(1 if c.shared else c.layers)
        )
        start(self, c)

    def forward(self, ids, segments=None):
        """ids (B, T), padded with `config.pad` -> (B, T, D). Those of padding mean nothing.

        segments (B, T): of which sentence each token is, 0 … `config.segments` − 1; None: all of the first.
        """
        return self.layers(ids, segments)[-1]

    def layers(self, ids, segments=None, *, attend=attend_fused):
        """What each layer makes of it: L + 1 tensors (B, T, D), the first as the first block gets it.

        attend(q, k, v, mask) -> out: how every head looks, to watch it or to change it.
        """
        self._check(ids, segments)
        look = partial(attend, mask=padding_mask(ids, self.config.pad)[:, None])  # (B, 1, 1, T)
        hidden = [self.embedding(ids, segments)]
        for layer in range(self.config.layers):
            block = self.blocks[0 if self.config.shared else layer]
            hidden.append(block(hidden[-1], look=look))
        return tuple(hidden)

    def look(self, ids, segments=None):
        """Where each head of each layer looks: (B, L, H, T, T), rows that sum to 1, without gradients.

        It reads as the model would: in training mode with dropout, so call `eval()` first.
        """
        seen = []

        def watch(q, k, v, mask):
            out, weights = attend(q, k, v, mask)
            seen.append(weights.detach())
            return out

        self.layers(ids, segments, attend=watch)
        return torch.stack(seen, 1)

    def _check(self, ids, segments):
        c = self.config
        check_ids(ids, c.vocab_size)
        check_context(ids, c.context)
        check_tokens(ids != c.pad, c.pad)
        if segments is None:
            return
        if not c.segments:
            raise ValueError("this model knows no segments: give none, or make it with segments=2")
        check_ids(segments, c.segments, name="segments")
        if segments.shape != ids.shape and not is_exporting():
            shapes = tuple(segments.shape), tuple(ids.shape)
            raise ValueError("segments have the shape {}, but the ids {}: give one for each".format(*shapes))


@torch.no_grad()
def start(model, config):
    """BERT's first weights: σ = 0.02 at its width of 768, and in general 0.02 √(768 / D).

    So a sum of D products is of one size at every width: 0.55 times that of a normalised input. With 0.02 a
    narrow model's layers add next to nothing, and for a long time it learns no more than how often each token
    occurs. What meets E numbers has the σ of that width. Biases begin at 0.
    """
    for name, weight in model.named_parameters():
        if "norm" in name:
            continue
        if name.endswith("bias"):
            nn.init.zeros_(weight)
        else:
            nn.init.normal_(weight, std=spread(config.narrow if "embedding." in name else config.width))
    for norm in (part for part in model.modules() if isinstance(part, nn.LayerNorm)):
        norm.eps = config.epsilon


def spread(width):
    """σ of the first weights that meet `width` numbers.

    >>> spread(768), spread(192)
    (0.02, 0.04)
    """
    return 0.02 * (768 / width) ** 0.5


# ---- what is asked of it ----


class GapHead(nn.Module):
    """From what was read to the tokens: a layer, a norm, and how well each token's vector goes with it."""

    def __init__(self, config):
        super().__init__()
        self.linear = nn.Linear(config.width, config.narrow)
        self.activation = ACTIVATIONS[config.activation]
        self.norm = nn.LayerNorm(config.narrow)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, x, table):
        """x (…, D), the tokens' vectors (V, E) -> logits (…, V)."""
        return F.linear(self.norm(self.activation(self.linear(x))), table, self.bias)


class MaskedLM(nn.Module):
    """Says which token stands at each place, hidden or not."""

    Config = BertConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.bert = Bert(config)
        self.head = GapHead(config)
        start(self.head, config)

    def forward(self, ids, targets=None, *, segments=None):
        """ids (B, T) -> logits (B, T, V), and the mean loss in nats when targets (B, T) are given.

        targets are the tokens that are asked for, and −100 where none is; see `Bert` for the others.
        """
        logits = self.fill(self.bert(ids, segments))
        return logits, next_token_loss(logits, targets)

    def fill(self, x):
        """What was read, (…, D) -> logits (…, V)."""
        return self.head(x, self.bert.embedding.token.weight)

    def layers(self, ids, segments=None):
        """As of `Bert`: L + 1 tensors (B, T, D)."""
        return self.bert.layers(ids, segments)

    def look(self, ids, segments=None):
        """As of `Bert`: (B, L, H, T, T)."""
        return self.bert.look(ids, segments)


class AskedOnly(nn.Module):
    """A `MaskedLM` to be trained: with targets, its logits are made where something is asked, and (N, V).

    The loss is the same. With 15% asked, and a vocabulary much larger than D, most of the work is saved.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, targets=None):
        if targets is None or targets.shape != ids.shape or (targets == IGNORED).all():
            return self.model(ids, targets)  # which says what is wrong with such targets
        asked = targets != IGNORED  # (B, T), N of them true
        logits = self.model.fill(self.model.bert(ids)[asked])
        return logits, next_token_loss(logits[None], targets[asked][None])


class Pretraining(MaskedLM):
    """Fills in gaps, and says from the first token's vector whether two sentences belong together."""

    def __init__(self, config):
        super().__init__(config)
        self.pooler = nn.Linear(config.width, config.width)
        self.pair = nn.Linear(config.width, 2)
        start(self.pooler, config)
        start(self.pair, config)

    def forward(self, ids, targets=None, segments=None, pairs=None):
        """ids (B, T) -> logits (B, T, V), and the sum of the losses of what is given, in nats.

        targets (B, T): as of `MaskedLM`. pairs (B,): 0 where the second sentence follows the first, else 1.
        """
        x = self.bert(ids, segments)
        logits = self.fill(x)
        losses = [next_token_loss(logits, targets), pair_loss(self.weigh(x), pairs)]
        losses = [loss for loss in losses if loss is not None]
        return logits, sum(losses) if losses else None

    def judge(self, ids, segments=None):
        """Logits (B, 2): the second sentence follows the first (column 0), or it does not (column 1)."""
        return self.weigh(self.bert(ids, segments))

    def weigh(self, x):
        """What was read, (B, T, D) -> the logits (B, 2) of `judge`."""
        return self.pair(self.pooler(x[:, 0]).tanh())


def pair_loss(logits, pairs):
    """Mean cross-entropy in nats of pairs (B,) under logits (B, 2); None without pairs.

    Who knows nothing scores ln 2, 0.69.
    """
    if pairs is None:
        return None
    if pairs.shape != logits.shape[:1]:
        raise ValueError(
            f"pairs have the shape {tuple(pairs.shape)}, but there are {len(logits)} texts: give one for each"
        )
    check_ids(pairs[None], 2, name="pairs")
    return F.cross_entropy(logits, pairs)
