"""Words of the reader's sentence made blank, what a masked model puts there, and where it looks (chapter 10).

Taylor 1953 asked people to fill in the words missing from a text, the *cloze* procedure; Devlin et al. 2019
train a network on little else. A word is blanked whole, all its pieces, and each piece is guessed by itself.
Where a word looks is the mean over its pieces, and how much a word is looked at the sum over them, as Clark
et al. 2019 count it: that is the view's part.
"""

from itertools import chain

import torch
from torch import Tensor, nn

from vec2gpt.attention import attend
from vec2gpt.bert import MaskedLM
from vec2gpt.bpe import BPE
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.tokens import LONGEST, check_length, check_reader, cut, tokenizer

CHOICES = 5
LIMIT = 64  # tokens read at most, the two marks included
MARKS = ("[CLS]", "[SEP]", "[MASK]")
OUTPUTS = ["guesses", "probabilities", "own", "ranks", "weights"]


class Blanks(nn.Module):
    """One reading of a text with blanks.

    ids (1, T), what is read: [CLS], the text with [MASK] at its blanks, [SEP]; truth (1, T), the same without
    blanks →

    guesses (1, T, 5), the likeliest tokens at each place, likeliest first, and their probabilities (1, T, 5);
    of the token that stands there in truth its probability, own (1, T), and how many are likelier plus one,
    ranks (1, T); the weights of each head (L, H, T, T).
    """

    def __init__(self, model: MaskedLM):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, truth: Tensor) -> tuple[Tensor, ...]:
        seen = []

        def watch(q, k, v, mask):
            out, weights = attend(q, k, v, mask)
            seen.append(weights[0])  # (H, T, T)
            return out

        read = self.model.bert.layers(ids, attend=watch)[-1]
        p = self.model.fill(read).softmax(-1)  # (1, T, V)
        own = p.gather(-1, truth[..., None])  # (1, T, 1)
        best = p.topk(CHOICES)
        return best.indices, best.values, own[..., 0], (p > own).sum(-1) + 1, torch.stack(seen)


def read(text: str, bpe: BPE, *, room: int) -> list[list[int]]:
    """A text as the ids of its words, [[…], […], …]; a word is what `gpt_cut` cuts, its space included.

    ValueError for a text without words, and for one of more than `room` tokens, in the words of the page.

    >>> [bpe.decode(word) for word in read("The sea, still.", bpe, room=30)]
    ['The', ' sea', ',', ' still', '.']
    """
    return cut(text, bpe, room=room, nothing="There is no word to blank: type a sentence.")


def blanks_widget(
    models: MaskedLM | dict[str, MaskedLM],
    vocab: BPE,
    texts: dict[str, str],
    *,
    head: tuple[int, int] = (1, 1),
) -> LiveModel:
    """A sentence to type, words of it to blank, the likeliest tokens there, and where each head looks.

    models: a masked model, or a dict of such by name, between which the reader chooses; all of `vocab`.
    vocab: has the specials [CLS], [SEP] and [MASK].
    texts: what is offered, each text with one of its words that is blank first; the widget begins with the
    first. They have room in the smallest model: 64 tokens at most, with the two marks, and 400 characters.
    head: the (layer, head) of the first model whose attention is shown first, both counted from 1.

    >>> blanks_widget(model, bpe, {"She sailed over the sea.": "sea"})
    LiveModel(blanks: ids, truth → guesses, probabilities, own, ranks, weights)
    """
    models = models if isinstance(models, dict) else {"model": models}
    if not models or not texts:
        raise ValueError(f"there is no {'text' if models else 'model'}: give at least one")
    for name, model in models.items():
        _check_model(name, model, vocab)
    _check_head(head, next(iter(models.values())))
    limit = min(LIMIT, *(model.config.context for model in models.values()))
    examples = [[text, _place(text, word, vocab, limit)] for text, word in texts.items()]
    ids, truth = asked(examples[0][0], [examples[0][1]], vocab, room=limit - 2)
    return LiveModel(
        "blanks",
        {name: Blanks(model) for name, model in models.items()},
        {"ids": ids, "truth": truth},
        OUTPUTS,
        lengths={"ids": [1], "truth": [1]},
        settings={
            "models": {
                name: {"layers": model.config.layers, "heads": model.config.heads}
                for name, model in models.items()
            },
            "examples": examples,
            "limit": limit,
            "longest": LONGEST,
            **tokenizer(vocab),
            "head": [head[0] - 1, head[1] - 1],
        },
    )


def asked(text: str, blanks: list[int], bpe: BPE, *, room: int) -> tuple[Tensor, Tensor]:
    """What is read, and the truth, each (1, T); words of the text at the places `blanks` are hidden."""
    cls, sep, mask = (bpe[mark] for mark in MARKS)
    words = read(text, bpe, room=room)
    hidden = [[mask] * len(word) if k in blanks else word for k, word in enumerate(words)]
    ids, truth = (torch.tensor([[cls, *chain(*row), sep]]) for row in (hidden, words))
    return ids, truth


def _place(text: str, word: str, bpe: BPE, limit: int) -> int:
    """Which of a text's words is this one: the first such."""
    words = [bpe.decode(ids).strip() for ids in read(text, bpe, room=limit - 2)]
    check_length(text)
    if word not in set(words) - {""}:  # what is only spaces cannot be blank
        raise ValueError(f"{word!r} is no word of {text!r}: choose one of {', '.join(map(repr, words))}")
    return words.index(word)


def _check_model(name: str, model, vocab: BPE) -> None:
    if not isinstance(model, MaskedLM):
        raise ValueError(f"{name} is a {type(model).__name__}: give a MaskedLM, which fills in blanks")
    check_reader(name, model, vocab)
    if model.config.pad not in set(range(len(vocab.specials))) - {vocab[mark] for mark in MARKS}:
        raise ValueError(
            f"{name} takes {vocab.tokens[model.config.pad]} for padding: give it a mark of its own"
        )


def _check_head(head: tuple[int, int], model: MaskedLM) -> None:
    (layer, number), c = head, model.config
    if layer not in range(1, c.layers + 1) or number not in range(1, c.heads + 1):
        raise ValueError(f"head is {head}; the model has layers 1 to {c.layers} of heads 1 to {c.heads}")
