"""Several numbers of one scale in a row: the steps of a forecast, the places of a map."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from superpose.columns import in_units, mean_absolute, root_mean_square
from superpose.distributions import SCORE_LIMIT, variance_information
from superpose.functional import SCALE_FLOOR, gaussian_loss, gaussian_parameters

from ._metrics import quiet
from ._target import TargetKind
from .tabular._number import CLIP


@dataclass(kw_only=True)
class SeveralNumbers(TargetKind):
    """Base of targets with H numbers in a row, some of which may be missing.

    Canonical prediction: the H means, then the H scales (standard deviations), standardised.
    """

    tree: ClassVar[str] = "none"
    metric: ClassVar[str] = "rmse"
    higher_is_better: ClassVar[bool] = False
    takes_lists: ClassVar[bool] = True
    fitted_loss: ClassVar[bool] = False
    mean: float
    scale: float
    edges: list[float]
    constant_value: float | None = None

    @property
    @abstractmethod
    def count(self) -> int:
        """Numbers H of a row."""

    @property
    def size(self) -> int:
        return 2 * self.count

    @property
    def width(self) -> int:
        return 2 * self.count

    @property
    def latent(self) -> int:
        return self.count

    @property
    def constant_reason(self) -> str | None:
        if self.constant_value is None:
            return None
        return f"every value of the training rows is {self.constant_value:g}"

    def unlabelled(self, rows: int) -> np.ndarray:
        return np.full((rows, self.count), np.nan, np.float32)

    def balanced(self, y: np.ndarray) -> np.ndarray:
        return self.reveal(y)[:, 0]

    def exact(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        return np.concatenate([y, np.where(np.isnan(y), np.nan, 0.0)], axis=-1)

    def _parts(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and scales (..., H) of predictions (..., 2 H)."""
        pred = np.asarray(pred, np.float64)
        return pred[..., : self.count], np.maximum(pred[..., self.count :], SCALE_FLOOR)

    def _raw(self, out: Tensor) -> Tensor:
        """Raw outputs (..., 2 H) as (..., H, 2): mean and raw scale of each number."""
        return torch.stack(out.chunk(2, -1), dim=-1)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        known = (~y.isnan()).sum(-1).clamp(min=1)
        return gaussian_loss(self._raw(out), y).sum(-1) / known

    def positive_loss(self, out: Tensor, y: Tensor) -> Tensor:
        # A likelihood of a density has no least value; the squared error has.
        mean = gaussian_parameters(self._raw(out))[0]
        known = (~y.isnan()).sum(-1).clamp(min=1)
        return torch.where(y.isnan(), 0.0, (y.nan_to_num() - mean).square()).sum(-1) / known

    def predict(self, out: Tensor) -> Tensor:
        return torch.cat(gaussian_parameters(self._raw(out)), dim=-1)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean squared error over the numbers of a row that are known."""
        return mean_of_known((np.asarray(y, np.float64) - self._parts(pred)[0]) ** 2)

    def constant(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        known = ~np.isnan(y)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, y, 0).sum(axis=0) / count
        away = np.where(known, y - mean, 0)
        scale = np.sqrt((away**2).sum(axis=0) / count)
        return np.concatenate([mean, np.where(known.any(axis=0), scale, 1.0)])

    @property
    def reveal_edges(self) -> list[list[float]]:
        return [self.edges]

    def reveal(self, y: np.ndarray) -> np.ndarray:
        """The mean over the numbers that are known, (N, 1)."""
        return np.clip(mean_of_known(np.asarray(y)), -CLIP, CLIP).astype(np.float32)[:, None]

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        mean, scale = self._parts(pred)
        each = -0.5 * ((y - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)
        return np.where(self.known(y), np.nansum(each, axis=1), np.nan)

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        mean, scale = self._parts(pred)
        return np.clip((y - mean) / scale, -SCORE_LIMIT, SCORE_LIMIT)

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        mean, scale = self._parts(pred)
        return mean + scale * np.reshape(z, mean.shape)

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        told, scale = self.at_scores(pred, mean), np.asarray(pred)[:, self.count :]
        return np.concatenate([told, scale * np.reshape(sd, told.shape)], axis=-1)

    def information(self, told: np.ndarray) -> np.ndarray:
        mean, scale = self._parts(told)
        return variance_information(mean, scale**2).sum(axis=-1)

    def deviations(self, pred: np.ndarray) -> np.ndarray | None:
        return self._parts(pred)[1]

    def calibration(self, y: np.ndarray, pred: np.ndarray) -> float:
        mean, scale = self._parts(pred)
        error = (y - mean) / scale
        error = error[~np.isnan(error)]
        return max(float(np.sqrt(np.mean(error**2))), SCALE_FLOOR) if len(error) > 1 else 1.0

    def rescaled(self, pred: np.ndarray, factor: float) -> np.ndarray:
        return np.asarray(pred, np.float64) * np.repeat([1.0, factor], self.count)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        known = ~np.isnan(y)
        true, told = y[known], self._parts(pred)[0][known]
        error = told - true
        found = {
            "rmse": root_mean_square(error, self.scale) if len(true) else np.nan,
            "mae": mean_absolute(error, self.scale) if len(true) else np.nan,
            "r2": quiet("r2_score", true, told) if len(true) > 1 and true.std() > 0 else np.nan,
        }
        if options.get("interval") is not None:
            inside = np.abs(told - true) <= options["interval"][known]
            found["coverage"] = float(inside.mean()) if len(true) else np.nan
        return found

    def in_units(self, standard: np.ndarray) -> np.ndarray:
        """Undo the standardisation of labels or predicted means."""
        return in_units(standard, self.mean, self.scale)


def mean_of_known(block: np.ndarray) -> np.ndarray:
    """The mean of what is known in each row (N, H), NaN where nothing is."""
    known = ~np.isnan(block)
    total = np.where(known, block, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)
