"""What a training begins with: networks, optimizer, objective and batches, made from its spec."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from superpose.config import TrainingConfig
from superpose.data import Codec
from superpose.models.network import Inputs, as_tensors
from superpose.nn import GIVEN, StackedNetworks

from ._augmentation import Augmentation
from ._balance import Balance
from ._batches import BatchLoader, BatchSampler, Transform, batch_size
from ._callbacks import Callback
from ._early_stopping import EarlyStopping
from ._host import host_for
from ._jobs import Job
from ._modality_dropout import ModalityDropout
from ._objective import Objective
from ._observed_targets import ObservedTargets
from ._spec import TrainingSpec
from ._state import TrainState
from ._workers import Workers


def set_up(
    spec: TrainingSpec,
    jobs: Sequence[Job],
    make: Callable[[], nn.Module],
    *,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> TrainState:
    """Make everything that a training needs; the arguments are those of ``fit``."""
    settings = spec.settings
    host = host_for(settings)
    workers = Workers()
    networks = StackedNetworks(make, len(jobs)).to(host.device)
    observed = _observed_targets(spec, host.device) if spec.reads_targets else None
    return TrainState(
        spec=spec,
        jobs=jobs,
        networks=networks,
        ema=copy.deepcopy(networks),
        optimizer=_optimizer(networks, settings),
        objective=_objective(spec, jobs, host.device),
        balance=Balance(
            spec.balance,
            networks,
            len(jobs[0].targets),
            rate=settings.learning_rate,
            seed=spec.seed,
            workers=workers,
        ),
        early_stopping=EarlyStopping(
            spec.kinds,
            list(spec.labels.values()),
            spec.parts,
            patience=settings.patience,
            given=spec.reads_targets,
        ),
        loader=BatchLoader(
            _sampler(spec, jobs),
            _inputs(spec, observed, host.device),
            transforms_of(spec.codec, settings.modality_dropout, observed),
            workers,
        ),
        observed=observed,
        host=host,
        workers=workers,
        callbacks=callbacks,
        checkpoint=checkpoint,
    )


def _observed_targets(spec: TrainingSpec, device: torch.device) -> ObservedTargets:
    return ObservedTargets(spec.kinds, list(spec.labels.values()), seed=spec.seed, device=device)


def _objective(spec: TrainingSpec, jobs: Sequence[Job], device: torch.device) -> Objective:
    return Objective(
        spec.kinds,
        list(spec.labels.values()),
        jobs,
        rows=spec.train_rows,
        weights=[spec.weights.get(target, 1.0) for target in spec.targets],
        device=device,
    )


def _sampler(spec: TrainingSpec, jobs: Sequence[Job]) -> BatchSampler:
    train = [job.train for job in jobs]
    size = batch_size(spec.settings, train)
    exponent = spec.settings.source_exponent
    return BatchSampler(train, size, dataset_ids=spec.dataset_ids, exponent=exponent)


def _inputs(spec: TrainingSpec, observed: ObservedTargets | None, device: torch.device) -> Inputs:
    """The inputs of all rows; measured targets are hidden."""
    inputs = {name: block.to(device) for name, block in as_tensors(spec.inputs).items()}
    if observed:
        inputs[GIVEN] = observed.nothing()
    return inputs


def transforms_of(
    codec: Codec, modality_dropout: float = 0.0, observed: ObservedTargets | None = None
) -> list[Transform]:
    """Return the transforms of a batch: inputs are augmented, then hidden; targets are shown."""
    transforms: list[Transform] = []
    if augmentation := Augmentation(codec):
        transforms.append(augmentation)
    if modality_dropout and codec.hideable_groups:
        transforms.append(ModalityDropout(codec, modality_dropout))
    if observed:
        transforms.append(observed)
    return transforms


def _optimizer(networks: StackedNetworks, settings: TrainingConfig) -> torch.optim.AdamW:
    """AdamW, with weights grouped by the share of the learning rate that their module has."""
    rate = settings.learning_rate
    shares: dict[float, list[nn.Parameter]] = {}
    for weight in networks.parameters():
        shares.setdefault(getattr(weight, "rate", 1.0), []).append(weight)
    groups: list[dict[str, Any]] = [
        {"params": weights, "lr": rate * share} for share, weights in shares.items()
    ]
    return torch.optim.AdamW(groups, rate, weight_decay=settings.weight_decay, fused=True)
