"""When a row is: a column of times, however it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Times,
    as_floats,
    format_of,
    in_zone,
    is_text,
    plain,
    read_times,
    zone_of,
)
from superpose.config import PLAIN, Config
from superpose.data.schema._guessing import missing_words
from superpose.data.schema._guessing_dates import dates_in
from superpose.data.schema._schema import blank_words
from superpose.errors import DataError, message

from ._split_columns import column_of


def times(
    table: pa.Table, name: str, *, config: Config | None = None, setting: str = "split.column"
) -> Times:
    """A column of times: dates as points in time, numbers as they are.

    Args:
        table: the rows.
        name: name of the column.
        config: where the column is declared as kind date, with its format and zone, or is the time
            of windows, with the format of the training rows.
        setting: the setting that names the column, for the message.

    Raises:
        DataError: no such column, or a value that is no time, with its row.
    """
    values = column_of(table, name, setting)
    values = plain(blank_words(values, missing_words(values, "date")))
    options = _declared_date(config, name)
    kept = None if pa.types.is_temporal(values.type) else _kept_format(config, name)
    try:
        if options is None and kept == PLAIN:
            return _numbers(as_floats(name, values))
        if options is None and kept is not None:
            when = read_times(name, values, kept)
            zone_of(name, when)  # says so where some rows have a zone and others none
            return replace(when, format=kept)
        dates = None if options is not None else dates_in(name, values)
        if options is None and dates is None and not is_text(values.type):
            return _numbers(as_floats(name, values))
        if dates is not None:
            values = blank_words(values, dates.strangers)
            options = dates.options
        elif options is None:
            try:
                return _numbers(as_floats(name, values))
            except DataError:
                options = {}
        format = options.get("format", kept) or format_of(name, values)
        when = replace(read_times(name, values, format), format=format)
        return when if options.get("zone") is None else in_zone(name, when, options["zone"])[0]
    except DataError as error:
        given = str(error).split("; ")[0]
        fix = "mend the value, declare its column as date with a `format:`, or name another column"
        raise DataError(message(setting, given, fix=fix)) from None


def _numbers(values: np.ndarray) -> Times:
    return Times(values, np.full(len(values), np.nan), dated=False, format=PLAIN)


def _declared_date(config: Config | None, name: str) -> dict[str, Any] | None:
    """The options of a column that the settings declare as kind date, else None."""
    if config is None or config.inputs == "auto":
        return None
    declared = [
        column for column in config.inputs if column.name == name and column.declared_kind == "date"
    ]
    return declared[0].options if declared else None


def _kept_format(config: Config | None, name: str) -> str | None:
    """How the time of windows is written, as the settings or the training rows have it."""
    rule = None if config is None else config.windows
    return rule.format if rule is not None and rule.time == name else None
