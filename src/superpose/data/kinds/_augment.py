"""Random variations of a batch while networks learn: moved and coloured images, and what follows.

An input kind that can be varied gives an `Augment`; the training loop calls it on the kind's block
of a batch, and hands what was moved to the targets with an answer for each place of the input.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class Augment(ABC):
    """What makes random variations of a block; it draws from torch's global random stream."""

    @abstractmethod
    def __call__(self, block: Tensor) -> tuple[Tensor, Any]:
        """Return a variation of a batch of one block (P, B, ...), and what targets have to follow.

        What they follow is None, or has a method ``of``, which takes out what befell some of the P
        networks' rows; it is handed to ``TargetKind.follow``.
        """


class Moved(NamedTuple):
    """Where each image of a batch was moved: a place u of it now shows the place scale u + shift.

    Places run from -1 to 1 on both sides of the image; each part is (..., 2), height before width.
    """

    scale: Tensor
    shift: Tensor

    def of(self, networks: slice) -> Moved:
        """Return what befell the images of some networks."""
        return Moved(self.scale[networks], self.shift[networks])


def how_varied(asked: Any, options: type[BaseModel], usual: bool) -> dict[str, Any] | None:
    """How an input is varied as plain values; None for not at all.

    Args:
        asked: the option ``augment``: words of ``options``, true, or false or "off" for not at all.
        options: what may be said, with defaults.
        usual: whether the input is varied where nothing was said.

    Example:
        >>> how_varied("off", AugmentOptions, usual=True) is None
        True
        >>> how_varied(None, AugmentOptions, usual=True)["shift"]
        0.05
    """
    if asked is False or asked == "off" or (asked is None and not usual):
        return None
    return options.model_validate({} if asked in (None, True) else asked).model_dump()


class AugmentOptions(BaseModel):
    """How images are varied while the network learns; validation and test rows never are.

    Args:
        flip: whether half of the images are mirrored; only where a mirrored image is as likely and
            its labels stay true.
        shift: largest shift, as a share of a side, from 0 to below 1.
        scale: largest change of size, as a share, from 0 to below 1.
        colour: largest change of brightness, contrast and of each colour, from 0 to below 1.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    shift: float = Field(default=0.05, ge=0, lt=1)
    scale: float = Field(default=0.1, ge=0, lt=1)
    colour: float = Field(default=0.1, ge=0, lt=1)


@dataclass(frozen=True)
class ImageAugment(Augment):
    """Mirror, shift, scale and colour images, each as far as its option says.

    Example:
        >>> vary = ImageAugment(AugmentOptions(flip="both", shift=0.1))
        >>> block, moved = vary(torch.zeros(1, 4, 3, 32, 32, dtype=torch.uint8))
        >>> block.shape, moved.scale.shape
        (torch.Size([1, 4, 3, 32, 32]), torch.Size([1, 4, 2]))
    """

    by: AugmentOptions

    def __call__(self, block: Tensor) -> tuple[Tensor, Moved]:
        rows, by = block.flatten(0, 1), self.by
        count, device = len(rows), block.device

        def draw(*shape: int) -> Tensor:  # from -1 to 1
            return 2 * torch.rand(count, *shape, device=device) - 1

        size = torch.exp(draw(1) * math.log1p(by.scale))
        flip = torch.rand(count, 2, device=device) < 0.5
        asked = torch.tensor([by.flip in ("vertical", "both"), by.flip in ("horizontal", "both")])
        scale = torch.where(flip & asked.to(device), -1.0, 1.0) / size
        shift = 2 * by.shift * draw(2)
        gain = torch.exp(by.colour * (draw(1) + 0.5 * draw(3)))
        contrast = torch.exp(by.colour * draw(1))
        out = _moved(rows, scale, shift)
        middle = out.mean((-3, -2, -1), keepdim=True)
        out = (out - middle) * contrast[..., None, None] + middle
        out = (out * gain[..., None, None]).round().clamp(1, 255)  # 0 is a row without an image
        there = rows.flatten(1).any(1).bool()[:, None, None, None]
        out = torch.where(there, out, 0.0).to(torch.uint8)
        shape = block.shape[:2]
        moved = Moved(scale.unflatten(0, shape), shift.unflatten(0, shape))
        return out.unflatten(0, shape), moved


def _moved(rows: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Read images (n, 3, H, W) at other places; beyond the edge the edge goes on."""
    matrix = torch.zeros(len(rows), 2, 3, device=rows.device)
    matrix[:, 0, 0], matrix[:, 1, 1] = scale[:, 1], scale[:, 0]
    matrix[:, 0, 2], matrix[:, 1, 2] = shift[:, 1], shift[:, 0]
    grid = F.affine_grid(matrix, list(rows.shape), align_corners=False)
    return F.grid_sample(rows.float(), grid, padding_mode="border", align_corners=False)


def follow_grid(y: Tensor, grid: tuple[int, int], moved: Moved) -> Tensor:
    """Read labels of places (..., h w) where the image was moved to, NaN beyond its edge.

    Example:
        >>> moved = Moved(torch.tensor([[1.0, -1.0]]), torch.zeros(1, 2))
        >>> follow_grid(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), (2, 2), moved).tolist()
        [[2.0, 1.0, 4.0, 3.0]]
    """
    places = []
    for axis, count in enumerate(grid):
        middle = (2 * torch.arange(count, device=y.device) + 1) / count - 1
        at = moved.scale[..., axis, None] * middle + moved.shift[..., axis, None]
        places.append(torch.floor((at + 1) / 2 * count).long())  # (..., h) and (..., w)
    down, across = places
    inside = ((down >= 0) & (down < grid[0]))[..., :, None]
    inside = inside & ((across >= 0) & (across < grid[1]))[..., None, :]
    down, across = down.clamp(0, grid[0] - 1), across.clamp(0, grid[1] - 1)
    index = down[..., :, None] * grid[1] + across[..., None, :]
    return torch.where(inside.flatten(-2), y.gather(-1, index.flatten(-2)), torch.nan)
