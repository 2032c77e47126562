"""vec2gpt.t5: distances, the bias they give, and a model that learns; that it is T5: tests/hub."""

import doctest

import pytest
import torch

from vec2gpt import t5
from vec2gpt.attention import attend, causal_mask
from vec2gpt.decoding import greedy
from vec2gpt.t5 import T5, V1_1, DistanceBias, T5Config, attend_biased, bucket

SMALL = {"width": 6, "heads": 2, "head_width": 5, "inner": 7, "encoder_layers": 1, "decoder_layers": 2}
SMALL |= {"context": 9, "dropout": 0.0, "buckets": 8, "farthest": 9}
SOURCE = torch.tensor([[3, 4, 5, 1], [6, 1, 0, 0]])
IDS = torch.tensor([[0, 5, 6, 7], [0, 8, 3, 3]])


def small(**other):
    torch.manual_seed(0)
    return T5(T5Config(9, **SMALL | other)).double().eval()


# ---- distances ----


def test_the_example_of_the_docstring_is_true():
    failed, tried = doctest.testmod(t5)
    assert (failed, tried > 0) == (0, True)


def test_near_distances_have_a_bucket_each_and_no_farther_one_a_lower():
    found = bucket(-torch.arange(300), both_ways=False)
    assert found[:16].tolist() == list(range(16)) and found[127] == 31
    assert (found.diff() >= 0).all() and (found[128:] == 31).all() and len(found.unique()) == 32
    assert (bucket(torch.arange(9), both_ways=False) == 0).all()


def test_both_ways_each_has_half():
    distances = torch.arange(1, 300)
    before, after = (bucket(sign * distances, both_ways=True) for sign in (-1, 1))
    assert torch.equal(after, before + 16)
    assert before[:8].tolist() == [1, 2, 3, 4, 5, 6, 7, 8] and before.max() == 15


def test_the_bias_depends_on_the_distance_alone():
    bias = DistanceBias(T5Config(9), both_ways=True)
    places = torch.arange(12)
    here = bias(places, places)
    assert here.shape == (1, 8, 12, 12)
    assert torch.equal(here[..., 1:, 1:], here[..., :-1, :-1])
    assert torch.equal(bias(places + 100, places + 100), here)
    assert torch.equal(bias(places[None, 3:5], places), here[..., 3:5, :])


@pytest.mark.parametrize("mask", [None, causal_mask(4)], ids=["open", "causal"])
def test_the_bias_joins_unscaled_scores(mask):
    q, k, v = torch.randn(3, 2, 3, 4, 5, dtype=torch.double).unbind()
    bias = torch.randn(1, 3, 4, 4, dtype=torch.double)
    expected, _ = attend(q, k, v, mask, score=lambda q, k: q @ k.mT + bias)
    torch.testing.assert_close(attend_biased(q, k, v, mask, bias=bias), expected)
    plain, _ = attend(q, k, v, mask, score=lambda q, k: q @ k.mT)
    torch.testing.assert_close(attend_biased(q, k, v, mask), plain)


# ---- the model ----


@pytest.mark.parametrize("style", [{}, V1_1, {"tied": False}], ids=str)
def test_step_by_step_it_says_what_it_says_at_once(style):
    model = small(**style)
    expected, _ = model(SOURCE, IDS)
    first, state = model.start(SOURCE)
    assert first.tolist() == [0, 0]
    for place in range(4):
        logits, state = model.step(IDS[:, place], state)
        torch.testing.assert_close(logits, expected[:, place], atol=1e-12, rtol=0)


def test_padding_changes_nothing():
    model = small()
    longer = torch.cat([SOURCE, torch.zeros_like(SOURCE)], 1)
    torch.testing.assert_close(model(longer, IDS)[0], model(SOURCE, IDS)[0])


def test_no_layer_has_a_bias_and_one_table_serves_all_layers():
    names = [name for name, _ in small().named_parameters()]
    assert not [name for name in names if name.endswith("bias")]
    assert [name for name in names if "_bias." in name] == [
        "encoder_bias.table.weight",
        "decoder_bias.table.weight",
    ]


def test_at_first_a_guess_is_not_far_from_even():
    """The first weights keep numbers at size 1: the loss of a fresh model is near ln V."""
    torch.manual_seed(0)
    model = T5(T5Config(100, width=64, heads=4, head_width=16, inner=128, dropout=0.0))
    ids = torch.randint(2, 100, (8, 20))
    _, loss = model(ids, ids, ids.roll(1, 1))
    assert abs(loss.item() - torch.tensor(100.0).log()) < 1.0


@pytest.mark.slow
def test_it_learns_to_turn_a_text_round():
    torch.manual_seed(0)
    sizes = {"width": 32, "heads": 2, "head_width": 16, "inner": 64, "encoder_layers": 1, "decoder_layers": 1}
    model = T5(T5Config(8, context=8, dropout=0.0, **sizes))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    texts = torch.randint(2, 8, (500, 3))
    ends = torch.ones(len(texts), 1, dtype=torch.long)
    answers = torch.cat([texts.flip(1), ends], 1)
    asked = torch.cat([0 * ends, texts.flip(1)], 1)
    for step in range(120):
        some = torch.arange(64) + 64 * (step % 7)  # never the last 52
        _, loss = model(texts[some], asked[some], answers[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    said = greedy(model.eval().step, *model.start(texts[-52:]), eos=1, limit=4)
    assert (said == answers[-52:]).all(1).float().mean() > 0.3  # by chance it would be 1 / 216


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"buckets": 3}, "buckets is 3: give at least 4"),
        ({"farthest": 4}, "farthest is 4, but the first 4 of 8 buckets have one distance each"),
        ({"head_width": 0}, "head_width is 0: give at least 1"),
        ({"feed_forward": "wide"}, "feed_forward is 'wide': choose one of plain, gated"),
        ({"eos": 9}, "eos is 9, but the target vocabulary has the ids 0 … 8"),
        ({"dropout": 1.0}, "dropout is 1.0: give a share"),
    ],
    ids=str,
)
def test_a_bad_configuration_is_named(other, message):
    with pytest.raises(ValueError, match=message):
        small(**other)


@pytest.mark.parametrize(
    ("source", "ids", "message"),
    [
        (SOURCE + 4, IDS, "source_ids hold 10, but the model knows the ids 0 … 8"),
        (SOURCE[0], IDS, r"source_ids have the shape \(4,\), not \(B, T\)"),
        (SOURCE, IDS[0], r"decoder_ids have the shape \(4,\), not \(B, T\)"),
        (0 * SOURCE, IDS, "source 0 is padding alone"),
        (SOURCE, IDS.repeat(1, 3), "decoder_ids: 12 tokens are too long for this model's context of 9"),
        (SOURCE[:1], IDS, "2 targets do not go with 1 sources"),
        (SOURCE[:, :0], IDS, "source_ids are empty"),
    ],
    ids=["vocabulary", "one source", "one target", "padding", "long", "batch", "empty"],
)
def test_bad_ids_are_named(source, ids, message):
    with pytest.raises(ValueError, match=message):
        small()(source, ids)


def test_a_full_cache_is_named():
    model = small()
    _, state = model.read(IDS.repeat(1, 2), model.encode(SOURCE))
    with pytest.raises(ValueError, match="ids: 12 tokens are too long for this model's context of 9"):
        model.read(IDS, state)
