"""What the encoded rows and the networks of a run take, before any of it is made."""

from __future__ import annotations

from superpose.data import require_memory
from superpose.errors import ConfigError
from superpose.prepare import Prepared
from superpose.training import batch_size, count_weights

from ._spec import spec_of

# Weights, their slopes, the two means that AdamW keeps of these, their average, and a snapshot.
COPIES = 6
FLOAT = 4  # bytes


def require_room(prepared: Prepared) -> None:
    """Makes sure that the networks of a run fit, with what training keeps beside their weights.

    Raises:
        ConfigError: they don't; it names the settings that they grow with.
    """
    spec = spec_of(prepared)
    codec = prepared.codec
    # A network with a pretrained model is as large as that is, which no setting drives.
    skipping = [kind.column for kind in codec.input_kinds if kind.skip_cross_fitting]
    if skipping or any(kind.hints.skip_cross_fitting for kind in codec.target_kinds.values()):
        return
    weights = count_weights(spec)
    count = len(spec.folds)
    total = weights.all * count
    if prepared.config.proof.references in ("all", "network"):
        # The networks of single targets are trained in one pass.
        total = max(total, weights.shared * count * len(prepared.targets))
    size = spec.architecture
    # Of every layer of the trunk at least its input stays until the step back.
    rows = batch_size(spec.settings, [fold.train for fold in spec.folds])
    activations = count * rows * size.members * size.width * size.depth
    fix = (
        "lower model.width, model.depth, model.members, model.state or model.embedding, "
        "training.batch_size, or proof.folds and proof.repeats"
    )
    require_memory(
        FLOAT * (COPIES * total + activations),
        prepared.config.at("model"),
        what=f"training {total:,} weights, {rows:,} rows at a time,",
        fix=fix,
        error=ConfigError,
    )
