"""Every head of every layer of a Transformer, on the reader's text, to look at and to switch off (chapter 7).

What does a head do? See where it looks, then see what is said without it. Michel, Levy & Neubig 2019 found
that most heads of a trained model can go, one at a time, at little cost. A head is off when its answer is 0
before W_O; the decoder's causal mask can be taken away too. Both go through the functions that a
`Transformer` is handed for its attention (`Attends`), so that nothing here computes a layer a second time.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vec2gpt.attention import attend
from vec2gpt.decoding import greedy
from vec2gpt.grammar import Pair
from vec2gpt.transformer import Attends, Transformer
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.texts import opening
from vec2gpt.widgets.vocabularies import Vocabs, by_name

LIMIT = 16  # letters or words read
STEPS = LIMIT + 1  # decoded: as many tokens, and the end
OUTPUTS = ["ids", "probabilities", "guesses", "encoder", "decoder", "cross"]


class Heads(nn.Module):
    """Greedy decoding twice side by side, the model alone and as the reader changed it, then read at once.

    source_ids (1, S); encoder_on, decoder_on and cross_on (L, H) or larger: 1, or 0 where the head of that
    layer is off; causal (1,): 0 where the decoder, when it reads its own output, sees what follows too →

    ids (2, T) said step by step; probabilities (2, T) of these, and guesses (2, T), the likeliest, at each
    place when all is read at once; the weights of each head of the changed model: encoder (L, H, S, S),
    decoder (L, H, T, T), cross (L, H, T, S). Row 0: the model alone. With the mask, guesses and ids are the
    same. What follows `model.config.eos` is to be ignored.
    """

    def __init__(self, model: Transformer):
        super().__init__()
        self.model = model

    def forward(
        self, source_ids: Tensor, encoder_on: Tensor, decoder_on: Tensor, cross_on: Tensor, causal: Tensor
    ) -> tuple[Tensor, ...]:
        heads = self.model.config.heads
        on = [
            torch.stack([torch.ones_like(one), one], 1)[..., :heads]  # (L, 2, H)
            for one in (encoder_on, decoder_on, cross_on)
        ]
        source_ids = source_ids.expand(2, -1)
        ids = self._said(source_ids, on)
        read, seen = self._read(ids, causal)
        watched = tuple([] for _ in on)
        encoder, decoder, cross = map(_answering, on, watched)
        attends = Attends(encoder, lambda q, k, v, mask: decoder(q, k, v, mask | seen), cross)
        logits, _ = self.model(source_ids, read, attends=attends)
        p = logits.softmax(-1)
        changed = (torch.stack([weights[1] for weights in layers]) for layers in watched)
        return ids, p.gather(-1, ids[..., None])[..., 0], p.argmax(-1), *changed

    def _said(self, source_ids: Tensor, on: list[Tensor]) -> Tensor:
        """What is said step by step, (2, T), filled up with eos."""

        def step(ids, state):
            logits, state = self.model.read(ids[:, None], state, attends=Attends(*map(_answering, on)))
            return logits[:, 0], state

        first = source_ids.new_full((2,), self.model.config.bos)
        state = self.model.encode(source_ids, attends=Attends(*map(_answering, on)))
        ids = greedy(step, first, state, eos=self.model.config.eos, limit=STEPS)
        return pad(ids, (0, STEPS - ids.shape[1]), value=self.model.config.eos)

    def _read(self, ids: Tensor, causal: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder reads to say ids, (2, T), and what it sees beyond the causal mask, (2, 1, 1, T).

        That is nothing; but in row 1, where the mask is off, all that is read before the end.
        """
        c = self.model.config
        read = pad(ids[:, :-1], (1, 0), value=c.bos)
        ends = (ids == c.eos).long()
        going = ends.cumsum(-1) == ends  # no end before it: what fills up behind one is not there
        changed = torch.tensor([[0], [1]])
        return read, (going & (changed > causal))[:, None, None]


def _answering(on: Tensor, watched: list | None = None):
    """`attend` for the layers of one reading, first to last: a head answers 0 where on (L, B, H) is 0.

    The weights of each layer are put into `watched`.
    """
    layers = iter(on.unbind(0))

    def answer(q, k, v, mask):
        out, weights = attend(q, k, v, mask)
        if watched is not None:
            watched.append(weights)
        return out * next(layers)[..., None, None]  # (B, H, T, K)

    return answer


def heads_widget(
    models: Transformer | dict[str, Transformer],
    vocabs: Vocabs | dict[str, Vocabs],
    text: str,
    *,
    examples: Iterable[str | Pair] = (),
) -> LiveModel:
    """A text to type, what a Transformer makes of it, and where each head looks, which can be switched off.

    models: a Transformer, or a dict of such by name, between which the reader chooses. Some may read letters
    and others words.
    vocabs: (source, target), of all models or of each by its name. The end mark has one name in both.
    text: 1 to 16 letters, or words with spaces between them, for the first model to begin with.
    examples: texts offered, in this order, each for any of the models. The first that is of the other kind,
    letters or words, is what models of that kind begin with.

    >>> heads_widget(model, (letters, phonemes), "through", examples=["knight"])
    LiveModel(heads: source_ids, encoder_on, decoder_on, cross_on, causal → ids, probabilities, guesses, …)
    """
    models, vocabs = by_name(models, vocabs)
    for name, model in models.items():
        _check_model(name, model)
    source_ids, about = opening(models, vocabs, text, examples, limit=LIMIT)
    configs = [model.config for model in models.values()]
    heads = max(c.heads for c in configs)
    layers = max(max(c.encoder_layers, c.decoder_layers) for c in configs)
    for name, model in models.items():
        about["models"][name] |= {"layers": _layers(model), "heads": model.config.heads}
    every = torch.ones(layers, heads)
    return LiveModel(
        "heads",
        {name: Heads(model) for name, model in models.items()},
        {
            "source_ids": source_ids,
            "encoder_on": every,
            "decoder_on": every,
            "cross_on": every,
            "causal": torch.tensor([1]),
        },
        OUTPUTS,
        lengths={"source_ids": [1]},
        settings=about | {"size": [layers, heads]},
    )


def _layers(model: Transformer) -> dict[str, int]:
    """How many layers of each kind of attention there are."""
    c = model.config
    return {"encoder": c.encoder_layers, "decoder": c.decoder_layers, "cross": c.decoder_layers}


def _check_model(name: str, model) -> None:
    if not isinstance(model, Transformer):
        raise ValueError(f"{name} is a {type(model).__name__}, without heads: give a Transformer")
    if model.config.context < STEPS:
        raise ValueError(
            f"{name} has room for {model.config.context} tokens: give one with a context of at least {STEPS}"
        )
