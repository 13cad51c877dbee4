"""The stages of a run that train: the references, and the network of all targets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from superpose.models import Fitted, TreesModel
from superpose.models.network import NetworkModel, alike
from superpose.prepare import Prepared, engines_of
from superpose.training import Callback, Tracker, fit_multi_task, fit_single_task
from superpose.trees import Engine

from ._context import Context
from ._references import TreeData, fit_reference

Cost = dict[str, float | int | str | None]
MULTI_TASK_STAGE = "multi-task network"
SINGLE_TASK_STAGE = "single-task networks"


def tree_data(prepared: Prepared, engine: Engine) -> TreeData:
    """Return what the trees of an engine are fitted on."""
    return TreeData(
        engine=engine,
        features=prepared.features,
        kinds=prepared.codec.target_kinds,
        labels=prepared.labels,
        folds=prepared.plan.tree_folds,
        seed=prepared.config.seed,
    )


def fit_reference_trees(context: Context) -> list[Fitted[TreesModel]]:
    """Fit boosted trees of every engine for every target."""
    prepared = context.prepared
    stage = "boosted trees"
    context.progress(stage, 0.0)
    engines = engines_of(prepared.config, prepared.plan.has_folds)
    # A forecast has trees of its own for each step ahead: the first engine alone grows them.
    served = {
        t: engines[:1] if kind.tree_task == "steps" else engines
        for t, kind in prepared.codec.target_kinds.items()
        if kind.tree_task is not None
    }
    jobs = [(engine, t) for engine in engines for t in served if engine in served[t]]
    fitted = []
    for number, (engine, target) in enumerate(jobs):
        data = tree_data(prepared, engine)
        name = f"reference-{engine}-{prepared.targets.index(target)}"
        fitted.append(context.stages.run_short(name, partial(fit_reference, data, target)))
        context.progress(stage, (number + 1) / len(jobs))
    return fitted


def tree_costs(context: Context, trees: Sequence[Fitted[TreesModel]]) -> list[Cost]:
    """Return the seconds of each engine."""
    engines = engines_of(context.prepared.config, context.prepared.plan.has_folds)
    return [
        _cost(f"{engine} trees", [f.model for f in trees if f.model.name == engine], None)
        for engine in engines
    ]


def fit_multi_task_network(context: Context) -> Fitted[NetworkModel]:
    """Fit the network of all targets."""
    stage = MULTI_TASK_STAGE
    context.progress(stage, 0.0)
    callbacks: list[Callback] = [context.epochs(stage)]
    tracker = _tracker(context)
    if tracker:
        callbacks.append(tracker)

    def fit(checkpoint: Path | None) -> Fitted[NetworkModel]:
        return fit_multi_task(context.spec, checkpoint=checkpoint, callbacks=callbacks)

    fitted = context.stages.run("multi-task", fit)
    if tracker:
        tracker.end()
    context.progress(stage, 1.0)
    return fitted


def _tracker(context: Context) -> Tracker | None:
    settings = context.spec.settings
    work = context.stages.folder
    if settings.tracker == "none":
        return None
    # Beside the folder of checkpoints, which goes when the run has ended.
    logs = work.parent / "tracking" if work else None
    return Tracker(settings, logs, {"targets": ", ".join(context.prepared.targets)})


def fit_single_task_networks(context: Context) -> list[Fitted[NetworkModel]]:
    """Fit the same network for each target alone."""
    prepared = context.prepared
    stage = SINGLE_TASK_STAGE
    context.progress(stage, 0.0)
    # Folds of small tables go through in one pass. Large tables keep both cores busy with one
    # network, and there a pass ends as soon as its own target has stopped to gain. A target with a
    # head of its own form, or that starts from a series, has a pass of its own.
    others = alike(prepared.codec, prepared.targets)
    together = [others] if prepared.plan.has_folds else [[t] for t in others]
    own = [[t] for t in prepared.targets if t not in others]
    passes = [targets for targets in [*together, *own] if targets]
    fitted = []
    for number, targets in enumerate(passes):
        done = number / len(passes)
        callbacks = [context.epochs(stage, done=done, share=1 / len(passes))]

        def fit(
            checkpoint: Path | None, targets: list[str] = targets, after: Any = callbacks
        ) -> list[Fitted[NetworkModel]]:
            return fit_single_task(context.spec, targets, checkpoint=checkpoint, callbacks=after)

        name = f"single-task-{number}"
        keys = [f"{name}-{index}" for index in range(len(targets))]
        fitted += context.stages.run_all(name, keys, fit)
    context.progress(stage, 1.0)
    return fitted


def network_cost(stage: str, networks: Sequence[Fitted[NetworkModel]]) -> Cost:
    """Return the seconds and the weights of networks."""
    models = [fitted.model for fitted in networks]
    return _cost(stage, models, sum(model.parameters for model in models))


def _cost(stage: str, models: Sequence[TreesModel | NetworkModel], weights: int | None) -> Cost:
    took = sum(model.seconds for model in models)
    return {"stage": stage, "seconds": took, "parameters": weights}
