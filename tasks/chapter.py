"""Run one notebook in a folder with the Python that runs this file: `python chapter.py NOTEBOOK FOLDER`.

`tasks.colab` starts it inside the Colab-like environment, where nothing of this repository is installed.
"""

import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def count(cell, cell_index: int) -> None:
    if cell.cell_type == "code":
        print(f"cell {cell_index + 1}", flush=True)


def main(notebook: str, folder: str) -> int:
    nb = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        nb,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
        on_cell_complete=count,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
