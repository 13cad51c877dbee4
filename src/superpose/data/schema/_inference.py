"""From a table and the settings to the schema: every column gets its kind, every fault is found."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from superpose.config import Config
from superpose.data.read._sources import SOURCE
from superpose.data.read._table_metadata import sources_of
from superpose.errors import DataError, listing, message

from ._columns import Columns
from ._inputs import InputColumns
from ._schema import ColumnSpec, Schema, blank_words
from ._targets import TargetColumns


def infer_schema(table: pa.Table, config: Config) -> Schema:
    """Gives every column its kind, declared or guessed, with the reason.

    Args:
        table: all rows, as `read_table` gives them.
        config: the settings; declared kinds are checked, the others are guessed by the rules of
            `superpose.data.schema._guessing`.

    Raises:
        DataError: names every fault of every column: not in the table, no or hardly any labels, a
            constant target, values that do not belong to the declared kind, too many levels.

    Example:
        >>> table = pa.table({"wind": ["N", "S", "W", "N"], "rain": [0.0, 0.5, 0.1, 2.5]})
        >>> schema = infer_schema(table, Config.from_arguments(targets="rain"))
        >>> [(column.name, column.kind) for column in schema.inputs + schema.targets]
        [('wind', 'category'), ('rain', 'number')]
    """
    columns = Columns(table, config)
    _ignore(columns)
    targets = TargetColumns(columns).specs()
    inputs = InputColumns(columns).specs()
    columns.faults.raise_any()
    if not inputs:
        reasons = listing(f"{name} ({why})" for name, why in columns.ignored.items())
        raise DataError(
            message(
                config.at("inputs"),
                f"no input is left; not used: {reasons or 'nothing'}",
                fix="give a table with columns to predict from",
            )
        )
    inputs = _optional(table, inputs)
    return Schema(inputs, targets, columns.ignored, columns.warnings, columns.conversions)


def _ignore(columns: Columns) -> None:
    """Names the columns that are neither inputs nor targets, as the settings have it."""
    config = columns.config
    checks = columns.checks
    ignored = columns.ignored
    for index, name in enumerate(config.ignore):
        if checks.known(name, "ignore", index):
            ignored[name] = "named under ignore"
    split = config.split.column
    # The time of a split is an input like others; a group would be learned by heart.
    known = split is None or checks.known(split, "split", "column")
    if split is not None and known and config.split.by != "time":
        ignored[split] = "it tells the split"
    if sources_of(columns.table) is not None and not _is_named(config, SOURCE):
        ignored[SOURCE] = "it names the sources; name it under inputs to learn from it"
    groups = config.split.groups
    if groups is not None and checks.known(groups, "split", "groups"):
        ignored[groups] = "it tells which rows depend on each other"
    if (windows := config.windows) is not None:
        ignored |= dict.fromkeys(windows.columns, f"a channel of {windows.name!r}")
        if windows.group is not None:
            ignored[windows.group] = "it tells recordings apart"


def _is_named(config: Config, name: str) -> bool:
    """Whether the settings say what a column is."""
    inputs = [] if config.inputs == "auto" else config.inputs
    return name in {column.name for column in [*inputs, *config.targets]}


def _optional(table: pa.Table, inputs: list[ColumnSpec]) -> list[ColumnSpec]:
    """Marks the inputs that one of several sources has no value of: new rows may lack them."""
    sources = sources_of(table)
    if sources is None:
        return inputs
    every = len(pc.unique(sources))

    def lacking(spec: ColumnSpec) -> bool:
        known = sources.filter(pc.is_valid(blank_words(table.column(spec.name), spec.missing)))
        return len(pc.unique(known)) < every

    return [replace(spec, optional=lacking(spec)) for spec in inputs]
