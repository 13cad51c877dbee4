"""Dividing rows along a time line."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from superpose.config import WindowsConfig

from ._parts import PARTS
from ._split_columns import group_ids

MOST_BLOCKS = 30  # time blocks per part: long enough to outlast the memory of most series


def cut_time_line(when: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut the time line; rows of the same moment stay together, rows without time come first."""
    when = np.where(np.isnan(when), -np.inf, when)
    order = np.argsort(when, kind="stable")
    line = when[order]
    part = np.zeros(len(when), int)
    for k, end in enumerate(np.cumsum(shares)[:-1]):
        cut = min(round(end * len(line)), len(line) - 1)
        moment = line[cut]
        # The moment that the cut falls into goes wholly to the side where more of it lies.
        first = np.searchsorted(line, moment)
        last = np.searchsorted(line, moment, side="right")
        cut = first if cut - first <= last - cut else last
        part[order[cut:]] = k + 1
    clusters = np.empty(len(when), np.int64)
    used = 0
    for k in range(len(shares)):
        rows = order[part[order] == k]
        # Two at least: a paired test needs something to compare between.
        blocks = int(np.clip(np.sqrt(len(rows)), min(2, len(rows)), MOST_BLOCKS))
        clusters[rows] = used + np.arange(len(rows)) * blocks // max(len(rows), 1)
        used += blocks if len(rows) else 0
    return part, clusters


def purged(
    part: np.ndarray, when: np.ndarray, *, table: pa.Table, rule: WindowsConfig
) -> tuple[np.ndarray, int]:
    """Take out of a part the windows whose forecasts are of times of the next part.

    Args:
        part: part of each row, (N,).
        when: time of each row, (N,).
        table: the rows.
        rule: how they were cut.

    Returns:
        The parts, -1 where a row is left out, and how many are.
    """
    # So many windows at the end of a part look beyond it.
    n_last = math.ceil(max(rule.horizons, default=0) / rule.step)
    if not n_last:
        return part, 0
    one_recording = rule.group is None
    ids = np.zeros(len(part), int) if one_recording else group_ids(table, str(rule.group))
    out = part.copy()
    for k in range(len(PARTS) - 1):
        for group in np.unique(ids):
            rows = np.flatnonzero((part == k) & (ids == group))
            rows = rows[np.argsort(when[rows], kind="stable")]
            out[rows[max(len(rows) - n_last, 0) :]] = -1
    return out, int((out < 0).sum())
