"""The head of text: how likely a label's tokens are, and the tokens that are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from ._base import Head
from ._text_decoder import TextDecoder, Writing


@dataclass(frozen=True, eq=False)
class TextHead(Head):
    """The logarithm of the chance of each token of the label, then the tokens that are written.

    Args:
        kind: The fitted target, which knows the decoder and its settings.
    """

    kind: Any

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind)

    @property
    def n_outputs(self) -> int:
        return int(self.kind.distribution.n_columns)

    def module(self, task_dim: int) -> nn.Module:
        names = ("prefix", "tokens", "train", "rate", "beams")
        writing = Writing(end=self.kind.end, **{name: self.kind.settings[name] for name in names})
        return TextDecoder(self.kind.config, self.kind.weights, task_dim=task_dim, writing=writing)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        known = ~y.isnan()
        each = torch.where(known, -out[..., : y.shape[-1]], 0.0)
        return each.sum(-1) / known.sum(-1).clamp(min=1)

    def link(self, out: Tensor) -> Tensor:
        half = out.shape[-1] // 2
        return torch.cat([out[..., :half].exp(), out[..., half:]], -1)
