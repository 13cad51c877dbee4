"""Which labels a network is told while it learns, so that one training answers every subset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from superpose.kinds import TargetKind
from superpose.models import reveal_columns

# Half of the rows of a batch are told nothing: that is how most rows are met later.
TOLD = 0.5


class Reveal:
    """Draw the labels that are revealed, and write them as the block that a network reads.

    Args:
        kinds: The fitted targets, in the order of the network's heads.
        labels: Encoded labels (N,) or (N, L) of each.
        seed: Seed of the fixed draw by which networks are watched.
        device: Where the networks are.
    """

    def __init__(
        self,
        kinds: Sequence[TargetKind],
        labels: Sequence[np.ndarray],
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        values, owners = reveal_columns(kinds, labels)
        known = np.stack([k.known(y) for k, y in zip(kinds, labels, strict=True)], axis=1)
        self.values, self.owners = torch.from_numpy(values), torch.from_numpy(owners)
        self.known = torch.from_numpy(known)
        self.values, self.owners, self.known = (
            x.to(device) for x in (self.values, self.owners, self.known)
        )
        half = np.random.default_rng([seed, 5]).random(known.shape) < 0.5
        self.half = torch.from_numpy(half).to(device)
        every = slice(None)
        self._halves = self.block(every, self.half), self.block(every, ~self.half)

    def draw(self, rows: Tensor) -> Tensor:
        """Choose for each row of a batch what it is told, (P, B) -> (P, B, T).

        Half of the rows are told nothing; of the others, any number of targets from one to all but
        one is equally likely: subsets drawn target by target are hardly ever small or whole.
        """
        targets = self.known.shape[1]
        shape = (*rows.shape, 1)
        count = torch.randint(1, max(targets, 2), shape, device=rows.device)
        count = count * (torch.rand(shape, device=rows.device) < TOLD)
        order = torch.rand((*rows.shape, targets), device=rows.device).argsort(-1).argsort(-1)
        return (order < count) & self.known[rows]

    def block(self, rows: Tensor | slice, shown: Tensor) -> Tensor:
        """Write what is shown (..., T) of some rows as the network reads it, (..., R)."""
        return torch.where(shown[..., self.owners], self.values[rows], torch.nan)

    def halves(self) -> tuple[Tensor, Tensor]:
        """Return blocks (N, R) of all rows: one shows one half of the labels, one the other."""
        return self._halves
