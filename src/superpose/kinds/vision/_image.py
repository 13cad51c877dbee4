"""Images named by their paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import AfterValidator, Field
from torch import nn

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
    tell_clipped,
)
from superpose.kinds._input import InputKind
from superpose.kinds._options import Options
from superpose.nn import Augment, AugmentOptions, ImageAugment, ImageEncoder, how_varied

SIDE = 64  # pixels
GREY_SIDE = 8  # pixels of the summary for trees
# The finest map within it is taken: every place costs a probability for each class and row.
MOST_PLACES = 5000
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


class ImageOptions(Options):
    """Options of an image.

    Args:
        size: height and width in pixels at which images are read, 16 to 1024 each; 64 x 64 without.
        stride: pixels on a side of one place of the map that masks and boxes are told of: 2, 4 or
            8; without, the finest that leaves at most 5000 places.
        augment: how images are varied while the network learns; `off` leaves them as they are.
        on_error: `skip` takes an image that can't be read for missing, and counts it.
    """

    size: Size | None = None
    stride: Literal[2, 4, 8] | None = None
    augment: AugmentOptions | Literal["off"] | None = None
    on_error: Literal["raise", "skip"] | None = None


@dataclass(kw_only=True)
class ImageInput(InputKind):
    """A path to an image, relative to the folder of the table; read as RGB of one size.

    It is read as it is shown: turned as its EXIF says, what is transparent on white, and greys of
    more than eight bits in the range that training rows have.

    A row without a path becomes an image of zeros, which no image on disk becomes.
    """

    name: ClassVar[str] = "image"
    options: ClassVar[type[Options]] = ImageOptions
    block: ClassVar[str | None] = None
    needs_folder: ClassVar[bool] = True
    pictures: ClassVar[bool] = True
    count: int  # training rows with a path
    size: list[int] = field(default_factory=lambda: [SIDE, SIDE])
    stride: int = 2
    augmented: dict[str, Any] | None = None
    skips: bool = False
    ranges: dict[str, list[float]] = field(default_factory=dict)  # black and white, by form

    @property
    def useless(self) -> str | None:
        return None if self.count else "empty"

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the map in places."""
        return -(-self.size[0] // self.stride), -(-self.size[1] // self.stride)

    @property
    def places(self) -> int:
        return self.grid[0] * self.grid[1]

    @property
    def layout(self) -> dict[str, Any]:
        return {"grid": list(self.grid), "size": list(self.size), "skips": self.skips}

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        """Raise DataError for files that are missing or no images, in any row, unless skipped."""
        require_pillow(column)
        paths, folder = as_text(values).to_pylist(), options.get("folder", "")
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
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_pillow(column)
        paths = as_text(values).to_pylist()
        ranges, conversions = read_forms(column, paths, options.get("folder", ""))
        size = list(options.get("size") or [SIDE, SIDE])
        finest = [s for s in (2, 4, 8) if -(-size[0] // s) * -(-size[1] // s) <= MOST_PLACES]
        return cls(
            column=column,
            conversions=conversions,
            count=sum(path is not None for path in paths),
            ranges=ranges,
            size=size,
            stride=options.get("stride") or (finest or [8])[0],
            augmented=how_varied(options.get("augment"), AugmentOptions, usual=True),
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
        found, wrong = self._read(values, folder)
        paths = as_text(values).to_pylist()
        if not self.skips:
            refuse(self.column, "image", paths=paths, folder=folder, wrong=wrong, fix=FIX)
        pass_over(self.column, "image", paths=paths, wrong=wrong)
        tell_clipped(self.column, paths, folder, ranges=self.ranges)
        block = np.zeros((len(values), 3, *self.size), np.uint8)
        for row, pixels in found.items():
            block[row] = pixels
        return block

    def _read(self, values: Column, folder: str) -> tuple[dict[int, np.ndarray], dict[int, str]]:
        high, wide = self.size
        ranges = {**USUAL_RANGES, **self.ranges}
        paths = as_text(values).to_pylist()
        return read_all(paths, folder, lambda path: picture(path, (high, wide), ranges))

    def present(self, values: Column, folder: str = "") -> np.ndarray:
        """Mark the rows (N,) whose image can be read."""
        there = np.zeros(len(values), bool)
        there[list(self._read(values, folder)[0])] = True
        return there

    def features(
        self, values: Column, folder: str = ""
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        pixels = torch.from_numpy(self.encode(values, folder))
        small = [
            F.adaptive_avg_pool2d(some.float().mean(1), GREY_SIDE)
            for some in pixels.split(GREY_ROWS)
        ]
        grey = torch.cat(small).flatten(1).numpy()
        grey[~pixels.flatten(1).any(1).bool().numpy()] = np.nan
        names = [f"{self.column} ({y},{x})" for y in range(GREY_SIDE) for x in range(GREY_SIDE)]
        return grey, [False] * len(names), names

    def augment(self) -> Augment | None:
        if self.augmented is None:
            return None
        return ImageAugment(AugmentOptions.model_validate(self.augmented))

    @classmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        return ImageEncoder(width, kinds[0].stride)

    def describe(self) -> str:
        return f"{self.count} images, read at {self.size[0]} x {self.size[1]}"
