"""Checks of columns that the settings name, whose faults are gathered with their location."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

from superpose.config import ColumnConfig, Config
from superpose.errors import DataError, Faults, did_you_mean, listing

from ._schema import NULL_WORDS, blank_words, has_column

C = TypeVar("C", bound=ColumnConfig)
Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class ColumnEntry(Generic[C]):
    """A column and what the settings say of it.

    Args:
        keys: where the settings name it, or `("inputs",)` where they don't.
        column: what they say.
        values: its values, the words for a missing one made null.
    """

    keys: Keys
    column: C
    values: pa.ChunkedArray

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.column.name


class ColumnChecks:
    """A table, its settings, and the faults of both.

    Args:
        table: all rows.
        config: the settings.
    """

    def __init__(self, table: pa.Table, config: Config) -> None:
        self.table = table
        self.config = config
        self.faults = Faults(DataError)

    def known(self, name: str, *keys: str | int) -> bool:
        """Whether a column that the settings name is in the table; if not, that is a fault."""
        if has_column(self.table, name):
            return True
        names = self.table.column_names
        allowed = f"the columns {listing(names)}"
        given = f"column {name!r} is not in the table"
        self.faults.add(self.config.at(*keys), given, allowed, fix=did_you_mean(name, names))
        return False

    def entry(self, keys: Keys, column: C) -> ColumnEntry[C]:
        """A column that is in the table, with its values."""
        words = NULL_WORDS if column.missing_words is None else column.missing_words
        return ColumnEntry(keys, column, blank_words(self.table.column(column.name), words))

    def attempt(self, keys: Sequence[str | int], check: Any, *args: Any, **options: Any) -> Any:
        """Calls the check of a kind, and keeps its faults with the location in the settings."""
        try:
            return check(*args, **options)
        except DataError as error:
            for fault in error.faults:
                self.faults.add(self.config.at(*keys), fault)
        except (pa.ArrowException, TypeError):
            # Lists, structures or bytes where a kind asks for single values.
            name = args[0]
            given = f"column {name!r} holds {self.table.schema.field(name).type}"
            fix = "declare another kind, or put it under ignore"
            self.faults.add(self.config.at(*keys), f"{given}, which its kind can't read", fix=fix)
        return None
