"""python -m benchmarks [NAME …]: run the benchmarks and print each figure beside its target.

Targets are for two cores of a recent machine, so a figure that misses one is said and is no failure; a figure
that cannot be measured is.
"""

import importlib
import pathlib
import sys

from benchmarks.row import Row, Unmeasured

OTHERS = ("__init__", "__main__", "row")


def known() -> list[str]:
    names = (file.stem for file in pathlib.Path(__file__).parent.glob("*.py"))
    return sorted(name for name in names if name not in OTHERS)


def measure(name: str) -> list[Row]:
    """Run one benchmark; each row is shown as soon as it is there."""
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"{name}: {module.__doc__.splitlines()[0]}", flush=True)
    rows = []
    for row in module.rows():
        rows.append(row)
        sign = "✓" if row.met else "✗"
        print(f"  {sign} {row.what:60} {row.value:8.2f} {row.unit:4} (target {row.target})", flush=True)
    return rows


def main(names: list[str]) -> str | None:
    """What went wrong, if anything."""
    if strangers := set(names) - set(known()):
        return f"there is no benchmark {', '.join(sorted(strangers))}; there are: {', '.join(known())}"
    try:
        rows = [row for name in names or known() for row in measure(name)]
    except Unmeasured as error:
        return f"not measured: {error}"
    print(f"{sum(row.met for row in rows)} of {len(rows)} figures meet their targets")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
