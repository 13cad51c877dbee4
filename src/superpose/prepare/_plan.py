"""How models are evaluated: by out-of-fold predictions where labels are few, else by one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from superpose.config import Config
from superpose.data import Codec, Fold, Schema, Split, fold_indices
from superpose.distributions import Bernoulli
from superpose.errors import ConfigError, message
from superpose.kinds import TARGET_KINDS

from ._origins import (
    ORIGINS,
    describe_rows,
    describe_shortage,
    find_origins,
    prevents_origins,
)

# Below so many labels one validation split decides nothing; out-of-fold predictions are used. A
# label of a class counts as long as there are enough of the rarer ones to tell classes apart.
SMALL = 4000
ROWS_PER_RARE_LABEL = 20
# A table of fewer groups is small, however many rows they have: fifteen percent of two hundred
# groups are thirty.
FEW_GROUPS = 200
# Below so many rows every row counts: ten folds leave each model nine tenths of them.
FEW = 800
# Above so many rows folds would cost more than they steady.
LARGE = 8_000

Labels = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Plan:
    """Which rows each model learns from, and which evaluate it.

    Args:
        regime: "folds" where predictions are out-of-fold; "crossed" with one validation part, each
            half of which chooses and stops for the other; "holdout" where it can't be halved, so
            that it chooses and nothing decides.
        folds: Training and validation rows of each network.
        selection_half: For each row the half that it belongs to, 0 or 1, or -1 (takes no part).
        tree_folds: Folds of the first repeat; trees, whose folds cost more, are fitted on these
            only. Where halves are crossed, each stops trees of its own.
        description: On which rows models are evaluated, in words.
    """

    regime: Literal["folds", "crossed", "holdout"]
    folds: list[Fold]
    selection_half: np.ndarray
    tree_folds: list[Fold]
    description: str

    @property
    def has_folds(self) -> bool:
        """Whether several networks of a target learn from other rows each."""
        return self.regime == "folds"

    @property
    def cross_fitted(self) -> bool:
        """Whether each half also chooses for the other."""
        return self.regime != "holdout"

    @property
    def proof_rows(self) -> np.ndarray:
        """Indices of the rows that take part in the proof."""
        return np.flatnonzero(self.selection_half >= 0)

    @property
    def deciders(self) -> np.ndarray:
        """Mark the rows that decide."""
        return self.selection_half >= 0 if self.cross_fitted else self.selection_half == 1


def make_plan(
    codec: Codec, labels: Labels, *, config: Config, split: Split, few: bool
) -> tuple[Plan, list[str]]:
    """Deal rows out to folds, and to two halves that choose for each other.

    Args:
        codec: The fitted codec.
        labels: Encoded labels by target, all rows.
        config: The settings.
        split: Training, validation and test rows.
        few: Whether labels are too few for one validation part.

    Returns:
        The plan, and what the user should know of it.
    """
    dealt = {t: kind.strata(labels[t]) for t, kind in codec.target_kinds.items()}
    by_time = config.split.by == "time"
    obstacle = _obstacle(config, split, few) if by_time else ""
    origins = find_origins(split) if by_time and not obstacle else []
    proof_rows = split.before_test if few else split.validation
    if origins:
        proof_rows = np.sort(np.concatenate([fold.validation for fold in origins]))
    half = np.full(len(next(iter(labels.values()))), -1)
    notes = []
    if _count_units(proof_rows, split.clusters) < 2:
        half[proof_rows] = 0
        notes.append(
            "split: the validation rows are of one group only, so they choose and nothing decides; "
            "no challenger can be deployed"
        )
    else:
        half[proof_rows] = fold_indices(
            proof_rows, dealt, k=2, repeat_seed=config.seed + 1, clusters=split.clusters
        )
    instead = f"; not on {ORIGINS} later periods: {obstacle}" if obstacle else ""
    if not few:
        fold = Fold(split.train, proof_rows)
        described = f"one validation part, {describe_rows(proof_rows, split)}"
        if notes:
            return Plan("holdout", [fold], half, [fold], described + instead), notes
        described += ", each half of which decides on what the other chose"
        halves = [Fold(split.train, proof_rows[half[proof_rows] == side]) for side in (0, 1)]
        return Plan("crossed", [fold], half, halves, described + instead), notes
    if origins:
        periods = ", ".join(describe_rows(fold.validation, split) for fold in origins)
        described = f"{ORIGINS} periods, each by models of all rows before it: {periods}"
        return Plan("folds", origins, half, origins, described), notes
    repeats = _folds(proof_rows, dealt, config=config, clusters=split.clusters)
    described = _describe_folds(repeats, config)
    if by_time and not obstacle:
        notes.append(describe_shortage(split, described))
    folds = [fold for folds in repeats for fold in folds]
    return Plan("folds", folds, half, repeats[0], described + instead), notes


def _obstacle(config: Config, split: Split, few: bool) -> str:
    """What but too few blocks of time keeps models from later periods, in words."""
    obstacle = prevents_origins(config, len(split.before_test), most=SMALL)
    return obstacle or ("" if few else "a model takes too long to be trained for each")


def _describe_folds(repeats: list[list[Fold]], config: Config) -> str:
    """How many folds of how many rows, and what they keep whole."""
    count = sum(len(fold.validation) for fold in repeats[0])
    words = f"{len(repeats[0])} folds of {count:,} rows"
    if len(repeats) > 1:
        words += f", dealt {len(repeats)} times"
    if config.split.by == "time":
        words += ", blocks of time kept whole"
    elif config.split.by == "group" or config.split.groups is not None:
        words += ", groups kept whole"
    return words


def _folds(
    rows: np.ndarray, labels: Labels, *, config: Config, clusters: np.ndarray | None
) -> list[list[Fold]]:
    """The folds of every repeat."""
    auto = 10 if len(rows) < FEW else 5
    requested = auto if config.proof.folds == "auto" else config.proof.folds
    k = min(requested, _count_units(rows, clusters))
    repeats = []
    for repeat in range(config.proof.repeats):
        fold = fold_indices(
            rows, labels, k=k, repeat_seed=config.seed + 100 + repeat, clusters=clusters
        )
        repeats.append([Fold(rows[fold != f], rows[fold == f]) for f in range(k)])
    return repeats


def few_by_count(config: Config, schema: Schema, split: Split) -> bool | None:
    """Whether predictions will be out-of-fold, from counts of rows; None where labels decide."""
    rows = split.before_test
    if _count_units(rows, split.clusters) < 2:  # one group makes no folds
        return False
    if config.proof.folds != "auto":
        return config.proof.folds > 1
    # Kinds that take minutes to train for are known by their class; of inputs some are, once read.
    if len(rows) > LARGE or any(
        TARGET_KINDS[spec.kind].hints.skip_cross_fitting for spec in schema.targets
    ):
        return False
    grouped = config.split.by == "group" or config.split.groups is not None
    if grouped and split.clusters is not None and _count_units(rows, split.clusters) < FEW_GROUPS:
        return True
    return True if len(rows) <= SMALL else None


def few_by_labels(codec: Codec, labels: Labels, rows: np.ndarray) -> bool:
    """Tell whether the typical target's labels are too few for one validation split."""
    counts = []
    for target, kind in codec.target_kinds.items():
        y = labels[target][rows]
        count = int(kind.distribution.known(y).sum())
        if isinstance(kind.distribution, Bernoulli):
            rare = min(int((y == 0).sum()), int((y == 1).sum()))
            count = min(count, ROWS_PER_RARE_LABEL * rare)
        counts.append(count)
    return float(np.median(counts)) <= SMALL


def forbids_folds(codec: Codec, config: Config) -> bool:
    """Whether a model takes too long to be trained once for each fold.

    Raises:
        ConfigError: The settings want folds all the same.
    """
    whole = [kind.column for kind in codec.input_kinds if kind.skip_cross_fitting]
    whole += [t for t, kind in codec.target_kinds.items() if not kind.distribution.is_mixable]
    if config.proof.folds == "auto":
        return bool(whole) or any(
            kind.hints.skip_cross_fitting for kind in codec.target_kinds.values()
        )
    if whole and config.proof.folds > 1:
        given = f"{config.proof.folds} given, but a pretrained model of {whole[0]!r} is trained"
        fix = "write `folds: 1`, or `train: nothing` for an input"
        raise ConfigError(message(config.at("proof", "folds"), given, "1", fix=fix))
    return False


def _count_units(rows: np.ndarray, clusters: np.ndarray | None) -> int:
    return len(rows) if clusters is None else len(np.unique(clusters[rows]))
