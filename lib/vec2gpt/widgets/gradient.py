"""The gradient's way back through time, under the reader's hand: does it vanish, hold or explode? (chapter 2)

Hochreiter 1991 and Bengio, Simard & Frasconi 1994 found why a recurrent network hardly learns what lies far
back; Pascanu, Mikolov & Bengio 2013 added clipping. Going back, each step multiplies the gradient by the
activation's slopes and by Uᵀ. The singular values of U bound what a step can do to the norm; the spectral
radius rules only in the long run, and until then a non-normal U (Ganguli, Huh & Sompolinsky 2008) can go the
other way. Autograd would give the same numbers; here the recursion is written out, so that a page can run it.
"""

import copy
import math

import torch
from torch import Tensor, nn

from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.recurrent import ReLUCell, RNNCell, RNNState
from vec2gpt.text import Vocab
from vec2gpt.unrolling import unroll
from vec2gpt.widgets.live import LiveModel
from vec2gpt.widgets.models import check_models

LIMIT = 100  # steps
SCALES = 0.1, 3.0  # of the recurrent matrix: 3 ** 100 is beyond float32
ACTIVATIONS = ("tanh", "relu", "none")
WIDTH, HIDDEN, CHAIN = 16, 48, 6  # of the fresh models
FLOAT32 = torch.finfo(torch.float32)


class GradientThroughTime(nn.Module):
    """Read a text, send the loss of the next letter back to every step, and measure what arrives there.

    ids (1, T); target (1,): the letter after them; scale (1,): a factor on the recurrent matrix U;
    activation (1,): its place in ACTIVATIONS; threshold (1,) of clipping, ∞ for none →
    norms (1, T): ‖∂L/∂h_t‖; slopes (1, T): φ'(a_t), the mean over the units; shares (1, T): each
    step's share of ∂L/∂U; sizes (2,): ‖∂L/∂U‖ and what clipping leaves of it; spectrum (3,): the smallest and
    the largest singular value of the scaled U, and its spectral radius.
    """

    def __init__(self, model: RecurrentLanguageModel):
        super().__init__()
        self.model, (self.cell,) = model, model.stack.cells
        self.register_buffer("unscaled", spectrum(self.cell.weight_hh.detach()))  # (3,)

    def forward(self, ids: Tensor, target: Tensor, scale: Tensor, activation: Tensor, threshold: Tensor):
        last, before, a = self.read(ids, scale, activation)
        slopes = slope(a, activation)  # (1, T, hidden)
        arriving = self.loss_gradient(last, target)  # (1, hidden)
        grad_h, grad_a = self.send_back(arriving, slopes, scale)  # (1, T, hidden) each
        whole, shares = divide(grad_a, before)
        clipped = whole * (threshold / whole).clamp(max=1)  # it scales all shares alike, so they stay
        return norm(grad_h), slopes.mean(-1), shares, torch.cat([whole, clipped]), self.unscaled * scale

    def read(self, ids: Tensor, scale: Tensor, activation: Tensor) -> tuple[Tensor, ...]:
        """The last state (1, hidden), and for each step the state before it and its sum a (1, T, hidden)."""

        def step(h, seen):
            a = self.cell.decide(seen, RNNState(scale * h)).a  # U (s h) = (s U) h
            return activate(a, activation), (h, a)

        seen = self.cell.seen(self.model.embedding(ids))
        last, (before, a) = unroll(step, self.cell.initial(1).h, seen)
        return last, before, a

    def loss_gradient(self, last: Tensor, target: Tensor) -> Tensor:
        """∂L/∂h_T (1, hidden): p minus the target's one-hot vector, through the head's weights."""
        p = self.model.head(last).softmax(-1)  # (1, V)
        right = torch.arange(p.shape[1], device=p.device) == target
        return (p - right.to(p.dtype)) @ self.model.head.weight

    def send_back(self, grad_h: Tensor, slopes: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """∂L/∂h_t and ∂L/∂a_t at every step, (1, T, hidden) each, from ∂L/∂h_T (1, hidden).

        ∂L/∂a_t = φ'(a_t) ⊙ ∂L/∂h_t, and ∂L/∂h_{t−1} = Uᵀ ∂L/∂a_t: the whole of backpropagation through time.
        """

        def step(grad_h, slope_t):
            grad_a = slope_t * grad_h
            return scale * (grad_a @ self.cell.weight_hh), (grad_h, grad_a)

        _, back = unroll(step, grad_h, slopes.flip(1))
        return tuple(one.flip(1) for one in back)


def activate(a: Tensor, activation: Tensor) -> Tensor:
    """φ(a), where activation (1,) is a place in ACTIVATIONS."""
    return torch.stack([RNNCell.activation(a), ReLUCell.activation(a), a]).index_select(0, activation)[0]


def slope(a: Tensor, activation: Tensor) -> Tensor:
    """φ'(a), taken at a: 1 − tanh² a, or 1 where a > 0, or 1."""
    one = torch.ones_like(a)
    return torch.stack([one - a.tanh() ** 2, (a > 0).to(a.dtype), one]).index_select(0, activation)[0]


def divide(grad_a: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """‖∂L/∂U‖ (1,), and the share (1, T) of it that each step brings.

    Step t adds the matrix Gₜ = ∂L/∂a_t ⊗ h_{t−1}, and ∂L/∂U = G is the sum of all. Of its length, Gₜ brings
    ⟨Gₜ, G⟩ / ‖G‖²: together 1, and negative where a step pulls against the whole. All are 0 where G is.
    """
    whole = grad_a.mT @ before  # (1, hidden, hidden)
    size = norm(whole.flatten(1))  # (1,)
    least = size.clamp(min=FLOAT32.tiny)
    along = grad_a @ (whole / least) * before  # (1, T, hidden)
    return size, along.sum(-1) / least


def norm(x: Tensor) -> Tensor:
    """‖x‖ along the last axis, for numbers whose squares float32 does not hold: 1e-30 and 1e30 too."""
    largest = x.abs().amax(-1, keepdim=True).clamp(FLOAT32.tiny, FLOAT32.max)
    return (x / largest).square().sum(-1).sqrt() * largest[..., 0]


def spectrum(U: Tensor) -> Tensor:
    """The smallest and the largest singular value of U (n, n), and its spectral radius, as (3,)."""
    singular = torch.linalg.svdvals(U.double())  # in descending order
    return torch.stack([singular[-1], singular[0], torch.linalg.eigvals(U.double()).abs().max()]).float()


# ---- models that nobody trained ----


def fresh_models(vocab_size: int, *, seed: int = 0) -> dict[str, RecurrentLanguageModel]:
    """Three untrained models that differ in nothing but the recurrent matrix U (48, 48).

    "random U": Gaussian numbers; its singular values lie between almost 0 and 2, its spectral radius ρ is 1.
    "orthogonal U": it turns, and keeps every norm: ρ and all singular values are 1.
    "chained U": eight chains of six units, each of which keeps 0.6 of itself and is handed on to the next.
    ρ is 0.6, and yet σ_max is 1.55: without an activation a norm grows about tenfold before it fades.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gaussian = torch.randn(HIDDEN, HIDDEN)
        model = _quiet(LanguageModelConfig(vocab_size, "rnn", width=WIDTH, hidden=HIDDEN))
    chain = 0.6 * torch.eye(CHAIN) + torch.ones(CHAIN - 1).diag(1)
    return {
        "random U": _with_recurrent(model, gaussian / spectrum(gaussian)[2]),
        "orthogonal U": _with_recurrent(model, torch.linalg.qr(gaussian).Q),
        "chained U": _with_recurrent(model, torch.block_diag(*[chain] * (HIDDEN // CHAIN))),
    }


def _quiet(config: LanguageModelConfig) -> RecurrentLanguageModel:
    """A model whose inputs are small: only a U that makes the states grow brings tanh into saturation."""
    model = RecurrentLanguageModel(config)
    cell = model.stack.cells[0]
    with torch.no_grad():
        cell.weight_ih *= 0.1
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return model


def _with_recurrent(model: RecurrentLanguageModel, U: Tensor) -> RecurrentLanguageModel:
    """A copy of the model with this U, its numbers rounded as a page keeps them: both homes show the same."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        model.stack.cells[0].weight_hh.copy_(U)
    return model.half().float()


# ---- the widget ----


def gradient_widget(
    models: dict[str, RecurrentLanguageModel],
    vocab: Vocab,
    text: str,
    *,
    scale: float = 1.0,
    activation: str = "tanh",
    length: int | None = None,
) -> LiveModel:
    """The loss of a text's last character, sent back through as many of the characters before it as you like.

    models: name → a plain recurrent model of one layer, such as `fresh_models(len(vocab))` and a trained one.
    text: 2 to 101 characters. scale, activation and length are those to begin with; without a length 50
    steps, or as many as there are.
    """
    ids = vocab.encode(text)
    length = min(50, len(ids) - 1) if length is None else length
    _check_start(len(ids), scale, activation, length)
    check_models(models, len(vocab), cells=("rnn", "relu"))
    widget = LiveModel(
        "gradient",
        {name: GradientThroughTime(model) for name, model in models.items()},
        {
            "ids": torch.tensor([ids[-1 - length : -1]]),
            "target": torch.tensor(ids[-1:]),
            "scale": torch.tensor([float(scale)]),
            "activation": torch.tensor([ACTIVATIONS.index(activation)]),
            "threshold": torch.tensor([math.inf]),
        },
        ["norms", "slopes", "shares", "sizes", "spectrum"],
        lengths={"ids": [1]},
        settings={
            "tokens": [vocab.tokens[id] for id in ids],
            "ids": ids,
            "scale": scale,
            "scales": list(SCALES),
            "activation": activation,
            "activations": list(ACTIVATIONS),
            "length": length,
        },
    )
    if not all(math.isfinite(x) for value in widget.first.values() for x in value["data"]):
        raise ValueError(f"scale {scale} over {length} steps goes beyond float32: begin with less of one")
    return widget


def _check_start(characters: int, scale: float, activation: str, length: int) -> None:
    if not 2 <= characters <= LIMIT + 1:
        raise ValueError(
            f"the text has {characters} characters; give 2 to {LIMIT + 1}, the last to be predicted"
        )
    if not 1 <= length < characters:
        raise ValueError(
            f"length is {length}; the text has 1 to {characters - 1} steps before its last character"
        )
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; there are {', '.join(ACTIVATIONS)}")
    if not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(f"scale is {scale}; the slider goes from {SCALES[0]} to {SCALES[1]}")
