"""What can be set for a column of a kind, beside its name."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """The options of a kind: none, unless a subclass declares some and explains them as ``Args``.

    They are checked with the settings, and reach ``fit`` as keywords where they are set. A
    validator raises ValueError with what was given and what to do.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
