"""Say any word: a spelling to type, and what encoder-decoders make of it, sound by sound (chapter 4)."""

from torch import Tensor, nn

from vec2gpt.decoding import clock
from vec2gpt.phonemes import phoneme
from vec2gpt.seq2seq import Seq2Seq
from vec2gpt.text import Vocab
from vec2gpt.unrolling import unroll
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.spelling import LIMIT, opening
from vec2gpt.widgets.vocabularies import Vocabs, by_name

CHOICES = 5


class Say(nn.Module):
    """Greedy decoding that shows what else it could have said.

    source_ids (1, S): letters and the end mark → ids (1, 32), the likeliest at each step, which the next one
    reads; choices (1, 32, 5), the likeliest five, and their probabilities (1, 32, 5); fewer of a smaller
    vocabulary. What follows `model.config.eos` is to be ignored.
    """

    def __init__(self, model: Seq2Seq):
        super().__init__()
        self.model = model

    def forward(self, source_ids: Tensor) -> tuple[Tensor, ...]:
        def step(carry, _):
            logits, state = self.model.step(*carry)  # (1, V)
            best = logits.softmax(-1).topk(min(CHOICES, logits.shape[-1]))
            ids = best.indices[:, 0]
            return (ids, state), (ids, best.indices, best.values)

        first, state = self.model.start(source_ids)
        _, outputs = unroll(step, (first, state), clock(first, LIMIT))
        return outputs


def say_widget(
    models: Seq2Seq | dict[str, Seq2Seq],
    vocabs: Vocabs | dict[str, Vocabs],
    word: str,
    *,
    dictionary: dict[str, list[list[str]]] | None = None,
    curve: dict[str, dict[int, float]] | None = None,
) -> LiveModel:
    """A word to type, and how a model says it; how sure it was of each sound, and what else it thought of.

    models: an encoder-decoder, or a dict of such by name ("trained here", "pretrained g2p"), between which
    the reader chooses.
    vocabs: (letters, phonemes), of all models or of each by its name. The end mark has one name in both. The
    phonemes are ARPAbet's, vowels with or without a stress digit, which is not compared.
    word: 1 to 32 letters a–z, shown to begin with.
    dictionary: words offered as examples, in this order → their listed pronunciations, of which any counts as
    right; an invented word has none: [].
    curve: name of a model → letters in a word → the share (0 … 1) of such words that it says right.

    >>> say_widget(model, (letters, phonemes), "through", dictionary={"cat": [["K", "AE", "T"]], "blick": []})
    LiveModel(say: source_ids → ids, choices, probabilities)
    """
    models, vocabs = by_name(models, vocabs)
    dictionary, curve = dictionary or {}, curve or {}
    source_ids, about = opening(models, vocabs, word, dictionary)
    _check_curve(curve, models)
    return LiveModel(
        "say",
        {name: Say(model) for name, model in models.items()},
        {"source_ids": source_ids},
        ["ids", "choices", "probabilities"],
        lengths={"source_ids": [1]},
        settings={
            **about,
            "sounds": _sounds(dictionary, *(vocabs[name][1] for name in models)),
            "curve": {name: _points(shares) for name, shares in curve.items()},
        },
    )


def _sounds(dictionary: dict[str, list[list[str]]], *phonemes: Vocab) -> dict[str, list[str]]:
    """Every phoneme that can be said or is listed → [IPA, example word]. KeyError for what is none."""
    said = {token for vocab in phonemes for token in set(vocab.tokens) - set(vocab.specials)}
    listed = {token for ways in dictionary.values() for way in ways for token in way}
    return {token: list(phoneme(token)) for token in sorted(said | listed)}


def _points(shares: dict[int, float]) -> list[list[float]]:
    """[length, share] by length: JSON has no numbers as keys."""
    return [[int(length), float(shares[length])] for length in sorted(shares)]


def _check_curve(curve: dict[str, dict[int, float]], models: dict[str, Seq2Seq]) -> None:
    for name, shares in curve.items():
        if name not in models:
            raise ValueError(f"curve tells of {name!r}, but the models are {', '.join(models)}")
        for length, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"curve has {share:g} for {name} at {length} letters; a share is 0 to 1")
