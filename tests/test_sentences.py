"""The table of BLEU by length, and what it is made with."""

import dataclasses
from math import nan

import pytest
import torch

from vec2gpt import grammar
from vec2gpt.recipes import RECIPES, recorded, sentences, table
from vec2gpt.recipes.__main__ import main


def test_the_recorded_table_is_whole_and_of_these_settings():
    rows = recorded("grammar-lengths")
    assert [(row.model, row.seed, row.shortest, row.longest) for row in rows.itertuples()] == [
        (model, seed, *band)
        for model in sentences.WAYS
        for seed in sentences.SEEDS
        for band in sentences.BANDS.items()
    ]
    assert rows.drop(columns="aer").notna().all(axis=None)
    assert (rows["aer"].notna() == (rows["model"] == "attention")).all()
    settings = sentences.experiment().settings
    for row in rows.itertuples():
        assert settings(model=row.model, seed=row.seed, shortest=row.shortest)["settings"] == row.settings
        assert row.steps == sentences.STEPS


def test_the_bands_cover_every_length_once():
    covered = [n for low, high in sentences.BANDS.items() for n in range(low, high + 1)]
    assert covered == list(range(sentences.LENGTH[0], sentences.LENGTH[1] + 1))


class Reciter(torch.nn.Module):
    """Knows some translations by heart and says them: an encoder-decoder with nothing to learn."""

    class config:
        pad, bos, eos = 0, 1, 2

    def __init__(self, pairs):
        super().__init__()
        self.english, self.french = grammar.vocabularies()
        self.known = {pair.source: [*self.french.encode(pair.target), 2] for pair in pairs}

    def start(self, source):
        texts = [
            tuple(word for word in self.english.decode(row) if "<" not in word) for row in source.tolist()
        ]
        rows = [torch.tensor(self.known[text]) for text in texts]
        rest = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=2)
        return torch.ones_like(source[:, 0]), rest

    def step(self, ids, rest):
        return torch.nn.functional.one_hot(rest[:, 0], len(self.french)).float(), rest.roll(-1, 1)


def test_whoever_knows_them_by_heart_has_a_bleu_of_100():
    pairs = grammar.split(40, length=(4, 9)).train
    judged = sentences.judge(Reciter(pairs), pairs)
    assert judged == {"bleu": pytest.approx(100), "exact": 1, "aer": pytest.approx(nan, nan_ok=True)}
    wrong = [pairs[0]._replace(target=("le", "chat")), *pairs[1:]]
    assert sentences.judge(Reciter(wrong), pairs)["exact"] == 1 - 1 / len(pairs)


@pytest.mark.slow
def test_a_thin_slice_learns_something(tmp_path, monkeypatch):
    axes = {"model": ("gru",), "seed": (0,), "shortest": (4,)}
    changed = dataclasses.replace(RECIPES["grammar-lengths"], axes=axes)
    monkeypatch.setitem(RECIPES, "grammar-lengths", changed)
    few = grammar.split(600, length=sentences.LENGTH)
    monkeypatch.setattr(sentences, "split", lambda: few)
    assert main(["grammar-lengths", "--steps", "25", "--out", str(tmp_path)]) == 0
    [row] = table.read("grammar-lengths", tmp_path).itertuples()
    assert row.parameters == recorded("grammar-lengths").parameters.iloc[0]
    assert row.bleu > 0
