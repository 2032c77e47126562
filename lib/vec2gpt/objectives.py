"""What a model is asked while it learns from text alone: objectives, as data.

A text has no labels, so a part of it is hidden and asked for. What may be seen is a mask, what is asked are
targets, and an objective is a rule that makes both (`Example`), which a picture can show, a test can check
and a model can learn (`reader`):

    causal     each token, from those before it                        GPT (Radford et al. 2018)
    backward   each token, from those after it                         half of ELMo (Peters et al. 2018)
    masked     a few hidden tokens, from all others                    BERT (Devlin et al. 2019)
    prefix     the rest, from a beginning read both ways               UniLM (Dong et al. 2019), T5
    permuted   each token, from those that are said earlier            XLNet (Yang et al. 2019)
    spans      what stood at the gaps of a text read both ways         T5 (Raffel et al. 2020)

Nothing that is asked can reach its own answer, through however many layers; but the tokens that `masked`
leaves as they are are asked too. Left out: a mask that hides padding (it is read like any other token; see
`Example.without`); whole words as what is masked; XLNet's memory of the passage before.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vec2gpt.attention import causal_mask
from vec2gpt.checks import check_ids, check_sizes
from vec2gpt.language import IGNORED

OBJECTIVES = ("causal", "backward", "masked", "prefix", "permuted", "spans")  # functions of this module


class Example(NamedTuple):
    """What is read, what is asked, and who may look at whom; `reader(*example)` answers it."""

    inputs: Tensor  # (B, T) ids
    targets: Tensor  # (B, T) ids, −100 where nothing is asked
    mask: Tensor  # (T, T), or (B, 1, T, T), True = may look
    content: Tensor | None = None  # of two streams: the mask of the one that sees its own token

    def batch(self):
        """Without what is None: the tuple of tensors that `training.fit` wants of a batch."""
        return tuple(part for part in self if part is not None)

    def without(self, *ids):
        """The same, but none of these ids is asked: padding, or other marks."""
        given = torch.tensor(ids, device=self.targets.device)
        return self._replace(targets=self.targets.masked_fill(torch.isin(self.targets, given), IGNORED))

    def may_look(self, row=0):
        """The mask of one row, (T, T)."""
        return self.mask if self.mask.dim() == 2 else self.mask[row, 0]


# ---- one way ----


def causal(ids):
    """The next token at each place of ids (B, T): what stands there and before it may be seen.

    The targets of [[5, 6, 7]] are [[6, 7, −100]].
    """
    _check(ids)
    targets = torch.full_like(ids, IGNORED)
    targets[:, :-1] = ids[:, 1:]
    return Example(ids, targets, causal_mask(ids.shape[1], device=ids.device))


def backward(ids):
    """The token before each place of ids (B, T): what stands there and after it may be seen.

    The mirror of `causal`: the targets of [[5, 6, 7]] are [[−100, 5, 6]].
    """
    _, targets, mask = causal(ids.flip(-1)).batch()
    return Example(ids, targets.flip(-1), mask.flip(0, 1))


# ---- both ways ----


def masked(ids, generator, *, mask, vocab_size, specials=0, share=0.15, keep=0.1, swap=0.1):
    """Some tokens of ids (B, T), drawn anew at every call, from all that is seen.

    Each token is chosen with the probability `share`; but at least one in a row. Of those chosen the share
    `keep` stays as it is, `swap` becomes any token, the others become `mask`: so that the model, which never
    meets [MASK] in a task, must have an opinion of every token. Ids below `specials`, and `mask`, are
    neither chosen nor drawn; all of them are below `vocab_size`. Only what is chosen is asked.

    ValueError for a row without a plain token. 100,000 tokens: about 15,000 are asked, 12,000 are masked.
    """
    check_ids(ids, vocab_size)
    _check_share(share)
    _check_masking(mask, vocab_size, specials=specials, keep=keep, swap=swap)
    plain = (ids >= specials) & (ids != mask)
    _check_plain(plain, specials)
    u = _uniform(ids, generator).masked_fill(~plain, 2.0)
    chosen = plain & (u <= u.amin(1, keepdim=True).clamp(min=share))  # the smallest u always is
    fate = _uniform(ids, generator)
    strange = _any_token(ids, generator, mask=mask, vocab_size=vocab_size, specials=specials)
    hidden = torch.where(fate < keep, ids, torch.where(fate < keep + swap, strange, mask))
    everywhere = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device)
    return Example(torch.where(chosen, hidden, ids), torch.where(chosen, ids, IGNORED), everywhere)


def _any_token(ids, generator, *, mask, vocab_size, specials):
    """Tokens in the shape of ids, each plain one as likely as any other."""
    count = vocab_size - specials - (mask >= specials)
    drawn = specials + (_uniform(ids, generator) * count).long().clamp(max=count - 1)
    return drawn + ((drawn >= mask) & (mask >= specials))


# ---- first one, then the other ----


def prefix(ids, generator=None, *, lengths=None):
    """The tokens of ids (B, T) after a prefix, which sees itself both ways; what follows sees what is before.

    lengths: of the prefix, 1 to T − 1, one number or one of each row (B,); or drawn by `generator`, each
    as likely. The prefix's last token is asked what follows. With 2, the targets of [[5, 6, 7, 8]] are
    [[−100, 7, 8, −100]].
    """
    _check(ids)
    _check_one("lengths", lengths, generator)
    if lengths is None:
        lengths = 1 + (_uniform(ids[:, :1], generator)[:, 0] * (ids.shape[1] - 1)).long()  # (B,)
    lengths = _lengths(ids, lengths)
    targets = causal(ids).targets
    places = torch.arange(ids.shape[1], device=ids.device)
    targets = torch.where(places + 1 >= lengths[:, None], targets, IGNORED)
    mask = causal_mask(len(places), device=ids.device) | (places < lengths[:, None, None])  # (B, T, T)
    return Example(ids, targets, mask[:, None])


def spans(ids, generator, *, sentinels, share=0.15, mean=3):
    """What stood in the gaps of ids (B, T): T5's span corruption, as a prefix and what follows it.

    The share of tokens that is cut out, in spans of `mean` tokens on average, leaves a sentinel in the text
    for each span; the answer is each sentinel with what stood there, and one more sentinel as its end. All
    rows are cut in as many spans, so that all have T + 2 spans + 1 tokens. As in T5 a row starts with a token
    that stays, and ends with a span. sentinels: ids, one more than spans, which no text holds.

    [[5, 6, 7, 8]] with the share ½ and the sentinels a, b becomes the text 5, 6, a and the answer a, 7, 8, b.
    """
    _check(ids)
    _check_share(share)
    if not mean >= 1:
        raise ValueError(f"mean is {mean}: give spans of at least 1 token")
    T = ids.shape[1]
    cut = min(max(round(share * T), 1), T - 1)  # tokens
    count = min(max(round(cut / mean), 1), cut, T - cut)  # spans
    sizes = [_parts(ids, generator, total, count) for total in (T - cut, cut)]  # (B, count) each
    ends = torch.stack(sizes, -1).flatten(1).cumsum(1)  # (B, 2 count): text, span, text, span, …
    piece = (torch.arange(T, device=ids.device)[:, None] >= ends[:, None]).sum(-1)  # (B, T)
    return cut_out(ids, piece % 2 == 1, sentinels=sentinels)


def cut_out(ids, gone, *, sentinels):
    """`spans` of one's own choice: `gone` (B, T) is True for as many tokens, in as many spans, a row."""
    _check(ids)
    starts = gone & ~torch.cat([torch.zeros_like(gone[:, :1]), gone[:, :-1]], 1)
    count = _spans(ids, gone, starts)
    sentinels = _sentinels(ids, sentinels, count + 1)
    told = sentinels[(starts.cumsum(1) - 1).clamp(min=0)]  # (B, T): of the span that began last
    text = torch.where(starts, told, ids)[~gone | starts].view(len(ids), -1)
    answer = torch.stack([told, ids], -1)[torch.stack([starts, gone], -1)].view(len(ids), -1)
    row = torch.cat([text, answer, sentinels[count].expand(len(ids), 1)], 1)
    return prefix(row, lengths=text.shape[1])


def _parts(ids, generator, total, count):
    """`total` things in `count` parts of at least 1, for each row of ids, all ways as likely: (B, count)."""
    places = torch.arange(1, total, device=ids.device).expand(len(ids), -1)
    order = _uniform(places, generator).argsort(1)
    cuts = (order[:, : count - 1] + 1).sort(1).values  # of the places 1 … total − 1
    ends = torch.cat([cuts, cuts.new_full((len(ids), 1), total)], 1)
    return ends.diff(dim=1, prepend=ends.new_zeros(len(ids), 1))


# ---- in any order ----


def permuted(ids, generator=None, *, order=None, share=1 / 6):
    """The last tokens of ids (B, T) in an order of saying them, each from those said earlier.

    The order of prediction is permuted; every token stays where it is. order: the place that is said first,
    second, …: (T,), or (B, T); or drawn by `generator`. share: how much of it, its end, is asked; at least
    one token. XLNet asks a sixth: the first ones have too little to go by.

    A place must be asked without its token, and others need that token, so there are two streams: `mask`,
    of the one that is asked, opens what is said earlier; `content` opens the token itself too. The target is
    the token of the place itself, not of the next one. With the order [2, 0, 1] place 0 is told from 2 alone.
    """
    _check(ids)
    _check_share(share)
    _check_one("order", order, generator)
    if order is None:
        order = _uniform(ids, generator).argsort(1)
    rank = _order(ids, order).argsort(1)  # (B, T): when each place is said
    T = ids.shape[1]
    asked = rank >= T - max(round(share * T), 1)
    earlier = rank[:, None, None, :] < rank[:, None, :, None]  # (B, 1, T, T)
    itself = torch.eye(T, dtype=torch.bool, device=ids.device)
    return Example(ids, torch.where(asked, ids, IGNORED), earlier, earlier | itself)


# ---- chance, and what does not fit ----


def _uniform(like, generator):
    """Numbers from 0 to below 1 in the shape of `like`, drawn where the generator is."""
    return torch.rand(like.shape, generator=generator, device=generator.device).to(like.device)


def _check(ids):
    """ids are (B, T), with a token to see and one to say."""
    check_ids(ids, torch.iinfo(torch.long).max)
    if ids.shape[1] < 2:
        raise ValueError(f"ids have {ids.shape[1]} token a row: give at least 2, one to see and one to say")


def _check_share(share):
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}: give more than 0, and at most 1")


def _check_one(name, given, generator):
    if (given is None) == (generator is None):
        raise ValueError(f"give either a generator, or {name}")


def _check_masking(mask, vocab_size, *, specials, keep, swap):
    check_sizes(0, specials=specials, mask=mask)
    if min(keep, swap) < 0 or keep + swap > 1:
        raise ValueError(f"keep is {keep} and swap {swap}: give shares of those chosen, together at most 1")
    if mask >= vocab_size or specials + (mask >= specials) >= vocab_size:
        raise ValueError(
            f"a vocabulary of {vocab_size} with {specials} specials and the mask {mask} has no plain token: "
            "give vocab_size as the number of all tokens, specials and the mask among them"
        )


def _check_plain(plain, specials):
    if not plain.any(1).all():
        row = plain.any(1).tolist().index(False)
        raise ValueError(
            f"row {row} holds no plain token, only the mask and ids below {specials}: give it a token to hide"
        )


def _lengths(ids, lengths):
    """Prefix lengths (B,), each with something before it and something after."""
    lengths = torch.as_tensor(lengths, device=ids.device).reshape(-1)
    if len(lengths) not in (1, len(ids)):
        raise ValueError(f"{len(lengths)} lengths do not go with {len(ids)} rows: give one, or one for each")
    T = ids.shape[1]
    if wrong := [n for n in lengths.tolist() if not 1 <= n < T]:
        raise ValueError(f"a prefix of {wrong[0]} does not fit {T} tokens: give 1 to {T - 1}")
    return lengths.expand(len(ids))


def _order(ids, order):
    """Each row of the order (B, T) is a permutation of the places."""
    order = torch.as_tensor(order, device=ids.device)
    places = torch.arange(ids.shape[1], device=ids.device)
    if order.dim() > 2 or order.shape[-1:] != places.shape or not (order.sort(-1).values == places).all():
        raise ValueError(f"order is no permutation of 0 … {len(places) - 1}: name each place once")
    return order.expand_as(ids)


def _spans(ids, gone, starts):
    """How many spans are gone in each row; as many in all, and as many tokens."""
    if gone.shape != ids.shape or gone.dtype != torch.bool:
        raise ValueError(f"gone is {gone.dtype} {tuple(gone.shape)}: give torch.bool, {tuple(ids.shape)}")
    tokens, spans = (set(part.sum(1).tolist()) for part in (gone, starts))
    if len(tokens) + len(spans) > 2 or tokens == {0}:
        raise ValueError(
            f"rows lack {sorted(tokens)} tokens in {sorted(spans)} spans: cut out as many of each in every "
            "row, and one at least"
        )
    return spans.pop()


def _sentinels(ids, sentinels, count):
    sentinels = torch.as_tensor(sentinels, device=ids.device).reshape(-1)
    if len(sentinels) < count:
        raise ValueError(f"{len(sentinels)} sentinels are too few for {count - 1} spans: give {count}")
    if len(sentinels[:count].unique()) < count:
        raise ValueError(f"sentinels {sentinels[:count].tolist()} repeat: give each span an id of its own")
    if torch.isin(ids, sentinels[:count]).any():
        raise ValueError("a text holds a sentinel: give ids that no text has")
    return sentinels
