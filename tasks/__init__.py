"""What `make NAME` does: every command of the repository, in plain Python with nothing to install first.

`python3 -m tasks` lists the commands. They run under the system's Python (3.11 or later, standard library
only) and install everything else by themselves: `setup.py` the parts, `site.py` the book, `suite.py` the
tests. Two modules, `notebooks.py` and `chapter.py`, run inside the environment that `setup.py` makes.
"""
