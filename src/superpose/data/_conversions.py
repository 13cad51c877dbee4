"""What the user should know of a table that was read, kept in its metadata."""

import json
from collections.abc import Iterable

import pyarrow as pa

CONVERSIONS = b"superpose.conversions"
WARNINGS = b"superpose.warnings"
_STEP = b"superpose.step"


def conversions_of(table: pa.Table) -> list[str]:
    """What a reader has read otherwise than it is written, one sentence each."""
    return _noted(table, CONVERSIONS)


def with_conversions(table: pa.Table, found: Iterable[str]) -> pa.Table:
    """Notes in the metadata of a table what its reader has read otherwise than it is written.

    Args:
        table: what was read.
        found: sentences that `message` has written: where, how many and what, how to keep it.
    """
    return _with(table, CONVERSIONS, found)


def warnings_of(table: pa.Table) -> list[str]:
    """What was found amiss while a table was read or cut, one sentence each."""
    return _noted(table, WARNINGS)


def with_warnings(table: pa.Table, found: Iterable[str]) -> pa.Table:
    """Notes in the metadata of a table what was found amiss in it, as `with_conversions` does."""
    return _with(table, WARNINGS, found)


def step_of(table: pa.Table) -> float | None:
    """The usual time from one step to the next in a table whose windows are cut, where known."""
    return json.loads((table.schema.metadata or {}).get(_STEP, b"null"))


def with_step(table: pa.Table, step: float | None) -> pa.Table:
    """Notes in the metadata of a table the usual time from one step to the next."""
    known = table.schema.metadata or {}
    return table.replace_schema_metadata({**known, _STEP: json.dumps(step).encode()})


def _noted(table: pa.Table, key: bytes) -> list[str]:
    return list(json.loads((table.schema.metadata or {}).get(key, b"[]")))


def _with(table: pa.Table, key: bytes, found: Iterable[str]) -> pa.Table:
    told = json.dumps([*_noted(table, key), *found]).encode()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), key: told})
