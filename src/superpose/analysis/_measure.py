"""Joint draws over all targets, and which target to measure next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from superpose.errors import DataError, message
from superpose.models import (
    AUTO,
    LEVELS,
    Predictor,
    Rows,
    given_labels,
    given_names,
    require_plan,
)

# Targets are drawn one after the other; draws share out this many orders.
ORDERS = 8
# Rows times draws that are held at once, and numbers of their predictions.
CHUNK, MOST_CELLS = 20_000, 30_000_000

Labels = dict[str, np.ndarray]


def sample(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    n: int = 100,
    seed: int = 0,
    orders: Sequence[Sequence[str]] | None = None,
) -> Labels:
    """Draw values of all targets that fit together.

    Each draw takes the targets one after the other, in a random order, and tells the model what it
    has drawn so far.

    Args:
        predictor: What ships.
        rows: The rows, N.
        labels: Encoded measured values, NaN where not given; they stay as they are.
        n: Draws for each row (at least 1).
        seed: Seed of the draws.
        orders: Orders of the targets, each used for an equal share of the draws; random if None.

    Shape:
        labels (N,) or (N, L) -> for each target (n, N) or (n, N, L).
    """
    kinds, rng = predictor.codec.target_kinds, np.random.default_rng(seed)
    names = list(kinds)
    if not len(rows):
        return {t: np.stack([kind.unlabelled(0)] * n) for t, kind in kinds.items()}
    if orders is None:
        orders = [[names[i] for i in rng.permutation(len(names))] for _ in range(min(n, ORDERS))]
    step = max(1, _chunk(predictor) // max(len(rows), 1))
    done: list[Labels] = []
    for number, order in enumerate(orders):
        count = n // len(orders) + (number < n % len(orders))
        while count > 0:
            now = min(count, step)
            done.append(_draw(predictor, rows, labels, now, order, rng))
            count -= now
    return {t: np.concatenate([part[t] for part in done]) for t in names}


def sample_table(
    predictor: Predictor, table: pa.Table, given: Sequence[str], n: int, seed: int
) -> pa.Table:
    """Draw values of all targets in the user's units: a row for each draw of each row of a table.

    Args:
        predictor: What ships.
        table: The rows.
        given: Targets that stay as they are measured.
        n: Draws for each row (at least 1).
        seed: Seed of the draws.
    """
    labels, rows = given_labels(predictor.codec, table, given), predictor.rows(table)
    again = pa.array(np.tile(np.arange(table.num_rows), n))
    columns = {"row": again, "draw": pa.array(np.repeat(np.arange(n), table.num_rows))}
    many = table.take(again)
    for target, drawn in sample(predictor, rows, labels, n, seed).items():
        exact = predictor.codec.target_kinds[target].exact(drawn.reshape(-1, *drawn.shape[2:]))
        columns |= predictor.codec.decode(target, exact, many)
    return pa.table(columns)


def _chunk(predictor: Predictor) -> int:
    """Rows times draws that are held at once."""
    widest = max(kind.width for kind in predictor.codec.target_kinds.values())
    return min(CHUNK, MOST_CELLS // widest)


def _draw(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    n: int,
    order: Sequence[str],
    rng: np.random.Generator,
) -> Labels:
    kinds = predictor.codec.target_kinds
    many, drawn = _repeated(rows, labels, n)
    for target in order:
        kind = kinds[target]
        gone = np.isnan(drawn[target])
        if not gone.any():
            continue
        told = stretched(predictor, target, many, drawn)
        values = kind.at_scores(told, rng.standard_normal((len(many), kind.latent)))
        drawn[target] = np.where(gone, values, drawn[target])
    return {t: y.reshape(n, len(rows), *y.shape[1:]) for t, y in drawn.items()}


def _repeated(rows: Rows, labels: Mapping[str, np.ndarray], n: int) -> tuple[Rows, Labels]:
    """All rows n times over, one time after the other."""
    many = {t: np.concatenate([np.asarray(y, float)] * n) for t, y in labels.items()}
    return rows.take(np.tile(np.arange(len(rows)), n)), many


def stretched(
    predictor: Predictor, target: str, rows: Rows, labels: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Predict a target with the scale that held-out rows have shown, (N, K)."""
    given, kind = predictor.given, predictor.codec.target_kinds[target]
    assert given is not None
    told = predictor.conditional(rows, labels, [target])[target]
    level = given.levels(predictor.codec.target_kinds, labels)[target]
    for number, name in enumerate(LEVELS):
        here = level == number
        if here.any():
            told[here] = kind.rescaled(told[here], given.factors[name][target])
    return told


@dataclass(frozen=True)
class Advice:
    """What measuring one target is expected to tell.

    Args:
        target: The target to measure.
        bits: For each row the expected bits (N,) about the wanted targets, summed over them.
        cost: What the measurement costs.
    """

    target: str
    bits: np.ndarray
    cost: float

    @property
    def value(self) -> np.ndarray:
        """Bits per unit of cost, (N,)."""
        return self.bits / self.cost


def next_measurement(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    want: Sequence[str],
    candidates: Sequence[str],
    cost: Mapping[str, float] | None = None,
    draws: int = 64,
    seed: int = 0,
) -> list[Advice]:
    """Say for each candidate how much its measurement is expected to tell about wanted targets.

    The model draws what the measurement may show, and predicts the wanted targets once more after
    each outcome: where the outcomes lead to different predictions, the measurement tells much. It
    is the mutual information between outcome and target under the model, so it is never negative.

    Args:
        predictor: What ships.
        rows: The rows, N.
        labels: Encoded measured values, NaN where not given.
        want: Targets whose uncertainty matters.
        candidates: Targets that could be measured; where one is measured already it tells 0 bits.
        cost: Cost of each candidate (default 1).
        draws: Outcomes that are drawn (at least 2).
        seed: Seed of the draws.

    Source:
        Lindley 1956, expected information of an experiment; the estimator is that of BALD (Houlsby
        et al. 2011, eq. 2) with the model's own draws.
    """
    rng, step = np.random.default_rng(seed), max(1, _chunk(predictor) // draws)
    parts = [np.arange(len(rows))[first : first + step] for first in range(0, len(rows), step)]
    advice = []
    for target in candidates:
        bits = np.zeros(len(rows))
        for part in parts:
            mine, known = rows.take(part), {t: y[part] for t, y in labels.items()}
            bits[part] = _expected_bits(predictor, mine, known, want, target, draws, rng)
        advice.append(Advice(target, bits, (cost or {}).get(target, 1.0)))
    return advice


def measurement_plan(
    predictor: Predictor,
    table: pa.Table,
    want: Sequence[str],
    *,
    given: str | Sequence[str] | None,
    cost: Mapping[str, float],
    candidates: Sequence[str] | None,
    draws: int,
    seed: int,
) -> pa.Table:
    """Rank for each row of a table what to measure next, as ``Superpose.next_measurement``.

    Raises:
        DataError: A target is both given and wanted, or nothing is left to measure.
    """
    codec = predictor.codec
    names = given_names(codec, table, given)
    if given == AUTO:
        names = [t for t in names if t not in want and t not in (candidates or ())]
    # A target that some row lacks can still be measured there.
    labels = given_labels(codec, table, names, planning=True)
    whole = [t for t in names if codec.target_kinds[t].known(labels[t]).all()]
    asked = require_plan(codec, names, whole, want, candidates, dict(cost))
    if draws < 2:
        raise DataError(message("draws", f"{draws} given", "2 or more"))
    rows = predictor.rows(table)
    return pa.Table.from_pylist(
        ranked(next_measurement(predictor, rows, labels, want, asked, cost, draws, seed))
    )


def _expected_bits(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    want: Sequence[str],
    target: str,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    kinds, n = predictor.codec.target_kinds, len(rows)
    kind, bits = kinds[target], np.zeros(n)
    told = stretched(predictor, target, rows, labels)
    # Outcomes at the middles of equal shares of the distribution: half the noise of free draws.
    levels = (np.arange(draws) + 0.5) / draws
    many, after = _repeated(rows, labels, draws)
    scores = _spread_scores(levels, n, kind.latent, rng)
    value = kind.at_scores(np.concatenate([told] * draws), scores)
    after[target] = np.where(np.isnan(after[target]), value, after[target])
    for about in want:
        if about != target:
            moved = stretched(predictor, about, many, after).reshape(draws, n, -1)
            known = kinds[about].known(labels[about])
            bits += np.where(known, 0.0, kinds[about].information(moved))
    bits[kind.known(labels[target])] = 0.0
    return bits


def ranked(advice: Sequence[Advice]) -> list[dict[str, int | float | str]]:
    """Turn advice into records: row by row, the candidate with most bits per cost first."""
    values = np.stack([one.value for one in advice])
    out: list[dict[str, int | float | str]] = []
    for row, order in enumerate(np.argsort(-values, axis=0, kind="stable").T):
        for rank, place in enumerate(order, start=1):
            one = advice[place]
            out.append(
                {
                    "row": row,
                    "rank": rank,
                    "measure": one.target,
                    "bits": float(one.bits[row]),
                    "cost": one.cost,
                    "bits_per_cost": float(one.value[row]),
                }
            )
    return out


def _spread_scores(
    levels: np.ndarray, rows: int, latent: int, rng: np.random.Generator
) -> np.ndarray:
    """Normal scores that fill the distribution evenly, (draws * N, L); labels by themselves."""
    from scipy.special import ndtri

    shape = (len(levels), rows, latent)
    places = np.broadcast_to(ndtri(levels)[:, None, None], shape).copy()
    if latent > 1:
        places = rng.permuted(places, axis=0)
    return places.reshape(-1, latent)
