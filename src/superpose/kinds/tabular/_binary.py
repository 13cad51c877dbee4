"""Yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from superpose.columns import Column, class_type
from superpose.distributions import Bernoulli
from superpose.errors import DataError, did_you_mean, listing, message
from superpose.kinds._hints import TargetHints
from superpose.kinds._metrics import auc, average_precision, calibration_error, quiet
from superpose.kinds._options import Options

from ._category import CategoryInput
from ._classes import ClassTarget, CountedClasses, declared


@dataclass(kw_only=True)
class BinaryInput(CategoryInput):
    """A category with two levels."""

    name: ClassVar[str] = "binary"


class BinaryOptions(Options):
    """Options of a binary target.

    Args:
        positive: the class that counts as yes.
    """

    positive: str | int | float | bool | None = None


@dataclass(kw_only=True)
class BinaryTarget(ClassTarget):
    """One of two classes; the second is the positive one.

    Unless an option names it, the positive class is the larger number, or the later name in the
    alphabet (yes after no, true after false, positive after negative).

    Example:
        >>> import pyarrow as pa
        >>> kind = BinaryTarget.fit("sick", pa.chunked_array([["no", "yes", "no"]]))
        >>> kind.decode(np.array([[0.7, 0.3]]), threshold=0.2)["sick"].to_pylist()
        ['yes']
    """

    name: ClassVar[str] = "binary"
    options: ClassVar[type[Options]] = BinaryOptions
    metric: ClassVar[str] = "auc"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(scale="ordinal", tree_task="classification")

    @property
    def distribution(self) -> Bernoulli:
        return Bernoulli()

    @property
    def positive(self) -> str:
        """The class that counts as yes."""
        return self.levels[1]

    @classmethod
    def _order(cls, column: str, values: Column, classes: CountedClasses) -> list[str]:
        names = classes.names
        if len(names) > 2:
            raise DataError(
                f"target {column!r}: {len(names)} classes, such as {sorted(names)[:3]}; a binary "
                f"target has two; declare it as kind category, ordinal or number"
            )
        if len(names) == 1:
            raise DataError(
                f"target {column!r}: every labelled training row is {names[0]!r}; a binary target "
                f"needs both classes; give more rows, another split, or take it out"
            )
        return super()._order(column, values, classes)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        fitted = super().fit(column, values, **options)
        if len(fitted.levels) != 2:
            raise DataError(
                f"target {column!r}: {len(fitted.levels)} levels declared; a binary target has two"
            )
        positive = options.get("positive")
        if positive is not None:
            kind = class_type(values)
            wanted = declared(column, [positive, "\0"], kind)[0]
            if wanted not in fitted.levels:
                known = fitted.levels
                fix = did_you_mean(wanted, known)
                where = f"target {column!r}: positive"
                raise DataError(message(where, f"{positive!r} given", listing(known), fix=fix))
            if wanted == fitted.levels[0]:
                fitted.levels.reverse()
                fitted.counts.reverse()
        return fitted

    @property
    def interpretation(self) -> str:
        return f"{self.positive!r} is positive"

    def describe(self) -> str:
        return f"{super().describe()}; {self.interpretation}"

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        positive = np.asarray(pred, np.float64)[:, 1]
        decided = positive >= (0.5 if threshold is None else float(threshold))
        return np.where(np.isnan(positive), -1, decided.astype(int))

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = (
            *("auc", "average_precision", "f1", "log_loss", "brier", "calibration_error"),
            *("accuracy", "balanced_accuracy"),
        )
        if not len(y):
            return dict.fromkeys(names, np.nan)
        truth = y.astype(int)
        p = pred[:, 1]
        chosen = self.choose(pred, options.get("threshold"))
        both = truth.min() != truth.max()
        values = (
            auc(truth, p),
            average_precision(truth, p),
            quiet("f1_score", truth, chosen, zero_division=0.0) if truth.any() else np.nan,
            float(self.distribution.row_loss(y, pred).mean()),
            float(((p - truth) ** 2).mean()),
            calibration_error(p, truth),
            float((chosen == truth).mean()),
            quiet("balanced_accuracy_score", truth, chosen) if both else np.nan,
        )
        return dict(zip(names, values, strict=True))
