"""vec2gpt.word2vec: the gradients are autograd's, and batches are drawn as the paper says."""

import doctest
import math
from itertools import pairwise

import pytest
import torch

from vec2gpt import word2vec
from vec2gpt.recipes.words.word_vectors import everything, number
from vec2gpt.training import fit, linear_decay, seed_everything
from vec2gpt.word2vec import CBOW, SkipGram, keep_probability, lines, noise_probability

MODELS = pytest.mark.parametrize("model", [SkipGram, CBOW])
V, D = 11, 5
IDS = torch.tensor([[3, 1, 3, 0, 7], [2, 2, 10, 4, 4], [5, 6, 8, 9, 1]])  # words stand twice in a line
NOISE = torch.tensor([1, 3, 3, 10, 0, 0, 6])  # and twice among the samples


def some_near():
    """A reach drawn for each word; one word, and one whole line, are alone."""
    apart = (torch.arange(5)[:, None] - torch.arange(5)).abs()
    reach = torch.tensor([[1, 2, 3, 1, 4], [2, 0, 1, 1, 2], [0, 0, 0, 0, 0]])
    return ((apart <= reach[..., None]) & (apart > 0)).double()


def random_model(kind, **settings):
    torch.manual_seed(0)
    model = kind(V, dim=D, **settings).double()
    torch.nn.init.normal_(model.input)
    torch.nn.init.normal_(model.output)  # a fresh one is all 0, and its gradients are half hidden
    return model


def text(length=20_000, size=V, seed=0):
    """Words of very different frequency, and their counts."""
    weights = 1 / torch.arange(1.0, size + 1)
    ids = torch.multinomial(weights, length, replacement=True, generator=torch.Generator().manual_seed(seed))
    return ids, torch.bincount(ids, minlength=size)


def drawn(ids, counts, *, times=1, seed=0, **settings):
    draw, generator = lines(ids, counts, **settings), torch.Generator().manual_seed(seed)
    return [draw(generator) for _ in range(times)]


def test_the_examples_of_the_docstrings_are_true():
    failed, attempted = doctest.testmod(word2vec)
    assert failed == 0 and attempted > 0


# ---- the models ----


@MODELS
def test_an_update_is_a_step_down_autograds_gradient(model):
    """Of the summed loss: forward's mean, times how many pairs (or words) it is the mean of."""
    model, near = random_model(model, negatives=3), some_near()
    _, loss = model(IDS, near, NOISE)
    of = near.sum() if isinstance(model, SkipGram) else (near.sum(-1) > 0).sum()
    (loss * of).backward()
    expected = [p.detach() - 0.3 * p.grad for p in (model.input, model.output)]
    assert model.update(IDS, near, NOISE, lr=0.3) == loss
    for got, wanted in zip((model.input, model.output), expected, strict=True):
        torch.testing.assert_close(got.detach(), wanted, rtol=0, atol=1e-12)


@MODELS
def test_words_without_neighbours_teach_nothing(model):
    model = random_model(model)
    before = model.input.detach().clone(), model.output.detach().clone()
    loss = model.update(IDS, torch.zeros(3, 5, 5, dtype=torch.float64), NOISE, lr=0.3)
    assert loss == 0
    assert torch.equal(model.input, before[0]) and torch.equal(model.output, before[1])


def test_the_loss_of_skip_gram_is_the_papers_sum_over_pairs():
    model, near = random_model(SkipGram, negatives=len(NOISE)), some_near()  # each sample weighs 1
    u, v = model.input.detach(), model.output.detach()
    total = 0.0
    for b, t, s in near.nonzero().tolist():
        w, c = IDS[b, t], IDS[b, s]
        total -= (u[w] @ v[c]).sigmoid().log() + (-(v[NOISE] @ u[w])).sigmoid().log().sum()
    torch.testing.assert_close(model(IDS, near, NOISE)[1].detach(), total / near.sum())


def test_the_loss_of_cbow_is_the_papers_sum_over_words():
    model, near = random_model(CBOW, negatives=len(NOISE)), some_near()
    u, v = model.input.detach(), model.output.detach()
    losses = []
    for b, t in (near.sum(-1) > 0).nonzero().tolist():
        h = u[IDS[b][near[b, t] > 0]].mean(0)
        losses.append(-(h @ v[IDS[b, t]]).sigmoid().log() - (-(v[NOISE] @ h)).sigmoid().log().sum())
    torch.testing.assert_close(model(IDS, near, NOISE)[1].detach(), torch.stack(losses).mean())


@MODELS
def test_a_fresh_model_loses_ln_2_a_guess(model):
    """Output vectors begin at 0, so every score is 0 and every guess a coin's: (1 + K) ln 2."""
    _, loss = model(V, dim=D, negatives=4)(IDS, some_near().float(), NOISE)
    assert loss.item() == pytest.approx(5 * math.log(2))


@MODELS
def test_models_of_nothing_are_refused(model):
    for wrong in ({"size": 0}, {"size": V, "dim": 0}, {"size": V, "negatives": 0}):
        with pytest.raises(ValueError, match="must be positive"):
            model(**wrong)


# ---- what is drawn ----


def test_keep_probability_by_hand():
    """Shares .9, .09 and .01, t = .01: √(1/90) + 1/90, √(1/9) + 1/9, and 1 + 1, cut to 1."""
    kept = keep_probability(torch.tensor([90, 9, 1]), threshold=0.01)
    torch.testing.assert_close(kept, torch.tensor([math.sqrt(1 / 90) + 1 / 90, 1 / 3 + 1 / 9, 1.0]))
    assert torch.equal(keep_probability(torch.tensor([90, 9, 1]), threshold=math.inf), torch.ones(3))
    with pytest.raises(ValueError, match=r"threshold is 0.*math\.inf keeps every"):
        keep_probability(torch.tensor([1]), threshold=0)


def test_noise_probability_by_hand():
    counts = torch.tensor([16, 1, 0])
    torch.testing.assert_close(noise_probability(counts), torch.tensor([8 / 9, 1 / 9, 0]))  # 16^¾ = 8
    torch.testing.assert_close(noise_probability(counts, power=1), torch.tensor([16 / 17, 1 / 17, 0]))


@pytest.mark.parametrize("counts", [[0, 0], [2, -1], []])
@pytest.mark.parametrize("probability", [keep_probability, noise_probability])
def test_counts_of_no_text_are_refused(probability, counts):
    with pytest.raises(ValueError, match="0 or more each, and not all 0"):
        probability(torch.tensor(counts))


def test_negative_samples_come_as_often_as_they_should():
    ids, counts = text()
    _, _, noise = drawn(ids, counts, noise=200_000)[0]
    seen = torch.bincount(noise, minlength=V) / len(noise)
    torch.testing.assert_close(seen, noise_probability(counts), rtol=0, atol=0.005)


def test_every_word_reaches_as_far_as_its_own_window_and_never_itself():
    """Nothing is thinned out, so places are the text's own."""
    reaches = []
    for _, near, _ in drawn(*text(), times=50, threshold=math.inf, window=4, length=30):
        assert near.shape == (4, 30, 30) and not near.diagonal(dim1=1, dim2=2).any()
        for row, t in ((line[t], t) for line in near for t in range(4, 26)):  # away from the line's ends
            reach = int(row.sum()) // 2
            around = [s for s in range(t - reach, t + reach + 1) if s != t]
            assert row.nonzero().flatten().tolist() == around
            reaches.append(reach)
    share = torch.bincount(torch.tensor(reaches)) / len(reaches)
    torch.testing.assert_close(share, torch.tensor([0, 0.25, 0.25, 0.25, 0.25]), rtol=0, atol=0.03)


def test_lines_are_pieces_of_the_text_in_its_order_and_frequent_words_are_thinned_out():
    counts = torch.ones(1000)
    counts[::2] = 200.0  # the words of even number are frequent
    keep, kept = keep_probability(counts)[0], []
    for words, near, _ in drawn(torch.arange(1000), counts, times=200, length=50):
        for line, mates in zip(words.tolist(), near, strict=True):
            have = [word for word, mate in zip(line, mates.sum(1) > 0, strict=True) if mate]
            assert all(a < b for a, b in pairwise(have))
            assert have[-1] - have[0] < 50
            assert len([word for word in have if word % 2]) >= 24, "rare words stay"
            kept.append(len([word for word in have if word % 2 == 0]) / 25)
    assert sum(kept) / len(kept) == pytest.approx(keep.item(), abs=0.02)


def test_what_was_thinned_out_is_nobodys_neighbour():
    """Nine in ten words are word 0, and one in nine of it stays: what fills a line up must not count."""
    ids = torch.zeros(5000, dtype=torch.long)
    ids[::10] = torch.arange(500) % 7 + 1
    counts = torch.bincount(ids)
    keep, zeros, all = keep_probability(counts, threshold=0.01)[0].item(), 0, 0
    for words, near, _ in drawn(ids, counts, times=200, threshold=0.01):
        named = near.sum(1) + near.sum(2) > 0
        zeros, all = zeros + (words[named] == 0).sum().item(), all + named.sum().item()
    assert zeros / all == pytest.approx(4500 * keep / (4500 * keep + 500), abs=0.02)


def test_in_n_over_size_times_length_steps_each_place_is_met_once_on_average():
    ids, passes = torch.arange(400), 60
    steps = passes * 400 // (5 * 20)
    met = torch.zeros(400)
    for words, _, _ in drawn(ids, torch.ones(400), times=steps, size=5, length=20, threshold=math.inf):
        met += torch.bincount(words.flatten(), minlength=400)
    assert met.sum() == passes * 400
    assert met[20:-20].mean() == pytest.approx(passes, rel=0.08)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"window": 0}, "at least 1"),
        ({"size": 0}, "at least 1"),
        ({"noise": 0}, "at least 1"),
        ({"length": 1}, "at least 2"),
        ({"length": 31}, "a line of 31 words needs a longer text than 30"),
        ({"threshold": -1.0}, "threshold is -1"),
        ({"ids": torch.arange(-1, 29)}, "id -1 of the text is negative"),
        ({"counts": torch.zeros(30)}, "not all 0"),
        ({"counts": torch.ones(10)}, "id 29 of the text has no count: there are 10"),
    ],
)
def test_lines_that_cannot_be_drawn_are_refused(settings, said):
    usual = {"ids": torch.arange(30), "counts": torch.ones(30), "length": 10}
    with pytest.raises(ValueError, match=said):
        lines(**usual | settings)


def test_a_line_as_long_as_the_text_is_the_text():
    words, _, _ = drawn(torch.arange(30), torch.ones(30), length=30, threshold=math.inf)[0]
    assert torch.equal(words, torch.arange(30).expand(4, 30))


# ---- training ----


def trained(model, ids, counts, *, steps, lr):
    seed_everything(0)
    model = model(len(counts), dim=16)
    draw = lines(ids, counts, threshold=math.inf, size=1, length=24, noise=10)
    return model, fit(model, draw, steps=steps, lr=lr, schedule=linear_decay(steps), update=model.update)


@MODELS
def test_words_in_the_same_company_become_alike(model):
    """Two topics of 10 words each take turns: the vectors part along them, which nobody told the model."""
    generator = torch.Generator().manual_seed(0)
    topic = torch.arange(4000) // 25 % 2
    ids = torch.randint(10, (4000,), generator=generator) + 10 * topic
    model, _ = trained(model, ids, torch.bincount(ids), steps=1000, lr=0.05)
    unit = torch.nn.functional.normalize(model.input.detach(), dim=1)
    cosine = unit @ unit.T
    within = (cosine[:10, :10].sum() + cosine[10:, 10:].sum() - 20) / 180
    assert within > 0.8 and cosine[:10, 10:].mean() < 0.2


@pytest.mark.slow
def test_on_real_text_the_loss_falls_and_the_seed_decides_every_bit():
    text = number(everything()[:50_000])
    draw = lines(text.ids, text.counts)

    def run():
        seed_everything(0)
        model = SkipGram(len(text.vocab))
        history = fit(model, draw, steps=400, lr=0.025, schedule=linear_decay(400), update=model.update)
        return model, history.losses

    model, losses = run()
    assert losses[0] == pytest.approx(6 * math.log(2))
    assert sum(losses[-50:]) / 50 < 0.75 * losses[0]
    again, the_same = run()
    assert losses == the_same
    assert torch.equal(model.input, again.input) and torch.equal(model.output, again.output)
