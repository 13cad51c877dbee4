"""Joint draws over all targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from superpose.distributions import latent_of
from superpose.models import LEVELS, Observed, Predictor, Rows, given_labels

# Targets are drawn one after the other; draws share out this many orders.
ORDERS = 8
# Rows times draws that are in memory at once, and numbers of their predictions.
CHUNK, MOST_CELLS = 20_000, 30_000_000

Labels = dict[str, np.ndarray]


def sample(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    *,
    n: int = 100,
    seed: int = 0,
    orders: Sequence[Sequence[str]] | None = None,
) -> Labels:
    """Draw values of all targets that fit together.

    Each draw takes the targets one after the other, in a random order, and gives the model what it
    has drawn so far.

    Args:
        predictor: What is deployed.
        rows: The rows, N.
        labels: Encoded measured values, NaN where not given; they stay as they are.
        n: Draws for each row (at least 1).
        seed: Seed of the draws.
        orders: Orders of the targets, each used for an equal share of the draws; random if None.

    Shape:
        labels (N,) or (N, L) -> for each target (n, N) or (n, N, L).
    """
    kinds = predictor.codec.target_kinds
    rng = np.random.default_rng(seed)
    names = list(kinds)
    if not len(rows):
        return {t: np.stack([kind.distribution.missing(0)] * n) for t, kind in kinds.items()}
    if orders is None:
        orders = [[names[i] for i in rng.permutation(len(names))] for _ in range(min(n, ORDERS))]
    step = max(1, chunk_size(predictor) // max(len(rows), 1))
    parts: list[Labels] = []
    for number, order in enumerate(orders):
        count = n // len(orders) + (number < n % len(orders))
        while count > 0:
            now = min(count, step)
            many, drawn = repeated(rows, labels, now)
            _draw(predictor, many, drawn, order=order, rng=rng)
            parts.append({t: y.reshape(now, len(rows), *y.shape[1:]) for t, y in drawn.items()})
            count -= now
    return {t: np.concatenate([part[t] for part in parts]) for t in names}


def sample_table(
    predictor: Predictor, table: pa.Table, given: Sequence[str], *, n: int, seed: int
) -> pa.Table:
    """Draw values of all targets in the user's units: a row for each draw of each row of a table.

    Args:
        predictor: What is deployed.
        table: The rows.
        given: Targets that stay as they are measured.
        n: Draws for each row (at least 1).
        seed: Seed of the draws.
    """
    predictor.require_given()
    labels = given_labels(predictor.codec, table, given)
    rows = predictor.rows(table)
    again = pa.array(np.tile(np.arange(table.num_rows), n))
    columns = {"row": again, "draw": pa.array(np.repeat(np.arange(n), table.num_rows))}
    many = table.take(again)
    for target, drawn in sample(predictor, rows, labels, n=n, seed=seed).items():
        certain = predictor.codec.target_kinds[target].distribution.point_mass(
            drawn.reshape(-1, *drawn.shape[2:])
        )
        columns |= predictor.codec.decode(target, certain, many)
    return pa.table(columns)


def chunk_size(predictor: Predictor) -> int:
    """Rows times draws that are in memory at once."""
    widest = max(kind.distribution.n_columns for kind in predictor.codec.target_kinds.values())
    return min(CHUNK, MOST_CELLS // widest)


def _draw(
    predictor: Predictor,
    rows: Rows,
    labels: Labels,
    *,
    order: Sequence[str],
    rng: np.random.Generator,
) -> None:
    """Draw the values that are missing, in place, target by target."""
    for target in order:
        gone = np.isnan(labels[target])
        if not gone.any():
            continue
        latent = latent_of(predictor.codec.target_kinds[target].distribution)
        pred = stretched(predictor, rows, labels, target=target)
        values = latent.from_normal(pred, rng.standard_normal((len(rows), latent.n_latent)))
        labels[target] = np.where(gone, values, labels[target])


def repeated(rows: Rows, labels: Mapping[str, np.ndarray], n: int) -> tuple[Rows, Labels]:
    """All rows n times over, one time after the other."""
    many = {t: np.concatenate([np.asarray(y, float)] * n) for t, y in labels.items()}
    return rows.take(np.tile(np.arange(len(rows)), n)), many


def stretched(
    predictor: Predictor, rows: Rows, labels: Mapping[str, np.ndarray], *, target: str
) -> np.ndarray:
    """Predict a target with the scale that rows of the proof have shown, (N, K)."""
    kind = predictor.codec.target_kinds[target]
    observed = Observed(predictor.codec.target_kinds, labels)
    pred = predictor.conditional(rows, observed, targets=[target])[target]
    index = observed.levels()[target]
    for number, name in enumerate(LEVELS):
        here = index == number
        if here.any():
            pred[here] = kind.distribution.rescaled(
                pred[here], predictor.levels[name].factors[target]
            )
    return pred
