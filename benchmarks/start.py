"""How long does `from superpose import Superpose` take beyond `import torch`? (limit: 2 s)

python benchmarks/start.py [--repeats 5]

Every import runs in a fresh process; medians of the repeats, after one that warms the disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from _cells import RESULTS, hardware, versions

LIMIT = 2.0
TIMED = """
import time
started = time.perf_counter()
import torch
middle = time.perf_counter()
from superpose import Superpose
print(middle - started, time.perf_counter() - middle)
"""


def time_once() -> tuple[float, float]:
    """Seconds for torch, and for superpose after it."""
    done = subprocess.run([sys.executable, "-c", TIMED], capture_output=True, text=True, check=True)
    torch_seconds, own_seconds = map(float, done.stdout.split())
    return torch_seconds, own_seconds


def main() -> None:
    """Print and store the medians; exit code 1 above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    time_once()
    times = [time_once() for _ in range(options.repeats)]
    torch_seconds, own_seconds = (statistics.median(column) for column in zip(*times, strict=True))
    verdict = "ok" if own_seconds < LIMIT else "TOO SLOW"
    print(f"import torch     {torch_seconds:6.2f} s")
    print(f"import superpose {own_seconds:6.2f} s beyond torch (limit {LIMIT:g} s): {verdict}")
    result = {
        "torch_seconds": torch_seconds,
        "superpose_seconds": own_seconds,
        "limit_seconds": LIMIT,
        "repeats": times,
        "versions": versions(),
        "hardware": hardware(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "start.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.exit(own_seconds >= LIMIT)


if __name__ == "__main__":
    main()
