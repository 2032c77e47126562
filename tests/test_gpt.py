import math

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export

from vec2gpt.decoding import continue_with
from vec2gpt.gpt import GPT, TODAY, GPTConfig

V, CONTEXT = 11, 64
CONFIG = GPTConfig(V, context=CONTEXT, layers=2, heads=2, width=16)


def gpt(config=CONFIG):
    torch.manual_seed(0)
    model = GPT(config).eval()
    for weight in model.parameters():  # far enough from the quiet start that mistakes show
        torch.nn.init.normal_(weight, std=0.4)
    return model


def test_a_later_token_never_changes_what_came_before():
    model, ids = gpt(), torch.randint(V, (2, 9))
    before, _ = model(ids)
    changed = ids.clone()
    changed[:, 5] = (changed[:, 5] + 1) % V
    after, _ = model(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert ((before - after)[:, 5:].abs().amax((0, 2)) > 1e-3).all()


def test_reading_with_a_cache_is_reading_at_once():
    model, ids = gpt(), torch.randint(V, (3, CONTEXT))
    whole, _ = model(ids)
    first, cache = model.read(ids[:, :10], model.initial(3))
    parts = [first]
    for t in range(10, CONTEXT):
        logits, cache = model.step(ids[:, t], cache)
        parts.append(logits[:, None])
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=0)
    assert cache.length.tolist() == [CONTEXT] * 3


STYLES = {
    "rotary": {"positions": "rotary"},
    "sinusoidal": {"positions": "sinusoidal"},
    "no places": {"positions": "none"},
    "rms": {"norm": "rms"},
    "gated": {"feed_forward": "gated", "activation": "swish"},
    "two groups": {"groups": 2},
    "one group": {"groups": 1},
    "experts": {"experts": 3, "active": 2},
    "one expert of three": {"experts": 3, "active": 1},
    "today": TODAY,
    "today, experts": TODAY | {"experts": 3},
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_every_style_reads_with_a_cache_as_at_once_and_never_sees_what_follows(style):
    model, ids = gpt(GPTConfig(V, context=9, layers=2, heads=4, width=16, **style)).double(), some(9)
    whole, _ = model(ids)
    first, cache = model.read(ids[:, :3], model.initial(2))
    parts = [first]
    for t in range(3, 9):
        logits, cache = model.step(ids[:, t], cache)
        parts.append(logits[:, None])
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-9, rtol=0)
    changed = ids.clone()
    changed[:, 5] = (changed[:, 5] + 1) % V
    after, _ = model(changed)
    torch.testing.assert_close(after[:, :5], whole[:, :5], atol=1e-9, rtol=0)
    assert ((after - whole)[:, 5].abs().amax(-1) > 1e-3).all()


def some(length):
    return torch.randint(V, (2, length), generator=torch.Generator().manual_seed(1))


@pytest.mark.slow
def test_todays_choices_are_those_of_llama():
    """LlamaForCausalLM has no biases, and turns number i with i + K / 2 where ours turns neighbours."""
    transformers = pytest.importorskip("transformers")
    H, G, K, L = 4, 2, 6, 3
    ours = gpt(GPTConfig(V, context=20, layers=L, heads=H, width=H * K, **TODAY)).double()
    inner = ours.blocks[0].feed_forward.sublayer.inner.out_features
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=V,
            hidden_size=H * K,
            intermediate_size=inner,
            num_hidden_layers=L,
            num_attention_heads=H,
            num_key_value_heads=G,
            max_position_embeddings=20,
            rms_norm_eps=torch.finfo(torch.double).eps,  # what torch.nn.RMSNorm takes if nothing is said
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
        )
    ).double()
    halves = torch.arange(K).view(-1, 2).T.flatten()  # 0 2 4 1 3 5: our pairs as their halves

    def turned(weight):  # rows of each head, sorted as theirs
        return weight.view(-1, K, H * K)[:, halves].flatten(0, 1)

    weights = {"model.embed_tokens.weight": ours.token.weight, "model.norm.weight": ours.norm.weight}
    for n, block in enumerate(ours.blocks):
        looks, thinks = block.attention.sublayer, block.feed_forward.sublayer
        parts = {
            "self_attn.q_proj": turned(looks.query.weight),
            "self_attn.k_proj": turned(looks.key.weight),
            "self_attn.v_proj": looks.value.weight,
            "self_attn.o_proj": looks.output.weight,
            "mlp.gate_proj": thinks.gate.weight,
            "mlp.up_proj": thinks.inner.weight,
            "mlp.down_proj": thinks.output.weight,
            "input_layernorm": block.attention.norm.weight,
            "post_attention_layernorm": block.feed_forward.norm.weight,
        }
        weights |= {f"model.layers.{n}.{name}.weight": weight for name, weight in parts.items()}
    with torch.no_grad():
        for name, weight in ours.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
        theirs.load_state_dict(weights | {"lm_head.weight": ours.token.weight})
        # its angles are made in float32, and its norms computed in it
        theirs.model.rotary_emb.inv_freq = 10000.0 ** -(torch.arange(0, K, 2).double() / K)
        expected, (logits, _) = theirs(some(20)).logits, ours(some(20))
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)


def test_a_prompt_may_come_in_parts():
    model, ids = gpt(), torch.randint(V, (2, 20))
    whole, _ = model(ids)
    first, cache = model.read(ids[:, :7], model.initial(2))
    second, _ = model.read(ids[:, 7:], cache)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-5, rtol=0)


def test_reading_leaves_the_cache_it_started_from_as_it_was():
    model, ids = gpt(), torch.randint(V, (2, 5))
    _, cache = model.read(ids, model.initial(2))
    before = torch.utils._pytree.tree_map(torch.clone, cache)
    once, _ = model.step(ids[:, 0], cache)
    again, _ = model.step(ids[:, 0], cache)
    assert torch.equal(once, again)
    torch.testing.assert_close(before, cache, rtol=0, atol=0)


def test_a_beam_may_reorder_rows_of_different_lengths():
    model, ids = gpt(), torch.randint(V, (2, 6))
    _, short = model.read(ids[:1, :3], model.initial(1))
    _, long = model.read(ids[1:], model.initial(1))
    both = torch.utils._pytree.tree_map(lambda a, b: torch.cat([b, a]), short, long)
    logits, _ = model.step(ids[:, 0], both)
    expected = [model.step(ids[:1, 0], long)[0], model.step(ids[1:, 0], short)[0]]
    torch.testing.assert_close(logits, torch.cat(expected), atol=1e-5, rtol=0)


def test_the_loss_is_the_cross_entropy_of_the_targets_and_starts_near_ln_v():
    torch.manual_seed(0)
    model = GPT(CONFIG)
    ids, targets = torch.randint(V, (4, 9)), torch.randint(V, (4, 9))
    logits, loss = model(ids, targets)
    torch.testing.assert_close(loss, F.cross_entropy(logits.transpose(1, 2), targets))
    assert loss.item() == pytest.approx(math.log(V), abs=0.05)


def test_it_starts_as_gpt_2():
    torch.manual_seed(0)
    model = GPT(GPTConfig(V, layers=8, width=128))
    block = model.blocks[0]
    for weight, std in [
        (model.token.weight, 0.02),
        (block.attention.sublayer.query.weight, 0.02),
        (block.attention.sublayer.output.weight, 0.02 / 4),  # 1 / √(2 · 8 layers)
        (block.feed_forward.sublayer.output.weight, 0.02 / 4),
    ]:
        assert weight.std().item() == pytest.approx(std, rel=0.1)
    assert not block.feed_forward.sublayer.inner.bias.any()
    assert (model.norm.weight == 1).all()


def test_it_has_the_parameters_of_gpt_2():
    """124,439,808, as transformers counts GPT2LMHeadModel with its shared output layer."""
    with torch.device("meta"):
        model = GPT(GPTConfig(50_257, context=1024, layers=12, heads=12, width=768))
    assert sum(weight.numel() for weight in model.parameters()) == 124_439_808


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": 0}, "context is 0: give at least 1"),
        ({"layers": 1.5}, "layers is 1.5: give a whole number"),
        ({"dropout": 1.0}, "dropout is 1.0: give a share"),
        ({"groups": 0}, "groups is 0: give at least 1"),
        ({"experts": 0}, "experts is 0: give at least 1"),
        ({"active": 1.5}, "active is 1.5: give a whole number"),
        ({"positions": "far"}, "positions is 'far': choose one of none, sinusoidal, learned, rotary"),
        ({"norm": "l2"}, "norm is 'l2': choose one of layer, batch, rms, none"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GPTConfig(V, **options)


def test_too_many_tokens_are_refused_with_the_limit():
    model = gpt()
    with pytest.raises(ValueError, match="65 tokens are too long for this model's context of 64"):
        model(torch.zeros(1, 65, dtype=torch.long))
    _, cache = model.read(torch.zeros(1, 64, dtype=torch.long), model.initial(1))
    with pytest.raises(ValueError, match="65 tokens"):
        model.step(torch.zeros(1, dtype=torch.long), cache)


def test_ids_outside_the_vocabulary_are_named():
    with pytest.raises(ValueError, match="ids hold 11"):
        gpt()(torch.tensor([[11]]))
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        gpt()(torch.tensor([1, 2]))


@pytest.mark.slow
def test_the_exported_model_reads_any_length_at_once_or_into_a_cache():
    def both(model, ids):
        return model(ids)[0], model.read(ids, model.initial(2))

    check_export(gpt(), both, lambda n: (torch.randint(V, (2, n)),), [1, 2, 7, CONTEXT], axes=((1,),))


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2])
def test_the_exported_model_writes_the_same_text(batch):
    check_export(
        gpt(),
        continue_with,
        lambda n: (torch.randint(V, (batch, n)), torch.rand(batch, n)),
        [1, 2, 7, CONTEXT // 2],
        axes=((1,), (1,)),
    )
