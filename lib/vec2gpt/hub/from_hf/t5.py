"""T5 (Raffel et al. 2020) as our T5, v1.1 and FLAN-T5 (Chung et al. 2022) among them.

A source is padded with `config.pad`, which is their attention_mask. Theirs has no limit of a text's length;
ours has the context that the model was trained with, 512 where its configuration does not say. Their norms
compute in float32 even where the weights are float64; ours in what the weights are.

Greedy text is that of their `generate`. Left out: dropout of attention weights and inside the feed-forward,
which are of training alone; T5s for other tasks than text into text.
"""

from vec2gpt.hub.from_hf.shared import activation, opened
from vec2gpt.t5 import T5, T5Config

# what stands in our weight's name → theirs as `_listed` has it, replaced from the first to the last
WORDS = {
    "source.table.": "shared.",
    "target.table.": "shared.",
    "head.": "lm_head.",
    "encoder_bias.table.": "encoder.0.layer.0.SelfAttention.relative_attention_bias.",
    "decoder_bias.table.": "decoder.0.layer.0.SelfAttention.relative_attention_bias.",
    "encoded.": "encoder.final_layer_norm.",
    "decoded.": "decoder.final_layer_norm.",
    ".attention.norm.": ".layer.0.layer_norm.",
    ".attention.sublayer.": ".layer.0.SelfAttention.",
    ".cross.norm.": ".layer.1.layer_norm.",
    ".cross.sublayer.": ".layer.1.EncDecAttention.",
    ".feed_forward.norm.": ".last.layer_norm.",
    ".feed_forward.sublayer.output.": ".last.DenseReluDense.wo.",
    ".feed_forward.sublayer.gate.": ".last.DenseReluDense.wi_0.",
    ".query.": ".q.",
    ".key.": ".k.",
    ".value.": ".v.",
    ".output.": ".o.",
}


def _t5(model):
    config = _configuration(model)
    inner = "wi_1." if config.feed_forward == "gated" else "wi."
    words = WORDS | {".feed_forward.sublayer.inner.": f".last.DenseReluDense.{inner}"}
    return opened(T5, config, _listed(model.state_dict()), words).tie()


FAMILIES = {"T5ForConditionalGeneration": _t5}


def _configuration(model):
    """Our T5Config of theirs; ValueError naming what ours cannot do."""
    c = model.config
    start = c.pad_token_id if c.decoder_start_token_id is None else c.decoder_start_token_id
    return T5Config(
        c.vocab_size,
        context=getattr(c, "n_positions", 512),
        width=c.d_model,
        heads=c.num_heads,
        head_width=c.d_kv,
        inner=c.d_ff,
        encoder_layers=c.num_layers,
        decoder_layers=c.num_decoder_layers,
        buckets=c.relative_attention_num_buckets,
        farthest=c.relative_attention_max_distance,
        feed_forward="gated" if c.is_gated_act else "plain",
        activation=activation(c.dense_act_fn),
        tied=model.lm_head.weight is model.shared.weight,
        divided=getattr(c, "scale_decoder_outputs", c.tie_word_embeddings),  # older ones say it by that
        epsilon=c.layer_norm_epsilon,
        pad=c.pad_token_id,
        bos=start,
        eos=c.eos_token_id,
        dropout=c.dropout_rate,
    )


def _listed(weights):
    """Theirs, with blocks numbered as ours, and one name for the feed-forward, sublayer 1 or 2 of a block."""
    found = {}
    for name, weight in weights.items():
        last = 1 if name.startswith("encoder.") else 2
        found[name.replace(".block.", ".").replace(f".layer.{last}.", ".last.")] = weight
    return found
