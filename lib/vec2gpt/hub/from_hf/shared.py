"""What every family asks for: names of activations and weights, and a model made of them."""

import torch

OUR_ACTIVATIONS = {  # by their name
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu tanh",
    "gelu_pytorch_tanh": "gelu tanh",
    "silu": "swish",
    "swish": "swish",
}


def activation(name):
    """Our name of it; ValueError where there is none."""
    if name not in OUR_ACTIVATIONS:
        known = ", ".join(OUR_ACTIVATIONS)
        raise ValueError(f"the activation {name!r} has no equal here: give one of {known}")
    return OUR_ACTIVATIONS[name]


def renamed(name, words):
    """Their name of our weight; words: what stands in ours → their word, replaced from the first to the last.

    >>> renamed("blocks.0.norm.weight", {"blocks.": "layer.", "norm.": "LayerNorm."})
    'layer.0.LayerNorm.weight'
    """
    for ours, theirs in words.items():
        name = name.replace(ours, theirs)
    return name


def opened(kind, config, weights, words):
    """Our model of this kind with copies of weights, which have their names; words: as of `renamed`."""
    with torch.device("meta"):  # no weights yet, and no random numbers drawn for them
        ours = kind(config)
    copies = {name: weights[renamed(name, words)].detach().clone() for name in ours.state_dict()}
    ours.load_state_dict(copies, assign=True)
    return ours


def tied(model):
    """The model itself; ValueError where its output has another table than its input."""
    if model.get_output_embeddings().weight is not model.get_input_embeddings().weight:
        raise ValueError(
            "input and output have a table each, but in ours they share one: give a model with "
            "tie_word_embeddings=True"
        )
    return model
