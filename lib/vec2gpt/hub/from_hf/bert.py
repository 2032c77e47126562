"""What reads from both sides: BERT, RoBERTa, DistilBERT and ALBERT as our Bert and its heads.

BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019) are one network; RoBERTa's table of places begins with
rows that no token uses, which are cut off here. DistilBERT (Sanh et al. 2019) has no segments. ALBERT (Lan et
al. 2020) has narrow vectors of tokens, and one block for all layers.

A text is padded behind its end with `config.pad`, which is their attention_mask. What a model makes of
padding means nothing, and ours may differ from theirs there.

Left out: the pooler of a model without the task of pairs, for which ours has no place; dropout of attention
weights and inside heads, which is of training alone.
"""

from dataclasses import replace
from functools import partial

from vec2gpt.bert import Bert, BertConfig, MaskedLM, Pretraining
from vec2gpt.hub.from_hf.shared import activation, opened, tied

# ---- their words for our weights: what stands in our name → theirs, replaced from the first to the last ----

EMBEDDING = {
    "embedding.token.": "embeddings.word_embeddings.",
    "embedding.position.": "embeddings.position_embeddings.",
    "embedding.segment.": "embeddings.token_type_embeddings.",
    "embedding.norm.": "embeddings.LayerNorm.",
}
BLOCKS = EMBEDDING | {
    "blocks.": "encoder.layer.",
    "attention.sublayer.output.": "attention.output.dense.",
    "attention.sublayer.": "attention.self.",
    "attention.norm.": "attention.output.LayerNorm.",
    "feed_forward.sublayer.inner.": "intermediate.dense.",
    "feed_forward.sublayer.output.": "output.dense.",
    "feed_forward.norm.": "output.LayerNorm.",
}
BERT = BLOCKS | {
    "head.linear.": "cls.predictions.transform.dense.",
    "head.norm.": "cls.predictions.transform.LayerNorm.",
    "head.bias": "cls.predictions.decoder.bias",
    "pooler.": "bert.pooler.dense.",
    "pair.": "cls.seq_relationship.",
}
ROBERTA = BLOCKS | {
    "head.linear.": "lm_head.dense.",
    "head.norm.": "lm_head.layer_norm.",
    "head.bias": "lm_head.decoder.bias",
    "bert.": "roberta.",
}
DISTILBERT = EMBEDDING | {
    "blocks.": "transformer.layer.",
    "attention.sublayer.query.": "attention.q_lin.",
    "attention.sublayer.key.": "attention.k_lin.",
    "attention.sublayer.value.": "attention.v_lin.",
    "attention.sublayer.output.": "attention.out_lin.",
    "attention.norm.": "sa_layer_norm.",
    "feed_forward.sublayer.inner.": "ffn.lin1.",
    "feed_forward.sublayer.output.": "ffn.lin2.",
    "feed_forward.norm.": "output_layer_norm.",
    "head.linear.": "vocab_transform.",
    "head.norm.": "vocab_layer_norm.",
    "head.bias": "vocab_projector.bias",
    "bert.": "distilbert.",
}
ALBERT = EMBEDDING | {
    "embedding.up.": "encoder.embedding_hidden_mapping_in.",
    "blocks.0.": "encoder.albert_layer_groups.0.albert_layers.0.",
    "attention.sublayer.output.": "attention.dense.",
    "attention.sublayer.": "attention.",
    "attention.norm.": "attention.LayerNorm.",
    "feed_forward.sublayer.inner.": "ffn.",
    "feed_forward.sublayer.output.": "ffn_output.",
    "feed_forward.norm.": "full_layer_layer_norm.",
    "head.linear.": "predictions.dense.",
    "head.norm.": "predictions.LayerNorm.",
    "head.bias": "predictions.decoder.bias",
    "bert.": "albert.",
}

# our field → theirs
FIELDS = {
    "vocab_size": "vocab_size",
    "context": "max_position_embeddings",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "inner": "intermediate_size",
    "layers": "num_hidden_layers",
    "segments": "type_vocab_size",
    "pad": "pad_token_id",
    "dropout": "hidden_dropout_prob",
    "epsilon": "layer_norm_eps",
    "activation": "hidden_act",
}

# ---- families ----


def _bert(model, *, kind):
    return opened(kind, configuration(model.config), _weights(model, kind), BERT)


def _roberta(model, *, kind):
    c = model.config
    if kind is not Bert and c.hidden_act != "gelu":
        raise ValueError(
            f"hidden_act is {c.hidden_act!r}, but RoBERTa's head has gelu whatever its blocks have, and ours "
            "has one for both: give a model with gelu"
        )
    config = configuration(c)
    unused = config.pad + 1  # padding stands at the place of its own id, the first token behind that
    config = replace(config, context=config.context - unused)
    weights = {
        name: weight[unused:] if name.endswith("position_embeddings.weight") else weight
        for name, weight in _weights(model, kind).items()
    }
    return opened(kind, config, weights, ROBERTA)


def _distilbert(model, *, kind):
    c = model.config
    own = {"inner": c.hidden_dim, "segments": 0, "dropout": c.dropout, "epsilon": 1e-12}
    config = configuration(c, **own, activation=c.activation)
    return opened(kind, config, _weights(model, kind), DISTILBERT)


def _albert(model, *, kind):
    for name in ("num_hidden_groups", "inner_group_num"):
        if (count := getattr(model.config, name)) != 1:
            raise ValueError(f"{name} is {count}, but in ours one block is all layers: give a model with 1")
    config = configuration(model.config, factors=model.config.embedding_size, shared=True)
    return opened(kind, config, _weights(model, kind), ALBERT)


FAMILIES = {
    "BertModel": partial(_bert, kind=Bert),
    "BertForMaskedLM": partial(_bert, kind=MaskedLM),
    "BertForPreTraining": partial(_bert, kind=Pretraining),
    "RobertaModel": partial(_roberta, kind=Bert),
    "RobertaForMaskedLM": partial(_roberta, kind=MaskedLM),
    "DistilBertModel": partial(_distilbert, kind=Bert),
    "DistilBertForMaskedLM": partial(_distilbert, kind=MaskedLM),
    "AlbertModel": partial(_albert, kind=Bert),
    "AlbertForMaskedLM": partial(_albert, kind=MaskedLM),
}

# ---- what they share ----


def configuration(theirs, **own):
    """Our BertConfig of theirs; `own`: the fields that make the family, the activation by their name.

    ValueError for a decoder, and for places that are told in another way than by a table.
    """
    for name in ("is_decoder", "add_cross_attention"):
        if getattr(theirs, name, False):
            raise ValueError(f"{name} is True, but ours reads a whole text and nothing else: give an encoder")
    places = getattr(theirs, "position_embedding_type", "absolute")  # what older models could choose
    if places != "absolute":
        raise ValueError(
            f"position_embedding_type is {places!r}: give a model with 'absolute', the only one here"
        )
    fields = {ours: getattr(theirs, name) for ours, name in FIELDS.items() if ours not in own} | own
    return BertConfig(**fields | {"activation": activation(fields["activation"])})


def _weights(model, kind):
    """Theirs by their names; ValueError where the output has a table of its own."""
    return (model if kind is Bert else tied(model)).state_dict()
