"""Random variations of words while networks learn: made unknown, or replaced by synonyms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._augment import Augment
from ._rephrase import RephraseAugment

PAD, UNKNOWN = 0, 1


@dataclass(frozen=True)
class TokenAugment(Augment):
    """Replace words by others that mean the same, and make some unknown; every position stays.

    Only whole texts that are rephrased have other positions.

    Args:
        drop: Chance of a word to become unknown.
        replace: Chance of a word with others to be replaced by one of them.
        others: For numbers of words the encodings of what may stand for them.
        rephrase: What puts whole texts in other words before that.

    Example:
        >>> augment = TokenAugment(0.0, 1.0, {5: [[8]]})
        >>> augment(torch.tensor([[[5, 7, 0]]]))[0].tolist()
        [[[8, 7, 0]]]
    """

    drop: float
    replace: float = 0.0
    others: Mapping[int, Sequence[Sequence[int]]] | None = None
    rephrase: RephraseAugment | None = None

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        if self.rephrase:
            block, _ = self.rephrase(block)
        # Words that are also read by their spelling have several numbers.
        out = block if block.ndim == 4 else block[..., None]
        draw = torch.rand(3, *out.shape[:3], device=block.device)
        there = out[..., 0] != PAD
        if self.others and self.replace:
            counts, starts, flat = (part.to(block.device) for part in self._table)
            number = out[..., 0].clamp(max=len(counts) - 1)
            known = there & (number == out[..., 0]) & (counts[number] > 0)
            pick = starts[number] + (draw[1] * counts[number]).long()
            chosen = flat[torch.where(known, pick, 0)]
            out = torch.where((known & (draw[0] < self.replace))[..., None], chosen, out)
        unknown = torch.zeros(out.shape[-1], dtype=out.dtype, device=block.device)
        unknown[0] = UNKNOWN
        out = torch.where((there & (draw[2] < self.drop))[..., None], unknown, out)
        return out.reshape(block.shape), None

    @cached_property
    def _table(self) -> tuple[Tensor, Tensor, Tensor]:
        """How many others each number has, where they begin, and all of them, (n, width)."""
        assert self.others is not None
        counts = np.zeros(max(self.others) + 1, np.int64)
        for number, several in self.others.items():
            counts[number] = len(several)
        rows = [row for number in sorted(self.others) for row in self.others[number]]
        flat = np.array(rows, np.int64)
        starts = np.cumsum(counts) - counts
        return torch.from_numpy(counts), torch.from_numpy(starts), torch.from_numpy(flat)


def sequence_augment(kind: Any) -> Augment | None:
    """Build what augments an input of kind "sequence"."""
    return TokenAugment(kind.dropped) if kind.dropped else None


def text_augment(kind: Any) -> Augment | None:
    """Build what augments an input of kind "text"."""
    settings = kind.augmented
    if settings is None:
        return None
    rephrase = None
    if kind.rephrased:
        before, after = map(torch.from_numpy, kind.rephrased_texts())
        rephrase = RephraseAugment(settings["rephrase"], before, after)
    others = kind.synonym_numbers()
    return TokenAugment(settings["drop"], settings["replace"], others, rephrase)
