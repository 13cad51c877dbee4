"""How models are evaluated: by out-of-fold predictions where labels are few, else by one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from superpose.config import Config
from superpose.data import Codec, Fold, Schema, Split, fold_indices
from superpose.distributions import Bernoulli
from superpose.errors import ConfigError, message
from superpose.kinds import TARGET_KINDS

# Below so many labels one validation split decides nothing; out-of-fold predictions are used. A
# label of a class counts as long as there are enough of the rarer ones to tell classes apart.
SMALL = 4000
ROWS_PER_RARE_LABEL = 20
# A table of fewer groups is small, however many rows they have: fifteen percent of two hundred
# groups are thirty, and half of those decide.
FEW_GROUPS = 200
# Below so many rows every row counts: ten folds leave each model nine tenths of them.
FEW = 800
# Above so many rows folds would cost more than they steady.
LARGE = 8_000
# Where time divides the rows of a small table, models are judged on periods later than what they
# learned, one after the other, each with this share of the rows before the test. Large tables have
# one such period: three took 1.3 to 2.5 times as long, and the next year's error of what was
# deployed was higher on two of three tables (air .633 and .670, transformers .473 and .488, bike
# sharing by the hour .099 and .089).
ORIGINS = 3
PERIOD = 0.15
FEWEST_BLOCKS = 12  # of time, so that each period and what is before it have some

Labels = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Plan:
    """Which rows each model learns from, and which evaluate it.

    Args:
        cross_fitted: Whether predictions are out-of-fold, so that each half also chooses for the
            other; else there is one validation split.
        folds: Training and validation rows of each network.
        selection_half: For each row 0 (chooses), 1 (decides) or -1 (takes no part).
        tree_folds: Folds of the first repeat; trees, whose folds cost more, are fitted on these
            only.
    """

    cross_fitted: bool
    folds: list[Fold]
    selection_half: np.ndarray
    tree_folds: list[Fold]

    @property
    def regime(self) -> str:
        """Its name in the report."""
        return "folds" if self.cross_fitted else "holdout"

    @property
    def proof_rows(self) -> np.ndarray:
        """Indices of the rows that take part in the proof."""
        return np.flatnonzero(self.selection_half >= 0)

    @property
    def deciders(self) -> np.ndarray:
        """Mark the rows that decide."""
        return self.selection_half >= 0 if self.cross_fitted else self.selection_half == 1


def seen_rows(split: Split) -> np.ndarray:
    """Return the training and validation rows, in order."""
    return np.sort(np.concatenate([split.train, split.validation]))


def make_plan(
    codec: Codec, labels: Labels, *, config: Config, split: Split, cross_fitted: bool
) -> tuple[Plan, list[str]]:
    """Deal rows out to folds, and to the half that chooses and the half that decides.

    Returns:
        The plan, and what the user should know of it.
    """
    dealt = {t: kind.strata(labels[t]) for t, kind in codec.target_kinds.items()}
    origins = _origins(config, split) if cross_fitted else []
    proof_rows = seen_rows(split) if cross_fitted else split.validation
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
    if not cross_fitted:
        fold = Fold(split.train, proof_rows[half[proof_rows] == 0])
        return Plan(False, [fold], half, [fold]), notes
    if origins:
        return Plan(True, origins, half, origins), notes
    repeats = _folds(proof_rows, dealt, config=config, clusters=split.clusters)
    return Plan(True, [fold for folds in repeats for fold in folds], half, repeats[0]), notes


def _origins(config: Config, split: Split) -> list[Fold]:
    """Folds of which each learns from all before a period, and is judged on the period.

    Without any where rows are not divided by time, or there are too few blocks of it.

    Source:
        Tashman 2000, rolling-origin evaluation, with windows that grow.
    """
    if not _has_origins(config, split):
        return []
    rows = seen_rows(split)
    assert split.clusters is not None
    block = np.unique(split.clusters[rows], return_inverse=True)[1]  # numbered along time
    # Blocks differ in size: each counts as where the middle of its rows lies.
    ends = np.cumsum(np.bincount(block)) / len(rows)
    middle = ends - np.diff(ends, prepend=0.0) / 2
    period = np.ceil((1 - middle) / PERIOD).astype(int)[block]  # 1 is the last one
    return [Fold(rows[period > number], rows[period == number]) for number in range(ORIGINS, 0, -1)]


def _has_origins(config: Config, split: Split) -> bool:
    """Whether models are judged on periods later than what they learned.

    Not without a refit: what is deployed would not know the last of them.
    """
    rows = seen_rows(split)
    return (
        config.split.by == "time"
        and config.windows is None  # windows on both sides of a period share their steps
        and config.deploy.refit
        and config.proof.folds == "auto"
        and len(rows) <= SMALL
        and split.clusters is not None
        and len(np.unique(split.clusters[rows])) >= FEWEST_BLOCKS
    )


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
    if config.proof.folds != "auto":
        return config.proof.folds > 1
    rows = seen_rows(split)
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
