"""Superpose's fit of a table and seed, made once for all benchmarks that need it.

`accuracy.py` and `given.py` evaluate the same model where they share a table. A fit
is kept as a bundle under `results/fitted/`, beside what it cost; it is made anew as soon as a line
of the package changes.
"""

from __future__ import annotations

import hashlib
import json
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from _cells import RESULTS
from _table import Table, grouped_split


@lru_cache(maxsize=1)
def source_hash() -> str:
    """A hash of the source of the package."""
    import superpose

    folder = Path(superpose.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def declared(table: Table) -> list[dict[str, Any]]:
    """The targets with their kinds, as the settings of Superpose take them."""
    return [
        {"name": name, "kind": kind} | ({"levels": table.levels[name]} if kind == "ordinal" else {})
        for name, kind in table.targets.items()
    ]


def fit(table: Table, parts: np.ndarray, seed: int, **settings: Any) -> Any:
    """A fresh fit; `parts` names the part of every row, `settings` go to the constructor."""
    from superpose import Superpose

    # Its own proof reads the test rows once, after all choices.
    frame = table.frame.assign(__split__=parts)
    split = {"by": "column", "column": "__split__"}
    if table.splitter is grouped_split:  # rows of one subject: whole subjects are in one part
        frame = frame.assign(__group__=table.clusters)
        split["groups"] = "__group__"
    model = Superpose(targets=declared(table), split=split, seed=seed, **settings)
    return model.fit(frame)


def fitted(table: Table, parts: np.ndarray, seed: int) -> tuple[Any, dict[str, float]]:
    """The model with the default settings, and the seconds that its fit took."""
    from superpose import Superpose

    folder = RESULTS / "fitted" / f"{table.name}.{seed}.{source_hash()}"
    took = folder / "seconds.json"
    if not took.exists():
        started, worked = time.perf_counter(), time.process_time()
        model = fit(table, parts, seed)
        seconds = {
            "seconds": time.perf_counter() - started,
            "processor_seconds": time.process_time() - worked,
        }
        model.save(folder / "bundle")
        took.write_text(json.dumps(seconds), encoding="utf-8")
    # What predicts is always what was saved: a kept fit and a fresh one can't differ.
    return Superpose.load(folder / "bundle"), json.loads(took.read_text(encoding="utf-8"))
