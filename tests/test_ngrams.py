"""vec2gpt.ngrams beside numbers worked by hand and the same smoothing written with dictionaries."""

import doctest
import math
from collections import Counter

import pytest
import torch

from vec2gpt import ngrams
from vec2gpt.decoding import generate
from vec2gpt.metrics import reading_loss, rows
from vec2gpt.ngrams import NGram, discounts

V = 4
ORDERS = range(1, 7)


def text(length=300, seed=0):
    """Tokens of which some are frequent, some rare, and some pairs much more frequent than others."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.multinomial(torch.tensor([8.0, 4, 2, 1]), length, replacement=True, generator=generator)
    ids[::7], ids[1::7] = 3, 1
    return ids


class Dictionaries:
    """Kneser-Ney with three discounts, as the paper says it, n-gram by n-gram."""

    def __init__(self, ids, order):
        ids = [V] * (order - 1) + ids  # nothing stands before the text
        grams = Counter(tuple(ids[last - order + 1 : last + 1]) for last in range(order, len(ids)))
        self.counts = [grams]
        while len(next(iter(grams))) > 1:
            grams = Counter(gram[1:] for gram in grams)  # after how many different tokens
            self.counts.insert(0, grams)

    def probability(self, token, context):
        shorter = self.probability(token, context[1:]) if context else 1 / V
        grams = self.counts[len(context)]
        followers = {gram[-1]: count for gram, count in grams.items() if gram[:-1] == context}
        if not followers:
            return shorter
        total = sum(followers.values())
        left = sum(self.discount(grams, count) for count in followers.values())
        count = followers.get(token, 0)
        return (count - self.discount(grams, count) + left * shorter) / total

    @staticmethod
    def discount(grams, count):
        if count == 0:
            return 0
        k, n = min(count, 3), Counter(grams.values())
        if not n[1] or not n[k]:
            return 0.5
        found = k - (k + 1) * n[1] / (n[1] + 2 * n[2]) * n[k + 1] / n[k]
        return found if 0 < found < k else 0.5


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(ngrams)
    assert (failed, tried > 0) == (0, True)


def test_a_bigram_by_hand():
    """In 0 1 0 1 0 0 the pairs are 01, 01, 10, 10, 00: one of them once, two twice.

    Pairs: Y = 1 / (1 + 2 · 2) = ⅕, D1 = 1 − 2 · ⅕ · 2/1 = ⅕, D2 = ½ since no count is 3. Tokens: 0 comes
    after two different ones, 1 after one, so Y = D1 = ⅓ and D2 = ½.
    p(0) = (2 − ½ + (½ + ⅓) · ½) / 3 = 23/36. p(0 | 0) = (1 − ⅕ + (⅕ + ½) · 23/36) / 3.
    """
    model = NGram(torch.tensor([0, 1, 0, 1, 0, 0]), 2, order=2)
    after_0 = model(torch.tensor([[0]]))[0].exp()[0, 0]
    assert after_0.tolist() == pytest.approx([(4 / 5 + 7 / 10 * 23 / 36) / 3, (3 / 2 + 7 / 10 * 13 / 36) / 3])


def test_discounts_by_hand():
    """Four counts of 1, two of 2, one of 3, one of 4: Y = ½, and D = 1 − ½, 2 − ¾, 3 − 2."""
    counts = torch.tensor([1, 1, 1, 1, 2, 2, 3, 4])
    assert discounts(counts).tolist() == pytest.approx([0, 0.5, 1.25, 1])
    assert discounts(torch.tensor([5, 5])).tolist() == [0, 0.5, 0.5, 0.5]  # too little to tell


def test_a_unigram_is_the_smoothed_frequency():
    """5 tokens follow the first: 1 four times and 0 once; half is taken off each, and shared out."""
    model = NGram(torch.tensor([0, 1, 1, 0, 1, 1]), 2, order=1)
    assert model(torch.tensor([[0, 1]]))[0].exp().tolist() == [[pytest.approx([0.2, 0.8])] * 2]


@pytest.mark.parametrize("order", ORDERS)
def test_it_says_what_dictionaries_say(order):
    known, unknown = text(), text(40, seed=1)
    model, slow = NGram(known, V, order=order), Dictionaries(known.tolist(), order)
    p = model(unknown[None])[0][0].exp()  # (T, V)
    before = [V] * (order - 1) + unknown.tolist()
    for t in range(len(unknown)):
        context = tuple(before[t + 1 : t + order])
        expected = [slow.probability(token, context) for token in range(V)]
        assert p[t].tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("order", ORDERS)
def test_probabilities_add_up_to_one_and_none_is_zero(order):
    """After known contexts and after any other: of six tokens one never occurred."""
    model = NGram(text(), V + 2, order=order)
    ids = torch.randint(V + 2, (8, 50), generator=torch.Generator().manual_seed(2))
    logits, _ = model(ids)
    assert logits.shape == (8, 50, V + 2) and logits.isfinite().all()
    torch.testing.assert_close(logits.exp().sum(-1), torch.ones(8, 50))


def test_a_context_never_seen_leaves_it_to_the_shorter_one():
    long, short = NGram(torch.tensor([0, 1, 2, 0, 1, 2, 1]), 4, order=3), torch.tensor([[3, 2]])
    bigram = long(torch.tensor([[3, 3, 2]]))[0][0, -1]
    torch.testing.assert_close(long(short)[0][0, -1], bigram)  # 2 was seen, 3 2 and 3 3 2 were not
    assert not torch.allclose(bigram, long(torch.tensor([[3]]))[0][0, -1])


@pytest.mark.parametrize("order", ORDERS)
def test_the_loss_is_that_of_reading(order):
    model, held_out = NGram(text(), V, order=order), rows(text(200, seed=1), count=4)
    assert model.loss(held_out) == pytest.approx(reading_loss(model, held_out, piece=7), rel=1e-6)
    assert model.loss(held_out) == pytest.approx(model(held_out[:, :-1], held_out[:, 1:])[1].item(), rel=1e-6)


def test_the_scores_of_a_text_are_what_reading_gives_each_of_its_tokens():
    rows = torch.randint(3, (4, 9), generator=torch.Generator().manual_seed(1))
    model = NGram(rows.flatten(), 3, order=3)
    logits, _ = model(rows[:, :-1])
    assert torch.allclose(model.scores(rows).float(), logits.gather(2, rows[:, 1:, None])[..., 0])


def test_longer_contexts_help_where_the_text_depends_on_them():
    """Every third token is the sum of the two before it: any sum is guessed at ½, the others at 1/6 each."""
    known = math.log(2) / 2 + math.log(6) / 2
    ids = torch.randint(V, (3000,), generator=torch.Generator().manual_seed(0))
    ids[2::3] = (ids[::3] + ids[1::3]) % V
    losses = [NGram(ids[:2400], V, order=order).loss(ids[None, 2400:]) for order in (1, 3)]
    assert losses[0] == pytest.approx(math.log(V), abs=0.02)
    assert losses[1] == pytest.approx(known, abs=0.05)


def test_reading_in_parts_and_by_steps_is_reading_at_once():
    model, ids = NGram(text(), V, order=4), torch.stack([text(9, seed=1), text(9, seed=2)])
    whole, end = model.read(ids, model.initial(2))
    first, state = model.read(ids[:, :2], model.initial(2))
    rest = []
    for t in range(2, 9):
        logits, state = model.step(ids[:, t], state)
        rest.append(logits)
    torch.testing.assert_close(torch.cat([first, torch.stack(rest, 1)], 1), whole)
    assert torch.equal(state, end) and torch.equal(end, ids[:, -3:])


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (2, 4), (2,)])
def test_a_state_of_other_texts_is_refused(shape):
    """Of one text for two, of a shorter context, of a longer one, and of no batch."""
    model = NGram(text(), V, order=4)
    with pytest.raises(ValueError, match=rf"state is \({shape[0]},.*\), but must be \(2, 3\): see `initial`"):
        model.read(torch.zeros(2, 5, dtype=torch.long), torch.zeros(shape, dtype=torch.long))


def test_everything_stays_on_the_device_of_the_text():
    """What does not name its device would land on meta, where there are no numbers to work with."""
    ids, expected = text(), NGram(text(), V, order=3)
    with torch.device("meta"):
        model = NGram(ids, V, order=3)
        logits, loss = model(ids[None, :-1], ids[None, 1:])
        assert model.loss(ids[None]) == expected.loss(ids[None])
    assert torch.equal(logits, expected(ids[None, :-1])[0]) and loss.isfinite()


def test_it_writes_what_it_has_read():
    """After 0 came always 1, after 1 always 2, after 2 always 0."""
    model = NGram(torch.arange(300) % 3, 3, order=3)
    written = generate(model, torch.tensor([[0], [1]]), 5, top_k=1)
    assert written.tolist() == [[1, 2, 0, 1, 2], [2, 0, 1, 2, 0]]


@pytest.mark.parametrize(
    ("size", "order", "most"), [(84, 0, 9), (84, -1, 9), (84, 10, 9), (2, 40, 39), (84, 2.5, 9)]
)
def test_orders_beyond_what_can_be_counted_are_named(size, order, most):
    with pytest.raises(
        ValueError, match=f"order is {order}; with {size} tokens give a whole number from 1 to {most}"
    ):
        NGram(torch.tensor([0, 1, 0]), size, order=order)
    p = NGram(torch.tensor([0, size - 1, 0]), size, order=most)(torch.full((1, 50), size - 1))[0].exp()
    torch.testing.assert_close(p.sum(-1), torch.ones(1, 50))  # the largest numbers there are


@pytest.mark.parametrize("ids", [torch.zeros(0).long(), torch.tensor([1]), torch.tensor([[0, 1, 0]])])
def test_what_is_no_text_is_refused(ids):
    with pytest.raises(ValueError, match=rf"ids have the shape \({len(ids)},.*\), not \(N,\) of two"):
        NGram(ids, V, order=2)


def test_ids_outside_the_vocabulary_are_named():
    with pytest.raises(ValueError, match="ids hold 4, but the model knows the ids 0 … 3"):
        NGram(torch.tensor([0, 4]), V, order=2)
    model = NGram(text(), V, order=2)
    for ask in (model, model.loss):
        with pytest.raises(ValueError, match="hold 4, but the model knows the ids 0 … 3"):
            ask(torch.tensor([[0, 4]]))
        with pytest.raises(ValueError, match=r"have the shape \(2,\), not \(B, T\)"):
            ask(torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="nothing to predict"):
        model.loss(torch.tensor([[0]]))
