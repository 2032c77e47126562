"""What widgets share that let a reader type a text, for models that read it by letters or by words."""

from collections.abc import Iterable

import torch
from torch import Tensor

from vec2gpt.grammar import Pair
from vec2gpt.seq2seq import EncoderDecoder
from vec2gpt.text import Vocab
from vec2gpt.widgets.spelling import alphabet
from vec2gpt.widgets.vocabularies import Vocabs, kind

LETTERS, WORDS = "letters", "words"  # what a model reads


def opening(
    models: dict[str, EncoderDecoder],
    vocabs: dict[str, Vocabs],
    text: str,
    examples: Iterable[str | Pair],
    *,
    limit: int,
) -> tuple[Tensor, dict]:
    """The first question, `text` as the first model reads it, source_ids (1, S); and settings for the view.

    limit: the most letters or words. ValueError for a text that the first model cannot read, an example that
    none can, and models of a kind for which there is no text.
    """
    kinds = {name: reading_kind(model, *vocabs[name]) for name, model in models.items()}
    offered = [example if isinstance(example, str) else " ".join(example.source) for example in examples]
    first = next(iter(kinds.values()))
    found = pieces(text, first, limit=limit)
    source_ids = torch.tensor([[*map(first["source"].index, found), first["end"]]])
    texts = _beginnings(kinds, text, offered, limit)
    return source_ids, {"models": kinds, "texts": texts, "examples": offered, "limit": limit}


def pieces(text: str, kind: dict, *, limit: int) -> list[str]:
    """The letters or words of a text, as this kind of model reads them.

    ValueError unless there are 1 to `limit`, all of them known.
    """
    found = text.split() if kind["reads"] == WORDS else list(text)
    if not 1 <= len(found) <= limit:
        raise ValueError(f"{text!r} has {len(found)} {kind['reads']}; give 1 to {limit}")
    if strange := sorted(set(found) - set(kind["known"])):
        known = kind["known"] if kind["reads"] == LETTERS else f"{len(kind['known'])} words"
        raise ValueError(f"{text!r} holds {', '.join(map(repr, strange))}; the model knows {known}")
    return found


def reading_kind(model: EncoderDecoder, source: Vocab, target: Vocab) -> dict:
    """What a view must know of a model: `vocabularies.kind`, whether it reads letters or words, and which."""
    plain = [token for token in source.tokens if token not in source.specials]
    letters = all(len(token) == 1 for token in plain)
    read = (
        {"reads": LETTERS, "known": alphabet([(source, target)])}
        if letters
        else {"reads": WORDS, "known": plain}
    )
    return kind(model, source, target) | read


def _beginnings(kinds: dict[str, dict], text: str, offered: list[str], limit: int) -> dict[str, str]:
    """letters, words → what models of this sort begin with: `text`, or the first example that they read."""
    first, *_ = kinds.values()
    begin = {first["reads"]: text}
    for example in offered:
        begin = {sort: example for sort in _readers(example, kinds, limit)} | begin
    for name, one in kinds.items():
        if one["reads"] not in begin:
            raise ValueError(f"{name} reads {one['reads']}, and no text is of such: give an example for it")
    return begin


def _readers(text: str, kinds: dict[str, dict], limit: int) -> set[str]:
    """Which sorts of models, letters or words, can read a text. ValueError if none can."""
    sorts, problems = set(), []
    for one in kinds.values():
        try:
            pieces(text, one, limit=limit)
            sorts.add(one["reads"])
        except ValueError as problem:
            problems.append(str(problem))
    if not sorts:
        raise ValueError("; ".join(dict.fromkeys(problems)))
    return sorts
