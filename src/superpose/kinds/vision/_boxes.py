"""Objects in an image, each with a class and a box: detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import (
    PREDICTED_BOXES,
    Column,
    are_shares,
    counted,
    frame_notes,
    is_list,
    read_objects,
    shares_of,
    sizes_of,
    warn,
)
from superpose.distributions import LEAST_SCORE, Detections, Peaks
from superpose.errors import SHOWN_FAULTS, DataError, Faults, listing, location
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._locations import Locations
from superpose.kinds._metrics import nan_mean
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Levels, Options
from superpose.kinds._raw_labels import any_label
from superpose.kinds._target import TargetKind, too_few_labels

from ._box_scores import box_average_precision, require_scorer
from ._plot_pictures import box_facts

MOST_CLASSES = 1000
COUNT_EDGES = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]  # bins in which others read a measured count
SHOWN = 0.3  # score from which an object is predicted
ROOM = 2  # times as many objects as the fullest training image may have


class BoxesOptions(Options):
    """Options of boxes.

    Args:
        of: the image that the boxes are in; may be left out where it is the only image.
        levels: names of the classes; without, those that occur.
    """

    of: str | None = Field(default=None, min_length=1)
    levels: Levels | None = Field(default=None, min_length=1, max_length=MOST_CLASSES)


@dataclass(kw_only=True)
class BoxesTarget(TargetKind):
    """Objects in an image: a list of classes and boxes in pixels of the image as it is shown.

    Where no box of the training rows leaves 0 to 1 they are shares of the sides. Objects marked
    ``iscrowd`` or ``difficult`` are left out.

    A row that was looked at and has no object is an empty list; a row that nobody looked at is
    null.

    ``images`` in the options is the column of the images; without it boxes are shares of sides.

    Example:
        >>> cell = [{"class": "red", "box": [0.0, 0.0, 0.5, 0.5]}]
        >>> kind = BoxesTarget.fit("cells", pa.chunked_array([[cell, [], None]]), grid=[4, 4])
        >>> kind.encode(pa.chunked_array([[cell, [], None]]))[:, :5].tolist()
        [[0.0, 0.0, 0.0, 0.5, 0.5], [-1.0, 0.0, 0.0, 0.0, 0.0], [nan, nan, nan, nan, nan]]
    """

    name: ClassVar[str] = "boxes"
    options: ClassVar[type[Options]] = BoxesOptions
    metric: ClassVar[str] = "map50"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True,
        reads_files=True,
        raw_labels=any_label,
        labels_of="image",
        reads_input=True,
        skip_cross_fitting=True,
        guess_from="values",
        guess_reason="lists of objects with a class and a box",
    )
    of: str
    levels: list[str]
    counts: list[int]  # objects of each class in training rows
    grid: list[int]
    most: int  # objects of a row
    typical: list[float]  # half the width and height of an object, as shares of the sides
    objects: float  # of a row, on the mean
    skips: bool = False
    shares: bool = False  # whether boxes are written as shares of the sides, not in pixels

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def distribution(self) -> Detections:
        return Detections(
            (self.grid[0], self.grid[1]),
            len(self.levels),
            self.most,
            typical=(self.typical[0], self.typical[1]),
            objects_per_row=self.objects,
        )

    @property
    def locations(self) -> Locations:
        distribution = self.distribution
        return Locations(
            self.of, distribution.n_locations, distribution.grid, in_units=self._in_pixels
        )

    @property
    def constant_reason(self) -> str | None:
        return None if sum(self.counts) else "no training row has an object"

    @classmethod
    def accepts(cls, values: Column) -> bool:
        kind = values.type
        if not is_list(kind) or not pa.types.is_struct(kind.value_type):
            return False
        return {"class", "box"} <= {field.name for field in kind.value_type}

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_scorer(column)
        skips = bool(options.get("skips"))
        beside = {key: options[key] for key in ("folder", "images") if key in options}
        read, ignored = read_objects(column, values)
        shares = "images" in beside and are_shares(read)
        labelled = shares_of(column, read, skips=skips, **beside, tell=False, shares=shares)
        if len(labelled) < 2:
            raise too_few_labels(column, len(labelled))
        names = [name for objects in labelled.values() for name, _ in objects]
        occur, times = counted(pa.array(names, pa.large_string()))
        levels = [str(level) for level in options.get("levels") or sorted(occur)]
        if not levels or len(levels) > MOST_CLASSES:
            what = f"{len(levels)} different classes of objects; allowed: 1 to {MOST_CLASSES}"
            raise DataError(f"target {column!r}: {what}; check what stands under class")
        seen = dict(zip(occur, map(int, times), strict=True))
        boxes = [box for objects in labelled.values() for _, box in objects]
        corners = np.array(boxes).reshape(-1, 4)
        sides = (corners[:, 2:] - corners[:, :2]).mean(axis=0) / 2 if boxes else [0.1, 0.1]
        notes, conversions = frame_notes(
            column,
            read,
            ignored=ignored,
            shares=shares,
            images=options.get("images"),
            folder=options.get("folder", ""),
        )
        return cls(
            column=column,
            notes=notes,
            conversions=conversions,
            shares=shares,
            of=options.get("of", "image"),
            levels=levels,
            counts=[seen.get(level, 0) for level in levels],
            grid=list(options.get("grid") or [16, 16]),
            most=max(8, ROOM * max(map(len, labelled.values()))),
            typical=[float(x) for x in sides],
            objects=max(len(boxes) / len(labelled), 1.0),
            skips=skips,
        )

    def encode(self, values: Column, folder: str = "", images: Column | None = None) -> np.ndarray:
        read, _ = read_objects(self.column, values)
        labelled = shares_of(
            self.column, read, skips=self.skips, folder=folder, images=images, shares=self.shares
        )
        index = {name: n for n, name in enumerate(self.levels)}
        block = self.distribution.missing(len(values))
        faults = Faults(DataError)
        n_lost = 0
        for row, objects in labelled.items():
            strangers = sorted({name for name, _ in objects} - index.keys())
            if strangers and len(faults.messages) < SHOWN_FAULTS:
                faults.add(
                    location(column=self.column, row=row),
                    f"class {strangers[0]!r}",
                    listing(self.levels),
                    fix="name it under levels, or mend it",
                )
            own = [[index[n], *box] for n, box in objects if n in index]
            n_lost += max(len(own) - self.most, 0)
            padded = np.zeros((self.most, 5), np.float32)
            padded[:, 0] = -1
            if own:
                padded[: len(own)] = own[: self.most]
            block[row] = padded.ravel()
        faults.raise_any()
        if n_lost:
            given = f"{n_lost} objects beyond {self.most} of a row are left out"
            warn(f"target {self.column!r}: {given}")
        return block

    def peaks(self, pred: np.ndarray, least: float = SHOWN) -> list[Peaks]:
        """The objects of each row that are predicted with at least this score."""
        return self.distribution.peaks(pred, least)

    @property
    def shown(self) -> float:
        """Score from which an object is predicted."""
        return SHOWN

    @property
    def observed(self) -> ObservedColumns:
        """The number of objects of each class."""
        return ObservedColumns([COUNT_EDGES] * len(self.levels), self._counts_of)

    def _counts_of(self, y: np.ndarray) -> np.ndarray:
        label = self.distribution.objects_of(y)[..., 0]
        counts = np.stack([(label == c).sum(axis=1) for c in range(len(self.levels))], axis=1)
        columns = counts.astype(np.float32)
        columns[~self.distribution.known(y)] = np.nan
        return columns

    def strata(self, y: np.ndarray) -> np.ndarray:
        return self._counts_of(y)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        objects = self.distribution.objects_of(y)
        every, half = box_average_precision(
            objects, self.peaks(pred, LEAST_SCORE), len(self.levels)
        )
        count_error = np.abs(self._counts_of(y) - self.count(pred))
        return {
            "map50": nan_mean(half),
            "map": nan_mean(every),
            "count_error": float(count_error.mean()) if len(y) else np.nan,
            **{f"ap50_{name}": float(x) for name, x in zip(self.levels, half, strict=True)},
        }

    def count(self, pred: np.ndarray) -> np.ndarray:
        """Predicted objects of each class, (N, C)."""
        counts = [np.bincount(own.label, minlength=len(self.levels)) for own in self.peaks(pred)]
        return np.asarray(counts, float).reshape(-1, len(self.levels))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return box_facts(self, beside.pixels, y=y, pred=pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """Lists of objects, boxes as shares of the sides; their locations turn them into pixels."""
        rows: list[Any] = []
        for gone, own in zip(np.isnan(pred).any(axis=1), self.peaks(pred), strict=True):
            parts = zip(own.label, own.box.clip(0, 1).tolist(), own.score.tolist(), strict=True)
            objects = [{"class": self.levels[c], "box": b, "score": s} for c, b, s in parts]
            rows.append(None if gone else objects)
        return {self.column: pa.array(rows, PREDICTED_BOXES)}

    def _in_pixels(self, decoded: pa.Array, images: Column, **options: Any) -> pa.Array:
        """Decoded boxes in pixels of the image of each row as it is shown, or as shares."""
        if self.shares:
            return decoded
        sizes, _ = sizes_of(images, options.get("folder", ""))
        rows = decoded.to_pylist()
        for row, objects in enumerate(rows):
            if objects and row in sizes:
                high, wide = sizes[row].tolist()
                for one in objects:
                    x1, y1, x2, y2 = one["box"]
                    one["box"] = [x1 * wide, y1 * high, x2 * wide, y2 * high]
        return pa.array(rows, PREDICTED_BOXES)

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The number of objects of each class to expect: the sum of the chances of all."""
        sums = np.zeros((len(pred), len(self.levels)))
        for row, own in enumerate(self.peaks(pred, LEAST_SCORE)):
            np.add.at(sums[row], own.label, own.score)
        sums[np.isnan(pred).any(axis=1)] = np.nan
        return {
            f"{self.column}={name}": pa.array(sums[:, c], from_pandas=True)
            for c, name in enumerate(self.levels)
        }

    def describe(self) -> str:
        kinds = f"{len(self.levels)} class{'es' * (len(self.levels) != 1)}"
        return f"boxes of objects of {kinds} in {self.of!r}, {self.objects:.1f} in an image"
