"""Training the networks of a run: one for all targets, and one for each target alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from superpose.errors import listing
from superpose.models import MULTI_TASK, SINGLE_TASK, Fitted, group_indices
from superpose.models.network import NetworkModel, build, heads_of
from superpose.nn import Grouped, Network, StateDict

from ._callbacks import Callback
from ._jobs import group_jobs, multi_task_jobs, single_task_jobs
from ._loop import TrainResult, fit
from ._spec import TrainingSpec


def multi_task_network(spec: TrainingSpec) -> Callable[[], Network | Grouped]:
    """Return what makes a fresh network for all targets of a run."""
    return build(
        spec.codec,
        heads_of(spec.codec, spec.targets),
        spec.architecture,
        embedding=spec.embedding,
        given=spec.reads_targets,
        groups=group_indices(spec.groups, spec.targets),
    )


def fit_multi_task(
    spec: TrainingSpec,
    *,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> Fitted[NetworkModel]:
    """Train one network for all targets.

    Args:
        spec: Data, sizes and settings.
        checkpoint: File to write as training goes and to continue from.
        callbacks: What follows the training.
    """
    jobs = multi_task_jobs(len(spec.targets), spec.folds)
    result = fit(spec, jobs, multi_task_network(spec), checkpoint=checkpoint, callbacks=callbacks)
    model = NetworkModel(
        name=MULTI_TASK,
        targets=spec.targets,
        architecture=spec.architecture,
        embedding=spec.embedding,
        count=len(jobs),
        snapshots=result.snapshots,
        best=result.best,
        curves=result.curves,
        given_epoch=result.given_epoch,
        balance=result.balance,
        seconds=result.seconds,
        parameters=result.n_params,
        groups=[list(group) for group in spec.groups],
    )
    return Fitted(model, dict(zip(spec.targets, result.oof_predictions, strict=True)))


def fit_single_task(
    spec: TrainingSpec,
    targets: Sequence[str],
    *,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> list[Fitted[NetworkModel]]:
    """Train the same network for each target alone, all targets in one pass.

    A single-task network learns from the rows that have its label, and from nothing else of the
    other targets.

    Args:
        spec: Data, sizes and settings of the multi-task network.
        targets: The targets to train for, which are ``alike``, or a single one.
        checkpoint: File to write as training goes and to continue from.
        callbacks: What follows the training.

    Raises:
        ValueError: Several targets with heads of other forms.
    """
    spec = single_task_spec(spec, targets)
    heads = heads_of(spec.codec, targets)
    sizes = [head for head in heads.values() if isinstance(head, int)]
    if len(heads) > 1 and len(sizes) < len(heads):
        raise ValueError(f"{listing(targets)}: not all are alike, so they take a pass each")
    # Networks in one pass have heads of one size: that of the widest.
    widest = {"any": max(sizes)} if sizes else heads
    make = build(spec.codec, widest, spec.architecture, embedding=spec.embedding)
    jobs = single_task_jobs(spec.kinds, list(spec.labels.values()), spec.folds)
    result = fit(spec, jobs, make, checkpoint=checkpoint, callbacks=callbacks)
    networks = []
    for number, (target, group) in enumerate(zip(targets, group_jobs(jobs), strict=True)):
        best = result.best[number]
        weights = {name: w[group.networks].clone() for name, w in result.snapshots[best].items()}
        if sizes:
            for name in ("heads.weight", "heads.bias"):
                weights[name] = weights[name][..., : sizes[number]].clone()
        model = _network_of(spec, result, number, weights=weights)
        networks.append(Fitted(model, {target: result.oof_predictions[number]}))
    return networks


def single_task_spec(spec: TrainingSpec, targets: Sequence[str]) -> TrainingSpec:
    """Return what the networks of single targets have in common, of that of all targets."""
    return replace(
        spec,
        labels={target: spec.labels[target] for target in targets},
        architecture=replace(spec.architecture, fusion="none"),
        given=False,
        groups=(),
    )


def _network_of(
    spec: TrainingSpec, result: TrainResult, number: int, *, weights: StateDict
) -> NetworkModel:
    """Return the networks of one of the targets that were trained in one pass."""
    best = result.best[number]
    return NetworkModel(
        name=SINGLE_TASK,
        targets=[spec.targets[number]],
        architecture=spec.architecture,
        embedding=spec.embedding,
        count=len(spec.folds),
        snapshots={best: weights},
        best=[best],
        curves=[result.curves[number]],
        seconds=result.seconds / len(spec.targets),
        parameters=sum(w.numel() for w in weights.values()) // len(spec.folds),
    )
