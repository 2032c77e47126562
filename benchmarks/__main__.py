"""python -m benchmarks [NAME …]: run the benchmarks and print each figure beside its target."""

import importlib
import pathlib
import sys

KNOWN = sorted(
    file.stem
    for file in pathlib.Path(__file__).parent.glob("*.py")
    if file.stem not in ("__init__", "__main__", "row")
)

names = sys.argv[1:] or KNOWN
if strangers := set(names) - set(KNOWN):
    sys.exit(f"there is no benchmark {', '.join(strangers)}; there are: {', '.join(KNOWN)}")
missed = 0
for name in names:
    print(f"{name}: {importlib.import_module(f'benchmarks.{name}').__doc__.splitlines()[0]}", flush=True)
    for row in importlib.import_module(f"benchmarks.{name}").rows():
        missed += not row.met
        sign = "✓" if row.met else "✗"
        print(f"  {sign} {row.what:60} {row.value:8.2f} {row.unit:4} (target {row.target})", flush=True)
print(f"{missed} figures miss their target" if missed else "all figures meet their targets")
