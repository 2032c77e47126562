"""vec2gpt.hub.from_hf.bert: ours reads as BERT, RoBERTa, DistilBERT and ALBERT of `transformers` do."""

import pytest
import torch
import transformers
from torch import nn

from vec2gpt.bert import Bert, BertConfig, MaskedLM, Pretraining
from vec2gpt.hub import from_hf
from vec2gpt.hub.from_hf import bert

PAD = 3  # not 0, and not the last
SIZES = {
    "vocab_size": 11,
    "hidden_size": 15,
    "num_hidden_layers": 3,
    "num_attention_heads": 5,
    "intermediate_size": 7,
    "max_position_embeddings": 12,
    "type_vocab_size": 2,
    "pad_token_id": PAD,
    "initializer_range": 0.3,
    "layer_norm_eps": 1e-5,  # large enough to be seen
    "attn_implementation": "eager",  # whose weights can be asked for
}
DISTIL = {
    "hidden_dim": SIZES["intermediate_size"],
    "dim": SIZES["hidden_size"],
    "n_layers": SIZES["num_hidden_layers"],
    "n_heads": SIZES["num_attention_heads"],
}
CONFIGS = {  # sizes of each family, and what its field for the activation is called
    "Bert": (SIZES, "hidden_act"),
    "Roberta": (SIZES | {"max_position_embeddings": 12 + PAD + 1}, "hidden_act"),
    "DistilBert": (
        {name: SIZES[name] for name in SIZES if name not in ("layer_norm_eps", "type_vocab_size")} | DISTIL,
        "activation",
    ),
    "Albert": (SIZES | {"embedding_size": 4}, "hidden_act"),
}
OURS = {"Model": Bert, "ForMaskedLM": MaskedLM, "ForPreTraining": Pretraining}
IDS = torch.tensor([[4, 5, 6, 7, 0, 1, 10], [8, 4, PAD, PAD, PAD, PAD, PAD], [5, 5, 4, 2, 9, PAD, PAD]])
SEGMENTS = torch.tensor([[0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 1, 1]])
TOKENS = IDS != PAD
every_family = pytest.mark.parametrize("family", CONFIGS)
every_kind = pytest.mark.parametrize("name", bert.FAMILIES)


def theirs(name, **other):
    """A model of random weights, in float64, in evaluation mode; no bias is 0, no norm does nothing."""
    family = max((family for family in CONFIGS if name.startswith(family)), key=len)
    config = getattr(transformers, f"{family}Config")(**CONFIGS[family][0] | other)
    torch.manual_seed(0)
    model = getattr(transformers, name)(config).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight += 0.3 * torch.randn_like(weight)
    return model


def read(model, *, segments=True, **other):
    """What they make of IDS."""
    if segments and "type_vocab_size" in model.config.to_dict():
        other["token_type_ids"] = SEGMENTS
    with torch.no_grad():
        return model(input_ids=IDS, attention_mask=TOKENS.long(), **other)


def segments_of(model):
    return SEGMENTS if model.config.segments else None


def assert_same(ours, theirs, *, atol=1e-9):
    """At every token; padding may differ."""
    torch.testing.assert_close(ours[TOKENS], theirs[TOKENS], atol=atol, rtol=0)


# ---- what it computes ----


@every_kind
@pytest.mark.parametrize("attends", ["eager", "sdpa"])
def test_its_numbers_are_theirs(name, attends):
    model = theirs(name, attn_implementation=attends)
    ours = from_hf(model)
    mine, their = ours(IDS, segments=segments_of(ours)), read(model)[0]
    assert_same(mine if type(ours) is Bert else mine[0], their)


@every_kind
def test_in_single_precision_its_numbers_are_nearly_theirs(name):
    model = theirs(name).float()
    ours = from_hf(model)
    mine, their = ours(IDS, segments=segments_of(ours)), read(model)[0]
    assert_same(mine if type(ours) is Bert else mine[0], their, atol=1e-4 * their.abs().max().item())


@every_kind
def test_without_segments_all_is_of_the_first(name):
    model = theirs(name)
    mine, their = from_hf(model)(IDS), read(model, segments=False)[0]
    assert_same(mine if torch.is_tensor(mine) else mine[0], their)


@every_family
def test_every_layer_and_every_head_is_theirs(family):
    model = theirs(f"{family}ForMaskedLM")
    ours, expected = from_hf(model), read(model, output_hidden_states=True, output_attentions=True)
    segments = segments_of(ours)
    for mine, their in zip(ours.layers(IDS, segments), expected.hidden_states, strict=True):
        assert_same(mine, their)
    seen, looked = ours.look(IDS, segments).movedim(3, 1), torch.stack(expected.attentions, 1).movedim(3, 1)
    assert_same(seen, looked)  # (B, T, L, H, T): where each token looks


@pytest.mark.parametrize("name", ["relu", "gelu_new", "gelu_pytorch_tanh", "silu"])
@pytest.mark.parametrize("family", ["Bert", "DistilBert", "Albert"])
def test_every_bend_is_theirs(family, name):
    model = theirs(f"{family}ForMaskedLM", **{CONFIGS[family][1]: name})
    ours = from_hf(model)
    assert_same(ours(IDS, segments=segments_of(ours))[0], read(model).logits)


@pytest.mark.parametrize(
    "other",
    [
        {"type_vocab_size": 3},
        {"num_hidden_layers": 1, "num_attention_heads": 1},
        {"hidden_size": 4, "num_attention_heads": 2},  # ALBERT's vectors of tokens are then as wide
        {"pad_token_id": 0},
        {"pad_token_id": 10},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", ["Bert", "Roberta", "Albert"])
def test_every_shape_is_theirs(family, other):
    context = {"max_position_embeddings": 12 + 10 + 1} if family == "Roberta" else {}
    model = theirs(f"{family}ForMaskedLM", **context | other)
    ids = torch.where(TOKENS, IDS.clamp(1, 9), other.get("pad_token_id", PAD))
    ids = torch.where(TOKENS & (ids == PAD) & ("pad_token_id" not in other), 4, ids)
    with torch.no_grad():
        their = model(input_ids=ids, attention_mask=TOKENS.long(), token_type_ids=SEGMENTS).logits
    assert_same(from_hf(model)(ids, segments=SEGMENTS)[0], their)


def test_pairs_are_judged_as_theirs_are_and_both_losses_are_theirs():
    model = theirs("BertForPreTraining")
    ours, targets, pairs = from_hf(model), torch.where(IDS % 2 == 0, IDS, -100), torch.tensor([0, 1, 1])
    expected = read(model, labels=targets, next_sentence_label=pairs)
    torch.testing.assert_close(ours.judge(IDS, SEGMENTS), expected.seq_relationship_logits, atol=1e-9, rtol=0)
    assert ours(IDS, targets, SEGMENTS, pairs)[1].item() == pytest.approx(expected.loss.item(), abs=1e-9)


def test_robertas_whole_context_is_read():
    model = theirs("RobertaModel")
    ids = torch.tensor([[4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 4, 5]])
    ours = from_hf(model)
    assert ours.config.context == ids.shape[1]
    with torch.no_grad():
        expected = model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(ours(ids), expected, atol=1e-9, rtol=0)


# ---- what it is ----


@every_kind
def test_the_kind_is_as_its_name_says(name):
    ours = from_hf(theirs(name))
    assert type(ours) is OURS["Model" if name.endswith("Model") else name[name.index("For") :]]


def test_the_configuration_is_theirs():
    common = {"vocab_size": 11, "width": 15, "heads": 5, "inner": 7, "layers": 3, "pad": PAD, "context": 12}
    expected = {
        "Bert": BertConfig(**common, epsilon=1e-5, dropout=0.25),
        "Roberta": BertConfig(**common, epsilon=1e-5, dropout=0.25),
        "DistilBert": BertConfig(**common, epsilon=1e-12, dropout=0.1, segments=0),
        "Albert": BertConfig(
            **common, epsilon=1e-5, dropout=0.25, factors=4, shared=True, activation="gelu tanh"
        ),
    }
    for family, config in expected.items():
        dropout = {} if family == "DistilBert" else {"hidden_dropout_prob": 0.25}
        assert from_hf(theirs(f"{family}Model", **dropout)).config == config, family


@every_kind
def test_the_weights_are_copies_the_mode_is_kept_and_no_chance_is_drawn(name):
    model = theirs(name)
    before = torch.get_rng_state()
    ours = from_hf(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert not ours.training and from_hf(model.train()).training
    assert all(weight.requires_grad for weight in ours.parameters())
    kept = {name: weight.clone() for name, weight in model.state_dict().items()}
    with torch.no_grad():
        for weight in ours.parameters():
            weight.zero_()
    assert all(torch.equal(weight, kept[name]) for name, weight in model.state_dict().items())


@every_family
def test_none_of_their_weights_is_left_behind_but_the_pooler(family):
    model = theirs(f"{family}ForMaskedLM")
    total = sum(weight.numel() for weight in model.parameters())
    unused = (PAD + 1) * 15 if family == "Roberta" else 0  # places where no token stands
    assert sum(weight.numel() for weight in from_hf(model).parameters()) == total - unused
    if family == "Bert":
        model = theirs("BertForPreTraining")
        total = sum(weight.numel() for weight in model.parameters())
        assert sum(weight.numel() for weight in from_hf(model).parameters()) == total


@every_kind
def test_the_device_is_kept(name):
    with torch.device("meta"):
        model = theirs(name)
    ours = from_hf(model)
    assert {(weight.device.type, weight.dtype) for weight in ours.parameters()} == {("meta", torch.double)}


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("name", "other", "message"),
    [
        ("BertModel", {"is_decoder": True}, "is_decoder is True, but ours reads a whole text"),
        (
            "RobertaModel",
            {"is_decoder": True, "add_cross_attention": True},
            "is_decoder is True, but ours reads a whole text",
        ),
        (
            "BertModel",
            {"position_embedding_type": "relative_key"},
            "position_embedding_type is 'relative_key': give a model with 'absolute'",
        ),
        (
            "BertModel",
            {"hidden_act": "tanh"},
            "the activation 'tanh' has no equal here: give one of relu",
        ),
        ("DistilBertModel", {"activation": "tanh"}, "the activation 'tanh' has no equal here"),
        ("RobertaForMaskedLM", {"hidden_act": "relu"}, "hidden_act is 'relu', but RoBERTa's head has gelu"),
        (
            "AlbertModel",
            {"num_hidden_groups": 3},
            "num_hidden_groups is 3, but in ours one block is all",
        ),
        ("AlbertModel", {"inner_group_num": 2}, "inner_group_num is 2, but in ours one block is all layers"),
        ("BertModel", {"pad_token_id": None}, "pad is None, but the vocabulary has the ids 0 … 10"),
        ("RobertaModel", {"pad_token_id": None}, "pad is None, but the vocabulary has the ids 0 … 10"),
        *(
            (f"{family}ForMaskedLM", {"tie_word_embeddings": False}, "input and output have a table each")
            for family in CONFIGS
        ),
    ],
    ids=str,
)
def test_a_part_without_an_equal_is_named(name, other, message):
    model = theirs(name, **other)
    for field, value in other.items():
        setattr(model.config, field, value)  # whatever this version of theirs makes of it
    with pytest.raises(ValueError, match=message):
        from_hf(model)


def test_robertas_blocks_may_bend_in_another_way_where_there_is_no_head():
    model = theirs("RobertaModel", hidden_act="relu")
    assert_same(from_hf(model)(IDS, SEGMENTS), read(model)[0])


@pytest.mark.parametrize("name", ["BertForMultipleChoice", "BertLMHeadModel", "RobertaForCausalLM"])
def test_another_head_is_refused_by_its_name(name):
    with pytest.raises(ValueError, match=f"{name} has no equal here: give one of MarianMTModel, .*BertModel"):
        from_hf(theirs(name))


def test_a_part_of_theirs_is_no_model():
    with pytest.raises(ValueError, match="BertEncoder has no equal here"):
        from_hf(theirs("BertModel").encoder)
    with pytest.raises(ValueError, match="Linear has no equal here"):
        from_hf(nn.Linear(2, 2))
