"""Texts in other words while networks learn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ._augment import Augment


@dataclass(frozen=True)
class RephraseAugment(Augment):
    """Replace the texts of some rows of a batch by the same in other words.

    Args:
        share: Chance of a text with other words to be replaced.
        before: Encoded texts, each of them once.
        after: The same in other words.

    Shape:
        before, after (n, L); a block (P, B, L).

    Example:
        >>> augment = RephraseAugment(1.0, torch.tensor([[5, 7]]), torch.tensor([[8, 0]]))
        >>> augment(torch.tensor([[[5, 7], [7, 5]]]))[0].tolist()
        [[[8, 0], [7, 5]]]
    """

    share: float
    before: Tensor
    after: Tensor

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        keys, before, after = (part.to(block.device) for part in self._by_key)
        at = torch.searchsorted(keys, _keys(block)).clamp(max=len(keys) - 1)
        # A key may stand for several rows by chance: what is replaced is the very row.
        same = (before[at] == block).all(-1)
        chosen = same & (torch.rand(same.shape, device=block.device) < self.share)
        return torch.where(chosen[..., None], after[at], block), None

    @cached_property
    def _by_key(self) -> tuple[Tensor, Tensor, Tensor]:
        """Keys of the texts in order, and the texts before and after in that order."""
        keys, order = _keys(self.before).sort()
        return keys, self.before[order], self.after[order]


def _keys(rows: Tensor) -> Tensor:
    """A number for each row of whole numbers, (..., L) -> (...)."""
    positions = torch.arange(1, rows.shape[-1] + 1, device=rows.device)
    # Whole numbers wrap around, which mixes them.
    return (rows * (positions * 0x9E3779B97F4A7C1 + 1)).sum(-1)
