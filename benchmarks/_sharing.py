"""The multi-task net by itself, under one way to share after another: no trees, mixtures, proof.

Every method gets the same rows, encoding, sizes, batches and early stopping (on the validation
rows, each target at its own best epoch), the same seeds, and the same number of trials. They
differ in how targets share and in nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from _fitted import declared
from _methods import Outcome, Run, canonical
from _table import Table, taken
from superpose.config import Config, TrainingConfig
from superpose.data import Codec, Fold, infer_schema, read_table
from superpose.functional import task_attention_weights
from superpose.methods import FUSION_METHODS, Method
from superpose.models import Fitted, Rows
from superpose.models.network import NetworkModel
from superpose.nn import Architecture, TaskAttention
from superpose.training import TrainingSpec, fit_multi_task, fit_single_task

# A single-task net for each target; the name stands in the stored cells.
ALONE = "alone"


class WithoutSink(TaskAttention):
    """Task attention without a sink: its weights go to the other targets only.

    Of two targets each reads the other with weight one, so that only the gate can turn it down.
    """

    def __init__(self, n_targets: int, task_dim: int, **more: Any) -> None:
        super().__init__(n_targets, task_dim, **more)
        del self.sink

    def weights(self, u: Tensor) -> Tensor:
        nobody = u.new_full((u.shape[-2],), -torch.inf)
        query, key = self.query_and_key(u)
        return task_attention_weights(query, key, pair=self.pair, sink=nobody)


class MemberByMember(TaskAttention):
    """Task attention within each ensemble member by itself."""

    def forward(self, states: Tensor) -> Tensor:
        return super().forward(states[..., None, :, :]).squeeze(-3)


STEPS = {
    "attention-no-sink": Method(__name__, "WithoutSink", "", ""),
    "attention-by-member": Method(__name__, "MemberByMember", "", ""),
}


@contextmanager
def every_step() -> Iterator[None]:
    """Register the steps of the ladder that are no ways to share for anyone to use."""
    FUSION_METHODS.update(STEPS)
    try:
        yield
    finally:
        for name in STEPS:
            del FUSION_METHODS[name]


# Method -> what it changes in the network; every name of FUSION_METHODS stands for itself.
CHANGES: dict[str, dict[str, Any]] = {
    name: {"fusion": name}
    for name in (
        "none", "static", "attention-no-sink", "task-attention", "attention-by-member",
        "inducing", "cross-stitch", "mmoe", "ple", "adatt", "mtan", "born", "born-real", "signed",
        "essay",
    )
}  # fmt: skip
CHANGES["attention-donor-0.3"] = {"fusion": "task-attention", "donor_gradient": 0.3}
# The same as "none" from other initial weights: how far apart luck alone puts two methods.
AGAIN = "none-again"
CHANGES[AGAIN] = {"fusion": "none"}
# In the order of the ladder.
METHODS = (
    ALONE, "none", AGAIN, "static", "attention-no-sink", "task-attention", "attention-by-member",
    "attention-donor-0.3", "inducing", "cross-stitch", "mmoe", "ple", "adatt", "mtan", "born",
    "born-real", "signed", "essay",
)  # fmt: skip
# The package waits for 8 epochs, but watches many folds together; here it is one split of a few
# hundred rows, and the luck of one epoch would end a training too early.
EPOCHS, PATIENCE = 60, 12
# The first trial has the package's own settings.
TRIALS: tuple[dict[str, float], ...] = (
    {"learning_rate": 3e-3, "dropout": 0.1},
    {"learning_rate": 1e-3, "dropout": 0.1},
    {"learning_rate": 3e-3, "dropout": 0.3},
    {"learning_rate": 1e-3, "dropout": 0.3},
)


@dataclass(frozen=True)
class Ready:
    """A table encoded for one seed; the codec has seen the training rows alone.

    Args:
        table: the table and its kinds.
        seed: of the split and of the networks.
        parts: the part of every row of `codec`'s table, in the order of its rows.
        codec: fitted codec.
        input_groups: encoded inputs of all rows, by group.
        labels: encoded labels of all rows, by target.
        architecture: that of the package for small tables, one network instead of folds.
    """

    table: Table
    seed: int
    parts: np.ndarray
    codec: Codec
    input_groups: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    architecture: Architecture

    def rows(self, part: str) -> np.ndarray:
        """Row numbers of a part."""
        return np.flatnonzero(self.parts == part)

    def inputs(self, part: str) -> dict[str, np.ndarray]:
        """What the network reads of a part's rows."""
        return {name: group[self.rows(part)] for name, group in self.input_groups.items()}

    def spec(self, change: Mapping[str, Any], trial: int, seed: int) -> TrainingSpec:
        """What a network of this table is made by."""
        tuned = TRIALS[trial]
        return TrainingSpec(
            codec=self.codec,
            inputs=self.input_groups,
            labels=self.labels,
            folds=[Fold(self.rows("train"), self.rows("validation"))],
            architecture=replace(self.architecture, dropout=tuned["dropout"], **change),
            settings=TrainingConfig(
                epochs=EPOCHS, patience=PATIENCE, learning_rate=tuned["learning_rate"]
            ),
            seed=seed,
            given=False,
        )


Inspect = Callable[[Ready, NetworkModel], dict[str, Any]]


def make_ready(table: Table, seed: int) -> Ready:
    """Encode the rows of a table that are in a part."""
    part_rows, parts = taken(table, seed)
    rows = read_table(part_rows.frame)
    schema = infer_schema(rows, Config.from_arguments(targets=declared(table)))
    train = np.flatnonzero(parts == "train")
    codec = Codec.fit(rows, schema, train)
    return Ready(
        table=table,
        seed=seed,
        parts=parts,
        codec=codec,
        input_groups=codec.inputs(rows),
        labels=codec.labels(rows),
        architecture=Architecture(width=64 if len(train) < 300 else 128, members=4),
    )


def fit_networks(ready: Ready, method: str, trial: int) -> list[Fitted[NetworkModel]]:
    """Train one network of all targets, or one of each target, in a pass with equal batches."""
    if method == ALONE:
        return fit_single_task(ready.spec({}, trial, ready.seed), list(ready.labels))
    # Seeds of a benchmark are small: a thousand more is a stream that no other run has.
    seed = ready.seed + 1000 * (method == AGAIN)
    return [fit_multi_task(ready.spec(CHANGES[method], trial, seed))]


def validation_losses(ready: Ready, networks: list[Fitted[NetworkModel]]) -> dict[str, float]:
    """Validation loss of each target in units of the baseline's, at the epoch that is kept."""
    train = ready.rows("train")
    rows = ready.rows("validation")
    losses = {}
    for target, pred in _oof_predictions(networks).items():
        distribution = ready.codec.target_kinds[target].distribution
        labels = ready.labels[target]
        y = labels[rows]
        known = distribution.known(y)
        baseline = np.tile(distribution.baseline(labels[train]), (len(rows), 1))
        loss = distribution.row_loss(y, pred[rows])[known].sum()
        base = distribution.row_loss(y, baseline)[known].sum()
        losses[target] = float(loss / base) if base > 0 else 1.0  # no label: nothing to choose by
    return losses


def _by_target(networks: list[Fitted[NetworkModel]], attribute: str) -> dict[str, Any]:
    """Target -> its entry in a list that every network has by target."""
    models = [fitted.model for fitted in networks]
    return {t: v for m in models for t, v in zip(m.targets, getattr(m, attribute), strict=True)}


def _oof_predictions(networks: list[Fitted[NetworkModel]]) -> dict[str, np.ndarray]:
    return {t: z for fitted in networks for t, z in fitted.oof_predictions.items()}


@every_step()
def run_sharing(
    ready: Ready, method: str, *, trials: int = 1, inspect: Inspect | None = None
) -> Run:
    """Train by `method` as often as there are trials, keep what validation prefers, and predict.

    A multi-task net is kept whole, by its mean validation loss; single-task nets are kept target by
    target, as anyone who trains them would.

    Args:
        ready: the encoded table.
        method: one of `METHODS`.
        trials: how many of `TRIALS` are tried.
        inspect: returns more about the multi-task net that is kept, for the details.
    """
    started, worked = time.perf_counter(), time.process_time()
    fitted = [fit_networks(ready, method, trial) for trial in range(trials)]
    losses = [validation_losses(ready, networks) for networks in fitted]
    names = list(ready.labels)
    grid = np.array([[by_target[name] for name in names] for by_target in losses])
    picks = grid.argmin(0) if method == ALONE else np.full(len(names), grid.mean(1).argmin())
    pick = dict(zip(names, picks.tolist(), strict=True))
    seconds = time.perf_counter() - started
    processor_seconds = time.process_time() - worked
    outcomes: dict[str, Outcome] = {}
    for trial in sorted(set(pick.values())):
        mine = [name for name in names if pick[name] == trial]
        outcomes |= outcomes_of(ready, fitted[trial], mine)
    kept = fitted[pick[names[0]]]
    details: dict[str, Any] = {
        "trials": trials,
        "picked": pick,
        "held_losses": losses,
        "epochs": max(len(curve["train"]) for curve in _by_target(kept, "curves").values()),
        "parameters": sum(fitted.model.parameters for fitted in kept),
        "processor_seconds": round(processor_seconds, 3),
    }
    if inspect is not None and method != ALONE:
        details |= inspect(ready, kept[0].model)
    return Run(outcomes, seconds, details)


def outcomes_of(
    ready: Ready, networks: list[Fitted[NetworkModel]], names: list[str]
) -> dict[str, Outcome]:
    """Canonical predictions of some targets on the test rows and on labelled validation rows."""
    validation = ready.rows("validation")
    rows = Rows.of_arrays(ready.codec, ready.inputs("test"))
    test_pred: dict[str, np.ndarray] = {}
    for fitted in networks:
        test_pred |= fitted.model.predict(rows, targets=names)
    oof_pred = _oof_predictions(networks)
    best_epoch = _by_target(networks, "best")

    def of_table(name: str, z: np.ndarray) -> np.ndarray:
        kind = ready.codec.target_kinds[name]
        return canonical(ready.table, name, pred=kind.decode(z), proba=kind.decode_proba(z))

    outcomes = {}
    for name in names:
        distribution = ready.codec.target_kinds[name].distribution
        known = validation[distribution.known(ready.labels[name][validation])]
        outcomes[name] = Outcome(
            of_table(name, test_pred[name]), of_table(name, oof_pred[name][known]), best_epoch[name]
        )
    return outcomes
