"""Images named by their paths."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from superpose.columns import (
    USUAL_RANGES,
    Column,
    as_text,
    heads_of,
    pass_over,
    picture,
    read_all,
    read_forms,
    refuse,
    require_pillow,
    warn_of_clipped,
)
from superpose.kinds._input import InputHints, InputKind, Pictures
from superpose.kinds._options import Options, augment_settings

SIDE = 64  # pixels
GREY_SIDE = 8  # pixels of the summary for trees
# The finest map within it is taken: every location costs a probability for each class and row.
MOST_LOCATIONS = 5000
FIX = (
    "mend the path or the file, leave the cell empty if there is no image, or write "
    "`on_error: skip`"
)
GREY_ROWS = 256  # images that are summarised at once


def _within(size: list[int]) -> list[int]:
    if not all(16 <= side <= 1024 for side in size):
        raise ValueError(f"{size} given; allowed: height and width from 16 to 1024")
    return size


Size = Annotated[list[int], Field(min_length=2, max_length=2), AfterValidator(_within)]
"""Height and width of images."""


class ImageAugmentOptions(BaseModel):
    """How images are augmented while the network learns; validation and test rows never are.

    Args:
        flip: whether half of the images are mirrored; only where a mirrored image is as likely and
            its labels stay true.
        shift: largest shift, as a share of a side, from 0 to below 1.
        scale: largest change of size, as a share, from 0 to below 1.
        colour: largest change of brightness, contrast and of each colour, from 0 to below 1.
        mix: share of the images, from 0 to 1, into which a piece of another is laid; masks and maps
            are mixed alike, all other labels of such a row are not learned from.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    shift: float = Field(default=0.05, ge=0, lt=1)
    scale: float = Field(default=0.1, ge=0, lt=1)
    colour: float = Field(default=0.1, ge=0, lt=1)
    mix: float = Field(default=0.0, ge=0, le=1)


class ImageOptions(Options):
    """Options of an image.

    Args:
        size: height and width in pixels at which images are read, 16 to 1024 each; 64 x 64 without.
        stride: pixels on a side of one location of the map of masks and boxes: 2, 4 or
            8; without, the finest that leaves at most 5000 places.
        augment: how images are varied while the network learns; `off` leaves them as they are.
        on_error: `skip` takes an image that can't be read for missing, and counts it.
    """

    size: Size | None = None
    stride: Literal[2, 4, 8] | None = None
    augment: ImageAugmentOptions | Literal["off"] | None = None
    on_error: Literal["raise", "skip"] | None = None


@dataclass(kw_only=True)
class ImageInput(InputKind, Pictures):
    """A path to an image, relative to the folder of the table; read as RGB of one size.

    It is read as it is shown: turned as its EXIF says, what is transparent on white, and greys of
    more than eight bits in the range that training rows have.

    A row without a path becomes an image of zeros, which no image on disk becomes.
    """

    name: ClassVar[str] = "image"
    options: ClassVar[type[Options]] = ImageOptions
    hints: ClassVar[InputHints] = InputHints(
        fit_needs=frozenset({"folder"}), encode_needs=frozenset({"folder"})
    )
    count: int  # training rows with a path
    size: list[int] = field(default_factory=lambda: [SIDE, SIDE])
    stride: int = 2
    augmented: dict[str, Any] | None = None
    skips: bool = False
    ranges: dict[str, list[float]] = field(default_factory=dict)  # black and white, by form

    @property
    def drop_reason(self) -> str | None:
        return None if self.count else "empty"

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the map in cells."""
        return -(-self.size[0] // self.stride), -(-self.size[1] // self.stride)

    @property
    def n_locations(self) -> int:
        """Number of cells of the map."""
        return self.grid[0] * self.grid[1]

    @property
    def target_options(self) -> dict[str, Any]:
        layout = {"grid": list(self.grid), "size": list(self.size), "skips": self.skips}
        return {"places": self.n_locations, **layout}

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        """Raise DataError for files that are missing or no images, in any row, unless skipped."""
        require_pillow(column)
        paths = as_text(values).to_pylist()
        folder = options.get("folder", "")
        if options.get("on_error") != "skip":
            refuse(
                column,
                "image",
                paths=paths,
                folder=folder,
                wrong=heads_of(paths, folder)[1],
                fix=FIX,
            )

    @classmethod
    def fit(cls, column: str, values: Column, *, folder: str = "", **options: Any) -> Self:
        require_pillow(column)
        paths = as_text(values).to_pylist()
        ranges, conversions = read_forms(column, paths, folder)
        size = list(options.get("size") or [SIDE, SIDE])
        finest = [s for s in (2, 4, 8) if -(-size[0] // s) * -(-size[1] // s) <= MOST_LOCATIONS]
        return cls(
            column=column,
            conversions=conversions,
            count=sum(path is not None for path in paths),
            ranges=ranges,
            size=size,
            stride=options.get("stride") or (finest or [8])[0],
            augmented=augment_settings(options.get("augment"), ImageAugmentOptions, default=True),
            skips=options.get("on_error") == "skip",
        )

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        return self.pixels(values, folder)

    def pixels(self, values: Column, folder: str = "") -> np.ndarray:
        """Pixels as uint8 (N, 3, H, W), zeros where there is no path.

        Args:
            values: paths.
            folder: where relative paths start.

        Raises:
            DataError: files that are missing, no image or too large, with their rows.
            MissingExtraError: pillow is not installed.
        """
        require_pillow(self.column)
        images, wrong = self._read(values, folder)
        paths = as_text(values).to_pylist()
        if not self.skips:
            refuse(self.column, "image", paths=paths, folder=folder, wrong=wrong, fix=FIX)
        pass_over(self.column, "image", paths=paths, wrong=wrong)
        warn_of_clipped(self.column, paths, folder, ranges=self.ranges)
        block = np.zeros((len(values), 3, *self.size), np.uint8)
        for row, pixels in images.items():
            block[row] = pixels
        return block

    def _read(self, values: Column, folder: str) -> tuple[dict[int, np.ndarray], dict[int, str]]:
        high, wide = self.size
        ranges = {**USUAL_RANGES, **self.ranges}
        paths = as_text(values).to_pylist()
        return read_all(paths, folder, lambda path: picture(path, (high, wide), ranges))

    def readable(self, values: Column, folder: str = "") -> np.ndarray:
        there = np.zeros(len(values), bool)
        there[list(self._read(values, folder)[0])] = True
        return there

    def features(
        self, values: Column, folder: str = ""
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        pixels = self.pixels(values, folder)
        starts = range(0, len(pixels), GREY_ROWS)
        parts = [small_grey(pixels[start : start + GREY_ROWS]) for start in starts]
        grey = np.concatenate([np.zeros((0, GREY_SIDE**2), np.float32), *parts])
        grey[~pixels.reshape(len(pixels), -1).any(axis=1)] = np.nan
        names = [f"{self.column} ({y},{x})" for y in range(GREY_SIDE) for x in range(GREY_SIDE)]
        return grey, [False] * len(names), names

    def describe(self) -> str:
        return f"{self.count} images, read at {self.size[0]} x {self.size[1]}"


def small_grey(pixels: np.ndarray) -> np.ndarray:
    """Mean brightness of each cell of a grid of 8 x 8 over an image.

    Cells overlap by a pixel where the sides are no multiples of 8.

    Args:
        pixels: images, 0 to 255.

    Shape:
        (n, 3, H, W) -> float32 (n, 64), row by row.

    Example:
        >>> small_grey(np.full((1, 3, 16, 16), 9, np.uint8))[0, :2].tolist()
        [9.0, 9.0]
    """

    def cuts(length: int) -> list[slice]:
        ends = [n * length for n in range(GREY_SIDE + 1)]
        return [
            slice(low // GREY_SIDE, -(-high // GREY_SIDE)) for low, high in itertools.pairwise(ends)
        ]

    grey = pixels.sum(axis=1, dtype=np.uint16).astype(np.float32) / np.float32(3)
    cells = []
    for down, across in itertools.product(cuts(pixels.shape[2]), cuts(pixels.shape[3])):
        cell = grey[:, down, across]
        # A running sum adds pixel by pixel, however many images there are: a row alone gets the
        # same features as in a table. `sum` would choose another order for a single image.
        total = np.cumsum(cell.reshape(len(cell), -1), axis=1)[:, -1]
        cells.append(total / np.float32(cell.shape[1]) / np.float32(cell.shape[2]))
    return np.stack(cells, axis=1)
