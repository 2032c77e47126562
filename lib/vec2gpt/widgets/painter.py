"""Masks under the reader's hand: who may look at whom, what is asked, and what a model then says (chapter 9).

An objective is a mask and what is asked (`objectives`). Here both can be repainted: open a cell, and a token
sees what it was not to see; then see whether what is said gets better, and whether it was still a question.
Every model is a `Reader`, which takes any mask, so that nothing here computes a layer a second time.
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vec2gpt.bpe import BPE
from vec2gpt.language import IGNORED
from vec2gpt.objectives import OBJECTIVES, Example, backward, causal, cut_out, permuted, prefix
from vec2gpt.reader import Reader
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.tokens import LONGEST, check_length, check_reader, tokenizer

LIMIT = 24  # tokens of a text, marks included
CHOICES = 5
OUTPUTS = ["guesses", "probabilities", "own", "ranks"]
SHORT = "A question needs at least 2 tokens, and the text has {size}: type more."
CUT = "The text has {size} tokens; the first {room} are read."  # both as the page says them


class Painter(nn.Module):
    """The same text read twice, with an objective's own mask and with the painted one.

    ids (1, T), what is read; truth (1, T), what is asked at each place, or any id where nothing is; masks
    (3, T, T), 1 = may look: the objective's own, the painted one, and that of a content stream →

    guesses (2, T, 5), the likeliest tokens at each place, likeliest first, and their probabilities (2, T, 5);
    of the truth its probability, own (2, T), and how many are likelier plus one, ranks (2, T). Row 0: with
    the objective's own mask.
    """

    def __init__(self, model: Reader):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, truth: Tensor, masks: Tensor) -> tuple[Tensor, ...]:
        p = self.logits(ids.expand(2, -1), masks > 0.5).softmax(-1)  # (2, T, V)
        own = p.gather(-1, truth.expand(2, -1)[..., None])  # (2, T, 1)
        best = p.topk(CHOICES)
        return best.indices, best.values, own[..., 0], (p > own).sum(-1) + 1

    def logits(self, ids: Tensor, masks: Tensor) -> Tensor:
        return self.model(ids, None, masks[:2, None])[0]


class TwoStreamPainter(Painter):
    """The same for two streams: what is painted is the mask of the one that is asked."""

    def logits(self, ids: Tensor, masks: Tensor) -> Tensor:
        return self.model(ids, None, masks[:2, None], masks[2])[0]


# ---- what is asked first; js/objectives.js does the same for every choice of the reader ----


class Marks(NamedTuple):
    """Ids that are no text: what stands around it, what hides a token, and what stands for a span."""

    around: tuple[int, ...]  # none, or one before the text and one behind it
    mask: int
    sentinels: tuple[int, ...]


def scrambled(length: int, draw: int) -> list[int]:
    """An order of the places 0 … length − 1, another one for each draw (Park & Miller 1988).

    A generator so simple that the page has the same.
    """
    seed, numbers = 1_000_003 * draw % (2**31 - 1), []
    for _ in range(length):
        numbers.append(seed := seed * 48271 % (2**31 - 1))
    return sorted(range(length), key=numbers.__getitem__)


def places(objective: str, plain: Sequence[int], *, length: int, marks: Marks, draw: int = 1) -> list[int]:
    """The places of the tokens that are asked before the reader chooses, among those of plain tokens."""
    if objective == "causal":
        return [at for at in plain if at > 0]
    if objective == "backward":
        return [at for at in plain if at < length - 1]
    if objective == "prefix":
        return [at for at in plain if at >= length // 2]
    if objective == "permuted":
        late = set(scrambled(length, draw)[-max(1, length // 3) :])
        return [at for at in plain if at in late] or plain[-1:]
    if objective == "masked":
        return plain[2::6] or plain[-1:]
    spans = len(marks.sentinels) - 1
    return [at for k, at in enumerate(plain) if k % 6 in (2, 3) and k // 6 < spans] or plain[-1:]


def asking(
    objective: str, ids: Sequence[int], asked: Sequence[int], *, marks: Marks, draw: int = 1
) -> Example:
    """The objective's example of one text, in which the tokens at the places `asked` are asked for."""
    row, at = torch.tensor([list(ids)]), torch.tensor(list(asked))
    there = torch.zeros_like(row, dtype=torch.bool).index_fill(1, at, True)
    if objective == "spans":
        return cut_out(row, there, sentinels=marks.sentinels)
    if objective == "masked":
        everywhere = torch.ones(len(ids), len(ids), dtype=torch.bool)
        return Example(torch.where(there, marks.mask, row), torch.where(there, row, IGNORED), everywhere)
    if objective == "permuted":
        example, way = permuted(row, order=scrambled(len(ids), draw), share=1), 0
    elif objective == "prefix":
        example, way = prefix(row, lengths=min(asked)), -1
    else:
        example, way = (causal(row), -1) if objective == "causal" else (backward(row), 1)
    told = there.roll(way, 1)  # the place that is to say it
    return example._replace(targets=torch.where(told, example.targets, IGNORED))


def question(example: Example) -> dict[str, Tensor]:
    """What a `Painter` is asked before anything is painted."""
    own = example.may_look()
    content = own if example.content is None else example.content[0, 0]
    return {
        "ids": example.inputs,
        "truth": example.targets.clamp(min=0),
        "masks": torch.stack([own, own, content]).float(),
    }


def read(text: str, vocab: BPE, *, room: int) -> tuple[list[int], str]:
    """The ids of a text, at most `room`, and what there is to say of it: that it was cut, or nothing.

    ValueError for a text of fewer than 2 tokens.
    """
    ids = vocab.encode(text)
    if len(ids) < 2:
        raise ValueError(SHORT.format(size=len(ids)))
    return ids[:room], CUT.format(size=len(ids), room=room) if len(ids) > room else ""


# ---- the widget ----


def painter_widget(
    models: dict[str, Reader],
    vocab: BPE,
    text: str,
    *,
    examples: Iterable[str] = (),
    around: Sequence[str] = (),
    mask: str = "[MASK]",
    sentinels: Sequence[str] = (),
) -> LiveModel:
    """A text, an objective to choose, and its mask to repaint; what is said with it and without.

    models: objective → a Reader that was trained with it, of one or more of `OBJECTIVES`, in this order.
    vocab: of all models.
    text: of 2 tokens or more; of a long one the first are read, 24 with the marks, and a warning says so.
    examples: texts offered. All have 400 characters at most.
    around: the marks that stood before and behind every text in training, such as ("[CLS]", "[SEP]").
    mask: the mark that hides a token, for a model that is "masked".
    sentinels: marks for the spans, one more than there can be, for a model of "spans".

    >>> painter_widget({"causal": reader}, bpe, "She sailed over the sea.")
    LiveModel(painter: ids, truth, masks → guesses, probabilities, own, ranks)
    """
    marks = _marks(models, vocab, around=around, mask=mask, sentinels=sentinels)
    for name, model in models.items():
        _check_model(name, model, vocab)
    limit, spans = _room(models, len(marks.sentinels) - 1)
    marks = marks._replace(sentinels=marks.sentinels[: spans + 1])
    ids, note = read(text, vocab, room=limit - len(marks.around))
    for offered in (text, *(examples := list(examples))):
        check_length(offered)
    if note:
        warnings.warn(note, stacklevel=2)
    whole = [*marks.around[:1], *ids, *marks.around[1:]]
    plain = list(range(len(marks.around[:1]), len(marks.around[:1]) + len(ids)))
    first = next(iter(models))
    asked = places(first, plain, length=len(whole), marks=marks)
    return LiveModel(
        "painter",
        {name: _painter(name)(model) for name, model in models.items()},
        question(asking(first, whole, asked, marks=marks)),
        OUTPUTS,
        lengths={"ids": [1], "truth": [1], "masks": [1, 2]},
        settings={
            "models": {name: {"layers": model.config.layers} for name, model in models.items()},
            "text": text,
            "examples": examples,
            "limit": limit,
            "around": list(marks.around),
            "mask": marks.mask,
            "sentinels": list(marks.sentinels),
            "longest": LONGEST,
            **tokenizer(vocab),
        },
    )


def _painter(objective: str) -> type[Painter]:
    return TwoStreamPainter if objective == "permuted" else Painter


def _marks(models, vocab: BPE, *, around, mask, sentinels) -> Marks:
    """The ids of the marks that these models need; −1 and none for those that they do not."""
    if not models:
        raise ValueError("there is no model: give at least one, by the name of its objective")
    if strange := [name for name in models if name not in OBJECTIVES]:
        raise ValueError(f"{strange[0]!r} is no objective: name each model one of {', '.join(OBJECTIVES)}")
    if len(around) not in (0, 2):
        raise ValueError(
            f"around is {tuple(around)}: give none, or one mark before the text and one behind it"
        )
    if "spans" in models and len(sentinels) < 2:
        raise ValueError(f"{len(sentinels)} sentinels mark no span and its end: give at least 2 for 'spans'")
    return Marks(
        tuple(vocab[name] for name in around),
        vocab[mask] if "masked" in models else -1,
        tuple(vocab[name] for name in sentinels) if "spans" in models else (),
    )


def _room(models: dict[str, Reader], spans: int) -> tuple[int, int]:
    """How many tokens of a text all models have room for, and how many spans of it: T + 2 spans + 1."""
    contexts = {name: model.config.context for name, model in models.items()}
    least = {name: room - 3 if name == "spans" else room for name, room in contexts.items()}
    limit = min(LIMIT, *least.values())
    if limit < 4:
        name = min(least, key=least.get)
        raise ValueError(
            f"{name} has room for {contexts[name]} tokens: give one with a context of at least 8"
        )
    return limit, min(spans, (contexts["spans"] - limit - 1) // 2) if "spans" in models else 0


def _check_model(name: str, model, vocab: BPE) -> None:
    if not isinstance(model, Reader):
        raise ValueError(f"{name} is a {type(model).__name__}: give a Reader, which reads with any mask")
    check_reader(name, model, vocab)
