"""Which models a widget can show: all with finite weights; recurrent ones of one layer, of its vocabulary."""

from torch import nn

from vec2gpt.language import RecurrentLanguageModel


def check_finite(name: str, model: nn.Module) -> None:
    """Raise ValueError for a model that holds NaN or ∞, by its name: its answers would be no numbers."""
    if not all(weight.isfinite().all() for weight in model.parameters()):
        raise ValueError(f"{name} holds NaN or ∞: its training diverged; give one from before that")


def check_models(
    models: dict[str, RecurrentLanguageModel], vocab_size: int, *, cells: tuple[str, ...]
) -> None:
    """Raise ValueError unless each of at least one model has one layer of one of `cells`, knows `vocab_size`
    characters, and holds neither NaN nor ∞."""
    if not models:
        raise ValueError("there is no model: give at least one, by its name")
    for name, model in models.items():
        _check_model(name, model, vocab_size, cells)


def _check_model(name: str, model: RecurrentLanguageModel, vocab_size: int, cells: tuple[str, ...]) -> None:
    config = model.config
    if config.cell not in cells:
        raise ValueError(f"{name} is made of {config.cell} cells; this widget shows {' or '.join(cells)}")
    if config.layers != 1:
        raise ValueError(f"{name} has {config.layers} layers; this widget shows one: give a model of 1")
    if config.vocab_size != vocab_size:
        raise ValueError(
            f"{name} knows {config.vocab_size} characters, but the vocabulary has {vocab_size}: give its own"
        )
    check_finite(name, model)
