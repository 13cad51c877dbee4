"""The names that members of a target had, until the last caller uses the new ones."""

from __future__ import annotations

from typing import Any

import numpy as np


class OldNames:
    """Each is one of the distribution, its capabilities, the hints, or the head."""

    def __head(self) -> Any:
        from superpose.nn import head_of

        return head_of(self)

    @property
    def tree(self: Any) -> str:
        return self.tree_task or "none"

    @property
    def needs_source(self: Any) -> bool:
        return bool(self.hints.reads_input)

    @property
    def slow(self: Any) -> bool:
        return bool(self.hints.skip_cross_fitting)

    @property
    def own_head(self: Any) -> bool:
        return bool(self.hints.custom_head)

    @property
    def reads_labels(self: Any) -> bool:
        return bool(self.hints.reads_labels)

    @property
    def blends(self: Any) -> bool:
        return bool(self.distribution.is_mixable)

    @property
    def fitted_loss(self) -> bool:
        return bool(self.__head() != self.__head())

    @property
    def size(self: Any) -> int:
        places = self.locations.count if self.locations else 1
        return int(self._OldNames__head().n_outputs * places)

    @property
    def width(self: Any) -> int:
        return int(self.distribution.n_columns)

    @property
    def source(self: Any) -> str | None:
        return self.locations.of if self.locations else None

    @property
    def place_size(self) -> int:
        return int(self.__head().n_outputs)

    @property
    def plain_head(self: Any) -> bool:
        return self.source is None and not self.own_head

    def start(self, block_of: Any) -> Any:
        return None

    def aligned(self: Any, values: Any, source: Any, **options: Any) -> np.ndarray:
        return np.asarray(self.locations.fits(values, source, **options))

    def in_source(self: Any, told: Any, source: Any, **options: Any) -> Any:
        return self.locations.in_units(told, source, **options)

    def follow(self, y: Any, moved: Any) -> Any:
        return self.__head().transform_labels(y, moved)

    def unlabelled(self: Any, rows: int) -> np.ndarray:
        return np.asarray(self.distribution.missing(rows))

    def balanced(self: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.strata(y))

    def exact(self: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.point_mass(y))

    def loss(self, out: Any, y: Any) -> Any:
        return self.__head().loss(out, y)

    def positive_loss(self, out: Any, y: Any) -> Any:
        return self.__head().nonnegative_loss(out, y)

    def predict(self, out: Any) -> Any:
        return self.__head().link(out)

    def row_loss(self: Any, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.row_loss(y, pred))

    def constant(self: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.baseline(y))

    @property
    def revealed(self: Any) -> int:
        return int(self.observed.n_columns)

    @property
    def reveal_edges(self: Any) -> list[list[float]]:
        return list(self.observed.edges)

    def reveal(self: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.observed.encode(y))

    def outside(self: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.observed.outside(y))

    def log_likelihood(self: Any, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.log_prob(y, pred))

    @property
    def latent(self: Any) -> int:
        return int(self.distribution.latent.n_latent)

    def scores(self: Any, y: Any, pred: Any, share: Any = None) -> np.ndarray:
        return np.asarray(self.distribution.latent.to_normal(y, pred, share))

    def at_scores(self: Any, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.latent.from_normal(pred, z))

    def given_scores(self: Any, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.latent.condition(pred, mean, sd=sd))

    def information(self: Any, told: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.information(told))

    def deviations(self: Any, pred: np.ndarray) -> np.ndarray | None:
        spread = self.distribution.spread
        return None if spread is None else np.asarray(spread.deviations(pred))

    def calibration(self: Any, y: np.ndarray, pred: np.ndarray) -> float:
        spread = self.distribution.spread
        return 1.0 if spread is None else float(spread.factor(y, pred))

    def rescaled(self: Any, pred: np.ndarray, factor: float) -> np.ndarray:
        spread = self.distribution.spread
        return np.asarray(pred, np.float64) if spread is None else spread.rescaled(pred, factor)

    def known(self: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.distribution.known(y))
