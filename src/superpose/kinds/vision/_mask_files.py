"""Masks as they are written: class ids by row, from files or from runs in a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from superpose.columns import (
    LOSSY,
    VOID,
    Column,
    as_png,
    as_text,
    class_ids,
    is_runs,
    mask_array,
    read_all,
    refuse,
    warn,
)
from superpose.errors import SHOWN_FAULTS, DataError, Faults, location, message


def mask_paths(values: Column) -> list[str | None]:
    """The paths among masks that may also be written out as runs."""
    return [None if text is None or is_runs(text) else text for text in as_text(values).to_pylist()]


def read_masks(
    column: str, values: Column, folder: str, *, skips: bool
) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Class ids by row, from files or runs, and the reasons where they can't be read.

    Raises:
        DataError: masks that can't be read, with their rows, unless they are skipped.
    """
    texts = as_text(values).to_pylist()

    def read(path: Path, runs: dict[str, str]) -> np.ndarray:
        return mask_array(runs[str(path)]) if str(path) in runs else class_ids(path)

    runs = {str(Path(folder, text)): text for text in texts if text and is_runs(text)}
    masks, wrong = read_all(texts, folder, partial(read, runs=runs))
    if wrong and not skips:
        fix = "mend the path or the file, or leave the cell empty if there is no mask"
        refuse(column, "mask", paths=texts, folder=folder, wrong=wrong, fix=fix)
    return masks, wrong


def lossy_notes(column: str, paths: Sequence[str | None]) -> list[str]:
    """A sentence on masks whose files change ids, if there are any."""
    lossy = [path for path in paths if path and LOSSY.search(path)]
    if not lossy:
        return []
    given = f"{len(lossy)} masks are JPEG, which changes ids, first {lossy[0]}"
    return [message(f"target {column!r}", given, fix="save them as PNG")]


@dataclass(frozen=True)
class MaskIds:
    """Which id of a file is which class.

    Args:
        ids: the id of each class.
        void: the ids without a class.

    Example:
        >>> MaskIds([0, 3], [255]).indices(np.array([[0, 3, 255, 7]]))
        (array([[ 0,  1, -1, -1]]), array([7]))
    """

    ids: list[int]
    void: list[int]

    def indices(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices of classes (H, W), -1 without one, and the ids that are neither."""
        there, back = np.unique(ids, return_inverse=True)
        index = {i: n for n, i in enumerate(self.ids)}
        known = np.array([index.get(int(i), VOID) for i in there])
        strange = [i for i, k in zip(there, known, strict=True) if k < 0 and i not in self.void]
        return known[back].reshape(ids.shape), np.array([i for i in strange if i != VOID])

    def png(self, runs: str) -> bytes:
        """The file of a mask that is written out as runs."""
        ids = mask_array(runs)
        return as_png(np.where(ids == VOID, self.void[0] if self.void else 0, ids))

    def refuse(self, column: str, strange: dict[int, str], files: dict[int, str]) -> None:
        """Raise DataError for ids by row that are no class of those that were named."""
        faults = Faults(DataError)
        for row, names in sorted(strange.items())[:SHOWN_FAULTS]:
            faults.add(
                location(column=column, row=row),
                f"its {files[row]} has the id {names}",
                f"0 to {self.ids[-1]}, and {', '.join(map(str, self.void))} for no class",
                fix="name the class under levels, or the id under void",
            )
        n_more = len(strange) - SHOWN_FAULTS
        faults.add_rest(location(column=column), n_more, "so in {} more rows")
        faults.raise_any()


def warn_of_ids(column: str, strange: dict[int, str], files: dict[int, str]) -> None:
    """Warn of ids by row that no training row had."""
    row = min(strange)
    warn(
        f"target {column!r}, row {row}: id {strange[row]} of its {files[row]} "
        f"did not occur in training; such locations count as unlabelled in "
        f"{len(strange)} mask(s)"
    )
