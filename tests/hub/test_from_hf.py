"""vec2gpt.hub.from_hf: ours computes and says what the models of `transformers` do."""

import doctest
import itertools
import subprocess
import sys

import pytest
import torch
from torch import nn
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    T5Config,
    T5ForConditionalGeneration,
)

from vec2gpt.decoding import greedy, until_end
from vec2gpt.hub import forbid, from_hf
from vec2gpt.hub.from_hf import shared
from vec2gpt.search import beam_search

PAD, EOS, LIMIT = 10, 0, 8
FAMILIES = {
    "Marian": (MarianMTModel, MarianConfig, {"decoder_start_token_id": PAD}),
    "BART": (BartForConditionalGeneration, BartConfig, {"decoder_start_token_id": EOS}),
}
SIZES = {
    "vocab_size": 11,
    "d_model": 15,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 7,
    "decoder_ffn_dim": 7,
    "max_position_embeddings": 12,
    "pad_token_id": PAD,
    "eos_token_id": EOS,
    "forced_eos_token_id": None,
    "init_std": 0.25,
    "attn_implementation": "eager",  # whose weights can be asked for
}
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, PAD, PAD, PAD], [5, 5, 4, EOS, PAD]])
IDS = torch.tensor([[PAD, 3, 4, 5], [EOS, 6, 7, PAD], [1, 3, 3, 3]])
every_family = pytest.mark.parametrize("family", FAMILIES)


def theirs(family, **other):
    """A model of random weights, in float64, in evaluation mode; no bias is 0, no norm does nothing."""
    kind, config, start = FAMILIES[family]
    torch.manual_seed(0)
    model = kind(config(**SIZES | start | other)).double().eval()
    with torch.no_grad():
        for weight in [*model.parameters(), model.final_logits_bias[0]]:
            if weight.dim() == 1:
                weight += 0.1 * torch.randn_like(weight)
    return model


def read(model, **other):
    with torch.no_grad():
        return model(input_ids=SOURCE, attention_mask=SOURCE != PAD, decoder_input_ids=IDS, **other)


# ---- what it computes ----

STYLES = [
    {"activation_function": bend, "scale_embedding": scaled}
    for bend, scaled in [
        *itertools.product(["swish", "gelu"], [True, False]),
        *itertools.product(["relu", "gelu_new", "gelu_pytorch_tanh", "silu"], [False]),
    ]
] + [
    {"tie_word_embeddings": False},
    {"d_model": 7, "encoder_attention_heads": 1, "decoder_attention_heads": 1, "encoder_layers": 5},
]
OWN_TABLES = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 13}  # Marian's alone
CASES = [
    *itertools.product(FAMILIES, STYLES),
    ("Marian", OWN_TABLES),
    ("Marian", OWN_TABLES | {"tie_word_embeddings": False}),
]


@pytest.mark.parametrize(("family", "style"), CASES, ids=str)
def test_logits_are_theirs(family, style):
    model = theirs(family, **style)
    logits, _ = from_hf(model)(SOURCE, IDS)
    torch.testing.assert_close(logits, read(model).logits, atol=1e-9, rtol=0)
    single, _ = from_hf(model.float())(SOURCE, IDS)
    torch.testing.assert_close(single, read(model).logits, atol=1e-4, rtol=0)


@every_family
def test_each_head_looks_where_theirs_does(family):
    model = theirs(family)
    looks, expected = from_hf(model).look(SOURCE, IDS), read(model, output_attentions=True)
    for mine, their in zip(
        looks,
        (expected.encoder_attentions, expected.decoder_attentions, expected.cross_attentions),
        strict=True,
    ):
        torch.testing.assert_close(mine, torch.stack(their, 1), atol=1e-9, rtol=0)


@every_family
def test_what_was_one_table_is_one_and_what_was_two_is_two(family):
    ours = from_hf(theirs(family))
    assert ours.config.tied and ours.source.table.weight is ours.target.table.weight is ours.head.weight
    ours = from_hf(theirs(family, tie_word_embeddings=False))
    assert not ours.config.tied and not torch.equal(ours.head.weight, ours.target.table.weight)


def test_what_marian_does_not_learn_is_not_learned_here():
    for family, frozen in (("Marian", 2), ("BART", 0)):
        assert sum(not weight.requires_grad for weight in from_hf(theirs(family)).parameters()) == frozen


@every_family
def test_the_weights_are_copies_the_mode_is_kept_and_no_chance_is_drawn(family):
    model = theirs(family, dropout=0.25)
    before = torch.get_rng_state()
    ours = from_hf(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert not ours.training and from_hf(model.train()).training and ours.config.dropout == 0.25
    with torch.no_grad():
        for weight in ours.parameters():
            weight.zero_()
    assert all(weight.any() for weight in [*model.parameters(), model.final_logits_bias])


def test_the_device_is_kept():
    ours = from_hf(theirs("BART").to("meta"))
    assert {(weight.device.type, weight.dtype) for weight in ours.parameters()} == {("meta", torch.double)}


# ---- what it says ----

TEXTS = torch.randint(1, PAD, (16, 5), generator=torch.Generator().manual_seed(1))
TEXTS[::2, 3:] = PAD
ENDING = {"Marian": 1.0, "BART": 6.0}  # an end so likely that some texts come to it, and others do not


def speaking(family, *, eos=None):
    """A model whose text depends on its source, and ours."""
    model = theirs(family, scale_embedding=True, tie_word_embeddings=False)
    model.lm_head.weight.data *= 4
    model.final_logits_bias[0, EOS] = ENDING[family] if eos is None else eos
    return model, from_hf(model)


def said(model, **options):
    """What their model writes, up to its end."""
    options |= {"attention_mask": TEXTS != PAD, "max_new_tokens": LIMIT, "do_sample": False}
    return until_end(model.generate(input_ids=TEXTS, **options)[:, 1:], eos=EOS)


def beam(step, ours, *, width=3, alpha=0.0):
    return beam_search(step, *ours.start(TEXTS), eos=EOS, width=width, limit=LIMIT, alpha=alpha)


def lost(trace):
    """Whether in each row some text lost its slot after its end: (B,)."""
    slots = torch.arange(trace.parent.shape[2])
    kept = (trace.parent[:, 1:, :, None] == slots).any(2)  # (B, T − 1, K)
    texts = trace.ended & (trace.log_p > -torch.inf)
    return (texts[:, :-1] & ~kept).any(2).any(1)


def assert_best(found, best):
    """The first of each row is theirs where no text lost its slot, as in half of the rows at least."""
    comparable = ~lost(found.trace)
    assert comparable.float().mean() >= 0.5
    for ours, theirs, must in zip(until_end(found.ids[:, 0], eos=EOS), best, comparable, strict=True):
        assert ours == theirs or not must


@every_family
def test_greedy_says_what_theirs_does(family):
    model, ours = speaking(family)
    mine = until_end(greedy(ours.step, *ours.start(TEXTS), eos=EOS, limit=LIMIT), eos=EOS)
    assert mine == said(model)
    assert len({len(text) for text in mine}) > 2


@pytest.mark.parametrize("early_stopping", [False, "never"])
@every_family
def test_at_alpha_0_a_beam_finds_their_best_where_no_text_lost_its_slot(family, early_stopping):
    model, ours = speaking(family)
    best = said(model, num_beams=3, length_penalty=0.0, early_stopping=early_stopping)
    assert len({len(text) for text in best}) > 2
    assert_best(beam(ours.step, ours), best)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@every_family
def test_where_no_text_ends_all_of_a_beam_is_theirs(family, alpha):
    model, ours = speaking(family, eos=-1e4)
    found = beam(ours.step, ours, width=4, alpha=alpha)
    best = said(model, num_beams=4, num_return_sequences=4, length_penalty=alpha)
    assert until_end(found.ids.flatten(0, 1), eos=EOS) == best


@pytest.mark.parametrize("width", [1, 3])
def test_what_is_forbidden_is_not_said_and_its_probability_goes_to_the_others(width):
    model, _ = speaking("Marian")
    model.final_logits_bias[0, PAD] = 3.0
    ours = from_hf(model)
    assert PAD in beam(ours.step, ours, width=width).ids
    found = beam(forbid(ours.step, PAD), ours, width=width)
    assert PAD not in found.ids
    options = {"num_beams": width, "length_penalty": 0.0} if width > 1 else {}
    assert_best(found, said(model, bad_words_ids=[[PAD]], renormalize_logits=True, **options))


def test_an_id_that_the_model_cannot_say_need_not_be_forbidden():
    ours = from_hf(theirs("Marian"))
    with pytest.raises(ValueError, match=r"forbidden ids hold 11, but the model knows the ids 0 … 10"):
        greedy(forbid(ours.step, PAD, 11), *ours.start(TEXTS), eos=EOS, limit=LIMIT)


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"decoder_attention_heads": 5},
            "encoder_attention_heads is 3 and decoder_attention_heads 5, but ours",
        ),
        ({"encoder_ffn_dim": 8}, "encoder_ffn_dim is 8 and decoder_ffn_dim 7, but ours has one number"),
        ({"activation_function": "tanh"}, "the activation 'tanh' has no equal here: give one of relu, gelu"),
        ({"eos_token_id": [0, 1]}, r"eos is \[0, 1\], but the target vocabulary has the ids 0 … 10"),
        (
            {"decoder_vocab_size": 13, "tie_word_embeddings": False},
            "the decoder reads 13 tokens and writes 11: give a model",
        ),
    ],
    ids=str,
)
def test_a_part_without_an_equal_is_named(other, message):
    with pytest.raises(ValueError, match=message):
        from_hf(theirs("Marian", **other))


def test_another_model_is_refused_by_its_name():
    t5 = T5ForConditionalGeneration(
        T5Config(vocab_size=9, d_model=4, d_kv=2, d_ff=3, num_layers=1, num_heads=2)
    )
    message = "has no equal here: give one of MarianMTModel, BartForConditionalGeneration"
    for other in (t5, theirs("BART").model, nn.Linear(2, 2)):
        with pytest.raises(ValueError, match=f"{type(other).__name__} {message}"):
            from_hf(other)


@pytest.mark.slow
def test_transformers_is_not_needed():
    ask = "import sys, vec2gpt.hub; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ask]).returncode == 0


def test_the_example_of_the_docstring_is_true():
    failed, tried = doctest.testmod(shared)
    assert (failed, tried > 0) == (0, True)
