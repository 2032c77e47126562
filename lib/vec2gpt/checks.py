"""What can be wrong with what a model is given, said so that one knows the way out.

Every model asks the same of its ids and of its configuration, every attention of its queries, keys and
values, and what counts or cuts texts of those, so the questions stand here once. Each function raises
ValueError naming the value, the limit and what to do. While a model is exported nobody asks for ids: a graph
has no numbers yet.
"""

from numbers import Integral, Real

import torch

from vec2gpt.unrolling import is_exporting

# ---- texts ----


def check_texts(texts, *, name="texts"):
    """texts are not one string, whose letters would pass for texts."""
    if isinstance(texts, str):
        raise ValueError(f"{name} is one string; give an iterable of texts, such as [text]")


# ---- ids ----


def check_ids(ids, vocab_size, *, name="ids"):
    """ids are (B, T), at least one, and within 0 … vocab_size − 1."""
    if ids.dim() != 2:
        raise ValueError(
            f"{name} have the shape {tuple(ids.shape)}, not (B, T): for one text give {name}[None]"
        )
    if is_exporting():
        return
    if not ids.numel():
        raise ValueError(f"{name} are empty: give at least one token")
    low, high = ids.min().item(), ids.max().item()
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"{name} hold {low if low < 0 else high}, but the model knows the ids 0 … {vocab_size - 1}: "
            "encode the text with the vocabulary the model was made for"
        )


def check_targets(targets, logits, *, ignored):
    """There is an id, or the number `ignored`, for each of logits (B, T, V), and at least one id."""
    skipped = targets == ignored
    check_ids(torch.where(skipped, 0, targets), logits.shape[-1], name="targets")
    if is_exporting():
        return
    if targets.shape != logits.shape[:2]:
        raise ValueError(
            f"targets have the shape {tuple(targets.shape)}, but the ids {tuple(logits.shape[:2])}: "
            "give what follows each of them"
        )
    if skipped.all():
        raise ValueError(f"all targets are {ignored}, so there is no loss: give at least one id")


def check_tokens(mask, pad):
    """No source is padding alone: mask (B, S), True = a token."""
    if not is_exporting() and not mask.any(1).all():
        row = mask.any(1).tolist().index(False)
        raise ValueError(f"source {row} is padding alone ({pad}): give at least one token")


def check_context(ids, context, *, before=0, name="ids"):
    """ids (B, T) have room in the context, after so many tokens as were read `before`."""
    if is_exporting():
        return
    total = int(before) + ids.shape[1]
    if total > context:
        raise ValueError(
            f"{name}: {total} tokens are too long for this model's context of {context}: "
            "give fewer, or make the model with a longer context"
        )


def check_batch(ids, sources):
    """ids (B, T) of targets are as many texts as the sources that they belong to."""
    if not is_exporting() and len(ids) != sources:
        raise ValueError(f"{len(ids)} targets do not go with {sources} sources: give one target for each")


# ---- queries, keys and values ----


def check_shapes(q, k, v, mask=None):
    """q (…, T, K) can look at k (…, S, K) and v (…, S, V), none empty; mask broadcasts to (…, T, S)."""
    fronts, lengths = {x.shape[:-2] for x in (q, k, v)}, {x.shape[-2] for x in (k, v)}
    if len(fronts) > 1 or len(lengths) > 1 or q.shape[-1] != k.shape[-1] or not q.numel() * k.numel():
        shapes = ", ".join(str(tuple(x.shape)) for x in (q, k, v))
        raise ValueError(
            f"q, k and v have the shapes {shapes}: give (…, T, K), (…, S, K) and (…, S, V), of one token or "
            "more"
        )
    scores = (*q.shape[:-1], k.shape[-2])
    if torch.is_tensor(mask) and not _broadcasts(mask.shape, scores):
        raise ValueError(f"mask has the shape {tuple(mask.shape)}: give one that broadcasts to {scores}")


def _broadcasts(shape, target):
    """Whether a tensor of this shape can be expanded to `target`."""
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(size in (1, wanted) for size, wanted in pairs)


def check_one_text(q, k):
    """Those who look are those who are seen: q (…, T, K), k (…, T, K)."""
    if q.shape[-2] != k.shape[-2]:
        raise ValueError(
            f"{q.shape[-2]} queries and {k.shape[-2]} keys are not one text that looks at itself: for two "
            "texts use attend_chunked, which takes any rule as its mask"
        )


# ---- configurations ----


def check_sizes(least=1, /, **sizes):
    """Each is a whole number of at least so much."""
    for name, size in sizes.items():
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise ValueError(f"{name} is {size!r}: give a whole number")
        if size < least:
            raise ValueError(f"{name} is {size}: give at least {least}")


def check_shares(**shares):
    """Each is a share, from 0 to below 1."""
    for name, share in shares.items():
        if not isinstance(share, Real) or not 0 <= share < 1:
            raise ValueError(f"{name} is {share!r}: give a share from 0 to below 1")


def chosen(known, **choice):
    """What is known by the name that was chosen, as in `chosen(ACTIVATIONS, activation="relu")`."""
    [(what, name)] = choice.items()
    if name not in known:
        raise ValueError(f"{what} is {name!r}: choose one of {', '.join(known)}")
    return known[name]


def check_names(config, **known):
    """The configuration's fields of these names are each one of those known."""
    for name, choices in known.items():
        chosen(choices, **{name: getattr(config, name)})


def check_marks(config):
    """pad, bos and eos are ids of the vocabularies that they stand in."""
    source, target = (config.source_vocab, "source"), (config.target_vocab, "target")
    for name, (size, side) in [("pad", source), ("pad", target), ("bos", target), ("eos", target)]:
        if getattr(config, name) not in range(size):
            raise ValueError(
                f"{name} is {getattr(config, name)}, but the {side} vocabulary has the ids 0 … {size - 1}: "
                "give the mark's id"
            )
