import copy
import dataclasses
import functools
import math

import pytest
import torch
from torch import nn

from vec2gpt.hub.checkpoints import load
from vec2gpt.recipes import RECIPES, pronunciation, run, shakespeare
from vec2gpt.recipes.__main__ import main
from vec2gpt.recurrent import LanguageModelConfig, LSTMLanguageModel
from vec2gpt.text import Vocab
from vec2gpt.training import fit

SOME = {  # a batch of each kind of task
    "text": lambda: (torch.randint(80, (2, 9)),),
    "source": lambda: (torch.randint(3, 29, (2, 7)), torch.randint(3, 40, (2, 5))),
}


@pytest.fixture
def quick(monkeypatch):
    """Measure on little: the slices below train for seconds, and so should they be measured."""
    from vec2gpt import corpora

    train, held_out = corpora.shakespeare_budget()
    words = corpora.cmudict_split()
    monkeypatch.setattr(corpora, "shakespeare_budget", lambda: (train, held_out[:2000]))
    monkeypatch.setattr(corpora, "cmudict_split", lambda: words._replace(test=words.test[:50]))


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_thin_slice_of_each_recipe(name, quick, tmp_path):
    trained = run(name, steps=20, out=tmp_path)
    assert sum(trained.history.losses[-5:]) < 0.9 * sum(trained.history.losses[:5])
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.json", f"{name}.safetensors"}

    model, vocabs, card = load(tmp_path / name)
    batch = SOME[next(iter(vocabs))]()
    rounded = copy.deepcopy(trained.model).half().float()  # as a checkpoint keeps it
    assert torch.equal(model(*batch)[0], rounded(*batch)[0])
    assert card["steps"] == 20 and all(map(math.isfinite, card["metrics"].values()))


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_what_comes_with_the_book_reaches_what_its_card_says(name, quick):
    """On a small part of what it was measured on, and within what so small a part allows."""
    model, _, card = load(name)
    assert card["steps"] == RECIPES[name].steps
    for metric, value in RECIPES[name].task().measure(model).items():
        assert value == pytest.approx(card["metrics"][metric], abs=0.25)


def test_bits_per_character_of_knowing_nothing_is_log2_v():
    model = LSTMLanguageModel(LanguageModelConfig(8, width=2, hidden=2))
    for weight in model.parameters():
        nn.init.zeros_(weight)
    bits = shakespeare.bits_per_character(model, torch.randint(8, (1000,)), length=10)
    assert bits == pytest.approx(3.0)


def test_every_pair_is_drawn_whole_and_with_its_equals():
    pairs = [([3], [5, 6]), ([4], [7]), ([3, 4], [8, 8, 9])]
    draw = pronunciation.same_length(pairs, size=4, bos=1, eos=2, pad=0)
    expected = {
        (3,): ([1, 5, 6], [5, 6, 2]),
        (4,): ([1, 7], [7, 2]),
        (3, 4): ([1, 8, 8, 9], [8, 8, 9, 2]),
    }
    generator, seen = torch.Generator().manual_seed(0), []
    for _ in range(300):
        source, decoder, targets = draw(generator)
        for letters, said, wanted in zip(source.tolist(), decoder, targets, strict=True):
            real = wanted != -100
            assert (said[real].tolist(), wanted[real].tolist()) == expected[tuple(letters)]
            assert not said[~real].any()
            seen.append(tuple(letters))
    for letters in expected:  # each is as likely as any other; a batch of one length counts as one draw
        assert seen.count(letters) / len(seen) == pytest.approx(1 / 3, abs=0.12)


class Parrot(nn.Module):
    """Says the source back, its <eos> included: an encoder-decoder with nothing to learn."""

    class config:
        pad, bos, eos = 0, 1, 2

    def encode(self, source):
        return source

    def step(self, ids, rest):
        logits = nn.functional.one_hot(rest[:, 0], 8).float()
        return logits, rest.roll(-1, 1)


def test_exact_match_counts_any_listed_way():
    vocab = Vocab.build("abc")
    said = {"a": [["b"], ["a"]], "ab": [["b", "a"]], "cab": [["c", "a", "b"]], "c": [["a"]]}
    assert pronunciation.pronounce(Parrot(), ["cab"], source=vocab, target=vocab) == [["c", "a", "b"]]
    assert pronunciation.exact_match(Parrot(), list(said), said, source=vocab, target=vocab) == 0.5


def test_the_list_names_every_recipe(capsys):
    assert main([]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in RECIPES)


def test_an_unknown_recipe_is_answered_with_those_there_are():
    with pytest.raises(KeyError, match="shakespeare-lstm, cmudict-attention, shakespeare-gpt"):
        run("shakespeare")


@pytest.mark.slow
def test_a_stopped_recipe_writes_no_checkpoint_and_goes_on_later(quick, monkeypatch, tmp_path, capsys):
    task = RECIPES["shakespeare-lstm"].task()
    whole = run("shakespeare-lstm", steps=3, out=tmp_path / "whole")
    drawn = []

    def stopped_once(generator):
        drawn.append(1)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return task.draw(generator)

    recipe = dataclasses.replace(RECIPES["shakespeare-lstm"], task=lambda: task._replace(draw=stopped_once))
    monkeypatch.setitem(RECIPES, "shakespeare-lstm", recipe)
    monkeypatch.setattr("vec2gpt.recipes.fit", functools.partial(fit, save_every=1))
    arguments = ["shakespeare-lstm", "--steps", "3", "--out", str(tmp_path / "parts")]
    assert main(arguments) == 130
    assert "step 2" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "parts").iterdir()] == ["shakespeare-lstm.run"]

    assert main(arguments) == 0
    assert len(drawn) == 4, "the first two steps are not taken again"
    kept = load(tmp_path / "parts" / "shakespeare-lstm").model.state_dict()
    for name, weight in load(whole.card.with_suffix("")).model.state_dict().items():
        assert torch.equal(kept[name], weight)


@pytest.mark.slow
def test_bad_steps_are_a_sentence(quick, tmp_path, capsys):
    assert main(["shakespeare-lstm", "--steps", "0", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
