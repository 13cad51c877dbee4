"""Sounds read by a pretrained model, as it is or trained further."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from pydantic import Field

from superpose.columns import Column
from superpose.errors import DataError, location, message
from superpose.kinds._checkpoint import (
    SIGNAL_FILES,
    Checkpoint,
    Share,
    find_model,
    read_json,
    refused,
    require_transformers,
)
from superpose.kinds._input import InputHints, LoadBackbone, no_backbone
from superpose.kinds._lru_cache import LRUCache
from superpose.kinds._options import Options
from superpose.kinds.items._embedding import VectorInput, as_features, standardised

from ._audio import LONGEST, MEND, read_sounds, require_read, sound_conversions, usual_seconds
from ._mel import require_soundfile, wave

MODELS = "models of waveforms of transformers: wav2vec2, HuBERT, WavLM"
SILENT = 1e-7  # variance, as it is added in the published preparation
_CACHE = LRUCache()


class SoundBackbone(Protocol):
    """What runs a model of waveforms as others have trained it."""

    def require_sound_model(self, home: Path) -> None:
        """Raise whatever it raises where the model in a folder does not read waveforms."""

    def sound_vector(self, home: Path, wave: np.ndarray) -> np.ndarray:
        """The mean over the frames of a sound: (T,) -> (D,)."""


class PretrainedAudioOptions(Options):
    """Options of sounds that a pretrained model reads.

    Args:
        encoder: folder with config.json, preprocessor_config.json and model.safetensors, or a name
            on the hub of Hugging Face.
        train: what is trained of it: nothing, low-rank adapters, or all its weights.
        seconds: how much of a sound is read from its start; unless set, enough for 19 of 20.
        rate: steps of its weights as a share of those of the others.
        decay: what that share is times for each layer further down.
    """

    encoder: str = Field(min_length=1)
    train: Literal["nothing", "adapters", "all"] = "nothing"
    seconds: float | None = Field(default=None, gt=0, le=LONGEST)
    rate: Share = 0.02
    decay: Share = 0.9


@dataclass(kw_only=True)
class PretrainedAudioInput(Checkpoint, VectorInput):
    """Sounds, read by a model of waveforms of `transformers` that others have trained.

    A sound is brought to the rate of the checkpoint, and is the mean over its own frames. With
    ``train: nothing`` it is read once; else the model is a part of the network and travels in the
    bundle. Trees read the vectors in either case. Needs the extra `superpose[text]` beside
    `superpose[audio]`.
    """

    name: ClassVar[str] = "pretrained-audio"
    options: ClassVar[type[Options]] = PretrainedAudioOptions
    hints: ClassVar[InputHints] = InputHints(
        fit_needs=frozenset({"folder", "load_backbone"}),
        encode_needs=frozenset({"folder", "load_backbone"}),
    )
    needed: ClassVar[tuple[str, ...]] = SIGNAL_FILES
    sampling: int  # samples a second that the model reads
    seconds: float
    normalised: bool  # whether each sound is brought to mean 0 and scale 1
    mean: list[float] = field(default_factory=list)  # known once the model has read the sounds
    scale: list[float] = field(default_factory=list)
    count: int = 0

    @classmethod
    def fit(
        cls,
        column: str,
        values: Column,
        *,
        folder: str = "",
        load_backbone: LoadBackbone = no_backbone,
        **options: Any,
    ) -> Self:
        require_soundfile(column)
        require_transformers(column)
        settings = PretrainedAudioOptions.model_validate(options)
        backbone: SoundBackbone = load_backbone()
        home = find_model(column, settings.encoder, folder, files=SIGNAL_FILES)
        steps = read_json(column, home / "preprocessor_config.json")
        sampling = steps.get("sampling_rate")
        if not isinstance(sampling, int) or sampling < 1:
            given = f"{home / 'preprocessor_config.json'} has the sampling_rate {sampling!r}"
            fix = "choose a checkpoint of waveforms, such as wav2vec2, HuBERT or WavLM"
            raise DataError(
                message(location(column=column), given, "a whole number in hertz", fix=fix)
            )
        try:
            backbone.require_sound_model(home)
        except Exception as fault:
            raise refused(column, home, fault, what="sounds", models=MODELS) from None
        kind = cls(
            column=column,
            conversions=sound_conversions(column, values, folder),
            settings=settings.model_dump(exclude={"seconds"}),
            home=str(home),
            config=read_json(column, home / "config.json"),
            sampling=sampling,
            seconds=settings.seconds or usual_seconds(values, folder),
            normalised=bool(steps.get("do_normalize", True)),
        )
        kind.take_moments(kind._vectors(values, folder, backbone))
        return kind

    def _waves(self, values: Column, folder: str) -> dict[int, np.ndarray]:
        """The samples of each row that has a sound, as many as there are.

        Raises:
            DataError: files that are missing, empty, cut or no sound, with their rows.
        """
        require_soundfile(self.column)

        def read(path: str) -> np.ndarray:
            sound = wave(path, self.sampling, self.seconds)[: round(self.seconds * self.sampling)]
            if self.normalised:
                sound = (sound - sound.mean()) / np.sqrt(sound.var() + SILENT)
            return np.asarray(sound, np.float32)

        waves, wrong = read_sounds(values, folder, read)
        require_read(self.column, values, folder, wrong=wrong, fix=MEND)
        return waves

    def _vectors(self, values: Column, folder: str, backbone: SoundBackbone) -> np.ndarray:
        """The vector of each sound (N, D) as others have trained the model, NaN without one."""
        waves = self._waves(values, folder)
        rows = list(waves)
        keys = [(self.home, blake2b(waves[row].tobytes()).digest()) for row in rows]

        def read(positions: list[int]) -> list[np.ndarray]:
            home = self.folder_of_model()
            shortest = _receptive(self.config)
            # One by one, each as long as it is: what fills a row would be heard by some models.
            return [
                backbone.sound_vector(home, _filled(waves[rows[position]], shortest))
                for position in positions
            ]

        hidden_dim = int(self.config.get("hidden_size") or len(self.mean))
        vectors = np.full((len(values), hidden_dim), np.nan, np.float32)
        for row, vector in zip(rows, _CACHE(keys, read, 1), strict=True):
            vectors[row] = vector
        return vectors

    def encode(
        self, values: Column, folder: str = "", *, load_backbone: LoadBackbone = no_backbone
    ) -> np.ndarray:
        """Samples (N, T), NaN behind the end of a sound, or its standardised vector (N, D).

        Args:
            values: paths.
            folder: where relative paths start.

        Raises:
            DataError: files that are missing, empty, cut or no sound, with their rows.
        """
        if not self.trained:
            vectors = self._vectors(values, folder, load_backbone())
            return standardised(vectors, self.mean, self.scale)
        length = max(round(self.seconds * self.sampling), _receptive(self.config))
        block = np.full((len(values), length), np.nan, np.float32)
        for row, sound in self._waves(values, folder).items():
            block[row, : len(sound)] = sound
        return block

    def features(
        self, values: Column, folder: str = "", *, load_backbone: LoadBackbone = no_backbone
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        return as_features(self.column, self._vectors(values, folder, load_backbone()))

    def describe(self) -> str:
        sounds = f"{self.count} sounds, {self.seconds:g} s at {self.sampling} Hz"
        return f"{sounds}, read by {self.how}"


def _receptive(config: dict[str, Any]) -> int:
    """Samples that one frame is made of: a shorter sound has none.

    Example:
        >>> _receptive({"conv_kernel": [10, 3, 2], "conv_stride": [5, 2, 2]})
        30
    """
    length = 1
    pairs = zip(config.get("conv_kernel", []), config.get("conv_stride", []), strict=True)
    for kernel, stride in reversed(list(pairs)):
        length = (length - 1) * stride + kernel
    return length


def _filled(sound: np.ndarray, shortest: int) -> np.ndarray:
    """Samples (T,), with silence behind a sound that is too short for one frame."""
    return np.pad(sound, (0, max(0, shortest - len(sound))))
