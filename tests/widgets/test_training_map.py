"""The training map: snapshots are met exactly, what lies between is between, and neighbours are cosines'."""

import re

import pytest
import torch

from vec2gpt.plotting import PALETTE
from vec2gpt.vectors import WordVectors, principal_components, unit
from vec2gpt.widgets.live import style
from vec2gpt.widgets.training_map import GROUPS as MOST
from vec2gpt.widgets.training_map import LARGEST, NEAREST, TrainingMap, training_map_widget

WORDS = [f"w{k}" for k in range(12)]
SHOWN = [2, 5, 7, 11]
GROUPS = {"some": ["w2", "w5"], "others": ["w7", "w11"]}


@pytest.fixture
def snapshots():
    return torch.randn(4, len(WORDS), 6, generator=torch.Generator().manual_seed(0))


def at(snapshots, position, word=0):
    model = TrainingMap(snapshots, torch.tensor(SHOWN))
    return model(torch.tensor([float(position)]), torch.tensor([word]))


@pytest.mark.parametrize("position", range(4))
def test_at_a_snapshot_the_neighbours_are_those_of_its_vectors(snapshots, position):
    *_, nearest, cosines = at(snapshots, position, word=3)
    expected = WordVectors(WORDS, snapshots[position]).neighbours("w3", count=NEAREST)
    assert [WORDS[id] for id in nearest] == [one.word for one in expected]
    assert cosines.tolist() == pytest.approx([one.cosine for one in expected], abs=1e-3)


def test_between_two_snapshots_vectors_are_between(snapshots):
    half = torch.stack([snapshots[1], (snapshots[1] + snapshots[2]) / 2, snapshots[3]])
    model = TrainingMap(half, torch.tensor(SHOWN))
    expected = model(torch.tensor([1.0]), torch.tensor([3]))
    places, here, _, nearest, cosines = at(snapshots, 1.5, word=3)
    assert nearest.tolist() == expected[3].tolist()
    assert cosines.tolist() == pytest.approx(expected[4].tolist(), abs=1e-3)
    assert (places - expected[0]).abs().max() < 2e-3 and (here - expected[1]).abs().max() < 2e-3


def test_the_map_is_the_principal_plane_of_the_last_directions(snapshots):
    places, *_ = at(snapshots, 3)
    final = unit(snapshots[-1, SHOWN])
    expected = (final - final.mean(0)) @ principal_components(final).T
    assert places.abs().tolist() == [pytest.approx(row, abs=2e-3) for row in expected.abs().tolist()]
    assert (places.gather(0, places.abs().argmax(0, keepdim=True)) > 0).all()  # so no sign is left to chance


def test_the_trail_passes_through_the_word_at_every_snapshot(snapshots):
    for position in range(4):
        places, here, trail, *_ = at(snapshots, position, word=SHOWN[1])
        assert trail[position].tolist() == pytest.approx(here[0].tolist(), abs=1e-6)
        assert here[0].tolist() == pytest.approx(places[1].tolist(), abs=1e-6)


def test_positions_outside_the_training_are_drawn_on_not_refused(snapshots):
    assert all(torch.isfinite(value).all() for value in at(snapshots, 7.5) if value.is_floating_point())


def test_the_widget_holds_what_its_view_needs(snapshots):
    steps = [0, 10, 50, 200]
    widget = training_map_widget(list(zip(steps, snapshots, strict=True)), WORDS, GROUPS, word="w4")
    settings = widget.settings
    assert settings["groups"] == [["some", [2, 5]], ["others", [7, 11]]]
    assert settings["steps"] == steps and settings["word"] == "w4"
    (left, low), (right, high) = settings["corners"]
    for position in range(4):
        x, y = at(snapshots, position)[0].T
        assert left - 1e-3 <= x.min() and x.max() <= right + 1e-3
        assert low - 1e-3 <= y.min() and y.max() <= high + 1e-3
    last = torch.tensor(widget.first["places"]["data"]).view(-1, 2)
    assert torch.allclose(last, torch.tensor(settings["final"]), atol=1e-3)  # it begins at the end


def test_without_a_name_the_first_shown_word_is_followed(snapshots):
    assert training_map_widget([(0, snapshots[0]), (1, snapshots[1])], WORDS, GROUPS).settings["word"] == "w2"


def test_groups_have_the_palette_of_the_figures():
    light, dark = (re.findall(r"--group(\d): (#\w+);", rule) for rule in style().split("}")[:2])
    assert [colour.upper() for _, colour in light] == [colour.upper() for colour in PALETTE]
    assert [n for n, _ in light] == [n for n, _ in dark] == [str(n + 1) for n in range(MOST)]


def test_it_computes_where_its_snapshots_are(snapshots):
    model = TrainingMap(snapshots, torch.tensor(SHOWN)).to("meta")  # a device that any machine has
    position, word = torch.ones(1, device="meta"), torch.ones(1, dtype=torch.long, device="meta")
    assert {value.device.type for value in model(position, word)} == {"meta"}


def test_two_words_are_enough_for_a_map(snapshots):
    two = training_map_widget([(0, snapshots[0]), (1, snapshots[1])], WORDS, {"two": ["w1", "w2"]})
    assert two.first["places"]["dims"] == [2, 2] and len(two.settings["corners"][0]) == 2


def test_a_snapshot_from_after_the_training_diverged_is_named(snapshots):
    for bad in (torch.nan, torch.inf, 1e5):
        snapshots[2, 4, 1] = bad
        with pytest.raises(ValueError, match=r"snapshot 2 of 4 .* diverged"):
            training_map_widget(list(enumerate(snapshots)), WORDS, GROUPS)


def stations(*shape, steps=(0, 1)):
    return [(step, torch.randn(*shape)) for step in steps]


@pytest.mark.parametrize(
    ("snapshots", "groups", "options", "problem"),
    [
        (stations(12, 6, steps=[0]), GROUPS, {}, "two or more"),
        (stations(12, 6, steps=[5, 1]), GROUPS, {}, "earlier ones first"),
        (stations(11, 6), GROUPS, {}, "11 vectors for 12 words"),
        (stations(12), GROUPS, {}, r"give \(V, D\) tensors"),
        ([(0, torch.ones(12, 6)), (1, torch.ones(12, 5))], GROUPS, {}, "all of one shape"),
        ([], GROUPS, {}, "two or more"),
        (stations(12, LARGEST // 20), GROUPS, {}, "at most 1,000,000"),
        (stations(12, 6), {}, {}, "1 to 6"),
        (stations(12, 6), {"empty": []}, {}, "each with a word"),
        (stations(12, 6), {f"g{k}": ["w1"] for k in range(7)}, {}, "1 to 6"),
        (stations(12, 6), {"some": ["w1", "word"]}, {}, "'word' is not among"),
        (stations(12, 6), GROUPS, {"word": "word"}, "'word' is not among"),
        (stations(12, 6), {"one": ["w1"]}, {}, "show w1 alone: give two"),
        (stations(12, 6), {"one": ["w1", "w1"]}, {}, "w1 would be on the map twice"),
        (stations(12, 6), {"one": ["w1", "w2"], "two": ["w3", "w2"]}, {}, "w2 would be on the map twice"),
        (stations(12, 1), GROUPS, {}, "of 1 number make no map"),
    ],
)
def test_the_widget_says_what_it_takes(snapshots, groups, options, problem):
    with pytest.raises((ValueError, KeyError), match=problem):
        training_map_widget(snapshots, WORDS, groups, **options)
