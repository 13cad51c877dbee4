"""A class for each location of an image: semantic segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import (
    LOSSY,
    ROWS_AT_ONCE,
    VOID,
    Column,
    as_png,
    as_runs,
    as_text,
    choose_ids,
    class_ids,
    fits_image,
    holds_masks,
    is_runs,
    leave_unlabelled,
    mask_array,
    read_all,
    refuse,
    require_pillow,
    size_of,
    vote,
    warn,
    windows_paths,
)
from superpose.distributions import LocationCategorical
from superpose.errors import SHOWN_FAULTS, DataError, Faults, message, place
from superpose.kinds._beside import Beside, FileForm
from superpose.kinds._hints import TargetHints
from superpose.kinds._locations import Locations
from superpose.kinds._metrics import nan_mean
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Levels, Options
from superpose.kinds._raw_labels import any_label
from superpose.kinds._target import TargetKind, too_few_labels

from ._plot_pictures import mask_facts

MOST_CLASSES = 256
# A class that covers a hundredth of the places weighs ten times as much, and no class weighs more.
MOST_WEIGHT = 10.0
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
    the places of the image's map, and predicted at the size at which the image is read.

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
    shares: list[float]  # of the classes, among labelled places of training rows
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
        return Locations(self.of, self.places, grid, fits=self._fits)

    @property
    def constant_reason(self) -> str | None:
        seen = [level for level, s in zip(self.levels, self.shares, strict=True) if s]
        return f"every labelled place is {seen[0]!r}" if len(seen) == 1 else None

    @cached_property
    def weights(self) -> np.ndarray:
        """How much a place of each class weighs (C,): rarer classes more, 1 on the mean.

        With weights 1 to 10 that fall with the root of a class's share, rare classes are learned
        and frequent ones are not forgotten; the head takes the weights out of predictions again.
        """
        shares = np.asarray(self.shares)
        weights = np.minimum(1 / np.sqrt(np.maximum(shares, 1e-9)), MOST_WEIGHT)
        return np.asarray(weights / (weights * shares).sum())

    @classmethod
    def accepts(cls, values: Column) -> bool:
        return holds_masks(values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_pillow(column)
        skips, folder = bool(options.get("skips")), options.get("folder", "")
        found, _ = _read(column, values, folder, skips)
        if len(found) < 2:
            raise too_few_labels(column, len(found))
        names = options.get("levels")
        read = choose_ids(column, found.values(), levels=names, void=options.get("void"))
        ids = read.ids
        if not ids or len(ids) > MOST_CLASSES:
            what = f"{len(ids)} different ids in its files"
            fix = "check that the files hold class ids, not colours or heights"
            raise DataError(f"target {column!r}: {what}; allowed: 1 to {MOST_CLASSES}; {fix}")
        paths = _paths(values)
        if lossy := [path for path in paths if path and LOSSY.search(path)]:
            given = f"{len(lossy)} masks are JPEG, which changes ids, first {lossy[0]}"
            read.notes.append(message(f"target {column!r}", given, fix="save them as PNG"))
        first = next(iter(found.values()))
        kind = cls(
            column=column,
            of=options.get("of", "image"),
            places=0,
            levels=[str(name) for name in names or ids],
            ids=ids,
            void=read.void,
            notes=read.notes,
            conversions=[*windows_paths(column, paths, folder), *read.conversions],
            shares=[1 / len(ids)] * len(ids),
            grid=list(options.get("grid") or first.shape),
            pixels=list(options.get("size") or first.shape),
            declared=names is not None,
            skips=skips,
        )
        kind.places = kind.grid[0] * kind.grid[1]
        y = kind._on_grid(found, len(values), paths)
        counts = np.bincount(y[~np.isnan(y)].astype(int), minlength=len(ids))
        kind.shares = (counts / max(counts.sum(), 1)).tolist()
        vars(kind).pop("weights", None)  # they were read before the shares were known
        return kind

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        found, wrong = _read(self.column, values, folder, self.skips)
        leave_unlabelled(self.column, "mask", total=len(values), wrong=wrong)
        return self._on_grid(found, len(values), _paths(values))

    def _on_grid(
        self, found: dict[int, np.ndarray], rows: int, paths: Sequence[str | None]
    ) -> np.ndarray:
        block = self.distribution.missing(rows)
        strangers = dict[int, str]()
        rank = self.weights / (1 + self.weights.max())
        for row, ids in found.items():
            classes, unknown = self._classes(ids)
            if len(unknown):
                strangers[row] = ", ".join(map(str, unknown[:5]))
            told = vote(classes, (self.grid[0], self.grid[1]), rank).ravel()
            block[row] = np.where(told < 0, np.nan, told)
        if strangers:
            files = {row: f"mask {paths[row]}" if paths[row] else "mask" for row in strangers}
            self._report(strangers, files)
        return block

    def _report(self, strangers: dict[int, str], files: dict[int, str]) -> None:
        """Refuse ids that are no class where the classes are named, and warn of them elsewhere."""
        if not self.declared:
            row = min(strangers)
            warn(
                f"target {self.column!r}, row {row}: id {strangers[row]} of its {files[row]} "
                f"did not occur in training; such places count as unlabelled in "
                f"{len(strangers)} mask(s)"
            )
            return
        faults = Faults(DataError)
        for row, names in sorted(strangers.items())[:SHOWN_FAULTS]:
            faults.add(
                place(column=self.column, row=row),
                f"its {files[row]} has the id {names}",
                f"0 to {self.ids[-1]}, and {', '.join(map(str, self.void))} for no class",
                fix="name the class under levels, or the id under void",
            )
        untold = len(strangers) - SHOWN_FAULTS
        faults.add_rest(place(column=self.column), untold, "so in {} more rows")
        faults.raise_any()

    def _classes(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices of classes (H, W), -1 without one, and the ids that are neither."""
        there, back = np.unique(ids, return_inverse=True)
        index = {i: n for n, i in enumerate(self.ids)}
        known = np.array([index.get(int(i), VOID) for i in there])
        gone = [i for i, k in zip(there, known, strict=True) if k < 0 and i not in self.void]
        return known[back].reshape(ids.shape), np.array([i for i in gone if i != VOID])

    def _fits(self, values: Column, source: Column, **options: Any) -> np.ndarray:
        folder = options.get("folder", "")
        masks, _ = read_all(_paths(values), folder, lambda p: np.array(size_of(p)))
        return fits_image(
            self.column, "mask", sizes=masks, source=source, folder=folder, skips=self.skips
        )

    @property
    def observed(self) -> ObservedColumns:
        """The share of the labelled places that each class has."""
        return ObservedColumns([SHARE_EDGES] * len(self.levels), self._shares_of)

    def _shares_of(self, y: np.ndarray) -> np.ndarray:
        count = np.maximum((~np.isnan(y)).sum(axis=1), 1)
        shares = np.stack([(y == c).sum(axis=1) / count for c in range(len(self.levels))], axis=1)
        shares[~self.distribution.known(y)] = np.nan
        return shares.astype(np.float32)

    def strata(self, y: np.ndarray) -> np.ndarray:
        shares = self._shares_of(y)
        return np.where(np.isnan(shares), np.nan, shares > 0)

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """The class of each place, int (N, S), -1 without one.

        A class is chosen for its probability times its weight, so that thin and rare things, which
        are hardly ever the likeliest, get their due: that raises the mean IoU over classes.
        """
        p = self.distribution.by_location(pred)
        told = np.nan_to_num(p * self.weights.astype(p.dtype)).argmax(axis=-1)
        return np.asarray(np.where(np.isnan(p[..., 0]), VOID, told))

    def masks(self, pred: np.ndarray) -> np.ndarray:
        """Class ids as in the files, int32 (N, H, W) of the image's pixels, -1 without one."""
        from superpose.functional import enlarge  # needs torch, as nothing else here does

        size, grid = (self.pixels[0], self.pixels[1]), (self.grid[0], self.grid[1])
        out = np.empty((len(pred), *size), np.int32)
        table = np.array([*self.ids, VOID], np.int32)
        for first in range(0, len(pred), ROWS_AT_ONCE):
            p = self.distribution.by_location(pred[first : first + ROWS_AT_ONCE])
            gone = np.isnan(p[..., :1]).astype(np.float32)
            told = (enlarge(p, grid, size) * self.weights).argmax(axis=-1)
            void = enlarge(gone, grid, size)[..., 0] > 0.5
            out[first : first + len(p)] = table[np.where(void, -1, told)]
        return out

    def overlap(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Places by true and told class, (C, C), over those with a label."""
        known = ~np.isnan(y)
        c = len(self.levels)
        pairs = y[known].astype(int) * (c + 1) + self.choose(pred)[known] % (c + 1)
        return np.bincount(pairs, minlength=c * (c + 1)).reshape(c, c + 1)[:, :c]

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        counts = self.overlap(y, pred).astype(float)
        right, true, told = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        union = true + told - right
        iou = np.where(union > 0, right / np.maximum(union, 1), np.nan)
        seen = true > 0
        places = (~np.isnan(y)).sum(axis=1)
        distribution = self.distribution
        return {
            "miou": nan_mean(iou[seen]),
            "pixel_accuracy": float(right.sum() / true.sum()) if true.sum() else np.nan,
            "class_accuracy": nan_mean(right[seen] / true[seen]),
            "log_loss": nan_mean(-distribution.log_prob(y, pred) / np.maximum(places, 1)),
            "brier": nan_mean(distribution.row_loss(y, pred)),
            **{f"iou_{name}": float(x) for name, x in zip(self.levels, iou, strict=True)},
        }

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return mask_facts(self, beside.pixels, y, pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
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
        return {self.column: FileForm(".png", self._png)}

    def _png(self, text: str) -> bytes:
        ids = mask_array(text)
        ids = np.where(ids == VOID, self.void[0] if self.void else 0, ids)
        return as_png(ids)

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
        return (
            f"one of {len(self.levels)} classes for each of {high} x {wide} places of {self.of!r}"
        )


def _paths(values: Column) -> list[str | None]:
    """The paths among masks that may also be written out as runs."""
    return [None if text is None or is_runs(text) else text for text in as_text(values).to_pylist()]


def _read(
    column: str, values: Column, folder: str, skips: bool
) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Class ids by row, from files or runs, and the reasons where they can't be read.

    Raises:
        DataError: masks that can't be read, with their rows, unless they are skipped.
    """
    texts = as_text(values).to_pylist()

    def read(path: Path, runs: dict[str, str]) -> np.ndarray:
        return mask_array(runs[str(path)]) if str(path) in runs else class_ids(path)

    runs = {str(Path(folder, text)): text for text in texts if text and is_runs(text)}
    found, wrong = read_all(texts, folder, partial(read, runs=runs))
    if wrong and not skips:
        fix = "mend the path or the file, or leave the cell empty if there is no mask"
        refuse(column, "mask", paths=texts, folder=folder, wrong=wrong, fix=fix)
    return found, wrong
