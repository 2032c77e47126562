"""vec2gpt.scheduled_sampling: how often a decoder in training reads its own words, and what that changes."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vec2gpt.scheduled_sampling import ScheduledSampling
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig

SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0], [5, 5, 4, 0, 0]])  # padded with 0
IDS = torch.tensor([[1, 3, 4, 5], [1, 6, 7, 0], [1, 3, 3, 3]])
TARGETS = torch.tensor([[3, 4, 5, 2], [6, 7, 2, -100], [3, 3, 3, 2]])


def model():
    torch.manual_seed(0)
    return Seq2Seq(Seq2SeqConfig(source_vocab=9, target_vocab=8, width=4, hidden=6)).eval()


def test_without_own_words_it_is_teacher_forcing():
    ours = model()
    sampled = ScheduledSampling(ours, own=0.0, steps=1).train()
    for got, expected in zip(sampled(SOURCE, IDS, TARGETS), ours(SOURCE, IDS, TARGETS), strict=True):
        torch.testing.assert_close(got, expected)


def test_a_decoder_of_its_own_words_is_blind_to_the_truth():
    sampled = ScheduledSampling(model(), own=1.0, steps=1).train()
    sampled(SOURCE, IDS)  # the first call still reads the truth
    other = IDS.clone()
    other[:, 1:] = 7
    torch.manual_seed(1)
    one, _ = sampled(SOURCE, IDS)
    torch.manual_seed(1)
    two, _ = sampled(SOURCE, other)
    assert torch.equal(one, two)


def test_its_share_rises_to_its_end_and_is_drawn_so_often():
    sampled = ScheduledSampling(model(), own=0.5, steps=4).train()
    shares = []
    for _ in range(6):
        shares.append(sampled.share)
        sampled(SOURCE, IDS)
    assert shares == [0, 0.125, 0.25, 0.375, 0.5, 0.5]

    sampled.model = Listener()
    sampled(torch.zeros(4000, 1), torch.full((4000, 2), 7))
    read = F.one_hot(sampled.model.read, 8).float().mean(0)  # half the truth, and half of what it says
    torch.testing.assert_close(read, torch.tensor([0, 0, 0, 0.25, 0, 0.25, 0, 0.5]), atol=0.04, rtol=0)


class Listener(nn.Module):
    """A model that says 3 as often as 5 and writes down what it reads."""

    def encode(self, source):
        return ()

    def step(self, ids, state):
        self.read = ids
        chances = torch.tensor([0, 0, 0, 0.5, 0, 0.5, 0, 0])
        return chances.log().expand(len(ids), 8), state


def test_in_evaluation_it_is_the_model():
    ours = model()
    sampled = ScheduledSampling(ours, own=1.0, steps=1).train()
    sampled(SOURCE, IDS)  # from now on it would read its own words alone
    sampled.eval()
    for got, expected in zip(sampled(SOURCE, IDS, TARGETS), ours(SOURCE, IDS, TARGETS), strict=True):
        torch.testing.assert_close(got, expected)
    assert sampled.share == 1 and sampled.calls == 1  # no call of training


@pytest.mark.parametrize(("own", "steps"), [(-0.1, 1), (1.5, 1), (0.5, 0)])
def test_a_share_is_between_0_and_1(own, steps):
    with pytest.raises(ValueError):
        ScheduledSampling(model(), own=own, steps=steps)
