import itertools

import pytest
import torch
from torch import nn

from vec2gpt.bert import AskedOnly, Bert, BertConfig, MaskedLM, Pretraining
from vec2gpt.classifiers import Classifier
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.schedules import linear_decay, warmup_linear
from vec2gpt.stepping import Run
from vec2gpt.thawing import combined, discriminative, frozen, gradual, layer_groups

SIZES = {"width": 8, "heads": 2, "layers": 3}
CONFIG = BertConfig(11, context=6, inner=16, **SIZES)
LAYERS = ["embedding", "block 1", "block 2", "block 3"]
MODELS = {
    "Bert": lambda: Bert(CONFIG),
    "MaskedLM": lambda: MaskedLM(CONFIG),
    "AskedOnly": lambda: AskedOnly(MaskedLM(CONFIG)),
    "Pretraining": lambda: Pretraining(CONFIG),
    "GPT": lambda: GPT(GPTConfig(11, context=6, **SIZES)),
    "Classifier": lambda: Classifier(Bert(CONFIG), 2, pool="cls"),
}


@pytest.mark.parametrize("name", MODELS)
def test_each_parameter_is_in_one_group_from_below_to_the_top(name):
    model = MODELS[name]()
    groups = layer_groups(model)
    assert list(groups) == LAYERS + ["head"] * (name != "Bert")
    grouped = [id(weight) for group in groups.values() for weight in group]
    assert sorted(grouped) == sorted(id(weight) for weight in model.parameters())


def test_who_stands_where():
    model = MaskedLM(CONFIG)
    groups = layer_groups(model)
    assert set(groups["embedding"]) == set(model.bert.embedding.parameters()), "with the tied table"
    assert set(groups["block 2"]) == set(model.bert.blocks[1].parameters())
    assert set(groups["head"]) == set(model.head.parameters())
    gpt = MODELS["GPT"]()
    groups = layer_groups(gpt)
    assert set(groups["embedding"]) == {gpt.token.weight, gpt.positions.table.weight}
    assert set(groups["head"]) == set(gpt.norm.parameters())


def test_a_shared_block_is_one_group():
    model = MaskedLM(BertConfig(11, context=6, inner=16, shared=True, factors=4, **SIZES))
    assert list(layer_groups(model)) == ["embedding", "block 1", "head"]


def test_what_has_no_layers_is_told_how_to_go_on():
    with pytest.raises(ValueError, match=r"Linear has no blocks.*write its groups yourself"):
        layer_groups(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="ModuleList has 2 stacks of blocks"):
        layer_groups(nn.ModuleList([MODELS["Bert"](), MODELS["GPT"]()]))


NAMES = [*LAYERS, "head"]


def test_discriminative_rates_by_hand():
    assert discriminative(NAMES, decay=0.5) == dict(zip(NAMES, [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1], strict=True))
    found = list(discriminative(dict.fromkeys(NAMES)).values())
    assert [upper / lower for lower, upper in itertools.pairwise(found)] == pytest.approx([2.6] * 4)
    assert set(discriminative(NAMES, decay=1).values()) == {1.0}


def test_gradual_thaws_one_more_from_the_top():
    plan = gradual(NAMES, every=3)
    open_ = [sum(plan(step).values()) for step in range(15)]
    assert open_ == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]
    assert [name for name, factor in plan(7).items() if factor] == ["block 2", "block 3", "head"]
    assert set(plan(10**6).values()) == {1.0}


def test_frozen_groups_stay_so():
    plan = frozen(NAMES, "embedding", "block 1")
    assert plan(0) == plan(999) == dict(zip(NAMES, [0, 0, 1, 1, 1], strict=True))
    assert set(frozen(NAMES)(0).values()) == {1.0}


def test_combined_is_the_product():
    schedule = combined(linear_decay(12), discriminative(NAMES, decay=0.5), gradual(NAMES, every=3))
    assert schedule.steps == 12
    assert schedule(0) == dict(zip(NAMES, [0, 0, 0, 0, 1], strict=True))
    assert schedule(6) == dict(zip(NAMES, [0, 0, 1 / 8, 1 / 4, 1 / 2], strict=True))
    assert combined(linear_decay(4), linear_decay(4))(2) == 0.25, "without groups one number"
    assert combined(lambda step: 2 * step, gradual(NAMES, every=1)).steps is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: discriminative(NAMES, decay=2.6), r"decay is 2.6.*to divide by 2.6, 1 / 2.6"),
        (lambda: discriminative(NAMES, decay=0), "decay is 0"),
        (lambda: discriminative([]), r"groups are \[\]"),
        (lambda: discriminative("head"), "groups are 'head'"),
        (lambda: gradual(["head", "head"], every=1), "each once"),
        (lambda: gradual(NAMES, every=0), "every is 0"),
        (lambda: frozen(NAMES, "blok 1"), "no group 'blok 1' to freeze: the groups are embedding, block 1"),
        (lambda: frozen(NAMES, *NAMES), "leave one that learns"),
        (lambda: combined(), "nothing to combine"),
        (lambda: combined(gradual(NAMES, every=1), discriminative(NAMES[1:])), "'embedding'.*same groups"),
        (
            lambda: combined(linear_decay(4), warmup_linear(8, warmup=2)),
            r"schedules are of \[4, 8\] steps: make them of one length",
        ),
    ],
)
def test_bad_input_is_answered_in_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_frozen_layer_costs_no_backward_pass():
    """What stands below the lowest layer that learns is left out of the graph."""
    model = Classifier(Bert(CONFIG), 2)
    batch = torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([0, 1])
    groups, seen = layer_groups(model), []
    run = Run(model, lambda _: batch, None, groups, steps=9, lr=0.1, weight_decay=0.0, clip=1.0, seed=0)
    handles = [
        block.register_forward_hook(lambda module, given, out: seen.append(out.requires_grad))
        for block in model.bert.blocks
    ]
    for step in (0, 1, 4):
        run.step(gradual(groups, every=1)(step))
    for handle in handles:
        handle.remove()
    assert seen == [False, False, False, False, False, True, True, True, True]
