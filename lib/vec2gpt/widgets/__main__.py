"""python -m vec2gpt.widgets FOLDER: write every view as a file of its own, as the site serves them."""

import pathlib
import sys

from vec2gpt.widgets.live import source, style, views

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for view in views():
    (folder / f"{view}.mjs").write_text(source(view), encoding="utf-8")
(folder / "kit.css").write_text(style(), encoding="utf-8")
