"""Signs that a test would flatter: inputs that are targets, rows and groups on both sides.

Every finding is a warning, never an error: some inputs really do tell a target exactly.
"""

from __future__ import annotations

import re
import zlib

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Column,
    as_events,
    as_floats,
    as_seconds,
    as_steps,
    as_text,
    class_names,
    class_type,
    counted,
    find,
    holds_events,
    holds_series,
    index_in_row,
    is_list,
    plain,
)
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.errors import listing
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, Pictures, auc

from ._binned import alike, bin_means, bins, explained, indicators, ranks
from ._parts import PARTS
from ._split_columns import group_ids, raw_labels
from ._splits import Split

SAMPLE = 4000  # training rows looked at; a disguise shows in fewer
RANK_CORRELATION = 0.999  # a copy in other units reaches 1; honest inputs stay well below
TREE_R2 = 0.995
TREE_AUC = 0.995
FEWEST = 30  # rows with both values; below, chance alone can look perfect
FEWEST_PER_SIDE = 5  # rows of the rarer class in each half of the tiny-tree check
LEAVES = 32
QUICK_R2 = 0.5  # what it must find before anything slower is tried
SHOWN = 4  # columns or rows named in one warning
_IDENTIFIER = re.compile(
    r"(^|[_\W])(id|ids|uid|uuid|subject|patient|person|user|customer|client|member|group|"
    r"household|family|site|station|device|machine|session|batch|store|school|account)s?"
    r"([_\W]?(id|no|nr|num|number|code|key|name))?$",
    re.IGNORECASE,
)


def find_leaks(table: pa.Table, schema: Schema, split: Split) -> list[str]:
    """Name what would make a test look better than the use that follows.

    Looks for inputs that are a target in disguise, for equal rows in training and test, and for
    columns that look like a group whose members lie on both sides.

    Args:
        table: all rows.
        schema: the columns in use.
        split: how the rows are divided.

    Returns:
        One sentence per finding, with the name of the column.

    Example:
        >>> from superpose.data.schema._schema import ColumnSpec
        >>> x = np.arange(100.0)
        >>> table = pa.table({"copy": x * 9 / 5 + 32, "y": x})
        >>> schema = Schema([ColumnSpec("copy", "number")], [ColumnSpec("y", "number")])
        >>> split = Split(np.arange(80), np.arange(80, 90), np.arange(90, 100), None, "")
        >>> len(find_leaks(table, schema, split))
        1
    """
    return [
        *_disguises(table, schema, split),
        *_duplicates(table, schema, split),
        *_shared_groups(table, schema, split),
    ]


def _disguises(table: pa.Table, schema: Schema, split: Split) -> list[str]:
    rng = np.random.default_rng(0)  # a fixed sample: the same table gets the same warnings
    rows = split.train
    if len(rows) > SAMPLE:
        rows = np.sort(rng.choice(rows, SAMPLE, replace=False))
    small = table.take(pa.array(rows))
    labels = {
        (spec.name, f" (label {k})" if y.shape[1] > 1 else ""): (spec, y[:, k])
        for spec in schema.targets
        # No input that has one value for a row holds a label for each of its locations.
        if TARGET_KINDS[spec.kind].hints.tree_task is not None
        for y in [raw_labels(small, spec).reshape(small.num_rows, -1)]
        for k in range(y.shape[1])
    }
    pairs = list(labels.items())
    measured = [_scale(target_spec) == "interval" for target_spec, _ in labels.values()]
    groups = list(alike([y for _, y in labels.values()], measured))
    clusters = None if split.clusters is None else split.clusters[rows]
    warnings = []
    for spec in schema.inputs:
        x = _as_numbers(spec, small)
        if x is None:
            continue
        numeric = spec.kind in ("number", "date")
        shares = {k: r2 for block in groups for k, r2 in block.shares(x, numeric).items()}
        # Slower checks are for the pairs alone that the quick one has pointed out.
        for k in sorted(k for k, r2 in shares.items() if r2 >= QUICK_R2):
            (target, detail), (target_spec, y) = pairs[k]
            reason = _reason(x, y, kind=spec.kind, scale=_scale(target_spec), clusters=clusters)
            if reason:
                warnings.append(
                    f"input {spec.name!r} may be target {target!r}{detail} in disguise: {reason}; "
                    f"list it under ignore unless it is known before the target is"
                )
    return warnings


def _as_numbers(spec: ColumnSpec, table: pa.Table) -> np.ndarray | None:
    """A column as float64, NaN where missing: numbers, seconds, or codes of categories."""
    values = spec.values(table)
    if spec.kind == "number":
        x = as_floats(spec.name, values)
        return np.where(np.isfinite(x), x, np.nan)
    if spec.kind == "date":
        return as_seconds(
            spec.name, values, format=spec.options.get("format"), zone=spec.options.get("zone")
        )
    if pa.types.is_nested(plain(values).type) or issubclass(INPUT_KINDS[spec.kind], Pictures):
        return None
    text = class_names(values, class_type(values))
    index = find(text, counted(text)[0])
    return np.where(index < 0, np.nan, index)


def _scale(spec: ColumnSpec) -> str:
    """What the labels of a target are on: nominal, ordinal or interval."""
    return TARGET_KINDS[spec.kind].hints.scale


def _reason(
    x: np.ndarray, y: np.ndarray, *, kind: str, scale: str, clusters: np.ndarray | None = None
) -> str | None:
    """Why an input gives a target away, or None.

    Rows of one group, or of one block of time, know each other by any input that hardly changes
    within it. So equal rows of a cluster count once, and what is learned from some clusters is
    tried on others.
    """
    both = np.flatnonzero(~np.isnan(x) & ~np.isnan(y))
    if clusters is not None:
        values = np.stack([clusters[both], x[both], y[both]])
        both = both[np.sort(np.unique(values, axis=1, return_index=True)[1])]
    x, y = _scaled(x[both]), _scaled(y[both])
    learn, held_out = _two_halves(len(x), None if clusters is None else clusters[both])
    if (
        min(len(x[learn]), len(x[held_out])) < FEWEST // 2
        or y.min() == y.max()
        or x.min() == x.max()
    ):
        return None
    numeric = kind in ("number", "date")
    measured = scale == "interval"
    if numeric and scale != "nominal":
        rank = abs(float(np.corrcoef(ranks(x), ranks(y))[0, 1]))
        if rank >= RANK_CORRELATION:
            return f"rank correlation {rank:.4f}"
    if _one_to_one(x, y):
        return "each of its values goes with one value of the target, and back"
    scores = y[:, None] if measured else indicators(y)
    means = bin_means(bins(x) if numeric else x.astype(np.int64), scores, learn)
    for column, mean in zip(scores.T, means.T, strict=True):
        # Codes of categories have no order; in the order of their means a tree can cut them.
        one = x if numeric else mean
        reason = _tiny_tree(
            one[learn],
            column[learn],
            new=one[held_out],
            held_out=column[held_out],
            measured=measured,
        )
        if reason:
            return reason
    return None


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values whose squares float64 holds and which float32 can tell apart, in the same order."""
    largest = np.abs(values).max(initial=0.0)
    return values / largest if largest > 1e30 or 0 < largest < 1e-30 else values


def _one_to_one(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether values pair off exactly, with enough repeats for that to mean something."""
    pairs = np.unique(np.stack([x, y]), axis=1).shape[1]
    # Values that never repeat pair off by necessity, as an identifier does with anything.
    return pairs == len(np.unique(x)) == len(np.unique(y)) and pairs <= len(x) / 2


def _two_halves(rows: int, clusters: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Every second row, or the rows of every second cluster, and the others."""
    order = np.arange(rows) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    return np.flatnonzero(order % 2 == 0), np.flatnonzero(order % 2 == 1)


def _tiny_tree(
    x: np.ndarray, y: np.ndarray, *, new: np.ndarray, held_out: np.ndarray, measured: bool
) -> str | None:
    """Fit a tree of a few leaves on some rows x (n,), y (n,) and score it on others."""
    from sklearn.tree import DecisionTreeRegressor  # slow to import, and seldom needed

    tree = DecisionTreeRegressor(max_leaf_nodes=LEAVES, min_samples_leaf=2, random_state=0)
    guess = tree.fit(x[:, None], y).predict(new[:, None])
    if measured:
        r2 = float(explained(held_out, guess))
        return f"alone it explains {r2:.1%} of the variance" if r2 >= TREE_R2 else None
    if min(held_out.sum(), (1 - held_out).sum()) < FEWEST_PER_SIDE:
        return None
    area = auc(held_out, guess)
    return f"alone it ranks the classes with an AUC of {area:.4f}" if area >= TREE_AUC else None


def _duplicates(table: pa.Table, schema: Schema, split: Split) -> list[str]:
    """Rows of validation or test that equal a training row in all columns in use."""
    specs = [*schema.inputs, *schema.targets]
    keys = np.zeros(table.num_rows, np.uint64)
    for position, spec in enumerate(specs):
        codes = _row_codes(table.column(spec.name)).astype(np.uint64)
        with np.errstate(over="ignore"):  # hashing wraps around on purpose
            odd = np.uint64(zlib.crc32(spec.name.encode()) * 2 + 1 + (position << 40))
            keys = (keys ^ (codes + np.uint64(1)) * odd) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(29)
    warnings = []
    for part, rows in zip(PARTS[1:], (split.validation, split.test), strict=True):
        same = rows[np.isin(keys[rows], keys[split.train])]
        if len(same):
            share = len(same) / len(rows)
            warnings.append(
                f"{len(same)} of {len(rows)} {part} rows ({share:.1%}) equal a training row in all "
                f"of {listing([repr(s.name) for s in specs], SHOWN)} (row {listing(same, SHOWN)}); "
                f"remove the copies, or split by a group column that keeps them together"
            )
    return warnings


def _row_codes(values: Column) -> np.ndarray:
    """A number per row that is the same for the same value; missing values are the same."""
    values = plain(values)
    if holds_series(values.type):
        return _series_codes(values)
    if is_list(values.type):
        # Lists have no hash in Arrow; their members joined by a sign no name holds do as well.
        joined = ["\x1f".join(map(str, v)) if v is not None else None for v in values.to_pylist()]
        values = pa.chunked_array([pa.array(joined, pa.large_string())])
    text = as_text(values).dictionary_encode()
    return np.asarray(text.indices.fill_null(-1)).astype(np.int64) + 1


def _series_codes(values: Column) -> np.ndarray:
    """A number per series: sums of what its numbers hash to, each by its position in the row."""
    steps = as_events("", values) if holds_events(values.type) else as_steps("", values)
    numbers = np.reshape(steps.values, (len(steps.rows), -1))
    bits = np.nan_to_num(numbers, nan=np.inf).view(np.uint64)
    channel = np.arange(numbers.shape[1], dtype=np.uint64) + np.uint64(1)
    position = index_in_row(steps.rows, len(values)).astype(np.uint64)[:, None] * np.uint64(
        2654435761
    )
    with np.errstate(over="ignore"):  # hashing wraps around on purpose
        mixed = (
            (bits ^ (bits >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15) * (channel + position)
        )
        each = (mixed ^ (mixed >> np.uint64(29))).sum(axis=1)
    sums = np.zeros(len(values), np.uint64)
    np.add.at(sums, steps.rows, each)
    return (sums >> np.uint64(1)).astype(np.int64)


def _shared_groups(table: pa.Table, schema: Schema, split: Split) -> list[str]:
    """Columns named like an identifier whose values repeat and lie on both sides of the test."""
    used = {spec.name: spec.kind for spec in [*schema.inputs, *schema.targets]}
    targets = {spec.name for spec in schema.targets}
    warnings = []
    for name in table.column_names:
        values = plain(table.column(name))
        # Measured numbers and lists are no identifiers, whatever their name.
        if name in targets or is_list(values.type) or pa.types.is_floating(values.type):
            continue
        kind = used.get(name)
        shows = kind in INPUT_KINDS and issubclass(INPUT_KINDS[kind], Pictures)
        if not _IDENTIFIER.search(name) or shows or kind in ("date", "text"):
            continue
        ids = group_ids(table, name)
        train = np.unique(ids[split.train])
        share = float(np.isin(ids[split.test], train).mean())
        repeats = len(split.train) / max(len(train), 1)
        if repeats >= 2 and len(train) >= 2 and share > 0:
            warnings.append(
                f"column {name!r} looks like a group: {share:.0%} of the test rows share its value "
                f"with training rows; if new data will bring new values of {name!r}, use "
                f"split: {{by: group, column: {name}}}"
            )
    return warnings
