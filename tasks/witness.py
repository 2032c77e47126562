"""What a chapter costs, seen from within the kernel that runs it: `tasks.notebooks` runs this file there.

The kernel works in an empty folder and knows no `tasks`, so this file imports nothing of it.
"""

import json
import sys

from vec2gpt import fetching

READ = {}  # name → bytes to download, of each corpus that the chapter has opened


def watch() -> None:
    """From now on, note which corpora are read: every file of theirs is asked for by `fetching.member`."""
    member = fetching.member

    def noted(corpus, path):
        READ[corpus.name] = corpus.download
        return member(corpus, path)

    fetching.member = noted


def report() -> None:
    """Print what was seen since: {"memory": bytes at the peak or null, "download": bytes}."""
    print(json.dumps({"memory": peak_memory(), "download": sum(READ.values())}))


def peak_memory() -> int | None:
    """The most bytes this process has held at once; None on Windows, which does not say it this way."""
    try:
        with open("/proc/self/status", encoding="utf-8") as status:  # rusage counts the parent, too
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
