"""Memory is estimated before it is taken, and what the machine can't give is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.data import _memory, read_rows
from superpose.errors import ConfigError, DataError
from superpose.evaluation import require_room
from superpose.prepare import prepare

N = 60
TABLE = pa.table({"x": np.arange(N) % 13.0, "y": np.arange(N) * 1.5, "z": np.arange(N) % 7.0})


def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    """Lets the machine have so many bytes, or not tell."""
    file = tmp_path / "meminfo"
    file.write_text("" if size is None else f"MemTotal: 9 kB\nMemAvailable: {size // 1024} kB\n")
    monkeypatch.setattr(_memory, "_MEMINFO", str(file))
    monkeypatch.setattr(_memory, "_LIMITS", ())


def settings(**changes: Any) -> Config:
    return Config.from_arguments(targets=["y", "z"], **changes)


def test_networks_that_do_not_fit_are_refused_before_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(tmp_path, monkeypatch, 8 << 30)
    require_room(prepare(TABLE, settings()))
    for changes in (
        {"model": {"width": 16_384, "depth": 128}},
        {"model": {"members": 1000, "width": 4096}, "proof": {"folds": 50}},
        {"model": {"width": 2048}, "proof": {"folds": 10, "repeats": 1000}},
    ):
        prepared = prepare(TABLE, settings(**changes))
        wanted = (
            r"model: training [\d,]+ weights, [\d,]+ rows at a time, would take [\d,.]+ GB; "
            r"allowed: 8.6 GB, which the machine has; lower model.width, model.depth, model.members"
        )
        with pytest.raises(ConfigError, match=wanted):
            require_room(prepared)


def test_where_the_system_does_not_tell_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(tmp_path, monkeypatch, None)
    assert _memory.available_memory() is None
    require_room(prepare(TABLE, settings(model={"width": 16_384, "depth": 128})))


def test_a_container_has_what_is_left_of_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(tmp_path, monkeypatch, 8 << 30)
    (tmp_path / "max").write_text(f"{3 << 30}\n")
    (tmp_path / "current").write_text(f"{1 << 30}\n")
    limits = ((str(tmp_path / "max"), str(tmp_path / "current")),)
    monkeypatch.setattr(_memory, "_LIMITS", limits)
    assert _memory.available_memory() == 2 << 30
    (tmp_path / "max").write_text("max\n")
    assert _memory.available_memory() == 8 << 30


def test_windows_and_series_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(tmp_path, monkeypatch, 1 << 20)
    table = TABLE.append_column("t", pa.array(range(N)))
    rule = {"columns": ["x"], "time": "t", "length": 30}
    small = read_rows(table, settings(windows=rule))
    assert small.num_rows == 31
    room(tmp_path, monkeypatch, 8 << 10)
    wanted = r"windows.length: 31 windows of 30 steps and 1 channels would take .*; shorten windows"
    with pytest.raises(ConfigError, match=wanted):
        read_rows(table, settings(windows=rule))
    series = TABLE.append_column("s", pa.array([[float(i)] * 500 for i in range(N)]))
    with pytest.raises(DataError, match="inputs: 60 rows, of which 's' is the largest part, would"):
        prepare(series, settings(inputs=[{"name": "s", "kind": "series"}]))
