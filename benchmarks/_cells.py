"""Cells of a long benchmark: one JSON line per (table, method, seed), stored as it ends.

A cell holds what was measured; the per-row test losses and predictions that the paired tests
need stand beside it in `<name>.rows/` (compressed, not committed). Several processes may append.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = (
    "superpose",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "torch",
    "catboost",
    "lightgbm",
    "tabm",
    "rtdl_num_embeddings",
    "autogluon.tabular",
    "rdkit",
)
Key = tuple[str, str, int]


def versions() -> dict[str, str]:
    """Installed versions of the packages that a cell may depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Processor, cores that this process may use, and memory in GiB."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line for line in info.read_text().splitlines() if line.startswith("model name"))
        model = next(lines, f": {model}").split(":", 1)[1].strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": model, "cores": cores, "memory_gib": round(memory, 1)}


def strict(value: Any) -> Any:
    """`value` with NaN and infinity as None and numpy scalars as Python's, for strict JSON."""
    if isinstance(value, dict):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


@dataclass(frozen=True)
class CellStore:
    """The cells of one benchmark on disk.

    Args:
        path: `<name>.cells.jsonl`; created with the first cell.
    """

    path: Path

    @property
    def rows_folder(self) -> Path:
        """Folder of the per-row arrays."""
        return self.path.with_name(self.path.name.replace(".cells.jsonl", ".rows"))

    def read(self) -> dict[Key, dict[str, Any]]:
        """All finished cells; the last line of a key wins, a torn last line is skipped."""
        cells: dict[Key, dict[str, Any]] = {}
        if not self.path.exists():
            return cells
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                cell = json.loads(line)
            except json.JSONDecodeError:
                continue  # the process was killed while it wrote this line
            cells[cell["table"], cell["method"], cell["seed"]] = cell
        return cells

    def done(self) -> set[Key]:
        """Keys that need no work; failed cells are tried again."""
        return {key for key, cell in self.read().items() if "failed" not in cell}

    def append(self, cell: dict[str, Any], rows: dict[str, np.ndarray] | None = None) -> None:
        """Store one cell, with its per-row arrays if given (rows first, so a cell has them)."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if rows is not None:
            target = self.rows_path((cell["table"], cell["method"], cell["seed"]))
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.stem}.{os.getpid()}.npz")
            np.savez_compressed(partial, **rows)
            partial.replace(target)
        line = json.dumps(strict(cell), allow_nan=False) + "\n"
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.tell() and not _ends_line(self.path):
                line = "\n" + line  # a killed process left a torn line: do not join it
            file.write(line.encode())

    def rows_path(self, key: Key) -> Path:
        """File of one cell's per-row arrays."""
        return self.rows_folder / f"{key[0]}.{key[1]}.{key[2]}.npz"

    def rows(self, key: Key) -> dict[str, np.ndarray] | None:
        """Per-row arrays of a cell: "rows" (test row numbers) and one loss array per target."""
        path = self.rows_path(key)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def plan(
    methods: Iterable[str],
    seeds: Iterable[int],
    tables: Iterable[str],
    done: set[Key],
    paired: bool = False,
) -> list[Key]:
    """Cells still to do, in an order in which a cut run stays balanced.

    Method by method, then seed by seed; or `paired`: seed by seed, then table by table, so that
    what is there at any time has been asked of all methods.
    """
    methods, tables, seeds = list(methods), list(tables), list(seeds)
    keys = [(t, method, seed) for method in methods for seed in seeds for t in tables]
    if paired:
        keys = [(t, method, seed) for seed in seeds for t in tables for method in methods]
    return [key for key in keys if key not in done]
