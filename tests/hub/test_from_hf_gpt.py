"""vec2gpt.hub.from_hf.gpt: ours computes and says what GPT2LMHeadModel of `transformers` does."""

import pytest
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Model

from vec2gpt.decoding import generate
from vec2gpt.gpt import GPT
from vec2gpt.hub import checkpoints, from_hf

V, CONTEXT, WIDTH = 11, 13, 15
SIZES = {
    "vocab_size": V,
    "n_positions": CONTEXT,
    "n_embd": WIDTH,
    "n_layer": 3,
    "n_head": 3,
    "bos_token_id": None,
    "eos_token_id": None,
    "initializer_range": 0.3,
}


def theirs(**other):
    """Of random weights, in float64, in evaluation mode; no bias is 0, no norm does nothing."""
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**SIZES | other)).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight += 0.3 * torch.randn_like(weight)
    return model


def some(length, rows=3):
    return torch.randint(V, (rows, length), generator=torch.Generator().manual_seed(1))


STYLES = [
    {},
    {"n_embd": 7, "n_head": 1, "n_layer": 1},
    {"n_embd": 10, "n_head": 5, "n_layer": 5, "n_inner": 40},
    *({"activation_function": name} for name in ("relu", "gelu", "gelu_pytorch_tanh", "silu")),
]


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_logits_are_theirs_at_every_length(style):
    model = theirs(**style)
    ours = from_hf(model)
    assert type(ours) is GPT and not ours.training
    for length in (1, 2, 8, CONTEXT):
        ids = some(length)
        expected, (logits, _) = model(ids).logits, ours(ids)
        torch.testing.assert_close(logits, expected, atol=1e-9, rtol=0)
        first, cache = ours.read(ids[:, : length // 2 + 1], ours.initial(3))
        rest = ids[:, length // 2 + 1 :]
        parts = [first, *([ours.read(rest, cache)[0]] if rest.numel() else [])]
        torch.testing.assert_close(torch.cat(parts, 1), expected, atol=1e-9, rtol=0)
    single, _ = from_hf(model.float())(ids)
    torch.testing.assert_close(single, expected.float(), atol=1e-4 * expected.abs().max().item(), rtol=0)


def loss_of(model, ids):
    """By hand: theirs is computed in float32, whatever the model is."""
    return F.cross_entropy(model(ids[:, :-1]).logits.flatten(0, 1), ids[:, 1:].flatten())


def test_loss_and_gradients_are_theirs():
    model, ids = theirs(), some(CONTEXT)
    ours = from_hf(model)
    _, loss = ours(ids[:, :-1], ids[:, 1:])
    expected = loss_of(model, ids)
    torch.testing.assert_close(loss, expected, atol=1e-9, rtol=0)
    loss.backward()
    expected.backward()
    query, _, value = model.transformer.h[1].attn.c_attn.weight.grad.T.chunk(3)
    looks = ours.blocks[1].attention.sublayer
    torch.testing.assert_close(ours.token.weight.grad, model.transformer.wte.weight.grad, atol=1e-9, rtol=0)
    torch.testing.assert_close(looks.query.weight.grad, query, atol=1e-9, rtol=0)
    torch.testing.assert_close(looks.value.weight.grad, value, atol=1e-9, rtol=0)


@pytest.mark.parametrize("length", [1, 4])
def test_greedy_text_is_theirs_token_by_token(length):
    model, ids = theirs(initializer_range=1.0), some(length, rows=8)
    with torch.no_grad():  # or each says again what it has read, or all the same
        table = model.transformer.wte.weight.normal_(std=0.3)
        table -= table.mean(0)
        model.transformer.ln_f.bias.zero_()
    expected = model.generate(ids, max_new_tokens=CONTEXT - length, do_sample=False, use_cache=True)
    written = generate(from_hf(model), ids, CONTEXT - length, top_k=1)
    assert written.tolist() == expected[:, length:].tolist()
    assert len({tuple(row) for row in written.tolist()}) > 2 and len(written.unique()) > 2


def test_the_weights_are_copies_the_mode_is_kept_and_no_chance_is_drawn():
    model = theirs(resid_pdrop=0.25).train()
    before = torch.get_rng_state()
    ours = from_hf(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert ours.training and ours.config.dropout == 0.25
    assert all(weight.is_contiguous() for weight in ours.parameters())
    with torch.no_grad():
        for weight in ours.parameters():
            weight.zero_()
    assert all(weight.any() for weight in model.parameters())


def test_it_can_be_kept_as_a_checkpoint(tmp_path):
    ours, ids = from_hf(theirs().float()), some(5)
    card = checkpoints.save(ours, tmp_path / "theirs", vocabs={}, seed=0, steps=1, data="", metrics={})
    again = checkpoints.load(card.with_suffix("")).model
    torch.testing.assert_close(F.softmax(again(ids)[0], -1), F.softmax(ours(ids)[0], -1), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True, but ours"),
        ({"scale_attn_weights": False}, "scale_attn_weights is False, but ours knows only True"),
        ({"reorder_and_upcast_attn": True}, "reorder_and_upcast_attn is True, but ours knows only False"),
        ({"add_cross_attention": True}, "add_cross_attention is True, but ours knows only False"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon is 1e-06, but ours knows only 1e-05"),
        ({"n_inner": 20}, "n_inner is 20, but ours knows only 60"),
        ({"activation_function": "tanh"}, "the activation 'tanh' has no equal here: give one of relu, gelu"),
        ({"tie_word_embeddings": False}, "input and output have a table each, .* tie_word_embeddings=True"),
    ],
    ids=str,
)
def test_what_ours_cannot_do_is_refused_by_name(other, message):
    with pytest.raises(ValueError, match=message):
        from_hf(theirs(**other))


def test_a_gpt_2_without_its_output_is_refused():
    with pytest.raises(ValueError, match=r"GPT2Model has no equal here: give one of .*GPT2LMHeadModel"):
        from_hf(GPT2Model(GPT2Config(**SIZES)))
