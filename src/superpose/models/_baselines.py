"""Models that learn nothing from the inputs: a constant, and the value that was last known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from superpose.data import Codec
from superpose.kinds import Anchor
from superpose.stored import damaged, restored

from ._base import Arrays, Facts, Model, Predictions
from ._names import SEASON_BEFORE
from ._observed import Observed
from ._rows import Rows


class BaselineFacts(BaseModel):
    """What stands in a bundle of a model that learns nothing from the inputs."""

    model_config = ConfigDict(extra="forbid")

    name: str
    targets: list[str] = Field(min_length=1, max_length=1)


@dataclass(eq=False)
class BaselineModel(Model):
    """The same prediction for every row.

    Args:
        name: "baseline", or "last value" where it is that of the newest rows.
        targets: The target, alone in a list.
        values: The canonical prediction (K,).
    """

    family: ClassVar[str] = "baseline"

    name: str
    targets: list[str]
    values: np.ndarray

    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Predict the target; see ``Model``."""
        (target,) = self.targets
        dtype = rows.codec.target_kinds[target].distribution.dtype
        return {target: np.tile(self.values.astype(dtype), (len(rows), 1))}

    def to_state(self) -> tuple[Facts, Arrays]:
        """Split into JSON facts and arrays."""
        return {"name": self.name, "targets": self.targets}, {"values": self.values}

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        """Put back what ``to_state`` split."""
        stored = restored(BaselineFacts, facts, cls.family)
        return cls(stored.name, stored.targets, arrays["values"])

    def require_sound(self, codec: Codec) -> None:
        """Make sure that there is a value for each column of a prediction; see ``Model``."""
        (target,) = self.targets
        columns = codec.target_kinds[target].distribution.n_columns
        if self.values.shape != (columns,) or not np.isfinite(self.values).all():
            given = f"no {columns} numbers, but {self.values.shape} given, or not finite"
            raise damaged(self.family, ("values",), given)


@dataclass(eq=False)
class NaiveForecastModel(BaselineModel):
    """For each step ahead the number that stands in the window: the last, or a period before.

    Args:
        name: "last value" or "season before".
        targets: The forecast, alone in a list.
        values: The canonical prediction (2 H,) of a row whose window holds no number; its second
            half, the scales, is that of every row.

    Source:
        The naive and seasonal naive forecasts, Hyndman and Athanasopoulos 2021, section 5.2.
    """

    family: ClassVar[str] = "naive_forecast"

    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Predict the forecast; see ``Model``."""
        (target,) = self.targets
        anchor = rows.codec.target_kinds[target].anchor
        assert anchor is not None
        steps = len(self.values) // 2
        mean = naive_forecast(rows, anchor, steps, season=self.name == SEASON_BEFORE)
        mean = np.where(np.isnan(mean), self.values[:steps], mean)
        scale = np.broadcast_to(self.values[steps:], mean.shape)
        return {target: np.concatenate([mean, scale], axis=1)}

    def require_sound(self, codec: Codec) -> None:
        """Make sure that windows hold the number that it stands on; see ``Model``."""
        super().require_sound(codec)
        anchor = codec.target_kinds[self.targets[0]].anchor
        if anchor is None or (self.name == SEASON_BEFORE and not anchor.before):
            raise damaged(self.family, ("targets",), "no window holds its numbers")


def naive_forecast(rows: Rows, anchor: Anchor, steps: int, *, season: bool) -> np.ndarray:
    """Return for each step ahead the number in the window, (N, H); NaN where there is none.

    Args:
        rows: Rows whose windows hold what came before.
        anchor: Which number of the window it is, and in what units.
        steps: How many steps ahead H.
        season: Take the number a period before; the last one where that is missing.
    """
    window = rows.inputs[rows.codec.group_of(anchor.of)][..., anchor.index]
    known = ~np.isnan(window)
    newest = window.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    last = np.take_along_axis(window, newest[:, None], axis=1)  # NaN where nothing is known
    numbers = np.repeat(last, steps, axis=1)
    if season:
        before = window[:, list(anchor.before)]
        numbers = np.where(np.isnan(before), numbers, before)
    return np.asarray(anchor.gain * numbers + anchor.offset, np.float64)
