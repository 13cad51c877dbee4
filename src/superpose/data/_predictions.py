"""Predictions out: a table, and a file for each row of what is too large for a cell."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from superpose.columns import local_path, read_whole
from superpose.errors import DataError, message
from superpose.kinds import FileForm, TargetKind

from .read._formats import WRITTEN, file_format
from .read._writing import drafted, fill

MARK = ".superpose"  # names the table whose files they are: with it they may be replaced


def write_predictions(
    table: pa.Table, path: str | os.PathLike[str], kinds: Mapping[str, TargetKind]
) -> Path | None:
    """Writes predictions to a file; masks and maps become files in a folder beside it.

    The folder has the name of the table without its ending, and a folder for each such column, with
    a file for each row; their paths, from the folder of the table, stand in the column. So the
    table can be read again as labels.

    The table is there only together with its files: both are drafts until they are whole, and the
    former table is taken away before its files are.

    Args:
        table: what `predict` gave.
        path: the file, with one of the endings in `WRITTEN`; replaced if it exists, and so is the
            folder, if this function has written it.
        kinds: the fitted targets by name.

    Returns:
        The folder of the files, or None if there is none.

    Raises:
        DataError: the format is unknown, the folder holds other files, or it can't be written.
    """
    path = local_path(path)
    ending = file_format(path, WRITTEN)
    folder = path.with_name(re.sub(rf"{re.escape(ending)}(\.gz)?$", "", path.name, flags=re.I))
    forms = {n: f for kind in kinds.values() for n, f in kind.files.items()}
    forms = {name: form for name, form in forms.items() if name in table.column_names}
    if forms:
        _require_own(folder, path)
    with drafted(path) as draft:
        files = draft.with_name(f"{draft.name}.files")
        try:
            if forms:
                files.mkdir()
                (files / MARK).write_text(path.name, encoding="utf-8")
                table = _with_paths(table, files=files, folder=folder.name, forms=forms)
            fill(table, draft, path)
            former = _is_own(folder, path)
            if forms or former:
                path.unlink(missing_ok=True)
            if former:
                # Out of the way in one step: half of the former files must not stand there.
                folder.rename(gone := draft.with_name(f"{draft.name}.gone"))
                shutil.rmtree(gone)
            if forms:
                if folder.is_dir():
                    folder.rmdir()  # it is empty
                files.rename(folder)
            os.replace(draft, path)
        finally:
            shutil.rmtree(files, ignore_errors=True)
    return folder if forms else None


def _with_paths(
    table: pa.Table, *, files: Path, folder: str, forms: Mapping[str, FileForm]
) -> pa.Table:
    """Writes the files of all rows; their columns hold the paths, null where there is no file."""
    taken: set[str] = set()
    for name, form in forms.items():
        own = _folder_name(name, taken)
        (files / own).mkdir()
        column = table.column(name)
        paths: list[str | None] = []
        for row in range(table.num_rows):
            value = column[row].as_py()
            paths.append(None)
            if value is not None:
                (files / own / f"{row}{form.ending}").write_bytes(form.content(value))
                paths[-1] = f"{folder}/{own}/{row}{form.ending}"
        index = table.column_names.index(name)
        table = table.set_column(index, name, pa.array(paths, pa.string()))
    return table


def _folder_name(column: str, taken: set[str]) -> str:
    """A name for the folder of a column, which no other column has."""
    plain = re.sub(r"[^\w.-]+", "_", column).lstrip(".") or "_"
    own = plain
    count = 1
    while own.lower() in taken:  # not every disk tells capitals apart
        count += 1
        own = f"{plain}_{count}"
    taken.add(own.lower())
    return own


def _is_own(folder: Path, path: Path) -> bool:
    """Whether a folder has the files of a table, or of one that is gone."""
    try:
        name = read_whole(folder / MARK).decode()
    except (OSError, UnicodeDecodeError):
        return False
    return name == path.name or not path.with_name(name).exists()


def _require_own(folder: Path, path: Path) -> None:
    """Refuses a path with something that may not be replaced."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and (_is_own(folder, path) or not any(folder.iterdir())):
        return
    given = f"there already, but the files of {path.name} go there"
    allowed = "an empty folder, or one that was written with that table"
    raise DataError(message(str(folder), given, allowed, fix="name another table"))
