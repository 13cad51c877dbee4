"""What is deployed learns from all rows that have a label, once the proof has chosen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from superpose.models import (
    NONE,
    ConditionalTreesModel,
    Fitted,
    Level,
    Model,
    Predictor,
    TreesModel,
)
from superpose.models.network import NetworkModel
from superpose.training import refit_networks
from superpose.trees import Engine

from ._context import Context
from ._fit_models import tree_data
from ._given_run import conditional_engine
from ._given_trees import refit_conditional_trees
from ._references import refit_reference

REFIT_STAGE = "refit on all rows"


def refit(context: Context, predictor: Predictor) -> Predictor:
    """Fit the models of all mixtures again, on all rows of the table with a label.

    Rounds and epochs are those that were found; mixtures, thresholds and the widths of intervals
    stay as held-out rows have shown them. The copula stands on what is fitted again, and is itself
    of held-out predictions: it stays.

    Args:
        context: The run.
        predictor: What was decided, without the models that no mixture uses.
    """
    context.progress(REFIT_STAGE, 0.0)
    models = []
    for number, model in enumerate(predictor.models):
        fit = partial(_refitted, context, model, predictor.levels)
        models.append(context.stages.run_short(f"refit-{number}", fit).model)
        context.progress(REFIT_STAGE, (number + 1) / len(predictor.models))
    labels = context.prepared.labels
    baselines = {
        target: kind.distribution.baseline(labels[target])
        for target, kind in predictor.codec.target_kinds.items()
    }
    return replace(predictor, models=models, baselines=baselines)


def _refitted(context: Context, model: Model, levels: Mapping[str, Level]) -> Fitted[Model]:
    prepared = context.prepared
    if isinstance(model, ConditionalTreesModel):
        engine = cast(Engine, conditional_engine(prepared))
        return Fitted(refit_conditional_trees(tree_data(prepared, engine), model))
    if isinstance(model, TreesModel):
        return Fitted(refit_reference(tree_data(prepared, cast(Engine, model.name)), model))
    if isinstance(model, NetworkModel):
        rows = np.arange(prepared.table.num_rows)
        epochs = _epochs_in_use(model, levels)
        return Fitted(refit_networks(context.spec, model, rows, epochs=epochs))
    return Fitted(model)


def _epochs_in_use(model: NetworkModel, levels: Mapping[str, Level]) -> set[int]:
    """The epochs of the networks that some mixture reads."""
    epochs = set()
    for name, level in levels.items():
        for target, epoch in zip(model.targets, model.best, strict=True):
            if level.weights[target].get(model.name):
                reads_given = name != NONE and model.given_epoch is not None
                epochs.add(model.given_epoch if reads_given else epoch)
    return {epoch for epoch in epochs if epoch is not None} or set(model.snapshots)
