"""What policies on a leash write, and how it is judged, as the model has it."""

import doctest
import json
import pathlib
from random import Random

import pytest
import torch

import vec2gpt.widgets.leash as module
from vec2gpt.decoding import continue_with
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.lora import LoRA, adapt, merge
from vec2gpt.preferences import RewardModel, log_likelihood
from vec2gpt.recipes.assistant.judge import KIND, marks, taste
from vec2gpt.text import Vocab
from vec2gpt.widgets.leash import OUTPUTS, Leash, leash_widget

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "leash.json"
VOCAB = Vocab(list("\n adefglmnorstuvwy,A'"), specials=())
PROMPTS = ["Anna\n", "Adam\n"]
LENGTH = 12
WHERE = ("query", "value", "output")
CURVE = {
    "base": (0.0, 0.0, 0.3),
    "gradient 1": (2.0, 1.5, 1.0),
    "gradient 0": (80, 16.8, -10),
    "best of 4": (0.6, 1.1, 0.7),
}


def gauss(shape, dice, size):
    numbers = [dice.gauss(0, size) for _ in range(shape.numel())]
    return torch.tensor(numbers).view(shape)


@torch.no_grad()
def a_base(seed=1, context=24, vocab=VOCAB):
    """A model that is sure of itself; its numbers are not torch's, which may change."""
    sizes = {"context": context, "layers": 2, "heads": 2, "width": 12}
    model, dice = GPT(GPTConfig(len(vocab), **sizes | TODAY | {"groups": 1})).eval(), Random(seed)
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.copy_(gauss(weight.shape, dice, 0.5))
    return model


@torch.no_grad()
def tuned(base, seed, rank=2, where=WHERE):
    """An adapted model that learned something, for a fresh B is 0."""
    model, dice = adapt(base, rank=rank, alpha=4.0, where=where), Random(seed)
    for part in model.modules():
        if isinstance(part, LoRA):
            part.A.copy_(gauss(part.A.shape, dice, 0.4))
            part.B.copy_(gauss(part.B.shape, dice, 0.4))
    return model.eval()


@torch.no_grad()
def a_reward(base, seed=9, **options):
    model = RewardModel(tuned(base, seed, **options), vocab_size=base.config.vocab_size)
    model.head.weight.copy_(gauss(model.head.weight.shape, Random(seed), 0.5))
    return model.eval()


def three(base):
    return {"gradient 1": tuned(base, 2), "gradient 0": tuned(base, 3), "dpo 0.1": tuned(base, 4)}


def question(which, count=3, seed=0):
    dice = Random(seed)
    ids = torch.tensor([VOCAB.encode(PROMPTS[n % 2]) for n in range(count)])
    u = torch.tensor([[round(dice.random() * 0.9999, 4) for _ in range(LENGTH)] for _ in range(count)])
    return torch.tensor([which]), ids, u


# ---- the model ----


@pytest.mark.parametrize("which", [0, 1, 2, 3])
@torch.no_grad()
def test_a_policy_writes_and_is_judged_as_the_library_does(which):
    base = a_base()
    policies, reward = three(base), a_reward(base)
    one, ids, u = question(which)
    answer = dict(zip(OUTPUTS, Leash(policies, reward)(one, ids, u), strict=True))
    policy = merge([*policies.values()][which - 1]).eval() if which else base
    written, p = continue_with(policy, ids, u)
    assert answer["written"].tolist() == written.tolist()
    torch.testing.assert_close(
        answer["own"], p.gather(2, written[..., None])[..., 0].log(), atol=1e-4, rtol=0
    )
    text = torch.cat([ids, written], 1)
    answers = (torch.arange(text.shape[1]) >= ids.shape[1]).expand_as(text)
    torch.testing.assert_close(answer["own"].sum(1), log_likelihood(policy, text, answers))
    torch.testing.assert_close(answer["base"].sum(1), log_likelihood(base, text, answers))
    torch.testing.assert_close(answer["reward"], reward(text, answers), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_the_base_is_no_way_from_itself_and_a_policy_is():
    base = a_base()
    model = Leash(three(base), a_reward(base))
    _, own, before, _ = model(*question(0))
    torch.testing.assert_close(own, before, atol=1e-5, rtol=0)
    _, own, before, _ = model(*question(2))
    assert (own - before).abs().max() > 0.1


def test_the_base_is_held_once_and_what_was_given_stays_as_it_is():
    base = a_base()
    policies, reward = three(base), a_reward(base)
    before = {name: value.clone() for name, value in policies["gradient 1"].state_dict().items()}
    model = Leash(policies, reward)
    assert model.judging.body is model.writing.model
    model(*question(1))
    for name, value in policies["gradient 1"].state_dict().items():
        assert torch.equal(value, before[name])
    assert isinstance(reward.body.blocks[0].attention.sublayer.query, LoRA)


# ---- the widget ----


def a_widget(**options):
    base = a_base()
    given = {"curve": CURVE, "prompts": PROMPTS, "length": LENGTH, "passages": 3} | options
    return leash_widget(three(base), a_reward(base), VOCAB, **given)


def test_the_examples_of_the_docstrings_are_true():
    vocab = Vocab(list("\n .ABCDEGHILMNOPRSTUY"), specials=())
    base = a_base(context=72, vocab=vocab)
    names = {"tuned": tuned(base, 2), "reward": a_reward(base), "vocab": vocab}
    assert doctest.testmod(module, extraglobs=names) == (0, 1)


@torch.no_grad()
def test_the_first_answer_is_that_of_the_policy_it_begins_with():
    widget = a_widget(begin="gradient 0", seed=3)
    settings = widget.settings
    assert settings["policies"] == ["base", "gradient 1", "gradient 0", "dpo 0.1"] and settings["begin"] == 2
    ids = torch.tensor([settings["prompts"][n % 2] for n in range(3)])
    written, _ = continue_with(tuned(a_base(), 3), ids, torch.tensor(settings["uniform"]).view(3, LENGTH))
    assert widget.first["written"] == {"dims": [3, LENGTH], "data": written.flatten().tolist()}
    assert widget.first["reward"]["dims"] == [3]


def test_a_curve_of_a_table_is_told_and_none_is_needed():
    assert a_widget().settings["curve"][2] == {
        "name": "gradient 0",
        "nats": 80.0,
        "proxy": 16.8,
        "taste": -10.0,
    }
    assert a_widget(curve=None).settings["curve"] == []


def test_the_rule_that_the_page_counts_by_is_the_judge_s():
    rule = a_widget().settings["rule"]
    assert set(rule["kind"]) == KIND
    assert rule["forKind"] == taste("love") and rule["forAgain"] == taste("the the")


BAD = [
    ({"policies": {}}, "no policy"),
    ({"policies": {"a": a_base()}}, "a has no LoRA"),
    ({"policies": {"a": torch.nn.Linear(2, 2)}}, "a is a Linear: give a GPT"),
    ({"policies": {"base": tuned(a_base(), 2)}}, "a policy is called 'base'"),
    ({"policies": {"a": tuned(a_base(), 2, rank=3)}}, "a is not adapted as the reward's body is"),
    ({"policies": {"a": tuned(a_base(), 2, where=("query",))}}, "a is not adapted as"),
    ({"policies": {"a": tuned(a_base(seed=5), 2)}}, "a and the reward's body have different bases"),
    ({"reward": a_base()}, "reward is a GPT: give a RewardModel"),
    ({"vocab": Vocab(list("abc"), specials=())}, "know 21 tokens, but the vocabulary has 3"),
    ({"prompts": []}, "no prompt"),
    ({"prompts": ["Anna\n", "A"]}, "the prompt 'A' has 1 tokens; give all of one length"),
    ({"prompts": [""]}, "has 0 tokens"),
    ({"length": 20}, "5 tokens and 20 more are too many for a context of 24"),
    ({"length": 0}, "length"),
    ({"passages": 17}, "passages is 17: give 1 to 16"),
    ({"passages": 0}, "passages"),
    ({"curve": {"a": (0.0, 1.0)}}, "for a: give nats, reward and taste"),
    ({"curve": {"a": (0.0, float("nan"), 1.0)}}, "for a: give nats"),
]


@pytest.mark.parametrize(("wrong", "problem"), BAD)
def test_what_does_not_go_is_refused_by_name(wrong, problem):
    base = a_base()
    given = {"policies": three(base), "reward": a_reward(base), "vocab": VOCAB}
    given |= {"prompts": PROMPTS, "length": LENGTH} | wrong
    with pytest.raises(ValueError, match=problem):
        leash_widget(given.pop("policies"), given.pop("reward"), given.pop("vocab"), **given)


def test_unknown_names_and_weights_that_are_none_are_refused():
    with pytest.raises(KeyError, match="no policy is called 'ppo'; there are base, gradient 1"):
        a_widget(begin="ppo")
    base = a_base()
    policies = three(base)
    policies["dpo 0.1"].blocks[0].attention.sublayer.query.A.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"dpo 0\.1 holds NaN"):
        leash_widget(policies, a_reward(base), VOCAB, prompts=PROMPTS, length=LENGTH)


# ---- what the view is held to ----

TEXTS = [
    "My love, my love!",
    "Good gentle sir, well met.",
    "",
    "good GOOD Good",
    "'tis 'tis, don't\ndon't",
    "a-a",
]


@torch.no_grad()
def golden():
    """Settings, the answer of every policy to them, and what the judge marks in texts."""
    widget = a_widget()
    answers = []
    for which in range(4):
        ids = torch.tensor([widget.settings["prompts"][n % 2] for n in range(3)])
        u = torch.tensor(widget.settings["uniform"]).view(3, LENGTH)
        answer = widget.answer("model", {"which": torch.tensor([which]), "ids": ids, "u": u})
        answers.append({name: {"dims": list(v.shape), "data": _rounded(v)} for name, v in answer.items()})
    judged = [[text, [list(mark) for mark in marks(text)], taste(text)] for text in TEXTS]
    return {"settings": widget.settings, "answers": answers, "judged": judged}


def _rounded(value):
    return (
        [round(x, 3) for x in value.flatten().tolist()]
        if value.is_floating_point()
        else value.flatten().tolist()
    )


def test_the_golden_answers_that_the_view_is_tested_with_are_those_of_today():
    """After a change: python -m tests.widgets.test_leash writes them anew."""
    stored, today = json.loads(GOLDEN.read_text()), json.loads(json.dumps(golden()))
    for before, now in zip(stored["answers"], today["answers"], strict=True):
        for name in ("own", "base", "reward"):
            assert before.pop(name)["data"] == pytest.approx(now.pop(name)["data"], abs=2e-3)
    assert stored == today


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden()) + "\n")
