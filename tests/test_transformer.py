"""vec2gpt.transformer: the whole model beside torch's, in use, and what it refuses."""

import dataclasses
import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch import nn

from vec2gpt.attention import attend, causal_mask
from vec2gpt.blocks import NORMS, RESIDUALS
from vec2gpt.decoding import greedy
from vec2gpt.hub import checkpoints, from_torch
from vec2gpt.positions import POSITIONS, sinusoids
from vec2gpt.search import beam_search
from vec2gpt.text import Vocab
from vec2gpt.transformer import FUSED, Transformer, TransformerConfig

CONFIG = TransformerConfig(
    source_vocab=9, target_vocab=8, context=10, width=12, heads=3, inner=7, activation="gelu"
)
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0], [5, 5, 4, 0, 0]])  # padded with 0
LENGTHS = [5, 2, 3]
IDS = torch.tensor([[1, 3, 4, 5], [1, 6, 7, 0], [1, 3, 3, 3]])
TARGETS = torch.tensor([[3, 4, 5, 2], [6, 7, 2, -100], [3, 3, 3, 2]])
B, S, T, L, H = 3, 5, 4, 2, 3

STYLES = [
    {"positions": positions, "residual": residual, "norm": norm}
    for positions, residual, norm in product(POSITIONS, RESIDUALS, NORMS)
    if (residual == "pre") + (norm == "layer") + (positions == "sinusoidal") >= 2
] + [{"tied": True, "source_vocab": 8}, {"embedding_norm": True, "scaled": False}]
every_style = pytest.mark.parametrize("style", STYLES, ids=str)


def model(**other):
    """A model so small that float64 shows what rounding would hide; no bias is 0, no norm does nothing."""
    torch.manual_seed(0)
    ours = Transformer(dataclasses.replace(CONFIG, **other)).double().eval()
    for weight in ours.parameters():
        if weight.dim() == 1:
            nn.init.normal_(weight)
    return ours


# ---- beside torch ----


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("first", [True, False])
def test_the_model_is_torchs_transformer_between_vectors_and_head(first):
    torch.manual_seed(0)
    options = {"activation": "gelu", "batch_first": True, "norm_first": first, "dtype": torch.double}
    theirs = nn.Transformer(12, H, L, L, 7, 0.0, **options)
    ours = model(residual="pre" if first else "post")
    for stack, blocks, last in (
        (theirs.encoder, ours.encoder, ours.encoded),
        (theirs.decoder, ours.decoder, ours.decoded),
    ):
        for layer, block in zip(stack.layers, blocks, strict=True):
            block.load_state_dict(from_torch(layer).state_dict())
        stack.norm = stack.norm if first else None  # they normalise once more; the paper does not
        last.load_state_dict(stack.norm.state_dict() if first else {})

    def embedded(ids, table):
        return table(ids) * 12**0.5 + sinusoids(10, 12)[: ids.shape[1]]

    padding = CONFIG.pad == SOURCE
    out = theirs(
        embedded(SOURCE, ours.source.table),
        embedded(IDS, ours.target.table),
        tgt_mask=~causal_mask(T),
        src_key_padding_mask=padding,
        memory_key_padding_mask=padding,
    )
    logits, loss = ours(SOURCE, IDS, TARGETS)
    torch.testing.assert_close(logits, ours.head(out), atol=1e-9, rtol=0)
    expected = F.cross_entropy(logits.flatten(0, 1), TARGETS.flatten(), ignore_index=-100)
    torch.testing.assert_close(loss, expected)


def test_labels_are_smoothed_in_training_alone():
    ours = model(label_smoothing=0.1, dropout=0.0)
    logits, loss = ours(SOURCE, IDS, TARGETS)
    log_p = logits.log_softmax(-1)[TARGETS != -100]
    right = log_p.gather(1, TARGETS[TARGETS != -100][:, None]).mean()
    torch.testing.assert_close(loss, -right)
    _, smoothed = ours.train()(SOURCE, IDS, TARGETS)
    torch.testing.assert_close(smoothed, -(0.9 * right + 0.1 * log_p.mean()))


@every_style
def test_every_part_is_as_the_configuration_says(style):
    ours = model(**style, dropout=0.25)
    c = ours.config
    last = NORMS[c.norm] if c.residual == "pre" else nn.Identity
    assert type(ours.encoded) is type(ours.decoded) is last
    dropouts = [part.p for part in ours.modules() if isinstance(part, nn.Dropout)]
    assert dropouts == [0.25] * (2 + 2 * L + 3 * L)  # embeddings, and sublayers of the two sides


def test_dropout_is_of_a_tokens_vector_and_its_place():
    embedded = model(dropout=0.999999).train().source(SOURCE, torch.arange(S))
    assert not embedded.any()


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_fresh_model_knows_nothing_and_its_numbers_are_of_size_1(positions):
    torch.manual_seed(0)
    ours = Transformer(dataclasses.replace(CONFIG, positions=positions, width=48, target_vocab=99)).eval()
    ids = torch.randint(3, 99, (8, 9))
    _, loss = ours(SOURCE[:1].expand(8, -1), ids, ids)
    assert loss.item() == pytest.approx(math.log(99), rel=0.2)
    tables = [part.weight for part in ours.modules() if isinstance(part, nn.Embedding)]
    assert len(tables) == (4 if positions == "learned" else 2)
    for table in tables:
        assert table.norm(dim=1).square().mean().item() == pytest.approx(1, rel=0.2)
    x = torch.randn(500, 48)
    assert ours.encoder[0].attention.sublayer.query(x).std().item() == pytest.approx(1, rel=0.1)


def test_it_learns_as_many_numbers_as_the_paper_says():
    """Vaswani et al., table 3, base model: 65 million with 37,000 shared tokens."""
    with torch.device("meta"):
        base = Transformer(
            TransformerConfig(37_000, 37_000, 512, 512, 8, 2048, 6, 6, tied=True, residual="post")
        )
    assert 62e6 < sum(weight.numel() for weight in base.parameters()) < 66e6


# ---- what looks at what ----


@every_style
def test_padding_changes_nothing(style):
    ours = model(**style)
    logits, _ = ours(SOURCE.clamp(max=7), IDS)
    for n, length in enumerate(LENGTHS):
        alone, _ = ours(SOURCE[n : n + 1, :length].clamp(max=7), IDS[n : n + 1])
        torch.testing.assert_close(logits[n : n + 1], alone)


@every_style
def test_a_step_sees_what_comes_before_and_nothing_else(style):
    ours, other = model(**style), IDS.clone()
    other[:, 2] = 6
    moved = (ours(SOURCE.clamp(max=7), IDS)[0] - ours(SOURCE.clamp(max=7), other)[0]).abs().amax(
        (0, 2)
    ) > 1e-9
    assert not moved[:2].any()
    assert moved[2:].all() == (style.get("residual") != "none")  # without residuals all tokens become one


@pytest.mark.parametrize(("positions", "told"), {name: name != "none" for name in POSITIONS}.items())
def test_without_positions_the_source_is_a_bag(positions, told):
    ours = model(positions=positions)
    shuffled = SOURCE[:1, [2, 0, 4, 1, 3]]
    moved = (ours(SOURCE[:1], IDS[:1])[0] - ours(shuffled, IDS[:1])[0]).abs().max() > 1e-6
    assert moved == told


def test_the_weights_of_every_head_and_layer_can_be_had():
    ours = model()
    looks = ours.look(SOURCE, IDS)
    assert [tuple(look.shape) for look in looks] == [(B, L, H, S, S), (B, L, H, T, T), (B, L, H, T, S)]
    for look in looks:
        torch.testing.assert_close(look.sum(-1), torch.ones_like(look[..., 0]))
    assert not looks.decoder.triu(1).any() and not looks.cross[1, ..., 2:].any()
    x = ours.source.table(SOURCE) * 12**0.5 + sinusoids(10, 12)[:S]
    first = ours.encoder[0].attention
    q, k, v = first.sublayer.project(*[first.norm(x)] * 3)
    mask = (SOURCE != 0)[:, None, None]
    torch.testing.assert_close(looks.encoder[:, 0], attend(q, k, v, mask)[1])


def test_the_weights_that_are_had_lead_nowhere_back():
    assert not any(weights.requires_grad for weights in model().look(SOURCE, IDS))


@pytest.mark.parametrize(("side", "near"), {"encoder": 1, "decoder": -1}.items())
def test_rotary_attention_weights_of_equal_tokens_depend_on_their_distance_alone(side, near):
    """A weight over that of oneself is exp(q_p · k_r − q_p · k_p), whatever stands beside."""
    same = torch.full((1, 5), 4)
    first = getattr(model(positions="rotary").look(same, same), side)[0, 0].log()  # (H, 5, 5)
    itself, beside = (first.diagonal(far, 1, 2) for far in (0, near))
    step = beside - (itself[:, 1:] if near < 0 else itself[:, :-1])
    torch.testing.assert_close(step, step[:, :1].expand_as(step), atol=1e-5, rtol=0)
    assert (step.abs() > 1e-3).all()


@pytest.mark.parametrize("kind", FUSED._fields)
def test_each_kind_of_attention_can_be_changed(kind):
    ours = model()

    def evenly(q, k, v, mask):
        return attend(q, k, v, mask, change=lambda weights: mask.double() / mask.sum(-1, keepdim=True))[0]

    changed, _ = ours(SOURCE, IDS, attends=FUSED._replace(**{kind: evenly}))
    assert (changed - ours(SOURCE, IDS)[0]).abs().max() > 1e-6


# ---- in use ----


@every_style
def test_reading_in_parts_is_reading_at_once(style):
    ours, source = model(**style), SOURCE.clamp(max=7)
    expected, _ = ours(source, IDS)
    state, got = ours.encode(source), []
    for part in IDS[:, :-1].split([2, 1], 1):
        logits, state = ours.read(part, state)
        got.append(logits)
    logits, state = ours.step(IDS[:, -1], state)
    torch.testing.assert_close(torch.cat([*got, logits[:, None]], 1), expected)
    assert state.cache.length.tolist() == [T] * B


@pytest.mark.parametrize("kind", FUSED._fields)
def test_attention_can_be_changed_while_it_reads_in_parts_too(kind):
    ours = model()

    def halved(q, k, v, mask):
        return attend(q, k, v, mask)[0] / 2

    attends = FUSED._replace(**{kind: halved})
    expected, _ = ours(SOURCE, IDS, attends=attends)
    state, got = ours.encode(SOURCE, attends=attends), []
    for part in IDS.split([2, 2], 1):
        logits, state = ours.read(part, state, attends=attends)
        got.append(logits)
    torch.testing.assert_close(torch.cat(got, 1), expected)
    assert (expected - ours(SOURCE, IDS)[0]).abs().max() > 1e-6


def test_greedy_says_what_is_likeliest_after_what_it_said():
    ours = model()
    said = greedy(ours.step, *ours.start(SOURCE), eos=CONFIG.eos, limit=9)
    read = torch.cat([torch.ones_like(said[:, :1]), said[:, :-1]], 1)
    likeliest = ours(SOURCE, read)[0].argmax(-1)
    ended = (read == CONFIG.eos).cumsum(1) > 0
    assert torch.equal(torch.where(ended, CONFIG.eos, likeliest), said)


def test_a_beam_knows_how_likely_its_texts_are():
    ours, width, limit = model(), 4, 5
    beam = beam_search(ours.step, *ours.start(SOURCE), eos=CONFIG.eos, width=width, limit=limit)
    for n, k in product(range(B), range(width)):
        said = beam.ids[n, k]
        end = (said == CONFIG.eos).int().argmax() + 1 if (said == CONFIG.eos).any() else limit
        read = torch.cat([torch.tensor([CONFIG.bos]), said[: end - 1]])[None]
        log_p = ours(SOURCE[n : n + 1], read)[0].log_softmax(-1)[0]
        torch.testing.assert_close(log_p.gather(1, said[:end, None]).sum(), beam.log_p[n, k])


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_checkpoint_brings_it_back(positions, tmp_path):
    ours = model(positions=positions)
    vocabs = {"source": Vocab.build("abcdef"), "target": Vocab.build("uvwxy")}
    checkpoints.save(ours, tmp_path / "one", vocabs=vocabs, seed=0, steps=1, data="sha256:0", metrics={})
    back = checkpoints.load(tmp_path / "one").model
    assert back.config == ours.config
    torch.testing.assert_close(back(SOURCE, IDS)[0].double(), ours(SOURCE, IDS)[0], atol=3e-2, rtol=0)


def test_one_table_serves_source_target_and_output():
    ours = model(tied=True, source_vocab=8)
    assert ours.source.table.weight is ours.target.table.weight is ours.head.weight


@pytest.mark.slow
@pytest.mark.parametrize("positions", ["sinusoidal", "rotary"])
def test_the_exported_model_looks_and_translates_at_any_length(positions):
    def sentences(n):
        source = torch.randint(3, 9, (2, n))
        source[1, (n + 1) // 2 :] = CONFIG.pad
        return source, torch.randint(3, 8, (2, n + 2))

    def answer(ours, source, ids):
        said = greedy(ours.step, *ours.start(source), eos=2, limit=9)  # torch stops early, a graph does not
        return ours(source, ids)[0], *ours.look(source, ids), F.pad(said, (0, 9 - said.shape[1]), value=2)

    ours = model(positions=positions, context=42).float()
    check_export(ours, answer, sentences, [1, 2, 7, 40], axes=((1,), (1,)))


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"positions": "relative"},
            "positions is 'relative': choose one of none, sinusoidal, learned, rotary",
        ),
        ({"residual": "both"}, "residual is 'both': choose one of pre, post, none"),
        ({"norm": "l2"}, "norm is 'l2': choose one of layer, batch, rms, none"),
        ({"activation": "tanh"}, "activation is 'tanh': choose one of relu, gelu"),
        ({"heads": 5}, "width 12 does not split into 5 heads"),
        ({"context": 0}, "context is 0: give at least 1"),
        ({"dropout": 1.0}, "dropout is 1.0: give a share"),
        ({"label_smoothing": -0.1}, "label_smoothing is -0.1: give a share"),
        ({"eos": 8}, "eos is 8, but the target vocabulary has the ids 0 … 7"),
        ({"tied": True}, "vocabularies of 9 and 8 cannot share a table"),
    ],
)
def test_what_does_not_fit_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        model(**other)


def test_ids_that_it_cannot_read_are_named():
    ours = model()
    for source, message in (
        (torch.tensor([[9]]), "source_ids hold 9"),
        (SOURCE[:, :0], "source_ids are empty"),
        (SOURCE[0], r"source_ids have the shape \(5,\)"),
        (torch.tensor([[3], [0]]), "source 1 is padding alone"),
        (torch.full((1, 11), 3), "source_ids: 11 tokens are too long for this model's context of 10"),
    ):
        with pytest.raises(ValueError, match=message):
            ours.encode(source)
    with pytest.raises(ValueError, match="decoder_ids: 11 tokens are too long"):
        ours(SOURCE, torch.full((3, 11), 3))
    with pytest.raises(ValueError, match="decoder_ids hold 8"):
        ours(SOURCE, torch.full((3, 1), 8))


def test_each_source_has_a_target():
    ours = model()
    with pytest.raises(ValueError, match="2 targets do not go with 3 sources: give one target for each"):
        ours(SOURCE, IDS[:2])
    for ids, sources in ((IDS[:1], SOURCE[:2]), (IDS[:2], SOURCE[:1])):
        with pytest.raises(ValueError, match=f"{len(ids)} targets do not go with {len(sources)} sources"):
            ours.read(ids, ours.encode(sources))


def test_a_text_that_outgrows_the_context_is_refused_not_cut():
    ours = model()
    _, state = ours.read(torch.full((3, 10), 3), ours.encode(SOURCE))
    with pytest.raises(ValueError, match="11 tokens are too long for this model's context of 10"):
        ours.step(torch.tensor([3, 3, 3]), state)
