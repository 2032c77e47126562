"""Where a token stands: what attention alone cannot know.

Attention compares every token with every other, and an average has no order: shuffle the tokens, and each
gets the same answer. So each must carry its place. Vaswani et al. 2017 add waves of many lengths to a token's
vector, Gehring et al. 2017 a vector that is learned; Su et al. 2021 turn queries and keys by an angle that
grows with the place, so that their dot product depends on how far apart they are: `POSITIONS`.

Left out: a bias for each distance (Shaw, Uszkoreit & Vaswani 2018; T5).
"""

import torch
from torch import nn


def angles(context, width):
    """p / 10000^(2i / D) of each place p and each pair i of D numbers: (C, D / 2), in radians.

    The first pair goes round once in 2π places, the last one in nearly 10000 · 2π.
    """
    if width % 2:
        raise ValueError(
            f"{width} numbers are no pairs: choose an even width; where positions are rotary, that of a head"
        )
    pairs = torch.arange(width // 2)
    return torch.arange(context)[:, None] / 10000 ** (2 * pairs / width)


def sinusoids(context, width):
    """The waves of the paper, (C, D): sin of pair i's angle in column 2i, its cos in column 2i + 1."""
    turns = angles(context, width)
    return torch.stack([turns.sin(), turns.cos()], -1).flatten(1)


class Positions(nn.Module):
    """No positions: the tokens are a bag. Who extends it adds to a token's vector, or turns q and k.

    width: D, of a vector. context: C, the most places. head_width: K, of a query.
    """

    def __init__(self, width, *, context, head_width):
        super().__init__()

    def forward(self, x, places):
        """x (B, T, D) of tokens that stand at places (T,) or (B, T) -> (B, T, D).

        Places are 0 … C − 1: a model checks that, here a negative one would be counted from the end.
        """
        return x

    def turn(self, x, places):
        """The queries or keys x (B, H, T, K) of tokens at these places -> (B, H, T, K)."""
        return x

    def told(self, look, places):
        """`look`, with queries and keys that know their places, if it is there that they are told."""
        return lambda q, k, v: look(self.turn(q, places), self.turn(k, places), v)


class Sinusoidal(Positions):
    """x + waves: any place of the context can be told, also one that no training text reached."""

    def __init__(self, width, *, context, head_width):
        super().__init__(width, context=context, head_width=head_width)
        self.register_buffer("table", sinusoids(context, width), persistent=False)  # (C, D)

    def forward(self, x, places):
        return x + self.table[places]


class Learned(Positions):
    """x + a vector for each place, learned like a token's."""

    def __init__(self, width, *, context, head_width):
        super().__init__(width, context=context, head_width=head_width)
        self.table = nn.Embedding(context, width)

    def forward(self, x, places):
        return x + self.table(places)


class Rotary(Positions):
    """Turns each pair of numbers of a query or key: q_p · k_r depends on p − r, not on p and r."""

    def __init__(self, width, *, context, head_width):
        super().__init__(width, context=context, head_width=head_width)
        turns = angles(context, head_width)
        self.register_buffer("cos", turns.cos(), persistent=False)  # (C, K / 2)
        self.register_buffer("sin", turns.sin(), persistent=False)

    def turn(self, x, places):
        cos, sin = (table[places].unsqueeze(-3) for table in (self.cos, self.sin))  # ([B,] 1, T, K / 2)
        a, b = x.unflatten(-1, (-1, 2)).unbind(-1)  # (B, H, T, K / 2) each
        return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


POSITIONS = {"none": Positions, "sinusoidal": Sinusoidal, "learned": Learned, "rotary": Rotary}
