"""Images read by a pretrained model, as it is or trained further."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from superpose.columns import Column, as_text, read_forms, require_pillow
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
from superpose.kinds._options import Options, augment_settings
from superpose.kinds.items._embedding import as_features, moments, standardised

from ._image import ImageAugmentOptions, ImageInput, Size

MODELS = "models of images of transformers, such as ResNet, ConvNeXt, ViT, DINOv2 and Swin"
BATCH = 16
USUAL_SIDE = 224  # pixels, where a checkpoint does not say how large it reads images
COLOURS = 3
LARGEST_HALF = 6e4  # half precision ends at 65504
_CACHE = LRUCache()


class ImageBackbone(Protocol):
    """What runs a model of images as others have trained it."""

    def stride(self, home: Path, side: int) -> int:
        """How many pixels on a side a cell of the model's map has, for images of a side."""

    def image_vectors(
        self,
        home: Path,
        pixels: np.ndarray,
        *,
        gain: list[float],
        offset: list[float],
        n_locations: int,
    ) -> np.ndarray:
        """Vectors of the whole, then of each cell: (n, 3, H, W) -> (n, k + S, D)."""


class PretrainedImageOptions(Options):
    """Options of images that a pretrained model reads.

    Args:
        encoder: folder with config.json, preprocessor_config.json and model.safetensors, or a name
            on the hub of Hugging Face.
        train: what is trained of it: nothing, low-rank adapters, or all its weights.
        size: height and width in pixels at which images are read, multiples of a location of its
            map (14, 16 or 32 pixels as a rule); without, those of the checkpoint.
        augment: how images are varied while the model is trained; `off` leaves them as they are.
        on_error: `skip` takes an image that can't be read for missing, and counts it.
        rate: steps of its weights as a share of those of the others.
        decay: what that share is times for each layer further down.
    """

    encoder: str = Field(min_length=1)
    train: Literal["nothing", "adapters", "all"] = "nothing"
    size: Size | None = None
    augment: ImageAugmentOptions | Literal["off"] | None = None
    on_error: Literal["raise", "skip"] | None = None
    rate: Share = 0.02
    decay: Share = 0.9

    @field_validator("augment")
    @classmethod
    def _trained(cls, augment: Any, others: ValidationInfo) -> Any:
        if isinstance(augment, ImageAugmentOptions) and others.data.get("train") == "nothing":
            raise ValueError(
                "given beside `train: nothing`, which reads every image once; remove it, or write "
                "`train: adapters`"
            )
        return augment


@dataclass(kw_only=True)
class PretrainedImageInput(Checkpoint, ImageInput):
    """Images, read by a model of `transformers` that others have trained.

    With ``train: nothing`` every image is read once; else the model is a part of the network and
    travels in the bundle. A norm over the batch reads as it was trained, so that a row alone has
    the prediction that it has in any batch. Trees read the vectors in either case. Needs the extra
    `superpose[text]` beside `superpose[vision]`.
    """

    name: ClassVar[str] = "pretrained-image"
    options: ClassVar[type[Options]] = PretrainedImageOptions
    hints: ClassVar[InputHints] = InputHints(
        fit_needs=frozenset({"folder", "mapped", "load_backbone"}),
        encode_needs=frozenset({"folder", "load_backbone"}),
    )
    needed: ClassVar[tuple[str, ...]] = SIGNAL_FILES
    gain: list[float]  # what a byte of each colour is times
    offset: list[float]  # what is added then
    depth: int = 0  # numbers D of a cell of the map
    tokens: int = 1  # vectors k of the whole
    mapped: bool = False  # whether a target reads the map
    mean: list[float] = field(default_factory=list)  # of the whole, over training rows
    scale: list[float] = field(default_factory=list)

    @classmethod
    def fit(
        cls,
        column: str,
        values: Column,
        *,
        folder: str = "",
        mapped: bool = False,
        load_backbone: LoadBackbone = no_backbone,
        **options: Any,
    ) -> Self:
        require_pillow(column)
        require_transformers(column)
        settings = PretrainedImageOptions.model_validate(options)
        backbone: ImageBackbone = load_backbone()
        home = find_model(column, settings.encoder, folder, files=SIGNAL_FILES)
        gain, offset, side = _preparation(column, home)
        try:
            stride = backbone.stride(home, side)
        except Exception as fault:
            raise refused(column, home, fault, what="images", models=MODELS) from None
        size = settings.size or [max(round(side / stride), 1) * stride] * 2
        if any(length % stride for length in size):
            pixels = f"{stride} x {stride} pixels"
            given = f"size {size} given, but a location of the model's map has {pixels}"
            raise DataError(message(location(column=column), given, f"multiples of {stride}"))
        paths = as_text(values).to_pylist()
        ranges, conversions = read_forms(column, paths, folder)
        kind = cls(
            column=column,
            conversions=conversions,
            count=sum(path is not None for path in paths),
            ranges=ranges,
            size=list(size),
            stride=stride,
            augmented=augment_settings(settings.augment, ImageAugmentOptions, default=True),
            skips=settings.on_error == "skip",
            settings=settings.model_dump(exclude={"size", "augment", "on_error"}),
            home=str(home),
            config=read_json(column, home / "config.json"),
            gain=gain,
            offset=offset,
            mapped=mapped,
        )
        try:
            black = kind._read_by_model(np.zeros((1, COLOURS, *size), np.uint8), backbone)
        except Exception as fault:
            raise refused(column, home, fault, what="images", models=MODELS) from None
        kind.depth = black.shape[2]
        kind.tokens = black.shape[1] - kind.n_locations
        kind.mean, kind.scale, _ = moments(kind._wholes(values, folder, backbone))
        return kind

    def _read_by_model(self, pixels: np.ndarray, backbone: ImageBackbone) -> np.ndarray:
        """What the model makes of images (n, 3, H, W): (n, k + S, D), the whole in the first k."""
        return backbone.image_vectors(
            self.folder_of_model(),
            pixels,
            gain=self.gain,
            offset=self.offset,
            n_locations=self.n_locations,
        )

    def _vectors(
        self, pixels: np.ndarray, backbone: ImageBackbone
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the model, as others have trained it, makes of images; NaN where there is none.

        Shape:
            pixels (N, 3, H, W) -> the whole (N, k D), and the map (N, S, D) in half precision, of
            which there is none where no target reads it.
        """
        there = np.flatnonzero(pixels.reshape(len(pixels), -1).any(axis=1))
        kept = self.tokens + (self.n_locations if self.mapped else 0)

        def read(part: list[int]) -> list[np.ndarray]:
            return list(self._read_by_model(pixels[there[part]], backbone)[:, :kept].copy())

        # Images of the same content are read once, wherever they stand.
        by = (self.home, kept, *self.size)
        keys = [(*by, blake2b(pixels[row].tobytes()).digest()) for row in there]
        whole = np.full((len(pixels), self.tokens * self.depth), np.nan, np.float32)
        cells = np.full((len(pixels), kept - self.tokens, self.depth), np.nan, np.float16)
        for row, vectors in zip(there, _CACHE(keys, read, BATCH), strict=True):
            whole[row] = vectors[: self.tokens].ravel()
            cells[row] = np.clip(vectors[self.tokens :], -LARGEST_HALF, LARGEST_HALF)
        return whole, cells

    def encode(
        self, values: Column, folder: str = "", *, load_backbone: LoadBackbone = no_backbone
    ) -> np.ndarray:
        """Pixels as of kind image where the model is trained, else what it makes of them.

        Returns:
            uint8 (N, 3, H, W); or the whole, standardised, float32 (N, k D); or where a target
            reads the map both, half precision (N, k + S, D), NaN where there is no image.

        Raises:
            DataError: files that are missing, no image or too large, with their rows.
        """
        pixels = self.pixels(values, folder)
        if self.trained:
            return pixels
        whole, cells = self._vectors(pixels, load_backbone())
        whole = standardised(whole, self.mean, self.scale)
        if not self.mapped:
            return whole
        first = whole.reshape(len(whole), self.tokens, self.depth).astype(np.float16)
        return np.concatenate([first, cells], axis=1)

    def _wholes(self, values: Column, folder: str, backbone: ImageBackbone) -> np.ndarray:
        """The whole of each image (N, k D) as others have trained the model, NaN without one."""
        return self._vectors(self.pixels(values, folder), backbone)[0]

    def features(
        self, values: Column, folder: str = "", *, load_backbone: LoadBackbone = no_backbone
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        return as_features(self.column, self._wholes(values, folder, load_backbone()))

    def describe(self) -> str:
        return f"{super().describe()} by {self.how}"


def _preparation(column: str, home: Path) -> tuple[list[float], list[float], int]:
    """How a checkpoint wants its images: gain and offset of each colour, and the side in pixels.

    Raises:
        DataError: the file is no JSON object, or does not say what images are normalised with.
    """
    config = read_json(column, home / SIGNAL_FILES[0])
    steps = read_json(column, home / SIGNAL_FILES[2])
    channels = config.get("num_channels", COLOURS)
    factor = steps.get("rescale_factor", 1 / 255) if steps.get("do_rescale", True) else 1.0
    shift = -1.0 if steps.get("rescale_offset") else 0.0  # then bytes run from -1 to 1
    means: Any = [0.0] * COLOURS
    spreads: Any = [1.0] * COLOURS
    if steps.get("do_normalize", True):
        means, spreads = steps.get("image_mean"), steps.get("image_std")
    right = all(isinstance(x, list) and len(x) == channels == COLOURS for x in (means, spreads))
    if not right:
        given = f"the model in {home} reads {channels} colours, with means {means} taken off"
        allowed = "3 colours, with image_mean and image_std in preprocessor_config.json"
        fix = "choose a checkpoint of images in RGB"
        raise DataError(message(location(column=column), given, allowed, fix=fix))
    size = steps.get("crop_size") if steps.get("do_center_crop") else steps.get("size")
    size = size or config.get("image_size") or USUAL_SIDE
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge") or USUAL_SIDE
    side = size if isinstance(size, int) else size[0]
    gain = [factor / s for s in spreads]
    return gain, [(shift - m) / s for m, s in zip(means, spreads, strict=True)], int(side)
