"""The losses of several targets, well scaled and blind to missing labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from superpose.kinds import TargetKind
from superpose.models.network import raw_outputs
from superpose.nn import Head, Outputs, head_of

from ._batches import Batch
from ._jobs import Job, group_jobs

# The weight of a target is one over the loss of its baseline, so that every target counts by the
# share of its uncertainty that is explained. A target that is almost always the same would get a
# weight without limit; this floor keeps noise from a handful of positives small.
SMALLEST_BASELINE = 0.1


@dataclass(frozen=True)
class _Group:
    """Targets of one kind in the same networks, whose losses are computed together."""

    kind: TargetKind
    head: Head
    networks: slice
    heads: list[int]  # in these networks
    targets: list[int]  # among all
    labels: Tensor  # (N, G) or (N, G, L)
    scales: Tensor  # (G,) weight over the loss of the baseline
    weights: Tensor  # (G,) that over the rate of labelled rows


class Objective:
    """Turn raw outputs into one weighted loss per network and target.

    Args:
        kinds: The fitted targets.
        labels: For each target its encoded labels (N,) or (N, L), NaN where missing.
        jobs: The targets and the rows of each network.
        rows: Training rows; label rates and baselines are read there only.
        weights: Weight of each target in the sum of the losses (default 1 each).
        device: Where the networks are.
    """

    def __init__(
        self,
        kinds: Sequence[TargetKind],
        labels: Sequence[np.ndarray],
        jobs: Sequence[Job],
        *,
        rows: np.ndarray,
        weights: Sequence[float] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.job_groups = group_jobs(jobs)
        self.shape = (len(jobs), len(jobs[0].targets))
        scale = [
            weight / _baseline_loss(kind, y[rows])
            for kind, y, weight in zip(kinds, labels, weights or [1.0] * len(kinds), strict=True)
        ]
        rate = [
            _label_rate(kind, y, rows=rows, learned=[job.train for job in jobs if t in job.targets])
            for t, (kind, y) in enumerate(zip(kinds, labels, strict=True))
        ]

        def group(networks: slice, own: Sequence[int], heads: list[int]) -> _Group:
            targets = [own[head] for head in heads]
            stacked = torch.as_tensor(np.stack([labels[t] for t in targets], 1))
            return _Group(
                kind=kinds[targets[0]],
                head=head_of(kinds[targets[0]]),
                networks=networks,
                heads=heads,
                targets=targets,
                labels=stacked.to(device=device, dtype=torch.float32),
                scales=torch.tensor([scale[t] for t in targets], dtype=torch.float32).to(device),
                weights=torch.tensor([scale[t] / rate[t] for t in targets], dtype=torch.float32).to(
                    device
                ),
            )

        self.groups = [
            [group(networks, own, heads) for heads in _alike([kinds[t] for t in own])]
            for own, networks in self.job_groups
        ]

    def losses(self, out: Tensor | Outputs, batch: Batch) -> Tensor:
        """Weigh the losses of a batch; a target that the network is shown carries none.

        Shape:
            out (P, B, M, T, O), or outputs of a dense network -> (P, T), where T is the number of
            targets of a network.
        """
        losses = []
        for groups in self.groups:
            columns: dict[int, Tensor] = {}
            for group in groups:
                raw, labels = self._read(group, out, batch)
                loss = group.head.loss(raw, labels[:, :, None])  # (P, B, M, G)
                means = (loss.mean((1, 2)) * group.weights).unbind(-1)
                columns |= dict(zip(group.heads, means, strict=True))
            losses.append(torch.stack([columns[head] for head in range(self.shape[1])], dim=-1))
        return torch.cat(losses)

    @torch.no_grad()
    def observe(self, out: Tensor | Outputs, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what balancing reads: losses that are never negative, and who has a label at all.

        Shape:
            out as of ``losses`` -> (P, T) and bool (P, T).
        """
        losses, present = torch.zeros(2, *self.shape, device=batch.rows.device)
        for group in (group for groups in self.groups for group in groups):
            raw, labels = self._read(group, out, batch)
            known = ~labels.isnan()
            known = known if known.ndim == 3 else known.any(-1)  # (P, B, G)
            loss = group.head.nonnegative_loss(raw, labels[:, :, None])
            # Per labelled row: a target that is rare in this batch has not come any further.
            count = known.sum(1)
            mean = loss.mean(2).sum(1) / count.clamp(min=1)
            losses[group.networks][:, group.heads] = mean * group.scales
            present[group.networks][:, group.heads] = (count > 0).to(present.dtype)
        return losses, present.bool()

    @staticmethod
    def _read(group: _Group, out: Tensor | Outputs, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return a group's outputs (P, B, M, G, O) and labels (P, B, G) or (P, B, G, L)."""
        networks = group.networks
        raw = raw_outputs(out, group.heads, group.kind)[networks]
        located = group.kind.locations.of if group.kind.locations else None
        labels = group.labels[batch.rows[networks]]
        if (of_all := batch.augmented.get(located)) is not None:
            record = of_all.of(networks)
            labels = group.head.transform_labels(labels.squeeze(2), record)[:, :, None]
        if (mixed := batch.mixed(but=located)) is not None:
            mixed = mixed[networks].view(*labels.shape[:2], *(1,) * (labels.ndim - 2))
            labels = labels.masked_fill(mixed, torch.nan)
        if batch.observed is not None:
            observed = batch.observed[networks][..., group.targets]
            observed = observed if observed.ndim == labels.ndim else observed[..., None]
            labels = labels.masked_fill(observed, torch.nan)
        return raw, labels


def _alike(kinds: Sequence[TargetKind]) -> list[list[int]]:
    """Group the heads of a network whose formulas agree: their losses are computed together."""
    together: dict[tuple[str, Head] | int, list[int]] = {}
    for index, kind in enumerate(kinds):
        key = (kind.name, head_of(kind)) if kind.has_linear_head else index
        together.setdefault(key, []).append(index)
    return list(together.values())


def _baseline_loss(kind: TargetKind, y: np.ndarray) -> float:
    """The mean loss of the best prediction that ignores the inputs."""
    if not kind.distribution.known(y).any():
        return 1.0
    baseline = np.broadcast_to(kind.distribution.baseline(y), (len(y), kind.distribution.n_columns))
    return max(float(np.nanmean(kind.distribution.row_loss(y, baseline))), SMALLEST_BASELINE)


def _label_rate(
    kind: TargetKind, y: np.ndarray, *, rows: np.ndarray, learned: Sequence[np.ndarray]
) -> float:
    """The share of the rows with a label; 1 where the networks' own rows have no gaps."""
    known = [kind.distribution.known(y[train]) for train in learned]
    if all(own.all() or not own.any() for own in known):
        return 1.0
    return float(kind.distribution.known(y[rows]).mean())
