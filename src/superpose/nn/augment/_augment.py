"""Random variations of a batch while networks learn: moved and coloured images, and their labels.

An input kind that can be augmented gives an `Augment`; the training loop calls it on the kind's
block of a batch, and its record transforms the labels of targets with one for each location.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Augment(ABC):
    """What makes random variations of a block; it draws from torch's global random stream."""

    @abstractmethod
    def __call__(self, block: Tensor) -> tuple[Tensor, Any]:
        """Return a variation of a batch of one block (P, B, ...), and its record for labels.

        The record is None, or has a method ``of``, which takes the part of some of the P networks;
        it is handed to ``Head.transform_labels``. Its ``mixed`` marks the rows (P, B) that show
        another row in part, or is None.
        """


class Pieces(NamedTuple):
    """A rectangle of each image of a batch (P, B) that shows another image of the same network.

    Args:
        other: Which row it shows, (P, B).
        low, high: Where it begins and ends, (P, B, 2), at positions from -1 to 1; the same where
            an image is whole.
    """

    other: Tensor
    low: Tensor
    high: Tensor

    @property
    def there(self) -> Tensor:
        """Which images have a piece of another, bool (P, B)."""
        return (self.low < self.high).all(-1)

    def laid(self, block: Tensor, sides: tuple[int, int]) -> Tensor:
        """Lay the pieces into a block (P, B, ..., h, w) of that many locations."""
        down, across = (
            (middle >= self.low[..., axis, None]) & (middle < self.high[..., axis, None])
            for axis, middle in enumerate(_middles(count, block.device) for count in sides)
        )
        inside = down[..., :, None] & across[..., None, :]
        networks = torch.arange(len(block), device=block.device)[:, None]
        between = (1,) * (block.ndim - 4)
        inside = inside.view(*inside.shape[:2], *between, *sides)
        return torch.where(inside, block[networks, self.other], block)


class AugmentRecord(NamedTuple):
    """Where each image of a batch was moved: position u of it now shows position scale u + shift.

    Positions run from -1 to 1 on both sides of the image; each part is (..., 2), height before
    width. Afterwards ``pieces`` of other images may have been laid into it.
    """

    scale: Tensor
    shift: Tensor
    pieces: Pieces | None = None

    @property
    def mixed(self) -> Tensor | None:
        """Which rows are no longer what their labels say, bool (P, B); None for none."""
        return None if self.pieces is None else self.pieces.there

    def of(self, networks: slice) -> AugmentRecord:
        """Return the record of the images of some networks."""
        pieces = self.pieces and Pieces(*(part[networks] for part in self.pieces))
        return AugmentRecord(self.scale[networks], self.shift[networks], pieces)


@dataclass(frozen=True)
class ImageAugment(Augment):
    """Mirror, shift, scale and colour images, and mix them.

    Args:
        flip: Along which sides half of the images are mirrored.
        shift: Largest shift, as a share of a side.
        scale: Largest change of size, as a share.
        colour: Largest change of brightness, contrast and of each colour.
        mix: Share of the images into which a piece of another is laid.

    Example:
        >>> augment = ImageAugment("both", shift=0.1, scale=0.1, colour=0.1, mix=0.0)
        >>> block, record = augment(torch.zeros(1, 4, 3, 32, 32, dtype=torch.uint8))
        >>> block.shape, record.scale.shape
        (torch.Size([1, 4, 3, 32, 32]), torch.Size([1, 4, 2]))

    Source:
        Mixing: CutMix, Yun et al. 2019, as French et al. 2020 use it for masks; departs by leaving
        out the labels of a row as a whole, which nobody knows any more.
    """

    flip: Literal["none", "horizontal", "vertical", "both"]
    shift: float
    scale: float
    colour: float
    mix: float

    def __call__(self, block: Tensor) -> tuple[Tensor, AugmentRecord]:
        rows = block.flatten(0, 1)
        count = len(rows)
        device = block.device

        def draw(*shape: int) -> Tensor:  # from -1 to 1
            return 2 * torch.rand(count, *shape, device=device) - 1

        size = torch.exp(draw(1) * math.log1p(self.scale))
        flip = torch.rand(count, 2, device=device) < 0.5
        allowed = torch.tensor(
            [self.flip in ("vertical", "both"), self.flip in ("horizontal", "both")]
        )
        scale = torch.where(flip & allowed.to(device), -1.0, 1.0) / size
        shift = 2 * self.shift * draw(2)
        gain = torch.exp(self.colour * (draw(1) + 0.5 * draw(3)))
        contrast = torch.exp(self.colour * draw(1))
        out = _resampled(rows, scale, shift)
        middle = out.mean((-3, -2, -1), keepdim=True)
        out = (out - middle) * contrast[..., None, None] + middle
        out = (out * gain[..., None, None]).round().clamp(1, 255)  # 0 is a row without an image
        there = rows.flatten(1).any(1).bool()[:, None, None, None]
        shape = block.shape[:2]
        out = torch.where(there, out, 0.0).to(torch.uint8).unflatten(0, shape)
        pieces = _pieces(there.view(shape), self.mix) if self.mix else None
        if pieces is not None:
            out = pieces.laid(out, (out.shape[-2], out.shape[-1]))
        return out, AugmentRecord(scale.unflatten(0, shape), shift.unflatten(0, shape), pieces)


def _pieces(there: Tensor, share: float) -> Pieces:
    """Draw pieces of a tenth to six tenths of the image, up to twice as high as wide or as low."""
    device = there.device
    other = torch.rand(there.shape, device=device).argsort(1)
    area, ratio, chance = torch.rand(3, *there.shape, device=device)
    half = torch.stack([torch.exp(0.35 * (2 * ratio - 1)), torch.exp(0.35 * (1 - 2 * ratio))], -1)
    half = (half * (0.1 + 0.5 * area).sqrt()[..., None]).clamp(max=1)
    middle = (2 * torch.rand(*there.shape, 2, device=device) - 1) * (1 - half)
    own = torch.arange(there.shape[1], device=device)
    used = (chance < share) & (other != own) & there & there.gather(1, other)
    half = torch.where(used[..., None], half, 0.0)
    return Pieces(other, middle - half, middle + half)


def _resampled(rows: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Read images (n, 3, H, W) at other positions; beyond the edge the edge goes on."""
    matrix = torch.zeros(len(rows), 2, 3, device=rows.device)
    matrix[:, 0, 0], matrix[:, 1, 1] = scale[:, 1], scale[:, 0]
    matrix[:, 0, 2], matrix[:, 1, 2] = shift[:, 1], shift[:, 0]
    grid = F.affine_grid(matrix, list(rows.shape), align_corners=False)
    return F.grid_sample(rows.float(), grid, padding_mode="border", align_corners=False)


def _middles(count: int, device: torch.device) -> Tensor:
    """Where the middles of so many locations lie, from -1 to 1."""
    return (2 * torch.arange(count, device=device) + 1) / count - 1


def transform_grid(y: Tensor, grid: tuple[int, int], record: AugmentRecord) -> Tensor:
    """Read labels of locations (..., h w) where the image was moved to, NaN beyond its edge.

    Example:
        >>> record = AugmentRecord(torch.tensor([[1.0, -1.0]]), torch.zeros(1, 2))
        >>> transform_grid(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), (2, 2), record).tolist()
        [[2.0, 1.0, 4.0, 3.0]]
    """
    positions = []
    for axis, count in enumerate(grid):
        at = record.scale[..., axis, None] * _middles(count, y.device)
        at = at + record.shift[..., axis, None]
        positions.append(torch.floor((at + 1) / 2 * count).long())  # (..., h) and (..., w)
    down, across = positions
    inside = ((down >= 0) & (down < grid[0]))[..., :, None]
    inside = inside & ((across >= 0) & (across < grid[1]))[..., None, :]
    down = down.clamp(0, grid[0] - 1)
    across = across.clamp(0, grid[1] - 1)
    index = down[..., :, None] * grid[1] + across[..., None, :]
    labels = torch.where(inside.flatten(-2), y.gather(-1, index.flatten(-2)), torch.nan)
    if record.pieces is None:
        return labels
    return record.pieces.laid(labels.unflatten(-1, grid), grid).flatten(-2)


def image_augment(kind: Any) -> Augment | None:
    """Build what augments an input of kind "image"."""
    return None if kind.augmented is None else ImageAugment(**kind.augmented)


def pretrained_image_augment(kind: Any) -> Augment | None:
    """Build what augments an input of kind "pretrained-image", where its model is trained."""
    return image_augment(kind) if kind.trained else None
