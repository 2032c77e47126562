import copy
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import joint
import pytest
import torch
from test_training import TEXT, Next, fresh

from vec2gpt import processes
from vec2gpt.language import IGNORED
from vec2gpt.processes import Place
from vec2gpt.recipes import RECIPES, run
from vec2gpt.recipes.__main__ import main
from vec2gpt.training import fit, windows

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}


@pytest.fixture(autouse=True)
def nobody_started_several(monkeypatch):
    for name in TORCHRUN:
        monkeypatch.delenv(name, raising=False)


def pretend(monkeypatch, *, rank, count):
    """To be one of several, who are not there."""
    monkeypatch.setattr(processes, "rank", lambda: rank)
    monkeypatch.setattr(processes, "count", lambda: count)


def environment(monkeypatch, **changes):
    for name, value in (TORCHRUN | changes).items():
        if value is not None:
            monkeypatch.setenv(name, value)


# ---- who is there ----


def test_torchruns_environment_is_read(monkeypatch):
    assert processes.place() is None
    monkeypatch.setenv("MASTER_ADDR", "localhost")  # some machines have it always
    assert processes.place() is None
    environment(monkeypatch)
    assert processes.place() == Place(rank=3, world_size=4, local_rank=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"LOCAL_RANK": None},
            "has RANK, WORLD_SIZE, .* but not LOCAL_RANK: start the processes with torchrun",
        ),
        ({"MASTER_PORT": None}, "but not MASTER_PORT"),
        ({"RANK": "four"}, "RANK=four, WORLD_SIZE=4, LOCAL_RANK=1, which is no place"),
        ({"RANK": "4"}, "RANK=4, WORLD_SIZE=4"),
        ({"WORLD_SIZE": "-1"}, "WORLD_SIZE=-1"),
        ({"LOCAL_RANK": "-1"}, "LOCAL_RANK=-1"),
    ],
)
def test_a_half_set_environment_is_a_sentence(monkeypatch, capsys, tmp_path, changes, message):
    environment(monkeypatch, **changes)
    with pytest.raises(ValueError, match=message), processes.joined():
        pass
    assert main(["shakespeare-gpt", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: the environment ")


def test_one_process_alone_is_as_if_nothing_of_this_were_there(monkeypatch):
    batch, model, loss = (TEXT[:6],), Next(), torch.tensor(1.5)
    environment(monkeypatch, RANK="0", WORLD_SIZE="1", LOCAL_RANK="0")
    with processes.joined():
        assert not torch.distributed.is_initialized()
        assert (processes.rank(), processes.count(), processes.is_first()) == (0, 1, True)
        assert processes.spread(model) is model and processes.mean(loss) is loss
        assert processes.share(batch) == (batch, 1.0)
        before = torch.get_rng_state()
        processes.seed_step(0, 7)
        assert torch.equal(torch.get_rng_state(), before)
        handler = signal.getsignal(signal.SIGINT)
        with processes.interruptible() as check:
            assert signal.getsignal(signal.SIGINT) is handler
            check()
        with pytest.raises(ZeroDivisionError):
            processes.from_first(lambda: 1 / 0)


def test_a_process_has_the_gpu_of_its_number(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert processes.device() == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert processes.device() == torch.device("cuda:0")
    environment(monkeypatch, LOCAL_RANK="0")
    assert processes.device() == torch.device("cuda:0")
    environment(monkeypatch)
    with pytest.raises(ValueError, match="process 1 of this machine has no GPU of its own, there are 1"):
        processes.device()


# ---- a share ----


def test_a_share_weighs_what_its_targets_are_of_all(monkeypatch):
    ids = torch.arange(12).view(4, 3)
    targets = torch.tensor([[1, 2, IGNORED], [1, 3, IGNORED], [5, IGNORED, IGNORED], [6, IGNORED, IGNORED]])
    for rank, (rows, weight) in enumerate([(slice(0, 2), 4 / 3), (slice(2, 4), 2 / 3)]):
        pretend(monkeypatch, rank=rank, count=2)
        (mine, asked), weighs = processes.share((ids, targets))
        assert torch.equal(mine, ids[rows]) and torch.equal(asked, targets[rows])
        assert weighs == pytest.approx(weight)
        assert processes.share((ids, targets, torch.rand(4, 2))).weight == 1, "no ids: no targets"


def test_the_weighted_gradients_of_all_shares_are_that_of_the_batch(monkeypatch):
    torch.manual_seed(0)
    whole = Next(dropout=0.0).double()
    ids, targets = windows(TEXT, length=8, size=6)(torch.Generator())
    targets = targets.clone()  # the ids are the same memory
    targets[:4, 1:] = IGNORED
    _, loss = whole(ids, targets)
    loss.backward()
    total, gradients = 0.0, 0.0
    for rank in range(3):
        pretend(monkeypatch, rank=rank, count=3)
        model = copy.deepcopy(whole)
        model.zero_grad()
        batch, weight = processes.share((ids, targets))
        part = model(*batch)[1] * weight / 3
        part.backward()
        total, gradients = total + part.item(), gradients + model.layers[2].weight.grad
    assert total == pytest.approx(loss.item())
    torch.testing.assert_close(gradients, whole.layers[2].weight.grad)


def test_a_batch_that_does_not_divide_is_told(monkeypatch):
    pretend(monkeypatch, rank=0, count=4)
    with pytest.raises(ValueError, match="6 rows does not divide among 4 processes: draw a multiple of 4"):
        processes.share((TEXT[:6],))
    with pytest.raises(ValueError, match="4 and 8 rows"):
        processes.share((TEXT[:8], TEXT[:4]))


@pytest.mark.parametrize("rank", range(2))
def test_a_share_without_targets_is_told_in_every_process(monkeypatch, rank):
    pretend(monkeypatch, rank=rank, count=2)
    with pytest.raises(ValueError, match="process 1 has rows whose targets are all -100: draw more rows"):
        processes.share((TEXT[:4], torch.tensor([1, 2, IGNORED, IGNORED])))


def test_each_process_draws_the_dropout_of_a_step_from_a_seed_of_its_own(monkeypatch):
    def drawn(seed, step, rank):
        pretend(monkeypatch, rank=rank, count=2)
        processes.seed_step(seed, step)
        return torch.rand(1).item()

    assert drawn(0, 5, 1) == drawn(0, 5, 1)
    assert len({drawn(0, 5, 1), drawn(0, 5, 0), drawn(0, 6, 1), drawn(1, 5, 1), drawn(5, 0, 1)}) == 5


def test_what_several_cannot_do_is_told(monkeypatch, tmp_path):
    pretend(monkeypatch, rank=0, count=2)
    with pytest.raises(ValueError, match="knows one process only"):
        fit(fresh(), windows(TEXT, length=8, size=4), steps=2, update=lambda *batch, lr: torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"language-ladder makes a table.*run it in one process"):
        run("language-ladder", out=tmp_path)


# ---- two processes ----


def together(out, *, way=""):
    """The tiny recipe in two processes, as torchrun starts them."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = [joint.__file__, "tiny", "--out", str(out)]
    environment = {**os.environ, "JOINT": way, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, *command, *script]
    return subprocess.run(arguments, capture_output=True, text=True, env=environment)


def seen(out, *, rank=0):
    return torch.load(Path(out) / f"process {rank}.pt")


def same(ours, theirs):
    return all(torch.equal(ours["weights"][name], weight) for name, weight in theirs["weights"].items())


def check_close(ours, theirs):
    """A bias of all keys changes no attention: its gradient is rounding alone, which AdamW makes large."""
    for name, weight in theirs["weights"].items():
        if not name.endswith("key.bias"):
            torch.testing.assert_close(ours["weights"][name], weight, rtol=1e-4, atol=1e-5)


@pytest.fixture
def alone(monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny", joint.TINY)
    monkeypatch.setattr("vec2gpt.recipes.checkpoint.fit", joint.recorded)
    return lambda out: seen(run("tiny", out=out).card.parent)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    done = together(out)
    assert done.returncode == 0, done.stderr
    return out, done


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_same_batches(whole, alone, tmp_path):
    out, done = whole
    expected = alone(tmp_path)
    first, second = (seen(out, rank=rank) for rank in (0, 1))
    assert first["losses"] == pytest.approx(expected["losses"], rel=1e-5)
    check_close(first, expected)
    assert same(first, second) and first["losses"] == second["losses"]
    assert first["validations"] == second["validations"] and len(first["validations"]) == joint.STEPS

    assert done.stdout.splitlines()[0] == f"{joint.STEPS} training steps", "said once"
    assert len(done.stdout.splitlines()) == 2 and "tiny.json: loss" in done.stdout
    assert {file.name for file in out.glob("tiny*")} == {"tiny.json", "tiny.safetensors"}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_process_ends_all_and_started_again_they_come_to_the_same_bits(whole, tmp_path):
    assert together(tmp_path, way="kill").returncode != 0
    assert {file.name for file in tmp_path.iterdir()} == {"tiny.run"}
    done = together(tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"going on from step 10 of {joint.STEPS} (tiny.run)" in done.stdout
    assert same(seen(tmp_path), seen(whole[0])) and seen(tmp_path)["losses"] == seen(whole[0])["losses"]
    assert not (tmp_path / "tiny.run").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_leaves_a_state_from_which_one_process_goes_on(whole, alone, tmp_path, capsys):
    done = together(tmp_path, way="stop")
    assert done.returncode != 0 and "stopped at step" in done.stderr
    steps = len(seen(tmp_path)["losses"])
    assert joint.STOPPED <= steps < joint.STEPS and len(seen(tmp_path, rank=1)["losses"]) == steps
    assert f"interrupted after {steps}" in done.stdout
    assert {file.name for file in tmp_path.glob("tiny*")} == {"tiny.run"}

    shutil.copytree(tmp_path, tmp_path / "more")
    expected, found = seen(whole[0]), alone(tmp_path / "more")
    assert "going on from step" in capsys.readouterr().out
    assert found["losses"] == pytest.approx(expected["losses"], rel=1e-5)
    check_close(found, expected)
