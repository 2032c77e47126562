"""Mappings told by examples: how prompts are written, and what the best reader of them can answer."""

from itertools import product

import pytest
import torch

from vec2gpt.in_context import (
    Notation,
    best_on_features,
    best_on_tables,
    examples,
    features,
    mislabelled,
    posterior,
    reordered,
    tables,
)
from vec2gpt.language import IGNORED

SMALL = Notation(keys=2, labels=3)
KEYS, LABELS = torch.tensor([[0, 3, 0]]), torch.tensor([[2, 4, 2]])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# ---- how a prompt is written ----


@pytest.mark.parametrize(
    ("template", "written"),
    [("k l", "a 3 E 5 a"), ("k → l", "a → 3 E → 5 a →"), ("k → l ;", "a → 3 ; E → 5 ; a →")],
)
def test_a_prompt_is_examples_and_then_a_key(template, written):
    notation = Notation()
    prompts = notation.write(KEYS, LABELS, template=template)
    assert notation.spell(prompts.ids[0]) == written
    named = prompts.targets[0][prompts.targets[0] != IGNORED]
    assert [notation.tokens[id] for id in named] == ["3", "5", "3"]
    assert (prompts.targets[0] != IGNORED).nonzero()[:, 0].tolist() == prompts.asked.tolist()


def test_what_is_asked_for_is_the_token_that_comes_next():
    prompts = Notation().write(KEYS, LABELS, template="k → l ;")
    for place in prompts.asked[:-1]:
        assert prompts.ids[0, place + 1] == prompts.targets[0, place]


def test_an_answer_is_a_label_though_another_token_be_likelier():
    notation = Notation()
    prompts = notation.write(KEYS, LABELS)
    logits = torch.zeros(1, prompts.ids.shape[1], len(notation.tokens))
    logits[..., 0] = 9.0
    logits[:, prompts.asked, notation.keys + LABELS] = 1.0
    assert notation.answers(logits, prompts).tolist() == LABELS.tolist()


@pytest.mark.parametrize("template", ["", "k", "l k", "k k l", "k = l", "kl"])
def test_a_template_that_is_no_example_is_answered(template):
    with pytest.raises(ValueError, match="give a k, then an l"):
        Notation().write(KEYS, LABELS, template=template)


@pytest.mark.parametrize(("keys", "labels"), [(1, 8), (9, 8), (4, 1), (4, 10), (2.0, 3)])
def test_a_notation_without_signs_is_answered(keys, labels):
    with pytest.raises(ValueError, match=r"give at least 2|there are signs for|whole number"):
        Notation(keys=keys, labels=labels)


# ---- mappings ----


def test_examples_are_of_their_mapping():
    mappings = tables(5, SMALL, generator())
    keys, labels = examples(mappings, 20, generator(1))
    assert keys.shape == labels.shape == (5, 20)
    assert all(
        mappings[b, key] == label for b in range(5) for key, label in zip(keys[b], labels[b], strict=True)
    )
    with pytest.raises(ValueError, match="count is 0"):
        examples(mappings, 0, generator())


@pytest.mark.parametrize(("keys", "labels", "count"), [(2, 3, 6), (4, 8, 112), (8, 4, 36)])
def test_the_mappings_that_follow_a_feature_are_all_different(keys, labels, count):
    found = features(Notation(keys=keys, labels=labels))
    assert len(found) == len(found.unique(dim=0)) == count
    assert all(len(mapping.unique()) == 2 for mapping in found)


def test_a_feature_is_what_the_signs_show():
    notation = Notation()
    mappings = [dict(zip(notation.tokens[:4], row, strict=True)) for row in features(notation).tolist()]
    capitals = [mapping for mapping in mappings if mapping["a"] == mapping["e"]]
    vowels = [mapping for mapping in mappings if mapping["a"] == mapping["A"]]
    assert len(capitals) == len(vowels) == 56
    assert all(mapping["A"] == mapping["E"] for mapping in capitals)
    assert all(mapping["e"] == mapping["E"] for mapping in vowels)


def test_features_want_all_combinations_of_them():
    with pytest.raises(ValueError, match="3 keys are not all combinations"):
        features(Notation(keys=3))


# ---- the best reader ----


def on_average(mappings, notation, shown):
    """How often the most likely label is right, over all mappings and all keys that can be shown."""
    asked = torch.tensor(list(product(range(notation.keys), repeat=shown + 1)))  # (Q, shown + 1)
    right = []
    for mapping in mappings:
        labels = mapping[asked]
        p = posterior(mappings, asked, labels)[:, -1]  # (Q, labels)
        best = p > p.amax(1, keepdim=True) - 1e-6  # a draw is decided by lot
        right.append((best.gather(1, labels[:, -1:])[:, 0] / best.sum(1)).mean())
    return torch.stack(right).mean().item()


@pytest.mark.parametrize("shown", range(4))
def test_the_best_on_tables_is_what_the_posterior_reaches(shown):
    every = torch.tensor(list(product(range(3), repeat=2)))
    assert on_average(every, SMALL, shown) == pytest.approx(best_on_tables(shown, SMALL), abs=1e-6)


@pytest.mark.parametrize(
    ("keys", "labels", "shown"), [*product([4], [2, 3, 4], range(4)), (8, 2, 2), (8, 3, 2), (2, 3, 2)]
)
def test_the_best_on_features_is_what_the_posterior_reaches(keys, labels, shown):
    notation = Notation(keys=keys, labels=labels)
    reached = on_average(features(notation), notation, shown)
    assert reached == pytest.approx(best_on_features(shown, notation), abs=1e-6)


def test_the_best_in_figures():
    notation = Notation()
    assert [best_on_tables(n, notation) for n in (0, 1)] == [1 / 8, 11 / 32]
    assert best_on_features(0, notation) == 1 / 8
    assert best_on_features(1, notation) == pytest.approx(15 / 28)
    assert best_on_tables(16, notation) > 0.99 and best_on_features(16, notation) > 0.9999
    with pytest.raises(ValueError, match="shown is -1"):
        best_on_tables(-1, notation)


def test_a_reader_whose_mappings_do_not_fit_learns_nothing():
    known = torch.tensor([[0, 1], [0, 2]])
    p = posterior(known, torch.tensor([[0, 1, 1]]), torch.tensor([[0, 2, 2]]))
    torch.testing.assert_close(p[0, 1:], torch.tensor([[0, 0.5, 0.5], [0, 0, 1.0]]))
    p = posterior(known, torch.tensor([[0, 1]]), torch.tensor([[2, 2]]))
    torch.testing.assert_close(p[0, 1], torch.tensor([0, 0.5, 0.5]))


# ---- other prompts ----


def test_reordered_examples_are_the_same_and_the_question_stays():
    keys, labels = examples(tables(50, Notation(), generator()), 6, generator(1))
    again, told = reordered(keys, labels, generator(2))
    assert torch.equal(again[:, -1], keys[:, -1]) and torch.equal(told[:, -1], labels[:, -1])
    assert not torch.equal(again, keys)
    pairs = (10 * keys + labels).sort(1).values
    assert torch.equal((10 * again + told).sort(1).values, pairs)


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_so_many_labels_are_wrong_but_never_the_last(share):
    labels = torch.randint(8, (500, 11), generator=generator())
    told = mislabelled(labels, share, Notation(), generator(1))
    assert (told != labels)[:, :-1].float().mean().item() == pytest.approx(share, abs=0.03)
    assert torch.equal(told[:, -1], labels[:, -1]) and told.min() >= 0 and told.max() < 8


def test_a_share_that_is_none_is_answered():
    with pytest.raises(ValueError, match="share is 2"):
        mislabelled(torch.zeros(1, 2, dtype=torch.long), 2, Notation(), generator())
