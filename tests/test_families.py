"""The families' facts agree with the bibliography, the timeline, and what the library counts."""

import pytest
from bibliography import cited, entries

from vec2gpt.families import BERT_AND_GPT, FAMILIES, MODELS, bert_and_gpt, families, models
from vec2gpt.sizes import GPT_SIZES, SIZES
from vec2gpt.timeline import EVENTS


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_of_its_paper(name):
    one = MODELS[name]
    assert one.by == cited(one.paper) and one.family in FAMILIES
    assert 0 <= entries()[one.paper][1] - one.year <= 1
    assert not one.size_from or one.size_from in entries()
    assert one.parameters is None or one.parameters > 0


def test_the_timeline_says_the_same():
    events = {event.name: event for event in EVENTS}
    both = events.keys() & MODELS.keys()
    assert len(both) > 10
    for name in both:
        one, event = MODELS[name], events[name]
        assert (one.year, one.paper, one.chapter) == (event.year, event.paper, event.chapter)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("BERT", SIZES["BERT large"]),
        ("ALBERT", SIZES["ALBERT xxlarge"]),
        ("DistilBERT", SIZES["DistilBERT"]),
        ("GPT", GPT_SIZES["GPT-1"]),
        ("GPT-2", GPT_SIZES["GPT-2 XL"]),
        ("GPT-3", GPT_SIZES["GPT-3"]),
    ],
)
def test_the_published_size_is_near_what_is_counted(name, size):
    said = MODELS[name].parameters
    assert said == size.said
    assert said == pytest.approx(size.counted() / 1e6, rel=0.06)


def test_the_examples_are_models_of_their_family():
    for family, one in FAMILIES.items():
        assert [MODELS[name].family for name in one.examples] == [family] * len(one.examples)


def test_models_oldest_first_and_nothing_made_up():
    table = models()
    assert table["year"].is_monotonic_increasing and len(table) == len(MODELS)
    unknown = set(table.loc[table["millions"].isna(), "model"])
    assert unknown == {name for name, one in MODELS.items() if one.parameters is None}
    assert "GPT-4" not in MODELS  # its makers do not say how it is built, nor how large it is


def test_families_and_bert_against_gpt_as_tables():
    table = families()
    assert list(table.columns) == ["", *FAMILIES] and table.iloc[-1]["encoder-only"].startswith("BERT, ")
    assert not table.isna().any().any()
    rows = bert_and_gpt().values.tolist()
    assert {row[0]: tuple(row[1:]) for row in rows} == BERT_AND_GPT
    assert {"architecture", "objective", "attention", "strength", "tasks"} <= BERT_AND_GPT.keys()
