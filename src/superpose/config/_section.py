"""What all sections of the settings are made of: strict models, and types with bounds."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ._faults import Fault, meant, shown


def _word(value: Any) -> Any:
    """Column names such as 1 or 2020 are read as numbers; they are words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1), BeforeValidator(_word)]
Share = Annotated[float, Field(gt=0, lt=1)]
# Bounds that nobody meets who means what is written: a slip of the keyboard is refused at once,
# where it would run for years or fill the memory. Sums of settings are for `data/_memory.py`.
Whole = Annotated[int, Field(ge=1, le=1_000_000)]
Width = Annotated[int, Field(ge=1, le=16_384)]  # a square matrix of it has 1 GiB
Layers = Annotated[int, Field(ge=1, le=128)]
Ahead = Annotated[int, Field(ge=1, le=10_000)]
# Networks that are trained side by side, or of which a network is made.
Copies = Annotated[int, Field(ge=1, le=1000)]
Auto = Literal["auto"]


class Section(BaseModel):
    """A part of the settings: unknown keys are faults, and "3" is no number."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, validate_default=False
    )


def reject(*faults: Fault) -> PydanticCustomError:
    """An error of a validator that carries faults with their keys."""
    return PydanticCustomError("faults", "faults", {"faults": faults})


def known_in(table: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A validator that takes the names of a table alone.

    Args:
        table: the table; a name that is added to it later is taken too.
    """

    def check(name: Any) -> Any:
        if not isinstance(name, str) or name not in table:
            fix = meant(name, list(table))
            raise reject(Fault((), f"{shown(name)} given", ", ".join(table), fix))
        return name

    return check
