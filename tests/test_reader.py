"""vec2gpt.reader: with a causal mask a GPT, with two masks XLNet's two streams, and with none a BERT."""

import math

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export

from vec2gpt.attention import causal_mask
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.objectives import permuted
from vec2gpt.reader import Reader, ReaderConfig
from vec2gpt.training import fit

V, T = 13, 9
SIZES = {"context": 16, "width": 16, "heads": 2, "layers": 2}


def reader(**options):
    torch.manual_seed(0)
    model = Reader(ReaderConfig(V, **SIZES | options)).eval()
    for weight in model.parameters():  # far enough from the quiet start that mistakes show
        torch.nn.init.normal_(weight, std=0.4)
    return model


def texts(rows=2, length=T):
    return torch.randint(V, (rows, length), generator=torch.Generator().manual_seed(1))


def says(model, ids, mask=None, content=None):
    with torch.no_grad():
        return model(ids, None, mask, content)[0]


def test_with_a_causal_mask_it_is_a_gpt():
    model, gpt = reader(), GPT(GPTConfig(V, **SIZES)).eval()
    weights = {name.replace("position.", "positions.table."): w for name, w in model.state_dict().items()}
    missing = gpt.load_state_dict(weights, strict=False)
    assert not missing.missing_keys and missing.unexpected_keys == ["query"]
    torch.testing.assert_close(says(model, texts(), causal_mask(T)), gpt(texts())[0], atol=1e-5, rtol=0)


def test_without_a_mask_all_see_all():
    model = reader()
    open_ = torch.ones(T, T, dtype=torch.bool)
    torch.testing.assert_close(says(model, texts()), says(model, texts(), open_), atol=1e-6, rtol=0)
    turned = says(model, texts().flip(1), open_)
    assert not torch.allclose(turned.flip(1), says(model, texts()), atol=1e-2)  # it knows places


def test_each_row_reads_with_its_own_mask():
    model, ids = reader(), texts(3)
    masks = torch.rand(3, 1, T, T, generator=torch.Generator().manual_seed(0)) > 0.5
    together = says(model, ids, masks)
    for row in range(3):
        alone = says(model, ids[row : row + 1], masks[row, 0])
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-5, rtol=0)
        for_all = says(model, ids, masks[row : row + 1])
        torch.testing.assert_close(for_all[row : row + 1], alone, atol=1e-5, rtol=0)


def test_a_token_that_may_look_nowhere_goes_by_itself():
    model, ids = reader(), texts(1)
    shut = torch.zeros(T, T, dtype=torch.bool)
    alone = says(model, ids, shut)
    assert alone.isfinite().all()
    other = ids.clone()
    other[0, 1:] = (other[0, 1:] + 1) % V
    changed = says(model, other, shut)
    assert torch.equal(alone[:, 0], changed[:, 0]) and not torch.allclose(alone[:, 1:], changed[:, 1:])
    _, loss = model(ids, ids, shut)
    loss.backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())


def two_streams(model, ids, query, content):
    """As XLNet's paper has it: two loops over the layers, which share the weights."""
    places = model.positions.table.weight[: ids.shape[1]]
    h, g = model.token(ids) + places, (model.query + places).expand(len(ids), -1, -1)
    for block in model.blocks:
        attention = block.attention
        asks, offers = attention.norm(g), attention.norm(h)

        def looked(x, mask, offers=offers, inner=attention.sublayer):
            return inner(x, look=lambda q, k, v: seen(inner, q, offers, mask))

        g, h = g + looked(asks, query), h + looked(offers, content)
        g, h = block.feed_forward(g), block.feed_forward(h)
    return F.linear(model.norm(g), model.token.weight)


def seen(inner, q, x, mask):
    """What queries see at places x, by torch's own attention; 0 where they may look nowhere."""
    k, v = inner._split(inner.key(x)), inner._split(inner.value(x))
    scores = (q @ k.transpose(-1, -2) / k.shape[-1] ** 0.5).masked_fill(~mask, -torch.inf)
    return scores.softmax(-1).nan_to_num(0.0) @ v


@pytest.mark.parametrize("seed", range(3))
@torch.no_grad()
def test_two_masks_are_two_streams(seed):
    model, ids = reader(), texts()
    example = permuted(ids, torch.Generator().manual_seed(seed), share=1)
    expected = two_streams(model, ids, example.mask, example.content)
    torch.testing.assert_close(says(model, ids, example.mask, example.content), expected, atol=1e-5, rtol=0)
    for_all = says(model, ids, example.mask[:1], example.content[0, 0])  # masks of two shapes
    torch.testing.assert_close(for_all[:1], expected[:1], atol=1e-5, rtol=0)


def test_the_query_stream_knows_its_place_and_not_its_token():
    model, ids = reader(), texts(1)
    example = permuted(ids, order=torch.arange(T - 1, -1, -1), share=1)
    first = says(model, ids, example.mask, example.content)[:, T - 1]  # said before all others
    for other in (ids + 1) % V, ids.flip(1):
        assert torch.equal(first, says(model, other, example.mask, example.content)[:, T - 1])


def test_the_loss_is_of_what_is_asked_and_starts_near_ln_v():
    torch.manual_seed(0)
    model = Reader(ReaderConfig(V, **SIZES))
    ids = texts(8)
    targets = torch.where(torch.arange(T) % 3 == 0, ids, -100)
    logits, loss = model(ids, targets, causal_mask(T))
    expected = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
    torch.testing.assert_close(loss, expected)
    model = Reader(ReaderConfig(1000, context=16, width=128, heads=2, layers=1))
    asked = torch.randint(1000, (16, 16))
    assert model(torch.randint(1000, (16, 16)), asked)[1].item() == pytest.approx(math.log(1000), abs=0.4)


@pytest.mark.parametrize("width", [48, 768])
def test_it_starts_with_vectors_as_long_as_gpt_2s(width):
    torch.manual_seed(0)
    model = Reader(ReaderConfig(200, context=64, width=width, layers=2, heads=4))
    for table in (model.token.weight, model.positions.table.weight):
        assert table.square().sum(-1).mean().sqrt().item() == pytest.approx(0.02 * 768**0.5, rel=0.05)
    block, std = model.blocks[0], 0.02 * (768 / width) ** 0.5
    assert block.attention.sublayer.query.weight.std().item() == pytest.approx(std, rel=0.1)
    assert block.feed_forward.sublayer.output.weight.std().item() == pytest.approx(std / 2, rel=0.1)
    assert not block.attention.sublayer.output.bias.any() and (model.norm.weight == 1).all()
    assert model.query.any()


def test_it_learns_two_streams_of_what_can_be_known():
    """Each text counts up, so that any one token tells all: in any order all but the first are told."""
    torch.manual_seed(0)
    model = Reader(ReaderConfig(V, context=6, width=32, heads=2, layers=1))

    def draw(generator):
        start = torch.randint(V, (32, 1), generator=generator)
        return permuted((start + torch.arange(6)) % V, generator, share=0.5).batch()

    history = fit(model, draw, steps=100, lr=1e-2)
    assert history.losses[0] == pytest.approx(math.log(V), abs=0.3)
    assert sum(history.losses[-10:]) / 10 < 0.8  # and with nothing seen 2.6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": 0}, "context is 0: give at least 1"),
        ({"layers": 1.5}, "layers is 1.5: give a whole number"),
        ({"dropout": 1.0}, "dropout is 1.0: give a share"),
        ({"width": 10, "heads": 3}, "width 10 does not split into 3 heads"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Reader(ReaderConfig(V, **options))


OPEN = torch.ones(T, T, dtype=torch.bool)


@pytest.mark.parametrize(
    ("mask", "content", "message"),
    [
        (OPEN.expand(2, T, T), None, r"mask has the shape \(2, 9, 9\), .*second axis is the heads"),
        (OPEN.expand(2, 2, T, T), None, r"mask has the shape \(2, 2, 9, 9\)"),
        (OPEN.expand(3, 1, T, T), None, r"mask has the shape \(3, 1, 9, 9\)"),
        (OPEN[:, :5], None, r"shape \(9, 5\), and inputs \(2, 9\): give \(9, 9\) for all, or \(2, 1, 9, 9\)"),
        (OPEN[:5, :5], None, r"shape \(5, 5\)"),
        (OPEN[0], None, r"shape \(9,\)"),
        (OPEN, OPEN.expand(2, T, T), r"content has the shape \(2, 9, 9\)"),
        (OPEN.float(), None, "mask is torch.float32: give torch.bool"),
        (None, OPEN, "content is given without mask"),
    ],
)
def test_a_mask_of_another_shape_is_refused(mask, content, message):
    with pytest.raises(ValueError, match=message):
        reader()(texts(), None, mask, content)


def test_ids_that_it_has_no_room_for_are_named():
    with pytest.raises(ValueError, match="inputs: 17 tokens are too long for this model's context of 16"):
        reader()(texts(1, 17))
    with pytest.raises(ValueError, match="inputs hold 13"):
        reader()(torch.tensor([[13]]))


@pytest.mark.slow
def test_the_exported_model_reads_any_length_with_any_mask():
    def both(model, ids, mask, content):
        return model(ids, None, mask)[0], model(ids, None, mask, content)[0]

    def example(n):
        masks = torch.rand(2, n, n) > 0.6
        masks[:, 0] = False
        return texts(1, n), *masks

    check_export(reader(), both, example, [1, 2, 7, 16], axes=((1,), (0, 1), (0, 1)))
