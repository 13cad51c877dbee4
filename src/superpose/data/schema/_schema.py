"""The schema: which columns are inputs, which are targets, what each one is, and why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from superpose.columns import (
    NumberFormat,
    as_floats,
    as_written,
    is_text,
    one,
    read_times,
    with_clock,
)
from superpose.errors import DataError, did_you_mean, listing, location, message
from superpose.stored import restored

from ._guess import are_markers

# Words that stand for a missing value in any text, as programs write them.
NULL_WORDS = (
    *("", "?", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "NaN", "nan"),
    *("NaT", "<NA>", "\\N", "(null)", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?"),
    *("-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
# Kinds that read numbers as such; others read how they are written.
NUMBER_KINDS = ("number", "count", "survival", "date")


class Known(NamedTuple):
    """What is known of columns before they are read.

    Args:
        text: those whose cells stay as they stand; else a column gets the type that spells them.
        lists: those that hold lists, be these written as text.
        commas: those whose numbers have a decimal comma where they are text.
    """

    text: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    commas: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ColumnSpec:
    """One column that the model uses.

    Args:
        name: name of the column in the table.
        kind: name of its kind, a key of `INPUT_KINDS` or `TARGET_KINDS`.
        options: what the kind's `fit` takes besides the values, such as `levels`; JSON-able.
        reason: why it has this kind, one short phrase.
        weight: weight of a target in the joint loss, above 0; not used for inputs.
        missing: words or numbers in the column that stand for a missing value, such as `?`.
        number_format: how text spells numbers, where it is not plain.
        decimals: with how many decimals numbers are spelled that are names of classes.
        form: "text", "list" or "comma" (numbers with a decimal comma) where the column held these;
            new rows are read so whatever stands in them.
        optional: whether a table may lack this input, as some of several sources did.
    """

    name: str
    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    weight: float = 1.0
    missing: tuple[str, ...] = NULL_WORDS
    number_format: NumberFormat | None = None
    decimals: Annotated[int, Field(ge=0, le=300)] | None = None
    form: Literal["", "text", "list", "comma"] = ""
    optional: bool = False

    def values(self, table: pa.Table) -> pa.ChunkedArray:
        """Takes the column out of a table, with the words for a missing value made null.

        Args:
            table: a table as `read_table` gives it.

        Raises:
            DataError: the column is not in the table.
        """
        if not has_column(table, self.name):
            hint = did_you_mean(self.name, table.column_names)
            raise DataError(
                message(
                    location(column=self.name),
                    "not in the table",
                    fix=hint or f"its columns are {listing(table.column_names)}",
                )
            )
        values = blank_words(as_written(table.column(self.name), self.decimals), self.missing)
        if self.kind in NUMBER_KINDS and set(NULL_WORDS) <= set(self.missing):
            values = blank_markers(values)
        if self.number_format is not None and is_text(values.type):
            text = one(values.cast(pa.large_string()))
            values = pa.chunked_array([self.number_format.read(self.name, text)])
        if (clock := self.options.get("clock")) is not None:
            days = read_times(self.name, values, self.options.get("format"))
            return with_clock(self.name, days, clock=clock, hours=_needed(table, self.name, clock))
        return beside(self.name, values, table=table, event=self.options.get("event"))


@dataclass(frozen=True)
class Schema:
    """The columns that the model uses, each with its kind and the reason for it.

    Args:
        inputs: the input columns, in the order of the table.
        targets: the target columns, in the order in which they were declared.
        ignored: name of each column that is not used, and why.
        warnings: what the user should know, one sentence each.
        conversions: what is read otherwise than it is written, one sentence each.
    """

    inputs: list[ColumnSpec]
    targets: list[ColumnSpec]
    ignored: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    conversions: list[str] = field(default_factory=list)

    @property
    def input_names(self) -> list[str]:
        """Names of the input columns."""
        return [spec.name for spec in self.inputs]

    @property
    def target_names(self) -> list[str]:
        """Names of the target columns."""
        return [spec.name for spec in self.targets]

    @property
    def known(self) -> Known:
        """How new rows are to be read: as the training rows were, whatever stands in them."""
        forms = {spec.name: spec.form for spec in (*self.inputs, *self.targets)}
        every = ("text", "list", "comma")
        return Known(*(frozenset(n for n in forms if forms[n] == form) for form in every))

    def typed(self, table: pa.Table) -> pa.Table:
        """The table with numbers that were written as text as numbers, so that they are read once.

        What can't be read stays as it is, for the codec to name.
        """
        read: dict[int, pa.ChunkedArray] = {}
        for spec in (*self.inputs, *self.targets):
            index = table.schema.get_field_index(spec.name)
            if spec.kind not in ("number", "count") or index < 0:
                continue
            if is_text(table.schema.field(index).type):
                try:
                    numbers = as_floats(spec.name, spec.values(table), spec.kind)
                except DataError:
                    continue
                read[index] = pa.chunked_array([pa.array(numbers, from_pandas=True)])
        columns = [read.get(index, column) for index, column in enumerate(table.columns)]
        fields = [
            field.with_type(column.type)
            for field, column in zip(table.schema, columns, strict=True)
        ]
        return pa.table(columns, schema=pa.schema(fields, metadata=table.schema.metadata))

    def state(self) -> dict[str, Any]:
        """The schema as plain data that JSON can hold."""

        def plain(spec: ColumnSpec) -> dict[str, Any]:
            # The words of most columns are the usual ones.
            words = None if spec.missing == NULL_WORDS else list(spec.missing)
            form = spec.number_format and spec.number_format.state()
            return {**vars(spec), "missing": words, "number_format": form}

        return {
            "inputs": [plain(spec) for spec in self.inputs],
            "targets": [plain(spec) for spec in self.targets],
            "ignored": dict(self.ignored),
            "warnings": list(self.warnings),
            "conversions": list(self.conversions),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Schema":
        """Builds the schema that `state` described."""

        def whole(entry: Any) -> Any:
            usual = isinstance(entry, Mapping) and entry.get("missing", "") is None
            return {**entry, "missing": NULL_WORDS} if usual else entry

        columns = {k: [*map(whole, state.get(k, ()))] for k in ("inputs", "targets")}
        return restored(cls, {**state, **columns}, "schema")


def has_column(table: pa.Table, name: str) -> bool:
    """Whether a table has a column; `column_names` would write down all names for each question."""
    return bool(table.schema.get_field_index(name) >= 0)


def _needed(table: pa.Table, name: str, other: str) -> pa.ChunkedArray:
    """Another column that one is read with, words for missing values made null."""
    if not has_column(table, other):
        hint = did_you_mean(other, table.column_names)
        given = f"its column {other!r} is not in the table"
        raise DataError(message(location(column=name), given, fix=hint or "add it"))
    return blank_words(table.column(other), NULL_WORDS)


def beside(
    name: str, values: pa.ChunkedArray, *, table: pa.Table, event: str | None
) -> pa.ChunkedArray:
    """A column of times with that of its events, as structures; without events as it is.

    Raises:
        DataError: the column of the events is not in the table.

    Example:
        >>> table = pa.table({"days": [3, 9], "died": [True, False]})
        >>> beside("days", table["days"], table=table, event="died").to_pylist()[0]
        {'time': 3, 'event': True}
    """
    if event is None:
        return values
    parts = [part.combine_chunks() for part in (values, _needed(table, name, event))]
    whole = [p if isinstance(p, pa.Array) else pa.concat_arrays(p.chunks) for p in parts]
    return pa.chunked_array([pa.StructArray.from_arrays(whole, ["time", "event"])])


def blank_words(values: pa.ChunkedArray, words: tuple[str, ...]) -> pa.ChunkedArray:
    """Makes null every value that is one of `words`, blanks around it passed over.

    Example:
        >>> blank_words(pa.chunked_array([["3", " ? "]]), ("?",)).to_pylist()
        ['3', None]
        >>> blank_words(pa.chunked_array([[3, -999]]), ("-999",)).to_pylist()
        [3, None]
    """
    blank = _are_words(values, words)
    return values if blank is None else pc.if_else(blank, pa.scalar(None, type=values.type), values)


def blank_markers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Makes null what stands for a missing value among numbers or dates, such as - or unknown."""
    if not is_text(values.type):
        return values
    return pc.if_else(are_markers(values), pa.scalar(None, type=values.type), values)


def counted_words(values: pa.ChunkedArray, words: tuple[str, ...]) -> dict[str, int]:
    """How often each of `words` stands in a column, empty cells not counted."""
    blank = _are_words(values, words)
    if blank is None or not pc.any(blank).as_py():
        return {}
    cells = values.filter(blank)
    if is_text(values.type):
        cells = pc.utf8_trim_whitespace(cells)
    pairs = pc.value_counts(cells).to_pylist()
    return {f"{pair['values']}": pair["counts"] for pair in pairs if pair["values"] != ""}


@cache
def _numbers_among(words: tuple[str, ...]) -> list[float]:
    return [float(word) for word in words if re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", word)]


def _are_words(values: pa.ChunkedArray, words: tuple[str, ...]) -> pa.ChunkedArray | None:
    """Marks the values that are one of some words or numbers; None where none can be."""
    if is_text(values.type):
        known = pa.array(words, type=values.type)
        return pc.is_in(pc.utf8_trim_whitespace(values), value_set=known) if words else None
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return None
    numbers = _numbers_among(words)
    if not numbers:
        return None
    return pc.is_in(values.cast(pa.float64(), safe=False), value_set=pa.array(numbers))
