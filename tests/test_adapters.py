"""Many tunings in one file: each is again what it was, and the rest of the model is not in it."""

import json

import pytest
import torch
from torch import nn

from vec2gpt.adapters import REWARD, Adapters, AdaptersConfig
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.hub import checkpoints
from vec2gpt.lora import adapt, learned
from vec2gpt.preferences import RewardModel

WHERE = ("query", "value", "output")
LORA = {"rank": 2, "alpha": 4.0, "where": WHERE}


@pytest.fixture
def base():
    torch.manual_seed(0)
    return GPT(GPTConfig(11, context=8, layers=2, heads=4, width=16, **TODAY)).eval()


def tuned(base, seed):
    model, generator = adapt(base, **LORA), torch.Generator().manual_seed(seed)
    for weight in learned_weights(model):
        weight.data = torch.randn(weight.shape, generator=generator) / 4
    return model


def learned_weights(model):
    return [weight for weight in model.parameters() if weight.requires_grad]


@pytest.fixture
def tunings(base):
    reward = RewardModel(tuned(base, 3), vocab_size=11)
    nn.init.normal_(reward.head.weight)
    nn.init.constant_(reward.head.bias, 0.5)
    return {"one": tuned(base, 1), "two": tuned(base, 2), REWARD: reward}


def test_each_is_again_what_it_was(base, tunings):
    kept = Adapters.of(tunings, base="mine", where=WHERE)
    ids = torch.randint(11, (3, 8))
    for name in ("one", "two"):
        again = kept.policy(name, base)
        assert torch.equal(again(ids)[0], tunings[name](ids)[0])
        assert learned(again).keys() == learned(tunings[name]).keys()
    assert not torch.equal(kept.policy("one", base)(ids)[0], kept.policy("two", base)(ids)[0])
    answers = torch.arange(8).expand(3, 8) > 2
    assert torch.equal(kept.reward(base)(ids, answers), tunings[REWARD](ids, answers))


def test_one_row_of_a_stack_is_one_tuning(base, tunings):
    """As a graph uses it: the base's layer, and B[n] A[n] beside it."""
    kept = Adapters.of(tunings, base="mine", where=WHERE)
    for n, place in enumerate(kept.config.places):
        x = torch.randn(5, kept.config.shapes[n][1])
        scale = kept.config.alpha / kept.config.rank
        by_hand = base.get_submodule(place)(x) + scale * x @ (kept.B[n][1] @ kept.A[n][1]).T
        torch.testing.assert_close(tunings["two"].get_submodule(place)(x), by_hand)


def test_it_is_a_checkpoint_without_the_base(base, tunings, tmp_path):
    kept = Adapters.of(tunings, base="mine", where=WHERE)
    told = {"vocabs": {}, "seed": 0, "steps": 1, "data": "", "metrics": {}}
    card = checkpoints.save(kept, tmp_path / "kept", **told)
    again = checkpoints.load(tmp_path / "kept").model
    assert again.config == kept.config and json.loads(card.read_text())["model"] == "adapters"
    for name, weight in kept.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight.half().float())
    own = sum(lora_numbers(model) for model in tunings.values())
    assert sum(weight.numel() for weight in kept.parameters()) == own + 12  # and the head


def lora_numbers(model):
    body = getattr(model, "body", model)
    return sum(weight.numel() for weight in learned_weights(body))


def test_names_that_are_not_there_or_there_twice(base, tunings):
    kept = Adapters.of(tunings, base="mine", where=WHERE)
    with pytest.raises(KeyError, match=r"'three'; there are one, two, reward"):
        kept.policy("three", base)
    del tunings[REWARD]
    with pytest.raises(KeyError, match="no tuning is called 'reward'"):
        Adapters.of(tunings, base="mine", where=WHERE).reward(base)
    for names in ((), ("one", "one")):
        with pytest.raises(ValueError, match="each once"):
            AdaptersConfig("mine", names, (), (), 11)
    with pytest.raises(ValueError, match="1 places have 0 shapes"):
        AdaptersConfig("mine", ("one",), ("here",), (), 11)


def test_a_model_that_is_not_adapted(base):
    with pytest.raises(ValueError, match="GPT has no LoRA"):
        Adapters.of({"plain": base}, base="mine", where=WHERE)
    with pytest.raises(ValueError, match="no tunings"):
        Adapters.of({}, base="mine", where=WHERE)


def test_a_base_of_another_size(tunings):
    other = GPT(GPTConfig(11, context=8, layers=3, heads=4, width=16, **TODAY))
    with pytest.raises(ValueError, match="adapt the model as then"):
        Adapters.of(tunings, base="mine", where=WHERE).policy("one", other)
