"""Gaps in a column of times: steps that are far longer than what is usual there."""

from __future__ import annotations

import numpy as np

from superpose.columns import DAY, Times
from superpose.errors import location, message

FAR = 8  # usual steps; nights, weekends and holidays are shorter than so many
# So many steps, or this share of them if that is fewer, may be gaps; the next longest is usual.
MOST_GAPS = 10
SHARE = 0.05
FEWEST_STEPS = 8  # fewer tell nothing of what is usual
NOTABLE = 0.01  # of all the time that the rows cover; what is shorter moves no part or block
UNITS = {"day": DAY, "hour": 3600, "minute": 60}


def describe_gaps(column: str, when: Times) -> str | None:
    """Say where a column of times has gaps, how long the longest is, and what they mean.

    A step is a gap if it is more than eight times as long as the longest steps that recur. Where
    most days end in a long step, as nights without rows, such a step is usual.

    Args:
        column: its name.
        when: the time of each row, in any order.

    Returns:
        One sentence, or None where there is no gap.

    Example:
        >>> days = np.r_[np.arange(60), np.arange(100, 130)] * DAY
        >>> describe_gaps("day", Times(days, np.full(90, np.nan)))[:80]
        "column 'day': a gap of 41 days from 1970-03-01 to 1970-04-11, where 1 day is usu"
    """
    known = np.flatnonzero(~np.isnan(when.instant))
    line, first = np.unique(when.instant[known], return_index=True)
    steps = np.diff(line)
    if len(steps) < FEWEST_STEPS:
        return None
    gaps = np.flatnonzero(steps > max(FAR * _usual(when, known[first], steps), _notable(line)))
    if not len(gaps):
        return None
    longest = gaps[np.argmax(steps[gaps])]
    count = "a gap" if len(gaps) == 1 else f"{len(gaps)} gaps, the longest"
    start, end = (when.spelled(int(known[first[k]])) for k in (longest, longest + 1))
    length, usual = (_duration(s, when.dated) for s in (steps[longest], np.median(steps)))
    given = f"{count} of {length} from {start} to {end}, where {usual} is usual"
    fix = (
        "parts, periods and blocks of time are counted by rows, so one may span it; "
        "to cut there, name the part of each row in a column (`by: column`)"
    )
    return message(location(column=column), given, fix=fix)


def _usual(when: Times, rows: np.ndarray, steps: np.ndarray) -> float:
    """The longest step that is no gap by its number, or is what most days end with."""
    most = max(1, min(MOST_GAPS, int(SHARE * len(steps))))
    usual = float(np.sort(steps)[-most - 1])
    if when.dated:
        nights = np.diff(np.floor(when.wall[rows] / DAY)) != 0
        usual = max(usual, float(np.median(steps[nights])) if nights.any() else 0.0)
    return usual


def _notable(line: np.ndarray) -> float:
    return NOTABLE * float(line[-1] - line[0])


def _duration(step: float, dated: bool) -> str:
    """A length of time in words; a plain number where times are numbers."""
    if not dated:
        return f"{step:.10g}"
    unit, seconds = next(((u, s) for u, s in UNITS.items() if step >= s), ("second", 1))
    count = f"{step / seconds:.3g}" if step < 100 * seconds else f"{step / seconds:,.0f}"
    return f"{count} {unit}{'s' * (count != '1')}"
