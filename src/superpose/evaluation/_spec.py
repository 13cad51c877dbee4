"""From the settings and the table to what networks are trained by."""

from __future__ import annotations

from superpose.config import Config
from superpose.nn import Architecture
from superpose.prepare import Prepared
from superpose.training import TrainingSpec


def spec_of(prepared: Prepared) -> TrainingSpec:
    """Return what all networks of a run have in common, from its settings and its table."""
    config = prepared.config
    rows = len(prepared.split.train) + len(prepared.split.validation)
    return TrainingSpec(
        codec=prepared.codec,
        inputs=prepared.inputs,
        labels=prepared.labels,
        folds=prepared.plan.folds,
        halves=prepared.plan.selection_half if prepared.plan.regime == "crossed" else None,
        architecture=architecture_of(config, prepared.plan.regime, rows),
        settings=config.training,
        balance=config.balance,
        embedding=config.model.embedding,
        seed=config.seed,
        weights={spec.name: spec.weight for spec in prepared.schema.targets},
        given=config.model.given,
        groups=config.groups,
        dataset_ids=prepared.dataset_ids,
    )


def architecture_of(config: Config, regime: str, rows: int) -> Architecture:
    """Return the network's sizes from the settings; smaller tables have smaller networks.

    Args:
        config: Its ``model`` is read; "auto" is filled in here.
        regime: "folds" has fewer members, because folds are an ensemble already.
        rows: Training and validation rows.
    """
    model = config.model.resolved(rows, folds=regime == "folds")
    return Architecture(**model.model_dump(exclude={"embedding", "given"}))
