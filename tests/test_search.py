"""vec2gpt.search beside all texts there are, counted out, on models so small that this can be done."""

from functools import partial
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export

from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.decoding import greedy
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.search import BudgetSpent, beam_search, best_first

V, EOS, LIMIT = 4, 0, 4
ROWS = 3


class Tiny:
    """A random recurrent network of float64, which starts from a state of its own in every row."""

    def __init__(self, seed=0, *, sharp=1.5):
        random = torch.Generator().manual_seed(seed)
        self.inner, self.seen, self.head, self.began = (
            sharp * torch.randn(shape, generator=random, dtype=torch.double)
            for shape in ((5, 5), (V, 5), (5, V), (ROWS, 5))
        )

    def start(self, rows=slice(None)):
        state = self.began[rows]
        return torch.ones(len(state), dtype=torch.long), ((state,),)  # nested, as models have it

    def step(self, ids, state):
        ((h,),) = state
        h = torch.tanh(h @ self.inner + self.seen[ids])
        return h @ self.head, ((h,),)


def log_p(model, row, text):
    """The model's own log-probability of a text, one token at a time."""
    ids, state = model.start(slice(row, row + 1))
    total = 0.0
    for token in text:
        logits, state = model.step(ids, state)
        total += logits.log_softmax(-1)[0, token].item()
        ids = torch.tensor([token])
    return total


def all_texts(limit=LIMIT):
    """Every text of up to `limit` tokens: with eos at its end and nowhere else, or cut at the limit."""
    words = [token for token in range(V) if token != EOS]
    ended = ((*said, EOS) for n in range(limit) for said in product(words, repeat=n))
    return [*ended, *product(words, repeat=limit)]


def said(ids):
    """A row of ids up to its end token, that included."""
    ids = ids.tolist()
    return tuple(ids[: ids.index(EOS) + 1] if EOS in ids else ids)


def search(model, **options):
    return beam_search(model.step, *model.start(), **{"eos": EOS, "limit": LIMIT, **options})


# ---- beam search ----


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0])
def test_a_beam_that_holds_all_texts_ranks_all_texts(alpha):
    model, texts = Tiny(), all_texts()
    beam = search(model, width=V**LIMIT, alpha=alpha)
    assert beam.ids.shape == (ROWS, V**LIMIT, LIMIT)
    for row in range(ROWS):
        scores = {text: log_p(model, row, text) / len(text) ** alpha for text in texts}
        ranked = sorted(texts, key=scores.get, reverse=True)
        assert [said(ids) for ids in beam.ids[row, : len(texts)]] == ranked
        expected = torch.tensor([scores[text] for text in ranked], dtype=torch.double)
        torch.testing.assert_close(beam.score[row, : len(texts)], expected)
        assert (beam.log_p[row, len(texts) :] == -torch.inf).all()  # no more texts, but more slots


@pytest.mark.parametrize("width", [1, 2, 3, 7])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_is_the_search_written_out_with_lists(width, alpha):
    for seed in range(5):
        model = Tiny(seed)
        beam = search(model, width=width, alpha=alpha)
        for row in range(ROWS):
            expected = beam_by_hand(model, row, width, alpha)
            assert [said(ids) for ids in beam.ids[row]] == expected
            own = [log_p(model, row, text) for text in expected]
            torch.testing.assert_close(beam.log_p[row], torch.tensor(own, dtype=torch.double))


def beam_by_hand(model, row, width, alpha, limit=LIMIT):
    texts = [()]
    for _ in range(limit):
        reached = {longer(text, token) for text in texts for token in range(V)}
        texts = sorted(reached, key=lambda text: -log_p(model, row, text) / len(text) ** alpha)[:width]
    return texts


def longer(text, token):
    return text if has_ended(text) else (*text, token)


def has_ended(text):
    return text[-1:] == (EOS,)


def test_a_beam_of_1_is_greedy_at_any_alpha():
    for seed in range(5):
        model = Tiny(seed)
        expected = greedy(model.step, *model.start(), eos=EOS, limit=LIMIT)
        for alpha in (0.0, 1.0, 3.0):
            assert torch.equal(search(model, width=1, alpha=alpha).ids[:, 0], expected)


def test_the_example_of_the_docstring():
    """After `first` (3) come a (1) and b (2) with 0.6 and 0.4; eos (0) follows a with 0.5 and b with 0.9."""
    p = torch.tensor([[1, 0, 0, 0], [0.5, 0.25, 0.25, 0], [0.9, 0.05, 0.05, 0], [0, 0.6, 0.4, 0]])
    found = partial(beam_search, lambda ids, state: (p[ids].log(), state), torch.tensor([3]), ())
    one, two = (found(eos=0, width=width, limit=2, alpha=0.0) for width in (1, 2))
    assert (one.ids[0, 0].tolist(), two.ids[0, 0].tolist()) == ([1, 0], [2, 0])
    assert (one.log_p[0, 0].exp().item(), two.log_p[0, 0].exp().item()) == pytest.approx((0.30, 0.36))


def test_the_trace_tells_what_was_kept():
    model = Tiny()
    trace = search(model, width=3, alpha=0.0).trace
    for row in range(ROWS):
        texts = [(), None, None]  # in the slots, before the first step
        for t in range(trace.token.shape[1]):
            moves = zip(trace.parent[row, t].tolist(), trace.token[row, t].tolist(), strict=True)
            texts = [longer(texts[parent], token) for parent, token in moves]
            assert texts == beam_by_hand(model, row, 3, 0.0, limit=t + 1)
            assert trace.ended[row, t].tolist() == [has_ended(text) for text in texts]
            own = torch.tensor([log_p(model, row, text) for text in texts], dtype=torch.double)
            torch.testing.assert_close(trace.log_p[row, t], own)


def test_the_trace_tells_what_was_pruned():
    model = Tiny()
    beam = search(model, width=3, alpha=0.0)
    for row in range(ROWS):
        for t in range(beam.trace.token.shape[1]):
            before = beam_by_hand(model, row, 3, 0.0, limit=t)
            for slot, text in enumerate(before):
                tokens, chances = beam.trace.candidates[row, t, slot], beam.trace.chances[row, t, slot]
                assert sorted(tokens.tolist()) == list(range(V))  # so few that all are told
                assert torch.equal(chances, chances.sort(descending=True).values)
                own = [gained(model, row, text, token) for token in tokens.tolist()]
                torch.testing.assert_close(chances, torch.tensor(own, dtype=torch.double))


def gained(model, row, text, token):
    """What a token adds to the log-probability of a text; eos costs nothing where it had ended."""
    if has_ended(text):
        return 0.0 if token == EOS else -torch.inf
    return log_p(model, row, (*text, token)) - log_p(model, row, text)


def test_rows_do_not_disturb_each_other():
    model = Tiny()
    together = search(model, width=3)
    for row in range(ROWS):
        alone = beam_search(model.step, *model.start(slice(row, row + 1)), eos=EOS, width=3, limit=LIMIT)
        assert [said(ids) for ids in alone.ids[0]] == [said(ids) for ids in together.ids[row]]
        torch.testing.assert_close(alone.log_p[0], together.log_p[row])


def test_search_stops_when_every_slot_has_ended():
    p = torch.tensor([[0.7, 0.15, 0.1, 0.05]]).log()
    beam = beam_search(
        lambda ids, state: (p.expand(len(ids), V), state), torch.ones(2).long(), (), eos=0, width=2, limit=99
    )
    assert beam.trace.token.shape == (2, 2, 2) and beam.ids.tolist() == [[[0, 0], [1, 0]]] * 2


def test_fewer_hypotheses_than_slots_are_a_narrower_beam():
    model = Tiny()
    for width in (1, 2, 5):
        narrow, wide = search(model, width=width), search(model, width=torch.tensor(width), slots=6)
        assert torch.equal(wide.ids[:, :width], narrow.ids)
        torch.testing.assert_close(wide.score[:, :width], narrow.score)
        assert (wide.log_p[:, width:] == -torch.inf).all()


MODELS = [
    RecurrentLanguageModel(LanguageModelConfig(V, cell="lstm", width=4, hidden=5, layers=2)),
    GPT(GPTConfig(V, context=8, layers=2, heads=2, width=8)),
    AttentionSeq2Seq(AttentionConfig(6, V, width=4, hidden=5, eos=EOS, pad=3)),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_every_model_says_of_its_beams_what_it_says_of_whole_texts(model):
    torch.manual_seed(0)
    source = torch.tensor([[4, 5, 4], [5, 4, 3]])
    for weight in model.eval().parameters():
        torch.nn.init.normal_(weight)
    seq2seq = isinstance(model, AttentionSeq2Seq)
    first, state = model.start(source) if seq2seq else (torch.ones(2).long(), model.initial(2))
    beam = beam_search(model.step, first, state, eos=EOS, width=5, limit=6)
    for row, ids in enumerate(beam.ids):
        read = torch.cat([first[row].expand(5, 1), ids[:, :-1]], 1)
        logits, _ = model(source[row].expand(5, -1), read) if seq2seq else model(read)
        own = logits.log_softmax(-1).gather(2, ids[..., None])[..., 0]
        open_ = (ids == EOS).cumsum(1) - (ids == EOS).long() == 0  # up to the end
        torch.testing.assert_close((own * open_).sum(1), beam.log_p[row], atol=1e-4, rtol=0)
        torch.testing.assert_close(beam.log_p[row] / open_.sum(1), beam.score[row])
        assert torch.equal(beam.score[row], beam.score[row].sort(descending=True).values)


def test_half_precision_adds_up_in_float32():
    model = Tiny()
    beam = beam_search(
        lambda ids, state: (model.step(ids, state)[0].half(), model.step(ids, state)[1]),
        *model.start(),
        eos=EOS,
        width=3,
        limit=LIMIT,
    )
    assert beam.log_p.dtype == torch.float32
    torch.testing.assert_close(beam.log_p.double(), search(model, width=3).log_p, atol=2e-2, rtol=0)


@pytest.mark.slow
def test_the_exported_search_is_the_search():
    limit, slots = 7, 5
    torch.manual_seed(1)
    model = AttentionSeq2Seq(AttentionConfig(9, 8, width=4, hidden=6))
    for weight in model.parameters():
        torch.nn.init.normal_(weight)

    def question(n):
        return torch.randint(3, 9, (2, n)), torch.tensor(1 + n % slots), torch.tensor(n % 3 / 2)

    def whole(part, value):  # torch stops early, the graph takes all steps
        return F.pad(part, (0, 0) * (part.dim() - 2) + (0, limit - part.shape[1]), value=value)

    def answer(model, source, width, alpha):
        options = {"eos": 2, "limit": limit, "width": width, "alpha": alpha, "slots": slots}
        ids, log_p, score, trace = beam_search(model.step, *model.start(source), **options)
        return whole(ids.mT, 2), log_p, score, whole(trace.token, 2), trace.parent[:, 0], trace.chances[:, 0]

    check_export(model, answer, question, [1, 2, 3, 4, 11], axes=((1,), (), ()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "width is 0: keep at least 1"),
        ({"width": 2.5}, "width is 2.5: .* whole number"),
        ({"width": 3, "slots": 2}, "width is 3: .* up to 2"),
        ({"width": 17, "limit": 2}, "width is 17, but 4 tokens make no more than 16 texts of 2"),
        ({"width": torch.tensor(2)}, "slots"),
        ({"width": 2, "limit": 0}, "cannot write 0 tokens"),
        ({"width": 2, "alpha": -0.1}, "alpha is -0.1"),
        ({"width": 2, "alpha": float("nan")}, "alpha is nan"),
        ({"width": 2, "eos": 4}, "eos is 4, but the model knows the ids 0 … 3"),
    ],
)
def test_numbers_out_of_range_are_named(options, said):
    with pytest.raises(ValueError, match=said):
        search(Tiny(), **options)


# ---- best-first search ----


def test_best_first_finds_the_most_probable_of_all_texts():
    errors = 0
    for seed in range(10):
        model = Tiny(seed)
        for row in range(ROWS):
            best = max(all_texts(), key=lambda text, row=row, model=model: log_p(model, row, text))
            found = best_first(model.step, *model.start(slice(row, row + 1)), eos=EOS, limit=LIMIT)
            assert tuple(found.ids.tolist()) == best
            assert found.log_p == pytest.approx(log_p(model, row, best))
            likelier = sum(p > found.log_p for p in beginnings(model, row))
            assert found.expanded == likelier  # exactly those that could have led to something better
            errors += said(greedy(model.step, *model.start(), eos=EOS, limit=LIMIT)[row]) != best
    assert errors, "the test needs a text that greedy search misses"


def beginnings(model, row):
    """The log-probability of every hypothesis that could be gone on from."""
    words = [token for token in range(V) if token != EOS]
    return [log_p(model, row, text) for n in range(LIMIT) for text in product(words, repeat=n)]


def test_best_first_gives_up_when_its_budget_is_spent():
    model = Tiny(3)
    search = partial(best_first, model.step, *model.start(slice(0, 1)), eos=EOS, limit=LIMIT)
    needed = search().expanded
    assert needed > 3 and search(budget=needed).expanded == needed
    with pytest.raises(BudgetSpent, match=f"{needed - 1} steps do not find"):
        search(budget=needed - 1)


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (2, {}, "one text at a time, not 2"),
        (1, {"budget": 0}, "the budget is 0"),
        (1, {"limit": 0}, "cannot write 0 tokens"),
        (1, {"eos": -1}, "eos is -1"),
    ],
)
def test_best_first_says_what_it_cannot_do(rows, options, said):
    model = Tiny()
    with pytest.raises(ValueError, match=said):
        best_first(model.step, *model.start(slice(0, rows)), **{"eos": EOS, "limit": LIMIT, **options})


def test_logits_that_are_nan_are_said():
    def broken(ids, state):
        return torch.full((len(ids), V), torch.nan), state

    for search in (partial(beam_search, width=2), best_first):
        with pytest.raises(ValueError, match="logits are nan"):
            search(broken, torch.ones(1).long(), (), eos=EOS, limit=LIMIT)
