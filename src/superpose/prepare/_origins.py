"""Rolling origins: models of a small table are evaluated on periods later than what they learned.

Large tables have one such period: three took 1.3 to 2.5 times as long, and the next year's error of
what was deployed was higher on two of three tables (air .633 and .670, transformers .473 and .488,
bike sharing by the hour .099 and .089).
"""

from __future__ import annotations

import numpy as np

from superpose.config import Config
from superpose.data import Fold, Split

ORIGINS = 3
PERIOD = 0.15  # of the rows before the test
FEWEST_BLOCKS = 12  # of time, so that each period and what is before it have some


def find_origins(split: Split) -> list[Fold]:
    """Folds of which each learns from all before a period, and is evaluated on the period.

    Rows of one moment are never on two sides. Without any where there are too few blocks of time,
    or too few different times.

    Source:
        Tashman 2000, rolling-origin evaluation, with windows that grow.
    """
    if _count_blocks(split) < FEWEST_BLOCKS:
        return []
    rows = split.before_test
    assert split.clusters is not None
    block = np.unique(split.clusters[rows], return_inverse=True)[1]  # numbered along time
    # Blocks differ in size: each counts as where the middle of its rows lies.
    ends = np.cumsum(np.bincount(block)) / len(rows)
    middle = ends - np.diff(ends, prepend=0.0) / 2
    period = np.ceil((1 - middle) / PERIOD).astype(int)[block]  # 1 is the last one
    moment = _moments(split)
    earliest = np.zeros(moment.max() + 1, int)
    np.maximum.at(earliest, moment, period)
    period = earliest[moment]
    folds = [
        Fold(rows[period > number], rows[period == number]) for number in range(ORIGINS, 0, -1)
    ]
    return folds if all(len(f.train) and len(f.validation) for f in folds) else []


def prevents_origins(config: Config, count: int, *, most: int) -> str:
    """What but too few blocks keeps models from being evaluated on later periods, in words.

    Not without a refit: what is deployed would not know the last of them. Not with windows: those
    on both sides of a period share their steps.

    Args:
        config: the settings.
        count: rows before the test.
        most: rows of a small table.
    """
    if config.windows is not None:
        return "windows on two sides of one share their steps"
    if not config.deploy.refit:
        return "they need `deploy: {refit: true}`"
    if config.proof.folds != "auto":
        return "they need `proof: {folds: auto}`"
    if count > most:
        return f"they are for up to {most:,} rows before the test, and here are {count:,}"
    return ""


def describe_shortage(split: Split, instead: str) -> str:
    """Say that there is too little time for periods, what is done instead, and how to get them.

    Args:
        split: the rows.
        instead: what models are evaluated on.
    """
    rows = split.before_test
    moments = len(np.unique(_moments(split)))
    assert split.clusters is not None
    blocks = len(np.unique(split.clusters[rows]))
    given = "most rows are of a few times"
    fix = "rows of more times"
    if moments < FEWEST_BLOCKS:
        given = f"only {moments} different times are"
        fix = "more different times"
    elif blocks < FEWEST_BLOCKS:
        needed = int(np.ceil(len(rows) * (FEWEST_BLOCKS / blocks) ** 2 / 10)) * 10
        given = f"only {blocks} blocks of time ({len(rows)} rows) are"
        fix = f"about {needed} rows before the test"
    return (
        f"split: {given} before the test, and {FEWEST_BLOCKS} are needed to evaluate models on "
        f"{ORIGINS} periods, each later than what they learned from; instead they are evaluated on "
        f"{instead}; give {fix} to have periods"
    )


def describe_rows(rows: np.ndarray, split: Split) -> str:
    """How many rows, and from when to when where time divides them."""
    if split.when is None or np.isnan(split.when.instant[rows]).all():
        return f"{len(rows):,} rows"
    line = split.when.instant[rows]
    first, last = (int(rows[k]) for k in (np.nanargmin(line), np.nanargmax(line)))
    start, end = (split.when.spelled(row) for row in (first, last))
    return f"{start} to {end} ({len(rows):,} rows)"


def _count_blocks(split: Split) -> int:
    """How many blocks of time lie before the test, as far as rows of one moment are one."""
    assert split.clusters is not None
    blocks = len(np.unique(split.clusters[split.before_test]))
    return min(blocks, len(np.unique(_moments(split))))


def _moments(split: Split) -> np.ndarray:
    """Number the different times of the rows before the test; rows without one are the first."""
    assert split.when is not None
    line = split.when.instant[split.before_test]
    return np.unique(np.where(np.isnan(line), -np.inf, line), return_inverse=True)[1]
