"""What can be set for a column of a kind, beside its name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


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


class DropOptions(BaseModel):
    """How histories are augmented while the network learns; validation and test rows never are.

    Args:
        drop: share of the members that are made unknown, from 0 to below 1.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    drop: float = Field(default=0.1, ge=0, lt=1)


def augment_settings(
    given: Any, options: type[BaseModel], *, default: bool
) -> dict[str, Any] | None:
    """How an input is augmented in training as plain values; None for not at all.

    Args:
        given: the option ``augment``: words of ``options``, true, or false or "off" for not at all.
        options: what may be set, with defaults.
        default: whether the input is augmented where the option is not set.

    Example:
        >>> augment_settings("off", DropOptions, default=True) is None
        True
        >>> augment_settings(None, DropOptions, default=True)
        {'drop': 0.1}
    """
    if given is False or given == "off" or (given is None and not default):
        return None
    return options.model_validate({} if given in (None, True) else given).model_dump()
