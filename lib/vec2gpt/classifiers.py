"""Heads for questions about texts: of which class is a text, a pair of texts, each token?

Radford et al. 2018 and Devlin et al. 2019 put one small layer on a pretrained model, and train all of it on
the task. So the network is made once, and a task adds a few thousand numbers instead of its own design.

    x = read(ids)                         a vector for each token              (B, T, D)
    logits = W pool(x) + b                of a text, or of a pair of them      (B, C)      `Classifier`
    logits = W x + b                      of each token                        (B, T, C)   `Tagger`

`Bag` and `RecurrentClassifier` differ from `Classifier` in what reads alone: vectors that know no neighbours,
and vectors made by going through the text. So a comparison of the three is one of what reads.

Padding counts nowhere. Left out: labels of which several hold at once; numbers instead of classes.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from vec2gpt.bert import Bert, BertConfig, start
from vec2gpt.checks import check_ids, check_names, check_shares, check_sizes, check_tokens, chosen
from vec2gpt.labelled import class_loss
from vec2gpt.language import CELLS, IGNORED
from vec2gpt.pairs import padded
from vec2gpt.recurrent import Stack

# ---- one vector for a text ----


def token_mean(x, tokens):
    """The mean of the tokens' vectors: x (B, T, D), tokens (B, T) boolean, True = counts -> (B, D).

    Of the vectors 1, 3 and 8, where the last is padding, it is 2.
    """
    tokens = tokens[..., None]  # (B, T, 1)
    return (x * tokens).sum(1) / tokens.sum(1)


class Mean(nn.Module):
    """Every token has the same say (as in Reimers & Gurevych 2019). It learns nothing of its own."""

    def __init__(self, config):
        super().__init__()

    def forward(self, x, tokens):
        return token_mean(x, tokens)


class First(nn.Module):
    """tanh(W x₁ + b): the first token speaks for all, BERT's [CLS] (Devlin et al. 2019)."""

    def __init__(self, config):
        super().__init__()
        self.linear = nn.Linear(config.width, config.width)
        start(self, config)

    def forward(self, x, tokens):
        return self.linear(x[:, 0]).tanh()


POOLS = {"mean": Mean, "cls": First}

# ---- configurations ----


@dataclass(frozen=True)
class TaggerConfig:
    bert: BertConfig  # of what reads; a mapping of its fields, as a card keeps it, becomes one
    classes: int
    dropout: float = 0.1  # of what the head gets; what reads has its own

    def __post_init__(self):
        if isinstance(self.bert, Mapping):
            object.__setattr__(self, "bert", BertConfig(**self.bert))
        check_sizes(2, classes=self.classes)
        check_shares(dropout=self.dropout)


@dataclass(frozen=True)
class ClassifierConfig(TaggerConfig):
    pool: str = "mean"  # one of POOLS

    def __post_init__(self):
        super().__post_init__()
        check_names(self, pool=POOLS)


# ---- heads on BERT ----


class OnBert(nn.Module):
    """What reads, and a linear layer on top that begins at random."""

    def __init__(self, bert, config):
        super().__init__()
        self.config, self.bert = config, bert
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.bert.width, config.classes)
        start(self.head, config.bert)
        self._as_it_reads(self.head)

    def _as_it_reads(self, part):
        """Bring what is new to the type, device and mode of what reads."""
        part.to(self.bert.embedding.token.weight)
        self.train(self.bert.training)

    @classmethod
    def from_config(cls, config):
        """A model whose weights are all fresh, those of what reads too."""
        fields = {name: getattr(config, name) for name in config.__dataclass_fields__}
        return cls(Bert(fields.pop("bert")), **fields)

    @property
    def pad(self):
        """The id that fills a text."""
        return self.config.bert.pad


class Classifier(OnBert):
    """Says of which of C classes a text is, or a pair of texts.

    bert: a `Bert`, or what holds one: a `MaskedLM`, a MiniLM, a checkpoint. It is copied, so the one given
    stays as it was; what is new has its type, device and mode. pool: a name of POOLS, how the tokens' vectors
    become one; the layer of "cls" is that of a `Pretraining`, of others a new one. dropout: before the linear
    layer; what reads keeps its own.
    """

    Config = ClassifierConfig

    def __init__(self, bert, classes, *, pool="mean", dropout=0.1):
        given = getattr(bert, "model", bert)
        body = _reader(given)
        super().__init__(body, ClassifierConfig(body.config, classes, dropout=dropout, pool=pool))
        self.pool = POOLS[pool](body.config)
        self._as_it_reads(self.pool)
        if pool == "cls" and hasattr(given, "pooler"):
            self.pool.linear.load_state_dict(given.pooler.state_dict())

    def forward(self, ids, targets=None, segments=None):
        """ids (B, T) -> logits (B, C), and the mean loss in nats when targets (B,) are given.

        targets: the classes, 0 … C − 1, and −100 where nothing is asked. segments (B, T): as of `Bert`.
        """
        x = self.pool(self.bert(ids, segments), ids != self.pad)
        logits = self.head(self.dropout(x))
        return logits, class_loss(logits, targets)


class Tagger(OnBert):
    """Says of which of C classes each token is; bert and dropout as of `Classifier`."""

    Config = TaggerConfig

    def __init__(self, bert, classes, *, dropout=0.1):
        body = _reader(getattr(bert, "model", bert))
        super().__init__(body, TaggerConfig(body.config, classes, dropout=dropout))

    def forward(self, ids, targets=None, segments=None):
        """ids (B, T) -> logits (B, T, C), and the mean loss in nats when targets (B, T) are given.

        targets: 0 … C − 1, and −100 where nothing is asked, such as at marks, or at all but the first piece
        of a word. Padding is never asked, whatever its target.
        """
        logits = self.head(self.dropout(self.bert(ids, segments)))
        if targets is not None and targets.shape == ids.shape:
            targets = targets.where(ids != self.pad, IGNORED)
        return logits, class_loss(logits, targets)


def _reader(model):
    """A copy of the `Bert` that a model is, or has; ValueError where there is none."""
    found = getattr(model, "bert", model)
    if not isinstance(found, Bert):
        raise ValueError(
            f"{type(model).__name__} holds no Bert: give a Bert, or a model made of one, such as a MaskedLM"
        )
    return copy.deepcopy(found)


# ---- the same question to what reads in other ways ----


class MeanOfTokens(nn.Module):
    """A vector for each token, their mean, a linear layer. Who extends it says how it reads: `read(ids)`."""

    def __init__(self, table, width, classes, *, pad, dropout):
        super().__init__()
        check_sizes(2, classes=classes)
        check_shares(dropout=dropout)
        self.table, self.pad = table, pad
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)

    def forward(self, ids, targets=None):
        """ids (B, T), padded with `pad` -> logits (B, C), and the loss when targets (B,) are given."""
        tokens = ids != self.pad
        check_ids(ids, self.table.num_embeddings)
        check_tokens(tokens, self.pad)
        logits = self.head(self.dropout(token_mean(self.read(ids), tokens)))
        return logits, class_loss(logits, targets)


class Bag(MeanOfTokens):
    """A token's vector knows nothing of the others, so their order says nothing.

    table: an nn.Embedding. Its from_pretrained(vectors) are held fast; nn.Embedding(V, D) learns its own.
    It is not copied. pad: the id that fills a text; its vector counts nowhere.
    """

    def __init__(self, table, classes, *, pad=0, dropout=0.1):
        super().__init__(table, _width(table, pad), classes, pad=pad, dropout=dropout)

    def read(self, ids):
        """ids (B, T) -> (B, T, D)."""
        return self.table(ids)


class RecurrentClassifier(MeanOfTokens):
    """A token's vector is what a recurrent network shows there: it goes through the text in both directions.

    hidden: of each direction. cell: a name of `language.CELLS`. All else as of `Bag`.
    """

    def __init__(self, table, classes, *, hidden=64, layers=1, cell="lstm", pad=0, dropout=0.1):
        check_sizes(hidden=hidden, layers=layers)
        width = _width(table, pad)
        super().__init__(table, 2 * hidden, classes, pad=pad, dropout=dropout)
        style = {"layers": layers, "bidirectional": True, "dropout": dropout}
        self.stack = Stack(chosen(CELLS, cell=cell), width, hidden, **style)

    def read(self, ids):
        """ids (B, T) -> (B, T, 2 · hidden)."""
        return self.stack(self.table(ids), mask=ids != self.pad)[0]


def _width(table, pad):
    """D, of a table whose ids hold `pad`."""
    if not isinstance(table, nn.Embedding):
        raise ValueError(
            f"table is a {type(table).__name__}: give an nn.Embedding, of vectors that you have "
            "nn.Embedding.from_pretrained(vectors)"
        )
    if pad not in range(table.num_embeddings):
        last = table.num_embeddings - 1
        raise ValueError(f"pad is {pad}, but the table has the ids 0 … {last}: give the mark's")
    return table.embedding_dim


# ---- the answer ----


def predict(model, rows, *, segments=None, batch=32):
    """How probable each class is for each of N texts: (N, C), on the CPU, without gradients and dropout.

    rows: the ids of each text, without padding. segments: of each, for pairs. batch: texts read at once.
    Of a model of tokens: a list of N tensors (T, C).
    """
    rows = [torch.as_tensor(row).tolist() for row in rows]
    _check_rows(rows, segments)
    check_sizes(batch=batch)
    order = sorted(range(len(rows)), key=lambda n: len(rows[n]))  # alike in length, so little is padded
    found, training = [None] * len(rows), model.training
    model.eval()
    try:
        for some in (order[n : n + batch] for n in range(0, len(rows), batch)):
            for n, said in zip(some, _said(model, rows, segments, some), strict=True):
                found[n] = said[: len(rows[n])] if said.dim() == 2 else said
    finally:
        model.train(training)
    return found if found[0].dim() == 2 else torch.stack(found)


@torch.no_grad()
def _said(model, rows, segments, some):
    """The probabilities for those of these numbers: (B, C) or (B, T, C)."""
    device = next(model.parameters()).device
    given = [padded((rows[n] for n in some), model.pad)]
    if segments is not None:
        given += [None, padded((segments[n] for n in some), 0)]
    logits, _ = model(*(None if part is None else part.to(device) for part in given))
    return logits.softmax(-1).cpu()


def _check_rows(rows, segments):
    """Raise ValueError unless there are texts, none of them empty, each with its segments."""
    if not rows:
        raise ValueError("there are no texts: give the ids of at least one")
    if segments is not None and len(segments) != len(rows):
        raise ValueError(f"there are {len(rows)} texts and segments of {len(segments)}: give them for each")
    for number, row in enumerate(rows):
        if not row:
            raise ValueError(f"text {number} has no tokens: leave it out")
        if segments is not None and len(segments[number]) != len(row):
            raise ValueError(
                f"text {number} has {len(row)} tokens and {len(segments[number])} segments: give one for each"
            )
