import math

import pytest
import torch

from vec2gpt.attention import AttentionSeq2Seq
from vec2gpt.decoding import continue_with, generate, greedy, restrict, sample
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.seq2seq import Seq2SeqConfig

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
    tensors = {name: torch.tensor(value) for name, value in limits.items()}
    torch.testing.assert_close(restrict(P.log(), **tensors), expected)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"temperature": 0}, "temperature is 0"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0"),
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


# ---- greedy ----


def test_greedy_says_the_likeliest_token_and_is_silent_after_the_end():
    torch.manual_seed(0)
    config = Seq2SeqConfig(source_vocab=9, target_vocab=6, width=4, hidden=6)
    model = AttentionSeq2Seq(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight)
    source = torch.randint(3, 9, (40, 5))
    spoken = greedy(model, source, limit=12)
    assert spoken.shape == (40, 12)
    ended = 0
    for letters, row in zip(source, spoken, strict=True):
        ids = [config.bos]
        while len(ids) <= 12 and ids[-1] != config.eos:  # one sentence by itself, without any state
            logits, _ = model(letters[None], torch.tensor([ids]))
            ids.append(logits[0, -1].argmax().item())
        said = ids[1:]
        assert row.tolist() == said + [config.pad] * (12 - len(said))
        ended += said[-1] == config.eos
    assert 0 < ended < 40, "the test needs sentences that end and sentences that are cut"


def test_greedy_needs_room():
    model = AttentionSeq2Seq(Seq2SeqConfig(9, 6, width=4, hidden=6))
    with pytest.raises(ValueError, match="cannot write 0 tokens"):
        greedy(model, torch.ones(1, 2, dtype=torch.long), limit=0)
