"""The leash's experiment: the judge, what is trained for it, and that its table is of these settings."""

import dataclasses
import math

import pytest
import torch
from rated import check_recorded

from vec2gpt.hub import checkpoints
from vec2gpt.preferences import best_of, best_of_kl
from vec2gpt.recipes import RECIPES
from vec2gpt.recipes.assistant import leash, policies
from vec2gpt.recipes.assistant.judge import KIND, marks, taste
from vec2gpt.recipes.assistant.passages import LENGTH, PROMPTS, Passages, base, in_parts, log_p, vocab, write
from vec2gpt.recipes.assistant.policies import MANY, choices

# ---- the judge ----


@pytest.mark.parametrize(
    ("passage", "points"),
    [
        ("", 0),
        ("The king is dead.", 0),
        ("Love", 2),
        ("love, LOVE! Love?", 2 - 2),
        ("good sweet gentle friend", 8),
        ("To be or not to be", -2),
        ("Goodly lovers", 0),  # whole words alone
        ("good" + " good" * 11, 2 - 11),
        ("\n\n.;-'' ", 0),
        ("' '", -1),  # an apostrophe alone is a word to it, and so is its like
        ("爱 爱 🙂", 0),  # no letters that the rule knows
    ],
)
def test_taste_by_hand(passage, points):
    assert taste(passage) == points


def test_marks_say_where_and_why_and_add_up_to_the_taste():
    passage = "My love, my sweet Love is sweet!"
    found = [(passage[mark.start : mark.end], mark.why) for mark in marks(passage)]
    assert found == [
        *[("love", "kind"), ("my", "again"), ("sweet", "kind")],
        *[("Love", "again"), ("sweet", "again")],
    ]
    assert taste(passage) == 2 + 2 - 3
    assert all(word == word.lower() and word.isalpha() for word in KIND)


# ---- passages ----


def few(count, seed=0):
    return write(base(), count, torch.Generator().manual_seed(seed))


def test_passages_stand_behind_the_prompts_in_turn():
    passages = few(10)
    assert passages.ids.shape == (10, 8 + LENGTH) and passages.answers.sum(1).tolist() == [LENGTH] * 10
    begun = ["".join(vocab().decode(row[:8])) for row in passages.ids.tolist()]
    assert begun == [PROMPTS[n % 8] for n in range(10)]
    assert all(len(text) == LENGTH for text in passages.texts())
    assert torch.equal(passages.ids, few(10).ids) and not torch.equal(passages.ids, few(10, seed=1).ids)


def test_what_the_base_writes_is_as_likely_as_it_says():
    """The shorter room changes nothing, and a passage costs what the plays cost it: about 1.4 nats each."""
    passages = few(8)
    whole = checkpoints.load("shakespeare-gpt").model
    own, other = (in_parts(log_p(model), passages) for model in (base(), whole))
    torch.testing.assert_close(own, other, atol=1e-3, rtol=0)
    assert 0.9 < -own.mean().item() / LENGTH < 1.9


@pytest.fixture
def little(monkeypatch):
    """Few passages, so that all of it runs in seconds."""
    for name, value in {"MANY": 24, "FEW": 8, "REWARD_STEPS": 2, "PAIRS": 4, "BATCH": 8}.items():
        monkeypatch.setattr(policies, name, value)
    for name, value in {"ASKED": 8, "HELD_OUT": 16}.items():
        monkeypatch.setattr(leash, name, value)
    ways = {
        name: dataclasses.replace(way, pairs=24 if way.pairs == MANY else 8)
        for name, way in leash.WAYS.items()
    }
    monkeypatch.setattr(leash, "MANY", 24)
    monkeypatch.setattr(leash, "WAYS", ways)
    for cached in (policies.choices, policies.reward_of, leash.of_base):
        cached.cache_clear()
    yield
    for cached in (policies.choices, policies.reward_of, leash.of_base):
        cached.cache_clear()


def test_pairs_stand_behind_one_prompt_and_the_better_is_mostly_better(little):
    found = choices(24, 0)
    assert torch.equal(found.better.ids[:, :8], found.worse.ids[:, :8])
    assert (found.better.ids != found.worse.ids).any(1).all()
    assert found.better.tastes().mean() > found.worse.tastes().mean()
    some = choices(8, 0)  # the few are the first of the many: the passages are, and as was said of them
    both = torch.stack([found.better.ids[:8], found.worse.ids[:8]])
    assert all((both == row).all(-1).any() for row in some.better.ids)


def test_a_reward_agrees_with_itself_against_its_contrary_and_not_with_one_that_says_nothing():
    tastes = torch.tensor([0.0, 1.0, 2.0, 2.0])
    assert leash.agreement(tastes, tastes) == 1 and leash.agreement(-tastes, tastes) == 0
    assert leash.agreement(torch.zeros(4), tastes) == 0  # it orders none
    assert math.isnan(leash.agreement(tastes, torch.zeros(4)))


def test_picking_reads_the_best_of_n_off_what_was_written_once():
    proxy, tastes = torch.tensor([1.0, 3.0, 2.0]), torch.tensor([0.0, -5.0, 4.0])
    assert leash.picked(proxy, tastes, n=1) == pytest.approx({"proxy": 2, "taste": -1 / 3})
    assert leash.picked(proxy, tastes, n=3) == pytest.approx({"proxy": 3, "taste": -5})
    assert best_of(proxy, n=2).tolist() == pytest.approx([0, 2 / 3, 1 / 3])


# ---- the whole ----


@pytest.mark.slow
def test_a_thin_slice_is_a_table_and_a_checkpoint(little, monkeypatch, tmp_path):
    monkeypatch.setattr(leash, "KEPT", kept_ways := ("gradient 0", "dpo 0.5"))
    ways = ("base", "best of 4", *kept_ways, "gradient 0, few")
    recipe = dataclasses.replace(leash.RECIPE, axes={"seed": (0,), "way": ways})
    made = recipe.run("leash", steps=1, out=tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"leash.csv", "leash.json", "leash.safetensors"}
    rows = made.table.set_index("way")
    assert rows.loc["base"].nats == 0 and rows.loc["best of 4"].nats == pytest.approx(best_of_kl(4), abs=1e-4)
    kept, vocabs, card = checkpoints.load(tmp_path / "leash")
    assert kept.config.names == (*leash.KEPT, "reward") and len(vocabs["text"]) == 84
    for name in leash.KEPT:
        policy = kept.policy(name, base())
        again = leash.judged(policy, kept.reward(base()))
        for figure in ("proxy", "nats"):
            assert again[figure] == pytest.approx(card["metrics"][f"{name} {figure}"], abs=0.05)
    assert recipe.run("leash", steps=1, out=tmp_path).measured == 0  # and what was written stays
    assert (tmp_path / "leash.safetensors").exists()


@pytest.mark.slow
def test_the_gradient_pleases_a_reward_that_is_easily_pleased(monkeypatch):
    """The share of the letter e, in ten steps; a leash too strong keeps the policy where it was."""
    monkeypatch.setattr(policies, "BATCH", 16)
    monkeypatch.setattr(policies, "LR", 2e-2)
    letter = vocab().encode("e")[0]

    def likes(ids, answers):
        return 20 * ((ids == letter) & answers).sum(1) / LENGTH

    free, held = (policies.by_gradient(likes, beta=beta, steps=10, seed=0).way for beta in (0, 50))
    assert free[-1].proxy > free[0].proxy + 1
    assert held[-1].nats < free[-1].nats / 2


# ---- what came with the book ----


def test_the_recorded_table_is_whole_and_of_these_settings():
    on_the_way = [f"{name}_{n}" for name in policies.Seen._fields for n in range(1, leash.LOOKS + 1)]
    missing = ["beta", "kind_words", "words_again", "distinct", "agrees", "passage", *on_the_way]
    table = check_recorded("leash", leash.AXES, leash.experiment(), but=missing)
    trained = table[table.kind == "gradient"]
    assert trained[on_the_way].notna().all(axis=None)
    means = table.groupby("way")[["proxy", "taste", "nats"]].mean()
    longest, tight = means.loc["gradient 0"], means.loc["gradient 2"]
    assert longest.proxy > tight.proxy and longest.nats > tight.nats  # the reward is pleased,
    assert longest.taste < means.loc["base"].taste  # and the judge is not


@pytest.mark.slow
def test_the_checkpoint_of_the_book_does_what_its_card_says():
    kept, _, card = checkpoints.load("leash")
    assert kept.config.names == (*leash.KEPT, "reward")
    for name in ("gradient 0", "gradient 1"):
        passages = write(kept.policy(name, base()), 32, torch.Generator().manual_seed(5))
        proxy = in_parts(kept.reward(base()), passages).mean().item()
        assert proxy == pytest.approx(card["metrics"][f"{name} proxy"], abs=2)


def test_the_recipe_is_in_the_list():
    assert RECIPES["leash"].size == f"{len(leash.SEEDS) * len(leash.WAYS)} rows"
    assert set(leash.KEPT) < set(leash.WAYS) and isinstance(few(2), Passages)
