"""Induction heads: attention made by hand has scores that are known, and a head that is off gives nothing."""

import pytest
import torch
import torch.nn.functional as F

from vec2gpt.attention import attend
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.induction import Without, after_the_same, just_before, repeated, rises, score

ABA = torch.tensor([[0, 1, 0]])


def gpt(**options):
    torch.manual_seed(0)
    model = GPT(GPTConfig(9, context=16, layers=2, heads=4, width=16, **options)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model


# ---- what a GPT looks at ----


@pytest.mark.parametrize("options", [{}, TODAY])
def test_a_look_is_every_weight_of_every_head(options):
    model, ids = gpt(**options), torch.randint(9, (2, 7))
    looks = model.look(ids)
    assert looks.shape == (2, 2, 4, 7, 7) and not looks.requires_grad
    torch.testing.assert_close(looks.sum(-1), torch.ones(2, 2, 4, 7))
    assert (looks.triu(1) == 0).all() and (looks.tril() > 0).any()


def test_to_watch_changes_nothing():
    model, ids = gpt(**TODAY), torch.randint(9, (2, 7))
    watched, _ = model(ids, attend=lambda q, k, v, mask: attend(q, k, v, mask)[0])
    torch.testing.assert_close(watched, model(ids)[0], atol=1e-4, rtol=1e-4)


# ---- where a head would look ----


def test_a_b_a_looks_at_b():
    assert after_the_same(ABA)[0].tolist() == [[False] * 3, [False] * 3, [False, True, False]]
    assert just_before(ABA)[0].nonzero().tolist() == [[1, 0], [2, 1]]


def test_every_earlier_one_counts_and_none_to_come():
    ids = torch.randint(4, (3, 12))
    pattern = after_the_same(ids)
    for b, t, s in torch.cartesian_prod(torch.arange(3), torch.arange(12), torch.arange(12)).tolist():
        assert pattern[b, t, s] == (0 < s <= t and ids[b, s - 1] == ids[b, t])


def test_a_head_made_by_hand_has_score_1_and_its_opposite_0():
    ids = torch.arange(8).repeat(2)[None]  # eight tokens, said twice
    after, before = after_the_same(ids), just_before(ids)
    heads = [after.float(), before.float(), torch.eye(16)[None], (after + 3 * before) / 4]
    weights = torch.stack(heads, 1).unflatten(1, (2, 2))  # (B, L, H, T, T)
    assert score(weights, after).tolist() == [[1, 0], [0, 0.25]]
    assert score(weights, before).tolist() == [[0, 1], [0, 0.75]]


def test_texts_in_which_nothing_recurs_are_answered():
    ids = torch.arange(4)[None]
    with pytest.raises(ValueError, match="give longer ones, in which tokens recur"):
        score(torch.zeros(1, 1, 1, 4, 4), after_the_same(ids))
    for pattern in (after_the_same, just_before):
        with pytest.raises(ValueError, match="empty"):
            pattern(torch.zeros(1, 0, dtype=torch.long))
        with pytest.raises(ValueError, match=r"for one text give ids\[None\]"):
            pattern(ids[0])
    with pytest.raises(ValueError, match=r"give \(B, L, H, T, T\)"):
        score(torch.zeros(2, 4, 3, 3), after_the_same(ABA))


def test_a_repeated_text_is_said_twice():
    ids = repeated(7, length=20, size=5, generator=torch.Generator().manual_seed(0))
    assert (
        ids.shape == (5, 40)
        and torch.equal(ids[:, :20], ids[:, 20:])
        and ids.unique().tolist() == [*range(7)]
    )
    with pytest.raises(ValueError, match="vocab_size is 1"):
        repeated(1, length=2, size=1, generator=torch.Generator())


# ---- heads switched off ----


def test_a_head_that_is_off_is_one_whose_output_matrix_is_0():
    model, ids = gpt(**TODAY), torch.randint(9, (2, 7))
    off, _ = model(ids, attend=Without({(1, 2)}, layers=2))
    with torch.no_grad():
        model.blocks[1].attention.sublayer.output.weight[:, 8:12] = 0  # of 4 heads of 4 the third
    torch.testing.assert_close(off, model(ids)[0])


def test_it_counts_the_layers_anew_for_each_reading():
    model, ids = gpt(), torch.randint(9, (2, 7))
    without = Without({(0, 1)}, layers=2)
    assert torch.equal(model(ids, attend=without)[0], model(ids, attend=without)[0])
    assert torch.equal(model(ids, attend=Without((), layers=2))[0], model(ids)[0])


def test_a_rise_is_the_loss_without_less_the_loss_with():
    model, ids = gpt(), torch.randint(9, (2, 8))
    targets = torch.cat([torch.full((2, 4), -100), ids[:, :4]], 1)
    found = rises(model, ids, targets)
    logits, _ = model(ids, attend=Without({(1, 3)}, layers=2))
    losses = [F.cross_entropy(x[:, 4:].flatten(0, 1), ids[:, :4].flatten()) for x in (logits, model(ids)[0])]
    assert found.shape == (2, 4)
    assert found[1, 3].item() == pytest.approx((losses[0] - losses[1]).item(), abs=1e-4)
    assert found.abs().max() > 1e-3


@pytest.mark.parametrize("head", [(2, 0), (-1, 0)])
def test_a_layer_that_is_not_there_is_answered(head):
    with pytest.raises(ValueError, match="there is no layer"):
        Without({head}, layers=2)


def test_a_head_that_is_not_there_is_answered():
    with pytest.raises(ValueError, match=r"layer 0 has 0 … 3"):
        gpt()(ABA, attend=Without({(0, 4)}, layers=2))
