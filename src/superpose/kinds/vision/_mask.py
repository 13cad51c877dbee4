"""A class for each location of an image: semantic segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import (
    ROWS_AT_ONCE,
    VOID,
    Column,
    as_runs,
    choose_ids,
    fits_image,
    holds_masks,
    leave_unlabelled,
    read_all,
    require_pillow,
    size_of,
    vote,
    windows_paths,
)
from superpose.distributions import LocationCategorical
from superpose.errors import DataError
from superpose.kinds._beside import Beside, FileForm
from superpose.kinds._hints import TargetHints
from superpose.kinds._locations import Locations
from superpose.kinds._metrics import nan_mean
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Levels, Options
from superpose.kinds._raw_labels import any_label
from superpose.kinds._target import TargetKind, too_few_labels

from ._mask_classes import class_shares, class_weights, confusion
from ._mask_files import MaskIds, lossy_notes, mask_paths, read_masks, warn_of_ids
from ._plot_pictures import mask_facts

MOST_CLASSES = 256
SHARE_EDGES = [0.0, 0.01, 0.03, 0.1, 0.3, 1.0]  # bins in which others read a measured area

Id = Annotated[int, Field(ge=-(2**31), lt=2**31)]  # what a pixel can hold


class MaskOptions(Options):
    """Options of a mask.

    Args:
        of: the image whose pixels get a class each; may be left out where it is the only image.
        levels: names of the classes, of id 0 first; without, the ids that occur are the names.
        void: the ids without a class; without, 255 where masks hold more than 0 and 255.
    """

    of: str | None = Field(default=None, min_length=1)
    levels: Levels | None = Field(default=None, min_length=2, max_length=MOST_CLASSES)
    void: Id | list[Id] | None = None


@dataclass(kw_only=True)
class MaskTarget(TargetKind):
    """A class for each location of an image, from a file with the id of the class of each pixel.

    A row without a mask is null; pixels of a void id have no class. Masks are learned and scored on
    the locations of the image's map, and predicted at the size at which the image is read.

    ``grid`` and ``size`` in the options are those of the image; without, those of the first mask.

    Example:
        >>> values = pa.chunked_array([["1x2 0*1 3*1", "1x2 3*2", None]])
        >>> kind = MaskTarget.fit("ground", values)
        >>> kind.labels, kind.encode(values).tolist()
        (['0', '3'], [[0.0, 1.0], [1.0, 1.0], [nan, nan]])
    """

    name: ClassVar[str] = "mask"
    options: ClassVar[type[Options]] = MaskOptions
    metric: ClassVar[str] = "miou"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        reads_files=True,
        raw_labels=any_label,
        labels_of="image",
        mixes_labels=True,
        skip_cross_fitting=True,
        guess_from="image files",
        guess_reason="names of image files beside those of another column",
    )
    of: str
    levels: list[str]
    places: int  # locations of a row
    ids: list[int]  # of the classes, in the files
    void: list[int]
    shares: list[float]  # of the classes, among labelled locations of training rows
    grid: list[int]
    pixels: list[int]  # height and width of predicted masks
    declared: bool = False  # whether the levels were named, so that any other id is a mistake
    skips: bool = False

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def distribution(self) -> LocationCategorical:
        weights = tuple(self.weights.tolist())
        return LocationCategorical(self.places, len(self.levels), weights)

    @property
    def locations(self) -> Locations:
        grid = (self.grid[0], self.grid[1])
        fits = partial(_masks_fit, self.column, skips=self.skips)
        return Locations(self.of, self.places, grid, fits=fits)

    @property
    def constant_reason(self) -> str | None:
        seen = [level for level, s in zip(self.levels, self.shares, strict=True) if s]
        return f"every labelled location is {seen[0]!r}" if len(seen) == 1 else None

    @cached_property
    def weights(self) -> np.ndarray:
        """How much a location of each class weighs (C,), see `class_weights`."""
        return class_weights(self.shares)

    @property
    def _ids(self) -> MaskIds:
        return MaskIds(self.ids, self.void)

    @classmethod
    def accepts(cls, values: Column) -> bool:
        return holds_masks(values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_pillow(column)
        skips = bool(options.get("skips"))
        folder = options.get("folder", "")
        masks, _ = read_masks(column, values, folder, skips=skips)
        if len(masks) < 2:
            raise too_few_labels(column, len(masks))
        names = options.get("levels")
        read = choose_ids(column, masks.values(), levels=names, void=options.get("void"))
        ids = read.ids
        if not ids or len(ids) > MOST_CLASSES:
            what = f"{len(ids)} different ids in its files"
            fix = "check that the files hold class ids, not colours or heights"
            raise DataError(f"target {column!r}: {what}; allowed: 1 to {MOST_CLASSES}; {fix}")
        paths = mask_paths(values)
        first = next(iter(masks.values()))
        kind = cls(
            column=column,
            of=options.get("of", "image"),
            places=0,
            levels=[str(name) for name in names or ids],
            ids=ids,
            void=read.void,
            notes=[*read.notes, *lossy_notes(column, paths)],
            conversions=[*windows_paths(column, paths, folder), *read.conversions],
            shares=[1 / len(ids)] * len(ids),
            grid=list(options.get("grid") or first.shape),
            pixels=list(options.get("size") or first.shape),
            declared=names is not None,
            skips=skips,
        )
        kind.places = kind.grid[0] * kind.grid[1]
        y = kind._on_grid(masks, paths)
        counts = np.bincount(y[~np.isnan(y)].astype(int), minlength=len(ids))
        kind.shares = (counts / max(counts.sum(), 1)).tolist()
        vars(kind).pop("weights", None)  # they were read before the shares were known
        return kind

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        masks, wrong = read_masks(self.column, values, folder, skips=self.skips)
        leave_unlabelled(self.column, "mask", total=len(values), wrong=wrong)
        return self._on_grid(masks, mask_paths(values))

    def _on_grid(self, masks: dict[int, np.ndarray], paths: Sequence[str | None]) -> np.ndarray:
        block = self.distribution.missing(len(paths))
        strange = dict[int, str]()
        rank = self.weights / (1 + self.weights.max())
        for row, ids in masks.items():
            classes, unknown = self._ids.indices(ids)
            if len(unknown):
                strange[row] = ", ".join(map(str, unknown[:5]))
            chosen = vote(classes, (self.grid[0], self.grid[1]), rank).ravel()
            block[row] = np.where(chosen < 0, np.nan, chosen)
        if strange:
            files = {row: f"mask {paths[row]}" if paths[row] else "mask" for row in strange}
            if self.declared:
                self._ids.refuse(self.column, strange, files)
            warn_of_ids(self.column, strange, files)
        return block

    @property
    def observed(self) -> ObservedColumns:
        """The share of the labelled locations that each class has."""
        n_classes = len(self.levels)
        return ObservedColumns([SHARE_EDGES] * n_classes, lambda y: class_shares(y, n_classes))

    def strata(self, y: np.ndarray) -> np.ndarray:
        shares = class_shares(y, len(self.levels))
        return np.where(np.isnan(shares), np.nan, shares > 0)

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """The class of each location, int (N, S), -1 without one.

        A class is chosen for its probability times its weight, so that thin and rare things, which
        are hardly ever the likeliest, get their due: that raises the mean IoU over classes.
        """
        p = self.distribution.by_location(pred)
        likeliest = np.nan_to_num(p * self.weights.astype(p.dtype)).argmax(axis=-1)
        return np.asarray(np.where(np.isnan(p[..., 0]), VOID, likeliest))

    def masks(self, pred: np.ndarray) -> np.ndarray:
        """Class ids as in the files, int32 (N, H, W) of the image's pixels, -1 without one."""
        from superpose.functional import enlarge  # needs torch, as nothing else here does

        size, grid = (self.pixels[0], self.pixels[1]), (self.grid[0], self.grid[1])
        out = np.empty((len(pred), *size), np.int32)
        table = np.array([*self.ids, VOID], np.int32)
        for first in range(0, len(pred), ROWS_AT_ONCE):
            p = self.distribution.by_location(pred[first : first + ROWS_AT_ONCE])
            gone = np.isnan(p[..., :1]).astype(np.float32)
            likeliest = (enlarge(p, grid, size) * self.weights).argmax(axis=-1)
            void = enlarge(gone, grid, size)[..., 0] > 0.5
            out[first : first + len(p)] = table[np.where(void, -1, likeliest)]
        return out

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        counts = confusion(y, self.choose(pred), len(self.levels)).astype(float)
        right = np.diag(counts)
        true = counts.sum(axis=1)
        union = true + counts.sum(axis=0) - right
        iou = np.where(union > 0, right / np.maximum(union, 1), np.nan)
        seen = true > 0
        labelled = (~np.isnan(y)).sum(axis=1)
        distribution = self.distribution
        return {
            "miou": nan_mean(iou[seen]),
            "pixel_accuracy": float(right.sum() / true.sum()) if true.sum() else np.nan,
            "class_accuracy": nan_mean(right[seen] / true[seen]),
            "log_loss": nan_mean(-distribution.log_prob(y, pred) / np.maximum(labelled, 1)),
            "brier": nan_mean(distribution.row_loss(y, pred)),
            **{f"iou_{name}": float(x) for name, x in zip(self.levels, iou, strict=True)},
        }

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return mask_facts(self, beside.pixels, y=y, pred=pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        gone = np.isnan(self.distribution.by_location(pred)[..., 0]).all(axis=1)
        texts = [
            None if empty else as_runs(ids)
            for empty, ids in zip(gone, self.masks(pred), strict=True)
        ]
        return {self.column: pa.array(texts, pa.string())}

    @property
    def files(self) -> dict[str, FileForm]:
        # As labels are written: of sixteen bits where eight do not hold the ids.
        return {self.column: FileForm(".png", self._ids.png)}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The expected share of the image that each class has."""
        p = self.distribution.by_location(pred)
        there = ~np.isnan(p[..., 0])
        sums = np.where(there[..., None], p, 0.0).sum(axis=1, dtype=np.float64)
        shares = sums / np.maximum(there.sum(axis=1), 1)[:, None]
        shares[~there.any(axis=1)] = np.nan
        return {
            f"{self.column}={name}": pa.array(shares[:, c], from_pandas=True)
            for c, name in enumerate(self.levels)
        }

    def describe(self) -> str:
        high, wide = self.grid
        classes = f"one of {len(self.levels)} classes"
        return f"{classes} for each of {high} x {wide} locations of {self.of!r}"


def _masks_fit(
    column: str, values: Column, images: Column, *, skips: bool, **options: Any
) -> np.ndarray:
    folder = options.get("folder", "")
    sizes, _ = read_all(mask_paths(values), folder, lambda path: np.array(size_of(path)))
    return fits_image(column, "mask", sizes=sizes, images=images, folder=folder, skips=skips)
