"""The tables of `given.py`: nine of them, 49 to 404 thousand rows, all targets numbers or counts.

Most are those of `_tables.py`. One station of beijing_air is read whole here and cut by time into
70/10/20, as the first measurements of the design were; all twelve stations stand beside it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from _table import Table, cut_parts, name_parts
from _tables import AIR_TARGETS, LOADERS, read_air

# Training rows of all stations together; every method trains on the same draw of the seed.
TRAIN_CAP = 60_000
TABLES = (
    "andro", "edm", "jura", "enb", "wq", "parkinsons", "bike_sharing", "beijing_station",
    "beijing_stations",
)  # fmt: skip
QUICK = ("andro", "edm", "jura", "enb")
AIR = ("beijing_station", "beijing_stations")


def _station(folder: Path) -> Table:
    path = next((folder / "beijing_air").glob("PRSA_Data_Aotizhongxin*.csv.gz"))
    frame, time = read_air(path)
    turn = time.rank(method="first", pct=True).to_numpy()
    validation = (turn > 0.7) & (turn <= 0.8)
    test = turn > 0.8

    def by_time(table: Table, seed: int) -> np.ndarray:
        return name_parts(len(test), validation, test)

    rule = "70/10/20 by time (no seed)"
    return Table(
        "beijing_station", frame.drop(columns="station"), dict.fromkeys(AIR_TARGETS.values(),
        "number"), by_time, rule, note="station Aotizhongxin, all hours to the end of 2016",
        clusters=((time - time.min()).dt.days // 7).to_numpy(),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _all_stations(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    read = [read_air(path) for path in sorted((folder / "beijing_air").glob("PRSA_Data_*.csv.gz"))]
    frame = pd.concat([frame for frame, _ in read], ignore_index=True)
    frame["station"] = frame["station"].astype(object)
    return frame, pd.concat([time for _, time in read], ignore_index=True)


def _stations(folder: Path, seed: int, cap: int = TRAIN_CAP) -> Table:
    frame, time = _all_stations(folder)
    test = (time >= "2016-07-01").to_numpy()
    parts = name_parts(len(test), (time >= "2016-01-01").to_numpy() & ~test, test)
    kept = cut_parts(parts, cap, seed)
    rows = f"{len(frame):,} hours of 12 stations; trained on {cap:,} rows and validated on"
    return Table(
        "beijing_stations",
        frame.iloc[kept].reset_index(drop=True),
        dict.fromkeys(AIR_TARGETS.values(), "number"),
        lambda table, seed, parts=parts[kept]: parts,
        "to 2015 train, first half of 2016 validation, second half test",
        note=f"{rows} {cap // 4:,}, both drawn by seed; tested on all {int(test.sum()):,}",
        clusters=((time - time.min()).dt.days // 7).to_numpy()[kept],
    )


def load_given_table(name: str, folder: Path, seed: int) -> Table:
    """The table called `name`, as the runs of `seed` see it; SystemExit lists the known names."""
    if name not in TABLES:
        raise SystemExit(f"--tables: {name!r} is unknown; allowed: {', '.join(TABLES)}")
    if name == "beijing_stations":
        return _stations(folder, seed)
    table = _station(folder) if name == "beijing_station" else LOADERS[name](folder)
    # Measured values enter every method as numbers; integer columns can't hold a missing one.
    numbers = {target: table.labels(target) for target in table.targets}
    return replace(table, frame=table.frame.assign(**numbers))
