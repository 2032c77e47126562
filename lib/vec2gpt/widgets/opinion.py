"""For or against? What a classifier makes of the reader's sentence, and what each word does to it.

Chapter 11. The text is read as it is, and once more for every word without it. By how much the log-odds
change is what the word weighs (leave-one-out; Li, Monroe & Jurafsky 2016 call it erasure):

    w(k) = ln p/(1 − p), read with word k    −    the same, read without

A word that is left out is gone, not masked: the text closes over its gap. Weights do not add up to the
whole, since words are judged by their neighbours: of "not good" each depends on the other.
"""

from itertools import chain

from torch import Tensor, nn

from vec2gpt.bpe import BPE
from vec2gpt.classifiers import Classifier
from vec2gpt.pairs import padded
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.models import check_finite
from vec2gpt.widgets.tokens import LONGEST, check_length, check_reader, cut, is_word, tokenizer

LIMIT = 64  # tokens read at most, the two marks included
MARKS = ("[CLS]", "[SEP]")
NOTHING = "There is no word to judge: type a sentence."
ALL_OFF = "All words are left out: press one to read it again."


class Opinion(nn.Module):
    """The log-odds of the second of two classes: ids (N, T), padded -> (N,).

    Logits of −1 and 2 are log-odds of 3, a probability of 95% for the second.
    """

    def __init__(self, model: Classifier):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> tuple[Tensor]:
        logits = self.model(ids)[0]  # (N, 2)
        return (logits[:, 1] - logits[:, 0],)


def read(text: str, bpe: BPE, *, room: int) -> list[list[int]]:
    """A text as the ids of its words, as `tokens.cut` has it; ValueError where there is none, or too much."""
    return cut(text, bpe, room=room, nothing=NOTHING)


def asked(text: str, off: list[int], bpe: BPE, *, room: int, pad: int) -> Tensor:
    """What is read, (1 + W, T): the text, then for each of its W words the text with that word switched.

    off: which words are left out; switched, such a word is read again, and any other is left out. Space is
    no word. Nothing is asked of a text without words: a word that stands alone is not switched.

    ValueError as of `read`, and where all words are off.
    """
    words = read(text, bpe, room=room)
    places = [k for k, ids in enumerate(words) if is_word(bpe.decode(ids))]
    out = set(off) & set(places)
    if out == set(places):
        raise ValueError(ALL_OFF)
    sets = [out, *(out ^ {k} for k in places if out ^ {k} != set(places))]
    cls, sep = (bpe[mark] for mark in MARKS)
    left = [[ids for k, ids in enumerate(words) if k not in gone] for gone in sets]
    return padded([[cls, *chain(*kept), sep] for kept in left], pad)


def opinion_widget(
    models: Classifier | dict[str, Classifier],
    vocab: BPE,
    texts: list[str],
    *,
    classes: tuple[str, str] = ("against", "for"),
) -> LiveModel:
    """A sentence to type, what a model takes it for, and which of its words make it so; each can be left out.

    models: a classifier of two classes, or a dict of such by name, between which the reader chooses; all of
    `vocab`, and with a mark for padding.
    vocab: has the specials [CLS] and [SEP].
    texts: what is offered; the widget begins with the first. They have room in the smallest model: 64 tokens
    at most, with the two marks, and 400 characters.
    classes: the names of the models' classes, in their order.

    >>> opinion_widget(model, bpe, ["She loved the sea."])
    LiveModel(opinion: ids → log_odds)
    """
    models = models if isinstance(models, dict) else {"model": models}
    texts = [texts] if isinstance(texts, str) else list(texts)
    if not models or not texts:
        raise ValueError(f"there is no {'text' if models else 'model'}: give at least one")
    for name, model in models.items():
        _check_model(name, model, vocab)
    if len(set(classes)) != 2 or not all(classes):
        raise ValueError(f"classes are {classes!r}: give the names of both, such as ('against', 'for')")
    limit = min(LIMIT, *(model.config.bert.context for model in models.values()))
    for text in texts:
        read(text, vocab, room=limit - 2)
        check_length(text)
    ids = asked(texts[0], [], vocab, room=limit - 2, pad=next(iter(models.values())).pad)
    return LiveModel(
        "opinion",
        {name: Opinion(model) for name, model in models.items()},
        {"ids": ids if len(ids) > 1 else ids.repeat(2, 1)},  # a graph made with one row takes no more
        ["log_odds"],
        lengths={"ids": [0, 1]},
        settings={
            "models": {name: {"pad": model.pad} for name, model in models.items()},
            "examples": texts,
            "classes": list(classes),
            "limit": limit,
            "longest": LONGEST,
            **tokenizer(vocab),
        },
    )


def _check_model(name: str, model, vocab: BPE) -> None:
    if not isinstance(model, Classifier):
        raise ValueError(f"{name} is a {type(model).__name__}: give a Classifier, which judges texts")
    if model.config.classes != 2:
        raise ValueError(f"{name} tells {model.config.classes} classes apart: give a Classifier of 2")
    check_reader(name, model.bert, vocab)
    check_finite(name, model)
    if model.pad not in set(range(len(vocab.specials))) - {vocab[mark] for mark in MARKS}:
        raise ValueError(f"{name} takes {vocab.tokens[model.pad]} for padding: give it a mark of its own")
