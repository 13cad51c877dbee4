"""Intervals and sets of a target: the labels that lie near enough to its predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from superpose.distributions import Distribution


class Regions(ABC):
    """Base of targets, whose distribution may say how far labels lie from predictions."""

    @property
    @abstractmethod
    def distribution(self) -> Distribution:
        """What a prediction says of a label."""

    def region(
        self, pred: np.ndarray, quantile: np.ndarray | None, threshold: Any = None
    ) -> np.ndarray | None:
        """The interval or set of each row, as `Conformity.region` gives it, or None for none.

        Args:
            pred: canonical predictions (N, K).
            quantile: how far it reaches in each row (N,), or None.
            threshold: as of `TargetKind.decode`.
        """
        conformity = self.distribution.conformity
        return None if conformity is None or quantile is None else conformity.region(pred, quantile)

    def coverage(
        self, y: np.ndarray, pred: np.ndarray, quantile: np.ndarray | None, *, threshold: Any = None
    ) -> dict[str, float]:
        """The share of labels inside of their intervals or sets, and the mean size of sets.

        Args:
            y: encoded labels (N,) or (N, H), NaN where missing.
            pred, quantile, threshold: as of `region`; without a quantile there is no metric.
        """
        conformity = self.distribution.conformity
        region = self.region(pred, quantile, threshold)
        if conformity is None or region is None:
            return {}
        inside = conformity.contains(region, y)[~np.isnan(y)]
        metrics = {"coverage": float(inside.mean()) if len(inside) else np.nan}
        if conformity.is_set:
            metrics["set_size"] = float(region.sum(axis=1).mean()) if len(region) else np.nan
        return metrics
