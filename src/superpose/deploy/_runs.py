"""The folder of a run: when it may be begun, when it may go on, what is kept on the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.data import Config, fingerprint
from superpose.errors import BundleError

from ._store import require_writable, write_file


def settings_text(config: Config, source: Any, folder: Path) -> str:
    """Write the settings as the run folder keeps them: with the way from there to the table."""

    def way(path: str | PathLike[str]) -> str:
        return Path(os.path.relpath(Path(path).resolve(), folder.resolve())).as_posix()

    if isinstance(source, str | PathLike):
        config = config.model_copy(update={"data": way(source)})
    elif isinstance(source, Mapping) and all(
        isinstance(p, str | PathLike) for p in source.values()
    ):
        config = config.model_copy(update={"sources": {n: way(p) for n, p in source.items()}})
    return config.to_yaml()


def source_name(source: Any) -> str:
    """Say where the rows came from."""
    if isinstance(source, Mapping):
        return ", ".join(f"{name}: {source_name(one)}" for name, one in source.items())
    return str(source) if isinstance(source, str | PathLike) else "a frame in memory"


def require_run(folder: Path, text: str, resume: bool) -> None:
    """Make sure that a run can begin in a folder, or go on there."""
    settings, work = folder / "superpose.yaml", folder / "work"
    if folder.is_dir() and any(folder.iterdir()):
        if not resume:
            more = "; `--resume` continues it" if work.exists() else ""
            raise BundleError(f"{folder}: the folder exists; name another, or remove it{more}")
        if not work.exists():
            raise BundleError(f"{folder}: this run has ended; there is nothing to resume")
        if not settings.exists() or settings.read_text(encoding="utf-8") != text:
            raise BundleError(
                f"{folder}: the settings differ from those of the stopped run ({settings}); "
                f"resume with the same settings, or start in another folder"
            )
    elif resume:
        raise BundleError(f"{folder}: there is no run to resume; leave out `resume`")
    else:
        require_writable(folder)


def open_run(folder: Path, text: str, table: pa.Table) -> Path:
    """Make a run folder, or reopen one, and return the folder of its checkpoints."""
    work = folder / "work"
    seen, print_now = work / "table.sha256", fingerprint(table)
    if seen.exists() and seen.read_text(encoding="utf-8") != print_now:
        raise BundleError(
            f"{folder}: the table has changed since the run was stopped; "
            f"put the old table back, or start in another folder"
        )
    # The work folder last: a run is one that can be resumed as soon as it is there.
    write_file(folder / "superpose.yaml", text)
    work.mkdir(exist_ok=True)
    write_file(seen, print_now)
    return work
