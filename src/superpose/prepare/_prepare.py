"""A table made ready for training: kinds inferred, rows divided, codec fitted, nothing trained."""

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
    Schema,
    Split,
    find_leaks,
    infer_schema,
    make_split,
    require_own_columns,
    sources_of,
)
from superpose.errors import ConfigError, Faults, listing, message
from superpose.kinds import TARGET_KINDS
from superpose.models import Rows
from superpose.trees import Engine, require_engine

from ._plan import Plan, few_by_count, few_by_labels, forbids_folds, make_plan


@dataclass
class Prepared:
    """A table ready for training.

    Args:
        table: The table, of the types of the schema.
        config: The settings.
        schema: Its columns and their kinds.
        split: Training, validation and test rows.
        codec: The fitted kinds.
        inputs: Encoded inputs of networks, all rows.
        features: Encoded inputs of trees, all rows.
        labels: Encoded labels by target, all rows.
        plan: How models are evaluated.
        warnings: What the user should know, one sentence each.
    """

    table: pa.Table
    config: Config
    schema: Schema
    split: Split
    codec: Codec
    inputs: dict[str, np.ndarray]
    features: Features
    labels: dict[str, np.ndarray]
    plan: Plan
    warnings: list[str] = field(default_factory=list)

    @property
    def conversions(self) -> list[str]:
        """What is read otherwise than it is written, one sentence each."""
        return list(dict.fromkeys([*self.schema.conversions, *self.codec.conversions]))

    @property
    def dataset_ids(self) -> np.ndarray | None:
        """For each row the number of its data set, where there are several."""
        names = sources_of(self.table)
        if names is None:
            return None
        return np.asarray(names.combine_chunks().dictionary_encode().indices)

    @property
    def targets(self) -> list[str]:
        """Names of the targets."""
        return list(self.codec.target_kinds)

    @property
    def rows(self) -> Rows:
        """All rows as models read them."""
        return Rows.of_arrays(self.codec, self.inputs, self.features.matrix)


def _require_one_network(config: Config, codec: Codec) -> None:
    """Make sure that no groups are set where targets have heads of another form.

    Raises:
        ConfigError: Groups of targets some of which have heads of another form.
    """
    dense = [name for name, kind in codec.target_kinds.items() if not kind.has_linear_head]
    if config.groups and dense:
        given = f"given beside {listing(dense)}, which has a head of another form"
        fix = "remove the groups: such targets share one network with all others"
        raise ConfigError(message(config.at("groups"), given, fix=fix))


def _require_followed(config: Config, schema: Schema) -> None:
    """Make sure that images are mixed only where a target has labels that can be mixed too.

    Raises:
        ConfigError: Images that are mixed without a mask or a map of them.
    """
    faults = Faults(ConfigError)
    with_labels = {
        t.options.get("of") for t in schema.targets if TARGET_KINDS[t.kind].hints.mixes_labels
    }
    for index, spec in enumerate(() if config.inputs == "auto" else config.inputs):
        augment = spec.options.get("augment")
        if isinstance(augment, Mapping) and augment.get("mix") and spec.name not in with_labels:
            given = f"{augment['mix']:g} given, but no target is a mask or a map of {spec.name!r}"
            fix = "remove it: all labels of the rows that are mixed would be hidden"
            faults.add(config.at("inputs", index, "augment", "mix"), given, fix=fix)
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
    messages = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    prepared.warnings = list(dict.fromkeys([*prepared.warnings, *messages]))
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
    codec, labels, cross_fitted = _fit_codec(table, config, schema=schema, split=split)
    require_own_columns(codec, config)
    plan, notes = make_plan(codec, labels, config=config, split=split, cross_fitted=cross_fitted)
    schema.warnings.extend(notes)
    all_warnings = [
        *schema.warnings,
        *split.warnings,
        *codec.warnings,
        *_unserved(codec, config),
        *_unhidden(codec, config),
        *find_leaks(table, schema, split),
    ]
    return Prepared(
        table=table,
        config=config,
        schema=schema,
        split=split,
        codec=codec,
        inputs=codec.inputs(table),
        features=codec.features(table),
        labels=labels,
        plan=plan,
        warnings=list(dict.fromkeys(all_warnings)),
    )


def _fit_codec(
    table: pa.Table, config: Config, *, schema: Schema, split: Split
) -> tuple[Codec, dict[str, np.ndarray], bool]:
    """Fit the codec on the rows that models learn from: all but the test rows where labels are few.

    Returns:
        The codec, the encoded labels, and whether predictions will be out-of-fold.
    """
    few = few_by_count(config, schema, split)
    codec = Codec.fit(table, schema, split.before_test if few else split.train)
    _require_one_network(config, codec)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        labels = codec.labels(table)
    if forbids_folds(codec, config):
        cross_fitted = False
    elif few is None:
        cross_fitted = few_by_labels(codec, labels, split.before_test)
    else:
        cross_fitted = few
    if cross_fitted == bool(few):
        _warn_again(caught)
        return codec, labels, cross_fitted
    # What was new to the training rows alone may be known now, and the reverse: it is warned anew.
    codec = Codec.fit(table, schema, split.before_test if cross_fitted else split.train)
    return codec, codec.labels(table), cross_fitted


def _unserved(codec: Codec, config: Config) -> list[str]:
    """Say which targets boosted trees can't predict."""
    references = config.proof.references
    notes = []
    for target, kind in codec.target_kinds.items():
        if kind.tree_task is None and references in ("all", "trees"):
            consequence = "the single-task network is its only reference"
            if references == "trees":
                consequence = "it has no reference, so what is deployed for it is unproven"
            notes.append(
                f"target {target!r}: boosted trees can't predict {kind.name}; {consequence}"
            )
    return notes


def _unhidden(codec: Codec, config: Config) -> list[str]:
    """Say where nothing is hidden although the settings want it."""
    if not config.training.modality_dropout or codec.hideable_groups:
        return []
    return [
        "training.modality_dropout: no input is hidden; only an image, a sound, a text, a series "
        "and the like are, beside another input, and none whose locations have a label each"
    ]


def engines_of(config: Config, small: bool) -> list[Engine]:
    """Return the tree engines from the settings; small tables try coarse trees beside fine ones."""
    engines = config.proof.trees
    if engines == "auto":
        engines = ["hist", "catboost"] if find_spec("catboost") else ["hist"]
    coarse: list[Engine] = ["hist-coarse"] if small and "hist" in engines else []
    return [*engines, *coarse]
