"""A run: train the models, let the proof decide, assemble what is deployed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superpose.models import MULTI_TASK, NONE, Fitted, Predictor
from superpose.models.network import NetworkModel, networks
from superpose.prepare import Prepared

from ._baselines import fit_baselines
from ._calibration import rare_threshold
from ._context import Context, Progress, quiet
from ._decide import Decision
from ._fit_models import (
    MULTI_TASK_STAGE,
    SINGLE_TASK_STAGE,
    Cost,
    fit_multi_task_network,
    fit_reference_trees,
    fit_single_task_networks,
    network_cost,
    tree_costs,
)
from ._given_run import fit_given
from ._levels import LevelResult, OofPredictions, decide_level, held_out
from ._refit import REFIT_STAGE, refit
from ._stages import Stages


@dataclass
class RunResult:
    """Everything that a run results in.

    Args:
        prepared: The table and how it was divided.
        predictor: All models, and what is deployed.
        levels: What was decided while nothing is given, and, where targets may be given, while
            half and all of the others are.
        cost: Seconds and weights of each stage.
        deployed: What is handed to the user: the models of the mixtures, fitted again on all rows
            unless ``deploy.refit`` is off.
    """

    prepared: Prepared
    predictor: Predictor
    levels: dict[str, LevelResult]
    cost: list[Cost]
    deployed: Predictor

    @property
    def decisions(self) -> dict[str, Decision]:
        """For each target what was decided while nothing is given."""
        return self.levels[NONE].decisions

    @property
    def multi_task(self) -> NetworkModel:
        """The network of all targets."""
        return networks(self.predictor.named(MULTI_TASK))[0]

    @property
    def oof_predictions(self) -> OofPredictions:
        """For each target and model the predictions (N, K) that the proof has read."""
        return self.levels[NONE].oof_predictions


def run_evaluation(
    prepared: Prepared, work: Path | None = None, progress: Progress = quiet
) -> RunResult:
    """Train the multi-task network and the references, and decide what is deployed.

    Args:
        prepared: What ``prepare`` gave.
        work: Folder for checkpoints; a killed run continues from it. None keeps nothing.
        progress: Called with a stage's name and the share of it that is done.
    """
    context = Context(prepared, Stages(work), progress)
    references = prepared.config.proof.references
    trees = fit_reference_trees(context) if references in ("all", "trees") else []
    cost = tree_costs(context, trees) if references in ("all", "trees") else []
    multi = fit_multi_task_network(context)
    cost.append(network_cost(MULTI_TASK_STAGE, [multi]))
    singles = fit_single_task_networks(context) if references in ("all", "network") else []
    if references in ("all", "network"):
        cost.append(network_cost(SINGLE_TASK_STAGE, singles))
    oof_predictions: OofPredictions = {target: {} for target in prepared.targets}
    baselines = fit_baselines(context) if references != "none" else []
    every: list[Fitted[Any]] = [*trees, multi, *singles, *baselines]
    for fitted in every:
        for target, pred in context.oof_predictions(fitted).items():
            oof_predictions[target][fitted.model.name] = pred
    stored: list[Fitted[Any]] = [multi, *singles, *trees, *baselines]
    predictor = Predictor(prepared.codec, [fitted.model for fitted in stored], {})
    levels = {NONE: decide_level(prepared, oof_predictions)}
    result = RunResult(prepared, predictor, levels, cost, predictor)
    if prepared.config.model.given and len(prepared.targets) > 1:
        given = fit_given(context, multi.model, result.levels[NONE])
        result.predictor.models += given.models
        result.levels |= given.levels
        cost += given.cost
    result.predictor.levels = {name: level.level for name, level in result.levels.items()}
    _learn_from_labels(prepared, result)
    result.deployed = result.predictor.pruned()
    if prepared.config.deploy.refit:
        began = time.monotonic()
        result.deployed = refit(context, result.deployed, result.levels[NONE])
        seconds = time.monotonic() - began
        cost.append({"stage": REFIT_STAGE, "seconds": seconds, "parameters": None})
    return result


def _learn_from_labels(prepared: Prepared, result: RunResult) -> None:
    """Set the baseline of each target, and the threshold of each whose class is rare."""
    plan = prepared.plan
    seen = plan.proof_rows if plan.cross_fitted else prepared.split.train
    level = result.levels[NONE].level
    for target, kind in prepared.codec.target_kinds.items():
        result.predictor.baselines[target] = kind.distribution.baseline(
            prepared.labels[target][seen]
        )
        shown = held_out(prepared, result.oof_predictions, level, target=target)
        if (threshold := rare_threshold(kind, shown.y, shown.pred)) is not None:
            result.predictor.thresholds[target] = threshold
