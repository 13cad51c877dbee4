"""Which input matters for which target: what permuting it does to the loss of what is deployed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from superpose.evaluation import RunResult
from superpose.kinds import TargetKind
from superpose.prepare import Prepared
from superpose.record import ImportanceRecord

# A table of a thousand columns is not permuted column by column on every row: this bounds the
# predictions, and the columns beyond the limit are those least correlated with any target.
MOST_PERMUTED_ROWS = 15_000
MOST_PERMUTED_INPUTS = 60
FEWEST_ROWS, MOST_ROWS = 50, 1000


def importance(result: RunResult) -> ImportanceRecord:
    """Measure which input matters for which target.

    Each input column is permuted among validation rows; the importance is the rise, in percent, of
    the loss of what is deployed.
    """
    p, predictor = result.prepared, result.predictor
    columns = _most_related(p)
    rows = p.split.validation
    rng = np.random.default_rng(p.config.seed)
    share = MOST_PERMUTED_ROWS // max(len(columns), 1) // max(len(p.plan.folds), 1)
    most = max(FEWEST_ROWS, min(MOST_ROWS, share))
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    table = p.table.take(rows)
    order = rng.permutation(len(rows))
    copies = [table]
    for name in columns:
        index = table.column_names.index(name)
        copies.append(table.set_column(index, table.field(index), table.column(name).take(order)))
    preds = predictor.deployed(predictor.rows(pa.concat_tables(copies)))
    values = np.full((len(columns), len(p.targets)), np.nan)
    for t, target in enumerate(p.targets):
        kind: TargetKind = p.codec.target_kinds[target]
        labels = np.concatenate([p.labels[target][rows]] * len(copies))
        losses = kind.distribution.row_loss(labels, preds[target]).reshape(len(copies), -1)
        known = ~np.isnan(losses[0])
        if known.any() and (base := losses[0, known].mean()) > 0:
            values[:, t] = 100 * (losses[1:, known].mean(1) / base - 1)
    return ImportanceRecord(columns, p.targets, values)


def _most_related(p: Prepared) -> list[str]:
    names = [kind.column for kind in p.codec.input_kinds]
    if len(names) <= MOST_PERMUTED_INPUTS:
        return names
    rows = p.split.train[:2000]
    matrix = np.nan_to_num(p.features.matrix[rows])
    best: dict[str, float] = dict.fromkeys(names, 0.0)
    for labels in p.labels.values():
        y = labels[rows] if labels.ndim == 1 else labels[rows].mean(1)
        known = ~np.isnan(y)
        if known.sum() < 3 or np.ptp(y[known]) == 0:
            continue
        x = matrix[known] - matrix[known].mean(0)
        z = y[known] - y[known].mean()
        scale = np.sqrt((x**2).sum(0) * (z**2).sum()) + 1e-12
        for feature, r in zip(p.features.names, np.abs(x.T @ z) / scale, strict=True):
            # A column of several features has its name before each; names may hold blanks.
            for column in [n for n in names if feature == n or feature.startswith(f"{n} ")]:
                best[column] = max(best[column], float(r))
    return sorted(names, key=lambda n: -best[n])[:MOST_PERMUTED_INPUTS]
