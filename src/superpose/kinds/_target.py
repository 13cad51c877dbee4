"""What a target must know of its column: one half of the extension point of the package.

A target is a codec and a distribution. The codec, a class of this folder, turns a column into
labels and predictions into the user's values again; the distribution says what a prediction means,
and so how it is scored, mixed and conditioned. Trees and networks know the distribution only.
A new kind is one class in one new file plus one line in the table of this folder. Instances are
fitted to one column; they hold plain values only, so they travel as JSON.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column
from superpose.errors import DataError

from ._anchor import Anchor
from ._beside import Beside, FileForm
from ._codec_base import CodecBase
from ._hints import TargetHints
from ._locations import Locations
from ._observed import ObservedColumns
from ._regions import Regions


@dataclass(kw_only=True)
class TargetKind(CodecBase, Regions):
    """One target column, fitted on training rows."""

    name: ClassVar[str]
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    hints: ClassVar[TargetHints] = TargetHints()

    @classmethod
    @abstractmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        """Learn classes or scale from training rows.

        Raises:
            DataError: fewer than two labels, or a value that does not belong to this kind.
        """

    @abstractmethod
    def encode(self, values: Column) -> np.ndarray:
        """Labels as float32 (N,) or (N, L), NaN where missing."""

    @abstractmethod
    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """Columns of a prediction in the user's units, by name.

        Args:
            pred: canonical predictions (N, K).
            threshold: above which probability yes is decided, one or one for each label.
            quantile: how far the interval or set of each row reaches (N,); None for none.
        """

    @abstractmethod
    def describe(self) -> str:
        """One short phrase for the report."""

    @abstractmethod
    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        """The metrics of this kind over rows that all have a label."""

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """Columns of the whole distribution, by name ("level=high")."""
        return self.decode(pred)

    @property
    def labels(self) -> list[str]:
        """Names of the classes, empty for numbers and counts."""
        return []

    @property
    def constant_reason(self) -> str | None:
        """Why nothing can be learned ("every training row is 3"), or None."""
        return None

    @property
    def interpretation(self) -> str:
        """What fitting has decided of the meaning of labels, such as which class is positive."""
        return ""

    @property
    def observed(self) -> ObservedColumns:
        """How a measured value is read where others are predicted."""
        return ObservedColumns.nothing()

    @property
    def locations(self) -> Locations | None:
        """The locations of an input that have a label each; None with one label for a row."""
        return None

    @property
    def has_linear_head(self) -> bool:
        """Whether networks predict it by a linear map of its state, once for a row."""
        return self.locations is None and not self.hints.custom_head

    @property
    def anchor(self) -> Anchor | None:
        """The numbers of a series that predictions start from; None where they start from none."""
        return None

    @property
    def tree_task(self) -> str | None:
        """The task in which boosted trees predict this column; None where they can't."""
        return self.hints.tree_task

    def tree_labels(self, y: np.ndarray) -> np.ndarray:
        """What boosted trees learn from labels: the labels themselves."""
        return y

    def strata(self, y: np.ndarray) -> np.ndarray:
        """What a split deals out evenly, (N,) or (N, L): the labels themselves."""
        return y

    @property
    def files(self) -> dict[str, FileForm]:
        """The columns of predictions that are too large for a cell of a file, by name."""
        return {}

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        """What the report draws of labels and their predictions: plain values and arrays by name.

        ``chart`` among them says which charts; `superpose.record` has a class for each. Without it
        nothing is drawn.
        """
        if not self.labels:
            return {}
        return {"chart": "classes", "labels": self.labels, "y": y, "prediction": pred}

    def metrics(
        self,
        y: np.ndarray,
        pred: np.ndarray,
        baseline: np.ndarray | None = None,
        **options: Any,
    ) -> dict[str, float]:
        """Everything users of this kind expect, over the rows that have a label.

        ``score`` is 1 - loss / loss of the baseline: 1 is perfect, 0 is no better than ignoring the
        inputs. A metric that the rows do not define (one class only, no label) is NaN.

        Args:
            y: encoded labels (N,) or (N, L).
            pred: canonical predictions (N, K).
            baseline: the prediction (K,) to compare with, as a rule that of the training rows;
                without it that of the rows given, which is a stricter rival.
            options: ``threshold`` for yes-or-no decisions; ``quantile`` (N,), how far intervals and
                sets reach, for their ``coverage`` and the mean size of sets, ``set_size``.
        """
        distribution = self.distribution
        y, pred = np.asarray(y, np.float64), np.asarray(pred, np.float64)
        rows = distribution.known(y)
        if options.get("quantile") is not None:
            options["quantile"] = np.broadcast_to(options["quantile"], rows.shape)[rows]
        y, pred = y[rows], pred[rows]
        if baseline is None:
            baseline = distribution.baseline(y)
        baselines = np.broadcast_to(np.asarray(baseline, np.float64), pred.shape)
        score = np.nan
        if len(y):
            reference = float(distribution.row_loss(y, baselines).mean())
            if reference > 0:
                score = 1 - float(distribution.row_loss(y, pred).mean()) / reference
        own = self._metrics(y, pred, **options)
        quantile, threshold = (options.get(name) for name in ("quantile", "threshold"))
        return {
            **own,
            **self.coverage(y, pred, quantile, threshold=threshold),
            "score": score,
        }


def too_few_labels(column: str, count: int) -> DataError:
    """The error for a target that has next to no label."""
    return DataError(
        f"target {column!r}: {count} labelled training row{'s' * (count != 1)}; at least 2 are "
        f"needed; take the target out, or give more rows or labels"
    )
