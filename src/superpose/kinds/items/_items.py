"""What is known of the items of a target: columns that describe them, read as inputs are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from superpose.columns import Column
from superpose.kinds._input import InputKind

MOST_LEVELS = 64  # of a category that a code tells apart; rarer ones are one


class Items(NamedTuple):
    """Items and what is known of them.

    Args:
        names: the name of each item, none twice.
        inputs: the columns that describe them, each fitted to its values.
        values: the values of these columns.
    """

    names: Column
    inputs: list[InputKind]
    values: list[Column]


def described(items: Items) -> list[dict[str, Any]]:
    """The columns of items as plain values: the state of each kind, and what a network reads."""
    columns = []
    for kind, values in zip(items.inputs, items.values, strict=True):
        block = kind.encode(values)
        if np.issubdtype(block.dtype, np.floating):
            # Five digits: the JSON of a bundle is not to be larger than it must; it has no NaN.
            rounded = [float(f"{x:.5g}") for x in block.ravel()]
            plain = [None if np.isnan(x) else x for x in rounded]
        else:
            plain = block.ravel().tolist()
        shape = list(block.shape)
        columns.append({"state": kind.state(), "shape": shape, "block": plain})
    return columns


def inputs_of(columns: list[dict[str, Any]]) -> list[tuple[InputKind, np.ndarray]]:
    """The described columns as fitted inputs, and what networks read of all items, (K, ...)."""
    from superpose.kinds import INPUT_KINDS  # the table names the kinds that this folder has

    inputs = []
    for column in columns:
        kind = INPUT_KINDS[column["state"]["kind"]].from_state(column["state"])
        whole = all(isinstance(x, int) for x in column["block"])
        block = np.array(column["block"], np.int64 if whole else np.float32)
        inputs.append((kind, block.reshape(column["shape"])))
    return inputs


def codes(items: Items, most: int) -> np.ndarray:
    """A few numbers for each item that tell what its columns do: their principal components.

    Args:
        items: the items.
        most: largest number of them.

    Shape:
        (K, R) float64 with R at most ``most``, each of scale 1; (K, 0) where nothing varies.
    """
    parts = [np.zeros((len(items.names), 0))]
    for kind, values in zip(items.inputs, items.values, strict=True):
        matrix, categorical, _ = kind.features(values)
        for column, coded in zip(matrix.T.astype(np.float64), categorical, strict=True):
            if coded:
                levels = np.unique(column[~np.isnan(column)])[:MOST_LEVELS]
                parts.append((column[:, None] == levels).astype(np.float64))
            else:
                parts.append(_standard(column)[:, None])
    wide = np.concatenate(parts, axis=1)
    wide = wide - wide.mean(axis=0)
    left, singular, _ = np.linalg.svd(wide, full_matrices=False)
    informative = singular > 1e-6 * max(float(singular.max(initial=0.0)), 1e-12)
    return np.asarray(left[:, informative][:, :most] * np.sqrt(len(wide)))


def _standard(column: np.ndarray) -> np.ndarray:
    known = column[np.isfinite(column)]
    if not len(known) or known.std() == 0:
        return np.zeros_like(column)
    scaled = (column - known.mean()) / known.std()
    return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -10, 10)
