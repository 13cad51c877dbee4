"""The next values of a series, several steps ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import Column, as_labels, in_units, standardised
from superpose.distributions import NormalVector
from superpose.kinds._anchor import Anchor
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Options
from superpose.kinds._raw_labels import first_steps
from superpose.kinds._several import (
    SeveralNumbers,
    clipped_mean,
    number_block,
    number_lists,
    observed_mean,
)
from superpose.kinds._target import too_few_labels
from superpose.kinds.tabular._number import label_scale, quantile_edges

from ._plot_times import forecast_facts


class ForecastOptions(Options):
    """Options of a forecast.

    Args:
        season: steps of a period, such as 24 for hours; where windows hold a whole one, forecasts
            start from the value of a period before too, and the report compares with it.
    """

    season: int | None = Field(default=None, ge=2, le=100_000)


@dataclass(kw_only=True)
class ForecastTarget(SeveralNumbers):
    """The values of a number some steps ahead, as a list for each row.

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
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True,
        scale="interval",
        raw_labels=first_steps,
        tree_task="steps",
        looks_ahead=True,
    )
    edges: list[float]  # bins of the mean of measured values
    ahead: list[int]  # how many steps ahead each value lies
    past: str | None = None  # the input whose last steps are what came before
    channel: int = 0  # its position there
    season: int | None = None
    place: int | None = (
        None  # position of that channel in the block of its series; None where not read
    )
    gain: float = 1.0  # what turns its numbers there into ours
    offset: float = 0.0
    window: int = 0  # steps of that block

    @property
    def distribution(self) -> NormalVector:
        return NormalVector(len(self.ahead))

    @property
    def observed(self) -> ObservedColumns:
        return observed_mean(self.edges)

    def strata(self, y: np.ndarray) -> np.ndarray:
        return clipped_mean(y)[:, 0]

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        block = number_block(column, values)
        rows = int((~np.isnan(block)).any(axis=1).sum())
        if rows < 2:
            raise too_few_labels(column, rows)
        mean, scale, constant = label_scale(block[~np.isnan(block)])
        kind = cls(
            column=column,
            ahead=list(options.get("ahead") or range(1, block.shape[1] + 1)),
            edges=[],
            past=options.get("past"),
            channel=options.get("channel", 0),
            season=options.get("season"),
            mean=mean,
            scale=scale,
            constant_value=constant,
        )
        kind._find_past(options)
        average = clipped_mean(standardised(block, mean, scale).astype(np.float32))[:, 0]
        kind.edges = quantile_edges(average[~np.isnan(average)])
        return kind

    def before(self, length: int) -> list[int]:
        """Where in a window of so many steps the value a period before each step ahead stands.

        Counted from the end, -1 the last; empty where the window has no whole period.
        """
        if self.season is None or self.season > length:
            return []
        return [(ahead - 1) % self.season - self.season for ahead in self.ahead]

    def _find_past(self, layout: dict[str, Any]) -> None:
        """Take from the layout of the series where our channel lies there, and in what units."""
        self.window = layout.get("length", 0)
        if self.channel in layout.get("kept", ()):
            self.place = layout["kept"].index(self.channel)
            self.gain = layout["scales"][self.place] / self.scale
            self.offset = (layout["means"][self.place] - self.mean) / self.scale
        if self.season is not None and (self.place is None or not self.before(self.window)):
            why = f"a window has {self.window} steps"
            if self.place is None:
                why = "it is no channel of windows that varies"
            self.notes.append(
                f"target {self.column!r}: season {self.season} given, but {why}; forecasts start "
                f"from no value a period before"
            )

    @property
    def anchor(self) -> Anchor | None:
        if self.past is None or self.place is None:
            return None
        before = tuple(self.before(self.window))
        return Anchor(self.past, self.place, self.gain, self.offset, before)

    def encode(self, values: Column) -> np.ndarray:
        block = number_block(self.column, values, len(self.ahead))
        return as_labels(self.column, block, mean=self.mean, scale=self.scale)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        there = self.past in beside.table.column_names
        past = beside.table.column(self.past) if there else None
        return forecast_facts(self, past, y=y, pred=pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        middle, _ = self.distribution.parameters(pred)
        columns = {self.column: middle}
        region = self.region(pred, quantile)
        if region is not None:
            columns[f"{self.column}_low"] = region[:, 0]
            columns[f"{self.column}_high"] = region[:, 1]
        return {name: number_lists(self.in_units(block)) for name, block in columns.items()}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        mean, scale = self.distribution.parameters(pred)
        return {
            self.column: number_lists(self.in_units(mean)),
            f"{self.column}_scale": number_lists(in_units(scale, 0.0, self.scale)),
        }

    def describe(self) -> str:
        steps = f"{len(self.ahead)} steps, up to {self.ahead[-1]} ahead"
        return f"{steps}; mean {self.mean:.4g}, std {self.scale:.4g}"
