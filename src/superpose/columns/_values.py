"""Columns of any Arrow type read as numbers, class names or sets, without a loop over rows."""

from __future__ import annotations

import warnings
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError

Column: TypeAlias = pa.ChunkedArray

# What Arrow's own parser accepts, plus surrounding blanks, which files often carry.
_NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|Inf|INF|infinity|Infinity|nan|NaN|NAN)$"
SEPARATORS = (";", "|", ",")
# The types in which classes come back, by the names that fitted columns keep.
CLASS_TYPES = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "double": pa.float64(),
    "string": pa.string(),
}
NUMERIC = ("int64", "uint64", "double")


def plain(values: Column) -> Column:
    """Replace dictionary and run-end encodings by the values they stand for."""
    if pa.types.is_dictionary(values.type):
        return values.cast(values.type.value_type)
    if pa.types.is_run_end_encoded(values.type):
        return pa.chunked_array(
            [pc.run_end_decode(c) for c in values.chunks], values.type.value_type
        )
    return values


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds strings."""
    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds lists."""
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def holds_files(kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are whole files, as data sets of images are published."""
    return pa.types.is_struct(kind) and {field.name for field in kind} == {"bytes", "path"}


def as_text(values: Column) -> pa.Array:
    """Read a column as one array of large strings, null where missing."""
    values = plain(values)
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.large_string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        values = pc.add(values, pa.scalar(0, values.type))  # -0.0 is 0.0
    return one(values.cast(pa.large_string()))


def one(values: Column | pa.Array) -> pa.Array:
    """Merge the chunks of a column into one array."""
    if isinstance(values, pa.Array):
        return values
    merged = values.combine_chunks()
    if isinstance(merged, pa.ChunkedArray):  # an empty column stays chunked
        return pa.concat_arrays(merged.chunks) if merged.num_chunks else pa.array([], merged.type)
    return merged


def missing(values: Column) -> np.ndarray:
    """Mark the rows without a value; NaN counts as missing."""
    values = plain(values)
    return np.asarray(pc.is_null(values, nan_is_null=pa.types.is_floating(values.type)))


def present(values: Column) -> np.ndarray:
    """Mark the rows with a value; NaN, blank text and structures with gaps are none."""
    values = plain(values)
    if pa.types.is_struct(values.type):
        return np.logical_and.reduce([~missing(part) for part in values.flatten()])
    if is_text(values.type):
        return np.asarray(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(values), ""), False))
    return ~missing(values)


def as_floats(column: str, values: Column, what: str = "number") -> np.ndarray:
    """Read a column as float64 with NaN where missing.

    Args:
        column: name of the column, for the message.
        values: numbers, booleans, durations and times of day (in seconds), or strings that spell
            numbers.
        what: the kind the column was declared as, for the message.

    Raises:
        DataError: the first row that is not a number, with its value.
    """
    values = plain(values)
    kind = values.type
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if is_text(kind):
        return _parse(column, one(values.cast(pa.large_string())), what)
    if pa.types.is_boolean(kind):
        values = values.cast(pa.uint8())
    elif pa.types.is_duration(kind):
        nanoseconds = values.cast(pa.duration("ns"), safe=False).cast(pa.int64())
        return as_floats(column, nanoseconds, what) / 1e9
    elif pa.types.is_time(kind):
        microseconds = values.cast(pa.time64("us"), safe=False).cast(pa.int64())
        return as_floats(column, microseconds, what) / 1e6
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        advice = "date" if pa.types.is_temporal(kind) else "category"
        raise DataError(
            f"column {column!r}: declared as {what}, but it holds {kind}; "
            f"declare it as kind {advice}, or leave it out under ignore"
        )
    return np.asarray(one(values.cast(pa.float64(), safe=False)).to_numpy(zero_copy_only=False))


def _parse(column: str, text: pa.Array, what: str) -> np.ndarray:
    text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    bad = pc.fill_null(pc.invert(pc.match_substring_regex(text, _NUMBER)), False)
    if pc.any(bad).as_py():
        row = pc.index(bad, True).as_py()
        raise DataError(
            f"column {column!r}, row {row}: {_short(text[row].as_py())} is not a number, but the "
            f"column is declared as {what}; mend the value, leave it empty if it is missing, "
            f"or declare the column as another kind"
        )
    return np.asarray(text.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _short(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def class_type(values: Column) -> str:
    """Name the type in which class labels come back: bool, int64, uint64, double or string."""
    kind = plain(values).type
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        largest = pc.max(plain(values)).as_py() if pa.types.is_uint64(kind) else None
        return "int64" if largest is None or largest < 2**63 else "uint64"
    if pa.types.is_floating(kind):
        # Gaps turn integers into floats in many readers; whole numbers were classes 0, 1, 2.
        numbers = plain(values).drop_null()
        whole = pc.or_(pc.equal(numbers, pc.floor(numbers)), pc.is_nan(numbers))
        # Arrow spells larger floats with an exponent, which no integer is read from.
        whole = pc.and_(whole, pc.invert(pc.greater_equal(pc.abs(numbers), 1e9)))
        return "int64" if pc.all(whole).as_py() else "double"
    return "string"


def class_names(values: Column, kind: str) -> pa.Array:
    """Spell class labels so that 1, 1.0 and "1" (or true, True and 1) are the same class.

    Args:
        values: labels of any plain type.
        kind: the type of the fitted column, from `class_type`.
    """
    text = as_text(values)
    if kind in NUMERIC:
        trimmed = pc.utf8_trim_whitespace(text)
        text = pc.replace_substring_regex(trimmed, r"^([+-]?\d+)\.0*$", r"\1")
    elif kind == "bool":
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(text))
        lower = pc.if_else(
            pc.is_in(lower, pa.array(["1", "1.0", "yes"], lower.type)), "true", lower
        )
        text = pc.if_else(pc.is_in(lower, pa.array(["0", "0.0", "no"], lower.type)), "false", lower)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def class_values(indices: np.ndarray, labels: list[str], kind: str) -> pa.Array:
    """Give class labels back in the type of the fitted column, null where the index is below 0."""
    names = pa.array(labels, pa.string()).cast(CLASS_TYPES[kind])
    return names.take(pa.array(np.maximum(indices, 0), mask=indices < 0))


def find(text: pa.Array, known: list[str]) -> np.ndarray:
    """Position of each string among the known ones; -1 where unknown, -2 where missing."""
    positions = pc.index_in(text, value_set=pa.array(known, text.type))
    index = np.asarray(positions.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
    return np.where(np.asarray(text.is_null().to_numpy(zero_copy_only=False)), -2, index)


def counted(text: pa.Array) -> tuple[list[str], np.ndarray]:
    """Distinct strings and how often each occurs, most frequent first, ties by name."""
    table = pc.value_counts(text.drop_null())
    names = table.field("values").to_pylist()
    counts = table.field("counts").to_numpy()
    order = sorted(range(len(names)), key=lambda i: (-counts[i], names[i]))
    return [names[i] for i in order], counts[order]


def as_sets(values: Column, separator: str | None) -> tuple[pa.Array, np.ndarray]:
    """Read a column of lists, or of joined strings, as members and the row of each member.

    Args:
        values: lists, or strings such as ``"red;blue"``.
        separator: what joins the members of a string; None for lists.

    Returns:
        Members (large strings) and their row numbers; see `missing` for rows without a value.
    """
    values = plain(values)
    if is_list(values.type):
        lists = one(values)
        if pa.types.is_fixed_size_list(lists.type):
            lists = lists.cast(pa.list_(lists.type.value_type))
        members = as_text(pa.chunked_array([pc.list_flatten(lists)]))
        rows = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    else:
        text = as_text(values)
        split = pc.split_pattern(text, separator or SEPARATORS[0])
        members = pc.list_flatten(split)
        rows = np.asarray(pc.list_parent_indices(split))
    members = pc.utf8_trim_whitespace(members)
    keep = pc.fill_null(pc.not_equal(members, ""), False)
    return members.filter(keep), rows.astype(np.int64)[np.asarray(keep)]


def are_marks(values: Column) -> bool:
    """Whether lists hold zeros and ones alone, equally many in every row: marks, not members.

    Example:
        >>> are_marks(pa.chunked_array([[[0, 1, 1], [1, 0, 0]]]))
        True
    """
    values = plain(values)
    if not is_list(values.type) or not (
        pa.types.is_integer(values.type.value_type) or pa.types.is_boolean(values.type.value_type)
    ):
        return False
    known = values.drop_null()
    lengths = pc.unique(pc.list_value_length(known)).to_pylist()
    if len(lengths) != 1 or lengths[0] < 2:
        return False
    members = pc.unique(pc.list_flatten(known)).to_pylist()
    return set(members) <= {0, 1}


def require_members(role: str, values: Column) -> None:
    """Makes sure that lists name their members.

    Raises:
        DataError: they mark them with zeros and ones.
    """
    if are_marks(values):
        length = len(next(cell for cell in values.to_pylist() if cell is not None))
        raise DataError(
            f"{role}: {len(values) - values.null_count} lists of {length} zeros and ones, which "
            f"mark members without naming them; write a column for each of the {length}, or lists "
            f"of names"
        )


def guess_separator(values: Column) -> str | None:
    """The separator that most joined strings contain; None for lists."""
    values = plain(values)
    if is_list(values.type) or pa.types.is_null(values.type):
        return None
    text = as_text(values)
    hits = [pc.sum(pc.match_substring(text, s)).as_py() or 0 for s in SEPARATORS]
    return SEPARATORS[int(np.argmax(hits))]


def hot(members: pa.Array, rows: np.ndarray, *, gone: np.ndarray, levels: list[str]) -> np.ndarray:
    """Mark which levels each row holds: float32 (N, L), NaN rows where missing."""
    index = find(members, levels)
    block = np.zeros((len(gone), len(levels)), np.float32)
    known = index >= 0
    block[rows[known], index[known]] = 1
    block[gone] = np.nan
    return block


def warn(message: str, category: type[UserWarning] = UserWarning) -> None:
    """Warn about a value met while encoding new rows."""
    warnings.warn(message, category, stacklevel=4)
