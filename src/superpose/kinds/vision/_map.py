"""A number for each location of an image: depth, height, density, heat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import (
    ROWS_AT_ONCE,
    Column,
    as_lists,
    as_npy,
    averaged,
    fits_image,
    holds_maps,
    leave_unlabelled,
    read_maps,
    refuse,
    require_pillow,
    size_of_map,
)
from superpose.distributions import NormalVector
from superpose.kinds._beside import Beside, FileForm
from superpose.kinds._hints import TargetHints
from superpose.kinds._locations import Locations
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Options
from superpose.kinds._raw_labels import any_label
from superpose.kinds._several import SeveralNumbers, clipped_mean, observed_mean
from superpose.kinds._target import too_few_labels
from superpose.kinds.tabular._number import label_scale, quantile_edges

from ._plot_pictures import map_facts

NEAR = 1.25  # the usual factor within which a depth counts as met

FIX = "mend the path or the file, or leave the cell empty if there is no map"


class MapOptions(Options):
    """Options of a map of numbers.

    Args:
        of: the image whose pixels get a number each; may be left out where it is the only image.
        ignore: the number that stands for none, such as 0 in many files of depth; NaN always does.
    """

    of: str | None = Field(default=None, min_length=1)
    ignore: float | None = None


@dataclass(kw_only=True)
class MapTarget(SeveralNumbers):
    """A number for each location of an image, from a file with a number for each pixel.

    Files are images in grey of 8, 16 or 32 bits, or ``.npy`` of two axes; frames may hold lists of
    lists. A row without a map is null; a pixel without a number is NaN, or as ``ignore`` says. Maps
    are learned and scored on the locations of the image's map (the mean of the pixels there), and
    predicted at the size at which the image is read.

    ``grid`` and ``size`` in the options are those of the image; without, those of the first map.

    Example:
        >>> values = pa.chunked_array([[[[1.0, 3.0]], [[5.0, None]], None]])
        >>> kind = MapTarget.fit("depth", values)
        >>> kind.encode(values).round(1).tolist()
        [[-1.2000000476837158, 0.0], [1.2000000476837158, nan], [nan, nan]]

    Source:
        Loss: squared error of the mean, see ``gaussian_loss``. Metrics: Eigen, Puhrsch and Fergus
        2014, section 4.3, over the locations of all rows together.
    """

    name: ClassVar[str] = "map"
    options: ClassVar[type[Options]] = MapOptions
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True,
        reads_files=True,
        raw_labels=any_label,
        labels_of="image",
        mixes_labels=True,
        skip_cross_fitting=True,
    )
    edges: list[float]  # bins of the mean of measured values
    of: str
    grid: list[int]
    pixels: list[int]  # height and width of predicted maps
    positive: (
        bool  # whether every number of training rows is above 0, so that ratios mean something
    )
    ignore: float | None = None
    skips: bool = False

    @property
    def count(self) -> int:
        """Locations of a row."""
        return self.grid[0] * self.grid[1]

    @property
    def distribution(self) -> NormalVector:
        return NormalVector(self.count, np.float32)

    @property
    def locations(self) -> Locations:
        grid = (self.grid[0], self.grid[1])
        return Locations(self.of, self.count, grid, fits=self._fits)

    @property
    def observed(self) -> ObservedColumns:
        return observed_mean(self.edges)

    def strata(self, y: np.ndarray) -> np.ndarray:
        return clipped_mean(y)[:, 0]

    @classmethod
    def accepts(cls, values: Column) -> bool:
        return holds_maps(values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_pillow(column)
        skips = bool(options.get("skips"))
        folder = options.get("folder", "")
        maps, wrong = read_maps(column, values, folder)
        if not skips:
            refuse(column, "map", paths=_names(values), folder=folder, wrong=wrong, fix=FIX)
        if len(maps) < 2:
            raise too_few_labels(column, len(maps))
        first = next(iter(maps.values()))
        kind = cls(
            column=column,
            of=options.get("of", "image"),
            mean=0.0,
            scale=1.0,
            edges=[],
            grid=list(options.get("grid") or first.shape),
            pixels=list(options.get("size") or first.shape),
            positive=False,
            ignore=options.get("ignore"),
            skips=skips,
        )
        y = kind._on_grid(maps, len(values))
        known = y[~np.isnan(y)]
        if not len(known):
            raise too_few_labels(column, 0)
        kind.mean, kind.scale, kind.constant_value = label_scale(known.astype(np.float64))
        kind.positive = bool(known.min() > 0)
        average = clipped_mean(kind._standard(y))[:, 0]
        kind.edges = quantile_edges(average[~np.isnan(average)])
        return kind

    def _standard(self, block: np.ndarray) -> np.ndarray:
        return np.asarray((block - self.mean) / self.scale, np.float32)

    def _on_grid(self, maps: dict[int, np.ndarray], rows: int) -> np.ndarray:
        block = np.full((rows, self.count), np.nan)
        for row, numbers in maps.items():
            if self.ignore is not None:
                numbers = np.where(numbers == np.float32(self.ignore), np.nan, numbers)
            block[row] = averaged(numbers, (self.grid[0], self.grid[1])).ravel()
        return block

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        maps, wrong = read_maps(self.column, values, folder)
        if not self.skips:
            refuse(self.column, "map", paths=_names(values), folder=folder, wrong=wrong, fix=FIX)
        leave_unlabelled(self.column, "map", total=len(values), wrong=wrong)
        return self._standard(self._on_grid(maps, len(values)))

    def _fits(self, values: Column, images: Column, **options: Any) -> np.ndarray:
        folder = options.get("folder", "")
        sizes, _ = read_maps(self.column, values, folder, read=size_of_map)
        sizes = {r: np.array(x.shape) if x.ndim == 2 else x for r, x in sizes.items()}
        return fits_image(
            self.column, "map", sizes=sizes, images=images, folder=folder, skips=self.skips
        )

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        metrics = super()._metrics(y, pred, **options)
        if not self.positive:
            return metrics
        known = ~np.isnan(y)
        true, mean = (self.in_units(z[known]) for z in (y, self.distribution.parameters(pred)[0]))
        positive = true > 0
        true = true[positive]
        mean = mean[positive]
        ratio = np.maximum(mean, 0) / true
        within = (ratio < NEAR) & (ratio > 1 / NEAR)
        return {
            **metrics,
            "abs_rel": float(np.mean(np.abs(mean - true) / true)) if len(true) else np.nan,
            "delta1": float(within.mean()) if len(true) else np.nan,
        }

    def maps(self, block: np.ndarray) -> np.ndarray:
        """Numbers of locations (N, S) as those of pixels, float32 (N, H, W), NaN without one."""
        from superpose.functional import enlarge  # needs torch, as nothing else here does

        size, grid = (self.pixels[0], self.pixels[1]), (self.grid[0], self.grid[1])
        out = np.empty((len(block), *size), np.float32)
        for first in range(0, len(block), ROWS_AT_ONCE):
            part = np.asarray(block[first : first + ROWS_AT_ONCE])[..., None]
            gone = np.isnan(part)
            seen = enlarge(~gone, grid, size)[..., 0]
            # Only locations with a number are mixed: the mean of what is there.
            sums = enlarge(np.where(gone, 0.0, part), grid, size)[..., 0]
            out[first : first + len(part)] = np.where(seen > 0.5, sums / seen.clip(1e-6), np.nan)
        return out

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        return {self.column: self._lists(self.in_units, pred[:, : self.count])}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The mean and the standard deviation of each pixel."""
        return {
            **self.decode(pred),
            f"{self.column}_scale": self._lists(
                lambda scale: scale * self.scale, pred[:, self.count :]
            ),
        }

    @property
    def files(self) -> dict[str, FileForm]:
        # As they are: an image in grey would round them, or need a scale beside it.
        form = FileForm(".npy", as_npy)
        return {self.column: form, f"{self.column}_scale": form}

    def _lists(self, units: Callable[[np.ndarray], np.ndarray], block: np.ndarray) -> pa.Array:
        return as_lists(self.maps(units(np.asarray(block))))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return map_facts(self, beside.pixels, y=y, pred=pred)

    def describe(self) -> str:
        high, wide = self.grid
        return (
            f"a number for each of {high} x {wide} locations of {self.of!r}; mean {self.mean:.4g}, "
            f"std {self.scale:.4g}"
        )


def _names(values: Column) -> list[str | None]:
    """What a message calls the map of each row."""
    text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    return values.to_pylist() if text else [""] * len(values)
