"""Wide tables: what `superpose init` and `superpose check` take, in processor seconds.

Each case runs the two commands as a user would, each in a process of its own: tables of so many
inputs and targets. Limits, for both commands together: 10 s, and 60 s with 20,000 inputs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from _cells import RESULTS, hardware, versions
from _print import grid

ROWS = 60
CASES = {"2,000 x 1": (2_000, 1), "2,000 x 100": (2_000, 100), "20,000 x 1": (20_000, 1)}
LIMITS = {"2,000 x 1": 10.0, "2,000 x 100": 10.0, "20,000 x 1": 60.0}


def make_table(inputs: int, targets: int, seed: int = 0) -> pa.Table:
    """Inputs of which a tenth are words and a tenth whole numbers, and targets that follow one."""
    rng = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = {}
    for i in range(inputs):
        values = (rng.choice(list("abc"), ROWS), rng.integers(0, 50, ROWS))
        columns[f"x{i}"] = values[i % 10] if i % 10 < 2 else rng.normal(size=ROWS).round(4)
    for t in range(targets):
        columns[f"y{t}"] = (columns["x2"] + rng.normal(size=ROWS)).round(4)
    return pa.table(columns)


def measure(folder: Path, *words: str) -> tuple[float, float]:
    """Processor seconds of one command, and its peak memory in MB."""
    code = (
        "import resource, sys; from superpose.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3, code or 0, file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, memory, ended = map(float, run.stderr.splitlines()[-1].split())
    if ended:
        raise RuntimeError(run.stderr)
    return seconds, memory


def main() -> None:
    """Print and store the seconds; exit code 1 beyond a limit."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    cells = []
    for name, (inputs, targets) in CASES.items():
        with tempfile.TemporaryDirectory() as path:
            folder = Path(path)
            pyarrow.csv.write_csv(make_table(inputs, targets), folder / "wide.csv")
            names = ",".join(f"y{t}" for t in range(targets))
            for verb in ("init wide.csv --targets " + names, "check superpose.yaml"):
                seconds, memory = measure(folder, *verb.split())
                cells.append(
                    {
                        "case": name,
                        "command": verb.split()[0],
                        "inputs": inputs,
                        "targets": targets,
                        "rows": ROWS,
                        "processor_seconds": round(seconds, 2),
                        "peak_memory_mb": round(memory),
                        "limit": LIMITS[name],
                    }
                )
                stored = {"hardware": hardware(), "versions": versions(), "cells": cells}
                (RESULTS / "wide.json").write_text(json.dumps(stored, indent=1) + "\n")
    header = ("case", "command", "seconds", "limit", "MB")
    keys = ("case", "command", "processor_seconds", "limit", "peak_memory_mb")
    print(grid(header, [[str(cell[key]) for key in keys] for cell in cells]))
    total = dict.fromkeys(CASES, 0.0)
    for cell in cells:
        total[cell["case"]] += cell["processor_seconds"]
    sys.exit(any(seconds > LIMITS[name] for name, seconds in total.items()))


if __name__ == "__main__":
    main()
