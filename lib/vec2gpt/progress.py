"""One live line while something long is running; nothing of it stays but the line it began with.

In a notebook this is one display whose first and last state are the same words. So a notebook holds
nothing that differs between two machines, however its cell ends, and a strict comparison of outputs
(nbval sees the first state of a display, nbclient stores the last) finds them equal.
"""

import sys
import time

from tqdm import tqdm


class Progress:
    """A live line about `total` steps, under the words `line`.

    >>> progress = Progress("600 training steps", 600)
    >>> progress.show(12, "loss 3.41")
    >>> progress.close()
    600 training steps
    """

    def __init__(self, line: str, total: int):
        self.line, self.total = line, total
        self.started = self.shown = time.perf_counter()
        self.handle = _notebook_display(line)
        self.write = self._rewrite if self.handle else tqdm.status_printer(sys.stderr)
        self.pause = 0.3 if self.handle or sys.stderr.isatty() else 30  # seconds; a log needs few lines

    def show(self, step: int, note: str = "") -> None:
        """Say how far it is, unless that was just said."""
        now = time.perf_counter()
        if now - self.shown > self.pause:
            self.shown = now
            self.write(tqdm.format_meter(step, self.total, now - self.started, ncols=80, postfix=note))

    def close(self, note: str = "") -> None:
        """Leave the first line, with a note if something unusual happened."""
        last = f"{self.line}: {note}" if note else self.line
        if self.handle:
            self._rewrite(last)
        else:
            self.write("")
            print(last)

    def _rewrite(self, line: str) -> None:
        self.handle.update({"text/plain": line}, raw=True)


def _notebook_display(line: str):
    """A display that can be rewritten, showing `line`; None where there is no notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display({"text/plain": line}, raw=True, display_id=True)
