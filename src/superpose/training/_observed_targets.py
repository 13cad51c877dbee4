"""Which targets a network is shown while it learns, so that one training serves every subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from superpose.kinds import TargetKind
from superpose.models import observed_columns
from superpose.nn import GIVEN

from ._batches import Batch

# Half of the rows of a batch are shown nothing: that is how most rows are met later.
SHOWN = 0.5


class ObservedTargets:
    """Draw the labels that are observed, and write them as the array that a network reads.

    Args:
        kinds: The fitted targets, in the order of the network's heads.
        labels: Encoded labels (N,) or (N, L) of each.
        seed: Seed of the fixed draw by which networks are validated.
        device: Where the networks are.
    """

    def __init__(
        self,
        kinds: Sequence[TargetKind],
        labels: Sequence[np.ndarray],
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        values, owners = observed_columns(kinds, labels)
        known = np.stack(
            [kind.distribution.known(y) for kind, y in zip(kinds, labels, strict=True)], axis=1
        )
        shown_half = np.random.default_rng([seed, 5]).random(known.shape) < 0.5
        self.values = torch.from_numpy(values).to(device)
        self.owners = torch.from_numpy(owners).to(device)
        self.known = torch.from_numpy(known).to(device)
        self.shown_half = torch.from_numpy(shown_half).to(device)
        every = slice(None)
        self._half_blocks = (
            self.block(every, self.shown_half),
            self.block(every, ~self.shown_half),
        )

    def __call__(self, batch: Batch) -> Batch:
        """Show the networks some targets of a batch; those they are shown carry no loss."""
        observed = self.draw(batch.rows)
        if (mixed := batch.mixed()) is not None:  # what was measured is of another row
            observed = observed & ~mixed[..., None]
        inputs = {**batch.inputs, GIVEN: self.block(batch.rows, observed)}
        return replace(batch, inputs=inputs, observed=observed)

    def draw(self, rows: Tensor) -> Tensor:
        """Choose for each row of a batch the targets that are shown, (P, B) -> (P, B, T).

        Half of the rows are shown nothing; of the others, any number of targets from one to all but
        one is equally likely: subsets drawn target by target are hardly ever small or whole.
        """
        targets = self.known.shape[1]
        shape = (*rows.shape, 1)
        count = torch.randint(1, max(targets, 2), shape, device=rows.device)
        count = count * (torch.rand(shape, device=rows.device) < SHOWN)
        order = torch.rand((*rows.shape, targets), device=rows.device).argsort(-1).argsort(-1)
        return (order < count) & self.known[rows]

    def block(self, rows: Tensor | slice, observed: Tensor) -> Tensor:
        """Write what is observed (..., T) of some rows as the network reads it, (..., R)."""
        return torch.where(observed[..., self.owners], self.values[rows], torch.nan)

    def nothing(self) -> Tensor:
        """Return the block (N, R) in which no target is observed."""
        return torch.full_like(self.values, torch.nan)

    def half_blocks(self) -> tuple[Tensor, Tensor]:
        """Return blocks (N, R) of all rows: one shows one half of the labels, one the other."""
        return self._half_blocks
