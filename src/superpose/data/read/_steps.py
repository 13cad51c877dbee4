"""Steps of recordings: windows count rows, which is time only where every step is as long.

The usual step of a recording is the median time from one row to the next. A step is regular if it
is one usual step long when rounded: clocks drift, and months have 28 to 31 days. Steps without
weekends, where no row is of one, are counted in working days. A recording has no usual step if half
of its steps or more are irregular; nothing can be cut there, which is a warning.

What the training rows show of this is kept in the settings, and holds for new rows, however few.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from superpose.columns import DAY, ISO

from ._recordings import Recordings

_WEEK = 5  # so many working days without a weekend tell nothing
_FEW = 3  # so many steps make a median; a shorter recording is measured by those of the others


class Steps:
    """The steps of recordings.

    Args:
        recordings: the rows by recording.

    Attributes:
        usual: the usual step of each recording, seconds where times are dates; NaN without any.
        counts: for each recording how many usual steps, rounded, lie between a row and the next.
        loose: the recordings whose steps have no usual length.
        breaks: for each recording after which rows a step is not regular; none in loose ones.
    """

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.usual = self._usual()
        pairs = zip(recordings.rows, self.usual, strict=True)
        self.counts = [self._counted(rows, usual) for rows, usual in pairs]
        self.loose = self._loose()
        self.breaks = [np.flatnonzero(own != 1) for own in self.counts]
        for k in self.loose:
            self.breaks[k] = self.breaks[k][:0]

    def settings(self) -> dict[str, Any]:
        """What recordings show of their time, by setting, as far as all of them show the same."""
        when = self.recordings.when
        settings: dict[str, Any] = {} if when.format in (None, ISO) else {"format": when.format}
        if np.isnan(self.usual).all():
            return settings
        settings["every"] = float(np.nanmedian(self.usual))
        long = {k for k, own in enumerate(self.counts) if len(own) >= _FEW}
        if long and long == set(self.loose):
            settings["regular"] = False
        elif np.isclose(settings["every"], DAY, rtol=0.1) and not when.clock:
            working = [
                bool(np.is_busday(self._days(rows)).all())
                for rows in self.recordings.rows
                if len(rows) > _WEEK
            ]
            if working and len(set(working)) == 1:
                settings["weekdays"] = working[0]
        return settings

    def others(self) -> tuple[list[int], float]:
        """The recordings that have another step than most, or than is stated; and that step."""
        loose = set(self.loose)
        regular = [k for k in range(len(self.usual)) if k not in loose]
        regular = [k for k in regular if not np.isnan(self.usual[k])]
        if not regular:
            return [], np.nan
        stated = self.recordings.rule.every
        common = float(np.median(self.usual[regular])) if stated is None else stated
        return [k for k in regular if not _alike(self.usual[k : k + 1], common).any()], common

    def _usual(self) -> np.ndarray:
        """The usual step of each recording; that of all where it has too few rows.

        A recording whose median is another than that of the training rows, but which has steps as
        long as theirs, has their usual step: its median may be that of a few rows around gaps.
        """
        instant = self.recordings.when.instant
        rows = self.recordings.rows
        every = self.recordings.rule.every
        own = np.array([np.median(np.diff(instant[r])) if len(r) > 1 else np.nan for r in rows])
        enough = np.array([len(r) > _FEW for r in rows])
        if every is not None:
            other = [not _alike(np.diff(instant[r]), every).any() for r in rows]
            enough &= _alike(own, every) | np.array(other)
        else:
            measured = own[enough] if enough.any() else own
            measured = measured[~np.isnan(measured)]
            every = float(np.median(measured)) if len(measured) else np.nan
        return np.where(enough, own, every)

    def _loose(self) -> list[int]:
        regular = self.recordings.rule.regular
        if regular is not None:
            return [] if regular else list(range(len(self.counts)))
        return [k for k, n in enumerate(self.counts) if len(n) >= _FEW and (n == 1).mean() <= 0.5]

    def _counted(self, rows: np.ndarray, usual: float) -> np.ndarray:
        """How many usual steps, rounded, lie between each row and the next."""
        when = self.recordings.when
        weekdays = self.recordings.rule.weekdays
        line = when.instant[rows]
        steps = np.maximum(np.rint(np.diff(line) / usual), 0) if len(rows) > 1 else np.empty(0)
        daily = np.isclose(usual, DAY, rtol=0.1) and not when.clock and weekdays is not False
        if daily and (weekdays or not (steps == 1).all()):
            days = self._days(rows)
            working = np.is_busday(days)
            if weekdays or (len(days) > _WEEK and working.all()):
                both = working[:-1] & working[1:]
                steps = np.where(both, np.busday_count(days[:-1], days[1:]), steps)
        return steps.astype(np.int64)

    def _days(self, rows: np.ndarray) -> np.ndarray:
        return np.floor(self.recordings.when.wall[rows] / DAY).astype("datetime64[D]")


def _alike(steps: np.ndarray, usual: float) -> np.ndarray:
    """Mark steps that are as long as another; half as long again is another step.

    Less is the drift of clocks and the length of months.
    """
    return (steps / usual > 1 / 1.5) & (steps / usual < 1.5)
