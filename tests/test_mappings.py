"""The mappings experiment: what it trains on, what it asks, and that its table is of these settings."""

import dataclasses

import pytest
import torch
from rated import check_recorded
from torch import nn

from vec2gpt.in_context import best_on_tables, features
from vec2gpt.language import IGNORED
from vec2gpt.recipes import RECIPES, recorded, run
from vec2gpt.recipes.language import mappings

KEYS = mappings.NOTATION.keys


def drawn(which, count=300, seed=0):
    rows = which(count, torch.Generator().manual_seed(seed))
    assert rows.shape == (count, KEYS)
    return {tuple(row) for row in rows.tolist()}


@pytest.mark.parametrize(("name", "count"), [("1 table", 1), ("4 tables", 4), ("16 tables", 16)])
def test_few_tables_are_few_and_what_is_held_out_is_none_of_them(name, count):
    trained = mappings.TRAINED[name](7)
    own, new = drawn(trained.own), drawn(trained.new)
    assert len(own) == count and len(new) > 250 and not own & new
    assert drawn(trained.own, seed=1) == own
    assert drawn(mappings.TRAINED[name](8).own) != own


def test_held_out_features_are_in_no_training_prompt():
    trained = mappings.TRAINED["a feature"](0)
    own, new = drawn(trained.own, 3000), drawn(trained.new, 3000)
    assert len(own) == 84 and len(new) == 28 and not own & new
    assert own | new == {tuple(row) for row in features(mappings.NOTATION).tolist()}


def test_a_batch_asks_for_the_label_of_every_example():
    ids, targets = mappings.batches(mappings.any_table(0).own, size=5, shown=3)(
        torch.Generator().manual_seed(0)
    )
    assert ids.shape == targets.shape == (5, 7)
    assert (targets[:, 1::2] == IGNORED).all() and torch.equal(targets[:, 0:-1:2], ids[:, 1::2])
    assert ids[:, ::2].max() < KEYS <= targets[:, ::2].min()


class Reader(nn.Module):
    """Answers as the last example with the same key did, as an induction head would; if none, label 1."""

    def __init__(self, between=1):
        super().__init__()
        self.between = between  # from a key to its label

    def forward(self, ids):
        logits = torch.zeros(*ids.shape, len(mappings.NOTATION.tokens))
        for text, row in zip(ids.tolist(), logits, strict=True):
            said = {}
            for t, id in enumerate(text):
                key = text[t - self.between + 1]
                if key < KEYS:
                    row[t, said.get(key, KEYS)] = 1
                if (
                    t >= self.between
                    and text[t - self.between] < KEYS <= id < KEYS + mappings.NOTATION.labels
                ):
                    said[text[t - self.between]] = id
        return logits, None


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(mappings, "ASKED", 400)


def test_who_looks_up_what_was_shown_is_as_good_as_can_be(few):
    reached = mappings.accuracy(Reader(), mappings.any_table(0).new)
    best = [best_on_tables(n, mappings.NOTATION) for n in range(mappings.SHOWN + 1)]
    assert reached == pytest.approx(best, abs=0.08)
    assert reached[-1] > 0.97


def test_what_a_changed_prompt_does_to_who_looks_things_up(few):
    found = mappings.changed(Reader(), mappings.any_table(0).new)
    assert found["wrong_all"] < 0.05  # it believes what it is told
    assert found["wrong_25"] == pytest.approx(0.75, abs=0.07)
    assert found["first_mapping"] == 0 and found["second_mapping"] == 1  # it takes the last
    assert found["order_matters"] < 0.1
    assert found["arrow"] < 0.3  # what comes after the key is no label there


def test_a_reader_of_arrows_reads_arrows(few):
    assert mappings.changed(Reader(between=2), mappings.any_table(0).new)["arrow"] > 0.97


def test_heads_are_looked_for_where_they_can_be():
    torch.manual_seed(0)
    found = mappings.heads(mappings.make().eval(), mappings.any_table(0).new)
    assert 0.05 < found["induction"] < 0.3 and found["before"] < 0.6  # a model that has learnt nothing


def test_the_recorded_table_is_whole_and_of_these_settings():
    table = check_recorded("in-context", mappings.AXES, mappings.experiment())
    of = {name: rows for name, rows in table.groupby("trained")}
    for name in ("256 tables", "any table", "a feature"):
        assert of[name].new_0.mean() < 0.2 and of[name].new_16.min() > 0.95
        assert of[name].induction.min() > 0.85
    assert of["1 table"].own_0.min() > 0.9 and of["1 table"].new_16.mean() < 0.3


@pytest.mark.slow
def test_a_thin_slice_reaches_what_the_table_says(monkeypatch, tmp_path):
    axes = {"trained": ("1 table",), "seed": (0,)}
    monkeypatch.setitem(RECIPES, "in-context", dataclasses.replace(RECIPES["in-context"], axes=axes))
    monkeypatch.setattr(mappings, "ASKED", 200)
    again, whole = run("in-context", steps=60, out=tmp_path).table.iloc[0], recorded("in-context")
    same = whole[(whole.trained == "1 table") & (whole.seed == 0)].iloc[0]
    assert again.own_16 == pytest.approx(same.own_16, abs=0.05)
