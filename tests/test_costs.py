"""vec2gpt.costs: formulas beside torch's own counter, memory and exponents beside what is known."""

import time

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vec2gpt.attention import attend
from vec2gpt.blocks import Block, empty_cache
from vec2gpt.costs import (
    attention_operations,
    block_operations,
    cache_numbers,
    even_length,
    fitted_exponent,
    linear_keys,
    linear_state_numbers,
    peak_bytes,
    processor_seconds,
    recurrent_operations,
    score_numbers,
    state_numbers,
)
from vec2gpt.efficient import (
    attend_chunked,
    attend_local,
    attend_part,
)
from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.linear_attention import attend_linear, attend_linear_causal, linear_initial, linear_step
from vec2gpt.recurrent import GRUCell, LSTMCell, RNNCell, Stack

D, H = 12, 3
LENGTHS = (1, 7, 40)


def counted(work):
    """Operations of the matrix products in work(), by torch's counter."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def stored(q, k, v):
    """A look whose products are plain matrix products, which the counter sees."""
    return attend(q, k, v)[0]


# ---- counted ----


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("keys", [None, 5])
def test_operations_of_attention_are_what_torch_counts(n, keys):
    q = torch.randn(H, n, D // H)
    k = v = torch.randn(H, keys or n, D // H)
    assert counted(lambda: attend(q, k, v)) == attention_operations(n, D, keys=keys)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("inner", [None, 20])
def test_operations_of_a_block_are_what_torch_counts(n, inner):
    block, x = Block(D, heads=H, inner=inner), torch.randn(1, n, D)
    assert counted(lambda: block(x, look=stored)) == block_operations(n, D, inner=inner)


def test_a_training_step_costs_three_times_the_way_forward():
    block, x = Block(D, heads=H), torch.randn(1, 7, D, requires_grad=True)
    assert counted(lambda: block(x, look=stored).sum().backward()) == 3 * block_operations(7, D)


@pytest.mark.parametrize("inner", [None, 20])
def test_attention_is_half_of_a_block_at_the_even_length(inner):
    n = even_length(D, inner=inner)
    assert 2 * attention_operations(n, D) == block_operations(n, D, inner=inner)
    assert even_length(128) == 768 == 6 * 128  # the docstring's


def test_what_is_not_stored_is_computed_all_the_same():
    q, k, v = torch.randn(3, H, 40, D // H)
    assert counted(lambda: attend_chunked(q, k, v, chunk=7)) == attention_operations(40, D)


@pytest.mark.parametrize("before", [16, 20])
def test_a_window_costs_as_many_keys_as_it_has_and_in_blocks_nearly_twice_as_many(before):
    """`attend_local` cuts the text in blocks as long as the window reaches: each token meets two of them."""
    n = 4 * before
    q, k, v = torch.randn(3, H, n, D // H)
    ours = counted(lambda: attend_local(q, k, v, before=before))
    assert ours == attention_operations(n, D, keys=2 * before)
    least = attention_operations(n, D, keys=before + 1)
    assert least < ours < 2 * least


@pytest.mark.parametrize("n", LENGTHS)
def test_linear_attention_costs_as_much_as_its_keys(n):
    q, k, v = torch.randn(3, H, n, D // H)
    keys = linear_keys(D, heads=H)
    assert counted(lambda: attend_linear(q, k, v)) == attention_operations(n, D, keys=keys)


def test_causal_linear_attention_meets_the_keys_of_its_own_chunk_too():
    q, k, v = torch.randn(3, H, 40, D // H)
    with_sums = counted(lambda: attend_linear_causal(q, k, v, chunk=8))
    pairs = 2 * 40 * 8 * (D + D + H)  # 8 scores each, and averages of values with their ones
    assert with_sums == attention_operations(40, D, keys=linear_keys(D, heads=H)) + pairs


@pytest.mark.parametrize("n", LENGTHS)
def test_the_next_token_costs_a_block_of_one_token(n):
    """What was read before is at hand as keys and values; else all is read again."""
    block, x = Block(D, heads=H), torch.randn(1, n, D)
    past = block.attention.sublayer.project(x, x, x)[1:]
    ours = counted(lambda: block(x[:, -1:], look=lambda q, k, v: stored(q, *past)))
    assert ours == block_operations(1, D, keys=n)
    assert counted(lambda: block(x, look=stored)) == block_operations(n, D)


def test_a_step_of_linear_attention_asks_its_matrix_in_half_of_the_operations():
    """The other half, adding k vᵀ to the matrix, is no matrix product: the counter does not see it."""
    q, k, v = torch.randn(3, H, D // H)
    seen = counted(lambda: linear_step(q, k, v, linear_initial(k, v)))
    assert seen == 2 * D * (D // H)
    assert 0 <= attention_operations(1, D, keys=linear_keys(D, heads=H)) - 2 * seen <= 4 * D


def test_formulas_take_tensors_of_lengths():
    n = torch.tensor([1.0, 7, 40], dtype=torch.double)
    for formula in (block_operations, attention_operations):
        assert formula(n, D).tolist() == [formula(one, D) for one in (1, 7, 40)]
    assert block_operations(1, torch.tensor(D), keys=n).tolist()[1] == block_operations(1, D, keys=7)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize(("cell", "gates"), [(RNNCell, 1), (GRUCell, 3), (LSTMCell, 4)])
def test_operations_of_cells_are_what_torch_counts(cell, gates, n):
    stack, x = Stack(cell, D, 8), torch.randn(1, n, D)
    assert counted(lambda: stack(x)) == recurrent_operations(n, D, hidden=8, gates=gates)


def test_score_numbers_are_those_of_the_weights():
    q = torch.randn(H, 7, 4)
    assert attend(q, q, q)[1].numel() == score_numbers(7, H)


def test_fused_attention_stores_one_number_a_row():
    q = torch.randn(H, 7, 4)
    part = attend_part(q, q, q, torch.ones(7, 7, dtype=torch.bool))
    assert part.log_sum.numel() == score_numbers(7, H, keys=1)


def test_states_are_as_large_after_any_text():
    stack = Stack(LSTMCell, D, 8, layers=2)
    states = stack(torch.randn(1, 7, D))[1]
    assert sum(part.numel() for state in states for part in state) == state_numbers(8, layers=2, parts=2)
    q, k, v = torch.randn(3, H, D // H)
    state = linear_step(q, k, v, linear_initial(k, v))[1]
    assert sum(part.numel() for part in state) == linear_state_numbers(D, heads=H, layers=1)


def test_cache_numbers_are_those_of_a_full_cache():
    model = GPT(GPTConfig(vocab_size=5, context=9, layers=2, heads=H, width=D))
    cache = model.initial(1)
    assert sum(part.numel() for part in (*cache.keys, *cache.values)) == cache_numbers(9, D, layers=2)
    assert cache_numbers(64, 128, layers=4) == 65_536  # the docstring's


# ---- measured ----


def test_processor_seconds_are_those_of_work_alone():
    def work(seconds):
        ready = time.process_time() + seconds
        while time.process_time() < ready:
            pass

    assert 0.05 <= processor_seconds(lambda: work(0.05)) < 0.1
    assert processor_seconds(lambda: time.sleep(0.05)) < 0.04


def test_processor_seconds_are_the_least_of_the_rounds_after_the_first():
    calls = []

    def quicker_every_time():
        calls.append(1)
        ready = time.process_time() + 0.1 / len(calls)
        while time.process_time() < ready:
            pass

    assert 0.02 <= processor_seconds(quicker_every_time, rounds=4) < 0.025
    assert len(calls) == 5


def test_no_rounds_are_refused():
    with pytest.raises(ValueError, match="rounds is 0: give at least 1"):
        processor_seconds(lambda: None, rounds=0)


def test_peak_bytes_are_those_held_at_one_moment():
    x = torch.randn(1000)  # there before: not counted

    def work():
        y = x + 1  # 4,000 bytes
        y = y.view(10, 100).T  # a view of them
        y = y * 2  # 8,000, until the first are freed
        y.mul_(2)  # in place
        return (y + 1).sum()  # 8,000, then 4 more

    assert peak_bytes(work) == 8004
    assert peak_bytes(lambda: x.view(10, 100)[2:]) == 0


def test_peak_bytes_sees_what_the_way_back_needs():
    x = torch.randn(1000, requires_grad=True)
    with torch.no_grad():
        assert peak_bytes(lambda: x.exp().exp().exp().sum()) == 8000  # the second is freed for the third
    kept = peak_bytes(lambda: x.exp().exp().exp().sum())
    assert kept == 12_004  # all three, and the sum
    assert peak_bytes(lambda: x.exp().exp().exp().sum().backward()) > kept


def test_peak_bytes_of_stored_weights_grow_with_the_square():
    def bytes_of(n):
        q = torch.randn(H, n, 4)
        return peak_bytes(lambda: attend(q, q, q))

    assert bytes_of(64) >= 4 * score_numbers(64, H)
    assert fitted_exponent([64, 128, 256], [bytes_of(n) for n in (64, 128, 256)]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("power", [0, 1, 1.5, 2])
def test_a_power_is_fitted_exactly(power):
    lengths = [256, 512, 1024, 4096]
    costs = [0.3 * n**power for n in lengths]
    assert fitted_exponent(lengths, costs) == pytest.approx(power, abs=1e-9)


def test_the_fitted_slope_is_that_of_least_squares():
    torch.manual_seed(0)
    lengths = torch.tensor([1.0, 2, 3, 5, 8, 13], dtype=torch.double)
    costs = torch.rand(6, dtype=torch.double) + 0.1
    line = torch.stack([lengths.log(), torch.ones(6)], 1)
    expected = torch.linalg.lstsq(line, costs.log()[:, None]).solution[0].item()
    assert fitted_exponent(lengths.tolist(), costs.tolist()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("lengths", "costs", "message"),
    [
        ([1, 2], [1], "no slope"),
        ([2, 2], [1, 3], "no slope"),
        ([], [], "no slope"),
        ([1, 2], [0, 1], "0 has no logarithm: .* above 0"),
        ([1, 2], [float("nan"), 1], "nan has no logarithm"),
        ([1, 2], [float("inf"), 1], "inf has no logarithm"),
    ],
)
def test_what_has_no_exponent_says_so(lengths, costs, message):
    with pytest.raises(ValueError, match=message):
        fitted_exponent(lengths, costs)


@pytest.mark.parametrize("groups", [None, 1, 2, 6])
def test_groups_of_heads_share_what_is_kept(groups):
    cache = empty_cache(torch.zeros(24), batch=1, layers=3, heads=6, groups=groups, context=10)
    held = sum(part.numel() for part in (*cache.keys, *cache.values))
    assert cache_numbers(10, 24, layers=3, heads=6, groups=groups) == held


def test_groups_that_heads_do_not_make_are_refused():
    with pytest.raises(ValueError, match="6 heads do not make 4 equal groups: choose a divisor of 6"):
        cache_numbers(10, 24, layers=3, heads=6, groups=4)
