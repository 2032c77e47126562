"""How the loss of a GPT falls with its size and with what it reads: Shakespeare's plays by character.

Kaplan et al. 2020 and Hoffmann et al. 2022 trained hundreds of models and found that the loss falls as a
power of each. Here are small ones, each trained with a schedule of its own length, so that no row is a stop
on the way of another. The largest budget is about all of the training plays, read once.
"""

from torch import nn

from vec2gpt import corpora
from vec2gpt.blocks import even_std
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.metrics import bits, window_loss
from vec2gpt.recipes.language import shakespeare
from vec2gpt.recipes.table import Experiment
from vec2gpt.recipes.task import size, train
from vec2gpt.training import seed_everything, windows

LENGTH, SIZE = 128, 16  # 2,048 characters a step
SHAPES = {16: (2, 2), 32: (2, 4), 64: (3, 4), 128: (4, 4)}  # width -> layers, heads
BUDGETS = tuple(2**power for power in range(18, 23))  # characters
AXES = {"seed": (0, 1), "width": tuple(SHAPES), "characters": BUDGETS}


def rate(width: int) -> float:
    """The peak learning rate, lower for wider models: 0.004 at a width of 64."""
    return 4e-3 * (64 / width) ** 0.5


def experiment() -> Experiment:
    """Rows: a seed, a width, which decides the rest of the shape, and how many characters are read."""

    def settings(*, seed: int, width: int, characters: int, steps: int | None = None) -> dict:
        layers, heads = SHAPES[width]
        steps = characters // (LENGTH * SIZE) if steps is None else steps
        style = " ".join(f"{name}={value}" for name, value in TODAY.items())
        shape = f"layers={layers} heads={heads} std={even_std(width):.3g}"
        told = f"length={LENGTH} size={SIZE} lr={rate(width):.2g} {shape} {style}"
        return {"seed": seed, "width": width, "characters": characters, "steps": steps, "settings": told}

    def measure(*, seed: int, width: int, steps: int, **_: object) -> dict:
        text, _, test = shakespeare.numbered()
        layers, heads = SHAPES[width]
        shape = {"layers": layers, "heads": heads, "width": width, "std": even_std(width)}
        seed_everything(seed)
        model = GPT(GPTConfig(len(shakespeare.characters()), context=LENGTH, **shape, **TODAY))
        train(model, windows(text, length=LENGTH, size=SIZE), steps=steps, lr=rate(width), seed=seed)
        return {
            "parameters": size(model),
            "in_blocks": within_blocks(model),
            "test_bits": round(bits(window_loss(model, test)), 4),
        }

    return Experiment(settings, measure, data=corpora.corpus("shakespeare").sha256, text=shakespeare.digest())


def within_blocks(model: nn.Module) -> int:
    """The parameters of its blocks: without tables of tokens and places, as Kaplan et al. count."""
    return sum(size(block) for block in model.blocks)
