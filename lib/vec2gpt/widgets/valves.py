"""The valves of an LSTM under the reader's hand: hold any gate at any step, see the rest recomputed."""

import torch
from torch import Tensor, nn

from vec2gpt.recurrent import LSTMLanguageModel, unroll
from vec2gpt.text import Vocab
from vec2gpt.widgets.live import LiveModel

GUESSES = 5
LIMIT = 100  # characters the widget reads


class Valves(nn.Module):
    """Read a text while some gates are held by hand, and report on one unit of the cell.

    ids (1, T); held (1, T, 3): forget, input, output gate at each step, for all units, negative = free;
    unit (1,) → trace (1, T, 6): f, i, o, g, c, h of that unit; surprise (1, T): bits that the next
    character costs, 0 for the last; guesses (1, T, 5) and their probabilities (1, T, 5).
    """

    def __init__(self, model: LSTMLanguageModel):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, held: Tensor, unit: Tensor) -> tuple[Tensor, ...]:
        cell = self.model.cell

        def step(state, inputs):
            x, by_hand = inputs
            gates = hold(cell.gates(x, state), by_hand)
            state = cell.update(gates, state)
            seen = (gates.f, gates.i, gates.o, gates.g, state.c, state.h)
            return state, (state.h, torch.cat([part.index_select(1, unit) for part in seen], -1))

        _, (h, trace) = unroll(step, cell.initial(1), (self.model.embedding(ids), held))
        log_p = self.model.head(h).log_softmax(-1)  # (1, T, V)
        following = torch.cat([ids[:, 1:], ids[:, :1]], 1)
        bits = -log_p.gather(2, following[..., None])[..., 0] / torch.log(torch.tensor(2.0))
        has_next = torch.arange(ids.shape[1], device=ids.device) < ids.shape[1] - 1
        best = log_p.exp().topk(GUESSES)
        return trace, bits * has_next, best.indices, best.values


def hold(gates, by_hand: Tensor):
    """The gates, where by_hand (1, 3) is not negative replaced by it, for every unit: f, i, o."""
    f, i, o = (
        torch.where(value[:, None] < 0, gate, value[:, None].expand_as(gate))
        for gate, value in zip((gates.f, gates.i, gates.o), by_hand.unbind(-1), strict=True)
    )
    return gates._replace(f=f, i=i, o=o)


def valves_widget(model: LSTMLanguageModel, vocab: Vocab, text: str, *, unit: int = 0) -> LiveModel:
    """A text to type, read by `model` character by character, and three valves at every step."""
    if not 1 <= len(text) <= LIMIT:
        raise ValueError(f"the text has {len(text)} characters; give 1 to {LIMIT}")
    if not 0 <= unit < model.config.hidden:
        raise ValueError(f"unit is {unit}; this model has the units 0 to {model.config.hidden - 1}")
    ids = torch.tensor([vocab.encode(text)])
    return LiveModel(
        "valves",
        Valves(model),
        {"ids": ids, "held": torch.full((1, len(text), 3), -1.0), "unit": torch.tensor([unit])},
        ["trace", "surprise", "guesses", "probabilities"],
        lengths={"ids": [1], "held": [1]},
        settings={
            "text": text,
            "alphabet": vocab.tokens,
            "unit": unit,
            "units": model.config.hidden,
            "limit": LIMIT,
        },
    )
