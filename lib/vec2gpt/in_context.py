"""In-context learning: a task is told by examples in the prompt, and no weight changes.

Brown et al. 2020 gave GPT-3 a few examples of a task and a question, and it answered: *few-shot*. Whether a
model learns so, or only recalls tasks that it has seen, can be told where tasks are made: here a *mapping*
sends each key to a label, and a prompt is examples of one mapping, then a key to answer for.

    a 3  E 5  e 3  a 3  E            5: shown in the prompt, and in no weight

Mappings of two families. In a `table` every key's label is chosen alone: a prompt tells of the keys that it
shows, and of no others. In `features` all keys follow one of a few features, which have to be found out: a
few examples tell of keys never shown. What the best possible reader of a prompt answers is known exactly, so
a model is measured against that, and not against 1.

Left out: continuous tasks, such as regression (Garg et al. 2022).
"""

from dataclasses import dataclass
from math import comb
from typing import NamedTuple

import torch

from vec2gpt.checks import check_sizes
from vec2gpt.language import IGNORED

KEYS = ("a", "A", "e", "E", "á", "Á", "é", "É")  # features: capital or not, a or e, with an accent or not
MARKS = ("→", ";")  # for templates; a model learns what they mean only where it was trained on them

# ---- how a prompt is written ----


class Prompts(NamedTuple):
    """Prompts of N examples each; every one is asked for too, after the examples before it."""

    ids: torch.Tensor  # (B, T)
    asked: torch.Tensor  # (N,) where the next token is a label: the first with no example before it
    targets: torch.Tensor  # (B, T) the labels there, and IGNORED elsewhere


@dataclass(frozen=True)
class Notation:
    """Ids for keys, labels and marks, in this order: key 0 is id 0, label 0 is id `keys`."""

    keys: int = 4
    labels: int = 8

    def __post_init__(self):
        check_sizes(2, keys=self.keys, labels=self.labels)
        if self.keys > len(KEYS) or self.labels > 9:
            raise ValueError(
                f"{self.keys} keys and {self.labels} labels: there are signs for 2 … {len(KEYS)} keys, "
                "and 2 … 9 labels"
            )

    @property
    def tokens(self):
        """How each id is written."""
        return (*KEYS[: self.keys], *map(str, range(1, self.labels + 1)), *MARKS)

    def write(self, keys, labels, *, template="k l"):
        """Prompts of keys and labels (B, N), each example after the template; the last label is left out.

        template: "k" and "l" for a key and its label, with MARKS before, between or after, as in "k → l ;".
        ValueError for another one.

        >>> keys, labels = torch.tensor([[0, 3]]), torch.tensor([[2, 4]])
        >>> Notation().write(keys, labels, template="k → l ;").ids.tolist()
        [[0, 12, 6, 13, 3, 12]]
        """
        pieces = _pieces(template)
        ids = {"k": keys, "l": labels + self.keys}
        for mark in MARKS:
            ids[mark] = torch.full_like(keys, self.tokens.index(mark))
        whole = torch.stack([ids[piece] for piece in pieces], -1).flatten(1)  # (B, N · pieces)
        asked = torch.arange(keys.shape[1]) * len(pieces) + pieces.index("l") - 1
        targets = torch.full_like(whole, IGNORED)
        targets[:, asked] = ids["l"]
        end = asked[-1] + 1
        return Prompts(whole[:, :end], asked, targets[:, :end])

    def answers(self, logits, prompts):
        """The label named at each place that asks, of logits (B, T, V): (B, N); of labels alone."""
        return logits[:, prompts.asked, self.keys : self.keys + self.labels].argmax(-1)

    def spell(self, ids):
        """A prompt's ids (T,) as one can read them."""
        return " ".join(self.tokens[id] for id in ids.tolist())


def _pieces(template):
    """The template's pieces; ValueError where they are no example."""
    pieces = template.split()
    plain = [piece for piece in pieces if piece not in MARKS]
    if plain != ["k", "l"]:
        raise ValueError(
            f"template is {template!r}: give a k, then an l, with {' and '.join(MARKS)} anywhere, and "
            "spaces between"
        )
    return pieces


# ---- mappings: (M, keys), the label of each key ----


def tables(count, notation, generator):
    """So many mappings in which each key's label is drawn alone: (count, keys)."""
    return torch.randint(notation.labels, (count, notation.keys), generator=generator)


def features(notation):
    """All mappings that follow one feature: keys that lack it have one label, those that have it another.

    With 4 keys and 8 labels: 2 features · 8 · 7 = 112 mappings, (112, 4).
    """
    count, labels = _features(notation), range(notation.labels)
    has = torch.arange(notation.keys) >> torch.arange(count)[:, None] & 1  # (features, keys)
    return torch.stack([torch.where(row == 1, v, u) for row in has for u in labels for v in labels if u != v])


def examples(mappings, count, generator):
    """So many keys for each of the mappings (B, K), drawn alone, and their labels: (B, count) each."""
    check_sizes(count=count)
    keys = torch.randint(mappings.shape[1], (len(mappings), count), generator=generator)
    return keys, mappings.gather(1, keys)


# ---- the best that a reader can do ----


def best_on_tables(shown, notation):
    """How often the best reader of `shown` examples is right about a table, on average: in closed form.

    A key that was shown is known, any other is guessed: 4 keys and 8 labels give 1/8 after none, 11/32 after
    one.
    """
    check_sizes(0, shown=shown)
    missed = (1 - 1 / notation.keys) ** shown
    return 1 - missed + missed / notation.labels


def best_on_features(shown, notation):
    """The same for `features`: 1/8 after none, 15/28 after one, with 4 keys and 8 labels.

    After n examples another feature still explains all labels with probability 2^(1 − n), and as likely all
    were of one kind, so that the other kind's label is unknown. The best reader lets the features that are
    left vote: has the asked key what the first one had?
    """
    check_sizes(0, shown=shown)
    others = _features(notation) - 1
    if not shown:
        return 1 / notation.labels
    rare, right = 2.0 ** (1 - shown), 0.0
    for left in range(others + 1):  # so many other features explain all labels
        chance = comb(others, left) * rare**left * (1 - rare) ** (others - left)
        for agree in range(left + 1):  # so many of these vote as the true one does
            votes, against = 1 + agree, left - agree
            known = _wins(votes, against)
            unseen = notation.labels - 1  # where the other label may be any of these
            same, other = _wins(votes, against / unseen), _wins(votes / unseen, against) / unseen
            share = comb(left, agree) / 2**left
            right += chance * share * ((1 - rare) * known + rare * (same + other) / 2)
    return right


def posterior(mappings, keys, labels):
    """p(label i | examples before it) where one of mappings (M, K) holds, all as likely: (B, N, labels).

    The best reader for whom these are all mappings there are. If none of them fits what was shown, it learns
    nothing from it. Probabilities of labels that no mapping has are left off at the end.
    """
    says = mappings[:, keys]  # (M, B, N)
    fits = (says == labels)[..., :-1].cumprod(-1)  # (M, B, N − 1) after each example
    weights = torch.cat([torch.ones_like(says[..., :1]), fits], -1).float()
    weights = torch.where(weights.sum(0) > 0, weights, 1.0)
    p = torch.zeros(*keys.shape, int(mappings.max()) + 1)
    p.scatter_add_(-1, says.permute(1, 2, 0), weights.permute(1, 2, 0))
    return p / weights.sum(0)[..., None]


def _wins(votes, against):
    """How often the side with these votes is chosen: always, never, or for half of the draws."""
    return 0.5 if abs(votes - against) < 1e-9 else float(votes > against)


def _features(notation):
    """How many features the keys have; ValueError unless each combination of them is a key."""
    count = notation.keys.bit_length() - 1
    if notation.keys != 2**count:
        raise ValueError(f"{notation.keys} keys are not all combinations of features: give 2, 4 or 8")
    return count


# ---- what else a prompt can be ----


def reordered(keys, labels, generator):
    """The same examples in another order, the last one, which is asked for, in its place."""
    order = torch.rand(len(keys), keys.shape[1] - 1, generator=generator).argsort(1)
    order = torch.cat([order, torch.full_like(keys[:, :1], keys.shape[1] - 1)], 1)
    return keys.gather(1, order), labels.gather(1, order)


def mislabelled(labels, share, notation, generator):
    """About so large a share of the labels (B, N) replaced, each by another one; the last one stays."""
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: give 0 … 1")
    wrong = torch.rand(labels.shape, generator=generator) < share
    wrong[:, -1] = False
    other = labels + torch.randint(1, notation.labels, labels.shape, generator=generator)
    return torch.where(wrong, other % notation.labels, labels)
