"""The next values of a series, several steps ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor

from superpose.errors import DataError, message, place
from superpose.functional import SCALE_FLOOR, gaussian_loss, gaussian_parameters

from ._base import Beside, TargetKind, too_few_labels
from ._latent import SCORE_LIMIT, variance_information
from ._metrics import quiet
from ._number import CLIP, label_scale, quantile_edges
from ._options import Options
from ._plot_times import forecast_facts
from ._steps import as_steps
from ._values import Column
from ._words import spread


class ForecastOptions(Options):
    """Options of a forecast.

    Args:
        season: steps of a period, such as 24 for hours; the report then compares with the value of
            a period before.
    """

    season: int | None = Field(default=None, ge=2)


@dataclass(kw_only=True)
class ForecastTarget(TargetKind):
    """The values of a number some steps ahead, as a list for each row.

    Canonical prediction: the mean of each step, then the scale (standard deviation) of each,
    standardised.

    Example:
        >>> rows = pa.chunked_array([[[10.0, 20.0], [30.0, None]]])
        >>> kind = ForecastTarget.fit("load", rows)
        >>> kind.encode(rows).round(2).tolist()
        [[-1.2200000286102295, 0.0], [1.2200000286102295, nan]]
        >>> kind.decode(np.array([[0.0, 1.0, 0.5, 0.5]]))["load"].to_pylist()[0][0]
        20.0
    """

    name: ClassVar[str] = "forecast"
    options: ClassVar[type[Options]] = ForecastOptions
    tree: ClassVar[str] = "steps"
    metric: ClassVar[str] = "rmse"
    higher_is_better: ClassVar[bool] = False
    takes_lists: ClassVar[bool] = True
    fitted_loss: ClassVar[bool] = False
    ahead: list[int]  # how many steps ahead each value lies
    mean: float
    scale: float
    edges: list[float]
    past: str | None = None  # the input whose last steps are what came before
    channel: int = 0  # its place there
    season: int | None = None
    constant_value: float | None = None

    @property
    def size(self) -> int:
        return 2 * len(self.ahead)

    @property
    def width(self) -> int:
        return 2 * len(self.ahead)

    @property
    def latent(self) -> int:
        return len(self.ahead)

    @property
    def constant_reason(self) -> str | None:
        if self.constant_value is None:
            return None
        return f"every value of the training rows is {self.constant_value:g}"

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        block = _block(column, values, None)
        rows = int((~np.isnan(block)).any(axis=1).sum())
        if rows < 2:
            raise too_few_labels(column, rows)
        known = block[~np.isnan(block)]
        mean, scale, constant = label_scale(known)
        kind = cls(
            column=column,
            ahead=list(options.get("ahead") or range(1, block.shape[1] + 1)),
            mean=mean,
            scale=scale,
            edges=[],
            past=options.get("past"),
            channel=options.get("channel", 0),
            season=options.get("season"),
            constant_value=constant,
        )
        average = kind.reveal(((block - mean) / scale).astype(np.float32))[:, 0]
        kind.edges = quantile_edges(average[~np.isnan(average)])
        return kind

    def encode(self, values: Column) -> np.ndarray:
        block = _block(self.column, values, len(self.ahead))
        return ((block - self.mean) / self.scale).astype(np.float32)

    def unlabelled(self, rows: int) -> np.ndarray:
        return np.full((rows, len(self.ahead)), np.nan, np.float32)

    def balanced(self, y: np.ndarray) -> np.ndarray:
        return self.reveal(y)[:, 0]

    def exact(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        return np.concatenate([y, np.where(np.isnan(y), np.nan, 0.0)], axis=-1)

    def _parts(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and scales (..., H) of predictions (..., 2 H)."""
        pred = np.asarray(pred, np.float64)
        steps = len(self.ahead)
        return pred[..., :steps], np.maximum(pred[..., steps:], SCALE_FLOOR)

    def _raw(self, out: Tensor) -> Tensor:
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
        """The mean squared error over the steps of a row that are known."""
        return _mean((np.asarray(y, np.float64) - self._parts(pred)[0]) ** 2)

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
        """The mean over the steps that are known, (N, 1)."""
        return np.clip(_mean(np.asarray(y)), -CLIP, CLIP).astype(np.float32)[:, None]

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
        told, scale = self.at_scores(pred, mean), np.asarray(pred)[:, len(self.ahead) :]
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
        return np.asarray(pred, np.float64) * np.repeat([1.0, factor], len(self.ahead))

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        known = ~np.isnan(y)
        true, told = y[known], self._parts(pred)[0][known]
        error = (told - true) * self.scale
        found = {
            "rmse": float(np.sqrt(np.mean(error**2))) if len(true) else np.nan,
            "mae": float(np.abs(error).mean()) if len(true) else np.nan,
            "r2": quiet("r2_score", true, told) if len(true) > 1 and true.std() > 0 else np.nan,
        }
        if options.get("interval") is not None:
            inside = np.abs(told - true) <= options["interval"][known]
            found["coverage"] = float(inside.mean()) if len(true) else np.nan
        return found

    def in_units(self, standardised: np.ndarray) -> np.ndarray:
        """Undo the standardisation of labels or predicted means."""
        return np.asarray(standardised, np.float64) * self.scale + self.mean

    def _lists(self, block: np.ndarray) -> pa.Array:
        flat = pa.array(block.ravel(), from_pandas=True)
        ends = np.arange(len(block) + 1, dtype=np.int32) * block.shape[1]
        gone = np.isnan(block).all(axis=1)
        return pa.ListArray.from_arrays(pa.array(ends), flat, mask=pa.array(gone))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        there = self.past in beside.table.column_names
        past = beside.table.column(self.past) if there else None
        return forecast_facts(self, past, y, pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        middle = self._parts(pred)[0]
        columns = {self.column: middle}
        if interval is not None:
            columns[f"{self.column}_low"] = middle - interval
            columns[f"{self.column}_high"] = middle + interval
        return {name: self._lists(self.in_units(block)) for name, block in columns.items()}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        mean, scale = self._parts(pred)
        return {
            self.column: self._lists(self.in_units(mean)),
            f"{self.column}_scale": self._lists(scale * self.scale),
        }

    def describe(self) -> str:
        steps = f"{len(self.ahead)} steps, up to {self.ahead[-1]} ahead"
        return f"{steps}; mean {self.mean:.4g}, spread {self.scale:.4g}"


def _mean(block: np.ndarray) -> np.ndarray:
    """The mean of what is known in each row (N, H), NaN where nothing is."""
    known = ~np.isnan(block)
    total = np.where(known, block, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _block(column: str, values: Column, steps: int | None) -> np.ndarray:
    """Lists of one length as (N, H), NaN where missing; a row without a list is missing.

    Raises:
        DataError: no lists of numbers, or the first row whose list has another length.
    """
    found = as_steps(column, values, 1)
    counts = np.bincount(found.rows, minlength=len(values))
    filled = np.flatnonzero(counts)
    if steps is None:
        steps = int(counts[filled[0]]) if len(filled) else 1
    wrong = filled[counts[filled] != steps]
    if len(wrong):
        row = int(wrong[0])
        given = f"a list of {int(counts[row])}"
        fix = "write null for a step that is not known"
        raise DataError(message(place(column=column, row=row), given, f"lists of {steps}", fix))
    block = np.full((len(values), steps), np.nan)
    block[found.rows, spread(found.rows, len(values))] = found.values[:, 0]
    return block
