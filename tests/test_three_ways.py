"""The three ways: one stack's masks and caches, and the recorded table."""

import dataclasses

import pytest
import torch

from vec2gpt import corpora
from vec2gpt.attention import causal_mask
from vec2gpt.objectives import prefix as prefix_objective
from vec2gpt.recipes import RECIPES, recorded, table
from vec2gpt.recipes.__main__ import main
from vec2gpt.recipes.task import size
from vec2gpt.recipes.translation import pronunciation, three_ways
from vec2gpt.recipes.translation.three_ways import MASKS, ROOM, OneStackConfig, Reader, Writer

SOURCE = torch.tensor([[3, 4, 5, 2], [6, 6, 3, 2]])
IDS = torch.tensor([[1, 5, 6, 7, 8], [1, 8, 3, 3, 4]])
WRITERS = ["causal", "prefix"]


def small(kind, mask, **other):
    torch.manual_seed(0)
    options = {"width": 12, "heads": 3, "inner": 7, "context": 9, "dropout": 0.0} | other
    return kind(OneStackConfig(9, 10, mask=mask, **options)).double().eval()


# ---- who may look at whom ----


def test_the_masks_are_those_of_the_objectives():
    assert torch.equal(MASKS["causal"](3, 4), causal_mask(7))
    ids = torch.arange(7)[None]
    assert torch.equal(MASKS["prefix"](3, 4), prefix_objective(ids, lengths=3).may_look())
    assert MASKS["everywhere"](3, 4).all()


def moved(model, source, ids):
    """Which of the sounds' logits change where the text does: (T,)."""
    before, after = model(SOURCE, IDS)[0], model(source, ids)[0]
    return ((before - after).abs() > 1e-9).any(-1).any(0).tolist()


def changed(ids, place):
    ids = ids.clone()
    ids[:, place] = 7 - ids[:, place] // 2
    return ids


@pytest.mark.parametrize("mask", WRITERS)
def test_a_writer_sees_all_letters_and_the_sounds_so_far(mask):
    model = small(Writer, mask)
    assert moved(model, changed(SOURCE, 0), IDS) == [True] * 5
    assert moved(model, SOURCE, changed(IDS, 2)) == [False, False, True, True, True]


def test_letters_see_what_follows_with_a_prefix_mask_alone():
    """A first letter's own state, as the cache keeps it, knows the second only there."""
    for mask, knows in (("causal", False), ("prefix", True)):
        model = small(Writer, mask)
        first, other = (model.encode(ids).cache.keys[-1][:, :, 0] for ids in (SOURCE, changed(SOURCE, 2)))
        assert bool((first - other).abs().max() > 1e-9) == knows


def test_a_reader_sees_no_sound():
    model = small(Reader, "everywhere")
    assert moved(model, SOURCE, changed(IDS, 2)) == [False] * 5
    assert moved(model, changed(SOURCE, 3), IDS) == [True] * 5


# ---- step by step ----


@pytest.mark.parametrize(("kind", "mask"), [(Writer, "causal"), (Writer, "prefix"), (Reader, "everywhere")])
def test_what_is_said_step_by_step_is_what_is_said_at_once(kind, mask):
    model = small(kind, mask)
    expected, _ = model(SOURCE, IDS)
    first, state = model.start(SOURCE)
    assert first.tolist() == [1, 1]
    for place in range(IDS.shape[1]):
        logits, state = model.step(IDS[:, place], state)
        torch.testing.assert_close(logits, expected[:, place], atol=1e-12, rtol=0)


def test_behind_its_last_mask_a_reader_says_the_end():
    model = small(Reader, "everywhere")
    room = SOURCE.shape[1] + ROOM
    logits, _ = model.read(IDS.repeat(1, 2), model.encode(SOURCE))
    assert (logits[:, room:].argmax(-1) == model.config.eos).all() and logits[:, room:].numel()
    assert torch.equal(logits[:, :room], model.encode(SOURCE).logits)


# ---- what cannot be ----


def test_what_does_not_fit_is_named():
    model = small(Writer, "causal")
    with pytest.raises(ValueError, match="a source is padded, but sounds follow it"):
        model(torch.tensor([[3, 2, 0]]), IDS[:1])
    with pytest.raises(ValueError, match="10 tokens are too long for this model's context of 9"):
        model(SOURCE, IDS.repeat(1, 2))
    with pytest.raises(ValueError, match="2 targets do not go with 1 sources"):
        model(SOURCE[:1], IDS)
    with pytest.raises(ValueError, match="ids hold 10, but the model knows the ids 0 … 9"):
        model(SOURCE, IDS + 2)
    with pytest.raises(ValueError, match="mask is 'both': choose one of causal, prefix, everywhere"):
        small(Writer, "both")
    with pytest.raises(ValueError, match="positions are 'rotary', but two texts"):
        small(Writer, "causal", positions="rotary")


# ---- the table ----


def test_all_ways_hold_about_as_many_numbers():
    held = {way: size(made.model(three_ways.config(way))) for way, made in three_ways.WAYS.items()}
    assert max(held.values()) < 1.005 * min(held.values())


def test_only_words_whose_sounds_have_room_are_learned_and_all_others_are():
    pairs = pronunciation.pairs(corpora.cmudict_split().train)
    assert sum(len(said) >= len(spelt) + ROOM for spelt, said in pairs) == 9
    unseen = pronunciation.pairs(corpora.cmudict_split().test)
    assert all(len(said) < len(spelt) + ROOM for spelt, said in unseen)


def test_the_recorded_table_is_whole_and_of_these_settings():
    rows = recorded("three-ways")
    expected = [(seed, way) for seed in three_ways.SEEDS for way in three_ways.WAYS]
    assert [(row.seed, row.way) for row in rows.itertuples()] == expected
    assert rows.notna().all(axis=None)
    settings = three_ways.experiment().settings
    for row in rows.itertuples():
        assert settings(seed=row.seed, way=row.way)["settings"] == row.settings
        assert row.steps == three_ways.STEPS
    assert set(rows.data) == {corpora.corpus("cmudict").sha256[:12]}


@pytest.mark.slow
@pytest.mark.parametrize("way", three_ways.WAYS)
def test_a_thin_slice_gives_a_row(way, tmp_path, monkeypatch):
    words = corpora.cmudict_split()
    pronunciation.vocabs()  # of all words, before there are few
    few = words._replace(train=words.train[::50], validation=words.validation[:20], test=words.test[:60])
    monkeypatch.setattr(corpora, "cmudict_split", lambda: few)
    sliced = dataclasses.replace(RECIPES["three-ways"], axes={"seed": (0,), "way": (way,)})
    monkeypatch.setitem(RECIPES, "three-ways", sliced)
    assert main(["three-ways", "--steps", "5", "--out", str(tmp_path)]) == 0
    [row] = table.read("three-ways", tmp_path).itertuples()
    assert row.parameters == size(three_ways.WAYS[way].model(three_ways.config(way)))
    assert 0.5 < row.test_wer <= 1 and row.test_per > 0.3 and row.seconds > 0  # after 5 steps it babbles
