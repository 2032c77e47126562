"""`python -m vec2gpt.recipes`: list the recipes, or run one; under torchrun, in several processes."""

import argparse
import sys

from vec2gpt import processes
from vec2gpt.corpora import DataError
from vec2gpt.recipes import RECIPES, run


def main(arguments=None):
    """Returns the exit status."""
    about = "Train what comes with the book: its checkpoints and tables."
    parser = argparse.ArgumentParser(prog="python -m vec2gpt.recipes", description=about)
    parser.add_argument("name", nargs="?", choices=[*RECIPES, "all"], metavar="NAME", help="a recipe, or all")
    parser.add_argument("--steps", type=int, help="train this many steps instead of the recipe's own")
    parser.add_argument("--out", metavar="DIR", help="write here instead of into the package")
    parser.add_argument("--text", metavar="FILE", help="train a language model on your own text (UTF-8)")
    chosen = parser.parse_args(arguments)
    if chosen.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name:18} {recipe.size:>10}  {recipe.about}")
        return 0
    try:
        with processes.joined():
            return _run(chosen)
    except ValueError as error:  # torchrun's environment is not whole, or there are too few GPUs
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(chosen):
    who = f"process {processes.rank()}: " if processes.rank() else ""
    try:
        for name in RECIPES if chosen.name == "all" else [chosen.name]:
            made = run(name, steps=chosen.steps, out=chosen.out, text=chosen.text)
            if processes.is_first():
                print(made)
    except (DataError, ValueError, FloatingPointError) as error:
        print(f"{who}error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(f"{who}{stop}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
