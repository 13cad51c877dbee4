"""What readers have read otherwise than it is written, kept in the metadata of their table."""

import json
from collections.abc import Iterable

import pyarrow as pa

CONVERSIONS = b"superpose.conversions"


def conversions_of(table: pa.Table) -> list[str]:
    """What a reader has read otherwise than it is written, one sentence each."""
    return list(json.loads((table.schema.metadata or {}).get(CONVERSIONS, b"[]")))


def with_conversions(table: pa.Table, found: Iterable[str]) -> pa.Table:
    """Notes in the metadata of a table what its reader has read otherwise than it is written.

    Args:
        table: what was read.
        found: sentences that `message` has written: where, how many and what, how to keep it.
    """
    told = [*conversions_of(table), *found]
    known = table.schema.metadata or {}
    return table.replace_schema_metadata({**known, CONVERSIONS: json.dumps(told).encode()})
