"""Distillation: a small model learns from what a large one says, not only from the text.

Hinton, Vinyals & Dean 2015. A text names one right token. A trained model gives every token a probability,
and the small ones tell much: which wrong answers are nearly right. A *temperature* T makes them count:

    q = softmax(teacher / T)    p = softmax(student / T)    loss = T² · KL(q ‖ p) = T² Σ q ln(q / p)

The gradient of the Kullback-Leibler divergence shrinks as 1 / T², hence the factor. DistilBERT (Sanh et al.
2019) is a BERT of half the layers, which begins as every other layer of its teacher.

Left out: DistilBERT's third loss, which turns its vectors in the direction of the teacher's.
"""

import copy
import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

# ---- the loss ----


def distil(student_logits, teacher_logits, *, temperature=2.0):
    """T² · KL(teacher ‖ student) in nats, both logits (…, V), the mean over all but the last axis.

    A teacher that gives 3/4 and 1/4 and a student that knows nothing differ by 0.131 at T = 1.
    """
    if student_logits.shape != teacher_logits.shape or not student_logits.numel():
        raise ValueError(
            f"student and teacher say {tuple(student_logits.shape)} and {tuple(teacher_logits.shape)}: "
            "give logits (…, V) of the same tokens and the same vocabulary"
        )
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}: give a number above 0, such as 2")
    p, q = (student_logits / temperature).log_softmax(-1), (teacher_logits / temperature).softmax(-1)
    return temperature**2 * F.kl_div(p, q, reduction="none").sum(-1).mean()


class Distilling(nn.Module):
    """A student and what its teacher says, as one model for `fit`; what is trained is the student alone.

    share: of the teacher's loss; the rest is that of the targets. pad: whose places do not count; if nothing
    is said, the student's `config.pad`, where it has one.
    """

    def __init__(self, student, teacher, *, share=0.5, temperature=2.0, pad=None):
        super().__init__()
        if not 0 <= share <= 1:
            raise ValueError(f"share is {share}: give a share from 0 to 1")
        if {id(weight) for weight in student.parameters()} & {id(weight) for weight in teacher.parameters()}:
            raise ValueError("student and teacher share weights: give a student of its own, or a copy")
        ours, theirs = (getattr(model.config, "vocab_size", None) for model in (student, teacher))
        if None not in (ours, theirs) and ours != theirs:
            raise ValueError(
                f"the student knows {ours} tokens, the teacher {theirs}: give models of one vocabulary"
            )
        self.student = student
        self.teaching = [teacher.eval()]  # in a list, so that it is no part of what is trained and saved
        self.share, self.temperature = share, temperature
        self.pad = getattr(student.config, "pad", None) if pad is None else pad

    def forward(self, ids, targets=None):
        """ids (B, T) -> the student's logits (B, T, V), and the loss; without targets the teacher's alone."""
        logits, hard = self.student(ids, targets)
        counts = torch.ones_like(ids, dtype=torch.bool) if self.pad is None else ids != self.pad  # (B, T)
        soft = distil(logits[counts], self.answers(ids)[counts], temperature=self.temperature)
        return logits, soft if hard is None else self.share * soft + (1 - self.share) * hard

    @torch.no_grad()
    def answers(self, ids):
        """What the teacher says to ids (B, T): logits (B, T, V), without gradients and dropout."""
        teacher = self.teaching[0].to(ids.device).eval()
        return teacher(ids)[0]


# ---- DistilBERT's start ----


def every_other_layer(teacher):
    """A copy of the teacher with its layers 0, 2, 4 … alone, all else as it was: a student to begin with.

    teacher: a model of `blocks`, such as a `Bert` or a `GPT`, or one that has such a `bert`. DistilBERT drops
    the segments' vectors and what judges pairs too; here they stay.
    """
    if not hasattr(_stack(teacher), "blocks"):
        raise ValueError(f"{type(teacher).__name__} has no blocks: give a model that is a stack of them")
    layers = len(_stack(teacher).blocks)
    if layers < 2:
        raise ValueError(
            f"the teacher has {layers} block of its own, so none can be left out: give one with 2 or more, "
            "not shared"
        )
    student = copy.deepcopy(teacher)
    stack = _stack(student)
    stack.blocks = stack.blocks[::2]
    student.config = stack.config = replace(student.config, layers=len(stack.blocks))
    return student


def _stack(model):
    """What reads: the model itself, or its `bert`."""
    return getattr(model, "bert", model)
