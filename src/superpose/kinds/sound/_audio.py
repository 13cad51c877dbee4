"""Sounds named by their paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from superpose.columns import (
    Column,
    as_text,
    is_stream,
    locate,
    pass_over,
    refuse,
    require_regular,
    windows_paths,
)
from superpose.errors import location, message
from superpose.kinds._input import InputHints, InputKind
from superpose.kinds._options import Options, augment_settings

from ._mel import frames_of, require_soundfile, seconds_of, spectrogram

RATE, MELS = 16_000, 40
LONGEST = 30.0  # seconds that are read of a sound, at most
SHOWN_FAULTS = 5
MEND = "mend the path or the file, or leave the cell empty if there is no sound"
FIX = MEND.replace(", or", ",") + ", or write `on_error: skip`"


def usual_seconds(values: Column, folder: str) -> float:
    """Enough seconds for 19 of 20 sounds that can be read, in tenths."""
    paths = [str(locate(folder, path)) for path in as_text(values).to_pylist() if path]
    lengths = [length for length in map(seconds_of, paths) if length > 0]
    longest = float(np.quantile(lengths, 0.95)) if lengths else 1.0
    return float(np.clip(np.ceil(10 * longest) / 10, 0.1, LONGEST))


def read_sounds(
    values: Column, folder: str, read: Callable[[str], np.ndarray]
) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Read the sound of each row that has one; where that fails, the reason, by row."""
    sounds = dict[int, np.ndarray]()
    wrong = dict[int, str]()
    for row, path in enumerate(as_text(values).to_pylist()):
        if not path:
            continue
        whole = str(locate(folder, path))
        try:
            sounds[row] = read(whole)
        except FileNotFoundError:
            wrong[row] = "no such file"
        except (OSError, RuntimeError, ValueError) as error:
            wrong[row] = str(error).replace(f"{whole!r}", "it")
    return sounds, wrong


def sound_conversions(column: str, values: Column, folder: str) -> list[str]:
    """What training rows hold that is read otherwise than it is written, one sentence each."""
    paths = as_text(values).to_pylist()
    files = [locate(folder, path) for path in paths if path]
    conversions = windows_paths(column, paths, folder)
    if many := sum(file.is_file() and is_stream(file) for file in files):
        given = f"{many} of {len(files)} training sounds are streams whose heads don't tell the "
        fix = "they are read to the end of the file; if any was cut off, that can't be seen"
        conversions.append(message(location(column=column), f"{given}length", fix=fix))
    return conversions


def require_read(
    column: str, values: Column, folder: str, *, wrong: Mapping[int, str], fix: str
) -> None:
    """Raise DataError for sounds that can't be read, or return if there is none."""
    paths = as_text(values).to_pylist()
    refuse(column, "sound", paths=paths, folder=folder, wrong=wrong, fix=fix, shown=SHOWN_FAULTS)


class AudioAugmentOptions(BaseModel):
    """How sounds are augmented while the network learns; validation and test rows never are.

    Args:
        volume: largest change of loudness, in standard deviations of a band, 0 or more.
        noise: largest scale of what is added, in standard deviations of a band, 0 or more.
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


class AudioOptions(Options):
    """Options of sounds.

    Args:
        rate: samples a second that sounds are brought to, in hertz; 16000 unless set.
        seconds: how much of a sound is read from its start; unless set, enough for 19 of 20.
        mels: bands of pitch; 40 unless set.
        augment: how sounds are augmented while the network learns: volume, noise, time, bands,
            shift; `off` or false leaves them as they are.
        on_error: `skip` takes a sound that can't be read for missing, and counts it.
    """

    rate: int | None = Field(default=None, ge=2000, le=96_000)
    seconds: float | None = Field(default=None, gt=0, le=LONGEST)
    mels: int | None = Field(default=None, ge=8, le=128)
    augment: AudioAugmentOptions | bool | Literal["off"] | None = None
    on_error: Literal["raise", "skip"] | None = None


@dataclass(kw_only=True)
class AudioInput(InputKind):
    """A path to a sound (wav, flac and so on), relative to the folder of the table.

    It is read as a spectrogram: the logarithm of the power in bands of pitch, a hundred frames a
    second, standardised band by band. A row without a path is missing.
    """

    name: ClassVar[str] = "audio"
    options: ClassVar[type[Options]] = AudioOptions
    hints: ClassVar[InputHints] = InputHints(
        fit_needs=frozenset({"folder"}), encode_needs=frozenset({"folder"})
    )
    count: int  # training rows with a sound
    rate: int
    seconds: float
    mels: int
    means: list[float]
    scales: list[float]
    augmented: dict[str, Any] | None = None
    skips: bool = False

    @property
    def drop_reason(self) -> str | None:
        return None if self.count else "no sound that can be read"

    @property
    def skip_cross_fitting(self) -> bool:
        return True

    @classmethod
    def fit(cls, column: str, values: Column, *, folder: str = "", **options: Any) -> Self:
        require_soundfile(column)
        kind = cls(
            column=column,
            conversions=sound_conversions(column, values, folder),
            count=0,
            rate=options.get("rate") or RATE,
            seconds=options.get("seconds") or usual_seconds(values, folder),
            mels=options.get("mels") or MELS,
            means=[],
            scales=[],
            augmented=augment_settings(options.get("augment"), AudioAugmentOptions, default=True),
            skips=options.get("on_error") == "skip",
        )
        # Files that can't be read are a warning for all rows, once they are encoded.
        block, wrong = kind._spectrograms(values, folder)
        kind._require(values, folder, wrong)
        rows = block[~np.isnan(block[:, 0, 0])]
        kind.count = len(rows)
        heard = rows.reshape(-1, kind.mels)
        kind.means = [float(m) for m in (heard.mean(axis=0) if len(heard) else np.zeros(kind.mels))]
        scale = heard.std(axis=0) if len(heard) else np.ones(kind.mels)
        kind.scales = [float(s) if s > 1e-3 else 1.0 for s in scale]
        return kind

    def _require(self, values: Column, folder: str, wrong: Mapping[int, str]) -> None:
        """Raise DataError for files that can't be read, unless they are passed over."""
        if not self.skips:
            require_read(self.column, values, folder, wrong=wrong, fix=FIX)

    def _spectrograms(self, values: Column, folder: str) -> tuple[np.ndarray, dict[int, str]]:
        """Log-mel spectrograms (N, T, mels) with NaN where there is none, and why, by row."""
        block = np.full((len(values), frames_of(self.seconds), self.mels), np.nan, np.float32)

        def read(path: str) -> np.ndarray:
            stamp = require_regular(path).st_mtime_ns
            return spectrogram(path, stamp, rate=self.rate, seconds=self.seconds, mels=self.mels)

        sounds, wrong = read_sounds(values, folder, read)
        for row, sound in sounds.items():
            block[row] = sound
        return block, wrong

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        """Standardised spectrograms, float32 (N, T, mels), NaN where there is no path.

        Args:
            values: paths.
            folder: where relative paths start.

        Raises:
            DataError: files that are missing, empty, cut or no sound, with their rows, unless they
                are skipped.
            MissingExtraError: soundfile is not installed.
        """
        require_soundfile(self.column)
        block, wrong = self._spectrograms(values, folder)
        self._require(values, folder, wrong)
        pass_over(self.column, "sound", paths=as_text(values).to_pylist(), wrong=wrong)
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

    def describe(self) -> str:
        return f"{self.count} sounds, {self.seconds:g} s at {self.rate} Hz in {self.mels} bands"
