"""Files that are named in a column and can't be read: refused together, with their rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from superpose.errors import SHOWN_FAULTS, DataError, Faults, location, message

from ._values import warn


def locate(folder: str | Path, path: str) -> Path:
    """The file that a cell names; where it is written for Windows, the one of that name here.

    Args:
        folder: where relative paths start.
        path: such as ``C:\\data\\a.jpg``, which is looked for as ``a.jpg``, or ``in\\a.jpg``, which
            is looked for as ``in/a.jpg`` first.
    """
    whole = Path(folder, path)
    if "\\" not in path or os.path.exists(whole):
        return whole
    own = PureWindowsPath(path)
    near = [Path(folder, *own.parts), Path(folder, own.name)]
    return next((file for file in near[bool(own.drive) :] if os.path.isfile(file)), whole)


def windows_paths(column: str, paths: Sequence[str | None], folder: str) -> list[str]:
    """One sentence on the paths of a column that are written for Windows and are found here."""
    written = [path for path in paths if path and "\\" in path]
    moved = [path for path in written if locate(folder, path) != Path(folder, path)]
    if not moved:
        return []
    here = locate(folder, moved[0])
    given = f"{len(moved)} paths are written for Windows; {moved[0]} is read from {here}"
    return [message(location(column=column), given, fix="write the paths of this machine")]


def refuse(
    column: str,
    what: str,
    *,
    paths: Sequence[str | None],
    folder: str,
    wrong: Mapping[int, str],
    fix: str,
    shown: int = SHOWN_FAULTS,
) -> None:
    """Raise one error for all files that can't be read, or return if there is none.

    Args:
        column: name of the column.
        what: what the files hold, such as "image".
        paths: the path of each row.
        folder: where relative paths start.
        wrong: the reason by row.
        fix: what to do next.
        shown: rows that are named one by one; the others are counted.

    Raises:
        DataError: the files, with their rows and reasons.
    """
    faults = Faults(DataError)
    for row in sorted(wrong)[:shown]:
        given = f"{what} {locate(folder, str(paths[row]))} can't be read: {wrong[row]}"
        faults.add(location(column=column, row=row), given, fix=fix)
    faults.add_rest(location(column=column), len(wrong) - shown, "so with {} more rows")
    faults.raise_any()


def pass_over(
    column: str, what: str, *, paths: Sequence[str | None], wrong: Mapping[int, str]
) -> None:
    """Warn of files that can't be read and count as missing, or return if there is none.

    Args:
        column, what, paths, wrong: as of `refuse`.
    """
    if wrong:
        row = min(wrong)
        warn(
            f"input {column!r}: {len(wrong)} of {len(paths)} {what}s can't be read and count as "
            f"missing; the first is {paths[row]} in row {row}: {wrong[row]}"
        )


def leave_unlabelled(column: str, what: str, *, total: int, wrong: Mapping[int, str]) -> None:
    """Warn of labels that can't be read, so that their rows have none, or return if all can.

    Args:
        column, what, wrong: as of `refuse`.
        total: rows of the column.
    """
    if wrong:
        row = min(wrong)
        warn(
            f"target {column!r}: {len(wrong)} of {total} {what}s can't be read and count as "
            f"unlabelled; the first is in row {row}: {wrong[row]}"
        )
