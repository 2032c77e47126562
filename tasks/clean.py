"""Removing what the commands made. The data cache stays: fetching it again teaches nobody anything."""

import shutil

from tasks.places import BUILD, CACHE, NODE_MODULES, VENV
from tasks.shell import Failed


def clean(extent: str = "built") -> None:
    """remove the built site and every cache but the data; `clean all`: the installed parts too"""
    if extent not in ("built", "all"):
        raise Failed(f"clean {extent}", why="no such thing to clean", fix="clean, or clean all")
    for path in [BUILD, *(path for path in CACHE.glob("*") if path.name != "data")]:
        remove(path)
    if extent == "all":
        remove(VENV)
        remove(NODE_MODULES)


def remove(path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
