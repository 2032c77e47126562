"""The table of the translation ladder: whole, of these settings, and measured again in a thin slice."""

import dataclasses

import pytest
import torch

from vec2gpt import corpora
from vec2gpt.recipes import RECIPES, recorded, table, task
from vec2gpt.recipes.__main__ import main
from vec2gpt.recipes.translation import pronunciation, translation
from vec2gpt.text import Vocab
from vec2gpt.training import fit
from vec2gpt.transformer import Transformer, TransformerConfig


def test_the_recorded_table_is_whole_and_of_these_settings():
    rows = recorded("translation-ladder")
    assert [(row.model, row.seed) for row in rows.itertuples()] == [
        (model, seed) for model in translation.WAYS for seed in translation.SEEDS
    ]
    assert rows.notna().all(axis=None)
    settings = translation.experiment().settings
    for row in rows.itertuples():
        assert settings(model=row.model, seed=row.seed)["settings"] == row.settings
        assert row.steps == translation.STEPS
    assert set(rows.data) == {corpora.corpus("cmudict").sha256[:12]}


def test_backwards_spelling_ends_with_the_mark():
    vocab = Vocab.build("abc")
    assert vocab.decode(translation.backwards("cab", vocab)) == ["b", "a", "c", "<eos>"]


def test_who_sees_ahead_does_so_in_training_alone():
    torch.manual_seed(0)
    ours = translation.SeesAhead(TransformerConfig(9, 9, width=8, heads=2, inner=8, dropout=0.0))
    source, ids = torch.tensor([[3, 4]]), torch.tensor([[1, 5, 6]])
    first = [ours(source, given)[0][:, 0] for given in (ids, torch.tensor([[1, 5, 7]]))]
    assert (first[0] - first[1]).abs().max() > 1e-3
    step_by_step, _ = ours.step(*ours.start(source))
    at_once, _ = Transformer.forward(ours, source, ids)
    torch.testing.assert_close(step_by_step, at_once[:, 0])


def watched_losses(monkeypatch):
    """The losses of the training that comes, once it is over."""
    losses = []

    def watched(*args, **settings):
        history = fit(*args, **settings)
        losses.extend(history.losses)
        return history

    monkeypatch.setattr(task, "fit", watched)
    return losses


@pytest.mark.slow
@pytest.mark.parametrize("model", translation.WAYS)
def test_a_thin_slice_learns_something(model, tmp_path, monkeypatch):
    words = corpora.cmudict_split()
    few = words._replace(validation=words.validation[:20], test=words.test[:60])
    monkeypatch.setattr(corpora, "cmudict_split", lambda: few)
    changed = dataclasses.replace(RECIPES["translation-ladder"], axes={"model": (model,), "seed": (0,)})
    monkeypatch.setitem(RECIPES, "translation-ladder", changed)
    losses = watched_losses(monkeypatch)
    assert main(["translation-ladder", "--steps", "25", "--out", str(tmp_path)]) == 0
    assert sum(losses[-5:]) / 5 < 0.95 * losses[0]
    [row] = table.read("translation-ladder", tmp_path).itertuples()
    full = recorded("translation-ladder")
    assert row.parameters == full[full.model == model].parameters.iloc[0]


def test_words_of_all_lengths_are_counted_once():
    test = corpora.cmudict_split().test
    short = sum(len(word) <= translation.SHORT for word in test)
    long = sum(len(word) >= translation.LONG for word in test)
    assert 0 < short + long < len(test)
    assert max(len(said[0]) for said in corpora.cmudict().values()) < pronunciation.LONGEST
