"""vec2gpt.bert: equal to torch's encoder and to small sums by hand; and what padding may not change."""

import doctest
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch import nn

import vec2gpt.bert as module
from vec2gpt.bert import FOLLOWS, OTHER, AskedOnly, Bert, BertConfig, MaskedLM, Pretraining, spread
from vec2gpt.training import fit

V, CONTEXT = 13, 12
CONFIG = BertConfig(V, context=CONTEXT, width=12, heads=3, inner=20, layers=3, dropout=0.0)
NARROW = replace(CONFIG, factors=5)
ALBERT = replace(NARROW, shared=True)
CONFIGS = {"bert": CONFIG, "distilbert": replace(CONFIG, segments=0), "narrow": NARROW, "albert": ALBERT}


def made(kind=Bert, config=CONFIG):
    torch.manual_seed(0)
    model = kind(config).double().eval()
    with torch.no_grad():
        for weight in model.parameters():  # far enough from the quiet start that mistakes show
            weight += 0.4 * torch.randn_like(weight)
    return model


def test_the_example_of_the_docstring_is_true():
    failed, tried = doctest.testmod(module)
    assert (failed, tried) == (0, 1)


def ids_of(*lengths):
    """Random texts, padded with 0 to the longest."""
    torch.manual_seed(1)
    ids = torch.randint(1, V, (len(lengths), max(lengths)))
    for row, length in zip(ids, lengths, strict=True):
        row[length:] = 0
    return ids


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)


# ---- the layers ----


def test_the_first_block_gets_token_and_position_and_segment_normalised():
    model = Bert(BertConfig(3, context=2, width=2, heads=1, inner=1, layers=1)).eval()
    part = model.embedding
    with torch.no_grad():
        for table, row, vector in (
            (part.token, 1, [1.0, 0.0]),
            (part.position, 0, [2.0, 0.0]),
            (part.segment, 0, [0.0, 1.0]),
            (part.segment, 1, [0.0, 9.0]),
        ):
            table.weight[row] = torch.tensor(vector)
        kinds = None, torch.tensor([[1]])
        out = [part(torch.tensor([[1]]), segments)[0, 0].tolist() for segments in kinds]
    assert out == [pytest.approx([1, -1]), pytest.approx([-1, 1])]  # of [3, 1] and of [3, 9]


def torch_encoder(model):
    """torch's encoder with the weights of ours."""
    c = model.config
    layer = nn.TransformerEncoderLayer(
        c.width, c.heads, c.inner, 0.0, "gelu", c.epsilon, batch_first=True, dtype=torch.double
    )
    theirs = nn.TransformerEncoder(layer, c.layers, enable_nested_tensor=False).eval()
    with torch.no_grad():
        for n, their in enumerate(theirs.layers):
            our = model.blocks[0 if c.shared else n]
            ask, think = our.attention.sublayer, our.feed_forward.sublayer
            joined = (ask.query, ask.key, ask.value)
            their.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in joined]))
            their.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in joined]))
            pairs = {
                their.self_attn.out_proj: ask.output,
                their.linear1: think.inner,
                their.linear2: think.output,
                their.norm1: our.attention.norm,
                their.norm2: our.feed_forward.norm,
            }
            for part, source in pairs.items():
                part.load_state_dict(source.state_dict())
    return theirs


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_torchs_encoder(name):
    model, ids = made(config=CONFIGS[name]), ids_of(9, 1, 5)
    x = model.embedding(ids)
    theirs = torch_encoder(model)(x, src_key_padding_mask=ids == 0)
    close(model(ids)[ids != 0], theirs[ids != 0])


@pytest.mark.parametrize("name", CONFIGS)
def test_padding_changes_nothing_for_the_others(name):
    model, ids = made(config=CONFIGS[name]), ids_of(7, 4)
    for row, length in zip(range(2), (7, 4), strict=True):
        close(model(ids)[row, :length], model(ids[row : row + 1, :length])[0])


def test_every_token_reads_both_sides():
    model, ids = made(), ids_of(8)
    before = model(ids)
    for place in (0, 7):
        changed = ids.clone()
        changed[0, place] = ids[0, place] % (V - 1) + 1
        assert ((model(changed) - before).abs().amax(-1) > 1e-4).all()


def test_only_the_positions_tell_the_order():
    model, ids, order = made(), ids_of(8), torch.randperm(8)
    moved = (model(ids)[:, order] - model(ids[:, order])).abs().max()
    assert moved > 0.1
    nn.init.zeros_(model.embedding.position.weight)
    close(model(ids)[:, order], model(ids[:, order]))


def test_segments_are_the_first_where_none_are_given_and_change_what_is_read():
    model, ids = made(), ids_of(6)
    close(model(ids), model(ids, torch.zeros_like(ids)))
    assert (model(ids) - model(ids, torch.ones_like(ids))).abs().max() > 0.1


@pytest.mark.parametrize("name", CONFIGS)
def test_layers_are_what_each_block_gets_and_the_last_says(name):
    model, ids = made(config=CONFIGS[name]), ids_of(6)
    hidden = model.layers(ids)
    assert len(hidden) == 4 and torch.equal(hidden[-1], model(ids))
    close(hidden[0], model.embedding(ids))
    for n, (before, after) in enumerate(pairwise(hidden)):
        close(model.blocks[n % len(model.blocks)](before), after)


@pytest.mark.parametrize("name", CONFIGS)
def test_looks_are_weights_over_the_tokens_of_one_text(name):
    model, ids = made(config=CONFIGS[name]), ids_of(6, 4)
    seen = model.look(ids)
    assert seen.shape == (2, 3, 3, 6, 6) and not seen.requires_grad
    close(seen.sum(-1), torch.ones(2, 3, 3, 6).double())
    assert (seen[1, ..., 4:] == 0).all() and (seen[1, ..., :4] > 0).all()
    ask = model.blocks[0].attention.sublayer
    q, k, _ = ask.project(*[model.embedding(ids)] * 3)
    close(seen[0, 0], (q[0] @ k[0].transpose(-2, -1) / math.sqrt(4)).softmax(-1))  # heads of width 12 / 3


# ---- ALBERT ----


def test_one_block_used_three_times_is_three_equal_blocks_whose_gradients_add_up():
    shared, apart = made(config=ALBERT), made(config=NARROW)
    apart.embedding.load_state_dict(shared.embedding.state_dict())
    for block in apart.blocks:
        block.load_state_dict(shared.blocks[0].state_dict())
    ids = ids_of(7)
    close(shared(ids), apart(ids))
    for model in (shared, apart):
        model(ids).pow(3).sum().backward()
    total = [sum(gradients) for gradients in zip(*map(gradients_of, apart.blocks), strict=True)]
    for ours, summed in zip(gradients_of(shared.blocks[0]), total, strict=True):
        torch.testing.assert_close(ours, summed, atol=1e-6, rtol=1e-8)


def gradients_of(module):
    return [weight.grad for weight in module.parameters()]


def test_narrow_vectors_save_what_the_paper_says():
    """V · D becomes V · E + E · D (and a bias), in the tokens' table; places and sentences are narrow too."""
    wide, narrow = (Bert(config).embedding for config in (CONFIG, NARROW))
    assert wide.token.weight.numel() == V * 12
    assert narrow.token.weight.numel() + narrow.up.weight.numel() == V * 5 + 5 * 12
    assert narrow.position.weight.shape == (CONTEXT, 5) and narrow.segment.weight.shape == (2, 5)


# ---- gaps ----


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_are_how_well_each_tokens_vector_goes_with_what_was_read(name):
    model, ids = made(MaskedLM, CONFIGS[name]), ids_of(7, 3)
    table, head = model.bert.embedding.token.weight, model.head
    x = F.gelu(model.bert(ids) @ head.linear.weight.T + head.linear.bias)
    x = F.layer_norm(x, x.shape[-1:], head.norm.weight, head.norm.bias, 1e-12)
    close(model(ids)[0], torch.einsum("bte,ve->btv", x, table) + head.bias)


def test_the_loss_is_of_the_asked_alone_and_starts_near_ln_v():
    torch.manual_seed(0)
    model, ids = MaskedLM(CONFIG).eval(), ids_of(9, 5)
    targets = torch.full_like(ids, -100)
    targets[0, 3], targets[1, 2] = 7, 4
    logits, loss = model(ids, targets)
    expected = -(logits[0, 3].log_softmax(-1)[7] + logits[1, 2].log_softmax(-1)[4]) / 2
    torch.testing.assert_close(loss, expected)
    whole = model(ids, ids)[1]
    assert whole.item() == pytest.approx(math.log(V), abs=0.7)
    assert model(ids)[1] is None


def test_a_gap_may_be_filled_where_all_or_nothing_is_hidden():
    model = made(MaskedLM)
    for ids in (torch.full((1, 5), 3), ids_of(5)):  # 3 may be [MASK]
        assert model(ids)[0].isfinite().all()


def test_asked_only_it_has_the_same_loss_and_gradients():
    model, ids = made(MaskedLM), ids_of(9, 5)
    targets = torch.where(torch.rand(ids.shape) < 0.4, ids, -100)
    logits, loss = AskedOnly(model)(ids, targets)
    whole, expected = model(ids, targets)
    close(loss, expected)
    close(logits, whole[targets != -100])
    ours, theirs = (torch.autograd.grad(x, tuple(model.parameters())) for x in (loss, expected))
    for gradient, other in zip(ours, theirs, strict=True):
        close(gradient, other)
    close(AskedOnly(model)(ids)[0], whole)
    with pytest.raises(ValueError, match="all targets are -100"):
        AskedOnly(model)(ids, torch.full_like(ids, -100))
    with pytest.raises(ValueError, match=r"targets have the shape .*, but the ids"):
        AskedOnly(model)(ids, targets[:, 1:])


def test_reading_and_filling_share_the_tokens_vectors():
    model, ids = made(MaskedLM), torch.tensor([[1, 2]])
    model(ids)[0].sum().backward()
    gradient = model.bert.embedding.token.weight.grad
    assert (gradient.abs().sum(1) > 0).all()  # those that were not read as well
    assert sum("token" in name for name in model.state_dict()) == 1


def test_a_masked_model_looks_and_reads_as_its_bert():
    model, ids = made(MaskedLM), ids_of(5)
    segments = torch.tensor([[0, 0, 1, 1, 1]])
    close(model.look(ids, segments), model.bert.look(ids, segments))
    close(model.layers(ids, segments)[-1], model.bert(ids, segments))
    close(model(ids, segments=segments)[0], model.fill(model.bert(ids, segments)))


def test_it_learns_what_only_both_sides_tell():
    """The gap holds what its two neighbours have in common: neither alone tells it better than by chance."""
    left, middle = torch.cartesian_prod(torch.arange(3), torch.arange(3)).T
    ids = torch.stack([left + 2, torch.ones_like(left), (left + middle) % 3 + 5], 1)  # 1 is the gap
    targets = torch.full_like(ids, -100)
    targets[:, 1] = middle + 8
    torch.manual_seed(0)
    model = MaskedLM(BertConfig(11, context=3, width=16, heads=2, inner=32, layers=2, dropout=0.0))
    history = fit(model, lambda generator: (ids, targets), steps=80, lr=1e-2)
    assert history.losses[-1] < 0.1  # one side alone: ln 3, 1.10


# ---- pairs ----


def test_pretraining_adds_both_losses():
    model, ids, pairs = made(Pretraining), ids_of(7, 5), torch.tensor([FOLLOWS, OTHER])
    segments = (torch.arange(7) > 3).long().expand(2, 7)
    logits, loss = model(ids, ids, segments, pairs)
    gaps, two = model(ids, ids, segments)[1], model(ids, None, segments, pairs)[1]
    close(loss, gaps + two)
    judged = model.judge(ids, segments)
    close(two, -(judged.log_softmax(-1)[0, 0] + judged.log_softmax(-1)[1, 1]) / 2)
    assert model(ids)[1] is None
    close(logits, MaskedLM.forward(model, ids, segments=segments)[0])


def test_pairs_are_judged_by_the_first_tokens_vector():
    model, ids = made(Pretraining), ids_of(6)
    first = model.bert(ids)[:, 0]
    pooled = torch.tanh(first @ model.pooler.weight.T + model.pooler.bias)
    close(model.judge(ids), pooled @ model.pair.weight.T + model.pair.bias)


# ---- the start ----


@pytest.mark.parametrize(("width", "sigma"), [(768, 0.02), (192, 0.04), (128, 0.049)])
def test_the_first_weights_have_the_papers_spread_at_its_width(width, sigma):
    torch.manual_seed(0)
    config = BertConfig(500, context=9, width=width, heads=2, inner=64, layers=1, factors=48, epsilon=1e-5)
    model = Pretraining(config)
    assert spread(width) == pytest.approx(sigma, rel=0.01)
    linear = [model.head.linear, model.pooler, model.bert.blocks[0].attention.sublayer.query]
    for part in linear:
        assert part.weight.std().item() == pytest.approx(spread(width), rel=0.05) and not part.bias.any()
    narrow = [model.bert.embedding.token, model.bert.embedding.up]
    for part in narrow:
        assert part.weight.std().item() == pytest.approx(0.08, rel=0.05)  # 0.02 √(768 / 48)
    norms = [part for part in model.modules() if isinstance(part, nn.LayerNorm)]
    assert len(norms) == 4 and all(norm.eps == 1e-5 and (norm.weight == 1).all() for norm in norms)


# ---- what does not fit ----


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"layers": 0}, "layers is 0"),
        ({"factors": 0}, "factors is 0"),
        ({"factors": 1.5}, "factors is 1.5"),
        ({"segments": -1}, "segments is -1"),
        ({"dropout": 1}, "dropout is 1"),
        ({"pad": V}, f"pad is {V}.*0 … {V - 1}"),
        ({"epsilon": 0}, "epsilon is 0"),
        ({"activation": "step"}, "activation is 'step': choose one of relu, gelu"),
    ],
)
def test_a_configuration_that_is_none_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **changed)


def test_heads_share_the_width():
    with pytest.raises(ValueError, match="width 12 does not split into 5 heads"):
        Bert(replace(CONFIG, heads=5))


@pytest.mark.parametrize(
    ("ids", "segments", "message"),
    [
        (torch.tensor([1, 2]), None, r"not \(B, T\)"),
        (torch.zeros(1, 0, dtype=torch.long), None, "empty"),
        (torch.tensor([[1, V]]), None, f"hold {V}"),
        (torch.tensor([[1, 2], [0, 0]]), None, "source 1 is padding alone"),
        (torch.ones(1, CONTEXT + 1, dtype=torch.long), None, f"context of {CONTEXT}"),
        (torch.tensor([[1, 2]]), torch.tensor([[0, 2]]), "segments hold 2"),
        (torch.tensor([[1, 2]]), torch.tensor([[0]]), "segments have the shape"),
    ],
)
def test_what_it_cannot_read_is_refused(ids, segments, message):
    with pytest.raises(ValueError, match=message):
        Bert(CONFIG)(ids, segments)


def test_a_model_without_segments_is_given_none():
    with pytest.raises(ValueError, match="knows no segments"):
        Bert(CONFIGS["distilbert"])(ids_of(3), torch.zeros(1, 3).long())


def test_something_must_be_asked_and_pairs_go_with_texts():
    model, ids = Pretraining(CONFIG), ids_of(4, 4)
    with pytest.raises(ValueError, match="all targets are -100"):
        model(ids, torch.full_like(ids, -100))
    with pytest.raises(ValueError, match="2 texts"):
        model(ids, pairs=torch.tensor([1]))
    with pytest.raises(ValueError, match="pairs hold 2"):
        model(ids, pairs=torch.tensor([1, 2]))


# ---- in a page ----


@pytest.mark.slow
def test_the_exported_graph_fills_gaps_and_looks_at_every_length():
    model = made(MaskedLM, replace(ALBERT, layers=2)).float()  # has all parts that a BERT has

    def example(length):
        return (ids_of(length + 2)[:, :length],)

    check_export(
        model,
        lambda model, ids: (model(ids)[0].log_softmax(-1), model.look(ids)),
        example,
        (1, 2, 5, CONTEXT - 2),
        axes=((1,),),
    )
