"""Whether networks surely fit into memory, from the sizes alone.

Torch counts weights exactly by making a network. Nearly every table is so far from the limit that
a bound from above settles it, without torch.
"""

from __future__ import annotations

from superpose.data import available_memory

from ._prepare import Prepared

# Weights, their slopes, the two means that AdamW keeps of these, their average, and a snapshot;
# then what a step keeps. All that with room to spare.
BYTES_PER_WEIGHT = 4 * 12
BYTES_PER_VALUE = 4 * 8
LARGEST_EXPERTS = 8  # of the fusions that have experts, per target or shared


def surely_fits(prepared: Prepared) -> bool:
    """Return whether training takes less memory than there is, by a generous estimate.

    False says nothing: the weights have to be counted. Networks that read more than columns of a
    table, or have heads of another form, are never estimated.
    """
    available = available_memory()
    if available is None:
        return True
    codec = prepared.codec
    config = prepared.config
    folds = prepared.plan.folds
    kinds = list(codec.target_kinds.values())
    tabular = all(kind.group is not None for kind in codec.input_kinds)
    if not tabular or not all(kind.has_linear_head for kind in kinds):
        return False
    n_networks = len(folds) * (1 + len(kinds))  # the multi-task network, and each target alone
    sizes = config.model.resolved(
        len(prepared.split.train) + len(prepared.split.validation),
        folds=prepared.plan.has_folds,
    )
    batch = config.training.rows_per_step(max(len(fold.train) for fold in folds))
    values = len(folds) * batch * sizes.members * (sizes.width * sizes.depth + _n_tokens(prepared))
    needed = BYTES_PER_WEIGHT * n_networks * weights_at_most(prepared) + BYTES_PER_VALUE * values
    return needed < available


def weights_at_most(prepared: Prepared) -> int:
    """Return a number that the weights of a multi-task network over columns stay below."""
    model = prepared.config.model
    kinds = list(prepared.codec.target_kinds.values())
    sizes = model.resolved(
        len(prepared.split.train) + len(prepared.split.validation),
        folds=prepared.plan.has_folds,
    )
    n_targets = len(kinds)
    members = sizes.members
    width = sizes.width
    state = sizes.state
    inside = _n_tokens(prepared) * model.embedding
    n_outputs = 2 + 2 * max(kind.distribution.n_columns for kind in kinds)
    encoders = 2 * _n_codes(prepared) * model.embedding
    trunk = (width + members) * (inside + width) + sizes.depth * width * (width + 4 * members)
    experts = LARGEST_EXPERTS * (n_targets + 1) * state * (width + state + 4 * members)
    between = n_targets**2 * state + n_targets * state * (4 * sizes.rank + 8 * state + 2 * width)
    heads = (members + 1) * n_targets * (state + 1) * n_outputs
    return int(encoders + trunk + (1 + sizes.blocks) * (experts + between) + heads)


def _n_tokens(prepared: Prepared) -> int:
    """Count the columns that a network reads, measured targets among them."""
    columns = sum(block.shape[1] for block in prepared.inputs.values())
    kinds = prepared.codec.target_kinds.values()
    return int(columns + sum(kind.observed.n_columns for kind in kinds))


def _n_codes(prepared: Prepared) -> int:
    """Count what has an embedding of its own: bins of numbers, categories, levels."""
    codes = 0
    for kind in prepared.codec.input_kinds:
        codes += sum(len(edges) + 4 for edges in getattr(kind, "edges", ()))
        codes += getattr(kind, "cardinality", 0) + 2 * len(getattr(kind, "levels", ()) or ())
    for target in prepared.codec.target_kinds.values():
        codes += sum(len(edges) + 4 for edges in target.observed.edges)
    return codes
