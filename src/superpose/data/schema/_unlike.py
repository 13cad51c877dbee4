"""Signs that new rows are not like those of the training, one sentence for a column."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Column,
    NumberFormat,
    conversions_of,
    is_scale,
    present,
    summary,
    unstated,
)
from superpose.data._codec import Codec
from superpose.errors import listing, location, message
from superpose.kinds import InputKind

from ._schema import has_column

# Rows of the same source seldom differ in so many; with less, every table would be warned of.
MOST_UNLIKE = 0.05
# Chance, by the gaps of the training rows, below which it is no accident that a column is empty.
LEAST_CHANCE = 0.001
SHOWN = 3  # values that one sentence names


def _is_bare(form: NumberFormat, values: Column) -> bool:
    """Whether numbers come without the unit that says how large they are."""
    bare = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    return bare and is_scale(form.unit)


def unlike_training(codec: Codec, table: pa.Table, stated: Iterable[str] = ()) -> list[str]:
    """Names the inputs whose values training rows had nothing like, and those without any value.

    What the reader of the table has read otherwise than it is written is named too, unless it was
    so in the training rows.

    Args:
        codec: fitted codec.
        table: new rows.
        stated: what was read otherwise than it is written in the training rows.

    Example:
        >>> from superpose.data.schema._schema import ColumnSpec, Schema
        >>> old = pa.table({"town": ["oslo", "rome"] * 3, "y": [0.0, 1.0] * 3})
        >>> schema = Schema([ColumnSpec("town", "category")], [ColumnSpec("y", "number")])
        >>> codec = Codec.fit(old, schema, np.arange(6))
        >>> unlike_training(codec, pa.table({"town": ["oslo", "lima"]}))[0].split(";")[0]
        "column 'town', row 1: 1 of 2 rows (50%) with values unlike those of training ('lima')"
    """
    specs = {spec.name: spec for spec in codec.schema.inputs}
    sentences = summary(unstated(conversions_of(table), stated))
    for kind in codec.input_kinds if table.num_rows else ():
        spec = specs[kind.column]
        if not has_column(table, spec.name) or spec.optional:
            continue
        if spec.number_format is not None and _is_bare(spec.number_format, table.column(spec.name)):
            given = f"numbers without a unit are read as in {spec.number_format.unit}, as those of "
            sentences.append(message(location(column=spec.name), given + "the training rows are"))
        values = spec.values(table)
        there = present(values)
        if not there.any():
            if codec.gaps.get(spec.name, 1.0) ** len(values) < LEAST_CHANCE:
                given = f"none of {len(values)} rows has a value, as training rows had"
                fix = "check how the column is read"
                sentences.append(message(location(column=spec.name), given, fix=fix))
            continue
        if (sentence := _unlike(kind, values, there)) is not None:
            sentences.append(sentence)
    return sentences


def _unlike(kind: InputKind, values: Column, there: np.ndarray) -> str | None:
    """The sentence on an input where too many rows are unlike those of the training."""
    outside = kind.outside(values)
    rows = np.flatnonzero(outside.rows)
    share = len(rows) / there.sum()
    # Values that are rare in training stand for those that it has not seen at all.
    if share <= MOST_UNLIKE + outside.usual_share:
        return None
    examples = dict.fromkeys(repr(v) for v in values.take(pa.array(rows[:1000])).to_pylist())
    given = (
        f"{len(rows)} of {len(values)} rows ({len(rows) / len(values):.0%}) with values unlike "
        f"those of training ({listing(examples, SHOWN)})"
    )
    fix = "check units and spelling; predictions that rest on them are extrapolated"
    return message(location(column=kind.column, row=int(rows[0])), given, fix=fix)
