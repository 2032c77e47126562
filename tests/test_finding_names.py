"""Who finds names: rules, and BERTs that answer for each word."""

import dataclasses

import pytest
import torch
from rated import check_recorded

from vec2gpt.recipes import RECIPES, table
from vec2gpt.recipes.understanding import finding_names, persons
from vec2gpt.recipes.understanding.persons import Sentence
from vec2gpt.splits import Split

KNOWN = [
    Sentence((" Then", " Ada", " saw", " a", " king", "."), (0, 1, 0, 0, 0, 0)),
    Sentence((" Ada", " Page", " and", " then", " Bell", "."), (1, 2, 0, 0, 1, 0)),
] * 20
ASKED = [
    Sentence((" Ada", " met", " King", " Eve", " then", "."), (1, 0, 0, 1, 0, 0)),
    Sentence((" Then", " I", " saw", " Bell", "."), (0, 0, 0, 1, 0)),
] * 5
CACHED = persons.known_names, persons.small_words


@pytest.fixture
def few(monkeypatch):
    """A few sentences instead of the plays."""
    parts = Split(KNOWN, ASKED, ASKED)
    monkeypatch.setattr(persons, "split", lambda: parts)
    monkeypatch.setattr(finding_names, "split", lambda: parts)
    monkeypatch.setattr(finding_names, "ASKED", 10)
    monkeypatch.setattr(finding_names, "DRAWN", 40)
    monkeypatch.setattr(finding_names, "by_hand", lambda: ASKED[:2])
    for cached in CACHED:
        cached.cache_clear()
    yield
    for cached in CACHED:
        cached.cache_clear()


def test_rules_by_hand(few):
    asked = [part.words for part in ASKED[:2]]
    assert finding_names.by_list(asked) == [(1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0)]
    assert finding_names.by_capitals(asked) == [(0, 0, 1, 2, 0, 0), (0, 0, 0, 1, 0)]  # King Eve, as one
    assert finding_names.by_new_capitals(asked) == [(1, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0)]


def test_known_and_new_names_are_judged_apart(few):
    judged = finding_names.judge(finding_names.by_list, ASKED)
    assert judged == {"precision": 1, "recall": 0.6667, "f1": 0.8, "f1_seen": 1, "f1_unseen": 0}
    assert set(finding_names.judge(lambda texts: [part.tags for part in ASKED], ASKED).values()) == {1}


@pytest.mark.parametrize("capitals", [True, False])
def test_a_word_is_asked_at_its_first_piece_and_answered_there(capitals):
    finder = finding_names.Finder(_answering_by_length(), capitals)
    words = (" Fleance", " saw", " him", " 🐘", "ſ")
    ids, targets = finder.row(words, (1, 0, 2, 0, 1))
    assert [target for target in targets if target != -100] == [1, 0, 2, 0, 1]
    assert targets[0] == targets[-1] == -100 and len(ids) == len(targets) > 7
    pieces = finding_names._prose_bert().vocabs["text"]
    text = "".join(words)
    assert pieces.decode(ids[1:-1]) == (text if capitals else text.lower())
    [found] = finder([words])
    assert len(found) == 5 and found == tuple(ids[place] % 3 for place, t in enumerate(targets) if t != -100)


def _answering_by_length():
    """Says of each token the class id % 3."""

    class Answering(torch.nn.Module):
        pad = 0

        def __init__(self):
            super().__init__()
            self.none = torch.nn.Parameter(torch.zeros(1))

        def forward(self, ids, targets=None):
            return torch.nn.functional.one_hot(ids % 3, 3).double(), None

    return Answering()


def test_what_is_cut_off_is_not_found():
    finder = finding_names.Finder(_answering_by_length())
    [found] = finder([tuple(" Fleance" for _ in range(40))])
    assert len(found) == 40 and set(found[25:]) == {0}


def test_batches_keep_each_words_own_tag():
    rows = [[5 + n % 3] * (1 + n % 30) for n in range(90)]
    tags = [[n % 3] * (1 + n % 30) for n in range(90)]
    draw = finding_names.batches(rows, tags, pad=0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        ids, targets = draw(generator)
        assert ids.shape == targets.shape and len(ids) == finding_names.SIZE
        assert torch.equal(targets, (ids - 5).where(ids != 0, -100))


def test_half_of_what_is_drawn_has_a_name(few, monkeypatch):
    nobody = Sentence((" Then", " a", " king"), (0, 0, 0))
    monkeypatch.setattr(finding_names, "split", lambda: Split([*KNOWN, *[nobody] * 9], [], []))
    drawn = finding_names.drawn(17, seed=1)
    assert sum(bool(part.spans) for part in drawn) == 8 and drawn.count(nobody) == 9
    assert drawn == finding_names.drawn(17, seed=1) != finding_names.drawn(17, seed=2)
    with pytest.raises(ValueError):
        finding_names.drawn(20, seed=1)  # ten without a name are not there


def test_every_row_says_what_decides_its_figures(monkeypatch):
    def told(model, **place):
        return finding_names.experiment().settings(model=model, **{"seed": 0} | place)

    monkeypatch.setattr(finding_names, "digest", lambda: "")
    assert told("names of training", steps=3)["steps"] == 0 and told("prose-bert", steps=3)["steps"] == 3
    for name in ("RATE", "SIZE", "DRAWN", "ASKED"):
        before = told("prose-bert")["settings"]
        with monkeypatch.context() as changed:
            changed.setattr(finding_names, name, 9)
            assert told("prose-bert")["settings"] != before


def test_the_recorded_table_is_whole_and_of_these_plays_and_settings():
    experiment = finding_names.experiment()
    found = check_recorded("names", finding_names.AXES, experiment)
    assert found["text"].unique().tolist() == [experiment.text[:12]]


@pytest.mark.slow
def test_a_thin_slice_of_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(finding_names, "ASKED", 60)
    monkeypatch.setattr(finding_names, "DRAWN", 200)
    axes = {"seed": (0,), "model": ("capital letter, never a small one", "prose-bert")}
    recipe = dataclasses.replace(RECIPES["names"], axes=axes)
    recipe.run("names", steps=3, out=tmp_path)
    rows = table.read("names", tmp_path).set_index("model")
    assert rows.loc["capital letter, never a small one", "recall"] > 0.8
    assert rows[["precision", "recall", "f1", "hand_f1"]].stack().between(0, 1).all()
    assert recipe.run("names", steps=3, out=tmp_path).measured == 0
