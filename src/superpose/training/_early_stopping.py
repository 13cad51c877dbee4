"""Early stopping per target: which epoch it keeps, and the predictions it is evaluated by."""

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

# A loss that is lower by less is no gain: it would put the end off for its last digits.
SMALLEST_GAIN = 1e-4

Predictions = Sequence[Sequence[np.ndarray]]


class EarlyStopping:
    """Follow validation losses over epochs.

    Every target has its own best epoch. With several folds, the epoch at which a fold's validation
    rows are evaluated is the best of the *other* folds, so that no row takes part in choosing the
    network that predicts it; the epoch that is kept is the best of all folds. The two halves of the
    validation rows of a single fold are taken as folds are.

    Where targets are given the networks of one epoch predict, so that all targets of a row
    are drawn from one model: the epoch with the least loss, in units of each target's baseline,
    while about half of the other targets are given.

    Args:
        kinds: The targets.
        labels: Encoded labels (N,) or (N, L) of each.
        validation: The validation rows of each fold, or half.
        patience: Epochs without any gain before ``is_done``.
        given: Whether an epoch is chosen for given targets too.
    """

    def __init__(
        self,
        kinds: Sequence[TargetKind],
        labels: Sequence[np.ndarray],
        validation: Sequence[np.ndarray],
        *,
        patience: int,
        given: bool = False,
    ) -> None:
        self.kinds = kinds
        self.labels = labels
        self.validation = validation
        self.patience = patience
        self.curves: list[dict[str, list[float]]] = [{"train": [], "validation": []} for _ in kinds]
        self.best_epoch = [0] * len(kinds)
        self.best_loss = np.full(len(kinds), np.inf)
        self.best_of_others = np.full((len(kinds), len(validation)), np.inf)
        self.kept_predictions: list[list[np.ndarray | None]] = [
            [None] * len(validation) for _ in kinds
        ]
        self.snapshots: dict[int, StateDict] = {}
        self.last_gain = -1
        self.given_epoch = 0 if given else None
        self.given_loss = np.inf
        together = np.concatenate(list(validation)) if given else np.zeros(0, int)
        self._given_labels = [y[together] for y in labels]
        self._baselines = [
            _baseline_loss(kind, y) for kind, y in zip(kinds, self._given_labels, strict=True)
        ]

    def update(
        self,
        epoch: int,
        pred: Predictions,
        *,
        train_losses: np.ndarray,
        snapshot: Callable[[], StateDict],
        half_given: Predictions | None = None,
    ) -> None:
        """Take in an epoch.

        Args:
            epoch: Its number, from 0.
            pred: For each target and fold the canonical predictions of the fold's validation rows.
            train_losses: Mean training loss of each target, (T,).
            snapshot: Copies the weights of all networks.
            half_given: Predictions as ``pred``, with about half of the other targets given.
        """
        for t, by_fold in enumerate(pred):
            self._update_target(t, epoch, by_fold)
            self.curves[t]["train"].append(float(train_losses[t]))
        if half_given is not None:
            share = self._relative_loss(half_given)
            if share < self.given_loss * (1 - SMALLEST_GAIN) or epoch == 0:
                self.given_loss = share
                self.given_epoch = self.last_gain = epoch
        wanted = {*self.best_epoch, self.given_epoch}
        if epoch in wanted:
            self.snapshots[epoch] = snapshot()
        self.snapshots = {e: s for e, s in self.snapshots.items() if e in wanted}

    def _update_target(self, t: int, epoch: int, pred: Sequence[np.ndarray]) -> None:
        """Keep what the epoch is the best for: the target, and its validation rows of each fold."""
        sums, counts = self._row_losses(t, pred)
        loss = sums.sum() / max(counts.sum(), 1)
        self.curves[t]["validation"].append(float(loss))
        for f, rows in enumerate(self.validation):
            own = rows if len(self.validation) > 1 else rows[:0]
            labelled = np.delete(counts, own).sum()
            of_others = np.delete(sums, own).sum() / max(labelled, 1)
            # With no label to compare by the newest network is kept, not the first.
            if of_others < self.best_of_others[t, f] or epoch == 0 or not labelled:
                self.best_of_others[t, f] = of_others
                self.kept_predictions[t][f] = pred[f]
        if loss < self.best_loss[t] * (1 - SMALLEST_GAIN) or epoch == 0:
            self.best_loss[t] = loss
            self.best_epoch[t] = self.last_gain = epoch
        elif not counts.any():
            self.best_epoch[t] = epoch

    def _row_losses(self, t: int, pred: Sequence[np.ndarray]) -> np.ndarray:
        """Sums of the losses of each row, and how many there are, (2, N).

        Per row and over all folds: with repeats, other folds contain a fold's rows too.
        """
        kind, y = self.kinds[t], self.labels[t]
        totals = np.zeros((2, len(y)))
        for rows, own in zip(self.validation, pred, strict=True):
            known = kind.distribution.known(y[rows])
            totals[0, rows] += _worst_if_nan(kind.distribution.row_loss(y[rows], own), known)
            totals[1, rows] += known
        return totals

    def _relative_loss(self, pred: Predictions) -> float:
        """The validation loss in units of the baseline's, averaged over the targets."""
        shares = []
        for t, (kind, y) in enumerate(zip(self.kinds, self._given_labels, strict=True)):
            if not np.isnan(self._baselines[t]):
                losses = kind.distribution.row_loss(y, np.concatenate(pred[t]))
                losses = np.where(np.isnan(losses) & kind.distribution.known(y), np.inf, losses)
                shares.append(float(np.nanmean(losses) / max(self._baselines[t], 1e-9)))
        return float(np.mean(shares)) if shares else 0.0

    def last_losses(self) -> list[float]:
        """Return the validation loss of each target in the last epoch."""
        return [curve["validation"][-1] for curve in self.curves]

    def is_done(self, epoch: int) -> bool:
        """Tell whether no target has gained for ``patience`` epochs."""
        return epoch - self.last_gain >= self.patience

    def oof_predictions(self) -> list[np.ndarray]:
        """Return each target's out-of-fold predictions (N, K), averaged where folds overlap."""
        return [
            average_rows(len(y), self.validation, [np.asarray(pred) for pred in by_fold])
            for y, by_fold in zip(self.labels, self.kept_predictions, strict=True)
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
        for t, folds in enumerate(self.kept_predictions):
            tensors |= {
                f"judged/{t}/{f}": torch.from_numpy(np.asarray(x)) for f, x in enumerate(folds)
            }
        return json.loads(json.dumps(facts)), tensors

    def unpack(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Put back what ``pack`` split."""
        self.curves = facts["curves"]
        self.best_epoch = facts["best_epoch"]
        self.best_loss = np.array(facts["best_loss"])
        self.best_of_others = np.array(facts["best_of_others"])
        self.last_gain = facts["last_gain"]
        self.given_epoch = facts["given_epoch"]
        self.given_loss = facts["given_loss"]
        for name, value in tensors.items():
            what, first, rest = name.split("/", 2)
            if what == "snapshot":
                self.snapshots.setdefault(int(first), {})[rest] = value
            else:
                self.kept_predictions[int(first)][int(rest)] = value.numpy()


def _baseline_loss(kind: TargetKind, y: np.ndarray) -> float:
    """The mean loss of the best prediction that ignores the inputs; NaN without a label."""
    if not kind.distribution.known(y).any():
        return float("nan")
    baseline = np.broadcast_to(kind.distribution.baseline(y), (len(y), kind.distribution.n_columns))
    return float(np.nanmean(kind.distribution.row_loss(y, baseline)))


def _worst_if_nan(losses: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Losses of rows with a label, else 0: a prediction that is no number is the worst there is."""
    return np.where(known, np.where(np.isnan(losses), np.inf, losses), 0.0)
