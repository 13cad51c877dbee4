"""What is asked of every method in `given.py`, and the scores of the answers.

A question names the targets that are measured and those to predict. Only the labels it gives are
handed to a method, so none can read the answer.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from _scores import constant, error, metrics
from _table import Table

LEVELS = ("none", "half", "all")


@dataclass(frozen=True)
class Question:
    """Predict the targets `wanted` of a row whose targets `given` are measured."""

    level: str
    given: tuple[str, ...]
    wanted: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """One table, its split and its seed, as a method gets them to train on.

    Args:
        table: all columns; methods train on `x` and `y` of "train" and "validation" alone.
        seed: of the split and of the method.
        slack: factor on time limits.
    """

    table: Table
    seed: int
    slack: float = 1.0
    parts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        kinds = set(self.table.targets.values())
        if not kinds <= {"number", "count"}:
            raise SystemExit(f"{self.table.name}: targets {sorted(kinds)}; numbers and counts only")
        object.__setattr__(self, "parts", self.table.split(self.seed))

    @property
    def targets(self) -> dict[str, str]:
        """Target -> kind."""
        return self.table.targets

    def x(self, part: str) -> pd.DataFrame:
        """Input columns of one part."""
        return self.table.frame.loc[self.parts == part, self.table.inputs]

    def y(self, part: str) -> pd.DataFrame:
        """Labels of one part, float64, NaN where missing."""
        return self.table.frame.loc[self.parts == part, list(self.targets)].astype(np.float64)


class Method(Protocol):
    """One way to answer; `asked` lets those that train anew for each subset know the subsets."""

    def fit(self, rows: Rows, asked: list[Question]) -> dict[str, float] | None:
        """Train; a method that may use an earlier fit returns what that took, others None."""

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Predict `wanted` (N,) each, from inputs and the measured values in `known`."""

    def size(self) -> int | None:
        """Bytes of all models as they are stored; None: not measured."""

    def details(self) -> dict[str, Any]:
        """Whatever else is worth keeping."""


def questions(table: Table, seed: int) -> list[Question]:
    """Nothing given; one random half of the targets given; all others given, for each target."""
    names = tuple(table.targets)
    rng = np.random.default_rng([seed, zlib.crc32(table.name.encode())])
    drawn = set(rng.choice(len(names), len(names) // 2, replace=False).tolist())
    given = tuple(name for i, name in enumerate(names) if i in drawn)
    rest = tuple(name for name in names if name not in given)
    others = [Question("all", tuple(o for o in names if o != name), (name,)) for name in names]
    return [Question("none", (), names), Question("half", given, rest), *others]


def score(kind: str, y: np.ndarray, prediction: np.ndarray, train: np.ndarray) -> dict[str, Any]:
    """Error, R² and losses of one target; RRMSE or relative deviance, against the constant.

    `r2` is against the mean of the test labels, as papers on these tables mostly report it.
    """
    found = metrics(kind, y, prediction[:, None], constant(kind, train, 0))
    known = ~np.isnan(y)
    spread = float(((y[known] - y[known].mean()) ** 2).sum())
    squared = float(((y[known] - prediction[known]) ** 2).sum())
    r2 = 1 - squared / spread if spread > 0 else float("nan")
    return {"kind": kind, "n": int(known.sum()), "error": error(kind, found), "r2": r2}


def ask(method: Method, rows: Rows) -> dict[str, Any]:
    """Fit, answer every question on all test rows, and score: the body of a cell."""
    asked = questions(rows.table, rows.seed)
    started, worked = time.perf_counter(), time.process_time()
    took = method.fit(rows, asked) or {
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - worked,
    }
    x = rows.x("test")
    labels = rows.y("test")
    train = rows.y("train")
    levels: dict[str, dict[str, Any]] = {level: {} for level in LEVELS}
    seconds = dict.fromkeys(LEVELS, 0.0)
    for question in asked:
        before = time.perf_counter()
        told = method.predict(x.copy(), labels[list(question.given)].copy(), question.wanted)
        seconds[question.level] += time.perf_counter() - before
        for name in question.wanted:
            prediction = np.asarray(told[name], dtype=np.float64)
            if prediction.shape != (len(x),) or not np.isfinite(prediction).all():
                raise ValueError(f"{question.level}, {name}: an answer is missing or not finite")
            y = labels[name].to_numpy()
            levels[question.level][name] = score(
                rows.targets[name], y, prediction, train[name].to_numpy()
            )
    return {
        "rows": {part: int((rows.parts == part).sum()) for part in ("train", "validation", "test")},
        "half_given": list(asked[1].given),
        "fit_seconds": round(took["seconds"], 3),
        "fit_processor_seconds": round(took["processor_seconds"], 3),
        "predict_seconds": {level: round(value, 3) for level, value in seconds.items()},
        "bytes": method.size(),
        "levels": levels,
        "details": method.details(),
    }
