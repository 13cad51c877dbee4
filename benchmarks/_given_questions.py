"""The questions that `given.py` puts to every method, and the scores of the predictions.

A question names the targets that are given and those to predict. Only the labels it gives are
handed to a method, so none can read what it is to predict.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from _scores import baseline, error, metrics
from _table import Table

LEVELS = ("none", "half", "all")


@dataclass(frozen=True)
class Question:
    """Predict the targets `wanted` of a row whose targets `given` are known."""

    level: str
    given: tuple[str, ...]
    wanted: tuple[str, ...]


@dataclass(frozen=True)
class Labelled:
    """Inputs of some rows, and their labels (float64, NaN where missing) by target."""

    x: pd.DataFrame
    y: pd.DataFrame

    def __len__(self) -> int:
        return len(self.x)

    def __add__(self, other: Labelled) -> Labelled:
        return Labelled(pd.concat([self.x, other.x]), pd.concat([self.y, other.y]))


@dataclass(frozen=True)
class Rows:
    """One table, its split and its seed, as a method gets them to train on.

    Args:
        table: all columns; methods train on "train" and "validation" only.
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

    def labelled(self, part: str) -> Labelled:
        """Inputs and labels of one part."""
        return Labelled(self.x(part), self.y(part))


class Method(Protocol):
    """One way to predict with targets given."""

    def fit(self, rows: Rows, questions: list[Question]) -> dict[str, float] | None:
        """Train; a method that may use an earlier fit returns what that took, others None.

        `questions` tell the subsets to those methods that train anew for each.
        """

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Predict `wanted` (N,) each, from inputs and the given values in `known`."""

    def n_bytes(self) -> int | None:
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


def score(kind: str, y: np.ndarray, prediction: np.ndarray, *, train: np.ndarray) -> dict[str, Any]:
    """Error, R² and losses of one target; RRMSE or relative deviance, against the baseline.

    `r2` is against the mean of the test labels, as papers on these tables mostly report it.
    """
    scores = metrics(kind, y, prediction[:, None], baseline=baseline(kind, train, 0))
    known = ~np.isnan(y)
    total = float(((y[known] - y[known].mean()) ** 2).sum())
    squared = float(((y[known] - prediction[known]) ** 2).sum())
    r2 = 1 - squared / total if total > 0 else float("nan")
    return {"kind": kind, "n": int(known.sum()), "error": error(kind, scores), "r2": r2}


def evaluate(method: Method, rows: Rows) -> dict[str, Any]:
    """Fit, predict for every question on all test rows, and score: the body of a cell."""
    subsets = questions(rows.table, rows.seed)
    started, worked = time.perf_counter(), time.process_time()
    took = method.fit(rows, subsets) or {
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - worked,
    }
    x = rows.x("test")
    labels = rows.y("test")
    train = rows.y("train")
    levels: dict[str, dict[str, Any]] = {level: {} for level in LEVELS}
    seconds = dict.fromkeys(LEVELS, 0.0)
    for question in subsets:
        before = time.perf_counter()
        preds = method.predict(x.copy(), labels[list(question.given)].copy(), question.wanted)
        seconds[question.level] += time.perf_counter() - before
        for name in question.wanted:
            pred = np.asarray(preds[name], dtype=np.float64)
            if pred.shape != (len(x),) or not np.isfinite(pred).all():
                raise ValueError(f"{question.level}, {name}: predictions missing or not finite")
            levels[question.level][name] = score(
                rows.targets[name], labels[name].to_numpy(), pred, train=train[name].to_numpy()
            )
    return {
        "rows": {part: int((rows.parts == part).sum()) for part in ("train", "validation", "test")},
        "half_given": list(subsets[1].given),
        "fit_seconds": round(took["seconds"], 3),
        "fit_processor_seconds": round(took["processor_seconds"], 3),
        "predict_seconds": {level: round(value, 3) for level, value in seconds.items()},
        "bytes": method.n_bytes(),
        "levels": levels,
        "details": method.details(),
    }
