import math
import textwrap

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

from vec2gpt.files import replacing
from vec2gpt.notebook import STRICT, close, exercise, show
from vec2gpt.training import History


def said(capsys):
    return capsys.readouterr().out.strip()


def test_a_right_answer(capsys):
    with exercise("0.1 softmax"):
        assert close(torch.softmax(torch.randn(4, 9), -1).sum(-1), 1), "each row must sum to 1"
    assert said(capsys) == "Exercise 0.1 softmax: right."


def raising(error):
    raise error


@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        (lambda: raising(AssertionError("each row must sum to 1")), "each row must sum to 1"),
        (lambda: raising(AssertionError()), "one of the checks below `with` fails"),
        (lambda: raising(NotImplementedError()), "there is nothing to check so far"),
        (lambda: close(..., 1), "there is nothing to check so far"),
        (lambda: (...).sum(-1), "there is nothing to check so far"),
        (lambda: close(None, 1), "your function gave None; does it end with `return`?"),
        (lambda: None.sum(-1), "your function gave None"),
        (lambda: None + 1, "your function gave None"),
        (lambda: undefined(3), "name 'undefined' is not defined; run the cell with your code first"),  # noqa: F821
        (lambda: {}["a"], "your code stopped with KeyError: 'a'; call it in a cell of its own"),
        (lambda: close(torch.ones(2), torch.ones(3)), "your code stopped with RuntimeError: The size of"),
    ],
)
def test_a_wrong_answer_gets_a_sentence_and_the_notebook_goes_on(capsys, monkeypatch, attempt, sentence):
    monkeypatch.delenv(STRICT, raising=False)
    with exercise("0.1"):
        attempt()
    output = said(capsys)
    assert output.startswith(f"Exercise 0.1: not yet: {sentence}") and "\n" not in output

    monkeypatch.setenv(STRICT, "strict")
    with pytest.raises(AssertionError) as raised, exercise("0.1"):
        attempt()
    assert str(raised.value) == output


def test_ctrl_c_is_not_an_answer():
    with pytest.raises(KeyboardInterrupt), exercise("0.1"):
        raise KeyboardInterrupt


def test_close():
    x = torch.tensor([0.1, 0.2])
    assert close(x, x + 5e-5) and not close(x, x + 2e-4)
    assert close(x, x + 0.05, tolerance=0.1)
    assert close(0.5, 0.5) and close([1, 2], torch.tensor([1, 2])) and close(torch.tensor(True), 1)
    assert not close(torch.tensor([1.0, math.nan]), 1)


def executed(source):
    cell = nbformat.v4.new_code_cell(source)
    NotebookClient(nbformat.v4.new_notebook(cells=[cell]), kernel_name="python3").execute()
    return [output.get("data") or output["text"] for output in cell.outputs]


@pytest.mark.slow
def test_show_gives_the_source_as_it_stands():
    (output,) = executed(
        "from vec2gpt.notebook import show\nfrom vec2gpt.training import History\nshow(History)"
    )
    lines = output["text/markdown"].splitlines()
    assert lines[0] == "````python" and lines[-1] == "````"
    shown = {}
    exec("from __future__ import annotations\nfrom dataclasses import *\n" + "\n".join(lines[1:-1]), shown)
    assert repr(shown["History"]([2.0, 1.0])) == repr(History([2.0, 1.0]))
    assert output["text/plain"] == "source of vec2gpt.training.History"


def test_show_begins_at_the_margin(monkeypatch):
    """The body of a method is shifted left, so that the page shows no empty column."""
    shown = []
    monkeypatch.setattr("vec2gpt.notebook.display", lambda bundle, raw: shown.append(bundle["text/markdown"]))
    show(nn.Linear.forward)
    show(replacing)
    assert "\ndef forward(self, input" in shown[0]
    assert all(text == textwrap.dedent(text) for text in shown)


@pytest.mark.parametrize("thing", [torch.relu, len, 3, History()])
def test_nothing_to_show(thing):
    with pytest.raises(ValueError, match=r"there is no Python source to show for .*show takes"):
        show(thing)
