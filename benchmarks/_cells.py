"""Cells of a long benchmark: one JSON line per (table, method, seed), stored as it ends.

A cell holds what was measured; the per-row test losses and predictions that the paired tests
need stand beside it in `<name>.rows/` (compressed, not committed). Several processes may append.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

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
    "pytabkit",
    "autogluon.tabular",
    "rdkit",
)


class Key(NamedTuple):
    """What names a cell."""

    table: str
    method: str
    seed: int


Cells = dict[Key, dict[str, Any]]


def versions() -> dict[str, str]:
    """Installed versions of the packages that a cell may depend on."""
    installed = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


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

    @property
    def summary_path(self) -> Path:
        """File of the summary."""
        return self.path.with_name(self.path.name.replace(".cells.jsonl", ".json"))

    def read(self) -> Cells:
        """All stored cells; the last line of a key wins, a torn last line is skipped."""
        cells: Cells = {}
        if not self.path.exists():
            return cells
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                cell = json.loads(line)
            except json.JSONDecodeError:
                continue  # the process was killed while it wrote this line
            cells[Key(cell["table"], cell["method"], cell["seed"])] = cell
        return cells

    def done(self) -> set[Key]:
        """Keys that need no work; failed cells are tried again."""
        return {key for key, cell in self.read().items() if "failed" not in cell}

    def append(self, cell: dict[str, Any], rows: dict[str, np.ndarray] | None = None) -> None:
        """Store one cell, with its per-row arrays if given (rows first, so a cell has them)."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if rows is not None:
            target = self.rows_path(Key(cell["table"], cell["method"], cell["seed"]))
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
        return self.rows_folder / f"{key.table}.{key.method}.{key.seed}.npz"

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


@dataclass(frozen=True)
class Study:
    """The part of a store that a run fills and its summary is about.

    Args:
        store: the cells on disk.
        tables: cells of other tables stay out.
        seeds: cells of other seeds stay out.
    """

    store: CellStore
    tables: list[str]
    seeds: list[int]

    @cached_property
    def stored(self) -> Cells:
        """All cells of the tables and seeds, as they are stored when this is first read."""
        cells = self.store.read().items()
        return {k: c for k, c in cells if k.table in self.tables and k.seed in self.seeds}

    @cached_property
    def cells(self) -> Cells:
        """The cells that did not fail."""
        return {key: cell for key, cell in self.stored.items() if "failed" not in cell}

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Which cells failed, and why."""
        cells = self.stored.items()
        return [{"cell": list(k), "why": c["failed"]} for k, c in cells if "failed" in c]

    def of(self, table: str, method: str) -> list[dict[str, Any]]:
        """The finished cells of a table and a method, in the order of the seeds."""
        keys = [Key(table, method, seed) for seed in self.seeds]
        return [self.cells[key] for key in keys if key in self.cells]

    def missing(self, methods: Collection[str], paired: bool = False) -> list[Key]:
        """Cells still to do, in an order in which a cut run stays balanced.

        Method by method, then seed by seed; or `paired`: seed by seed, then table by table, so that
        what is there at any time has been measured for all methods.
        """
        keys = [Key(t, m, seed) for m in methods for seed in self.seeds for t in self.tables]
        if paired:
            keys = [Key(t, m, seed) for seed in self.seeds for t in self.tables for m in methods]
        done = self.store.done()
        return [key for key in keys if key not in done]
