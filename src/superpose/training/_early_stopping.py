"""Early stopping per target: which epoch each target keeps, and what held-out rows were told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from superpose.kinds import TargetKind
from superpose.models.network import average_rows
from superpose.nn import StateDict


class EarlyStopping:
    """Follow held-out losses over epochs.

    Every target has its own best epoch. With several folds, the epoch at which a fold's held-out
    rows are judged is the best of the *other* folds, so that no row takes part in choosing the
    network that is judged on it; the epoch that is kept is the best of all folds.

    Answers to "given" come from the networks of one epoch, so that all targets of a row are drawn
    from one model: the epoch with the least loss, in units of each target's constant, while about
    half of the other targets are given.

    Args:
        kinds: The targets.
        labels: Encoded labels (N,) or (N, L) of each.
        held: The held-out rows of each fold.
        patience: Epochs without any improvement before ``done``.
        given: Whether an epoch is chosen for "given" too.
    """

    def __init__(
        self,
        kinds: Sequence[TargetKind],
        labels: Sequence[np.ndarray],
        held: Sequence[np.ndarray],
        patience: int,
        given: bool = False,
    ) -> None:
        self.kinds, self.labels, self.validation, self.patience = kinds, labels, held, patience
        t, f = len(kinds), len(held)
        self.curves: list[dict[str, list[float]]] = [{"train": [], "validation": []} for _ in kinds]
        self.best_epoch = [0] * t
        self.best_loss = np.full(t, np.inf)
        self.best_of_others = np.full((t, f), np.inf)
        self.judged: list[list[np.ndarray | None]] = [[None] * f for _ in kinds]
        self.snapshots: dict[int, StateDict] = {}
        self.last_gain = -1
        self.given_epoch = 0 if given else None
        self.given_loss = np.inf
        together = np.concatenate(list(held)) if given else np.zeros(0, int)
        self._given_labels = [y[together] for y in labels]
        self._floors = [
            float(
                np.nanmean(
                    kind.row_loss(y, np.broadcast_to(kind.constant(y), (len(y), kind.width)))
                )
            )
            if kind.known(y).any()
            else np.nan
            for kind, y in zip(kinds, self._given_labels, strict=True)
        ]

    def update(
        self,
        epoch: int,
        told: list[list[np.ndarray]],
        train: np.ndarray,
        snapshot: Callable[[], StateDict],
        half: list[list[np.ndarray]] | None = None,
    ) -> None:
        """Take in an epoch.

        Args:
            epoch: Its number, from 0.
            told: For each fold and target the canonical predictions of the fold's held-out rows.
            train: Mean training loss of each target.
            snapshot: Copies the weights of all networks.
            half: Predictions as ``told``, with about half of the other targets given.
        """
        for t, kind in enumerate(self.kinds):
            losses = [
                kind.row_loss(self.labels[t][rows], said[t])
                for rows, said in zip(self.validation, told, strict=True)
            ]
            # Per row and over all folds: with repeats, other folds hold a fold's rows too.
            sums, counts = np.zeros((2, len(self.labels[t])))
            for rows, loss in zip(self.validation, losses, strict=True):
                known = kind.known(self.labels[t][rows])
                # A prediction that is not a number is no missing label: it is the worst there is.
                sums[rows] += np.where(known, np.where(np.isnan(loss), np.inf, loss), 0.0)
                counts[rows] += known
            total, count = sums.sum(), max(counts.sum(), 1)
            self.curves[t]["train"].append(float(train[t]))
            self.curves[t]["validation"].append(float(total / count))
            for f, rows in enumerate(self.validation):
                mine = rows if len(self.validation) > 1 else rows[:0]
                heard = np.delete(counts, mine).sum()
                others = np.delete(sums, mine).sum() / max(heard, 1)
                # With no label to judge by the newest network is kept, not the first.
                if others < self.best_of_others[t, f] or epoch == 0 or not heard:
                    self.best_of_others[t, f], self.judged[t][f] = others, told[f][t]
            if total / count < self.best_loss[t] * (1 - 1e-4) or epoch == 0:
                self.best_loss[t], self.best_epoch[t], self.last_gain = total / count, epoch, epoch
            elif not counts.any():
                self.best_epoch[t] = epoch
        if half is not None:
            share = self._relative_loss(half)
            if share < self.given_loss * (1 - 1e-4) or epoch == 0:
                self.given_loss, self.given_epoch, self.last_gain = share, epoch, epoch
        wanted = {*self.best_epoch, self.given_epoch}
        if epoch in wanted:
            self.snapshots[epoch] = snapshot()
        self.snapshots = {e: s for e, s in self.snapshots.items() if e in wanted}

    def _relative_loss(self, told: list[list[np.ndarray]]) -> float:
        """The held-out loss in units of the best constant's, averaged over the targets."""
        shares = []
        for t, (kind, y) in enumerate(zip(self.kinds, self._given_labels, strict=True)):
            if not np.isnan(self._floors[t]):
                losses = kind.row_loss(y, np.concatenate([said[t] for said in told]))
                # A row that is no number is a wrong answer, not a missing label.
                losses = np.where(np.isnan(losses) & kind.known(y), np.inf, losses)
                shares.append(float(np.nanmean(losses) / max(self._floors[t], 1e-9)))
        return float(np.mean(shares)) if shares else 0.0

    def last_losses(self) -> list[float]:
        """Return the held-out loss of each target in the last epoch."""
        return [curve["validation"][-1] for curve in self.curves]

    def done(self, epoch: int) -> bool:
        """Tell whether no target has gained for ``patience`` epochs."""
        return epoch - self.last_gain >= self.patience

    def held_out(self) -> list[np.ndarray]:
        """Return each target's held-out predictions (N, K), averaged where folds overlap."""
        return [
            average_rows(len(y), self.validation, [np.asarray(x) for x in told])
            for y, told in zip(self.labels, self.judged, strict=True)
        ]

    def pack(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Split into JSON facts and tensors for a checkpoint."""
        facts = {
            "curves": self.curves,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss.tolist(),
            "best_of_others": self.best_of_others.tolist(),
            "last_gain": self.last_gain,
            "given_epoch": self.given_epoch,
            "given_loss": self.given_loss,
        }
        tensors = {f"snapshot/{e}/{k}": v for e, s in self.snapshots.items() for k, v in s.items()}
        for t, folds in enumerate(self.judged):
            tensors |= {
                f"judged/{t}/{f}": torch.from_numpy(np.asarray(x)) for f, x in enumerate(folds)
            }
        return json.loads(json.dumps(facts)), tensors

    def unpack(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Put back what ``pack`` split."""
        self.curves, self.best_epoch = facts["curves"], facts["best_epoch"]
        self.best_loss = np.array(facts["best_loss"])
        self.best_of_others = np.array(facts["best_of_others"])
        self.last_gain = facts["last_gain"]
        self.given_epoch, self.given_loss = facts["given_epoch"], facts["given_loss"]
        for name, value in tensors.items():
            what, first, rest = name.split("/", 2)
            if what == "snapshot":
                self.snapshots.setdefault(int(first), {})[rest] = value
            else:
                self.judged[int(first)][int(rest)] = value.numpy()


class EpochShare:
    """The share of a training that is done after each epoch, as far as it can be known.

    Early stopping puts the end off with every gain. So each epoch takes its part of what is left if
    no target gains again: the share grows with every epoch and is 1 after the last.

    Args:
        epochs: Epochs at most.

    Example:
        >>> share = EpochShare(100)
        >>> watch = EarlyStopping([], [], [], patience=3)
        >>> [round(share(epoch, watch), 2) for epoch in range(3)]
        [0.33, 0.67, 1.0]
    """

    def __init__(self, epochs: int) -> None:
        self.epochs, self.share = epochs, 0.0

    def __call__(self, epoch: int, watch: EarlyStopping) -> float:
        """Take in an epoch."""
        left = min(self.epochs - 1, watch.last_gain + watch.patience) - epoch
        self.share += (1 - self.share) / (max(left, 0) + 1)
        return self.share
