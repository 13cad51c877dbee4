"""Proves that a change of the code left every prediction as it was, bit for bit.

Before the change `record` fits a dozen small cases, which between them walk through all kinds of
columns, fusions and ways to balance, and stores predictions, bundles and costs. After the change
`compare` fits them again, and loads the recorded bundles too. Every difference is named by case,
column and row, and a table shows what fitting, predicting and memory cost before and now.

Each case has a process with one thread of its own. The same machine and the same versions of the
libraries are taken for granted. Processor seconds of a machine that is busy with other things, or
was at the time of the recording, tell little: measure side by side, as the last example does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prediction_cases import CASES
from prediction_run import FACTS, compare_case, package_folder, record_case

EXAMPLES = """\
examples:
  python scripts/same_predictions.py record before     # at the commit before; some minutes
  python scripts/same_predictions.py compare before    # at the commit after; exits with 1 if any
                                                       # bit differs
  python scripts/same_predictions.py compare before --case heart --case fusions

Costs side by side, case by case, of another checkout and of this one:
  for case in heart air; do
    PYTHONPATH=other/src python scripts/same_predictions.py record costs --case $case
    PYTHONPATH=src python scripts/same_predictions.py compare costs --case $case
  done

With SUPERPOSE_DATA the case `digits` reads images and sounds from there.
"""
COSTS = {"fit": ("fit, s", 1.0), "predict": ("predict, ms", 1e3), "memory": ("memory, MB", 1.0)}
WIDTH = 32  # characters of a column of costs


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["record", "compare"])
    parser.add_argument("folder", type=Path, help="where the recording is kept")
    parser.add_argument(
        "--case",
        action="append",
        choices=list(CASES),
        metavar="NAME",
        help=f"run this case only; may be repeated; of {', '.join(CASES)}",
    )
    return parser.parse_args(arguments)


def apart(work: Callable[..., Any], name: str, folder: Path) -> Any:
    """Runs a case in a process of its own, so that its memory and its threads are its own."""
    spawn = get_context("spawn")
    with (
        TemporaryDirectory(prefix="predictions-") as scratch,
        ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool,
    ):
        return pool.submit(work, name, folder, Path(scratch)).result()


def record(names: Sequence[str], folder: Path) -> int:
    """Records cases, and prints what each of them costs."""
    print(f"{'case':12}" + "".join(f"{title:>14}" for title, _ in COSTS.values()))
    for name in names:
        costs = apart(record_case, name, folder)
        cells = (f"{costs[key] * unit:14.1f}" for key, (_, unit) in COSTS.items())
        print(f"{name:12}" + "".join(cells), flush=True)
    print(f"Recorded {len(names)} cases in {folder}.")
    return 0


def compare(names: Sequence[str], folder: Path) -> int:
    """Compares cases with their recording.

    Returns:
        1 if anything differs or a case can't be run, else 0.
    """
    titles = (f"{f'{title}: before, now, ratio':>{WIDTH}}" for title, _ in COSTS.values())
    print(f"{'case':12}" + "".join(titles) + "  differences")
    total = 0
    for name in names:
        try:
            before, now, differences = apart(compare_case, name, folder)
            cells = [_cost(before, now, key) for key in COSTS]
        except Exception as error:  # a process that died, say; the other cases are compared too
            cells = ["-"] * len(COSTS)
            differences = [f"{name}: {type(error).__name__}: {error}"]
        print(f"{name:12}" + "".join(f"{c:>{WIDTH}}" for c in cells) + f"{len(differences):13}")
        print("".join(f"  {text}\n" for text in differences), end="", flush=True)
        total += len(differences)
    verdict = f"{total} columns differ" if total else "Every bit is the same"
    print(f"{verdict}: {len(names)} cases, fitted again, saved and loaded, and recorded bundles.")
    return int(total > 0)


def _cost(before: dict[str, float], now: dict[str, float], key: str) -> str:
    """One cost before and now, and their ratio."""
    if key not in before or key not in now:
        return "-"
    unit = COSTS[key][1]
    ratio = now[key] / before[key]
    return f"{before[key] * unit:.1f} {now[key] * unit:8.1f} {ratio:6.2f}"


def main() -> int:
    options = parse()
    names = options.case or list(CASES)
    folder = options.folder.absolute()
    recorded = {name for name in names if (folder / name / FACTS).is_file()}
    if options.command == "compare" and (missing := [n for n in names if n not in recorded]):
        print(f"{folder}: no recording of {', '.join(missing)}; run `record` first")
        return 2
    if options.command == "record":
        for name in names:
            if (folder / name).exists() and name not in recorded:
                print(f"{folder / name} exists and is no recording; name another folder")
                return 2
    # Before the processes start: libraries read it once, on import.
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"superpose of {package_folder()}")
    return {"record": record, "compare": compare}[options.command](names, folder)


if __name__ == "__main__":
    sys.exit(main())
