"""Tables with an outer test: a fifth of the rows, which no method is handed before it is judged.

The newest rows where there is time, whole groups where there are groups, else rows at random by
seed. All other rows are given to every method, which divides them as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from _table import Table, name_parts, random_split
from _tables import load_table, read_air

Way = Literal["random", "time", "group"]
COLUMNS = {"time": "when", "group": "group"}  # which divide the rows, as Superpose is told
OUTER, INNER = 0.2, 0.15  # share of all rows; of the given rows, for rounds of boosting
MOST_GIVEN = 9_000  # rows, so that a fit takes minutes


@dataclass(frozen=True)
class Outer:
    """A table, and what tells the rows of its outer test from the others.

    Args:
        table: Inputs and targets, without the column that divides the rows.
        way: Rows at random, by time, or by group.
        by: For each row its time or its group; None for "random".
    """

    table: Table
    way: Way = "random"
    by: np.ndarray | None = None

    def parts(self, seed: int) -> np.ndarray:
        """Name the part of every row: "train" and "validation" together are the given rows."""
        if self.by is None:
            parts = random_split(self.table, seed)
        else:
            test = self._last(self.by, OUTER, seed)
            validation = np.zeros(len(test), dtype=bool)
            validation[~test] = self._last(self.by[~test], INNER, seed + 1000)
            parts = name_parts(len(test), validation, test)
        given = np.flatnonzero(parts != "test")
        if len(given) > MOST_GIVEN:
            rng = np.random.default_rng([seed, 4])
            parts[rng.choice(given, len(given) - MOST_GIVEN, replace=False)] = "left out"
        return parts

    def _last(self, by: np.ndarray, share: float, seed: int) -> np.ndarray:
        """Mark a share of rows: the newest, or those of groups drawn by seed."""
        if self.way == "time":
            return by >= np.sort(by)[round((1 - share) * len(by))]
        groups = np.random.default_rng([seed, 3]).permutation(np.unique(by))
        return np.isin(by, groups[: max(1, round(share * len(groups)))])

    @property
    def split(self) -> dict[str, Any]:
        """The split that a user would ask of Superpose."""
        return {} if self.by is None else {"by": self.way, "column": COLUMNS[self.way]}

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a user has it, with the column that divides the rows."""
        return self.table.frame if self.by is None else self._with(self.by)

    @property
    def plain(self) -> Table:
        """The table of the single-task models: a time is days since the first, groups are gone."""
        if self.way != "time":
            return self.table
        days = (self.by - self.by.min()) / np.timedelta64(1, "D")
        return Table(self.table.name, self._with(days), self.table.targets, random_split, "")

    def _with(self, values: np.ndarray) -> pd.DataFrame:
        return self.table.frame.assign(**{COLUMNS[self.way]: values})


def _timed(
    name: str, frame: pd.DataFrame, *, when: pd.Series, targets: dict[str, str], every: int = 1
) -> Outer:
    """A table by time: every so many rows, with hour, weekday and day of the year as inputs."""
    calendar = {"hour": when.dt.hour, "weekday": when.dt.weekday, "yearday": when.dt.dayofyear}
    new = {key: values.astype(float) for key, values in calendar.items() if values.nunique() > 1}
    frame = frame.assign(**new).iloc[::every].reset_index(drop=True)
    table = Table(name, frame, targets, random_split, "the newest fifth")
    return Outer(table, "time", when.iloc[::every].to_numpy())


def _bundled_air(folder: Path) -> Outer:
    from superpose.data import load_bundled

    frame = load_bundled("air").to_pandas()
    when = pd.to_datetime(frame.pop("time"))
    frame = frame.drop(columns="level")  # a sum of three of the others, in classes
    targets = dict.fromkeys(["pm25", "pm10", "so2", "no2", "co", "o3"], "number")
    return _timed("air", frame, when=when, targets=targets)


def _station(folder: Path, name: str) -> Outer:
    path = next((folder / "beijing_air").glob(f"PRSA_Data_{name}_*.csv.gz"))
    frame, when = read_air(path)
    frame = frame.drop(columns=["station", "hour", "weekday", "day_of_year"], errors="ignore")
    targets = dict.fromkeys(["pm25", "pm10", "so2", "no2", "co", "o3"], "number")
    return _timed(name.lower(), frame, when=when, targets=targets, every=3)


def _bike(folder: Path, file: str) -> Outer:
    frame = pd.read_csv(folder / "bike_sharing" / "Bike-Sharing-Dataset" / f"{file}.csv")
    when = pd.to_datetime(frame["dteday"], format="mixed")
    if "hr" in frame:
        when = when + pd.to_timedelta(frame.pop("hr"), unit="h")
    for name in ("season", "weathersit"):
        frame[name] = "k" + frame[name].astype(str)
    drop = ["instant", "dteday", "yr", "cnt", "mnth", "weekday"]
    targets = {"casual": "count", "registered": "count"}
    every = 2 if file == "hour" else 1
    return _timed(f"bike_{file}", frame.drop(columns=drop), when=when, targets=targets, every=every)


def _transformer(folder: Path) -> Outer:
    frame = pd.read_csv(folder / "ett" / "ETTh1.csv.gz")
    when = pd.to_datetime(frame.pop("date"))
    targets = dict.fromkeys(["OT", "LUFL", "LULL"], "number")
    return _timed("ett_h1", frame, when=when, targets=targets, every=2)


def _engines(folder: Path) -> Outer:
    sensors = [f"s{i}" for i in range(1, 22)]
    names = ["unit", "cycle", "setting1", "setting2", "setting3", *sensors]
    path = folder / "cmapss" / "train_FD001.txt.gz"
    frame = pd.read_csv(path, sep=r"\s+", header=None, names=names)
    left = frame.groupby("unit")["cycle"].transform("max") - frame["cycle"]
    frame = frame.loc[:, frame.nunique() > 1].iloc[::2].reset_index(drop=True)
    unit = frame.pop("unit").to_numpy()
    left = left.iloc[::2].to_numpy()
    frame["remaining"] = np.minimum(left, 125.0)
    frame["stage"] = pd.cut(left, [-1, 30, 80, 999], labels=["late", "middle", "early"]).astype(str)
    table = Table(
        "engines",
        frame,
        {"remaining": "number", "stage": "ordinal"},
        random_split,
        "a fifth of the engines",
        levels={"stage": ["early", "middle", "late"]},
    )
    return Outer(table, "group", unit)


def _grouped(folder: Path, name: str) -> Outer:
    table = load_table(name, folder)
    return Outer(table, "group", table.clusters)


def _at_random(folder: Path, name: str) -> Outer:
    return Outer(load_table(name, folder))


RANDOM = ("edm", "jura", "enb", "sf1", "wq", "heart_4sites", "steel_plates", "ai4i2020")
OUTER_LOADERS: dict[str, Callable[[Path], Outer]] = {
    "air": _bundled_air,
    "gucheng": partial(_station, name="Gucheng"),
    "dingling": partial(_station, name="Dingling"),
    "bike_hour": partial(_bike, file="hour"),
    "bike_day": partial(_bike, file="day"),
    "ett_h1": _transformer,
    "parkinsons": partial(_grouped, name="parkinsons"),
    "engines": _engines,
    **{name: partial(_at_random, name=name) for name in RANDOM},
}
SMALL = ("edm", "jura", "enb", "bike_day", "parkinsons")


@lru_cache(maxsize=4)
def load_outer(name: str, folder: Path) -> Outer:
    """The table called `name`, divided."""
    return OUTER_LOADERS[name](folder)
