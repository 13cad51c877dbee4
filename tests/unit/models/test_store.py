"""Saved folders: whole or unchanged, checked when read, unable to reach outside or run code."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from superpose.errors import BundleError
from superpose.models import _store
from superpose.models._store import (
    MANIFEST,
    is_folder,
    load_folder,
    require_writable,
    save_folder,
    write_file,
)

JSON = {"settings": {"seed": 1, "名": ["é", None, 0.1]}}
ARRAYS = {
    "weights": {
        "a.b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "codes": np.array([[1, 2]], dtype=np.uint32),
        "empty": np.zeros((0, 8), dtype=np.int64),
        "single": np.float64(3.5),
        "flags": np.array([True, False]),
    }
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def edit_manifest(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_folder(tmp_path / "bundle", JSON, ARRAYS)


def test_what_was_saved_is_what_is_loaded(saved: Path) -> None:
    parts, arrays = load_folder(saved)
    assert parts == JSON
    for name, array in ARRAYS["weights"].items():
        np.testing.assert_array_equal(arrays["weights"][name], array)
        assert arrays["weights"][name].dtype == array.dtype
        assert arrays["weights"][name].shape == array.shape


def test_tensors_are_saved_as_arrays_whatever_their_layout(tmp_path: Path) -> None:
    tensor = torch.arange(6.0).reshape(2, 3)
    given = {"t": tensor.t(), "half": tensor.bfloat16(), "w": torch.nn.Parameter(tensor)}
    _, arrays = load_folder(save_folder(tmp_path / "b", {}, {"net": given}))
    np.testing.assert_array_equal(arrays["net"]["t"], tensor.t().numpy())
    np.testing.assert_array_equal(arrays["net"]["half"], tensor.numpy())
    np.testing.assert_array_equal(arrays["net"]["w"], tensor.numpy())


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first = save_folder(tmp_path / "one", JSON, ARRAYS)
    second = save_folder(tmp_path / "two", JSON, ARRAYS)
    assert contents(first) == contents(second)


def test_saving_again_replaces_the_content_and_leaves_other_files(saved: Path) -> None:
    (saved / "notes.txt").write_text("mine")
    save_folder(saved, {"other": {}}, {"weights": {"x": np.ones(1)}})
    parts, arrays = load_folder(saved)
    assert parts == {"other": {}}
    assert set(arrays["weights"]) == {"x"}
    assert (saved / "notes.txt").read_text() == "mine"
    assert len(list(saved.iterdir())) == 4


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    load_folder(save_folder(tmp_path / "bundle", JSON, ARRAYS))


def test_nothing_temporary_is_left_behind(saved: Path) -> None:
    assert [p.name for p in saved.parent.iterdir()] == ["bundle"]
    assert not list(saved.glob("*.part"))


def test_a_folder_of_something_else_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="files that superpose did not write; allowed: a new or"):
        save_folder(tmp_path, JSON, ARRAYS)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}
    assert not is_folder(tmp_path)


def test_a_file_and_a_foreign_manifest_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="a file; allowed"):
        require_writable(tmp_path / "file")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / MANIFEST).write_text('{"name": "a web app"}')
    with pytest.raises(BundleError, match=r"a folder with another manifest\.json"):
        require_writable(tmp_path / "web")


@pytest.mark.parametrize("fails_at", range(4))
def test_a_full_disk_leaves_the_old_folder_whole(
    saved: Path, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, calls = contents(saved.parent), []

    def no_space(handle: int) -> None:
        calls.append(handle)
        # Every file and its folder are flushed once each: the last step is the manifest's.
        if len(calls) == fails_at + 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_store.os, "fsync", no_space)
    with pytest.raises(BundleError, match=r"No space left on device.*is unchanged; free space"):
        save_folder(saved, {"settings": {"seed": 2}}, {"weights": {"x": np.ones(1)}})
    assert contents(saved.parent) == before


def test_a_full_disk_leaves_no_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_store.os, "fsync", no_space)
    with pytest.raises(BundleError, match="No space left"):
        save_folder(tmp_path / "bundle", JSON, ARRAYS)
    with pytest.raises(BundleError, match="No space left"):
        write_file(tmp_path / "metrics.json", "{}")
    assert not list(tmp_path.iterdir())


def test_a_kill_in_the_middle_of_saving_leaves_a_whole_folder(saved: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from superpose.models._store import save_folder\n"
        "print('ready', flush=True)\n"
        "for i in range(10**6):\n"
        "    w = {'x': np.full(200_000, i)}\n"
        "    save_folder(sys.argv[1], {'settings': {'step': i}}, {'weights': w})\n"
    )
    for pause in (0.05, 0.11):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(saved)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        parts, arrays = load_folder(saved)
        # The two parts come from the same save.
        step = parts["settings"].get("step")
        assert step is None or (arrays["weights"]["x"] == step).all()
    save_folder(saved, JSON, ARRAYS)
    assert len([p for p in saved.iterdir() if p.suffix != ".part"]) == 3


def test_a_missing_folder_or_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="absent: no such folder"):
        load_folder(tmp_path / "absent")
    with pytest.raises(BundleError, match=r"no manifest\.json in it"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("version", "way_out"),
    [(99, "update superpose"), (1, "train it anew, or read it with the version that wrote it")],
)
def test_another_format_is_refused_with_the_way_out(
    saved: Path, version: int, way_out: str
) -> None:
    edit_manifest(saved, version=version, written_by="9.9")
    pred = rf"format {version} \(superpose 9\.9\); allowed: 2; {way_out}"
    with pytest.raises(BundleError, match=pred):
        load_folder(saved)


@pytest.mark.parametrize("sort", ["json", "safetensors"])
def test_a_changed_a_short_and_a_missing_file_are_refused(saved: Path, sort: str) -> None:
    file = next(saved.glob(f"*.{sort}") if sort != "json" else saved.glob("settings*"))
    blob = file.read_bytes()
    for damaged in (blob[:-1], blob[:-1] + b"~", b""):
        file.write_bytes(damaged)
        with pytest.raises(BundleError, match="its content changed since it was saved; the bundle"):
            load_folder(saved)
    file.unlink()
    with pytest.raises(BundleError, match=f"{file.name}: missing; the bundle is damaged"):
        load_folder(saved)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format": "superpose"}', '{"version": 1}', "[" * 100_000]
)
def test_a_broken_manifest_is_refused(saved: Path, text: str) -> None:
    (saved / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json: "):
        load_folder(saved)


@pytest.mark.parametrize(
    "changes", [{"json": None}, {"arrays": []}, {"json": {"a": 1}}, {"json": {"a": {"file": "x"}}}]
)
def test_a_manifest_with_gaps_is_refused(saved: Path, changes: dict[str, Any]) -> None:
    edit_manifest(saved, **changes)
    with pytest.raises(BundleError, match="the bundle is damaged"):
        load_folder(saved)


@pytest.mark.parametrize(
    "name",
    ["../secret.json", "/etc/hostname", "sub/file.json", "..", "", ".hidden", "C:\\x", "a\x00b"],
)
def test_a_manifest_can_not_reach_outside_the_folder(saved: Path, name: str) -> None:
    blob = b'{"secret": 1}'
    (saved.parent / "secret.json").write_bytes(blob)
    entry = {"file": name, "sha256": hashlib.sha256(blob).hexdigest(), "bytes": len(blob)}
    edit_manifest(saved, json={"settings": entry})
    with pytest.raises(BundleError, match="files of the folder itself; don't trust this bundle"):
        load_folder(saved)


def test_a_link_to_the_outside_is_refused(saved: Path) -> None:
    blob = b'{"secret": 1}'
    (saved.parent / "secret.json").write_bytes(blob)
    digest = hashlib.sha256(blob).hexdigest()
    name = f"settings.{digest[:12]}.json"
    os.symlink(saved.parent / "secret.json", saved / name)
    entry = {"file": name, "sha256": digest, "bytes": 13}
    edit_manifest(saved, json={"settings": entry})
    with pytest.raises(BundleError, match="a link; allowed: files of the folder itself"):
        load_folder(saved)


def test_files_of_another_kind_under_a_right_checksum_are_refused(saved: Path) -> None:
    for sort, blob in (("json", b"\x80\x04cos\nsystem\n"), ("arrays", b"\x80\x04cos\nsystem\n")):
        digest = hashlib.sha256(blob).hexdigest()
        name = f"x.{digest[:12]}.{'json' if sort == 'json' else 'safetensors'}"
        (saved / name).write_bytes(blob)
        entry = {"file": name, "sha256": digest, "bytes": len(blob)}
        edit_manifest(saved, **{sort: {"x": entry}})
        with pytest.raises(BundleError, match=r"x\.\w+\.\w+: not (JSON|safetensors)"):
            load_folder(saved)


def test_the_name_of_a_part_is_plain(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be the name of a part"):
        save_folder(tmp_path / "b", {"../x": {}}, {})
    assert not list(tmp_path.iterdir())


def test_one_file_is_replaced_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "deep" / "report.html", "old")
    write_file(tmp_path / "deep" / "report.html", b"new")
    assert contents(tmp_path) == {"deep/report.html": b"new"}


def test_exchanged_entries_are_found_though_every_checksum_is_right(saved: Path) -> None:
    arrays = {"one": {"w": np.zeros(2)}, "two": {"w": np.ones(2)}}
    folder = save_folder(saved.parent / "swapped", JSON, arrays)
    entries = json.loads((folder / MANIFEST).read_text())["arrays"]
    edit_manifest(folder, arrays={"one": entries["two"], "two": entries["one"]})
    with pytest.raises(BundleError, match=r"entry of 'one' names 'two\..*', which is of another"):
        load_folder(folder)


def test_a_manifest_is_no_link_and_no_pipe_and_names_nothing_twice(saved: Path) -> None:
    manifest = saved / MANIFEST
    text = manifest.read_text()
    manifest.rename(saved.parent / "elsewhere.json")
    manifest.symlink_to(saved.parent / "elsewhere.json")
    with pytest.raises(BundleError, match=r"manifest\.json: a link; allowed: files of the folder"):
        load_folder(saved)
    manifest.unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(manifest)
        with pytest.raises(BundleError, match=r"its manifest\.json can't be read \(a pipe given"):
            load_folder(saved)
        manifest.unlink()
    manifest.write_text(text.replace('"json": {', '"json": {}, "json": {', 1))
    with pytest.raises(BundleError, match="not JSON \\(a key stands twice\\)"):
        load_folder(saved)


def test_a_file_that_has_grown_is_not_read(saved: Path) -> None:
    file = next(saved.glob("weights.*"))
    os.truncate(file, 1 << 40)  # would fill the memory
    with pytest.raises(BundleError, match="its content changed since it was saved"):
        load_folder(saved)
