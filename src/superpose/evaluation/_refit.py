"""What is deployed learns from all rows that have a label, once the proof has chosen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from superpose.models import (
    NONE,
    BaselineModel,
    ConditionalTreesModel,
    Fitted,
    Level,
    Model,
    Predictor,
    Rows,
    TreesModel,
)
from superpose.models.network import NetworkModel
from superpose.training import refit_networks
from superpose.trees import Engine

from ._baselines import fit_baseline
from ._calibration import conformal_quantile
from ._context import Context
from ._fit_models import tree_data
from ._given_run import conditional_engine
from ._given_trees import refit_conditional_trees
from ._levels import LevelResult, held_out
from ._references import refit_reference

REFIT_STAGE = "refit on all rows"


def refit(context: Context, predictor: Predictor, nothing: LevelResult) -> Predictor:
    """Fit the models of all mixtures again, on all rows of the table with a label.

    Rounds and epochs are those that were found; mixtures and thresholds stay as held-out rows have
    shown them. So do intervals and sets, but that test rows are held-out rows too, of another
    period where time divides the table. The copula stands on what is fitted again, and is itself of
    held-out predictions: it stays.

    Args:
        context: The run.
        predictor: What was decided, without the models that no mixture uses.
        nothing: What was decided while nothing is given.
    """
    context.progress(REFIT_STAGE, 0.0)
    levels = _with_test_rows(context, predictor, nothing)
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
    return replace(predictor, models=models, baselines=baselines, levels=levels)


def _with_test_rows(
    context: Context, predictor: Predictor, nothing: LevelResult
) -> dict[str, Level]:
    """The levels, with intervals and sets that the test rows have had their part in.

    They are measured while nothing is given; where targets are given, they grow as much, and never
    shrink.
    """
    prepared = context.prepared
    test = prepared.split.test
    # Encoded already: images and sounds are not read from their files again.
    inputs = {name: block[test] for name, block in prepared.inputs.items()}
    matrix = prepared.features.matrix[test]
    rows = Rows.of_arrays(prepared.codec, inputs, matrix, models=predictor.models)
    pred = predictor.deployed(rows) if len(test) else {}
    levels = {
        name: replace(level, quantiles=dict(level.quantiles))
        for name, level in predictor.levels.items()
    }
    for target, z in pred.items():
        before = nothing.level.quantiles.get(target)
        if before is None:
            continue
        kind = prepared.codec.target_kinds[target]
        shown = held_out(prepared, nothing.oof_predictions, nothing.level, target=target)
        labels = prepared.labels[target][test]
        known = kind.distribution.known(labels)
        clusters = prepared.split.clusters
        after = conformal_quantile(
            kind,
            np.concatenate([shown.y, labels[known]]),
            np.concatenate([shown.pred, z[known]]),
            clusters=None
            if shown.clusters is None or clusters is None
            else np.concatenate([shown.clusters, clusters[test][known]]),
        )
        if after is None:
            continue
        for name, level in levels.items():
            own = level.quantiles[target]
            grown = own * (after / before) if before else after
            level.quantiles[target] = grown if name == NONE else max(grown, own)
    return levels


def _refitted(context: Context, model: Model, levels: Mapping[str, Level]) -> Fitted[Model]:
    prepared = context.prepared
    rows = np.arange(prepared.table.num_rows)
    if isinstance(model, ConditionalTreesModel):
        engine = cast(Engine, conditional_engine(prepared))
        return Fitted(refit_conditional_trees(tree_data(prepared, engine), model))
    if isinstance(model, TreesModel):
        return Fitted(refit_reference(tree_data(prepared, cast(Engine, model.name)), model))
    if isinstance(model, BaselineModel):
        return Fitted(fit_baseline(prepared, model.targets[0], name=model.name, rows=rows))
    if isinstance(model, NetworkModel):
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
