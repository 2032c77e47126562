import pytest
import torch
from torch import nn

from vec2gpt.resume import restore_run, save_run


def parts(width=3):
    model = nn.Linear(width, 2)
    return model, torch.optim.AdamW(model.parameters()), torch.Generator().manual_seed(1)


def test_a_run_comes_back_whole(tmp_path):
    saved, other = parts(), parts()
    saved[0](torch.ones(3)).sum().backward()
    saved[1].step()
    torch.rand(5, generator=saved[2])
    history = {"losses": [1.5, 1.25], "validations": [(2, 0.5)], "seconds": 1.0, "interrupted": False}
    save_run(tmp_path / "run.pt", *saved, settings={"lr": 1.0}, history=history)
    expected = torch.rand(1), torch.rand(1, generator=saved[2])

    assert restore_run(tmp_path / "run.pt", *other, settings={"lr": 1.0}) == history
    assert (torch.rand(1), torch.rand(1, generator=other[2])) == expected
    assert torch.equal(saved[0].weight, other[0].weight)
    step = [part.state_dict()["state"][0]["exp_avg"] for part in (saved[1], other[1])]
    assert torch.equal(*step)
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_another_run_or_model_or_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    save_run(path, *parts(), settings={"lr": 1.0}, history={})
    with pytest.raises(ValueError, match=r"holds another run, \{'lr': 1.0\}.*Delete"):
        restore_run(path, *parts(), settings={"lr": 2.0})
    with pytest.raises(ValueError, match=r"another model(?s:.*)size mismatch"):
        restore_run(path, *parts(width=4), settings={"lr": 1.0})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"does not hold a run.*Delete"):
        restore_run(path, *parts(), settings={"lr": 1.0})
