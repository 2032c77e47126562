"""The valves: two readings side by side, each as a plain loop over the cell reads, and the presets exact."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.text import Vocab
from vec2gpt.widgets.valves import GUESSES, KINDS, LIMIT, Valves, valves_widget

VOCAB = Vocab("abcdefgh ", specials=())
TEXT = "a bad egg had a cage"
KEEP, REPLACE = "keep", "replace"


def language_model(cell="lstm", **options):
    torch.manual_seed(0)
    config = LanguageModelConfig(len(VOCAB), cell=cell, **{"width": 6, "hidden": 7} | options)
    model = RecurrentLanguageModel(config).eval()
    for weight in model.parameters():  # far from the start, where all gates are half open
        torch.nn.init.normal_(weight)
    return model


def plain_reading(model, ids, held):
    """What a loop over the cell sees: at each step the gates, the states (hidden,) and the logits (V,)."""
    cell, names = model.stack.cells[0], KINDS[model.config.cell].gates
    state, seen = cell.initial(1), []
    for id, values in zip(ids, held, strict=True):
        gates = cell.gates(model.embedding(id[None]), state)
        for name, value in zip(names, values.tolist(), strict=True):
            if value >= 0:
                gates = gates._replace(**{name: torch.full_like(state.h, value)})
        state = cell.update(gates, state)
        seen.append((gates, state, model.head(state.h)[0]))
    return seen


@pytest.fixture(params=["lstm", "gru"])
def model(request):
    return language_model(request.param)


@pytest.fixture
def question(model):
    held = torch.rand(1, len(TEXT), len(KINDS[model.config.cell].gates))
    return torch.tensor([VOCAB.encode(TEXT)]), torch.where(torch.rand_like(held) < 0.3, held, -1.0)


def held_at(model, step, values):
    """A question in which nothing but the gates of one step is held."""
    held = torch.full((1, len(TEXT), len(values)), -1.0)
    held[0, step] = torch.tensor([-1.0 if value is None else float(value) for value in values])
    return torch.tensor([VOCAB.encode(TEXT)]), held


@torch.no_grad()
def test_both_readings_are_those_of_a_plain_loop(model, question):
    (ids, held), unit = question, 4
    trace, surprise, guesses, p = Valves(model)(ids, held, torch.tensor([unit]))
    for reading, by_hand in enumerate((torch.full_like(held, -1.0), held)):
        seen, kind = plain_reading(model, ids[0], by_hand[0]), KINDS[model.config.cell]
        for t, (gates, state, logits) in enumerate(seen):
            parts = [getattr(gates, name) for name in kind.gates | kind.candidate]
            parts += [getattr(state, name) for name in kind.states]
            assert trace[reading, t].tolist() == pytest.approx([x[0, unit].item() for x in parts], abs=1e-5)
            best = logits.softmax(0).topk(GUESSES)
            assert guesses[reading, t].tolist() == best.indices.tolist()
            assert p[reading, t].tolist() == pytest.approx(best.values.tolist(), abs=1e-5)
        nats = cross_entropy(torch.stack([logits for *_, logits in seen[:-1]]), ids[0, 1:], reduction="none")
        bits = nats / math.log(2)
        assert surprise[reading].tolist() == pytest.approx([0, *bits.tolist()], abs=1e-4)


@torch.no_grad()
def test_the_free_reading_costs_what_the_model_says(model, question):
    ids, held = question
    _, surprise, *_ = Valves(model)(ids, held, torch.tensor([0]))
    _, loss = model(ids[:, :-1], ids[:, 1:])
    assert surprise[0, 1:].mean().item() == pytest.approx(loss.item() / math.log(2), abs=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("unit", [0, 6])
def test_a_held_gate_changes_nothing_before_its_letter(model, unit):
    preset = KINDS[model.config.cell].presets[REPLACE]
    trace, surprise, *_ = Valves(model)(*held_at(model, 9, preset), torch.tensor([unit]))
    assert torch.allclose(trace[0, :9], trace[1, :9], atol=1e-5)
    assert torch.allclose(surprise[0, :10], surprise[1, :10], atol=1e-4)
    assert (trace[0, 10:] - trace[1, 10:]).abs().max() > 1e-2


@torch.no_grad()
@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("unit", [0, 3])
def test_the_presets_do_exactly_what_they_say(cell, unit):
    """Of a unit: its memory after step 9, from that before and the candidate; and what it shows."""
    model, kind, memory = language_model(cell), KINDS[cell], "c" if cell == "lstm" else "h"
    names = [*kind.gates, *kind.candidate, *kind.states]
    for preset, values in kind.presets.items():
        trace, *_ = Valves(model)(*held_at(model, 9, values), torch.tensor([unit]))
        before, after = (dict(zip(names, trace[1, t].tolist(), strict=True)) for t in (8, 9))
        candidate = after[next(iter(kind.candidate))]
        expected = {KEEP: before[memory], REPLACE: candidate, "add": before[memory] + candidate}
        assert after[memory] == pytest.approx(expected.get(preset, candidate), abs=1e-6), preset
        if preset == "add":
            assert after["h"] == 0  # what it adds it hides


@torch.no_grad()
def test_a_gru_that_starts_anew_is_what_it_would_be_at_the_first_letter():
    """z = r = 0: neither the state nor the candidate sees what was read."""
    model = language_model("gru")
    trace, *_ = Valves(model)(*held_at(model, 8, KINDS["gru"].presets["anew"]), torch.tensor([2]))
    cell = model.stack.cells[0]
    gates = cell.gates(model.embedding(torch.tensor([VOCAB[TEXT[8]]])), cell.initial(1))
    # at the first letter h is 0, but U h + b still brings b: r closes that out too
    fresh = cell.update(gates._replace(z=torch.zeros(1, 7), r=torch.zeros(1, 7)), cell.initial(1))
    assert trace[1, 8, -1].item() == pytest.approx(fresh.h[0, 2].item(), abs=1e-6)


def test_the_widget_holds_what_its_view_needs(model):
    other = language_model(model.config.cell, hidden=11)
    widget = valves_widget({"trained here": model, "long run": other}, VOCAB, TEXT, unit=3)
    kind, settings = KINDS[model.config.cell], widget.settings
    assert list(widget.spec["models"]) == ["trained here", "long run"]
    assert settings["units"] == {"trained here": 7, "long run": 11} and settings["unit"] == 3
    assert [symbol for symbol, _ in settings["gates"]] == list(kind.gates)
    assert all(len(values) == len(kind.gates) for _, values in settings["presets"])
    width = len(settings["gates"]) + len(settings["states"])
    assert widget.first["trace"]["dims"] == [2, len(TEXT), width]


def test_a_single_letter_costs_nothing(model):
    widget = valves_widget(model, VOCAB, "a")
    assert widget.first["surprise"] == {"dims": [2, 1], "data": [0, 0]}
    assert widget.first["probabilities"]["data"][0] > 1 / len(VOCAB)


def test_a_vocabulary_of_three_has_three_guesses():
    model = RecurrentLanguageModel(LanguageModelConfig(3, cell="gru", width=6, hidden=7))
    guesses = valves_widget(model, Vocab("abc", specials=()), "abca").first["guesses"]
    assert guesses["dims"] == [2, 4, 3] and sorted(guesses["data"][:3]) == [0, 1, 2]


@pytest.mark.parametrize(("text", "unit"), [("", 0), ("a" * (LIMIT + 1), 0), ("a", -1), ("a", 7)])
def test_texts_and_units_that_do_not_fit_are_refused(model, text, unit):
    with pytest.raises(ValueError, match=r"give 1 to 100|units 0 to 6"):
        valves_widget(model, VOCAB, text, unit=unit)


def diverged():
    model = language_model()
    with torch.no_grad():
        model.head.weight[0, 0] = math.nan
    return model


def test_a_character_outside_the_vocabulary_is_named(model):
    with pytest.raises(KeyError, match="😀"):
        valves_widget(model, VOCAB, "a😀")


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ({}, "there is no model"),
        (
            {"mine": language_model("rnn")},
            "mine is made of rnn cells; this widget shows lstm or gru",
        ),
        ({"mine": language_model("relu")}, "mine is made of relu cells"),
        ({"mine": language_model(layers=2)}, "mine has 2 layers"),
        ({"mine": diverged()}, "mine holds NaN or ∞"),
        ({"a": language_model(), "b": language_model("gru")}, "the kinds gru, lstm: give a widget to each"),
    ],
)
def test_models_that_it_cannot_show_are_refused(models, problem):
    with pytest.raises(ValueError, match=problem):
        valves_widget(models, VOCAB, TEXT)


def test_a_vocabulary_that_is_not_the_models_is_refused(model):
    with pytest.raises(ValueError, match="knows 9 characters, but the vocabulary has 3: give its own"):
        valves_widget(model, Vocab("abc", specials=()), "abc")


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_a_gate_beyond_1_is_refused(model, question, value):
    ids, held = question
    held[0, 2, 1] = value
    with pytest.raises(ValueError, match=f"held has {value}; a gate is held at 0 to 1"):
        Valves(model)(ids, held, torch.tensor([0]))
