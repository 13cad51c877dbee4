"""Any encoder of images, asked a second time with the mirrored image."""

from __future__ import annotations

from torch import Tensor

from ._maps import MapEncoder


class Mirrored(MapEncoder):
    """Read images as they are and mirrored when not learning, and take the mean of what was read.

    Heads that are linear in the map then answer with the mean of both answers; what goes through
    the trunk is one answer to the mean of both tokens.

    Args:
        encoder: Reads images (B, 3, H, W).
        wide: Places of its map from left to right.

    Shape:
        As of ``encoder``.

    Example:
        >>> import torch
        >>> from superpose.nn import ImageEncoder
        >>> read = Mirrored(ImageEncoder(16), wide=4).eval()
        >>> image = torch.randint(1, 255, (1, 3, 16, 16), dtype=torch.uint8)
        >>> bool(torch.allclose(read(image), read(image.flip(-1)), atol=1e-5))
        True
    """

    def __init__(self, encoder: MapEncoder, wide: int) -> None:
        super().__init__()
        self.encoder, self.wide, self.rate = encoder, wide, encoder.rate

    @property
    def out_features(self) -> int:  # type: ignore[override] # it grows as the map is opened
        return self.encoder.out_features

    @property
    def map_features(self) -> int:  # type: ignore[override]
        return self.encoder.map_features

    def open_map(self) -> None:
        self.encoder.open_map()

    def map(self, block: Tensor) -> Tensor:
        return self.token_and_map(block)[1]

    def token_and_map(self, block: Tensor) -> tuple[Tensor, Tensor]:
        token, places = self.encoder.token_and_map(block)
        if self.training:
            return token, places
        again, back = self.encoder.token_and_map(block.flip(-1))
        back = back.unflatten(-2, (-1, self.wide)).flip(-2).flatten(-3, -2)
        return (token + again) / 2, (places + back) / 2

    def seen(self, block: Tensor) -> Tensor:
        return self.encoder.seen(block)

    def forward(self, block: Tensor) -> Tensor:
        token = self.encoder(block)
        return token if self.training else (token + self.encoder(block.flip(-1))) / 2
