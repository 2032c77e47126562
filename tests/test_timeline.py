"""The timeline's facts agree with the bibliography, and it holds what the syllabus names."""

import doctest

import pytest
from bibliography import cited, entries

import vec2gpt.timeline as module
from vec2gpt.timeline import EVENTS, THREADS, of_thread

NAMES = [event.name for event in EVENTS]


@pytest.mark.parametrize("event", EVENTS, ids=NAMES)
def test_an_event_is_of_its_paper(event):
    """Public in the paper's year, or up to a year before it was printed."""
    assert event.by == cited(event.paper)
    assert 0 <= entries()[event.paper][1] - event.year <= 1
    assert event.thread in THREADS and 0 <= event.chapter <= 14
    assert event.what.endswith(".") and len(event.what) <= 110


def test_they_stand_in_order_of_time_and_no_name_twice():
    years = [event.year for event in EVENTS]
    assert years == sorted(years) and len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    "order",
    [  # as the papers' own dates have it
        ["n-grams", "The guessing game", "LSTM", "A neural language model", "word2vec", "Seq2Seq"],
        ["Translation by one network", "GRU", "Attention", "Seq2Seq", "GloVe"],
        ["Learning from preferences", "Transformer", "ULMFiT", "ELMo", "GPT", "BERT", "BioBERT", "GPT-2"],
        ["GPT-3", "LEGAL-BERT", "Instruction tuning", "InstructGPT", "BLOOM", "ChatGPT", "LLaMA", "PaLM-E"],
        ["PaLM-E", "GPT-4", "DPO"],
    ],
)
def test_what_came_first_stands_first(order):
    assert [NAMES.index(name) for name in order] == sorted(NAMES.index(name) for name in order)


def test_a_thread_and_all():
    assert of_thread("") == list(EVENTS)
    assert sum(len(of_thread(thread)) for thread in THREADS) == len(EVENTS)
    assert all(len(of_thread(thread)) > 1 for thread in THREADS)
    with pytest.raises(ValueError, match="thread is 'word': choose one of counting, words"):
        of_thread("word")


def test_the_example_is_true():
    assert doctest.testmod(module) == (0, 1)
