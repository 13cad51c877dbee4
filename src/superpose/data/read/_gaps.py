"""Steps of recordings: windows count rows, which is time only where every step is as long.

The usual step of a recording is the median time from one row to the next. A step is regular if it
is one usual step long when rounded: clocks drift, and months have 28 to 31 days. Steps without
weekends, where no row is of one, are counted in working days. A recording has no usual step if half
of its steps or more are irregular; nothing can be cut there, and it is said.

What the training rows tell of this is kept in the settings, and holds for new rows, however few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import DAY, ISO, Times, spelled
from superpose.config import WindowsConfig
from superpose.errors import DataError, listing, message, place

SHOWN = 4  # recordings that one message names
_WEEK = 5  # so many working days without a weekend tell nothing
_FEW = 3  # so many steps make a median; a shorter recording is measured by those of the others


def runs(
    table: pa.Table, rule: WindowsConfig, recordings: list[np.ndarray], when: Times
) -> tuple[list[list[np.ndarray]], list[str]]:
    """Divide recordings where their steps are not regular, as ``windows.gaps`` says.

    Args:
        table: a row for each step.
        rule: how windows are cut.
        recordings: the rows of each recording, in the order of time.
        when: the time of each row.

    Returns:
        For each recording the runs of rows that windows are cut from, -1 for a step that is missing
        there, and what the user should know, one sentence each.

    Raises:
        DataError: a gap where ``gaps`` is "refuse", or more steps to fill than there are rows.
    """
    usual = _usual(recordings, when.instant, rule.every)
    steps = _steps(rule, recordings, when, usual)
    loose = _loose(rule, steps)
    breaks = [np.flatnonzero(own != 1) for own in steps]
    for k in loose:
        breaks[k] = breaks[k][:0]
    said = [_irregular(table, rule, recordings, loose)] if loose else []
    said += _other_steps(table, rule, recordings, usual, loose, when)
    found = _gaps(table, rule, recordings, breaks, steps, when)
    if found is None:
        return [[rows] for rows in recordings], said
    where, given = found
    if rule.gaps == "refuse":
        fix = "add the missing rows, or write `gaps: split` or `gaps: fill` under windows"
        raise DataError(message(where, given, "regular steps, as `gaps: refuse` asks", fix=fix))
    if rule.gaps == "fill":
        filled = _filled(recordings, breaks, steps)
        many = sum(int((run < 0).sum()) for own in filled for run in own)
        given += f"; {many} missing step{'s' * (many != 1)} put into the windows without values"
        return filled, [*said, message(where, given)]
    cut = [np.split(rows, at + 1) for rows, at in zip(recordings, breaks, strict=True)]
    lost = sum(
        _windows(len(rows), rule) - sum(_windows(len(run), rule) for run in own)
        for rows, own in zip(recordings, cut, strict=True)
    )
    given += "; no window and no forecast goes beyond them, so that "
    given += f"{lost} window{'s are' if lost != 1 else ' is'} left out"
    fix = "to have windows go on, with missing steps without values, write `gaps: fill`"
    return cut, [*said, message(where, given, fix=f"{fix} under windows")]


def _windows(rows: int, rule: WindowsConfig) -> int:
    """How many windows a run of rows has."""
    return max((rows - rule.length) // rule.step + 1, 0)


def _usual(recordings: list[np.ndarray], instant: np.ndarray, every: float | None) -> np.ndarray:
    """The usual step of each recording; that of all where it has too few rows.

    A recording whose median is another than that of the training rows, but which has steps as long
    as theirs, has their usual step: its median may be that of a few rows around gaps.
    """
    own = np.array([np.median(np.diff(instant[r])) if len(r) > 1 else np.nan for r in recordings])
    enough = np.array([len(rows) > _FEW for rows in recordings])
    measured = own[enough] if enough.any() else own
    measured = measured[~np.isnan(measured)]
    if every is not None:
        other = [not _alike(np.diff(instant[rows]), every).any() for rows in recordings]
        enough &= _alike(own, every) | np.array(other)
    else:
        every = float(np.median(measured)) if len(measured) else np.nan
    return np.where(enough, own, every)


def found_steps(rule: WindowsConfig, recordings: list[np.ndarray], when: Times) -> dict[str, Any]:
    """What recordings tell of their time, by setting, as far as all of them tell the same."""
    found: dict[str, Any] = {} if when.format in (None, ISO) else {"format": when.format}
    usual = _usual(recordings, when.instant, rule.every)
    if np.isnan(usual).all():
        return found
    found["every"] = float(np.nanmedian(usual))
    steps = _steps(rule, recordings, when, usual)
    long = {k for k, own in enumerate(steps) if len(own) >= _FEW}
    if long and long == set(_loose(rule, steps)):
        found["regular"] = False
    elif np.isclose(found["every"], DAY, rtol=0.1) and not when.clock:
        working = [
            bool(np.is_busday(_days(rows, when)).all()) for rows in recordings if len(rows) > _WEEK
        ]
        if working and len(set(working)) == 1:
            found["weekdays"] = working[0]
    return found


def _alike(steps: np.ndarray, usual: float) -> np.ndarray:
    """Mark steps that are as long as another; half as long again is another step.

    Less is the drift of clocks and the length of months.
    """
    return (steps / usual > 1 / 1.5) & (steps / usual < 1.5)


def _loose(rule: WindowsConfig, steps: list[np.ndarray]) -> list[int]:
    """The recordings whose steps have no usual length."""
    if rule.regular is not None:
        return [] if rule.regular else list(range(len(steps)))
    return [k for k, own in enumerate(steps) if len(own) >= _FEW and (own == 1).mean() <= 0.5]


def _steps(
    rule: WindowsConfig, recordings: list[np.ndarray], when: Times, usual: np.ndarray
) -> list[np.ndarray]:
    pairs = zip(recordings, usual, strict=True)
    return [_steps_of(rows, when, step, rule.weekdays) for rows, step in pairs]


def _days(rows: np.ndarray, when: Times) -> np.ndarray:
    return np.floor(when.wall[rows] / DAY).astype("datetime64[D]")


def _steps_of(
    rows: np.ndarray, when: Times, usual: float, weekdays: bool | None = None
) -> np.ndarray:
    """How many usual steps, rounded, lie between each row and the next."""
    line = when.instant[rows]
    steps = np.maximum(np.rint(np.diff(line) / usual), 0) if len(rows) > 1 else np.empty(0)
    daily = np.isclose(usual, DAY, rtol=0.1) and not when.clock and weekdays is not False
    if daily and (weekdays or not (steps == 1).all()):
        days = _days(rows, when)
        working = np.is_busday(days)
        if weekdays or (len(days) > _WEEK and working.all()):
            both = working[:-1] & working[1:]
            steps = np.where(both, np.busday_count(days[:-1], days[1:]), steps)
    return steps.astype(np.int64)


def _gaps(
    table: pa.Table,
    rule: WindowsConfig,
    recordings: list[np.ndarray],
    breaks: list[np.ndarray],
    steps: list[np.ndarray],
    when: Times,
) -> tuple[str, str] | None:
    """Where the first irregular step is, and how many there are, in words; None without any."""
    count = sum(map(len, breaks))
    if not count:
        return None
    k = next(k for k, at in enumerate(breaks) if len(at))
    at = int(breaks[k][0])
    before = int(recordings[k][at])
    row = int(recordings[k][at + 1])
    short = sum(int((s[b] == 0).sum()) for s, b in zip(steps, breaks, strict=True))
    kinds = [f"{count - short} gap{'s' * (count - short != 1)}"] if count > short else []
    kinds += [f"{short} step{'s' * (short != 1)} shorter than half of the usual"] if short else []
    many = sum(len(b) > 0 for b in breaks)
    groups = "" if rule.group is None else f" in {many} of {len(recordings)} recordings"
    long = int(steps[k][at])
    size = f"{long} steps" if long else "less than half a step"
    given = (
        f"{' and '.join(kinds)} between times{groups}; the first is {size} from "
        f"{shown(when, before)} to {shown(when, row)}{of(table, rule, row)}"
    )
    return place(column=rule.time, row=row), given


def _filled(
    recordings: list[np.ndarray], breaks: list[np.ndarray], steps: list[np.ndarray]
) -> list[list[np.ndarray]]:
    """Recordings with a place for each missing step.

    Raises:
        DataError: more missing steps than rows, so that most of what is read would be nothing.
    """
    missing = sum(int(np.maximum(s[b] - 1, 0).sum()) for s, b in zip(steps, breaks, strict=True))
    total = sum(map(len, recordings))
    if missing > total:
        given = f"`fill` given, but {missing} steps are missing beside {total} rows"
        fix = "write `gaps: split`, or fill the table yourself"
        raise DataError(message("windows.gaps", given, "as many missing steps as rows", fix=fix))
    found = []
    for rows, at, own in zip(recordings, breaks, steps, strict=True):
        ahead = np.ones(len(rows), np.int64)
        ahead[at + 1] = np.maximum(own[at], 1)
        spots = np.cumsum(ahead) - 1
        line = np.full(spots[-1] + 1 if len(rows) else 0, -1)
        line[spots] = rows
        # What is closer than half a step is no step of its own, so the line goes on anew there.
        found.append(np.split(line, spots[at[own[at] == 0] + 1]))
    return found


def _irregular(
    table: pa.Table,
    rule: WindowsConfig,
    recordings: list[np.ndarray],
    loose: list[int],
) -> str:
    """What to say of recordings whose steps have no usual length.

    Raises:
        DataError: they are refused, or should be filled.
    """
    names = listing(names_of(table, rule, [recordings[k] for k in loose]), SHOWN)
    many = "" if rule.group is None else f" in {len(loose)} of {len(recordings)} recordings"
    given = f"the steps have no usual length{many}{names and ': '}{names}"
    if rule.gaps != "split":
        fix = "write `gaps: split` to take each row for one step, or put the rows on even steps"
        raise DataError(
            message(place(column=rule.time), f"`gaps: {rule.gaps}` given, but {given}", fix)
        )
    given += "; windows take each row for one step, however far the next is"
    return message(place(column=rule.time), given, fix="put the rows on even steps of time first")


def _other_steps(
    table: pa.Table,
    rule: WindowsConfig,
    recordings: list[np.ndarray],
    usual: np.ndarray,
    loose: list[int],
    when: Times,
) -> list[str]:
    """What to say of recordings that have another step than most, or than is stated."""
    fine = [k for k in range(len(usual)) if k not in set(loose) and not np.isnan(usual[k])]
    if not fine:
        return []
    common = float(np.median(usual[fine]))
    others = "the others"
    if rule.every is not None:
        common = rule.every
        others = "the training rows"
    other = [k for k in fine if not _alike(usual[k : k + 1], common).any()]
    if not other:
        return []
    names = listing(names_of(table, rule, [recordings[k] for k in other]), SHOWN)
    given = (
        f"{len(other)} of {len(recordings)} recordings have another step than {others} "
        f"({names}{names and '; '}{_length(usual[other[0]], when)} instead of "
        f"{_length(common, when)}), but windows count steps"
    )
    return [message(place(column=rule.time), given, fix="bring all to the same step first")]


def _length(step: float, when: Times) -> str:
    return f"{step:g} s" if when.dated else f"{step:g}"


def shown(when: Times, row: int) -> str:
    """The time of a row, as dates are written where it is one."""
    wall = float(when.wall[row])
    return spelled(wall, when.clock) if when.dated else f"{wall:g}"


def names_of(table: pa.Table, rule: WindowsConfig, found: list[np.ndarray]) -> list[str]:
    """Recordings in words, none where the table is one recording."""
    if rule.group is None:
        return []
    return [f"{rule.group} {table.column(rule.group)[int(rows[0])].as_py()}" for rows in found]


def of(table: pa.Table, rule: WindowsConfig, row: int) -> str:
    """Of which recording a row is, in words."""
    if rule.group is None:
        return ""
    return f" of {rule.group} {table.column(rule.group)[row].as_py()}"
