"""Training the networks of a run: one for all targets, and one for each target alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from superpose.data import Codec, Fold
from superpose.errors import listing
from superpose.models import places_of
from superpose.models.network import Blocks, Head, NetworkModel, as_tensors, build, heads_of
from superpose.nn import Architecture, augment_of

from ._early_stopping import EarlyStopping
from ._loop import OnStep, TrainResult, Vary, train
from ._modality_dropout import ModalityDropout, hideable
from ._objective import Varied
from ._settings import Settings


@dataclass(frozen=True)
class TrainingSpec:
    """What all networks of a run have in common.

    Args:
        codec: Fitted codec.
        blocks: Encoded inputs of all N rows.
        labels: Encoded labels by target.
        folds: Training and held-out rows of each network.
        architecture: Sizes of the network.
        settings: How to train.
        embedding: Widest token of a column.
        seed: Seed of initial weights, order and dropout.
        weights: Weight of each target in the joint loss.
        given: Whether the joint network learns to use targets that are measured.
        groups: Targets that share the joint network, if not all do.
        sources: For each row the number of its source, if there are several.
    """

    codec: Codec
    blocks: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    folds: Sequence[Fold]
    architecture: Architecture
    settings: Settings
    embedding: int = 16
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    given: bool = True
    groups: Sequence[Sequence[str]] = ()
    sources: np.ndarray | None = None


OnEpoch = Callable[[int, EarlyStopping], None]


def fit_multi_task(
    recipe: TrainingSpec,
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
    on_step: OnStep | None = None,
) -> NetworkModel:
    """Train one network for all targets.

    Args:
        recipe: Data, sizes and settings.
        checkpoint: File to write as training goes and to continue from.
        on_epoch: Called after each epoch.
        on_step: Called before each step.
    """
    targets = list(recipe.labels)
    heads = heads_of(recipe.codec, targets)
    trained = _train(
        recipe, targets, heads, recipe.architecture, False, checkpoint, on_epoch, on_step
    )
    return NetworkModel(
        targets,
        recipe.architecture,
        recipe.embedding,
        len(recipe.folds),
        trained.snapshots,
        trained.best,
        trained.curves,
        trained.held_out,
        trained.given_epoch,
        trained.balance,
        trained.seconds,
        trained.parameters,
        [list(group) for group in recipe.groups],
    )


def fit_single_task(
    recipe: TrainingSpec,
    targets: Sequence[str],
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> dict[str, NetworkModel]:
    """Train the same network for each target alone, all targets in one pass.

    A single-task network learns from the rows that have its label, and from nothing else of the
    other targets.

    Args:
        recipe: Data, sizes and settings of the joint network.
        targets: The targets to train for, which are ``alike``, or a single one.
        checkpoint: File to write as training goes and to continue from.
        on_epoch: Called after each epoch.
    """
    kinds, count = [recipe.codec.target_kinds[t] for t in targets], len(recipe.folds)
    architecture = replace(recipe.architecture, fusion="none")
    heads = heads_of(recipe.codec, targets)
    sizes = [head for head in heads if isinstance(head, int)]
    if len(heads) > 1 and len(sizes) < len(heads):
        raise ValueError(f"{listing(targets)}: not all are alike, so they take a pass each")
    trained = _train(
        recipe, targets, [max(sizes)] if sizes else heads, architecture, True, checkpoint, on_epoch
    )
    found = {}
    for place, (target, kind) in enumerate(zip(targets, kinds, strict=True)):
        best = trained.best[place]
        own = slice(place * count, (place + 1) * count)
        weights = {name: w[own].clone() for name, w in trained.snapshots[best].items()}
        for name in ("heads", "offsets") if sizes else ():
            # One width for all targets in training.
            weights[name] = weights[name][..., : kind.size].clone()
        found[target] = NetworkModel(
            [target],
            architecture,
            recipe.embedding,
            count,
            {best: weights},
            [best],
            [trained.curves[place]],
            [trained.held_out[place]],
            None,
            {},
            trained.seconds / len(targets),
            sum(w.numel() for w in weights.values()) // count,
        )
    return found


def _train(
    recipe: TrainingSpec,
    targets: Sequence[str],
    heads: Sequence[Head],
    architecture: Architecture,
    solo: bool,
    checkpoint: Path | None,
    on_epoch: OnEpoch | None,
    on_step: OnStep | None = None,
) -> TrainResult:
    given = recipe.given and not solo and len(targets) > 1
    groups = [] if solo else places_of(recipe.groups, targets)
    return train(
        build(recipe.codec, heads, architecture, recipe.embedding, given, groups),
        as_tensors(recipe.blocks),
        [recipe.codec.target_kinds[t] for t in targets],
        [recipe.labels[t] for t in targets],
        recipe.folds,
        recipe.settings,
        recipe.seed,
        weights=[recipe.weights.get(t, 1.0) for t in targets],
        solo=solo,
        given=given,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        on_step=on_step,
        sources=recipe.sources,
        vary=variation(recipe.codec, recipe.settings.modality_dropout),
    )


def variation(codec: Codec, hidden: float = 0.0) -> Vary | None:
    """Return what varies the inputs of a batch while networks learn; None if no input is varied.

    Args:
        codec: The codec of the training.
        hidden: Chance of whole inputs to be hidden.
    """
    found = {}
    for name, kinds in codec.input_groups.items():
        if (augment := augment_of(kinds[0])) is not None:
            found[name] = kinds[0].column, augment
    absence = ModalityDropout(codec, hidden) if hidden and hideable(codec) else None
    if not found and absence is None:
        return None

    def vary(batch: Blocks) -> tuple[Blocks, Varied]:
        out, moved = dict(batch), dict[str | None, Any]()
        for name, (column, augment) in found.items():
            out[name], moved[column] = augment(batch[name])
        return (absence(out) if absence else out), moved

    return vary
