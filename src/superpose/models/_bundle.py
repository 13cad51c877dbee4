"""The parts of a trained model, as a folder holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from superpose.errors import BundleError

from ._store import is_folder, load_folder


def load_bundle(path: Path) -> tuple[Path, dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """Reads the parts of a trained model: its folder, their JSON and their arrays.

    Args:
        path: a bundle, or the folder of a run with one in it.

    Raises:
        BundleError: no bundle, one that lacks a part, or a run that has not ended.
    """
    folder = path / "bundle" if is_folder(path / "bundle") else path
    if folder is path and (path / "work").is_dir():
        raise BundleError(f"{path}: this run has not ended; `--resume` continues it")
    parts, arrays = load_folder(folder)
    for part, former in (("model", ""), ("record", "facts"), ("config", "")):
        if part not in parts and former not in parts:
            raise BundleError(f"{folder}: part {part!r} is missing; save the model again")
    return folder, parts, arrays
