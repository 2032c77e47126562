"""vec2gpt.sizes: what is counted by formula is what models hold, ours and those of transformers."""

import pytest
import torch

from vec2gpt.bert import Bert, BertConfig, MaskedLM, Pretraining
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.sizes import (
    BERT_BASE,
    BERT_LARGE,
    DISTILBERT,
    GPT_SIZES,
    MINILM_L6,
    SIZES,
    block,
    gpt_parameters,
    parameters,
)


def numbers(model):
    return sum(weight.numel() for weight in model.parameters())


ODD = BertConfig(37, context=11, width=12, heads=3, inner=7, layers=3)
OTHERS = [
    {},
    {"factors": 5},
    {"shared": True},
    {"factors": 5, "shared": True},
    {"segments": 0},
    {"segments": 3},
]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    ("model", "heads"), [(Bert, ()), (MaskedLM, ("gaps",)), (Pretraining, ("gaps", "pooler", "pairs"))]
)
def test_the_formula_counts_our_models(model, heads, other):
    config = BertConfig(**ODD.__dict__ | other)
    assert sum(parameters(config, heads=heads).values()) == numbers(model(config))


@pytest.mark.parametrize("name", SIZES)
def test_the_formula_counts_what_was_published(name):
    """Our model of that size on the meta device, with the pooler of the papers."""
    size = SIZES[name]
    with torch.device("meta"):
        model = Pretraining(size.config)
    pooler = numbers(model.pooler) if size.heads else 0
    assert size.counted() == numbers(model.bert) + pooler


@pytest.mark.slow
def test_the_formula_counts_the_models_of_transformers():
    transformers = pytest.importorskip("transformers")

    def theirs(kind, size, **other):
        c = size.config
        config = transformers.AutoConfig.for_model(
            kind,
            vocab_size=c.vocab_size,
            hidden_size=c.width,
            num_hidden_layers=c.layers,
            num_attention_heads=c.heads,
            intermediate_size=c.inner,
            max_position_embeddings=c.context,
            **other,
        )
        with torch.device("meta"):
            return numbers(transformers.AutoModel.from_config(config))

    assert theirs("bert", BERT_BASE) == BERT_BASE.counted() == 109_482_240
    assert theirs("bert", BERT_LARGE) == BERT_LARGE.counted() == 335_141_888
    assert theirs("bert", MINILM_L6) == MINILM_L6.counted()
    distil = theirs("distilbert", DISTILBERT, dim=768, hidden_dim=3072, n_layers=6, n_heads=12)
    assert distil == DISTILBERT.counted()
    roberta = theirs("roberta", SIZES["RoBERTa base"], type_vocab_size=1, pad_token_id=1)
    assert roberta == SIZES["RoBERTa base"].counted()
    for name, size in SIZES.items():
        if name.startswith("ALBERT"):
            assert theirs("albert", size, embedding_size=128) == size.counted()


@pytest.mark.parametrize("name", SIZES)
def test_the_published_figure_is_near(name):
    """Within 6%: papers round, and ALBERT's xxlarge is said to be larger than its own numbers make it."""
    size = SIZES[name]
    assert size.counted() / 1e6 == pytest.approx(size.said, rel=0.06)


def test_a_part_counted_by_hand():
    base = BERT_BASE.config
    assert block(base) == {"attention": 2_362_368, "feed-forward": 4_722_432, "norms": 3_072}
    parts = parameters(base, heads=BERT_BASE.heads)
    assert parts["tokens"] == 30_522 * 768 == 23_440_896
    assert parts["attention"] == 12 * 2_362_368 and parts["pooler"] == 590_592
    assert parts["widening"] == 0


def test_what_albert_saves():
    base, albert = BERT_BASE.config, SIZES["ALBERT base"].config
    whole, small = parameters(base), parameters(albert)
    assert whole["feed-forward"] == 12 * small["feed-forward"]
    assert small["tokens"] + small["widening"] == 30_000 * 128 + 128 * 768 + 768


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="head is 'tail': choose one of gaps, pooler, pairs"):
        parameters(ODD, heads=["tail"])


# ---- GPT ----

GPT_STYLES = [
    {},
    {"positions": "rotary"},
    {"positions": "sinusoidal"},
    {"norm": "rms"},
    {"norm": "none"},
    {"feed_forward": "gated"},
    {"groups": 1},
    {"experts": 5, "active": 2},
    TODAY,
    TODAY | {"experts": 3, "active": 1},
]


@pytest.mark.parametrize("style", GPT_STYLES, ids=str)
def test_the_formula_counts_our_gpts(style):
    config = GPTConfig(37, context=11, width=20, heads=2, layers=3, **style)
    with torch.device("meta"):
        model = GPT(config)
    assert sum(gpt_parameters(config).values()) == numbers(model)


@pytest.mark.parametrize("name", GPT_SIZES)
def test_the_formula_counts_the_gpts_that_were_published(name):
    size = GPT_SIZES[name]
    with torch.device("meta"):
        model = GPT(size.config)
    left_out = numbers(model.norm) if size.without else 0
    assert size.counted() == numbers(model) - left_out
    assert size.counted() / 1e6 == pytest.approx(size.said, rel=0.07)


@pytest.mark.slow
def test_the_formula_counts_the_gpts_of_transformers():
    transformers = pytest.importorskip("transformers")
    counted = {}
    for name, size in GPT_SIZES.items():
        c = size.config
        kind = "openai-gpt" if name == "GPT-1" else "gpt2"
        sizes = {"vocab_size": c.vocab_size, "n_positions": c.context, "n_embd": c.width}
        config = transformers.AutoConfig.for_model(kind, **sizes, n_layer=c.layers, n_head=c.heads)
        with torch.device("meta"):
            counted[name] = numbers(transformers.AutoModel.from_config(config))
    assert counted == {name: size.counted() for name, size in GPT_SIZES.items()}


def test_the_gpts_are_as_large_as_they_are():
    counted = {name: size.counted() for name, size in GPT_SIZES.items()}
    assert counted["GPT-1"] == 116_534_784
    assert counted["GPT-2 small"] == 124_439_808
    assert counted["GPT-2 XL"] == 1_557_611_200
    assert counted["GPT-3"] == 174_604_259_328
    assert GPT_SIZES["GPT-1"].parts()["last norm"] == 0
    assert GPT_SIZES["GPT-2 small"].parts()["feed-forward"] == 12 * block(BERT_BASE.config)["feed-forward"]
