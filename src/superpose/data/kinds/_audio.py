"""Sounds named by their paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from superpose.nn import AudioEncoder

from ._augment import Augment
from ._base import InputKind
from ._mel import frames_of, require_soundfile, seconds_of, spectrogram
from ._options import Options
from ._unreadable import refuse
from ._values import Column, as_text

RATE, MELS = 16_000, 40
LONGEST = 30.0  # seconds that are read of a sound, at most
SHOWN_FAULTS = 5
LOUDER, NOISE, MASKED = 0.3, 0.1, 0.1  # spreads, spreads, share of the frames


def usual_seconds(values: Column, folder: str) -> float:
    """Enough seconds for 19 of 20 sounds, in tenths."""
    paths = [str(Path(folder, path)) for path in as_text(values).to_pylist() if path]
    longest = float(np.quantile([seconds_of(path) for path in paths], 0.95)) if paths else 1.0
    return float(np.clip(np.ceil(10 * longest) / 10, 0.1, LONGEST))


def read_sounds(
    column: str, values: Column, folder: str, read: Callable[[str], np.ndarray]
) -> dict[int, np.ndarray]:
    """Read the sound of each row that has one.

    Raises:
        DataError: files that are missing, empty, cut or no sound, with their rows.
    """
    paths = as_text(values).to_pylist()
    found, wrong = dict[int, np.ndarray](), dict[int, str]()
    for row, path in enumerate(paths):
        if not path:
            continue
        whole = str(Path(folder, path))
        try:
            found[row] = read(whole)
        except FileNotFoundError:
            wrong[row] = "no such file"
        except (OSError, RuntimeError, ValueError) as error:
            wrong[row] = str(error).replace(f"{whole!r}", "it")
    fix = "mend the path or the file, or leave the cell empty if there is no sound"
    refuse(column, "sound", paths, folder, wrong, fix, SHOWN_FAULTS)
    return found


class AudioOptions(Options):
    """Options of sounds.

    Args:
        rate: samples a second that sounds are brought to, in hertz; 16000 unless set.
        seconds: how much of a sound is read from its start; unless set, enough for 19 of 20.
        mels: bands of pitch; 40 unless set.
        augment: whether loudness, noise and gaps vary while the network learns; true unless set.
    """

    rate: int | None = Field(default=None, ge=2000, le=96_000)
    seconds: float | None = Field(default=None, gt=0, le=LONGEST)
    mels: int | None = Field(default=None, ge=8, le=128)
    augment: bool | None = None


@dataclass(frozen=True)
class SoundAugment(Augment):
    """Make sounds louder or quieter, add noise, and hide a run of frames.

    Example:
        >>> block, _ = SoundAugment()(torch.full((1, 2, 10, 8), torch.nan))
        >>> bool(block.isnan().all())
        True

    Source:
        Park et al. 2019 (SpecAugment), its mask of time.
    """

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        rows, frames = block.shape[:2], block.shape[2]
        draw = torch.rand(4, *rows, 1, 1, device=block.device)
        out = block + LOUDER * (2 * draw[0] - 1) + NOISE * draw[1] * torch.randn_like(block)
        length = (MASKED * draw[2] * frames).floor()
        first = (draw[3] * (frames - length)).floor()
        at = torch.arange(frames, device=block.device)[:, None]
        hidden = (at >= first) & (at < first + length) & ~block.isnan()
        return torch.where(hidden, 0.0, out), None


@dataclass(kw_only=True)
class AudioInput(InputKind):
    """A path to a sound (wav, flac and so on), relative to the folder of the table.

    It is read as a spectrogram: the logarithm of the power in bands of pitch, a hundred frames a
    second, standardised band by band. A row without a path is missing.
    """

    name: ClassVar[str] = "audio"
    options: ClassVar[type[Options]] = AudioOptions
    block: ClassVar[str | None] = None
    needs_folder: ClassVar[bool] = True
    count: int  # training rows with a path
    rate: int
    seconds: float
    mels: int
    means: list[float]
    scales: list[float]
    augmented: bool = True

    @property
    def useless(self) -> str | None:
        return None if self.count else "empty"

    @property
    def slow(self) -> bool:
        return True

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_soundfile(column)
        folder = options.get("folder", "")
        kind = cls(
            column=column,
            count=len(values) - as_text(values).null_count,
            rate=options.get("rate") or RATE,
            seconds=options.get("seconds") or usual_seconds(values, folder),
            mels=options.get("mels") or MELS,
            means=[],
            scales=[],
            augmented=options.get("augment") is not False,
        )
        block = kind._spectrograms(values, folder)
        heard = block[~np.isnan(block[:, 0, 0])].reshape(-1, kind.mels)
        kind.means = [float(m) for m in (heard.mean(axis=0) if len(heard) else np.zeros(kind.mels))]
        spread = heard.std(axis=0) if len(heard) else np.ones(kind.mels)
        kind.scales = [float(s) if s > 1e-3 else 1.0 for s in spread]
        return kind

    def _spectrograms(self, values: Column, folder: str) -> np.ndarray:
        """Log-mel spectrograms (N, T, mels), NaN where there is no path.

        Raises:
            DataError: files that are missing, empty, cut or no sound, with their rows.
        """
        block = np.full((len(values), frames_of(self.seconds), self.mels), np.nan, np.float32)

        def read(path: str) -> np.ndarray:
            stamp = os.stat(path).st_mtime_ns
            return spectrogram(path, stamp, self.rate, self.seconds, self.mels)

        for row, told in read_sounds(self.column, values, folder, read).items():
            block[row] = told
        return block

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        """Standardised spectrograms, float32 (N, T, mels), NaN where there is no path.

        Args:
            values: paths.
            folder: where relative paths start.

        Raises:
            DataError: files that are missing, empty, cut or no sound, with their rows.
            MissingExtraError: soundfile is not installed.
        """
        require_soundfile(self.column)
        block = self._spectrograms(values, folder)
        return np.asarray((block - self.means) / self.scales, np.float32)

    def features(
        self, values: Column, folder: str = ""
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        block = self.encode(values, folder)
        matrix = np.concatenate([block.mean(axis=1), block.std(axis=1)], axis=1)
        names = [
            f"{self.column} {what} {n}" for what in ("mean", "spread") for n in range(self.mels)
        ]
        return matrix, [False] * len(names), names

    def augment(self) -> Augment | None:
        return SoundAugment() if self.augmented else None

    @classmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        return AudioEncoder(kinds[0].mels, width)

    def describe(self) -> str:
        return f"{self.count} sounds, {self.seconds:g} s at {self.rate} Hz in {self.mels} bands"
