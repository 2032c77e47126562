import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from exporting import check_export

from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.decoding import continue_with, generate, greedy, many, restrict, sample, sampling, until_end
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel

P = torch.tensor([1 / 8, 1 / 2, 1 / 8, 1 / 4])  # not in order, with a tie


def lstm():
    torch.manual_seed(0)
    return RecurrentLanguageModel(LanguageModelConfig(7, width=4, hidden=8)).eval()


def gpt():
    torch.manual_seed(0)
    return GPT(GPTConfig(7, context=16, layers=1, heads=2, width=8)).eval()


# ---- restrict ----


def test_without_limits_it_is_the_softmax():
    logits = torch.randn(3, 50)
    torch.testing.assert_close(restrict(logits), logits.softmax(-1))
    torch.testing.assert_close(restrict(logits, 0.5), (2 * logits).softmax(-1))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"top_k": 1}, [0, 1, 0, 0]),
        ({"top_k": 2}, [0, 2 / 3, 0, 1 / 3]),
        ({"top_k": 3}, [1 / 7, 4 / 7, 0, 2 / 7]),  # of two equals, the first
        ({"top_k": 9}, P),
        ({"top_p": 0.01}, [0, 1, 0, 0]),
        ({"top_p": 0.5}, [0, 1, 0, 0]),
        ({"top_p": 0.51}, [0, 2 / 3, 0, 1 / 3]),
        ({"top_p": 0.75}, [0, 2 / 3, 0, 1 / 3]),
        ({"top_p": 0.76}, [1 / 7, 4 / 7, 0, 2 / 7]),
        ({"top_k": 2, "top_p": 0.6}, [0, 1, 0, 0]),  # the two are ⅔ and ⅓ by then
        ({"temperature": 0.5}, [1 / 22, 16 / 22, 1 / 22, 4 / 22]),  # probabilities squared
    ],
)
def test_restrict_by_hand(limits, expected):
    expected = torch.as_tensor(expected, dtype=torch.float)
    torch.testing.assert_close(restrict(P.log(), **limits), expected)
    for wrap in (lambda value: value, lambda value: [value]):  # of no axes, and of one
        tensors = {name: torch.tensor(wrap(value)) for name, value in limits.items()}
        torch.testing.assert_close(restrict(P.log(), **tensors), expected)


@pytest.mark.parametrize("top_p", [1, 1.0, torch.tensor(1.0), torch.tensor([1.0])])
def test_top_p_of_1_keeps_even_what_rounding_hides(top_p):
    logits = torch.tensor([0.0, -20.0, -30.0])  # the first has a probability of 1, in float32
    assert logits.softmax(-1)[0] == 1
    torch.testing.assert_close(restrict(logits, top_p=top_p).log(), logits)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"temperature": 0}, "temperature is 0"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_k": 2.5}, "top_k is 2.5: give a whole number"),
        ({"top_k": math.nan}, "top_k is nan"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_numbers_out_of_range_are_named(limits, said):
    with pytest.raises(ValueError, match=said):
        restrict(P.log(), **limits)


# ---- sample ----


@pytest.mark.parametrize(
    ("u", "token"), [(0.0, 0), (0.124, 0), (0.125, 1), (0.62, 1), (0.626, 2), (0.75, 3), (0.999999, 3)]
)
def test_sample_by_hand(u, token):
    assert sample(P[None], torch.tensor([u])).tolist() == [token]


def test_a_token_without_probability_is_never_sampled():
    probabilities = torch.tensor([[0.0, 0.3, 0.0, 0.7, 0.0]]).expand(1002, 5)
    u = torch.cat([torch.linspace(0, 1, 1001)[:-1], torch.tensor([0.3, 1 - 2**-24])])
    assert set(sample(probabilities, u).tolist()) == {1, 3}


@pytest.mark.parametrize("total", [1 - 1e-6, 1.0, 1 + 1e-6])
def test_rounding_never_leads_past_the_last_token(total):
    probabilities = torch.tensor([[0.5, total - 0.5, 0.0]])  # rounded, they add up to a little more or less
    assert sample(probabilities, torch.tensor([1 - 2**-24])).tolist() == [1]


def test_samples_are_spread_as_torchs_are():
    n, generator = 40_000, torch.Generator().manual_seed(0)
    ours = sample(P.expand(n, 4), torch.rand(n, generator=generator)).bincount(minlength=4) / n
    theirs = torch.multinomial(P, n, replacement=True, generator=generator).bincount(minlength=4) / n
    spread = (P * (1 - P) / n).sqrt()
    assert ((ours - P).abs() < 4 * spread).all()
    assert ((ours - theirs).abs() < 6 * spread).all()


# ---- generate ----


@pytest.mark.parametrize("model", [lstm(), gpt()])
def test_the_same_numbers_give_the_same_text_token_by_token(model):
    ids, u = torch.randint(7, (3, 4)), torch.rand(3, 6)
    written, probabilities = continue_with(model, ids, u, temperature=0.9, top_k=5, top_p=0.95)
    for t in range(6):
        logits, _ = model(ids)  # reading all from the start, without any state
        expected = restrict(logits[:, -1], 0.9, 5, 0.95)
        step = sample(expected, u[:, t])
        assert torch.equal(step, written[:, t])
        torch.testing.assert_close(probabilities[:, t], expected)
        ids = torch.cat([ids, step[:, None]], 1)


def test_a_generator_decides_the_text():
    ids = torch.zeros(2, 1, dtype=torch.long)
    texts = [generate(lstm(), ids, 20, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert texts[0].shape == (2, 20)
    assert torch.equal(texts[0], texts[1]) and not torch.equal(texts[0], texts[2])


def test_top_1_is_the_likeliest_token_whatever_the_chance():
    ids = torch.zeros(1, 1, dtype=torch.long)
    written = generate(lstm(), ids, 5, top_k=1)
    whole, _ = lstm()(torch.cat([ids, written], 1))
    assert torch.equal(whole[:, :-1].argmax(-1), written)


def test_prompt_and_text_fill_the_context_and_no_more():
    ids = torch.zeros(1, 6, dtype=torch.long)
    assert generate(gpt(), ids, 10).shape == (1, 10)
    with pytest.raises(ValueError, match="17 tokens are too long for this model's context of 16"):
        generate(gpt(), ids, 11)


@pytest.mark.parametrize(("length", "n", "said"), [(0, 3, "ids are empty"), (2, 0, "cannot write 0 tokens")])
def test_nothing_to_read_or_to_write_is_refused(length, n, said):
    with pytest.raises(ValueError, match=said):
        generate(lstm(), torch.zeros(1, length, dtype=torch.long), n)


# ---- greedy, and sampling to the end token ----


def translator():
    torch.manual_seed(2)
    model = AttentionSeq2Seq(AttentionConfig(source_vocab=9, target_vocab=6, width=4, hidden=6)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight)
    return model


SOURCES = torch.randint(3, 9, (40, 5), generator=torch.Generator().manual_seed(0))
BOS, EOS = 1, 2


def written_alone(model, source, limit, pick):
    """One sentence by itself, without any state; `pick(logits, t)` chooses its token t."""
    ids = [BOS]
    while len(ids) <= limit and (len(ids) == 1 or ids[-1] != EOS):
        logits, _ = model(source[None], torch.tensor([ids]))
        ids.append(pick(logits[0, -1], len(ids) - 1))
    return ids[1:]


def check_rows(spoken, expected, limit):
    """Rows are as expected, filled up with the end token, and no longer than the longest."""
    longest = max(map(len, expected))
    assert spoken.tolist() == [row + [EOS] * (longest - len(row)) for row in expected]
    ended = sum(EOS in row for row in expected)
    assert 0 < ended <= len(expected) and (ended == len(expected) or longest == limit)


def test_greedy_says_the_likeliest_token_to_the_end_or_the_limit():
    model = translator()
    spoken = greedy(model.step, *model.start(SOURCES), eos=EOS, limit=12)
    expected = [written_alone(model, row, 12, lambda p, _: p.argmax().item()) for row in SOURCES]
    check_rows(spoken, expected, 12)
    assert any(EOS not in row for row in expected), "the test needs sentences that are cut"


def test_greedy_stops_when_all_have_ended():
    model, calls = translator(), []
    ends = greedy(model.step, *model.start(SOURCES), eos=EOS, limit=12)[:, -1] == EOS

    def step(ids, state):
        calls.append(len(ids))
        return model.step(ids, state)

    spoken = greedy(step, *model.start(SOURCES[ends]), eos=EOS, limit=1000)
    assert spoken.shape == (int(ends.sum()), len(calls)) and len(calls) <= 12


def test_greedy_may_begin_with_the_end_token_as_some_models_do():
    model = translator()
    first, state = model.start(SOURCES)
    spoken = greedy(model.step, torch.full_like(first, EOS), state, eos=EOS, limit=3)
    logits, _ = model.step(torch.full_like(first, EOS), state)
    assert torch.equal(spoken[:, 0], logits.argmax(-1)) and (spoken[:, 0] != EOS).any()


def test_sampling_is_continuing_until_the_end():
    model, u = translator(), torch.rand(40, 12, generator=torch.Generator().manual_seed(1))
    limits = {"temperature": 1.5, "top_k": 5, "top_p": 0.95}
    spoken, probabilities = sampling(model.step, *model.start(SOURCES), u, eos=EOS, **limits)

    def alone(row, chance):
        return written_alone(
            model, row, 12, lambda p, t: sample(restrict(p[None], **limits), chance[t, None]).item()
        )

    check_rows(spoken, [alone(row, chance) for row, chance in zip(SOURCES, u, strict=True)], 12)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(spoken.shape))
    assert (probabilities > 0).sum(-1).max() <= 5


def test_sampling_at_top_1_is_greedy():
    model = translator()
    spoken, _ = sampling(model.step, *model.start(SOURCES), torch.rand(40, 12), eos=EOS, top_k=1)
    assert torch.equal(spoken, greedy(model.step, *model.start(SOURCES), eos=EOS, limit=12))


def test_as_many_steps_as_tokens_fill_the_context():
    torch.manual_seed(0)
    model, first = GPT(GPTConfig(7, context=8, layers=1, heads=2, width=8)).eval(), torch.tensor([1])
    never, silent = 0, torch.tensor([-100.0] + 6 * [0.0])  # the end token is not said

    def step(ids, state):
        logits, state = model.step(ids, state)
        return logits + silent, state

    assert greedy(step, first, model.initial(1), eos=never, limit=8).shape == (1, 8)
    assert sampling(step, first, model.initial(1), torch.rand(1, 8), eos=never)[0].shape == (1, 8)
    with pytest.raises(ValueError, match="9 tokens are too long for this model's context of 8"):
        sampling(step, first, model.initial(1), torch.rand(1, 9), eos=never)


@pytest.mark.slow
def test_the_exported_sampling_draws_the_same_text():
    def question(n):
        limits = torch.tensor([0.8 + n / 10]), torch.tensor([1 + n % 5]), torch.tensor([1 - n % 3 / 10])
        return torch.randint(3, 9, (2, n)), torch.rand(2, n), *limits

    def answer(model, source, u, *limits):
        limits = dict(zip(("temperature", "top_k", "top_p"), limits, strict=True))
        spoken, p = sampling(model.step, *model.start(source), u, eos=EOS, **limits)
        open_ = F.pad((spoken == EOS).cumsum(1) == 0, (1, 0), value=True)[:, :-1]  # up to the end
        missing = u.shape[1] - spoken.shape[1]  # torch stops early, a graph does not
        return F.pad(spoken, (0, missing), value=EOS), F.pad(p * open_[..., None], (0, 0, 0, missing))

    check_export(translator(), answer, question, [1, 2, 3, 12], axes=((1,), (1,), (), (), ()))


def test_a_row_is_cut_before_its_first_end_token():
    ids = torch.tensor([[5, EOS, EOS], [EOS, 3, EOS], [3, 4, 5]])
    assert until_end(ids, eos=EOS) == [[5], [], [3, 4, 5]]
    assert until_end(ids, eos=3) == [[5, EOS, EOS], [EOS], []]


def test_any_language_model_writes_to_its_end_token():
    for model in (lstm(), gpt()):
        first = torch.tensor([1, 3, 5])
        spoken = greedy(model.step, first, model.initial(3), eos=0, limit=8)
        whole, _ = model(torch.cat([first[:, None], spoken[:, :-1]], 1))
        open_ = (spoken == 0).cumsum(1) - (spoken == 0).long() == 0
        assert torch.equal(whole.argmax(-1)[open_], spoken[open_])


@pytest.mark.parametrize(
    ("eos", "limit", "said"),
    [
        (EOS, 0, "cannot write 0 tokens"),
        (6, 3, "eos is 6, but the model knows the ids 0 … 5"),
        (-1, 3, "eos is -1"),
    ],
)
def test_what_cannot_be_written_is_said(eos, limit, said):
    model = translator()
    with pytest.raises(ValueError, match=said):
        greedy(model.step, *model.start(SOURCES), eos=eos, limit=limit)
    with pytest.raises(ValueError, match=said):
        sampling(model.step, *model.start(SOURCES), torch.rand(40, limit), eos=eos)


def test_a_broken_model_or_too_few_numbers_are_said():
    model = translator()
    with pytest.raises(ValueError, match=r"u has the shape \(2, 3\): give a row of numbers for each of 40"):
        sampling(model.step, *model.start(SOURCES), torch.rand(2, 3), eos=EOS)
    torch.nn.init.constant_(model.decoder.head.bias, math.nan)
    for write in (partial(greedy, limit=3), partial(sampling, u=torch.rand(40, 3))):
        with pytest.raises(ValueError, match="logits are nan"):
            write(model.step, *model.start(SOURCES), eos=EOS)


def test_a_state_is_repeated_row_by_row_however_it_is_nested():
    ids, (state,) = many(2, (torch.tensor([5, 7]), [torch.tensor([[1.0, 2.0], [3.0, 4.0]])]))
    assert ids.tolist() == [5, 5, 7, 7]
    assert state.tolist() == [[1, 2], [1, 2], [3, 4], [3, 4]]
