"""What widgets share that let a reader type a word and ask a model how it is said."""

from collections.abc import Iterable
from string import ascii_lowercase

import torch
from torch import Tensor

from vec2gpt.phonemes import phoneme
from vec2gpt.seq2seq import Seq2Seq
from vec2gpt.text import Vocab

LIMIT = 32  # letters read, and phonemes said

Vocabs = tuple[Vocab, Vocab]  # of the letters, and of the phonemes


def by_name(models, vocabs) -> tuple[dict[str, Seq2Seq], dict[str, Vocabs]]:
    """Models and their vocabularies by name, where one of either was given for all; checked.

    ValueError unless each of at least one model fits its vocabularies and holds neither NaN nor ∞.
    """
    models = models if isinstance(models, dict) else {"model": models}
    vocabs = vocabs if isinstance(vocabs, dict) else dict.fromkeys(models, vocabs)
    if not models:
        raise ValueError("there is no model: give at least one, by its name")
    for name, model in models.items():
        if name not in vocabs:
            raise ValueError(f"{name} has no vocabularies: give its (letters, phonemes) by that name")
        _check_model(name, model, vocabs[name])
    return models, vocabs


def opening(
    models: dict[str, Seq2Seq],
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
    source_ids = torch.tensor([[*map(first["letters"].index, word), first["end"]]])
    about = {"word": word, "alphabet": known, "limit": LIMIT, "models": kinds, "dictionary": dictionary}
    return source_ids, about


def kind(model: Seq2Seq, letters: Vocab, phonemes: Vocab) -> dict:
    """What a view must know of a model to ask it, and to read its answer.

    ValueError if the letters lack the mark that the model ends its phonemes with.
    """
    [mark] = phonemes.decode([model.config.eos])
    if mark not in letters:  # letters with an unknown token would give that one's number
        raise ValueError(f"the model ends with {mark!r}, which its letters lack: give both one end mark")
    return {
        "letters": letters.tokens,
        "phonemes": phonemes.tokens,
        "end": letters[mark],  # a number of its own: the two vocabularies may count differently
        "eos": model.config.eos,
    }


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


def _check_model(name: str, model: Seq2Seq, vocabs: Vocabs) -> None:
    knows, sizes = (model.config.source_vocab, model.config.target_vocab), tuple(map(len, vocabs))
    if knows != sizes:
        raise ValueError(
            f"{name} knows {knows[0]} letters and {knows[1]} phonemes, but its vocabularies have "
            f"{sizes[0]} and {sizes[1]}: give its own"
        )
    if not all(weight.isfinite().all() for weight in model.parameters()):
        raise ValueError(f"{name} holds NaN or ∞: its training diverged; give one from before that")
