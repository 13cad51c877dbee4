"""Folders of JSON and safetensors that are either whole or not there, and never run code.

A manifest names every file with its checksum. Files are written under names of their own and the
manifest is replaced last, in one step: whatever happens before that step, a disk that is full or a
process that is killed, leaves the former content whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from superpose.columns import local_path, read_whole, require_regular
from superpose.errors import BundleError, message

FORMAT = "superpose"
# Goes up when a reader of the former version would misread the folder, or this one a former folder.
# 2: attention in common for all members, standardised filters of images; the weights of 1 fit, but
# mean another network.
FORMAT_VERSION = 2
MANIFEST = "manifest.json"
MOST_MANIFEST = 16 << 20  # bytes: a line for each model, of thousands of targets

# A file in the manifest is a plain name: no separator, no drive, no leading dot.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
# What this module writes beside the manifest: part, start of the checksum, ending.
_OWN_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.[0-9a-f]{12}\.(json|safetensors)(\.part)?")
_ENDINGS = {"json": "json", "arrays": "safetensors"}

Arrays = dict[str, np.ndarray]


def save_folder(
    path: str | os.PathLike[str],
    json_parts: Mapping[str, Mapping[str, Any]],
    array_parts: Mapping[str, Mapping[str, Any]],
) -> Path:
    """Writes a folder whole or not at all; other files in an existing folder stay as they are.

    Args:
        path: a new or empty folder, or one that was written by this function.
        json_parts: name of a part (letters, digits, _ and -) -> its JSON-able content.
        array_parts: name of a part -> its arrays or tensors by name; bfloat16 becomes float32.

    Raises:
        BundleError: the folder belongs to something else, or it can't be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "bundle"
        >>> _ = save_folder(folder, {"settings": {"seed": 0}}, {"weights": {"w": np.ones(2)}})
        >>> load_folder(folder)[0]
        {'settings': {'seed': 0}}
    """
    path = local_path(path, BundleError)
    require_writable(path)
    contents = _contents(json_parts, array_parts)
    manifest, files = _manifest(contents)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (path / MANIFEST).exists():
            _write_into(path, manifest, files)
        else:
            _write_new(path, manifest, files)
    except OSError as error:
        raise BundleError(
            message(
                str(path),
                f"can't be written ({error.strerror or error})",
                fix="what stood there before is unchanged; free space or name another folder",
            )
        ) from error
    return path


def load_folder(
    path: str | os.PathLike[str],
) -> tuple[dict[str, dict[str, Any]], dict[str, Arrays]]:
    """Reads a folder that `save_folder` wrote, and checks every byte of it.

    Returns:
        JSON parts by name, and array parts by name.

    Raises:
        BundleError: no such folder, another format, or a file that is missing or changed.
    """
    path = local_path(path, BundleError)
    manifest = _read_manifest(path)
    json_parts: dict[str, dict[str, Any]] = {}
    array_parts: dict[str, Arrays] = {}
    for part, entry in manifest["json"].items():
        json_parts[part] = _parse_json(_read_checked(path, entry), path / entry["file"])
    for part, entry in manifest["arrays"].items():
        try:
            array_parts[part] = load_safetensors(_read_checked(path, entry))
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise _damaged(path / entry["file"], f"not safetensors ({error})") from error
    return json_parts, array_parts


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether `save_folder` may have written this folder; its content is not checked.

    Example:
        >>> import tempfile
        >>> is_folder(tempfile.mkdtemp())
        False
    """
    return (Path(path) / MANIFEST).is_file()


def require_writable(path: str | os.PathLike[str]) -> None:
    """Refuses a path where a folder may not be written, before hours are spent on its content.

    Raises:
        BundleError: it is a file, or a folder with content that is not superpose's.
    """
    path = local_path(path, BundleError)
    if path.is_dir():
        if not any(path.iterdir()):
            return
        if is_folder(path):
            try:
                _read_manifest(path, versions=False)
            except BundleError as error:
                raise _taken(path, f"a folder with another {MANIFEST}") from error
            return
        raise _taken(path, "a folder with files that superpose did not write")
    if path.exists() or path.is_symlink():
        raise _taken(path, "a file")


def write_file(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Writes one file whole or not at all.

    Raises:
        BundleError: it can't be written; what stood there before is unchanged.

    Example:
        >>> import tempfile
        >>> write_file(Path(tempfile.mkdtemp()) / "metrics.json", "{}").read_text()
        '{}'
    """
    path = local_path(path, BundleError)
    blob = data.encode() if isinstance(data, str) else data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, blob)
    except OSError as error:
        given = f"can't be written ({error.strerror or error})"
        raise BundleError(message(str(path), given, fix="free space or name another")) from error
    return path


def _contents(
    json_parts: Mapping[str, Mapping[str, Any]], array_parts: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, bytes]]:
    """The bytes of every part, by sort and name."""
    blobs: dict[str, dict[str, bytes]] = {"json": {}, "arrays": {}}
    for part, content in json_parts.items():
        blobs["json"][part] = json.dumps(content, ensure_ascii=False, indent=1).encode()
    for part, arrays in array_parts.items():
        blobs["arrays"][part] = save_safetensors({k: _plain(v) for k, v in arrays.items()})
    return blobs


def _plain(array: Any) -> np.ndarray:
    """A contiguous little-endian array; tensors are recognised by their methods, without torch."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        # numpy has no bfloat16; float32 holds each of its values.
        array = (array.float() if "bfloat16" in str(array.dtype) else array).numpy()
    # ascontiguousarray would turn a single number into a row of one.
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<")) if sys.byteorder == "big" else array


def _manifest(contents: dict[str, dict[str, bytes]]) -> tuple[bytes, dict[str, bytes]]:
    """The manifest, and the files that it names."""
    try:
        writer = version("superpose")
    except PackageNotFoundError:
        # Run from a source tree that was never installed.
        writer = "unknown"
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "written_by": writer,
    }
    files = {}
    for sort, parts in contents.items():
        manifest[sort] = {}
        for part, blob in parts.items():
            digest = hashlib.sha256(blob).hexdigest()
            name = f"{part}.{digest[:12]}.{_ENDINGS[sort]}"
            if not _OWN_FILE.fullmatch(name):
                raise ValueError(f"{part!r} can't be the name of a part")
            manifest[sort][part] = {"file": name, "sha256": digest, "bytes": len(blob)}
            files[name] = blob
    return json.dumps(manifest, indent=1).encode(), files


def _write_new(path: Path, manifest: bytes, files: Mapping[str, bytes]) -> None:
    """Builds the folder beside its path and moves it there in one step."""
    # Not mkdtemp, which keeps everyone else out: a bundle is as open as any other new folder.
    temporary = path.parent / f".superpose-{uuid.uuid4().hex[:12]}.tmp"
    temporary.mkdir()
    try:
        _write_into(temporary, manifest, files)
        # Replaces an empty folder too.
        if path.is_dir():
            path.rmdir()
        temporary.rename(path)
        _sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write_into(folder: Path, manifest: bytes, files: Mapping[str, bytes]) -> None:
    """Adds the files, then replaces the manifest, then removes what no manifest names any more."""
    added = [folder / name for name in files if not (folder / name).exists()]
    try:
        for name, blob in files.items():
            # Also where the name is taken: what stands there may have been damaged since.
            _replace(folder / name, blob)
        _replace(folder / MANIFEST, manifest)
    except BaseException:
        for file in added:
            file.unlink(missing_ok=True)
        raise
    for file in folder.iterdir():
        if _OWN_FILE.fullmatch(file.name) and file.name not in files:
            file.unlink(missing_ok=True)


def _replace(path: Path, blob: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows can't open a folder to flush it.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(path: Path, *, versions: bool = True) -> dict[str, Any]:
    file = path / MANIFEST
    try:
        if file.is_symlink():
            raise BundleError(_link(file))
        blob = read_whole(file, MOST_MANIFEST)
    except OSError as error:
        what = "no such folder" if not path.exists() else f"no {MANIFEST} in it"
        if file.exists():
            what = f"its {MANIFEST} can't be read ({error.strerror or error})"
        fix = "name a folder that superpose saved"
        raise BundleError(message(str(path), what, fix=fix)) from error
    manifest = _parse_json(blob, file)
    if manifest.get("format") != FORMAT or not isinstance(manifest.get("version"), int):
        raise BundleError(message(str(file), "not a manifest of superpose", fix="name another"))
    if versions and manifest["version"] != FORMAT_VERSION:
        newer = manifest["version"] > FORMAT_VERSION
        fix = "update superpose, or save it again with this version"
        raise BundleError(
            message(
                str(path),
                f"format {manifest['version']} (superpose {manifest.get('written_by')})",
                str(FORMAT_VERSION),
                fix=fix if newer else "train it anew, or read it with the version that wrote it",
            )
        )
    if versions:
        _check_entries(manifest, file)
    return manifest


def _check_entries(manifest: dict[str, Any], file: Path) -> None:
    for sort in _ENDINGS:
        if not isinstance(manifest.get(sort), dict):
            raise _damaged(file, f"{sort!r} missing")
        for part, entry in manifest[sort].items():
            name = entry.get("file") if isinstance(entry, dict) else None
            if not isinstance(name, str) or not isinstance(entry.get("sha256"), str):
                raise _damaged(file, f"the entry of {part!r} is incomplete")
            if not isinstance(entry.get("bytes"), int):
                raise _damaged(file, f"the entry of {part!r} is incomplete")
            if not _PLAIN_NAME.fullmatch(name):
                given = f"{part!r} is to be read from {name!r}"
                allowed = "files of the folder itself"
                raise BundleError(message(str(file), given, allowed, fix="don't trust this bundle"))
            # Each file carries the name of its part: entries that were exchanged are detected.
            if name != f"{part}.{entry['sha256'][:12]}.{_ENDINGS[sort]}":
                raise _damaged(file, f"the entry of {part!r} names {name!r}, which is of another")


def _read_checked(path: Path, entry: Mapping[str, Any]) -> bytes:
    file = path / entry["file"]
    if file.is_symlink():
        raise BundleError(_link(file))
    try:
        # What is larger than it was has changed, however large it is.
        if require_regular(file).st_size != entry["bytes"]:
            raise _damaged(file, "its content changed since it was saved")
        blob = read_whole(file, entry["bytes"])
    except FileNotFoundError as error:
        raise _damaged(file, "missing") from error
    except OSError as error:
        raise _damaged(file, f"can't be read ({error.strerror or error})") from error
    if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
        raise _damaged(file, "its content changed since it was saved")
    return blob


def _parse_json(blob: bytes, file: Path) -> dict[str, Any]:
    try:
        content = json.loads(blob, object_pairs_hook=_once)
    # RecursionError: brackets nested thousands deep, which nothing here writes.
    except (ValueError, RecursionError) as error:
        raise _damaged(file, f"not JSON ({error})") from error
    if not isinstance(content, dict):
        raise _damaged(file, f"{type(content).__name__} instead of an object")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once; of two, json itself would take the last without a word."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key stands twice")
    return content


def _link(file: Path) -> str:
    return message(str(file), "a link", "files of the folder itself", fix="don't trust this bundle")


def _damaged(file: Path, what: str) -> BundleError:
    return BundleError(message(str(file), what, fix="the bundle is damaged; copy or save it again"))


def _taken(path: Path, what: str) -> BundleError:
    allowed = "a new or empty folder, or a bundle to replace"
    return BundleError(message(str(path), what, allowed, fix="name another folder"))
