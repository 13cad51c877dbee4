"""The folder of a run: when it may be begun, when it may go on, what is kept on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.columns import read_whole
from superpose.config import Config
from superpose.data import fingerprint
from superpose.errors import BundleError, message
from superpose.models import require_writable, write_file

try:
    import fcntl
except ImportError:  # Windows has no flock; there two runs are not kept apart
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps every other run out of a folder; one that was not there and stays empty is removed.

    The system itself frees the lock of a process that ends, however it ends: what a killed run has
    left behind keeps nobody out.

    Raises:
        BundleError: a run that goes on writes there, or nothing can be written there.
    """
    if not folder.is_dir():
        require_writable(folder)
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A link is not followed, and a pipe that somebody put there does not wait.
        follow = getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | follow, 0o666)
    except OSError as error:
        given = f"can't be written ({error.strerror})"
        raise BundleError(message(str(folder), given, fix="name another folder")) from error
    is_locked = False
    try:
        _lock(handle, folder)
        is_locked = True
        yield
    finally:
        # Only who has the lock may remove it, and before it is free for the next.
        if is_locked:
            with suppress(OSError):
                (folder / LOCK).unlink()
        os.close(handle)
        for path in new:
            with suppress(OSError):  # it is not empty
                path.rmdir()


def _lock(handle: int, folder: Path) -> None:
    """Takes the lock, or names the process that has it."""
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A run that has just ended has taken the file away that was opened here.
        free = os.path.samestat(os.fstat(handle), os.stat(folder / LOCK))
    except BlockingIOError:
        free = False
    except OSError:  # a file system without locks, as some networks have: better a run than none
        free = True
    if not free:
        owner = os.pread(handle, 20, 0)
        who = f" (process {int(owner)})" if owner.isdigit() else ""
        given = f"another run{who} writes there"
        fix = "wait for its end, or name another folder"
        raise BundleError(message(str(folder), given, fix=fix))
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)


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
    """Name where the rows came from."""
    if isinstance(source, Mapping):
        return ", ".join(f"{name}: {source_name(one)}" for name, one in source.items())
    return str(source) if isinstance(source, str | PathLike) else "a frame in memory"


def require_run(folder: Path, text: str, resume: bool) -> None:
    """Make sure that a run can begin in a folder that is `locked`, or go on there."""
    settings, work = folder / "superpose.yaml", folder / "work"
    if folder.is_dir() and any(file.name != LOCK for file in folder.iterdir()):
        if not resume:
            more = "; `--resume` continues it" if work.exists() else ""
            raise BundleError(f"{folder}: the folder exists; name another, or remove it{more}")
        if not work.exists():
            raise BundleError(f"{folder}: this run has ended; there is nothing to resume")
        if _text_of(settings) != text:
            raise BundleError(
                f"{folder}: the settings differ from those of the stopped run ({settings}); "
                f"resume with the same settings, or start in another folder"
            )
    elif resume:
        raise BundleError(f"{folder}: there is no run to resume; leave out `resume`")


def _text_of(file: Path) -> str | None:
    """What a file of a run holds, or None where there is none that can be read."""
    try:
        return read_whole(file).decode()
    except (OSError, UnicodeDecodeError):
        return None


def open_run(folder: Path, text: str, table: pa.Table) -> Path:
    """Make a run folder, or reopen one, and return the folder of its checkpoints."""
    work = folder / "work"
    stored = work / "table.sha256"
    current = fingerprint(table)
    if stored.exists() and _text_of(stored) != current:
        raise BundleError(
            f"{folder}: the table has changed since the run was stopped; "
            f"put the old table back, or start in another folder"
        )
    # The work folder last: a run is one that can be resumed as soon as it is there.
    write_file(folder / "superpose.yaml", text)
    work.mkdir(exist_ok=True)
    write_file(stored, current)
    return work
