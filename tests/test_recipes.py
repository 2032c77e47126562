import copy
import dataclasses
import functools
import math

import pytest
import torch
from torch import nn

from vec2gpt.hub.checkpoints import load
from vec2gpt.recipes import RECIPES, recorded, run, table
from vec2gpt.recipes.__main__ import main
from vec2gpt.recipes.checkpoint import CheckpointRecipe
from vec2gpt.recipes.language import shakespeare
from vec2gpt.recipes.table import Experiment, TableRecipe
from vec2gpt.recipes.translation import pronunciation
from vec2gpt.recipes.understanding import opinions
from vec2gpt.recipes.words import word_vectors
from vec2gpt.splits import Split
from vec2gpt.text import Vocab
from vec2gpt.training import fit

CHECKPOINTS = [name for name, recipe in RECIPES.items() if isinstance(recipe, CheckpointRecipe)]
SOME = {  # a batch of each kind of task
    "text": lambda: (torch.randint(4, 80, (2, 9)),),
    "source": lambda: (torch.randint(3, 29, (2, 7)), torch.randint(3, 40, (2, 5))),
}


@pytest.fixture
def quick(monkeypatch):
    """Measure on little: the slices below train for seconds, and so should they be measured."""
    from vec2gpt import corpora

    train, held_out = corpora.shakespeare_budget()
    plays, words = corpora.plays(), corpora.cmudict_split()
    some = slice(100_000, 100_000 + 64 * 200)  # 64 rows of 200, behind the list of persons
    held = {part: getattr(plays, part)[some] for part in ("validation", "test")}
    monkeypatch.setattr("vec2gpt.recipes.checkpoint.LOOKS", 2)
    monkeypatch.setattr(corpora, "plays", lambda: plays._replace(**held))
    monkeypatch.setattr(corpora, "shakespeare_budget", lambda: (train, held_out[:2000]))
    monkeypatch.setattr(corpora, "cmudict_split", lambda: words._replace(test=words.test[::100]))
    split = opinions.split  # MiniLM reads all that is learnt from, so that is least
    few = {"train": 10, "validation": 5, "test": 100}
    monkeypatch.setattr(
        opinions, "split", lambda name: Split(*(getattr(split(name), part).some(few[part]) for part in few))
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_thin_slice_of_each_checkpoint(name, quick, tmp_path):
    trained = run(name, steps=20, out=tmp_path)
    assert sum(trained.history.losses[-5:]) < 0.95 * sum(trained.history.losses[:5])
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.json", f"{name}.safetensors"}

    model, vocabs, card = load(tmp_path / name)
    batch = SOME[next(iter(vocabs))]()
    rounded = copy.deepcopy(trained.model)
    for weight in rounded.parameters():
        weight.data = weight.data.half().float()  # as a checkpoint keeps it
    assert torch.equal(model(*batch)[0], rounded(*batch)[0])
    assert card["steps"] == 20 and all(map(math.isfinite, card["metrics"].values()))


def test_what_was_trained_is_safe_before_it_is_judged(tmp_path):
    """Judging can fail, or be stopped, after hours of training."""

    def judge(model):
        raise RuntimeError("no room")

    task = shakespeare.seeing(length=8, size=2)._replace(measure=judge, validate=None)
    recipe = CheckpointRecipe("", lambda: task, RECIPES["shakespeare-gpt"].model, steps=1, lr=1e-3)
    with pytest.raises(RuntimeError, match="no room"):
        recipe.run("mine", out=tmp_path)
    assert load(tmp_path / "mine").card["steps"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_what_comes_with_the_book_reaches_what_its_card_says(name, quick):
    """On a small part of what it was measured on, from all over it, within what so little allows."""
    model, vocabs, card = load(name)
    assert card["steps"] == RECIPES[name].steps
    assert RECIPES[name].model(vocabs).config == model.config
    for metric, value in RECIPES[name].task().measure(model).items():
        assert value == pytest.approx(card["metrics"][metric], abs=0.25)


class Parrot(nn.Module):
    """Says the source back, its <eos> included: an encoder-decoder with nothing to learn."""

    class config:
        pad, bos, eos = 0, 1, 2

    def start(self, source):
        return torch.ones_like(source[:, 0]), source

    def step(self, ids, rest):
        logits = nn.functional.one_hot(rest[:, 0], 8).float()
        return logits, rest.roll(-1, 1)


def test_any_listed_way_to_say_a_word_is_right(monkeypatch):
    vocab = Vocab.build("abc")
    said = {"a": [["b"], ["a"]], "ab": [["b", "a"]], "cab": [["c", "a", "b"]], "c": [["a"]]}
    monkeypatch.setattr(pronunciation.corpora, "cmudict", lambda: said)
    words = list(said)
    spoken = pronunciation.pronounce(Parrot(), words, source=vocab, target=vocab)
    assert spoken == [["a"], ["a", "b"], ["c", "a", "b"], ["c"]]
    rates = pronunciation.judge(Parrot(), words, source=vocab, target=vocab)
    assert rates["word_error_rate"] == pytest.approx(2 / 4)
    assert rates["phoneme_error_rate"] == pytest.approx(3 / 7)  # ab for ba is two away, c for a one


def test_the_list_names_every_recipe(capsys):
    assert main([]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed and recipe.size in listed for name, recipe in RECIPES.items())
    assert RECIPES["word-vectors"].size == "36 rows"


def test_an_unknown_recipe_is_answered_with_those_there_are():
    with pytest.raises(KeyError, match=r"there are word-vectors, shakespeare-rnn, .*shakespeare-gpt"):
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
    monkeypatch.setattr("vec2gpt.recipes.checkpoint.fit", functools.partial(fit, save_every=1))
    arguments = ["shakespeare-lstm", "--steps", "3", "--out", str(tmp_path / "parts")]
    assert main(arguments) == 130
    assert "step 2" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "parts").iterdir()] == ["shakespeare-lstm.run"]

    assert main(arguments) == 0
    assert len(drawn) == 4, "the first two steps are not taken again"
    kept = load(tmp_path / "parts" / "shakespeare-lstm").model.state_dict()
    for name, weight in load(whole.card.with_suffix("")).model.state_dict().items():
        assert torch.equal(kept[name], weight)


@pytest.mark.parametrize("name", ["shakespeare-lstm", "language-ladder", "ngram-orders"])
@pytest.mark.parametrize("steps", [0, -3])
def test_bad_steps_are_a_sentence(name, steps, tmp_path, capsys):
    assert main([name, f"--steps={steps}", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: steps is {steps}: train at least 1\n"
    assert not [*tmp_path.iterdir()]


def test_the_vocabulary_is_built_once():
    assert shakespeare.characters() is shakespeare.characters()
    assert len(shakespeare.characters()) == 84


# ---- tables ----


class Counting:
    """An experiment whose figure is worked out at once; it counts how often, and may be stopped at a row."""

    def __init__(self, data="12e456" + "0" * 58, text="34e789" + "0" * 58, stop_at=None):
        self.data, self.text, self.stop_at, self.measured = data, text, stop_at, []

    def __call__(self):
        return Experiment(self.settings, self.measure, self.data, self.text)

    def settings(self, *, a, b, steps=None):
        return {"a": a, "b": b, "steps": 7 if steps is None else steps}

    def measure(self, *, a, b, steps):
        if len(self.measured) == self.stop_at:
            raise KeyboardInterrupt
        self.measured.append((a, b))
        return {"figure": a * 10 + len(b) + steps / 4}


def squares(experiment):
    return TableRecipe(about="squares", axes={"a": (1, 2), "b": ("x", "yy")}, experiment=experiment)


def test_a_table_has_a_row_for_each_place_on_its_axes(tmp_path):
    experiment = Counting()
    done = squares(experiment).run("some-squares", steps=3, out=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["some_squares.csv"]
    assert done.path == tmp_path / "some_squares.csv" and done.measured == 4
    assert experiment.measured == [(1, "x"), (1, "yy"), (2, "x"), (2, "yy")]
    assert done.table.columns.tolist() == ["a", "b", "steps", "figure", "data", "text", "machine"]
    assert done.table.figure.tolist() == [11.75, 12.75, 21.75, 22.75]
    assert set(done.table.data) == {"12e456000000"}, "a hash is no number"
    assert set(done.table.text) == {"34e789000000"}
    assert f"torch {torch.__version__}" in done.table.machine[0]
    assert str(done) == f"{done.path}: 4 rows, 4 of them new"


def test_a_stopped_table_is_not_there_and_goes_on_behind_its_last_row(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="stopped at row 3"):
        squares(Counting(stop_at=2)).run("squares", out=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["squares.run"]
    rest = Counting()
    done = squares(rest).run("squares", out=tmp_path)
    assert rest.measured == [(2, "x"), (2, "yy")]
    assert [file.name for file in tmp_path.iterdir()] == ["squares.csv"]
    whole = squares(Counting()).run("squares", out=tmp_path / "whole")
    assert done.path.read_text() == whole.path.read_text()


def test_a_row_is_measured_again_when_its_settings_or_data_change_and_only_then(tmp_path):
    def measured(recipe, experiment, **settings):
        recipe.run("squares", out=tmp_path, **settings)
        return experiment.measured

    first, same, more, other, changed = (Counting(data=x * 64) for x in "aaaab")
    cleaned = Counting(data="b" * 64, text="c" * 64)
    assert len(measured(squares(first), first)) == 4
    assert measured(squares(same), same) == []
    wider = dataclasses.replace(squares(more), axes={"a": (1, 2, 3), "b": ("x", "yy")})
    assert measured(wider, more) == [(3, "x"), (3, "yy")]
    assert len(measured(squares(other), other, steps=5)) == 4
    assert len(measured(squares(changed), changed, steps=5)) == 4
    assert len(measured(squares(cleaned), cleaned, steps=5)) == 4


def test_a_thin_slice_does_not_replace_the_table_that_came_with_the_book(monkeypatch, tmp_path):
    monkeypatch.setattr(table, "SHIPPED", tmp_path)
    whole = squares(Counting()).run("squares").path.read_text()
    with pytest.raises(ValueError, match=r"steps=1 would replace the table .* name out too"):
        squares(Counting()).run("squares", steps=1)
    assert (tmp_path / "squares.csv").read_text() == whole


def test_a_table_that_is_not_there_names_the_command_that_writes_it(monkeypatch, tmp_path):
    monkeypatch.setattr(table, "SHIPPED", tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"word_vectors\.csv.*python -m vec2gpt\.recipes word-vectors"
    ):
        recorded("word-vectors")
    for name in ("word_vectors", "shakespeare-gpt"):
        with pytest.raises(KeyError, match="makes a table; there are word-vectors"):
            recorded(name)


# ---- word vectors ----


def test_words_are_numbered_by_frequency_and_rare_ones_left_out():
    vocab, ids, counts = word_vectors.number([*"bazbcabc"], rare=2)
    assert vocab.tokens == ["b", "a", "c"]
    assert ids.tolist() == [0, 1, 0, 2, 1, 0, 2] and counts.tolist() == [3, 2, 2]


def test_another_rate_dimension_or_text_is_another_experiment(monkeypatch):
    text = [*"abcde"] * 400

    def key(way="CBOW", text=text):
        monkeypatch.setattr(word_vectors, "everything", lambda: text)
        experiment = word_vectors.experiment()
        return experiment.settings(model=way, share=1.0, seed=0), experiment.text

    assert key() == key() and key()[1] != key(text=text[::-1])[1]
    before = key()
    monkeypatch.setitem(
        word_vectors.WAYS, "CBOW", word_vectors.learning(word_vectors.CBOW, lr=0.2, epochs=10)
    )
    assert (
        key()[0] == before[0] | {"settings": before[0]["settings"].replace("lr=0.1 ", "lr=0.2 ")} != before[0]
    )
    for name in ("dim", "window", "rare"):
        assert f"{name}={getattr(word_vectors, name.upper())}" in key("PPMI+SVD")[0]["settings"]


def test_the_recorded_table_is_of_these_settings(vectors_recorded):
    for name, way in word_vectors.WAYS.items():
        assert set(vectors_recorded.settings[vectors_recorded.model == name]) == {way.settings}


@pytest.fixture(scope="module")
def vectors_recorded():
    return recorded("word-vectors")


def test_the_recorded_table_is_whole(vectors_recorded):
    places = vectors_recorded[list(word_vectors.AXES)]
    assert len(places) == len(places.drop_duplicates()) == 36
    assert {axis: tuple(places[axis].unique()) for axis in places} == word_vectors.AXES
    assert vectors_recorded.notna().all(axis=None)
    for judged in ("wordsim353", "simlex999"):
        smallest = vectors_recorded[vectors_recorded.share == min(word_vectors.SHARES)]
        assert (smallest[judged] == smallest[f"{judged}_common"]).all()


@pytest.mark.slow
def test_a_thin_slice_of_the_word_vectors(vectors_recorded, tmp_path, capsys, monkeypatch):
    """One way, counted and so the same but for the last digits, and one learned, on the smallest part."""
    axes = {"model": ("PPMI+SVD", "CBOW"), "share": (0.125,), "seed": (0,)}
    monkeypatch.setitem(RECIPES, "word-vectors", dataclasses.replace(RECIPES["word-vectors"], axes=axes))
    assert main(["word-vectors", "--out", str(tmp_path)]) == 0
    assert "2 rows, 2 of them new" in capsys.readouterr().out
    again = table.read("word-vectors", tmp_path)
    for _, row in again.iterrows():
        same = vectors_recorded[(vectors_recorded[list(axes)] == row[list(axes)]).all(axis=1)].iloc[0]
        for column in (
            "words",
            "steps",
            "wordsim353_covered",
            "simlex999_covered",
            "analogies_covered",
            "data",
            "text",
        ):
            assert row[column] == same[column], f"{column}: is the table of results older than the recipe?"
        assert row.wordsim353 == pytest.approx(same.wordsim353, abs=0.1)
        assert row.simlex999 == pytest.approx(same.simlex999, abs=0.1)
