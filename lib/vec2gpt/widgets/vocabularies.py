"""What widgets share that show encoder-decoders: models by name, and what each reads and writes: letters,
phonemes or words."""

from vec2gpt.seq2seq import EncoderDecoder
from vec2gpt.text import Vocab
from vec2gpt.widgets.models import check_finite

Vocabs = tuple[Vocab, Vocab]  # of the source, and of the target


def by_name(models, vocabs) -> tuple[dict[str, EncoderDecoder], dict[str, Vocabs]]:
    """Models and their vocabularies by name, where one of either was given for all; checked.

    ValueError unless each of at least one model is an encoder-decoder that fits its vocabularies and holds
    neither NaN nor ∞.
    """
    models = models if isinstance(models, dict) else {"model": models}
    vocabs = vocabs if isinstance(vocabs, dict) else dict.fromkeys(models, vocabs)
    if not models:
        raise ValueError("there is no model: give at least one, by its name")
    for name, model in models.items():
        if name not in vocabs:
            raise ValueError(f"{name} has no vocabularies: give its (source, target) by that name")
        _check_model(name, model, vocabs[name])
    return models, vocabs


def kind(model: EncoderDecoder, source: Vocab, target: Vocab) -> dict:
    """What a view must know of a model to ask it, and to read its answer.

    ValueError if the source lacks the mark that the model ends its target with.
    """
    [mark] = target.decode([model.config.eos])
    if mark not in source:  # a source with an unknown token would give that one's number
        raise ValueError(f"the model ends with {mark!r}, which its source lacks: give both one end mark")
    return {
        "source": source.tokens,
        "target": target.tokens,
        "end": source[mark],  # a number of its own: the two vocabularies may count differently
        "eos": model.config.eos,
    }


def _check_model(name: str, model: EncoderDecoder, vocabs: Vocabs) -> None:
    if not isinstance(model, EncoderDecoder):
        raise ValueError(f"{name} is a {type(model).__name__}, without a source: give an encoder-decoder")
    knows, sizes = (model.config.source_vocab, model.config.target_vocab), tuple(map(len, vocabs))
    if knows != sizes:
        raise ValueError(
            f"{name} reads {knows[0]} tokens and writes {knows[1]}, but its vocabularies have "
            f"{sizes[0]} and {sizes[1]}: give its own"
        )
    check_finite(name, model)
