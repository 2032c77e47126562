"""GPT-2 (Radford et al. 2019) as our GPT.

Its linear layers are written as convolutions of width 1, whose matrices lie the other way round, inputs
first; and query, key and value are one matrix, side by side. Both are undone here.

A text has no padding: ours reads from the first token on. Greedy text is that of their `generate`.

Left out: dropout of attention weights, and another share for what the first block gets, which are of
training alone; GPT-2s for other tasks than the next token.
"""

from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.hub.from_hf.shared import activation, opened, tied

WORDS = {  # what stands in our name → theirs, replaced from the first to the last
    "blocks.": "transformer.h.",
    "token.": "transformer.wte.",
    "positions.table.": "transformer.wpe.",
    "attention.norm.": "ln_1.",
    "attention.sublayer.output.": "attn.c_proj.",
    "attention.sublayer.": "attn.",
    "feed_forward.norm.": "ln_2.",
    "feed_forward.sublayer.inner.": "mlp.c_fc.",
    "feed_forward.sublayer.output.": "mlp.c_proj.",
    "norm.": "transformer.ln_f.",
}
# their field → the only value that ours has
FIXED = {
    "add_cross_attention": False,
    "layer_norm_epsilon": 1e-5,
    "reorder_and_upcast_attn": False,
    "scale_attn_by_inverse_layer_idx": False,
    "scale_attn_weights": True,
}


def _gpt2(model):
    return opened(GPT, _configuration(model.config), _unfolded(tied(model).state_dict()), WORDS)


FAMILIES = {"GPT2LMHeadModel": _gpt2}


def _configuration(theirs):
    """Our GPTConfig of theirs; ValueError naming what ours cannot do."""
    c = theirs
    for name, value in (FIXED | {"n_inner": 4 * c.n_embd}).items():
        found = getattr(c, name, None)
        if found not in (None, value):  # None: not said, or a version that cannot say it
            raise ValueError(f"{name} is {found}, but ours knows only {value}: give a model with that")
    sizes = {"context": c.n_positions, "layers": c.n_layer, "heads": c.n_head, "width": c.n_embd}
    return GPTConfig(
        c.vocab_size, dropout=c.resid_pdrop, activation=activation(c.activation_function), **sizes
    )


def _unfolded(weights):
    """Theirs with matrices (outputs, inputs), and query, key and value each by itself."""
    found = {}
    for name, weight in weights.items():
        weight = weight.T.contiguous() if ".c_" in name and weight.dim() == 2 else weight
        if ".c_attn." in name:
            for part, rows in zip(("query", "key", "value"), weight.chunk(3), strict=True):
                found[name.replace("c_attn", part)] = rows
        else:
            found[name] = weight
    return found
