"""Translators that others trained: Marian and BART as our Transformer.

Marian (Junczys-Dowmunt et al. 2018; the OPUS-MT models of Tiedemann & Thottingal 2020) is the Transformer of
the paper with swish for relu; BART (Lewis et al. 2020) learns its positions, and normalises what its first
blocks get.

A source is padded with `config.pad`, which is their attention_mask; `config.bos` is what their decoder starts
with, Marian's from pad, BART's from eos. Where source, target and output share one table, so they do here;
where only two of them do, ours are copies.

Greedy text is that of their `generate(num_beams=1)`; what a generation_config forces or forbids has to be
asked for, see `forbid`. A beam at alpha=0 finds their best text at length_penalty=0.0 where no text that had
ended lost its slot; theirs keeps such texts in a pool of their own, so that others are differently ranked,
and at other length penalties even the best text may differ.

Left out: dropout of attention weights and inside the feed-forward, and whole layers that are dropped, all of
which are of training alone.
"""

import torch

from vec2gpt.checks import check_ids
from vec2gpt.hub.from_hf.shared import activation, opened
from vec2gpt.transformer import Transformer, TransformerConfig

# what stands in a weight's name → their word for it, replaced from the first to the last
WORDS = {
    "encoder.": "encoder.layers.",
    "decoder.": "decoder.layers.",
    "source.positions.table.": "encoder.embed_positions.",
    "target.positions.table.": "decoder.embed_positions.",
    "source.table.": "encoder.embed_tokens.",
    "target.table.": "decoder.embed_tokens.",
    "source.norm.": "encoder.layernorm_embedding.",
    "target.norm.": "decoder.layernorm_embedding.",
    "attention.sublayer.": "self_attn.",
    "attention.norm.": "self_attn_layer_norm.",
    "cross.sublayer.": "encoder_attn.",
    "cross.norm.": "encoder_attn_layer_norm.",
    "feed_forward.sublayer.inner.": "fc1.",
    "feed_forward.sublayer.output.": "fc2.",
    "feed_forward.norm.": "final_layer_norm.",
    "query.": "q_proj.",
    "key.": "k_proj.",
    "value.": "v_proj.",
    "output.": "out_proj.",
}


def forbid(step, *ids):
    """A `step` as `decoding` and `search` want it, whose model never says any of these ids.

    Marian's weights know no padding, and transformers gave it the logit 0, which is often the highest:
    OPUS-MT models have to be kept from saying it, before probabilities are made of logits.

        greedy(forbid(model.step, model.config.pad), *model.start(source_ids), eos=model.config.eos, limit=99)
    """
    never = torch.tensor([ids])  # (1, N), where to look at it makes no GPU wait

    def allowed(tokens, state):
        logits, state = step(tokens, state)
        check_ids(never, logits.shape[-1], name="forbidden ids")
        return logits.index_fill(-1, never[0].to(logits.device), -torch.inf), state

    return allowed


# ---- families ----


def _marian(model):
    ours = _transformer(model, _config(model))
    for side in (ours.source, ours.target):  # the paper's sinusoids, all sines before all cosines
        side.positions.requires_grad_(False)
    return ours


def _bart(model):
    return _transformer(model, _config(model, embedding_norm=True), offset=2)


FAMILIES = {"MarianMTModel": _marian, "BartForConditionalGeneration": _bart}

# ---- what they share ----


def _config(model, **other):
    """Our configuration of theirs; `other` is what makes the family."""
    c, (source, target, head) = model.config, _tables(model)
    return TransformerConfig(
        source_vocab=len(source),
        target_vocab=len(target),
        context=c.max_position_embeddings,
        width=c.d_model,
        heads=_both(c, "attention_heads"),
        inner=_both(c, "ffn_dim"),
        encoder_layers=c.encoder_layers,
        decoder_layers=c.decoder_layers,
        positions="learned",
        residual="post",
        activation=activation(c.activation_function),
        scaled=c.scale_embedding,
        tied=source is target is head,
        pad=c.pad_token_id,
        bos=c.decoder_start_token_id,
        eos=c.eos_token_id,
        dropout=c.dropout,
        **other,
    )


def _tables(model):
    """The vectors of the source's tokens, of the target's, and of the output; they may be the same ones."""
    source, target = model.model.encoder.embed_tokens.weight, model.model.decoder.embed_tokens.weight
    if len(target) != len(model.lm_head.weight):
        raise ValueError(
            f"the decoder reads {len(target)} tokens and writes {len(model.lm_head.weight)}: "
            "give a model with one vocabulary for both"
        )
    return source, target, model.lm_head.weight


def _transformer(model, config, *, offset=0):
    """Our model with copies of the weights; their table of positions begins with `offset` rows of no use."""
    theirs = dict(model.model.state_dict())
    for side in ("encoder", "decoder"):
        theirs[f"{side}.embed_positions.weight"] = theirs[f"{side}.embed_positions.weight"][offset:]
    theirs |= {"head.weight": model.lm_head.weight, "head.bias": model.final_logits_bias[0]}
    ours = opened(Transformer, config, theirs, WORDS)
    if config.tied:  # each of the three was given a copy of its own
        ours.source.table.weight = ours.head.weight = ours.target.table.weight
    return ours


def _both(config, name):
    """What encoder and decoder have in common."""
    encoder, decoder = (getattr(config, f"{side}_{name}") for side in ("encoder", "decoder"))
    if encoder != decoder:
        raise ValueError(
            f"encoder_{name} is {encoder} and decoder_{name} {decoder}, but ours has one number for both: "
            "give a model where they are equal"
        )
    return encoder
