"""Two heads on one reader, and the table of what they reach together."""

import dataclasses

import pytest
import torch
from rated import check_recorded

from vec2gpt.bert import Bert, BertConfig
from vec2gpt.classifiers import Classifier
from vec2gpt.recipes import RECIPES, table
from vec2gpt.recipes.understanding import opinions, two_tasks, understanding
from vec2gpt.recipes.understanding.opinions import Rated
from vec2gpt.recipes.understanding.two_tasks import Together
from vec2gpt.splits import Split
from vec2gpt.training import fit, seed_everything

IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0], [7, 8, 9, 0]])
FIRST, SECOND = torch.tensor([0, 1, 1]), torch.tensor([2, 0, 3])


def made(share):
    seed_everything(0)
    reader = Bert(BertConfig(10, width=12, heads=2, inner=16, layers=2, context=8, dropout=0.0))
    heads = (Classifier(reader, classes, dropout=0.0) for classes in (2, 4))
    return Together(*heads, share=share)


def test_the_loss_is_the_weighted_sum_of_both():
    model = made(0.25)
    (first, second), loss = model(IDS, FIRST, SECOND)
    alone = model.first(IDS, FIRST), model.second(IDS, SECOND)  # each read by itself
    assert torch.equal(first, alone[0][0]) and torch.equal(second, alone[1][0])
    assert loss.item() == pytest.approx(0.75 * alone[0][1].item() + 0.25 * alone[1][1].item())


def test_the_readers_gradient_is_the_weighted_sum_too():
    def gradient(share):
        model = made(share)
        model(IDS, FIRST, SECOND)[1].backward()
        return torch.cat([weight.grad.flatten() for weight in model.first.bert.parameters()])

    torch.testing.assert_close(gradient(0.25), 0.75 * gradient(0.0) + 0.25 * gradient(1.0))


@pytest.mark.parametrize(("share", "still"), [(0.0, "second"), (1.0, "first")])
def test_at_0_and_1_the_other_head_learns_nothing_and_the_reader_does(share, still):
    model, before = made(share), made(share)
    fit(model, lambda generator: (IDS, FIRST, SECOND), steps=3)
    assert torch.equal(getattr(model, still).head.weight, getattr(before, still).head.weight)
    moved = {"first", "second"} - {still}
    assert not torch.equal(getattr(model, *moved).head.weight, getattr(before, *moved).head.weight)
    assert model.first.bert is model.second.bert
    now, then = (next(one.first.bert.blocks.parameters()) for one in (model, before))
    assert not torch.equal(now, then)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_0_to_1(share):
    with pytest.raises(ValueError, match="share is"):
        made(share)


def test_batches_keep_both_classes_of_a_text():
    rows = [[3 + n] * (1 + n % 7) for n in range(80)]
    first, second = torch.arange(80) % 2, torch.arange(80) % 4
    draw = understanding.batches_with(rows, first, second, pad=0)
    ids, targets, others = draw(torch.Generator().manual_seed(0))
    assert torch.equal(targets, (ids[:, 0] - 3) % 2) and torch.equal(others, (ids[:, 0] - 3) % 4)


@pytest.fixture
def few(monkeypatch):
    """Four domains of a few texts that the project made."""

    def parts(domain):
        texts = tuple(f"{('bad', 'good')[n % 2]} {domain}" for n in range(40))
        some = Rated(texts, torch.arange(40) % 2)
        return Split(some, some, some.only(torch.arange(12)))

    monkeypatch.setattr(opinions, "split", parts)
    monkeypatch.setattr(two_tasks, "EACH", 8)
    monkeypatch.setattr(two_tasks, "ASKED", 6)


def test_texts_come_with_their_domain(few):
    known, domains = two_tasks.texts(8, seed=0)
    assert domains.bincount().tolist() == [8] * 4 and known.labels.sum() == 16
    for text, domain in zip(known.texts, domains.tolist(), strict=True):
        assert text.endswith(opinions.DOMAINS[domain])


def test_the_recorded_table_is_whole_and_of_these_settings(monkeypatch):
    monkeypatch.setattr(opinions, "digest", lambda *domains: "")  # test_opinions has the time for it
    check_recorded("two-tasks", two_tasks.AXES, two_tasks.experiment())


@pytest.mark.slow
def test_a_thin_slice_of_the_table(few, tmp_path):
    recipe = dataclasses.replace(RECIPES["two-tasks"], axes={"seed": (0,), "share": two_tasks.SHARES})
    recipe.run("two-tasks", steps=8, out=tmp_path)
    rows = table.read("two-tasks", tmp_path).set_index("share")
    assert rows.loc[1.0, "domain"] == 1 > rows.loc[0.0, "domain"]
    assert rows.loc[0.0, "opinion"] > 0.9
    assert recipe.run("two-tasks", steps=8, out=tmp_path).measured == 0
