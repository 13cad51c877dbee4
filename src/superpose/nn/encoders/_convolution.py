"""The convolution of the built-in encoder of images."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


class StandardConv2d(nn.Conv2d):
    """A convolution whose filters have the mean 0 and the norm 1, whatever its weights.

    Behind group norm it learns as fast as batch norm does, and a row is still read as if it were
    alone.

    Args:
        As of ``torch.nn.Conv2d``.

    Shape:
        x (B, C, H, W) -> (B, O, H', W').

    Example:
        >>> import torch
        >>> StandardConv2d(3, 8, 3, padding=1)(torch.zeros(2, 3, 5, 5)).shape
        torch.Size([2, 8, 5, 5])

    Source:
        Qiao et al. 2019, "Weight Standardization", eq. 4; departs by dividing by the root of the
        fan-in too, so that the outputs of unit noise have unit variance.
    """

    def forward(self, x: Tensor) -> Tensor:
        # A layer norm gives the variance 1, in one call each way where its parts were fifteen.
        flat = self.weight.flatten(1)
        fan = flat.shape[1]
        flat = F.layer_norm(flat, (fan,), eps=1e-6 / fan) / math.sqrt(fan)
        return self._conv_forward(x, flat.view_as(self.weight), self.bias)
