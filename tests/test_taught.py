"""A small reader taught by a larger one: what it learns from, and that its loss is that of the docstring."""

import math
from random import Random

import pytest
import torch
from rated import parts
from torch import nn

from vec2gpt.classifiers import Classifier, predict
from vec2gpt.hub import checkpoints
from vec2gpt.language import IGNORED
from vec2gpt.pretokens import gpt_cut
from vec2gpt.recipes import RECIPES
from vec2gpt.recipes.understanding import opinions, taught, understanding
from vec2gpt.recipes.understanding.taught import SHARE, TEMPERATURE, Taught

TEXTS = ["One two three four five six seven eight.", "Well: it's done, is it not?", "a", "Yes!", " x  y "]


class Says(nn.Module):
    """A student that always says the same."""

    pad = 0

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, ids, targets=None):
        return self.logits.expand(len(ids), -1), None


# ---- the loss ----


def test_the_loss_is_that_of_a_worked_example():
    """A student that knows nothing, a teacher with 3/4 and 1/4 at T; of two texts one is rated."""
    said = TEMPERATURE * torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])
    _, loss = Taught(Says([0.0, 0.0]))(torch.ones(2, 3).long(), torch.tensor([1, IGNORED]), said)
    soft = TEMPERATURE**2 * 0.130812  # KL of 3/4, 1/4 from halves
    assert loss.item() == pytest.approx(SHARE * soft + (1 - SHARE) * math.log(2) / 2, abs=1e-5)


def test_texts_that_nobody_rated_are_learnt_from_by_their_teacher_alone():
    student = Says([0.0, 0.0])
    targets, said = torch.full((3,), IGNORED), torch.tensor([[0.0, 2.0]] * 3)
    _, loss = Taught(student)(torch.ones(3, 2).long(), targets, said)
    loss.backward()
    assert loss.isfinite() and student.logits.grad[1] < 0 < student.logits.grad[0]


def test_a_student_that_says_what_its_teacher_says_has_no_loss_but_the_ratings():
    _, loss = Taught(Says([-1.0, 1.0]))(
        torch.ones(1, 2).long(), torch.tensor([1]), torch.tensor([[-1.0, 1.0]])
    )
    assert loss.item() == pytest.approx((1 - SHARE) * -math.log(1 / (1 + math.exp(-2))), abs=1e-6)


def test_without_a_teacher_it_is_the_student():
    model = taught.model({})
    rows = [[1, 300, 400, 2], [1, 500, 2]]
    assert torch.equal(predict(Taught(model), rows), predict(model, rows))


# ---- what it learns from ----


def test_a_part_is_a_run_of_a_quarter_to_half_of_the_words():
    dice, sizes = Random(1), set()
    for _ in range(200):
        found = taught.part(TEXTS[0], dice)
        assert found in TEXTS[0]
        sizes.add(len(gpt_cut(found)))
    assert sizes == set(range(len(gpt_cut(TEXTS[0])) // 4, len(gpt_cut(TEXTS[0])) // 2 + 2))
    assert {taught.part("a", dice) for _ in range(9)} == {"a"}


def test_a_thinned_text_has_four_words_of_five_in_their_order():
    text = " ".join(map(str, range(2000)))
    left = [int(word) for word in taught.thinned(text, Random(1)).split()]
    assert left == sorted(left) and len(left) == pytest.approx(1600, abs=60)


def test_each_text_has_a_part_and_a_thinned_one_the_same_every_time_and_never_none():
    found = taught.made(TEXTS)
    assert len(found) == 2 * len(TEXTS) and found == taught.made(TEXTS)
    assert all(text.strip() for text in found)
    assert all(part in text for part, text in zip(found, TEXTS, strict=False))


def test_a_batch_is_of_texts_alike_in_length_each_with_its_own_class_and_teacher():
    rows = [[n] * n for n in range(1, 41)]
    labels, said = torch.arange(40), torch.arange(80.0).view(40, 2)
    draw = understanding.batches_with(rows, labels, said, size=8, pad=0)
    generator, padding = torch.Generator().manual_seed(0), []
    for _ in range(20):
        ids, targets, logits = draw(generator)
        assert len(ids) == 8 and ((ids > 0).sum(1) - 1 == targets).all()
        assert (logits == said[targets]).all()
        padding.append((ids == 0).double().mean().item())
    assert sum(padding) / len(padding) < 0.3  # at random it would be 0.45


def test_the_lesson_is_of_training_texts_and_all_of_what_is_made_of_them_is_unrated(monkeypatch):
    split = {name: parts(name) for name in opinions.DOMAINS}  # made by the project
    few = {name: some._replace(train=some.train.some(30)) for name, some in split.items()}
    monkeypatch.setattr(opinions, "split", few.__getitem__)
    monkeypatch.setattr(taught.minilm, "embed", lambda texts, limit: torch.randn(len(texts), 5))
    texts, labels, said = taught.lesson()
    known = [text for some in few.values() for text in some.train.texts]
    assert texts[:120] == known and texts[120:] == taught.made(known)
    assert labels[:120].tolist() == [x for some in few.values() for x in some.train.labels.tolist()]
    assert (labels[120:] == IGNORED).all() and len(labels) == len(texts) == len(said) == 360
    held = {text for all_of in split.values() for some in all_of[1:] for text in some.texts}
    assert not held & set(texts)


# ---- what comes with the book ----


def test_the_checkpoint_is_a_classifier_of_prose_berts_shape_that_tells_opinions_apart():
    model, vocabs, card = checkpoints.load("opinions-bert")
    encoder = checkpoints.load("prose-bert")
    assert isinstance(model, Classifier) and model.config.bert == encoder.model.config
    assert vocabs["text"].tokens == encoder.vocabs["text"].tokens
    assert card["steps"] == RECIPES["opinions-bert"].steps and card["data"] == opinions.DATA
    assert set(card["metrics"]) == {
        f"test_{d}_{x}" for d in opinions.DOMAINS for x in ("accuracy", "balanced")
    }
    assert min(card["metrics"].values()) > 0.65  # chance is a half, balanced


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("It is a good film.", 1),
        ("It is not a good film.", 0),
        ("What a waste of money.", 0),
        ("I love this camera, it works great.", 1),
    ],
)
def test_the_checkpoint_knows_plain_words_and_a_plain_no(text, label):
    model, vocabs, _ = checkpoints.load("opinions-bert")
    bpe = vocabs["text"]
    assert predict(model, [[bpe["[CLS]"], *bpe.encode(text), bpe["[SEP]"]]]).argmax(1).item() == label
