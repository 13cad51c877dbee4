"""What the codecs of inputs and of targets share: a fitted column whose values travel as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from superpose.columns import Column
from superpose.stored import restored

from ._options import Options


@dataclass(kw_only=True)
class CodecBase:
    """The codec of one column; its fitted values are a dictionary that JSON can hold."""

    name: ClassVar[str]
    options: ClassVar[type[Options]] = Options

    column: str
    notes: list[str] = field(default_factory=list)  # what the user should know, from fitting
    conversions: list[str] = field(default_factory=list)  # what is read otherwise than written

    @classmethod
    def accepts(cls, values: Column) -> bool:
        """Whether values may be of this kind; read where options alone don't decide."""
        return True

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        """Raise DataError with the row if a value can't belong to this kind.

        Unlike `fit` it may see every row of a table, because it learns nothing.
        """

    def state(self) -> dict[str, Any]:
        """Everything needed to rebuild this kind, JSON-able."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"kind": self.name, **values}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a fitted kind from its `state`.

        Raises:
            BundleError: the state has unknown or missing entries, or of another type.
        """
        values = {key: value for key, value in state.items() if key != "kind"}
        return restored(cls, values, f"{cls.name} {state.get('column')!r}")
