"""Labels that are not among the classes of a fitted target: named, and counted as wrong."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column, warn
from superpose.distributions import PROBABILITY_FLOOR

from ._target import TargetKind

# What a row adds to the mean of a metric where its label is a class that the model does not have.
WORST = {
    **dict.fromkeys(("accuracy", "coverage", "mrr"), 0.0),
    "log_loss": -float(np.log(PROBABILITY_FLOOR)),
}
WORST_OF = ("recall_at_", "ndcg_at_")  # 0 as well, whatever number stands behind


class UnknownLabels(UserWarning):
    """Labels that are not among the classes are passed over."""


class Unknown(NamedTuple):
    """Labels that are not among the classes.

    Args:
        rows: row of each such label, increasing.
        names: each as it is spelled.
    """

    rows: np.ndarray
    names: list[str]

    @classmethod
    def of(cls, text: pa.Array, index: np.ndarray, rows: np.ndarray | None = None) -> Unknown:
        """Those of some labels whose index among the classes is -1, as `find` gives it."""
        at = np.flatnonzero(index == -1)
        return cls(at if rows is None else rows[at], text.take(pa.array(at)).to_pylist())


@dataclass(kw_only=True)
class NamedClasses(TargetKind):
    """Base of targets whose labels are names out of a list."""

    levels: list[str]

    @abstractmethod
    def unknown(self, values: Column) -> Unknown:
        """The labels that are not among the classes; `encode` passes them over."""

    def with_levels(self, more: list[str]) -> Self:
        """The same kind with further classes, which no prediction gives any chance."""
        return replace(self, levels=[*self.levels, *more])

    def warn_of(self, unknown: Unknown, what: str, how: str) -> None:
        """Warn of labels that are passed over, if there are any.

        Args:
            unknown: those labels.
            what: what one of them is called, such as "class".
            how: how all are taken, such as "row(s) count as unlabelled".
        """
        if unknown.names:
            warn(
                f"target {self.column!r}, row {unknown.rows[0]}: {what} {unknown.names[0]!r} did "
                f"not occur in training; {len(unknown.names)} such {how}",
                UnknownLabels,
            )

    def metrics_with(
        self,
        unknown: Unknown,
        values: Column,
        *,
        y: np.ndarray,
        pred: np.ndarray,
        baseline: np.ndarray,
        **options: Any,
    ) -> dict[str, float]:
        """As `metrics`, but labels that are not among the classes count as wrong.

        Several labels of a row are scored as those of a model that has these classes too, and never
        gives them any chance.

        Args:
            unknown: what `unknown` gave, at least one label.
            values: all labels as they are.
            y: all labels as encoded, (N,) or (N, L).
            pred, baseline, options: as of `metrics`.
        """
        more = sorted(set(unknown.names))
        wide = self.with_levels(more)

        def widened(z: np.ndarray) -> np.ndarray:
            """Predictions (..., S C) with further classes behind those of each location."""
            locations = np.reshape(z, (*np.shape(z)[:-1], -1, len(self.levels)))
            none = np.repeat(0 * locations[..., :1], len(more), axis=-1)  # NaN where there is none
            return np.concatenate([locations, none], axis=-1).reshape(*np.shape(z)[:-1], -1)

        scored = self.distribution.known(y)  # not the rows whose labels don't fit their input
        scored[unknown.rows] = True
        labels = np.where(scored[:, None], wide.encode(values), np.nan)
        return wide.metrics(labels, widened(pred), widened(baseline), **options)


def metrics_with_rows(
    kind: TargetKind,
    rows: int,
    *,
    y: np.ndarray,
    pred: np.ndarray,
    baseline: np.ndarray,
    **options: Any,
) -> dict[str, float]:
    """Metrics of one class per row, where some rows have a class that the model does not have.

    They count in the means over rows: accuracy, coverage, log-loss, measures of rankings, and the
    score. An AUC, a kappa or the F1 of known classes can't count them.

    Args:
        kind: the target.
        rows: how many such rows there are; in y they have no label.
        y, pred, baseline, options: as of `metrics`.
    """
    distribution = kind.distribution
    metrics = kind.metrics(y, pred, baseline, **options)
    known = distribution.known(y)
    share = rows / (rows + int(known.sum()))
    worst = WORST | {name: 0.0 for name in metrics if name.startswith(WORST_OF)}

    def with_rows(mean: float, each: float) -> float:
        return share * each + ((1 - share) * mean if known.any() else 0.0)

    for name in metrics.keys() & worst.keys():
        metrics[name] = with_rows(metrics[name], worst[name])
    baselines = np.broadcast_to(baseline, np.shape(pred))
    sums = (float(distribution.row_loss(y, z)[known].sum()) for z in (pred, baselines))
    means = (total / max(int(known.sum()), 1) for total in sums)
    loss, reference = (with_rows(mean, worst["log_loss"]) for mean in means)
    return {**metrics, "score": 1 - loss / reference}
