"""vec2gpt.hub.from_hf.t5: ours computes and says what T5ForConditionalGeneration of `transformers` does."""

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5LayerNorm

from vec2gpt.decoding import greedy, until_end
from vec2gpt.hub import from_hf
from vec2gpt.search import beam_search
from vec2gpt.t5 import T5

PAD, EOS, LIMIT = 0, 1, 8
SIZES = {
    "vocab_size": 11,
    "d_model": 15,
    "d_kv": 4,  # so that heads · d_kv is not d_model
    "d_ff": 7,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 9,
    "pad_token_id": PAD,
    "eos_token_id": EOS,
    "decoder_start_token_id": PAD,
    "attn_implementation": "eager",  # whose weights can be asked for
}
LONG = torch.randint(2, 11, (3, 24), generator=torch.Generator().manual_seed(2))
LONG[1, 5:] = LONG[2, 20:] = PAD
IDS = torch.randint(0, 11, (3, 21), generator=torch.Generator().manual_seed(3))


@pytest.fixture(autouse=True)
def _norms_of_full_precision(monkeypatch):
    """Theirs square in float32 even where all else is float64."""

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    monkeypatch.setattr(T5LayerNorm, "forward", forward)


def theirs(**other):
    """Of random weights, in float64, in evaluation mode; no norm does nothing, and places matter."""
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(T5Config(**SIZES | other)).double().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1 or "relative" in name:
                weight += 0.5 * torch.randn_like(weight)
            elif "shared" not in name:
                weight *= 2
    return model


def untied(**other):
    """As v1.1 was published: an output of its own, undivided."""
    model = theirs(feed_forward_proj="gated-gelu", tie_word_embeddings=False, **other)
    model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    return model


def read(model, **other):
    with torch.no_grad():
        return model(input_ids=LONG, attention_mask=LONG != PAD, decoder_input_ids=IDS, **other)


STYLES = [
    {},
    {"feed_forward_proj": "gated-gelu"},
    {"feed_forward_proj": "gated-silu"},
    {"feed_forward_proj": "gelu", "layer_norm_epsilon": 0.1},
    {"tie_word_embeddings": False},
    {"d_model": 7, "num_heads": 1, "d_kv": 7, "num_layers": 5, "num_decoder_layers": 1},
    {"relative_attention_num_buckets": 32, "relative_attention_max_distance": 128},
    {"relative_attention_num_buckets": 6, "relative_attention_max_distance": 17},
]


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_logits_are_theirs(style):
    model = theirs(**style)
    ours = from_hf(model)
    logits, _ = ours(LONG, IDS)
    assert type(ours) is T5 and not ours.training
    torch.testing.assert_close(logits, read(model).logits, atol=1e-9, rtol=0)
    single, _ = from_hf(model.float())(LONG, IDS)
    torch.testing.assert_close(single, read(model).logits, atol=2e-4, rtol=1e-4)


def test_an_output_of_its_own_is_kept():
    model = untied()
    ours = from_hf(model)
    assert not ours.config.tied and not ours.config.divided
    torch.testing.assert_close(ours(LONG, IDS)[0], read(model).logits, atol=1e-9, rtol=0)


def test_what_was_one_table_is_one():
    ours = from_hf(theirs())
    assert ours.config.tied and ours.source.table.weight is ours.target.table.weight is ours.head.weight


def test_read_in_parts_it_is_the_same():
    model = theirs()
    ours, expected = from_hf(model), read(model).logits
    state, parts = ours.encode(LONG), []
    for part in IDS.split([1, 7, 1, 12], 1):
        logits, state = ours.read(part, state)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), expected, atol=1e-9, rtol=0)


def test_each_head_looks_where_theirs_does():
    model = theirs()
    looks, expected = from_hf(model).look(LONG, IDS), read(model, output_attentions=True)
    for mine, their in zip(
        looks,
        (expected.encoder_attentions, expected.decoder_attentions, expected.cross_attentions),
        strict=True,
    ):
        torch.testing.assert_close(mine, torch.stack(their, 1), atol=1e-9, rtol=0)


def test_the_weights_are_copies_the_mode_is_kept_and_no_chance_is_drawn():
    model = theirs(dropout_rate=0.25)
    before = torch.get_rng_state()
    ours = from_hf(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert from_hf(model.train()).training and ours.config.dropout == 0.25
    with torch.no_grad():
        for weight in ours.parameters():
            weight.zero_()
    assert all(weight.any() for weight in model.parameters())


# ---- what it says ----

TEXTS = torch.randint(2, 11, (16, 5), generator=torch.Generator().manual_seed(1))
TEXTS[::2, 3:] = PAD


def speaking(*, eos=0.7):
    """A model whose text depends on its source, and ours; eos: how large the end's vector is.

    Their cache has room for as many layers as the encoder has, so that the decoder must not have more.
    """
    model = untied(num_layers=3)
    model.lm_head.weight.data *= 1.5
    model.lm_head.weight.data[EOS] *= eos
    return model, from_hf(model)


def said(model, **options):
    """What their model writes, up to its end."""
    options |= {"attention_mask": TEXTS != PAD, "max_new_tokens": LIMIT, "do_sample": False}
    return until_end(model.generate(input_ids=TEXTS, **options)[:, 1:], eos=EOS)


def test_greedy_says_what_theirs_does():
    model, ours = speaking()
    mine = until_end(greedy(ours.step, *ours.start(TEXTS), eos=EOS, limit=LIMIT), eos=EOS)
    assert mine == said(model)
    assert len({tuple(text) for text in mine}) > 2


def test_where_no_text_ends_all_of_a_beam_is_theirs():
    model, ours = speaking()

    def endless(tokens, state):
        logits, state = ours.step(tokens, state)
        return logits.index_fill(-1, torch.tensor([EOS]), -1e4), state

    found = beam_search(endless, *ours.start(TEXTS), eos=EOS, width=4, limit=LIMIT, alpha=0.6)
    options = {"num_beams": 4, "num_return_sequences": 4, "length_penalty": 0.6}
    best = said(model, suppress_tokens=[EOS], renormalize_logits=True, **options)
    assert until_end(found.ids.flatten(0, 1), eos=EOS) == best


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"feed_forward_proj": "tanh"}, "the activation 'tanh' has no equal here: give one of relu, gelu"),
        ({"eos_token_id": [0, 1]}, r"eos is \[0, 1\], but the target vocabulary has the ids 0 … 10"),
    ],
    ids=str,
)
def test_a_part_without_an_equal_is_named(other, message):
    with pytest.raises(ValueError, match=message):
        from_hf(theirs(**other))
