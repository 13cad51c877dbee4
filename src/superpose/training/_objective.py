"""The joint loss of several targets, well scaled and blind to missing labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from superpose.kinds import TargetKind
from superpose.models.network import raw_outputs
from superpose.nn import Outputs

# The weight of a target is one over the loss of its best constant prediction, so that every target
# counts by the share of its uncertainty that is explained. A target that is almost always the same
# would get a weight without limit; this floor keeps noise from a handful of positives small.
SMALLEST_CONSTANT_LOSS = 0.1

# How the inputs of a batch were varied, by their names.
Varied = Mapping[str | None, Any]


def mixed_rows(moved: Varied | None, but: str | None = None) -> Tensor | None:
    """Return which rows of a batch show another row in part, bool (P, B); None for none.

    Args:
        moved: How the inputs were varied, by their names.
        but: The input that is not looked at, whose places a target follows.
    """
    found = None
    for name, change in (moved or {}).items():
        if change is not None and change.mixed is not None and name != but:
            found = change.mixed if found is None else found | change.mixed
    return found


@dataclass(frozen=True)
class _Group:
    """Targets of one kind and size, whose losses are computed together."""

    kind: TargetKind
    places: list[int]
    labels: Tensor  # (N, G) or (N, G, L)
    scales: Tensor  # (G,) weight over the loss of the best constant
    weights: Tensor  # (G,) that over the rate of labelled rows


class Objective:
    """Turn raw outputs into one weighted loss per network and target.

    Args:
        kinds: The fitted targets, in the order of the network's heads.
        labels: For each target its encoded labels (N,) or (N, L), NaN where missing.
        rows: Training rows; label rates and constant losses are read there only.
        weights: Weight of each target in the joint loss (default 1 each).
        device: Where the networks are.
        solo: Each network has one target: the first P/T networks the first target, and so on.
    """

    def __init__(
        self,
        kinds: Sequence[TargetKind],
        labels: Sequence[np.ndarray],
        rows: np.ndarray,
        weights: Sequence[float] | None = None,
        solo: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.kinds, self.solo = list(kinds), solo
        found = zip(kinds, labels, weights or [1.0] * len(kinds), strict=True)
        scale = [weight / _constant_loss(kind, y[rows]) for kind, y, weight in found]
        # A network with one target learns from the rows that have its label: there the rate is 1.
        rate = [
            1.0 if solo else _labelled(kind, y[rows]) for kind, y in zip(kinds, labels, strict=True)
        ]
        together: dict[tuple[str, int], list[int]] = {}
        for place, kind in enumerate(kinds):
            # Targets of a joint network are computed together where their formulas agree.
            alike = not solo and not kind.fitted_loss and kind.plain_head
            key = (kind.name if alike else f"{kind.name} {place}", kind.size)
            together.setdefault(key, []).append(place)
        self.groups = [
            _Group(
                kinds[places[0]],
                places,
                torch.as_tensor(np.stack([labels[p] for p in places], 1), dtype=torch.float32).to(
                    device
                ),
                torch.tensor([scale[p] for p in places], dtype=torch.float32).to(device),
                torch.tensor([scale[p] / rate[p] for p in places], dtype=torch.float32).to(device),
            )
            for places in together.values()
        ]

    def losses(
        self,
        out: Tensor | Outputs,
        rows: Tensor,
        shown: Tensor | None = None,
        moved: Varied | None = None,
    ) -> Tensor:
        """Weigh the losses of a batch; a target that the network was told carries none.

        Shape:
            out (P, B, M, T, O), or outputs of a dense network; rows (P, B), shown (P, B, T) ->
            (P, T); with ``solo`` out (P, B, M, 1, O) -> (P / T, T). ``moved`` tells how the inputs
            of the batch were varied, by their names.
        """
        columns: list[Tensor] = [torch.zeros(())] * len(self.kinds)
        for group, raw, labels in self._each(out, rows, shown, moved):
            loss = group.kind.loss(raw, labels[:, :, None])  # (P, B, M, G)
            means = (loss.mean((1, 2)) * group.weights).unbind(-1)
            for place, column in zip(group.places, means, strict=True):
                columns[place] = column
        return torch.stack(columns, dim=-1)

    @torch.no_grad()
    def observe(
        self,
        out: Tensor | Outputs,
        rows: Tensor,
        shown: Tensor | None = None,
        moved: Varied | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return what balancing reads: losses that are never negative, and who has a label at all.

        Shape:
            out and the others as of ``losses`` -> (P, T) and bool (P, T).
        """
        losses, present = torch.zeros(2, len(rows), len(self.kinds), device=rows.device)
        for group, raw, labels in self._each(out, rows, shown, moved):
            known = ~labels.isnan()
            known = known if known.ndim == 3 else known.any(-1)  # (P, B, G)
            loss = group.kind.positive_loss(raw, labels[:, :, None])
            # Per labelled row: a target that is rare in this batch has not come any further.
            count = known.sum(1)
            losses[:, group.places] = loss.mean(2).sum(1) / count.clamp(min=1) * group.scales
            present[:, group.places] = (count > 0).to(present.dtype)
        return losses, present.bool()

    def _each(
        self,
        out: Tensor | Outputs,
        rows: Tensor,
        shown: Tensor | None,
        moved: Varied | None = None,
    ) -> Iterator[tuple[_Group, Tensor, Tensor]]:
        """Yield groups with their outputs (P, B, M, G, O) and labels (P, B, G) or (P, B, G, L)."""
        for group in self.groups:
            mine = self.networks_of(group.places[0], len(rows))
            raw = raw_outputs(out, [0] if self.solo else group.places, group.kind)[mine]
            labels = group.labels[rows[mine]]
            if moved and (change := moved.get(group.kind.source)) is not None:
                labels = group.kind.follow(labels.squeeze(2), change.of(mine))[:, :, None]
            if (mixed := mixed_rows(moved, but=group.kind.source)) is not None:
                mixed = mixed[mine].view(*labels.shape[:2], *(1,) * (labels.ndim - 2))
                labels = labels.masked_fill(mixed, torch.nan)
            if shown is not None:
                told = shown[..., group.places]
                told = told if told.ndim == labels.ndim else told[..., None]
                labels = labels.masked_fill(told, torch.nan)
            yield group, raw, labels

    def networks_of(self, place: int, count: int) -> slice:
        """Return the networks that learn a target: all, or with ``solo`` its own."""
        if not self.solo:
            return slice(None)
        share = count // len(self.kinds)
        return slice(place * share, (place + 1) * share)


def _constant_loss(kind: TargetKind, y: np.ndarray) -> float:
    if not kind.known(y).any():
        return 1.0
    floor = kind.row_loss(y, np.broadcast_to(kind.constant(y), (len(y), kind.width)))
    return max(float(np.nanmean(floor)), SMALLEST_CONSTANT_LOSS)


def _labelled(kind: TargetKind, y: np.ndarray) -> float:
    rate = float(kind.known(y).mean())
    return rate or 1.0
