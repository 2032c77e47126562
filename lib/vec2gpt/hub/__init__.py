"""Where models come from and go to: checkpoints of our own, and the weights of other libraries."""

from vec2gpt.hub.from_hf import forbid, from_hf
from vec2gpt.hub.from_torch import from_torch

__all__ = ["forbid", "from_hf", "from_torch"]
