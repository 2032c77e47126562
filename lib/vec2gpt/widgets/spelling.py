"""What widgets share that let a reader type a word and ask a model how it is said."""

from collections.abc import Iterable
from string import ascii_lowercase

import torch
from torch import Tensor

from vec2gpt.phonemes import phoneme
from vec2gpt.seq2seq import EncoderDecoder
from vec2gpt.widgets.vocabularies import Vocabs, kind

LIMIT = 32  # letters read, and phonemes said


def opening(
    models: dict[str, EncoderDecoder],
    vocabs: dict[str, Vocabs],
    word: str,
    dictionary: dict[str, list[list[str]]],
) -> tuple[Tensor, dict]:
    """The first question, `word` as the first model reads it, source_ids (1, S); and settings for the view.

    ValueError for words that not every model can read, KeyError for listed phonemes that are none.
    """
    known = alphabet(vocabs[name] for name in models)
    check_words([word, *dictionary], known)
    for token in {token for ways in dictionary.values() for way in ways for token in way}:
        phoneme(token)
    kinds = {name: kind(model, *vocabs[name]) for name, model in models.items()}
    first = next(iter(kinds.values()))
    source_ids = torch.tensor([[*map(first["source"].index, word), first["end"]]])
    about = {"word": word, "alphabet": known, "limit": LIMIT, "models": kinds, "dictionary": dictionary}
    return source_ids, about


def alphabet(vocabs: Iterable[Vocabs]) -> str:
    """The letters a–z that every model knows."""
    return "".join(sorted(set(ascii_lowercase).intersection(*(letters.tokens for letters, _ in vocabs))))


def check_words(words: Iterable[str], known: str) -> None:
    """Raise ValueError unless each word has 1 to 32 letters, all of them `known`."""
    for word in words:
        if not 1 <= len(word) <= LIMIT:
            raise ValueError(f"{word!r} has {len(word)} letters; give 1 to {LIMIT}")
        if strange := set(word) - set(known):
            raise ValueError(
                f"{word!r} holds {', '.join(map(repr, sorted(strange)))}; the models know the letters {known}"
            )
