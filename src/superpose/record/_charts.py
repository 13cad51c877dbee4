"""What the report draws of one target on the test rows: one class for each sort of chart.

A kind of target says which sort is its own (``chart``); `superpose.report` has a drawing for each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ._values import Array, Real, Record, require_shapes


@dataclass(frozen=True, eq=False)
class ValuesChart(Record):
    """Numbers in the user's units.

    Args:
        true: What is true, NaN where missing.
        pred: What is predicted.
        low, high: Ends of the predicted interval, None where the kind has none.

    Shape:
        true, pred, low, high: (N,).
    """

    true: Array
    pred: Array
    low: Array | None = None
    high: Array | None = None
    chart: Literal["values"] = "values"

    def __post_init__(self) -> None:
        arrays = {name: (getattr(self, name), "N") for name in ("true", "pred", "low", "high")}
        require_shapes({"N": len(self.true)}, arrays)


@dataclass(frozen=True, eq=False)
class ClassesChart(Record):
    """One of several classes in each row.

    Args:
        labels: Names of the classes.
        true: Number of the true class, NaN where missing.
        pred: Predicted probabilities.

    Shape:
        true: (N,); pred: (N, K).
    """

    labels: list[str]
    true: Array
    pred: Array
    chart: Literal["classes"] = "classes"

    def __post_init__(self) -> None:
        sizes = {"N": len(self.true), "K": len(self.labels)}
        require_shapes(sizes, {"true": (self.true, "N"), "pred": (self.pred, "NK")})


@dataclass(frozen=True, eq=False)
class LabelSetsChart(Record):
    """A set of labels in each row.

    Args:
        labels: Names of the labels.
        true: 1 where a label is in the set, 0 where not, NaN where missing.
        pred: Predicted probabilities.

    Shape:
        true, pred: (N, K).
    """

    labels: list[str]
    true: Array
    pred: Array
    chart: Literal["label sets"] = "label sets"

    def __post_init__(self) -> None:
        sizes = {"N": len(self.true), "K": len(self.labels)}
        require_shapes(sizes, {"true": (self.true, "NK"), "pred": (self.pred, "NK")})


@dataclass(frozen=True, eq=False)
class SurvivalGroup(Record):
    """Rows of similar risk.

    Args:
        n_rows: Their number.
        pred: Predicted share that is alive at each time.
        observed: The same as Kaplan and Meier estimate it.

    Shape:
        pred, observed: (K,).
    """

    n_rows: int
    pred: Array
    observed: Array


@dataclass(frozen=True, eq=False)
class SurvivalChart(Record):
    """Who lives how long.

    Args:
        times: Times in the user's unit, from 0 on.
        groups: Quarters of the rows, the lowest risk first.

    Shape:
        times: (K,).
    """

    times: Array
    groups: list[SurvivalGroup]
    chart: Literal["survival"] = "survival"

    def __post_init__(self) -> None:
        size = {"K": len(self.times)}
        for group in self.groups:
            require_shapes(size, {"pred": (group.pred, "K"), "observed": (group.observed, "K")})


@dataclass(frozen=True, eq=False)
class ForecastChart(Record):
    """How errors grow with the steps ahead.

    Args:
        steps: Steps ahead.
        errors: Mean absolute error of each step, of what is deployed and of repeating what came
            before, in the user's units.

    Shape:
        steps and each of the errors: (H,).
    """

    steps: Array
    errors: dict[str, Array]
    chart: Literal["forecast"] = "forecast"

    def __post_init__(self) -> None:
        arrays = {name: (values, "H") for name, values in self.errors.items()}
        require_shapes({"H": len(self.steps)}, arrays)


@dataclass(frozen=True)
class ExampleRecord(Record):
    """One row with its predictions.

    Args:
        row: The first inputs as short texts, by column.
        true: What is right.
        pred: What is predicted, the best first.
        shares: The probability of each, NaN where there is none.
    """

    row: dict[str, str]
    true: str
    pred: list[str]
    shares: list[Real]


@dataclass(frozen=True, eq=False)
class RanksChart(Record):
    """How far down the list the right item stands.

    Args:
        ranks: Its position in each row, from 1 on.
        n_items: Length of the list.
        examples: A few rows, from the best to the worst.

    Shape:
        ranks: (N,).
    """

    ranks: Array
    n_items: int
    examples: list[ExampleRecord] = field(default_factory=list)
    chart: Literal["ranks"] = "ranks"


@dataclass(frozen=True)
class ExamplesChart(Record):
    """Rows with their predictions, where there is nothing to draw.

    Args:
        examples: A few rows, from the best to the worst.
    """

    examples: list[ExampleRecord] = field(default_factory=list)
    chart: Literal["examples"] = "examples"


@dataclass(frozen=True)
class WordRecord(Record):
    """One word of a sentence, and its label; None where it has none."""

    word: str
    true: str | None
    pred: str | None


@dataclass(frozen=True, eq=False)
class WordsChart(Record):
    """Labels of words.

    Args:
        labels: Types of the labels.
        spans: Whether whole spans are counted, and not words.
        counts: Of each type how many are right, predicted and true.
        sentences: Some with their labels, about half of them with a mistake.
        n_rows: Labelled rows.
        n_wrong_rows: Those of them with a mistake.

    Shape:
        counts: (K, 3).
    """

    labels: list[str]
    spans: bool
    counts: Array
    sentences: list[list[WordRecord]]
    n_rows: int
    n_wrong_rows: int
    chart: Literal["words"] = "words"

    def __post_init__(self) -> None:
        require_shapes({"K": len(self.labels), "3": 3}, {"counts": (self.counts, "K3")})


@dataclass(frozen=True, eq=False)
class MasksChart(Record):
    """Classes of the positions of an image.

    Args:
        labels: Names of the classes.
        counts: How many positions of a true class (row) are predicted as each class (column).
        pixels: Some images, uint8.
        true, pred: Their masks: numbers of classes, -1 without one.

    Shape:
        counts: (K, K); pixels: (P, H, W, 3); true, pred: (P, H, W).
    """

    labels: list[str]
    counts: Array
    pixels: Array
    true: Array
    pred: Array
    chart: Literal["masks"] = "masks"

    def __post_init__(self) -> None:
        size = {"K": len(self.labels)}
        require_shapes(size, {"counts": (self.counts, "KK"), **_drawn(self)})


@dataclass(frozen=True, eq=False)
class MapsChart(Record):
    """Numbers of the positions of an image, in the user's units.

    Args:
        values: What is true of a position and what is predicted there.
        pixels: Some images, uint8.
        true, pred: Their maps, NaN without a number.

    Shape:
        values: (N, 2); pixels: (P, H, W, 3); true, pred: (P, H, W).
    """

    values: Array
    pixels: Array
    true: Array
    pred: Array
    chart: Literal["maps"] = "maps"

    def __post_init__(self) -> None:
        require_shapes({"2": 2}, {"values": (self.values, "N2"), **_drawn(self)})


def _drawn(chart: MasksChart | MapsChart) -> dict[str, tuple[np.ndarray, str]]:
    sizes = zip(("pixels", "true", "pred"), ("PHWC", "PHW", "PHW"), strict=True)
    return {name: (getattr(chart, name), letters) for name, letters in sizes}


@dataclass(frozen=True, eq=False)
class CurveOfClass(Record):
    """Precision by recall of the objects of a class, from the surest on.

    Shape:
        recall, precision: (N,).
    """

    recall: Array
    precision: Array


@dataclass(frozen=True)
class ObjectsRecord(Record):
    """The objects of one image.

    Args:
        true: For each the number of its class, and left, top, right and bottom as shares of the
            sides.
        pred: The same, with the score behind.
    """

    true: list[list[Real]]
    pred: list[list[Real]]


@dataclass(frozen=True, eq=False)
class ObjectClass(Record):
    """How well the objects of one class are detected.

    Args:
        label: Its name.
        n_true, n_pred, n_hits: Objects that are there, that are predicted, and that are both.
        ap50: Average precision at an IoU of 0.5.
        curve: Precision by recall.
    """

    label: str
    n_true: int
    n_pred: int
    n_hits: int
    ap50: Real
    curve: CurveOfClass


@dataclass(frozen=True, eq=False)
class ObjectsChart(Record):
    """Objects of an image.

    Args:
        classes: One for each class.
        pixels: Some images, uint8.
        objects: Their objects.

    Shape:
        pixels: (P, H, W, 3).
    """

    classes: list[ObjectClass]
    pixels: Array
    objects: list[ObjectsRecord]
    chart: Literal["objects"] = "objects"

    def __post_init__(self) -> None:
        require_shapes({"P": len(self.objects)}, {"pixels": (self.pixels, "PHWC")})


ChartRecord = Annotated[
    ValuesChart
    | ClassesChart
    | LabelSetsChart
    | SurvivalChart
    | ForecastChart
    | RanksChart
    | ExamplesChart
    | WordsChart
    | MasksChart
    | MapsChart
    | ObjectsChart,
    Field(discriminator="chart"),
]


def chart_arrays(chart: Any) -> dict[str, np.ndarray]:
    """Returns the arrays of a chart by name; what stands inside lists is not among them."""
    return {name: value for name, value in vars(chart).items() if isinstance(value, np.ndarray)}
