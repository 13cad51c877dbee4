"""How "given" is chosen and tested: by rows that no model has seen, as all that is deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from superpose.kinds import TargetKind
from superpose.models import (
    ALL,
    COPULA,
    HALF,
    MULTI_TASK,
    ConditionalTreesModel,
    Copula,
    CopulaModel,
    Fitted,
    Model,
    Observed,
    Predictions,
    mix,
)
from superpose.models.network import NetworkModel
from superpose.prepare import Prepared, engines_of
from superpose.trees import Engine

from ._context import Context
from ._decide import TargetEvaluation, choose
from ._fit_models import Cost, tree_data
from ._given_trees import fit_trees_all, fit_trees_some, hidden_once
from ._levels import LevelResult, OofPredictions, decide_level

Labels = Mapping[str, np.ndarray]


@dataclass
class GivenResult:
    """What predicts where targets are given.

    Args:
        models: Models that need measured targets.
        levels: What was decided while half and all of the other targets are given.
        cost: Seconds of the stage.
    """

    models: list[Model]
    levels: dict[str, LevelResult]
    cost: list[Cost] = field(default_factory=list)


def fit_given(context: Context, network: NetworkModel, nothing: LevelResult) -> GivenResult:
    """Fit what predicts where targets are given, and let the proof decide at two levels.

    Args:
        context: The run.
        network: The multi-task network.
        nothing: What was decided while nothing is given.
    """
    prepared = context.prepared
    kinds = prepared.codec.target_kinds
    known = np.stack(
        [kind.distribution.known(prepared.labels[t]) for t, kind in kinds.items()], axis=1
    )
    half = np.random.default_rng([prepared.config.seed, 6]).random(known.shape) < 0.5
    pred = {level: _without_network(nothing.oof_predictions) for level in (HALF, ALL)}
    _add(pred, MULTI_TASK, _network_predictions(context, network, half))
    models: list[Model] = []
    cost: list[Cost] = []
    if (engine := conditional_engine(prepared)) is not None:
        trees = _fit_trees(context, engine, half)
        for fitted in trees:
            for level, z in _oof_predictions(context, fitted, half).items():
                pred[level][fitted.model.target][fitted.model.name] = z
        copula = _fit_copula(prepared, nothing)
        _add(pred, COPULA, _copula_predictions(prepared, nothing.oof_predictions, half))
        models = [*[fitted.model for fitted in trees], copula]
        took = sum(fitted.model.seconds for fitted in trees)
        stage = f"{engine} trees given other targets"
        cost.append({"stage": stage, "seconds": took, "parameters": None})
    levels = {level: decide_level(prepared, by_target) for level, by_target in pred.items()}
    return GivenResult(models, levels, cost)


def conditional_engine(prepared: Prepared) -> Engine | None:
    """What fits the trees; None where no target can have any, or the settings want none."""
    kinds = prepared.codec.target_kinds.values()
    served = any(kind.tree_task not in (None, "steps") for kind in kinds)
    if not served or prepared.config.proof.references not in ("all", "trees"):
        return None
    # One engine: it is fitted twice more for each target. CatBoost takes half the time.
    engines = engines_of(prepared.config, small=False)
    return "catboost" if "catboost" in engines else engines[0]


def _without_network(oof_predictions: OofPredictions) -> OofPredictions:
    """What single-task models predict: the same, whatever is given."""
    return {
        t: {name: z for name, z in by.items() if name != MULTI_TASK}
        for t, by in oof_predictions.items()
    }


def _add(pred: Mapping[str, OofPredictions], name: str, preds: Mapping[str, Predictions]) -> None:
    for level, by_target in preds.items():
        for target, z in by_target.items():
            pred[level][target][name] = z


def _fit_trees(
    context: Context, engine: Engine, half: np.ndarray
) -> list[Fitted[ConditionalTreesModel]]:
    stage = "given: boosted trees"
    context.progress(stage, 0.0)
    data = tree_data(context.prepared, engine)
    trees = []
    for index, (t, kind) in enumerate(data.kinds.items()):
        # Trees of each step ahead, fitted twice more on copied rows, would take most of a run.
        if kind.tree_task in (None, "steps"):
            continue
        stages = {
            f"given-some-{index}": partial(fit_trees_some, data, t, half),
            f"given-all-{index}": partial(fit_trees_all, data, t),
        }
        for step, (name, fit) in enumerate(stages.items()):
            context.progress(stage, (index + step / 2) / len(data.kinds))
            trees.append(context.stages.run_short(name, fit))
        context.progress(stage, (index + 1) / len(data.kinds))
    return trees


def _oof_predictions(
    context: Context, fitted: Fitted[ConditionalTreesModel], half: np.ndarray
) -> Predictions:
    """Predictions (N, K) of trees at each level, for rows of the proof."""
    prepared = context.prepared
    if prepared.plan.cross_fitted:
        return fitted.oof_predictions
    proof_rows = prepared.plan.proof_rows
    rows = prepared.rows.take(proof_rows)
    observed = Observed(prepared.codec.target_kinds, _pick(prepared.labels, proof_rows))
    index = prepared.targets.index(fitted.model.target)
    shown = {HALF: hidden_once(half[proof_rows], index), ALL: None}
    return {
        level: context.scatter_rows(fitted.model.predict_beside(rows, observed, shown=shown[level]))
        for level in fitted.oof_predictions
    }


def joined_by_copula(kinds: Mapping[str, TargetKind]) -> dict[str, TargetKind]:
    """The targets of which a copula holds: locations and items have no order to correlate."""
    return {
        t: kind
        for t, kind in kinds.items()
        if kind.has_linear_head and kind.distribution.latent is not None
    }


def _fit_copula(prepared: Prepared, nothing: LevelResult) -> CopulaModel:
    """The copula of all rows of the proof, on top of each target's reference."""
    kinds = joined_by_copula(prepared.codec.target_kinds)
    weights = {t: nothing.decisions[t].reference for t in kinds}
    base = {t: mix(nothing.oof_predictions[t], weights[t]) for t in kinds}
    proof_rows = prepared.plan.proof_rows
    copula = Copula.fit(kinds, _pick(base, proof_rows), _pick(prepared.labels, proof_rows))
    return CopulaModel(copula, weights)


def _pick(arrays: Labels, rows: np.ndarray) -> Predictions:
    return {name: values[rows] for name, values in arrays.items()}


class Pass(NamedTuple):
    """One pass over the rows of the proof.

    Args:
        level: The level that it is for.
        shown: Which targets (N, T) may be read.
        targets: The targets whose predictions are read.
    """

    level: str
    shown: np.ndarray
    targets: list[str]


def passes(half: np.ndarray, targets: list[str]) -> Iterator[Pass]:
    """Yield what is shown in each pass over the rows, and which targets the pass predicts.

    One half of the labels and then the other, so that each label is once hidden; and each target
    hidden alone.
    """
    yield Pass(HALF, half, targets)
    yield Pass(HALF, ~half, targets)
    for index, target in enumerate(targets):
        shown = np.ones_like(half)
        shown[:, index] = False
        yield Pass(ALL, shown, [target])


def gather(
    prepared: Prepared, half: np.ndarray, predict: Callable[[Observed], Predictions]
) -> dict[str, Predictions]:
    """Predict in all passes; each row's prediction comes from a pass that hid its label."""
    gathered: dict[str, Predictions] = {HALF: {}, ALL: {}}
    kinds = prepared.codec.target_kinds
    targets = list(kinds)
    for level, shown, wanted in passes(half, targets):
        pred = predict(Observed(kinds, _hide(prepared.labels, shown)))
        for t in [t for t in wanted if t in pred]:  # a copula leaves some out
            hidden = ~shown[:, targets.index(t), None]
            before = gathered[level].get(t, np.full_like(pred[t], np.nan))
            gathered[level][t] = np.where(hidden, pred[t], before)
    return gathered


def _hide(labels: Labels, shown: np.ndarray) -> Predictions:
    """The labels of all rows, NaN where they are not shown (N, T)."""
    out = {}
    for index, (t, y) in enumerate(labels.items()):
        here = shown[:, index] if y.ndim == 1 else shown[:, index, None]
        out[t] = np.where(here, y, np.nan)
    return out


def _network_predictions(
    context: Context, network: NetworkModel, half: np.ndarray
) -> dict[str, Predictions]:
    prepared = context.prepared
    plan = prepared.plan
    if plan.cross_fitted:
        return gather(
            prepared, half, lambda seen: network.predict_oof(prepared.rows, seen, plan.folds)
        )
    rows = prepared.rows.take(plan.proof_rows)

    def predict(seen: Observed) -> Predictions:
        observed = Observed(seen.kinds, _pick(seen.labels, plan.proof_rows))
        pred = network.predict(rows, observed)
        return {t: context.scatter_rows(z) for t, z in pred.items()}

    return gather(prepared, half, predict)


def _copula_predictions(
    prepared: Prepared, oof_predictions: OofPredictions, half: np.ndarray
) -> dict[str, Predictions]:
    """What a copula predicts that was learned from the other half of the rows."""
    kinds = joined_by_copula(prepared.codec.target_kinds)
    plan = prepared.plan
    sides = []
    for side in (0, 1):
        fit_rows = np.flatnonzero(plan.selection_half == side)
        other_rows = np.flatnonzero(plan.selection_half == 1 - side)
        if not len(fit_rows) or not len(other_rows):
            # One group of rows: the copula is evaluated on its own rows, and nothing replaces.
            fit_rows = other_rows = plan.proof_rows
        base = _bases(prepared, oof_predictions, fit_rows)
        copula = Copula.fit(kinds, _pick(base, fit_rows), _pick(prepared.labels, fit_rows))
        sides.append((copula, _pick(base, other_rows), other_rows))

    def predict(seen: Observed) -> Predictions:
        shape = len(plan.selection_half)
        out = {
            t: np.full((shape, kind.distribution.n_columns), np.nan) for t, kind in kinds.items()
        }
        for copula, base, other_rows in sides:
            for t, z in copula.predict(kinds, base, _pick(seen.labels, other_rows)).items():
                out[t][other_rows] = z
        return out

    return gather(prepared, half, predict)


def _bases(
    prepared: Prepared, oof_predictions: OofPredictions, fit_rows: np.ndarray
) -> Predictions:
    """The reference of each target, as some rows choose it: predictions (N, K)."""
    bases = {}
    for t, kind in joined_by_copula(prepared.codec.target_kinds).items():
        pred = oof_predictions[t]
        references, _ = choose(TargetEvaluation(kind, prepared.labels[t], dict(pred)), fit_rows)
        bases[t] = mix(pred, references[0])
    return bases
