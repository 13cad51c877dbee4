"""Gaps in recordings: windows are cut at them, go over them with steps put in, or are refused."""

from __future__ import annotations

import numpy as np

from superpose.config import WindowsConfig
from superpose.errors import DataError, location, message

from ._recordings import Recordings
from ._steps import Steps

Runs = list[list[np.ndarray]]


def runs(steps: Steps) -> tuple[Runs, list[str]]:
    """Divide recordings where their steps are not regular, as ``windows.gaps`` says.

    Args:
        steps: the recordings and their steps.

    Returns:
        For each recording the runs of rows that windows are cut from, -1 for a step that is missing
        there, and what the user should know, one sentence each.

    Raises:
        DataError: a gap where ``gaps`` is "refuse", or more steps to fill than there are rows.
    """
    recordings = steps.recordings
    rule = recordings.rule
    warnings = [_irregular(recordings, steps.loose)] if steps.loose else []
    warnings += _other_steps(steps)
    if not sum(map(len, steps.breaks)):
        return [[rows] for rows in recordings.rows], warnings
    where, given = _gaps(steps)
    if rule.gaps == "refuse":
        fix = "add the missing rows, or write `gaps: split` or `gaps: fill` under windows"
        raise DataError(message(where, given, "regular steps, as `gaps: refuse` asks", fix=fix))
    if rule.gaps == "fill":
        filled = _filled(steps)
        many = sum(int((run < 0).sum()) for own in filled for run in own)
        given += f"; {many} missing step{'s' * (many != 1)} put into the windows without values"
        return filled, [*warnings, message(where, given)]
    pairs = zip(recordings.rows, steps.breaks, strict=True)
    cut = [np.split(rows, at + 1) for rows, at in pairs]
    lost = sum(
        _windows(len(rows), rule) - sum(_windows(len(run), rule) for run in own)
        for rows, own in zip(recordings.rows, cut, strict=True)
    )
    given += "; no window and no forecast goes beyond them, so that "
    given += f"{lost} window{'s are' if lost != 1 else ' is'} left out"
    fix = "to have windows go on, with missing steps without values, write `gaps: fill`"
    return cut, [*warnings, message(where, given, fix=f"{fix} under windows")]


def _windows(rows: int, rule: WindowsConfig) -> int:
    """How many windows a run of rows has."""
    return max((rows - rule.length) // rule.step + 1, 0)


def _gaps(steps: Steps) -> tuple[str, str]:
    """Where the first irregular step is, and how many there are, in words."""
    recordings = steps.recordings
    breaks = steps.breaks
    count = sum(map(len, breaks))
    k = next(k for k, at in enumerate(breaks) if len(at))
    at = int(breaks[k][0])
    before, row = (int(row) for row in recordings.rows[k][at : at + 2])
    short = sum(int((n[b] == 0).sum()) for n, b in zip(steps.counts, breaks, strict=True))
    kinds = [f"{count - short} gap{'s' * (count - short != 1)}"] if count > short else []
    kinds += [f"{short} step{'s' * (short != 1)} shorter than half of the usual"] if short else []
    many = sum(len(b) > 0 for b in breaks)
    one = recordings.rule.group is None
    groups = "" if one else f" in {many} of {len(recordings)} recordings"
    long = int(steps.counts[k][at])
    size = f"{long} steps" if long else "less than half a step"
    given = (
        f"{' and '.join(kinds)} between times{groups}; the first is {size} from "
        f"{recordings.when.spelled(before)} to {recordings.when.spelled(row)}{recordings.of(row)}"
    )
    return location(column=recordings.rule.time, row=row), given


def _filled(steps: Steps) -> Runs:
    """Recordings with a position for each missing step.

    Raises:
        DataError: more missing steps than rows, so that most of what is read would be nothing.
    """
    pairs = zip(steps.counts, steps.breaks, strict=True)
    missing = sum(int(np.maximum(n[b] - 1, 0).sum()) for n, b in pairs)
    total = sum(map(len, steps.recordings.rows))
    if missing > total:
        given = f"`fill` given, but {missing} steps are missing beside {total} rows"
        fix = "write `gaps: split`, or fill the table yourself"
        raise DataError(message("windows.gaps", given, "as many missing steps as rows", fix=fix))
    filled = []
    each = zip(steps.recordings.rows, steps.breaks, steps.counts, strict=True)
    for rows, at, counts in each:
        ahead = np.ones(len(rows), np.int64)
        ahead[at + 1] = np.maximum(counts[at], 1)
        spots = np.cumsum(ahead) - 1
        line = np.full(spots[-1] + 1 if len(rows) else 0, -1)
        line[spots] = rows
        # What is closer than half a step is no step of its own, so the line goes on anew there.
        filled.append(np.split(line, spots[at[counts[at] == 0] + 1]))
    return filled


def _irregular(recordings: Recordings, loose: list[int]) -> str:
    """The sentence on recordings whose steps have no usual length.

    Raises:
        DataError: they are refused, or should be filled.
    """
    rule = recordings.rule
    names = recordings.names(loose)
    many = "" if rule.group is None else f" in {len(loose)} of {len(recordings)} recordings"
    given = f"the steps have no usual length{many}{names and ': '}{names}"
    if rule.gaps != "split":
        allowed = "write `gaps: split` to take each row for one step, or put the rows on even steps"
        given = f"`gaps: {rule.gaps}` given, but {given}"
        raise DataError(message(location(column=rule.time), given, allowed))
    given += "; windows take each row for one step, however far the next is"
    return message(
        location(column=rule.time), given, fix="put the rows on even steps of time first"
    )


def _other_steps(steps: Steps) -> list[str]:
    """The sentence on recordings that have another step than most, or than is stated."""
    recordings = steps.recordings
    which, common = steps.others()
    if not which:
        return []
    others = "the others" if recordings.rule.every is None else "the training rows"
    names = recordings.names(which)
    unit = " s" if recordings.when.dated else ""
    given = (
        f"{len(which)} of {len(recordings)} recordings have another step than {others} "
        f"({names}{names and '; '}{steps.usual[which[0]]:g}{unit} instead of "
        f"{common:g}{unit}), but windows count steps"
    )
    where = location(column=recordings.rule.time)
    return [message(where, given, fix="bring all to the same step first")]
