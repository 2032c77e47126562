"""Attention under the reader's hand: a heat map to repaint, and the output decoded anew (chapter 6).

Does a model look where it looks because it must? Weights of any step can be painted over, locked as they are,
or made flatter or sharper, and the library's decoder goes on from there: everything goes through the `change`
of `AttentiveDecoder`, so that nothing here computes attention a second time.

A model reads letters or words, as its vocabulary has them: one widget can show both.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vec2gpt.attentive import AttentionSeq2Seq
from vec2gpt.decoding import many
from vec2gpt.grammar import Pair
from vec2gpt.unrolling import is_exporting, unroll
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.texts import opening
from vec2gpt.widgets.vocabularies import Vocabs, by_name

LIMIT, STEPS = 24, 32  # letters or words read; steps decoded
COLDEST, HOTTEST = 0.1, 5.0  # temperatures


class Repaint(nn.Module):
    """Greedy decoding twice side by side: the model alone, and with its attention changed by hand.

    source_ids (1, S); painted (1, T, S): weights of step t that sum to 1, a row with any negative number is
    free; temperature τ (1,) of the free rows, whose weights become w^(1/τ), renormalised →

    ids (2, T), the likeliest at each step, which the next one reads; weights (2, T, S); probabilities (2, T)
    of the ids. Row 0: the model alone. What follows `model.config.eos` is to be ignored.
    """

    def __init__(self, model: AttentionSeq2Seq):
        super().__init__()
        self.model = model

    def forward(self, source_ids: Tensor, painted: Tensor, temperature: Tensor) -> tuple[Tensor, ...]:
        _check(painted, temperature)
        painted = torch.cat([torch.full_like(painted, -1.0), painted])  # (2, T, S)
        power = 1 / torch.stack([torch.ones_like(temperature), temperature])[..., None]  # (2, 1, 1)

        first, state = many(2, self.model.start(source_ids))

        def step(carry, by_hand):
            ids, hidden = carry  # what is looked at stays the same
            by_hand = by_hand[:, None]  # (2, 1, S)
            free = by_hand.amin(-1, keepdim=True) < 0  # (2, 1, 1)

            def repaint(weights):  # (2, 1, S)
                return torch.where(free, sharpened(weights, power), by_hand)

            logits, weights, after = self.model.decoder(
                ids[:, None], state._replace(hidden=hidden), change=repaint
            )
            p, ids = logits[:, 0].softmax(-1).max(-1)
            return (ids, after.hidden), (ids, weights[:, 0], p)

        _, outputs = unroll(step, (first, state.hidden), painted)
        return outputs


def sharpened(weights: Tensor, power: Tensor) -> Tensor:
    """weights^power, renormalised: what a softmax gives at the temperature 1 / power.

    ¾ and ¼ become 0.9 and 0.1 by the power 2.
    """
    # the largest becomes 1, which no power moves: small ones could all vanish, and leave 0 / 0
    powers = (weights / weights.amax(-1, keepdim=True)) ** power
    return powers / powers.sum(-1, keepdim=True)


def repaint_widget(
    models: AttentionSeq2Seq | dict[str, AttentionSeq2Seq],
    vocabs: Vocabs | dict[str, Vocabs],
    text: str,
    *,
    examples: Iterable[str | Pair] = (),
    temperature: float = 1.0,
) -> LiveModel:
    """A text to type, what a model makes of it, and its attention weights to repaint, row by row.

    models: an encoder-decoder with attention, or a dict of such by name ("scaled dot", "additive"), between
    which the reader chooses. Some may read letters and others words.
    vocabs: (source, target), of all models or of each by its name. The end mark has one name in both.
    text: 1 to 24 letters, or words with spaces between them, for the first model to begin with.
    examples: texts offered, in this order, each for any of the models; of a `grammar.Pair` the gold links are
    marked. The first that is of the other kind, letters or words, is what models of that kind begin with.
    temperature: of the softmax to begin with, 0.1 to 5.

    >>> repaint_widget(model, (letters, phonemes), "attention", examples=["through"])
    LiveModel(repaint: source_ids, painted, temperature → ids, weights, probabilities)
    """
    models, vocabs = by_name(models, vocabs)
    _check_start(models, temperature)
    examples = list(examples)
    source_ids, about = opening(models, vocabs, text, examples, limit=LIMIT)
    return LiveModel(
        "repaint",
        {name: Repaint(model) for name, model in models.items()},
        {
            "source_ids": source_ids,
            "painted": torch.full((1, STEPS, source_ids.shape[1]), -1.0),
            "temperature": torch.tensor([float(temperature)]),
        },
        ["ids", "weights", "probabilities"],
        lengths={"source_ids": [1], "painted": [2]},
        settings=about
        | {
            "gold": {" ".join(pair.source): _gold(pair) for pair in examples if not isinstance(pair, str)},
            "temperature": float(temperature),
            "steps": STEPS,
        },
    )


def _gold(pair: Pair) -> dict:
    """The right translation, and its links as lists, for JSON has no sets."""
    return {"target": list(pair.target), "links": sorted(map(list, pair.alignment))}


def _check_start(models: dict[str, AttentionSeq2Seq], temperature: float) -> None:
    for name, model in models.items():
        if not isinstance(model, AttentionSeq2Seq):
            raise ValueError(
                f"{name} is a {type(model).__name__}, without attention: give an AttentionSeq2Seq"
            )
    if not COLDEST <= temperature <= HOTTEST:
        raise ValueError(f"temperature is {temperature}; the slider goes from {COLDEST} to {HOTTEST:g}")


def _check(painted: Tensor, temperature: Tensor) -> None:
    """Raise ValueError for weights that do not sum to 1, and a temperature of 0. A graph does not ask."""
    if is_exporting():
        return
    total = painted.sum(-1)[~(painted.amin(-1) < 0)]  # of a NaN too
    if not ((total - 1).abs() < 1e-3).all():
        raise ValueError(
            f"a painted row sums to {total[(total - 1).abs().argmax()]:.3f}; divide it by its sum"
        )
    if not (temperature > 0).all():
        raise ValueError(f"temperature is {temperature.min().item():g}; give more than 0")
