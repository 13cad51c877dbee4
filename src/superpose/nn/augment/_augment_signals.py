"""Random variations of series and sounds while networks learn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from ._augment import Augment

HALF_TURN = math.pi


class SeriesAugmentOptions(BaseModel):
    """How series are varied while the network learns; validation and test rows never are.

    Args:
        noise: largest spread of what is added to each value, in standard deviations of its channel.
        scale: largest change of a whole channel, as a share, from 0 to below 1.
        mask: largest share of the steps that are hidden at a stretch, from 0 to below 1.
        warp: largest share of the length by which steps move in time, from 0 to 0.3; both ends
            stay where they are.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    noise: float = Field(default=0.1, ge=0, le=10)
    scale: float = Field(default=0.1, ge=0, lt=1)
    mask: float = Field(default=0.1, ge=0, lt=1)
    # The slope of the path through time is 1 - pi warp at least: beyond 0.3 time would run back.
    warp: float = Field(default=0.0, ge=0, le=0.3)


class AudioAugmentOptions(BaseModel):
    """How sounds are varied while the network learns; validation and test rows never are.

    Args:
        volume: largest change of loudness, in standard deviations of a band, 0 or more.
        noise: largest spread of what is added, in standard deviations of a band, 0 or more.
        time: largest share of the frames that are hidden at a stretch, from 0 to below 1.
        bands: largest share of the bands of pitch that are hidden side by side, from 0 to below 1.
        shift: largest share of its length by which a sound is moved in time, from 0 to below 1.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    volume: float = Field(default=0.3, ge=0, le=10)
    noise: float = Field(default=0.1, ge=0, le=10)
    time: float = Field(default=0.1, ge=0, lt=1)
    bands: float = Field(default=0.0, ge=0, lt=1)
    shift: float = Field(default=0.0, ge=0, lt=1)


def stretch(length: int, share: Tensor, start: Tensor) -> Tensor:
    """Mark a run of places: so large a share of them, anywhere.

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

    Example:
        >>> vary = SeriesAugment(SeriesAugmentOptions(mask=0.5))
        >>> vary(torch.zeros(1, 4, 10, 2))[0].shape
        torch.Size([1, 4, 10, 2])
    """

    by: SeriesAugmentOptions

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        rows, (steps, channels), by = block.shape[:2], block.shape[2:], self.by
        draw = torch.rand(4, *rows, 1, device=block.device)
        gain = by.scale * (2 * torch.rand(*rows, 1, channels, device=block.device) - 1)
        noise = by.noise * draw[0, ..., None] * torch.randn_like(block)
        out = block
        if by.warp:
            at = torch.arange(steps, device=block.device) / max(steps - 1, 1)
            bent = at + by.warp * (2 * draw[3] - 1) * torch.sin(HALF_TURN * at)
            index = (bent * (steps - 1)).round().long()
            out = out.gather(2, index[..., None].expand(block.shape))
        out = out * (1 + gain) + noise
        hidden = stretch(steps, by.mask * draw[1], draw[2])[..., None]
        return out.masked_fill(hidden, torch.nan), None


@dataclass(frozen=True)
class SoundAugment(Augment):
    """Make sounds louder or quieter, add noise, hide frames and bands, and move them in time.

    Example:
        >>> vary = SoundAugment(AudioAugmentOptions(bands=0.2))
        >>> block, _ = vary(torch.full((1, 2, 10, 8), torch.nan))
        >>> bool(block.isnan().all())
        True

    Source:
        Park et al. 2019 (SpecAugment), one mask of time and one of frequency, without the warp.
    """

    by: AudioAugmentOptions = field(default_factory=AudioAugmentOptions)

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        rows, (frames, bands), by = block.shape[:2], block.shape[2:], self.by
        draw = torch.rand(4, *rows, 1, 1, device=block.device)
        noise = by.noise * draw[1] * torch.randn_like(block)
        hidden = stretch(frames, by.time * draw[2, ..., 0], draw[3, ..., 0])[..., None]
        out = block
        if by.shift:
            more = torch.rand(*rows, 1, device=block.device)
            moved = (by.shift * (2 * more - 1) * frames).round().long()
            at = torch.arange(frames, device=block.device) - moved
            out = out.gather(2, at.clamp(0, frames - 1)[..., None].expand(block.shape))
        out = out + by.volume * (2 * draw[0] - 1) + noise
        if by.bands:
            share, start = torch.rand(2, *rows, 1, device=block.device)
            hidden = hidden | stretch(bands, by.bands * share, start)[..., None, :]
        # 0 is the mean of a band, which is what SpecAugment puts in the place of what it hides.
        return torch.where(hidden & ~block.isnan(), 0.0, out), None
