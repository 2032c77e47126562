"""The kernel's side of a widget, without a browser: questions in, answers out, the same as torch's."""

import numpy as np
import pytest
import torch
from torch import nn

from vec2gpt.widgets import LiveModel
from vec2gpt.widgets.live import FILES, PARTS, own_parts, source, style, views
from vec2gpt.widgets.softmax import softmax_widget

SCORES = {"mat": 2.0, "sofa": 1.0, "roof": 0.5}


class Times(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, x):
        return (x * self.k,)


class Wire:
    """Stands where the browser is: keeps what a widget sends."""

    def __init__(self, widget):
        self.widget, self.sent = widget, []
        widget.send = lambda content, buffers=(): self.sent.append((content, list(buffers)))

    def ask(self, n=1, model="model", **inputs):
        """Send a question as live.js does; return the answer's message and its arrays by name."""
        message = {
            "type": "ask",
            "n": n,
            "model": model,
            "shapes": {k: list(v.shape) for k, v in inputs.items()},
        }
        self.widget._heard(self.widget, message, [v.numpy().tobytes() for v in inputs.values()])
        content, buffers = self.sent[-1]
        if content["type"] == "error":
            return content, {}
        outputs = content["outputs"].items()
        return content, {
            name: np.frombuffer(data, o["dtype"]).reshape(o["dims"])
            for (name, o), data in zip(outputs, buffers, strict=True)
        }


def test_the_first_answer_travels_with_the_widget():
    widget = softmax_widget(SCORES)
    expected = torch.softmax(torch.tensor(list(SCORES.values())), 0)
    assert widget.first["probabilities"]["dims"] == [1, 3]
    assert np.allclose(widget.first["probabilities"]["data"], expected, atol=1e-3)


def test_a_question_is_answered_by_the_module_under_its_number():
    wire = Wire(softmax_widget(SCORES))
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]])  # another length than the example's
    message, answer = wire.ask(n=7, logits=logits, temperature=torch.tensor([0.5]))
    assert message["n"] == 7
    assert np.allclose(answer["probabilities"], torch.softmax(logits / 0.5, -1), atol=1e-6)


def test_an_edited_module_gives_the_edited_answer():
    module = Times(2)
    wire = Wire(LiveModel("softmax", module, {"x": torch.ones(1)}, ["y"]))
    module.k = 3
    assert wire.ask(x=torch.full((1,), 2.0))[1]["y"].item() == 6


def test_what_the_model_raises_is_sent_back_and_the_next_question_is_answered():
    wire = Wire(softmax_widget(SCORES))
    message, _ = wire.ask(n=3, logits=torch.zeros(2, 3), temperature=torch.zeros(5))
    assert message["type"] == "error" and message["n"] == 3 and "size" in message["message"]
    assert wire.ask(n=4, logits=torch.zeros(1, 3), temperature=torch.ones(1))[0]["type"] == "answer"


def test_ping_is_answered():
    wire = Wire(softmax_widget(SCORES))
    wire.widget._heard(wire.widget, {"type": "ping"}, [])
    assert wire.sent[-1][0] == {"type": "pong"}


def test_the_reader_can_choose_between_models():
    widget = LiveModel(
        "softmax", {"trained here": Times(2), "long run": Times(3)}, {"x": torch.ones(1)}, ["y"]
    )
    wire = Wire(widget)
    assert list(widget.spec["models"]) == widget.spec["order"] == ["trained here", "long run"]
    assert wire.ask(model="long run", x=torch.ones(1))[1]["y"].item() == 3


def test_a_widget_says_the_same_of_itself_at_every_run():
    assert repr(softmax_widget(SCORES)) == repr(softmax_widget(SCORES))
    assert repr(softmax_widget(SCORES)) == "LiveModel(softmax: logits, temperature → probabilities, entropy)"


def test_inputs_of_other_types_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match="float32 or int64, not"):
        LiveModel("softmax", nn.Identity(), {"x": torch.zeros(1, dtype=torch.float64)}, ["y"])


def test_an_output_named_as_an_input_is_refused():
    with pytest.raises(ValueError, match="x names an input and an output"):
        LiveModel("softmax", Times(2), {"x": torch.ones(1)}, ["x"])


def test_a_module_that_returns_something_else_is_told_so():
    with pytest.raises(ValueError, match="a tuple of 1: y"):
        LiveModel("softmax", nn.Identity(), {"x": torch.ones(1, 3)}, ["y"])


@pytest.mark.parametrize(
    ("scores", "options", "problem"),
    [
        ({}, {}, "at least one score"),
        ({"a": 1.0}, {"temperature": 0.0}, "from 0.1 to 5"),
        ({"a": 1.0}, {"temperature": float("nan")}, "from 0.1 to 5"),
        ({"a": 9.0}, {}, "from -5 to 5"),
        ({"a": float("nan")}, {}, "from -5 to 5"),
    ],
)
def test_softmax_widget_says_what_it_takes(scores, options, problem):
    with pytest.raises(ValueError, match=problem):
        softmax_widget(scores, **options)


def test_in_a_notebook_the_view_is_whole_and_on_the_site_it_is_a_file(monkeypatch, tmp_path):
    assert "export default widget(view)" in softmax_widget(SCORES)._esm
    monkeypatch.setenv("VEC2GPT_SITE", str(tmp_path))
    widget = softmax_widget(SCORES)
    assert len(widget._esm) < 100 and widget._css == ""
    assert (tmp_path / "models" / widget.spec["models"]["model"]).exists()


def test_no_part_is_left_out():
    named = {*PARTS, *(part for view in views() for part in own_parts(view))}
    assert named == {file.name.removesuffix(".js") for file in FILES.iterdir() if file.name.endswith(".js")}


def test_a_part_that_few_views_need_is_only_in_those_that_name_it():
    assert own_parts("repaint") == ["spelling", "texts", "painting"] and own_parts("softmax") == []
    chosen = ["blanks", "heads", "opinion", "painter", "repaint", "say", "tree", "waves", "writer"]
    assert [view for view in views() if "// painting.js:" in source(view)] == ["repaint"]
    assert [view for view in views() if "// spelling.js:" in source(view)] == chosen
    assert all(source(view).count("// kit.js:") == 1 for view in views())


def test_every_view_is_one_file_without_imports():
    assert views() and style()
    for view in views():
        assert not [line for line in source(view).splitlines() if line.startswith("import ")], view
