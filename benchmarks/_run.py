"""What the long benchmarks share: their flags, one stored cell after the other, and the JSON.

A cell is one (table, method, seed). It is stored as it ends, with where and with what it was made,
so that a run that was cut goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from _cells import RESULTS, CellStore, Key, Study, hardware, strict, versions

Rows = dict[str, np.ndarray]
Body = tuple[dict[str, Any], Rows | None]


def flags(
    text: str, name: str, *, tables: Iterable[str], methods: Iterable[str]
) -> argparse.ArgumentParser:
    """The flags that every benchmark of cells has.

    Args:
        text: the script's docstring; its first line is shown.
        name: name of its result files.
        tables, methods: all there are.
    """
    parser = argparse.ArgumentParser(description=text.split("\n")[0])
    parser.add_argument("--name", help=f"name of the result files ({name}, or {name}-quick)")
    parser.add_argument("--quick", action="store_true", help="small tables, 2 seeds")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--tables", help=f"comma-separated, of {','.join(tables)}")
    parser.add_argument("--methods", help=f"comma-separated, of {','.join(methods)}")
    parser.add_argument("--seeds", type=int, help="number of seeds (default 5, dial 3; quick 2)")
    parser.add_argument("--max-minutes", type=float, help="start no new cell after this long")
    return parser


def chosen(
    text: str | None, default: Iterable[str], *, allowed: Iterable[str], flag: str
) -> list[str]:
    """The comma-separated names of a flag, all known."""
    names = text.split(",") if text else list(default)
    allowed = list(allowed)
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise SystemExit(f"{flag}: {unknown} unknown; allowed: {', '.join(allowed)}")
    return names


def study_of(
    options: argparse.Namespace,
    name: str,
    *,
    tables: Iterable[str],
    quick: Iterable[str],
    seeds: int,
    allowed: Iterable[str] = (),
) -> Study:
    """The cells that the flags ask for, in the files of that name.

    Args:
        options: what `flags` has parsed.
        name: of the result files, unless a flag names others.
        tables: run by default.
        quick: tables of `--quick`, with 2 seeds.
        seeds: number of them by default.
        allowed: tables that may be asked for; `tables` if empty.
    """
    default = quick if options.quick else tables
    names = chosen(options.tables, default, allowed=allowed or tables, flag="--tables")
    numbers = list(range(options.seeds or (2 if options.quick else seeds)))
    name = options.name or f"{name}{'-quick' if options.quick else ''}"
    return Study(CellStore(RESULTS / f"{name}.cells.jsonl"), names, numbers)


def store_cell(store: CellStore, key: Key, work: Callable[[], Body], **facts: Any) -> float:
    """Store what `work` returns as the cell `key`; return the seconds it took.

    A failure is stored too, and tried again next time.

    Args:
        store: where the cell goes.
        key: table, method and seed.
        work: returns the cell's content, and the per-row arrays that stand beside it.
        facts: stored with the cell even if it fails.
    """
    cell: dict[str, Any] = key._asdict() | {"versions": versions(), "hardware": hardware()}
    cell |= {"threads": int(os.environ["OMP_NUM_THREADS"])} | facts
    started = time.perf_counter()
    rows = None
    try:
        body, rows = work()
        cell |= body
    except Exception as fault:  # one method's fault must not end a run of hours
        traceback.print_exc()
        cell["failed"] = f"{type(fault).__name__}: {fault}"
    store.append(cell, rows)
    return time.perf_counter() - started


def run_missing(keys: list[Key], run: Callable[[Key], float], max_minutes: float | None) -> None:
    """Run the cells in `keys`, one line of progress each."""
    started = time.perf_counter()
    for number, key in enumerate(keys, start=1):
        minutes = (time.perf_counter() - started) / 60
        if max_minutes is not None and minutes > max_minutes:
            print(f"stopped after {max_minutes:g} minutes; {len(keys) - number + 1} cells left")
            return
        seconds = run(key)
        print(
            f"[{number}/{len(keys)}] {key.table} {key.method} seed {key.seed}: {seconds:.1f} s"
            f" ({minutes:.1f} min before)",
            flush=True,
        )


def write_json(study: Study, summary: dict[str, Any]) -> None:
    """Write the summary and every cell, one cell a line; equal environments are stored once."""
    environments: list[dict[str, Any]] = []
    lines = []
    for _, stored in sorted(study.stored.items()):
        cell = dict(stored)
        environment = {key: cell.pop(key) for key in ("versions", "hardware", "threads")}
        if environment not in environments:
            environments.append(environment)
        cell["environment"] = environments.index(environment)
        lines.append(json.dumps(rounded(cell), separators=(",", ":")))
    head = json.dumps(rounded(strict(summary | {"environments": environments})), indent=1)
    body = ",\n".join(lines)
    text = f'{head[:-2]},\n "cells": [\n{body}\n]\n}}\n'
    study.store.summary_path.write_text(text, encoding="utf-8")


def rounded(value: Any) -> Any:
    """Floats to six significant digits: enough to check any figure, a third of the bytes."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
