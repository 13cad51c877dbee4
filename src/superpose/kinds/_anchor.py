"""Numbers of a series that the predictions of a target start from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Anchor:
    """What came before the first predicted step: a channel of an input, in the target's units.

    Args:
        of: name of the input, a series.
        index: position of the channel among those that are read.
        gain: factor from the series' units to the target's.
        offset: what is added then.
        before: for each step ahead where in the series the number a period before it stands, -1 the
            last; empty without a period.
    """

    of: str
    index: int
    gain: float = 1.0
    offset: float = 0.0
    before: tuple[int, ...] = ()
