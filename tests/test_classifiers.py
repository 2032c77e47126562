"""vec2gpt.classifiers: heads against sums by hand and torch.nn; padding changes nothing; bad questions."""

from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export
from torch import nn

from vec2gpt.bert import Bert, BertConfig, MaskedLM, Pretraining
from vec2gpt.classifiers import (
    Bag,
    Classifier,
    ClassifierConfig,
    RecurrentClassifier,
    Tagger,
    TaggerConfig,
    predict,
    token_mean,
)
from vec2gpt.hub import checkpoints
from vec2gpt.labelled import labelled, tagged
from vec2gpt.training import fit

V, C = 13, 3
CONFIG = BertConfig(V, context=12, width=12, heads=3, inner=20, layers=2, pad=2, dropout=0.0)
PAD = CONFIG.pad


def shaken(model):
    """In float64 and evaluation mode, far enough from the quiet start that mistakes show."""
    model = model.double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.4 * torch.randn_like(weight)
    return model


def bert(kind=Bert, config=CONFIG):
    torch.manual_seed(0)
    return shaken(kind(config))


def table():
    torch.manual_seed(1)
    return nn.Embedding(V, 5)


MADE = {
    "mean": lambda: Classifier(bert(), C),
    "cls": lambda: Classifier(bert(), C, pool="cls"),
    "bag": lambda: Bag(table(), C, pad=PAD),
    "lstm": lambda: RecurrentClassifier(table(), C, hidden=4, pad=PAD),
    "gru": lambda: RecurrentClassifier(table(), C, hidden=4, layers=2, cell="gru", pad=PAD),
}
every = pytest.mark.parametrize("name", MADE)


def made(name):
    torch.manual_seed(3)
    return shaken(MADE[name]())


def rows_of(*lengths):
    torch.manual_seed(2)
    return [torch.randint(3, V, (length,)).tolist() for length in lengths]


def ids_of(*lengths):
    rows = rows_of(*lengths)
    return torch.tensor([row + [PAD] * (max(lengths) - len(row)) for row in rows])


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)


# ---- what is computed ----


def test_the_mean_of_the_docstring():
    x, tokens = torch.tensor([[[1.0], [3.0], [8.0]]]), torch.tensor([[True, True, False]])
    assert token_mean(x, tokens).tolist() == [[2.0]]


def test_a_texts_logits_are_its_mean_vector_times_the_head():
    model, ids = made("mean"), ids_of(4, 2)
    x = model.bert(ids)
    by_hand = torch.stack([x[0].sum(0) / 4, (x[1, 0] + x[1, 1]) / 2]) @ model.head.weight.T + model.head.bias
    close(model(ids)[0], by_hand)


def test_with_cls_the_first_vector_speaks_for_all():
    model, ids = made("cls"), ids_of(4, 2)
    first = model.bert(ids)[:, 0]
    spoken = torch.tanh(first @ model.pool.linear.weight.T + model.pool.linear.bias)
    close(model(ids)[0], spoken @ model.head.weight.T + model.head.bias)


def test_a_pair_task_that_was_learned_is_carried_on():
    """A Pretraining that judges pairs is itself a classifier of two classes by [CLS]."""
    learned, ids = bert(Pretraining), ids_of(5, 3)
    segments = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0]])
    model = Classifier(learned, 2, pool="cls")
    model.head.load_state_dict(learned.pair.state_dict())
    close(model(ids, None, segments)[0], learned.judge(ids, segments))


def test_a_bag_is_torchs_bag():
    model, ids = made("bag"), ids_of(6, 3, 1)
    theirs = nn.EmbeddingBag.from_pretrained(model.table.weight.detach(), mode="mean", padding_idx=PAD)
    close(model(ids)[0], model.head(theirs(ids)))


def test_the_recurrent_one_is_torchs_lstm_both_ways():
    model, ids = made("lstm"), ids_of(6)
    theirs = nn.LSTM(5, 4, bidirectional=True, batch_first=True, dtype=torch.double)
    for cell, end in zip(model.stack.cells, ("_l0", "_l0_reverse"), strict=True):
        for name, weight in cell.named_parameters():
            getattr(theirs, name + end).data.copy_(weight)
    shown, _ = theirs(model.table(ids))
    close(model(ids)[0], model.head(shown.mean(1)))


def test_a_bag_knows_no_order_and_the_others_do():
    ids = ids_of(8)
    turned = ids.flip(1)
    close(made("bag")(ids)[0], made("bag")(turned)[0])
    for name in MADE.keys() - {"bag"}:
        model = made(name)
        assert (model(ids)[0] - model(turned)[0]).abs().max() > 1e-3, name


@every
def test_the_loss_is_torchs_and_counts_no_text_that_is_not_asked_for(name):
    model, ids, targets = made(name), ids_of(4, 3, 2), torch.tensor([2, 0, 1])
    logits, loss = model(ids, targets)
    close(loss, F.cross_entropy(logits, targets))
    assert model(ids)[1] is None
    close(model(ids, torch.tensor([2, -100, -100]))[1], F.cross_entropy(logits[:1], targets[:1]))


@every
def test_padding_never_counts(name):
    model, ids = made(name), ids_of(7, 4)
    alone = torch.cat([model(ids[:1])[0], model(ids[1:, :4])[0]])
    close(model(ids)[0], alone)
    wider = F.pad(ids, (0, 3), value=PAD)
    close(model(wider)[0], alone)


def test_a_token_is_judged_by_its_own_vector():
    model, ids = shaken(Tagger(bert(), C)), ids_of(5, 3)
    logits, loss = model(ids)
    close(logits, model.head(model.bert(ids)))
    assert loss is None and logits.shape == (2, 5, C)


def test_at_padding_and_at_minus_100_no_token_is_asked():
    model, ids = shaken(Tagger(bert(), C)), ids_of(5, 3)
    targets = torch.tensor([[0, -100, 2, 1, -100], [1, 1, 0, 2, 0]])  # the last two are padding
    logits, loss = model(ids, targets)
    asked = [(0, 0), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2)]
    close(loss, sum(F.cross_entropy(logits[place], targets[place]) for place in asked) / len(asked))


def test_segments_reach_what_reads():
    for model in (made("mean"), made("cls"), shaken(Tagger(bert(), C))):
        ids = ids_of(6)
        segments = torch.tensor([[0, 0, 0, 1, 1, 1]])
        assert (model(ids, None, segments)[0] - model(ids)[0]).abs().max() > 1e-3


# ---- what it is built on ----


class Held(NamedTuple):
    """As a MiniLM and a checkpoint are."""

    model: nn.Module
    tokens: object = None


@pytest.mark.parametrize("kind", [Bert, MaskedLM, Pretraining])
@pytest.mark.parametrize("hold", [lambda model: model, Held], ids=["bare", "held"])
def test_every_bert_will_do_and_stays_as_it_was(kind, hold):
    given, ids = bert(kind), ids_of(6, 3)
    body = getattr(given, "bert", given)
    before = {name: weight.clone() for name, weight in given.state_dict().items()}
    for model in (Classifier(hold(given), 2), Tagger(hold(given), 2)):
        assert model.config.bert == given.config
        close(model.bert(ids), body(ids))
        fit(model.float(), lambda _, m=model: (ids, answers_for(m, ids)), steps=2, lr=0.1)
    after = given.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def answers_for(model, ids):
    return torch.ones_like(ids) if isinstance(model, Tagger) else torch.ones(len(ids), dtype=torch.long)


def test_a_classifier_lends_what_it_reads_with():
    first, ids = made("mean"), ids_of(4)
    close(Classifier(first, 5).bert(ids), first.bert(ids))


@every
def test_fit_teaches_it(name):
    """Which of two tokens stands first: for a bag, which is there at all."""
    torch.manual_seed(0)
    rows = [[a, b, b] for a, b in ((3, 4), (4, 5), (3, 5), (4, 6), (3, 6), (4, 7))]
    labels = [row[0] - 3 for row in rows]
    model = MADE[name]().float()
    fit(model, labelled(rows, labels, size=16, pad=PAD), steps=150, lr=0.02)
    assert predict(model, rows).argmax(1).tolist() == labels


def test_fit_teaches_pairs_and_tags():
    torch.manual_seed(0)
    rows = rows_of(5, 4, 6, 5)
    model = Classifier(Bert(CONFIG), 2)
    segments = [[n % 2] * len(row) for n, row in enumerate(rows)]
    fit(model, labelled(rows, [0, 1, 0, 1], segments=segments, size=8, pad=PAD), steps=60, lr=0.01)
    assert predict(model, rows, segments=segments).argmax(1).tolist() == [0, 1, 0, 1]

    tagger, tags = Tagger(Bert(CONFIG), 2), [[token % 2 for token in row] for row in rows]
    fit(tagger, tagged(rows, tags, size=8, pad=PAD), steps=100, lr=0.01)
    assert [said.argmax(1).tolist() for said in predict(tagger, rows)] == tags


def test_the_first_head_is_as_quiet_as_bert_and_the_seed_decides_it():
    wide = replace(CONFIG, width=768, heads=1, inner=4, layers=1)
    heads = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        heads.append(Classifier(Bert(wide), 50).head)
    assert heads[0].weight.std().item() == pytest.approx(0.02, rel=0.02) and not heads[0].bias.any()
    assert torch.equal(heads[0].weight, heads[1].weight) and not torch.equal(heads[0].weight, heads[2].weight)


@pytest.mark.parametrize("training", [True, False])
def test_what_is_new_has_the_type_and_the_mode_of_what_reads(training):
    for model in (Classifier(bert().train(training), 2, pool="cls"), Tagger(bert().train(training), 2)):
        assert {weight.dtype for weight in model.parameters()} == {torch.double}
        assert {part.training for part in model.modules()} == {training}


def test_given_vectors_are_held_fast_and_own_ones_learn():
    vectors = torch.randn(V, 5)
    for start, held in ((nn.Embedding.from_pretrained(vectors), True), (nn.Embedding(V, 5), False)):
        before = start.weight.detach().clone()
        model = Bag(start, 2, pad=PAD)
        fit(model, labelled(rows_of(3, 4), [0, 1], size=4, pad=PAD), steps=3)
        assert torch.equal(model.table.weight, before) == held


# ---- on disk, in the page ----


@pytest.mark.parametrize("kind", [Classifier, Tagger])
def test_a_checkpoint_brings_it_back(kind, tmp_path):
    style = {"pool": "cls"} if kind is Classifier else {}
    model, ids = kind(bert(), C, dropout=0.2, **style).float().eval(), ids_of(6, 4)
    checkpoints.save(model, tmp_path / "one", vocabs={}, seed=0, steps=0, data="", metrics={})
    state = torch.get_rng_state()
    found = checkpoints.load(tmp_path / "one").model
    assert torch.equal(torch.get_rng_state(), state)
    assert type(found) is kind and found.config == model.config and found.config.bert.pad == PAD
    torch.testing.assert_close(found(ids)[0], model(ids)[0], atol=0.05, rtol=0.01)  # half precision


@pytest.mark.slow
def test_its_graph_is_the_model():
    model = Classifier(bert(), C).float()
    check_export(
        model, lambda m, ids: m(ids)[0], lambda n: (ids_of(n, max(n - 2, 1)),), (1, 5, 12), axes=((1,),)
    )


# ---- answers ----


@every
@pytest.mark.parametrize("batch", [1, 2, 32])
def test_predictions_are_those_of_each_text_alone(name, batch):
    model, rows = made(name), rows_of(5, 1, 7, 3)
    said = predict(model.train(), rows, batch=batch)
    assert model.training and not said.requires_grad and said.shape == (4, C)
    model.eval()
    close(said, torch.cat([model(torch.tensor([row]))[0].softmax(1) for row in rows]).detach())
    close(predict(model, [torch.tensor(row) for row in rows]), said)


def test_a_prediction_of_tokens_has_as_many_as_the_text():
    model, rows = shaken(Tagger(bert(), C)), rows_of(5, 1, 7)
    said = predict(model, rows)
    assert [part.shape for part in said] == [(5, C), (1, C), (7, C)]
    close(said[0], model(torch.tensor(rows[:1]))[0][0].softmax(1).detach())


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        ([], {}, "there are no texts"),
        ([[3], []], {}, "text 1 has no tokens: leave it out"),
        ([[3, 4]], {"segments": [[0]]}, "text 0 has 2 tokens and 1 segments"),
        ([[3, 4]], {"segments": []}, "there are 1 texts and segments of 0"),
        ([[3, 4]], {"batch": 0}, "batch is 0: give at least 1"),
        ([[3, V]], {}, f"ids hold {V}, but the model knows the ids 0 … {V - 1}"),
        ([[3] * 13], {}, "13 tokens are too long for this model's context of 12"),
    ],
)
def test_questions_that_have_no_answer(rows, more, message):
    model = made("mean").train()
    with pytest.raises(ValueError, match=message):
        predict(model, rows, **more)
    assert model.training


# ---- bad input ----


@every
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (
            [0, 3],
            r"targets hold 3, but the classes are 0 … 2: number them from 0, or make the model with more",
        ),
        ([-1, 0], "targets hold -1, but the classes are 0 … 2"),
        ([0], r"targets are torch.int64 \(1,\), but the model answers for \(2,\)"),
        ([[0, 1], [1, 0]], r"\(2, 2\), but the model answers for \(2,\)"),
        ([0.0, 1.0], "targets are torch.float32"),
        ([-100, -100], "all targets are -100, so there is no loss"),
    ],
)
def test_labels_that_cannot_be(name, targets, message):
    with pytest.raises(ValueError, match=message):
        made(name)(ids_of(4, 3), torch.tensor(targets))


@every
@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.empty(0, 4, dtype=torch.long), "ids are empty: give at least one token"),
        (torch.tensor([[3, 4], [PAD, PAD]]), f"source 1 is padding alone \\({PAD}\\)"),
        (torch.tensor([3, 4]), r"ids have the shape \(2,\), not \(B, T\)"),
        (torch.tensor([[3, V]]), f"ids hold {V}"),
    ],
)
def test_texts_that_cannot_be(name, ids, message):
    with pytest.raises(ValueError, match=message):
        made(name)(ids)


@pytest.mark.parametrize("targets", [[[0, 1, 2]], [[0, 1]], [[0, 1, 3, 0]], [[-100] * 4]], ids=str)
def test_tags_that_cannot_be(targets):
    with pytest.raises(ValueError, match="targets"):
        Tagger(Bert(CONFIG), C)(ids_of(4), torch.tensor(targets))


def test_tags_of_padding_alone_are_no_question():
    with pytest.raises(ValueError, match="all targets are -100"):
        Tagger(Bert(CONFIG), C)(ids_of(4, 2), torch.tensor([[-100] * 4, [-100, -100, 1, 1]]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Classifier(Bert(CONFIG), 1), "classes is 1: give at least 2"),
        (lambda: Tagger(Bert(CONFIG), 1), "classes is 1: give at least 2"),
        (lambda: Bag(table(), 1), "classes is 1: give at least 2"),
        (lambda: Classifier(Bert(CONFIG), 2, pool="max"), "pool is 'max': choose one of mean, cls"),
        (lambda: Classifier(Bert(CONFIG), 2, dropout=1.0), "dropout is 1.0: give a share"),
        (lambda: Classifier(nn.Linear(2, 2), 2), "Linear holds no Bert: give a Bert"),
        (lambda: Tagger(CONFIG, 2), "BertConfig holds no Bert"),
        (lambda: Bag(torch.randn(3, 2), 2), "table is a Tensor: give an nn.Embedding"),
        (lambda: Bag(table(), 2, pad=V), f"pad is {V}, but the table has the ids 0 … {V - 1}"),
        (lambda: RecurrentClassifier(table(), 2, hidden=0), "hidden is 0: give at least 1"),
        (lambda: RecurrentClassifier(table(), 2, cell="lstn"), "cell is 'lstn': choose one of rnn"),
        (lambda: ClassifierConfig({"vocab_size": 0}, 2), "vocab_size is 0"),
        (lambda: TaggerConfig({"vocab_size": 9}, 2.5), r"classes is 2\.5: give a whole number"),
    ],
)
def test_models_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()
