"""What can be set for a column of a kind, beside its name."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Options(BaseModel):
    """The options of a kind: none, unless a subclass declares some and explains them as ``Args``.

    They are checked with the settings, and reach ``fit`` as keywords where they are set. A
    validator raises ValueError with what was given and what to do.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _distinct(levels: list[str | int | float]) -> list[str | int | float]:
    words = [str(level) for level in levels]
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} stands twice; remove one")
    return levels


Levels = Annotated[list[str | int | float], AfterValidator(_distinct)]
"""Names of classes, none of them twice."""
