"""The table of who fills a gap, and how it is asked."""

import dataclasses
import math

import pytest
import torch

from vec2gpt.language import IGNORED
from vec2gpt.ngrams import NGram
from vec2gpt.recipes import RECIPES, recorded, table
from vec2gpt.recipes.pretraining import gaps, prose


@pytest.fixture(scope="module")
def asked():
    return gaps.gaps(prose.rows("test", length=gaps.LENGTH)[:200])


def test_each_passage_has_one_gap_where_a_token_of_text_stood(asked):
    changed = asked.whole != asked.asked
    assert (changed.sum(1) == 1).all() and (asked.answer >= gaps.marks()).all()
    assert (asked.asked[changed] == prose.tokens()["[MASK]"]).all()
    assert torch.equal(changed.int().argmax(1), asked.place)
    assert torch.equal(asked.whole[changed], asked.answer)


def test_the_gaps_are_the_same_ones_every_time_and_all_over_the_passages(asked):
    assert torch.equal(gaps.gaps(asked.whole).place, asked.place)
    inside = (asked.whole >= gaps.marks()).sum(1)
    assert abs(((asked.place - 0.5) / inside).mean().item() - 0.5) < 3 * (1 / 12 / len(inside)) ** 0.5


def test_who_knows_the_answer_is_right_and_who_knows_nothing_pays_ln_v(asked):
    size = len(prose.tokens())
    knows = gaps.judge(lambda part: 50.0 * torch.nn.functional.one_hot(part.answer, size), asked)
    assert knows == {"accuracy": 1, "top_five": 1, "nats": pytest.approx(0, abs=1e-6)}
    nothing = gaps.judge(lambda part: torch.zeros(len(part.place), size), asked)
    assert nothing["nats"] == pytest.approx(math.log(size - gaps.marks()), rel=1e-6)


def test_a_mark_is_no_answer(asked):
    def marks_alone(part):
        return torch.zeros(len(part.place), len(prose.tokens())).index_fill(1, torch.arange(gaps.marks()), 99)

    assert gaps.judge(marks_alone, asked)["nats"] == pytest.approx(
        math.log(len(prose.tokens()) - gaps.marks()), rel=1e-6
    )


class Watched(torch.nn.Module):
    """Answers with zeros, and remembers what it could see of each answer."""

    def forward(self, ids):
        self.seen = ids
        return torch.zeros(*ids.shape, len(prose.tokens())), None


def test_a_masked_model_never_sees_the_answer(asked):
    model = Watched()
    gaps.from_both_sides(model, asked)
    at = torch.arange(len(asked.place))
    assert (model.seen[at, asked.place] == prose.tokens()["[MASK]"]).all()


def test_a_causal_model_is_asked_where_it_has_read_what_stands_before_the_gap(asked):
    class Counts(torch.nn.Module):
        """Logits that tell the place they were made at."""

        def forward(self, ids):
            return torch.arange(ids.shape[1])[None, :, None].expand(*ids.shape, 1), None

    assert torch.equal(gaps.from_the_left(Counts(), asked)[:, 0], asked.place - 1)


def test_counts_of_both_sides_are_the_product_rule(asked):
    """ln p(left, token, right) of whole texts, but for what all tokens share."""
    train = prose.rows("train", length=gaps.LENGTH)[:300]
    size = len(prose.tokens())
    model = NGram(train[train != prose.tokens()["[PAD]"]], size, order=3)
    some = gaps.Gaps(*(part[:3] for part in asked))
    found = gaps.by_counts(model, some, right=2).log_softmax(1)
    for n, place in enumerate(some.place.tolist()):
        texts = some.whole[n].repeat(size, 1)
        texts[:, place] = torch.arange(size)
        whole = model.scores(texts).sum(1).log_softmax(0)  # a trigram forgets what lies further away
        assert torch.allclose(found[n], whole, atol=1e-9)


@pytest.mark.parametrize("model", gaps.WAYS)
def test_every_kind_of_model_learns_and_guesses(model, asked):
    draw = gaps.WAYS[model].batches(asked.whole, size=4, **gaps.WAYS[model].share)
    inputs, targets = draw(torch.Generator().manual_seed(0))
    assert inputs.shape == targets.shape and (targets != IGNORED).any()
    assert (targets != prose.tokens()["[PAD]"]).all()
    network = gaps.WAYS[model].model(gaps.config(model)).eval()
    assert network(inputs, targets)[1].isfinite()
    assert 0 <= gaps.judge(lambda part: gaps.WAYS[model].guess(network, part), asked)["top_five"] < 0.5


def test_the_recorded_table_is_whole_and_of_these_settings():
    found = recorded("gaps")
    assert [*zip(found["model"], found["seed"], strict=True)] == [
        (model, seed) for model in gaps.AXES["model"] for seed in gaps.SEEDS
    ]
    settings = gaps.experiment().settings
    for row in found.itertuples():
        expected = settings(model=row.model, seed=row.seed)
        assert (row.steps, row.settings) == (expected["steps"], expected["settings"])
    assert found["text"].unique().tolist() == [prose.digest()[:12]]


def test_every_row_says_which_passages_tokens_and_configuration_it_is_of(monkeypatch):
    before = gaps.experiment().settings(model="bert", seed=0)["settings"]
    told = {gaps.experiment().settings(model=model, seed=0)["settings"] for model in gaps.AXES["model"]}
    assert len(told) == len(gaps.AXES["model"])
    monkeypatch.setattr(gaps, "_passages", lambda part, *, length=0: torch.zeros(1, 1))
    assert gaps.experiment().settings(model="bert", seed=0)["settings"] != before


@pytest.mark.slow
def test_a_thin_slice_of_the_table(tmp_path, monkeypatch):
    whole = gaps._passages
    monkeypatch.setattr(
        gaps,
        "_passages",
        lambda part, **length: whole(part, **length)[:40] if part == "test" else whole(part, **length),
    )
    recipe = dataclasses.replace(RECIPES["gaps"], axes={"model": ("trigram", "gpt", "albert"), "seed": (0,)})
    recipe.run("gaps", steps=15, out=tmp_path)
    rows = table.read("gaps", tmp_path).set_index("model")
    assert rows["gaps"].tolist() == [40] * 3 and rows["steps"].tolist() == [0, 15, 15]
    assert rows["nats"].between(1, math.log(len(prose.tokens())) + 0.5).all()
    assert rows.loc["albert", "parameters"] < 0.5 * rows.loc["gpt", "parameters"]
