"""vec2gpt.lora: the formula by hand, what it trains and what it leaves, merged to the last digits."""

import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from vec2gpt.bert import Bert, BertConfig, MaskedLM
from vec2gpt.classifiers import Classifier, predict
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.hub import checkpoints
from vec2gpt.labelled import labelled
from vec2gpt.lora import Count, LoRA, adapt, count, learned, merge, restore
from vec2gpt.sizes import linear
from vec2gpt.training import fit

V = 11
CONFIG = BertConfig(V, context=9, width=8, heads=2, inner=12, layers=3, dropout=0.0)
ROWS, LABELS = [[1, 2, 3], [4, 5], [6, 7, 8, 9], [3, 2, 1]], [0, 1, 0, 1]
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]])
RATE = {"rank": 2, "alpha": 4}


def made(config=CONFIG):
    torch.manual_seed(0)
    return Classifier(Bert(config).double().eval(), 2)


def shaken(model):
    """A and B are far from where they begin."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight += 0.5 * torch.randn_like(weight)
    return model


def trained(model, **more):
    torch.manual_seed(2)
    fit(model, labelled(ROWS, LABELS, size=8, pad=0), **{"steps": 8, "lr": 0.02} | more)
    return model


def assert_same(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)


# ---- one layer ----


def test_by_hand():
    """W = [[1, 0], [0, 1]], A = [1, 2], B = [3, 4], α = 5, r = 1: x + 5 · B (x₁ + 2 x₂)."""
    layer = nn.Linear(2, 2)
    low = LoRA(layer, rank=1, alpha=5)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(2))
        layer.bias.zero_()
        low.A.copy_(torch.tensor([[1.0, 2.0]]))
        low.B.copy_(torch.tensor([[3.0], [4.0]]))
    assert low(torch.tensor([1.0, 1.0])).tolist() == [1 + 45, 1 + 60]
    assert low.merged().weight.tolist() == [[16, 30], [20, 41]]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rank", [1, 3, 5])
def test_it_is_the_formula_and_merged_it_is_a_layer(bias, rank):
    torch.manual_seed(0)
    layer = nn.Linear(7, 5, bias=bias).double()
    low = shaken(LoRA(layer, rank=rank, alpha=3))
    x = torch.randn(2, 4, 7, dtype=torch.double)
    whole = layer.weight + 3 / rank * low.B @ low.A
    expected = x @ whole.T + (layer.bias if bias else 0)
    assert_same(low(x), expected)
    assert torch.linalg.matrix_rank(low.merged().weight - layer.weight) == rank
    assert type(low.merged()) is nn.Linear
    assert_same(low.merged()(x), expected)


def test_it_begins_as_the_layer_it_was():
    torch.manual_seed(0)
    layer = nn.Linear(400, 300)
    x = torch.randn(3, 400)
    before = layer(x)
    low = LoRA(layer, rank=8, alpha=16)
    assert torch.equal(low(x), before)
    assert low.A.std().item() == pytest.approx(400**-0.5, rel=0.05) and not low.B.any()


# ---- a model ----


@pytest.mark.parametrize(
    "model",
    [
        Bert(CONFIG),
        MaskedLM(replace(CONFIG, shared=True, factors=5)),
        Classifier(Bert(CONFIG), 2),
        GPT(GPTConfig(V, context=9, width=8, heads=2, layers=2)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_every_attention_is_adapted_and_says_the_same_at_first(model):
    model = model.eval()
    adapted = adapt(model, **RATE)
    blocks = len(getattr(model, "bert", model).blocks)
    assert sum(isinstance(part, LoRA) for part in adapted.modules()) == 2 * blocks
    ours, theirs = (m(IDS) if torch.is_tensor(m(IDS)) else m(IDS)[0] for m in (adapted, model))
    assert torch.equal(ours, theirs)
    assert count(adapted).trained == blocks * 2 * 2 * (8 + 8)


def test_the_model_given_stays_as_it_was():
    model = made()
    before, kinds = copy.deepcopy(model.state_dict()), [type(part) for part in model.modules()]
    trained(adapt(model, **RATE, also=("head",)))
    assert [type(part) for part in model.modules()] == kinds
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert all(weight.requires_grad for weight in model.parameters())


def test_training_moves_a_and_b_and_what_was_asked_for_and_nothing_else():
    adapted = adapt(made(), **RATE, where=("value", "inner"), also=("head",))
    before = copy.deepcopy(adapted.state_dict())
    trained(adapted, weight_decay=0.1)
    moved = {name for name, weight in adapted.state_dict().items() if not torch.equal(weight, before[name])}
    layers = [f"bert.blocks.{n}." for n in range(3)]
    low = {
        f"{layer}{part}.{letter}"
        for layer in layers
        for part in ("attention.sublayer.value", "feed_forward.sublayer.inner")
        for letter in "AB"
    }
    assert moved == low | {"head.weight", "head.bias"} == learned(adapted).keys()


def test_it_learns():
    adapted = trained(adapt(made(), **RATE, also=("head",)), steps=150)
    assert predict(adapted, ROWS).argmax(1).tolist() == LABELS


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, shared=True, factors=5)], ids=["bert", "albert"])
def test_merged_it_says_the_same_with_plain_layers(config):
    plain = made(config)
    adapted = trained(adapt(plain, rank=3, alpha=2, where=("query", "key", "output"), also=("head",)))
    merged = merge(adapted)
    assert (predict(adapted, ROWS) - predict(plain, ROWS)).abs().max() > 1e-3
    assert_same(predict(merged, ROWS), predict(adapted, ROWS))
    assert [type(part) for part in merged.modules()] == [type(part) for part in plain.modules()]
    assert merged.state_dict().keys() == plain.state_dict().keys()
    assert all(weight.requires_grad for weight in merged.parameters())
    assert any(isinstance(part, LoRA) for part in adapted.modules())  # which stays as it was
    assert count(merged) == Count(*[count(plain).of] * 2)


def test_merged_it_can_be_a_checkpoint_and_be_adapted_again(tmp_path):
    merged = merge(shaken(adapt(made(), **RATE)))
    checkpoints.save(merged.float(), tmp_path / "one", vocabs={}, seed=0, steps=0, data="", metrics={})
    found = checkpoints.load(tmp_path / "one").model
    torch.testing.assert_close(found(IDS)[0], merged(IDS)[0], atol=0.02, rtol=0.01)
    assert count(adapt(merged, **RATE)).trained == 192


def test_a_layer_at_two_places_is_one_layer_still():
    shared = nn.Linear(4, 4)
    model = nn.ModuleDict({"one": nn.ModuleDict({"query": shared}), "two": nn.ModuleDict({"query": shared})})
    adapted = adapt(model, **RATE, where=("query",))
    assert adapted["one"]["query"] is adapted["two"]["query"]
    assert count(adapted).trained == 2 * (4 + 4)
    merged = merge(adapted)
    assert merged["one"]["query"] is merged["two"]["query"] and type(merged["one"]["query"]) is nn.Linear


def test_the_mode_the_type_and_the_device_are_kept():
    adapted = adapt(made().eval(), **RATE)
    assert not any(part.training for part in adapted.modules())
    assert {weight.dtype for weight in adapted.parameters()} == {torch.double}
    adapted = adapt(made().to("meta").train(), **RATE)
    assert all(part.training for part in adapted.modules())
    assert {weight.device.type for weight in adapted.parameters()} == {"meta"}


# ---- what is counted and kept ----


def test_counted_as_the_docstring_and_the_paper_do():
    assert linear(768, 768) == 590_592
    low = LoRA(nn.Linear(768, 768, device="meta"), rank=8, alpha=8)
    assert count(low) == (12_288, 590_592 + 12_288)
    # Hu et al. 2021, table 6: GPT-2 medium, 24 layers of width 1024, rank 4 of query and value: 0.35 million
    assert 24 * 2 * count(LoRA(nn.Linear(1024, 1024, device="meta"), rank=4, alpha=4)).trained == 393_216


def test_what_was_learned_is_small_and_brings_all_back():
    plain = made()
    adapted = trained(adapt(plain, **RATE, also=("head",)))
    kept = learned(adapted)
    assert sum(weight.numel() for weight in kept.values()) == count(adapted).trained == 3 * 64 + 18
    assert not any(weight.requires_grad for weight in kept.values())
    other = adapt(plain, **RATE, also=("head",))
    restore(other, kept)
    assert torch.equal(other(IDS)[0], adapted(IDS)[0])
    trained(adapted)  # what is kept is a copy
    assert not torch.equal(other(IDS)[0], adapted(IDS)[0])
    assert torch.equal(learned(other)["head.bias"], kept["head.bias"])


def test_what_was_learned_goes_into_a_model_adapted_as_then():
    kept = learned(adapt(made(), **RATE, also=("head",)))
    with pytest.raises(ValueError, match=r"head.bias is in what was learned alone: adapt the model as then"):
        restore(adapt(made(), **RATE), kept)
    with pytest.raises(ValueError, match="is in the model alone"):
        restore(adapt(made(), **RATE, where=("query", "value", "key"), also=("head",)), kept)
    other = adapt(made(), rank=3, alpha=4, also=("head",))
    before = learned(other)
    with pytest.raises(ValueError, match=r"query.A is \(3, 8\) here, but was \(2, 8\)"):
        restore(other, kept)
    assert all(torch.equal(weight, before[name]) for name, weight in learned(other).items())
    with pytest.raises(ValueError, match="nothing of this Classifier can be trained"):
        learned(made().requires_grad_(False))


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rank": 0}, "rank is 0: give at least 1"),
        ({"rank": 1.5}, "rank is 1.5: give a whole number"),
        ({"rank": 9}, "rank is 9, but no matrix here has more than 8: give 1 … 8"),
        ({"rank": 3, "where": ("head",)}, "rank is 3, but no matrix here has more than 2"),
        ({"alpha": 0}, "alpha is 0: give a number above 0"),
        ({"alpha": math.nan}, "alpha is nan: give a number above 0"),
        ({"alpha": "4"}, "alpha is '4': give a number above 0"),
        (
            {"where": ("query", "dense")},
            "Classifier has no linear layer 'dense': there are query, key, value, output, inner, head",
        ),
        ({"where": ()}, "where is empty: give the names of layers, such as 'query'"),
        ({"where": "query"}, r"where is one string; give a tuple of names, such as \('query',\)"),
        ({"also": "head"}, r"also is one string; give a tuple of names, such as \('head',\)"),
        ({"also": ("hat",)}, "Classifier has no part 'hat': there are bert, dropout, head, pool"),
    ],
)
def test_adaptations_that_cannot_be(more, message):
    with pytest.raises(ValueError, match=message):
        adapt(made(), **RATE | more)


def test_models_that_cannot_be_adapted_or_merged():
    with pytest.raises(ValueError, match="Embedding has no linear layer 'query': it has none of any name"):
        adapt(nn.Embedding(3, 3), **RATE)
    with pytest.raises(ValueError, match="Linear has no linear layer 'query': it has none"):
        adapt(nn.Linear(3, 3), **RATE)
    with pytest.raises(ValueError, match="this Classifier is adapted already: merge it first"):
        adapt(adapt(made(), **RATE), **RATE)
    with pytest.raises(ValueError, match="Classifier has no LoRA to merge"):
        merge(made())
