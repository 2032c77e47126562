"""Language models that read a text token by token: with a fixed window, and with a memory.

The window: Bengio, Ducharme, Vincent & Jauvin 2003. The memory: Elman 1990, on real text Mikolov et al. 2010.
Counting models (see `ngrams`) know nothing of a context that they have not seen. The window model gives every
token a vector, and puts the vectors of the last few tokens through one hidden layer: contexts that are alike
get predictions that are alike. The recurrent model drops the limit of a few.

Every language model of the book is `model(ids, targets=None) -> (logits, loss)`. Those that can go on where
they stopped also have `initial(batch)`, `read(ids, state)` and `step(ids, state)`, and a state that is a
nested tuple of tensors, batch first. Left out: a direct way from the window's vectors to the output.
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.checks import check_ids, check_names, check_shares, check_sizes, check_targets
from vec2gpt.recurrent import GRUCell, LSTMCell, ReLUCell, RNNCell, Stack, check_state

IGNORED = -100  # a target with this id counts in no loss
CELLS = {"rnn": RNNCell, "relu": ReLUCell, "lstm": LSTMCell, "gru": GRUCell}

# ---- what all language models share ----


def next_token_loss(logits, targets, *, smoothing=0.0):
    """Mean cross-entropy in nats of `targets` (B, T) under `logits` (B, T, V); None without targets.

    Targets that are −100 are ignored, but not all may be. A model that knows nothing scores ln V: 4.25 for 70
    characters. smoothing: so much of each target's probability is taken from it, and spread evenly over all
    V tokens (label smoothing: Szegedy et al. 2016).
    """
    if targets is None:
        return None
    check_targets(targets, logits, ignored=IGNORED)
    logits, targets = logits.flatten(0, 1), targets.flatten()
    return F.cross_entropy(logits, targets, ignore_index=IGNORED, label_smoothing=smoothing)


class LanguageModel:
    """What every model with a state can do, neural or not, once it says how it reads.

    Who extends it gives two methods: `initial(batch)`, the state before the first token, and
    `read(ids, state)`, from ids (B, T) to the logits (B, T, V) and the state after them. A neural one extends
    nn.Module too, behind this class.
    """

    def forward(self, ids, targets=None):
        """ids (B, T) -> logits (B, T, V), and the mean loss in nats when targets (B, T) are given."""
        logits, _ = self.read(ids, self.initial(len(ids)))
        return logits, next_token_loss(logits, targets)

    def step(self, ids, state):
        """Read one token a sequence, ids (B,); return logits (B, V) and the next state."""
        logits, state = self.read(ids[:, None], state)
        return logits[:, 0], state


# ---- a fixed window ----


@dataclass(frozen=True)
class WindowConfig:
    vocab_size: int
    window: int = 8  # tokens that it sees
    width: int = 32  # of a token's vector
    hidden: int = 256

    def __post_init__(self):
        check_sizes(**asdict(self))


class WindowLanguageModel(LanguageModel, nn.Module):
    """Predicts the next token from the last `window` tokens: vectors, one tanh layer, linear head."""

    Config = WindowConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size + 1, config.width)  # the last: before the text
        self.layer = nn.Linear(config.window * config.width, config.hidden)
        self.head = nn.Linear(config.hidden, config.vocab_size)

    def initial(self, batch):
        """The window before the first token: nothing, as ids (B, window − 1)."""
        shape = batch, self.config.window - 1
        return torch.full(shape, self.config.vocab_size, device=self.head.weight.device)

    def read(self, ids, state):
        """Read ids (B, T) after the window `state`; return logits (B, T, V) and the window after them."""
        check_ids(ids, self.config.vocab_size)
        check_state(state, self.initial, len(ids))
        text = torch.cat([state, ids], 1)  # (B, window − 1 + T)
        seen = self.embedding(text.unfold(1, self.config.window, 1))  # (B, T, window, width)
        logits = self.head(self.layer(seen.flatten(2)).tanh())  # (B, T, V)
        return logits, text[:, ids.shape[1] :]


# ---- a memory ----


@dataclass(frozen=True)
class LanguageModelConfig:
    vocab_size: int
    cell: str = "lstm"  # or another of CELLS
    width: int = 64  # of a token's vector
    hidden: int = 256  # of a layer's state
    layers: int = 1
    dropout: float = 0.0  # between layers and before the head

    def __post_init__(self):
        check_names(self, cell=CELLS)
        check_sizes(vocab_size=self.vocab_size, width=self.width, hidden=self.hidden, layers=self.layers)
        check_shares(dropout=self.dropout)


class RecurrentLanguageModel(LanguageModel, nn.Module):
    """Predicts the next token from all tokens before it: embedding, layers of cells, linear head."""

    Config = LanguageModelConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.stack = Stack(
            CELLS[config.cell], config.width, config.hidden, layers=config.layers, dropout=config.dropout
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, config.vocab_size)

    def initial(self, batch):
        """The state before the first token, for `batch` sequences."""
        return self.stack.initial(batch)

    def read(self, ids, state):
        """Read ids (B, T) from `state` on; return logits (B, T, V) and the state after them."""
        check_ids(ids, self.config.vocab_size)
        h, state = self.stack(self.embedding(ids), state)  # (B, T, hidden)
        return self.head(self.dropout(h)), state


@torch.no_grad()
def open_forget_gates(model, *, bias):
    """Add `bias` to that of every forget gate of an LSTM, so that it begins by keeping what it has read.

    Gers et al. (2000) start it positive, Jozefowicz et al. (2015) advise 1: the gate then lets σ(1) = 0.73 of
    the memory through. torch starts it near 0, where half is lost at every step. ValueError for other cells.
    """
    if model.config.cell != "lstm":
        raise ValueError(
            f"cell is {model.config.cell!r}, which has no forget gate: give a model of LSTM cells"
        )
    for cell in model.stack.cells:
        _, forget, _, _ = cell.bias_ih.chunk(4)  # input, forget, candidate, output
        forget += bias
