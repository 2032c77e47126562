"""The form in which git keeps a chapter: what a reviewer reads and what the tests compare, nothing else.

Text outputs stay, and so does every cell's id. Images, widgets, execution counts, timings and an editor's own
metadata go. What a chapter costs to run is measured meanwhile, and kept in round numbers for the line under
its title. `python -m tasks.notebooks [NAME …]` executes chapters and writes them in this form; it runs in the
environment that `tasks.setup` makes, because it needs nbformat and nbclient.
"""

import hashlib
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, reader

from tasks.places import BOOK, ROOT

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("tags", "mystnb")  # of a cell's metadata: what folds it, and what describes its figure
STEPS = {"seconds": 10, "gigabytes": 0.1, "megabytes": 1}  # to run, of memory, to download: rounded up so
WITNESS = ROOT / "tasks" / "witness.py"  # runs beside the chapter, in its kernel
SECONDS = 300  # a cell that runs longer is stuck: a whole chapter has 60

WHY = {
    "id": "is missing or stands twice",
    "metadata": f"holds more than {' and '.join(KEPT)}",
    "execution_count": "is not null",
    "outputs": "hold images, widgets, counts or metadata",
    "source": "ends in empty lines",
    "attachments": "hold an image: a figure is drawn by code",
}


def load(path: Path) -> NotebookNode:
    """The notebook as it stands in the file: nothing added, nothing repaired."""
    return reader.reads(path.read_text(encoding="utf-8"))


def text(nb: NotebookNode) -> str:
    """The notebook as a file: sorted keys, one line of source a line, one newline at the end."""
    return nbformat.writes(nb, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def canonical(nb: NotebookNode) -> NotebookNode:
    """A copy of `nb` in the form that git keeps."""
    cells, taken = [], set()
    for cell in nb.cells:
        identity = _identity(cell, taken)
        taken.add(identity)
        cells.append(_cell(cell, identity))
    metadata = METADATA | ({"measured": dict(nb.metadata.measured)} if is_measured(nb) else {})
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def is_measured(nb: NotebookNode) -> bool:
    """Whether the notebook says what it costs, all of it and nothing else."""
    cost = nb.metadata.get("measured")
    return isinstance(cost, dict) and cost.keys() == STEPS.keys()


def _identity(cell: NotebookNode, taken: set[str]) -> str:
    """The id that the cell has, or a new one that follows from its content."""
    if cell.get("id") and cell.id not in taken:
        return cell.id
    name = f"{cell.cell_type}:{cell.source}"
    while (identity := hashlib.sha256(name.encode()).hexdigest()[:8]) in taken:
        name += "'"
    return identity


def _cell(cell: NotebookNode, identity: str) -> dict:
    kept = {
        "cell_type": cell.cell_type,
        "id": identity,
        "metadata": {name: cell.metadata[name] for name in KEPT if cell.metadata.get(name)},
        "source": cell.source.rstrip("\n"),
    }
    if cell.cell_type == "code":
        kept |= {"execution_count": None, "outputs": _joined([_output(output) for output in cell.outputs])}
    return kept


def _output(output: NotebookNode) -> dict:
    if "data" not in output:
        return dict(output)  # a stream or an error: text already
    data = {kind: value for kind, value in output.data.items() if kind.startswith("text/")}
    counted = {"execution_count": None} if output.output_type == "execute_result" else {}
    return {"output_type": output.output_type, "data": data, "metadata": {}} | counted


def _joined(outputs: list[dict]) -> list[dict]:
    """Without outputs of which nothing is left, and with neighbouring pieces of one stream joined.

    What goes to stderr is not kept: a download's progress is none of a chapter's outputs, and a warning,
    which is missing among those kept, fails the comparison until its cause is gone.
    """
    joined = []
    for output in outputs:
        if output.get("data") == {} or output.get("name") == "stderr":
            continue
        if joined and output.get("name") and joined[-1].get("name") == output["name"]:
            joined[-1] = joined[-1] | {"text": joined[-1]["text"] + output["text"]}
        else:
            joined.append(output)
    return joined


def problems(nb: NotebookNode) -> list[str]:
    """How `nb` departs from the form that git keeps, a sentence each; an empty list when it does not."""
    clean = canonical(nb)
    found = []
    if nb.metadata != clean.metadata:
        found.append(f"the notebook's metadata is not exactly {METADATA}")
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        found.append(f"its format is {nb.nbformat}.{nb.nbformat_minor}, not 4.5")
    for n, (cell, good) in enumerate(zip(nb.cells, clean.cells, strict=True), start=1):
        parts = [part for part in WHY if cell.get(part) != good.get(part)]
        found += [f"cell {n} ({cell.get('id', 'no id')}): {part} {WHY[part]}" for part in parts]
    return found


def execute(nb: NotebookNode) -> NotebookNode:
    """Run every cell in a fresh kernel, in an empty folder: a chapter must not depend on where it lies.

    A cell of the witness runs before the first and one after the last; what they saw goes into the metadata.
    """
    load_it = f"import runpy; _witness = runpy.run_path({str(WITNESS)!r})"
    before = nbformat.v4.new_code_cell(f"{load_it}; _witness['watch']()")
    after = nbformat.v4.new_code_cell("_witness['report']()")
    started = time.monotonic()
    ran = run_cells(nbformat.from_dict(nb | {"cells": [before, *nb.cells, after]}))
    seen = json.loads(ran.cells[-1].outputs[0].text) | {"seconds": time.monotonic() - started}
    ran.cells = ran.cells[1:-1]
    ran.metadata.measured = cost(seen, nb.metadata.get("measured", {}))
    return ran


def run_cells(nb: NotebookNode) -> NotebookNode:
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            nb,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        )
        return client.execute()


def cost(seen: dict, before: dict) -> dict:
    """What a run cost, rounded up; what was said before stays while it is at most a step away.

    >>> cost({"seconds": 12.3, "memory": 780_000_000, "download": 5_416_192}, {"seconds": 60})
    {'seconds': 20, 'gigabytes': 0.8, 'megabytes': 6}
    """
    memory = seen["memory"] / 1e9 if seen["memory"] else before.get("gigabytes", 0)
    fresh = {"seconds": seen["seconds"], "gigabytes": memory, "megabytes": seen["download"] / 1e6}
    return {name: _steady(value, before.get(name), STEPS[name]) for name, value in fresh.items()}


def _steady(value: float, before: float | None, step: float) -> float:
    rounded = round(math.ceil(value / step) * step, 1)
    near = before is not None and abs(rounded - before) <= 1.01 * step
    return before if near else rounded


def rewrite(path: Path) -> None:
    """Execute one chapter and replace its file, all or nothing."""
    fresh = text(canonical(execute(canonical(load(path)))))
    part = path.with_suffix(".part")
    part.write_text(fresh, encoding="utf-8")
    part.replace(path)


def chosen(names: list[str]) -> list[Path]:
    """The chapters whose names start so ("03", "03_gates.ipynb"); all of them without a name."""
    paths = sorted(BOOK.glob("*.ipynb"))
    unknown = [name for name in names if not any(path.name.startswith(name) for path in paths)]
    if unknown:
        raise ValueError(
            f"no chapter starts with {unknown[0]!r}: there are {', '.join(p.stem for p in paths)}"
        )
    return [path for path in paths if not names or any(path.name.startswith(name) for name in names)]


def main(names: list[str]) -> int:
    """Rewrite chapters; a failing one keeps its old file and is reported. The number of failures."""
    failures = 0
    for path in chosen(names):
        started = time.monotonic()
        try:
            rewrite(path)
            print(f"{path.name}: {time.monotonic() - started:.0f} s", flush=True)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failures += 1
            print(f"{path.name}: failed, its file is as it was\n{error}", flush=True)
    return failures


if __name__ == "__main__":
    try:
        sys.exit(min(1, main([Path(name).name for name in sys.argv[1:]])))
    except ValueError as error:
        sys.exit(str(error))
