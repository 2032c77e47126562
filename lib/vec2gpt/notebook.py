"""What a chapter needs as a notebook: to show the library's source, and to check an exercise."""

import inspect
import os
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from IPython.display import display

STRICT = "VEC2GPT_EXERCISES"  # set to "strict", an exercise that is not solved raises


def show(thing: type | Callable) -> None:
    """Show the source of a class or function, coloured as code, as it stands in the library.

    ValueError: `thing` has no source in Python.
    """
    try:
        source = textwrap.dedent(inspect.getsource(thing))
    except (TypeError, OSError) as error:
        raise ValueError(
            f"there is no Python source to show for {thing!r}: show takes a class, a function or a method "
            "written in Python, such as show(vec2gpt.training.fit)"
        ) from error
    name = f"{thing.__module__}.{thing.__qualname__}"
    display({"text/markdown": f"````python\n{source}````", "text/plain": f"source of {name}"}, raw=True)


@contextmanager
def exercise(name: str) -> Iterator[None]:
    """The check of an exercise: says in a sentence what is still wrong, and never stops the notebook.

    >>> with exercise("0.1 softmax"):
    ...     assert sum([0.5, 0.6]) == 1, "each row must sum to 1"
    Exercise 0.1 softmax: not yet: each row must sum to 1
    """
    try:
        yield
    except Exception as error:
        verdict = f"Exercise {name}: not yet: {_advice(error)}"
        if os.environ.get(STRICT) == "strict":
            raise AssertionError(verdict) from error
        print(verdict)
    else:
        print(f"Exercise {name}: right.")


def close(value, expected, *, tolerance: float = 1e-4) -> bool:
    """Whether two tensors (or numbers) agree everywhere to `tolerance`; for the checks of exercises.

    >>> close(torch.tensor([1.0, 0.99999]), 1)
    True
    """
    difference = torch.as_tensor(value, dtype=torch.float64) - torch.as_tensor(expected)
    return bool((difference.abs() <= tolerance).all())


def _advice(error: Exception) -> str:
    """What to do about an error in the reader's code: the same words on every machine where possible."""
    text = (str(error).splitlines() or [""])[0]
    if isinstance(error, AssertionError):
        return text or "one of the checks below `with` fails"
    if isinstance(error, NotImplementedError) or "ellipsis" in text:
        return "there is nothing to check so far; write your code in the cell above and run it"
    if "NoneType" in text:
        return "your function gave None; does it end with `return`?"
    if isinstance(error, NameError):
        return f"{text}; run the cell with your code first"
    return f"your code stopped with {type(error).__name__}: {text}; call it in a cell of its own to see where"
