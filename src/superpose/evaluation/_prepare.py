"""A table made ready for training: kinds found, rows divided, codec fitted, nothing trained."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
import pyarrow as pa

from superpose.config import Config
from superpose.data import (
    Codec,
    Features,
    Fold,
    Schema,
    Split,
    find_leaks,
    fold_indices,
    infer_schema,
    make_split,
    require_own_columns,
    sources_of,
)
from superpose.errors import ConfigError, Faults, listing, message
from superpose.kinds import TARGET_KINDS
from superpose.training import hideable
from superpose.trees import Engine, require_engine

# Below so many labels one validation split decides nothing; out-of-fold predictions are used. A
# label of a class counts as long as there are enough of the rarer ones to tell classes apart.
SMALL = 4000
ROWS_PER_RARE_LABEL = 20
# A table of fewer groups is small, however many rows they have: fifteen percent of two hundred
# groups are thirty, and half of those decide.
FEW_GROUPS = 200
# Below so many rows every row tells: ten folds leave each model nine tenths of them.
FEW = 800
# Above so many rows folds would cost more than they steady.
LARGE = 8_000


@dataclass
class Prepared:
    """A table ready for training.

    Args:
        regime: "folds" (out-of-fold predictions) or "holdout" (one validation split).
        folds: Training and held-out rows of each network.
        halves: For each row 0 (chooses), 1 (decides) or -1 (takes no part in the proof).
        drawn: Folds of the first repeat; trees, whose folds cost more, are fitted on these only.
    """

    table: pa.Table
    config: Config
    schema: Schema
    split: Split
    codec: Codec
    blocks: dict[str, np.ndarray]
    features: Features
    labels: dict[str, np.ndarray]
    regime: str
    folds: list[Fold]
    halves: np.ndarray
    drawn: int
    warnings: list[str] = field(default_factory=list)

    @property
    def conversions(self) -> list[str]:
        """What is read otherwise than it is written, one sentence each."""
        return list(dict.fromkeys([*self.schema.conversions, *self.codec.conversions]))

    @property
    def sources(self) -> np.ndarray | None:
        """For each row the number of its source, where there are several."""
        names = sources_of(self.table)
        return (
            None
            if names is None
            else np.asarray(names.combine_chunks().dictionary_encode().indices)
        )

    @property
    def targets(self) -> list[str]:
        """Names of the targets."""
        return list(self.codec.target_kinds)

    @property
    def crossed(self) -> bool:
        """Whether predictions are out-of-fold, so that each half also chooses for the other."""
        return self.regime == "folds"


def _require_one_network(config: Config, codec: Codec) -> None:
    """Make sure that groups are not asked for where they can't be served.

    Raises:
        ConfigError: Groups of targets some of which have heads of another form.
    """
    dense = [name for name, kind in codec.target_kinds.items() if not kind.plain_head]
    if config.groups and dense:
        given = f"given beside {listing(dense)}, which has a head of another form"
        fix = "remove the groups: such targets share one network with all others"
        raise ConfigError(message(config.at("groups"), given, fix=fix))


def _require_followed(config: Config, schema: Schema) -> None:
    """Make sure that images are mixed only where a target follows.

    Raises:
        ConfigError: Images that are mixed without a mask or a map of them.
    """
    faults = Faults(ConfigError)
    pieced = {t.options.get("of") for t in schema.targets if TARGET_KINDS[t.kind].follows_pieces}
    for place, spec in enumerate(() if config.inputs == "auto" else config.inputs):
        vary = spec.options.get("augment")
        if isinstance(vary, Mapping) and vary.get("mix") and spec.name not in pieced:
            given = f"{vary['mix']:g} given, but no target is a mask or a map of {spec.name!r}"
            fix = "remove it: all labels of the rows that are mixed would be hidden"
            faults.add(config.at("inputs", place, "augment", "mix"), given, fix=fix)
    faults.raise_any()


def prepare(table: pa.Table, config: Config) -> Prepared:
    """Find the kinds, divide the rows, fit the codec; nothing is trained.

    What encoding warns of, such as files that can't be read, is kept for the report too.

    Raises:
        DataError: Every fault of the table, gathered.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        prepared = _prepare(table, config)
    _warn_again(caught)
    said = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    prepared.warnings = list(dict.fromkeys([*prepared.warnings, *said]))
    return prepared


def _warn_again(caught: Iterable[warnings.WarningMessage]) -> None:
    for one in caught:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _prepare(table: pa.Table, config: Config) -> Prepared:
    for engine in engines_of(config, small=False):
        require_engine(engine)
    schema = infer_schema(table, config)
    _require_followed(config, schema)
    table = schema.typed(table)
    split = make_split(table, config, schema)
    seen = np.sort(np.concatenate([split.train, split.validation]))
    codec = Codec.fit(table, schema, split.train)
    _require_one_network(config, codec)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        labels = codec.labels(table)
    grouped = config.split.by == "group" or config.split.groups is not None
    groups = split.clusters if grouped else None
    small = _is_crossed(config, codec, labels, seen, groups)
    if small:
        # What was new to the training rows alone may be known now: it is warned of anew.
        codec = Codec.fit(table, schema, seen)
        labels = codec.labels(table)
    else:
        _warn_again(caught)
    require_own_columns(codec, config)
    dealt = {t: kind.balanced(labels[t]) for t, kind in codec.target_kinds.items()}
    halves = np.full(table.num_rows, -1)
    judges = seen if small else split.validation
    if _count_units(judges, split.clusters) < 2:
        halves[judges] = 0
        schema.warnings.append(
            "split: the validation rows are of one group only, so they choose and nothing decides; "
            "no challenger can ship"
        )
    else:
        halves[judges] = fold_indices(judges, dealt, 2, config.seed + 1, split.clusters)
    if small:
        folds, drawn = _folds(seen, dealt, config, split.clusters)
    else:
        folds, drawn = [Fold(split.train, judges[halves[judges] == 0])], 1
    found = [
        *schema.warnings,
        *split.warnings,
        *codec.warnings,
        *_unserved(codec, config),
        *_unhidden(codec, config),
        *find_leaks(table, schema, split),
    ]
    return Prepared(
        table,
        config,
        schema,
        split,
        codec,
        codec.inputs(table),
        codec.features(table),
        labels,
        "folds" if small else "holdout",
        folds,
        halves,
        drawn,
        list(dict.fromkeys(found)),
    )


def _unserved(codec: Codec, config: Config) -> list[str]:
    """Say which targets no boosted trees stand against."""
    asked, found = config.proof.references, []
    for target, kind in codec.target_kinds.items():
        if kind.tree == "none" and asked in ("all", "trees"):
            left = "the network alone is its only reference"
            if asked == "trees":
                left = "it has no reference, so what ships for it is unproven"
            found.append(f"target {target!r}: boosted trees can't predict {kind.name}; {left}")
    return found


def _unhidden(codec: Codec, config: Config) -> list[str]:
    """Say that nothing is hidden where it is asked for."""
    if not config.training.modality_dropout or hideable(codec):
        return []
    return [
        "training.modality_dropout: no input is hidden; only an image, a sound, a text, a series "
        "and the like are, beside another input, and none whose places have an answer each"
    ]


def _is_crossed(
    config: Config,
    codec: Codec,
    labels: Mapping[str, np.ndarray],
    rows: np.ndarray,
    groups: np.ndarray | None,
) -> bool:
    """Tell whether out-of-fold predictions are made: as set, or where labels are few."""
    whole = [kind.column for kind in codec.input_kinds if kind.skip_cross_fitting]
    whole += [t for t, kind in codec.target_kinds.items() if not kind.blends]
    if config.proof.folds != "auto":
        if whole and config.proof.folds > 1:
            given = f"{config.proof.folds} given, but a pretrained model of {whole[0]!r} is trained"
            fix = "write `folds: 1`, or `train: nothing` for an input"
            raise ConfigError(message(config.at("proof", "folds"), given, "1", fix))
        return config.proof.folds > 1
    slow = whole or any(kind.slow for kind in codec.target_kinds.values())
    return not slow and _is_small(codec, labels, rows, groups)


def _is_small(
    codec: Codec, labels: Mapping[str, np.ndarray], rows: np.ndarray, groups: np.ndarray | None
) -> bool:
    """Tell whether groups, or the typical target's labels, are too few for one validation split."""
    if len(rows) > LARGE:
        return False
    if groups is not None and _count_units(rows, groups) < FEW_GROUPS:
        return True
    counts = []
    for target, kind in codec.target_kinds.items():
        y = labels[target][rows]
        count = int(kind.known(y).sum())
        if kind.name == "binary":
            rare = min(int((y == 0).sum()), int((y == 1).sum()))
            count = min(count, ROWS_PER_RARE_LABEL * rare)
        counts.append(count)
    return len(rows) <= SMALL or float(np.median(counts)) <= SMALL


def _count_units(rows: np.ndarray, clusters: np.ndarray | None) -> int:
    return len(rows) if clusters is None else len(np.unique(clusters[rows]))


def _folds(
    rows: np.ndarray, labels: Mapping[str, np.ndarray], config: Config, clusters: np.ndarray | None
) -> tuple[list[Fold], int]:
    things = _count_units(rows, clusters)
    auto = 10 if len(rows) < FEW else 5
    k = min(auto if config.proof.folds == "auto" else config.proof.folds, things)
    found = []
    for repeat in range(config.proof.repeats):
        fold = fold_indices(rows, labels, k, config.seed + 100 + repeat, clusters)
        found += [Fold(rows[fold != f], rows[fold == f]) for f in range(k)]
    return found, k


def engines_of(config: Config, small: bool) -> list[Engine]:
    """Return the tree engines from the settings; small tables try coarse trees beside fine ones."""
    asked = config.proof.trees
    if asked == "auto":
        asked = ["hist", "catboost"] if find_spec("catboost") else ["hist"]
    coarse: list[Engine] = ["hist-coarse"] if small and "hist" in asked else []
    return [*asked, *coarse]
