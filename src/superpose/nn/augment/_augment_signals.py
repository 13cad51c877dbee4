"""Random variations of series and sounds while networks learn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ._augment import Augment

HALF_TURN = math.pi


def stretch(length: int, share: Tensor, start: Tensor) -> Tensor:
    """Mark a run of steps: so large a share of them, anywhere.

    Shape:
        share, start (..., 1) from 0 to 1 -> (..., length) bool.

    Example:
        >>> stretch(4, torch.tensor([0.5]), torch.tensor([1.0])).tolist()
        [False, False, True, True]
    """
    many = (share * length).floor()
    first = (start * (length - many)).floor()
    at = torch.arange(length, device=share.device)
    return (at >= first) & (at < first + many)


@dataclass(frozen=True)
class SeriesAugment(Augment):
    """Add noise to series, scale their channels, hide a run of steps, and bend time.

    Args:
        noise: Largest deviation of what is added to each value, in standard deviations.
        scale: Largest change of a whole channel, as a share.
        mask: Largest share of the steps that are hidden at a stretch.
        warp: Largest share of the length by which steps move in time, at most 0.3.

    Example:
        >>> augment = SeriesAugment(noise=0.1, scale=0.1, mask=0.5, warp=0.0)
        >>> augment(torch.zeros(1, 4, 10, 2))[0].shape
        torch.Size([1, 4, 10, 2])
    """

    noise: float
    scale: float
    mask: float
    warp: float

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        rows = block.shape[:2]
        steps, channels = block.shape[2:]
        draw = torch.rand(4, *rows, 1, device=block.device)
        gain = self.scale * (2 * torch.rand(*rows, 1, channels, device=block.device) - 1)
        noise = self.noise * draw[0, ..., None] * torch.randn_like(block)
        out = block
        if self.warp:
            at = torch.arange(steps, device=block.device) / max(steps - 1, 1)
            bent = at + self.warp * (2 * draw[3] - 1) * torch.sin(HALF_TURN * at)
            index = (bent * (steps - 1)).round().long()
            out = out.gather(2, index[..., None].expand(block.shape))
        out = out * (1 + gain) + noise
        hidden = stretch(steps, self.mask * draw[1], draw[2])[..., None]
        return out.masked_fill(hidden, torch.nan), None


@dataclass(frozen=True)
class SoundAugment(Augment):
    """Make sounds louder or quieter, add noise, hide frames and bands, and move them in time.

    Args:
        volume: Largest change of loudness, in standard deviations of a band.
        noise: Largest deviation of what is added, in standard deviations of a band.
        time: Largest share of the frames that are hidden at a stretch.
        bands: Largest share of the bands of pitch that are hidden side by side.
        shift: Largest share of its length by which a sound is moved in time.

    Example:
        >>> augment = SoundAugment(volume=0.3, noise=0.1, time=0.1, bands=0.2, shift=0.0)
        >>> block, _ = augment(torch.full((1, 2, 10, 8), torch.nan))
        >>> bool(block.isnan().all())
        True

    Source:
        Park et al. 2019 (SpecAugment), one mask of time and one of frequency, without the warp.
    """

    volume: float
    noise: float
    time: float
    bands: float
    shift: float

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        rows = block.shape[:2]
        frames, bands = block.shape[2:]
        draw = torch.rand(4, *rows, 1, 1, device=block.device)
        noise = self.noise * draw[1] * torch.randn_like(block)
        hidden = stretch(frames, self.time * draw[2, ..., 0], draw[3, ..., 0])[..., None]
        out = block
        if self.shift:
            more = torch.rand(*rows, 1, device=block.device)
            offset = (self.shift * (2 * more - 1) * frames).round().long()
            at = torch.arange(frames, device=block.device) - offset
            out = out.gather(2, at.clamp(0, frames - 1)[..., None].expand(block.shape))
        out = out + self.volume * (2 * draw[0] - 1) + noise
        if self.bands:
            share, start = torch.rand(2, *rows, 1, device=block.device)
            hidden = hidden | stretch(bands, self.bands * share, start)[..., None, :]
        # 0 is the mean of a band, which is what SpecAugment writes over what it hides.
        return torch.where(hidden & ~block.isnan(), 0.0, out), None


def series_augment(kind: Any) -> Augment | None:
    """Build what augments an input of kind "series"."""
    return None if kind.augmented is None else SeriesAugment(**kind.augmented)


def audio_augment(kind: Any) -> Augment | None:
    """Build what augments an input of kind "audio"."""
    return None if kind.augmented is None else SoundAugment(**kind.augmented)
