"""Pretrained models of images as encoders: a token for the whole, and a map of its locations."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superpose.nn.encoders._maps import MapEncoder, where_seen
from superpose.nn.encoders._vectors import VectorEncoder

from ._pretrained import Tuning, by_layer, frozen, pretrained_model, with_adapters

MAP_WIDTH = 128  # most numbers of a location that heads read


class ChannelAffine(nn.Module):
    """What a batch norm does once it is trained: a scale and a shift of each channel.

    A norm over the batch would let a row's prediction depend on its neighbours. Both numbers are
    weights, so that they are kept with the others and may be trained further.

    Example:
        >>> norm = nn.BatchNorm2d(3).eval()
        >>> x = torch.randn(2, 3, 4, 4)
        >>> bool(torch.allclose(ChannelAffine(norm)(x), norm(x), atol=1e-6))
        True

    Source:
        Ioffe and Szegedy 2015, algorithm 2, line 11.
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        scale = norm.weight.detach() / (variance + norm.eps).sqrt()
        self.weight = nn.Parameter(scale)
        self.bias = nn.Parameter(norm.bias.detach() - mean * scale)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def image_model(config: dict[str, Any], folder: Path | None) -> nn.Module:
    """Build a model of ``transformers`` that reads images, without any norm over the batch.

    Args:
        config: What stands in its config.json.
        folder: Folder with its weights as safetensors; None starts with random ones.

    Raises:
        ValueError: It reads something else than images, or the file lacks weights.
    """
    model = pretrained_model(config, folder, complete=True)
    reads = getattr(model, "main_input_name", "")
    if reads != "pixel_values":
        raise ValueError(f"a model of type {config.get('model_type')} reads {reads}, not images")
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
            above, _, own = name.rpartition(".")
            setattr(model.get_submodule(above), own, ChannelAffine(module))
    return model


def stride_of(model: nn.Module, side: int) -> int:
    """Find how many pixels on a side a location of a model's map has.

    Args:
        model: A model of ``image_model``.
        side: Height and width in pixels of an image that it reads.

    Raises:
        ValueError: Its output is no map.
    """
    with torch.no_grad():
        hidden = _last(model, torch.zeros(1, 3, side, side))
    if hidden.ndim == 4 and hidden.shape[-1] == hidden.shape[-2]:
        return int(2 ** round(torch.log2(torch.tensor(side / hidden.shape[-1])).item()))
    patch = getattr(model.config, "patch_size", 0)
    patch = patch if isinstance(patch, int) else patch[0]
    if hidden.ndim == 3 and patch:
        # Some merge patches from stage to stage; before them stand a few tokens of the whole.
        for stride in (patch * 2**k for k in range(6)):
            if 0 <= hidden.shape[1] - (side // stride) ** 2 <= MOST_TOKENS:
                return int(stride)
    raise ValueError("its output has no location for each part of the image")


MOST_TOKENS = 16  # that stand before the patches: one of the class, and registers


def _last(model: nn.Module, pixels: Tensor, inside: nn.Module | None = None) -> Tensor:
    """The last hidden states; positions are interpolated where the model has an option for it."""
    known = inspect.signature((inside or model).forward).parameters
    options = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in known else {}
    return cast(Tensor, model(pixel_values=pixels, **options).last_hidden_state)


def whole_and_locations(
    model: nn.Module, pixels: Tensor, n_locations: int, *, inside: nn.Module | None = None
) -> tuple[Tensor, Tensor]:
    """Read images with a model: a vector of the whole, and one for each location.

    The whole is the mean of the locations, behind the first token where the model has one.

    Args:
        model: A model of ``image_model``, or one with adapters around it.
        pixels: Normalised as the checkpoint wants it, (B, 3, H, W).
        n_locations: Number S of locations.
        inside: The model itself where ``model`` has adapters around it.

    Shape:
        (B, D) or (B, 2 D), and (B, S, D), row by row.

    Source:
        The first token beside the mean of patches: Oquab et al. 2023 (DINOv2), section 7.1.
    """
    hidden = _last(model, pixels, inside)
    if hidden.ndim == 4:
        locations = hidden.flatten(-2).transpose(-1, -2)
        return locations.mean(-2), locations
    locations = hidden[:, hidden.shape[1] - n_locations :]
    if hidden.shape[1] == n_locations:
        return locations.mean(-2), locations
    return torch.cat([hidden[:, 0], locations.mean(-2)], -1), locations


class FrozenImages:
    """Run a model of images as others have trained it."""

    def stride(self, home: Path, side: int) -> int:
        """Return how many pixels on a side a cell of the model's map has.

        Args:
            home: The folder of the model.
            side: Height and width in pixels of the images that it reads.
        """
        return stride_of(frozen(image_model, home), side)

    @torch.no_grad()
    def image_vectors(
        self,
        home: Path,
        pixels: np.ndarray,
        *,
        gain: Sequence[float],
        offset: Sequence[float],
        n_locations: int,
    ) -> np.ndarray:
        """Return the vectors of whole images, and of each cell of their maps.

        Args:
            home: The folder of the model.
            pixels: Images.
            gain: What a byte of each colour is times.
            offset: What is added to each colour then.
            n_locations: Number S of cells.

        Shape:
            pixels (n, 3, H, W) -> (n, k + S, D), the whole in the first k.
        """
        model = frozen(image_model, home)
        times, plus = (torch.tensor(x)[:, None, None] for x in (gain, offset))
        read = torch.from_numpy(pixels).float() * times + plus
        whole, locations = whole_and_locations(model, read, n_locations)
        whole = whole.unflatten(-1, (-1, locations.shape[-1]))
        return torch.cat([whole, locations], 1).numpy()


class _Locations(nn.Module):
    """What heads read of each location: fewer numbers, all of one size whatever the model gives."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.out_features = min(features, MAP_WIDTH)
        self.norm = nn.LayerNorm(features)
        self.narrow = nn.Linear(features, self.out_features)

    def forward(self, locations: Tensor) -> Tensor:
        return F.gelu(self.narrow(self.norm(locations)))


class _BackboneEncoder(MapEncoder):
    """What both ways share to use a model: a token, and a map where a head reads it."""

    def __init__(self, features: int, whole: int, n_locations: int) -> None:
        super().__init__()
        self.n_locations = n_locations
        self.map_features = min(features, MAP_WIDTH)
        self.out_features = whole
        self.features = features
        self.narrow: _Locations | None = None

    def open_map(self) -> None:
        if self.narrow is None:
            self.narrow = _Locations(self.features)
            # What was learned of locations says much of the whole: how many, how large a share.
            self.out_features += 2 * self.map_features

    def read(self, block: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the whole (B, W), the locations (B, S, D), and which rows have an image (B,)."""
        raise NotImplementedError

    def map(self, block: Tensor) -> Tensor:
        return self.token_and_map(block)[1]

    def token_and_map(self, block: Tensor) -> tuple[Tensor, Tensor]:
        assert self.narrow is not None, "open_map() builds what a map needs"
        whole, locations, there = self.read(block)
        narrowed = self.narrow(locations)
        token = torch.cat([whole, narrowed.mean(-2), narrowed.amax(-2)], -1)
        return where_seen(there, token[..., None, :]), narrowed

    def seen(self, block: Tensor) -> Tensor:
        rows = block.shape[: -self.axes]
        one = torch.ones((), dtype=torch.bool, device=block.device)
        return one.expand(*rows, self.n_locations)

    axes: int  # of a row of the block

    def forward(self, block: Tensor) -> Tensor:
        if self.narrow is not None:
            return self.token_and_map(block)[0]
        whole, _, there = self.read(block)
        return where_seen(there, whole[..., None, :])


class ReadImage(_BackboneEncoder):
    """Take what a pretrained model has made of images, as it is.

    Args:
        features: Width D of the model.
        whole: Numbers W of the whole, D or 2 D.
        n_locations: Number S of locations.

    Shape:
        block (B, W / D + S, D) float, the whole first, NaN without an image -> tokens (B, 1, W).

    Example:
        >>> ReadImage(8, 16, 4)(torch.zeros(3, 6, 8)).shape
        torch.Size([3, 1, 16])
    """

    axes = 2

    def read(self, block: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        known = block.float().nan_to_num()
        whole = known[..., : -self.n_locations, :]
        locations = known[..., -self.n_locations :, :]
        return whole.flatten(-2), locations, ~block[..., 0, 0].isnan()


class ImageScaling(NamedTuple):
    """How pixels are scaled for a model, and what it makes of them.

    Args:
        gain: What a byte of each colour is times, before it is read.
        offset: What is added to each colour then.
        mean: Of the whole, over training rows, as others have trained the model.
        scale: Its standard deviation.
    """

    gain: Sequence[float]
    offset: Sequence[float]
    mean: Sequence[float]
    scale: Sequence[float]


class PretrainedImage(_BackboneEncoder):
    """Read images with a pretrained model that is trained further.

    Each layer, or stage of a convolutional network, takes ``rate * decay ** n`` of the steps of the
    other weights, with n layers above it. Networks that are trained together under ``vmap`` can't
    hold it.

    Args:
        config: What stands in the model's config.json.
        folder: Folder with its weights; None where they come from a bundle.
        scaling: How pixels and the whole are scaled.
        n_locations: Number S of locations.
        features: Width D of the model.
        tuning: What is trained of it.

    Shape:
        block (B, 3, H, W) uint8, zeros without an image -> tokens (B, 1, W) with W numbers in the
        mean of ``scaling``;
        ``map(block)`` -> (B, S, d).

    Source:
        Layer-wise rates: Howard and Ruder 2018, section 3.2. Adapters: LoRA, Hu et al. 2022.
    """

    axes = 3
    gain: Tensor
    offset: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        config: dict[str, Any],
        folder: Path | None,
        scaling: ImageScaling,
        *,
        n_locations: int,
        features: int,
        tuning: Tuning,
    ) -> None:
        super().__init__(features, len(scaling.mean), n_locations)
        model = image_model(config, folder)
        by_layer(model, tuning.rate, tuning.decay)
        self._inside = [model]  # in a list: with adapters it is a part of the other
        self.model = with_adapters(model) if tuning.adapters else model
        for name, value in scaling._asdict().items():
            self.register_buffer(name, torch.tensor(value), persistent=False)

    def read(self, block: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pixels = block.to(self.gain.dtype) * self.gain[:, None, None] + self.offset[:, None, None]
        whole, locations = whole_and_locations(
            self.model, pixels, self.n_locations, inside=self._inside[0]
        )
        there = block.flatten(-3).any(-1).bool()  # of bytes `any` is a byte
        return (whole - self.mean) / self.scale, locations, there


def pretrained_image_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "pretrained-image"."""
    kind = kinds[0]
    if not kind.trained:
        if kind.mapped:
            return ReadImage(kind.depth, len(kind.mean), kind.n_locations)
        return VectorEncoder(len(kind.mean), width)
    return PretrainedImage(
        kind.config,
        kind.weights,
        ImageScaling(kind.gain, kind.offset, kind.mean, kind.scale),
        n_locations=kind.n_locations,
        features=kind.depth,
        tuning=Tuning.of(kind.settings),
    )
