"""vec2gpt.distillation: a sum by hand, torch's own divergence, Hinton's limit of high temperatures."""

import math

import pytest
import torch
import torch.nn.functional as F

from vec2gpt.bert import Bert, BertConfig, MaskedLM, Pretraining
from vec2gpt.distillation import Distilling, distil, every_other_layer
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.training import fit

V = 11
CONFIG = BertConfig(V, context=9, width=8, heads=2, inner=12, layers=4)


def bert(kind=MaskedLM, config=CONFIG, seed=0):
    torch.manual_seed(seed)
    model = kind(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return model


def ids_of(*lengths):
    torch.manual_seed(1)
    ids = torch.randint(1, V, (len(lengths), max(lengths)))
    for row, length in zip(ids, lengths, strict=True):
        row[length:] = 0
    return ids


# ---- the loss ----


def test_by_hand():
    """Teacher 3/4 and 1/4, student 1/2 and 1/2: 3/4 ln 3/2 + 1/4 ln 1/2."""
    teacher, student = torch.tensor([math.log(3), 0.0]), torch.zeros(2)
    assert distil(student, teacher, temperature=1.0).item() == pytest.approx(0.1308, abs=1e-4)
    # at T = 2 the teacher says √3 : 1, so 0.634 and 0.366; times 4
    high = 4 * (0.63397 * math.log(2 * 0.63397) + 0.36603 * math.log(2 * 0.36603))
    assert distil(student, teacher, temperature=2.0).item() == pytest.approx(high, abs=1e-4)
    assert distil(student[None], teacher[None]).item() == pytest.approx(high, abs=1e-4)


def test_it_is_torchs_divergence_times_the_square_of_the_temperature():
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 2, 5, V)
    p, q = (x.view(-1, V) / 3 for x in (student, teacher))
    expected = 9 * F.kl_div(p.log_softmax(-1), q.log_softmax(-1), log_target=True, reduction="batchmean")
    torch.testing.assert_close(distil(student, teacher, temperature=3.0), expected)


def test_at_a_high_temperature_logits_are_matched_as_the_paper_shows():
    """T² KL → 1 / 2V · Σ (difference − its mean)²: hence the factor T²."""
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 6, V, dtype=torch.double)
    student.requires_grad_()
    loss = distil(student, teacher, temperature=1e4)
    difference = student - teacher
    centred = difference - difference.mean(-1, keepdim=True)
    torch.testing.assert_close(loss, centred.pow(2).sum(-1).mean() / (2 * V), rtol=1e-3, atol=0)
    [gradient] = torch.autograd.grad(loss, student)
    torch.testing.assert_close(gradient, (centred / V / 6).detach(), rtol=1e-3, atol=1e-5)


def test_who_says_the_same_has_nothing_to_learn():
    logits = torch.randn(3, V, requires_grad=True)
    loss = distil(logits, logits.detach() + 5.0)  # a constant changes no probability
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6) and logits.grad.abs().max() < 1e-6


def test_a_token_that_the_teacher_never_says_is_no_trouble():
    teacher = torch.tensor([0.0, 0.0, -math.inf])
    student = torch.zeros(3, requires_grad=True)
    loss = distil(student, teacher, temperature=1.0)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1.5)) and student.grad.isfinite().all()


@pytest.mark.parametrize(
    ("student", "teacher", "temperature", "message"),
    [
        ((2, 3), (2, 4), 2.0, r"\(2, 3\) and \(2, 4\).*same vocabulary"),
        ((2, 3), (1, 3), 2.0, "same tokens"),
        ((0, 3), (0, 3), 2.0, "give logits"),
        ((2, 3), (2, 3), 0.0, "temperature is 0.0"),
        ((2, 3), (2, 3), -1.0, "temperature is -1.0"),
        ((2, 3), (2, 3), math.inf, "temperature is inf"),
        ((2, 3), (2, 3), math.nan, "temperature is nan"),
    ],
)
def test_what_cannot_be_compared_is_refused(student, teacher, temperature, message):
    with pytest.raises(ValueError, match=message):
        distil(torch.zeros(student), torch.zeros(teacher), temperature=temperature)


# ---- a student and its teacher ----


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_the_losses_are_mixed(share):
    student, teacher, ids = bert(seed=1), bert(), ids_of(6)
    targets = torch.where(torch.arange(6) == 2, ids, -100)
    logits, loss = Distilling(student, teacher, share=share, temperature=3.0).eval()(ids, targets)
    _, hard = student(ids, targets)
    soft = distil(logits, teacher(ids)[0], temperature=3.0)
    torch.testing.assert_close(loss, share * soft + (1 - share) * hard)
    torch.testing.assert_close(logits, student(ids)[0])


def test_without_targets_the_teacher_alone_teaches():
    student, teacher, ids = bert(seed=1), bert(), ids_of(6)
    _, loss = Distilling(student, teacher, share=0.1).eval()(ids)
    torch.testing.assert_close(loss, distil(student(ids)[0], teacher(ids)[0]))


def test_padding_does_not_count():
    student, teacher, ids = bert(seed=1), bert(), ids_of(7, 3)
    model = Distilling(student, teacher).eval()
    apart = [distil(student(x)[0], teacher(x)[0]) for x in (ids[:1], ids[1:, :3])]
    torch.testing.assert_close(model(ids)[1], (7 * apart[0] + 3 * apart[1]) / 10)
    assert Distilling(student, teacher, pad=4).pad == 4


def test_only_the_student_learns_and_is_saved():
    student, teacher, ids = bert(seed=1), bert(), ids_of(8, 8, 8, 5)
    before = [weight.clone() for weight in teacher.parameters()]
    model = Distilling(student, teacher)
    assert {id(weight) for weight in model.parameters()} == {id(weight) for weight in student.parameters()}
    assert all(name.startswith("student.") for name in model.state_dict())
    history = fit(model, lambda generator: (ids,), steps=40, lr=2e-2)
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert all(map(torch.equal, before, teacher.parameters()))
    assert all(weight.grad is None and weight.requires_grad for weight in teacher.parameters())
    assert not teacher.training


def test_the_teacher_stays_calm_while_the_student_trains():
    """Dropout is of the student alone, also where somebody set the teacher to training meanwhile."""
    student, teacher, ids = bert(seed=1), bert(), ids_of(8)
    model = Distilling(student, teacher).train()
    teacher.train()
    assert torch.equal(model.answers(ids), model.answers(ids)) and student.training


def test_a_gpt_can_be_taught_too():
    student, teacher = (GPT(GPTConfig(V, context=9, layers=n, heads=2, width=8)) for n in (1, 2))
    model, ids = Distilling(student, teacher), ids_of(6)
    torch.testing.assert_close(model(ids)[1], distil(student(ids)[0], teacher(ids)[0]))


def test_other_vocabularies_shares_and_oneself_are_refused():
    student, teacher = bert(seed=1), bert()
    other = MaskedLM(BertConfig(V + 1, context=9, width=8, heads=2, inner=12, layers=1))
    with pytest.raises(ValueError, match="the student knows 11 tokens, the teacher 12"):
        Distilling(student, other)
    with pytest.raises(ValueError, match=r"share is 1\.5"):
        Distilling(student, teacher, share=1.5)
    with pytest.raises(ValueError, match="share weights"):
        Distilling(student, student)
    with pytest.raises(ValueError, match="temperature is 0"):
        Distilling(student, teacher, temperature=0)(ids_of(4))


# ---- DistilBERT's start ----


@pytest.mark.parametrize("kind", [Bert, MaskedLM, Pretraining])
@pytest.mark.parametrize(("layers", "kept"), [(4, [0, 2]), (5, [0, 2, 4]), (2, [0])])
def test_every_other_layer_is_kept(kind, layers, kept):
    config = BertConfig(**CONFIG.__dict__ | {"layers": layers})
    teacher, ids = bert(kind, config), ids_of(6)
    student = every_other_layer(teacher)
    reads, read = (model if kind is Bert else model.bert for model in (student, teacher))
    assert reads.config.layers == student.config.layers == len(reads.blocks) == len(kept)
    x = read.embedding(ids)
    for n in kept:
        x = read.blocks[n](x)
    torch.testing.assert_close(reads(ids), x)
    assert len(read.blocks) == teacher.config.layers == layers
    kind(student.config).load_state_dict(student.state_dict())  # a checkpoint of it opens again


def test_the_student_is_a_copy():
    teacher = bert()
    before = [weight.clone() for weight in teacher.parameters()]
    student = every_other_layer(teacher)
    with torch.no_grad():
        for weight in student.parameters():
            weight.zero_()
    assert all(map(torch.equal, before, teacher.parameters()))
    Distilling(student, teacher)


def test_a_gpt_is_halved_too():
    student = every_other_layer(GPT(GPTConfig(V, context=9, layers=4, heads=2, width=8)))
    assert len(student.blocks) == student.config.layers == 2 and student(ids_of(5))[0].shape == (1, 5, V)


def test_where_no_layer_can_be_left_out_it_is_said():
    shared = bert(config=BertConfig(**CONFIG.__dict__ | {"shared": True}))
    single = bert(config=BertConfig(**CONFIG.__dict__ | {"layers": 1}))
    for teacher in (shared, single):
        with pytest.raises(ValueError, match=r"1 block of its own.*not shared"):
            every_other_layer(teacher)
    with pytest.raises(ValueError, match="Linear has no blocks"):
        every_other_layer(torch.nn.Linear(2, 2))
