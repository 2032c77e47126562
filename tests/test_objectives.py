"""vec2gpt.objectives: what is asked is what was promised, and cannot be seen through any number of layers."""

import math

import pytest
import torch

from vec2gpt import objectives
from vec2gpt.language import IGNORED
from vec2gpt.objectives import (
    OBJECTIVES,
    Example,
    backward,
    causal,
    cut_out,
    masked,
    permuted,
    prefix,
    spans,
)
from vec2gpt.reader import Reader, ReaderConfig

V, SPECIALS, MASK = 40, 4, 3
SENTINELS = torch.arange(30, 40)  # of which no text below holds one
N = IGNORED


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def texts(rows=5, length=12, seed=0):
    return torch.randint(SPECIALS, 30, (rows, length), generator=dice(seed))


def hiding(ids, generator, **options):
    return masked(ids, generator, mask=MASK, vocab_size=V, specials=SPECIALS, **options)


MAKERS = {
    "causal": lambda ids, generator: causal(ids),
    "backward": lambda ids, generator: backward(ids),
    "masked": lambda ids, generator: hiding(ids, generator, share=0.4, keep=0, swap=0.3),
    "prefix": prefix,
    "permuted": lambda ids, generator: permuted(ids, generator, share=1),
    "spans": lambda ids, generator: spans(ids, generator, sentinels=SENTINELS, share=0.5, mean=2),
}
EVERY = pytest.mark.parametrize("name", MAKERS)


def test_the_names_are_those_of_the_functions():
    assert tuple(MAKERS) == OBJECTIVES
    assert all(callable(getattr(objectives, name)) for name in OBJECTIVES)


# ---- on a few numbers ----

IDS = torch.tensor([[5, 6, 7, 8]])


def test_causal_asks_the_next_token_and_backward_the_one_before():
    ahead, back = causal(IDS), backward(IDS)
    assert ahead.targets.tolist() == [[6, 7, 8, N]] and back.targets.tolist() == [[N, 5, 6, 7]]
    assert torch.equal(ahead.inputs, IDS) and torch.equal(back.inputs, IDS)
    assert torch.equal(ahead.mask, torch.ones(4, 4).tril().bool())
    assert torch.equal(back.mask, torch.ones(4, 4).triu().bool())


def test_a_prefix_sees_itself_both_ways_and_only_the_rest_is_asked():
    one = prefix(IDS, lengths=2)
    assert one.targets.tolist() == [[N, 7, 8, N]]
    assert one.may_look().int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    two = prefix(IDS.repeat(2, 1), lengths=[1, 3])
    assert two.targets.tolist() == [[6, 7, 8, N], [N, N, 8, N]]
    assert torch.equal(two.may_look(0), causal(IDS).mask)
    assert two.mask.shape == (2, 1, 4, 4)


def test_the_order_of_saying_becomes_two_masks_and_every_token_stays():
    one = permuted(IDS, order=[2, 0, 3, 1], share=1)
    assert torch.equal(one.inputs, IDS) and torch.equal(one.targets, IDS)
    assert one.may_look().int().tolist() == [[0, 0, 1, 0], [1, 0, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0]]
    assert torch.equal(one.content[0, 0], one.may_look() | torch.eye(4, dtype=torch.bool))
    assert permuted(IDS, order=[2, 0, 3, 1]).targets.tolist() == [[N, 6, N, N]]  # the last one said
    assert permuted(IDS, order=[2, 0, 3, 1], share=0.5).targets.tolist() == [[N, 6, N, 8]]


def test_left_to_right_is_one_of_the_orders():
    one, ahead = permuted(IDS, order=torch.arange(4), share=1), causal(IDS)
    assert torch.equal(one.content[0, 0], ahead.mask)
    assert torch.equal(one.may_look()[1:], ahead.mask[:-1])  # told at the place itself, not at the one before


def test_a_span_leaves_a_sentinel_and_is_told_behind_it():
    one = spans(IDS, dice(), sentinels=[30, 31], share=0.5, mean=2)
    assert one.inputs.tolist() == [[5, 6, 30, 30, 7, 8, 31]]
    assert one.targets.tolist() == [[N, N, 30, 7, 8, 31, N]]
    assert torch.equal(one.mask, prefix(one.inputs, lengths=3).mask)


def test_spans_of_ones_own_choice_may_begin_and_end_anywhere():
    gone = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 1]]).bool()
    one = cut_out(torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]]), gone, sentinels=[30, 31, 32])
    assert one.inputs.tolist() == [[30, 6, 7, 31, 30, 5, 31, 8, 32], [9, 30, 7, 31, 30, 8, 31, 6, 32]]
    whole = cut_out(IDS, torch.ones(1, 4, dtype=torch.bool), sentinels=[30, 31])
    assert whole.inputs.tolist() == [[30, 30, 5, 6, 7, 8, 31]]
    assert whole.targets.tolist() == [[30, 5, 6, 7, 8, 31, N]]


@pytest.mark.parametrize(("length", "share", "mean"), [(2, 0.15, 3), (12, 0.5, 2), (64, 0.15, 3), (9, 1, 1)])
def test_text_and_answer_together_are_the_whole_text(length, share, mean):
    ids = texts(length=length)
    one = spans(ids, dice(), sentinels=range(30, 60), share=share, mean=mean)
    cut = min(max(round(share * length), 1), length - 1)
    count = min(max(round(cut / mean), 1), cut, length - cut)
    assert one.inputs.shape[1] == length + 2 * count + 1
    for before, row in zip(ids.tolist(), one.inputs.tolist(), strict=True):
        where = [at for at, token in enumerate(row) if token >= 30]
        assert [row[at] for at in where] == [*range(30, 30 + count), *range(30, 31 + count)]
        split = where[count]  # where the answer begins
        said = {row[a]: row[a + 1 : b] for a, b in zip(where[count:], where[count + 1 :], strict=False)}
        assert [part for token in row[:split] for part in said.get(token, [token])] == before
        assert sum(map(len, said.values())) == cut and all(said.values())


# ---- nothing sees its own answer ----


def reach(example, row):
    """(T, T): whether anything of an input can come to a place, through as many layers as one likes."""
    step = example.mask if example.content is None else example.content
    step = (step if step.dim() == 2 else step[row, 0]).float()
    step = ((step + torch.eye(len(step))) > 0).float()  # what goes round a block
    far = torch.linalg.matrix_power(step, len(step)) > 0
    if example.content is None:
        return far
    return (example.may_look(row).float() @ far.float()) > 0  # a query starts without its token


ANSWER = {"causal": 1, "backward": -1, "masked": 0, "prefix": 1, "permuted": 0, "spans": 1}


@EVERY
@pytest.mark.parametrize("seed", range(3))
def test_no_answer_reaches_the_place_that_is_asked_for_it(name, seed):
    example = MAKERS[name](texts(), dice(seed))
    for row, targets in enumerate(example.targets):
        far = reach(example, row)
        asked = (targets != IGNORED).nonzero()[:, 0]
        assert len(asked)
        for at in asked:
            place = at + ANSWER[name]
            if name == "masked":  # it was replaced; a swap may hit the very token, by chance
                assert example.inputs[row, place] == MASK or example.inputs[row, place] >= SPECIALS
            else:
                assert example.inputs[row, place] == targets[at] and not far[at, place]


@EVERY
@torch.no_grad()
def test_a_deep_reader_says_the_same_whatever_the_answer_is(name):
    """The token itself is changed, and the draw repeated: nothing may change where that token is asked."""
    torch.manual_seed(0)
    reader = Reader(ReaderConfig(V, context=40, width=16, heads=2, layers=4)).eval()
    for weight in reader.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    ids = texts(rows=1)
    before = MAKERS[name](ids, dice(1))
    said = reader(before.inputs, None, before.mask, before.content)[0]
    changes = 0
    for place in range(ids.shape[1]):
        other = ids.clone()
        other[0, place] = SPECIALS + (other[0, place] - SPECIALS + 1) % 20
        after = MAKERS[name](other, dice(1))
        asked = after.targets != before.targets
        logits = reader(after.inputs, None, after.mask, after.content)[0]
        assert torch.allclose(logits[asked], said[asked], atol=1e-5), (name, place)
        changes += asked.sum().item()
    assert changes == (before.targets < 30).logical_and(before.targets >= 0).sum()  # sentinels stay


# ---- shares ----


def within(count, expected, of):
    """Whether so many of `of` are what one expects of a share, within 3 σ."""
    return abs(count - expected * of) <= 3 * math.sqrt(of * expected * (1 - expected))


@pytest.mark.parametrize(
    ("share", "keep", "swap"), [(0.15, 0.1, 0.1), (0.5, 0.2, 0.3), (1, 0, 0), (0.3, 0, 1), (0.3, 1, 0)]
)
def test_each_share_of_masking_is_as_it_was_named(share, keep, swap):
    ids = texts(400, 256)
    one = hiding(ids, dice(), share=share, keep=keep, swap=swap)
    asked = one.targets != IGNORED
    assert within(asked.sum().item(), share, ids.numel())
    assert torch.equal(one.targets[asked], ids[asked]) and torch.equal(one.inputs[~asked], ids[~asked])
    now, then = one.inputs[asked], ids[asked]
    plain = V - SPECIALS
    assert within((now == MASK).sum().item(), 1 - keep - swap, len(now))
    assert within((now == then).sum().item(), keep + swap / plain, len(now))  # a swap may hit the same token
    assert one.mask.all() and one.mask.shape == (256, 256)
    strange = now[(now != MASK) & (now != then)]
    assert not len(strange) or (strange >= SPECIALS).all()
    if swap:  # every token of the vocabulary, as likely as any other
        assert set(strange.tolist()) == set(range(SPECIALS, V))


def test_specials_and_marks_are_never_hidden():
    ids = texts(50, 40)
    ids[:, ::2], ids[:, 1] = 1, MASK
    one = hiding(ids, dice(), share=1)
    assert ((one.targets != IGNORED) == (ids >= SPECIALS)).all()


def test_a_mask_among_the_plain_tokens_is_neither_hidden_nor_drawn():
    ids = torch.randint(9, (200, 50), generator=dice())
    one = masked(ids, dice(), mask=4, vocab_size=9, share=1, keep=0, swap=1)
    assert ((one.targets != IGNORED) == (ids != 4)).all()
    drawn = one.inputs[ids != 4]
    counts = drawn.bincount(minlength=9)
    assert counts[4] == 0 and all(
        within(n, 1 / 8, len(drawn)) for i, n in enumerate(counts.tolist()) if i != 4
    )


def test_a_row_is_always_asked_something():
    ids = torch.ones(300, 20, dtype=torch.long)
    ids[:, 7] = 9  # the one plain token
    one = hiding(ids, dice(), share=1e-6)
    assert (one.targets != IGNORED).sum(1).tolist() == [1] * 300
    long = hiding(texts(300, 20), dice(), share=1e-6).targets != IGNORED
    assert (long.sum(1) == 1).all() and (long.sum(0) > 0).all()  # and every place may be it


def test_prefixes_of_every_length_are_as_likely():
    asked = (prefix(texts(6000, 7), dice()).targets != IGNORED).sum(1)
    counts = asked.bincount(minlength=7)[1:]
    assert len(counts) == 6 and all(within(n, 1 / 6, 6000) for n in counts.tolist())


def test_every_order_is_as_likely_and_a_sixth_is_asked():
    one = permuted(texts(6000, 3), dice(), share=1 / 3)
    assert ((one.targets != IGNORED).sum(1) == 1).all()
    orders = one.mask[:, 0].sum(-1)  # how many are said before each place
    counts = (orders * torch.tensor([9, 3, 1])).sum(1).bincount()
    assert sorted(counts[counts > 0].tolist()) == sorted(n for n in counts.tolist() if n)
    assert (counts > 0).sum() == 6 and all(within(n, 1 / 6, 6000) for n in counts[counts > 0].tolist())
    assert (permuted(texts(3, 60), dice()).targets != IGNORED).sum(1).tolist() == [10] * 3


def test_spans_lie_anywhere_and_are_as_long_as_was_named():
    one = spans(texts(2000, 40), dice(), sentinels=range(30, 40), share=0.15, mean=3)
    answers = one.inputs[:, 40 - 6 + 2 :]
    lengths = (answers == 31).int().argmax(1) - 1  # of the first of two spans of 6 tokens together
    counts = lengths.bincount(minlength=6)[1:]
    assert all(within(n, 1 / 5, 2000) for n in counts.tolist())  # 1 … 5, as likely
    firsts = (one.inputs == 30).int().argmax(1)
    assert set(firsts.tolist()) == set(range(1, 34))


@EVERY
def test_chance_is_the_generators_alone(name):
    def same(a, b):
        return all(torch.equal(x, y) for x, y in zip(a.batch(), b.batch(), strict=True))

    first = MAKERS[name](texts(), dice(3))
    torch.manual_seed(9)
    ids = texts()
    assert same(first, MAKERS[name](ids, dice(3)))
    assert torch.equal(ids, texts())  # and what was given is as it was
    if name not in ("causal", "backward"):
        assert not same(first, MAKERS[name](texts(), dice(4)))


@EVERY
def test_a_batch_is_what_a_reader_takes(name):
    example = MAKERS[name](texts(), dice())
    assert isinstance(example, Example) and len(example.batch()) == (4 if name == "permuted" else 3)
    assert example.inputs.shape == example.targets.shape
    _, loss = Reader(ReaderConfig(V, context=40, width=16, heads=2, layers=1))(*example.batch())
    assert loss.isfinite()


def test_marks_can_be_left_unasked():
    one = causal(torch.tensor([[5, 6, 1, 0, 0], [7, 8, 9, 1, 0]]))
    assert one.without(0, 1).targets.tolist() == [[6, N, N, N, N], [8, 9, N, N, N]]
    assert one.targets.tolist()[0] == [6, 1, 0, 0, N]  # what was given is as it was
    assert torch.equal(one.without(0).mask, one.mask)


# ---- what does not fit ----

SHORT, WRONG = texts(length=1), "give more than 0, and at most 1"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: causal(SHORT), "ids have 1 token a row: give at least 2"),
        (lambda: causal(IDS[0]), r"shape \(4,\), not \(B, T\)"),
        (lambda: causal(torch.zeros(0, 5, dtype=torch.long)), "ids are empty"),
        (lambda: prefix(SHORT, dice()), "give at least 2"),
        (lambda: prefix(IDS), "give either a generator, or lengths"),
        (lambda: prefix(IDS, dice(), lengths=2), "give either a generator, or lengths"),
        (lambda: prefix(IDS, lengths=4), "a prefix of 4 does not fit 4 tokens: give 1 to 3"),
        (lambda: prefix(IDS, lengths=0), "a prefix of 0 does not fit"),
        (lambda: prefix(IDS, lengths=[1, 2]), "2 lengths do not go with 1 rows"),
        (lambda: permuted(IDS), "give either a generator, or order"),
        (lambda: permuted(IDS, order=[0, 1, 1, 2]), "order is no permutation of 0 … 3"),
        (lambda: permuted(IDS, order=[0, 1]), "order is no permutation"),
        (lambda: permuted(IDS, dice(), share=1.1), WRONG),
        (
            lambda: spans(IDS, dice(), sentinels=[30], share=0.5),
            "1 sentinels are too few for 1 spans: give 2",
        ),
        (lambda: spans(IDS, dice(), sentinels=30, share=0.5), "1 sentinels are too few"),
        (lambda: spans(IDS, dice(), sentinels=[30, 30], share=0.5), r"sentinels \[30, 30\] repeat"),
        (lambda: spans(IDS, dice(), sentinels=[5, 30], share=0.5), "a text holds a sentinel"),
        (lambda: spans(IDS, dice(), sentinels=[30, 31], mean=0.5), "mean is 0.5"),
        (lambda: spans(IDS, dice(), sentinels=[30, 31], share=0), WRONG),
        (lambda: cut_out(IDS, IDS < 0, sentinels=[30, 31]), r"rows lack \[0\] tokens in \[0\] spans"),
        (
            lambda: cut_out(
                IDS.repeat(2, 1), torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0]]).bool(), sentinels=[30]
            ),
            r"rows lack \[2\] tokens in \[1, 2\] spans: cut out as many",
        ),
        (lambda: cut_out(IDS, IDS, sentinels=[30]), r"gone is torch.int64 \(1, 4\): give torch.bool"),
        (lambda: hiding(IDS, dice(), share=0), WRONG),
        (lambda: hiding(IDS, dice(), share=15), "share is 15"),
        (lambda: hiding(IDS, dice(), keep=0.6, swap=0.5), "keep is 0.6 and swap 0.5"),
        (lambda: hiding(IDS, dice(), keep=-0.1), "keep is -0.1"),
        (lambda: hiding(torch.tensor([[1, 9], [1, MASK]]), dice()), "row 1 holds no plain token"),
        (lambda: hiding(torch.tensor([[1, 40]]), dice()), "ids hold 40"),
        (lambda: masked(IDS, dice(), mask=40, vocab_size=40), "no plain token: give vocab_size"),
        (lambda: masked(IDS, dice(), mask=8, vocab_size=9, specials=8), "a vocabulary of 9 with 8 specials"),
        (lambda: masked(IDS, dice(), mask=-1, vocab_size=40), "mask is -1: give at least 0"),
    ],
)
def test_what_cannot_be_asked_says_why(make, problem):
    with pytest.raises(ValueError, match=problem):
        make()
