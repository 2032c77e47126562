import nbformat
from nbclient import NotebookClient

from vec2gpt.progress import Progress

NOTEBOOK = """
import time
from vec2gpt.progress import Progress

print("before")
progress = Progress("3 steps", 3)
progress.pause = 0
for step in range(3):
    time.sleep(0.01)
    progress.show(step, "loss 1.0")
{end}
print("after")
"""


def outputs(end):
    cell = nbformat.v4.new_code_cell(NOTEBOOK.format(end=end))
    NotebookClient(nbformat.v4.new_notebook(cells=[cell]), kernel_name="python3").execute()
    return [output.get("data", {}).get("text/plain") or output["text"].strip() for output in cell.outputs]


def test_a_notebook_keeps_the_first_line_alone():
    assert outputs("progress.close()") == ["before", "3 steps", "after"]


def test_in_a_notebook_the_line_moves():
    """Without the end: what the reader sees while it runs."""
    before, line, after = outputs("")
    assert (before, after) == ("before", "after")
    assert line.startswith(" 67%|") and "2/3" in line and "loss 1.0" in line


def test_a_terminal_ends_with_a_clean_line(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress("3 steps", 3)
    assert progress.pause < 1
    progress.pause = 0
    progress.show(1, "loss 1.0")
    progress.close("interrupted after 1")
    out, err = capsys.readouterr()
    assert out == "3 steps: interrupted after 1\n"
    live, last = err.strip("\r").split("\r")[0], err.rstrip("\r").split("\r")[-1]
    assert " 33%|" in live and "1/3" in live and last.strip() == "", "written over with blanks"


def test_a_log_is_not_flooded(capsys):
    progress = Progress("1000 steps", 1000)
    for step in range(1000):
        progress.show(step)
    progress.close()
    out, err = capsys.readouterr()
    assert out == "1000 steps\n" and err.strip() == ""
